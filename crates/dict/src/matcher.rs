//! All dictionaries compiled into one search.

use jiff::civil::Date;

use crate::fold::{Folded, Folder, fold_pattern, is_folded, is_latin, is_verbatim};
use crate::history::is_history;
use crate::trie::{Alphabet, Trie, VALUE_BITS};
use crate::vocabulary::{Spelling, Vocabulary};
use crate::{Category, Dictionary, Entry, Scope, segment};

/// Characters before and after a word in which the words of `context` and `not_near` are looked for.
const CONTEXT_CHARS: usize = 40;
/// Characters before a name in which a lead and the name of a place are looked for.
const PLACE_CHARS: usize = 14;
/// Characters before a word in which an opening 《 is looked for.
const TITLE_CHARS: usize = 80;

/// Lower bits of a value of the trie: a number. Above stands the sign of the word's brief; so most hits are told
/// without a look at a further table, which with 100,000 words took a sixth of the search.
const NUMBER_BITS: u32 = 24;
/// Patterns and allowed phrases of all dictionaries together.
const NUMBERS_MAX: usize = 1 << NUMBER_BITS;
/// Briefs that have their own sign. Beyond them, and where a sequence means several things, the number is one of `several`.
const BRIEFS_MAX: usize = (1 << (VALUE_BITS - NUMBER_BITS)) - 1;

/// The dictionaries could not be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// More different characters than any script has.
    #[error("cannot compile the dictionaries: their patterns have too many different characters")]
    Characters,
    /// More patterns and phrases than values of the trie can tell apart.
    #[error(
        "cannot compile the dictionaries: {0} patterns and allowed phrases, at most {NUMBERS_MAX} are possible"
    )]
    Patterns(usize),
}

/// All dictionaries, ready to search.
#[derive(Debug)]
pub struct Matcher {
    folder: Folder,
    trie: Trie,
    /// What the upper bits of the trie's values mean.
    briefs: Vec<Brief>,
    /// Ranges of `meanings`.
    several: Vec<(u32, u32)>,
    meanings: Vec<Meaning>,
    words: Vec<Word>,
    dictionaries: Vec<Source>,
    /// Longest allowed phrase, in codes.
    allowed_max: usize,
}

/// What it means that a sequence stands in a text.
#[derive(Clone, Copy, Debug)]
enum Meaning {
    /// A word is there.
    Word(u32),
    /// A phrase that makes one word inside it right.
    AllowsWord(u32),
    /// A phrase that makes all words of a dictionary inside it right.
    AllowsAll(u32),
}

#[derive(Debug)]
struct Source {
    name: String,
    scope: Scope,
    traditional: bool,
    /// Phrases in which no pattern of it is wrong.
    allow: Vec<String>,
    fingerprint: [u8; 32],
}

/// What of a word is looked at wherever it is found; with many hits the words themselves, scattered over the
/// memory, would cost most of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Brief {
    category: Category,
    dictionary: u32,
    /// It holds wherever its characters stand as they are written in the pattern: without date, scope,
    /// borders, context or exceptions.
    unconditional: bool,
    /// Nothing may have been dropped between its characters.
    together: bool,
    /// Traditional forms are taken for simplified ones.
    traditional: bool,
}

#[derive(Debug)]
struct Word {
    entry: Entry,
    brief: Brief,
    /// Codes of the leads of `not_after`.
    not_after: Vec<Vec<u16>>,
    /// Codes of the texts of `not_before`.
    not_before: Vec<Vec<u16>>,
    /// Codes of the context words.
    context: Vec<Vec<u16>>,
    /// Codes of the words of `not_near`.
    not_near: Vec<Vec<u16>>,
    word_start: bool,
    word_end: bool,
    /// The pattern itself holds separators that folding drops.
    gapped: bool,
}

/// Where a text stands: what scopes and dates of dictionaries are compared with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place<'p> {
    /// Site.
    pub site: &'p str,
    /// Column, if the page says one.
    pub column: Option<&'p str>,
    /// Date of the page, if it is known.
    pub date: Option<Date>,
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

