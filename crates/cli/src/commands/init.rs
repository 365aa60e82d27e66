//! `xunjian init`: a commented configuration and a register to begin with.

use std::path::Path;

use anyhow::Context as _;

use crate::Exit;
use crate::args::Init;
use crate::config::{DEFAULT_FILE, REGISTER_COLUMNS};
use crate::terminal::Terminal;

const CONFIG: &str = include_str!("../../templates/xunjian.toml");
const REGISTER: &str = "sites.csv";

pub(crate) fn run(terminal: Terminal, init: &Init) -> anyhow::Result<Exit> {
    let folder = &init.folder;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let register = format!(
        "{}\nexample,示例市人民政府,http://www.example.gov.cn/,portal,,,,,\n",
        REGISTER_COLUMNS.join(",")
    );
    let files = [(DEFAULT_FILE, CONFIG.to_owned()), (REGISTER, register)];
    if !init.force {
        for (name, _) in &files {
            let path = folder.join(name);
            anyhow::ensure!(!path.exists(), "{} is there already; --force overwrites it", path.display());
        }
    }
    for (name, text) in files {
        save(&folder.join(name), &text)?;
    }
    terminal.print(terminal.words(
        "已写入 xunjian.toml 和 sites.csv。下一步：填写 sites.csv，运行 xunjian sites check --online，然后 xunjian run。\n",
        "Wrote xunjian.toml and sites.csv. Next: fill in sites.csv, try xunjian sites check --online, then xunjian run.\n",
    ))?;
    terminal.json(&serde_json::json!({ "written": [folder.join(DEFAULT_FILE), folder.join(REGISTER)] }))?;
    Ok(Exit::Done)
}

fn save(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
