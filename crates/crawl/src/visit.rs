//! One item from the frontier to its outcome.

use xunjian_fetch::{Answer, Ask, Failure, Want};
use xunjian_frontier::Item;
use xunjian_model::{LeftOut, LinkState, PageUrl, Snapshot, Target, UrlRecord, View};
use xunjian_page::is_html;

use crate::hosts::{HostState, lock};
use crate::look::{Looked, Refused, look};
use crate::rendering::render_again;
use crate::second_look::look_again;
use crate::writer::{Outcome, Visit};
use crate::{Progress, Shared, now};

/// Bytes of an outside page that are looked at.
const OUTSIDE_BYTES: usize = 32 << 10;
/// First bytes of a file: enough to tell what it is.
const FIRST_BYTES: usize = 1_024;

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
        let fetched = ask(shared, host, &item, &record, again).await;
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
        let down = host.is_own() && crate::gate::is_connection_failure(&state);
        // A page that failed so the night before needs fewer tries.
        let known = record.state == Some(as_page_state(&state));
        let tries_least = if known { 1 } else { host.tries_of_page() };
        let alone = !given_up && tries >= tries_least && fails_alone(shared, host, &item, &state).await;
        if !alone && !given_up && tries < shared.setup.limits.limited_tries_max {
            if limited {
                continue;
            }
            // A host that is down is asked again after its block, not after the pause of one address.
            if down {
                shared.stop.sleep(shared.setup.limits.retry_pause).await;
                continue;
            }
        }
        let ours_fails = matches!(state, LinkState::Tls(_)) && host.is_own();
        let seems_dead = state.is_dead() || ours_fails || state.is_transient() && !limited;
        if seems_dead && !again && !given_up && !alone && record.state.as_ref() != Some(&state) {
            return Visited::Later(item);
        }
        match conclude(shared, host, &item, &record, fetched).await {
            Ok(mut outcome) => {
                if let Outcome::Visit(visit) = &mut outcome
                    && alone
                {
                    // The site opens all the same.
                    visit.site_opened = visit.site_opened.map(|_| true);
                    visit.record.state = Some(as_page_state(&state));
                }
                return Visited::Done(outcome);
            }
            Err(Refused { tries_max }) if tries < tries_max && !given_up => {}
            Err(_) => {
                // Other pages with this text are not waited for.
                lock(&host.sameness).give_up_refusal();
                return Visited::Done(leave_out(shared, host, item, record, LeftOut::Limited));
            }
        }
    }
}

/// What a failure says of a page that fails by itself: 503 does not ask to wait then.
fn as_page_state(state: &LinkState) -> LinkState {
    match state {
        LinkState::Limited(503) => LinkState::ServerError(503),
        other => other.clone(),
    }
}

/// Whether an address of a host of ours fails by itself, again and again, while the host answers others. Whoever
/// asks too often is told so by 429.
async fn fails_alone(shared: &Shared, host: &HostState, item: &Item, state: &LinkState) -> bool {
    let may_be = *state == LinkState::Limited(503) || crate::gate::is_connection_failure(state);
    let Ok(root) = PageUrl::parse(&format!("{}/", host.host)) else { return false };
    if !may_be || !host.is_own() || item.url == root || shared.is_home(item) {
        return false;
    }
    let answered = shared.fetch(Ask { want: Want::First(FIRST_BYTES), ..Ask::get(root) }).await;
    let alone = answered.is_ok_and(|answer| !matches!(answer.state(), LinkState::Limited(_)));
    if alone {
        host.has_broken_page();
    }
    alone
}

