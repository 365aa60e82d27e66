//! Every line of the standard: one below, at it, one above; last days of windows.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan as _};
use xunjian_judge::{Activity, Catalogue, Column, Facts, Posts, Ruled, Watched, judge, judge_account};
use xunjian_model::{
    Account, AccountState, Assessment, Evidence, Finding, FindingId, FindingState, Kind, Offer, Outcome,
    PageUrl, Ruling, Severity, Site, SiteId, SiteKind, Standing, Verdict,
};

const POINT: Date = date(2026, 6, 30);

fn site(kind: SiteKind) -> Site {
    let url = PageUrl::parse("http://www.a.gov.cn/").expect("url");
    Site::new(SiteId::new("a").expect("id"), "甲".to_owned(), url, kind)
}

fn finding(kind: Kind, url: &str, what: &str, detail: &[(&str, &str)]) -> Finding {
    let site = site(SiteKind::Department);
    let mut details: BTreeMap<String, String> =
        detail.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    details.insert("what".to_owned(), what.to_owned());
    Finding {
        id: FindingId::new(&site.id, kind.indicator(), kind, url, what),
        site: site.id,
        indicator: kind.indicator().to_owned(),
        kind,
        severity: kind.severity(),
        state: FindingState::New,
        url: url.to_owned(),
        title: String::new(),
        evidence: Evidence::default(),
        first_seen: Timestamp::UNIX_EPOCH,
        last_seen: Timestamp::UNIX_EPOCH,
        detail: details,
    }
}

fn columns(kind: Kind, class: &str, count: usize) -> Vec<Finding> {
    (0..count)
        .map(|at| finding(kind, &format!("{class}{at}"), &at.to_string(), &[("class", class)]))
        .collect()
}

fn fine() -> Facts {
    let statistics = Column {
        name: "办事统计".to_owned(),
        url: "s".to_owned(),
        class: "statistics".to_owned(),
        newest: Some(POINT),
        blank: false,
    };
    Facts {
        visits: 100,
        home_newest: Some(POINT),
        point: POINT,
        guides: 20,
        messages: 9,
        documents: 9,
        searched: true,
        columns: vec![statistics],
        ..Facts::default()
    }
}

fn judged_as(site: &Site, findings: &[Finding], facts: &Facts, ruling: Option<Ruling>) -> Verdict {
    let ruled: Vec<Ruled<'_>> = findings.iter().map(|finding| Ruled { finding, ruling }).collect();
    judge(site, &ruled, facts, &Catalogue::shipped())
}

/// Result, vetoes, warnings.
fn lines(findings: &[Finding], facts: &Facts) -> (Outcome, Vec<String>, Vec<String>) {
    let verdict = judged_as(&site(SiteKind::Department), findings, facts, None);
    let ids = |tallies: &[xunjian_model::Tally]| tallies.iter().map(|tally| tally.rule.clone()).collect();
    (verdict.result, ids(&verdict.vetoes), ids(&verdict.warnings))
}

fn none() -> (Outcome, Vec<String>, Vec<String>) {
    (Outcome::Pass, Vec::new(), Vec::new())
}

fn warned(id: &str) -> (Outcome, Vec<String>, Vec<String>) {
    (Outcome::Pass, Vec::new(), vec![id.to_owned()])
}

fn vetoed(id: &str) -> (Outcome, Vec<String>, Vec<String>) {
    (Outcome::Fail, vec![id.to_owned()], Vec::new())
}

#[test]
fn v1_counts_only_what_a_person_confirmed() {
    let own = site(SiteKind::Department);
    let found = [finding(Kind::SensitiveWord, "u", "词", &[])];
    assert_eq!(judged_as(&own, &found, &fine(), None).result, Outcome::Review);
    let confirmed = judged_as(&own, &found, &fine(), Some(Ruling::Confirmed));
    assert_eq!((confirmed.result, confirmed.vetoes[0].rule.as_str()), (Outcome::Fail, "V1"));
    assert_eq!(judged_as(&own, &found, &fine(), Some(Ruling::Dismissed)).result, Outcome::Pass);
    // A confirmed typo is a fault, but none of the serious ones.
    let typo = [finding(Kind::Typo, "u", "词", &[])];
    assert_eq!(judged_as(&own, &typo, &fine(), Some(Ruling::Confirmed)).result, Outcome::Pass);
}

