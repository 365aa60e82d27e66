//! Which pairs of neighbouring characters a page's texts have: enough to tell of nearly every word that is not
//! there that it is not, without the texts. A pair is known by a hash of 16 bits, and the hashes of a page are
//! kept as their distances, each in a few bits (Rice coding): about a byte a pair.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::fold::{Folded, Folder, fold_pattern, is_invisible, is_separator};
use crate::trie::Alphabet;

/// Different hashes of pairs.
const HASHES: usize = 1 << 16;

/// Folds texts to the characters themselves, where a matcher's folds them to the codes of its patterns.
static FOLDER: LazyLock<Folder> = LazyLock::new(|| Folder::new(Alphabet::Every));

/// A bit for every hash.
type Bits = [u64; HASHES / 64];

/// Gathers the pairs of texts.
#[derive(Debug)]
pub struct Pairing {
    folded: Folded,
    seen: Box<Bits>,
}

impl Default for Pairing {
    fn default() -> Self {
        Self { folded: Folded::default(), seen: Box::new([0; HASHES / 64]) }
    }
}

impl Pairing {
    /// The pairs of one text; none reaches over its borders.
    pub fn add(&mut self, text: &str) {
        FOLDER.fold(text, &mut self.folded);
        for pair in hashes(self.folded.codes()) {
            self.seen[usize::from(pair / 64)] |= 1 << (pair % 64);
        }
    }

    /// The pairs of all texts since the last call.
    pub fn take(&mut self) -> Pairs {
        let pairs = Pairs::of(&self.seen);
        self.seen.fill(0);
        pairs
    }
}

/// The pairs of neighbouring characters of some texts, packed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairs(Vec<u8>);

impl Pairs {
    fn of(seen: &Bits) -> Self {
        let count: usize = seen.iter().map(|word| word.count_ones() as usize).sum();
        // One less fits into two bytes.
        let Some(last) = count.checked_sub(1) else { return Self::default() };
        let mut packed = Packing { bytes: (last as u16).to_le_bytes().to_vec(), held: 0, bits: 0 };
        let low = low_bits(count);
        let mut next = 0;
        for (at, word) in seen.iter().enumerate() {
            let mut left = *word;
            while left != 0 {
                let hash = at as u64 * 64 + u64::from(left.trailing_zeros());
                packed.push_rice(hash - next, low);
                next = hash + 1;
                left &= left - 1;
            }
        }
        Self(packed.end())
    }

    /// What was packed; `None` where the bytes are none of [`Self::of`].
    fn unpack(&self) -> Option<Bits> {
        let mut seen = [0; HASHES / 64];
        let Some((last, packed)) = self.0.split_first_chunk() else {
            return self.0.is_empty().then_some(seen);
        };
        let count = usize::from(u16::from_le_bytes(*last)) + 1;
        let low = low_bits(count);
        let mut packed = Unpacking { bytes: packed, held: 0, bits: 0 };
        let mut next = 0;
        for _ in 0..count {
            let hash = next + packed.rice(low)?;
            let slot = seen.get_mut((hash / 64) as usize)?;
            *slot |= 1 << (hash % 64);
            next = hash + 1;
        }
        Some(seen)
    }
}

/// Words that are looked for in pairs.
#[derive(Clone, Debug, Default)]
pub struct Sought(Vec<Vec<u16>>);

impl Sought {
    /// Words as they stand in a dictionary.
    pub fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        Self::of_folded(words.into_iter().map(|word| fold_pattern(word).0))
    }

    /// A text that stands somewhere just as it is written: its pairs that nothing can part.
    pub fn verbatim(text: &str) -> Self {
        let parts = text.split(|c| is_separator(c) || is_invisible(c));
        let folded = parts.map(|part| fold_pattern(part).0);
        let Self(parts) = Self::of_folded(folded);
        Self(vec![parts.concat()])
    }

    /// Words that are folded already.
    pub(crate) fn of_folded(words: impl Iterator<Item = Vec<char>>) -> Self {
        let pairs = |word: Vec<char>| -> Vec<u16> {
            let codes: Vec<u16> = word.into_iter().map(|c| Alphabet::Every.code(c)).collect();
            hashes(&codes).collect()
        };
        Self(words.map(pairs).collect())
    }

    /// Whether one of the words may stand in the texts: false only when all of them lack each of the words for
    /// sure, folded as a matcher folds them. A word of one character may stand anywhere.
    pub fn may_be_in(&self, pairs: &Pairs) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let Some(seen) = pairs.unpack() else { return true };
        let has = |pair: &u16| seen[usize::from(pair / 64)] >> (pair % 64) & 1 == 1;
        self.0.iter().any(|word| word.iter().all(has))
    }
}

