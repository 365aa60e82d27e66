//! Columns: which there are, of which class, how fresh (V3, V4).

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use xunjian_model::{Facts, LinkKind, PageUrl, Site, Zone};

use crate::digest::url_hash;

/// Longest name of a column, in characters.
const NAME_CHARS_MAX: usize = 12;
/// Characters of main text with which a page without rows is not blank.
const BLANK_CHARS_MAX: u32 = 60;

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// 动态、要闻.
    News,
    /// 通知公告.
    Notice,
    /// 政策文件.
    Policy,
    /// 政策解读.
    Interpretation,
    /// 人事信息.
    Personnel,
    /// 规划计划.
    Planning,
    /// 办事服务.
    Service,
    /// 互动交流.
    Interaction,
    /// Anything else.
    Other,
}

impl Class {
    /// The class a column's name says; the first word found decides.
    pub fn of(name: &str) -> Self {
        const WORDS: [(Class, &[&str]); 8] = [
            (Class::Interpretation, &["解读", "图解"]),
            (Class::News, &["动态", "要闻", "新闻", "快讯", "资讯", "时政"]),
            (Class::Notice, &["通知", "公告", "公示", "通告"]),
            (Class::Policy, &["政策", "文件", "法规", "规章"]),
            (Class::Personnel, &["人事", "任免", "招考", "招聘"]),
            (Class::Planning, &["规划", "计划"]),
            (Class::Interaction, &["信箱", "咨询", "互动", "留言", "征集", "访谈", "调查"]),
            (Class::Service, &["办事", "服务", "指南"]),
        ];
        let found = WORDS.iter().find(|(_, words)| words.iter().any(|word| name.contains(word)));
        found.map_or(Class::Other, |(class, _)| *class)
    }
}

/// A column as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnReport {
    /// Name in the navigation.
    pub name: String,
    /// First list page.
    pub url: String,
    /// Class.
    pub class: Class,
    /// Newest dated item, not later than the monitoring point.
    pub newest: Option<Date>,
    /// Has offered no information since it was opened, as far as the page shows.
    pub blank: bool,
    /// A script fills the list: only a rendered check can tell whether it is blank.
    pub scripted: bool,
}

/// The columns a home page names: short links of its navigation to other pages of the site.
pub(crate) fn discover(home: &Facts, site: &Site) -> Vec<(String, PageUrl)> {
    let mut found: Vec<(String, PageUrl)> = Vec::new();
    for link in home.links.iter().filter(|link| link.kind == LinkKind::Page && !link.hidden) {
        let name = home.link_text(link).trim().to_owned();
        let chars = name.chars().count();
        let Ok(url) = PageUrl::parse(&link.url) else { continue };
        let is_home = url == site.url || matches!(name.as_str(), "首页" | "网站首页" | "返回首页");
        if !(2..=NAME_CHARS_MAX).contains(&chars) || is_home || !site.in_scope(&url) {
            continue;
        }
        // Outside the navigation only a name that says its class is taken for a column.
        let named = link.zone == Zone::Main && chars <= 6 && Class::of(&name) != Class::Other;
        if (link.zone == Zone::Navigation || named) && !found.iter().any(|(_, known)| *known == url) {
            found.push((name, url));
        }
    }
    found
}

/// Reads a column's first page. `newest_elsewhere` is the newest article known to be of the
/// column by its label or address.
pub(crate) fn read(
    name: &str,
    url: &PageUrl,
    facts: &Facts,
    newest_elsewhere: Option<Date>,
    point: Date,
) -> Option<ColumnReport> {
    let latest = point.saturating_add(1.day());
    let in_list = facts.items.iter().filter_map(|item| item.date).filter(|date| *date <= latest).max();
    let rows = facts.links.iter().filter(|link| {
        link.zone == Zone::Main
            && !link.hidden
            && matches!(link.kind, LinkKind::Page | LinkKind::Attachment)
            && url_hash(&link.url) != url_hash(url.as_str())
    });
    let rows = rows.count();
    let name = facts.label("ColumnName").filter(|name| !name.is_empty()).unwrap_or(name);
    let empty =
        rows == 0 && facts.main_chars <= BLANK_CHARS_MAX && facts.main_media == 0 && facts.refresh.is_none();
    let newest = in_list.max(newest_elsewhere.filter(|date| *date <= latest));
    // A page of text or a form is no list: its age says nothing.
    let is_list = !facts.items.is_empty() || empty || newest_elsewhere.is_some();
    is_list.then(|| ColumnReport {
        name: name.to_owned(),
        url: url.to_string(),
        class: Class::of(name),
        newest,
        blank: empty && newest.is_none(),
        scripted: facts.scripted,
    })
}
