//! A copy of a data folder, taken while another process may write to it.
//!
//! Segments only grow, and the archive is synced before the journal that tells of it. So the archive is
//! copied, then the journal, then what the archive has grown by since: whatever the copied journal names
//! is there. Indices are not copied, they are made anew from the two when the copy is first opened.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::acknowledged::{self, Acknowledged};
use crate::{Store, StoreError, folder, index};

/// Copied first, in this order; see above.
const IN_ORDER: [&str; 3] = ["warc", "journal", "warc"];
/// Written last: it says how much of the journal counts.
const LAST: &str = acknowledged::NAME;
/// What a copy has of its own, or makes anew.
const NOT_COPIED: [&str; 5] = ["format", "lock", "index", "snapshots", "digests"];
/// What stays in a copy, whatever is in the folder it is a copy of.
const ITS_OWN: [&str; 3] = ["format", "lock", LAST];
/// Ending of a file that is being copied.
const PART: &str = "backup-part";
/// How exactly a file system may keep the moment a file was written: FAT knows every other second.
const MTIME_EXACT: Duration = Duration::from_secs(2);
/// How often a copy is begun again because files went away meanwhile.
const ATTEMPTS: usize = 5;

/// What a backup did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BackedUp {
    /// Files that were copied; the others had been before and are as they were.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of the whole copy.
    pub bytes_in_all: u64,
}

/// Copies a data folder into another one, or brings the copy there up to date; nobody need let go of the
/// store. What is acknowledged before this begins is in the copy. Tells bytes done and bytes in all.
///
/// # Errors
/// [`StoreError::Foreign`] when one of the folders holds other things, [`StoreError::Inside`] when the copy
/// would lie in what it is a copy of.
pub fn backup(from: &Path, to: &Path, progress: impl FnMut(u64, u64)) -> Result<BackedUp, StoreError> {
    match folder::format_of(from)? {
        None => return Err(StoreError::Foreign(from.to_owned())),
        Some(folder::FORMAT) => {}
        // One of an earlier format is brought to this one.
        Some(_) => drop(Store::open(from)?),
    }
    if nearest(to)?.starts_with(nearest(from)?) {
        return Err(StoreError::Inside(to.to_owned()));
    }
    folder::prepare(to)?;
    let _lock = folder::Lock::take(to)?;
    let mut copy = Copy { from, to, done: BackedUp::default(), passed: 0, total: total(from)?, progress };
    for _ in 0..ATTEMPTS {
        if copy.all()? {
            copy.done.bytes_in_all = total(to)?;
            return Ok(copy.done);
        }
    }
    let changing = io::Error::other("its files are replaced again and again");
    Err(StoreError::io(&from.join("journal"), changing))
}

/// The real place of a folder, or of the nearest one above it that is there.
fn nearest(path: &Path) -> Result<PathBuf, StoreError> {
    let absolute = std::path::absolute(path).map_err(|source| StoreError::io(path, source))?;
    let real = absolute.ancestors().find_map(|folder| fs::canonicalize(folder).ok());
    Ok(real.unwrap_or(absolute))
}

/// Bytes of what is copied.
fn total(from: &Path) -> Result<u64, StoreError> {
    let mut sum = 0;
    for name in names(from)?.iter().filter(|name| is_copied(name)) {
        let path = from.join(name);
        sum += if path.is_dir() { folder::tree_size(&path)? } else { length(&path)? };
    }
    Ok(sum)
}

fn is_copied(name: &str) -> bool {
    !NOT_COPIED.contains(&name) && !name.ends_with(PART)
}

fn length(path: &Path) -> Result<u64, StoreError> {
    match fs::metadata(path) {
        Ok(about) => Ok(about.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(StoreError::io(path, error)),
    }
}

/// Names in a folder, sorted; none where there is no folder. One that is no text is nothing of ours.
fn names(folder: &Path) -> Result<BTreeSet<String>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(StoreError::io(folder, error)),
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name().into_string().ok()));
    names
        .filter_map(Result::transpose)
        .collect::<io::Result<_>>()
        .map_err(|source| StoreError::io(folder, source))
}

struct Copy<'f, P> {
    from: &'f Path,
    to: &'f Path,
    done: BackedUp,
    passed: u64,
    total: u64,
    progress: P,
}

