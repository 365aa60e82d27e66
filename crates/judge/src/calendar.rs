//! Working days: the State Council's holidays and make-up days, a data file per year.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use serde::Deserialize;

const SHIPPED: [(&str, &str); 8] = [
    ("holidays/2019.toml", include_str!("../data/holidays/2019.toml")),
    ("holidays/2020.toml", include_str!("../data/holidays/2020.toml")),
    ("holidays/2021.toml", include_str!("../data/holidays/2021.toml")),
    ("holidays/2022.toml", include_str!("../data/holidays/2022.toml")),
    ("holidays/2023.toml", include_str!("../data/holidays/2023.toml")),
    ("holidays/2024.toml", include_str!("../data/holidays/2024.toml")),
    ("holidays/2025.toml", include_str!("../data/holidays/2025.toml")),
    ("holidays/2026.toml", include_str!("../data/holidays/2026.toml")),
];

/// Holidays and make-up days of the years it knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    years: BTreeMap<i16, Year>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Year {
    off: BTreeSet<Date>,
    working: BTreeSet<Date>,
}

/// A year's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct YearFile {
    year: i16,
    #[serde(default, rename = "source")]
    _source: Vec<String>,
    /// Days that are worked although they fall on a weekend.
    #[serde(default)]
    working: Vec<Date>,
    #[serde(default)]
    holiday: Vec<Holiday>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    name: String,
    from: Date,
    to: Date,
}

/// A day in a year whose holidays nobody gave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the holidays of {0} are not known: write them into a file as holidays/2026.toml is written, and name it under `judge.holidays`"
)]
pub struct UnknownYear(pub i16);

/// Why a file of holidays cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct CalendarError {
    /// File.
    pub path: PathBuf,
    /// What is wrong.
    pub reason: String,
}

impl Calendar {
    /// The years that come with the program, 2019 to 2026.
    ///
    /// # Panics
    /// Never in a build whose tests passed: the files are part of the program.
    pub fn shipped() -> Self {
        let mut calendar = Self::default();
        for (name, text) in SHIPPED {
            if let Err(error) = calendar.add(Path::new(name), text) {
                panic!("shipped {error}");
            }
        }
        calendar
    }

    /// Reads an office's own file; a year it gives replaces the one that was known.
    pub fn load(&mut self, path: &Path) -> Result<(), CalendarError> {
        let text = std::fs::read_to_string(path).map_err(|error| CalendarError {
            path: path.to_owned(),
            reason: format!("cannot be read: {error}"),
        })?;
        self.add(path, &text)
    }

    fn add(&mut self, path: &Path, text: &str) -> Result<(), CalendarError> {
        let fail = |reason: String| CalendarError { path: path.to_owned(), reason };
        let file: YearFile = toml::from_str(text).map_err(|error| fail(error.to_string()))?;
        let own = |day: &Date, what: &str| {
            let same = day.year() == file.year;
            same.then_some(()).ok_or_else(|| fail(format!("{what} {day} is not in {}", file.year)))
        };
        let mut year = Year::default();
        for Holiday { name, from, to } in &file.holiday {
            own(from, name)?;
            own(to, name)?;
            if to < from {
                return Err(fail(format!("{name} ends on {to}, before it begins on {from}")));
            }
            let mut day = *from;
            while day <= *to {
                if !year.off.insert(day) {
                    return Err(fail(format!("{day} is a holiday twice")));
                }
                day = day.saturating_add(1.day());
            }
        }
        for day in &file.working {
            own(day, "the working day")?;
            if year.off.contains(day) {
                return Err(fail(format!("{day} is a holiday and a working day")));
            }
            year.working.insert(*day);
        }
        self.years.insert(file.year, year);
        Ok(())
    }

    /// Whether a day is worked.
    pub fn is_working(&self, day: Date) -> Result<bool, UnknownYear> {
        let year = self.years.get(&day.year()).ok_or(UnknownYear(day.year()))?;
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        Ok(year.working.contains(&day) || !weekend && !year.off.contains(&day))
    }

    /// The last of so many working days after a day, which is not one of them itself.
    pub fn after(&self, day: Date, working_days: u32) -> Result<Date, UnknownYear> {
        self.step(day, working_days, 1)
    }

    /// The day before which so many working days lie up to a day, which is the last of them.
    pub fn before(&self, day: Date, working_days: u32) -> Result<Date, UnknownYear> {
        let mut at = day;
        let mut left = working_days;
        while left > 0 {
            left -= u32::from(self.is_working(at)?);
            at = at.saturating_sub(1.day());
        }
        Ok(at)
    }

    fn step(&self, day: Date, working_days: u32, days: i64) -> Result<Date, UnknownYear> {
        let mut at = day;
        let mut left = working_days;
        while left > 0 {
            at = at.saturating_add(days.days());
            left -= u32::from(self.is_working(at)?);
        }
        Ok(at)
    }

