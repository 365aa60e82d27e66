//! What is known of one host: when it may be asked again, its robots.txt, its certificate.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::BodyHash;

/// What is kept of a host between runs, and over a kill.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRecord {
    /// The host is left alone until then.
    #[serde(with = "crate::moment::optional")]
    pub not_before: Option<Timestamp>,
    /// How often in a row it had to be; forgotten after quiet time.
    pub incidents: u16,
    /// When it last had to be.
    #[serde(with = "crate::moment::optional")]
    pub last_incident: Option<Timestamp>,
    /// Its robots.txt.
    pub robots: Option<KeptRobots>,
    /// What it shows for pages that do not exist.
    pub soft: Option<KeptSoftPage>,
    /// Its certificate.
    pub certificate: Option<Certificate>,
    /// Its addresses at the last lookup, IPv4 and IPv6.
    pub addresses: Vec<IpAddr>,
    /// It asked to wait itself, by 429 or 503; otherwise it could not be reached.
    pub asked_to_wait: bool,
    /// What is wrong with its certificate.
    pub certificate_fault: Option<String>,
}

impl HostRecord {
    /// How long it asked still to be left alone. By a clock that was set back nobody can tell.
    pub fn asks_to_wait(&self, now: Timestamp) -> Option<Duration> {
        let asked = self.asked_to_wait && self.last_incident.is_some_and(|at| at <= now);
        let left = self.not_before.filter(|_| asked)?.duration_since(now);
        Duration::try_from(left).ok().filter(|left| !left.is_zero())
    }
}

/// robots.txt as it was fetched; RFC 9309 section 2.4 lets it be used for 24 hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRobots {
    /// When.
    #[serde(with = "crate::moment")]
    pub fetched_at: Timestamp,
    /// Status of the answer; 0: none came.
    pub status: u16,
    /// Its text.
    pub text: String,
}

/// What a host shows for an address that cannot exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSoftPage {
    /// When it was asked.
    #[serde(with = "crate::moment")]
    pub learnt_at: Timestamp,
    /// Title and text of the page that came with status 200; `None`: it says 404 as it should.
    pub text: Option<BodyHash>,
}

/// A server's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Protocol version of the connection, for example `TLSv1_3`.
    pub version: String,
    /// Names it is valid for.
    pub names: Vec<String>,
    /// Who issued it.
    pub issuer: String,
    /// Certificates the server sent.
    pub chain: u8,
    /// End of its validity.
    #[serde(with = "crate::moment")]
    pub not_after: Timestamp,
}

impl Certificate {
    /// Whole days from a moment to the end of validity; negative afterwards.
    pub fn days_left(&self, at: Timestamp) -> i64 {
        (self.not_after.as_second() - at.as_second()).div_euclid(86_400)
    }
}
