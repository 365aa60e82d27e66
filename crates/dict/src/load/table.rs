//! Tables: CSV, TSV and the first sheet of an XLSX file. The first row names the columns:
//! pattern, correction, category, severity, note, since, and allow, not_after, not_before, context and not_near
//! with `|` between phrases.

use std::ops::ControlFlow;

use super::{Collected, Row};
use crate::{Category, sheet};

pub(super) fn from_text(text: &str, delimiter: u8, collected: &mut Collected) {
    let mut rows = Rows { headers: None, collected };
    let faults = sheet::delimited(text, delimiter, &mut |line, cells| rows.add(line, cells));
    faults.into_iter().for_each(|(line, reason)| rows.collected.fault(line, reason));
    rows.end();
}

pub(super) fn from_xlsx(bytes: &[u8], collected: &mut Collected) {
    let mut rows = Rows { headers: None, collected };
    let faults = sheet::xlsx(bytes, &mut |line, cells| rows.add(line, cells));
    let unreadable = !faults.is_empty();
    faults.into_iter().for_each(|(line, reason)| rows.collected.fault(line, reason));
    if !unreadable {
        rows.end();
    }
}

struct Rows<'c> {
    headers: Option<Vec<String>>,
    collected: &'c mut Collected,
}

impl Rows<'_> {
    fn add(&mut self, line: usize, cells: &[String]) -> ControlFlow<()> {
        match &self.headers {
            None => {
                let right = has_pattern(cells, self.collected);
                self.headers = Some(cells.to_vec());
                if right { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            }
            Some(headers) => {
                read_row(line, headers, cells.iter().map(String::as_str), self.collected);
                if self.collected.is_full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
        }
    }

    /// A file without any row names no columns.
    fn end(self) {
        if self.headers.is_none() {
            has_pattern(&[], self.collected);
        }
    }
}

fn has_pattern(headers: &[String], collected: &mut Collected) -> bool {
    let has = headers.iter().any(|header| header == "pattern");
    if !has {
        collected.fault(1, "the first line must name the columns, one of them `pattern`");
    }
    has
}

fn read_row<'c>(
    line: usize,
    headers: &[String],
    cells: impl Iterator<Item = &'c str>,
    collected: &mut Collected,
) {
    let mut row = Row::default();
    for (header, value) in headers.iter().zip(cells) {
        let value = value.trim();
        let some = || (!value.is_empty()).then(|| value.to_owned());
        let phrases = || value.split('|').filter(|phrase| !phrase.is_empty()).map(str::to_owned).collect();
        match header.as_str() {
            "pattern" => row.pattern = value.to_owned(),
            "correction" => row.correction = some(),
            "severity" => row.severity = some(),
            "note" => row.note = some(),
            "allow" => row.allow = phrases(),
            "not_after" => row.not_after = phrases(),
            "not_before" => row.not_before = phrases(),
            "context" => row.context = phrases(),
            "not_near" => row.not_near = phrases(),
            "since" if value.is_empty() => {}
            "since" => match value.parse() {
                Ok(date) => row.since = Some(date),
                Err(_) => {
                    return collected.fault(line, format!("{value:?} is not a day: write it as 2018-03-19"));
                }
            },
            "category" if value.is_empty() => {}
            "category" => match Category::ALL.into_iter().find(|category| category.as_str() == value) {
                Some(category) => row.category = Some(category),
                None => {
                    let names = Category::ALL.map(Category::as_str).join(", ");
                    return collected.fault(line, format!("{value:?} is not a category: use one of {names}"));
                }
            },
            "" if value.is_empty() => {}
            other => return collected.fault(line, format!("unknown column {other:?}")),
        }
    }
    row.category = row.category.or(row.correction.is_some().then_some(Category::Typo));
    collected.push(line, row);
}
