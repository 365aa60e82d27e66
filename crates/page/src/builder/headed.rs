//! Tables of rows with a head: which of its columns says the day a row was published.
//!
//! Catalogues of documents have two: 成文日期, on which one was signed, and 发布日期.

use crate::attribute::{Attribute, Attributes};
use crate::date::{names_another_day, names_publication};
use crate::element::Element;

/// Cells of a row that are told apart, and cells one may span.
const CELLS_MAX: u32 = 64;
/// Bytes of a name in a head: twelve characters in Chinese.
const NAME_BYTES_MAX: usize = 36;

/// The tables that are open.
#[derive(Debug, Default)]
pub(super) struct Headed(Vec<Table>);

#[derive(Debug, Default)]
struct Table {
    rows: u32,
    /// Number of the open cell, and of the one behind it.
    cell: u32,
    next: u32,
    /// Columns of the days of publication, and of other days, a bit each.
    published: u64,
    other: u64,
}

impl Headed {
    pub(super) fn begin(&mut self, element: Element, attributes: &Attributes<'_>) {
        if element == Element::Table {
            self.0.push(Table::default());
            return;
        }
        let Some(table) = self.0.last_mut() else { return };
        match element {
            Element::Tr => (table.rows, table.cell, table.next) = (table.rows.saturating_add(1), 0, 0),
            Element::Td | Element::Th => {
                let span = attributes.get(Attribute::Colspan).and_then(|span| span.trim().parse().ok());
                table.cell = table.next;
                table.next = table.cell.saturating_add(span.unwrap_or(1).clamp(1, CELLS_MAX));
            }
            _ => {}
        }
    }

    pub(super) fn end(&mut self, element: Element) {
        if element == Element::Table {
            self.0.pop();
        }
    }

    /// Takes a text of the first row as the name of its column.
    pub(super) fn read(&mut self, text: &str) {
        let Some(table) = self.0.last_mut().filter(|table| table.rows == 1) else { return };
        if text.len() > NAME_BYTES_MAX {
            return;
        }
        let bit = bit(table.cell);
        if names_publication(text) {
            table.published |= bit;
        } else if names_another_day(&format!("{text}：")) {
            table.other |= bit;
        }
    }

    /// Whether a day in the open cell is none of publication, by the head of its column.
    pub(super) fn is_another_day(&self) -> bool {
        let Some(table) = self.0.last().filter(|table| table.rows > 1) else { return false };
        let bit = bit(table.cell);
        table.other & bit != 0 || table.published != 0 && table.published & bit == 0
    }
}

/// A column's bit; 0 for those that are not told apart.
fn bit(cell: u32) -> u64 {
    if cell < CELLS_MAX { 1 << cell } else { 0 }
}
