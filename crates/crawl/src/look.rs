//! What came with a good status: a page, a document, a refusal, or nothing that is kept.

use xunjian_fetch::{Answer, Ask};
use xunjian_frontier::Item;
use xunjian_model::{
    BodyHash, Facts, FileFacts, Hop, LeftOut, LinkKind, LinkState, PageUrl, Problem, Rendering, Snapshot,
    Target, UrlRecord, View,
};
use xunjian_page::{extract, is_html};

use crate::block_page::{self, Same, text_hash};
use crate::hosts::{HostState, lock};
use crate::prepare::soft_page;
use crate::rendering::{Need, RenderedPage, need, render, render_again};
use crate::writer::{Outcome, Page};
use crate::{Progress, Shared};

/// Times a page that refuses by its words is asked for, with a block in between.
const REFUSED_TRIES: u32 = 3;
/// The same for a home page, without which the site is not seen at all.
const REFUSED_HOME_TRIES: u32 = 5;

/// First bytes of a file that are kept: more than any signature needs.
const KEPT_BYTES: usize = 32;

/// A refusal in the place of content: nothing of it is kept, and it is asked for again so often.
pub(crate) struct Refused {
    pub(crate) tries_max: u32,
}

/// What a body turned out to be.
pub(crate) enum Looked {
    /// Nothing that is kept.
    Nothing,
    /// A new version, if it is one, the addresses found in it, and what a browser made of it.
    Page(Option<Box<Page>>, Vec<Item>, Option<Box<RenderedPage>>),
    /// A refusal; pages before it that turn out to have been refusals are taken back.
    Refused(Vec<Outcome>, Refused),
}

/// Looks at what came with a good status.
pub(crate) async fn look(
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
        Target::Resource if xunjian_page::is_attachment(&item.url) => {
            record.file = Some(file_facts(&answer));
            if !xunjian_page::fits_name(&answer.body, &item.url) {
                record.state = Some(LinkState::NotTheFile);
            }
            Looked::Nothing
        }
        Target::Document => read_document(shared, item, record, answer, html, at).await,
        Target::Outside if html => {
            let facts = facts_of(shared, &answer);
            if shared.refusals.have(&facts) {
                record.state = Some(LinkState::Limited(answer.status));
            } else if let Some(state) = (shared.setup.content_check)(&facts, Target::Outside) {
                record.state = Some(state);
            } else if item.url.path() != "/"
                && !xunjian_page::is_shell(&facts)
                && is_soft_outside(shared, host, item, &facts).await
            {
                record.state = Some(LinkState::Soft404);
            }
            Looked::Nothing
        }
        Target::Page if html || xunjian_page::is_page(answer.header("content-type"), &answer.body) => {
            read_page(shared, host, item, record, answer, at).await
        }
        // A program hands it out. Of an archive or a picture only the first bytes came.
        Target::Page if is_whole_document(&answer) => match leads_on(shared, item, record, &answer) {
            Some(next) => next,
            None => read_document(shared, item, record, answer, html, at).await,
        },
        _ => Looked::Nothing,
    }
}

fn is_whole_document(answer: &Answer) -> bool {
    let content_type = answer.header("content-type");
    !answer.truncated && xunjian_page::holds_document(&answer.body, content_type, &answer.final_url)
}

/// The content belongs to the address it came from, which is visited for itself.
fn leads_on(shared: &Shared, item: &Item, record: &mut UrlRecord, answer: &Answer) -> Option<Looked> {
    if answer.hops.is_empty() || answer.final_url == item.url {
        return None;
    }
    // What it showed before is not there any more.
    record.body_hash = None;
    if let Some(site) = item.site.as_ref().and_then(|site| shared.sites.get(site)) {
        record.left_out = site.leads_on(item, Some(&answer.final_url)).then_some(LeftOut::Elsewhere);
    }
    let attachment = xunjian_page::is_attachment(&answer.final_url);
    let kind = if attachment { LinkKind::Attachment } else { LinkKind::Page };
    let next = item_of(shared, &answer.final_url, kind, item.depth.saturating_add(1));
    Some(Looked::Page(None, next.into_iter().collect(), None))
}

/// What the beginning of a file and its head say.
fn file_facts(answer: &Answer) -> FileFacts {
    // `bytes 0-1023/4096`: the whole length (RFC 9110 section 14.4).
    let whole = answer.header("content-range").and_then(|range| range.rsplit('/').next()?.parse().ok());
    let length = || answer.header("content-length").filter(|_| answer.status == 200)?.parse().ok();
    FileFacts {
        bytes: whole.or_else(length),
        kind: xunjian_page::sniff(&answer.body).to_owned(),
        first: answer.body[..answer.body.len().min(KEPT_BYTES)].to_vec(),
    }
}

