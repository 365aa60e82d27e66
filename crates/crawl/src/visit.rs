//! One item from the frontier to its outcome.

use std::time::SystemTime;

use xunjian_fetch::{Answer, Ask, Failure};
use xunjian_frontier::Item;
use xunjian_model::{BodyHash, Facts, Hop, LinkKind, LinkState, PageUrl, Snapshot, Target, UrlRecord};
use xunjian_page::{EXTRACTOR_VERSION, extract, is_html};

use crate::host::{HostState, is_connection_failure, now};
use crate::politeness::retry_after;
use crate::soft404::SoftPage;
use crate::writer::{Outcome, Page, Visit};
use crate::{Progress, Shared};

/// Times an item is asked when the host says "wait".
const LIMITED_TRIES: u32 = 4;
/// Times an item is asked when the answer may be an accident.
const TRANSIENT_TRIES: u32 = 2;
/// Bytes of an outside page that are looked at.
const OUTSIDE_BYTES: usize = 32 << 10;

/// Visits an item; `None` when the run stops before it is done.
pub(crate) async fn visit(shared: &Shared, host: &HostState, item: Item) -> Option<Outcome> {
    let known = match shared.store.url(item.site.as_ref(), item.url.as_str()) {
        Ok(known) => known,
        Err(error) => {
            tracing::error!(url = %item.url, %error, "the store cannot be read");
            shared.stop.stop();
            return None;
        }
    };
    let record =
        known.unwrap_or_else(|| UrlRecord::discovered(item.site.clone(), item.target, item.depth, now()));
    if let Some(reason) = left_out(shared, host, &item) {
        return Some(leave_out(shared, host, item, record, reason));
    }
    let fetched = ask(shared, host, &item, &record).await?;
    Some(Outcome::Visit(Box::new(conclude(shared, host, item, record, fetched))))
}

fn left_out(shared: &Shared, host: &HostState, item: &Item) -> Option<&'static str> {
    let home = item.site.is_some() && item.depth == 0;
    if item.site.is_some() && !home && !host.robots.allows(item.url.path_and_query()) {
        return Some("robots");
    }
    if host.is_down(shared) {
        return Some("host-down");
    }
    if item.target == Target::Page && !host.may_visit_page(shared) {
        return Some("pages-max");
    }
    None
}

fn leave_out(
    shared: &Shared,
    host: &HostState,
    item: Item,
    mut record: UrlRecord,
    reason: &'static str,
) -> Outcome {
    record.run = shared.setup.run;
    if reason == "robots" {
        record.state = Some(LinkState::Robots);
    } else if item.site.is_none() {
        // Nobody answers there: what the last try showed holds for all its addresses.
        record.state = Some(host.last_failure().unwrap_or(LinkState::Timeout));
    }
    Outcome::Visit(Box::new(Visit {
        site_opened: None,
        left_out: item.site.is_some().then_some(reason),
        links: Vec::new(),
        page: None,
        item,
        record,
    }))
}

async fn ask(
    shared: &Shared,
    host: &HostState,
    item: &Item,
    record: &UrlRecord,
) -> Option<Result<Answer, Failure>> {
    let mut tries = 0;
    loop {
        tries += 1;
        let fetched = ask_once(shared, host, item, record).await;
        let state = match &fetched {
            Ok(answer) => answer.state(),
            Err(failure) => failure.state.clone(),
        };
        match is_connection_failure(&state) {
            true => host.failed(&state),
            false => host.answered(),
        }
        let tries_max = match &state {
            LinkState::Limited(_) => {
                let asked = fetched.as_ref().ok().and_then(|answer| answer.header("retry-after"));
                let asked = asked.and_then(|value| retry_after(value, SystemTime::now()));
                host.block(shared, asked);
                LIMITED_TRIES
            }
            state if state.is_transient() => TRANSIENT_TRIES,
            _ => 1,
        };
        if tries >= tries_max || host.is_down(shared) {
            return Some(fetched);
        }
        if !matches!(state, LinkState::Limited(_)) {
            shared.stop.sleep(shared.setup.limits.retry_pause).await;
        }
        host.turn(shared).await;
        if shared.stop.is_stopped() {
            return None;
        }
    }
}

async fn ask_once(
    shared: &Shared,
    host: &HostState,
    item: &Item,
    record: &UrlRecord,
) -> Result<Answer, Failure> {
    let get = Ask::get(item.url.clone());
    match item.target {
        Target::Page => {
            let has_body = record.body_hash.is_some();
            let etag = record.etag.clone().filter(|_| has_body);
            let last_modified = record.last_modified.clone().filter(|_| has_body);
            shared.fetcher.fetch(Ask { etag, last_modified, ..get }).await
        }
        Target::Outside => shared.fetcher.fetch(Ask { body_bytes_max: OUTSIDE_BYTES, ..get }).await,
        Target::Resource | Target::OutsideResource => {
            let head = Ask { head: true, text_only: false, ..get.clone() };
            let answer = shared.fetcher.fetch(head).await;
            match &answer {
                // Many servers answer HEAD wrongly; only a GET is believed when it looks bad.
                Ok(seen) if seen.state() != LinkState::Ok => {
                    host.turn(shared).await;
                    shared.fetcher.fetch(Ask { text_only: false, ..get }).await
                }
                _ => answer,
            }
        }
    }
}

