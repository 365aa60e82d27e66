//! The quarter's facts as a notice tells them: counts, rates, problems by group, five annexes.
//!
//! No text is written here; the report does that. Every number is counted from verdicts, and a rate
//! that somebody printed is held against what the counts give.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Serialize;
use xunjian_model::{AccountState, Kind, Outcome, Scope, Site, SiteKind, Verdict};

use crate::catalogue::Catalogue;
use crate::facts::Ruled;
use crate::media::{AccountVerdict, Activity};
use crate::rates::{Agreement, Rate, agreement};

/// A quarter of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quarter {
    year: i16,
    number: i8,
}

/// A text that names no quarter.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a quarter: write it like 2022Q2")]
pub struct QuarterError(String);

impl Quarter {
    /// The quarter of a day.
    pub fn of(day: Date) -> Self {
        Self { year: day.year(), number: (day.month() + 2) / 3 }
    }

    /// Its first day.
    pub fn first(self) -> Date {
        Date::new(self.year, self.number * 3 - 2, 1).unwrap_or_default()
    }

    /// The one before it.
    pub fn before(self) -> Self {
        Self::of(self.first().saturating_sub(1.day()))
    }

    /// Its last day: the monitoring point when no other is given.
    pub fn last(self) -> Date {
        self.first().saturating_add(3.months()).saturating_sub(1.day())
    }
}

impl FromStr for Quarter {
    type Err = QuarterError;
    fn from_str(text: &str) -> Result<Self, QuarterError> {
        let parts = text.split_once(['Q', 'q']);
        let read = parts.and_then(|(year, number)| Some((year.parse().ok()?, number.parse().ok()?)));
        match read {
            Some((year @ 1990..=2999, number @ 1..=4)) => Ok(Self { year, number }),
            _ => Err(QuarterError(text.to_owned())),
        }
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Q{}", self.year, self.number)
    }
}

/// A site with what the notice needs of it.
#[derive(Clone, Debug)]
pub struct NoticeSite<'a> {
    /// The site.
    pub site: &'a Site,
    /// Its verdict.
    pub verdict: &'a Verdict,
    /// Its findings.
    pub findings: &'a [Ruled<'a>],
}

/// Counts of a quarter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Sites of the register.
    pub sites: usize,
    /// Of these, portals.
    pub portals: usize,
    /// Of these, departments.
    pub departments: usize,
    /// Sites that were looked at.
    pub sites_checked: usize,
    /// Sites that fail.
    pub sites_unqualified: usize,
    /// Sites that wait for a person.
    pub sites_in_review: usize,
    /// Accounts of the ledger that were there.
    pub accounts: usize,
    /// The same by platform.
    pub accounts_by_platform: BTreeMap<String, usize>,
    /// Accounts that fail.
    pub accounts_unqualified: usize,
    /// Accounts that wait for a person.
    pub accounts_in_review: usize,
    /// Of these, closed or cancelled since.
    pub accounts_closed: usize,
    /// Of these, mended since.
    pub accounts_mended: usize,
    /// Of these, neither.
    pub accounts_open: usize,
}

/// Sites with one kind of problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Id.
    pub id: String,
    /// Chinese words.
    pub name: String,
    /// English words.
    pub name_en: String,
    /// Names of the sites.
    pub sites: Vec<String>,
}

/// A rate that was printed, and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stated {
    /// What it is of.
    pub id: String,
    /// How it agrees.
    #[serde(flatten)]
    pub agreement: Agreement,
}

/// Annex 1: a site that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SiteRow {
    /// Number, from 1.
    pub number: usize,
    /// Name of the site.
    pub name: String,
    /// Host, or the folder of one.
    pub host: String,
    /// Site code.
    pub code: String,
    /// Portal or department.
    pub kind: SiteKind,
    /// The result.
    pub result: Outcome,
    /// Score, where there is one.
    pub score: Option<f64>,
}

/// Annex 2: a site that fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedSite {
    /// Number, from 1.
    pub number: usize,
    /// Name of the site.
    pub name: String,
    /// Veto.
    pub indicator: String,
    /// What is wrong.
    pub problem: String,
    /// Pages that show it.
    pub pages: Vec<String>,
    /// Findings behind it.
    pub findings: Vec<String>,
}

