//! Documents offered for download: what they are by their first bytes, and the text in them.
//!
//! DOCX, XLSX, PPTX and OFD are zip files of XML, PDF is read by lopdf, older office files by [`crate::ole`].
//! Whatever is in them,
//! memory stays within the limits below, and a document that cannot be read has no text.

use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use quick_xml::Reader;
use quick_xml::events::Event;
use xunjian_model::{Block, DOCUMENT_ENDINGS, Facts, PageKind, PageUrl, Problem};
use zip::ZipArchive;

use crate::{Limits, decode, is_html, ole};

/// Bytes a document may unpack to, all its parts together.
const UNPACKED_MAX: usize = 64 << 20;
/// Parts of a zip file that are looked at.
const PARTS_MAX: usize = 10_000;
/// Bytes from which documents are read one after the other: their readers take up to fifteen times as many.
const LARGE: usize = 2 << 20;
static LARGE_READ: Mutex<()> = Mutex::new(());
/// Pages of a PDF that are read.
const PDF_PAGES_MAX: usize = 2_000;
/// Whether an address names a document whose text is read.
pub fn is_document(url: &PageUrl) -> bool {
    url.extension().is_some_and(|ending| DOCUMENT_ENDINGS.contains(&ending.as_str()))
}

/// Whether a body is a document, by its address or, for one that a program hands out, its first bytes.
pub fn holds_document(body: &[u8], content_type: Option<&str>, url: &PageUrl) -> bool {
    !is_html(content_type, body) && (is_document(url) || begins_document(body))
}

/// Whether first bytes are those of a document, whatever it is called.
pub(crate) fn begins_document(body: &[u8]) -> bool {
    matches!(sniff(body), "pdf" | "zip" | "ole")
}

/// What a file is by its first bytes: `pdf`, `zip`, `ole`, `png`, …; empty when that is not known.
pub fn sniff(bytes: &[u8]) -> &'static str {
    const MAGIC: [(&[u8], &str); 16] = [
        (b"%PDF-", "pdf"),
        (b"PK\x03\x04", "zip"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "ole"),
        (b"Rar!\x1A\x07", "rar"),
        (b"7z\xBC\xAF\x27\x1C", "7z"),
        (b"\x1F\x8B", "gzip"),
        (b"{\\rtf", "rtf"),
        (b"\x89PNG\r\n\x1A\n", "png"),
        (b"\xFF\xD8\xFF", "jpeg"),
        (b"GIF8", "gif"),
        (b"BM", "bmp"),
        (b"RIFF", "riff"),
        (b"ID3", "mp3"),
        (b"MZ", "exe"),
        (b"<!DOCTYPE", "html"),
        (b"<html", "html"),
    ];
    MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)).map_or("", |(_, name)| name)
}

/// Whether a file can be what its name says; unknown endings and unknown bytes can be anything.
pub fn fits_name(bytes: &[u8], url: &PageUrl) -> bool {
    let wanted: &[&str] = match url.extension().as_deref() {
        Some("pdf") => &["pdf"],
        Some("docx" | "xlsx" | "pptx" | "ofd" | "zip" | "apk") => &["zip"],
        // Office writes the old endings over new files, and text editors over RTF and HTML.
        Some("doc" | "xls" | "ppt" | "wps" | "et" | "dps") => &["ole", "zip", "rtf"],
        Some("rar") => &["rar"],
        Some("7z") => &["7z"],
        Some("exe") => &["exe"],
        _ => return true,
    };
    let found = sniff(bytes);
    found.is_empty() || wanted.contains(&found)
}

/// The facts of a document that was downloaded.
pub fn document(body: &[u8], url: &PageUrl, truncated: bool, limits: Limits) -> Facts {
    named_document(body, &file_name(url), truncated, limits)
}

