//! What is asked of a home page besides: whether it opens under other names, too (D14), and whether other
//! browsers are shown the same (D21).

use futures_util::StreamExt as _;
use xunjian_crawl::{SiteCrawl, Turns, ask_twice, state_of};
use xunjian_fetch::{Answer, Ask, ConnectError, Fetcher, SeenAs};
use xunjian_model::{BodyHash, Facts, Kind, LinkState, Offer, PageUrl, Site};
use xunjian_store::Space;

use crate::{Engine, EngineError, RunRecord, run};

/// Sites asked at once; each has its own turns all the same.
const SITES_AT_ONCE: usize = 64;
/// Other names of a site that are asked.
const NAMES_MAX: usize = 8;
/// Part of our text that another browser has to be shown, too.
const ALIKE: f64 = 0.5;

/// Browsers people use, by what they say of themselves.
static BROWSERS: [(&str, SeenAs); 3] = [
    (
        "Firefox",
        SeenAs {
            user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
            referer: "",
        },
    ),
    (
        "Safari, iPhone",
        SeenAs {
            user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            referer: "",
        },
    ),
    (
        "Chrome, Android",
        SeenAs {
            user_agent: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36",
            referer: "",
        },
    ),
];

/// A home page as our own visit showed it.
struct Home {
    body: BodyHash,
    facts: Facts,
}

