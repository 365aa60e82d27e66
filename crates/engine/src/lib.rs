//! The nightly run: what follows what, and how it goes on after an interruption.
//!
//! crawl → scan → judge → report. Each step reads what the one before it kept in the store, so
//! each can be run alone, and a run that was killed goes on where it was acknowledged.

mod accounts;
mod archive;
mod assessments;
mod cases;
mod changes;
mod columns;
mod crawling;
mod error;
mod homes;
mod import;
mod in_order;
mod ipv6;
mod judging;
mod landing;
mod life;
mod maintain;
mod measure;
mod monitor;
mod night;
mod noticing;
mod pictures;
mod posts;
mod recheck;
mod reporting;
mod run;
mod scanning;
mod searches;
mod settings;
mod tables;
mod tally;
mod why;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::Mutex;
use xunjian_crawl::{TurnBook, Turns};
use xunjian_fetch::Fetcher;
use xunjian_model::{Finding, FindingState, Host, HostRecord, Site, SiteId};
use xunjian_store::{Space, Store, StoreError};

pub use accounts::{Ledger, MEDIA, MediaImport};
pub use archive::{FoundPage, Looked, TriedPage};
pub use assessments::Assessed;
pub use cases::{Action, CaseError, Filed, Hand, Proposal, Wanted};
pub use changes::{Change, Entry, UnknownChange, change_at, current_findings, finding, next_change, verdict};
pub use columns::{Column, ColumnState, Columns};
pub use crawling::{CrawlExtras, CrawlSummary, work};
pub use error::EngineError;
pub use import::{ImportError, Imported};
pub use judging::QuarterJudged;
pub use maintain::compact;
pub use measure::{Cpu, StepCost};
pub use monitor::{Held, Monitor, MonitorSettings, Outage, Probe, Round};
pub use night::{FailedSite, NightTotals, VetoName, night_totals};
pub use posts::FeedFault;
pub use recheck::Rechecked;
pub use reporting::WrittenReport;
pub use run::{RunRecord, is_another_night};
pub use scanning::{ScanSummary, SiteBeyond, SiteSummary};
pub use searches::SiteSearch;
pub use settings::Settings;
pub use tables::{PostsTable, written};
pub use tally::{Latest, RunTotals, Tally, place_of};
pub use why::Why;
pub use xunjian_cluster::{Cluster, ClusterError};

/// Runs among which the one before of a site, or the newest one that looked at it, is sought.
const RUNS_BACK: usize = 100;

/// How long a host asked still to be left alone.
pub(crate) fn asked_to_wait(store: &Store, host: &Host) -> Result<Option<Duration>, StoreError> {
    let kept: Option<HostRecord> = store.get(Space::Host, &[host.as_str().as_bytes()])?;
    Ok(kept.and_then(|kept| kept.asks_to_wait(Timestamp::now())))
}

/// The steps over one store.
pub struct Engine {
    store: Arc<Store>,
    settings: Settings,
    turns: TurnBook,
    looking: Arc<Mutex<()>>,
}

impl Engine {
    /// Opens the store of the settings.
    pub fn open(settings: Settings) -> Result<Self, EngineError> {
        let store = Arc::new(Store::open(&settings.data)?);
        store.leave_free(settings.free_bytes_min);
        Ok(Self { store, settings, turns: TurnBook::default(), looking: Arc::default() })
    }

    /// Another one over the same store, with other settings; both keep one limit towards hosts and addresses.
    pub fn with(&self, settings: Settings) -> Self {
        let (store, looking) = (Arc::clone(&self.store), Arc::clone(&self.looking));
        store.leave_free(settings.free_bytes_min);
        Self { store, settings, turns: self.turns.clone(), looking }
    }

    /// Held by whoever crawls and scans where several may want to: a night, or a look at single findings.
    pub fn looking(&self) -> Arc<Mutex<()>> {
        Arc::clone(&self.looking)
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The store.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The monitoring point of a run, as a day in the zone.
    fn point(&self, run: &RunRecord) -> Date {
        let at = self.settings.monitoring_point.unwrap_or(run.started_at);
        self.settings.zone.to_datetime(at).date()
    }

    /// When the run of a site before a run began: what is mended there since then is the run's.
    pub(crate) fn run_before(&self, run: &RunRecord, site: &SiteId) -> Result<Timestamp, StoreError> {
        for number in (1..run.number).rev().take(RUNS_BACK) {
            if let Some(before) = RunRecord::of(&self.store, number)?.filter(|before| before.covers(site)) {
                return Ok(before.started_at);
            }
        }
        Ok(Timestamp::MIN)
    }

    /// Whether there were nights of all sites, but none since a moment at which one was due.
    pub fn missed_night(&self, due: Timestamp) -> Result<bool, StoreError> {
        let last = RunRecord::last(&self.store)?.map_or(0, |run| run.number);
        for number in (1..=last).rev().take(RUNS_BACK) {
            let run = RunRecord::of(&self.store, number)?;
            if let Some(night) = run.filter(|run| run.nightly && run.sites.is_empty()) {
                return Ok(night.started_at < due);
            }
        }
        Ok(false)
    }

    /// The day that is judged when no run says it.
    pub fn present_point(&self) -> Date {
        self.day(self.settings.monitoring_point.unwrap_or_else(Timestamp::now))
    }

    /// The sites of a run that are still in the register.
    pub(crate) fn sites<'s>(&'s self, run: &RunRecord) -> impl Iterator<Item = &'s Site> + use<'s> {
        let run = run.clone();
        self.settings.sites.iter().filter(move |site| run.covers(&site.id))
    }

    fn last_run(&self) -> Result<RunRecord, EngineError> {
        RunRecord::last(&self.store)?.ok_or_else(|| EngineError::NothingCrawled(self.settings.data.clone()))
    }

    /// Turns for single visits of a client, to none of the hosts that asked to wait.
    pub(crate) fn turns(&self, fetcher: &Fetcher) -> Result<Turns, StoreError> {
        let Settings { politeness, sites, .. } = &self.settings;
        let turns = Turns::new(politeness.clone(), fetcher.resolver().clone(), self.turns.clone());
        for host in sites.iter().map(|site| site.url.host_key()) {
            if let Some(time) = asked_to_wait(&self.store, &host)? {
                turns.leave_alone(host, time);
            }
        }
        Ok(turns)
    }

    /// Whether the last run is of all sites, not of some that were named.
    pub fn looked_at_all(&self) -> Result<bool, EngineError> {
        let run = self.last_run()?;
        Ok(self.settings.sites.iter().all(|site| run.covers(&site.id)))
    }

    /// A moment as a day in the zone.
    pub(crate) fn day(&self, at: Timestamp) -> Date {
        self.settings.zone.to_datetime(at).date()
    }

    /// The current findings of a site (those that are not gone), sorted by id.
    pub fn findings(&self, site: &SiteId) -> Result<Vec<Finding>, EngineError> {
        let all = life::all(&self.store, site)?;
        Ok(all.into_iter().filter(|finding| finding.state != FindingState::Gone).collect())
    }

    /// Says that everything the last run found is kept: alerts of it can be sent.
    pub fn end_look(&self) -> Result<(), EngineError> {
        let run = self.last_run()?;
        self.tally(&run)?;
        Ok(changes::end_look(&self.store, run.started_at, run.number)?)
    }

    /// Ends the run: the next crawl begins a new one.
    pub fn finish(&self) -> Result<(), EngineError> {
        let mut run = self.last_run()?;
        run.finished = run.crawl.finished;
        run.save(&self.store)?;
        Ok(run::forget_details(&self.store, run.number)?)
    }
}
