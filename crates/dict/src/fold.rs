//! Folding: one code for what a reader sees as one character, with the way back to the original.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;

use crate::trie::{Alphabet, CODES_MAX, UNKNOWN};

/// Most separators in a row that are taken for decoration.
const SEPARATORS_MAX: usize = 2;
/// A character that leaves no trace: a reader sees nothing either.
const INVISIBLE: u16 = CODES_MAX;
/// A character that may be decoration between two others.
const SEPARATOR: u16 = CODES_MAX + 1;
/// A character that folds to several, or lies beyond the basic plane.
const SPECIAL: u16 = CODES_MAX + 2;
/// Set in an offset: separators were dropped right before the character.
const GAP: u32 = 1 << 31;
/// Characters of the basic plane.
const BASIC: usize = 1 << 16;

/// Simplified characters by traditional ones of the basic plane; 0: none.
static SIMPLIFIED: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let mut table = vec![0; BASIC];
    let lines = include_str!("../data/simplified.txt").lines().filter(|line| !line.starts_with('#'));
    for pair in lines.flat_map(str::split_whitespace) {
        let mut units = pair.encode_utf16();
        if let (Some(traditional), Some(simplified)) = (units.next(), units.next()) {
            table[usize::from(traditional)] = simplified;
        }
    }
    table
});

/// What every character of the basic plane folds to: itself, another one, or a sign.
static FOLDED: LazyLock<Vec<u16>> = LazyLock::new(|| {
    (0..BASIC as u32)
        .map(|unit| {
            let Some(c) = char::from_u32(unit) else { return SPECIAL };
            if is_invisible(c) {
                return INVISIBLE;
            }
            if is_separator(c) {
                return SEPARATOR;
            }
            let mut folded = plain(c).map(simplified);
            match (folded.next(), folded.next()) {
                (Some(one), None) => u16::try_from(one as u32).unwrap_or(SPECIAL),
                _ => SPECIAL,
            }
        })
        .collect()
});

/// Width, compatibility forms and case: NFKC, then lower case.
pub(crate) fn plain(c: char) -> impl Iterator<Item = char> {
    std::iter::once(c).nfkc().flat_map(char::to_lowercase)
}

/// The simplified form of a traditional character, else the character.
fn simplified(c: char) -> char {
    let simplified = SIMPLIFIED.get(c as usize).copied().unwrap_or(0);
    char::from_u32(u32::from(simplified)).filter(|_| simplified != 0).unwrap_or(c)
}

/// A pattern as the texts it is looked for in are folded, and whether it holds separators that
/// folding drops.
pub(crate) fn fold_pattern(pattern: &str) -> (Vec<char>, bool) {
    let mut folded = Vec::new();
    let mut gapped = false;
    let mut at = 0;
    while let Some(c) = pattern[at..].chars().next() {
        match FOLDED.get(c as usize).copied() {
            Some(INVISIBLE) => {}
            Some(SEPARATOR) => {
                if let Some(next) = after_decoration(pattern, at) {
                    gapped |= !folded.is_empty();
                    at = next;
                    continue;
                }
                folded.extend(plain(c));
            }
            _ => folded.extend(plain(c).map(simplified)),
        }
        at += c.len_utf8();
    }
    (folded, gapped)
}

/// The UTF-16 unit and the length of the character at `at`; beyond the basic plane `u32::MAX`.
#[inline]
fn unit(bytes: &[u8], at: usize, first: u8) -> (u32, usize) {
    let low = |at: usize| u32::from(bytes.get(at).copied().unwrap_or(0) & 0x3F);
    let first = u32::from(first);
    match first {
        0..0x80 => (first, 1),
        0x80..0xE0 => ((first & 0x1F) << 6 | low(at + 1), 2),
        0xE0..0xF0 => ((first & 0x0F) << 12 | low(at + 1) << 6 | low(at + 2), 3),
        _ => (u32::MAX, 4),
    }
}

/// A folded text: a code for every character, and where it began in the original. The buffers
/// grow to the longest text and are not emptied in between.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folded {
    codes: Vec<u16>,
    /// Byte offsets, with [`GAP`].
    offsets: Vec<u32>,
    length: usize,
}

impl Folded {
    /// The codes.
    pub(crate) fn codes(&self) -> &[u16] {
        &self.codes[..self.length]
    }

    fn clear(&mut self) {
        self.length = 0;
    }

    /// Room for so many more.
    fn room(&mut self, more: usize) -> (&mut [u16], &mut [u32]) {
        let wanted = self.length + more;
        if self.codes.len() < wanted {
            self.codes.resize(wanted, UNKNOWN);
            self.offsets.resize(wanted, 0);
        }
        (&mut self.codes[self.length..wanted], &mut self.offsets[self.length..wanted])
    }

    /// The original bytes behind a range of codes.
    pub(crate) fn span(&self, text: &str, from: usize, to: usize) -> (usize, usize) {
        let offset = |at: usize| (self.offsets[at] & !GAP) as usize;
        let last = offset(to - 1);
        let length = text[last..].chars().next().map_or(0, char::len_utf8);
        (offset(from), last + length)
    }

