//! Hours of the day and of the week.

use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

/// Hours such as `22:00-06:00`, in a time zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    from: Time,
    until: Time,
    zone: TimeZone,
}

/// Why a text is not a window.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a window: write two different times like 22:00-06:00")]
pub struct WindowError(String);

impl FromStr for Window {
    type Err = WindowError;
    fn from_str(text: &str) -> Result<Self, WindowError> {
        let bad = || WindowError(text.to_owned());
        let (from, until) = text.split_once('-').ok_or_else(bad)?;
        let time = |text: &str| Time::strptime("%H:%M", text.trim()).map_err(|_| bad());
        let (from, until) = (time(from)?, time(until)?);
        if from == until {
            return Err(bad());
        }
        Ok(Self { from, until, zone: TimeZone::UTC })
    }
}

impl Window {
    /// The same hours in a time zone.
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// Whether it is open.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.has(self.zone.to_datetime(now).time())
    }

    fn has(&self, time: Time) -> bool {
        if self.from < self.until {
            (self.from..self.until).contains(&time)
        } else {
            time >= self.from || time < self.until
        }
    }

    /// Time until it opens, at least a second; zero when it is open.
    pub fn opens_in(&self, now: Timestamp) -> Duration {
        if self.is_open(now) {
            return Duration::ZERO;
        }
        let time = self.zone.to_datetime(now).time();
        let seconds = |time: Time| {
            i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second())
        };
        let wait = (seconds(self.from) - seconds(time)).rem_euclid(86_400).max(1);
        Duration::from_secs(wait.unsigned_abs())
    }
}

/// Days of the week, and hours of these days.
#[derive(Clone, Debug, PartialEq)]
pub struct Hours {
    days: Vec<Weekday>,
    window: Window,
}

/// Why texts are not hours of the week.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HoursError {
    /// The days.
    #[error("{0:?} are not days: write mon-fri, sat,sun or daily")]
    Days(String),
    /// The hours.
    #[error(transparent)]
    Window(#[from] WindowError),
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl Hours {
    /// Reads days such as `mon-fri`, `sat,sun` or `daily`, and hours such as `08:00-18:00`. Hours
    /// over midnight belong to the day they are in.
    pub fn parse(days: &str, hours: &str, zone: TimeZone) -> Result<Self, HoursError> {
        let bad = || HoursError::Days(days.to_owned());
        let number = |name: &str| {
            let name = name.trim().to_ascii_lowercase();
            DAYS.iter().position(|(own, _)| *own == name).ok_or_else(bad)
        };
        let mut found = Vec::new();
        if days.trim().eq_ignore_ascii_case("daily") {
            found.extend(DAYS.iter().map(|(_, day)| *day));
        } else {
            for part in days.split(',') {
                match part.split_once('-') {
                    Some((from, until)) => {
                        let (from, until) = (number(from)?, number(until)?);
                        let count = (until + 7 - from) % 7 + 1;
                        found.extend((0..count).map(|at| DAYS[(from + at) % 7].1));
                    }
                    None => found.push(DAYS[number(part)?].1),
                }
            }
        }
        Ok(Self { days: found, window: hours.parse::<Window>()?.in_zone(zone) })
    }

    /// Whether a moment lies in them.
    pub fn contain(&self, now: Timestamp) -> bool {
        let local = self.window.zone.to_datetime(now);
        self.days.contains(&local.weekday()) && self.window.has(local.time())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_over_midnight() {
        let zone = TimeZone::get("Asia/Shanghai").expect("zone");
        let window: Window = "22:00-06:00".parse().expect("window");
        let window = window.in_zone(zone);
        for (at, open, wait) in
            [("14:00", true, 0), ("21:59", true, 0), ("22:00", false, 57_600), ("13:59", false, 60)]
        {
            let at: Timestamp = format!("2026-11-23T{at}:00Z").parse().expect("time");
            assert_eq!(window.is_open(at), open, "{at}");
            assert_eq!(window.opens_in(at).as_secs(), wait, "{at}");
        }
        for bad in ["22:00", "25:00-06:00", "06:00-06:00", "a-b", ""] {
            assert!(bad.parse::<Window>().is_err(), "{bad}");
        }
    }

    #[test]
    fn hours_of_the_week() {
        let zone = TimeZone::get("Asia/Shanghai").expect("zone");
        let office = Hours::parse("mon-fri", "08:00-18:00", zone.clone()).expect("hours");
        // A Monday, a Saturday; 10:00 and 20:00 in Shanghai.
        for (at, inside) in
            [("2026-11-23T02:00:00Z", true), ("2026-11-23T12:00:00Z", false), ("2026-11-28T02:00:00Z", false)]
        {
            assert_eq!(office.contain(at.parse().expect("time")), inside, "{at}");
        }
        let weekend = Hours::parse("sat-mon", "00:00-23:59", zone.clone()).expect("hours");
        assert!(weekend.contain("2026-11-23T02:00:00Z".parse().expect("time")));
        assert!(Hours::parse("daily", "08:00-18:00", zone.clone()).is_ok());
        for (days, hours) in [("work", "08:00-18:00"), ("mon-", "08:00-18:00"), ("mon", "8-18")] {
            assert!(Hours::parse(days, hours, zone.clone()).is_err(), "{days} {hours}");
        }
    }
}
