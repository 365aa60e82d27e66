//! Links and frames a reader cannot see that lead to strangers (暗链).

use std::cell::LazyCell;
use std::collections::HashSet;

use xunjian_model::{Facts, Kind, LinkKind, PageUrl, Site};

use crate::digest::PageFinding;

/// Hosts that an office links to from menus that open on a click.
const TRUSTED: [&str; 4] = ["gov.cn", "conac.cn", "miitbeian.gov.cn", "beian.gov.cn"];

/// Counters and sharing services, whose links stand in what opens on a click or is not to be seen at all. Nobody
/// breaks into a site for them.
const SERVICES: [&str; 13] = [
    "cnzz.com", "umeng.com", "51.la", "baidu.com", "jiathis.com", "bshare.cn", "addthis.com", "weibo.com",
    "weibo.cn", "qq.com", "sina.com.cn", "douban.com", "renren.com",
];

/// News and reporting sites of the centre, to which menus and windows that open themselves lead.
const CENTRAL: [&str; 16] = [
    "12377.cn", "12371.cn", "people.com.cn", "people.cn", "xinhuanet.com", "news.cn", "cctv.com", "cctv.cn",
    "cntv.cn", "gmw.cn", "china.com.cn", "chinanews.com.cn", "qstheory.cn", "xuexi.cn", "youth.cn", "ce.cn",
];

pub(crate) fn check(facts: &Facts, site: &Site, findings: &mut Vec<PageFinding>) {
    let leads = |kind| matches!(kind, LinkKind::Page | LinkKind::Frame);
    // A menu for phones or for the old may hold what the page shows elsewhere.
    let shown = LazyCell::new(|| -> HashSet<&str> {
        facts.links.iter().filter(|link| !link.hidden).map(|link| link.url.as_str()).collect()
    });
    for link in facts.links.iter().filter(|link| link.hidden && leads(link.kind)) {
        let Ok(url) = PageUrl::parse(&link.url) else { continue };
        if is_trusted(&url, site)
            || is_of(&url, &SERVICES)
            || is_of(&url, &CENTRAL)
            || shown.contains(link.url.as_str())
        {
            continue;
        }
        let text = facts.link_name(link);
        let excerpt = format!("⟦{text}⟧ → {}", link.url);
        let finding =
            PageFinding::new(Kind::HiddenLink, link.url.clone(), excerpt).with("text", text.to_owned());
        // Both menus and break-ins hide by a script what stands in the page.
        findings.push(match link.folded {
            true => finding.with("review", "a script or a style sheet hides it: a menu, or a hidden link"),
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
        let html = "<div style='display:none'><a href='/x'>1</a><a href='http://b.gov.cn/'>2</a>\
            <a href='https://www.cnzz.com/stat/website.php?web_id=1'>站长统计</a><a href='http://service.weibo.com/share'>3</a>\
            <a href='http://www.people.com.cn/x'>7</a><a href='http://notweibo.com/'>4</a><a href='http://x.shop.com/'>5</a><a href='http://y.shop.com/'>6</a></div><a href='http://y.shop.com/'>6</a>";
        let facts = xunjian_page::extract(html.as_bytes(), None, &url, xunjian_page::Limits::default());
        let mut findings = Vec::new();
        check(&facts, &site, &mut findings);
        let told: Vec<&str> = findings.iter().map(|one| one.what.as_str()).collect();
        assert_eq!(told, ["http://notweibo.com/", "http://x.shop.com/"]);
    }
}
