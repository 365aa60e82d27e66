//! The pace of one host, or of one address: when the next exchange may begin.
//!
//! A rate is a number of turns in any stretch of about a second. Turns are spread evenly over it, but one that
//! came late, as nearly all do by some milliseconds, does not make all later ones come later, too: at 15 turns a
//! second that would be an eighth of the night.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::hosts::lock;
use crate::politeness::Rates;

/// A request may reach the server a little late and the next one in time. Turns are this much
/// farther apart than the rate asks, so that the server still never sees more than the rate.
const MARGIN: f64 = 1.05;
/// Part of the period that is added at random, so that hosts are not asked in step.
const JITTER: f64 = 0.05;
/// Part of the period that two turns are apart at least, where fewer than the rate's were taken lately.
const CLOSEST: f64 = 0.85;
/// Most turns that are counted together.
const COUNTED_MAX: usize = 256;
/// Weight of the newest exchange in the mean of latencies.
const LATENCY_WEIGHT: f64 = 0.3;

/// Turns that were taken at one host or one address, whoever took them.
#[derive(Default)]
pub(crate) struct Taken {
    /// The last ones, as many as are counted together.
    at: VecDeque<Instant>,
    /// Rate and limiter of the hours we are in.
    limiter: Option<(f64, DefaultDirectRateLimiter)>,
}

/// The turns of this process at every host and address, so that all who ask at the same time, the crawl and
/// the monitor beside it, keep one limit together.
#[derive(Clone, Default)]
pub struct TurnBook(Arc<Mutex<HashMap<String, Weak<Mutex<Taken>>>>>);

impl TurnBook {
    /// Turns at a host, or at an address. They are known as long as somebody holds them.
    pub(crate) fn of(&self, whom: &impl ToString) -> Arc<Mutex<Taken>> {
        let whom = whom.to_string();
        let mut book = lock(&self.0);
        if let Some(taken) = book.get(&whom).and_then(Weak::upgrade) {
            return taken;
        }
        // Those nobody holds go when the table would have to grow.
        if book.len() == book.capacity() {
            book.retain(|_, taken| taken.strong_count() > 0);
        }
        let taken = Arc::default();
        book.insert(whom, Arc::downgrade(&taken));
        taken
    }
}

/// Grants turns, never more in a stretch of time than the rate says.
pub(crate) struct Pace {
    rates: Rates,
    /// Least period, for example by `Crawl-delay`.
    least: Duration,
    taken: Arc<Mutex<Taken>>,
    /// Up to this moment as many as are counted may have been taken by others.
    since: Option<Instant>,
    jitter: f64,
}

impl Pace {
    /// The pace of somebody who was not asked before.
    #[cfg(test)]
    fn new(rates: Rates) -> Self {
        Self { since: None, ..Self::after(rates, Instant::now(), Arc::default()) }
    }

    /// The pace of somebody who may have been asked up to this moment, as often as the rate allows; from then on
    /// the turns `taken` count.
    pub(crate) fn after(rates: Rates, since: Instant, taken: Arc<Mutex<Taken>>) -> Self {
        Self { rates, least: Duration::ZERO, taken, since: Some(since), jitter: 0.0 }
    }

    /// Turns are at least so far apart from now on.
    pub(crate) fn at_least(&mut self, least: Duration) {
        self.least = self.least.max(least);
    }

    /// The period of these hours, and how many turns are counted together; `None`: no limit.
    fn period(&self, now: Timestamp, slow_down: Duration) -> Option<(Duration, usize)> {
        let rate = self.rates.at(now);
        if rate <= 0.0 {
            return Some((self.least, 1)).filter(|(least, _)| !least.is_zero());
        }
        let own = Duration::from_secs_f64(MARGIN / rate);
        // What a host itself asks for, or a slow one is left, is a time between two turns.
        let longer = self.least.max(slow_down);
        Some(if longer > own { (longer, 1) } else { (own, counted(rate)) })
    }

    /// How long nobody else may take a turn after this one, where a limit says it.
    pub(crate) fn own_time(&self, now: Timestamp, slow_down: Duration) -> Option<Duration> {
        Some(self.period(now, slow_down)?.0.mul_f64(1.0 + fastrand::f64() * JITTER))
    }

    /// When the next turn is; `slow_down` is the period a slow server is left.
    pub(crate) fn next(&self, now: Timestamp, slow_down: Duration) -> Instant {
        self.next_after(&lock(&self.taken), now, slow_down)
    }

