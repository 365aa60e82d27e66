//! The log of what changed: one entry a change, in order, written with the change itself, so that
//! neither can be without the other. Whoever tells others of changes keeps a place in it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xunjian_model::{Case, Finding, FindingId, FindingState, Ruling, SiteId, Verdict};
use xunjian_store::{Batch, Space, Store, StoreError};

use crate::run;

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It was not known.
    New,
    /// It is there as before, but more or less severe, or with other words.
    Changed,
    /// It had gone and is there again.
    Relapsed,
    /// It is gone.
    Mended,
}

impl Change {
    /// Every change.
    pub const ALL: [Self; 4] = [Self::New, Self::Changed, Self::Relapsed, Self::Mended];

    /// The word in configuration and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Relapsed => "relapsed",
            Self::Mended => "mended",
        }
    }

    /// The Chinese word.
    pub fn zh(self) -> &'static str {
        match self {
            Self::New => "新增",
            Self::Changed => "变化",
            Self::Relapsed => "反弹",
            Self::Mended => "已整改",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no change.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no change: use new, changed, relapsed or mended")]
pub struct UnknownChange(String);

impl FromStr for Change {
    type Err = UnknownChange;
    fn from_str(text: &str) -> Result<Self, UnknownChange> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or_else(|| UnknownChange(text.to_owned()))
    }
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// A finding changed.
    Finding {
        /// When.
        at: Timestamp,
        /// How.
        change: Change,
        /// Site.
        site: SiteId,
        /// Which one.
        id: FindingId,
    },
    /// A night, or another look at some findings, is over.
    End {
        /// When it began.
        at: Timestamp,
        /// Number of the run.
        run: u32,
    },
    /// A night ended before its time.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
}

impl Entry {
    /// When it happened; of a night that is over, when it began.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Finding { at, .. } | Self::End { at, .. } | Self::Failed { at, .. } => *at,
        }
    }
}

const NEXT: &[&[u8]] = &[b"next"];
/// Days that entries are kept.
const KEPT_DAYS: i64 = 90;

fn key(number: u64) -> [u8; 11] {
    let mut key = *b"log\0\0\0\0\0\0\0\0";
    key[3..].copy_from_slice(&number.to_be_bytes());
    key
}

/// Where the log's next entry will stand.
pub fn next_change(store: &Store) -> Result<u64, StoreError> {
    Ok(store.get(Space::Change, NEXT)?.unwrap_or(0))
}

/// The first entry that stands at a place or after it, with its place.
pub fn change_at(store: &Store, from: u64) -> Result<Option<(u64, Entry)>, StoreError> {
    let Some(found) = store.key_from(Space::Change, &key(from))? else { return Ok(None) };
    let Some(number) = found.strip_prefix(b"log").and_then(|rest| rest.try_into().ok()) else {
        return Ok(None);
    };
    let entry: Option<Entry> = store.get(Space::Change, &[&found])?;
    Ok(entry.map(|entry| (u64::from_be_bytes(number), entry)))
}

/// Adds entries to a batch; the batch holds the store's lock, so that no two get one place.
pub(crate) struct Writer {
    next: u64,
    begun: u64,
}

impl Writer {
    pub(crate) fn new(store: &Store) -> Result<Self, StoreError> {
        let next = next_change(store)?;
        Ok(Self { next, begun: next })
    }

    pub(crate) fn add(&mut self, batch: &mut Batch<'_>, entry: &Entry) -> Result<(), StoreError> {
        batch.put(Space::Change, &[&key(self.next)], entry)?;
        self.next += 1;
        Ok(())
    }

    pub(crate) fn end(self, batch: &mut Batch<'_>) -> Result<(), StoreError> {
        if self.next > self.begun {
            batch.put(Space::Change, NEXT, &self.next)?;
        }
        Ok(())
    }
}

/// Says that a look is over, once; forgets entries that are old.
pub(crate) fn end_look(store: &Store, at: Timestamp, run: u32) -> Result<(), StoreError> {
    let mut batch = store.begin();
    let mut writer = Writer::new(store)?;
    let last = match writer.next.checked_sub(1) {
        Some(last) => change_at(store, last)?.map(|(_, entry)| entry),
        None => None,
    };
    let end = Entry::End { at, run };
    if last.as_ref() != Some(&end) {
        writer.add(&mut batch, &end)?;
    }
    let oldest = at - jiff::SignedDuration::from_hours(24 * KEPT_DAYS);
    let mut from = 0;
    while let Some((number, entry)) = change_at(store, from)? {
        if entry.at() >= oldest {
            break;
        }
        batch.delete(Space::Change, &[&key(number)]);
        from = number + 1;
    }
    writer.end(&mut batch)?;
    batch.commit()
}

/// Says that a night ended before its time.
pub(crate) fn end_badly(store: &Store, reason: &str) -> Result<(), StoreError> {
    let mut batch = store.begin();
    let mut writer = Writer::new(store)?;
    let at = xunjian_model::kept_moment(Timestamp::now());
    writer.add(&mut batch, &Entry::Failed { at, reason: reason.to_owned() })?;
    writer.end(&mut batch)?;
    batch.commit()
}

/// A kept finding.
pub fn finding(store: &Store, site: &SiteId, id: &FindingId) -> Result<Option<Finding>, StoreError> {
    store.get(Space::Finding, &[site.as_str().as_bytes(), id.as_str().as_bytes()])
}

/// All kept findings of a site that are there and that nobody dismissed, one after the other.
pub fn current_findings(
    store: &Arc<Store>,
    site: &SiteId,
) -> impl Iterator<Item = Result<Finding, StoreError>> + use<> {
    let rows = store.scan::<Finding>(Space::Finding, &[site.as_str().as_bytes(), b""]);
    let (store, site) = (Arc::clone(store), site.clone());
    rows.filter_map(move |row| {
        let there = |(id, finding): (String, Finding)| {
            let case = store.get::<Case>(Space::Case, &[site.as_str().as_bytes(), id.as_bytes()])?;
            let dismissed = case.is_some_and(|case| case.ruling() == Some(Ruling::Dismissed));
            Ok((finding.state != FindingState::Gone && !dismissed).then_some(finding))
        };
        row.and_then(there).transpose()
    })
}

/// How a site stood after a run.
pub fn verdict(store: &Store, run: u32, site: &SiteId) -> Result<Option<Verdict>, StoreError> {
    let key = run::key(b"verdict", run, site);
    store.get(Space::Run, &key.each_ref().map(Vec::as_slice))
}
