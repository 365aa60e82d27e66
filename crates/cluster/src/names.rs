//! What everything is called in JetStream, and how it is made.

use std::io;
use std::time::Duration;

use async_nats::jetstream::context::{CreateStreamError, CreateStreamErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType, Stream};
use async_nats::jetstream::{self, Context, ErrorCode, kv};
use async_nats::{ConnectError, ConnectErrorKind, ConnectOptions};
use tokio::time::{Instant, sleep};
use xunjian_crawl::Share;

use crate::{Cluster, ClusterError};

/// How long servers are waited for that do not do what is asked at the beginning.
const PATIENCE: Duration = Duration::from_secs(15);
/// Pause before they are asked again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How long an answer of theirs is waited for before it is asked again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// What servers say to a stream that is larger than they may keep; waiting does not help.
const NO_ROOM: [ErrorCode; 3] = [
    ErrorCode::STORAGE_RESOURCES_EXCEEDED,
    ErrorCode::INSUFFICIENT_RESOURCES,
    ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
];
/// Turns nobody asked for any more are forgotten; longer than any block.
const TURNS_KEPT: Duration = Duration::from_secs(6 * 3_600);

/// The connection, and everything in JetStream that a cluster uses.
#[derive(Clone)]
pub(crate) struct Names {
    prefix: String,
    pub(crate) jetstream: Context,
    /// What workers say of their shares; see [`crate::log`].
    pub(crate) log: Stream,
    /// What is known of a share, for whoever has just leased it; see [`crate::handing`].
    pub(crate) handed: Stream,
    /// What was found of a share by others.
    pub(crate) found: Stream,
    /// The night; see [`crate::night`].
    pub(crate) night: kv::Store,
    /// Who has what; see [`crate::lease`].
    pub(crate) leases: kv::Store,
    /// Turns with hosts and addresses; see [`crate::pace`].
    pub(crate) turns: kv::Store,
}

impl Names {
    /// Connects, and makes what is not there yet.
    pub(crate) async fn open(cluster: &Cluster) -> Result<Self, ClusterError> {
        patiently(async || Self::try_open(cluster).await).await
    }

    async fn try_open(cluster: &Cluster) -> Result<Self, ClusterError> {
        let mut options = ConnectOptions::new().name("xunjian").request_timeout(Some(ANSWER_TIMEOUT));
        if let Some(token) = &cluster.token {
            options = options.token(token.clone());
        }
        if let Some(file) = &cluster.ca_file {
            options = options.add_root_certificates(file.clone());
        }
        let servers: Vec<&str> = cluster.url.split(',').map(str::trim).collect();
        let client = options.connect(servers).await.map_err(unconnected)?;
        let mut jetstream = jetstream::new(client);
        jetstream.set_timeout(ANSWER_TIMEOUT);
        let prefix = cluster.name.clone();
        let stream = |name: String, subjects: String| Config {
            name,
            subjects: vec![subjects],
            // Without a limit of its own, the server's holds.
            max_bytes: -1,
            discard: DiscardPolicy::New,
            num_replicas: cluster.replicas,
            ..Config::default()
        };
        let mut streams = Vec::new();
        for (what, bytes_max) in [("log", Some(cluster.log_bytes_max)), ("handed", None), ("found", None)] {
            let config = stream(format!("{prefix}-{what}"), format!("{prefix}.{what}.>"));
            let max_bytes = bytes_max.map_or(-1, |most| i64::try_from(most).unwrap_or(i64::MAX));
            streams.push(made(&jetstream, Config { max_bytes, ..config }).await?);
        }
        let mut buckets = Vec::new();
        for (what, max_age, storage) in [
            ("night", Duration::ZERO, StorageType::File),
            ("leases", cluster.lease, StorageType::File),
            // Asked at every turn; if it is lost, so are all servers at once.
            ("turns", TURNS_KEPT, StorageType::Memory),
        ] {
            let bucket = format!("{prefix}-{what}");
            // What a bucket is made of (NATS ADR-8). The client's own way asks the account first, and cannot
            // read what servers before 2.10 answer.
            let config = Config {
                max_messages_per_subject: 1,
                max_age,
                storage,
                allow_rollup: true,
                allow_direct: true,
                ..stream(format!("KV_{bucket}"), format!("$KV.{bucket}.>"))
            };
            made(&jetstream, config).await?;
            let bucket = jetstream.get_key_value(bucket).await;
            buckets.push(bucket.map_err(|error| ClusterError::jetstream("buckets")(error.into()))?);
        }
        let (Ok([log, handed, found]), Ok([night, leases, turns])) =
            (<[Stream; 3]>::try_from(streams), <[kv::Store; 3]>::try_from(buckets))
        else {
            return Err(ClusterError::Message("not all streams were made".to_owned()));
        };
        Ok(Self { prefix, jetstream, log, handed, found, night, leases, turns })
    }

