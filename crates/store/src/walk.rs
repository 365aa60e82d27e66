//! Reading a segment from its first byte to its last, whole or damaged.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use zstd::dict::DecoderDictionary;

use crate::StoreError;
use crate::dictionary;
use crate::segment::{RECORD_BYTES_MAX, decompress};

/// First bytes of a frame (RFC 8878 section 3.1.1).
const FRAME_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// Skippable frames begin with `50 2A 4D 18` to `5F 2A 4D 18` (section 3.1.2).
const SKIPPABLE: [u8; 3] = [0x2A, 0x4D, 0x18];
/// Bytes read at once.
const PIECE: usize = 256 << 10;

/// One frame of a segment.
pub(crate) struct Frame {
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
    /// The record in it, or why it cannot be read.
    pub(crate) record: Result<Vec<u8>, String>,
}

/// The frames of one file in order. Damage is reported once and skipped up to the next frame that
/// can be read.
pub(crate) struct Walk {
    path: PathBuf,
    file: File,
    dictionary: Option<DecoderDictionary<'static>>,
    length: u64,
    offset: u64,
    /// Bytes from `offset` on.
    buffer: Vec<u8>,
}

impl Walk {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let io = |source| StoreError::io(path, source);
        let file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        // A damaged dictionary makes its frames unreadable, each of which is then reported.
        let dictionary = dictionary::read(&file).ok().flatten();
        let dictionary = dictionary.map(|bytes| DecoderDictionary::copy(&bytes));
        Ok(Self { path: path.to_owned(), file, dictionary, length, offset: 0, buffer: Vec::new() })
    }

    /// Whether nothing is left.
    pub(crate) fn is_at_end(&self) -> bool {
        self.offset >= self.length
    }

    fn fill(&mut self, wanted: usize) -> Result<bool, StoreError> {
        let left = usize::try_from(self.length - self.offset).unwrap_or(usize::MAX);
        let wanted = wanted.min(left);
        let had = self.buffer.len();
        if had < wanted {
            self.buffer.resize(wanted, 0);
            let read = self.file.read_exact_at(&mut self.buffer[had..], self.offset + had as u64);
            read.map_err(|source| StoreError::io(&self.path, source))?;
        }
        Ok(had < wanted)
    }

    fn advance(&mut self, bytes: usize) {
        self.offset += bytes as u64;
        self.buffer.drain(..bytes);
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, StoreError> {
        loop {
            if self.offset >= self.length {
                return Ok(None);
            }
            self.fill(PIECE)?;
            let size = self.frame_bytes()?;
            let offset = self.offset;
            let Some(size) = size else { return self.damage("a frame is cut or broken").map(Some) };
            if self.buffer[1..].starts_with(&SKIPPABLE) {
                self.advance(size);
                continue;
            }
            let record = decompress(&self.buffer[..size], self.dictionary.as_ref());
            return match record {
                Ok(record) => {
                    self.advance(size);
                    Ok(Some(Frame { offset, bytes: size as u32, record: Ok(record) }))
                }
                Err(error) => self.damage(&error.to_string()).map(Some),
            };
        }
    }

    /// Bytes of the frame at the offset; `None` when there is none.
    fn frame_bytes(&mut self) -> Result<Option<usize>, StoreError> {
        loop {
            match zstd::zstd_safe::find_frame_compressed_size(&self.buffer) {
                Ok(size) => return Ok((size > 0).then_some(size)),
                Err(_) if !self.buffer.starts_with(&FRAME_MAGIC) && !self.is_skippable() => return Ok(None),
                Err(_) => {
                    let wanted = (self.buffer.len() * 2).min(RECORD_BYTES_MAX);
                    if !self.fill(wanted)? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn is_skippable(&self) -> bool {
        self.buffer.first().is_some_and(|byte| byte & 0xF0 == 0x50)
            && self.buffer[1..].starts_with(&SKIPPABLE)
    }

    /// Goes on at the next frame that can be read.
    fn damage(&mut self, reason: &str) -> Result<Frame, StoreError> {
        let offset = self.offset;
        self.advance(1);
        loop {
            self.fill(PIECE)?;
            match self.buffer.windows(4).position(|four| four == FRAME_MAGIC) {
                Some(at) => {
                    self.advance(at);
                    if let Some(size) = self.frame_bytes()?
                        && decompress(&self.buffer[..size], self.dictionary.as_ref()).is_ok()
                    {
                        break;
                    }
                    self.advance(1);
                }
                None => {
                    // The last three bytes may begin a frame.
                    let skipped = self.buffer.len().saturating_sub(3);
                    let at_end = self.offset + self.buffer.len() as u64 >= self.length;
                    self.advance(if at_end { self.buffer.len() } else { skipped });
                    if at_end {
                        break;
                    }
                }
            }
        }
        let bytes = u32::try_from(self.offset - offset).unwrap_or(u32::MAX);
        Ok(Frame { offset, bytes, record: Err(reason.to_owned()) })
    }
}

impl Iterator for Walk {
    type Item = Result<Frame, StoreError>;
    fn next(&mut self) -> Option<Self::Item> {
        match self.next_frame() {
            Ok(frame) => frame.map(Ok),
            Err(error) => {
                self.offset = self.length;
                Some(Err(error))
            }
        }
    }
}
