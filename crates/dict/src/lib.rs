//! Dictionaries: load, normalise, compile, match.
//!
//! A dictionary is a file of patterns with their corrections, severities and exceptions. All of
//! them are compiled into one automaton; matching runs on folded text (width, case, zero-width
//! and decorative characters) and answers with spans of the original. Pure: reading files is the
//! only I/O, and only [`load_file`] does it.

mod fold;
mod load;
mod matcher;
mod shipped;

pub use fold::Folded;
pub use load::{Fault, LoadError, decode_text, load_bytes, load_file};
pub use matcher::{CompileError, Hit, Matcher};
pub use shipped::shipped;

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Text to find.
    pub pattern: String,
    /// What it should be.
    pub correction: Option<String>,
    /// What it is.
    pub category: Category,
    /// `info`, `minor`, `major` or `serious`; `None`: the category's own.
    pub severity: Option<String>,
    /// Why, or since when.
    pub note: Option<String>,
    /// Longer phrases that contain the pattern and are right.
    pub allow: Vec<String>,
    /// Texts right before the pattern that make it right.
    pub not_after: Vec<String>,
    /// Not wrong inside a quoted title 《…》.
    pub skip_titles: bool,
}

/// A file of patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dictionary {
    /// Name shown in findings.
    pub name: String,
    /// Version.
    pub version: String,
    /// Sites it is for; empty: all.
    pub sites: Vec<String>,
    /// Patterns.
    pub entries: Vec<Entry>,
}
