//! Which charset the bytes are in: BOM, header, meta, then a guess; a lie is caught.

use std::borrow::Cow;

use crate::prescan::charset_of_meta;
use encoding_rs::{Encoding, GB18030, UTF_8};
use simdutf8::compat::{Utf8Error, from_utf8};
use xunjian_model::{Charset, Problem};

/// Bytes looked at for a `<meta charset>` (WHATWG: 1,024; pages put scripts and comments before it, and
/// browsers begin again when it comes later still).
const META_BYTES: usize = 16 << 10;
/// Bytes given to the detector, which is slow.
const DETECT_BYTES: usize = 16_384;

/// Text with its charset.
#[derive(Clone, Debug)]
pub struct Decoded<'b> {
    /// The page as text.
    pub text: Cow<'b, str>,
    /// What it was decoded by.
    pub encoding: &'static Encoding,
    /// Charset and its source.
    pub charset: Charset,
    /// Conflicts and broken places.
    pub problems: Vec<Problem>,
}

/// Decodes a body.
pub fn decode<'b>(body: &'b [u8], content_type: Option<&str>) -> Decoded<'b> {
    let mut problems = Vec::new();
    let utf8 = from_utf8(body);
    let (encoding, source) = choose(body, utf8, content_type, &mut problems);
    let (text, had_errors) = match utf8 {
        // It was looked at already.
        Ok(text) if encoding == UTF_8 => {
            (Cow::Borrowed(text.strip_prefix('\u{FEFF}').unwrap_or(text)), false)
        }
        _ => encoding.decode_with_bom_removal(body),
    };
    if had_errors {
        let broken = text.chars().filter(|&c| c == char::REPLACEMENT_CHARACTER).count();
        problems.push(Problem::BrokenText(broken as u32));
    }
    let charset = Charset { name: encoding.name().to_owned(), source: source.to_owned() };
    Decoded { text, encoding, charset, problems }
}

fn choose(
    body: &[u8],
    utf8: Result<&str, Utf8Error>,
    content_type: Option<&str>,
    problems: &mut Vec<Problem>,
) -> (&'static Encoding, &'static str) {
    if let Some((encoding, _)) = Encoding::for_bom(body) {
        return (encoding, "bom");
    }
    let declared = from_header(content_type)
        .map(|encoding| (encoding, "header"))
        .or_else(|| from_meta(body).map(|encoding| (encoding, "meta")));
    // A page that was cut may end in the middle of a character.
    let valid_utf8 = utf8.map_or_else(|error| error.error_len().is_none(), |_| true);
    if let Some((encoding, source)) = declared {
        let lies = match encoding == UTF_8 {
            true => !valid_utf8 && reads_well(GB18030, body),
            // Chinese text that is valid UTF-8 is practically never GBK.
            false => valid_utf8 && !body.is_ascii(),
        };
        if !lies {
            return (encoding, source);
        }
        problems.push(Problem::CharsetConflict(encoding.name().to_owned()));
    }
    if valid_utf8 {
        return (UTF_8, if body.is_ascii() { "default" } else { "detected" });
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    let head = &body[..body.len().min(DETECT_BYTES)];
    detector.feed(head, head.len() == body.len());
    (detector.guess(Some(b"cn"), chardetng::Utf8Detection::Allow), "detected")
}

fn reads_well(encoding: &'static Encoding, body: &[u8]) -> bool {
    !encoding.decode_without_bom_handling(&body[..body.len().min(DETECT_BYTES) & !1]).1
}

fn from_header(content_type: Option<&str>) -> Option<&'static Encoding> {
    let (_, parameters) = content_type?.split_once(';')?;
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })?;
    Encoding::for_label(value.as_bytes())
}

fn from_meta(body: &[u8]) -> Option<&'static Encoding> {
    charset_of_meta(&body[..body.len().min(META_BYTES)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_and_lies() {
        let gbk = encoding_rs::GBK.encode("<p>政府网站检查，群众满意度</p>").0.into_owned();
        let meta = encoding_rs::GBK.encode("<meta charset=gb2312><p>政府</p>").0.into_owned();
        let utf8 = "<p>政府网站</p>".as_bytes().to_vec();
        /// Body, header, charset, its source, problems.
        type Row<'t> = (&'t [u8], Option<&'t str>, &'t str, &'t str, usize);
        let table: [Row<'_>; 6] = [
            (&gbk, Some("text/html; charset=GB18030"), "gb18030", "header", 0),
            (&meta, Some("text/html"), "GBK", "meta", 0),
            (&gbk, Some("text/html; charset=utf-8"), "GBK", "detected", 1),
            (&utf8, Some("text/html; charset=gbk"), "UTF-8", "detected", 1),
            (&utf8, None, "UTF-8", "detected", 0),
            (b"\xEF\xBB\xBFabc", Some("text/html; charset=gbk"), "UTF-8", "bom", 0),
        ];
        for (body, header, name, source, problems) in table {
            let decoded = decode(body, header);
            assert_eq!(decoded.charset.name, name, "{header:?}");
            assert_eq!(decoded.charset.source, source, "{header:?}");
            assert_eq!(decoded.problems.len(), problems, "{header:?}");
        }
        let broken = decode(b"ok \xFF\xFE\xFD end", Some("text/html; charset=utf-8"));
        assert!(broken.text.contains("ok "));
        assert!(!broken.problems.is_empty());
    }

    /// The public cases of html5lib, which are no part of this repository: `tests/run.sh` fetches them.
    #[test]
    #[ignore = "needs the cases that tests/run.sh fetches"]
    fn the_public_cases_of_charsets() {
        let folder = std::env::var("HTML5LIB_TESTS").expect("HTML5LIB_TESTS names the folder of the cases");
        let mut wrong = Vec::new();
        let mut tried = 0;
        for file in ["tests1.dat", "tests2.dat"] {
            let bytes =
                std::fs::read(std::path::Path::new(&folder).join("encoding").join(file)).expect("readable");
            let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
            for case in text.split("#data\n").skip(1) {
                let (input, rest) = case.split_once("\n#encoding\n").expect("an encoding");
                let wanted = rest.lines().next().unwrap_or_default();
                let wanted = Encoding::for_label(wanted.as_bytes()).expect("a charset");
                let body: Vec<u8> = input.chars().map(|c| c as u8).collect();
                if input.contains("<script") || body.starts_with(b"\xEF\xBB\xBF") {
                    // Scripts do not run here; a byte order mark is seen before any `<meta>`.
                    continue;
                }
                let found = from_meta(&body).unwrap_or(encoding_rs::WINDOWS_1252);
                tried += 1;
                if found != wanted {
                    wrong.push(format!("{input} -> {} not {}", found.name(), wanted.name()));
                }
            }
        }
        assert!(tried > 50, "{tried}");
        assert!(wrong.is_empty(), "{} of {tried}: {}", wrong.len(), wrong.join("\n---\n"));
    }
}
