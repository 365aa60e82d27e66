//! Snapshots as the index keeps them: without what their WARC record says already.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xunjian_model::{BodyHash, Hop, PageUrl, Snapshot, Timings, TlsFacts, View};

use crate::segment::Location;

/// A snapshot without its address and time, which are its key, and its headers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptSnapshot {
    status: u16,
    hops: Vec<Hop>,
    final_url: Option<PageUrl>,
    timings: Timings,
    tls: Option<TlsFacts>,
    pub(crate) body_hash: BodyHash,
    pub(crate) body_bytes: u64,
    truncated: bool,
    /// Its own WARC record: `response`, `revisit` or `conversion`.
    pub(crate) place: Location,
    /// Through whose eyes it shows the page.
    pub(crate) view: View,
}

impl KeptSnapshot {
    pub(crate) fn new(snapshot: &Snapshot, place: Location) -> Self {
        Self {
            status: snapshot.status,
            hops: snapshot.hops.clone(),
            final_url: snapshot.final_url.clone(),
            timings: snapshot.timings,
            tls: snapshot.tls.clone(),
            body_hash: snapshot.body_hash,
            body_bytes: snapshot.body_bytes,
            truncated: snapshot.truncated,
            place,
            view: snapshot.view,
        }
    }

    pub(crate) fn moved(self, place: Location) -> Self {
        Self { place, ..self }
    }

    pub(crate) fn whole(self, url: PageUrl, at: Timestamp, headers: Vec<(String, String)>) -> Snapshot {
        Snapshot {
            url,
            fetched_at: at,
            status: self.status,
            hops: self.hops,
            final_url: self.final_url,
            headers,
            timings: self.timings,
            tls: self.tls,
            body_hash: self.body_hash,
            body_bytes: self.body_bytes,
            truncated: self.truncated,
            view: self.view,
        }
    }
}
