//! `xunjian sites check`: the register, and on demand whether each home page opens. `xunjian sites columns`: what the
//! scan found of each site's columns.

use serde_json::json;
use xunjian_engine::Engine;
use xunjian_fetch::{Answer, Ask, Fetcher, OpenGate};
use xunjian_model::{LinkState, Site, SiteId};
use xunjian_report::Language;

use crate::Exit;
use crate::args::Common;
use crate::commands::night;
use crate::terminal::{Terminal, table};

pub(crate) async fn check(common: &Common, terminal: Terminal, online: bool) -> anyhow::Result<Exit> {
    let settings = if online { night::settings_to_ask(common)? } else { night::settings(common)? };
    let fetcher = Fetcher::new(settings.fetch.clone(), &settings.network)?;
    let mut bar = terminal.bar(terminal.words("检查", "check"), settings.sites.len() as u64);
    let (mut rows, mut documents, mut complete) = (Vec::new(), Vec::new(), true);
    for (at, site) in settings.sites.iter().enumerate() {
        let mut row =
            vec![site.id.to_string(), site.name.clone(), site.kind.as_str().to_owned(), site.url.to_string()];
        let mut document = json!({ "id": site.id, "name": site.name, "kind": site.kind, "url": site.url });
        if online {
            let (opens, says) = home(&fetcher, site).await;
            complete &= opens;
            document["opens"] = json!(opens);
            document["answer"] = json!(says);
            row.push(xunjian_report::own_state(&says, terminal.language));
        }
        rows.push(row);
        documents.push(document);
        bar.set(at as u64 + 1, settings.sites.len() as u64, site.id.as_str());
    }
    drop(bar);
    terminal.print(&table(&rows))?;
    terminal.json(&json!({ "sites": documents }))?;
    Ok(if complete { Exit::Done } else { Exit::Incomplete })
}

pub(crate) fn columns(common: &Common, terminal: Terminal, only: &[SiteId]) -> anyhow::Result<Exit> {
    let engine = Engine::open(night::settings(common)?)?;
    let register = &engine.settings().sites;
    if let Some(unknown) = only.iter().find(|id| !register.iter().any(|site| site.id == **id)) {
        anyhow::bail!("no site {unknown} in the register");
    }
    let zh = terminal.language == Language::Zh;
    let head = match zh {
        true => ["网站", "栏目", "类别", "最新信息", "须晚于", "状态", "地址"],
        false => ["Site", "Column", "Class", "Newest", "To be after", "State", "Address"],
    };
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut documents = Vec::new();
    for site in register.iter().filter(|site| only.is_empty() || only.contains(&site.id)) {
        let found = engine.columns(&site.id)?;
        for column in &found.columns {
            let (word_zh, word_en) = column.state.words();
            let [class_zh, class_en] = &column.class_names;
            let date =
                |date: Option<jiff::civil::Date>| date.map_or("–".to_owned(), |date| date.to_string());
            rows.push(vec![
                site.name.clone(),
                column.name.clone(),
                if zh { class_zh } else { class_en }.clone(),
                date(column.newest),
                date(column.stale_on),
                if zh { word_zh } else { word_en }.to_owned(),
                column.url.clone(),
            ]);
        }
        documents.push(json!({
            "id": site.id, "name": site.name, "home_newest": found.home_newest, "columns": found.columns,
        }));
    }
    terminal.print(&table(&rows))?;
    terminal.json(&json!({ "sites": documents }))?;
    Ok(Exit::Done)
}

/// Asks for the home page once; whether it opened, and what it answered.
async fn home(fetcher: &Fetcher, site: &Site) -> (bool, String) {
    match fetcher.fetch(Ask::get(site.url.clone()), &OpenGate).await {
        Ok(Answer { certificate_fault: Some(fault), .. }) => (false, LinkState::Tls(fault).describe()),
        Ok(answer) => {
            let elsewhere = !site.in_scope(&answer.final_url);
            let mut says = format!("{} {} ms", answer.status, answer.timings.total_ms);
            if !answer.hops.is_empty() {
                says.push_str(&format!(" → {}", answer.final_url));
            }
            (answer.state() == LinkState::Ok && !elsewhere, says)
        }
        Err(failure) => (false, failure.state.describe()),
    }
}
