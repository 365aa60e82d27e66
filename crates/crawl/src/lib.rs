//! Fetch scheduling: one worker a host, politeness, robots.txt, site maps, soft 404.
//!
//! Workers ask the frontier for items, keep to the host's limits, and hand outcomes to one
//! writer that keeps them in batches. Everything between them is bounded; the crawl's memory
//! does not grow with its size.

mod host;
mod politeness;
mod progress;
mod robots;
mod sitemap;
mod soft404;
mod visit;
mod window;
mod writer;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinSet;
use xunjian_fetch::Fetcher;
use xunjian_frontier::{EmbeddedFrontier, Frontier, Item};
use xunjian_model::{Facts, Host, LinkState, PageUrl, Site, SiteId, Target};
use xunjian_store::{Space, Store, StoreError};

pub use politeness::Politeness;
pub use progress::Progress;
pub use robots::Robots;
pub use window::{Window, WindowError};

/// Limits of a crawl.
#[derive(Clone, Debug)]
pub struct CrawlLimits {
    /// Pages of a site.
    pub pages_max: u64,
    /// Links followed from the home page.
    pub depth_max: u16,
    /// Fetches under way at once, over all hosts.
    pub in_flight_max: usize,
    /// Pause before a failed address is asked once more.
    pub retry_pause: Duration,
    /// Whether links to hosts outside every site are checked; off for a network that reaches none.
    pub outside: bool,
    /// Failures to connect in a row after which a host is left alone for this run.
    pub failures_max: u32,
}

impl Default for CrawlLimits {
    fn default() -> Self {
        Self {
            pages_max: 1_000_000,
            depth_max: 5_000,
            in_flight_max: 64,
            retry_pause: Duration::from_secs(2),
            outside: true,
            failures_max: 8,
        }
    }
}

/// Looks at a page outside, or one that may say "not found": what state it shows, if not "ok".
pub type ContentCheck = Arc<dyn Fn(&Facts, Target) -> Option<LinkState> + Send + Sync>;

/// What a crawl needs.
#[derive(Clone)]
pub struct CrawlSetup {
    /// Sites to crawl.
    pub sites: Vec<Site>,
    /// Number of the run.
    pub run: u32,
    /// Limits.
    pub limits: CrawlLimits,
    /// Politeness towards every host.
    pub politeness: Politeness,
    /// Limits of one page's extraction.
    pub page: xunjian_page::Limits,
    /// Content check.
    pub content_check: ContentCheck,
}

/// How the crawl of one site went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteCrawl {
    /// Visits to pages.
    pub visits: u64,
    /// Visits in which the site did not open.
    pub failed_visits: u64,
    /// What the home page's last visit showed; `None` when it was not visited.
    pub home: Option<LinkState>,
    /// The site has an IPv6 address; `None` when its name did not resolve.
    pub ipv6: Option<bool>,
    /// Why pages were left out: limits, robots.txt, a host that stopped answering.
    pub left_out: BTreeMap<String, u64>,
}

impl SiteCrawl {
    /// Whether pages that should have been visited were not.
    pub fn is_incomplete(&self) -> bool {
        self.home.as_ref().is_none_or(|home| *home != LinkState::Ok)
            || self.left_out.keys().any(|reason| reason != "robots")
    }
}

/// Asks a crawl to stop soon; it keeps what it has and can be resumed.
#[derive(Clone, Debug, Default)]
pub struct StopSignal(Arc<(AtomicBool, Notify)>);

impl StopSignal {
    /// Asks.
    pub fn stop(&self) {
        self.0.0.store(true, Ordering::Relaxed);
        self.0.1.notify_waiters();
    }

    /// Whether it was asked.
    pub fn is_stopped(&self) -> bool {
        self.0.0.load(Ordering::Relaxed)
    }

    /// Sleeps, but no longer than until it is asked.
    async fn sleep(&self, duration: Duration) {
        let asked = self.0.1.notified();
        if !self.is_stopped() {
            let _ = tokio::time::timeout(duration, asked).await;
        }
    }
}

