//! Asks each site's own search for pages that are known to be there (D18).

use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xunjian_crawl::{Known, Refusals, Renderer, Search, SearchHome, SearchSetup, Sought, search_form};
use xunjian_fetch::Fetcher;
use xunjian_model::{Facts, Finding, Kind, LinkState, PageUrl, Site, SiteId};
use xunjian_store::Space;

use crate::{Engine, EngineError, RunRecord, life, run};

/// Questions without an answer after which a search is left alone for the night.
const UNANSWERED_MAX: usize = 2;
/// Sites asked at once; each has its own turns all the same.
const SITES_AT_ONCE: usize = 16;

/// What a site's search was asked, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteSearch {
    /// It has a search.
    pub form: bool,
    /// Class and title of what was asked for, and whether it was found; `None` without an answer.
    pub asked: Vec<(String, String, Option<bool>)>,
    /// The address of each of these questions.
    pub addresses: Vec<String>,
}

impl SiteSearch {
    /// Whether it shows how the search is: every question was answered, or one was not answered well. Without a form
    /// there is no search to ask.
    fn is_told(&self) -> bool {
        let all = !self.asked.is_empty() && self.asked.iter().all(|(.., found)| found.is_some());
        !self.form || all || self.asked.iter().any(|(.., found)| *found == Some(false))
    }
}

impl Engine {
    /// Asks the search of every site of the last run; `each` is told of each site that is done. The
    /// questions are a reader's, a handful a night, so robots.txt does not forbid them.
    pub async fn search(&self, each: impl Fn(&Site)) -> Result<usize, EngineError> {
        let run = self.last_run()?;
        let settings = self.settings();
        if !settings.search || settings.politeness.is_closed(Timestamp::now()) {
            return Ok(0);
        }
        let fetcher = Fetcher::new(settings.fetch.clone(), &settings.network)?;
        let turns = self.turns(&fetcher)?;
        let renderer = settings.render.clone().map(Renderer::new);
        let refusals = Refusals::new(&settings.politeness.block_pages)?;
        let setup = SearchSetup {
            fetcher: &fetcher,
            gate: &turns,
            page: settings.page,
            refusals: &refusals,
            renderer: renderer.as_ref(),
            outside: settings.crawl.outside,
        };
        let sites: Vec<&Site> = self.sites(&run).collect();
        let asked = futures_util::stream::iter(sites.into_iter().map(|site| {
            let (run, setup) = (&run, setup);
            async move {
                match self.search_home(site, run) {
                    Ok(Some(home)) => {
                        (site, self.ask_site(site, run, &Search::new(setup, site, home)).await.map(Some))
                    }
                    Ok(None) => (site, Ok(None)),
                    Err(error) => (site, Err(error)),
                }
            }
        }));
        let mut asked = asked.buffer_unordered(SITES_AT_ONCE);
        let mut misses = 0;
        while let Some((site, searched)) = asked.next().await {
            if let Some(searched) = searched? {
                misses += self.keep_search(site, &run, &searched)?;
            }
            each(site);
        }
        Ok(misses)
    }

    /// Whether a site's search was asked for anything in a run.
    pub(crate) fn searched(&self, run: &RunRecord, site: &SiteId) -> Result<bool, EngineError> {
        let key = run::key(b"search", run.number, site);
        let kept: Option<SiteSearch> = self.store().get(Space::Run, &key.each_ref().map(Vec::as_slice))?;
        Ok(kept.is_some_and(|searched| searched.is_told()))
    }

    /// `None` when the site did not open or its home page is not known.
    fn search_home(&self, site: &Site, run: &RunRecord) -> Result<Option<SearchHome>, EngineError> {
        let crawl = xunjian_crawl::site_crawl(self.store(), run.number, &site.id)?;
        if crawl.home != Some(LinkState::Ok) {
            return Ok(None);
        }
        let url = self.landed(site)?.url;
        let Some(record) = self.store().url(Some(&site.id), url.as_str())? else { return Ok(None) };
        let Some(facts) = self.facts_of_record(&url, &record)? else { return Ok(None) };
        // The form may stand in a frame.
        let facts = xunjian_scan::with_frames(facts, |url| match PageUrl::parse(url) {
            Ok(url) => self.kept_facts(site, &url),
            Err(_) => Ok(None),
        })?;
        let body = match &record.body_hash {
            Some(hash) => self.store().body(hash)?.unwrap_or_default(),
            None => Vec::new(),
        };
        Ok(Some(SearchHome { url, facts, body, media_type: record.media_type }))
    }

    async fn ask_site(
        &self,
        site: &Site,
        run: &RunRecord,
        search: &Search<'_>,
    ) -> Result<SiteSearch, EngineError> {
        let form = search_form(search.home()).is_some();
        let mut searched = SiteSearch { form, ..SiteSearch::default() };
        for page in self.site_summary(run, &site.id)?.known {
            let known = Known { class: page.class, title: page.title, url: page.url };
            let Some((sought, address)) = search.ask(&known).await else { break };
            searched.form = true;
            let found = match sought {
                Sought::Found => Some(true),
                Sought::Missed => Some(false),
                Sought::NoAnswer => None,
            };
            searched.asked.push((known.class, known.title, found));
            searched.addresses.push(address);
            let unanswered = searched.asked.iter().filter(|(.., found)| found.is_none()).count();
            if unanswered >= UNANSWERED_MAX {
                break;
            }
        }
        Ok(searched)
    }

    /// What is kept at the address of a landed site says.
    pub(crate) fn home(&self, site: &Site) -> Result<Option<Facts>, EngineError> {
        self.kept_facts(site, &site.url)
    }

    fn kept_facts(&self, site: &Site, url: &PageUrl) -> Result<Option<Facts>, EngineError> {
        let Some(record) = self.store().url(Some(&site.id), url.as_str())? else { return Ok(None) };
        self.facts_of_record(url, &record)
    }

    fn keep_search(&self, site: &Site, run: &RunRecord, searched: &SiteSearch) -> Result<usize, EngineError> {
        let missed: Vec<xunjian_scan::Missed<'_>> = searched
            .asked
            .iter()
            .zip(&searched.addresses)
            .filter(|((.., found), _)| *found == Some(false))
            .map(|((class, title, _), address)| xunjian_scan::Missed { class, title, address })
            .collect();
        let landed = self.landed(site)?;
        let snapshot = xunjian_scan::snapshot_of(self.store(), site, landed.url.as_str())?;
        let found = match searched.form && missed.is_empty() {
            true => Vec::new(),
            false => vec![xunjian_scan::search_finding(&landed, snapshot, &missed, run.started_at)],
        };
        let misses = found.len();
        let scope = |finding: &Finding| finding.kind == Kind::SearchMiss;
        let look = life::Look {
            at: run.started_at,
            day: self.day(run.started_at),
            complete: searched.is_told(),
            between: false,
            scope: &scope,
            seen: &|_| true,
        };
        life::live(self.store(), &site.id, found, &look)?;
        let mut batch = self.store().begin();
        let key = run::key(b"search", run.number, &site.id);
        batch.put(Space::Run, &key.each_ref().map(Vec::as_slice), searched)?;
        batch.commit()?;
        Ok(misses)
    }
}
