//! What the judge is given, of a run or of a quarter, and what it says.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use xunjian_judge::{AccountVerdict, Facts, Notice, NoticeSite, Quarter, Ruled, notice};
use xunjian_model::{Finding, FindingState, LinkState, Outcome, Site, SiteId, SiteKind, Verdict};
use xunjian_scan::{LinkStates, NOT_IN_SNAPSHOTS, SiteInput};
use xunjian_store::{Space, StoreError};

use crate::cases::Filed;
use crate::in_order::in_order;
use crate::scanning::sites_at_once;
use crate::{Engine, EngineError, RunRecord, SiteSummary, life, run};

/// A quarter judged from what is kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuarterJudged {
    /// The facts of its notice.
    #[serde(flatten)]
    pub notice: Notice,
    /// Verdicts of the sites.
    pub verdicts: Vec<Verdict>,
    /// Verdicts of the accounts.
    pub accounts: Vec<AccountVerdict>,
    /// Sites of which no snapshot is that old.
    pub unseen: Vec<SiteId>,
    /// The findings that the notice's annexes name.
    #[serde(skip)]
    pub named: Vec<Finding>,
}

impl Engine {
    /// Judges every site and keeps the verdicts with the run; those of accounts are kept as the newest.
    pub fn judge(&self) -> Result<Vec<Verdict>, EngineError> {
        let run = self.last_run()?;
        let verdicts =
            self.sites(&run).map(|site| self.judge_site(site, &run)).collect::<Result<Vec<_>, _>>()?;
        self.keep_verdicts(&run, &verdicts)?;
        self.keep_account_verdicts(self.point(&run))?;
        Ok(verdicts)
    }

    /// Judges and counts anew, as the newest run left it, what a person has just decided something of: a site, or
    /// the accounts together.
    pub fn judge_again(&self, owner: &SiteId) -> Result<(), EngineError> {
        let Some(latest) = self.latest(owner)? else { return Ok(()) };
        let last = self.last_run()?;
        let run = match last.number == latest.run {
            true => last,
            // A run under way that has scanned it since judges and counts what it found itself.
            false if self.is_scanned(&last, owner)? => return Ok(()),
            false => match RunRecord::of(self.store(), latest.run)? {
                Some(run) => run,
                None => return Ok(()),
            },
        };
        match self.settings().sites.iter().find(|site| site.id == *owner) {
            // What the run knew of the site is forgotten where its verdict is.
            Some(site) if latest.verdict.is_some() => {
                self.keep_verdicts(&run, &[self.judge_site(site, &run)?])?;
            }
            Some(_) => return Ok(()),
            None => self.keep_account_verdicts(self.point(&run))?,
        }
        Ok(self.tally_one(&run, owner)?)
    }

    /// The same for what some findings are of.
    pub fn judge_again_for(&self, filed: &[Filed]) -> Result<(), EngineError> {
        let owners: BTreeSet<&SiteId> = filed.iter().map(|one| &one.finding.site).collect();
        owners.into_iter().try_for_each(|owner| self.judge_again(owner))
    }

    fn is_scanned(&self, run: &RunRecord, owner: &SiteId) -> Result<bool, EngineError> {
        let key = run::key(b"summary", run.number, owner);
        let summary: Option<SiteSummary> =
            self.store().get(Space::Run, &key.each_ref().map(Vec::as_slice))?;
        Ok(summary.is_some())
    }

    fn judge_site(&self, site: &Site, run: &RunRecord) -> Result<Verdict, EngineError> {
        let scanned = self.site_summary(run, &site.id)?;
        let filed = self.filed_of(&site.id)?;
        let current: Vec<Ruled<'_>> =
            filed.iter().filter(|one| one.finding.state != FindingState::Gone).map(Filed::ruled).collect();
        let facts = self.facts(site, run, &scanned, self.point(run))?;
        Ok(xunjian_judge::judge(&self.landed(site)?, &current, &facts, &self.settings().catalogue))
    }

    fn keep_verdicts(&self, run: &RunRecord, verdicts: &[Verdict]) -> Result<(), EngineError> {
        let mut batch = self.store().begin();
        for verdict in verdicts {
            let key = run::key(b"verdict", run.number, &verdict.site);
            batch.put(Space::Run, &key.each_ref().map(Vec::as_slice), verdict)?;
        }
        Ok(batch.commit()?)
    }

