//! Slips that no list of words holds: dates and weekdays that do not exist, doubled punctuation,
//! brackets and quotes that do not match, widths and units that do not fit.
//!
//! Only rules that hardly ever cry wolf: each was run over eight million characters of statutes.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use jiff::civil::{Date, Weekday};
use memchr::memmem;
use regex::Regex;
use xunjian_model::{Kind, Severity, Zone};

use crate::digest::PageFinding;
use crate::page::Passage;
use crate::privacy::wide_digits;

/// A slip in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slip {
    rule: &'static str,
    start: usize,
    end: usize,
    severity: Severity,
}

#[allow(clippy::unwrap_used, reason = "constant patterns, compiled in every test")]
fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:((?:19|20)[0-9]{2})年)?([0-9]{1,2})月([0-9]{1,2})日(?:[（(]?(?:星期|周|礼拜)([一二三四五六日天]))?",
    )
});
static PUNCTUATION: LazyLock<Regex> = LazyLock::new(|| pattern(r"[，。、；：]{2,}"));
static WIDTHS: LazyLock<Regex> = LazyLock::new(|| pattern(r"[０-９]+[0-9]+|[0-9]+[０-９]+"));
static UNITS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"[0-9０-９一二三四五六七八九十百千万亿](?:元元|[%％]{2,}|吨吨|亩亩|公里公里|平方米平方米)")
});

/// Slips of one block of the main text.
pub(crate) fn check(passage: &Passage<'_>, findings: &mut Vec<PageFinding>) {
    let block = passage.block;
    if block.hidden || block.zone != Zone::Main {
        return;
    }
    for slip in slips(&block.text) {
        let what = &block.text[slip.start..slip.end];
        let found = passage.finding(Kind::Typo, what, slip.start, slip.end);
        findings.push(PageFinding { severity: slip.severity, ..found.with("rule", slip.rule) });
    }
}

fn slips(text: &str) -> Vec<Slip> {
    let mut found = Vec::new();
    let mut add = |rule, start, end, severity| found.push(Slip { rule, start, end, severity });
    // Each pattern needs something that most texts lack; looking for that is much cheaper.
    if has_month(text) {
        for date in DATE.captures_iter(text) {
            let Some(whole) = date.get(0) else { continue };
            let number = |at: usize| date.get(at).and_then(|part| part.as_str().parse::<i16>().ok());
            let (Some(month), Some(day)) = (number(2), number(3)) else { continue };
            // Part of a longer number: an amount or a code.
            if text[..whole.start()].ends_with(|c: char| c.is_ascii_digit() || c == '.') {
                continue;
            }
            // A year that is not told may be a leap year.
            let exists = Date::new(number(1).unwrap_or(2000), month as i8, day as i8);
            match (exists, date.get(4)) {
                (Err(_), _) => add("impossible-date", whole.start(), whole.end(), Severity::Minor),
                (Ok(exists), Some(said))
                    if date.get(1).is_some()
                        && weekday(said.as_str()).is_some_and(|said| said != exists.weekday()) =>
                {
                    add("weekday", whole.start(), whole.end(), Severity::Minor);
                }
                _ => {}
            }
        }
    }
    for run in MARKS.is_match(text).then(|| PUNCTUATION.find_iter(text)).into_iter().flatten() {
        // Three and more full stops are meant as an ellipsis.
        let ellipsis = run.as_str().chars().all(|c| c == '。') && run.as_str().chars().count() > 2;
        if !ellipsis {
            add("punctuation", run.start(), run.end(), Severity::Minor);
        }
    }
    if wide_digits(text) > 0 {
        WIDTHS.find_iter(text).for_each(|run| add("widths", run.start(), run.end(), Severity::Info));
    }
    if has_unit_twice(text) {
        UNITS.find_iter(text).for_each(|run| add("units", run.start(), run.end(), Severity::Minor));
    }
    if let Some((start, end)) = reopened(text, '《', '》') {
        add("unmatched", start, end, Severity::Info);
    }
    found
}

/// A search for constant words. Leftmost and few, since only then are vector instructions used to skip what
/// cannot be one of them.
#[allow(clippy::unwrap_used, reason = "constant words, compiled in every test")]
fn searcher(words: impl Iterator<Item = String>) -> AhoCorasick {
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(words).unwrap()
}

/// Two marks in a row.
static MARKS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let marks = ["，", "。", "、", "；", "："];
    searcher(marks.iter().flat_map(|one| marks.iter().map(move |other| format!("{one}{other}"))))
});

