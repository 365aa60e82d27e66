//! What an earlier scan knows of the texts of pages: which words they lack for sure, without a look at them.
//!
//! It stands beside the digests of sites whose words changed once; where they never do, nobody needs it.

use serde::{Deserialize, Serialize};
use xunjian_dict::{Pairing, Pairs};
use xunjian_model::{BodyHash, Facts, SiteId, UrlRecord};
use xunjian_store::{Digests, Store, StoreError};

use crate::words::texts_of_head;

/// The pairs of characters of a page's texts in which words are looked for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TextPairs {
    /// What the texts were read from, and by which version of the extractor.
    body: BodyHash,
    extractor: u16,
    pairs: Pairs,
}

impl TextPairs {
    /// Those of a page's facts: of its title, the labels that readers see, and its blocks.
    pub(crate) fn of(facts: &Facts, body: BodyHash) -> Self {
        let mut pairing = Pairing::default();
        texts_of_head(facts).for_each(|text| pairing.add(text));
        facts.blocks.iter().for_each(|block| pairing.add(&block.text));
        Self { body, extractor: xunjian_page::EXTRACTOR_VERSION, pairs: pairing.take() }
    }

    /// Where those of an address stand among the digests.
    pub(crate) fn key(url: &str) -> String {
        format!("@pairs {url}")
    }

    /// The pairs of what an address shows, if a scan kept them.
    pub(crate) fn kept(
        digests: &Digests<'_>,
        url: &str,
        body: BodyHash,
    ) -> Result<Option<Pairs>, StoreError> {
        let kept = digests.get::<Self>(&Self::key(url))?;
        let kept = kept.filter(|kept| kept.body == body && kept.extractor == xunjian_page::EXTRACTOR_VERSION);
        Ok(kept.map(|kept| kept.pairs))
    }
}

/// What earlier scans know of the texts of a site's pages.
#[derive(Debug)]
pub struct KnownTexts<'s>(Option<Digests<'s>>);

impl<'s> KnownTexts<'s> {
    /// Those of a site; none when it was never scanned.
    pub fn of(store: &'s Store, site: &SiteId) -> Result<Self, StoreError> {
        Ok(Self(store.kept_digests(site.as_str())?))
    }

    /// The pairs of characters of the texts of a page in which words are looked for: its title, the labels that
    /// readers see, and its blocks. `None` where no scan kept those of what the page shows now.
    pub fn pairs(&self, url: &str, record: &UrlRecord) -> Result<Option<Pairs>, StoreError> {
        let (Some(digests), Some((body, _))) = (&self.0, record.shown()) else { return Ok(None) };
        TextPairs::kept(digests, url, body)
    }
}
