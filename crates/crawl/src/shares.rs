//! What a crawl is divided into: sites with all their hosts, and everything outside of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use xunjian_model::{Host, PageUrl, Site, SiteId};

/// What one crawl works off: a site, with all that share a host with it, or everything outside of all sites.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Share(pub Option<SiteId>);

/// `site.ID`, or `outside`.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(site) => write!(f, "site.{site}"),
            None => f.write_str("outside"),
        }
    }
}

/// A text that names no share.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} names no share: it is \"outside\", or \"site.\" and a site's id")]
pub struct ShareError(String);

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let fault = || ShareError(text.to_owned());
        match text.strip_prefix("site.") {
            Some(id) => SiteId::new(id).map(|id| Self(Some(id))).map_err(|_| fault()),
            None if text == "outside" => Ok(Self(None)),
            None => Err(fault()),
        }
    }
}

/// The shares of a register. Sites that share a host are one share, named after the first of them, so that no
/// host is asked by two crawls.
#[derive(Clone, Debug, Default)]
pub struct Shares {
    of_sites: BTreeMap<SiteId, SiteId>,
    of_hosts: HashMap<String, SiteId>,
}

impl Shares {
    /// Divides sites.
    pub fn new(sites: &[Site]) -> Self {
        let mut shares = Self::default();
        for site in sites {
            let joined: BTreeSet<SiteId> =
                site.hosts().filter_map(|host| shares.of_hosts.get(host).cloned()).collect();
            let first =
                sites.iter().map(|other| &other.id).find(|id| joined.contains(id)).unwrap_or(&site.id);
            let names = shares.of_sites.values_mut().chain(shares.of_hosts.values_mut());
            names.filter(|name| joined.contains(name)).for_each(|name| name.clone_from(first));
            shares.of_sites.insert(site.id.clone(), first.clone());
            shares.of_hosts.extend(site.hosts().map(|host| (host.to_owned(), first.clone())));
        }
        shares
    }

    /// The shares of sites.
    pub fn all(&self) -> BTreeSet<Share> {
        self.of_sites.values().map(|first| Share(Some(first.clone()))).collect()
    }

    /// The share of a site, or of what is outside.
    pub fn of_site(&self, site: Option<&SiteId>) -> Share {
        Share(site.map(|id| self.of_sites.get(id).unwrap_or(id).clone()))
    }

    /// The share of a host.
    pub fn of_host(&self, host: &Host) -> Share {
        let home = PageUrl::parse(&format!("{host}/")).ok();
        Share(home.and_then(|home| self.of_hosts.get(home.host()).cloned()))
    }

    /// The sites of a share; that outside has none.
    pub fn sites<'s>(&'s self, share: &'s Share) -> impl Iterator<Item = &'s SiteId> {
        let own = move |first: &SiteId| share.0.as_ref() == Some(first);
        self.of_sites.iter().filter(move |(_, first)| own(first)).map(|(id, _)| id)
    }
}

#[cfg(test)]
mod tests {
    use xunjian_model::SiteKind;

    use super::*;

    #[test]
    fn sites_that_share_a_host_are_one_share() {
        let site = |id: &str, hosts: &[&str]| {
            let url = PageUrl::parse(&format!("http://{}/", hosts[0])).expect("url");
            let scopes = hosts.iter().map(|host| host.parse().expect("scope")).collect();
            let id = SiteId::new(id).expect("id");
            Site { scopes, ..Site::new(id.clone(), id.to_string(), url, SiteKind::Department) }
        };
        let sites = [
            site("z", &["a.gov.cn"]),
            site("b", &["b.gov.cn"]),
            site("c", &["c.gov.cn"]),
            site("d", &["d.gov.cn", "a.gov.cn/d/", "c.gov.cn/d/"]),
        ];
        let shares = Shares::new(&sites);
        let share = |id: &str| shares.of_site(Some(&SiteId::new(id).expect("id"))).to_string();
        assert_eq!(
            [share("z"), share("b"), share("c"), share("d")],
            ["site.z", "site.b", "site.z", "site.z"]
        );
        let of_host = |url: &str| shares.of_host(&PageUrl::parse(url).expect("url").host_key()).to_string();
        assert_eq!(of_host("https://c.gov.cn:8443/"), "site.z");
        assert_eq!(
            (of_host("http://e.cn/"), shares.of_site(None).to_string()),
            ("outside".into(), "outside".into())
        );
        let all: Vec<String> = shares.all().iter().map(Share::to_string).collect();
        assert_eq!(all, ["site.b", "site.z"]);
        let z: Share = "site.z".parse().expect("share");
        assert_eq!(shares.sites(&z).map(SiteId::as_str).collect::<Vec<_>>(), ["c", "d", "z"]);
        for text in ["", "site.", "site.A", "outside.a", "a"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }
}
