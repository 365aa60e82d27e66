//! The plan of the city: which sites there are, which columns, and when what was published.
//!
//! Everything is a function of the seed and the day; nothing about single articles is kept.

use jiff::civil::{Date, DateTime, date};
use jiff::{Span, ToSpan};

use crate::rng::{mix, rng};

/// The monitoring point of day 0; articles are dated back from it.
pub const EPOCH: Date = date(2026, 6, 30);
/// Items on one list page.
pub(crate) const LIST_ITEMS: u32 = 15;

/// How a site's pages are built; each family stands for a content system seen in the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// UTF-8, `ul/li`, full labels, dated addresses `/slug/202406/t20240603_1.html`.
    Dated,
    /// GBK by meta, tables, full labels, `/art/2024/6/3/art_1001_1.html`.
    Table,
    /// UTF-8, `dl/dd`, no labels at all, `/content/1`.
    Bare,
    /// GB18030 by header only, nested `div`, labels, `/show-1001-1.html`.
    Div,
    /// Lists filled by a script, labels, a site map.
    Script,
    /// Labels in odd case and with spaces, `index_1.htm`, `/info/1001/1.htm`.
    Odd,
    /// UTF-8, `/slug/index_1.shtml` that only `createPageHTML(n, i, …)` names, labels in capitals
    /// and a `Maketime`, leftovers of the template.
    Call,
    /// Rows in `<datastore><record><![CDATA[` of a script, `/col/col1001/index.html`.
    Records,
    /// Rows as JSON in a script, further pages by `var countPage`, `/slug/content_1.html`.
    Json,
}

/// Programs that hand out the rows of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handout {
    /// All rows, in JSON around markup (jpaas).
    Units,
    /// Rows after the first page's, as records with the address of the next ones (jpage).
    Groups,
    /// Rows from one number to another, as records in JSON (TrueCMS).
    Windows,
}

const FAMILIES: [Family; 9] = [
    Family::Dated,
    Family::Table,
    Family::Bare,
    Family::Div,
    Family::Script,
    Family::Odd,
    Family::Call,
    Family::Records,
    Family::Json,
];

/// What a column is for; its class decides how often it has to be updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// 动态、要闻: two weeks.
    News,
    /// 通知公告: six months.
    Notice,
    /// 政策文件: six months.
    Policy,
    /// 政策解读.
    Interpretation,
    /// 人事信息: a year.
    Personnel,
    /// 规划计划: a year.
    Planning,
    /// 办事指南.
    Service,
    /// 领导信箱、咨询.
    Interaction,
    /// Anything else.
    Other,
}

/// One column of a site.
#[derive(Clone, Debug)]
pub struct Column {
    /// Name shown in the navigation.
    pub name: &'static str,
    /// Part of its addresses.
    pub slug: &'static str,
    /// Class.
    pub class: Class,
    /// Articles on day 0.
    base: u32,
    newest_age_min: i64,
    step_min: i64,
    fresh: bool,
}

const COLUMNS: [(&str, &str, Class); 14] = [
    ("工作动态", "gzdt", Class::News),
    ("通知公告", "tzgg", Class::Notice),
    ("政策文件", "zcwj", Class::Policy),
    ("政策解读", "zcjd", Class::Interpretation),
    ("要闻", "yw", Class::News),
    ("办事指南", "bszn", Class::Service),
    ("领导信箱", "ldxx", Class::Interaction),
    ("人事信息", "rsxx", Class::Personnel),
    ("规划计划", "ghjh", Class::Planning),
    ("媒体聚焦动态", "mtjj", Class::News),
    ("统计数据", "tjsj", Class::Other),
    ("基层动态", "jcdt", Class::News),
    ("公示公告", "gsgg", Class::Notice),
    ("部门动态", "bmdt", Class::News),
];

/// Validators a site's server sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validators {
    /// `ETag`.
    Etag,
    /// `Last-Modified`.
    LastModified,
    /// None: unchanged pages are found by their hash.
    None,
}

/// What decides the site's verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Fine,
    /// Five or more stale news, notice and policy columns (V4a).
    StaleMany,
    /// Five or more blank columns (V4c).
    BlankMany,
    /// Nothing new on the home page for two weeks (V3).
    StaleHome,
    /// Refuses connections (V2).
    Down,
    /// Six guides lack five of their ten elements (V6).
    PoorGuides,
    /// No channel for messages but one for petitions, which does not count (V5).
    NoChannel,
}

