//! The gate every exchange passes: window, blocks, the host's and the address's pace and
//! connections, and the crawl's own limit.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{MutexGuard, OwnedSemaphorePermit};
use tokio::time::Instant;
use xunjian_fetch::{Answer, Entering, Gate, Pass};
use xunjian_model::{LinkState, PageUrl};

use crate::hosts::{AddressState, HostState, Waiting};
use crate::joint::Place;
use crate::pace::Pace;
use crate::politeness::retry_after;
use crate::{Shared, now};

/// Longest time slept before window and stop are looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Turns at an address that are left to hosts that had fewer, before one is taken in any case.
const YIELDS_MAX: u32 = 50;
/// How long after its turn among several crawls an exchange may begin; less than what their turns are
/// farther apart than the rate asks.
const LATE_MAX: Duration = Duration::from_millis(2);
/// Time for the other host to take its turn.
const YIELD: Duration = Duration::from_millis(2);

/// What an exchange holds: connections of its host and its addresses, and its place in the crawl.
#[derive(Default)]
struct Held {
    permits: Vec<OwnedSemaphorePermit>,
    /// Connections to its addresses among those of all crawls.
    places: Vec<Place>,
}

impl Gate for Shared {
    fn enter<'g>(&'g self, url: &'g PageUrl) -> Entering<'g> {
        Box::pin(async move {
            let stopped = || LinkState::Broken("stopped".to_owned());
            let host = self.host_of(url).map_err(|error| {
                tracing::error!(%url, %error, "the store cannot be read");
                self.stop.stop();
                stopped()
            })?;
            let found = self.fetcher.resolver().reachable(url.host()).await;
            host.keep_addresses(&found);
            let addresses: Vec<Arc<AddressState>> =
                found.into_iter().map(|address| self.hosts.address(address)).collect();
            let connection = Arc::clone(&host.connections).acquire_owned().await.map_err(|_| stopped())?;
            let mut held = self.turn(&host, &addresses).await.ok_or_else(stopped)?;
            held.permits.push(connection);
            Ok(Box::new(held) as Pass)
        })
    }

    fn leave(&self, url: &PageUrl, exchanged: &Result<Answer, LinkState>) {
        let Ok(host) = self.host_of(url) else { return };
        let politeness = &self.setup.politeness;
        match exchanged {
            Ok(answer) => {
                self.line.answered(&host.host);
                if self.clock.is_off(&host.host, answer, now()) {
                    self.stop.stop();
                }
                if !host.is_own() {
                    crate::Progress::add(&self.progress.outside_answers, 1);
                }
                if let Some(certificate) = &answer.certificate {
                    host.keep_certificate(certificate, answer.certificate_fault.as_deref());
                }
                if matches!(answer.state(), LinkState::Limited(_)) {
                    let asked = answer.header("retry-after");
                    host.limited(
                        politeness,
                        answer.status,
                        asked.and_then(|value| retry_after(value, SystemTime::now())),
                    );
                    self.hold_for_all(&host);
                    crate::Progress::add(&self.progress.limited, 1);
                } else {
                    host.answered(f64::from(answer.timings.total_ms) / 1_000.0);
                    if answer.challenge {
                        host.challenged(answer.status, self.setup.limits.failures_max);
                    } else {
                        host.not_challenged();
                    }
                }
            }
            // Of which it is nobody's fault yet.
            Err(state) if is_connection_failure(state) && self.line.failed(&host.host) => {}
            Err(state) if is_connection_failure(state) => {
                host.failed(politeness, state);
                if !host.is_own() && self.line.missed_outside(&host.host) {
                    crate::Progress::add(&self.progress.outside_unreached, 1);
                }
                self.hold_for_all(&host);
            }
            Err(_) => {}
        }
    }
}

