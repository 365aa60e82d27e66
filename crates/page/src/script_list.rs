//! Lists and next pages that stand in scripts, as content systems of the field write them: records of
//! markup in `<![CDATA[`, arrays of JSON, and pagers that are told their numbers alone.

use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use jiff::civil::Date;
use memchr::memmem;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::date::date_in_any_form;
use crate::directory::{self, day_of_number};
use crate::links::searcher;
use crate::list_data::asked_by_call;
use crate::references;

/// Pages a pager leads to from the first page of a list.
const PAGES_MAX: u32 = 1_000;
/// The same from any other page, so that long lists do not name each other by the square.
const PAGES_AHEAD: u32 = 10;
/// Bytes of a call's arguments.
const CALL_BYTES_MAX: usize = 512;
/// Bytes of one array that is read.
const ARRAY_BYTES_MAX: usize = 1 << 20;
/// Places of a script that look like an array and are none, until nothing more is looked for.
const FAILURES_MAX: usize = 16;

/// What of a list stands in a script.
pub(crate) enum Part<'s> {
    /// Markup of a row, or of a link to the next rows.
    Markup(&'s str),
    /// A row of data.
    Row(DataRow<'s>),
    /// Address of another page of the list, relative to the page.
    Page(String),
    /// Address of the next rows, which the rows before bring.
    Next(String),
    /// Address where a script asks for rows.
    Data(String),
    /// How many parts the list has of which the page is one.
    Count(u32),
    /// A list by its name, and the address where its rows are asked for.
    List(DataRow<'s>),
}

/// A row of data: where it leads, its title, its date.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DataRow<'s> {
    pub(crate) url: String,
    pub(crate) title: JsonText<'s>,
    pub(crate) date: Option<Date>,
}

/// A text of JSON as it is written, without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JsonText<'s> {
    pub(crate) written: &'s str,
}

impl<'s> JsonText<'s> {
    /// Its characters, each with its bytes in what is written.
    pub(crate) fn each(self) -> impl Iterator<Item = (char, Range<usize>)> + use<'s> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let rest = &self.written[at..];
            let (character, bytes) = match rest.chars().next()? {
                '\\' => escape(rest),
                plain => (plain, plain.len_utf8()),
            };
            at += bytes;
            Some((character, at - bytes..at))
        })
    }

    /// The same without white space around them.
    pub(crate) fn characters(self) -> Vec<(char, Range<usize>)> {
        let mut all: Vec<_> = self.each().collect();
        let is_text = |(character, _): &(char, Range<usize>)| !character.is_whitespace();
        all.truncate(all.iter().rposition(is_text).map_or(0, |last| last + 1));
        all.drain(..all.iter().position(is_text).unwrap_or(0));
        all
    }

    fn is_blank(self) -> bool {
        match self.written.contains('\\') {
            false => self.written.trim().is_empty(),
            true => self.characters().is_empty(),
        }
    }

    fn text(self) -> String {
        self.characters().into_iter().map(|(character, _)| character).collect()
    }
}

/// The character of the escape a text begins with (`\n`, `\u9519`, `\ud83d\ude00`), and the bytes of it. Half of a
/// pair of surrogates is no character.
fn escape(text: &str) -> (char, usize) {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u").and_then(|rest| rest.get(..4));
        digits.and_then(|digits| u16::from_str_radix(digits, 16).ok())
    };
    if let Some(first) = unit(text) {
        let second = unit(&text[6..])
            .filter(|second| (0xD800..0xDC00).contains(&first) && (0xDC00..0xE000).contains(second));
        let character = char::decode_utf16([first].into_iter().chain(second)).next().and_then(Result::ok);
        let bytes = if second.is_some() { 12 } else { 6 };
        return (character.unwrap_or(char::REPLACEMENT_CHARACTER), bytes);
    }
    let Some(sign) = text[1..].chars().next() else { return (char::REPLACEMENT_CHARACTER, 1) };
    let character = match sign {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{C}',
        '"' | '\\' | '/' => sign,
        _ => char::REPLACEMENT_CHARACTER,
    };
    (character, 1 + sign.len_utf8())
}