/// Whether an outside page is what its host shows for pages that do not exist.
async fn is_soft_outside(shared: &Shared, host: &HostState, item: &Item, facts: &Facts) -> bool {
    let Ok(home) = item.url.join("/") else { return false };
    soft_page(shared, host, &home).await == Some(text_hash(facts))
}

pub(crate) fn facts_of(shared: &Shared, answer: &Answer) -> Facts {
    let mut facts =
        extract(&answer.body, answer.header("content-type"), &answer.final_url, shared.setup.page);
    if facts.is_unread() {
        tracing::error!(url = %answer.final_url, "not read: xunjian has a fault here, please tell its makers");
    }
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
    spend(shared, item, &answer);
    if let Some(next) = leads_on(shared, item, record, &answer) {
        return next;
    }
    let body_hash = BodyHash::of(&answer.body);
    if record.body_hash == Some(body_hash) {
        record.etag = answer.header("etag").map(str::to_owned);
        record.last_modified = answer.header("last-modified").map(str::to_owned);
        record.same_hash += 1;
        record.seen += 1;
        host.showed_content();
        Progress::add(&shared.progress.same_hash, 1);
        let rendered = render_again(shared, item, record).await;
        return Looked::Page(None, Vec::new(), rendered);
    }
    let facts = facts_of(shared, &answer);
    let text = text_hash(&facts);
    let soft = host.is_prepared().and_then(|prepared| prepared.soft);
    let site = item.site.as_ref().and_then(|site| shared.sites.get(site));
    let home = site.map_or(item.depth == 0, |site| site.is_home(item));
    if let Some(site) = site.filter(|_| home) {
        let next = facts.leads_on().and_then(|next| PageUrl::parse(next).ok());
        record.left_out = site.leads_on(item, next.as_ref()).then_some(LeftOut::Elsewhere);
    }
    // A page that a script builds shows nothing by itself, wherever it leads.
    if !home && soft == Some(text) && !xunjian_page::is_shell(&facts) {
        record.state = Some(LinkState::Soft404);
    } else if shared.refusals.have(&facts) || home && block_page::is_maintenance(&facts) {
        if !lock(&host.sameness).is_refusal(text) {
            record.state = Some(LinkState::Limited(answer.status));
            record.left_out = Some(LeftOut::Limited);
            return Looked::Nothing;
        }
        Progress::add(&shared.progress.limited, 1);
        // The words may also stand on a page that is simply about them; that must not hold up
        // the host for long.
        let tries_max = if home { REFUSED_HOME_TRIES } else { REFUSED_TRIES };
        return Looked::Refused(Vec::new(), refused(shared, host, tries_max));
    } else if let Some(state) = (shared.setup.content_check)(&facts, Target::Page) {
        record.state = Some(state);
    }
    if record.state != Some(LinkState::Ok) {
        record.body_hash = None;
        return Looked::Page(None, Vec::new(), None);
    }
    if !home && let Some(before) = refused_alike(shared, host, item, &facts, text).await {
        return Looked::Refused(before, refused(shared, host, shared.setup.limits.limited_tries_max));
    }
    host.showed_content();
    record.etag = answer.header("etag").map(str::to_owned);
    record.last_modified = answer.header("last-modified").map(str::to_owned);
    let links = new_items(shared, item, &facts);
    let rendered = match need(shared, item, home, &facts) {
        Need::Nothing => {
            record.rendering = Rendering::NotNeeded;
            None
        }
        need => render(shared, item, record, (&answer.body, answer.header("content-type")), need).await,
    };
    let page = new_version(record, item, answer, (facts, text, body_hash), at);
    Looked::Page(Some(Box::new(page)), links, rendered)
}

/// A page refused with a good status; how often it is tried.
fn refused(shared: &Shared, host: &HostState, tries_max: u32) -> Refused {
    if !host.refused(&shared.setup.politeness) {
        return Refused { tries_max: 0 };
    }
    shared.hold_for_all(host);
    Refused { tries_max }
}

/// A new version of a page or document.
fn new_version(
    record: &mut UrlRecord,
    item: &Item,
    answer: Answer,
    (facts, text, body_hash): (Facts, BodyHash, BodyHash),
    at: jiff::Timestamp,
) -> Page {
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
        view: View::Sent,
    };
    Page { snapshot, body: answer.body, facts, text, _place: answer.place }
}

