//! Personal numbers: identity cards (GB 11643), mobiles, bank cards (Luhn).

use memchr::memmem;
use xunjian_model::{Facts, Kind, Masked, MaskedKind, Severity, Zone};

use crate::digest::PageFinding;
use crate::page::Passage;

/// Digits of the shortest number.
const DIGITS_MIN: usize = 11;

/// First two digits of an identity number: provinces and the like (GB/T 2260).
const PROVINCES: [u8; 35] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54,
    61, 62, 63, 64, 65, 71, 81, 82, 83,
];
/// Characters before a number in which a word says what it is.
const BEFORE: usize = 24;
/// Words before a mobile number that belongs to an office.
const OFFICIAL: [&str; 9] = [
    "热线", "咨询电话", "监督电话", "举报电话", "服务电话", "值班", "办公电话", "办公室电话", "联系电话：办",
];
/// Words that say that a number belongs to a person who did not mean to publish it.
const PERSONAL: [&str; 14] = [
    "姓名", "申请人", "受助人", "户主", "家长", "监护人", "患者", "死者", "当事人", "被执行人", "住址",
    "低保", "残疾人", "学生",
];
/// Words before the number of whoever answers questions about a notice, who most likely meant to give it: what he is
/// asked for, or the post he holds.
const CONTACT: [&str; 19] = [
    "联系人", "联 系 人", "联系电话", "联系方式", "报名电话", "咨询", "请联系", "老师联系", "致电", "拨打",
    "老师", "书记", "主任", "部长", "科长", "处长", "局长", "所长", "干事",
];
/// Words before the code of an organisation (GB 32100), which has 18 characters, too.
const CREDIT_CODE: [&str; 5] = ["信用代码", "社会信用", "税号", "纳税人识别号", "组织机构代码"];
/// Words right before the number of a thing.
const OF_THINGS: [&str; 12] = [
    "编号", "序列号", "订单号", "单号", "流水号", "合同号", "票号", "条码", "设备号", "档案号", "受理号",
    "批号",
];
/// The numbers that the standard of identity numbers gives as examples (GB 11643-1999, 3.1), and everybody after it.
const EXAMPLES: [&str; 2] = ["11010519491231002X", "440524188001010014"];
/// Titles and columns of pages whose purpose is to give numbers.
const CONTACT_PAGES: [&str; 6] = ["联系我们", "联系方式", "通讯录", "值班表", "联系电话", "机构电话"];

struct Found {
    kind: MaskedKind,
    /// The number's digits alone.
    number: String,
    start: usize,
    end: usize,
    severity: Severity,
}

/// Whether a page is there to give numbers: then mobiles on it are meant to be read.
pub(crate) fn is_contact_page(facts: &Facts) -> bool {
    let column = facts.label("ColumnName").unwrap_or_default();
    CONTACT_PAGES.iter().any(|word| facts.title.contains(word) || column.contains(word))
}

/// Faults of one block. Numbers in footers are the office's own.
pub(crate) fn check(passage: &Passage<'_>, contact_page: bool, findings: &mut Vec<PageFinding>) {
    let block = passage.block;
    if block.zone == Zone::Footer {
        return;
    }
    for found in numbers(&block.text) {
        let kind = match found.kind {
            MaskedKind::IdCard => Kind::PrivacyIdCard,
            MaskedKind::Mobile => Kind::PrivacyMobile,
            MaskedKind::BankCard => Kind::PrivacyBankCard,
        };
        let meant = contact_page && found.kind == MaskedKind::Mobile;
        let what = Masked::new(found.kind, &found.number);
        findings.push(PageFinding {
            severity: if meant { Severity::Info } else { found.severity },
            ..passage.finding(kind, what.as_str(), found.start, found.end)
        });
    }
}

/// Masks every personal number in a text.
pub fn mask_all(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for found in numbers(text) {
        out.push_str(&text[from..found.start]);
        out.push_str(Masked::new(found.kind, &found.number).as_str());
        from = found.end;
    }
    out.push_str(&text[from..]);
    out
}

