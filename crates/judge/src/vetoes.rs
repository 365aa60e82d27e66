//! Single vetoes V1–V6 and what warns of them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use xunjian_model::{Judgement, Kind, Severity, Standing};

use crate::catalogue::{Catalogue, Indicator};
use crate::facts::{Column, Facts, Ruled};

/// Visits a day the standard asks for (V2).
pub const VISITS_A_DAY_MIN: u64 = 20;

/// A reason in both languages.
pub(crate) struct Reason {
    pub(crate) zh: String,
    pub(crate) en: String,
}

pub(crate) fn reason(zh: impl Into<String>, en: impl Into<String>) -> Reason {
    Reason { zh: zh.into(), en: en.into() }
}

/// Rows under way.
pub(crate) struct Rows<'c> {
    pub(crate) catalogue: &'c Catalogue,
    pub(crate) rows: Vec<Judgement>,
}

impl<'c> Rows<'c> {
    pub(crate) fn push(
        &mut self,
        indicator: &Indicator,
        standing: Standing,
        reason: Reason,
        findings: Vec<String>,
    ) -> &mut Judgement {
        self.rows.push(Judgement {
            indicator: indicator.id.clone(),
            standing,
            value: None,
            points: 0.0,
            reason: reason.zh,
            reason_en: reason.en,
            inputs: Vec::new(),
            findings,
        });
        let at = self.rows.len() - 1;
        &mut self.rows[at]
    }

    /// A count against the two lines of an indicator; both include the number itself.
    fn count(&mut self, id: &str, value: f64, reason: Reason, findings: Vec<String>) -> &mut Judgement {
        let indicator = self.catalogue.counted(id);
        let reached = |line: Option<f64>| line.is_some_and(|line| value >= line);
        let standing = match () {
            () if reached(indicator.veto) => Standing::Veto,
            () if reached(indicator.warn) => Standing::Warning,
            () => Standing::Pass,
        };
        let row = self.push(indicator, standing, reason, findings);
        row.value = Some(value);
        row
    }
}

pub(crate) fn ids<'r>(findings: impl IntoIterator<Item = &'r Ruled<'r>>) -> Vec<String> {
    findings.into_iter().map(Ruled::id).collect()
}

fn of<'r>(findings: &'r [Ruled<'r>], kind: Kind) -> Vec<&'r Ruled<'r>> {
    findings.iter().filter(|one| one.finding.kind == kind).collect()
}

/// Why nothing is said of a site that was not looked at.
const NOT_VISITED: (&str, &str) =
    ("尚未巡检，也没有快照，未判定", "not visited yet, and nothing of it is kept: not judged");

