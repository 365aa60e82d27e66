//! One item from the frontier to its outcome.

use xunjian_fetch::{Answer, Ask, Failure, Want};
use xunjian_frontier::Item;
use xunjian_model::{
    BodyHash, Facts, Hop, LeftOut, LinkKind, LinkState, PageUrl, Problem, Snapshot, Target, UrlRecord,
};
use xunjian_page::{EXTRACTOR_VERSION, extract, is_html};

use crate::block_page::{self, Same, text_hash};
use crate::hosts::{HostState, lock};
use crate::prepare::soft_page;
use crate::writer::{Outcome, Page, Visit};
use crate::{Progress, Shared, now};

/// Bytes of an outside page that are looked at.
const OUTSIDE_BYTES: usize = 32 << 10;
/// First bytes of a file: enough to tell what it is.
const FIRST_BYTES: usize = 1_024;

/// Times a page that refuses by its words is asked for, with a block in between.
const REFUSED_TRIES: u32 = 3;
/// The same for a home page, without which the site is not seen at all.
const REFUSED_HOME_TRIES: u32 = 5;

/// How a visit ended.
pub(crate) enum Visited {
    /// With an outcome for the writer.
    Done(Outcome),
    /// It seems dead; to be asked once more after a pause.
    Later(Item),
    /// The run stops before it is done.
    Stopped,
}

/// Visits an item; `again` says that it seemed dead before.
pub(crate) async fn visit(shared: &Shared, host: &HostState, item: Item, again: bool) -> Visited {
    let known = match shared.store.url(item.site.as_ref(), item.url.as_str()) {
        Ok(known) => known,
        Err(error) => {
            tracing::error!(url = %item.url, %error, "the store cannot be read");
            shared.stop.stop();
            return Visited::Stopped;
        }
    };
    let record =
        known.unwrap_or_else(|| UrlRecord::discovered(item.site.clone(), item.target, item.depth, now()));
    if let Some(reason) = left_out(shared, host, &item, again) {
        return Visited::Done(leave_out(shared, host, item, record, reason));
    }
    let mut tries = 0;
    loop {
        tries += 1;
        let fetched = ask(shared, host, &item, &record).await;
        // A block has to be known before the visit ends, which may be long after it.
        shared.keep_host(host).await;
        if shared.stop.is_stopped() && fetched.is_err() {
            return Visited::Stopped;
        }
        let state = match &fetched {
            Ok(answer) => answer.state(),
            Err(failure) => failure.state.clone(),
        };
        let limited = matches!(state, LinkState::Limited(_));
        let given_up = host.is_given_up(shared.setup.limits.failures_max);
        if limited && tries < shared.setup.limits.limited_tries_max && !given_up {
            continue;
        }
        // A host that is down is asked again after its block, not after the pause of one address.
        let down = host.owner.is_some() && crate::gate::is_connection_failure(&state);
        if down && !given_up && tries < shared.setup.limits.limited_tries_max {
            shared.stop.sleep(shared.setup.limits.retry_pause).await;
            continue;
        }
        let seems_dead = state.is_dead() || state.is_transient() && !limited;
        if seems_dead && !again && !given_up && record.state.as_ref() != Some(&state) {
            return Visited::Later(item);
        }
        match conclude(shared, host, &item, &record, fetched).await {
            Ok(outcome) => return Visited::Done(outcome),
            Err(Refused { tries_max }) if tries < tries_max && !given_up => {}
            Err(_) => {
                // Other pages with this text are not waited for.
                lock(&host.sameness).give_up_refusal();
                return Visited::Done(leave_out(shared, host, item, record, LeftOut::Limited));
            }
        }
    }
}

