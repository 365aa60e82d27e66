//! Which part of a page an element opens, by its name and class.

use xunjian_model::Zone;

use crate::attribute::{Attribute, Attributes};
use crate::element::Element;

/// Words of classes and ids around navigation.
const NAVIGATION: [&str; 18] = [
    "nav", "navi", "navbar", "navigation", "menu", "header", "crumb", "crumbs", "breadcrumb", "sidebar",
    "position", "dqwz", "location", "pager", "page", "pagination", "topbar", "drop",
];
/// The same around footers.
const FOOTER: [&str; 5] = ["footer", "foot", "copyright", "bottom", "friends"];

/// Bytes of the longest of these words.
const LONGEST: usize = 10;

/// The zone an element begins, if its name, class or id says so.
pub(crate) fn zone_of(element: Element, attributes: &Attributes<'_>) -> Option<Zone> {
    match element {
        Element::Nav | Element::Header | Element::Aside => return Some(Zone::Navigation),
        Element::Footer => return Some(Zone::Footer),
        _ => {}
    }
    [Attribute::Class, Attribute::Id].into_iter().find_map(|name| {
        let value = attributes.get(name)?;
        let apart = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'-' | b'_');
        value.as_bytes().split(apart).find_map(zone_of_word)
    })
}

/// The zone that a word of a class or an id says.
fn zone_of_word(word: &[u8]) -> Option<Zone> {
    // No word above begins with another letter, or has more of them.
    if word.len() > LONGEST || !b"nmhcbspdltf".contains(&word.first()?.to_ascii_lowercase()) {
        return None;
    }
    let is_one = |of: &[&str]| of.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
    if is_one(&NAVIGATION) { Some(Zone::Navigation) } else { is_one(&FOOTER).then_some(Zone::Footer) }
}
