//! The index of the archive: which snapshots there are, and where each body lies.
//!
//! It has most of a store's keys, and what works with findings alone has no use for them; so it
//! stands apart from the main index and is opened when it is first asked for. The main index says
//! which batch was the last to write here. What is missing, after a kill between the two or because
//! the index is gone or damaged, comes from the journal.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};

use crate::journal::{self, Found};
use crate::segment::Location;
use crate::{Space, StoreError, decode, encode, index};

const NAME: &str = "snapshots";
/// Key of what this index knows, [`Known`].
const KNOWN: &[u8] = b"Mknown";
/// Key, in the main index, of the last batch that wrote here.
pub(crate) const WANTED: &[&[u8]] = &[b"snapshots"];

/// What the index knows: the last batch it took, and the journal's end after it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) batch: u64,
    pub(crate) journal: Location,
}

/// The index, once it is asked for.
#[derive(Debug)]
pub(crate) struct Snapshots {
    folder: PathBuf,
    index: OnceLock<sled::Db>,
    opening: Mutex<()>,
}

impl Snapshots {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), index: OnceLock::new(), opening: Mutex::new(()) }
    }

    /// The index, with all that the main index says it has to know.
    pub(crate) fn index(&self, main: &sled::Db) -> Result<&sled::Db, StoreError> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let _one = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let opened = open(&self.folder, wanted(main)?)?;
        Ok(self.index.get_or_init(|| opened))
    }

    /// Takes from the journal what a write that failed left behind.
    pub(crate) fn follow(&self, main: &sled::Db) -> Result<(), StoreError> {
        match self.index.get() {
            Some(index) => follow(index, &self.folder, wanted(main)?),
            None => Ok(()),
        }
    }

    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> Result<u64, StoreError> {
        crate::folder::tree_size(&path(&self.folder))
    }

    /// Writes the index anew, if it is open and has outgrown a size.
    pub(crate) fn tidy(&mut self, bytes_min: u64) -> Result<bool, StoreError> {
        let Some(index) = self.index.take() else { return Ok(false) };
        let outgrown = index::is_outgrown(&index, bytes_min)?;
        let index = if outgrown { index::rewrite(index, &path(&self.folder), |_| true)? } else { index };
        self.index = OnceLock::from(index);
        Ok(outgrown)
    }

    /// The same whatever its size.
    pub(crate) fn rewrite(&mut self) -> Result<(), StoreError> {
        if let Some(index) = self.index.take() {
            self.index = OnceLock::from(index::rewrite(index, &path(&self.folder), |_| true)?);
        }
        Ok(())
    }
}

pub(crate) fn path(folder: &Path) -> PathBuf {
    folder.join(NAME)
}

/// Whether a key stands in this index.
pub(crate) fn holds(key: &[u8]) -> bool {
    [Space::Snapshot, Space::Body].iter().any(|space| key.first() == Some(&(*space as u8)))
}

/// What goes into a batch of this index beside its writes.
pub(crate) fn know(known: Known) -> Result<(&'static [u8], Vec<u8>), StoreError> {
    Ok((KNOWN, encode(&known)?))
}

/// Moves what a main index of an earlier version holds of this one here; the main index keeps it until it
/// is written anew.
pub(crate) fn separate(main: &sled::Db, folder: &Path, known: Known) -> Result<(), StoreError> {
    if main.scan_prefix([Space::Snapshot as u8]).next().is_none() {
        return Ok(());
    }
    let new = path(folder).with_extension("new");
    index::remove(&new)?;
    let fresh = index::open(&new)?;
    index::copy(main, &fresh, holds)?;
    let (key, value) = know(known)?;
    fresh.insert(key, value).map_err(StoreError::index)?;
    fresh.flush().map_err(StoreError::index)?;
    drop(fresh);
    index::replace(&path(folder), &new)?;
    main.insert(Space::Meta.key(WANTED), encode(&known.batch)?).map_err(StoreError::index)?;
    main.flush().map_err(StoreError::index)?;
    Ok(())
}

fn wanted(main: &sled::Db) -> Result<u64, StoreError> {
    let key = Space::Meta.key(WANTED);
    main.get(&key).map_err(StoreError::index)?.map_or(Ok(0), |bytes| decode(&key, &bytes))
}

fn known(index: &sled::Db) -> Result<Known, StoreError> {
    let bytes = index.get(KNOWN).map_err(StoreError::index)?;
    bytes.map_or(Ok(Known::default()), |bytes| decode(KNOWN, &bytes))
}

