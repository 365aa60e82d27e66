//! Single vetoes V1–V4 and what warns of them.

use jiff::civil::Date;
use xunjian_model::{Finding, Kind, Outcome, Severity, Site, Tally, Verdict};

use crate::Catalogue;
use crate::catalogue::Rule;

/// What a site is judged from, besides its findings.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Visits to the site.
    pub visits: u64,
    /// Visits in which it did not open.
    pub failed_visits: u64,
    /// The home page did not open at all.
    pub unreachable: bool,
    /// Newest dated item on the home page.
    pub home_newest: Option<Date>,
    /// The monitoring point.
    pub point: Date,
    /// The crawl did not see the whole site.
    pub incomplete: bool,
}

/// Judges one site by its current findings.
pub fn judge(site: &Site, findings: &[Finding], facts: &Facts, catalogue: &Catalogue) -> Verdict {
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
    };
    serious(&mut verdict, findings, catalogue.rule("V1"));
    unreachable(&mut verdict, findings, facts, catalogue.rule("V2"));
    if !facts.unreachable {
        stale_home(&mut verdict, findings, facts, catalogue.rule("V3"));
        columns(&mut verdict, findings, catalogue);
    }
    if facts.incomplete && !facts.unreachable {
        // What was not seen may be right or wrong: the site cannot pass on the rest alone.
        let reason = reason("未能抓取全站", "the crawl did not see the whole site");
        verdict.reviews.push(tally(catalogue.rule("V2"), 0.0, reason, Vec::new()));
    }
    verdict.result = if !verdict.vetoes.is_empty() {
        Outcome::Fail
    } else if !verdict.reviews.is_empty() {
        Outcome::Review
    } else {
        Outcome::Pass
    };
    verdict
}

/// A reason in both languages.
struct Reason {
    zh: String,
    en: String,
}

fn reason(zh: impl Into<String>, en: impl Into<String>) -> Reason {
    Reason { zh: zh.into(), en: en.into() }
}

fn tally(rule: &Rule, value: f64, reason: Reason, findings: Vec<String>) -> Tally {
    Tally {
        rule: rule.id.clone(),
        name: rule.name.clone(),
        name_en: rule.name_en.clone(),
        value,
        threshold: rule.veto,
        unit: rule.unit.clone(),
        reason: reason.zh,
        reason_en: reason.en,
        verified: rule.verified,
        findings,
    }
}

/// Counts against a rule's two lines.
fn count(verdict: &mut Verdict, rule: &Rule, value: f64, reason: Reason, findings: Vec<String>) {
    if value >= rule.veto {
        verdict.vetoes.push(tally(rule, value, reason, findings));
    } else if value >= rule.warn {
        verdict.warnings.push(tally(rule, value, reason, findings));
    }
}

fn ids<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<String> {
    findings.map(|finding| finding.id.to_string()).collect()
}

/// V1: never counted by a machine; whatever could be one waits for a person.
fn serious(verdict: &mut Verdict, findings: &[Finding], rule: &Rule) {
    let candidates =
        ids(findings.iter().filter(|one| one.indicator == rule.id && one.severity == Severity::Serious));
    if !candidates.is_empty() {
        let value = candidates.len() as f64;
        let reason = reason(
            "疑似问题，待人工确认；未经确认不计入否决",
            "candidates for a person to confirm; unconfirmed ones are no veto",
        );
        verdict.reviews.push(tally(rule, value, reason, candidates));
    }
}

/// V2, from the crawl's own visits until the monitor exists, and so marked.
fn unreachable(verdict: &mut Verdict, findings: &[Finding], facts: &Facts, rule: &Rule) {
    let behind = || ids(findings.iter().filter(|one| one.kind == Kind::Unreachable));
    let share = match facts.visits {
        0 if facts.unreachable => 100.0,
        0 => return,
        visits => facts.failed_visits as f64 * 100.0 / visits as f64,
    };
    let (failed, visits) = (facts.failed_visits, facts.visits);
    let reason = reason(
        format!("{visits} 次访问中 {failed} 次失败；按抓取时的访问统计，并非一周监测"),
        format!(
            "{failed} of {visits} visits failed; counted from the crawl's own visits, not from a week of monitoring"
        ),
    );
    count(verdict, rule, share, reason, behind());
}

/// V3: days since the newest item on the home page.
fn stale_home(verdict: &mut Verdict, findings: &[Finding], facts: &Facts, rule: &Rule) {
    let behind: Vec<&Finding> = findings.iter().filter(|one| one.kind == Kind::StaleHome).collect();
    let Some(newest) = facts.home_newest else {
        if !behind.is_empty() {
            let reason = reason("首页没有带日期的信息", "no dated item on the home page");
            verdict.reviews.push(tally(rule, 0.0, reason, ids(behind.into_iter())));
        }
        return;
    };
    let days = facts.point.since(newest).map_or(0, |span| span.get_days());
    let reason = reason(
        format!("最新信息 {newest}，监测时间点 {}", facts.point),
        format!("newest item {newest}, monitoring point {}", facts.point),
    );
    count(verdict, rule, f64::from(days), reason, ids(behind.into_iter()));
}

