//! Kept facts: a cache beside the archive, made anew from bodies whenever it is thrown away.

use serde::{Deserialize, Serialize};
use xunjian_model::{BodyHash, Facts, SiteId};

use crate::segment::Location;
use crate::{Space, Store, StoreError, owner_bytes};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FactsPlace {
    pub(crate) body: BodyHash,
    pub(crate) extractor: u16,
    pub(crate) place: Location,
}

impl Store {
    /// The facts of an address, if they are of this body and this extractor.
    pub fn facts(
        &self,
        owner: Option<&SiteId>,
        url: &str,
        body: &BodyHash,
        extractor: u16,
    ) -> Result<Option<Facts>, StoreError> {
        let place: Option<FactsPlace> = self.get(Space::Facts, &[owner_bytes(owner), url.as_bytes()])?;
        match place {
            Some(kept) if kept.body == *body && kept.extractor == extractor => {
                // A cache that cannot be read is a cache miss.
                let bytes = match self.facts.read(kept.place) {
                    Ok(bytes) => bytes,
                    Err(error) => {
                        tracing::warn!(url, %error, "kept facts cannot be read; extracting again");
                        return Ok(None);
                    }
                };
                Ok(postcard::from_bytes(&bytes).ok())
            }
            _ => Ok(None),
        }
    }
}
