//! Snapshots, findings and history: a sled index over WARC segments.
//!
//! Bodies are kept once, by their hash, in append-only `.warc.zst` segments that describe
//! themselves; sled holds the index and everything small, and a journal holds every write to the
//! index once more. A batch is acknowledged only after the segments' and the journal's fsync and
//! then sled's flush, in that order, so a kill at any moment loses nothing that was acknowledged
//! and leaves nothing that points nowhere. An index that is damaged or gone is made anew from
//! the journal, or from the archive where the journal is damaged, too.

mod acknowledged;
mod backup;
mod batch;
mod compact;
mod dictionary;
mod digests;
mod error;
mod export;
mod folder;
mod index;
mod journal;
mod read;
mod rebuild;
mod records;
mod room;
mod segment;
mod snapshots;
mod space;
mod told;
mod verify;
mod walk;
mod warc;

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use xunjian_model::{BodyHash, LinkState, PageUrl, SiteId, Snapshot, UrlRecord, UrlState};

pub use backup::{BackedUp, backup};
pub use batch::Batch;
pub use compact::{Compacted, Retention};
pub use digests::Digests;
pub use error::StoreError;
pub use export::{Exported, WarcForm};
pub use folder::{claim, is_in_use};
pub use read::{HttpMessage, ReadError, WarcReader, WarcRecord};
pub use rebuild::{Rebuilt, rebuild};
pub use space::Space;
pub use told::{Listener, Told, Write};
pub use verify::{Fault, Verified};

use acknowledged::Acknowledged;
use journal::Tails;
use records::KeptSnapshot;
use segment::{Family, Location, Segments};
use snapshots::Known;

/// The archive's files.
const ARCHIVE: Family = Family { ending: "warc.zst", head: Some(warc::info), alike: true };
/// The journal's files.
const JOURNAL: Family = Family { ending: journal::ENDING, head: None, alike: false };

/// The store of one data folder. One process owns it.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    index: sled::Db,
    writing: Mutex<Writing>,
    archive: segment::Reader,
    snapshots: snapshots::Snapshots,
    digests: digests::Open,
    rebuilt: Option<Rebuilt>,
    /// Who is told of each batch before it is kept.
    listener: Option<Box<dyn Listener>>,
    /// Bytes that are left free on the disk.
    free_min: AtomicU64,
    /// It ends with its process: nothing has to be on the disk for good.
    ephemeral: bool,
    _lock: folder::Lock,
}

/// What one writer at a time owns.
#[derive(Debug)]
struct Writing {
    archive: Segments,
    journal: Segments,
    /// Number of the last acknowledged batch.
    batch: u64,
    acknowledged: Acknowledged,
    /// The index of snapshots lacks what the last batch wrote.
    snapshots_behind: bool,
}

impl Writing {
    fn tails(&self) -> Tails {
        Tails { archive: self.archive.tail(), retired: Location::default(), journal: self.journal.tail() }
    }
}

/// Sizes of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Addresses known.
    pub urls: u64,
    /// Snapshot records.
    pub snapshots: u64,
    /// Different bodies.
    pub bodies: u64,
    /// Bytes of WARC segments.
    pub archive_bytes: u64,
    /// Bytes of the journal.
    pub journal_bytes: u64,
    /// Bytes of the index on disk.
    pub index_bytes: u64,
    /// Bytes of the digests on disk.
    pub digest_bytes: u64,
    /// Bytes of all bodies as they were read, each counted once.
    pub body_bytes: u64,
}

