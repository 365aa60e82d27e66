//! Counters that a progress bar or a summary reads while the crawl runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{OnceLock, Weak};

use serde::{Deserialize, Serialize};
use xunjian_fetch::Fetcher;
use xunjian_model::SiteId;

use crate::Shared;
use crate::hosts::seconds_left;

/// Counts of a crawl; all only grow.
#[derive(Default)]
pub struct Progress {
    /// Addresses queued, seeds included.
    pub queued: AtomicU64,
    /// Addresses done, whatever came of them.
    pub done: AtomicU64,
    /// Pages fetched whole.
    pub pages: AtomicU64,
    /// Pages unchanged by 304.
    pub not_modified: AtomicU64,
    /// Pages fetched whole with the same hash as before.
    pub same_hash: AtomicU64,
    /// Bytes of decoded bodies.
    pub body_bytes: AtomicU64,
    /// Links, resources and outside addresses checked.
    pub checked: AtomicU64,
    /// Exchanges without an answer.
    pub failed: AtomicU64,
    /// Answers that asked to wait, refusals that say 200 among them.
    pub limited: AtomicU64,
    /// Pages that were kept before and are gone.
    pub deleted: AtomicU64,
    /// Pages seen through a browser.
    pub rendered: AtomicU64,
    /// Answers of hosts outside all sites.
    pub outside_answers: AtomicU64,
    /// Hosts outside that could not be reached, as far as they were counted.
    pub outside_unreached: AtomicU64,
    /// Batches that were acknowledged.
    pub batches: AtomicU64,
    /// Requests that workers on other machines sent.
    pub requests_elsewhere: AtomicU64,
    /// Bytes they received on the wire.
    pub received_elsewhere: AtomicU64,
    /// Bytes they sent on the wire.
    pub sent_elsewhere: AtomicU64,
    /// What each host is at, for whoever watches.
    watch: OnceLock<Weak<Shared>>,
}

/// What is counted of exchanges, at a moment or since one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// As in [`Progress`].
    pub pages: u64,
    /// As in [`Progress`].
    pub not_modified: u64,
    /// As in [`Progress`].
    pub same_hash: u64,
    /// As in [`Progress`].
    pub body_bytes: u64,
    /// As in [`Progress`].
    pub checked: u64,
    /// As in [`Progress`].
    pub failed: u64,
    /// As in [`Progress`].
    pub limited: u64,
    /// As in [`Progress`].
    pub deleted: u64,
    /// As in [`Progress`].
    pub rendered: u64,
    /// Requests sent.
    pub requests: u64,
    /// Bytes received on the wire.
    pub wire_received: u64,
    /// Bytes sent on the wire.
    pub wire_sent: u64,
}

impl Counts {
    /// What was counted so far, here and by workers on other machines.
    pub fn now(progress: &Progress, fetcher: &Fetcher) -> Self {
        let read = Progress::read;
        let (wire_received, wire_sent) = fetcher.wire_bytes();
        Self {
            pages: read(&progress.pages),
            not_modified: read(&progress.not_modified),
            same_hash: read(&progress.same_hash),
            body_bytes: read(&progress.body_bytes),
            checked: read(&progress.checked),
            failed: read(&progress.failed),
            limited: read(&progress.limited),
            deleted: read(&progress.deleted),
            rendered: read(&progress.rendered),
            requests: fetcher.requests() + read(&progress.requests_elsewhere),
            wire_received: wire_received + read(&progress.received_elsewhere),
            wire_sent: wire_sent + read(&progress.sent_elsewhere),
        }
    }

    /// The difference to an earlier moment.
    pub(crate) fn since(mut self, mut before: Self) -> Self {
        for (now, then) in self.each().into_iter().zip(before.each()) {
            *now = now.saturating_sub(*then);
        }
        self
    }

    fn each(&mut self) -> [&mut u64; 12] {
        [
            &mut self.pages, &mut self.not_modified, &mut self.same_hash, &mut self.body_bytes,
            &mut self.checked, &mut self.failed, &mut self.limited, &mut self.deleted, &mut self.rendered,
            &mut self.requests, &mut self.wire_received, &mut self.wire_sent,
        ]
    }
}

/// What a host is at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostProgress {
    /// The site it belongs to; of several that share it, the register's first.
    pub site: Option<SiteId>,
    /// Scheme, host and port.
    pub host: String,
    /// Requests of this process.
    pub requests: u64,
    /// Seconds for which it is left alone still; 0: it is not blocked.
    pub blocked_s: u64,
    /// It is left alone for the rest of the run.
    pub given_up: bool,
}

impl Progress {
    pub(crate) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn watch(&self, shared: Weak<Shared>) {
        let _ = self.watch.set(shared);
    }

    /// What the hosts of the sites are at now.
    pub fn hosts(&self) -> Vec<HostProgress> {
        let Some(shared) = self.watch.get().and_then(Weak::upgrade) else { return Vec::new() };
        let mut hosts = Vec::new();
        shared.hosts.each(|host| {
            if host.is_own() {
                hosts.push(HostProgress {
                    site: host.owners.first().cloned(),
                    host: host.host.to_string(),
                    requests: host.requests(),
                    blocked_s: host.blocked_until().map_or(0, seconds_left),
                    given_up: host.is_given_up(u32::MAX),
                });
            }
        });
        hosts.sort_by(|one, other| one.host.cmp(&other.host));
        hosts
    }

    /// Adds what a worker on another machine counted.
    pub fn add_elsewhere(&self, counts: &Counts) {
        for (counter, count) in [
            (&self.pages, counts.pages),
            (&self.not_modified, counts.not_modified),
            (&self.same_hash, counts.same_hash),
            (&self.body_bytes, counts.body_bytes),
            (&self.checked, counts.checked),
            (&self.failed, counts.failed),
            (&self.limited, counts.limited),
            (&self.deleted, counts.deleted),
            (&self.rendered, counts.rendered),
            (&self.requests_elsewhere, counts.requests),
            (&self.received_elsewhere, counts.wire_received),
            (&self.sent_elsewhere, counts.wire_sent),
        ] {
            Self::add(counter, count);
        }
    }

    /// A counter's value.
    pub fn read(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}
