//! Columns: which there are, of which class, how fresh (V3, V4).

use std::collections::HashSet;

use jiff::ToSpan as _;
use jiff::civil::Date;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use xunjian_model::{
    DateSource, Facts, Kind, Link, LinkKind, ListItem, PageKind, PageUrl, Site, StatedColumn, Zone,
};

use crate::ScanSetup;
use crate::article::{asks, own_chars, pictures};
use crate::digest::{PageFinding, url_hash};

/// Longest name of a column, in characters.
const NAME_CHARS_MAX: usize = 12;
/// What some menus have before the names of their entries.
const DECORATIONS: [char; 14] = ['▪', '·', '•', '■', '□', '◆', '◇', '○', '●', '★', '>', '»', '-', '|'];
/// What stands in front of words that others searched for.
const SEARCHED: [&str; 5] = ["热门搜索", "热搜", "热门关键", "搜索热词", "热门词"];
/// Rows that an article has beside it no more than.
const ROWS_MIN: usize = 3;
/// Columns to which a page leads once more than all do, from which it is its site's map if it leads to most of them.
const MAP_MIN: usize = 4;
/// Characters of a text of its own up to which a page without rows is blank.
const BLANK_CHARS_MAX: usize = 60;

/// A class of columns, as the catalogue has it.
#[derive(Clone, Debug)]
pub struct ColumnClass {
    /// Its id; checks know `news`, `policy`, `interpretation`, `interaction`, `service` and others.
    pub id: String,
    /// Words of a column's name; the first class with one counts.
    pub words: Vec<String>,
    /// Oldest the newest item may be.
    pub max_age: Option<jiff::Span>,
}

/// The id of the class a column's name says.
pub(crate) fn class_of<'c>(name: &str, classes: &'c [ColumnClass]) -> Option<&'c str> {
    let found = classes.iter().find(|class| class.words.iter().any(|word| name.contains(word.as_str())));
    found.map(|class| class.id.as_str())
}

/// Id of a column that no class fits.
pub const OTHER: &str = "other";

/// A column that the home page names, or the office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// Name in the navigation; empty when only the office names it.
    pub(crate) name: String,
    /// First list page.
    pub(crate) url: PageUrl,
    /// Its class, where the office says it.
    pub(crate) stated: Option<String>,
}

impl Column {
    /// Its name, of its page where the navigation gives none.
    pub(crate) fn name<'f>(&'f self, facts: &'f Facts) -> &'f str {
        if self.name.is_empty() { &facts.title } else { &self.name }
    }

    /// What its page's label calls it.
    pub(crate) fn label(facts: &Facts) -> Option<&str> {
        facts.label("ColumnName").filter(|name| !name.is_empty())
    }

    /// The fault of a label that other columns have, too, and that is not what the menu calls this one.
    pub(crate) fn wrong_label(&self, label: &str, others: bool) -> Option<PageFinding> {
        let alike = self.name.is_empty() || label.contains(&self.name) || self.name.contains(label);
        (others && !alike).then(|| {
            let excerpt = format!("ColumnName = ⟦{label}⟧");
            let reason = format!("other columns have it, too; the menu says {}", self.name);
            PageFinding::new(Kind::BadLabel, "ColumnName", excerpt).with("reason", reason)
        })
    }

    /// Id of its class.
    pub(crate) fn class<'c>(&'c self, classes: &'c [ColumnClass]) -> Option<&'c str> {
        match &self.stated {
            Some(class) => Some(class),
            None => class_of(&self.name, classes),
        }
    }
}

/// A column as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnReport {
    /// Name in the navigation.
    pub name: String,
    /// First list page.
    pub url: String,
    /// Id of its class in the catalogue, or `other`.
    pub class: String,
    /// Newest dated item, not later than the monitoring point.
    pub newest: Option<Date>,
    /// Has offered no information since it was opened, as far as the page shows.
    pub blank: bool,
    /// A script fills the list, or a frame that was not seen: whether it is blank, the page alone cannot tell.
    pub scripted: bool,
}

