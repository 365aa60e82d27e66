//! Asks a site's own search for titles that are known to be there (D18): by its form, and where a script has a hand in
//! it by a browser, as a reader does.

mod form;
mod results;

use std::sync::atomic::{AtomicBool, Ordering};

use xunjian_fetch::{Answer, Ask, Fetcher, Gate, Want};
use xunjian_model::{Facts, LinkKind, LinkState, PageUrl, SEARCH_NAMES, SEARCH_WORDS, Site};
use xunjian_render::{Asking, Page, Request, Resource, SearchBox, Searched, Source};

use crate::Refusals;
use crate::renderer::{RESOURCE_BYTES_MAX, Renderer, posted, resource};
use crate::turns::{ask_twice, state_of};

pub use form::search_form;

/// How a browser tells the search box from others.
const SEARCH_BOX: SearchBox = SearchBox { names: SEARCH_NAMES, words: SEARCH_WORDS };
/// What rendered documents are, once a browser handed them over.
const RENDERED: &str = "text/html; charset=utf-8";

/// A page that is known to be on the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Class of its column, `news`, `policy`, `interaction` or `service`.
    pub class: String,
    /// Title, as lists show it.
    pub title: String,
    /// Address.
    pub url: String,
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// It is among the first results.
    Found,
    /// It is not, or there is no search at its address, or one that fails.
    Missed,
    /// The search did not answer, does not want to, or a script has a hand in it and no browser is there: nothing can be
    /// said of it.
    NoAnswer,
}

/// How searches are asked.
#[derive(Clone, Copy)]
pub struct SearchSetup<'s> {
    /// Asks.
    pub fetcher: &'s Fetcher,
    /// In turn.
    pub gate: &'s dyn Gate,
    /// Limits of a page of results.
    pub page: xunjian_page::Limits,
    /// Text of refusals.
    pub refusals: &'s Refusals,
    /// A browser, if there is one.
    pub renderer: Option<&'s Renderer>,
    /// Whether hosts outside are asked for what scripts want.
    pub outside: bool,
}

/// A site's search.
pub struct Search<'s> {
    setup: SearchSetup<'s>,
    site: &'s Site,
    home: SearchHome,
    /// Its form finds what a reader finds: no script has a hand in it. Not known to begin with.
    by_form: AtomicBool,
}

/// The page whose search is asked.
pub struct SearchHome {
    /// Address.
    pub url: PageUrl,
    /// What it says, its frames included.
    pub facts: Facts,
    /// As the server sent it.
    pub body: Vec<u8>,
    /// `Content-Type`.
    pub media_type: Option<String>,
}

impl<'s> Search<'s> {
    /// The search of a site's home page.
    pub fn new(setup: SearchSetup<'s>, site: &'s Site, home: SearchHome) -> Self {
        Self { setup, site, home, by_form: AtomicBool::default() }
    }

    /// What its home page says.
    pub fn home(&self) -> &Facts {
        &self.home.facts
    }

    /// Asks for a page by its title and looks for it among the first results; with the address that was asked. `None` when
    /// the home page has no search.
    pub async fn ask(&self, known: &Known) -> Option<(Sought, String)> {
        let words = results::words_of(&known.title);
        let by_form = match search_form(&self.home.facts) {
            None => None,
            Some(form) => match form::question(&self.home.facts, form, &words) {
                (None, address) => Some((Sought::NoAnswer, address)),
                (Some(ask), address) => match self.sought(ask, known).await {
                    // A script would have asked otherwise, or elsewhere.
                    Sought::Missed if form.0.scripted => Some((Sought::NoAnswer, address)),
                    sought => Some((sought, address)),
                },
            },
        };
        let said = by_form.as_ref().map(|(sought, _)| *sought);
        if said == Some(Sought::Found) {
            self.by_form.store(true, Ordering::Relaxed);
        }
        let believed = said == Some(Sought::Missed) && self.by_form.load(Ordering::Relaxed);
        let Some(renderer) = self.setup.renderer.filter(|_| said != Some(Sought::Found) && !believed) else {
            return by_form;
        };
        // Also where the form finds nothing: a script of the page may have filled it in.
        let by_browser = self.by_browser(renderer, &words, known).await;
        let confirmed = by_browser.as_ref().is_some_and(|(sought, _)| *sought == Sought::Missed);
        self.by_form.fetch_or(confirmed && said == Some(Sought::Missed), Ordering::Relaxed);
        by_browser.or(by_form)
    }

    /// What a form's answer says.
    async fn sought(&self, ask: Ask, known: &Known) -> Sought {
        let answer = match self.answer(ask).await {
            Ok(answer) => answer,
            Err(sought) => return sought,
        };
        let results = self.read(&answer.body, answer.header("content-type"), &answer.final_url);
        match self.told(&results, &answer.final_url, known) {
            Some(sought) => sought,
            // What a script puts there, nobody saw.
            None if is_scripted(&results) => Sought::NoAnswer,
            None => Sought::Missed,
        }
    }

    /// What a browser comes to with the words in the page's search box; `None` without a box, or without a browser.
    async fn by_browser(&self, renderer: &Renderer, words: &str, known: &Known) -> Option<(Sought, String)> {
        let SearchHome { url, body, media_type, .. } = &self.home;
        let reader = Reader { search: self, renderer, page: url };
        let searched = {
            let tab = renderer.tab(&self.site.id).await?;
            let page = Page { url: url.as_str(), answer: shown(body.clone(), media_type.as_deref()) };
            tab.search(page, (&SEARCH_BOX, words), &reader).await??
        };
        let Some(lead) = searched.lead else {
            return Some((self.in_place(&searched, known), url.to_string()));
        };
        let Ok(address) = PageUrl::parse(&lead.url) else { return Some((Sought::NoAnswer, lead.url)) };
        let carries = form::carries(&lead, words);
        let post = lead.post.map(posted);
        let ask = Ask { post, referer: Some(url.clone()), ..Ask::get(address) };
        let sought = match self.followed(renderer, ask, &lead.url, known).await {
            // It may not have been a search that it led to.
            Sought::Missed if !carries => Sought::NoAnswer,
            sought => sought,
        };
        Some((sought, lead.url))
    }

