//! Evidence in words: the hit with what stands around it.

use std::ops::Range;

use crate::privacy::mask_all;

/// Characters shown before and after a hit.
const BEFORE: usize = 30;
const AFTER: usize = 40;
/// Marks around the hit.
pub(crate) const OPEN: char = '⟦';
pub(crate) const CLOSE: char = '⟧';

/// Characters beyond those shown that are looked at, so that a number which begins or ends there
/// is seen whole and masked; longer than any number with its separators.
const BEYOND: usize = 64;

/// The text around `start..end` with the hit marked; personal numbers are masked. Takes no longer
/// for a hit in a long text than in a short one.
pub(crate) fn around(text: &str, start: usize, end: usize) -> String {
    let clean = |part: &str| part.replace([OPEN, CLOSE], " ");
    let back =
        |count: usize| text[..start].char_indices().rev().take(count).last().map_or(start, |(at, _)| at);
    let ahead = |count: usize| text[end..].char_indices().nth(count).map_or(text.len(), |(at, _)| end + at);
    let (from, to) = (back(BEFORE), ahead(AFTER));
    let head = mask_all(&text[back(BEFORE + BEYOND)..start]);
    let head = tail_of(&head, text[from..start].chars().count());
    let tail = mask_all(&text[end..ahead(AFTER + BEYOND)]);
    let tail = head_of(&tail, text[end..to].chars().count());
    format!("{}{OPEN}{}{CLOSE}{}", clean(&head), clean(&mask_all(&text[start..end])), clean(&tail))
}

/// The marked part of an excerpt.
pub fn hit_of(excerpt: &str) -> Option<&str> {
    Some(excerpt.split_once(OPEN)?.1.split_once(CLOSE)?.0)
}

/// The bytes of a hit, which may be masked, from `start` on in a text.
pub(crate) fn hit_in(text: &str, start: usize, hit: &str) -> Option<Range<usize>> {
    let mut written = text.get(start..)?.chars();
    let mut end = start;
    for masked in hit.chars() {
        let one = written.next().filter(|one| *one == masked || masked == '*')?;
        end += one.len_utf8();
    }
    Some(start..end)
}

fn tail_of(text: &str, chars: usize) -> String {
    let skip = text.chars().count().saturating_sub(chars);
    text.chars().skip(skip).collect()
}

fn head_of(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_at_the_borders_of_what_is_shown_are_masked() {
        let number = "11010519491231010X";
        for distance in 0..120 {
            let filler = "文".repeat(distance);
            let text = format!("身份证{number}，{filler}错字，{filler}身份证{number}");
            let start = text.find("错字").expect("in the text");
            let shown = around(&text, start, start + "错字".len());
            assert!(!shown.contains("19491231"), "{distance}: {shown}");
        }
    }

    #[test]
    fn a_hit_in_a_long_text_is_shown_as_fast() {
        let text = "百家乐 13812341234，".repeat(300_000);
        let begun = std::time::Instant::now();
        for at in 0..2_000 {
            let start = text.len() / 2 / 27 * 27 + at * 27;
            let _ = around(&text, text.floor_char_boundary(start), text.floor_char_boundary(start + 9));
        }
        // Whole texts were masked for each hit once; that would take hours.
        assert!(begun.elapsed() < std::time::Duration::from_secs(20));
    }
}