fn left_out(shared: &Shared, host: &HostState, item: &Item, again: bool) -> Option<LeftOut> {
    let site = item.site.as_ref().and_then(|site| shared.sites.get(site));
    if host.is_given_up(shared.setup.limits.failures_max) {
        return Some(if host.is_limited() { LeftOut::Limited } else { LeftOut::HostDown });
    }
    let site = site?;
    let home = item.depth == 0;
    if let Some(prepared) = host.is_prepared().filter(|_| !home)
        && !prepared.robots.allows(item.url.path_and_query())
    {
        let reachable = prepared.robots.is_reachable();
        return Some(if reachable { LeftOut::Robots } else { LeftOut::RobotsUnreachable });
    }
    if item.target == Target::Page && !home && !again {
        if site.is_cut(&item.url) {
            return Some(LeftOut::Trap);
        }
        return site.spend_page(&shared.setup.limits);
    }
    None
}

fn leave_out(
    shared: &Shared,
    host: &HostState,
    item: Item,
    mut record: UrlRecord,
    reason: LeftOut,
) -> Outcome {
    record.run = shared.setup.run;
    record.left_out = Some(reason);
    match reason {
        LeftOut::Robots => record.state = Some(LinkState::Robots),
        // What the last try showed holds for all addresses of a host that nobody answers at.
        LeftOut::HostDown | LeftOut::Limited if item.site.is_none() || item.depth == 0 => {
            record.state = Some(host.last_failure().unwrap_or(LinkState::Timeout));
        }
        _ => {}
    }
    let opened = (item.site.is_some() && item.depth == 0).then_some(false);
    Outcome::Visit(Box::new(Visit {
        site_opened: opened,
        left_out: item.site.is_some().then_some(reason),
        links: Vec::new(),
        page: None,
        deleted: false,
        line: None,
        item,
        record,
    }))
}

async fn ask(shared: &Shared, host: &HostState, item: &Item, record: &UrlRecord) -> Result<Answer, Failure> {
    let site = item.site.as_ref().and_then(|site| shared.sites.get(site));
    let cookies = site.and_then(|site| site.cookies.clone());
    let get = Ask { cookies, keep_alive: host.owner.is_some(), ..Ask::get(item.url.clone()) };
    let has_body = record.body_hash.is_some();
    let etag = record.etag.clone().filter(|_| has_body);
    let last_modified = record.last_modified.clone().filter(|_| has_body);
    match item.target {
        Target::Page => shared.fetcher.fetch(Ask { etag, last_modified, ..get }, shared).await,
        Target::Document => {
            let body_bytes_max = shared.setup.limits.document_bytes_max;
            let ask = Ask { etag, last_modified, want: Want::Whole, body_bytes_max, ..get };
            shared.fetcher.fetch(ask, shared).await
        }
        // One request tells both whether the page is there and whether it still is what it was.
        Target::Outside => {
            shared.fetcher.fetch(Ask { want: Want::First(OUTSIDE_BYTES), ..get }, shared).await
        }
        Target::Resource | Target::OutsideResource => {
            let head = Ask { head: true, want: Want::First(FIRST_BYTES), ..get.clone() };
            let answer = shared.fetcher.fetch(head, shared).await;
            match &answer {
                // Many servers answer HEAD wrongly; only a GET is believed when it looks bad.
                Ok(seen) if seen.state() != LinkState::Ok => {
                    shared.fetcher.fetch(Ask { want: Want::First(FIRST_BYTES), ..get }, shared).await
                }
                _ => answer,
            }
        }
    }
}

/// A refusal in the place of content: nothing of it is kept, and it is asked for again so often.
struct Refused {
    tries_max: u32,
}

