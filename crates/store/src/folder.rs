//! The data folder: its format mark and its lock.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::StoreError;

/// Format of the folder this program writes.
pub(crate) const FORMAT: u32 = 3;
/// The first format with a journal.
pub(crate) const JOURNALED: u32 = 2;
/// Oldest format that can be brought to this one.
const FORMAT_MIN: u32 = 1;
const MARK: &str = "xunjian-store";
const MARK_FILE: &str = "format";
/// The mark while it is written.
const MARK_PART: &str = "format.part";
/// What may stand in a folder that is about to become a store.
const HARMLESS: [&str; 3] = ["lost+found", "lock", MARK_PART];

/// Makes a data folder, or checks that it is one, without opening its store: for what is put beside it.
///
/// # Errors
/// [`StoreError::Foreign`] when the folder holds other things, [`StoreError::Format`] when another
/// version wrote it.
pub fn claim(folder: &Path) -> Result<(), StoreError> {
    prepare(folder).map(drop)
}

/// Makes the folder, or checks that it is ours. Answers with its format.
pub(crate) fn prepare(folder: &Path) -> Result<u32, StoreError> {
    if let Some(format) = format_of(folder)? {
        return Ok(format);
    }
    fs::create_dir_all(folder).map_err(|source| StoreError::io(folder, source))?;
    // Of processes that begin at the same moment one makes the store, and the others find it made.
    let lock = match holds_other_things(folder)? {
        false => Lock::take(folder),
        true => Err(StoreError::Foreign(folder.to_owned())),
    };
    match format_of(folder)? {
        Some(format) => Ok(format),
        None => lock.and_then(|_lock| mark(folder)).map(|()| FORMAT),
    }
}

/// Format of the store in a folder; `None` where there is no mark.
pub(crate) fn format_of(folder: &Path) -> Result<Option<u32>, StoreError> {
    match fs::read_to_string(folder.join(MARK_FILE)) {
        Ok(text) => check(folder, &text).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(StoreError::Foreign(folder.to_owned()))
        }
        Err(error) => Err(StoreError::io(folder, error)),
    }
}

/// Whether there is something that a folder about to become a store does not have.
fn holds_other_things(folder: &Path) -> Result<bool, StoreError> {
    let io = |source| StoreError::io(folder, source);
    for entry in fs::read_dir(folder).map_err(io)? {
        let name = entry.map_err(io)?.file_name();
        if !HARMLESS.iter().any(|harmless| name == *harmless) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Marks the folder as of this format. A folder has a whole mark or none, whenever this is killed:
/// with half a mark it would be nobody's.
pub(crate) fn mark(folder: &Path) -> Result<(), StoreError> {
    let part = folder.join(MARK_PART);
    let io = |source| StoreError::io(&part, source);
    let mut file = File::create(&part).map_err(io)?;
    file.write_all(format!("{MARK} {FORMAT}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
    fs::rename(&part, folder.join(MARK_FILE)).map_err(io)
}

fn check(folder: &Path, text: &str) -> Result<u32, StoreError> {
    let Some(found) = text.trim().strip_prefix(MARK).map(str::trim) else {
        return Err(StoreError::Foreign(folder.to_owned()));
    };
    if let Ok(format) = found.parse()
        && (FORMAT_MIN..=FORMAT).contains(&format)
    {
        return Ok(format);
    }
    Err(StoreError::Format { path: folder.to_owned(), found: found.to_owned(), known: FORMAT })
}

/// Whether a folder holds a store.
pub(crate) fn is_store(folder: &Path) -> bool {
    matches!(format_of(folder), Ok(Some(_)))
}

/// How long a lock is waited for: a process that was just killed, or a child that its parent is just
/// starting and that has not let go of what was open yet, holds it for a moment.
const PATIENCE: Duration = Duration::from_millis(400);

/// Held as long as the store is open; the system frees it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held for its lock")] File);

impl Lock {
    pub(crate) fn take(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| StoreError::io(&path, source))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => thread::sleep(PATIENCE / 20),
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::InUse { path: folder.to_owned(), process: holder(&path) });
                }
                Err(TryLockError::Error(source)) => return Err(StoreError::io(&path, source)),
            }
        }
        // Only a hint for whoever finds it taken: a full disk is no reason not to open the store.
        let _ = file.set_len(0).and_then(|()| (&file).write_all(std::process::id().to_string().as_bytes()));
        Ok(Self(file))
    }
}

/// Whether a process has the store of a folder open; `None`: there is none in it.
pub fn is_in_use(folder: &Path) -> Option<bool> {
    let file = File::options().write(true).open(folder.join("lock")).ok()?;
    Some(matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// The number of the process that has the lock, with a space before it.
fn holder(lock: &Path) -> String {
    let number = fs::read_to_string(lock).ok().and_then(|text| text.parse::<u32>().ok());
    number.map(|number| format!(" {number}")).unwrap_or_default()
}

/// Bytes of the files in a folder.
pub(crate) fn size(folder: &Path) -> Result<u64, StoreError> {
    let io = |source| StoreError::io(folder, source);
    let mut sum = 0;
    for entry in fs::read_dir(folder).map_err(io)? {
        sum += entry.map_err(io)?.metadata().map_err(io)?.len();
    }
    Ok(sum)
}

/// Bytes of the files in a folder and the folders in it; 0 when it is not there. What somebody removes meanwhile counts
/// for nothing.
pub(crate) fn tree_size(folder: &Path) -> Result<u64, StoreError> {
    let io = |source| StoreError::io(folder, source);
    let Some(entries) = there(fs::read_dir(folder)).map_err(io)? else { return Ok(0) };
    let mut sum = 0;
    for entry in entries {
        let Some(entry) = there(entry).map_err(io)? else { continue };
        let Some(metadata) = there(entry.metadata()).map_err(io)? else { continue };
        sum += if metadata.is_dir() { tree_size(&entry.path())? } else { metadata.len() };
    }
    Ok(sum)
}

/// `None`: it is not there, or not any more.
fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn what_is_removed_meanwhile_counts_for_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let report = folder.path().join("report");
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                for _ in 0..300 {
                    fs::create_dir_all(report.join("evidence")).expect("made");
                    fs::write(report.join("evidence/1.html"), b"1").expect("written");
                    fs::remove_dir_all(&report).expect("removed");
                }
            });
            while !writing.is_finished() {
                assert!(tree_size(folder.path()).expect("a size") <= 1);
            }
        });
    }

    #[test]
    fn who_begins_at_the_same_moment_finds_the_folder_made() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().expect("folder");
            let folder = folder.path().join("data");
            let together = Barrier::new(8);
            thread::scope(|scope| {
                let claims: Vec<_> = std::iter::repeat_with(|| {
                    scope.spawn(|| {
                        together.wait();
                        claim(&folder)
                    })
                })
                .take(8)
                .collect();
                for one in claims {
                    one.join().expect("no panic").expect("a folder of ours");
                }
            });
            assert_eq!(fs::read_to_string(folder.join(MARK_FILE)).expect("mark"), "xunjian-store 3\n");
        }
    }

    #[test]
    fn nothing_is_left_in_the_folder_of_somebody_else() {
        let folder = tempfile::tempdir().expect("folder");
        fs::write(folder.path().join("letters.txt"), "dear").expect("write");
        assert!(matches!(claim(folder.path()), Err(StoreError::Foreign(_))));
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 1);
    }
}
