//! `xunjian store`: sizes, check, repair, compaction, backup, WARC files out and in.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;
use xunjian_engine::{Engine, EngineError};
use xunjian_model::SiteId;
use xunjian_store::{Compacted, Store, WarcForm};

use crate::Exit;
use crate::args::{self, Common};
use crate::commands::night::settings;
use crate::terminal::{Terminal, table};

pub(crate) fn run(common: &Common, terminal: Terminal, command: &args::Store) -> anyhow::Result<Exit> {
    match command {
        args::Store::Stats => stats(common, terminal),
        args::Store::Verify => verify(common, terminal),
        args::Store::Rebuild => rebuild(common, terminal),
        args::Store::Compact => compact(common, terminal),
        args::Store::Backup { folder } => backup(common, terminal, folder),
        args::Store::ExportWarc { file, sites } => export(common, terminal, file, sites),
        args::Store::ImportWarc { files } => import(common, terminal, files),
    }
}

/// The store alone.
fn open(common: &Common) -> anyhow::Result<Store> {
    Ok(Store::open(&existing(common)?).map_err(EngineError::from)?)
}

/// The data folder; an existing one, for what changes nothing should make nothing.
fn existing(common: &Common) -> anyhow::Result<PathBuf> {
    let folder = settings(common)?.data;
    anyhow::ensure!(folder.exists(), "{} is not there; nothing was crawled yet", folder.display());
    Ok(folder)
}

fn stats(common: &Common, terminal: Terminal) -> anyhow::Result<Exit> {
    let store = open(common)?;
    let stats = store.stats().map_err(EngineError::from)?;
    let free = store.free_bytes().map_err(EngineError::from)?;
    let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let rows = [
        (terminal.words("地址", "Addresses"), stats.urls.to_string()),
        (terminal.words("存档版本", "Snapshots"), stats.snapshots.to_string()),
        (terminal.words("不同内容", "Different bodies"), stats.bodies.to_string()),
        (terminal.words("内容原始大小", "Bodies as they were read"), megabytes(stats.body_bytes)),
        (terminal.words("存档 (WARC)", "Archive (WARC)"), megabytes(stats.archive_bytes)),
        (terminal.words("日志", "Journal"), megabytes(stats.journal_bytes)),
        (terminal.words("索引", "Index"), megabytes(stats.index_bytes)),
        (terminal.words("页面摘要", "Digests of pages"), megabytes(stats.digest_bytes)),
        (terminal.words("磁盘剩余", "Free on the disk"), megabytes(free)),
    ];
    terminal.print(&table(&rows.map(|(name, value)| vec![name.to_owned(), value])))?;
    terminal.json(&json!({ "stats": stats, "free_bytes": free, "rebuilt": store.rebuilt() }))?;
    Ok(Exit::Done)
}

fn verify(common: &Common, terminal: Terminal) -> anyhow::Result<Exit> {
    let store = open(common)?;
    let mut bar = terminal.bar(terminal.words("校验", "verify"), 0);
    let verified = store.verify(|done, total| bar.set(done, total, "")).map_err(EngineError::from)?;
    drop(bar);
    for fault in &verified.faults {
        let url = fault.url.as_deref().unwrap_or("–");
        terminal.print(&format!(
            "{} {} {}: {} ({url})\n",
            fault.file,
            terminal.words("字节", "byte"),
            fault.offset,
            terminal.said(&fault.reason)
        ))?;
    }
    terminal.print(&match terminal.language {
        xunjian_report::Language::Zh => format!(
            "读取并核对 {} 条存档、{} 批日志，{} 个版本；发现 {} 处损坏\n",
            verified.records, verified.entries, verified.snapshots, verified.faulty
        ),
        xunjian_report::Language::En => format!(
            "Read and hashed {} archive records, {} journal entries, {} snapshots; {} faults\n",
            verified.records, verified.entries, verified.snapshots, verified.faulty
        ),
    })?;
    terminal.json(&verified)?;
    Ok(if verified.faulty == 0 { Exit::Done } else { Exit::Store })
}

fn rebuild(common: &Common, terminal: Terminal) -> anyhow::Result<Exit> {
    let made = xunjian_store::rebuild(&settings(common)?.data).map_err(EngineError::from)?;
    for gap in &made.gaps {
        terminal.note(format!("{}: {gap}", terminal.words("日志损坏", "journal damaged")));
    }
    terminal.print(&match terminal.language {
        xunjian_report::Language::Zh => {
            format!("索引已重建：日志 {} 批，另从存档找回 {} 个版本\n", made.entries, made.from_archive)
        }
        xunjian_report::Language::En => format!(
            "The index was made anew: {} journal entries, {} snapshots from the archive alone\n",
            made.entries, made.from_archive
        ),
    })?;
    if !made.is_whole() {
        terminal.note(terminal.words(
            "日志不完整：页面和版本已从存档恢复，但丢失的批次中的问题状态可能需要重新扫描和确认。",
            "The journal is not whole: pages and their versions came back from the archive; scan again, and check the states of findings.",
        ));
    }
    terminal.json(&json!({ "rebuilt": made, "whole": made.is_whole() }))?;
    Ok(if made.is_whole() { Exit::Done } else { Exit::Store })
}

