//! One HTTP exchange on hyper: limits, redirects, decompression, TLS facts, address guard.
//!
//! Only this crate opens sockets to the web. It knows nothing of politeness, robots.txt or what
//! a page means; a server that misbehaves is an outcome ([`Failure`]), never an error that stops
//! the run.

mod body;
mod connect;
mod guard;
mod resolve;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Empty;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use xunjian_model::{Hop, LinkState, PageUrl, Timings, TlsFacts};

pub use body::MediaKind;
pub use connect::ConnectError;
pub use guard::{AddressGuard, CidrError, Network};
pub use resolve::{Override, OverrideError, Resolver};

use body::Collected;
use connect::{Connector, Traffic};

/// Limits and identity of the client; each field's default is named in [`FetchLimits::default`].
#[derive(Clone, Debug)]
pub struct FetchLimits {
    /// `User-Agent`.
    pub user_agent: String,
    /// TCP and TLS set-up.
    pub connect_timeout: Duration,
    /// From the request to the response head. The standard's own line is 15 s (V2).
    pub first_byte_timeout: Duration,
    /// Between two pieces of a body.
    pub idle_timeout: Duration,
    /// The whole exchange with its redirects.
    pub total_timeout: Duration,
    /// Bytes of a body, both as sent and decoded; more is cut.
    pub body_bytes_max: usize,
    /// Bytes of a response head.
    pub header_bytes_max: usize,
    /// Lines of a response head.
    pub headers_max: usize,
    /// Redirects followed.
    pub redirects_max: usize,
    /// Idle connections kept per host.
    pub idle_connections_max: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            user_agent: concat!("xunjian/", env!("CARGO_PKG_VERSION"), " (+government website inspection)")
                .to_owned(),
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(60),
            body_bytes_max: 8 << 20,
            header_bytes_max: 64 << 10,
            headers_max: 100,
            redirects_max: 10,
            idle_connections_max: 8,
        }
    }
}

/// What is asked of an address.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Address.
    pub url: PageUrl,
    /// HEAD instead of GET.
    pub head: bool,
    /// `If-None-Match`.
    pub etag: Option<String>,
    /// `If-Modified-Since`.
    pub last_modified: Option<String>,
    /// Most bytes of the body that are wanted; the connection is dropped after them.
    pub body_bytes_max: usize,
    /// Bodies of other kinds than text are cut after their first bytes.
    pub text_only: bool,
}

impl Ask {
    /// An unconditional GET of a whole page.
    pub fn get(url: PageUrl) -> Self {
        Self {
            url,
            head: false,
            etag: None,
            last_modified: None,
            body_bytes_max: usize::MAX,
            text_only: true,
        }
    }
}

/// An answered exchange.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Redirects on the way.
    pub hops: Vec<Hop>,
    /// Address of the last hop.
    pub final_url: PageUrl,
    /// Status of the last hop.
    pub status: u16,
    /// Headers of the last hop, names lower-case.
    pub headers: Vec<(String, String)>,
    /// Decoded body.
    pub body: Vec<u8>,
    /// The body was cut.
    pub truncated: bool,
    /// Timings.
    pub timings: Timings,
    /// TLS facts.
    pub tls: Option<TlsFacts>,
}

impl Answer {
    /// A header's value by lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// What the status says of the address.
    pub fn state(&self) -> LinkState {
        state_of(self.status)
    }
}

/// What a status says of an address.
pub fn state_of(status: u16) -> LinkState {
    match status {
        200..=299 | 304 => LinkState::Ok,
        404 | 410 => LinkState::Gone(status),
        401 | 403 | 405 | 406 | 407 | 412 | 451 => LinkState::Forbidden(status),
        429 | 503 => LinkState::Limited(status),
        400..=499 => LinkState::ClientError(status),
        500..=599 => LinkState::ServerError(status),
        other => LinkState::Broken(format!("status {other}")),
    }
}

/// An exchange that brought no answer.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What it says of the address.
    pub state: LinkState,
    /// Redirects on the way.
    pub hops: Vec<Hop>,
}

/// Why the client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The certificate file holds no certificate.
    #[error("network.ca_file holds no usable PEM certificate: {0}")]
    Authority(String),
    /// TLS could not be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
}

