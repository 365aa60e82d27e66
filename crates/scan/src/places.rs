//! Links to a place in a page that is not there, and addresses of mail and telephone that cannot
//! be any.

use std::collections::{BTreeMap, HashSet};

use xunjian_model::{Facts, Fragment, Kind, PageUrl, Severity, Site, anchor_hash};
use xunjian_store::Store;

use crate::digest::PageFinding;
use crate::fold::Candidate;
use crate::site::page_facts;
use crate::{ScanError, ScanSetup};

/// Links to places looked at in one site.
const LINKS_MAX: usize = 50_000;

/// Links to places, each once.
pub(crate) fn of(facts: &Facts) -> Vec<Fragment> {
    let mut seen = HashSet::new();
    facts.fragments.iter().filter(|one| seen.insert((&one.url, &one.id))).cloned().collect()
}

/// `mailto:` and `tel:` links that reach nobody.
pub(crate) fn check_addresses(facts: &Facts, findings: &mut Vec<PageFinding>) {
    for address in &facts.bad_addresses {
        let what: String = address.chars().take(200).collect();
        findings.push(PageFinding {
            severity: Severity::Info,
            ..PageFinding::new(Kind::DeadLink, what.clone(), format!("⟦{what}⟧")).with("state", "bad-address")
        });
    }
}

/// Links to places of a site's pages, gathered while its pages are looked at.
#[derive(Default)]
pub(crate) struct Places {
    /// Page that is linked to → links to it: id, and where the link stands.
    links: BTreeMap<String, Vec<(String, Candidate)>>,
    count: usize,
}

impl Places {
    pub(crate) fn add(
        &mut self,
        fragments: &[Fragment],
        site: &Site,
        candidate: impl Fn(PageFinding) -> Candidate,
    ) {
        for Fragment { url, id } in fragments {
            if self.count >= LINKS_MAX || !PageUrl::parse(url).is_ok_and(|url| site.in_scope(&url)) {
                continue;
            }
            self.count += 1;
            let what = format!("{url}#{id}");
            let finding = PageFinding {
                severity: Severity::Info,
                ..PageFinding::new(Kind::DeadLink, what.clone(), format!("⟦{what}⟧"))
                    .with("state", "no-fragment")
            };
            self.links.entry(url.clone()).or_default().push((id.clone(), candidate(finding)));
        }
    }

    /// The links whose place is not in the page. A page that a script fills may have it later.
    pub(crate) fn missing(
        self,
        store: &Store,
        site: &Site,
        setup: &ScanSetup,
    ) -> Result<Vec<Candidate>, ScanError> {
        let mut missing = Vec::new();
        for (url, links) in self.links {
            let Ok(page) = PageUrl::parse(&url) else { continue };
            let Some((facts, _)) = page_facts(store, site, &page, setup)? else { continue };
            if facts.scripted || facts.kind == xunjian_model::PageKind::Document {
                continue;
            }
            let there: HashSet<u32> = facts.anchors.iter().copied().collect();
            missing.extend(
                links
                    .into_iter()
                    .filter(|(id, _)| !there.contains(&anchor_hash(id)))
                    .map(|(_, candidate)| candidate),
            );
        }
        Ok(missing)
    }
}
