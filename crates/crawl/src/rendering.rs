//! Pages whose list a script fills, seen through a browser: when, how often, and with whose
//! answers.

use std::sync::Mutex;

use xunjian_fetch::{Ask, Want};
use xunjian_frontier::Item;
use xunjian_model::{
    Became, BodyHash, Facts, LinkKind, PageUrl, Rendering, SiteId, Snapshot, Target, Timings, UrlRecord, View,
};
use xunjian_render::{Asking, Page, Post, Request, Resource, Source};

use crate::hosts::lock;
use crate::look::new_items;
use crate::renderer::{RESOURCE_BYTES_MAX, posted, resource};
use crate::{Progress, Renderer, Shared, now};

/// Characters of main text with which a page shows something without its scripts.
const TEXT_CHARS: u32 = 200;
/// Addresses of lists that the scripts of one page ask for.
const FOUND_MAX: usize = 10_000;
/// Bytes of what is sent that may stand in an address.
const PAIRS_BYTES_MAX: usize = 2_000;
/// Links from the home page within which columns lie.
const DEPTH_MAX: u16 = 1;

/// A rendered version of a page.
pub(crate) struct RenderedPage {
    /// The snapshot to keep, unless the same one is kept already.
    pub(crate) snapshot: Option<(Snapshot, Vec<u8>)>,
    /// The addresses found in it.
    pub(crate) links: Vec<Item>,
}

/// What a page needs a browser for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing.
    Nothing,
    /// To see that its scripts leave readers the page that was sent.
    Sight,
    /// To tell what it shows.
    Content,
}

/// What a page needs a browser for. Only one can tell what a home page or a column without a list shows, or a home page
/// without what the standard asks of one; and intruders replace home pages.
pub(crate) fn need(shared: &Shared, item: &Item, home: bool, facts: &Facts) -> Need {
    let no_list =
        || facts.scripted && facts.main_items().next().is_none() && (home || facts.main_chars <= TEXT_CHARS);
    let has_script = || facts.links.iter().any(|link| link.kind == LinkKind::Script);
    match () {
        () if item.target != Target::Page || item.depth > DEPTH_MAX || facts.refresh.is_some() => {
            Need::Nothing
        }
        () if no_list() || home && (shared.setup.home_check)(facts) => Need::Content,
        () if home && shared.renderer.is_some() && has_script() => Need::Sight,
        () => Need::Nothing,
    }
}

/// Renders a page that has to be, from a body that was fetched, and notes it in its record.
pub(crate) async fn render(
    shared: &Shared,
    item: &Item,
    record: &mut UrlRecord,
    (body, media_type): (&[u8], Option<&str>),
    need: Need,
) -> Option<Box<RenderedPage>> {
    let before = record.rendering;
    // What was seen to be replaced is not known to be whole again.
    let is_sure = need == Need::Sight && !matches!(before, Rendering::Replaced { .. });
    record.rendering = if is_sure { Rendering::NotNeeded } else { Rendering::Wanted };
    let renderer = shared.renderer.as_ref()?;
    let site = item.site.as_ref()?;
    // Boxed: each visit would be half as large again for what few of them do, and it is moved when it begins.
    let tab = Box::pin(renderer.tab(site)).await?;
    if shared.stop.is_stopped() {
        return None;
    }
    let headers = media_type.map(|value| ("content-type".to_owned(), value.to_owned()));
    let sent = xunjian_page::extract(body, media_type, &item.url, shared.setup.page);
    let answer = Resource { status: 200, headers: headers.into_iter().collect(), body: body.to_vec() };
    let scripts = Scripts { shared, renderer, site, item, found: Mutex::default() };
    let page = Page { url: item.url.as_str(), answer };
    let rendered = Box::pin(tab.render(page, &scripts)).await?;
    Progress::add(&shared.progress.rendered, 1);
    if !rendered.refused.is_empty() {
        tracing::debug!(url = %item.url, refused = ?rendered.refused, "scripts asked in vain");
    }
    let body = rendered.html.into_bytes();
    let body_hash = BodyHash::of(&body);
    let facts = xunjian_page::extract(&body, Some("text/html; charset=utf-8"), &item.url, shared.setup.page);
    let became = sent.became(&facts);
    if need == Need::Sight && became != Became::Another {
        record.rendering = Rendering::NotNeeded;
        return None;
    }
    let mut links = new_items(shared, item, &facts);
    links.append(&mut lock(&scripts.found));
    let settled = rendered.settled;
    let rendering = |at| match became {
        Became::Another => Some(Rendering::Replaced { at, body_hash }),
        // Scripts that were not given what they asked for took away what stood there.
        Became::Nothing if !settled => None,
        Became::Itself | Became::Nothing => Some(Rendering::Done { at, body_hash, settled }),
    };
    if let Rendering::Done { at, body_hash: kept, .. } | Rendering::Replaced { at, body_hash: kept } = before
        && kept == body_hash
    {
        record.rendering = rendering(at).unwrap_or(Rendering::Wanted);
        return Some(Box::new(RenderedPage { snapshot: None, links }));
    }
    let at = now();
    let Some(rendering) = rendering(at) else {
        return Some(Box::new(RenderedPage { snapshot: None, links }));
    };
    record.rendering = rendering;
    let snapshot = Snapshot {
        url: item.url.clone(),
        fetched_at: at,
        status: 200,
        hops: Vec::new(),
        final_url: None,
        headers: Vec::new(),
        timings: Timings::default(),
        tls: None,
        body_hash,
        body_bytes: body.len() as u64,
        truncated: false,
        view: View::Rendered,
    };
    Some(Box::new(RenderedPage { snapshot: Some((snapshot, body)), links }))
}

