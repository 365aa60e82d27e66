//! The worker of one host's queue.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use xunjian_frontier::{Frontier, Item};
use xunjian_model::Host;

use crate::Shared;
use crate::hosts::HostState;
use crate::prepare::{RETRY_POLL, prepare};
use crate::visit::{Visited, broke_off, visit};

/// Addresses of one host that wait to be asked once more; further ones are waited for at once.
const LATER_MAX: usize = 256;

/// Works off a host's queue.
pub(crate) async fn work(shared: Arc<Shared>, host: Host) -> Host {
    let state = match shared.host(&host) {
        Ok(state) => state,
        Err(error) => {
            tracing::error!(%host, %error, "the store cannot be read");
            shared.stop.stop();
            return host;
        }
    };
    if state.is_own() {
        state.prepared(prepare(&shared, &state)).await;
    }
    queue(&shared, &state).await;
    host
}

async fn queue(shared: &Arc<Shared>, state: &Arc<HostState>) {
    let mut visits: JoinSet<Visited> = JoinSet::new();
    let mut visited: HashMap<Id, Item> = HashMap::new();
    let mut later: VecDeque<(Instant, Item)> = VecDeque::new();
    loop {
        let mut empty = false;
        while visits.len() < shared.setup.politeness.connections && !shared.stop.is_stopped() && !empty {
            let due = later.front().is_some_and(|(at, _)| *at <= Instant::now() || later.len() >= LATER_MAX);
            let (item, again) = if due {
                (later.pop_front().map(|(_, item)| item), true)
            } else {
                match shared.frontier.get(&state.host) {
                    Ok(item) => (item, false),
                    Err(error) => {
                        tracing::error!(host = %state.host, %error, "the frontier cannot be read");
                        shared.stop.stop();
                        (None, false)
                    }
                }
            };
            match item {
                Some(item) => {
                    let (shared, state, known) = (Arc::clone(shared), Arc::clone(state), item.clone());
                    let task = visits.spawn(async move { visit(&shared, &state, item, again).await });
                    visited.insert(task.id(), known);
                }
                None => empty = true,
            }
        }
        let wait = match later.front() {
            Some((at, _)) if empty => at.saturating_duration_since(Instant::now()).min(RETRY_POLL),
            _ => Duration::MAX,
        };
        let ended = tokio::select! {
            ended = visits.join_next_with_id(), if !visits.is_empty() => ended,
            () = shared.stop.sleep(wait), if wait < Duration::MAX && !shared.stop.is_stopped() => continue,
            else => return,
        };
        let left = match ended {
            Some(Ok((id, left))) => {
                visited.remove(&id);
                left
            }
            Some(Err(error)) => {
                let Some(item) = visited.remove(&error.id()) else { continue };
                tracing::error!(url = %item.url, %error, "a visit broke off: xunjian has a fault here, please tell its makers");
                broke_off(shared, state, item)
            }
            None => continue,
        };
        match left {
            Visited::Done(outcome) => {
                if !shared.send(outcome).await {
                    return;
                }
            }
            Visited::Later(item) => {
                later.push_back((Instant::now() + shared.setup.limits.retry_pause, item));
            }
            // A visit that was given up leaves its item in the queue for the next run.
            Visited::Stopped => {}
        }
    }
}
