//! Bytes to facts: charset, text, links, labels, dates and list rows of one page.
//!
//! Pure: no clock, no network. Extraction never fails; what was wrong with the bytes or the
//! markup stands in [`Facts::problems`]. Markup is read by the WHATWG tokenization, without a
//! tree: one pass over the bytes, memory bounded by the limits below.

mod addresses;
mod archived;
mod attribute;
mod builder;
mod charset;
mod date;
mod date_line;
mod directory;
mod diversion;
mod document;
mod element;
mod forms;
mod handlers;
mod hidden;
mod join;
mod kind;
mod links;
mod list_data;
mod markup;
mod names;
mod neighbour;
mod ole;
mod onward;
mod panels;
mod prescan;
mod published;
mod rar;
mod references;
mod rtf;
mod script;
mod script_list;
mod sheet;
mod source;
mod title;
mod white_space;
mod written;
mod zipped;
mod zone;

use std::panic::{AssertUnwindSafe, catch_unwind};

use xunjian_model::{Facts, PageUrl};

pub use charset::{Decoded, decode};
pub use date::{date_in_text, dates_in_url};
pub use directory::is_directory;
pub use document::{document, fits_name, holds_document, is_document, named_document, sniff};
pub use kind::is_shell;
pub use links::is_attachment;
pub use published::page_date;
pub use source::{TextPart, Written, source_of, written};

/// Raised whenever the same bytes would give other facts.
pub const EXTRACTOR_VERSION: u16 = 20;

/// Limits of one page; what is beyond is left out and said in `problems`.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Elements open at once; deeper ones are flattened.
    pub depth_max: usize,
    /// Links.
    pub links_max: usize,
    /// Text blocks.
    pub blocks_max: usize,
    /// Bytes of text in all blocks.
    pub text_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth_max: 512, links_max: 20_000, blocks_max: 20_000, text_bytes_max: 8 << 20 }
    }
}

/// Extracts the facts of a page.
///
/// `content_type` is the HTTP header's value; `base` the address the body came from.
pub fn extract(body: &[u8], content_type: Option<&str>, base: &PageUrl, limits: Limits) -> Facts {
    let read = || {
        let decoded = decode(body, content_type);
        let mut facts = builder::build(&decoded.text, decoded.encoding, base, limits);
        facts.charset = decoded.charset;
        facts.problems.extend(decoded.problems);
        facts
    };
    guarded(read).unwrap_or_else(Facts::unread)
}

/// What reads foreign bytes may have a fault of its own: nothing is known of these then, and all others are read.
pub fn guarded<T>(read: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}

/// Extracts the facts of a kept body, which may be a page or a document.
pub fn extract_any(body: &[u8], content_type: Option<&str>, url: &PageUrl, limits: Limits) -> Facts {
    if holds_document(body, content_type, url) {
        return document(body, url, false, limits);
    }
    extract(body, content_type, url, limits)
}

/// Whether a body is a page, or a list that a program hands out as data for a script of a page to show.
pub fn is_page(content_type: Option<&str>, body: &[u8]) -> bool {
    is_html(content_type, body) || list_data::read(&decode(body, content_type).text).is_some()
}

/// Whether a media type is one this crate reads.
pub fn is_html(content_type: Option<&str>, body: &[u8]) -> bool {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        // Programs that hand documents out often call them pages.
        "text/html" | "application/xhtml+xml" => !document::begins_document(body),
        "" => {
            let head = &body[..body.len().min(512)];
            let head = String::from_utf8_lossy(head).to_ascii_lowercase();
            head.contains("<html") || head.contains("<!doctype html") || head.contains("<body")
        }
        _ => false,
    }
}
