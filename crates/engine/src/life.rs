//! The life of findings between nights: new, still there, gone, relapsed.

use std::collections::HashMap;

use jiff::Timestamp;
use xunjian_model::{Finding, FindingId, FindingState, SiteId};
use xunjian_store::{Space, Store, StoreError};

/// Counts of a site's findings.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lives {
    pub(crate) current: u64,
    pub(crate) new: u64,
    pub(crate) gone: u64,
}

/// Every finding ever seen of a site.
pub(crate) fn all(store: &Store, site: &SiteId) -> Result<Vec<Finding>, StoreError> {
    let rows = store.scan(Space::Finding, &[site.as_str().as_bytes(), b""]);
    rows.map(|row| row.map(|(_, finding)| finding)).collect()
}

/// Brings the kept lives up to this run. Doing it twice in one run changes nothing. Findings of
/// a site that was not seen whole are not taken for gone.
pub(crate) fn live(
    store: &Store,
    site: &SiteId,
    found: Vec<Finding>,
    run_at: Timestamp,
    complete: bool,
) -> Result<Lives, StoreError> {
    let mut before: HashMap<FindingId, Finding> =
        all(store, site)?.into_iter().map(|finding| (finding.id.clone(), finding)).collect();
    let mut lives = Lives::default();
    let mut batch = store.begin();
    for mut finding in found {
        if let Some(known) = before.remove(&finding.id) {
            finding.first_seen = known.first_seen;
            finding.state = match known.state {
                FindingState::Gone => FindingState::Relapsed,
                state if known.last_seen == run_at => state,
                _ => FindingState::Open,
            };
        }
        lives.current += 1;
        lives.new += u64::from(finding.state == FindingState::New);
        batch.put(Space::Finding, &[site.as_str().as_bytes(), finding.id.as_str().as_bytes()], &finding)?;
    }
    for (id, mut finding) in before {
        if finding.state == FindingState::Gone || !complete {
            continue;
        }
        finding.state = FindingState::Gone;
        lives.gone += 1;
        batch.put(Space::Finding, &[site.as_str().as_bytes(), id.as_str().as_bytes()], &finding)?;
    }
    batch.commit()?;
    Ok(lives)
}