#[test]
fn v2_is_the_share_of_a_week_of_visits() {
    let watched = |visits, failed, thin_days| Facts {
        watched: Some(Watched {
            from: POINT.saturating_sub(6.days()),
            to: POINT,
            visits,
            failed,
            thin_days,
            ..Watched::default()
        }),
        ..fine()
    };
    assert_eq!(lines(&[], &watched(1_000, 29, 0)), none());
    assert_eq!(lines(&[], &watched(1_000, 30, 0)), warned("V2"));
    assert_eq!(lines(&[], &watched(1_000, 49, 0)), warned("V2"));
    assert_eq!(lines(&[], &watched(1_000, 50, 0)), vetoed("V2"));
    // A week that is not whole vetoes nobody.
    assert_eq!(lines(&[], &watched(10, 5, 6)).0, Outcome::Review);
    // Reported outages are taken out, and shown.
    let mut reported = watched(140, 0, 0);
    if let Some(watched) = &mut reported.watched {
        (watched.reported, watched.reported_failed) = (28, 28);
    }
    assert_eq!(lines(&[], &reported), none());
    let verdict = judged_as(&site(SiteKind::Department), &[], &reported, None);
    let row = verdict.indicators.iter().find(|row| row.indicator == "V2").expect("V2");
    assert!(row.reason_en.contains("16.67 % with reported outages"), "{}", row.reason_en);
    // Without a monitor the crawl's own visits count, and say so.
    let crawl = |failed| Facts { visits: 100, failed_visits: failed, ..fine() };
    assert_eq!(lines(&[], &crawl(2)), none());
    assert_eq!(lines(&[], &crawl(3)), warned("V2"));
    assert_eq!(lines(&[], &crawl(5)), vetoed("V2"));
}

#[test]
fn a_site_that_was_not_visited_waits() {
    let unseen = Facts { unseen: true, point: POINT, ..Facts::default() };
    for kind in [SiteKind::Portal, SiteKind::Department] {
        let verdict = judged_as(&site(kind), &[], &unseen, None);
        assert_eq!((verdict.result, verdict.score), (Outcome::Review, None));
        assert!(verdict.vetoes.is_empty() && verdict.deductions.is_empty(), "{verdict:?}");
        let open: Vec<&str> = verdict.reviews.iter().map(|row| row.rule.as_str()).collect();
        assert_eq!(open, ["V2", "V3", "V4a", "V4b", "V4c", "V5a", "V5b", "V6a", "V6b"]);
    }
}

#[test]
fn v3_counts_days_up_to_the_monitoring_point() {
    let home = |days: i64| Facts { home_newest: Some(POINT.saturating_sub(days.days())), ..fine() };
    for (days, wanted) in [
        (0, none()),
        (9, none()),
        (10, warned("V3")),
        (13, warned("V3")),
        (14, vetoed("V3")),
        (15, vetoed("V3")),
    ] {
        assert_eq!(lines(&[], &home(days)), wanted, "{days} days");
    }
    // Over a month's end and a leap day, too.
    let at = |newest, point| Facts { home_newest: Some(newest), point, ..fine() };
    assert_eq!(lines(&[], &at(date(2024, 2, 20), date(2024, 3, 4))), warned("V3"), "13 days");
    assert_eq!(lines(&[], &at(date(2024, 2, 20), date(2024, 3, 5))), vetoed("V3"), "14 days");
    let dateless = Facts { home_newest: None, ..fine() };
    // A home page that nobody could look at is not called fresh.
    assert_eq!(lines(&[], &dateless).0, Outcome::Review);
    let stale = [finding(Kind::StaleHome, "h", "", &[("review", "no date")])];
    assert_eq!(lines(&stale, &dateless).0, Outcome::Review);
    let own = site(SiteKind::Department);
    assert_eq!(judged_as(&own, &stale, &dateless, Some(Ruling::Confirmed)).result, Outcome::Fail);
    assert_eq!(judged_as(&own, &stale, &dateless, Some(Ruling::Dismissed)).result, Outcome::Pass);
}

