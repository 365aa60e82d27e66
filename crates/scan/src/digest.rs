//! What the scan made of one page, kept so that the next night need not read the page again.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use xunjian_model::{BodyHash, DateFact, Fragment, Kind, PageKind, Severity};

use crate::messages::Message;

/// A fault on a page, before the site's checks have seen it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PageFinding {
    pub(crate) kind: Kind,
    pub(crate) severity: Severity,
    /// Phrase, link target, label.
    pub(crate) what: String,
    pub(crate) excerpt: String,
    pub(crate) offset: Option<u64>,
    pub(crate) detail: Vec<(String, String)>,
    /// Hash of the block of text, 0 where there is none.
    pub(crate) block: u64,
    /// The block stands outside the main text: the template's.
    pub(crate) template: bool,
    /// The hit lies in a link's text: hash of where the link leads.
    pub(crate) link: Option<u64>,
}

impl PageFinding {
    /// A fault with its kind's own severity that stands in no block of text.
    pub(crate) fn new(kind: Kind, what: impl Into<String>, excerpt: impl Into<String>) -> Self {
        Self {
            kind,
            severity: kind.severity(),
            what: what.into(),
            excerpt: excerpt.into(),
            offset: None,
            detail: Vec::new(),
            block: 0,
            template: false,
            link: None,
        }
    }

    /// The same, which is one fault where many pages have it: their template's. `fault` tells it from others.
    pub(crate) fn of_template(mut self, fault: &str) -> Self {
        self.block = url_hash(fault);
        self
    }

    /// What a detail says.
    pub(crate) fn detail(&self, name: &str) -> Option<&str> {
        self.detail.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// The same with one more detail.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.detail.push((name.to_owned(), value.into()));
        self
    }
}

/// A link to a listed page with the row's date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) target: u64,
    pub(crate) date: Option<Date>,
}

/// Everything the site's checks need of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Digest {
    pub(crate) body: BodyHash,
    pub(crate) fingerprint: [u8; 32],
    pub(crate) title: String,
    pub(crate) kind: PageKind,
    pub(crate) dates: Vec<DateFact>,
    pub(crate) column: Option<String>,
    pub(crate) findings: Vec<PageFinding>,
    /// Hashes of every address the page refers to.
    pub(crate) links: Vec<u64>,
    /// Main-text rows of a list.
    pub(crate) rows: Vec<Row>,
    /// Labels every page, or every article, needs and this one lacks: bits of `labels::ALL`.
    pub(crate) missing_labels: u16,
    /// An article that has labels of its own.
    pub(crate) labelled_article: bool,
    /// Nothing under the title but what may be the template's.
    pub(crate) no_text: bool,
    /// Links to places in pages.
    pub(crate) fragments: Vec<Fragment>,
    /// Foreign hosts whose scripts the page runs.
    pub(crate) script_hosts: Vec<String>,
    /// Number of a policy document.
    pub(crate) number: Option<String>,
    /// Addresses a document names as its interpretation.
    pub(crate) named_interpretations: Vec<String>,
    /// Hashes of what the main text of an interpretation leads to.
    pub(crate) main_links: Vec<u64>,
    /// It is a service guide.
    pub(crate) guide: bool,
    /// What it offers that a rule asks for, as bits.
    pub(crate) offers: u8,
    /// The message it shows.
    pub(crate) message: Option<Message>,
    /// Which of its links were in which bad states when they were last looked at; 0: none.
    pub(crate) links_state: u64,
    /// What was found of those links.
    pub(crate) link_findings: Vec<PageFinding>,
    /// It has so many findings that its texts were not looked at to the end.
    pub(crate) cut: bool,
    /// Hashes of what its frames show.
    pub(crate) frames: Vec<u64>,
    /// No page of its own.
    pub(crate) piece: bool,
    /// What looks at pages gave up on it, by a fault of its own.
    pub(crate) unread: bool,
    /// Hashes of short lines of the main text.
    pub(crate) lines: Vec<u32>,
    /// Of a page without text: nothing is left at all, or hashes of what it leads to and shows, and of lines, and whether
    /// a script may add something.
    pub(crate) is_nothing: bool,
    pub(crate) left: Vec<u64>,
    pub(crate) left_lines: Vec<u32>,
    pub(crate) in_doubt: bool,
}

/// A short name for an address in digests.
pub(crate) fn url_hash(url: &str) -> u64 {
    short(&blake3::hash(url.as_bytes()))
}

/// A hash's first bytes.
pub(crate) fn short(hash: &blake3::Hash) -> u64 {
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap_or_default())
}
