//! Our own line. When nobody at all can be reached any more it is not every host that is down: nothing is said of any
//! of them, they are asked again, and the crawl waits.

use std::collections::{HashSet, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use xunjian_fetch::{Answer, Ask, Failure, OpenGate};
use xunjian_model::{Host, PageUrl};

use crate::gate::is_connection_failure;
use crate::hosts::lock;
use crate::{CrawlLimits, Shared, now};

/// Hosts that could not be reached in a row, with which the line is in doubt.
const HOSTS_MIN: usize = 3;
/// Hosts that answered last, one of which is asked whether the line is well.
const WITNESSES_MAX: usize = 8;
/// Of these so many are asked.
const ASKED_MAX: usize = 3;
/// Hosts outside that could not be reached are counted so far.
const OUTSIDE_COUNTED: usize = 64;
/// Shortest pause before what failed is asked once more.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// Time in which the line is not doubted once more after it was seen to be well.
const TRUST: Duration = Duration::from_secs(60);

/// What is known of the line.
pub(crate) struct Line {
    /// How long is waited for it; 0: it is never in doubt.
    patience: Duration,
    /// The pause before what failed is asked once more.
    pause: Duration,
    state: Mutex<State>,
    /// One looks at a time.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// Hosts that could not be reached since anybody answered.
    failing: HashSet<Host>,
    /// Since the first of these failures.
    since: Option<(Instant, Timestamp)>,
    /// Hosts that answered last, the newest at the end.
    witnesses: VecDeque<Host>,
    trusted_until: Option<Instant>,
    /// When it was looked at in vain.
    looked: Option<Instant>,
    told: bool,
    /// It was waited for long enough.
    given_up: bool,
    /// Hosts outside that could not be reached.
    outside: HashSet<Host>,
}

impl State {
    fn is_well(&mut self) {
        if self.told {
            tracing::warn!("hosts answer again; the crawl goes on");
        }
        self.failing.clear();
        (self.since, self.looked, self.told) = (None, None, false);
    }
}

impl Line {
    pub(crate) fn new(limits: &CrawlLimits) -> Self {
        let (patience, pause) = (limits.line_patience, limits.retry_pause.max(PAUSE_MIN));
        Self { patience, pause, state: Mutex::default(), looking: tokio::sync::Mutex::default() }
    }

    /// Somebody answered.
    pub(crate) fn answered(&self, host: &Host) {
        let mut state = lock(&self.state);
        if !state.failing.is_empty() {
            state.is_well();
        }
        if !state.witnesses.contains(host) {
            if state.witnesses.len() >= WITNESSES_MAX {
                state.witnesses.pop_front();
            }
            state.witnesses.push_back(host.clone());
        }
    }

    /// A host could not be reached; whether that may be the line's fault.
    pub(crate) fn failed(&self, host: &Host) -> bool {
        let mut state = lock(&self.state);
        state.since.get_or_insert_with(|| (Instant::now(), now()));
        if !state.failing.contains(host) {
            state.failing.insert(host.clone());
        }
        self.doubts(&state)
    }

    /// A host outside could not be reached; whether it is another one.
    pub(crate) fn missed_outside(&self, host: &Host) -> bool {
        let mut state = lock(&self.state);
        state.outside.len() < OUTSIDE_COUNTED && state.outside.insert(host.clone())
    }

    fn is_in_doubt(&self) -> bool {
        self.doubts(&lock(&self.state))
    }

    /// Some hosts are always dead, and may be the first to be asked; when they are asked once more, others have answered.
    fn doubts(&self, state: &State) -> bool {
        state.failing.len() >= HOSTS_MIN
            && state.since.is_some_and(|(begun, _)| begun.elapsed() >= self.pause / 2)
            && state.trusted_until.is_none_or(|until| until <= Instant::now())
            && !self.patience.is_zero()
    }

    /// Since when nobody answered, once that was waited for long enough.
    pub(crate) fn given_up(&self) -> Option<Timestamp> {
        let state = lock(&self.state);
        state.since.filter(|_| state.given_up).map(|(_, at)| at)
    }
}

impl Shared {
    /// Asks for an address, in turn. What fails while our own line is down is asked again when it is back.
    pub(crate) async fn fetch(&self, ask: Ask) -> Result<Answer, Failure> {
        loop {
            let fetched = self.fetcher.fetch(ask.clone(), self).await;
            let failed = fetched.as_ref().is_err_and(|failure| is_connection_failure(&failure.state));
            if !failed || !self.line.is_in_doubt() || self.stop.is_stopped() {
                return fetched;
            }
            // What failed may have failed just before it was back.
            if !self.is_line_well().await {
                self.stop.sleep(self.line.pause).await;
            }
            if self.stop.is_stopped() {
                return fetched;
            }
        }
    }

    /// Whether anybody can be reached.
    async fn is_line_well(&self) -> bool {
        let _turn = self.line.looking.lock().await;
        let witnesses: Vec<Host> = {
            let state = lock(&self.line.state);
            if !self.line.doubts(&state) {
                return true;
            }
            if state.looked.is_some_and(|looked| looked.elapsed() < self.line.pause) {
                return false;
            }
            state.witnesses.iter().rev().cloned().collect()
        };
        // Who asked to wait is no witness for now.
        let free = |host: &Host| self.host(host).is_ok_and(|host| host.blocked_until().is_none());
        for host in witnesses.iter().filter(|host| free(host)).take(ASKED_MAX) {
            let Ok(root) = PageUrl::parse(&format!("{host}/")) else { continue };
            let ask = Ask { head: true, ..Ask::get(root) };
            if self.fetcher.fetch(ask, self).await.is_ok() {
                return self.trust();
            }
        }
        if let Some(control) = self.setup.control.clone()
            && self.fetcher.fetch(Ask::get(control), &OpenGate).await.is_ok()
        {
            return self.trust();
        }
        self.doubt();
        false
    }

    fn trust(&self) -> bool {
        let mut state = lock(&self.line.state);
        state.is_well();
        state.trusted_until = Some(Instant::now() + TRUST);
        true
    }

    fn doubt(&self) {
        let mut state = lock(&self.line.state);
        state.looked = Some(Instant::now());
        let Some((begun, since)) = state.since else { return };
        if !state.told && begun.elapsed() >= self.line.pause {
            state.told = true;
            tracing::warn!(
                %since,
                "no host answers: our own line seems to be down; nothing is said of any of them, and the crawl waits"
            );
        }
        if begun.elapsed() >= self.line.patience {
            state.given_up = true;
            self.stop.stop();
        }
    }
}
