//! `/rectification`: every finding an office was told of, by how far it is mended.

use axum::extract::State;
use axum::response::Html;
use jiff::Timestamp;
use serde_json::{Value, json};
use xunjian_engine::Engine;
use xunjian_report::Language;
use xunjian_store::Space;

use crate::Shared;
use crate::error::Failure;
use crate::session::Visitor;
use crate::view::{self, blocking};

/// Stages, with their names.
const STAGES: [(&str, &str, &str); 4] = [
    ("relapsed", "反弹", "relapsed"),
    ("notified", "已通知，待整改", "notified"),
    ("reported", "已反馈，待复查", "reported mended"),
    ("closed", "已销号", "closed"),
];
/// Findings shown of a stage.
const ROWS: usize = 60;
/// Findings looked at; further ones are found by site.
const LOOKED_MAX: usize = 5_000;

pub(crate) async fn show(State(state): Shared, visitor: Visitor) -> Result<Html<String>, Failure> {
    let (engine, language) = (state.engine().await?, visitor.language);
    let values = blocking(move || values(&engine, language)).await?;
    state.view.page("rectification.html", &visitor, values)
}

fn values(engine: &Engine, language: Language) -> Result<Value, Failure> {
    let today = engine.settings().zone.to_datetime(Timestamp::now()).date();
    let mut stages: Vec<(u64, u64, Vec<Value>)> = vec![(0, 0, Vec::new()); STAGES.len()];
    let mut looked = 0;
    for owner in engine.finding_owners() {
        for row in engine.store().scan::<()>(Space::Rectification, &[owner.as_str().as_bytes(), b""]) {
            looked += 1;
            if looked > LOOKED_MAX {
                break;
            }
            let Some(filed) = engine.filed_one(&owner, &row?.0)? else { continue };
            let stage = filed.case.rectification.as_str();
            let Some(at) = STAGES.iter().position(|(id, _, _)| *id == stage) else { continue };
            let overdue = filed.case.rectification.is_overdue(today);
            stages[at].0 += 1;
            stages[at].1 += u64::from(overdue);
            if stages[at].2.len() < ROWS {
                let mut value = view::filed(engine, &filed, language);
                value["site_name"] = json!(view::owner_name(engine, &owner, language));
                value["overdue"] = json!(overdue);
                stages[at].2.push(value);
            }
        }
    }
    let stages: Vec<Value> = STAGES
        .iter()
        .zip(stages)
        .map(|((id, zh, en), (count, overdue, mut rows))| {
            rows.sort_by_key(|row| row["due"].to_string());
            json!({ "id": id, "name": view::say(language, zh, en), "count": count, "overdue": overdue, "rows": rows })
        })
        .collect();
    Ok(json!({ "stages": stages, "cut": looked > LOOKED_MAX }))
}
