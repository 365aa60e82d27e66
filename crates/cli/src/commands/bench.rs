//! `xunjian bench scan`: how fast this machine scans what its store holds.

use std::time::Instant;

use serde::Serialize;
use serde_json::json;
use xunjian_engine::Cpu;

use crate::Exit;
use crate::args::Common;
use crate::commands::night::{Night, settings};
use crate::terminal::Terminal;

/// The best round of one number of threads.
#[derive(Clone, Copy, Debug, Serialize)]
struct Measured {
    threads: u16,
    seconds: f64,
    cpu_seconds: f64,
    pages: u64,
    pages_per_second: f64,
    /// Of text, after bodies were unpacked and read.
    text_megabytes_per_second: f64,
    findings: u64,
}

pub(crate) fn scan(
    common: &Common,
    terminal: Terminal,
    threads: &[u16],
    rounds: u16,
) -> anyhow::Result<Exit> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u16);
    let mut wanted = threads.to_vec();
    if wanted.is_empty() {
        wanted = vec![1, cores];
        wanted.dedup();
    }
    let mut rows = Vec::new();
    for threads in wanted {
        let mut best: Option<Measured> = None;
        for _ in 0..rounds {
            let measured = once(common, terminal, threads)?;
            if best.is_none_or(|best| measured.seconds < best.seconds) {
                best = Some(measured);
            }
        }
        rows.extend(best);
    }
    terminal.print(terminal.words(
        "线程     秒    CPU 秒      页   页/秒  文本 MB/秒\n",
        "threads  sec  CPU sec   pages  pages/s  text MB/s\n",
    ))?;
    for row in &rows {
        terminal.print(&format!(
            "{:>4} {:>7.2} {:>8.2} {:>7} {:>7.0} {:>10.1}\n",
            row.threads,
            row.seconds,
            row.cpu_seconds,
            row.pages,
            row.pages_per_second,
            row.text_megabytes_per_second
        ))?;
    }
    let peak = Cpu::peak_memory();
    terminal.json(&json!({ "scan": rows, "cores": cores, "peak_memory_bytes": peak }))?;
    Ok(Exit::Done)
}

fn once(common: &Common, terminal: Terminal, threads: u16) -> anyhow::Result<Measured> {
    let mut settings = settings(common)?;
    settings.threads = usize::from(threads);
    let mut night = Night::open(settings, common, terminal)?;
    let (begun, cpu) = (Instant::now(), Cpu::now());
    let summary = night.scan(true)?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Measured {
        threads,
        seconds,
        cpu_seconds: cpu.cost().cpu_seconds,
        pages: summary.pages,
        pages_per_second: summary.pages as f64 / seconds,
        text_megabytes_per_second: summary.text_bytes as f64 / 1e6 / seconds,
        findings: summary.findings,
    })
}
