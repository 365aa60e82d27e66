//! The one writer: outcomes in, acknowledged batches out.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use xunjian_frontier::{Frontier, Item};
use xunjian_model::{Facts, Host, SiteId, Snapshot, UrlRecord};
use xunjian_store::{Batch, Space, StoreError};

use crate::{Progress, Shared, SiteCrawl, host, site_key};

/// Outcomes waiting for the writer; each may hold a page.
pub(crate) const CHANNEL: usize = 64;
/// Writes in one batch. The index frees what a batch replaced only when it is through, so large
/// batches cost memory.
const BATCH_WRITES: usize = 2_048;
/// Bytes of bodies in one batch.
const BATCH_BYTES: usize = 16 << 20;
/// Longest time an outcome waits for its batch.
const BATCH_TIME: Duration = Duration::from_millis(300);
/// Known addresses remembered so that the index is not asked for each link of each menu.
const REMEMBERED: usize = 1 << 15;

/// What a worker hands over.
pub(crate) enum Outcome {
    Visit(Box<Visit>),
    /// Addresses from a site map.
    Links(Vec<Item>),
    /// Nothing comes after this.
    End,
}

/// A visited item.
pub(crate) struct Visit {
    pub(crate) item: Item,
    pub(crate) record: UrlRecord,
    pub(crate) page: Option<Page>,
    pub(crate) links: Vec<Item>,
    /// A visit to a page of a site: whether the site opened.
    pub(crate) site_opened: Option<bool>,
    pub(crate) left_out: Option<&'static str>,
}

/// A new version of a page.
pub(crate) struct Page {
    pub(crate) snapshot: Snapshot,
    pub(crate) body: Vec<u8>,
    pub(crate) facts: Facts,
    pub(crate) extractor: u16,
}

/// An acknowledged batch.
pub(crate) struct Committed {
    pub(crate) outcomes: u64,
    pub(crate) hosts: HashSet<Host>,
}

type Commits = mpsc::UnboundedSender<Result<Committed, StoreError>>;

pub(crate) fn run(shared: &Shared, mut inbox: mpsc::Receiver<Outcome>, commits: &Commits) {
    let mut writer = Writer { shared, known: HashSet::new(), sites: BTreeMap::new() };
    while let Some(first) = inbox.blocking_recv() {
        let mut gathered = Gathered::default();
        let result = writer.batch(first, &mut inbox, &mut gathered);
        let ends = gathered.ends || result.is_err();
        let committed = Committed { outcomes: gathered.outcomes, hosts: gathered.woken };
        let _ = commits.send(result.map(|()| committed));
        if ends {
            return;
        }
    }
}

/// What a batch holds so far.
#[derive(Default)]
struct Gathered {
    outcomes: u64,
    done: Vec<Item>,
    /// Hosts with new items.
    woken: HashSet<Host>,
    /// Sites whose counts changed.
    touched: HashSet<SiteId>,
    ends: bool,
}

struct Writer<'s> {
    shared: &'s Shared,
    /// Hashes of addresses that are certainly in the index.
    known: HashSet<u128>,
    sites: BTreeMap<SiteId, SiteCrawl>,
}

