//! Fetch scheduling: one worker a host, politeness, robots.txt, site maps, soft 404.
//!
//! Workers ask the frontier for items, keep to the host's limits, and hand outcomes to one
//! writer that keeps them in batches. Everything between them is bounded; the crawl's memory
//! does not grow with its size.

mod block_page;
mod clock;
mod gate;
mod hosts;
mod joint;
mod landing;
mod learn;
mod line;
mod log;
mod look;
mod pace;
mod politeness;
mod prepare;
mod progress;
mod register;
mod renderer;
mod rendering;
mod reread;
mod robots;
mod search;
mod second_look;
mod seed;
mod setup;
mod shares;
mod sitemap;
mod sites;
mod traps;
mod turns;
mod visit;
mod waiting;
mod window;
mod worker;
mod writer;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use xunjian_fetch::Fetcher;
use xunjian_frontier::{EmbeddedFrontier, Frontier, Item};
use xunjian_model::{Host, PageUrl, SiteId};
use xunjian_store::{Space, Store, StoreError};

pub use block_page::Refusals;
pub use joint::{Found, Joint, JointPace, Note, Place, Placing, Turn, needs_body};
pub use landing::landing;
pub use log::CrawlLog;
pub use pace::TurnBook;
pub use politeness::{Politeness, Rates, retry_after};
pub use prepare::AGENT;
pub use progress::{Counts, HostProgress, Progress};
pub use register::divide;
pub use renderer::{RenderSetup, Renderer};
pub use reread::reread;
pub use robots::Robots;
pub use search::{Known, Search, SearchHome, SearchSetup, Sought, search_form};
pub use seed::{queue_again, seed};
pub use setup::{
    ContentCheck, CrawlLimits, CrawlSetup, Cut, HomeCheck, Incremental, SecondLook, SiteCrawl, StopSignal,
    UntilMorning,
};
pub use shares::{Share, ShareError, Shares};
pub use sitemap::{Sitemap, parse as parse_sitemap};
pub use sites::SiteLearnt;
pub use traps::shape;
pub use turns::{Turns, ask_twice, state_of};
pub use waiting::{forget_waiting, note_waiting};
pub use window::{Hours, HoursError, Window, WindowError};

use hosts::{HostState, Hosts};
use sites::SiteState;

/// Why a crawl ended early.
#[derive(Debug, thiserror::Error)]
pub enum CrawlError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The writer ended without a word.
    #[error("the crawl's writer ended unexpectedly")]
    Writer,
    /// The texts of refusals cannot be searched for.
    #[error("cannot search for `block_pages`: {0}")]
    BlockPages(#[from] aho_corasick::BuildError),
}

/// How a crawl ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrawlEnd {
    /// Nothing is left in the queue.
    Done,
    /// It was asked to stop; the queue is kept.
    Stopped,
    /// Nobody answered any more, since this moment: our own line seems to be down. The queue is kept.
    LineDown(Timestamp),
    /// Most servers say that this machine's clock is ahead by so much, which may be negative. The queue is kept.
    ClockOff(SignedDuration),
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
    /// Site maps are read one at a time.
    sitemap_turn: Semaphore,
    renderer: Option<Arc<Renderer>>,
    hosts: Hosts,
    line: line::Line,
    clock: clock::Clock,
    sites: BTreeMap<SiteId, SiteState>,
    /// Text of refusals.
    refusals: Refusals,
    /// The sites of each host; several where they have a folder each.
    by_host: HashMap<String, Vec<SiteId>>,
    outcomes: mpsc::Sender<writer::Outcome>,
    /// Outcomes that were handed over and are not acknowledged yet.
    pending: AtomicI64,
    /// Other crawls of the same sites.
    joint: Option<Others>,
}

/// What a crawl knows of the others.
struct Others {
    share: Share,
    shares: Shares,
    pace: Arc<dyn JointPace>,
}

impl Shared {
    /// Whether an exchange is under way.
    fn is_fetching(&self) -> bool {
        self.in_flight.available_permits() < self.setup.limits.in_flight_max
    }

    /// The site an address belongs to.
    fn owner(&self, url: &PageUrl) -> Option<&SiteState> {
        let ids = self.by_host.get(url.host())?;
        ids.iter().filter_map(|id| self.sites.get(id)).find(|state| state.site.in_scope(url))
    }

    /// Whether an item is the home page of its site.
    fn is_home(&self, item: &Item) -> bool {
        item.site.as_ref().and_then(|site| self.sites.get(site)).is_some_and(|site| site.is_home(item))
    }

    /// The sites of a host.
    fn sites_of<'s>(&'s self, host: &'s HostState) -> impl Iterator<Item = &'s SiteState> {
        host.owners.iter().filter_map(|id| self.sites.get(id))
    }

