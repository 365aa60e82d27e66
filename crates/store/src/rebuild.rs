//! Making the index anew: from the journal, and from the archive where the journal has gaps.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use xunjian_model::{BodyHash, LinkState, SiteId, Target, UrlRecord, View};

use crate::acknowledged::{self, Acknowledged};
use crate::journal::{self, Entry, Found, Tails};
use crate::records::KeptSnapshot;
use crate::segment::{self, Location, path_of};
use crate::snapshots::{self, Known};
use crate::walk::Walk;
use crate::{
    ARCHIVE, JOURNAL, Space, Store, StoreError, decode, encode, folder, index, owner_bytes, time_key, warc,
};

const QUEUE_LOST: &[&[u8]] = &[b"queue-lost"];

/// What an index was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// Journal entries that were replayed.
    pub entries: u64,
    /// Places in the journal that cannot be read, with file and byte.
    pub gaps: Vec<String>,
    /// Batches that were acknowledged, and batches the journal brought back.
    pub acknowledged: u64,
    /// Number of the last batch in the journal.
    pub last_batch: u64,
    /// Snapshots found in the archive alone.
    pub from_archive: u64,
}

impl Rebuilt {
    /// Whether the journal held everything that was acknowledged.
    pub fn is_whole(&self) -> bool {
        self.gaps.is_empty() && self.last_batch >= self.acknowledged
    }
}

/// Makes the index of a data folder anew. Where the journal has gaps, the archive fills them:
/// pages and their versions come back, what people decided in the lost batches does not.
pub fn rebuild(folder: &Path) -> Result<Rebuilt, StoreError> {
    if !folder::is_store(folder) {
        return Err(StoreError::Foreign(folder.to_owned()));
    }
    let lock = folder::Lock::take(folder)?;
    let mut replay = Replay::new(folder)?;
    // Without its number nobody can say that the journal is whole: the archive is asked, too.
    let acknowledged = acknowledged::number(folder);
    replay.made.acknowledged = *acknowledged.as_ref().unwrap_or(&0);
    replay.journal()?;
    let whole = acknowledged.is_ok() && replay.made.is_whole();
    if !whole {
        replay.archive()?;
    }
    let made = replay.finish()?;
    drop(lock);
    if !whole {
        // The journal itself becomes whole again, and the queue knows what is not to be trusted.
        Store::open(folder)?.checkpoint()?;
    }
    Ok(made)
}

/// The same at an opening, under its lock: only when nothing acknowledged is missing.
pub(crate) fn from_journal(folder: &Path, damage: &StoreError) -> Result<Rebuilt, StoreError> {
    let mut replay = Replay::new(folder)?;
    replay.made.acknowledged = acknowledged::number(folder)?;
    replay.journal()?;
    if !replay.made.is_whole() {
        let made = &replay.made;
        let damage = match damage {
            StoreError::Damaged { reason, .. } => reason.clone(),
            other => other.to_string(),
        };
        let reason = format!(
            "{damage}; the journal brings back {} of {} batches{}",
            made.last_batch,
            made.acknowledged,
            made.gaps.first().map_or_else(String::new, |gap| format!(" and has a gap at {gap}"))
        );
        return Err(StoreError::Damaged { path: folder.join("index"), reason });
    }
    replay.finish()
}

struct Replay<'f> {
    folder: &'f Path,
    /// The new main index and that of the snapshots, each with its place.
    main: (PathBuf, sled::Db),
    snapshots: (PathBuf, sled::Db),
    tails: Tails,
    /// The last batch that wrote to the index of snapshots.
    wrote_snapshots: u64,
    made: Rebuilt,
}

impl<'f> Replay<'f> {
    fn new(folder: &'f Path) -> Result<Self, StoreError> {
        let begin = |place: PathBuf| {
            let new = place.with_extension("new");
            index::remove(&new)?;
            let index = index::open(&new)?;
            Ok((place, index))
        };
        Ok(Self {
            folder,
            main: begin(folder.join("index"))?,
            snapshots: begin(snapshots::path(folder))?,
            tails: Tails::default(),
            wrote_snapshots: 0,
            made: Rebuilt::default(),
        })
    }

