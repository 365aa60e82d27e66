//! Looking through the archive: every page as it was last seen, as long as there is time, and on from there.

use std::time::Instant;

use rayon::prelude::*;
use xunjian_model::{Facts, PageUrl, Site, SiteId, UrlRecord};
use xunjian_store::Space;

use crate::{Engine, EngineError};

/// Pages handed to the threads at once; bounds what is in memory, and what comes after the time is up.
const PAGES_AT_ONCE: usize = 128;

/// A page of the archive.
pub struct Archived<'e> {
    engine: &'e Engine,
    /// The site it is of.
    pub site: &'e Site,
    /// Its address.
    pub url: String,
    record: UrlRecord,
}

impl Archived<'_> {
    /// The name of its newest snapshot.
    pub fn snapshot(&self) -> Option<String> {
        xunjian_scan::snapshot_name(&self.record)
    }

    /// What the server sent, or a browser showed; `None` for a damaged segment.
    pub fn body(&self) -> Result<Option<Vec<u8>>, EngineError> {
        let Some((hash, _)) = self.record.shown() else { return Ok(None) };
        Ok(self.engine.store().body(&hash)?)
    }

    /// Whether the body is a document, whose text no bytes show.
    pub fn is_document(&self, body: &[u8]) -> bool {
        let media_type = self.record.media_type.as_deref();
        PageUrl::parse(&self.url).is_ok_and(|url| xunjian_page::is_document(&url))
            && !xunjian_page::is_html(media_type, body)
    }

    /// What the body says.
    pub fn facts(&self, body: &[u8]) -> Option<Facts> {
        let url = PageUrl::parse(&self.url).ok()?;
        let media_type = xunjian_scan::media_type(&self.record);
        Some(xunjian_page::extract_any(body, media_type, &url, self.engine.settings().page))
    }
}

/// What a look through the archive gave.
#[derive(Debug)]
pub struct Looked<T> {
    /// What was found, in the archive's order.
    pub found: Vec<T>,
    /// Pages that were looked at.
    pub pages: u64,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

impl Engine {
    /// Looks at the pages of one site or of all, from `after` on, until the time is up or `most` were found;
    /// a few more may be found in the last pages.
    pub fn look_through<T: Send>(
        &self,
        only: Option<&SiteId>,
        after: Option<&str>,
        (until, most): (Instant, usize),
        look: impl Fn(&Archived<'_>) -> Result<Option<T>, EngineError> + Sync,
    ) -> Result<Looked<T>, EngineError> {
        let sites = self.settings().sites.iter().filter(|site| only.is_none_or(|only| *only == site.id));
        let (first, mut url) = after.and_then(|after| after.split_once(' ')).unwrap_or(("", ""));
        let mut looked = Looked { found: Vec::new(), pages: 0, next: None };
        for site in sites.skip_while(|site| !first.is_empty() && site.id.as_str() != first) {
            let own = site.id.as_str().as_bytes();
            let mut rows = self.store().scan_after::<UrlRecord>(Space::Url, &[own, b""], url.as_bytes());
            url = "";
            loop {
                let chunk: Vec<(String, UrlRecord)> =
                    rows.by_ref().take(PAGES_AT_ONCE).collect::<Result<_, _>>()?;
                let Some((last, _)) = chunk.last() else { break };
                let next = format!("{} {last}", site.id);
                let shown = chunk.into_par_iter().filter(|(_, record)| record.shown().is_some());
                let seen: Vec<Option<T>> = shown
                    .map(|(url, record)| look(&Archived { engine: self, site, url, record }))
                    .collect::<Result<_, _>>()?;
                looked.pages += seen.len() as u64;
                looked.found.extend(seen.into_iter().flatten());
                if looked.found.len() >= most || Instant::now() >= until {
                    looked.next = Some(next);
                    return Ok(looked);
                }
            }
        }
        Ok(looked)
    }
}
