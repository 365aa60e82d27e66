//! Zip files: DOCX, XLSX, PPTX and OFD, which are XML in them, and archives of documents.

use std::cell::Cell;
use std::io::{Cursor, Read};

use quick_xml::Reader;
use quick_xml::events::Event;
use zip::ZipArchive;

use crate::archived::{Documents, PARTS_MAX, ReadDocument, too_large};
use crate::decode;

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

/// The text of an Office file, or of the documents in an archive, which `read` is given with their endings and how
/// many bytes they may unpack to.
pub(crate) fn text(body: &[u8], left: &Cell<usize>, read: &ReadDocument<'_>) -> Result<Vec<String>, String> {
    let unpacked_max = left.get();
    let mut archive = ZipArchive::new(Cursor::new(body)).map_err(|error| error.to_string())?;
    let mut parts: Vec<(String, usize)> = Vec::new();
    for (at, name) in archive.file_names_raw().enumerate().take(PARTS_MAX) {
        // Windows in Chinese names them in GBK.
        parts.push((decode(name, None).text.into_owned(), at));
    }
    parts.sort();
    let is_office = parts.iter().any(|(name, _)| format_of(name).is_some());
    let mut lines = Vec::new();
    let mut documents = Documents::new(left, read);
    for (name, at) in parts {
        let format = format_of(&name);
        if format.is_none() && (is_office || documents.is_full() || !Documents::is_one(&name)) {
            continue;
        }
        let Ok(part) = archive.by_index(at) else { continue };
        let mut bytes = Vec::new();
        // A damaged part gives what could be read of it.
        let _ = part.take(left.get() as u64).read_to_end(&mut bytes);
        if let Some((_, paragraph, texts)) = format {
            left.set(left.get() - bytes.len());
            xml_text(&bytes, paragraph, texts, &mut lines);
        } else {
            documents.add(name, &bytes);
        }
        if left.get() == 0 {
            return Err(too_large(unpacked_max));
        }
    }
    lines.extend(documents.lines()?);
    Ok(lines)
}

fn format_of(name: &str) -> Option<&'static (&'static str, &'static str, &'static [&'static str])> {
    FORMATS.iter().find(|(start, ..)| name.starts_with(start) && name.ends_with(".xml"))
}

/// The text of each paragraph.
pub(crate) fn xml_text(xml: &[u8], paragraph: &str, texts: &[&str], lines: &mut Vec<String>) {
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
