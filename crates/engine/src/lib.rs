//! The nightly run: what follows what, and how it goes on after an interruption.
//!
//! crawl → scan → judge → report. Each step reads what the one before it kept in the store, so
//! each can be run alone, and a run that was killed goes on where it was acknowledged.

mod accounts;
mod archive;
mod assessments;
mod cases;
mod changes;
mod crawling;
mod homes;
mod import;
mod in_order;
mod ipv6;
mod judging;
mod life;
mod maintain;
mod measure;
mod monitor;
mod noticing;
mod pictures;
mod posts;
mod recheck;
mod reporting;
mod run;
mod searches;
mod tally;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use xunjian_crawl::{CrawlLimits, Incremental, Politeness, SiteLearnt, TurnBook, Turns};
use xunjian_dict::{Dictionary, Matcher};
use xunjian_fetch::{FetchLimits, Fetcher, Network};
use xunjian_judge::{Calendar, Catalogue};
use xunjian_model::{Finding, FindingState, Host, HostRecord, Kind, LinkState, Offer, Site, SiteId};
use xunjian_scan::{
    Beyond, ColumnClass, ColumnReport, FindingLimits, KnownPage, LinkStates, Overdue, ScanSetup, SiteInput,
    Untold, Vocabularies,
};
use xunjian_store::{Space, Store, StoreError};

pub use accounts::{Ledger, MEDIA, MediaImport};
pub use archive::{FoundPage, Looked, TriedPage};
pub use assessments::Assessed;
pub use cases::{Action, CaseError, Filed, Hand, Proposal, Wanted};
pub use changes::{Change, Entry, UnknownChange, change_at, current_findings, finding, next_change, verdict};
pub use crawling::{CrawlExtras, CrawlSummary, work};
pub use import::{ImportError, Imported};
pub use judging::QuarterJudged;
pub use maintain::compact;
pub use measure::{Cpu, StepCost};
pub use monitor::{Held, Monitor, MonitorSettings, Outage, Probe, Round};
pub use posts::FeedFault;
pub use recheck::Rechecked;
pub use reporting::WrittenReport;
pub use run::RunRecord;
pub use searches::SiteSearch;
pub use tally::{Latest, RunTotals, Tally, place_of};
pub use xunjian_cluster::{Cluster, ClusterError};

/// Sites that are scanned at once: while one thread puts a site together, the others read the next one's pages.
const SITES_AT_ONCE: usize = 2;

/// How many a scan looks at: no more than it has threads.
pub(crate) fn sites_at_once(setup: &ScanSetup) -> usize {
    setup.pool.current_num_threads().min(SITES_AT_ONCE)
}

/// Runs among which the one before of a site, or the newest one that looked at it, is sought.
const RUNS_BACK: usize = 100;

/// Kinds that other steps look for than the scan.
const NOT_OF_THE_SCAN: [Kind; 3] = [Kind::SearchMiss, Kind::MediaStale, Kind::MediaZombie];

