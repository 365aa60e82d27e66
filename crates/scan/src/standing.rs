//! Findings that stand already. Where one page stands for all that repeat a fault, it stays the same page from
//! night to night: a finding's life, and what people decided of it, belong to its place.

use std::collections::HashSet;
use std::sync::Arc;

use xunjian_model::{Finding, FindingState, Kind};

use crate::digest::short;

/// The findings of a site that its last look left standing.
#[derive(Clone, Debug, Default)]
pub struct Standing(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    /// What was found, by hashes.
    faults: HashSet<u64>,
    /// The same with the address.
    places: HashSet<u64>,
}

impl Standing {
    /// Of the kept findings those that were there.
    pub fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let mut known = Known::default();
        for finding in findings.into_iter().filter(|one| one.state != FindingState::Gone) {
            let what = finding.detail.get("what").map_or("", String::as_str);
            known.faults.insert(hash(finding.kind, what, ""));
            known.places.insert(hash(finding.kind, what, &finding.url));
        }
        Self(Arc::new(known))
    }

    /// Whether one of this fault stands at any address.
    pub(crate) fn knows(&self, kind: Kind, what: &str) -> bool {
        self.0.faults.contains(&hash(kind, what, ""))
    }

    /// Whether one stands at an address.
    pub(crate) fn is_at(&self, kind: Kind, what: &str, url: &str) -> bool {
        self.0.places.contains(&hash(kind, what, url))
    }
}

fn hash(kind: Kind, what: &str, url: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in [kind.as_str(), what, url] {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    short(&hasher.finalize())
}