/// Memory of a search, to be used again for the next text.
#[derive(Debug, Default)]
pub struct Scratch {
    folded: Folded,
    /// Where a pattern may begin.
    starts: Vec<u32>,
    /// Starts and ends, in codes, and values of the trie; of one start the longest first.
    found: Vec<(u32, u32, u32)>,
    candidates: Vec<Candidate>,
}

/// A word found, before longer words are looked at.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    from: u32,
    to: u32,
    /// Its bytes in the original text.
    span: (u32, u32),
    word: u32,
    brief: Brief,
    excused: bool,
    /// Its entry has leads.
    has_leads: bool,
    /// One of them stands in front of it.
    led: bool,
}

/// Candidates before one that may be the thing enumerated before it: names stand in longer ones.
const ENUMERATED_BACK: usize = 4;
/// What stands between things that are enumerated.
const AND: [&str; 6] = ["、", "和", "与", "及", "以及", "/"];

impl Matcher {
    /// Compiles dictionaries. Where two have the same pattern, the later one's entry holds.
    pub fn new(dictionaries: &[Dictionary]) -> Result<Self, CompileError> {
        let mut folded: Vec<(Vec<char>, Meaning)> = Vec::new();
        let mut words = Vec::new();
        let mut contexts: Vec<Contexts> = Vec::new();
        for (number, dictionary) in dictionaries.iter().enumerate() {
            for phrase in &dictionary.allow {
                folded.push((fold_pattern(phrase).0, Meaning::AllowsAll(number as u32)));
            }
            for entry in &dictionary.entries {
                let (pattern, gapped) = fold_pattern(&entry.pattern);
                if pattern.is_empty() {
                    continue;
                }
                let at = words.len() as u32;
                for phrase in &entry.allow {
                    folded.push((fold_pattern(phrase).0, Meaning::AllowsWord(at)));
                }
                let phrases = |list: &[String]| list.iter().map(|text| fold_pattern(text).0).collect();
                contexts.push(Contexts {
                    not_after: phrases(&entry.not_after),
                    not_before: phrases(&entry.not_before),
                    context: phrases(&entry.context),
                    not_near: phrases(&entry.not_near),
                });
                let word_start = pattern.first().is_some_and(|&c| is_latin(c));
                let word_end = pattern.last().is_some_and(|&c| is_latin(c));
                let bordered = word_start || word_end;
                words.push(Word {
                    brief: Brief::of(entry, (number, dictionary), bordered, gapped),
                    entry: entry.clone(),
                    not_after: Vec::new(),
                    not_before: Vec::new(),
                    context: Vec::new(),
                    not_near: Vec::new(),
                    word_start,
                    word_end,
                    gapped,
                });
                folded.push((pattern, Meaning::Word(at)));
            }
        }
        if folded.len() > NUMBERS_MAX {
            return Err(CompileError::Patterns(folded.len()));
        }
        let all = contexts.iter().flat_map(|one| {
            [&one.not_after, &one.not_before, &one.context, &one.not_near].into_iter().flatten()
        });
        let texts = folded.iter().map(|(chars, _)| chars).chain(all).map(Vec::as_slice);
        let alphabet = Alphabet::of(texts).ok_or(CompileError::Characters)?;
        let coded = |chars: &Vec<char>| chars.iter().map(|&c| alphabet.code(c)).collect::<Vec<u16>>();
        for (word, one) in words.iter_mut().zip(&contexts) {
            word.not_after = one.not_after.iter().map(coded).collect();
            word.not_before = one.not_before.iter().map(coded).collect();
            word.context = one.context.iter().map(coded).collect();
            word.not_near = one.not_near.iter().map(coded).collect();
        }
        let chars = folded.iter().filter(|(chars, _)| !chars.is_empty());
        let mut sequences: Vec<(Vec<u16>, Meaning)> =
            chars.map(|(chars, meaning)| (coded(chars), *meaning)).collect();
        // A stable sort: among equal ones the order of the dictionaries stays.
        sequences.sort_by(|(one, _), (other, _)| one.cmp(other));
        let phrases = sequences.iter().filter(|(_, meaning)| !matches!(meaning, Meaning::Word(_)));
        let allowed_max = phrases.map(|(phrase, _)| phrase.len()).max().unwrap_or(0);
        let (mut briefs, mut several, mut meanings) = (Vec::new(), Vec::new(), Vec::new());
        let mut values = Vec::new();
        for same in sequences.chunk_by(|(one, _), (other, _)| one == other) {
            let only = match same {
                [(_, Meaning::Word(word))] => sign(&mut briefs, words[*word as usize].brief).zip(Some(*word)),
                _ => None,
            };
            let (sign, number) = only.unwrap_or_else(|| {
                let from = meanings.len() as u32;
                meanings.extend(same.iter().map(|(_, meaning)| *meaning));
                several.push((from, meanings.len() as u32));
                (BRIEFS_MAX, several.len() as u32 - 1)
            });
            values.push((sign as u32) << NUMBER_BITS | number);
        }
        let mut sequences: Vec<Vec<u16>> = sequences.into_iter().map(|(codes, _)| codes).collect();
        sequences.dedup();
        Ok(Self {
            trie: Trie::build(&sequences, &values),
            folder: Folder::new(alphabet),
            briefs,
            several,
            meanings,
            words,
            dictionaries: dictionaries
                .iter()
                .map(|one| Source {
                    name: one.name.clone(),
                    scope: one.scope.clone(),
                    traditional: one.traditional,
                    allow: one.allow.clone(),
                    fingerprint: fingerprint(one),
                })
                .collect(),
            allowed_max,
        })
    }