/// Judges the vetoes of a site.
pub(crate) fn judge(
    rows: &mut Rows<'_>,
    findings: &[Ruled<'_>],
    facts: &Facts,
    applies: impl Fn(&str) -> bool,
) {
    serious(rows, findings);
    unreachable(rows, findings, facts);
    if facts.unreachable || facts.unseen {
        let (standing, why) = match facts.unseen {
            true => (Standing::Open, NOT_VISITED),
            false => (
                Standing::NotApplicable,
                ("网站无法访问，未判定", "the site did not open, so this was not judged"),
            ),
        };
        for id in ["V3", "V4a", "V4b", "V4c", "V5a", "V5b", "V6a", "V6b"] {
            let standing = if applies(id) { standing } else { Standing::NotApplicable };
            rows.push(rows.catalogue.counted(id), standing, reason(why.0, why.1), Vec::new());
        }
        return;
    }
    stale_home(rows, findings, facts);
    columns(rows, findings, facts);
    channel(rows, findings, facts);
    messages(rows, findings, facts);
    for id in ["V6a", "V6b"] {
        if !applies(id) {
            let why = reason("无公共服务职能", "no public services");
            rows.push(rows.catalogue.counted(id), Standing::NotApplicable, why, Vec::new());
        }
    }
    if applies("V6a") {
        services(rows, findings, facts);
    }
    if applies("V6b") {
        guides(rows, findings, facts);
    }
}

/// V1: never counted by a machine; whatever could be one waits for a person.
fn serious(rows: &mut Rows<'_>, findings: &[Ruled<'_>]) {
    // A typo is one of its faults, but hardly ever a serious one.
    let serious =
        |one: &&Ruled<'_>| one.finding.indicator == "V1" && one.finding.severity == Severity::Serious;
    let own: Vec<&Ruled<'_>> = findings.iter().filter(serious).collect();
    let confirmed: Vec<&Ruled<'_>> = own.iter().copied().filter(|one| one.counts()).collect();
    let waiting: Vec<&Ruled<'_>> = own.iter().copied().filter(|one| one.waits()).collect();
    let indicator = rows.catalogue.counted("V1");
    let numbers = [("confirmed", confirmed.len()), ("waiting", waiting.len())];
    let inputs: Vec<_> = numbers.map(|(name, count)| (name.to_owned(), count.to_string())).into();
    let row = if confirmed.is_empty() && !waiting.is_empty() {
        let why = reason(
            "疑似问题，待人工确认；未经确认不计入否决",
            "candidates for a person to confirm; unconfirmed ones are no veto",
        );
        let row = rows.push(indicator, Standing::Open, why, ids(waiting.iter().copied()));
        row.value = Some(waiting.len() as f64);
        row
    } else {
        let names: Vec<&str> = confirmed.iter().map(|one| one.finding.kind.zh()).collect();
        let kinds: Vec<&str> = confirmed.iter().map(|one| one.finding.kind.en()).collect();
        let why = if confirmed.is_empty() {
            reason("未发现疑似问题", "no candidates")
        } else {
            reason(
                format!("经人工确认：{}", unique(&names).join("、")),
                format!("confirmed by a person: {}", unique(&kinds).join(", ")),
            )
        };
        rows.count("V1", confirmed.len() as f64, why, ids(confirmed.iter().copied()))
    };
    row.inputs = inputs;
}

fn unique<'t>(names: &[&'t str]) -> Vec<&'t str> {
    let mut seen = Vec::new();
    names.iter().for_each(|name| {
        if !seen.contains(name) {
            seen.push(*name);
        }
    });
    seen
}

/// V2, from the monitor; from the crawl's own visits where it did not run, and so marked. What was not seen may be
/// right or wrong: no site passes on the rest alone.
fn unreachable(rows: &mut Rows<'_>, findings: &[Ruled<'_>], facts: &Facts) {
    let row = visits(rows, findings, facts);
    let why = match row.standing {
        Standing::Veto => return,
        _ if facts.unseen => ("；尚未巡检", "; the site was not visited yet"),
        _ if facts.unreachable => {
            ("；巡检时首页打不开", "; the home page did not open when the site was inspected")
        }
        _ if facts.incomplete => ("；未能抓取全站", "; the crawl did not see the whole site"),
        _ => return,
    };
    row.standing = Standing::Open;
    row.reason.push_str(why.0);
    row.reason_en.push_str(why.1);
}