/// The columns a home page names: short links of its navigation to other pages of the site. What stands there with a
/// date is an article.
pub(crate) fn discover(home: &Facts, site: &Site, classes: &[ColumnClass]) -> Vec<Column> {
    let mut found: Vec<Column> = Vec::new();
    let dated: HashSet<u32> = home.items.iter().map(|item| item.link).collect();
    let undated = (0..).zip(&home.links).filter(|(at, _)| !dated.contains(at)).map(|(_, link)| link);
    // What readers search for leads to what was found, whatever it is called.
    let searched = |link: &Link| {
        let block = home.blocks.get(link.block as usize);
        block.is_some_and(|block| SEARCHED.iter().any(|word| block.text.contains(word)))
    };
    for link in undated.filter(|link| link.kind == LinkKind::Page && !link.hidden && !searched(link)) {
        // Menus draw points and arrows before their entries.
        let name = home.link_name(link).trim_start_matches(DECORATIONS).trim().to_owned();
        let chars = name.chars().count();
        let Ok(url) = PageUrl::parse(&link.url) else { continue };
        let is_home = url == site.url || matches!(name.as_str(), "首页" | "网站首页" | "返回首页");
        if !(2..=NAME_CHARS_MAX).contains(&chars) || is_home || !site.in_scope(&url) {
            continue;
        }
        // Outside the navigation, and of a picture, only a name that says its class is taken for a column's.
        let is_column = match link.zone {
            Zone::Navigation if !home.link_text(link).is_empty() => true,
            Zone::Navigation => class_of(&name, classes).is_some(),
            Zone::Main => chars <= 6 && class_of(&name, classes).is_some(),
            Zone::Head | Zone::Footer => false,
        };
        if is_column && !found.iter().any(|known| known.url == url) {
            found.push(Column { name, url, stated: None });
        }
    }
    found
}

/// The columns that a directory names, if the page is one: each by its list.
pub(crate) fn of_directory(facts: &Facts) -> Vec<Column> {
    let lists = facts.links.iter().filter(|link| link.kind == LinkKind::Data && !link.hidden);
    let column = |link| {
        let name = facts.link_text(link).trim().to_owned();
        let url = PageUrl::parse(&link.url).ok().filter(|_| !name.is_empty())?;
        Some(Column { name, url, stated: None })
    };
    lists.filter_map(column).collect()
}

/// What the office says of a column: its class, that it is none, or that there is one the home page does not name.
pub(crate) fn state(columns: &mut Vec<Column>, stated: StatedColumn) {
    let StatedColumn { url, class } = stated;
    match (columns.iter_mut().find(|column| column.url == url), class) {
        (_, None) => columns.retain(|column| column.url != url),
        (Some(column), class) => column.stated = class,
        (None, class) => columns.push(Column { name: String::new(), url, stated: class }),
    }
}

/// What stands in the menus of a home page, and so on every page, by hash.
pub(crate) fn menu_of(home: &Facts) -> HashSet<u64> {
    let beside = home.links.iter().filter(|link| link.zone != Zone::Main && link.kind == LinkKind::Page);
    beside.map(|link| url_hash(&link.url)).collect()
}

/// What stands on a column's page and is not the column's.
#[derive(Clone, Copy)]
pub(crate) struct Around<'h> {
    /// What stands in the menus of every page.
    pub(crate) menu: &'h HashSet<u64>,
    /// The site's columns.
    pub(crate) columns: &'h HashSet<u64>,
    /// What stands on most columns' pages, and what of it stands here no more often.
    pub(crate) shared: &'h HashSet<u64>,
    pub(crate) boxed: &'h HashSet<u64>,
    /// Short lines of most columns' pages, by hash.
    pub(crate) lines: &'h FxHashSet<u32>,
}

/// Rows of a page's own list. Menus and boxes of every page may show the newest of other columns.
pub(crate) fn own_items<'f>(facts: &'f Facts, around: Around<'_>) -> impl Iterator<Item = &'f ListItem> {
    facts.items.iter().filter(move |item| {
        let own = |link: &Link| {
            let hash = url_hash(&link.url);
            !around.boxed.contains(&hash) && (link.zone == Zone::Main || !around.menu.contains(&hash))
        };
        facts.links.get(item.link as usize).is_some_and(own)
    })
}

