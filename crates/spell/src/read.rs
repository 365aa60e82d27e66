//! The likeliest reading of a text in which characters may stand for others.

use std::sync::LazyLock;

use jieba_rs::Jieba;

use crate::alike::Alike;
use crate::grams::{BEGIN, END, Model, UNKNOWN};

/// Readings that are followed at once.
const BEAM: usize = 12;
/// Han characters of a run that are read together.
const RUN_MAX: usize = 80;
/// Margin in nats by which a change has to win, besides its cost.
const MARGIN: f32 = 1.0;
/// The same where the original characters make a word, too.
const MARGIN_WORD: f32 = 4.0;
/// Cost of a change when it is weighed alone.
const WEIGHED: f32 = 7.0;
/// Longest word that is looked for around a change, in characters.
const WORD_MAX: usize = 4;
/// Characters that stand for persons, or that grammar decides on, not words.
const SPARED: &str = "甲乙丙丁戊己庚辛的了和或与及在是有不某";
/// What follows names of persons and places, whose characters no model knows.
const AFTER_NAMES: [&str; 20] = [
    "同志", "先生", "女士", "村", "镇", "乡", "县", "区", "街", "路", "大道", "水库", "灌区", "园区", "片区",
    "林场", "社区", "广场", "大桥", "公司",
];
/// Characters that a name may reach beyond a suspect.
const NAME_REST: usize = 2;

static WORDS: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// Characters that are likely to be others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// First byte in the text.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
    /// What was likely meant.
    pub meant: String,
}

/// Runs of Han characters in a text, as byte ranges.
pub(crate) fn runs(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        while chars.next_if(|(_, c)| !is_han(*c)).is_some() {}
        let (start, first) = chars.next()?;
        let mut end = start + first.len_utf8();
        while let Some((at, c)) = chars.next_if(|(_, c)| is_han(*c)) {
            end = at + c.len_utf8();
        }
        Some((start, end))
    })
}

fn is_han(c: char) -> bool {
    ('\u{4E00}'..='\u{9FFF}').contains(&c)
}

/// A reading up to a character.
struct Reading {
    cost: f32,
    /// The last three numbers.
    last: [u16; 3],
    /// Place in the list of all steps.
    step: usize,
}

/// One character of a reading.
struct Step {
    before: usize,
    number: u16,
}

impl Model {
    fn alike(&self) -> &Alike {
        self.alike.get_or_init(|| Alike::new(self))
    }

    /// What in a text is likely to be a typo, in order, not overlapping.
    pub fn suspects(&self, text: &str) -> Vec<Suspect> {
        let mut suspects = Vec::new();
        for (start, end) in runs(text) {
            let all: Vec<(usize, char)> = text[start..end].char_indices().collect();
            for part in all.chunks(RUN_MAX) {
                let chars: Vec<char> = part.iter().map(|(_, c)| *c).collect();
                for (from, to, meant) in self.changes(&chars) {
                    if is_name(&chars[from + 1..], to - from - 1)
                        || from == 0 && text[..start].ends_with(|c: char| c.is_ascii_digit())
                    {
                        // A name, or a number's measure word.
                        continue;
                    }
                    let byte = |at: usize| {
                        part.get(at)
                            .map_or(part[part.len() - 1].0 + part[part.len() - 1].1.len_utf8(), |(at, _)| *at)
                    };
                    suspects.push(Suspect { start: start + byte(from), end: start + byte(to), meant });
                }
            }
        }
        suspects
    }

    /// Words to change in a run: from, to, and what was meant.
    fn changes(&self, chars: &[char]) -> Vec<(usize, usize, String)> {
        let own: Vec<u16> = chars.iter().map(|c| self.number(*c)).collect();
        if !self.is_odd(&own) {
            return Vec::new();
        }
        let mut read = self.reading(chars, &own);
        let mut meant: Vec<char> =
            read.iter().zip(chars).map(|(number, c)| self.char(*number).unwrap_or(*c)).collect();
        let mut words = Vec::new();
        for at in 0..chars.len() {
            if meant[at] == chars[at] {
                continue;
            }
            let word = word_over(&meant, at).filter(|_| !SPARED.contains(chars[at]));
            let margin = if word_over(chars, at).is_some() { MARGIN_WORD } else { MARGIN };
            if let Some((from, to)) = word
                && self.fits(&read, from, to)
                && self.gain(&read, at, own[at]) - WEIGHED > margin
            {
                words.push((from, to));
            } else {
                (read[at], meant[at]) = (own[at], chars[at]);
            }
        }
        // Words that share a character are one suspect.
        let mut changes: Vec<(usize, usize)> = Vec::new();
        for (mut from, mut to) in words {
            while let Some((first, last)) = changes.pop_if(|(_, last)| *last > from) {
                (from, to) = (from.min(first), to.max(last));
            }
            changes.push((from, to));
        }
        let read = |(from, to): (usize, usize)| (from, to, meant[from..to].iter().collect());
        changes.into_iter().map(read).collect()
    }

