//! Finding and starting Chromium, with two pipes to talk through.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::connection::Connection;
use crate::{Browser, RenderError, RenderLimits};

/// Names the browser has on the systems of the field.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
/// The browser reads commands from descriptor 3 and answers on 4; its own words go nowhere.
const PIPES: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;

/// Longest path under which the browser's socket finds room: an address of a socket has 108 bytes at most (unix(7)).
const SOCKET_FOLDER_BYTES_MAX: usize = 60;

/// Removes the profile when the other end of its input is closed, also by a kill. A browser's own
/// processes may write into the profile for a moment after the browser is gone. What stops this program, as
/// Ctrl-C does, is sent to its children, too, and must not stop the cleaning.
const CLEANING: &str = r#"trap '' HUP INT TERM; read _; for _ in 1 2 3; do sleep 1; rm -rf "$0"; done"#;

/// The first browser in the search path.
pub fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    NAMES.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()))
}

pub(crate) async fn start(
    program: &Path,
    sandbox: bool,
    limits: RenderLimits,
) -> Result<Browser, RenderError> {
    let failed = |error: std::io::Error| RenderError::Start(format!("{}: {error}", program.display()));
    let profile = tempfile::Builder::new().prefix("xunjian-browser-").tempdir().map_err(failed)?;
    let profile = profile.keep();
    let mut cleaner = Command::new("/bin/sh");
    cleaner.args(["-c", CLEANING]).arg(&profile).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut cleaner = cleaner.stderr(Stdio::null()).spawn().map_err(failed)?;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", PIPES]).arg(program).args(arguments(sandbox, &limits));
    command.arg(format!("--user-data-dir={}", profile.display()));
    // The browser makes a folder for a socket there, and leaves it when it is killed.
    if profile.as_os_str().len() <= SOCKET_FOLDER_BYTES_MAX {
        command.env("TMPDIR", &profile);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut process = command.spawn().map_err(failed)?;
    let pipes = process.stdin.take().zip(process.stdout.take());
    let (to, from) = pipes.ok_or_else(|| RenderError::Start("it has no pipes".to_owned()))?;
    // A document is sent as JSON, where a character may take six bytes.
    let message_bytes_max = limits.document_bytes_max.saturating_mul(6);
    let connection = Connection::new(to, from, message_bytes_max, limits.timeout);
    let browser = Browser { connection, limits, _process: process, _profile: cleaner.stdin.take() };
    let started = browser.connection.call(None, "Browser.getVersion", serde_json::json!({})).await;
    let version = started.map_err(|error| RenderError::Start(format!("{}: {error}", program.display())))?;
    tracing::debug!(product = %version["product"], "browser started");
    let nothing = serde_json::json!({ "behavior": "deny" });
    browser.connection.call(None, "Browser.setDownloadBehavior", nothing).await?;
    Ok(browser)
}

fn arguments(sandbox: bool, limits: &RenderLimits) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "--headless=new",
        "--remote-debugging-pipe",
        // No way out: no name resolves, and the only proxy is a port nobody listens at.
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--proxy-server=http://127.0.0.1:9",
        "--proxy-bypass-list=<-loopback>",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--blink-settings=imagesEnabled=false",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-dev-shm-usage",
        "--disable-domain-reliability",
        "--disable-extensions",
        "--disable-features=Translate,MediaRouter,OptimizationHints",
        "--disable-gpu",
        "--disable-sync",
        "--metrics-recording-only",
        "--mute-audio",
        "--no-first-run",
        "--no-service-autorun",
        "--password-store=basic",
        "--renderer-process-limit=2",
    ]
    .map(str::to_owned)
    .into();
    arguments.push(format!("--js-flags=--max-old-space-size={}", limits.script_memory_mb));
    if !sandbox {
        arguments.push("--no-sandbox".to_owned());
    }
    arguments
}
