//! The catalogue of indicators as data: read, laid over, checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xunjian_model::{Site, SiteKind};

use crate::rates::{Digits, Rate};

const SHIPPED: &str = include_str!("../data/catalogue.toml");
/// Indicators this program counts; a catalogue without one of them cannot be judged by.
const COUNTED: [&str; 10] = ["V1", "V2", "V3", "V4a", "V4b", "V4c", "V5a", "V5b", "V6a", "V6b"];
/// Group whose indicators are bonuses.
pub(crate) const BONUS: &str = "bonus";

/// The catalogue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Catalogue {
    /// Version shown in reports.
    pub version: String,
    /// The text it is taken from.
    pub source: String,
    /// Lines and factors of the score.
    pub scoring: Scoring,
    /// How long an office has to mend a fault.
    pub rectification: RectificationRule,
    /// Columns by the words of their names.
    #[serde(rename = "class")]
    pub classes: Vec<ColumnClass>,
    /// Groups of deductions.
    #[serde(rename = "group")]
    pub groups: Vec<Group>,
    /// Indicators.
    #[serde(rename = "indicator")]
    pub indicators: Vec<Indicator>,
    /// How rates are printed.
    #[serde(rename = "rate")]
    pub rates: Vec<RateRule>,
}

/// Lines and factors of the score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scoring {
    /// Points of all deductions together.
    pub total: f64,
    /// Below it a site fails.
    pub pass: f64,
    /// Above it bonuses are added.
    pub bonus_above: f64,
    /// Most points bonuses can bring.
    pub bonus_max: f64,
    /// Points of what is looked at on sites without services.
    pub no_service_over: f64,
    /// By how much their score is multiplied, as a fraction.
    pub no_service_factor: [u32; 2],
    /// Departments are scored, too.
    pub departments: bool,
}

/// How long an office has to mend a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RectificationRule {
    /// Working days from the notice on.
    pub working_days: u32,
}

/// A class of columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColumnClass {
    /// Id: one of those the checks know, or another.
    pub id: String,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// Words of a column's name that put it into this class; the first class with one counts.
    pub words: Vec<String>,
    /// Oldest the newest item may be, in days.
    pub max_age_days: Option<i32>,
    /// The same in months.
    pub max_age_months: Option<i32>,
    /// Where an older one counts: `V4a`, `V4b`, or nowhere.
    pub indicator: Option<String>,
}

impl ColumnClass {
    /// The day from which backwards the newest item is too old at a monitoring point.
    pub fn stale_on(&self, point: jiff::civil::Date) -> Option<jiff::civil::Date> {
        Some(point.saturating_sub(self.max_age()?))
    }

    /// Oldest the newest item may be.
    pub fn max_age(&self) -> Option<jiff::Span> {
        use jiff::ToSpan as _;
        let days = self.max_age_days.map(|days| days.days());
        days.or_else(|| self.max_age_months.map(|months| months.months()))
    }
}

/// A group of deductions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Group {
    /// Id.
    pub id: String,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// Points of the group.
    pub points: f64,
    /// Read in an official text.
    pub verified: bool,
}

/// Who judges an indicator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// The machine alone.
    #[default]
    Machine,
    /// The machine finds, a person confirms.
    MachineThenPerson,
    /// A person alone.
    Person,
}

/// What an indicator applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppliesTo {
    /// Governments' portals.
    Portal,
    /// Departments' sites.
    Department,
    /// Sites without public services, of either kind.
    NoService,
    /// New-media accounts.
    Media,
}

