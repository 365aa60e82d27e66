//! What people judge of indicators that no machine can judge.

use std::fmt;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use xunjian_engine::{Engine, MEDIA};
use xunjian_judge::{Indicator, Quarter};
use xunjian_model::{Assessment, SiteId, Standing};

use super::{Body, Caller, Problem, Query};
use crate::error::Failure;
use crate::session::Visitor;
use crate::view::blocking;
use crate::{Shared, State as Everything};

/// Of what an indicator is judged.
#[derive(Clone, Debug)]
pub(crate) enum Of {
    /// A site of the register.
    Site(SiteId),
    /// An account, by platform and name.
    Account(String),
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site(site) => site.fmt(f),
            Self::Account(key) => key.fmt(f),
        }
    }
}

impl Of {
    fn read(site: Option<String>, account: Option<String>) -> Result<Self, Failure> {
        match (site, account) {
            (Some(site), None) => {
                let wrong = |error| Failure::Wrong(format!("site: {error}"));
                SiteId::new(site.as_str()).map(Self::Site).map_err(wrong)
            }
            (None, Some(account)) => Ok(Self::Account(account)),
            _ => Err(Failure::Wrong("name either a site or an account".to_owned())),
        }
    }

    /// Whose findings and verdicts it is of.
    fn owner(&self) -> Result<SiteId, Failure> {
        match self {
            Self::Site(site) => Ok(site.clone()),
            Self::Account(_) => SiteId::new(MEDIA).map_err(|error| Failure::Ours(error.to_string())),
        }
    }
}

/// What was judged.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) indicator: String,
    /// Points lost or won; 1 for a veto.
    pub(crate) points: f64,
    pub(crate) reason: String,
    /// Empty: the present one.
    pub(crate) quarter: String,
}

/// The quarter that a text names, or the present one.
pub(crate) fn quarter(engine: &Engine, text: &str) -> Result<Quarter, Failure> {
    match text {
        "" => Ok(engine.present_quarter()),
        text => text.parse().map_err(|error| Failure::Wrong(format!("quarter: {error}"))),
    }
}

/// Keeps it for whoever asks, writes it down, and lets it count at once. Answers with the quarter.
pub(crate) async fn assess(
    state: &Everything,
    visitor: &Visitor,
    of: Of,
    judged: Judged,
) -> Result<Quarter, Failure> {
    visitor.may_decide()?;
    let engine = state.engine().await?;
    let quarter = quarter(&engine, &judged.quarter)?;
    let about = format!("{of} {} {quarter}", judged.indicator);
    let assessment = Assessment {
        indicator: judged.indicator,
        points: judged.points,
        by: visitor.name.clone(),
        at: xunjian_model::kept_moment(Timestamp::now()),
        note: judged.reason,
    };
    let done = blocking(move || {
        match &of {
            Of::Site(site) => engine.assess(site, quarter, &assessment)?,
            Of::Account(key) => engine.assess_account(key, quarter, &assessment)?,
        }
        Ok(engine.judge_again(&of.owner()?)?)
    })
    .await;
    let result = done.as_ref().map_or_else(Failure::reason, |()| "done".to_owned());
    state.audit.note(&visitor.name, visitor.from, "assess", &about, &result);
    done.map(|()| quarter)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sent {
    site: Option<String>,
    account: Option<String>,
    indicator: String,
    points: f64,
    reason: String,
    #[serde(default)]
    quarter: String,
}

pub(crate) async fn post(
    State(state): Shared,
    Caller(visitor): Caller,
    Body(sent): Body<Sent>,
) -> Result<Json<Value>, Problem> {
    let of = Of::read(sent.site, sent.account).map_err(Problem)?;
    let judged =
        Judged { indicator: sent.indicator, points: sent.points, reason: sent.reason, quarter: sent.quarter };
    let quarter = assess(&state, &visitor, of.clone(), judged).await.map_err(Problem)?;
    let engine = state.engine().await.map_err(Problem)?;
    Ok(Json(blocking(move || answer(&engine, &of, quarter)).await.map_err(Problem)?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    site: Option<String>,
    account: Option<String>,
    #[serde(default)]
    quarter: String,
}

pub(crate) async fn list(
    State(state): Shared,
    _: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Problem> {
    let engine = state.engine().await.map_err(Problem)?;
    let listed = blocking(move || {
        let quarter = quarter(&engine, &asked.quarter)?;
        answer(&engine, &Of::read(asked.site, asked.account)?, quarter)
    });
    Ok(Json(listed.await.map_err(Problem)?))
}

/// What people judged in a quarter, the newest last, and what waits for a person as it stands now.
fn answer(engine: &Engine, of: &Of, quarter: Quarter) -> Result<Value, Failure> {
    let indicator = |one: &Indicator| json!({ "indicator": one.id, "name": one.name, "name_en": one.name_en, "points_max": one.points.unwrap_or(1.0) });
    let (assessments, open) = match of {
        Of::Site(site) => {
            if !engine.settings().sites.iter().any(|own| own.id == *site) {
                return Err(Failure::Wrong(format!("site: no site {:?} is in the register", site.as_str())));
            }
            let verdict = engine.latest(site)?.and_then(|latest| latest.verdict);
            let open = verdict.iter().flat_map(|verdict| engine.open_indicators(verdict)).map(indicator);
            (engine.assessments(site, quarter)?, open.collect::<Vec<_>>())
        }
        Of::Account(key) => {
            if !engine.accounts()?.iter().any(|own| own.key() == *key) {
                return Err(Failure::Wrong(format!("account: no account {key:?} is in the ledger")));
            }
            let verdict = engine.account_verdicts()?.into_iter().find(|one| one.account.key() == *key);
            let rows = verdict.iter().flat_map(|verdict| &verdict.indicators);
            let open = rows.filter(|row| row.standing == Standing::Open);
            let open =
                open.filter_map(|row| engine.settings().catalogue.indicator(&row.indicator)).map(indicator);
            (engine.account_assessments(key, quarter)?, open.collect())
        }
    };
    Ok(json!({ "quarter": quarter.to_string(), "assessments": assessments, "open": open }))
}
