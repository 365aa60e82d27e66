//! Giving space back: old versions by retention, and segments that hold little that is alive.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use xunjian_model::{BodyHash, PageUrl};

use crate::records::KeptSnapshot;
use crate::segment::{self, Location};
use crate::walk::Walk;
use crate::{ARCHIVE, Space, Store, StoreError, decode, folder, index, time_key, time_of_key, warc};

/// Bytes moved in one batch.
const BATCH_BYTES: usize = 16 << 20;
/// Index writes in one batch.
const BATCH_WRITES: usize = 2_048;
/// When the store was compacted last, in seconds since 1970.
const COMPACTED: &[&[u8]] = &[b"compacted"];
/// Nights do not end at the same hour.
const EARLIER_S: i64 = 12 * 3_600;

/// What is kept of a page's history.
pub struct Retention<'r> {
    /// Newest versions of each page; 0: all.
    pub versions_max: usize,
    /// Moments that are looked back at: what a page was at each of them is kept, too.
    pub moments: &'r [Timestamp],
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

/// Address, time and body of a snapshot.
type Version = (Vec<u8>, Timestamp, BodyHash);

/// The versions of one page, oldest first: each view for itself.
#[derive(Default)]
struct Versions([Vec<Version>; 3]);

impl Versions {
    fn is_of_another(&self, url: &[u8]) -> bool {
        self.0.iter().flatten().next().is_some_and(|(first, ..)| first != url)
    }

    fn add(&mut self, url: Vec<u8>, at: Timestamp, kept: &KeptSnapshot) {
        self.0[kept.view as usize].push((url, at, kept.body_hash));
    }

    /// Forgets all and answers with those beyond the newest, and of none of the moments; at least one version is
    /// kept.
    fn take_old(&mut self, retention: &Retention<'_>) -> Vec<Version> {
        let old = |versions: &mut Vec<Version>| {
            // Visits that found the same body are of one version.
            let mut changes = versions.windows(2).rev().enumerate().filter(|(_, two)| two[0].2 != two[1].2);
            let kept = changes.nth(retention.versions_max.saturating_sub(1));
            let count = versions.len() - kept.map_or(versions.len(), |(at, _)| at + 1);
            let followed: Vec<Timestamp> = versions.iter().skip(1).map(|(_, at, _)| *at).collect();
            let was = |at: Timestamp, until: Timestamp| {
                retention.moments.iter().any(|moment| (at..until).contains(moment))
            };
            let old = versions.drain(..).zip(followed).take(count);
            old.filter(|((_, at, _), until)| !was(*at, *until))
                .map(|(version, _)| version)
                .collect::<Vec<_>>()
        };
        self.0.iter_mut().flat_map(old).collect()
    }
}

/// Bytes of an index that is always left as it is.
const TIDY_BYTES_MIN: u64 = 128 << 20;
/// Bytes of a journal that is.
const JOURNAL_BYTES_MIN: u64 = 64 << 20;

impl Store {
    /// Writes the indices anew when they have grown by half of what it was after the last
    /// time, and begins the journal anew when it takes more space than they. Answers whether an index was. A kill in
    /// between costs nothing: the journal has everything, too.
    pub fn tidy(&mut self) -> Result<bool, StoreError> {
        let outgrown = index::is_outgrown(&self.index, TIDY_BYTES_MIN)?;
        if outgrown {
            self.rewrite_index()?;
        }
        let outgrown = self.snapshots.tidy(TIDY_BYTES_MIN)? || outgrown;
        self.tidy_journal(JOURNAL_BYTES_MIN)?;
        Ok(outgrown)
    }

    /// Every night writes of every page when it was seen. Packed as the journal is, it holds some ten such nights when
    /// it is as large as the indices.
    fn tidy_journal(&self, bytes_min: u64) -> Result<(), StoreError> {
        let bytes = |name: &str| folder::tree_size(&self.folder.join(name));
        let journal = bytes("journal")?;
        if journal < bytes_min.max(bytes("index")? + bytes("snapshots")?) {
            return Ok(());
        }
        match self.checkpoint() {
            Ok(()) => {
                tracing::info!(before = journal, after = bytes("journal")?, "the journal was begun anew")
            }
            // A full disk, for example: the journal is as good as it was.
            Err(error) => tracing::warn!(%error, "the journal was not begun anew"),
        }
        Ok(())
    }

