//! What is known of hosts and addresses while a crawl runs.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;
use xunjian_model::{Certificate, Host, HostRecord, KeptRobots, KeptSoftPage, LeftOut, LinkState, SiteId};
use xunjian_store::{Space, Store, StoreError};

use crate::block_page::Sameness;
use crate::now;
use crate::pace::{Latency, Pace, TurnBook};
use crate::politeness::Politeness;
use crate::prepare::Prepared;

/// States held before idle ones of hosts outside are let go.
const HELD: usize = 1_024;
/// How long a state is held after its last exchange.
const IDLE: Duration = Duration::from_secs(120);
/// Repetitions of blocks are forgotten after so many times the longest block without one.
const FORGIVEN_AFTER: u32 = 3;
/// A host that was left alone for so many times the patience with one that does not answer is given up.
const BLOCKED_PATIENCES: u32 = 16;
/// Failures in a row that are the host's, where some of its pages fail, or refuse, by themselves.
const IN_ROW_MAX: u32 = 6;

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

/// A host that fails, or asks to wait.
#[derive(Default)]
struct Trouble {
    /// No request goes out before.
    until: Option<Instant>,
    /// Since when nothing else came from it.
    since: Option<Instant>,
    /// Failures to connect in a row.
    failures: u32,
    /// Answers in a row that asked for a browser.
    challenges: u32,
    /// How long it was left alone in all.
    blocked_for: Duration,
    /// Of that, for refusals that said 200.
    refused_for: Duration,
    /// Such refusals in a row.
    refusals: u32,
    /// Answers in a row that asked to wait.
    limited: u32,
    /// Its pages that fail by themselves, while it shows others.
    broken_pages: u32,
    last: Option<LinkState>,
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

    // ---- trouble ------------------------------------------------------------------------------

    /// The host answered, and did not ask to wait.
    pub(crate) fn answered(&self, seconds: f64) {
        lock(&self.latency).add(seconds);
        let mut trouble = lock(&self.trouble);
        trouble.failures = 0;
        trouble.limited = 0;
        trouble.since = None;
    }

    /// The host asked to wait. What it asked for itself holds whatever other answers say.
    pub(crate) fn limited(&self, politeness: &Politeness, status: u16, asked: Option<Duration>) {
        if asked.is_some_and(|asked| asked > politeness.retry_after_max) {
            self.give_up();
        }
        let asked = asked.map(|asked| asked.min(politeness.retry_after_max));
        let state = LinkState::Limited(status);
        {
            let mut trouble = lock(&self.trouble);
            trouble.limited += 1;
            // It may be the page's own 503, which only asking for another one tells.
            let of_page = status == 503 && asked.is_none() && trouble.broken_pages > 0;
            if of_page && trouble.limited < IN_ROW_MAX {
                trouble.last = Some(state);
                return;
            }
        }
        self.block(politeness, asked, &state);
    }

    /// A page of it refused, though it said 200. Whether that is worth waiting for: all such refusals together are
    /// waited for as long as one host that does not answer; if then nothing else came, it is given up.
    pub(crate) fn refused(&self, politeness: &Politeness) -> bool {
        let state = LinkState::Limited(200);
        {
            let mut trouble = lock(&self.trouble);
            trouble.refusals += 1;
            if trouble.refused_for >= politeness.patience {
                trouble.last = Some(state);
                if trouble.refusals >= IN_ROW_MAX {
                    self.give_up();
                }
                return false;
            }
        }
        let before = lock(&self.trouble).blocked_for;
        self.block(politeness, None, &state);
        let mut trouble = lock(&self.trouble);
        let more = trouble.blocked_for.saturating_sub(before);
        trouble.refused_for += more;
        true
    }

    /// A page came that is content.
    pub(crate) fn showed_content(&self) {
        lock(&self.trouble).refusals = 0;
    }

    /// A page fails by itself: others came meanwhile.
    pub(crate) fn has_broken_page(&self) {
        lock(&self.trouble).broken_pages += 1;
    }

