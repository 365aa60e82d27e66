//! `xunjian sites check`: the register, and on demand whether each home page opens.

use serde_json::json;
use xunjian_fetch::{Answer, Ask, Fetcher, OpenGate};
use xunjian_model::{LinkState, Site};

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
            row.push(xunjian_report::link_state(&says, terminal.language));
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
