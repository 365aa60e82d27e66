//! Tells other tools what changed: each sink reads the log of changes at its own place, in order, at
//! least once. What a sink does not take is tried again, later and later, and then put aside.

mod deliver;
mod http;
mod message;
mod secret;
mod sink;
mod sinks;
mod words;

pub use deliver::{Delivered, Dispatcher, SinkState};
pub use http::client;
pub use message::{Item, Message, Night, SiteNight};
pub use secret::{Secret, SecretError};
pub use sink::{Filter, Grouping, Quiet, QuietError, Sink, SinkKind, Tls};

/// Why alerts could not be handled.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] xunjian_store::StoreError),
    /// A name that no sink has.
    #[error("no sink {name:?} is configured; known: {known}")]
    UnknownSink {
        /// The name.
        name: String,
        /// Names there are.
        known: String,
    },
    /// The client could not be set up.
    #[error("cannot set up the client of alerts: {0}")]
    Client(String),
    /// A test message did not arrive.
    #[error("{name}: {reason}")]
    Test {
        /// The sink.
        name: String,
        /// Why.
        reason: SendError,
    },
}

/// Why a sink did not take a message.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Another time it may: unreachable, busy, refused for who we are.
    #[error("{0}")]
    Later(String),
    /// It never will: the message itself is not wanted.
    #[error("{0}")]
    Never(String),
    /// Our own store is at fault.
    #[error(transparent)]
    Store(#[from] xunjian_store::StoreError),
}
