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
    /// In one that says nothing of what is there.
    unknown: FxHashSet<u64>,
}

impl LinkStates {
    /// Reads the states of every address known, of several sites at once; only those of which not all is well
    /// are held. Where nothing `outside` can be reached, that says nothing of what is there.
    pub fn read<'a>(
        store: &Store,
        (sites, outside): (impl Iterator<Item = &'a SiteId>, bool),
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
        let own = found.len() - 1;
        for (at, found) in found.into_iter().enumerate() {
            for (hash, state) in found {
                match at == own && !outside && matches!(state, LinkState::NoSuchHost | LinkState::Refused) {
                    true => _ = states.unknown.insert(hash),
                    false => states.add(hash, state),
                }
            }
        }
        Ok(states)
    }

    fn add(&mut self, hash: u64, state: LinkState) {
        // A host that refuses is both: a link to it is dead, and its pages may be as they were.
        if state.is_unknown() {
            self.unknown.insert(hash);
        }
        if is_bad(&state) {
            self.bad.insert(hash, state);
        }
    }

    /// The bad state of an address, if it has one.
    pub(crate) fn get(&self, hash: u64) -> Option<&LinkState> {
        self.bad.get(&hash)
    }

    /// Whether nothing is known of what is at an address.
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
        state if state.is_dead() => Some(kind_of_dead(link)),
        _ => None,
    }
}

/// The finding that a link of a use is when nobody can open it.
pub(crate) fn kind_of_dead(link: LinkKind) -> Kind {
    match link {
        LinkKind::Image | LinkKind::Media => Kind::DeadImage,
        LinkKind::Attachment => Kind::DeadAttachment,
        _ => Kind::DeadLink,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_be_as_it_was_where_a_link_to_it_is_dead() {
        let tls = || LinkState::Tls("expired".to_owned());
        let cases = [
            (LinkState::Gone(404), true, false),
            (LinkState::NoSuchHost, true, false),
            (LinkState::Refused, true, true),
            (tls(), true, true),
            (LinkState::Timeout, false, true),
            (LinkState::ServerError(500), false, true),
            (LinkState::Forbidden(403), false, true),
            (LinkState::Ok, false, false),
        ];
        let mut states = LinkStates::default();
        for (hash, (state, bad, unknown)) in (0..).zip(cases) {
            states.add(hash, state.clone());
            assert_eq!((states.get(hash).is_some(), states.is_unknown(hash)), (bad, unknown), "{state:?}");
        }
    }
}
