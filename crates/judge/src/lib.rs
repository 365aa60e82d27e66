//! Verdicts by the standard: the catalogue of indicators, vetoes, points, rates, working days.
//!
//! Pure: findings, rulings and facts in, verdicts out. Every line is data ([`Catalogue`]); nothing
//! here guesses what only a person can judge, it stays open and says so.

mod calendar;
mod catalogue;
mod deductions;
mod facts;
mod inputs;
mod media;
mod notice;
mod rates;
mod verdict;
mod vetoes;

pub use calendar::{Calendar, CalendarError, UnknownYear};
pub use catalogue::{
    AppliesTo, Catalogue, CatalogueError, ColumnClass, Group, Indicator, RateRule, RectificationRule,
    Scoring, Who,
};
pub use facts::{Column, Facts, Ruled, Watched};
pub use inputs::input_zh;
pub use media::{AccountVerdict, Activity, Posts, judge_account};
pub use notice::{
    AccountRow, Annexes, Comparison, Counts, FailedSite, Group as NoticeGroup, Notice, NoticeSite,
    ProblemRow, Quarter, QuarterError, SiteRow, Stated, compare, notice,
};
pub use rates::{Agreement, Digits, RATES, Rate, agreement, percent, printed};
pub use verdict::judge;
pub use vetoes::VISITS_A_DAY_MIN;