    fn rewrite_index(&mut self) -> Result<(), StoreError> {
        let index = std::mem::replace(&mut self.index, index::nowhere()?);
        self.index = index::rewrite(index, &self.folder.join("index"), Space::is_in_main)?;
        Ok(())
    }

    /// Applies the retention, rewrites segments below half alive, and makes journal and index
    /// anew.
    pub fn compact(&mut self, retention: &Retention<'_>) -> Result<Compacted, StoreError> {
        let mut done = Compacted { bytes_before: bytes(&self.folder)?, ..Compacted::default() };
        self.retain(retention, &mut done)?;
        self.compact_archive(&mut done)?;
        self.checkpoint()?;
        self.rewrite_index()?;
        self.snapshots.rewrite()?;
        self.digests.compact()?;
        self.note_compacted()?;
        done.bytes_after = bytes(&self.folder)?;
        Ok(done)
    }

    /// Whether so many days have passed since the last compaction, or since this was asked first.
    pub fn is_to_be_compacted(&self, days: u32, now: Timestamp) -> Result<bool, StoreError> {
        let Some(last) = self.get::<i64>(Space::Meta, COMPACTED)? else {
            return self.note_compacted().map(|()| false);
        };
        let passed = now.as_second().saturating_sub(last);
        Ok(passed >= i64::from(days) * 86_400 - EARLIER_S)
    }

    fn note_compacted(&self) -> Result<(), StoreError> {
        let mut batch = self.begin();
        batch.put(Space::Meta, COMPACTED, &Timestamp::now().as_second())?;
        batch.commit()
    }

    fn retain(&self, retention: &Retention<'_>, done: &mut Compacted) -> Result<(), StoreError> {
        if retention.versions_max == 0 {
            return Ok(());
        }
        let mut orphans: HashSet<BodyHash> = HashSet::new();
        let mut versions = Versions::default();
        let mut batch = self.begin();
        let mut drop_old = |versions: &mut Versions, batch: &mut crate::Batch<'_>| {
            for (url, at, hash) in versions.take_old(retention) {
                let page = PageUrl::parse(&String::from_utf8_lossy(&url));
                if page.is_ok_and(|page| (retention.is_evidence)(&page, at, &hash)) {
                    continue;
                }
                batch.delete(Space::Snapshot, &[&url, &time_key(at)]);
                orphans.insert(hash);
                done.snapshots += 1;
            }
        };
        for row in self.snapshots()?.scan_prefix(Space::Snapshot.key(&[])) {
            let (key, value) = row.map_err(StoreError::index)?;
            let kept: KeptSnapshot = decode(&key, &value)?;
            let end = key.len().saturating_sub(8);
            let url = key[1..end.saturating_sub(1).max(1)].to_vec();
            if versions.is_of_another(&url) {
                drop_old(&mut versions, &mut batch);
            }
            versions.add(url, time_of_key(&key[end..]), &kept);
        }
        drop_old(&mut versions, &mut batch);
        batch.commit()?;
        for row in self.snapshots()?.scan_prefix(Space::Snapshot.key(&[])) {
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
        for row in self.snapshots()?.scan_prefix(Space::Snapshot.key(&[])) {
            let (key, value) = row.map_err(StoreError::index)?;
            let kept: KeptSnapshot = decode(&key, &value)?;
            *alive.entry(kept.place.segment).or_default() += u64::from(kept.place.bytes);
        }
        for segment in self.sparse(&alive)? {
            self.move_records(segment)?;
            done.segments += 1;
        }
        Ok(())
    }

