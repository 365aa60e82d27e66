//! Personal numbers: identity cards (GB 11643), mobiles, bank cards (Luhn).

use std::sync::LazyLock;

use regex::Regex;
use xunjian_model::{Block, Kind, Masked, MaskedKind, Severity, Zone};

use crate::digest::PageFinding;
use crate::excerpt::around;
use crate::page::block_hash;

#[allow(clippy::unwrap_used, reason = "constant pattern, compiled in every test")]
static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[0-9]{11,19}[Xx]?").unwrap());

/// First two digits of an identity number: provinces and the like (GB/T 2260).
const PROVINCES: [u8; 35] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54,
    61, 62, 63, 64, 65, 71, 81, 82, 83,
];

struct Found<'t> {
    kind: MaskedKind,
    number: &'t str,
    start: usize,
    end: usize,
}

/// Faults of one block. Numbers in footers are the office's own.
pub(crate) fn check(block: &Block, base: u64, findings: &mut Vec<PageFinding>) {
    if block.zone == Zone::Footer {
        return;
    }
    for found in numbers(&block.text) {
        let before: String = {
            let text = &block.text[..found.start];
            let from = text.char_indices().rev().take(12).last().map_or(found.start, |(at, _)| at);
            text[from..].to_owned()
        };
        let (kind, mut severity) = match found.kind {
            MaskedKind::IdCard => (Kind::PrivacyIdCard, Severity::Serious),
            MaskedKind::Mobile => (Kind::PrivacyMobile, Severity::Major),
            MaskedKind::BankCard => (Kind::PrivacyBankCard, Severity::Serious),
        };
        let official = ["热线", "咨询电话", "监督电话", "举报电话", "服务电话", "值班", "办公电话"];
        if found.kind == MaskedKind::Mobile && official.iter().any(|word| before.contains(word)) {
            severity = Severity::Info;
        }
        findings.push(PageFinding {
            kind,
            severity,
            what: Masked::new(found.kind, found.number).as_str().to_owned(),
            excerpt: around(&block.text, found.start, found.end),
            offset: Some(base + found.start as u64),
            detail: vec![("path".to_owned(), block.path.clone())],
            block: block_hash(block),
            template: block.zone != Zone::Main,
            link: None,
        });
    }
}

/// Masks every personal number in a text.
pub fn mask_all(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for found in numbers(text) {
        out.push_str(&text[from..found.start]);
        out.push_str(Masked::new(found.kind, found.number).as_str());
        from = found.end;
    }
    out.push_str(&text[from..]);
    out
}

fn numbers(text: &str) -> impl Iterator<Item = Found<'_>> {
    NUMBER.find_iter(text).filter_map(|found| {
        let alphanumeric = |c: char| c.is_ascii_alphanumeric();
        let (before, after) = (&text[..found.start()], &text[found.end()..]);
        // Parts of longer codes are not numbers of people; a decimal is an amount.
        if before.ends_with(alphanumeric) || after.starts_with(alphanumeric) || before.ends_with('.') {
            return None;
        }
        let number = found.as_str();
        let kind = kind_of(number, before)?;
        Some(Found { kind, number, start: found.start(), end: found.end() })
    })
}

fn kind_of(number: &str, before: &str) -> Option<MaskedKind> {
    if is_id_card(number) {
        Some(MaskedKind::IdCard)
    } else if is_mobile(number) {
        Some(MaskedKind::Mobile)
    } else if is_bank_card(number, before) {
        Some(MaskedKind::BankCard)
    } else {
        None
    }
}

fn is_mobile(number: &str) -> bool {
    // 13x–19x except the internet-of-things and never assigned blocks.
    number.len() == 11
        && number.starts_with('1')
        && matches!(number.as_bytes()[1], b'3'..=b'9')
        && !["140", "141", "142", "143", "144", "154"].iter().any(|head| number.starts_with(head))
}

fn is_id_card(number: &str) -> bool {
    if number.len() != 18 {
        return false;
    }
    let digits = number.as_bytes();
    let part = |range: std::ops::Range<usize>| number[range].parse::<i16>().ok();
    let province = part(0..2).is_some_and(|code| PROVINCES.iter().any(|&known| i16::from(known) == code));
    let born = match (part(6..10), part(10..12), part(12..14)) {
        (Some(y), Some(m), Some(d)) => {
            (1900..=2100).contains(&y) && jiff::civil::Date::new(y, m as i8, d as i8).is_ok()
        }
        _ => false,
    };
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.iter().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let check = b"10X98765432"[(sum % 11) as usize];
    province && born && digits[17].to_ascii_uppercase() == check
}

fn is_bank_card(number: &str, before: &str) -> bool {
    if !(16..=19).contains(&number.len()) || !number.bytes().all(|digit| digit.is_ascii_digit()) {
        return false;
    }
    let from = before.char_indices().rev().take(12).last().map_or(0, |(at, _)| at);
    let near = &before[from..];
    let said = ["卡号", "银行卡", "账号", "帐号", "账户", "开户"].iter().any(|word| near.contains(word));
    // UnionPay cards begin with 62; others need a word that says what they are.
    (number.starts_with("62") || said && matches!(number.as_bytes()[0], b'3'..=b'6' | b'9')) && luhn(number)
}

fn luhn(number: &str) -> bool {
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (u32::from(digit - b'0'), at % 2) {
            (digit, 0) => digit,
            (digit, _) => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_people_and_of_other_things() {
        let table = [
            ("身份证号：11010119900307003X，", "身份证号：11010119900307003X，"),
            ("身份证11010519491231002X。", "身份证11*************02X。"),
            ("手机13812341234，", "手机138****1234，"),
            ("卡号6222021234567894", "卡号6222********7894"),
            ("编号201381234123400", "编号201381234123400"),
            ("代码91150900MA0N123456", "代码91150900MA0N123456"),
            ("流水110101199013000001", "流水110101199013000001"),
        ];
        for (text, masked) in table {
            assert_eq!(mask_all(text), masked);
        }
    }

    proptest::proptest! {
        #[test]
        fn masking_never_leaves_a_number(text in "[0-9Xx ，a文]{0,80}") {
            let masked = mask_all(&text);
            proptest::prop_assert_eq!(numbers(&masked).count(), 0);
            proptest::prop_assert_eq!(masked.chars().count(), text.chars().count());
        }
    }
}
