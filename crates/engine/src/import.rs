//! WARC files of other crawlers as a run: scanned, judged and reported like one of our own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use xunjian_crawl::SiteCrawl;
use xunjian_fetch::decode_body;
use xunjian_model::{BodyHash, LinkState, PageUrl, Site, SiteId, Snapshot, Target, Timings, UrlRecord, View};
use xunjian_store::{HttpMessage, ReadError, Space, Store, StoreError, WarcReader, WarcRecord};

use crate::run::key;
use crate::{CrawlSummary, Engine, EngineError, RunRecord};

/// Writes in one batch.
const BATCH_WRITES: usize = 2_048;
/// Bytes of bodies in one batch.
const BATCH_BYTES: usize = 16 << 20;

/// What was taken from a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Records of all kinds.
    pub records: u64,
    /// Pages and documents of the sites.
    pub pages: u64,
    /// Other answers: redirects, errors, pictures.
    pub others: u64,
    /// Records of hosts that belong to no site.
    pub foreign: u64,
    /// Records that are damaged or hold no answer.
    pub unreadable: u64,
    /// Why the file could not be read to its end.
    pub cut: Option<String>,
}

/// Why a file could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file.
    #[error("{}: {source}", path.display())]
    Read {
        /// File.
        path: PathBuf,
        /// Reason.
        source: ReadError,
    },
    /// The store.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}

impl Engine {
    /// Imports WARC files as a run of their own, which is then the last one.
    pub fn import(&self, files: &[PathBuf]) -> Result<Imported, ImportError> {
        let store = self.store();
        let last = RunRecord::last(store)?;
        if last.as_ref().is_some_and(|run| !run.crawl.finished) {
            let reason = "a crawl was interrupted; finish it with `xunjian run` before importing";
            return Err(EngineError::Unfinished(reason).into());
        }
        let mut run = RunRecord::begin_or_resume(store, &[], false)?;
        let mut import = Import {
            engine: self,
            run: run.number,
            crawls: BTreeMap::new(),
            imported: Imported::default(),
            summary: CrawlSummary::default(),
        };
        for file in files {
            import.file(file)?;
        }
        let mut batch = store.begin();
        for (site, crawl) in &import.crawls {
            let place = key(b"site", run.number, site);
            batch.put(Space::Run, &place.each_ref().map(Vec::as_slice), crawl)?;
        }
        batch.commit()?;
        run.seeded = true;
        run.crawl.add(&import.summary);
        run.crawl.finished = true;
        run.save(store)?;
        Ok(import.imported)
    }
}

struct Import<'e> {
    engine: &'e Engine,
    run: u32,
    crawls: BTreeMap<SiteId, SiteCrawl>,
    imported: Imported,
    summary: CrawlSummary,
}

impl Import<'_> {
    fn file(&mut self, path: &Path) -> Result<(), ImportError> {
        let read = |source| ImportError::Read { path: path.to_owned(), source };
        let reader = WarcReader::open(path).map_err(read)?;
        let store: &Store = self.engine.store();
        let mut batch = store.begin();
        let before = self.imported.records;
        for record in reader {
            let record = match record {
                Ok(record) => record,
                // What came before a cut counts; a file that is no WARC file at all is a mistake.
                Err(error) if self.imported.records > before => {
                    self.imported.cut = Some(format!("{}: {error}", path.display()));
                    break;
                }
                Err(error) => return Err(read(error)),
            };
            self.imported.records += 1;
            self.record(store, &mut batch, &record)?;
            if batch.writes() >= BATCH_WRITES || batch.body_bytes() >= BATCH_BYTES {
                batch.commit()?;
                store.has_room()?;
                batch = store.begin();
            }
        }
        batch.commit()?;
        Ok(())
    }

    fn record(
        &mut self,
        store: &Store,
        batch: &mut xunjian_store::Batch<'_>,
        record: &WarcRecord,
    ) -> Result<(), ImportError> {
        if record.kind != "response" {
            return Ok(());
        }
        let url = record.url.as_deref().and_then(|url| PageUrl::parse(url).ok());
        let (Some(url), Ok(message)) = (url, HttpMessage::parse(&record.block)) else {
            self.imported.unreadable += 1;
            return Ok(());
        };
        let sites = &self.engine.settings().sites;
        let Some(site) = sites.iter().find(|site| site.in_scope(&url)) else {
            self.imported.foreign += 1;
            return Ok(());
        };
        let at = xunjian_model::kept_moment(record.date.unwrap_or_else(Timestamp::now));
        let home = url == site.url;
        let codings: Vec<&str> = message
            .headers
            .iter()
            .filter(|(name, _)| name == "content-encoding")
            .map(|(_, value)| value.as_str())
            .collect();
        let limit = self.engine.settings().fetch.body_bytes_max;
        // A body whose coding was undone already keeps the header of it with some writers.
        let (body, truncated) =
            decode_body(&codings, message.body.clone(), limit).unwrap_or((message.body.clone(), false));
        let known = store.url(Some(&site.id), url.as_str())?;
        let html = xunjian_page::is_page(message.header("content-type"), &body);
        let document = xunjian_page::holds_document(&body, message.header("content-type"), &url);
        let target = if document { Target::Document } else { Target::Page };
        let mut kept = known
            .unwrap_or_else(|| UrlRecord::discovered(Some(site.id.clone()), target, u16::from(!home), at));
        // A file may hold older captures than the store.
        if kept.snapshot_at.is_some_and(|newest| newest > at) {
            self.imported.others += 1;
            return Ok(());
        }
        let state = xunjian_fetch::state_of(message.status);
        kept.run = self.run;
        kept.checked_at = Some(at);
        kept.status = message.status;
        kept.media_type = message.header("content-type").map(str::to_owned);
        kept.state = Some(match message.status {
            300..=399 => LinkState::Ok,
            _ => state.clone(),
        });
        if state == LinkState::Ok && message.status != 304 && (html || document) {
            self.page(batch, site, &url, at, &mut kept, message, body, truncated)?;
            self.imported.pages += 1;
        } else {
            self.imported.others += 1;
        }
        batch.put_url(Some(&site.id), url.as_str(), &kept)?;
        let crawl = self.crawls.entry(site.id.clone()).or_default();
        crawl.visits += u64::from(target == Target::Page);
        if home {
            crawl.home = Some(state);
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one record")]
    fn page(
        &mut self,
        batch: &mut xunjian_store::Batch<'_>,
        site: &Site,
        url: &PageUrl,
        at: Timestamp,
        kept: &mut UrlRecord,
        message: HttpMessage,
        body: Vec<u8>,
        truncated: bool,
    ) -> Result<(), StoreError> {
        let body_hash = BodyHash::of(&body);
        self.summary.pages += 1;
        self.summary.body_bytes += body.len() as u64;
        if kept.body_hash == Some(body_hash) {
            return Ok(());
        }
        kept.changes += u32::from(kept.snapshot_at.is_some());
        kept.seen += 1;
        kept.body_hash = Some(body_hash);
        kept.snapshot_at = Some(at);
        kept.etag = message.header("etag").map(str::to_owned);
        kept.last_modified = message.header("last-modified").map(str::to_owned);
        let snapshot = Snapshot {
            url: url.clone(),
            fetched_at: at,
            status: message.status,
            hops: Vec::new(),
            final_url: None,
            headers: message.headers,
            timings: Timings::default(),
            tls: None,
            body_hash,
            body_bytes: body.len() as u64,
            truncated,
            view: View::Sent,
        };
        batch.put_snapshot(Some(&site.id), &snapshot, &body)?;
        Ok(())
    }
}
