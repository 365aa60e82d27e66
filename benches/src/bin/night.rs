//! Whole nights of the release binary against a city served by another process: first night,
//! scan with one and two threads, second night with nothing changed. Prints Markdown, or JSON
//! with every figure.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};
use clap::Parser;
use serde_json::{Value, json};

/// Crawl and scan throughput of the release binary on the simulated city.
#[derive(Parser)]
struct Args {
    /// Seed of the city
    #[arg(long, default_value_t = 2_000)]
    seed: u64,
    /// Number of sites
    #[arg(long, default_value_t = 45)]
    sites: u64,
    /// Mean number of pages a site
    #[arg(long, default_value_t = 495)]
    pages: u32,
    /// Processor the city is pinned to, where taskset is there; the client takes the other
    #[arg(long)]
    pin: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

struct City(Child);

impl Drop for City {
    fn drop(&mut self) {
        // It may be gone already; then there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(program: &Path, pin: Option<&str>) -> Command {
    match pin {
        None => Command::new(program),
        Some(processor) => {
            let mut command = Command::new("taskset");
            command.args(["-c", processor]).arg(program);
            command
        }
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let program = std::env::current_exe()?.with_file_name("xunjian");
    ensure!(program.exists(), "{} is missing: build it with cargo build --release", program.display());
    let folder = std::env::temp_dir().join(format!("xunjian-night-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let measured = measure(&program, &folder, &args);
    std::fs::remove_dir_all(&folder)?;
    let figures = measured?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&figures)?)?;
        return Ok(());
    }
    writeln!(
        out,
        "| step | seconds | CPU s | pages | pages/s | pages/CPU s | peak MB | received MB |\n|---|--:|--:|--:|--:|--:|--:|--:|"
    )?;
    for row in figures["steps"].as_array().context("steps")? {
        let number = |name: &str| row[name].as_f64().unwrap_or(0.0);
        writeln!(
            out,
            "| {} | {:.2} | {:.2} | {} | {:.0} | {:.0} | {:.0} | {:.1} |",
            row["step"].as_str().unwrap_or_default(),
            number("seconds"),
            number("cpu_seconds"),
            number("pages"),
            number("pages") / number("seconds"),
            number("pages") / number("cpu_seconds"),
            number("peak_memory_bytes") / 1e6,
            number("wire_received") / 1e6
        )?;
    }
    writeln!(
        out,
        "\ntext of one scan: {:.1} MB; store: {:.1} MB, of it WARC {:.1} MB",
        bytes(&figures, "text"),
        bytes(&figures, "store"),
        bytes(&figures, "warc")
    )?;
    Ok(())
}

fn bytes(figures: &Value, name: &str) -> f64 {
    figures["bytes"][name].as_f64().unwrap_or(0.0) / 1e6
}

fn measure(program: &Path, folder: &Path, args: &Args) -> anyhow::Result<Value> {
    let (server, client) = if args.pin { (Some("0"), Some("1")) } else { (None, None) };
    let config = folder.join("xunjian.toml");
    let mut child = command(program, server)
        .args([
            "city",
            "--port",
            "0",
            "--lang",
            "en",
            "--seed",
            &args.seed.to_string(),
            "--sites",
            &args.sites.to_string(),
        ])
        .args(["--pages", &args.pages.to_string(), "--config-out"])
        .arg(&config)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut first = String::new();
    BufReader::new(child.stdout.take().context("stdout")?).read_line(&mut first)?;
    let _city = City(child);
    let run = |arguments: &[&str]| -> anyhow::Result<Value> {
        let output = command(program, client)
            .arg("--config")
            .arg(&config)
            .args(["--json", "--quiet"])
            .args(arguments)
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(
            matches!(output.status.code(), Some(0 | 3)),
            "xunjian {arguments:?} ended with {}",
            output.status
        );
        Ok(serde_json::from_slice(&output.stdout)?)
    };
    let mut steps = Vec::new();
    let mut crawl = |name: &str| -> anyhow::Result<()> {
        let one = run(&["crawl"])?;
        let pages =
            one["crawl"]["pages"].as_u64().unwrap_or(0) + one["crawl"]["not_modified"].as_u64().unwrap_or(0);
        steps.push(json!({
            "step": name, "pages": pages, "seconds": one["cost"]["seconds"], "cpu_seconds": one["cost"]["cpu_seconds"],
            "peak_memory_bytes": one["peak_memory_bytes"], "wire_received": one["crawl"]["wire_received"], "crawl": one["crawl"],
        }));
        Ok(())
    };
    crawl("first night: crawl")?;
    let mut text = 0;
    let mut scans = Vec::new();
    for (name, arguments) in [
        ("scan, 1 thread", ["scan", "--fresh", "--threads", "1"]),
        ("scan, 2 threads", ["scan", "--fresh", "--threads", "2"]),
    ] {
        let one = run(&arguments)?;
        text = one["scan"]["text_bytes"].as_u64().unwrap_or(0);
        scans.push(json!({
            "step": name, "pages": one["scan"]["pages"], "seconds": one["cost"]["seconds"], "cpu_seconds": one["cost"]["cpu_seconds"],
            "peak_memory_bytes": one["peak_memory_bytes"], "wire_received": 0,
        }));
    }
    crawl("second night: crawl")?;
    let again = run(&["scan", "--threads", "2"])?;
    scans.push(json!({
        "step": "second night: scan", "pages": again["scan"]["pages"], "seconds": again["cost"]["seconds"],
        "cpu_seconds": again["cost"]["cpu_seconds"], "peak_memory_bytes": again["peak_memory_bytes"], "wire_received": 0,
    }));
    let data = folder.join("xunjian-data");
    let last = steps.pop();
    steps.extend(scans.drain(..2));
    steps.extend(last);
    steps.extend(scans);
    Ok(json!({
        "city": { "seed": args.seed, "sites": args.sites, "pages": args.pages },
        "steps": steps,
        "bytes": { "text": text, "store": size(&data)?, "warc": size(&data.join("warc"))? },
    }))
}

fn size(path: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(path)? {
        let path: PathBuf = entry?.path();
        sum += if path.is_dir() { size(&path)? } else { path.metadata()?.len() };
    }
    Ok(sum)
}
