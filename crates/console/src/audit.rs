//! Every change through the console, one JSON document a line: who, from where, what.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Mutex;

use jiff::Timestamp;
use serde_json::json;

pub(crate) struct Audit {
    path: PathBuf,
    writing: Mutex<()>,
}

impl Audit {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, writing: Mutex::new(()) }
    }

    /// Writes a line. A change is not refused because it cannot be written down; the log tells.
    pub(crate) fn note(&self, who: &str, from: IpAddr, action: &str, about: &str, result: &str) {
        let line = json!({
            "at": Timestamp::now(),
            "who": who,
            "from": from,
            "action": action,
            "about": about,
            "result": result,
        });
        let guard = self.writing.lock();
        let write = || {
            let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            file.write_all(format!("{line}\n").as_bytes())
        };
        if let Err(error) = write() {
            tracing::error!(%error, path = %self.path.display(), "the audit log cannot be written");
        }
        drop(guard);
    }
}
