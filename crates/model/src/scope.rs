//! Where a site's pages lie: hosts, or folders of hosts that several sites share.

use std::fmt;
use std::str::FromStr;

use crate::PageUrl;

/// A host, or a folder of one with all that lies below it. Scheme and port do not matter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    host: String,
    /// Begins and ends with a slash.
    folder: String,
}

/// Why a text is no scope.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is neither a host like www.a.gov.cn nor a folder of one like www.a.gov.cn/jyj/")]
pub struct ScopeError(String);

impl Scope {
    /// The whole host of an address.
    pub fn host_of(url: &PageUrl) -> Self {
        Self { host: url.host().to_owned(), folder: "/".to_owned() }
    }

    /// The folder an address lies in. A last part without a dot, as in `/jyj`, is taken for a folder.
    pub fn folder_of(url: &PageUrl) -> Self {
        let path = url.path();
        let (before, last) = path.rsplit_once('/').unwrap_or_default();
        let folder =
            if last.is_empty() || last.contains('.') { format!("{before}/") } else { format!("{path}/") };
        Self { host: url.host().to_owned(), folder }
    }

    /// Its host, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The folder's path; `/` when it is the whole host.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// Whether it is a host with all its folders.
    pub fn is_whole_host(&self) -> bool {
        self.folder == "/"
    }

    /// Whether an address lies in it. Case does not matter, as on many servers of the field; nor does the last
    /// slash of the folder's own address.
    pub fn holds(&self, url: &PageUrl) -> bool {
        let (path, folder) = (url.path().as_bytes(), self.folder.as_bytes());
        let below =
            |folder: &[u8]| path.get(..folder.len()).is_some_and(|at| at.eq_ignore_ascii_case(folder));
        let bare = &folder[..folder.len() - 1];
        url.host() == self.host && (below(folder) || path.len() == bare.len() && below(bare))
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let fault = || ScopeError(text.to_owned());
        let url = PageUrl::parse(&format!("http://{text}")).map_err(|_| fault())?;
        let is_plain = !text.contains([':', '@', '?', '#', '\\']) && !text.starts_with('/');
        is_plain.then(|| Self::folder_of(&url)).ok_or_else(fault)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        if self.is_whole_host() { Ok(()) } else { f.write_str(&self.folder) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_a_host_or_a_folder_of_one() {
        let table = [
            ("www.a.gov.cn", Some("www.a.gov.cn")),
            ("WWW.A.gov.cn", Some("www.a.gov.cn")),
            ("www.a.gov.cn/", Some("www.a.gov.cn")),
            ("www.a.gov.cn/jyj", Some("www.a.gov.cn/jyj/")),
            ("www.a.gov.cn/bm/jyj/", Some("www.a.gov.cn/bm/jyj/")),
            ("www.a.gov.cn/bm/jyj/index.html", Some("www.a.gov.cn/bm/jyj/")),
            ("http://www.a.gov.cn/", None),
            ("www.a.gov.cn:8080", None),
            ("www.a.gov.cn/?site=3", None),
            ("me@www.a.gov.cn", None),
            ("/jyj/", None),
            ("", None),
        ];
        for (text, scope) in table {
            assert_eq!(text.parse::<Scope>().map(|scope| scope.to_string()).ok().as_deref(), scope, "{text}");
        }
    }

    #[test]
    fn a_folder_holds_what_lies_below_it() {
        let scope: Scope = "www.a.gov.cn/jyj/".parse().expect("scope");
        let holds = |text: &str| scope.holds(&PageUrl::parse(text).expect("url"));
        for own in
            ["http://www.a.gov.cn/jyj/", "https://www.a.gov.cn:8443/jyj", "http://www.a.gov.cn/JYJ/tz/1.html"]
        {
            assert!(holds(own), "{own}");
        }
        for other in [
            "http://www.a.gov.cn/", "http://www.a.gov.cn/jyjz/1.html", "http://a.gov.cn/jyj/",
            "http://www.a.gov.cn/jy",
        ] {
            assert!(!holds(other), "{other}");
        }
    }
}
