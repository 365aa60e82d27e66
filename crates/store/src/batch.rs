//! One acknowledged step: everything in it is kept, or nothing.

use std::collections::HashSet;
use std::sync::MutexGuard;

use jiff::Timestamp;
use serde::Serialize;
use xunjian_model::{BodyHash, PageUrl, SiteId, Snapshot, UrlRecord};

use crate::index;
use crate::journal::{Entry, Tails};
use crate::records::KeptSnapshot;
use crate::segment::Location;
use crate::snapshots::{self, Known};
use crate::told::{Told, Write};
use crate::{Space, Store, StoreError, Writing, encode, owner_bytes, time_key, warc};

/// A batch of writes. Dropping it without [`Batch::commit`] takes everything back.
pub struct Batch<'s> {
    store: &'s Store,
    writing: MutexGuard<'s, Writing>,
    before: Tails,
    operations: sled::Batch,
    /// Writes to the index of snapshots, if there are any.
    of_snapshots: Option<sled::Batch>,
    /// What of the operations the journal keeps.
    journal: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    bodies: HashSet<BodyHash>,
    /// What the store's listener is told, where it has one.
    told: Option<Told>,
    writes: usize,
    body_bytes: usize,
    fresh: bool,
    sealing: bool,
    committed: bool,
}

impl<'s> Batch<'s> {
    pub(crate) fn new(store: &'s Store, writing: MutexGuard<'s, Writing>) -> Self {
        let before = writing.tails();
        Self {
            store,
            writing,
            before,
            operations: sled::Batch::default(),
            of_snapshots: None,
            journal: Vec::new(),
            bodies: HashSet::new(),
            told: store.listener.as_ref().map(|_| Told::default()),
            writes: 0,
            body_bytes: 0,
            fresh: false,
            sealing: false,
            committed: false,
        }
    }

    /// What is known of an address.
    pub fn put_url(
        &mut self,
        owner: Option<&SiteId>,
        url: &str,
        record: &UrlRecord,
    ) -> Result<(), StoreError> {
        self.put(Space::Url, &[owner_bytes(owner), url.as_bytes()], record)
    }

    /// Forgets what is known of an address.
    pub fn delete_url(&mut self, owner: Option<&SiteId>, url: &str) {
        self.delete(Space::Url, &[owner_bytes(owner), url.as_bytes()]);
    }

    /// A snapshot of a site's page; its body is written only when no other snapshot has it.
    pub fn put_snapshot(
        &mut self,
        owner: Option<&SiteId>,
        snapshot: &Snapshot,
        body: &[u8],
    ) -> Result<(), StoreError> {
        self.tell(|| Write::Snapshot {
            owner: owner.cloned(),
            snapshot: Box::new(snapshot.clone()),
            body: body.to_vec(),
        });
        self.keep_snapshot(owner, snapshot, body)
    }

    fn keep_snapshot(
        &mut self,
        owner: Option<&SiteId>,
        snapshot: &Snapshot,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let hash = snapshot.body_hash;
        let key = Space::Body.key(&[hash.as_bytes()]);
        let kept = self.bodies.contains(&hash) || self.store.has_body(&hash)?;
        let place = if kept {
            self.writing.archive.append(&warc::revisit(owner, snapshot))?
        } else {
            let place = self.writing.archive.append(&warc::response(owner, snapshot, body))?;
            self.insert(key, encode(&place)?);
            self.bodies.insert(hash);
            self.body_bytes += body.len();
            place
        };
        let time = time_key(snapshot.fetched_at);
        let url = snapshot.url.as_str().as_bytes();
        let kept = encode(&KeptSnapshot::new(snapshot, place))?;
        self.insert(Space::Snapshot.key(&[url, &time]), kept);
        self.writes += 1;
        Ok(())
    }

    /// A record that a page was seen unchanged, if its body is kept.
    pub fn put_revisit(&mut self, owner: Option<&SiteId>, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.tell(|| Write::Revisit { owner: owner.cloned(), snapshot: Box::new(snapshot.clone()) });
        if !self.store.has_body(&snapshot.body_hash)? {
            return Ok(());
        }
        self.keep_snapshot(owner, snapshot, &[])
    }

    /// Forgets a snapshot. Its record stays in the archive until that is compacted.
    pub fn delete_snapshot(&mut self, url: &PageUrl, at: Timestamp) {
        self.delete(Space::Snapshot, &[url.as_str().as_bytes(), &time_key(at)]);
    }

    /// A record of the archive, moved to its end.
    pub(crate) fn append_record(&mut self, record: &[u8]) -> Result<Location, StoreError> {
        self.body_bytes += record.len();
        self.writing.archive.append(record)
    }

    /// Any small value.
    pub fn put<T: Serialize>(&mut self, space: Space, key: &[&[u8]], value: &T) -> Result<(), StoreError> {
        let (key, value) = (space.key(key), encode(value)?);
        self.tell(|| Write::Put { key: key.clone(), value: value.clone() });
        self.insert(key, value);
        self.writes += 1;
        Ok(())
    }

    /// What another store was told, as part of this batch.
    pub fn apply(&mut self, write: Write) -> Result<(), StoreError> {
        match write {
            Write::Put { key, value } => {
                self.insert(key, value);
                self.writes += 1;
            }
            Write::Delete { key } => self.remove(key),
            Write::Snapshot { owner, snapshot, body } => {
                self.put_snapshot(owner.as_ref(), &snapshot, &body)?;
            }
            Write::Revisit { owner, snapshot } => self.put_revisit(owner.as_ref(), &snapshot)?,
        }
        Ok(())
    }

