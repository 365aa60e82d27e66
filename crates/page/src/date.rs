//! Dates as pages write them: the forms of Chinese pages, and those of the rest of the world.

use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;

#[allow(clippy::unwrap_used, reason = "constant patterns, compiled in every test")]
static IN_TEXT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[^0-9.])((?:19|20)\d{2})\s*[-/.年－／．]\s*(\d{1,2})\s*[-/.月－／．]\s*(\d{1,2})(?:日|[^0-9.]|$)")
        .unwrap()
});

#[allow(clippy::unwrap_used, reason = "constant patterns, compiled in every test")]
static IN_URL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"/((?:19|20)\d{2})[/-](\d{1,2})[/-](\d{1,2})/|/t((?:19|20)\d{2})(\d{2})(\d{2})_|/((?:19|20)\d{2})(\d{2})(\d{2})/").unwrap()
});

/// The years a page's date may have; anything else is a number that looks like one.
const YEARS: std::ops::RangeInclusive<i16> = 1990..=2099;

/// Whether four digits that may be a year stand in a text: much cheaper to see than a date.
pub(crate) fn has_year(text: &str) -> bool {
    let bytes = text.as_bytes();
    let year = |at: usize| matches!(bytes.get(at..at + 4), Some([b'1', b'9', d, u] | [b'2', b'0', d, u]) if d.is_ascii_digit() && u.is_ascii_digit());
    memchr::memchr2_iter(b'1', b'2', bytes).any(year)
}

/// The first date in a text: `2024-05-06`, `2024年5月6日`, `2024/5/6`, `2024.05.06`.
pub fn date_in_text(text: &str) -> Option<Date> {
    if !has_year(text) {
        return None;
    }
    dates_in_text(text).next().map(|(date, ..)| date)
}

/// Every date in a text, with what stands in front of it and behind.
fn dates_in_text(text: &str) -> impl Iterator<Item = (Date, &str, &str)> {
    IN_TEXT.captures_iter(text).filter_map(|found| {
        let (_, [y, m, d]) = found.extract();
        let (start, end) = (found.get(1)?.start(), found.get(3)?.end());
        let behind = &text[end..];
        let behind = behind.trim_start().strip_prefix('日').unwrap_or(behind);
        Some((date(y, m, d)?, &text[..start], behind))
    })
}

/// What the days are of that are not the publication's.
const OTHER_DAYS: [&str; 20] = [
    "截止", "截至", "结束", "到期", "有效期", "失效", "成文", "签发", "印发", "施行", "实施", "生效", "会议",
    "活动", "开标", "开庭", "报名", "考试", "举办", "召开",
];

/// Whether a name in front of a date says that it is not the day of publication: `截止时间：`, `成文日期`.
pub(crate) fn names_another_day(before: &str) -> bool {
    let label = before.trim_end();
    let name = label.trim_end_matches(['：', ':', '】', ']', ' ', '\u{3000}']);
    let word = name.strip_suffix("时间").or_else(|| name.strip_suffix("日期")).unwrap_or(name);
    // A title may end with the word.
    word.len() < label.len() && OTHER_DAYS.iter().any(|other| word.ends_with(other))
}

/// Whether a text is the name of the day of publication: `发布日期`, `公开时间`.
pub(crate) fn names_publication(text: &str) -> bool {
    let name = text.trim().trim_end_matches(['：', ':']);
    let word = name.strip_suffix("时间").or_else(|| name.strip_suffix("日期"));
    word.is_some_and(|word| ["发布", "公开", "公布", "发表", "上传", "更新", "上网"].contains(&word))
}

#[allow(clippy::unwrap_used, reason = "constant patterns, compiled in every test")]
static DAY_APART: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    let day_and_month = r"(\d{1,2})\s*((?:19|20)\d{2})\s*[-/.年]\s*(\d{1,2})月?";
    [format!(r"^{day_and_month}(?:[^-/.0-9]|$)"), format!(r"[^-/.0-9]{day_and_month}$")]
        .map(|pattern| Regex::new(&pattern).unwrap())
});

/// The date of a row of a list: as in any text but one on which something ends or is to happen, or with the day before
/// the month, large and apart from it, at one end of the row: `20 2024-05`.
pub(crate) fn date_in_row(text: &str) -> Option<Date> {
    if !has_year(text) {
        return None;
    }
    let mut dates = dates_in_text(text).peekable();
    if dates.peek().is_some() {
        let ends = |behind: &str| {
            ["截止", "前", "止"].iter().any(|end| behind.starts_with(end)) && !behind.starts_with("前往")
        };
        let is_own = |(_, before, behind): &(Date, &str, &str)| !names_another_day(before) && !ends(behind);
        let mut own = dates.filter(is_own);
        let (first, before, behind) = own.next()?;
        // 2019年12月2日会议纪要2019年12月10日: the title begins with one, too.
        let last = own.last().filter(|(.., behind)| behind.trim_matches(BRACKETS).is_empty());
        return Some(last.filter(|_| is_amid(before, behind)).map_or(first, |(date, ..)| date));
    }
    let found = DAY_APART.iter().find_map(|pattern| pattern.captures(text))?;
    date(&found[2], &found[3], &found[1])
}

