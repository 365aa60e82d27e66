//! What only the whole page shows: how much text it has, and what it is.

use std::collections::HashSet;
use std::ops::Range;

use xunjian_model::{Block, DateSource, Facts, LinkKind, PageKind, Zone, anchor_hash};

use crate::date_line::is_date_line;

/// Characters of main text from which a page is an article.
const ARTICLE_CHARS: u32 = 80;
/// Characters of the text below the title of a row.
const ROW_CHARS_MAX: u32 = 300;
/// Bytes of a day with its brackets, of which a row has more.
const DAY_BYTES: usize = 10;
/// Rows from which a page is a list.
pub(crate) const LIST_ROWS: usize = 3;

/// Characters of links in each block.
pub(crate) fn linked_chars(facts: &Facts) -> Vec<usize> {
    let mut linked = vec![0_usize; facts.blocks.len()];
    for link in &facts.links {
        if let Some(count) = linked.get_mut(link.block as usize) {
            *count += facts.link_text(link).chars().count();
        }
    }
    linked
}

/// Characters of main text outside links, headings and the date line.
pub(crate) fn main_chars(facts: &Facts, linked: &[usize]) -> u32 {
    main_chars_in(facts, linked, 0..facts.blocks.len())
}

/// The same, of some of the blocks.
fn main_chars_in(facts: &Facts, linked: &[usize], blocks: Range<usize>) -> u32 {
    let count = |(block, linked): (&Block, &usize)| {
        let counts = block.zone == Zone::Main && !block.hidden && block.heading == 0;
        if counts { block.text.chars().count().saturating_sub(*linked) } else { 0 }
    };
    let linked = &linked[blocks.clone()];
    facts.blocks[blocks].iter().zip(linked).map(count).sum::<usize>() as u32
}

/// Ids of the elements that scripts build whole pages in: Vue, React, Nuxt, Next.
const SHELLS: [&str; 4] = ["app", "root", "__nuxt", "__next"];
/// Links to pages that a shell has at most.
const SHELL_LINKS_MAX: usize = 2;

/// Whether a page is nothing but the place where its scripts build one.
pub fn is_shell(facts: &Facts) -> bool {
    let has = |kind: LinkKind| facts.links.iter().filter(move |link| link.kind == kind);
    has(LinkKind::Script).next().is_some()
        && has(LinkKind::Page).count() <= SHELL_LINKS_MAX
        && facts.items.is_empty()
        && facts.main_media == 0
        && SHELLS.iter().any(|id| facts.anchors.contains(&anchor_hash(id)))
}

/// Whether the main text is a list, whose rows are dated for themselves. Menus of every page may hold rows, too; and
/// beside an article that has the labels of one, other articles may be listed.
pub(crate) fn is_list(facts: &Facts) -> bool {
    let has = |name: &&str| facts.label(name).is_some_and(|content| !content.is_empty());
    let labels = ["ArticleTitle", "PubDate"].into_iter().filter(|name| has(name)).count();
    let is_article =
        || labels == 2 || labels == 1 && facts.main_chars >= ARTICLE_CHARS || ends_in_rows(facts);
    facts.main_items().count() >= LIST_ROWS && !is_article()
}

/// Whether an article stands above the rows: a heading, the line of its date, and a text.
fn ends_in_rows(facts: &Facts) -> bool {
    let first = facts.main_items().filter_map(|item| Some(facts.links.get(item.link as usize)?.block)).min();
    let Some(above) = first.and_then(|first| facts.blocks.get(..first as usize)) else { return false };
    let linked: HashSet<u32> = facts.links.iter().map(|link| link.block).collect();
    let mut above = (0..).zip(above).filter(|(_, block)| block.zone == Zone::Main && !block.hidden);
    // What stands at the top of a list leads on.
    let is_title = |(at, block): (u32, &Block)| block.heading > 0 && !linked.contains(&at);
    let is_line = |(_, block): (u32, &Block)| block.heading == 0 && is_date_line(&block.text);
    let is_text = |(at, block): &(u32, &Block)| block.heading == 0 && !linked.contains(at);
    above.any(is_title)
        && above.any(is_line)
        && above.filter(is_text).map(|(_, block)| block.text.chars().count()).sum::<usize>()
            >= ARTICLE_CHARS as usize
}

