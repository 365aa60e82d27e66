//! What is known of one address: the exact memory of the crawl.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{BodyHash, Hop, PageUrl, SiteId};

/// How an address is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Target {
    /// Fetched whole, extracted, its links followed.
    Page,
    /// An own image, attachment, script or style: checked by its head.
    Resource,
    /// A page outside every registered site: opened, its content looked at, not followed.
    Outside,
    /// A picture or document outside: checked by its head.
    OutsideResource,
    /// An own document: fetched whole, its text scanned.
    Document,
}

impl Target {
    /// Whether a document or picture is expected, not a web page.
    pub fn expects_file(self) -> bool {
        matches!(self, Self::Resource | Self::OutsideResource | Self::Document)
    }
}

/// The last thing seen at an address. Only the "dead" states count against a link.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LinkState {
    /// Opens (2xx, possibly after redirects).
    Ok,
    /// 404 or 410.
    Gone(u16),
    /// The name does not resolve.
    NoSuchHost,
    /// Nothing listens at the address.
    Refused,
    /// 401, 403, 412 and the like: uncertain, not dead.
    Forbidden(u16),
    /// 429 or 503: asked to wait; uncertain.
    Limited(u16),
    /// Another 4xx.
    ClientError(u16),
    /// Another 5xx.
    ServerError(u16),
    /// No answer in time.
    Timeout,
    /// The certificate or the handshake is at fault; the reason.
    Tls(String),
    /// Says "ok" and shows a "not found" page.
    Soft404,
    /// A private, loopback or link-local address.
    Private,
    /// The domain is parked, or its content was replaced by spam; the reason.
    Hijacked(String),
    /// Redirects in a loop or beyond the limit.
    RedirectLoop,
    /// The answer broke HTTP or a limit; the reason.
    Broken(String),
    /// robots.txt forbids the visit.
    Robots,
    /// Asked for a document and got a web page or a file of another kind: the attachment is not
    /// there.
    NotTheFile,
    /// A firewall answers with a script that a browser has to pass first: uncertain, not dead.
    Challenged(u16),
}

impl LinkState {
    /// Whether a reader who follows the link certainly finds nothing.
    pub fn is_dead(&self) -> bool {
        matches!(
            self,
            Self::Gone(_) | Self::NoSuchHost | Self::Refused | Self::RedirectLoop | Self::NotTheFile
        )
    }

    /// Whether the site could not be reached at all, for the availability indicator. Where TLS fails somebody
    /// answered; whether visitors get on depends on their browsers, and is for a person. Who says that we ask too
    /// often, or refuses with a good status, may show others everything.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::NoSuchHost
                | Self::Refused
                | Self::Timeout
                | Self::ServerError(_)
                | Self::Limited(503)
                | Self::Broken(_)
                | Self::RedirectLoop
                | Self::Gone(_)
        )
    }

    /// Whether it says nothing of what a reader finds there: nobody answered, or we were turned away.
    pub fn is_unknown(&self) -> bool {
        self.is_transient()
            || self.turns_us_away()
            || matches!(self, Self::Tls(_) | Self::Robots | Self::Challenged(_))
    }

    /// Whether the server answered, but not to us: perhaps to nobody any more, perhaps to programs alone.
    pub fn turns_us_away(&self) -> bool {
        matches!(self, Self::Forbidden(_) | Self::ClientError(_))
    }

    /// Whether trying once more later may give another answer.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Timeout | Self::ServerError(_) | Self::Limited(_) | Self::Refused | Self::Broken(_)
        )
    }

    /// A short stable word for JSON and logs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Gone(_) => "gone",
            Self::NoSuchHost => "no-such-host",
            Self::Refused => "refused",
            Self::Forbidden(_) => "forbidden",
            Self::Limited(_) => "limited",
            Self::ClientError(_) => "client-error",
            Self::ServerError(_) => "server-error",
            Self::Timeout => "timeout",
            Self::Tls(_) => "tls",
            Self::Soft404 => "soft-404",
            Self::Private => "private",
            Self::Hijacked(_) => "hijacked",
            Self::RedirectLoop => "redirect-loop",
            Self::Broken(_) => "broken",
            Self::Robots => "robots",
            Self::NotTheFile => "not-the-file",
            Self::Challenged(_) => "challenged",
        }
    }

    /// The word with its number or reason, for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Gone(code)
            | Self::Forbidden(code)
            | Self::Limited(code)
            | Self::ClientError(code)
            | Self::ServerError(code)
            | Self::Challenged(code) => format!("{} ({code})", self.word()),
            Self::Tls(reason) | Self::Hijacked(reason) | Self::Broken(reason) => {
                format!("{} ({reason})", self.word())
            }
            _ => self.word().to_owned(),
        }
    }
}

