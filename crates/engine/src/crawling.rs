//! The crawl of a run: on this machine, or by the workers of a cluster.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xunjian_cluster::Worker;
use xunjian_crawl::{Counts, CrawlEnd, CrawlSetup, Progress, Renderer, Share, StopSignal, TurnBook};
use xunjian_fetch::Fetcher;
use xunjian_model::{LinkState, SiteId};
use xunjian_report::Language;

use crate::{Engine, EngineError, RunRecord, Settings};

/// Nights like the last one for which there has to be room on the disk.
const NIGHTS_AHEAD: u64 = 14;
/// Hosts outside that could not be reached, none that answered, with which it is not theirs.
const OUTSIDE_MIN: u64 = 10;

/// How a crawl step ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrawlSummary {
    /// Pages fetched whole.
    pub pages: u64,
    /// Pages unchanged by 304.
    pub not_modified: u64,
    /// Pages fetched whole with the same hash.
    pub same_hash: u64,
    /// Links, resources and outside addresses checked.
    pub checked: u64,
    /// Exchanges without an answer.
    pub failed: u64,
    /// Bytes of decoded bodies.
    pub body_bytes: u64,
    /// Bytes received on the wire.
    pub wire_received: u64,
    /// Bytes sent on the wire.
    pub wire_sent: u64,
    /// Requests sent.
    pub requests: u64,
    /// The queue was worked off.
    pub finished: bool,
}

/// What came later of a crawl's counts; kept beside [`CrawlSummary`], whose records are older.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrawlExtras {
    /// Answers that asked to wait, and refusals that say 200.
    pub limited: u64,
    /// Pages that were kept before and are gone.
    pub deleted: u64,
    /// Pages seen through a browser.
    pub rendered: u64,
    /// Answers of hosts outside all sites.
    pub outside_answers: u64,
    /// Hosts outside that could not be reached, as far as they were counted.
    pub outside_unreached: u64,
}

impl CrawlExtras {
    fn add(&mut self, progress: &Progress, counts: &Counts) {
        self.limited += counts.limited;
        self.deleted += counts.deleted;
        self.rendered += counts.rendered;
        self.outside_answers += Progress::read(&progress.outside_answers);
        self.outside_unreached += Progress::read(&progress.outside_unreached);
    }

    /// Whether hosts outside can be reached at all, from where we are.
    pub fn reaches_outside(&self) -> bool {
        self.outside_answers > 0 || self.outside_unreached < OUTSIDE_MIN
    }
}

impl Engine {
    /// Whether the last nightly run crawled everything and was interrupted after that: then the
    /// next one need not crawl again.
    pub fn is_crawled(&self) -> Result<bool, EngineError> {
        let last = RunRecord::last(&self.store)?;
        Ok(last.is_some_and(|run| run.nightly && run.crawl.finished && !run.finished))
    }

    /// When the last night began, if it was interrupted before its end.
    pub fn interrupted(&self) -> Result<Option<Timestamp>, EngineError> {
        let last = RunRecord::last(&self.store)?;
        Ok(last.filter(|run| run.nightly && !run.finished).map(|run| run.started_at))
    }

