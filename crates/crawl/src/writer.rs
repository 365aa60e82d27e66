//! The one writer: outcomes in, acknowledged batches out.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use xunjian_fetch::HeldPlace;
use xunjian_frontier::{Frontier, Item};
use xunjian_model::{BodyHash, Facts, Host, HostRecord, LeftOut, SiteId, Snapshot, Target, UrlRecord, View};
use xunjian_store::{Batch, Space, StoreError};

use crate::joint::{Found, Note};
use crate::learn::Learner;
use crate::log::CrawlLog;
use crate::progress::Counts;
use crate::rendering::RenderedPage;
use crate::setup::SiteCrawl;
use crate::sites::link_hash;
use crate::traps::{self, Shapes};
use crate::{Progress, Shared, now, site_key};

/// Outcomes waiting for the writer; each may hold a page.
pub(crate) const CHANNEL: usize = 64;
/// Writes in one batch. The index frees what a batch replaced only when it is through, so large
/// batches cost memory.
const BATCH_WRITES: usize = 2_048;
/// Bytes of bodies in one batch.
const BATCH_BYTES: usize = 16 << 20;
/// The same where the batch is told to another store before it is kept: then it is in memory more than once, and a
/// machine has many such crawls.
const TOLD_BATCH_BYTES: usize = 2 << 20;
/// Longest time an outcome waits for its batch.
const BATCH_TIME: Duration = Duration::from_millis(300);
/// Known addresses remembered so that the index is not asked for each link of each menu.
const REMEMBERED: usize = 1 << 15;

