//! The register of sites: who is inspected.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{PageUrl, Scope};

/// A site's short name in configuration, JSON and file names: `[a-z0-9][a-z0-9-]{0,62}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SiteId(String);

/// Why a text is not a site id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is not a site id: use 1 to 63 lower-case letters, digits or hyphens, not starting with a hyphen"
)]
pub struct SiteIdError(String);

impl SiteId {
    /// Checks and wraps a site id.
    pub fn new(text: &str) -> Result<Self, SiteIdError> {
        let ok = (1..=63).contains(&text.len())
            && !text.starts_with('-')
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if ok { Ok(Self(text.to_owned())) } else { Err(SiteIdError(text.to_owned())) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SiteId {
    type Error = SiteIdError;
    fn try_from(text: String) -> Result<Self, SiteIdError> {
        Self::new(&text)
    }
}

impl From<SiteId> for String {
    fn from(id: SiteId) -> String {
        id.0
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a site is in the standard's sense; portals are scored, departments judged by vetoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SiteKind {
    /// A government's portal (门户网站).
    Portal,
    /// A department's site (部门网站).
    Department,
}

impl SiteKind {
    /// The name used in configuration and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Department => "department",
        }
    }
}

/// One inspected site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Short unique name.
    pub id: SiteId,
    /// Registered name, for example 市水利局.
    pub name: String,
    /// The home page, the crawl's seed.
    pub url: PageUrl,
    /// Portal or department.
    pub kind: SiteKind,
    /// Where its pages lie, the home page's first.
    pub scopes: Vec<Scope>,
    /// What lies there, but belongs to another site of the register.
    pub apart: Vec<Scope>,
    /// Reason why robots.txt of this (own) site is not followed; `None` means it is followed.
    pub ignore_robots: Option<String>,
    /// Whether cookies are kept during a run, for sites that do not open without them.
    pub cookies: bool,
    /// Query parameters that do not change what a page shows.
    pub drop_parameters: Vec<String>,
    /// Further addresses the crawl begins with, in the site's scope.
    pub seeds: Vec<PageUrl>,
    /// Site code (网站标识码) of the register.
    pub code: Option<String>,
    /// Who runs it (主办单位), where that is not its name.
    pub office: Option<String>,
    /// It has no public services: V6 and the group of services do not apply.
    pub no_service: bool,
    /// What is said of its columns, where their names do not say it.
    pub columns: Vec<StatedColumn>,
}

/// What the office says of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedColumn {
    /// First list page.
    pub url: PageUrl,
    /// Id of its class in the catalogue; `None`: it is no column.
    pub class: Option<String>,
}

impl Site {
    /// A site of which no more is said.
    pub fn new(id: SiteId, name: String, url: PageUrl, kind: SiteKind) -> Self {
        Self {
            scopes: vec![Scope::host_of(&url)],
            apart: Vec::new(),
            id,
            name,
            url,
            kind,
            ignore_robots: None,
            cookies: false,
            drop_parameters: Vec::new(),
            seeds: Vec::new(),
            code: None,
            office: None,
            no_service: false,
            columns: Vec::new(),
        }
    }

    /// The site with the page its visitors arrive at as its address.
    pub fn landed_at(&self, landing: PageUrl) -> Self {
        Self { url: landing, ..self.clone() }
    }

    /// Its hosts, each once; of some it may have a folder alone.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        let before = |at: usize, host: &str| self.scopes[..at].iter().any(|scope| scope.host() == host);
        let hosts = self.scopes.iter().map(Scope::host).enumerate();
        hosts.filter(move |&(at, host)| !before(at, host)).map(|(_, host)| host)
    }

    /// Whether an address is the site's: of sites that share a host, the one with the deepest folder has it.
    pub fn in_scope(&self, url: &PageUrl) -> bool {
        let depth = |scope: Option<&Scope>| scope.map(|scope| scope.folder().len());
        depth(self.scope_of(url)) > depth(deepest(&self.apart, url))
    }

    /// The deepest of its scopes that an address lies in.
    pub fn scope_of(&self, url: &PageUrl) -> Option<&Scope> {
        deepest(&self.scopes, url)
    }
}

fn deepest<'s>(scopes: &'s [Scope], url: &PageUrl) -> Option<&'s Scope> {
    scopes.iter().filter(|scope| scope.holds(url)).max_by_key(|scope| scope.folder().len())
}