    fn host_of(&self, url: &PageUrl) -> Result<Arc<HostState>, StoreError> {
        let owners = self.by_host.get(url.host()).map_or(&[][..], Vec::as_slice);
        self.hosts.host(&self.store, &url.host_key(), owners)
    }

    fn host(&self, host: &Host) -> Result<Arc<HostState>, StoreError> {
        match PageUrl::parse(&format!("{host}/")) {
            Ok(home) => self.host_of(&home),
            Err(_) => self.hosts.host(&self.store, host, &[]),
        }
    }

    /// Keeps what changed of a host.
    async fn keep_host(&self, host: &HostState) {
        if let Some(kept) = host.take_changed() {
            self.send(writer::Outcome::Host(host.host.clone(), Box::new(kept))).await;
        }
    }

    /// Whether an address belongs to what another crawl works off.
    fn is_for_others(&self, item: &Item) -> bool {
        self.joint.as_ref().is_some_and(|others| others.shares.of_site(item.site.as_ref()) != others.share)
    }

    /// Tells the other crawls that a host asked to wait.
    fn hold_for_all(&self, host: &HostState) {
        if let Some(others) = &self.joint
            && let Some(until) = host.blocked_until()
        {
            others.pace.hold(host.host.to_string(), until.saturating_duration_since(Instant::now()));
        }
    }

    /// Hands an outcome to the writer; false when there is none any more.
    async fn send(&self, outcome: writer::Outcome) -> bool {
        self.pending.fetch_add(1, Ordering::SeqCst);
        self.outcomes.send(outcome).await.is_ok()
    }
}

/// The moment, as it is kept.
pub(crate) fn now() -> Timestamp {
    xunjian_model::kept_moment(Timestamp::now())
}

/// Crawls until the queue is empty or a stop is asked. Outcomes are in the store.
pub async fn crawl(
    store: Arc<Store>,
    fetcher: Fetcher,
    setup: CrawlSetup,
    progress: Arc<Progress>,
    stop: StopSignal,
) -> Result<CrawlEnd, CrawlError> {
    if setup.follow {
        note_ipv6(&store, &fetcher, &setup).await?;
    }
    work_off(store, fetcher, setup, (progress, stop), None).await
}

/// The same for one share of a crawl, over a store that holds nothing else, until nobody can find more for
/// it. Each batch carries a [`Note`] to the store's listener.
pub async fn crawl_jointly(
    store: Arc<Store>,
    fetcher: Fetcher,
    setup: CrawlSetup,
    progress: Arc<Progress>,
    stop: StopSignal,
    joint: Joint,
) -> Result<CrawlEnd, CrawlError> {
    work_off(store, fetcher, setup, (progress, stop), Some(joint)).await
}

