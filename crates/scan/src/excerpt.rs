//! Evidence in words: the hit with what stands around it.

use crate::privacy::mask_all;

/// Characters shown before and after a hit.
const BEFORE: usize = 30;
const AFTER: usize = 40;
/// Marks around the hit.
pub(crate) const OPEN: char = '⟦';
pub(crate) const CLOSE: char = '⟧';

/// The text around `start..end` with the hit marked; personal numbers are masked.
pub(crate) fn around(text: &str, start: usize, end: usize) -> String {
    let clean = |part: &str| part.replace([OPEN, CLOSE], " ");
    let before = &text[..start];
    let from = before.char_indices().rev().take(BEFORE).last().map_or(start, |(at, _)| at);
    let after = &text[end..];
    let to = after.char_indices().nth(AFTER).map_or(text.len(), |(at, _)| end + at);
    // Masking runs over each part whole, so that no number is cut in two and escapes.
    let head = tail_of(&mask_all(before), before[from..].chars().count());
    let tail = head_of(&mask_all(after), text[end..to].chars().count());
    format!("{}{OPEN}{}{CLOSE}{}", clean(&head), clean(&mask_all(&text[start..end])), clean(&tail))
}

fn tail_of(text: &str, chars: usize) -> String {
    let skip = text.chars().count().saturating_sub(chars);
    text.chars().skip(skip).collect()
}

fn head_of(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}