/// Hands over what of a list stands in a script.
pub(crate) fn parts<'s>(script: &'s str, address: &str, each: &mut impl FnMut(Part<'s>)) {
    const SIGNS: [&str; 11] = [
        "<datastore", "createPageHTML", "countPage", ".jpage(", "TREE", "pageCount", "rl\"", "URL\"",
        "Url\"", "ink\"", "ref\"",
    ];
    static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| searcher(SIGNS.iter()));
    let mut seen = [false; SIGNS.len()];
    WORDS.find_iter(script).for_each(|word| seen[word.pattern().as_usize()] = true);
    let [records_stand, calls, counts, asks, tree, numbers, data @ ..] = seen;
    if records_stand {
        records(script, each);
    }
    let called = calls.then(|| Pager::of_calls(script, address)).flatten();
    if let Some(pager) = called.or_else(|| counts.then(|| Pager::of_variables(script, address)).flatten()) {
        pager.others().for_each(|page| each(Part::Page(page)));
    }
    if let Some(address) = asks.then(|| asked_by_call(script)).flatten() {
        each(Part::Data(address));
    }
    // In JSON it is read with the rows.
    let count = || number_of(script, "pageCount", ':').or_else(|| number_of(script, "pageCount", '='));
    if let Some(count) = numbers.then(count).flatten() {
        each(Part::Count(count));
    }
    let lists = if tree { directory::lists(script, address) } else { Vec::new() };
    let is_directory = !lists.is_empty();
    lists.into_iter().for_each(|list| each(Part::List(list)));
    // A tree of columns is no list of articles.
    if data.contains(&true) && !is_directory {
        rows(script, |row| each(Part::Row(row)));
    }
}

/// The texts of `<![CDATA[...]]>`: rows, and in `<nextgroup>` a link to the next ones.
fn records<'s>(script: &'s str, each: &mut impl FnMut(Part<'s>)) {
    let mut rest = script;
    while let Some((before, from)) = rest.split_once("<![CDATA[") {
        let Some((record, after)) = from.split_once("]]>") else { return };
        rest = after;
        match before.trim_end().ends_with("<nextgroup>").then(|| href(record)) {
            Some(next) => next.into_iter().for_each(|next| each(Part::Next(next))),
            None => each(Part::Markup(record)),
        }
    }
}

/// The address in `<a href="...">`.
fn href(markup: &str) -> Option<String> {
    let value = markup.split_once("href=")?.1;
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    Some(references::in_attribute(value[1..].split_once(quote)?.0).into_owned())
}

// ---- pagers ---------------------------------------------------------------------------------

/// A list over several files: `index.html`, `index_1.html`, …, or `list.shtml`, `list_2.shtml`, …
#[derive(Debug, PartialEq, Eq)]
struct Pager<'s> {
    pages: u32,
    current: u32,
    /// Number of the first page.
    first: u32,
    stem: &'s str,
    ending: &'s str,
}

impl<'s> Pager<'s> {
    /// `createPageHTML(12, 0, "index", "shtml")`, or `createPageHTML('page_div', 12, 1, 'list', 'shtml', 230)`.
    fn of_calls(script: &'s str, address: &str) -> Option<Self> {
        let name = "createPageHTML";
        let mut calls = memmem::find_iter(script.as_bytes(), name);
        calls.find_map(|at| Self::of_call(&script[at + name.len()..], address))
    }

