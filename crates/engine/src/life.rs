//! The life of findings between nights: new, still there, gone, relapsed; kept with their cases.

use std::collections::HashMap;
use std::ops::AddAssign;

use jiff::Timestamp;
use jiff::civil::Date;
use xunjian_model::{Case, Event, Finding, FindingId, FindingState, Rectification, Ruling, SiteId, Step};
use xunjian_store::{Batch, Space, Store, StoreError};

use crate::changes::{Change, Entry, Writer};

/// Counts of a site's findings.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lives {
    pub(crate) current: u64,
    pub(crate) new: u64,
    pub(crate) gone: u64,
}

impl AddAssign for Lives {
    fn add_assign(&mut self, other: Self) {
        self.current += other.current;
        self.new += other.new;
        self.gone += other.gone;
    }
}

/// What a check looked at, and when.
pub(crate) struct Look<'l> {
    /// The moment findings are dated by.
    pub(crate) at: Timestamp,
    /// The same as a day.
    pub(crate) day: Date,
    /// Everything in its scope was seen: what was not found is gone.
    pub(crate) complete: bool,
    /// It is a look at some findings between two nights: those that are there stay as they are.
    pub(crate) between: bool,
    /// Findings it would have found again, were they still there.
    pub(crate) scope: &'l dyn Fn(&Finding) -> bool,
    /// Whether a finding was seen now, not only in what its page showed before.
    pub(crate) seen: &'l dyn Fn(&Finding) -> bool,
}

/// Every finding ever seen of a site.
pub(crate) fn all(store: &Store, site: &SiteId) -> Result<Vec<Finding>, StoreError> {
    let rows = store.scan(Space::Finding, &[site.as_str().as_bytes(), b""]);
    rows.map(|row| row.map(|(_, finding)| finding)).collect()
}

/// Every case of a site, by its finding.
pub(crate) fn cases(store: &Store, site: &SiteId) -> Result<HashMap<String, Case>, StoreError> {
    store.scan(Space::Case, &[site.as_str().as_bytes(), b""]).collect()
}

/// Brings the kept lives up to a look. Doing it twice for one moment changes nothing.
pub(crate) fn live(
    store: &Store,
    site: &SiteId,
    found: Vec<Finding>,
    look: &Look<'_>,
) -> Result<Lives, StoreError> {
    // Begun before anything is read: what a person decides in the meantime waits, and is not written over.
    let mut batch = store.begin();
    let mut before: HashMap<FindingId, Finding> =
        all(store, site)?.into_iter().map(|finding| (finding.id.clone(), finding)).collect();
    let mut cases = cases(store, site)?;
    let mut lives = Lives::default();
    let mut log = Writer::new(store)?;
    let mut keep = |batch: &mut Batch<'_>, finding: &Finding, step: Option<Step>, changed: bool| {
        let key: [&[u8]; 2] = [site.as_str().as_bytes(), finding.id.as_str().as_bytes()];
        batch.put(Space::Finding, &key, finding)?;
        let change = match step {
            Some(Step::Found) => Some(Change::New),
            Some(Step::FoundAgain) => Some(Change::Relapsed),
            Some(Step::Gone) => Some(Change::Mended),
            _ => changed.then_some(Change::Changed),
        };
        // Nobody is told of what a person dismissed.
        let dismissed = || {
            let case = cases.get(finding.id.as_str());
            case.is_some_and(|case| case.ruling() == Some(Ruling::Dismissed))
        };
        if let Some(change) = change.filter(|_| !dismissed()) {
            let (site, id) = (site.clone(), finding.id.clone());
            log.add(batch, &Entry::Finding { at: look.at, change, site, id })?;
        }
        // What was not seen since the office said that it is mended says nothing against that.
        let seen = (look.seen)(finding);
        let reported = cases
            .get(finding.id.as_str())
            .filter(|_| seen)
            .is_some_and(|case| matches!(case.rectification, Rectification::Reported { .. }));
        if step.is_none() && !(reported && finding.state != FindingState::Gone) {
            return Ok(());
        }
        let mut case = cases.remove(finding.id.as_str()).unwrap_or_default();
        if lived(&mut case, finding, step, look) {
            batch.put(Space::Case, &key, &case)?;
            if case.rectification != Rectification::None {
                batch.put(Space::Rectification, &key, &())?;
            }
        }
        Ok::<(), StoreError>(())
    };
    for mut finding in found {
        let (mut step, mut changed) = (Some(Step::Found), false);
        if let Some(known) = before.remove(&finding.id) {
            finding.first_seen = known.first_seen;
            changed = known.severity != finding.severity
                || xunjian_scan::hit_of(&known.evidence.excerpt)
                    != xunjian_scan::hit_of(&finding.evidence.excerpt);
            if !(look.seen)(&finding) {
                finding.last_seen = known.last_seen;
            }
            (finding.state, step) = match known.state {
                FindingState::Gone => (FindingState::Relapsed, Some(Step::FoundAgain)),
                state if look.between => {
                    finding.last_seen = known.last_seen;
                    (state, None)
                }
                state if known.last_seen == look.at => (state, None),
                _ => (FindingState::Open, None),
            };
        }
        lives.current += 1;
        lives.new += u64::from(finding.state == FindingState::New);
        keep(&mut batch, &finding, step, changed)?;
    }
    for (_, mut finding) in before {
        if finding.state == FindingState::Gone || !look.complete || !(look.scope)(&finding) {
            continue;
        }
        finding.state = FindingState::Gone;
        lives.gone += 1;
        keep(&mut batch, &finding, Some(Step::Gone), false)?;
    }
    log.end(&mut batch)?;
    batch.commit()?;
    Ok(lives)
}

/// Whether the office said so before a look was made.
fn reported_before(case: &Case, at: Timestamp) -> bool {
    let said = case.history.iter().rev().find(|event| event.step == Step::Reported);
    said.is_some_and(|said| said.at < at)
}

/// What a look means for a case: its history, and how far the fault is mended. Whether anything
/// changed.
fn lived(case: &mut Case, finding: &Finding, step: Option<Step>, look: &Look<'_>) -> bool {
    let day = look.day;
    let event = |case: &mut Case, step| {
        let snapshot = finding.evidence.snapshot.clone();
        case.happened(Event { at: look.at, step, by: String::new(), note: String::new(), snapshot });
    };
    match (step, case.rectification.clone()) {
        (Some(Step::Gone), Rectification::None) => event(case, Step::Gone),
        (Some(Step::Gone), mended) => {
            case.rectification = Rectification::Closed { due: mended.due().unwrap_or(day), closed: day };
            event(case, Step::Closed);
        }
        (Some(step), Rectification::Closed { due, .. } | Rectification::Reported { due, .. }) => {
            case.rectification = Rectification::Relapsed { due, relapsed: day };
            event(case, step);
        }
        // Reported mended before this look, and there all the same.
        (None, Rectification::Reported { due, .. }) if reported_before(case, look.at) => {
            case.rectification = Rectification::Relapsed { due, relapsed: day };
            event(case, Step::StillThere);
        }
        (Some(step), _) => event(case, step),
        (None, _) => return false,
    }
    true
}
