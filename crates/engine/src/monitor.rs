//! The availability monitor (V2): spaced visits to every home page, each kept with its times.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use xunjian_crawl::{StopSignal, Turns};
use xunjian_fetch::{Ask, FetchLimits, Fetcher, OpenGate};
use xunjian_judge::{VISITS_A_DAY_MIN, Watched};
use xunjian_model::{LinkState, PageUrl, Site, SiteId};
use xunjian_store::{Batch, Space, Store, StoreError};

use crate::{Engine, EngineError, Settings, asked_to_wait};

/// Old visits of a site that a round forgets, so that a clock that is wrong for an hour does not cost a year.
const FORGOTTEN_AT_ONCE: usize = 48;

/// How the monitor visits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorSettings {
    /// Visits a site and day; the standard asks for 20 or more.
    pub visits_a_day: u32,
    /// How long a site may take to open.
    pub limit: Duration,
    /// Days that visits are kept.
    pub kept_days: u32,
    /// An address that tells whether our own line is well.
    pub control: Option<PageUrl>,
    /// Outages that offices reported.
    pub outages: Vec<Outage>,
}

impl Default for MonitorSettings {
    fn default() -> Self {
        Self {
            visits_a_day: 24,
            limit: Duration::from_secs(15),
            kept_days: 400,
            control: None,
            outages: Vec::new(),
        }
    }
}

/// An outage that an office reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The site.
    pub site: SiteId,
    /// Begin.
    pub from: Timestamp,
    /// End.
    pub until: Timestamp,
    /// When it was reported; only one reported beforehand is taken out.
    pub reported: Timestamp,
    /// Why.
    pub reason: String,
}

impl Outage {
    /// Whether it was reported before it began.
    pub fn is_beforehand(&self) -> bool {
        self.reported <= self.from
    }
}

/// One visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// When.
    pub at: Timestamp,
    /// It opened within the limit.
    pub opened: bool,
    /// Our own line had failed: it tells nothing of the site.
    pub own_line: bool,
    /// Addresses the name has.
    pub addresses: Vec<String>,
    /// The name's lookup, milliseconds.
    pub resolve_ms: u32,
    /// The connection, milliseconds.
    pub connect_ms: u32,
    /// The TLS handshake, milliseconds.
    pub tls_ms: u32,
    /// Until the first byte of the answer, milliseconds.
    pub first_byte_ms: u32,
    /// All of it, milliseconds.
    pub total_ms: u32,
    /// HTTP status; 0 without an answer.
    pub status: u16,
    /// What went wrong.
    pub error: String,
}

/// One round of visits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Round {
    /// Sites visited.
    pub visited: usize,
    /// Sites that did not open, with the reason.
    pub failed: Vec<(SiteId, String)>,
    /// Our own line failed.
    pub own_line: bool,
    /// Sites that were not visited, since their hosts asked to be left alone for now.
    pub left_alone: usize,
}

/// The store that a monitor writes to. Whoever needs it alone for a moment locks this and takes it out.
pub type Held = Arc<tokio::sync::Mutex<Option<Arc<Store>>>>;

/// The monitor over a store.
pub struct Monitor {
    store: Held,
    watching: Mutex<Arc<Watching>>,
}

/// What a round goes by.
struct Watching {
    sites: Vec<Site>,
    settings: MonitorSettings,
    fetcher: Fetcher,
    turns: Turns,
}

impl Monitor {
    /// A monitor of an engine's sites.
    pub fn new(engine: &Engine) -> Result<Self, EngineError> {
        let store = Arc::new(tokio::sync::Mutex::new(Some(Arc::clone(engine.store()))));
        Ok(Self { store, watching: Mutex::new(Arc::new(Watching::new(engine)?)) })
    }

    /// Goes by the settings of another engine from the next round on.
    pub fn go_by(&self, engine: &Engine) -> Result<(), EngineError> {
        let watching = Arc::new(Watching::new(engine)?);
        *self.watching.lock().unwrap_or_else(PoisonError::into_inner) = watching;
        Ok(())
    }

