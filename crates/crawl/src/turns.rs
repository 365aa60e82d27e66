//! Turns for single visits outside a crawl: the same pace towards hosts and addresses, one visit at a
//! time to each. Who asks to wait is left alone.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, sleep, sleep_until};
use xunjian_fetch::{Answer, Ask, Entering, Failure, Fetcher, Gate, Pass, Resolver};
use xunjian_model::{Host, LinkState, PageUrl};

use crate::hosts::lock;
use crate::pace::{Pace, TurnBook};
use crate::politeness::{Politeness, retry_after};

/// Pause before an address that did not answer is asked once more.
const RETRY_PAUSE: Duration = Duration::from_secs(2);

/// Grants turns.
pub struct Turns {
    politeness: Politeness,
    resolver: Resolver,
    turns: TurnBook,
    hosts: Mutex<HashMap<Host, Arc<Mutex<Pace>>>>,
    addresses: Mutex<HashMap<IpAddr, Arc<Mutex<Pace>>>>,
    /// Hosts that asked to wait, and until when.
    waits: std::sync::Mutex<HashMap<Host, Instant>>,
    begun: Instant,
}

impl Turns {
    /// Turns by these rates, among those of others. A crawl that is over may have asked anybody just now, as often
    /// as its rate allows.
    pub fn new(politeness: Politeness, resolver: Resolver, turns: TurnBook) -> Self {
        Self {
            politeness,
            resolver,
            turns,
            hosts: Mutex::default(),
            addresses: Mutex::default(),
            waits: std::sync::Mutex::default(),
            begun: Instant::now(),
        }
    }

    /// Asks a host for nothing for so long.
    pub fn leave_alone(&self, host: Host, time: Duration) {
        lock(&self.waits).insert(host, Instant::now() + time);
    }

    /// Whether a host asked to wait, and that time is not over.
    pub fn is_left_alone(&self, host: &Host) -> bool {
        lock(&self.waits).get(host).is_some_and(|until| *until > Instant::now())
    }

    async fn paces(&self, url: &PageUrl) -> Vec<Arc<Mutex<Pace>>> {
        let new =
            |rates: &crate::Rates, taken| Arc::new(Mutex::new(Pace::after(rates.clone(), self.begun, taken)));
        let mut paces = Vec::new();
        let (host, rates) = (url.host_key(), &self.politeness.rates);
        let taken = self.turns.of(&host);
        paces.push(Arc::clone(self.hosts.lock().await.entry(host).or_insert_with(|| new(rates, taken))));
        let rates = &self.politeness.address_rates;
        // They are sorted: no two visits wait for each other.
        for address in self.resolver.reachable(url.host()).await {
            let mut addresses = self.addresses.lock().await;
            let pace = addresses.entry(address).or_insert_with(|| new(rates, self.turns.of(&address)));
            paces.push(Arc::clone(pace));
        }
        paces
    }
}

impl Gate for Turns {
    fn enter<'g>(&'g self, url: &'g PageUrl) -> Entering<'g> {
        Box::pin(async move {
            if self.is_left_alone(&url.host_key()) {
                return Err(LinkState::Limited(429));
            }
            let mut held: Vec<OwnedMutexGuard<Pace>> = Vec::new();
            // The host's turn is waited for first: others at its address need not wait as long.
            for pace in self.paces(url).await {
                let pace = pace.lock_owned().await;
                let now = Timestamp::now();
                sleep_until(pace.next(now, Duration::ZERO).max(Instant::now())).await;
                held.push(pace);
            }
            let mut paces: Vec<&mut Pace> = held.iter_mut().map(|pace| &mut **pace).collect();
            while let Err(early) = Pace::take_all(&mut paces, Timestamp::now()) {
                sleep(early).await;
            }
            // Held until the answer is there.
            Ok(Box::new(held) as Pass)
        })
    }

    fn leave(&self, url: &PageUrl, exchanged: &Result<Answer, LinkState>) {
        if let Ok(answer) = exchanged
            && matches!(answer.state(), LinkState::Limited(_))
        {
            let asked = answer.header("retry-after").and_then(|value| retry_after(value, SystemTime::now()));
            let time =
                asked.map_or(self.politeness.block, |asked| asked.min(self.politeness.retry_after_max));
            self.leave_alone(url.host_key(), time);
        }
    }
}

/// Asks, and once more after a pause where the first failure may be mere chance: one lost packet is no fault of a site.
pub async fn ask_twice(fetcher: &Fetcher, gate: &dyn Gate, ask: Ask) -> Result<Answer, Failure> {
    let answered = fetcher.fetch(ask.clone(), gate).await;
    let state = state_of(&answered);
    let by_chance = state == LinkState::NoSuchHost || state.is_transient();
    // Who asks to be left alone is.
    if !by_chance || matches!(state, LinkState::Limited(_)) {
        return answered;
    }
    sleep(RETRY_PAUSE).await;
    fetcher.fetch(ask, gate).await
}

/// How an address answered, or why not.
pub fn state_of(answered: &Result<Answer, Failure>) -> LinkState {
    match answered {
        Ok(answer) => answer.state(),
        Err(failure) => failure.state.clone(),
    }
}
