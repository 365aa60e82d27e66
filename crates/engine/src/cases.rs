//! What people do about findings: decide, assign, notify, report mended.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use xunjian_judge::{Ruled, UnknownYear};
use xunjian_model::{
    Case, Decision, Event, Finding, FindingState, Kind, Rectification, Ruling, SiteId, Step,
};
use xunjian_store::{Space, StoreError};

use crate::{Engine, life};

/// Why something could not be done about a finding.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such finding.
    #[error("there is no finding {0}; `xunjian findings list` shows those there are")]
    Unknown(String),
    /// Several findings begin so.
    #[error("{0} is the beginning of several findings: give more of it")]
    Ambiguous(String),
    /// It is not there any more.
    #[error(
        "finding {id} is gone since the run after {last_seen}: there is nothing to decide; `xunjian findings show {id}` tells its history"
    )]
    Gone {
        /// The finding.
        id: String,
        /// When it was last seen.
        last_seen: Timestamp,
    },
    /// Somebody decided already.
    #[error(
        "{by} has {ruling} finding {id} already, at {at}: {reason:?}; to change that, look at it again and add --revise"
    )]
    Decided {
        /// The finding.
        id: String,
        /// Who.
        by: String,
        /// What.
        ruling: &'static str,
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// Somebody changed the case in the meantime.
    #[error(
        "finding {id} was changed by somebody else in the meantime (revision {is}, not {wanted}): look at it again"
    )]
    Changed {
        /// The finding.
        id: String,
        /// Its revision.
        is: u32,
        /// The one that was seen.
        wanted: u32,
    },
    /// Nobody is named who decides.
    #[error("say who decides")]
    Nobody,
    /// A dismissal without a reason.
    #[error("a dismissal needs a reason")]
    Unreasoned,
    /// Somebody or a reason is missing to judge an indicator.
    #[error("say who judges and why")]
    Unjudged,
    /// A time limit that ends before it begins.
    #[error("the last day lies before the notice")]
    DueBeforeNotice,
    /// It is not at that stage.
    #[error("finding {id} is {stage}: {reason}")]
    Stage {
        /// The finding.
        id: String,
        /// Where it is.
        stage: &'static str,
        /// Why that does not fit.
        reason: &'static str,
    },
    /// The working days cannot be counted.
    #[error(transparent)]
    Year(#[from] UnknownYear),
    /// There is no such indicator for a person.
    #[error("{0}")]
    Indicator(String),
}

/// Which findings are wanted; empty lists are all.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Ids, or their beginnings.
    pub ids: Vec<String>,
    /// Sites.
    pub sites: Vec<SiteId>,
    /// Kinds.
    pub kinds: Vec<Kind>,
    /// Only those that wait for a person.
    pub queue: bool,
    /// Only those whose time to be mended is over on this day.
    pub overdue: Option<Date>,
    /// Only those at this stage of being mended.
    pub stage: Option<String>,
    /// Only those that a person looks after.
    pub assigned: Option<String>,
    /// Also those that are gone.
    pub gone: bool,
    /// Only those whose words, page or title hold this.
    pub text: Option<String>,
}

/// A finding with its case.
#[derive(Clone, Debug, Serialize)]
pub struct Filed {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// What was done about it.
    pub case: Case,
}

impl Filed {
    /// The finding with what was ruled.
    pub fn ruled(&self) -> Ruled<'_> {
        Ruled { finding: &self.finding, ruling: self.case.ruling() }
    }
}

/// What a person does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Says that it is a fault, or none.
    Rule(Ruling),
    /// Gives it to somebody.
    Assign(String),
    /// Tells the office; the last day to mend it, if it is not so many working days later.
    Notify {
        /// Day of the notice.
        on: Date,
        /// Last day.
        due: Option<Date>,
    },
    /// Writes down that the office says it is mended.
    Report {
        /// Day of the report.
        on: Date,
    },
}

/// Who does it, and why.
#[derive(Clone, Debug)]
pub struct Hand {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The revision that was seen; something else in the meantime is a conflict.
    pub revision: Option<u32>,
    /// Change what was decided before.
    pub revise: bool,
}

/// A phrase that people dismissed, and the rule that would keep it from being found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// Kind.
    pub kind: Kind,
    /// The word that was found.
    pub what: String,
    /// How often it was dismissed.
    pub dismissed: usize,
    /// The phrases around it.
    pub allow: Vec<String>,
    /// A dictionary file that allows them.
    pub dictionary: String,
}

