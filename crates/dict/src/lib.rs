//! Dictionaries: load, normalise, compile, match.
//!
//! A dictionary is a file of patterns with their corrections, severities and exceptions. All of
//! them are compiled into one search; matching runs on folded text (width, case, traditional
//! forms, invisible and decorative characters) and answers with spans of the original. Pure:
//! reading files is the only I/O, and only [`load_file`] and [`load_draft`] do it.

mod conflicts;
mod fold;
mod history;
mod load;
mod matcher;
mod pairs;
mod segment;
mod sheet;
mod shipped;
mod trie;
mod vocabulary;

pub use conflicts::{Conflict, conflicts};
pub use load::{
    ENTRIES_MAX, FILE_BYTES_MAX, Fault, LoadError, decode_text, load_bytes, load_draft, load_file,
};
pub use matcher::{CompileError, Hit, Matcher, Place, Scratch};
pub use pairs::{Pairing, Pairs, Sought};
pub use sheet::{RowFault, read_sheet};
pub use shipped::shipped;
pub use vocabulary::{ChangedWords, Vocabulary};

use std::path::PathBuf;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What the patterns of a dictionary are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Wrong characters in words.
    Typo,
    /// Bodies that were merged or renamed.
    OutdatedName,
    /// An office's own list.
    SensitiveWord,
    /// Texts of injected pages.
    SpamInjection,
    /// Texts that a template left behind.
    PlaceholderText,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Typo, Self::OutdatedName, Self::SensitiveWord, Self::SpamInjection, Self::PlaceholderText];

    /// Whether the words are matched even when someone put separators between their characters.
    /// Only texts that try to hide are; an honest typo is written plainly.
    pub fn is_evasive(self) -> bool {
        matches!(self, Self::SensitiveWord | Self::SpamInjection)
    }

    /// The name in files and JSON, the same as the finding's kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Typo => "typo",
            Self::OutdatedName => "outdated-name",
            Self::SensitiveWord => "sensitive-word",
            Self::SpamInjection => "spam-injection",
            Self::PlaceholderText => "placeholder-text",
        }
    }
}

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Text to find.
    pub pattern: String,
    /// What it should be.
    pub correction: Option<String>,
    /// What it is.
    pub category: Category,
    /// `info`, `minor`, `major` or `serious`; `None`: the category's own.
    pub severity: Option<String>,
    /// Why.
    pub note: Option<String>,
    /// Longer phrases that contain the pattern and are right.
    pub allow: Vec<String>,
    /// Texts right before the pattern that make it right.
    pub not_after: Vec<String>,
    /// Texts right after the pattern that make it right.
    pub not_before: Vec<String>,
    /// Words of which one must stand near the pattern; empty: none need to.
    pub context: Vec<String>,
    /// Words near the pattern that make it right.
    pub not_near: Vec<String>,
    /// Right on pages that are older than this day, and where the text tells of an earlier one.
    pub since: Option<Date>,
    /// Not wrong inside a quoted title 《…》.
    pub skip_titles: bool,
}

impl Entry {
    /// A pattern without exceptions.
    pub fn new(pattern: &str, category: Category) -> Self {
        Self {
            pattern: pattern.to_owned(),
            correction: None,
            category,
            severity: None,
            note: None,
            allow: Vec::new(),
            not_after: Vec::new(),
            not_before: Vec::new(),
            context: Vec::new(),
            not_near: Vec::new(),
            since: None,
            skip_titles: false,
        }
    }
}

/// Where a dictionary is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Sites; empty: all.
    pub sites: Vec<String>,
    /// Columns, by the name the page says; empty: all pages.
    pub columns: Vec<String>,
    /// Pages dated on this day or later, and pages without a date.
    pub from: Option<Date>,
    /// Pages dated on this day or earlier, and pages without a date.
    pub until: Option<Date>,
}

impl Scope {
    fn is_for(&self, site: &str) -> bool {
        self.sites.is_empty() || self.sites.iter().any(|one| one == site)
    }

    fn holds(&self, place: &Place<'_>) -> bool {
        self.is_for(place.site)
            && (self.columns.is_empty()
                || place.column.is_some_and(|column| self.columns.iter().any(|own| own == column)))
            && place.date.is_none_or(|date| {
                self.from.is_none_or(|from| from <= date) && self.until.is_none_or(|until| date <= until)
            })
    }
}

/// A file of patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dictionary {
    /// Name shown in findings.
    pub name: String,
    /// Version.
    pub version: String,
    /// Where it is for.
    pub scope: Scope,
    /// Whether traditional characters in texts are read as the simplified ones of patterns.
    pub traditional: bool,
    /// Phrases in which no pattern of the dictionary is wrong.
    pub allow: Vec<String>,
    /// Patterns.
    pub entries: Vec<Entry>,
    /// The file it was read from; `None` when it comes with the program.
    pub source: Option<PathBuf>,
}
