//! Names to addresses: configured overrides, then the system, with a small cache.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::connect::ConnectError;
use crate::guard::AddressGuard;

/// How long an answer of the system's resolver is kept.
const TTL: Duration = Duration::from_secs(300);
/// Most names kept.
const CACHED_MAX: usize = 10_000;

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

type Cache = HashMap<String, (Instant, Vec<IpAddr>)>;

/// Resolves names and guards the addresses. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Resolver {
    overrides: Arc<HashMap<String, Vec<Override>>>,
    guard: AddressGuard,
    cache: Arc<Mutex<Cache>>,
}

impl Resolver {
    /// A resolver with overrides by host name; `*.a.cn` stands for every name below `a.cn`, an
    /// empty list for a name that does not exist.
    pub fn new(overrides: HashMap<String, Vec<Override>>, guard: AddressGuard) -> Self {
        Self { overrides: Arc::new(overrides), guard, cache: Arc::default() }
    }

    fn overridden(&self, host: &str) -> Option<&Vec<Override>> {
        self.overrides.get(host).or_else(|| {
            let (_, zone) = host.split_once('.')?;
            self.overrides.get(&format!("*.{zone}"))
        })
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
        if let Some((at, addresses)) = self.cache().get(host)
            && at.elapsed() < TTL
        {
            return Ok(addresses.clone());
        }
        let found = tokio::net::lookup_host((host, 0)).await.map_err(|error| {
            let text = error.to_string();
            // The system tells "no such name" and "try again" apart only in words.
            if text.contains("Temporary failure") || text.contains("try again") {
                ConnectError::Io("name lookup failed for now".to_owned())
            } else {
                ConnectError::NoSuchHost
            }
        })?;
        let addresses: Vec<IpAddr> = found.map(|socket| socket.ip()).collect();
        let mut cache = self.cache();
        if cache.len() >= CACHED_MAX {
            cache.clear();
        }
        cache.insert(host.to_owned(), (Instant::now(), addresses.clone()));
        Ok(addresses)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
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
}