/// Makes an outcome of what came.
async fn conclude(
    shared: &Shared,
    host: &HostState,
    item: &Item,
    known: &UrlRecord,
    fetched: Result<Answer, Failure>,
) -> Result<Outcome, Refused> {
    let at = now();
    let mut record = known.clone();
    record.run = shared.setup.run;
    record.checked_at = Some(at);
    record.depth = record.depth.min(item.depth);
    record.left_out = None;
    let mut page = None;
    let mut links = Vec::new();
    let line = log_line(item, &fetched);
    match fetched {
        Err(failure) => {
            record.state = Some(failure.state);
            record.status = 0;
            record.hops = failure.hops;
            Progress::add(&shared.progress.failed, 1);
        }
        Ok(answer) if answer.status == 304 && known.body_hash.is_none() => {
            record.state = Some(LinkState::Broken("304 to a question without validators".to_owned()));
            record.status = 304;
            Progress::add(&shared.progress.failed, 1);
        }
        Ok(answer) if answer.status == 304 => {
            record.state = Some(LinkState::Ok);
            record.status = 304;
            record.not_modified += 1;
            record.seen += 1;
            Progress::add(&shared.progress.not_modified, 1);
        }
        Ok(answer) => {
            record.state = Some(answer.state());
            record.status = answer.status;
            record.final_url = (!answer.hops.is_empty()).then(|| answer.final_url.to_string());
            record.hops.clone_from(&answer.hops);
            record.media_type = answer.header("content-type").map(str::to_owned);
            if answer.state() == LinkState::Ok {
                match look(shared, host, item, &mut record, answer, at).await {
                    Looked::Nothing => {}
                    Looked::Page(read, found) => (page, links) = (read, found),
                    Looked::Refused(outcomes, refused) => {
                        // The pages before it were refusals, too: they go back into the queue now,
                        // not after the host's block.
                        for outcome in outcomes {
                            shared.send(outcome).await;
                        }
                        return Err(refused);
                    }
                }
            }
        }
    }
    let was_there = known.snapshot_at.is_some() && known.gone_since.is_none();
    let gone = matches!(record.state, Some(LinkState::Gone(_) | LinkState::Soft404));
    let deleted = gone && was_there;
    if deleted {
        record.gone_since = Some(at);
        Progress::add(&shared.progress.deleted, 1);
    } else if record.state == Some(LinkState::Ok) {
        record.gone_since = None;
    }
    if item.target != Target::Page {
        Progress::add(&shared.progress.checked, 1);
    }
    let opened =
        record.state.as_ref().map(|state| !state.is_unreachable() || matches!(state, LinkState::Gone(_)));
    let visit = Visit {
        site_opened: opened.filter(|_| item.site.is_some() && item.target == Target::Page),
        left_out: None,
        item: item.clone(),
        record,
        page,
        links,
        deleted,
        line: Some(line),
    };
    Ok(Outcome::Visit(Box::new(visit)))
}

/// A line of the crawl's log: what was asked and what came.
fn log_line(item: &Item, fetched: &Result<Answer, Failure>) -> String {
    match fetched {
        Ok(answer) => {
            let hops: String = answer.hops.iter().map(|hop| format!(" {}→", hop.status)).collect();
            let kind = answer.header("content-type").unwrap_or("-").replace(' ', "");
            format!(
                "{}{hops} {} {}ms {kind} {:?} d{} {}",
                answer.status,
                answer.body.len(),
                answer.timings.total_ms,
                item.target,
                item.depth,
                item.url
            )
        }
        Err(failure) => {
            format!(
                "{} 0 - - {:?} d{} {}",
                failure.state.describe().replace(' ', "_"),
                item.target,
                item.depth,
                item.url
            )
        }
    }
}

enum Looked {
    Nothing,
    Page(Option<Box<Page>>, Vec<Item>),
    Refused(Vec<Outcome>, Refused),
}

/// Looks at what came with a good status.
async fn look(
    shared: &Shared,
    host: &HostState,
    item: &Item,
    record: &mut UrlRecord,
    answer: Answer,
    at: jiff::Timestamp,
) -> Looked {
    let html = is_html(answer.header("content-type"), &answer.body);
    match item.target {
        Target::Resource | Target::OutsideResource if html => {
            record.state = Some(LinkState::NotTheFile);
            Looked::Nothing
        }
        Target::Document => read_document(shared, item, record, answer, html, at),
        Target::Outside if html => {
            let facts = facts_of(shared, &answer);
            if block_page::is_refusal(&facts, &shared.setup.politeness.block_pages) {
                record.state = Some(LinkState::Limited(answer.status));
            } else if let Some(state) = (shared.setup.content_check)(&facts, Target::Outside) {
                record.state = Some(state);
            } else if item.url.path() != "/" && is_soft_outside(shared, host, item, &facts).await {
                record.state = Some(LinkState::Soft404);
            }
            Looked::Nothing
        }
        Target::Page if html => read_page(shared, host, item, record, answer, at).await,
        _ => Looked::Nothing,
    }
}

