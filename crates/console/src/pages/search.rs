//! `/search`: words in the archive, page by page, and the pages of the archive themselves.

use std::time::{Duration, Instant};

use axum::extract::{Query, State};
use axum::response::{Html, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use xunjian_engine::{Engine, Looked};
use xunjian_model::{PageUrl, SiteId, View};
use xunjian_report::Language;

use crate::error::Failure;
use crate::session::Visitor;
use crate::view::{self, blocking};
use crate::{Shared, archive};

/// Time one answer may look through the archive; the browser asks on from there.
const BUDGET: Duration = Duration::from_millis(60);
/// Pages found in one answer.
const ROWS: usize = 20;
/// Versions of a page that are listed.
const VERSIONS: usize = 200;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    site: String,
    #[serde(default)]
    from: Option<String>,
}

/// The site that is meant; none for all.
pub(crate) fn only(site: &str) -> Result<Option<SiteId>, Failure> {
    match site {
        "" => Ok(None),
        site => SiteId::new(site).map(Some).map_err(|error| Failure::Wrong(error.to_string())),
    }
}

/// Where to go on, if it is a place in what is looked through.
pub(crate) fn place<'f>(
    engine: &Engine,
    only: Option<&SiteId>,
    from: Option<&'f str>,
) -> Result<Option<&'f str>, Failure> {
    let Some(from) = from else { return Ok(None) };
    let site = from.split_once(' ').map_or("", |(site, _)| site);
    let known = engine.settings().sites.iter().any(|one| one.id.as_str() == site);
    match known && only.is_none_or(|only| only.as_str() == site) {
        true => Ok(Some(from)),
        false => Err(Failure::Wrong(format!("{from:?} is no place to go on at; begin the search again"))),
    }
}

/// How far one answer may go.
pub(crate) fn limits() -> (Instant, usize) {
    (Instant::now() + BUDGET, ROWS)
}

/// The sites to choose from.
pub(crate) fn sites(engine: &Engine) -> Vec<Value> {
    engine.settings().sites.iter().map(|site| json!({ "id": site.id, "name": site.name })).collect()
}

/// How far a look got, and the address to go on at.
pub(crate) fn progress<T>(looked: &Looked<T>, path: &str, with: &[(&str, &str)]) -> Value {
    let next = looked.next.as_deref().map(|next| view::link(path, &[with, &[("from", next)]].concat()));
    json!({ "pages": looked.pages, "next": next })
}

/// Where a snapshot is shown.
pub(crate) fn page_link(url: &str, snapshot: &str, words: &str) -> String {
    view::link("/snapshots", &[("url", url), ("snapshot", snapshot), ("q", words)])
}

pub(crate) async fn show(
    State(state): Shared,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let (engine, language) = (state.engine().await?, visitor.language);
    let values = blocking(move || values(&engine, &asked, language)).await?;
    state.view.page("search.html", &visitor, values)
}

fn values(engine: &Engine, asked: &Asked, language: Language) -> Result<Value, Failure> {
    let mut values = json!({ "q": asked.q, "site": asked.site, "sites": sites(engine) });
    // Whoever asks for an address wants to know what is known of it.
    let address = asked.q.trim();
    if address.starts_with("http") && PageUrl::parse(address).is_ok() {
        values["address"] = json!(view::link("/snapshots", &[("url", address)]));
    }
    if asked.q.trim().is_empty() {
        return Ok(values);
    }
    let query = match xunjian_scan::Query::parse(&asked.q) {
        Ok(query) => query,
        Err(error) => {
            values["wrong"] = json!(language.said(error));
            return Ok(values);
        }
    };
    let site = only(&asked.site)?;
    let from = place(engine, site.as_ref(), asked.from.as_deref())?;
    let looked = engine.find_pages(&query, site.as_ref(), from, limits())?;
    let row = |page: &xunjian_engine::FoundPage| {
        let (before, hit, after) = view::parts(&page.found.excerpt);
        json!({
            "site": page.site,
            "url": page.url,
            "title": if page.found.title.is_empty() { &page.url } else { &page.found.title },
            "before": before, "hit": hit, "after": after,
            "places": page.found.places,
            "link": page_link(&page.url, &page.snapshot, &asked.q),
        })
    };
    values["rows"] = looked.found.iter().map(row).collect();
    values["looked"] = progress(&looked, "/search", &[("q", &asked.q), ("site", &asked.site)]);
    Ok(values)
}

#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    url: String,
    /// Name of the snapshot, `<body hash>@<time>`; without it the newest.
    #[serde(default)]
    snapshot: String,
    /// Words to mark.
    #[serde(default)]
    q: String,
}

/// What is known of an address, and the versions of its page, one of them shown.
pub(crate) async fn versions(
    State(state): Shared,
    visitor: Visitor,
    Query(asked): Query<Page>,
) -> Result<Html<String>, Failure> {
    let (engine, language) = (state.engine().await?, visitor.language);
    let values = blocking(move || {
        let url = PageUrl::parse(&asked.url).map_err(|error| Failure::Wrong(error.to_string()))?;
        let mut versions = Vec::new();
        for version in engine.store().history(&url) {
            let version = version?;
            let name = format!("{}@{}", version.body_hash.to_hex(), version.fetched_at);
            let (zh, en) = match version.view {
                View::Sent => ("服务器返回", "as sent"),
                View::Rendered => ("浏览器渲染", "as a browser shows it"),
                View::SearchEngine => ("搜索引擎所见", "as search engines see it"),
            };
            versions.push(json!({
                "at": view::moment(&engine, version.fetched_at),
                "status": version.status,
                "view": view::say(language, zh, en),
                "name": name,
                "link": page_link(&asked.url, &name, &asked.q),
            }));
        }
        versions.reverse();
        versions.truncate(VERSIONS);
        let newest = versions.first().and_then(|version| version["name"].as_str()).unwrap_or_default();
        let shown = if asked.snapshot.is_empty() { newest.to_owned() } else { asked.snapshot };
        let frame =
            view::link("/snapshots/page", &[("url", &asked.url), ("snapshot", &shown), ("q", &asked.q)]);
        let why = engine.why(&url)?;
        Ok(json!({
            "url": url.as_str(), "versions": versions, "shown": shown, "frame": frame,
            "unknown": why.unknown(language), "known": why.rows(language, |at| view::moment(&engine, at)),
        }))
    })
    .await?;
    state.view.page("snapshots.html", &visitor, values)
}

/// One archived page, in a frame that runs nothing and loads nothing.
pub(crate) async fn page(
    State(state): Shared,
    _: Visitor,
    Query(asked): Query<Page>,
) -> Result<Response, Failure> {
    let engine = state.engine().await?;
    let page = blocking(move || {
        let evidence = engine.evidence(&asked.url, &asked.snapshot).ok_or(Failure::Missing)?;
        let words: Vec<&str> = asked.q.split_whitespace().collect();
        Ok(xunjian_report::archived_page(&evidence, &words))
    })
    .await?;
    Ok(archive::framed(page))
}
