//! Which part of a page an element opens, by its name and class.

use xunjian_model::Zone;

use crate::attribute::{Attribute, Attributes};
use crate::element::Element;
use crate::names::{Room, lowered};

/// The zone an element begins, if its name, class or id says so. A `page` that is `outermost` is the whole page,
/// any other a pager; `page-main` and `page_content` are parts of any kind.
pub(crate) fn zone_of(element: Element, attributes: &Attributes<'_>, outermost: bool) -> Option<Zone> {
    match element {
        Element::Nav | Element::Header | Element::Aside => return Some(Zone::Navigation),
        Element::Footer => return Some(Zone::Footer),
        _ => {}
    }
    [Attribute::Class, Attribute::Id].into_iter().find_map(|name| {
        let value = attributes.get(name)?;
        if value.split_ascii_whitespace().any(is_editor) {
            return Some(Zone::Main);
        }
        let mut rest = value.as_bytes();
        // The word before, if it is of the same class.
        let mut before: &[u8] = &[];
        while !rest.is_empty() {
            let bytes = rest.iter().position(|byte| APART[usize::from(*byte)]).unwrap_or(rest.len());
            let (word, end) = (&rest[..bytes], rest.get(bytes));
            let joins = matches!(end, Some(b'-' | b'_'));
            let after = rest.get(bytes + 1..).unwrap_or_default();
            if let Some(zone) = zone_of_word(word) {
                let behind = if joins { after } else { &[] };
                let is_place = match word.to_ascii_lowercase().as_slice() {
                    b"page" => {
                        let is_part = joins && !PAGER_PARTS.iter().any(|part| behind.starts_with(part));
                        !(outermost || is_part || !before.is_empty())
                    }
                    b"bottom" => !STYLES.iter().chain(&PARTS).any(|word| before.eq_ignore_ascii_case(word)),
                    b"position" => !POSITIONS.iter().any(|position| behind.starts_with(position)),
                    _ => true,
                };
                if is_place {
                    return Some(zone);
                }
            }
            (rest, before) = (after, if joins { word } else { &[] });
        }
        None
    })
}

/// Whether a class is that of what was typed in a content system's editor: TRS WCM, UCAP, Visual SiteBuilder, EasySite.
fn is_editor(class: &str) -> bool {
    const EDITORS: [&str; 6] =
        ["TRS_Editor", "TRS_UEDITOR", "UCAP-CONTENT", "vsb_content", "v_news_content", "easysite-news-text"];
    EDITORS.iter().any(|editor| class.eq_ignore_ascii_case(editor)) || class.starts_with("TRS_AUTOADD")
}

/// What stands before `bottom` and behind `position` in names of mere styles: `border-bottom`, `position-relative`.
const STYLES: [&[u8]; 9] =
    [b"border", b"margin", b"padding", b"corner", b"radius", b"line", b"align", b"text", b"mar"];
/// What has a lower part of its own: `content-bottom`.
const PARTS: [&[u8]; 18] = [
    b"content", b"con", b"cont", b"article", b"art", b"news", b"detail", b"details", b"list", b"box",
    b"left", b"right", b"middle", b"center", b"title", b"tab", b"item", b"card",
];
const POSITIONS: [&[u8]; 5] = [b"relative", b"absolute", b"fixed", b"static", b"sticky"];

/// What a pager is called behind `page-`.
const PAGER_PARTS: [&[u8]; 6] = [b"num", b"bar", b"turn", b"btn", b"next", b"prev"];

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

/// Digits behind a word, such as the year of a template: `footer2020`.
const DIGITS_MAX: usize = 4;

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
            | b"su"
            | b"ma"
    ) {
        return None;
    }
    let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    // `page2` may be any part of a page.
    let word = match word.len() - digits {
        bytes if digits <= DIGITS_MAX && !word[..bytes].eq_ignore_ascii_case(b"page") => &word[..bytes],
        _ => word,
    };
    match lowered(word, &mut Room::default())? {
        b"nav" | b"navi" | b"navbar" | b"navigation" | b"menu" | b"header" | b"crumb" | b"crumbs"
        | b"breadcrumb" | b"sidebar" | b"position" | b"dqwz" | b"location" | b"pager" | b"page"
        | b"pagination" | b"topbar" | b"drop" | b"navs" | b"navbox" | b"navlist" | b"navmenu" | b"topnav"
        | b"mainnav" | b"subnav" | b"menus" | b"menubar" | b"mainmenu" | b"submenu" | b"topmenu" => {
            Some(Zone::Navigation)
        }
        b"footer" | b"foot" | b"copyright" | b"bottom" | b"friends" | b"footbox" => Some(Zone::Footer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_classes_say_where_an_element_stands() {
        const NAVIGATION: [&str; 20] = [
            "nav", "navi", "navbar", "navigation", "menu", "header", "crumb", "crumbs", "breadcrumb",
            "sidebar", "position", "dqwz", "location", "pager", "page", "pagination", "topbar", "drop",
            "topnav", "mainmenu",
        ];
        const FOOTER: [&str; 6] = ["footer", "foot", "copyright", "bottom", "friends", "footbox"];
        let zone = |class: &str| {
            let mut attributes = Attributes::default();
            attributes.push("class", class);
            zone_of(Element::Div, &attributes, false)
        };
        for (words, wanted) in [(&NAVIGATION[..], Zone::Navigation), (&FOOTER[..], Zone::Footer)] {
            for word in words {
                if *word == "page" {
                    assert_eq!(zone("page"), Some(wanted));
                    continue;
                }
                for class in
                    [(*word).to_owned(), word.to_uppercase(), format!("x {word}-1"), format!("my_{word}2020")]
                {
                    assert_eq!(zone(&class), Some(wanted), "{class}");
                }
                assert_eq!(zone(&format!("{word}x")), None, "{word}");
            }
        }
        assert_eq!(zone("内容 content navigation20201 navigationnavigationnavigation"), None);
        assert_eq!(zone_of(Element::Header, &Attributes::default(), true), Some(Zone::Navigation));
        assert_eq!(zone_of(Element::Footer, &Attributes::default(), true), Some(Zone::Footer));
        let mut whole = Attributes::default();
        whole.push("id", "page");
        assert_eq!(zone_of(Element::Div, &whole, true), None);
        assert_eq!(zone("page2"), None);
        for class in [
            "yaowen-content-bottom", "box border-bottom", "tn-corner-bottom", "margin-bottom-20",
            "position-relative",
        ] {
            assert_eq!(zone(class), None, "{class}");
        }
        assert_eq!(zone("page-bottom"), Some(Zone::Footer));
        assert_eq!(zone("border-bottom footer"), Some(Zone::Footer));
        assert_eq!(zone("position relative"), Some(Zone::Navigation));
        for class in
            ["TRS_Editor", "TRS_AUTOADD_1548039204645", "view TRS_UEDITOR trs_paper_default", "ucap-content"]
        {
            assert_eq!(zone(class), Some(Zone::Main), "{class}");
        }
        for class in ["page-main", "page_content", "ewb-page-wrap", "list-page"] {
            assert_eq!(zone(class), None, "{class}");
        }
        for class in ["page-num", "page_nums", "page-nav", "page page-b"] {
            assert_eq!(zone(class), Some(Zone::Navigation), "{class}");
        }
    }
}
