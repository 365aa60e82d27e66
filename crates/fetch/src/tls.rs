//! TLS: how we speak it, and what a certificate says.

use std::sync::Arc;

use jiff::Timestamp;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};
use xunjian_model::Certificate;

use crate::trust::Trust;
use crate::{SetupError, cbc_suites};

/// Names of a certificate that are kept.
const NAMES_MAX: usize = 64;

/// Trusts the system's roots and, beside them, the configured authority.
pub(crate) fn config(authority: Option<&[u8]>) -> Result<(ClientConfig, Trust), SetupError> {
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
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites.extend(cbc_suites::suites());
    let provider = Arc::new(provider);
    let trust = Trust::new(roots, &provider);
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(trust.later())
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((config, trust))
}

/// What a server's chain says; `None` when its first certificate cannot be read.
pub(crate) fn certificate(chain: &[CertificateDer<'_>], version: String) -> Option<Certificate> {
    let (_, leaf) = X509Certificate::from_der(chain.first()?).ok()?;
    let names = leaf.subject_alternative_name().ok().flatten();
    let names = names.map(|names| names.value.general_names.as_slice()).unwrap_or_default();
    let names = names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    Some(Certificate {
        version,
        names: names.take(NAMES_MAX).collect(),
        issuer: leaf.issuer().to_string().chars().take(200).collect(),
        chain: u8::try_from(chain.len()).unwrap_or(u8::MAX),
        not_after: Timestamp::from_second(leaf.validity().not_after.timestamp()).unwrap_or_default(),
    })
}
