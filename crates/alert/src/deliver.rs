//! Brings each sink from its place in the log of changes to the end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use xunjian_engine::{Change, Entry, change_at, finding, next_change, night_totals, verdict};
use xunjian_model::{Finding, Site, SiteId};
use xunjian_report::Language;
use xunjian_store::{Space, Store, StoreError};

use crate::http::Http;
use crate::sinks::{self, Context};
use crate::{AlertError, Grouping, Item, Message, Night, SendError, Sink, SiteNight};

/// Examples kept of a site's night.
const EXAMPLES_MAX: usize = 20;
/// Entries looked at before the place is kept, when none of them is wanted.
const SKIPPED_MAX: u64 = 10_000;
/// Longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// A sink's place in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// The first entry it was not told.
    next: u64,
    /// Sites of the night at `next` it was told already.
    sites: u32,
    /// Tries of the message that comes next.
    tries: u32,
    /// No try before this.
    not_before: Option<Timestamp>,
    /// Why the last try failed.
    error: String,
}

/// A message that was put aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Dead {
    /// Its place in the log.
    place: Place,
    /// Its key.
    key: String,
    /// When it was given up.
    at: Timestamp,
    /// Why.
    error: String,
}

/// How a sink stands.
#[derive(Clone, Debug, Serialize)]
pub struct SinkState {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: &'static str,
    /// Entries of the log it was not told yet; some it may not want.
    pub waiting: u64,
    /// Tries of the message that comes next.
    pub tries: u32,
    /// When that is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Why the last try failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// Messages put aside: their keys and why.
    pub dead: Vec<(String, String)>,
}

/// What a delivery did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// Messages that arrived.
    pub sent: u64,
    /// Messages put aside.
    pub dead: u64,
    /// Sinks that still wait for something.
    pub waiting: u64,
}

/// Sends alerts.
pub struct Dispatcher {
    store: Arc<Store>,
    sinks: Vec<Sink>,
    sites: Vec<Site>,
    names: HashMap<SiteId, String>,
    zone: TimeZone,
    language: Language,
    http: Http,
    console: Option<String>,
}

impl Dispatcher {
    /// Readies the sinks. One that is new is told of what comes from now on. `console` is where people
    /// look findings up.
    pub fn new(
        store: Arc<Store>,
        sinks: Vec<Sink>,
        sites: &[Site],
        zone: TimeZone,
        language: Language,
        console: Option<String>,
    ) -> Result<Self, AlertError> {
        let names = sites.iter().map(|site| (site.id.clone(), site.name.clone())).collect();
        let dispatcher = Self {
            store,
            sinks,
            sites: sites.to_vec(),
            names,
            zone,
            language,
            http: Http::new()?,
            console: console.map(|base| base.trim_end_matches('/').to_owned()),
        };
        let mut batch = dispatcher.store.begin();
        let next = next_change(&dispatcher.store)?;
        for sink in &dispatcher.sinks {
            let known: Option<Place> = dispatcher.store.get(Space::Alert, &place_key(&sink.name))?;
            if known.is_none() {
                batch.put(Space::Alert, &place_key(&sink.name), &Place { next, ..Place::default() })?;
            }
        }
        batch.commit()?;
        Ok(dispatcher)
    }

    /// The sinks.
    pub fn sinks(&self) -> &[Sink] {
        &self.sinks
    }

