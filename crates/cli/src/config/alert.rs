//! `[[alert]]`: where alerts go.

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;
use xunjian_alert::{Filter, Grouping, Quiet, Secret, Sink, SinkKind, Tls};
use xunjian_engine::Change;

use super::reader::{Source, Table};

/// Findings told at once, unless the configuration says how many.
const BATCH: usize = 50;
/// Tries before a message is put aside.
const ATTEMPTS: u32 = 12;
/// Seconds before the second try.
const RETRY_S: f64 = 5.0;
/// Seconds one try takes at most.
const TIMEOUT_S: f64 = 15.0;
/// Hours an alert of Alertmanager lasts that no night tells again.
const LIFETIME_H: f64 = 48.0;

/// Reads the sinks. `with_secrets`: secrets are read, and have to be there; a command that sends nothing
/// needs none.
pub(super) fn sinks(
    source: &mut Source<'_>,
    rows: &[(usize, &DeTable<'_>)],
    folder: &Path,
    with_secrets: bool,
) -> Vec<Sink> {
    let mut sinks: Vec<Sink> = Vec::new();
    for &(at, row) in rows {
        let mut table = Table::row("alert", row);
        let name: Option<String> = table.get(source, "name");
        let mut reading = Row { at, folder, with_secrets, source, table: &mut table };
        let kind = reading.kind();
        let quiet: Option<Quiet> = table.parse(source, "quiet");
        let severity = table.parse(source, "severity");
        let words: Option<Vec<String>> = table.get(source, "changes");
        let changes = words.map(|words| changes(source, at, &words));
        let grouping = table.get::<String>(source, "group").and_then(|word| match word.as_str() {
            "finding" => Some(Grouping::Finding),
            "site" => Some(Grouping::Site),
            "night" => Some(Grouping::Night),
            other => {
                source.fault(at, format!("`alert.group`: {other:?} is no group: use finding, site or night"));
                None
            }
        });
        let sites = table.get(source, "sites").unwrap_or_default();
        let batch = table.get(source, "batch").unwrap_or(BATCH as u64);
        let attempts_max = table.get(source, "attempts").unwrap_or(ATTEMPTS);
        let mut seconds = |key, usual| {
            let seconds: f64 = table.get(source, key).unwrap_or(usual);
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
        };
        let (retry, timeout) = (seconds("retry_s", RETRY_S), seconds("timeout_s", TIMEOUT_S));
        if batch == 0 || attempts_max == 0 || timeout.is_zero() {
            source.fault(at, "`batch`, `attempts` and `timeout_s` of an alert must be more than 0");
        }
        table.finish(source);
        let name = name.unwrap_or_default();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
            source.fault(at, format!("an alert needs a `name` of letters, digits, - and _, not {name:?}"));
        }
        if sinks.iter().any(|other| other.name == name) {
            source.fault(at, format!("two alerts are named {name:?}"));
        }
        let Some(kind) = kind else { continue };
        let usual = kind.grouping();
        if usual == Grouping::State && grouping.is_some() {
            source.fault(
                at,
                format!("a {} is written whole after each night; it has no `group`", kind.as_str()),
            );
        }
        if matches!(kind, SinkKind::Alertmanager { .. }) && grouping.is_some_and(|own| own != usual) {
            source.fault(at, "alertmanager groups alerts itself; it has no `group`");
        }
        sinks.push(Sink {
            name,
            filter: Filter {
                severity: severity.unwrap_or(Filter::default().severity),
                sites,
                changes: changes.unwrap_or_else(|| Change::ALL.into()),
            },
            grouping: grouping.unwrap_or(usual),
            batch: usize::try_from(batch).unwrap_or(usize::MAX),
            quiet,
            attempts_max,
            retry,
            timeout,
            kind,
        });
    }
    sinks
}

fn changes(source: &mut Source<'_>, at: usize, words: &[String]) -> Vec<Change> {
    let read = words.iter().filter_map(|word| {
        word.parse().map_err(|error| source.fault(at, format!("`alert.changes`: {error}"))).ok()
    });
    read.collect()
}

struct Row<'r, 't, 'a, 'i> {
    at: usize,
    folder: &'r Path,
    with_secrets: bool,
    source: &'r mut Source<'t>,
    table: &'r mut Table<'a, 'i>,
}

impl Row<'_, '_, '_, '_> {
    fn kind(&mut self) -> Option<SinkKind> {
        let Some(name) = self.text("type") else {
            let known = SinkKind::NAMES.join(", ");
            self.source.fault(self.at, format!("an alert needs a `type`: {known}"));
            return None;
        };
        Some(match name.as_str() {
            "webhook" => SinkKind::Webhook { url: self.address()?, secret: self.secret("secret") },
            "alertmanager" => {
                let hours = self.table.get(self.source, "lifetime_h").unwrap_or(LIFETIME_H);
                SinkKind::Alertmanager {
                    url: self.address()?,
                    token: self.secret("token"),
                    lifetime: Duration::try_from_secs_f64(hours * 3_600.0).unwrap_or(Duration::MAX),
                }
            }
            "wecom" => SinkKind::Wecom { url: self.address()? },
            "dingtalk" => SinkKind::Dingtalk { url: self.address()?, secret: self.secret("secret") },
            "feishu" => SinkKind::Feishu { url: self.address()?, secret: self.secret("secret") },
            "mail" => self.mail()?,
            "syslog" => {
                let text = self.needed("address", "like \"udp://logs:514\" or \"tcp://logs:601\"")?;
                let (tcp, address) = match text.split_once("://") {
                    Some(("udp", rest)) => (false, rest),
                    Some(("tcp", rest)) => (true, rest),
                    _ => {
                        self.fault("address", "write it like \"udp://logs:514\" or \"tcp://logs:601\"");
                        return None;
                    }
                };
                SinkKind::Syslog { address: address.to_owned(), tcp }
            }
            "nats" => SinkKind::Nats {
                url: self.secret_or_fault("url", "like \"nats://127.0.0.1:4222\"")?,
                subject: self.text("subject").unwrap_or_else(|| "xunjian".to_owned()),
                token: self.secret("token"),
                jetstream: self.table.get(self.source, "jetstream").unwrap_or(false),
            },
            "jsonl" => {
                let path = self.needed("path", "a file, or \"-\" for standard output")?;
                SinkKind::Jsonl { path: (path != "-").then(|| self.folder.join(path)) }
            }
            "junit" => SinkKind::Junit { path: self.file()? },
            "sarif" => SinkKind::Sarif { path: self.file()? },
            "markdown" => SinkKind::Markdown { path: self.file()? },
            other => {
                let known = SinkKind::NAMES.join(", ");
                self.fault("type", &format!("{other:?} is no type of alert; known: {known}"));
                return None;
            }
        })
    }

    fn mail(&mut self) -> Option<SinkKind> {
        let server = self.needed("server", "the host of the mail server")?;
        let from = self.needed("from", "the sender, like \"巡检 <xunjian@city.gov.cn>\"")?;
        let to: Vec<String> = self.table.get(self.source, "to").unwrap_or_default();
        if to.is_empty() {
            self.fault("to", "name at least one recipient: to = [\"a@city.gov.cn\"]");
        }
        let tls = match self.text("tls").as_deref() {
            None | Some("starttls") => Tls::Starttls,
            Some("implicit") => Tls::Implicit,
            Some("none") => Tls::None,
            Some(other) => {
                self.fault("tls", &format!("{other:?} is no encryption: use starttls, implicit or none"));
                Tls::Starttls
            }
        };
        let login = match (self.text("user"), self.secret("password")) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            _ => {
                self.fault("user", "`user` and `password` go together");
                None
            }
        };
        let authority = self.text("ca_file").and_then(|file| {
            let path = self.folder.join(file);
            let read = std::fs::read(&path);
            read.map_err(|error| self.fault("ca_file", &format!("cannot read {}: {error}", path.display())))
                .ok()
        });
        let port = self.table.get(self.source, "port");
        Some(SinkKind::Mail { server, port, tls, login, from, to, authority })
    }

    fn text(&mut self, key: &'static str) -> Option<String> {
        self.table.get(self.source, key)
    }

    fn needed(&mut self, key: &'static str, what: &str) -> Option<String> {
        let text = self.text(key);
        if text.is_none() {
            self.fault(key, &format!("is missing: {what}"));
        }
        text
    }

    fn file(&mut self) -> Option<PathBuf> {
        Some(self.folder.join(self.needed("path", "the file to write")?))
    }

    fn secret(&mut self, key: &'static str) -> Option<Secret> {
        let text = self.text(key)?;
        if !self.with_secrets {
            return Some(Secret::new(""));
        }
        match Secret::read(&text, self.folder) {
            Ok(secret) => Some(secret),
            Err(error) => {
                self.fault(key, &error.to_string());
                None
            }
        }
    }

    fn secret_or_fault(&mut self, key: &'static str, what: &str) -> Option<Secret> {
        if self.table.value(key).is_none() {
            self.fault(key, &format!("is missing: {what}"));
        }
        self.secret(key)
    }

    /// An address of the web; it may stand in a variable or a file, because robots have a key in it.
    fn address(&mut self) -> Option<Secret> {
        let what = "like \"https://hooks.city.gov.cn/xunjian\", \"env:NAME\" or \"file:PATH\"";
        let url = self.secret_or_fault("url", what)?;
        if self.with_secrets && !url.is_web_address() {
            self.fault("url", &format!("is not an http or https address: write it {what}"));
        }
        Some(url)
    }

    fn fault(&mut self, key: &'static str, reason: &str) {
        let at = self.table.value(key).map_or(self.at, |value| value.span().start);
        self.source.fault(at, format!("`alert.{key}`: {reason}"));
    }
}
