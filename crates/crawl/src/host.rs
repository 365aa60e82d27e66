//! One host's worker: its turn, its robots.txt, its failures.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio::time::Instant;
use xunjian_fetch::Ask;
use xunjian_frontier::{Frontier, Item};
use xunjian_model::{Host, LinkState, PageUrl, Site, Target};

use crate::politeness::Pace;
use crate::robots::{ROBOTS_BYTES_MAX, Robots};
use crate::sitemap::{SITEMAPS_MAX, Sitemap};
use crate::soft404::{SoftPage, probe};
use crate::visit::visit;
use crate::writer::Outcome;
use crate::{Shared, sitemap};

/// Product token robots.txt addresses us by.
const AGENT: &str = "xunjian";
/// How often a closed window is looked at again.
const WINDOW_POLL: Duration = Duration::from_secs(30);
/// New addresses handed to the writer at once.
const LINKS_AT_ONCE: usize = 1_000;

/// What is known of every host of this crawl.
pub(crate) struct Hosts {
    shared: Arc<Shared>,
    states: HashMap<Host, Arc<OnceCell<HostState>>>,
}

impl Hosts {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, states: HashMap::new() }
    }

    /// Works off a host's queue; answers with the number of outcomes sent.
    pub(crate) fn worker(&mut self, host: Host) -> impl Future<Output = (Host, u64)> + Send + use<> {
        let state = Arc::clone(self.states.entry(host.clone()).or_default());
        let shared = Arc::clone(&self.shared);
        async move {
            let mut sent = 0;
            let ready = state.get_or_init(|| HostState::prepare(&shared, &host, &mut sent)).await;
            sent += work(&shared, &state, ready, &host).await;
            (host, sent)
        }
    }
}

async fn work(shared: &Arc<Shared>, cell: &Arc<OnceCell<HostState>>, state: &HostState, host: &Host) -> u64 {
    let mut sent = 0;
    let mut visits: JoinSet<Option<Outcome>> = JoinSet::new();
    loop {
        while visits.len() < shared.setup.politeness.connections && !shared.stop.is_stopped() {
            let item = match shared.frontier.get(host) {
                Ok(Some(item)) => item,
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%host, %error, "the frontier cannot be read");
                    shared.stop.stop();
                    break;
                }
            };
            state.turn(shared).await;
            let Ok(permit) = Arc::clone(&shared.in_flight).acquire_owned().await else { break };
            let (shared, cell) = (Arc::clone(shared), Arc::clone(cell));
            visits.spawn(async move {
                let outcome = match cell.get() {
                    Some(state) => visit(&shared, state, item).await,
                    None => None,
                };
                drop(permit);
                outcome
            });
        }
        match visits.join_next().await {
            None => return sent,
            Some(Ok(Some(outcome))) => {
                if shared.outcomes.send(outcome).await.is_err() {
                    return sent;
                }
                sent += 1;
            }
            // A visit that was given up leaves its item in the queue for the next run.
            Some(Ok(None)) => {}
            Some(Err(error)) => tracing::error!(%host, %error, "a visit ended unexpectedly"),
        }
    }
}

/// One host's pace, rules and failures.
pub(crate) struct HostState {
    pace: Pace,
    pub(crate) robots: Robots,
    pub(crate) soft: Option<SoftPage>,
    blocked_until: Mutex<Instant>,
    blocks: AtomicU32,
    failures: AtomicU32,
    /// What the last failure was.
    last_failure: Mutex<Option<LinkState>>,
    pages: AtomicU64,
}

impl HostState {
    async fn prepare(shared: &Arc<Shared>, host: &Host, sent: &mut u64) -> Self {
        let mut state = Self {
            pace: Pace::new(&shared.setup.politeness, None),
            robots: Robots::allow_all(),
            soft: None,
            blocked_until: Mutex::new(Instant::now()),
            blocks: AtomicU32::new(0),
            failures: AtomicU32::new(0),
            last_failure: Mutex::new(None),
            pages: AtomicU64::new(0),
        };
        let Ok(home) = PageUrl::parse(&format!("{host}/")) else { return state };
        // Outside hosts are asked for single addresses, not crawled.
        let Some(site) = shared.owner(&home).cloned() else { return state };
        match &site.ignore_robots {
            Some(reason) => tracing::info!(site = %site.id, reason, "robots.txt is not followed"),
            None => state.robots = state.fetch_robots(shared, &home).await,
        }
        if let Some(delay) = state.robots.crawl_delay() {
            state.pace = Pace::following(&shared.setup.politeness, Some(delay));
        }
        state.soft = state.learn_soft_page(shared, &home).await;
        *sent += state.read_sitemaps(shared, &site).await;
        state
    }

