//! Counters that a progress bar or a summary reads while the crawl runs.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of a crawl; all only grow.
#[derive(Debug, Default)]
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
}

impl Progress {
    pub(crate) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    /// A counter's value.
    pub fn read(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}
