//! The shared words of xunjian: site, URL, snapshot, facts, finding, verdict.
//!
//! This crate does no I/O and knows no clock; time comes in as a value. Every other crate speaks
//! in these types, so each word has one meaning in code, configuration, JSON and reports.

mod facts;
mod finding;
mod mask;
mod moment;
mod site;
mod snapshot;
mod url_record;
mod verdict;
mod web;

pub use facts::{
    Block, Charset, DateFact, DateSource, Facts, Label, Link, LinkKind, ListItem, PageKind, Problem, Zone,
};
pub use finding::{
    Evidence, Finding, FindingId, FindingState, Kind, ParseKindError, Severity, UnknownSeverity,
};
pub use mask::{Masked, MaskedKind};
pub use moment::kept as kept_moment;
pub use site::{Site, SiteId, SiteIdError, SiteKind};
pub use snapshot::{BodyHash, Hop, Snapshot, Timings, TlsFacts};
pub use url_record::{FactsPlace, LinkState, Target, UrlRecord};
pub use verdict::{Deduction, Outcome, Tally, Verdict};
pub use web::{Host, PageUrl, UrlError};
