//! The record of a run: its number, and how far it came.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use xunjian_model::SiteId;
use xunjian_store::{Space, Store, StoreError};

use crate::{CrawlExtras, CrawlSummary, MEDIA};

/// How long ago a night began that is not tonight's.
const ANOTHER_NIGHT: SignedDuration = SignedDuration::from_hours(12);

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Number, from 1.
    pub number: u32,
    /// When it began; findings are dated by it.
    pub started_at: Timestamp,
    /// Sites it is about; empty: all.
    pub sites: Vec<SiteId>,
    /// Begun by the nightly run, which goes on to scan, judgement and report.
    pub nightly: bool,
    /// The queue holds all it began with.
    pub seeded: bool,
    /// The crawl, summed over interruptions.
    pub crawl: CrawlSummary,
    /// The next crawl begins a new run.
    pub finished: bool,
    /// Further counts of the crawl.
    pub extras: CrawlExtras,
}

const LAST: &[&[u8]] = &[b"last"];
/// Newest runs whose verdicts, summaries and the like are kept. Of older ones only the counts are, which are small.
const RUNS_KEPT: u32 = 100;
/// What a run keeps of each site besides its counts.
const DETAILS: [&[u8]; 4] = [b"site", b"summary", b"search", b"verdict"];
/// Values of old runs that are forgotten at the end of one.
const FORGOTTEN_AT_ONCE: usize = 10_000;

impl RunRecord {
    /// The last run, if there was one.
    pub fn last(store: &Store) -> Result<Option<Self>, StoreError> {
        store.get(Space::Run, LAST)
    }

    /// A run by its number.
    pub fn of(store: &Store, number: u32) -> Result<Option<Self>, StoreError> {
        store.get(Space::Run, &[b"run", format!("{number:010}").as_bytes()])
    }

    /// The last run when its crawl was interrupted, else a new one. A night goes on only with what is a part of it: begun
    /// tonight, as a night, of all sites or the same ones. What other runs left undone it sees first.
    pub(crate) fn begin_or_resume(
        store: &Store,
        sites: &[SiteId],
        nightly: bool,
    ) -> Result<Self, StoreError> {
        let last = Self::last(store)?;
        if let Some(run) = &last
            && !run.crawl.finished
            && (!nightly || run.is_tonights(sites))
        {
            if run.sites != sites {
                tracing::warn!(run = run.number, "an interrupted crawl goes on with the sites it began with");
            }
            return Ok(run.clone());
        }
        let run = Self {
            number: last.map_or(1, |run| run.number + 1),
            started_at: xunjian_model::kept_moment(Timestamp::now()),
            sites: sites.to_vec(),
            nightly,
            seeded: false,
            crawl: CrawlSummary::default(),
            finished: false,
            extras: CrawlExtras::default(),
        };
        run.save(store)?;
        Ok(run)
    }

    fn is_tonights(&self, sites: &[SiteId]) -> bool {
        let same_sites = self.sites.is_empty() || self.sites == sites;
        self.nightly && same_sites && !is_another_night(self.started_at)
    }

    /// Whether a site is one of the run's. Accounts are looked at in every run.
    pub(crate) fn covers(&self, site: &SiteId) -> bool {
        self.sites.is_empty() || self.sites.contains(site) || site.as_str() == MEDIA
    }

    pub(crate) fn save(&self, store: &Store) -> Result<(), StoreError> {
        let mut batch = store.begin();
        batch.put(Space::Run, LAST, self)?;
        batch.put(Space::Run, &[b"run", format!("{:010}", self.number).as_bytes()], self)?;
        batch.commit()
    }
}

/// Whether a night that began then is not tonight's, which is to see every site anew: what it did not see comes first then.
pub fn is_another_night(began: Timestamp) -> bool {
    Timestamp::now().duration_since(began) >= ANOTHER_NIGHT
}

/// Forgets what old runs keep of each site: verdicts name all findings, every night anew.
pub(crate) fn forget_details(store: &Store, last: u32) -> Result<(), StoreError> {
    let Some(old) = last.checked_sub(RUNS_KEPT) else { return Ok(()) };
    let end = format!("{:010}", old + 1).into_bytes();
    let mut batch = store.begin();
    for what in DETAILS {
        let prefix = [what, b""].join(&0);
        for key in store.keys(Space::Run, &[what, b""]).take(FORGOTTEN_AT_ONCE) {
            let key = key?;
            let rest = key.strip_prefix(&prefix[..]).unwrap_or_default();
            // They are in order.
            if rest >= &end[..] {
                break;
            }
            batch.delete(Space::Run, &[&key]);
        }
    }
    batch.commit()
}

impl CrawlSummary {
    /// Adds the counts of a later part of the same run.
    pub(crate) fn add(&mut self, more: &Self) {
        self.pages += more.pages;
        self.not_modified += more.not_modified;
        self.same_hash += more.same_hash;
        self.checked += more.checked;
        self.failed += more.failed;
        self.body_bytes += more.body_bytes;
        self.wire_received += more.wire_received;
        self.wire_sent += more.wire_sent;
        self.requests += more.requests;
    }
}

/// Key of something a run keeps of a site.
pub(crate) fn key(what: &[u8], run: u32, site: &SiteId) -> [Vec<u8>; 3] {
    [what.to_vec(), format!("{run:010}").into_bytes(), site.as_str().as_bytes().to_vec()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_old_runs_only_counts_are_kept() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path()).expect("a store");
        let sites = ["a", "b"].map(|id| SiteId::new(id).expect("an id"));
        let mut batch = store.begin();
        for run in 1..=RUNS_KEPT + 5 {
            for site in &sites {
                for what in DETAILS.into_iter().chain([&b"tally"[..]]) {
                    let key = key(what, run, site);
                    batch.put(Space::Run, &key.each_ref().map(Vec::as_slice), &run).expect("kept");
                }
            }
        }
        batch.commit().expect("kept");
        let kept = |what: &[u8]| -> Vec<u32> {
            let rows = store.scan::<u32>(Space::Run, &[what, b""]);
            let mut runs: Vec<u32> = rows.map(|row| row.expect("a row").1).collect();
            runs.dedup();
            runs
        };
        for last in [RUNS_KEPT, RUNS_KEPT + 5] {
            forget_details(&store, last).expect("forgotten");
            for what in DETAILS {
                assert_eq!(kept(what), (last - RUNS_KEPT + 1..=RUNS_KEPT + 5).collect::<Vec<_>>());
            }
        }
        assert_eq!(kept(b"tally").len(), RUNS_KEPT as usize + 5);
    }
}