/// Whether a date of a text stands right between words of Chinese, or before a sentence that begins so:
/// 已经2010年10月27日会议通过, 2010年10月27日上午, 2010年10月27日，某局.
pub(crate) fn is_amid_words(text: &str, date: Date) -> bool {
    dates_in_text(text).any(|(found, before, behind)| found == date && is_amid(before, behind))
}

fn is_amid(before: &str, behind: &str) -> bool {
    let is_word = |c: char| ('\u{4E00}'..='\u{9FFF}').contains(&c);
    let before = before.trim_start_matches(BRACKETS);
    let goes_on = behind.starts_with(is_word) || behind.starts_with('，');
    (before.is_empty() || before.ends_with(is_word) || before.ends_with(['，', '。'])) && goes_on
}

/// What may stand around the date of a row.
const BRACKETS: [char; 9] = ['（', '(', '[', '【', ' ', '）', ')', ']', '】'];

/// Bytes of the longest part of a date that stands in a block of its own: `2024年05月`.
const PART_BYTES_MAX: usize = 16;

/// Whether a block may hold a part of a date and nothing else: a day, a year with a month, a month with a day, a year.
pub(crate) fn is_date_part(text: &str) -> bool {
    text.len() <= PART_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || "-/.年月日 ".contains(c))
}

/// The date that two blocks make together, in either order: `20` and `2024-05`, `05-20` and `2024`.
pub(crate) fn date_of_parts(first: &str, second: &str) -> Option<Date> {
    let numbers = |text: &str| -> Vec<String> {
        let parts = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    let (first, second) = (numbers(first), numbers(second));
    let is_year = |text: &String| text.len() == 4;
    match (&first[..], &second[..]) {
        ([day], [year, month]) | ([year, month], [day]) | ([month, day], [year]) | ([year], [month, day])
            if is_year(year) && !is_year(day) =>
        {
            date(year, month, day)
        }
        _ => None,
    }
}

#[allow(clippy::unwrap_used, reason = "constant pattern, compiled in every test")]
static COMPACT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:^|[^0-9])((?:19|20)\d{2})(\d{2})(\d{2})(?:[^0-9]|$|\d{6})").unwrap());

#[allow(clippy::unwrap_used, reason = "constant pattern, compiled in every test")]
static DAY_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[^0-9.])(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*((?:19|20)\d{2})(?:[^0-9]|$)").unwrap()
});

/// Beginnings of the names of months in the languages of Europe and beyond, lower case.
const MONTHS: [&[&str]; 12] = [
    &["jan", "jän", "ene", "gen", "ocak", "янв", "січ", "stycz", "led", "tammi", "ιαν", "يناير"],
    &["feb", "fév", "fev", "şub", "фев", "лют", "lut", "úno", "helmi", "φεβ", "فبراير"],
    &["mar", "mär", "mrt", "maart", "мар", "бер", "maalis", "bře", "μαρ", "márc", "مارس"],
    &["apr", "avr", "abr", "nis", "апр", "кві", "kwie", "dub", "huhti", "απρ", "ápr", "أبريل"],
    &["may", "mai", "mei", "mag", "maj", "май", "мая", "тра", "kvě", "touko", "μαΐ", "μαϊ", "máj", "مايو"],
    &["jun", "juin", "giu", "haz", "июн", "чер", "czerw", "čer", "kesä", "ιουν", "jún", "يونيو"],
    &["jul", "juil", "lug", "tem", "июл", "лип", "lip", "červenc", "heinä", "ιουλ", "júl", "يوليو"],
    &["aug", "aoû", "ago", "ağu", "авг", "сер", "sierp", "srpn", "elo", "αυγ", "أغسطس"],
    &["sep", "set", "eyl", "сен", "вер", "wrz", "zář", "syys", "σεπ", "szept", "سبتمبر"],
    &["oct", "okt", "ott", "outu", "eki", "окт", "жов", "paź", "říj", "loka", "οκτ", "أكتوبر"],
    &["nov", "kas", "ноя", "лис", "list", "marras", "νοε", "نوفمبر"],
    &["dec", "déc", "dez", "dic", "ara", "дек", "гру", "grud", "prosin", "joulu", "δεκ", "des", "ديسمبر"],
];

/// The first date in a text in any form: those of [`date_in_text`], `20240506`, `06.05.2024`,
/// `6 May 2024`, `May 6, 2024`.
pub(crate) fn date_in_any_form(text: &str) -> Option<Date> {
    if !has_year(text) {
        return None;
    }
    date_in_text(text)
        .or_else(|| {
            let found = COMPACT.captures(text)?;
            date(&found[1], &found[2], &found[3])
        })
        .or_else(|| {
            let found = DAY_FIRST.captures(text)?;
            date(&found[3], &found[2], &found[1]).or_else(|| date(&found[3], &found[1], &found[2]))
        })
        .or_else(|| date_with_month_name(text))
}

