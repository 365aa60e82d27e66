//! Rates as notices print them: which parts, how many digits, rounded or cut.

use serde::{Deserialize, Serialize};

/// What is done with the digits that are not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Digits {
    /// Rounded, a half upwards.
    Round,
    /// Left out.
    Cut,
}

/// A share that is shown as a percentage. It prints its parts, so that anyone can do the sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// What it is of: `sites`, `accounts`, `rectified` …
    pub id: String,
    /// What is counted, Chinese words.
    pub formula: String,
    /// Part.
    pub numerator: u64,
    /// Whole.
    pub denominator: u64,
    /// Digits behind the point.
    pub decimals: u8,
    /// What is done with the rest.
    pub digits: Digits,
}

impl Rate {
    /// The percentage as text, without its sign; `None` of nothing. Counted in whole numbers, so
    /// that no binary fraction decides a digit.
    pub fn percent(&self) -> Option<String> {
        percent(self.numerator, self.denominator, self.decimals, self.digits)
    }
}

/// `numerator / denominator` in percent with so many digits behind the point.
pub fn percent(numerator: u64, denominator: u64, decimals: u8, digits: Digits) -> Option<String> {
    if denominator == 0 {
        return None;
    }
    let scale = 10_u128.pow(u32::from(decimals.min(12)));
    let scaled = u128::from(numerator) * 100 * scale;
    let whole = u128::from(denominator);
    let units = match digits {
        Digits::Cut => scaled / whole,
        Digits::Round => (2 * scaled + whole) / (2 * whole),
    };
    let (before, behind) = (units / scale, units % scale);
    Some(match decimals.min(12) {
        0 => before.to_string(),
        width => format!("{before}.{behind:0width$}", width = usize::from(width)),
    })
}

/// Ids of the rates a notice prints.
pub const RATES: [&str; 3] = ["sites", "accounts", "rectified"];

/// The number of a rate as somebody printed it, without its sign; `None` where it is none.
pub fn printed(text: &str) -> Option<&str> {
    let bare = text.trim().trim_end_matches(['%', '％']).trim_end();
    let digits = bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (digits && bare.parse::<f64>().is_ok()).then_some(bare)
}

/// How a rate that somebody printed agrees with the counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// As printed.
    pub stated: String,
    /// Whether a formula gives it.
    pub agrees: bool,
    /// The formulas that give it, each with how its digits were treated.
    pub by: Vec<String>,
    /// What the formulas give instead, at the digits that were printed.
    pub follows: Vec<String>,
}

/// Holds a printed rate, such as `97.77`, against the formulas that may be behind it.
pub fn agreement(stated: &str, formulas: &[(&str, u64, u64)]) -> Agreement {
    let stated = stated.trim().trim_end_matches(['%', '％']).trim().to_owned();
    let decimals = stated.split_once('.').map_or(0, |(_, behind)| behind.len().min(12)) as u8;
    let (mut by, mut follows) = (Vec::new(), Vec::new());
    for &(formula, numerator, denominator) in formulas {
        for (digits, word) in [(Digits::Round, "rounded"), (Digits::Cut, "cut")] {
            if percent(numerator, denominator, decimals, digits).is_some_and(|given| given == stated) {
                by.push(format!("{formula} {numerator}/{denominator} {word}"));
            }
        }
        if let Some(given) = percent(numerator, denominator, decimals.max(2), Digits::Round) {
            follows.push(format!("{formula} {numerator}/{denominator} = {given} %"));
        }
    }
    Agreement { stated, agrees: !by.is_empty(), by, follows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rates_of_other_notices_agree_and_the_false_ones_do_not() {
        // Stated, part, whole; section 7 of the standard's facts.
        let right: [(&str, u64, u64); 18] = [
            ("97.77", 44, 45),
            ("90", 409, 454),
            ("97", 38, 39),
            ("98", 417, 426),
            ("80.5", 120, 149),
            ("95.77", 566, 591),
            ("93.94", 31, 33),
            ("98.79", 163, 165),
            ("94", 48, 51),
            ("98.6", 209, 212),
            ("95.7", 267, 279),
            ("92", 36, 39),
            ("74", 104, 140),
            ("96.3", 26, 27),
            ("97.8", 87, 89),
            ("69.81", 37, 53),
            ("91.11", 41, 45),
            ("90.70", 39, 43),
        ];
        for (stated, part, whole) in right {
            let found = agreement(stated, &[("", part, whole)]);
            assert!(found.agrees, "{stated}: {found:?}");
        }
        let wrong = agreement("94.3%", &[("合格", 126, 134)]);
        assert!(!wrong.agrees);
        assert_eq!(wrong.follows, ["合格 126/134 = 94.03 %"]);
    }

    #[test]
    fn digits_are_cut_or_rounded_without_binary_fractions() {
        let text = |part, whole, decimals, digits| percent(part, whole, decimals, digits).expect("a rate");
        assert_eq!(text(44, 45, 2, Digits::Cut), "97.77");
        assert_eq!(text(44, 45, 2, Digits::Round), "97.78");
        assert_eq!(text(1, 8, 0, Digits::Round), "13", "12.5 goes up");
        assert_eq!(text(1, 8, 0, Digits::Cut), "12");
        assert_eq!(text(1, 1_000, 1, Digits::Round), "0.1");
        assert_eq!(text(45, 45, 2, Digits::Cut), "100.00");
        assert_eq!(text(1, 200, 2, Digits::Cut), "0.50");
        assert_eq!(percent(0, 0, 2, Digits::Cut), None);
    }
}
