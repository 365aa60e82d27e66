//! Append-only files of zstd frames, one frame a record.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Bytes from which a segment is closed and the next begun.
const SEGMENT_BYTES: u64 = 256 << 20;
/// zstd level: 3 is where Chinese HTML stops gaining much.
const LEVEL: i32 = 3;
/// Largest record that is read back; larger ones are damage.
const RECORD_BYTES_MAX: usize = 64 << 20;

/// Where a frame lies, or (with length 0) where the next one will.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Location {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
}

fn path_of(folder: &Path, segment: u32, ending: &str) -> PathBuf {
    folder.join(format!("{segment:06}.{ending}"))
}

/// The writing end of a family of segments.
pub(crate) struct Segments {
    folder: PathBuf,
    ending: &'static str,
    head: Option<fn() -> Vec<u8>>,
    segment: u32,
    offset: u64,
    file: File,
    dirty: bool,
    compressor: zstd::bulk::Compressor<'static>,
}

impl std::fmt::Debug for Segments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Segments({} {}+{})", self.folder.display(), self.segment, self.offset)
    }
}

impl Segments {
    /// Opens at the acknowledged tail; what an interrupted run wrote behind it is cut off.
    pub(crate) fn open(
        folder: &Path,
        ending: &'static str,
        tail: Location,
        head: Option<fn() -> Vec<u8>>,
    ) -> Result<Self, StoreError> {
        let io = |source| StoreError::io(folder, source);
        fs::create_dir_all(folder).map_err(io)?;
        let segment = tail.segment.max(1);
        for entry in fs::read_dir(folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            let number = path.file_name().and_then(|name| name.to_str()?.split('.').next()?.parse().ok());
            if number.is_some_and(|number: u32| number > segment) {
                fs::remove_file(&path).map_err(|source| StoreError::io(&path, source))?;
            }
        }
        let file = open_file(folder, segment, ending)?;
        let length = file.metadata().map_err(io)?.len();
        if length < tail.offset {
            return Err(StoreError::Damaged {
                path: path_of(folder, segment, ending),
                reason: format!("{length} bytes, {} were acknowledged", tail.offset),
            });
        }
        file.set_len(tail.offset).map_err(io)?;
        let compressor = zstd::bulk::Compressor::new(LEVEL).map_err(io)?;
        let mut segments = Self {
            folder: folder.to_owned(),
            ending,
            head,
            segment,
            offset: tail.offset,
            file,
            dirty: false,
            compressor,
        };
        segments.file.seek(SeekFrom::Start(tail.offset)).map_err(io)?;
        Ok(segments)
    }

    pub(crate) fn append(&mut self, record: &[u8]) -> Result<Location, StoreError> {
        if self.offset >= SEGMENT_BYTES {
            self.sync()?;
            self.segment += 1;
            self.file = open_file(&self.folder, self.segment, self.ending)?;
            self.offset = 0;
        }
        if self.offset == 0
            && let Some(head) = self.head
        {
            self.write(&head())?;
        }
        self.write(record)
    }

    fn write(&mut self, record: &[u8]) -> Result<Location, StoreError> {
        let frame = self.compressor.compress(record);
        let frame = frame.map_err(|source| self.error(source))?;
        let location = Location { segment: self.segment, offset: self.offset, bytes: frame.len() as u32 };
        if let Err(source) = self.file.write_all(&frame) {
            // A half-written frame must not stay in front of the next one.
            let _ = self.file.set_len(self.offset);
            let _ = self.file.seek(SeekFrom::Start(self.offset));
            return Err(self.error(source));
        }
        self.offset += frame.len() as u64;
        self.dirty = true;
        Ok(location)
    }

    fn error(&self, source: std::io::Error) -> StoreError {
        StoreError::io(&path_of(&self.folder, self.segment, self.ending), source)
    }

    pub(crate) fn sync(&mut self) -> Result<(), StoreError> {
        if std::mem::take(&mut self.dirty) {
            self.file.sync_data().map_err(|source| self.error(source))?;
        }
        Ok(())
    }

    pub(crate) fn tail(&self) -> Location {
        Location { segment: self.segment, offset: self.offset, bytes: 0 }
    }

    /// Goes back to an earlier tail after a batch that was given up.
    pub(crate) fn rewind(&mut self, tail: Location) {
        if tail.segment == self.segment {
            let _ = self.file.set_len(tail.offset);
            let _ = self.file.seek(SeekFrom::Start(tail.offset));
            self.offset = tail.offset;
        }
    }
}

fn open_file(folder: &Path, segment: u32, ending: &str) -> Result<File, StoreError> {
    let path = path_of(folder, segment, ending);
    let file = File::options().create(true).truncate(false).read(true).write(true).open(&path);
    file.map_err(|source| StoreError::io(&path, source))
}

/// The reading end; many threads may use it.
#[derive(Debug)]
pub(crate) struct Reader {
    folder: PathBuf,
    ending: &'static str,
    files: Mutex<HashMap<u32, Arc<File>>>,
}

impl Reader {
    pub(crate) fn new(folder: &Path, ending: &'static str) -> Self {
        Self { folder: folder.to_owned(), ending, files: Mutex::default() }
    }

    pub(crate) fn read(&self, at: Location) -> Result<Vec<u8>, StoreError> {
        let path = path_of(&self.folder, at.segment, self.ending);
        let io = |source| StoreError::io(&path, source);
        let file = {
            let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            match files.get(&at.segment) {
                Some(file) => Arc::clone(file),
                None => {
                    let file = Arc::new(File::open(&path).map_err(io)?);
                    files.insert(at.segment, Arc::clone(&file));
                    file
                }
            }
        };
        let mut frame = vec![0; at.bytes as usize];
        file.read_exact_at(&mut frame, at.offset).map_err(io)?;
        zstd::bulk::decompress(&frame, bound(&frame)).map_err(io)
    }
}

/// The frame says how long its content is; one that says too much is not believed.
fn bound(frame: &[u8]) -> usize {
    let said = zstd::zstd_safe::get_frame_content_size(frame).ok().flatten().unwrap_or(0);
    usize::try_from(said).unwrap_or(RECORD_BYTES_MAX).min(RECORD_BYTES_MAX)
}
