//! `xunjian review`: what waits for a person.

use jiff::Timestamp;
use serde_json::json;
use xunjian_engine::{Assessed, Engine, Wanted};
use xunjian_model::{Assessment, SiteId};

use crate::Exit;
use crate::args::{Common, Hand, Review};
use crate::commands::findings::with_flags;
use crate::commands::night;
use crate::terminal::{Terminal, table};

pub(crate) fn run(common: &Common, terminal: Terminal, command: &Review) -> anyhow::Result<Exit> {
    let settings = night::settings(common)?;
    match command {
        Review::List { sites } => {
            night::checked_sites(&settings, sites)?;
            list(&Engine::open(settings)?, terminal, sites)
        }
        Review::Assess { site, indicator, points, quarter, hand } => {
            let engine = Engine::open(settings)?;
            let quarter = quarter.unwrap_or_else(|| engine.present_quarter());
            engine.assess(site, quarter, &assessment(indicator, *points, hand)).map_err(with_flags)?;
            engine.judge_again(site)?;
            terminal.note(format!("{} {quarter}", terminal.words("已记录：", "Written down for")));
            terminal.json(&engine.assessments(site, quarter)?)?;
            Ok(Exit::Done)
        }
    }
}

/// A judgement as the flags say it.
pub(crate) fn assessment(indicator: &str, points: f64, hand: &Hand) -> Assessment {
    Assessment {
        indicator: indicator.to_owned(),
        points,
        by: hand.by.clone(),
        at: xunjian_model::kept_moment(Timestamp::now()),
        note: hand.reason.clone(),
    }
}

fn list(engine: &Engine, terminal: Terminal, sites: &[SiteId]) -> anyhow::Result<Exit> {
    let wanted = Wanted { queue: true, sites: sites.to_vec(), ..Wanted::default() };
    let findings = engine.filed(&wanted)?;
    let verdicts = engine.judge()?;
    let quarter = engine.present_quarter();
    let mut rows = Vec::new();
    let mut open = Vec::new();
    for verdict in verdicts.iter().filter(|one| sites.is_empty() || sites.contains(&one.site)) {
        for indicator in engine.open_indicators(verdict) {
            let before = engine.assessed_before(&verdict.site, &indicator.id, quarter)?;
            let told = before.as_ref().map_or_else(String::new, |before| {
                let Assessed { quarter, assessment: Assessment { points, by, note, .. } } = before;
                format!("{quarter} {by}: {points} {note}")
            });
            rows.push(vec![
                verdict.site.to_string(),
                indicator.id.clone(),
                terminal.words(&indicator.name, &indicator.name_en).to_owned(),
                terminal.words(&indicator.rule, &indicator.rule_en).to_owned(),
                told,
            ]);
            open.push(json!({
                "site": verdict.site, "indicator": indicator.id, "name": indicator.name, "assessed_before": before,
            }));
        }
    }
    let mut by_site = std::collections::BTreeMap::<&SiteId, usize>::new();
    for one in &findings {
        *by_site.entry(&one.finding.site).or_default() += 1;
    }
    let counts: Vec<Vec<String>> =
        by_site.iter().map(|(site, count)| vec![site.to_string(), count.to_string()]).collect();
    terminal.print(&terminal.punctuated(&format!(
        "{}：{}（`xunjian findings list --queue`）\n",
        terminal.words("待确认的问题", "Findings to confirm"),
        findings.len()
    )))?;
    terminal.print(&table(&counts))?;
    terminal.print(&terminal.punctuated(&format!(
        "\n{}：{}（`xunjian review assess`）\n",
        terminal.words("待人工判定的指标", "Indicators for a person"),
        rows.len()
    )))?;
    terminal.print(&table(&rows))?;
    terminal.json(&json!({ "findings": findings, "indicators": open }))?;
    Ok(Exit::Done)
}
