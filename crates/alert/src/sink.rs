//! Sinks as they are configured.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use xunjian_engine::Change;
use xunjian_model::{Finding, Severity};

use crate::Secret;

/// Where alerts go, and which.
#[derive(Clone, Debug)]
pub struct Sink {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SinkKind,
    /// Which changes it is told.
    pub filter: Filter,
    /// One message a finding, one a site and night, or one a night.
    pub grouping: Grouping,
    /// Findings told at once, where the sink takes several.
    pub batch: usize,
    /// When it is left alone.
    pub quiet: Option<Quiet>,
    /// Times a message is tried before it is put aside.
    pub attempts_max: u32,
    /// Pause before the second try; doubled each time.
    pub retry: Duration,
    /// Longest time one try takes.
    pub timeout: Duration,
}

/// What comes in one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// Each by itself.
    Finding,
    /// One message a site and night.
    Site,
    /// One a night, and one when a night failed.
    Night,
    /// The state of everything, once a night.
    State,
}

/// How mail is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte.
    Implicit,
    /// After STARTTLS, which has to work.
    Starttls,
    /// Not at all.
    None,
}

/// What a sink is.
#[derive(Clone, Debug)]
pub enum SinkKind {
    /// CloudEvents 1.0 over HTTP, signed as Standard Webhooks say when there is a secret.
    Webhook {
        /// Address.
        url: Secret,
        /// Key of the signature.
        secret: Option<Secret>,
    },
    /// Prometheus Alertmanager, API v2.
    Alertmanager {
        /// Its address, without `/api/v2`.
        url: Secret,
        /// A bearer token.
        token: Option<Secret>,
        /// How long an alert lasts that is not told again.
        lifetime: Duration,
    },
    /// A robot of WeCom.
    Wecom {
        /// Address with its key.
        url: Secret,
    },
    /// A robot of DingTalk.
    Dingtalk {
        /// Address with its token.
        url: Secret,
        /// Key of the signature.
        secret: Option<Secret>,
    },
    /// A robot of Feishu.
    Feishu {
        /// Address.
        url: Secret,
        /// Key of the signature.
        secret: Option<Secret>,
    },
    /// Mail over SMTP.
    Mail {
        /// Host.
        server: String,
        /// Port; the usual one of the encryption, if it is not given.
        port: Option<u16>,
        /// Encryption.
        tls: Tls,
        /// User and password.
        login: Option<(String, Secret)>,
        /// Sender.
        from: String,
        /// Recipients.
        to: Vec<String>,
        /// Further authority, PEM.
        authority: Option<Vec<u8>>,
    },
    /// A syslog daemon, RFC 5424.
    Syslog {
        /// Host and port.
        address: String,
        /// Over TCP with octet counts (RFC 6587), or UDP.
        tcp: bool,
    },
    /// A subject of NATS.
    Nats {
        /// Server.
        url: Secret,
        /// Subject; the site's id and the change follow.
        subject: String,
        /// A token.
        token: Option<Secret>,
        /// A stream of JetStream has to acknowledge each message.
        jetstream: bool,
    },
    /// One JSON document a line.
    Jsonl {
        /// File; `None`: standard output.
        path: Option<PathBuf>,
    },
    /// A JUnit report.
    Junit {
        /// File.
        path: PathBuf,
    },
    /// A SARIF 2.1.0 report.
    Sarif {
        /// File.
        path: PathBuf,
    },
    /// A summary in Markdown.
    Markdown {
        /// File.
        path: PathBuf,
    },
}

impl SinkKind {
    /// Names of the kinds, as configurations write them.
    pub const NAMES: [&str; 12] = [
        "webhook", "alertmanager", "wecom", "dingtalk", "feishu", "mail", "syslog", "nats", "jsonl", "junit",
        "sarif", "markdown",
    ];

