//! The archive as other tools read it: plain WARC 1.1 with SHA-1 digests, one gzip member a record.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write;

use data_encoding::BASE32;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::Serialize;
use sha1::{Digest as _, Sha1};
use xunjian_model::{BodyHash, PageUrl, Snapshot, View};

use crate::records::KeptSnapshot;
use crate::{Space, Store, StoreError, decode, time_of_key, warc};

/// Bodies remembered, so that a later snapshot of the same body becomes a `revisit`.
const REMEMBERED: usize = 1 << 16;

/// How records are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarcForm {
    /// `.warc.gz`: one gzip member a record (WARC 1.1, annex D).
    Gzip,
    /// `.warc`: not packed.
    Plain,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Records with a body.
    pub responses: u64,
    /// Records that refer to another one's body.
    pub revisits: u64,
    /// Records of what a browser made of a page.
    pub conversions: u64,
    /// Snapshots whose record cannot be read; `store verify` names them.
    pub unreadable: u64,
    /// Bytes before packing.
    pub bytes: u64,
}

impl Store {
    /// Writes every snapshot that `wanted` lets through, by address and time.
    pub fn export(
        &self,
        out: &mut dyn Write,
        form: WarcForm,
        wanted: &dyn Fn(&PageUrl, Timestamp) -> bool,
    ) -> Result<Exported, StoreError> {
        let mut export = Export { out, form, done: Exported::default(), written: HashMap::new() };
        export.write(&info())?;
        for row in self.snapshots()?.scan_prefix(Space::Snapshot.key(&[])) {
            let (key, value) = row.map_err(StoreError::index)?;
            let kept: KeptSnapshot = decode(&key, &value)?;
            let end = key.len().saturating_sub(8);
            let url = String::from_utf8_lossy(&key[1..end.saturating_sub(1).max(1)]).into_owned();
            let Ok(url) = PageUrl::parse(&url) else { continue };
            let at = time_of_key(&key[end..]);
            if !wanted(&url, at) {
                continue;
            }
            match self.archive.read(kept.place).ok().zip(self.body(&kept.body_hash).ok().flatten()) {
                Some((record, body)) => export.snapshot(&record, &body)?,
                None => export.done.unreadable += 1,
            }
        }
        Ok(export.done)
    }
}

struct Export<'o> {
    out: &'o mut dyn Write,
    form: WarcForm,
    done: Exported,
    written: HashMap<BodyHash, (String, String)>,
}

impl Export<'_> {
    fn snapshot(&mut self, record: &[u8], body: &[u8]) -> Result<(), StoreError> {
        let Some(described) = warc::described(record) else {
            self.done.unreadable += 1;
            return Ok(());
        };
        let snapshot = &described.snapshot;
        let url = snapshot.url.to_string();
        // Whole seconds: what every reader understands.
        let date = snapshot.fetched_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        if self.written.len() >= REMEMBERED {
            self.written.clear();
        }
        let first = self.written.get(&snapshot.body_hash).cloned();
        if snapshot.view == View::Rendered {
            return self.conversion(&url, &date, snapshot, body);
        }
        let mut http = format!("HTTP/1.1 {} {}\r\n", snapshot.status, reason(snapshot.status));
        for (name, value) in &described.http {
            let _ = write!(http, "{name}: {value}\r\n");
        }
        http.push_str("\r\n");
        let mut block = http.into_bytes();
        let mut fields = String::new();
        let kind = match &first {
            Some((first_url, first_date)) => {
                let _ = write!(
                    fields,
                    "WARC-Profile: {}\r\nWARC-Refers-To-Target-URI: {first_url}\r\nWARC-Refers-To-Date: {first_date}\r\n",
                    warc::profile(snapshot)
                );
                self.done.revisits += 1;
                "revisit"
            }
            // What was not modified is nothing without what it was.
            None if snapshot.status == 304 => return Ok(()),
            None => {
                block.extend_from_slice(body);
                self.written.insert(snapshot.body_hash, (url.clone(), date.clone()));
                self.done.responses += 1;
                "response"
            }
        };
        if snapshot.view == View::SearchEngine {
            let _ = write!(fields, "{}: search-engine\r\n", warc::SEEN_AS);
        }
        if snapshot.truncated {
            fields.push_str("WARC-Truncated: length\r\n");
        }
        let head = format!(
            "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: {}\r\nWARC-Date: {date}\r\nWARC-Target-URI: {url}\r\n{fields}WARC-Payload-Digest: {}\r\nWARC-Block-Digest: {}\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: {}\r\n\r\n",
            warc::record_id(&[kind, &url, &snapshot.fetched_at.to_string()]),
            digest(body),
            digest(&block),
            block.len()
        );
        let mut record = head.into_bytes();
        record.append(&mut block);
        record.extend_from_slice(b"\r\n\r\n");
        self.write(&record)
    }

    /// What a browser made of a page.
    fn conversion(
        &mut self,
        url: &str,
        date: &str,
        snapshot: &Snapshot,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let digest = digest(body);
        let head = format!(
            "WARC/1.1\r\nWARC-Type: conversion\r\nWARC-Record-ID: {}\r\nWARC-Date: {date}\r\nWARC-Target-URI: {url}\r\nWARC-Payload-Digest: {digest}\r\nWARC-Block-Digest: {digest}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
            warc::record_id(&["conversion", url, &snapshot.fetched_at.to_string()]),
            body.len()
        );
        self.done.conversions += 1;
        self.write(&[head.as_bytes(), body, b"\r\n\r\n"].concat())
    }

    fn write(&mut self, record: &[u8]) -> Result<(), StoreError> {
        self.done.bytes += record.len() as u64;
        let written = match self.form {
            WarcForm::Plain => self.out.write_all(record),
            WarcForm::Gzip => {
                let mut member = GzEncoder::new(&mut *self.out, Compression::default());
                member.write_all(record).and_then(|()| member.finish().map(|_| ()))
            }
        };
        written.map_err(|source| StoreError::io(std::path::Path::new("the exported file"), source))
    }
}

fn info() -> Vec<u8> {
    let fields = format!(
        "software: xunjian/{}\r\nformat: WARC File Format 1.1\r\nconformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n",
        env!("CARGO_PKG_VERSION")
    );
    format!(
        "WARC/1.1\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: {}\r\nWARC-Date: {}\r\nWARC-Block-Digest: {}\r\nContent-Type: application/warc-fields\r\nContent-Length: {}\r\n\r\n{fields}\r\n\r\n",
        warc::record_id(&["warcinfo", &fields]),
        Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        digest(fields.as_bytes()),
        fields.len()
    )
    .into_bytes()
}

/// SHA-1 in base 32, as archives label digests.
fn digest(bytes: &[u8]) -> String {
    format!("sha1:{}", BASE32.encode(&Sha1::digest(bytes)))
}

/// Some readers want a word after the status.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        203 => "Non-Authoritative Information",
        206 => "Partial Content",
        _ => "-",
    }
}
