//! `/media`: the new-media accounts, as they were judged last, and what people judge of them.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use xunjian_engine::{Engine, place_of};
use xunjian_judge::AccountVerdict;
use xunjian_model::{Outcome, Standing};
use xunjian_report::Language;

use crate::Shared;
use crate::api::assessments::{Judged, Of, assess};
use crate::error::Failure;
use crate::pages::site::quarters;
use crate::session::Visitor;
use crate::view::{self, blocking};

/// Accounts on a page.
const ROWS: usize = 100;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    result: String,
    #[serde(default)]
    platform: String,
    #[serde(default)]
    from: usize,
}

pub(crate) async fn show(
    State(state): Shared,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let (engine, language) = (state.engine().await?, visitor.language);
    let values = blocking(move || values(&engine, &asked, language)).await?;
    state.view.page("media.html", &visitor, values)
}

fn values(engine: &Engine, asked: &Asked, language: Language) -> Result<Value, Failure> {
    let mut all = engine.account_verdicts()?;
    // Faults first, then what waits for a person.
    all.sort_by_key(|one| match one.result {
        Outcome::Fail => 0,
        Outcome::Review => 1,
        Outcome::Pass => 2,
    });
    let mut platforms: BTreeMap<&str, usize> = BTreeMap::new();
    let mut results = [0; 3];
    let id = |one: &AccountVerdict| view::outcome(one.result, language)["id"].clone();
    let on = |one: &&AccountVerdict| asked.platform.is_empty() || one.account.platform == asked.platform;
    for one in &all {
        *platforms.entry(&one.account.platform).or_default() += 1;
        results[place_of(one.result)] += usize::from(on(&one));
    }
    let wanted = |one: &&AccountVerdict| asked.result.is_empty() || id(one) == asked.result;
    let found: Vec<&AccountVerdict> = all.iter().filter(on).filter(wanted).collect();
    let rows: Vec<Value> =
        found.iter().skip(asked.from).take(ROWS).map(|one| account(one, language)).collect();
    let here = |result: &str, platform: &str, from: usize| {
        let from = if from > 0 { from.to_string() } else { String::new() };
        view::link("/media", &[("result", result), ("platform", platform), ("from", &from)])
    };
    let by_platform: Vec<Value> = platforms
        .iter()
        .map(|(name, count)| json!({ "name": name, "count": count, "link": here(&asked.result, name, 0) }))
        .collect();
    let by_result: Vec<Value> = [Outcome::Fail, Outcome::Review, Outcome::Pass]
        .into_iter()
        .map(|outcome| {
            let mut value = view::outcome(outcome, language);
            value["count"] = json!(results[place_of(outcome)]);
            value["link"] = json!(here(value["id"].as_str().unwrap_or_default(), &asked.platform, 0));
            value
        })
        .collect();
    let next = asked.from.saturating_add(ROWS);
    let faults = engine.posts_tables()?.into_iter().filter(|(_, table)| !table.fault.is_empty());
    let faults: Vec<Value> =
        faults.map(|(path, table)| json!({ "path": path, "fault": language.said(&table.fault) })).collect();
    Ok(json!({
        "accounts": all.len(),
        "result": asked.result,
        "platform": asked.platform,
        "every_result": here("", &asked.platform, 0),
        "every_platform": here(&asked.result, "", 0),
        "results": by_result,
        "platforms": by_platform,
        "rows": rows,
        "faults": faults,
        "here": here(&asked.result, &asked.platform, asked.from),
        "quarters": quarters(engine, engine.present_quarter()),
        "next": (next < found.len()).then(|| here(&asked.result, &asked.platform, next)),
    }))
}

fn account(one: &AccountVerdict, language: Language) -> Value {
    let zh = language == Language::Zh;
    let told = one.indicators.iter().filter(|row| row.standing != Standing::Pass);
    let mut why: Vec<String> = told
        .map(|row| format!("{} {}", row.indicator, if zh { &row.reason } else { &row.reason_en }))
        .collect();
    let state = if zh { one.account.state.zh() } else { one.account.state.as_str() };
    if why.is_empty() && one.result == Outcome::Fail {
        why.push(state.to_owned());
    }
    let open = one.indicators.iter().filter(|row| row.standing == Standing::Open);
    let address = one.account.address.as_deref();
    json!({
        "platform": one.account.platform,
        "name": one.account.name,
        "office": one.account.office,
        "address": address.filter(|address| address.starts_with("http://") || address.starts_with("https://")),
        "state": state,
        "last_post": one.last_post,
        "known_until": one.known_until,
        "activity": if zh { one.activity.zh() } else { one.activity.as_str() },
        "result": view::outcome(one.result, language),
        "why": why,
        "key": one.account.key(),
        "open": open.map(|row| row.indicator.as_str()).collect::<Vec<_>>(),
    })
}

#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    form_token: String,
    account: String,
    indicator: String,
    points: f64,
    reason: String,
    #[serde(default)]
    quarter: String,
    /// Where to go on.
    #[serde(default)]
    back: String,
}

pub(crate) async fn judge(
    State(state): Shared,
    visitor: Visitor,
    Form(sent): Form<Sent>,
) -> Result<Response, Failure> {
    visitor.sent(&sent.form_token)?;
    let Sent { account, indicator, points, reason, quarter, back, .. } = sent;
    assess(&state, &visitor, Of::Account(account), Judged { indicator, points, reason, quarter }).await?;
    Ok(Redirect::to(view::own_place(&back).unwrap_or("/media")).into_response())
}
