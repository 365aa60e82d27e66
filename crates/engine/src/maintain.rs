//! Care for the store: compaction that keeps evidence.

use std::collections::HashSet;

use xunjian_store::{Compacted, Retention, Store};

use crate::{EngineError, Settings, life};

/// Compacts the store of the settings. What a finding is proved by, current or gone, is kept.
pub fn compact(settings: &Settings) -> Result<Compacted, EngineError> {
    let store = Store::open(&settings.data)?;
    let mut evidence: HashSet<String> = HashSet::new();
    for site in &settings.sites {
        for finding in life::all(&store, &site.id)? {
            evidence.extend(finding.evidence.snapshot);
        }
    }
    let is_evidence = |_: &xunjian_model::PageUrl, at: jiff::Timestamp, hash: &xunjian_model::BodyHash| {
        evidence.contains(&format!("{}@{at}", hash.to_hex()))
    };
    let retention = Retention { versions_max: settings.versions_max, is_evidence: &is_evidence };
    Ok(store.compact(&retention)?)
}