/// One site of the city.
#[derive(Clone, Debug)]
pub struct SitePlan {
    /// Position in the city.
    pub index: usize,
    /// Short name.
    pub id: String,
    /// Registered name.
    pub name: String,
    /// Host name.
    pub host: String,
    /// Portal (true) or department.
    pub portal: bool,
    /// Template family.
    pub family: Family,
    /// Served over TLS.
    pub https: bool,
    /// Has an IPv6 address.
    pub ipv6: bool,
    /// Does not answer at its IPv6 address.
    pub ipv6_dead: bool,
    /// Compresses its answers.
    pub compressed: bool,
    /// Validators.
    pub validators: Validators,
    /// Site code of the footer and the labels.
    pub code: String,
    /// The office's own telephone, allowed to be public.
    pub hotline: String,
    /// Mark the footer lacks.
    pub missing_mark: Option<&'static str>,
    /// Columns in the navigation's order.
    pub columns: Vec<Column>,
    /// The portal's navigation lacks the column of its leaders.
    pub missing_leaders: bool,
    /// Another name of the site.
    pub second: Option<SecondName>,
    /// The entrance for error reports, or its code, is not right.
    pub entrance: Entrance,
    pub(crate) fate: Fate,
    pub(crate) seed: u64,
    /// A site of the city that is built to a notice's facts.
    pub(crate) notice: bool,
}

/// Another name of a site, with `www.` or without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondName {
    /// Host.
    pub host: String,
    /// Leads to the site's own name, as it should.
    pub leads: bool,
}

/// The entrance 我为政府网站找错.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// It is there with the right code.
    Right,
    /// It has another site's code.
    WrongCode,
    /// There is none.
    Missing,
}

/// A host with `www.`, or without it.
pub(crate) fn twin(host: &str) -> String {
    host.strip_prefix("www.").map_or_else(|| format!("www.{host}"), str::to_owned)
}

const COUNTIES: [(&str, &str); 12] = [
    ("云川市", "yunchuan"),
    ("青禾县", "qinghe"),
    ("白石县", "baishi"),
    ("临溪区", "linxi"),
    ("望岭县", "wangling"),
    ("双桥区", "shuangqiao"),
    ("松原湖县", "songyuanhu"),
    ("安泉县", "anquan"),
    ("永宁塘区", "yongningtang"),
    ("石门岭县", "shimenling"),
    ("柳河湾区", "liuhewan"),
    ("高原镇县", "gaoyuan"),
];

const OFFICES: [(&str, &str); 33] = [
    ("水利局", "slj"),
    ("财政局", "czj"),
    ("教育局", "jyj"),
    ("民政局", "mzj"),
    ("司法局", "sfj"),
    ("审计局", "sjj"),
    ("统计局", "tjj"),
    ("商务局", "swj"),
    ("体育局", "tyj"),
    ("医疗保障局", "ylbzj"),
    ("交通运输局", "jtj"),
    ("农业农村局", "nyncj"),
    ("自然资源局", "zrzyj"),
    ("生态环境局", "sthjj"),
    ("住房和城乡建设局", "zjj"),
    ("应急管理局", "yjj"),
    ("市场监督管理局", "scjgj"),
    ("退役军人事务局", "tyjrj"),
    ("卫生健康委员会", "wjw"),
    ("发展和改革委员会", "fgw"),
    ("工业和信息化局", "gxj"),
    ("文化和旅游局", "wlj"),
    ("人力资源和社会保障局", "rsj"),
    ("林业和草原局", "lcj"),
    ("行政审批服务局", "spj"),
    ("公安局", "gaj"),
    ("气象局", "qxj"),
    ("机关事务管理局", "jgswj"),
    ("国防动员办公室", "gdb"),
    ("城市管理局", "cgj"),
    ("地方志编纂中心", "dfz"),
    ("信访接待中心", "xfj"),
    ("数据服务局", "sjfwj"),
];

const MARKS: [&str; 4] = ["党政机关标识", "ICP备案号", "公安备案号", "网站标识码"];

