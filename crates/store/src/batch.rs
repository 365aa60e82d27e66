//! One acknowledged step: everything in it is kept, or nothing.

use std::collections::HashSet;
use std::sync::MutexGuard;

use serde::Serialize;
use xunjian_model::{BodyHash, Facts, FactsPlace, SiteId, Snapshot, UrlRecord};

use crate::records::KeptSnapshot;
use crate::segment::Location;
use crate::{Space, Store, StoreError, Writing, encode, owner_bytes, time_key, warc};

/// A batch of writes. Dropping it without [`Batch::commit`] takes everything back.
pub struct Batch<'s> {
    store: &'s Store,
    writing: MutexGuard<'s, Writing>,
    before: (Location, Location),
    operations: sled::Batch,
    bodies: HashSet<BodyHash>,
    writes: usize,
    body_bytes: usize,
    committed: bool,
}

impl<'s> Batch<'s> {
    pub(crate) fn new(store: &'s Store, writing: MutexGuard<'s, Writing>) -> Self {
        let before = (writing.archive.tail(), writing.facts.tail());
        Self {
            store,
            writing,
            before,
            operations: sled::Batch::default(),
            bodies: HashSet::new(),
            writes: 0,
            body_bytes: 0,
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

    /// A snapshot; its body is written only when no other snapshot has it.
    pub fn put_snapshot(&mut self, snapshot: &Snapshot, body: &[u8]) -> Result<(), StoreError> {
        let hash = snapshot.body_hash;
        let key = Space::Body.key(&[hash.as_bytes()]);
        let kept =
            self.bodies.contains(&hash) || self.store.index.contains_key(&key).map_err(StoreError::index)?;
        let place = if kept {
            self.writing.archive.append(&warc::revisit(snapshot))?
        } else {
            let place = self.writing.archive.append(&warc::response(snapshot, body))?;
            self.operations.insert(key, encode(&place)?);
            self.bodies.insert(hash);
            self.body_bytes += body.len();
            place
        };
        let time = time_key(snapshot.fetched_at);
        let url = snapshot.url.as_str().as_bytes();
        self.put(Space::Snapshot, &[url, &time], &KeptSnapshot::new(snapshot, place))
    }

    /// The facts of a body; their place belongs into the address's record.
    pub fn put_facts(&mut self, extractor: u16, facts: &Facts) -> Result<FactsPlace, StoreError> {
        let Location { segment, offset, bytes } = self.writing.facts.append(&encode(facts)?)?;
        Ok(FactsPlace { extractor, segment, offset, bytes })
    }

    /// Any small value.
    pub fn put<T: Serialize>(&mut self, space: Space, key: &[&[u8]], value: &T) -> Result<(), StoreError> {
        self.operations.insert(space.key(key), encode(value)?);
        self.writes += 1;
        Ok(())
    }

    /// Removes a value.
    pub fn delete(&mut self, space: Space, key: &[&[u8]]) {
        self.operations.remove(space.key(key));
    }

    /// Writes to the index so far.
    pub fn writes(&self) -> usize {
        self.writes
    }

    /// Bytes of new bodies so far.
    pub fn body_bytes(&self) -> usize {
        self.body_bytes
    }

    /// Makes it last: segments first, then the index.
    pub fn commit(mut self) -> Result<(), StoreError> {
        self.writing.archive.sync()?;
        self.writing.facts.sync()?;
        let tails = (self.writing.archive.tail(), self.writing.facts.tail());
        if tails != self.before {
            self.operations.insert(Space::Meta.key(&[b"tails"]), encode(&tails)?);
        }
        let batch = self.writing.batch + 1;
        self.operations.insert(Space::Meta.key(&[b"batch"]), encode(&batch)?);
        let operations = std::mem::take(&mut self.operations);
        // From here on the index may point into the segments, so they must stay as they are.
        self.committed = true;
        self.store.index.apply_batch(operations).map_err(StoreError::index)?;
        self.store.index.flush().map_err(StoreError::index)?;
        self.writing.batch = batch;
        self.writing.acknowledged.write(batch)
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if !self.committed {
            self.writing.archive.rewind(self.before.0);
            self.writing.facts.rewind(self.before.1);
        }
    }
}
