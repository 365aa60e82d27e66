//! `[judge]`, `[notice]`, `[media]`, `[monitor]` and `[serve]`: rules, working days, ledger, availability, schedule.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use toml::de::DeTable;
use xunjian_engine::{Ledger, MEDIA, MonitorSettings, Outage, written};
use xunjian_judge::{Calendar, Catalogue};
use xunjian_model::{PageUrl, Site, SiteId};
use xunjian_report::{NoticeSettings, TemplateError};

use super::reader::{Fault, Source, Table};
use super::{at_least, expand};

/// The office's own catalogue or the shipped one, with its province's rules over it.
pub(super) fn catalogue(
    table: &mut Table<'_, '_>,
    source: &mut Source<'_>,
    folder: &Path,
) -> Option<Catalogue> {
    let own: Option<PathBuf> = table.get(source, "catalogue");
    let additions: Vec<String> = table.get(source, "additions").unwrap_or_default();
    let key = if own.is_some() { "catalogue" } else { "additions" };
    let at = table.value(key).map_or(0, |value| value.span().start);
    let additions: Vec<PathBuf> = additions.iter().map(|file| folder.join(file)).collect();
    let own = own.map(|file| folder.join(file));
    Catalogue::load(own.as_deref(), &additions)
        .map_err(|error| source.fault(at, format!("`judge.{key}`: {error}")))
        .ok()
}

/// The shipped working days, and further years.
pub(super) fn calendar(table: &mut Table<'_, '_>, source: &mut Source<'_>, folder: &Path) -> Calendar {
    let mut calendar = Calendar::shipped();
    let files: Vec<String> = table.get(source, "holidays").unwrap_or_default();
    let at = table.value("holidays").map_or(0, |value| value.span().start);
    for file in files {
        if let Err(error) = calendar.load(&folder.join(file)) {
            source.fault(at, format!("`judge.holidays`: {error}"));
        }
    }
    calendar
}

/// What the office writes into its notices, and its own text of them.
pub(super) fn notice(
    table: &mut Table<'_, '_>,
    source: &mut Source<'_>,
    folder: &Path,
    others: &mut Vec<Fault>,
) -> NoticeSettings {
    let file: Option<PathBuf> = table.get(source, "template");
    let at = table.value("template").map_or(0, |value| value.span().start);
    let template = file.and_then(|file| {
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| {
                source.fault(at, format!("`notice.template`: cannot read {}: {error}", path.display()))
            })
            .ok()?;
        if let Err(error) = xunjian_report::check_template(&text) {
            let (line, reason) = match error {
                TemplateError::Syntax { line, reason } => (line, reason),
                unknown => (1, unknown.to_string()),
            };
            others.push(Fault { file: path, line, reason });
        }
        Some(text)
    });
    NoticeSettings {
        office: table.get(source, "office"),
        addressees: table.get(source, "addressees"),
        contact: table.get(source, "contact"),
        template,
    }
}

/// The ledger that is taken anew with every scan.
pub(super) fn ledger(
    table: &mut Table<'_, '_>,
    source: &mut Source<'_>,
    folder: &Path,
    others: &mut Vec<Fault>,
) -> Option<Ledger> {
    let file: PathBuf = table.get(source, "ledger")?;
    let at = table.value("ledger").map_or(0, |value| value.span().start);
    let path = folder.join(file);
    let bytes = std::fs::read(&path)
        .map_err(|error| source.fault(at, format!("`media.ledger`: cannot read {}: {error}", path.display())))
        .ok()?;
    match xunjian_media::read_ledger(&path, &bytes) {
        Ok(accounts) => {
            let written = written(&path);
            Some(Ledger { accounts, written })
        }
        Err(error) => {
            let fault = |(line, reason)| Fault { file: path.clone(), line, reason };
            others.extend(error.faults.into_iter().map(fault));
            None
        }
    }
}

/// The tables of posts that are taken in every run; those that will be there count, too.
pub(super) fn posts(table: &mut Table<'_, '_>, source: &mut Source<'_>, folder: &Path) -> Vec<PathBuf> {
    let patterns: Vec<String> = table.get(source, "posts").unwrap_or_default();
    let at = table.value("posts").map_or(0, |value| value.span().start);
    let mut files = Vec::new();
    for pattern in patterns {
        match expand(&folder.join(&pattern)) {
            Ok(found) => files.extend(found),
            Err(reason) => source.fault(at, format!("`media.posts`: {pattern:?}: {reason}")),
        }
    }
    files
}

