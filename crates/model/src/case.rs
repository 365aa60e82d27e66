//! The case of a finding: what people decided about it, and how it is mended.
//!
//! A case lives apart from its finding, under the same id, so that no scan touches it. Every step is
//! kept in its history.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What a person decided about a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What was decided.
    pub ruling: Ruling,
    /// Who decided.
    pub by: String,
    /// When.
    #[serde(with = "crate::moment")]
    pub at: Timestamp,
    /// Why; a dismissal always has one.
    pub reason: String,
}

/// Whether a finding is a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ruling {
    /// It is one, and counts.
    Confirmed,
    /// It is none, and does not count, also in later nights.
    Dismissed,
}

impl Ruling {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Dismissed => "dismissed",
        }
    }
}

/// How far a fault is on its way to being mended (the notice's workflow).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rectification {
    /// The office was not told.
    #[default]
    None,
    /// The office was told and has until `due`.
    Notified {
        /// Day of the notice.
        on: Date,
        /// Last day to mend it.
        due: Date,
    },
    /// The office says it is mended.
    Reported {
        /// Day of the notice.
        on: Date,
        /// Last day to mend it.
        due: Date,
        /// Day of the report.
        reported: Date,
    },
    /// It was looked at again and is gone.
    Closed {
        /// Last day to mend it; the day it was closed, when nobody was told.
        due: Date,
        /// Day it was found mended.
        closed: Date,
    },
    /// It was reported mended or closed, and is there.
    Relapsed {
        /// Last day to mend it.
        due: Date,
        /// Day it was found again.
        relapsed: Date,
    },
}

impl Rectification {
    /// The name in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Notified { .. } => "notified",
            Self::Reported { .. } => "reported",
            Self::Closed { .. } => "closed",
            Self::Relapsed { .. } => "relapsed",
        }
    }

    /// Last day to mend it, where one was set.
    pub fn due(&self) -> Option<Date> {
        match self {
            Self::None => None,
            Self::Notified { due, .. }
            | Self::Reported { due, .. }
            | Self::Closed { due, .. }
            | Self::Relapsed { due, .. } => Some(*due),
        }
    }

    /// Whether the time is over and the fault is not known to be mended.
    pub fn is_overdue(&self, today: Date) -> bool {
        !matches!(self, Self::Closed { .. }) && self.due().is_some_and(|due| due < today)
    }
}

/// What happened to a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    #[serde(with = "crate::moment")]
    pub at: Timestamp,
    /// What.
    pub step: Step,
    /// Who; empty for the machine.
    pub by: String,
    /// Reason, note or name.
    pub note: String,
    /// The snapshot that shows it, `<body hash>@<time>`.
    pub snapshot: Option<String>,
}

/// Steps of a finding's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// First seen.
    Found,
    /// Not there any more.
    Gone,
    /// There again.
    FoundAgain,
    /// A person confirmed it.
    Confirmed,
    /// A person dismissed it.
    Dismissed,
    /// Given to a person.
    Assigned,
    /// The office was told.
    Notified,
    /// The office says it is mended.
    Reported,
    /// Looked at again: still there.
    StillThere,
    /// Looked at again: mended.
    Closed,
}

impl Step {
    /// Chinese and English name.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Found => ("首次发现", "found"),
            Self::Gone => ("未再发现", "gone"),
            Self::FoundAgain => ("再次出现", "found again"),
            Self::Confirmed => ("确认", "confirmed"),
            Self::Dismissed => ("排除", "dismissed"),
            Self::Assigned => ("分派", "assigned"),
            Self::Notified => ("通知整改", "notified"),
            Self::Reported => ("反馈已整改", "reported mended"),
            Self::StillThere => ("复查仍存在", "still there"),
            Self::Closed => ("复查销号", "closed"),
        }
    }
}

/// Everything people did about a finding, and its life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Raised by every change; who changes it says which one was seen.
    pub revision: u32,
    /// What was decided.
    pub decision: Option<Decision>,
    /// Who looks after it.
    pub assigned: Option<String>,
    /// How far it is mended.
    pub rectification: Rectification,
    /// What happened, oldest first.
    pub history: Vec<Event>,
}

impl Case {
    /// What was ruled, if anything.
    pub fn ruling(&self) -> Option<Ruling> {
        self.decision.as_ref().map(|decision| decision.ruling)
    }

    /// Adds an event and raises the revision.
    pub fn happened(&mut self, event: Event) {
        self.revision += 1;
        self.history.push(event);
    }

    /// Whether the finding was there at a moment, by its history; `None` when it was not seen yet.
    pub fn was_there(&self, moment: Timestamp) -> Option<bool> {
        let mut there = None;
        for event in self.history.iter().take_while(|event| event.at <= moment) {
            match event.step {
                Step::Found | Step::FoundAgain | Step::StillThere => there = Some(true),
                Step::Gone | Step::Closed => there = Some(false),
                _ => {}
            }
        }
        there
    }

    /// Whether it was found to be gone after a moment, and is since then.
    pub fn went_after(&self, moment: Timestamp) -> bool {
        let last = self.history.iter().rev().find_map(|event| match event.step {
            Step::Gone | Step::Closed => Some(event.at > moment),
            Step::Found | Step::FoundAgain | Step::StillThere => Some(false),
            _ => None,
        });
        last == Some(true)
    }
}

/// A person's judgement of an indicator that no machine can judge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The indicator.
    pub indicator: String,
    /// Points lost; points won under a bonus.
    pub points: f64,
    /// Who judged.
    pub by: String,
    /// When.
    #[serde(with = "crate::moment")]
    pub at: Timestamp,
    /// Why.
    pub note: String,
}