    fn next_after(&self, taken: &Taken, now: Timestamp, slow_down: Duration) -> Instant {
        // What was taken before that moment is among what others may have taken.
        let known = self.since.map_or(0, |since| taken.at.partition_point(|at| *at <= since));
        let mut newest = taken.at.range(known..).rev();
        let last = newest.clone().next().copied().or(self.since);
        let Some((last, (period, counted))) = last.zip(self.period(now, slow_down)) else {
            return Instant::now();
        };
        let jitter = self.jitter * JITTER;
        let nearest = last + period.mul_f64(CLOSEST + jitter);
        let first = newest.nth(counted - 1).copied().or(self.since);
        first.map_or(nearest, |first| nearest.max(first + period.mul_f64(counted as f64 + jitter)))
    }

    /// Takes the turn, or says how long it is still too early: somebody else may have taken one in the meantime,
    /// and the limiter has the last word, whatever the times above say.
    fn take(&mut self, now: Timestamp) -> Result<(), Duration> {
        let rate = self.rates.at(now);
        let mut taken = lock(&self.taken);
        self.is_due(&taken, now)?;
        if taken.limiter.as_ref().is_none_or(|(own, _)| *own != rate) {
            let period = (rate > 0.0).then(|| Duration::from_secs_f64(1.0 / rate));
            // A turn may make up for a late one before it.
            let burst = if counted(rate) > 1 { NonZeroU32::MIN.saturating_add(1) } else { NonZeroU32::MIN };
            let quota = period.and_then(Quota::with_period).map(|quota| quota.allow_burst(burst));
            taken.limiter = quota.map(|quota| (rate, RateLimiter::direct(quota)));
        }
        if let Some((_, limiter)) = &taken.limiter
            && let Err(early) = limiter.check()
        {
            return Err(early.wait_time_from(DefaultClock::default().now()));
        }
        taken.at.push_back(Instant::now());
        while taken.at.len() > counted(rate) {
            taken.at.pop_front();
        }
        self.jitter = fastrand::f64();
        Ok(())
    }

    fn is_due(&self, taken: &Taken, now: Timestamp) -> Result<(), Duration> {
        let next = self.next_after(taken, now, Duration::ZERO);
        let early = next.saturating_duration_since(Instant::now());
        if early.is_zero() { Ok(()) } else { Err(early) }
    }

    /// Takes the turn of a host and those of its addresses, all at the same moment or none.
    pub(crate) fn take_all(paces: &mut [&mut Self], now: Timestamp) -> Result<(), Duration> {
        for pace in paces.iter_mut() {
            let due = pace.is_due(&lock(&pace.taken), now);
            if due.is_err() {
                // Whoever drew a long one would come second again and again.
                pace.jitter = fastrand::f64();
                return due;
            }
        }
        for at in 0..paces.len() {
            if let Err(early) = paces[at].take(now) {
                // Somebody was faster. What was taken before it is not used.
                for pace in &paces[..at] {
                    lock(&pace.taken).at.pop_back();
                }
                return Err(early);
            }
        }
        Ok(())
    }
}

/// Turns that are counted together at a rate: those of a second.
fn counted(rate: f64) -> usize {
    (rate as usize).clamp(1, COUNTED_MAX)
}

/// The mean time of a host's answers.
#[derive(Default)]
pub(crate) struct Latency(Option<f64>);

impl Latency {
    pub(crate) fn add(&mut self, seconds: f64) {
        self.0 = Some(match self.0 {
            Some(mean) => mean + LATENCY_WEIGHT * (seconds - mean),
            None => seconds,
        });
    }