    /// What comes where the page leads, once its own scripts have run, too.
    async fn followed(&self, renderer: &Renderer, ask: Ask, lead: &str, known: &Known) -> Sought {
        let posted = ask.post.is_some();
        let answer = match self.answer(ask).await {
            Ok(answer) => answer,
            Err(sought) => return sought,
        };
        let media_type = answer.header("content-type").map(str::to_owned);
        let at = answer.final_url;
        let results = self.read(&answer.body, media_type.as_deref(), &at);
        if let Some(sought) = self.told(&results, &at, known) {
            return sought;
        }
        // A fragment is for the page's scripts alone.
        let shown_at = if posted || !answer.hops.is_empty() { at.as_str() } else { lead };
        let reader = Reader { search: self, renderer, page: &at };
        let Some(tab) = renderer.tab(&self.site.id).await else { return Sought::NoAnswer };
        let page = Page { url: shown_at, answer: shown(answer.body, media_type.as_deref()) };
        let Some(rendered) = tab.render(page, &reader).await else { return Sought::NoAnswer };
        let after = self.read(rendered.html.as_bytes(), Some(RENDERED), &at);
        match self.told(&after, &at, known) {
            Some(sought) => sought,
            // Results that a script opens when they are clicked.
            None if results::names(&after, known) => Sought::NoAnswer,
            // A script that did not get what it wanted may have wanted results.
            None if !rendered.settled && is_scripted(&results) => Sought::NoAnswer,
            None => Sought::Missed,
        }
    }

    /// What came into the home page itself, which may have shown the title before; that it lacks one is not told.
    fn in_place(&self, searched: &Searched, known: &Known) -> Sought {
        let count =
            |html: &str| results::count(&self.read(html.as_bytes(), Some(RENDERED), &self.home.url), known);
        match count(&searched.after.html) > count(&searched.before) {
            true => Sought::Found,
            false => Sought::NoAnswer,
        }
    }

    /// The answer of a search, or what can be said without one.
    async fn answer(&self, ask: Ask) -> Result<Answer, Sought> {
        let answered = ask_twice(self.setup.fetcher, self.setup.gate, ask).await;
        match (state_of(&answered), answered) {
            (LinkState::Ok, Ok(answer)) => Ok(answer),
            (LinkState::ServerError(_) | LinkState::ClientError(_) | LinkState::RedirectLoop, _) => {
                Err(Sought::Missed)
            }
            // Where the site itself cannot be reached any more, it is not its search that is away.
            (state, _) if state.is_dead() && self.opens().await => Err(Sought::Missed),
            _ => Err(Sought::NoAnswer),
        }
    }

    /// Whether the site can be reached.
    async fn opens(&self) -> bool {
        let ask = Ask { head: true, ..Ask::get(self.home.url.clone()) };
        self.setup.fetcher.fetch(ask, self.setup.gate).await.is_ok()
    }

    fn read(&self, body: &[u8], media_type: Option<&str>, at: &PageUrl) -> Facts {
        xunjian_page::extract(body, media_type, at, self.setup.page)
    }

    /// What a page of results says by itself; `None`: nothing is there.
    fn told(&self, results: &Facts, at: &PageUrl, known: &Known) -> Option<Sought> {
        if results::is_home(results, at, &self.home.facts, &self.home.url) {
            // A script would have turned it into results.
            return Some(Sought::NoAnswer);
        }
        if results::count(results, known) > 0 {
            return Some(Sought::Found);
        }
        let refused = self.setup.refusals.have(results) || results::asks_for_code(results);
        refused.then_some(Sought::NoAnswer)
    }
}

fn is_scripted(results: &Facts) -> bool {
    results.scripted || results.links.iter().any(|link| link.kind == LinkKind::Data)
}

/// A page as a browser is given it.
fn shown(body: Vec<u8>, media_type: Option<&str>) -> Resource {
    let headers = media_type.map(|value| ("content-type".to_owned(), value.to_owned()));
    Resource { status: 200, headers: headers.into_iter().collect(), body }
}

/// Asks for what the scripts of a search want, as the reader's browser would.
struct Reader<'s> {
    search: &'s Search<'s>,
    renderer: &'s Renderer,
    page: &'s PageUrl,
}

impl Source for Reader<'_> {
    fn ask(&self, request: Request) -> Asking<'_> {
        Box::pin(async move {
            let url = PageUrl::parse(&request.url).ok()?;
            let beside = url.host() == self.page.host() || url.host() == self.search.home.url.host();
            let own = beside || self.search.site.in_scope(&url);
            self.renderer.fulfil(&request, own, self.answer(url, &request, own)).await
        })
    }
}

impl Reader<'_> {
    async fn answer(&self, url: PageUrl, request: &Request, own: bool) -> Option<Resource> {
        let setup = &self.search.setup;
        let sends = request.post.is_some();
        if sends && !(self.renderer.posts() && own) || !own && !setup.outside {
            return None;
        }
        let post = request.post.clone().map(posted);
        let ask = Ask { post, referer: Some(self.page.clone()), want: Want::Whole, ..Ask::get(url) };
        let ask = Ask { body_bytes_max: RESOURCE_BYTES_MAX, ..ask };
        resource(setup.fetcher.fetch(ask, setup.gate).await.ok()?)
    }
}
