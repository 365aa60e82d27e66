//! Checks over facts, in parallel: what is wrong, where, with which evidence.
//!
//! A page's own checks depend on its body and the dictionaries alone, so what they found is kept
//! beside the page (`digest::Digest`) and made again only when one of the two changes. Checks
//! that need the whole site (links, freshness, labels, repeated faults) are folded from the
//! digests every night. Memory holds findings, never pages.

mod article;
mod columns;
mod content;
mod dates;
mod digest;
mod excerpt;
mod fold;
mod freshness;
mod hidden_links;
mod labels;
mod link_states;
mod listed;
mod marks;
mod page;
mod places;
mod plain;
mod privacy;
mod scripts;
mod site;
mod slips;
mod unlikely;
mod words;

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use xunjian_dict::Matcher;
use xunjian_model::{Canonical, Kind};
use xunjian_spell::Model;
use xunjian_store::StoreError;

pub use columns::{Class, ColumnReport};
pub use content::ContentCheck;
pub use link_states::BadLinks;
pub use plain::{PLAIN_BYTES_MAX, PLAIN_FINDINGS_MAX, PlainFinding, PlainScan, scan_plain};
pub use privacy::mask_all;
pub use site::{SiteInput, SiteScan, scan_site};

/// Raised whenever the same facts would give other findings.
pub const SCANNER_VERSION: u16 = 6;

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
];

/// How old the newest item of a column may be, by class; from the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    /// Home page and news columns (V3, V4a).
    pub news: Span,
    /// Notice and policy columns (V4a).
    pub notice: Span,
    /// Personnel and planning columns (V4b).
    pub personnel: Span,
}

impl Freshness {
    /// Whether an item is as old as the limit or older; the limit itself counts (含).
    pub(crate) fn is_stale(limit: Span, newest: Date, point: Date) -> bool {
        newest <= point.saturating_sub(limit)
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
    /// Freshness limits.
    pub freshness: Freshness,
    /// Limits of one page's extraction.
    pub page: xunjian_page::Limits,
    /// Look at every page again, also where its kept digest still holds.
    pub fresh: bool,
}

impl ScanSetup {
    /// Under which what was found on a page is kept.
    pub fn fingerprint(&self, canonical: &Canonical) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.matcher.fingerprint());
        hasher.update(&self.typo_model.as_ref().map_or([0; 32], |model| model.fingerprint()));
        hasher.update(&SCANNER_VERSION.to_le_bytes());
        hasher.update(&xunjian_page::EXTRACTOR_VERSION.to_le_bytes());
        for rule in canonical.drop_parameters.iter().chain(&canonical.index_names) {
            hasher.update(rule.as_bytes());
            hasher.update(&[0]);
        }
        hasher.update(&[u8::from(canonical.slash)]);
        *hasher.finalize().as_bytes()
    }
}

/// Why a scan ended.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}
