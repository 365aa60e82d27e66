//! `/runs`: the nights there were.

use axum::extract::State;
use axum::response::Html;
use serde_json::{Value, json};

use crate::Shared;
use crate::error::Failure;
use crate::session::Visitor;
use crate::view::{self, blocking};

/// Runs on the page.
const ROWS: usize = 60;

pub(crate) async fn show(State(state): Shared, visitor: Visitor) -> Result<Html<String>, Failure> {
    let engine = state.engine().await?;
    let mut values = blocking(move || {
        let runs = engine.newest_runs(ROWS, None)?;
        let rows: Vec<Value> = runs
            .iter()
            .map(|run| {
                json!({
                    "number": run.run.number,
                    "at": view::moment(&engine, run.run.started_at),
                    "crawled": run.run.crawl.finished,
                    "finished": run.run.finished,
                    "pages": run.run.crawl.pages + run.run.crawl.not_modified,
                    "requests": run.run.crawl.requests,
                    "results": run.results,
                    "findings": run.findings,
                    "new": run.new,
                })
            })
            .collect();
        Ok(json!({ "rows": rows }))
    })
    .await?;
    values["live"] = json!(state.progress());
    state.view.page("runs.html", &visitor, values)
}