    fn watching(&self) -> Arc<Watching> {
        Arc::clone(&self.watching.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The store it writes to.
    pub fn held(&self) -> Held {
        Arc::clone(&self.store)
    }

    /// Time between two rounds.
    pub fn pause(&self) -> Duration {
        Duration::from_secs(86_400) / self.watching().settings.visits_a_day.max(1)
    }

    /// Visits every site once and keeps the visits. A site whose host asked to be left alone is.
    pub async fn round(&self) -> Result<Round, EngineError> {
        let watching = self.watching();
        let mut sites: Vec<&Site> = Vec::new();
        if let Some(store) = self.store.lock().await.as_ref() {
            for site in &watching.sites {
                let host = site.url.host_key();
                if !watching.turns.is_left_alone(&host) && asked_to_wait(store, &host)?.is_none() {
                    sites.push(site);
                }
            }
        }
        let visits = sites.iter().map(|site| watching.visit(site));
        let mut probes = futures_util::future::join_all(visits).await;
        let failed = probes.iter().filter(|probe| !probe.opened).count();
        let own_line = failed > 0 && !watching.is_line_well(failed, probes.len()).await;
        let left_alone = watching.sites.len() - sites.len();
        let mut round = Round { visited: probes.len(), own_line, left_alone, ..Round::default() };
        let held = self.store.lock().await;
        let Some(store) = held.as_ref() else { return Ok(round) };
        let mut batch = store.begin();
        for (site, probe) in sites.into_iter().zip(&mut probes) {
            probe.own_line = own_line && !probe.opened;
            if !probe.opened {
                round.failed.push((site.id.clone(), probe.error.clone()));
            }
            batch.put(Space::Probe, &[site.id.as_str().as_bytes(), &time_key(probe.at)], probe)?;
            forget(store, &mut batch, &site.id, probe.at - watching.kept())?;
        }
        batch.commit()?;
        Ok(round)
    }

    /// Visits in rounds until it is asked to stop; `each` is told of every round.
    pub async fn run(
        &self,
        stop: &StopSignal,
        until: Option<Instant>,
        each: impl Fn(&Round),
    ) -> Result<(), EngineError> {
        loop {
            let begun = Instant::now();
            each(&self.round().await?);
            let next = begun + self.pause();
            if stop.is_stopped() || until.is_some_and(|until| next >= until) {
                return Ok(());
            }
            stop.sleep(next.saturating_duration_since(Instant::now())).await;
            if stop.is_stopped() {
                return Ok(());
            }
        }
    }
}

impl Watching {
    fn new(engine: &Engine) -> Result<Self, EngineError> {
        let settings = engine.settings();
        let limit = settings.monitor.limit;
        let limits = FetchLimits {
            connect_timeout: settings.fetch.connect_timeout.min(limit),
            first_byte_timeout: limit,
            total_timeout: limit,
            // Each visit is one of its own, as a reader's is.
            idle_connections_max: 0,
            ..settings.fetch.clone()
        };
        let fetcher = Fetcher::new(limits, &settings.network)?;
        let turns = engine.turns(&fetcher)?;
        Ok(Self { sites: settings.sites.clone(), settings: settings.monitor.clone(), fetcher, turns })
    }

    /// How long visits are kept.
    fn kept(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.settings.kept_days))
    }

    /// Whether our own line is well; without an address to ask, it is not when no site at all opens.
    async fn is_line_well(&self, failed: usize, visited: usize) -> bool {
        const SITES_MIN: usize = 3;
        match &self.settings.control {
            Some(control) => self.fetcher.fetch(Ask::get(control.clone()), &OpenGate).await.is_ok(),
            None => failed < visited || visited < SITES_MIN,
        }
    }

