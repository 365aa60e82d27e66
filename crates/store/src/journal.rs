//! The journal: every batch of index writes, in the order they were acknowledged.
//!
//! The index can be made anew from it alone. It is written and synced before the index, so it
//! never knows less. A checkpoint repeats the whole index, after which older entries are not
//! needed any more.

use serde::{Deserialize, Serialize};

use crate::segment::Location;

/// Ending of the journal's files.
pub(crate) const ENDING: &str = "journal.zst";
/// Index writes in one entry of a checkpoint.
pub(crate) const CHECKPOINT_WRITES: usize = 4_096;

/// Ends of the archive and the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tails {
    pub(crate) archive: Location,
    /// Earlier versions kept the end of another family of files here.
    pub(crate) retired: Location,
    pub(crate) journal: Location,
}

/// One batch.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its number.
    pub(crate) batch: u64,
    /// Everything before is to be forgotten: a checkpoint begins.
    pub(crate) fresh: bool,
    /// A checkpoint ends.
    pub(crate) sealed: bool,
    /// End of the archive after the batch.
    pub(crate) archive: Location,
    /// Earlier versions kept the end of another family of files here.
    pub(crate) retired: Location,
    /// Keys with their new values, or none for keys that were removed.
    pub(crate) writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}
