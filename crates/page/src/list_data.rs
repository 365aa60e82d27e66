//! Lists that programs hand out as data, for scripts of pages to show: where they are asked for, and what comes.
//!
//! Content systems of the field do so in three ways: an element names program and parameters (jpaas), a call does
//! (hanweb's jpage, TrueCMS), or the first rows bring the address of the next ones (jpage). What comes is records of
//! markup, or JSON around markup or rows. Everything here can be asked for by GET, as a reader's browser would.

use std::ops::Range;

use url::form_urlencoded::Serializer;
use xunjian_model::PageUrl;

use crate::script_list::{self, JsonText, Part, number_of};
use crate::source::Places;

/// Bytes of a call or of an element's parameters.
const CALL_BYTES_MAX: usize = 16 << 10;
/// Texts of JSON that are read as markup.
const MARKUP_MAX: usize = 1_000;
/// Parts of a list that its first part leads to.
const PARTS_MAX: u64 = 1_000;
/// The same for any other part, so that long lists do not name each other by the square.
const PARTS_AHEAD: u64 = 10;

// ---- what is asked for ----------------------------------------------------------------------

/// The address a script element asks: `<script url="/build/unit" querydata="{'pageId':'1'}">`.
pub(crate) fn asked_by_element(program: &str, query: &str) -> Option<String> {
    if query.len() > CALL_BYTES_MAX {
        return None;
    }
    address(program, pairs(query.trim().strip_prefix('{')?.strip_suffix('}')?)?)
}

/// The address of the first rows a call asks for:
/// `$("#l").jpage({proxyUrl:'/dataproxy.jsp', perPage:15, groupSize:3, ajaxParam:{columnid:1}})`.
pub(crate) fn asked_by_call(script: &str) -> Option<String> {
    let call = script.split_once(".jpage(")?.1;
    let mut end = call.len().min(CALL_BYTES_MAX);
    while !call.is_char_boundary(end) {
        end -= 1;
    }
    let call = &call[..end];
    let value = |name: &str| {
        let rest = call.split_once(name)?.1.trim_start();
        rest.strip_prefix(':').map(str::trim_start)
    };
    let program = quoted(value("proxyUrl")?)?.0;
    let parameters = value("ajaxParam")?.strip_prefix('{')?.split_once('}')?.0;
    let rows = number_of(call, "perPage", ':').filter(|rows| *rows > 0)?;
    let last = rows.checked_mul(number_of(call, "groupSize", ':').unwrap_or(1).max(1))?;
    let window = [("startrecord", 1), ("endrecord", last), ("perpage", rows)];
    let window = window.map(|(name, number)| (name, number.to_string()));
    address(program, window.into_iter().chain(pairs(parameters)?))
}

fn address<'p>(program: &str, pairs: impl IntoIterator<Item = (&'p str, String)>) -> Option<String> {
    // What another script is to fill in is no address.
    if program.is_empty() || program.contains(['$', '{', '<', ' ']) {
        return None;
    }
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    let joint = if program.contains('?') { '&' } else { '?' };
    Some(format!("{program}{joint}{query}"))
}

/// The pairs of an object as scripts write it: `'a':'b', c: 1`. Nothing where a value is no constant.
fn pairs(mut rest: &str) -> Option<Vec<(&str, String)>> {
    let mut pairs = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
        if rest.is_empty() {
            return Some(pairs);
        }
        let (name, after) = quoted(rest).or_else(|| bare(rest))?;
        let value = after.trim_start().strip_prefix(':')?.trim_start();
        let (value, after) = quoted(value).or_else(|| {
            let (word, after) = bare(value)?;
            let constant = matches!(word, "null" | "true" | "false") || word.parse::<f64>().is_ok();
            constant.then_some((word, after))
        })?;
        // An expression goes on here.
        if !after.trim_start().is_empty() && !after.trim_start().starts_with(',') {
            return None;
        }
        pairs.push((name, value.to_owned()));
        rest = after;
    }
}

/// A text in quotes of either kind, and what is behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    text[1..].split_once(quote)
}

