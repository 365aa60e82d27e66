//! The line near a page's title that says when it was published.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use jiff::civil::Date;
use xunjian_model::{Block, Facts, Zone};

use crate::date::{date_in_text, has_year, is_amid_words};
use crate::links::searcher;
use crate::title::title_at;

/// Main-text blocks from the top in which a line with the publication date is looked for; in so many, one that says
/// so in so many words, below the table that stands above a document.
const DATE_BLOCKS: usize = 12;
const TABLE_BLOCKS: usize = 32;
/// Longest block that can be a line with the publication date.
const DATE_LINE_CHARS: usize = 120;
/// Longest text in which all of such a table stands, in characters.
const TABLE_CHARS: usize = 400;
/// Longest block below the title in which it is looked for, in bytes.
const BELOW_BYTES: usize = 300;
/// Longest name of what stands beside it, in characters.
const LABEL_CHARS: usize = 12;

/// How a line says that its date is the publication's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// In so many words.
    Published,
    /// As the line of date and source that stands near a title.
    Near,
    /// When the page was last changed.
    Updated,
}

/// What a word says of the date beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Published,
    Updated,
    /// It stands in the line of date and source.
    Near,
    /// The day a document is of, which is none of publication.
    Issued,
    /// A day, of whatever is said before.
    Day,
    /// When the page was made, or what day it is.
    Other,
}

const WORDS: [(&str, Word); 40] = [
    ("发布时间", Word::Published),
    ("发布日期", Word::Published),
    ("公开日期", Word::Published),
    ("公开时间", Word::Published),
    ("发表时间", Word::Published),
    ("发表日期", Word::Published),
    ("发布于", Word::Published),
    ("发表于", Word::Published),
    ("发稿时间", Word::Published),
    ("发稿日期", Word::Published),
    ("录入时间", Word::Published),
    ("录入日期", Word::Published),
    ("添加时间", Word::Published),
    ("添加日期", Word::Published),
    ("上传时间", Word::Published),
    ("成文日期", Word::Issued),
    ("成文时间", Word::Issued),
    ("发文日期", Word::Issued),
    ("发文时间", Word::Issued),
    ("印发日期", Word::Issued),
    ("印发时间", Word::Issued),
    ("签发日期", Word::Issued),
    ("生成日期", Word::Issued),
    ("更新时间", Word::Updated),
    ("更新日期", Word::Updated),
    ("来源", Word::Near),
    ("作者", Word::Near),
    ("浏览", Word::Near),
    ("点击", Word::Near),
    ("阅读", Word::Near),
    ("字体", Word::Near),
    ("字号", Word::Near),
    ("生成时间", Word::Other),
    ("页面生成", Word::Other),
    ("制作时间", Word::Other),
    ("Maketime", Word::Other),
    ("今天", Word::Other),
    ("现在", Word::Other),
    ("日期", Word::Day),
    ("时间", Word::Day),
];

/// Words in a text with the places behind them. `会议时间` says nothing.
fn words(text: &str) -> impl Iterator<Item = (Word, usize)> {
    static SEARCHER: LazyLock<AhoCorasick> = LazyLock::new(|| searcher(WORDS.iter().map(|(word, _)| word)));
    SEARCHER.find_iter(text).filter_map(move |hit| {
        let word = WORDS[hit.pattern().as_usize()].1;
        let alone = || !text[..hit.start()].chars().next_back().is_some_and(char::is_alphabetic);
        (word != Word::Day || alone()).then_some((word, hit.end()))
    })
}

/// Blocks of the main text that readers see.
fn shown(blocks: &[Block]) -> impl Iterator<Item = &Block> {
    blocks.iter().filter(|block| block.zone == Zone::Main && !block.hidden)
}

/// Which of them is the page's title.
fn shown_title(facts: &Facts) -> Option<usize> {
    title_at(facts).map(|title| shown(&facts.blocks[..title]).count())
}

/// The date said to be the publication's, else one of a line near the title. Not any other: documents tell
/// of days on which they were signed, come into force or end, and notices of days on which something is to happen.
pub(crate) fn visible_date(facts: &Facts) -> Option<(Date, Said)> {
    let mut near: Option<(Date, Said)> = None;
    let mut before = "";
    // Where a page shows its title, what is above it is a menu, or news, that no class names.
    let shown_title = shown_title(facts);
    let title = shown_title.unwrap_or(0);
    let first = title.saturating_sub(TABLE_BLOCKS);
    for (at, block) in shown(&facts.blocks).enumerate().skip(first).take(title - first + TABLE_BLOCKS) {
        let text = block.text.as_str();
        let chars = if has_year(text) { text.chars().count() } else { usize::MAX };
        let dated = if chars <= DATE_LINE_CHARS {
            dated_line(text, before)
        } else if chars <= TABLE_CHARS {
            said_published(text).map(|date| (date, Said::Published))
        } else {
            None
        };
        if let Some((date, said)) = dated {
            match said {
                Said::Published => return Some((date, said)),
                // What says when it was changed gives way to a line near the title.
                _ if (title..title + DATE_BLOCKS).contains(&at)
                    && near.is_none_or(|(_, known)| known == Said::Updated && said == Said::Near) =>
                {
                    near = Some((date, said));
                }
                _ => {}
            }
        }
        before = text;
    }
    // Of a page without a title of its own, such as a home page, it may be a part's.
    near.or_else(|| shown_title.and(said_below(facts)).map(|date| (date, Said::Published)))
}