/// One indicator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Indicator {
    /// Id, for example `V4c`.
    pub id: String,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// Group of deductions, or `bonus`; none for vetoes.
    pub group: Option<String>,
    /// The rule, in Chinese words of our own.
    pub rule: String,
    /// The rule, in English.
    pub rule_en: String,
    /// Time that is looked at, back from the monitoring point: `14 days`, `6 months`.
    pub window: Option<String>,
    /// What is counted.
    pub unit: String,
    /// Count from which a warning is given.
    pub warn: Option<f64>,
    /// Count from which it is a veto.
    pub veto: Option<f64>,
    /// Most points that can be lost, or won.
    pub points: Option<f64>,
    /// Points lost for each fault.
    pub each: Option<f64>,
    /// Points lost for each fault on the home page, where that is another.
    pub each_home: Option<f64>,
    /// Months after which a message counts as unanswered (V5b).
    pub limit_months: Option<i32>,
    /// Working days in which a message has to be answered (D12).
    pub limit_working_days: Option<u32>,
    /// Element classes from whose number on a guide counts as unusable (V6b).
    pub limit_classes: Option<u32>,
    /// What it applies to.
    pub applies_to: Vec<AppliesTo>,
    /// Who judges.
    pub who: Who,
    /// Where the rule was read.
    pub source: String,
    /// Read in the official text.
    pub verified: bool,
}

impl Indicator {
    /// The time that is looked at.
    pub fn span(&self) -> Option<jiff::Span> {
        span(self.window.as_deref()?)
    }

    /// Whether it is a single veto.
    pub fn is_veto(&self) -> bool {
        self.veto.is_some()
    }

    /// Whether it is a bonus.
    pub fn is_bonus(&self) -> bool {
        self.group.as_deref() == Some(BONUS)
    }

    /// Whether it applies to a site.
    pub fn applies(&self, site: &Site) -> bool {
        let kind = match site.kind {
            _ if site.no_service => AppliesTo::NoService,
            SiteKind::Portal => AppliesTo::Portal,
            SiteKind::Department => AppliesTo::Department,
        };
        self.applies_to.contains(&kind)
    }
}

/// How a rate is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateRule {
    /// `sites`, `accounts` or `rectified`.
    pub id: String,
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// Digits behind the point.
    pub decimals: u8,
    /// Rounded or cut.
    pub digits: Digits,
}

impl Default for RateRule {
    fn default() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            name_en: String::new(),
            decimals: 2,
            digits: Digits::Round,
        }
    }
}

