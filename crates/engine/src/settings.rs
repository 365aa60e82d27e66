//! What a run is made with.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use xunjian_cluster::Cluster;
use xunjian_crawl::{CrawlLimits, Incremental, Politeness};
use xunjian_dict::Dictionary;
use xunjian_fetch::{FetchLimits, Network};
use xunjian_judge::{Calendar, Catalogue};
use xunjian_model::Site;
use xunjian_scan::FindingLimits;

use crate::accounts::Ledger;
use crate::monitor::MonitorSettings;

/// Everything a run needs, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Data folder.
    pub data: PathBuf,
    /// Sites.
    pub sites: Vec<Site>,
    /// Zone of dates without one.
    pub zone: TimeZone,
    /// The moment all windows are counted back from; `None`: the run's start.
    pub monitoring_point: Option<Timestamp>,
    /// Client limits.
    pub fetch: FetchLimits,
    /// Names, proxy and trust.
    pub network: Network,
    /// Politeness.
    pub politeness: Politeness,
    /// Crawl limits.
    pub crawl: CrawlLimits,
    /// A browser for pages that scripts fill.
    pub render: Option<xunjian_crawl::RenderSetup>,
    /// Ask for pages that seldom change less often; `None`: for every page every night.
    pub incremental: Option<Incremental>,
    /// Whether unchanged pages get a `revisit` record each night.
    pub revisit_records: bool,
    /// Newest versions of each page that `store compact` keeps; 0: all.
    pub versions_max: usize,
    /// Days after which a night compacts the store by itself, if not all versions are kept; 0: never.
    pub compact_days: u32,
    /// Bytes that crawls and scans leave free on the disk; 0: none.
    pub free_bytes_min: u64,
    /// Address at which counters are offered to a monitoring system.
    pub metrics: Option<std::net::SocketAddr>,
    /// Page limits.
    pub page: xunjian_page::Limits,
    /// How many findings are told.
    pub findings: FindingLimits,
    /// Dictionaries, shipped and own.
    pub dictionaries: Vec<Dictionary>,
    /// Typos by statistics; `None`: not looked for.
    pub typo_model: Option<Arc<xunjian_spell::Model>>,
    /// Indicators.
    pub catalogue: Catalogue,
    /// Working days.
    pub calendar: Calendar,
    /// The availability monitor.
    pub monitor: MonitorSettings,
    /// The ledger of accounts that is taken with every scan; `None`: the one that was imported.
    pub ledger: Option<Ledger>,
    /// Tables of posts that are taken in every run, once they are written anew.
    pub posts: Vec<PathBuf>,
    /// Read the feeds of the ledger in every run.
    pub feeds: bool,
    /// Ask each site's own search for known pages.
    pub search: bool,
    /// What the office writes into its notices.
    pub notice: xunjian_report::NoticeSettings,
    /// When the nightly run begins; for whoever keeps the schedule.
    pub nightly: Option<jiff::civil::Time>,
    /// Threads of the scan; 0: one per core.
    pub threads: usize,
    /// The machines that crawl; `None`: this one.
    pub cluster: Option<Cluster>,
}
