//! robots.txt by RFC 9309.

use std::time::Duration;

/// Bytes that are read (RFC 9309 section 2.5).
pub(crate) const ROBOTS_BYTES_MAX: usize = 500 << 10;

/// The rules for one agent.
#[derive(Clone, Debug, Default)]
pub struct Robots {
    rules: Vec<(bool, String)>,
    crawl_delay: Option<Duration>,
    sitemaps: Vec<String>,
    deny_all: bool,
}

/// Bytes of a line that are read; Google's parser has this limit, too (8 times the longest URL of old browsers).
const LINE_BYTES_MAX: usize = 2_083 * 8 - 1;

impl Robots {
    /// No rules: everything may be asked (4xx, RFC 9309 section 2.3.1.3).
    pub fn allow_all() -> Self {
        Self::default()
    }

    /// Unreachable: nothing may be asked (RFC 9309 section 2.3.1.4).
    pub fn unreachable() -> Self {
        Self { deny_all: true, ..Self::default() }
    }

    /// Whether the file could be fetched.
    pub fn is_reachable(&self) -> bool {
        !self.deny_all
    }

    /// Parses a file for an agent's product token.
    pub fn parse(text: &str, agent: &str) -> Self {
        let mut own = Group::default();
        let mut any = Group::default();
        let mut sitemaps = Vec::new();
        // Which groups the lines belong to; several user-agent lines may share one group.
        let (mut in_own, mut in_any, mut in_rules) = (false, false, true);
        // A byte order mark, also one that was cut, is no part of the first line.
        for line in text.trim_start_matches(['\u{FEFF}', '\u{FFFD}']).split(['\n', '\r']) {
            let mut end = line.len().min(LINE_BYTES_MAX);
            while !line.is_char_boundary(end) {
                end -= 1;
            }
            let line = &line[..end];
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = key_and_value(line) else { continue };
            match key.trim().to_ascii_lowercase().as_str() {
                "user-agent" | "useragent" | "user agent" => {
                    if std::mem::take(&mut in_rules) {
                        (in_own, in_any) = (false, false);
                    }
                    if value == "*" || value.starts_with("* ") {
                        in_any = true;
                    } else if product(value).eq_ignore_ascii_case(agent) {
                        in_own = true;
                        own.seen = true;
                    }
                }
                key @ ("allow" | "disallow" | "dissallow" | "dissalow" | "disalow" | "diasllow"
                | "disallaw") => {
                    in_rules = true;
                    // An empty rule matches nothing.
                    if !value.is_empty() {
                        let allow = key == "allow";
                        let folder = Some(value).filter(|_| allow).and_then(index_folder);
                        for pattern in std::iter::once(normal(value)).chain(folder) {
                            if in_own {
                                own.rules.push((allow, pattern.clone()));
                            }
                            if in_any {
                                any.rules.push((allow, pattern));
                            }
                        }
                    }
                }
                "crawl-delay" => {
                    in_rules = true;
                    let delay = value.parse().ok().filter(|s: &f64| s.is_finite() && (0.0..1e6).contains(s));
                    let delay = delay.map(Duration::from_secs_f64);
                    if in_own {
                        own.crawl_delay = delay;
                    }
                    if in_any {
                        any.crawl_delay = delay;
                    }
                }
                "sitemap" | "site-map" => sitemaps.push(value.to_owned()),
                _ => {}
            }
        }
        let group = if own.seen { own } else { any };
        Self { rules: group.rules, crawl_delay: group.crawl_delay, sitemaps, deny_all: false }
    }

    /// Whether a path with its query may be asked: the longest matching rule decides, allow wins
    /// a tie (RFC 9309 section 2.2.2).
    pub fn allows(&self, path: &str) -> bool {
        if path == "/robots.txt" {
            return true;
        }
        if self.deny_all {
            return false;
        }
        let path = &normal(path);
        let best = self
            .rules
            .iter()
            .filter(|(_, pattern)| matches(pattern, path))
            .max_by_key(|(allow, pattern)| (pattern.len(), *allow));
        best.is_none_or(|(allow, _)| *allow)
    }

