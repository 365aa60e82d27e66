//! What a run left behind of each site, in counts: so that nobody who only looks has to count again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xunjian_model::{Case, Finding, FindingState, Kind, Outcome, Ruling, Severity, SiteId, Verdict};
use xunjian_store::{Space, StoreError};

use crate::cases::Filed;
use crate::{Engine, RUNS_BACK, RunRecord, run};

/// Findings of a site named as waiting for a person; more are found once these are decided.
const QUEUE_MAX: usize = 2_000;

/// Counts of a site after a run. What a person dismissed is not in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Findings that are there.
    pub findings: u64,
    /// Of these, new in this run.
    pub new: u64,
    /// Of these, there again.
    pub relapsed: u64,
    /// Findings that went since the run before.
    pub gone: u64,
    /// By severity, least first.
    pub by_severity: [u64; 4],
    /// By kind.
    pub by_kind: BTreeMap<Kind, u64>,
    /// Findings that wait for a person.
    pub waiting: u64,
    /// Ids of some of them.
    pub queue: Vec<String>,
}

/// A run with the sums over its sites.
#[derive(Clone, Debug, Serialize)]
pub struct RunTotals {
    /// The run.
    #[serde(flatten)]
    pub run: RunRecord,
    /// Sites that pass, fail, wait for a person.
    pub results: [usize; 3],
    /// Sums of its sites.
    pub findings: u64,
    /// New ones.
    pub new: u64,
    /// By severity, least first.
    pub by_severity: [u64; 4],
}

/// How a site stands by the newest run that looked at it to the end: not by one that is under way, or that was of
/// other sites.
#[derive(Clone, Debug)]
pub struct Latest {
    /// The run.
    pub run: u32,
    /// Its verdict.
    pub verdict: Option<Verdict>,
    /// Its counts.
    pub tally: Tally,
}

/// The place of an outcome among `results`.
pub fn place_of(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Pass => 0,
        Outcome::Fail => 1,
        Outcome::Review => 2,
    }
}

impl Engine {
    /// Counts what the last run left of each site.
    pub(crate) fn tally(&self, run: &RunRecord) -> Result<(), StoreError> {
        let mut owners = self.finding_owners().into_iter().filter(|owner| run.covers(owner));
        owners.try_for_each(|owner| self.tally_one(run, &owner))
    }

    /// The same of one site, or of the accounts.
    pub(crate) fn tally_one(&self, run: &RunRecord, owner: &SiteId) -> Result<(), StoreError> {
        let before = self.run_before(run, owner)?;
        let mut tally = Tally::default();
        for row in self.store().scan::<Finding>(Space::Finding, &[owner.as_str().as_bytes(), b""]) {
            let (id, finding) = row?;
            let key: [&[u8]; 2] = [owner.as_str().as_bytes(), id.as_bytes()];
            let case: Case = self.store().get(Space::Case, &key)?.unwrap_or_default();
            if case.ruling() == Some(Ruling::Dismissed) {
                continue;
            }
            if finding.state == FindingState::Gone {
                tally.gone += u64::from(case.went_after(before));
                continue;
            }
            tally.findings += 1;
            tally.new += u64::from(finding.state == FindingState::New);
            tally.relapsed += u64::from(finding.state == FindingState::Relapsed);
            let at = Severity::ALL.iter().position(|one| *one == finding.severity).unwrap_or(0);
            tally.by_severity[at] += 1;
            *tally.by_kind.entry(finding.kind).or_default() += 1;
            if (Filed { finding, case }).ruled().waits() {
                tally.waiting += 1;
                if tally.queue.len() < QUEUE_MAX {
                    tally.queue.push(id);
                }
            }
        }
        let key = run::key(b"tally", run.number, owner);
        let mut batch = self.store().begin();
        batch.put(Space::Run, &key.each_ref().map(Vec::as_slice), &tally)?;
        batch.commit()
    }

    /// Counts of a site after a run; `None` where the run did not look at it.
    pub fn tally_of(&self, run: u32, site: &SiteId) -> Result<Option<Tally>, StoreError> {
        let key = run::key(b"tally", run, site);
        self.store().get(Space::Run, &key.each_ref().map(Vec::as_slice))
    }

    /// How a site stands; `None` where none of the newest runs looked at it to the end.
    pub fn latest(&self, site: &SiteId) -> Result<Option<Latest>, StoreError> {
        let last = RunRecord::last(self.store())?.map_or(0, |run| run.number);
        for run in (1..=last).rev().take(RUNS_BACK) {
            if let Some(tally) = self.tally_of(run, site)? {
                let verdict = crate::verdict(self.store(), run, site)?;
                return Ok(Some(Latest { run, verdict, tally }));
            }
        }
        Ok(None)
    }

    /// The newest runs with their sums over all sites, or of one alone, newest first.
    pub fn newest_runs(&self, most: usize, only: Option<&SiteId>) -> Result<Vec<RunTotals>, StoreError> {
        let Some(last) = RunRecord::last(self.store())? else { return Ok(Vec::new()) };
        let mut totals = Vec::new();
        for number in (1..=last.number).rev().take(most) {
            let run = match number == last.number {
                true => Some(last.clone()),
                false => RunRecord::of(self.store(), number)?,
            };
            let Some(run) = run else { continue };
            let mut total = RunTotals { run, results: [0; 3], findings: 0, new: 0, by_severity: [0; 4] };
            for site in self.settings().sites.iter().filter(|site| only.is_none_or(|only| *only == site.id)) {
                if let Some(verdict) = crate::verdict(self.store(), number, &site.id)? {
                    total.results[place_of(verdict.result)] += 1;
                }
                if let Some(tally) = self.tally_of(number, &site.id)? {
                    total.findings += tally.findings;
                    total.new += tally.new;
                    for (sum, one) in total.by_severity.iter_mut().zip(tally.by_severity) {
                        *sum += one;
                    }
                }
            }
            totals.push(total);
        }
        Ok(totals)
    }
}
