//! One automaton for all dictionaries.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::{Category, Dictionary, Entry, Folded};

/// The automaton could not be built.
#[derive(Debug, thiserror::Error)]
#[error("cannot compile the dictionaries: {0}")]
pub struct CompileError(#[from] aho_corasick::BuildError);

/// All dictionaries, ready to search.
#[derive(Debug)]
pub struct Matcher {
    automaton: AhoCorasick,
    patterns: Vec<Pattern>,
    fingerprint: [u8; 32],
}

#[derive(Debug)]
struct Pattern {
    entry: Entry,
    dictionary: String,
    sites: Vec<String>,
    /// Allowed phrases, folded, with the pattern's offset in them.
    allow: Vec<(String, usize)>,
    not_after: Vec<String>,
    word_start: bool,
    word_end: bool,
}

/// One hit.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'m> {
    /// The pattern's entry.
    pub entry: &'m Entry,
    /// Name of its dictionary.
    pub dictionary: &'m str,
    /// First byte in the original text.
    pub start: usize,
    /// One past the last byte in the original text.
    pub end: usize,
}

impl Matcher {
    /// Compiles dictionaries.
    pub fn new(dictionaries: &[Dictionary]) -> Result<Self, CompileError> {
        let mut patterns = Vec::new();
        let mut folded_patterns = Vec::new();
        let mut hasher = blake3::Hasher::new();
        let mut hash = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        for dictionary in dictionaries {
            hash(&dictionary.name);
            hash(&dictionary.version);
            dictionary.sites.iter().for_each(|site| hash(site));
            for entry in &dictionary.entries {
                hash(&entry.pattern);
                hash(entry.correction.as_deref().unwrap_or_default());
                hash(entry.category.as_str());
                hash(entry.severity.as_deref().unwrap_or_default());
                hash(entry.note.as_deref().unwrap_or_default());
                entry.allow.iter().chain(&entry.not_after).for_each(|text| hash(text));
                hash(if entry.skip_titles { "1" } else { "0" });
                let folded = Folded::new(&entry.pattern).text().to_owned();
                if folded.is_empty() {
                    continue;
                }
                let allow = entry
                    .allow
                    .iter()
                    .flat_map(|phrase| {
                        let phrase = Folded::new(phrase).text().to_owned();
                        let at: Vec<usize> = phrase.match_indices(&folded).map(|(at, _)| at).collect();
                        at.into_iter().map(move |at| (phrase.clone(), at))
                    })
                    .collect();
                let not_after =
                    entry.not_after.iter().map(|text| Folded::new(text).text().to_owned()).collect();
                patterns.push(Pattern {
                    entry: entry.clone(),
                    dictionary: dictionary.name.clone(),
                    sites: dictionary.sites.clone(),
                    allow,
                    not_after,
                    word_start: folded.starts_with(|c: char| c.is_ascii_alphanumeric()),
                    word_end: folded.ends_with(|c: char| c.is_ascii_alphanumeric()),
                });
                folded_patterns.push(folded);
            }
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            // The DFA is the fastest; past some thousands of patterns it grows too large.
            .kind(match folded_patterns.len() {
                0..=5_000 => Some(AhoCorasickKind::DFA),
                _ => Some(AhoCorasickKind::ContiguousNFA),
            })
            .build(&folded_patterns)?;
        Ok(Self { automaton, patterns, fingerprint: *hasher.finalize().as_bytes() })
    }

    /// Changes whenever an entry, an exception or a scope does.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// Number of patterns.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Hits in a folded text of a site, in order of their ends. A hit inside a longer hit of the
    /// same category is left out.
    pub fn find<'m>(&'m self, folded: &Folded, site: &str) -> Vec<Hit<'m>> {
        let text = folded.text();
        let mut hits: Vec<(usize, usize, &Pattern)> = Vec::new();
        // What an exception excuses still says what the words inside it belong to.
        let mut excused: Vec<(usize, usize, Category)> = Vec::new();
        for found in self.automaton.find_overlapping_iter(text) {
            let pattern = &self.patterns[found.pattern().as_usize()];
            let (start, end) = (found.start(), found.end());
            if !pattern.applies(folded, start, end, site) {
                continue;
            }
            if pattern.is_excused(text, start) {
                excused.push((start, end, pattern.entry.category));
            } else {
                hits.push((start, end, pattern));
            }
        }
        let inside = |&(start, end, pattern): &(usize, usize, &Pattern)| {
            let longer = hits.iter().map(|&(from, to, other)| (from, to, other.entry.category));
            longer.chain(excused.iter().copied()).any(|(from, to, category)| {
                category == pattern.entry.category && from <= start && end <= to && to - from > end - start
            })
        };
        hits.iter()
            .filter(|hit| !inside(hit))
            .map(|&(start, end, pattern)| {
                let (start, end) = folded.original_span(start, end);
                Hit { entry: &pattern.entry, dictionary: &pattern.dictionary, start, end }
            })
            .collect()
    }
}

