//! Connections: guarded address, TCP, TLS, bytes counted.

use std::collections::HashSet;
use std::error::Error as _;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::Uri;
use hyper::rt::ReadBufCursor;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig};
use xunjian_model::{Certificate, LinkState, TlsFacts};

use crate::headers::HostHeaders;
use crate::issuers::Issuers;
use crate::proxy::{Proxy, ToProxy};
use crate::resolve::Resolver;
use crate::tls;
use crate::trust::{Fault, Trust};

/// Why no connection was made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name does not resolve.
    #[error("no such host")]
    NoSuchHost,
    /// Only private addresses, and none the configuration lists.
    #[error("private address")]
    Private,
    /// Nothing listens.
    #[error("refused")]
    Refused,
    /// No connection in time.
    #[error("timeout")]
    Timeout,
    /// The certificate or the handshake is at fault.
    #[error("tls: {0}")]
    Tls(String),
    /// Anything else.
    #[error("{0}")]
    Io(String),
}

impl ConnectError {
    fn state(&self) -> LinkState {
        match self {
            Self::NoSuchHost => LinkState::NoSuchHost,
            Self::Private => LinkState::Private,
            Self::Refused => LinkState::Refused,
            Self::Timeout => LinkState::Timeout,
            Self::Tls(reason) => LinkState::Tls(reason.clone()),
            Self::Io(reason) => LinkState::Broken(reason.clone()),
        }
    }
}

/// What a client error says of the address.
pub(crate) fn state_of_error(error: &hyper_util::client::legacy::Error) -> LinkState {
    let mut source = error.source();
    let mut last = error.to_string();
    while let Some(cause) = source {
        if let Some(connect) = cause.downcast_ref::<ConnectError>() {
            return connect.state();
        }
        last = cause.to_string();
        source = cause.source();
    }
    LinkState::Broken(last)
}

/// Bytes on all connections.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    pub(crate) fn totals(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed))
    }
}

/// What every connection needs.
pub(crate) struct Setup {
    pub(crate) resolver: Resolver,
    pub(crate) tls: (ClientConfig, Trust),
    pub(crate) own_hosts: Arc<HashSet<String>>,
    pub(crate) headers: Arc<HostHeaders>,
    pub(crate) timeout: Duration,
    pub(crate) connections_max: usize,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) traffic: Arc<Traffic>,
}

#[derive(Clone)]
pub(crate) struct Connector {
    resolver: Resolver,
    tls: TlsConnector,
    trust: Trust,
    issuers: Issuers,
    own_hosts: Arc<HashSet<String>>,
    headers: Arc<HostHeaders>,
    timeout: Duration,
    /// Open connections, idle ones included.
    open: Arc<Semaphore>,
    proxy: Option<Proxy>,
    traffic: Arc<Traffic>,
}

impl Connector {
    pub(crate) fn new(setup: Setup) -> Self {
        let (tls, trust) = setup.tls;
        Self {
            resolver: setup.resolver,
            tls: TlsConnector::from(Arc::new(tls)),
            trust,
            issuers: Issuers::new(),
            own_hosts: setup.own_hosts,
            headers: setup.headers,
            timeout: setup.timeout,
            open: Arc::new(Semaphore::new(setup.connections_max)),
            proxy: setup.proxy,
            traffic: setup.traffic,
        }
    }

    async fn connect(self, uri: Uri, permit: OwnedSemaphorePermit) -> Result<Stream, ConnectError> {
        let host = uri.host().unwrap_or_default().to_owned();
        let https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(443);
        let proxy = self.proxy.clone().filter(|proxy| proxy.is_for(&host));
        if !https {
            let (tcp, proxied) = self.plain(&uri, permit).await?;
            return Ok(Stream::plain(tcp, proxied));
        }
        let Some(proxy) = proxy else {
            let tcp = self.tcp(self.resolver.sockets(&host, port).await?, permit).await?;
            return self.handshake(tcp, &host).await;
        };
        if self.resolver.refuses(&host).await {
            return Err(ConnectError::Private);
        }
        let to_proxy = ToProxy::new(self.clone(), proxy.clone(), permit);
        let mut tunnel = Tunnel::new(proxy.uri(), to_proxy);
        if let Some(auth) = proxy.authorization() {
            tunnel = tunnel.with_auth(auth);
        }
        let tunnelled = tower_service::Service::call(&mut tunnel, uri).await;
        let tcp = tunnelled.map_err(|error| ConnectError::Io(format!("proxy: {error}")))?;
        self.handshake(tcp.into_inner(), &host).await
    }

    /// A connection without TLS, and whether it leads to a proxy.
    pub(crate) async fn plain(
        &self,
        uri: &Uri,
        permit: OwnedSemaphorePermit,
    ) -> Result<(Counted, bool), ConnectError> {
        let host = uri.host().unwrap_or_default();
        let Some(proxy) = self.proxy.as_ref().filter(|proxy| proxy.is_for(host)) else {
            let sockets = self.resolver.sockets(host, uri.port_u16().unwrap_or(80)).await?;
            return Ok((self.tcp(sockets, permit).await?, false));
        };
        if self.resolver.refuses(host).await {
            return Err(ConnectError::Private);
        }
        Ok((self.to_proxy(proxy, permit).await?, true))
    }

    pub(crate) async fn to_proxy(
        &self,
        proxy: &Proxy,
        permit: OwnedSemaphorePermit,
    ) -> Result<Counted, ConnectError> {
        let failed = |error: ConnectError| ConnectError::Io(format!("proxy: {error}"));
        let sockets = self.resolver.trusted_sockets(proxy.host(), proxy.port()).await.map_err(failed)?;
        self.tcp(sockets, permit).await.map_err(failed)
    }

