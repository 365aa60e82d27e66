//! One HTTP exchange on hyper: limits, redirects, decompression, TLS facts, address guard.
//!
//! Only this crate opens sockets to the web. It knows nothing of politeness, robots.txt or what
//! a page means; a server that misbehaves is an outcome ([`Failure`]), never an error that stops
//! the run.

mod body;
mod cbc_suites;
mod challenge;
mod connect;
mod cookies;
mod gate;
mod guard;
mod headers;
mod issuers;
mod large;
mod proxy;
mod resolve;
mod tls;
mod trust;

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use hyper::{Method, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use xunjian_model::{Certificate, Hop, LinkState, PageUrl, Timings, TlsFacts};

pub use body::{MediaKind, decode_body};
pub use connect::{ConnectError, ConnectTimes};
pub use cookies::CookieJar;
pub use gate::{Entering, Gate, OpenGate, Pass};
pub use guard::{AddressGuard, Cidr, CidrError};
pub use headers::{HeaderError, HostHeaders};
pub use large::HeldPlace;
pub use proxy::{Proxy, ProxyError};
pub use resolve::{Override, OverrideError, Resolver};

use body::{Collected, Patience};
use connect::{Connector, TlsSeen, Traffic};
use large::LargeBodies;

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
    /// One exchange, its redirects not counted.
    pub total_timeout: Duration,
    /// Bytes of a page's body, both as sent and decoded; more is cut.
    pub body_bytes_max: usize,
    /// Bytes from which a body is a large one.
    pub large_body_bytes: usize,
    /// Large bodies that are in memory at once.
    pub large_bodies_max: usize,
    /// Bytes of a response head.
    pub header_bytes_max: usize,
    /// Lines of a response head.
    pub headers_max: usize,
    /// Redirects followed.
    pub redirects_max: usize,
    /// Idle connections kept per host.
    pub idle_connections_max: usize,
    /// Open connections in all.
    pub connections_max: usize,
    /// How long an idle connection is kept.
    pub idle_connection_timeout: Duration,
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
            large_body_bytes: 1 << 20,
            large_bodies_max: 8,
            header_bytes_max: 64 << 10,
            headers_max: 100,
            redirects_max: 10,
            idle_connections_max: 8,
            connections_max: 256,
            idle_connection_timeout: Duration::from_secs(30),
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
    /// Most bytes of the body, instead of the limit for pages; 0: that limit.
    pub body_bytes_max: usize,
    /// What of the body is wanted.
    pub want: Want,
    /// Cookies of the site.
    pub cookies: Option<Arc<CookieJar>>,
    /// Whether the connection is likely to be used again.
    pub keep_alive: bool,
    /// The page it is asked for from, as a browser says it (`Referer`, RFC 9110 section 10.1.3). Told to the host of that
    /// page alone, and never over http of an https page.
    pub referer: Option<PageUrl>,
    /// `User-Agent` and `Referer` of somebody else.
    pub seen_as: Option<&'static SeenAs>,
    /// To be sent by POST.
    pub post: Option<Post>,
}

/// What is sent by POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// `Content-Type`.
    pub media_type: String,
    /// The body.
    pub body: Bytes,
}

impl Post {
    /// Fields of a form, written as `name=value&name=value` (URL standard, 5.2).
    pub fn form(fields: String) -> Self {
        Self { media_type: "application/x-www-form-urlencoded".to_owned(), body: fields.into() }
    }
}

/// As whom a page is asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct SeenAs {
    /// `User-Agent`.
    pub user_agent: &'static str,
    /// `Referer`.
    pub referer: &'static str,
}

/// What of a body is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Text whole; of other kinds the first bytes.
    Text,
    /// The same, but documents whole, too, up to so many bytes.
    Readable(usize),
    /// Everything.
    Whole,
    /// The first bytes, whatever it is: so many are asked for by `Range`.
    First(usize),
}