fn numbers(text: &str) -> impl Iterator<Item = Found> {
    // Most texts have too few digits for any number.
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let enough = digits >= DIGITS_MIN || digits + wide_digits(text) >= DIGITS_MIN;
    let runs = enough.then_some(Runs { text, at: 0 }).into_iter().flatten();
    runs.flat_map(|(start, end)| in_run(text, start, end))
}

/// Runs of at least [`DIGITS_MIN`] digits, of which some may be wide and some parted by one space or hyphen; an X may
/// end them.
struct Runs<'t> {
    text: &'t str,
    at: usize,
}

impl Runs<'_> {
    /// The bytes of the digit at a place, if there is one.
    fn digit(&self, at: usize) -> Option<usize> {
        match *self.text.as_bytes().get(at)? {
            byte if byte.is_ascii_digit() => Some(1),
            0xEF => self.text[at..].starts_with(|c| ('０'..='９').contains(&c)).then_some('０'.len_utf8()),
            _ => None,
        }
    }

    /// Where the run that begins at a place ends, and how many digits it has.
    fn run(&self, start: usize) -> (usize, usize) {
        let (mut end, mut digits) = (start, 0);
        let mut next = Some(start);
        while let Some((at, bytes)) = next.and_then(|at| Some((at, self.digit(at)?))) {
            end = at + bytes;
            digits += 1;
            let rest = &self.text[end..];
            let parted =
                rest.chars().next().filter(|c| matches!(c, ' ' | '-' | '－')).map_or(0, char::len_utf8);
            next = Some(end + parted);
        }
        (end, digits)
    }
}

impl Iterator for Runs<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let start = self.at + rest.iter().position(|byte| byte.is_ascii_digit() || *byte == 0xEF)?;
            let (end, digits) = self.run(start);
            // What is no digit may be any other character of those that begin so.
            self.at = end.max(start + 1);
            if digits >= DIGITS_MIN {
                let check = self.text[end..].chars().next().filter(|c| matches!(c, 'X' | 'x' | 'Ｘ'));
                self.at = end + check.map_or(0, char::len_utf8);
                return Some((start, self.at));
            }
        }
    }
}

/// Wide digits of a text.
pub(crate) fn wide_digits(text: &str) -> usize {
    // U+FF10 to U+FF19 in UTF-8: two bytes in front, then 0x90 to 0x99.
    let bytes = text.as_bytes();
    let third = |at: usize| bytes.get(at + 2).is_some_and(|byte| (0x90..=0x99).contains(byte));
    memmem::find_iter(bytes, b"\xEF\xBC").filter(|at| third(*at)).count()
}

/// Digits without a separator between them.
struct Group {
    digits: String,
    start: usize,
    end: usize,
}

/// The groups that numbers are written in: how many digits each has.
const WRITTEN: [&[usize]; 7] = [
    &[3, 4, 4],
    &[6, 8, 4],
    &[6, 4, 4, 4],
    &[4, 4, 4, 4, 3],
    &[4, 4, 4, 4, 2],
    &[4, 4, 4, 4, 1],
    &[4, 4, 4, 4],
];

/// Numbers in a run of digits and separators.
fn in_run(text: &str, start: usize, end: usize) -> Vec<Found> {
    let mut groups: Vec<Group> = Vec::new();
    let mut parted = true;
    for (at, c) in text[start..end].char_indices() {
        let digit = match c {
            '０'..='９' => char::from(b'0' + (c as u32 - '０' as u32) as u8),
            'Ｘ' => 'X',
            ' ' | '-' | '－' => {
                parted = true;
                continue;
            }
            c => c,
        };
        let at = start + at;
        if std::mem::take(&mut parted) {
            groups.push(Group { digits: String::with_capacity(19), start: at, end: at });
        }
        if let Some(group) = groups.last_mut() {
            group.digits.push(digit);
            group.end = at + c.len_utf8();
        }
    }
    let mut found = Vec::new();
    let mut from = 0;
    while from < groups.len() {
        let lengths = WRITTEN.iter().filter(|lengths| {
            let some = groups.get(from..from + lengths.len());
            some.is_some_and(|some| {
                some.iter().zip(**lengths).all(|(group, length)| group.digits.len() == *length)
            })
        });
        let counts = std::iter::once(1).chain(lengths.map(|lengths| lengths.len()));
        let one = counts.filter_map(|count| Some((count, number(text, &groups[from..from + count])?))).next();
        match one {
            Some((count, one)) => {
                found.push(one);
                from += count;
            }
            None => from += 1,
        }
    }
    found
}

