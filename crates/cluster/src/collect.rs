//! The collector: keeps in the store what the logs of all shares say, and hands shares out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use xunjian_crawl::{
    CrawlEnd, CrawlLog, CrawlSetup, Note, Progress, Share, Shares, StopSignal, note_ipv6, site_key,
};
use xunjian_fetch::{FetchLimits, Fetcher};
use xunjian_frontier::{EmbeddedFrontier, Frontier as _};
use xunjian_model::{Host, SiteId};
use xunjian_store::{Space, Store, Told, Write};

use crate::clock::Clock;
use crate::handing::hand;
use crate::lease::{self, Leases};
use crate::log::Entry;
use crate::messages::{Message, Messages};
use crate::names::{Names, patiently};
use crate::night::{Fingerprint, Night};
use crate::parts::Joined;
use crate::{Cluster, ClusterError};

/// Pause when JetStream does not do what it is asked.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked for shares with something to do.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long leases are waited for when the night is stopped, in lease times.
const LEAVING: u32 = 2;
/// Bytes of a share's log that are kept, once they are in the store, before they are let go.
const LOG_BYTES_KEPT: usize = 16 << 20;
/// Messages that are fetched while others are being kept.
const MESSAGES_AHEAD: usize = 32;
/// Bytes of messages after which what they hold is kept; with bodies unpacked it is some times as much.
const BYTES_AT_ONCE: usize = 1 << 20;

/// How far a share's log is in the store; kept with what it said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// The crawl.
    crawl: String,
    /// Number of its last message.
    number: u64,
    /// Number of the last found addresses.
    found: u64,
}

/// A share's log, as it comes in.
#[derive(Default)]
struct Incoming {
    kept: Kept,
    joined: Joined,
    /// Bytes of messages that are in the store and in JetStream still.
    bytes: usize,
}

struct Collector {
    names: Names,
    store: Arc<Store>,
    setup: CrawlSetup,
    progress: Arc<Progress>,
    log: CrawlLog,
    shares: BTreeMap<Share, Incoming>,
    /// Which sites and hosts they have.
    division: Shares,
    night: Night,
    /// Number of the last message that was looked at.
    seen: u64,
    /// Since when the night is being stopped.
    stopping: Option<Instant>,
    /// When a worker was there for the last time.
    attended: Instant,
}

/// Keeps what workers crawl until nothing is left to do, or a stop is asked. The queue is in the store, as for
/// a crawl of one machine.
pub async fn collect(
    cluster: &Cluster,
    store: Arc<Store>,
    (fetcher, limits): (&Fetcher, &FetchLimits),
    setup: CrawlSetup,
    progress: Arc<Progress>,
    stop: StopSignal,
) -> Result<CrawlEnd, ClusterError> {
    let names = Names::open(cluster).await?;
    let clock = patiently(async || Clock::read(&names.turns, "collector").await).await?;
    clock.agrees(setup.limits.clock_off_max)?;
    note_ipv6(&store, fetcher, &setup).await?;
    let division = Shares::new(&setup.sites);
    let shares = division.all().into_iter().chain(setup.limits.outside.then_some(Share(None)));
    let waiting = EmbeddedFrontier::new(Arc::clone(&store)).count();
    progress.queued.fetch_add(waiting as u64, std::sync::atomic::Ordering::Relaxed);
    let mut collector = Collector {
        night: Night {
            run: setup.run,
            crawl: String::new(),
            sites: setup.sites.iter().map(|site| site.id.clone()).collect(),
            fingerprint: Fingerprint::of(&setup, limits),
            open: Vec::new(),
            ended: false,
        },
        log: CrawlLog::open(store.folder(), setup.run),
        shares: shares.map(|share| (share, Incoming::default())).collect(),
        division,
        names,
        store,
        setup,
        progress,
        seen: 0,
        stopping: None,
        attended: Instant::now(),
    };
    let mut begun = false;
    loop {
        let ended = match begun {
            false => collector.begin().await.map(|()| None),
            true => collector.run(cluster.lease, &stop).await.map(Some),
        };
        match ended {
            Ok(None) => begun = true,
            Ok(Some(end)) => return Ok(end),
            // Servers come and go. What is in the store is not kept twice, so the logs are read anew.
            Err(error @ ClusterError::JetStream { .. }) if !collector.is_given_up(cluster.lease, &stop) => {
                tracing::warn!(%error, "JetStream is waited for");
                sleep(RETRY_PAUSE).await;
                collector.shares.values_mut().for_each(|incoming| incoming.joined = Joined::default());
            }
            Err(error) => return Err(error),
        }
    }
}