impl Ask {
    /// An unconditional GET of a whole page.
    pub fn get(url: PageUrl) -> Self {
        Self {
            url,
            head: false,
            etag: None,
            last_modified: None,
            body_bytes_max: 0,
            want: Want::Text,
            cookies: None,
            keep_alive: true,
            referer: None,
            seen_as: None,
            post: None,
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
    /// To be held as long as the body is.
    pub place: HeldPlace,
    /// It is no page but a script that a browser has to pass before it is shown one.
    pub challenge: bool,
    /// Timings.
    pub timings: Timings,
    /// TLS facts.
    pub tls: Option<TlsFacts>,
    /// The server's certificate.
    pub certificate: Option<Arc<Certificate>>,
    /// What is wrong with it.
    pub certificate_fault: Option<String>,
    /// Cookies of a redirect, for where it leads alone: many a server sends everybody in a circle who does not bring
    /// them back.
    cookies: Option<Arc<CookieJar>>,
    /// How long the connection of the last hop took to be there, when it was.
    pub connection: ConnectTimes,
}

impl Answer {
    /// A header's value by lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// What it says of the address.
    pub fn state(&self) -> LinkState {
        if self.challenge { LinkState::Challenged(self.status) } else { state_of(self.status) }
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
    /// Names cannot be looked up.
    #[error("cannot set up the lookup of names: {0}")]
    Names(String),
}

/// What a client is built of, besides its limits.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Configured addresses of names.
    pub resolve: HashMap<String, Vec<Override>>,
    /// Which private addresses may be asked.
    pub guard: AddressGuard,
    /// Name servers instead of the system's.
    pub name_servers: Vec<SocketAddr>,
    /// PEM of an authority trusted beside the system's.
    pub authority: Option<Vec<u8>>,
    /// Proxy.
    pub proxy: Option<Proxy>,
    /// Headers for hosts of ours.
    pub headers: HostHeaders,
    /// Hosts that are asked whatever their certificate says, unless they are sent headers of ours; what is wrong
    /// with it is told. Others are not asked then.
    pub own_hosts: Arc<HashSet<String>>,
}

/// The HTTP client. Cheap to clone.
#[derive(Clone)]
pub struct Fetcher {
    client: Client<Connector, Full<Bytes>>,
    limits: Arc<FetchLimits>,
    large: LargeBodies,
    resolver: Resolver,
    proxy: Option<Proxy>,
    headers: Arc<HostHeaders>,
    traffic: Arc<Traffic>,
    requests: Arc<AtomicU64>,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Fetcher {
    /// Builds the client.
    pub fn new(limits: FetchLimits, network: &Network) -> Result<Self, SetupError> {
        let resolver = Resolver::new(network.resolve.clone(), network.guard.clone(), &network.name_servers)?;
        let traffic = Arc::new(Traffic::default());
        let headers = Arc::new(network.headers.clone());
        let connector = Connector::new(connect::Setup {
            resolver: resolver.clone(),
            tls: tls::config(network.authority.as_deref())?,
            own_hosts: network.own_hosts.clone(),
            headers: Arc::clone(&headers),
            timeout: limits.connect_timeout,
            connections_max: limits.connections_max,
            proxy: network.proxy.clone(),
            traffic: Arc::clone(&traffic),
        });
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(limits.idle_connection_timeout)
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(limits.idle_connections_max)
            // A retry of the library's own would not pass the gate.
            .retry_canceled_requests(false)
            .http1_max_buf_size(limits.header_bytes_max)
            .http1_max_headers(limits.headers_max)
            // Servers of the field send spaces and other things where none may be.
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http2_max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX))
            .build(connector);
        let requests = Arc::new(AtomicU64::new(0));
        let proxy = network.proxy.clone();
        let large = LargeBodies::new(limits.large_body_bytes, limits.large_bodies_max);
        Ok(Self { client, limits: Arc::new(limits), large, resolver, proxy, headers, traffic, requests })
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

    /// Asks once, following redirects. The gate is passed before each exchange, so that every
    /// hop has its turn with the host it goes to.
    pub async fn fetch(&self, mut ask: Ask, gate: &dyn Gate) -> Result<Answer, Failure> {
        let mut hops = Vec::new();
        loop {
            let exchanged = match gate.enter(&ask.url).await {
                Ok(pass) => {
                    let exchanged = self.exchange(&ask).await;
                    gate.leave(&ask.url, &exchanged);
                    drop(pass);
                    exchanged
                }
                Err(state) => Err(state),
            };
            let mut answer = match exchanged {
                Ok(answer) => answer,
                Err(state) => return Err(Failure { state, hops }),
            };
            let Some(target) = redirect(&ask, &answer) else {
                answer.hops = hops;
                return Ok(answer);
            };
            let cookies = ask.cookies.take().or_else(|| answer.cookies.take());
            let visits = |url: &PageUrl| {
                let before = hops.iter().filter(|hop: &&Hop| hop.url == *url).count();
                before + usize::from(*url == ask.url)
            };
            // A cookie may make the second visit to an address end otherwise than the first.
            let visits_max = 1 + usize::from(cookies.is_some());
            let state = match &target {
                Err(state) => Some(state.clone()),
                Ok(url) if visits(url) >= visits_max => Some(LinkState::RedirectLoop),
                Ok(_) if hops.len() >= self.limits.redirects_max => Some(LinkState::RedirectLoop),
                Ok(_) => None,
            };
            hops.push(Hop { url: ask.url.clone(), status: answer.status });
            match (target, state) {
                (_, Some(state)) | (Err(state), None) => return Err(Failure { state, hops }),
                // Validators belong to the first address alone.
                (Ok(url), None) => {
                    // It is sent once; what it leads to is read (RFC 9110 section 15.4).
                    let post = ask.post.filter(|_| matches!(answer.status, 307 | 308));
                    ask = Ask { url, etag: None, last_modified: None, post, cookies, ..ask }
                }
            }
        }
    }

    async fn exchange(&self, ask: &Ask) -> Result<Answer, LinkState> {
        let begun = Instant::now();
        let request = self.request(ask)?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let first = self.limits.first_byte_timeout.max(self.limits.connect_timeout);
        let response =
            tokio::time::timeout(first.min(self.limits.total_timeout), self.client.request(request))
                .await
                .map_err(|_| LinkState::Timeout)?
                .map_err(|error| connect::state_of_error(&error))?;
        let first_byte_ms = millis(begun);
        let (parts, incoming) = response.into_parts();
        let mut cookies = None;
        if let Some(jar) = &ask.cookies {
            jar.take(&parts.headers, ask.url.as_url());
        } else if parts.status.is_redirection() && parts.headers.contains_key("set-cookie") {
            let jar = CookieJar::default();
            jar.take(&parts.headers, ask.url.as_url());
            cookies = Some(Arc::new(jar));
        }
        let kind = MediaKind::of(&parts.headers);
        let limit = if ask.body_bytes_max == 0 { self.limits.body_bytes_max } else { ask.body_bytes_max };
        let wanted = match ask.want {
            Want::Readable(document_max) if kind == MediaKind::Document => document_max,
            Want::Text | Want::Readable(_) if kind != MediaKind::Text => limit.min(body::FIRST_BYTES),
            Want::Text | Want::Readable(_) | Want::Whole => limit,
            Want::First(bytes) => limit.min(bytes),
        };
        let Collected { bytes, truncated, place } = match ask.head || parts.status.as_u16() == 304 {
            true => Collected::default(),
            false => {
                let FetchLimits { idle_timeout, total_timeout, .. } = *self.limits;
                let patience =
                    Patience { idle: idle_timeout, place: total_timeout, end: begun + total_timeout };
                body::collect(incoming, &parts.headers, wanted, &self.large, patience).await?
            }
        };
        let challenge = challenge::is_challenge(parts.status.as_u16(), &parts.headers, &bytes);
        let tls = parts.extensions.get::<TlsSeen>().cloned();
        let connection = parts.extensions.get::<ConnectTimes>().copied().unwrap_or_default();
        let certificate_fault = tls.as_ref().and_then(|seen| seen.fault.clone());
        let (tls, certificate) = tls.map(|seen| (seen.facts, seen.certificate)).unzip();
        Ok(Answer {
            hops: Vec::new(),
            final_url: ask.url.clone(),
            status: parts.status.as_u16(),
            headers: headers(&parts.headers),
            body: bytes,
            truncated,
            place,
            challenge,
            timings: Timings { first_byte_ms, total_ms: millis(begun) },
            tls,
            certificate: certificate.flatten(),
            certificate_fault,
            cookies,
            connection,
        })
    }

    fn request(&self, ask: &Ask) -> Result<hyper::Request<Full<Bytes>>, LinkState> {
        let broken = |reason: String| LinkState::Broken(reason);
        let uri: Uri = ask.url.as_str().parse().map_err(|e| broken(format!("address: {e}")))?;
        let mut request = hyper::Request::new(Full::from(
            ask.post.as_ref().map_or_else(Bytes::new, |post| post.body.clone()),
        ));
        *request.method_mut() = match (&ask.post, ask.head) {
            (Some(_), _) => Method::POST,
            (None, true) => Method::HEAD,
            (None, false) => Method::GET,
        };
        *request.uri_mut() = uri;
        let mut add = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                request.headers_mut().insert(name, value);
            }
        };
        add("user-agent", ask.seen_as.map_or(&self.limits.user_agent, |other| other.user_agent));
        let is_told =
            |from: &&PageUrl| from.host() == ask.url.host() && (ask.url.is_https() || !from.is_https());
        let referer = ask.referer.as_ref().filter(is_told).map(PageUrl::as_str);
        if let Some(referer) = ask.seen_as.map(|other| other.referer).or(referer) {
            add("referer", referer);
        }
        add("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        add("accept-language", "zh-CN,zh;q=0.9");
        if let Some(post) = &ask.post {
            add("content-type", &post.media_type);
        }
        match ask.want {
            // A part of a packed body cannot be unpacked, so it is asked for as it is.
            Want::First(bytes) if !ask.head => add("range", &format!("bytes=0-{}", bytes.max(1) - 1)),
            Want::First(_) => {}
            Want::Text | Want::Readable(_) | Want::Whole => add("accept-encoding", "gzip, br, zstd, deflate"),
        }
        if !ask.keep_alive {
            add("connection", "close");
        }
        if let Some(cookies) = ask.cookies.as_ref().and_then(|jar| jar.header(ask.url.as_url())) {
            add("cookie", &cookies);
        }
        let proxy = self.proxy.as_ref().filter(|proxy| !ask.url.is_https() && proxy.is_for(ask.url.host()));
        if let Some(etag) = &ask.etag {
            add("if-none-match", etag);
        }
        if let Some(date) = &ask.last_modified {
            add("if-modified-since", date);
        }
        for (name, value) in self.headers.of(ask.url.host()) {
            request.headers_mut().insert(name, value.clone());
        }
        if let Some(value) = proxy.and_then(Proxy::authorization) {
            request.headers_mut().insert("proxy-authorization", value);
        }
        Ok(request)
    }
}

/// Where an answer sends us, if it does.
fn redirect(ask: &Ask, answer: &Answer) -> Option<Result<PageUrl, LinkState>> {
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let target = ask.url.join(answer.header("location")?);
    Some(target.map_err(|error| LinkState::Broken(format!("redirect: {error}"))))
}

fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    let text = |name: &HeaderName, value: &HeaderValue| match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        // Browsers go where the bytes say, in whatever charset they are.
        Err(_) if *name == LOCATION => escaped(value.as_bytes()),
        Err(_) => String::from_utf8_lossy(value.as_bytes()).into_owned(),
    };
    map.iter().map(|(name, value)| (name.as_str().to_owned(), text(name, value))).collect()
}

/// Bytes beyond ASCII percent-encoded.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for &byte in bytes {
        match byte.is_ascii() {
            true => text.push(char::from(byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn millis(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_keep_their_bytes() {
        let mut map = HeaderMap::new();
        map.insert(LOCATION, HeaderValue::from_bytes(b"/list.asp?c=\xcd\xa8\xb9\xab").expect("a value"));
        map.insert("server", HeaderValue::from_bytes(b"\xb9\xab").expect("a value"));
        let told = headers(&map);
        assert_eq!(told[0].1, "/list.asp?c=%CD%A8%B9%AB");
        assert!(told[1].1.contains('\u{fffd}'));
        map.insert(LOCATION, HeaderValue::from_bytes("/通".as_bytes()).expect("a value"));
        assert_eq!(headers(&map)[0].1, "/通");
    }
}
