//! A night that is over, in sums: for whoever is told of it.

use jiff::Timestamp;
use serde::Serialize;
use xunjian_model::{Outcome, Site, SiteId};
use xunjian_store::{Space, Store, StoreError};

use crate::{Engine, EngineError, RunRecord, Tally, changes, run};

/// A night in sums over some sites.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NightTotals {
    /// Sites that pass.
    pub pass: usize,
    /// Sites that fail.
    pub fail: Vec<FailedSite>,
    /// Sites that wait for a person.
    pub review: usize,
    /// Sites of which not all was seen that should have been.
    pub incomplete: Vec<SiteId>,
    /// Findings that are there.
    pub findings: u64,
    /// Of these, those that wait for a person.
    pub waiting: u64,
}

/// A site that fails, with its vetoes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedSite {
    /// The site.
    pub site: SiteId,
    /// Its vetoes.
    pub vetoes: Vec<VetoName>,
}

/// What a veto is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VetoName {
    /// Rule, for example `V4c`.
    pub rule: String,
    /// Its Chinese name.
    pub name: String,
    /// Its English name.
    pub name_en: String,
}

/// The sums of a run over some sites; `None` where what ended at that moment was a look at single findings.
pub fn night_totals<'s>(
    store: &Store,
    sites: impl Iterator<Item = &'s Site>,
    (number, began): (u32, Timestamp),
) -> Result<Option<NightTotals>, StoreError> {
    let Some(night) = RunRecord::of(store, number)?.filter(|night| night.started_at == began) else {
        return Ok(None);
    };
    let mut totals = NightTotals::default();
    for site in sites.filter(|site| night.covers(&site.id)) {
        if let Some(verdict) = changes::verdict(store, number, &site.id)? {
            match verdict.result {
                Outcome::Pass => totals.pass += 1,
                Outcome::Review => totals.review += 1,
                Outcome::Fail => {
                    let vetoes = verdict.vetoes.into_iter();
                    let vetoes =
                        vetoes.map(|one| VetoName { rule: one.rule, name: one.name, name_en: one.name_en });
                    totals.fail.push(FailedSite { site: site.id.clone(), vetoes: vetoes.collect() });
                }
            }
        }
        let key = run::key(b"tally", number, &site.id);
        let tally: Option<Tally> = store.get(Space::Run, &key.each_ref().map(Vec::as_slice))?;
        let tally = tally.unwrap_or_default();
        totals.findings += tally.findings;
        totals.waiting += tally.waiting;
        if xunjian_crawl::site_crawl(store, number, &site.id)?.is_incomplete() {
            totals.incomplete.push(site.id.clone());
        }
    }
    Ok(Some(totals))
}

impl Engine {
    /// Writes down that a night ended before its time, so that people are told. What it did is kept, and the next
    /// one goes on.
    pub fn note_failure(&self, reason: &str) -> Result<(), EngineError> {
        Ok(changes::end_badly(self.store(), reason)?)
    }
}
