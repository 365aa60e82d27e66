//! Pages whose list a script fills, seen through a browser: when, how often, and with whose
//! answers.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use xunjian_fetch::{Ask, Want};
use xunjian_frontier::Item;
use xunjian_model::{
    BodyHash, Facts, LinkState, PageUrl, Rendering, SiteId, Snapshot, Target, Timings, UrlRecord, View,
};
use xunjian_render::{Asking, Browser, Page, RenderError, RenderLimits, Request, Resource, Source};

use crate::look::new_items;
use crate::{Progress, Shared, now};

/// Characters of main text with which a page shows something without its scripts.
const TEXT_CHARS: u32 = 200;
/// Links from the home page within which columns lie.
const DEPTH_MAX: u16 = 1;
/// Failures of the browser in a row after which it is not started again in this run.
const FAILURES_MAX: u32 = 3;
/// Bytes of one answer to a script.
const RESOURCE_BYTES_MAX: usize = 4 << 20;
/// Bytes of scripts remembered, so that pages of one site do not ask for each again.
const SCRIPTS_BYTES_MAX: usize = 16 << 20;

/// How pages are rendered.
#[derive(Clone, Debug)]
pub struct RenderSetup {
    /// The browser.
    pub program: PathBuf,
    /// Whether its sandbox is used.
    pub sandbox: bool,
    /// Pages of a site in a run.
    pub pages_max: u32,
    /// Pages at once.
    pub tabs: usize,
    /// Pictures of new faults that a night takes.
    pub pictures_max: usize,
    /// Limits of one page.
    pub limits: RenderLimits,
}

/// The browser of a run, started when it is first needed.
pub struct Renderer {
    setup: RenderSetup,
    tabs: Semaphore,
    running: tokio::sync::Mutex<Running>,
    pages: Mutex<HashMap<SiteId, u32>>,
    scripts: Mutex<HashMap<String, Resource>>,
}

#[derive(Default)]
struct Running {
    browser: Option<Arc<Browser>>,
    failures: u32,
}

/// A rendered version of a page.
pub(crate) struct RenderedPage {
    /// The snapshot to keep, unless the same one is kept already.
    pub(crate) snapshot: Option<(Snapshot, Vec<u8>)>,
    /// The addresses found in it.
    pub(crate) links: Vec<Item>,
}

impl Renderer {
    /// None is started yet.
    pub fn new(setup: RenderSetup) -> Self {
        Self {
            tabs: Semaphore::new(setup.tabs),
            setup,
            running: tokio::sync::Mutex::default(),
            pages: Mutex::default(),
            scripts: Mutex::default(),
        }
    }

    fn spend(&self, site: &SiteId) -> bool {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = pages.entry(site.clone()).or_default();
        *spent += 1;
        *spent <= self.setup.pages_max
    }

    async fn browser(&self) -> Option<Arc<Browser>> {
        let mut running = self.running.lock().await;
        if running.browser.is_none() && running.failures < FAILURES_MAX {
            let RenderSetup { program, sandbox, limits, .. } = &self.setup;
            match Browser::start(program, *sandbox, limits.clone()).await {
                Ok(browser) => running.browser = Some(Arc::new(browser)),
                Err(error) => {
                    tracing::warn!(%error, "pages filled by scripts stay for a person to look at");
                    // It will not start the next time either.
                    running.failures = FAILURES_MAX;
                }
            }
        }
        running.browser.clone()
    }

    /// A browser that failed is not used again.
    async fn failed(&self, browser: &Arc<Browser>) {
        let mut running = self.running.lock().await;
        if running.browser.as_ref().is_some_and(|current| Arc::ptr_eq(current, browser)) {
            running.browser = None;
            running.failures += 1;
        }
    }
}

/// Whether only a browser can tell what a page shows: a home page or a column without a list, or a home page
/// without what the standard asks of one.
pub(crate) fn is_wanted(shared: &Shared, item: &Item, home: bool, facts: &Facts) -> bool {
    let no_list =
        || facts.scripted && facts.main_items().next().is_none() && (home || facts.main_chars <= TEXT_CHARS);
    item.target == Target::Page
        && item.depth <= DEPTH_MAX
        && facts.refresh.is_none()
        && (no_list() || home && (shared.setup.home_check)(facts))
}