    fn context(&self) -> Context<'_> {
        Context { http: &self.http, store: &self.store, sites: &self.sites, language: self.language }
    }

    /// Tells every sink what it was not told yet. Ends when nothing is left, or when what is left has to
    /// wait longer than until `deadline`.
    pub async fn deliver(&self, deadline: Instant) -> Result<Delivered, AlertError> {
        let all = self.sinks.iter().map(|sink| self.deliver_to(sink, deadline));
        let mut total = Delivered::default();
        for one in futures_util::future::join_all(all).await {
            let one = one?;
            total.sent += one.sent;
            total.dead += one.dead;
            total.waiting += one.waiting;
        }
        Ok(total)
    }

    /// The same for one sink.
    pub async fn deliver_by_name(&self, name: &str, deadline: Instant) -> Result<Delivered, AlertError> {
        self.deliver_to(self.sink(name)?, deadline).await
    }

    async fn deliver_to(&self, sink: &Sink, deadline: Instant) -> Result<Delivered, AlertError> {
        let mut done = Delivered::default();
        loop {
            let place: Place = self.store.get(Space::Alert, &place_key(&sink.name))?.unwrap_or_default();
            let Some((message, after)) = self.next(sink, &place)? else { return Ok(done) };
            let Some(message) = message else {
                self.keep(sink, &after)?;
                continue;
            };
            let now = Timestamp::now();
            if sink.quiet.is_some_and(|quiet| quiet.covers(now, &self.zone)) {
                done.waiting = 1;
                return Ok(done);
            }
            if let Some(wait) =
                place.not_before.and_then(|at| Duration::try_from(at.duration_since(now)).ok())
            {
                if Instant::now() + wait > deadline {
                    done.waiting = 1;
                    return Ok(done);
                }
                tokio::time::sleep(wait).await;
            }
            match self.send(sink, &message).await {
                Ok(()) => {
                    self.keep(sink, &after)?;
                    done.sent += 1;
                }
                Err(SendError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    let tries = place.tries + 1;
                    let never = matches!(error, SendError::Never(_)) || tries >= sink.attempts_max;
                    tracing::warn!(sink = %sink.name, %error, tries, given_up = never, "an alert was not taken");
                    let mut batch = self.store.begin();
                    if never {
                        let at = Timestamp::now();
                        let dead = Dead { place, key: message.key(), at, error: error.to_string() };
                        let number = dead.place.next.to_string();
                        let key =
                            [b"dead" as &[u8], sink.name.as_bytes(), number.as_bytes(), dead.key.as_bytes()];
                        batch.put(Space::Alert, &key, &dead)?;
                        batch.put(Space::Alert, &place_key(&sink.name), &after)?;
                        done.dead += 1;
                    } else {
                        let not_before = Timestamp::now().checked_add(pause(sink.retry, tries)).ok();
                        let error = error.to_string();
                        let place = Place { tries, not_before, error, ..place };
                        batch.put(Space::Alert, &place_key(&sink.name), &place)?;
                    }
                    batch.commit()?;
                }
            }
        }
    }

    async fn send(&self, sink: &Sink, message: &Message) -> Result<(), SendError> {
        let sent = tokio::time::timeout(sink.timeout, sinks::send(sink, message, self.context())).await;
        sent.unwrap_or_else(|_| {
            Err(SendError::Later(format!("no answer within {} s", sink.timeout.as_secs_f64())))
        })
    }

    fn keep(&self, sink: &Sink, place: &Place) -> Result<(), StoreError> {
        let mut batch = self.store.begin();
        batch.put(Space::Alert, &place_key(&sink.name), place)?;
        batch.commit()
    }

    // ---- what comes next ----------------------------------------------------------------------

    /// The next message and the place after it; `Some((None, _))`: nothing wanted up to there.
    fn next(&self, sink: &Sink, place: &Place) -> Result<Option<(Option<Message>, Place)>, StoreError> {
        match sink.grouping {
            Grouping::Finding => self.next_findings(sink, place),
            Grouping::Site => self.next_site(sink, place),
            Grouping::Night => self.next_night(sink, place),
            Grouping::State => self.next_state(place),
        }
    }

    fn next_findings(
        &self,
        sink: &Sink,
        place: &Place,
    ) -> Result<Option<(Option<Message>, Place)>, StoreError> {
        let batch = sink.batch.clamp(1, sink.kind.batch_max());
        let refreshes = matches!(sink.kind, crate::SinkKind::Alertmanager { .. });
        let mut items = Vec::new();
        let mut from = place.next;
        while let Some((number, entry)) = change_at(&self.store, from)? {
            let after = Place { next: number + 1, ..Place::default() };
            match entry {
                Entry::Finding { at, change, site, id } => {
                    let known = finding(&self.store, &site, &id)?;
                    let wanted = known.filter(|known| sink.filter.wants(change, known));
                    items.extend(wanted.map(|known| self.item(at, change, known)));
                }
                Entry::End { at, run } if refreshes && items.is_empty() => {
                    return Ok(Some((Some(Message::State { at, run }), after)));
                }
                Entry::End { .. } if refreshes => break,
                Entry::End { .. } | Entry::Failed { .. } => {}
            }
            from = number + 1;
            if items.len() >= batch || items.is_empty() && from - place.next >= SKIPPED_MAX {
                break;
            }
        }
        if from == place.next {
            return Ok(None);
        }
        let after = Place { next: from, ..Place::default() };
        Ok(Some(((!items.is_empty()).then_some(Message::Findings(items)), after)))
    }

    fn item(&self, at: Timestamp, change: Change, finding: Finding) -> Item {
        Item {
            key: format!("{}/{change}/{at}", finding.id),
            at,
            change,
            site_name: self.name(&finding.site),
            link: self.console.as_ref().map(|base| format!("{base}/findings/{}", finding.id)),
            finding,
        }
    }

    fn name(&self, site: &SiteId) -> String {
        self.names.get(site).cloned().unwrap_or_else(|| site.to_string())
    }

    /// The next site of the night that begins at the place; nothing before the night is over.
    fn next_site(&self, sink: &Sink, place: &Place) -> Result<Option<(Option<Message>, Place)>, StoreError> {
        let mut nights: BTreeMap<SiteId, SiteNight> = BTreeMap::new();
        let mut from = place.next;
        while let Some((number, entry)) = change_at(&self.store, from)? {
            from = number + 1;
            match entry {
                Entry::Finding { at, change, site, id } => {
                    let known = finding(&self.store, &site, &id)?;
                    let Some(known) = known.filter(|known| sink.filter.wants(change, known)) else {
                        continue;
                    };
                    let night = nights.entry(site.clone()).or_insert_with(|| SiteNight {
                        // A night that was reported before its end ends once more.
                        key: format!("{site}/{at}/{number}"),
                        at,
                        site_name: self.name(&site),
                        link: self.console.as_ref().map(|base| format!("{base}/sites/{site}")),
                        site,
                        counts: BTreeMap::new(),
                        examples: Vec::new(),
                        verdict: None,
                    });
                    *night.counts.entry((change, known.kind)).or_default() += 1;
                    let item = self.item(at, change, known);
                    let rank = |item: &Item| (std::cmp::Reverse(item.finding.severity), item.change);
                    let after = night.examples.partition_point(|other| rank(other) <= rank(&item));
                    night.examples.insert(after, item);
                    night.examples.truncate(EXAMPLES_MAX);
                }
                Entry::End { run, .. } => {
                    let told = usize::try_from(place.sites).unwrap_or(usize::MAX);
                    let left = nights.len().saturating_sub(told);
                    let Some(mut night) = nights.into_values().nth(told) else {
                        return Ok(Some((None, Place { next: from, ..Place::default() })));
                    };
                    night.verdict = verdict(&self.store, run, &night.site)?;
                    let after = match left {
                        0 | 1 => Place { next: from, ..Place::default() },
                        _ => Place { next: place.next, sites: place.sites + 1, ..Place::default() },
                    };
                    return Ok(Some((Some(Message::Site(Box::new(night))), after)));
                }
                Entry::Failed { .. } => {}
            }
        }
        Ok(None)
    }

    /// The next night that is over, or that failed.
    fn next_night(&self, sink: &Sink, place: &Place) -> Result<Option<(Option<Message>, Place)>, StoreError> {
        let mut changes: BTreeMap<Change, u64> = BTreeMap::new();
        let mut from = place.next;
        while let Some((number, entry)) = change_at(&self.store, from)? {
            from = number + 1;
            let after = Place { next: from, ..Place::default() };
            match entry {
                Entry::Finding { change, site, id, .. } => {
                    let known = finding(&self.store, &site, &id)?;
                    if known.is_some_and(|known| sink.filter.wants(change, &known)) {
                        *changes.entry(change).or_default() += 1;
                    }
                }
                Entry::Failed { at, reason } => {
                    return Ok(Some((Some(Message::Failed { at, reason }), after)));
                }
                Entry::End { at, run } => {
                    let wanted = self.sites.iter().filter(|site| sink.filter.wants_site(site.id.as_str()));
                    let totals = night_totals(&self.store, wanted, (run, at))?;
                    let message = totals.map(|totals| {
                        let named = totals.fail.iter().map(|failed| &failed.site).chain(&totals.incomplete);
                        let names = named.map(|site| (site.clone(), self.name(site))).collect();
                        let link = self.console.as_ref().map(|base| format!("{base}/"));
                        // One that failed after that ends once more.
                        let key = format!("night/{number}/{at}");
                        Message::Night(Box::new(Night { key, at, run, totals, changes, names, link }))
                    });
                    return Ok(Some((message, after)));
                }
            }
        }
        Ok(None)
    }

    /// The state after the newest night that is over: older ones are history.
    fn next_state(&self, place: &Place) -> Result<Option<(Option<Message>, Place)>, StoreError> {
        let (mut from, mut newest) = (place.next, None);
        while let Some((number, entry)) = change_at(&self.store, from)? {
            from = number + 1;
            if let Entry::End { at, run } = entry {
                newest = Some((Message::State { at, run }, Place { next: from, ..Place::default() }));
            }
        }
        Ok(newest.map(|(message, after)| (Some(message), after)))
    }

    // ---- by hand ------------------------------------------------------------------------------

    fn sink(&self, name: &str) -> Result<&Sink, AlertError> {
        let known: Vec<&str> = self.sinks.iter().map(|sink| sink.name.as_str()).collect();
        let found = self.sinks.iter().find(|sink| sink.name == name);
        found.ok_or_else(|| AlertError::UnknownSink { name: name.to_owned(), known: known.join(", ") })
    }

    /// Sends a sink a message that says it is a test.
    pub async fn test(&self, name: &str) -> Result<(), AlertError> {
        let sink = self.sink(name)?;
        let message = Message::test(sink.grouping, Timestamp::now());
        self.send(sink, &message).await.map_err(|reason| AlertError::Test { name: name.to_owned(), reason })
    }

    /// How each sink stands.
    pub fn list(&self) -> Result<Vec<SinkState>, AlertError> {
        let next = next_change(&self.store)?;
        let mut states = Vec::new();
        for sink in &self.sinks {
            let place: Place = self.store.get(Space::Alert, &place_key(&sink.name))?.unwrap_or_default();
            let dead = self.dead(&sink.name)?;
            states.push(SinkState {
                name: sink.name.clone(),
                kind: sink.kind.as_str(),
                waiting: next.saturating_sub(place.next),
                tries: place.tries,
                not_before: place.not_before,
                error: place.error,
                dead: dead.into_iter().map(|(_, dead)| (dead.key, dead.error)).collect(),
            });
        }
        Ok(states)
    }

    fn dead(&self, name: &str) -> Result<Vec<(String, Dead)>, StoreError> {
        self.store.scan(Space::Alert, &[b"dead", name.as_bytes(), b""]).collect()
    }

    /// Tries a sink's messages that were put aside once more, and what waits at once. Answers with how
    /// many arrived.
    pub async fn replay_dead(&self, name: &str) -> Result<u64, AlertError> {
        let sink = self.sink(name)?;
        let mut sent = 0;
        for (rest, dead) in self.dead(name)? {
            let place = Place { tries: 0, not_before: None, ..dead.place };
            if let Some((Some(message), _)) = self.next(sink, &place)? {
                match self.send(sink, &message).await {
                    Ok(()) => sent += 1,
                    Err(SendError::Store(error)) => return Err(error.into()),
                    Err(reason) => return Err(AlertError::Test { name: name.to_owned(), reason }),
                }
            }
            let mut batch = self.store.begin();
            batch.delete(Space::Alert, &[b"dead", name.as_bytes(), rest.as_bytes()]);
            batch.commit()?;
        }
        let place: Place = self.store.get(Space::Alert, &place_key(name))?.unwrap_or_default();
        self.keep(sink, &Place { tries: 0, not_before: None, ..place })?;
        Ok(sent)
    }

    /// Sets a sink back to the first change at or after a moment: everything since is told again.
    pub fn replay_since(&self, name: &str, since: Timestamp) -> Result<(), AlertError> {
        let sink = self.sink(name)?;
        let mut from = 0;
        while let Some((number, entry)) = change_at(&self.store, from)? {
            from = number;
            if entry.at() >= since {
                break;
            }
            from = number + 1;
        }
        Ok(self.keep(sink, &Place { next: from, ..Place::default() })?)
    }
}

fn place_key(name: &str) -> [&[u8]; 2] {
    [b"place", name.as_bytes()]
}

/// The pause after so many tries: doubled each time, with some chance in it.
fn pause(first: Duration, tries: u32) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1).min(20)));
    doubled.min(PAUSE_MAX).mul_f64(0.5 + fastrand::f64())
}