impl<P: FnMut(u64, u64)> Copy<'_, P> {
    /// Copies everything; false when segments went away meanwhile, and with them what the journal's copy
    /// may name.
    fn all(&mut self) -> Result<bool, StoreError> {
        self.passed = 0;
        let segments = |from: &Path| {
            let of = |name: &&str| names(&from.join(name)).map(|files| (name.to_string(), files));
            IN_ORDER[..2].iter().map(of).collect::<Result<Vec<_>, _>>()
        };
        let acknowledged = acknowledged::number(self.from)?;
        let before = segments(self.from)?;
        for name in IN_ORDER {
            self.tree(Path::new(name))?;
        }
        let after = segments(self.from)?;
        if before.iter().zip(&after).any(|((_, before), (_, after))| !before.is_subset(after)) {
            return Ok(false);
        }
        for name in names(self.from)?.iter().filter(|name| is_copied(name) && *name != LAST) {
            if !IN_ORDER.contains(&name.as_str()) {
                self.one(Path::new(name))?;
            }
        }
        self.remove_old(Path::new(""))?;
        Acknowledged::open(self.to)?.write(acknowledged)?;
        Ok(true)
    }

    fn one(&mut self, name: &Path) -> Result<(), StoreError> {
        if self.from.join(name).is_dir() { self.tree(name) } else { self.file(name) }
    }

    fn tree(&mut self, name: &Path) -> Result<(), StoreError> {
        let to = self.to.join(name);
        fs::create_dir_all(&to).map_err(|source| StoreError::io(&to, source))?;
        for inner in names(&self.from.join(name))? {
            self.one(&name.join(inner))?;
        }
        Ok(())
    }

    /// Copies a file unless its copy is as long and of the same moment. It is in its place whole or not at all.
    fn file(&mut self, name: &Path) -> Result<(), StoreError> {
        let (from, to) = (self.from.join(name), self.to.join(name));
        let begun = SystemTime::now();
        let about = match fs::metadata(&from) {
            Ok(about) => about,
            // Whoever writes there has removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(StoreError::io(&from, error)),
        };
        // Not every file system keeps moments as exactly as ours.
        let near = |one: SystemTime, other: SystemTime| {
            one.duration_since(other)
                .or_else(|_| other.duration_since(one))
                .is_ok_and(|apart| apart < MTIME_EXACT)
        };
        let same = |copy: fs::Metadata| {
            copy.len() == about.len()
                && copy.modified().is_ok_and(|at| about.modified().is_ok_and(|own| near(at, own)))
        };
        if !fs::metadata(&to).is_ok_and(same) {
            let part = part_of(&to);
            let copied = fs::copy(&from, &part).and_then(|bytes| {
                let file = File::options().write(true).open(&part)?;
                let at = about.modified()?;
                // One that may have been written again within that time without being seen to be is copied again.
                let settled = begun.duration_since(at).is_ok_and(|since| since >= MTIME_EXACT);
                file.set_modified(if settled { at } else { SystemTime::UNIX_EPOCH })?;
                file.sync_all()?;
                fs::rename(&part, &to)?;
                Ok(bytes)
            });
            match copied {
                Ok(bytes) => {
                    self.done.files += 1;
                    self.done.bytes += bytes;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound && !from.exists() => return Ok(()),
                Err(error) => return Err(StoreError::io(&to, error)),
            }
        }
        self.passed = (self.passed + about.len()).min(self.total);
        (self.progress)(self.passed, self.total);
        Ok(())
    }

    /// Removes what is not there any more, and indices that were made of an older copy.
    fn remove_old(&self, name: &Path) -> Result<(), StoreError> {
        let from = names(&self.from.join(name))?;
        let top = name.as_os_str().is_empty();
        for inner in names(&self.to.join(name))? {
            let inner_name = name.join(&inner);
            let path = self.to.join(&inner_name);
            if top && ITS_OWN.contains(&inner.as_str()) {
                continue;
            } else if !from.contains(&inner) || top && !is_copied(&inner) {
                index::remove(&path)?;
            } else if path.is_dir() {
                self.remove_old(&inner_name)?;
            }
        }
        Ok(())
    }
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(PART);
    name.into()
}