impl Collector {
    /// Goes on with the crawl that JetStream knows, or begins a new one.
    async fn begin(&mut self) -> Result<(), ClusterError> {
        let known = Night::read(&self.names.night).await?;
        for (share, incoming) in &mut self.shares {
            let kept: Option<Kept> = self.store.get(Space::Run, &[b"share", share.to_string().as_bytes()])?;
            incoming.kept = kept.unwrap_or_default();
        }
        let goes_on = known.as_ref().is_some_and(|night| {
            let kept = |incoming: &Incoming| incoming.kept.crawl == night.crawl;
            night.run == self.night.run && self.shares.values().any(kept)
        });
        match known.filter(|_| goes_on) {
            Some(night) => self.night.crawl = night.crawl,
            None => {
                self.night.crawl = format!("{:016x}", fastrand::u64(..));
                for stream in [&self.names.log, &self.names.handed, &self.names.found] {
                    stream.purge().await.map_err(|error| ClusterError::jetstream("purge")(error.into()))?;
                }
                let mut batch = self.store.begin();
                for (share, incoming) in &mut self.shares {
                    incoming.kept = Kept { crawl: self.night.crawl.clone(), ..Kept::default() };
                    batch.put(Space::Run, &[b"share", share.to_string().as_bytes()], &incoming.kept)?;
                }
                batch.commit()?;
            }
        }
        let open = self.open().await?;
        self.tell(Night { open, ..self.night.clone() }).await
    }

