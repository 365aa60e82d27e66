//! A store as a night leaves it, filled without one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use xunjian_engine::{CrawlExtras, CrawlSummary, RunRecord, Settings, SiteSummary};
use xunjian_model::{
    Case, Event, Evidence, Finding, FindingId, FindingState, Kind, LinkState, PageUrl, Site, SiteId,
    SiteKind, Step,
};
use xunjian_scan::ColumnReport;
use xunjian_store::{Space, Store};

const COLUMNS: usize = 60;

/// Sites of a register.
pub fn sites(count: usize) -> anyhow::Result<Vec<Site>> {
    let site = |at: usize| {
        let kind = if at < 12 { SiteKind::Portal } else { SiteKind::Department };
        let url = PageUrl::parse(&format!("http://www.s{at}.gov.cn/"))?;
        Ok(Site::new(SiteId::new(&format!("s{at}"))?, format!("网站{at}"), url, kind))
    };
    (0..count).map(site).collect()
}

/// What judging them needs.
pub fn settings(folder: &std::path::Path, sites: Vec<Site>) -> Settings {
    Settings {
        data: folder.to_owned(),
        sites,
        zone: jiff::tz::TimeZone::UTC,
        monitoring_point: None,
        fetch: xunjian_fetch::FetchLimits::default(),
        network: xunjian_fetch::Network::default(),
        politeness: xunjian_crawl::Politeness::default(),
        crawl: xunjian_crawl::CrawlLimits::default(),
        render: None,
        incremental: None,
        revisit_records: false,
        free_bytes_min: 0,
        versions_max: 0,
        compact_days: 0,
        metrics: None,
        page: xunjian_page::Limits::default(),
        findings: xunjian_scan::FindingLimits::default(),
        dictionaries: Vec::new(),
        typo_model: None,
        catalogue: xunjian_judge::Catalogue::shipped(),
        calendar: xunjian_judge::Calendar::shipped(),
        monitor: xunjian_engine::MonitorSettings::default(),
        ledger: None,
        posts: Vec::new(),
        feeds: false,
        search: false,
        notice: xunjian_report::NoticeSettings::default(),
        nightly: None,
        threads: 0,
        cluster: None,
    }
}

/// The records a night leaves: findings, their cases, summaries of sites.
pub fn fill(store: &Store, sites: &[Site], pages: u64, findings: usize) -> anyhow::Result<()> {
    const NUMBER: &[u8] = b"0000000001";
    let at: Timestamp = "2026-06-30T12:00:00Z".parse()?;
    let run = RunRecord {
        number: 1,
        started_at: at,
        sites: Vec::new(),
        nightly: true,
        seeded: true,
        crawl: CrawlSummary { finished: true, ..CrawlSummary::default() },
        finished: true,
        extras: CrawlExtras::default(),
    };
    let mut batch = store.begin();
    batch.put(Space::Run, &[b"last"], &run)?;
    batch.commit()?;
    for site in sites {
        let own = site.id.as_str().as_bytes();
        let mut batch = store.begin();
        let crawl = xunjian_crawl::SiteCrawl {
            visits: pages,
            home: Some(LinkState::Ok),
            ..xunjian_crawl::SiteCrawl::default()
        };
        batch.put(Space::Run, &[b"site", NUMBER, own], &crawl)?;
        let column = |at: usize| ColumnReport {
            name: format!("栏目{at}"),
            url: format!("{}c{at}/", site.url),
            class: "news".to_owned(),
            newest: Some(run_day()),
            blank: false,
            scripted: false,
        };
        let summary = SiteSummary {
            pages,
            home_newest: Some(run_day()),
            columns: (0..COLUMNS).map(column).collect(),
            guides: 100,
            messages: 1_000,
            ..SiteSummary::default()
        };
        batch.put(Space::Run, &[b"summary", NUMBER, own], &summary)?;
        for number in 0..findings {
            let finding = finding(site, number, at);
            let event = Event {
                at,
                step: Step::Found,
                by: String::new(),
                note: String::new(),
                snapshot: finding.evidence.snapshot.clone(),
            };
            let mut case = Case::default();
            case.happened(event);
            let key: [&[u8]; 2] = [own, finding.id.as_str().as_bytes()];
            batch.put(Space::Finding, &key, &finding)?;
            batch.put(Space::Case, &key, &case)?;
        }
        batch.commit()?;
    }
    Ok(())
}

fn run_day() -> jiff::civil::Date {
    jiff::civil::date(2026, 6, 29)
}

/// Kinds as a night finds them, none of which is a veto.
fn finding(site: &Site, number: usize, at: Timestamp) -> Finding {
    const KINDS: [Kind; 6] = [
        Kind::DeadLink,
        Kind::Typo,
        Kind::MissingLabel,
        Kind::GuideAddressVague,
        Kind::PrivacyMobile,
        Kind::OutdatedName,
    ];
    let kind = KINDS[number % KINDS.len()];
    let url = format!("{}art/{number}.html", site.url);
    Finding {
        id: FindingId::new(&site.id, kind.indicator(), kind, &url, "词"),
        site: site.id.clone(),
        indicator: kind.indicator().to_owned(),
        kind,
        severity: kind.severity(),
        state: FindingState::Open,
        url,
        title: "关于做好有关工作的通知".to_owned(),
        evidence: Evidence {
            excerpt: "各有关单位要高度重视，⟦词⟧，抓好落实".to_owned(),
            offset: Some(120),
            snapshot: Some(format!("{}@{at}", "0".repeat(64))),
        },
        first_seen: at,
        last_seen: at,
        detail: BTreeMap::from([("what".to_owned(), "词".to_owned())]),
    }
}
