//! The page a site's home address leads to. Many home addresses show nothing themselves: they redirect, or a page
//! there only leads on. What is asked of a home page is asked of where visitors arrive.

use xunjian_crawl::SiteLearnt;
use xunjian_model::{Canonical, Facts, PageUrl, Site, UrlRecord};

use crate::{Engine, EngineError};

/// Pages and redirects one after another that are followed.
const STEPS_MAX: usize = 5;

impl Engine {
    /// A site with the page its visitors arrive at as its address, as far as it is known.
    pub(crate) fn landed(&self, site: &Site) -> Result<Site, EngineError> {
        let mut rules = SiteLearnt::read(self.store(), &site.id)?.canonical;
        rules.drop_parameters.extend(site.drop_parameters.iter().map(|name| name.to_ascii_lowercase()));
        let mut seen = vec![site.url.clone()];
        while let Some(next) = self.leads_on(site, &seen[seen.len() - 1], &rules)? {
            if seen.contains(&next) || seen.len() > STEPS_MAX {
                break;
            }
            seen.push(next);
        }
        let mut landed = site.clone();
        if let Some(last) = seen.pop().filter(|last| *last != site.url) {
            // The register's host stays one of the site's.
            landed.hosts.push(site.url.host().to_owned());
            landed.url = last;
        }
        Ok(landed)
    }

    /// The known address of the site that one leads to.
    fn leads_on(
        &self,
        site: &Site,
        url: &PageUrl,
        rules: &Canonical,
    ) -> Result<Option<PageUrl>, EngineError> {
        let Some(record) = self.store().url(Some(&site.id), url.as_str())? else { return Ok(None) };
        let redirected = record.final_url.as_deref().filter(|end| *end != url.as_str()).map(str::to_owned);
        let target = match redirected {
            Some(end) => Some(end),
            None => self.facts_of_record(url, &record)?.and_then(|facts| Some(facts.leads_on()?.to_owned())),
        };
        let target = target.and_then(|target| PageUrl::parse(&target).ok()).filter(|url| site.in_scope(url));
        let Some(target) = target else { return Ok(None) };
        // The home page is never folded.
        let target = if target == site.url { target } else { rules.apply(&target) };
        Ok(self.store().knows(Some(&site.id), target.as_str())?.then_some(target))
    }

    /// What the kept page at an address says.
    pub(crate) fn facts_of_record(
        &self,
        url: &PageUrl,
        record: &UrlRecord,
    ) -> Result<Option<Facts>, EngineError> {
        let Some((hash, _)) = record.shown() else { return Ok(None) };
        let Some(body) = self.store().body(&hash)? else { return Ok(None) };
        let media_type = xunjian_scan::media_type(record);
        Ok(Some(xunjian_page::extract_any(&body, media_type, url, self.settings().page)))
    }
}