fn compact(common: &Common, terminal: Terminal) -> anyhow::Result<Exit> {
    let done = xunjian_engine::compact(&settings(common)?)?;
    terminal.print(&format!("{}\n", compacted(terminal, &done)))?;
    terminal.json(&done)?;
    Ok(Exit::Done)
}

/// What a compaction did, in words.
pub(crate) fn compacted(terminal: Terminal, done: &Compacted) -> String {
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let (before, after) = (megabytes(done.bytes_before), megabytes(done.bytes_after));
    match terminal.language {
        xunjian_report::Language::Zh => format!(
            "清除 {} 个旧版本、{} 份内容，重写 {} 个文件：{before:.1} MB → {after:.1} MB",
            done.snapshots, done.bodies, done.segments
        ),
        xunjian_report::Language::En => format!(
            "{} old snapshots and {} bodies let go, {} files rewritten: {before:.1} MB → {after:.1} MB",
            done.snapshots, done.bodies, done.segments
        ),
    }
}

fn backup(common: &Common, terminal: Terminal, folder: &Path) -> anyhow::Result<Exit> {
    let mut bar = terminal.bar(terminal.words("备份", "backup"), 0);
    let progress = |done, total| bar.set(done, total, "");
    let done = xunjian_store::backup(&existing(common)?, folder, progress).map_err(EngineError::from)?;
    drop(bar);
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    terminal.print(&match terminal.language {
        xunjian_report::Language::Zh => format!(
            "{}：复制 {} 个文件（{:.1} MB），备份共 {:.1} MB\n",
            folder.display(),
            done.files,
            megabytes(done.bytes),
            megabytes(done.bytes_in_all)
        ),
        xunjian_report::Language::En => format!(
            "{}: {} files copied ({:.1} MB), {:.1} MB in all\n",
            folder.display(),
            done.files,
            megabytes(done.bytes),
            megabytes(done.bytes_in_all)
        ),
    })?;
    terminal.json(&json!({ "folder": folder, "backed_up": done }))?;
    Ok(Exit::Done)
}

fn export(common: &Common, terminal: Terminal, file: &Path, only: &[SiteId]) -> anyhow::Result<Exit> {
    let settings = settings(common)?;
    for id in only {
        anyhow::ensure!(settings.sites.iter().any(|site| site.id == *id), "no site {id} in the register");
    }
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let form = match name {
        name if name.ends_with(".warc.gz") => WarcForm::Gzip,
        name if name.ends_with(".warc") => WarcForm::Plain,
        _ => anyhow::bail!("{}: name the file .warc.gz (packed) or .warc", file.display()),
    };
    let store = open(common)?;
    let wanted = |url: &xunjian_model::PageUrl, _| {
        only.is_empty() || settings.sites.iter().any(|site| only.contains(&site.id) && site.in_scope(url))
    };
    let context = || format!("cannot write {}", file.display());
    // Written beside its place first, so that a file of that name is always whole.
    let part = file.with_file_name(format!("{name}.part"));
    let mut out = BufWriter::new(File::create(&part).with_context(context)?);
    let done = store.export(&mut out, form, &wanted).map_err(EngineError::from)?;
    out.flush().and_then(|()| out.get_ref().sync_all()).with_context(context)?;
    std::fs::rename(&part, file).with_context(context)?;
    terminal.print(&match terminal.language {
        xunjian_report::Language::Zh => {
            format!("{}：{} 条内容，{} 条重访\n", file.display(), done.responses, done.revisits)
        }
        xunjian_report::Language::En => {
            format!("{}: {} responses, {} revisits\n", file.display(), done.responses, done.revisits)
        }
    })?;
    terminal.json(&json!({ "file": file, "exported": done }))?;
    Ok(if done.unreadable == 0 { Exit::Done } else { Exit::Store })
}

fn import(common: &Common, terminal: Terminal, files: &[PathBuf]) -> anyhow::Result<Exit> {
    let engine = Engine::open(settings(common)?)?;
    let imported = engine.import(files)?;
    if let Some(cut) = &imported.cut {
        terminal.note(cut);
    }
    terminal.print(&match terminal.language {
        xunjian_report::Language::Zh => format!(
            "导入 {} 个页面和文件（共 {} 条记录，其他 {}，不属于任何网站 {}，无法读取 {}）。下一步：xunjian scan，然后 xunjian judge、xunjian report。\n",
            imported.pages, imported.records, imported.others, imported.foreign, imported.unreadable
        ),
        xunjian_report::Language::En => format!(
            "Imported {} pages and documents ({} records, {} others, {} of no site, {} unreadable). Next: xunjian scan, then judge and report.\n",
            imported.pages, imported.records, imported.others, imported.foreign, imported.unreadable
        ),
    })?;
    terminal.json(&imported)?;
    Ok(if imported.cut.is_none() { Exit::Done } else { Exit::Incomplete })
}
