//! What a scan does not tell and that may be there all the same: nothing is mended because nobody saw it.

use std::cell::OnceCell;
use std::collections::HashSet;

use xunjian_model::{Canonical, Finding, Kind, LinkState, PageUrl, Rendering, Site, View};
use xunjian_store::{Digests, Store, StoreError};

use crate::digest::{Digest, url_hash};
use crate::link_states::LinkStates;
use crate::page::target_hash;
use crate::site::{SiteInput, SiteScan};

/// What a site's scan does not tell: what there is too much of, and what did not answer when it was asked for.
pub struct Untold<'s> {
    beyond: HashSet<(Kind, &'s str)>,
    cut: HashSet<&'s str>,
    states: &'s LinkStates,
    store: &'s Store,
    site: &'s Site,
    canonical: &'s Canonical,
    /// Opened when a page's links are asked for.
    digests: OnceCell<Option<Digests<'s>>>,
}

impl<'s> Untold<'s> {
    /// That of a scan, which was made with the same input and states.
    pub fn of(
        scan: &'s SiteScan,
        store: &'s Store,
        (site, input): (&'s Site, &'s SiteInput),
        states: &'s LinkStates,
    ) -> Self {
        Self {
            beyond: scan.beyond.iter().map(|one| (one.kind, one.what.as_str())).collect(),
            cut: scan.cut.iter().chain(&scan.unread).map(String::as_str).collect(),
            states,
            store,
            site,
            canonical: &input.canonical,
            digests: OnceCell::new(),
        }
    }

    /// Whether a finding that is not among the scan's may be there all the same. What cannot be read tells nothing.
    pub fn has(&self, finding: &Finding) -> bool {
        self.cut.contains(finding.url.as_str())
            || self.beyond.contains(&(finding.kind, finding.what()))
            || self.is_unseen(finding).unwrap_or(true)
            || self.leads_to_unknown(finding).unwrap_or(true)
    }

    /// Whether the scan has a finding from what its page shows now, not from what it showed when it was last seen.
    pub fn was_seen(&self, finding: &Finding) -> bool {
        !self.states.is_unknown(url_hash(&finding.url))
    }

    /// Whether its page did not answer this time, or was not rendered where only a browser had shown the fault.
    fn is_unseen(&self, finding: &Finding) -> Result<bool, StoreError> {
        let Some(page) = self.store.url(Some(&self.site.id), &finding.url)? else { return Ok(false) };
        if page.gone_since.is_none() && page.state.as_ref().is_some_and(LinkState::is_unknown) {
            return Ok(true);
        }
        Ok(page.rendering == Rendering::Wanted && self.was_rendered(finding)?)
    }

    fn was_rendered(&self, finding: &Finding) -> Result<bool, StoreError> {
        let at = finding.evidence.snapshot.as_deref().and_then(|name| name.split_once('@')?.1.parse().ok());
        let Some((url, at)) = PageUrl::parse(&finding.url).ok().zip(at) else { return Ok(false) };
        let snapshot = self.store.snapshot(&url, at)?;
        Ok(snapshot.is_some_and(|snapshot| snapshot.view == View::Rendered))
    }

    /// Whether it is a link that was bad, whose target did not answer this time, and that its page still has.
    fn leads_to_unknown(&self, finding: &Finding) -> Result<bool, StoreError> {
        let target = target_hash(finding.what(), self.site, self.canonical);
        Ok(finding.kind.is_of_a_link()
            && self.states.is_unknown(target)
            // A target that is bad is told of in the scan.
            && self.states.get(target).is_none()
            && self.has_link(&finding.url, target)?)
    }

    fn has_link(&self, page: &str, target: u64) -> Result<bool, StoreError> {
        let digests = match self.digests.get() {
            Some(digests) => digests,
            None => {
                let kept = self.store.kept_digests(self.site.id.as_str())?;
                self.digests.get_or_init(|| kept)
            }
        };
        let digest: Option<Digest> = match digests {
            Some(digests) => digests.get(page)?,
            None => None,
        };
        // A page that is known to be gone has none.
        Ok(digest.is_some_and(|digest| digest.links.contains(&target)))
    }
}
