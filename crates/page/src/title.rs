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
    let label = facts.label("ArticleTitle").filter(|title| solid(title).nth(TITLE_CHARS_MIN - 1).is_some());
    if let Some(title) = label {
        let shows = |block: &Block| {
            behind(&block.text, title)
                .is_some_and(|mut rest| !block.hidden && rest.nth(BEHIND_CHARS_MAX).is_none())
        };
        let found = |of: fn(&Block) -> bool| facts.blocks.iter().position(|block| of(block) && shows(block));
        // The way to a page may end with its title.
        return found(|block| block.heading > 0)
            .or_else(|| found(|block| block.zone != Zone::Navigation))
            .or_else(|| found(|_| true));
    }
    let site = facts.label("SiteName").unwrap_or_default();
    facts.blocks.iter().position(|block| {
        !block.hidden
            && block.heading > 0
            && solid(&block.text).nth(HEADING_CHARS_MIN - 1).is_some()
            && behind(&facts.title, &block.text).is_some_and(|mut rest| rest.next().is_some())
            && behind(site, &block.text).is_none()
    })
}

/// A text without its white space.
fn solid(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_whitespace())
}

/// What stands behind a beginning of a text, if it begins so.
fn behind<'t>(text: &'t str, beginning: &str) -> Option<impl Iterator<Item = char> + use<'t>> {
    let mut chars = solid(text);
    solid(beginning).all(|wanted| chars.next() == Some(wanted)).then_some(chars)
}