/// The availability monitor, without its outages.
pub(super) fn monitor(table: &mut Table<'_, '_>, source: &mut Source<'_>) -> MonitorSettings {
    let mut monitor = MonitorSettings::default();
    table.set(source, "visits_per_day", &mut monitor.visits_a_day);
    let right = (1..=1_440).contains(&monitor.visits_a_day);
    at_least(table, source, "visits_per_day", right, "1 to 1440; the standard asks for 20 or more");
    table.set(source, "limit_s", &mut monitor.limit);
    at_least(table, source, "limit_s", !monitor.limit.is_zero(), "more than 0");
    table.set(source, "visits_kept_days", &mut monitor.kept_days);
    at_least(table, source, "visits_kept_days", monitor.kept_days >= 31, "31 or more");
    let control: Option<String> = table.get(source, "control");
    let at = table.value("control").map_or(0, |value| value.span().start);
    monitor.control = control.and_then(|text| {
        PageUrl::parse(&text).map_err(|error| source.fault(at, format!("`monitor.control`: {error}"))).ok()
    });
    monitor
}

/// Rows of `[[outage]]`.
pub(super) fn outages(
    source: &mut Source<'_>,
    rows: &[(usize, &DeTable<'_>)],
    sites: &[Site],
    zone: &TimeZone,
) -> Vec<Outage> {
    let mut outages = Vec::new();
    for &(at, row) in rows {
        let mut table = Table::row("outage", row);
        let site: Option<String> = table.get(source, "site");
        let mut moment = |key: &'static str| {
            let text: Option<String> = table.get(source, key);
            let read = text.as_deref().and_then(|text| moment_of(text, zone));
            if read.is_none() {
                let text = text.unwrap_or_default();
                source.fault(at, format!("an outage needs `{key}` like \"2026-06-30T22:00\", not {text:?}"));
            }
            read
        };
        let (from, until, reported) = (moment("from"), moment("until"), moment("reported"));
        let reason: Option<String> = table.get(source, "reason");
        table.finish(source);
        let own = site.as_deref().and_then(|id| sites.iter().find(|site| site.id.as_str() == id));
        if own.is_none() {
            source.fault(at, format!("an outage needs the `site` of the register, not {site:?}"));
        }
        let (Some(own), Some(from), Some(until), Some(reported)) = (own, from, until, reported) else {
            continue;
        };
        if until <= from {
            source.fault(at, "the outage ends before it begins");
        }
        if reported > from {
            tracing::warn!(site = %own.id, %from, "an outage that was not reported beforehand counts");
        }
        outages.push(Outage {
            site: own.id.clone(),
            from,
            until,
            reported,
            reason: reason.unwrap_or_default(),
        });
    }
    outages
}

/// A moment with a zone, or one of the configuration's zone.
fn moment_of(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let local = || zone.to_timestamp(text.parse::<jiff::civil::DateTime>().ok()?).ok();
    text.parse().ok().or_else(local)
}

/// Where the console of `xunjian serve` listens; `None` when it is off.
pub(super) fn listen(table: &mut Table<'_, '_>, source: &mut Source<'_>) -> Option<std::net::SocketAddr> {
    const LISTEN: &str = "127.0.0.1:8640";
    let text: String = table.get(source, "listen").unwrap_or_else(|| LISTEN.to_owned());
    if text == "off" {
        return None;
    }
    let at = table.value("listen").map_or(0, |value| value.span().start);
    let wrong =
        |_| source.fault(at, format!("`serve.listen`: {text:?} is no address: write {LISTEN:?}, or \"off\""));
    text.parse().map_err(wrong).ok()
}

/// Proxies before the console, whose word on where a request comes from is taken.
pub(super) fn proxies(table: &mut Table<'_, '_>, source: &mut Source<'_>) -> Vec<std::net::IpAddr> {
    let texts: Vec<String> = table.get(source, "proxies").unwrap_or_default();
    let at = table.value("proxies").map_or(0, |value| value.span().start);
    let read = texts.iter().filter_map(|text| {
        let wrong = |_| source.fault(at, format!("`serve.proxies`: {text:?} is no IP address"));
        text.parse().map_err(wrong).ok()
    });
    read.collect()
}

/// When the nightly run of `xunjian serve` begins.
pub(super) fn nightly(table: &mut Table<'_, '_>, source: &mut Source<'_>) -> Option<jiff::civil::Time> {
    let text: String = table.get(source, "nightly")?;
    let at = table.value("nightly").map_or(0, |value| value.span().start);
    let read = |form| jiff::civil::Time::strptime(form, &text);
    let time = read("%H:%M").or_else(|_| read("%H:%M:%S"));
    time.map_err(|_| {
        source.fault(at, format!("`serve.nightly`: {text:?} is not a time: write it like \"22:00\""))
    })
    .ok()
}

/// The accounts' own id is none of a site.
pub(super) fn check_ids(source: &mut Source<'_>, sites: &[Site]) {
    if sites.iter().any(|site| SiteId::new(MEDIA).is_ok_and(|media| media == site.id)) {
        source.fault(0, format!("site id {MEDIA:?} is taken by the new-media accounts: use another"));
    }
}
