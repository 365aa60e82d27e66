//! What is learnt of a host before its pages are asked for: robots.txt, its "not found" page, its
//! site maps.

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use xunjian_fetch::{Ask, Want};
use xunjian_frontier::Item;
use xunjian_model::{BodyHash, KeptRobots, KeptSoftPage, LinkState, PageUrl, Site, Target};
use xunjian_page::guarded;

use crate::block_page::text_hash;
use crate::hosts::HostState;
use crate::robots::{ROBOTS_BYTES_MAX, Robots};
use crate::sitemap::{self, SITEMAP_BYTES_MAX, SITEMAPS_MAX, Sitemap};
use crate::sites::SiteState;
use crate::writer::Outcome;
use crate::{Shared, now};

/// Product token robots.txt addresses us by.
pub const AGENT: &str = "xunjian";
/// How long a robots.txt is used (RFC 9309 section 2.4).
const ROBOTS_HOLD: SignedDuration = SignedDuration::from_hours(24);
/// Times it is asked for while nothing says to wait.
const ROBOTS_TRIES_MAX: u32 = 4;
/// How long an answer to an address that cannot exist is believed.
const SOFT_HOLD: SignedDuration = SignedDuration::from_hours(24 * 7);
/// New addresses handed to the writer at once.
const LINKS_AT_ONCE: usize = 1_000;

/// What a host's pages are asked with.
pub(crate) struct Prepared {
    pub(crate) robots: Robots,
    /// Title and text of its "not found" page, where that says 200.
    pub(crate) soft: Option<BodyHash>,
}

impl Prepared {
    /// Whether robots.txt lets an address be asked for; some sites do not follow it.
    pub(crate) fn allows(&self, url: &PageUrl, site: Option<&Site>) -> bool {
        site.is_some_and(|site| site.ignore_robots.is_some()) || self.robots.allows(url.path_and_query())
    }
}

/// Learns it; for hosts outside only when a page there is looked at.
pub(crate) async fn prepare(shared: &Shared, host: &HostState) -> Prepared {
    let Ok(home) = PageUrl::parse(&format!("{}/", host.host)) else {
        return Prepared { robots: Robots::allow_all(), soft: None };
    };
    let mut followed = false;
    for SiteState { site, .. } in shared.sites_of(host) {
        match &site.ignore_robots {
            Some(reason) => tracing::info!(site = %site.id, reason, "robots.txt is not followed"),
            None => followed = true,
        }
    }
    let robots = if followed { robots(shared, host, &home).await } else { Robots::allow_all() };
    if let Some(delay) = robots.crawl_delay() {
        let most = shared.setup.politeness.crawl_delay_max;
        host.pace.lock().await.at_least(delay.min(most));
    }
    let soft = match robots.allows("/") {
        true => soft_page(shared, host, &home).await,
        false => None,
    };
    shared.keep_host(host).await;
    if shared.setup.follow {
        read_sitemaps(shared, host, &robots, &home).await;
    }
    Prepared { robots, soft }
}

async fn robots(shared: &Shared, host: &HostState, home: &PageUrl) -> Robots {
    let of = |kept: &KeptRobots| match kept.status {
        200..=299 => Robots::parse(&kept.text, AGENT),
        // Too many requests say nothing of the rules; so does an error of the server.
        429 | 500..=599 | 0 => Robots::unreachable(),
        _ => Robots::allow_all(),
    };
    let fresh = |at: Timestamp| now().duration_since(at).abs() < ROBOTS_HOLD;
    let kept = host.kept_robots().filter(|kept| fresh(kept.fetched_at) && of(kept).is_reachable());
    if let Some(kept) = kept {
        return of(&kept);
    }
    let Ok(url) = home.join("/robots.txt") else { return Robots::allow_all() };
    let mut fetched = KeptRobots { fetched_at: now(), status: 0, text: String::new() };
    let (mut tries, mut challenged) = (0, false);
    while !shared.stop.is_stopped() {
        let ask = Ask { body_bytes_max: ROBOTS_BYTES_MAX, want: Want::Whole, ..Ask::get(url.clone()) };
        let answer = shared.fetch(ask).await;
        let state = answer.as_ref().map_or_else(|failure| failure.state.clone(), |answer| answer.state());
        if state == LinkState::RedirectLoop {
            // After so many redirects the file counts as missing (RFC 9309 section 2.3.1.2).
            fetched.status = 404;
        }
        if let Ok(answer) = answer {
            // A firewall's script is no answer of the server; it does not forbid anything.
            challenged = answer.challenge;
            fetched.status = if challenged { 403 } else { answer.status };
            fetched.text = String::from_utf8_lossy(&answer.body).into_owned();
        }
        shared.keep_host(host).await;
        let limits = &shared.setup.limits;
        // A host that is blocked is waited for until it is given up. An error of the server blocks nothing,
        // nor does another host that the file is said to be at.
        tries += u32::from(host.blocked_until().is_none());
        let is_settled = !state.is_transient() && state != LinkState::NoSuchHost;
        if is_settled || tries >= ROBOTS_TRIES_MAX || host.is_given_up(limits.failures_max) {
            break;
        }
        shared.stop.sleep(limits.retry_pause).await;
    }
    fetched.fetched_at = now();
    let robots = of(&fetched);
    if robots.is_reachable() && !challenged {
        host.keep_robots(fetched);
    }
    robots
}

