//! What the console costs: each page of a large store, its time, its size, and the memory of it all.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Parser;
use jiff::Timestamp;
use tokio::sync::RwLock;
use xunjian_benches::{fill, settings, sites};
use xunjian_console::{Console, ConsoleSettings};
use xunjian_engine::{Action, Cpu, Engine, Hand};
use xunjian_model::{Ruling, Target, UrlRecord};
use xunjian_report::Language;
use xunjian_store::Store;

/// Time, size and memory of the console's pages.
#[derive(Parser)]
struct Args {
    /// Sites
    #[arg(long, default_value_t = 45)]
    sites: usize,
    /// Pages of each site
    #[arg(long, default_value_t = 44_445)]
    pages: u64,
    /// Findings of each site
    #[arg(long, default_value_t = 4_445)]
    findings: usize,
    /// Times each page is asked for
    #[arg(long, default_value_t = 20)]
    times: usize,
    /// Only fill this folder; another process, so that its memory is not counted
    #[arg(long, hide = true)]
    fill: Option<std::path::PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(folder) = &args.fill {
        return fill_all(folder, &args);
    }
    let folder = std::env::temp_dir().join(format!("xunjian-console-{}", std::process::id()));
    let filled = std::process::Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .arg("--fill")
        .arg(&folder)
        .status()?;
    ensure!(filled.success(), "the store could not be filled");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let engine = Arc::new(Engine::open(settings(&folder, sites(args.sites)?))?);
    let some = engine.findings(&engine.settings().sites[0].id)?;
    let id = some.first().context("a finding")?.id.to_string();
    drop(some);
    let held = Arc::new(RwLock::new(Some(engine)));
    let settings = ConsoleSettings {
        listen: ([127, 0, 0, 1], 0).into(),
        public_url: None,
        proxies: Vec::new(),
        accounts: folder.join("accounts.json"),
        audit: folder.join("audit.jsonl"),
        language: Language::Zh,
    };
    let console = runtime.block_on(Console::bind(held, Arc::default(), settings))?;
    let port = console.address()?.port();
    runtime.spawn(console.serve());
    let pages = [
        "/".to_owned(),
        "/sites/s0".to_owned(),
        "/sites/s44?kind=privacy-mobile".to_owned(),
        format!("/findings/{id}"),
        "/review".to_owned(),
        "/rectification".to_owned(),
        "/runs".to_owned(),
        "/media".to_owned(),
        "/notices".to_owned(),
        "/api/v1/sites".to_owned(),
        "/api/v1/findings?limit=100".to_owned(),
        "/api/v1/findings?severity=serious&limit=100".to_owned(),
        "/api/v1/verdicts".to_owned(),
    ];
    // What a person decides counts at once: the site is judged and counted anew.
    let judged = r#"{"site":"s0","indicator":"D19","points":0.5,"reason":"x"}"#;
    let decided = format!(r#"{{"findings":["{id}"],"action":"confirm","reason":"x"}}"#);
    let decisions = [("/api/v1/assessments", judged), ("/api/v1/decisions", decided.as_str())];
    let looks = pages.iter().map(|page| (page.as_str(), ""));
    let mut out = std::io::stdout();
    for (page, body) in looks.chain(decisions) {
        let mut times = Vec::new();
        let mut bytes = 0;
        for _ in 0..args.times {
            let (took, size) = ask(port, page, body)?;
            times.push(took);
            bytes = size;
        }
        times.sort();
        let middle = times[times.len() / 2].as_secs_f64() * 1e3;
        let most = times[times.len() - 1].as_secs_f64() * 1e3;
        writeln!(out, "{page}: {middle:.1} ms, {most:.1} ms at most, {} KB", bytes.div_ceil(1_024))?;
    }
    let peak = Cpu::peak_memory().unwrap_or_default() / (1 << 20);
    writeln!(
        out,
        "{} pages, {} findings; {peak} MB at most",
        args.sites as u64 * args.pages,
        args.sites * args.findings
    )?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn ask(port: u16, page: &str, body: &str) -> anyhow::Result<(Duration, usize)> {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let method = if body.is_empty() { "GET" } else { "POST" };
    write!(stream, "{method} {page} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n")?;
    write!(stream, "content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    ensure!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{page}: {}",
        String::from_utf8_lossy(&answer[..answer.len().min(200)])
    );
    Ok((begun.elapsed(), answer.len()))
}

fn fill_all(folder: &std::path::Path, args: &Args) -> anyhow::Result<()> {
    let sites = sites(args.sites)?;
    let store = Store::open(folder)?;
    fill(&store, &sites, args.pages, args.findings)?;
    for site in &sites {
        let mut batch = store.begin();
        for number in 0..args.pages {
            let record = UrlRecord::discovered(Some(site.id.clone()), Target::Page, 2, Timestamp::UNIX_EPOCH);
            batch.put_url(Some(&site.id), &format!("{}art/{number}.html", site.url), &record)?;
        }
        batch.commit()?;
    }
    drop(store);
    let engine = Engine::open(settings(folder, sites))?;
    engine.judge()?;
    engine.end_look()?;
    // Some are on their way to being mended.
    for site in engine.settings().sites.iter().take(10) {
        let ids: Vec<String> =
            engine.findings(&site.id)?.iter().take(100).map(|one| one.id.to_string()).collect();
        let hand =
            Hand { by: "王芳".to_owned(), reason: "属实".to_owned(), revision: None, revise: false };
        engine.act(&ids, &Action::Rule(Ruling::Confirmed), &hand)?;
        engine.act(&ids, &Action::Notify { on: jiff::civil::date(2026, 6, 30), due: None }, &hand)?;
    }
    Ok(())
}
