//! `xunjian worker`: one crawl worker of a cluster.

use std::path::PathBuf;

use serde_json::json;
use xunjian_crawl::Share;

use crate::Exit;
use crate::args::{self, Common};
use crate::commands::night;
use crate::interrupt::Interrupt;
use crate::terminal::Terminal;

pub(crate) async fn run(common: &Common, terminal: Terminal, args: &args::Worker) -> anyhow::Result<Exit> {
    let settings = night::settings_to_crawl(common)?;
    let scratch = args.scratch.clone().unwrap_or_else(|| {
        let mut name = settings.data.file_name().unwrap_or_default().to_owned();
        name.push("-worker");
        settings.data.with_file_name(name)
    });
    let scratch: PathBuf = std::path::absolute(scratch)?;
    let interrupt = Interrupt::listen(terminal)?;
    interrupt.crawling(true);
    terminal.note(terminal.words("等待任务；Ctrl-C 停止。", "Waiting for nights; Ctrl-C stops."));
    let each = |shares: &[&Share]| {
        let names: Vec<String> = shares.iter().map(ToString::to_string).collect();
        terminal.note(format!("{} {}", terminal.words("承担的份额", "Shares"), names.len()));
        terminal.event(&json!({ "event": "shares", "shares": names }));
    };
    xunjian_engine::work(&settings, &scratch, args.once, &each, interrupt.stop.clone()).await?;
    Ok(Exit::Done)
}