    fn flush(&self) -> Result<(), StoreError> {
        [&self.main.1, &self.snapshots.1]
            .into_iter()
            .try_for_each(|index| index.flush().map(drop).map_err(StoreError::index))
    }

    fn journal(&mut self) -> Result<(), StoreError> {
        journal::read(self.folder, 0, |found| {
            match found {
                Found::Entry(entry, end) => {
                    self.replay(entry)?;
                    self.tails.journal = end;
                }
                Found::Gap(gap) => self.made.gaps.push(gap),
            }
            Ok(())
        })?;
        self.flush()
    }

    fn replay(&mut self, entry: Entry) -> Result<(), StoreError> {
        if entry.fresh {
            self.main.1.clear().map_err(StoreError::index)?;
            self.snapshots.1.clear().map_err(StoreError::index)?;
            self.made.gaps.clear();
        }
        let mut writes = [sled::Batch::default(), sled::Batch::default()];
        for (key, value) in entry.writes {
            let of_snapshots = snapshots::holds(&key);
            if of_snapshots {
                self.wrote_snapshots = entry.batch;
            }
            let writes = &mut writes[usize::from(of_snapshots)];
            match value {
                Some(value) => writes.insert(key, value),
                None => writes.remove(key),
            }
        }
        let [main, snapshots] = writes;
        self.main.1.apply_batch(main).map_err(StoreError::index)?;
        self.snapshots.1.apply_batch(snapshots).map_err(StoreError::index)?;
        self.tails.archive = entry.archive;
        self.made.last_batch = entry.batch;
        self.made.entries += 1;
        Ok(())
    }

    /// Adds what only the archive knows.
    fn archive(&mut self) -> Result<(), StoreError> {
        let folder = self.folder.join("warc");
        if folder.is_dir() {
            for number in segment::numbers(&folder)? {
                for frame in Walk::open(&path_of(&folder, number, ARCHIVE.ending))? {
                    let frame = frame?;
                    let place = Location { segment: number, offset: frame.offset, bytes: frame.bytes };
                    if let Ok(record) = frame.record {
                        self.add(&record, place)?;
                    }
                    let end = frame.offset + u64::from(frame.bytes);
                    self.tails.archive = Location { segment: number, offset: end, bytes: 0 };
                }
            }
        }
        self.flush()
    }