/// The hash of every pair of neighbours (multiplicative, by the golden ratio).
fn hashes(codes: &[u16]) -> impl Iterator<Item = u16> {
    const RATIO: u32 = 0x9E37_79B1;
    codes.windows(2).map(|pair| {
        let both = u32::from(pair[0]) << 16 | u32::from(pair[1]);
        (both.wrapping_mul(RATIO) >> 16) as u16
    })
}

/// How many lower bits of a distance are written as they are when there are so many of them; what is above, in
/// ones. Near the mean distance times ln 2 this takes the least.
fn low_bits(count: usize) -> u32 {
    (HASHES / count * 11 / 16).max(1).ilog2()
}

/// Bits one after the other, the lowest of a byte first.
struct Packing {
    bytes: Vec<u8>,
    held: u64,
    bits: u32,
}

impl Packing {
    /// Writes the lower bits of a value, 32 at most.
    fn push(&mut self, value: u64, bits: u32) {
        self.held |= value << self.bits;
        self.bits += bits;
        if self.bits >= 32 {
            self.bytes.extend_from_slice(&(self.held as u32).to_le_bytes());
            self.held >>= 32;
            self.bits -= 32;
        }
    }

    /// Writes the upper part of a value as so many ones and a zero, then its lower bits.
    fn push_rice(&mut self, value: u64, low: u32) {
        let mut ones = value >> low;
        while ones >= 16 {
            self.push(0xFFFF, 16);
            ones -= 16;
        }
        let lower = value & ((1 << low) - 1);
        self.push(((1 << ones) - 1) | lower << (ones + 1), ones as u32 + 1 + low);
    }

    fn end(mut self) -> Vec<u8> {
        let left = self.bits.div_ceil(8) as usize;
        self.bytes.extend_from_slice(&self.held.to_le_bytes()[..left]);
        self.bytes.shrink_to_fit();
        self.bytes
    }
}

/// The way back of [`Packing`]; `None` at the end of the bytes.
struct Unpacking<'b> {
    bytes: &'b [u8],
    held: u64,
    bits: u32,
}