impl Engine {
    /// Findings with their cases, sorted by site and id.
    pub fn filed(&self, wanted: &Wanted) -> Result<Vec<Filed>, StoreError> {
        let mut filed = Vec::new();
        for site in self.finding_owners() {
            if !wanted.sites.is_empty() && !wanted.sites.contains(&site) {
                continue;
            }
            let mut cases = life::cases(self.store(), &site)?;
            for finding in life::all(self.store(), &site)? {
                let case = cases.remove(finding.id.as_str()).unwrap_or_default();
                let one = Filed { finding, case };
                if fits(&one, wanted) {
                    filed.push(one);
                }
            }
        }
        Ok(filed)
    }

    /// Whose findings there are: sites of the register, and the accounts together.
    pub fn finding_owners(&self) -> Vec<SiteId> {
        let own = self.settings().sites.iter().map(|site| site.id.clone());
        own.chain(crate::accounts::media_owner()).collect()
    }

    /// Does something about each of some findings; all of them or none. Answers with them as they are
    /// now.
    pub fn act(&self, ids: &[String], action: &Action, hand: &Hand) -> Result<Vec<Filed>, CaseError> {
        if hand.by.trim().is_empty() {
            return Err(CaseError::Nobody);
        }
        if matches!(action, Action::Rule(Ruling::Dismissed)) && hand.reason.trim().is_empty() {
            return Err(CaseError::Unreasoned);
        }
        let at = xunjian_model::kept_moment(Timestamp::now());
        // Whoever writes holds the store's one batch, so that nobody decides between the look and the word.
        let mut batch = self.store().begin();
        let mut done = Vec::new();
        for id in ids {
            let mut filed = self.find(id)?;
            self.apply(&mut filed, action, hand, at)?;
            let key: [&[u8]; 2] =
                [filed.finding.site.as_str().as_bytes(), filed.finding.id.as_str().as_bytes()];
            batch.put(Space::Case, &key, &filed.case)?;
            if filed.case.rectification != Rectification::None {
                batch.put(Space::Rectification, &key, &())?;
            }
            done.push(filed);
        }
        batch.commit()?;
        Ok(done)
    }

    /// The finding of a site with this very id, with its case.
    pub fn filed_one(&self, site: &SiteId, id: &str) -> Result<Option<Filed>, StoreError> {
        let key: [&[u8]; 2] = [site.as_str().as_bytes(), id.as_bytes()];
        let Some(finding) = self.store().get(Space::Finding, &key)? else { return Ok(None) };
        Ok(Some(Filed { finding, case: self.store().get(Space::Case, &key)?.unwrap_or_default() }))
    }

    /// The finding whose id is this or begins so, with its case.
    pub fn find(&self, id: &str) -> Result<Filed, CaseError> {
        let mut found = None;
        for site in self.finding_owners() {
            let key: [&[u8]; 2] = [site.as_str().as_bytes(), id.as_bytes()];
            for row in self.store().scan::<Finding>(Space::Finding, &key) {
                let (_, finding) = row?;
                if found.is_some() {
                    return Err(CaseError::Ambiguous(id.to_owned()));
                }
                let key: [&[u8]; 2] = [site.as_str().as_bytes(), finding.id.as_str().as_bytes()];
                let case = self.store().get(Space::Case, &key)?.unwrap_or_default();
                found = Some(Filed { finding, case });
            }
        }
        found.filter(|_| !id.is_empty()).ok_or_else(|| CaseError::Unknown(id.to_owned()))
    }

    fn apply(&self, filed: &mut Filed, action: &Action, hand: &Hand, at: Timestamp) -> Result<(), CaseError> {
        let Filed { finding, case } = filed;
        let id = finding.id.to_string();
        if let Some(wanted) = hand.revision.filter(|wanted| *wanted != case.revision) {
            return Err(CaseError::Changed { id, is: case.revision, wanted });
        }
        if finding.state == FindingState::Gone && !matches!(action, Action::Report { .. }) {
            return Err(CaseError::Gone { id, last_seen: finding.last_seen });
        }
        let stage = case.rectification.as_str();
        let (step, note) = match action {
            Action::Rule(ruling) => {
                if let Some(known) =
                    case.decision.as_ref().filter(|known| known.ruling != *ruling && !hand.revise)
                {
                    return Err(CaseError::Decided {
                        id,
                        by: known.by.clone(),
                        ruling: known.ruling.as_str(),
                        at: known.at,
                        reason: known.reason.clone(),
                    });
                }
                let (by, reason) = (hand.by.clone(), hand.reason.clone());
                case.decision = Some(Decision { ruling: *ruling, by, at, reason });
                let step = match ruling {
                    Ruling::Confirmed => Step::Confirmed,
                    Ruling::Dismissed => Step::Dismissed,
                };
                (step, hand.reason.clone())
            }
            Action::Assign(to) => {
                case.assigned = Some(to.clone()).filter(|to| !to.is_empty());
                (Step::Assigned, to.clone())
            }
            Action::Notify { on, due } => {
                if case.ruling() == Some(Ruling::Dismissed) {
                    return Err(CaseError::Stage { id, stage: "dismissed", reason: "nobody is told of it" });
                }
                let days = self.settings().catalogue.rectification.working_days;
                let due = match due {
                    Some(due) if due < on => {
                        return Err(CaseError::DueBeforeNotice);
                    }
                    Some(due) => *due,
                    None => self.settings().calendar.after(*on, days)?,
                };
                case.rectification = Rectification::Notified { on: *on, due };
                (Step::Notified, format!("{on} → {due} {}", hand.reason).trim_end().to_owned())
            }
            Action::Report { on } => match case.rectification {
                Rectification::Notified { on: told, due } => {
                    case.rectification = Rectification::Reported { on: told, due, reported: *on };
                    (Step::Reported, hand.reason.clone())
                }
                Rectification::Relapsed { due, relapsed } => {
                    case.rectification = Rectification::Reported { on: relapsed, due, reported: *on };
                    (Step::Reported, hand.reason.clone())
                }
                _ => {
                    let reason = "only a fault whose office was notified can be reported mended";
                    return Err(CaseError::Stage { id, stage, reason });
                }
            },
        };
        case.happened(Event {
            at,
            step,
            by: hand.by.clone(),
            note,
            snapshot: finding.evidence.snapshot.clone(),
        });
        Ok(())
    }

