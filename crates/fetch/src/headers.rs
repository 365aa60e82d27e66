//! Request headers for hosts of ours, by which their firewall knows the inspection.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

/// Headers the client itself decides on.
const OURS: [&str; 17] = [
    "accept", "accept-encoding", "accept-language", "connection", "content-length", "content-type", "cookie",
    "host", "if-modified-since", "if-none-match", "proxy-authorization", "range", "referer", "te",
    "transfer-encoding", "upgrade", "user-agent",
];

/// Headers for hosts, and for all hosts below a name (`*.a.gov.cn`). No other host ever sees them, wherever a
/// redirect leads, and they are never shown.
#[derive(Clone, Debug, Default)]
pub struct HostHeaders(Vec<(String, HeaderMap)>);

/// Why a header cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Not a name of a header (RFC 9110 section 5.1).
    #[error("is no name of a header")]
    Name,
    /// One the client decides on.
    #[error("is set by xunjian itself")]
    Ours,
    /// Not a value: control characters, or characters beyond ASCII.
    #[error("has a value that no header may have")]
    Value,
}

impl HostHeaders {
    /// Adds one.
    pub fn add(&mut self, host: &str, name: &str, value: &str) -> Result<(), HeaderError> {
        let name: HeaderName = name.parse().map_err(|_| HeaderError::Name)?;
        if OURS.contains(&name.as_str()) {
            return Err(HeaderError::Ours);
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| HeaderError::Value)?;
        value.set_sensitive(true);
        let host = host.to_ascii_lowercase();
        match self.0.iter_mut().find(|(own, _)| *own == host) {
            Some((_, headers)) => drop(headers.insert(name, value)),
            None => self.0.push((host, HeaderMap::from_iter([(name, value)]))),
        }
        Ok(())
    }

    /// Those a host is sent.
    pub(crate) fn of(&self, host: &str) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.0.iter().filter(move |(own, _)| covers(own, host)).flat_map(|(_, headers)| headers)
    }

    /// Whether a host is sent any.
    pub(crate) fn are_for(&self, host: &str) -> bool {
        self.of(host).next().is_some()
    }
}

fn covers(own: &str, host: &str) -> bool {
    match own.strip_prefix("*.") {
        Some(name) => host == name || host.strip_suffix(name).is_some_and(|left| left.ends_with('.')),
        None => host == own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_go_to_their_hosts_alone() {
        let mut headers = HostHeaders::default();
        headers.add("www.a.gov.cn", "X-Inspection", "s3cret").expect("added");
        headers.add("*.B.gov.cn", "X-Inspection", "other").expect("added");
        let of = |host: &str| {
            let values: Vec<&[u8]> = headers.of(host).map(|(_, value)| value.as_bytes()).collect();
            values.first().map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
        };
        assert_eq!(of("www.a.gov.cn"), "s3cret");
        assert_eq!(of("b.gov.cn"), "other");
        assert_eq!(of("www.b.gov.cn"), "other");
        for host in ["a.gov.cn", "x.www.a.gov.cn", "ab.gov.cn", "b.gov.cn.evil.cn"] {
            assert_eq!(of(host), "", "{host}");
        }
        assert!(!format!("{headers:?}").contains("s3cret"));
        assert_eq!(headers.add("a", "Host", "b"), Err(HeaderError::Ours));
        assert_eq!(headers.add("a", "X Y", "b"), Err(HeaderError::Name));
        assert_eq!(headers.add("a", "X-Y", "b\nc"), Err(HeaderError::Value));
    }
}