/// Renders a page that has to be, from a body that was fetched, and notes it in its record.
pub(crate) async fn render(
    shared: &Shared,
    item: &Item,
    record: &mut UrlRecord,
    body: &[u8],
    media_type: Option<&str>,
) -> Option<Box<RenderedPage>> {
    let before = std::mem::replace(&mut record.rendering, Rendering::Wanted);
    let renderer = shared.renderer.as_ref()?;
    let site = item.site.as_ref().filter(|site| renderer.spend(site))?;
    let _tab = renderer.tabs.acquire().await.ok()?;
    if shared.stop.is_stopped() {
        return None;
    }
    // Boxed: each visit would be half as large again for what few of them do, and it is moved when it begins.
    let browser = Box::pin(renderer.browser()).await?;
    let headers = media_type.map(|value| ("content-type".to_owned(), value.to_owned()));
    let answer = Resource { status: 200, headers: headers.into_iter().collect(), body: body.to_vec() };
    let scripts = Scripts { shared, renderer, site };
    let page = Page { url: item.url.as_str(), answer };
    let rendered = match Box::pin(browser.render(page, &scripts)).await {
        Ok(rendered) => rendered,
        Err(error) => {
            tracing::info!(url = %item.url, %error, "not rendered");
            if !matches!(error, RenderError::Limit(_)) {
                renderer.failed(&browser).await;
            }
            return None;
        }
    };
    renderer.running.lock().await.failures = 0;
    Progress::add(&shared.progress.rendered, 1);
    if !rendered.refused.is_empty() {
        tracing::debug!(url = %item.url, refused = ?rendered.refused, "scripts asked in vain");
    }
    let body = rendered.html.into_bytes();
    let body_hash = BodyHash::of(&body);
    let facts = xunjian_page::extract(&body, Some("text/html; charset=utf-8"), &item.url, shared.setup.page);
    let links = new_items(shared, item, &facts);
    let settled = rendered.settled;
    if let Rendering::Done { at, body_hash: kept, .. } = before
        && kept == body_hash
    {
        record.rendering = Rendering::Done { at, body_hash, settled };
        return Some(Box::new(RenderedPage { snapshot: None, links }));
    }
    let at = now();
    record.rendering = Rendering::Done { at, body_hash, settled };
    let snapshot = Snapshot {
        url: item.url.clone(),
        fetched_at: at,
        status: 200,
        hops: Vec::new(),
        final_url: None,
        headers: Vec::new(),
        timings: Timings::default(),
        tls: None,
        body_hash,
        body_bytes: body.len() as u64,
        truncated: false,
        view: View::Rendered,
    };
    Some(Box::new(RenderedPage { snapshot: Some((snapshot, body)), links }))
}

/// Whether a page whose source has not changed is looked at again.
pub(crate) fn is_again(record: &UrlRecord) -> bool {
    record.rendering != Rendering::NotNeeded
}

/// Renders a page again that the server says has not changed: its list may have.
pub(crate) async fn render_again(
    shared: &Shared,
    item: &Item,
    record: &mut UrlRecord,
) -> Option<Box<RenderedPage>> {
    let home = shared.is_home(item);
    match (is_again(record), &shared.renderer) {
        (true, Some(_)) => {}
        (true, None) => {
            // What an earlier night showed may not be so any more.
            record.rendering = Rendering::Wanted;
            return None;
        }
        // A browser may have come since the page was kept.
        (false, Some(_)) if home => {}
        (false, _) => return None,
    }
    let body = shared.store.body(&record.body_hash?).ok()??;
    let media_type = record.media_type.clone();
    if !is_again(record) {
        let facts = xunjian_page::extract(&body, media_type.as_deref(), &item.url, shared.setup.page);
        if !is_wanted(shared, item, home, &facts) {
            return None;
        }
    }
    render(shared, item, record, &body, media_type.as_deref()).await
}

/// Asks for what scripts want as for any page: in turn, by robots.txt, with the site's cookies.
struct Scripts<'s> {
    shared: &'s Shared,
    renderer: &'s Renderer,
    site: &'s SiteId,
}

impl Source for Scripts<'_> {
    fn get(&self, request: Request) -> Asking<'_> {
        Box::pin(async move {
            let kept = self.scripts(|scripts| scripts.get(&request.url).cloned());
            if kept.is_some() {
                return kept;
            }
            let answer = self.ask(&request.url).await;
            match answer {
                Some(resource) => {
                    if request.script {
                        self.keep(request.url, &resource);
                    }
                    Some(resource)
                }
                // A counter or a map of another house, without which the page shows its list.
                None if request.script && !self.is_own(&request.url) => {
                    Some(Resource { status: 404, headers: Vec::new(), body: Vec::new() })
                }
                None => None,
            }
        })
    }
}

impl Scripts<'_> {
    fn scripts<T>(&self, with: impl FnOnce(&mut HashMap<String, Resource>) -> T) -> T {
        with(&mut self.renderer.scripts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, url: String, resource: &Resource) {
        self.scripts(|scripts| {
            let bytes: usize = scripts.values().map(|kept| kept.body.len()).sum();
            if bytes + resource.body.len() > SCRIPTS_BYTES_MAX {
                scripts.clear();
            }
            scripts.insert(url, resource.clone());
        });
    }

    fn is_own(&self, url: &str) -> bool {
        let owner = PageUrl::parse(url).ok().and_then(|url| self.shared.owner(&url).map(|own| &own.site.id));
        owner == Some(self.site)
    }

    async fn ask(&self, url: &str) -> Option<Resource> {
        let url = PageUrl::parse(url).ok()?;
        let host = self.shared.host_of(&url).ok()?;
        let site = self.shared.owner(&url);
        if let Some(prepared) = host.is_prepared()
            && !prepared.allows(&url, site.map(|site| &site.site))
        {
            return None;
        }
        if site.is_none() && !self.shared.setup.limits.outside {
            return None;
        }
        let cookies = site.and_then(|site| site.cookies.clone());
        let referer = site.map(|site| site.site.url.clone());
        let get = Ask { cookies, referer, ..Ask::get(url) };
        let ask = Ask { want: Want::Whole, body_bytes_max: RESOURCE_BYTES_MAX, ..get };
        let answer = self.shared.fetcher.fetch(ask, self.shared).await.ok()?;
        if answer.state() != LinkState::Ok || answer.truncated {
            return None;
        }
        let read = |name: &str| matches!(name, "content-type" | "access-control-allow-origin");
        let headers = answer.headers.into_iter().filter(|(name, _)| read(name));
        Some(Resource { status: answer.status, headers: headers.collect(), body: answer.body })
    }
}