#[test]
fn v4_counts_columns_by_their_classes() {
    let stale = |class, count| lines(&columns(Kind::StaleColumn, class, count), &fine());
    for (count, wanted) in [(2, none()), (3, warned("V4a")), (4, warned("V4a")), (5, vetoed("V4a"))] {
        assert_eq!(stale("news", count), wanted, "{count} columns");
        assert_eq!(stale("policy", count), wanted, "{count} columns");
    }
    let mixed = [columns(Kind::StaleColumn, "news", 3), columns(Kind::StaleColumn, "notice", 2)].concat();
    assert_eq!(lines(&mixed, &fine()), vetoed("V4a"));
    for (count, wanted) in [(5, none()), (6, warned("V4b")), (9, warned("V4b")), (10, vetoed("V4b"))] {
        assert_eq!(stale("planning", count), wanted, "{count} columns");
    }
    // Interpretations and statistics are none of these classes.
    assert_eq!(stale("interpretation", 12), none());
    let blank = |count| lines(&columns(Kind::BlankColumn, "other", count), &fine());
    for (count, wanted) in [(1, none()), (2, warned("V4c")), (4, warned("V4c")), (5, vetoed("V4c"))] {
        assert_eq!(blank(count), wanted, "{count} columns");
    }
    // Six blank ones warn of V4b, too.
    assert_eq!(blank(6), (Outcome::Fail, vec!["V4c".to_owned()], vec!["V4b".to_owned()]));
    let mut unsure = columns(Kind::BlankColumn, "other", 5);
    unsure.iter_mut().for_each(|one| _ = one.detail.insert("review".to_owned(), "a script".to_owned()));
    assert_eq!(lines(&unsure, &fine()).0, Outcome::Review);
    // A dismissed column does not count.
    let own = site(SiteKind::Department);
    let five = columns(Kind::BlankColumn, "other", 5);
    assert_eq!(judged_as(&own, &five, &fine(), Some(Ruling::Dismissed)).result, Outcome::Pass);
}

#[test]
fn v5_needs_a_channel_and_answers_within_three_months() {
    let missing = [finding(Kind::ChannelMissing, "h", "", &[("review", "none")])];
    assert_eq!(lines(&missing, &fine()).0, Outcome::Review);
    let own = site(SiteKind::Department);
    assert_eq!(judged_as(&own, &missing, &fine(), Some(Ruling::Confirmed)).vetoes[0].rule, "V5a");
    let message = |asked: Date, answered: &[(&str, &str)]| {
        let asked = asked.to_string();
        let mut detail = vec![("asked", asked.as_str())];
        detail.extend_from_slice(answered);
        lines(&[finding(Kind::MessageOverdue, "m", "", &detail)], &fine())
    };
    let limit = POINT.saturating_sub(3.months());
    assert_eq!(message(limit, &[]), none(), "three months are not more than three");
    assert_eq!(message(limit.saturating_sub(1.day()), &[]), vetoed("V5b"));
    let begin = POINT.saturating_sub(12.months());
    assert_eq!(message(begin, &[]), vetoed("V5b"), "the first day of the year");
    assert_eq!(message(begin.saturating_sub(1.day()), &[]), none(), "before the year");
    assert_eq!(message(begin, &[("answered", "2026-06-01")]), none(), "late, but answered");
}

#[test]
fn v6_counts_guides_that_lack_four_classes() {
    const CLASSES: [&str; 5] = ["收费标准", "办理时间", "联系电话", "办理流程", "办理机构"];
    let guides = |poor: usize, classes: usize, all: u64| {
        let missing = |at: usize| {
            let url = format!("g{at}");
            CLASSES[..classes].iter().map(move |class| finding(Kind::GuideElementMissing, &url, class, &[]))
        };
        let found: Vec<Finding> = (0..poor).flat_map(missing).collect();
        lines(&found, &Facts { guides: all, ..fine() })
    };
    assert_eq!(guides(5, 3, 20), none(), "three classes are too few");
    assert_eq!(guides(2, 4, 20), none());
    assert_eq!(guides(3, 4, 20), warned("V6b"));
    assert_eq!(guides(4, 5, 20), warned("V6b"));
    assert_eq!(guides(5, 4, 20), vetoed("V6b"));
    assert_eq!(guides(2, 4, 2), vetoed("V6b"), "fewer than five: every one of them");
    assert_eq!(guides(2, 4, 3), none(), "not every one");
    let missing = [finding(Kind::ServiceMissing, "h", "", &[("review", "none")])];
    let own = site(SiteKind::Department);
    assert_eq!(judged_as(&own, &missing, &fine(), Some(Ruling::Confirmed)).vetoes[0].rule, "V6a");
    let exempt = Site { no_service: true, ..own };
    let verdict = judged_as(&exempt, &missing, &fine(), Some(Ruling::Confirmed));
    assert_eq!(verdict.result, Outcome::Pass);
    let row = verdict.indicators.iter().find(|row| row.indicator == "V6a").expect("V6a");
    assert_eq!(row.standing, Standing::NotApplicable);
}

