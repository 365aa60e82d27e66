//! A page as a reader sees it, once its scripts have run: Chromium, without a way to the web.
//!
//! The browser asks for nothing by itself. Every request of a page is stopped before it is sent
//! and handed to a [`Source`], which decides whether it is asked for, by whom and when; names
//! resolve to nothing and the only proxy does not exist. What comes back is the document as the
//! scripts left it, read from outside the page, whose scripts cannot change the answer.

mod connection;
mod launch;
mod page;
mod searching;
mod tab;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::process::{Child, ChildStdin};

pub use launch::find;
pub use page::{PICTURE, Page, Rendered};
pub use searching::{Lead, SearchBox, Searched};

use connection::Connection;

/// Limits of the browser.
#[derive(Clone, Debug)]
pub struct RenderLimits {
    /// Time a page's scripts may take, waiting for answers not counted.
    pub timeout: Duration,
    /// Time without any request after which a loaded page counts as settled.
    pub idle: Duration,
    /// Requests of one page.
    pub requests_max: usize,
    /// Bytes of the document the scripts leave.
    pub document_bytes_max: usize,
    /// Megabytes of memory for a page's scripts.
    pub script_memory_mb: u32,
}

impl Default for RenderLimits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(20),
            idle: Duration::from_millis(250),
            requests_max: 100,
            document_bytes_max: 8 << 20,
            script_memory_mb: 256,
        }
    }
}

/// What a script or a script's request gets.
#[derive(Clone, Debug)]
pub struct Resource {
    /// HTTP status.
    pub status: u16,
    /// Headers; those of a coding that was undone already are left out.
    pub headers: Vec<(String, String)>,
    /// Decoded body.
    pub body: Vec<u8>,
}

/// What a page's script asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Address.
    pub url: String,
    /// A script itself, not what a script asks for.
    pub script: bool,
    /// What it is asked with, if it is asked by POST.
    pub post: Option<Post>,
}

/// What is sent by POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// `Content-Type`.
    pub media_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer on its way; `None`: the request is refused.
pub type Asking<'s> = Pin<Box<dyn Future<Output = Option<Resource>> + Send + 's>>;

/// Asks for what a page's scripts want, by GET or POST.
pub trait Source: Send + Sync {
    /// The answer to a request of the page.
    fn ask(&self, request: Request) -> Asking<'_>;
}

/// Why a page could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The browser did not start.
    #[error("the browser cannot be started: {0}")]
    Start(String),
    /// The browser ended, or said something it should not say.
    #[error("the browser failed: {0}")]
    Browser(String),
    /// The page went beyond a limit.
    #[error("the page went beyond a limit: {0}")]
    Limit(&'static str),
}

/// A browser. Ends with its last owner, or with this process, however that ends.
#[derive(Debug)]
pub struct Browser {
    connection: Connection,
    limits: RenderLimits,
    /// Killed when it is dropped.
    _process: Child,
    /// The profile is removed when it is dropped.
    _profile: Option<ChildStdin>,
}

impl Browser {
    /// Starts one. Without the sandbox a page that breaks out of the browser is this user.
    pub async fn start(
        program: &std::path::Path,
        sandbox: bool,
        limits: RenderLimits,
    ) -> Result<Self, RenderError> {
        launch::start(program, sandbox, limits).await
    }
}
