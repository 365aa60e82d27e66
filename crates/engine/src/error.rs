//! Why a step could not be done.

use std::path::PathBuf;
use std::time::Duration;

use xunjian_cluster::ClusterError;
use xunjian_store::StoreError;

/// Pause before sites are asked again with a clock that was wrong.
const CLOCK_PAUSE: Duration = Duration::from_secs(600);

/// Why a step could not be done.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The client could not be set up.
    #[error(transparent)]
    Client(#[from] xunjian_fetch::SetupError),
    /// The crawl ended early.
    #[error(transparent)]
    Crawl(#[from] xunjian_crawl::CrawlError),
    /// The cluster does not do what was asked.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A worker has nobody to work for.
    #[error("there is no [cluster] in the configuration; see docs/cluster.md")]
    NoCluster,
    /// The scan ended early.
    #[error(transparent)]
    Scan(#[from] xunjian_scan::ScanError),
    /// The dictionaries could not be compiled.
    #[error(transparent)]
    Dictionaries(#[from] xunjian_dict::CompileError),
    /// The report could not be written.
    #[error(transparent)]
    Report(#[from] xunjian_report::ReportError),
    /// A step that needs an earlier one.
    #[error("nothing was crawled yet in {}; run `xunjian crawl` or `xunjian run` first", .0.display())]
    NothingCrawled(PathBuf),
    /// A year whose holidays are not known.
    #[error(transparent)]
    Calendar(#[from] xunjian_judge::UnknownYear),
    /// Something else has to be ended first.
    #[error("{0}")]
    Unfinished(&'static str),
    /// The line of this machine.
    #[error(
        "no host has answered since {0}: the line of this machine seems to be down, or what all sites stand on; what was \
         crawled is kept, and the next run goes on with it (`monitor.control` names an address that tells which)"
    )]
    LineDown(jiff::civil::DateTime),
    /// The clock of this machine.
    #[error(
        "this machine's clock says {ours}, most servers say {servers}: nothing was judged by a wrong clock; set it right (best by \
         NTP) and run again, or raise `crawl.clock_off_max_s` if the servers are wrong"
    )]
    ClockOff {
        /// What the clock says.
        ours: jiff::civil::DateTime,
        /// What most servers say.
        servers: jiff::civil::DateTime,
    },
    /// A quarter that has not begun.
    #[error("the quarter {0} has not begun; name one that has")]
    QuarterToCome(xunjian_judge::Quarter),
    /// A monitoring point in the future.
    #[error("the monitoring point {0} is still to come; name a day up to today")]
    PointToCome(jiff::civil::Date),
    /// The threads of the scan could not be started.
    #[error("cannot start the scan's threads: {0}")]
    Threads(String),
}

impl EngineError {
    /// Whether a crawl was ended by what is wrong with this machine, and how soon it may be gone on with.
    pub fn halted(&self) -> Option<Duration> {
        match self {
            // It was waited for.
            Self::LineDown(_) => Some(Duration::ZERO),
            Self::ClockOff { .. } => Some(CLOCK_PAUSE),
            _ => None,
        }
    }

    /// Whether the data folder, not the configuration, is at fault.
    pub fn is_store_trouble(&self) -> bool {
        matches!(
            self,
            Self::Store(_)
                | Self::Crawl(_)
                | Self::Cluster(ClusterError::Store(_) | ClusterError::Crawl(_))
                | Self::Scan(xunjian_scan::ScanError::Store(_))
                | Self::Report(xunjian_report::ReportError::Write { .. })
        )
    }
}
