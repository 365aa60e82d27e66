//! Whom we trust: certificates are judged after the handshake, when what a server leaves out of its chain can
//! still be fetched, as browsers do.

use std::sync::Arc;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The server leaves out who issued it, which was found where the certificate says.
    Incomplete,
    /// Nobody we trust issued it.
    Issuer,
    /// Anything else, in words.
    Other(String),
}

impl Fault {
    /// In words that [`xunjian_model::LinkState::Tls`] holds.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Incomplete => "the server leaves out who issued its certificate".to_owned(),
            Self::Issuer => "issued by nobody who is trusted".to_owned(),
            Self::Other(words) => words,
        }
    }
}

/// Judges chains.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    /// None where nobody is trusted.
    verifier: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Trust {
    pub(crate) fn new(roots: RootCertStore, provider: &Arc<CryptoProvider>) -> Self {
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
        Self { verifier: verifier.ok(), provider: Arc::clone(provider) }
    }

    /// For the handshake, which takes every certificate, but only from who has its key.
    pub(crate) fn later(&self) -> Arc<dyn ServerCertVerifier> {
        Arc::new(Later(self.provider.signature_verification_algorithms))
    }

    /// What is wrong with what a server sent, with `more` certificates in its chain.
    pub(crate) fn fault(
        &self,
        chain: &[CertificateDer<'_>],
        more: &[CertificateDer<'_>],
        name: &ServerName<'_>,
    ) -> Option<Fault> {
        let Some((leaf, rest)) = chain.split_first() else {
            return Some(Fault::Other("no certificate".to_owned()));
        };
        let between: Vec<CertificateDer<'_>> = rest.iter().chain(more).cloned().collect();
        let Some(verifier) = &self.verifier else { return Some(Fault::Issuer) };
        let Err(error) = verifier.verify_server_cert(leaf, &between, name, &[], UnixTime::now()) else {
            return None;
        };
        let Error::InvalidCertificate(error) = error else { return Some(Fault::Other(error.to_string())) };
        Some(Fault::Other(
            match error {
                CertificateError::UnknownIssuer => return Some(Fault::Issuer),
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => "expired",
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    "not valid yet"
                }
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    "issued for another name"
                }
                other => return Some(Fault::Other(format!("{other:?}"))),
            }
            .to_owned(),
        ))
    }
}

/// Leaves the certificate for later, and checks that the server has its key.
#[derive(Debug)]
struct Later(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Later {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
