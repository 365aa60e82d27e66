//! Looking through the archive: every page as it was last seen, as long as there is time, and on from there.

use std::time::Instant;

use rayon::prelude::*;
use xunjian_dict::{Matcher, Pairs};
use xunjian_model::{Facts, PageUrl, Site, SiteId, UrlRecord};
use xunjian_scan::{Found, KnownTexts, Query, WordHit, words_of};
use xunjian_store::Space;

use crate::{Engine, EngineError};

/// Pages handed to the threads at once; bounds what is in memory, and what comes after the time is up.
const PAGES_AT_ONCE: usize = 32;

/// A page of the archive.
struct Archived<'e> {
    engine: &'e Engine,
    /// The site it is of.
    site: &'e Site,
    /// What is known of the texts of the site's pages.
    known: &'e KnownTexts<'e>,
    /// Its address.
    url: String,
    record: UrlRecord,
}

impl Archived<'_> {
    /// The name of its newest snapshot.
    fn snapshot(&self) -> Option<String> {
        xunjian_scan::snapshot_name(&self.record)
    }

    /// Whether words may stand in its texts, by what the last scan knows of them.
    fn may_have(&self, may: impl FnOnce(&Pairs) -> bool) -> Result<bool, EngineError> {
        Ok(self.known.pairs(&self.url, &self.record)?.is_none_or(|pairs| may(&pairs)))
    }

    /// What the server sent, or a browser showed; `None` for a damaged segment.
    fn body(&self) -> Result<Option<Vec<u8>>, EngineError> {
        let Some((hash, _)) = self.record.shown() else { return Ok(None) };
        Ok(self.engine.store().body(&hash)?)
    }

    /// Whether the body is a document, whose text no bytes show.
    fn is_document(&self, body: &[u8]) -> bool {
        let media_type = self.record.media_type.as_deref();
        PageUrl::parse(&self.url).is_ok_and(|url| xunjian_page::holds_document(body, media_type, &url))
    }

    /// What the body says.
    fn facts(&self, body: &[u8]) -> Option<Facts> {
        let url = PageUrl::parse(&self.url).ok()?;
        let media_type = self.record.shown_media_type();
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

/// A page that has what was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPage {
    /// Site.
    pub site: SiteId,
    /// Address.
    pub url: String,
    /// Name of the snapshot, `<body hash>@<time>`.
    pub snapshot: String,
    /// Title, and where the words stand.
    pub found: Found,
}

/// A page on which changed dictionaries find something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedPage {
    /// Site.
    pub site: SiteId,
    /// Address.
    pub url: String,
    /// Name of the snapshot.
    pub snapshot: String,
    /// Title, personal numbers masked.
    pub title: String,
    /// Hits that the change brings.
    pub gained: Vec<WordHit>,
    /// Hits that are gone with it.
    pub lost: Vec<WordHit>,
}

impl Engine {
    /// Looks for words in the newest snapshot of each page.
    pub fn find_pages(
        &self,
        query: &Query,
        only: Option<&SiteId>,
        after: Option<&str>,
        limits: (Instant, usize),
    ) -> Result<Looked<FoundPage>, EngineError> {
        let nothing = |_: &Site| Ok(());
        self.look_through(only, after, limits, nothing, |page, ()| {
            if !page.may_have(|pairs| query.may_be_in_texts(&page.url, pairs))? {
                return Ok(None);
            }
            let (Some(snapshot), Some(body)) = (page.snapshot(), page.body()?) else { return Ok(None) };
            if !query.may_be_in(page.url.as_bytes(), &body) && !page.is_document(&body) {
                return Ok(None);
            }
            let found = page.facts(&body).and_then(|facts| query.find(&page.url, &facts));
            let (site, url) = (page.site.id.clone(), page.url.clone());
            Ok(found.map(|found| FoundPage { site, url, snapshot, found }))
        })
    }

    /// Compares what two states of the dictionaries find in the newest snapshot of each page.
    pub fn try_words(
        &self,
        (before, now): (&Matcher, &Matcher),
        only: Option<&SiteId>,
        after: Option<&str>,
        limits: (Instant, usize),
    ) -> Result<Looked<TriedPage>, EngineError> {
        let changed = |site: &Site| {
            let site = site.id.as_str();
            Ok(before.vocabulary(site).changed(&now.vocabulary(site)).sought())
        };
        self.look_through(only, after, limits, changed, |page, changed| {
            if !page.may_have(|pairs| changed.may_be_in(pairs))? {
                return Ok(None);
            }
            let (Some(snapshot), Some(body)) = (page.snapshot(), page.body()?) else { return Ok(None) };
            let Some(facts) = page.facts(&body) else { return Ok(None) };
            let site = page.site.id.as_str();
            let (old, new) = (words_of(&facts, site, before), words_of(&facts, site, now));
            let same = |one: &WordHit, other: &WordHit| (one.kind, &one.what) == (other.kind, &other.what);
            let not_in = |all: &[WordHit], hits: &[WordHit]| -> Vec<WordHit> {
                hits.iter().filter(|hit| !all.iter().any(|one| same(one, hit))).cloned().collect()
            };
            let (gained, lost) = (not_in(&old, &new), not_in(&new, &old));
            let title = xunjian_scan::mask_all(&facts.title);
            let (site, url) = (page.site.id.clone(), page.url.clone());
            let differs = !gained.is_empty() || !lost.is_empty();
            Ok(differs.then_some(TriedPage { site, url, snapshot, title, gained, lost }))
        })
    }

    /// Looks at the pages of one site or of all, from `after` on, until the time is up or `most` were found;
    /// a few more may be found in the last pages. `of_site` is asked once for each site.
    fn look_through<S: Sync, T: Send>(
        &self,
        only: Option<&SiteId>,
        after: Option<&str>,
        (until, most): (Instant, usize),
        of_site: impl Fn(&Site) -> Result<S, EngineError>,
        look: impl Fn(&Archived<'_>, &S) -> Result<Option<T>, EngineError> + Sync,
    ) -> Result<Looked<T>, EngineError> {
        let sites = self.settings().sites.iter().filter(|site| only.is_none_or(|only| *only == site.id));
        let (first, mut url) = after.and_then(|after| after.split_once(' ')).unwrap_or(("", ""));
        let mut looked = Looked { found: Vec::new(), pages: 0, next: None };
        for site in sites.skip_while(|site| !first.is_empty() && site.id.as_str() != first) {
            let own = site.id.as_str().as_bytes();
            let mut rows = self.store().scan_after::<UrlRecord>(Space::Url, &[own, b""], url.as_bytes());
            url = "";
            let (of_site, known) = (of_site(site)?, &KnownTexts::of(self.store(), &site.id)?);
            loop {
                let chunk: Vec<(String, UrlRecord)> =
                    rows.by_ref().take(PAGES_AT_ONCE).collect::<Result<_, _>>()?;
                let Some((last, _)) = chunk.last() else { break };
                let next = format!("{} {last}", site.id);
                let shown = chunk.into_par_iter().filter(|(_, record)| record.shown().is_some());
                let seen: Vec<Option<T>> = shown
                    .map(|(url, record)| look(&Archived { engine: self, site, known, url, record }, &of_site))
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
