//! Bodies: collected up to a limit, decompressed up to the same limit.

use std::io::Read;
use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use xunjian_model::{DOCUMENT_ENDINGS, LinkState};

use crate::large::{HeldPlace, LargeBodies};

/// Bytes kept of bodies that are not text: enough to tell what they are.
pub(crate) const FIRST_BYTES: usize = 1_024;
/// Content codings undone one after another; more is an attack.
const CODINGS_MAX: usize = 3;

/// Whether a body is text that is read, or something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// HTML, XML, plain text, JSON, or nothing said.
    Text,
    /// A document whose text may be read.
    Document,
    /// Pictures, archives and the like.
    Other,
}

impl MediaKind {
    /// By the head. What is offered as a file tells by its name, unless it is said to be text.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let content_type =
            headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_text = essence.starts_with("text/")
            || ["xml", "json", "javascript", "xhtml"].iter().any(|word| essence.contains(word))
                && !essence.contains("openxml");
        let documents = [
            "pdf", "msword", "ms-excel", "ms-powerpoint", "openxml", "wps-office", "ofd", "rtf", "/zip",
            "x-zip", "x-rar", "vnd.rar", "/rar",
        ];
        let named = headers.get("content-disposition").and_then(|value| ending(value.as_bytes()));
        match named {
            _ if is_text => Self::Text,
            Some(ending) if DOCUMENT_ENDINGS.contains(&ending.as_str()) => Self::Document,
            Some(_) => Self::Other,
            None if essence.is_empty() => Self::Text,
            None if documents.iter().any(|word| essence.contains(word)) => Self::Document,
            None => Self::Other,
        }
    }
}

/// The ending of the name in `Content-Disposition` (RFC 6266), in whatever charset that is; none where no file is
/// named, or a page.
fn ending(disposition: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(disposition).to_ascii_lowercase();
    let name = &text[text.find("filename")?..];
    let (_, rest) = name.rsplit_once('.')?;
    let ending: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    (!ending.is_empty() && !matches!(ending.as_str(), "html" | "htm" | "shtml")).then_some(ending)
}

/// Bytes made ready because a head announces them; more only when they come.
const BELIEVED_MAX: usize = 256 << 10;

/// A body, perhaps cut.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) bytes: Vec<u8>,
    pub(crate) truncated: bool,
    /// Its place among the large ones, if it is one.
    pub(crate) place: HeldPlace,
}

/// How long is waited for what comes.
pub(crate) struct Patience {
    /// For the next piece.
    pub(crate) idle: Duration,
    /// For a place among the large bodies.
    pub(crate) place: Duration,
    /// For all of it, waiting for a place not counted.
    pub(crate) end: Instant,
}

pub(crate) async fn collect(
    mut incoming: Incoming,
    headers: &HeaderMap,
    limit: usize,
    large: &LargeBodies,
    mut patience: Patience,
) -> Result<Collected, LinkState> {
    let mut place = None;
    let said = headers.get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
    let mut bytes = Vec::with_capacity(said.unwrap_or(0).min(limit).min(BELIEVED_MAX));
    let mut truncated = false;
    while bytes.len() < limit {
        if bytes.len() >= large.from && place.is_none() {
            let Some((held, waited)) = large.place(patience.place).await else {
                truncated = true;
                break;
            };
            patience.end += waited;
            place = Some(held);
        }
        let wait = patience.idle.min(patience.end.saturating_duration_since(Instant::now()));
        let frame = tokio::time::timeout(wait, incoming.frame()).await;
        let frame = match frame {
            Err(_) if bytes.is_empty() => return Err(LinkState::Timeout),
            // What came is kept: a slow end is not worth losing the page.
            Err(_) => {
                truncated = true;
                break;
            }
            Ok(None) => break,
            Ok(Some(Err(_))) if !bytes.is_empty() => {
                truncated = true;
                break;
            }
            Ok(Some(Err(error))) => return Err(LinkState::Broken(format!("body: {error}"))),
            Ok(Some(Ok(frame))) => frame,
        };
        if let Ok(data) = frame.into_data() {
            let room = limit - bytes.len();
            truncated |= data.len() > room;
            bytes.extend_from_slice(&data[..data.len().min(room)]);
        }
    }
    if bytes.len() >= limit && !truncated {
        use hyper::body::Body as _;
        truncated = !incoming.is_end_stream();
    }
    let codings = headers.get_all("content-encoding").iter().filter_map(|value| value.to_str().ok());
    let codings = named(codings)?;
    let sent = Collected { bytes, truncated, place: place.clone().unwrap_or_default() };
    if codings.is_empty() || place.is_some() || large.from >= limit {
        return undo_all(&codings, sent, limit);
    }
    // Whether it is a large one, only its unpacking shows.
    let packed = sent.bytes.clone();
    let small = undo_all(&codings, sent, large.from)?;
    if small.bytes.len() < large.from {
        return Ok(small);
    }
    let Some((place, _)) = large.place(patience.place).await else {
        return Ok(Collected { truncated: true, ..small });
    };
    undo_all(&codings, Collected { bytes: packed, truncated, place }, limit)
}

