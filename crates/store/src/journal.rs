//! The journal: every batch of index writes, in the order they were acknowledged.
//!
//! The index can be made anew from it alone. It is written and synced before the index, so it
//! never knows less. A checkpoint repeats the whole index, after which older entries are not
//! needed any more.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::segment::{self, Location, path_of};
use crate::walk::Walk;
use crate::{JOURNAL, StoreError, decode};

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

/// What stands in the journal.
pub(crate) enum Found {
    /// An entry, and where it ends.
    Entry(Entry, Location),
    /// A place that cannot be read, with file, byte and reason.
    Gap(String),
}

/// Hands over what stands in the journal of a data folder, from a file on.
pub(crate) fn read(
    folder: &Path,
    from: u32,
    mut each: impl FnMut(Found) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let folder = folder.join("journal");
    if !folder.is_dir() {
        return Ok(());
    }
    let numbers: Vec<u32> = segment::numbers(&folder)?.into_iter().filter(|number| *number >= from).collect();
    for (at, number) in numbers.iter().enumerate() {
        let path = path_of(&folder, *number, JOURNAL.ending);
        if !is_finished(&folder, &numbers[at..])? {
            break;
        }
        let mut walk = Walk::open(&path)?;
        while let Some(frame) = walk.next() {
            let frame = frame?;
            let entry = frame.record.and_then(|record| {
                decode(b"journal", &record).map_err(|error: StoreError| error.to_string())
            });
            match entry {
                Ok(entry) => {
                    let end = frame.offset + u64::from(frame.bytes);
                    each(Found::Entry(entry, Location { segment: *number, offset: end, bytes: 0 }))?;
                }
                // A torn end was never acknowledged; the next opening cuts it off.
                Err(_) if at + 1 == numbers.len() && walk.is_at_end() => {}
                Err(reason) => {
                    each(Found::Gap(format!("{} byte {}: {reason}", path.display(), frame.offset)))?
                }
            }
        }
    }
    Ok(())
}

/// Whether the checkpoint that begins in the first of these files, if one does, has its end. One
/// that was interrupted repeats what older files hold.
fn is_finished(folder: &Path, numbers: &[u32]) -> Result<bool, StoreError> {
    let mut begun = false;
    for number in numbers {
        for frame in Walk::open(&path_of(folder, *number, JOURNAL.ending))? {
            let Ok(record) = frame?.record else { continue };
            let Ok(entry) = decode::<Entry>(b"journal", &record) else { continue };
            begun |= entry.fresh;
            if !begun || entry.sealed {
                return Ok(true);
            }
        }
    }
    Ok(!begun)
}