/// The file's name in its address: the last part of the path, or what a program that hands files out is asked for.
fn file_name(url: &PageUrl) -> String {
    let is_name = |value: &str| {
        let ending = value.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        ending.is_some_and(|ending| DOCUMENT_ENDINGS.contains(&ending.as_str()))
    };
    let asked =
        || url.as_url().query_pairs().map(|(_, value)| value.into_owned()).find(|value| is_name(value));
    let whole = match is_document(url) {
        true => None,
        false => asked(),
    };
    let name = whole.as_deref().unwrap_or(url.path());
    name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

/// The facts of a document: its text as blocks, and what was wrong with it. The name's ending
/// tells plain text.
pub fn named_document(body: &[u8], name: &str, truncated: bool, limits: Limits) -> Facts {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let mut facts = Facts { title: name.to_owned(), kind: PageKind::Document, ..Facts::default() };
    if truncated {
        facts.problems.push(Problem::Truncated);
    }
    let _turn = (body.len() >= LARGE).then(|| LARGE_READ.lock().unwrap_or_else(PoisonError::into_inner));
    // Readers of foreign formats may panic on what nobody tried before; then there is no text.
    let read = catch_unwind(AssertUnwindSafe(|| match (sniff(body), ending.as_deref()) {
        ("pdf", _) => pdf(body),
        ("zip", _) => zipped(body),
        ("ole", _) => ole::text(body, UNPACKED_MAX),
        (_, Some("txt" | "csv")) => Ok(decode(body, None).text.lines().map(str::to_owned).collect()),
        ("", _) => Err("its bytes are no known document".to_owned()),
        (found, _) => Err(format!("it is {found}")),
    }));
    match read.unwrap_or_else(|_| Err("its reader gave up".to_owned())) {
        Ok(lines) => fill(&mut facts, lines, limits),
        Err(reason) => facts.problems.push(Problem::Unreadable(reason)),
    }
    facts
}

fn fill(facts: &mut Facts, lines: Vec<String>, limits: Limits) {
    let mut bytes = 0;
    for line in lines {
        let text = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            continue;
        }
        bytes += text.len();
        if facts.blocks.len() >= limits.blocks_max || bytes > limits.text_bytes_max {
            facts.problems.push(Problem::TooMany("lines of text".to_owned()));
            return;
        }
        facts.main_chars = facts.main_chars.saturating_add(text.chars().count() as u32);
        facts.blocks.push(Block { text, ..Block::default() });
    }
}

fn pdf(body: &[u8]) -> Result<Vec<String>, String> {
    let options = lopdf::LoadOptions::with_max_decompressed_size(UNPACKED_MAX);
    let document =
        lopdf::Document::load_mem_with_options(body, options).map_err(|error| error.to_string())?;
    if document.is_encrypted() {
        return Err("it is encrypted".to_owned());
    }
    let pages: Vec<u32> = document.get_pages().into_keys().take(PDF_PAGES_MAX).collect();
    let mut left = UNPACKED_MAX;
    let mut lines = Vec::new();
    for page in pages {
        // A page that cannot be read does not hide the others.
        let Ok(text) = document.extract_text_with_limit(&[page], left) else { continue };
        left = left.saturating_sub(text.len());
        lines.extend(text.lines().map(str::to_owned));
    }
    Ok(lines)
}

/// Which parts of which format hold text, the element of a paragraph and those of its text.
const FORMATS: [(&str, &str, &[&str]); 8] = [
    ("word/", "p", &["t"]),
    ("xl/sharedStrings.xml", "si", &["t"]),
    ("xl/worksheets/", "c", &["t", "v"]),
    ("ppt/slides/", "p", &["t"]),
    ("ppt/notesSlides/", "p", &["t"]),
    ("Doc_", "TextObject", &["TextCode"]),
    ("content.xml", "p", &["p", "span", "h"]),
    ("xl/comments", "comment", &["t"]),
];

fn zipped(body: &[u8]) -> Result<Vec<String>, String> {
    let mut archive = ZipArchive::new(Cursor::new(body)).map_err(|error| error.to_string())?;
    let mut left = UNPACKED_MAX;
    let mut lines = Vec::new();
    let names = archive.file_names().take(PARTS_MAX);
    let mut names: Vec<String> = names.filter_map(|name| Some(name.ok()?.into_owned())).collect();
    names.sort();
    for name in names {
        let format = FORMATS.iter().find(|(start, ..)| name.starts_with(start) && name.ends_with(".xml"));
        let Some((_, paragraph, texts)) = format else { continue };
        let Ok(part) = archive.by_name(&name) else { continue };
        let mut xml = Vec::new();
        // A damaged part gives what could be read of it.
        let _ = part.take(left as u64).read_to_end(&mut xml);
        left -= xml.len();
        xml_text(&xml, paragraph, texts, &mut lines);
        if left == 0 {
            return Err(format!("it unpacks to more than {UNPACKED_MAX} bytes"));
        }
    }
    Ok(lines)
}

