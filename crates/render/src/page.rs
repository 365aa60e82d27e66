//! One page in a tab of its own.

use data_encoding::BASE64;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::{Browser, RenderError, Request, Resource, Source};

/// Headers that describe a coding or a length that are not so any more.
const UNDONE: [&str; 4] = ["content-encoding", "content-length", "transfer-encoding", "connection"];
/// What a page shows without its pictures and looks it shows no list more.
const NOT_NEEDED: [&str; 10] = [
    "Image", "Media", "Font", "Stylesheet", "TextTrack", "Ping", "Manifest", "CSPViolationReport",
    "Prefetch", "Other",
];

/// Width and height of a picture, in pixels.
pub const PICTURE: [u32; 2] = [1_000, 640];
/// Of a hundred.
const PICTURE_QUALITY: u32 = 70;

/// What is made of a page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Document,
    Picture,
}

/// A source that has nothing.
struct Nothing;

impl Source for Nothing {
    fn get(&self, _: Request) -> crate::Asking<'_> {
        Box::pin(async { None })
    }
}

/// A page that was fetched already.
#[derive(Debug)]
pub struct Page<'p> {
    /// Its address.
    pub url: &'p str,
    /// What came, which the browser is given instead of asking once more.
    pub answer: Resource,
}

/// A page after its scripts have run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The document as the scripts left it, in UTF-8.
    pub html: String,
    /// The page loaded, came to rest, and got everything it asked for: what it does not show now
    /// it does not show.
    pub settled: bool,
    /// What it asked for and did not get.
    pub refused: Vec<String>,
}

impl Browser {
    /// Renders a page.
    ///
    /// # Errors
    /// [`RenderError::Limit`] is the page's fault; after other errors this browser should not be
    /// used again.
    pub async fn render(&self, page: Page<'_>, source: &dyn Source) -> Result<Rendered, RenderError> {
        self.alone(page, source, Wanted::Document).await.map(|(rendered, _)| rendered)
    }

    /// A picture (JPEG) of a page whose scripts do not run and which gets nothing from outside, with its
    /// first mark in view.
    ///
    /// # Errors
    /// As [`Browser::render`].
    pub async fn picture(&self, page: Page<'_>) -> Result<Vec<u8>, RenderError> {
        self.alone(page, &Nothing, Wanted::Picture).await.map(|(_, picture)| picture)
    }

    async fn alone(
        &self,
        page: Page<'_>,
        source: &dyn Source,
        wanted: Wanted,
    ) -> Result<(Rendered, Vec<u8>), RenderError> {
        let context = self.call(None, "Target.createBrowserContext", json!({})).await?;
        let context = text(&context, "browserContextId")?;
        let rendered = self.in_context(&context, page, source, wanted).await;
        // Ends the tab, and whatever its scripts opened besides.
        let dropped =
            self.call(None, "Target.disposeBrowserContext", json!({ "browserContextId": context })).await;
        let rendered = rendered?;
        dropped?;
        Ok(rendered)
    }

    async fn call(
        &self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Result<Value, RenderError> {
        self.connection.call(session, method, parameters).await
    }

    async fn in_context(
        &self,
        context: &str,
        page: Page<'_>,
        source: &dyn Source,
        wanted: Wanted,
    ) -> Result<(Rendered, Vec<u8>), RenderError> {
        let target = json!({ "url": "about:blank", "browserContextId": context });
        let target = text(&self.call(None, "Target.createTarget", target).await?, "targetId")?;
        let attach = json!({ "targetId": target, "flatten": true });
        let session = text(&self.call(None, "Target.attachToTarget", attach).await?, "sessionId")?;
        let events = self.connection.events(&session);
        let tab = Tab { browser: self, session: &session, page, source };
        let rendered = tab.run(events, wanted).await;
        self.connection.forget(&session);
        rendered
    }
}

struct Tab<'t> {
    browser: &'t Browser,
    session: &'t str,
    page: Page<'t>,
    source: &'t dyn Source,
}

/// How far a page has come.
#[derive(Default)]
struct Course {
    loaded: bool,
    /// It never comes to rest, or did not get what it asked for.
    unsettled: bool,
    requests: usize,
    refused: Vec<String>,
}

