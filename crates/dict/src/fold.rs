//! Folding: one spelling for what a reader sees as one, with the way back to the original.

use unicode_normalization::UnicodeNormalization as _;

/// A folded text and, for every byte of it, where its character began in the original.
#[derive(Clone, Debug, Default)]
pub struct Folded {
    text: String,
    /// Original byte offset per folded byte, one more for the end.
    origin: Vec<u32>,
    /// Original end of the character per folded byte.
    ends: Vec<u32>,
    /// Folded offsets before which a visible separator was dropped.
    gaps: Vec<u32>,
}

/// Most separators in a row that are taken for decoration.
const SEPARATORS_MAX: usize = 2;

impl Folded {
    /// Folds a text: NFKC, ASCII case, no zero-width characters, no decorative separators
    /// between two CJK characters.
    pub fn new(original: &str) -> Self {
        let mut folded = Self::default();
        folded.refold(original);
        folded
    }

    /// Folds another text into the same buffers.
    pub fn refold(&mut self, original: &str) {
        self.text.clear();
        self.origin.clear();
        self.ends.clear();
        self.gaps.clear();
        self.text.reserve(original.len());
        self.origin.reserve(original.len() + 1);
        self.ends.reserve(original.len() + 1);
        let mut last_cjk = false;
        let mut chars = original.char_indices();
        while let Some((at, c)) = chars.next() {
            let end = at + c.len_utf8();
            if is_cjk(c) {
                self.push(c, at, end);
                last_cjk = true;
            } else if is_invisible(c) {
                // Dropped without trace: a reader sees nothing either.
            } else if last_cjk && is_separator(c) {
                let ahead = chars.as_str();
                let run = ahead.chars().take_while(|&c| is_separator(c) || is_invisible(c)).count();
                let next = ahead.chars().nth(run);
                if run < SEPARATORS_MAX && next.is_some_and(is_cjk) {
                    for _ in 0..run {
                        chars.next();
                    }
                    self.gaps.push(self.text.len() as u32);
                } else {
                    self.fold_char(c, at, end);
                    last_cjk = false;
                }
            } else {
                self.fold_char(c, at, end);
                last_cjk = false;
            }
        }
        self.origin.push(original.len() as u32);
        self.ends.push(original.len() as u32);
    }

    fn fold_char(&mut self, c: char, at: usize, end: usize) {
        if c.is_ascii() {
            self.push(c.to_ascii_lowercase(), at, end);
        } else {
            for part in std::iter::once(c).nfkc() {
                self.push(part.to_ascii_lowercase(), at, end);
            }
        }
    }

    fn push(&mut self, c: char, at: usize, end: usize) {
        self.text.push(c);
        for _ in 0..c.len_utf8() {
            self.origin.push(at as u32);
            self.ends.push(end as u32);
        }
    }

    /// The folded text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The original bytes behind a range of folded bytes.
    pub fn original_span(&self, start: usize, end: usize) -> (usize, usize) {
        (self.origin[start] as usize, self.ends[end.max(1) - 1] as usize)
    }

    /// Whether visible separators were dropped inside a range of folded bytes.
    pub fn has_gap(&self, start: usize, end: usize) -> bool {
        let from = self.gaps.partition_point(|&gap| gap as usize <= start);
        self.gaps.get(from).is_some_and(|&gap| (gap as usize) < end)
    }
}

fn is_cjk(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}')
}

fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{00AD}' | '\u{180E}'
            | '\u{202A}'..='\u{202E}' | '\u{FE00}'..='\u{FE0F}'
    )
}

fn is_separator(c: char) -> bool {
    matches!(
        c,
        '*' | '·'
            | '•'
            | '|'
            | '_'
            | '~'
            | '^'
            | '-'
            | '.'
            | '+'
            | '='
            | '#'
            | '@'
            | '/'
            | '\\'
            | ' '
            | '\u{3000}'
            | '\u{00A0}'
            | '★'
            | '☆'
            | '●'
            | '○'
            | '※'
            | '丨'
            | '﹡'
            | '＊'
            | '—'
            | '`'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_keeps_the_way_back() {
        let table = [
            ("ＡＢｃ１２", "abc12"),
            ("百\u{200B}家\u{200B}乐", "百家乐"),
            ("百*家*乐", "百家乐"),
            ("百 - 家", "百 - 家"),
            ("①号", "1号"),
            ("目的 Word", "目的 word"),
        ];
        for (original, text) in table {
            let folded = Folded::new(original);
            assert_eq!(folded.text(), text, "{original}");
            assert_eq!(
                folded.original_span(0, folded.text().len()),
                (0, original.trim_end_matches('\u{200B}').len())
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn spans_always_lie_on_character_borders(original in ".{0,60}") {
            let folded = Folded::new(&original);
            for (at, c) in folded.text().char_indices() {
                let (start, end) = folded.original_span(at, at + c.len_utf8());
                proptest::prop_assert!(original.get(start..end).is_some());
            }
        }
    }
}
