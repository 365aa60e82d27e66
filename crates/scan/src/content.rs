//! What a page shows when its status says "ok": not found, parked, taken over.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use xunjian_dict::{Category, CompileError, Dictionary, Matcher, Place, Scratch};
use xunjian_model::{Facts, LinkState, Target, Zone};

/// Titles of "not found" pages.
static NOT_FOUND: LazyLock<AhoCorasick> = LazyLock::new(|| {
    words(&[
        "页面不存在", "页面未找到", "找不到页面", "您访问的页面", "404错误", "无法找到该页", "网页不存在",
        "404 Not Found", "Page Not Found",
    ])
});
/// Texts of parked domains.
static PARKED: LazyLock<AhoCorasick> = LazyLock::new(|| {
    words(&[
        "域名出售", "域名正在出售", "该域名可出售", "domain is for sale", "buy this domain",
        "domain is parked", "此域名已过期",
    ])
});
/// Longest main text of a "not found" page, in characters.
const NOT_FOUND_CHARS_MAX: u32 = 300;
/// Different spam words from which an outside page counts as taken over.
const SPAM_WORDS_MIN: usize = 3;
/// Characters of main text from which a page that only search engines see is one.
const OTHER_CHARS_MIN: u32 = 30;

#[allow(clippy::unwrap_used, reason = "constant words, compiled in every test")]
fn words(words: &[&str]) -> AhoCorasick {
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).unwrap()
}

/// The look at a page the crawl opened.
#[derive(Debug)]
pub struct ContentCheck {
    spam: Matcher,
}

impl ContentCheck {
    /// A check with the spam words of the dictionaries.
    pub fn new(dictionaries: &[Dictionary]) -> Result<Self, CompileError> {
        let mut spam = dictionaries.to_vec();
        for dictionary in &mut spam {
            dictionary.entries.retain(|entry| entry.category == Category::SpamInjection);
        }
        Ok(Self { spam: Matcher::new(&spam)? })
    }

    /// What a page turned out to be. `None`: what it says.
    pub fn look(&self, facts: &Facts, target: Target) -> Option<LinkState> {
        let short = facts.main_chars <= NOT_FOUND_CHARS_MAX;
        if short && NOT_FOUND.is_match(&facts.title) {
            return Some(LinkState::Soft404);
        }
        if target != Target::Outside {
            return None;
        }
        let texts =
            || facts.blocks.iter().map(|block| block.text.as_str()).chain(std::iter::once(&*facts.title));
        if short && texts().any(|text| PARKED.is_match(text)) {
            return Some(LinkState::Hijacked("parked domain".to_owned()));
        }
        let words = self.spam_words(facts);
        if words.len() >= SPAM_WORDS_MIN {
            let shown: Vec<&str> = words.into_iter().take(SPAM_WORDS_MIN).collect();
            return Some(LinkState::Hijacked(format!("spam: {}", shown.join(", "))));
        }
        None
    }

    /// Spam words of a page's texts and title.
    fn spam_words(&self, facts: &Facts) -> BTreeSet<&str> {
        let mut words = BTreeSet::new();
        let mut scratch = Scratch::default();
        let texts = facts.blocks.iter().map(|block| &block.text);
        for text in texts.chain([&facts.title]).chain(facts.labels.iter().map(|label| &label.content)) {
            let hits = self.spam.find(text, &Place::default(), &mut scratch);
            words.extend(hits.iter().map(|hit| hit.entry.pattern.as_str()));
        }
        words
    }

    /// In what the page that a search engine is shown differs from ours, if that matters, and whether
    /// a person has to judge it: spam words there alone speak for themselves, another text may have
    /// its reasons.
    pub fn differs(&self, ours: &Facts, shown: &Facts) -> Option<(String, bool)> {
        let known = self.spam_words(ours);
        let words: Vec<&str> =
            self.spam_words(shown).into_iter().filter(|word| !known.contains(word)).collect();
        if !words.is_empty() {
            let some: Vec<&str> = words.into_iter().take(SPAM_WORDS_MIN).collect();
            return Some((some.join(", "), false));
        }
        if shown.title == ours.title || shown.main_chars < OTHER_CHARS_MIN {
            return None;
        }
        let ours: HashSet<&str> = ours.blocks.iter().map(|block| block.text.as_str()).collect();
        let (mut same, mut all) = (0, 0);
        for block in shown.blocks.iter().filter(|block| block.zone == Zone::Main) {
            let chars = block.text.chars().count();
            all += chars;
            same += if ours.contains(block.text.as_str()) { chars } else { 0 };
        }
        (same * 3 < all).then(|| (format!("another page: {}", shown.title), true))
    }
}
