//! Turns with hosts and addresses that all workers take.
//!
//! Of each there is one value, the moment before which nobody may ask, and whoever asks moves it on. The
//! bucket takes a value only from somebody who knows the one before, so of two who want the same turn one gets
//! it and the other sees why not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::kv::{self, UpdateErrorKind};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};
use xunjian_crawl::{JointPace, Place, Placing, Turn};

use crate::ClusterError;
use crate::clock::Clock;
use crate::places::Places;

/// Longest time slept before a value is looked at again: somebody may have moved it.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Pause when the server does not answer.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// How much of its period may be over before a turn is used; less than what periods are longer than the rate
/// asks.
const OLD: f64 = 0.04;
/// Times a turn that grew old is moved on; where the server always takes that long to answer, it is so for
/// everybody.
const MOVES_MAX: u32 = 3;
/// Values remembered, so that a worker that asks alone need not read each before it moves it on.
const REMEMBERED: usize = 4_096;

/// A value of the bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Kept {
    /// Microseconds since 1970 by the server's clock.
    not_before: i64,
    /// Its revision; 0: there is none.
    revision: u64,
}

/// The turns.
pub(crate) struct Pace {
    turns: Arc<Turns>,
    places: Arc<Places>,
}

struct Turns {
    bucket: kv::Store,
    clock: Arc<Clock>,
    remembered: Mutex<HashMap<String, Kept>>,
    runtime: Handle,
}

impl Pace {
    pub(crate) fn new(bucket: kv::Store, clock: Arc<Clock>, places: Arc<Places>) -> Self {
        let remembered = Mutex::default();
        Self { turns: Arc::new(Turns { bucket, clock, remembered, runtime: Handle::current() }), places }
    }
}

impl JointPace for Pace {
    fn take<'t>(&'t self, turns: &'t [(String, Duration)]) -> Turn<'t> {
        Box::pin(self.turns.take_all(turns))
    }

    fn place<'t>(&'t self, address: &'t str) -> Placing<'t> {
        Box::pin(async { Box::new(self.places.take(address).await) as Place })
    }

    fn hold(&self, name: String, pause: Duration) {
        let turns = Arc::clone(&self.turns);
        self.turns.runtime.spawn(async move { turns.hold(&name, pause).await });
    }
}

impl Turns {
    async fn take_all(&self, turns: &[(String, Duration)]) {
        'anew: loop {
            let mut taken = Vec::with_capacity(turns.len());
            for (name, period) in turns {
                taken.push(self.take(name, *period).await);
            }
            // What was taken first grows old where others have to be waited for. It is moved on as long as
            // nobody else took it in the meantime.
            for _ in 0..MOVES_MAX {
                let mut moved = false;
                for ((name, period), at) in turns.iter().zip(&mut taken) {
                    if at.elapsed() > period.mul_f64(OLD) {
                        let Some(again) = self.move_on(name, *period).await else { continue 'anew };
                        *at = again;
                        moved = true;
                    }
                }
                if !moved {
                    return;
                }
            }
            return;
        }
    }

    /// Waits for a turn, and takes it; answers with the moment its period begins.
    async fn take(&self, name: &str, period: Duration) -> Instant {
        loop {
            let kept = match self.remembered(name) {
                Some(kept) => kept,
                None => match self.read(name).await {
                    Ok(kept) => kept,
                    Err(error) => {
                        tracing::warn!(%error, "turns cannot be read; waiting");
                        sleep(RETRY_PAUSE).await;
                        continue;
                    }
                },
            };
            let left = kept.not_before - self.clock.now();
            if left > 0 {
                let left = Duration::from_micros(left.unsigned_abs());
                sleep(left.min(LOOK_AGAIN)).await;
                if left > LOOK_AGAIN {
                    self.forget(name);
                }
                continue;
            }
            if let Some(at) = self.write(name, period, kept.revision).await {
                return at;
            }
        }
    }

    /// Moves a turn on that was taken; `None` when somebody else did.
    async fn move_on(&self, name: &str, period: Duration) -> Option<Instant> {
        self.write(name, period, self.remembered(name)?.revision).await
    }

    /// Nobody gets a turn for so long.
    async fn hold(&self, name: &str, pause: Duration) {
        loop {
            let Ok(kept) = self.read(name).await else {
                sleep(RETRY_PAUSE).await;
                continue;
            };
            let until = self.clock.now() + micros(pause);
            if kept.not_before >= until || self.write(name, pause, kept.revision).await.is_some() {
                return;
            }
        }
    }

    async fn read(&self, name: &str) -> Result<Kept, ClusterError> {
        let entry = self.bucket.entry(key(name)).await;
        let entry = entry.map_err(|error| ClusterError::jetstream("turns")(error.into()))?;
        Ok(entry.map_or_else(Kept::default, |entry| Kept {
            not_before: <[u8; 8]>::try_from(&entry.value[..]).map_or(0, i64::from_be_bytes),
            revision: entry.revision,
        }))
    }

    /// Nobody else before the period is over, which begins now; `None` when somebody else was faster, or no
    /// answer came.
    async fn write(&self, name: &str, period: Duration, revision: u64) -> Option<Instant> {
        let at = Instant::now();
        let not_before = self.clock.now() + micros(period);
        let value = not_before.to_be_bytes().to_vec().into();
        match self.bucket.update(key(name), value, revision).await {
            Ok(revision) => {
                let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
                if remembered.len() >= REMEMBERED {
                    remembered.clear();
                }
                remembered.insert(name.to_owned(), Kept { not_before, revision });
                Some(at)
            }
            Err(error) => {
                self.forget(name);
                if error.kind() != UpdateErrorKind::WrongLastRevision {
                    tracing::warn!(%error, "turns cannot be taken; waiting");
                    sleep(RETRY_PAUSE).await;
                }
                None
            }
        }
    }

    fn remembered(&self, name: &str) -> Option<Kept> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    fn forget(&self, name: &str) {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 2)
}

/// Keys are made of few characters; addresses have others.
fn key(name: &str) -> String {
    format!("turn.{}", &blake3::hash(name.as_bytes()).to_hex()[..32])
}
