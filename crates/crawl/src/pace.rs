//! The pace of one host, or of one address: when the next exchange may begin.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::politeness::Rates;

/// A request may reach the server a little late and the next one in time. Turns are this much
/// farther apart than the rate asks, so that the server still never sees more than the rate.
const MARGIN: f64 = 1.05;
/// Part of the period that is added at random, so that hosts are not asked in step.
const JITTER: f64 = 0.05;
/// Weight of the newest exchange in the mean of latencies.
const LATENCY_WEIGHT: f64 = 0.3;

/// Grants turns that are never closer than a period; whoever uses it owns it for that time.
pub(crate) struct Pace {
    rates: Rates,
    /// Least period, for example by `Crawl-delay`.
    least: Duration,
    /// Rate and limiter of the hours we are in.
    current: Option<(f64, DefaultDirectRateLimiter)>,
    last: Option<Instant>,
    jitter: f64,
}

impl Pace {
    pub(crate) fn new(rates: Rates) -> Self {
        Self { rates, least: Duration::ZERO, current: None, last: None, jitter: 0.0 }
    }

    /// The pace of somebody who may have been asked at this moment.
    pub(crate) fn after(rates: Rates, last: Instant) -> Self {
        Self { last: Some(last), ..Self::new(rates) }
    }

    /// Turns are at least so far apart from now on.
    pub(crate) fn at_least(&mut self, least: Duration) {
        self.least = self.least.max(least);
    }

    /// The period of these hours; `None`: no limit.
    fn period(&self, now: Timestamp, slow_down: Duration) -> Option<Duration> {
        let rate = self.rates.at(now);
        let own = (rate > 0.0).then(|| Duration::from_secs_f64(MARGIN / rate));
        match own {
            Some(own) => Some(own.max(self.least).max(slow_down)),
            None => Some(self.least).filter(|least| !least.is_zero()),
        }
    }

    /// How long nobody else may take a turn after this one, where a limit says it.
    pub(crate) fn own_time(&self, now: Timestamp, slow_down: Duration) -> Option<Duration> {
        Some(self.period(now, slow_down)?.mul_f64(1.0 + fastrand::f64() * JITTER))
    }

    /// When the next turn is; `slow_down` is the period a slow server is left.
    pub(crate) fn next(&self, now: Timestamp, slow_down: Duration) -> Instant {
        match self.last.zip(self.period(now, slow_down)) {
            Some((last, period)) => last + period.mul_f64(1.0 + self.jitter * JITTER),
            None => Instant::now(),
        }
    }

    /// Takes the turn, or says how long it is still too early: the limiter has the last word,
    /// whatever the times above say.
    pub(crate) fn take(&mut self, now: Timestamp) -> Result<(), Duration> {
        let rate = self.rates.at(now);
        if self.current.as_ref().is_none_or(|(own, _)| *own != rate) {
            let period = (rate > 0.0).then(|| Duration::from_secs_f64(1.0 / rate));
            let quota = period.and_then(Quota::with_period).map(|quota| quota.allow_burst(NonZeroU32::MIN));
            self.current = quota.map(|quota| (rate, RateLimiter::direct(quota)));
        }
        if let Some((_, limiter)) = &self.current
            && let Err(early) = limiter.check()
        {
            return Err(early.wait_time_from(DefaultClock::default().now()));
        }
        self.last = Some(Instant::now());
        self.jitter = fastrand::f64();
        Ok(())
    }
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
        let mut pace = Pace::new(Rates::constant(5.0));
        let now = Timestamp::now();
        pace.take(now).expect("the first turn");
        assert!(pace.take(now).is_err(), "too early");
        let begun = Instant::now();
        let until = |slow: u64| pace.next(now, Duration::from_millis(slow)).duration_since(begun).as_millis();
        assert!((200..225).contains(&until(0)), "{}", until(0));
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
}
