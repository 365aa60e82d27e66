//! Deductions D1–D25 and bonuses: points, never more than an indicator has.

use std::collections::BTreeSet;

use jiff::civil::Date;
use xunjian_model::{Judgement, Kind, Offer, Standing};

use crate::catalogue::Indicator;
use crate::facts::{Column, Facts, Ruled};
use crate::vetoes::{Reason, Rows, ids, reason};

/// Classes of columns that have an indicator of their own; D7 is about the others.
const OWN_COLUMNS: [(&str, &str); 3] = [("D2", "news"), ("D3", "policy"), ("D4", "interpretation")];

/// What a machine found under an indicator.
#[derive(Default)]
struct Lost<'r> {
    /// Faults, and points for each where that is not the indicator's `each`.
    faults: f64,
    points: Option<f64>,
    behind: Vec<&'r Ruled<'r>>,
    waiting: Vec<&'r Ruled<'r>>,
    inputs: Vec<(String, String)>,
}

/// Judges every deduction and bonus of a site.
pub(crate) fn judge(
    rows: &mut Rows<'_>,
    findings: &[Ruled<'_>],
    facts: &Facts,
    home: &str,
    applies: impl Fn(&Indicator) -> bool,
) {
    let catalogue = rows.catalogue;
    for indicator in catalogue.indicators.iter().filter(|one| !one.is_veto()) {
        if !applies(indicator) {
            let why = reason("不适用于该网站", "does not apply to this site");
            rows.push(indicator, Standing::NotApplicable, why, Vec::new());
            continue;
        }
        let assessed = facts.assessments.iter().rev().find(|one| one.indicator == indicator.id);
        if let Some(assessed) = assessed {
            let standing = match () {
                () if assessed.points <= 0.0 => Standing::Pass,
                () if indicator.is_bonus() => Standing::Bonus,
                () => Standing::Deducted,
            };
            let why = reason(
                format!("{} 判定：{}", assessed.by, assessed.note),
                format!("judged by {}: {}", assessed.by, assessed.note),
            );
            let row = rows.push(indicator, standing, why, Vec::new());
            row.points = assessed.points.clamp(0.0, indicator.points.unwrap_or_default());
            continue;
        }
        if indicator.is_bonus() {
            let why = reason("未录入加分", "no bonus was entered");
            let row = rows.push(indicator, Standing::Pass, why, Vec::new());
            row.inputs = offered(facts, &indicator.id).map(shown).collect();
            continue;
        }
        match lost(indicator, findings, facts, home) {
            Some(lost) => row(rows, indicator, lost),
            None => presence(rows, indicator, facts),
        }
    }
}

fn row(rows: &mut Rows<'_>, indicator: &Indicator, lost: Lost<'_>) {
    let most = indicator.points.unwrap_or_default();
    let points = lost.points.unwrap_or(lost.faults * indicator.each.unwrap_or_default());
    // Sums of tenths and twentieths are shown as such.
    let points = (points.min(most) * 1e6).round() / 1e6;
    let open = points < most && !lost.waiting.is_empty();
    let standing = match () {
        () if points > 0.0 => Standing::Deducted,
        () if open => Standing::Open,
        () => Standing::Pass,
    };
    let why = match (lost.faults, lost.waiting.len()) {
        (0.0, 0) => reason("未发现问题", "no fault found"),
        (faults, 0) => reason(format!("问题 {faults} 个"), format!("{faults} faults")),
        (faults, waiting) => reason(
            format!("问题 {faults} 个，另有 {waiting} 个待人工确认"),
            format!("{faults} faults, {waiting} more for a person to confirm"),
        ),
    };
    let behind = if lost.behind.is_empty() { ids(lost.waiting) } else { ids(lost.behind) };
    let Judgement { value, points: own, inputs, .. } = rows.push(indicator, standing, why, behind);
    *value = Some(lost.faults);
    *own = points;
    *inputs = lost.inputs;
}

/// What of an indicator a machine can tell; `None`: nothing.
fn lost<'r>(indicator: &Indicator, findings: &'r [Ruled<'r>], facts: &Facts, home: &str) -> Option<Lost<'r>> {
    let of = |kinds: &[Kind]| -> Lost<'r> {
        let mut lost = Lost::default();
        for one in findings.iter().filter(|one| kinds.contains(&one.finding.kind)) {
            if one.counts() {
                lost.behind.push(one);
            } else if one.waits() {
                lost.waiting.push(one);
            }
        }
        lost.faults = lost.behind.len() as f64;
        lost
    };
    if let Some((_, class)) = OWN_COLUMNS.iter().find(|(id, _)| *id == indicator.id) {
        return Some(own_columns(
            indicator,
            of(&[Kind::StaleColumn, Kind::BlankColumn]),
            facts,
            class,
            |names| {
                let missing =
                    findings.iter().filter(|one| one.finding.kind == Kind::ColumnMissing && one.counts());
                missing.filter(|one| names.contains(&one.detail("class").unwrap_or_default())).collect()
            },
        ));
    }
    // What was not seen is not judged.
    let unseen = match indicator.id.as_str() {
        "D5" | "D6" => facts.documents == 0,
        "D8" | "D25" => facts.guides == 0,
        "D10" => !facts.columns.iter().any(|column| column.class == "statistics"),
        "D11" | "D12" => facts.messages == 0,
        "D18" => !facts.searched,
        _ => false,
    };
    let lost = match indicator.id.as_str() {
        "D1" => {
            let mut lost = of(&[Kind::ColumnMissing, Kind::OutdatedName]);
            let others: Vec<&str> = OWN_COLUMNS.iter().map(|(_, class)| *class).collect();
            lost.behind.retain(|one| !others.contains(&one.detail("class").unwrap_or_default()));
            lost.faults = lost.behind.len() as f64;
            lost
        }
        "D5" => of(&[Kind::InterpretationMissing]),
        "D6" => of(&[Kind::InterpretationUnlinked]),
        "D7" => {
            // What already cost points under another indicator is not counted again.
            let mut lost = of(&[Kind::StaleColumn, Kind::BlankColumn]);
            let other = |one: &&Ruled<'_>| {
                let class = one.detail("class").unwrap_or_default();
                !OWN_COLUMNS.iter().any(|(_, own)| *own == class) && class != "statistics"
            };
            lost.behind.retain(other);
            lost.waiting.retain(other);
            lost.faults = lost.behind.len() as f64;
            lost
        }
        "D8" => {
            let mut lost = of(&[Kind::GuideElementMissing]);
            let classes: BTreeSet<&str> = lost.behind.iter().map(|one| one.finding.what()).collect();
            lost.faults = classes.len() as f64;
            lost.inputs = classes.into_iter().map(|class| ("missing".to_owned(), class.to_owned())).collect();
            lost
        }
        "D10" => of(&[Kind::StatisticsStale]),
        "D11" => answers(indicator, of(&[Kind::MessageStatsMissing]), facts),
        "D12" => within_window(indicator, of(&[Kind::MessageOverdue]), facts),
        "D14" => of(&[Kind::BadDomain, Kind::SeveralNames]),
        "D15" => of(&[Kind::MissingMark]),
        "D16" => links(indicator, of(&LINKS), home),
        "D17" => of(&[Kind::MissingEntrance]),
        "D18" => {
            let mut lost = of(&[Kind::SearchMiss]);
            let classes = |one: &&Ruled<'_>| one.detail("missed").map_or(1, |text| text.split(", ").count());
            lost.faults = lost.behind.iter().map(classes).sum::<usize>() as f64;
            lost
        }
        "D20" => {
            let mut lost = of(&[Kind::MissingLabel, Kind::BadLabel, Kind::UndatedPage]);
            let labels: BTreeSet<&str> = lost.behind.iter().map(|one| one.finding.what()).collect();
            lost.faults = labels.len() as f64;
            lost
        }
        "D22" => of(&[Kind::NoIpv6]),
        "D25" => of(&[Kind::GuideAddressVague, Kind::GuideMaterialVague, Kind::PolicyNameOnly]),
        // A person's, or one of a province that this program does not count.
        _ => return None,
    };
    (!unseen || lost.faults > 0.0 || !lost.waiting.is_empty()).then_some(lost)
}