    fn filed_of(&self, site: &SiteId) -> Result<Vec<Filed>, EngineError> {
        let mut cases = life::cases(self.store(), site)?;
        let file = |finding: Finding| {
            let case = cases.remove(finding.id.as_str()).unwrap_or_default();
            Filed { finding, case }
        };
        Ok(life::all(self.store(), site)?.into_iter().map(file).collect())
    }

    fn facts(
        &self,
        site: &Site,
        run: &RunRecord,
        scanned: &SiteSummary,
        point: Date,
    ) -> Result<Facts, EngineError> {
        let crawl = xunjian_crawl::site_crawl(self.store(), run.number, &site.id)?;
        Ok(Facts {
            visits: crawl.visits,
            failed_visits: crawl.failed_visits,
            watched: self.watched(&site.id, point)?,
            unreachable: crawl.home.as_ref().is_some_and(LinkState::is_unreachable),
            unseen: crawl.home.is_none() && scanned.pages == 0,
            home_newest: scanned.home_newest,
            point,
            incomplete: crawl.is_incomplete(),
            columns: scanned
                .columns
                .iter()
                .map(|column| xunjian_judge::Column {
                    name: column.name.clone(),
                    url: column.url.clone(),
                    class: column.class.clone(),
                    newest: column.newest,
                    blank: column.blank,
                })
                .collect(),
            guides: scanned.guides,
            messages: scanned.messages,
            documents: scanned.documents,
            offers: scanned.offers.clone(),
            searched: self.searched(run, &site.id)?,
            newest_answer: scanned.newest_answer,
            assessments: self.assessments(&site.id, Quarter::of(point))?,
        })
    }

    pub(crate) fn site_summary(&self, run: &RunRecord, site: &SiteId) -> Result<SiteSummary, StoreError> {
        let key = run::key(b"summary", run.number, site);
        Ok(self.store().get(Space::Run, &key.each_ref().map(Vec::as_slice))?.unwrap_or_default())
    }

    /// The verdicts kept with the last run; sites never judged are judged first.
    pub(crate) fn verdicts(&self, run: &RunRecord) -> Result<Vec<Verdict>, EngineError> {
        let mut verdicts = Vec::new();
        for site in self.sites(run) {
            let key = run::key(b"verdict", run.number, &site.id);
            match self.store().get(Space::Run, &key.each_ref().map(Vec::as_slice))? {
                Some(verdict) => verdicts.push(verdict),
                None => return self.judge(),
            }
        }
        Ok(verdicts)
    }