/// Whether an outside page is what its host shows for pages that do not exist.
async fn is_soft_outside(shared: &Shared, host: &HostState, item: &Item, facts: &Facts) -> bool {
    let Ok(home) = item.url.join("/") else { return false };
    soft_page(shared, host, &home).await == Some(text_hash(facts))
}

fn facts_of(shared: &Shared, answer: &Answer) -> Facts {
    let mut facts =
        extract(&answer.body, answer.header("content-type"), &answer.final_url, shared.setup.page);
    if answer.truncated {
        facts.problems.push(Problem::Truncated);
    }
    for value in answer.headers.iter().filter(|(name, _)| name == "x-robots-tag").map(|(_, value)| value) {
        let value = value.to_ascii_lowercase();
        facts.nofollow |= value.contains("nofollow") || value.contains("none");
        facts.noindex |= value.contains("noindex") || value.contains("none");
    }
    facts
}

async fn read_page(
    shared: &Shared,
    host: &HostState,
    item: &Item,
    record: &mut UrlRecord,
    answer: Answer,
    at: jiff::Timestamp,
) -> Looked {
    Progress::add(&shared.progress.pages, 1);
    Progress::add(&shared.progress.body_bytes, answer.body.len() as u64);
    if let Some(site) = item.site.as_ref().and_then(|site| shared.sites.get(site)) {
        site.spend_bytes(answer.body.len());
    }
    if !answer.hops.is_empty() && answer.final_url != item.url {
        // The content belongs to the address it came from, which is visited for itself.
        let next = item_of(shared, &answer.final_url, LinkKind::Page, item.depth.saturating_add(1));
        return Looked::Page(None, next.into_iter().collect());
    }
    let body_hash = BodyHash::of(&answer.body);
    if record.body_hash == Some(body_hash) {
        record.etag = answer.header("etag").map(str::to_owned);
        record.last_modified = answer.header("last-modified").map(str::to_owned);
        record.same_hash += 1;
        record.seen += 1;
        Progress::add(&shared.progress.same_hash, 1);
        return Looked::Page(None, Vec::new());
    }
    let facts = facts_of(shared, &answer);
    let text = text_hash(&facts);
    let soft = host.is_prepared().and_then(|prepared| prepared.soft);
    if item.depth > 0 && soft == Some(text) {
        record.state = Some(LinkState::Soft404);
    } else if block_page::is_refusal(&facts, &shared.setup.politeness.block_pages) {
        if !lock(&host.sameness).is_refusal(text) {
            record.state = Some(LinkState::Limited(answer.status));
            record.left_out = Some(LeftOut::Limited);
            return Looked::Nothing;
        }
        host.limited(&shared.setup.politeness, 200, None);
        Progress::add(&shared.progress.limited, 1);
        // The words may also stand on a page that is simply about them; that must not hold up
        // the host for long.
        let tries_max = if item.depth == 0 { REFUSED_HOME_TRIES } else { REFUSED_TRIES };
        return Looked::Refused(Vec::new(), Refused { tries_max });
    } else if let Some(state) = (shared.setup.content_check)(&facts, Target::Page) {
        record.state = Some(state);
    }
    if record.state != Some(LinkState::Ok) {
        record.body_hash = None;
        record.facts = None;
        return Looked::Page(None, Vec::new());
    }
    if item.depth > 0
        && let Some(refused) = refused_alike(shared, host, item, &facts, text).await
    {
        host.limited(&shared.setup.politeness, 200, None);
        let tries_max = shared.setup.limits.limited_tries_max;
        return Looked::Refused(refused, Refused { tries_max });
    }
    record.etag = answer.header("etag").map(str::to_owned);
    record.last_modified = answer.header("last-modified").map(str::to_owned);
    let links = new_items(shared, item, &facts);
    let page = new_version(record, item, answer, (facts, text), at);
    Looked::Page(Some(Box::new(page)), links)
}