/// Whether a unit may stand there twice.
fn has_unit_twice(text: &str) -> bool {
    static UNITS: LazyLock<AhoCorasick> = LazyLock::new(|| {
        searcher(["元元", "吨吨", "亩亩", "公里公里", "平方米平方米"].map(str::to_owned).into_iter())
    });
    let has = |mark: &str| memmem::find(text.as_bytes(), mark.as_bytes()).is_some();
    UNITS.is_match(text) || has("%%") || has("％")
}

/// Whether a month and a day are written somewhere: 月 between two digits.
fn has_month(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    memmem::find_iter(bytes, "月").any(|at| digit(at.checked_sub(1)) && digit(Some(at + "月".len())))
}

fn weekday(said: &str) -> Option<Weekday> {
    use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    Some(match said {
        "一" => Monday,
        "二" => Tuesday,
        "三" => Wednesday,
        "四" => Thursday,
        "五" => Friday,
        "六" => Saturday,
        "日" | "天" => Sunday,
        _ => return None,
    })
}

/// A mark that opens again before it was closed, though as many open as close: one of them was
/// meant to close. A title inside a title is written so, too, and closes twice.
fn reopened(text: &str, open: char, close: char) -> Option<(usize, usize)> {
    // Most texts open it once at most.
    memmem::find_iter(text.as_bytes(), open.encode_utf8(&mut [0; 4])).nth(1)?;
    let mut opened: Option<usize> = None;
    let mut depth = 0_i32;
    let mut doubtful = None;
    for (at, c) in text.char_indices() {
        if c == open {
            // A title that was cut does not close, wherever it stands.
            let is_cut = |from: usize| text[from..at].contains('…') || text[from..at].contains("...");
            match opened {
                Some(from) if is_cut(from) => depth -= 1,
                Some(from) => _ = doubtful.get_or_insert((from, at + c.len_utf8())),
                None => {}
            }
            opened = Some(at);
            depth += 1;
        } else if c == close {
            opened = None;
            depth -= 1;
        }
    }
    // A text that was cut, as titles in lists are, says nothing.
    let cut = text.ends_with(['…', '.', '·']);
    doubtful.filter(|_| depth > 0 && !cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_what_only_looks_like_one() {
        let table: &[(&str, &[(&str, &str)])] = &[
            ("2023年2月29日前完成", &[("impossible-date", "2023年2月29日")]),
            ("2024年2月29日前，2月29日", &[]),
            ("于4月31日和13月1日", &[("impossible-date", "4月31日"), ("impossible-date", "13月1日")]),
            ("2024年5月6日（星期二）", &[("weekday", "2024年5月6日（星期二")]),
            ("2024年5月6日（星期一）、5月7日星期一", &[]),
            ("通过，，并。。印发", &[("punctuation", "，，"), ("punctuation", "。。")]),
            ("等等。。。。。。", &[]),
            ("共２0户，20户", &[("widths", "２0")]),
            ("投资30万元元，增长5%%", &[("units", "万元元"), ("units", "5%%")]),
            ("印发《甲办法《的通知", &[("unmatched", "《甲办法《")]),
            ("《关于印发《甲办法》的通知》", &[]),
            ("《关于印发《甲办法》的…", &[]),
            ("《农药产品中有效成分含量测定... 关于《农药登记》的通知 《乙》", &[]),
            ("《甲办法… 印发《乙办法《的通知", &[("unmatched", "《乙办法《")]),
        ];
        for (text, expected) in table {
            let found: Vec<_> =
                slips(text).iter().map(|slip| (slip.rule, &text[slip.start..slip.end])).collect();
            assert_eq!(found, *expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_looked_at(text in "[0-9０-９年月日（星期一，。《》%元 ]{0,60}") {
            for slip in slips(&text) {
                proptest::prop_assert!(text.get(slip.start..slip.end).is_some());
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_pattern_is_left_out_where_it_can_match(
            text in "([，。、；：%％元吨亩月日年（周一0-9０９字a]|公里|平方米|20){0,24}",
        ) {
            proptest::prop_assert!(has_month(&text) || !DATE.is_match(&text));
            proptest::prop_assert_eq!(MARKS.is_match(&text), PUNCTUATION.is_match(&text));
            proptest::prop_assert!(has_unit_twice(&text) || !UNITS.is_match(&text));
            proptest::prop_assert!(wide_digits(&text) > 0 || !WIDTHS.is_match(&text));
        }
    }
}
