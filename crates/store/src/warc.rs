//! WARC 1.1 records (ISO 28500:2017): `response`, `revisit` and `conversion`, written and read
//! back.
//!
//! Bodies are kept decoded; the headers that described the coding are kept under an
//! `X-Crawler-` name, as public crawl archives do, so that every reader sees consistent records.

use std::fmt::Write as _;

use xunjian_model::{BodyHash, Hop, PageUrl, SiteId, Snapshot, Timings, View};

const CRLF: &str = "\r\n";
/// The site a page belongs to, so that the archive alone is enough to make an index.
pub(crate) const SITE: &str = "Xunjian-Site";
const CONVERSION: &str = "conversion";
/// Marks what a browser made of a page; its value is the length of the body in bytes.
/// A page as a search engine was shown it.
pub(crate) const SEEN_AS: &str = "Xunjian-Seen-As";
const RENDERED: &str = "Xunjian-Rendered";
const REVISIT_SAME: &str = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";
const REVISIT_NOT_MODIFIED: &str = "http://netpreserve.org/warc/1.1/revisit/server-not-modified";

/// Why a record has no body of its own (ISO 28500, 6.7).
pub(crate) fn profile(snapshot: &Snapshot) -> &'static str {
    if snapshot.status == 304 { REVISIT_NOT_MODIFIED } else { REVISIT_SAME }
}

/// The first record of a segment.
pub(crate) fn info() -> Vec<u8> {
    let fields = format!(
        "software: xunjian/{}\r\nformat: WARC File Format 1.1\r\nconformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n",
        env!("CARGO_PKG_VERSION")
    );
    let mut record = format!(
        "WARC/1.1\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: {}\r\nWARC-Date: 1970-01-01T00:00:00Z\r\nContent-Type: application/warc-fields\r\nContent-Length: {}\r\n\r\n{fields}",
        record_id(&["warcinfo", &fields]),
        fields.len()
    );
    record.push_str("\r\n\r\n");
    record.into_bytes()
}

/// A page with its body.
pub(crate) fn response(owner: Option<&SiteId>, snapshot: &Snapshot, body: &[u8]) -> Vec<u8> {
    // What a browser makes of a page is no response of its server (ISO 28500, 6.8).
    let kind = if snapshot.view == View::Rendered { CONVERSION } else { "response" };
    record(kind, owner, snapshot, Some(body), "")
}

/// A page whose body is kept already under another record.
pub(crate) fn revisit(owner: Option<&SiteId>, snapshot: &Snapshot) -> Vec<u8> {
    record("revisit", owner, snapshot, None, &format!("WARC-Profile: {}\r\n", profile(snapshot)))
}

fn record(
    kind: &str,
    owner: Option<&SiteId>,
    snapshot: &Snapshot,
    body: Option<&[u8]>,
    fields: &str,
) -> Vec<u8> {
    let (http, content_type) = match snapshot.view {
        View::Rendered => (String::new(), "text/html;charset=utf-8"),
        _ => (http_head(snapshot), "application/http;msgtype=response"),
    };
    let date = snapshot.fetched_at.to_string();
    let url = snapshot.url.as_str();
    let mut head = format!(
        "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: {}\r\nWARC-Date: {date}\r\nWARC-Target-URI: {url}\r\nWARC-Payload-Digest: blake3:{}\r\n{fields}",
        record_id(&[kind, url, &date]),
        snapshot.body_hash.to_hex(),
    );
    if let Some(site) = owner {
        let _ = write!(head, "{SITE}: {site}{CRLF}");
    }
    for hop in &snapshot.hops {
        let _ = write!(head, "Xunjian-Redirect: {} {}{CRLF}", hop.status, hop.url);
    }
    if let Some(last) = &snapshot.final_url {
        let _ = write!(head, "Xunjian-Final-URI: {last}{CRLF}");
    }
    if snapshot.truncated {
        head.push_str("WARC-Truncated: length\r\n");
    }
    if snapshot.view == View::SearchEngine {
        let _ = write!(head, "{SEEN_AS}: search-engine{CRLF}");
    }
    if snapshot.view == View::Rendered {
        let _ = write!(head, "{RENDERED}: {}{CRLF}", snapshot.body_bytes);
    }
    let content = http.len() + body.map_or(0, <[u8]>::len);
    let _ = write!(head, "Content-Type: {content_type}\r\nContent-Length: {content}\r\n\r\n");
    let mut bytes = Vec::with_capacity(head.len() + content + 4);
    bytes.extend_from_slice(head.as_bytes());
    bytes.extend_from_slice(http.as_bytes());
    bytes.extend_from_slice(body.unwrap_or_default());
    bytes.extend_from_slice(b"\r\n\r\n");
    bytes
}

fn http_head(snapshot: &Snapshot) -> String {
    let mut http = format!("HTTP/1.1 {} -{CRLF}", snapshot.status);
    for (name, value) in &snapshot.headers {
        let described_coding =
            matches!(name.as_str(), "content-encoding" | "transfer-encoding" | "content-length");
        let _ = write!(
            http,
            "{}{name}: {}{CRLF}",
            if described_coding { "X-Crawler-" } else { "" },
            one_line(value)
        );
    }
    let _ = write!(http, "Content-Length: {}{CRLF}{CRLF}", snapshot.body_bytes);
    http
}

