//! sled, opened so that damage is an error and never a panic.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::{StoreError, decode, encode};

/// Bytes sled may use for the page cache of an index.
const CACHE_BYTES: u64 = 4 << 20;
/// The same for the main index, which a crawl asks at every turn …
const MAIN_CACHE_BYTES: u64 = 7 << 20;
/// … and for that of snapshots, which is written, and hardly read.
const SNAPSHOTS_CACHE_BYTES: u64 = 1 << 20;
/// Rounds of collection after a batch; each frees some hundred nodes of the index, if there are any.
const COLLECTIONS: usize = 128;
/// How long sled's threads are waited for to let go of an index.
const PATIENCE: Duration = Duration::from_secs(2);
/// Keys copied between two flushes.
const COPIED_AT_ONCE: usize = 8_192;

pub(crate) fn open(path: &Path) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new().path(path).cache_capacity(cache_bytes(path)).flush_every_ms(None);
    let begun = Instant::now();
    let opened = loop {
        // sled 0.34 panics on some damaged files; a panic here means the same as its error.
        let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| config.open()));
        match opened {
            Ok(Err(error)) if is_locked(&error) && begun.elapsed() < PATIENCE => {
                std::thread::sleep(PATIENCE / 100);
            }
            opened => break opened,
        }
    };
    let damaged = |reason: String| StoreError::Damaged { path: path.to_owned(), reason };
    match opened {
        Ok(Ok(index)) => Ok(index),
        Ok(Err(sled::Error::Io(source))) if !is_damage(&source) => Err(StoreError::io(path, source)),
        Ok(Err(error)) => Err(damaged(error.to_string())),
        Err(_) => Err(damaged("sled could not read it".to_owned())),
    }
}

fn cache_bytes(path: &Path) -> u64 {
    // An index that is written anew has an ending until it is in its place.
    match path.file_stem().and_then(|name| name.to_str()) {
        Some("index") => MAIN_CACHE_BYTES,
        Some("snapshots") => SNAPSHOTS_CACHE_BYTES,
        _ => CACHE_BYTES,
    }
}

/// Frees what sled replaced. By itself it frees a little with each look at the index, which is too
/// little for batches that write much and look little: a site map of a million addresses would
/// leave gigabytes.
pub(crate) fn collect_garbage() {
    for _ in 0..COLLECTIONS {
        crossbeam_epoch::pin().flush();
    }
}

/// An index that is nowhere, for the moment in which a store has no other.
pub(crate) fn nowhere() -> Result<sled::Db, StoreError> {
    sled::Config::new().temporary(true).cache_capacity(CACHE_BYTES).open().map_err(StoreError::index)
}

/// Whether an index that was just closed is still held by one of sled's threads; no other process
/// can hold it, since the data folder has a lock of its own.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(source) if source.to_string().contains("could not acquire lock"))
}

/// Errors that the files' content causes, not the system.
fn is_damage(source: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(source.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput)
}

/// Some of an index's keys.
pub(crate) type Keys = fn(&[u8]) -> bool;

/// Key of an index's size after it was last made smaller.
const TIDY_BYTES: &[u8] = b"Mtidy-bytes";

/// Whether an index has grown by half of what it was after it was last written anew.
pub(crate) fn is_outgrown(index: &sled::Db, bytes_min: u64) -> Result<bool, StoreError> {
    let last = index.get(TIDY_BYTES).map_err(StoreError::index)?;
    let last: u64 = last.map_or(Ok(0), |bytes| decode(TIDY_BYTES, &bytes))?;
    Ok(index.size_on_disk().map_err(StoreError::index)? >= bytes_min.max(last + last / 2))
}