    /// Working days after a day, up to and with another.
    pub fn between(&self, from: Date, to: Date) -> Result<u32, UnknownYear> {
        let mut count = 0;
        let mut at = from;
        while at < to {
            at = at.saturating_add(1.day());
            count += u32::from(self.is_working(at)?);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn working_days_of_each_year_are_those_of_the_state_council() {
        // Year, working days in it, and days the notices name: worked weekends and free weekdays.
        let years: [(i16, u32, &[Date], &[Date]); 8] = [
            (2019, 250, &[date(2019, 2, 2), date(2019, 4, 28)], &[date(2019, 5, 3), date(2019, 10, 7)]),
            // The spring holiday of 2020 was made longer.
            (2020, 249, &[date(2020, 1, 19), date(2020, 6, 28)], &[date(2020, 1, 31), date(2020, 10, 8)]),
            (2021, 250, &[date(2021, 2, 7), date(2021, 10, 9)], &[date(2021, 2, 17), date(2021, 5, 5)]),
            (2022, 249, &[date(2022, 1, 29), date(2022, 10, 8)], &[date(2022, 2, 4), date(2022, 5, 4)]),
            (2023, 249, &[date(2023, 1, 28), date(2023, 6, 25)], &[date(2023, 9, 29), date(2023, 10, 6)]),
            (2024, 251, &[date(2024, 2, 4), date(2024, 9, 29)], &[date(2024, 2, 16), date(2024, 5, 3)]),
            (2025, 248, &[date(2025, 1, 26), date(2025, 10, 11)], &[date(2025, 2, 4), date(2025, 10, 8)]),
            (2026, 248, &[date(2026, 2, 14), date(2026, 9, 20)], &[date(2026, 2, 23), date(2026, 10, 7)]),
        ];
        let calendar = Calendar::shipped();
        for (year, days, worked, free) in years {
            let first = date(year, 1, 1);
            assert_eq!(calendar.is_working(first), Ok(false));
            assert_eq!(calendar.between(first, date(year, 12, 31)), Ok(days), "{year}");
            worked.iter().for_each(|day| assert_eq!(calendar.is_working(*day), Ok(true), "{day}"));
            free.iter().for_each(|day| assert_eq!(calendar.is_working(*day), Ok(false), "{day}"));
        }
    }

    #[test]
    fn ten_working_days_pass_over_holidays_and_count_make_up_days() {
        let calendar = Calendar::shipped();
        // The notice is dated 16 July 2022, a Saturday.
        assert_eq!(calendar.after(date(2022, 7, 16), 10), Ok(date(2022, 7, 29)));
        // 29 and 30 January are worked, 31 January to 6 February are free.
        assert_eq!(calendar.after(date(2022, 1, 26), 10), Ok(date(2022, 2, 14)));
        assert_eq!(calendar.before(date(2022, 2, 14), 10), Ok(date(2022, 1, 26)));
        assert_eq!(calendar.after(date(2022, 7, 16), 0), Ok(date(2022, 7, 16)));
        assert_eq!(calendar.after(date(2026, 12, 28), 10), Err(UnknownYear(2027)));
        assert!(UnknownYear(2027).to_string().contains("2027"), "it says which year");
    }

    #[test]
    fn a_bad_file_of_holidays_is_refused_with_its_reason() {
        let mut calendar = Calendar::shipped();
        let mut refused =
            |text: &str| calendar.add(Path::new("h.toml"), text).expect_err("refused").to_string();
        let year = "year = 2027\n";
        let holiday = |from: &str, to: &str| {
            format!("[[holiday]]\nname = \"元旦\"\nfrom = \"{from}\"\nto = \"{to}\"\n")
        };
        assert!(refused("").contains("year"));
        assert!(refused(&format!("{year}wrong = 1")).contains("unknown field"));
        assert!(
            refused(&format!("{year}{}", holiday("2027-01-03", "2027-01-01"))).contains("before it begins")
        );
        assert!(refused(&format!("{year}{}", holiday("2026-12-31", "2027-01-01"))).contains("not in 2027"));
        let doubled = format!("{year}working = [\"2027-01-02\"]\n{}", holiday("2027-01-01", "2027-01-03"));
        assert!(refused(&doubled).contains("a holiday and a working day"));
        let twice =
            format!("{year}{}{}", holiday("2027-01-01", "2027-01-02"), holiday("2027-01-02", "2027-01-03"));
        assert!(refused(&twice).contains("twice"));
        calendar
            .add(Path::new("h.toml"), &format!("{year}{}", holiday("2027-01-01", "2027-01-03")))
            .expect("read");
        assert_eq!(calendar.after(date(2026, 12, 31), 1), Ok(date(2027, 1, 4)));
    }
}