impl Writer<'_> {
    /// Writes outcomes as they come until the batch is large enough, old enough, or nothing more
    /// can be on its way.
    fn batch(
        &mut self,
        first: Outcome,
        inbox: &mut mpsc::Receiver<Outcome>,
        gathered: &mut Gathered,
    ) -> Result<(), StoreError> {
        if self.known.len() > REMEMBERED {
            self.known.clear();
        }
        let begun = Instant::now();
        let mut batch = self.shared.store.begin();
        let mut next = Some(first);
        loop {
            match next.take() {
                Some(Outcome::End) => gathered.ends = true,
                Some(Outcome::Links(links)) => {
                    self.links(&mut batch, &links, gathered)?;
                    gathered.outcomes += 1;
                }
                Some(Outcome::Visit(visit)) => {
                    self.visit(&mut batch, &visit, gathered)?;
                    gathered.done.push(visit.item);
                    gathered.outcomes += 1;
                }
                None => {}
            }
            let full = batch.writes() >= BATCH_WRITES || batch.body_bytes() >= BATCH_BYTES;
            if gathered.ends || full || begun.elapsed() >= BATCH_TIME {
                break;
            }
            match inbox.try_recv() {
                Ok(outcome) => next = Some(outcome),
                Err(mpsc::error::TryRecvError::Empty) if !self.shared.is_fetching() => break,
                Err(mpsc::error::TryRecvError::Empty) => std::thread::sleep(Duration::from_millis(2)),
                Err(mpsc::error::TryRecvError::Disconnected) => break,
            }
        }
        for site in &gathered.touched {
            let key = site_key(self.shared.setup.run, site);
            if let Some(crawl) = self.sites.get(site) {
                batch.put(Space::Run, &key.each_ref().map(Vec::as_slice), crawl)?;
            }
        }
        batch.commit()?;
        self.shared.frontier.forget(&gathered.done);
        Progress::add(&self.shared.progress.done, gathered.done.len() as u64);
        Ok(())
    }

    fn visit(
        &mut self,
        batch: &mut Batch<'_>,
        visit: &Visit,
        gathered: &mut Gathered,
    ) -> Result<(), StoreError> {
        let Visit { item, page, links, .. } = visit;
        let mut record = visit.record.clone();
        let owner = item.site.as_ref();
        let url = item.url.as_str();
        if let Some(Page { snapshot, body, facts, extractor }) = page {
            batch.put_snapshot(snapshot, body)?;
            record.facts = Some(batch.put_facts(*extractor, facts)?);
        }
        batch.put_url(owner, url, &record)?;
        self.shared.frontier.ack(batch, item);
        self.links(batch, links, gathered)?;
        if let Some(site) = owner {
            let crawl = self.site(site)?;
            if let Some(opened) = visit.site_opened {
                crawl.visits += 1;
                crawl.failed_visits += u64::from(!opened);
                if item.depth == 0 {
                    crawl.home.clone_from(&record.state);
                }
                gathered.touched.insert(site.clone());
            }
            if let Some(reason) = visit.left_out {
                *crawl.left_out.entry(reason.to_owned()).or_default() += 1;
                gathered.touched.insert(site.clone());
            }
        }
        Ok(())
    }

    fn links(
        &mut self,
        batch: &mut Batch<'_>,
        links: &[Item],
        gathered: &mut Gathered,
    ) -> Result<(), StoreError> {
        let setup = &self.shared.setup;
        for item in links {
            let hash = blake3::hash(item.url.as_str().as_bytes());
            let hash = u128::from_le_bytes(hash.as_bytes()[..16].try_into().unwrap_or_default());
            // The target counts, too: an address linked as page and as picture is still one.
            if !self.known.insert(hash) || self.shared.store.knows(item.site.as_ref(), item.url.as_str())? {
                continue;
            }
            if item.depth > setup.limits.depth_max {
                if let Some(site) = &item.site {
                    *self.site(site)?.left_out.entry("depth-max".to_owned()).or_default() += 1;
                    gathered.touched.insert(site.clone());
                }
                continue;
            }
            let record = UrlRecord::discovered(item.site.clone(), item.target, item.depth, host::now());
            batch.put_url(item.site.as_ref(), item.url.as_str(), &record)?;
            self.shared.frontier.put(batch, item)?;
            gathered.woken.insert(item.url.host_key());
            Progress::add(&self.shared.progress.queued, 1);
        }
        Ok(())
    }

    fn site(&mut self, site: &SiteId) -> Result<&mut SiteCrawl, StoreError> {
        if !self.sites.contains_key(site) {
            // A resumed run goes on counting where it was.
            let kept = crate::site_crawl(&self.shared.store, self.shared.setup.run, site)?;
            self.sites.insert(site.clone(), kept);
        }
        Ok(self.sites.entry(site.clone()).or_default())
    }
}