    /// A matcher of words without folding and exceptions, for comparison with other engines.
    pub fn verbatim(words: &[String]) -> Result<Self, CompileError> {
        let entries = words.iter().map(|word| Entry::new(word, Category::SensitiveWord)).collect();
        let mut matcher = Self::new(&[Dictionary { entries, ..Dictionary::default() }])?;
        let chars: Vec<Vec<char>> = words.iter().map(|word| word.chars().collect()).collect();
        let alphabet = Alphabet::of(chars.iter().map(Vec::as_slice)).ok_or(CompileError::Characters)?;
        let mut sequences: Vec<Vec<u16>> =
            chars.iter().map(|word| word.iter().map(|&c| alphabet.code(c)).collect()).collect();
        sequences.sort();
        sequences.dedup();
        let values: Vec<u32> = (0..).take(sequences.len()).collect();
        matcher.trie = Trie::build(&sequences, &values);
        matcher.folder = Folder::verbatim(alphabet);
        Ok(matcher)
    }

    /// Changes whenever an entry, an exception or a scope does of a dictionary that is for the site.
    pub fn fingerprint(&self, site: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for dictionary in self.dictionaries.iter().filter(|one| one.scope.is_for(site)) {
            hasher.update(&dictionary.fingerprint);
        }
        *hasher.finalize().as_bytes()
    }

    /// What the dictionaries that are for a site look for there.
    pub fn vocabulary(&self, site: &str) -> Vocabulary {
        let mut spelling = Spelling::default();
        let sources: Vec<Option<[u8; 32]>> = self
            .dictionaries
            .iter()
            .map(|one| {
                // Its version is not told with a hit.
                let Source { name, scope, traditional, allow: _, fingerprint: _ } = one;
                let own = hash_of(|text| {
                    text(name);
                    text(&format!("{scope:?} {traditional}"));
                });
                scope.is_for(site).then_some(own)
            })
            .collect();
        for (source, own) in self.dictionaries.iter().zip(&sources) {
            let Some(own) = own else { continue };
            source.allow.iter().for_each(|phrase| spelling.says(fold_pattern(phrase).0, own));
        }
        for word in &self.words {
            let Some(own) = sources[word.brief.dictionary as usize] else { continue };
            let entry = hash_of(|text| write_entry(&word.entry, text));
            spelling.says(fold_pattern(&word.entry.pattern).0, &[own, entry].concat());
        }
        spelling.end()
    }

