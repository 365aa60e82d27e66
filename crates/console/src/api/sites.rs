//! Sites, verdicts, runs and accounts.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use xunjian_engine::{Engine, EngineError, Latest, RunRecord};
use xunjian_judge::AccountVerdict;
use xunjian_model::{Site, Standing};
use xunjian_report::Language;
use xunjian_store::StoreError;

use super::{Caller, Path, Problem};
use crate::Shared;
use crate::error::Failure;
use crate::view::blocking;

/// Findings named behind a line of a verdict in the list of all.
const IDS_MAX: usize = 100;
/// Runs that are listed.
const RUNS: usize = 100;

fn last(engine: &Engine) -> Result<u32, StoreError> {
    Ok(RunRecord::last(engine.store())?.map_or(0, |run| run.number))
}

/// A site as the newest run that looked at it to the end left it.
fn shown(engine: &Engine, latest: Option<&Latest>, site: &Site) -> Result<Value, EngineError> {
    let unseen = latest.map(|one| engine.unseen(one.run, &site.id, Language::En)).transpose()?;
    let standing = latest.and_then(|latest| latest.verdict.as_ref());
    let mut tally = serde_json::to_value(latest.map(|latest| &latest.tally)).unwrap_or_default();
    if let Some(tally) = tally.as_object_mut() {
        tally.remove("queue");
    }
    Ok(json!({
        "id": site.id,
        "name": site.name,
        "url": site.url.as_str(),
        "kind": site.kind.as_str(),
        "code": site.code,
        "office": site.office,
        "run": latest.map(|latest| latest.run),
        "result": standing.map(|one| one.result),
        "score": standing.and_then(|one| one.score),
        "vetoes": standing.map_or(0, |one| one.vetoes.len()),
        "warnings": standing.map_or(0, |one| one.warnings.len()),
        "unseen": unseen.unwrap_or_default(),
        "tally": tally,
    }))
}

pub(crate) async fn list(State(state): Shared, _: Caller) -> Result<Json<Value>, Problem> {
    let engine = state.engine().await.map_err(Problem)?;
    let answer = blocking(move || {
        let run = last(&engine)?;
        let one = |site: &Site| shown(&engine, engine.latest(&site.id)?.as_ref(), site);
        let sites: Result<Vec<Value>, EngineError> = engine.settings().sites.iter().map(one).collect();
        Ok(json!({ "run": run, "sites": sites? }))
    });
    Ok(Json(answer.await.map_err(Problem)?))
}

pub(crate) async fn one(State(state): Shared, _: Caller, Path(id): Path) -> Result<Json<Value>, Problem> {
    let engine = state.engine().await.map_err(Problem)?;
    let answer = blocking(move || {
        let site = engine.settings().sites.iter().find(|site| site.id.as_str() == id);
        let site = site.ok_or(Failure::Missing)?;
        let latest = engine.latest(&site.id)?;
        let mut value = shown(&engine, latest.as_ref(), site)?;
        value["verdict"] = json!(latest.and_then(|latest| latest.verdict));
        let found = engine.columns(&site.id)?;
        value["home_newest"] = json!(found.home_newest);
        value["columns"] = json!(found.columns);
        Ok(value)
    });
    Ok(Json(answer.await.map_err(Problem)?))
}

pub(crate) async fn verdicts(State(state): Shared, _: Caller) -> Result<Json<Value>, Problem> {
    let engine = state.engine().await.map_err(Problem)?;
    let answer = blocking(move || {
        let run = last(&engine)?;
        let mut verdicts = Vec::new();
        for site in &engine.settings().sites {
            let Some(latest) = engine.latest(&site.id)? else { continue };
            let Some(standing) = latest.verdict else { continue };
            let mut value = serde_json::to_value(standing).unwrap_or_default();
            value["run"] = json!(latest.run);
            // A site's own page has them.
            value.as_object_mut().map(|fields| fields.remove("indicators"));
            for lines in ["vetoes", "warnings", "reviews"] {
                for line in value[lines].as_array_mut().into_iter().flatten() {
                    if let Some(ids) = line["findings"].as_array_mut() {
                        ids.truncate(IDS_MAX);
                    }
                }
            }
            verdicts.push(value);
        }
        Ok(json!({ "run": run, "verdicts": verdicts }))
    });
    Ok(Json(answer.await.map_err(Problem)?))
}

pub(crate) async fn runs(State(state): Shared, _: Caller) -> Result<Json<Value>, Problem> {
    let engine = state.engine().await.map_err(Problem)?;
    let answer = blocking(move || Ok(json!({ "runs": engine.newest_runs(RUNS, None)? })));
    Ok(Json(answer.await.map_err(Problem)?))
}

pub(crate) async fn media(State(state): Shared, _: Caller) -> Result<Json<Value>, Problem> {
    let engine = state.engine().await.map_err(Problem)?;
    let answer = blocking(move || {
        let accounts: Vec<Value> = engine.account_verdicts()?.iter().map(account).collect();
        Ok(json!({ "accounts": accounts }))
    });
    Ok(Json(answer.await.map_err(Problem)?))
}

fn account(one: &AccountVerdict) -> Value {
    let told = one.indicators.iter().filter(|row| row.standing != Standing::Pass);
    let lines: Vec<Value> = told
        .map(|row| {
            json!({
                "indicator": row.indicator,
                "standing": row.standing,
                "reason": row.reason,
                "reason_en": row.reason_en,
                "findings": row.findings.iter().take(IDS_MAX).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "platform": one.account.platform,
        "name": one.account.name,
        "office": one.account.office,
        "site": one.account.site,
        "state": one.account.state,
        "result": one.result,
        "activity": one.activity,
        "last_post": one.last_post,
        "known_until": one.known_until,
        "lines": lines,
    })
}
