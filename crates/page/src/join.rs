//! A page's links against its address.

use encoding_rs::{Encoding, UTF_8};
use memchr::memchr;
use xunjian_model::{PageUrl, UrlError};

/// Bytes of a link that is joined without the URL parser.
const SIMPLE_MAX: usize = 1_024;
/// Bytes of a part of a host's name (RFC 1035, section 2.3.4).
const LABEL_MAX: usize = 63;

/// Joins links to one base.
pub(crate) struct Joiner {
    base: PageUrl,
    /// Charset that queries are written in.
    charset: &'static Encoding,
    /// Scheme, host and port.
    origin: String,
    /// The base up to its last `/`.
    folder: String,
}

impl Joiner {
    /// For links of a page in some charset.
    pub(crate) fn new(base: PageUrl, charset: &'static Encoding) -> Self {
        let text = base.as_str();
        let path = text.len() - base.path_and_query().len();
        let end = path + base.path().rfind('/').map_or(0, |at| at + 1);
        let (origin, folder) = (text[..path].to_owned(), text[..end].to_owned());
        // UTF-16 writes them in UTF-8 (Encoding standard, "output encoding").
        Self { base, charset: charset.output_encoding(), origin, folder }
    }

    /// The base.
    pub(crate) fn url(&self) -> &PageUrl {
        &self.base
    }

    /// The absolute canonical address of a link, if it is one.
    pub(crate) fn join(&self, link: &str) -> Option<String> {
        self.try_join(link.trim()).ok()
    }

    /// The same of a trimmed link, with why it is none.
    pub(crate) fn try_join(&self, link: &str) -> Result<String, UrlError> {
        self.simple(link).map_or_else(|| self.whole(link).map(String::from), Ok)
    }

    /// The same for an address to go on from.
    pub(crate) fn whole(&self, link: &str) -> Result<PageUrl, UrlError> {
        let is_encoded = self.charset != UTF_8
            && memchr(b'?', link.as_bytes()).is_some_and(|query| !link.as_bytes()[query..].is_ascii());
        match is_encoded {
            true => self.base.join_encoded(link, &|query| self.charset.encode(query).0),
            false => self.base.join(link),
        }
    }

    /// The same for most links of most pages, without the URL parser: nothing in them is encoded,
    /// folded or resolved. `None`: the parser has to look.
    fn simple(&self, link: &str) -> Option<String> {
        // A place in a page is no part of its address.
        let link = &link[..memchr(b'#', link.as_bytes()).unwrap_or(link.len())];
        if link.is_empty() || link.len() > SIMPLE_MAX {
            return None;
        }
        let (start, path) = match link.strip_prefix(self.origin.as_str()) {
            Some(rest) if rest.starts_with('/') => (self.origin.as_str(), rest),
            _ if link.starts_with("http") => link.split_at(origin_bytes(link)?),
            _ => match link.strip_prefix('/') {
                Some(rest) if rest.starts_with(['/', '\\']) => return None,
                Some(_) => (self.origin.as_str(), link),
                None => (self.folder.as_str(), link),
            },
        };
        if !is_plain(path) {
            return None;
        }
        let mut url = String::with_capacity(start.len() + path.len());
        url.push_str(start);
        url.push_str(path);
        Some(url)
    }
}

/// Whether a path and query stay as they are.
fn is_plain(path: &str) -> bool {
    // In front of the first `/` a colon would end a scheme.
    let mut allowed = if path.starts_with('/') { ANYWHERE | ROOTED } else { ANYWHERE };
    let mut before = b'/';
    for (at, byte) in path.bytes().enumerate() {
        if STAYS[usize::from(byte)] & allowed == 0 {
            match byte {
                // What is encoded stays so, but for the dots of a folder.
                b'%' if !path.as_bytes()[at..]
                    .get(1..3)
                    .is_some_and(|code| code.eq_ignore_ascii_case(b"2e")) => {}
                // A dot at the beginning of a segment may mean a folder.
                b'.' if before != b'/' => {}
                b'?' if allowed & QUERY == 0 => allowed = ANYWHERE | QUERY,
                _ => return false,
            }
        }
        before = byte;
    }
    // An empty query is dropped; `?` alone would stand for the base itself.
    before != b'?' && !path.starts_with('?')
}

