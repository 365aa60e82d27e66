//! Names of bodies where a text tells of the time when they were right.

use jiff::civil::Date;

/// Characters before a name in which an earlier day makes it history.
const BEFORE_CHARS: usize = 60;
/// Characters behind a name in which the number of a document that the body issued is looked for, and those between
/// the document's title and its number.
const BEHIND_CHARS: usize = 120;
const NUMBER_CHARS: usize = 20;
/// What a body issues by number: 公告2015年第31号.
const ISSUED: [&str; 4] = ["公告", "通告", "令", "文件"];
/// How the titles of what it sends end, and characters in front of them up to the word they begin with.
const TITLES: [&str; 8] = ["的通知", "的意见", "的公告", "的通告", "的函", "的决定", "的批复", "的报告"];
const ISSUERS_CHARS: usize = 30;
/// Characters of a day right behind a name: 2009年公布的.
const DAY_CHARS: usize = 8;
/// Characters between 被 and a body that honours somebody, and between the body and the word for it.
const HONOUR_CHARS: usize = 10;
/// How bodies honour.
const HONOURS: [&str; 8] = ["授予", "评为", "命名", "评定为", "认定为", "列为", "确定为", "表彰"];
/// Characters of the day on which something comes into force: 自2012年9月1日.
const IN_FORCE_CHARS: usize = 12;
/// Where a sentence ends.
const ENDS: [char; 6] = ['。', '！', '？', '；', ';', '\n'];

/// Whether a name, which was right until `since`, is one of history where it stands: behind an earlier day, in front of
/// an earlier document that the body issued, or where it once honoured somebody.
pub(crate) fn is_history(text: &str, (start, end): (usize, usize), since: Date) -> bool {
    let (before, behind) = (last(&text[..start], BEFORE_CHARS), first(&text[end..], BEHIND_CHARS));
    let number = ISSUED.iter().find_map(|word| behind.strip_prefix(word)).unwrap_or(behind);
    is_dated(before, since)
        || number.starts_with(['1', '2']) && is_dated(first(number, DAY_CHARS), since)
        || issued_before(behind, since)
        || in_force_before(behind, since)
        || honours(before, behind)
}

/// Whether a text speaks of a day before the change, as 2001年国家工商行政管理局发布的 does, or the line of
/// somebody's life 1996.07—1998.10.
fn is_dated(before: &str, since: Date) -> bool {
    let digit_at = |at: usize| before.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    before.match_indices(['1', '2']).any(|(at, _)| {
        let year = before.get(at..at + 4).and_then(|year| year.parse::<i16>().ok());
        let whole = at == 0 || !digit_at(at - 1);
        let Some(year) = year.filter(|year| whole && *year >= 1949) else { return false };
        let rest = &before[at + 4..];
        let Some(mark) = rest.chars().next().filter(|c| matches!(c, '年' | '.' | '-' | '/' | '．' | '－'))
        else {
            return false;
        };
        let rest = &rest[mark.len_utf8()..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let month = rest[..digits].parse::<i8>().ok();
        (mark == '年' || month.is_some())
            && (year < since.year()
                || year == since.year() && month.is_some_and(|month| month < since.month()))
    })
}

/// Whether the document behind a name is older than the change by its number: 《…办法》（建质〔2005〕145号）,
/// 财政厅鄂价费[2006]107号.
fn issued_before(behind: &str, since: Date) -> bool {
    let behind = behind.split(ENDS).next().unwrap_or_default();
    let titled = first(behind, ISSUERS_CHARS).find("关于").map(|at| &behind[at..]);
    let ended = titled.and_then(|title| {
        let end = |word: &&str| Some(title.find(word)? + word.len());
        TITLES.iter().filter_map(end).min().map(|end| &title[end..])
    });
    let number = behind.split_once('》').map(|(_, number)| number).or(ended).unwrap_or(behind);
    let number = first(number, NUMBER_CHARS);
    number.match_indices(['〔', '[', '【', '（', '(']).any(|(at, open)| {
        let rest = &number[at + open.len()..];
        let year = rest.get(..4).and_then(|year| year.parse::<i16>().ok());
        let closed = rest.get(4..).is_some_and(|rest| rest.starts_with(['〕', ']', '】', '）', ')']));
        closed && rest.contains('号') && year.is_some_and(|year| (1949..since.year()).contains(&year))
    })
}

/// Whether what the sentence is about came into force before the change: 现予公布，自2012年9月1日起施行.
fn in_force_before(behind: &str, since: Date) -> bool {
    let sentence = behind.split(ENDS).next().unwrap_or_default();
    let day =
        ["起施行", "起实施"].iter().find_map(|word| sentence.split_once(word)).map(|(before, _)| before);
    day.is_some_and(|before| is_dated(last(before, IN_FORCE_CHARS), since))
}

fn honours(before: &str, behind: &str) -> bool {
    let (before, behind) = (last(before, HONOUR_CHARS), first(behind, HONOUR_CHARS));
    let near = |text: &str, word: &str| text.contains(word) && !text.contains(ENDS);
    near(before, "被") && HONOURS.iter().any(|word| near(behind, word))
}

/// The first characters of a text.
fn first(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(at, _)| &text[..at])
}

/// The last characters of a text.
fn last(text: &str, chars: usize) -> &str {
    text.char_indices().rev().take(chars).last().map_or(text, |(at, _)| &text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_body_once_was_and_did() {
        let since = Date::constant(2018, 3, 18);
        for (text, is_one) in [
            ("2001年农业部发布的", true),
            ("1996.07—1998.10 农业部", true),
            ("《办法》已于2018年1月22日经农业部第147次会议通过", true),
            ("2018年3月20日，农业部召开会议", false),
            ("2020年11月13日，农业部召开会议", false),
            ("按12005年计，农业部", false),
            ("根据农业部《工程建设工法管理办法》（建质〔2005〕145号）精神", true),
            ("根据农业部《管理办法》（农发〔2021〕14号）精神", false),
            ("根据农业部、教育部印发的《关于培养工作的实施意见》（发改社会[2010]1198号）", true),
            ("按照农业部、财政厅鄂价费[2006]107号文件收取", true),
            ("根据农业部2009年公布的目录", true),
            ("农业部公告2015年第31号", true),
            ("农业部公告2021年第31号", false),
            ("农业部 教育部关于进一步加强管理的通知（国土资发〔2014〕100号）", true),
            ("农业部关于进一步加强管理的意见(农发〔2021〕1号)", false),
            ("农业部2021年公布的目录", false),
            ("经农业部常务会议审议通过，现予公布，自2012年9月1日起施行。", true),
            ("经农业部常务会议审议通过，现予公布，自2022年9月1日起施行。", false),
            ("农业部另行通知。《办法》自2012年9月1日起施行。", false),
            ("根据农业部要求。见《意见》（发改社会[2010]1198号）", false),
            ("某市被农业部授予“先进单位”称号", true),
            ("某市向农业部申报先进单位", false),
            ("农业部", false),
        ] {
            let start = text.find("农业部").expect("the name");
            assert_eq!(is_history(text, (start, start + "农业部".len()), since), is_one, "{text}");
        }
    }
}
