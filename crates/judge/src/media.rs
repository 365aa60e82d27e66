//! New-media accounts: M1–M3 and their states.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use xunjian_model::{Account, AccountState, Assessment, Judgement, Outcome, Standing};

use crate::catalogue::{AppliesTo, Catalogue};
use crate::facts::Ruled;
use crate::vetoes::{Rows, ids, reason};

/// Months without a post from which an account is called a zombie (S26).
const ZOMBIE_MONTHS: i32 = 3;

/// Days after which what was told of an account's posts says nothing of the present any more: half of the two weeks
/// of M2.
const KNOWN_DAYS_MAX: i32 = 7;

/// What is known of an account's posts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Posts {
    /// The newest one not after the monitoring point.
    pub newest: Option<Date>,
    /// Day up to which they are known; `None`: nobody wrote it down, and they are taken for known.
    pub known_until: Option<Date>,
}

/// How an account stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountVerdict {
    /// The account.
    pub account: Account,
    /// The result.
    pub result: Outcome,
    /// Newest post up to the monitoring point.
    pub last_post: Option<Date>,
    /// How lively it is.
    pub activity: Activity,
    /// Day up to which its posts are known, where somebody told of them.
    pub known_until: Option<Date>,
    /// Rows of the indicators.
    pub indicators: Vec<Judgement>,
}

/// How lively an account is at the monitoring point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activity {
    /// It posts.
    Fresh,
    /// Near the limit.
    Warning,
    /// Nothing in the two weeks before the monitoring point (M2).
    Stale,
    /// Nothing for three months, or closed and not cancelled.
    Zombie,
    /// Nothing is known of its posts, or nothing new for too long to tell.
    Unknown,
    /// Cancelled before the monitoring point: there is nothing to judge.
    Cancelled,
}

impl Activity {
    /// The word in JSON, and the English one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Warning => "warning",
            Self::Stale => "stale",
            Self::Zombie => "zombie",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
        }
    }

    /// The Chinese word.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Fresh => "正常",
            Self::Warning => "预警",
            Self::Stale => "不更新",
            Self::Zombie => "僵尸",
            Self::Unknown => "未知",
            Self::Cancelled => "已注销",
        }
    }
}

impl AccountVerdict {
    /// The faults, in Chinese words.
    pub fn problem(&self) -> String {
        let bad = |row: &&Judgement| row.standing == Standing::Veto;
        let mut words: Vec<&str> =
            self.indicators.iter().filter(bad).map(|row| row.reason.as_str()).collect();
        if words.is_empty() && self.result == Outcome::Fail {
            words.push(self.account.state.zh());
        }
        words.join("；")
    }
}

