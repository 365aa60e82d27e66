//! `xunjian find WORDS`: the archived pages that have them.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};
use xunjian_engine::{Engine, FoundPage};
use xunjian_model::SiteId;
use xunjian_scan::Query;

use crate::Exit;
use crate::args::{self, Common};
use crate::commands::night;
use crate::terminal::Terminal;

/// Time between two drawings of the bar.
const DRAW_EVERY: Duration = Duration::from_millis(200);

pub(crate) fn run(common: &Common, terminal: Terminal, args: &args::Find) -> anyhow::Result<Exit> {
    let query = Query::parse(&args.words.join(" "))?;
    let engine = Engine::open(night::settings(common)?)?;
    let only = args.site.as_deref().map(SiteId::new).transpose()?;
    if let Some(only) = &only {
        let known = engine.settings().sites.iter().any(|site| site.id == *only);
        known.then_some(()).with_context(|| format!("no site {only} in the register"))?;
    }
    let mut bar = terminal.bar(terminal.words("查找", "find"), 0);
    let (mut found, mut pages, mut from): (Vec<FoundPage>, u64, Option<String>) = (Vec::new(), 0, None);
    let ended = loop {
        let limits = (Instant::now() + DRAW_EVERY, args.most.saturating_sub(found.len()).max(1));
        let looked = engine.find_pages(&query, only.as_ref(), from.as_deref(), limits)?;
        pages += looked.pages;
        found.extend(looked.found);
        bar.set(pages, pages, &format!("{} {}", found.len(), terminal.words("页", "found")));
        from = looked.next;
        if from.is_none() || found.len() >= args.most {
            break from.is_none();
        }
    };
    drop(bar);
    found.truncate(args.most);
    for page in &found {
        terminal.print(&format!(
            "{}  {}\n  {}\n  {}\n",
            page.site, page.url, page.found.title, page.found.excerpt
        ))?;
    }
    terminal.print(&format!(
        "{} {} {} {}{}\n",
        found.len(),
        terminal.words("个页面有这些词，查看了", "pages have the words, of"),
        pages,
        terminal.words("个页面", "looked at"),
        if ended {
            ""
        } else {
            terminal.words("；后面可能还有，用 --most 多看", "; there may be more: --most")
        },
    ))?;
    let row = |page: &FoundPage| -> Value {
        json!({
            "site": page.site, "url": page.url, "snapshot": page.snapshot, "title": page.found.title,
            "excerpt": page.found.excerpt, "places": page.found.places,
        })
    };
    let rows: Vec<Value> = found.iter().map(row).collect();
    terminal.json(&json!({ "found": rows, "pages": pages, "complete": ended }))?;
    Ok(Exit::Done)
}
