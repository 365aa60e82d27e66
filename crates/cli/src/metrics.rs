//! Counters of a running crawl in Prometheus' text format.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use xunjian_crawl::Progress;

/// The server; it ends when this is dropped.
pub(crate) struct Metrics(JoinHandle<()>);

impl Metrics {
    pub(crate) async fn serve(address: SocketAddr, progress: Arc<Progress>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("cannot offer metrics at {address}; set another `metrics.listen` or free the port")
        })?;
        let serving = async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let progress = Arc::clone(&progress);
                let service = service_fn(move |request: Request<Incoming>| {
                    let progress = Arc::clone(&progress);
                    async move { Ok::<_, Infallible>(answer(&request, &progress)) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                // A reader that goes away is no news.
                tokio::spawn(async move { connection.await.ok() });
            }
        };
        Ok(Self(tokio::spawn(serving)))
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn answer(request: &Request<Incoming>, progress: &Progress) -> Response<Full<Bytes>> {
    let (status, body) = match request.uri().path() {
        "/metrics" => (StatusCode::OK, text(progress)),
        _ => (StatusCode::NOT_FOUND, "see /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let kind = hyper::header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, kind);
    response
}

fn text(progress: &Progress) -> String {
    let read = Progress::read;
    let mut out = String::new();
    let counters = [
        ("queued", "Addresses queued, seeds included.", read(&progress.queued)),
        ("done", "Addresses done, whatever came of them.", read(&progress.done)),
        ("pages", "Pages fetched whole.", read(&progress.pages)),
        ("not_modified", "Pages unchanged by 304.", read(&progress.not_modified)),
        ("same_hash", "Pages fetched whole with the same content.", read(&progress.same_hash)),
        ("checked", "Links and files checked.", read(&progress.checked)),
        ("failed", "Exchanges without an answer.", read(&progress.failed)),
        ("limited", "Answers that asked to wait.", read(&progress.limited)),
        ("deleted", "Pages that are gone.", read(&progress.deleted)),
        ("rendered", "Pages seen through a browser.", read(&progress.rendered)),
        ("body_bytes", "Bytes of bodies.", read(&progress.body_bytes)),
        ("batches", "Batches acknowledged by the store.", read(&progress.batches)),
    ];
    for (name, help, value) in counters {
        let _ = write!(
            out,
            "# HELP xunjian_crawl_{name}_total {help}\n# TYPE xunjian_crawl_{name}_total counter\nxunjian_crawl_{name}_total {value}\n"
        );
    }
    let hosts = progress.hosts();
    let mut gauge = |name: &str, help: &str, value: &dyn Fn(&xunjian_crawl::HostProgress) -> u64| {
        let _ = write!(out, "# HELP xunjian_host_{name} {help}\n# TYPE xunjian_host_{name} gauge\n");
        for host in &hosts {
            let site = host.site.as_ref().map_or("", |site| site.as_str());
            let _ = writeln!(
                out,
                "xunjian_host_{name}{{site=\"{site}\",host=\"{}\"}} {}",
                host.host,
                value(host)
            );
        }
    };
    gauge("requests", "Requests of this process.", &|host| host.requests);
    gauge("blocked_seconds", "Seconds for which the host is left alone still.", &|host| host.blocked_s);
    gauge("given_up", "1 when the host is left alone for the rest of the run.", &|host| {
        u64::from(host.given_up)
    });
    out
}
