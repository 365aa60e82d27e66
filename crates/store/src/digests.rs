//! What a scan made of each page: an index of its own for each owner.
//!
//! Only a scan opens it, and only while it looks at that owner, so what the whole store has to keep
//! in memory does not grow with it. Nothing in it is acknowledged: one that is gone, damaged or
//! behind is made anew by the next scan, since a digest names the body it was made of.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Store, StoreError, decode, encode, index};

/// Bytes of an index that is always left as it is.
const TIDY_BYTES_MIN: u64 = 32 << 20;
/// Under it stand indices that are removed with their last reader; no owner has such a name.
const PASSING: &str = "@passing";

/// Indices of digests that are open now.
#[derive(Debug)]
pub(crate) struct Open {
    folder: PathBuf,
    indices: Mutex<BTreeMap<PathBuf, OpenIndex>>,
}

#[derive(Debug)]
struct OpenIndex {
    index: sled::Db,
    readers: usize,
    /// The folder goes with the last reader.
    passing: bool,
}

impl Open {
    /// None yet, of a data folder; what a killed scan left of passing ones goes.
    pub(crate) fn new(data: &Path) -> Result<Self, StoreError> {
        let folder = data.join("digests");
        index::remove(&folder.join(PASSING))?;
        Ok(Self { folder, indices: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, OpenIndex>> {
        self.indices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more reader of the index at a path, which is opened for the first one.
    fn reader(
        &self,
        path: PathBuf,
        passing: bool,
        opening: impl FnOnce(&Path) -> Result<sled::Db, StoreError>,
    ) -> Result<Digests<'_>, StoreError> {
        let mut open = self.lock();
        let index = if let Some(one) = open.get_mut(&path) {
            one.readers += 1;
            one.index.clone()
        } else {
            let index = opening(&path)?;
            open.insert(path.clone(), OpenIndex { index: index.clone(), readers: 1, passing });
            index
        };
        Ok(Digests { open: self, path, index: Some(index), damaged: AtomicBool::new(false) })
    }

    /// Writes every index anew. Nobody reads one meanwhile.
    pub(crate) fn compact(&mut self) -> Result<(), StoreError> {
        index::remove(&self.folder.join(PASSING))?;
        if !self.folder.is_dir() {
            return Ok(());
        }
        let io = |source| StoreError::io(&self.folder, source);
        for entry in fs::read_dir(&self.folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            // What an interrupted rewriting left has one.
            if path.extension().is_some() {
                index::remove(&path)?;
            } else {
                index::rewrite(open_or_begin(&path)?, &path, |_| true)?;
            }
        }
        Ok(())
    }
}

/// The digests of one owner's pages, by address.
#[derive(Debug)]
pub struct Digests<'s> {
    open: &'s Open,
    path: PathBuf,
    /// Taken by the drop alone.
    index: Option<sled::Db>,
    /// Something in it could not be read.
    damaged: AtomicBool,
}

impl Store {
    /// The digests of an owner, whose name has to be fit for a folder's; none when they are new or
    /// were damaged. Passing ones are removed with their last reader.
    pub fn digests(&self, owner: &str, passing: bool) -> Result<Digests<'_>, StoreError> {
        let folder = &self.digests.folder;
        let path = if passing { folder.join(PASSING).join(owner) } else { folder.join(owner) };
        self.digests.reader(path, passing, open_or_begin)
    }

    /// The digests of an owner, to be read alone and as they are; `None` where there are none that can be read.
    pub fn kept_digests(&self, owner: &str) -> Result<Option<Digests<'_>>, StoreError> {
        let path = self.digests.folder.join(owner);
        if !path.is_dir() {
            return Ok(None);
        }
        match self.digests.reader(path, false, index::open) {
            Err(StoreError::Damaged { .. }) => Ok(None),
            opened => opened.map(Some),
        }
    }
}

impl Digests<'_> {
    /// The digest of a page; one that cannot be read is none.
    pub fn get<T: DeserializeOwned>(&self, url: &str) -> Result<Option<T>, StoreError> {
        let Some(index) = &self.index else { return Ok(None) };
        let bytes = self.unless_damaged(index.get(url))?.flatten();
        Ok(bytes.and_then(|bytes| decode(url.as_bytes(), &bytes).ok()))
    }

    /// What sled answers; nothing where it meets damage, which the next scan will not find any more.
    fn unless_damaged<T>(&self, answer: sled::Result<T>) -> Result<Option<T>, StoreError> {
        match answer.map_err(StoreError::index) {
            Err(StoreError::Damaged { .. }) => {
                self.damaged.store(true, Ordering::Relaxed);
                Ok(None)
            }
            answer => answer.map(Some),
        }
    }

    /// Keeps digests of pages, or what else stands beside them under keys that are no addresses.
    pub fn put<'p, T: Serialize + 'p>(
        &self,
        pages: impl Iterator<Item = (&'p str, &'p T)>,
    ) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        let mut pages = pages.peekable();
        if pages.peek().is_none() {
            return Ok(());
        }
        for (url, digest) in pages {
            batch.insert(url, encode(digest)?);
        }
        if let Some(index) = &self.index {
            self.unless_damaged(index.apply_batch(batch))?;
            self.unless_damaged(index.flush())?;
            index::collect_garbage();
        }
        Ok(())
    }
}

impl Drop for Digests<'_> {
    fn drop(&mut self) {
        let mut open = self.open.lock();
        let Some(one) = open.get_mut(&self.path) else { return };
        one.readers -= 1;
        if *self.damaged.get_mut() {
            tracing::warn!(path = %self.path.display(), "digests are damaged; the next scan makes them anew");
            one.passing = true;
        }
        let (last, passing) = (one.readers == 0, one.passing);
        // The last handle lets go of the files while the map is locked, so that who is next can open them.
        self.index = None;
        if last {
            open.remove(&self.path);
            if passing && let Err(error) = index::remove(&self.path) {
                tracing::warn!(%error, "digests were not removed");
            }
        }
    }
}

