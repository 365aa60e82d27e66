//! Kept facts: a cache beside the archive, made anew from bodies whenever it is thrown away.

use xunjian_model::{Facts, FactsPlace};

use crate::Store;
use crate::segment::Location;

impl Store {
    /// Kept facts, if this extractor made them. What cannot be read is a cache miss.
    pub fn facts(&self, kept: FactsPlace, extractor: u16) -> Option<Facts> {
        if kept.extractor != extractor {
            return None;
        }
        let place = Location { segment: kept.segment, offset: kept.offset, bytes: kept.bytes };
        match self.facts.read(place) {
            Ok(bytes) => postcard::from_bytes(&bytes).ok(),
            Err(error) => {
                tracing::warn!(%error, "kept facts cannot be read; extracting again");
                None
            }
        }
    }
}