/// What a worker hands over.
pub(crate) enum Outcome {
    Visit(Box<Visit>),
    /// Addresses from a site map.
    Links(Vec<Item>),
    /// A page that turned out to be a refusal: forgotten, and queued again.
    TakeBack(Item),
    /// What is to be kept of a host.
    Host(Host, Box<HostRecord>),
    /// Addresses that other crawls found for this one.
    Found(Found),
    /// Something noticed of a site, to be counted.
    Note(SiteId, &'static str),
    /// Nothing comes after this.
    End,
}

/// A visited item.
pub(crate) struct Visit {
    /// Of the home page, or of where it leads.
    pub(crate) home: bool,
    pub(crate) item: Item,
    pub(crate) record: UrlRecord,
    pub(crate) page: Option<Box<Page>>,
    pub(crate) links: Vec<Item>,
    /// The page as a browser shows it.
    pub(crate) rendered: Option<Box<RenderedPage>>,
    /// The page as a search engine is shown it, where that is another.
    pub(crate) second_look: Option<Box<(Snapshot, Vec<u8>)>>,
    /// A record that the page was seen unchanged.
    pub(crate) revisit: Option<Box<Snapshot>>,
    /// A visit to a page of a site: whether the site opened.
    pub(crate) site_opened: Option<bool>,
    pub(crate) left_out: Option<LeftOut>,
    /// A page that was kept before is gone.
    pub(crate) deleted: bool,
    /// A line for the crawl's log.
    pub(crate) line: Option<String>,
}

/// A new version of a page.
pub(crate) struct Page {
    pub(crate) snapshot: Snapshot,
    pub(crate) body: Vec<u8>,
    pub(crate) facts: Facts,
    /// Hash of its text without digits.
    pub(crate) text: BodyHash,
    /// Its body's place in memory.
    pub(crate) _place: HeldPlace,
}

/// An acknowledged batch.
pub(crate) struct Committed {
    pub(crate) outcomes: u64,
    pub(crate) hosts: HashSet<Host>,
}

type Commits = mpsc::UnboundedSender<Result<Committed, StoreError>>;

pub(crate) fn run(shared: &Shared, mut inbox: mpsc::Receiver<Outcome>, log: CrawlLog, commits: &Commits) {
    let mut writer = Writer {
        shared,
        known: HashSet::new(),
        sites: BTreeMap::new(),
        watched: BTreeMap::new(),
        log,
        held: None,
        counted: Counts::default(),
    };
    while let Some(first) = writer.held.take().or_else(|| inbox.blocking_recv()) {
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
    /// Lines for the log, written once the batch is kept.
    lines: Vec<String>,
    /// Hosts with new items.
    woken: HashSet<Host>,
    /// Sites whose counts changed.
    touched: HashSet<SiteId>,
    /// Addresses for other crawls.
    found: Vec<Item>,
    /// Number of the last addresses that came from another crawl.
    number: Option<u64>,
    ends: bool,
}

struct Writer<'s> {
    shared: &'s Shared,
    /// Hashes of addresses that are certainly in the index.
    known: HashSet<u128>,
    sites: BTreeMap<SiteId, SiteCrawl>,
    watched: BTreeMap<SiteId, Watched>,
    log: CrawlLog,
    /// What has to wait for the batch before it.
    held: Option<Outcome>,
    /// What was counted up to the last batch that was told.
    counted: Counts,
}

/// What the addresses of one site are watched for.
#[derive(Default)]
struct Watched {
    shapes: Shapes,
    learner: Learner,
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
        self.shared.store.has_room()?;
        let mut batch = self.shared.store.begin();
        let mut next = Some(first);
        loop {
            match next.take() {
                Some(Outcome::End) => gathered.ends = true,
                Some(Outcome::Links(links)) => {
                    self.links(&mut batch, &links, gathered)?;
                    gathered.outcomes += 1;
                }
                Some(Outcome::Found(found)) => {
                    let items: Vec<Item> = found.items.into_iter().map(|item| self.canonical(item)).collect();
                    self.links(&mut batch, &items, gathered)?;
                    gathered.number = Some(found.number);
                    gathered.outcomes += 1;
                }
                // A page that this batch keeps cannot be taken back before it is kept.
                Some(Outcome::TakeBack(item)) if gathered.done.iter().any(|done| done.url == item.url) => {
                    self.held = Some(Outcome::TakeBack(item));
                    break;
                }
                Some(Outcome::TakeBack(item)) => {
                    self.take_back(&mut batch, &item, gathered)?;
                    gathered.outcomes += 1;
                }
                Some(Outcome::Host(host, kept)) => {
                    batch.put(Space::Host, &[host.as_str().as_bytes()], &*kept)?;
                    gathered.outcomes += 1;
                }
                Some(Outcome::Note(site, what)) => {
                    self.note(&site, what, gathered)?;
                    gathered.outcomes += 1;
                }
                Some(Outcome::Visit(visit)) => {
                    self.visit(&mut batch, &visit, gathered)?;
                    gathered.done.push(visit.item);
                    gathered.outcomes += 1;
                }
                None => {}
            }
            let bytes_max = if self.shared.joint.is_some() { TOLD_BATCH_BYTES } else { BATCH_BYTES };
            let full = batch.writes() >= BATCH_WRITES || batch.body_bytes() >= bytes_max;
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
            if let Some(crawl) = self.sites.get_mut(site) {
                if let Some(state) = self.shared.sites.get(site) {
                    crawl.seconds = state.elapsed().as_secs();
                    crawl.bytes = state.bytes();
                }
                batch.put(Space::Run, &key.each_ref().map(Vec::as_slice), crawl)?;
            }
        }
        if self.shared.joint.is_some() {
            let counts = Counts::now(&self.shared.progress, &self.shared.fetcher);
            let note = Note {
                lines: gathered.lines.clone(),
                found: std::mem::take(&mut gathered.found),
                number: gathered.number,
                counts: counts.since(self.counted),
            };
            self.counted = counts;
            batch.attach(note.bytes());
        }
        batch.commit()?;
        self.shared.frontier.forget(&gathered.done);
        self.log.write(&gathered.lines);
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
        let record = &visit.record;
        let owner = item.site.as_ref();
        let url = item.url.as_str();
        if let Some(page) = page {
            let Page { snapshot, body, facts, text, .. } = &**page;
            batch.put_snapshot(owner, snapshot, body)?;
            if let Some(site) = owner.filter(|_| item.target == Target::Page && item.depth > 0) {
                self.watch(batch, site, item, (facts, *text), gathered)?;
            }
        }
        if let Some(RenderedPage { snapshot, links }) = visit.rendered.as_deref() {
            if let Some((snapshot, body)) = snapshot {
                batch.put_snapshot(owner, snapshot, body)?;
            }
            self.links(batch, links, gathered)?;
        }
        if let Some((snapshot, body)) = visit.second_look.as_deref() {
            batch.put_snapshot(owner, snapshot, body)?;
        }
        if let Some(revisit) = &visit.revisit {
            batch.put_revisit(owner, revisit)?;
        }
        batch.put_url(owner, url, record)?;
        self.shared.frontier.ack(batch, item);
        self.links(batch, links, gathered)?;
        gathered.lines.extend(visit.line.clone());
        if let Some(site) = owner {
            let crawl = self.site(site)?;
            if let Some(opened) = visit.site_opened {
                crawl.visits += 1;
                crawl.failed_visits += u64::from(!opened);
                if visit.home {
                    crawl.home.clone_from(&record.state);
                }
                gathered.touched.insert(site.clone());
            }
            crawl.deleted += u64::from(visit.deleted);
            if let Some(reason) = visit.left_out {
                *crawl.left_out.entry(reason.word().to_owned()).or_default() += 1;
                if reason == LeftOut::Trap {
                    let cut = crawl.cut.entry(traps::shape(&item.url)).or_default();
                    cut.count += 1;
                    cut.example.clone_from(&item.url.to_string());
                }
                gathered.touched.insert(site.clone());
                gathered.lines.push(format!(
                    "- 0 - {} {:?} d{} {url}",
                    reason.word(),
                    item.target,
                    item.depth
                ));
            }
        }
        Ok(())
    }

