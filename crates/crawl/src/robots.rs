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

impl Robots {
    /// No rules: everything may be asked (4xx, RFC 9309 section 2.3.1.3).
    pub fn allow_all() -> Self {
        Self::default()
    }

    /// Unreachable: nothing may be asked (RFC 9309 section 2.3.1.4).
    pub fn deny_all() -> Self {
        Self { deny_all: true, ..Self::default() }
    }

    /// Parses a file for an agent's product token.
    pub fn parse(text: &str, agent: &str) -> Self {
        let mut own = Group::default();
        let mut any = Group::default();
        let mut sitemaps = Vec::new();
        // Which groups the lines belong to; several user-agent lines may share one group.
        let (mut in_own, mut in_any, mut in_rules) = (false, false, true);
        for line in text.trim_start_matches('\u{FEFF}').lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "user-agent" | "useragent" | "user agent" => {
                    if std::mem::take(&mut in_rules) {
                        (in_own, in_any) = (false, false);
                    }
                    if value.starts_with('*') {
                        in_any = true;
                    } else if product(value).eq_ignore_ascii_case(agent) {
                        in_own = true;
                        own.seen = true;
                    }
                }
                key @ ("allow" | "disallow") => {
                    in_rules = true;
                    // An empty rule matches nothing.
                    if !value.is_empty() {
                        let rule = (key == "allow", value.to_owned());
                        if in_own {
                            own.rules.push(rule.clone());
                        }
                        if in_any {
                            any.rules.push(rule);
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
        assert!(!Robots::deny_all().allows("/"));
        let robots = Robots::parse("Sitemap: http://a.cn/s.xml\nuser-agent:*\ncrawl-delay: 1.5", "xunjian");
        assert_eq!(robots.sitemaps(), ["http://a.cn/s.xml"]);
        assert_eq!(robots.crawl_delay(), Some(Duration::from_millis(1_500)));
    }
}