    /// Number of patterns.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Hits in a text, in order of their starts. A hit inside a longer hit of the same category
    /// is left out.
    pub fn find<'m>(&'m self, text: &str, place: &Place<'_>, scratch: &mut Scratch) -> Vec<Hit<'m>> {
        let Scratch { folded, starts, found, candidates } = scratch;
        self.folder.fold(text, folded);
        found.clear();
        let codes = folded.codes();
        self.trie.starts(codes, starts);
        for at in starts.iter().map(|at| *at as usize) {
            let before = found.len();
            // A text of more codes than fit is cut before.
            let add = |length, value| found.push((at as u32, (at + length) as u32, value));
            self.trie.each_from(codes, at, add);
            if found.len() > before + 1 {
                found[before..].reverse();
            }
        }
        if found.is_empty() {
            return Vec::new();
        }
        candidates.clear();
        for &one in found.iter() {
            let (brief, number) = self.brief(one.2);
            match brief {
                Some(brief) => self.consider((text, place), folded, found, one, (number, brief), candidates),
                None => {
                    for meaning in self.meanings(number) {
                        let Meaning::Word(word) = *meaning else { continue };
                        let word = (word, self.words[word as usize].brief);
                        self.consider((text, place), folded, found, one, word, candidates);
                    }
                }
            }
        }
        keep_outermost(candidates, text);
        candidates
            .iter()
            .map(|one| Hit {
                entry: &self.words[one.word as usize].entry,
                dictionary: &self.dictionaries[one.brief.dictionary as usize].name,
                start: one.span.0 as usize,
                end: one.span.1 as usize,
            })
            .collect()
    }

    /// Length of the longest pattern at each place, one after the other, without exceptions: what
    /// the search alone does, for comparison with other engines.
    pub fn longest(&self, text: &str, scratch: &mut Scratch, mut each: impl FnMut(usize, usize)) {
        let Scratch { folded, starts, .. } = scratch;
        self.folder.fold(text, folded);
        let codes = folded.codes();
        self.trie.starts(codes, starts);
        let mut done = 0;
        for at in starts.iter().map(|at| *at as usize) {
            if at < done {
                continue;
            }
            if let Some((length, _)) = self.trie.longest_from(codes, at) {
                let (start, end) = folded.span(text, at, at + length);
                each(start, end);
                done = at + length;
            }
        }
    }

    /// What a value of the trie is: a word and its number; without a brief the number is that of several meanings.
    fn brief(&self, value: u32) -> (Option<Brief>, u32) {
        let brief = self.briefs.get((value >> NUMBER_BITS) as usize).copied();
        (brief, value & (NUMBERS_MAX as u32 - 1))
    }

    fn meanings(&self, number: u32) -> &[Meaning] {
        let (from, to) = self.several[number as usize];
        &self.meanings[from as usize..to as usize]
    }