impl Shared {
    /// Waits for the turn; `None` when the crawl stops.
    ///
    /// Host and addresses stay locked from the moment their times are looked at until the turn
    /// is taken, so that what one exchange sees as free another one cannot take.
    async fn turn(&self, host: &HostState, addresses: &[Arc<AddressState>]) -> Option<Held> {
        let politeness = &self.setup.politeness;
        let mut pace = host.pace.lock().await;
        let mut yielded = 0;
        loop {
            self.open(host).await?;
            let ready = pace.next(now(), host.slow_down(politeness));
            self.sleep_until(ready).await?;
            // Not before the host itself is ready: one that is blocked must not hold up its neighbours.
            let mut held = self.connections(addresses).await?;
            let waiting: Vec<_> = addresses.iter().map(|address| address.wait(host.requests())).collect();
            let mut paces = Vec::with_capacity(addresses.len());
            // Always in the same order (they are sorted): no two wait for each other.
            for address in addresses {
                paces.push(address.pace.lock().await);
            }
            let free = paces.iter().map(|pace| pace.next(now(), Duration::ZERO)).max();
            let free = free.unwrap_or_else(Instant::now);
            let contended = free > Instant::now();
            self.sleep_until(free).await?;
            // A host that was held up goes first, so that it does not end the night alone.
            if contended && yielded < YIELDS_MAX && waiting.iter().any(Waiting::is_ahead) {
                yielded += 1;
                drop((paces, held));
                tokio::time::sleep(YIELD).await;
                continue;
            }
            let slow_down = host.slow_down(politeness);
            self.joint_turn((host, &pace, slow_down), addresses.iter().zip(&paces)).await?;
            let turn = Instant::now();
            let in_flight = Arc::clone(&self.in_flight).acquire_owned().await.ok()?;
            // What the others wait for is counted from its turn.
            if self.joint.is_some() && turn.elapsed() > LATE_MAX {
                continue;
            }
            // Another exchange may have brought a block in the meantime.
            if host.blocked_until().is_some() || self.is_closed() {
                continue;
            }
            let others = paces.iter_mut().map(|pace| &mut **pace);
            let mut all: Vec<&mut Pace> = std::iter::once(&mut *pace).chain(others).collect();
            if let Err(early) = Pace::take_all(&mut all, now()) {
                drop((paces, in_flight, held));
                tokio::time::sleep(early).await;
                continue;
            }
            host.touch();
            addresses.iter().for_each(|address| address.touch());
            held.permits.push(in_flight);
            return Some(held);
        }
    }

    /// Waits for a connection to each address, always in the same order.
    async fn connections(&self, addresses: &[Arc<AddressState>]) -> Option<Held> {
        let mut held = Held::default();
        for address in addresses {
            held.permits.push(Arc::clone(&address.connections).acquire_owned().await.ok()?);
            if let Some(others) = &self.joint {
                held.places.push(others.pace.place(&address.address.to_string()).await);
            }
        }
        Some(held)
    }

    /// Takes the turn among all crawls; `None` when the crawl stops.
    async fn joint_turn<'p>(
        &self,
        (host, pace, slow_down): (&HostState, &Pace, Duration),
        addresses: impl Iterator<Item = (&'p Arc<AddressState>, &'p MutexGuard<'p, Pace>)>,
    ) -> Option<()> {
        let Some(others) = &self.joint else { return Some(()) };
        let own = pace.own_time(now(), slow_down).map(|period| (host.host.to_string(), period));
        let of_addresses = addresses.filter_map(|(address, pace)| {
            Some((address.address.to_string(), pace.own_time(now(), Duration::ZERO)?))
        });
        let turns: Vec<(String, Duration)> = own.into_iter().chain(of_addresses).collect();
        tokio::select! {
            () = others.pace.take(&turns) => Some(()),
            () = self.stop.sleep(Duration::MAX) => None,
        }
    }

    fn is_closed(&self) -> bool {
        self.setup.politeness.is_closed(now())
    }

    /// Waits for the window and for the end of the host's block.
    async fn open(&self, host: &HostState) -> Option<()> {
        loop {
            if self.stop.is_stopped() {
                return None;
            }
            let window = self.setup.politeness.window.as_ref();
            let closed = window.map_or(Duration::ZERO, |window| window.opens_in(now()));
            let blocked = host.blocked_until().map(|until| until.duration_since(Instant::now()));
            let wait = closed.max(blocked.unwrap_or_default());
            if wait.is_zero() {
                return Some(());
            }
            // The clock may be set in the meantime, so a long sleep is taken in parts.
            self.stop.sleep(wait.min(LOOK_AGAIN)).await;
        }
    }

    async fn sleep_until(&self, ready: Instant) -> Option<()> {
        let left = ready.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            self.stop.sleep(left).await;
        }
        (!self.stop.is_stopped()).then_some(())
    }
}

/// Whether a state says that the host itself could not be reached.
pub(crate) fn is_connection_failure(state: &LinkState) -> bool {
    matches!(state, LinkState::NoSuchHost | LinkState::Refused | LinkState::Timeout | LinkState::Broken(_))
}
