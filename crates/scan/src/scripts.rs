//! Scripts from hosts the site does not know: a page, or all pages, made to run a stranger's code; and
//! scripts of a page itself that are meant for visitors from search engines alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use xunjian_model::{Diversion, Facts, Kind, LinkKind, PageUrl, Severity, Site, SiteId};
use xunjian_store::{Space, Store};

use crate::digest::PageFinding;
use crate::excerpt::around;
use crate::fold::Candidate;
use crate::hidden_links::is_trusted;
use crate::standing::Standing;
use crate::{ScanError, ScanSetup};

/// Services whose scripts offices embed: counters, maps, players, and the state's own.
const KNOWN: [&str; 14] = [
    "gov.cn", "conac.cn", "baidu.com", "bdstatic.com", "bdimg.com", "qq.com", "gtimg.com", "amap.com",
    "cctv.com", "cntv.cn", "people.com.cn", "xinhuanet.com", "cnzz.com", "umeng.com",
];
/// Pages with one host from which it is part of the site.
const RARE_PAGES_MAX: usize = 3;
/// Pages of the site for each page with the host, from which it is rare.
const PAGES_FOR_EACH: usize = 20;
/// Hours that a host which appeared is told of, unless its script goes.
const NEW_HOURS: i64 = 30 * 24;
/// Hosts of one site that are looked at.
const HOSTS_MAX: usize = 1_000;

/// Foreign hosts whose scripts a page runs, each once.
pub(crate) fn hosts_of(facts: &Facts, site: &Site) -> Vec<String> {
    let scripts = facts.links.iter().filter(|link| link.kind == LinkKind::Script);
    let foreign = scripts.filter_map(|link| {
        let url = PageUrl::parse(&link.url).ok()?;
        let host = url.host();
        if site.hosts().any(|own| own == host) {
            return None;
        }
        let known = KNOWN.iter().any(|zone| {
            host.strip_suffix(zone).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        });
        (!known).then(|| host.to_owned())
    });
    foreign.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Scripts that show visitors from search engines, or the engines, something else.
pub(crate) fn diversions(facts: &Facts, site: &Site, findings: &mut Vec<PageFinding>) {
    for Diversion { target, script, hit } in &facts.diversions {
        let (what, why) = match target {
            Some(target) => (target.as_str(), "a script sends visitors from search engines elsewhere"),
            None => ("title", "a script leaves search engines another title"),
        };
        let whole = if what.starts_with("//") { format!("http:{what}") } else { what.to_owned() };
        // An address that is put together with what follows is nobody's yet.
        if target.is_none() || PageUrl::parse(&whole).is_ok_and(|url| !is_trusted(&url, site)) {
            let excerpt = around(script, hit.start, hit.end);
            findings.push(PageFinding::new(Kind::Cloaking, what, excerpt).with("why", why));
        }
    }
}

/// Hosts of a site's scripts, gathered while its pages are looked at.
#[derive(Default)]
pub(crate) struct ScriptHosts {
    hosts: BTreeMap<String, Host>,
    standing: Standing,
}

struct Host {
    pages: usize,
    first: Candidate,
}

/// What is kept of a host: since when a script of it is there; `None`: since the first night.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Known {
    since: Option<Timestamp>,
}

impl ScriptHosts {
    pub(crate) fn new(standing: Standing) -> Self {
        Self { hosts: BTreeMap::new(), standing }
    }

    pub(crate) fn add(&mut self, hosts: &[String], candidate: impl Fn(PageFinding) -> Candidate) {
        for host in hosts {
            let kind = Kind::SpamInjection;
            let here = || {
                let excerpt = format!("<script> ⟦{host}⟧");
                candidate(PageFinding {
                    severity: Severity::Minor,
                    ..PageFinding::new(kind, host.clone(), excerpt)
                })
            };
            if let Some(known) = self.hosts.get_mut(host) {
                known.pages += 1;
                // The page that it was told of stays the one.
                if self.standing.knows(kind, host) {
                    let here = here();
                    if self.standing.is_at(kind, host, &here.url) {
                        known.first = here;
                    }
                }
            } else if self.hosts.len() < HOSTS_MAX {
                self.hosts.insert(host.clone(), Host { pages: 1, first: here() });
            }
        }
    }

    /// Hosts that hardly a page has, or that were not there before. A person has to say whether
    /// they belong to the site.
    pub(crate) fn strangers(
        self,
        store: &Store,
        site: &SiteId,
        pages: u64,
        setup: &ScanSetup,
    ) -> Result<Vec<Candidate>, ScanError> {
        let key = [b"scripts".as_slice(), site.as_str().as_bytes()];
        let before: Option<BTreeMap<String, Known>> = store.get(Space::Site, &key)?;
        let first_night = before.is_none();
        let mut known = before.unwrap_or_default();
        let mut strangers = Vec::new();
        let mut grown = first_night;
        for (host, Host { pages: with, first }) in self.hosts {
            let since = match known.get(&host) {
                Some(known) => known.since,
                None => {
                    let since = (!first_night).then_some(setup.run_at);
                    known.insert(host.clone(), Known { since });
                    grown = true;
                    since
                }
            };
            let new = since.is_some_and(|since| setup.run_at - NEW_HOURS.hours() <= since);
            let rare = with <= RARE_PAGES_MAX && pages as usize >= with * PAGES_FOR_EACH;
            if !new && !rare {
                continue;
            }
            let why = match (new, with) {
                (true, _) => "script from a host that the site did not use before".to_owned(),
                (false, with) => format!("script from a host of {with} of {pages} pages"),
            };
            let mut stranger = first;
            stranger.finding = stranger
                .finding
                .with("pages", with.to_string())
                .with("reasons", why)
                .with("review", "whether the script belongs to the site");
            strangers.push(stranger);
        }
        if grown {
            let mut batch = store.begin();
            batch.put(Space::Site, &key, &known)?;
            batch.commit()?;
        }
        Ok(strangers)
    }
}
