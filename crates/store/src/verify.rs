//! Reading everything again: every frame, every hash, every place the index points to.

use std::collections::HashMap;

use serde::Serialize;
use xunjian_model::BodyHash;

use crate::records::KeptSnapshot;
use crate::segment::{self, Family, Location, path_of};
use crate::walk::Walk;
use crate::{ARCHIVE, JOURNAL, Space, Store, StoreError, decode, warc};

/// Faults that are listed; more are only counted.
const LISTED_MAX: usize = 1_000;

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// File of the data folder.
    pub file: String,
    /// Byte in it.
    pub offset: u64,
    /// The page it is of, where that is known.
    pub url: Option<String>,
    /// What is wrong.
    pub reason: String,
}

/// What a check read, and what was wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Archive records read and hashed.
    pub records: u64,
    /// Journal entries read.
    pub entries: u64,
    /// Snapshots whose place was looked up.
    pub snapshots: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Number of faults.
    pub faulty: u64,
    /// The first of them.
    pub faults: Vec<Fault>,
}

impl Verified {
    fn fault(&mut self, file: String, offset: u64, url: Option<String>, reason: impl Into<String>) {
        self.faulty += 1;
        if self.faults.len() < LISTED_MAX {
            self.faults.push(Fault { file, offset, url, reason: reason.into() });
        }
    }
}

/// Where records begin, by segment, ascending: eight bytes a record.
type Starts = HashMap<u32, Vec<u64>>;

impl Store {
    /// Reads and hashes everything; `each` is told of the bytes read so far and of all bytes.
    pub fn verify(&self, mut each: impl FnMut(u64, u64)) -> Result<Verified, StoreError> {
        let mut verified = Verified::default();
        let stats = self.stats()?;
        let total = stats.archive_bytes + stats.journal_bytes;
        let archive = self.read_family("warc", ARCHIVE, &mut verified, total, &mut each)?;
        self.read_family("journal", JOURNAL, &mut verified, total, &mut each)?;
        self.check_places(&archive, &mut verified)?;
        Ok(verified)
    }

    fn read_family(
        &self,
        name: &str,
        family: Family,
        verified: &mut Verified,
        total: u64,
        each: &mut impl FnMut(u64, u64),
    ) -> Result<Starts, StoreError> {
        let folder = self.folder.join(name);
        let mut starts = Starts::new();
        for number in segment::numbers(&folder)? {
            let path = path_of(&folder, number, family.ending);
            let file = format!("{name}/{number:06}.{}", family.ending);
            let own = starts.entry(number).or_default();
            for frame in Walk::open(&path)? {
                let frame = frame?;
                verified.bytes += u64::from(frame.bytes);
                each(verified.bytes, total);
                let record = match frame.record {
                    Ok(record) => record,
                    Err(reason) => {
                        let url = self.url_at(name, number, frame.offset, frame.bytes)?;
                        verified.fault(file.clone(), frame.offset, url, reason);
                        continue;
                    }
                };
                own.push(frame.offset);
                match name {
                    "warc" => {
                        verified.records += 1;
                        if let Some(described) = warc::described(&record)
                            && described.has_body
                            && BodyHash::of(&warc::payload(&record)) != described.snapshot.body_hash
                        {
                            let url = Some(described.snapshot.url.to_string());
                            verified.fault(file.clone(), frame.offset, url, "the body has another hash");
                        }
                    }
                    _ => verified.entries += 1,
                }
            }
        }
        Ok(starts)
    }

    /// The page whose record lies in a damaged part of the archive.
    fn url_at(&self, name: &str, number: u32, offset: u64, bytes: u32) -> Result<Option<String>, StoreError> {
        if name != "warc" {
            return Ok(None);
        }
        for row in self.snapshots()?.scan_prefix(Space::Snapshot.key(&[])) {
            let (key, value) = row.map_err(StoreError::index)?;
            let kept: KeptSnapshot = decode(&key, &value)?;
            let inside = (offset..offset + u64::from(bytes).max(1)).contains(&kept.place.offset);
            if kept.place.segment == number && inside {
                return Ok(Some(url_of(&key)));
            }
        }
        Ok(None)
    }

    fn check_places(&self, archive: &Starts, verified: &mut Verified) -> Result<(), StoreError> {
        let begins = |starts: &Starts, segment: u32, offset: u64| {
            starts.get(&segment).is_some_and(|own| own.binary_search(&offset).is_ok())
        };
        let file = |place: Location| format!("warc/{:06}.{}", place.segment, ARCHIVE.ending);
        for row in self.snapshots()?.scan_prefix(Space::Snapshot.key(&[])) {
            let (key, value) = row.map_err(StoreError::index)?;
            let kept: KeptSnapshot = decode(&key, &value)?;
            verified.snapshots += 1;
            let url = || Some(url_of(&key));
            if !begins(archive, kept.place.segment, kept.place.offset) {
                verified.fault(
                    file(kept.place),
                    kept.place.offset,
                    url(),
                    "the snapshot's record is not there",
                );
            }
            match self.get::<Location>(Space::Body, &[kept.body_hash.as_bytes()])? {
                Some(place) if begins(archive, place.segment, place.offset) => {}
                Some(place) => {
                    verified.fault(file(place), place.offset, url(), "the snapshot's body is not there");
                }
                None => verified.fault("snapshots".to_owned(), 0, url(), "the snapshot's body is not known"),
            }
        }
        Ok(())
    }
}

/// The address in a snapshot's key, before its time.
fn url_of(key: &[u8]) -> String {
    let end = key.len().saturating_sub(9).max(1);
    String::from_utf8_lossy(&key[1..end]).into_owned()
}