    /// Judges a quarter from the snapshots that were there at its end, or are now if it is not over, without
    /// crawling. `point` is its monitoring point, if it is not that day; `stated` are rates that were printed.
    pub fn judge_quarter(
        &self,
        quarter: Quarter,
        point: Option<Date>,
        stated: &[(String, String)],
        each: impl Fn(&Site),
    ) -> Result<QuarterJudged, EngineError> {
        let run = self.last_run()?;
        let today = self.day(Timestamp::now());
        let point = point.unwrap_or_else(|| quarter.last().min(today));
        if quarter.first() > today {
            return Err(EngineError::QuarterToCome(quarter));
        }
        // What a site will have published by then, nobody knows.
        if point > today {
            return Err(EngineError::PointToCome(point));
        }
        let moment = self.end_of(point);
        let setup = xunjian_scan::ScanSetup {
            point,
            run_at: moment,
            as_of: Some(moment),
            ..self.scan_setup(&run, false)?
        };
        let (mut judged, mut unseen) = (Vec::new(), Vec::new());
        let scan_one = |site: &Site| {
            let own = SiteInput {
                home: Some(LinkState::Ok),
                ipv6: None,
                names: Vec::new(),
                browsers: Vec::new(),
                certificate_fault: None,
                certificate_end: None,
                ..self.site_input(&run, site)?
            };
            Ok(xunjian_scan::scan_site(self.store(), site, &own, &LinkStates::default(), &setup)?)
        };
        in_order(&self.settings().sites, sites_at_once(&setup), scan_one, |site, scan| {
            each(site);
            let filed = self.filed_of(&site.id)?;
            let was_there = |one: &Filed| one.case.was_there(moment) == Some(true);
            let down = filed
                .iter()
                .any(|one| one.finding.kind == xunjian_model::Kind::Unreachable && was_there(one));
            if scan.pages == 0 && !down {
                unseen.push(site.id.clone());
                return Ok(());
            }
            let summary = summary_of(&scan);
            let mut cases: BTreeMap<String, xunjian_model::Case> =
                filed.iter().map(|one| (one.finding.id.to_string(), one.case.clone())).collect();
            let mut then: Vec<Filed> = scan
                .findings
                .into_iter()
                .filter(|finding| !NOT_IN_SNAPSHOTS.contains(&finding.kind))
                .map(|finding| {
                    let case = cases.remove(finding.id.as_str()).unwrap_or_default();
                    Filed { finding, case }
                })
                .collect();
            // What no snapshot shows counts as it was found in the nights of the quarter.
            let found_then = |one: &&Filed| NOT_IN_SNAPSHOTS.contains(&one.finding.kind) && was_there(one);
            then.extend(filed.iter().filter(found_then).cloned());
            let facts = Facts {
                visits: 0,
                failed_visits: 0,
                unreachable: down,
                unseen: false,
                incomplete: false,
                assessments: self.assessments(&site.id, quarter)?,
                ..self.facts(site, &run, &summary, point)?
            };
            judged.push((site, then, facts));
            Ok(())
        })?;
        let catalogue = &self.settings().catalogue;
        let ruled: Vec<(&Site, Vec<Ruled<'_>>, &Facts)> = judged
            .iter()
            .map(|(site, filed, facts)| (*site, filed.iter().map(Filed::ruled).collect(), facts))
            .collect();
        let verdicts: Vec<Verdict> = ruled
            .iter()
            .map(|(site, findings, facts)| {
                Ok(xunjian_judge::judge(&self.landed(site)?, findings, facts, catalogue))
            })
            .collect::<Result<_, EngineError>>()?;
        let sites: Vec<NoticeSite<'_>> = ruled
            .iter()
            .zip(&verdicts)
            .map(|((site, findings, _), verdict)| NoticeSite { site, verdict, findings })
            .collect();
        let accounts = self.judge_accounts(point, quarter, Some(moment))?;
        let mut notice = notice(quarter, point, &sites, &accounts, stated, catalogue);
        // The register has those, too, of which nothing was seen.
        let registered = &self.settings().sites;
        notice.counts.sites = registered.len();
        notice.counts.portals = registered.iter().filter(|site| site.kind == SiteKind::Portal).count();
        notice.counts.departments = registered.len() - notice.counts.portals;
        let annexes = &notice.annexes;
        let ids = annexes.unqualified_sites.iter().flat_map(|row| row.findings.iter());
        let ids: HashSet<&str> =
            ids.chain(annexes.problem_sites.iter().map(|row| &row.finding)).map(String::as_str).collect();
        let all = judged.iter().flat_map(|(_, filed, _)| filed).map(|one| &one.finding);
        let named = all.filter(|finding| ids.contains(finding.id.as_str())).cloned().collect();
        Ok(QuarterJudged { notice, verdicts, accounts, unseen, named })
    }

    /// The last moment of a day in the zone.
    pub(crate) fn end_of(&self, day: Date) -> Timestamp {
        let end = day.at(23, 59, 59, 999_999_000);
        self.settings().zone.to_timestamp(end).unwrap_or(Timestamp::MAX)
    }

    /// Sites by result.
    pub fn count(verdicts: &[Verdict], outcome: Outcome) -> usize {
        verdicts.iter().filter(|verdict| verdict.result == outcome).count()
    }
}

/// What of a scan is kept with the run.
pub(crate) fn summary_of(scan: &xunjian_scan::SiteScan) -> SiteSummary {
    SiteSummary {
        pages: scan.pages,
        kept: scan.kept,
        text_bytes: scan.text_bytes,
        home_newest: scan.home_newest,
        columns: scan.columns.clone(),
        guides: scan.guides,
        messages: scan.messages,
        newest_answer: scan.newest_answer,
        known: scan.known.clone(),
        documents: scan.documents,
        offers: scan.offers.clone(),
        beyond: scan.beyond.iter().map(|one| one.places).sum(),
        cut: scan.cut.len() as u64,
        unread: scan.unread.len() as u64,
    }
}
