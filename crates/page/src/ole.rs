//! Text of Word, Excel and PowerPoint files of the kind before 2007, which offices still publish lists in, and of
//! WPS Office's: streams in a compound file ([MS-CFB], [MS-DOC], [MS-XLS], [MS-PPT]).
//!
//! Every number in them is a stranger's: what points outside its stream ends the reading, and all text together
//! stays below a limit.

use std::io::{Cursor, Read as _};

use cfb::CompoundFile;
use encoding_rs::WINDOWS_1252;

/// Reads the text, cell by cell and paragraph by paragraph; at most so many bytes of it.
pub(crate) fn text(body: &[u8], bytes_max: usize) -> Result<Vec<String>, String> {
    let mut file = CompoundFile::open(Cursor::new(body)).map_err(|error| error.to_string())?;
    let mut stream = |name: &str| -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        // A stream is a part of the file, whatever its length says.
        file.open_stream(name).ok()?.take(body.len() as u64).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    let mut lines = Lines { lines: Vec::new(), left: bytes_max };
    if let Some(document) = stream("/WordDocument") {
        let table = if flag(&document, 0x0A, 0x0200) { "/1Table" } else { "/0Table" };
        let table = stream(table).ok_or("a part of it is missing")?;
        word(&document, &table, &mut lines)?;
    } else if let Some(workbook) = stream("/Workbook") {
        excel(&workbook, &mut lines)?;
    } else if let Some(slides) = stream("/PowerPoint Document") {
        slides_text(&slides, &mut lines);
    } else {
        return Err("it is ole".to_owned());
    }
    Ok(lines.lines)
}

/// What was read so far.
struct Lines {
    lines: Vec<String>,
    left: usize,
}

impl Lines {
    fn push(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() && text.len() <= self.left {
            self.left -= text.len();
            self.lines.push(text.to_owned());
        }
    }