/// Why a catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// File.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is not a catalogue.
    #[error("{}: {reason}", path.display())]
    Content {
        /// File.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

fn span(text: &str) -> Option<jiff::Span> {
    use jiff::ToSpan as _;
    let (number, unit) = text.split_once(' ')?;
    let number: i32 = number.parse().ok().filter(|number| *number > 0)?;
    match unit {
        "day" | "days" => Some(number.days()),
        "month" | "months" => Some(number.months()),
        _ => None,
    }
}

impl Catalogue {
    /// The catalogue that comes with the program.
    ///
    /// # Panics
    /// Never in a build whose tests passed: the file is part of the program.
    pub fn shipped() -> Self {
        match Self::parse(Path::new("catalogue.toml"), SHIPPED, &[]) {
            Ok(catalogue) => catalogue,
            Err(error) => panic!("shipped catalogue: {error}"),
        }
    }

    /// Reads an office's own catalogue, or the shipped one, and lays further files over it in turn.
    /// A row of theirs with a known id changes what it names of that row; another id is added.
    pub fn load(own: Option<&Path>, additions: &[PathBuf]) -> Result<Self, CatalogueError> {
        let read = |path: &Path| {
            std::fs::read_to_string(path)
                .map_err(|source| CatalogueError::Read { path: path.to_owned(), source })
        };
        let texts: Vec<(&Path, String)> =
            additions.iter().map(|path| Ok((path.as_path(), read(path)?))).collect::<Result<_, _>>()?;
        match own {
            Some(path) => Self::parse(path, &read(path)?, &texts),
            None => Self::parse(Path::new("catalogue.toml"), SHIPPED, &texts),
        }
    }

    fn parse(path: &Path, text: &str, additions: &[(&Path, String)]) -> Result<Self, CatalogueError> {
        let mut whole = table(path, text)?;
        let mut last = path;
        for (addition, text) in additions {
            lay_over(&mut whole, table(addition, text)?);
            last = addition;
        }
        let fail = |reason: String| CatalogueError::Content { path: last.to_owned(), reason };
        let catalogue: Self = whole.try_into().map_err(|error| fail(error.to_string()))?;
        catalogue.check().map_err(fail)?;
        Ok(catalogue)
    }

    /// What makes it unusable.
    fn check(&self) -> Result<(), String> {
        let mut ids = BTreeSet::new();
        for indicator in &self.indicators {
            let Indicator { id, warn, veto, points, each, .. } = indicator;
            if !ids.insert(id) {
                return Err(format!("indicator {id:?} stands twice"));
            }
            if id.is_empty() || indicator.name.is_empty() || indicator.applies_to.is_empty() {
                return Err(format!("indicator {id:?} needs `id`, `name` and `applies_to`"));
            }
            let numbers = [warn, veto, points, each, &indicator.each_home];
            if numbers.into_iter().flatten().any(|number| !number.is_finite() || *number < 0.0) {
                return Err(format!("indicator {id}: numbers must be 0 or more"));
            }
            if let (Some(warn), Some(veto)) = (warn, veto)
                && warn > veto
            {
                return Err(format!("indicator {id}: warn {warn} lies beyond veto {veto}"));
            }
            if indicator.window.as_deref().is_some_and(|window| span(window).is_none()) {
                return Err(format!(
                    "indicator {id}: the window {:?} is none: write it like \"14 days\" or \"6 months\"",
                    indicator.window.as_deref().unwrap_or_default()
                ));
            }
            let group = indicator.group.as_deref();
            let known = |group| group == BONUS || self.groups.iter().any(|one| one.id == group);
            match (veto, group) {
                (Some(_), Some(_)) => {
                    return Err(format!("indicator {id} is a veto and in a group: use one"));
                }
                (None, None) => return Err(format!("indicator {id} needs `veto`, or `group` and `points`")),
                (None, Some(group)) if !known(group) => {
                    return Err(format!("indicator {id}: there is no group {group:?}"));
                }
                (None, Some(_)) if points.is_none() => return Err(format!("indicator {id} needs `points`")),
                _ => {}
            }
        }
        if let Some(missing) = COUNTED.iter().find(|id| self.indicator(id).and_then(|one| one.veto).is_none())
        {
            return Err(format!("indicator {missing} is missing, or has no `veto`"));
        }
        self.check_points()?;
        self.check_classes()
    }

    fn check_points(&self) -> Result<(), String> {
        const NEAR: f64 = 1e-6;
        let Scoring { total, pass, bonus_above, bonus_max, no_service_factor, .. } = self.scoring;
        let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
        for indicator in self.indicators.iter().filter(|one| !one.is_veto()) {
            let group = indicator.group.as_deref().unwrap_or_default();
            *sums.entry(group).or_default() += indicator.points.unwrap_or_default();
        }
        for group in &self.groups {
            let sum = sums.get(group.id.as_str()).copied().unwrap_or_default();
            if (sum - group.points).abs() > NEAR {
                return Err(format!(
                    "group {}: its indicators have {sum} points, the group has {}",
                    group.id, group.points
                ));
            }
        }
        let all: f64 = self.groups.iter().map(|group| group.points).sum();
        if (all - total).abs() > NEAR {
            return Err(format!("the groups have {all} points together, `scoring.total` is {total}"));
        }
        if sums.get(BONUS).copied().unwrap_or_default() > bonus_max + NEAR {
            return Err(format!("the bonuses have more points than `scoring.bonus_max` {bonus_max}"));
        }
        let in_order = 0.0 < pass && pass <= bonus_above && bonus_above <= total;
        if !in_order {
            return Err(format!(
                "scoring: 0 < pass {pass} <= bonus_above {bonus_above} <= total {total} does not hold"
            ));
        }
        if no_service_factor.contains(&0) {
            return Err("scoring.no_service_factor must be two numbers above 0, such as [4, 3]".to_owned());
        }
        Ok(())
    }

    /// A name must fall into one class for one reason: no word twice, and none that an earlier
    /// class's word is part of, as that class would always come first.
    fn check_classes(&self) -> Result<(), String> {
        let mut earlier: Vec<(&str, &str)> = Vec::new();
        for class in &self.classes {
            if class.id.is_empty() || class.words.iter().any(String::is_empty) || class.words.is_empty() {
                return Err(format!("column class {:?} needs `id` and `words`", class.id));
            }
            if class.max_age_days.is_some() && class.max_age_months.is_some() {
                return Err(format!("column class {}: give days or months, not both", class.id));
            }
            for word in &class.words {
                let other = earlier.iter().find(|(id, known)| *id != class.id && word.contains(known));
                if let Some((id, known)) = other {
                    return Err(format!(
                        "column classes {id} and {} overlap: {word:?} is {known:?} already",
                        class.id
                    ));
                }
            }
            earlier.extend(class.words.iter().map(|word| (class.id.as_str(), word.as_str())));
        }
        Ok(())
    }

    /// An indicator by id.
    pub fn indicator(&self, id: &str) -> Option<&Indicator> {
        self.indicators.iter().find(|indicator| indicator.id == id)
    }

    /// An indicator this program counts; it is there.
    pub(crate) fn counted(&self, id: &str) -> &Indicator {
        match self.indicator(id) {
            Some(indicator) => indicator,
            None => unreachable!("checked when the catalogue was read: {id}"),
        }
    }

    /// The oldest the newest item of the home page may be, in days (V3).
    pub fn home_days(&self) -> i32 {
        self.counted("V3").veto.map_or(14, |days| days as i32)
    }

    /// A rate, printed as the catalogue says.
    pub fn rate(&self, id: &str, formula: &str, numerator: u64, denominator: u64) -> Rate {
        let rule = self.rates.iter().find(|rule| rule.id == id).cloned().unwrap_or_default();
        Rate {
            id: id.to_owned(),
            formula: formula.to_owned(),
            numerator,
            denominator,
            decimals: rule.decimals,
            digits: rule.digits,
        }
    }
}

/// A file's values, once its own keys and types are found right, so that a mistake is told with its
/// line.
fn table(path: &Path, text: &str) -> Result<toml::Table, CatalogueError> {
    let fail =
        |error: toml::de::Error| CatalogueError::Content { path: path.to_owned(), reason: error.to_string() };
    let _: Catalogue = toml::from_str(text).map_err(fail)?;
    text.parse().map_err(fail)
}

/// Lays a table over another: rows with an `id` over the row of that id, tables over tables.
fn lay_over(base: &mut toml::Table, addition: toml::Table) {
    for (key, value) in addition {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(addition)) => lay_over(base, addition),
            (Some(toml::Value::Array(rows)), toml::Value::Array(added))
                if added.iter().all(|row| row.get("id").is_some()) =>
            {
                for row in added {
                    let same = rows.iter_mut().find(|known| known.get("id") == row.get("id"));
                    match (same, row) {
                        (Some(toml::Value::Table(known)), toml::Value::Table(row)) => lay_over(known, row),
                        (_, row) => rows.push(row),
                    }
                }
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, additions: &[&str]) -> String {
        let additions: Vec<(&Path, String)> =
            additions.iter().map(|text| (Path::new("add.toml"), (*text).to_owned())).collect();
        let error = Catalogue::parse(Path::new("c.toml"), text, &additions).expect_err("refused");
        error.to_string()
    }

    #[test]
    fn every_indicator_of_the_standard_has_its_row() {
        let catalogue = Catalogue::shipped();
        let deductions = (1..=25).map(|number| format!("D{number}"));
        let others = ["B1", "B2", "B3", "B4", "M1", "M2", "M2b", "M3", "M3b"].map(str::to_owned);
        for id in deductions.chain(others).chain(COUNTED.map(str::to_owned)) {
            let indicator = catalogue.indicator(&id).unwrap_or_else(|| panic!("{id} is missing"));
            assert!(!indicator.rule.is_empty() && !indicator.rule_en.is_empty(), "{id}");
            assert!(!indicator.source.is_empty() && !indicator.name_en.is_empty(), "{id}");
        }
        let points =
            |id: &str| catalogue.groups.iter().find(|group| group.id == id).map(|group| group.points);
        let groups = ["release", "service", "interaction", "design"].map(points);
        assert_eq!(groups, [31.0, 25.0, 23.0, 21.0].map(Some));
    }

    #[test]
    fn a_bad_catalogue_is_refused_with_its_reason() {
        let bad = |from: &str, to: &str| {
            assert!(SHIPPED.contains(from), "{from}");
            refused(&SHIPPED.replacen(from, to, 1), &[])
        };
        assert!(
            bad("warn = 2.0\nveto = 5.0", "warn = 9.0\nveto = 5.0").contains("warn 9 lies beyond veto 5")
        );
        let unknown = bad("warn = 3.0", "wrn = 3.0");
        assert!(unknown.contains("unknown field `wrn`") && unknown.contains("line "), "{unknown}");
        assert!(bad("points = 6.0", "points = 60.0").contains("85 points, the group has 31"));
        let too_many = SHIPPED
            .replacen("points = 31.0", "points = 41.0", 1)
            .replacen("points = 6.0", "points = 16.0", 1);
        assert!(refused(&too_many, &[]).contains("110 points together, `scoring.total` is 100"));
        assert!(bad("words = [\"规划\"", "words = [\"政策规划\"").contains("overlap"));
        assert!(bad("words = [\"规划\"", "words = [\"通知\"").contains("overlap"));
        assert!(bad("window = \"7 days\"", "window = \"a week\"").contains("write it like"));
        assert!(bad("id = \"V4c\"", "id = \"V4b\"").contains("stands twice"));
        assert!(bad("id = \"V4c\"", "id = \"V4x\"").contains("V4c is missing"));
        assert!(bad("veto = 14.0", "veto = -1.0").contains("0 or more"));
        assert!(bad("pass = 60.0", "pass = 90.0").contains("does not hold"));
        assert!(bad("bonus_max = 30.0", "bonus_max = 3.0").contains("bonus_max"));
    }

    #[test]
    fn a_province_lays_its_rules_over_the_national_ones() {
        let load = |text: &str| {
            let additions = [(Path::new("province.toml"), text.to_owned())];
            Catalogue::parse(Path::new("c.toml"), SHIPPED, &additions).expect("a catalogue")
        };
        let catalogue = load(
            "[scoring]\ndepartments = true\n[[indicator]]\nid = \"V3\"\nwarn = 7.0\n[[indicator]]\nid = \"P1\"\nname = \"政务公开专栏\"\nveto = 1.0\napplies_to = [\"portal\"]\n",
        );
        assert!(catalogue.scoring.departments && catalogue.scoring.pass == 60.0);
        let home = catalogue.counted("V3");
        assert_eq!((home.warn, home.veto), (Some(7.0), Some(14.0)));
        assert!(catalogue.indicator("P1").is_some());
        let other = load(
            "[scoring]\ntotal = 110.0\n[[group]]\nid = \"local\"\nname = \"本省\"\npoints = 10.0\n[[indicator]]\nid = \"L1\"\nname = \"专栏\"\ngroup = \"local\"\npoints = 10.0\napplies_to = [\"portal\"]\n",
        );
        assert_eq!(other.groups.len(), 5);
        assert!(
            refused(SHIPPED, &["[[indicator]]\nid = \"V3\"\nwrn = 7.0\n"]).contains("add.toml: TOML parse")
        );
        assert!(refused(SHIPPED, &["[[indicator]]\nid = \"P1\"\n"]).contains("needs `id`, `name`"));
    }
}
