//! Rows of a table: CSV, TSV, or the first sheet of an XLSX file.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::Path;

use calamine::{Data, Reader as _, Xlsx};

use crate::load::decode_text;

/// A mistake in a table: its line, from 1, and what is wrong.
pub type RowFault = (usize, String);

/// Reads a table file, UTF-8 or GBK, by its ending; each row is told with its line, the first one
/// names the columns. Rows without any text are left out. What cannot be read is told as a fault and
/// the rest goes on.
pub fn read_sheet(
    path: &Path,
    bytes: &[u8],
    mut each: impl FnMut(usize, &[String]) -> ControlFlow<()>,
) -> Vec<RowFault> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "xlsx" => xlsx(bytes, &mut each),
        "tsv" => delimited(&decode_text(bytes), b'\t', &mut each),
        _ => delimited(&decode_text(bytes), b',', &mut each),
    }
}

pub(crate) fn delimited(
    text: &str,
    delimiter: u8,
    each: &mut dyn FnMut(usize, &[String]) -> ControlFlow<()>,
) -> Vec<RowFault> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(text.trim_start_matches('\u{FEFF}').as_bytes());
    let mut faults = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, |position| position.line() as usize);
                let cells: Vec<String> = record.iter().map(|cell| cell.trim().to_owned()).collect();
                if cells.iter().any(|cell| !cell.is_empty()) && each(line, &cells).is_break() {
                    break;
                }
            }
            Err(error) => {
                let line = error.position().map_or(0, |position| position.line() as usize);
                faults.push((line, error.to_string()));
            }
        }
    }
    faults
}

pub(crate) fn xlsx(bytes: &[u8], each: &mut dyn FnMut(usize, &[String]) -> ControlFlow<()>) -> Vec<RowFault> {
    let mut book: Xlsx<_> = match Xlsx::new(Cursor::new(bytes)) {
        Ok(book) => book,
        Err(error) => return vec![(1, format!("not an XLSX file: {error}"))],
    };
    let sheet = match book.worksheet_range_at(0) {
        Some(Ok(sheet)) => sheet,
        Some(Err(error)) => return vec![(1, error.to_string())],
        None => return vec![(1, "the file has no sheet".to_owned())],
    };
    let first = sheet.start().map_or(0, |(row, _)| row as usize) + 1;
    for (at, row) in sheet.rows().enumerate() {
        let cells: Vec<String> = row.iter().map(|cell| text_of(cell).trim().to_owned()).collect();
        if cells.iter().any(|cell| !cell.is_empty()) && each(first + at, &cells).is_break() {
            break;
        }
    }
    Vec::new()
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