/// What an indicator asks to be there; once all of it was found nothing is lost.
const ASKED: [(&str, &[&str]); 3] =
    [("D9", &["form", "sample"]), ("D13", &["activity", "result"]), ("D23", &["catalogue"])];

/// What a person judges, unless all that is asked for was found. What was found is shown to them.
fn presence(rows: &mut Rows<'_>, indicator: &Indicator, facts: &Facts) {
    let enough = |what: &&str| {
        // Each guide needs its form and sample.
        let least = if indicator.id == "D9" { facts.guides.max(1) } else { 1 };
        offered(facts, &indicator.id).any(|offer| offer.what == **what && offer.count >= least)
    };
    let asked = ASKED.iter().find(|(id, _)| *id == indicator.id);
    let (standing, why) = match asked {
        Some((_, asked)) if asked.iter().all(enough) => {
            (Standing::Pass, reason("网站已提供", "found on the site"))
        }
        Some(_) => (
            Standing::Open,
            reason("机器未找到全部所需内容，由人工判定", "not all was found; a person judges"),
        ),
        None => (Standing::Open, reason("由人工判定", "a person judges this")),
    };
    let row = rows.push(indicator, standing, why, Vec::new());
    row.inputs = offered(facts, &indicator.id).map(shown).collect();
    if indicator.id == "D9" {
        row.inputs.push(("guides".to_owned(), facts.guides.to_string()));
    }
}

/// What was found of what an indicator asks for; bonuses of interaction rest on activities.
fn offered<'f>(facts: &'f Facts, indicator: &str) -> impl Iterator<Item = &'f Offer> {
    let asking = if indicator == "B3" { "D13".to_owned() } else { indicator.to_owned() };
    facts.offers.iter().filter(move |offer| offer.indicator == asking)
}

fn shown(offer: &Offer) -> (String, String) {
    (offer.what.clone(), format!("{} {}", offer.count, offer.url))
}

