//! Messages of a stream, asked for one by one.
//!
//! Servers keep nothing for whoever asks so, and any of them that leads the stream can answer: a consumer may be
//! put on a server that is down, and would have to be made anew wherever one ends.

use std::time::Duration;

use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};
use tokio::time::sleep;

/// Pause when there is none.
const PAUSE: Duration = Duration::from_millis(200);
/// Pause when no server answers.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A message.
pub(crate) struct Message {
    /// Its number in the stream.
    pub(crate) number: u64,
    pub(crate) subject: String,
    pub(crate) payload: Vec<u8>,
}

/// Messages of a subject in order.
pub(crate) struct Messages {
    stream: Stream,
    subject: String,
    /// Number from which on they are wanted.
    from: u64,
}

impl Messages {
    pub(crate) fn new(stream: &Stream, subject: String, from: u64) -> Self {
        Self { stream: stream.clone(), subject, from: from.max(1) }
    }

    /// The next one, as soon as there is one.
    pub(crate) async fn next(&mut self) -> Message {
        loop {
            let asked = self.stream.raw_message_builder().sequence(self.from).next_by_subject(&*self.subject);
            match asked.send().await {
                Ok(message) => {
                    self.from = message.sequence + 1;
                    return Message {
                        number: message.sequence,
                        subject: message.subject.to_string(),
                        payload: message.payload.to_vec(),
                    };
                }
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => sleep(PAUSE).await,
                Err(error) => {
                    tracing::debug!(subject = self.subject, %error, "messages are waited for");
                    sleep(RETRY_PAUSE).await;
                }
            }
        }
    }
}
