//! One acknowledged step: everything in it is kept, or nothing.

use std::collections::HashMap;
use std::sync::MutexGuard;

use serde::Serialize;
use xunjian_model::{BodyHash, Facts, SiteId, Snapshot, UrlRecord};

use crate::facts::FactsPlace;
use crate::segment::Location;
use crate::{Space, Store, StoreError, Writing, encode, owner_bytes, time_key, warc};

/// A batch of writes. Dropping it without [`Batch::commit`] takes everything back.
pub struct Batch<'s> {
    store: &'s Store,
    writing: MutexGuard<'s, Writing>,
    before: (Location, Location),
    operations: sled::Batch,
    bodies: HashMap<BodyHash, ()>,
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
            bodies: HashMap::new(),
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
        let kept = self.bodies.contains_key(&hash)
            || self.store.index.contains_key(&key).map_err(StoreError::index)?;
        if kept {
            self.writing.archive.append(&warc::revisit(snapshot))?;
        } else {
            let place = self.writing.archive.append(&warc::response(snapshot, body))?;
            self.operations.insert(key, encode(&place)?);
            self.bodies.insert(hash, ());
        }
        let time = time_key(snapshot.fetched_at);
        self.put(Space::Snapshot, &[snapshot.url.as_str().as_bytes(), &time], snapshot)
    }

    /// The facts of an address.
    pub fn put_facts(
        &mut self,
        owner: Option<&SiteId>,
        url: &str,
        body: BodyHash,
        extractor: u16,
        facts: &Facts,
    ) -> Result<(), StoreError> {
        let place = self.writing.facts.append(&encode(facts)?)?;
        let kept = FactsPlace { body, extractor, place };
        self.put(Space::Facts, &[owner_bytes(owner), url.as_bytes()], &kept)
    }

    /// Any small value.
    pub fn put<T: Serialize>(&mut self, space: Space, key: &[&[u8]], value: &T) -> Result<(), StoreError> {
        self.operations.insert(space.key(key), encode(value)?);
        Ok(())
    }

    /// Removes a value.
    pub fn delete(&mut self, space: Space, key: &[&[u8]]) {
        self.operations.remove(space.key(key));
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
