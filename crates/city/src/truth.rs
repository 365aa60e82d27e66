//! What is wrong with the city on a day, in the words of the findings.

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use serde::{Deserialize, Serialize};

use crate::City;
use crate::address::PageRef;
use crate::plan::{Class, EPOCH, Family, SitePlan};

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
        if !site.ipv6 {
            rows.push(row("no-ipv6", &home, None));
        }
        if site.down() {
            rows.push(row("unreachable", &home, None));
            return rows;
        }
        for defect in plants.defects.iter().filter(|defect| defect.active(day)) {
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
            let name = Some(plan.name.to_owned());
            match site.newest(column, day) {
                None => rows.push(row("blank-column", &url, name)),
                Some(newest) if self.is_stale(plan.class, newest.date()) => {
                    rows.push(row("stale-column", &url, name));
                }
                Some(_) => {}
            }
            if plan.class == Class::Interaction && !site.counts_messages() {
                rows.push(row("message-stats-missing", &url, None));
            }
        }
        if !site.searches_services() {
            rows.push(row("search-miss", &home, None));
        }
        let newest = site.home_columns().into_iter().filter_map(|at| site.newest(at, day)).max();
        if newest.is_none_or(|newest| self.is_stale(Class::News, newest.date())) {
            rows.push(row("stale-home", &home, None));
        }
        rows
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

/// One account of the new-media ledger.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// Site id of the office that answers for it.
    pub site: String,
    /// 微信, 微博, 头条, 视频号 or app.
    pub platform: &'static str,
    /// Account name.
    pub name: String,
    /// Public address.
    pub url: String,
    /// Day of the newest post.
    pub last_post: Date,
    /// State in the ledger.
    pub state: &'static str,
}

impl City {
    /// The new-media ledger: about ten accounts a site.
    pub fn accounts(&self) -> Vec<Account> {
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
                state: "正常",
            }
        };
        self.sites.iter().flat_map(|site| (0..10).map(move |number| account(site, number))).collect()
    }

    /// M2: two weeks without a post; three months are a zombie.
    fn media_truth(&self) -> Vec<TruthRow> {
        let row = |account: Account| {
            let kind = match account.last_post {
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