    /// Crawls; goes on with the last run when its crawl was interrupted. `only` names the sites
    /// of a new run, empty for all; `nightly` says that the other steps follow.
    pub async fn crawl(
        &self,
        only: &[SiteId],
        nightly: bool,
        progress: Arc<Progress>,
        stop: StopSignal,
    ) -> Result<CrawlSummary, EngineError> {
        let settings = &self.settings;
        self.store.has_room()?;
        let free = self.store.free_bytes()?;
        let (mut run, fresh) = self.begin(only, nightly)?;
        let setup = self.crawl_setup(&run)?;
        let sites: Vec<&SiteId> = self.sites(&run).map(|site| &site.id).collect();
        xunjian_crawl::forget_waiting(&self.store, run.number, &sites)?;
        // By day people want to know how things stand.
        let by_night = nightly.then(|| stop.until_morning(&settings.politeness, &settings.crawl));
        let stop = by_night.as_ref().map_or(stop, |until| until.stop.clone());
        let fetcher = Fetcher::new(settings.fetch.clone(), &settings.network)?;
        let store = Arc::clone(&self.store);
        let end = match &settings.cluster {
            None => xunjian_crawl::crawl(store, fetcher.clone(), setup, Arc::clone(&progress), stop).await?,
            Some(cluster) => {
                let client = (&fetcher, &settings.fetch);
                xunjian_cluster::collect(cluster, store, client, setup, Arc::clone(&progress), stop).await?
            }
        };
        let counts = Counts::now(&progress, &fetcher);
        let summary = summary_of(&counts, end);
        run.crawl.add(&summary);
        run.extras.add(&progress, &counts);
        match end {
            CrawlEnd::Done => self.look_at_homes(&run).await?,
            CrawlEnd::Stopped | CrawlEnd::LineDown(_) | CrawlEnd::ClockOff(_) => {
                xunjian_crawl::note_waiting(&self.store, run.number, &sites)?;
            }
        }
        if let CrawlEnd::ClockOff(ahead) = end
            && let Ok(right) = Timestamp::now().checked_sub(ahead)
            && (fresh || run.started_at > right)
        {
            // It is what findings are dated by.
            run.started_at = xunjian_model::kept_moment(right);
        }
        run.crawl.finished = summary.finished;
        run.save(&self.store)?;
        self.not_halted(end)?;
        // The first night takes more than any other.
        if run.number > 1 && summary.finished {
            self.look_ahead(free)?;
        }
        Ok(summary)
    }

    /// The run that is crawled for, with its queue, and whether it begins only now.
    fn begin(&self, only: &[SiteId], nightly: bool) -> Result<(RunRecord, bool), EngineError> {
        let mut run = RunRecord::begin_or_resume(&self.store, only, nightly)?;
        if self.store.is_queue_lost()? {
            run.seeded = false;
            run.save(&self.store)?;
            self.store.queue_restored()?;
        }
        let fresh = !run.seeded;
        if fresh {
            let (setup, sites) = (self.crawl_setup(&run)?, &self.settings.sites);
            if sites.iter().all(|site| run.covers(&site.id)) {
                xunjian_crawl::divide(&self.store, sites)?;
                xunjian_crawl::reread(&self.store, &setup, run.started_at)?;
            }
            xunjian_crawl::seed(&self.store, &setup, run.started_at)?;
            run.seeded = true;
            run.save(&self.store)?;
        }
        Ok((run, fresh))
    }

    /// What is looked at once a crawl is over.
    async fn look_at_homes(&self, run: &RunRecord) -> Result<(), EngineError> {
        if !run.extras.reaches_outside() {
            tracing::warn!(
                "no host outside could be reached: nothing is said of links there; where no way leads outside, set `crawl.outside = false`"
            );
        }
        if self.settings.network.proxy.is_none() {
            self.check_ipv6(run).await?;
        }
        self.check_homes(run).await
    }

    /// Warns while there still is room for some nights like this one, which began with so many free bytes.
    fn look_ahead(&self, before: u64) -> Result<(), EngineError> {
        let after = self.store.free_bytes()?;
        let (taken, left) =
            (before.saturating_sub(after), after.saturating_sub(self.settings.free_bytes_min));
        let nights = left / taken.max(1);
        if nights < NIGHTS_AHEAD {
            let free_mib = after >> 20;
            tracing::warn!(
                free_mib,
                nights,
                "the disk is nearly full: it has room for few more nights like this one"
            );
        }
        Ok(())
    }

    /// An error if a crawl was ended by what is wrong with this machine. People are told times in the zone of dates.
    pub(crate) fn not_halted(&self, end: CrawlEnd) -> Result<(), EngineError> {
        let local = |at: Timestamp| {
            let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
            self.settings.zone.to_datetime(at)
        };
        match end {
            CrawlEnd::Done | CrawlEnd::Stopped => Ok(()),
            CrawlEnd::LineDown(since) => Err(EngineError::LineDown(local(since))),
            CrawlEnd::ClockOff(ahead) => {
                let ours = Timestamp::now();
                let servers = ours.checked_sub(ahead).unwrap_or(ours);
                Err(EngineError::ClockOff { ours: local(ours), servers: local(servers) })
            }
        }
    }

