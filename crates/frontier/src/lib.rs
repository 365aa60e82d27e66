//! Which address next: an exact, persistent queue per host.
//!
//! The verbs are those of URLFrontier (put, get per host, ack, stats), so that an engine on
//! another queue can take this one's place. The embedded frontier lives in the store: an item
//! leaves the queue in the same batch that keeps its outcome, so a kill repeats work but never
//! loses it. Memory holds a small buffer per host, whatever the length of the queue.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use xunjian_model::{Host, PageUrl, SiteId, Target};
use xunjian_store::{Batch, Space, Store, StoreError};

/// Items of a host held in memory.
const BUFFERED: usize = 64;

/// An address to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Address.
    pub url: PageUrl,
    /// Owner; `None` outside.
    pub site: Option<SiteId>,
    /// How it is treated.
    pub target: Target,
    /// Links followed to find it.
    pub depth: u16,
    /// Turn among the items of its host; lower comes first.
    pub rank: u8,
}

/// Ranks: home, columns, new articles by depth, what earlier nights did not come to, known pages by expected change, the rest.
mod rank {
    pub(super) const HOME: u8 = 0;
    pub(super) const COLUMN: u8 = 1;
    pub(super) const NEW: u8 = 10;
    pub(super) const NEW_LAST: u8 = 89;
    pub(super) const UNSEEN: u8 = 90;
    pub(super) const KNOWN: u8 = 100;
    pub(super) const KNOWN_STEPS: f64 = 100.0;
    pub(super) const RESOURCE: u8 = 220;
    pub(super) const OUTSIDE: u8 = 230;
}

impl Item {
    /// A new address.
    pub fn new(url: PageUrl, site: Option<SiteId>, target: Target, depth: u16) -> Self {
        let rank = match target {
            Target::Page if depth == 0 => rank::HOME,
            Target::Page if is_column(&url, depth) => rank::COLUMN,
            Target::Page => rank::NEW.saturating_add(depth.min(200) as u8).min(rank::NEW_LAST),
            Target::Resource | Target::Document => rank::RESOURCE,
            Target::Outside | Target::OutsideResource => rank::OUTSIDE,
        };
        Self { url, site, target, depth, rank }
    }

    /// An address that earlier runs heard of and did not come to: files and links, too, go before what is known.
    pub fn unseen(url: PageUrl, site: Option<SiteId>, target: Target, depth: u16) -> Self {
        let item = Self::new(url, site, target, depth);
        Self { rank: item.rank.min(rank::UNSEEN), ..item }
    }

    /// An address known from earlier runs, with the chance that it has changed since. Files and links are left for the end
    /// of the night, unless the last one did not come to them.
    pub fn known(
        url: PageUrl,
        site: Option<SiteId>,
        target: Target,
        depth: u16,
        (change, missed): (f64, bool),
    ) -> Self {
        let mut item = Self::new(url, site, target, depth);
        if item.rank > rank::COLUMN && (target == Target::Page || missed) {
            let steps = (1.0 - change.clamp(0.0, 1.0)) * rank::KNOWN_STEPS;
            item.rank = rank::KNOWN + steps as u8;
        }
        item
    }

    /// Home and columns: what is asked for every night, whatever else is left out.
    pub fn is_entrance(&self) -> bool {
        self.rank <= rank::COLUMN
    }

    fn key(&self) -> Vec<u8> {
        let host = self.url.host_key();
        // No byte of the rank may be zero, which parts the key.
        let parts: [&[u8]; 3] = [host.as_str().as_bytes(), &[self.rank + 1], self.url.as_str().as_bytes()];
        parts.join(&0)
    }
}

/// Columns are folders' own pages near the home page.
fn is_column(url: &PageUrl, depth: u16) -> bool {
    const COLUMN_DEPTH: u16 = 3;
    let folder = url.path().ends_with('/') || xunjian_model::canonical::index_name(url.path()).is_some();
    folder && depth <= COLUMN_DEPTH
}

/// Counts of a frontier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrontierStats {
    /// Hosts with work.
    pub hosts: usize,
    /// Items given out and not acknowledged.
    pub in_flight: usize,
}

