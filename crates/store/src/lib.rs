//! Snapshots, facts, findings and history: a sled index over WARC segments.
//!
//! Bodies are kept once, by their hash, in append-only `.warc.zst` segments that describe
//! themselves; sled holds the index and everything small. A batch is acknowledged only after the
//! segments' fsync and then sled's flush, in that order, so a kill at any moment loses nothing
//! that was acknowledged and leaves nothing that points nowhere.

mod acknowledged;
mod batch;
mod dictionary;
mod error;
mod facts;
mod folder;
mod records;
mod segment;
mod space;
mod warc;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use xunjian_model::{BodyHash, PageUrl, SiteId, Snapshot, UrlRecord};

pub use batch::Batch;
pub use error::StoreError;
pub use space::Space;

use acknowledged::Acknowledged;
use records::KeptSnapshot;
use segment::{Location, Segments};

/// Bytes sled may use for its page cache.
const INDEX_CACHE_BYTES: u64 = 4 << 20;

/// The store of one data folder. One process owns it.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    index: sled::Db,
    writing: Mutex<Writing>,
    archive: segment::Reader,
    facts: segment::Reader,
    _lock: folder::Lock,
}

/// What one writer at a time owns.
#[derive(Debug)]
struct Writing {
    archive: Segments,
    facts: Segments,
    /// Number of the last acknowledged batch.
    batch: u64,
    acknowledged: Acknowledged,
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
    /// Bytes of kept facts.
    pub facts_bytes: u64,
    /// Bytes of the index on disk.
    pub index_bytes: u64,
}

impl Store {
    /// Opens the store of a data folder, making it when the folder is new or empty.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        folder::prepare(folder)?;
        let lock = folder::Lock::take(folder)?;
        let index_folder = folder.join("index");
        let config =
            sled::Config::new().path(&index_folder).cache_capacity(INDEX_CACHE_BYTES).flush_every_ms(None);
        // sled 0.34 panics on some damaged files; a panic here means the same as its error.
        let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| config.open()));
        let damaged = |reason: String| StoreError::Damaged { path: index_folder.clone(), reason };
        let index = match opened {
            Ok(Ok(index)) => index,
            Ok(Err(sled::Error::Io(source))) => return Err(StoreError::io(&index_folder, source)),
            Ok(Err(error)) => return Err(damaged(error.to_string())),
            Err(_) => return Err(damaged("sled could not read it".to_owned())),
        };
        let (acknowledged, wanted) = Acknowledged::open(folder)?;
        let batch: u64 = match index.get(Space::Meta.key(&[b"batch"])).map_err(StoreError::index)? {
            Some(bytes) => decode(b"batch", &bytes)?,
            None => 0,
        };
        if batch < wanted {
            return Err(damaged(format!("it knows of {batch} batches, {wanted} were acknowledged")));
        }
        let tails = match index.get(Space::Meta.key(&[b"tails"])).map_err(StoreError::index)? {
            Some(bytes) => decode(b"tails", &bytes)?,
            None => (Location::default(), Location::default()),
        };
        let archive_folder = folder.join("warc");
        let facts_folder = folder.join("facts");
        let archive = Segments::open(&archive_folder, "warc.zst", tails.0, Some(warc::info))?;
        let facts_segments = Segments::open(&facts_folder, "facts.zst", tails.1, None)?;
        Ok(Self {
            folder: folder.to_owned(),
            index,
            archive: segment::Reader::new(&archive_folder, "warc.zst"),
            facts: segment::Reader::new(&facts_folder, "facts.zst"),
            writing: Mutex::new(Writing { archive, facts: facts_segments, batch, acknowledged }),
            _lock: lock,
        })
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
        self.index.scan_prefix(prefix).map(move |row| {
            let (key, value) = row.map_err(StoreError::index)?;
            let at = time_of_key(&key[skip..]);
            self.whole(decode(&key, &value)?, url, at)
        })
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
        match self.index.get(&key).map_err(StoreError::index)? {
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
        let count = |space: Space| self.index.scan_prefix(space.key(&[])).keys().count() as u64;
        Ok(Stats {
            urls: count(Space::Url),
            snapshots: count(Space::Snapshot),
            bodies: count(Space::Body),
            archive_bytes: folder::size(&self.folder.join("warc"))?,
            facts_bytes: folder::size(&self.folder.join("facts"))?,
            index_bytes: self.index.size_on_disk().map_err(StoreError::index)?,
        })
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

fn decode<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> Result<T, StoreError> {
    postcard::from_bytes(bytes).map_err(|error| StoreError::Record {
        key: String::from_utf8_lossy(key).into_owned(),
        reason: error.to_string(),
    })
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_allocvec(value)
        .map_err(|error| StoreError::Record { key: "new".to_owned(), reason: error.to_string() })
}
