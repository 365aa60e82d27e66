//! Pages as HTML, in the template families of the field.

mod article;
mod chrome;
mod lists;

use std::fmt::Write as _;

use jiff::civil::DateTime;

pub(crate) use self::article::POOR_GUIDE_LACKS;
use crate::address::PageRef;
use crate::defects::{Defect, Payload, Plants, Special};
use crate::plan::{Class, Family, SitePlan};
use crate::rng::rng;
use crate::text;

/// A site's pages on a day.
pub(crate) struct Renderer<'a> {
    pub(crate) site: &'a SitePlan,
    pub(crate) plants: &'a Plants,
    pub(crate) day: u32,
    /// A search engine asks.
    pub(crate) robot: bool,
}

/// What the head of a page says of it.
#[derive(Default)]
struct Head {
    title: String,
    labels: Vec<(&'static str, String)>,
    crumbs: Vec<(String, String)>,
}

impl Renderer<'_> {
    pub(crate) fn page(&self, page: PageRef) -> String {
        match page {
            PageRef::Home => self.home(),
            PageRef::List { column, page } => self.list(column, page),
            PageRef::Article { column, at } => self.article(column, at),
        }
    }

    fn defect(&self, column: usize, at: u32) -> Option<&Defect> {
        self.plants.at(column, at, self.day)
    }

    /// The title of an article, with its planted fault.
    fn title(&self, column: usize, at: u32) -> String {
        if let Some(Defect { payload: Payload::Title(title), .. }) = self.defect(column, at) {
            let internal =
                self.site.columns[column].class == Class::Policy && at >= self.site.interpreted(self.day);
            return if internal { format!("{title}（会议通知）") } else { title.clone() };
        }
        let mut rng = rng(&[self.site.seed, 21, column as u64, u64::from(at)]);
        let title = text::title(&mut rng);
        match self.site.columns[column].class {
            // Nobody has to interpret what is of no wide interest.
            Class::Policy if at >= self.site.interpreted(self.day) => {
                format!("关于召开{title}会议的通知（{}）", at + 1)
            }
            Class::Interpretation if self.interprets(at) => {
                format!("一图读懂《{}》", self.title_of_policy(at))
            }
            Class::Interpretation => format!("{title}问答（{}）", at + 1),
            Class::Service => format!("{title}办理"),
            Class::Interaction => format!("咨询{title}"),
            // Bulletins and minutes name the day they are of.
            _ if at % 9 == 4 && self.date_in_list(column, at).is_some() => {
                let day = self.site.published(column, at).saturating_sub(jiff::Span::new().days(40));
                format!("{}{title}（{}）", day.strftime("%Y年%-m月%-d日"), at + 1)
            }
            _ => format!("{title}（{}）", at + 1),
        }
    }

    /// The site's own search: the newest articles whose title holds the words.
    pub(crate) fn search(&self, words: &str) -> String {
        const SEARCHED: u32 = 200;
        let site = self.site;
        let mut body = String::from("<div class=\"result\"><h2>搜索结果</h2><ul>");
        for (column, plan) in site.columns.iter().enumerate() {
            let left_out = matches!(plan.class, Class::Service | Class::Interaction);
            if words.is_empty() || (left_out && !site.searches_services()) {
                continue;
            }
            let count = site.count(column, self.day);
            for at in (count.saturating_sub(SEARCHED)..count).rev() {
                let title = self.title(column, at);
                if title.contains(words) {
                    let path = site.path(PageRef::Article { column, at });
                    let _ = write!(body, "<li><a href=\"{path}\">{title}</a></li>");
                }
            }
        }
        body.push_str("</ul></div>");
        self.chrome(Head { title: format!("搜索-{}", site.name), ..Head::default() }, &body)
    }

    /// A page about the office: a column that is a text.
    pub(crate) fn about(&self, name: &str) -> String {
        let site = self.site;
        let head = Head {
            title: format!("{name}-{}", site.name),
            labels: vec![
                ("ColumnName", name.to_owned()),
                ("ColumnType", name.to_owned()),
                ("ColumnDescription", format!("{}{name}栏目", site.name)),
                ("ColumnKeywords", format!("{},{name}", site.name)),
            ],
            crumbs: Vec::new(),
        };
        let mut rng = rng(&[site.seed, 25, name.len() as u64]);
        let text: String = (0..3).map(|_| format!("<p>{}</p>", text::paragraph(&mut rng))).collect();
        self.chrome(head, &format!("<div class=\"content\"><h1>{name}</h1>{text}</div>"))
    }

