//! The shared words of xunjian: site, URL, snapshot, facts, finding, verdict.
//!
//! This crate does no I/O and knows no clock; time comes in as a value. Every other crate speaks
//! in these types, so each word has one meaning in code, configuration, JSON and reports.

pub mod canonical;
mod case;
mod facts;
mod finding;
mod host_record;
mod mask;
mod media;
mod moment;
mod scope;
mod site;
mod snapshot;
mod url_record;
mod verdict;
mod web;

pub use canonical::Canonical;
pub use case::{Assessment, Case, Decision, Event, Rectification, Ruling, Step};
pub use facts::{
    AddressFault, BadAddress, Became, Block, Charset, DateFact, DateSource, Diversion, Facts, Field, Form,
    Fragment, GAVE_UP, Label, Link, LinkKind, ListItem, PageKind, Problem, SEARCH_NAMES, SEARCH_WORDS, Zone,
    anchor_hash,
};
pub use finding::{
    Evidence, Finding, FindingId, FindingState, Kind, ParseKindError, Severity, UnknownSeverity,
};
pub use host_record::{Certificate, HostRecord, KeptRobots, KeptSoftPage};
pub use mask::{Masked, MaskedKind};
pub use media::{Account, AccountState, Post};
pub use moment::kept as kept_moment;
pub use scope::{Scope, ScopeError};
pub use site::{Site, SiteId, SiteIdError, SiteKind, StatedColumn};
pub use snapshot::{BodyHash, Hop, Snapshot, Timings, TlsFacts, View};
pub use url_record::{Cloaked, FileFacts, LeftOut, LinkState, Rendering, Target, UrlRecord, UrlState};
pub use verdict::{Deduction, Judgement, Offer, Outcome, Standing, Tally, Verdict};
pub use web::{DOCUMENT_ENDINGS, Host, PageUrl, UrlError, way};