/// The number that groups are together, if they are one.
fn number(text: &str, groups: &[Group]) -> Option<Found> {
    let (start, end) = (groups.first()?.start, groups.last()?.end);
    let (before, after) = (&text[..start], &text[end..]);
    // Parts of longer codes are not numbers of people; a decimal is an amount.
    let alphanumeric = |c: char| c.is_ascii_alphanumeric() || ('０'..='９').contains(&c);
    if before.ends_with(alphanumeric) || after.starts_with(alphanumeric) || before.ends_with('.') {
        return None;
    }
    let number: String = groups.iter().map(|group| group.digits.as_str()).collect();
    let from = before.char_indices().rev().take(BEFORE).last().map_or(start, |(at, _)| at);
    let (kind, severity) = kind_of(&number, &before[from..])?;
    Some(Found { kind, number, start, end, severity })
}

fn kind_of(number: &str, near: &str) -> Option<(MaskedKind, Severity)> {
    let says = |words: &[&str]| words.iter().any(|word| near.contains(word));
    let is_example = EXAMPLES.iter().any(|example| number.eq_ignore_ascii_case(example));
    if is_id_card(number) && !is_example && !says(&CREDIT_CODE) {
        Some((MaskedKind::IdCard, Severity::Serious))
    } else if is_old_id_card(number) && says(&["身份证"]) {
        // Without a check digit, and out of use since 2013.
        Some((MaskedKind::IdCard, Severity::Minor))
    } else if is_mobile(number) {
        let severity = match () {
            () if says(&OFFICIAL) => Severity::Info,
            () if says(&PERSONAL) => Severity::Serious,
            () if says(&CONTACT) => Severity::Minor,
            () => Severity::Major,
        };
        Some((MaskedKind::Mobile, severity))
    } else if is_bank_card(number, near) {
        Some((MaskedKind::BankCard, Severity::Serious))
    } else {
        None
    }
}

/// Whether a number lies in a segment given to mobile subscribers (MIIT, as of 2024): none of
/// those for machines.
fn is_mobile(number: &str) -> bool {
    let Ok([b'1', second, third, ..]) = <[u8; 11]>::try_from(number.as_bytes()) else { return false };
    match second {
        b'3' | b'8' => true,
        b'4' => matches!(third, b'5' | b'7' | b'9'),
        b'5' => third != b'4',
        b'6' => matches!(third, b'2' | b'5'..=b'7'),
        b'7' => third != b'9',
        b'9' => third != b'4',
        _ => false,
    }
}

/// Whether a number has a region, a day of birth and the check digit of GB 11643.
fn is_id_card(number: &str) -> bool {
    if number.len() != 18 {
        return false;
    }
    let digits = number.as_bytes();
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.iter().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let check = b"10X98765432"[(sum % 11) as usize];
    has_region(number) && is_birthday(&number[6..14]) && digits[17].to_ascii_uppercase() == check
}

/// The same with the 15 digits of before 1999.
fn is_old_id_card(number: &str) -> bool {
    number.len() == 15 && has_region(number) && is_birthday(&format!("19{}", &number[6..12]))
}

fn has_region(number: &str) -> bool {
    let province = number[..2].parse::<u8>().is_ok_and(|code| PROVINCES.contains(&code));
    // A person lives in a county, not in a province or a prefecture as such.
    province && &number[2..4] != "00" && &number[4..6] != "00"
}

fn is_birthday(day: &str) -> bool {
    let part = |range: std::ops::Range<usize>| day[range].parse::<i16>().ok();
    match (part(0..4), part(4..6), part(6..8)) {
        (Some(y), Some(m), Some(d)) => {
            (1900..=2040).contains(&y) && jiff::civil::Date::new(y, m as i8, d as i8).is_ok()
        }
        _ => false,
    }
}