/// Whether a page whose source has not changed is looked at again.
pub(crate) fn is_again(record: &UrlRecord) -> bool {
    record.rendering != Rendering::NotNeeded
}

/// Renders a page again that the server says has not changed: its list may have.
pub(crate) async fn render_again(
    shared: &Shared,
    item: &Item,
    record: &mut UrlRecord,
) -> Option<Box<RenderedPage>> {
    let home = shared.is_home(item);
    match (is_again(record), &shared.renderer) {
        (true, Some(_)) => {}
        (true, None) => {
            // What an earlier night showed may not be so any more.
            record.rendering = Rendering::Wanted;
            return None;
        }
        // A browser may have come since the page was kept.
        (false, Some(_)) if home => {}
        (false, _) => return None,
    }
    let body = shared.store.body(&record.body_hash?).ok()??;
    let media_type = record.media_type.clone();
    let need = match record.rendering {
        Rendering::NotNeeded | Rendering::Replaced { .. } => {
            let facts = xunjian_page::extract(&body, media_type.as_deref(), &item.url, shared.setup.page);
            need(shared, item, home, &facts)
        }
        _ => Need::Content,
    };
    if need == Need::Nothing {
        return None;
    }
    render(shared, item, record, (&body, media_type.as_deref()), need).await
}

/// The address of a list. Programs take what is sent to them by POST from an address, too.
fn address_of(url: &PageUrl, post: Option<&Post>) -> Option<PageUrl> {
    let Some(post) = post else { return Some(url.clone()) };
    let form = post.media_type.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded");
    let pairs =
        std::str::from_utf8(&post.body).ok().filter(|pairs| form && pairs.len() <= PAIRS_BYTES_MAX)?;
    let joint = if url.as_url().query().is_some() { '&' } else { '?' };
    PageUrl::parse(&format!("{url}{joint}{pairs}")).ok()
}

/// Asks for what scripts want as for any page: in turn, by robots.txt, with the site's cookies.
struct Scripts<'s> {
    shared: &'s Shared,
    renderer: &'s Renderer,
    site: &'s SiteId,
    /// The page that is rendered.
    item: &'s Item,
    /// What lists lead to that its scripts asked for: of a long one the page shows the beginning.
    found: Mutex<Vec<Item>>,
}

impl Source for Scripts<'_> {
    fn ask(&self, request: Request) -> Asking<'_> {
        Box::pin(async move {
            let own = self.is_own(&request.url);
            self.renderer.fulfil(&request, own, self.answer(&request)).await
        })
    }
}

impl Scripts<'_> {
    fn is_own(&self, url: &str) -> bool {
        let owner = PageUrl::parse(url).ok().and_then(|url| self.shared.owner(&url).map(|own| &own.site.id));
        owner == Some(self.site)
    }

    async fn answer(&self, request: &Request) -> Option<Resource> {
        // What every reader's browser sends while the page loads changes nothing that readers do not; elsewhere it may.
        if request.post.is_some() && !(self.renderer.posts() && self.is_own(&request.url)) {
            return None;
        }
        let url = PageUrl::parse(&request.url).ok()?;
        let host = self.shared.host_of(&url).ok()?;
        let site = self.shared.owner(&url);
        if let Some(prepared) = host.is_prepared()
            && !prepared.allows(&url, site.map(|site| &site.site))
        {
            return None;
        }
        if site.is_none() && !self.shared.setup.limits.outside {
            return None;
        }
        let cookies = site.and_then(|site| site.cookies.clone());
        let referer = site.map(|site| site.site.url.clone());
        let post = request.post.clone().map(posted);
        let list =
            (site.is_some() && !request.script).then(|| address_of(&url, request.post.as_ref())).flatten();
        let ask = Ask { cookies, referer, post, want: Want::Whole, ..Ask::get(url) };
        let ask = Ask { body_bytes_max: RESOURCE_BYTES_MAX, ..ask };
        let resource = resource(self.shared.fetch(ask).await.ok()?)?;
        if let Some(url) = list {
            self.note(&url, &resource);
        }
        Some(resource)
    }

    /// Takes note of what a list leads to that a script asked for.
    fn note(&self, url: &PageUrl, resource: &Resource) {
        let media_type = resource.headers.iter().find(|(name, _)| name == "content-type");
        let media_type = media_type.map(|(_, value)| value.as_str());
        let facts = xunjian_page::extract(&resource.body, media_type, url, self.shared.setup.page);
        if !facts.piece && facts.items.is_empty() {
            return;
        }
        let items = new_items(self.shared, self.item, &facts);
        let mut found = lock(&self.found);
        let room = FOUND_MAX.saturating_sub(found.len());
        found.extend(items.into_iter().take(room));
    }
}