/// Which address next.
pub trait Frontier: Send + Sync {
    /// Queues an item as part of a batch; the same item twice is one.
    fn put(&self, batch: &mut Batch<'_>, item: &Item) -> Result<(), StoreError>;
    /// The next item of a host, to be acknowledged or released later.
    fn get(&self, host: &Host) -> Result<Option<Item>, StoreError>;
    /// The item is done, in the same batch as its outcome. Call [`Frontier::forget`] when the
    /// batch is committed.
    fn ack(&self, batch: &mut Batch<'_>, item: &Item);
    /// Lets go of items that were committed, or that are given back undone.
    fn forget(&self, items: &[Item]);
    /// Hosts with queued items.
    fn hosts(&self) -> Result<Vec<Host>, StoreError>;
    /// Counts.
    fn stats(&self) -> FrontierStats;
}

#[derive(Default)]
struct HostQueue {
    buffer: VecDeque<Item>,
    taken: HashSet<Vec<u8>>,
}

/// The frontier in the store.
pub struct EmbeddedFrontier {
    store: Arc<Store>,
    space: Space,
    hosts: Mutex<BTreeMap<Host, HostQueue>>,
}

impl EmbeddedFrontier {
    /// The frontier of a store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, space: Space::Queue, hosts: Mutex::default() }
    }

    /// The frontier of what people want looked at again.
    pub fn again(store: Arc<Store>) -> Self {
        Self { store, space: Space::Again, hosts: Mutex::default() }
    }

    /// How many items are queued.
    pub fn count(&self) -> usize {
        self.store.keys(self.space, &[]).count()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Host, HostQueue>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Frontier for EmbeddedFrontier {
    fn put(&self, batch: &mut Batch<'_>, item: &Item) -> Result<(), StoreError> {
        batch.put(self.space, &[&item.key()], item)
    }

    fn get(&self, host: &Host) -> Result<Option<Item>, StoreError> {
        let mut hosts = self.lock();
        let queue = hosts.entry(host.clone()).or_default();
        if queue.buffer.is_empty() {
            let taken = &queue.taken;
            let prefix = [host.as_str().as_bytes(), b""];
            let rows = self.store.scan_wanted::<Item, _>(self.space, &prefix, |key| !taken.contains(key));
            queue.buffer = rows.take(BUFFERED).collect::<Result<_, _>>()?;
        }
        match queue.buffer.pop_front() {
            Some(item) => {
                queue.taken.insert(item.key());
                Ok(Some(item))
            }
            None => {
                if queue.taken.is_empty() {
                    hosts.remove(host);
                }
                Ok(None)
            }
        }
    }

    fn ack(&self, batch: &mut Batch<'_>, item: &Item) {
        batch.delete(self.space, &[&item.key()]);
    }

    fn forget(&self, items: &[Item]) {
        let mut hosts = self.lock();
        for item in items {
            if let Some(queue) = hosts.get_mut(&item.url.host_key()) {
                queue.taken.remove(&item.key());
            }
        }
    }

    fn hosts(&self) -> Result<Vec<Host>, StoreError> {
        let mut hosts = Vec::new();
        let mut from = Vec::new();
        // One seek a host: from the end of one host's keys to the next host's first.
        while let Some(key) = self.store.key_from(self.space, &from)? {
            let host = key.split(|&byte| byte == 0).next().unwrap_or_default().to_vec();
            from = [&host[..], &[1]].concat();
            hosts.push(Host::from_stored(String::from_utf8_lossy(&host).into_owned()));
        }
        Ok(hosts)
    }

    fn stats(&self) -> FrontierStats {
        let hosts = self.lock();
        FrontierStats { hosts: hosts.len(), in_flight: hosts.values().map(|queue| queue.taken.len()).sum() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(url: &str, depth: u16) -> Item {
        Item::new(PageUrl::parse(url).expect("url"), None, Target::Page, depth)
    }

    #[test]
    fn home_then_columns_then_what_is_new_then_what_changes_most() {
        let of = |url: &str| PageUrl::parse(url).expect("url");
        let known = |url: &str, change| Item::known(of(url), None, Target::Page, 2, (change, false));
        let picture = |missed| Item::known(of("http://a.cn/6.png"), None, Target::Resource, 2, (0.2, missed));
        let ranks = [
            item("http://a.cn/", 0),
            item("http://a.cn/zwgk/", 1),
            item("http://a.cn/1.html", 2),
            item("http://a.cn/2.html", 60_000),
            Item::unseen(of("http://a.cn/7.png"), None, Target::Resource, 2),
            known("http://a.cn/3.html", 0.9),
            picture(true),
            known("http://a.cn/4.html", 0.1),
            known("http://a.cn/5.html", 0.0),
            picture(false),
        ];
        assert!(ranks.windows(2).all(|two| two[0].rank < two[1].rank), "{ranks:?}");
        assert!(known("http://a.cn/zwgk/", 0.0).is_entrance());
    }

    #[test]
    fn items_come_by_depth_once_and_survive_reopening() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("data");
        let items = [
            item("http://a.cn/z", 0),
            item("http://a.cn/a", 2),
            item("http://b.cn/", 0),
            item("http://a.cn/m", 1),
        ];
        {
            let store = Arc::new(Store::open(&path).expect("store"));
            let frontier = EmbeddedFrontier::new(Arc::clone(&store));
            let mut batch = store.begin();
            for item in items.iter().chain(&items[..1]) {
                frontier.put(&mut batch, item).expect("put");
            }
            batch.commit().expect("commit");
            let host = items[0].url.host_key();
            let first = frontier.get(&host).expect("get").expect("item");
            assert_eq!(first, items[0]);
            // Acknowledged: gone for ever. Taken only: comes again after a restart.
            let mut batch = store.begin();
            frontier.ack(&mut batch, &first);
            batch.commit().expect("commit");
            frontier.forget(&[first]);
            assert_eq!(frontier.get(&host).expect("get"), Some(items[3].clone()));
            assert_eq!(frontier.stats().in_flight, 1);
        }
        let store = Arc::new(Store::open(&path).expect("store"));
        let frontier = EmbeddedFrontier::new(Arc::clone(&store));
        assert_eq!(frontier.hosts().expect("hosts").len(), 2);
        let host = items[0].url.host_key();
        let rest: Vec<_> = std::iter::from_fn(|| frontier.get(&host).expect("get")).collect();
        assert_eq!(rest, [items[3].clone(), items[1].clone()]);
    }
}
