//! What judging costs: 45 sites with many findings each, from what is kept.
//!
//! Fills a store with the records a night leaves (findings, their cases, summaries of sites) and judges
//! it as `xunjian judge` does.

use std::io::Write as _;

use anyhow::ensure;
use clap::Parser;
use xunjian_benches::{fill, settings, sites};
use xunjian_engine::{Cpu, Engine};
use xunjian_store::Store;

/// CPU and memory of judging many findings.
#[derive(Parser)]
struct Args {
    /// Sites
    #[arg(long, default_value_t = 45)]
    sites: usize,
    /// Pages a site is said to have
    #[arg(long, default_value_t = 100_000)]
    pages: u64,
    /// Findings of each site
    #[arg(long, default_value_t = 10_000)]
    findings: usize,
    /// Only fill this folder; another process, so that its memory is not counted
    #[arg(long, hide = true)]
    fill: Option<std::path::PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(folder) = &args.fill {
        let store = Store::open(folder)?;
        return fill(&store, &sites(args.sites)?, args.pages, args.findings);
    }
    let folder = std::env::temp_dir().join(format!("xunjian-judging-{}", std::process::id()));
    let sites = sites(args.sites)?;
    let filled = std::process::Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .arg("--fill")
        .arg(&folder)
        .status()?;
    ensure!(filled.success(), "the store could not be filled");
    let opened = Cpu::now();
    let engine = Engine::open(settings(&folder, sites))?;
    let opened = opened.cost();
    let cpu = Cpu::now();
    let verdicts = engine.judge()?;
    let cost = cpu.cost();
    ensure!(verdicts.len() == args.sites, "every site is judged");
    let peak = Cpu::peak_memory().unwrap_or_default() / (1 << 20);
    writeln!(
        std::io::stdout(),
        "{} sites, {} findings: judged in {:.2} s CPU, {:.2} s; opened in {:.2} s; {peak} MB at most",
        args.sites,
        args.sites * args.findings,
        cost.cpu_seconds,
        cost.seconds,
        opened.seconds,
    )?;
    drop(engine);
    Ok(std::fs::remove_dir_all(&folder)?)
}
