//! The notice as DOCX, in the layout of GB/T 9704-2012: A4 with 37/35 mm above and below and 28/26 mm at
//! the sides, 22 lines a page, fonts by name, page numbers outside, annexes on broad pages with tables
//! that repeat their header.
//!
//! The parts are templates, because the layout needs what the writers of DOCX that there are leave out
//! (headers of tables that repeat, indents in characters).

use std::io::{Cursor, Write as _};

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

use super::text::blocks;
use super::{Annex, NoticeData, Picture, annexes, notes_title};
use crate::{Language, ReportError};

/// Sizes of pictures are in EMU, of which a twentieth of a point has so many.
const EMU: u32 = 635;
/// Width and height of a picture, as one to the other.
const PICTURE: [u32; 2] = [1_000, 640];
/// What of a cell's width its margins and borders take, in twentieths of a point.
const MARGINS: u32 = 2 * 85 + 40;
/// Width of the text on a broad page, in twentieths of a point.
const TEXT_WIDTH: u32 = 12_756;

const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Default Extension="jpg" ContentType="image/jpeg"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/><Override PartName="/word/settings.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.settings+xml"/><Override PartName="/word/footer-odd.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"/><Override PartName="/word/footer-even.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"/></Types>"#;
const PACKAGE: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="document" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;
const SETTINGS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:settings xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:evenAndOddHeaders/><w:compat><w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat></w:settings>"#;
const RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="styles" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/><Relationship Id="settings" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/settings" Target="settings.xml"/><Relationship Id="odd" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footer" Target="footer-odd.xml"/><Relationship Id="even" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footer" Target="footer-even.xml"/>
{% for link in links %}<Relationship Id="link{{ loop.index0 }}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink" Target="{{ link }}" TargetMode="External"/>
{% endfor %}
{% for number in pictures %}<Relationship Id="picture{{ number }}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" Target="media/picture{{ number }}.jpg"/>
{% endfor %}</Relationships>"#;

/// The file's bytes.
pub(super) fn write(
    data: &NoticeData<'_>,
    text: &str,
    annexes: &[Annex],
    language: Language,
) -> Result<Vec<u8>, ReportError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("document.xml", include_str!("../../templates/notice/document.xml"))?;
    environment.add_template("relations.xml", RELATIONS)?;
    let cells = annexes.iter().flat_map(|annex| annex.rows.iter().flatten());
    let pictures: Vec<&Picture> = cells.filter_map(|cell| cell.picture.as_ref()).collect();
    let numbers: Vec<usize> = pictures.iter().map(|picture| picture.number).collect();
    let mut links: Vec<String> = Vec::new();
    let annexes: Vec<Value> = annexes.iter().map(|annex| self::annex(annex, &mut links, language)).collect();
    let blocks: Vec<_> = blocks(text)
        .into_iter()
        .map(|mut block| {
            block.spans.iter_mut().for_each(|span| span.text = in_xml(&span.text));
            block
        })
        .collect();
    let document = environment.get_template("document.xml")?.render(Serde(json!({
        "blocks": blocks,
        "annexes": annexes,
        "empty": annexes::none(language),
        "notes": data.notes.iter().map(|note| in_xml(note)).collect::<Vec<_>>(),
        "notes_title": notes_title(language),
    })))?;
    let relations = environment
        .get_template("relations.xml")?
        .render(Serde(json!({ "links": links, "pictures": numbers })))?;
    let parts: [(&str, &str); 8] = [
        ("[Content_Types].xml", CONTENT_TYPES),
        ("_rels/.rels", PACKAGE),
        ("word/document.xml", &document),
        ("word/_rels/document.xml.rels", &relations),
        ("word/styles.xml", include_str!("../../templates/notice/styles.xml")),
        ("word/settings.xml", SETTINGS),
        ("word/footer-odd.xml", include_str!("../../templates/notice/footer-odd.xml")),
        ("word/footer-even.xml", include_str!("../../templates/notice/footer-even.xml")),
    ];
    let mut file = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let fail = |error: &dyn std::fmt::Display| ReportError::Table(error.to_string());
    for (name, part) in parts {
        file.start_file(name, SimpleFileOptions::default()).map_err(|error| fail(&error))?;
        file.write_all(part.as_bytes()).map_err(|error| fail(&error))?;
    }
    for picture in pictures {
        let name = format!("word/media/picture{}.jpg", picture.number);
        let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        file.start_file(name, stored).map_err(|error| fail(&error))?;
        file.write_all(&picture.bytes).map_err(|error| fail(&error))?;
    }
    Ok(file.finish().map_err(|error| fail(&error))?.into_inner())
}

fn annex(annex: &Annex, links: &mut Vec<String>, language: Language) -> Value {
    let shares: u32 = annex.columns.iter().map(|(_, share)| u32::from(*share)).sum();
    let widths: Vec<u32> =
        annex.columns.iter().map(|(_, share)| TEXT_WIDTH * u32::from(*share) / shares.max(1)).collect();
    let rows: Vec<Vec<Value>> = annex
        .rows
        .iter()
        .map(|row| {
            let cell = |(cell, width): (&super::Cell, &u32)| {
                let link = cell.link.as_ref().map(|link| {
                    links.push(in_xml(link));
                    format!("link{}", links.len() - 1)
                });
                let picture = cell.picture.as_ref().map(|picture| {
                    let width = width.saturating_sub(MARGINS) * EMU;
                    let [wide, high] = PICTURE;
                    json!({
                        "number": picture.number,
                        "name": format!("picture{}.jpg", picture.number),
                        "part": format!("picture{}", picture.number),
                        "width": width,
                        "height": u64::from(width) * u64::from(high) / u64::from(wide),
                    })
                });
                json!({
                    "text": in_xml(&cell.text),
                    "spans": [{ "text": in_xml(&cell.text), "bold": false, "link": link }],
                    "picture": picture,
                })
            };
            row.iter().zip(&widths).map(cell).collect()
        })
        .collect();
    json!({
        "mark": annexes::mark(annex.number, language),
        "title": annex.title,
        "columns": annex.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        "widths": widths,
        "rows": rows,
    })
}

/// A text without what XML 1.0 forbids.
fn in_xml(text: &str) -> String {
    text.chars().filter(|c| !matches!(*c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')).collect()
}
