//! Rules that contradict each other, within a dictionary or between several.

use std::collections::HashMap;
use std::fmt;

use crate::{Dictionary, Entry};

/// Two rules that cannot both be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// One pattern, two corrections. The later dictionary's holds.
    Corrections {
        /// The pattern.
        pattern: String,
        /// Dictionary and correction of each.
        rules: [(String, String); 2],
    },
    /// What a pattern is to become is itself marked as wrong.
    CorrectionIsWrong {
        /// Dictionary and pattern of the first rule.
        rule: (String, String),
        /// Its correction.
        correction: String,
        /// Dictionary and pattern that mark it.
        by: (String, String),
    },
    /// A pattern that a phrase of its dictionary allows wherever it stands.
    AlwaysAllowed {
        /// Dictionary.
        dictionary: String,
        /// Pattern and phrase.
        pattern: String,
    },
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrections { pattern, rules: [(first, one), (second, other)] } => {
                write!(f, "{pattern}: {first} corrects it to {one}, {second} to {other}; the latter holds")
            }
            Self::CorrectionIsWrong { rule: (dictionary, pattern), correction, by: (other, mark) } => {
                write!(f, "{dictionary}: {pattern} → {correction}, but {other} marks {mark} in it as wrong")
            }
            Self::AlwaysAllowed { dictionary, pattern } => {
                write!(f, "{dictionary}: {pattern} is allowed by the dictionary itself and never found")
            }
        }
    }
}

/// Finds contradictions.
pub fn conflicts(dictionaries: &[Dictionary]) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    let mut first: HashMap<&str, (&Dictionary, &Entry)> = HashMap::new();
    for dictionary in dictionaries {
        for entry in &dictionary.entries {
            if dictionary.allow.contains(&entry.pattern) {
                conflicts.push(Conflict::AlwaysAllowed {
                    dictionary: dictionary.name.clone(),
                    pattern: entry.pattern.clone(),
                });
            }
            let Some((other, earlier)) = first.insert(&entry.pattern, (dictionary, entry)) else { continue };
            if let (Some(one), Some(two)) = (&earlier.correction, &entry.correction)
                && one != two
            {
                conflicts.push(Conflict::Corrections {
                    pattern: entry.pattern.clone(),
                    rules: [(other.name.clone(), one.clone()), (dictionary.name.clone(), two.clone())],
                });
            }
        }
    }
    let Ok(matcher) = crate::Matcher::new(dictionaries) else { return conflicts };
    let mut scratch = crate::Scratch::default();
    for dictionary in dictionaries {
        for entry in &dictionary.entries {
            let Some(correction) = &entry.correction else { continue };
            let hits = matcher.find(correction, &crate::Place::default(), &mut scratch);
            if let Some(hit) = hits.iter().find(|hit| hit.entry.correction.is_some()) {
                conflicts.push(Conflict::CorrectionIsWrong {
                    rule: (dictionary.name.clone(), entry.pattern.clone()),
                    correction: correction.clone(),
                    by: (hit.dictionary.to_owned(), hit.entry.pattern.clone()),
                });
            }
        }
    }
    conflicts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Category;

    fn dictionary(name: &str, rows: &[(&str, &str)]) -> Dictionary {
        let entries = rows.iter().map(|(pattern, correction)| Entry {
            correction: Some((*correction).to_owned()),
            ..Entry::new(pattern, Category::Typo)
        });
        Dictionary { name: name.to_owned(), entries: entries.collect(), ..Dictionary::default() }
    }

    #[test]
    fn contradictions_are_found() {
        let one = dictionary("one", &[("关健", "关键"), ("甲乙", "甲丙")]);
        let mut two = dictionary("two", &[("关健", "关建"), ("甲丙", "甲乙"), ("丁戊", "丁己")]);
        two.allow = vec!["丁戊".to_owned()];
        let found: Vec<String> = conflicts(&[one.clone(), two]).iter().map(Conflict::to_string).collect();
        assert_eq!(
            found,
            [
                "关健: one corrects it to 关键, two to 关建; the latter holds",
                "two: 丁戊 is allowed by the dictionary itself and never found",
                "one: 甲乙 → 甲丙, but two marks 甲丙 in it as wrong",
                "two: 甲丙 → 甲乙, but one marks 甲乙 in it as wrong",
            ]
        );
        assert_eq!(conflicts(&[one]), []);
        assert_eq!(conflicts(&crate::shipped()), []);
    }
}
