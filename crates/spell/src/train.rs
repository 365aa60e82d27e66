//! Clean text to a model.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::grams::{BEGIN, BITS, END, FIRST, KeyHasher, Model, ORDER, STEPS, Table, UNKNOWN, key};
use crate::read::runs;

/// How often a run has to be seen to be kept.
#[derive(Clone, Copy, Debug)]
pub struct Minimums {
    /// Two characters.
    pub two: u32,
    /// Three characters.
    pub three: u32,
    /// Four characters.
    pub four: u32,
}

impl Default for Minimums {
    fn default() -> Self {
        Self { two: 2, three: 2, four: 3 }
    }
}

/// A word's own frequency, by so much, is how often its characters are taken to follow each other.
const WORD_SHARE: u64 = 50;
/// The most that a word adds.
const WORD_MAX: u64 = 200;
/// Frequency from which a word adds anything.
const WORD_MIN: u64 = 5;

type Counter = HashMap<u64, u32, BuildHasherDefault<KeyHasher>>;

/// Counts of text so far. Grows with the text: for a command, not for the scan.
#[derive(Default)]
pub struct Counts {
    numbers: HashMap<char, u16>,
    chars: Vec<char>,
    single: Vec<u64>,
    counters: [Counter; ORDER - 1],
    /// What words add, after the minimums.
    words: [Counter; ORDER - 1],
}

impl Counts {
    fn number(&mut self, c: char) -> u16 {
        if let Some(number) = self.numbers.get(&c) {
            return *number;
        }
        if self.chars.len() + FIRST + 1 >= 1 << BITS {
            return UNKNOWN;
        }
        let number = (self.chars.len() + FIRST) as u16;
        self.chars.push(c);
        self.numbers.insert(c, number);
        number
    }

    fn add_single(&mut self, number: u16, more: u64) {
        let at = usize::from(number);
        if self.single.len() <= at {
            self.single.resize(at + 1, 0);
        }
        self.single[at] += more;
    }

    /// Counts the Han characters of a text.
    pub fn add(&mut self, text: &str) {
        let mut numbers = Vec::new();
        for (start, end) in runs(text) {
            numbers.clear();
            numbers.push(BEGIN);
            for c in text[start..end].chars() {
                let number = self.number(c);
                numbers.push(number);
            }
            numbers.push(END);
            for number in &numbers {
                self.add_single(*number, 1);
            }
            for many in 2..=ORDER {
                for run in numbers.windows(many).filter(|run| !run.contains(&UNKNOWN)) {
                    *self.counters[many - 2].entry(key(run)).or_default() += 1;
                }
            }
        }
    }

    /// Adds a word of a list, with its frequency there.
    pub fn add_word(&mut self, word: &str, frequency: u64) {
        if frequency < WORD_MIN || runs(word).collect::<Vec<_>>() != [(0, word.len())] {
            return;
        }
        let more = (frequency / WORD_SHARE).clamp(1, WORD_MAX);
        let numbers: Vec<u16> = word.chars().map(|c| self.number(c)).collect();
        if numbers.len() < 2 || numbers.contains(&UNKNOWN) {
            return;
        }
        for number in &numbers {
            self.add_single(*number, more);
        }
        for many in 2..=ORDER {
            for run in numbers.windows(many) {
                *self.words[many - 2].entry(key(run)).or_default() += more as u32;
            }
        }
    }

    /// The model of what was counted.
    pub fn model(mut self, minimums: Minimums) -> Model {
        self.single.resize(self.chars.len() + FIRST, 0);
        let steps = |count: u64| ((count.max(1) as f64).log2() * STEPS).round().min(255.0) as u8;
        let single = self.single.iter().map(|count| steps(*count)).collect();
        let least = [minimums.two, minimums.three, minimums.four];
        let tables: [Table; ORDER - 1] = std::array::from_fn(|at| {
            let mut kept = std::mem::take(&mut self.counters[at]);
            kept.retain(|_, count| *count >= least[at]);
            for (key, more) in std::mem::take(&mut self.words[at]) {
                *kept.entry(key).or_default() += more;
            }
            kept.into_iter().map(|(key, count)| (key, steps(u64::from(count)))).collect()
        });
        let model = Model::of_parts(self.chars, single, tables, [0; 32]);
        // The name of a model is that of its file.
        Model::from_bytes(&model.to_bytes()).unwrap_or(model)
    }
}