    /// Whether nothing more is taken.
    fn are_full(&self) -> bool {
        self.left == 0
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

fn f64_at(bytes: &[u8], at: usize) -> Option<f64> {
    Some(f64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

fn flag(bytes: &[u8], at: usize, mask: u16) -> bool {
    u16_at(bytes, at).is_some_and(|flags| flags & mask != 0)
}

/// Characters of two bytes, or of one.
fn characters(bytes: &[u8], wide: bool) -> String {
    if !wide {
        // Excel and PowerPoint leave the upper byte out where it is 0, and Word writes its own code page: they
        // differ in signs alone.
        return WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned();
    }
    let units = bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]]));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

// ---- Word -----------------------------------------------------------------------------------------

/// The document's text lies in pieces, which the table of pieces puts in order ([MS-DOC] 2.4.1).
fn word(document: &[u8], table: &[u8], lines: &mut Lines) -> Result<(), String> {
    let broken = || "its pieces cannot be read".to_owned();
    if u16_at(document, 0) != Some(0xA5EC) {
        return Err("it is a Word file before 1997".to_owned());
    }
    if flag(document, 0x0A, 0x0100) {
        return Err("it is encrypted".to_owned());
    }
    let (at, length) =
        (u32_at(document, 0x01A2).ok_or_else(broken)?, u32_at(document, 0x01A6).ok_or_else(broken)?);
    let mut clx = at.checked_add(length).and_then(|end| table.get(at..end)).ok_or_else(broken)?;
    // Properties stand before the pieces.
    while clx.first() == Some(&1) {
        let length = usize::from(u16_at(clx, 1).ok_or_else(broken)?);
        clx = clx.get(3 + length..).ok_or_else(broken)?;
    }
    if clx.first() != Some(&2) {
        return Err(broken());
    }
    let length = u32_at(clx, 1).ok_or_else(broken)?;
    let pieces = length.checked_add(5).and_then(|end| clx.get(5..end)).ok_or_else(broken)?;
    let count = pieces.len().saturating_sub(4) / 12;
    let mut reading = WordText::default();
    for piece in 0..count {
        let first = u32_at(pieces, 4 * piece).ok_or_else(broken)?;
        let last = u32_at(pieces, 4 * (piece + 1)).ok_or_else(broken)?;
        let place = u32_at(pieces, 4 * (count + 1) + 8 * piece + 2).ok_or_else(broken)?;
        let (wide, place) = (place & 0x4000_0000 == 0, place & 0x3FFF_FFFF);
        let (place, size) = if wide { (place, 2) } else { (place / 2, 1) };
        let length =
            last.checked_sub(first).and_then(|length| length.checked_mul(size)).ok_or_else(broken)?;
        let Some(bytes) = place.checked_add(length).and_then(|end| document.get(place..end)) else { break };
        reading.read(&characters(bytes, wide), lines);
        if lines.are_full() {
            break;
        }
    }
    lines.push(&reading.line);
    Ok(())
}

/// Text between marks ([MS-DOC] 2.4.3).
#[derive(Default)]
struct WordText {
    line: String,
    /// Open fields: whether their instruction is over.
    fields: Vec<bool>,
}

impl WordText {
    fn read(&mut self, text: &str, lines: &mut Lines) {
        for character in text.chars() {
            match character {
                '\u{13}' => self.fields.push(false),
                '\u{14}' => {
                    if let Some(shown) = self.fields.last_mut() {
                        *shown = true;
                    }
                }
                '\u{15}' => drop(self.fields.pop()),
                // What a field is made of is not shown.
                _ if self.fields.contains(&false) => {}
                // Ends of paragraphs, lines, pages, cells.
                '\r' | '\n' | '\u{7}' | '\u{B}' | '\u{C}' | '\u{E}' => {
                    lines.push(&self.line);
                    self.line.clear();
                }
                '\u{1E}' => self.line.push('-'),
                '\t' => self.line.push(' '),
                control if control < ' ' => {}
                other => self.line.push(other),
            }
        }
    }
}

// ---- Excel ----------------------------------------------------------------------------------------

const FORMULA: u16 = 0x0006;
const FILE_PASS: u16 = 0x002F;
const CONTINUE: u16 = 0x003C;
const BOUND_SHEET: u16 = 0x0085;
const MUL_RK: u16 = 0x00BD;
const SST: u16 = 0x00FC;
const LABEL_SST: u16 = 0x00FD;
const NUMBER: u16 = 0x0203;
const LABEL: u16 = 0x0204;
const STRING: u16 = 0x0207;
const RK: u16 = 0x027E;
const BOF: u16 = 0x0809;

/// Records of the workbook's globals, then of each sheet ([MS-XLS] 2.1.4), cells in their order.
fn excel(workbook: &[u8], lines: &mut Lines) -> Result<(), String> {
    if u16_at(workbook, 0) != Some(BOF) || u16_at(workbook, 4) != Some(0x0600) {
        return Err("it is an Excel file before 1997".to_owned());
    }
    let mut shared: Vec<String> = Vec::new();
    let mut rest = Records(workbook).peekable();
    while let Some((kind, data)) = rest.next() {
        match kind {
            FILE_PASS => return Err("it is encrypted".to_owned()),
            SST => {
                let mut parts = vec![data];
                while let Some((_, more)) = rest.next_if(|(kind, _)| *kind == CONTINUE) {
                    parts.push(more);
                }
                shared = shared_strings(&parts, lines.left);
            }
            BOUND_SHEET => {
                let wide = data.get(7).is_some_and(|flags| flags & 1 != 0);
                lines.push(&characters(data.get(8..).unwrap_or_default(), wide));
            }
            LABEL_SST => {
                let text = u32_at(data, 6).and_then(|at| shared.get(at));
                lines.push(text.map_or("", String::as_str));
            }
            LABEL => lines.push(&short_string(data.get(6..).unwrap_or_default())),
            STRING => lines.push(&short_string(data)),
            NUMBER => push_number(f64_at(data, 6), lines),
            RK => push_number(u32_at(data, 6).map(rk), lines),
            MUL_RK => {
                for one in data.get(4..data.len().saturating_sub(2)).unwrap_or_default().chunks_exact(6) {
                    push_number(u32_at(one, 2).map(rk), lines);
                }
            }
            // Its text comes in a record of its own.
            FORMULA if u16_at(data, 12) != Some(0xFFFF) => push_number(f64_at(data, 6), lines),
            _ => {}
        }
        if lines.are_full() {
            break;
        }
    }
    Ok(())
}

/// Number and data of each record.
struct Records<'b>(&'b [u8]);

impl<'b> Iterator for Records<'b> {
    type Item = (u16, &'b [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, length) = (u16_at(self.0, 0)?, usize::from(u16_at(self.0, 2)?));
        let data = self.0.get(4..4 + length)?;
        self.0 = &self.0[4 + length..];
        Some((kind, data))
    }
}

/// As a cell shows it that is not formatted.
fn push_number(number: Option<f64>, lines: &mut Lines) {
    let Some(number) = number.filter(|number| number.is_finite()) else { return };
    match number.abs() < 1e15 {
        true => lines.push(&number.to_string()),
        // Excel keeps fifteen digits; what stands behind them is not what was written.
        false => lines.push(&format!("{number:E}")),
    }
}

/// A number in 30 bits ([MS-XLS] 2.5.217).
fn rk(bits: usize) -> f64 {
    let bits = bits as u32;
    let number = match bits & 2 {
        0 => f64::from_bits(u64::from(bits & !3) << 32),
        _ => f64::from(bits.cast_signed() >> 2),
    };
    if bits & 1 == 0 { number } else { number / 100.0 }
}