// ---- points -----------------------------------------------------------------------------------

fn assessed(indicator: &str, points: f64) -> Assessment {
    Assessment {
        indicator: indicator.to_owned(),
        points,
        by: "甲".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        note: "看过".to_owned(),
    }
}

/// Nothing waits for a person.
fn all_assessed(lost: &[(&str, f64)]) -> Facts {
    let person = ["D9", "D13", "D19", "D21", "D23", "D24"];
    let mut assessments: Vec<Assessment> = person.iter().map(|id| assessed(id, 0.0)).collect();
    assessments.extend(lost.iter().map(|(id, points)| assessed(id, *points)));
    Facts { assessments, ..fine() }
}

fn score(findings: &[Finding], facts: &Facts) -> Verdict {
    judged_as(&site(SiteKind::Portal), findings, facts, None)
}

#[test]
fn an_indicator_never_loses_more_than_its_points() {
    let dead: Vec<Finding> =
        (0..500).map(|at| finding(Kind::DeadLink, &format!("p{at}"), &at.to_string(), &[])).collect();
    let verdict = score(&dead, &all_assessed(&[]));
    let lost = verdict.deductions.iter().find(|one| one.indicator == "D16").expect("D16");
    assert_eq!((lost.points, verdict.score), (6.0, Some(94.0)));
    // 0.1 on the home page, 0.05 elsewhere.
    let few =
        [finding(Kind::DeadLink, "http://www.a.gov.cn/", "1", &[]), finding(Kind::DeadLink, "p", "2", &[])];
    assert_eq!(score(&few, &all_assessed(&[])).score, Some(99.85));
    // The same class of elements is one fault over all guides.
    let guides: Vec<Finding> =
        (0..4).map(|at| finding(Kind::GuideElementMissing, &format!("g{at}"), "收费标准", &[])).collect();
    assert_eq!(score(&guides, &all_assessed(&[])).score, Some(98.0));
}

#[test]
fn sixty_passes_and_eighty_gets_no_bonus() {
    // D1 to D25 as far as they are needed: 40 points lost.
    let forty = [
        ("D1", 6.0),
        ("D2", 5.0),
        ("D3", 5.0),
        ("D4", 4.0),
        ("D8", 8.0),
        ("D11", 8.0),
        ("D10", 2.0),
        ("D14", 2.0),
    ];
    let at_sixty = score(&[], &all_assessed(&forty));
    assert_eq!((at_sixty.score, at_sixty.result), (Some(60.0), Outcome::Pass));
    let below = [&forty[..], &[("D22", 0.5)]].concat();
    let below = score(&[], &all_assessed(&below));
    assert_eq!((below.score, below.result), (Some(59.5), Outcome::Fail));
    assert_eq!(below.vetoes[0].rule, "score");
    let twenty = [("D1", 6.0), ("D2", 5.0), ("D3", 5.0), ("D4", 4.0), ("B1", 8.0)];
    assert_eq!(score(&[], &all_assessed(&twenty)).score, Some(80.0), "exactly 80 gets no bonus");
    let less = [("D1", 6.0), ("D2", 5.0), ("D3", 5.0), ("D4", 3.9), ("B1", 8.0)];
    let above = score(&[], &all_assessed(&less));
    assert_eq!((above.score, above.bonus), (Some(88.1), 8.0));
    // What waits for a person leaves the score open, and says so.
    let open = score(&[], &fine());
    assert_eq!((open.score, open.score_least), (Some(100.0), Some(81.0)));
    assert_eq!(open.result, Outcome::Pass);
    assert!(above.unverified.contains(&"D1".to_owned()), "points that were not read are named");
}

