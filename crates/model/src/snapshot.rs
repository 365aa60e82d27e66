//! A kept version of a page.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::PageUrl;

/// BLAKE3 of a decoded body: the name under which it is kept once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BodyHash([u8; 32]);

impl BodyHash {
    /// Hashes a body.
    pub fn of(body: &[u8]) -> Self {
        Self(*blake3::hash(body).as_bytes())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Takes back 32 stored bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(&self) -> String {
        blake3::Hash::from(self.0).to_hex().to_string()
    }

    /// Reads back [`BodyHash::to_hex`].
    pub fn from_hex(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|hash| Self(*hash.as_bytes()))
    }
}

impl fmt::Debug for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// One redirect: the address asked and what it answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// Address that answered with a redirect.
    pub url: PageUrl,
    /// Status 301, 302, 303, 307 or 308.
    pub status: u16,
}

/// How long the parts of an exchange took, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// From the request to the response head.
    pub first_byte_ms: u32,
    /// From the request to the last body byte.
    pub total_ms: u32,
}

/// What was seen of a server's certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFacts {
    /// Protocol version, for example `TLSv1_3`.
    pub version: String,
}

/// Through whose eyes a snapshot shows a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum View {
    /// What the server sent us.
    #[default]
    Sent,
    /// What a browser made of it: the document after its scripts had run.
    Rendered,
    /// What the server sent when it took us for a search engine.
    SearchEngine,
}

/// A kept version of a page: what was asked, what came, where the body lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The address asked.
    pub url: PageUrl,
    /// When the answer came.
    pub fetched_at: Timestamp,
    /// HTTP status of the last hop.
    pub status: u16,
    /// Redirects on the way.
    pub hops: Vec<Hop>,
    /// Address of the last hop, where it differs.
    pub final_url: Option<PageUrl>,
    /// Response headers of the last hop, names lower-case.
    pub headers: Vec<(String, String)>,
    /// Timings of the last hop.
    pub timings: Timings,
    /// TLS facts of the last hop.
    pub tls: Option<TlsFacts>,
    /// The decoded body's hash.
    pub body_hash: BodyHash,
    /// The decoded body's length in bytes.
    pub body_bytes: u64,
    /// The body was cut at the limit.
    pub truncated: bool,
    /// Through whose eyes it shows the page.
    pub view: View,
}

impl Snapshot {
    /// A header's value by lower-case name; the first when repeated.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Where relative links are resolved from.
    pub fn base(&self) -> &PageUrl {
        self.final_url.as_ref().unwrap_or(&self.url)
    }
}
