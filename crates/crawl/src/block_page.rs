//! Refusals that say 200: a firewall's page in the place of content.
//!
//! Two signs: text that such pages have, and one and the same page for many addresses of a host
//! that showed different ones before.

use std::collections::VecDeque;

use aho_corasick::AhoCorasick;
use xunjian_frontier::Item;
use xunjian_model::{BodyHash, Facts, LinkKind};

use crate::CrawlError;

/// Text of refusals, looked for on short pages only.
pub(crate) const SHIPPED: [&str; 14] = [
    "访问过于频繁", "访问太频繁", "请求过于频繁", "操作过于频繁", "您的访问被拦截", "请求已被拦截",
    "访问被阻断", "您的请求带有不合法参数", "请完成安全验证", "滑动验证", "Access Denied by WAF",
    "Too Many Requests", "unusual traffic", "Request blocked",
];
/// Text of a home page in the place of which something else is wanted soon.
const MAINTENANCE: [&str; 9] = [
    "系统维护", "网站维护", "正在维护", "维护中", "升级维护", "系统升级", "网站升级", "正在升级", "改版升级",
];
/// Links of such a page.
const MAINTENANCE_LINKS_MAX: usize = 3;
/// Characters of text above which a page is content, whatever words it has.
const SHORT_CHARS: usize = 600;
/// Characters above which sameness is no sign.
const SAME_CHARS: usize = 2_000;
/// Equal pages in a row that are one too many.
const SAME_MAX: usize = 4;
/// Fingerprints remembered of each kind.
const REMEMBERED: usize = 64;

/// Tells refusals by their text.
pub struct Refusals(AhoCorasick);

impl Refusals {
    /// Looks for these texts.
    ///
    /// # Errors
    /// Too many of them.
    pub fn new(texts: &[String]) -> Result<Self, CrawlError> {
        Ok(Self(AhoCorasick::new(texts)?))
    }

    /// Whether a page is one.
    pub(crate) fn have(&self, facts: &Facts) -> bool {
        chars(facts) <= SHORT_CHARS
            && (self.0.is_match(&facts.title)
                || facts.blocks.iter().any(|block| self.0.is_match(&block.text)))
    }
}

/// Whether a home page only says that the site is being worked on, and leads nowhere. Articles that announce such a night have these
/// words, too, so other pages are not asked.
pub(crate) fn is_maintenance(facts: &Facts) -> bool {
    let says_so = |text: &str| MAINTENANCE.iter().any(|words| text.contains(words));
    let pages = facts.links.iter().filter(|link| link.kind == LinkKind::Page).count();
    chars(facts) <= SHORT_CHARS
        && pages <= MAINTENANCE_LINKS_MAX
        && facts.leads_on().is_none()
        && (says_so(&facts.title) || facts.blocks.iter().any(|block| says_so(&block.text)))
}

fn chars(facts: &Facts) -> usize {
    facts.blocks.iter().map(|block| block.text.chars().count()).sum()
}

/// Whether a page is short enough to be a refusal that repeats itself.
pub(crate) fn may_be_refusal(facts: &Facts) -> bool {
    chars(facts) <= SAME_CHARS
}

/// Hash of title and text without digits, which request numbers and times are made of.
pub(crate) fn text_hash(facts: &Facts) -> BodyHash {
    let mut text = Vec::with_capacity(16 << 10);
    for part in std::iter::once(&facts.title).chain(facts.blocks.iter().map(|block| &block.text)) {
        for piece in part.as_bytes().split(u8::is_ascii_digit) {
            text.extend_from_slice(piece);
        }
        text.push(b'\n');
    }
    BodyHash::of(&text)
}

/// The last pages of a host.
#[derive(Default)]
pub(crate) struct Sameness {
    last: Option<BodyHash>,
    items: Vec<Item>,
    harmless: VecDeque<BodyHash>,
    /// Pages known to be refusals.
    refused: VecDeque<BodyHash>,
    /// The last page that refused by its words.
    last_refusal: Option<BodyHash>,
    /// Such pages that waiting did not help against.
    given_up: VecDeque<BodyHash>,
}

/// What to do after a page.
pub(crate) enum Same {
    /// Nothing.
    Fine,
    /// It is a refusal that was seen before.
    Refused,
    /// So many pages in a row are the same that the home page has to be asked whether that is a
    /// refusal.
    Ask,
}

impl Sameness {
    pub(crate) fn add(&mut self, item: &Item, fingerprint: Option<BodyHash>) -> Same {
        let Some(fingerprint) = fingerprint.filter(|one| !self.harmless.contains(one)) else {
            self.last = None;
            self.items.clear();
            return Same::Fine;
        };
        if self.refused.contains(&fingerprint) {
            return Same::Refused;
        }
        if self.last != Some(fingerprint) {
            self.last = Some(fingerprint);
            self.items.clear();
        }
        self.items.push(item.clone());
        if self.items.len() >= SAME_MAX { Same::Ask } else { Same::Fine }
    }

    /// Whether a page that refuses by its words is worth waiting for.
    pub(crate) fn is_refusal(&mut self, text: BodyHash) -> bool {
        self.last_refusal = Some(text);
        !self.given_up.contains(&text)
    }

    /// Waiting did not help.
    pub(crate) fn give_up_refusal(&mut self) {
        if let Some(text) = self.last_refusal.take() {
            remember(&mut self.given_up, text);
        }
    }

    /// The pages are equal for a good reason.
    pub(crate) fn is_harmless(&mut self) {
        if let Some(fingerprint) = self.last.take() {
            remember(&mut self.harmless, fingerprint);
        }
        self.items.clear();
    }

    /// The pages were refusals: they are to be asked for again.
    pub(crate) fn take_refused(&mut self) -> Vec<Item> {
        if let Some(fingerprint) = self.last.take() {
            remember(&mut self.refused, fingerprint);
        }
        std::mem::take(&mut self.items)
    }
}

fn remember(list: &mut VecDeque<BodyHash>, fingerprint: BodyHash) {
    if list.len() >= REMEMBERED {
        list.pop_front();
    }
    list.push_back(fingerprint);
}

#[cfg(test)]
mod tests {
    use xunjian_model::PageUrl;

    use super::*;

    #[test]
    fn a_home_page_that_only_says_it_is_being_worked_on() {
        let facts = |html: &str| {
            let url = PageUrl::parse("http://a.gov.cn/").expect("url");
            xunjian_page::extract(html.as_bytes(), Some("text/html; charset=utf-8"), &url, Default::default())
        };
        let notice = "<title>公告</title><p>因系统升级维护，网站暂停访问，敬请谅解。</p>";
        assert!(is_maintenance(&facts(notice)));
        assert!(!is_maintenance(&facts("<title>首页</title><p>今日要闻</p>")));
        let moved = format!("<meta http-equiv=refresh content='5;url=http://a.gov.cn/new/'>{notice}");
        assert!(!is_maintenance(&facts(&moved)), "visitors are led on");
        let columns: String = (0..8).map(|at| format!("<a href=/c{at}/>栏目</a>")).collect();
        assert!(!is_maintenance(&facts(&format!("{notice}{columns}"))), "a home page with a notice");
    }
}