/// How many visits failed.
fn visits<'r>(rows: &'r mut Rows<'_>, findings: &[Ruled<'_>], facts: &Facts) -> &'r mut Judgement {
    let behind = ids(of(findings, Kind::Unreachable));
    if let Some(watched) = facts.watched.filter(|watched| watched.visits > 0) {
        let share = watched.failed as f64 * 100.0 / watched.visits as f64;
        let whole = watched.visits + watched.reported;
        let with = (watched.failed + watched.reported_failed) as f64 * 100.0 / whole as f64;
        let thin = match watched.thin_days {
            0 => reason("", ""),
            days => reason(
                format!("；{days} 天访问不足 {VISITS_A_DAY_MIN} 次"),
                format!("; {days} days with fewer than {VISITS_A_DAY_MIN} visits"),
            ),
        };
        let why = reason(
            format!(
                "监测 {} 至 {}：{} 次访问中 {} 次打不开；含已报备停机 {with:.2}%{}",
                watched.from, watched.to, watched.visits, watched.failed, thin.zh
            ),
            format!(
                "monitored {} to {}: {} of {} visits failed; {with:.2} % with reported outages{}",
                watched.from, watched.to, watched.failed, watched.visits, thin.en
            ),
        );
        let row = rows.count("V2", share, why, behind);
        // A week that is not whole vetoes nobody.
        if row.standing == Standing::Veto && watched.thin_days > 0 {
            row.standing = Standing::Open;
        }
        row.inputs = [
            ("visits", watched.visits.to_string()),
            ("failed", watched.failed.to_string()),
            ("reported outage visits left out", watched.reported.to_string()),
            ("own line visits left out", watched.own_line.to_string()),
            ("share", format!("{share:.3} %")),
            ("share with reported outages", format!("{with:.3} %")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        return row;
    }
    let share = match facts.visits {
        0 if facts.unreachable => 100.0,
        0 => 0.0,
        visits => facts.failed_visits as f64 * 100.0 / visits as f64,
    };
    let (failed, visits) = (facts.failed_visits, facts.visits);
    let why = reason(
        format!("{visits} 次访问中 {failed} 次失败；按抓取时的访问统计，并非一周监测"),
        format!(
            "{failed} of {visits} visits failed; counted from the crawl's own visits, not from a week of monitoring"
        ),
    );
    let row = rows.count("V2", share, why, behind);
    row.inputs = vec![("visits".to_owned(), visits.to_string()), ("failed".to_owned(), failed.to_string())];
    row
}

/// V3: days since the newest item on the home page.
fn stale_home(rows: &mut Rows<'_>, findings: &[Ruled<'_>], facts: &Facts) {
    let behind = of(findings, Kind::StaleHome);
    let dismissed = !behind.is_empty() && behind.iter().all(|one| !one.counts() && !one.waits());
    let point = facts.point;
    let indicator = rows.catalogue.counted("V3");
    if dismissed {
        let why = reason("经人工排除", "dismissed by a person");
        rows.push(indicator, Standing::Pass, why, ids(behind));
        return;
    }
    let Some(newest) = facts.home_newest else {
        if behind.is_empty() {
            let why = reason("未能查看首页", "the home page could not be looked at");
            rows.push(indicator, Standing::Open, why, Vec::new());
            return;
        }
        let why = reason("首页没有带日期的信息", "no dated item on the home page");
        let (standing, value) = match behind.iter().any(|one| one.counts()) {
            // An item without a date counts as not updated, once a person has looked.
            true if behind.iter().all(|one| one.ruling.is_some()) => (Standing::Veto, indicator.veto),
            _ => (Standing::Open, None),
        };
        rows.push(indicator, standing, why, ids(behind)).value = value;
        return;
    };
    let days = days_between(newest, point);
    let why = reason(
        format!("最新信息 {newest}，监测时间点 {point}"),
        format!("newest item {newest}, monitoring point {point}"),
    );
    let row = rows.count("V3", f64::from(days), why, ids(behind));
    row.inputs = vec![
        ("newest item".to_owned(), newest.to_string()),
        ("monitoring point".to_owned(), point.to_string()),
        ("days".to_owned(), days.to_string()),
    ];
}

fn days_between(from: Date, to: Date) -> i32 {
    to.since(from).map_or(0, |span| span.get_days())
}

