//! Attachments with real bytes: PDF, DOCX, XLSX, ZIP and PNG.

use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::rng::rng;
use crate::text;

/// The bytes of an attachment by its ending.
pub(crate) fn attachment(seed: u64, number: u64, ending: &str) -> Option<Vec<u8>> {
    let mut rng = rng(&[seed, 31, number]);
    let title = text::title(&mut rng);
    let body: Vec<String> = (0..6).map(|_| text::paragraph(&mut rng)).collect();
    match ending {
        "pdf" => Some(pdf(&title)),
        "docx" => zipped(&docx(&title, &body)),
        "xlsx" => zipped(&xlsx(&title, &body)),
        "zip" => zipped(&[("说明.txt".to_owned(), body.join("\n"))]),
        _ => None,
    }
}

fn zipped(parts: &[(String, String)]) -> Option<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive.start_file(name.as_str(), SimpleFileOptions::default()).ok()?;
        archive.write_all(content.as_bytes()).ok()?;
    }
    Some(archive.finish().ok()?.into_inner())
}

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";
const TYPES: &str = "http://schemas.openxmlformats.org/package/2006/content-types";
const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

fn package(main: &str, main_type: &str) -> Vec<(String, String)> {
    vec![
        (
            "[Content_Types].xml".to_owned(),
            format!(
                "{XML}<Types xmlns=\"{TYPES}\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/><Override PartName=\"/{main}\" ContentType=\"application/vnd.openxmlformats-officedocument.{main_type}.main+xml\"/>{}</Types>",
                if main.starts_with("xl") {
                    "<Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>"
                } else {
                    ""
                }
            ),
        ),
        (
            "_rels/.rels".to_owned(),
            format!(
                "{XML}<Relationships xmlns=\"{RELATIONS}\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" Target=\"{main}\"/></Relationships>"
            ),
        ),
    ]
}

fn docx(title: &str, body: &[String]) -> Vec<(String, String)> {
    let mut parts = package("word/document.xml", "wordprocessingml.document");
    let text: String = std::iter::once(title)
        .chain(body.iter().map(String::as_str))
        .map(|line| format!("<w:p><w:r><w:t>{line}</w:t></w:r></w:p>"))
        .collect();
    parts.push((
        "word/document.xml".to_owned(),
        format!("{XML}<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{text}</w:body></w:document>"),
    ));
    parts
}

fn xlsx(title: &str, body: &[String]) -> Vec<(String, String)> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let mut parts = package("xl/workbook.xml", "spreadsheetml.sheet");
    parts.push((
        "xl/workbook.xml".to_owned(),
        format!("{XML}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"Sheet1\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"),
    ));
    parts.push((
        "xl/_rels/workbook.xml.rels".to_owned(),
        format!("{XML}<Relationships xmlns=\"{RELATIONS}\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"),
    ));
    let rows: String = std::iter::once(title)
        .chain(body.iter().map(String::as_str))
        .map(|line| format!("<row><c t=\"inlineStr\"><is><t>{line}</t></is></c></row>"))
        .collect();
    parts.push((
        "xl/worksheets/sheet1.xml".to_owned(),
        format!("{XML}<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>"),
    ));
    parts
}

/// One page with the title, in the viewer's own Song face (no font embedded).
fn pdf(title: &str) -> Vec<u8> {
    use pdf_writer::types::{CidFontType, SystemInfo};
    use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};

    let [catalog, tree, page, font, cid, descriptor, content] = [1, 2, 3, 4, 5, 6, 7].map(Ref::new);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids([page]).count(1);
    let mut sheet = pdf.page(page);
    sheet.media_box(Rect::new(0.0, 0.0, 595.0, 842.0)).parent(tree).contents(content);
    sheet.resources().fonts().pair(Name(b"F1"), font);
    sheet.finish();
    pdf.type0_font(font)
        .base_font(Name(b"STSong-Light"))
        .encoding_predefined(Name(b"UniGB-UCS2-H"))
        .descendant_font(cid);
    pdf.cid_font(cid)
        .subtype(CidFontType::Type0)
        .base_font(Name(b"STSong-Light"))
        .system_info(SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"GB1"), supplement: 2 })
        .font_descriptor(descriptor);
    pdf.font_descriptor(descriptor)
        .name(Name(b"STSong-Light"))
        .bbox(Rect::new(-25.0, -254.0, 1_000.0, 880.0))
        .ascent(880.0)
        .descent(-120.0)
        .cap_height(880.0)
        .stem_v(93.0);
    let glyphs: Vec<u8> = title.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut text = Content::new();
    text.begin_text().set_font(Name(b"F1"), 18.0).next_line(72.0, 740.0).show(Str(&glyphs)).end_text();
    pdf.stream(content, &text.finish());
    pdf.finish()
}

/// A one-pixel PNG.
pub(crate) const PNG: &[u8] = &[
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0,
    0, 1, 8, 6, 0, 0, 0, 0x1F, 0x15, 0xC4, 0x89, 0, 0, 0, 0x0D, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9C, 0x63,
    0xF8, 0xCF, 0xC0, 0xF0, 0x1F, 0, 5, 0, 1, 0xFF, 0x56, 0xC7, 0x2F, 0x0D, 0, 0, 0, 0, 0x49, 0x45, 0x4E,
    0x44, 0xAE, 0x42, 0x60, 0x82,
];