    fn of_call(rest: &'s str, address: &str) -> Option<Self> {
        let rest = rest.trim_start().strip_prefix('(')?;
        let end = rest.bytes().take(CALL_BYTES_MAX).position(|byte| byte == b')')?;
        let inner = &rest[..end];
        let mut numbers = Vec::new();
        let mut words = Vec::new();
        for argument in inner.split(',').map(str::trim) {
            let quoted = argument.trim_matches(['"', '\'']);
            match argument.parse() {
                Ok(number) => numbers.push(number),
                Err(_) if quoted.len() + 2 == argument.len() => words.push(quoted),
                // The function itself, or a call with variables.
                Err(_) => return None,
            }
        }
        let [.., stem, ending] = words[..] else { return None };
        let (pages, current) = (*numbers.first()?, *numbers.get(1)?);
        // Those that name the element first count from 1, as does what calls a page without a number the first.
        let has_element = words.len() > 2 && current > 0;
        let unnumbered = || file_stem(address).is_some_and(|own| own == stem || own.is_empty());
        let first = u32::from(has_element || current == 1 && unnumbered());
        Some(Self { pages, current, first, stem, ending }).filter(Self::is_sound)
    }

    /// `var countPage = 12` and its like.
    fn of_variables(script: &'s str, address: &'s str) -> Option<Self> {
        let pages = number_of(script, "countPage", '=')?;
        let current = number_of(script, "currentPage", '=').unwrap_or(0);
        let file = address.split(['?', '#']).next()?.rsplit('/').next()?;
        let (stem, ending) = file.rsplit_once('.').unwrap_or(("index", "html"));
        let stem = stem.rsplit_once('_').map_or(stem, |(stem, _)| stem);
        Some(Self { pages, current, first: 0, stem, ending }).filter(Self::is_sound)
    }

    fn is_sound(&self) -> bool {
        let plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        plain(self.stem) && plain(self.ending) && self.current < self.pages.saturating_add(self.first)
    }

    fn others(&self) -> impl Iterator<Item = String> {
        let ahead = if self.current <= self.first { PAGES_MAX } else { PAGES_AHEAD };
        let from = self.current.saturating_add(1);
        let to = self.pages.saturating_add(self.first).min(from.saturating_add(ahead));
        let (stem, ending) = (self.stem, self.ending);
        (from..to).map(move |page| format!("{stem}_{page}.{ending}"))
    }
}

/// The name of an address's file, without its ending; none is empty.
fn file_stem(address: &str) -> Option<&str> {
    let file = address.split(['?', '#']).next()?.rsplit('/').next()?;
    Some(file.rsplit_once('.').map_or(file, |(stem, _)| stem))
}

/// The number that stands behind a name and a sign: `countPage = 12`.
pub(crate) fn number_of(script: &str, name: &str, sign: char) -> Option<u32> {
    memmem::find_iter(script.as_bytes(), name).find_map(|at| {
        let value = script[at + name.len()..].trim_start().strip_prefix(sign)?.trim_start();
        let digits = value.bytes().take_while(u8::is_ascii_digit).count();
        value[..digits].parse().ok()
    })
}

// ---- rows of data ---------------------------------------------------------------------------

fn rows<'s>(script: &'s str, mut each: impl FnMut(DataRow<'s>)) {
    let mut rest = script;
    let mut failures = 0;
    while failures < FAILURES_MAX {
        let Some(at) = memchr::memchr(b'[', rest.as_bytes()) else { return };
        rest = &rest[at..];
        let object = rest[1..].trim_start().strip_prefix('{').map(str::trim_start);
        if !object.is_some_and(|object| object.starts_with('"')) {
            rest = &rest[1..];
            continue;
        }
        let mut end = rest.len().min(ARRAY_BYTES_MAX);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let mut array = serde_json::Deserializer::from_str(&rest[..end]).into_iter::<Vec<Object>>();
        match array.next() {
            Some(Ok(objects)) => {
                objects.into_iter().filter_map(Object::row).for_each(&mut each);
                rest = &rest[array.byte_offset()..];
            }
            _ => {
                failures += 1;
                rest = &rest[1..];
            }
        }
    }
}