/// V4a–c. A blank column counts in V4b and V4c (2015 definition); the overlap is shown.
fn columns(rows: &mut Rows<'_>, findings: &[Ruled<'_>], facts: &Facts) {
    let catalogue = rows.catalogue;
    let counted_in = |one: &Ruled<'_>| {
        let class = one.detail("class").unwrap_or_default();
        let class = catalogue.classes.iter().find(|known| known.id == class);
        class.and_then(|class| class.indicator.clone())
    };
    let stale: Vec<&Ruled<'_>> = of(findings, Kind::StaleColumn)
        .into_iter()
        .filter(|one| one.counts() && counted_in(one).is_some())
        .collect();
    let (blank, rest): (Vec<&Ruled<'_>>, Vec<&Ruled<'_>>) =
        of(findings, Kind::BlankColumn).into_iter().partition(|one| one.counts());
    let unsure: Vec<&Ruled<'_>> = rest.into_iter().filter(|one| one.waits()).collect();
    // Every column that is looked at, with its newest item and the day from which it is too old.
    let listed = |wanted: &dyn Fn(&Column) -> bool| -> Vec<(String, String)> {
        let line = |column: &Column| {
            let class = catalogue.classes.iter().find(|class| class.id == column.class);
            let limit = class.and_then(|class| class.stale_on(facts.point));
            let day = |day: Option<Date>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
            let blank = if column.blank { " (blank)" } else { "" };
            let value =
                format!("{}{blank} (≤ {}) {} {}", day(column.newest), day(limit), column.class, column.url);
            (column.name.clone(), value)
        };
        facts.columns.iter().filter(|column| wanted(column)).map(line).collect()
    };
    let of_indicator = |column: &Column, wanted: &[&str]| {
        let class = catalogue.classes.iter().find(|class| class.id == column.class);
        class.and_then(|class| class.indicator.as_deref()).is_some_and(|id| wanted.contains(&id))
    };

    let fresh: Vec<&Ruled<'_>> =
        stale.iter().copied().filter(|one| counted_in(one).as_deref() == Some("V4a")).collect();
    let news = fresh.iter().filter(|one| one.detail("class") == Some("news")).count();
    let others = fresh.len() - news;
    let why = reason(
        format!("动态要闻类 {news} 个，通知公告和政策文件类 {others} 个"),
        format!("{news} news, {others} notice and policy columns"),
    );
    let inputs = listed(&|column| of_indicator(column, &["V4a"]));
    rows.count("V4a", fresh.len() as f64, why, ids(fresh)).inputs = inputs;

    let long: Vec<&Ruled<'_>> = stale.iter().chain(&blank).copied().collect();
    let why = reason(
        format!("不更新 {} 个，空白 {} 个（空白栏目同时计入 V4c）", stale.len(), blank.len()),
        format!("{} stale and {} blank columns (blank ones count in V4c, too)", stale.len(), blank.len()),
    );
    let inputs = listed(&|column| column.blank || of_indicator(column, &["V4a", "V4b"]));
    rows.count("V4b", long.len() as f64, why, ids(long)).inputs = inputs;

    let names: Vec<&str> = blank.iter().map(|one| one.finding.what()).collect();
    let why = match names.is_empty() {
        true => reason("没有空白栏目", "no blank column"),
        false => reason(names.join("、"), names.join(", ")),
    };
    let inputs = listed(&|column| column.blank);
    let row = rows.count("V4c", blank.len() as f64, why, ids(blank.iter().copied()));
    row.inputs = inputs;
    let line = row_line(rows.catalogue, "V4c");
    if !unsure.is_empty()
        && (blank.len() + unsure.len()) as f64 >= line.0
        && (blank.len() as f64) < line.1
        && let Some(row) = rows.rows.last_mut()
    {
        row.standing = Standing::Open;
        row.value = Some(unsure.len() as f64);
        row.reason = "列表由脚本填充，需渲染检查或人工判断".to_owned();
        row.reason_en = "filled by a script: a rendered check or a person decides".to_owned();
        row.findings = ids(unsure);
    }
}

fn row_line(catalogue: &Catalogue, id: &str) -> (f64, f64) {
    let indicator = catalogue.counted(id);
    (indicator.warn.unwrap_or(f64::MAX), indicator.veto.unwrap_or(f64::MAX))
}

/// A fault that only a person can confirm, and that is a veto once it is confirmed.
fn confirmed(rows: &mut Rows<'_>, id: &str, candidates: Vec<&Ruled<'_>>, fine: Reason, fault: Reason) {
    let counted = candidates.iter().filter(|one| one.counts()).count();
    if counted == 0 && candidates.iter().any(|one| one.waits()) {
        let why = reason(format!("{}，待人工确认", fault.zh), format!("{}; a person confirms it", fault.en));
        let indicator = rows.catalogue.counted(id);
        rows.push(indicator, Standing::Open, why, ids(candidates)).value = Some(1.0);
        return;
    }
    let why = if counted > 0 { fault } else { fine };
    rows.count(id, counted as f64, why, ids(candidates.into_iter().filter(|one| one.counts())));
}

