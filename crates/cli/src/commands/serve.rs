//! `xunjian serve`: stays, offers the console, runs the night at its time and watches the sites in
//! between.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use tokio::sync::RwLock;
use xunjian_console::{Console, ConsoleSettings, Held};
use xunjian_crawl::StopSignal;
use xunjian_engine::{Engine, EngineError, Monitor, Settings};

use crate::args::Common;
use crate::commands::alert;
use crate::commands::night::{self, Night};
use crate::commands::watch;
use crate::interrupt::Interrupt;
use crate::terminal::Terminal;
use crate::{Exit, config};

/// When the night begins, unless the configuration says it.
const NIGHTLY: Time = Time::constant(22, 0, 0, 0);
/// The longest time until a night.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long after its time a night that was missed still begins: the machine was off, or the night before took until then.
const CATCH_UP: SignedDuration = SignedDuration::from_hours(6);
/// Longest time slept at once; the clock may be set in the meantime.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

pub(crate) async fn run(common: &Common, terminal: Terminal) -> anyhow::Result<Exit> {
    let settings = night::settings_to_crawl(common)?;
    let interrupt = Interrupt::listen(terminal)?;
    let mut night = Night::open(settings, common, terminal)?;
    alert::ready(common, &night.engine, terminal)?;
    let monitor = Arc::new(Monitor::new(&night.engine)?);
    let held = monitor.held();
    interrupt.crawling(true);
    let zone = night.engine.settings().zone.clone();
    let watching = tokio::spawn(keep_watching(Arc::clone(&monitor), interrupt.stop.clone(), terminal, zone));
    let shown: Held = Arc::new(RwLock::new(Some(beside(&night.engine))));
    let console = match config::console(&common.config)? {
        config::Console { listen: Some(listen), public_url, proxies } => {
            let settings = ConsoleSettings {
                listen,
                public_url,
                proxies,
                accounts: accounts_file(night.engine.settings()),
                audit: night.engine.settings().data.join("audit.jsonl"),
                language: terminal.language,
            };
            let console = Console::bind(Arc::clone(&shown), Arc::clone(&night.live), settings).await?;
            terminal.note(format!("{} http://{}/", terminal.words("控制台", "Console"), console.address()?));
            Some(tokio::spawn(console.serve()))
        }
        config::Console { listen: None, .. } => None,
    };
    let at = night.engine.settings().nightly.unwrap_or(NIGHTLY);
    terminal.note(format!("{} {at}", terminal.words("每晚运行时间", "The night begins at")));
    // A night that was interrupted goes on as soon as it may.
    let mut due = match night.engine.interrupted()? {
        Some(_) => night.engine.settings().politeness.opens(Timestamp::now()),
        None => this_or_next_night(&night.engine)?,
    };
    let mut was_halted = false;
    while !interrupt.stop.is_stopped() {
        // No night is farther away, unless the clock was set back since, perhaps past tonight's.
        if due.duration_since(Timestamp::now()) > DAY {
            due = this_or_next_night(&night.engine)?;
        }
        let left = due.duration_since(Timestamp::now());
        if left.is_positive() {
            let left = Duration::try_from(left).unwrap_or(LOOK_AGAIN);
            interrupt.stop.sleep(left.min(LOOK_AGAIN)).await;
            if let Err(error) = alert::deliver(common, &night.engine, terminal, Duration::ZERO).await {
                terminal.error(&error);
            }
            continue;
        }
        reread(common, &mut night.engine, terminal);
        if let Err(error) = monitor.go_by(&night.engine) {
            terminal.error(&error.into());
        }
        *shown.write().await = Some(beside(&night.engine));
        // Somebody may be looking at single findings again, which takes a few minutes at most.
        let alone = night.engine.looking().lock_owned().await;
        let whole = night::whole(&mut night, &[], &interrupt).await;
        drop(alone);
        let ended = matches!(whole, Ok(Some(_)));
        let error = whole.as_ref().err().and_then(|error| error.downcast_ref::<EngineError>());
        let halted = error.and_then(EngineError::halted);
        match whole {
            Ok(Some(report)) => night.print(&report)?,
            Ok(None) => {}
            // One bad night is no reason not to try the next.
            Err(error) => {
                // Once, however often the night tries again.
                if !(halted.is_some() && was_halted) {
                    night.failed(&error);
                }
                terminal.error(&error);
            }
        }
        was_halted = halted.is_some();
        if let Err(error) = alert::deliver(common, &night.engine, terminal, alert::AFTER_NIGHT).await {
            terminal.error(&error);
        }
        interrupt.crawling(true);
        // The index can be written anew only by who holds it alone.
        let mut store = held.lock().await;
        *store = None;
        let mut looking = shown.write().await;
        // A dictionary may have been saved in the console while the night ran.
        let settings = looking.take().map(|engine| engine.settings().clone());
        tokio::task::block_in_place(|| {
            night.engine.tidy()?;
            night.retain()
        })?;
        *looking = settings.map(|settings| Arc::new(night.engine.with(settings)));
        drop(looking);
        *store = Some(Arc::clone(night.engine.store()));
        drop(store);
        due = match halted {
            _ if ended => this_or_next_night(&night.engine)?,
            // What is wrong with this machine may be mended while the night is not over.
            Some(pause) if is_still_night(&night.engine) => {
                // By the clock that nobody can set.
                interrupt.stop.sleep(pause).await;
                if is_still_night(&night.engine) { Timestamp::now() } else { next_night(&night.engine) }
            }
            _ => next_night(&night.engine),
        };
    }
    if let Some(console) = console {
        console.abort();
    }
    watching.await?;
    Ok(Exit::Done)
}