/// Keys of a row's address, title and date, the likeliest first, without case and `_`.
const KEYS: [&[&str]; 3] = [
    &["url", "link", "href", "linkurl", "docpuburl", "puburl", "articleurl", "weburl", "infourl"],
    &["title", "doctitle", "articletitle", "showtitle", "name"],
    &[
        "displaypublishtime", "date", "pubdate", "publishtime", "publishdate", "publishedtime", "docreltime",
        "pubtime", "time", "publishedtimestr", "createtime", "createdat", "crtime",
    ],
];
/// The part that is a date.
const DATE: usize = 2;
/// Bytes of the longest of them, with room for some `_`.
const KEY_BYTES_MAX: usize = 24;

/// What of an object a row is made of: for each of [`KEYS`] the likeliest text, with its rank. All else is
/// skipped as it is read.
#[derive(Default)]
struct Object<'s>([Option<(usize, JsonText<'s>)>; 3]);

impl<'s> Object<'s> {
    fn row(self) -> Option<DataRow<'s>> {
        let [url, title, date] = self.0.map(|found| found.map(|(_, text)| text));
        let date = date.and_then(|date| {
            let text = date.text();
            day_of_number(&text).or_else(|| date_in_any_form(&text))
        });
        Some(DataRow { url: url?.text(), title: title?, date })
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Object::default())
    }
}

impl<'de> Visitor<'de> for Object<'de> {
    type Value = Self;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<Self, A::Error> {
        while let Some(Key(key)) = object.next_key()? {
            let Some((part, rank)) = key else {
                object.next_value::<IgnoredAny>()?;
                continue;
            };
            let value: &RawValue = object.next_value()?;
            let text = if part == DATE { text_or_number(value) } else { text_of(value) };
            let kept = &mut self.0[part];
            if let Some(text) = text.filter(|_| kept.as_ref().is_none_or(|(best, _)| rank < *best)) {
                *kept = Some((rank, text));
            }
        }
        Ok(self)
    }
}

/// Which part of a row a key is of, and how likely.
struct Key(Option<(usize, usize)>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Plain;
        impl Visitor<'_> for Plain {
            type Value = Key;
            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a key")
            }
            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                let mut room = [0; KEY_BYTES_MAX];
                let Some(room) = room.get_mut(..key.len()) else { return Ok(Key(None)) };
                let mut bytes = 0;
                for byte in key.bytes().filter(|byte| *byte != b'_') {
                    room[bytes] = byte.to_ascii_lowercase();
                    bytes += 1;
                }
                let plain = &room[..bytes];
                let is = |name: &&str| name.as_bytes() == plain;
                let mut parts = KEYS.iter().enumerate();
                Ok(Key(parts.find_map(|(part, names)| Some((part, names.iter().position(is)?)))))
            }
        }
        from.deserialize_str(Plain)
    }
}

/// A value that is a text and says something.
fn text_of(value: &RawValue) -> Option<JsonText<'_>> {
    let written = value.get().strip_prefix('"')?.strip_suffix('"')?;
    Some(JsonText { written }).filter(|text| !text.is_blank())
}

