//! `[render]`: the browser for pages whose list a script fills.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Duration;

use xunjian_crawl::RenderSetup;

use super::at_least;
use super::reader::{Source, Table};

/// Use a browser if there is one.
const AUTO: &str = "auto";
/// Use none.
const OFF: &str = "off";

pub(super) fn render(table: &mut Table<'_, '_>, source: &mut Source<'_>) -> Option<RenderSetup> {
    let browser: String = table.get(source, "browser").unwrap_or_else(|| AUTO.to_owned());
    let at = table.value("browser").map_or(0, |value| value.span().start);
    let sandbox: bool = table.get(source, "sandbox").unwrap_or(true);
    let mut setup = RenderSetup {
        program: PathBuf::new(),
        sandbox,
        posts: true,
        pages_max: 200,
        tabs: 2,
        pictures_max: 100,
        limits: xunjian_render::RenderLimits::default(),
    };
    table.set(source, "posts", &mut setup.posts);
    table.set(source, "pages_max", &mut setup.pages_max);
    table.set(source, "tabs", &mut setup.tabs);
    table.set(source, "pictures_max", &mut setup.pictures_max);
    at_least(table, source, "tabs", setup.tabs > 0, "1 or more");
    table.set::<Duration>(source, "timeout_s", &mut setup.limits.timeout);
    at_least(table, source, "timeout_s", !setup.limits.timeout.is_zero(), "more than 0");
    table.set(source, "requests_max", &mut setup.limits.requests_max);
    table.set(source, "document_bytes_max", &mut setup.limits.document_bytes_max);
    table.set(source, "script_memory_mb", &mut setup.limits.script_memory_mb);
    setup.program = match browser.as_str() {
        OFF => return None,
        // The sandbox cannot be set up for the superuser, and without it nobody was asked.
        AUTO if sandbox && is_root() => return None,
        AUTO => xunjian_render::find()?,
        file => PathBuf::from(file),
    };
    if !setup.program.is_file() {
        let mend = "write \"auto\", \"off\" or the path of Chromium";
        source.fault(at, format!("`render.browser`: there is no {}; {mend}", setup.program.display()));
    } else if sandbox && is_root() {
        let mend = "run as another user, or set `render.sandbox = false`, which lets a page that breaks \
                    out of the browser do what this user may do";
        source.fault(at, format!("`render.browser`: the browser's sandbox does not work for root; {mend}"));
    }
    Some(setup)
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
