//! The verdict of a site: vetoes first, then points.

use xunjian_model::{Deduction, Judgement, Outcome, Site, SiteKind, Standing, Tally, Verdict};

use crate::catalogue::Catalogue;
use crate::deductions;
use crate::facts::{Facts, Ruled};
use crate::vetoes::{self, Rows};

/// Judges one site by its current findings.
///
/// Any veto ends it: nothing else is scored. A site whose score cannot fall below the line passes,
/// whatever still waits for a person among its deductions.
pub fn judge(site: &Site, findings: &[Ruled<'_>], facts: &Facts, catalogue: &Catalogue) -> Verdict {
    let mut rows = Rows { catalogue, rows: Vec::new() };
    let applies = |id: &str| catalogue.indicator(id).is_some_and(|indicator| indicator.applies(site));
    vetoes::judge(&mut rows, findings, facts, applies);
    // Vetoes of a province that this program does not count wait for a person.
    for indicator in catalogue.indicators.iter().filter(|one| one.is_veto() && one.applies(site)) {
        if !rows.rows.iter().any(|row| row.indicator == indicator.id) {
            let why = vetoes::reason("由人工判定", "a person judges this");
            let assessed = facts.assessments.iter().rev().find(|one| one.indicator == indicator.id);
            let standing = match assessed {
                Some(assessed) if assessed.points > 0.0 => Standing::Veto,
                Some(_) => Standing::Pass,
                None => Standing::Open,
            };
            rows.push(indicator, standing, why, Vec::new()).value = assessed.map(|one| one.points);
        }
    }
    let vetoed = rows.rows.iter().any(|row| row.standing == Standing::Veto);
    let waits = rows.rows.iter().any(|row| row.standing == Standing::Open);
    let scored = site.kind == SiteKind::Portal || catalogue.scoring.departments;
    let mut verdict = Verdict {
        site: site.id.clone(),
        name: site.name.clone(),
        kind: site.kind,
        result: Outcome::Pass,
        vetoes: Vec::new(),
        warnings: Vec::new(),
        reviews: Vec::new(),
        score: None,
        deductions: Vec::new(),
        score_least: None,
        bonus: 0.0,
        unverified: Vec::new(),
        indicators: Vec::new(),
    };
    let mut low = None;
    if scored && !vetoed && !facts.unreachable && !facts.unseen {
        let home = site.url.as_str();
        deductions::judge(&mut rows, findings, facts, home, |indicator| indicator.applies(site));
        let score = deductions::score(&rows, site.no_service);
        verdict.score = Some(score.most);
        verdict.score_least = Some(score.least);
        verdict.bonus = score.bonus;
        verdict.unverified = unverified(&rows);
        low = (score.most < catalogue.scoring.pass).then_some(score.most);
        if low.is_none() && score.least < catalogue.scoring.pass && verdict.result == Outcome::Pass {
            verdict.result = Outcome::Review;
        }
    }
    for row in &rows.rows {
        let Some(indicator) = catalogue.indicator(&row.indicator) else { continue };
        match row.standing {
            Standing::Veto => verdict.vetoes.push(tally(catalogue, row)),
            Standing::Warning => verdict.warnings.push(tally(catalogue, row)),
            Standing::Open if indicator.is_veto() => verdict.reviews.push(tally(catalogue, row)),
            Standing::Deducted => verdict.deductions.push(Deduction {
                indicator: row.indicator.clone(),
                points: row.points,
                findings: row.findings.clone(),
            }),
            _ => {}
        }
    }
    if vetoed || low.is_some() {
        verdict.result = Outcome::Fail;
    } else if waits {
        verdict.result = Outcome::Review;
    }
    if let Some(low) = low {
        let why = deductions::too_low(low, catalogue.scoring.pass);
        verdict.vetoes.push(Tally {
            rule: "score".to_owned(),
            name: "得分低于合格线".to_owned(),
            name_en: "Score below the line".to_owned(),
            value: low,
            threshold: catalogue.scoring.pass,
            unit: "points".to_owned(),
            reason: why.zh,
            reason_en: why.en,
            verified: verdict.unverified.is_empty(),
            findings: Vec::new(),
        });
    }
    verdict.indicators = rows.rows;
    verdict
}

/// Indicators whose points decided something and were not read in the official text.
fn unverified(rows: &Rows<'_>) -> Vec<String> {
    let matters = |row: &&Judgement| matches!(row.standing, Standing::Deducted | Standing::Bonus);
    let unread = |row: &&Judgement| {
        rows.catalogue.indicator(&row.indicator).is_some_and(|one| !one.verified && !one.is_veto())
    };
    rows.rows.iter().filter(matters).filter(unread).map(|row| row.indicator.clone()).collect()
}

fn tally(catalogue: &Catalogue, row: &Judgement) -> Tally {
    let indicator = catalogue.counted(&row.indicator);
    Tally {
        rule: row.indicator.clone(),
        name: indicator.name.clone(),
        name_en: indicator.name_en.clone(),
        value: row.value.unwrap_or_default(),
        threshold: indicator.veto.unwrap_or_default(),
        unit: indicator.unit.clone(),
        reason: row.reason.clone(),
        reason_en: row.reason_en.clone(),
        verified: indicator.verified,
        findings: row.findings.clone(),
    }
}