/// A word, and what is behind it.
fn bare(text: &str) -> Option<(&str, &str)> {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.' | '-');
    let end = text.find(|c| !part(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

// ---- what comes -----------------------------------------------------------------------------

/// A list that was handed out: the markup in it. Rows of data and records stand in the text itself.
#[derive(Debug, Default)]
pub(crate) struct Handed<'t> {
    pub(crate) markup: Vec<Markup<'t>>,
}

/// Markup in a text of JSON.
#[derive(Debug)]
pub(crate) struct Markup<'t> {
    pub(crate) text: String,
    written: JsonText<'t>,
}

impl<'t> Markup<'t> {
    /// The text it is written as, with where each of its characters, by their first bytes, is written in that.
    pub(crate) fn written(&self) -> (&'t str, Places) {
        let mut at = 0;
        let place = |(character, part): (char, _)| {
            let start = at;
            at += character.len_utf8();
            (start, part)
        };
        (self.written.written, self.written.each().map(place).collect())
    }
}

/// Reads a body that is a list handed out as data; `None`: it is a page, or anything else.
pub(crate) fn read(text: &str) -> Option<Handed<'_>> {
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
    if start.starts_with('<') {
        let records = start.starts_with("<?xml").then(|| start.split_once("?>")).flatten();
        let records = records.map_or(start, |(_, rest)| rest.trim_start());
        return records.starts_with("<datastore").then(Handed::default);
    }
    let data = match bare(start) {
        // `callback({"result": …})`
        Some((_, rest)) => rest.trim_start().strip_prefix('(')?.trim_start(),
        None => start,
    };
    if !data.starts_with(['{', '[']) {
        return None;
    }
    let markup: Vec<Markup<'_>> = texts(data)
        .filter(|written| begins_markup(written))
        .take(MARKUP_MAX)
        .map(|written| JsonText { written })
        .map(|written| Markup { text: written.each().map(|(character, _)| character).collect(), written })
        .collect();
    let mut rows = false;
    if markup.is_empty() {
        script_list::parts(data, "", &mut |part| rows |= !matches!(part, Part::Count(_)));
    }
    (rows || !markup.is_empty() || is_empty(data)).then_some(Handed { markup })
}

/// Whether it is a list that has nothing, and says so.
fn is_empty(data: &str) -> bool {
    let count =
        ["\"post_count\"", "\"total\"", "\"totalCount\""].iter().find_map(|name| number_of(data, name, ':'));
    count == Some(0) && (data.contains(":[]") || data.contains(": []"))
}

/// The texts of JSON as they are written, without their quotes.
fn texts(json: &str) -> impl Iterator<Item = &str> {
    let mut rest = json;
    std::iter::from_fn(move || {
        let start = memchr::memchr(b'"', rest.as_bytes())? + 1;
        let mut end = start;
        loop {
            end += memchr::memchr2(b'"', b'\\', &rest.as_bytes()[end..])?;
            if rest.as_bytes()[end] == b'"' {
                break;
            }
            // What is behind a backslash ends nothing.
            end += 2;
            if end >= rest.len() {
                return None;
            }
        }
        let text = &rest[start..end];
        rest = &rest[end + 1..];
        Some(text)
    })
}

fn begins_markup(written: &str) -> bool {
    let mut rest = written.trim_start();
    while let Some(after) = ["\\n", "\\r", "\\t"].iter().find_map(|blank| rest.strip_prefix(blank)) {
        rest = after.trim_start();
    }
    ["<", "\\u003c", "\\u003C"].iter().any(|sign| rest.starts_with(sign))
}

/// Whether an address in a list leads where it says: the page that shows the list joins others to its own address.
pub(crate) fn is_certain(target: &str, own: &PageUrl) -> bool {
    let file =
        |path: &str| path.split('?').next().and_then(|path| path.rsplit('/').next()).map(str::to_owned);
    target.starts_with('/') || target.contains(':') || file(target) == file(own.path())
}

// ---- the other parts of a list --------------------------------------------------------------

/// Addresses of a list's other pages: `rows` on a page, of `count` (jpaas). The number of a page stands in a
/// parameter of JSON.
pub(crate) fn other_pages(own: &PageUrl, rows: u64, count: u64) -> Vec<String> {
    const PARAMETER: &str = "paramJson";
    if rows == 0 {
        return Vec::new();
    }
    let parameter = own.as_url().query_pairs().find(|(name, _)| name == PARAMETER).map(|(_, value)| value);
    let current = parameter.and_then(|json| number_of(&json, "\"pageNo\"", ':')).unwrap_or(1).max(1);
    parts(u64::from(current), count.div_ceil(rows))
        .map(|page| {
            with(own, &[PARAMETER], &[(PARAMETER, format!("{{\"pageNo\":{page},\"pageSize\":{rows}}}"))])
        })
        .collect()
}