/// Reads a column's first page. `name` is what the column is called, `newest_elsewhere` the newest article known to be
/// of the column by its label or address.
pub(crate) fn read(
    (column, name): (&Column, &str),
    (facts, around): (&Facts, Around<'_>),
    newest_elsewhere: Option<Date>,
    setup: &ScanSetup,
) -> Option<ColumnReport> {
    let url = &column.url;
    let latest = setup.point.saturating_add(1.day());
    let in_list = own_items(facts, around).filter_map(|item| item.date).filter(|date| *date <= latest).max();
    let leads = || {
        facts.links.iter().filter(|link| {
            link.zone == Zone::Main
                && !link.hidden
                && matches!(link.kind, LinkKind::Page | LinkKind::Attachment)
                && url_hash(&link.url) != url_hash(url.as_str())
        })
    };
    let rows = leads().filter(|link| !around.shared.contains(&url_hash(&link.url))).count();
    let mapped = leads().map(|link| url_hash(&link.url)).filter(|hash| around.columns.contains(hash));
    let mapped: HashSet<u64> = mapped.collect();
    let is_map =
        mapped.difference(around.boxed).count() >= MAP_MIN && mapped.len() * 2 > around.columns.len();
    // What its own page calls it, it is, unless somebody says so.
    let class = match &column.stated {
        Some(class) => class,
        None => class_of(name, &setup.classes).unwrap_or(OTHER),
    };
    let shows_others = |picture: &str| around.shared.contains(&url_hash(picture));
    let own_media = facts.main_media as usize > pictures(facts).count() || !pictures(facts).all(shows_others);
    let empty = rows == 0
        && !is_map
        && own_items(facts, around).next().is_none()
        && own_chars(facts, around.lines) <= BLANK_CHARS_MAX
        && !own_media
        && !asks(facts)
        && facts.refresh.is_none();
    let newest = in_list.max(newest_elsewhere.filter(|date| *date <= latest));
    // A page of text or a form is no list: its age says nothing. Beside an article a row or two may stand, and its
    // folder may be another column's.
    let is_text = facts.kind == PageKind::Article;
    let is_article = is_text && facts.dates.iter().any(|one| one.source == DateSource::Visible);
    let rows_min = if is_text { ROWS_MIN } else { 1 };
    let is_list = own_items(facts, around).nth(rows_min - 1).is_some()
        || empty
        || newest_elsewhere.is_some() && !is_article;
    is_list.then(|| ColumnReport {
        name: name.to_owned(),
        url: url.to_string(),
        class: class.to_owned(),
        newest,
        blank: empty && newest.is_none(),
        scripted: facts.scripted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_name_columns_of_a_class() {
        let url = PageUrl::parse("http://a.gov.cn/").expect("url");
        let site = Site::new(
            xunjian_model::SiteId::new("a").expect("id"),
            "甲".to_owned(),
            url.clone(),
            xunjian_model::SiteKind::Portal,
        );
        let html = "<div class=nav><a href=/index.html><img src=l.png alt=某市人民政府></a><a href=/ld/><img src=a.png alt=领导之窗></a>\
            <a href=/zj/ title=走近某市><img src=b.png></a><a href=/fw/>服务</a></div>\
            <a href=/jd/><img src=c.png alt=政策解读></a><a href=/1.html><img src=d.jpg alt=市领导调研重点项目建设></a>";
        let home = xunjian_page::extract(html.as_bytes(), None, &url, xunjian_page::Limits::default());
        let class = |id: &str, word: &str| ColumnClass {
            id: id.to_owned(),
            words: vec![word.to_owned()],
            max_age: None,
        };
        let classes = [class("leaders", "领导"), class("interpretation", "解读")];
        let found = discover(&home, &site, &classes);
        let names: Vec<&str> = found.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["领导之窗", "服务", "政策解读"]);
    }

    #[test]
    fn a_menu_s_news_are_not_the_column_s() {
        let url = PageUrl::parse("http://a.gov.cn/x/").expect("url");
        let facts =
            |html: &str| xunjian_page::extract(html.as_bytes(), None, &url, xunjian_page::Limits::default());
        let row = |day: &str| format!("<ul><li><a href=/{day}>a</a> {day}</li></ul>");
        let menu = format!("<div class=nav>{}</div>", row("2026-11-20"));
        let everywhere = menu_of(&facts(&menu));
        let dates = |html: &str| -> Vec<String> {
            let facts = facts(html);
            let around = Around {
                menu: &everywhere,
                columns: &HashSet::new(),
                shared: &HashSet::new(),
                lines: &FxHashSet::default(),
                boxed: &HashSet::new(),
            };
            own_items(&facts, around).filter_map(|item| Some(item.date?.to_string())).collect()
        };
        assert_eq!(dates(&format!("{menu}<div>{}</div>", row("2020-01-02"))), ["2020-01-02"]);
        assert_eq!(dates(&menu), [""; 0]);
        let other = format!("{menu}<div class=menu>{}</div>", row("2020-01-02"));
        assert_eq!(dates(&other), ["2020-01-02"], "no menu of every page");
    }
}
