//! The city's certificate authority, and certificates with faults.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::City;
use crate::serve::ServeError;

/// Hosts by what is wrong with their certificate. A host that none of these names gets the good
/// certificate, which does not name it: that is its fault.
pub(crate) struct ForHosts {
    pub(crate) good: Vec<String>,
    pub(crate) expired: String,
    pub(crate) selfsigned: String,
}

#[derive(Debug)]
struct ByName {
    good: Arc<CertifiedKey>,
    expired: (String, Arc<CertifiedKey>),
    selfsigned: (String, Arc<CertifiedKey>),
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or_default();
        let faulty = [&self.expired, &self.selfsigned];
        let found = faulty.iter().find(|(host, _)| host == name).map(|(_, key)| key);
        Some(Arc::clone(found.unwrap_or(&self.good)))
    }
}

/// The server's side of TLS and the authority's certificate in PEM.
pub(crate) fn server(city: &City) -> Result<(rustls::ServerConfig, String), ServeError> {
    certificates(ForHosts {
        good: city.sites().iter().filter(|site| site.https).map(|site| site.host.clone()).collect(),
        expired: "expired-tls-sim.cn".to_owned(),
        selfsigned: "selfsigned-sim.cn".to_owned(),
    })
}

/// The same for any hosts.
pub(crate) fn certificates(hosts: ForHosts) -> Result<(rustls::ServerConfig, String), ServeError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "xunjian simulated city");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

    let good = signed(CertificateParams::new(hosts.good)?, &authority)?;
    let mut old = CertificateParams::new(vec![hosts.expired.clone()])?;
    old.not_before = rcgen::date_time_ymd(2020, 1, 1);
    old.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let expired = (hosts.expired, signed(old, &authority)?);
    let key = KeyPair::generate()?;
    let own = CertificateParams::new(vec![hosts.selfsigned.clone()])?.self_signed(&key)?;
    let selfsigned = (hosts.selfsigned, certified(own.der().clone(), &key)?);

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(ByName { good, expired, selfsigned }));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((config, authority.pem()))
}

fn signed(
    params: CertificateParams,
    authority: &CertifiedIssuer<'_, KeyPair>,
) -> Result<Arc<CertifiedKey>, ServeError> {
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    certified(certificate.der().clone(), &key)
}

fn certified(der: CertificateDer<'static>, key: &KeyPair) -> Result<Arc<CertifiedKey>, ServeError> {
    let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(ServeError::Key)?;
    Ok(Arc::new(CertifiedKey::new(vec![der], any_supported_type(&private)?)))
}