/// Judges one account.
///
/// What was told of its posts some days before the monitoring point is judged as of then. Older news can show that
/// it posted in time, not that it did not: that is for a person.
pub fn judge_account(
    account: &Account,
    posts: Posts,
    findings: &[Ruled<'_>],
    assessments: &[Assessment],
    point: Date,
    catalogue: &Catalogue,
) -> AccountVerdict {
    let last_post = posts.newest;
    let known = posts.known_until.filter(|day| *day < point).unwrap_or(point);
    let is_known = known >= point.saturating_sub(KNOWN_DAYS_MAX.days());
    let as_of = if is_known { known } else { point };
    let mut rows = Rows { catalogue, rows: Vec::new() };
    let cancelled = account.state == AccountState::Cancelled && account.closed.is_none_or(|day| day <= point);
    let mut activity = Activity::Unknown;
    let media = |applies: &[AppliesTo]| applies.contains(&AppliesTo::Media);
    for indicator in catalogue.indicators.iter().filter(|one| media(&one.applies_to)) {
        if let Some(assessed) = assessments.iter().rev().find(|one| one.indicator == indicator.id) {
            let standing = if assessed.points > 0.0 { Standing::Veto } else { Standing::Pass };
            let why = reason(
                format!("{} 判定：{}", assessed.by, assessed.note),
                format!("judged by {}: {}", assessed.by, assessed.note),
            );
            rows.push(indicator, standing, why, Vec::new());
            continue;
        }
        match indicator.id.as_str() {
            "M1" => {
                let confirmed: Vec<&Ruled<'_>> = findings.iter().filter(|one| one.counts()).collect();
                let waiting: Vec<&Ruled<'_>> = findings.iter().filter(|one| one.waits()).collect();
                let (standing, behind, why) = match (confirmed.is_empty(), waiting.is_empty()) {
                    (false, _) => {
                        let why = reason("经人工确认的严重问题", "serious problems confirmed by a person");
                        (Standing::Veto, confirmed, why)
                    }
                    (_, false) => {
                        let why = reason("疑似问题，待人工确认", "candidates for a person to confirm");
                        (Standing::Open, waiting, why)
                    }
                    _ => (Standing::Pass, Vec::new(), reason("未发现疑似问题", "no candidates")),
                };
                rows.push(indicator, standing, why, ids(behind));
            }
            "M2" => {
                let line = |days: Option<f64>| days.map(|days| as_of.saturating_sub((days as i32).days()));
                let reached = |days| last_post.zip(line(days)).is_some_and(|(post, line)| post <= line);
                activity = match last_post {
                    _ if cancelled => Activity::Cancelled,
                    Some(_) if !is_known && reached(indicator.veto) => Activity::Unknown,
                    Some(post) if post <= as_of.saturating_sub(ZOMBIE_MONTHS.months()) => Activity::Zombie,
                    _ if reached(indicator.veto) => Activity::Stale,
                    _ if reached(indicator.warn) => Activity::Warning,
                    Some(_) => Activity::Fresh,
                    None => Activity::Unknown,
                };
                let (standing, why) = match (activity, last_post) {
                    (Activity::Zombie | Activity::Stale, Some(post)) => {
                        let (zh, en) = if as_of == point {
                            ("监测时间点", "monitoring point")
                        } else {
                            ("已知的", "known up to")
                        };
                        let why = reason(
                            format!("{zh} {as_of} 前 2 周内未更新，最新 {post}"),
                            format!("newest post {post}, {en} {as_of}"),
                        );
                        (Standing::Veto, why)
                    }
                    (Activity::Warning, Some(post)) => (
                        Standing::Warning,
                        reason(
                            format!("最新 {post}，临近期限"),
                            format!("newest post {post}, near the limit"),
                        ),
                    ),
                    (Activity::Unknown, Some(post)) if !account.state.is_closed() => (
                        Standing::Open,
                        reason(
                            format!("{known} 之后的更新情况未知，此前最新 {post}"),
                            format!(
                                "nothing is known of its posts after {known}; the newest before is of {post}"
                            ),
                        ),
                    ),
                    (Activity::Unknown, None) if !account.state.is_closed() => {
                        (Standing::Open, reason("没有更新记录", "nothing is known of its posts"))
                    }
                    _ => (Standing::Pass, reason("按期更新", "it posts in time")),
                };
                rows.push(indicator, standing, why, Vec::new());
            }
            // Only a person can tell; nothing was said against it.
            _ => {
                rows.push(
                    indicator,
                    Standing::Pass,
                    reason("未收到问题记录", "nothing was recorded"),
                    Vec::new(),
                );
            }
        }
    }
    let has = |standing| rows.rows.iter().any(|row| row.standing == standing);
    let result = match () {
        () if has(Standing::Veto) || account.state.is_unqualified() => Outcome::Fail,
        () if cancelled => Outcome::Pass,
        () if has(Standing::Open) => Outcome::Review,
        () => Outcome::Pass,
    };
    if account.state == AccountState::ClosedNotCancelled {
        activity = Activity::Zombie;
    }
    AccountVerdict {
        account: account.clone(),
        result,
        last_post,
        activity,
        known_until: posts.known_until,
        indicators: rows.rows,
    }
}
