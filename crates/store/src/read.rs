//! Reading WARC files of other tools: plain, gzip and zstd, one record after the other.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

use jiff::Timestamp;

use crate::dictionary;

/// Largest record that is kept in memory; larger ones are skipped.
const RECORD_BYTES_MAX: u64 = 64 << 20;
/// Bytes of a record's head.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Why a WARC file cannot be read further.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("not a WARC file: record {record} begins with {found:?} instead of WARC/1.0 or WARC/1.1")]
    NotWarc {
        /// Number of the record, from 1.
        record: u64,
        /// What stands there.
        found: String,
    },
    /// A field of the head is wrong.
    #[error("record {record} is damaged: {reason}")]
    Damaged {
        /// Number of the record, from 1.
        record: u64,
        /// What is wrong.
        reason: String,
    },
    /// The file ends inside a record.
    #[error("the file is cut in the middle of record {record}; the records before it are whole")]
    Cut {
        /// Number of the record, from 1.
        record: u64,
    },
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarcRecord {
    /// `response`, `revisit`, `request`, …
    pub kind: String,
    /// `WARC-Target-URI`.
    pub url: Option<String>,
    /// `WARC-Date`.
    pub date: Option<Timestamp>,
    /// All named fields.
    pub fields: Vec<(String, String)>,
    /// The block; empty when it is larger than 64 MiB.
    pub block: Vec<u8>,
}

impl WarcRecord {
    /// A field by name, without regard to case.
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// The records of a file.
pub struct WarcReader {
    input: Box<dyn BufRead + Send>,
    record: u64,
    ended: bool,
}

impl WarcReader {
    /// Opens a file; how it is packed is seen from its first bytes.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let mut file = File::open(path)?;
        let mut magic = [0; 4];
        let got = file.read(&mut magic)?;
        file.seek(SeekFrom::Start(0))?;
        let dictionary = dictionary::read(&file)?;
        let input: Box<dyn BufRead + Send> = match &magic[..got] {
            [0x1F, 0x8B, ..] => {
                Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(file))))
            }
            [0x28, 0xB5, 0x2F, 0xFD] | [0x50..=0x5F, 0x2A, 0x4D, 0x18] => {
                let file = BufReader::new(file);
                let dictionary = dictionary.unwrap_or_default();
                Box::new(BufReader::new(zstd::stream::read::Decoder::with_dictionary(file, &dictionary)?))
            }
            _ => Box::new(BufReader::new(file)),
        };
        Ok(Self::new(input))
    }

    /// Reads records that are not packed.
    pub fn new(input: Box<dyn BufRead + Send>) -> Self {
        Self { input, record: 0, ended: false }
    }

    /// A line without its end; `None` at the end of the file.
    fn line(&mut self) -> Result<Option<String>, ReadError> {
        let mut line = Vec::new();
        let mut limited = (&mut self.input).take(HEAD_BYTES_MAX as u64);
        if limited.read_until(b'\n', &mut line).map_err(|error| self.cut(error))? == 0 {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') {
            return Err(if line.len() >= HEAD_BYTES_MAX {
                self.damaged("a line of the head is too long")
            } else {
                ReadError::Cut { record: self.record }
            });
        }
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }

    /// A packed file that ends early is cut, too.
    fn cut(&self, error: io::Error) -> ReadError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => ReadError::Cut { record: self.record },
            _ => ReadError::Io(error),
        }
    }

    fn damaged(&self, reason: impl Into<String>) -> ReadError {
        ReadError::Damaged { record: self.record, reason: reason.into() }
    }

    fn read_record(&mut self) -> Result<Option<WarcRecord>, ReadError> {
        self.record += 1;
        let version = loop {
            match self.line()? {
                None => return Ok(None),
                Some(line) if line.is_empty() => {}
                Some(line) => break line,
            }
        };
        if !version.starts_with("WARC/") {
            let found = version.chars().take(40).collect();
            return Err(ReadError::NotWarc { record: self.record, found });
        }
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut head_bytes = 0;
        loop {
            let line = self.line()?.ok_or(ReadError::Cut { record: self.record })?;
            head_bytes += line.len();
            if head_bytes > HEAD_BYTES_MAX {
                return Err(self.damaged("its head is too long"));
            }
            if line.is_empty() {
                break;
            }
            match (line.split_once(':'), fields.last_mut()) {
                // A line that begins with white space continues the one before.
                (_, Some((_, last))) if line.starts_with([' ', '\t']) => {
                    last.push(' ');
                    last.push_str(line.trim());
                }
                (Some((name, value)), _) => fields.push((name.trim().to_owned(), value.trim().to_owned())),
                (None, _) => return Err(self.damaged(format!("{line:?} is not a field"))),
            }
        }
        let mut record = WarcRecord { kind: String::new(), url: None, date: None, fields, block: Vec::new() };
        let length = record.field("Content-Length").map(|text| text.parse::<u64>());
        let Some(Ok(length)) = length else { return Err(self.damaged("Content-Length is missing or wrong")) };
        record.kind = record.field("WARC-Type").unwrap_or_default().to_ascii_lowercase();
        // Some writers put angle brackets around the address, as WARC 1.0 had it in its grammar.
        let url = record.field("WARC-Target-URI").map(|url| url.trim_matches(['<', '>']).to_owned());
        record.url = url;
        record.date = record.field("WARC-Date").and_then(|date| date.parse().ok());
        let mut limited = (&mut self.input).take(length);
        let copied = if length > RECORD_BYTES_MAX {
            io::copy(&mut limited, &mut io::sink()).map_err(|error| self.cut(error))?
        } else {
            limited.read_to_end(&mut record.block).map_err(|error| self.cut(error))? as u64
        };
        if copied < length {
            return Err(ReadError::Cut { record: self.record });
        }
        Ok(Some(record))
    }
}