    /// Waits for the window, for the end of a block and for the host's pace.
    pub(crate) async fn turn(&self, shared: &Shared) {
        loop {
            let window = shared.setup.politeness.window.as_ref();
            if shared.stop.is_stopped() || window.is_none_or(|window| window.is_open(now())) {
                break;
            }
            shared.stop.sleep(WINDOW_POLL).await;
        }
        let until = *self.blocked_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = until.checked_duration_since(Instant::now())
            && !left.is_zero()
        {
            shared.stop.sleep(left).await;
        }
        self.pace.wait().await;
    }

    /// The host asked to wait.
    pub(crate) fn block(&self, shared: &Shared, asked: Option<Duration>) {
        let politeness = &shared.setup.politeness;
        let blocks = self.blocks.fetch_add(1, Ordering::Relaxed).min(10);
        let pause = asked.unwrap_or_else(|| politeness.block * 2_u32.pow(blocks));
        let until = Instant::now() + pause.min(politeness.block_max);
        let mut blocked = self.blocked_until.lock().unwrap_or_else(PoisonError::into_inner);
        *blocked = (*blocked).max(until);
    }

    /// Counts a failure to connect.
    pub(crate) fn failed(&self, state: &LinkState) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(state.clone());
    }

    /// What the last failure to connect was.
    pub(crate) fn last_failure(&self) -> Option<LinkState> {
        self.last_failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The host answered.
    pub(crate) fn answered(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// Whether the host failed so often in a row that it is left alone.
    pub(crate) fn is_down(&self, shared: &Shared) -> bool {
        self.failures.load(Ordering::Relaxed) >= shared.setup.limits.failures_max
    }

    /// Counts a page; false past the site's limit.
    pub(crate) fn may_visit_page(&self, shared: &Shared) -> bool {
        self.pages.fetch_add(1, Ordering::Relaxed) < shared.setup.limits.pages_max
    }

    async fn fetch_robots(&self, shared: &Shared, home: &PageUrl) -> Robots {
        let Ok(url) = home.join("/robots.txt") else { return Robots::allow_all() };
        self.turn(shared).await;
        let ask = Ask { body_bytes_max: ROBOTS_BYTES_MAX, ..Ask::get(url) };
        match shared.fetcher.fetch(ask).await {
            Ok(answer) => match answer.status {
                200..=299 => Robots::parse(&String::from_utf8_lossy(&answer.body), AGENT),
                500..=599 | 429 => Robots::deny_all(),
                _ => Robots::allow_all(),
            },
            Err(_) => Robots::deny_all(),
        }
    }

    async fn learn_soft_page(&self, shared: &Shared, home: &PageUrl) -> Option<SoftPage> {
        let url = probe(home)?;
        if !self.robots.allows(url.path_and_query()) {
            return None;
        }
        self.turn(shared).await;
        let answer = shared.fetcher.fetch(Ask::get(url)).await.ok()?;
        let content_type = answer.header("content-type");
        if answer.status != 200 || !xunjian_page::is_html(content_type, &answer.body) {
            return None;
        }
        let facts = xunjian_page::extract(&answer.body, content_type, &answer.final_url, shared.setup.page);
        Some(SoftPage::of(&facts))
    }

    async fn read_sitemaps(&self, shared: &Shared, site: &Site) -> u64 {
        let mut todo: Vec<String> = self.robots.sitemaps().to_vec();
        let mut read = 0;
        let mut sent = 0;
        while let Some(text) = todo.pop() {
            let Ok(url) = PageUrl::parse(&text) else { continue };
            read += 1;
            if read > SITEMAPS_MAX || !site.in_scope(&url) || shared.stop.is_stopped() {
                continue;
            }
            self.turn(shared).await;
            let Ok(answer) = shared.fetcher.fetch(Ask::get(url)).await else { continue };
            let pages = match sitemap::parse(&String::from_utf8_lossy(&answer.body)) {
                Sitemap::Index(more) => {
                    todo.extend(more);
                    continue;
                }
                Sitemap::Pages(pages) => pages,
            };
            let items: Vec<Item> = pages
                .iter()
                .filter_map(|page| PageUrl::parse(page).ok())
                .filter(|page| site.in_scope(page))
                .map(|url| Item { url, site: Some(site.id.clone()), target: Target::Page, depth: 1 })
                .collect();
            for some in items.chunks(LINKS_AT_ONCE) {
                if shared.outcomes.send(Outcome::Links(some.to_vec())).await.is_ok() {
                    sent += 1;
                }
            }
        }
        sent
    }
}

pub(crate) fn now() -> Timestamp {
    xunjian_model::kept_moment(Timestamp::now())
}

/// Whether a state says that the host itself could not be reached.
pub(crate) fn is_connection_failure(state: &LinkState) -> bool {
    matches!(
        state,
        LinkState::NoSuchHost
            | LinkState::Refused
            | LinkState::Timeout
            | LinkState::Tls(_)
            | LinkState::Broken(_)
    )
}
