//! One address for one page: rules that fold addresses a site uses for the same page.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::PageUrl;

/// Query parameters that never change what a page shows: session ids and marks of campaigns.
const NEVER_CONTENT: [&str; 22] = [
    "jsessionid", "phpsessid", "aspsessionid", "asp.net_sessionid", "sessionid", "session_id", "sid_guid",
    "cfid", "cftoken", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id",
    "gclid", "fbclid", "msclkid", "spm", "scm", "_hsenc", "_hsmi",
];
/// Names a folder's own page goes by.
const INDEX_NAMES: [&str; 12] = [
    "index.html", "index.htm", "index.shtml", "index.shtm", "index.jsp", "index.jspx", "index.php",
    "index.asp", "index.aspx", "index.do", "default.html", "default.htm",
];

/// How the addresses of one site are folded. What is always true (case of the host, default
/// ports, fragments) [`PageUrl`] does already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canonical {
    /// Query parameters that are dropped besides those that never matter, lower-case.
    pub drop_parameters: BTreeSet<String>,
    /// Index names that show what their folder shows, for example `index.html`.
    pub index_names: BTreeSet<String>,
    /// `/a` and `/a/` show the same; the form with the slash is used.
    pub slash: bool,
}

impl Canonical {
    /// The one address for a page's address.
    pub fn apply(&self, url: &PageUrl) -> PageUrl {
        let mut path = without_session(url.path());
        if let Some(name) = index_name(&path).filter(|name| self.index_names.contains(*name)) {
            path.truncate(path.len() - name.len());
        }
        if self.slash && needs_slash(&path) {
            path.push('/');
        }
        let query = url.as_url().query().map(|query| self.kept(query)).filter(|query| !query.is_empty());
        if path == url.path() && query.as_deref() == url.as_url().query() {
            return url.clone();
        }
        let origin = &url.as_url()[..url::Position::BeforePath];
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        PageUrl::parse(&format!("{origin}{path}{query}")).unwrap_or_else(|_| url.clone())
    }

    fn kept(&self, query: &str) -> String {
        let kept: Vec<&str> = query.split('&').filter(|pair| !self.drops(parameter(pair))).collect();
        kept.join("&")
    }

    fn drops(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        NEVER_CONTENT.contains(&name.as_str())
            || name.starts_with("aspsessionid")
            || self.drop_parameters.contains(&name)
    }

    /// Adds the rules of another set.
    pub fn extend(&mut self, more: &Self) {
        self.drop_parameters.extend(more.drop_parameters.iter().cloned());
        self.index_names.extend(more.index_names.iter().cloned());
        self.slash |= more.slash;
    }
}

/// The name of a `name=value` pair.
pub fn parameter(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default()
}

/// The last segment, where it is a folder's own page.
pub fn index_name(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    INDEX_NAMES.iter().any(|own| name.eq_ignore_ascii_case(own)).then_some(name)
}

/// Whether an address names the own page of a folder, whose address ends with a slash.
pub fn is_index_of(folder: &str, address: &str) -> bool {
    let name = address.strip_prefix(folder).filter(|name| folder.ends_with('/') && !name.contains('/'));
    name.is_some_and(|name| index_name(name).is_some())
}

/// Whether a path could also end with a slash: its last segment has no ending.
pub fn needs_slash(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    !last.is_empty() && !last.contains('.')
}

/// A path without `;jsessionid=…` in its segments.
fn without_session(path: &str) -> String {
    if !path.contains(';') {
        return path.to_owned();
    }
    let segments = path.split('/').map(|segment| match segment.split_once(';') {
        Some((name, rest)) if NEVER_CONTENT.contains(&parameter(rest).to_ascii_lowercase().as_str()) => name,
        _ => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_s_own_page_is_known_by_its_name() {
        for (address, is_one) in [
            ("http://a.cn/index.html", true),
            ("http://a.cn/Default.htm", true),
            ("http://a.cn/", false),
            ("http://a.cn/b/index.html", false),
            ("http://a.cn/list.html", false),
            ("http://b.cn/index.html", false),
        ] {
            assert_eq!(is_index_of("http://a.cn/", address), is_one, "{address}");
        }
        assert!(!is_index_of("http://a.cn/b", "http://a.cn/bindex.html"));
    }

    #[test]
    fn what_is_always_folded_and_what_only_by_rule() {
        let learnt = Canonical {
            drop_parameters: ["from".to_owned()].into(),
            index_names: ["index.html".to_owned()].into(),
            slash: true,
        };
        let plain = Canonical::default();
        let table = [
            ("http://A.cn:80/x#y", "http://a.cn/x", "http://a.cn/x/"),
            ("http://a.cn/x;jsessionid=AB12?id=3", "http://a.cn/x?id=3", "http://a.cn/x/?id=3"),
            (
                "http://a.cn/x.do?JSESSIONID=1&id=3&utm_source=w",
                "http://a.cn/x.do?id=3",
                "http://a.cn/x.do?id=3",
            ),
            ("http://a.cn/x.do?from=top", "http://a.cn/x.do?from=top", "http://a.cn/x.do"),
            ("http://a.cn/b/index.html", "http://a.cn/b/index.html", "http://a.cn/b/"),
            ("http://a.cn/b/index.htm", "http://a.cn/b/index.htm", "http://a.cn/b/index.htm"),
            ("http://a.cn/x;v=1/y.html", "http://a.cn/x;v=1/y.html", "http://a.cn/x;v=1/y.html"),
            ("http://a.cn/x.do?", "http://a.cn/x.do", "http://a.cn/x.do"),
        ];
        for (text, always, by_rule) in table {
            let url = PageUrl::parse(text).expect(text);
            assert_eq!(plain.apply(&url).as_str(), always, "{text}");
            assert_eq!(learnt.apply(&url).as_str(), by_rule, "{text}");
            // Folding twice changes nothing more.
            assert_eq!(learnt.apply(&learnt.apply(&url)), learnt.apply(&url), "{text}");
        }
    }
}
