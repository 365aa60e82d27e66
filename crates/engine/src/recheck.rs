//! Looks at single findings again: fetches just their pages, scans, and closes or reopens them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use xunjian_crawl::{CrawlEnd, Progress, StopSignal};
use xunjian_fetch::Fetcher;
use xunjian_model::{Finding, FindingId, Kind, LinkState, SiteId};
use xunjian_scan::{LinkStates, Untold};

use crate::cases::Filed;
use crate::{Engine, EngineError, RunRecord, changes, life};

/// What became of the findings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rechecked {
    /// Pages and links that were asked for again.
    pub fetched: usize,
    /// Findings that are gone.
    pub mended: Vec<String>,
    /// Findings that are there.
    pub still_there: Vec<String>,
    /// Findings nothing can be said of: what only a whole night can tell (accounts, a site's search, its names and
    /// addresses), pages that did not answer now, and what stands at more places than are told.
    pub not_checked: Vec<String>,
}

/// Kinds that no page shows.
const OTHERS: [Kind; 5] =
    [Kind::MediaStale, Kind::MediaZombie, Kind::SearchMiss, Kind::SeveralNames, Kind::NoIpv6];

impl Engine {
    /// Looks at findings again.
    pub async fn recheck(&self, filed: &[Filed], stop: StopSignal) -> Result<Rechecked, EngineError> {
        let run = self.last_run()?;
        let mut result = Rechecked::default();
        let mut by_site: BTreeMap<SiteId, Vec<&Finding>> = BTreeMap::new();
        let mut wanted: BTreeSet<(Option<SiteId>, String)> = BTreeSet::new();
        for Filed { finding, .. } in filed {
            let site = self.settings().sites.iter().find(|site| site.id == finding.site);
            let Some(site) =
                site.filter(|_| !OTHERS.contains(&finding.kind) && !finding.detail.contains_key("account"))
            else {
                result.not_checked.push(finding.id.to_string());
                continue;
            };
            by_site.entry(site.id.clone()).or_default().push(finding);
            wanted.insert((Some(site.id.clone()), finding.url.clone()));
            // A link is as good as what it leads to; checks of columns begin at the home page.
            wanted.insert((Some(site.id.clone()), site.url.to_string()));
            wanted.insert((Some(site.id.clone()), self.landed(site)?.url.into()));
            let what = finding.what();
            if what.starts_with("http") {
                let owner =
                    self.settings().sites.iter().find(|site| {
                        xunjian_model::PageUrl::parse(what).is_ok_and(|url| site.in_scope(&url))
                    });
                wanted.insert((owner.map(|site| site.id.clone()), what.to_owned()));
            }
            for name in ["document", "interpretation"] {
                if let Some(other) = finding.detail.get(name) {
                    wanted.insert((Some(site.id.clone()), other.clone()));
                }
            }
        }
        if by_site.is_empty() {
            return Ok(result);
        }
        let wanted: Vec<_> = wanted.into_iter().collect();
        result.fetched = xunjian_crawl::queue_again(self.store(), &wanted)?;
        let now = || xunjian_model::kept_moment(Timestamp::now());
        let begun = now();
        self.fetch_again(&run, stop).await?;
        self.note_withdrawn(&by_site, begun)?;
        self.scan_again(&run, &by_site, (begun, now()), &mut result)?;
        Ok(result)
    }

    async fn fetch_again(&self, run: &RunRecord, stop: StopSignal) -> Result<(), EngineError> {
        let mut setup = xunjian_crawl::CrawlSetup { follow: false, ..self.crawl_setup(run)? };
        // A person asks now; the hours of the night are for the night.
        setup.politeness.window = None;
        // And knows whether the line is well; most of what is asked for may be dead.
        setup.limits.line_patience = std::time::Duration::ZERO;
        let fetcher = Fetcher::new(self.settings().fetch.clone(), &self.settings().network)?;
        let store = Arc::clone(self.store());
        let end = xunjian_crawl::crawl(store, fetcher, setup, Arc::new(Progress::default()), stop).await?;
        self.not_halted(end)?;
        match end {
            CrawlEnd::Stopped => Err(EngineError::Unfinished("stopped; look at the findings again later")),
            _ => Ok(()),
        }
    }

