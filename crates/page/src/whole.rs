//! What only the whole page shows: how much text it has, which dates it gives, what it is.

use jiff::civil::Date;
use xunjian_model::{Block, DateFact, DateSource, Facts, PageKind, PageUrl, Zone};

use crate::date::{date_in_text, dates_in_url};

/// Characters of main text from which a page is an article.
const ARTICLE_CHARS: u32 = 80;
/// Rows from which a page is a list.
const LIST_ROWS: usize = 3;
/// Main-text blocks from the top in which a visible publication date is looked for.
const DATE_BLOCKS: usize = 12;
/// Longest block that can be a line with the publication date.
const DATE_LINE_CHARS: usize = 120;

/// Characters of main text outside links, headings and the date line.
pub(crate) fn main_chars(facts: &Facts) -> u32 {
    let mut linked = vec![0_usize; facts.blocks.len()];
    for link in &facts.links {
        if let Some(count) = linked.get_mut(link.block as usize) {
            *count += facts.link_text(link).chars().count();
        }
    }
    let count = |(block, linked): (&Block, usize)| {
        let counts = block.zone == Zone::Main && !block.hidden && block.heading == 0;
        if counts { block.text.chars().count().saturating_sub(linked) } else { 0 }
    };
    facts.blocks.iter().zip(linked).map(count).sum::<usize>() as u32
}

pub(crate) fn page_dates(facts: &mut Facts, address: &PageUrl) {
    let label = ["PubDate", "publishdate", "article:published_time"]
        .iter()
        .find_map(|name| facts.label(name))
        .and_then(date_in_text);
    if let Some(date) = label {
        facts.dates.push(DateFact { date, source: DateSource::Label });
    }
    if facts.items.len() < LIST_ROWS
        && let Some(date) = visible_date(facts)
    {
        facts.dates.push(DateFact { date, source: DateSource::Visible });
    }
    if let Some(date) = dates_in_url(address.path()) {
        facts.dates.push(DateFact { date, source: DateSource::Url });
    }
}

/// A date said to be the publication's, else one alone in a short line near the title.
fn visible_date(facts: &Facts) -> Option<Date> {
    const SAYS: [&str; 8] =
        ["发布时间", "发布日期", "日期", "时间", "发表时间", "更新时间", "发文日期", "来源"];
    let lines = || {
        facts
            .blocks
            .iter()
            .filter(|block| block.zone == Zone::Main && !block.hidden)
            .take(DATE_BLOCKS)
            .filter(|block| block.text.chars().count() <= DATE_LINE_CHARS)
    };
    let said = lines().find_map(|block| {
        let at = SAYS.iter().find_map(|word| block.text.find(word))?;
        date_in_text(&block.text[at..]).or_else(|| date_in_text(&block.text))
    });
    said.or_else(|| {
        let starts = |text: &str| text.trim_start_matches(['[', '(', '（', '【', ' ']).starts_with("20");
        lines().filter(|block| starts(&block.text)).find_map(|block| date_in_text(&block.text))
    })
}

pub(crate) fn kind_of(facts: &Facts) -> PageKind {
    // A last list page may hold a row or two: nothing but rows, and no article's label.
    let only_rows =
        !facts.items.is_empty() && facts.main_chars < ARTICLE_CHARS && facts.label("ArticleTitle").is_none();
    if facts.items.len() >= LIST_ROWS || only_rows {
        PageKind::List
    } else if facts.label("ArticleTitle").is_some()
        || facts.main_chars >= ARTICLE_CHARS && facts.blocks.iter().any(|block| block.heading > 0)
        || facts.main_chars >= ARTICLE_CHARS && facts.dates.iter().any(|date| date.source != DateSource::Url)
    {
        PageKind::Article
    } else {
        PageKind::Other
    }
}
