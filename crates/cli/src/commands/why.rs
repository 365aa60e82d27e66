//! `xunjian why URL`: what is known of an address, and why it was or was not fetched.

use serde_json::json;
use xunjian_engine::Engine;
use xunjian_model::{LinkState, PageUrl, UrlRecord};

use crate::Exit;
use crate::args::Common;
use crate::commands::night;
use crate::terminal::{Terminal, table};

pub(crate) fn run(common: &Common, terminal: Terminal, url: &str) -> anyhow::Result<Exit> {
    let url = PageUrl::parse(url)?;
    let engine = Engine::open(night::settings(common)?)?;
    let site = engine.settings().sites.iter().find(|site| site.in_scope(&url)).map(|site| site.id.clone());
    let store = engine.store();
    let Some(record) = store.url(site.as_ref(), url.as_str()).map_err(xunjian_engine::EngineError::from)?
    else {
        terminal.print(&format!(
            "{}\n",
            terminal.words("从未见过这个地址：没有页面链接到它。", "Never seen: no page links to it.")
        ))?;
        terminal.json(&json!({ "url": url, "site": site, "known": false }))?;
        return Ok(Exit::Done);
    };
    let mut snapshots = Vec::new();
    for snapshot in store.history(&url) {
        let snapshot = snapshot.map_err(xunjian_engine::EngineError::from)?;
        snapshots.push(json!({
            "snapshot": format!("{}@{}", snapshot.body_hash.to_hex(), snapshot.fetched_at),
            "status": snapshot.status, "body_bytes": snapshot.body_bytes, "truncated": snapshot.truncated,
        }));
    }
    let rows = [
        (terminal.words("地址", "Address"), url.to_string()),
        (terminal.words("网站", "Site"), site.as_ref().map_or("–", |site| site.as_str()).to_owned()),
        (terminal.words("状态", "State"), state(terminal, &record)),
        (terminal.words("深度", "Depth"), record.depth.to_string()),
        (terminal.words("首次见到", "First seen"), record.first_seen.to_string()),
        (
            terminal.words("上次访问", "Last asked"),
            record.checked_at.map_or("–".to_owned(), |at| at.to_string()),
        ),
        (
            terminal.words("跳转到", "Redirected to"),
            record.final_url.clone().unwrap_or_else(|| "–".to_owned()),
        ),
        (terminal.words("存档版本", "Snapshots"), snapshots.len().to_string()),
    ];
    terminal.print(&table(&rows.map(|(name, value)| vec![name.to_owned(), value])))?;
    terminal.json(&json!({
        "url": url, "site": site, "known": true, "state": record.state.as_ref().map(LinkState::describe),
        "depth": record.depth, "run": record.run, "status": record.status, "first_seen": record.first_seen,
        "checked_at": record.checked_at, "final_url": record.final_url, "snapshots": snapshots,
    }))?;
    Ok(Exit::Done)
}

fn state(terminal: Terminal, record: &UrlRecord) -> String {
    match &record.state {
        None if record.run == 0 => terminal.words("在队列中，还没有访问", "queued, not asked yet").to_owned(),
        None => terminal
            .words("未访问：超出限制或主机无应答", "left out: beyond a limit, or its host did not answer")
            .to_owned(),
        Some(LinkState::Robots) => {
            terminal.words("robots.txt 不允许访问", "robots.txt forbids the visit").to_owned()
        }
        Some(state) => state.describe(),
    }
}
