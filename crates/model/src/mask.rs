//! Personal numbers that cannot print themselves.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of personal number was masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MaskedKind {
    /// Resident identity number: first two and last three digits kept.
    IdCard,
    /// Mobile number: `138****1234`.
    Mobile,
    /// Bank card: first and last four digits kept.
    BankCard,
}

/// A masked number; the whole number is gone once this is built.
///
/// The forms follow what offices were told to publish: 138\*\*\*\*1234, ID first 2 and last 3.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Masked(String);

impl Masked {
    /// Masks a number of ASCII digits (and a final `X`).
    pub fn new(kind: MaskedKind, number: &str) -> Self {
        let (head, tail) = match kind {
            MaskedKind::IdCard => (2, 3),
            MaskedKind::Mobile => (3, 4),
            MaskedKind::BankCard => (4, 4),
        };
        let count = number.chars().count();
        let masked = number
            .chars()
            .enumerate()
            .map(|(at, c)| if at < head || at + tail >= count { c } else { '*' })
            .collect();
        Self(masked)
    }

    /// The masked text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_keep_what_offices_keep() {
        assert_eq!(Masked::new(MaskedKind::Mobile, "13812341234").as_str(), "138****1234");
        assert_eq!(Masked::new(MaskedKind::IdCard, "110101199003070038").as_str(), "11*************038");
        assert_eq!(Masked::new(MaskedKind::BankCard, "6222021234567890").as_str(), "6222********7890");
    }
}
