//! `/sites/ID`: a site's verdict, its indicators, its findings page by page.

use axum::extract::{Path, Query, State};
use axum::response::Html;
use serde::Deserialize;
use serde_json::{Value, json};
use xunjian_engine::Engine;
use xunjian_model::{Judgement, SiteId, Standing, Tally};
use xunjian_report::Language;

use crate::Shared;
use crate::api::findings::{Filter, page_of};
use crate::error::Failure;
use crate::pages::overview::{NIGHTS, chart};
use crate::session::Visitor;
use crate::view::{self, blocking};

/// Findings on a page.
const ROWS: usize = 50;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(flatten)]
    filter: Filter,
}

pub(crate) async fn show(
    State(state): Shared,
    visitor: Visitor,
    Path(site): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let (engine, language) = (state.engine().await?, visitor.language);
    let values = blocking(move || values(&engine, &site, &asked.filter, language)).await?;
    state.view.page("site.html", &visitor, values)
}

fn values(engine: &Engine, id: &str, filter: &Filter, language: Language) -> Result<Value, Failure> {
    let id = SiteId::new(id).map_err(|_| Failure::Missing)?;
    let site = engine.settings().sites.iter().find(|site| site.id == id).ok_or(Failure::Missing)?;
    let latest = engine.latest(&id)?;
    let (standing, tally) = latest.map_or_else(Default::default, |one| (one.verdict, one.tally));
    let (rows, next) = page_of(engine, std::slice::from_ref(&id), filter, filter.limit(ROWS, ROWS)?)?;
    let zh = language == Language::Zh;
    let line = |tally: &Tally| {
        json!({
            "rule": tally.rule,
            "name": if zh { &tally.name } else { &tally.name_en },
            "reason": if zh { &tally.reason } else { &tally.reason_en },
            "value": tally.value,
            "threshold": tally.threshold,
        })
    };
    let indicator = |row: &Judgement| {
        let rule = engine.settings().catalogue.indicator(&row.indicator);
        let (word_zh, word_en) = row.standing.words();
        json!({
            "id": row.indicator,
            "name": rule.map(|rule| if zh { rule.name.clone() } else { rule.name_en.clone() }),
            "standing": if zh { word_zh } else { word_en },
            "is": match row.standing {
                Standing::Pass | Standing::Bonus => "pass",
                Standing::NotApplicable => "none",
                Standing::Open => "review",
                _ => "fail",
            },
            "reason": if zh { &row.reason } else { &row.reason_en },
            "points": row.points,
            "inputs": row.inputs,
            "verified": rule.is_some_and(|rule| rule.verified),
        })
    };
    let kinds: Vec<Value> = tally
        .by_kind
        .iter()
        .map(|(kind, count)| json!({ "id": kind.as_str(), "name": if zh { kind.zh() } else { kind.en() }, "count": count }))
        .collect();
    Ok(json!({
        "site": { "id": site.id, "name": site.name, "url": site.url.as_str(), "code": site.code, "office": site.office },
        "result": standing.as_ref().map(|one| view::outcome(one.result, language)),
        "score": standing.as_ref().and_then(|one| one.score).map(|score| format!("{score:.2}")),
        "vetoes": standing.iter().flat_map(|one| one.vetoes.iter().map(line)).collect::<Vec<_>>(),
        "warnings": standing.iter().flat_map(|one| one.warnings.iter().map(line)).collect::<Vec<_>>(),
        "indicators": standing.iter().flat_map(|one| one.indicators.iter().map(indicator)).collect::<Vec<_>>(),
        "chart": chart(&engine.newest_runs(NIGHTS, Some(&id))?, &engine.settings().zone, language),
        "tally": tally,
        "kinds": kinds,
        "kind": filter.kind,
        "limit": filter.limit,
        "findings": rows.iter().map(|one| view::filed(one, language)).collect::<Vec<_>>(),
        "next": next,
    }))
}
