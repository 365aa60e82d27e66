//! Giving space back: old versions by retention, and segments that hold little that is alive.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Serialize;
use xunjian_model::{BodyHash, PageUrl, UrlRecord};

use crate::records::KeptSnapshot;
use crate::segment::{self, Location};
use crate::walk::Walk;
use crate::{ARCHIVE, FACTS, Space, Store, StoreError, decode, folder, index, time_key, time_of_key, warc};

/// Bytes moved in one batch.
const BATCH_BYTES: usize = 16 << 20;
/// Index writes in one batch.
const BATCH_WRITES: usize = 2_048;

/// What is kept of a page's history.
pub struct Retention<'r> {
    /// Newest versions of each page; 0: all.
    pub versions_max: usize,
    /// Versions that are kept for ever, because a finding is proved by them.
    pub is_evidence: &'r dyn Fn(&PageUrl, Timestamp, &BodyHash) -> bool,
}

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// Snapshots that retention let go.
    pub snapshots: u64,
    /// Bodies that no snapshot has any more.
    pub bodies: u64,
    /// Segments that were rewritten and removed.
    pub segments: u64,
    /// Bytes of the data folder before and after.
    pub bytes_before: u64,
    /// Bytes afterwards.
    pub bytes_after: u64,
}

impl Store {
    /// Applies the retention, rewrites segments below half alive, and makes journal and index
    /// anew. Nothing else may use the store.
    pub fn compact(self, retention: &Retention<'_>) -> Result<Compacted, StoreError> {
        let mut done = Compacted { bytes_before: self.bytes()?, ..Compacted::default() };
        self.retain(retention, &mut done)?;
        self.compact_archive(&mut done)?;
        self.compact_facts(&mut done)?;
        self.checkpoint()?;
        // sled's own files never shrink: a copy does.
        let new = self.folder.join("index.new");
        index::remove(&new)?;
        let fresh = index::open(&new)?;
        index::copy(&self.index, &fresh)?;
        drop(fresh);
        let Self { folder, index, lock, .. } = self;
        drop(index);
        index::replace(&folder, &new)?;
        done.bytes_after = ["warc", "facts", "journal", "index"]
            .iter()
            .map(|name| folder::tree_size(&folder.join(name)))
            .sum::<Result<u64, StoreError>>()?;
        drop(lock);
        Ok(done)
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        let names = ["warc", "facts", "journal", "index"];
        names.iter().map(|name| folder::tree_size(&self.folder.join(name))).sum()
    }

