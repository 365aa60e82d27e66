//! The scan of a run: every site's findings, brought up to date.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use xunjian_crawl::SiteLearnt;
use xunjian_dict::Matcher;
use xunjian_model::{Finding, HostRecord, Kind, LinkState, Offer, Site, SiteId};
use xunjian_scan::{
    Beyond, ColumnClass, ColumnReport, KnownPage, LinkStates, Overdue, ScanSetup, SiteInput, Standing,
    Untold, Vocabularies,
};
use xunjian_store::{Space, StoreError};

use crate::in_order::in_order;
use crate::run::{self, RunRecord};
use crate::{Engine, EngineError, judging, life};

/// Sites that are scanned at once: while one thread puts a site together, the others read the next one's pages.
const SITES_AT_ONCE: usize = 2;

/// How many a scan looks at: no more than it has threads.
pub(crate) fn sites_at_once(setup: &ScanSetup) -> usize {
    setup.pool.current_num_threads().min(SITES_AT_ONCE)
}

/// Kinds that other steps look for than the scan.
const NOT_OF_THE_SCAN: [Kind; 3] = [Kind::SearchMiss, Kind::MediaStale, Kind::MediaZombie];

/// Kinds that are looked for when a crawl is over.
const AFTER_THE_CRAWL: [Kind; 2] = [Kind::SeveralNames, Kind::NoIpv6];

/// What a site's scan leaves for the judge and the report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteSummary {
    /// Pages looked at.
    pub pages: u64,
    /// Of them, those whose kept digest was used.
    pub kept: u64,
    /// Bytes of text read anew.
    pub text_bytes: u64,
    /// Newest dated item on the home page.
    pub home_newest: Option<Date>,
    /// Columns.
    pub columns: Vec<ColumnReport>,
    /// Service guides.
    pub guides: u64,
    /// Messages that are shown.
    pub messages: u64,
    /// Newest day one was answered.
    pub newest_answer: Option<Date>,
    /// Pages to ask the site's search for.
    pub known: Vec<KnownPage>,
    /// Policy documents of the window that is looked at.
    pub documents: u64,
    /// What a rule asks for and was found.
    pub offers: Vec<Offer>,
    /// Places of faults that are no findings of their own, since there are too many of the same.
    pub beyond: u64,
    /// Pages with so many findings that they were not looked at to the end.
    pub cut: u64,
    /// Pages of which nothing is known, since what looks at them has a fault.
    pub unread: u64,
}

/// Words, links and labels that a scan's summary names of those that stand at too many places.
const MOST_BEYOND: usize = 10;

/// What a scan found, in counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ScanSummary {
    /// Pages looked at.
    pub pages: u64,
    /// Of them, those whose kept digest was used.
    pub kept: u64,
    /// Bytes of text read anew.
    pub text_bytes: u64,
    /// Findings seen in this run.
    pub findings: u64,
    /// Of these, first seen in this run.
    pub new: u64,
    /// Seen before and gone now.
    pub gone: u64,
    /// Places of faults that are no findings of their own, since there are too many of the same.
    pub beyond: u64,
    /// The most of them by site.
    pub most_beyond: Vec<SiteBeyond>,
}

/// A word, link or label that stands at more places of a site than are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SiteBeyond {
    /// The site.
    pub site: SiteId,
    /// What, and how often.
    #[serde(flatten)]
    pub beyond: Beyond,
}

impl Engine {
    /// Scans every site of the last run; `each` is told of each site that is done. `fresh` looks
    /// at every page again, also where what was found before still holds.
    pub fn scan(&self, fresh: bool, each: impl Fn(&Site) + Sync) -> Result<ScanSummary, EngineError> {
        self.store.has_room()?;
        let run = self.last_run()?;
        let setup = self.scan_setup(&run, fresh)?;
        let sites = self.settings.sites.iter().map(|site| &site.id);
        let states = LinkStates::read(&self.store, (sites, run.extras.reaches_outside()), &setup.pool)?;
        let (mut total, mut lives) = (ScanSummary::default(), life::Lives::default());
        let sites: Vec<&Site> = self.sites(&run).collect();
        let scan_one = |site: &&Site| {
            self.store.has_room()?;
            let input = self.site_input(&run, site)?;
            let scan = xunjian_scan::scan_site(&self.store, site, &input, &states, &setup)?;
            Ok((input, scan))
        };
        in_order(&sites, sites_at_once(&setup), scan_one, |site, (input, mut scan)| {
            let crawl = xunjian_crawl::site_crawl(&self.store, run.number, &site.id)?;
            let whole = run.crawl.finished && !crawl.is_incomplete();
            // The scan of a site that did not open tells nothing but that.
            let complete = !crawl.home.as_ref().is_some_and(LinkState::is_unreachable);
            let summary = judging::summary_of(&scan);
            let found = std::mem::take(&mut scan.findings);
            for url in &scan.unread {
                tracing::error!(site = %site.id, url, "not looked at: xunjian has a fault here, please tell its makers");
            }
            let untold = Untold::of(&scan, &self.store, (site, &input), &states);
            let scope = |finding: &Finding| {
                let kind = &finding.kind;
                !NOT_OF_THE_SCAN.contains(kind)
                    && !crawl.unknown.contains(kind)
                    && (run.crawl.finished || !AFTER_THE_CRAWL.contains(kind))
                    && (whole || self.was_visited(finding, &run))
                    && !untold.has(finding)
            };
            let (at, day) = (run.started_at, self.day(run.started_at));
            let seen = |finding: &Finding| untold.was_seen(finding);
            let look = life::Look { at, day, complete, between: false, scope: &scope, seen: &seen };
            lives += life::live(&self.store, &site.id, found, &look)?;
            total.pages += summary.pages;
            total.kept += summary.kept;
            total.text_bytes += summary.text_bytes;
            total.beyond += summary.beyond;
            let most = scan.beyond.iter().take(MOST_BEYOND).cloned();
            total.most_beyond.extend(most.map(|beyond| SiteBeyond { site: site.id.clone(), beyond }));
            let mut batch = self.store.begin();
            batch.put(
                Space::Run,
                &run::key(b"summary", run.number, &site.id).each_ref().map(Vec::as_slice),
                &summary,
            )?;
            batch.commit()?;
            each(site);
            Ok(())
        })?;
        self.take_tables()?;
        total.most_beyond.sort_by_key(|one| std::cmp::Reverse(one.beyond.places));
        total.most_beyond.truncate(MOST_BEYOND);
        lives += self.scan_media(self.point(&run), run.started_at)?;
        (total.findings, total.new, total.gone) = (lives.current, lives.new, lives.gone);
        Ok(total)
    }

