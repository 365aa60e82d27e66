//! `xunjian alert`: sinks of alerts, tried, looked at and told again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use xunjian_alert::{Delivered, Dispatcher, SinkState};
use xunjian_engine::Engine;

use crate::Exit;
use crate::args::{Alert, Common};
use crate::commands::night::{self, Night};
use crate::config;
use crate::terminal::{Terminal, table};

/// The dispatcher of the configured sinks; `None` where there are none.
pub(crate) fn dispatcher(
    common: &Common,
    engine: &Engine,
    terminal: Terminal,
) -> anyhow::Result<Option<Dispatcher>> {
    let (sinks, console) = config::sinks(&common.config)?;
    if sinks.is_empty() {
        return Ok(None);
    }
    let settings = engine.settings();
    let (store, zone) = (Arc::clone(engine.store()), settings.zone.clone());
    Ok(Some(Dispatcher::new(store, sinks, &settings.sites, zone, terminal.language, console)?))
}

/// How long a run waits for its alerts to be taken.
pub(crate) const AFTER_NIGHT: Duration = Duration::from_secs(60);

/// Checks the sinks and their secrets; new ones are told of what comes from now on.
pub(crate) fn ready(common: &Common, engine: &Engine, terminal: Terminal) -> anyhow::Result<()> {
    dispatcher(common, engine, terminal).map(drop)
}

/// Sends what changed and was not told yet. What cannot be sent within `time` waits for the next time.
pub(crate) async fn deliver(
    common: &Common,
    engine: &Engine,
    terminal: Terminal,
    time: Duration,
) -> anyhow::Result<Delivered> {
    let Some(dispatcher) = dispatcher(common, engine, terminal)? else { return Ok(Delivered::default()) };
    let delivered = dispatcher.deliver(Instant::now() + time).await?;
    tell(terminal, delivered);
    Ok(delivered)
}

fn tell(terminal: Terminal, delivered: Delivered) {
    if delivered == Delivered::default() {
        return;
    }
    terminal.note(format!(
        "{} {} · {} {} · {} {}",
        terminal.words("告警已发送", "alerts sent"),
        delivered.sent,
        terminal.words("搁置", "put aside"),
        delivered.dead,
        terminal.words("等待重试的接收端", "sinks that wait"),
        delivered.waiting
    ));
}

pub(crate) async fn run(common: &Common, terminal: Terminal, command: &Alert) -> anyhow::Result<Exit> {
    let night = Night::open(night::settings(common)?, common, terminal)?;
    let Some(dispatcher) = dispatcher(common, &night.engine, terminal)? else {
        anyhow::bail!(
            "no alert is configured; write an [[alert]] table with name and type into {}",
            common.config.display()
        );
    };
    match command {
        Alert::Test { name } => {
            dispatcher.test(name).await?;
            terminal.print(&format!(
                "{} {name}\n",
                terminal.words("测试消息已送达", "the test message arrived at")
            ))?;
            terminal.json(&json!({ "sink": name, "sent": true }))?;
        }
        Alert::List => {
            let states = dispatcher.list()?;
            let rows: Vec<Vec<String>> = states.iter().map(|state| row(terminal, state)).collect();
            terminal.print(&table(&rows))?;
            for state in &states {
                for (key, reason) in &state.dead {
                    terminal.print(&format!("  {} {key}: {reason}\n", state.name))?;
                }
            }
            terminal.json(&states)?;
        }
        Alert::Replay { name, since } => {
            let again = match since {
                Some(since) => {
                    let begin = night.engine.settings().zone.to_timestamp(since.at(0, 0, 0, 0))?;
                    dispatcher.replay_since(name, begin)?;
                    0
                }
                None => dispatcher.replay_dead(name).await?,
            };
            let mut delivered = dispatcher.deliver_by_name(name, Instant::now() + AFTER_NIGHT).await?;
            delivered.sent += again;
            tell(terminal, delivered);
            terminal.json(&delivered)?;
            if delivered.waiting > 0 || delivered.dead > 0 {
                return Ok(Exit::Incomplete);
            }
        }
    }
    Ok(Exit::Done)
}

fn row(terminal: Terminal, state: &SinkState) -> Vec<String> {
    let wait = state.not_before.map(|at| {
        let seconds = at.duration_since(Timestamp::now()).as_secs().max(0);
        format!("{} {seconds} s", terminal.words("重试", "again in"))
    });
    vec![
        state.name.clone(),
        state.kind.to_owned(),
        format!("{} {}", terminal.words("待处理", "waiting"), state.waiting),
        format!("{} {}", terminal.words("搁置", "put aside"), state.dead.len()),
        wait.unwrap_or_default(),
        terminal.said(&state.error),
    ]
}
