//! Links and frames a reader cannot see that lead to strangers (暗链).

use std::cell::LazyCell;
use std::collections::HashSet;

use xunjian_model::{Facts, Kind, Link, LinkKind, PageUrl, Site};

use crate::digest::PageFinding;

/// Hosts that an office links to from menus that open on a click.
const TRUSTED: [&str; 4] = ["gov.cn", "conac.cn", "miitbeian.gov.cn", "beian.gov.cn"];

/// Counters and sharing services, whose links stand in what opens on a click or is not to be seen at all. Nobody
/// breaks into a site for them.
const SERVICES: [&str; 13] = [
    "cnzz.com", "umeng.com", "51.la", "baidu.com", "jiathis.com", "bshare.cn", "addthis.com", "weibo.com",
    "weibo.cn", "qq.com", "sina.com.cn", "douban.com", "renren.com",
];

/// Makers of content systems, which sign every page.
const VENDORS: [&str; 6] =
    ["hanweb.com", "trs.com.cn", "ucap.com.cn", "epoint.com.cn", "kaipuyun.cn", "webber.com.cn"];

/// News and reporting sites of the centre, to which menus and windows that open themselves lead.
const CENTRAL: [&str; 16] = [
    "12377.cn", "12371.cn", "people.com.cn", "people.cn", "xinhuanet.com", "news.cn", "cctv.com", "cctv.cn",
    "cntv.cn", "gmw.cn", "china.com.cn", "chinanews.com.cn", "qstheory.cn", "xuexi.cn", "youth.cn", "ce.cn",
];

/// Links from which a hidden box may be a menu, and strangers among them, one in so many, with which it may still be.
const MENU_MIN: usize = 8;
const MENU_SHARE: usize = 4;
/// Links of a box that are shown to people.
const SHOWN_MAX: usize = 5;

pub(crate) fn check(facts: &Facts, site: &Site, findings: &mut Vec<PageFinding>) {
    let leads = |link: &&Link| matches!(link.kind, LinkKind::Page | LinkKind::Frame);
    let links: Vec<&Link> = facts.links.iter().filter(leads).collect();
    // A menu for phones or for the old may hold what the page shows elsewhere.
    let shown = LazyCell::new(|| -> HashSet<&str> {
        links.iter().filter(|link| !link.hidden).map(|link| link.url.as_str()).collect()
    });
    let is_strange = |link: &&&Link| {
        PageUrl::parse(&link.url).is_ok_and(|url| {
            !is_trusted(&url, site)
                && ![&SERVICES[..], &VENDORS, &CENTRAL].iter().any(|known| is_of(&url, known))
                && !shown.contains(link.url.as_str())
        })
    };
    // What stands hidden side by side is one box.
    for hidden in links.chunk_by(|one, next| one.hidden == next.hidden) {
        let strange: Vec<&&Link> = hidden.iter().filter(|link| link.hidden).filter(is_strange).collect();
        let Some(first) = strange.first() else { continue };
        let name = |link: &Link| facts.link_name(link).to_owned();
        let mut excerpt = format!("⟦{}⟧ → {}", name(first), first.url);
        for other in strange.iter().skip(1).take(SHOWN_MAX - 1) {
            excerpt.push_str(&format!("; {} → {}", name(other), other.url));
        }
        if strange.len() > SHOWN_MAX {
            excerpt.push_str("; …");
        }
        let mut finding =
            PageFinding::new(Kind::HiddenLink, first.url.clone(), excerpt).with("text", name(first));
        if strange.len() > 1 {
            finding = finding.with("links", strange.len().to_string());
        }
        let is_menu = hidden.len() >= MENU_MIN && strange.len() * MENU_SHARE <= hidden.len();
        // Both menus and break-ins hide by a script what stands in the page.
        findings.push(match strange.iter().all(|link| link.folded) {
            true => finding.with("review", "a script or a style sheet hides it: a menu, or a hidden link"),
            false if is_menu => {
                finding.with("review", "it stands among hidden links to offices: a menu, or a hidden link")
            }
            false => finding,
        });
    }
}

/// Whether an address is of one of the site's own hosts, or of one that offices link to.
pub(crate) fn is_trusted(url: &PageUrl, site: &Site) -> bool {
    site.hosts().any(|own| own == url.host()) || is_of(url, &TRUSTED)
}

/// Whether an address is below one of some names.
fn is_of(url: &PageUrl, zones: &[&str]) -> bool {
    let is_below =
        |zone: &&str| url.host().strip_suffix(*zone).is_some_and(|at| at.is_empty() || at.ends_with('.'));
    zones.iter().any(is_below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use xunjian_model::{SiteId, SiteKind};

    #[test]
    fn hidden_links_to_strangers_alone_are_told() {
        let url = PageUrl::parse("http://www.a.gov.cn/").expect("url");
        let site =
            Site::new(SiteId::new("a").expect("id"), "甲".to_owned(), url.clone(), SiteKind::Department);
        let told = |html: &str| -> Vec<(String, Option<String>, bool)> {
            let facts = xunjian_page::extract(html.as_bytes(), None, &url, xunjian_page::Limits::default());
            let mut findings = Vec::new();
            check(&facts, &site, &mut findings);
            let detail = |one: &PageFinding, name: &str| {
                one.detail.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
            };
            findings
                .iter()
                .map(|one| (one.what.clone(), detail(one, "links"), detail(one, "review").is_some()))
                .collect()
        };
        let box_of = |links: &str| format!("<div style='display:none'>{links}</div>");
        let known = "<a href='/x'>1</a><a href='http://b.gov.cn/'>2</a><a href='http://www.people.com.cn/x'>7</a>\
            <a href='https://www.cnzz.com/stat/website.php?web_id=1'>站长统计</a><a href='http://service.weibo.com/share'>3</a>\
            <a href='http://www.hanweb.com/'>大汉网络</a>";
        assert_eq!(told(&box_of(known)), []);
        let shop = "<a href='http://y.shop.com/'>6</a>";
        assert_eq!(told(&format!("{}{shop}", box_of(shop))), [], "it is shown, too");
        let strange = "<a href='http://notweibo.com/'>4</a>";
        let notweibo =
            |links: Option<&str>| ("http://notweibo.com/".to_owned(), links.map(str::to_owned), false);
        assert_eq!(told(&box_of(&format!("{known}{strange}"))), [notweibo(None)]);
        // One box is one finding; another box is another.
        let more = "<a href='http://x.shop.com/'>5</a>";
        let both = box_of(&format!("{strange}{more}"));
        assert_eq!(told(&both), [notweibo(Some("2"))]);
        assert_eq!(told(&format!("{both}<a href=/s>栏目</a>{}", box_of(shop))).len(), 2);
        // A menu of offices opens on a click.
        let offices: String =
            (0..8).map(|at| format!("<li><a href='http://{at}.gov.cn/'>{at}</a></li>")).collect();
        assert_eq!(
            told(&box_of(&format!("{offices}{more}{strange}"))),
            [("http://x.shop.com/".to_owned(), Some("2".to_owned()), true)]
        );
    }
}
