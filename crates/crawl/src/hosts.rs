//! What is known of hosts and addresses while a crawl runs.

mod trouble;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;
use xunjian_model::{Certificate, Host, HostRecord, KeptRobots, KeptSoftPage, SiteId};
use xunjian_store::{Space, Store, StoreError};

use crate::block_page::Sameness;
use crate::now;
use crate::pace::{Latency, Pace, TurnBook};
use crate::politeness::Politeness;
use crate::prepare::Prepared;
use trouble::Trouble;

/// States held before idle ones of hosts outside are let go.
const HELD: usize = 1_024;
/// How long a state is held after its last exchange.
const IDLE: Duration = Duration::from_secs(120);
/// Every host and every address that is being asked.
pub(crate) struct Hosts {
    politeness: Politeness,
    turns: TurnBook,
    /// A crawl that was killed may have asked anybody up to then.
    begun: Instant,
    hosts: Mutex<HashMap<Host, Arc<HostState>>>,
    addresses: Mutex<HashMap<IpAddr, Arc<AddressState>>>,
}

impl Hosts {
    pub(crate) fn new(politeness: Politeness, turns: TurnBook) -> Self {
        let begun = Instant::now();
        Self { politeness, turns, begun, hosts: Mutex::default(), addresses: Mutex::default() }
    }

    /// The state of a host, begun from what is kept of it.
    pub(crate) fn host(
        &self,
        store: &Store,
        host: &Host,
        owners: &[SiteId],
    ) -> Result<Arc<HostState>, StoreError> {
        let mut hosts = lock(&self.hosts);
        if let Some(state) = hosts.get(host) {
            return Ok(Arc::clone(state));
        }
        if hosts.len() >= HELD {
            hosts.retain(|_, state| state.is_own() || Arc::strong_count(state) > 1 || !state.is_idle());
        }
        let kept: HostRecord = store.get(Space::Host, &[host.as_str().as_bytes()])?.unwrap_or_default();
        let rates = self.politeness.rates.clone();
        let pace = Pace::after(rates, self.begun, self.turns.of(host));
        let state = Arc::new(HostState::new(host.clone(), owners.to_vec(), (&self.politeness, pace), kept));
        hosts.insert(host.clone(), Arc::clone(&state));
        Ok(state)
    }

    pub(crate) fn address(&self, address: IpAddr) -> Arc<AddressState> {
        let mut addresses = lock(&self.addresses);
        if addresses.len() >= HELD {
            addresses.retain(|_, state| Arc::strong_count(state) > 1 || !state.is_idle());
        }
        Arc::clone(addresses.entry(address).or_insert_with(|| {
            Arc::new(AddressState {
                address,
                connections: Arc::new(Semaphore::new(self.politeness.address_connections)),
                pace: tokio::sync::Mutex::new(Pace::after(
                    self.politeness.address_rates.clone(),
                    self.begun,
                    self.turns.of(&address),
                )),
                waiting: Mutex::default(),
                used: Mutex::new(Instant::now()),
            })
        }))
    }

    /// Hosts and what they are at, for whoever watches.
    pub(crate) fn each(&self, mut look: impl FnMut(&HostState)) {
        let states: Vec<Arc<HostState>> = lock(&self.hosts).values().map(Arc::clone).collect();
        states.iter().for_each(|state| look(state));
    }
}

/// Requests by which a host may be ahead of another one at the same address.
const LEAD_MAX: u64 = 2;

/// Everything behind one IP address.
pub(crate) struct AddressState {
    pub(crate) address: IpAddr,
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) pace: tokio::sync::Mutex<Pace>,
    /// Requests so far of the hosts that wait for a turn, and how many hosts have so many.
    waiting: Mutex<BTreeMap<u64, u32>>,
    used: Mutex<Instant>,
}

/// A host waits for its turn with an address as long as this is held.
pub(crate) struct Waiting<'a> {
    address: &'a AddressState,
    requests: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waiting = lock(&self.address.waiting);
        if let Some(hosts) = waiting.get_mut(&self.requests) {
            *hosts -= 1;
            if *hosts == 0 {
                waiting.remove(&self.requests);
            }
        }
    }
}

impl Waiting<'_> {
    /// Whether another host waits that has had clearly fewer turns.
    pub(crate) fn is_ahead(&self) -> bool {
        let waiting = lock(&self.address.waiting);
        waiting.first_key_value().is_some_and(|(fewest, _)| fewest + LEAD_MAX < self.requests)
    }
}

impl AddressState {
    /// A host with so many requests so far waits for a turn.
    pub(crate) fn wait(&self, requests: u64) -> Waiting<'_> {
        *lock(&self.waiting).entry(requests).or_default() += 1;
        Waiting { address: self, requests }
    }

    pub(crate) fn touch(&self) {
        *lock(&self.used) = Instant::now();
    }

    fn is_idle(&self) -> bool {
        lock(&self.used).elapsed() > IDLE
    }
}

