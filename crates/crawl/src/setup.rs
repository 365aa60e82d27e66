//! What a crawl is told, and what it says of each site.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use xunjian_model::{Facts, Kind, LeftOut, LinkState, Offer, PageUrl, Site, Target};

use crate::{Politeness, Renderer, TurnBook};

/// Limits of a crawl.
#[derive(Clone, Debug)]
pub struct CrawlLimits {
    /// Pages of a site.
    pub pages_max: u64,
    /// Bytes of a site's bodies.
    pub bytes_max: u64,
    /// Time for a site; `None`: no limit.
    pub time_max: Option<Duration>,
    /// Bytes of a document.
    pub document_bytes_max: usize,
    /// Links followed from the home page.
    pub depth_max: u16,
    /// Exchanges under way at once, over all hosts.
    pub in_flight_max: usize,
    /// Pause before an address that seems dead is asked once more: long enough for a server that is started anew.
    pub retry_pause: Duration,
    /// How long is waited for our own line, once nobody answers any more; 0: it is never in doubt.
    pub line_patience: Duration,
    /// How long a night's crawl goes on before what it saw is reported. 0: to its end.
    pub night_max: Duration,
    /// How far this machine's clock may be off by what most servers say; 0: it is never in doubt.
    pub clock_off_max: Duration,
    /// Whether links to hosts outside every site are checked; off for a network that reaches none.
    pub outside: bool,
    /// Failures to connect in a row after which a host outside is left alone for this run.
    pub failures_max: u32,
    /// Pages in a row that refused, though saying 200, or asked to wait, before one is given up.
    pub limited_tries_max: u32,
    /// Share of pages, 0–1, that are asked for a second time as a search engine asks; home pages are
    /// whenever it is above 0.
    pub second_look_share: f64,
}

impl Default for CrawlLimits {
    fn default() -> Self {
        Self {
            pages_max: 1_000_000,
            bytes_max: 100 << 30,
            time_max: None,
            document_bytes_max: 20 << 20,
            depth_max: 5_000,
            in_flight_max: 64,
            retry_pause: Duration::from_secs(20),
            line_patience: Duration::from_secs(3_600),
            // An hour before the next night begins.
            night_max: Duration::from_secs(23 * 3_600),
            clock_off_max: Duration::from_secs(3_600),
            outside: true,
            failures_max: 8,
            limited_tries_max: 50,
            second_look_share: 0.02,
        }
    }
}

/// Fewer requests: pages that seldom change are asked for less often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incremental {
    /// Every page is asked for at least once in so many days.
    pub days_max: u32,
}

impl Default for Incremental {
    fn default() -> Self {
        Self { days_max: 7 }
    }
}

/// Looks at a page outside, or one that may say "not found": what state it shows, if not "ok".
pub type ContentCheck = Arc<dyn Fn(&Facts, Target) -> Option<LinkState> + Send + Sync>;

/// Looks at a home page as it was sent: whether it lacks what a script may put there.
pub type HomeCheck = Arc<dyn Fn(&Facts) -> bool + Send + Sync>;

/// Holds a page against what a search engine is shown: in what they differ, if that matters, and
/// whether a person has to judge it.
pub type SecondLook = Arc<dyn Fn(&Facts, &Facts) -> Option<(String, bool)> + Send + Sync>;

/// What a crawl needs.
#[derive(Clone)]
pub struct CrawlSetup {
    /// Sites to crawl.
    pub sites: Vec<Site>,
    /// Number of the run.
    pub run: u32,
    /// Limits.
    pub limits: CrawlLimits,
    /// Politeness towards every host and address.
    pub politeness: Politeness,
    /// The turns of all who ask at the same time.
    pub turns: TurnBook,
    /// Limits of one page's extraction.
    pub page: xunjian_page::Limits,
    /// Whether unchanged pages get a `revisit` record each night.
    pub revisit_records: bool,
    /// A browser for pages that scripts fill; `None`: they stay for a person to look at.
    pub renderer: Option<Arc<Renderer>>,
    /// `None`: every page.
    pub incremental: Option<Incremental>,
    /// Content check.
    pub content_check: ContentCheck,
    /// Whether a home page that has scripts is worth looking at through a browser.
    pub home_check: HomeCheck,
    /// Comparison with what search engines are shown.
    pub second_look: SecondLook,
    /// An address that tells whether our own line is well, when nobody answers.
    pub control: Option<PageUrl>,
    /// Whether it is a night's crawl, which queues addresses that are not known yet; false to ask for what was queued by
    /// [`crate::queue_again`] alone.
    pub follow: bool,
}

