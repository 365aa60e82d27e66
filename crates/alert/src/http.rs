//! Posts JSON. Errors never show an address: robots carry their key in it.

use std::sync::Arc;

use reqwest::{Client, StatusCode, header};
use serde_json::Value;

use crate::{AlertError, Secret, SendError};

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 << 10;

pub(crate) struct Http(Client);

/// An HTTP client with the system's roots that follows no redirect.
pub fn client() -> Result<Client, AlertError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| AlertError::Client(error.to_string()))?;
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let tls = versions.with_root_certificates(roots).with_no_client_auth();
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("xunjian/", env!("CARGO_PKG_VERSION")))
        .build();
    client.map_err(|error| AlertError::Client(error.to_string()))
}

impl Http {
    pub(crate) fn new() -> Result<Self, AlertError> {
        client().map(Self)
    }

    /// Posts a body; answers with what came back, if it is JSON.
    pub(crate) async fn post(
        &self,
        url: &Secret,
        content_type: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<Value, SendError> {
        let later = |error: reqwest::Error| SendError::Later(told(&error.without_url()));
        let mut request = self.0.post(url.reveal()).header(header::CONTENT_TYPE, content_type).body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let mut response = request.send().await.map_err(later)?;
        let status = response.status();
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(later)? {
            answer.extend_from_slice(&chunk);
            if answer.len() > ANSWER_BYTES_MAX {
                break;
            }
        }
        if status.is_success() {
            return Ok(serde_json::from_slice(&answer).unwrap_or(Value::Null));
        }
        let text: String = String::from_utf8_lossy(&answer).chars().take(200).collect();
        let reason =
            format!("answered {status}{}", if text.is_empty() { String::new() } else { format!(": {text}") });
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(SendError::Later(format!("{reason}; look at the secret of this sink")))
            }
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
                Err(SendError::Never(reason))
            }
            status if status.is_redirection() => {
                Err(SendError::Later(format!("{reason}; write the address it leads to")))
            }
            _ => Err(SendError::Later(reason)),
        }
    }

    /// Posts JSON.
    pub(crate) async fn post_json(&self, url: &Secret, body: &Value) -> Result<Value, SendError> {
        self.post(url, "application/json", &[], body.to_string().into_bytes()).await
    }
}

/// An error with what is behind it.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}