/// The index at a path, written anew when it has outgrown its size, and begun anew when it is damaged.
fn open_or_begin(path: &Path) -> Result<sled::Db, StoreError> {
    let tidy = |index: sled::Db| match index::is_outgrown(&index, TIDY_BYTES_MIN)? {
        true => index::rewrite(index, path, |_| true),
        false => Ok(index),
    };
    match index::open(path).and_then(tidy) {
        Err(damage @ StoreError::Damaged { .. }) => {
            tracing::warn!(%damage, "digests are made anew");
            index::remove(path)?;
            index::open(path)
        }
        opened => opened,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn put(digests: &Digests<'_>, pages: &[(&str, u32)]) {
        digests.put(pages.iter().map(|(url, digest)| (*url, digest))).expect("kept");
    }

    fn get(store: &Store, owner: &str, url: &str) -> Option<u32> {
        store.digests(owner, false).expect("opened").get(url).expect("read")
    }

    #[test]
    fn digests_are_kept_for_each_owner_and_gone_without_harm() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("data");
        let store = Store::open(&path).expect("opened");
        put(&store.digests("a", false).expect("opened"), &[("http://a/", 1), ("http://a/x", 2)]);
        put(&store.digests("b", false).expect("opened"), &[("http://a/", 3)]);
        assert_eq!(get(&store, "a", "http://a/"), Some(1));
        assert_eq!(get(&store, "b", "http://a/"), Some(3));
        assert_eq!(get(&store, "b", "http://a/x"), None);
        drop(store);
        for file in ["db", "conf"] {
            std::fs::write(path.join("digests/a").join(file), b"no index").expect("spoilt");
        }
        let store = Store::open(&path).expect("the store itself is whole");
        assert_eq!(get(&store, "a", "http://a/"), None);
        put(&store.digests("a", false).expect("begun anew"), &[("http://a/", 4)]);
        assert_eq!(get(&store, "a", "http://a/"), Some(4));
    }

    #[test]
    fn readers_share_an_index_and_a_passing_one_goes_with_the_last() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(&folder.path().join("data")).expect("opened");
        let first = store.digests("a@2026-11-25T00:00:00.5Z", true).expect("opened");
        let second = store.digests("a@2026-11-25T00:00:00.5Z", true).expect("opened");
        put(&first, &[("http://a/", 1)]);
        drop(first);
        assert_eq!(second.get("http://a/").expect("read"), Some(1_u32));
        drop(second);
        let again = store.digests("a@2026-11-25T00:00:00.5Z", true).expect("opened");
        assert_eq!(again.get::<u32>("http://a/").expect("read"), None);
    }

    #[test]
    fn a_digest_that_cannot_be_read_is_none() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(&folder.path().join("data")).expect("opened");
        put(&store.digests("a", false).expect("opened"), &[("http://a/", 9)]);
        let digests = store.digests("a", false).expect("opened");
        // No bool begins with a nine.
        assert_eq!(digests.get::<bool>("http://a/").expect("read"), None);
    }

    #[test]
    fn damage_that_shows_only_when_it_is_read_is_gone_with_the_next_scan() {
        /// Parts of the file that are spoilt one at a time.
        const PARTS: usize = 16;
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("data");
        let pages: Vec<String> = (0..20_000).map(|number| format!("http://a/{number}")).collect();
        let keep = |digests: &Digests<'_>, digest: u32| {
            digests.put(pages.iter().map(|url| (url.as_str(), &digest))).expect("kept");
        };
        let count = |digests: &Digests<'_>, digest: u32| {
            let kept = |url: &&String| digests.get(url).expect("read") == Some(digest);
            pages.iter().filter(kept).count()
        };
        let store = Store::open(&path).expect("opened");
        keep(&store.digests("a", false).expect("opened"), 7);
        // Now sled knows where all is, and does not read it at an opening.
        assert_eq!(get(&store, "a", &pages[0]), Some(7));
        drop(store);
        let index = path.join("digests/a");
        let files: Vec<(PathBuf, Vec<u8>)> = std::fs::read_dir(&index)
            .expect("index")
            .map(|entry| entry.expect("entry").path())
            .filter(|file| file.is_file())
            .map(|file| (file.clone(), std::fs::read(&file).expect("readable")))
            .collect();
        let spoil = |part: usize| {
            index::remove(&index).expect("removed");
            std::fs::create_dir_all(&index).expect("folder");
            for (file, bytes) in &files {
                let mut bytes = bytes.clone();
                if file.ends_with("db") {
                    let length = bytes.len() / PARTS;
                    bytes[part * length..(part + 1) * length].fill(0xA5);
                }
                std::fs::write(file, bytes).expect("spoilt");
            }
        };
        // Where sled put what differs from run to run: in some places the opening meets the damage, others
        // hold nothing. It is tried until some digests can be read, and some cannot.
        let met = (0..PARTS).find(|part| {
            spoil(*part);
            let store = Store::open(&path).expect("opened");
            let digests = store.digests("a", false).expect("opened");
            (1..pages.len()).contains(&count(&digests, 7))
        });
        spoil(met.expect("a place that is only met by reading"));
        let store = Store::open(&path).expect("opened");
        let digests = store.digests("a", false).expect("opened");
        assert!((1..pages.len()).contains(&count(&digests, 7)));
        keep(&digests, 8);
        drop(digests);
        // The next scan.
        let digests = store.digests("a", false).expect("opened");
        keep(&digests, 9);
        assert_eq!(count(&digests, 9), pages.len());
    }
}