    /// The one address for what another crawl found, which does not know what was learnt of the site.
    fn canonical(&self, item: Item) -> Item {
        match item.site.as_ref().and_then(|site| self.shared.sites.get(site)) {
            Some(site) => Item { url: site.canonical(&item.url), ..item },
            None => item,
        }
    }

    /// Looks whether a new page's address teaches anything of the site's addresses.
    fn watch(
        &mut self,
        batch: &mut Batch<'_>,
        site: &SiteId,
        item: &Item,
        (facts, text): (&Facts, BodyHash),
        gathered: &mut Gathered,
    ) -> Result<(), StoreError> {
        let Some(state) = self.shared.sites.get(site) else { return Ok(()) };
        let watched = self.watched.entry(site.clone()).or_default();
        let cut = watched.shapes.add(&item.url, facts, text).filter(|_| !state.is_cut(&item.url));
        let rule = watched.learner.add(&item.url, text);
        if let Some(shape) = cut {
            tracing::info!(%site, shape, "endless addresses that show nothing new are cut");
            batch.put(Space::Site, &[site.as_str().as_bytes()], &state.cut(&shape))?;
            self.site(site)?.cut.entry(shape).or_default().example = item.url.to_string();
            gathered.touched.insert(site.clone());
        }
        if let Some(rule) = rule {
            tracing::info!(%site, ?rule, "addresses of the same page are folded");
            batch.put(Space::Site, &[site.as_str().as_bytes()], &state.adopt(&rule))?;
            self.note(site, "rule-learnt", gathered)?;
        }
        Ok(())
    }

    fn note(&mut self, site: &SiteId, what: &str, gathered: &mut Gathered) -> Result<(), StoreError> {
        *self.site(site)?.notes.entry(what.to_owned()).or_default() += 1;
        gathered.touched.insert(site.clone());
        Ok(())
    }

