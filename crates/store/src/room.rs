//! Room on the disk. What writes much stops while enough is left to say so, and to let old versions go.

use std::sync::atomic::Ordering;

use crate::{Store, StoreError};

impl Store {
    /// Bytes that can still be written where the store lies.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        let disk = rustix::fs::statvfs(&self.folder)
            .map_err(|error| StoreError::Io { path: self.folder.clone(), source: error.into() })?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// How many bytes [`Store::has_room`] leaves free from now on; 0, as at first: none.
    pub fn leave_free(&self, bytes: u64) {
        self.free_min.store(bytes, Ordering::Relaxed);
    }

    /// An error when fewer bytes are free than are to be left; asked by whoever is about to write much.
    pub fn has_room(&self) -> Result<(), StoreError> {
        let min = self.free_min.load(Ordering::Relaxed);
        if min == 0 {
            return Ok(());
        }
        let free = self.free_bytes()?;
        if free >= min {
            return Ok(());
        }
        Err(StoreError::Full { path: self.folder.clone(), free: free >> 20, min: min >> 20 })
    }
}
