//! A crawl that is one of several over the same sites: what it works off, the turns it shares with the
//! others, and what it finds for them.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use xunjian_frontier::Item;
use xunjian_model::{PageUrl, Target, UrlRecord};

use crate::progress::Counts;
use crate::shares::Share;
use crate::{rendering, second_look};

/// Waits for a turn.
pub type Turn<'t> = Pin<Box<dyn Future<Output = ()> + Send + 't>>;

/// A connection that may be open as long as this is held.
pub type Place = Box<dyn Any + Send + Sync>;

/// Waits for one.
pub type Placing<'t> = Pin<Box<dyn Future<Output = Place> + Send + 't>>;

/// Turns with hosts and addresses that several crawls take.
pub trait JointPace: Send + Sync {
    /// Takes the turns of all that are named, each of which nobody else gets within its period.
    fn take<'t>(&'t self, turns: &'t [(String, Duration)]) -> Turn<'t>;
    /// Takes one of the connections to an address that all crawls may have open at once.
    fn place<'t>(&'t self, address: &'t str) -> Placing<'t>;
    /// Nobody gets a turn of it for so long.
    fn hold(&self, name: String, pause: Duration);
}

/// Addresses that other crawls found.
#[derive(Debug)]
pub struct Found {
    /// The addresses.
    pub items: Vec<Item>,
    /// Number of the message they came with, which is kept with them.
    pub number: u64,
}

/// What a crawl among several needs besides.
pub struct Joint {
    /// What it works off; the store holds nothing else.
    pub share: Share,
    /// The turns.
    pub pace: Arc<dyn JointPace>,
    /// What the others find for it. While this is open, the crawl goes on.
    pub found: mpsc::Receiver<Found>,
}

/// What goes with each batch of a joint crawl to whoever keeps the store of all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Lines of the crawl's log.
    pub lines: Vec<String>,
    /// Addresses of other shares.
    pub found: Vec<Item>,
    /// Number of the last [`Found`] that is kept.
    pub number: Option<u64>,
    /// What was counted since the batch before.
    pub counts: Counts,
}

impl Note {
    /// Reads one; what cannot be read is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }

    /// As it is attached.
    pub fn bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).unwrap_or_default()
    }
}

/// Whether a crawl may want a page's body again though the server says that it has not changed.
pub fn needs_body(url: &PageUrl, record: &UrlRecord, run: u32, second_look_share: f64) -> bool {
    record.target == Target::Page
        && record.body_hash.is_some()
        && (rendering::is_again(record) || second_look::is_wanted(url, record, run, second_look_share))
}
