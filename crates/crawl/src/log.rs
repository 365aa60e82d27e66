//! The crawl's log: one line for every address that was asked or left out.
//!
//! `time status bytes ms type target depth url`, plain text, one file a run, so that a person can
//! search it with the tools at hand.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::now;

/// Logs of the newest runs that are kept.
const KEPT: usize = 14;

/// The log of one run; writing to it never stops a crawl.
pub struct CrawlLog(Option<BufWriter<File>>);

impl CrawlLog {
    /// Opens the log of a run in a data folder, at its end, and removes the oldest ones.
    pub fn open(folder: &Path, run: u32) -> Self {
        let folder = folder.join("log");
        let open = || -> std::io::Result<File> {
            fs::create_dir_all(&folder)?;
            let path = folder.join(format!("crawl-{run:06}.log"));
            let file = File::options().create(true).append(true).open(path)?;
            let mut logs: Vec<PathBuf> =
                fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
            logs.sort();
            for old in logs.iter().rev().skip(KEPT) {
                fs::remove_file(old)?;
            }
            Ok(file)
        };
        match open() {
            Ok(file) => Self(Some(BufWriter::new(file))),
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "the crawl is not logged");
                Self(None)
            }
        }
    }

    /// Adds lines, each of which begins with the status.
    pub fn write(&mut self, lines: &[String]) {
        let Some(file) = &mut self.0 else { return };
        let at = now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let written =
            lines.iter().try_for_each(|line| writeln!(file, "{at} {line}")).and_then(|()| file.flush());
        if let Err(error) = written {
            tracing::warn!(%error, "the crawl is not logged any more");
            self.0 = None;
        }
    }
}
