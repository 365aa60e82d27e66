//! Tables: CSV, TSV and the first sheet of an XLSX file. The first row names the columns:
//! pattern, correction, category, severity, note, since, and allow, not_after, not_before and context with
//! `|` between phrases.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};

use super::{Collected, Row};
use crate::Category;

pub(super) fn from_text(text: &str, delimiter: u8, collected: &mut Collected) {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let headers: Vec<String> = match reader.headers() {
        Ok(headers) => headers.iter().map(|header| header.trim().to_owned()).collect(),
        Err(error) => return collected.fault(1, error.to_string()),
    };
    if !has_pattern(&headers, collected) {
        return;
    }
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, |position| position.line() as usize);
                read_row(line, &headers, record.iter(), collected);
            }
            Err(error) => {
                let line = error.position().map_or(0, |position| position.line() as usize);
                collected.fault(line, error.to_string());
            }
        }
        if collected.is_full() {
            return;
        }
    }
}

pub(super) fn from_xlsx(bytes: &[u8], collected: &mut Collected) {
    let mut book: Xlsx<_> = match Xlsx::new(Cursor::new(bytes)) {
        Ok(book) => book,
        Err(error) => return collected.fault(1, format!("not an XLSX file: {error}")),
    };
    let sheet = match book.worksheet_range_at(0) {
        Some(Ok(sheet)) => sheet,
        Some(Err(error)) => return collected.fault(1, error.to_string()),
        None => return collected.fault(1, "the file has no sheet"),
    };
    let first = sheet.start().map_or(0, |(row, _)| row as usize) + 1;
    let mut rows = sheet.rows();
    let headers: Vec<String> =
        rows.next().unwrap_or_default().iter().map(|cell| text_of(cell).trim().to_owned()).collect();
    if !has_pattern(&headers, collected) {
        return;
    }
    for (at, row) in rows.enumerate() {
        let cells: Vec<String> = row.iter().map(text_of).collect();
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        read_row(first + at + 1, &headers, cells.iter().map(String::as_str), collected);
        if collected.is_full() {
            return;
        }
    }
}

fn text_of(cell: &Data) -> String {
    match cell {
        Data::DateTime(date) => {
            let (year, month, day, ..) = date.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        other => other.to_string(),
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
                None => return collected.fault(line, format!("{value:?} is not a category")),
            },
            "" if value.is_empty() => {}
            other => return collected.fault(line, format!("unknown column {other:?}")),
        }
    }
    row.category = row.category.or(row.correction.is_some().then_some(Category::Typo));
    collected.push(line, row);
}
