//! What people judged of indicators that no machine can judge. It holds for its quarter: in the next one a person
//! has to look again.

use jiff::civil::Date;
use serde::Serialize;
use xunjian_judge::{AppliesTo, Indicator, Quarter, Who};
use xunjian_model::{Assessment, SiteId, Standing, Verdict};
use xunjian_store::{Space, StoreError};

use crate::cases::CaseError;
use crate::{Engine, RunRecord};

/// An assessment with the quarter it is of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assessed {
    /// Quarter, like 2026Q3.
    pub quarter: String,
    /// What was judged.
    #[serde(flatten)]
    pub assessment: Assessment,
}

impl Engine {
    /// The quarter that is judged now.
    pub fn present_quarter(&self) -> Quarter {
        Quarter::of(self.present_point())
    }

    /// The quarter in which a run judged.
    pub fn quarter_of(&self, run: u32) -> Result<Quarter, StoreError> {
        let run = RunRecord::of(self.store(), run)?;
        Ok(run.map_or_else(|| self.present_quarter(), |run| Quarter::of(self.point(&run))))
    }

    /// The indicators of a verdict that a person has to judge. Those with findings of their own are decided by these.
    pub fn open_indicators<'e>(&'e self, verdict: &'e Verdict) -> impl Iterator<Item = &'e Indicator> {
        let open = verdict.indicators.iter().filter(|row| row.standing == Standing::Open);
        open.filter_map(|row| {
            let indicator = self.settings().catalogue.indicator(&row.indicator)?;
            (indicator.who == Who::Person || row.findings.is_empty()).then_some(indicator)
        })
    }

    /// What people judged of a site in a quarter, the newest last.
    pub fn assessments(&self, site: &SiteId, quarter: Quarter) -> Result<Vec<Assessment>, StoreError> {
        self.assessed(Space::Assessment, &[site.as_str().as_bytes(), b""], quarter)
    }

    /// The same of an account.
    pub fn account_assessments(
        &self,
        account: &str,
        quarter: Quarter,
    ) -> Result<Vec<Assessment>, StoreError> {
        self.assessed(Space::Media, &[b"assessment", account.as_bytes(), b""], quarter)
    }

    /// What people last judged of an indicator of a site before a quarter.
    pub fn assessed_before(
        &self,
        site: &SiteId,
        indicator: &str,
        quarter: Quarter,
    ) -> Result<Option<Assessed>, StoreError> {
        let mut last: Option<(Quarter, Assessment)> = None;
        for row in self.store().scan(Space::Assessment, &[site.as_str().as_bytes(), b""]) {
            let (key, assessment): (String, Assessment) = row?;
            let own = quarter_of(&key, self.day(assessment.at));
            let newer = last.as_ref().is_none_or(|(known, last)| (*known, last.at) < (own, assessment.at));
            if assessment.indicator == indicator && own < quarter && newer {
                last = Some((own, assessment));
            }
        }
        Ok(last.map(|(quarter, assessment)| Assessed { quarter: quarter.to_string(), assessment }))
    }

    /// Keeps what a person judged of an indicator of a site in a quarter.
    pub fn assess(&self, site: &SiteId, quarter: Quarter, assessment: &Assessment) -> Result<(), CaseError> {
        let known = self.settings().catalogue.indicator(&assessment.indicator);
        let Some(indicator) = known else {
            return Err(CaseError::Indicator(format!("there is no indicator {:?}", assessment.indicator)));
        };
        let most = indicator.points.unwrap_or(1.0);
        if !(0.0..=most).contains(&assessment.points) {
            return Err(CaseError::Indicator(format!(
                "{} takes 0 to {most} points, not {}",
                indicator.id, assessment.points
            )));
        }
        if !self.settings().sites.iter().any(|own| own.id == *site) {
            return Err(CaseError::Indicator(format!("there is no site {site} in the register")));
        }
        self.keep(Space::Assessment, &[site.as_str().as_bytes()], quarter, assessment)
    }

    /// The same of an account: 1 is a veto, 0 is none.
    pub fn assess_account(
        &self,
        account: &str,
        quarter: Quarter,
        assessment: &Assessment,
    ) -> Result<(), CaseError> {
        if !self.accounts()?.iter().any(|known| known.key() == account) {
            return Err(CaseError::Indicator(format!("there is no account {account:?} in the ledger")));
        }
        let id = &assessment.indicator;
        let known = self.settings().catalogue.indicator(id);
        if !known.is_some_and(|one| one.applies_to.contains(&AppliesTo::Media)) {
            return Err(CaseError::Indicator(format!("{id:?} is no indicator of accounts")));
        }
        if ![0.0, 1.0].contains(&assessment.points) {
            let points = assessment.points;
            return Err(CaseError::Indicator(format!("{id} of an account is 1 or 0, not {points}")));
        }
        self.keep(Space::Media, &[b"assessment", account.as_bytes()], quarter, assessment)
    }

    fn keep(
        &self,
        space: Space,
        of: &[&[u8]],
        quarter: Quarter,
        assessment: &Assessment,
    ) -> Result<(), CaseError> {
        if assessment.by.trim().is_empty() || assessment.note.trim().is_empty() {
            return Err(CaseError::Unjudged);
        }
        let quarter = quarter.to_string();
        let key = [of, &[assessment.indicator.as_bytes(), quarter.as_bytes()]].concat();
        let mut batch = self.store().begin();
        batch.put(space, &key, assessment)?;
        Ok(batch.commit()?)
    }

    fn assessed(
        &self,
        space: Space,
        prefix: &[&[u8]],
        quarter: Quarter,
    ) -> Result<Vec<Assessment>, StoreError> {
        let mut kept = Vec::new();
        for row in self.store().scan(space, prefix) {
            let (key, assessment): (String, Assessment) = row?;
            if quarter_of(&key, self.day(assessment.at)) == quarter {
                kept.push(assessment);
            }
        }
        kept.sort_by_key(|one| one.at);
        Ok(kept)
    }
}

/// The quarter of an assessment that was made on a day and is kept under a key. The keys of earlier versions do not
/// name the quarter: there it is that of the day.
fn quarter_of(key: &str, day: Date) -> Quarter {
    let named = key.split_once('\0').and_then(|(_, quarter)| quarter.parse().ok());
    named.unwrap_or_else(|| Quarter::of(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assessment_is_of_the_quarter_it_names_else_of_its_day() {
        let day = jiff::civil::date(2026, 10, 1);
        assert_eq!(quarter_of("D19\u{0}2026Q3", day).to_string(), "2026Q3");
        assert_eq!(quarter_of("D19", day).to_string(), "2026Q4");
        let first = [(1, 1), (3, 31), (4, 1), (6, 30), (7, 1), (9, 30), (10, 1), (12, 31)];
        let quarters = first.map(|(month, day)| Quarter::of(jiff::civil::date(2026, month, day)).to_string());
        assert_eq!(quarters.join(" "), "2026Q1 2026Q1 2026Q2 2026Q2 2026Q3 2026Q3 2026Q4 2026Q4");
    }
}