    fn add(&mut self, record: &[u8], place: Location) -> Result<(), StoreError> {
        let Some(described) = warc::described(record) else { return Ok(()) };
        let (url, at) = (described.snapshot.url.clone(), described.snapshot.fetched_at);
        let (main, of_snapshots) = (&self.main.1, &self.snapshots.1);
        let of = |key: &[u8]| if snapshots::holds(key) { of_snapshots } else { main };
        let has = |key: &[u8]| of(key).contains_key(key).map_err(StoreError::index);
        let put =
            |key: Vec<u8>, value: Vec<u8>| of(&key).insert(key, value).map(|_| ()).map_err(StoreError::index);
        let hash: BodyHash = described.snapshot.body_hash;
        let body_key = Space::Body.key(&[hash.as_bytes()]);
        if described.has_body && !has(&body_key)? {
            put(body_key, encode(&place)?)?;
        }
        let key = Space::Snapshot.key(&[url.as_str().as_bytes(), &time_key(at)]);
        if has(&key)? {
            return Ok(());
        }
        put(key, encode(&KeptSnapshot::new(&described.snapshot, place))?)?;
        self.made.from_archive += 1;
        if described.snapshot.view != View::Sent {
            // It is rendered or asked for anew the next time its page is looked at.
            return Ok(());
        }
        let owner = described.site.as_ref();
        let key = Space::Url.key(&[owner_bytes(owner), url.as_str().as_bytes()]);
        let known: Option<UrlRecord> = match main.get(&key).map_err(StoreError::index)? {
            Some(bytes) => Some(decode(&key, &bytes)?),
            None => None,
        };
        if known.as_ref().and_then(|known| known.snapshot_at).is_none_or(|newest| newest < at) {
            put(key, encode(&found(owner, known, hash, at))?)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Rebuilt, StoreError> {
        let batch = self.made.last_batch.max(self.made.acknowledged);
        let mut meta = sled::Batch::default();
        meta.insert(Space::Meta.key(&[b"tails"]), encode(&self.tails)?);
        meta.insert(Space::Meta.key(&[b"batch"]), encode(&batch)?);
        meta.insert(Space::Meta.key(snapshots::WANTED), encode(&self.wrote_snapshots)?);
        // The queue was not journaled: whoever crawls next queues anew what it has not done.
        meta.insert(Space::Meta.key(QUEUE_LOST), encode(&true)?);
        self.main.1.apply_batch(meta).map_err(StoreError::index)?;
        let known = Known { batch: self.wrote_snapshots, journal: self.tails.journal };
        let (key, value) = snapshots::know(known)?;
        self.snapshots.1.insert(key, value).map_err(StoreError::index)?;
        self.flush()?;
        Acknowledged::open(self.folder)?.write(batch)?;
        // The main index last: it says what the other has to know.
        for (place, index) in [self.snapshots, self.main] {
            drop(index);
            index::replace(&place, &place.with_extension("new"))?;
        }
        Ok(self.made)
    }
}

/// What a snapshot in the archive says of its address.
fn found(owner: Option<&SiteId>, known: Option<UrlRecord>, hash: BodyHash, at: Timestamp) -> UrlRecord {
    let known = known.unwrap_or_else(|| UrlRecord::discovered(owner.cloned(), Target::Page, 1, at));
    UrlRecord {
        state: Some(LinkState::Ok),
        status: 200,
        checked_at: Some(at),
        body_hash: Some(hash),
        snapshot_at: Some(at),
        etag: None,
        last_modified: None,
        ..known
    }
}

impl Store {
    /// Whether the queue was lost with the index, so that an interrupted crawl has to queue anew
    /// what it has not done.
    pub fn is_queue_lost(&self) -> Result<bool, StoreError> {
        Ok(self.get::<bool>(Space::Meta, QUEUE_LOST)?.unwrap_or(false))
    }

    /// Forgets the queue, whose keys another version orders otherwise.
    pub(crate) fn forget_queue(&self) -> Result<(), StoreError> {
        let mut batch = self.begin();
        for key in self.keys(Space::Queue, &[]) {
            batch.delete(Space::Queue, &[&key?]);
        }
        batch.put(Space::Meta, QUEUE_LOST, &true)?;
        batch.commit()
    }

    /// Takes note that it was queued anew.
    pub fn queue_restored(&self) -> Result<(), StoreError> {
        let mut batch = self.begin();
        batch.delete(Space::Meta, QUEUE_LOST);
        batch.commit()
    }

    /// Writes the whole index into a new journal file and removes the older ones.
    pub(crate) fn checkpoint(&self) -> Result<(), StoreError> {
        let mut batch = self.begin();
        let first = batch.begin_checkpoint()?;
        let mut entries = Vec::new();
        let main =
            self.index.iter().filter(|row| row.as_ref().map_or(true, |(key, _)| Space::is_in_main(key)));
        for row in main.chain(self.snapshots()?.iter()) {
            let (key, value) = row.map_err(StoreError::index)?;
            if Space::journals(&key) {
                entries.push((key.to_vec(), value.to_vec()));
            }
            if entries.len() >= crate::journal::CHECKPOINT_WRITES {
                batch.repeat(std::mem::take(&mut entries))?;
            }
        }
        batch.repeat(entries)?;
        batch.seal();
        batch.commit()?;
        let folder = self.folder.join("journal");
        for number in segment::numbers(&folder)?.into_iter().filter(|number| *number < first) {
            index::remove(&path_of(&folder, number, JOURNAL.ending))?;
        }
        Ok(())
    }
}
