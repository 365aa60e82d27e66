//! `/review`: what waits for a person: findings, one list, decided with the keyboard if one likes, and indicators.

use axum::extract::{Query, State};
use axum::response::Html;
use serde::Deserialize;
use serde_json::{Value, json};
use xunjian_engine::{Engine, MEDIA};
use xunjian_model::Outcome;
use xunjian_report::Language;

use crate::Shared;
use crate::error::Failure;
use crate::session::Visitor;
use crate::view::{self, blocking};

/// Findings on a page.
const ROWS: usize = 30;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    site: Option<String>,
}

pub(crate) async fn show(
    State(state): Shared,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let (engine, language) = (state.engine().await?, visitor.language);
    let values = blocking(move || values(&engine, asked.site.as_deref(), language)).await?;
    state.view.page("review.html", &visitor, values)
}

fn values(engine: &Engine, only: Option<&str>, language: Language) -> Result<Value, Failure> {
    let (mut rows, mut sites) = (Vec::new(), Vec::new());
    for owner in engine.finding_owners() {
        let latest = engine.latest(&owner)?.map(|latest| latest.tally);
        let Some(tally) = latest.filter(|tally| tally.waiting > 0) else { continue };
        let name = view::owner_name(engine, &owner, language);
        sites.push(json!({ "id": owner, "name": name, "waiting": tally.waiting }));
        if only.is_some_and(|only| only != owner.as_str()) {
            continue;
        }
        for id in &tally.queue {
            if rows.len() >= ROWS {
                break;
            }
            // What was decided since the night waits no more.
            let filed = engine.filed_one(&owner, id)?;
            let Some(filed) = filed.filter(|filed| filed.ruled().waits()) else { continue };
            let mut row = view::filed(engine, &filed, language);
            row["site_name"] = json!(name);
            row["why"] = json!(filed.finding.detail.get("review").map(|why| language.said(why)));
            rows.push(row);
        }
    }
    let mut indicators = Vec::new();
    for site in engine.settings().sites.iter().filter(|site| only.is_none_or(|only| only == site.id.as_str()))
    {
        let verdict = engine.latest(&site.id)?.and_then(|latest| latest.verdict);
        let open = verdict.iter().flat_map(|verdict| engine.open_indicators(verdict));
        let open: Vec<Value> = open
            .map(|one| json!({ "id": one.id, "name": view::say(language, &one.name, &one.name_en) }))
            .collect();
        if !open.is_empty() {
            indicators.push(json!({ "site": site.id, "name": site.name, "open": open }));
        }
    }
    let verdicts = engine.account_verdicts()?;
    let accounts = verdicts.iter().filter(|one| one.result == Outcome::Review).count();
    let accounts = if only.is_none_or(|only| only == MEDIA) { accounts } else { 0 };
    Ok(json!({ "rows": rows, "sites": sites, "only": only, "indicators": indicators, "accounts": accounts }))
}
