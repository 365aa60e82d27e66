//! Canonical URLs and host names.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// The longest URL that is followed, in bytes; longer ones are traps or mistakes.
const URL_BYTES_MAX: usize = 2_048;

/// Endings of documents whose text is read.
pub const DOCUMENT_ENDINGS: [&str; 16] = [
    "pdf", "docx", "xlsx", "pptx", "ofd", "txt", "csv", "doc", "xls", "ppt", "wps", "et", "dps", "rtf",
    "zip", "rar",
];

/// A canonical page address: WHATWG-parsed, http or https, without fragment and credentials.
///
/// Two equal addresses are one page to the crawl; the fragment never reaches a server
/// (RFC 9110 section 4.2.4) and credentials in links are dropped.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PageUrl(Url);

/// Why a text is not a page address.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum UrlError {
    /// The WHATWG parser refused it.
    #[error("{text:?} is not a URL: {reason}")]
    Syntax {
        /// The refused text, shortened.
        text: String,
        /// The parser's reason.
        reason: String,
    },
    /// `mailto:`, `javascript:` and the like.
    #[error("{0:?} is not http or https")]
    Scheme(String),
    /// A URL without a host.
    #[error("{0:?} has no host")]
    Host(String),
    /// Longer than 2,048 bytes.
    #[error("URL of {0} bytes is longer than {URL_BYTES_MAX}")]
    Length(usize),
}

impl PageUrl {
    /// Parses an absolute address.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Self::canonical(Url::parse(text.trim()).map_err(|reason| syntax(text, &reason))?)
    }

    /// Resolves a link's text against this address, as a browser does.
    pub fn join(&self, link: &str) -> Result<Self, UrlError> {
        Self::canonical(self.0.join(link.trim()).map_err(|reason| syntax(link, &reason))?)
    }

    /// The same for a link in a page of another charset than UTF-8: what its query has beyond ASCII is written in
    /// that charset (URL standard, section 4.4, "encoding").
    pub fn join_encoded(&self, link: &str, encode: &dyn Fn(&str) -> Cow<'_, [u8]>) -> Result<Self, UrlError> {
        let options = Url::options().base_url(Some(&self.0)).encoding_override(Some(encode));
        Self::canonical(options.parse(link.trim()).map_err(|reason| syntax(link, &reason))?)
    }

    fn canonical(mut url: Url) -> Result<Self, UrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::Scheme(shorten(url.as_str())));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(UrlError::Host(shorten(url.as_str())));
        }
        url.set_fragment(None);
        // Both setters fail only for URLs without a host, which was excluded above.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        if url.query() == Some("") {
            url.set_query(None);
        }
        match url.as_str().len() {
            bytes if bytes > URL_BYTES_MAX => Err(UrlError::Length(bytes)),
            _ => Ok(Self(url)),
        }
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The parsed address.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// Lower-case host name or address, without port.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Port, explicit or the scheme's own.
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(80)
    }

    /// Whether the address is https.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The politeness key: scheme, host and port.
    pub fn host_key(&self) -> Host {
        // What stands before the path is the origin, as credentials and default ports are gone.
        Host(self.0[..url::Position::BeforePath].to_owned())
    }

    /// Path, always beginning with `/`.
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// Path and query, as robots.txt matches them.
    pub fn path_and_query(&self) -> &str {
        &self.0[url::Position::BeforePath..]
    }

    /// The last path segment's ending after its last dot, lower-case, if it has one.
    pub fn extension(&self) -> Option<String> {
        let name = self.path().rsplit('/').next()?;
        let (stem, ending) = name.rsplit_once('.')?;
        (!stem.is_empty() && ending.len() <= 8 && ending.chars().all(|c| c.is_ascii_alphanumeric()))
            .then(|| ending.to_ascii_lowercase())
    }
}

/// Redirects and pages that only lead on, one after another, that are followed.
const STEPS_MAX: usize = 5;

/// The way of who goes from page to page as `next` says, the first page included; where that goes in a circle, it ends
/// with the last new page.
pub fn way<E>(
    from: PageUrl,
    mut next: impl FnMut(&PageUrl) -> Result<Option<PageUrl>, E>,
) -> Result<Vec<PageUrl>, E> {
    let mut way = vec![from];
    while way.len() <= STEPS_MAX {
        match next(&way[way.len() - 1])?.filter(|to| !way.contains(to)) {
            Some(to) => way.push(to),
            None => break,
        }
    }
    Ok(way)
}