impl Engine {
    /// Asks each site that opened, and writes down what differs.
    pub(crate) async fn check_homes(&self, run: &RunRecord) -> Result<(), EngineError> {
        let settings = self.settings();
        let fetcher = Fetcher::new(settings.fetch.clone(), &settings.network)?;
        let turns = self.turns(&fetcher)?;
        let asked = futures_util::stream::iter(self.sites(run).map(|site| {
            let (fetcher, turns) = (&fetcher, &turns);
            async move { self.check_home(site, run, fetcher, turns).await }
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

    async fn check_home<'s>(
        &self,
        site: &'s Site,
        run: &RunRecord,
        fetcher: &Fetcher,
        turns: &Turns,
    ) -> Result<Option<(&'s Site, SiteCrawl)>, EngineError> {
        let crawl = xunjian_crawl::site_crawl(self.store(), run.number, &site.id)?;
        let landed = self.landed(site)?;
        let record = self.store().url(Some(&site.id), landed.url.as_str())?;
        let body = record.and_then(|record| record.body_hash);
        let Some((facts, body)) = self.home(&landed)?.zip(body).filter(|_| crawl.home == Some(LinkState::Ok))
        else {
            return Ok(None);
        };
        let home = Home { body, facts };
        let names = self.names_of(&landed, &home, fetcher, turns);
        let browsers = self.browsers_of(&landed, &home, fetcher, turns);
        let ((names, all_known), browsers) = futures_util::future::join(names, browsers).await;
        let noted = !names.is_empty() || !all_known || !browsers.is_empty();
        let mut crawl = SiteCrawl { names, browsers, ..crawl };
        if !all_known {
            crawl.unknown.push(Kind::SeveralNames);
        }
        Ok(noted.then_some((site, crawl)))
    }

    /// Other names that show the same page without leading to the site's own, and whether each of them told
    /// what it shows.
    async fn names_of(
        &self,
        site: &Site,
        home: &Home,
        fetcher: &Fetcher,
        turns: &Turns,
    ) -> (Vec<String>, bool) {
        let (mut names, mut all_known) = (Vec::new(), true);
        for url in self.other_names(site) {
            let host = url.host().to_owned();
            // Most names there might be there are not.
            match fetcher.resolver().addresses(&host).await {
                Ok(addresses) if !addresses.is_empty() => {}
                Ok(_) | Err(ConnectError::NoSuchHost) => continue,
                Err(_) => {
                    all_known = false;
                    continue;
                }
            }
            let answered = ask_twice(fetcher, turns, Ask::get(url)).await;
            let state = state_of(&answered);
            // Where nobody listens any more nothing is shown.
            all_known &= !state.is_transient() || state == LinkState::Refused;
            let Ok(answer) = answered else { continue };
            let stays = answer.state() == LinkState::Ok && answer.final_url.host() == host;
            if stays && self.is_same(home, &answer) {
                names.push(host);
            }
        }
        (names, all_known)
    }

    /// Browsers that are shown something else.
    async fn browsers_of(&self, site: &Site, home: &Home, fetcher: &Fetcher, turns: &Turns) -> Vec<Offer> {
        let mut browsers = Vec::new();
        // Only a site that is judged by it has to answer more often.
        if !self.settings().catalogue.indicator("D21").is_some_and(|one| one.applies(site)) {
            return browsers;
        }
        for (name, seen_as) in &BROWSERS {
            let ask = Ask { seen_as: Some(seen_as), ..Ask::get(site.url.clone()) };
            let Ok(answer) = fetcher.fetch(ask, turns).await else { continue };
            let Some(what) = self.differs(site, home, &answer) else { continue };
            let (indicator, what) = ("D21".to_owned(), format!("{name}: {what}"));
            browsers.push(Offer { indicator, what, count: 1, url: answer.final_url.to_string() });
        }
        browsers
    }

    fn read(&self, answer: &Answer) -> Facts {
        let media_type = answer.header("content-type");
        xunjian_page::extract(&answer.body, media_type, &answer.final_url, self.settings().page)
    }

    /// Whether it is the same page. A home page's title is the site's name.
    fn is_same(&self, home: &Home, answer: &Answer) -> bool {
        let same_title = || !home.facts.title.is_empty() && self.read(answer).title == home.facts.title;
        BodyHash::of(&answer.body) == home.body || same_title()
    }

    /// In what an answer to another browser differs.
    fn differs(&self, site: &Site, home: &Home, answer: &Answer) -> Option<&'static str> {
        let text = |facts: &Facts| facts.blocks.iter().map(|block| block.text.len()).sum::<usize>() as f64;
        match answer.state() {
            LinkState::Ok => {}
            // It may not be what the browser says that is refused.
            LinkState::Limited(_) | LinkState::Challenged(_) => return None,
            _ => return Some("does not open"),
        }
        if !site.in_scope(&answer.final_url) {
            return Some("leads to another site");
        }
        let there = self.read(answer);
        match () {
            () if BodyHash::of(&answer.body) == home.body => None,
            () if there.title != home.facts.title => Some("another title"),
            () if text(&there) < text(&home.facts) * ALIKE => Some("less than half of the text"),
            () => None,
        }
    }

    /// The home page under the site's further hosts, and with `www.` or without it.
    fn other_names(&self, site: &Site) -> Vec<PageUrl> {
        let own = site.url.host();
        let twin = match own.strip_prefix("www.") {
            Some(bare) => bare.to_owned(),
            None => format!("www.{own}"),
        };
        let is_name = own.rsplit('.').next().is_some_and(|last| last.parse::<u8>().is_err());
        // Where the site has a folder alone, its home page lies in it.
        let path = site.url.path();
        let in_folder = site.scope_of(&site.url).and_then(|scope| path.get(scope.folder().len()..));
        let in_folder = in_folder.unwrap_or_default();
        let further = site
            .scopes
            .iter()
            .map(|scope| (scope.host().to_owned(), format!("{}{in_folder}", scope.folder())));
        let mut names: Vec<(String, String)> = further.collect();
        names.extend(is_name.then(|| (twin, path.to_owned())));
        names.sort_unstable();
        names.dedup();
        let others: Vec<&Site> = self.settings().sites.iter().filter(|other| other.id != site.id).collect();
        let urls = names.into_iter().filter(|(name, _)| name != own).filter_map(|(name, path)| {
            let mut url = site.url.as_url().clone();
            url.set_host(Some(&name)).ok()?;
            url.set_path(&path);
            PageUrl::parse(url.as_str()).ok()
        });
        urls.filter(|url| !others.iter().any(|other| other.in_scope(url))).take(NAMES_MAX).collect()
    }
}