async fn read_document(
    shared: &Shared,
    item: &Item,
    record: &mut UrlRecord,
    answer: Answer,
    html: bool,
    at: jiff::Timestamp,
) -> Looked {
    let nothing = Looked::Page(None, Vec::new(), None);
    // A web page, or a file of another kind than its name says: nobody can open it as that.
    if html || !xunjian_page::fits_name(&answer.body, &item.url) {
        record.state = Some(LinkState::NotTheFile);
        return nothing;
    }
    spend(shared, item, &answer);
    record.etag = answer.header("etag").map(str::to_owned);
    record.last_modified = answer.header("last-modified").map(str::to_owned);
    let body_hash = BodyHash::of(&answer.body);
    if record.body_hash == Some(body_hash) {
        record.same_hash += 1;
        record.seen += 1;
        return nothing;
    }
    // It may take seconds, in which others are to go on.
    let (url, limits) = (item.url.clone(), shared.setup.page);
    let read = tokio::task::spawn_blocking(move || {
        let facts = xunjian_page::document(&answer.body, &url, answer.truncated, limits);
        (facts, answer)
    });
    let Ok((facts, answer)) = read.await else { return nothing };
    let text = text_hash(&facts);
    let page = new_version(record, item, answer, (facts, text, body_hash), at);
    Looked::Page(Some(Box::new(page)), Vec::new(), None)
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
    let home = shared.fetch(Ask::get(site.site.url.clone())).await.ok();
    let shown = home.filter(|home| home.state() == LinkState::Ok).map(|home| facts_of(shared, &home));
    let mut sameness = lock(&host.sameness);
    if shown.is_some_and(|shown| text_hash(&shown) == text) {
        let before = sameness.take_refused().into_iter().filter(|other| other.url != item.url);
        return Some(before.map(Outcome::TakeBack).collect());
    }
    sameness.is_harmless();
    None
}

pub(crate) fn new_items(shared: &Shared, item: &Item, facts: &Facts) -> Vec<Item> {
    let depth = item.depth.saturating_add(1);
    let all = links_of(facts);
    let site = item.site.as_ref().and_then(|site| shared.sites.get(site));
    // Most links of a page stand on the pages before it, too.
    let new: Vec<_> = match site {
        Some(site) => site.not_handed_over(all),
        None => all.collect(),
    };
    new.into_iter()
        .filter_map(|(url, kind)| item_of(shared, &PageUrl::parse(url).ok()?, kind, depth))
        .collect()
}

/// What a page leads to.
pub(crate) fn links_of(facts: &Facts) -> impl Iterator<Item = (&str, LinkKind)> {
    let linked = facts.links.iter().map(|link| (link.url.as_str(), link.kind));
    let refresh = facts.refresh.iter().map(|url| (url.as_str(), LinkKind::Page));
    let followed = |kind: LinkKind| !matches!(kind, LinkKind::Script | LinkKind::Style | LinkKind::Form);
    linked.chain(refresh).filter(move |(_, kind)| followed(*kind))
}

/// What a link of a use is asked for as, of a site of ours or of a host outside; `None`: it is not.
pub(crate) fn target_of(url: &PageUrl, kind: LinkKind, own: bool) -> Option<Target> {
    Some(match (kind, own) {
        (LinkKind::Page | LinkKind::Frame | LinkKind::Data, true) => Target::Page,
        (LinkKind::Page | LinkKind::Frame, false) => Target::Outside,
        (LinkKind::Attachment, true) if xunjian_page::is_document(url) => Target::Document,
        (LinkKind::Image | LinkKind::Attachment | LinkKind::Media, true) => Target::Resource,
        (LinkKind::Image | LinkKind::Attachment | LinkKind::Media, false) => Target::OutsideResource,
        (LinkKind::Script | LinkKind::Style | LinkKind::Form, _) | (LinkKind::Data, false) => return None,
    })
}

fn item_of(shared: &Shared, url: &PageUrl, kind: LinkKind, depth: u16) -> Option<Item> {
    let site = shared.owner(url);
    if site.is_none() && !shared.setup.limits.outside {
        return None;
    }
    let target = target_of(url, kind, site.is_some())?;
    let url = match site {
        Some(site) => site.canonical(url),
        None => url.clone(),
    };
    Some(Item::new(url, site.map(|site| site.site.id.clone()), target, depth))
}

/// Counts the bytes of a body, and takes them from its site's budget.
fn spend(shared: &Shared, item: &Item, answer: &Answer) {
    Progress::add(&shared.progress.body_bytes, answer.body.len() as u64);
    if let Some(site) = item.site.as_ref().and_then(|site| shared.sites.get(site)) {
        site.spend_bytes(answer.body.len());
    }
}
