//! Care for the store: compaction that keeps evidence.

use std::collections::HashSet;
use std::sync::Arc;

use xunjian_store::{Compacted, Retention, Store};

use crate::{Engine, EngineError, Settings, life};

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
}

/// Compacts the store of the settings. What a finding is proved by, current or gone, and every step of its
/// case is kept.
pub fn compact(settings: &Settings) -> Result<Compacted, EngineError> {
    let store = Store::open(&settings.data)?;
    let mut evidence: HashSet<String> = HashSet::new();
    for site in settings.sites.iter().map(|site| site.id.clone()).chain(crate::accounts::media_owner()) {
        for finding in life::all(&store, &site)? {
            evidence.extend(finding.evidence.snapshot);
        }
        for case in life::cases(&store, &site)?.into_values() {
            evidence.extend(case.history.into_iter().filter_map(|event| event.snapshot));
        }
    }
    let is_evidence = |_: &xunjian_model::PageUrl, at: jiff::Timestamp, hash: &xunjian_model::BodyHash| {
        evidence.contains(&format!("{}@{at}", hash.to_hex()))
    };
    let retention = Retention { versions_max: settings.versions_max, is_evidence: &is_evidence };
    Ok(store.compact(&retention)?)
}
