//! The hours in which the web is asked.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Time;
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
        let time = self.zone.to_datetime(now).time();
        if self.from < self.until {
            (self.from..self.until).contains(&time)
        } else {
            time >= self.from || time < self.until
        }
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
        for (at, open) in [("14:00", true), ("21:59", true), ("22:00", false), ("13:59", false)] {
            let at: Timestamp = format!("2026-11-23T{at}:00Z").parse().expect("time");
            assert_eq!(window.is_open(at), open, "{at}");
        }
        for bad in ["22:00", "25:00-06:00", "06:00-06:00", "a-b"] {
            assert!(bad.parse::<Window>().is_err(), "{bad}");
        }
    }
}
