//! `/sites/ID`: a site's verdict, its indicators and what people judge of them, its findings page by page.

use std::collections::HashSet;

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use xunjian_engine::{Column, ColumnState, Engine, Latest};
use xunjian_judge::{Indicator, Quarter, Who, input_zh};
use xunjian_model::{Judgement, Site, SiteId, Standing, Tally};
use xunjian_report::Language;

use crate::Shared;
use crate::api::assessments::{Judged, Of, assess};
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
    let quarter = latest.as_ref().map(|latest| engine.quarter_of(latest.run)).transpose()?;
    let quarter = quarter.unwrap_or_else(|| engine.present_quarter());
    let unseen = latest.as_ref().map(|latest| engine.unseen(latest.run, &id, language)).transpose()?;
    let (standing, tally) =
        latest.map_or_else(Default::default, |Latest { verdict, tally, .. }| (verdict, tally));
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
    let open: HashSet<&str> = standing
        .iter()
        .flat_map(|verdict| engine.open_indicators(verdict).map(|one| one.id.as_str()))
        .collect();
    let input =
        |(name, value): &(String, String)| json!([if zh { input_zh(name) } else { name.as_str() }, value]);
    let indicator = |row: &Judgement| {
        let rule = engine.settings().catalogue.indicator(&row.indicator);
        let (word_zh, word_en) = row.standing.words();
        let judged = rule.filter(|rule| rule.who == Who::Person || open.contains(rule.id.as_str()));
        let judged = judged.map(|rule| to_judge(engine, site, rule, quarter, language)).transpose()?;
        Ok(json!({
            "waits": open.contains(row.indicator.as_str()),
            "judged": judged,
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
            "inputs": row.inputs.iter().map(input).collect::<Vec<_>>(),
            "verified": rule.is_some_and(|rule| rule.verified),
        }))
    };
    let indicators = standing.iter().flat_map(|one| one.indicators.iter().map(indicator));
    let indicators = indicators.collect::<Result<Vec<Value>, Failure>>()?;
    let kinds: Vec<Value> = tally
        .by_kind
        .iter()
        .map(|(kind, count)| json!({ "id": kind.as_str(), "name": if zh { kind.zh() } else { kind.en() }, "count": count }))
        .collect();
    let columns = engine.columns(&id)?;
    let (home_newest, columns) =
        (columns.home_newest, columns.columns.iter().map(|one| column(one, language)));
    Ok(json!({
        "home_newest": home_newest,
        "columns": columns.collect::<Vec<_>>(),
        "site": { "id": site.id, "name": site.name, "url": site.url.as_str(), "code": site.code, "office": site.office },
        "result": standing.as_ref().map(|one| view::outcome(one.result, language)),
        "unseen": unseen.unwrap_or_default(),
        "score": standing.as_ref().and_then(|one| one.score).map(|score| format!("{score:.2}")),
        "vetoes": standing.iter().flat_map(|one| one.vetoes.iter().map(line)).collect::<Vec<_>>(),
        "warnings": standing.iter().flat_map(|one| one.warnings.iter().map(line)).collect::<Vec<_>>(),
        "indicators": indicators,
        "waiting": open.len(),
        "quarters": quarters(engine, quarter),
        "chart": chart(&engine.newest_runs(NIGHTS, Some(&id))?, &engine.settings().zone, language),
        "tally": tally,
        "kinds": kinds,
        "kind": filter.kind,
        "limit": filter.limit,
        "findings": rows.iter().map(|one| view::filed(engine, one, language)).collect::<Vec<_>>(),
        "next": next,
    }))
}

/// A column, how it stands, and where a person looks it up.
fn column(one: &Column, language: Language) -> Value {
    let [class_zh, class_en] = &one.class_names;
    let (state_zh, state_en) = one.state.words();
    json!({
        "name": one.name,
        "known": view::link("/snapshots", &[("url", &one.url)]),
        "class": view::say(language, class_zh, class_en),
        "newest": one.newest,
        "stale_on": one.stale_on,
        "state": view::say(language, state_zh, state_en),
        "is": match one.state {
            ColumnState::Fresh => "pass",
            ColumnState::Stale | ColumnState::Blank => "fail",
            ColumnState::Unseen | ColumnState::Undated => "review",
            ColumnState::Unlimited => "none",
        },
    })
}

/// What a person is shown who judges an indicator of a site.
fn to_judge(
    engine: &Engine,
    site: &Site,
    rule: &Indicator,
    quarter: Quarter,
    language: Language,
) -> Result<Value, Failure> {
    let before = engine.assessed_before(&site.id, &rule.id, quarter)?;
    Ok(json!({
        "rule": view::say(language, &rule.rule, &rule.rule_en),
        // A veto is one or none; under a group points are lost, or won.
        "is_veto": rule.group.is_none(),
        "is_bonus": rule.is_bonus(),
        "most": rule.points.unwrap_or(1.0),
        "before": before,
    }))
}

/// The quarters that can be judged: that of what is shown, and the present one and the one before it.
pub(crate) fn quarters(engine: &Engine, shown: Quarter) -> Vec<String> {
    let present = engine.present_quarter();
    let mut quarters = vec![shown, present, present.before()];
    let mut seen = HashSet::new();
    quarters.retain(|quarter| seen.insert(*quarter));
    quarters.iter().map(Quarter::to_string).collect()
}

#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    form_token: String,
    indicator: String,
    points: f64,
    reason: String,
    #[serde(default)]
    quarter: String,
}

pub(crate) async fn judge(
    State(state): Shared,
    visitor: Visitor,
    Path(site): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, Failure> {
    visitor.sent(&sent.form_token)?;
    let id = SiteId::new(site.as_str()).map_err(|_| Failure::Missing)?;
    let place = format!("/sites/{id}#{}", sent.indicator);
    let Sent { indicator, points, reason, quarter, .. } = sent;
    assess(&state, &visitor, Of::Site(id), Judged { indicator, points, reason, quarter }).await?;
    Ok(Redirect::to(&place).into_response())
}