/// A string with its length and its width in front ([MS-XLS] 2.5.294).
fn short_string(data: &[u8]) -> String {
    let (Some(count), Some(flags)) = (u16_at(data, 0), data.get(2)) else { return String::new() };
    let wide = flags & 1 != 0;
    let bytes = usize::from(count) * if wide { 2 } else { 1 };
    characters(data.get(3..).and_then(|rest| rest.get(..bytes)).unwrap_or_default(), wide)
}

/// The strings that cells share ([MS-XLS] 2.4.265), as far as they can be read.
fn shared_strings(parts: &[&[u8]], bytes_max: usize) -> Vec<String> {
    let mut strings = Vec::new();
    let mut bytes = 0;
    let mut reader = Parts { parts, at: 8 };
    while let Some(text) = reader.string() {
        bytes += text.len();
        if bytes > bytes_max {
            break;
        }
        strings.push(text);
    }
    strings
}

/// Data that goes on in further records.
struct Parts<'b> {
    parts: &'b [&'b [u8]],
    at: usize,
}

impl Parts<'_> {
    /// What is left of the present record; the next one's data where nothing is.
    fn here(&mut self) -> Option<&[u8]> {
        while self.at >= self.parts.first()?.len() {
            self.at -= self.parts[0].len();
            self.parts = &self.parts[1..];
        }
        Some(&self.parts[0][self.at..])
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.here()?.first()?;
        self.at += 1;
        Some(byte)
    }

    fn u16(&mut self) -> Option<usize> {
        Some(usize::from(u16::from_le_bytes([self.byte()?, self.byte()?])))
    }

    fn u32(&mut self) -> Option<usize> {
        Some(self.u16()? | self.u16()? << 16)
    }

    fn skip(&mut self, mut bytes: usize) -> Option<()> {
        while bytes > 0 {
            let here = self.here()?.len().min(bytes);
            self.at += here;
            bytes -= here;
        }
        Some(())
    }

    /// A string ([MS-XLS] 2.5.293). One that goes on in the next record has its width there once more.
    fn string(&mut self) -> Option<String> {
        let mut left = self.u16()?;
        let flags = self.byte()?;
        let runs = if flags & 8 != 0 { self.u16()? } else { 0 };
        let extension = if flags & 4 != 0 { self.u32()? } else { 0 };
        let (mut wide, mut text) = (flags & 1 != 0, String::new());
        while left > 0 {
            if self.at >= self.parts.first()?.len() {
                wide = self.byte()? & 1 != 0;
            }
            let size = if wide { 2 } else { 1 };
            let here = self.here()?;
            let count = (here.len() / size).min(left);
            // Half a character at the end of a record.
            if count == 0 {
                return None;
            }
            text.push_str(&characters(&here[..count * size], wide));
            self.at += count * size;
            left -= count;
        }
        self.skip(runs.checked_mul(4)?.checked_add(extension)?)?;
        Some(text)
    }
}

// ---- PowerPoint -----------------------------------------------------------------------------------

