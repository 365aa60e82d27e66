//! Pages that a site's own search has to find (D18): the newest of some classes.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use xunjian_model::{Facts, Link, Zone};

use crate::columns::{self, Around};

/// A page that is known to be on the site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPage {
    /// Class of its column.
    pub class: String,
    /// Title, as lists show it.
    pub title: String,
    /// Address.
    pub url: String,
}

/// Classes whose pages a site's search has to find (D18).
pub(crate) const CLASSES: [&str; 4] = ["news", "policy", "interaction", "service"];

/// The newest page that a column lists: by the dates of its rows, and where these have none, by the pages' own, which
/// `dated` gives for their addresses.
pub(crate) fn newest_listed(
    (facts, around): (&Facts, Around<'_>),
    dated: impl Fn(&Link) -> Option<Date>,
) -> Option<KnownPage> {
    let of_rows = columns::own_items(facts, around)
        .filter_map(|item| Some((item.date?, facts.links.get(item.link as usize)?)));
    let newest = of_rows.max_by_key(|(date, _)| *date);
    let own = || facts.links.iter().filter(|link| link.zone == Zone::Main && !link.hidden);
    let newest =
        newest.or_else(|| own().filter_map(|link| Some((dated(link)?, link))).max_by_key(|(date, _)| *date));
    let (_, link) = newest?;
    let title = facts.link_text(link);
    let page = || KnownPage { class: String::new(), title: title.to_owned(), url: link.url.clone() };
    (!title.is_empty()).then(page)
}
