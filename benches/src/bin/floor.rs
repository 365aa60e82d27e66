//! The floor under a crawler that reads and keeps pages: each address is fetched with bare hyper,
//! its markup goes through html5ever's tokenizer into nothing and through zstd level 3, and all is
//! dropped. Prints pages and CPU seconds.

use std::cell::Cell;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use anyhow::Context as _;
use bytes::Bytes;
use clap::Parser;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

#[derive(Parser)]
struct Args {
    /// Addresses, one a line
    urls: PathBuf,
    /// Requests at once
    #[arg(long, default_value_t = 8)]
    connections: usize,
}

/// Takes tokens and keeps nothing.
struct Nothing(Cell<u64>);

impl TokenSink for Nothing {
    type Handle = ();
    fn process_token(&self, _: Token, _: u64) -> TokenSinkResult<()> {
        self.0.set(self.0.get() + 1);
        TokenSinkResult::Continue
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let urls = std::fs::read_to_string(&args.urls).with_context(|| args.urls.display().to_string())?;
    let urls: Arc<Vec<hyper::Uri>> = Arc::new(urls.lines().map(str::parse).collect::<Result<_, _>>()?);
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let next = Arc::new(AtomicUsize::new(0));
    let bytes = Arc::new(AtomicU64::new(0));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..args.connections {
        let (client, urls) = (client.clone(), Arc::clone(&urls));
        let (next, bytes) = (Arc::clone(&next), Arc::clone(&bytes));
        workers.spawn(async move {
            let mut compressor = zstd::bulk::Compressor::new(3)?;
            while let Some(url) = urls.get(next.fetch_add(1, Ordering::Relaxed)) {
                let body = client.get(url.clone()).await?.into_body().collect().await?.to_bytes();
                let input = BufferQueue::default();
                input.push_back(StrTendril::from_slice(&String::from_utf8_lossy(&body)));
                let tokenizer = Tokenizer::new(Nothing(Cell::new(0)), TokenizerOpts::default());
                let _ = tokenizer.feed(&input);
                tokenizer.end();
                bytes.fetch_add(compressor.compress(&body)?.len() as u64, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} pages, {} bytes packed", urls.len(), bytes.load(Ordering::Relaxed))?;
    Ok(())
}
