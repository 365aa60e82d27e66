//! Links that lead nowhere good, over all sites.

use std::collections::HashMap;

use xunjian_model::{Kind, LinkKind, LinkState, SiteId};
use xunjian_store::{Store, StoreError};

use crate::digest::url_hash;

/// Addresses in a state a link to them should not be in, by hash.
#[derive(Debug, Default)]
pub struct BadLinks(HashMap<u64, LinkState>);

impl BadLinks {
    /// Reads the states of every address known; only the bad ones are held.
    pub fn read<'a>(store: &Store, sites: impl Iterator<Item = &'a SiteId>) -> Result<Self, StoreError> {
        let mut bad = HashMap::new();
        for owner in sites.map(Some).chain(std::iter::once(None)) {
            for row in store.urls(owner) {
                let (url, record) = row?;
                if let Some(state) = record.state.filter(is_bad) {
                    bad.insert(url_hash(&url), state);
                }
            }
        }
        Ok(Self(bad))
    }

    /// The bad state of an address, if it has one.
    pub(crate) fn get(&self, hash: u64) -> Option<&LinkState> {
        self.0.get(&hash)
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