impl Unpacking<'_> {
    /// Holds 32 bits at least, as long as there are so many.
    fn fill(&mut self) {
        if self.bits >= 32 {
            return;
        }
        let (some, rest) = self.bytes.split_at(self.bytes.len().min(4));
        for byte in some {
            self.held |= u64::from(*byte) << self.bits;
            self.bits += 8;
        }
        self.bytes = rest;
    }

    fn drop(&mut self, bits: u32) -> Option<()> {
        self.bits = self.bits.checked_sub(bits)?;
        self.held >>= bits;
        Some(())
    }

    /// The next value.
    fn rice(&mut self, low: u32) -> Option<u64> {
        let mut upper = 0;
        loop {
            self.fill();
            let ones = self.held.trailing_ones().min(self.bits).min(16);
            upper += u64::from(ones);
            self.drop(ones)?;
            if ones < 16 {
                break;
            }
        }
        self.drop(1)?;
        self.fill();
        let lower = self.held & ((1 << low) - 1);
        self.drop(low)?;
        Some(upper << low | lower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Category, Dictionary, Entry, Matcher, Place, Scratch};

    fn pairs(texts: &[&str]) -> Pairs {
        let mut pairing = Pairing::default();
        texts.iter().for_each(|text| pairing.add(text));
        pairing.take()
    }

    #[test]
    fn words_that_are_not_there_are_told() {
        let pairs = pairs(&["乌兰县水利局召开防汛工作会议", "ＶＰＮ 萬國網賺、百\u{200B}家*乐"]);
        let may = |word: &str| Sought::new([word]).may_be_in(&pairs);
        for word in ["防汛工作", "vpn", "VPN", "万国网赚", "百家乐", "百*家乐", "局", ""] {
            assert!(may(word), "{word} may be there");
        }
        for word in ["抗旱", "防汛会议", "会议乌兰", "议vpn"] {
            assert!(!may(word), "{word} is not there");
        }
        assert!(Sought::new(["抗旱", "水利"]).may_be_in(&pairs));
        assert!(!Sought::default().may_be_in(&pairs));
    }

    #[test]
    fn a_pairing_begins_anew_and_an_empty_text_has_no_pair() {
        let mut pairing = Pairing::default();
        pairing.add("甲乙丙");
        assert!(Sought::new(["乙丙"]).may_be_in(&pairing.take()));
        let none = pairing.take();
        assert_eq!(none, Pairs::default());
        assert!(!Sought::new(["乙丙"]).may_be_in(&none));
    }

    #[test]
    fn a_pair_takes_about_a_byte() {
        let text: String = (0..1_200).filter_map(|at| char::from_u32(0x4E00 + at * 7 % 3_001)).collect();
        let bytes = pairs(&[&text]).0.len();
        assert!((900..1_300).contains(&bytes), "{bytes}");
    }

    #[test]
    fn bytes_that_nobody_packed_tell_nothing() {
        let whole = pairs(&["乌兰县水利局召开防汛工作会议"]);
        for cut in 1..whole.0.len() {
            assert!(Sought::new(["抗旱救灾"]).may_be_in(&Pairs(whole.0[..cut].to_vec())), "{cut}");
        }
        let ones = Pairs(vec![0xFF; 40]);
        assert!(Sought::new(["抗旱"]).may_be_in(&ones));
    }

    proptest::proptest! {
        /// What stands in a text as it is written may be there.
        #[test]
        fn no_part_is_missed(text in "[百家乐國aＡ㎡ﬁ①*\u{200B}\u{20000} .·ｂ]{0,40}", from in 0..40_usize, length in 1..6_usize) {
            let part: String = text.chars().skip(from).take(length).collect();
            proptest::prop_assert!(Sought::verbatim(&part).may_be_in(&pairs(&[&text])));
        }

        #[test]
        fn what_was_packed_comes_out_again(some in proptest::collection::vec(proptest::prelude::any::<u16>(), 0..3_000)) {
            let mut seen = [0_u64; HASHES / 64];
            some.iter().for_each(|hash| seen[usize::from(hash / 64)] |= 1 << (hash % 64));
            proptest::prop_assert!(Pairs::of(&seen).unpack() == Some(seen));
        }

        /// Whatever a matcher finds may be there.
        #[test]
        fn no_hit_is_missed(
            word in "[百家乐國国a㎡ﬁ1*\u{200B}\u{20000} .]{1,5}",
            text in "[百家乐國国aＡ㎡m2ﬁfi1①*\u{200B}\u{20000} .·ｂ]{0,40}",
        ) {
            for traditional in [false, true] {
                let entries = vec![Entry::new(&word, Category::SpamInjection)];
                let matcher = Matcher::new(&[Dictionary { entries, traditional, ..Dictionary::default() }])
                    .expect("compiles");
                let hits = matcher.find(&text, &Place::default(), &mut Scratch::default()).len();
                proptest::prop_assert!(hits == 0 || Sought::new([word.as_str()]).may_be_in(&pairs(&[&text])));
            }
        }
    }

    #[test]
    fn every_hash_may_be_seen() {
        let all = Pairs::of(&[u64::MAX; HASHES / 64]);
        assert!(all.unpack() == Some([u64::MAX; HASHES / 64]) && Sought::new(["抗旱"]).may_be_in(&all));
    }
}