/// Annex 3: a site with a problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProblemRow {
    /// Number, from 1.
    pub number: usize,
    /// Name of the site.
    pub name: String,
    /// Indicator.
    pub indicator: String,
    /// What is wrong.
    pub problem: String,
    /// How many places.
    pub places: usize,
    /// A page that shows it.
    pub page: String,
    /// The finding with its evidence.
    pub finding: String,
}

/// Annexes 4 and 5: an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountRow {
    /// Number, from 1.
    pub number: usize,
    /// Platform.
    pub platform: String,
    /// Name.
    pub name: String,
    /// Office.
    pub office: String,
    /// What is wrong.
    pub problem: String,
    /// When it was closed.
    pub closed: Option<Date>,
    /// State in the ledger, which says how it is mended.
    pub state: String,
}

/// The five annexes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Annexes {
    /// 政府网站抽查情况.
    pub sites: Vec<SiteRow>,
    /// 不合格政府网站.
    pub unqualified_sites: Vec<FailedSite>,
    /// 存在问题的政府网站.
    pub problem_sites: Vec<ProblemRow>,
    /// 已关停、未销号“僵尸账号”.
    pub zombie_accounts: Vec<AccountRow>,
    /// 政务新媒体不合格账号汇总表.
    pub unqualified_accounts: Vec<AccountRow>,
}

/// Everything a notice tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Notice {
    /// Quarter.
    pub quarter: String,
    /// The monitoring point.
    pub point: Date,
    /// Counts.
    pub counts: Counts,
    /// Rates with their parts; the text is what is printed.
    pub rates: Vec<(Rate, Option<String>)>,
    /// The rate of accounts by platform, which some notices give, too.
    pub platforms: BTreeMap<String, (Rate, Option<String>)>,
    /// Rates that were printed elsewhere.
    pub stated: Vec<Stated>,
    /// Problems by group.
    pub groups: Vec<Group>,
    /// Annexes.
    pub annexes: Annexes,
}

/// Groups of problems, by the findings that make them.
const GROUPS: [(&str, &str, &str, &[Kind]); 9] = [
    ("interpretation-ratio", "解读比例不高", "few documents are interpreted", &[Kind::InterpretationMissing]),
    (
        "interpretation-links",
        "解读未双向关联",
        "interpretations are not linked",
        &[Kind::InterpretationUnlinked],
    ),
    (
        "service-address",
        "办理地点未具体到街道门牌",
        "addresses without street and number",
        &[Kind::GuideAddressVague],
    ),
    (
        "service-materials",
        "办理材料形式不明或依据仅有名称",
        "materials unclear, or policies only named",
        &[Kind::GuideMaterialVague, Kind::PolicyNameOnly],
    ),
    ("service-elements", "办事指南要素缺失", "guides lack elements", &[Kind::GuideElementMissing]),
    (
        "interaction",
        "留言公开不更新或未公开受理反馈统计",
        "messages not updated or without statistics",
        &[Kind::MessageStatsMissing, Kind::MessageOverdue],
    ),
    ("search", "搜索不到办事、互动类信息", "search does not find services or messages", &[Kind::SearchMiss]),
    (
        "columns",
        "空白或不更新栏目",
        "blank or stale columns",
        &[Kind::BlankColumn, Kind::StaleColumn, Kind::StaleHome],
    ),
    (
        "links",
        "链接不可用",
        "links that do not open",
        &[
            Kind::DeadLink,
            Kind::DeadImage,
            Kind::DeadAttachment,
            Kind::Soft404,
            Kind::TlsError,
            Kind::PrivateLink,
        ],
    ),
];