    /// The subject of a share in a stream.
    pub(crate) fn subject(&self, what: &str, share: &Share) -> String {
        format!("{}.{what}.{share}", self.prefix)
    }

    /// The share of a subject.
    pub(crate) fn share(&self, what: &str, subject: &str) -> Result<Share, ClusterError> {
        let share = subject.strip_prefix(&format!("{}.{what}.", self.prefix)).unwrap_or(subject);
        share.parse().map_err(|error: xunjian_crawl::ShareError| ClusterError::Message(error.to_string()))
    }

    /// Number of the last message on a subject; 0: there is none.
    pub(crate) async fn last_number(stream: &Stream, subject: &str) -> Result<u64, ClusterError> {
        use async_nats::jetstream::stream::LastRawMessageErrorKind::NoMessageFound;
        match stream.get_last_raw_message_by_subject(subject).await {
            Ok(message) => Ok(message.sequence),
            Err(error) if error.kind() == NoMessageFound => Ok(0),
            Err(error) => Err(ClusterError::jetstream("last message")(error.into())),
        }
    }
}

/// Why there is no connection: what waiting does not help against is a refusal.
fn unconnected(error: ConnectError) -> ClusterError {
    use ConnectErrorKind::{Authentication, AuthorizationViolation, Tls};
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<io::Error>());
    // So the system calls what rustls thinks of a certificate.
    let of_certificate = cause.is_some_and(|cause| cause.kind() == io::ErrorKind::InvalidData);
    match error.kind() {
        Authentication | AuthorizationViolation | Tls => ClusterError::Refused(error.to_string()),
        _ if of_certificate => ClusterError::Refused(error.to_string()),
        _ => ClusterError::Connect(error.to_string()),
    }
}

/// Does at the beginning what servers may refuse: they may be started at the same time as we are.
pub(crate) async fn patiently<T>(what: impl AsyncFn() -> Result<T, ClusterError>) -> Result<T, ClusterError> {
    let begun = Instant::now();
    loop {
        match what().await {
            Err(refused @ (ClusterError::Refused(_) | ClusterError::Room(_))) => return Err(refused),
            Err(error) if begun.elapsed() < PATIENCE => {
                tracing::warn!(%error, "NATS is waited for");
                sleep(RETRY_PAUSE).await;
            }
            done => return done,
        }
    }
}

/// A stream as it should be. Clusters of servers before 2.10 leave the change of one that is not there without
/// an answer, so it is looked for first.
async fn made(jetstream: &Context, config: Config) -> Result<Stream, ClusterError> {
    let refused = |error: CreateStreamError| match error.kind() {
        CreateStreamErrorKind::JetStream(said) if NO_ROOM.contains(&said.error_code()) => {
            ClusterError::Room(said.to_string())
        }
        _ => ClusterError::jetstream("streams")(error.into()),
    };
    let there = jetstream.get_or_create_stream(config.clone()).await.map_err(refused)?;
    let known = &there.cached_info().config;
    let same = (known.max_bytes, known.max_age, known.num_replicas)
        == (config.max_bytes, config.max_age, config.num_replicas);
    if !same {
        jetstream.update_stream(config).await.map_err(refused)?;
    }
    Ok(there)
}
