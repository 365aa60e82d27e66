//! Cookies of one site, kept for one run, for sites that do not open without them.

use std::sync::{Mutex, PoisonError};

use cookie_store::{CookieStore, RawCookie};
use hyper::header::HeaderMap;
use url::Url;

/// Cookies kept of a site; a flood of them is not.
const COOKIES_MAX: usize = 50;
/// Bytes of one cookie (RFC 6265 section 6.1).
const COOKIE_BYTES_MAX: usize = 4_096;

/// The cookies of one site.
#[derive(Debug, Default)]
pub struct CookieJar(Mutex<CookieStore>);

impl CookieJar {
    /// Takes what an answer sets.
    pub(crate) fn take(&self, headers: &HeaderMap, url: &Url) {
        let mut store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for value in headers.get_all("set-cookie").iter().take(COOKIES_MAX) {
            let Some(text) = value.to_str().ok().filter(|text| text.len() <= COOKIE_BYTES_MAX) else {
                continue;
            };
            if store.iter_any().count() >= COOKIES_MAX {
                return;
            }
            if let Ok(cookie) = RawCookie::parse(text.to_owned()) {
                // A cookie for another domain is refused, as RFC 6265 section 5.3 has it.
                let _ = store.insert_raw(&cookie, url);
            }
        }
    }

    /// The `Cookie` header for an address.
    pub(crate) fn header(&self, url: &Url) -> Option<String> {
        let store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs: Vec<String> =
            store.get_request_values(url).map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_go_back_to_their_host_alone_and_a_flood_is_not_kept() {
        let url: Url = "http://www.a.gov.cn/x".parse().expect("url");
        let other: Url = "http://www.b.gov.cn/x".parse().expect("url");
        let jar = CookieJar::default();
        let mut headers = HeaderMap::new();
        headers.append("set-cookie", "sid=1; Path=/".parse().expect("value"));
        headers.append("set-cookie", "evil=1; Domain=b.gov.cn".parse().expect("value"));
        headers.append("set-cookie", format!("big={}", "x".repeat(5_000)).parse().expect("value"));
        jar.take(&headers, &url);
        assert_eq!(jar.header(&url).as_deref(), Some("sid=1"));
        assert_eq!(jar.header(&other), None);
        let mut flood = HeaderMap::new();
        for at in 0..1_000 {
            flood.append("set-cookie", format!("c{at}=1; Path=/").parse().expect("value"));
        }
        jar.take(&flood, &url);
        assert_eq!(jar.header(&url).expect("cookies").split("; ").count(), COOKIES_MAX);
    }
}