/// Undoes the content codings of a body that was kept as it came, up to a limit. What cannot be
/// undone is an error; a damaged end keeps what could be read and says so.
pub fn decode_body(codings: &[&str], body: Vec<u8>, limit: usize) -> Result<(Vec<u8>, bool), LinkState> {
    let codings = named(codings.iter().copied())?;
    let body = undo_all(&codings, Collected { bytes: body, ..Collected::default() }, limit)?;
    Ok((body.bytes, body.truncated))
}

/// The codings of a body, in the order in which they were made.
fn named<'c>(codings: impl Iterator<Item = &'c str>) -> Result<Vec<String>, LinkState> {
    let codings: Vec<String> = codings
        .flat_map(|value| value.split(','))
        .map(|coding| coding.trim().to_ascii_lowercase())
        .filter(|coding| !coding.is_empty() && coding != "identity")
        .collect();
    if codings.len() > CODINGS_MAX {
        return Err(LinkState::Broken(format!("{} content codings", codings.len())));
    }
    Ok(codings)
}

fn undo_all(codings: &[String], mut body: Collected, limit: usize) -> Result<Collected, LinkState> {
    for coding in codings.iter().rev() {
        body = undo(coding, body, limit)?;
    }
    Ok(body)
}

fn undo(coding: &str, body: Collected, limit: usize) -> Result<Collected, LinkState> {
    let packed = &body.bytes[..];
    if packed.is_empty() {
        return Ok(body);
    }
    let unpacked = match coding {
        "gzip" | "x-gzip" => read(flate2::read::MultiGzDecoder::new(packed), limit),
        "br" => read(brotli::Decompressor::new(packed, 4_096), limit),
        "zstd" => match zstd::stream::read::Decoder::new(packed) {
            Ok(decoder) => read(decoder, limit),
            Err(error) => Err((Vec::new(), error)),
        },
        // "deflate" should be zlib; some servers send it raw (RFC 9110 section 8.4.1.2).
        "deflate" => read(flate2::read::ZlibDecoder::new(packed), limit).or_else(|(got, error)| {
            if got.is_empty() {
                read(flate2::read::DeflateDecoder::new(packed), limit)
            } else {
                Err((got, error))
            }
        }),
        // An unknown coding is kept as it came.
        _ => return Ok(body),
    };
    match unpacked {
        Ok((bytes, cut)) => Ok(Collected { bytes, truncated: body.truncated || cut, ..body }),
        // A damaged end keeps what could be read.
        Err((bytes, _)) if !bytes.is_empty() => Ok(Collected { bytes, truncated: true, ..body }),
        Err((_, error)) => Err(LinkState::Broken(format!("{coding}: {error}"))),
    }
}

type Partial = (Vec<u8>, std::io::Error);

fn read(mut from: impl Read, limit: usize) -> Result<(Vec<u8>, bool), Partial> {
    let mut bytes = Vec::new();
    let mut piece = [0; 16 << 10];
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok((bytes, false)),
            Ok(count) if bytes.len() + count > limit => {
                bytes.extend_from_slice(&piece[..limit - bytes.len()]);
                return Ok((bytes, true));
            }
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            Err(error) => return Err((bytes, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_answers_by_their_heads() {
        for (content_type, disposition, kind) in [
            ("text/html; charset=gbk", "", MediaKind::Text),
            // Some frameworks name a file for every answer.
            ("text/html", "inline; filename=index.jsp", MediaKind::Text),
            ("application/json", "inline;filename=f.txt", MediaKind::Text),
            ("", "", MediaKind::Text),
            ("", "attachment; filename=\"\u{540d}.XLS\"", MediaKind::Document),
            (
                "application/octet-stream",
                "attachment; filename=a.docx; filename*=UTF-8''%E5.docx",
                MediaKind::Document,
            ),
            ("application/octet-stream", "attachment; filename=a.rar", MediaKind::Document),
            ("application/vnd.rar", "", MediaKind::Document),
            ("application/octet-stream", "attachment; filename=a.7z", MediaKind::Other),
            ("application/octet-stream", "", MediaKind::Other),
            ("application/vnd.ms-excel", "", MediaKind::Document),
            ("application/x-zip-compressed", "", MediaKind::Document),
            ("application/gzip", "", MediaKind::Other),
            (
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "",
                MediaKind::Document,
            ),
            ("application/xhtml+xml", "", MediaKind::Text),
            ("image/png", "", MediaKind::Other),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("content-type", content_type), ("content-disposition", disposition)] {
                if !value.is_empty() {
                    let value = hyper::header::HeaderValue::from_bytes(value.as_bytes()).expect("a value");
                    headers.insert(name, value);
                }
            }
            assert_eq!(MediaKind::of(&headers), kind, "{content_type} {disposition}");
        }
    }
}
