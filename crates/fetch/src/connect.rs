//! Connections: guarded address, TCP, TLS, bytes counted.

use std::error::Error as _;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::rt::ReadBufCursor;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};
use xunjian_model::{LinkState, TlsFacts};

use crate::SetupError;
use crate::resolve::Resolver;

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

/// Trusts the system's roots and, beside them, the configured authority.
pub(crate) fn tls_config(authority: Option<&[u8]>) -> Result<ClientConfig, SetupError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(pem) = authority {
        let bad = |error: String| SetupError::Authority(error);
        let mut added = 0;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| bad(error.to_string()))?;
            roots.add(certificate).map_err(|error| bad(error.to_string()))?;
            added += 1;
        }
        if added == 0 {
            return Err(bad("no BEGIN CERTIFICATE block".to_owned()));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
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

#[derive(Clone)]
pub(crate) struct Connector {
    resolver: Resolver,
    tls: TlsConnector,
    timeout: Duration,
    traffic: Arc<Traffic>,
}

impl Connector {
    pub(crate) fn new(
        resolver: Resolver,
        tls: ClientConfig,
        timeout: Duration,
        traffic: Arc<Traffic>,
    ) -> Self {
        Self { resolver, tls: TlsConnector::from(Arc::new(tls)), timeout, traffic }
    }

    async fn connect(self, uri: Uri) -> Result<Stream, ConnectError> {
        let host = uri.host().unwrap_or_default().to_owned();
        let https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let mut last = ConnectError::NoSuchHost;
        for socket in self.resolver.sockets(&host, port).await? {
            match TcpStream::connect(socket).await {
                Ok(tcp) => {
                    let _ = tcp.set_nodelay(true);
                    let tcp = Counted { tcp, traffic: Arc::clone(&self.traffic) };
                    return if https { self.handshake(tcp, &host).await } else { Ok(Stream::plain(tcp)) };
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    last = ConnectError::Refused
                }
                Err(error) => last = ConnectError::Io(error.to_string()),
            }
        }
        Err(last)
    }

    async fn handshake(&self, tcp: Counted, host: &str) -> Result<Stream, ConnectError> {
        let literal = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(literal).map_err(|error| ConnectError::Tls(error.to_string()))?;
        let stream = self.tls.connect(name, tcp).await.map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match inner {
                Some(inner) => ConnectError::Tls(inner.to_string()),
                None => ConnectError::Tls(format!("handshake: {error}")),
            }
        })?;
        let version = stream.get_ref().1.protocol_version();
        let version = version.map(|version| format!("{version:?}")).unwrap_or_default();
        Ok(Stream { io: Io::Tls(Box::new(TokioIo::new(stream))), tls: Some(TlsFacts { version }) })
    }
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
            match tokio::time::timeout(timeout, connector.connect(uri)).await {
                Ok(result) => result,
                Err(_) => Err(ConnectError::Timeout),
            }
        })
    }
}

/// TCP whose bytes are counted.
struct Counted {
    tcp: TcpStream,
    traffic: Arc<Traffic>,
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
    tls: Option<TlsFacts>,
}

enum Io {
    Plain(TokioIo<Counted>),
    Tls(Box<TokioIo<TlsStream<Counted>>>),
}

impl Stream {
    fn plain(tcp: Counted) -> Self {
        Self { io: Io::Plain(TokioIo::new(tcp)), tls: None }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        match &self.tls {
            Some(facts) => Connected::new().extra(facts.clone()),
            None => Connected::new(),
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
