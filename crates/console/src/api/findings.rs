//! Findings, page by page.

use axum::Json;
use axum::extract::State;
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::{Value, json};
use xunjian_engine::{Engine, Filed};
use xunjian_model::{Case, Finding, FindingState, Kind, Severity, SiteId};
use xunjian_store::Space;

use super::{Caller, Path, Problem, Query};
use crate::Shared;
use crate::error::Failure;
use crate::view::blocking;

/// Findings of an answer, unless fewer are asked for.
const LIMIT: usize = 100;
/// And at most.
const LIMIT_MAX: usize = 500;
/// Findings looked at for an answer; a filter that lets few through gives short pages, and goes on.
const LOOKED_MAX: usize = 20_000;

/// Which findings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// Site.
    pub(crate) site: Option<String>,
    /// Kind.
    pub(crate) kind: Option<String>,
    /// At least this severe.
    severity: Option<String>,
    /// State; without one, all that are there.
    state: Option<String>,
    /// Stage of being mended.
    stage: Option<String>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// Findings wanted.
    pub(crate) limit: Option<String>,
}

/// The filter, read.
struct Wanted {
    kind: Option<Kind>,
    severity: Option<Severity>,
    state: Option<FindingState>,
    stage: Option<String>,
}

impl Filter {
    fn read(&self) -> Result<Wanted, Failure> {
        let wrong = |reason: String| Failure::Wrong(reason);
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let kind =
            given(&self.kind).map(|text| text.parse().map_err(|error| wrong(format!("kind: {error}"))));
        let severity = given(&self.severity)
            .map(|text| text.parse().map_err(|error| wrong(format!("severity: {error}"))));
        let state = given(&self.state).map(|text| {
            let read = serde_json::from_value(json!(text));
            read.map_err(|_| wrong(format!("state: {text:?} is none; use new, open, relapsed or gone")))
        });
        const STAGES: [&str; 5] = ["none", "notified", "reported", "closed", "relapsed"];
        let stage = given(&self.stage);
        if let Some(stage) = stage.as_deref().filter(|stage| !STAGES.contains(stage)) {
            return Err(wrong(format!("stage: {stage:?} is none; use {}", STAGES.join(", "))));
        }
        Ok(Wanted {
            kind: kind.transpose()?,
            severity: severity.transpose()?,
            state: state.transpose()?,
            stage,
        })
    }

    /// Findings wanted on a page.
    pub(crate) fn limit(&self, usual: usize, most: usize) -> Result<usize, Failure> {
        match self.limit.as_deref().filter(|text| !text.is_empty()).map(str::parse::<usize>) {
            None => Ok(usual),
            Some(Ok(limit)) if (1..=most).contains(&limit) => Ok(limit),
            Some(_) => Err(Failure::Wrong(format!("limit: must be a number from 1 to {most}"))),
        }
    }

    /// What a cursor has to have been made with.
    fn name(&self) -> String {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        [&self.site, &self.kind, &self.severity, &self.state, &self.stage].map(part).join("\n")
    }

    /// Site and id behind which this page begins.
    fn after(&self) -> Result<Option<(String, String)>, Failure> {
        let Some(cursor) = self.cursor.as_deref().filter(|cursor| !cursor.is_empty()) else {
            return Ok(None);
        };
        let read = || {
            let text = String::from_utf8(BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?).ok()?;
            let (query, place) = text.rsplit_once('\t')?;
            let (site, id) = place.split_once('/')?;
            Some((query.to_owned(), site.to_owned(), id.to_owned()))
        };
        match read() {
            None => Err(Failure::Wrong("cursor: is not one of ours; take it from `next`".to_owned())),
            Some((query, ..)) if query != self.name() => {
                Err(Failure::Wrong("cursor: belongs to another query; begin again without it".to_owned()))
            }
            Some((_, site, id)) => Ok(Some((site, id))),
        }
    }

    fn cursor(&self, finding: &Finding) -> String {
        BASE64URL_NOPAD.encode(format!("{}\t{}/{}", self.name(), finding.site, finding.id).as_bytes())
    }
}

/// A page of findings of some sites, and the cursor of the next one.
pub(crate) fn page_of(
    engine: &Engine,
    sites: &[SiteId],
    filter: &Filter,
    limit: usize,
) -> Result<(Vec<Filed>, Option<String>), Failure> {
    let wanted = filter.read()?;
    let after = filter.after()?;
    let (mut rows, mut looked) = (Vec::new(), 0);
    // Sites in the register's order; those before the cursor's are done.
    let begin = match &after {
        Some((site, _)) => sites.iter().position(|one| one.as_str() == site).unwrap_or(sites.len()),
        None => 0,
    };
    for site in sites.iter().skip(begin) {
        let own = after.as_ref().filter(|(first, _)| first == site.as_str());
        let id = own.map_or("", |(_, id)| id.as_str());
        let prefix: [&[u8]; 2] = [site.as_str().as_bytes(), b""];
        for row in engine.store().scan_after::<Finding>(Space::Finding, &prefix, id.as_bytes()) {
            let (_, finding) = row?;
            looked += 1;
            let there = match wanted.state {
                Some(state) => finding.state == state,
                None => finding.state != FindingState::Gone,
            };
            let fits = there
                && wanted.kind.is_none_or(|kind| finding.kind == kind)
                && wanted.severity.is_none_or(|least| finding.severity >= least);
            let full = |rows: &[Filed]| rows.len() >= limit || looked >= LOOKED_MAX;
            if !fits {
                if full(&rows) {
                    let next = filter.cursor(&finding);
                    return Ok((rows, Some(next)));
                }
                continue;
            }
            let key: [&[u8]; 2] = [site.as_str().as_bytes(), finding.id.as_str().as_bytes()];
            let case: Case = engine.store().get(Space::Case, &key)?.unwrap_or_default();
            if wanted.stage.as_deref().is_none_or(|stage| case.rectification.as_str() == stage) {
                rows.push(Filed { finding: finding.clone(), case });
            }
            if full(&rows) {
                let next = filter.cursor(&finding);
                return Ok((rows, Some(next)));
            }
        }
    }
    Ok((rows, None))
}

pub(crate) async fn list(
    State(state): Shared,
    _: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>, Problem> {
    let engine = state.engine().await.map_err(Problem)?;
    let limit = filter.limit(LIMIT, LIMIT_MAX).map_err(Problem)?;
    let answer = blocking(move || {
        let mut sites = engine.finding_owners();
        if let Some(only) = filter.site.as_deref().filter(|only| !only.is_empty()) {
            sites.retain(|site| site.as_str() == only);
            if sites.is_empty() {
                return Err(Failure::Wrong(format!("site: no site {only:?} is in the register")));
            }
        }
        let (rows, next) = page_of(&engine, &sites, &filter, limit)?;
        Ok(json!({ "findings": rows, "next": next }))
    })
    .await
    .map_err(Problem)?;
    Ok(Json(answer))
}

pub(crate) async fn one(State(state): Shared, _: Caller, Path(id): Path) -> Result<Json<Filed>, Problem> {
    let engine = state.engine().await.map_err(Problem)?;
    Ok(Json(blocking(move || Ok(engine.find(&id)?)).await.map_err(Problem)?))
}
