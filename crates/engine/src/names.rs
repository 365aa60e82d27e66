//! Whether a site opens under several names (D14).

use futures_util::StreamExt as _;
use xunjian_crawl::Turns;
use xunjian_fetch::{Ask, Fetcher};
use xunjian_model::{LinkState, PageUrl, Site};
use xunjian_store::Space;

use crate::{Engine, EngineError, RunRecord, run};

/// Sites asked at once; each has its own turns all the same.
const SITES_AT_ONCE: usize = 16;
/// Other names of a site that are asked.
const NAMES_MAX: usize = 8;

impl Engine {
    /// Asks each site that opened under the other names it may have, and writes down those that show the
    /// same home page without leading to the site's own name.
    pub(crate) async fn check_names(&self, run: &RunRecord) -> Result<(), EngineError> {
        let settings = self.settings();
        let fetcher = Fetcher::new(settings.fetch.clone(), &settings.network)?;
        let turns = Turns::new(settings.politeness.clone(), fetcher.resolver().clone());
        let asked = futures_util::stream::iter(self.sites(run).map(|site| {
            let (fetcher, turns) = (&fetcher, &turns);
            async move { self.names_of(site, run, fetcher, turns).await }
        }));
        let mut asked = asked.buffer_unordered(SITES_AT_ONCE);
        while let Some(kept) = asked.next().await {
            let Some((site, crawl)) = kept? else { continue };
            let mut batch = self.store().begin();
            let key = run::key(b"site", run.number, &site.id);
            batch.put(Space::Run, &key.each_ref().map(Vec::as_slice), &crawl)?;
            batch.commit()?;
        }
        Ok(())
    }

    async fn names_of<'s>(
        &self,
        site: &'s Site,
        run: &RunRecord,
        fetcher: &Fetcher,
        turns: &Turns,
    ) -> Result<Option<(&'s Site, xunjian_crawl::SiteCrawl)>, EngineError> {
        let mut crawl = xunjian_crawl::site_crawl(self.store(), run.number, &site.id)?;
        let record = self.store().url(Some(&site.id), site.url.as_str())?;
        let body = record.as_ref().and_then(|record| record.body_hash);
        let Some((home, body)) = self.home(site)?.zip(body).filter(|_| crawl.home == Some(LinkState::Ok))
        else {
            return Ok(None);
        };
        for url in self.other_names(site) {
            let host = url.host().to_owned();
            let Ok(answer) = fetcher.fetch(Ask::get(url), turns).await else { continue };
            if answer.state() != LinkState::Ok || answer.final_url.host() != host {
                continue;
            }
            let media_type = answer.header("content-type").map(str::to_owned);
            let same = xunjian_model::BodyHash::of(&answer.body) == body || {
                let limits = self.settings().page;
                let there =
                    xunjian_page::extract(&answer.body, media_type.as_deref(), &answer.final_url, limits);
                // A home page's title is the site's name.
                !home.title.is_empty() && there.title == home.title
            };
            if same {
                crawl.names.push(host);
            }
        }
        Ok((!crawl.names.is_empty()).then_some((site, crawl)))
    }

    /// The home page under the site's further hosts, and with `www.` or without it.
    fn other_names(&self, site: &Site) -> Vec<PageUrl> {
        let own = site.url.host();
        let twin = match own.strip_prefix("www.") {
            Some(bare) => bare.to_owned(),
            None => format!("www.{own}"),
        };
        let is_name = own.rsplit('.').next().is_some_and(|last| last.parse::<u8>().is_err());
        let mut names: Vec<String> = site.hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        names.extend(is_name.then_some(twin));
        names.sort_unstable();
        names.dedup();
        let others: Vec<&Site> = self.settings().sites.iter().filter(|other| other.id != site.id).collect();
        let urls = names.into_iter().filter(|name| name != own).filter_map(|name| {
            let mut url = site.url.as_url().clone();
            url.set_host(Some(&name)).ok()?;
            PageUrl::parse(url.as_str()).ok()
        });
        urls.filter(|url| !others.iter().any(|other| other.in_scope(url))).take(NAMES_MAX).collect()
    }
}