impl SitePlan {
    pub(crate) fn new(seed: u64, index: usize, order: &[usize], sites: usize, pages: u32) -> Self {
        // Twelve of forty-five are portals; smaller cities keep the share.
        let portals = (sites * 12).div_ceil(45).min(12);
        let portal = index < portals;
        let mut rng = rng(&[seed, 1, index as u64]);
        let (name, id, host) = if portal {
            let (county, slug) = COUNTIES[index];
            (format!("{county}人民政府"), slug.to_owned(), format!("www.xj{slug}.gov.cn"))
        } else {
            let at = index - portals;
            let (office, slug) = OFFICES[at % OFFICES.len()];
            let round = at / OFFICES.len();
            let suffix = if round == 0 { String::new() } else { round.to_string() };
            (
                format!("云川市{office}{suffix}"),
                format!("{slug}{suffix}"),
                format!("{slug}{suffix}.xjyunchuan.gov.cn"),
            )
        };
        let fate = match order[index] {
            0 if sites > 8 => Fate::Down,
            1 | 2 => Fate::BlankMany,
            3 => Fate::StaleMany,
            4 | 5 if sites > 4 => Fate::StaleHome,
            6 if sites > 8 => Fate::PoorGuides,
            8 if sites > 12 => Fate::NoChannel,
            _ => Fate::Fine,
        };
        let mut family = FAMILIES[(order[index] + (seed % 9) as usize) % FAMILIES.len()];
        if family == Family::Script && fate == Fate::BlankMany {
            family = Family::Dated;
        }
        let total = (f64::from(pages.max(20)) * (0.6 + rng.f64() * 0.8)) as u32;
        let columns = columns(&mut rng, portal, family, fate, total, false);
        let place = if portal { index as u32 + 1 } else { 0 };
        let https = matches!(order[index], 7 | 19);
        let draw = mix(&[seed, 14, index as u64]) % 9;
        let second = (draw < 3 && !https).then(|| SecondName { host: twin(&host), leads: draw > 0 });
        Self {
            index,
            id,
            name,
            host,
            portal,
            family,
            https,
            ipv6: rng.u8(..10) > 0,
            ipv6_dead: mix(&[seed, 13, index as u64]).is_multiple_of(15),
            compressed: rng.bool(),
            validators: match order[index] % 45 {
                9 => Validators::None,
                at if at % 3 == 0 => Validators::LastModified,
                _ => Validators::Etag,
            },
            code: format!("1509{place:02}{:04}", index + 1),
            hotline: format!("0474-8{:06}", rng.u32(..1_000_000)),
            missing_mark: (rng.u8(..8) == 0).then(|| MARKS[rng.usize(..MARKS.len())]),
            columns,
            missing_leaders: portal && mix(&[seed, 8, index as u64]).is_multiple_of(5),
            second,
            entrance: match mix(&[seed, 9, index as u64]) % 12 {
                0 => Entrance::Missing,
                1 => Entrance::WrongCode,
                _ => Entrance::Right,
            },
            fate,
            seed: mix(&[seed, 2, index as u64]),
            notice: false,
        }
    }

    /// A site of a city built to the facts of the notice of the second quarter of 2022: well in
    /// everything that is not its own fault there.
    pub(crate) fn of_notice(seed: u64, index: usize, pages: u32) -> Self {
        let order: Vec<usize> = (100..145).collect();
        let mut site = Self::new(seed, index, &order, 45, pages);
        // One portal fails: five or more of its columns are blank.
        site.fate = if index == 1 { Fate::BlankMany } else { Fate::Fine };
        if site.family == Family::Script {
            site.family = Family::Dated;
        }
        let mut rng = rng(&[seed, 10, index as u64]);
        site.columns = columns(&mut rng, site.portal, site.family, site.fate, pages, true);
        site.missing_mark = None;
        site.missing_leaders = false;
        site.entrance = Entrance::Right;
        (site.ipv6, site.ipv6_dead) = (true, false);
        site.https = false;
        site.second = None;
        site.notice = true;
        site
    }

