//! What a new run begins with: every seed, and every address known from earlier runs.

use std::sync::Arc;

use jiff::Timestamp;
use xunjian_frontier::{EmbeddedFrontier, Frontier, Item};
use xunjian_model::{LeftOut, LinkState, PageUrl, SiteId, Target, UrlRecord};
use xunjian_store::{Space, Store, StoreError};

use crate::setup::{CrawlSetup, Incremental};
use crate::{site_crawl, site_key};

/// Addresses queued in one batch.
const BATCH: usize = 4_096;
/// Seconds of a day.
const DAY: f64 = 86_400.0;
/// Chance that a file or a link outside changes within a night, as far as that decides whose turn it is.
const FILE_CHANGE: f64 = 0.1;

/// Queues them, in the place of what a night before left in the queue. Doing it twice changes nothing, so an interrupted
/// seeding is simply done again.
pub fn seed(store: &Arc<Store>, setup: &CrawlSetup, now: Timestamp) -> Result<(), StoreError> {
    forget(store, Space::Queue)?;
    let frontier = EmbeddedFrontier::new(Arc::clone(store));
    let owners = setup.sites.iter().map(|site| Some(&site.id)).chain(std::iter::once(None));
    let mut batch = store.begin();
    for site in &setup.sites {
        let home = std::iter::once((&site.url, 0));
        for (url, depth) in home.chain(site.seeds.iter().map(|seed| (seed, 1))) {
            match store.url(Some(&site.id), url.as_str())? {
                Some(known) if known.run == setup.run => continue,
                Some(_) => {}
                None => {
                    let record = UrlRecord::discovered(Some(site.id.clone()), Target::Page, depth, now);
                    batch.put_url(Some(&site.id), url.as_str(), &record)?;
                }
            }
            frontier.put(&mut batch, &Item::new(url.clone(), Some(site.id.clone()), Target::Page, depth))?;
        }
    }
    let mut count = 0;
    for owner in owners {
        let mut not_due = 0;
        for row in store.urls(owner) {
            let (url, record) = row?;
            let Ok(url) = PageUrl::parse(&url) else { continue };
            if record.run == setup.run || owner.is_none() && !setup.limits.outside {
                continue;
            }
            // The register may call another page the home page than it did when this was found.
            let depth = if record.depth == 0 && !setup.sites.iter().any(|site| site.url == url) {
                1
            } else {
                record.depth
            };
            let target = target_now(&url, owner, record.target);
            let item = match is_unseen(&record) {
                true => Item::unseen(url, owner.cloned(), target, depth),
                false => Item::known(url, owner.cloned(), target, depth, change_since(&record, now)),
            };
            if setup.incremental.is_some_and(|incremental| !is_due(&item, &record, incremental, now)) {
                not_due += 1;
                continue;
            }
            frontier.put(&mut batch, &item)?;
            count += 1;
            if count % BATCH == 0 {
                batch.commit()?;
                batch = store.begin();
            }
        }
        if let Some(site) = owner.filter(|_| not_due > 0) {
            let mut crawl = site_crawl(store, setup.run, site)?;
            crawl.left_out.insert(LeftOut::NotDue.word().to_owned(), not_due);
            batch.put(Space::Run, &site_key(setup.run, site).each_ref().map(Vec::as_slice), &crawl)?;
        }
    }
    batch.commit()
}

/// Empties a queue. What was in it is known by its record.
fn forget(store: &Store, queue: Space) -> Result<(), StoreError> {
    let mut batch = store.begin();
    for (count, key) in store.keys(queue, &[]).enumerate() {
        batch.delete(queue, &[&key?]);
        if count % BATCH == BATCH - 1 {
            batch.commit()?;
            batch = store.begin();
        }
    }
    batch.commit()
}

/// Queues known addresses to be asked once more; those that are not known are left out. Answers
/// with how many were queued.
pub fn queue_again(store: &Arc<Store>, wanted: &[(Option<SiteId>, String)]) -> Result<usize, StoreError> {
    let frontier = EmbeddedFrontier::again(Arc::clone(store));
    // What a look that was cut short left behind.
    forget(store, Space::Again)?;
    let mut batch = store.begin();
    let mut queued = 0;
    for (owner, text) in wanted {
        let Ok(url) = PageUrl::parse(text) else { continue };
        let Some(record) = store.url(owner.as_ref(), url.as_str())? else { continue };
        let target = target_now(&url, owner.as_ref(), record.target);
        frontier.put(&mut batch, &Item::new(url, owner.clone(), target, record.depth))?;
        queued += 1;
    }
    batch.commit()?;
    Ok(queued)
}

/// Whether earlier runs meant to ask for an address and did not come to it.
fn is_unseen(record: &UrlRecord) -> bool {
    let for_want_of_time = |reason| {
        use LeftOut::{BytesMax, Fault, HostDown, Limited, PagesMax, TimeMax};
        matches!(reason, PagesMax | BytesMax | TimeMax | HostDown | Limited | Fault)
    };
    record.state.is_none() && record.left_out.is_none_or(for_want_of_time)
}