impl Store {
    /// Opens the store of a data folder, making it when the folder is new or empty. A damaged
    /// index is made anew, if the journal holds all that was acknowledged.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let format = folder::prepare(folder)?;
        let lock = folder::Lock::take(folder)?;
        let (index, batch, tails, rebuilt) = match Self::open_index(folder) {
            Ok((index, batch, tails)) => (index, batch, tails, None),
            Err(damage @ StoreError::Damaged { .. }) if format == folder::FORMAT => {
                let made = rebuild::from_journal(folder, &damage)?;
                tracing::warn!(%damage, entries = made.entries, "the index was made anew from the journal");
                let (index, batch, tails) = Self::open_index(folder)?;
                (index, batch, tails, Some(made))
            }
            Err(error) => return Err(error),
        };
        // A cache of earlier versions; pages are read anew faster than it was.
        index::remove(&folder.join("facts"))?;
        let older = format < folder::FORMAT;
        let index = if older { Self::with_indices_apart(folder, index, batch, tails)? } else { index };
        // The first format had no journal; what a failed attempt left of one begins anew.
        let unjournaled = format < folder::JOURNALED;
        let tails = if unjournaled { Tails { journal: Location::default(), ..tails } } else { tails };
        let acknowledged = Acknowledged::open(folder)?;
        let folders = ["warc", "journal"].map(|name| folder.join(name));
        let writing = Writing {
            archive: Segments::open(&folders[0], ARCHIVE, tails.archive)?,
            journal: Segments::open(&folders[1], JOURNAL, tails.journal)?,
            batch,
            acknowledged,
            snapshots_behind: false,
        };
        let store = Self {
            folder: folder.to_owned(),
            index,
            writing: Mutex::new(writing),
            archive: segment::Reader::new(&folders[0], ARCHIVE.ending),
            snapshots: snapshots::Snapshots::new(folder),
            digests: digests::Open::new(folder)?,
            rebuilt,
            listener: None,
            free_min: AtomicU64::new(0),
            ephemeral: false,
            _lock: lock,
        };
        if older {
            if unjournaled {
                store.forget_queue()?;
                store.checkpoint()?;
            }
            folder::mark(folder)?;
            tracing::info!(
                from = format,
                to = folder::FORMAT,
                "the store was brought to this version's format"
            );
        }
        Ok(store)
    }

    fn open_index(folder: &Path) -> Result<(sled::Db, u64, Tails), StoreError> {
        let path = folder.join("index");
        let damaged = |reason: String| StoreError::Damaged { path: path.clone(), reason };
        let was_there = path.exists();
        let index = index::open(&path)?;
        let wanted = acknowledged::number(folder)?;
        let meta = |name: &[u8]| index.get(Space::Meta.key(&[name])).map_err(StoreError::index);
        let batch: u64 = meta(b"batch")?.map_or(Ok(0), |bytes| decode(b"batch", &bytes))?;
        if batch < wanted && !was_there {
            return Err(damaged("it is not there".to_owned()));
        }
        if batch < wanted {
            return Err(damaged(format!("it knows of {batch} batches, {wanted} were acknowledged")));
        }
        let tails: Tails = meta(b"tails")?.map_or(Ok(Tails::default()), |bytes| decode(b"tails", &bytes))?;
        Ok((index, batch, tails))
    }

    /// Takes apart what earlier versions kept in one index.
    fn with_indices_apart(
        folder: &Path,
        index: sled::Db,
        batch: u64,
        tails: Tails,
    ) -> Result<sled::Db, StoreError> {
        snapshots::separate(&index, folder, Known { batch, journal: tails.journal })?;
        index::rewrite(index, &folder.join("index"), Space::is_in_main)
    }

    /// The index of snapshots.
    fn snapshots(&self) -> Result<&sled::Db, StoreError> {
        self.snapshots.index(&self.index)
    }

    /// The index of a space.
    fn of(&self, space: Space) -> Result<&sled::Db, StoreError> {
        if snapshots::holds(&[space as u8]) { self.snapshots() } else { Ok(&self.index) }
    }

    fn has_body(&self, hash: &BodyHash) -> Result<bool, StoreError> {
        let key = Space::Body.key(&[hash.as_bytes()]);
        self.snapshots()?.contains_key(key).map_err(StoreError::index)
    }

    /// The same store for one process alone: no batch waits until it is on the disk, so that a kill may lose what was
    /// acknowledged, and no dictionary is trained for what will be gone soon.
    pub fn ephemeral(mut self) -> Self {
        self.ephemeral = true;
        self.writing.get_mut().unwrap_or_else(PoisonError::into_inner).archive.train_none();
        self
    }

    /// Tells somebody of each batch from now on.
    pub fn telling(self, listener: Box<dyn Listener>) -> Self {
        Self { listener: Some(listener), ..self }
    }

    /// All values under a key's beginning, as writes that keep the same in another store.
    pub fn writes(
        &self,
        space: Space,
        prefix: &[&[u8]],
    ) -> impl Iterator<Item = Result<Write, StoreError>> + use<> {
        self.index.scan_prefix(space.key(prefix)).map(|row| {
            let (key, value) = row.map_err(StoreError::index)?;
            Ok(Write::Put { key: key.to_vec(), value: value.to_vec() })
        })
    }

    /// How the index was made anew at the opening, if it was.
    pub fn rebuilt(&self) -> Option<&Rebuilt> {
        self.rebuilt.as_ref()
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Begins a batch; another writer waits until it is committed or dropped.
    pub fn begin(&self) -> Batch<'_> {
        Batch::new(self, self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // ---- addresses ----------------------------------------------------------------------------

    /// What is known of an address.
    pub fn url(&self, owner: Option<&SiteId>, url: &str) -> Result<Option<UrlRecord>, StoreError> {
        self.get(Space::Url, &[owner_bytes(owner), url.as_bytes()])
    }

    /// Whether an address is known.
    pub fn knows(&self, owner: Option<&SiteId>, url: &str) -> Result<bool, StoreError> {
        let key = Space::Url.key(&[owner_bytes(owner), url.as_bytes()]);
        self.index.contains_key(key).map_err(StoreError::index)
    }

    /// Every address of an owner, in order.
    pub fn urls(
        &self,
        owner: Option<&SiteId>,
    ) -> impl Iterator<Item = Result<(String, UrlRecord), StoreError>> + use<> {
        self.scan(Space::Url, &[owner_bytes(owner), b""])
    }

    /// The state of each address of an owner, without reading the rest of its record.
    pub fn states(
        &self,
        owner: Option<&SiteId>,
    ) -> impl Iterator<Item = Result<(String, Option<LinkState>), StoreError>> + use<> {
        let rows = self.scan::<UrlState>(Space::Url, &[owner_bytes(owner), b""]);
        rows.map(|row| row.map(|(url, record)| (url, record.state)))
    }

    // ---- snapshots ----------------------------------------------------------------------------

    /// One snapshot by address and time.
    pub fn snapshot(&self, url: &PageUrl, at: Timestamp) -> Result<Option<Snapshot>, StoreError> {
        let key = [url.as_str().as_bytes(), &time_key(at)];
        let Some(kept) = self.get::<KeptSnapshot>(Space::Snapshot, &key)? else {
            return Ok(None);
        };
        self.whole(kept, url, at).map(Some)
    }

    /// The kept versions of an address, oldest first.
    pub fn history(&self, url: &PageUrl) -> impl Iterator<Item = Result<Snapshot, StoreError>> {
        let prefix = Space::Snapshot.key(&[url.as_str().as_bytes(), b""]);
        let skip = prefix.len();
        let rows = self.snapshots().map(|index| index.scan_prefix(prefix));
        let (rows, unopened) = rows.map_or_else(|error| (None, Some(error)), |rows| (Some(rows), None));
        unopened.map(Err).into_iter().chain(rows.into_iter().flatten().map(move |row| {
            let (key, value) = row.map_err(StoreError::index)?;
            let at = time_of_key(&key[skip..]);
            self.whole(decode(&key, &value)?, url, at)
        }))
    }

    /// Adds the headers, which stand in the snapshot's WARC record.
    fn whole(&self, kept: KeptSnapshot, url: &PageUrl, at: Timestamp) -> Result<Snapshot, StoreError> {
        let headers = warc::headers(&self.archive.read(kept.place)?);
        Ok(kept.whole(url.clone(), at, headers))
    }

    /// A body by its hash.
    pub fn body(&self, hash: &BodyHash) -> Result<Option<Vec<u8>>, StoreError> {
        match self.get::<Location>(Space::Body, &[hash.as_bytes()])? {
            Some(location) => Ok(Some(warc::payload(&self.archive.read(location)?))),
            None => Ok(None),
        }
    }

    // ---- anything small -----------------------------------------------------------------------

    /// One value.
    pub fn get<T: DeserializeOwned>(&self, space: Space, key: &[&[u8]]) -> Result<Option<T>, StoreError> {
        let key = space.key(key);
        match self.of(space)?.get(&key).map_err(StoreError::index)? {
            Some(bytes) => decode(&key, &bytes).map(Some),
            None => Ok(None),
        }
    }

    /// All values under a key's beginning, with the last part of each key as text.
    pub fn scan<T: DeserializeOwned>(
        &self,
        space: Space,
        prefix: &[&[u8]],
    ) -> impl Iterator<Item = Result<(String, T), StoreError>> + use<T> {
        let prefix = space.key(prefix);
        let skip = prefix.len();
        self.index.scan_prefix(prefix).map(move |row| {
            let (key, value) = row.map_err(StoreError::index)?;
            let rest = String::from_utf8_lossy(&key[skip..]).into_owned();
            Ok((rest, decode(&key, &value)?))
        })
    }

    /// The same from the first key on that stands behind `after`, which is the last part of a key.
    pub fn scan_after<T: DeserializeOwned>(
        &self,
        space: Space,
        prefix: &[&[u8]],
        after: &[u8],
    ) -> impl Iterator<Item = Result<(String, T), StoreError>> + use<T> {
        let prefix = space.key(prefix);
        let from = [&prefix, after].concat();
        // Nothing behind: everything from the prefix itself on.
        let start = if after.is_empty() { Bound::Included(from) } else { Bound::Excluded(from) };
        let rows = self.index.range((start, Bound::Unbounded));
        let skip = prefix.len();
        let own = move |row: &sled::Result<(sled::IVec, sled::IVec)>| {
            row.as_ref().map_or(true, |(key, _)| key.starts_with(&prefix))
        };
        rows.take_while(own).map(move |row| {
            let (key, value) = row.map_err(StoreError::index)?;
            let rest = String::from_utf8_lossy(&key[skip..]).into_owned();
            Ok((rest, decode(&key, &value)?))
        })
    }

    /// The values under a key's beginning whose keys, raw and without their space, are wanted;
    /// the others are not even read.
    pub fn scan_wanted<T: DeserializeOwned, W: Fn(&[u8]) -> bool>(
        &self,
        space: Space,
        prefix: &[&[u8]],
        wanted: W,
    ) -> impl Iterator<Item = Result<T, StoreError>> + use<T, W> {
        self.index.scan_prefix(space.key(prefix)).filter_map(move |row| match row {
            Ok((key, value)) => wanted(&key[1..]).then(|| decode(&key, &value)),
            Err(error) => Some(Err(StoreError::index(error))),
        })
    }

    /// Keys under a beginning, raw, from the beginning itself on.
    pub fn keys(
        &self,
        space: Space,
        prefix: &[&[u8]],
    ) -> impl Iterator<Item = Result<Vec<u8>, StoreError>> + use<> {
        let prefix = space.key(prefix);
        self.index.scan_prefix(prefix).keys().map(|key| match key {
            Ok(key) => Ok(key[1..].to_vec()),
            Err(error) => Err(StoreError::index(error)),
        })
    }

    /// The first key at or after a beginning, raw and without its space.
    pub fn key_from(&self, space: Space, from: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let start = [&[space as u8], from].concat();
        match self.index.range(start..).next() {
            None => Ok(None),
            Some(Err(error)) => Err(StoreError::index(error)),
            Some(Ok((key, _))) => Ok((key[0] == space as u8).then(|| key[1..].to_vec())),
        }
    }

    /// Sizes; counts every key, so it takes a while on a large store.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        let count = |space: Space| {
            Ok::<_, StoreError>(self.of(space)?.scan_prefix(space.key(&[])).keys().count() as u64)
        };
        Ok(Stats {
            urls: count(Space::Url)?,
            snapshots: count(Space::Snapshot)?,
            bodies: count(Space::Body)?,
            archive_bytes: folder::size(&self.folder.join("warc"))?,
            journal_bytes: folder::size(&self.folder.join("journal"))?,
            body_bytes: self.body_bytes()?,
            index_bytes: self.index.size_on_disk().map_err(StoreError::index)? + self.snapshots.bytes()?,
            digest_bytes: folder::tree_size(&self.folder.join("digests"))?,
        })
    }
}