    /// Tries after which it is asked whether a page fails alone.
    pub(crate) fn tries_of_page(&self) -> u32 {
        if lock(&self.trouble).broken_pages == 0 { 3 } else { 2 }
    }

    /// The host could not be reached; counts against it from the second time in a row.
    pub(crate) fn failed(&self, politeness: &Politeness, state: &LinkState) {
        let (failures, least) = {
            let mut trouble = lock(&self.trouble);
            trouble.failures += 1;
            (trouble.failures, if trouble.broken_pages == 0 { 2 } else { IN_ROW_MAX })
        };
        // Hosts outside are asked for few addresses; they are not waited for.
        if failures >= least && self.is_own() {
            self.block(politeness, None, state);
        } else {
            let mut trouble = lock(&self.trouble);
            trouble.last = Some(state.clone());
            trouble.since.get_or_insert_with(Instant::now);
        }
    }

    /// The host asked for a browser; after `most` times in a row nothing else is expected of it.
    pub(crate) fn challenged(&self, status: u16, most: u32) {
        let mut trouble = lock(&self.trouble);
        trouble.last = Some(LinkState::Challenged(status));
        trouble.challenges += 1;
        if trouble.challenges >= most {
            self.give_up();
        }
    }

    /// It showed something.
    pub(crate) fn not_challenged(&self) {
        lock(&self.trouble).challenges = 0;
    }

    fn block(&self, politeness: &Politeness, asked: Option<Duration>, state: &LinkState) {
        let at = now();
        let mut trouble = lock(&self.trouble);
        let mut kept = lock(&self.kept);
        let begun = *trouble.since.get_or_insert_with(Instant::now);
        trouble.last = Some(state.clone());
        if begun.elapsed() >= politeness.patience {
            self.give_up();
        }
        let inside = trouble.until.is_some_and(|until| until > Instant::now());
        // Several failures inside one block are one incident.
        if inside && asked.is_none() {
            return;
        }
        if !inside {
            let quiet = kept.last_incident.is_none_or(|last| {
                let forgiven = politeness.block_max.saturating_mul(FORGIVEN_AFTER);
                Duration::try_from(at.duration_since(last)).unwrap_or_default() > forgiven
            });
            if quiet {
                kept.incidents = 0;
            }
            kept.incidents = kept.incidents.saturating_add(1);
            kept.last_incident = Some(at);
        }
        let doublings = u32::from(kept.incidents.saturating_sub(1)).min(16);
        let own = politeness.block.saturating_mul(2_u32.pow(doublings)).min(politeness.block_max);
        // A tenth more at random, so that hosts of one platform do not come back in step.
        let pause = asked.unwrap_or_else(|| own.mul_f64(1.0 + fastrand::f64() * 0.1));
        let until = Instant::now() + pause;
        if trouble.until.is_none_or(|before| before < until) {
            let before = trouble.until.map_or_else(Instant::now, |before| before.max(Instant::now()));
            trouble.blocked_for += until.saturating_duration_since(before);
            // It may answer in between, and yet never be through.
            if trouble.blocked_for > politeness.patience.saturating_mul(BLOCKED_PATIENCES) {
                self.give_up();
            }
            trouble.until = Some(until);
            kept.asked_to_wait = matches!(state, LinkState::Limited(_)) || inside && kept.asked_to_wait;
            kept.not_before =
                jiff::SignedDuration::try_from(pause).ok().and_then(|pause| at.checked_add(pause).ok());
            self.changed.store(true, Ordering::Relaxed);
        }
    }

    fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// Whether the host is left alone for the rest of this run.
    pub(crate) fn is_given_up(&self, failures_max: u32) -> bool {
        self.given_up.load(Ordering::Relaxed)
            || !self.is_own() && lock(&self.trouble).failures >= failures_max
    }

    /// Why it was given up.
    pub(crate) fn why_given_up(&self) -> LeftOut {
        match lock(&self.trouble).last {
            Some(LinkState::Limited(_)) => LeftOut::Limited,
            Some(LinkState::Challenged(_)) => LeftOut::Challenged,
            _ => LeftOut::HostDown,
        }
    }