/// V4a–c. A blank column counts in V4b and V4c (2015 definition); the overlap is shown.
fn columns(verdict: &mut Verdict, findings: &[Finding], catalogue: &Catalogue) {
    let class = |one: &&Finding, wanted: &[&str]| {
        one.detail.get("class").is_some_and(|class| wanted.contains(&class.as_str()))
    };
    let stale: Vec<&Finding> = findings.iter().filter(|one| one.kind == Kind::StaleColumn).collect();
    let all_blank = findings.iter().filter(|one| one.kind == Kind::BlankColumn);
    let (unsure, blank): (Vec<&Finding>, Vec<&Finding>) = all_blank.partition(|one| one.for_review());

    let fresh_classes: Vec<&Finding> =
        stale.iter().copied().filter(|one| class(one, &["news", "notice", "policy"])).collect();
    let rule = catalogue.rule("V4a");
    let news = fresh_classes.iter().filter(|one| class(one, &["news"])).count();
    let others = fresh_classes.len() - news;
    let why = reason(
        format!("动态要闻类 {news} 个，通知公告和政策文件类 {others} 个"),
        format!("{news} news, {others} notice and policy columns"),
    );
    count(verdict, rule, fresh_classes.len() as f64, why, ids(fresh_classes.into_iter()));

    let long: Vec<&Finding> = stale.iter().chain(&blank).copied().collect();
    let why = reason(
        format!("不更新 {} 个，空白 {} 个（空白栏目同时计入 V4c）", stale.len(), blank.len()),
        format!("{} stale and {} blank columns (blank ones count in V4c, too)", stale.len(), blank.len()),
    );
    count(verdict, catalogue.rule("V4b"), long.len() as f64, why, ids(long.into_iter()));

    let rule = catalogue.rule("V4c");
    let names: Vec<&str> = blank.iter().map(|one| one.what()).collect();
    let why = reason(names.join("、"), names.join(", "));
    count(verdict, rule, blank.len() as f64, why, ids(blank.iter().copied()));
    if !unsure.is_empty()
        && blank.len() as f64 + unsure.len() as f64 >= rule.warn
        && (blank.len() as f64) < rule.veto
    {
        let why = reason(
            "列表由脚本填充，需渲染检查或人工判断",
            "filled by a script: a rendered check or a person decides",
        );
        let value = unsure.len() as f64;
        verdict.reviews.push(tally(rule, value, why, ids(unsure.into_iter())));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use jiff::Timestamp;
    use jiff::civil::date;
    use xunjian_model::{Evidence, FindingId, FindingState, PageUrl, SiteId, SiteKind};

    fn site() -> Site {
        let url = PageUrl::parse("http://a.gov.cn/").expect("url");
        Site::new(SiteId::new("a").expect("id"), "甲".to_owned(), url, SiteKind::Department)
    }

    fn findings(kind: Kind, class: &str, count: usize) -> Vec<Finding> {
        let site = site();
        let one = |at: usize| Finding {
            id: FindingId::new(&site.id, kind.indicator(), kind, "u", &at.to_string()),
            site: site.id.clone(),
            indicator: kind.indicator().to_owned(),
            kind,
            severity: kind.severity(),
            state: FindingState::New,
            url: "u".to_owned(),
            title: String::new(),
            evidence: Evidence::default(),
            first_seen: Timestamp::UNIX_EPOCH,
            last_seen: Timestamp::UNIX_EPOCH,
            detail: BTreeMap::from([("class".to_owned(), class.to_owned())]),
        };
        (0..count).map(one).collect()
    }

    fn lines(findings: &[Finding], facts: &Facts) -> (Outcome, Vec<String>, Vec<String>) {
        let verdict = judge(&site(), findings, facts, &Catalogue::shipped());
        let ids = |tallies: &[Tally]| tallies.iter().map(|tally| tally.rule.clone()).collect();
        (verdict.result, ids(&verdict.vetoes), ids(&verdict.warnings))
    }

    #[test]
    fn every_threshold_counts_from_the_number_itself() {
        let point = date(2026, 6, 30);
        let facts = |failed, newest| Facts {
            visits: 100,
            failed_visits: failed,
            home_newest: Some(newest),
            point,
            ..Facts::default()
        };
        let fresh = date(2026, 6, 29);
        let pass = |warning: &str| (Outcome::Pass, Vec::new(), vec![warning.to_owned()]);
        let fail = |veto: &str| (Outcome::Fail, vec![veto.to_owned()], Vec::new());
        let none = (Outcome::Pass, Vec::new(), Vec::new());
        assert_eq!(lines(&[], &facts(2, fresh)), none);
        assert_eq!(lines(&[], &facts(3, fresh)), pass("V2"));
        assert_eq!(lines(&[], &facts(5, fresh)), fail("V2"));
        assert_eq!(lines(&[], &facts(0, date(2026, 6, 21))), none);
        assert_eq!(lines(&[], &facts(0, date(2026, 6, 20))), pass("V3"));
        assert_eq!(lines(&[], &facts(0, date(2026, 6, 16))), fail("V3"));
        let facts = facts(0, fresh);
        assert_eq!(lines(&findings(Kind::StaleColumn, "news", 2), &facts), none);
        assert_eq!(lines(&findings(Kind::StaleColumn, "news", 4), &facts), pass("V4a"));
        assert_eq!(lines(&findings(Kind::StaleColumn, "news", 5), &facts), fail("V4a"));
        assert_eq!(lines(&findings(Kind::StaleColumn, "planning", 9), &facts), pass("V4b"));
        assert_eq!(lines(&findings(Kind::StaleColumn, "planning", 10), &facts), fail("V4b"));
        assert_eq!(lines(&findings(Kind::BlankColumn, "other", 1), &facts), none);
        assert_eq!(lines(&findings(Kind::BlankColumn, "other", 4), &facts), pass("V4c"));
        assert_eq!(lines(&findings(Kind::BlankColumn, "other", 5), &facts), fail("V4c"));
        assert_eq!(lines(&findings(Kind::SensitiveWord, "", 1), &facts).0, Outcome::Review);
        let unseen = Facts { incomplete: true, ..facts };
        assert_eq!(lines(&[], &unseen).0, Outcome::Review);
        assert_eq!(lines(&findings(Kind::BlankColumn, "other", 5), &unseen).0, Outcome::Fail);
    }
}
