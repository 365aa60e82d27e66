//! The HTML report, from a template with every value escaped.

use std::collections::{BTreeMap, HashMap};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde_json::{Value, json};
use xunjian_model::{
    Finding, FindingState, Judgement, Kind, Outcome, Severity, SiteKind, Standing, Tally, Verdict,
};

use crate::{Language, ReportData, ReportError, SiteReport, words};

/// Findings of a kind that are shown of a site; all are in `findings.csv` and `findings.json`.
const GROUP_MAX: usize = 500;

pub(crate) fn code(language: Language) -> &'static str {
    match language {
        Language::Zh => "zh-CN",
        Language::En => "en",
    }
}

pub(crate) fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_template("report.html", include_str!("../templates/report.html"))?;
    environment.add_template("evidence.html", include_str!("../templates/evidence.html"))?;
    environment.add_template("style.css", include_str!("../templates/style.css"))?;
    Ok(environment)
}

pub(crate) fn render(
    data: &ReportData,
    language: Language,
    links: &HashMap<String, String>,
) -> Result<String, ReportError> {
    let environment = environment()?;
    let count = |outcome| data.sites.iter().filter(|site| site.verdict.result == outcome).count();
    let (pass, fail, review) = (count(Outcome::Pass), count(Outcome::Fail), count(Outcome::Review));
    let all = || data.sites.iter().flat_map(|site| &site.findings);
    let most = data.sites.iter().map(|site| site.findings.len()).max().unwrap_or(0).max(1);
    // Failing sites first, then those close to it.
    let mut attention: Vec<&SiteReport> = data
        .sites
        .iter()
        .filter(|site| site.verdict.result == Outcome::Fail || !site.verdict.warnings.is_empty())
        .collect();
    attention.sort_by_key(|site| (site.verdict.vetoes.is_empty(), site.verdict.site.clone()));
    let text = environment.get_template("report.html")?.render(Serde(json!({
        "t": words::texts(language),
        "lang": code(language),
        "run": data.run,
        "started_at": data.started_at,
        "crawled": data.crawled,
        "point": data.point,
        "catalogue": data.catalogue,
        "total": data.sites.len(),
        "pass": pass,
        "fail": fail,
        "review": review,
        "rate": percent(pass, data.sites.len()),
        "pages": data.sites.iter().map(|site| site.pages).sum::<u64>(),
        "findings": all().count(),
        "new": all().filter(|one| one.state == FindingState::New).count(),
        "gone": data.sites.iter().map(|site| site.gone.len()).sum::<usize>(),
        "kinds": kinds(data, language),
        "attention": attention.iter().map(|site| self::site(site, data, language, (most, links), false)).collect::<Vec<_>>(),
        "sites": data.sites.iter().map(|site| self::site(site, data, language, (most, links), true)).collect::<Vec<_>>(),
    })))?;
    Ok(text)
}

/// With two digits, cut and not rounded, as the notice prints its rates.
fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let hundredths = part * 10_000 / whole;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn kinds(data: &ReportData, language: Language) -> Vec<Value> {
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for finding in data.sites.iter().flat_map(|site| &site.findings) {
        *counts.entry(finding.kind).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or(1);
    let mut rows: Vec<(Kind, usize)> = counts.into_iter().collect();
    rows.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
    rows.into_iter()
        .map(|(kind, count)| {
            json!({
                "name": kind_name(kind, language),
                "count": count,
                "width": count * 100 / most,
                "severity": kind.severity().as_str(),
            })
        })
        .collect()
}

fn kind_name(kind: Kind, language: Language) -> &'static str {
    match language {
        Language::Zh => kind.zh(),
        Language::En => kind.en(),
    }
}

