//! Ctrl-C and SIGTERM: once stops the crawl cleanly, twice ends at once.
//!
//! Ending at once is safe, too: whatever was acknowledged is on the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use xunjian_crawl::StopSignal;

use crate::terminal::Terminal;

/// What shells expect of a process that an interrupt ended.
const INTERRUPTED: i32 = 130;

/// Listens for interrupts as long as the process lives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    pub(crate) stop: StopSignal,
    /// A crawl is under way that can be stopped cleanly.
    crawling: Arc<AtomicBool>,
}

impl Interrupt {
    pub(crate) fn listen(terminal: Terminal) -> anyhow::Result<Self> {
        let interrupt = Self::default();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut ctrl_c = signal(SignalKind::interrupt())?;
        let listening = interrupt.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = ctrl_c.recv() => {}
                    _ = terminate.recv() => {}
                }
                if listening.stop.is_stopped() || !listening.crawling.load(Ordering::Relaxed) {
                    std::process::exit(INTERRUPTED);
                }
                terminal.note(terminal.words(
                    "正在停止；再按一次立即退出。已抓取的内容不会丢失。",
                    "Stopping; once more ends at once. Nothing fetched is lost.",
                ));
                listening.stop.stop();
            }
        });
        Ok(interrupt)
    }

    /// Says whether a crawl is under way.
    pub(crate) fn crawling(&self, yes: bool) {
        self.crawling.store(yes, Ordering::Relaxed);
    }
}
