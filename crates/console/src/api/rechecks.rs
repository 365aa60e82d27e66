//! Looks at single findings again: whether what an office says is mended is.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use xunjian_crawl::StopSignal;
use xunjian_engine::Rechecked;

use super::{Body, Caller, Problem};
use crate::error::Failure;
use crate::session::Visitor;
use crate::view::blocking;
use crate::{Shared, State as Everything};

/// Findings looked at at once.
const FINDINGS_MAX: usize = 100;
/// How long their pages are waited for.
const TIME_MAX: Duration = Duration::from_secs(300);

/// Looks for whoever asks, writes it down, and lets what was seen count at once. It goes on when whoever asked has
/// left.
pub(crate) async fn recheck(
    state: &Everything,
    visitor: &Visitor,
    ids: Vec<String>,
) -> Result<Rechecked, Failure> {
    visitor.may_decide()?;
    let engine = state.engine().await?;
    let looking = engine.looking().try_lock_owned().map_err(|_| {
        Failure::Conflict(
            "a night, or another look at findings, is under way; try again afterwards".to_owned(),
        )
    })?;
    let about = ids.join(" ");
    let look = tokio::spawn(async move {
        let _looking = looking;
        let find = std::sync::Arc::clone(&engine);
        let filed = blocking(move || {
            let found: Result<Vec<_>, _> = ids.iter().map(|id| find.find(id)).collect();
            Ok(found?)
        })
        .await?;
        let stop = StopSignal::default();
        let late = stop.clone();
        let watch = tokio::spawn(async move {
            tokio::time::sleep(TIME_MAX).await;
            late.stop();
        });
        let looked = engine.recheck(&filed, stop).await;
        watch.abort();
        let looked = looked?;
        blocking(move || {
            engine.judge_again_for(&filed)?;
            Ok(looked)
        })
        .await
    });
    let looked = look.await.unwrap_or_else(|error| Err(Failure::Ours(error.to_string())));
    let result = looked.as_ref().map_or_else(Failure::reason, |_| "done".to_owned());
    state.audit.note(&visitor.name, visitor.from, "recheck", &about, &result);
    looked
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sent {
    findings: Vec<String>,
}

pub(crate) async fn post(
    State(state): Shared,
    Caller(visitor): Caller,
    Body(sent): Body<Sent>,
) -> Result<Json<Rechecked>, Problem> {
    if sent.findings.is_empty() || sent.findings.len() > FINDINGS_MAX {
        return Err(Problem(Failure::Wrong(format!("findings: name 1 to {FINDINGS_MAX} ids"))));
    }
    recheck(&state, &visitor, sent.findings).await.map(Json).map_err(Problem)
}
