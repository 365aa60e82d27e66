//! When a page was published: every date it gives, with where it stands.
//!
//! From the most to the least trusted: the label of the standard (`PubDate`), a line near the title
//! that says so, structured data and the labels of other systems, the address, the first line with
//! a date. A moment at which a page was made or rebuilt (`Maketime`) is none of them.

use std::collections::HashSet;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use jiff::civil::Date;
use xunjian_model::{Block, DateFact, DateSource, Facts, PageUrl, Zone};

use crate::attribute::{Attribute, Attributes};
use crate::date::{date_in_any_form, dates_in_url, is_amid_words};
use crate::date_line::{Said, issued_date, visible_date};
use crate::kind::{LIST_ROWS, is_list};
use crate::links::searcher;
use crate::neighbour::is_neighbour;

/// Blocks in which the first dated line is looked for.
const LINE_BLOCKS: usize = 400;
/// Longest line that is looked at for any date, in bytes.
const DATE_LINE_BYTES: usize = 200;
/// Bytes after a key of a script in which its date stands.
const SCRIPT_BYTES: usize = 60;

/// Labels for the day of publication, without their separators.
const LABELS: [&str; 38] = [
    "articlepublishedtime", "datepublished", "ogpublishedtime", "ogarticlepublishedtime", "ogpubdate",
    "publicationdate", "publisheddate", "publishdate", "publishtime", "publishedtime", "pubdate", "pubtime",
    "articlepublished", "articlepubdate", "articlecreated", "articlecreateat", "weiboarticlecreateat",
    "originalpublicationdate", "dcdateissued", "dctermsissued", "dctermscreated", "dcdatecreated",
    "dctermsdate", "dcdate", "parselypubdate", "sailthrudate", "btpubdate", "citationpublicationdate",
    "citationdate", "cxenseparserecspublishtime", "analyticspublishdate", "rnewsdatepublished",
    "datecreated", "displaydate", "releasedate", "createdate", "uploaddate", "date",
];

/// What structured markup says while a page is read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Published {
    /// Said to be the publication.
    structured: Option<Date>,
    /// The day a text was made, of scripts.
    made: Option<Date>,
    /// The first `<time>` above the footer.
    time: Option<Date>,
}

impl Published {
    /// Reads the data in a script.
    pub(crate) fn read_script(&mut self, script: &str) {
        if self.structured.is_some() {
            return;
        }
        match date_in_script(script) {
            Some((date, true)) => self.structured = Some(date),
            Some((date, false)) => self.made = self.made.or(Some(date)),
            None => {}
        }
    }

    /// Reads `<time datetime>` and elements with `itemprop=datePublished`.
    pub(crate) fn read(&mut self, attributes: &Attributes<'_>, above_footer: bool) {
        let says = |name: Attribute, words: &[&str]| {
            attributes.get(name).is_some_and(|value| {
                let value = value.to_ascii_lowercase();
                words.iter().any(|word| value.contains(word))
            })
        };
        let value = [Attribute::Datetime, Attribute::Content, Attribute::Title]
            .into_iter()
            .find_map(|name| attributes.get(name));
        let Some(date) = value.and_then(|value| date_in_any_form(&value)) else { return };
        let published = says(Attribute::Itemprop, &["datepublished", "datecreated"])
            || attributes.has(Attribute::Pubdate)
            || says(Attribute::Class, &["publish", "entry-date", "created"])
                && !says(Attribute::Class, &["updated"]);
        if published && self.structured.is_none() {
            self.structured = Some(date);
        } else if above_footer
            && self.time.is_none()
            && !says(Attribute::Itemprop, &["modified"])
            && !says(Attribute::Class, &["updated"])
        {
            self.time = Some(date);
        }
    }
}