fn is_bank_card(number: &str, near: &str) -> bool {
    if !(16..=19).contains(&number.len()) || !number.bytes().all(|digit| digit.is_ascii_digit()) {
        return false;
    }
    let label = near.trim_end_matches(['：', ':', ' ']);
    if OF_THINGS.iter().any(|word| label.ends_with(word)) {
        return false;
    }
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
            ("身份证11010519491231010X。", "身份证11*************10X。"),
            ("手机13812341234，", "手机138****1234，"),
            ("卡号6222021234567894", "卡号6222********7894"),
            ("编号201381234123400", "编号201381234123400"),
            ("代码91150900MA0N123456", "代码91150900MA0N123456"),
            ("流水110101199013000001", "流水110101199013000001"),
            ("统一社会信用代码11010519491231010X", "统一社会信用代码11010519491231010X"),
            ("身份证１１０１０５１９４９１２３１０１０Ｘ", "身份证11*************10X"),
            ("身份证号110105 19491231 010X", "身份证号11*************10X"),
            ("身份证110105491231002", "身份证11**********002"),
            ("编号110105491231002", "编号110105491231002"),
            ("身份证110000194912310025", "身份证110000194912310025"),
            ("电话138-1234-1234、138 1234 1234", "电话138****1234、138****1234"),
            ("2024 1381234 1234", "2024 1381234 1234"),
            ("张三 2024-05-06 13812341234 备注", "张三 2024-05-06 138****1234 备注"),
            ("13812341234-13912341234", "138****1234-139****1234"),
            ("卡号6222 0212 3456 7894", "卡号6222********7894"),
            ("如：11010519491231002X", "如：11010519491231002X"),
            ("设备序列号：6222021234567894", "设备序列号：6222021234567894"),
            ("账号：6222021234567894", "账号：6222********7894"),
            ("物联网14412341234、19412341234", "物联网14412341234、19412341234"),
        ];
        for (text, masked) in table {
            assert_eq!(mask_all(text), masked);
        }
    }

    #[test]
    fn who_a_mobile_belongs_to_says_how_bad_it_is() {
        let severity = |text: &str| numbers(text).next().map(|found| found.severity);
        assert_eq!(severity("监督电话13812341234"), Some(Severity::Info));
        assert_eq!(severity("手机13812341234"), Some(Severity::Major));
        assert_eq!(severity("联系人：李四 13812341234"), Some(Severity::Minor));
        assert_eq!(severity("团委老师 李四 电话：13812341234"), Some(Severity::Minor));
        assert_eq!(severity("如有异议，请致电13812341234。"), Some(Severity::Minor));
        assert_eq!(severity("学生李四 班主任王老师 13812341234"), Some(Severity::Serious));
        assert_eq!(severity("申请人张三，联系电话13812341234"), Some(Severity::Serious));
        assert_eq!(severity("低保户主张三，手机13812341234"), Some(Severity::Serious));
    }

    proptest::proptest! {
        #[test]
        fn masking_never_leaves_a_number(text in "[0-9０-３Xx ，a文-]{0,80}") {
            let masked = mask_all(&text);
            proptest::prop_assert_eq!(numbers(&masked).count(), 0);
            proptest::prop_assert!(masked.chars().count() <= text.chars().count());
        }
    }

    proptest::proptest! {
        #[test]
        fn no_run_of_digits_is_left_out(text in "([0-9０-９]|[ －，字x-]){0,40}") {
            let number = regex::Regex::new(r"[0-9０-９](?:[ \-－]?[0-9０-９]){10,}[XxＸ]?").expect("a pattern");
            let runs: Vec<_> = number.find_iter(&text).flat_map(|run| in_run(&text, run.start(), run.end())).collect();
            let all: Vec<_> = number.find_iter(&text).map(|run| (run.start(), run.end())).collect();
            proptest::prop_assert_eq!(Runs { text: &text, at: 0 }.collect::<Vec<_>>(), all);
            let places = |found: &Found| (found.start, found.end);
            proptest::prop_assert!(numbers(&text).map(|one| places(&one)).eq(runs.iter().map(places)));
            proptest::prop_assert_eq!(wide_digits(&text), text.chars().filter(|c| ('０'..='９').contains(c)).count());
        }
    }
}