/// Watches until it is asked to stop. One bad round, as on a full disk, is no reason not to make the next.
async fn keep_watching(monitor: Arc<Monitor>, stop: StopSignal, terminal: Terminal, zone: TimeZone) {
    while let Err(error) = monitor.run(&stop, None, |round| watch::told(terminal, &zone, round)).await {
        terminal.error(&error.into());
        stop.sleep(monitor.pause()).await;
        if stop.is_stopped() {
            return;
        }
    }
}

/// The engine again, over the same store, for whoever looks while the night runs.
fn beside(engine: &Engine) -> Arc<Engine> {
    Arc::new(engine.with(engine.settings().clone()))
}

/// What was changed in the configuration, the register or a dictionary counts from the next night on. A
/// mistake in it is no reason to miss the night.
fn reread(common: &Common, engine: &mut Engine, terminal: Terminal) {
    match night::settings_to_crawl(common) {
        Ok(settings) if settings.data == engine.settings().data => {
            *engine = engine.with(settings);
        }
        Ok(_) => terminal.note(terminal.words(
            "配置换了数据目录，重新启动后才生效",
            "the configuration names another data folder; that counts after a restart",
        )),
        Err(error) => terminal.error(&error),
    }
}

/// The file of the console's accounts.
pub(crate) fn accounts_file(settings: &Settings) -> PathBuf {
    settings.data.join("accounts.json")
}

/// When the next night begins.
fn next_night(engine: &Engine) -> Timestamp {
    nights(engine, Timestamp::now()).1
}

/// Whether tonight's may still begin, or go on.
fn is_still_night(engine: &Engine) -> bool {
    let now = Timestamp::now();
    now.duration_since(nights(engine, now).0) < CATCH_UP && !engine.settings().politeness.is_closed(now)
}

/// The same, or now, where tonight's was missed.
fn this_or_next_night(engine: &Engine) -> anyhow::Result<Timestamp> {
    let now = Timestamp::now();
    let (tonight, next) = nights(engine, now);
    Ok(if is_still_night(engine) && engine.missed_night(tonight)? { now } else { next })
}

/// When a night was due last, and when one is due next.
fn nights(engine: &Engine, now: Timestamp) -> (Timestamp, Timestamp) {
    let settings = engine.settings();
    around(&settings.zone, settings.nightly.unwrap_or(NIGHTLY), now)
}

/// The last and the next time the clock of the zone shows a time.
fn around(zone: &TimeZone, at: Time, now: Timestamp) -> (Timestamp, Timestamp) {
    let today = zone.to_datetime(now).date();
    let moment = |days: i64| zone.to_timestamp(today.saturating_add(days.days()).to_datetime(at)).ok();
    let moments = [-1, 0, 1].into_iter().filter_map(moment);
    let before = moments.clone().rfind(|moment| *moment <= now);
    (before.unwrap_or(now - DAY), moments.into_iter().find(|moment| *moment > now).unwrap_or(now + DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_night_begins_at_the_next_time_the_clock_shows() {
        let zone = TimeZone::get("Asia/Shanghai").expect("zone");
        let begins = |now: &str| around(&zone, NIGHTLY, now.parse().expect("a moment")).1.to_string();
        assert_eq!(begins("2026-06-30T10:00:00+08:00"), "2026-06-30T14:00:00Z");
        assert_eq!(begins("2026-06-30T22:00:00+08:00"), "2026-07-01T14:00:00Z");
        assert_eq!(begins("2026-06-30T23:59:00+08:00"), "2026-07-01T14:00:00Z");
        let was_due = |now: &str| around(&zone, NIGHTLY, now.parse().expect("a moment")).0.to_string();
        assert_eq!(was_due("2026-06-30T22:00:00+08:00"), "2026-06-30T14:00:00Z");
        assert_eq!(was_due("2026-06-30T21:59:59+08:00"), "2026-06-29T14:00:00Z");
    }
}