/// Writes an index anew in its place: sled's own files never shrink, and a long one takes long to open.
/// Only the keys that `is_kept` names go into the new one.
pub(crate) fn rewrite(index: sled::Db, path: &Path, is_kept: Keys) -> Result<sled::Db, StoreError> {
    let new = path.with_extension("new");
    if let Err(error) = copy_to(&index, &new, is_kept) {
        // A full disk, for example: the index is as good as it was.
        tracing::warn!(%error, path = %path.display(), "the index was not made smaller");
        remove(&new)?;
        return Ok(index);
    }
    // The old one has to be closed before another takes its place.
    drop(index);
    replace(path, &new)?;
    // Opening it writes sled's own summary, which the next opening begins with.
    open(path)
}

fn copy_to(from: &sled::Db, new: &Path, is_kept: Keys) -> Result<(), StoreError> {
    remove(new)?;
    let fresh = open(new)?;
    copy(from, &fresh, is_kept)?;
    let bytes = fresh.size_on_disk().map_err(StoreError::index)?;
    fresh.insert(TIDY_BYTES, encode(&bytes)?).map_err(StoreError::index)?;
    fresh.flush().map_err(StoreError::index)?;
    Ok(())
}

/// Puts a new index in the place of the one that is there.
pub(crate) fn replace(index: &Path, new: &Path) -> Result<(), StoreError> {
    let old = index.with_extension("old");
    remove(&old)?;
    if index.exists() {
        fs::rename(index, &old).map_err(|source| StoreError::io(index, source))?;
    }
    fs::rename(new, index).map_err(|source| StoreError::io(new, source))?;
    remove(&old)
}

/// Removes a folder, or a file in its place, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io(path, error)),
        _ => Ok(()),
    }
}

/// Copies keys; sled itself never makes its files smaller.
///
/// Keys that arrive in order leave sled's leaves little more than half full, each a page to keep track of
/// in memory. So of each leaf's worth of keys some go first; once they are a leaf of their own the others
/// fill it up.
pub(crate) fn copy(from: &sled::Db, to: &sled::Db, is_kept: Keys) -> Result<(), StoreError> {
    let put = |(key, value): &Row| to.insert(key, value).map(drop).map_err(StoreError::index);
    let mut waiting: VecDeque<Vec<Row>> = VecDeque::new();
    let mut rows = from.iter().filter(|row| row.as_ref().map_or(true, |(key, _)| is_kept(key)));
    let mut copied = 0_usize;
    loop {
        let leaf: Vec<Row> = rows.by_ref().take(LEAF).collect::<Result<_, _>>().map_err(StoreError::index)?;
        let (last, whole) = (leaf.is_empty(), leaf.len() == LEAF);
        for (at, row) in leaf.iter().enumerate() {
            if !whole || goes_first(at) {
                put(row)?;
            }
        }
        copied += leaf.len();
        if whole {
            waiting.push_back(leaf);
        }
        while waiting.front().is_some_and(|_| last || waiting.len() > LEAVES_BEHIND) {
            let Some(leaf) = waiting.pop_front() else { break };
            for (at, row) in leaf.iter().enumerate() {
                if !goes_first(at) {
                    put(row)?;
                }
            }
            // Once more, until sled writes the leaf in one piece.
            leaf.iter().take(REWRITES).try_for_each(put)?;
        }
        if last {
            break;
        }
        if copied.is_multiple_of(COPIED_AT_ONCE) {
            to.flush().map_err(StoreError::index)?;
            collect_garbage();
        }
    }
    to.flush().map_err(StoreError::index)?;
    Ok(())
}

type Row = (sled::IVec, sled::IVec);

/// Keys of a full leaf of sled 0.34; one more splits it.
const LEAF: usize = 16;
/// Leaves behind the one that is begun which sled has split off for sure.
const LEAVES_BEHIND: usize = 2;
/// Writes after which a leaf that was filled up has ten parts, from which on sled writes it whole.
const REWRITES: usize = 3;

/// Which keys of a leaf go first: nine, among them the outermost.
fn goes_first(at: usize) -> bool {
    at.is_multiple_of(2) || at == LEAF - 1
}
