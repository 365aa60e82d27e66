//! Documents offered for download: what they are by their first bytes, and the text in them.
//!
//! DOCX, XLSX, PPTX and OFD are zip files of XML ([`crate::zipped`]), as are archives of documents, of which others are
//! RAR ([`crate::rar`]); PDF is read by lopdf, older office files by [`crate::ole`], RTF by [`crate::rtf`]. Whatever is in them, memory stays within the
//! limits below, and a document that cannot be read has no text.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

use xunjian_model::{Block, DOCUMENT_ENDINGS, Facts, GAVE_UP, PageKind, PageUrl, Problem};

use crate::{Limits, decode, extract, guarded, is_html, ole, rar, rtf, zipped};

/// Bytes a document may unpack to, all its parts together.
const UNPACKED_MAX: usize = 64 << 20;
/// Bytes from which documents are read one after the other: their readers take up to fifteen times as many.
const LARGE: usize = 2 << 20;
static LARGE_READ: Mutex<()> = Mutex::new(());
/// Pages of a PDF that are read.
const PDF_PAGES_MAX: usize = 2_000;
/// Endings of Office before 2007 and of WPS Office.
const OLD_OFFICE: [&str; 6] = ["doc", "xls", "ppt", "wps", "et", "dps"];

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
    matches!(sniff(body), "pdf" | "zip" | "rar" | "ole" | "rtf")
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
        // Office writes the old endings over new files, and programs that hand lists out over RTF and HTML.
        Some(ending) if OLD_OFFICE.contains(&ending) => &["ole", "zip", "rtf", "html"],
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
    let ending = ending.unwrap_or_default();
    let left = Cell::new(UNPACKED_MAX);
    let of_archive = |part: &[u8], ending: &str, left: &Cell<usize>| lines(part, ending, left, limits);
    let read = guarded(|| match sniff(body) {
        "zip" => zipped::text(body, &left, &of_archive),
        "rar" => rar::text(body, &left, &of_archive),
        _ => lines(body, &ending, &left, limits),
    });
    match read.unwrap_or_else(|| Err(GAVE_UP.to_owned())) {
        Ok(lines) => fill(&mut facts, lines, limits),
        Err(reason) => facts.problems.push(Problem::Unreadable(reason)),
    }
    facts
}

/// The lines of a document, which may unpack to so many bytes. Of an archive in an archive there is nothing read.
fn lines(body: &[u8], ending: &str, left: &Cell<usize>, limits: Limits) -> Result<Vec<String>, String> {
    let start = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start();
    let is_markup =
        || is_html(None, body) || start.get(..6).is_some_and(|tag| tag.eq_ignore_ascii_case(b"<table"));
    match sniff(body) {
        "pdf" => pdf(body, left.get()),
        "zip" => zipped::text(body, left, &|_, _, _| Err("it is in two archives".to_owned())),
        "ole" => ole::text(body, left.get()),
        "rtf" => Ok(rtf::text(body, left.get())),
        _ if matches!(ending, "txt" | "csv") => {
            Ok(decode(body, None).text.lines().map(str::to_owned).collect())
        }
        _ if OLD_OFFICE.contains(&ending) && start.starts_with(b"<?xml") => Ok(xml(start)),
        "" | "html" if OLD_OFFICE.contains(&ending) && is_markup() => Ok(markup(body, limits)),
        "" => Err("its bytes are no known document".to_owned()),
        found => Err(format!("it is {found}")),
    }
}

/// Word and Excel of 2003 keep documents as one file of XML, too.
fn xml(body: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    zipped::xml_text(body, "Data", &["Data"], &mut lines);
    zipped::xml_text(body, "p", &["t"], &mut lines);
    lines
}