/// Why a crawl ended early.
#[derive(Debug, thiserror::Error)]
pub enum CrawlError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The writer ended without a word.
    #[error("the crawl's writer ended unexpectedly")]
    Writer,
}

/// How a crawl ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrawlEnd {
    /// Nothing is left in the queue.
    Done,
    /// It was asked to stop; the queue is kept.
    Stopped,
}

/// What every worker shares.
pub(crate) struct Shared {
    setup: CrawlSetup,
    store: Arc<Store>,
    frontier: EmbeddedFrontier,
    fetcher: Fetcher,
    progress: Arc<Progress>,
    stop: StopSignal,
    in_flight: Arc<Semaphore>,
    by_host: HashMap<String, usize>,
    outcomes: mpsc::Sender<writer::Outcome>,
}

impl Shared {
    /// Whether an exchange is under way.
    fn is_fetching(&self) -> bool {
        self.in_flight.available_permits() < self.setup.limits.in_flight_max
    }

    fn owner(&self, url: &PageUrl) -> Option<&Site> {
        self.by_host.get(url.host()).map(|&at| &self.setup.sites[at])
    }
}

/// Queues what a new run begins with: every seed and every address known from earlier runs.
/// Doing it twice changes nothing, so an interrupted seeding is simply done again.
pub fn seed(store: &Arc<Store>, setup: &CrawlSetup, now: Timestamp) -> Result<(), StoreError> {
    const BATCH: usize = 4_096;
    let frontier = EmbeddedFrontier::new(Arc::clone(store));
    let owners = setup.sites.iter().map(|site| Some(&site.id)).chain(std::iter::once(None));
    let mut batch = store.begin();
    for site in &setup.sites {
        let seed =
            Item { url: site.url.clone(), site: Some(site.id.clone()), target: Target::Page, depth: 0 };
        if !store.knows(Some(&site.id), site.url.as_str())? {
            let record = xunjian_model::UrlRecord::discovered(Some(site.id.clone()), Target::Page, 0, now);
            batch.put_url(Some(&site.id), site.url.as_str(), &record)?;
        }
        frontier.put(&mut batch, &seed)?;
    }
    let mut count = 0;
    for owner in owners {
        for row in store.urls(owner) {
            let (url, record) = row?;
            let Ok(url) = PageUrl::parse(&url) else { continue };
            if record.run == setup.run {
                continue;
            }
            let item = Item { url, site: owner.cloned(), target: record.target, depth: record.depth };
            frontier.put(&mut batch, &item)?;
            count += 1;
            if count % BATCH == 0 {
                batch.commit()?;
                batch = store.begin();
            }
        }
    }
    batch.commit()
}