    async fn visit(&self, site: &Site) -> Probe {
        let begun = Instant::now();
        let resolved = self.fetcher.resolver().addresses(site.url.host()).await;
        let resolve_ms = millis(begun.elapsed());
        let ask = Ask { keep_alive: false, ..Ask::get(site.url.clone()) };
        let answered = self.fetcher.fetch(ask, &self.turns).await;
        let mut probe = Probe {
            at: Timestamp::now(),
            opened: false,
            own_line: false,
            addresses: resolved.iter().flatten().map(ToString::to_string).collect(),
            resolve_ms,
            connect_ms: 0,
            tls_ms: 0,
            first_byte_ms: 0,
            total_ms: 0,
            status: 0,
            error: String::new(),
        };
        match answered {
            Ok(answer) => {
                let state = answer.state();
                // Who is turned away, or asked for a browser, has reached the site.
                probe.opened = matches!(
                    state,
                    LinkState::Ok
                        | LinkState::Forbidden(_)
                        | LinkState::Challenged(_)
                        | LinkState::Limited(429)
                );
                probe.status = answer.status;
                probe.connect_ms = answer.connection.connect_ms;
                probe.tls_ms = answer.connection.tls_ms;
                probe.first_byte_ms = answer.timings.first_byte_ms;
                probe.total_ms = answer.timings.total_ms;
                if !probe.opened {
                    probe.error = state.describe();
                }
            }
            Err(failure) => {
                probe.opened = matches!(failure.state, LinkState::Tls(_));
                probe.error = failure.state.describe();
            }
        }
        probe
    }
}

/// The last part of a visit's key: milliseconds, so that visits stand in their order.
fn time_key(at: Timestamp) -> [u8; 8] {
    at.as_millisecond().max(0).cast_unsigned().to_be_bytes()
}

/// Lets visits of a site go that are older than a moment.
fn forget(store: &Store, batch: &mut Batch<'_>, site: &SiteId, oldest: Timestamp) -> Result<(), StoreError> {
    for row in visits(store, site).take(FORGOTTEN_AT_ONCE) {
        let probe = row?;
        if probe.at >= oldest {
            break;
        }
        batch.delete(Space::Probe, &[site.as_str().as_bytes(), &time_key(probe.at)]);
    }
    Ok(())
}

