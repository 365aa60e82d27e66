//! A tab: every request of its page is stopped, and answered by the source or not at all.

use data_encoding::BASE64;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::page::{Made, PICTURE, Wanted, text};
use crate::searching::Lead;
use crate::{Browser, Page, Post, RenderError, Rendered, Request, Resource, Source};

/// Headers that describe a coding or a length that are not so any more.
const UNDONE: [&str; 4] = ["content-encoding", "content-length", "transfer-encoding", "connection"];
/// What a page shows without its pictures and looks it shows no list more.
const NOT_NEEDED: [&str; 10] = [
    "Image", "Media", "Font", "Stylesheet", "TextTrack", "Ping", "Manifest", "CSPViolationReport",
    "Prefetch", "Other",
];
/// Of a hundred.
const PICTURE_QUALITY: u32 = 70;
/// Bytes that a page may send by POST; it is asked for nothing with more.
const POST_BYTES_MAX: usize = 64 << 10;

pub(crate) struct Tab<'t> {
    pub(crate) browser: &'t Browser,
    pub(crate) session: &'t str,
    pub(crate) page: Page<'t>,
    pub(crate) source: &'t dyn Source,
}

/// How far a page has come.
#[derive(Default)]
pub(crate) struct Course {
    loaded: bool,
    /// It never comes to rest, or did not get what it asked for.
    unsettled: bool,
    pub(crate) requests: usize,
    pub(crate) refused: Vec<String>,
    /// The frame of which it is noted where it leads.
    pub(crate) leaving: Option<String>,
    /// Where it led first.
    pub(crate) lead: Option<Lead>,
}

impl Course {
    pub(crate) fn is_settled(&self) -> bool {
        self.loaded && !self.unsettled
    }
}

impl Tab<'_> {
    pub(crate) async fn call(&self, method: &str, parameters: Value) -> Result<Value, RenderError> {
        self.browser.call(Some(self.session), method, parameters).await
    }

    pub(crate) async fn run(
        &self,
        mut events: mpsc::Receiver<Value>,
        wanted: Wanted<'_>,
    ) -> Result<Made, RenderError> {
        self.call("Page.enable", json!({})).await?;
        if matches!(wanted, Wanted::Picture) {
            self.call("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await?;
            let [width, height] = PICTURE;
            let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
            self.call("Emulation.setDeviceMetricsOverride", size).await?;
        }
        self.call("Fetch.enable", json!({ "patterns": [{ "urlPattern": "*" }] })).await?;
        let mut course = Course::default();
        // The answer to the command comes only once the page's own request was answered.
        let navigate = self.call("Page.navigate", json!({ "url": self.page.url }));
        self.beside(navigate, &mut events, &mut course).await?;
        Ok(match wanted {
            Wanted::Picture => Made { picture: self.picture().await?, ..Made::default() },
            Wanted::Search(search_box, words) => {
                let searched = self.search((search_box, words), &mut events, &mut course).await?;
                Made { searched, ..Made::default() }
            }
            Wanted::Document => {
                let html = self.document().await?;
                let settled = course.is_settled();
                Made { rendered: Rendered { html, settled, refused: course.refused }, ..Made::default() }
            }
        })
    }

    /// Gives a command and answers the page's requests until it comes to rest, whichever of both takes longer.
    pub(crate) async fn beside(
        &self,
        command: impl Future<Output = Result<Value, RenderError>>,
        events: &mut mpsc::Receiver<Value>,
        course: &mut Course,
    ) -> Result<(), RenderError> {
        let watch = self.watch(events, course);
        tokio::pin!(command, watch);
        tokio::select! {
            done = &mut command => {
                done?;
                watch.await
            }
            watched = &mut watch => watched,
        }
    }

    /// The document as it is now.
    pub(crate) async fn document(&self) -> Result<String, RenderError> {
        let root = self.call("DOM.getDocument", json!({ "depth": 0 })).await?;
        let node = json!({ "nodeId": root["root"]["nodeId"] });
        let mut html = text(&self.call("DOM.getOuterHTML", node).await?, "outerHTML")?;
        if html.len() > self.browser.limits.document_bytes_max {
            return Err(RenderError::Limit("the document is too large"));
        }
        html.shrink_to_fit();
        Ok(html)
    }

    async fn picture(&self) -> Result<Vec<u8>, RenderError> {
        let root = self.call("DOM.getDocument", json!({ "depth": 0 })).await?;
        let mark = json!({ "nodeId": root["root"]["nodeId"], "selector": "mark" });
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
                        "Page.windowOpen" if course.leaving.is_some() && course.lead.is_none() => {
                            let url = text(&event["params"], "url")?;
                            course.lead = Some(Lead { url, post: None });
                        }
                        "Page.javascriptDialogOpening" => {
                            self.call("Page.handleJavaScriptDialog", json!({ "accept": false })).await?;
                        }
                        "Fetch.requestPaused" => {
                            last = Instant::now();
                            if let Some((id, request)) = self.paused(&event["params"], course).await? {
                                let source = self.source;
                                let url = request.url.clone();
                                asked.push(async move { (id, url, source.ask(request).await) });
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
                let leaves = course.leaving.as_deref().is_some_and(|frame| event["frameId"] == frame);
                if leaves && course.lead.is_none() {
                    let url = url + request["urlFragment"].as_str().unwrap_or_default();
                    course.lead = Some(Lead { url, post: post(request) });
                }
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
        let post = post(request);
        let method = request["method"].as_str();
        if !(method == Some("GET") || method == Some("POST") && post.is_some()) {
            course.unsettled = true;
            course.refused.push(url);
            self.refuse(&id, "BlockedByClient").await?;
            return Ok(None);
        }
        Ok(Some((id, Request { url, script: kind == "Script", post })))
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

/// What a request sends by POST; `None` for another one, or one that sends too much or files.
fn post(request: &Value) -> Option<Post> {
    if request["method"].as_str() != Some("POST") {
        return None;
    }
    let mut body = Vec::new();
    for part in request["postDataEntries"].as_array().map(Vec::as_slice).unwrap_or_default() {
        body.extend(BASE64.decode(part["bytes"].as_str()?.as_bytes()).ok()?);
    }
    if body.len() > POST_BYTES_MAX || body.is_empty() && request["hasPostData"] == true {
        return None;
    }
    let headers = request["headers"].as_object()?;
    let media_type = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let media_type = media_type.and_then(|(_, value)| value.as_str()).unwrap_or_default().to_owned();
    Some(Post { media_type, body })
}