/// One host.
pub(crate) struct HostState {
    pub(crate) host: Host,
    /// Its sites; none for a host outside.
    pub(crate) owners: Vec<SiteId>,
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) pace: tokio::sync::Mutex<Pace>,
    pub(crate) sameness: Mutex<Sameness>,
    prepared: OnceCell<Prepared>,
    latency: Mutex<Latency>,
    trouble: Mutex<Trouble>,
    kept: Mutex<HostRecord>,
    /// What is kept differs from what the store has.
    changed: AtomicBool,
    given_up: AtomicBool,
    requests: AtomicU64,
    used: Mutex<Instant>,
}

impl HostState {
    fn new(
        host: Host,
        owners: Vec<SiteId>,
        (politeness, pace): (&Politeness, Pace),
        kept: HostRecord,
    ) -> Self {
        // A clock that was set back must not make a block longer than the longest there is.
        let most = politeness.retry_after_max.max(politeness.block_max);
        // If it was, the pause begins again as long as it was asked for.
        let earliest = kept.last_incident.map_or(now(), |at| at.max(now()));
        let left = kept.not_before.map(|until| until.duration_since(earliest));
        let left = left.and_then(|left| Duration::try_from(left).ok()).filter(|left| !left.is_zero());
        let until = left.map(|left| Instant::now() + left.min(most));
        Self {
            host,
            owners,
            connections: Arc::new(Semaphore::new(politeness.connections)),
            pace: tokio::sync::Mutex::new(pace),
            sameness: Mutex::default(),
            prepared: OnceCell::new(),
            latency: Mutex::default(),
            trouble: Mutex::new(Trouble { until, ..Trouble::default() }),
            kept: Mutex::new(kept),
            changed: AtomicBool::new(false),
            given_up: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            used: Mutex::new(Instant::now()),
        }
    }

    /// Whether it is a host of the sites.
    pub(crate) fn is_own(&self) -> bool {
        !self.owners.is_empty()
    }

    /// What has to be known before its pages are asked for, learnt once.
    pub(crate) async fn prepared(&self, learn: impl Future<Output = Prepared>) -> &Prepared {
        self.prepared.get_or_init(|| learn).await
    }

    pub(crate) fn is_prepared(&self) -> Option<&Prepared> {
        self.prepared.get()
    }

    // ---- pace ---------------------------------------------------------------------------------

    /// An exchange begins.
    pub(crate) fn touch(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        *lock(&self.used) = Instant::now();
    }

    fn is_idle(&self) -> bool {
        lock(&self.used).elapsed() > IDLE && self.blocked_until().is_none()
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The period its answers' times ask for.
    pub(crate) fn slow_down(&self, politeness: &Politeness) -> Duration {
        lock(&self.latency).slow_down(politeness.latency_factor, politeness.crawl_delay_max)
    }

    /// The moment before which no request goes out, if it lies ahead.
    pub(crate) fn blocked_until(&self) -> Option<Instant> {
        lock(&self.trouble).until.filter(|until| *until > Instant::now())
    }

    // ---- what is kept -------------------------------------------------------------------------

    pub(crate) fn kept_robots(&self) -> Option<KeptRobots> {
        lock(&self.kept).robots.clone()
    }

    pub(crate) fn keep_robots(&self, robots: KeptRobots) {
        lock(&self.kept).robots = Some(robots);
        self.changed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn kept_soft_page(&self) -> Option<KeptSoftPage> {
        lock(&self.kept).soft.clone()
    }

    pub(crate) fn keep_soft_page(&self, soft: KeptSoftPage) {
        lock(&self.kept).soft = Some(soft);
        self.changed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn keep_certificate(&self, certificate: &Certificate, fault: Option<&str>) {
        let mut kept = lock(&self.kept);
        if kept.certificate.as_ref() != Some(certificate) || kept.certificate_fault.as_deref() != fault {
            kept.certificate = Some(certificate.clone());
            kept.certificate_fault = fault.map(str::to_owned);
            self.changed.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn keep_addresses(&self, addresses: &[IpAddr]) {
        let mut kept = lock(&self.kept);
        if kept.addresses != addresses {
            kept.addresses = addresses.to_vec();
            self.changed.store(true, Ordering::Relaxed);
        }
    }

    /// What is to be kept, if it is another than before.
    pub(crate) fn take_changed(&self) -> Option<HostRecord> {
        self.changed.swap(false, Ordering::Relaxed).then(|| lock(&self.kept).clone())
    }
}

/// The time left of a block, in whole seconds, for people.
pub(crate) fn seconds_left(until: Instant) -> u64 {
    until.saturating_duration_since(Instant::now()).as_secs()
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