/// The texts of slides and notes, wherever they stand in the tree of records ([MS-PPT] 2.9).
fn slides_text(mut records: &[u8], lines: &mut Lines) {
    const CHARS: u16 = 0x0FA0;
    const BYTES: u16 = 0x0FA8;
    while let (Some(version), Some(kind), Some(length)) =
        (u16_at(records, 0), u16_at(records, 2), u32_at(records, 4))
    {
        // Of one that holds others the first comes next.
        let length = if version & 0xF == 0xF { 0 } else { length };
        let Some(data) = length.checked_add(8).and_then(|end| records.get(8..end)) else { break };
        if matches!(kind, CHARS | BYTES) {
            for line in characters(data, kind == CHARS).split(['\r', '\n', '\u{B}']) {
                lines.push(line);
            }
        }
        records = &records[8 + length..];
        if lines.are_full() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// Written by LibreOffice 7.4 from a page and a table of these texts.
    const DOC: &[u8] = include_bytes!("../tests/data/note.doc");
    const XLS: &[u8] = include_bytes!("../tests/data/list.xls");
    const MANY: usize = 1 << 20;

    fn read(body: &[u8]) -> Vec<String> {
        text(body, MANY).expect("text")
    }

    /// A compound file of one stream.
    fn compound(name: &str, stream: &[u8]) -> Vec<u8> {
        let mut file = CompoundFile::create(Cursor::new(Vec::new())).expect("a file");
        file.create_stream(name).expect("a stream").write_all(stream).expect("written");
        file.into_inner().into_inner()
    }

    #[test]
    fn paragraphs_and_cells_of_word() {
        assert_eq!(
            read(DOC),
            [
                "关于公布低保名单的通知",
                "姓名",
                "身份证号",
                "电话",
                "张小明",
                "110101199003070193",
                "13800138000",
                "联系人：王芳，附件见 Annex é 一。",
                "第二段",
            ]
        );
    }

    #[test]
    fn cells_of_excel_in_their_order() {
        let cells = read(XLS);
        let mut wanted: Vec<String> =
            ["list", "姓名", "身份证号", "电话", "序号", "比例", "合计"].map(str::to_owned).to_vec();
        for row in 0..190 {
            // More strings than one record holds.
            wanted.push(format!("居民第{row}号住在很长很长的地址里面一直到这一行的末尾为止{row}"));
            wanted.push(format!("'11010119900307{row:04}"));
            wanted.extend([13_800_138_000_u64 + row, row + 1].map(|number| number.to_string()));
            wanted.push((row as f64 / 8.0).to_string());
            if row == 0 {
                wanted.push("100".to_owned());
            }
        }
        assert_eq!(cells, wanted);
        let half: usize = wanted.iter().map(String::len).sum::<usize>() / 2;
        let told: usize = text(XLS, half).expect("text").iter().map(String::len).sum();
        assert!(told <= half && told > half / 4, "{told} of {half}");
    }

    #[test]
    fn numbers_as_excel_packs_them() {
        // From [MS-XLS] 2.5.217: a number, or a hundredth of it, as an integer or the upper half of a float.
        for (bits, number) in
            [(0x3FF0_0000, 1.0), (0x3FF0_0001, 0.01), (0x04B5_644A, 19_749_138.0), (0xFFFF_FFFF, -0.01)]
        {
            assert_eq!(rk(bits), number, "{bits:x}");
        }
        let mut lines = Lines { lines: Vec::new(), left: MANY };
        for number in [110_101_199_003_070_193.0, 13_800_138_000.0, 0.5, f64::NAN] {
            push_number(Some(number), &mut lines);
        }
        assert_eq!(lines.lines, ["1.1010119900307019E17", "13800138000", "0.5"]);
    }

    #[test]
    fn texts_of_powerpoint_wherever_they_stand() {
        let record = |version: u16, kind: u16, data: &[u8]| {
            let length = u32::try_from(data.len()).expect("short");
            [&version.to_le_bytes()[..], &kind.to_le_bytes(), &length.to_le_bytes(), data].concat()
        };
        let wide: Vec<u8> = "防汛工作汇报\r第二行".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let slide = [record(0, 0x0FA0, &wide), record(0, 0x0FA8, b"Second"), record(0, 1, b"none")].concat();
        let stream = record(0xF, 1_000, &record(0xF, 0x03EE, &slide));
        assert_eq!(read(&compound("PowerPoint Document", &stream)), ["防汛工作汇报", "第二行", "Second"]);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let told = |name: &str, stream: &[u8]| text(&compound(name, stream), MANY).expect_err("no text");
        assert_eq!(told("Thumbs", b"x"), "it is ole");
        assert_eq!(told("Workbook", &[9, 8, 4, 0, 0, 5, 5, 0]), "it is an Excel file before 1997");
        let locked = [&[9, 8, 4, 0, 0, 6, 5, 0][..], &[0x2F, 0, 2, 0, 1, 0]].concat();
        assert_eq!(told("Workbook", &locked), "it is encrypted");
        assert_eq!(told("WordDocument", b"x"), "a part of it is missing");
        assert!(text(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", MANY).is_err());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]
        #[test]
        fn damaged_files_end_the_reading_and_nothing_else(
            changes in proptest::collection::vec((0_usize..60_000, proptest::prelude::any::<u8>()), 1..40),
            excel in proptest::prelude::any::<bool>(),
        ) {
            let mut body = if excel { XLS.to_vec() } else { DOC.to_vec() };
            let length = body.len();
            for (at, byte) in changes {
                body[at % length] = byte;
            }
            let read = text(&body, 10_000).unwrap_or_default();
            proptest::prop_assert!(read.iter().map(String::len).sum::<usize>() <= 10_000);
        }

        #[test]
        fn streams_of_anything_end_the_reading(stream in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2_000)) {
            let mut lines = Lines { lines: Vec::new(), left: 1_000 };
            slides_text(&stream, &mut lines);
            let workbook = [&[9, 8, 4, 0, 0, 6, 5, 0][..], &stream].concat();
            let _ = excel(&workbook, &mut lines);
            let document = [&[0xEC, 0xA5][..], &stream].concat();
            let _ = word(&document, &stream, &mut lines);
            let _ = shared_strings(&[&stream, &stream], 1_000);
        }
    }
}