    /// Its name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Alertmanager { .. } => "alertmanager",
            Self::Wecom { .. } => "wecom",
            Self::Dingtalk { .. } => "dingtalk",
            Self::Feishu { .. } => "feishu",
            Self::Mail { .. } => "mail",
            Self::Syslog { .. } => "syslog",
            Self::Nats { .. } => "nats",
            Self::Jsonl { .. } => "jsonl",
            Self::Junit { .. } => "junit",
            Self::Sarif { .. } => "sarif",
            Self::Markdown { .. } => "markdown",
        }
    }

    /// How it groups unless it is told otherwise: people read one message, tools take each.
    pub fn grouping(&self) -> Grouping {
        match self {
            Self::Wecom { .. } | Self::Dingtalk { .. } | Self::Feishu { .. } | Self::Mail { .. } => {
                Grouping::Site
            }
            Self::Junit { .. } | Self::Sarif { .. } | Self::Markdown { .. } => Grouping::State,
            _ => Grouping::Finding,
        }
    }

    /// Findings it takes at once, at most.
    pub fn batch_max(&self) -> usize {
        match self {
            Self::Webhook { .. } | Self::Alertmanager { .. } | Self::Nats { .. } | Self::Jsonl { .. } => {
                1_000
            }
            _ => 1,
        }
    }
}

/// Which findings a sink is told of.
#[derive(Clone, Debug)]
pub struct Filter {
    /// At least this severe.
    pub severity: Severity,
    /// Ids of sites; empty: all. A `*` at the end stands for anything.
    pub sites: Vec<String>,
    /// Changes.
    pub changes: Vec<Change>,
}

impl Default for Filter {
    fn default() -> Self {
        Self { severity: Severity::Info, sites: Vec::new(), changes: Change::ALL.into() }
    }
}

impl Filter {
    pub(crate) fn wants_site(&self, site: &str) -> bool {
        let is = |pattern: &String| match pattern.strip_suffix('*') {
            Some(begin) => site.starts_with(begin),
            None => site == pattern,
        };
        self.sites.is_empty() || self.sites.iter().any(is)
    }

    pub(crate) fn wants(&self, change: Change, finding: &Finding) -> bool {
        self.changes.contains(&change) && self.wants_finding(finding)
    }

    pub(crate) fn wants_finding(&self, finding: &Finding) -> bool {
        finding.severity >= self.severity && self.wants_site(finding.site.as_str())
    }
}

/// Hours in which a sink is left alone; messages wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    from: Time,
    until: Time,
}

/// A text that names no hours.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} are no hours: write them like \"22:00-07:00\"")]
pub struct QuietError(String);

impl FromStr for Quiet {
    type Err = QuietError;
    fn from_str(text: &str) -> Result<Self, QuietError> {
        let time = |text: &str| Time::strptime("%H:%M", text.trim()).ok();
        let hours = text.split_once('-').and_then(|(from, until)| Some((time(from)?, time(until)?)));
        match hours {
            Some((from, until)) if from != until => Ok(Self { from, until }),
            _ => Err(QuietError(text.to_owned())),
        }
    }
}

impl Quiet {
    /// Whether a moment lies in these hours.
    pub fn covers(self, at: Timestamp, zone: &TimeZone) -> bool {
        let time = zone.to_datetime(at).time();
        match self.from < self.until {
            true => (self.from..self.until).contains(&time),
            false => time >= self.from || time < self.until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_may_pass_midnight() {
        let zone = TimeZone::UTC;
        let covers = |hours: &str, at: &str| {
            let quiet: Quiet = hours.parse().expect("hours");
            quiet.covers(format!("2026-06-30T{at}Z").parse().expect("a moment"), &zone)
        };
        assert!(covers("22:00-07:00", "22:00:00") && covers("22:00-07:00", "06:59:59"));
        assert!(!covers("22:00-07:00", "07:00:00") && !covers("22:00-07:00", "21:59:59"));
        assert!(covers("12:00-14:00", "13:00:00") && !covers("12:00-14:00", "14:00:00"));
        for wrong in ["22-7", "22:00", "22:00-22:00", "25:00-07:00"] {
            assert!(wrong.parse::<Quiet>().is_err(), "{wrong}");
        }
    }
}