/// Endless addresses that were cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Addresses that were not followed.
    pub count: u64,
    /// One of them.
    pub example: String,
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
    /// Bytes of bodies.
    pub bytes: u64,
    /// Seconds the crawl of the site took.
    pub seconds: u64,
    /// Endless addresses that were cut, by shape.
    pub cut: BTreeMap<String, Cut>,
    /// Pages that were kept before and are gone now.
    pub deleted: u64,
    /// What was noticed besides: faulty site maps, refusals that said 200, rules that were learnt.
    pub notes: BTreeMap<String, u64>,
    /// Other names under which the home page opens, without leading to the site's own (D14).
    pub names: Vec<String>,
    /// Browsers that are shown something else, with what it is (D21).
    pub browsers: Vec<Offer>,
    /// Kinds that could not be looked for: what was found of them before is not taken for mended.
    pub unknown: Vec<Kind>,
}

impl SiteCrawl {
    /// Whether pages that should have been visited were not.
    pub fn is_incomplete(&self) -> bool {
        self.home.as_ref().is_none_or(|home| *home != LinkState::Ok) || self.missed().next().is_some()
    }

    /// Pages that should have been visited and were not: the reason's word and how many.
    pub fn missed(&self) -> impl Iterator<Item = (&str, u64)> {
        let on_purpose = [LeftOut::Robots, LeftOut::Trap, LeftOut::NotDue].map(LeftOut::word);
        let all = self.left_out.iter().map(|(reason, count)| (reason.as_str(), *count));
        all.filter(move |(reason, _)| !on_purpose.contains(reason))
    }
}

/// A task that ends with this.
pub(crate) struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How often is looked whether a night is over.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A crawl's signal for as long as this is there.
pub struct UntilMorning {
    /// The signal.
    pub stop: StopSignal,
    _tasks: [AbortOnDrop; 2],
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

    /// A signal that is asked when this one is, and may be asked by itself, which asks nobody else.
    pub(crate) fn child(&self) -> (Self, AbortOnDrop) {
        let (parent, child) = (self.clone(), Self::default());
        let asked = child.clone();
        let passing_on = tokio::spawn(async move {
            while !parent.is_stopped() {
                parent.sleep(Duration::MAX).await;
            }
            asked.stop();
        });
        (child, AbortOnDrop(passing_on))
    }

    /// A signal that is also asked when a night is over: when the window closes, once it was open, or after so long.
    pub fn until_morning(&self, politeness: &Politeness, limits: &CrawlLimits) -> UntilMorning {
        let (stop, passing_on) = self.child();
        let (politeness, closing, most) = (politeness.clone(), stop.clone(), limits.night_max);
        let watching = tokio::spawn(async move {
            let mut opened: Option<Instant> = None;
            while !closing.is_stopped() {
                let closed = politeness.is_closed(crate::now());
                let begun = if closed { opened } else { Some(*opened.get_or_insert_with(Instant::now)) };
                if begun.is_some_and(|begun| closed || !most.is_zero() && begun.elapsed() >= most) {
                    return closing.stop();
                }
                closing.sleep(LOOK_EVERY).await;
            }
        });
        UntilMorning { stop, _tasks: [passing_on, AbortOnDrop(watching)] }
    }

    /// Whether it was asked.
    pub fn is_stopped(&self) -> bool {
        self.0.0.load(Ordering::Relaxed)
    }

    /// Sleeps, but no longer than until it is asked.
    pub async fn sleep(&self, duration: Duration) {
        let asked = self.0.1.notified();
        tokio::pin!(asked);
        // Listening begins before the look, so that no stop falls in between.
        asked.as_mut().enable();
        if !self.is_stopped() {
            let _ = tokio::time::timeout(duration, asked).await;
        }
    }
}
