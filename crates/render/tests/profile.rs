//! What a browser leaves on the disk: nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use xunjian_render::{Browser, RenderLimits};

/// Profiles in the folder for temporary files, and whatever a browser puts there besides.
fn leavings() -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(std::env::temp_dir()).expect("temporary folder");
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let left = |path: &PathBuf| {
        path.file_name().is_some_and(|name| {
            let name = name.as_encoded_bytes();
            name.starts_with(b"xunjian-browser-") || name.starts_with(b"org.chromium.")
        })
    };
    paths.filter(left).collect()
}

/// Processes that will remove a profile.
fn cleaners(profile: &Path) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    let cleans = |process: &std::fs::DirEntry| {
        let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let parts: Vec<&[u8]> = command.split(|byte| *byte == 0).collect();
        parts.first() == Some(&b"/bin/sh".as_slice())
            && parts.contains(&profile.as_os_str().as_encoded_bytes())
    };
    processes.filter(cleans).map(|process| process.file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn the_profile_goes_with_the_browser() {
    let before = leavings();
    let program = xunjian_render::find().expect("Chromium in the search path");
    let browser = Browser::start(&program, false, RenderLimits::default()).await.expect("browser");
    let own: Vec<PathBuf> = leavings().difference(&before).cloned().collect();
    assert_eq!(own.len(), 1, "the profile alone: {own:?}");
    // What stops a program is sent to all its children; it does not stop the one that cleans.
    let cleaners = own.iter().flat_map(|path| cleaners(path)).collect::<Vec<_>>();
    assert!(!cleaners.is_empty());
    for signal in ["-INT", "-TERM"] {
        let sent = std::process::Command::new("/bin/kill").arg(signal).args(&cleaners).status();
        assert!(sent.expect("kill").success());
    }
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
