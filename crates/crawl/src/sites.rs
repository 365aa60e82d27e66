//! What is known of a site while it is crawled: its budget, its addresses' rules, its traps.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xunjian_fetch::CookieJar;
use xunjian_frontier::Item;
use xunjian_model::{Canonical, LeftOut, LinkKind, PageUrl, Site, SiteId};
use xunjian_store::{Space, Store, StoreError};

use crate::setup::{CrawlLimits, SiteCrawl};
use crate::{now, traps};

/// A shape that was cut is looked at again after so many days.
const TRAP_DAYS: i64 = 30;

/// Links of a site that are remembered as handed over.
const HANDED_OVER_MAX: usize = 4_096;

/// A short name for an address, long enough that no two of a crawl have the same.
pub(crate) fn link_hash(url: &str) -> u128 {
    let hash = blake3::hash(url.as_bytes());
    u128::from_le_bytes(hash.as_bytes()[..16].try_into().unwrap_or_default())
}

/// What was learnt of a site's addresses, kept between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteLearnt {
    /// Rules that fold addresses.
    pub canonical: Canonical,
    /// Shapes of endless addresses, and since when.
    pub traps: BTreeMap<String, Timestamp>,
}

impl SiteLearnt {
    /// Reads what is kept.
    pub fn read(store: &Store, site: &SiteId) -> Result<Self, StoreError> {
        Ok(store.get(Space::Site, &[site.as_str().as_bytes()])?.unwrap_or_default())
    }

    /// The rules that fold a site's addresses: those that were learnt, and the register's.
    pub fn rules(&self, site: &Site) -> Canonical {
        let mut rules = self.canonical.clone();
        rules.drop_parameters.extend(site.drop_parameters.iter().map(|name| name.to_ascii_lowercase()));
        rules
    }
}

/// One site.
pub(crate) struct SiteState {
    pub(crate) site: Site,
    pub(crate) cookies: Option<Arc<CookieJar>>,
    canonical: RwLock<Arc<Canonical>>,
    learnt: Mutex<SiteLearnt>,
    /// Links that were handed to the writer, by their hashes; any may be forgotten.
    handed_over: Mutex<HashSet<u128>>,
    /// The way from the home address to where visitors arrive.
    way_in: Mutex<Vec<PageUrl>>,
    pages: AtomicU64,
    bytes: AtomicU64,
    earlier: Duration,
    begun: Instant,
}

impl SiteState {
    pub(crate) fn new(site: Site, way_in: Vec<PageUrl>, mut learnt: SiteLearnt, crawl: &SiteCrawl) -> Self {
        let today = now();
        learnt.traps.retain(|_, since| today.duration_since(*since).as_hours() < TRAP_DAYS * 24);
        let canonical = learnt.rules(&site);
        Self {
            cookies: site.cookies.then(Arc::default),
            canonical: RwLock::new(Arc::new(canonical)),
            learnt: Mutex::new(learnt),
            handed_over: Mutex::default(),
            way_in: Mutex::new(way_in),
            pages: AtomicU64::new(crawl.visits),
            bytes: AtomicU64::new(crawl.bytes),
            earlier: Duration::from_secs(crawl.seconds),
            begun: Instant::now(),
            site,
        }
    }

    // ---- the home page -------------------------------------------------------------------------

    /// Whether it is the home page, or on the way to where it leads.
    pub(crate) fn is_home(&self, item: &Item) -> bool {
        item.depth == 0 || self.way_in().contains(&item.url)
    }

    /// Notes where a page leads on to. Whether visitors are led away from the site, or in a circle.
    pub(crate) fn leads_on(&self, item: &Item, to: Option<&PageUrl>) -> bool {
        let next = to.filter(|to| self.site.in_scope(to)).map(|to| self.canonical(to));
        let mut way = self.way_in();
        let Some(at) = way.iter().position(|page| *page == item.url) else { return false };
        let circle = next.as_ref().is_some_and(|next| way[..at].contains(next));
        // What comes after the next page is known as long as that is the same.
        if way.get(at + 1) != next.as_ref() {
            way.truncate(at + 1);
            let new = next.filter(|next| !way.contains(next));
            way.extend(new);
        }
        circle || to.is_some_and(|to| !self.site.in_scope(to))
    }

    fn way_in(&self) -> MutexGuard<'_, Vec<PageUrl>> {
        self.way_in.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // ---- addresses ----------------------------------------------------------------------------

    /// The one address for a page. The home page stays what the register says.
    pub(crate) fn canonical(&self, url: &PageUrl) -> PageUrl {
        if *url == self.site.url {
            return url.clone();
        }
        let rules = Arc::clone(&self.canonical.read().unwrap_or_else(PoisonError::into_inner));
        let folded = rules.apply(url);
        if folded.path() == "/" && folded.as_url().query().is_none() && self.site.url.path() != "/" {
            return url.clone();
        }
        folded
    }

    /// Adopts a rule that was learnt.
    pub(crate) fn adopt(&self, rule: &Canonical) -> SiteLearnt {
        let mut learnt = self.learnt.lock().unwrap_or_else(PoisonError::into_inner);
        learnt.canonical.extend(rule);
        let mut canonical = self.canonical.write().unwrap_or_else(PoisonError::into_inner);
        let mut rules = (**canonical).clone();
        rules.extend(rule);
        *canonical = Arc::new(rules);
        learnt.clone()
    }

    /// Cuts a shape of endless addresses.
    pub(crate) fn cut(&self, shape: &str) -> SiteLearnt {
        let mut learnt = self.learnt.lock().unwrap_or_else(PoisonError::into_inner);
        learnt.traps.insert(shape.to_owned(), now());
        learnt.clone()
    }

    /// Whether an address has a shape that was cut.
    pub(crate) fn is_cut(&self, url: &PageUrl) -> bool {
        let learnt = self.learnt.lock().unwrap_or_else(PoisonError::into_inner);
        !learnt.traps.is_empty() && learnt.traps.contains_key(&traps::shape(url))
    }

    /// Of links, in order, those that were not handed to the writer yet; they count as handed
    /// over from now on. The writer takes pages in turn, so a link is kept before any page that
    /// was spared it.
    pub(crate) fn not_handed_over<'l>(
        &self,
        links: impl Iterator<Item = (&'l str, LinkKind)>,
    ) -> Vec<(&'l str, LinkKind)> {
        let mut handed = self.handed_over.lock().unwrap_or_else(PoisonError::into_inner);
        if handed.len() >= HANDED_OVER_MAX {
            handed.clear();
        }
        // An address linked as page and as picture is still one, but may be of two kinds.
        links.filter(|(url, kind)| handed.insert(link_hash(url) ^ *kind as u128)).collect()
    }

    // ---- budget -------------------------------------------------------------------------------

    /// Counts a page that is asked for; the budget that is used up instead.
    pub(crate) fn spend_page(&self, limits: &CrawlLimits) -> Option<LeftOut> {
        if self.bytes.load(Ordering::Relaxed) >= limits.bytes_max {
            return Some(LeftOut::BytesMax);
        }
        if limits.time_max.is_some_and(|most| self.elapsed() >= most) {
            return Some(LeftOut::TimeMax);
        }
        (self.pages.fetch_add(1, Ordering::Relaxed) >= limits.pages_max).then_some(LeftOut::PagesMax)
    }

    pub(crate) fn spend_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Time of this run's crawl, earlier parts included.
    pub(crate) fn elapsed(&self) -> Duration {
        self.earlier + self.begun.elapsed()
    }
}