/// The one date that is said to be the publication's anywhere in the main text, such as below an article; several
/// are those of other things.
fn said_below(facts: &Facts) -> Option<Date> {
    let mut dates = shown(&facts.blocks)
        .filter(|block| block.text.len() <= BELOW_BYTES && has_year(&block.text))
        .filter_map(|block| said_published(&block.text));
    let date = dates.next()?;
    dates.all(|other| other == date).then_some(date)
}

/// The day a document is said to be of in the table above it, or where its title is.
pub(crate) fn issued_date(facts: &Facts) -> Option<Date> {
    let first = shown_title(facts).unwrap_or(0).saturating_sub(TABLE_BLOCKS);
    let mut before = "";
    let blocks = shown(&facts.blocks).map(|block| block.text.as_str());
    blocks.skip(first).take(TABLE_BLOCKS + DATE_BLOCKS).find_map(|text| {
        let named =
            words(before).any(|(word, _)| word == Word::Issued) && before.chars().count() <= LABEL_CHARS;
        before = text;
        if !has_year(text) || text.chars().count() > TABLE_CHARS {
            return None;
        }
        let said = said_to_be(Word::Issued, text);
        said.or_else(|| {
            date_in_text(text).filter(|_| named && text.starts_with(|c: char| c.is_ascii_digit()))
        })
    })
}

/// Whether a block is the line of date and source that stands near a title.
pub(crate) fn is_date_line(text: &str) -> bool {
    has_year(text) && text.chars().count() <= DATE_LINE_CHARS && dated_line(text, "").is_some()
}

/// The date right behind a word for the day of publication.
fn said_published(text: &str) -> Option<Date> {
    said_to_be(Word::Published, text)
}

/// The date right behind a word of this meaning.
fn said_to_be(meaning: Word, text: &str) -> Option<Date> {
    words(text).filter(|(word, _)| *word == meaning).find_map(|(_, end)| {
        let between = ['：', ':', ' ', '\u{3000}', '】', ']', '【', '[', '（', '('];
        let rest = text[end..].trim_start_matches(between);
        let follows = rest.starts_with(|c: char| c.is_ascii_digit());
        follows.then(|| date_in_text(rest)).flatten()
    })
}

/// The date of a line near the title, and how it is said; `before` is the block before, such as the cell of a table
/// that names what stands in this one.
fn dated_line(text: &str, before: &str) -> Option<(Date, Said)> {
    let (mut updated, mut day, mut near, mut issued) = (None, None, false, false);
    for (word, end) in words(text) {
        match word {
            Word::Published => {}
            Word::Updated => updated = updated.or(Some(end)),
            Word::Day => day = day.or(Some(end)),
            Word::Near => near = true,
            Word::Issued => issued = true,
            Word::Other => return None,
        }
    }
    let date = date_in_text(text)?;
    let behind = |end: usize| date_in_text(&text[end..]).unwrap_or(date);
    if let Some(date) = said_published(text) {
        return Some((date, Said::Published));
    }
    if let Some(end) = updated {
        return Some((behind(end), Said::Updated));
    }
    if text.trim_start_matches(['[', '(', '（', '【', ' ']).starts_with("20") {
        // Below a title: the day on which the text was passed, or is of. And a title may begin with one.
        let is_documents = text.trim_start().starts_with(['(', '（']) && text.contains('年');
        let is_title = !near && day.is_none() && text.contains('年') && is_amid_words(text, date);
        return said_by(before).filter(|_| !is_documents && !is_title).map(|said| (date, said));
    }
    match day {
        Some(end) => Some((behind(end), Said::Near)),
        None => (near && !issued).then_some((date, Said::Near)),
    }
}