fn left_out(shared: &Shared, host: &HostState, item: &Item, again: bool) -> Option<LeftOut> {
    let site = item.site.as_ref().and_then(|site| shared.sites.get(site));
    if host.is_given_up(shared.setup.limits.failures_max) {
        return Some(host.why_given_up());
    }
    let site = site?;
    let home = site.is_home(item);
    if let Some(prepared) = host.is_prepared().filter(|_| !home)
        && !prepared.allows(&item.url, Some(&site.site))
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

/// What is left of a visit that broke off by a fault of ours: the other addresses are visited all the same.
pub(crate) fn broke_off(shared: &Shared, host: &HostState, item: Item) -> Visited {
    let known = shared.store.url(item.site.as_ref(), item.url.as_str()).ok().flatten();
    let record =
        known.unwrap_or_else(|| UrlRecord::discovered(item.site.clone(), item.target, item.depth, now()));
    Visited::Done(leave_out(shared, host, item, record, LeftOut::Fault))
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
        LeftOut::HostDown | LeftOut::Limited | LeftOut::Challenged
            if item.site.is_none() || shared.is_home(&item) =>
        {
            record.state = Some(host.last_failure().unwrap_or(LinkState::Timeout));
        }
        _ => {}
    }
    let home = shared.is_home(&item);
    // Our own fault says nothing of the site.
    let opened = (item.site.is_some() && home && reason != LeftOut::Fault).then_some(false);
    Outcome::Visit(Box::new(Visit {
        home,
        site_opened: opened,
        left_out: item.site.is_some().then_some(reason),
        links: Vec::new(),
        page: None,
        rendered: None,
        second_look: None,
        revisit: None,
        deleted: false,
        line: None,
        item,
        record,
    }))
}

async fn ask(
    shared: &Shared,
    host: &HostState,
    item: &Item,
    record: &UrlRecord,
    again: bool,
) -> Result<Answer, Failure> {
    let site = item.site.as_ref().and_then(|site| shared.sites.get(site));
    let cookies = site.and_then(|site| site.cookies.clone());
    // Some servers hand files and lists out to readers of their own pages alone.
    let referer = site.map(|site| site.site.url.clone()).filter(|home| *home != item.url);
    let get = Ask { cookies, referer, keep_alive: host.is_own(), ..Ask::get(item.url.clone()) };
    let has_body = record.body_hash.is_some();
    let etag = record.etag.clone().filter(|_| has_body);
    let last_modified = record.last_modified.clone().filter(|_| has_body);
    match item.target {
        Target::Page => {
            let want = Want::Readable(shared.setup.limits.document_bytes_max);
            shared.fetch(Ask { etag, last_modified, want, ..get }).await
        }
        Target::Document => {
            let body_bytes_max = shared.setup.limits.document_bytes_max;
            let ask = Ask { etag, last_modified, want: Want::Whole, body_bytes_max, ..get };
            shared.fetch(ask).await
        }
        Target::Outside => ask_outside(shared, get, again).await,
        // Its first bytes tell whether it is what its name says.
        Target::Resource if xunjian_page::is_attachment(&item.url) => {
            let answer = shared.fetch(Ask { want: Want::First(FIRST_BYTES), ..get.clone() }).await;
            match answer {
                // An empty file has no first bytes.
                Ok(answer) if answer.status == 416 => shared.fetch(Ask { head: true, ..get }).await,
                answer => answer,
            }
        }
        Target::Resource | Target::OutsideResource => {
            let head = Ask { head: true, want: Want::First(FIRST_BYTES), ..get.clone() };
            let answer = shared.fetch(head).await;
            match &answer {
                // Many servers answer HEAD wrongly; only a GET is believed when it looks bad.
                Ok(seen) if seen.state() != LinkState::Ok => {
                    shared.fetch(Ask { want: Want::First(FIRST_BYTES), ..get }).await
                }
                _ => answer,
            }
        }
    }
}

/// Asks for a page outside: HEAD, then the first bytes where the head does not say enough. What `again`
/// asks for seemed dead; then only a GET is believed.
async fn ask_outside(shared: &Shared, get: Ask, again: bool) -> Result<Answer, Failure> {
    let get = Ask { want: Want::First(OUTSIDE_BYTES), ..get };
    if again {
        return shared.fetch(get).await;
    }
    let head = match shared.fetch(Ask { head: true, ..get.clone() }).await {
        Ok(head) => head,
        // Some servers leave HEAD without an answer; where nobody answers, a GET gets none either.
        Err(failure) if matches!(failure.state, LinkState::Broken(_) | LinkState::Timeout) => {
            return shared.fetch(get).await;
        }
        Err(failure) => return Err(failure),
    };
    match head.state() {
        LinkState::Limited(_) => Ok(head),
        // Whether it is a page that does not exist, or one of a domain for sale, its text tells.
        LinkState::Ok if is_page(&head) => {
            let mut answer = shared.fetch(Ask { url: head.final_url, ..get }).await;
            let hops = match &mut answer {
                Ok(answer) => &mut answer.hops,
                Err(failure) => &mut failure.hops,
            };
            hops.splice(..0, head.hops);
            answer
        }
        LinkState::Ok => Ok(head),
        _ => shared.fetch(get).await,
    }
}

