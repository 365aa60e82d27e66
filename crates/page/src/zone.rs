//! Which part of a page an element opens, by its name and class.

use xunjian_model::Zone;

use crate::attribute::{Attribute, Attributes};
use crate::element::Element;
use crate::names::{Room, lowered};

/// The zone an element begins, if its name, class or id says so.
pub(crate) fn zone_of(element: Element, attributes: &Attributes<'_>) -> Option<Zone> {
    match element {
        Element::Nav | Element::Header | Element::Aside => return Some(Zone::Navigation),
        Element::Footer => return Some(Zone::Footer),
        _ => {}
    }
    [Attribute::Class, Attribute::Id].into_iter().find_map(|name| {
        let value = attributes.get(name)?;
        let mut rest = value.as_bytes();
        while !rest.is_empty() {
            let bytes = rest.iter().position(|byte| APART[usize::from(*byte)]).unwrap_or(rest.len());
            if let Some(zone) = zone_of_word(&rest[..bytes]) {
                return Some(zone);
            }
            rest = rest.get(bytes + 1..).unwrap_or_default();
        }
        None
    })
}

/// What stands between two words of a class.
const APART: [bool; 256] = {
    let mut table = [false; 256];
    let apart = b" \t\n\r\x0C-_";
    let mut at = 0;
    while at < apart.len() {
        table[apart[at] as usize] = true;
        at += 1;
    }
    table
};

/// The zone that a word of a class or an id says.
fn zone_of_word(word: &[u8]) -> Option<Zone> {
    // No word below begins with other letters.
    let [first, second, _, ..] = word else { return None };
    if !matches!(
        &[first | 0x20, second | 0x20],
        b"na"
            | b"me"
            | b"he"
            | b"cr"
            | b"br"
            | b"si"
            | b"po"
            | b"dq"
            | b"lo"
            | b"pa"
            | b"to"
            | b"dr"
            | b"fo"
            | b"co"
            | b"bo"
            | b"fr"
    ) {
        return None;
    }
    match lowered(word, &mut Room::default())? {
        b"nav" | b"navi" | b"navbar" | b"navigation" | b"menu" | b"header" | b"crumb" | b"crumbs"
        | b"breadcrumb" | b"sidebar" | b"position" | b"dqwz" | b"location" | b"pager" | b"page"
        | b"pagination" | b"topbar" | b"drop" => Some(Zone::Navigation),
        b"footer" | b"foot" | b"copyright" | b"bottom" | b"friends" => Some(Zone::Footer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_classes_say_where_an_element_stands() {
        const NAVIGATION: [&str; 18] = [
            "nav", "navi", "navbar", "navigation", "menu", "header", "crumb", "crumbs", "breadcrumb",
            "sidebar", "position", "dqwz", "location", "pager", "page", "pagination", "topbar", "drop",
        ];
        const FOOTER: [&str; 5] = ["footer", "foot", "copyright", "bottom", "friends"];
        let zone = |class: &str| {
            let mut attributes = Attributes::default();
            attributes.push("class", class);
            zone_of(Element::Div, &attributes)
        };
        for (words, wanted) in [(&NAVIGATION[..], Zone::Navigation), (&FOOTER[..], Zone::Footer)] {
            for word in words {
                for class in
                    [(*word).to_owned(), word.to_uppercase(), format!("x {word}-1"), format!("my_{word}")]
                {
                    assert_eq!(zone(&class), Some(wanted), "{class}");
                }
                assert_eq!(zone(&format!("{word}x")), None, "{word}");
            }
        }
        assert_eq!(zone("内容 content navigation1 navigationnavigationnavigation"), None);
        assert_eq!(zone_of(Element::Header, &Attributes::default()), Some(Zone::Navigation));
        assert_eq!(zone_of(Element::Footer, &Attributes::default()), Some(Zone::Footer));
    }
}
