//! Writes the text of every page of a scanned data folder into a folder, for programs that search files.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use xunjian_model::{PageUrl, SiteId};
use xunjian_store::Store;

/// Writes what the pages of a data folder say, one file a site, one block of text a line.
#[derive(Parser)]
struct Args {
    /// Data folder
    data: PathBuf,
    /// Folder for the texts
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let store = Store::open(&args.data)?;
    fs::create_dir_all(&args.out)?;
    let mut bytes = 0;
    for folder in fs::read_dir(args.data.join("digests")).context("a scanned data folder")? {
        let name = folder?.file_name().to_string_lossy().into_owned();
        let Ok(site) = SiteId::new(&name) else { continue };
        let mut out = BufWriter::new(File::create(args.out.join(format!("{name}.txt")))?);
        for row in store.urls(Some(&site)) {
            let (url, record) = row?;
            let Some((hash, _)) = record.shown() else { continue };
            let (Some(body), Ok(url)) = (store.body(&hash)?, PageUrl::parse(&url)) else { continue };
            let media_type = record.shown_media_type();
            let facts = xunjian_page::extract_any(&body, media_type, &url, xunjian_page::Limits::default());
            for block in &facts.blocks {
                writeln!(out, "{}", block.text.replace('\n', " "))?;
                bytes += block.text.len();
            }
        }
    }
    writeln!(std::io::stdout(), "{bytes} bytes of text")?;
    Ok(())
}