/// What a browser showed of a page whose list a script fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rendering {
    /// No script seems to fill it.
    #[default]
    NotNeeded,
    /// It was not rendered since it was last looked at: there is no browser, or it failed.
    Wanted,
    /// It was rendered.
    Done {
        /// When: with the address, the key of the rendered snapshot.
        #[serde(with = "crate::moment")]
        at: Timestamp,
        /// Body of that snapshot: the document after its scripts had run.
        body_hash: BodyHash,
        /// It came to rest and got all it asked for, so what it does not show is not there.
        settled: bool,
    },
    /// Its scripts leave readers another page than was sent, which search engines go on seeing: what was sent is
    /// looked at, and that is told.
    Replaced {
        /// When: with the address, the key of the rendered snapshot.
        #[serde(with = "crate::moment")]
        at: Timestamp,
        /// Body of that snapshot: what readers see.
        body_hash: BodyHash,
    },
}

/// What is known of a file by its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Its length in bytes, if the server says.
    pub bytes: Option<u64>,
    /// What its first bytes show it to be; empty when they show nothing known.
    pub kind: String,
    /// The first bytes themselves.
    pub first: Vec<u8>,
}

/// A page that shows search engines something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cloaked {
    /// When: with the address, the key of the snapshot of what they are shown.
    #[serde(with = "crate::moment")]
    pub at: Timestamp,
    /// Body of that snapshot.
    pub body_hash: BodyHash,
    /// In what it differs.
    pub why: String,
    /// A machine cannot tell that it is meant to deceive.
    pub unsure: bool,
}

/// What is known of one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlRecord {
    /// The site that owns it; `None` outside.
    pub site: Option<SiteId>,
    /// How it is treated.
    pub target: Target,
    /// Links followed from the home page to find it.
    pub depth: u16,
    /// Number of the run that last asked for it; 0 when never asked.
    pub run: u32,
    /// When the address was first seen.
    #[serde(with = "crate::moment")]
    pub first_seen: Timestamp,
    /// When it was last asked.
    #[serde(with = "crate::moment::optional")]
    pub checked_at: Option<Timestamp>,
    /// What was last seen.
    pub state: Option<LinkState>,
    /// Status of the last answer.
    pub status: u16,
    /// Where the redirects ended, if there were any.
    pub final_url: Option<String>,
    /// `ETag` to ask with.
    pub etag: Option<String>,
    /// `Last-Modified` to ask with.
    pub last_modified: Option<String>,
    /// Media type of the answer.
    pub media_type: Option<String>,
    /// Body of the newest snapshot.
    pub body_hash: Option<BodyHash>,
    /// Where earlier versions kept the facts of that body; read over, always `None` now.
    pub retired: Option<(u16, u32, u64, u32)>,
    /// Time of the newest snapshot: with the address, its key.
    #[serde(with = "crate::moment::optional")]
    pub snapshot_at: Option<Timestamp>,
    /// Runs that found the page unchanged by 304, since the last change.
    pub not_modified: u32,
    /// Runs that found the page unchanged by its hash, since the last change.
    pub same_hash: u32,
    // Fields below came later; records without them read as zero, none or empty.
    /// Runs that saw the page, changed or not.
    pub seen: u32,
    /// Of these, runs in which its content was another than before.
    pub changes: u32,
    /// Since when a page that was kept before is gone; its snapshots stay as history.
    #[serde(with = "crate::moment::optional")]
    pub gone_since: Option<Timestamp>,
    /// Why the last run that came to it did not ask for it.
    pub left_out: Option<LeftOut>,
    /// Redirects of the last answer.
    pub hops: Vec<Hop>,
    /// What a browser showed.
    pub rendering: Rendering,
    /// An attachment whose text is not read.
    pub file: Option<FileFacts>,
    /// What search engines are shown in its place, as last seen.
    pub cloaked: Option<Cloaked>,
}

/// The first fields of a [`UrlRecord`], up to its state: what of a kept record can be read without the rest.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct UrlState {
    /// As in the record.
    pub site: Option<SiteId>,
    /// As in the record.
    pub target: Target,
    /// As in the record.
    pub depth: u16,
    /// As in the record.
    pub run: u32,
    /// As in the record.
    #[serde(with = "crate::moment")]
    pub first_seen: Timestamp,
    /// As in the record.
    #[serde(with = "crate::moment::optional")]
    pub checked_at: Option<Timestamp>,
    /// As in the record.
    pub state: Option<LinkState>,
}