/// Everything a run needs, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Data folder.
    pub data: PathBuf,
    /// Sites.
    pub sites: Vec<Site>,
    /// Zone of dates without one.
    pub zone: TimeZone,
    /// The moment all windows are counted back from; `None`: the run's start.
    pub monitoring_point: Option<Timestamp>,
    /// Client limits.
    pub fetch: FetchLimits,
    /// Names, proxy and trust.
    pub network: Network,
    /// Politeness.
    pub politeness: Politeness,
    /// Crawl limits.
    pub crawl: CrawlLimits,
    /// A browser for pages that scripts fill.
    pub render: Option<xunjian_crawl::RenderSetup>,
    /// Ask for pages that seldom change less often; `None`: for every page every night.
    pub incremental: Option<Incremental>,
    /// Whether unchanged pages get a `revisit` record each night.
    pub revisit_records: bool,
    /// Newest versions of each page that `store compact` keeps; 0: all.
    pub versions_max: usize,
    /// Address at which counters are offered to a monitoring system.
    pub metrics: Option<std::net::SocketAddr>,
    /// Page limits.
    pub page: xunjian_page::Limits,
    /// How many findings are told.
    pub findings: FindingLimits,
    /// Dictionaries, shipped and own.
    pub dictionaries: Vec<Dictionary>,
    /// Typos by statistics; `None`: not looked for.
    pub typo_model: Option<Arc<xunjian_spell::Model>>,
    /// Indicators.
    pub catalogue: Catalogue,
    /// Working days.
    pub calendar: Calendar,
    /// The availability monitor.
    pub monitor: MonitorSettings,
    /// The ledger of accounts that is taken with every scan; `None`: the one that was imported.
    pub ledger: Option<Ledger>,
    /// Read the feeds of the ledger in every run.
    pub feeds: bool,
    /// Ask each site's own search for known pages.
    pub search: bool,
    /// What the office writes into its notices.
    pub notice: xunjian_report::NoticeSettings,
    /// When the nightly run begins; for whoever keeps the schedule.
    pub nightly: Option<jiff::civil::Time>,
    /// Threads of the scan; 0: one per core.
    pub threads: usize,
    /// The machines that crawl; `None`: this one.
    pub cluster: Option<Cluster>,
}