fn open(folder: &Path, wanted: u64) -> Result<sled::Db, StoreError> {
    let path = path(folder);
    // Damage shows at the opening, or in the first leaf that is read.
    let opened = index::open(&path).and_then(|index| known(&index).map(|_| index));
    let index = match opened {
        Err(damage @ StoreError::Damaged { .. }) => {
            tracing::warn!(%damage, "the index of snapshots is made anew from the journal");
            index::remove(&path)?;
            index::open(&path)?
        }
        opened => opened?,
    };
    follow(&index, folder, wanted)?;
    Ok(index)
}

/// Takes from the journal what the index lacks.
fn follow(index: &sled::Db, folder: &Path, wanted: u64) -> Result<(), StoreError> {
    let mut known = known(index)?;
    if known.batch == wanted {
        return Ok(());
    }
    if known.batch > wanted {
        // Of another time than the main index.
        index.clear().map_err(StoreError::index)?;
        known = Known::default();
    }
    let mut gap = None;
    let mut last = known;
    journal::read(folder, known.journal.segment, |found| {
        let (entry, end) = match found {
            Found::Entry(entry, end) if (known.batch + 1..=wanted).contains(&entry.batch) => (entry, end),
            Found::Entry(..) => return Ok(()),
            Found::Gap(place) => {
                gap.get_or_insert(place);
                return Ok(());
            }
        };
        if entry.fresh {
            index.clear().map_err(StoreError::index)?;
            gap = None;
        }
        if gap.is_some() {
            // Whoever comes next must not take it for whole.
            return Ok(());
        }
        let mut writes = sled::Batch::default();
        for (key, value) in entry.writes.into_iter().filter(|(key, _)| holds(key)) {
            match value {
                Some(value) => writes.insert(key, value),
                None => writes.remove(key),
            }
        }
        last = Known { batch: entry.batch, journal: end };
        let (key, value) = know(last)?;
        writes.insert(key, value);
        index.apply_batch(writes).map_err(StoreError::index)?;
        index::collect_garbage();
        Ok(())
    })?;
    let last = last.batch;
    if last < wanted || gap.is_some() {
        let gap = gap.map_or_else(String::new, |gap| format!(" and has a gap at {gap}"));
        let reason = format!("the journal brings back {last} of {wanted} batches{gap}");
        return Err(StoreError::Damaged { path: path(folder), reason });
    }
    index.flush().map_err(StoreError::index)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use jiff::Timestamp;
    use xunjian_model::{BodyHash, PageUrl, Snapshot, View};

    use super::*;
    use crate::{Store, folder};

    fn page(number: i64) -> (PageUrl, Timestamp, Vec<u8>) {
        let url = PageUrl::parse(&format!("http://a.gov.cn/{number}")).expect("address");
        (
            url,
            Timestamp::from_second(1_700_000_000 + number).expect("time"),
            format!("<p>{number}").into_bytes(),
        )
    }

    fn put(store: &Store, numbers: std::ops::Range<i64>) {
        let mut batch = store.begin();
        for number in numbers {
            let (url, fetched_at, body) = page(number);
            let snapshot = Snapshot {
                url,
                fetched_at,
                status: 200,
                hops: Vec::new(),
                final_url: None,
                headers: vec![("content-type".to_owned(), "text/html".to_owned())],
                timings: xunjian_model::Timings::default(),
                tls: None,
                body_hash: BodyHash::of(&body),
                body_bytes: body.len() as u64,
                truncated: false,
                view: View::Sent,
            };
            batch.put_snapshot(None, &snapshot, &body).expect("put");
        }
        batch.commit().expect("committed");
    }

    /// A data folder with some snapshots, closed.
    fn kept(numbers: std::ops::Range<i64>) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("folder");
        let data = folder.path().join("data");
        put(&Store::open(&data).expect("opened"), numbers);
        (folder, data)
    }

    fn holds_all(store: &Store, numbers: std::ops::Range<i64>) {
        for number in numbers {
            let (url, at, body) = page(number);
            let kept = store.snapshot(&url, at).expect("read").unwrap_or_else(|| panic!("{number} is gone"));
            assert_eq!(store.body(&kept.body_hash).expect("read"), Some(body));
            assert_eq!(store.history(&url).count(), 1);
        }
        assert_eq!(store.verify(|_, _| ()).expect("verified").faults, []);
    }

    fn copy_folder(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("folder");
        for entry in fs::read_dir(from).expect("folder") {
            let entry = entry.expect("entry");
            let to = to.join(entry.file_name());
            match entry.path().is_dir() {
                true => copy_folder(&entry.path(), &to),
                false => drop(fs::copy(entry.path(), to).expect("copied")),
            }
        }
    }

    #[test]
    fn an_index_that_is_gone_spoilt_or_behind_follows_the_journal() {
        let (folder, data) = kept(0..20);
        let behind = folder.path().join("behind");
        copy_folder(&path(&data), &behind);
        let store = Store::open(&data).expect("opened");
        put(&store, 20..40);
        put(&store, 40..60);
        // Something that the index has nothing to do with.
        let mut batch = store.begin();
        batch.put(Space::Host, &[b"h"], &7_u32).expect("put");
        batch.commit().expect("committed");
        drop(store);
        for damage in ["gone", "spoilt", "behind", "none"] {
            match damage {
                "gone" => fs::remove_dir_all(path(&data)).expect("removed"),
                "spoilt" => fs::write(path(&data).join("db"), [0xA5; 4_096]).expect("spoilt"),
                "behind" => {
                    fs::remove_dir_all(path(&data)).expect("removed");
                    copy_folder(&behind, &path(&data));
                }
                _ => {}
            }
            let store = Store::open(&data).expect("opened");
            assert!(store.rebuilt().is_none(), "{damage}");
            holds_all(&store, 0..60);
        }
    }

    /// As after a full disk between the two indices.
    #[test]
    fn a_write_that_failed_is_made_up_for_by_the_next_batch() {
        let (_folder, data) = kept(0..20);
        let store = Store::open(&data).expect("opened");
        store.snapshots().expect("index").clear().expect("emptied");
        store.lock().snapshots_behind = true;
        put(&store, 20..40);
        holds_all(&store, 0..40);
        assert!(!store.lock().snapshots_behind);
    }

    #[test]
    fn a_checkpoint_repeats_the_index_and_it_follows_from_there() {
        let (_folder, data) = kept(0..20);
        let store = Store::open(&data).expect("opened");
        store.checkpoint().expect("checkpoint");
        put(&store, 20..30);
        drop(store);
        fs::remove_dir_all(path(&data)).expect("removed");
        holds_all(&Store::open(&data).expect("opened"), 0..30);
        fs::remove_dir_all(data.join("index")).expect("removed");
        let store = Store::open(&data).expect("opened");
        assert!(store.rebuilt().is_some_and(crate::Rebuilt::is_whole));
        holds_all(&store, 0..30);
    }

    #[test]
    fn a_journal_with_a_gap_does_not_make_it_anew_in_silence() {
        let (_folder, data) = kept(0..20);
        put(&Store::open(&data).expect("opened"), 20..40);
        fs::remove_dir_all(path(&data)).expect("removed");
        let mut files = fs::read_dir(data.join("journal")).expect("journal");
        let journal = files.next().expect("a file").expect("entry").path();
        let mut bytes = fs::read(&journal).expect("journal");
        bytes[20] ^= 0x55;
        fs::write(&journal, bytes).expect("spoilt");
        let store = Store::open(&data).expect("the main index is whole");
        let (url, at, _) = page(1);
        assert!(matches!(store.snapshot(&url, at), Err(StoreError::Damaged { .. })));
        assert!(matches!(store.history(&url).next(), Some(Err(StoreError::Damaged { .. }))));
        drop(store);
        crate::rebuild(&data).expect("made anew from the archive");
        holds_all(&Store::open(&data).expect("opened"), 0..40);
    }

    #[test]
    fn a_store_of_one_index_is_taken_apart() {
        let (_folder, data) = kept(0..50);
        let store = Store::open(&data).expect("opened");
        // As it was before: all in the main index, with digests.
        for row in store.snapshots().expect("index").iter() {
            let (key, value) = row.expect("row");
            if holds(&key) {
                store.index.insert(key, value).expect("put");
            }
        }
        store.index.insert(b"Pa\0http://a.gov.cn/", b"digest").expect("put");
        store.index.remove(Space::Meta.key(WANTED)).expect("removed");
        drop(store);
        fs::remove_dir_all(path(&data)).expect("removed");
        fs::write(data.join("format"), "xunjian-store 2\n").expect("mark");
        let store = Store::open(&data).expect("opened");
        assert!(store.index.iter().keys().all(|key| Space::is_in_main(&key.expect("key"))));
        holds_all(&store, 0..50);
        put(&store, 50..60);
        drop(store);
        let mark = fs::read_to_string(data.join("format")).expect("mark");
        assert_eq!(mark, format!("xunjian-store {}\n", folder::FORMAT));
        holds_all(&Store::open(&data).expect("opened again"), 0..60);
    }
}
