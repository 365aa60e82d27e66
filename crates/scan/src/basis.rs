//! What digests of a site's pages are made with, and which of those made with other words still hold.
//!
//! Beside the digests stands what the last scan made them with, and which words changed since the states
//! before it. A digest of such a state holds when its page has none of the words that changed since: so a
//! changed dictionary costs only the pages that may have its changed words. Which pages these are is told by
//! [`TextPairs`], which are kept from the first change on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use xunjian_dict::{ChangedWords, Sought, Vocabulary};
use xunjian_model::{Canonical, Site};
use xunjian_store::{Digests, StoreError};

use crate::ScanSetup;
use crate::digest::Digest;
use crate::known_texts::TextPairs;

/// Where it stands among the digests; no address is written so.
const KEY: &str = "@basis";
/// Where the words stand that belong to it; without a change nobody reads them.
const WORDS_KEY: &str = "@words";
/// Patterns and phrases of a site's dictionaries that are kept to be compared with the next ones.
const VOCABULARY_MAX: usize = 200_000;
/// Words that may have changed since a state of which digests are still used; where more did, hardly a page
/// has none of them.
const CHANGED_MAX: usize = 5_000;
/// Earlier states of which digests are still used.
const STATES_MAX: usize = 16;

/// What dictionaries look for, by their fingerprint: most sites have the same.
#[derive(Debug, Default)]
pub struct Vocabularies(Mutex<HashMap<[u8; 32], Arc<Vocabulary>>>);

/// What digests are made with, besides the page itself.
#[derive(Debug)]
pub(crate) struct Basis {
    /// Names it; every digest says which it was made with.
    pub(crate) fingerprint: [u8; 32],
    /// The pairs of texts that are read are kept.
    pub(crate) gathers: bool,
    /// Earlier states and what changed since.
    before: Vec<([u8; 32], Sought)>,
}

/// The same as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    fingerprint: [u8; 32],
    /// Name of all of it but the words.
    rest: [u8; 32],
    /// The words changed once, so they may change again.
    gathers: bool,
    before: Vec<State>,
}

/// The words of a basis.
#[derive(Debug, Serialize, Deserialize)]
struct Words<V> {
    /// Which basis: another one may have been kept without them when a scan was killed.
    fingerprint: [u8; 32],
    words: V,
}

/// An earlier state.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    fingerprint: [u8; 32],
    /// Words that changed since.
    changed: ChangedWords,
}

impl Basis {
    /// That of a scan. It is kept at once: digests of earlier states are looked at by it, and new ones name it.
    pub(crate) fn of(
        setup: &ScanSetup,
        site: &Site,
        canonical: &Canonical,
        digests: &Digests<'_>,
    ) -> Result<Self, StoreError> {
        let (words, rest) = (setup.matcher.fingerprint(site.id.as_str()), setup.rest_fingerprint(canonical));
        let fingerprint = *blake3::hash(&[words, rest].concat()).as_bytes();
        let kept: Option<Kept> = digests.get(KEY)?;
        let known = kept.as_ref().is_some_and(|kept| kept.fingerprint == fingerprint);
        // Digests of an earlier moment are made once, and go with their scan.
        let kept = if known || setup.as_of.is_some() {
            kept
        } else {
            let words = &*setup.vocabulary(site, words);
            let last = kept.map(|kept| words_of(&kept, digests).map(|words| Some((kept, words?))));
            let last = last.transpose()?.flatten().filter(|(_, last)| !last.is_empty() && !words.is_empty());
            let changed = last.as_ref().map(|(_, last)| last.changed(words)).unwrap_or_default();
            let gathers = !changed.is_empty() || last.as_ref().is_some_and(|(kept, _)| kept.gathers);
            let last = last.map(|(kept, _)| kept).filter(|kept| kept.rest == rest);
            let before = last.map(|kept| states(kept, &changed)).unwrap_or_default();
            let kept = Kept { fingerprint, rest, gathers, before };
            digests.put(std::iter::once((WORDS_KEY, &Words { fingerprint, words })))?;
            digests.put(std::iter::once((KEY, &kept)))?;
            Some(kept)
        };
        let gathers = kept.as_ref().is_some_and(|kept| kept.gathers);
        let before = kept.into_iter().flat_map(|kept| kept.before);
        let before = before.map(|state| (state.fingerprint, state.changed.sought())).collect();
        Ok(Self { fingerprint, gathers, before })
    }

    /// Whether a digest that was made of a page with other words is what would be made now, as far as the page
    /// is the same.
    pub(crate) fn still_holds(
        &self,
        digests: &Digests<'_>,
        url: &str,
        digest: &Digest,
    ) -> Result<bool, StoreError> {
        let state = self.before.iter().find(|(fingerprint, _)| *fingerprint == digest.fingerprint);
        let Some((_, changed)) = state else { return Ok(false) };
        let pairs = TextPairs::kept(digests, url, digest.body)?;
        Ok(pairs.is_some_and(|pairs| !changed.may_be_in(&pairs)))
    }
}

/// The words of what was kept; `None` where they are gone.
fn words_of(kept: &Kept, digests: &Digests<'_>) -> Result<Option<Vocabulary>, StoreError> {
    let words = digests.get::<Words<Vocabulary>>(WORDS_KEY)?;
    Ok(words.filter(|words| words.fingerprint == kept.fingerprint).map(|words| words.words))
}

/// The last state and those before it, from all of which on these words changed.
fn states(kept: Kept, changed: &ChangedWords) -> Vec<State> {
    let last = State { fingerprint: kept.fingerprint, changed: changed.clone() };
    let before = kept.before.into_iter().map(|state| State { changed: state.changed.and(changed), ..state });
    let few = |state: &State| state.changed.len() <= CHANGED_MAX;
    std::iter::once(last).chain(before).filter(few).take(STATES_MAX).collect()
}

impl ScanSetup {
    /// What a site's dictionaries look for; nothing where that is too much to be kept.
    fn vocabulary(&self, site: &Site, fingerprint: [u8; 32]) -> Arc<Vocabulary> {
        let mut known = self.vocabularies.0.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || {
            let words = self.matcher.vocabulary(site.id.as_str());
            Arc::new(if words.len() <= VOCABULARY_MAX { words } else { Vocabulary::default() })
        };
        Arc::clone(known.entry(fingerprint).or_insert_with(made))
    }

    /// What a digest is made with besides its page and the dictionaries.
    fn rest_fingerprint(&self, canonical: &Canonical) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.typo_model.as_ref().map_or([0; 32], |model| model.fingerprint()));
        hasher.update(&crate::SCANNER_VERSION.to_le_bytes());
        hasher.update(&(self.findings.page_max as u64).to_le_bytes());
        hasher.update(&xunjian_page::EXTRACTOR_VERSION.to_le_bytes());
        hasher.update(format!("{:?}", self.page).as_bytes());
        for rule in canonical.drop_parameters.iter().chain(&canonical.index_names) {
            hasher.update(rule.as_bytes());
            hasher.update(&[0]);
        }
        hasher.update(&[u8::from(canonical.slash)]);
        *hasher.finalize().as_bytes()
    }
}
