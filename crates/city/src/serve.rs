//! The city on loopback: every host behind one listener, HTTP and TLS told apart by first byte.

use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderName;
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::City;
use crate::site_server::{Answer, Ask};

/// Why the city could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port could not be had.
    #[error("cannot listen on 127.0.0.1:{port}: {source}; choose another --port")]
    Bind {
        /// The port asked for.
        port: u16,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A certificate could not be made.
    #[error("cannot make the city's certificates: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS could not be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// A key could not be read back.
    #[error("cannot read back a key: {0}")]
    Key(&'static str),
}

/// A city being served; it stops when this is dropped.
#[derive(Debug)]
pub struct Served {
    /// The port on 127.0.0.1 and, where the machine has it, on ::1.
    pub port: u16,
    /// The authority to trust, PEM.
    pub ca_pem: String,
    requests: Arc<AtomicU64>,
    tasks: JoinSet<()>,
}

impl Served {
    /// Requests answered so far.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Serves until the task is cancelled.
    pub async fn forever(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Bytes of a form that are read.
const FORM_BYTES_MAX: usize = 64 << 10;

impl City {
    /// Serves the city on loopback; port 0 takes any free one.
    pub async fn serve(self: Arc<Self>, port: u16) -> Result<Served, ServeError> {
        let (tls, ca_pem) = crate::tls::server(&self)?;
        let bind = |source| ServeError::Bind { port, source };
        let v4 = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.map_err(bind)?;
        let port = v4.local_addr().map_err(bind)?.port();
        let requests = Arc::new(AtomicU64::new(0));
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let mut tasks = JoinSet::new();
        // A machine without IPv6 serves IPv4 alone.
        let v6 = TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await.ok();
        for listener in std::iter::once(v4).chain(v6) {
            let (city, acceptor, requests) = (Arc::clone(&self), acceptor.clone(), Arc::clone(&requests));
            tasks.spawn(accept(listener, city, acceptor, requests));
        }
        Ok(Served { port, ca_pem, requests, tasks })
    }
}

async fn accept(listener: TcpListener, city: Arc<City>, tls: TlsAcceptor, requests: Arc<AtomicU64>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, Arc::clone(&city), tls.clone(), Arc::clone(&requests)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, city: Arc<City>, tls: TlsAcceptor, requests: Arc<AtomicU64>) {
    const TLS_HANDSHAKE: u8 = 0x16;
    let _ = stream.set_nodelay(true);
    let mut first = [0];
    if stream.peek(&mut first).await.unwrap_or(0) == 0 {
        return;
    }
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        requests.fetch_add(1, Ordering::Relaxed);
        let city = Arc::clone(&city);
        async move { Ok::<_, Infallible>(respond(&city, request).await) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new());
    // A client that goes away mid-answer is no fault of the city.
    if first[0] == TLS_HANDSHAKE {
        if let Ok(stream) = tls.accept(stream).await {
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        }
    } else {
        let _ = http.serve_connection(TokioIo::new(stream), service).await;
    }
}

async fn respond(city: &City, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (request, body) = request.into_parts();
    let mut path = request.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    if request.method == Method::POST {
        // A form is answered as the same question in an address is.
        let fields = Limited::new(body, FORM_BYTES_MAX).collect().await;
        let fields = fields.map(|fields| fields.to_bytes()).unwrap_or_default();
        path = format!("{path}?{}", String::from_utf8_lossy(&fields));
    }
    let header = |name: &str| text(&request.headers, name);
    let host = header("host");
    let ask = Ask {
        host: host.rsplit_once(':').map_or(host, |(host, _)| host),
        path: &path,
        agent: header("user-agent"),
        referer: header("referer"),
        none_match: header("if-none-match"),
        modified_since: header("if-modified-since"),
        accepts: header("accept-encoding"),
    };
    let mut answer = city.answer(&ask);
    if request.method == Method::HEAD {
        answer.headers.push(("content-length", answer.body.len().to_string()));
        answer.body.clear();
    }
    response(answer)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    if let Ok(status) = answer.status.try_into() {
        *response.status_mut() = status;
    }
    for (name, value) in answer.headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
