//! How often one to four characters follow each other in clean text.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

use crate::alike::Alike;

/// The longest run that is counted.
pub(crate) const ORDER: usize = 4;
/// Bits of a character's number in a key.
pub(crate) const BITS: u32 = 13;
/// Numbers of the beginning and the end of a run of Han characters.
pub(crate) const BEGIN: u16 = 1;
pub(crate) const END: u16 = 2;
/// A character that the text did not have.
pub(crate) const UNKNOWN: u16 = 0;
/// The first number of a character.
pub(crate) const FIRST: usize = 3;
/// Steps of a kept count in its doubling.
pub(crate) const STEPS: f64 = 4.0;
/// What is lost by each character of context that has to be left out, in nats.
const BACKOFF: f32 = 1.204;

const MAGIC: &[u8; 8] = b"XJSPELL1";
/// Bytes of a model that is unpacked.
const BYTES_MAX: usize = 256 << 20;

/// A file that is no model.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a model of this version ({0}); make one with `xunjian dict train`")]
pub struct ModelError(pub(crate) &'static str);

/// Keys are numbers already; one multiplication spreads them.
#[derive(Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, key: u64) {
        let spread = (self.0 ^ key).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = spread ^ (spread >> 32);
    }
}

pub(crate) type Table = HashMap<u64, u8, BuildHasherDefault<KeyHasher>>;

/// Counts of runs, each as the logarithm of its number in steps of a quarter of a doubling.
#[derive(Debug)]
pub struct Model {
    /// Characters from number 3 on, the most frequent first.
    chars: Vec<char>,
    numbers: HashMap<char, u16>,
    /// By number: the logarithm of how often it stands alone, against all, in nats.
    alone: Vec<f32>,
    /// By number, its count in steps.
    single: Vec<u8>,
    /// Runs of two, three and four.
    tables: [Table; ORDER - 1],
    fingerprint: [u8; 32],
    /// What may stand for what, made when it is first needed.
    pub(crate) alike: OnceLock<Alike>,
}

/// The key of a run of numbers.
pub(crate) fn key(run: &[u16]) -> u64 {
    run.iter().fold(0, |key, number| key << BITS | u64::from(*number))
}

impl Model {
    pub(crate) fn of_parts(
        chars: Vec<char>,
        single: Vec<u8>,
        tables: [Table; ORDER - 1],
        fingerprint: [u8; 32],
    ) -> Self {
        let numbers = chars.iter().enumerate().map(|(at, c)| (*c, (at + FIRST) as u16)).collect();
        let count = |steps: u8| (f64::from(steps) / STEPS).exp2();
        let all: f64 = single.iter().skip(1).map(|steps| count(*steps)).sum();
        let alone = single.iter().enumerate().map(|(number, steps)| {
            let count = if number == usize::from(UNKNOWN) { 0.1 } else { count(*steps) };
            (count / all.max(1.0)).ln() as f32
        });
        Self { alone: alone.collect(), numbers, chars, single, tables, fingerprint, alike: OnceLock::new() }
    }

    /// Short name of everything that decides what is suspected.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// Number of kept runs of one to four characters.
    pub fn runs(&self) -> [usize; ORDER] {
        let [two, three, four] = &self.tables;
        [self.chars.len(), two.len(), three.len(), four.len()]
    }

    pub(crate) fn chars(&self) -> &[char] {
        &self.chars
    }

    pub(crate) fn number(&self, c: char) -> u16 {
        self.numbers.get(&c).copied().unwrap_or(UNKNOWN)
    }

    pub(crate) fn char(&self, number: u16) -> Option<char> {
        self.chars.get(usize::from(number).checked_sub(FIRST)?).copied()
    }

    /// How often a character stands in the text, in steps.
    pub(crate) fn single(&self, c: char) -> u8 {
        self.single[usize::from(self.number(c))]
    }

    pub(crate) fn has(&self, run: &[u16]) -> bool {
        !run.contains(&UNKNOWN) && self.steps(run).is_some()
    }

    fn steps(&self, run: &[u16]) -> Option<u8> {
        match run.len() {
            1 => self.single.get(usize::from(run[0])).copied(),
            many => self.tables[many - 2].get(&key(run)).copied(),
        }
    }