/// Whether an answer may be a page, by its head.
fn is_page(head: &Answer) -> bool {
    let kind = head.header("content-type");
    kind.is_none_or(str::is_empty) || is_html(kind, b"")
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
    record.target = item.target;
    record.checked_at = Some(at);
    record.depth = record.depth.min(item.depth);
    record.left_out = None;
    let mut page = None;
    let mut links = Vec::new();
    let mut rendered = None;
    let line = log_line(item, &fetched);
    let mut revisit = revisit_of(shared, item, known, &fetched, at);
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
            host.showed_content();
            rendered = render_again(shared, item, &mut record).await;
            Progress::add(&shared.progress.not_modified, 1);
        }
        Ok(answer) => {
            record.state = Some(answer.state());
            record.status = answer.status;
            record.final_url = (!answer.hops.is_empty()).then(|| answer.final_url.to_string());
            record.hops.clone_from(&answer.hops);
            record.media_type = answer.header("content-type").map(str::to_owned);
            let ours = item.site.is_some() && matches!(item.target, Target::Page | Target::Document);
            record.left_out = Some(LeftOut::Challenged).filter(|_| answer.challenge && ours);
            if answer.state() == LinkState::Ok {
                match look(shared, host, item, &mut record, answer, at).await {
                    Looked::Nothing => {}
                    Looked::Page(read, found, drawn) => (page, links, rendered) = (read, found, drawn),
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
    if page.is_some() || record.state != Some(LinkState::Ok) || record.body_hash != known.body_hash {
        revisit = None;
    }
    let unchanged = page.is_none() && record.body_hash.is_some() && record.body_hash == known.body_hash;
    if unchanged && record.state == Some(LinkState::Ok) {
        record.left_out = known.left_out.filter(|reason| *reason == LeftOut::Elsewhere);
    }
    let second_look = look_again(shared, item, &mut record, page.as_deref()).await;
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
    let home = shared.is_home(item);
    // A site that says what is gone, or that it failed, has opened, but for its home page.
    let answered =
        |state: &LinkState| !home && matches!(state, LinkState::Gone(_) | LinkState::ServerError(_));
    let opened = record.state.as_ref().map(|state| !state.is_unreachable() || answered(state));
    let visit = Visit {
        home,
        site_opened: opened.filter(|_| item.site.is_some() && item.target == Target::Page),
        left_out: record.left_out,
        item: item.clone(),
        record,
        page,
        links,
        rendered,
        second_look,
        revisit,
        deleted,
        line: Some(line),
    };
    Ok(Outcome::Visit(Box::new(visit)))
}

/// The record that a kept page was seen unchanged, where such records are wanted.
fn revisit_of(
    shared: &Shared,
    item: &Item,
    known: &UrlRecord,
    fetched: &Result<Answer, Failure>,
    at: jiff::Timestamp,
) -> Option<Box<Snapshot>> {
    let wanted = shared.setup.revisit_records && matches!(item.target, Target::Page | Target::Document);
    let answer = fetched.as_ref().ok().filter(|answer| wanted && answer.hops.is_empty())?;
    Some(Box::new(Snapshot {
        url: item.url.clone(),
        fetched_at: at,
        status: answer.status,
        final_url: None,
        hops: Vec::new(),
        headers: answer.headers.clone(),
        timings: answer.timings,
        tls: answer.tls.clone(),
        body_hash: known.body_hash?,
        body_bytes: answer.body.len() as u64,
        truncated: answer.truncated,
        view: View::Sent,
    }))
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