impl Pattern {
    /// Whether the pattern stands there as a word of its own, on a site it is for.
    fn applies(&self, folded: &Folded, start: usize, end: usize, site: &str) -> bool {
        let text = folded.text();
        let alphanumeric = |c: char| c.is_ascii_alphanumeric();
        !(self.word_start && text[..start].ends_with(alphanumeric)
            || self.word_end && text[end..].starts_with(alphanumeric)
            || !self.sites.is_empty() && !self.sites.iter().any(|own| own == site)
            || !self.entry.category.is_evasive() && folded.has_gap(start, end))
    }

    /// Whether an exception makes it right where it stands.
    fn is_excused(&self, text: &str, start: usize) -> bool {
        let before = &text[..start];
        let allowed = self.allow.iter().any(|(phrase, at)| {
            start
                .checked_sub(*at)
                .is_some_and(|from| text.is_char_boundary(from) && text[from..].starts_with(phrase.as_str()))
        });
        let excused = self.not_after.iter().any(|lead| before.ends_with(lead.as_str()));
        allowed || excused || self.entry.skip_titles && in_title(before)
    }
}

/// Whether the text breaks off inside 《…》.
fn in_title(before: &str) -> bool {
    const LOOK_BACK: usize = 80;
    before.chars().rev().take(LOOK_BACK).find(|c| matches!(c, '《' | '》')) == Some('《')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dictionary(category: Category, rows: &[(&str, &[&str], &[&str])]) -> Dictionary {
        let entries = rows.iter().map(|(pattern, allow, not_after)| Entry {
            pattern: (*pattern).to_owned(),
            correction: None,
            category,
            severity: None,
            note: None,
            allow: allow.iter().map(|text| (*text).to_owned()).collect(),
            not_after: not_after.iter().map(|text| (*text).to_owned()).collect(),
            skip_titles: category == Category::OutdatedName,
        });
        Dictionary { name: "t".to_owned(), entries: entries.collect(), ..Dictionary::default() }
    }

    fn found(matcher: &Matcher, text: &str) -> Vec<String> {
        let folded = Folded::new(text);
        matcher.find(&folded, "a").iter().map(|hit| text[hit.start..hit.end].to_owned()).collect()
    }

    #[test]
    fn exceptions_and_evasions() {
        let matcher = Matcher::new(&[
            dictionary(Category::Typo, &[("登陆系统", &[], &[]), ("按装", &["按装置"], &[])]),
            dictionary(
                Category::OutdatedName,
                &[("农业部", &["农业部门"], &["原"]), ("国家旅游局", &[], &[])],
            ),
            dictionary(Category::SpamInjection, &[("百家乐", &[], &[]), ("vpn", &[], &[])]),
        ])
        .expect("compiles");
        let table: &[(&str, &[&str])] = &[
            ("请登陆系统", &["登陆系统"]),
            ("请登*陆系统", &[]),
            ("不按装置说明按装", &["按装"]),
            ("农业部门与农业部", &["农业部"]),
            ("原农业部", &[]),
            ("《国家旅游局公告》由国家旅游局发布", &["国家旅游局"]),
            ("百*家*乐和百\u{200B}家乐", &["百*家*乐", "百\u{200B}家乐"]),
            ("ＶＰＮ ok, xvpn no", &["ＶＰＮ"]),
        ];
        for (text, hits) in table {
            assert_eq!(found(&matcher, text), *hits, "{text}");
        }
    }

    #[test]
    fn a_longer_hit_hides_only_what_lies_inside_it() {
        let matcher = Matcher::new(&[dictionary(
            Category::OutdatedName,
            &[("计划生育局", &[], &[]), ("人口和计划生育局", &[], &[])],
        )])
        .expect("compiles");
        assert_eq!(found(&matcher, "人口和计划生育局"), ["人口和计划生育局"]);
        assert_eq!(found(&matcher, "人口和计划生育局，计划生育局").len(), 2);
        let matcher = Matcher::new(&[dictionary(
            Category::OutdatedName,
            &[("粮食局", &[], &["时任"]), ("国家粮食局", &[], &["时任"])],
        )])
        .expect("compiles");
        assert_eq!(found(&matcher, "时任国家粮食局负责人，市粮食局"), ["粮食局"]);
    }
}