#[test]
fn sites_without_services_are_scored_over_75_times_four_thirds() {
    let own = Site { no_service: true, ..site(SiteKind::Portal) };
    let whole = judged_as(&own, &[], &all_assessed(&[]), None);
    assert_eq!(whole.score, Some(100.0));
    // D8 is one of services and does not apply; D1 loses 6 of 75.
    let lost = judged_as(&own, &[], &all_assessed(&[("D1", 6.0), ("D8", 8.0)]), None);
    assert_eq!(lost.score, Some(92.0));
}

#[test]
fn departments_are_judged_by_vetoes_and_a_veto_ends_the_scoring() {
    let department = judged_as(&site(SiteKind::Department), &[], &fine(), None);
    assert_eq!(department.score, None);
    let vetoed = score(&columns(Kind::BlankColumn, "other", 5), &all_assessed(&[]));
    assert_eq!((vetoed.result, vetoed.score), (Outcome::Fail, None));
    assert!(vetoed.deductions.is_empty());
}

#[test]
fn what_was_not_seen_stays_open() {
    let unseen =
        Facts { guides: 0, messages: 0, documents: 0, searched: false, columns: Vec::new(), ..fine() };
    let verdict = score(&[], &unseen);
    let open: Vec<&str> = verdict
        .indicators
        .iter()
        .filter(|row| row.standing == Standing::Open)
        .map(|row| row.indicator.as_str())
        .collect();
    for id in ["D5", "D6", "D8", "D10", "D11", "D12", "D18", "D25"] {
        assert!(open.contains(&id), "{id}: {open:?}");
    }
}

#[test]
fn what_a_rule_asks_for_passes_when_all_of_it_is_there() {
    let offer = |indicator: &str, what: &str, count| Offer {
        indicator: indicator.to_owned(),
        what: what.to_owned(),
        count,
        url: format!("http://www.a.gov.cn/{what}"),
    };
    let row = |indicator: &str, offers: &[Offer]| {
        let facts = Facts { guides: 2, offers: offers.to_vec(), ..fine() };
        let verdict = judged_as(&site(SiteKind::Portal), &[], &facts, None);
        let row = verdict.indicators.into_iter().find(|row| row.indicator == indicator);
        row.map(|row| (row.standing, row.inputs)).expect("a row")
    };
    let standing = |indicator, offers: &[Offer]| row(indicator, offers).0;
    let [form, sample] = [offer("D9", "form", 2), offer("D9", "sample", 2)];
    assert_eq!(standing("D9", &[form.clone(), sample.clone()]), Standing::Pass);
    assert_eq!(
        standing("D9", &[form.clone(), offer("D9", "sample", 1)]),
        Standing::Open,
        "one guide lacks it"
    );
    assert_eq!(standing("D9", std::slice::from_ref(&form)), Standing::Open);
    let inputs = row("D9", &[form]).1;
    let shown = [("form", "2 http://www.a.gov.cn/form"), ("guides", "2")];
    assert_eq!(
        inputs,
        shown.map(|(a, b)| (a.to_owned(), b.to_owned())),
        "the evidence is shown to the person"
    );
    assert_eq!(standing("D13", &[offer("D13", "activity", 3), offer("D13", "result", 1)]), Standing::Pass);
    assert_eq!(standing("D13", &[offer("D13", "activity", 3)]), Standing::Open, "no result is published");
    assert_eq!(standing("D23", &[offer("D23", "catalogue", 1)]), Standing::Pass);
    assert_eq!(standing("D23", &[]), Standing::Open, "nobody is charged with what a machine did not find");
    let both = [offer("D24", "application", 1), offer("D24", "registration", 1)];
    assert_eq!(standing("D24", &both), Standing::Open, "whether it works a person says");
}

#[test]
fn columns_cost_points_once() {
    let stale = [
        finding(Kind::StaleColumn, "n", "动态", &[("class", "news")]),
        finding(Kind::StaleColumn, "p", "规划", &[("class", "planning")]),
        finding(Kind::BlankColumn, "i", "解读", &[("class", "interpretation")]),
        finding(Kind::ColumnMissing, "h", "政策文件", &[("class", "policy")]),
    ];
    let columns = [("动态", "n", "news"), ("解读", "i", "interpretation")].map(|(name, url, class)| Column {
        name: name.to_owned(),
        url: url.to_owned(),
        class: class.to_owned(),
        newest: None,
        blank: false,
    });
    let verdict = score(&stale, &Facts { columns: columns.into(), ..all_assessed(&[]) });
    let lost: Vec<(&str, f64)> =
        verdict.deductions.iter().map(|one| (one.indicator.as_str(), one.points)).collect();
    assert_eq!(lost, [("D2", 2.5), ("D3", 5.0), ("D4", 4.0), ("D7", 1.0)]);
}

