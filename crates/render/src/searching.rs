//! A page's search, used as a reader uses it.

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::page::text;
use crate::tab::{Course, Tab};
use crate::{Post, RenderError, Rendered};

/// Finds the box and its button.
const FIND: &str = include_str!("search_box.js");
/// Presses the button, or sends the form off.
const PRESS: &str = "button ? button.click() : box.form?.requestSubmit()";
/// The Enter key (Windows virtual key code).
const ENTER: u32 = 13;

/// How a search box is told from others.
#[derive(Clone, Debug)]
pub struct SearchBox {
    /// Names such boxes have.
    pub names: &'static [&'static str],
    /// Words of a search, in what a box or a button says of itself.
    pub words: &'static [&'static str],
}

/// What came of words in a page's search box.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Searched {
    /// Where the page wanted to go. It was not let.
    pub lead: Option<Lead>,
    /// The document before.
    pub before: String,
    /// The document after it: results may have come into it.
    pub after: Rendered,
}

/// Where a page leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// Address, with its fragment.
    pub url: String,
    /// What is sent there by POST.
    pub post: Option<Post>,
}

impl Tab<'_> {
    /// Types words and sends them off; `None` without a box.
    pub(crate) async fn search(
        &self,
        (search_box, words): (&SearchBox, &str),
        events: &mut mpsc::Receiver<Value>,
        course: &mut Course,
    ) -> Result<Option<Searched>, RenderError> {
        let frame = self.call("Page.getFrameTree", json!({})).await?;
        let frame = text(&frame["frameTree"]["frame"], "id")?;
        let world = json!({ "frameId": frame, "worldName": "xunjian" });
        let world = self.call("Page.createIsolatedWorld", world).await?["executionContextId"].clone();
        let SearchBox { names, words: hints } = search_box;
        let find = format!("({FIND})({}, {})", json!(names), json!(hints));
        if self.evaluate(&world, &find).await? != Value::Bool(true) {
            return Ok(None);
        }
        let before = self.document().await?;
        course.leaving = Some(frame);
        self.call("Input.insertText", json!({ "text": words })).await?;
        let requests = course.requests;
        // A script that leads elsewhere may do so in the midst of the click.
        self.beside(self.evaluate(&world, PRESS), events, course).await?;
        if course.lead.is_none() && course.requests == requests {
            self.beside(self.enter(), events, course).await?;
        }
        let html = self.document().await?;
        let after =
            Rendered { html, settled: course.is_settled(), refused: std::mem::take(&mut course.refused) };
        Ok(Some(Searched { lead: course.lead.take(), before, after }))
    }

    async fn enter(&self) -> Result<Value, RenderError> {
        let mut key = json!({ "type": "keyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": ENTER, "text": "\r" });
        self.call("Input.dispatchKeyEvent", key.clone()).await?;
        key["type"] = json!("keyUp");
        self.call("Input.dispatchKeyEvent", key).await
    }

    async fn evaluate(&self, world: &Value, expression: &str) -> Result<Value, RenderError> {
        let evaluate = json!({ "expression": expression, "contextId": world, "returnByValue": true, "userGesture": true });
        Ok(self.call("Runtime.evaluate", evaluate).await?["result"]["value"].clone())
    }
}
