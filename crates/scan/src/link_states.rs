//! Links that lead nowhere good, over all sites.

use rayon::ThreadPool;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use xunjian_model::{Kind, LinkKind, LinkState, SiteId};
use xunjian_store::{Store, StoreError};

use crate::digest::{short, url_hash};

/// Addresses of which not all is well, by hash.
#[derive(Debug, Default)]
pub struct LinkStates {
    /// In a state a link to them should not be in.
    bad: FxHashMap<u64, LinkState>,
    /// In one that says neither that a link to them is good nor that it is bad.
    unknown: FxHashSet<u64>,
}

impl LinkStates {
    /// Reads the states of every address known, of several sites at once; only those of which not all is well
    /// are held.
    pub fn read<'a>(
        store: &Store,
        sites: impl Iterator<Item = &'a SiteId>,
        pool: &ThreadPool,
    ) -> Result<Self, StoreError> {
        let owners: Vec<Option<&SiteId>> = sites.map(Some).chain(std::iter::once(None)).collect();
        let not_well = |owner| {
            let rows = store.states(owner).filter_map(|row| match row {
                Ok((url, state)) => state
                    .filter(|state| is_bad(state) || state.is_unknown())
                    .map(|state| Ok((url_hash(&url), state))),
                Err(error) => Some(Err(error)),
            });
            rows.collect::<Result<Vec<_>, _>>()
        };
        let found: Vec<_> =
            pool.install(|| owners.into_par_iter().map(not_well).collect::<Result<_, _>>())?;
        let mut states = Self::default();
        for (hash, state) in found.into_iter().flatten() {
            match is_bad(&state) {
                true => _ = states.bad.insert(hash, state),
                false => _ = states.unknown.insert(hash),
            }
        }
        Ok(states)
    }

    /// The bad state of an address, if it has one.
    pub(crate) fn get(&self, hash: u64) -> Option<&LinkState> {
        self.bad.get(&hash)
    }

    /// Whether nothing is known of an address.
    pub(crate) fn is_unknown(&self, hash: u64) -> bool {
        self.unknown.contains(&hash)
    }

    /// Which of a page's links are in which bad states; 0 when none is.
    pub(crate) fn state_of(&self, links: &[u64]) -> u64 {
        let mut hasher = None;
        for link in links {
            let Some(state) = self.bad.get(link) else { continue };
            let hasher = hasher.get_or_insert_with(blake3::Hasher::new);
            hasher.update(&link.to_le_bytes());
            hasher.update(state.describe().as_bytes());
        }
        hasher.map_or(0, |hasher| short(&hasher.finalize()).max(1))
    }
}

fn is_bad(state: &LinkState) -> bool {
    kind_of(state, LinkKind::Page).is_some()
}

/// The finding a link of a use in a state is.
pub(crate) fn kind_of(state: &LinkState, link: LinkKind) -> Option<Kind> {
    match state {
        LinkState::Soft404 => Some(Kind::Soft404),
        LinkState::Tls(_) => Some(Kind::TlsError),
        LinkState::Private => Some(Kind::PrivateLink),
        LinkState::Hijacked(_) => Some(Kind::HijackedLink),
        state if state.is_dead() => Some(match link {
            LinkKind::Image | LinkKind::Media => Kind::DeadImage,
            LinkKind::Attachment => Kind::DeadAttachment,
            _ => Kind::DeadLink,
        }),
        _ => None,
    }
}
