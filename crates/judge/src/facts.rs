//! What a site is judged from.

use jiff::civil::Date;
use xunjian_model::{Assessment, Finding, Offer, Ruling, Severity};

/// A finding with what a person ruled on it.
#[derive(Clone, Copy, Debug)]
pub struct Ruled<'f> {
    /// The finding.
    pub finding: &'f Finding,
    /// The ruling, if there is one.
    pub ruling: Option<Ruling>,
}

impl Ruled<'_> {
    /// Whether it counts: nobody dismissed it, and a person confirmed it where one has to.
    pub fn counts(&self) -> bool {
        match self.ruling {
            Some(ruling) => ruling == Ruling::Confirmed,
            None => !self.waits_by_nature(),
        }
    }

    /// Whether it waits for a person.
    pub fn waits(&self) -> bool {
        self.ruling.is_none() && self.waits_by_nature()
    }

    /// A candidate for V1, or one the check itself is unsure of.
    fn waits_by_nature(&self) -> bool {
        self.finding.for_review()
            || self.finding.indicator == "V1" && self.finding.severity == Severity::Serious
    }

    pub(crate) fn id(&self) -> String {
        self.finding.id.to_string()
    }

    pub(crate) fn detail(&self, name: &str) -> Option<&str> {
        self.finding.detail.get(name).map(String::as_str)
    }
}

/// A week of the availability monitor, reported outages and our own line's failures taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
    /// Visits that count.
    pub visits: u64,
    /// Of these, visits in which the site did not open within the limit.
    pub failed: u64,
    /// Visits left out: the outage was reported beforehand.
    pub reported: u64,
    /// Of these, failed ones: with them the share is another.
    pub reported_failed: u64,
    /// Visits left out: our own line failed.
    pub own_line: u64,
    /// Days with fewer visits than the standard asks for.
    pub thin_days: u64,
}

/// A column as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// First list page.
    pub url: String,
    /// Id of its class in the catalogue.
    pub class: String,
    /// Newest dated item.
    pub newest: Option<Date>,
    /// It has offered nothing.
    pub blank: bool,
}

/// What a site is judged from, besides its findings.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Visits of the crawl.
    pub visits: u64,
    /// Visits in which the site did not open.
    pub failed_visits: u64,
    /// The monitor's week, if it ran.
    pub watched: Option<Watched>,
    /// The home page did not open at all.
    pub unreachable: bool,
    /// It was not visited, and nothing of it is kept: nothing is known of the site.
    pub unseen: bool,
    /// Newest dated item on the home page, or on the second-level pages of one that only leads on.
    pub home_newest: Option<Date>,
    /// The monitoring point: the last day of all windows.
    pub point: Date,
    /// The crawl did not see the whole site.
    pub incomplete: bool,
    /// Columns.
    pub columns: Vec<Column>,
    /// Service guides.
    pub guides: u64,
    /// Messages that are shown.
    pub messages: u64,
    /// Policy documents of the window of D5.
    pub documents: u64,
    /// The site's search was asked for known pages.
    pub searched: bool,
    /// What a rule asks for and was found.
    pub offers: Vec<Offer>,
    /// Newest day an answer was given.
    pub newest_answer: Option<Date>,
    /// What people judged.
    pub assessments: Vec<Assessment>,
}