    /// Forgets what was kept of a page that was a refusal, and queues it again.
    fn take_back(
        &mut self,
        batch: &mut Batch<'_>,
        item: &Item,
        gathered: &mut Gathered,
    ) -> Result<(), StoreError> {
        let owner = item.site.as_ref();
        // What an earlier visit kept stays, where this one's is not kept yet or found nothing new.
        if let Some(mut record) = self.shared.store.url(owner, item.url.as_str())?
            && let Some(at) = record.snapshot_at.filter(|at| record.checked_at == Some(*at))
            && record.run == self.shared.setup.run
        {
            let before = self.shared.store.history(&item.url).filter(|kept| {
                kept.as_ref()
                    .is_ok_and(|kept| kept.view == View::Sent && kept.status == 200 && kept.fetched_at < at)
            });
            let before = before.last().transpose()?;
            batch.delete_snapshot(&item.url, at);
            record.snapshot_at = before.as_ref().map(|kept| kept.fetched_at);
            record.body_hash = before.map(|kept| kept.body_hash);
            record.changes = record.changes.saturating_sub(1);
            record.seen = record.seen.saturating_sub(1);
            record.etag = None;
            record.last_modified = None;
            record.run = 0;
            batch.put_url(owner, item.url.as_str(), &record)?;
        }
        self.shared.frontier.put(batch, item)?;
        gathered.woken.insert(item.url.host_key());
        Progress::add(&self.shared.progress.queued, 1);
        if let Some(site) = owner {
            self.note(site, "refusal-taken-back", gathered)?;
        }
        Ok(())
    }

    fn links(
        &mut self,
        batch: &mut Batch<'_>,
        links: &[Item],
        gathered: &mut Gathered,
    ) -> Result<(), StoreError> {
        let depth_max = self.shared.setup.limits.depth_max;
        for item in links.iter().filter(|_| self.shared.setup.follow) {
            // Whatever it is linked as, an address is one.
            if !self.known.insert(link_hash(item.url.as_str())) {
                continue;
            }
            // Whoever works off its share knows whether it is new.
            if self.shared.is_for_others(item) {
                gathered.found.push(item.clone());
                continue;
            }
            if self.shared.store.knows(item.site.as_ref(), item.url.as_str())? {
                continue;
            }
            if let Some(site) = &item.site {
                if item.depth > depth_max {
                    *self.site(site)?.left_out.entry(LeftOut::DepthMax.word().to_owned()).or_default() += 1;
                    gathered.touched.insert(site.clone());
                    continue;
                }
                if self.is_cut(site, item, gathered)? {
                    continue;
                }
            }
            let record = UrlRecord::discovered(item.site.clone(), item.target, item.depth, now());
            batch.put_url(item.site.as_ref(), item.url.as_str(), &record)?;
            self.shared.frontier.put(batch, item)?;
            gathered.woken.insert(item.url.host_key());
            Progress::add(&self.shared.progress.queued, 1);
        }
        Ok(())
    }

    /// Counts an address that is not followed because it is one of endless ones, or a copy.
    fn is_cut(&mut self, site: &SiteId, item: &Item, gathered: &mut Gathered) -> Result<bool, StoreError> {
        let shape = if traps::is_converted(&item.url) {
            "converted-copy".to_owned()
        } else if item.target != Target::Page {
            return Ok(false);
        } else if traps::is_endless(&item.url) {
            "endless-path".to_owned()
        } else if self.shared.sites.get(site).is_some_and(|state| state.is_cut(&item.url)) {
            traps::shape(&item.url)
        } else {
            return Ok(false);
        };
        let crawl = self.site(site)?;
        let cut = crawl.cut.entry(shape).or_default();
        cut.count += 1;
        if cut.example.is_empty() {
            cut.example = item.url.to_string();
        }
        gathered.touched.insert(site.clone());
        Ok(true)
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