    /// Whether separators were dropped inside a range of codes.
    pub(crate) fn has_gap(&self, from: usize, to: usize) -> bool {
        self.offsets[from + 1..to].iter().any(|offset| offset & GAP != 0)
    }

    fn push(&mut self, code: u16, offset: usize, gap: bool) {
        let (codes, offsets) = self.room(1);
        (codes[0], offsets[0]) = (code, offset as u32 | if gap { GAP } else { 0 });
        self.length += 1;
    }
}

/// Folds texts to the codes of an alphabet.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    alphabet: Alphabet,
    /// Code or sign of every character of the basic plane.
    codes: Vec<u16>,
    /// Codes of ASCII's separators where they do not decorate.
    separators: [u16; 128],
}

impl Folder {
    pub(crate) fn new(alphabet: Alphabet) -> Self {
        let mut by_unit = vec![UNKNOWN; BASIC];
        for (c, code) in alphabet.iter() {
            if let Some(slot) = by_unit.get_mut(c as usize) {
                *slot = code;
            }
        }
        let code = |&folded: &u16| if folded >= CODES_MAX { folded } else { by_unit[usize::from(folded)] };
        let separators = std::array::from_fn(|byte| alphabet.code(char::from(byte as u8)));
        Self { codes: FOLDED.iter().map(code).collect(), alphabet, separators }
    }

    /// One that takes every character of the basic plane as it is.
    pub(crate) fn verbatim(alphabet: Alphabet) -> Self {
        let code = |unit: u32| match char::from_u32(unit) {
            Some(c) => alphabet.code(c),
            None => UNKNOWN,
        };
        Self { codes: (0..BASIC as u32).map(code).collect(), alphabet, separators: [UNKNOWN; 128] }
    }

    /// Folds a text, of which what lies beyond two gibibytes is left out.
    pub(crate) fn fold(&self, text: &str, folded: &mut Folded) {
        folded.clear();
        let bytes = text.as_bytes();
        let bytes = &bytes[..bytes.len().min(GAP as usize)];
        let mut gap = false;
        let mut at = 0;
        while at < bytes.len() {
            if !gap {
                at = self.fold_plainly(bytes, at, folded);
            }
            let Some(&first) = bytes.get(at) else { break };
            // A text is valid UTF-8: its first byte says how long a character is.
            let (unit, length) = unit(bytes, at, first);
            let code = self.codes.get(unit as usize).copied().unwrap_or(SPECIAL);
            match code {
                INVISIBLE => at += length,
                SEPARATOR if let Some(next) = after_decoration(text, at) => (at, gap) = (next, true),
                SEPARATOR | SPECIAL => {
                    self.push_all(text, at, gap, folded);
                    (at, gap) = (at + length, false);
                }
                code => {
                    folded.push(code, at, gap);
                    (at, gap) = (at + length, false);
                }
            }
        }
    }

    /// Folds from `at` as long as every character gives one code; where that ends.
    fn fold_plainly(&self, bytes: &[u8], mut at: usize, folded: &mut Folded) -> usize {
        let most = bytes.len() - at;
        let (codes, offsets) = folded.room(most);
        let mut count = 0;
        for (code, offset) in codes.iter_mut().zip(offsets) {
            let Some(&first) = bytes.get(at) else { break };
            let (unit, length) = unit(bytes, at, first);
            let mut folded = self.codes.get(unit as usize).copied().unwrap_or(SPECIAL);
            if folded >= CODES_MAX {
                if folded != SEPARATOR || !self.stays(bytes, at) {
                    break;
                }
                folded = self.separators[usize::from(first)];
            }
            *code = folded;
            *offset = at as u32;
            count += 1;
            at += length;
        }
        folded.length += count;
        at
    }

    /// Whether a separator parts words, as it nearly always does between two characters of ASCII. Where it
    /// may be otherwise, [`after_decoration`] looks.
    fn stays(&self, bytes: &[u8], at: usize) -> bool {
        let before = |back: usize| at.checked_sub(back).map(|at| bytes[at]);
        let after = |ahead: usize| bytes.get(at + ahead).copied();
        let (Some(last), Some(next)) = (before(1), after(1)) else { return false };
        let ascii = bytes[at].is_ascii() && last.is_ascii() && next.is_ascii();
        if !ascii || self.codes[usize::from(next)] >= CODES_MAX {
            return false;
        }
        let word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        !word(Some(last)) || !word(Some(next)) || word(before(2)) || word(after(2))
    }

    fn push_all(&self, text: &str, at: usize, gap: bool, folded: &mut Folded) {
        for c in text[at..].chars().next().into_iter().flat_map(plain).map(simplified) {
            folded.push(self.alphabet.code(c), at, gap);
        }
    }
}

