//! What a page of results says of a title that was sought.

use xunjian_model::{Facts, Link, LinkKind, PageUrl, Zone};

use super::Known;

/// Longest part of a title that is asked for, in characters.
const QUERY_CHARS_MAX: usize = 20;

/// What is sought of a title: long ones are seldom typed whole.
pub(super) fn words_of(title: &str) -> String {
    plain(title).trim().chars().take(QUERY_CHARS_MAX).collect()
}

/// How often a page is linked to from among the results.
pub(super) fn count(results: &Facts, known: &Known) -> usize {
    let wanted = squeezed(plain(&known.title));
    let is_it = |link: &&Link| {
        let text = squeezed(results.link_text(link));
        link.url == known.url
            || !text.is_empty()
                && (text.contains(&wanted)
                    || wanted.contains(&text) && text.chars().count() >= QUERY_CHARS_MAX / 2)
    };
    links(results).filter(is_it).count()
}

/// Whether a page's text begins with the title anywhere, as results do that a script opens when they are clicked.
pub(super) fn names(results: &Facts, known: &Known) -> bool {
    let wanted = squeezed(plain(&known.title));
    results.blocks.iter().any(|block| squeezed(&block.text).starts_with(&wanted))
}

/// Whether somebody has to prove that he is a person first.
pub(super) fn asks_for_code(results: &Facts) -> bool {
    results.blocks.iter().any(|block| block.text.contains("验证码"))
}

/// Whether what came is the home page once more.
pub(super) fn is_home(results: &Facts, at: &PageUrl, home: &Facts, home_url: &PageUrl) -> bool {
    let same_path = at.host() == home_url.host() && at.as_url().path() == home_url.as_url().path();
    same_path && links(results).all(|link| home.links.iter().any(|known| known.url == link.url))
}

fn links(results: &Facts) -> impl Iterator<Item = &Link> {
    results.links.iter().filter(|link| link.kind == LinkKind::Page && link.zone != Zone::Navigation)
}

/// A title without the mark in front of its row, and without the dots where a list cuts it off.
fn plain(title: &str) -> &str {
    let opens = |c: char| c.is_alphanumeric() || "《〈“‘「『【〔（([\"".contains(c);
    title.trim_start_matches(|c| !opens(c)).trim_end_matches(['…', '.', '．', ' '])
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_asked_for_as_they_are_not_as_lists_show_them() {
        assert_eq!(
            plain("· 我县保障性住房公开摇号、405户中低收入…"),
            "我县保障性住房公开摇号、405户中低收入"
        );
        assert_eq!(plain("《条例》解读..."), "《条例》解读");
        assert_eq!(plain("…"), "");
    }
}