/// Asks for an address that cannot exist, unless the answer of the last days still holds.
pub(crate) async fn soft_page(shared: &Shared, host: &HostState, home: &PageUrl) -> Option<BodyHash> {
    if let Some(kept) = host.kept_soft_page().filter(|kept| now().duration_since(kept.learnt_at) < SOFT_HOLD)
    {
        return kept.text;
    }
    let url = probe(home)?;
    let ask = Ask { keep_alive: host.is_own(), ..Ask::get(url) };
    let answer = shared.fetch(ask).await.ok()?;
    if matches!(answer.state(), LinkState::Limited(_) | LinkState::Challenged(_)) {
        return None;
    }
    let content_type = answer.header("content-type");
    let shows_page = answer.status == 200 && xunjian_page::is_html(content_type, &answer.body);
    let text = shows_page.then(|| {
        let facts = xunjian_page::extract(&answer.body, content_type, &answer.final_url, shared.setup.page);
        text_hash(&facts)
    });
    host.keep_soft_page(KeptSoftPage { learnt_at: now(), text });
    text
}

/// An address that cannot exist.
fn probe(home: &PageUrl) -> Option<PageUrl> {
    let hash = blake3::hash(home.as_str().as_bytes()).to_hex();
    home.join(&format!("/xunjian-{}.html", &hash[..20])).ok()
}

async fn read_sitemaps(shared: &Shared, host: &HostState, robots: &Robots, home: &PageUrl) {
    let mut todo: Vec<String> = robots.sitemaps().to_vec();
    let guessed = todo.is_empty();
    if guessed {
        let scopes = shared.sites_of(host).flat_map(|state| &state.site.scopes);
        let maps = scopes
            .filter(|scope| scope.host() == home.host())
            .map(|scope| format!("{}sitemap.xml", scope.folder()))
            .filter(|map| robots.allows(map));
        todo.extend(maps.filter_map(|map| home.join(&map).ok()).map(String::from));
    }
    let mut seen: HashSet<PageUrl> = HashSet::new();
    while let Some(text) = todo.pop() {
        let Ok(url) = PageUrl::parse(&text) else {
            note(shared, host, "sitemap-bad-address").await;
            continue;
        };
        if !shared.sites_of(host).any(|state| state.site.hosts().any(|own| own == url.host())) {
            note(shared, host, "sitemap-other-host").await;
            continue;
        }
        // An index may name itself.
        if !seen.insert(url.clone()) {
            continue;
        }
        if seen.len() > SITEMAPS_MAX || shared.stop.is_stopped() {
            break;
        }
        // One at a time over all sites: a site map may be large.
        let Ok(_turn) = shared.sitemap_turn.acquire().await else { break };
        let ask = Ask { body_bytes_max: SITEMAP_BYTES_MAX, want: Want::Whole, ..Ask::get(url) };
        let answer = match shared.fetch(ask).await {
            Ok(answer) if answer.state() == LinkState::Ok => answer,
            _ if guessed => continue,
            _ => {
                note(shared, host, "sitemap-missing").await;
                continue;
            }
        };
        if guessed && xunjian_page::is_html(answer.header("content-type"), &answer.body) {
            continue;
        }
        let map = guarded(|| sitemap::parse(&answer.body, answer.truncated)).unwrap_or_else(Sitemap::unread);
        drop(answer);
        if let Some(problem) = map.problem {
            note(shared, host, problem).await;
        }
        todo.extend(map.maps);
        let mut items = map.pages.iter().filter_map(|page| {
            let url = PageUrl::parse(page).ok()?;
            let state = shared.sites_of(host).find(|state| state.site.in_scope(&url))?;
            Some(Item::new(state.canonical(&url), Some(state.site.id.clone()), Target::Page, 1))
        });
        loop {
            let some: Vec<Item> = items.by_ref().take(LINKS_AT_ONCE).collect();
            if some.is_empty() || !shared.send(Outcome::Links(some)).await {
                break;
            }
        }
    }
}

/// Notes what is wrong with site maps; of sites that share a host, with the first.
async fn note(shared: &Shared, host: &HostState, what: &'static str) {
    if let Some(site) = host.owners.first() {
        shared.send(Outcome::Note(site.clone(), what)).await;
    }
}

/// Longest wait of a worker that has nothing but retries.
pub(crate) const RETRY_POLL: Duration = Duration::from_millis(200);