    /// Whether some character stands in no run of three that the model knows.
    fn is_odd(&self, own: &[u16]) -> bool {
        let padded: Vec<u16> = [BEGIN].into_iter().chain(own.iter().copied()).chain([END]).collect();
        let known: Vec<bool> = padded.windows(3).map(|three| self.has(three)).collect();
        (0..own.len()).any(|at| {
            let windows = at.saturating_sub(1)..(at + 2).min(known.len());
            !known[windows].iter().any(|known| *known)
        })
    }

    /// The numbers of the likeliest reading.
    fn reading(&self, chars: &[char], own: &[u16]) -> Vec<u16> {
        let mut steps = vec![Step { before: 0, number: BEGIN }];
        let mut readings = vec![Reading { cost: 0.0, last: [UNKNOWN, UNKNOWN, BEGIN], step: 0 }];
        let mut next: Vec<(f32, usize, u16)> = Vec::new();
        for (at, c) in chars.iter().enumerate() {
            next.clear();
            let after = own.get(at + 1).copied().unwrap_or(END);
            let others = self.alike().of(*c);
            let follows: Vec<&(u16, f32)> = others
                .iter()
                .filter(|(other, _)| {
                    self.has(&[*other, after]) || readings.iter().any(|one| self.has(&[one.last[2], *other]))
                })
                .collect();
            for (place, one) in readings.iter().enumerate() {
                next.push((one.cost - self.after(&one.last, own[at]), place, own[at]));
                for (other, cost) in &follows {
                    next.push((one.cost + cost - self.after(&one.last, *other), place, *other));
                }
            }
            next.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
            let mut kept: Vec<Reading> = Vec::with_capacity(BEAM);
            for (cost, place, number) in &next {
                let before = &readings[*place];
                let last = [before.last[1], before.last[2], *number];
                if kept.iter().any(|one| one.last == last) {
                    continue;
                }
                steps.push(Step { before: before.step, number: *number });
                kept.push(Reading { cost: *cost, last, step: steps.len() - 1 });
                if kept.len() == BEAM {
                    break;
                }
            }
            readings = kept;
        }
        let ended = |one: &Reading| one.cost - self.after(&one.last, END);
        let best = readings.iter().min_by(|a, b| ended(a).total_cmp(&ended(b)));
        let mut read = Vec::with_capacity(chars.len());
        let mut step = best.map_or(0, |best| best.step);
        while step != 0 {
            read.push(steps[step].number);
            step = steps[step].before;
        }
        read.reverse();
        read
    }

    /// The chance of a number after the last three; those before the beginning are none.
    fn after(&self, last: &[u16; 3], number: u16) -> f32 {
        let from = last.iter().position(|number| *number == BEGIN).unwrap_or(0);
        let mut run = [UNKNOWN; 4];
        let many = 3 - from;
        run[..many].copy_from_slice(&last[from..]);
        run[many] = number;
        self.chance(&run[..=many])
    }

    /// Whether a word stands beside its neighbours elsewhere, too: what takes a name for a word that
    /// sounds the same does not fit into the sentence.
    fn fits(&self, read: &[u16], from: usize, to: usize) -> bool {
        let before = if from == 0 { BEGIN } else { read[from - 1] };
        let after = read.get(to).copied().unwrap_or(END);
        let (first, last) = ([before, read[from], read[from + 1]], [read[to - 2], read[to - 1], after]);
        let side = |run: [u16; 3], border: u16| border != BEGIN && border != END && self.has(&run);
        side(first, before) || side(last, after) || self.has(&first) && self.has(&last)
    }

    /// By how much a reading is likelier than the one with `own` at a place.
    fn gain(&self, read: &[u16], at: usize, own: u16) -> f32 {
        let mut padded: Vec<u16> = [BEGIN].into_iter().chain(read.iter().copied()).chain([END]).collect();
        let from = at + 1;
        let score = |padded: &[u16]| -> f32 {
            (from..(from + 4).min(padded.len()))
                .map(|place| self.chance(&padded[place.saturating_sub(3)..=place]))
                .sum()
        };
        let with = score(&padded);
        padded[from] = own;
        with - score(&padded)
    }
}

/// Whether what stands in or after a suspect says that it is part of a name.
fn is_name(rest: &[char], inside: usize) -> bool {
    (0..=(inside + NAME_REST).min(rest.len())).any(|skipped| {
        AFTER_NAMES.iter().any(|after| {
            let mut chars = rest[skipped..].iter().copied();
            after.chars().all(|c| chars.next() == Some(c))
        })
    })
}

/// The shortest word of two to four characters over a place.
fn word_over(chars: &[char], at: usize) -> Option<(usize, usize)> {
    let mut text = String::with_capacity(WORD_MAX * 3);
    for many in 2..=WORD_MAX {
        for from in (at + 1).saturating_sub(many)..=at {
            let Some(word) = chars.get(from..from + many) else { continue };
            text.clear();
            text.extend(word);
            if WORDS.has_word(&text) {
                return Some((from, from + many));
            }
        }
    }
    None
}
