//! The record of a run: its number, and how far it came.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xunjian_model::SiteId;
use xunjian_store::{Space, Store, StoreError};

use crate::{CrawlExtras, CrawlSummary, MEDIA};

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

impl RunRecord {
    /// The last run, if there was one.
    pub fn last(store: &Store) -> Result<Option<Self>, StoreError> {
        store.get(Space::Run, LAST)
    }

    /// A run by its number.
    pub fn of(store: &Store, number: u32) -> Result<Option<Self>, StoreError> {
        store.get(Space::Run, &[b"run", format!("{number:010}").as_bytes()])
    }

    /// The last run when its crawl was interrupted, else a new one.
    pub(crate) fn begin_or_resume(
        store: &Store,
        sites: &[SiteId],
        nightly: bool,
    ) -> Result<Self, StoreError> {
        let last = Self::last(store)?;
        if let Some(run) = &last
            && !run.crawl.finished
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
