//! Changes as they are logged: server-sent events, each with its place, from which a reader goes on.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use serde::Deserialize;
use serde_json::json;
use xunjian_engine::{Entry, change_at, finding, next_change};

use super::{Caller, Problem, Query};
use crate::error::Failure;
use crate::{Shared, State as Everything};

/// Pause between two looks at the log.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Place to begin at; without one, what comes from now on.
    from: Option<u64>,
}

pub(crate) async fn stream(
    State(state): Shared,
    _: Caller,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let engine = state.engine().await.map_err(Problem)?;
    // A browser that was cut off says what it has seen.
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse::<u64>().ok());
    let begin = match seen.map(|seen| seen + 1).or(asked.from) {
        Some(begin) => begin,
        None => next_change(engine.store()).map_err(|error| Problem(Failure::from(error)))?,
    };
    drop(engine);
    let stream = futures_util::stream::unfold((state, begin), |(state, place)| async move {
        let (event, place) = next(&state, place).await?;
        Some((Ok(event), (state, place)))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// The next change, once there is one; `None` when the store cannot be read any more.
async fn next(state: &Arc<Everything>, place: u64) -> Option<(Event, u64)> {
    loop {
        // Held for one look only: the store may be wanted alone.
        if let Ok(engine) = state.engine().await
            && let Some((number, entry)) = change_at(engine.store(), place).ok()?
        {
            let (name, data) = match entry {
                Entry::Finding { at, change, site, id } => {
                    let known = finding(engine.store(), &site, &id).ok()?;
                    (change.as_str(), json!({ "at": at, "change": change, "finding": known }))
                }
                Entry::End { at, run } => ("end", json!({ "at": at, "run": run })),
                Entry::Failed { at, reason } => ("failed", json!({ "at": at, "reason": reason })),
            };
            let event = Event::default().id(number.to_string()).event(name).data(data.to_string());
            return Some((event, number + 1));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