    /// What a menu leads to that is neither a list nor an article.
    pub(crate) fn special(&self, name: &str) -> Option<String> {
        let site = self.site;
        let columns = || {
            (0..site.columns.len())
                .map(|column| (site.column_name(column), site.path(PageRef::List { column, page: 0 })))
        };
        let (title, body) = match name {
            "topics.html" => {
                let rows = columns().take(6).map(|(_, path)| {
                    format!("<li><a href=\"{path}\"><img src=\"/images/ok-7.png\"></a></li>")
                });
                ("专题专栏", format!("<ul class=\"pic\">{}</ul>", rows.collect::<String>()))
            }
            "map.html" => {
                let rows =
                    columns().map(|(name, path)| format!("<dd><a href=\"{path}\">{name}</a></dd>"));
                ("网站地图", format!("<dl>{}</dl>", rows.collect::<String>()))
            }
            "query.html" => (
                "办件查询",
                "<div class=\"cx\">办件编号：<input id=\"bjbh\" type=\"text\"><input type=\"button\" value=\"查询\" onclick=\"cx()\"></div>"
                    .to_owned(),
            ),
            // What is new in several columns.
            "channel.html" => {
                let boxes = site.home_columns().into_iter().map(|column| {
                    let path = site.path(PageRef::List { column, page: 0 });
                    let (name, rows) = (site.column_name(column), self.newest(column));
                    format!("<div class=\"box\"><h3>{name}</h3><a href=\"{path}\">更多&gt;&gt;</a><ul>{rows}</ul></div>")
                });
                ("信息公开", boxes.collect())
            }
            "contact.html" => {
                ("联系我们", format!("<p>联系电话：{}</p><p><img src=\"/images/ok-8.png\"></p>", site.hotline))
            }
            _ => return None,
        };
        let head = Head {
            title: format!("{title}-{}", site.name),
            labels: vec![
                ("ColumnName", title.to_owned()),
                ("ColumnType", title.to_owned()),
                ("ColumnDescription", format!("{}{title}栏目", site.name)),
                ("ColumnKeywords", format!("{},{title}", site.name)),
            ],
            crumbs: vec![(title.to_owned(), format!("/about/{name}"))],
        };
        Some(self.chrome(head, &format!("<div class=\"content\"><h1>{title}</h1>{body}</div>")))
    }

    /// A page that leads on to a column's list.
    pub(crate) fn stub(&self, slug: &str) -> Option<String> {
        let column = self.site.columns.iter().position(|column| column.slug == slug)?;
        let path = self.site.path(PageRef::List { column, page: 0 });
        Some(match column % 2 {
            0 => format!(
                "<html><head><meta http-equiv=\"refresh\" content=\"0;url={path}\"></head><body></body></html>"
            ),
            _ => format!(
                "<html><head><script>window.location.href='{path}';</script></head><body></body></html>"
            ),
        })
    }

    /// A page about the site itself, or one that says "not found" with whatever status.
    pub(crate) fn plain(&self, title: &str, text: &str) -> String {
        let head = Head { title: format!("{title}-{}", self.site.name), ..Head::default() };
        self.chrome(head, &format!("<div class=\"content\"><h1>{title}</h1><p>{text}</p></div>"))
    }

    fn policy_column(&self) -> usize {
        2
    }

    /// Whether an article of the interpretations interprets the document of its number.
    fn interprets(&self, at: u32) -> bool {
        let missing = self.defect(self.policy_column(), at);
        let missing = missing
            .is_some_and(|defect| matches!(defect.payload, Payload::Special(Special::InterpretationMissing)));
        at < self.site.interpreted(self.day) && !missing
    }

    fn title_of_policy(&self, at: u32) -> String {
        let mut rng = rng(&[self.site.seed, 21, self.policy_column() as u64, u64::from(at)]);
        format!("{}（{}）", text::title(&mut rng), at + 1)
    }

    fn date_in_list(&self, column: usize, at: u32) -> Option<DateTime> {
        match self.defect(column, at) {
            Some(Defect { payload: Payload::NoDate, .. }) => None,
            Some(Defect { payload: Payload::ShiftList(days), .. }) => {
                Some(self.site.published(column, at).saturating_add(jiff::Span::new().days(*days)))
            }
            _ => Some(self.site.published(column, at)),
        }
    }

    fn home(&self) -> String {
        let site = self.site;
        let mut body = String::new();
        for column in site.home_columns() {
            let path = site.path(PageRef::List { column, page: 0 });
            let _ = write!(
                body,
                "<div class=\"box\"><h2><a href=\"{path}\">{}</a><span class=\"more\"><a href=\"{path}\">更多</a></span></h2>",
                site.column_name(column)
            );
            let count = site.count(column, self.day);
            body.push_str(
                &self
                    .rows((count.saturating_sub(8)..count).rev().map(|at| (column, at)), site.index % 5 == 3),
            );
            body.push_str("</div>\n");
        }
        body.push_str("<div class=\"topics\"><h2>专题专栏</h2>");
        for (_, _, html) in &self.plants.home {
            body.push_str(html);
        }
        // Some content systems take what is sought by POST.
        let method = if matches!(site.family, Family::Div | Family::Records) { "post" } else { "get" };
        let _ = writeln!(
            body,
            "<form action=\"/search\" method=\"{method}\"><input type=\"hidden\" name=\"site\" value=\"1\"><input name=\"q\"><button>搜索</button></form></div>"
        );
        let head = Head { title: site.name.clone(), ..Head::default() };
        self.chrome(head, &body)
    }
}
