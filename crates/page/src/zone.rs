//! Which part of a page an element opens, by its name and class.

use xunjian_model::Zone;

/// The zone an element begins, if its name, class or id says so.
pub(crate) fn zone_of(name: &str, class: &str, id: &str) -> Option<Zone> {
    match name {
        "nav" | "header" | "aside" => return Some(Zone::Navigation),
        "footer" => return Some(Zone::Footer),
        _ => {}
    }
    let words = || {
        class
            .split_ascii_whitespace()
            .chain(std::iter::once(id))
            .flat_map(|word| word.split(['-', '_']))
            .map(str::to_ascii_lowercase)
    };
    words().find_map(|word| {
        let navigation = matches!(
            word.as_str(),
            "nav"
                | "navi"
                | "navbar"
                | "navigation"
                | "menu"
                | "header"
                | "crumb"
                | "crumbs"
                | "breadcrumb"
                | "sidebar"
                | "position"
                | "dqwz"
                | "location"
                | "pager"
                | "page"
                | "pagination"
                | "topbar"
                | "drop"
        );
        let footer = matches!(word.as_str(), "footer" | "foot" | "copyright" | "bottom" | "friends");
        match (navigation, footer) {
            (true, _) => Some(Zone::Navigation),
            (_, true) => Some(Zone::Footer),
            _ => None,
        }
    })
}