    /// Scheme and host, without a final slash.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.https { "https" } else { "http" }, self.host)
    }

    /// Whether the message column shows how many were received and answered.
    pub(crate) fn counts_messages(&self) -> bool {
        match self.notice {
            true => !(23..28).contains(&self.index),
            false => !mix(&[self.seed, 5]).is_multiple_of(4),
        }
    }

    /// Whether its columns' lists stand in frames.
    pub(crate) fn has_frames(&self) -> bool {
        self.index % 7 == 4 && !matches!(self.family, Family::Script | Family::Json)
    }

    /// Whether its lists show month and day alone.
    pub(crate) fn leaves_out_years(&self) -> bool {
        self.index % 9 == 8
    }

    /// Whether some of its lists are pictures alone.
    pub(crate) fn lists_pictures(&self) -> bool {
        self.index % 9 == 7
    }

    /// Whether its menu leads to pages that do nothing but lead on.
    pub(crate) fn has_stubs(&self) -> bool {
        self.index % 8 == 5
    }

    /// The program its lists' scripts ask for what the lists' pages do not show; `None`: every page of a list is a page.
    pub(crate) fn handout(&self) -> Option<Handout> {
        match self.family {
            _ if self.has_frames() => None,
            Family::Records if self.index.is_multiple_of(2) => Some(Handout::Groups),
            Family::Records => Some(Handout::Windows),
            Family::Script | Family::Json => None,
            _ => (self.index % 7 == 2).then_some(Handout::Units),
        }
    }

    /// Whether the site's own search finds services and messages.
    pub(crate) fn searches_services(&self) -> bool {
        match self.notice {
            // The one whose columns of services and messages are blank has nothing to be found.
            true => self.index == 1 || self.index >= 40,
            false => !mix(&[self.seed, 6]).is_multiple_of(3),
        }
    }

    /// Policy documents that have an interpretation: the first so many.
    pub(crate) fn interpreted(&self, day: u32) -> u32 {
        self.count(3, day).min(self.count(2, day))
    }

    /// Whether a guide lacks half of its elements.
    pub(crate) fn poor_guide(&self, at: u32) -> bool {
        self.fate == Fate::PoorGuides && at < 6
    }

    /// Name of a column in the navigation.
    pub(crate) fn column_name(&self, column: usize) -> &'static str {
        match self.columns[column].class {
            Class::Interaction if self.fate == Fate::NoChannel => "信访信箱",
            _ => self.columns[column].name,
        }
    }

    pub(crate) fn down(&self) -> bool {
        self.fate == Fate::Down
    }

    /// Articles of a column on a day.
    pub(crate) fn count(&self, column: usize, day: u32) -> u32 {
        let plan = &self.columns[column];
        plan.base + (1..=day).map(|d| self.added(column, d)).sum::<u32>()
    }

    fn added(&self, column: usize, day: u32) -> u32 {
        let plan = &self.columns[column];
        let roll = mix(&[self.seed, 3, column as u64, u64::from(day)]);
        match plan.class {
            _ if !plan.fresh => 0,
            Class::News => (roll % 3) as u32,
            _ => u32::from(roll.is_multiple_of(6)),
        }
    }

    /// When article `at` (0 is the oldest) of a column was published.
    pub(crate) fn published(&self, column: usize, at: u32) -> DateTime {
        let plan = &self.columns[column];
        let jitter = mix(&[self.seed, 4, column as u64, u64::from(at)]);
        if at < plan.base {
            let back = i64::from(plan.base - 1 - at);
            let age = plan.newest_age_min
                + back * plan.step_min
                + if back == 0 { 0 } else { (jitter % (plan.step_min as u64 / 2).max(1)) as i64 };
            return EPOCH.at(17, 0, 0, 0).saturating_sub(age.minutes());
        }
        let (mut left, mut day) = (at - plan.base, 0);
        loop {
            day += 1;
            let added = self.added(column, day);
            if left < added {
                let minute = (jitter % 400) as i64;
                return EPOCH
                    .at(9, 0, 0, 0)
                    .saturating_add(Span::new().days(i64::from(day)))
                    .saturating_add(minute.minutes());
            }
            left -= added;
        }
    }

    /// The newest publication of a column on a day; `None` when it is blank.
    pub(crate) fn newest(&self, column: usize, day: u32) -> Option<DateTime> {
        let count = self.count(column, day);
        // The last two may be out of order by the hour on one day.
        (count.saturating_sub(3)..count).map(|at| self.published(column, at)).max()
    }

    /// Pages of a column's list.
    pub(crate) fn list_pages(&self, column: usize, day: u32) -> u32 {
        self.count(column, day).div_ceil(LIST_ITEMS).max(1)
    }

    /// How many of them are pages of their own.
    pub(crate) fn own_list_pages(&self, column: usize, day: u32) -> u32 {
        if self.handout().is_some() { 1 } else { self.list_pages(column, day) }
    }

    /// Columns whose newest items the home page shows.
    pub(crate) fn home_columns(&self) -> Vec<usize> {
        (0..self.columns.len().min(5)).filter(|&at| at != 3).collect()
    }
}

