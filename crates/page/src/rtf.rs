//! Text of RTF files (Rich Text Format 1.9.1), which Word and WPS also write under `.doc`.

use encoding_rs::{BIG5, Encoding, GBK, UTF_8, WINDOWS_1252};

/// Groups within groups.
const DEPTH_MAX: usize = 200;
/// Groups that hold no text of the document.
const NO_TEXT: [&[u8]; 18] = [
    b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"object", b"themedata", b"colorschememapping",
    b"datastore", b"listtable", b"listoverridetable", b"rsidtbl", b"generator", b"fldinst", b"xmlnstbl",
    b"latentstyles", b"filetbl", b"nonshppict",
];

/// A group.
#[derive(Clone, Copy)]
struct Group {
    silent: bool,
    /// Characters that stand after a `\u` for readers that do not know it.
    stand_ins: usize,
}

struct Reader<'b> {
    rest: &'b [u8],
    lines: Vec<String>,
    line: String,
    /// Bytes of the document's charset that are not decoded yet.
    bytes: Vec<u8>,
    /// Units of `\u`, of which two may be one character.
    units: Vec<u16>,
    encoding: &'static Encoding,
    left: usize,
}

/// The text, a paragraph or cell a line, up to so many bytes.
pub(crate) fn text(body: &[u8], bytes_max: usize) -> Vec<String> {
    let mut reader = Reader {
        rest: body,
        lines: Vec::new(),
        line: String::new(),
        bytes: Vec::new(),
        units: Vec::new(),
        encoding: GBK,
        left: bytes_max,
    };
    reader.read();
    reader.end_line();
    reader.lines
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut groups = vec![Group { silent: false, stand_ins: 1 }];
        let mut skip = 0;
        while let Some((&byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            let depth = groups.len();
            let Some(group) = groups.last_mut() else { return };
            match byte {
                b'{' if depth < DEPTH_MAX => {
                    let inner = *group;
                    groups.push(inner);
                }
                b'{' => return,
                b'}' => {
                    groups.pop();
                    skip = 0;
                }
                b'\\' => self.control(group, &mut skip),
                b'\r' | b'\n' => {}
                _ if skip > 0 => skip -= 1,
                _ if group.silent => {}
                _ => self.byte(byte),
            }
            if self.left == 0 {
                return;
            }
        }
    }

    /// A control word or symbol, whose backslash is read.
    fn control(&mut self, group: &mut Group, skip: &mut usize) {
        let letters =
            self.rest.iter().take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_uppercase());
        let (word, after) = self.rest.split_at(letters.count().min(32));
        if word.is_empty() {
            let Some((&symbol, after)) = self.rest.split_first() else { return };
            self.rest = after;
            match symbol {
                b'\'' => {
                    let (hex, after) = after.split_at(after.len().min(2));
                    self.rest = after;
                    let byte = std::str::from_utf8(hex).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
                    match byte {
                        _ if *skip > 0 => *skip -= 1,
                        Some(byte) if !group.silent => self.byte(byte),
                        _ => {}
                    }
                }
                // What only newer readers know.
                b'*' => group.silent = true,
                b'~' if !group.silent => self.byte(b' '),
                b'\\' | b'{' | b'}' if !group.silent => self.byte(symbol),
                b'\r' | b'\n' if !group.silent => self.end_line(),
                _ => {}
            }
            return;
        }
        let sign = usize::from(after.first() == Some(&b'-'));
        let digits = after[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count().min(9);
        let length = if digits == 0 { 0 } else { sign + digits };
        let (number, after) = after.split_at(length);
        let number = std::str::from_utf8(number).ok().and_then(|text| text.parse::<i32>().ok());
        // A space after it is part of it.
        self.rest = after.strip_prefix(b" ").unwrap_or(after);
        match word {
            word if NO_TEXT.contains(&word) => group.silent = true,
            b"bin" => {
                let bytes = usize::try_from(number.unwrap_or(0)).unwrap_or(0);
                self.rest = self.rest.get(bytes..).unwrap_or_default();
            }
            b"ansicpg" => self.encoding = of_code_page(number.unwrap_or(0)),
            b"uc" => group.stand_ins = usize::try_from(number.unwrap_or(1)).unwrap_or(1).min(16),
            b"u" => {
                *skip = group.stand_ins;
                if !group.silent {
                    self.decode_bytes();
                    // Written as a signed number.
                    self.units.push(number.unwrap_or(0xFFFD) as u16);
                }
            }
            _ if group.silent => {}
            b"par" | b"line" | b"cell" | b"nestcell" | b"row" | b"sect" | b"page" => self.end_line(),
            b"tab" | b"emspace" | b"enspace" => self.byte(b' '),
            b"ldblquote" => self.character('“'),
            b"rdblquote" => self.character('”'),
            b"lquote" => self.character('‘'),
            b"rquote" => self.character('’'),
            b"emdash" => self.character('—'),
            b"endash" => self.character('–'),
            _ => {}
        }
    }

    fn byte(&mut self, byte: u8) {
        self.decode_units();
        self.bytes.push(byte);
        self.left = self.left.saturating_sub(1);
    }

    fn character(&mut self, character: char) {
        self.decode_bytes();
        self.decode_units();
        self.line.push(character);
    }

    fn decode_bytes(&mut self) {
        if !self.bytes.is_empty() {
            let (text, _) = self.encoding.decode_without_bom_handling(&self.bytes);
            self.line.push_str(&text);
            self.bytes.clear();
        }
    }

    fn decode_units(&mut self) {
        if !self.units.is_empty() {
            self.left = self.left.saturating_sub(self.units.len());
            self.line.push_str(&String::from_utf16_lossy(&self.units));
            self.units.clear();
        }
    }

    fn end_line(&mut self) {
        self.decode_bytes();
        self.decode_units();
        if !self.line.trim().is_empty() {
            self.lines.push(std::mem::take(&mut self.line));
        }
        self.line.clear();
    }
}