    /// Adds to what the store's listener is told with this batch.
    pub fn attach(&mut self, note: Vec<u8>) {
        if let Some(told) = &mut self.told {
            told.note = note;
        }
    }

    fn tell(&mut self, write: impl FnOnce() -> Write) {
        if let Some(told) = &mut self.told {
            told.writes.push(write());
        }
    }

    pub(crate) fn insert(&mut self, key: Vec<u8>, value: Vec<u8>) {
        if Space::journals(&key) {
            self.journal.push((key.clone(), Some(value.clone())));
        }
        self.operations_on(&key).insert(key, value);
    }

    fn operations_on(&mut self, key: &[u8]) -> &mut sled::Batch {
        if snapshots::holds(key) { self.of_snapshots.get_or_insert_default() } else { &mut self.operations }
    }

    /// Removes a value.
    pub fn delete(&mut self, space: Space, key: &[&[u8]]) {
        let key = space.key(key);
        self.tell(|| Write::Delete { key: key.clone() });
        self.remove(key);
    }

    fn remove(&mut self, key: Vec<u8>) {
        if Space::journals(&key) {
            self.journal.push((key.clone(), None));
        }
        self.operations_on(&key).remove(key);
    }

    /// Begins a checkpoint: the journal goes on in a new file, and an index made from it begins
    /// with this batch.
    pub(crate) fn begin_checkpoint(&mut self) -> Result<u32, StoreError> {
        self.fresh = true;
        self.writing.journal.next_segment()?;
        Ok(self.writing.journal.tail().segment)
    }

    /// Repeats index entries in the journal, as one entry of a checkpoint.
    pub(crate) fn repeat(&mut self, entries: Vec<(Vec<u8>, Vec<u8>)>) -> Result<(), StoreError> {
        let writes = entries.into_iter().map(|(key, value)| (key, Some(value))).collect();
        self.append_journal(writes)
    }

    /// Ends a checkpoint with this batch's commit.
    pub(crate) fn seal(&mut self) {
        self.sealing = true;
        // It is repeated with the rest.
        self.of_snapshots.get_or_insert_default();
    }

    fn append_journal(&mut self, writes: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Result<(), StoreError> {
        let tails = self.writing.tails();
        let entry = Entry {
            batch: self.writing.batch + 1,
            fresh: std::mem::take(&mut self.fresh),
            sealed: std::mem::take(&mut self.sealing),
            archive: tails.archive,
            retired: Location::default(),
            writes,
        };
        self.writing.journal.append(&encode(&entry)?)?;
        Ok(())
    }

    /// Writes to the index so far.
    pub fn writes(&self) -> usize {
        self.writes
    }

    /// Bytes of new bodies so far.
    pub fn body_bytes(&self) -> usize {
        self.body_bytes
    }

    /// Makes it last, unless the store is ephemeral: archive and journal first, then the index. A listener is told
    /// before anything is kept; where it refuses, nothing is.
    pub fn commit(mut self) -> Result<(), StoreError> {
        if let (Some(listener), Some(told)) = (&self.store.listener, self.told.take()) {
            listener.told(told)?;
        }
        if self.writing.snapshots_behind {
            self.store.snapshots.follow(&self.store.index)?;
            self.writing.snapshots_behind = false;
        }
        let lasts = !self.store.ephemeral;
        if lasts {
            self.writing.archive.sync()?;
        }
        let journal = std::mem::take(&mut self.journal);
        // Also when nothing of it is journaled: the numbers have to go on without a gap.
        self.append_journal(journal)?;
        if lasts {
            self.writing.journal.sync()?;
        }
        let tails = self.writing.tails();
        if tails != self.before {
            self.operations.insert(Space::Meta.key(&[b"tails"]), encode(&tails)?);
        }
        let batch = self.writing.batch + 1;
        self.operations.insert(Space::Meta.key(&[b"batch"]), encode(&batch)?);
        let of_snapshots = self.of_snapshots.take();
        if of_snapshots.is_some() {
            self.operations.insert(Space::Meta.key(snapshots::WANTED), encode(&batch)?);
        }
        let operations = std::mem::take(&mut self.operations);
        // From here on the index may point into the segments, so they must stay as they are.
        self.committed = true;
        self.store.index.apply_batch(operations).map_err(StoreError::index)?;
        if lasts {
            self.store.index.flush().map_err(StoreError::index)?;
        }
        self.writing.batch = batch;
        if let Some(mut operations) = of_snapshots {
            let (key, value) = snapshots::know(Known { batch, journal: tails.journal })?;
            operations.insert(key, value);
            // Until it is done: the journal has it.
            self.writing.snapshots_behind = true;
            let snapshots = self.store.snapshots()?;
            snapshots.apply_batch(operations).map_err(StoreError::index)?;
            if lasts {
                snapshots.flush().map_err(StoreError::index)?;
            }
            self.writing.snapshots_behind = false;
        }
        index::collect_garbage();
        if lasts { self.writing.acknowledged.write(batch) } else { Ok(()) }
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if !self.committed {
            self.writing.archive.rewind(self.before.archive);
            self.writing.journal.rewind(self.before.journal);
        }
    }
}
