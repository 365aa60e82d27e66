//! Care for the store: compaction that keeps evidence.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use xunjian_judge::Quarter;
use xunjian_model::SiteId;
use xunjian_store::{Compacted, Retention, Store, StoreError};

use crate::{Engine, EngineError, Settings, life};

/// Quarters at whose end a page's version is kept, whatever came after: the last one, and those it is compared with.
const QUARTERS: usize = 5;

impl Engine {
    /// Makes the index smaller when it has grown much, as after a first crawl.
    pub fn tidy(&mut self) -> Result<(), EngineError> {
        // Whoever still reads finds the index as it was; the next night will do.
        let Some(store) = Arc::get_mut(&mut self.store) else { return Ok(()) };
        if store.tidy()? {
            tracing::info!("the index was written anew");
        }
        Ok(())
    }

    /// Compacts the store when the settings want that, not all versions being kept, and it is time; not while
    /// somebody else reads.
    pub fn retain(&mut self) -> Result<Option<Compacted>, EngineError> {
        let Settings { versions_max, compact_days, .. } = self.settings;
        let (owners, moments) = (self.finding_owners(), self.moments());
        let Some(store) = Arc::get_mut(&mut self.store) else { return Ok(None) };
        if versions_max == 0
            || compact_days == 0
            || !store.is_to_be_compacted(compact_days, Timestamp::now())?
        {
            return Ok(None);
        }
        Ok(Some(compacted(store, owners, versions_max, &moments)?))
    }

    /// The ends of the last quarters, which are judged from what pages were then.
    fn moments(&self) -> Vec<Timestamp> {
        let mut quarter = Quarter::of(self.day(Timestamp::now()));
        let ends = std::iter::repeat_with(|| {
            quarter = quarter.before();
            self.end_of(quarter.last())
        });
        ends.take(QUARTERS).collect()
    }
}

/// Compacts the store of the settings. What a finding is proved by, current or gone, and every step of its
/// case is kept.
pub fn compact(settings: &Settings) -> Result<Compacted, EngineError> {
    let mut engine = Engine::open(settings.clone())?;
    let (owners, moments) = (engine.finding_owners(), engine.moments());
    // Nobody else has this one.
    let store = Arc::get_mut(&mut engine.store).ok_or(EngineError::Unfinished("the store is being read"))?;
    Ok(compacted(store, owners, settings.versions_max, &moments)?)
}

fn compacted(
    store: &mut Store,
    owners: Vec<SiteId>,
    versions_max: usize,
    moments: &[Timestamp],
) -> Result<Compacted, StoreError> {
    let mut evidence: HashSet<String> = HashSet::new();
    for site in owners {
        for finding in life::all(store, &site)? {
            evidence.extend(finding.evidence.snapshot);
        }
        for case in life::cases(store, &site)?.into_values() {
            evidence.extend(case.history.into_iter().filter_map(|event| event.snapshot));
        }
    }
    let is_evidence = |_: &xunjian_model::PageUrl, at: Timestamp, hash: &xunjian_model::BodyHash| {
        evidence.contains(&format!("{}@{at}", hash.to_hex()))
    };
    store.compact(&Retention { versions_max, moments, is_evidence: &is_evidence })
}
