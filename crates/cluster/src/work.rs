//! A worker: leases shares and crawls them, each over a store of its own that ends with the lease.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use xunjian_crawl::{
    CrawlLimits, CrawlSetup, Found, Joint, JointPace, Progress, RenderSetup, Renderer, Share, Shares,
    StopSignal, TurnBook, crawl_jointly,
};
use xunjian_fetch::{FetchLimits, Fetcher, Network};

use crate::clock::Clock;
use crate::handing::receive;
use crate::lease::{self, Lease, Leases};
use crate::log::{Entry, Listening, Log, Refused};
use crate::messages::Messages;
use crate::names::{Names, patiently};
use crate::night::{Fingerprint, Night};
use crate::pace::Pace;
use crate::places::Places;
use crate::{Cluster, ClusterError, scratch};

/// How often a worker looks for shares.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a share is left to others at most.
const HAND_BACK_EVERY: Duration = Duration::from_secs(2);
/// Messages of found addresses that wait for the crawl.
const FOUND_WAITING: usize = 16;

/// What a worker is told by whoever runs it.
pub struct Worker<'w> {
    /// Folder for the stores of its shares.
    pub scratch: &'w Path,
    /// Ends with the night instead of waiting for the next one.
    pub once: bool,
    /// How all sites are crawled; the night says which of them, and the number of the run.
    pub setup: CrawlSetup,
    /// A browser for pages that scripts fill, started anew each night.
    pub render: Option<RenderSetup>,
    /// Limits of the client.
    pub fetch: FetchLimits,
    /// How it reaches the web.
    pub network: Network,
    /// Told when shares come and go: how many there are.
    pub shares: &'w (dyn Fn(&[&Share]) + Sync),
}

/// Works until a stop is asked, or a night is over and only one was wanted.
pub async fn work(cluster: &Cluster, worker: Worker<'_>, stop: StopSignal) -> Result<(), ClusterError> {
    scratch::clear(worker.scratch)?;
    let names = Names::open(cluster).await?;
    let name = format!("{:016x}", fastrand::u64(..));
    let clock = Arc::new(patiently(async || Clock::read(&names.turns, &name).await).await?);
    clock.agrees(worker.setup.limits.clock_off_max)?;
    let places = Places::new(worker.setup.politeness.address_connections);
    let mut working = Working {
        failed: BTreeMap::new(),
        handed_back: None,
        held: BTreeMap::new(),
        order: Vec::new(),
        tasks: JoinSet::new(),
        pace: Arc::new(Pace::new(names.turns.clone(), Arc::clone(&clock), Arc::clone(&places))),
        places,
        name,
        names,
        cluster: cluster.clone(),
        night: None,
    };
    let ended = working.run(&worker, &clock, &stop).await;
    working.leave_all().await;
    lease::unregister(&working.names, &working.name).await;
    ended
}

/// A share that is being worked off.
#[derive(Clone)]
struct Held {
    /// Asks for its end.
    stop: StopSignal,
    /// Nobody can find more for it.
    complete: StopSignal,
}

struct Working {
    names: Names,
    cluster: Cluster,
    name: String,
    pace: Arc<dyn JointPace>,
    places: Arc<Places>,
    /// When a share was left to others for the last time.
    handed_back: Option<Instant>,
    /// Shares that failed, and when: others may have more luck with them.
    failed: BTreeMap<Share, Instant>,
    held: BTreeMap<Share, Held>,
    /// Shares as they were leased.
    order: Vec<Share>,
    tasks: JoinSet<(Share, Result<(), Refused>)>,
    night: Option<(Night, CrawlSetup)>,
}