/// V5a.
fn channel(rows: &mut Rows<'_>, findings: &[Ruled<'_>], facts: &Facts) {
    let candidates = of(findings, Kind::ChannelMissing);
    confirmed(
        rows,
        "V5a",
        candidates,
        reason(
            format!("有咨询建言渠道；公开留言 {} 条", facts.messages),
            format!("there is a channel; {} messages are shown", facts.messages),
        ),
        reason("未发现网上咨询建言渠道", "no online channel for questions was found"),
    );
}

/// V5b: unanswered for more than the limit, asked within the window.
fn messages(rows: &mut Rows<'_>, findings: &[Ruled<'_>], facts: &Facts) {
    let indicator = rows.catalogue.counted("V5b");
    let begin = indicator.span().map(|window| facts.point.saturating_sub(window));
    let months = indicator.limit_months.unwrap_or(3);
    let limit = facts.point.saturating_sub(jiff::Span::new().months(months));
    let overdue: Vec<&Ruled<'_>> = of(findings, Kind::MessageOverdue)
        .into_iter()
        .filter(|one| one.counts() && one.detail("answered").is_none())
        .filter(|one| {
            let asked = one.detail("asked").and_then(|text| text.parse::<Date>().ok());
            // More than three months: a message asked on the limit itself is not over it yet.
            asked.is_some_and(|asked| asked < limit && begin.is_none_or(|begin| asked >= begin))
        })
        .collect();
    let inputs: Vec<(String, String)> = overdue
        .iter()
        .map(|one| (one.detail("asked").unwrap_or_default().to_owned(), one.finding.url.clone()))
        .chain([("asked from".to_owned(), begin.map_or_else(String::new, |begin| begin.to_string()))])
        .chain([("asked before".to_owned(), limit.to_string())])
        .collect();
    let why = reason(
        format!("近一年留言中超过 {months} 个月未答复 {} 条", overdue.len()),
        format!("{} messages of the last year unanswered for more than {months} months", overdue.len()),
    );
    rows.count("V5b", overdue.len() as f64, why, ids(overdue)).inputs = inputs;
}

/// V6a.
fn services(rows: &mut Rows<'_>, findings: &[Ruled<'_>], facts: &Facts) {
    let candidates = of(findings, Kind::ServiceMissing);
    confirmed(
        rows,
        "V6a",
        candidates,
        reason(
            format!("提供办事指南 {} 个", facts.guides),
            format!("{} service guides are offered", facts.guides),
        ),
        reason("未发现办事服务", "no services were found"),
    );
}

/// V6b: guides that lack so many classes that nobody can use them.
fn guides(rows: &mut Rows<'_>, findings: &[Ruled<'_>], facts: &Facts) {
    let classes = rows.catalogue.counted("V6b").limit_classes.unwrap_or(4) as usize;
    let mut lacking: BTreeMap<&str, Vec<&Ruled<'_>>> = BTreeMap::new();
    for one in of(findings, Kind::GuideElementMissing).into_iter().filter(|one| one.counts()) {
        lacking.entry(one.finding.url.as_str()).or_default().push(one);
    }
    lacking.retain(|_, missing| missing.len() >= classes);
    let poor = lacking.len() as u64;
    let inputs = lacking
        .iter()
        .map(|(url, missing)| {
            let names: Vec<&str> = missing.iter().map(|one| one.finding.what()).collect();
            (names.join("、"), (*url).to_owned())
        })
        .chain([("guides".to_owned(), facts.guides.to_string())])
        .collect();
    let (_, veto) = row_line(rows.catalogue, "V6b");
    // Fewer guides than the line: then all of them have to be poor.
    let all_poor = poor > 0 && facts.guides <= poor && (facts.guides as f64) < veto;
    let value = if all_poor { veto } else { poor as f64 };
    let why = reason(
        format!("{} 个办事指南中 {poor} 个缺 {classes} 类及以上要素", facts.guides),
        format!("{poor} of {} guides lack {classes} or more element classes", facts.guides),
    );
    let findings: Vec<String> = lacking.into_values().flatten().map(Ruled::id).collect();
    let row = rows.count("V6b", value, why, findings);
    row.value = Some(poor as f64);
    row.inputs = inputs;
}