/// Where the text goes on after separators at `at` that only decorate: few of them, between two
/// Chinese characters, between such a one and a Latin word, or between Latin letters alone.
fn after_decoration(text: &str, at: usize) -> Option<usize> {
    let mut next = at;
    let mut run = 0;
    for c in text[at..].chars() {
        match () {
            () if is_separator(c) => run += 1,
            () if is_invisible(c) => {}
            () => break,
        }
        if run > SEPARATORS_MAX {
            return None;
        }
        next += c.len_utf8();
    }
    let mut before = text[..at].chars().rev().skip_while(|c| is_invisible(*c));
    let mut after = text[next..].chars();
    let (last, first) = (before.next()?, after.next()?);
    // What is invisible parts letters, too, where somebody put it.
    let alone = |beyond: Option<char>| !beyond.is_some_and(is_latin);
    let decorates = match (is_cjk(last), is_cjk(first)) {
        (true, true) => true,
        (true, false) => is_latin(first),
        (false, true) => is_latin(last),
        (false, false) => is_latin(last) && is_latin(first) && alone(before.next()) && alone(after.next()),
    };
    decorates.then_some(next)
}

/// Whether a folded original has the characters of a pattern as they are, without traditional
/// forms having been taken for simplified ones.
pub(crate) fn is_verbatim(original: &str, pattern: &str) -> bool {
    let visible = |c: &char| !is_invisible(*c) && !is_separator(*c);
    let plainly = |text: &str| text.chars().filter(visible).flat_map(plain).collect::<Vec<_>>();
    plainly(original) == plainly(pattern)
}

/// Whether folding leaves every character of a text as it is.
pub(crate) fn is_folded(text: &str) -> bool {
    text.chars().all(|c| FOLDED.get(c as usize).is_some_and(|folded| u32::from(*folded) == u32::from(c)))
}

/// A letter or digit of a Latin word, wide forms included.
pub(crate) fn is_latin(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '\u{FF10}'..='\u{FF19}' | '\u{FF21}'..='\u{FF3A}' | '\u{FF41}'..='\u{FF5A}')
}

fn is_cjk(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{00AD}' | '\u{180E}'
            | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{034F}'
    )
}

pub(crate) fn is_separator(c: char) -> bool {
    const DECORATION: &str = "*·•|_~^-.+=#@/\\★☆●○※丨﹡＊—`♥❤◆◇■□▲△→ \u{3000}\u{A0}\t\n\r";
    c.is_whitespace() || DECORATION.contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(text: &str) -> Folder {
        let chars: Vec<char> = text.chars().collect();
        Folder::new(Alphabet::of(std::iter::once(&chars[..])).expect("few characters"))
    }

    /// The folded text, with `?` for what the alphabet lacks.
    fn fold(text: &str) -> (String, Folded) {
        let folder = folder("百家乐号abcdefghijklmnopqrstuvwxyz0123456789- .国目的网万");
        let mut folded = Folded::default();
        folder.fold(text, &mut folded);
        let name =
            |code: &u16| folder.alphabet.iter().find(|(_, other)| other == code).map_or('?', |(c, _)| c);
        (folded.codes().iter().map(name).collect(), folded)
    }

    #[test]
    fn what_a_reader_sees_as_one_folds_to_one() {
        let table = [
            ("ＡＢｃ１２", "abc12"),
            ("百\u{200B}家\u{200B}乐", "百家乐"),
            ("百*家*乐", "百家乐"),
            ("百 - 家", "百 - 家"),
            ("百\u{A0}家 乐", "百家乐"),
            ("①号", "1号"),
            ("目的 Word", "目的word"),
            ("word 百", "word百"),
            ("ab cd", "ab cd"),
            ("v.p.n", "vpn"),
            ("a.bc", "a.bc"),
            ("萬國網", "万国网"),
            ("ﬁ㎡𝐀", "fim2a"),
            ("𠀀百", "?百"),
        ];
        for (original, text) in table {
            let (found, folded) = fold(original);
            assert_eq!(found, text, "{original}");
            let end = original.trim_end_matches('\u{200B}').len();
            assert_eq!(folded.span(original, 0, folded.codes().len()), (0, end), "{original}");
        }
    }

    #[test]
    fn traditional_forms_are_told_from_the_pattern_itself() {
        assert!(is_verbatim("一目瞭然", "一目瞭然"));
        assert!(!is_verbatim("一目了然", "一目瞭然"));
        assert!(is_verbatim("Ｖ*Ｐ*Ｎ", "vpn"));
    }

    proptest::proptest! {
        #[test]
        fn texts_fold_as_patterns_do(text in "[百家乐ab\u{200B}* .ＡＢ㎡ﬁ國\u{20000}-]{0,24}") {
            let (chars, _) = fold_pattern(&text);
            let folder = folder("百家乐ab* .㎡m2fi国-");
            let mut folded = Folded::default();
            folder.fold(&text, &mut folded);
            let expected: Vec<u16> = chars.iter().map(|&c| folder.alphabet.code(c)).collect();
            proptest::prop_assert_eq!(folded.codes(), &expected);
        }

        #[test]
        fn spans_always_lie_on_character_borders(text in ".{0,60}") {
            let folder = folder("a百");
            let mut folded = Folded::default();
            folder.fold(&text, &mut folded);
            for at in 0..folded.codes().len() {
                let (start, end) = folded.span(&text, at, at + 1);
                proptest::prop_assert!(text.get(start..end).is_some_and(|one| !one.is_empty()));
            }
        }
    }
}
