//! The log of a share: who has it, and what came of it, in order.
//!
//! A message is taken only after the one its writer knows to be the last. So whoever lost a share without
//! noticing is refused as soon as somebody else has written, and nothing of it is kept twice.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::time::sleep;
use xunjian_crawl::{Note, Share, Shares, StopSignal};
use xunjian_store::{Listener, StoreError, Told};

use crate::ClusterError;
use crate::names::Names;
use crate::parts::cut;

/// Pause before a message is sent again that the server did not take.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Addresses in one message.
const FOUND_AT_ONCE: usize = 500;
/// Header by which a server, and we, know a message again.
const MESSAGE_ID: &str = "Nats-Msg-Id";

/// What a log says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Entry {
    /// A worker has the share from now on.
    Taken {
        /// Its name.
        worker: String,
        /// The crawl it works for.
        crawl: String,
    },
    /// A batch of its store.
    Told(Told),
    /// It has it no more.
    Left {
        /// Its name.
        worker: String,
    },
}

/// Why a message is not in the log.
pub(crate) enum Refused {
    /// Somebody else has the share.
    Lost,
    /// The worker is to end.
    Stopped,
    /// Anything else.
    Failed(ClusterError),
}

impl From<ClusterError> for Refused {
    fn from(error: ClusterError) -> Self {
        Self::Failed(error)
    }
}

/// The log of one share, as its worker writes it.
pub(crate) struct Log {
    names: Names,
    subject: String,
    shares: Shares,
    /// Number of the last message of the share.
    last: Mutex<u64>,
    /// Asked when nothing may be waited for any more: the lease is lost.
    lost: StopSignal,
}

impl Log {
    /// Says that a worker has the share. Answers with the log, and the number of that message.
    pub(crate) async fn take(
        names: &Names,
        (share, shares): (&Share, Shares),
        (worker, crawl): (&str, &str),
        lost: StopSignal,
    ) -> Result<(Self, u64), Refused> {
        let subject = names.subject("log", share);
        let last = Names::last_number(&names.log, &subject).await?;
        let log = Self { names: names.clone(), subject, shares, last: Mutex::new(last), lost };
        let number = log.write(&Entry::Taken { worker: worker.to_owned(), crawl: crawl.to_owned() }).await?;
        Ok((log, number))
    }

    /// Writes an entry; when this answers, the server has it. Answers with its last message's number.
    pub(crate) async fn write(&self, entry: &Entry) -> Result<u64, Refused> {
        let mut number = 0;
        for part in cut(entry)? {
            let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
            number = self.send(part, last).await?;
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = number;
        }
        Ok(number)
    }

    /// Sends a message that has to follow one, again and again until it is there.
    async fn send(&self, payload: Vec<u8>, last: u64) -> Result<u64, Refused> {
        let id = format!("{:032x}", fastrand::u128(..));
        let mut tries = 0_u32;
        loop {
            let message = PublishMessage::build()
                .payload(payload.clone().into())
                .message_id(&id)
                .expected_last_subject_sequence(last);
            let sent = match self.names.jetstream.send_publish(self.subject.clone(), message).await {
                Ok(sent) => sent.await,
                Err(error) => Err(error),
            };
            match sent {
                Ok(kept) => return Ok(kept.sequence),
                // An earlier try may have come through without its answer.
                Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => {
                    let newest = self.names.log.get_last_raw_message_by_subject(&self.subject).await;
                    let newest =
                        newest.map_err(|error| ClusterError::jetstream("last message")(error.into()))?;
                    let ours = newest.headers.get(MESSAGE_ID).is_some_and(|own| own.as_str() == id);
                    return if ours { Ok(newest.sequence) } else { Err(Refused::Lost) };
                }
                Err(error) => {
                    if tries == 0 {
                        tracing::warn!(subject = %self.subject, %error, "the log is waited for");
                    }
                }
            }
            tries += 1;
            if self.lost.is_stopped() {
                return Err(Refused::Stopped);
            }
            sleep(RETRY_PAUSE).await;
        }
    }

    /// Tells other shares what was found of them. It may be told twice, and is told before the batch that
    /// holds the page it was found in.
    async fn tell_others(&self, note: &Note) -> Result<(), Refused> {
        let mut by_share: BTreeMap<Share, Vec<_>> = BTreeMap::new();
        for item in &note.found {
            by_share.entry(self.shares.of_site(item.site.as_ref())).or_default().push(item);
        }
        for (share, items) in by_share {
            let subject = self.names.subject("found", &share);
            for part in items.chunks(FOUND_AT_ONCE) {
                let payload =
                    postcard::to_allocvec(part).map_err(|error| ClusterError::Message(error.to_string()))?;
                while let Err(error) = self.publish(&subject, payload.clone()).await {
                    tracing::warn!(subject, %error, "other shares are waited for");
                    if self.lost.is_stopped() {
                        return Err(Refused::Stopped);
                    }
                    sleep(RETRY_PAUSE).await;
                }
            }
        }
        Ok(())
    }

    async fn publish(&self, subject: &str, payload: Vec<u8>) -> Result<(), async_nats::Error> {
        self.names.jetstream.publish(subject.to_owned(), payload.into()).await?.await?;
        Ok(())
    }
}

/// The log as a store's listener: a batch is kept once it is in the log.
pub(crate) struct Listening {
    log: Arc<Log>,
    runtime: Handle,
}

impl Listening {
    pub(crate) fn new(log: Arc<Log>) -> Self {
        Self { log, runtime: Handle::current() }
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").field("subject", &self.log.subject).finish_non_exhaustive()
    }
}

impl Listener for Listening {
    /// Called by the crawl's writer, which has a thread of its own.
    fn told(&self, mut batch: Told) -> Result<(), StoreError> {
        let note = Note::read(&batch.note).unwrap_or_default();
        let told = self.runtime.block_on(async {
            self.log.tell_others(&note).await?;
            // The collector has no use for what others were told.
            batch.note = Note { found: Vec::new(), ..note }.bytes();
            self.log.write(&Entry::Told(batch)).await
        });
        match told {
            Ok(_) => Ok(()),
            Err(Refused::Lost) => {
                Err(StoreError::Untold("another worker has taken the share over".to_owned()))
            }
            Err(Refused::Stopped) => Err(StoreError::Untold(
                "the lease of the share ended before its batch was in the log".to_owned(),
            )),
            Err(Refused::Failed(error)) => Err(StoreError::Untold(error.to_string())),
        }
    }
}