fn site(
    report: &SiteReport,
    data: &ReportData,
    language: Language,
    (most, links): (usize, &HashMap<String, String>),
    with_findings: bool,
) -> Value {
    let verdict = &report.verdict;
    let outcome = match language {
        Language::Zh => verdict.result.zh(),
        Language::En => verdict.result.en(),
    };
    let bars: Vec<Value> = Severity::ALL
        .iter()
        .rev()
        .map(|severity| {
            let count = report.findings.iter().filter(|one| one.severity == *severity).count();
            json!({
                "severity": severity.as_str(),
                "name": words::severity(*severity, language),
                "count": count,
                // Tenths of a percent, so that one finding still shows beside thousands.
                "width": (count * 1_000).div_ceil(most) as f64 / 10.0,
            })
        })
        .collect();
    let tallies = |tallies: &[Tally]| -> Vec<Value> {
        tallies.iter().map(|tally| tally_value(tally, language)).collect()
    };
    let mut groups: BTreeMap<(std::cmp::Reverse<Severity>, Kind), Vec<&Finding>> = BTreeMap::new();
    if with_findings {
        for one in &report.findings {
            groups.entry((std::cmp::Reverse(one.severity), one.kind)).or_default().push(one);
        }
    }
    let shown = |one: &Finding| {
        let mut value = finding(one, language, Some(links));
        value["since"] = json!(data.zone.to_datetime(one.first_seen).date());
        value
    };
    let groups: Vec<Value> = groups
        .into_iter()
        .map(|((severity, kind), mut findings)| {
            let count = findings.len();
            // What nobody has seen yet comes first where there is no room for all.
            if count > GROUP_MAX {
                findings.sort_by_key(|one| one.state != FindingState::New);
                findings.truncate(GROUP_MAX);
            }
            json!({
                "count": count,
                "more": count - findings.len(),
                "name": kind_name(kind, language),
                "severity": severity.0.as_str(),
                "indicator": kind.indicator(),
                "findings": findings.into_iter().map(shown).collect::<Vec<_>>(),
            })
        })
        .collect();
    let reasons: Vec<String> = report
        .left_out
        .iter()
        .map(|(word, count)| format!("{} {count}", words::left_out(word, language)))
        .collect();
    json!({
        "id": report.site.id.as_str(),
        "name": report.site.name,
        "url": report.site.url.as_str(),
        "kind": match report.site.kind { SiteKind::Portal => "portal", SiteKind::Department => "department" },
        "result": match verdict.result { Outcome::Pass => "pass", Outcome::Fail => "fail", Outcome::Review => "review" },
        "outcome": outcome,
        "count": report.findings.len(),
        "new": report.findings.iter().filter(|one| one.state == FindingState::New).count(),
        "pages": report.pages,
        "bars": bars,
        "vetoes": tallies(&verdict.vetoes),
        "warnings": tallies(&verdict.warnings),
        "reviews": tallies(&verdict.reviews),
        "score": score(verdict),
        "unverified": verdict.unverified.join(" "),
        "deductions": deductions(verdict, language),
        "groups": groups,
        "left_out": reasons.join(" · "),
    })
}

/// The score, as a range while something waits for a person.
fn score(verdict: &Verdict) -> Option<String> {
    let (most, least) = (verdict.score?, verdict.score_least?);
    Some(if least < most { format!("{least:.2}–{most:.2}") } else { format!("{most:.2}") })
}

/// Points lost and won, and what waits for a person among the indicators with points.
fn deductions(verdict: &Verdict, language: Language) -> Vec<Value> {
    let shown = |row: &&Judgement| {
        matches!(row.standing, Standing::Deducted | Standing::Bonus)
            || row.standing == Standing::Open && row.indicator.starts_with('D')
    };
    let row = |row: &Judgement| {
        let points = match row.standing {
            Standing::Deducted => format!("−{:.2}", row.points),
            Standing::Bonus => format!("+{:.2}", row.points),
            _ => "?".to_owned(),
        };
        let reason = if language == Language::Zh { &row.reason } else { &row.reason_en };
        json!({ "indicator": row.indicator, "points": points, "reason": reason })
    };
    verdict.indicators.iter().filter(shown).map(row).collect()
}

fn tally_value(tally: &Tally, language: Language) -> Value {
    let unit = match (language, tally.unit.as_str()) {
        (_, "percent") => "%",
        (Language::Zh, "days") => " 天",
        (Language::Zh, "columns") => " 个栏目",
        (Language::Zh, "guides") => " 个指南",
        (Language::Zh, "points") => " 分",
        (Language::Zh, _) => " 条",
        (Language::En, "days") => " days",
        (Language::En, "columns") => " columns",
        (Language::En, "guides") => " guides",
        (Language::En, "messages") => " messages",
        (Language::En, "points") => " points",
        (Language::En, _) => " findings",
    };
    let number = |value: f64| {
        let text = format!("{value:.1}");
        text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
    };
    json!({
        "rule": tally.rule,
        "name": if language == Language::Zh { &tally.name } else { &tally.name_en },
        "value": format!("{}{unit}", number(tally.value)),
        "threshold": format!("{}{unit}", number(tally.threshold)),
        "reason": if language == Language::Zh { &tally.reason } else { &tally.reason_en },
        "verified": tally.verified,
    })
}

/// A finding as the templates show it; the excerpt in three parts so that the hit can be marked.
pub(crate) fn finding(one: &Finding, language: Language, links: Option<&HashMap<String, String>>) -> Value {
    let excerpt = words::excerpt(one, language);
    let (before, rest) = excerpt.split_once('⟦').unwrap_or((excerpt.as_str(), ""));
    let (hit, after) = rest.split_once('⟧').unwrap_or((rest, ""));
    let evidence = links.and_then(|links| links.get(one.evidence.snapshot.as_deref()?));
    json!({
        "id": one.id.as_str(),
        "kind": kind_name(one.kind, language),
        "severity": one.severity.as_str(),
        "indicator": one.indicator,
        "url": one.url,
        "title": if one.title.is_empty() { &one.url } else { &one.title },
        "what": one.what(),
        "before": before,
        "hit": hit,
        "after": after,
        "correction": one.detail.get("correction"),
        "state_of_link": one.detail.get("state").map(|state| words::link_state(state, language)),
        "reason": words::reason(one, language),
        "review": one.detail.get("review").map(|why| language.said(why)),
        "pages": one.detail.get("pages"),
        "state": words::state(one.state),
        "is_new": one.state == FindingState::New,
        "evidence": evidence,
    })
}
