//! What becomes of known addresses when the register changes whose they are.

use std::sync::Arc;

use xunjian_model::{PageUrl, Site, SiteId, Target, UrlRecord};
use xunjian_store::{Space, Store, StoreError};

/// Addresses given over in one batch.
const BATCH: usize = 4_096;
/// Key of the register that the known addresses are divided by.
const KEY: &[u8] = b"register";

/// Gives addresses over to the site that has them by the register of today, with what is known of them; pages
/// that link to them and did not change are not read for it again. `sites` is the whole register. Addresses
/// of sites that are not in it any more stay theirs, unless another site has them now.
pub fn divide(store: &Arc<Store>, sites: &[Site]) -> Result<(), StoreError> {
    let register: Vec<_> = sites.iter().map(|site| (&site.id, &site.scopes)).collect();
    let register = blake3::hash(format!("{register:?}").as_bytes()).to_hex().to_string();
    if store.get::<String>(Space::Run, &[KEY])?.as_ref() == Some(&register) {
        return Ok(());
    }
    let mut batch = store.begin();
    let mut count = 0;
    for owner in owners(store)? {
        let old = sites.iter().find(|site| Some(&site.id) == owner.as_ref());
        for row in store.urls(owner.as_ref()) {
            let (text, record) = row?;
            let Ok(url) = PageUrl::parse(&text) else { continue };
            if old.is_some_and(|site| site.in_scope(&url)) {
                continue;
            }
            let new = sites.iter().find(|site| site.in_scope(&url));
            if new.is_none() && old.is_none() {
                continue;
            }
            let new_id = new.map(|site| &site.id);
            if store.url(new_id, &text)?.is_none() {
                batch.put_url(new_id, &text, &given_over(record, new, &url))?;
            }
            batch.delete_url(owner.as_ref(), &text);
            count += 1;
            if count % BATCH == 0 {
                batch.commit()?;
                batch = store.begin();
            }
        }
    }
    if count > 0 {
        tracing::info!(count, "addresses belong to another site now");
    }
    batch.put(Space::Run, &[KEY], &register)?;
    batch.commit()
}

/// Whoever has known addresses.
fn owners(store: &Store) -> Result<Vec<Option<SiteId>>, StoreError> {
    let mut owners = Vec::new();
    let mut from = Vec::new();
    while let Some(key) = store.key_from(Space::Url, &from)? {
        let owner = key.split(|&byte| byte == 0).next().unwrap_or_default();
        owners.push(SiteId::new(&String::from_utf8_lossy(owner)).ok());
        from = [owner, &[1]].concat();
    }
    Ok(owners)
}

/// What is known of an address, as its new site has it.
fn given_over(record: UrlRecord, new: Option<&Site>, url: &PageUrl) -> UrlRecord {
    let Some(site) = new else {
        let outside = if record.target.expects_file() { Target::OutsideResource } else { Target::Outside };
        return UrlRecord::discovered(None, outside, record.depth, record.first_seen);
    };
    let target = match record.target {
        Target::Outside => Target::Page,
        Target::OutsideResource => Target::Resource,
        own => own,
    };
    let depth = if *url == site.url { 0 } else { record.depth.max(1) };
    UrlRecord { site: Some(site.id.clone()), target, depth, ..record }
}
