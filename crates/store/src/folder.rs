//! The data folder: its format mark and its lock.

use std::fs::{self, File, TryLockError};
use std::io;
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
/// What may stand in a folder that is about to become a store.
const HARMLESS: [&str; 2] = ["lost+found", "lock"];

/// Makes the folder, or checks that it is ours. Answers with its format.
pub(crate) fn prepare(folder: &Path) -> Result<u32, StoreError> {
    let io = |source| StoreError::io(folder, source);
    let mark = folder.join("format");
    match fs::read_to_string(&mark) {
        Ok(text) => check(folder, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder).map_err(io)?;
            for entry in fs::read_dir(folder).map_err(io)? {
                let name = entry.map_err(io)?.file_name();
                if !HARMLESS.iter().any(|harmless| name == *harmless) {
                    return Err(StoreError::Foreign(folder.to_owned()));
                }
            }
            self::mark(folder)?;
            Ok(FORMAT)
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(StoreError::Foreign(folder.to_owned()))
        }
        Err(error) => Err(io(error)),
    }
}

/// Marks the folder as of this format.
pub(crate) fn mark(folder: &Path) -> Result<(), StoreError> {
    let path = folder.join("format");
    fs::write(&path, format!("{MARK} {FORMAT}\n")).map_err(|source| StoreError::io(&path, source))
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
    fs::read_to_string(folder.join("format")).is_ok_and(|text| check(folder, &text).is_ok())
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
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => thread::sleep(PATIENCE / 20),
                Err(TryLockError::WouldBlock) => return Err(StoreError::InUse(folder.to_owned())),
                Err(TryLockError::Error(source)) => return Err(StoreError::io(&path, source)),
            }
        }
    }
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

/// Bytes of the files in a folder and the folders in it; 0 when it is not there.
pub(crate) fn tree_size(folder: &Path) -> Result<u64, StoreError> {
    let io = |source| StoreError::io(folder, source);
    if !folder.is_dir() {
        return Ok(0);
    }
    let mut sum = 0;
    for entry in fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let metadata = entry.metadata().map_err(io)?;
        sum += if metadata.is_dir() { tree_size(&entry.path())? } else { metadata.len() };
    }
    Ok(sum)
}
