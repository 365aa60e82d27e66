//! `xunjian dict`: faulty lines and contradictions, a try at a text, counts.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use serde_json::json;
use xunjian_dict::{Conflict, LoadError, Matcher, conflicts};
use xunjian_fetch::{Ask, Fetcher, OpenGate};
use xunjian_model::{LinkState, PageUrl};
use xunjian_report::link_state;
use xunjian_scan::{PLAIN_BYTES_MAX, scan_plain};
use xunjian_spell::{Counts, Minimums};

use crate::args::{self, Common};
use crate::terminal::Terminal;
use crate::{Exit, config};

pub(crate) async fn run(common: &Common, terminal: Terminal, command: &args::Dict) -> anyhow::Result<Exit> {
    match command {
        args::Dict::Check { files } => check(common, terminal, files),
        args::Dict::Test { what, dictionaries } => test(common, terminal, what, dictionaries).await,
        args::Dict::Stats => stats(common, terminal),
        args::Dict::Train { texts, words, out } => train(terminal, texts, words.as_deref(), out),
    }
}

fn check(common: &Common, terminal: Terminal, files: &[PathBuf]) -> anyhow::Result<Exit> {
    let mut documents = Vec::new();
    let mut faulty = false;
    let mut read = Vec::new();
    if files.is_empty() {
        // The configuration itself reads the dictionaries; its mistakes name their lines.
        read = config::dictionaries(&common.config, &[])?;
        for dictionary in &read {
            let name = format!("{} {}", dictionary.name, dictionary.version);
            terminal.print(&format!("{}: {}\n", name.trim_end(), dictionary.entries.len()))?;
            documents.push(json!({ "name": dictionary.name, "version": dictionary.version, "entries": dictionary.entries.len(), "faults": [] }));
        }
    }
    for file in
        files.iter().map(|file| expanded(file)).collect::<anyhow::Result<Vec<_>>>()?.into_iter().flatten()
    {
        match xunjian_dict::load_file(&file) {
            Ok(dictionary) => {
                terminal.print(&format!(
                    "{}: {} {}\n",
                    file.display(),
                    dictionary.entries.len(),
                    terminal.words("条", "entries")
                ))?;
                documents.push(json!({ "file": file, "name": dictionary.name, "version": dictionary.version, "entries": dictionary.entries.len(), "faults": [] }));
                read.push(dictionary);
            }
            Err(LoadError::Faults { path, faults }) => {
                faulty = true;
                for fault in &faults {
                    terminal.print(&format!(
                        "{}:{}: {}\n",
                        path.display(),
                        fault.line,
                        terminal.said(&fault.reason)
                    ))?;
                }
                let rows: Vec<_> = faults
                    .iter()
                    .map(|fault| json!({ "line": fault.line, "reason": fault.reason }))
                    .collect();
                documents.push(json!({ "file": path, "faults": rows }));
            }
            Err(error @ LoadError::Read { .. }) => return Err(error.into()),
        }
    }
    let against = conflicts(&read);
    for conflict in &against {
        terminal.print(&format!(
            "{}: {}\n",
            terminal.words("规则矛盾", "conflict"),
            terminal.said(conflict)
        ))?;
    }
    let against: Vec<String> = against.iter().map(Conflict::to_string).collect();
    faulty |= !against.is_empty();
    terminal.json(&json!({ "dictionaries": documents, "conflicts": against }))?;
    Ok(if faulty { Exit::Usage } else { Exit::Done })
}

/// `xunjian dict test`: the hits, marked in their lines.
async fn test(common: &Common, terminal: Terminal, what: &str, more: &[PathBuf]) -> anyhow::Result<Exit> {
    let matcher = Matcher::new(&config::dictionaries(&common.config, more)?)?;
    let mut body = Vec::new();
    if what == "-" {
        std::io::stdin().lock().take(PLAIN_BYTES_MAX as u64 + 1).read_to_end(&mut body)?;
    } else if what.starts_with("http://") || what.starts_with("https://") {
        body = fetch(common, terminal, what).await?;
    } else {
        let file = std::fs::File::open(what).with_context(|| format!("cannot read {what}"))?;
        file.take(PLAIN_BYTES_MAX as u64 + 1).read_to_end(&mut body)?;
    }
    let scan = scan_plain(what, &body, &matcher, None);
    anyhow::ensure!(!scan.no_text, "{what} is neither text nor a page nor a known document");
    for problem in &scan.problems {
        terminal.note(format!("{what}: {}", terminal.said(problem)));
    }
    for one in &scan.findings {
        let name = terminal.words(one.kind.zh(), one.kind.en());
        let correction = one.correction.as_ref().map(|text| format!(" → {text}")).unwrap_or_default();
        terminal.print(&format!("{}:{} {name}{correction}  {}\n", one.line, one.column, one.excerpt))?;
    }
    terminal.print(&format!("{} {}\n", scan.findings.len(), terminal.words("处", "hits")))?;
    terminal.json(&json!({ "hits": scan.findings }))?;
    Ok(Exit::Done)
}

