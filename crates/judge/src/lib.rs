//! Verdicts by the standard: the catalogue of indicators, vetoes, warnings, reviews.
//!
//! Pure: findings and counts in, verdicts out. Thresholds are data ([`Catalogue`]); nothing here
//! guesses what only a person can judge, it is counted under `reviews` instead.

mod catalogue;
mod vetoes;

pub use catalogue::{Catalogue, CatalogueError, FreshnessRule, Rule};
pub use vetoes::{Facts, judge};