/// The same, or a number that is a moment.
fn text_or_number(value: &RawValue) -> Option<JsonText<'_>> {
    let written = value.get();
    text_of(value).or_else(|| day_of_number(written).map(|_| JsonText { written }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(script: &str, address: &str) -> Vec<String> {
        let mut pages = Vec::new();
        parts(script, address, &mut |part| {
            if let Part::Page(page) = part {
                pages.push(page);
            }
        });
        pages
    }

    #[test]
    fn pagers_of_the_field() {
        let first = ["index_1.shtml", "index_2.shtml"];
        assert_eq!(pages(r#"createPageHTML(3, 0, "index", "shtml");"#, "http://a.cn/x/"), first);
        assert_eq!(pages(r#"createPageHTML('page_div',3,0,'index','shtml',45)"#, "http://a.cn/x/"), first);
        let second = r#"createPageHTML(3, 1, "index", "shtml");"#;
        assert_eq!(pages(second, "http://a.cn/x/index_1.shtml"), ["index_2.shtml"]);
        let from_one = r#"createPageHTML('page_div',3, 1,'list','shtml',45);"#;
        assert_eq!(pages(from_one, "http://a.cn/x/list.shtml"), ["list_2.shtml", "list_3.shtml"]);
        assert_eq!(pages(&from_one.replace(" 1,", " 2,"), "http://a.cn/x/list_2.shtml"), ["list_3.shtml"]);
        assert_eq!(pages(&from_one.replace(" 1,", " 3,"), "http://a.cn/x/list_3.shtml"), [""; 0]);
        let unnamed = r#"createPageHTML(3, 1, "list", "shtml");"#;
        assert_eq!(pages(unnamed, "http://a.cn/x/list.shtml?a=1"), ["list_2.shtml", "list_3.shtml"]);
        assert_eq!(pages(unnamed, "http://a.cn/x/list_1.shtml"), ["list_2.shtml"]);
        assert_eq!(pages(unnamed, "http://a.cn/x/"), ["list_2.shtml", "list_3.shtml"]);
        let variables = "var currentPage = 0;//所在页从0开始\nvar countPage = 3//共多少页";
        assert_eq!(pages(variables, "http://a.cn/x/"), ["index_1.html", "index_2.html"]);
        assert_eq!(pages(variables, "http://a.cn/x/list.htm?a=1"), ["list_1.htm", "list_2.htm"]);
        let later = "var countPage = 3, currentPage = 1;";
        assert_eq!(pages(later, "http://a.cn/x/list_1.htm"), ["list_2.htm"]);
    }

    #[test]
    fn pagers_that_say_nothing_or_nonsense() {
        for script in [
            "function createPageHTML(_nPageCount, _nCurrIndex, _sPageName, _sPageExt){}",
            r#"createPageHTML(1, 0, "index", "html");"#,
            r#"createPageHTML(3, 7, "index", "html");"#,
            r#"createPageHTML(3, 0, "../../x", "html");"#,
            "createPageHTML(",
            "var countPage = many;",
            "var countPage = 99999999999999999999;",
        ] {
            assert!(pages(script, "http://a.cn/").is_empty(), "{script}");
        }
        assert_eq!(pages(r#"createPageHTML(4000000000, 0, "index", "html")"#, "http://a.cn/").len(), 1_000);
        assert_eq!(pages(r#"createPageHTML(4294967295, 4294967294, "i", "h")"#, "http://a.cn/").len(), 0);
    }

    #[test]
    fn texts_with_escapes() {
        for (written, text) in [
            (r" \u7532\t乙\n", "甲\t乙"),
            (r#"\"\\\/"#, "\"\\/"),
            (r"\ud83d\ude00", "😀"),
            (r"\ud83d乙\ude00", "\u{FFFD}乙\u{FFFD}"),
            (r"\ud83d\u7532", "\u{FFFD}甲"),
            (r" \u3000 ", ""),
            ("", ""),
        ] {
            assert_eq!(JsonText { written }.text(), text, "{written}");
        }
    }

    #[test]
    fn rows_of_data() {
        let mut found = Vec::new();
        rows(
            r#"var page = {"total":2,"list":[{"docTitle":"甲","docPubUrl":"/a.html","doc_rel_time":"2024-05-06 10:00"},
               {"title":"乙","url":"b.html"},{"title":"","url":"c.html"},{"other":[1]}]}; x([{"broken":]); y([1,{"url":"z"}])"#,
            |row| found.push(row),
        );
        let row = |url: &str, title: &'static str, date: Option<Date>| DataRow {
            url: url.to_owned(),
            title: JsonText { written: title },
            date,
        };
        assert_eq!(
            found,
            [row("/a.html", "甲", Some(jiff::civil::date(2024, 5, 6))), row("b.html", "乙", None),]
        );
    }
}