    /// The logarithm of the chance of the last number after those before it: of the longest run
    /// that was seen, less what each left-out character costs ("stupid backoff").
    pub(crate) fn chance(&self, run: &[u16]) -> f32 {
        let last = run.len() - 1;
        let known = run[..last].iter().rposition(|number| *number == UNKNOWN).map_or(0, |at| at + 1);
        let mut lost = known as f32 * BACKOFF;
        if run[last] != UNKNOWN {
            for from in known..last {
                if let Some(steps) = self.steps(&run[from..]) {
                    let before = self.steps(&run[from..last]).unwrap_or(steps).max(steps);
                    let nats = f64::from(before - steps) / STEPS * std::f64::consts::LN_2;
                    return -(nats as f32) - lost;
                }
                lost += BACKOFF;
            }
        }
        self.alone[usize::from(run[last])] - lost
    }

    // ---- as bytes ---------------------------------------------------------------------------

    /// The model as a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        number_out(&mut out, self.chars.len() as u64);
        for c in &self.chars {
            number_out(&mut out, u64::from(u32::from(*c)));
        }
        out.extend_from_slice(&self.single);
        for table in &self.tables {
            let mut rows: Vec<(u64, u8)> = table.iter().map(|(key, steps)| (*key, *steps)).collect();
            rows.sort_unstable();
            number_out(&mut out, rows.len() as u64);
            // In columns, as they pack better: step of the context, last character, count.
            let mut context = 0;
            let mut last = 0;
            let mut columns: [Vec<u8>; 3] = Default::default();
            for (key, steps) in rows {
                let (before, own) = (key >> BITS, key & ((1 << BITS) - 1));
                number_out(&mut columns[0], before - context);
                number_out(&mut columns[1], if before == context { own - last } else { own });
                columns[2].push(steps);
                (context, last) = (before, own);
            }
            for column in columns {
                number_out(&mut out, column.len() as u64);
                out.extend_from_slice(&column);
            }
        }
        let mut file = MAGIC.to_vec();
        // Cannot fail on a buffer; a file without content would be refused on reading.
        file.extend_from_slice(&zstd::encode_all(&out[..], 19).unwrap_or_default());
        file
    }

    /// The shipped model, of the statutes and regulations of the state.
    pub fn shipped() -> Self {
        static FILE: &[u8] = include_bytes!("../data/statutes.model");
        Self::from_bytes(FILE)
            .unwrap_or_else(|_| Self::of_parts(Vec::new(), vec![0; FIRST], Default::default(), [0; 32]))
    }

    /// Reads a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let packed = bytes.strip_prefix(MAGIC).ok_or(ModelError("another beginning"))?;
        let out = zstd::bulk::decompress(packed, BYTES_MAX).map_err(|_| ModelError("damaged"))?;
        let mut rest = &out[..];
        let short = ModelError("cut short");
        let count = number_in(&mut rest).ok_or(short)? as usize;
        if count + FIRST >= 1 << BITS {
            return Err(ModelError("too many characters"));
        }
        let mut chars = Vec::with_capacity(count);
        for _ in 0..count {
            let c = number_in(&mut rest).and_then(|c| char::from_u32(u32::try_from(c).ok()?));
            chars.push(c.ok_or(ModelError("no character"))?);
        }
        let single = take(&mut rest, count + FIRST)?.to_vec();
        let mut tables: [Table; ORDER - 1] = Default::default();
        for table in &mut tables {
            let rows = number_in(&mut rest).ok_or(ModelError("cut short"))? as usize;
            let mut columns = [&[] as &[u8]; 3];
            for column in &mut columns {
                let bytes = number_in(&mut rest).ok_or(ModelError("cut short"))? as usize;
                *column = take(&mut rest, bytes)?;
            }
            let [mut contexts, mut lasts, counts] = columns;
            if counts.len() != rows {
                return Err(ModelError("columns of unequal length"));
            }
            table.reserve(rows);
            let (mut context, mut last) = (0_u64, 0_u64);
            for steps in counts {
                let (step, own) =
                    number_in(&mut contexts).zip(number_in(&mut lasts)).ok_or(ModelError("cut short"))?;
                last = if step == 0 { last.wrapping_add(own) } else { own };
                context = context.wrapping_add(step);
                table.insert(context << BITS | last & ((1 << BITS) - 1), *steps);
            }
        }
        let fingerprint = *blake3::hash(bytes).as_bytes();
        Ok(Self::of_parts(chars, single, tables, fingerprint))
    }
}

fn take<'b>(rest: &mut &'b [u8], bytes: usize) -> Result<&'b [u8], ModelError> {
    let (taken, left) = rest.split_at_checked(bytes).ok_or(ModelError("cut short"))?;
    *rest = left;
    Ok(taken)
}

fn number_out(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn number_in(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, left) = rest.split_first()?;
        *rest = left;
        number |= u64::from(byte & 0x7F) << shift;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}
