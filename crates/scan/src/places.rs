//! Links to a place in a page that is not there, and addresses that nobody can open.

use std::collections::{BTreeMap, HashSet};

use xunjian_model::{AddressFault, BadAddress, Facts, Fragment, Kind, PageUrl, Severity, Site, anchor_hash};
use xunjian_store::Store;

use crate::digest::PageFinding;
use crate::fold::Candidate;
use crate::link_states::kind_of_dead;
use crate::site::page_facts;
use crate::{ScanError, ScanSetup};

/// Links to places looked at in one site.
const LINKS_MAX: usize = 50_000;

/// Links to places, each once.
pub(crate) fn of(facts: &Facts) -> Vec<Fragment> {
    let mut seen = HashSet::new();
    facts.fragments.iter().filter(|one| seen.insert((&one.url, &one.id))).cloned().collect()
}

/// Addresses that nobody can open: on the computer of whoever wrote the page, mistyped, without a host.
pub(crate) fn check_addresses(facts: &Facts, findings: &mut Vec<PageFinding>) {
    for BadAddress { address, kind, fault } in &facts.bad_addresses {
        let what: String = address.chars().take(200).collect();
        let kind = kind_of_dead(*kind);
        // Whoever wants to write or call still reads to whom.
        let severity = if *fault == AddressFault::Contact { Severity::Info } else { kind.severity() };
        findings.push(PageFinding {
            severity,
            ..PageFinding::new(kind, what.clone(), format!("⟦{what}⟧")).with("state", fault.word())
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
