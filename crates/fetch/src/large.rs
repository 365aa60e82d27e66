//! Large bodies: only so many are in memory at once, whoever asked for them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places for large bodies.
#[derive(Clone, Debug)]
pub(crate) struct LargeBodies {
    places: Arc<Semaphore>,
    /// Bytes from which a body is large.
    pub(crate) from: usize,
}

/// A place for a large body, given back when this is dropped with the body.
#[derive(Clone, Debug, Default)]
pub struct HeldPlace(#[allow(dead_code, reason = "held, not read")] Option<Arc<OwnedSemaphorePermit>>);

impl LargeBodies {
    pub(crate) fn new(from: usize, at_once: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(at_once)), from }
    }

    /// Waits for a place, and how long that took; `None` when none came free in time. Who holds a large body may
    /// ask for another one, so nobody waits for ever.
    pub(crate) async fn place(&self, patience: Duration) -> Option<(HeldPlace, Duration)> {
        let begun = Instant::now();
        let place = tokio::time::timeout(patience, Arc::clone(&self.places).acquire_owned()).await;
        Some((HeldPlace(Some(Arc::new(place.ok()?.ok()?))), begun.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use xunjian_model::PageUrl;

    use crate::{Ask, FetchLimits, Fetcher, Network, OpenGate, Override};

    /// Sends 300,000 bytes to everybody, packed for whom asks for `/packed`.
    fn serve() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("address").port();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = [0; 2_048];
                let read = stream.read(&mut head).unwrap_or(0);
                let packed = head[..read].starts_with(b"GET /packed");
                let text = vec![b'a'; 300_000];
                let (body, coding) = match packed {
                    true => (zstd::encode_all(&text[..], 3).expect("packed"), "content-encoding: zstd\r\n"),
                    false => (text, ""),
                };
                let head = format!(
                    "HTTP/1.1 200 OK\r\n{coding}content-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(&[head.into_bytes(), body].concat());
            }
        });
        port
    }

    #[test]
    fn only_so_many_large_bodies_are_there_at_once() {
        let own = format!("127.0.0.1:{}", serve()).parse::<Override>().expect("an address");
        let limits = FetchLimits {
            large_body_bytes: 100_000,
            large_bodies_max: 1,
            total_timeout: std::time::Duration::from_millis(400),
            ..FetchLimits::default()
        };
        let network = Network {
            resolve: [("a.test".to_owned(), vec![own])].into(),
            guard: "127.0.0.0/8".parse().map(|net| crate::AddressGuard::new(vec![net])).expect("a guard"),
            ..Network::default()
        };
        let fetcher = Fetcher::new(limits, &network).expect("a client");
        let get = async |path: &str| {
            let url = PageUrl::parse(&format!("http://a.test{path}")).expect("url");
            fetcher.fetch(Ask::get(url), &OpenGate).await.expect("an answer")
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let first = get("/").await;
            assert_eq!((first.body.len(), first.truncated), (300_000, false));
            // As long as that is held, nobody else has a place; what came until then is kept.
            for path in ["/", "/packed"] {
                let second = get(path).await;
                assert!(
                    second.truncated && (100_000..200_000).contains(&second.body.len()),
                    "{}",
                    second.body.len()
                );
            }
            let waiting = get("/packed");
            let release = async {
                tokio::time::sleep(std::time::Duration::from_millis(150)).await;
                drop(first);
            };
            let (waited, ()) = tokio::join!(waiting, release);
            assert_eq!((waited.body.len(), waited.truncated), (300_000, false));
            drop(waited);
            assert_eq!(get("/").await.body.len(), 300_000);
        });
    }
}
