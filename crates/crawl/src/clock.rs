//! This machine's clock. While most servers say another time, nothing that depends on it can be said: how old a page is,
//! whether a certificate has expired, when a snapshot was taken.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use xunjian_fetch::Answer;
use xunjian_model::Host;

use crate::hosts::lock;

/// Hosts without which nothing is said of the clock: a server's may be wrong, too.
const HOSTS_MIN: usize = 3;
/// Hosts that are waited for, where there are so many.
const HOSTS_ENOUGH: usize = 9;
/// Hosts that are compared at most.
const HOSTS_MAX: usize = 64;

/// What servers say of the clock.
pub(crate) struct Clock {
    /// How far it may be off; 0: it is never in doubt.
    off_max: SignedDuration,
    /// Hosts that are waited for.
    enough: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How far our clock is ahead of each host's, by its first answer.
    ahead: HashMap<Host, SignedDuration>,
    /// The same of most of them, once that is too far.
    off: Option<SignedDuration>,
}

impl Clock {
    /// `hosts`: how many a crawl begins with.
    pub(crate) fn new(off_max: Duration, hosts: usize) -> Self {
        let off_max = SignedDuration::try_from(off_max).unwrap_or(SignedDuration::MAX);
        Self { off_max, enough: hosts.clamp(HOSTS_MIN, HOSTS_ENOUGH), state: Mutex::default() }
    }

    /// Compares the clock with a host's, which answered just now; whether most of them say that it is wrong.
    pub(crate) fn is_off(&self, host: &Host, answer: &Answer, now: Timestamp) -> bool {
        let mut state = lock(&self.state);
        let is_known =
            state.off.is_some() || state.ahead.len() >= HOSTS_MAX || state.ahead.contains_key(host);
        if self.off_max.is_zero() || is_known {
            return state.off.is_some();
        }
        let Some(said) = said(answer) else { return false };
        state.ahead.insert(host.clone(), now.duration_since(said));
        if state.ahead.len() >= self.enough {
            state.off =
                most(state.ahead.values().copied(), self.off_max).filter(|off| off.abs() > self.off_max);
        }
        if let Some(off) = state.off {
            tracing::error!(
                hosts = state.ahead.len(),
                seconds_ahead = off.as_secs(),
                "this machine's clock is wrong"
            );
        }
        state.off.is_some()
    }

    /// How far the clock is ahead, once that was too far.
    pub(crate) fn off(&self) -> Option<SignedDuration> {
        lock(&self.state).off
    }
}

/// The time by a host's clock (RFC 9110 section 6.6.1); what a cache kept says how long ago that was (RFC 9111 section 5.1).
fn said(answer: &Answer) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(answer.header("date")?.trim()).ok()?;
    let age = answer.header("age").and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    Timestamp::try_from(date).ok()?.checked_add(SignedDuration::from_secs(age)).ok()
}

/// The median, if more than half are within a distance of it.
fn most(values: impl Iterator<Item = SignedDuration>, within: SignedDuration) -> Option<SignedDuration> {
    let mut values: Vec<SignedDuration> = values.collect();
    values.sort_unstable();
    let middle = *values.get(values.len() / 2)?;
    let close = |value: &&SignedDuration| value.checked_sub(middle).is_some_and(|far| far.abs() <= within);
    (values.iter().filter(close).count() * 2 > values.len()).then_some(middle)
}
