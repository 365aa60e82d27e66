//! Dictionaries of segments: what most records share is written once a file.
//!
//! The first segment has none. When it holds enough, a dictionary is trained from its records and
//! stands at the head of every later segment, in a skippable frame, as the draft for WARC files
//! with zstd has it (IIPC "zstd compression of WARC files"); readers need nothing else.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Bytes of a dictionary.
const DICTIONARY_BYTES: usize = 112 << 10;
/// Bytes of a dictionary that is read; earlier versions wrote larger ones.
const READ_BYTES_MAX: usize = 1 << 20;
/// Bytes of records a dictionary is trained from.
const SAMPLES_BYTES: usize = 4 << 20;
/// Longest part of a record that is a sample: its beginning, where the template stands.
const SAMPLE_BYTES_MAX: usize = 64 << 10;
/// Magic of the skippable frame with the dictionary.
const MAGIC: u32 = 0x184D_2A5D;
/// Magic and length.
const FRAME_HEAD_BYTES: usize = 8;

/// Records to train a dictionary from.
#[derive(Default)]
pub(crate) struct Samples {
    bytes: Vec<u8>,
    sizes: Vec<usize>,
}

impl Samples {
    pub(crate) fn add(&mut self, record: &[u8]) {
        let part = &record[..record.len().min(SAMPLE_BYTES_MAX)];
        if self.bytes.len() + part.len() <= SAMPLES_BYTES {
            self.bytes.extend_from_slice(part);
            self.sizes.push(part.len());
        }
    }

    pub(crate) fn is_enough(&self) -> bool {
        self.bytes.len() * 10 >= SAMPLES_BYTES * 9
    }

    /// A dictionary, if the records have anything in common.
    pub(crate) fn train(self) -> Option<Vec<u8>> {
        zstd::dict::from_continuous(&self.bytes, &self.sizes, DICTIONARY_BYTES).ok()
    }
}

/// The frame that stands at a segment's head.
pub(crate) fn frame(dictionary: &[u8]) -> Vec<u8> {
    let length = u32::try_from(dictionary.len()).unwrap_or_default();
    [&MAGIC.to_le_bytes()[..], &length.to_le_bytes(), dictionary].concat()
}

/// The dictionary at a segment's head, if there is one.
pub(crate) fn read(file: &File) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0; FRAME_HEAD_BYTES];
    match file.read_exact_at(&mut head, 0) {
        Ok(()) if head[..4] == MAGIC.to_le_bytes() => {}
        Ok(()) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
    if length > READ_BYTES_MAX {
        let reason = format!("a dictionary of {length} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    let mut dictionary = vec![0; length];
    file.read_exact_at(&mut dictionary, FRAME_HEAD_BYTES as u64)?;
    Ok(Some(dictionary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trained_dictionary_reads_back_and_saves_space() {
        let record = |at: usize| {
            let filler: String =
                (0..400).map(|n| char::from(b'a' + ((at * 31 + n * n * 7) % 26) as u8)).collect();
            format!(
                "<html><head><title>页面{at}</title></head>{}<p>{filler}</p>",
                "<li>工作动态 通知公告 政策文件</li>".repeat(600)
            )
        };
        let mut samples = Samples::default();
        for at in 0..1_000 {
            samples.add(record(at).as_bytes());
        }
        assert!(samples.is_enough());
        let dictionary = samples.train().expect("trained");
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("1");
        std::fs::write(&path, frame(&dictionary)).expect("written");
        let file = File::open(&path).expect("opened");
        assert_eq!(read(&file).expect("read").as_deref(), Some(&dictionary[..]));
        std::fs::write(&path, b"\x28\xB5\x2F\xFD a frame").expect("written");
        assert_eq!(read(&File::open(&path).expect("opened")).expect("read"), None);

        let one = record(5_000);
        let plain = zstd::bulk::compress(one.as_bytes(), 3).expect("compressed");
        let mut with = zstd::bulk::Compressor::with_dictionary(3, &dictionary).expect("compressor");
        assert!(with.compress(one.as_bytes()).expect("compressed").len() < plain.len());
    }
}