impl Store {
    /// Bytes of the different bodies: each snapshot that has its own copy.
    fn body_bytes(&self) -> Result<u64, StoreError> {
        let mut sum = 0;
        for row in self.snapshots()?.scan_prefix(Space::Snapshot.key(&[])) {
            let (key, value) = row.map_err(StoreError::index)?;
            let kept: KeptSnapshot = decode(&key, &value)?;
            let place = self.get::<Location>(Space::Body, &[kept.body_hash.as_bytes()])?;
            if place == Some(kept.place) {
                sum += kept.body_bytes;
            }
        }
        Ok(sum)
    }
}

fn owner_bytes(owner: Option<&SiteId>) -> &[u8] {
    owner.map_or(b"", |site| site.as_str().as_bytes())
}

fn time_key(at: Timestamp) -> [u8; 8] {
    // Microseconds since 1970, which are never negative for a fetch.
    (at.as_microsecond().max(0) as u64).to_be_bytes()
}

fn time_of_key(key: &[u8]) -> Timestamp {
    let micros = key.try_into().map(u64::from_be_bytes).unwrap_or_default();
    i64::try_from(micros).ok().and_then(|micros| Timestamp::from_microsecond(micros).ok()).unwrap_or_default()
}

/// Zeros that stand for fields a record does not have yet.
const PADDING: [u8; 64] = [0; 64];

/// Reads a record. One of an earlier version ends before the fields that came later; zeros read
/// as nought, none and empty.
fn decode<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> Result<T, StoreError> {
    let read = match postcard::from_bytes(bytes) {
        Err(postcard::Error::DeserializeUnexpectedEnd) => postcard::from_bytes(&[bytes, &PADDING].concat()),
        read => read,
    };
    read.map_err(|error| StoreError::Record {
        key: String::from_utf8_lossy(key).into_owned(),
        reason: error.to_string(),
    })
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_allocvec(value)
        .map_err(|error| StoreError::Record { key: "new".to_owned(), reason: error.to_string() })
}
