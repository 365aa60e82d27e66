//! Findings against the truth: recall and precision per kind.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::TruthRow;

/// What of a finding is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// Site id.
    pub site: String,
    /// Finding kind.
    pub kind: String,
    /// Page.
    pub url: String,
    /// What was found, where the finding says it.
    #[serde(default)]
    pub what: Option<String>,
}

/// Counts of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KindScore {
    /// Rows of the truth.
    pub truth: usize,
    /// Rows of the truth that were found.
    pub found: usize,
    /// Findings.
    pub reported: usize,
    /// Findings that are in the truth.
    pub right: usize,
    /// Rows that were missed.
    pub missed: Vec<TruthRow>,
    /// Findings that are not in the truth.
    pub wrong: Vec<Reported>,
}

/// Counts per kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Score {
    /// By kind.
    pub kinds: BTreeMap<String, KindScore>,
}

impl KindScore {
    /// Share of the truth that was found; 1 when there was nothing to find.
    pub fn recall(&self) -> f64 {
        share(self.found, self.truth)
    }

    /// Share of the findings that are true; 1 when there were none.
    pub fn precision(&self) -> f64 {
        share(self.right, self.reported)
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

impl Score {
    /// All kinds together.
    pub fn total(&self) -> KindScore {
        self.kinds.values().fold(KindScore::default(), |sum, kind| KindScore {
            truth: sum.truth + kind.truth,
            found: sum.found + kind.found,
            reported: sum.reported + kind.reported,
            right: sum.right + kind.right,
            ..sum
        })
    }

    /// Only the kinds a check exists for.
    pub fn only(mut self, kinds: &[&str]) -> Self {
        self.kinds.retain(|kind, _| kinds.contains(&kind.as_str()));
        self
    }

    /// Adds another city's counts.
    pub fn add(&mut self, other: Self) {
        for (kind, more) in other.kinds {
            let sum = self.kinds.entry(kind).or_default();
            sum.truth += more.truth;
            sum.found += more.found;
            sum.reported += more.reported;
            sum.right += more.right;
            sum.missed.extend(more.missed);
            sum.wrong.extend(more.wrong);
        }
    }
}

/// Site, kind and address.
type Place<'t> = (&'t str, &'t str, &'t str);

/// A finding matches a row when site, kind and address agree, and `what` where both have it.
pub fn score(truth: &[TruthRow], reported: &[Reported]) -> Score {
    let mut score = Score::default();
    let mut by_place: HashMap<Place<'_>, Vec<(usize, Option<&str>)>> = HashMap::new();
    for (index, row) in truth.iter().enumerate() {
        score.kinds.entry(row.kind.clone()).or_default().truth += 1;
        let place = (row.site.as_str(), row.kind.as_str(), row.url.as_str());
        by_place.entry(place).or_default().push((index, row.what.as_deref()));
    }
    let mut found = vec![false; truth.len()];
    for finding in reported {
        let kind = score.kinds.entry(finding.kind.clone()).or_default();
        kind.reported += 1;
        let place = (finding.site.as_str(), finding.kind.as_str(), finding.url.as_str());
        let mut right = false;
        for (index, what) in by_place.get(&place).into_iter().flatten() {
            let agree = match (what, finding.what.as_deref()) {
                (Some(row), Some(what)) => *row == what,
                _ => true,
            };
            if agree {
                found[*index] = true;
                right = true;
            }
        }
        match right {
            true => kind.right += 1,
            false => kind.wrong.push(finding.clone()),
        }
    }
    for (row, found) in truth.iter().zip(found) {
        let kind = score.kinds.entry(row.kind.clone()).or_default();
        match found {
            true => kind.found += 1,
            false => kind.missed.push(row.clone()),
        }
    }
    score
}
