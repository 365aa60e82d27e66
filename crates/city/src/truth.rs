//! What is wrong with the city on a day, in the words of the findings.

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use serde::{Deserialize, Serialize};

use crate::City;
use crate::address::PageRef;
use crate::defects::{Defect, Payload, Special};
use crate::plan::{Class, EPOCH, Entrance, Family, Fate, SitePlan};
use crate::render::POOR_GUIDE_LACKS;

/// One true fault.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TruthRow {
    /// Site id.
    pub site: String,
    /// Finding kind.
    pub kind: String,
    /// The page with the fault.
    pub url: String,
    /// The phrase, the link target or the column, where the kind has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
}

/// Labels every page, every column page and every article needs (国办发〔2017〕47号).
const LABELS: [&str; 10] = [
    "SiteName", "SiteDomain", "SiteIDCode", "ColumnName", "ColumnType", "ColumnDescription",
    "ColumnKeywords", "ArticleTitle", "PubDate", "ContentSource",
];

impl City {
    /// The monitoring point's date.
    pub fn today(&self) -> Date {
        EPOCH.saturating_add(Span::new().days(i64::from(self.options.day)))
    }

    /// Every fault that is there today, sorted.
    pub fn truth(&self) -> Vec<TruthRow> {
        let mut rows: Vec<TruthRow> =
            (0..self.sites.len()).flat_map(|index| self.site_truth(index)).collect();
        rows.extend(self.media_truth());
        rows.sort();
        rows.dedup();
        rows
    }

    fn site_truth(&self, index: usize) -> Vec<TruthRow> {
        let site = &self.sites[index];
        let plants = &self.plants[index];
        let day = self.options.day;
        let home = site.url(PageRef::Home);
        let row = |kind: &str, url: &str, what: Option<String>| TruthRow {
            site: site.id.clone(),
            kind: kind.to_owned(),
            url: url.to_owned(),
            what,
        };
        let mut rows = Vec::new();
        if !site.ipv6 || site.ipv6_dead && !site.down() {
            rows.push(row("no-ipv6", &home, None));
        }
        if site.down() {
            rows.push(row("unreachable", &home, None));
            return rows;
        }
        let active = plants.defects.iter().filter(|defect| defect.active(day));
        for defect in active.filter(|defect| self.counts(index, defect)) {
            rows.push(row(defect.kind, &site.url(defect.page()), defect.what.clone()));
        }
        for (kind, what, _) in &plants.home {
            rows.push(row(kind, &home, Some(what.clone())));
        }
        if let Some(mark) = site.missing_mark {
            rows.push(row("missing-mark", &home, Some(mark.to_owned())));
        }
        if site.family == Family::Bare {
            rows.extend(LABELS.map(|label| row("missing-label", &home, Some(label.to_owned()))));
        }
        for (column, plan) in site.columns.iter().enumerate() {
            let url = site.url(PageRef::List { column, page: 0 });
            let name = Some(site.column_name(column).to_owned());
            match site.newest(column, day) {
                None => rows.push(row("blank-column", &url, name)),
                Some(newest) if self.is_stale(plan.class, newest.date()) => {
                    rows.push(row("stale-column", &url, name));
                }
                Some(_) => {}
            }
            if plan.class == Class::Interaction && !site.counts_messages() && site.fate != Fate::NoChannel {
                rows.push(row("message-stats-missing", &url, None));
            }
            for at in
                (0..site.count(column, day)).filter(|at| plan.class == Class::Service && site.poor_guide(*at))
            {
                let url = site.url(PageRef::Article { column, at });
                let lacks =
                    POOR_GUIDE_LACKS.map(|name| row("guide-element-missing", &url, Some(name.to_owned())));
                rows.extend(lacks);
            }
        }
        let shown = |class: Class| {
            (0..site.columns.len()).any(|at| site.columns[at].class == class && site.count(at, day) > 0)
        };
        if !site.searches_services() && (shown(Class::Service) || shown(Class::Interaction)) {
            rows.push(row("search-miss", &home, None));
        }
        if site.missing_leaders {
            rows.push(row("column-missing", &home, Some("领导信息".to_owned())));
        }
        if let Some(second) = site.second.as_ref().filter(|second| !second.leads) {
            rows.push(row("several-names", &home, Some(second.host.clone())));
        }
        if site.entrance != Entrance::Right {
            rows.push(row("missing-entrance", &home, None));
        }
        if site.fate == Fate::NoChannel {
            rows.push(row("channel-missing", &home, None));
        }
        let newest = site.home_columns().into_iter().filter_map(|at| site.newest(at, day)).max();
        if newest.is_none_or(|newest| self.is_stale(Class::News, newest.date())) {
            rows.push(row("stale-home", &home, None));
        }
        rows
    }

