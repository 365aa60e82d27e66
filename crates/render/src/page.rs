//! One page in a tab of its own: its document, its picture, or what its search leads to.

use serde_json::{Value, json};

use crate::searching::{SearchBox, Searched};
use crate::tab::Tab;
use crate::{Browser, RenderError, Request, Resource, Source};

/// Width and height of a picture, in pixels.
pub const PICTURE: [u32; 2] = [1_000, 640];

/// What is made of a page.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'w> {
    Document,
    Picture,
    /// What comes of these words in its search box.
    Search(&'w SearchBox, &'w str),
}

/// What was made of it.
#[derive(Default)]
pub(crate) struct Made {
    pub(crate) rendered: Rendered,
    pub(crate) picture: Vec<u8>,
    pub(crate) searched: Option<Searched>,
}

/// A source that has nothing.
struct Nothing;

impl Source for Nothing {
    fn ask(&self, _: Request) -> crate::Asking<'_> {
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
        self.alone(page, source, Wanted::Document).await.map(|made| made.rendered)
    }

    /// A picture (JPEG) of a page whose scripts do not run and which gets nothing from outside, with its
    /// first mark in view.
    ///
    /// # Errors
    /// As [`Browser::render`].
    pub async fn picture(&self, page: Page<'_>) -> Result<Vec<u8>, RenderError> {
        self.alone(page, &Nothing, Wanted::Picture).await.map(|made| made.picture)
    }

    /// Types words into a page's search box and sends them off, as a reader does; `None` when it has no such box.
    ///
    /// # Errors
    /// As [`Browser::render`].
    pub async fn search(
        &self,
        page: Page<'_>,
        (search_box, words): (&SearchBox, &str),
        source: &dyn Source,
    ) -> Result<Option<Searched>, RenderError> {
        self.alone(page, source, Wanted::Search(search_box, words)).await.map(|made| made.searched)
    }

    async fn alone(
        &self,
        page: Page<'_>,
        source: &dyn Source,
        wanted: Wanted<'_>,
    ) -> Result<Made, RenderError> {
        let context = self.call(None, "Target.createBrowserContext", json!({})).await?;
        let context = text(&context, "browserContextId")?;
        let made = self.in_context(&context, page, source, wanted).await;
        // Ends the tab, and whatever its scripts opened besides.
        let dropped =
            self.call(None, "Target.disposeBrowserContext", json!({ "browserContextId": context })).await;
        let made = made?;
        dropped?;
        Ok(made)
    }

    pub(crate) async fn call(
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
        wanted: Wanted<'_>,
    ) -> Result<Made, RenderError> {
        let target = json!({ "url": "about:blank", "browserContextId": context });
        let target = text(&self.call(None, "Target.createTarget", target).await?, "targetId")?;
        let attach = json!({ "targetId": target, "flatten": true });
        let session = text(&self.call(None, "Target.attachToTarget", attach).await?, "sessionId")?;
        let events = self.connection.events(&session);
        let tab = Tab { browser: self, session: &session, page, source };
        let made = tab.run(events, wanted).await;
        self.connection.forget(&session);
        made
    }
}

pub(crate) fn text(value: &Value, name: &str) -> Result<String, RenderError> {
    let found = value[name].as_str().map(str::to_owned);
    found.ok_or_else(|| RenderError::Browser(format!("an answer without {name}")))
}
