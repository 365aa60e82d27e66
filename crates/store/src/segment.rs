//! Append-only files of zstd frames, one frame a record.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use zstd::dict::DecoderDictionary;
use zstd::zstd_safe::{self, DCtx};

use crate::StoreError;
use crate::dictionary::{self, Samples};

/// Bytes from which a segment is closed and the next begun.
const SEGMENT_BYTES: u64 = 256 << 20;
/// Bytes after which the first segment is closed, once a dictionary can be trained from it: a
/// smaller store gains less than the training costs.
const FIRST_SEGMENT_BYTES: u64 = 32 << 20;
/// zstd level of records alone: level 3 would pack pages 3 % smaller and take a third longer.
const LEVEL: i32 = 1;
/// zstd level with a dictionary, of which level 3 makes a fifth more.
const LEVEL_WITH_DICTIONARY: i32 = 3;
/// Largest record that is read back; larger ones are damage.
pub(crate) const RECORD_BYTES_MAX: usize = 64 << 20;

/// Where a frame lies, or (with length 0) where the next one will.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Location {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
}

pub(crate) fn path_of(folder: &Path, segment: u32, ending: &str) -> PathBuf {
    folder.join(format!("{segment:06}.{ending}"))
}

/// Numbers of a folder's segments, ascending.
pub(crate) fn numbers(folder: &Path) -> Result<Vec<u32>, StoreError> {
    let io = |source| StoreError::io(folder, source);
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let name = entry.map_err(io)?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.split('.').next()?.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// What a family of segments is for.
#[derive(Clone, Copy)]
pub(crate) struct Family {
    pub(crate) ending: &'static str,
    /// First record of each file.
    pub(crate) head: Option<fn() -> Vec<u8>>,
    /// Whether its records are alike, so that a dictionary is worth its space.
    pub(crate) alike: bool,
}

/// The writing end of a family of segments.
pub(crate) struct Segments {
    folder: PathBuf,
    family: Family,
    segment: u32,
    offset: u64,
    file: File,
    dirty: bool,
    compressor: zstd::bulk::Compressor<'static>,
    dictionary: Option<Vec<u8>>,
    /// Gathered as long as there is no dictionary.
    samples: Samples,
}

impl std::fmt::Debug for Segments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Segments({} {}+{})", self.folder.display(), self.segment, self.offset)
    }
}

impl Segments {
    /// Opens at the acknowledged tail; what an interrupted run wrote behind it is cut off.
    pub(crate) fn open(folder: &Path, family: Family, tail: Location) -> Result<Self, StoreError> {
        let ending = family.ending;
        let io = |source| StoreError::io(folder, source);
        fs::create_dir_all(folder).map_err(io)?;
        let segment = tail.segment.max(1);
        for number in numbers(folder)?.into_iter().filter(|number| *number > segment) {
            let path = path_of(folder, number, ending);
            fs::remove_file(&path).map_err(|source| StoreError::io(&path, source))?;
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
        let dictionary = dictionary::read(&file).map_err(io)?;
        let compressor = compressor(dictionary.as_deref()).map_err(io)?;
        let mut segments = Self {
            folder: folder.to_owned(),
            family,
            segment,
            offset: tail.offset,
            file,
            dirty: false,
            compressor,
            dictionary,
            samples: Samples::default(),
        };
        segments.file.seek(SeekFrom::Start(tail.offset)).map_err(io)?;
        Ok(segments)
    }

    pub(crate) fn append(&mut self, record: &[u8]) -> Result<Location, StoreError> {
        if self.family.alike && self.dictionary.is_none() {
            self.samples.add(record);
            if self.offset >= FIRST_SEGMENT_BYTES && self.samples.is_enough() {
                self.dictionary = std::mem::take(&mut self.samples).train();
                let made = compressor(self.dictionary.as_deref());
                self.compressor = made.map_err(|source| self.error(source))?;
                if self.dictionary.is_some() {
                    self.next_segment()?;
                }
            }
        }
        if self.offset >= SEGMENT_BYTES {
            self.next_segment()?;
        }
        if self.offset == 0 {
            if let Some(dictionary) = &self.dictionary {
                let frame = dictionary::frame(dictionary);
                self.write_raw(&frame)?;
            }
            if let Some(head) = self.family.head {
                self.write(&head())?;
            }
        }
        self.write(record)
    }

    /// Gathers nothing for a dictionary, which takes megabytes until it is trained.
    pub(crate) fn train_none(&mut self) {
        self.family.alike = false;
        self.samples = Samples::default();
    }

    /// Closes the segment and begins the next.
    pub(crate) fn next_segment(&mut self) -> Result<(), StoreError> {
        self.sync()?;
        self.file = open_file(&self.folder, self.segment + 1, self.family.ending)?;
        self.segment += 1;
        self.offset = 0;
        Ok(())
    }

    fn write(&mut self, record: &[u8]) -> Result<Location, StoreError> {
        let frame = self.compressor.compress(record);
        let frame = frame.map_err(|source| self.error(source))?;
        self.write_raw(&frame)
    }

    fn write_raw(&mut self, frame: &[u8]) -> Result<Location, StoreError> {
        let location = Location { segment: self.segment, offset: self.offset, bytes: frame.len() as u32 };
        if let Err(source) = self.file.write_all(frame) {
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
        StoreError::io(&path_of(&self.folder, self.segment, self.family.ending), source)
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
        if tail.segment != self.segment
            && let Ok(file) = open_file(&self.folder, tail.segment, self.family.ending)
        {
            for number in tail.segment + 1..=self.segment {
                let _ = fs::remove_file(path_of(&self.folder, number, self.family.ending));
            }
            self.file = file;
            self.segment = tail.segment;
        }
        if tail.segment == self.segment {
            let _ = self.file.set_len(tail.offset);
            let _ = self.file.seek(SeekFrom::Start(tail.offset));
            self.offset = tail.offset;
        }
    }
}

fn compressor(dictionary: Option<&[u8]>) -> std::io::Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = match dictionary {
        Some(dictionary) => zstd::bulk::Compressor::with_dictionary(LEVEL_WITH_DICTIONARY, dictionary)?,
        None => zstd::bulk::Compressor::new(LEVEL)?,
    };
    // Four bytes a record that let damage be found wherever it is.
    compressor.include_checksum(true)?;
    Ok(compressor)
}

fn open_file(folder: &Path, segment: u32, ending: &str) -> Result<File, StoreError> {
    let path = path_of(folder, segment, ending);
    let file = File::options().create(true).truncate(false).read(true).write(true).open(&path);
    file.map_err(|source| StoreError::io(&path, source))
}

/// The reading end; many threads may use it.
pub(crate) struct Reader {
    folder: PathBuf,
    ending: &'static str,
    files: Mutex<HashMap<u32, Arc<OpenSegment>>>,
}

struct OpenSegment {
    file: File,
    dictionary: Option<DecoderDictionary<'static>>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({})", self.folder.display())
    }
}