impl Working {
    async fn run(
        &mut self,
        worker: &Worker<'_>,
        clock: &Clock,
        stop: &StopSignal,
    ) -> Result<(), ClusterError> {
        let mut registered: Option<Instant> = None;
        while !stop.is_stopped() {
            if registered.is_none_or(|at| at.elapsed() > self.cluster.lease / 3) {
                let done = async {
                    lease::register(&self.names, &self.name).await?;
                    clock.read_again(&self.names.turns).await
                };
                match done.await {
                    Ok(()) => registered = Some(Instant::now()),
                    Err(error) => tracing::warn!(%error, "JetStream is waited for"),
                }
            }
            match self.look(worker).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error @ ClusterError::Differs) => return Err(error),
                Err(error) => tracing::warn!(%error, "JetStream is waited for"),
            }
            tokio::select! {
                () = stop.sleep(LOOK_EVERY) => {}
                Some(ended) = self.tasks.join_next(), if !self.tasks.is_empty() => self.ended(ended, worker),
            }
        }
        Ok(())
    }

    /// Leases and leaves shares as the night wants it; true when it is over and no other one is waited for.
    async fn look(&mut self, worker: &Worker<'_>) -> Result<bool, ClusterError> {
        let night = Night::read(&self.names.night).await?;
        let Some(night) = night.filter(|night| !night.ended) else {
            self.held.values().for_each(|held| held.stop.stop());
            // With the night its browser ends.
            let over = self.held.is_empty() && self.night.take().is_some();
            return Ok(worker.once && over);
        };
        if self.night.as_ref().is_none_or(|(known, _)| known.crawl != night.crawl) {
            // What is left of another night ends first.
            if !self.held.is_empty() {
                self.held.values().for_each(|held| held.stop.stop());
                return Ok(false);
            }
            let renderer = worker.render.clone().map(|setup| Arc::new(Renderer::new(setup)));
            let mut setup = CrawlSetup { run: night.run, renderer, ..worker.setup.clone() };
            setup.sites.retain(|site| night.sites.contains(&site.id));
            if Fingerprint::of(&setup, &worker.fetch) != night.fingerprint {
                return Err(ClusterError::Differs);
            }
            self.night = Some((night.clone(), setup));
        }
        if night.open.is_empty() {
            self.held.values().for_each(|held| held.complete.stop());
            return Ok(false);
        }
        let leases = Leases::read(&self.names).await?;
        self.places.divide(leases.workers);
        let fair = lease::fair_part(night.open.len(), leases.workers);
        let free = lease::unleased(&night.open, &leases);
        let mut busy = self.held.keys().filter(|share| night.open.contains(share)).count();
        // Where there is nobody else to take what is free, those that are through make room.
        let room = self.cluster.shares_max.saturating_sub(self.held.len());
        let through = self.order.iter().filter(|share| !night.open.contains(share));
        for held in through.filter_map(|share| self.held.get(share)).take(free.len().saturating_sub(room)) {
            held.complete.stop();
        }
        self.failed.retain(|_, at| at.elapsed() < self.cluster.lease);
        // A share whose lease ended while its crawl has not yet is taken again only then.
        let takes = |share: &&&Share| !self.failed.contains_key(*share) && !self.held.contains_key(*share);
        for share in free.iter().filter(takes).copied().collect::<Vec<_>>() {
            if busy >= fair || self.held.len() >= self.cluster.shares_max {
                break;
            }
            busy += usize::from(self.take(share, worker).await?);
        }
        // A worker that came later gets a part, too; one share after the other, so that all can follow.
        if busy > lease::tolerated(fair)
            && self.handed_back.is_none_or(|at| at.elapsed() > HAND_BACK_EVERY)
            && let Some(newest) = self.order.iter().rev().find(|share| night.open.contains(share))
            && let Some(held) = self.held.get(newest)
        {
            tracing::info!(share = %newest, "left to others");
            held.stop.stop();
            self.handed_back = Some(Instant::now());
        }
        Ok(false)
    }

    /// Leases a share and begins with it; false when somebody else was faster.
    async fn take(&mut self, share: &Share, worker: &Worker<'_>) -> Result<bool, ClusterError> {
        let Some((night, setup)) = &self.night else { return Ok(false) };
        let lease = Lease::take(&self.names, share, &self.name, self.cluster.lease).await?;
        let Some(lease) = lease else { return Ok(false) };
        let held = Held { stop: StopSignal::default(), complete: StopSignal::default() };
        let task = Task {
            names: self.names.clone(),
            share: share.clone(),
            worker: self.name.clone(),
            crawl: night.crawl.clone(),
            // The turns of all shares are counted where the workers meet.
            setup: CrawlSetup {
                turns: TurnBook::default(),
                // It was compared with the server's.
                limits: CrawlLimits { clock_off_max: Duration::ZERO, ..setup.limits.clone() },
                ..setup.clone()
            },
            client: Fetcher::new(worker.fetch.clone(), &worker.network)?,
            pace: Arc::clone(&self.pace),
            held: held.clone(),
            scratch: worker.scratch.to_owned(),
        };
        let own = share.clone();
        self.tasks.spawn(async move { (own, task.run(lease).await) });
        self.held.insert(share.clone(), held);
        self.order.push(share.clone());
        (worker.shares)(&self.order.iter().collect::<Vec<_>>());
        Ok(true)
    }

    fn ended(
        &mut self,
        ended: Result<(Share, Result<(), Refused>), tokio::task::JoinError>,
        worker: &Worker<'_>,
    ) {
        match ended {
            Ok((share, result)) => {
                match result {
                    Ok(()) => tracing::info!(%share, "left"),
                    Err(Refused::Lost) => tracing::warn!(%share, "another worker has taken it over"),
                    Err(Refused::Stopped) => tracing::warn!(%share, "the lease ended"),
                    Err(Refused::Failed(error)) => {
                        tracing::error!(%share, %error, "given up");
                        self.failed.insert(share.clone(), Instant::now());
                    }
                }
                self.held.remove(&share);
                self.order.retain(|own| *own != share);
                (worker.shares)(&self.order.iter().collect::<Vec<_>>());
            }
            Err(error) => tracing::error!(%error, "a share's task ended unexpectedly"),
        }
    }

    /// Ends all shares in order.
    async fn leave_all(&mut self) {
        self.held.values().for_each(|held| held.stop.stop());
        while self.tasks.join_next().await.is_some() {}
    }
}

