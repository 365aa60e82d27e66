//! `xunjian dict check`: every faulty line with its reason.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;
use xunjian_dict::LoadError;

use crate::args::Common;
use crate::terminal::Terminal;
use crate::{Exit, config};

pub(crate) fn check(common: &Common, terminal: Terminal, files: &[PathBuf]) -> anyhow::Result<Exit> {
    let mut documents = Vec::new();
    let mut faulty = false;
    if files.is_empty() {
        // The configuration itself reads the dictionaries; its mistakes name their lines.
        for dictionary in config::load(&common.config)?.dictionaries {
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
            }
            Err(LoadError::Faults { path, faults }) => {
                faulty = true;
                for fault in &faults {
                    terminal.print(&format!("{}:{}: {}\n", path.display(), fault.line, fault.reason))?;
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
    terminal.json(&json!({ "dictionaries": documents }))?;
    Ok(if faulty { Exit::Usage } else { Exit::Done })
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