    /// The period a server with these answers is left: `factor` times their mean.
    pub(crate) fn slow_down(&self, factor: f64, most: Duration) -> Duration {
        let seconds = self.0.unwrap_or(0.0) * factor;
        Duration::try_from_secs_f64(seconds).unwrap_or(most).min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_a_period_apart_and_more_for_a_slow_server() {
        let mut pace = Pace::new(Rates::constant(1.5));
        let now = Timestamp::now();
        pace.take(now).expect("the first turn");
        assert!(pace.take(now).is_err(), "too early");
        let begun = Instant::now();
        let until = |slow: u64| pace.next(now, Duration::from_millis(slow)).duration_since(begun).as_millis();
        assert!((690..740).contains(&until(0)), "{}", until(0));
        assert!((990..1_060).contains(&until(1_000)), "{}", until(1_000));
        let mut latency = Latency::default();
        for _ in 0..20 {
            latency.add(2.0);
        }
        let most = Duration::from_secs(30);
        assert_eq!(latency.slow_down(1.5, most).as_secs(), 3);
        assert_eq!(latency.slow_down(100.0, most), most);
        assert!(Pace::new(Rates::constant(0.0)).next(now, most) <= Instant::now());
    }

    /// Turns of ten minutes, each taken so late as told; their times.
    async fn turns(pace: &mut Pace, mut late: impl FnMut() -> u64) -> Vec<Instant> {
        let begun = Instant::now();
        let mut turns = Vec::new();
        while begun.elapsed() < Duration::from_secs(600) {
            tokio::time::sleep_until(pace.next(Timestamp::now(), Duration::ZERO)).await;
            tokio::time::advance(Duration::from_millis(late())).await;
            // The limiter's clock is not the simulated one.
            lock(&pace.taken).limiter = None;
            pace.take(Timestamp::now()).expect("a turn");
            turns.push(Instant::now());
        }
        turns
    }

    #[tokio::test(start_paused = true)]
    async fn late_turns_cost_no_others_and_no_second_sees_more_than_its_rate() {
        for rate in [2.0, 5.0, 15.0, 40.0_f64] {
            let mut pace = Pace::new(Rates::constant(rate));
            let turns = turns(&mut pace, || fastrand::u64(0..5)).await;
            let most = rate as usize;
            let closest = turns.windows(most + 1).map(|some| some[most].duration_since(some[0])).min();
            assert!(closest >= Some(Duration::from_millis(1_050)), "{rate}: {closest:?}");
            let reached = turns.len() as f64 / 600.0;
            assert!(reached > rate * 0.92, "{rate}: {reached} a second");
            let apart = turns.windows(2).map(|two| two[1].duration_since(two[0])).min();
            assert!(apart >= Some(Duration::from_secs_f64(0.85 / rate)), "{rate}: {apart:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_at_the_same_time_keeps_one_limit_together() {
        for rate in [0.5, 2.0, 15.0_f64] {
            let (begun, book) = (Instant::now(), TurnBook::default());
            let ask = |whom: &'static str| {
                let mut pace = Pace::after(Rates::constant(rate), begun, book.of(&whom));
                async move {
                    let mut turns = Vec::new();
                    while begun.elapsed() < Duration::from_secs(600) {
                        tokio::time::sleep_until(pace.next(Timestamp::now(), Duration::ZERO)).await;
                        lock(&pace.taken).limiter = None;
                        match Pace::take_all(&mut [&mut pace], Timestamp::now()) {
                            Ok(()) => turns.push(Instant::now()),
                            Err(early) => tokio::time::sleep(early).await,
                        }
                    }
                    turns
                }
            };
            let (crawl, monitor, other) = tokio::join!(ask("a"), ask("a"), ask("b"));
            assert!(crawl.len() > 9 && monitor.len() > 9 && other.len() > crawl.len().max(monitor.len()));
            let mut turns = [crawl, monitor].concat();
            turns.sort();
            let most = counted(rate);
            let closest = turns.windows(most + 1).map(|some| some[most].duration_since(some[0])).min();
            assert!(
                closest >= Some(Duration::from_secs_f64(1.05 * most as f64 / rate)),
                "{rate}: {closest:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_is_taken_everywhere_or_nowhere() {
        let (now, book) = (Timestamp::now(), TurnBook::default());
        let pace = |whom: &'static str| {
            let since = Instant::now().checked_sub(Duration::from_secs(9)).expect("an earlier moment");
            Pace::after(Rates::constant(1.0), since, book.of(&whom))
        };
        let (mut host, mut address, mut another) = (pace("host"), pace("address"), pace("another host"));
        Pace::take_all(&mut [&mut another, &mut address], now).expect("a turn");
        assert!(Pace::take_all(&mut [&mut host, &mut address], now).is_err());
        assert!(host.next(now, Duration::ZERO) <= Instant::now(), "the host was not asked");
        Pace::take_all(&mut [&mut host], now).expect("a turn");
    }

    #[tokio::test(start_paused = true)]
    async fn a_crawl_that_follows_another_one_leaves_it_its_second() {
        let begun = Instant::now();
        for rate in [0.5, 3.0, 15.0_f64] {
            let mut pace = Pace::after(Rates::constant(rate), begun, Arc::default());
            let second = Duration::from_secs_f64(1.05 * counted(rate) as f64 / rate);
            assert_eq!(pace.next(Timestamp::now(), Duration::ZERO), begun + second, "{rate}");
            tokio::time::advance(second).await;
            pace.take(Timestamp::now()).expect("a turn");
            let next = pace.next(Timestamp::now(), Duration::ZERO).duration_since(Instant::now());
            assert!(next.as_secs_f64() < 1.11 / rate, "{rate}: {next:?}");
        }
    }
}
