//! Names to addresses: configured overrides, then DNS, kept as long as its answers allow.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use tokio::time::Instant;

use crate::SetupError;
use crate::connect::ConnectError;
use crate::guard::AddressGuard;

/// A server that says "for 0 seconds" is not asked before every connection.
const TTL_MIN: Duration = Duration::from_secs(10);
/// An answer that claims to hold for weeks is asked for again.
const TTL_MAX: Duration = Duration::from_secs(3_600);
/// A name that does not exist now may exist soon.
const NEGATIVE_TTL_MAX: Duration = Duration::from_secs(60);
/// Names kept.
const CACHED_MAX: u64 = 10_000;
/// A name that could not be asked for within so long is not asked for again so long: pages may redirect there one
/// after the other.
const FAILED_SLOW: Duration = Duration::from_secs(1);
const FAILED_TTL: Duration = Duration::from_secs(30);
/// Such names that are remembered.
const FAILED_MAX: usize = 1_000;

/// A configured address: `127.0.0.1`, `127.0.0.1:8080` or `[::1]:8080`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Override {
    address: IpAddr,
    port: Option<u16>,
}

/// Why a text is not an address.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not an address: write 127.0.0.1, 127.0.0.1:8080 or [::1]:8080")]
pub struct OverrideError(String);

impl std::str::FromStr for Override {
    type Err = OverrideError;
    fn from_str(text: &str) -> Result<Self, OverrideError> {
        if let Ok(address) = text.parse() {
            return Ok(Self { address, port: None });
        }
        match text.parse::<SocketAddr>() {
            Ok(socket) => Ok(Self { address: socket.ip(), port: Some(socket.port()) }),
            Err(_) => Err(OverrideError(text.to_owned())),
        }
    }
}

/// Resolves names and guards the addresses. Cheap to clone.
#[derive(Clone)]
pub struct Resolver {
    overrides: Arc<HashMap<String, Vec<Override>>>,
    guard: AddressGuard,
    /// `None` when the system names no server.
    dns: Option<TokioResolver>,
    /// Names whose servers did not answer: when, and the reason.
    failed: Arc<Mutex<HashMap<String, (Instant, String)>>>,
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").field("overrides", &self.overrides.len()).finish_non_exhaustive()
    }
}

impl Resolver {
    /// A resolver with overrides by host name; `*.a.cn` stands for every name below `a.cn`, an
    /// empty list for a name that does not exist. Without `servers` the system's are asked.
    pub fn new(
        overrides: HashMap<String, Vec<Override>>,
        guard: AddressGuard,
        servers: &[SocketAddr],
    ) -> Result<Self, SetupError> {
        Ok(Self { overrides: Arc::new(overrides), guard, dns: dns(servers)?, failed: Arc::default() })
    }

    fn overridden(&self, host: &str) -> Option<&Vec<Override>> {
        self.overrides.get(host).or_else(|| {
            let (_, zone) = host.split_once('.')?;
            self.overrides.get(&format!("*.{zone}"))
        })
    }

    /// What a name is overridden with when only its IPv6 addresses may be used; empty without any.
    pub async fn only_ipv6(&self, host: &str) -> Vec<Override> {
        if let Some(own) = self.overridden(host) {
            return own.iter().filter(|own| own.address.is_ipv6()).copied().collect();
        }
        let found = self.addresses(host).await.unwrap_or_default().into_iter();
        found.filter(IpAddr::is_ipv6).map(|address| Override { address, port: None }).collect()
    }