/// The HTTP client. Cheap to clone.
#[derive(Clone)]
pub struct Fetcher {
    client: Client<Connector, Empty<Bytes>>,
    limits: Arc<FetchLimits>,
    resolver: Resolver,
    traffic: Arc<Traffic>,
    requests: Arc<AtomicU64>,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Fetcher {
    /// Builds the client. `authority` is PEM trusted beside the system's roots.
    pub fn new(
        limits: FetchLimits,
        resolver: Resolver,
        authority: Option<&[u8]>,
    ) -> Result<Self, SetupError> {
        let traffic = Arc::new(Traffic::default());
        let connector = Connector::new(
            resolver.clone(),
            connect::tls_config(authority)?,
            limits.connect_timeout,
            Arc::clone(&traffic),
        );
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(limits.idle_connections_max)
            .http1_max_buf_size(limits.header_bytes_max)
            .http1_max_headers(limits.headers_max)
            .build(connector);
        let requests = Arc::new(AtomicU64::new(0));
        Ok(Self { client, limits: Arc::new(limits), resolver, traffic, requests })
    }

    /// The resolver, for facts about names.
    pub fn resolver(&self) -> &Resolver {
        &self.resolver
    }

    /// Bytes received and sent on all connections so far, TLS and heads included.
    pub fn wire_bytes(&self) -> (u64, u64) {
        self.traffic.totals()
    }

    /// Requests sent so far, redirects included.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Asks once, following redirects.
    pub async fn fetch(&self, ask: Ask) -> Result<Answer, Failure> {
        let mut hops = Vec::new();
        let exchange = self.follow(ask, &mut hops);
        match tokio::time::timeout(self.limits.total_timeout, exchange).await {
            Ok(Ok(mut answer)) => {
                answer.hops = hops;
                Ok(answer)
            }
            Ok(Err(state)) => Err(Failure { state, hops }),
            Err(_) => Err(Failure { state: LinkState::Timeout, hops }),
        }
    }

    async fn follow(&self, mut ask: Ask, hops: &mut Vec<Hop>) -> Result<Answer, LinkState> {
        loop {
            let answer = self.exchange(&ask).await?;
            let target = match answer.status {
                301 | 302 | 303 | 307 | 308 => answer.header("location"),
                _ => None,
            };
            let Some(target) = target else { return Ok(answer) };
            let target =
                ask.url.join(target).map_err(|error| LinkState::Broken(format!("redirect: {error}")))?;
            let again = target == ask.url || hops.iter().any(|hop| hop.url == target);
            hops.push(Hop { url: ask.url.clone(), status: answer.status });
            if again || hops.len() > self.limits.redirects_max {
                return Err(LinkState::RedirectLoop);
            }
            // Validators belong to the first address alone.
            ask = Ask { url: target, etag: None, last_modified: None, ..ask };
        }
    }

    async fn exchange(&self, ask: &Ask) -> Result<Answer, LinkState> {
        let begun = Instant::now();
        let request = self.request(ask)?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let response = tokio::time::timeout(
            self.limits.first_byte_timeout.max(self.limits.connect_timeout),
            self.client.request(request),
        )
        .await
        .map_err(|_| LinkState::Timeout)?
        .map_err(|error| connect::state_of_error(&error))?;
        let first_byte_ms = millis(begun);
        let (parts, incoming) = response.into_parts();
        let kind = MediaKind::of(parts.headers.get("content-type"));
        let mut wanted = ask.body_bytes_max.min(self.limits.body_bytes_max);
        if ask.text_only && kind == MediaKind::Other {
            wanted = wanted.min(body::FIRST_BYTES);
        }
        let Collected { bytes, truncated } = match ask.head || parts.status.as_u16() == 304 {
            true => Collected::default(),
            false => body::collect(incoming, &parts.headers, wanted, self.limits.idle_timeout).await?,
        };
        Ok(Answer {
            hops: Vec::new(),
            final_url: ask.url.clone(),
            status: parts.status.as_u16(),
            headers: headers(&parts.headers),
            body: bytes,
            truncated,
            timings: Timings { first_byte_ms, total_ms: millis(begun) },
            tls: parts.extensions.get::<TlsFacts>().cloned(),
        })
    }

    fn request(&self, ask: &Ask) -> Result<hyper::Request<Empty<Bytes>>, LinkState> {
        let broken = |reason: String| LinkState::Broken(reason);
        let uri: Uri = ask.url.as_str().parse().map_err(|e| broken(format!("address: {e}")))?;
        let mut request = hyper::Request::new(Empty::new());
        *request.method_mut() = if ask.head { Method::HEAD } else { Method::GET };
        *request.uri_mut() = uri;
        let mut add = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                request.headers_mut().insert(name, value);
            }
        };
        add("user-agent", &self.limits.user_agent);
        add("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        add("accept-language", "zh-CN,zh;q=0.9");
        if ask.text_only {
            add("accept-encoding", "gzip, br, zstd, deflate");
        } else if !ask.head {
            add("range", &format!("bytes=0-{}", body::FIRST_BYTES - 1));
        }
        if let Some(etag) = &ask.etag {
            add("if-none-match", etag);
        }
        if let Some(date) = &ask.last_modified {
            add("if-modified-since", date);
        }
        Ok(request)
    }
}

fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    map.iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}

fn millis(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_millis()).unwrap_or(u32::MAX)
}