/// A header value cannot break the record it stands in.
fn one_line(value: &str) -> String {
    value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The same record always has the same id, so that writing it twice changes nothing.
pub(crate) fn record_id(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    let hex = hasher.finalize().to_hex();
    // RFC 9562: version 8 (custom), variant 10.
    format!("<urn:uuid:{}-{}-8{}-a{}-{}>", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// The HTTP headers in a record, as they came.
pub(crate) fn headers(record: &[u8]) -> Vec<(String, String)> {
    // Our own length of the decoded body is capitalised; headers of the exchange are not.
    http_lines(record)
        .filter(|(name, _)| name != "Content-Length")
        .map(|(name, value)| (name.trim_start_matches("X-Crawler-").to_owned(), value))
        .collect()
}

fn http_lines(record: &[u8]) -> impl Iterator<Item = (String, String)> {
    let text = if is_rendered(record) { "".into() } else { String::from_utf8_lossy(record) };
    let http = text.split_once("\r\n\r\n").map_or("", |(_, rest)| rest);
    let head = http.split_once("\r\n\r\n").map_or(http, |(head, _)| head);
    let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(": "));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>().into_iter()
}

/// What a `response` or `revisit` record says of itself.
pub(crate) struct Described {
    pub(crate) site: Option<SiteId>,
    pub(crate) snapshot: Snapshot,
    /// A `response`.
    pub(crate) has_body: bool,
    /// HTTP headers as they are written to archives.
    pub(crate) http: Vec<(String, String)>,
}

/// Reads a record's description; `None` for other kinds of records.
pub(crate) fn described(record: &[u8]) -> Option<Described> {
    let head_end = record.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&record[..head_end]).ok()?;
    let lines: Vec<(&str, &str)> = head.split("\r\n").filter_map(|line| line.split_once(": ")).collect();
    let field = |name: &str| lines.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let has_body = match field("WARC-Type")? {
        "response" | CONVERSION => true,
        "revisit" => false,
        _ => return None,
    };
    let http: Vec<(String, String)> = http_lines(record).collect();
    let http_field = |name: &str| http.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let rendered = field(RENDERED);
    let status = match rendered {
        Some(_) => 200,
        None => std::str::from_utf8(record.get(head_end + 13..head_end + 16)?).ok()?.parse().ok()?,
    };
    let hops = lines.iter().filter(|(name, _)| *name == "Xunjian-Redirect").filter_map(|(_, value)| {
        let (status, url) = value.split_once(' ')?;
        Some(Hop { status: status.parse().ok()?, url: PageUrl::parse(url).ok()? })
    });
    let snapshot = Snapshot {
        url: PageUrl::parse(field("WARC-Target-URI")?).ok()?,
        fetched_at: field("WARC-Date")?.parse().ok()?,
        status,
        hops: hops.collect(),
        final_url: field("Xunjian-Final-URI").and_then(|url| PageUrl::parse(url).ok()),
        headers: headers(record),
        timings: Timings::default(),
        tls: None,
        body_hash: BodyHash::from_hex(field("WARC-Payload-Digest")?.strip_prefix("blake3:")?)?,
        body_bytes: rendered.or_else(|| http_field("Content-Length"))?.parse().ok()?,
        truncated: field("WARC-Truncated").is_some(),
        view: match (rendered, field(SEEN_AS)) {
            (Some(_), _) => View::Rendered,
            (None, Some(_)) => View::SearchEngine,
            (None, None) => View::Sent,
        },
    };
    let site = field(SITE).and_then(|site| SiteId::new(site).ok());
    Some(Described { site, snapshot, has_body, http })
}

fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn is_rendered(record: &[u8]) -> bool {
    let head = &record[..head_end(record).unwrap_or(0)];
    head.windows(RENDERED.len()).any(|part| part == RENDERED.as_bytes())
}

/// The body in a `response` or `conversion` record.
pub(crate) fn payload(record: &[u8]) -> Vec<u8> {
    let Some(http) = head_end(record) else { return Vec::new() };
    let body = if is_rendered(record) { Some(0) } else { head_end(&record[http..]) };
    let Some(body) = body else { return Vec::new() };
    let end = record.len().saturating_sub(4).max(http + body);
    record[http + body..end].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn a_body_comes_back_as_it_went_in() {
        let body = b"<html>\r\n\r\nx\r\n\r\n";
        let snapshot = Snapshot {
            url: PageUrl::parse("http://a.gov.cn/").expect("url"),
            fetched_at: Timestamp::UNIX_EPOCH,
            status: 200,
            hops: Vec::new(),
            final_url: None,
            headers: vec![("content-encoding".into(), "gzip".into()), ("x".into(), "a\r\nb".into())],
            timings: Timings::default(),
            tls: None,
            body_hash: BodyHash::of(body),
            body_bytes: body.len() as u64,
            truncated: false,
            view: View::Sent,
        };
        let record = response(None, &snapshot, body);
        assert_eq!(payload(&record), body);
        let kept = [("content-encoding".to_owned(), "gzip".to_owned()), ("x".to_owned(), "a  b".to_owned())];
        assert_eq!(headers(&record), kept);
        let text = String::from_utf8_lossy(&record);
        assert!(text.contains("X-Crawler-content-encoding: gzip"));
        assert!(text.contains("x: a  b\r\n"));
        assert!(!String::from_utf8_lossy(&revisit(None, &snapshot)).contains("<html>"));
    }
}