    /// Rules for dictionaries, from words that people dismissed.
    pub fn proposals(&self) -> Result<Vec<Proposal>, StoreError> {
        const WORDS: [Kind; 5] =
            [Kind::Typo, Kind::OutdatedName, Kind::SensitiveWord, Kind::SpamInjection, Kind::PlaceholderText];
        let wanted = Wanted { kinds: WORDS.to_vec(), gone: true, ..Wanted::default() };
        let mut groups: BTreeMap<(Kind, String), Vec<String>> = BTreeMap::new();
        for one in self.filed(&wanted)? {
            if one.case.ruling() == Some(Ruling::Dismissed) {
                let phrase = phrase_of(&one.finding.evidence.excerpt);
                groups.entry((one.finding.kind, one.finding.what().to_owned())).or_default().push(phrase);
            }
        }
        let proposal = |((kind, what), mut allow): ((Kind, String), Vec<String>)| {
            let dismissed = allow.len();
            allow.sort();
            allow.dedup();
            allow.retain(|phrase| !phrase.is_empty() && *phrase != what);
            let list: Vec<String> = allow.iter().map(|phrase| format!("{phrase:?}")).collect();
            let dictionary = match list.is_empty() {
                true => String::new(),
                false => format!("# 「{what}」\nallow = [{}]\n", list.join(", ")),
            };
            Proposal { kind, what, dismissed, allow, dictionary }
        };
        Ok(groups.into_iter().map(proposal).collect())
    }
}

fn fits(one: &Filed, wanted: &Wanted) -> bool {
    let Filed { finding, case } = one;
    let text = |text: &String| {
        [finding.what(), &finding.url, &finding.title, &finding.evidence.excerpt]
            .iter()
            .any(|own| own.contains(text.as_str()))
    };
    (wanted.gone
        || finding.state != FindingState::Gone
        || matches!(case.rectification, Rectification::Closed { .. }) && wanted.stage.is_some())
        && (wanted.ids.is_empty() || wanted.ids.iter().any(|id| finding.id.as_str().starts_with(id.as_str())))
        && (wanted.kinds.is_empty() || wanted.kinds.contains(&finding.kind))
        && (!wanted.queue || one.ruled().waits())
        && wanted.overdue.is_none_or(|today| case.rectification.is_overdue(today))
        && wanted.stage.as_deref().is_none_or(|stage| case.rectification.as_str() == stage)
        && wanted.assigned.as_deref().is_none_or(|name| case.assigned.as_deref() == Some(name))
        && wanted.text.as_ref().is_none_or(text)
}

/// The words around a hit, up to the next mark of punctuation: what may be written as it is.
fn phrase_of(excerpt: &str) -> String {
    const AROUND: usize = 6;
    let Some((before, rest)) = excerpt.split_once('⟦') else { return String::new() };
    let Some((hit, after)) = rest.split_once('⟧') else { return String::new() };
    let word = |c: &char| c.is_alphanumeric();
    let mut head: Vec<char> = before.chars().rev().take_while(word).take(AROUND).collect();
    head.reverse();
    let tail: String = after.chars().take_while(word).take(AROUND).collect();
    format!("{}{hit}{tail}", head.into_iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phrase_around_a_hit_ends_at_punctuation() {
        assert_eq!(phrase_of("今年，台风⟦登陆⟧沿海地区，风力减弱"), "台风登陆沿海地区");
        assert_eq!(phrase_of("⟦登陆⟧"), "登陆");
        assert_eq!(phrase_of("没有"), "");
    }
}
