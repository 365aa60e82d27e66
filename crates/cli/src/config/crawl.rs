//! `[politeness]`, `[crawl]`, `[store]` and `[metrics]`.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::tz::TimeZone;
use xunjian_crawl::{CrawlLimits, Hours, Incremental, Politeness, Window};

use super::at_least;
use super::reader::{Source, Table};

pub(super) fn politeness(table: &mut Table<'_, '_>, source: &mut Source<'_>, zone: &TimeZone) -> Politeness {
    let mut manners = Politeness::default();
    table.set(source, "requests_per_second", &mut manners.rates.usual);
    table.set(source, "connections", &mut manners.connections);
    at_least(table, source, "connections", manners.connections > 0, "1 or more");
    table.set(source, "address_requests_per_second", &mut manners.address_rates.usual);
    table.set(source, "address_connections", &mut manners.address_connections);
    at_least(table, source, "address_connections", manners.address_connections > 0, "1 or more");
    manners.window = table.parse::<Window>(source, "window").map(|window| window.in_zone(zone.clone()));
    table.set(source, "latency_factor", &mut manners.latency_factor);
    table.set(source, "block_s", &mut manners.block);
    table.set(source, "block_max_s", &mut manners.block_max);
    let longer = manners.block_max >= manners.block;
    at_least(table, source, "block_max_s", longer, "as long as block_s or longer");
    table.set(source, "retry_after_max_s", &mut manners.retry_after_max);
    table.set(source, "crawl_delay_max_s", &mut manners.crawl_delay_max);
    table.set(source, "patience_s", &mut manners.patience);
    manners.block_pages.extend(table.get::<Vec<String>>(source, "block_pages").unwrap_or_default());
    let empty = manners.block_pages.iter().any(|pattern| pattern.trim().is_empty());
    at_least(table, source, "block_pages", !empty, "texts that are not empty");
    for (at, row) in table.rows(source, "rate") {
        let mut row = Table::row("politeness.rate", row);
        let days: String = row.get(source, "days").unwrap_or_else(|| "daily".to_owned());
        let hours: Option<String> = row.get(source, "hours");
        let host: Option<f64> = row.get(source, "requests_per_second");
        let address: Option<f64> = row.get(source, "address_requests_per_second");
        row.finish(source);
        let Some(hours) = hours else {
            source.fault(at, "a [[politeness.rate]] needs `hours`, such as \"08:00-18:00\"");
            continue;
        };
        match Hours::parse(&days, &hours, zone.clone()) {
            Ok(when) => {
                manners.rates.other.extend(host.map(|rate| (when.clone(), rate)));
                manners.address_rates.other.extend(address.map(|rate| (when, rate)));
            }
            Err(error) => source.fault(at, format!("`politeness.rate`: {error}")),
        }
    }
    manners
}

pub(super) fn limits(table: &mut Table<'_, '_>, source: &mut Source<'_>) -> CrawlLimits {
    let mut limits = CrawlLimits::default();
    table.set(source, "pages_max", &mut limits.pages_max);
    table.set(source, "bytes_max", &mut limits.bytes_max);
    limits.time_max = table.get::<Duration>(source, "time_max_s");
    table.set(source, "document_bytes_max", &mut limits.document_bytes_max);
    at_least(table, source, "document_bytes_max", limits.document_bytes_max > 0, "1 or more");
    table.set(source, "depth_max", &mut limits.depth_max);
    table.set(source, "in_flight_max", &mut limits.in_flight_max);
    at_least(table, source, "in_flight_max", limits.in_flight_max > 0, "1 or more");
    table.set::<Duration>(source, "retry_pause_s", &mut limits.retry_pause);
    table.set::<Duration>(source, "line_patience_s", &mut limits.line_patience);
    table.set::<Duration>(source, "night_max_s", &mut limits.night_max);
    table.set::<Duration>(source, "clock_off_max_s", &mut limits.clock_off_max);
    table.set(source, "outside", &mut limits.outside);
    table.set(source, "failures_max", &mut limits.failures_max);
    at_least(table, source, "failures_max", limits.failures_max > 0, "1 or more");
    table.set(source, "limited_tries_max", &mut limits.limited_tries_max);
    at_least(table, source, "limited_tries_max", limits.limited_tries_max > 0, "1 or more");
    table.set(source, "second_look_share", &mut limits.second_look_share);
    let share = (0.0..=1.0).contains(&limits.second_look_share);
    at_least(table, source, "second_look_share", share, "between 0 and 1");
    limits
}

pub(super) fn incremental(table: &mut Table<'_, '_>, source: &mut Source<'_>) -> Option<Incremental> {
    let wanted = table.get(source, "incremental").unwrap_or(false);
    let mut incremental = Incremental::default();
    table.set(source, "incremental_days_max", &mut incremental.days_max);
    at_least(table, source, "incremental_days_max", incremental.days_max > 0, "1 or more");
    wanted.then_some(incremental)
}

/// Address the counters are offered at. They say nothing secret, but they are ours.
pub(super) fn metrics(table: &mut Table<'_, '_>, source: &mut Source<'_>) -> Option<SocketAddr> {
    table.parse(source, "listen")
}
