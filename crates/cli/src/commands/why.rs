//! `xunjian why URL`: what is known of an address, and why it was or was not fetched.

use jiff::Timestamp;
use serde_json::json;
use xunjian_crawl::{Robots, SiteLearnt};
use xunjian_engine::{Engine, EngineError};
use xunjian_model::{HostRecord, LeftOut, LinkState, PageUrl, Rendering, Site, UrlRecord, View};
use xunjian_store::{Space, Store, StoreError};

use crate::Exit;
use crate::args::Common;
use crate::commands::night;
use crate::terminal::{Terminal, moment, table};

pub(crate) fn run(common: &Common, terminal: Terminal, url: &str) -> anyhow::Result<Exit> {
    let asked = PageUrl::parse(url)?;
    let engine = Engine::open(night::settings(common)?)?;
    let site = engine.settings().sites.iter().find(|site| site.in_scope(&asked)).cloned();
    let store = engine.store();
    // An address that is folded into another one is known under that one.
    let url = canonical(store, site.as_ref(), &asked).map_err(EngineError::from)?;
    let id = site.as_ref().map(|site| &site.id);
    let host: HostRecord = store
        .get(Space::Host, &[url.host_key().as_str().as_bytes()])
        .map_err(EngineError::from)?
        .unwrap_or_default();
    let Some(record) = store.url(id, url.as_str()).map_err(EngineError::from)? else {
        let reason = never(store, site.as_ref(), &url, &host).map_err(EngineError::from)?;
        terminal.print(&format!("{}\n", terminal.words(reason.0, reason.1)))?;
        terminal
            .json(&json!({ "url": url, "asked": asked, "site": id, "known": false, "reason": reason.1 }))?;
        return Ok(Exit::Done);
    };
    let mut snapshots = Vec::new();
    for snapshot in store.history(&url) {
        let snapshot = snapshot.map_err(EngineError::from)?;
        snapshots.push(json!({
            "snapshot": format!("{}@{}", snapshot.body_hash.to_hex(), snapshot.fetched_at),
            "status": snapshot.status, "body_bytes": snapshot.body_bytes, "truncated": snapshot.truncated,
            "rendered": snapshot.view == View::Rendered, "search_engine": snapshot.view == View::SearchEngine,
        }));
    }
    let none = || "–".to_owned();
    let moment = |at: Timestamp| moment(&engine.settings().zone, at);
    let hops: Vec<String> = record.hops.iter().map(|hop| format!("{} {}", hop.status, hop.url)).collect();
    let mut rows = vec![
        (terminal.words("地址", "Address"), url.to_string()),
        (terminal.words("网站", "Site"), id.map_or_else(none, |site| site.to_string())),
        (terminal.words("状态", "State"), state(terminal, &record)),
        (terminal.words("深度", "Depth"), record.depth.to_string()),
        (terminal.words("首次见到", "First seen"), moment(record.first_seen)),
        (terminal.words("上次访问", "Last asked"), record.checked_at.map_or_else(none, moment)),
        (terminal.words("跳转到", "Redirected to"), record.final_url.clone().unwrap_or_else(none)),
        (terminal.words("存档版本", "Snapshots"), snapshots.len().to_string()),
        (
            terminal.words("变化", "Changes"),
            format!("{}/{} ({:.0} %)", record.changes, record.seen, record.expected_change() * 100.0),
        ),
    ];
    if let Some(file) = &record.file {
        let bytes = file.bytes.map_or_else(none, |bytes| bytes.to_string());
        let kind = if file.kind.is_empty() { "–" } else { &file.kind };
        rows.push((terminal.words("文件", "File"), format!("{kind}, {bytes} B")));
    }
    let rendering = match record.rendering {
        Rendering::NotNeeded => None,
        Rendering::Wanted => Some(terminal.words("未能渲染", "not rendered").to_owned()),
        Rendering::Done { at, settled: true, .. } => Some(moment(at)),
        Rendering::Done { at, settled: false, .. } => Some(format!(
            "{} {}",
            moment(at),
            terminal.words("（脚本未取得全部内容）", "(its scripts did not get all they asked for)")
        )),
    };
    if let Some(rendering) = rendering {
        rows.push((terminal.words("浏览器渲染", "Rendered"), rendering));
    }
    if let Some(cloaked) = &record.cloaked {
        rows.push((
            terminal.words("搜索引擎所见", "To search engines"),
            format!("{} · {}", moment(cloaked.at), cloaked.why),
        ));
    }
    if let Some(since) = record.gone_since {
        rows.push((terminal.words("消失于", "Gone since"), moment(since)));
    }
    if let Some(certificate) = &host.certificate {
        let days = certificate.days_left(Timestamp::now());
        let says = format!(
            "{} · {} · {days} {}",
            certificate.issuer,
            moment(certificate.not_after),
            terminal.words("天", "days")
        );
        rows.push((terminal.words("证书", "Certificate"), says));
    }
    if let Some(until) = host.not_before.filter(|until| *until > Timestamp::now()) {
        rows.push((terminal.words("主机暂停至", "Host left alone until"), moment(until)));
    }
    terminal.print(&table(
        &rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect::<Vec<_>>(),
    ))?;
    terminal.json(&json!({
        "url": url, "asked": asked, "site": id, "known": true,
        "state": record.state.as_ref().map(LinkState::describe),
        "left_out": record.left_out.map(LeftOut::word), "depth": record.depth, "run": record.run,
        "status": record.status, "first_seen": record.first_seen, "checked_at": record.checked_at,
        "final_url": record.final_url, "redirects": hops, "file": record.file.as_ref().map(|file| json!({"kind": file.kind, "bytes": file.bytes})), "snapshots": snapshots, "seen": record.seen,
        "changes": record.changes, "expected_change": record.expected_change(),
        "gone_since": record.gone_since,
        "cloaked": record.cloaked.as_ref().map(|cloaked| json!({"at": cloaked.at, "why": cloaked.why})),
        "host": {
            "not_before": host.not_before, "addresses": host.addresses, "certificate": host.certificate,
            "robots_status": host.robots.map(|robots| robots.status),
        },
    }))?;
    Ok(Exit::Done)
}