// ---- new media --------------------------------------------------------------------------------

#[test]
fn accounts_fail_after_two_weeks_and_are_zombies_after_three_months() {
    let account = |state| Account {
        platform: "微信".to_owned(),
        name: "甲发布".to_owned(),
        office: "甲".to_owned(),
        site: None,
        address: None,
        state,
        closed: None,
        feed: None,
        last_post: None,
    };
    let catalogue = Catalogue::shipped();
    let judged = |state, last: Option<Date>| {
        let posts = Posts { newest: last, known_until: None };
        let verdict = judge_account(&account(state), posts, &[], &[], POINT, &catalogue);
        (verdict.result, verdict.activity)
    };
    let days = |days: i64| judged(AccountState::Normal, Some(POINT.saturating_sub(days.days())));
    assert_eq!(days(0), (Outcome::Pass, Activity::Fresh));
    assert_eq!(days(9), (Outcome::Pass, Activity::Fresh));
    assert_eq!(days(10), (Outcome::Pass, Activity::Warning));
    assert_eq!(days(13), (Outcome::Pass, Activity::Warning));
    assert_eq!(days(14), (Outcome::Fail, Activity::Stale));
    let zombie = POINT.saturating_sub(3.months());
    let after = zombie.saturating_add(1.day());
    assert_eq!(judged(AccountState::Normal, Some(zombie)), (Outcome::Fail, Activity::Zombie));
    assert_eq!(judged(AccountState::Normal, Some(after)), (Outcome::Fail, Activity::Stale));
    assert_eq!(judged(AccountState::Normal, None), (Outcome::Review, Activity::Unknown));
    assert_eq!(judged(AccountState::Cancelled, None), (Outcome::Pass, Activity::Cancelled));
    assert_eq!(judged(AccountState::ClosedNotCancelled, None), (Outcome::Fail, Activity::Zombie));
    assert_eq!(judged(AccountState::Mended, Some(POINT)).0, Outcome::Fail, "it failed and was mended");
    // What was told days ago is judged as of then; older news does not show that nothing was posted since.
    let told = |newest: i64, known: i64| {
        let before = |days: i64| POINT.saturating_sub(days.days());
        let posts = Posts { newest: Some(before(newest)), known_until: Some(before(known)) };
        let verdict = judge_account(&account(AccountState::Normal), posts, &[], &[], POINT, &catalogue);
        (verdict.result, verdict.activity)
    };
    assert_eq!(told(14, -30), (Outcome::Fail, Activity::Stale), "known beyond the point");
    assert_eq!(told(14, 0), (Outcome::Fail, Activity::Stale));
    assert_eq!(told(14, 7), (Outcome::Pass, Activity::Fresh));
    assert_eq!(told(21, 7), (Outcome::Fail, Activity::Stale));
    assert_eq!(told(21, 8), (Outcome::Review, Activity::Unknown));
    assert_eq!(told(200, 8), (Outcome::Review, Activity::Unknown));
    assert_eq!(told(13, 8), (Outcome::Pass, Activity::Warning), "it posted within the two weeks");
    // M3 is a person's.
    let posts = Posts { newest: Some(POINT), known_until: None };
    let said = [assessed("M3", 1.0)];
    let verdict = judge_account(&account(AccountState::Normal), posts, &[], &said, POINT, &catalogue);
    assert_eq!(verdict.result, Outcome::Fail);
    // A word in a post counts once a person confirmed it.
    let post = finding(Kind::SensitiveWord, "p", "词", &[]);
    assert_eq!(post.severity, Severity::Serious);
    let with = |ruling| {
        let ruled = [Ruled { finding: &post, ruling }];
        judge_account(&account(AccountState::Normal), posts, &ruled, &[], POINT, &catalogue).result
    };
    assert_eq!(with(None), Outcome::Review);
    assert_eq!(with(Some(Ruling::Confirmed)), Outcome::Fail);
    assert_eq!(with(Some(Ruling::Dismissed)), Outcome::Pass);
}
