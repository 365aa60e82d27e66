//! The archived page of a finding, as text.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Caller, Problem, Query};
use crate::Shared;
use crate::error::Failure;
use crate::view::blocking;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Address.
    url: String,
    /// Name of the snapshot, `<body hash>@<time>`.
    snapshot: String,
}

pub(crate) async fn one(
    State(state): Shared,
    _: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Problem> {
    let engine = state.engine().await.map_err(Problem)?;
    let answer = blocking(move || {
        let page = engine.evidence(&asked.url, &asked.snapshot).ok_or(Failure::Missing)?;
        Ok(json!({
            "url": asked.url,
            "snapshot": asked.snapshot,
            "hash": page.hash,
            "fetched_at": page.fetched_at,
            "charset": page.charset,
            "text": page.html,
        }))
    });
    Ok(Json(answer.await.map_err(Problem)?))
}
