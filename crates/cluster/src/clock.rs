//! One clock for all machines: the server's, which stamps every message it keeps.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_nats::jetstream::kv;
use jiff::Timestamp;

use crate::ClusterError;

/// The server's time, read now and then and carried on by a clock that nobody can set.
pub(crate) struct Clock {
    read: Mutex<(Instant, i64)>,
    key: String,
}

impl Clock {
    /// Reads the time; `key` is this process's own in the bucket whose server is asked.
    pub(crate) async fn read(bucket: &kv::Store, worker: &str) -> Result<Self, ClusterError> {
        let key = format!("clock.{worker}");
        let read = server_time(bucket, &key).await?;
        Ok(Self { read: Mutex::new(read), key })
    }

    /// An error if this machine's own clock is farther off than this; with 0 it never is.
    pub(crate) fn agrees(&self, off_max: Duration) -> Result<(), ClusterError> {
        let (ours, server) = (Timestamp::now(), Timestamp::from_microsecond(self.now()));
        match server {
            Ok(server) if !off_max.is_zero() && ours.duration_since(server).unsigned_abs() > off_max => {
                Err(ClusterError::ClockOff { ours, server })
            }
            _ => Ok(()),
        }
    }

    /// Reads the time again.
    pub(crate) async fn read_again(&self, bucket: &kv::Store) -> Result<(), ClusterError> {
        let read = server_time(bucket, &self.key).await?;
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }

    /// The server's time in microseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        let (at, time) = *self.read.lock().unwrap_or_else(PoisonError::into_inner);
        time.saturating_add(i64::try_from(at.elapsed().as_micros()).unwrap_or(i64::MAX))
    }
}

/// A moment, and the server's time then; wrong by half the time a message takes at most.
async fn server_time(bucket: &kv::Store, key: &str) -> Result<(Instant, i64), ClusterError> {
    let begun = Instant::now();
    let refused = ClusterError::jetstream("the clock");
    bucket.put(key, "".into()).await.map_err(|error| refused(error.into()))?;
    let middle = begun + begun.elapsed() / 2;
    let entry =
        bucket.entry(key).await.map_err(|error| ClusterError::jetstream("the clock")(error.into()))?;
    let created = entry.map_or(0, |entry| entry.created.unix_timestamp_nanos());
    Ok((middle, i64::try_from(created / 1_000).unwrap_or(0)))
}