    pub(crate) fn crawl_setup(&self, run: &RunRecord) -> Result<CrawlSetup, EngineError> {
        let setup = crawl_setup(&self.settings, run.number, |site| run.covers(site))?;
        Ok(CrawlSetup { turns: self.turns.clone(), ..setup })
    }

    /// Sites of which the last run did not see pages that it should have seen, with the reasons for people.
    pub fn incomplete(&self, language: Language) -> Result<Vec<(SiteId, Vec<String>)>, EngineError> {
        let run = self.last_run()?;
        let mut incomplete = Vec::new();
        for site in self.sites(&run) {
            let unseen = self.unseen(run.number, &site.id, language)?;
            if !unseen.is_empty() {
                incomplete.push((site.id.clone(), unseen));
            }
        }
        Ok(incomplete)
    }

    /// Why a run did not see all of a site, for people; nothing if it did.
    pub fn unseen(&self, run: u32, site: &SiteId, language: Language) -> Result<Vec<String>, EngineError> {
        let crawl = xunjian_crawl::site_crawl(&self.store, run, site)?;
        let missed = crawl
            .missed()
            .map(|(word, count)| format!("{} {count}", xunjian_report::left_out(word, language)));
        let home = match &crawl.home {
            Some(LinkState::Ok) => None,
            Some(state) => Some(xunjian_report::own_state(&state.describe(), language)),
            None => {
                Some(if language == Language::Zh { "首页未访问" } else { "home page not visited" }.to_owned())
            }
        };
        Ok(home.into_iter().chain(missed).collect())
    }
}

/// What a crawl did, as it ended.
fn summary_of(counts: &Counts, end: CrawlEnd) -> CrawlSummary {
    CrawlSummary {
        pages: counts.pages,
        not_modified: counts.not_modified,
        same_hash: counts.same_hash,
        checked: counts.checked,
        failed: counts.failed,
        body_bytes: counts.body_bytes,
        wire_received: counts.wire_received,
        wire_sent: counts.wire_sent,
        requests: counts.requests,
        finished: end == CrawlEnd::Done,
    }
}

/// How the sites of a run are crawled.
fn crawl_setup(
    settings: &Settings,
    run: u32,
    covers: impl Fn(&SiteId) -> bool,
) -> Result<CrawlSetup, EngineError> {
    let content = Arc::new(xunjian_scan::ContentCheck::new(&settings.dictionaries)?);
    let second_look = Arc::clone(&content);
    let browser = settings.render.is_some();
    Ok(CrawlSetup {
        sites: settings.sites.iter().filter(|site| covers(&site.id)).cloned().collect(),
        run,
        limits: settings.crawl.clone(),
        politeness: settings.politeness.clone(),
        turns: TurnBook::default(),
        page: settings.page,
        revisit_records: settings.revisit_records,
        renderer: settings.render.clone().map(|setup| Arc::new(Renderer::new(setup))),
        incremental: settings.incremental,
        content_check: Arc::new(move |facts, target| content.look(facts, target)),
        home_check: Arc::new(move |home| xunjian_scan::lacks_marks(home, browser)),
        second_look: Arc::new(move |first, second| second_look.differs(first, second)),
        control: settings.monitor.control.clone(),
        follow: true,
    })
}

/// Works for the cluster of the settings until a stop is asked; with `once` until a night is over. Stores of
/// its shares lie in `scratch`; `each` is told of them when they come and go.
pub async fn work(
    settings: &Settings,
    scratch: &Path,
    once: bool,
    each: &(dyn Fn(&[&Share]) + Sync),
    stop: StopSignal,
) -> Result<(), EngineError> {
    let cluster = settings.cluster.as_ref().ok_or(EngineError::NoCluster)?;
    let worker = Worker {
        scratch,
        once,
        setup: CrawlSetup { renderer: None, ..crawl_setup(settings, 0, |_| true)? },
        render: settings.render.clone(),
        fetch: settings.fetch.clone(),
        network: settings.network.clone(),
        shares: each,
    };
    Ok(xunjian_cluster::work(cluster, worker, stop).await?)
}