    /// A word was found: it is a candidate if it stands there as its entry asks.
    fn consider(
        &self,
        (text, place): (&str, &Place<'_>),
        folded: &Folded,
        found: &[(u32, u32, u32)],
        (start, end, _): (u32, u32, u32),
        (number, brief): (u32, Brief),
        candidates: &mut Vec<Candidate>,
    ) {
        let (from, to) = (start as usize, end as usize);
        let span = folded.span(text, from, to);
        let plainly = brief.unconditional
            && (brief.traditional || is_folded(&text[span.0..span.1]))
            && !(brief.together && folded.has_gap(from, to));
        let word = (!plainly).then(|| &self.words[number as usize]);
        let source = &self.dictionaries[brief.dictionary as usize];
        if word.is_some_and(|word| !word.applies(source, place, text, folded, (from, to), span)) {
            return;
        }
        // An allowed phrase around the word begins at most its own length before it.
        let around = || {
            let first = found.partition_point(|&(phrase, _, _)| phrase as usize + self.allowed_max < to);
            let phrases = found[first..].iter().take_while(|&&(phrase, _, _)| phrase <= start);
            phrases.filter(|&&(_, last, _)| end <= last).any(|&(_, _, value)| {
                let (None, several) = self.brief(value) else { return false };
                self.meanings(several).iter().any(|meaning| match *meaning {
                    Meaning::AllowsWord(other) => other == number,
                    Meaning::AllowsAll(dictionary) => dictionary == brief.dictionary,
                    Meaning::Word(_) => false,
                })
            })
        };
        let leads = word.map_or(&[][..], |word| &word.not_after);
        let led = leads.iter().any(|lead| folded.codes()[..from].ends_with(lead))
            || brief.category == Category::OutdatedName
                && word.is_some_and(|word| is_led_over_place(&text[..span.0], &word.entry.not_after));
        let excused = led
            || self.allowed_max > 0 && around()
            || word.is_some_and(|word| word.is_excused(place, text, folded, (from, to), span));
        let span = (span.0 as u32, span.1 as u32);
        candidates.push(Candidate {
            from: start,
            to: end,
            span,
            word: number,
            brief,
            excused,
            has_leads: !leads.is_empty(),
            led,
        });
    }
}

struct Contexts {
    not_after: Vec<Vec<char>>,
    not_before: Vec<Vec<char>>,
    context: Vec<Vec<char>>,
    not_near: Vec<Vec<char>>,
}

/// Keeps the candidates that are not excused and not inside a longer one of their category. What an
/// exception excuses still says what the words inside it belong to, and a lead is one of all that are enumerated
/// behind it: 原农业部、文化部.
fn keep_outermost(candidates: &mut Vec<Candidate>, text: &str) {
    // Among equal spans the later dictionary's entry stands first.
    let order = |one: &Candidate| (one.from, std::cmp::Reverse((one.to, one.brief.dictionary)));
    let in_order = |pair: &[Candidate]| {
        pair[0].from < pair[1].from || pair[0].from == pair[1].from && pair[0].to > pair[1].to
    };
    if !candidates.windows(2).all(in_order) {
        candidates.sort_by_key(order);
    }
    for at in 1..candidates.len() {
        let before = |other: &Candidate| text.get(other.span.1 as usize..candidates[at].span.0 as usize);
        let of = candidates[at].brief.dictionary;
        let enumerated = |other: &&Candidate| {
            other.led
                && other.brief.dictionary == of
                && before(other).is_some_and(|between| AND.contains(&between))
        };
        if candidates[at].has_leads
            && candidates[..at].iter().rev().take(ENUMERATED_BACK).any(|other| enumerated(&other))
        {
            (candidates[at].led, candidates[at].excused) = (true, true);
        }
    }
    let mut reach = [0; Category::ALL.len()];
    candidates.retain(|one| {
        let reach = &mut reach[one.brief.category as usize];
        let inside = one.to <= *reach;
        *reach = one.to.max(*reach);
        !inside && !one.excused
    });
}

impl Brief {
    /// `bordered`: the pattern begins or ends with a Latin letter.
    fn of(entry: &Entry, (number, dictionary): (usize, &Dictionary), bordered: bool, gapped: bool) -> Self {
        let excused = !entry.not_after.is_empty()
            || !entry.not_before.is_empty()
            || !entry.not_near.is_empty()
            || entry.skip_titles;
        let placed =
            dictionary.scope != Scope::default() || entry.since.is_some() || !entry.context.is_empty();
        let written = dictionary.traditional || is_folded(&entry.pattern);
        Self {
            category: entry.category,
            dictionary: number as u32,
            // A typo also has to fit the words around it.
            unconditional: written && !excused && !bordered && !placed && entry.category != Category::Typo,
            together: !entry.category.is_evasive() && !gapped,
            traditional: dictionary.traditional,
        }
    }
}

/// The sign of a word's brief; `None` where no sign is left.
fn sign(briefs: &mut Vec<Brief>, brief: Brief) -> Option<usize> {
    let known = briefs.iter().position(|one| *one == brief);
    known.or_else(|| {
        let free = (briefs.len() < BRIEFS_MAX).then_some(briefs.len())?;
        briefs.push(brief);
        Some(free)
    })
}

impl Word {
    /// Whether the pattern stands there as a word of its own, at a place it is for.
    fn applies(
        &self,
        source: &Source,
        place: &Place<'_>,
        text: &str,
        folded: &Folded,
        (from, to): (usize, usize),
        (start, end): (usize, usize),
    ) -> bool {
        let entry = &self.entry;
        if !source.scope.holds(place)
            || self.word_start && text[..start].ends_with(is_latin)
            || self.word_end && text[end..].starts_with(is_latin)
            || !entry.category.is_evasive() && !self.gapped && folded.has_gap(from, to)
            || !source.traditional && !is_verbatim(&text[start..end], &entry.pattern)
        {
            return false;
        }
        if !self.context.is_empty() && !stands_near(&self.context, folded, (from, to)) {
            return false;
        }
        entry.category != Category::Typo || !segment::crosses(text, start, end)
    }

