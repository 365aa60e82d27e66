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
/// Outcomes in one batch.
const BATCH_OUTCOMES: usize = 512;
/// Bytes of bodies in one batch.
const BATCH_BYTES: usize = 16 << 20;
/// Longest time an outcome waits for its batch.
const BATCH_TIME: Duration = Duration::from_millis(300);
/// Known addresses remembered so that the index is not asked for each link of each menu.
const REMEMBERED: usize = 1 << 17;

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
    loop {
        let Some(first) = inbox.blocking_recv() else { return };
        let mut waiting = vec![first];
        let begun = Instant::now();
        let mut bytes = 0;
        while waiting.len() < BATCH_OUTCOMES && bytes < BATCH_BYTES && begun.elapsed() < BATCH_TIME {
            match inbox.try_recv() {
                Ok(outcome) => {
                    bytes += outcome.bytes();
                    waiting.push(outcome);
                }
                Err(mpsc::error::TryRecvError::Empty) => std::thread::sleep(Duration::from_millis(2)),
                Err(mpsc::error::TryRecvError::Disconnected) => break,
            }
            if matches!(waiting.last(), Some(Outcome::End)) {
                break;
            }
        }
        let ends = matches!(waiting.last(), Some(Outcome::End));
        let result = writer.write(waiting);
        let failed = result.is_err();
        let _ = commits.send(result);
        if ends || failed {
            return;
        }
    }
}

impl Outcome {
    fn bytes(&self) -> usize {
        match self {
            Self::Visit(visit) => visit.page.as_ref().map_or(0, |page| page.body.len()),
            _ => 0,
        }
    }
}

struct Writer<'s> {
    shared: &'s Shared,
    /// Hashes of addresses that are certainly in the index.
    known: HashSet<u128>,
    sites: BTreeMap<SiteId, SiteCrawl>,
}

impl Writer<'_> {
    fn write(&mut self, outcomes: Vec<Outcome>) -> Result<Committed, StoreError> {
        if self.known.len() > REMEMBERED {
            self.known.clear();
        }
        let mut batch = self.shared.store.begin();
        let mut committed = Committed { outcomes: 0, hosts: HashSet::new() };
        let mut done = Vec::new();
        let mut touched = HashSet::new();
        for outcome in outcomes {
            match outcome {
                Outcome::End => continue,
                Outcome::Links(links) => {
                    self.links(&mut batch, &links, &mut committed.hosts, &mut touched)?
                }
                Outcome::Visit(visit) => {
                    self.visit(&mut batch, &visit, &mut committed.hosts, &mut touched)?;
                    done.push(visit.item);
                }
            }
            committed.outcomes += 1;
        }
        for site in &touched {
            let key = site_key(self.shared.setup.run, site);
            if let Some(crawl) = self.sites.get(site) {
                batch.put(Space::Run, &key.each_ref().map(Vec::as_slice), crawl)?;
            }
        }
        batch.commit()?;
        self.shared.frontier.forget(&done);
        Progress::add(&self.shared.progress.done, done.len() as u64);
        Ok(committed)
    }

    fn visit(
        &mut self,
        batch: &mut Batch<'_>,
        visit: &Visit,
        woken: &mut HashSet<Host>,
        touched: &mut HashSet<SiteId>,
    ) -> Result<(), StoreError> {
        let Visit { item, record, page, links, .. } = visit;
        let owner = item.site.as_ref();
        let url = item.url.as_str();
        if let Some(Page { snapshot, body, facts, extractor }) = page {
            batch.put_snapshot(snapshot, body)?;
            batch.put_facts(owner, url, snapshot.body_hash, *extractor, facts)?;
        }
        batch.put_url(owner, url, record)?;
        self.shared.frontier.ack(batch, item);
        self.links(batch, links, woken, touched)?;
        if let Some(site) = owner {
            let crawl = self.site(site)?;
            if let Some(opened) = visit.site_opened {
                crawl.visits += 1;
                crawl.failed_visits += u64::from(!opened);
                if item.depth == 0 {
                    crawl.home.clone_from(&record.state);
                }
                touched.insert(site.clone());
            }
            if let Some(reason) = visit.left_out {
                *crawl.left_out.entry(reason.to_owned()).or_default() += 1;
                touched.insert(site.clone());
            }
        }
        Ok(())
    }

    fn links(
        &mut self,
        batch: &mut Batch<'_>,
        links: &[Item],
        woken: &mut HashSet<Host>,
        touched: &mut HashSet<SiteId>,
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
                    touched.insert(site.clone());
                }
                continue;
            }
            let record = UrlRecord::discovered(item.site.clone(), item.target, item.depth, host::now());
            batch.put_url(item.site.as_ref(), item.url.as_str(), &record)?;
            self.shared.frontier.put(batch, item)?;
            woken.insert(item.url.host_key());
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
