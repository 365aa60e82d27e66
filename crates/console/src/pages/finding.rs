//! `/findings/ID`: a finding with the archived page that proves it, its history, and what can be done.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Shared;
use crate::api::decisions::{Decided, decide};
use crate::api::rechecks;
use crate::error::Failure;
use crate::session::Visitor;
use crate::view::{self, blocking};

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// What a look at it has just told: `mended`, `there` or `unknown`.
    #[serde(default)]
    looked: String,
}

pub(crate) async fn show(
    State(state): Shared,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let (engine, language) = (state.engine().await?, visitor.language);
    let values = blocking(move || {
        let filed = engine.find(&id)?;
        let history: Vec<Value> = filed
            .case
            .history
            .iter()
            .map(|event| {
                let (zh, en) = event.step.words();
                json!({
                    "at": view::moment(&engine, event.at),
                    "step": view::say(language, zh, en),
                    "by": event.by,
                    "note": event.note,
                    "snapshot": event.snapshot,
                })
            })
            .collect();
        Ok(json!({
            "finding": view::filed(&engine, &filed, language),
            "site_name": view::owner_name(&engine, &filed.finding.site, language),
            "has_page": engine.settings().sites.iter().any(|site| site.id == filed.finding.site),
            "decision": filed.case.decision,
            "picture": engine.picture_of(&filed.finding).is_some_and(|path| path.exists()),
            "history": history,
            "looked": asked.looked,
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

#[derive(Debug, Deserialize)]
pub(crate) struct LookAgain {
    form_token: String,
}

pub(crate) async fn recheck(
    State(state): Shared,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<LookAgain>,
) -> Result<Response, Failure> {
    visitor.sent(&sent.form_token)?;
    let looked = rechecks::recheck(&state, &visitor, vec![id.clone()]).await?;
    let told = match (looked.mended.is_empty(), looked.still_there.is_empty()) {
        (false, _) => "mended",
        (_, false) => "there",
        _ => "unknown",
    };
    Ok(Redirect::to(&view::link(&format!("/findings/{id}"), &[("looked", told)])).into_response())
}