/// Charset of a Windows code page; documents of the field are in GBK.
fn of_code_page(number: i32) -> &'static Encoding {
    match number {
        950 => BIG5,
        1250..=1258 | 437 | 850 => WINDOWS_1252,
        65001 => UTF_8,
        _ => GBK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_rtf() {
        let read = |body: &[u8]| text(body, 1 << 20);
        let whole = b"{\\rtf1\\ansi\\ansicpg936\\deff0{\\fonttbl{\\f0\\fnil\\fcharset134 \\'cb\\'ce\\'cc\\'e5;}}{\\*\\generator Riched20;}\
            {\\info{\\author nobody}}\\viewkind4\\uc1\\pard\\lang2052\\f0\\fs21 \\'b9\\'ab\\'b8\\'e6\\par\r\n\
            \\trowd\\pard\\intbl \\u24352?\\u19977?\\cell 13800138000\\cell\\row {\\pict\\wmetafile8 0102ff}A\\{b\\}\\~c\\par}";
        assert_eq!(read(whole), ["公告", "张三", "13800138000", "A{b} c"]);
        // Negative numbers and pairs of units; stand-ins of two bytes.
        assert_eq!(
            read(b"{\\rtf1\\uc2 \\u-10179\\'a1\\'a1\\u-8704\\'a1\\'a1\\u-29703\\'b0\\'a1 x}"),
            ["\u{1F600}\u{8BF9} x"]
        );
        assert_eq!(read(b"{\\rtf1 a\\bin3 }}}b\\par"), ["ab"]);
        for cut in 0..whole.len() {
            read(&whole[..cut]);
        }
        assert_eq!(
            text(&b"{\\rtf1 ".iter().chain(&[b'a'; 100]).copied().collect::<Vec<_>>(), 10),
            ["aaaaaaaaaa"]
        );
    }
}