    async fn run(&mut self, lease: Duration, stop: &StopSignal) -> Result<CrawlEnd, ClusterError> {
        let subject = format!("{}>", self.names.subject("log", &Share(None)).trim_end_matches("outside"));
        let mut messages = Messages::new(&self.names.log, subject, 1);
        let (ahead, mut inbox) = mpsc::channel(MESSAGES_AHEAD);
        let mut fetching = JoinSet::new();
        fetching.spawn(async move { while ahead.send(messages.next().await).await.is_ok() {} });
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(message) = inbox.recv() => self.keep_with(message, &mut inbox).await?,
                _ = ticks.tick() => match self.look(lease, stop).await {
                    Ok(None) => {}
                    Ok(Some(end)) => return Ok(end),
                    Err(error @ ClusterError::JetStream { .. }) if !self.is_given_up(lease, stop) => {
                        tracing::warn!(%error, "JetStream is waited for");
                    }
                    Err(error) => return Err(error),
                },
            }
        }
    }

    /// Looks whether the night is over.
    async fn look(&mut self, lease: Duration, stop: &StopSignal) -> Result<Option<CrawlEnd>, ClusterError> {
        if stop.is_stopped() && !self.night.ended {
            self.stopping.get_or_insert_with(Instant::now);
            self.tell(Night { ended: true, ..self.night.clone() }).await?;
        }
        let leases = Leases::read(&self.names).await?;
        self.attend(&leases, lease);
        // Whoever left said so in the log before.
        let left = leases.shares.is_empty() && self.is_through().await?;
        if left || self.is_given_up(lease, stop) {
            if self.stopping.is_some() {
                return Ok(Some(CrawlEnd::Stopped));
            }
            if self.open().await?.is_empty() {
                self.end().await?;
                return Ok(Some(CrawlEnd::Done));
            }
        }
        self.tell_open().await?;
        Ok(None)
    }

    /// Whether a night that is being stopped is not waited for any longer.
    fn is_given_up(&mut self, lease: Duration, stop: &StopSignal) -> bool {
        stop.is_stopped() && self.stopping.get_or_insert_with(Instant::now).elapsed() > lease * LEAVING
    }

    /// Says when nobody works.
    fn attend(&mut self, leases: &Leases, lease: Duration) {
        if leases.workers > 0 || self.attended.elapsed() > lease {
            if leases.workers == 0 {
                tracing::warn!("no worker is there; start `xunjian worker` on some machine");
            }
            self.attended = Instant::now();
        }
    }

    /// Whether everything that is in the logs was looked at.
    async fn is_through(&self) -> Result<bool, ClusterError> {
        let state = self.names.log.get_info().await;
        let state = state.map_err(|error| ClusterError::jetstream("the log")(error.into()))?.state;
        Ok(state.messages == 0 || self.seen >= state.last_sequence)
    }

    /// Says which shares have something to do.
    async fn tell_open(&mut self) -> Result<(), ClusterError> {
        let open = self.open().await?;
        if open != self.night.open {
            self.tell(Night { open, ..self.night.clone() }).await?;
        }
        Ok(())
    }

    /// Says what became of the night. It is known to be said once JetStream has it: what a failing server did not
    /// take is said again.
    async fn tell(&mut self, night: Night) -> Result<(), ClusterError> {
        night.write(&self.names.night).await?;
        self.night = night;
        Ok(())
    }

    /// Shares with a queue, or with found addresses that are not in the store yet.
    async fn open(&self) -> Result<Vec<Share>, ClusterError> {
        let mut open: Vec<Share> = EmbeddedFrontier::new(Arc::clone(&self.store))
            .hosts()?
            .iter()
            .map(|host| self.division.of_host(host))
            .filter(|share| self.shares.contains_key(share))
            .collect();
        for (share, incoming) in &self.shares {
            if !open.contains(share) {
                let subject = self.names.subject("found", share);
                if Names::last_number(&self.names.found, &subject).await? > incoming.kept.found {
                    open.push(share.clone());
                }
            }
        }
        open.sort();
        open.dedup();
        Ok(open)
    }

    /// Takes a message and those that came meanwhile: a commit for all of them costs hardly more than one for
    /// each.
    async fn keep_with(
        &mut self,
        first: Message,
        inbox: &mut mpsc::Receiver<Message>,
    ) -> Result<(), ClusterError> {
        let (mut next, mut bytes) = (Some(first), 0);
        let mut batches = Vec::new();
        let mut seen = self.seen;
        while let Some(message) = next {
            bytes += message.payload.len();
            seen = seen.max(message.number);
            if let Some((share, number, entry)) = self.read(message)? {
                // Who has a share is settled when everything before is in the store.
                if !matches!(entry, Entry::Told(_)) {
                    self.apply(std::mem::take(&mut batches))?;
                }
                match entry {
                    Entry::Told(told) => batches.push((share, number, told)),
                    Entry::Taken { worker, crawl } => self.taken(share, number, (&worker, &crawl)).await?,
                    Entry::Left { worker } => self.left(share, number, &worker).await?,
                }
            }
            next = if bytes < BYTES_AT_ONCE { inbox.try_recv().ok() } else { None };
        }
        self.apply(batches)?;
        self.seen = seen;
        self.let_go().await
    }

    /// What a message of a log completes, unless it is in the store already.
    fn read(&mut self, message: Message) -> Result<Option<(Share, u64, Entry)>, ClusterError> {
        let Message { number, subject, payload } = message;
        let share = self.names.share("log", &subject)?;
        // Others are of a site that is in the register no more.
        let Some(incoming) = self.shares.get_mut(&share) else { return Ok(None) };
        incoming.bytes += payload.len();
        match incoming.joined.add::<Entry>(&payload) {
            Ok(entry) => {
                Ok(entry.filter(|_| number > incoming.kept.number).map(|entry| (share, number, entry)))
            }
            // The beginning is in the store already, and was let go.
            Err(error) if number <= incoming.kept.number => {
                tracing::debug!(%share, %error, "the rest of what is kept");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// A worker has a share from now on.
    async fn taken(
        &mut self,
        share: Share,
        number: u64,
        (worker, crawl): (&str, &str),
    ) -> Result<(), ClusterError> {
        let found = self.shares.get(&share).map_or(0, |incoming| incoming.kept.found);
        // Whoever works for another crawl is handed nothing; it ends when it reads of this one.
        if crawl == self.night.crawl {
            tracing::info!(%share, worker, "leased");
            hand(&self.names, (&self.store, &self.setup), &share, number, found).await?;
        }
        self.apply(vec![(share, number, Told::default())])
    }

    /// A worker has a share no more.
    async fn left(&mut self, share: Share, number: u64, worker: &str) -> Result<(), ClusterError> {
        self.apply(vec![(share.clone(), number, Told::default())])?;
        self.tell_open().await?;
        lease::end(&self.names, &share, worker).await;
        Ok(())
    }

    /// Keeps batches of shares, and that they are kept, in one batch.
    fn apply(&mut self, batches: Vec<(Share, u64, Told)>) -> Result<(), ClusterError> {
        if batches.is_empty() {
            return Ok(());
        }
        let (store, setup, progress) = (&self.store, &self.setup, &self.progress);
        let mut kept: BTreeMap<Share, Kept> = BTreeMap::new();
        let (mut queued, mut done, count) = (0, 0, batches.len() as u64);
        let mut notes = Vec::new();
        tokio::task::block_in_place(|| {
            store.has_room()?;
            let mut batch = store.begin();
            for (share, number, told) in batches {
                for write in told.writes {
                    if !is_of(&share, setup.run, &self.division, &write) {
                        return Err(ClusterError::Message(format!("{share}: a write of another share")));
                    }
                    let of_queue = u64::from(write.of(Space::Queue).is_some());
                    match &write {
                        Write::Put { .. } => queued += of_queue,
                        Write::Delete { .. } => done += of_queue,
                        Write::Snapshot { .. } | Write::Revisit { .. } => {}
                    }
                    batch.apply(write)?;
                }
                let note = Note::read(&told.note).unwrap_or_default();
                let known = self.shares.get(&share).map_or(0, |incoming| incoming.kept.found);
                let known = kept.get(&share).map_or(known, |kept| kept.found);
                let found = note.number.map_or(known, |found| found.max(known));
                kept.insert(share, Kept { crawl: self.night.crawl.clone(), number, found });
                notes.push(note);
            }
            for (share, kept) in &kept {
                batch.put(Space::Run, &[b"share", share.to_string().as_bytes()], kept)?;
            }
            batch.commit()?;
            Ok(())
        })?;
        for note in notes {
            self.log.write(&note.lines);
            progress.add_elsewhere(&note.counts);
        }
        for (counter, count) in
            [(&progress.queued, queued), (&progress.done, done), (&progress.batches, count)]
        {
            counter.fetch_add(count, std::sync::atomic::Ordering::Relaxed);
        }
        for (share, kept) in kept {
            if let Some(incoming) = self.shares.get_mut(&share) {
                incoming.kept = kept;
            }
        }
        Ok(())
    }

    /// Lets go of what is in the store of long logs, up to the last message of each, by which the next one is
    /// judged.
    async fn let_go(&mut self) -> Result<(), ClusterError> {
        for (share, incoming) in &mut self.shares {
            if incoming.bytes < LOG_BYTES_KEPT {
                continue;
            }
            incoming.bytes = 0;
            let subject = self.names.subject("log", share);
            let purged = self.names.log.purge().filter(subject).sequence(incoming.kept.number).await;
            purged.map_err(|error| ClusterError::jetstream("purge")(error.into()))?;
        }
        Ok(())
    }

    /// The night is over; nothing of it is needed any more.
    async fn end(&mut self) -> Result<(), ClusterError> {
        self.tell(Night { ended: true, open: Vec::new(), ..self.night.clone() }).await?;
        for stream in [&self.names.log, &self.names.handed, &self.names.found] {
            stream.purge().await.map_err(|error| ClusterError::jetstream("purge")(error.into()))?;
        }
        Ok(())
    }
}

/// Whether a write belongs to a share's crawl: no worker can damage what is another one's.
fn is_of(share: &Share, run: u32, shares: &Shares, write: &Write) -> bool {
    let key = match write {
        Write::Snapshot { owner, .. } | Write::Revisit { owner, .. } => {
            return shares.of_site(owner.as_ref()) == *share;
        }
        Write::Put { key, .. } | Write::Delete { key } => key,
    };
    let first = |key: &[u8]| {
        let part = key.split(|&byte| byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(part).into_owned()
    };
    let site = |id: String| match id.is_empty() {
        true => *share == Share(None),
        false => SiteId::new(&id).is_ok_and(|id| shares.of_site(Some(&id)) == *share),
    };
    match Space::of(key) {
        Some((Space::Url, key)) => key.contains(&0) && site(first(key)),
        Some((Space::Queue | Space::Host, key)) => shares.of_host(&Host::from_stored(first(key))) == *share,
        Some((Space::Site, key)) => !key.is_empty() && site(String::from_utf8_lossy(key).into_owned()),
        Some((Space::Run, _)) => {
            let counts = |site| Space::Run.key(&site_key(run, site).each_ref().map(Vec::as_slice));
            shares.sites(share).any(|site| *key == counts(site))
        }
        Some((Space::Snapshot, _)) => matches!(write, Write::Delete { .. }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use xunjian_model::{PageUrl, Site, SiteKind};

    use super::*;

    #[test]
    fn a_share_writes_what_is_its_own_alone() {
        let site = |id: &str| {
            let url = PageUrl::parse(&format!("http://{id}.gov.cn/")).expect("url");
            Site::new(SiteId::new(id).expect("id"), id.to_owned(), url, SiteKind::Department)
        };
        let mut with_folder = site("c");
        with_folder.scopes.push("a.gov.cn/c/".parse().expect("scope"));
        let shares = Shares::new(&[site("a"), site("a-b"), with_folder]);
        let [a, ab, outside] =
            ["site.a", "site.a-b", "outside"].map(|text| text.parse::<Share>().expect("share"));
        let key = |run: u32, id: &str| site_key(run, &SiteId::new(id).expect("id"));
        let put = |space: Space, parts: &[&[u8]]| Write::Put { key: space.key(parts), value: Vec::new() };
        let counts = key(7, "a");
        let table: [(Write, Option<&Share>); 14] = [
            (put(Space::Url, &[b"a", b"http://a.gov.cn/"]), Some(&a)),
            (put(Space::Url, &[b"a-b", b"http://a-b.gov.cn/"]), Some(&ab)),
            (put(Space::Url, &[b"", b"http://c.cn/"]), Some(&outside)),
            (put(Space::Queue, &[b"http://a.gov.cn", &[1], b"http://a.gov.cn/"]), Some(&a)),
            (put(Space::Queue, &[b"http://c.cn", &[1], b"http://c.cn/"]), Some(&outside)),
            (put(Space::Host, &[b"http://a-b.gov.cn"]), Some(&ab)),
            (put(Space::Site, &[b"a"]), Some(&a)),
            (put(Space::Run, &counts.each_ref().map(Vec::as_slice)), Some(&a)),
            (put(Space::Url, &[b"c", b"http://a.gov.cn/c/"]), Some(&a)),
            (put(Space::Host, &[b"http://c.gov.cn"]), Some(&a)),
            (put(Space::Site, &[b"c"]), Some(&a)),
            (put(Space::Run, &[b"last"]), None),
            (put(Space::Finding, &[b"a", b"1"]), None),
            (put(Space::Snapshot, &[b"http://a.gov.cn/", b"1"]), None),
        ];
        for (write, owner) in table {
            for share in [&a, &ab, &outside] {
                assert_eq!(is_of(share, 7, &shares, &write), owner == Some(share), "{share}: {write:?}");
            }
        }
        assert!(
            !is_of(&a, 8, &shares, &put(Space::Run, &counts.each_ref().map(Vec::as_slice))),
            "another run"
        );
    }
}