    /// Closed segments of which less than half is alive.
    fn sparse(&self, alive: &HashMap<u32, u64>) -> Result<Vec<u32>, StoreError> {
        let folder = self.folder.join("warc");
        let current = self.lock().tails().archive.segment;
        let mut sparse = Vec::new();
        for number in segment::numbers(&folder)?.into_iter().filter(|number| *number != current) {
            let path = segment::path_of(&folder, number, ARCHIVE.ending);
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
}

fn bytes(data: &Path) -> Result<u64, StoreError> {
    let folders = ["warc", "journal", "index", "snapshots", "digests"].map(|name| data.join(name));
    folders.iter().map(|folder| folder::tree_size(folder)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_was_at_a_moment_is_kept_with_the_newest_versions() {
        let at = |day: i64| Timestamp::from_second(day * 86_400).expect("a moment");
        let retention = |versions_max, moments: &[Timestamp]| {
            let mut versions = Versions::default();
            // Two visits of each version.
            for day in 0..10 {
                let hash = BodyHash::of(&[(day / 2) as u8]);
                versions.0[0].push((b"http://a/".to_vec(), at(day), hash));
            }
            let retention = Retention { versions_max, moments, is_evidence: &|_, _, _| false };
            let old = versions.take_old(&retention).into_iter();
            old.map(|(_, at, _)| at.as_second() / 86_400).collect::<Vec<_>>()
        };
        assert_eq!(retention(2, &[]), [0, 1, 2, 3, 4, 5]);
        let moment = Timestamp::from_second(3 * 86_400 + 5).expect("a moment");
        assert_eq!(retention(2, &[moment, at(0), at(9), at(400)]), [1, 2, 4, 5]);
        assert!(retention(5, &[]).is_empty() && retention(99, &[moment]).is_empty());
    }

    fn put(store: &Store, keys: std::ops::Range<u32>) {
        let mut batch = store.begin();
        for key in keys {
            batch.put(Space::Host, &[&key.to_be_bytes()], &key).expect("put");
        }
        batch.commit().expect("committed");
    }

    #[test]
    fn an_index_written_anew_holds_the_same_and_goes_on() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("data");
        let mut store = Store::open(&path).expect("opened");
        put(&store, 0..10_000);
        assert!(!store.tidy().expect("tidy"), "a small index is left as it is");
        store.rewrite_index().expect("rewritten");
        put(&store, 10_000..10_100);
        let count = |store: &Store| store.keys(Space::Host, &[]).count();
        assert_eq!(count(&store), 10_100);
        drop(store);
        let store = Store::open(&path).expect("opened again");
        assert!(store.rebuilt().is_none() && count(&store) == 10_100);
        assert_eq!(store.verify(|_, _| ()).expect("verified").faulty, 0);
    }

    #[test]
    fn a_journal_of_many_nights_is_begun_anew_and_an_index_can_be_made_from_it() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("data");
        let store = Store::open(&path).expect("opened");
        let bytes = |name: &str| folder::tree_size(&path.join(name)).expect("size");
        // Every night says something new of the same pages, and nothing that packs well. How large the index becomes
        // is its own affair: the nights go on until the journal has outgrown it.
        let say = |night: u32| {
            let mut batch = store.begin();
            for key in 0..2_000_u32 {
                let value = blake3::hash(&[night.to_be_bytes(), key.to_be_bytes()].concat());
                batch.put(Space::Host, &[&key.to_be_bytes()], value.as_bytes()).expect("put");
            }
            batch.commit().expect("committed");
        };
        let begun_anew = (0..4_000).find(|night| {
            say(*night);
            let before = bytes("journal");
            store.tidy_journal(0).expect("tidy");
            bytes("journal") < before
        });
        let night = begun_anew.expect("the journal is begun anew");
        assert!(night > 0, "a journal smaller than the index is left as it is");
        assert!(bytes("journal") < bytes("index") + bytes("snapshots"));
        say(night + 1);
        drop(store);
        index::remove(&path.join("index")).expect("removed");
        let store = Store::open(&path).expect("made anew");
        assert!(store.rebuilt().is_some());
        assert_eq!(store.keys(Space::Host, &[]).count(), 2_000);
    }
}