/// `6 May 2024`, `6. Mai 2024`, `6 de mayo de 2024`, `May 6th, 2024`.
fn date_with_month_name(text: &str) -> Option<Date> {
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let year = |word: &&str| word.len() == 4 && (word.starts_with("19") || word.starts_with("20"));
    words.iter().enumerate().filter(|(_, word)| year(word)).find_map(|(at, year)| {
        // The month and the day stand in the words before the year, with little between them.
        let near = &words[at.saturating_sub(5)..at];
        let month_at = near.iter().rposition(|word| month(word).is_some())?;
        let day = |word: &&str| {
            let digits = word.trim_end_matches(|c: char| c.is_alphabetic());
            digits.parse::<i8>().ok().filter(|day| (1..=31).contains(day))
        };
        let before = near[..month_at].iter().rev().take(2).find_map(day);
        let day = near[month_at + 1..].iter().find_map(day).or(before)?;
        date(year, &month(near[month_at])?.to_string(), &day.to_string())
    })
}

fn month(word: &str) -> Option<usize> {
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let of_length = |name: &&str| word.starts_with(*name) && word.chars().count() <= 10;
    // The longest beginning: июнь and июль, juin and juillet share their first letters.
    let all = MONTHS.iter().enumerate().flat_map(|(at, names)| names.iter().map(move |name| (at + 1, name)));
    all.filter(|(_, name)| of_length(name)).max_by_key(|(_, name)| name.len()).map(|(month, _)| month)
}

/// The date in an address, if its path is built with one.
pub fn dates_in_url(path: &str) -> Option<Date> {
    if !path.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let found = IN_URL.captures(path)?;
    let parts: Vec<&str> = found.iter().skip(1).flatten().map(|part| part.as_str()).collect();
    match parts[..] {
        [y, m, d] => date(y, m, d),
        _ => None,
    }
}

fn date(y: &str, m: &str, d: &str) -> Option<Date> {
    let date = Date::new(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?).ok()?;
    YEARS.contains(&date.year()).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_the_field() {
        let table = [
            ("发布时间：2024-05-06 10:20", Some("2024-05-06")),
            ("时间：2024年5月6日", Some("2024-05-06")),
            ("2024/05/06 10:00:01", Some("2024-05-06")),
            ("[2024.05.06]", Some("2024-05-06")),
            ("2024－05－06", Some("2024-05-06")),
            ("2024-13-06", None),
            ("2024年2月30日", None),
            ("编号20240506", None),
            ("IP 192.168.1.20", None),
            ("1.2024.05.06", None),
        ];
        for (text, wanted) in table {
            assert_eq!(date_in_text(text).map(|date| date.to_string()).as_deref(), wanted, "{text}");
        }
        let table = [
            ("2024-05-06 标题", Some("2024-05-06")),
            ("20 2024-05 标题", Some("2024-05-20")),
            ("202024-05标题", Some("2024-05-20")),
            ("标题 6 2024年5月", Some("2024-05-06")),
            ("关于2024-05的标题", None),
            ("20 2024-05-06", Some("2024-05-06")),
            ("32 2024-05", None),
            ("某办法征求意见 截止时间：2024-06-20", None),
            ("征集时间：2024-05-06至2024-06-20", Some("2024-05-06")),
            ("成文日期：2024年4月1日 发布日期：2024年5月6日", Some("2024-05-06")),
            ("某调查（2024-06-20截止）", None),
            ("某调查2024-05-06前往查看", Some("2024-05-06")),
            ("全市开展宣传活动 2024-05-06", Some("2024-05-06")),
            ("关于召开会议的通知2024-05-06", Some("2024-05-06")),
        ];
        for (text, wanted) in table {
            assert_eq!(date_in_row(text).map(|date| date.to_string()).as_deref(), wanted, "{text}");
        }
        let table = [
            ("20", "2024-05", Some("2024-05-20")),
            ("2024年05月", "20日", Some("2024-05-20")),
            ("05-20", "2024", Some("2024-05-20")),
            ("2024", "05/20", Some("2024-05-20")),
            ("20", "30", None),
            ("2024", "2024-05", None),
            ("20", "2024-13", None),
        ];
        for (first, second, wanted) in table {
            assert!(is_date_part(first) && is_date_part(second), "{first} {second}");
            let date = date_of_parts(first, second);
            assert_eq!(date.map(|date| date.to_string()).as_deref(), wanted, "{first} {second}");
        }
        assert!(!is_date_part("共20页") && !is_date_part("20件") && !is_date_part(""));
        let table = [
            ("/gzdt/202405/t20240506_12.html", Some("2024-05-06")),
            ("/art/2024/5/6/art_1_2.html", Some("2024-05-06")),
            ("/a/20240506/1.html", Some("2024-05-06")),
            ("/show-1001-12.html", None),
        ];
        for (path, wanted) in table {
            assert_eq!(dates_in_url(path).map(|date| date.to_string()).as_deref(), wanted, "{path}");
        }
    }
}