    /// `Crawl-delay`, which RFC 9309 does not know but sites use.
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }

    /// `Sitemap` addresses.
    pub fn sitemaps(&self) -> &[String] {
        &self.sitemaps
    }
}

#[derive(Default)]
struct Group {
    rules: Vec<(bool, String)>,
    crawl_delay: Option<Duration>,
    seen: bool,
}

/// `key: value`, or without the colon when there are just two words: some files forget it.
fn key_and_value(line: &str) -> Option<(&str, &str)> {
    if let Some((key, value)) = line.split_once(':') {
        return Some((key, value.trim()));
    }
    let mut words = line.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(key), Some(value), None) => Some((key, value)),
        _ => None,
    }
}

/// Who may see a folder's index page may see the folder: the pattern of the folder alone.
fn index_folder(value: &str) -> Option<String> {
    let slash = value.rfind('/')?;
    value[slash..].starts_with("/index.htm").then(|| format!("{}$", normal(&value[..=slash])))
}

/// Other characters than ASCII escaped and escapes in capitals, so that patterns and addresses
/// are spelled alike (RFC 9309 section 2.2.2); an escaped letter stays what it is.
fn normal(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = bytes
            .get(at + 1..at + 3)
            .filter(|hex| bytes[at] == b'%' && hex.iter().all(u8::is_ascii_hexdigit));
        match (escape, bytes[at]) {
            (Some(hex), _) => {
                out.push('%');
                out.extend(hex.iter().map(|digit| char::from(digit.to_ascii_uppercase())));
                at += 3;
            }
            (None, byte) if byte.is_ascii() => {
                out.push(char::from(byte));
                at += 1;
            }
            (None, byte) => {
                out.push_str(&format!("%{byte:02X}"));
                at += 1;
            }
        }
    }
    out
}

fn product(value: &str) -> &str {
    let end = value.find(|c: char| !c.is_ascii_alphabetic() && c != '-' && c != '_');
    &value[..end.unwrap_or(value.len())]
}

/// `*` stands for anything, a final `$` for the end. Linear in the path for each star.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, anchored) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('*');
    let Some(mut rest) = path.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    for (at, part) in parts.iter().enumerate() {
        if anchored && at + 1 == parts.len() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(found) => rest = &rest[found + part.len()..],
            None => return false,
        }
    }
    !anchored || rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_the_rfc() {
        let table = [
            ("user-agent: *\ndisallow: /a\nallow: /a/b", "/a/b/c", true),
            ("user-agent: *\ndisallow: /a\nallow: /a/b", "/a/c", false),
            ("user-agent: *\ndisallow: /a\nallow: /a", "/a", true),
            ("user-agent: xunjian\nallow: /\nuser-agent: *\ndisallow: /", "/x", true),
            ("user-agent: other\ndisallow: /", "/x", true),
            ("user-agent: a\nuser-agent: xunjian\ndisallow: /x", "/x", false),
            ("user-agent: *\ndisallow: /*.php$", "/x/y.php", false),
            ("user-agent: *\ndisallow: /*.php$", "/x/y.php?a", true),
            ("user-agent: *\ndisallow:", "/x", true),
            ("user-agent: *\ndisallow: /x # no", "/x", false),
            ("disallow: /x", "/x", true),
        ];
        for (text, path, allowed) in table {
            assert_eq!(Robots::parse(text, "xunjian").allows(path), allowed, "{text:?} {path}");
        }
        assert!(!Robots::unreachable().allows("/"));
        assert!(Robots::unreachable().allows("/robots.txt"));
        let robots = Robots::parse("Sitemap: http://a.cn/s.xml\nuser-agent:*\ncrawl-delay: 1.5", "xunjian");
        assert_eq!(robots.sitemaps(), ["http://a.cn/s.xml"]);
        assert_eq!(robots.crawl_delay(), Some(Duration::from_millis(1_500)));
    }
}
