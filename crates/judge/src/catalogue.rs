//! The catalogue of indicators as data.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

const SHIPPED: &str = include_str!("../data/catalogue.toml");
/// Rules this program counts; a catalogue without one of them cannot be judged by.
const NEEDED: [&str; 6] = ["V1", "V2", "V3", "V4a", "V4b", "V4c"];

/// The catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Version shown in reports.
    pub version: String,
    /// The text it is taken from.
    pub source: String,
    /// How old columns may be.
    pub freshness: FreshnessRule,
    /// Rules.
    pub rule: Vec<Rule>,
}

/// How old the newest item of a column may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreshnessRule {
    /// Home page and news columns, days.
    pub news_days: i32,
    /// Notice and policy columns, months.
    pub notice_months: i32,
    /// Personnel and planning columns, months.
    pub personnel_months: i32,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Id, for example `V4c`.
    pub id: String,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// What is counted.
    pub unit: String,
    /// `machine` or `person`.
    pub who: String,
    /// Count from which a warning is given.
    pub warn: f64,
    /// Count from which it is a veto.
    pub veto: f64,
    /// Read in the official text.
    pub verified: bool,
}

/// Why a catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// File.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is not a catalogue.
    #[error("{}: {reason}", path.display())]
    Content {
        /// File.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Catalogue {
    /// The catalogue that comes with the program.
    ///
    /// # Panics
    /// Never in a build whose tests passed: the file is part of the program.
    pub fn shipped() -> Self {
        match Self::parse(Path::new("catalogue.toml"), SHIPPED) {
            Ok(catalogue) => catalogue,
            Err(error) => panic!("shipped catalogue: {error}"),
        }
    }

    /// Reads an office's own catalogue.
    pub fn load(path: &Path) -> Result<Self, CatalogueError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| CatalogueError::Read { path: path.to_owned(), source })?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, CatalogueError> {
        let fail = |reason: String| CatalogueError::Content { path: path.to_owned(), reason };
        let catalogue: Self = toml::from_str(text).map_err(|error| fail(error.to_string()))?;
        for id in NEEDED {
            let Some(rule) = catalogue.find(id) else { return Err(fail(format!("rule {id} is missing"))) };
            // A number that is none at all is in no order, either.
            let in_order = rule.warn <= rule.veto;
            if !in_order {
                return Err(fail(format!("rule {id}: warn {} lies beyond veto {}", rule.warn, rule.veto)));
            }
        }
        Ok(catalogue)
    }

    fn find(&self, id: &str) -> Option<&Rule> {
        self.rule.iter().find(|rule| rule.id == id)
    }

    /// A rule by id; every id the program counts is there.
    pub(crate) fn rule(&self, id: &str) -> &Rule {
        match self.find(id) {
            Some(rule) => rule,
            None => unreachable!("checked when the catalogue was read: {id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_catalogue_is_whole_and_a_bad_one_is_refused() {
        let catalogue = Catalogue::shipped();
        assert_eq!(catalogue.rule("V4c").veto, 5.0);
        let bad = SHIPPED.replace("warn = 2\nveto = 5", "warn = 9\nveto = 5");
        let error = Catalogue::parse(Path::new("c.toml"), &bad).expect_err("refused");
        assert!(error.to_string().contains("V4c: warn 9 lies beyond veto 5"), "{error}");
    }
}