    /// Tries one address after the other, each for its share of the time.
    async fn tcp(
        &self,
        sockets: Vec<SocketAddr>,
        permit: OwnedSemaphorePermit,
    ) -> Result<Counted, ConnectError> {
        let share = self.timeout / u32::try_from(sockets.len()).unwrap_or(1).max(1);
        let mut last = ConnectError::NoSuchHost;
        for socket in sockets {
            match tokio::time::timeout(share, TcpStream::connect(socket)).await {
                Ok(Ok(tcp)) => {
                    let _ = tcp.set_nodelay(true);
                    return Ok(Counted { tcp, traffic: Arc::clone(&self.traffic), _permit: permit });
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    last = ConnectError::Refused;
                }
                Ok(Err(error)) => last = ConnectError::Io(error.to_string()),
                Err(_) => last = ConnectError::Timeout,
            }
        }
        Err(last)
    }

    async fn handshake(&self, tcp: Counted, host: &str) -> Result<Stream, ConnectError> {
        let literal = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(literal).map_err(|error| ConnectError::Tls(error.to_string()))?;
        let begun = Instant::now();
        let stream = self.tls.connect(name.clone(), tcp).await.map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match inner {
                Some(inner) => ConnectError::Tls(inner.to_string()),
                // The connection ended, as any may.
                None => ConnectError::Io(format!("handshake: {error}")),
            }
        })?;
        let times = ConnectTimes { connect_ms: 0, tls_ms: crate::millis(begun) };
        let session = stream.get_ref().1;
        let version = session.protocol_version().map(|version| format!("{version:?}")).unwrap_or_default();
        let chain = session.peer_certificates().unwrap_or_default();
        let certificate = tls::certificate(chain, version.clone());
        let h2 = session.alpn_protocol() == Some(b"h2");
        let fault = self.issuers.fault(self, &self.trust, chain, &name).await;
        if let Some(fault) = fault.clone().filter(|fault| *fault != Fault::Incomplete)
            && (!self.own_hosts.contains(host) || self.headers.are_for(host))
        {
            return Err(ConnectError::Tls(fault.words()));
        }
        let certificate = certificate.map(Arc::new);
        let seen = TlsSeen { facts: TlsFacts { version }, certificate, fault: fault.map(Fault::words) };
        Ok(Stream { io: Io::Tls(Box::new(TokioIo::new(stream))), tls: Some(seen), h2, proxied: false, times })
    }
}

/// How long a connection took to be there, in milliseconds: the lookup of the name is in the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectTimes {
    /// Until the connection stood.
    pub connect_ms: u32,
    /// The TLS handshake.
    pub tls_ms: u32,
}

/// What a connection's handshake showed.
#[derive(Clone)]
pub(crate) struct TlsSeen {
    pub(crate) facts: TlsFacts,
    pub(crate) certificate: Option<Arc<Certificate>>,
    pub(crate) fault: Option<String>,
}

impl tower_service::Service<Uri> for Connector {
    type Response = Stream;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let timeout = connector.timeout;
            // Waiting for a place is not the server's fault, so it is not part of the time.
            let permit = Arc::clone(&connector.open).acquire_owned().await;
            let permit = permit.map_err(|error| ConnectError::Io(error.to_string()))?;
            let begun = Instant::now();
            match tokio::time::timeout(timeout, connector.connect(uri, permit)).await {
                Ok(result) => result.map(|mut stream| {
                    let all = crate::millis(begun);
                    stream.times.connect_ms = all.saturating_sub(stream.times.tls_ms);
                    stream
                }),
                Err(_) => Err(ConnectError::Timeout),
            }
        })
    }
}

/// TCP whose bytes are counted, and which counts as open as long as it lives.
pub(crate) struct Counted {
    tcp: TcpStream,
    traffic: Arc<Traffic>,
    _permit: OwnedSemaphorePermit,
}

impl tokio::io::AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let poll = Pin::new(&mut self.tcp).poll_read(cx, buf);
        self.traffic.received.fetch_add((buf.filled().len() - before) as u64, Ordering::Relaxed);
        poll
    }
}

impl tokio::io::AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.tcp).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = &poll {
            self.traffic.sent.fetch_add(*written as u64, Ordering::Relaxed);
        }
        poll
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// A connection as hyper takes it.
pub(crate) struct Stream {
    io: Io,
    tls: Option<TlsSeen>,
    h2: bool,
    proxied: bool,
    times: ConnectTimes,
}

enum Io {
    Plain(TokioIo<Counted>),
    Tls(Box<TokioIo<TlsStream<Counted>>>),
}

impl Stream {
    fn plain(tcp: Counted, proxied: bool) -> Self {
        Self {
            io: Io::Plain(TokioIo::new(tcp)),
            tls: None,
            h2: false,
            proxied,
            times: ConnectTimes::default(),
        }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let connected = Connected::new().proxy(self.proxied).extra(self.times);
        let connected = if self.h2 { connected.negotiated_h2() } else { connected };
        match &self.tls {
            Some(seen) => connected.extra(seen.clone()),
            None => connected,
        }
    }
}

impl hyper::rt::Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(io) => Pin::new(io).poll_read(cx, buf),
            Io::Tls(io) => Pin::new(io.as_mut()).poll_read(cx, buf),
        }
    }
}

impl hyper::rt::Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(io) => Pin::new(io).poll_write(cx, buf),
            Io::Tls(io) => Pin::new(io.as_mut()).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(io) => Pin::new(io).poll_flush(cx),
            Io::Tls(io) => Pin::new(io.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Io::Tls(io) => Pin::new(io.as_mut()).poll_shutdown(cx),
        }
    }
}
