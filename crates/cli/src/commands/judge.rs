//! `xunjian judge`: verdicts of the last run, the reasoning behind one, or a quarter.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::Date;
use serde_json::json;
use xunjian_engine::{Engine, QuarterJudged};
use xunjian_judge::{Comparison, Quarter, compare, input_zh};
use xunjian_model::{Judgement, Verdict};

use crate::Exit;
use crate::args::{self, Common};
use crate::commands::night::{self, Night};
use crate::terminal::{Terminal, table};

pub(crate) fn run(common: &Common, terminal: Terminal, args: &args::Judge) -> anyhow::Result<Exit> {
    let mut night = Night::open(night::settings(common)?, common, terminal)?;
    match (&args.explain[..], args.quarter) {
        ([site, indicator], quarter) => explain(&mut night, terminal, site, indicator, quarter, args),
        (_, Some(quarter)) => judged_quarter(&night.engine, terminal, quarter, args),
        _ => verdicts(&mut night, terminal),
    }
}

fn verdicts(night: &mut Night, terminal: Terminal) -> anyhow::Result<Exit> {
    let verdicts = night.judge()?;
    print_verdicts(terminal, &verdicts)?;
    terminal.json(&verdicts)?;
    Ok(Exit::Done)
}

fn print_verdicts(terminal: Terminal, verdicts: &[Verdict]) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for verdict in verdicts {
        let lines: Vec<String> = verdict
            .vetoes
            .iter()
            .chain(&verdict.warnings)
            .chain(&verdict.reviews)
            .map(|tally| format!("{} {}/{}", tally.rule, tally.value, tally.threshold))
            .collect();
        let score = match (verdict.score, verdict.score_least) {
            (Some(most), Some(least)) if least < most => format!("{least:.2}–{most:.2}"),
            (Some(most), _) => format!("{most:.2}"),
            _ => "–".to_owned(),
        };
        rows.push(vec![verdict.name.clone(), terminal.outcome(verdict.result), score, lines.join("  ")]);
    }
    terminal.print(&table(&rows))
}

// ---- explain --------------------------------------------------------------------------------

fn explain(
    night: &mut Night,
    terminal: Terminal,
    site: &str,
    indicator: &str,
    quarter: Option<Quarter>,
    args: &args::Judge,
) -> anyhow::Result<Exit> {
    let verdicts = match quarter {
        Some(quarter) => night.engine.judge_quarter(quarter, args.point, &args.stated, |_| {})?.verdicts,
        None => night.judge()?,
    };
    let Some(verdict) = verdicts.iter().find(|verdict| verdict.site.as_str() == site) else {
        let known: Vec<&str> = verdicts.iter().map(|verdict| verdict.site.as_str()).collect();
        anyhow::bail!("no site {site} was judged; known: {}", known.join(", "));
    };
    // V4 is V4a, V4b and V4c.
    let is_part = |row: &&Judgement| {
        let rest = row.indicator.strip_prefix(indicator);
        rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_lowercase()))
    };
    let rows: Vec<&Judgement> = verdict.indicators.iter().filter(is_part).collect();
    if rows.is_empty() {
        let known: Vec<&str> = verdict.indicators.iter().map(|row| row.indicator.as_str()).collect();
        anyhow::bail!("{site} was not judged by {indicator:?}; it was by {}", known.join(", "));
    }
    for row in &rows {
        terminal.print(&explained(&night.engine, terminal, verdict, row))?;
    }
    terminal.json(&json!({ "site": verdict.site, "name": verdict.name, "indicators": rows }))?;
    Ok(Exit::Done)
}

fn explained(engine: &Engine, terminal: Terminal, verdict: &Verdict, row: &Judgement) -> String {
    let say = |zh, en| terminal.words(zh, en);
    let mut text = String::new();
    let mut line = |name: &str, value: &str| text.push_str(&format!("  {name}: {value}\n"));
    let catalogue = &engine.settings().catalogue;
    let Some(rule) = catalogue.indicator(&row.indicator) else { return String::new() };
    line(say("规则", "rule"), say(&rule.rule, &rule.rule_en));
    let number = |number: Option<f64>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
    match (rule.veto, rule.points) {
        (Some(veto), _) => {
            let lines = format!(
                "{} {} / {} {} ({})",
                say("预警", "warning"),
                number(rule.warn),
                say("否决", "veto"),
                veto,
                rule.unit
            );
            line(say("界限（含本数）", "lines (inclusive)"), &lines);
        }
        (None, points) => {
            let lines = format!("{} / {}", number(points), number(rule.each));
            line(say("最多扣分 / 每处", "most points / each"), &lines);
        }
    }
    if let Some(window) = &rule.window {
        line(say("窗口", "window"), window);
    }
    let source = match rule.verified {
        true => rule.source.clone(),
        false => format!("{} ({})", rule.source, say("未经核对", "not verified")),
    };
    line(say("来源", "source"), &source);
    for (name, value) in &row.inputs {
        line(&format!("· {}", say(input_zh(name), name)), value);
    }
    line(say("数值", "value"), &number(row.value));
    if row.points > 0.0 {
        line(say("分值", "points"), &row.points.to_string());
    }
    line(say("理由", "reason"), say(&row.reason, &row.reason_en));
    let (zh, en) = row.standing.words();
    line(say("结果", "result"), say(zh, en));
    if !row.findings.is_empty() {
        line(say("问题", "findings"), &row.findings.join(" "));
    }
    let name = say(&rule.name, &rule.name_en);
    format!("{} · {} {name}\n{text}\n", verdict.name, row.indicator)
}

