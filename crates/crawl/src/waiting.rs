//! What a crawl that was stopped did not come to.

use std::collections::BTreeMap;
use std::sync::Arc;

use xunjian_frontier::Item;
use xunjian_model::{SiteId, Target};
use xunjian_store::{Space, Store, StoreError};

use crate::{SiteCrawl, site_crawl, site_key};

/// The word by which `left_out` counts pages that wait.
const WAITING: &str = "waiting";

/// Notes for each site how many of its pages wait in the queue that no run has seen yet. The others are known as they were.
pub fn note_waiting(store: &Arc<Store>, run: u32, sites: &[&SiteId]) -> Result<(), StoreError> {
    let mut waiting: BTreeMap<SiteId, u64> = BTreeMap::new();
    for row in store.scan::<Item>(Space::Queue, &[]) {
        let (_, item) = row?;
        let Some(site) = item.site.filter(|_| matches!(item.target, Target::Page | Target::Document)) else {
            continue;
        };
        let record = store.url(Some(&site), item.url.as_str())?;
        if record.is_none_or(|record| record.state.is_none()) {
            *waiting.entry(site).or_default() += 1;
        }
    }
    note(store, run, sites, |site, crawl| match waiting.get(site) {
        Some(count) => crawl.left_out.insert(WAITING.to_owned(), *count) != Some(*count),
        None => crawl.left_out.remove(WAITING).is_some(),
    })
}

/// Takes these notes back: the crawl goes on.
pub fn forget_waiting(store: &Store, run: u32, sites: &[&SiteId]) -> Result<(), StoreError> {
    note(store, run, sites, |_, crawl| crawl.left_out.remove(WAITING).is_some())
}

fn note(
    store: &Store,
    run: u32,
    sites: &[&SiteId],
    changes: impl Fn(&SiteId, &mut SiteCrawl) -> bool,
) -> Result<(), StoreError> {
    let mut batch = store.begin();
    for site in sites {
        let mut crawl = site_crawl(store, run, site)?;
        if changes(site, &mut crawl) {
            batch.put(Space::Run, &site_key(run, site).each_ref().map(Vec::as_slice), &crawl)?;
        }
    }
    batch.commit()
}