/// The text of each paragraph.
fn xml_text(xml: &[u8], paragraph: &str, texts: &[&str], lines: &mut Vec<String>) {
    let mut reader = Reader::from_reader(xml);
    reader.config_mut().check_end_names = false;
    let mut line = String::new();
    let mut inside = 0_u32;
    // A shared string is named by its number, which is no text.
    let mut shared = false;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                let name = tag.local_name();
                if paragraph == "c" && name.as_ref() == b"c" {
                    let kind = tag.try_get_attribute("t").ok().flatten();
                    shared = kind.is_some_and(|kind| kind.value.as_ref() == b"s");
                }
                if texts.iter().any(|text| text.as_bytes() == name.as_ref()) && !shared {
                    inside += 1;
                }
            }
            Ok(Event::Empty(tag)) if matches!(tag.local_name().as_ref(), b"br" | b"tab" | b"cr") => {
                line.push(' ')
            }
            Ok(Event::Text(text)) if inside > 0 => line.push_str(&text.decode().unwrap_or_default()),
            Ok(Event::GeneralRef(name)) if inside > 0 => match name.resolve_char_ref() {
                Ok(Some(character)) => line.push(character),
                _ => line.push_str(match &*name {
                    b"amp" => "&",
                    b"lt" => "<",
                    b"gt" => ">",
                    _ => " ",
                }),
            },
            Ok(Event::End(tag)) => {
                let name = tag.local_name();
                if texts.iter().any(|text| text.as_bytes() == name.as_ref()) {
                    inside = inside.saturating_sub(1);
                }
                if name.as_ref() == paragraph.as_bytes() && !line.trim().is_empty() {
                    lines.push(std::mem::take(&mut line));
                }
            }
            Ok(Event::Eof) | Err(_) => {
                if !line.trim().is_empty() {
                    lines.push(line);
                }
                return;
            }
            Ok(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use zip::write::SimpleFileOptions;

    fn url(name: &str) -> PageUrl {
        PageUrl::parse(&format!("http://a.gov.cn/files/{name}")).expect("url")
    }

    fn zip_of(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            writer.start_file(*name, SimpleFileOptions::default()).expect("part");
            writer.write_all(text.as_bytes()).expect("written");
        }
        writer.finish().expect("zip").into_inner()
    }

    fn text(body: &[u8], name: &str) -> Vec<String> {
        let facts = document(body, &url(name), false, Limits::default());
        facts.blocks.into_iter().map(|block| block.text).collect()
    }

    #[test]
    fn text_of_office_files() {
        let docx = zip_of(&[
            (
                "word/document.xml",
                "<w:document><w:p><w:r><w:t>关于印</w:t></w:r><w:r><w:t>发办法&amp;通知</w:t></w:r></w:p><w:p><w:r><w:t>第二段</w:t></w:r></w:p></w:document>",
            ),
            ("word/media/x.png", "no text"),
        ]);
        assert_eq!(text(&docx, "a.docx"), ["关于印发办法&通知", "第二段"]);
        let xlsx = zip_of(&[
            (
                "xl/sharedStrings.xml",
                "<sst><si><t>姓名</t></si><si><r><t>身份</t></r><r><t>证号</t></r></si></sst>",
            ),
            (
                "xl/worksheets/sheet1.xml",
                "<sheetData><row><c t='s'><v>0</v></c><c><v>13800138000</v></c><c t='inlineStr'><is><t>备注</t></is></c></row></sheetData>",
            ),
        ]);
        assert_eq!(text(&xlsx, "a.xlsx"), ["姓名", "身份证号", "13800138000", "备注"]);
        let ofd = zip_of(&[(
            "Doc_0/Pages/Page_0/Content.xml",
            "<ofd:TextObject><ofd:TextCode>公文正文</ofd:TextCode></ofd:TextObject>",
        )]);
        assert_eq!(text(&ofd, "a.ofd"), ["公文正文"]);
        // 公告 in GBK.
        assert_eq!(
            text(b"\xB9\xAB\xB8\xE6\r\n\xB9\xAB\xB8\xE6\xB9\xAB\xB8\xE6", "a.txt"),
            ["公告", "公告公告"]
        );
    }

    #[test]
    fn bombs_and_nonsense_are_outcomes() {
        let bomb = zip_of(&[("word/document.xml", &"<w:p><w:t>啊</w:t></w:p>".repeat(4 << 20))]);
        let facts = document(&bomb, &url("bomb.docx"), false, Limits::default());
        assert!(matches!(&facts.problems[..], [Problem::Unreadable(reason)] if reason.contains("unpacks")));
        for (body, name) in [
            (&b"%PDF-1.7 nonsense"[..], "x.pdf"),
            (b"PK\x03\x04nonsense", "x.docx"),
            (b"", "x.pdf"),
            (b"<html>404</html>", "x.pdf"),
        ] {
            let facts = document(body, &url(name), false, Limits::default());
            assert!(matches!(facts.problems[..], [Problem::Unreadable(_)]), "{name}: {:?}", facts.problems);
        }
    }

    #[test]
    fn names_and_bytes() {
        assert!(fits_name(b"%PDF-1.4", &url("a.pdf")) && !fits_name(b"PK\x03\x04", &url("a.pdf")));
        assert!(fits_name(b"PK\x03\x04", &url("a.doc")) && !fits_name(b"MZ\x90", &url("a.zip")));
        assert!(is_document(&url("a.PDF")) && !is_document(&url("a.html")));
    }
}