// ---- quarter --------------------------------------------------------------------------------

fn judged_quarter(
    engine: &Engine,
    terminal: Terminal,
    quarter: Quarter,
    args: &args::Judge,
) -> anyhow::Result<Exit> {
    let now = with_progress(engine, terminal, quarter, args.point, &args.stated)?;
    print_verdicts(terminal, &now.verdicts)?;
    print_quarter(terminal, &now)?;
    let mut document = serde_json::to_value(&now)?;
    if let Some(against) = args.against {
        let before = with_progress(engine, terminal, against, None, &[])?;
        let comparison = compare(&before.notice, &now.notice);
        print_comparison(terminal, against, &comparison)?;
        document["against"] = json!({ "quarter": against.to_string(), "comparison": comparison });
    }
    terminal.json(&document)?;
    let complete = now.unseen.is_empty();
    Ok(if complete { Exit::Done } else { Exit::Incomplete })
}

/// Judges a quarter and shows how far it is.
pub(crate) fn with_progress(
    engine: &Engine,
    terminal: Terminal,
    quarter: Quarter,
    point: Option<Date>,
    stated: &[(String, String)],
) -> anyhow::Result<QuarterJudged> {
    let total = engine.settings().sites.len() as u64;
    let done = AtomicU64::new(0);
    let bar = std::sync::Mutex::new(terminal.bar(terminal.words("评判", "judge"), total));
    let judged = engine.judge_quarter(quarter, point, stated, |site| {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Ok(mut bar) = bar.lock() {
            bar.set(done, total, &site.name);
        }
    })?;
    Ok(judged)
}

fn print_quarter(terminal: Terminal, judged: &QuarterJudged) -> anyhow::Result<()> {
    let say = |zh, en| terminal.words(zh, en);
    let notice = &judged.notice;
    let counts = &notice.counts;
    let mut text = format!(
        "\n{} {}，{} {}\n",
        say("季度", "Quarter"),
        notice.quarter,
        say("监测时间点", "monitoring point"),
        notice.point
    );
    text.push_str(&format!(
        "{} {} = {} {} + {} {}；{} {}，{} {}\n",
        say("网站", "sites"),
        counts.sites,
        say("门户", "portals"),
        counts.portals,
        say("部门", "departments"),
        counts.departments,
        say("不合格", "unqualified"),
        counts.sites_unqualified,
        say("待复核", "in review"),
        counts.sites_in_review,
    ));
    let platforms: Vec<String> =
        counts.accounts_by_platform.iter().map(|(name, count)| format!("{name} {count}")).collect();
    text.push_str(&format!(
        "{} {} = {}；{} {}（{} {}，{} {}，{} {}），{} {}\n",
        say("新媒体", "accounts"),
        counts.accounts,
        platforms.join(" + "),
        say("不合格", "unqualified"),
        counts.accounts_unqualified,
        say("已整改", "mended"),
        counts.accounts_mended,
        say("已关停", "closed"),
        counts.accounts_closed,
        say("未整改", "open"),
        counts.accounts_open,
        say("待复核", "in review"),
        counts.accounts_in_review,
    ));
    text = terminal.punctuated(&text);
    for (rate, shown) in &notice.rates {
        let shown = shown.as_deref().unwrap_or("–");
        text.push_str(&format!("{} {}/{} = {shown} %\n", rate.formula, rate.numerator, rate.denominator));
    }
    for stated in &notice.stated {
        let agreement = &stated.agreement;
        let (word, list) = match agreement.agrees {
            true => (say("相符", "agrees"), &agreement.by),
            false => (say("不符，应为", "does not follow; these do"), &agreement.follows),
        };
        text.push_str(&format!("{} {} %：{word} {}\n", stated.id, agreement.stated, list.join("; ")));
    }
    for group in notice.groups.iter().filter(|group| !group.sites.is_empty()) {
        let name = say(&group.name, &group.name_en);
        text.push_str(&format!("{name}: {} {}\n", group.sites.len(), group.sites.join("、")));
    }
    if !judged.unseen.is_empty() {
        let names: Vec<&str> = judged.unseen.iter().map(|site| site.as_str()).collect();
        text.push_str(&format!("{}: {}\n", say("没有当时的快照", "no snapshot that old"), names.join(", ")));
    }
    terminal.print(&text)
}

fn print_comparison(terminal: Terminal, against: Quarter, compared: &Comparison) -> anyhow::Result<()> {
    let say = |zh, en| terminal.words(zh, en);
    let mut text = format!("\n{} {against}\n", say("与上期比较", "Compared with"));
    let lists = [
        (say("已改为合格", "pass now"), &compared.mended),
        (say("新增不合格", "fail now"), &compared.fallen),
        (say("仍不合格", "still fail"), &compared.still),
    ];
    for (name, sites) in lists {
        text.push_str(&format!("{name}: {} {}\n", sites.len(), sites.join("、")));
    }
    for (name, before, now) in compared.groups.iter().filter(|(_, before, now)| before != now) {
        text.push_str(&format!("{name}: {before} → {now}\n"));
    }
    for (name, before, now) in &compared.rates {
        let shown = |rate: &Option<String>| rate.clone().unwrap_or_else(|| "–".to_owned());
        text.push_str(&format!("{name}: {} % → {} %\n", shown(before), shown(now)));
    }
    terminal.print(&text)
}