/// Counts a quarter. `stated` are rates printed elsewhere: what they are of, and the number.
pub fn notice(
    quarter: Quarter,
    point: Date,
    sites: &[NoticeSite<'_>],
    accounts: &[AccountVerdict],
    stated: &[(String, String)],
    catalogue: &Catalogue,
) -> Notice {
    let accounts: Vec<&AccountVerdict> = accounts.iter().filter(|one| was_there(one, quarter)).collect();
    let counts = count(sites, &accounts);
    let part = |whole: usize, bad: usize| (whole.saturating_sub(bad) as u64, whole as u64);
    let (site_part, site_whole) = part(counts.sites_checked, counts.sites_unqualified);
    let (account_part, account_whole) = part(counts.accounts, counts.accounts_unqualified);
    let bad = counts.accounts_unqualified as u64;
    let mended = counts.accounts_mended as u64;
    let closed = counts.accounts_closed as u64;
    let rates = [
        catalogue.rate("sites", "合格网站/检查网站", site_part, site_whole),
        catalogue.rate("accounts", "合格账号/检查账号", account_part, account_whole),
        catalogue.rate("rectified", "已整改/不合格账号", mended, bad),
    ];
    let formulas: BTreeMap<&str, Vec<(&str, u64, u64)>> = BTreeMap::from([
        ("sites", vec![("合格网站/检查网站", site_part, site_whole)]),
        ("accounts", vec![("合格账号/检查账号", account_part, account_whole)]),
        (
            "rectified",
            vec![
                ("已整改/不合格", mended, bad),
                ("（已整改+已关停）/不合格", mended + closed, bad),
                ("已整改/（不合格−已关停）", mended, bad.saturating_sub(closed)),
            ],
        ),
    ]);
    let stated = stated
        .iter()
        .map(|(id, text)| {
            let formulas = formulas.get(id.as_str()).map_or(&[][..], Vec::as_slice);
            Stated { id: id.clone(), agreement: agreement(text, formulas) }
        })
        .collect();
    Notice {
        quarter: quarter.to_string(),
        point,
        rates: rates
            .map(|rate| {
                let text = rate.percent();
                (rate, text)
            })
            .into(),
        platforms: platforms(&accounts, catalogue),
        stated,
        groups: groups(sites),
        annexes: annexes(sites, &accounts),
        counts,
    }
}

fn platforms(
    accounts: &[&AccountVerdict],
    catalogue: &Catalogue,
) -> BTreeMap<String, (Rate, Option<String>)> {
    let mut parts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for one in accounts {
        let (good, all) = parts.entry(one.account.platform.clone()).or_default();
        *good += u64::from(!is_bad(one));
        *all += 1;
    }
    let rate = |(platform, (good, all)): (String, (u64, u64))| {
        let rate = catalogue.rate("platform", "合格账号/检查账号", good, all);
        let text = rate.percent();
        (platform, (rate, text))
    };
    parts.into_iter().map(rate).collect()
}

/// An account cancelled before the quarter began is none of its accounts.
fn was_there(verdict: &AccountVerdict, quarter: Quarter) -> bool {
    let account = &verdict.account;
    account.state != AccountState::Cancelled || account.closed.is_none_or(|day| day >= quarter.first())
}

fn count(sites: &[NoticeSite<'_>], accounts: &[&AccountVerdict]) -> Counts {
    let mut counts = Counts { sites: sites.len(), accounts: accounts.len(), ..Counts::default() };
    for one in sites {
        match one.site.kind {
            SiteKind::Portal => counts.portals += 1,
            SiteKind::Department => counts.departments += 1,
        }
        counts.sites_checked += 1;
        match one.verdict.result {
            Outcome::Fail => counts.sites_unqualified += 1,
            Outcome::Review => counts.sites_in_review += 1,
            Outcome::Pass => {}
        }
    }
    for one in accounts {
        *counts.accounts_by_platform.entry(one.account.platform.clone()).or_default() += 1;
        if !is_bad(one) {
            counts.accounts_in_review += usize::from(one.result == Outcome::Review);
            continue;
        }
        counts.accounts_unqualified += 1;
        match one.account.state {
            state if state.is_closed() => counts.accounts_closed += 1,
            AccountState::Mended => counts.accounts_mended += 1,
            _ => counts.accounts_open += 1,
        }
    }
    counts
}

/// An account that failed and was cancelled within the quarter failed all the same.
fn is_bad(verdict: &AccountVerdict) -> bool {
    verdict.result == Outcome::Fail || verdict.account.state.is_closed()
}

fn groups(sites: &[NoticeSite<'_>]) -> Vec<Group> {
    let group = |(id, name, name_en, kinds): &(&str, &str, &str, &[Kind])| {
        let has = |one: &&NoticeSite<'_>| {
            one.findings.iter().any(|found| kinds.contains(&found.finding.kind) && found.counts())
        };
        let sites = sites.iter().filter(has).map(|one| one.site.name.clone()).collect();
        Group { id: (*id).to_owned(), name: (*name).to_owned(), name_en: (*name_en).to_owned(), sites }
    };
    GROUPS.iter().map(group).collect()
}

fn annexes(sites: &[NoticeSite<'_>], accounts: &[&AccountVerdict]) -> Annexes {
    let mut annexes = Annexes::default();
    for (at, one) in sites.iter().enumerate() {
        let (site, verdict) = (one.site, one.verdict);
        annexes.sites.push(SiteRow {
            number: at + 1,
            name: site.name.clone(),
            host: site.scopes.first().map_or_else(|| site.url.host().to_owned(), Scope::to_string),
            code: site.code.clone().unwrap_or_default(),
            kind: site.kind,
            result: verdict.result,
            score: verdict.score,
        });
        for veto in &verdict.vetoes {
            let page = |id: &String| {
                let found = one.findings.iter().find(|found| found.finding.id.as_str() == id);
                found.map(|found| found.finding.url.clone())
            };
            annexes.unqualified_sites.push(FailedSite {
                number: annexes.unqualified_sites.len() + 1,
                name: site.name.clone(),
                indicator: veto.rule.clone(),
                problem: format!("{}：{}", veto.name, veto.reason),
                pages: veto.findings.iter().filter_map(page).collect(),
                findings: veto.findings.clone(),
            });
        }
        for (_, name, _, kinds) in GROUPS {
            let mut found =
                one.findings.iter().filter(|found| kinds.contains(&found.finding.kind) && found.counts());
            let Some(first) = found.next() else { continue };
            annexes.problem_sites.push(ProblemRow {
                number: annexes.problem_sites.len() + 1,
                name: site.name.clone(),
                indicator: first.finding.indicator.clone(),
                problem: name.to_owned(),
                places: 1 + found.count(),
                page: first.finding.url.clone(),
                finding: first.finding.id.to_string(),
            });
        }
    }
    let row = |number: usize, one: &AccountVerdict| AccountRow {
        number,
        platform: one.account.platform.clone(),
        name: one.account.name.clone(),
        office: one.account.office.clone(),
        problem: one.problem(),
        closed: one.account.closed,
        state: one.account.state.zh().to_owned(),
    };
    for one in accounts {
        if one.activity == Activity::Zombie {
            let number = annexes.zombie_accounts.len() + 1;
            annexes.zombie_accounts.push(row(number, one));
        }
        if is_bad(one) {
            let number = annexes.unqualified_accounts.len() + 1;
            annexes.unqualified_accounts.push(row(number, one));
        }
    }
    annexes
}

/// What changed from one quarter to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Sites that failed before and do not now.
    pub mended: Vec<String>,
    /// Sites that fail now and did not before.
    pub fallen: Vec<String>,
    /// Sites that fail in both: named, as earlier faults are looked at again.
    pub still: Vec<String>,
    /// Groups of problems, with the number of sites before and now.
    pub groups: Vec<(String, usize, usize)>,
    /// Rates, before and now.
    pub rates: Vec<(String, Option<String>, Option<String>)>,
}

/// Compares two quarters.
pub fn compare(before: &Notice, now: &Notice) -> Comparison {
    let failed = |notice: &Notice| -> Vec<String> {
        let failed = notice.annexes.sites.iter().filter(|row| row.result == Outcome::Fail);
        failed.map(|row| row.name.clone()).collect()
    };
    let (then, today) = (failed(before), failed(now));
    let only = |these: &[String], others: &[String]| -> Vec<String> {
        these.iter().filter(|name| !others.contains(name)).cloned().collect()
    };
    let size = |notice: &Notice, id: &str| {
        notice.groups.iter().find(|group| group.id == id).map_or(0, |group| group.sites.len())
    };
    Comparison {
        mended: only(&then, &today),
        fallen: only(&today, &then),
        still: then.iter().filter(|name| today.contains(name)).cloned().collect(),
        groups: now
            .groups
            .iter()
            .map(|group| (group.name.clone(), size(before, &group.id), group.sites.len()))
            .collect(),
        rates: now
            .rates
            .iter()
            .map(|(rate, text)| {
                let earlier = before.rates.iter().find(|(other, _)| other.id == rate.id);
                (rate.id.clone(), earlier.and_then(|(_, text)| text.clone()), text.clone())
            })
            .collect(),
    }
}
