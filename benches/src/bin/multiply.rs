//! Makes a kept night as large as one likes: every address of every site once more under further addresses,
//! with its snapshots and what the scan made of its page, and a body's place for each. For figures of scan
//! and judge that no crawl has to come before.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use xunjian_store::Space;

/// Addresses between two flushes.
const AT_ONCE: usize = 8_192;

/// Multiplies the addresses of a data folder, in place.
#[derive(Parser)]
struct Args {
    /// Data folder; nothing else may use it
    data: PathBuf,
    /// Further addresses for each
    #[arg(long, default_value_t = 1)]
    copies: usize,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut made = 0_usize;
    for (name, space) in [("index", Space::Url), ("snapshots", Space::Snapshot), ("snapshots", Space::Body)] {
        let index = sled::open(args.data.join(name)).context("an index")?;
        made += multiply(&index, &[space as u8], args.copies, |key, copy| copied(space, key, copy))?;
    }
    for site in std::fs::read_dir(args.data.join("digests")).context("the digests")? {
        let index = sled::open(site?.path())?;
        made += multiply(&index, b"http", args.copies, |url, copy| another(url, url.len(), copy))?;
    }
    writeln!(std::io::stdout(), "{made} records made")?;
    Ok(())
}

/// Repeats the values under a beginning; answers how many were made.
fn multiply(
    index: &sled::Db,
    prefix: &[u8],
    copies: usize,
    other: impl Fn(&[u8], usize) -> Option<Vec<u8>>,
) -> anyhow::Result<usize> {
    let mut made = 0_usize;
    // Copies are made while one reads, and must not be copied again.
    for row in index.scan_prefix(prefix) {
        let (key, value) = row?;
        for copy in 0..copies {
            let Some(other) = other(&key, copy) else { break };
            index.insert(other, &value)?;
            made += 1;
            if made.is_multiple_of(AT_ONCE) {
                index.flush()?;
                // sled frees what it replaced with each look only, and a little.
                (0..128).for_each(|_| crossbeam_epoch::pin().flush());
            }
        }
    }
    index.flush()?;
    Ok(made)
}

/// Key of a copy; `None` for what is a copy itself, or of no site.
fn copied(space: Space, key: &[u8], copy: usize) -> Option<Vec<u8>> {
    match space {
        Space::Url if key.get(1) == Some(&0) => None,
        Space::Url => another(key, key.len(), copy),
        // Eight bytes of time and a zero stand behind the address.
        Space::Snapshot => another(key, key.len().checked_sub(9)?, copy),
        // Another hash, with an end that no other has.
        _ if key.len() != HASH_KEY || key.ends_with(&COPY) => None,
        _ => {
            let first = key[1].wrapping_add(u8::try_from(copy).ok()?);
            Some([&key[..1], &[first], &key[2..HASH_KEY - COPY.len()], &COPY].concat())
        }
    }
}

/// Bytes of a body's key: its space and a hash.
const HASH_KEY: usize = 33;
/// Ends the hash of a copy.
const COPY: [u8; 4] = *b"copy";

/// A key whose address, which ends at a byte, is another.
fn another(key: &[u8], end: usize, copy: usize) -> Option<Vec<u8>> {
    let url = std::str::from_utf8(&key[..end]).ok()?;
    if url.contains("copy=") {
        return None;
    }
    let sign = if url.contains('?') { '&' } else { '?' };
    Some([format!("{url}{sign}copy={copy}").as_bytes(), &key[end..]].concat())
}
