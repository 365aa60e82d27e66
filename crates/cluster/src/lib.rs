//! One crawl on several machines: shares of it are leased to workers over NATS JetStream, and one collector
//! keeps what they find in the store.
//!
//! A share is a site, or everything outside of all sites. Whoever leases one says so in the share's log, is
//! handed all that is known of it, and crawls it over a store of its own. Each batch of that store goes into
//! the log before it is kept, and from there, in order, into the collector's store: the one that is true. So
//! workers and collector may end at any moment; what was in the log is kept, and what was not is asked for
//! again. What a worker finds of other shares goes to whoever has them.
//!
//! Turns with hosts and addresses are taken in a bucket that all workers share, so that nobody is asked faster
//! than its limit, however many ask.

mod clock;
mod collect;
mod handing;
mod lease;
mod log;
mod messages;
mod names;
mod night;
mod pace;
mod parts;
mod places;
mod scratch;
mod work;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use xunjian_crawl::CrawlError;
use xunjian_store::StoreError;

pub use collect::collect;
pub use work::{Worker, work};

/// How the machines of a cluster meet.
#[derive(Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Servers of NATS, separated by commas.
    pub url: String,
    /// Token the servers want.
    pub token: Option<String>,
    /// Authority of their certificates, besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Beginning of all names in JetStream, so that several offices can use one.
    pub name: String,
    /// Copies JetStream keeps of everything.
    pub replicas: usize,
    /// How long a share is left to a worker of which nothing is heard.
    pub lease: Duration,
    /// Bytes of the log; where the collector is behind so far, workers wait for it.
    pub log_bytes_max: u64,
    /// Shares one worker has at once.
    pub shares_max: usize,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            url: String::new(),
            token: None,
            ca_file: None,
            name: "xunjian".to_owned(),
            replicas: 1,
            lease: Duration::from_secs(30),
            log_bytes_max: 4 << 30,
            shares_max: 64,
        }
    }
}

/// Neither the token nor a password in the address is shown.
impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why a part of a cluster cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No server answers.
    #[error("no connection to NATS: {0}; see `cluster.url`")]
    Connect(String),
    /// A server answers, and its certificate or our token does not do.
    #[error("NATS refuses the connection: {0}; see `cluster.token` and `cluster.ca_file`")]
    Refused(String),
    /// JetStream may not take as much as the log may want.
    #[error(
        "JetStream has too little room: {0}; lower `cluster.log_bytes_max`, or raise `max_file_store` of nats-server (without it, three quarters of the free disk)"
    )]
    Room(String),
    /// JetStream refuses.
    #[error("JetStream: {what}: {reason}")]
    JetStream {
        /// What was asked.
        what: &'static str,
        /// What it said.
        reason: String,
    },
    /// The worker would crawl otherwise than the night wants.
    #[error(
        "this worker's version or configuration (sites, politeness, limits of crawl, pages and client) differs from that of the night; give it the same xunjian.toml and register"
    )]
    Differs,
    /// Clocks differ, so that moments which machines write down cannot be compared.
    #[error(
        "this machine's clock says {ours}, JetStream's server says {server}; set both right (best by NTP), or raise `crawl.clock_off_max_s`"
    )]
    ClockOff {
        /// What the clock says.
        ours: Timestamp,
        /// What the server says.
        server: Timestamp,
    },
    /// A message that nobody of this version wrote.
    #[error("a message of the cluster cannot be read: {0}")]
    Message(String),
    /// The client could not be set up.
    #[error(transparent)]
    Client(#[from] xunjian_fetch::SetupError),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The crawl ended early.
    #[error(transparent)]
    Crawl(#[from] CrawlError),
    /// A folder for a share's store cannot be made.
    #[error("{}: {source}", path.display())]
    Scratch {
        /// Folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl ClusterError {
    /// Shapes an answer of JetStream.
    fn jetstream(what: &'static str) -> impl FnOnce(async_nats::Error) -> Self {
        move |error| Self::JetStream { what, reason: error.to_string() }
    }
}