/// How likely an address is to have changed since it was asked for, and whether the night before did not come to it. The
/// longer ago, the likelier: however short the nights are, its turn comes.
fn change_since(record: &UrlRecord, now: Timestamp) -> (f64, bool) {
    let days = record.checked_at.map_or(0.0, |checked| now.duration_since(checked).as_secs_f64() / DAY);
    let nights = days.round().max(1.0);
    let in_a_night = match record.target {
        Target::Page | Target::Document => record.expected_change(),
        Target::Resource | Target::Outside | Target::OutsideResource => FILE_CHANGE,
    };
    (1.0 - (1.0 - in_a_night).powf(nights), nights > 1.0)
}

/// How a known address is treated now: an earlier version could read the text of fewer documents.
fn target_now(url: &PageUrl, owner: Option<&SiteId>, known: Target) -> Target {
    let read = known == Target::Resource && owner.is_some() && xunjian_page::is_document(url);
    if read { Target::Document } else { known }
}

/// Whether an address is asked for in an incremental run: what is not well, entrances, and every
/// page as often as it changes.
fn is_due(item: &Item, record: &UrlRecord, incremental: Incremental, now: Timestamp) -> bool {
    let Some(checked) = record.checked_at.filter(|_| record.state == Some(LinkState::Ok)) else {
        return true;
    };
    if item.is_entrance() {
        return true;
    }
    let days = now.duration_since(checked).as_secs_f64() / DAY;
    let most = f64::from(incremental.days_max.max(1));
    let interval = match item.target {
        // A page that changes every second night is asked for every second night.
        Target::Page => (1.0 / record.expected_change().max(0.01)).clamp(1.0, most),
        _ => most.min(3.0),
    };
    // A night may begin a little earlier than the last one did.
    days + 0.25 >= interval
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_due_as_often_as_they_change() {
        let now = Timestamp::now();
        let incremental = Incremental { days_max: 7 };
        let page = |path: &str, days: i64, seen: u32, changes: u32, state: LinkState| {
            let url = PageUrl::parse(&format!("http://a.cn{path}")).expect("url");
            let record = UrlRecord {
                seen,
                changes,
                state: Some(state),
                checked_at: Some(now - jiff::SignedDuration::from_hours(24 * days)),
                ..UrlRecord::discovered(None, Target::Page, 4, now)
            };
            let item = Item::known(url, None, Target::Page, 4, change_since(&record, now));
            is_due(&item, &record, incremental, now)
        };
        assert!(page("/1.html", 1, 20, 20, LinkState::Ok), "it changes every night");
        assert!(!page("/1.html", 1, 20, 0, LinkState::Ok), "it never changed");
        assert!(page("/1.html", 7, 20, 0, LinkState::Ok), "once a week all the same");
        assert!(page("/1.html", 1, 20, 0, LinkState::Gone(404)), "it is not well");
        assert!(!page("/1.html", 1, 20, 10, LinkState::Ok), "it changes every second night");
        assert!(page("/1.html", 2, 20, 10, LinkState::Ok), "it changes every second night");
    }

    /// A site of 700 pages and 300 pictures of which each night sees 250, some of them changing each night.
    #[test]
    fn however_short_the_nights_are_every_turn_comes() {
        const ADDRESSES: usize = 1_000;
        const A_NIGHT: usize = 250;
        let begun: Timestamp = "2026-06-01T14:00:00Z".parse().expect("a moment");
        let target = |at: usize| if at % 10 < 7 { Target::Page } else { Target::Resource };
        let url = |at: usize| PageUrl::parse(&format!("http://a.cn/{at}")).expect("an address");
        let record = |at| UrlRecord::discovered(None, target(at), 2, begun);
        let mut records: Vec<UrlRecord> = (0..ADDRESSES).map(record).collect();
        let mut seen_last = [0; ADDRESSES];
        for night in 1..=60_i64 {
            let now = begun + jiff::SignedDuration::from_hours(24 * night);
            let item = |at: usize| match is_unseen(&records[at]) {
                true => Item::unseen(url(at), None, target(at), 2),
                false => Item::known(url(at), None, target(at), 2, change_since(&records[at], now)),
            };
            let mut turns: Vec<(u8, usize)> = (0..ADDRESSES).map(|at| (item(at).rank, at)).collect();
            turns.sort_unstable();
            for (_, at) in &turns[..A_NIGHT] {
                let record = &mut records[*at];
                record.state = Some(LinkState::Ok);
                record.checked_at = Some(now);
                record.seen += 1;
                record.changes += u32::from(at % 50 == 0 && record.seen > 1);
                seen_last[*at] = night;
            }
            // Whatever was never seen has come by the fourth night, and nothing waits for much longer ever after.
            if night >= 4 {
                let longest = seen_last.iter().map(|last| night - last).max();
                assert!(longest < Some(if night == 4 { 4 } else { 14 }), "night {night}: {longest:?}");
            }
        }
        // What changes each night is seen more often than the rest.
        let nights = |at: usize| records[at].seen;
        assert!(nights(50) > 2 * nights(51), "{} {}", nights(50), nights(51));
    }
}
