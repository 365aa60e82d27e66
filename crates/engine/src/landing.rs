//! Sites as their visitors meet them, and what is kept of a page.

use xunjian_model::{Facts, PageUrl, Site, UrlRecord};

use crate::{Engine, EngineError};

impl Engine {
    /// A site with the page its visitors arrive at as its address, as far as that is known.
    pub(crate) fn landed(&self, site: &Site) -> Result<Site, EngineError> {
        let landing = xunjian_crawl::landing(self.store(), site, self.settings().page)?;
        Ok(site.landed_at(landing))
    }

    /// What the kept page at an address says.
    pub(crate) fn facts_of_record(
        &self,
        url: &PageUrl,
        record: &UrlRecord,
    ) -> Result<Option<Facts>, EngineError> {
        let Some((hash, _)) = record.shown() else { return Ok(None) };
        let Some(body) = self.store().body(&hash)? else { return Ok(None) };
        Ok(Some(xunjian_page::extract_any(&body, record.shown_media_type(), url, self.settings().page)))
    }
}
