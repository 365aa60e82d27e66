//! An HTTP proxy between us and the web.

use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll};

use data_encoding::BASE64;
use hyper::Uri;
use hyper::header::HeaderValue;
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use crate::connect::{ConnectError, Connector, Counted};

/// A proxy, and the hosts that are asked without it.
#[derive(Clone)]
pub struct Proxy {
    url: Url,
    except: Vec<String>,
}

/// Its password is not shown.
impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proxy({}:{})", self.host(), self.port())
    }
}

/// Why a text is not a proxy.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a proxy: write http://proxy.a.gov.cn:3128 or http://user:password@proxy:3128")]
pub struct ProxyError;

impl FromStr for Proxy {
    type Err = ProxyError;
    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let url: Url = text.trim().parse().map_err(|_| ProxyError)?;
        let usable = url.scheme() == "http" && url.has_host() && matches!(url.path(), "" | "/");
        if usable { Ok(Self { url, except: Vec::new() }) } else { Err(ProxyError) }
    }
}

impl Proxy {
    /// The same proxy, but not for these hosts and the hosts below them.
    pub fn except(self, hosts: &[String]) -> Self {
        let hosts = hosts.iter().map(|host| host.trim_start_matches("*.").to_ascii_lowercase());
        Self { except: hosts.collect(), ..self }
    }

    pub(crate) fn is_for(&self, host: &str) -> bool {
        !self
            .except
            .iter()
            .any(|own| host == own || host.strip_suffix(own).is_some_and(|left| left.ends_with('.')))
    }

    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.port().unwrap_or(80)
    }

    pub(crate) fn uri(&self) -> Uri {
        format!("http://{}:{}", self.host(), self.port()).parse().unwrap_or_default()
    }

    /// `Proxy-Authorization` (RFC 7617), if the address names a user.
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        if self.url.username().is_empty() {
            return None;
        }
        let pair = format!("{}:{}", self.url.username(), self.url.password().unwrap_or_default());
        let mut value = HeaderValue::from_str(&format!("Basic {}", BASE64.encode(pair.as_bytes()))).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// Connects to the proxy whatever it is asked for; used once.
pub(crate) struct ToProxy {
    connector: Connector,
    proxy: Proxy,
    permit: Option<OwnedSemaphorePermit>,
}

impl ToProxy {
    pub(crate) fn new(connector: Connector, proxy: Proxy, permit: OwnedSemaphorePermit) -> Self {
        Self { connector, proxy, permit: Some(permit) }
    }
}

impl tower_service::Service<Uri> for ToProxy {
    type Response = TokioIo<Counted>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Counted>, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (connector, proxy, permit) = (self.connector.clone(), self.proxy.clone(), self.permit.take());
        Box::pin(async move {
            let permit = permit.ok_or_else(|| ConnectError::Io("the tunnel was used twice".to_owned()))?;
            connector.to_proxy(&proxy, permit).await.map(TokioIo::new)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_their_exceptions_and_their_silence() {
        let proxy: Proxy = "http://u:secret@p.cn:3128".parse().expect("a proxy");
        let proxy = proxy.except(&["*.intra.gov.cn".to_owned()]);
        assert!(proxy.is_for("www.gov.cn") && proxy.is_for("xintra.gov.cn"));
        assert!(!proxy.is_for("a.intra.gov.cn") && !proxy.is_for("intra.gov.cn"));
        assert!(!format!("{proxy:?}").contains("secret"));
        assert_eq!(proxy.authorization().expect("value"), "Basic dTpzZWNyZXQ=");
        for bad in ["p.cn:3128", "https://p.cn", "socks5://p.cn", "http://p.cn/x", ""] {
            assert!(bad.parse::<Proxy>().is_err(), "{bad}");
        }
    }
}