const ANYWHERE: u8 = 1;
const ROOTED: u8 = 2;
const QUERY: u8 = 4;

/// Where a byte stays as it is.
const STAYS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte as usize] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'/' | b',' | b'=' | b'+' | b'~' => {
                ANYWHERE
            }
            b'&' | b':' | b'@' | b';' | b'!' | b'*' | b'(' | b')' => ROOTED | QUERY,
            b'%' | b'.' => QUERY,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// Bytes of scheme and host in front of a path, when both are as the parser would leave them: no user, no
/// port, no address in numbers, no name that is encoded.
fn origin_bytes(link: &str) -> Option<usize> {
    let scheme = if link.starts_with("https://") { "https://" } else { "http://" };
    let rest = link.strip_prefix(scheme)?.as_bytes();
    let (mut label, mut before) = (0, b'.');
    for (at, &byte) in rest.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => {}
            // `xn--` and its like are looked at by the parser.
            b'-' if before != b'-' => {}
            b'.' | b'/' if (1..=LABEL_MAX).contains(&(at - label)) => {
                if byte == b'/' {
                    return rest[label].is_ascii_lowercase().then_some(scheme.len() + at);
                }
                label = at + 1;
            }
            _ => return None,
        }
        before = byte;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_written_in_the_charset_of_the_page() {
        let base = PageUrl::parse("http://a.gov.cn/x/").expect("base");
        let join = |charset, link: &str| Joiner::new(base.clone(), charset).join(link).expect("joined");
        let (plain, link) = ("http://a.gov.cn/x/list.asp?c=", "list.asp?c=通知#通");
        assert_eq!(join(encoding_rs::GBK, link), format!("{plain}%CD%A8%D6%AA"));
        assert_eq!(join(encoding_rs::GB18030, link), format!("{plain}%CD%A8%D6%AA"));
        assert_eq!(join(UTF_8, link), format!("{plain}%E9%80%9A%E7%9F%A5"));
        assert_eq!(join(encoding_rs::UTF_16LE, link), format!("{plain}%E9%80%9A%E7%9F%A5"));
        // A path is always UTF-8, and what is encoded stays.
        assert_eq!(join(encoding_rs::GBK, "通.html?c=1"), "http://a.gov.cn/x/%E9%80%9A.html?c=1");
        assert_eq!(join(encoding_rs::GBK, "a?c=%E9%80%9A"), "http://a.gov.cn/x/a?c=%E9%80%9A");
    }

    proptest::proptest! {
        #[test]
        fn what_is_joined_without_the_parser_is_what_it_says(
            base in proptest::sample::select(vec![
                "http://a.gov.cn/", "https://www.a.gov.cn:8443/x/y.html?z=1", "http://a.cn/x/y/", "http://1.2.3.4/a",
            ]),
            link in "(http://a\\.gov\\.cn|https://www\\.a\\.gov\\.cn:8443|https?://([a-z0-9-]{0,5}\\.){0,2}(xn--|[a-z0-9A-Z@:-]){0,6}/|/|//|\\.\\./|\\./|\\?)?([a-zA-Z0-9_./?=&%:#;,+@!*()'$ \\\\~-]|通){0,12}",
        ) {
            let joiner = Joiner::new(PageUrl::parse(base).expect("base"), UTF_8);
            if let Some(simple) = joiner.simple(link.trim()) {
                proptest::prop_assert_eq!(Some(simple), joiner.base.join(&link).ok().map(String::from));
            }
        }
    }
}