/// Crawls until the queue is empty or a stop is asked. Outcomes are in the store.
pub async fn crawl(
    store: Arc<Store>,
    fetcher: Fetcher,
    setup: CrawlSetup,
    progress: Arc<Progress>,
    stop: StopSignal,
) -> Result<CrawlEnd, CrawlError> {
    let by_host = setup
        .sites
        .iter()
        .enumerate()
        .flat_map(|(at, site)| {
            let own = std::iter::once(site.url.host().to_owned());
            own.chain(site.hosts.iter().map(|host| host.to_ascii_lowercase())).map(move |host| (host, at))
        })
        .collect();
    let (outcomes, inbox) = mpsc::channel(writer::CHANNEL);
    let (commits_to, mut commits) = mpsc::unbounded_channel();
    let shared = Arc::new(Shared {
        frontier: EmbeddedFrontier::new(Arc::clone(&store)),
        in_flight: Arc::new(Semaphore::new(setup.limits.in_flight_max)),
        setup,
        store,
        fetcher,
        progress,
        stop: stop.clone(),
        by_host,
        outcomes,
    });
    let waiting = shared.store.keys(Space::Queue, &[]).count();
    Progress::add(&shared.progress.queued, waiting as u64);
    note_ipv6(&shared).await?;
    let writer = {
        let shared = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("xunjian-writer".to_owned())
            .spawn(move || writer::run(&shared, inbox, &commits_to))
            .map_err(|_| CrawlError::Writer)?
    };

    let mut hosts = host::Hosts::new(Arc::clone(&shared));
    let mut active: HashSet<Host> = HashSet::new();
    let mut again: HashSet<Host> = HashSet::new();
    let mut workers: JoinSet<(Host, u64)> = JoinSet::new();
    let mut uncommitted: i64 = 0;
    let mut failed = None;
    for host in shared.frontier.hosts()? {
        if active.insert(host.clone()) {
            workers.spawn(hosts.worker(host));
        }
    }
    // Workers end when their host has nothing to give; a commit that queued something new for a
    // host wakes it again. The crawl is over when no worker runs and all outcomes are kept.
    while !workers.is_empty() || uncommitted > 0 {
        tokio::select! {
            Some(ended) = workers.join_next(), if !workers.is_empty() => {
                let Ok((host, sent)) = ended else { continue };
                uncommitted += sent as i64;
                if again.remove(&host) && !stop.is_stopped() {
                    workers.spawn(hosts.worker(host));
                } else {
                    active.remove(&host);
                }
            }
            commit = commits.recv() => match commit {
                None => {
                    failed = Some(CrawlError::Writer);
                    break;
                }
                Some(Err(error)) => {
                    failed = Some(CrawlError::Store(error));
                    stop.stop();
                    break;
                }
                Some(Ok(writer::Committed { outcomes, hosts: woken })) => {
                    uncommitted -= outcomes as i64;
                    for host in woken {
                        if stop.is_stopped() {
                            continue;
                        }
                        if active.insert(host.clone()) {
                            workers.spawn(hosts.worker(host));
                        } else {
                            again.insert(host);
                        }
                    }
                }
            },
        }
    }
    if failed.is_some() {
        workers.shutdown().await;
    }
    drop(workers);
    drop(hosts);
    let stopped = stop.is_stopped();
    shared.outcomes.send(writer::Outcome::End).await.ok();
    let ended = tokio::task::spawn_blocking(move || writer.join()).await;
    if let Some(error) = failed {
        return Err(error);
    }
    match ended {
        Ok(Ok(())) => {}
        _ => return Err(CrawlError::Writer),
    }
    Ok(if stopped { CrawlEnd::Stopped } else { CrawlEnd::Done })
}

/// Notes which sites have an IPv6 address (indicator D22).
async fn note_ipv6(shared: &Shared) -> Result<(), StoreError> {
    let mut noted = Vec::new();
    for site in &shared.setup.sites {
        let addresses = shared.fetcher.resolver().addresses(site.url.host()).await;
        let ipv6 = addresses.ok().map(|all| all.iter().any(std::net::IpAddr::is_ipv6));
        let kept = site_crawl(&shared.store, shared.setup.run, &site.id)?;
        noted.push((&site.id, SiteCrawl { ipv6, ..kept }));
    }
    let mut batch = shared.store.begin();
    for (site, crawl) in noted {
        batch.put(Space::Run, &site_key(shared.setup.run, site).each_ref().map(Vec::as_slice), &crawl)?;
    }
    batch.commit()
}

/// How a site's crawl went, as kept with the run.
pub fn site_crawl(store: &Store, run: u32, site: &SiteId) -> Result<SiteCrawl, StoreError> {
    Ok(store.get(Space::Run, &site_key(run, site).each_ref().map(Vec::as_slice))?.unwrap_or_default())
}

/// Key of a site's crawl in a run.
fn site_key(run: u32, site: &SiteId) -> [Vec<u8>; 3] {
    [b"site".to_vec(), format!("{run:010}").into_bytes(), site.as_str().as_bytes().to_vec()]
}