    /// What the last failure was.
    pub(crate) fn last_failure(&self) -> Option<LinkState> {
        lock(&self.trouble).last.clone()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn state(politeness: &Politeness, kept: HostRecord) -> HostState {
        let url = xunjian_model::PageUrl::parse("http://a.gov.cn/").expect("url");
        let owner = SiteId::new("a").expect("id");
        let pace = Pace::after(politeness.rates.clone(), Instant::now(), Arc::default());
        HostState::new(url.host_key(), vec![owner], (politeness, pace), kept)
    }

    fn pause(state: &HostState) -> u64 {
        state.blocked_until().map_or(0, |until| until.duration_since(Instant::now()).as_millis() as u64)
    }

    #[test]
    fn blocks_double_count_once_each_and_outlive_a_good_answer_and_a_restart() {
        let politeness = Politeness::default();
        let host = state(&politeness, HostRecord::default());
        host.limited(&politeness, 429, None);
        host.limited(&politeness, 429, None);
        assert!((59_000..=66_000).contains(&pause(&host)), "{}", pause(&host));
        host.answered(0.1);
        assert!(pause(&host) > 0, "a good answer does not end a block");
        let kept = host.take_changed().expect("kept");
        assert_eq!(kept.incidents, 1);
        assert!(host.take_changed().is_none());
        // A new process goes on where the block was, and the next one is longer.
        let again = state(&politeness, kept.clone());
        assert!((58_000..=66_000).contains(&pause(&again)), "{}", pause(&again));
        let over = HostRecord { not_before: None, ..kept.clone() };
        let second = state(&politeness, over);
        second.limited(&politeness, 503, None);
        assert!((119_000..=132_000).contains(&pause(&second)), "{}", pause(&second));
        // What a server asks for itself holds beyond our own longest pause.
        second.limited(&politeness, 503, Some(Duration::from_secs(1_800)));
        assert!(pause(&second) > 1_790_000, "{}", pause(&second));
        assert!(!second.is_given_up(8));
        second.limited(&politeness, 503, Some(Duration::from_secs(7_200)));
        assert!(second.is_given_up(8), "longer than is waited for");
        // A clock set back does not make it endless.
        let ahead = now() + jiff::SignedDuration::from_hours(24 * 365);
        let wrong = state(&politeness, HostRecord { not_before: Some(ahead), ..kept.clone() });
        assert!(pause(&wrong) <= 3_600_000, "{}", pause(&wrong));
        let since = ahead - jiff::SignedDuration::from_secs(60);
        let wrong = HostRecord { not_before: Some(ahead), last_incident: Some(since), ..kept };
        assert!((59_000..=60_000).contains(&pause(&state(&politeness, wrong))));
    }

    #[test]
    fn no_host_keeps_a_night_waiting_for_ever() {
        let politeness = Politeness { patience: Duration::from_secs(225), ..Politeness::default() };
        let host = state(&politeness, HostRecord::default());
        for _ in 0..3 {
            // It goes on as soon as it is let.
            host.limited(&politeness, 429, Some(Duration::from_secs(1_199)));
            host.answered(0.1);
            lock(&host.trouble).until = None;
            assert!(!host.is_given_up(8));
        }
        host.limited(&politeness, 429, Some(Duration::from_secs(10)));
        assert_eq!((host.is_given_up(8), host.why_given_up()), (true, LeftOut::Limited));
    }

    #[test]
    fn a_host_that_never_answers_is_given_up_after_the_patience() {
        let politeness = Politeness { patience: Duration::ZERO, ..Politeness::default() };
        let host = state(&politeness, HostRecord::default());
        host.failed(&politeness, &LinkState::Refused);
        assert!(!host.is_given_up(8), "once may be an accident");
        host.failed(&politeness, &LinkState::Refused);
        assert_eq!((host.is_given_up(8), host.why_given_up()), (true, LeftOut::HostDown));
    }
}