    /// Every address of a name, unguarded: a fact about it, not a permission.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, ConnectError> {
        if let Some(overrides) = self.overridden(host) {
            return Ok(overrides.iter().map(|own| own.address).collect());
        }
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = literal.parse() {
            return Ok(vec![address]);
        }
        let failed = |reason: String| ConnectError::Io(format!("name lookup failed for now: {reason}"));
        let dns = self.dns.as_ref().ok_or_else(|| failed("the system names no name server".to_owned()))?;
        if let Some(reason) = self.failed_before(host) {
            return Err(failed(reason));
        }
        let begun = Instant::now();
        // The final dot keeps the system's search domains out of it.
        match dns.lookup_ip(format!("{host}.")).await {
            Ok(found) => {
                let mut addresses: Vec<IpAddr> = found.iter().collect();
                // Always the same one first, so that the pace per address is the pace it sees.
                addresses.sort_unstable();
                Ok(addresses)
            }
            Err(error) if error.is_nx_domain() || error.is_no_records_found() => {
                Err(ConnectError::NoSuchHost)
            }
            Err(error) => {
                if begun.elapsed() >= FAILED_SLOW {
                    self.note_failed(host, error.to_string());
                }
                Err(failed(error.to_string()))
            }
        }
    }

    fn failed_before(&self, host: &str) -> Option<String> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, reason) = failed.get(host)?;
        (at.elapsed() < FAILED_TTL).then(|| reason.clone())
    }

    fn note_failed(&self, host: &str, reason: String) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.len() >= FAILED_MAX {
            failed.retain(|_, (at, _)| at.elapsed() < FAILED_TTL);
        }
        if failed.len() < FAILED_MAX {
            failed.insert(host.to_owned(), (Instant::now(), reason));
        }
    }

    /// The addresses a request to a host may reach: what the pace per address is kept for.
    pub async fn reachable(&self, host: &str) -> Vec<IpAddr> {
        let addresses = self.addresses(host).await.unwrap_or_default();
        addresses.into_iter().filter(|address| self.guard.allows(*address)).collect()
    }

    /// The addresses to connect to, guarded. Called for every connection, so that a name that
    /// changes its address between two requests gains nothing.
    pub(crate) async fn sockets(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
        let sockets: Vec<SocketAddr> = match self.overridden(host) {
            Some(own) => {
                own.iter().map(|own| SocketAddr::new(own.address, own.port.unwrap_or(port))).collect()
            }
            None => {
                let found = self.addresses(host).await?;
                found.into_iter().map(|address| SocketAddr::new(address, port)).collect()
            }
        };
        if sockets.is_empty() {
            return Err(ConnectError::NoSuchHost);
        }
        let allowed: Vec<SocketAddr> =
            sockets.into_iter().filter(|socket| self.guard.allows(socket.ip())).collect();
        if allowed.is_empty() { Err(ConnectError::Private) } else { Ok(allowed) }
    }

    /// Addresses of a name without the guard: for the proxy the configuration names.
    pub(crate) async fn trusted_sockets(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, ConnectError> {
        let found = self.addresses(host).await?;
        Ok(found.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }

    /// Whether a host that a proxy will ask is a private one. A name only the proxy knows is not
    /// judged here.
    pub(crate) async fn refuses(&self, host: &str) -> bool {
        let addresses = self.addresses(host).await.unwrap_or_default();
        !addresses.is_empty() && !addresses.iter().any(|address| self.guard.allows(*address))
    }
}

fn dns(servers: &[SocketAddr]) -> Result<Option<TokioResolver>, SetupError> {
    let mut builder = if servers.is_empty() {
        match TokioResolver::builder_tokio() {
            Ok(builder) => builder,
            Err(error) => {
                tracing::warn!(%error, "the system's name servers are not known; only configured names resolve");
                return Ok(None);
            }
        }
    } else {
        let servers = servers.iter().map(|server| {
            let mut udp = ConnectionConfig::udp();
            let mut tcp = ConnectionConfig::tcp();
            udp.port = server.port();
            tcp.port = server.port();
            NameServerConfig::new(server.ip(), true, vec![udp, tcp])
        });
        let config = ResolverConfig::from_parts(None, vec![], servers.collect());
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    options(builder.options_mut());
    builder.build().map(Some).map_err(|error| SetupError::Names(error.to_string()))
}

fn options(options: &mut ResolverOpts) {
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.positive_min_ttl = Some(TTL_MIN);
    options.positive_max_ttl = Some(TTL_MAX);
    options.negative_max_ttl = Some(NEGATIVE_TTL_MAX);
    options.cache_size = CACHED_MAX;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_name_whose_server_does_not_answer_is_not_waited_for_again_at_once() {
        // It takes questions and says nothing.
        let silent = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
        let servers = [silent.local_addr().expect("an address")];
        let resolver = Resolver::new(HashMap::new(), AddressGuard::default(), &servers).expect("a resolver");
        let seconds = async || {
            let begun = Instant::now();
            let failed = resolver.addresses("a.test").await.expect_err("nobody answers");
            assert!(matches!(failed, ConnectError::Io(_)), "{failed}");
            begun.elapsed().as_secs()
        };
        assert!(seconds().await >= 1);
        assert_eq!(seconds().await, 0);
        tokio::time::sleep(FAILED_TTL).await;
        assert!(seconds().await >= 1, "it is asked for again");
    }
}
