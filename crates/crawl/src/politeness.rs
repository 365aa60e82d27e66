//! How gently hosts and addresses are asked.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

use crate::{Hours, Window};

/// Limits towards every host, and towards everything behind one address.
#[derive(Clone, Debug)]
pub struct Politeness {
    /// Requests a second to one host; 0 is no limit.
    pub rates: Rates,
    /// Connections to one host at once.
    pub connections: usize,
    /// Requests a second to one IP address, whatever hosts it serves; 0 is no limit.
    pub address_rates: Rates,
    /// Connections to one IP address at once.
    pub address_connections: usize,
    /// Hours in which the web is asked; `None`: always.
    pub window: Option<Window>,
    /// A slow host is left alone for this many times the mean time of its answers.
    pub latency_factor: f64,
    /// Pause after 429 or 503 without `Retry-After`, doubled at each repetition.
    pub block: Duration,
    /// Longest pause of our own.
    pub block_max: Duration,
    /// Longest `Retry-After` that is waited for; a longer one ends the host's crawl for this run.
    pub retry_after_max: Duration,
    /// Longest `Crawl-delay` of robots.txt that is kept, and longest pause for a slow host.
    pub crawl_delay_max: Duration,
    /// How long a host that answers nothing, or only "wait", is tried again before it is given up
    /// for this run.
    pub patience: Duration,
    /// Text that marks a page as a refusal, though it says 200.
    pub block_pages: Vec<String>,
}

impl Default for Politeness {
    fn default() -> Self {
        Self {
            rates: Rates::constant(2.0),
            connections: 2,
            address_rates: Rates::constant(10.0),
            address_connections: 10,
            window: None,
            latency_factor: 1.0,
            block: Duration::from_secs(60),
            block_max: Duration::from_secs(600),
            retry_after_max: Duration::from_secs(3_600),
            crawl_delay_max: Duration::from_secs(30),
            patience: Duration::from_secs(900),
            block_pages: crate::block_page::SHIPPED.map(str::to_owned).to_vec(),
        }
    }
}

impl Politeness {
    /// Whether it is not an hour to ask the web.
    pub fn is_closed(&self, now: Timestamp) -> bool {
        self.window.as_ref().is_some_and(|window| !window.is_open(now))
    }

    /// When it is one, at the earliest.
    pub fn opens(&self, now: Timestamp) -> Timestamp {
        let wait = self.window.as_ref().map_or(Duration::ZERO, |window| window.opens_in(now));
        now.saturating_add(SignedDuration::try_from(wait).unwrap_or_default()).unwrap_or(now)
    }
}

/// A rate, and other rates for some hours of the week.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// Requests a second at all other times; 0 is no limit.
    pub usual: f64,
    /// Hours with another rate; the first that fits counts.
    pub other: Vec<(Hours, f64)>,
}

impl Rates {
    /// The same rate always.
    pub fn constant(usual: f64) -> Self {
        Self { usual, other: Vec::new() }
    }

    /// The rate at a moment.
    pub fn at(&self, now: Timestamp) -> f64 {
        self.other.iter().find(|(hours, _)| hours.contain(now)).map_or(self.usual, |(_, rate)| *rate)
    }
}

/// What `Retry-After` asks: seconds or a date (RFC 9110 section 10.2.3).
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value.trim()).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_in_both_forms() {
        let now = httpdate::parse_http_date("Mon, 23 Nov 2026 10:00:00 GMT").expect("date");
        let later = Some(Duration::from_secs(30));
        assert_eq!(retry_after("30", now), later);
        assert_eq!(retry_after("Mon, 23 Nov 2026 10:00:30 GMT", now), later);
        assert_eq!(retry_after("Mon, 23 Nov 2026 09:00:00 GMT", now), Some(Duration::ZERO));
        for bad in ["soon", "-1", "1.5", "99999999999999999999"] {
            assert_eq!(retry_after(bad, now), None, "{bad}");
        }
    }
}
