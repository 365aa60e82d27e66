//! The annexes as a workbook: one sheet each, filters, a frozen header, links to the evidence.

use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Url, Workbook, XlsxError};

use super::Annex;
use crate::ReportError;

/// Width of a column whose share is one, in characters.
const SHARE_CHARS: f64 = 3.2;
/// Links a sheet can hold are limited by its format, and so are their lengths.
const LINKS_MAX: usize = 60_000;
const LINK_CHARS_MAX: usize = 2_000;
/// Characters a cell can hold.
const CELL_CHARS_MAX: usize = 32_000;

pub(super) fn write(annexes: &[Annex]) -> Result<Vec<u8>, ReportError> {
    workbook(annexes).map_err(|error| ReportError::Table(error.to_string()))
}

fn workbook(annexes: &[Annex]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let head = Format::new()
        .set_bold()
        .set_background_color(0xE7EDF5)
        .set_border(FormatBorder::Thin)
        .set_align(FormatAlign::Center)
        .set_align(FormatAlign::VerticalCenter)
        .set_text_wrap();
    let body = Format::new().set_border(FormatBorder::Thin).set_align(FormatAlign::Top).set_text_wrap();
    let link = body.clone().set_font_color(0x0B4F8A).set_underline(rust_xlsxwriter::FormatUnderline::Single);
    for annex in annexes {
        let sheet = book.add_worksheet();
        sheet.set_name(sheet_name(annex))?;
        for (column, (name, share)) in (0..).zip(&annex.columns) {
            sheet.set_column_width(column, f64::from(*share) * SHARE_CHARS)?;
            sheet.write_string_with_format(0, column, *name, &head)?;
        }
        let mut links = 0;
        for (row, cells) in (1..).zip(&annex.rows) {
            for (column, cell) in (0..).zip(cells) {
                let text: String = cell.text.chars().take(CELL_CHARS_MAX).collect();
                // Texts are written as texts: a formula in one is none.
                match (&cell.link, text.parse::<u32>()) {
                    (Some(target), _) if target.len() <= LINK_CHARS_MAX && links < LINKS_MAX => {
                        links += 1;
                        let target = if target.contains("://") {
                            target.clone()
                        } else {
                            format!("external:{target}")
                        };
                        let url = Url::new(target).set_text(text);
                        // An address that a workbook cannot hold stays a text.
                        if sheet.write_url_with_format(row, column, &url, &link).is_err() {
                            sheet.write_string_with_format(row, column, &cell.text, &body)?;
                        }
                    }
                    (_, Ok(number)) if column == 0 => {
                        sheet.write_number_with_format(row, column, number, &body)?;
                    }
                    _ => {
                        sheet.write_string_with_format(row, column, text, &body)?;
                    }
                }
            }
        }
        sheet.set_freeze_panes(1, 0)?;
        let last = u16::try_from(annex.columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
        sheet.autofilter(0, 0, u32::try_from(annex.rows.len()).unwrap_or(u32::MAX), last)?;
        sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    }
    book.save_to_buffer()
}

/// A sheet's name is short and holds no brackets or slashes.
fn sheet_name(annex: &Annex) -> String {
    const CHARS_MAX: usize = 31;
    let name = format!("{} {}", annex.number, annex.title);
    name.chars().filter(|c| !matches!(c, '[' | ']' | ':' | '*' | '?' | '/' | '\\')).take(CHARS_MAX).collect()
}
