//! Recall and precision per kind over cities of many seeds, as a Markdown table.
//!
//! Runs the release binary as anyone would (`xunjian demo --seed N --truth FILE`) and scores its
//! `findings.json` against the truth file.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use clap::Parser;
use serde_json::Value;
use xunjian_city::{Reported, Score, TruthRow, score};

/// Recall and precision per kind, against the truth of simulated cities.
#[derive(Parser)]
struct Args {
    /// First seed
    #[arg(long, default_value_t = 1000)]
    from: u64,
    /// Number of seeds
    #[arg(long, default_value_t = 10)]
    count: u64,
    /// Mean number of pages a site
    #[arg(long, default_value_t = 120)]
    pages: u32,
    /// Day of the city
    #[arg(long, default_value_t = 0)]
    day: u32,
    /// Print each miss and each false alarm
    #[arg(long)]
    verbose: bool,
    /// Exit with 1 when recall or precision of any kind is below this
    #[arg(long, default_value_t = 0.0)]
    at_least: f64,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let program = std::env::current_exe()?.with_file_name("xunjian");
    ensure!(program.exists(), "{} is missing: build it with cargo build --release", program.display());
    let folder = std::env::temp_dir().join(format!("xunjian-accuracy-{}", std::process::id()));
    let mut total = Score::default();
    for seed in args.from..args.from + args.count {
        std::fs::create_dir_all(&folder)?;
        let one = run(&program, &folder, seed, &args).with_context(|| format!("seed {seed}"))?;
        total.add(one);
        std::fs::remove_dir_all(&folder)?;
    }
    let kinds: Vec<&str> = xunjian_scan::KINDS.iter().map(|kind| kind.as_str()).collect();
    let total = total.only(&kinds);
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "| kind | planted | found | recall | reported | right | precision |\n|---|--:|--:|--:|--:|--:|--:|"
    )?;
    let sum = total.total();
    let mut worst = 1.0_f64;
    for (kind, one) in total.kinds.iter().map(|(kind, one)| (kind.as_str(), one)).chain([("**all**", &sum)]) {
        worst = worst.min(one.recall()).min(one.precision());
        writeln!(
            out,
            "| {kind} | {} | {} | {:.4} | {} | {} | {:.4} |",
            one.truth,
            one.found,
            one.recall(),
            one.reported,
            one.right,
            one.precision()
        )?;
        if args.verbose {
            for row in &one.missed {
                writeln!(out, "missed {} {} {:?}", row.site, row.url, row.what)?;
            }
            for row in &one.wrong {
                writeln!(out, "wrong {} {} {:?}", row.site, row.url, row.what)?;
            }
        }
    }
    ensure!(worst >= args.at_least, "the lowest figure is {worst:.4}");
    Ok(())
}

fn run(program: &Path, folder: &Path, seed: u64, args: &Args) -> anyhow::Result<Score> {
    let truth_file = folder.join("truth.json");
    let output = Command::new(program)
        .current_dir(folder)
        .args(["demo", "--json", "--quiet", "--seed", &seed.to_string(), "--pages", &args.pages.to_string()])
        .args(["--day", &args.day.to_string(), "--truth"])
        .arg(&truth_file)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "xunjian demo ended with {}", output.status);
    let summary: Value = serde_json::from_slice(&output.stdout)?;
    let report = PathBuf::from(summary["report"].as_str().context("no report in the summary")?);
    let findings: Vec<Value> =
        serde_json::from_slice(&std::fs::read(folder.join(report).with_file_name("findings.json"))?)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let reported: Vec<Reported> = findings
        .iter()
        .map(|one| Reported {
            site: text(&one["site"]),
            kind: text(&one["kind"]),
            url: text(&one["url"]),
            what: one["detail"]["what"].as_str().map(str::to_owned),
        })
        .collect();
    let truth: Vec<TruthRow> = serde_json::from_slice(&std::fs::read(&truth_file)?)?;
    Ok(score(&truth, &reported))
}