    /// Whether the page's date or what stands around it makes it right.
    fn is_excused(
        &self,
        place: &Place<'_>,
        text: &str,
        folded: &Folded,
        (from, to): (usize, usize),
        span: (usize, usize),
    ) -> bool {
        // A name is wrong only on a page that is younger than the change.
        let before_change = |since: Date| place.date.is_some_and(|date| date < since);
        self.entry.since.is_some_and(|since| before_change(since) || is_history(text, span, since))
            || self.not_before.iter().any(|tail| folded.codes()[to..].starts_with(tail))
            || self.entry.skip_titles && in_title(&text[..span.0])
            || stands_near(&self.not_near, folded, (from, to))
    }
}

/// Whether one of the words stands near a place of a text.
fn stands_near(words: &[Vec<u16>], folded: &Folded, (from, to): (usize, usize)) -> bool {
    let window = from.saturating_sub(CONTEXT_CHARS)..(to + CONTEXT_CHARS).min(folded.codes().len());
    let near = &folded.codes()[window];
    words.iter().any(|word| near.windows(word.len()).any(|part| part == word))
}

/// Whether the name of a place stands between a lead and a name: 原四川省国土资源厅, 原国家质量技术监督局, but not
/// 太原市国土资源局.
fn is_led_over_place(before: &str, leads: &[String]) -> bool {
    const KINDS: [char; 7] = ['省', '市', '县', '区', '州', '盟', '旗'];
    let from = before.char_indices().rev().take(PLACE_CHARS).last().map_or(before.len(), |(at, _)| at);
    let before = &before[from..];
    leads.iter().filter(|lead| !lead.ends_with(KINDS)).any(|lead| {
        before.rfind(lead.as_str()).is_some_and(|at| {
            let place = &before[at + lead.len()..];
            if place == "国家" {
                return true;
            }
            place.ends_with(KINDS) && !place.starts_with(KINDS) && place.chars().all(char::is_alphabetic)
        })
    })
}

/// Whether the text breaks off inside 《…》.
fn in_title(before: &str) -> bool {
    before.chars().rev().take(TITLE_CHARS).find(|c| matches!(c, '《' | '》')) == Some('《')
}

fn fingerprint(dictionary: &Dictionary) -> [u8; 32] {
    let Dictionary { name, version, scope, traditional, allow, entries, source: _ } = dictionary;
    hash_of(|text| {
        text(name);
        text(version);
        text(&format!("{scope:?} {traditional} {allow:?}"));
        entries.iter().for_each(|entry| write_entry(entry, text));
    })
}

/// All that an entry says.
fn write_entry(entry: &Entry, text: &mut dyn FnMut(&str)) {
    let Entry { pattern, correction, category, severity, note, .. } = entry;
    let Entry { allow, not_after, not_before, context, not_near, since, skip_titles, .. } = entry;
    text(pattern);
    text(category.as_str());
    for optional in [correction, severity, note] {
        text(optional.as_deref().unwrap_or_default());
    }
    for list in [allow, not_after, not_before, context, not_near] {
        text("");
        list.iter().for_each(|phrase| text(phrase));
    }
    text(&since.map(|since| since.to_string()).unwrap_or_default());
    text(if *skip_titles { "titles" } else { "" });
}

/// The hash of texts, each with its length.
fn hash_of(write: impl FnOnce(&mut dyn FnMut(&str))) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    write(&mut |text| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    });
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(category: Category, rows: &[(&str, &[&str], &[&str])]) -> Vec<Entry> {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        rows.iter()
            .map(|(pattern, allow, not_after)| Entry {
                allow: own(allow),
                not_after: own(not_after),
                skip_titles: category == Category::OutdatedName,
                ..Entry::new(pattern, category)
            })
            .collect()
    }

    fn dictionary(category: Category, rows: &[(&str, &[&str], &[&str])]) -> Dictionary {
        Dictionary { name: "t".to_owned(), entries: entries(category, rows), ..Dictionary::default() }
    }

    fn found_at(matcher: &Matcher, text: &str, place: &Place<'_>) -> Vec<String> {
        let mut scratch = Scratch::default();
        matcher
            .find(text, place, &mut scratch)
            .iter()
            .map(|hit| text[hit.start..hit.end].to_owned())
            .collect()
    }

    fn found(matcher: &Matcher, text: &str) -> Vec<String> {
        found_at(matcher, text, &Place::default())
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
            ("ＶＰＮ ok, xvpn no, v.p.n", &["ＶＰＮ", "v.p.n"]),
        ];
        for (text, hits) in table {
            assert_eq!(found(&matcher, text), *hits, "{text}");
        }
    }

    #[test]
    fn more_briefs_than_have_signs_are_found_all_the_same() {
        let numerals: Vec<String> = (0..BRIEFS_MAX + 5).map(|at| format!("第{at}号")).collect();
        let dictionaries: Vec<Dictionary> = numerals
            .iter()
            .map(|word| {
                let entries = entries(Category::SpamInjection, &[(&format!("{word}赌场"), &[], &[])]);
                Dictionary { name: word.clone(), entries, ..Dictionary::default() }
            })
            .collect();
        let matcher = Matcher::new(&dictionaries).expect("compiles");
        for word in &numerals {
            let text = format!("前往{word}赌*场");
            let hits = matcher.find(&text, &Place::default(), &mut Scratch::default());
            let said: Vec<_> = hits.iter().map(|hit| (hit.dictionary, &text[hit.start..hit.end])).collect();
            assert_eq!(said, [(word.as_str(), &text[6..])]);
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
        // A lead is one of all that are enumerated behind it.
        assert_eq!(found(&matcher, "时任国家粮食局、粮食局和粮食局负责人"), [""; 0]);
        assert_eq!(found(&matcher, "时任国家粮食局负责人、粮食局"), ["粮食局"]);
        let mixed = dictionary(Category::OutdatedName, &[("粮食局", &[], &["时任"]), ("物价局", &[], &[])]);
        let matcher = Matcher::new(&[mixed]).expect("compiles");
        assert_eq!(
            found(&matcher, "时任粮食局、物价局负责人"),
            ["物价局"],
            "an entry without leads has none"
        );
    }

    #[test]
    fn an_allowed_phrase_covers_what_is_inside_it_and_nothing_else() {
        let mut office = dictionary(Category::SensitiveWord, &[("乙丙", &[], &[]), ("丁戊", &[], &[])]);
        office.allow = vec!["甲乙丙丁".to_owned()];
        let matcher = Matcher::new(&[office]).expect("compiles");
        assert_eq!(found(&matcher, "甲乙丙丁戊，乙丙"), ["丁戊", "乙丙"]);
    }

    #[test]
    fn scopes_dates_context_and_traditional_characters() {
        let mut names = dictionary(Category::OutdatedName, &[("国家旅游局", &[], &[])]);
        names.entries[0].since = Some(jiff::civil::date(2018, 3, 19));
        names.entries[0].not_before = vec!["令".to_owned()];
        let mut own = dictionary(Category::SensitiveWord, &[("内部资料", &[], &[])]);
        own.scope.sites = vec!["water".to_owned()];
        own.scope.columns = vec!["通知公告".to_owned()];
        own.entries[0].context = vec!["不得外传".to_owned()];
        let mut spam = dictionary(Category::SpamInjection, &[("万国网赚", &[], &[])]);
        let plain = Matcher::new(std::slice::from_ref(&spam)).expect("compiles");
        spam.traditional = true;
        let matcher = Matcher::new(&[names, own, spam]).expect("compiles");
        let on = |year| Place { date: Some(jiff::civil::date(year, 1, 1)), ..Place::default() };
        let mut near = dictionary(Category::OutdatedName, &[("卫生部", &[], &[])]);
        near.entries[0].not_near = vec!["泰国".to_owned()];
        let near = Matcher::new(&[near]).expect("compiles");
        let far = "。".repeat(CONTEXT_CHARS);
        for (text, hits) in [
            ("泰国副总理兼卫生部", 0),
            ("卫生部来自泰国", 0),
            ("卫生部", 1),
            (&format!("泰国{far}卫生部"), 1),
        ] {
            assert_eq!(found(&near, text).len(), hits, "{text}");
        }
        for (text, hits) in [
            ("2016年国家旅游局发布", 0),
            ("1996.07—1998.10　国家旅游局干部", 0),
            ("2014-02至2015-02国家旅游局", 0),
            ("2014．02－2015．02国家旅游局", 0),
            ("2022年国家旅游局发布", 1),
            ("电话2014567国家旅游局", 1),
            ("12014.5国家旅游局", 1),
            ("2014国家旅游局", 1),
        ] {
            assert_eq!(found_at(&matcher, text, &on(2024)).len(), hits, "{text}");
        }
        assert_eq!(found_at(&matcher, "国家旅游局", &on(2018)).len(), 0);
        assert_eq!(found_at(&matcher, "国家旅游局", &on(2019)).len(), 1);
        assert_eq!(found(&matcher, "国家旅游局").len(), 1);
        assert_eq!(found(&matcher, "1997年3月17日批准，国家旅游局发布").len(), 0);
        assert_eq!(found(&matcher, "2020年3月17日，国家旅游局发布").len(), 1);
        assert_eq!(found(&matcher, "国家旅游局令第9号").len(), 0);
        let notice = Place { site: "water", column: Some("通知公告"), date: None };
        assert_eq!(found_at(&matcher, "内部资料，不得外传", &notice).len(), 1);
        assert_eq!(found_at(&matcher, "内部资料", &notice).len(), 0);
        assert_eq!(found_at(&matcher, "内部资料，不得外传", &Place { column: None, ..notice }).len(), 0);
        assert_eq!(found(&matcher, "萬國網賺"), ["萬國網賺"]);
        assert_eq!(found(&plain, "萬國網賺").len(), 0);
    }

    #[test]
    fn the_later_dictionary_says_what_a_word_is() {
        let mut own = dictionary(Category::Typo, &[("帐户", &[], &[])]);
        own.name = "own".to_owned();
        let matcher =
            Matcher::new(&[dictionary(Category::Typo, &[("帐户", &[], &[])]), own]).expect("compiles");
        let hits = matcher.find("帐户", &Place::default(), &mut Scratch::default()).len();
        assert_eq!(hits, 1);
        assert_eq!(matcher.find("帐户", &Place::default(), &mut Scratch::default())[0].dictionary, "own");
    }

    #[test]
    fn a_block_full_of_hits_is_no_harm() {
        let matcher =
            Matcher::new(&[dictionary(Category::SpamInjection, &[("百家乐", &[], &[])])]).expect("compiles");
        assert_eq!(found(&matcher, &"百家乐".repeat(200_000)).len(), 200_000);
    }
}