/// Addresses of a list's other groups of rows, of `total` (jpage): which ones, the parameters say.
pub(crate) fn other_groups(own: &PageUrl, total: u64) -> Vec<String> {
    const WINDOW: [&str; 2] = ["startrecord", "endrecord"];
    let number = |wanted: &str| {
        let (_, value) = own.as_url().query_pairs().find(|(name, _)| name == wanted)?;
        value.parse::<u64>().ok()
    };
    let [Some(start), Some(end)] = WINDOW.map(number) else { return Vec::new() };
    let Some(rows) = end.checked_sub(start).and_then(|rows| rows.checked_add(1)).filter(|_| start > 0) else {
        return Vec::new();
    };
    parts((start - 1) / rows + 1, total.div_ceil(rows))
        .map(|part| {
            let first = (part - 1).saturating_mul(rows);
            let window = [first.saturating_add(1), first.saturating_add(rows)].map(|n| n.to_string());
            let [from, to] = window;
            with(own, &WINDOW, &[(WINDOW[0], from), (WINDOW[1], to)])
        })
        .collect()
}

/// Parameters that say which part of a list an address is of, and how many rows a part has, without case and `_`.
const NUMBERS: [&str; 7] =
    ["page", "pageindex", "pageno", "pagenum", "pagenumber", "currpage", "currentpage"];
const SIZES: [&str; 5] = ["pagesize", "perpage", "limit", "size", "rows"];
/// What a list says of how many rows and parts it has.
const TOTALS: [&str; 5] =
    ["\"post_count\"", "\"total\"", "\"totalCount\"", "\"totalElements\"", "\"totalRecords\""];
const COUNTS: [&str; 3] = ["\"pageCount\"", "\"totalPage\"", "\"totalPages\""];

/// Addresses of the other parts of a list of JSON whose address says which part it is, and which says how many there are;
/// this one has so many rows.
pub(crate) fn other_parts(own: &PageUrl, text: &str, rows: usize) -> Vec<String> {
    let stated = |names: &[&str]| names.iter().find_map(|name| number_of(text, name, ':')).map(u64::from);
    let total = stated(&TOTALS).filter(|_| rows > 0).and_then(|total| {
        // The last part has fewer.
        let first = numbered(own).is_some_and(|(_, number)| number <= 1);
        let size = parameter(own, &SIZES).and_then(|(_, size)| size.parse().ok()).filter(|size| *size > 0);
        Some(total.div_ceil(if first { rows as u64 } else { size? }))
    });
    match stated(&COUNTS).or(total) {
        Some(count) => other_numbers(own, count),
        None => Vec::new(),
    }
}

/// The same of any list that says how many parts it has.
pub(crate) fn other_numbers(own: &PageUrl, count: u64) -> Vec<String> {
    let Some((name, number)) = numbered(own) else { return Vec::new() };
    // Some count from 0.
    let last = if number == 0 { count.saturating_sub(1) } else { count };
    parts(number, last).map(|part| with(own, &[&name], &[(&name, part.to_string())])).collect()
}

/// How many parts a pager says there are: 共12页.
pub(crate) fn count_in_words(text: &str) -> Option<u64> {
    text.split('共').skip(1).find_map(|rest| {
        let rest = rest.trim_start();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[digits..].trim_start().strip_prefix('页')?;
        rest[..digits].parse().ok()
    })
}

/// Which part of a list an address is of, and by which parameter.
fn numbered(own: &PageUrl) -> Option<(String, u64)> {
    let (name, value) = parameter(own, &NUMBERS)?;
    Some((name, value.parse().ok()?))
}

/// A parameter's name without case and `_`.
fn plain(name: &str) -> String {
    name.replace('_', "").to_ascii_lowercase()
}

fn parameter(own: &PageUrl, names: &[&str]) -> Option<(String, String)> {
    let mut pairs = own.as_url().query_pairs();
    let (name, value) = pairs.find(|(name, _)| names.contains(&&*plain(name)))?;
    Some((name.into_owned(), value.into_owned()))
}

