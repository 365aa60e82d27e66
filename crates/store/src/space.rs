//! Key spaces of the index: one byte in front, parts separated by a zero byte.

use crate::snapshots;

/// What a key is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// Owner, address → what is known of it.
    Url = b'U' as isize,
    /// Address, time → snapshot.
    Snapshot = b'S' as isize,
    /// Hash → place of the body.
    Body = b'B' as isize,
    /// The frontier's queue.
    Queue = b'Q' as isize,
    /// The same for pages that people want looked at again, which does not wait for a night's.
    Again = b'G' as isize,
    /// Host → what is known of it.
    Host = b'H' as isize,
    /// Site, id → a finding's life.
    Finding = b'D' as isize,
    /// Runs and their state.
    Run = b'R' as isize,
    /// Site → what was learnt of it.
    Site = b'L' as isize,
    /// Site, id → what people did about a finding, and its life.
    Case = b'C' as isize,
    /// Site, indicator → what people judged.
    Assessment = b'J' as isize,
    /// Site, time → a visit of the availability monitor.
    Probe = b'W' as isize,
    /// New-media accounts and their posts.
    Media = b'A' as isize,
    /// Site, id → the finding is on its way to being mended.
    Rectification = b'K' as isize,
    /// The log of what changed.
    Change = b'E' as isize,
    /// How far each sink of alerts is, and what it could not be told.
    Alert = b'O' as isize,
    /// Everything about the store itself.
    Meta = b'M' as isize,
}

impl Space {
    /// A key of parts. No part but the last may hold a zero byte; site ids and addresses cannot.
    pub fn key(self, parts: &[&[u8]]) -> Vec<u8> {
        let mut key = vec![self as u8];
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                key.push(0);
            }
            key.extend_from_slice(part);
        }
        key
    }

    /// The space of a key, and the rest of it; `None`: it is of no space that a crawl writes.
    pub fn of(key: &[u8]) -> Option<(Self, &[u8])> {
        let (letter, rest) = key.split_first()?;
        let all = [Self::Url, Self::Snapshot, Self::Queue, Self::Host, Self::Site, Self::Run];
        Some((all.into_iter().find(|space| *space as u8 == *letter)?, rest))
    }

    /// Whether writes of a key also go to the journal. What can be made anew does not: the queue comes from
    /// the run that was interrupted.
    pub(crate) fn journals(key: &[u8]) -> bool {
        [Self::Queue, Self::Again, Self::Meta].iter().all(|space| key.first() != Some(&(*space as u8)))
    }

    /// Whether a key stands in the main index: neither in that of the snapshots, nor among the digests that
    /// earlier versions kept there under a letter of their own.
    pub(crate) fn is_in_main(key: &[u8]) -> bool {
        !snapshots::holds(key) && key.first() != Some(&b'P')
    }
}
