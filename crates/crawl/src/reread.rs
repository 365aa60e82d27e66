//! Links of pages that are kept already, where this version reads more in a page than the one that kept it.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use xunjian_model::{LinkState, PageUrl, Target, UrlRecord};
use xunjian_page::{EXTRACTOR_VERSION, extract};
use xunjian_store::{Space, Store, StoreError};

use crate::look::{links_of, target_of};
use crate::setup::{CrawlSetup, SiteCrawl};
use crate::sites::{SiteLearnt, SiteState};
use crate::traps;

/// Addresses kept in one batch.
const BATCH: usize = 4_096;
/// Key of the extractor whose links are known.
const KEY: &[u8] = b"extractor";

/// Makes known what the pages of `setup`'s sites lead to and an earlier version did not see: a page that does
/// not change is not read for its links again. For runs over the whole register, once after each such update.
pub fn reread(store: &Arc<Store>, setup: &CrawlSetup, now: Timestamp) -> Result<(), StoreError> {
    if store.get::<u16>(Space::Run, &[KEY])? == Some(EXTRACTOR_VERSION) {
        return Ok(());
    }
    if store.key_from(Space::Url, &[])?.is_some() {
        tracing::info!("this version reads more links: those of kept pages are read again, once");
    }
    let mut sites = Vec::new();
    for site in &setup.sites {
        let learnt = SiteLearnt::read(store, &site.id)?;
        sites.push(SiteState::new(site.clone(), Vec::new(), learnt, &SiteCrawl::default()));
    }
    let mut by_host: HashMap<&str, Vec<&SiteState>> = HashMap::new();
    for state in &sites {
        for host in state.site.hosts() {
            by_host.entry(host).or_default().push(state);
        }
    }
    let owner_of =
        |url: &PageUrl| by_host.get(url.host())?.iter().copied().find(|state| state.site.in_scope(url));
    let mut batch = store.begin();
    let mut count = 0_usize;
    for state in &sites {
        for row in store.urls(Some(&state.site.id)) {
            let (text, record) = row?;
            let Some(body) = page_of(&record).and_then(|hash| store.body(&hash).ok().flatten()) else {
                continue;
            };
            let Ok(page) = PageUrl::parse(&text) else { continue };
            let facts = extract(&body, record.media_type.as_deref(), &page, setup.page);
            for (url, kind) in state.not_handed_over(links_of(&facts)) {
                let Ok(url) = PageUrl::parse(url) else { continue };
                let owner = owner_of(&url);
                let depth = record.depth.saturating_add(1);
                let Some(target) = target_of(&url, kind, owner.is_some()) else { continue };
                if depth > setup.limits.depth_max || owner.is_none() && !setup.limits.outside {
                    continue;
                }
                let url = owner.map_or_else(|| url.clone(), |owner| owner.canonical(&url));
                if owner.is_some_and(|owner| is_cut(owner, &url, target)) {
                    continue;
                }
                let id = owner.map(|owner| &owner.site.id);
                if store.knows(id, url.as_str())? {
                    continue;
                }
                batch.put_url(id, url.as_str(), &UrlRecord::discovered(id.cloned(), target, depth, now))?;
                count += 1;
                if count.is_multiple_of(BATCH) {
                    batch.commit()?;
                    batch = store.begin();
                }
            }
        }
    }
    if count > 0 {
        tracing::info!(count, "links of kept pages that an earlier version did not see");
    }
    batch.put(Space::Run, &[KEY], &EXTRACTOR_VERSION)?;
    batch.commit()
}

/// The body of a page that shows something.
fn page_of(record: &UrlRecord) -> Option<xunjian_model::BodyHash> {
    let shows = record.target == Target::Page && record.state == Some(LinkState::Ok);
    record.body_hash.filter(|_| shows)
}

fn is_cut(owner: &SiteState, url: &PageUrl, target: Target) -> bool {
    traps::is_converted(url) || target == Target::Page && (traps::is_endless(url) || owner.is_cut(url))
}
