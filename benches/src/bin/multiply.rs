//! Makes a kept night as large as one likes: every address of every site once more under further addresses,
//! with what the scan made of its page. For figures of scan and judge that no crawl has to come before.

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
    let index = sled::open(args.data.join("index")).context("the index")?;
    let mut made = 0_usize;
    for space in [Space::Url, Space::Digest] {
        // Copies are made while one reads, and must not be copied again.
        for row in index.scan_prefix([space as u8]) {
            let (key, value) = row?;
            let parts: Vec<&[u8]> = key[1..].splitn(2, |byte| *byte == 0).collect();
            let [owner, url] = parts[..] else { continue };
            let url = std::str::from_utf8(url)?;
            if owner.is_empty() || url.contains("copy=") {
                continue;
            }
            for copy in 0..args.copies {
                let sign = if url.contains('?') { '&' } else { '?' };
                let other = format!("{url}{sign}copy={copy}");
                index.insert(space.key(&[owner, other.as_bytes()]), &value)?;
                made += 1;
                if made.is_multiple_of(AT_ONCE) {
                    index.flush()?;
                }
            }
        }
    }
    index.flush()?;
    writeln!(std::io::stdout(), "{made} records made")?;
    Ok(())
}
