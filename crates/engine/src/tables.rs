//! The tables of accounts that the settings name: the ledger, and posts. Each run takes what is new in them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xunjian_store::{Space, StoreError};

use crate::Engine;

const TABLE: &[u8] = b"table";

/// A table of posts as it was looked at last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostsTable {
    /// When it had been written, in microseconds since 1970.
    written: i64,
    /// Why it could not be taken; empty: it was.
    pub fault: String,
}

/// When a file was last written; now, where that is not known.
pub fn written(path: &Path) -> Timestamp {
    let modified = std::fs::metadata(path).and_then(|file| file.modified()).ok();
    modified.and_then(|at| at.try_into().ok()).unwrap_or_else(Timestamp::now)
}

impl Engine {
    /// Takes the ledger and the tables of posts of the settings. A table that was taken is taken again once it was
    /// written anew; one that is at fault is tried again each time, and the others are taken all the same.
    pub fn take_tables(&self) -> Result<(), StoreError> {
        self.take_ledger()?;
        let tables = &self.settings().posts;
        let mut known: HashSet<String> = self.posts_tables()?.into_iter().map(|(path, _)| path).collect();
        let mut tables: Vec<(Timestamp, &PathBuf)> =
            tables.iter().map(|path| (written(path), path)).collect();
        // Of the same post the one that was written last is true.
        tables.sort();
        for (written, path) in tables {
            let name = path.display().to_string();
            known.remove(&name);
            let key = [TABLE, name.as_bytes()];
            let before: Option<PostsTable> = self.store().get(Space::Media, &key)?;
            let at = written.as_microsecond();
            if before.as_ref().is_some_and(|before| before.written == at && before.fault.is_empty()) {
                continue;
            }
            let fault = match self.take_table(path, written) {
                Ok(()) => String::new(),
                Err(Untaken::Store(error)) => return Err(error),
                Err(Untaken::Fault(reason)) => reason,
            };
            let now = PostsTable { written: at, fault };
            if before.as_ref() != Some(&now) {
                let mut batch = self.store().begin();
                batch.put(Space::Media, &key, &now)?;
                batch.commit()?;
            }
        }
        let mut batch = self.store().begin();
        for gone in &known {
            batch.delete(Space::Media, &[TABLE, gone.as_bytes()]);
        }
        batch.commit()
    }

    /// The tables of posts that were looked at, by path.
    pub fn posts_tables(&self) -> Result<Vec<(String, PostsTable)>, StoreError> {
        self.store().scan(Space::Media, &[TABLE, b""]).collect()
    }

    fn take_table(&self, path: &Path, written: Timestamp) -> Result<(), Untaken> {
        let bytes = std::fs::read(path).map_err(|error| Untaken::Fault(error.to_string()))?;
        let posts =
            xunjian_media::read_posts(path, &bytes).map_err(|error| Untaken::Fault(error.to_string()))?;
        match self.import_posts(posts, written) {
            Ok(_) => Ok(()),
            Err(crate::CaseError::Store(error)) => Err(Untaken::Store(error)),
            Err(error) => Err(Untaken::Fault(error.to_string())),
        }
    }
}

/// Why a table was not taken.
enum Untaken {
    Store(StoreError),
    Fault(String),
}
