//! Words of running text: whether a hit cuts through one.

use std::sync::LazyLock;

use jieba_rs::Jieba;

/// Loaded at the first hit; most texts have none.
static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// Characters on each side of a hit that the cut looks at.
const AROUND: usize = 12;

/// Whether the best cut of the text into words has one that lies across a border of `start..end`:
/// then the characters belong to other words, as 一但 does in 统一但. Known words alone count, none
/// that are guessed from their characters.
pub(crate) fn crosses(text: &str, start: usize, end: usize) -> bool {
    let from = text[..start].char_indices().rev().take(AROUND).last().map_or(start, |(at, _)| at);
    let to = text[end..].char_indices().nth(AROUND).map_or(text.len(), |(at, _)| end + at);
    let mut at = from;
    JIEBA.cut(&text[from..to], false).iter().any(|token| {
        let word = at..at + token.word.len();
        at = word.end;
        [start, end].iter().any(|border| word.start < *border && *border < word.end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_around_a_hit_take_its_characters() {
        let table = [
            ("市场统一但仍有", "一但", true),
            ("一但发现", "一但", false),
            ("关健环节", "关健", false),
            ("进行行政处罚", "行行", true),
        ];
        for (text, hit, expected) in table {
            let start = text.find(hit).expect("in the text");
            assert_eq!(crosses(text, start, start + hit.len()), expected, "{text}");
        }
    }
}