/// What the block before one that begins with a date says of it; `None`: it is the date of something else.
fn said_by(before: &str) -> Option<Said> {
    let label = before.trim_end_matches(['：', ':', ' ']);
    let is_label = label.chars().count() <= LABEL_CHARS
        && (label.len() < before.len() || ["日期", "时间"].iter().any(|word| label.ends_with(word)));
    if !is_label {
        return Some(Said::Near);
    }
    let word = words(label).map(|(word, _)| word).next()?;
    match word {
        Word::Published => Some(Said::Published),
        Word::Updated => Some(Said::Updated),
        Word::Near | Word::Day => Some(Said::Near),
        Word::Issued | Word::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use xunjian_model::{DateSource, PageUrl};

    use crate::{Limits, extract};

    #[test]
    fn a_document_tells_of_other_days_too() {
        let visible = |html: &str| {
            let base = PageUrl::parse("http://a.gov.cn/x.html").expect("base");
            let facts = extract(html.as_bytes(), Some("text/html; charset=utf-8"), &base, Limits::default());
            let visible = facts.dates.iter().find(|date| date.source == DateSource::Visible);
            visible.map(|visible| visible.date.to_string())
        };
        let row = |name: &str, value: &str| format!("<tr><td>{name}</td><td>{value}</td></tr>");
        let (signed, public) = (row("成文日期：", "2024年4月1日"), row("发布日期：", "2024年5月6日"));
        let table = format!(
            "<table>{}{signed}{}{public}</table>",
            row("索引号", "0001/2024-00001"),
            row("发文机关", "市政府")
        );
        let in_one = format!(
            "<p>索引号：0001 {}成文日期：2024年4月1日 发布日期：2024年5月6日</p>",
            "主题分类：土地 ".repeat(20)
        );
        let title = "<title>某某局召开某某工作会议-某某局</title>";
        let label = "<meta name=PubDate content='2024-05-06 10:00'>";
        for (html, date) in [
            (table.as_str(), Some("2024-05-06")),
            (&format!("{label}<table>{signed}</table>"), None),
            (&format!("{label}<h1>题</h1><p>（2024年4月1日）</p>"), None),
            (&format!("{label}<h1>题</h1><p>（2024年4月1日市人民代表大会常务委员会通过）</p>"), None),
            ("<h1>题</h1><p>（2024-05-06 10:00）</p>", Some("2024-05-06")),
            ("<h1>题</h1><p>2024-05-06 10:00</p><p>开标时间：2024年6月20日</p>", Some("2024-05-06")),
            ("<h1>题</h1><p>会议时间：2024年6月20日</p>", None),
            (
                "<h1>题</h1><p>时间 : 2024-05-06 11:45:37 来源 : 某局</p><p>软件首次发表时间在2018年1月1日以前。</p>",
                Some("2024-05-06"),
            ),
            ("<h1>题</h1><p>发布时间：【2024-05-06】 来源：某局</p>", Some("2024-05-06")),
            ("<h1>2024年5月1日空气质量日报</h1><p>时间：2024-05-06 来源：某局</p>", Some("2024-05-06")),
            ("<h1>2024年5月1日空气质量日报</h1><p>2024年5月6日</p>", Some("2024-05-06")),
            ("<h1>题</h1><p>2024年5月6日来源：某局</p>", Some("2024-05-06")),
            ("<h1>题</h1><p>日期：2024-05-06</p>", Some("2024-05-06")),
            ("<h1>题</h1><div>发布时间：</div><div>2024-05-06</div>", Some("2024-05-06")),
            (&in_one, Some("2024-05-06")),
            ("<h1>题</h1><p>更新时间：2024-06-01 发布时间：2024-05-06</p>", Some("2024-05-06")),
            ("<h1>题</h1><p>更新时间：2024-06-01</p>", Some("2024-06-01")),
            (&format!("{label}<h1>题</h1><p>更新时间：2024-06-01</p>"), None),
            ("<div>今天是：2024年6月9日</div><h1>题</h1><p>来源：某局 2024/05/06</p>", Some("2024-05-06")),
            ("<div>今天是：2024年6月9日</div><h1>题</h1>", None),
            (
                &format!(
                    "{title}<h1>某某局召开某某工作会议</h1>{}<div>发布日期：2024-05-06　来源：某局</div>",
                    "<p>正文</p>".repeat(40)
                ),
                Some("2024-05-06"),
            ),
            (
                &format!(
                    "{title}<h1>某某局召开某某工作会议</h1>{}<div>发布日期：2024-05-06</div><div>发布日期：2024-05-07</div>",
                    "<p>正文</p>".repeat(40)
                ),
                None,
            ),
            (&format!("<h1>题</h1>{}<div>发布日期：2024-05-06</div>", "<p>正文</p>".repeat(40)), None),
            // A menu that no class names stands in front of it, or news.
            (
                &format!(
                    "{label}<meta name=ArticleTitle content=某某局召开某某工作会议><ul>{}</ul><h3>某某局召开某某工作会议</h3><p>来源：某局 2024-05-06</p>",
                    "<li><a href=/1>新闻</a><div>2026-01-25</div></li>".repeat(5)
                ),
                Some("2024-05-06"),
            ),
            (
                &format!(
                    "{title}{}<h3>某某局召开某某工作会议</h3><p>来源：某局 时间：2024年5月6日</p>",
                    "<li>栏目</li>".repeat(40)
                ),
                Some("2024-05-06"),
            ),
        ] {
            assert_eq!(visible(html).as_deref(), date, "{html}");
        }
    }
}
