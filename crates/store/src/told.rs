//! What a store tells of its batches, so that another one can keep the same.

use serde::{Deserialize, Serialize};
use xunjian_model::{SiteId, Snapshot};

use crate::{Space, StoreError};

/// One write. Places of the archive are each store's own, so snapshots are told whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Write {
    /// A value of the index.
    Put {
        /// Its key, the letter of its space first.
        key: Vec<u8>,
        /// As it is kept.
        value: Vec<u8>,
    },
    /// No value any more.
    Delete {
        /// Key.
        key: Vec<u8>,
    },
    /// A snapshot with its body.
    Snapshot {
        /// Owner of the address.
        owner: Option<SiteId>,
        /// The snapshot.
        snapshot: Box<Snapshot>,
        /// Its body.
        body: Vec<u8>,
    },
    /// A page was seen unchanged.
    Revisit {
        /// Owner of the address.
        owner: Option<SiteId>,
        /// What was seen.
        snapshot: Box<Snapshot>,
    },
}

impl Write {
    /// The key of an index value that it writes or removes, without the letter of its space.
    pub fn of(&self, space: Space) -> Option<&[u8]> {
        match self {
            Self::Put { key, .. } | Self::Delete { key } => key.strip_prefix(&[space as u8]),
            Self::Snapshot { .. } | Self::Revisit { .. } => None,
        }
    }

    /// Bytes it takes, roughly.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Put { key, value } => key.len() + value.len(),
            Self::Delete { key } => key.len(),
            Self::Snapshot { body, .. } => 1_024 + body.len(),
            Self::Revisit { .. } => 1_024,
        }
    }
}

/// A batch, as its store's listener is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// What it writes, in order.
    pub writes: Vec<Write>,
    /// What whoever wrote it attached.
    pub note: Vec<u8>,
}

/// Whoever is told of each batch before it is kept.
pub trait Listener: std::fmt::Debug + Send + Sync {
    /// Takes a batch for good, or refuses it: then the store does not keep it either.
    fn told(&self, batch: Told) -> Result<(), StoreError>;
}
