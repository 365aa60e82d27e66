//! Who may ask whom, and when: decided outside this crate, passed before every exchange.

use std::future::Future;
use std::pin::Pin;

use xunjian_model::{LinkState, PageUrl};

use crate::Answer;

/// What is held as long as an exchange lasts: a host's connection, for example.
pub type Pass = Box<dyn Send>;

/// Waiting for a turn.
pub type Entering<'g> = Pin<Box<dyn Future<Output = Result<Pass, LinkState>> + Send + 'g>>;

/// Lets exchanges pass one after the other.
pub trait Gate: Send + Sync {
    /// Waits for the turn of an address; the outcome instead when it must not be asked at all.
    fn enter<'g>(&'g self, url: &'g PageUrl) -> Entering<'g>;

    /// Is told how the exchange ended, before the pass is given back.
    fn leave(&self, _url: &PageUrl, _exchanged: &Result<Answer, LinkState>) {}
}

/// Never waits: for single addresses that a person asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenGate;

impl Gate for OpenGate {
    fn enter<'g>(&'g self, _: &'g PageUrl) -> Entering<'g> {
        Box::pin(async { Ok(Box::new(()) as Pass) })
    }
}