fn canonical(store: &Store, site: Option<&Site>, url: &PageUrl) -> Result<PageUrl, StoreError> {
    let Some(site) = site.filter(|site| site.url != *url) else { return Ok(url.clone()) };
    let mut rules = SiteLearnt::read(store, &site.id)?.canonical;
    rules.drop_parameters.extend(site.drop_parameters.iter().map(|name| name.to_ascii_lowercase()));
    let folded = rules.apply(url);
    Ok(if store.knows(Some(&site.id), folded.as_str())? { folded } else { url.clone() })
}

/// Why an address was never even queued, in both languages.
fn never(
    store: &Store,
    site: Option<&Site>,
    url: &PageUrl,
    host: &HostRecord,
) -> Result<(&'static str, &'static str), StoreError> {
    let Some(site) = site else {
        return Ok((
            "从未见过这个地址：它不属于任何登记的网站，也没有页面链接到它。",
            "Never seen: it belongs to no site of the register, and no page links to it.",
        ));
    };
    if SiteLearnt::read(store, &site.id)?.traps.contains_key(&xunjian_crawl::shape(url)) {
        return Ok((
            "没有访问：这种形式的地址没有尽头且内容重复，已被截断。",
            "Not followed: addresses of this shape have no end and repeat each other, so they were cut.",
        ));
    }
    let robots = host.robots.as_ref().map(|kept| Robots::parse(&kept.text, xunjian_crawl::AGENT));
    if robots.is_some_and(|robots| !robots.allows(url.path_and_query())) {
        return Ok((
            "从未见过这个地址；即使见到，robots.txt 也不允许访问。",
            "Never seen; robots.txt would forbid the visit anyway.",
        ));
    }
    Ok(("从未见过这个地址：没有页面链接到它。", "Never seen: no page links to it."))
}

fn state(terminal: Terminal, record: &UrlRecord) -> String {
    let left_out = record.left_out.map(|reason| match reason {
        LeftOut::Robots => terminal.words("robots.txt 不允许访问", "robots.txt forbids the visit"),
        LeftOut::RobotsUnreachable => terminal.words(
            "robots.txt 取不到，因此不访问",
            "robots.txt could not be fetched, which forbids the visit",
        ),
        LeftOut::HostDown => terminal.words("主机长时间无应答", "its host did not answer for too long"),
        LeftOut::Limited => terminal.words("主机一直要求等待", "its host went on asking to wait"),
        LeftOut::PagesMax => terminal.words("超出网站页面数上限", "beyond the site's budget of pages"),
        LeftOut::BytesMax => terminal.words("超出网站流量上限", "beyond the site's budget of bytes"),
        LeftOut::TimeMax => terminal.words("超出网站时间上限", "beyond the site's budget of time"),
        LeftOut::DepthMax => terminal.words("离首页太远", "too far from the home page"),
        LeftOut::Trap => {
            terminal.words("没有尽头的重复地址", "one of endless addresses that repeat each other")
        }
        LeftOut::NotDue => terminal.words("增量模式下未到访问时间", "not due in an incremental run"),
    });
    let told = |state: &LinkState| xunjian_report::link_state(&state.describe(), terminal.language);
    match (&record.state, left_out) {
        (None, None) if record.run == 0 => {
            terminal.words("在队列中，还没有访问", "queued, not asked yet").to_owned()
        }
        (None, reason) => reason.unwrap_or("–").to_owned(),
        (Some(state), None) => told(state),
        (Some(LinkState::Robots), Some(reason)) => reason.to_owned(),
        (Some(state), Some(reason)) => format!("{}; {reason}", told(state)),
    }
}
