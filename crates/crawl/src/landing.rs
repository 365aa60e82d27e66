//! The page a site's home address leads to. Many home addresses show nothing themselves: they redirect, or a page
//! there only leads on. What is asked of a home page is asked of where visitors arrive.

use xunjian_model::{Canonical, PageUrl, Site, UrlRecord};
use xunjian_page::Limits;
use xunjian_store::{Store, StoreError};

use crate::sites::SiteLearnt;

/// Pages and redirects one after another that are followed.
const STEPS_MAX: usize = 5;

/// Where a site's visitors arrive, by what is kept of the site: its home address, if nothing else is known.
pub fn landing(store: &Store, site: &Site, limits: Limits) -> Result<PageUrl, StoreError> {
    let mut rules = SiteLearnt::read(store, &site.id)?.canonical;
    rules.drop_parameters.extend(site.drop_parameters.iter().map(|name| name.to_ascii_lowercase()));
    let mut seen = vec![site.url.clone()];
    while let Some(next) = leads_on(store, site, &seen[seen.len() - 1], &rules, limits)? {
        if seen.contains(&next) || seen.len() > STEPS_MAX {
            break;
        }
        seen.push(next);
    }
    Ok(seen.swap_remove(seen.len() - 1))
}

/// The known address of the site that one leads to.
fn leads_on(
    store: &Store,
    site: &Site,
    url: &PageUrl,
    rules: &Canonical,
    limits: Limits,
) -> Result<Option<PageUrl>, StoreError> {
    let Some(record) = store.url(Some(&site.id), url.as_str())? else { return Ok(None) };
    let target = match record.final_url.as_deref().filter(|end| *end != url.as_str()) {
        Some(end) => Some(end.to_owned()),
        None => shown_target(store, url, &record, limits)?,
    };
    let target = target.and_then(|target| PageUrl::parse(&target).ok()).filter(|url| site.in_scope(url));
    let Some(target) = target else { return Ok(None) };
    // The home address is never folded.
    let target = if target == site.url { target } else { rules.apply(&target) };
    Ok(store.knows(Some(&site.id), target.as_str())?.then_some(target))
}

/// Where the kept page at an address leads on.
fn shown_target(
    store: &Store,
    url: &PageUrl,
    record: &UrlRecord,
    limits: Limits,
) -> Result<Option<String>, StoreError> {
    let Some((hash, _)) = record.shown() else { return Ok(None) };
    let Some(body) = store.body(&hash)? else { return Ok(None) };
    let facts = xunjian_page::extract_any(&body, record.shown_media_type(), url, limits);
    Ok(facts.leads_on().map(str::to_owned))
}
