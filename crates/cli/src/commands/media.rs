//! `xunjian media`: the ledger of new-media accounts.

use std::path::Path;

use anyhow::Context as _;
use serde_json::json;
use xunjian_engine::{Engine, Ledger, MEDIA, MediaImport, written};
use xunjian_judge::Quarter;
use xunjian_model::{Outcome, SiteId};
use xunjian_report::Language;

use crate::Exit;
use crate::args::{Common, Media};
use crate::commands::findings::with_flags;
use crate::commands::{night, review};
use crate::terminal::{Terminal, table};

pub(crate) async fn run(common: &Common, terminal: Terminal, command: &Media) -> anyhow::Result<Exit> {
    let engine = || anyhow::Ok(Engine::open(night::settings(common)?)?);
    match command {
        Media::Check { file } => {
            let accounts = xunjian_media::read_ledger(file, &read(file)?)?;
            terminal.print(&format!("{} {}\n", terminal.words("账号", "Accounts"), accounts.len()))?;
            terminal.json(&json!({ "accounts": accounts.len() }))?;
            Ok(Exit::Done)
        }
        Media::Import { file, posts: false } => {
            let accounts = xunjian_media::read_ledger(file, &read(file)?)?;
            let ledger = Ledger { accounts, written: written(file) };
            imported(terminal, engine()?.import_accounts(&ledger)?)
        }
        Media::Import { file, posts: true } => {
            let posts = xunjian_media::read_posts(file, &read(file)?)?;
            imported(terminal, engine()?.import_posts(posts, written(file))?)
        }
        Media::Feeds => {
            let (import, faults) = engine()?.read_feeds().await?;
            for fault in &faults {
                terminal.note(terminal.said(format!("{}: {}", fault.account, fault.reason)));
            }
            terminal.print(&terminal.punctuated(&format!(
                "{} {}，{}，{} {}\n",
                terminal.words("账号", "Accounts"),
                import.accounts,
                posts(terminal, &import),
                terminal.words("读取失败", "unreadable"),
                faults.len()
            )))?;
            terminal.json(&json!({ "import": import, "faults": faults }))?;
            Ok(if faults.is_empty() { Exit::Done } else { Exit::Incomplete })
        }
        Media::List { point, failed } => list(&engine()?, terminal, *point, *failed),
        Media::Assess { account, indicator, points, quarter, hand } => {
            let engine = engine()?;
            let quarter = quarter.unwrap_or_else(|| engine.present_quarter());
            let assessment = review::assessment(indicator, *points, hand);
            engine.assess_account(account, quarter, &assessment).map_err(with_flags)?;
            engine.judge_again(&SiteId::new(MEDIA)?)?;
            terminal.note(format!("{} {quarter}", terminal.words("已记录：", "Written down for")));
            Ok(Exit::Done)
        }
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn imported(terminal: Terminal, import: MediaImport) -> anyhow::Result<Exit> {
    terminal.print(&terminal.punctuated(&format!(
        "{} {}（{} {}，{} {}，{} {}），{}\n",
        terminal.words("账号", "Accounts"),
        import.accounts,
        terminal.words("新增", "new"),
        import.added,
        terminal.words("变更", "changed"),
        import.changed,
        terminal.words("移除", "removed"),
        import.removed,
        posts(terminal, &import)
    )))?;
    terminal.json(&import)?;
    Ok(Exit::Done)
}

fn posts(terminal: Terminal, import: &MediaImport) -> String {
    let MediaImport { posts, posts_changed, posts_gone, .. } = import;
    match terminal.language {
        Language::Zh => format!("新信息 {posts}，修改 {posts_changed}，已删除 {posts_gone}"),
        Language::En => format!("new posts {posts}, changed {posts_changed}, taken down {posts_gone}"),
    }
}

fn list(
    engine: &Engine,
    terminal: Terminal,
    point: Option<jiff::civil::Date>,
    failed: bool,
) -> anyhow::Result<Exit> {
    let point = point.unwrap_or_else(|| engine.present_point());
    let verdicts = engine.judge_accounts(point, Quarter::of(point), None)?;
    let shown: Vec<_> = verdicts.iter().filter(|one| !failed || one.result == Outcome::Fail).collect();
    let mut rows = vec![
        [
            ("平台", "Platform"),
            ("账号", "Account"),
            ("主办单位", "Office"),
            ("状态", "State"),
            ("最近更新", "Newest post"),
            ("活跃", "Activity"),
            ("结果", "Result"),
        ]
        .map(|(zh, en)| terminal.words(zh, en).to_owned())
        .to_vec(),
    ];
    for one in &shown {
        rows.push(vec![
            one.account.platform.clone(),
            one.account.name.clone(),
            one.account.office.clone(),
            terminal.words(one.account.state.zh(), one.account.state.as_str()).to_owned(),
            one.last_post.map_or_else(|| "–".to_owned(), |day| day.to_string()),
            terminal.words(one.activity.zh(), one.activity.as_str()).to_owned(),
            terminal.outcome(one.result),
        ]);
    }
    terminal.print(&table(&rows))?;
    terminal.json(&shown)?;
    Ok(Exit::Done)
}
