//! Dates as Chinese pages write them.

use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;

#[allow(clippy::unwrap_used, reason = "constant patterns, compiled in every test")]
static IN_TEXT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[^0-9.])((?:19|20)\d{2})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?:日|[^0-9.]|$)")
        .unwrap()
});

#[allow(clippy::unwrap_used, reason = "constant patterns, compiled in every test")]
static IN_URL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"/((?:19|20)\d{2})[/-](\d{1,2})[/-](\d{1,2})/|/t((?:19|20)\d{2})(\d{2})(\d{2})_|/((?:19|20)\d{2})(\d{2})(\d{2})/").unwrap()
});

/// The years a page's date may have; anything else is a number that looks like one.
const YEARS: std::ops::RangeInclusive<i16> = 1990..=2099;

/// The first date in a text: `2024-05-06`, `2024年5月6日`, `2024/5/6`, `2024.05.06`.
pub fn date_in_text(text: &str) -> Option<Date> {
    // Most texts have no digit at all; a scan for one is much cheaper than the pattern.
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    IN_TEXT.captures_iter(text).find_map(|found| {
        let (_, [y, m, d]) = found.extract();
        date(y, m, d)
    })
}

/// The date in an address, if its path is built with one.
pub fn dates_in_url(path: &str) -> Option<Date> {
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