/// A page of the web, within the configuration's limits and address guard.
async fn fetch(common: &Common, terminal: Terminal, url: &str) -> anyhow::Result<Vec<u8>> {
    let url = PageUrl::parse(url)?;
    let (limits, network) = match common.config.exists() {
        true => {
            let settings = config::load(&common.config)?;
            (settings.fetch, settings.network)
        }
        false => (Default::default(), Default::default()),
    };
    let fetcher = Fetcher::new(limits, &network)?;
    let answer = fetcher.fetch(Ask::get(url.clone()), &OpenGate).await;
    let says = |state: &LinkState| link_state(&state.describe(), terminal.language);
    let answer = answer.map_err(|failure| anyhow::anyhow!("{url}: {}", says(&failure.state)))?;
    anyhow::ensure!(answer.status == 200, "{url}: {}", answer.status);
    Ok(answer.body)
}

/// `xunjian dict stats`.
fn stats(common: &Common, terminal: Terminal) -> anyhow::Result<Exit> {
    let begun = Instant::now();
    let dictionaries = config::dictionaries(&common.config, &[])?;
    let read = begun.elapsed();
    let begun = Instant::now();
    let matcher = Matcher::new(&dictionaries)?;
    let compiled = begun.elapsed();
    let mut rows = Vec::new();
    for dictionary in &dictionaries {
        let mut categories: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in &dictionary.entries {
            *categories.entry(entry.category.as_str()).or_default() += 1;
        }
        let counts: Vec<String> =
            categories.iter().map(|(category, count)| format!("{category} {count}")).collect();
        let name = format!("{} {}", dictionary.name, dictionary.version);
        terminal.print(&format!("{}: {}\n", name.trim_end(), counts.join(", ")))?;
        rows.push(json!({
            "name": dictionary.name, "version": dictionary.version, "entries": dictionary.entries.len(),
            "categories": categories, "allow": dictionary.allow.len(),
        }));
    }
    let milliseconds = |time: std::time::Duration| (time.as_secs_f64() * 1e4).round() / 10.0;
    terminal.print(&terminal.punctuated(&format!(
        "{} {}，{} {} ms，{} {} ms\n",
        matcher.len(),
        terminal.words("条", "patterns"),
        terminal.words("读取", "read in"),
        milliseconds(read),
        terminal.words("编译", "compiled in"),
        milliseconds(compiled),
    )))?;
    terminal.json(&json!({
        "dictionaries": rows, "patterns": matcher.len(),
        "read_ms": milliseconds(read), "compile_ms": milliseconds(compiled),
    }))?;
    Ok(Exit::Done)
}

/// A file, or what a pattern stands for that the shell did not expand.
fn expanded(file: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if file.exists() {
        return Ok(vec![file.to_owned()]);
    }
    let files =
        config::expand(file).map_err(anyhow::Error::msg).with_context(|| file.display().to_string())?;
    anyhow::ensure!(!files.is_empty(), "{}: no such file", file.display());
    Ok(files)
}

fn train(terminal: Terminal, texts: &[PathBuf], words: Option<&Path>, out: &Path) -> anyhow::Result<Exit> {
    let mut counts = Counts::default();
    let read = |file: &Path| -> anyhow::Result<String> {
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(xunjian_dict::decode_text(&bytes))
    };
    for file in texts {
        counts.add(&read(file)?);
    }
    if let Some(file) = words {
        for (at, line) in read(file)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let mut columns = line.split_whitespace();
            let row = columns.next().zip(columns.next().and_then(|number| number.parse().ok()));
            let (word, frequency) = row.with_context(|| {
                format!("{}:{}: a word and its frequency are needed", file.display(), at + 1)
            })?;
            counts.add_word(word, frequency);
        }
    }
    let model = counts.model(Minimums::default());
    let bytes = model.to_bytes();
    std::fs::write(out, &bytes).with_context(|| format!("cannot write {}", out.display()))?;
    let [one, two, three, four] = model.runs();
    terminal.print(&format!(
        "{}: {one} + {two} + {three} + {four}, {} bytes\n",
        out.display(),
        bytes.len()
    ))?;
    terminal.json(&json!({ "file": out, "runs": model.runs(), "bytes": bytes.len() }))?;
    Ok(Exit::Done)
}