/// Why an address was not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOut {
    /// robots.txt forbids the visit.
    Robots,
    /// robots.txt could not be fetched, which forbids everything (RFC 9309 section 2.3.1.4).
    RobotsUnreachable,
    /// The host did not answer for so long that it was given up for this run.
    HostDown,
    /// The host went on asking to wait.
    Limited,
    /// The site's budget of pages is used up.
    PagesMax,
    /// The site's budget of bytes is used up.
    BytesMax,
    /// The site's budget of time is used up.
    TimeMax,
    /// Too many links away from the home page.
    DepthMax,
    /// One of endless addresses that show nothing new.
    Trap,
    /// Not due in an incremental run: the page seldom changes.
    NotDue,
    /// Its host went on asking for a browser ([`LinkState::Challenged`]).
    Challenged,
    /// The home address leads to a host that is none of the site's.
    Elsewhere,
    /// The visit broke off by a fault of this program.
    Fault,
}

impl LeftOut {
    /// The word in JSON and logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Robots => "robots",
            Self::RobotsUnreachable => "robots-unreachable",
            Self::HostDown => "host-down",
            Self::Limited => "limited",
            Self::PagesMax => "pages-max",
            Self::BytesMax => "bytes-max",
            Self::TimeMax => "time-max",
            Self::DepthMax => "depth-max",
            Self::Trap => "trap",
            Self::NotDue => "not-due",
            Self::Challenged => "challenged",
            Self::Elsewhere => "elsewhere",
            Self::Fault => "fault",
        }
    }

    /// Whether the run did not see something it should have seen. What robots.txt forbids, what
    /// is endless and what is not due was left out on purpose.
    pub fn is_incomplete(self) -> bool {
        !matches!(self, Self::Robots | Self::Trap | Self::NotDue)
    }
}

impl UrlRecord {
    /// A record of an address that was only heard of.
    pub fn discovered(site: Option<SiteId>, target: Target, depth: u16, at: Timestamp) -> Self {
        Self {
            site,
            target,
            depth,
            run: 0,
            first_seen: at,
            checked_at: None,
            state: None,
            status: 0,
            final_url: None,
            etag: None,
            last_modified: None,
            media_type: None,
            body_hash: None,
            retired: None,
            snapshot_at: None,
            not_modified: 0,
            same_hash: 0,
            seen: 0,
            changes: 0,
            gone_since: None,
            left_out: None,
            hops: Vec::new(),
            rendering: Rendering::NotNeeded,
            file: None,
            cloaked: None,
        }
    }

    /// The body that shows what a reader sees, and the time of its snapshot: the rendered one,
    /// where there is one.
    pub fn shown(&self) -> Option<(BodyHash, Timestamp)> {
        // A page that is not kept any more shows nothing, whatever it showed before.
        let sent = self.body_hash.zip(self.snapshot_at)?;
        match self.rendering {
            Rendering::Done { at, body_hash, .. } => Some((body_hash, at)),
            _ => Some(sent),
        }
    }

    /// Where the address redirects to, other than to itself.
    pub fn redirect(&self, url: &PageUrl) -> Option<PageUrl> {
        let end = self.final_url.as_deref().filter(|end| *end != url.as_str())?;
        PageUrl::parse(end).ok()
    }

    /// The media type of that body.
    pub fn shown_media_type(&self) -> Option<&str> {
        match self.rendering {
            Rendering::Done { .. } => Some("text/html; charset=utf-8"),
            _ => self.media_type.as_deref(),
        }
    }

    /// Whether the kept body is what a reader finds: it was seen, or nothing is known of it since.
    pub fn is_there(&self) -> bool {
        let seen = |state: &LinkState| *state == LinkState::Ok || state.is_unknown();
        self.body_hash.is_some() && self.gone_since.is_none() && self.state.as_ref().is_some_and(seen)
    }

    /// How likely the page is to have changed by the next night, from the nights it was seen:
    /// (changes + 1/2) / (nights + 1), the estimate for few observations.
    pub fn expected_change(&self) -> f64 {
        (f64::from(self.changes) + 0.5) / (f64::from(self.seen.saturating_sub(1)) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_the_rendered_version_as_long_as_the_page_is_kept() {
        let (sent, drawn) = (BodyHash::of(b"sent"), BodyHash::of(b"drawn"));
        let at = Timestamp::UNIX_EPOCH;
        let mut record = UrlRecord::discovered(None, Target::Page, 0, at);
        assert_eq!(record.shown(), None);
        record.rendering = Rendering::Done { at, body_hash: drawn, settled: true };
        assert_eq!(record.shown(), None, "a page that is gone");
        (record.body_hash, record.snapshot_at) = (Some(sent), Some(at));
        assert_eq!(record.shown(), Some((drawn, at)));
        record.rendering = Rendering::Wanted;
        assert_eq!(record.shown(), Some((sent, at)));
    }
}