impl Tab<'_> {
    async fn call(&self, method: &str, parameters: Value) -> Result<Value, RenderError> {
        self.browser.call(Some(self.session), method, parameters).await
    }

    async fn run(
        &self,
        mut events: mpsc::Receiver<Value>,
        wanted: Wanted,
    ) -> Result<(Rendered, Vec<u8>), RenderError> {
        self.call("Page.enable", json!({})).await?;
        if wanted == Wanted::Picture {
            self.call("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await?;
            let [width, height] = PICTURE;
            let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
            self.call("Emulation.setDeviceMetricsOverride", size).await?;
        }
        self.call("Fetch.enable", json!({ "patterns": [{ "urlPattern": "*" }] })).await?;
        let mut course = Course::default();
        {
            // The answer to the command comes only once the page's own request was answered.
            let navigate = self.call("Page.navigate", json!({ "url": self.page.url }));
            let watch = self.watch(&mut events, &mut course);
            tokio::pin!(navigate, watch);
            tokio::select! {
                navigated = &mut navigate => {
                    navigated?;
                    watch.await?;
                }
                watched = &mut watch => watched?,
            }
        }
        let root = self.call("DOM.getDocument", json!({ "depth": 0 })).await?;
        if wanted == Wanted::Picture {
            let rendered = Rendered { html: String::new(), settled: true, refused: Vec::new() };
            return Ok((rendered, self.picture(&root["root"]["nodeId"]).await?));
        }
        let node = json!({ "nodeId": root["root"]["nodeId"] });
        let mut html = text(&self.call("DOM.getOuterHTML", node).await?, "outerHTML")?;
        if html.len() > self.browser.limits.document_bytes_max {
            return Err(RenderError::Limit("the document is too large"));
        }
        html.shrink_to_fit();
        let settled = course.loaded && !course.unsettled;
        Ok((Rendered { html, settled, refused: course.refused }, Vec::new()))
    }

    async fn picture(&self, root: &Value) -> Result<Vec<u8>, RenderError> {
        let mark = json!({ "nodeId": root, "selector": "mark" });
        let mark = self.call("DOM.querySelector", mark).await?;
        if mark["nodeId"].as_u64() > Some(0) {
            // A mark in what is not shown has no place; then the top of the page is the picture.
            self.call("DOM.scrollIntoViewIfNeeded", json!({ "nodeId": mark["nodeId"] })).await.ok();
        }
        let picture = json!({ "format": "jpeg", "quality": PICTURE_QUALITY });
        let data = text(&self.call("Page.captureScreenshot", picture).await?, "data")?;
        BASE64.decode(data.as_bytes()).map_err(|_| RenderError::Browser("a picture that is none".to_owned()))
    }

    /// Answers the page's requests until it comes to rest.
    async fn watch(
        &self,
        events: &mut mpsc::Receiver<Value>,
        course: &mut Course,
    ) -> Result<(), RenderError> {
        let limits = &self.browser.limits;
        let mut asked = FuturesUnordered::new();
        let mut last = Instant::now();
        // Waiting for a turn with a host is not the page's time.
        let mut left = limits.timeout;
        loop {
            let since = Instant::now();
            let rest = match (course.loaded, asked.is_empty()) {
                (true, true) => (last + limits.idle).min(since + left),
                (false, true) => since + left,
                (_, false) => since + self.patience(),
            };
            let waiting_for_page = asked.is_empty();
            tokio::select! {
                event = events.recv() => {
                    let Some(event) = event else {
                        return Err(RenderError::Browser("its events are gone".to_owned()));
                    };
                    match event["method"].as_str().unwrap_or_default() {
                        "Page.loadEventFired" => {
                            course.loaded = true;
                            last = Instant::now();
                        }
                        "Page.javascriptDialogOpening" => {
                            self.call("Page.handleJavaScriptDialog", json!({ "accept": false })).await?;
                        }
                        "Fetch.requestPaused" => {
                            last = Instant::now();
                            if let Some((id, request)) = self.paused(&event["params"], course).await? {
                                let source = self.source;
                                let url = request.url.clone();
                                asked.push(async move { (id, url, source.get(request).await) });
                            }
                        }
                        "Inspector.targetCrashed" => {
                            return Err(RenderError::Limit("the page took too much memory"));
                        }
                        _ => {}
                    }
                }
                Some((id, url, resource)) = asked.next(), if !asked.is_empty() => {
                    last = Instant::now();
                    match resource {
                        Some(resource) => self.fulfil(&id, &resource).await?,
                        None => {
                            course.unsettled = true;
                            course.refused.push(url);
                            self.refuse(&id, "Failed").await?;
                        }
                    }
                }
                () = tokio::time::sleep_until(rest) => {
                    let at_rest = waiting_for_page && course.loaded && last.elapsed() >= limits.idle;
                    course.unsettled |= !at_rest;
                    return Ok(());
                }
            }
            if waiting_for_page {
                left = left.saturating_sub(since.elapsed());
                if left.is_zero() {
                    course.unsettled = true;
                    return Ok(());
                }
            }
        }
    }

    /// Longest wait for one answer of the source, which has limits of its own.
    fn patience(&self) -> std::time::Duration {
        self.browser.limits.timeout.saturating_mul(30)
    }

    /// A stopped request: answered at once, or to be asked for.
    async fn paused(
        &self,
        event: &Value,
        course: &mut Course,
    ) -> Result<Option<(String, Request)>, RenderError> {
        let id = text(event, "requestId")?;
        let request = &event["request"];
        let url = text(request, "url")?;
        let kind = event["resourceType"].as_str().unwrap_or_default();
        if kind == "Document" {
            // A frame is a page of its own, and so is where a script leads to.
            if without_fragment(&url) == without_fragment(self.page.url) && course.requests == 0 {
                course.requests += 1;
                self.fulfil(&id, &self.page.answer).await?;
            } else {
                self.refuse(&id, "Aborted").await?;
            }
            return Ok(None);
        }
        if NOT_NEEDED.contains(&kind) {
            self.refuse(&id, "BlockedByClient").await?;
            return Ok(None);
        }
        course.requests += 1;
        if course.requests > self.browser.limits.requests_max {
            course.unsettled = true;
            self.refuse(&id, "BlockedByClient").await?;
            return Ok(None);
        }
        if request["method"].as_str() != Some("GET") {
            // Sending something may change something.
            course.unsettled = true;
            course.refused.push(url);
            self.refuse(&id, "BlockedByClient").await?;
            return Ok(None);
        }
        Ok(Some((id, Request { url, script: kind == "Script" })))
    }

    async fn refuse(&self, id: &str, reason: &str) -> Result<(), RenderError> {
        let refusal = json!({ "requestId": id, "errorReason": reason });
        self.tolerant("Fetch.failRequest", refusal).await
    }

    async fn fulfil(&self, id: &str, resource: &Resource) -> Result<(), RenderError> {
        let headers: Vec<Value> = resource
            .headers
            .iter()
            .filter(|(name, _)| !UNDONE.contains(&name.as_str()))
            .map(|(name, value)| json!({ "name": name, "value": value.replace(['\r', '\n', '\0'], " ") }))
            .collect();
        let answer = json!({
            "requestId": id,
            "responseCode": resource.status,
            "responseHeaders": headers,
            "body": BASE64.encode(&resource.body),
        });
        self.tolerant("Fetch.fulfillRequest", answer).await
    }

    /// A request that the page itself gave up is not there to be answered any more.
    async fn tolerant(&self, method: &str, parameters: Value) -> Result<(), RenderError> {
        match self.call(method, parameters).await {
            Err(RenderError::Browser(reason)) if reason.contains("Invalid InterceptionId") => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

fn without_fragment(url: &str) -> &str {
    url.split('#').next().unwrap_or(url)
}

fn text(value: &Value, name: &str) -> Result<String, RenderError> {
    let found = value[name].as_str().map(str::to_owned);
    found.ok_or_else(|| RenderError::Browser(format!("an answer without {name}")))
}
