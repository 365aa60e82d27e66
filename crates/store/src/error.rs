//! What can go wrong with a store, and how to mend it.

use std::io;
use std::path::{Path, PathBuf};

/// Why the store cannot do what was asked. Nothing acknowledged is lost by any of these.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused; the disk may be full.
    #[error("{}: {source}{}", path.display(), hint(source))]
    Io {
        /// File or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Little room is left on the disk.
    #[error(
        "only {free} MiB are free on the disk of {}, and {min} are left free (`store.free_bytes_min`); make room on the disk, or let old \
         versions of pages go (`store.versions_max`, then `xunjian store compact`), and run again; nothing stored is lost",
        path.display()
    )]
    Full {
        /// Data folder.
        path: PathBuf,
        /// Free MiB.
        free: u64,
        /// MiB that are left free.
        min: u64,
    },
    /// Another process has the store open.
    #[error("the store in {} is in use by another xunjian process{process}; wait for it or stop it; while `xunjian serve` runs, its console does the same", path.display())]
    InUse {
        /// Folder.
        path: PathBuf,
        /// Its number with a space before it; empty when it is not known.
        process: String,
    },
    /// The folder holds other things.
    #[error("{} is not a xunjian data folder and not empty; choose another folder with `data` or --data", .0.display())]
    Foreign(PathBuf),
    /// A copy would lie in what it is a copy of.
    #[error("{} lies in the data folder itself; choose a folder elsewhere, best on another disk", .0.display())]
    Inside(PathBuf),
    /// The folder was written by another version.
    #[error("{} has store format {found}, this program reads {known}; use the program version that wrote it", path.display())]
    Format {
        /// Folder.
        path: PathBuf,
        /// Format in the folder.
        found: String,
        /// Format of this program.
        known: u32,
    },
    /// The index cannot be read, or the journal it is made anew from.
    #[error("{} is damaged ({reason}); run `xunjian store rebuild`, which saves what journal and archive hold", path.display())]
    Damaged {
        /// Folder of the index.
        path: PathBuf,
        /// What the index said.
        reason: String,
    },
    /// Whoever is told of each batch did not take it.
    #[error("{0}")]
    Untold(String),
    /// One record cannot be read.
    #[error("record {key:?} cannot be read: {reason}")]
    Record {
        /// Key.
        key: String,
        /// Reason.
        reason: String,
    },
}

impl StoreError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn index(error: sled::Error) -> Self {
        let path = PathBuf::from("index");
        match error {
            sled::Error::Io(source) => Self::Io { path, source },
            other => Self::Damaged { path, reason: other.to_string() },
        }
    }
}

fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull => "; free space on the disk and run again, nothing stored is lost",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; make the folder writable for this user"
        }
        _ => "",
    }
}