/// Kept visits of a site, oldest first.
fn visits(store: &Store, site: &SiteId) -> impl Iterator<Item = Result<Probe, StoreError>> + use<> {
    let rows = store.scan(Space::Probe, &[site.as_str().as_bytes(), b""]);
    rows.map(|row| row.map(|(_, probe)| probe))
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

impl Engine {
    /// Visits of a site, oldest first.
    pub fn probes(&self, site: &SiteId) -> Result<Vec<Probe>, StoreError> {
        visits(self.store(), site).collect()
    }

    /// The monitor's window up to the end of a day; `None` when there was no visit in it.
    pub(crate) fn watched(&self, site: &SiteId, point: Date) -> Result<Option<Watched>, StoreError> {
        let days = self.settings().catalogue.indicator("V2").and_then(|one| one.span());
        let days = days.map_or(7, |span| i64::from(span.get_days()).max(1));
        let first = point.saturating_sub((days - 1).days());
        let Settings { zone, monitor, .. } = self.settings();
        let begin = zone.to_timestamp(first.at(0, 0, 0, 0)).unwrap_or(Timestamp::MIN);
        // The visits of years stand before the window's.
        let before = time_key(begin.saturating_sub(1.millisecond()).unwrap_or(Timestamp::MIN));
        let rows = self.store().scan_after::<Probe>(Space::Probe, &[site.as_str().as_bytes(), b""], &before);
        let own = |row: &Result<(String, Probe), _>| {
            row.as_ref().map_or(true, |(_, probe)| zone.to_datetime(probe.at).date() <= point)
        };
        let probes: Result<Vec<Probe>, _> =
            rows.take_while(own).map(|row| row.map(|(_, probe)| probe)).collect();
        Ok(window(&probes?, site, (first, point), zone, &monitor.outages))
    }
}

/// Counts the visits of a window of whole days.
fn window(
    probes: &[Probe],
    site: &SiteId,
    (from, to): (Date, Date),
    zone: &TimeZone,
    outages: &[Outage],
) -> Option<Watched> {
    let mut watched = Watched { from, to, ..Watched::default() };
    let mut a_day = std::collections::BTreeMap::<Date, u64>::new();
    for probe in probes {
        let day = zone.to_datetime(probe.at).date();
        if !(from..=to).contains(&day) {
            continue;
        }
        *a_day.entry(day).or_default() += 1;
        let reported = outages.iter().any(|outage| {
            outage.site == *site && outage.is_beforehand() && (outage.from..outage.until).contains(&probe.at)
        });
        if probe.own_line {
            watched.own_line += 1;
        } else if reported {
            watched.reported += 1;
            watched.reported_failed += u64::from(!probe.opened);
        } else {
            watched.visits += 1;
            watched.failed += u64::from(!probe.opened);
        }
    }
    if a_day.is_empty() {
        return None;
    }
    let mut day = from;
    while day <= to {
        watched.thin_days += u64::from(a_day.get(&day).copied().unwrap_or_default() < VISITS_A_DAY_MIN);
        day = day.saturating_add(1.day());
    }
    Some(watched)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const ID: &str = "a";

    fn probe(at: &str, opened: bool) -> Probe {
        Probe {
            at: at.parse().expect("a moment"),
            opened,
            own_line: false,
            addresses: Vec::new(),
            resolve_ms: 0,
            connect_ms: 0,
            tls_ms: 0,
            first_byte_ms: 0,
            total_ms: 0,
            status: 0,
            error: String::new(),
        }
    }

    fn counted(probes: &[Probe], outages: Vec<Outage>) -> Option<Watched> {
        let zone = TimeZone::get("Asia/Shanghai").expect("zone");
        let site = SiteId::new(ID).expect("id");
        window(probes, &site, (date(2026, 6, 24), date(2026, 6, 30)), &zone, &outages)
    }

    #[test]
    fn a_window_begins_and_ends_with_the_days_of_the_zone() {
        let edges = [
            // One second before the first day in Shanghai, though the day is right in Greenwich.
            probe("2026-06-23T23:59:59+08:00", false),
            probe("2026-06-24T00:00:00+08:00", false),
            probe("2026-06-30T23:59:59+08:00", true),
            probe("2026-07-01T00:00:00+08:00", false),
        ];
        let watched = counted(&edges, Vec::new()).expect("visits");
        assert_eq!((watched.visits, watched.failed, watched.thin_days), (2, 1, 7));
        assert_eq!(counted(&edges[..1], Vec::new()), None);
    }

    #[test]
    fn twenty_visits_make_a_day_whole() {
        let visits = |a_day: i64| -> Vec<Probe> {
            let day = |day: i8| {
                (0..a_day).map(move |hour| probe(&format!("2026-06-{day}T{hour:02}:00:00+08:00"), true))
            };
            (24..=30).flat_map(day).collect()
        };
        assert_eq!(counted(&visits(20), Vec::new()).map(|watched| watched.thin_days), Some(0));
        assert_eq!(counted(&visits(19), Vec::new()).map(|watched| watched.thin_days), Some(7));
    }

    #[test]
    fn outages_count_unless_they_were_reported_beforehand() {
        let outage = |reported: &str| Outage {
            site: SiteId::new(ID).expect("id"),
            from: "2026-06-25T22:00:00+08:00".parse().expect("a moment"),
            until: "2026-06-25T23:00:00+08:00".parse().expect("a moment"),
            reported: reported.parse().expect("a moment"),
            reason: String::new(),
        };
        let visits = [
            probe("2026-06-25T21:59:59+08:00", false),
            probe("2026-06-25T22:00:00+08:00", false),
            probe("2026-06-25T22:59:59+08:00", true),
            probe("2026-06-25T23:00:00+08:00", true),
        ];
        let counts = |outages| {
            let watched = counted(&visits, outages).expect("visits");
            (watched.visits, watched.failed, watched.reported, watched.reported_failed)
        };
        assert_eq!(counts(Vec::new()), (4, 2, 0, 0));
        assert_eq!(counts(vec![outage("2026-06-25T22:00:00+08:00")]), (2, 1, 2, 1));
        assert_eq!(counts(vec![outage("2026-06-25T22:00:01+08:00")]), (4, 2, 0, 0));
    }

    #[test]
    fn what_our_own_line_did_is_no_fault_of_the_site() {
        let own = Probe { own_line: true, ..probe("2026-06-25T22:00:00+08:00", false) };
        let watched = counted(&[own, probe("2026-06-25T23:00:00+08:00", true)], Vec::new()).expect("visits");
        assert_eq!((watched.visits, watched.failed, watched.own_line), (1, 0, 1));
    }
}