    /// Notes pages that were withdrawn: their host answers, but with 403 or the like for them. In a night that may be
    /// because we ask for much; for the few pages of a recheck it is what every reader gets.
    fn note_withdrawn(
        &self,
        by_site: &BTreeMap<SiteId, Vec<&Finding>>,
        since: Timestamp,
    ) -> Result<(), EngineError> {
        let mut batch = self.store().begin();
        for site in self.settings().sites.iter().filter(|site| by_site.contains_key(&site.id)) {
            let record = |url: &str| {
                let record = self.store().url(Some(&site.id), url)?;
                Ok::<_, EngineError>(record.filter(|one| one.checked_at.is_some_and(|at| at >= since)))
            };
            if record(site.url.as_str())?.is_none_or(|home| home.state != Some(LinkState::Ok)) {
                continue;
            }
            for finding in &by_site[&site.id] {
                let Some(mut page) = record(&finding.url)? else { continue };
                if page.gone_since.is_none() && page.state.as_ref().is_some_and(LinkState::turns_us_away) {
                    page.gone_since = page.checked_at;
                    batch.put_url(Some(&site.id), &finding.url, &page)?;
                }
            }
        }
        Ok(batch.commit()?)
    }

    /// Whether a finding's page was seen since a moment, or is known to be gone. What did not answer tells
    /// nothing, least of all that a fault is mended.
    fn was_seen(&self, finding: &Finding, since: Timestamp) -> Result<bool, EngineError> {
        if finding.kind == Kind::Unreachable {
            return Ok(true);
        }
        let record = self.store().url(Some(&finding.site), &finding.url)?;
        Ok(record.is_some_and(|record| {
            let known =
                record.gone_since.is_some() || record.state.as_ref().is_some_and(|one| !one.is_unknown());
            known && record.checked_at.is_some_and(|at| at >= since)
        }))
    }

    fn scan_again(
        &self,
        run: &RunRecord,
        by_site: &BTreeMap<SiteId, Vec<&Finding>>,
        (begun, at): (Timestamp, Timestamp),
        result: &mut Rechecked,
    ) -> Result<(), EngineError> {
        let point = self.day(self.settings().monitoring_point.unwrap_or(at));
        let setup = xunjian_scan::ScanSetup { run_at: at, point, ..self.scan_setup(run, false)? };
        let sites = self.settings().sites.iter().map(|site| &site.id);
        let states = LinkStates::read(self.store(), (sites, run.extras.reaches_outside()), &setup.pool)?;
        for site in self.settings().sites.iter().filter(|site| by_site.contains_key(&site.id)) {
            let input = self.site_input(run, site)?;
            let mut scan = xunjian_scan::scan_site(self.store(), site, &input, &states, &setup)?;
            let found = std::mem::take(&mut scan.findings);
            let untold = Untold::of(&scan, self.store(), (site, &input), &states);
            let told: HashSet<FindingId> = found.iter().map(|finding| finding.id.clone()).collect();
            let mut asked: BTreeSet<&FindingId> = BTreeSet::new();
            for finding in &by_site[&site.id] {
                let may_be_there = !told.contains(&finding.id) && untold.has(finding);
                match self.was_seen(finding, begun)? && !may_be_there {
                    true => _ = asked.insert(&finding.id),
                    false => result.not_checked.push(finding.id.to_string()),
                }
            }
            let found: Vec<Finding> =
                found.into_iter().filter(|finding| asked.contains(&finding.id)).collect();
            for id in asked.iter().copied() {
                let list = if told.contains(id) { &mut result.still_there } else { &mut result.mended };
                list.push(id.to_string());
            }
            let scope = |finding: &Finding| asked.contains(&finding.id);
            let (day, seen) = (self.day(at), |_: &Finding| true);
            let look = life::Look { at, day, complete: true, between: true, scope: &scope, seen: &seen };
            life::live(self.store(), &site.id, found, &look)?;
        }
        Ok(changes::end_look(self.store(), at, run.number)?)
    }
}