fn syntax(text: &str, reason: &url::ParseError) -> UrlError {
    UrlError::Syntax { text: shorten(text), reason: reason.to_string() }
}

fn shorten(text: &str) -> String {
    text.chars().take(120).collect()
}

impl fmt::Display for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageUrl({})", self.as_str())
    }
}

impl TryFrom<String> for PageUrl {
    type Error = UrlError;
    fn try_from(text: String) -> Result<Self, UrlError> {
        Self::parse(&text)
    }
}

impl From<PageUrl> for String {
    fn from(url: PageUrl) -> String {
        url.0.into()
    }
}

/// What politeness is kept towards: an origin such as `http://www.a.gov.cn:8080`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Host(String);

impl Host {
    /// The origin as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Rebuilds a key that was kept as text by [`Host::as_str`].
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_canonical() {
        let table = [
            ("HTTP://WWW.A.GOV.CN:80", "http://www.a.gov.cn/"),
            ("http://a.gov.cn/x/../y?#top", "http://a.gov.cn/y"),
            ("http://user:pw@a.gov.cn/", "http://a.gov.cn/"),
            ("http://市政府.cn/公告", "http://xn--kpru31d6pe4n2a.cn/%E5%85%AC%E5%91%8A"),
            ("https://a.gov.cn:443/b", "https://a.gov.cn/b"),
        ];
        for (text, canonical) in table {
            let parsed = PageUrl::parse(text).expect(text);
            assert_eq!(PageUrl::parse(parsed.as_str()).expect("parses again"), parsed);
            if text.is_ascii() {
                assert_eq!(parsed.as_str(), canonical, "{text}");
            } else {
                assert!(parsed.as_str().is_ascii(), "{parsed}");
            }
        }
    }

    #[test]
    fn other_schemes_and_monsters_are_refused() {
        assert!(matches!(PageUrl::parse("mailto:a@b.cn"), Err(UrlError::Scheme(_))));
        assert!(matches!(PageUrl::parse("no scheme"), Err(UrlError::Syntax { .. })));
        let long = format!("http://a.cn/{}", "x".repeat(3_000));
        assert!(matches!(PageUrl::parse(&long), Err(UrlError::Length(_))));
    }

    #[test]
    fn links_resolve_like_in_a_browser() {
        let base = PageUrl::parse("http://a.gov.cn/b/c.html").expect("base");
        let table = [
            ("d.html", "http://a.gov.cn/b/d.html"),
            ("/d", "http://a.gov.cn/d"),
            ("//x.cn/e", "http://x.cn/e"),
            ("?p=2", "http://a.gov.cn/b/c.html?p=2"),
            (" ../f \n", "http://a.gov.cn/f"),
        ];
        for (link, whole) in table {
            assert_eq!(base.join(link).expect(link).as_str(), whole);
        }
        assert_eq!(base.extension().as_deref(), Some("html"));
    }

    /// The cases of the web platform tests, which are no part of this repository: they lie beside the
    /// source of the `url` crate, where `tests/run.sh` looks for them.
    #[test]
    #[ignore = "needs the cases that tests/run.sh finds"]
    fn the_public_cases_of_addresses() {
        let file = std::env::var("URL_CASES").expect("URL_CASES names the file of the cases");
        let cases: serde_json::Value =
            serde_json::from_slice(&std::fs::read(file).expect("readable")).expect("JSON");
        let mut tried = 0;
        for case in cases.as_array().expect("an array") {
            let Some(input) = case["input"].as_str() else { continue };
            let parsed = match case["base"].as_str() {
                Some(base) => PageUrl::parse(base).and_then(|base| base.join(input)),
                None => PageUrl::parse(input),
            };
            let web = |href: &str| href.starts_with("http://") || href.starts_with("https://");
            match case["href"].as_str().filter(|_| case["failure"] != true) {
                Some(href) if web(href) && case["base"].as_str().is_none_or(web) => {
                    tried += 1;
                    let wanted = PageUrl::parse(href).expect(href);
                    assert_eq!(parsed.as_ref(), Ok(&wanted), "{input:?}");
                    let plain = case["hash"] == ""
                        && case["username"] == ""
                        && case["password"] == ""
                        && case["search"] != "?";
                    if plain && !href.ends_with(['?', '#']) {
                        assert_eq!(wanted.as_str(), href, "{input:?}");
                    }
                }
                // Addresses of other kinds are none of a page.
                _ => assert!(parsed.is_err() || case["base"].is_string(), "{input:?}: {parsed:?}"),
            }
        }
        assert!(tried > 200, "{tried}");
    }
}