impl Reader {
    pub(crate) fn new(folder: &Path, ending: &'static str) -> Self {
        Self { folder: folder.to_owned(), ending, files: Mutex::default() }
    }

    pub(crate) fn read(&self, at: Location) -> Result<Vec<u8>, StoreError> {
        let path = path_of(&self.folder, at.segment, self.ending);
        let io = |source| StoreError::io(&path, source);
        let segment = self.segment(at.segment, &path).map_err(io)?;
        let mut frame = vec![0; at.bytes as usize];
        segment.file.read_exact_at(&mut frame, at.offset).map_err(io)?;
        decompress(&frame, segment.dictionary.as_ref()).map_err(io)
    }

    /// Closes a file that was removed.
    pub(crate) fn forget(&self, number: u32) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }

    /// Folder and ending of the files.
    pub(crate) fn path_of(&self, segment: u32) -> PathBuf {
        path_of(&self.folder, segment, self.ending)
    }

    fn segment(&self, number: u32, path: &Path) -> std::io::Result<Arc<OpenSegment>> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(segment) = files.get(&number) {
            return Ok(Arc::clone(segment));
        }
        let file = File::open(path)?;
        let dictionary = dictionary::read(&file)?.map(|bytes| DecoderDictionary::copy(&bytes));
        let segment = Arc::new(OpenSegment { file, dictionary });
        files.insert(number, Arc::clone(&segment));
        Ok(segment)
    }
}

/// The record in a frame.
pub(crate) fn decompress(
    frame: &[u8],
    dictionary: Option<&DecoderDictionary<'static>>,
) -> std::io::Result<Vec<u8>> {
    thread_local! {
        /// What a decompression needs: making it costs as much as reading a small page.
        static CONTEXT: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
    }
    let mut record = Vec::with_capacity(bound(frame));
    let read = CONTEXT.with_borrow_mut(|context| match dictionary {
        Some(dictionary) => context.decompress_using_ddict(&mut record, frame, dictionary.as_ddict()),
        None => context.decompress(&mut record, frame),
    });
    read.map_err(|code| std::io::Error::other(zstd_safe::get_error_name(code)))?;
    Ok(record)
}

/// The frame says how long its content is; one that says too much is not believed.
fn bound(frame: &[u8]) -> usize {
    let said = zstd_safe::get_frame_content_size(frame).ok().flatten().unwrap_or(0);
    usize::try_from(said).unwrap_or(RECORD_BYTES_MAX).min(RECORD_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(at: u32) -> Vec<u8> {
        let mut text = format!("<title>{at}</title>{}", "<li>工作动态</li>".repeat(900));
        let mut state = at;
        for _ in 0..3_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push(char::from(b'a' + (state >> 24) as u8 % 26));
        }
        text.into_bytes()
    }

    #[test]
    fn records_read_back_over_a_dictionary_a_reopening_and_a_rewind() {
        let folder = tempfile::tempdir().expect("folder");
        let family = Family { ending: "zst", head: Some(|| b"head".to_vec()), alike: true };
        let open = |tail| Segments::open(folder.path(), family, tail).expect("opened");
        let mut segments = open(Location::default());
        let mut places = Vec::new();
        let mut at = 0;
        // Until a dictionary was trained, and a while with it.
        while segments.segment < 2 || places.len() % 100 != 0 {
            places.push(segments.append(&record(at)).expect("kept"));
            at += 1;
            assert!(at < 20_000, "no dictionary was trained");
        }
        assert!(segments.dictionary.is_some());
        segments.sync().expect("synced");
        let tail = segments.tail();
        // What was not acknowledged is taken back, or cut off at the next opening.
        segments.append(b"given up").expect("kept");
        segments.rewind(tail);
        places.push(segments.append(&record(at)).expect("kept"));
        segments.sync().expect("synced");
        let tail = segments.tail();
        segments.append(b"never acknowledged").expect("kept");
        drop(segments);
        let mut segments = open(tail);
        assert_eq!(segments.tail(), tail);
        places.push(segments.append(&record(at + 1)).expect("kept"));
        segments.sync().expect("synced");
        let reader = Reader::new(folder.path(), "zst");
        for (at, place) in places.iter().enumerate() {
            assert_eq!(reader.read(*place).expect("read"), record(at as u32), "{at}");
        }
    }
}
