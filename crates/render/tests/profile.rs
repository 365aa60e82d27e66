//! What a browser leaves on the disk: nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use xunjian_render::{Browser, RenderLimits};

fn profiles() -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(std::env::temp_dir()).expect("temporary folder");
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    paths
        .filter(|path| {
            path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"xunjian-browser-"))
        })
        .collect()
}

#[tokio::test]
async fn the_profile_goes_with_the_browser() {
    let before = profiles();
    let program = xunjian_render::find().expect("Chromium in the search path");
    let browser = Browser::start(&program, false, RenderLimits::default()).await.expect("browser");
    let own: Vec<PathBuf> = profiles().difference(&before).cloned().collect();
    assert!(!own.is_empty());
    drop(browser);
    let begun = Instant::now();
    while own.iter().any(|path| path.exists()) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{own:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Nothing of the browser lives on and writes it once more.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!own.iter().any(|path| path.exists()), "{own:?}");
}
