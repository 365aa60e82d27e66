//! Where a page shows its own title.

use xunjian_model::{Block, Facts, Zone};

/// Shortest title by which a block is known, in characters; a heading that is no label's needs more, since names
/// of sites and columns stand in headings, too.
const TITLE_CHARS_MIN: usize = 4;
const HEADING_CHARS_MIN: usize = 10;
/// Characters that may stand behind a title in its block, such as its date.
const BEHIND_CHARS_MAX: usize = 20;

/// The block that shows the title of an article: what its label says, else a heading with which the page's title
/// begins.
pub(crate) fn title_at(facts: &Facts) -> Option<usize> {
    let label = facts.label("ArticleTitle").map(squeezed);
    if let Some(title) = label.filter(|title| title.chars().count() >= TITLE_CHARS_MIN) {
        let shows = |block: &Block| {
            block.text.len() >= title.len()
                && squeezed(&block.text)
                    .strip_prefix(title.as_str())
                    .is_some_and(|behind| behind.chars().count() <= BEHIND_CHARS_MAX)
        };
        let found = |of: fn(&Block) -> bool| {
            facts.blocks.iter().position(|block| !block.hidden && of(block) && shows(block))
        };
        // The way to a page may end with its title.
        return found(|block| block.heading > 0)
            .or_else(|| found(|block| block.zone != Zone::Navigation))
            .or_else(|| found(|_| true));
    }
    let (whole, site) = (squeezed(&facts.title), facts.label("SiteName").map(squeezed));
    facts.blocks.iter().position(|block| {
        let begins = |text: String| {
            text.chars().count() >= HEADING_CHARS_MIN
                && text.len() < whole.len()
                && whole.starts_with(&text)
                && site.as_ref() != Some(&text)
        };
        !block.hidden && block.heading > 0 && begins(squeezed(&block.text))
    })
}

/// A text without its white space.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '\u{3000}').collect()
}