    fn retain(&self, retention: &Retention<'_>, done: &mut Compacted) -> Result<(), StoreError> {
        if retention.versions_max == 0 {
            return Ok(());
        }
        let mut orphans: HashSet<BodyHash> = HashSet::new();
        let mut versions: Vec<(Vec<u8>, Timestamp, BodyHash)> = Vec::new();
        let mut batch = self.begin();
        let mut drop_old = |versions: &mut Vec<(Vec<u8>, Timestamp, BodyHash)>,
                            batch: &mut crate::Batch<'_>| {
            let old = versions.len().saturating_sub(retention.versions_max);
            for (url, at, hash) in versions.drain(..).take(old) {
                let page = PageUrl::parse(&String::from_utf8_lossy(&url));
                if page.is_ok_and(|page| (retention.is_evidence)(&page, at, &hash)) {
                    continue;
                }
                batch.delete(Space::Snapshot, &[&url, &time_key(at)]);
                orphans.insert(hash);
                done.snapshots += 1;
            }
        };
        for row in self.index.scan_prefix(Space::Snapshot.key(&[])) {
            let (key, value) = row.map_err(StoreError::index)?;
            let kept: KeptSnapshot = decode(&key, &value)?;
            let end = key.len().saturating_sub(8);
            let url = key[1..end.saturating_sub(1).max(1)].to_vec();
            if versions.first().is_some_and(|(first, ..)| *first != url) {
                drop_old(&mut versions, &mut batch);
            }
            versions.push((url, time_of_key(&key[end..]), kept.body_hash));
        }
        drop_old(&mut versions, &mut batch);
        batch.commit()?;
        for row in self.index.scan_prefix(Space::Snapshot.key(&[])) {
            let (key, value) = row.map_err(StoreError::index)?;
            orphans.remove(&decode::<KeptSnapshot>(&key, &value)?.body_hash);
        }
        let mut batch = self.begin();
        for hash in &orphans {
            batch.delete(Space::Body, &[hash.as_bytes()]);
        }
        done.bodies = orphans.len() as u64;
        batch.commit()
    }

    fn compact_archive(&self, done: &mut Compacted) -> Result<(), StoreError> {
        let mut alive: HashMap<u32, u64> = HashMap::new();
        for row in self.index.scan_prefix(Space::Snapshot.key(&[])) {
            let (key, value) = row.map_err(StoreError::index)?;
            let kept: KeptSnapshot = decode(&key, &value)?;
            *alive.entry(kept.place.segment).or_default() += u64::from(kept.place.bytes);
        }
        for segment in self.sparse("warc", &alive, |tails| tails.archive.segment)? {
            self.move_records(segment)?;
            done.segments += 1;
        }
        Ok(())
    }

    /// Closed segments of which less than half is alive.
    fn sparse(
        &self,
        name: &str,
        alive: &HashMap<u32, u64>,
        current: impl Fn(crate::Tails) -> u32,
    ) -> Result<Vec<u32>, StoreError> {
        let family = if name == "warc" { ARCHIVE } else { FACTS };
        let folder = self.folder.join(name);
        let current = current(self.lock().tails());
        let mut sparse = Vec::new();
        for number in segment::numbers(&folder)?.into_iter().filter(|number| *number != current) {
            let path = segment::path_of(&folder, number, family.ending);
            let length = std::fs::metadata(&path).map_err(|source| StoreError::io(&path, source))?.len();
            if alive.get(&number).copied().unwrap_or(0) * 2 < length {
                sparse.push(number);
            }
        }
        Ok(sparse)
    }

    /// Moves what is alive of a segment to the archive's end and removes the segment.
    fn move_records(&self, segment: u32) -> Result<(), StoreError> {
        let path = self.archive.path_of(segment);
        let mut batch = self.begin();
        for frame in Walk::open(&path)? {
            let frame = frame?;
            // What cannot be read stays lost; `store verify` named it.
            let Ok(record) = frame.record else { continue };
            let Some(described) = warc::described(&record) else { continue };
            let snapshot = &described.snapshot;
            let here = Location { segment, offset: frame.offset, bytes: frame.bytes };
            let url = snapshot.url.as_str().as_bytes();
            let time = time_key(snapshot.fetched_at);
            let kept: Option<KeptSnapshot> = self.get(Space::Snapshot, &[url, &time])?;
            let kept = kept.filter(|kept| kept.place == here);
            let hash = snapshot.body_hash;
            let body = self.get::<Location>(Space::Body, &[hash.as_bytes()])? == Some(here);
            if kept.is_none() && !body {
                continue;
            }
            let place = batch.append_record(&record)?;
            if let Some(kept) = kept {
                batch.put(Space::Snapshot, &[url, &time], &kept.moved(place))?;
            }
            if body {
                batch.put(Space::Body, &[hash.as_bytes()], &place)?;
            }
            if batch.body_bytes() >= BATCH_BYTES || batch.writes() >= BATCH_WRITES {
                batch.commit()?;
                batch = self.begin();
            }
        }
        batch.commit()?;
        self.archive.forget(segment);
        index::remove(&path)
    }

    fn compact_facts(&self, done: &mut Compacted) -> Result<(), StoreError> {
        let mut alive: HashMap<u32, u64> = HashMap::new();
        for row in self.index.scan_prefix(Space::Url.key(&[])) {
            let (key, value) = row.map_err(StoreError::index)?;
            if let Some(place) = decode::<UrlRecord>(&key, &value)?.facts {
                *alive.entry(place.segment).or_default() += u64::from(place.bytes);
            }
        }
        let sparse = self.sparse("facts", &alive, |tails| tails.facts.segment)?;
        if sparse.is_empty() {
            return Ok(());
        }
        let mut batch = self.begin();
        for row in self.index.scan_prefix(Space::Url.key(&[])) {
            let (key, value) = row.map_err(StoreError::index)?;
            let mut record: UrlRecord = decode(&key, &value)?;
            let Some(kept) = record.facts.filter(|kept| sparse.contains(&kept.segment)) else { continue };
            let place = Location { segment: kept.segment, offset: kept.offset, bytes: kept.bytes };
            // Facts are a cache: those that cannot be read are made anew by the next scan.
            record.facts = match self.facts.read(place) {
                Ok(facts) => Some(batch.put_kept_facts(kept.extractor, &facts)?),
                Err(_) => None,
            };
            batch.put(Space::Url, &[&key[1..]], &record)?;
            if batch.writes() >= BATCH_WRITES {
                batch.commit()?;
                batch = self.begin();
            }
        }
        batch.commit()?;
        for segment in sparse {
            self.facts.forget(segment);
            index::remove(&self.facts.path_of(segment))?;
            done.segments += 1;
        }
        Ok(())
    }
}