/// The date of publication in a script's data (JSON-LD and the like), and whether it is said to be
/// that, not the making of the text.
pub(crate) fn date_in_script(script: &str) -> Option<(Date, bool)> {
    /// Keys of the day a text was made; it may be published later.
    const MADE: [&str; 2] = ["dateCreated", "createdAt"];
    const PUBLISHED: [&str; 10] = [
        "datePublished", "publishDate", "publishedAt", "published_at", "publishedDate", "pubDate",
        "datePublication", "publicationDate", "publish_date", "publish_time",
    ];
    static KEYS: LazyLock<AhoCorasick> = LazyLock::new(|| searcher(PUBLISHED.iter().chain(&MADE)));
    let dates = KEYS.find_iter(script).filter_map(|key| {
        let rest = &script[key.end()..];
        let end = rest.char_indices().take_while(|(at, _)| *at < SCRIPT_BYTES).last();
        let value = &rest[..end.map_or(0, |(at, c)| at + c.len_utf8())];
        // The value of this key, not of the next.
        let value = value.split([',', '}']).next().unwrap_or_default();
        Some((date_in_any_form(value)?, key.pattern().as_usize() < PUBLISHED.len()))
    });
    let mut made = None;
    for (date, published) in dates {
        if published {
            return Some((date, true));
        }
        made.get_or_insert((date, false));
    }
    made
}

pub(crate) fn page_dates(facts: &mut Facts, published: Published, address: &PageUrl) {
    let mut found = Vec::new();
    let mut add = |source, date: Option<Date>| found.extend(date.map(|date| DateFact { date, source }));
    let label = ["PubDate", "publishdate"].iter().find_map(|name| facts.label(name));
    let made = label.is_some_and(|label| is_making(facts, label));
    add(if made { DateSource::Made } else { DateSource::Label }, label.and_then(date_in_any_form));
    let list = is_list(facts);
    let visible =
        visible_date(facts).filter(|(_, said)| !(list || *said == Said::Updated && label.is_some()));
    let visible = visible.map(|(date, _)| date);
    add(DateSource::Visible, visible.or_else(|| if list { None } else { moment_alone(facts) }));
    let other = facts.labels.iter().filter_map(|label| {
        let name: String =
            label.name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        let rank = LABELS.iter().position(|known| *known == name)?;
        Some((rank, date_in_any_form(&label.content)?))
    });
    let other = other.min_by_key(|(rank, _)| *rank).map(|(_, date)| date);
    if label.is_none() {
        add(DateSource::Structured, published.structured.or(other).or(published.made));
    }
    let own = facts.canonical.as_deref().or_else(|| facts.label("og:url"));
    let canonical = own.and_then(dates_in_url);
    add(DateSource::Url, dates_in_url(address.path()).or(canonical));
    if !list && found.iter().all(|date| date.source == DateSource::Made) {
        // Beside the moment a page was made at, a day that is said to be something.
        let date = match made {
            true => issued_date(facts),
            false => published.time.or_else(|| first_dated_line(facts)),
        };
        found.extend(date.map(|date| DateFact { date, source: DateSource::Line }));
    }
    facts.dates.extend(found);
}

/// The day of the only block of the main text that is a moment and nothing else: `2020-07-16 13:09:02`.
fn moment_alone(facts: &Facts) -> Option<Date> {
    let is_moment = |text: &str| {
        text.contains(':') && text.chars().all(|c| c.is_ascii_digit() || "-/.: 年月日".contains(c))
    };
    let main = facts.blocks.iter().filter(|block| block.zone == Zone::Main && !block.hidden);
    let mut moments =
        main.map(|block| block.text.trim()).filter(|text| is_moment(text)).filter_map(date_in_any_form);
    moments.next().filter(|_| moments.next().is_none())
}

/// Whether the time a label tells is that at which the page was made, which many systems say in another label:
/// after a rebuild all pages would be of that day.
fn is_making(facts: &Facts, label: &str) -> bool {
    let label = label.trim();
    let says_making = |name: &str, content: &str| {
        name.trim().eq_ignore_ascii_case("Maketime") || content.contains("生成时间")
    };
    label.contains(':')
        && facts
            .labels
            .iter()
            .any(|other| says_making(&other.name, &other.content) && other.content.contains(label))
}