    /// Whether a planted defect is a fault on this day: documents count for a year, messages once they
    /// took too long.
    fn counts(&self, index: usize, defect: &Defect) -> bool {
        let (site, day) = (&self.sites[index], self.options.day);
        let begin = self.today().saturating_sub(12.months());
        let recent = |seen: Option<Date>| seen.is_some_and(|seen| seen >= begin);
        match defect.payload {
            Payload::Special(Special::InterpretationMissing) => {
                defect.at < site.interpreted(day) && recent(self.seen_date(index, defect.column, defect.at))
            }
            Payload::Special(Special::InterpretationUnlinked) => {
                // The document of the same number, if it has an interpretation at all.
                let document = self.plants[index].at(POLICIES, defect.at, day);
                let missing = document.is_some_and(|one| {
                    matches!(one.payload, Payload::Special(Special::InterpretationMissing))
                });
                defect.at < site.interpreted(day)
                    && !missing
                    && recent(self.seen_date(index, POLICIES, defect.at))
            }
            Payload::Special(Special::MessageOverdue) => {
                let asked = site.published(defect.column, defect.at).date();
                working_days(asked, self.today()) >= ANSWER_WORKING_DAYS
            }
            _ => true,
        }
    }

    /// The date an article gives for itself.
    fn seen_date(&self, index: usize, column: usize, at: u32) -> Option<Date> {
        let published = self.sites[index].published(column, at).date();
        match self.plants[index].at(column, at, self.options.day).map(|defect| &defect.payload) {
            Some(Payload::NoDate) => None,
            Some(Payload::ShiftDate(days) | Payload::ShiftLabel(days)) => {
                Some(published.saturating_add(Span::new().days(*days)))
            }
            _ => Some(published),
        }
    }

    /// How each site stands by its vetoes and warnings, counted from the truth alone.
    pub fn verdicts(&self) -> Vec<VerdictRow> {
        (0..self.sites.len()).map(|index| self.verdict(index)).collect()
    }

    fn verdict(&self, index: usize) -> VerdictRow {
        let site = &self.sites[index];
        let rows = self.site_truth(index);
        let (mut vetoes, mut warnings) = (Vec::new(), Vec::new());
        let mut count = |rule: &str, value: f64, warn: f64, veto: f64| {
            if value >= veto {
                vetoes.push(rule.to_owned());
            } else if value >= warn {
                warnings.push(rule.to_owned());
            }
        };
        let of = |kind: &str| rows.iter().filter(|row| row.kind == kind).count() as f64;
        if site.down() {
            count("V2", 100.0, 3.0, 5.0);
        } else {
            let day = self.options.day;
            let newest = site.home_columns().into_iter().filter_map(|at| site.newest(at, day)).max();
            let age = newest.and_then(|newest| self.today().since(newest.date()).ok());
            count("V3", age.map_or(0.0, |age| f64::from(age.get_days())), 10.0, 14.0);
            let stale = |classes: &[Class]| {
                let is = |row: &&TruthRow| {
                    row.kind == "stale-column"
                        && site.columns.iter().any(|column| {
                            row.what.as_deref() == Some(column.name) && classes.contains(&column.class)
                        })
                };
                rows.iter().filter(is).count() as f64
            };
            count("V4a", stale(&[Class::News, Class::Notice, Class::Policy]), 3.0, 5.0);
            count("V4b", of("stale-column") + of("blank-column"), 6.0, 10.0);
            count("V4c", of("blank-column"), 2.0, 5.0);
            count("V5b", f64::from(self.unanswered(index)), 1.0, 1.0);
            count("V6b", if site.fate == Fate::PoorGuides { 6.0 } else { 0.0 }, 3.0, 5.0);
        }
        // A mobile number beside a name is as grave as the others.
        const SERIOUS: [&str; 8] = [
            "sensitive-word", "spam-injection", "hidden-link", "cloaking", "hijacked-link",
            "privacy-id-card", "privacy-bank-card", "privacy-mobile",
        ];
        let waits = SERIOUS.iter().any(|kind| of(kind) > 0.0) || site.fate == Fate::NoChannel;
        let result = match (vetoes.is_empty(), waits) {
            (false, _) => "fail",
            (_, true) => "review",
            _ => "pass",
        };
        VerdictRow { site: site.id.clone(), portal: site.portal, result, vetoes, warnings }
    }

    /// Messages of the last year that nobody answered for more than three months.
    fn unanswered(&self, index: usize) -> u32 {
        let (site, day) = (&self.sites[index], self.options.day);
        let (begin, limit) =
            (self.today().saturating_sub(12.months()), self.today().saturating_sub(3.months()));
        let old = |defect: &&Defect| {
            let asked = site.published(defect.column, defect.at).date();
            matches!(defect.payload, Payload::Special(Special::MessageOverdue))
                && asked >= begin
                && asked < limit
        };
        self.plants[index].defects.iter().filter(|defect| defect.active(day)).filter(old).count() as u32
    }

    /// V4a's classes: news two weeks, notices and policies six months; V4b's: a year.
    fn is_stale(&self, class: Class, newest: Date) -> bool {
        let limit = match class {
            Class::News => 14.days(),
            Class::Notice | Class::Policy => 6.months(),
            Class::Personnel | Class::Planning => 1.year(),
            _ => return false,
        };
        newest <= self.today().saturating_sub(limit)
    }
}

