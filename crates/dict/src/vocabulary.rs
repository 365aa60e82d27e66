//! What dictionaries look for, short enough to be kept: two states of it tell which words changed. A text that
//! has none of these words is told the same of by both.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::pairs::Sought;

/// Hash of everything that the dictionaries say of a word.
type Said = [u8; 8];

/// Every pattern and every allowed phrase, folded, with what is said of it, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vocabulary(Vec<(String, Said)>);

impl Vocabulary {
    /// Number of different patterns and phrases.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Words that one of two states lacks, or says something else of.
    pub fn changed(&self, other: &Self) -> ChangedWords {
        let (mut one, mut other) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut changed = BTreeSet::new();
        loop {
            let (here, there) = match (one.peek(), other.peek()) {
                (None, None) => return ChangedWords(changed),
                (here, there) => (here.map(|said| &said.0), there.map(|said| &said.0)),
            };
            // What stands in one list alone is less than what the other goes on with.
            let (left, right) = match (here, there) {
                (Some(here), Some(there)) if here < there => (one.next(), None),
                (Some(here), Some(there)) if here > there => (None, other.next()),
                _ => (one.next(), other.next()),
            };
            if left != right {
                changed.extend(left.or(right).map(|(word, _)| word.clone()));
            }
        }
    }
}

/// Words, folded, of which something else is said than was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedWords(BTreeSet<String>);

impl ChangedWords {
    /// How many they are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These, and those that changed before or after.
    pub fn and(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().cloned());
        self
    }

    /// The words, to be looked for.
    pub fn sought(&self) -> Sought {
        Sought::of_folded(self.0.iter().map(|word| word.chars().collect()))
    }
}

/// Gathers what is said of words. The order in which it is said counts for the same word alone: elsewhere no
/// two entries meet at one place.
#[derive(Debug, Default)]
pub(crate) struct Spelling(BTreeMap<String, Said>);

impl Spelling {
    /// Something is said of a folded word.
    pub(crate) fn says(&mut self, word: Vec<char>, what: &[u8]) {
        if word.is_empty() {
            return;
        }
        let said = self.0.entry(word.into_iter().collect()).or_default();
        let mut hasher = blake3::Hasher::new();
        hasher.update(said).update(what);
        said.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    }

    pub(crate) fn end(self) -> Vocabulary {
        Vocabulary(self.0.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Category, Dictionary, Entry, Matcher, Scope, Vocabulary};

    fn dictionary(name: &str, words: &[&str]) -> Dictionary {
        let entries = words.iter().map(|word| Entry::new(word, Category::SensitiveWord)).collect();
        Dictionary { name: name.to_owned(), entries, ..Dictionary::default() }
    }

    fn vocabulary(dictionaries: &[Dictionary]) -> Vocabulary {
        Matcher::new(dictionaries).expect("compiles").vocabulary("water")
    }

    /// The words that a change of one dictionary concerns.
    fn changed(change: impl Fn(&mut Dictionary)) -> Vec<String> {
        let one = dictionary("own", &["乙丙", "丁戊", "乙丙丁"]);
        let mut other = one.clone();
        change(&mut other);
        let (one, other) = (vocabulary(&[one]), vocabulary(&[other]));
        let words = one.changed(&other);
        assert_eq!(words, other.changed(&one), "both ways");
        words.0.into_iter().collect()
    }

    #[test]
    fn only_what_is_said_otherwise_changed() {
        assert_eq!(changed(|_| ()), [""; 0]);
        assert_eq!(changed(|own| own.entries.reverse()), [""; 0]);
        assert_eq!(changed(|own| own.version = "2".to_owned()), [""; 0]);
        assert_eq!(changed(|own| own.entries.push(Entry::new("Ｖ·Ｐ·Ｎ", Category::Typo))), ["vpn"]);
        assert_eq!(changed(|own| drop(own.entries.remove(1))), ["丁戊"]);
        assert_eq!(changed(|own| own.entries[0].note = Some("x".to_owned())), ["乙丙"]);
        assert_eq!(changed(|own| own.entries[0].allow = vec!["甲乙丙".to_owned()]), ["乙丙"]);
        assert_eq!(changed(|own| own.allow = vec!["甲乙丙丁".to_owned()]), ["甲乙丙丁"]);
        assert_eq!(changed(|own| own.name = "other".to_owned()).len(), 3);
        assert_eq!(changed(|own| own.traditional = true).len(), 3);
        let elsewhere = Scope { sites: vec!["roads".to_owned()], ..Scope::default() };
        assert_eq!(changed(|own| own.scope = elsewhere.clone()).len(), 3);
    }

    #[test]
    fn of_one_word_the_order_of_the_dictionaries_counts() {
        let (one, other) = (dictionary("a", &["乙丙", "丁戊"]), dictionary("b", &["乙丙", "己庚"]));
        let before = vocabulary(&[one.clone(), other.clone()]);
        let words = before.changed(&vocabulary(&[other, one]));
        assert_eq!(words.0.into_iter().collect::<Vec<_>>(), ["乙丙"]);
    }
}
