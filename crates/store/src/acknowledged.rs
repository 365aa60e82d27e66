//! The number of the last acknowledged batch, kept beside the index.
//!
//! sled opens a log it cannot read as if it were shorter, or empty. Believing that would cut the
//! segments back to an older end. The number here is written after the index was flushed, so an
//! index that knows of fewer batches than this file has lost some.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::{StoreError, folder};

pub(crate) const NAME: &str = "acknowledged";
/// Digits of the number: the file never changes its length.
const DIGITS: usize = 20;

#[derive(Debug)]
pub(crate) struct Acknowledged {
    file: File,
    path: PathBuf,
}

/// The number a data folder keeps; 0 when it has not acknowledged anything yet.
///
/// # Errors
/// [`StoreError::Damaged`] when the file is spoilt, or is gone while there is an archive: its
/// segments must not be cut back to nothing then.
pub(crate) fn number(folder: &Path) -> Result<u64, StoreError> {
    let path = folder.join(NAME);
    let damaged = |reason: &str| StoreError::Damaged { path: path.clone(), reason: reason.to_owned() };
    match fs::read(&path) {
        Ok(bytes) if bytes.len() < DIGITS => Ok(0),
        Ok(bytes) => {
            let text = std::str::from_utf8(&bytes[..DIGITS]).ok();
            text.and_then(|text| text.parse().ok()).ok_or_else(|| damaged("it holds no number"))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io(&path, error)),
        Err(_) if folder::size(&folder.join("warc")).is_ok_and(|bytes| bytes > 0) => {
            Err(damaged("it is gone, and the archive is not empty"))
        }
        Err(_) => Ok(0),
    }
}

impl Acknowledged {
    /// Opens the file, making it when it is not there.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(NAME);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| StoreError::io(&path, source))?;
        Ok(Self { file, path })
    }

    /// Keeps a number.
    pub(crate) fn write(&self, number: u64) -> Result<(), StoreError> {
        let text = format!("{number:0DIGITS$}\n");
        let written = self.file.write_all_at(text.as_bytes(), 0).and_then(|()| self.file.sync_data());
        written.map_err(|source| StoreError::io(&self.path, source))
    }
}
