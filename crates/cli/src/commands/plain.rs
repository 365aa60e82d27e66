//! `xunjian scan --stdin` and `--files`: texts from anywhere, without a store.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rayon::prelude::*;
use serde_json::json;
use xunjian_dict::Matcher;
use xunjian_model::Problem;
use xunjian_report::{SarifResult, sarif};
use xunjian_scan::{PLAIN_BYTES_MAX, PlainFinding, PlainScan, scan_plain};
use xunjian_spell::Model;

use crate::args::{self, Common, PlainFormat};
use crate::terminal::{Terminal, write_out};
use crate::{Exit, config};

/// Files read and looked through at once before their findings are shown: memory does not grow
/// with their number.
const AT_ONCE: usize = 64;
/// Findings that SARIF takes; code hosts refuse more.
const SARIF_MAX: usize = 25_000;

pub(crate) fn run(common: &Common, terminal: Terminal, args: &args::Scan) -> anyhow::Result<Exit> {
    let (dictionaries, model) = config::words(&common.config, &args.dictionaries)?;
    let (matcher, model) = (Matcher::new(&dictionaries)?, model.as_deref());
    let format = args.format.unwrap_or(if common.json { PlainFormat::Json } else { PlainFormat::Text });
    let mut shown =
        Shown { terminal, format, kept: Vec::new(), left_out: 0, worst: None, unreadable: 0, no_text: 0 };
    if args.stdin {
        let mut body = Vec::new();
        // One byte more than is looked at, so that a longer input is known to be cut.
        std::io::stdin().lock().take(PLAIN_BYTES_MAX as u64 + 1).read_to_end(&mut body)?;
        shown.show("-", scan_plain("-", &body, &matcher, model))?;
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.unwrap_or(0)).build()?;
    let mut files = args.files.iter().flat_map(|path| walk(path));
    loop {
        let some: Vec<PathBuf> = files.by_ref().take(AT_ONCE).collect();
        if some.is_empty() {
            break;
        }
        let scans: Vec<_> =
            pool.install(|| some.par_iter().map(|file| look(file, &matcher, model)).collect());
        for (file, scan) in some.iter().zip(scans) {
            match scan {
                Ok(scan) => shown.show(&file.display().to_string(), scan)?,
                Err(error) => {
                    shown.unreadable += 1;
                    terminal.note(terminal.said(format!("{}: {error:#}", file.display())));
                }
            }
        }
    }
    shown.end()?;
    let failed = common.fail_on.is_some_and(|limit| shown.worst.is_some_and(|worst| worst >= limit));
    Ok(match () {
        () if shown.unreadable > 0 => Exit::Incomplete,
        () if failed => Exit::Findings,
        () => Exit::Done,
    })
}

fn look(file: &Path, matcher: &Matcher, model: Option<&Model>) -> anyhow::Result<PlainScan> {
    let mut body = Vec::new();
    let opened = std::fs::File::open(file).context("cannot be opened")?;
    opened.take(PLAIN_BYTES_MAX as u64 + 1).read_to_end(&mut body).context("cannot be read")?;
    Ok(scan_plain(&file.display().to_string(), &body, matcher, model))
}

/// A file, or all files in a folder and its folders, in order. Links to folders are not followed.
fn walk(path: &Path) -> Box<dyn Iterator<Item = PathBuf>> {
    let folder = path.is_dir();
    let Some(entries) = folder.then(|| std::fs::read_dir(path).ok()).flatten() else {
        return Box::new(std::iter::once(path.to_owned()));
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Box::new(
        paths.into_iter().filter(|path| !(path.is_symlink() && path.is_dir())).flat_map(|path| walk(&path)),
    )
}

struct Shown {
    terminal: Terminal,
    format: PlainFormat,
    /// Findings of one document for all.
    kept: Vec<PlainFinding>,
    left_out: usize,
    worst: Option<xunjian_model::Severity>,
    /// Files and documents that could not be read.
    unreadable: usize,
    /// Files that have no text, as pictures.
    no_text: usize,
}

impl Shown {
    fn show(&mut self, file: &str, scan: PlainScan) -> anyhow::Result<()> {
        self.no_text += usize::from(scan.no_text);
        let unreadable = |problem: &Problem| matches!(problem, Problem::Unreadable(_));
        self.unreadable += usize::from(scan.problems.iter().any(unreadable));
        for problem in &scan.problems {
            self.terminal.note(format!("{file}: {}", self.terminal.said(problem)));
        }
        self.worst = self.worst.max(scan.findings.iter().map(|one| one.severity).max());
        match self.format {
            PlainFormat::Text => {
                let lines: String = scan.findings.iter().map(|one| line(one, self.terminal)).collect();
                write_out(&lines)
            }
            PlainFormat::Jsonl => {
                let lines: Result<Vec<String>, _> = scan.findings.iter().map(serde_json::to_string).collect();
                write_out(&lines?.into_iter().map(|line| line + "\n").collect::<String>())
            }
            PlainFormat::Json | PlainFormat::Sarif => {
                let most = if matches!(self.format, PlainFormat::Sarif) { SARIF_MAX } else { usize::MAX };
                for finding in scan.findings {
                    match self.kept.len() < most {
                        true => self.kept.push(finding),
                        false => self.left_out += 1,
                    }
                }
                Ok(())
            }
        }
    }

    fn end(&self) -> anyhow::Result<()> {
        if self.no_text > 0 {
            self.terminal.note(format!(
                "{}: {}",
                self.terminal.words(
                    "既不是文本也不是已知的文档，没有查看的文件",
                    "files that are neither text nor known documents, not looked at"
                ),
                self.no_text
            ));
        }
        let document = match self.format {
            PlainFormat::Text | PlainFormat::Jsonl => return Ok(()),
            PlainFormat::Json => json!(self.kept),
            PlainFormat::Sarif => {
                let result = |one: &PlainFinding| SarifResult {
                    kind: one.kind,
                    severity: one.severity,
                    place: Some((one.line, one.column)),
                    bytes: one.bytes.clone(),
                    message: message(one, self.terminal),
                    uri: "",
                };
                let results: Vec<SarifResult<'_>> =
                    self.kept.iter().map(|one| SarifResult { uri: &one.file, ..result(one) }).collect();
                sarif(&results)
            }
        };
        if self.left_out > 0 {
            self.terminal.note(format!(
                "{} {}",
                self.left_out,
                self.terminal
                    .words("个问题超出 SARIF 的上限，未写出", "findings beyond SARIF's limit are left out")
            ));
        }
        write_out(&format!("{}\n", serde_json::to_string_pretty(&document)?))
    }
}

fn message(one: &PlainFinding, terminal: Terminal) -> String {
    let name = terminal.words(one.kind.zh(), one.kind.en());
    match &one.correction {
        Some(correction) => format!("{name}: {} → {correction}", one.what),
        None => format!("{name}: {}", one.what),
    }
}

fn line(one: &PlainFinding, terminal: Terminal) -> String {
    format!(
        "{}:{}:{}: {} {}\n    {}\n",
        one.file,
        one.line,
        one.column,
        one.severity,
        message(one, terminal),
        one.excerpt
    )
}
