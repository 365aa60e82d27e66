//! Checks over facts, in parallel: what is wrong, where, with which evidence.
//!
//! A page's own checks depend on its body and the dictionaries alone, so what they found is kept
//! beside the page (`digest::Digest`) and made again only when one of the two changes. Checks
//! that need the whole site (links, freshness, labels, repeated faults) are folded from the
//! digests every night. Memory holds findings, never pages.

mod article;
mod as_of;
mod basis;
mod columns;
mod compatibility;
mod content;
mod dates;
mod digest;
mod documents;
mod elements;
mod excerpt;
mod find;
mod fold;
mod frames;
mod freshness;
mod furniture;
mod guides;
mod hidden_links;
mod known_texts;
mod labels;
mod link_states;
mod listed;
mod marks;
mod messages;
mod offers;
mod page;
mod places;
mod plain;
mod presence;
mod privacy;
mod repeated;
mod scripts;
mod site;
mod slips;
mod sought;
mod standing;
mod statute;
mod titles;
mod unlikely;
mod untold;
mod words;

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use xunjian_dict::Matcher;
use xunjian_model::Kind;
use xunjian_spell::Model;
use xunjian_store::StoreError;

pub use as_of::NOT_IN_SNAPSHOTS;
pub use basis::Vocabularies;
pub use columns::{ColumnClass, ColumnReport, OTHER};
pub use content::ContentCheck;
pub use excerpt::hit_of;
pub use find::{Found, QUERY_CHARS_MAX, Query, QueryError};
pub use frames::with_frames;
pub use known_texts::KnownTexts;
pub use link_states::LinkStates;
pub use marks::lacks_marks;
pub use plain::{PLAIN_BYTES_MAX, PLAIN_FINDINGS_MAX, PlainFinding, PlainScan, scan_plain, scan_text};
pub use privacy::mask_all;
pub use repeated::{Beyond, FindingLimits};
pub use site::{Missed, SiteInput, SiteScan, scan_site, search_finding, snapshot_name, snapshot_of};
pub use sought::KnownPage;
pub use standing::Standing;
pub use untold::Untold;
pub use words::{WordHit, words_of};

/// Raised whenever the same facts would give other findings.
pub const SCANNER_VERSION: u16 = 14;

/// The kinds a check exists for; the others of the model come with later checks.
pub const KINDS: &[Kind] = &[
    Kind::DeadLink,
    Kind::DeadImage,
    Kind::DeadAttachment,
    Kind::Soft404,
    Kind::TlsError,
    Kind::PrivateLink,
    Kind::HijackedLink,
    Kind::MixedContent,
    Kind::Typo,
    Kind::OutdatedName,
    Kind::SensitiveWord,
    Kind::SpamInjection,
    Kind::HiddenLink,
    Kind::Cloaking,
    Kind::PrivacyIdCard,
    Kind::PrivacyMobile,
    Kind::PrivacyBankCard,
    Kind::PlaceholderText,
    Kind::EmptyArticle,
    Kind::StaleHome,
    Kind::StaleColumn,
    Kind::BlankColumn,
    Kind::UndatedPage,
    Kind::FutureDate,
    Kind::DateConflict,
    Kind::MissingLabel,
    Kind::BadLabel,
    Kind::MissingMark,
    Kind::NoIpv6,
    Kind::Unreachable,
    Kind::InterpretationMissing,
    Kind::InterpretationUnlinked,
    Kind::GuideElementMissing,
    Kind::GuideAddressVague,
    Kind::GuideMaterialVague,
    Kind::PolicyNameOnly,
    Kind::MessageOverdue,
    Kind::MessageStatsMissing,
    Kind::ColumnMissing,
    Kind::ChannelMissing,
    Kind::ServiceMissing,
    Kind::BadDomain,
    Kind::SeveralNames,
    Kind::MissingEntrance,
    Kind::StatisticsStale,
    // Found by asking, not by scanning.
    Kind::SearchMiss,
    Kind::MediaStale,
    Kind::MediaZombie,
];

/// Whether a message that was asked on one day, and answered on another or not yet, took too long by
/// the monitoring point (D12). Working days are the judge's to count.
#[derive(Clone)]
pub struct Overdue(pub Arc<dyn Fn(Date, Option<Date>) -> bool + Send + Sync>);

impl std::fmt::Debug for Overdue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Overdue")
    }
}

/// What every site of a scan shares.
#[derive(Debug)]
pub struct ScanSetup {
    /// Compiled dictionaries.
    pub matcher: Matcher,
    /// How clean text is written, to find typos that no dictionary knows; `None`: not looked for.
    pub typo_model: Option<Arc<Model>>,
    /// The moment all windows are counted back from, in the site's zone.
    pub point: Date,
    /// When the run was.
    pub run_at: Timestamp,
    /// Oldest the newest item of a home page may be (V3).
    pub home_age: Span,
    /// Classes of columns.
    pub classes: Vec<ColumnClass>,
    /// Documents from so long before the point on are looked at (D5, D6).
    pub documents_age: Span,
    /// Messages.
    pub overdue: Overdue,
    /// Look at the pages as they were at this moment, from their snapshots; nothing is kept.
    pub as_of: Option<Timestamp>,
    /// Limits of one page's extraction.
    pub page: xunjian_page::Limits,
    /// How many findings are told.
    pub findings: FindingLimits,
    /// Look at every page again, also where its kept digest still holds.
    pub fresh: bool,
    /// The threads that look at pages.
    pub pool: rayon::ThreadPool,
    /// What dictionaries look for, once it was asked for; empty at the beginning.
    pub vocabularies: Vocabularies,
}

/// Why a scan ended.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}
