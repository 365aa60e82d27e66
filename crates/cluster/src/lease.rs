//! Leases of shares: values that vanish unless they are renewed.

use std::time::Duration;

use async_nats::jetstream::kv::{self, CreateErrorKind, UpdateErrorKind};
use futures_util::TryStreamExt as _;
use tokio::time::{Instant, sleep};
use xunjian_crawl::{Share, StopSignal};

use crate::ClusterError;
use crate::names::Names;

/// A lease is renewed after this part of its time …
const RENEWED: u32 = 3;
/// … and given up when that has not worked for this part of it, before anybody else can have the share.
const GIVEN_UP: f64 = 0.8;

/// Who has what, and which workers there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Leases {
    /// Leased shares.
    pub(crate) shares: Vec<Share>,
    /// Workers.
    pub(crate) workers: usize,
}

impl Leases {
    pub(crate) async fn read(names: &Names) -> Result<Self, ClusterError> {
        let prefix = &names.leases.prefix;
        let known = names.leases.stream.info_with_subjects(format!("{prefix}>")).await;
        let known = known.map_err(|error| ClusterError::jetstream("leases")(error.into()))?;
        let subjects: Vec<(String, usize)> =
            known.try_collect().await.map_err(|error| ClusterError::jetstream("leases")(error.into()))?;
        let mut leases = Self::default();
        for (subject, _) in subjects {
            let key = subject.strip_prefix(prefix.as_str()).unwrap_or_default();
            if let Some(share) = key.strip_prefix("lease.").and_then(|share| share.parse().ok()) {
                leases.shares.push(share);
            } else if key.starts_with("worker.") {
                leases.workers += 1;
            }
        }
        Ok(leases)
    }
}

fn key(share: &Share) -> String {
    format!("lease.{share}")
}

/// A worker is there.
pub(crate) async fn register(names: &Names, worker: &str) -> Result<(), ClusterError> {
    let put = names.leases.put(format!("worker.{worker}"), "".into()).await;
    put.map(drop).map_err(|error| ClusterError::jetstream("leases")(error.into()))
}

/// It is there no more.
pub(crate) async fn unregister(names: &Names, worker: &str) {
    let subject = format!("{}worker.{worker}", names.leases.prefix);
    if let Err(error) = names.leases.stream.purge().filter(subject).await {
        tracing::debug!(%error, "the worker stays on the list until its time is over");
    }
}

/// A leased share.
pub(crate) struct Lease {
    bucket: kv::Store,
    key: String,
    worker: String,
    revision: u64,
    time: Duration,
    renewed: Instant,
}

impl Lease {
    /// Leases a share; `None` when somebody else has it.
    pub(crate) async fn take(
        names: &Names,
        share: &Share,
        worker: &str,
        time: Duration,
    ) -> Result<Option<Self>, ClusterError> {
        let renewed = Instant::now();
        match names.leases.create(key(share), worker.to_owned().into()).await {
            Ok(revision) => Ok(Some(Self {
                bucket: names.leases.clone(),
                key: key(share),
                worker: worker.to_owned(),
                revision,
                time,
                renewed,
            })),
            Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(ClusterError::jetstream("leases")(error.into())),
        }
    }

    /// Renews it until it is lost; then asks for a stop.
    pub(crate) async fn renew(mut self, lost: StopSignal) {
        loop {
            sleep(self.time / RENEWED).await;
            let begun = Instant::now();
            let value = self.worker.clone().into();
            match self.bucket.update(&self.key, value, self.revision).await {
                Ok(revision) => {
                    self.revision = revision;
                    self.renewed = begun;
                }
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                    // It may be ours all the same, when an answer did not come.
                    match self.bucket.entry(&self.key).await {
                        Ok(Some(entry)) if entry.value == self.worker.as_bytes() => {
                            self.revision = entry.revision;
                        }
                        Ok(_) => return lost.stop(),
                        Err(error) => tracing::warn!(key = self.key, %error, "the lease is not renewed"),
                    }
                }
                Err(error) => tracing::warn!(key = self.key, %error, "the lease is not renewed"),
            }
            if self.renewed.elapsed() > self.time.mul_f64(GIVEN_UP) {
                return lost.stop();
            }
        }
    }
}

/// Ends the lease of a worker that said that it left the share; not of another one that has it since.
pub(crate) async fn end(names: &Names, share: &Share, worker: &str) {
    let key = key(share);
    let entry = names.leases.entry(&key).await.ok().flatten();
    let Some(entry) = entry.filter(|entry| entry.value == worker.as_bytes()) else { return };
    // Not a mark that it was deleted: what is there is leased.
    if let Err(error) = names.leases.stream.delete_message(entry.revision).await {
        tracing::debug!(%share, %error, "the lease stays until its time is over");
    }
}

/// How many shares a worker should have of those with something to do.
pub(crate) fn fair_part(open: usize, workers: usize) -> usize {
    open.div_ceil(workers.max(1))
}

/// Shares that a worker with too many keeps all the same: handing one over costs a little, too.
pub(crate) fn tolerated(fair: usize) -> usize {
    fair + (fair / 4).max(1)
}

/// Shares of which nobody does anything yet.
pub(crate) fn unleased<'s>(open: &'s [Share], leases: &Leases) -> Vec<&'s Share> {
    open.iter().filter(|share| !leases.shares.contains(share)).collect()
}
