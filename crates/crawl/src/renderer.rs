//! The browser of a run: started when it is first needed, shared by all pages, and not again when it keeps failing.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::sync::{Semaphore, SemaphorePermit};
use xunjian_fetch::{Answer, Post};
use xunjian_model::{LinkState, SiteId};
use xunjian_render::{
    Browser, Page, RenderError, RenderLimits, Rendered, Request, Resource, SearchBox, Searched, Source,
};

use crate::hosts::lock;

/// Failures of the browser in a row after which it is not started again in this run.
const FAILURES_MAX: u32 = 3;
/// Bytes of one answer to a script.
pub(crate) const RESOURCE_BYTES_MAX: usize = 4 << 20;
/// Bytes of scripts remembered, so that pages of one site do not ask for each again.
const SCRIPTS_BYTES_MAX: usize = 16 << 20;

/// How pages are rendered.
#[derive(Clone, Debug)]
pub struct RenderSetup {
    /// The browser.
    pub program: PathBuf,
    /// Whether its sandbox is used.
    pub sandbox: bool,
    /// Whether what a site's scripts send by POST to the site's own hosts, while a page loads, is sent.
    pub posts: bool,
    /// Pages of a site in a run.
    pub pages_max: u32,
    /// Pages at once.
    pub tabs: usize,
    /// Pictures of new faults that a night takes.
    pub pictures_max: usize,
    /// Limits of one page.
    pub limits: RenderLimits,
}

/// The browser of a run.
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

/// A tab of the browser, for as long as it is held.
pub(crate) struct Tab<'r> {
    renderer: &'r Renderer,
    browser: Arc<Browser>,
    _permit: SemaphorePermit<'r>,
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

    pub(crate) fn posts(&self) -> bool {
        self.setup.posts
    }

    /// A tab for a page of a site; `None` when the site had its share of them, or there is no browser.
    pub(crate) async fn tab(&self, site: &SiteId) -> Option<Tab<'_>> {
        let spent = {
            let mut pages = lock(&self.pages);
            let spent = pages.entry(site.clone()).or_default();
            *spent += 1;
            *spent
        };
        if spent > self.setup.pages_max {
            return None;
        }
        let permit = self.tabs.acquire().await.ok()?;
        Some(Tab { renderer: self, browser: self.browser().await?, _permit: permit })
    }

    /// What a request of a page gets: a script that was asked for before, or its answer, in which a script is remembered.
    pub(crate) async fn fulfil(
        &self,
        request: &Request,
        own: bool,
        answer: impl Future<Output = Option<Resource>> + Send,
    ) -> Option<Resource> {
        if let Some(kept) = self.remembered(&request.url).filter(|_| request.script) {
            return Some(kept);
        }
        match answer.await {
            Some(resource) if request.script => {
                self.remember(request.url.clone(), &resource);
                Some(resource)
            }
            // A counter or a map of another house, without which the page shows its list.
            None if request.script && !own => {
                Some(Resource { status: 404, headers: Vec::new(), body: Vec::new() })
            }
            answer => answer,
        }
    }

    fn remembered(&self, url: &str) -> Option<Resource> {
        lock(&self.scripts).get(url).cloned()
    }

    fn remember(&self, url: String, script: &Resource) {
        let mut scripts = lock(&self.scripts);
        let bytes: usize = scripts.values().map(|kept| kept.body.len()).sum();
        if bytes + script.body.len() > SCRIPTS_BYTES_MAX {
            scripts.clear();
        }
        scripts.insert(url, script.clone());
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
}

impl Tab<'_> {
    /// The page after its scripts have run; `None` when it could not be rendered.
    pub(crate) async fn render(&self, page: Page<'_>, source: &dyn Source) -> Option<Rendered> {
        let url = page.url;
        self.done(url, self.browser.render(page, source).await).await
    }

    /// What comes of words in the page's search box, `Some(None)` without one; `None` when it could not be rendered.
    pub(crate) async fn search(
        &self,
        page: Page<'_>,
        sought: (&SearchBox, &str),
        source: &dyn Source,
    ) -> Option<Option<Searched>> {
        let url = page.url;
        self.done(url, self.browser.search(page, sought, source).await).await
    }

    async fn done<T>(&self, url: &str, result: Result<T, RenderError>) -> Option<T> {
        let mut running = self.renderer.running.lock().await;
        match result {
            Ok(done) => {
                running.failures = 0;
                Some(done)
            }
            Err(error) => {
                tracing::info!(%url, %error, "not rendered");
                let current = running.browser.as_ref();
                // A browser that failed is not used again.
                if !matches!(error, RenderError::Limit(_))
                    && current.is_some_and(|current| Arc::ptr_eq(current, &self.browser))
                {
                    running.browser = None;
                    running.failures += 1;
                }
                None
            }
        }
    }
}

/// An answer as a page's script gets it; `None` where it is a failure.
pub(crate) fn resource(answer: Answer) -> Option<Resource> {
    if answer.state() != LinkState::Ok || answer.truncated {
        return None;
    }
    let read = |name: &str| matches!(name, "content-type" | "access-control-allow-origin");
    let headers = answer.headers.into_iter().filter(|(name, _)| read(name)).collect();
    Some(Resource { status: answer.status, headers, body: answer.body })
}

/// What a page sends, as it is asked with.
pub(crate) fn posted(post: xunjian_render::Post) -> Post {
    Post { media_type: post.media_type, body: post.body.into() }
}