/// Whether rows of the main text show month and day alone, such as `[12-28]`: beside their titles, or in a cell of its own
/// beside that of the title.
fn has_days(facts: &Facts) -> bool {
    let shown = |block: &Block| block.zone == Zone::Main && !block.hidden;
    let days = facts.blocks.iter().enumerate().filter(|(_, block)| shown(block) && has_day(&block.text));
    let days: Vec<usize> = days.map(|(at, _)| at).collect();
    if days.len() < LIST_ROWS {
        return false;
    }
    let linked: HashSet<usize> =
        facts.links.iter().filter(|link| link.span.1 > link.span.0).map(|link| link.block as usize).collect();
    let is_row = |at: &&usize| match facts.blocks[**at].text.len() > DAY_BYTES {
        true => linked.contains(at),
        false => linked.contains(&(**at + 1)) || **at > 0 && linked.contains(&(**at - 1)),
    };
    days.iter().filter(is_row).nth(LIST_ROWS - 1).is_some()
}

/// Whether a text begins or ends with month and day without a year, in brackets or not.
fn has_day(text: &str) -> bool {
    const AROUND: [char; 7] = ['[', ']', '(', ')', '（', '）', ' '];
    let text = text.trim_matches(AROUND).as_bytes();
    // A title that is cut ends in dots: 关于进一步加强...12-28
    let without_dots = |text: &[u8]| text.iter().take_while(|byte| **byte == b'.').count();
    let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'/' | b'.');
    let first = text.iter().take_while(|byte| is_part(byte)).count();
    let last = text.iter().rev().take_while(|byte| is_part(byte)).count();
    let last = &text[text.len() - last..];
    is_day(&text[..first]) || is_day(&last[without_dots(last)..])
}

/// Whether a text is `12-28` or `9/05` as a whole.
fn is_day(text: &[u8]) -> bool {
    let [month @ .., b'-' | b'/', tens, ones] = text else { return false };
    let number = |digits: &[u8], most: u8| {
        let value = digits
            .iter()
            .try_fold(0_u8, |value, digit| digit.is_ascii_digit().then(|| value * 10 + (digit - b'0')));
        value.is_some_and(|value| (1..=most).contains(&value))
    };
    (1..=2).contains(&month.len()) && number(month, 12) && number(&[*tens, *ones], 31)
}

/// Characters of what stands outside of rows and leads to the same as one, or stands below a heading that does: the newest
/// article, large above its list.
fn top_story_chars(facts: &Facts, linked: &[usize], rows: &[Range<usize>]) -> u32 {
    let listed: HashSet<&str> = facts
        .main_items()
        .filter_map(|item| Some(facts.links.get(item.link as usize)?.url.as_str()))
        .collect();
    let leads: HashSet<usize> = facts
        .links
        .iter()
        .filter(|link| listed.contains(link.url.as_str()))
        .map(|link| link.block as usize)
        .collect();
    let is_story = |at: &usize| {
        let below = || *at > 0 && leads.contains(&(at - 1)) && facts.blocks[at - 1].heading > 0;
        !rows.iter().any(|row| row.contains(at)) && (leads.contains(at) || below())
    };
    (0..facts.blocks.len()).filter(is_story).map(|at| main_chars_in(facts, linked, at..at + 1)).sum()
}

/// What a page is. `linked` are the characters of links in each block, `rows` the blocks of its first rows.
pub(crate) fn kind_of(facts: &Facts, linked: &[usize], rows: &[Range<usize>]) -> PageKind {
    // Templates of columns and menus have the label, too, with nothing in it.
    let title = facts.label("ArticleTitle").unwrap_or_default();
    // A last list page may hold a row or two: nothing but rows, and no article's label.
    let in_row = |row: &Range<usize>| main_chars_in(facts, linked, row.clone());
    let in_rows = || {
        rows.iter().map(in_row).filter(|chars| *chars <= ROW_CHARS_MAX).sum::<u32>()
            + top_story_chars(facts, linked, rows)
    };
    let only_rows = title.is_empty()
        && facts.main_items().next().is_some()
        && facts.main_chars.saturating_sub(in_rows()) < ARTICLE_CHARS;
    if is_list(facts) || only_rows || title.is_empty() && has_days(facts) {
        PageKind::List
    } else if !title.is_empty()
        || facts.main_chars >= ARTICLE_CHARS && facts.blocks.iter().any(|block| block.heading > 0)
        || facts.main_chars >= ARTICLE_CHARS
            && facts.dates.iter().any(|date| !matches!(date.source, DateSource::Url | DateSource::Line))
    {
        PageKind::Article
    } else {
        PageKind::Other
    }
}