/// Why a step could not be done.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The client could not be set up.
    #[error(transparent)]
    Client(#[from] xunjian_fetch::SetupError),
    /// The crawl ended early.
    #[error(transparent)]
    Crawl(#[from] xunjian_crawl::CrawlError),
    /// The cluster does not do what was asked.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A worker has nobody to work for.
    #[error("there is no [cluster] in the configuration; see docs/cluster.md")]
    NoCluster,
    /// The scan ended early.
    #[error(transparent)]
    Scan(#[from] xunjian_scan::ScanError),
    /// The dictionaries could not be compiled.
    #[error(transparent)]
    Dictionaries(#[from] xunjian_dict::CompileError),
    /// The report could not be written.
    #[error(transparent)]
    Report(#[from] xunjian_report::ReportError),
    /// A step that needs an earlier one.
    #[error("nothing was crawled yet in {}; run `xunjian crawl` or `xunjian run` first", .0.display())]
    NothingCrawled(PathBuf),
    /// A year whose holidays are not known.
    #[error(transparent)]
    Calendar(#[from] xunjian_judge::UnknownYear),
    /// Something else has to be ended first.
    #[error("{0}")]
    Unfinished(&'static str),
    /// The threads of the scan could not be started.
    #[error("cannot start the scan's threads: {0}")]
    Threads(String),
}

impl EngineError {
    /// Whether the data folder, not the configuration, is at fault.
    pub fn is_store_trouble(&self) -> bool {
        matches!(
            self,
            Self::Store(_)
                | Self::Crawl(_)
                | Self::Cluster(ClusterError::Store(_) | ClusterError::Crawl(_))
                | Self::Scan(xunjian_scan::ScanError::Store(_))
                | Self::Report(xunjian_report::ReportError::Write { .. })
        )
    }
}

/// What a site's scan leaves for the judge and the report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteSummary {
    /// Pages looked at.
    pub pages: u64,
    /// Of them, those whose kept digest was used.
    pub kept: u64,
    /// Bytes of text read anew.
    pub text_bytes: u64,
    /// Newest dated item on the home page.
    pub home_newest: Option<Date>,
    /// Columns.
    pub columns: Vec<ColumnReport>,
    /// Service guides.
    pub guides: u64,
    /// Messages that are shown.
    pub messages: u64,
    /// Newest day one was answered.
    pub newest_answer: Option<Date>,
    /// Pages to ask the site's search for.
    pub known: Vec<KnownPage>,
    /// Policy documents of the window that is looked at.
    pub documents: u64,
    /// What a rule asks for and was found.
    pub offers: Vec<Offer>,
    /// Places of faults that are no findings of their own, since there are too many of the same.
    pub beyond: u64,
    /// Pages with so many findings that they were not looked at to the end.
    pub cut: u64,
}

/// Words, links and labels that a scan's summary names of those that stand at too many places.
const MOST_BEYOND: usize = 10;

/// What a scan found, in counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ScanSummary {
    /// Pages looked at.
    pub pages: u64,
    /// Of them, those whose kept digest was used.
    pub kept: u64,
    /// Bytes of text read anew.
    pub text_bytes: u64,
    /// Findings seen in this run.
    pub findings: u64,
    /// Of these, first seen in this run.
    pub new: u64,
    /// Seen before and gone now.
    pub gone: u64,
    /// Places of faults that are no findings of their own, since there are too many of the same.
    pub beyond: u64,
    /// The most of them by site.
    pub most_beyond: Vec<SiteBeyond>,
}

/// A word, link or label that stands at more places of a site than are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SiteBeyond {
    /// The site.
    pub site: SiteId,
    /// What, and how often.
    #[serde(flatten)]
    pub beyond: Beyond,
}

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
}

impl Engine {
    /// Opens the store of the settings.
    pub fn open(settings: Settings) -> Result<Self, EngineError> {
        let store = Arc::new(Store::open(&settings.data)?);
        Ok(Self { store, settings, turns: TurnBook::default() })
    }

    /// Another one over the same store, with other settings; both keep one limit towards hosts and addresses.
    pub fn with(&self, settings: Settings) -> Self {
        Self { store: Arc::clone(&self.store), settings, turns: self.turns.clone() }
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

    // ---- scan -------------------------------------------------------------------------------

    /// Scans every site of the last run; `each` is told of each site that is done. `fresh` looks
    /// at every page again, also where what was found before still holds.
    pub fn scan(&self, fresh: bool, each: impl Fn(&Site) + Sync) -> Result<ScanSummary, EngineError> {
        let run = self.last_run()?;
        let setup = self.scan_setup(&run, fresh)?;
        let states =
            LinkStates::read(&self.store, self.settings.sites.iter().map(|site| &site.id), &setup.pool)?;
        let (mut total, mut lives) = (ScanSummary::default(), life::Lives::default());
        let sites: Vec<&Site> = self.sites(&run).collect();
        let scan_one = |site: &&Site| {
            let input = self.site_input(&run, site)?;
            let scan = xunjian_scan::scan_site(&self.store, site, &input, &states, &setup)?;
            Ok((input, scan))
        };
        in_order::in_order(&sites, sites_at_once(&setup), scan_one, |site, (input, mut scan)| {
            let crawl = xunjian_crawl::site_crawl(&self.store, run.number, &site.id)?;
            let whole = run.crawl.finished && !crawl.is_incomplete();
            // The scan of a site that did not open tells nothing but that.
            let complete = !crawl.home.as_ref().is_some_and(LinkState::is_unreachable);
            let summary = judging::summary_of(&scan);
            let found = std::mem::take(&mut scan.findings);
            let untold = Untold::of(&scan, &self.store, (site, &input), &states);
            let scope = |finding: &Finding| {
                let kind = &finding.kind;
                !NOT_OF_THE_SCAN.contains(kind)
                    && !crawl.unknown.contains(kind)
                    && (whole || self.was_visited(finding, &run))
                    && !untold.has(finding)
            };
            let (at, day) = (run.started_at, self.day(run.started_at));
            let seen = |finding: &Finding| untold.was_seen(finding);
            let look = life::Look { at, day, complete, between: false, scope: &scope, seen: &seen };
            lives += life::live(&self.store, &site.id, found, &look)?;
            total.pages += summary.pages;
            total.kept += summary.kept;
            total.text_bytes += summary.text_bytes;
            total.beyond += summary.beyond;
            let most = scan.beyond.iter().take(MOST_BEYOND).cloned();
            total.most_beyond.extend(most.map(|beyond| SiteBeyond { site: site.id.clone(), beyond }));
            let mut batch = self.store.begin();
            batch.put(
                Space::Run,
                &run::key(b"summary", run.number, &site.id).each_ref().map(Vec::as_slice),
                &summary,
            )?;
            batch.commit()?;
            each(site);
            Ok(())
        })?;
        self.take_ledger()?;
        total.most_beyond.sort_by_key(|one| std::cmp::Reverse(one.beyond.places));
        total.most_beyond.truncate(MOST_BEYOND);
        lives += self.scan_media(self.point(&run), run.started_at)?;
        (total.findings, total.new, total.gone) = (lives.current, lives.new, lives.gone);
        Ok(total)
    }

    /// Whether a finding's page was visited in a run.
    fn was_visited(&self, finding: &Finding, run: &RunRecord) -> bool {
        // What cannot be read was not seen.
        let record = self.store.url(Some(&finding.site), &finding.url).ok().flatten();
        record.is_some_and(|record| record.run == run.number && record.left_out.is_none())
    }

    /// What a scan of a run is made with.
    pub(crate) fn scan_setup(&self, run: &RunRecord, fresh: bool) -> Result<ScanSetup, EngineError> {
        let settings = &self.settings;
        let catalogue = &settings.catalogue;
        let classes = catalogue.classes.iter().map(|class| ColumnClass {
            id: class.id.clone(),
            words: class.words.clone(),
            max_age: class.max_age(),
        });
        let point = self.point(run);
        Ok(ScanSetup {
            matcher: Matcher::new(&settings.dictionaries)?,
            typo_model: settings.typo_model.clone(),
            point,
            run_at: run.started_at,
            home_age: catalogue.home_days().days(),
            classes: classes.collect(),
            documents_age: catalogue
                .indicator("D5")
                .and_then(|one| one.span())
                .unwrap_or_else(|| 12.months()),
            overdue: self.overdue(point),
            as_of: None,
            page: settings.page,
            findings: settings.findings,
            fresh,
            pool: self.pool()?,
            vocabularies: Vocabularies::default(),
        })
    }

    /// Whether a message took too long: unanswered, or answered within the window, after more working
    /// days than the catalogue allows. In a year whose holidays are not known, three weeks.
    fn overdue(&self, point: Date) -> Overdue {
        const UNKNOWN_YEAR_DAYS: i32 = 21;
        let indicator = self.settings.catalogue.indicator("D12");
        let days = indicator.and_then(|one| one.limit_working_days).unwrap_or(15);
        let window = indicator.and_then(|one| one.span()).unwrap_or_else(|| 12.months());
        let begin = point.saturating_sub(window);
        let calendar = self.settings.calendar.clone();
        let newest = calendar.before(point, days);
        if let Err(error) = &newest {
            tracing::warn!(%error, "working days are counted as three weeks");
        }
        let newest = newest.unwrap_or_else(|_| point.saturating_sub(UNKNOWN_YEAR_DAYS.days()));
        Overdue(Arc::new(move |asked, answered| match answered {
            None => asked <= newest,
            Some(answered) if asked < begin || answered <= asked => false,
            Some(answered) => match calendar.between(asked, answered) {
                Ok(worked) => worked > days,
                Err(_) => answered > asked.saturating_add(UNKNOWN_YEAR_DAYS.days()),
            },
        }))
    }

    pub(crate) fn site_input(&self, run: &RunRecord, site: &Site) -> Result<SiteInput, EngineError> {
        let crawl = xunjian_crawl::site_crawl(&self.store, run.number, &site.id)?;
        let mut canonical = SiteLearnt::read(&self.store, &site.id)?.canonical;
        canonical.drop_parameters.extend(site.drop_parameters.iter().map(|name| name.to_ascii_lowercase()));
        Ok(SiteInput {
            home: crawl.home,
            ipv6: crawl.ipv6,
            names: crawl.names,
            browsers: crawl.browsers,
            canonical,
        })
    }

    pub(crate) fn pool(&self) -> Result<rayon::ThreadPool, EngineError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.settings.threads).build();
        pool.map_err(|error| EngineError::Threads(error.to_string()))
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
        Ok(run.save(&self.store)?)
    }
}