fn conclude(
    shared: &Shared,
    host: &HostState,
    item: Item,
    mut record: UrlRecord,
    fetched: Result<Answer, Failure>,
) -> Visit {
    let at = now();
    record.run = shared.setup.run;
    record.checked_at = Some(at);
    record.depth = record.depth.min(item.depth);
    let mut page = None;
    let mut links = Vec::new();
    match fetched {
        Err(failure) => {
            record.state = Some(failure.state);
            record.status = 0;
            Progress::add(&shared.progress.failed, 1);
        }
        Ok(answer) if answer.status == 304 => {
            record.state = Some(LinkState::Ok);
            record.status = 304;
            record.not_modified += 1;
            Progress::add(&shared.progress.not_modified, 1);
        }
        Ok(answer) => {
            record.state = Some(answer.state());
            record.status = answer.status;
            record.final_url = (!answer.hops.is_empty()).then(|| answer.final_url.to_string());
            record.media_type = answer.header("content-type").map(str::to_owned);
            if answer.state() == LinkState::Ok {
                let html = is_html(answer.header("content-type"), &answer.body);
                match item.target {
                    Target::Resource | Target::OutsideResource if html => {
                        record.state = Some(LinkState::NotTheFile);
                    }
                    Target::Outside if html => {
                        let facts = facts_of(shared, &answer);
                        if let Some(state) = (shared.setup.content_check)(&facts, Target::Outside) {
                            record.state = Some(state);
                        }
                    }
                    Target::Page if html => {
                        (page, links) = read_page(shared, host, &item, &mut record, answer, at);
                    }
                    _ => {}
                }
            }
        }
    }
    if item.target != Target::Page {
        Progress::add(&shared.progress.checked, 1);
    }
    let opened =
        record.state.as_ref().map(|state| !state.is_unreachable() || matches!(state, LinkState::Gone(_)));
    Visit {
        site_opened: opened.filter(|_| item.site.is_some() && item.target == Target::Page),
        left_out: None,
        item,
        record,
        page,
        links,
    }
}

fn facts_of(shared: &Shared, answer: &Answer) -> Facts {
    extract(&answer.body, answer.header("content-type"), &answer.final_url, shared.setup.page)
}

fn read_page(
    shared: &Shared,
    host: &HostState,
    item: &Item,
    record: &mut UrlRecord,
    answer: Answer,
    at: jiff::Timestamp,
) -> (Option<Page>, Vec<Item>) {
    Progress::add(&shared.progress.pages, 1);
    Progress::add(&shared.progress.body_bytes, answer.body.len() as u64);
    if !answer.hops.is_empty() {
        // The content belongs to the address it came from, which is visited for itself.
        let next = item_of(shared, &answer.final_url, LinkKind::Page, item.depth.saturating_add(1));
        return (None, next.into_iter().collect());
    }
    let body_hash = BodyHash::of(&answer.body);
    record.etag = answer.header("etag").map(str::to_owned);
    record.last_modified = answer.header("last-modified").map(str::to_owned);
    if record.body_hash == Some(body_hash) {
        record.same_hash += 1;
        Progress::add(&shared.progress.same_hash, 1);
        return (None, Vec::new());
    }
    let mut facts = facts_of(shared, &answer);
    if answer.truncated {
        facts.problems.push(xunjian_model::Problem::Truncated);
    }
    let soft = host.soft.as_ref().is_some_and(|soft| *soft == SoftPage::of(&facts) && item.depth > 0);
    if soft {
        record.state = Some(LinkState::Soft404);
    } else if let Some(state) = (shared.setup.content_check)(&facts, Target::Page) {
        record.state = Some(state);
    }
    if record.state != Some(LinkState::Ok) {
        record.body_hash = None;
        record.facts = None;
        return (None, Vec::new());
    }
    let links = new_items(shared, item, &facts);
    record.body_hash = Some(body_hash);
    record.snapshot_at = Some(at);
    record.not_modified = 0;
    record.same_hash = 0;
    let snapshot = Snapshot {
        url: item.url.clone(),
        fetched_at: at,
        status: answer.status,
        final_url: None,
        hops: Vec::<Hop>::new(),
        headers: answer.headers,
        timings: answer.timings,
        tls: answer.tls,
        body_hash,
        body_bytes: answer.body.len() as u64,
        truncated: answer.truncated,
    };
    let page = Page { snapshot, body: answer.body, facts, extractor: EXTRACTOR_VERSION };
    (Some(page), links)
}

fn new_items(shared: &Shared, item: &Item, facts: &Facts) -> Vec<Item> {
    let depth = item.depth.saturating_add(1);
    let linked = facts.links.iter().map(|link| (link.url.as_str(), link.kind));
    let refresh = facts.refresh.iter().map(|url| (url.as_str(), LinkKind::Page));
    let mut seen = std::collections::HashSet::new();
    linked
        .chain(refresh)
        .filter(|(url, _)| seen.insert(*url))
        .filter_map(|(url, kind)| item_of(shared, &PageUrl::parse(url).ok()?, kind, depth))
        .collect()
}

fn item_of(shared: &Shared, url: &PageUrl, kind: LinkKind, depth: u16) -> Option<Item> {
    let site = shared.owner(url).map(|site| site.id.clone());
    if site.is_none() && !shared.setup.limits.outside {
        return None;
    }
    let target = match (kind, &site) {
        (LinkKind::Page | LinkKind::Frame, Some(_)) => Target::Page,
        (LinkKind::Page | LinkKind::Frame, None) => Target::Outside,
        (LinkKind::Image | LinkKind::Attachment | LinkKind::Media, Some(_)) => Target::Resource,
        (LinkKind::Image | LinkKind::Attachment | LinkKind::Media, None) => Target::OutsideResource,
        (LinkKind::Script | LinkKind::Style | LinkKind::Form, _) => return None,
    };
    Some(Item { url: url.clone(), site, target, depth })
}