/// A new version of a page or document.
fn new_version(
    record: &mut UrlRecord,
    item: &Item,
    answer: Answer,
    (facts, text): (Facts, BodyHash),
    at: jiff::Timestamp,
) -> Page {
    let body_hash = BodyHash::of(&answer.body);
    if record.snapshot_at.is_some() {
        record.changes += 1;
    }
    record.seen += 1;
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
    Page { snapshot, body: answer.body, facts, extractor: EXTRACTOR_VERSION, text }
}

fn read_document(
    shared: &Shared,
    item: &Item,
    record: &mut UrlRecord,
    answer: Answer,
    html: bool,
    at: jiff::Timestamp,
) -> Looked {
    let nothing = Looked::Page(None, Vec::new());
    // A web page, or a file of another kind than its name says: nobody can open it as that.
    if html || !xunjian_page::fits_name(&answer.body, &item.url) {
        record.state = Some(LinkState::NotTheFile);
        return nothing;
    }
    Progress::add(&shared.progress.body_bytes, answer.body.len() as u64);
    if let Some(site) = item.site.as_ref().and_then(|site| shared.sites.get(site)) {
        site.spend_bytes(answer.body.len());
    }
    record.etag = answer.header("etag").map(str::to_owned);
    record.last_modified = answer.header("last-modified").map(str::to_owned);
    if record.body_hash == Some(BodyHash::of(&answer.body)) {
        record.same_hash += 1;
        record.seen += 1;
        return nothing;
    }
    let facts = xunjian_page::document(&answer.body, &item.url, answer.truncated, shared.setup.page);
    let text = text_hash(&facts);
    let page = new_version(record, item, answer, (facts, text), at);
    Looked::Page(Some(Box::new(page)), Vec::new())
}

/// When many pages in a row are one and the same, the home page tells whether that is a refusal:
/// then it shows the same. The pages before this one, to be taken back.
async fn refused_alike(
    shared: &Shared,
    host: &HostState,
    item: &Item,
    facts: &Facts,
    text: BodyHash,
) -> Option<Vec<Outcome>> {
    let fingerprint = Some(text).filter(|_| block_page::may_be_refusal(facts));
    let same = lock(&host.sameness).add(item, fingerprint);
    match same {
        Same::Fine => return None,
        Same::Refused => return Some(Vec::new()),
        Same::Ask => {}
    }
    let site = item.site.as_ref().and_then(|site| shared.sites.get(site))?;
    let home = shared.fetcher.fetch(Ask::get(site.site.url.clone()), shared).await.ok();
    let shown = home.filter(|home| home.state() == LinkState::Ok).map(|home| facts_of(shared, &home));
    let mut sameness = lock(&host.sameness);
    if shown.is_some_and(|shown| text_hash(&shown) == text) {
        let before = sameness.take_refused().into_iter().filter(|other| other.url != item.url);
        return Some(before.map(Outcome::TakeBack).collect());
    }
    sameness.is_harmless();
    None
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
    let site = shared.owner(url);
    if site.is_none() && !shared.setup.limits.outside {
        return None;
    }
    let target = match (kind, &site) {
        (LinkKind::Page | LinkKind::Frame, Some(_)) => Target::Page,
        (LinkKind::Page | LinkKind::Frame, None) => Target::Outside,
        (LinkKind::Attachment, Some(_)) if xunjian_page::is_document(url) => Target::Document,
        (LinkKind::Image | LinkKind::Attachment | LinkKind::Media, Some(_)) => Target::Resource,
        (LinkKind::Image | LinkKind::Attachment | LinkKind::Media, None) => Target::OutsideResource,
        (LinkKind::Script | LinkKind::Style | LinkKind::Form, _) => return None,
    };
    let url = match site {
        Some(site) => site.canonical(url),
        None => url.clone(),
    };
    Some(Item::new(url, site.map(|site| site.site.id.clone()), target, depth))
}
