//! How gently a host is asked.

use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::Window;

/// Limits towards every host.
#[derive(Clone, Debug)]
pub struct Politeness {
    /// Requests a second; 0 is no limit.
    pub requests_per_second: f64,
    /// Connections at once.
    pub connections: usize,
    /// Hours in which the web is asked; `None`: always.
    pub window: Option<Window>,
    /// Pause after 429 or 503 without `Retry-After`, doubled at each repetition.
    pub block: Duration,
    /// Longest pause, whatever the server asks.
    pub block_max: Duration,
    /// Longest `Crawl-delay` of robots.txt that is kept.
    pub crawl_delay_max: Duration,
}

impl Default for Politeness {
    fn default() -> Self {
        Self {
            requests_per_second: 2.0,
            connections: 2,
            window: None,
            block: Duration::from_secs(60),
            block_max: Duration::from_secs(600),
            crawl_delay_max: Duration::from_secs(30),
        }
    }
}

/// One host's pace.
pub(crate) struct Pace {
    limiter: Option<DefaultDirectRateLimiter>,
    jitter_max: Duration,
}

impl Pace {
    pub(crate) fn new(politeness: &Politeness, crawl_delay: Option<Duration>) -> Self {
        let own = (politeness.requests_per_second > 0.0)
            .then(|| Duration::from_secs_f64(1.0 / politeness.requests_per_second));
        let asked = crawl_delay.map(|delay| delay.min(politeness.crawl_delay_max));
        let period = own.max(asked).filter(|period| !period.is_zero());
        let quota = period.and_then(Quota::with_period).map(|quota| quota.allow_burst(NonZeroU32::MIN));
        Self {
            limiter: quota.map(RateLimiter::direct),
            // A tenth of the period, so that hosts on one platform are not asked in step.
            jitter_max: period.unwrap_or_default() / 10,
        }
    }

    /// A pace that another one follows: its first turn comes a whole period from now.
    pub(crate) fn following(politeness: &Politeness, crawl_delay: Option<Duration>) -> Self {
        let pace = Self::new(politeness, crawl_delay);
        if let Some(limiter) = &pace.limiter {
            // A fresh limiter always grants the first turn.
            let _ = limiter.check();
        }
        pace
    }

    pub(crate) async fn wait(&self) {
        if let Some(limiter) = &self.limiter {
            // The jitter lies before the limiter's turn, not behind it: two turns are never
            // closer than a period.
            tokio::time::sleep(self.jitter_max.mul_f64(fastrand::f64())).await;
            limiter.until_ready().await;
        }
    }
}

/// What `Retry-After` asks: seconds or a date (RFC 9110 section 10.2.3).
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value.trim()).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_second_sees_more_than_the_limit() {
        let politeness = Politeness { requests_per_second: 5.0, ..Politeness::default() };
        let pace = Pace::new(&politeness, None);
        let begun = std::time::Instant::now();
        for _ in 0..4 {
            pace.wait().await;
        }
        // Four requests at five a second: three periods lie between them.
        assert!(begun.elapsed() >= Duration::from_millis(590), "{:?}", begun.elapsed());
    }

    #[test]
    fn retry_after_in_both_forms() {
        let now = httpdate::parse_http_date("Mon, 23 Nov 2026 10:00:00 GMT").expect("date");
        let later = Some(Duration::from_secs(30));
        assert_eq!(retry_after("30", now), later);
        assert_eq!(retry_after("Mon, 23 Nov 2026 10:00:30 GMT", now), later);
        assert_eq!(retry_after("Mon, 23 Nov 2026 09:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
