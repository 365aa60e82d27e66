//! Connections to an address that are open at once, over all shares of a worker and, by its part, over all
//! workers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// What may be open, and what is.
pub(crate) struct Places {
    /// Connections to one address, of all workers.
    all: usize,
    workers: AtomicUsize,
    taken: Mutex<HashMap<String, usize>>,
    freed: Notify,
}

/// A connection that may be open as long as this is held.
pub(crate) struct Place {
    places: Arc<Places>,
    address: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
        drop(taken);
        self.places.freed.notify_waiters();
    }
}

impl Places {
    pub(crate) fn new(all: usize) -> Arc<Self> {
        Arc::new(Self { all, workers: AtomicUsize::new(1), taken: Mutex::default(), freed: Notify::new() })
    }

    /// So many workers share them.
    pub(crate) fn divide(&self, workers: usize) {
        self.workers.store(workers.max(1), Ordering::Relaxed);
        self.freed.notify_waiters();
    }

    /// This worker's part; where there are more workers than connections, each has one.
    fn part(&self) -> usize {
        (self.all / self.workers.load(Ordering::Relaxed)).max(1)
    }

    /// Waits for a place.
    pub(crate) async fn take(self: &Arc<Self>, address: &str) -> Place {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // Listening begins before the look, so that no place is freed in between.
            freed.as_mut().enable();
            if self.try_take(address) {
                return Place { places: Arc::clone(self), address: address.to_owned() };
            }
            freed.await;
        }
    }

    fn try_take(&self, address: &str) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(address.to_owned()).or_default();
        let free = *count < self.part();
        *count += usize::from(free);
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_divided_among_workers_and_freed_again() {
        let places = Places::new(5);
        places.divide(2);
        let held = (places.take("192.0.2.1").await, places.take("192.0.2.1").await);
        assert!(!places.try_take("192.0.2.1"), "five for two are two each");
        let _other = places.take("192.0.2.2").await;
        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take("192.0.2.1").await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(held.0);
        let third = waiting.await.expect("a place");
        places.divide(9);
        drop((held.1, third));
        let _last = places.take("192.0.2.1").await;
        assert!(!places.try_take("192.0.2.1"), "one each, where they do not suffice");
    }
}
