//! What people and tools do about findings.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};
use xunjian_engine::{Action, Filed, Hand};
use xunjian_model::Ruling;

use super::{Caller, Problem};
use crate::error::Failure;
use crate::session::Visitor;
use crate::view::blocking;
use crate::{Shared, State as Everything};

/// Findings decided at once.
const FINDINGS_MAX: usize = 1_000;

/// What is done.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Decided {
    /// confirm, dismiss, assign, notify or report.
    action: String,
    /// Why.
    #[serde(default)]
    reason: String,
    /// To whom it is given.
    #[serde(default)]
    to: String,
    /// Day of the notice or of the report.
    #[serde(default)]
    on: String,
    /// Last day for mending.
    #[serde(default)]
    due: String,
    /// The revision that was seen.
    #[serde(default)]
    revision: String,
    /// Change what was decided.
    #[serde(default)]
    revise: String,
}

fn day(name: &str, text: &str) -> Result<Option<Date>, Failure> {
    match text.is_empty() {
        true => Ok(None),
        false => text
            .parse()
            .map(Some)
            .map_err(|_| Failure::Wrong(format!("{name}: {text:?} is no day like 2026-06-30"))),
    }
}

/// Does it for whoever asks, and writes it down.
pub(crate) async fn decide(
    state: &Everything,
    visitor: &Visitor,
    ids: Vec<String>,
    decided: Decided,
) -> Result<Vec<Filed>, Failure> {
    visitor.may_decide()?;
    let engine = state.engine().await?;
    let today = engine.settings().zone.to_datetime(jiff::Timestamp::now()).date();
    let on = day("on", &decided.on)?.unwrap_or(today);
    let action = match decided.action.as_str() {
        "confirm" => Action::Rule(Ruling::Confirmed),
        "dismiss" => Action::Rule(Ruling::Dismissed),
        "assign" => Action::Assign(decided.to.clone()),
        "notify" => Action::Notify { on, due: day("due", &decided.due)? },
        "report" => Action::Report { on },
        other => {
            return Err(Failure::Wrong(format!(
                "action: {other:?} is none; use confirm, dismiss, assign, notify or report"
            )));
        }
    };
    let revision = match decided.revision.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| Failure::Wrong(format!("revision: {text:?} is no number")))?),
    };
    let hand = Hand {
        by: visitor.name.clone(),
        reason: decided.reason.clone(),
        revision,
        revise: matches!(decided.revise.as_str(), "true" | "on" | "1"),
    };
    let about = ids.join(" ");
    let done = blocking(move || Ok(engine.act(&ids, &action, &hand)?)).await;
    let result = done.as_ref().map_or_else(Failure::reason, |_| "done".to_owned());
    state.audit.note(&visitor.name, visitor.from, &decided.action, &about, &result);
    done
}

/// A body of the interface: the same, with the findings; numbers and truths may be written as such.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    findings: Vec<String>,
    action: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    on: String,
    #[serde(default)]
    due: String,
    #[serde(default)]
    revision: Option<u32>,
    #[serde(default)]
    revise: bool,
}

pub(crate) async fn post(
    State(state): Shared,
    Caller(visitor): Caller,
    headers: axum::http::HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<Value>, axum::response::Response> {
    let problem = |failure: Failure| axum::response::IntoResponse::into_response(Problem(failure));
    let body = body.map_err(|error| {
        let mut response = problem(Failure::Wrong(error.body_text()));
        *response.status_mut() = error.status();
        response
    })?;
    let kind = headers.get(axum::http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    // No page of elsewhere can send JSON without being asked for leave first.
    let is_json = |kind: &str| kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json");
    if !kind.is_some_and(is_json) {
        let mut response = problem(Failure::Wrong("content-type must be application/json".to_owned()));
        *response.status_mut() = axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(response);
    }
    let body: Body = serde_json::from_slice(&body)
        .map_err(|error| problem(Failure::Wrong(format!("the body: {error}"))))?;
    if body.findings.is_empty() || body.findings.len() > FINDINGS_MAX {
        return Err(problem(Failure::Wrong(format!("findings: name 1 to {FINDINGS_MAX} ids"))));
    }
    let decided = Decided {
        action: body.action,
        reason: body.reason,
        to: body.to,
        on: body.on,
        due: body.due,
        revision: body.revision.map(|revision| revision.to_string()).unwrap_or_default(),
        revise: if body.revise { "true".to_owned() } else { String::new() },
    };
    let done = decide(&state, &visitor, body.findings, decided).await.map_err(problem)?;
    Ok(Json(json!({ "findings": done })))
}
