//! New-media accounts: the ledger as offices keep it, and what accounts post.
//!
//! Platforms offer no open interface, so everything comes from a table, a feed or a public list page.
//! Pure: bytes in, accounts and posts out, every mistake with its line.

mod feed;
mod ledger;
mod posts;

pub use feed::{FeedError, read_feed};
pub use ledger::{COLUMNS, read_ledger};
pub use posts::{Posted, read_posts};

use std::path::PathBuf;

/// A table that cannot be used, with every mistake in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", text(path, faults))]
pub struct TableError {
    /// File.
    pub path: PathBuf,
    /// Lines, from 1, and what is wrong with them.
    pub faults: Vec<(usize, String)>,
}

fn text(path: &std::path::Path, faults: &[(usize, String)]) -> String {
    let lines: Vec<String> =
        faults.iter().map(|(line, reason)| format!("{}:{line}: {reason}", path.display())).collect();
    lines.join("\n")
}