/// A leased share.
struct Task {
    names: Names,
    share: Share,
    worker: String,
    crawl: String,
    setup: CrawlSetup,
    client: Fetcher,
    pace: Arc<dyn JointPace>,
    held: Held,
    scratch: PathBuf,
}

impl Task {
    async fn run(self, lease: Lease) -> Result<(), Refused> {
        let lost = StopSignal::default();
        // They end with this, however it ends: a lease that nobody works for must not be renewed.
        let mut beside = JoinSet::new();
        beside.spawn(lease.renew(lost.clone()));
        // What is lost is also to be stopped.
        let (losing, stop) = (lost.clone(), self.held.stop.clone());
        beside.spawn(async move {
            while !losing.is_stopped() {
                losing.sleep(Duration::MAX).await;
            }
            stop.stop();
        });
        let (names, share, worker) = (self.names.clone(), self.share.clone(), self.worker.clone());
        let worked = self.work_off(lost).await;
        drop(beside);
        if let Err(Refused::Failed(_)) = &worked {
            // Somebody else may try at once.
            lease::end(&names, &share, &worker).await;
        }
        worked
    }

    async fn work_off(self, lost: StopSignal) -> Result<(), Refused> {
        let stop = self.held.stop.clone();
        let share = (&self.share, Shares::new(&self.setup.sites));
        let (log, taken) = Log::take(&self.names, share, (&self.worker, &self.crawl), lost).await?;
        let log = Arc::new(log);
        let left = Entry::Left { worker: self.worker.clone() };
        let (_folder, store) = scratch::store(&self.scratch)?;
        let Some(found) = receive(&self.names, &store, &self.share, taken, &stop).await? else {
            return log.write(&left).await.map(drop);
        };
        let store = Arc::new(store.telling(Box::new(Listening::new(Arc::clone(&log)))));
        let (finds, inbox) = mpsc::channel(FOUND_WAITING);
        let mut beside = JoinSet::new();
        let finding = beside.spawn(find(self.names.clone(), self.share.clone(), found, finds));
        let complete = self.held.complete.clone();
        beside.spawn(async move {
            while !complete.is_stopped() {
                complete.sleep(Duration::MAX).await;
            }
            finding.abort();
        });
        let joint = Joint { share: self.share.clone(), pace: self.pace, found: inbox };
        let progress = Arc::new(Progress::default());
        let crawled = crawl_jointly(store, self.client, self.setup, progress, stop, joint).await;
        drop(beside);
        crawled.map_err(ClusterError::from)?;
        log.write(&left).await.map(drop)
    }
}

/// Hands over what others find, until nobody takes it any more.
async fn find(names: Names, share: Share, after: u64, finds: mpsc::Sender<Found>) {
    let mut messages = Messages::new(&names.found, names.subject("found", &share), after + 1);
    loop {
        let message = messages.next().await;
        match postcard::from_bytes(&message.payload) {
            Ok(items) => {
                if finds.send(Found { items, number: message.number }).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::error!(%share, %error, "found addresses cannot be read"),
        }
    }
}