/// How a site stands by its vetoes; points are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerdictRow {
    /// Site id.
    pub site: String,
    /// Portal or department.
    pub portal: bool,
    /// `pass`, `fail` or `review`: a candidate for V1 or V5 waits for a person.
    pub result: &'static str,
    /// Vetoes.
    pub vetoes: Vec<String>,
    /// Warnings.
    pub warnings: Vec<String>,
}

/// Working days in which a message has to be answered.
const ANSWER_WORKING_DAYS: u32 = 15;
/// The column of policy documents.
const POLICIES: usize = 2;

/// Working days after one day, up to and with another; holidays of the second half of 2026 alone.
fn working_days(from: Date, to: Date) -> u32 {
    let holiday = |day: Date| {
        let off = [(6, 19), (9, 25), (10, 1), (10, 2), (10, 5), (10, 6), (10, 7)];
        off.contains(&(day.month(), day.day())) && day.year() == 2026
    };
    let worked = |day: Date| [(9, 20), (10, 10)].contains(&(day.month(), day.day())) && day.year() == 2026;
    let (mut day, mut count) = (from, 0);
    // Older messages took too long in any case.
    while day < to && count < 60 {
        day = day.saturating_add(1.day());
        let weekend = matches!(day.weekday(), jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday);
        count += u32::from(worked(day) || !weekend && !holiday(day));
    }
    count
}

/// One account of the new-media ledger.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// Site id of the office that answers for it.
    pub site: String,
    /// 微信, 微博, 头条, 视频号 or app.
    pub platform: &'static str,
    /// Account name.
    pub name: String,
    /// The office that answers for it.
    pub office: String,
    /// Public address.
    pub url: String,
    /// Day of the newest post.
    pub last_post: Date,
    /// State in the ledger.
    pub state: &'static str,
    /// When it was closed.
    pub closed: Option<Date>,
}

impl City {
    /// The new-media ledger: about ten accounts a site.
    pub fn accounts(&self) -> Vec<Account> {
        if self.sites.iter().any(|site| site.notice) {
            return self.accounts_of_notice();
        }
        let account = |site: &SitePlan, number: u64| {
            let mut rng = crate::rng::rng(&[site.seed, 41, number]);
            let platform = match rng.u8(..20) {
                0..16 => "微信",
                16 | 17 => "微博",
                18 => "头条",
                _ => "视频号",
            };
            let age = match rng.u8(..20) {
                0 => 20 + rng.i64(0..60),
                1 => 120 + rng.i64(0..400),
                _ => rng.i64(0..12),
            };
            Account {
                site: site.id.clone(),
                platform,
                name: format!("{}发布{}", site.name, number + 1),
                url: format!("http://media-sim.cn/{}/{number}", site.id),
                last_post: self.today().saturating_sub(Span::new().days(age)),
                office: site.name.clone(),
                state: "正常",
                closed: None,
            }
        };
        self.sites.iter().flat_map(|site| (0..10).map(move |number| account(site, number))).collect()
    }

    /// The ledger of the notice: 454 accounts, of which 45 fail; 39 of these were mended, 3 closed, and
    /// 3 still are as they were.
    fn accounts_of_notice(&self) -> Vec<Account> {
        let platforms = [("微信", 361), ("微博", 36), ("头条", 17), ("视频号", 37), ("app", 3)];
        let all = platforms.iter().flat_map(|(platform, count)| std::iter::repeat_n(*platform, *count));
        let day = |back: i64| self.today().saturating_sub(Span::new().days(back));
        let account = |(at, platform): (usize, &'static str)| {
            let site = &self.sites[at % self.sites.len()];
            let (state, last_post, closed) = match at {
                0..39 => ("已整改", day(20 + at as i64), None),
                39..41 => ("已注销", day(30), Some(day(10))),
                41 => ("已关停未销号", day(200), Some(day(100))),
                42..45 => ("整改中", day(40), None),
                _ => ("正常", day(at as i64 % 10), None),
            };
            Account {
                site: site.id.clone(),
                platform,
                name: format!("{}发布{}", site.name, at / self.sites.len() + 1),
                office: site.name.clone(),
                url: format!("http://media-sim.cn/{}/{at}", site.id),
                last_post,
                state,
                closed,
            }
        };
        all.enumerate().map(account).collect()
    }

    /// M2: two weeks without a post; three months are a zombie.
    fn media_truth(&self) -> Vec<TruthRow> {
        let row = |account: Account| {
            let kind = match account.last_post {
                _ if account.state == "已注销" => return None,
                _ if account.state == "已关停未销号" => "media-zombie",
                last if last <= self.today().saturating_sub(3.months()) => "media-zombie",
                last if last <= self.today().saturating_sub(14.days()) => "media-stale",
                _ => return None,
            };
            let (site, url) = (account.site, account.url);
            Some(TruthRow { site, kind: kind.to_owned(), url, what: Some(account.name) })
        };
        self.accounts().into_iter().filter_map(row).collect()
    }
}