async fn work_off(
    store: Arc<Store>,
    fetcher: Fetcher,
    setup: CrawlSetup,
    (progress, stop): (Arc<Progress>, StopSignal),
    joint: Option<Joint>,
) -> Result<CrawlEnd, CrawlError> {
    // What ends this crawl is no reason to end whatever else goes by the signal.
    let (stop, _passing_on) = stop.child();
    let (joint, mut found) = match joint {
        Some(Joint { share, pace, found }) => {
            (Some(Others { share, shares: Shares::new(&setup.sites), pace }), Some(found))
        }
        None => (None, None),
    };
    let mut by_host: HashMap<String, Vec<SiteId>> = HashMap::new();
    for site in &setup.sites {
        for host in site.hosts() {
            by_host.entry(host.to_owned()).or_default().push(site.id.clone());
        }
    }
    let mut sites = BTreeMap::new();
    for site in &setup.sites {
        let crawl = site_crawl(&store, setup.run, &site.id)?;
        let learnt = SiteLearnt::read(&store, &site.id)?;
        let way_in = landing::way_in(&store, site, setup.page)?;
        sites.insert(site.id.clone(), SiteState::new(site.clone(), way_in, learnt, &crawl));
    }
    let log = log::CrawlLog::open(store.folder(), setup.run);
    let (outcomes, inbox) = mpsc::channel(writer::CHANNEL);
    let (commits_to, mut commits) = mpsc::unbounded_channel();
    let shared = Arc::new(Shared {
        frontier: match setup.follow {
            true => EmbeddedFrontier::new(Arc::clone(&store)),
            false => EmbeddedFrontier::again(Arc::clone(&store)),
        },
        in_flight: Arc::new(Semaphore::new(setup.limits.in_flight_max)),
        sitemap_turn: Semaphore::new(1),
        renderer: setup.renderer.clone(),
        hosts: Hosts::new(setup.politeness.clone(), setup.turns.clone()),
        line: line::Line::new(&setup.limits),
        clock: clock::Clock::new(setup.limits.clock_off_max, by_host.len()),
        refusals: Refusals::new(&setup.politeness.block_pages)?,
        sites,
        setup,
        store,
        fetcher,
        progress,
        stop: stop.clone(),
        by_host,
        outcomes,
        pending: AtomicI64::new(0),
        joint,
    });
    shared.progress.watch(Arc::downgrade(&shared));
    Progress::add(&shared.progress.queued, shared.frontier.count() as u64);
    let writer = {
        let shared = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("xunjian-writer".to_owned())
            .spawn(move || writer::run(&shared, inbox, log, &commits_to))
            .map_err(|_| CrawlError::Writer)?
    };

    let mut active: HashSet<Host> = HashSet::new();
    let mut again: HashSet<Host> = HashSet::new();
    let mut workers: JoinSet<Host> = JoinSet::new();
    let mut failed = None;
    for host in shared.frontier.hosts()? {
        if active.insert(host.clone()) {
            workers.spawn(worker::work(Arc::clone(&shared), host));
        }
    }
    // Workers end when their host has nothing to give; a commit that queued something new for a
    // host wakes it again. The crawl is over when no worker runs and all outcomes are kept.
    while !workers.is_empty() || shared.pending.load(Ordering::SeqCst) > 0 || found.is_some() {
        tokio::select! {
            more = next(&mut found), if found.is_some() => match more {
                Some(more) => {
                    shared.send(writer::Outcome::Found(more)).await;
                }
                None => found = None,
            },
            () = stop.sleep(Duration::MAX), if found.is_some() => found = None,
            Some(ended) = workers.join_next(), if !workers.is_empty() => {
                let host = match ended {
                    Ok(host) => host,
                    Err(error) => {
                        tracing::error!(%error, "the worker of a host ended unexpectedly");
                        continue;
                    }
                };
                if again.remove(&host) && !stop.is_stopped() {
                    workers.spawn(worker::work(Arc::clone(&shared), host));
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
                    shared.pending.fetch_sub(outcomes as i64, Ordering::SeqCst);
                    Progress::add(&shared.progress.batches, 1);
                    for host in woken {
                        if stop.is_stopped() {
                            continue;
                        }
                        if active.insert(host.clone()) {
                            workers.spawn(worker::work(Arc::clone(&shared), host));
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
    let stopped = stop.is_stopped();
    let (line_down, clock_off) = (shared.line.given_up(), shared.clock.off());
    shared.outcomes.send(writer::Outcome::End).await.ok();
    let ended = tokio::task::spawn_blocking(move || writer.join()).await;
    if let Some(error) = failed {
        return Err(error);
    }
    match ended {
        Ok(Ok(())) => {}
        _ => return Err(CrawlError::Writer),
    }
    Ok(match (clock_off, line_down) {
        (Some(ahead), _) => CrawlEnd::ClockOff(ahead),
        (None, Some(since)) => CrawlEnd::LineDown(since),
        (None, None) if stopped => CrawlEnd::Stopped,
        (None, None) => CrawlEnd::Done,
    })
}

async fn next(found: &mut Option<mpsc::Receiver<Found>>) -> Option<Found> {
    found.as_mut()?.recv().await
}

/// Notes which sites have an IPv6 address (indicator D22).
pub async fn note_ipv6(store: &Store, fetcher: &Fetcher, setup: &CrawlSetup) -> Result<(), StoreError> {
    let mut noted = Vec::new();
    for site in &setup.sites {
        let addresses = fetcher.resolver().addresses(site.url.host()).await;
        let ipv6 = addresses.ok().map(|all| all.iter().any(std::net::IpAddr::is_ipv6));
        let kept = site_crawl(store, setup.run, &site.id)?;
        noted.push((&site.id, SiteCrawl { ipv6, ..kept }));
    }
    let mut batch = store.begin();
    for (site, crawl) in noted {
        batch.put(Space::Run, &site_key(setup.run, site).each_ref().map(Vec::as_slice), &crawl)?;
    }
    batch.commit()
}

/// How a site's crawl went, as kept with the run.
pub fn site_crawl(store: &Store, run: u32, site: &SiteId) -> Result<SiteCrawl, StoreError> {
    Ok(store.get(Space::Run, &site_key(run, site).each_ref().map(Vec::as_slice))?.unwrap_or_default())
}

/// Key of a site's crawl in a run.
pub fn site_key(run: u32, site: &SiteId) -> [Vec<u8>; 3] {
    [b"site".to_vec(), format!("{run:010}").into_bytes(), site.as_str().as_bytes().to_vec()]
}
