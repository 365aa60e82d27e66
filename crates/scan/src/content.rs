//! What a page shows when its status says "ok": not found, parked, taken over.

use xunjian_dict::{Category, Folded, Matcher};
use xunjian_model::{Facts, LinkState, Target};

/// Titles of "not found" pages.
const NOT_FOUND: [&str; 9] = [
    "页面不存在", "页面未找到", "找不到页面", "您访问的页面", "404错误", "无法找到该页", "网页不存在",
    "404 Not Found", "Page Not Found",
];
/// Texts of parked domains.
const PARKED: [&str; 7] = [
    "域名出售", "域名正在出售", "该域名可出售", "domain is for sale", "buy this domain", "domain is parked",
    "此域名已过期",
];
/// Longest main text of a "not found" page, in characters.
const NOT_FOUND_CHARS_MAX: u32 = 300;
/// Different spam words from which an outside page counts as taken over.
const SPAM_WORDS_MIN: usize = 3;

/// Looks at a page the crawl opened. `None`: it is what it says.
pub fn content_check(matcher: &Matcher, facts: &Facts, target: Target) -> Option<LinkState> {
    let title = facts.title.as_str();
    if facts.main_chars <= NOT_FOUND_CHARS_MAX && NOT_FOUND.iter().any(|words| title.contains(words)) {
        return Some(LinkState::Soft404);
    }
    if target != Target::Outside {
        return None;
    }
    let texts = || facts.blocks.iter().map(|block| block.text.as_str()).chain(std::iter::once(title));
    let parked = texts().any(|text| {
        let lower = text.to_lowercase();
        PARKED.iter().any(|words| lower.contains(words))
    });
    if parked && facts.main_chars <= NOT_FOUND_CHARS_MAX {
        return Some(LinkState::Hijacked("parked domain".to_owned()));
    }
    let mut words = std::collections::BTreeSet::new();
    for text in texts() {
        let folded = Folded::new(text);
        let hits = matcher.find(&folded, "");
        words.extend(
            hits.iter()
                .filter(|hit| hit.entry.category == Category::SpamInjection)
                .map(|hit| hit.entry.pattern.as_str()),
        );
    }
    if words.len() >= SPAM_WORDS_MIN {
        let shown: Vec<&str> = words.into_iter().take(SPAM_WORDS_MIN).collect();
        return Some(LinkState::Hijacked(format!("spam: {}", shown.join(", "))));
    }
    None
}
