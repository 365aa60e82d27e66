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
    /// Score of 100, where the site is scored; `null` until points are judged.
    pub score: Option<f64>,
    /// Points lost.
    pub deductions: Vec<Deduction>,
}
