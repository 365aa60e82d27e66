//! Events of a crawl as lines of JSON, for `--json`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::json;
use xunjian_crawl::Progress;

use crate::terminal::Terminal;

/// Time between two events of progress.
const EVERY: Duration = Duration::from_secs(5);

/// Says what changed.
pub(crate) struct Events {
    terminal: Terminal,
    begun: Instant,
    said: Instant,
    /// Whether each host was blocked, or given up, when it was last looked at.
    hosts: HashMap<String, (bool, bool)>,
}

impl Events {
    pub(crate) fn new(terminal: Terminal) -> Self {
        terminal.event(&json!({ "event": "crawl-begins", "at": jiff::Timestamp::now() }));
        Self { terminal, begun: Instant::now(), said: Instant::now(), hosts: HashMap::new() }
    }

    pub(crate) fn tick(&mut self, progress: &Progress) {
        for host in progress.hosts() {
            let now = (host.blocked_s > 0, host.given_up);
            let before = self.hosts.insert(host.host.clone(), now).unwrap_or_default();
            let event = match (before, now) {
                ((_, false), (_, true)) => "host-given-up",
                ((false, _), (true, _)) => "host-blocked",
                ((true, _), (false, _)) => "host-goes-on",
                _ => continue,
            };
            self.terminal.event(&json!({
                "event": event, "at": jiff::Timestamp::now(), "site": host.site, "host": host.host,
                "requests": host.requests, "blocked_s": host.blocked_s,
            }));
        }
        if self.said.elapsed() >= EVERY {
            self.said = Instant::now();
            self.terminal.event(&self.state("crawl-progress", progress));
        }
    }

    pub(crate) fn last(&self, progress: &Progress) {
        self.terminal.event(&self.state("crawl-ends", progress));
    }

    fn state(&self, event: &str, progress: &Progress) -> serde_json::Value {
        let read = Progress::read;
        let (done, queued) = (read(&progress.done), read(&progress.queued));
        let rate = done as f64 / self.begun.elapsed().as_secs_f64().max(0.001);
        let eta_s = (rate > 0.0).then(|| (queued.saturating_sub(done) as f64 / rate).ceil());
        json!({
            "event": event, "at": jiff::Timestamp::now(), "done": done, "queued": queued,
            "pages": read(&progress.pages), "not_modified": read(&progress.not_modified),
            "checked": read(&progress.checked), "failed": read(&progress.failed),
            "limited": read(&progress.limited), "deleted": read(&progress.deleted),
            "rendered": read(&progress.rendered),
            "body_bytes": read(&progress.body_bytes), "per_second": rate, "eta_s": eta_s,
        })
    }
}