/// Links that do not open or are wrong.
const LINKS: [Kind; 7] = [
    Kind::DeadLink,
    Kind::DeadImage,
    Kind::DeadAttachment,
    Kind::Soft404,
    Kind::TlsError,
    Kind::PrivateLink,
    Kind::HijackedLink,
];

/// Columns of one class: missing, blank or stale ones.
fn own_columns<'r>(
    indicator: &Indicator,
    found: Lost<'r>,
    facts: &Facts,
    class: &str,
    missing: impl Fn(&[&str]) -> Vec<&'r Ruled<'r>>,
) -> Lost<'r> {
    let is_own = |one: &&Ruled<'_>| one.detail("class") == Some(class);
    let mut lost = Lost {
        behind: found.behind.into_iter().filter(is_own).collect(),
        waiting: found.waiting.into_iter().filter(is_own).collect(),
        ..Lost::default()
    };
    lost.behind.extend(missing(&[class]));
    lost.faults = lost.behind.len() as f64;
    let own: Vec<&Column> = facts.columns.iter().filter(|column| column.class == class).collect();
    lost.inputs = own
        .iter()
        .map(|column| {
            let newest = column.newest.map_or_else(|| "-".to_owned(), |newest| newest.to_string());
            (column.name.clone(), format!("{newest} {}", column.url))
        })
        .collect();
    // Several columns of a class, of which one is fresh: no more is lost than their share.
    if let (Some(each), true) = (indicator.each, own.len() > 1) {
        let most = indicator.points.unwrap_or_default();
        lost.points = Some((lost.faults * each).min(most * lost.faults / own.len() as f64));
    }
    lost
}

/// D11: statistics, and an answer within the window where messages are shown.
fn answers<'r>(indicator: &Indicator, mut lost: Lost<'r>, facts: &Facts) -> Lost<'r> {
    let begin = indicator.span().map(|window| facts.point.saturating_sub(window));
    if let (Some(newest), Some(begin)) = (facts.newest_answer, begin) {
        lost.inputs.push(("newest answer".to_owned(), newest.to_string()));
        if newest <= begin {
            lost.faults += 1.0;
            lost.inputs.push(("answers are older than".to_owned(), begin.to_string()));
        }
    }
    lost
}

/// D12: only messages of the window.
fn within_window<'r>(indicator: &Indicator, mut lost: Lost<'r>, facts: &Facts) -> Lost<'r> {
    let Some(begin) = indicator.span().map(|window| facts.point.saturating_sub(window)) else { return lost };
    let recent = |one: &&Ruled<'_>| {
        one.detail("asked").and_then(|text| text.parse::<Date>().ok()).is_some_and(|asked| asked >= begin)
    };
    lost.behind.retain(recent);
    lost.waiting.retain(recent);
    lost.faults = lost.behind.len() as f64;
    lost
}

/// D16: faults of the home page cost more.
fn links<'r>(indicator: &Indicator, mut lost: Lost<'r>, home: &str) -> Lost<'r> {
    let at_home = lost.behind.iter().filter(|one| one.finding.url == home).count();
    let elsewhere = lost.behind.len() - at_home;
    let each = indicator.each.unwrap_or_default();
    let each_home = indicator.each_home.unwrap_or(each);
    lost.points = Some(at_home as f64 * each_home + elsewhere as f64 * each);
    lost.inputs = vec![
        ("on the home page".to_owned(), at_home.to_string()),
        ("on other pages".to_owned(), elsewhere.to_string()),
    ];
    lost
}

/// The score of a site without a veto: what it has at most and at least, and what it won.
pub(crate) struct Score {
    pub(crate) most: f64,
    pub(crate) least: f64,
    pub(crate) bonus: f64,
}

/// Adds the rows up.
pub(crate) fn score(rows: &Rows<'_>, no_service: bool) -> Score {
    let scoring = rows.catalogue.scoring;
    let (mut lost, mut open, mut won) = (0.0, 0.0, 0.0);
    for row in &rows.rows {
        let Some(indicator) = rows.catalogue.indicator(&row.indicator).filter(|one| !one.is_veto()) else {
            continue;
        };
        match row.standing {
            Standing::Bonus => won += row.points,
            Standing::Open => open += indicator.points.unwrap_or_default() - row.points,
            Standing::Deducted => lost += row.points,
            _ => {}
        }
    }
    let [up, down] = scoring.no_service_factor.map(f64::from);
    let of = |lost: f64| {
        let score = match no_service {
            true => (scoring.no_service_over - lost) * up / down,
            false => scoring.total - lost,
        };
        (score.max(0.0) * 1e6).round() / 1e6
    };
    let with_bonus = |score: f64| match score > scoring.bonus_above {
        true => score + won.min(scoring.bonus_max),
        false => score,
    };
    let most = of(lost);
    let least = of(lost + open);
    Score { most: with_bonus(most), least: with_bonus(least), bonus: with_bonus(most) - most }
}

/// The reason a score fails.
pub(crate) fn too_low(score: f64, pass: f64) -> Reason {
    reason(format!("得分 {score:.2}，低于 {pass} 分"), format!("{score:.2} points, below {pass}"))
}
