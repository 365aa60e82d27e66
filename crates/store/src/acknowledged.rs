//! The number of the last acknowledged batch, kept beside the index.
//!
//! sled opens a log it cannot read as if it were shorter, or empty. Believing that would cut the
//! segments back to an older end. The number here is written after the index was flushed, so an
//! index that knows of fewer batches than this file has lost some.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::StoreError;

const NAME: &str = "acknowledged";
/// Digits of the number: the file never changes its length.
const DIGITS: usize = 20;

#[derive(Debug)]
pub(crate) struct Acknowledged {
    file: File,
    path: PathBuf,
}

impl Acknowledged {
    /// Opens the file; answers with the number in it, 0 when it is new.
    pub(crate) fn open(folder: &Path) -> Result<(Self, u64), StoreError> {
        let path = folder.join(NAME);
        let io = |source| StoreError::io(&path, source);
        let file =
            File::options().create(true).truncate(false).read(true).write(true).open(&path).map_err(io)?;
        let mut text = [0; DIGITS];
        let number = match file.read_exact_at(&mut text, 0) {
            Ok(()) => std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Some(0),
            Err(error) => return Err(io(error)),
        };
        let Some(number) = number else {
            return Err(StoreError::Damaged { path, reason: "it holds no number".to_owned() });
        };
        Ok((Self { file, path }, number))
    }

    /// Keeps a number.
    pub(crate) fn write(&self, number: u64) -> Result<(), StoreError> {
        let text = format!("{number:0DIGITS$}\n");
        let written = self.file.write_all_at(text.as_bytes(), 0).and_then(|()| self.file.sync_data());
        written.map_err(|source| StoreError::io(&self.path, source))
    }
}
