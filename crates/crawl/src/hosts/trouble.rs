//! What a host answers that hinders the crawl: failures, requests to wait, refusals; and how long it is left alone.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use xunjian_model::{LeftOut, LinkState};

use super::{HostState, lock};
use crate::now;
use crate::politeness::Politeness;

/// Repetitions of blocks are forgotten after so many times the longest block without one.
const FORGIVEN_AFTER: u32 = 3;
/// A host that was left alone for so many times the patience with one that does not answer is given up.
const BLOCKED_PATIENCES: u32 = 16;
/// Failures in a row that are the host's, where some of its pages fail, or refuse, by themselves.
const IN_ROW_MAX: u32 = 6;

/// A host that fails, or asks to wait.
#[derive(Default)]
pub(super) struct Trouble {
    /// No request goes out before.
    pub(super) until: Option<Instant>,
    /// Since when nothing else came from it.
    pub(super) since: Option<Instant>,
    /// Failures to connect in a row.
    pub(super) failures: u32,
    /// Answers in a row that asked for a browser.
    pub(super) challenges: u32,
    /// How long it was left alone in all.
    pub(super) blocked_for: Duration,
    /// Of that, for refusals that said 200.
    pub(super) refused_for: Duration,
    /// Such refusals in a row.
    pub(super) refusals: u32,
    /// Answers in a row that asked to wait.
    pub(super) limited: u32,
    /// Its pages that fail by themselves, while it shows others.
    pub(super) broken_pages: u32,
    pub(super) last: Option<LinkState>,
}

impl HostState {
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
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use xunjian_model::{HostRecord, SiteId};

    use super::*;
    use crate::pace::Pace;

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
