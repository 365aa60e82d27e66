//! `xunjian report`: the report of the last run, or the notice of a quarter.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::json;
use xunjian_judge::Quarter;

use crate::Exit;
use crate::args::{self, Common};
use crate::commands::judge::with_progress;
use crate::commands::night::{self, Night};
use crate::terminal::Terminal;

pub(crate) async fn run(common: &Common, terminal: Terminal, args: &args::Report) -> anyhow::Result<Exit> {
    let mut night = Night::open(night::settings(common)?, common, terminal)?;
    if let Some(quarter) = args.quarter {
        return notice(&mut night, terminal, quarter, args).await;
    }
    let report = night.report(args.out.as_deref())?;
    night.print(&report)?;
    let complete = report.summary["complete"].as_bool().unwrap_or(false);
    let exit = night.exit(&report, complete);
    let mut document = report.summary;
    document["report"] = json!(report.html);
    terminal.json(&document)?;
    Ok(exit)
}

async fn notice(
    night: &mut Night,
    terminal: Terminal,
    quarter: Quarter,
    args: &args::Report,
) -> anyhow::Result<Exit> {
    let now = with_progress(&night.engine, terminal, quarter, args.point, &args.stated)?;
    let before = match args.against {
        Some(against) => Some(with_progress(&night.engine, terminal, against, None, &[])?),
        None => None,
    };
    let settings = night.engine.settings();
    let dated = args.dated.unwrap_or_else(|| settings.zone.to_datetime(Timestamp::now()).date());
    let folder = args.out.clone().unwrap_or_else(|| night.engine.notice_folder(quarter));
    night.pictures(&now.named.iter().collect::<Vec<_>>()).await?;
    let engine = &night.engine;
    let before = before.as_ref().map(|judged| &judged.notice);
    let files: Vec<PathBuf> =
        engine.write_notice(&now, before, (dated, args.due), &folder, &args.format, terminal.language)?;
    for file in &files {
        terminal.print(&format!("{}\n", file.display()))?;
    }
    terminal.json(&json!({ "quarter": quarter.to_string(), "files": files, "unseen": now.unseen }))?;
    Ok(if now.unseen.is_empty() { Exit::Done } else { Exit::Incomplete })
}
