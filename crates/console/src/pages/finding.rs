//! `/findings/ID`: a finding with the archived page that proves it, its history, and what can be done.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Shared;
use crate::api::decisions::{Decided, decide};
use crate::error::Failure;
use crate::session::Visitor;
use crate::view::{self, blocking};

pub(crate) async fn show(
    State(state): Shared,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Html<String>, Failure> {
    let (engine, language) = (state.engine().await?, visitor.language);
    let values = blocking(move || {
        let filed = engine.find(&id)?;
        let zone = &engine.settings().zone;
        let history: Vec<Value> = filed
            .case
            .history
            .iter()
            .map(|event| {
                let (zh, en) = event.step.words();
                json!({
                    "at": zone.to_datetime(event.at).strftime("%Y-%m-%d %H:%M").to_string(),
                    "step": view::say(language, zh, en),
                    "by": event.by,
                    "note": event.note,
                    "snapshot": event.snapshot,
                })
            })
            .collect();
        Ok(json!({
            "finding": view::filed(&filed, language),
            "site_name": view::owner_name(&engine, &filed.finding.site, language),
            "has_page": engine.settings().sites.iter().any(|site| site.id == filed.finding.site),
            "decision": filed.case.decision,
            "picture": engine.picture_of(&filed.finding).is_some_and(|path| path.exists()),
            "history": history,
        }))
    })
    .await?;
    state.view.page("finding.html", &visitor, values)
}

#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    form_token: String,
    /// Where to go on.
    #[serde(default)]
    back: String,
    #[serde(flatten)]
    decided: Decided,
}

pub(crate) async fn act(
    State(state): Shared,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, Failure> {
    visitor.sent(&sent.form_token)?;
    decide(&state, &visitor, vec![id.clone()], sent.decided).await?;
    let place = view::own_place(&sent.back).map_or_else(|| format!("/findings/{id}"), str::to_owned);
    Ok(Redirect::to(&place).into_response())
}