/// The parts, counted from 1, that one of them leads to.
fn parts(current: u64, last: u64) -> Range<u64> {
    let most = if current <= 1 { PARTS_MAX } else { PARTS_AHEAD };
    current + 1..last.min(current.saturating_add(most)).saturating_add(1)
}

/// Names of parameters that hold the moment, without case and `_`.
const MOMENTS: [&str; 7] = ["", "t", "ts", "time", "timestamp", "r", "rnd"];

/// Whether a parameter is of the moment alone, so that no cache answers: milliseconds since 1970, or `Math.random()`.
fn is_of_the_moment(name: &str, value: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match value.strip_prefix("0.") {
        Some(fraction) => fraction.len() >= 6 && digits(fraction),
        // Columns may have such numbers, too.
        None => value.len() == 13 && digits(value) && MOMENTS.contains(&&*plain(name)),
    }
}

/// An address with other values of some parameters, and the same each night.
fn with(own: &PageUrl, names: &[&str], pairs: &[(&str, String)]) -> String {
    let mut url = own.as_url().clone();
    let kept = own.as_url().query_pairs();
    let kept = kept.filter(|(name, value)| !names.contains(&&**name) && !is_of_the_moment(name, value));
    url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(pairs);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_and_calls_name_what_they_ask_for() {
        assert_eq!(
            asked_by_element("/front/unit", "{'webId':'1','tagId':'列表','editType':null}").as_deref(),
            Some("/front/unit?webId=1&tagId=%E5%88%97%E8%A1%A8&editType=null")
        );
        assert_eq!(asked_by_element("/u?a=1", "{\"b\" : 2 }").as_deref(), Some("/u?a=1&b=2"));
        for query in ["", "x", "{'a':b}", "{'a':'b'+c}", "{'a'}", "{'a':'b}", "{{x}}"] {
            assert_eq!(asked_by_element("/u", query), None, "{query}");
        }
        assert_eq!(asked_by_element("${base}/u", "{'a':1}"), None);
        let call = "$(function(){ $('#1').jpage({ totalRecord:279, proxyUrl:'/p/getMessage.do', perPage:10,\n \
                    groupSize:3, ajaxParam:{ columnId:'82e1-a', col : 1 } }); });";
        assert_eq!(
            asked_by_call(call).as_deref(),
            Some("/p/getMessage.do?startrecord=1&endrecord=30&perpage=10&columnId=82e1-a&col=1")
        );
        for call in [
            "$.fn.jpage = function(cfg){}",
            "$('#1').jpage({proxyUrl:'/p',perPage:0,ajaxParam:{}})",
            "$('#1').jpage({proxyUrl:url,perPage:5,ajaxParam:{}})",
            "$('#1').jpage({proxyUrl:'/p',perPage:5,ajaxParam:{a:$('#x').val()}})",
            "$('#1').jpage({proxyUrl:'/p',perPage:4294967295,groupSize:9,ajaxParam:{a:1}})",
            ".jpage(",
        ] {
            assert_eq!(asked_by_call(call), None, "{call}");
        }
    }

    #[test]
    fn lists_are_told_from_everything_else() {
        let texts = |text: &str| {
            read(text).map(|handed| handed.markup.into_iter().map(|one| one.text).collect::<Vec<_>>())
        };
        let none = Vec::<String>::new();
        assert_eq!(texts("\u{FEFF}\n<?xml version=\"1.0\"?>\n<datastore><record>"), Some(none.clone()));
        assert_eq!(
            texts(r#"{"code":"200","data":{"html":"\n <a href=\"/1\">甲\u4e59\/</a>"}}"#),
            Some(vec!["\n <a href=\"/1\">甲乙/</a>".to_owned()])
        );
        assert_eq!(texts(r#"cb({"result":"\u003cdatastore>"});"#), Some(vec!["<datastore>".to_owned()]));
        assert_eq!(texts(r#"[{"title":"甲","url":"/1"}]"#), Some(none));
        for text in [
            "", "{", "<html>", "<!DOCTYPE html><datastore>", r#"{"code":500,"msg":"系统繁忙"}"#,
            r#"{"a":"<b"#, r#"{"a":"\"#, "callback(1)", "{}<p>", "var a = 1;",
        ] {
            assert_eq!(texts(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_part_leads_to_all_and_others_go_on() {
        let url = |text: &str| PageUrl::parse(text).expect("an address");
        let first = url("http://a.cn/u?tagId=%E5%88%97");
        assert_eq!(
            other_pages(&first, 15, 40),
            [2, 3].map(|page| format!(
                "http://a.cn/u?tagId=%E5%88%97&paramJson=%7B%22pageNo%22%3A{page}%2C%22pageSize%22%3A15%7D"
            ))
        );
        let second = url(&other_pages(&first, 15, 40)[0]);
        assert_eq!(other_pages(&second, 15, 40), [other_pages(&first, 15, 40)[1].clone()]);
        assert_eq!(other_pages(&first, 1, u64::MAX).len(), 1_000);
        assert_eq!(other_pages(&second, 1, u64::MAX).len(), 10);
        assert_eq!((other_pages(&first, 0, 9), other_pages(&first, 15, 15)), (Vec::new(), Vec::new()));
        let group = url("http://a.cn/p?startrecord=1&endrecord=30&perpage=10&c=1");
        assert_eq!(
            other_groups(&group, 61),
            [
                "http://a.cn/p?perpage=10&c=1&startrecord=31&endrecord=60",
                "http://a.cn/p?perpage=10&c=1&startrecord=61&endrecord=90"
            ]
        );
        assert_eq!(other_groups(&url(&other_groups(&group, 61)[1]), 61), Vec::<String>::new());
        for odd in ["?startrecord=0&endrecord=5", "?startrecord=9&endrecord=5", "?startrecord=1", ""] {
            assert_eq!(other_groups(&url(&format!("http://a.cn/p{odd}")), 100), Vec::<String>::new());
        }
        let huge = url("http://a.cn/p?startrecord=1&endrecord=18446744073709551615");
        assert_eq!(other_groups(&huge, u64::MAX), Vec::<String>::new());
    }

    #[test]
    fn parts_that_their_addresses_number() {
        let url = |text: &str| PageUrl::parse(text).expect("an address");
        let none = Vec::<String>::new();
        let own = url("http://a.cn/gkmlpt/api/all/3?page=1&sid=2");
        let part = |page: u32| format!("http://a.cn/gkmlpt/api/all/3?sid=2&page={page}");
        assert_eq!(other_parts(&own, r#"{"total":205,"articles":[]}"#, 100), [part(2), part(3)]);
        assert_eq!(other_parts(&own, r#"{"classify":{"post_count": 101}}"#, 100), [part(2)]);
        assert_eq!(other_parts(&own, r#"{"pageCount":2,"total":900}"#, 100), [part(2)]);
        for (text, rows) in [(r#"{"total":100}"#, 100), (r#"{"total":4294967295}"#, 0), ("{}", 9)] {
            assert_eq!(other_parts(&own, text, rows), none, "{text}");
        }
        // Of a later part only the size says how many there are.
        assert_eq!(other_parts(&url(&part(2)), r#"{"total":205}"#, 100), none);
        let sized = url("http://a.cn/search/a?_isJson=true&_pageSize=20&page=2");
        let next = ["http://a.cn/search/a?_isJson=true&_pageSize=20&page=3".to_owned()];
        assert_eq!(other_parts(&sized, r#"{"data":{"total":41}}"#, 20), next);
        assert_eq!(other_parts(&url("http://a.cn/list?id=1"), r#"{"total":205}"#, 100), none);
        for (text, count) in [("共12页", 12), ("首页 共 3 页 跳转", 3), ("公共服务，共2条 共 7\u{A0}页", 7)]
        {
            assert_eq!(count_in_words(text), Some(count), "{text}");
        }
        assert_eq!(["共", "共页", "共3条", "第1页"].map(count_in_words), [None; 4]);
        let random = url("http://a.cn/8888?_=0.51697068&t=1627027993128&siteId=1627027993128&page=1");
        assert_eq!(other_numbers(&random, 2), ["http://a.cn/8888?siteId=1627027993128&page=2"]);
        let from_0 = url("http://a.cn/list?pageIndex=0");
        assert_eq!(other_numbers(&from_0, 3), [1, 2].map(|at| format!("http://a.cn/list?pageIndex={at}")));
        assert_eq!(other_numbers(&url("http://a.cn/list?page=x"), 3), none);
        assert_eq!(other_numbers(&url("http://a.cn/list?page=1"), u64::MAX).len(), 1_000);
    }
}
