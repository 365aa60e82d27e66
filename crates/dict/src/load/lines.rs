//! Plain lists: one pattern a line, `#` for remarks.

use super::{Collected, Row};
use crate::Category;

pub(super) fn read(text: &str, collected: &mut Collected) {
    for (at, line) in text.lines().enumerate() {
        let pattern = line.trim();
        if pattern.is_empty() || pattern.starts_with('#') {
            continue;
        }
        let category = Some(Category::SensitiveWord);
        collected.push(at + 1, Row { pattern: pattern.to_owned(), category, ..Row::default() });
        if collected.is_full() {
            return;
        }
    }
}
