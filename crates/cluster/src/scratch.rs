//! Folders for the stores of leased shares, which end with their lease.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use xunjian_store::{Store, is_in_use};

use crate::ClusterError;

/// How each folder's name begins.
const PREFIX: &str = "share-";
/// The store in it.
const STORE: &str = "store";
/// Age from which a folder without a store is a leftover, not one that is just being made.
const LEFTOVER: Duration = Duration::from_secs(60);

/// A new store in a folder of its own, which vanishes with it.
pub(crate) fn store(scratch: &Path) -> Result<(TempDir, Store), ClusterError> {
    let fail = |source| ClusterError::Scratch { path: scratch.to_owned(), source };
    fs::create_dir_all(scratch).map_err(fail)?;
    let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(scratch).map_err(fail)?;
    // What it acknowledges is in the log, and it is never opened again.
    let store = Store::open(&folder.path().join(STORE))?.ephemeral();
    Ok((folder, store))
}

/// Removes what workers left behind that were killed.
pub(crate) fn clear(scratch: &Path) -> Result<(), ClusterError> {
    if !scratch.is_dir() {
        return Ok(());
    }
    let fail = |source| ClusterError::Scratch { path: scratch.to_owned(), source };
    for entry in fs::read_dir(scratch).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let folder = entry.path();
        let used = match is_in_use(&folder.join(STORE)) {
            Some(used) => used,
            None => {
                let made = entry.metadata().and_then(|about| about.modified());
                made.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age < LEFTOVER))
            }
        };
        if !used && let Err(error) = fs::remove_dir_all(&folder) {
            tracing::warn!(folder = %folder.display(), %error, "a leftover stays");
        }
    }
    Ok(())
}
