//! Which part of a page an element opens, by its name and class.

use xunjian_model::Zone;

use crate::attribute::{Attribute, Attributes};
use crate::element::Element;

/// Bytes of the longest word below.
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
    // No word below begins with another letter, or has more of them.
    if word.len() > LONGEST || !b"nmhcbspdltf".contains(&(word.first()? | 0x20)) {
        return None;
    }
    let mut lower = [0; LONGEST];
    let lower = &mut lower[..word.len()];
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    match &*lower {
        b"nav" | b"navi" | b"navbar" | b"navigation" | b"menu" | b"header" | b"crumb" | b"crumbs"
        | b"breadcrumb" | b"sidebar" | b"position" | b"dqwz" | b"location" | b"pager" | b"page"
        | b"pagination" | b"topbar" | b"drop" => Some(Zone::Navigation),
        b"footer" | b"foot" | b"copyright" | b"bottom" | b"friends" => Some(Zone::Footer),
        _ => None,
    }
}
