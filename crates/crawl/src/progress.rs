//! Counters that a progress bar or a summary reads while the crawl runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{OnceLock, Weak};

use serde::Serialize;
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
    /// Batches that were acknowledged.
    pub batches: AtomicU64,
    /// What each host is at, for whoever watches.
    watch: OnceLock<Weak<Shared>>,
}

/// What a host is at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostProgress {
    /// The site it belongs to.
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
            if host.owner.is_some() {
                hosts.push(HostProgress {
                    site: host.owner.clone(),
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

    /// A counter's value.
    pub fn read(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}
