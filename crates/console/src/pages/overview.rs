//! `/`: how every site stands today, and how that changed from night to night.

use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use xunjian_engine::{Engine, EngineError, RunTotals, place_of};
use xunjian_model::{Outcome, Severity, SiteId};
use xunjian_report::Language;

use crate::Shared;
use crate::error::Failure;
use crate::session::Visitor;
use crate::view::{self, blocking};

/// Nights in a chart.
pub(crate) const NIGHTS: usize = 30;

pub(crate) async fn show(
    State(state): Shared,
    visitor: Result<Visitor, Failure>,
) -> Result<Response, Failure> {
    let visitor = match visitor {
        Ok(visitor) => visitor,
        // Whoever is not known begins here.
        Err(Failure::Unknown) => return Ok(Redirect::to("/login").into_response()),
        Err(other) => return Err(other),
    };
    let (engine, language) = (state.engine().await?, visitor.language);
    let mut values = blocking(move || Ok(values(&engine, language)?)).await?;
    values["live"] = json!(state.progress());
    let page: Html<String> = state.view.page("overview.html", &visitor, values)?;
    Ok(page.into_response())
}

fn values(engine: &Engine, language: Language) -> Result<Value, EngineError> {
    let runs = engine.newest_runs(NIGHTS, None)?;
    let Some(last) = runs.first() else { return Ok(json!({ "run": null })) };
    let (mut sites, mut results) = (Vec::new(), [0; 3]);
    for site in &engine.settings().sites {
        let latest = engine.latest(&site.id)?;
        let unseen = latest.as_ref().map(|one| engine.unseen(one.run, &site.id, language)).transpose()?;
        let (standing, tally) = latest.map_or_else(Default::default, |one| (one.verdict, one.tally));
        if let Some(one) = &standing {
            results[place_of(one.result)] += 1;
        }
        let rank = standing.as_ref().map_or(0, |one| match (one.vetoes.len(), one.warnings.len()) {
            (0, 0) => 1,
            (0, warnings) => 100 + warnings,
            (vetoes, _) => 10_000 + vetoes,
        });
        let lines = standing.as_ref().map(|one| {
            let name = |tally: &xunjian_model::Tally| {
                format!(
                    "{} {}",
                    tally.rule,
                    if language == Language::Zh { &tally.name } else { &tally.name_en }
                )
            };
            json!({
                "vetoes": one.vetoes.iter().map(name).collect::<Vec<_>>(),
                "warnings": one.warnings.iter().map(name).collect::<Vec<_>>(),
                "result": view::outcome(one.result, language),
                "score": one.score.map(|score| format!("{score:.2}")),
            })
        });
        sites.push((
            rank,
            json!({
                "id": site.id,
                "name": site.name,
                "kind": site.kind.as_str(),
                "standing": lines,
                "unseen": unseen.unwrap_or_default(),
                "tally": tally,
                "serious": tally.by_severity[3],
                "major": tally.by_severity[2],
            }),
        ));
    }
    sites.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    let sites: Vec<Value> = sites.into_iter().map(|(_, site)| site).collect();
    let sum = |name: &str| sites.iter().filter_map(|site| site["tally"][name].as_u64()).sum::<u64>();
    // The accounts are no site of the list.
    let mut waiting = sum("waiting");
    let listed = |owner: &SiteId| engine.settings().sites.iter().any(|site| site.id == *owner);
    for owner in engine.finding_owners().iter().filter(|owner| !listed(owner)) {
        waiting += engine.latest(owner)?.map_or(0, |latest| latest.tally.waiting);
    }
    let accounts = engine.account_verdicts()?;
    Ok(json!({
        "accounts": accounts.len(),
        "accounts_failing": accounts.iter().filter(|one| one.result == Outcome::Fail).count(),
        "run": last.run.number,
        "started_at": view::moment(engine, last.run.started_at),
        "finished": last.run.finished,
        "results": results,
        "findings": sum("findings"),
        "new": sum("new"),
        "gone": sum("gone"),
        "waiting": waiting,
        "chart": chart(&runs, &engine.settings().zone, language),
        "sites": sites,
    }))
}

/// Stacked bars of the nights, oldest first, ready to draw.
pub(crate) fn chart(runs: &[RunTotals], zone: &TimeZone, language: Language) -> Value {
    const HEIGHT: f64 = 120.0;
    const STEP: usize = 24;
    let most = runs.iter().map(|run| run.findings).max().unwrap_or(0).max(1);
    let bars: Vec<Value> = runs
        .iter()
        // One under way, or of other sites, shows nothing yet.
        .filter(|run| run.results != [0; 3])
        .rev()
        .enumerate()
        .map(|(at, run)| {
            let mut top = HEIGHT;
            let parts: Vec<Value> = Severity::ALL
                .iter()
                .rev()
                .map(|severity| {
                    let place = Severity::ALL.iter().position(|one| one == severity).unwrap_or(0);
                    let height = run.by_severity[place] as f64 / most as f64 * HEIGHT;
                    top -= height;
                    json!({ "severity": severity.as_str(), "y": round(top), "height": round(height) })
                })
                .collect();
            let day = zone.to_datetime(run.run.started_at).date();
            json!({
                "x": at * STEP,
                "parts": parts,
                "run": run.run.number,
                "label": format!("#{} · {} · {}", run.run.number, day.strftime("%m-%d"), run.findings),
            })
        })
        .collect();
    json!({
        "width": bars.len().max(12) * STEP,
        "bars": bars,
        "most": most,
        "legend": Severity::ALL.iter().rev().map(|one| json!({ "id": one.as_str(), "name": xunjian_report::severity(*one, language) })).collect::<Vec<_>>(),
    })
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