impl Iterator for WarcReader {
    type Item = Result<WarcRecord, ReadError>;
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let record = self.read_record();
        self.ended = !matches!(record, Ok(Some(_)));
        record.transpose()
    }
}

/// An HTTP message in a `response` record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpMessage {
    /// Status.
    pub status: u16,
    /// Headers, names lower-case.
    pub headers: Vec<(String, String)>,
    /// The body without its transfer coding.
    pub body: Vec<u8>,
}

impl HttpMessage {
    /// Parses a message; the reason when it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        const HEADERS_MAX: usize = 256;
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut response = httparse::Response::new(&mut headers);
        let head = match response.parse(bytes) {
            Ok(httparse::Status::Complete(head)) => head,
            Ok(httparse::Status::Partial) => return Err("the HTTP head has no end".to_owned()),
            Err(error) => return Err(format!("the HTTP head cannot be read: {error}")),
        };
        let headers: Vec<(String, String)> = response
            .headers
            .iter()
            .map(|header| {
                let value = String::from_utf8_lossy(header.value).trim().to_owned();
                (header.name.to_ascii_lowercase(), value)
            })
            .collect();
        let mut message = Self { status: response.code.unwrap_or(0), headers, body: bytes[head..].to_vec() };
        if message
            .header("transfer-encoding")
            .is_some_and(|coding| coding.to_ascii_lowercase().contains("chunked"))
            && let Some(body) = without_chunks(&message.body)
        {
            message.body = body;
        }
        Ok(message)
    }

    /// A header's value by lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The data of a chunked body (RFC 9112 section 7.1); `None` when it is not chunked after all, as
/// with writers that take the coding away and leave its header.
fn without_chunks(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let Ok(httparse::Status::Complete((head, size))) = httparse::parse_chunk_size(bytes) else {
            // The end of a cut message is missing; what came before it counts.
            return (!body.is_empty()).then_some(body);
        };
        if size == 0 {
            return Some(body);
        }
        let size = usize::try_from(size).ok()?;
        let data = bytes.get(head..)?;
        let whole = data.len().min(size);
        body.extend_from_slice(&data[..whole]);
        bytes = data.get(whole..)?.strip_prefix(b"\r\n").unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Vec<Result<WarcRecord, ReadError>> {
        WarcReader::new(Box::new(io::Cursor::new(text.as_bytes().to_vec()))).collect()
    }

    #[test]
    fn records_continued_lines_and_every_kind_of_damage() {
        let whole = "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: <http://a.cn/>\r\nX-Long: a\r\n b\r\nWARC-Date: 2026-01-02T03:04:05Z\r\nContent-Length: 5\r\n\r\nhello\r\n\r\n";
        let read = records(&whole.repeat(2));
        assert_eq!(read.len(), 2);
        let first = read[0].as_ref().expect("whole");
        assert_eq!((first.url.as_deref(), first.field("x-long")), (Some("http://a.cn/"), Some("a b")));
        assert_eq!(first.block, b"hello");
        let table = [
            (&whole[..whole.len() - 6], "cut in the middle of record 1"),
            (&whole[..40], "cut in the middle of record 1"),
            ("<html>\n", "not a WARC file"),
            ("WARC/1.0\r\nContent-Length: x\r\n\r\n", "Content-Length"),
            ("WARC/1.0\r\nnonsense\r\n\r\n", "is not a field"),
        ];
        for (text, wanted) in table {
            let error = records(text).pop().expect("a record").expect_err(wanted).to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn chunks_are_put_together_and_a_lying_header_does_no_harm() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (body, wanted) in [
            ("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"),
            ("3\r\nabc\r\n9\r\nde", "abcde"),
            ("<html>plain", "<html>plain"),
        ] {
            let message = HttpMessage::parse(format!("{head}{body}").as_bytes()).expect("a message");
            assert_eq!(String::from_utf8_lossy(&message.body), wanted);
        }
        assert!(HttpMessage::parse(b"nonsense").is_err());
    }
}