/// The date a page is taken to be of, by the most trusted of its dates; `None` when it gives none.
pub fn page_date(dates: &[DateFact]) -> Option<Date> {
    use DateSource::{Label, Line, Made, Structured, Url, Visible};
    let of = |source| dates.iter().find(|date| date.source == source).map(|date| date.date);
    // Structured data tells the time in any zone; the address has the day of the place.
    let next_day = |one: Date, other: Date| one.since(other).is_ok_and(|span| span.get_days().abs() == 1);
    let local = of(Structured).zip(of(Url)).filter(|(one, other)| next_day(*one, *other)).map(|(_, url)| url);
    of(Label)
        .or_else(|| of(Visible))
        .or(local)
        .or_else(|| [Structured, Url, Line, Made].into_iter().find_map(of))
}

/// The first date of a short line after the first heading, else of any short line, of the footer last. What is
/// listed is dated for itself.
fn first_dated_line(facts: &Facts) -> Option<Date> {
    let links = || facts.items.iter().filter_map(|item| facts.links.get(item.link as usize));
    let rows: HashSet<u32> = match facts.items.len() {
        ..LIST_ROWS => HashSet::new(),
        _ => links().map(|link| link.block).collect(),
    };
    // A menu may show one or two.
    let menus_list = links().any(|link| link.zone == Zone::Navigation);
    let is_listed = |at: u32, block: &Block| {
        let in_menu =
            || block.zone == Zone::Navigation && block.path.split('>').any(|element| element == "li");
        rows.contains(&at) || menus_list && in_menu()
    };
    let dated = |skip: usize, footer: bool| {
        (0..)
            .zip(&facts.blocks)
            .skip(skip)
            .filter(|(_, block)| !block.hidden && block.text.len() <= DATE_LINE_BYTES)
            .filter(|(_, block)| !is_neighbour(&block.text))
            .filter(|(at, block)| (block.zone == Zone::Footer) == footer && !is_listed(*at, block))
            .take(LINE_BLOCKS)
            .find_map(|(at, block)| {
                let date = date_in_any_form(&block.text).filter(|_| !block.text.contains("今天是"))?;
                // 解读文件：2024年5月6日会议纪要: what is linked has a day in its title.
                let of_block = || facts.links.iter().filter(|link| link.block == at);
                let is_titles = || of_block().any(|link| is_amid_words(facts.link_text(link), date));
                (!is_titles()).then_some(date)
            })
    };
    let title = facts.blocks.iter().position(|block| !block.hidden && block.heading == 1);
    title.and_then(|at| dated(at, false)).or_else(|| dated(0, false)).or_else(|| dated(0, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, extract};

    #[test]
    fn a_moment_alone_is_the_publication_s() {
        let visible = |html: &str| dates(html).first().map(|(source, date)| (*source, date.clone()));
        let page = "<title>课题研究</title><td class=t>促进宁镇扬一体发展价格政策研究</td><td><span>2020-07-16 13:09:02</span></td><p>正文</p>";
        assert_eq!(visible(page), Some((DateSource::Visible, "2020-07-16".to_owned())));
    }

    fn dates(html: &str) -> Vec<(DateSource, String)> {
        let base = PageUrl::parse("http://a.gov.cn/x.html").expect("base");
        let facts = extract(html.as_bytes(), Some("text/html; charset=utf-8"), &base, Limits::default());
        facts.dates.iter().map(|date| (date.source, date.date.to_string())).collect()
    }

    #[test]
    fn every_place_of_a_date_is_known() {
        use DateSource::{Label, Line, Structured, Url, Visible};
        let table: &[(&str, DateSource, &str)] = &[
            ("<meta name=PubDate content='2024-05-06 10:00'>", Label, "2024-05-06"),
            ("<meta name='  pubdate ' content='20240506'>", Label, "2024-05-06"),
            ("<h1>题</h1><p>发布时间：2024年5月6日 来源：办公室</p>", Visible, "2024-05-06"),
            (
                "<meta property='og:article:published_time' content='2024-05-06T01:02:03Z'>",
                Structured,
                "2024-05-06",
            ),
            ("<meta itemprop=datePublished content=2024-05-06>", Structured, "2024-05-06"),
            (
                "<script type='application/ld+json'>{\"dateModified\":\"2024-06-01\",\"datePublished\": \"2024-05-06T00:00\"}</script>",
                Structured,
                "2024-05-06",
            ),
            ("<time class='entry-date published' datetime='2024-05-06'>x</time>", Structured, "2024-05-06"),
            ("<link rel=canonical href='/2024/05/06/x.html'>", Url, "2024-05-06"),
            ("<h1>Title</h1><p>By A. B., 6 May 2024</p>", Line, "2024-05-06"),
            ("<h1>Title</h1><p>May 6th, 2024 10:00</p>", Line, "2024-05-06"),
            ("<h1>Título</h1><p>06.05.2024</p>", Line, "2024-05-06"),
            ("<div class=nav><ul><li><a href=/t>6 May 2024</a></ul></div><h1>Title</h1>", Line, "2024-05-06"),
            ("<time datetime='2024-05-06T10:00'>x</time>", Line, "2024-05-06"),
        ];
        for (html, source, date) in table {
            assert_eq!(dates(html), [(*source, (*date).to_owned())], "{html}");
        }
    }

    #[test]
    fn a_label_that_tells_when_the_page_was_made_is_no_publication() {
        let head = "<meta name=PubDate content='2022-10-14 10:16:14'>";
        let made = "<meta name=others content='页面生成时间 2022-10-14 10:16:14'>";
        let line = "<h1>题</h1><p>2020年09月15日 来源：某局</p>";
        let date = |html: &str| {
            let base = PageUrl::parse("http://a.gov.cn/x.html").expect("base");
            let facts = extract(html.as_bytes(), None, &base, Limits::default());
            page_date(&facts.dates).map(|date| date.to_string())
        };
        assert_eq!(date(&format!("{head}{made}{line}")).as_deref(), Some("2020-09-15"));
        assert_eq!(date(&format!("{head}{line}")).as_deref(), Some("2022-10-14"));
        let maketime = "<meta name='Maketime' content='2022-10-14 10:16:14_194'>";
        assert_eq!(date(&format!("{head}{maketime}{line}")).as_deref(), Some("2020-09-15"));
        assert_eq!(date(&format!("{head}{made}<p>文</p>")).as_deref(), Some("2022-10-14"));
        // The table above a document says of which day it is.
        for table in [
            "<table><tr><td>索 引 号：</td><td>0001</td></tr><tr><td>生成日期：</td><td>2020-09-15</td></tr></table><h1>题</h1>",
            "<p>索引号：0001 发文日期：2020年9月15日 公开方式：主动公开</p><h1>题</h1><p>（2020年9月1日）</p>",
        ] {
            assert_eq!(date(&format!("{head}{made}{table}")).as_deref(), Some("2020-09-15"), "{table}");
            assert_eq!(date(&format!("{head}{table}")).as_deref(), Some("2022-10-14"), "{table}");
        }
        let days = "<p>会议时间：2020-09-15</p><p>页面生成日期：2020-09-15</p>";
        assert_eq!(date(&format!("{head}{made}<h1>题</h1>{days}")).as_deref(), Some("2022-10-14"));
        let day = "<meta name=PubDate content='2022-10-14'>";
        assert_eq!(date(&format!("{day}{made}{line}")).as_deref(), Some("2022-10-14"));
    }

    #[test]
    fn what_is_no_publication_is_not_taken_for_one() {
        for html in [
            "<meta name=Maketime content='2024-05-06 10:00'>",
            "<meta property='article:modified_time' content='2024-05-06'>",
            "<p>页面生成时间：2024-05-06",
            "<script>var updatedAt = '2024-05-06'</script>",
            "<meta name=PubDate content='2024-02-30'>",
        ] {
            assert!(dates(html).iter().all(|(source, _)| *source == DateSource::Line), "{html}");
        }
        // What a title names that is linked.
        assert_eq!(dates("<h1>题</h1><p>解读文件：<a href=/1>2024年5月6日会议纪要</a></p>"), []);
        // What a menu shows of another column.
        let row = "<li><a href=/1.html>另一栏目的文章</a><span>2024-05-06</span></li>";
        assert_eq!(dates(&format!("<div class=nav><ul>{row}</ul></div><h1>栏目</h1><p>文</p>")), []);
    }
}
