//! What people and tools do about findings.

use axum::Json;
use axum::extract::State;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};
use xunjian_engine::{Action, Filed, Hand};
use xunjian_model::Ruling;

use super::{Body, Caller, Problem};
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

/// A day, where a text names one.
pub(crate) fn day(name: &str, text: &str) -> Result<Option<Date>, Failure> {
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
    let done = blocking(move || {
        let done = engine.act(&ids, &action, &hand)?;
        // What was decided counts at once.
        engine.judge_again_for(&done)?;
        Ok(done)
    })
    .await;
    let result = done.as_ref().map_or_else(Failure::reason, |_| "done".to_owned());
    state.audit.note(&visitor.name, visitor.from, &decided.action, &about, &result);
    done
}

/// The same with the findings; numbers and truths may be written as such.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sent {
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
    Body(sent): Body<Sent>,
) -> Result<Json<Value>, Problem> {
    if sent.findings.is_empty() || sent.findings.len() > FINDINGS_MAX {
        return Err(Problem(Failure::Wrong(format!("findings: name 1 to {FINDINGS_MAX} ids"))));
    }
    let decided = Decided {
        action: sent.action,
        reason: sent.reason,
        to: sent.to,
        on: sent.on,
        due: sent.due,
        revision: sent.revision.map(|revision| revision.to_string()).unwrap_or_default(),
        revise: if sent.revise { "true".to_owned() } else { String::new() },
    };
    let done = decide(&state, &visitor, sent.findings, decided).await.map_err(Problem)?;
    Ok(Json(json!({ "findings": done })))
}