fn columns(
    rng: &mut fastrand::Rng,
    portal: bool,
    family: Family,
    fate: Fate,
    total: u32,
    spotless: bool,
) -> Vec<Column> {
    let count = if portal { 14 } else { 10 };
    let weight = |class: Class| match class {
        Class::News => 5,
        Class::Notice | Class::Policy => 3,
        _ => 1,
    };
    let weights: u32 = COLUMNS[..count].iter().map(|(_, _, class)| weight(*class)).sum();
    // The home page and the list pages are pages, too: one list page for each 15 articles, and
    // half a page more a column, as the last one is seldom full.
    let listed = u64::from(total.saturating_sub(1 + count as u32 / 2));
    let articles = (listed * u64::from(LIST_ITEMS) / u64::from(LIST_ITEMS + 1)) as u32;
    let articles = articles.max(count as u32);
    let mut stale_left = match fate {
        Fate::StaleMany => 6,
        Fate::StaleHome => 0,
        _ if spotless => 0,
        _ => u32::from(rng.u8(..3) == 0) + u32::from(rng.u8(..4) == 0),
    };
    let mut blank_left = match fate {
        Fate::BlankMany => 5 + u32::from(rng.bool()),
        _ if spotless => 0,
        // Guides and messages are what the site is about.
        Fate::PoorGuides => 0,
        _ => u32::from(rng.u8(..4) == 0),
    };
    if family == Family::Script {
        blank_left = 0;
    }
    COLUMNS[..count]
        .iter()
        .enumerate()
        .map(|(at, &(name, slug, class))| {
            // Blank ones from the end, so that the home page keeps something to show.
            let blank = blank_left > 0 && at >= 3 && (fate == Fate::BlankMany || at + 3 >= count);
            let can_stale = matches!(
                class,
                Class::News | Class::Notice | Class::Policy | Class::Personnel | Class::Planning
            );
            // Fate StaleHome: everything shown at home is old; V4a: the news and notice columns.
            let home = matches!(at, 0 | 1 | 2 | 4);
            let stale = !blank
                && can_stale
                && match fate {
                    Fate::StaleMany => stale_left > 0,
                    Fate::StaleHome => class == Class::News,
                    _ => stale_left > 0 && at > 2 && rng.bool(),
                };
            if blank {
                blank_left -= 1;
            } else if stale && stale_left > 0 {
                stale_left -= 1;
            }
            let enough = if fate == Fate::PoorGuides && class == Class::Service { 8 } else { 1 };
            let base = if blank { 0 } else { (articles * weight(class) / weights).max(enough) };
            let days = match (class, stale) {
                (Class::News, true) => 18 + rng.i64(0..150),
                (Class::Notice | Class::Policy, true) => 200 + rng.i64(0..300),
                (_, true) => 400 + rng.i64(0..400),
                (Class::News, false) => rng.i64(0..8),
                (Class::Notice | Class::Policy, false) => rng.i64(0..100),
                (Class::Personnel | Class::Planning, false) => rng.i64(0..280),
                _ => rng.i64(0..50),
            };
            let days = if fate == Fate::StaleHome && home { days.max(18) } else { days };
            let span_days = if class == Class::News { 900 } else { 1_500 };
            let step_min = (i64::from(span_days) * 1_440 / i64::from(base.max(1))).clamp(6, 4 * 1_440);
            Column {
                name,
                slug,
                class,
                base,
                newest_age_min: days * 1_440 + rng.i64(0..300),
                step_min,
                fresh: !stale && !blank && fate != Fate::StaleHome,
            }
        })
        .collect()
}
