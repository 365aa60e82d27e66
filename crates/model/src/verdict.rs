//! Verdicts: how a site stands by the standard.

use serde::{Deserialize, Serialize};

use crate::{SiteId, SiteKind};

/// The result of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// 合格: no veto, nothing that could become one waits for a person.
    Pass,
    /// 不合格: a veto.
    Fail,
    /// 待复核: a person has to look first.
    Review,
}

impl Outcome {
    /// Chinese word of the standard.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Pass => "合格",
            Self::Fail => "不合格",
            Self::Review => "待复核",
        }
    }

    /// English word.
    pub fn en(self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::Fail => "Fail",
            Self::Review => "Review",
        }
    }
}

/// One rule's count against its threshold: a veto reached or a warning before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Rule, for example `V4c`.
    pub rule: String,
    /// The rule's name in the catalogue, Chinese.
    pub name: String,
    /// The rule's name, English.
    pub name_en: String,
    /// What was counted.
    pub value: f64,
    /// Where the veto begins; equal counts.
    pub threshold: f64,
    /// Unit of both: `columns`, `days`, `percent`, `findings`.
    pub unit: String,
    /// Plain words, Chinese: inputs, dates, exceptions.
    pub reason: String,
    /// The same, English.
    pub reason_en: String,
    /// The rule's figures were read in the official text.
    pub verified: bool,
    /// Findings behind it.
    pub findings: Vec<String>,
}

/// Points lost under one indicator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deduction {
    /// Indicator.
    pub indicator: String,
    /// Points lost.
    pub points: f64,
    /// Findings behind it.
    pub findings: Vec<String>,
}

/// How a site stands under one indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing is wrong.
    Pass,
    /// Near a veto.
    Warning,
    /// A veto is reached.
    Veto,
    /// Points are lost.
    Deducted,
    /// Points are won.
    Bonus,
    /// A person has to judge first.
    Open,
    /// It does not apply to the site.
    NotApplicable,
}

impl Standing {
    /// Chinese and English word.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Pass => ("符合", "pass"),
            Self::Warning => ("预警", "warning"),
            Self::Veto => ("否决", "veto"),
            Self::Deducted => ("扣分", "points lost"),
            Self::Bonus => ("加分", "bonus"),
            Self::Open => ("待人工判定", "a person decides"),
            Self::NotApplicable => ("不适用", "does not apply"),
        }
    }
}

/// One indicator's row: what went in, which lines it was held against, what came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Indicator, for example `V4c`.
    pub indicator: String,
    /// What came out.
    pub standing: Standing,
    /// What was counted, where something is.
    pub value: Option<f64>,
    /// Points lost or won.
    pub points: f64,
    /// Plain words, Chinese.
    pub reason: String,
    /// The same, English.
    pub reason_en: String,
    /// What it was judged from, by name.
    pub inputs: Vec<(String, String)>,
    /// Findings behind it.
    pub findings: Vec<String>,
}

/// How a site stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The site.
    pub site: SiteId,
    /// Its registered name.
    pub name: String,
    /// Portal or department.
    pub kind: SiteKind,
    /// The result.
    pub result: Outcome,
    /// Vetoes reached.
    pub vetoes: Vec<Tally>,
    /// Warnings before a veto.
    pub warnings: Vec<Tally>,
    /// What waits for a person before it can count.
    pub reviews: Vec<Tally>,
    /// Score, where the site is scored and no veto ended that: what it has if everything that waits
    /// for a person turns out well.
    pub score: Option<f64>,
    /// Points lost.
    pub deductions: Vec<Deduction>,
    /// The score if everything that waits for a person turns out badly.
    pub score_least: Option<f64>,
    /// Points won, in the score already.
    pub bonus: f64,
    /// Indicators in the score whose points were not read in the official text.
    pub unverified: Vec<String>,
    /// Every indicator's row.
    pub indicators: Vec<Judgement>,
}
/// Something a rule asks for, with how often it was found and one page that shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Id of the indicator.
    pub indicator: String,
    /// What it is: `form`, `sample`, `activity`, `result`, `catalogue`, `application`, `registration`.
    pub what: String,
    /// Pages with it.
    pub count: u64,
    /// Address of one of them.
    pub url: String,
}
