//! What every worker has to know of the night.

use async_nats::jetstream::kv;
use serde::{Deserialize, Serialize};
use xunjian_crawl::{CrawlSetup, Share};
use xunjian_fetch::FetchLimits;
use xunjian_model::SiteId;

use crate::ClusterError;

/// Key of the night in its bucket.
const KEY: &str = "night";

/// What a crawl is determined by, as a hash. Two machines with the same one crawl alike; how each reaches the
/// network is its own affair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint(String);

impl Fingerprint {
    pub(crate) fn of(setup: &CrawlSetup, fetch: &FetchLimits) -> Self {
        let CrawlSetup { sites, limits, politeness, page, revisit_records, .. } = setup;
        let text = format!(
            "{} {:?}",
            env!("CARGO_PKG_VERSION"),
            (sites, limits, politeness, page, revisit_records, fetch)
        );
        Self(blake3::hash(text.as_bytes()).to_hex().to_string())
    }
}

/// The night.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Night {
    /// Number of the run.
    pub(crate) run: u32,
    /// Which crawl this is: another one where a run was begun anew under the same number.
    pub(crate) crawl: String,
    /// Its sites.
    pub(crate) sites: Vec<SiteId>,
    /// What its workers have to agree on.
    pub(crate) fingerprint: Fingerprint,
    /// Shares of which something is left to do. Once there are none, nobody can find more.
    pub(crate) open: Vec<Share>,
    /// It is over, or was stopped.
    pub(crate) ended: bool,
}

impl Night {
    /// The present night; `None`: there was none yet.
    pub(crate) async fn read(bucket: &kv::Store) -> Result<Option<Self>, ClusterError> {
        let kept =
            bucket.get(KEY).await.map_err(|error| ClusterError::jetstream("the night")(error.into()))?;
        kept.map(|bytes| {
            serde_json::from_slice(&bytes).map_err(|error| ClusterError::Message(error.to_string()))
        })
        .transpose()
    }

    pub(crate) async fn write(&self, bucket: &kv::Store) -> Result<(), ClusterError> {
        let bytes = serde_json::to_vec(self).map_err(|error| ClusterError::Message(error.to_string()))?;
        bucket
            .put(KEY, bytes.into())
            .await
            .map(drop)
            .map_err(|error| ClusterError::jetstream("the night")(error.into()))
    }
}