    /// Whether a finding's page was visited in a run.
    fn was_visited(&self, finding: &Finding, run: &RunRecord) -> bool {
        // What cannot be read was not seen.
        let record = self.store.url(Some(&finding.site), &finding.url).ok().flatten();
        record.is_some_and(|record| record.run == run.number && record.left_out.is_none())
    }

    /// What a scan of a run is made with.
    pub(crate) fn scan_setup(&self, run: &RunRecord, fresh: bool) -> Result<ScanSetup, EngineError> {
        let settings = &self.settings;
        let catalogue = &settings.catalogue;
        let classes = catalogue.classes.iter().map(|class| ColumnClass {
            id: class.id.clone(),
            words: class.words.clone(),
            max_age: class.max_age(),
        });
        let point = self.point(run);
        Ok(ScanSetup {
            matcher: Matcher::new(&settings.dictionaries)?,
            typo_model: settings.typo_model.clone(),
            point,
            run_at: run.started_at,
            home_age: catalogue.home_days().days(),
            classes: classes.collect(),
            documents_age: catalogue
                .indicator("D5")
                .and_then(|one| one.span())
                .unwrap_or_else(|| 12.months()),
            overdue: self.overdue(point),
            as_of: None,
            page: settings.page,
            findings: settings.findings,
            fresh,
            pool: self.pool()?,
            vocabularies: Vocabularies::default(),
        })
    }

    /// Whether a message took too long: unanswered, or answered within the window, after more working
    /// days than the catalogue allows. In a year whose holidays are not known, three weeks.
    fn overdue(&self, point: Date) -> Overdue {
        const UNKNOWN_YEAR_DAYS: i32 = 21;
        let indicator = self.settings.catalogue.indicator("D12");
        let days = indicator.and_then(|one| one.limit_working_days).unwrap_or(15);
        let window = indicator.and_then(|one| one.span()).unwrap_or_else(|| 12.months());
        let begin = point.saturating_sub(window);
        let calendar = self.settings.calendar.clone();
        let newest = calendar.before(point, days);
        if let Err(error) = &newest {
            tracing::warn!(%error, "working days are counted as three weeks");
        }
        let newest = newest.unwrap_or_else(|_| point.saturating_sub(UNKNOWN_YEAR_DAYS.days()));
        Overdue(Arc::new(move |asked, answered| match answered {
            None => asked <= newest,
            Some(answered) if asked < begin || answered <= asked => false,
            Some(answered) => match calendar.between(asked, answered) {
                Ok(worked) => worked > days,
                Err(_) => answered > asked.saturating_add(UNKNOWN_YEAR_DAYS.days()),
            },
        }))
    }

    pub(crate) fn site_input(&self, run: &RunRecord, site: &Site) -> Result<SiteInput, EngineError> {
        let crawl = xunjian_crawl::site_crawl(&self.store, run.number, &site.id)?;
        Ok(SiteInput {
            landing: self.landed(site)?.url,
            home: crawl.home,
            ipv6: crawl.ipv6,
            names: crawl.names,
            browsers: crawl.browsers,
            certificate_fault: self.certificate_fault(site)?,
            certificate_end: self.certificate_end(site)?,
            canonical: SiteLearnt::read(&self.store, &site.id)?.rules(site),
            standing: Standing::of(&life::all(&self.store, &site.id)?),
        })
    }

    /// What is wrong with the certificate of one of a site's hosts.
    fn certificate_fault(&self, site: &Site) -> Result<Option<String>, StoreError> {
        let mut hosts = self.secure_hosts(site);
        hosts.find_map(|host| host.map(|host| host.certificate_fault).transpose()).transpose()
    }

    /// When the certificate of a site's hosts ends that ends first.
    pub fn certificate_end(&self, site: &Site) -> Result<Option<Timestamp>, StoreError> {
        let ends = self.secure_hosts(site).filter_map(|host| match host {
            Ok(host) => host.certificate.map(|certificate| Ok(certificate.not_after)),
            Err(error) => Some(Err(error)),
        });
        ends.reduce(|first, next| Ok(first?.min(next?))).transpose()
    }

    /// What is known of the hosts of a site that may speak TLS.
    fn secure_hosts(&self, site: &Site) -> impl Iterator<Item = Result<HostRecord, StoreError>> {
        let secure = site.hosts().map(|host| format!("https://{host}"));
        let hosts = std::iter::once(site.url.host_key().to_string()).chain(secure);
        hosts.filter_map(|host| self.store.get(Space::Host, &[host.as_bytes()]).transpose())
    }

    pub(crate) fn pool(&self) -> Result<rayon::ThreadPool, EngineError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.settings.threads).build();
        pool.map_err(|error| EngineError::Threads(error.to_string()))
    }
}
