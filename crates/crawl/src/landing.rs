//! The page a site's home address leads to. Many home addresses show nothing themselves: they redirect, or a page
//! there only leads on. What is asked of a home page is asked of where visitors arrive.

use xunjian_model::{PageUrl, Site, UrlRecord, way};
use xunjian_page::Limits;
use xunjian_store::{Store, StoreError};

use crate::sites::SiteLearnt;

/// Where a site's visitors arrive, by what is kept of the site: its home address, if nothing else is known.
pub fn landing(store: &Store, site: &Site, limits: Limits) -> Result<PageUrl, StoreError> {
    let mut way = way_in(store, site, limits)?;
    Ok(way.pop().unwrap_or_else(|| site.url.clone()))
}

/// The way there, from the home address on.
pub(crate) fn way_in(store: &Store, site: &Site, limits: Limits) -> Result<Vec<PageUrl>, StoreError> {
    let rules = SiteLearnt::read(store, &site.id)?.rules(site);
    way(site.url.clone(), |url| {
        let Some(record) = store.url(Some(&site.id), url.as_str())? else { return Ok(None) };
        let target = match record.redirect(url) {
            None => shown_target(store, url, &record, limits)?,
            redirect => redirect,
        };
        let Some(target) = target.filter(|target| site.in_scope(target)) else { return Ok(None) };
        // The home address is never folded.
        let target = if target == site.url { target } else { rules.apply(&target) };
        Ok(store.knows(Some(&site.id), target.as_str())?.then_some(target))
    })
}

/// Where the kept page at an address leads on.
fn shown_target(
    store: &Store,
    url: &PageUrl,
    record: &UrlRecord,
    limits: Limits,
) -> Result<Option<PageUrl>, StoreError> {
    let Some((hash, _)) = record.shown() else { return Ok(None) };
    let Some(body) = store.body(&hash)? else { return Ok(None) };
    let facts = xunjian_page::extract_any(&body, record.shown_media_type(), url, limits);
    Ok(facts.leads_on().and_then(|next| PageUrl::parse(next).ok()))
}
