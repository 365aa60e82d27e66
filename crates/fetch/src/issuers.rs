//! Certificates that servers leave out of their chains, from where theirs says they are (RFC 5280 section
//! 4.2.2.1, `caIssuers`). Many servers of the field send their own certificate alone; browsers on computers fetch
//! the rest, so their visitors see nothing of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::sync::Semaphore;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, X509Certificate};
use xunjian_model::PageUrl;

use crate::connect::Connector;
use crate::trust::{Fault, Trust};

/// Bytes of a certificate.
const BYTES_MAX: usize = 64 << 10;
/// Certificates that are remembered.
const REMEMBERED: usize = 256;
/// Certificates that may be missing in a row.
const MISSING_MAX: usize = 3;
/// `id-ad-caIssuers`.
const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";

/// What was fetched, by address; `None`: there is no certificate.
#[derive(Clone)]
pub(crate) struct Issuers {
    known: Arc<Mutex<HashMap<String, Option<CertificateDer<'static>>>>>,
    /// One is fetched at a time, beside the limit of connections: whoever waits for it holds one of these.
    turn: Arc<Semaphore>,
}

impl Issuers {
    pub(crate) fn new() -> Self {
        Self { known: Arc::default(), turn: Arc::new(Semaphore::new(1)) }
    }

    /// What is wrong with a chain, once what is missing of it was looked for.
    pub(crate) async fn fault(
        &self,
        connector: &Connector,
        trust: &Trust,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
    ) -> Option<Fault> {
        let fault = trust.fault(chain, &[], name);
        if fault != Some(Fault::Issuer) {
            return fault;
        }
        let mut more: Vec<CertificateDer<'static>> = Vec::new();
        while more.len() < MISSING_MAX {
            // Whatever else was sent, its own issuer's comes first.
            let last = more.last().or(chain.first())?;
            let Some(issuer) = self.issuer(connector, last).await else { break };
            more.push(issuer);
            match trust.fault(chain, &more, name) {
                None => return Some(Fault::Incomplete),
                Some(Fault::Issuer) => {}
                other => return other,
            }
        }
        Some(Fault::Issuer)
    }

    async fn issuer(
        &self,
        connector: &Connector,
        certificate: &CertificateDer<'_>,
    ) -> Option<CertificateDer<'static>> {
        let url = issuer_url(certificate)?;
        let turn = Arc::clone(&self.turn).acquire_owned().await.ok()?;
        if let Some(known) = self.known().get(url.as_str()) {
            return known.clone();
        }
        let found = fetch(connector, &url, turn).await;
        let mut known = self.known();
        if known.len() < REMEMBERED {
            known.insert(url.into(), found.clone());
        }
        found
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Option<CertificateDer<'static>>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a certificate says its issuer's is; never behind TLS, which would need one, too.
fn issuer_url(certificate: &CertificateDer<'_>) -> Option<PageUrl> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let places =
        certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityInfoAccess(access) => Some(&access.accessdescs),
            _ => None,
        })?;
    let urls = places.iter().filter_map(|place| match &place.access_location {
        GeneralName::URI(url) if place.access_method.to_id_string() == CA_ISSUERS => PageUrl::parse(url).ok(),
        _ => None,
    });
    urls.into_iter().find(|url| !url.is_https())
}

async fn fetch(
    connector: &Connector,
    url: &PageUrl,
    turn: tokio::sync::OwnedSemaphorePermit,
) -> Option<CertificateDer<'static>> {
    let uri: hyper::Uri = url.as_str().parse().ok()?;
    let (tcp, proxied) = connector.plain(&uri, turn).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.ok()?;
    // It ends with what is asked through it.
    tokio::spawn(connection);
    let target = if proxied { url.as_str() } else { url.path_and_query() };
    let host = url.as_url().port().map_or(url.host().to_owned(), |port| format!("{}:{port}", url.host()));
    let request = hyper::Request::get(target).header("host", host).header("connection", "close");
    let answer = sender.send_request(request.body(Empty::<Bytes>::new()).ok()?).await.ok()?;
    if answer.status() != hyper::StatusCode::OK {
        return None;
    }
    let body = Limited::new(answer.into_body(), BYTES_MAX).collect().await.ok()?.to_bytes();
    let certificate = match body.starts_with(b"-----") {
        true => CertificateDer::from_pem_slice(&body).ok()?,
        false => CertificateDer::from(body.to_vec()),
    };
    X509Certificate::from_der(&certificate).is_ok().then_some(certificate)
}