/// Many a program hands out a web page and calls it a table.
fn markup(body: &[u8], limits: Limits) -> Vec<String> {
    let Ok(url) = PageUrl::parse("http://file/") else { return Vec::new() };
    let facts = extract(body, Some("text/html"), &url, limits);
    facts.blocks.into_iter().map(|block| block.text).collect()
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

fn pdf(body: &[u8], unpacked_max: usize) -> Result<Vec<String>, String> {
    let options = lopdf::LoadOptions::with_max_decompressed_size(unpacked_max);
    let document =
        lopdf::Document::load_mem_with_options(body, options).map_err(|error| error.to_string())?;
    if document.is_encrypted() {
        return Err("it is encrypted".to_owned());
    }
    let pages: Vec<u32> = document.get_pages().into_keys().take(PDF_PAGES_MAX).collect();
    let mut left = unpacked_max;
    let mut lines = Vec::new();
    for page in pages {
        // A page that cannot be read does not hide the others.
        let Ok(text) = document.extract_text_with_limit(&[page], left) else { continue };
        left = left.saturating_sub(text.len());
        lines.extend(text.lines().map(str::to_owned));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write as _};
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
    fn tables_that_programs_hand_out_and_files_of_one_piece() {
        let table = "<table><tr><td>张三</td><td>13800138000</td></tr><tr><td>李四</td><td>13900139000</td></tr></table>";
        let page =
            format!("<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><body>{table}</body></html>");
        for name in ["a.xls", "a.doc"] {
            assert_eq!(text(page.as_bytes(), name), ["张三", "13800138000", "李四", "13900139000"], "{name}");
            assert!(fits_name(page.as_bytes(), &url(name)));
        }
        assert!(!fits_name(page.as_bytes(), &url("a.xlsx")), "Excel does not open that");
        assert_eq!(text(format!("\r\n{table}").as_bytes(), "a.xls").len(), 4);
        let xml = "\r\n<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?><Workbook><Worksheet><Table><Row>\
                   <Cell><Data ss:Type=\"String\">张三</Data></Cell><Cell><Data ss:Type=\"String\">13800138000</Data></Cell>\
                   </Row></Table></Worksheet></Workbook>";
        assert_eq!(text(xml.as_bytes(), "a.xls"), ["张三", "13800138000"]);
        assert_eq!(text(b"{\\rtf1\\ansicpg936 \\'b9\\'ab\\'b8\\'e6\\par}", "a.doc"), ["公告"]);
    }

    #[test]
    fn documents_in_an_archive() {
        let docx = zip_of(&[("word/document.xml", "<w:p><w:t>名单</w:t></w:p>")]);
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in [
            ("list/a.docx", &docx[..]),
            ("b.txt", "第一行\n第二行".as_bytes()),
            ("c.exe", b"MZ"),
            ("d.zip", &zip_of(&[("e.txt", "两层")])),
            ("###.txt", "乙".as_bytes()),
        ] {
            writer.start_file(name, SimpleFileOptions::default()).expect("part");
            writer.write_all(bytes).expect("written");
        }
        let mut archive = writer.finish().expect("zip").into_inner();
        // A name in GBK, at its file and in the list.
        let places: Vec<usize> =
            (0..archive.len()).filter(|&at| archive[at..].starts_with(b"###.txt")).collect();
        places.iter().for_each(|&at| archive[at..at + 7].copy_from_slice(b"\xB9\xAB1.txt"));
        assert_eq!(
            text(&archive, "a.zip"),
            ["b.txt", "第一行", "第二行", "list/a.docx", "名单", "公1.txt", "乙"]
        );
        assert!(is_document(&url("a.zip")));
    }

    #[test]
    fn documents_in_rar_archives_are_read() {
        use rars::{ArchiveVersion, Builder};
        let docx = zip_of(&[("word/document.xml", "<w:p><w:t>名单</w:t></w:p>")]);
        let long = "身份证号码见附表。".repeat(2_000);
        let (gbk, ..) = encoding_rs::GBK.encode("附件1.txt");
        let archive = |version: ArchiveVersion, solid: bool, name: &[u8]| {
            let mut builder = Builder::new(version).solid(solid);
            for (name, data) in [
                (&b"a.exe"[..], &b"MZ\x90"[..]),
                (name, long.as_bytes()),
                (b"b/c.docx", &docx),
                (b"d.rar", b"Rar!\x1A\x07\x00"),
            ] {
                builder.add_bytes(name.to_vec(), data.to_vec(), None, None).expect("a file");
            }
            builder.to_bytes().expect("an archive")
        };
        for (version, solid, name) in [
            (ArchiveVersion::Rar15, false, &gbk[..]),
            (ArchiveVersion::Rar29, false, &gbk[..]),
            (ArchiveVersion::Rar29, true, &gbk[..]),
            (ArchiveVersion::Rar50, false, "附件1.txt".as_bytes()),
            (ArchiveVersion::Rar50, true, "附件1.txt".as_bytes()),
        ] {
            let bytes = archive(version, solid, name);
            assert_eq!(sniff(&bytes), "rar");
            let lines = ["附件1.txt", &long, "b/c.docx", "名单"].map(str::to_owned);
            assert_eq!(text(&bytes, "a.rar"), lines, "{version:?} {solid}");
            // A damaged one gives what could be read of it, or a reason.
            for end in [8, 40, bytes.len() / 2, bytes.len() - 20] {
                let facts = document(&bytes[..end], &url("a.rar"), false, Limits::default());
                assert!(!facts.blocks.is_empty() || !facts.problems.is_empty(), "{version:?} {end}");
            }
        }
        let mut bomb = Builder::new(ArchiveVersion::Rar50);
        bomb.add_bytes(b"a.txt".to_vec(), vec![b'x'; UNPACKED_MAX + 1], None, None).expect("a file");
        let facts = document(&bomb.to_bytes().expect("an archive"), &url("a.rar"), false, Limits::default());
        let told =
            matches!(&facts.problems[..], [Problem::Unreadable(reason)] if reason.contains("more than"));
        assert!(told && facts.blocks.is_empty(), "{:?}", facts.problems);
    }

    #[test]
    fn bombs_and_nonsense_are_outcomes() {
        let bomb = zip_of(&[("word/document.xml", &"<w:p><w:t>啊</w:t></w:p>".repeat(4 << 20))]);
        let facts = document(&bomb, &url("bomb.docx"), false, Limits::default());
        assert!(matches!(&facts.problems[..], [Problem::Unreadable(reason)] if reason.contains("unpacks")));
        // All parts of an archive unpack to no more than one document may.
        let inner = zip_of(&[("word/document.xml", &"<w:p><w:t>啊</w:t></w:p>".repeat(1 << 20))]);
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for at in 0..40 {
            writer.start_file(format!("{at}.docx"), SimpleFileOptions::default()).expect("part");
            writer.write_all(&inner).expect("written");
        }
        let archive = writer.finish().expect("zip").into_inner();
        let facts = document(&archive, &url("many.zip"), false, Limits::default());
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
