//! Pages as HTML, in the template families of the field.

use std::fmt::Write as _;

use jiff::civil::DateTime;

use crate::address::{COLUMN_BASE, PageRef};
use crate::defects::{Defect, Payload, Plants, Special};
use crate::plan::{Class, EPOCH, Entrance, Family, Handout, LIST_ITEMS, SitePlan};
use crate::rng::{mix, rng};
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

    // ---- pages ----------------------------------------------------------------------------

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

    fn list(&self, column: usize, page: u32) -> String {
        let site = self.site;
        let plan = &site.columns[column];
        let items = self.listed(column, page);
        let mut body =
            format!("{}<div class=\"list-wrap\"><h2>{}</h2>", self.left(), site.column_name(column));
        if site.family == Family::Script {
            let _ = write!(
                body,
                "<ul id=\"list\" class=\"list\"></ul><div id=\"pager\"></div><script>fetch('/api/{}/{page}.json').then(r=>r.json()).then(d=>{{document.getElementById('list').innerHTML=d.map(i=>'<li><a href=\"'+i.url+'\">'+i.title+'</a><span>'+i.date+'</span></li>').join('')}});</script>",
                plan.slug
            );
        } else if site.family == Family::Json {
            let data = self.list_data(column, page);
            let _ = write!(
                body,
                "<ul id=\"list\" class=\"list\"></ul><script>var currentPage = {page};//所在页从0开始\nvar countPage = {};//共多少页\nvar page = {{\"list\":{data}}};\nshow(page, countPage);</script>",
                site.list_pages(column, self.day)
            );
        } else {
            if site.has_frames() {
                let _ = write!(
                    body,
                    "<iframe src=\"/frame/{}/{page}.html\" width=\"100%\" height=\"600\"></iframe>",
                    plan.slug
                );
                body.push_str(&self.pager(column, page));
            } else if let Some(handout) = site.handout() {
                body.push_str(&self.first_rows(column, handout));
            } else {
                body.push_str(&self.top_story(column, page));
                // What matters most stays above all that is newer.
                let is_pinned = site.index.is_multiple_of(5) && plan.class == Class::News && page == 0;
                let pinned = Some(0).filter(|_| is_pinned && items.start > 0);
                let short = site.leaves_out_years();
                body.push_str(
                    &self.rows(pinned.into_iter().chain(items.rev()).map(|at| (column, at)), short),
                );
                if site.count(column, self.day) == 0 {
                    body.push_str("<p class=\"none\">暂无相关信息！</p>");
                }
                body.push_str(&self.pager(column, page));
            }
        }
        if plan.class == Class::Interaction && site.counts_messages() {
            body.push_str("<p class=\"stat\">留言统计：本季度收到留言36件，办结35件。</p>");
        }
        body.push_str("</div>");
        let url = site.path(PageRef::List { column, page: 0 });
        let head = Head {
            title: format!("{}-{}", site.column_name(column), site.name),
            labels: vec![
                ("ColumnName", site.column_name(column).to_owned()),
                ("ColumnType", site.column_name(column).to_owned()),
                ("ColumnDescription", format!("{}{}栏目", site.name, site.column_name(column))),
                ("ColumnKeywords", format!("{},{}", site.name, site.column_name(column))),
            ],
            crumbs: vec![(site.column_name(column).to_owned(), url)],
        };
        self.chrome(head, &body)
    }

    /// What stands beside every list of a site, in boxes whose names say nothing: a picture, and links to other lists.
    fn left(&self) -> String {
        let site = self.site;
        if site.index % 4 != 2 {
            return String::new();
        }
        let mut left = "<div class=\"l\"><img src=\"/images/logo.png\"><ul>".to_owned();
        for column in site.home_columns() {
            let path = site.path(PageRef::List { column, page: 0 });
            let _ = write!(left, "<li><a href=\"{path}\">{}</a></li>", site.column_name(column));
        }
        left + "</ul></div>"
    }

    /// The newest article, large above the first page of a list of news.
    fn top_story(&self, column: usize, page: u32) -> String {
        let count = self.site.count(column, self.day);
        let is_news = self.site.columns[column].class == Class::News;
        if self.site.index % 9 != 6 || !is_news || page > 0 || count == 0 {
            return String::new();
        }
        let at = count - 1;
        let path = self.site.path(PageRef::Article { column, at });
        let mut rng = rng(&[self.site.seed, 29, column as u64, u64::from(at)]);
        format!(
            "<div class=\"tt\"><h3><a href=\"{path}\">{}</a></h3><p>{}{}<a href=\"{path}\">[详细]</a></p></div>",
            self.title(column, at),
            text::sentence(&mut rng),
            text::sentence(&mut rng)
        )
    }

    /// The articles of a page of a list.
    fn listed(&self, column: usize, page: u32) -> std::ops::Range<u32> {
        let newest = self.site.count(column, self.day).saturating_sub(page * LIST_ITEMS);
        newest.saturating_sub(LIST_ITEMS)..newest
    }

    /// The rows of a list as a page of their own, for a frame.
    pub(crate) fn frame(&self, column: usize, page: u32) -> String {
        let items = self.listed(column, page);
        let charset = if self.site.family == Family::Table { "<meta charset=\"gb2312\">" } else { "" };
        let rows = self.rows(items.rev().map(|at| (column, at)), false);
        format!("<!DOCTYPE html>\n<html><head>{charset}</head><body>{rows}</body></html>")
    }

    /// The JSON a script of the list asks for.
    pub(crate) fn list_data(&self, column: usize, page: u32) -> String {
        let rows: Vec<_> = self
            .listed(column, page)
            .rev()
            .map(|at| {
                serde_json::json!({
                    "url": self.site.path(PageRef::Article { column, at }),
                    "title": self.title(column, at),
                    "date": self.date_in_list(column, at).map(|d| d.date().to_string()),
                })
            })
            .collect();
        serde_json::Value::Array(rows).to_string()
    }

    /// What a list's page shows of rows that a program hands out.
    fn first_rows(&self, column: usize, handout: Handout) -> String {
        let number = COLUMN_BASE + column;
        let rows = self.rows(self.listed(column, 0).rev().map(|at| (column, at)), false);
        match handout {
            Handout::Units => format!(
                "<script parseType=\"bulidstatic\" url=\"/front/page/build/unit\" queryData=\"{{'parseType':'bulidstatic','webId':'{}','pageType':'column','tagId':'栏目列表','editType':null,'pageId':'{number}'}}\"></script>",
                self.site.code
            ),
            Handout::Groups => {
                rows.replacen("<recordset>", &format!("{}<recordset>", self.next_group(column, 0)), 1)
            }
            Handout::Windows => format!(
                "{rows}<script>$(function(){{$('#list').jpage({{totalRecord:{},dataBefore:'<ul>',dataAfter:'</ul>',proxyUrl:'/truecms/messageController/getMessage.do',perPage:5,groupSize:{},barPosition:'bottom',ajaxParam:{{columnId:'{number}'}}}});}});</script>",
                self.site.count(column, self.day),
                LIST_ITEMS / 5
            ),
        }
    }

    /// The link to the rows after a page of a list.
    fn next_group(&self, column: usize, page: u32) -> String {
        if page + 1 >= self.site.list_pages(column, self.day) {
            return String::new();
        }
        format!(
            "<nextgroup><![CDATA[<a href=\"/module/web/jpage/dataproxy.jsp?page={}&appid=1&webid=1&path=/&columnid={}&webname={}&permissiontype=0\"></a>]]></nextgroup>",
            page + 1,
            COLUMN_BASE + column,
            self.site.name
        )
    }

    /// Rows as a program hands them out, by the program's parameters.
    pub(crate) fn handed_out(
        &self,
        parameter: impl Fn(&str) -> Option<String>,
    ) -> Option<(&'static str, String)> {
        let number = |name: &str| parameter(name)?.parse::<u32>().ok();
        let column = |name: &str| {
            let column = usize::try_from(number(name)?).ok()?.checked_sub(COLUMN_BASE)?;
            (column < self.site.columns.len()).then_some(column)
        };
        let rows = |column, items: std::ops::Range<u32>| self.rows(items.rev().map(|at| (column, at)), false);
        Some(match self.site.handout()? {
            Handout::Units => {
                let column = column("pageId")?;
                let wanted =
                    parameter("paramJson").map(|json| serde_json::from_str::<serde_json::Value>(&json));
                let page = match wanted {
                    Some(wanted) => u32::try_from(wanted.ok()?["pageNo"].as_u64()?).ok()?.checked_sub(1)?,
                    None => 0,
                };
                let html = format!(
                    "<style>.page-content{{margin:0}}</style><div id=\"栏目列表\"><div class=\"page-content\">{}</div>\n<div class=\"pagination\" rows=\"{LIST_ITEMS}\" count=\"{}\" pageNo=\"{}\"></div></div>",
                    rows(column, self.listed(column, page)),
                    self.site.count(column, self.day),
                    page + 1
                );
                let answer = serde_json::json!({ "success": true, "code": "200", "data": { "html": html } });
                ("application/json;charset=UTF-8", answer.to_string())
            }
            Handout::Groups => {
                let (column, page) = (column("columnid")?, number("page")?);
                let records = self.records(self.listed(column, page).rev().map(|at| (column, at)), false);
                let group = self.next_group(column, page);
                let text = format!(
                    "<?xml version='1.0' encoding='UTF-8'?>\n<datastore>{group}<recordset>{records}</recordset></datastore>"
                );
                // Some servers say that it is a page.
                (
                    if column.is_multiple_of(2) {
                        "text/xml;charset=UTF-8"
                    } else {
                        "text/html;charset=UTF-8"
                    },
                    text,
                )
            }
            Handout::Windows => {
                let (column, from, to) = (column("columnId")?, number("startrecord")?, number("endrecord")?);
                let count = self.site.count(column, self.day);
                let items = count.saturating_sub(to)..count.saturating_sub(from.checked_sub(1)?);
                let records = self.records(items.rev().map(|at| (column, at)), false);
                let text = format!(
                    "<datastore><totalrecord>{count}</totalrecord><recordset>{records}</recordset></datastore>"
                );
                ("application/json", serde_json::json!({ "result": text }).to_string())
            }
        })
    }

    /// The date of a row; many home pages leave out the year.
    fn row_date(&self, column: usize, at: u32, short: bool) -> String {
        let date = self.date_in_list(column, at).map(|d| d.date().to_string()).unwrap_or_default();
        if short { date.get("2024-".len()..).unwrap_or_default().to_owned() } else { date }
    }

    fn records(&self, items: impl Iterator<Item = (usize, u32)>, short: bool) -> String {
        let mut out = String::new();
        for (column, at) in items {
            let path = self.site.path(PageRef::Article { column, at });
            let title = self.title(column, at);
            let date = self.row_date(column, at, short);
            let _ = writeln!(
                out,
                "<record><![CDATA[<li><a href=\"{path}\" title=\"{title}\" target=\"_blank\">{title}</a><b>{date}</b></li>]]></record>"
            );
        }
        out
    }

    fn rows(&self, items: impl Iterator<Item = (usize, u32)>, short: bool) -> String {
        if self.site.family == Family::Records {
            return format!(
                "<div class=\"list\"><script type=\"text/xml\"><datastore><recordset>{}</recordset></datastore></script></div>",
                self.records(items, short)
            );
        }
        let mut items = items.peekable();
        let class = items.peek().map(|(column, _)| self.site.columns[*column].class);
        match class {
            Some(Class::Policy) if !short && self.site.index % 4 == 3 => return self.catalogue(items),
            Some(Class::Interaction) if !short && self.site.index % 3 == 1 => return self.letters(items),
            Some(Class::News)
                if self.site.lists_pictures() && items.peek().is_some_and(|(column, _)| *column > 7) =>
            {
                return self.pictures(items);
            }
            _ => {}
        }
        let mut out = String::new();
        let (open, close) = match self.site.family {
            Family::Table => ("<table class=\"list\">", "</table>"),
            Family::Bare => ("<dl class=\"list\">", "</dl>"),
            Family::Div => ("<div class=\"list\">", "</div>"),
            _ => ("<ul class=\"list\">", "</ul>"),
        };
        out.push_str(open);
        for (column, at) in items {
            let path = self.site.path(PageRef::Article { column, at });
            let title = self.title(column, at);
            let date = self.row_date(column, at, short);
            let _ = match self.site.family {
                Family::Table => write!(
                    out,
                    "<tr><td>·</td><td><a href=\"{path}\" title=\"{title}\">{title}</a></td><td class=\"date\">{date}</td></tr>"
                ),
                Family::Bare => write!(out, "<dd>[{date}] <a href=\"{path}\">{title}</a></dd>"),
                // What happened on some day before stands below the title and leads on, too.
                Family::Div if !short => {
                    let mut rng = rng(&[self.site.seed, 27, column as u64, u64::from(at)]);
                    let day = self.site.published(column, at).saturating_sub(jiff::Span::new().days(40));
                    write!(
                        out,
                        "<div class=\"item border-bottom\"><div class=\"t\"><a href=\"{path}\">{title}</a></div><div class=\"d\">{date}</div><div class=\"text\"><a href=\"{path}\">{}，{}</a></div></div>",
                        day.strftime("%Y 年 %-m 月 %-d 日"),
                        text::sentence(&mut rng)
                    )
                }
                Family::Div => write!(
                    out,
                    "<div class=\"item\"><div class=\"t\"><a href=\"{path}\">{title}</a></div><div class=\"d\">{date}</div></div>"
                ),
                Family::Odd if at.is_multiple_of(10) => write!(
                    out,
                    "<li><span>{date}</span><a target=_blank href={path}><font color=#ff0000><b>{title}</b></font></a><img src=/images/ok-9.png>"
                ),
                Family::Odd => write!(out, "<li><span>{date}</span><a target=_blank href={path}>{title}</a>"),
                // The day stands large above its month, and the column is named.
                Family::Dated if self.site.index.is_multiple_of(2) && date.len() == "2024-05-06".len() => {
                    let (month, day) = date.split_at("2024-05".len());
                    let (list, name) =
                        (self.site.path(PageRef::List { column, page: 0 }), self.site.column_name(column));
                    write!(
                        out,
                        "<li><div class=\"date\"><p>{}</p><p>{month}</p></div><a href=\"{list}\">[{name}]</a><a href=\"{path}\" title=\"{title}\">{title}</a></li>",
                        &day[1..]
                    )
                }
                // What the article says of some other day stands below its title.
                Family::Dated if !short => {
                    let mut rng = rng(&[self.site.seed, 26, column as u64, u64::from(at)]);
                    let day = self.site.published(column, at).saturating_add(jiff::Span::new().days(12));
                    write!(
                        out,
                        "<li><a href=\"{path}\" title=\"{title}\">{title}</a><span class=\"date\">{date}</span><p>{}自{}起施行。</p></li>",
                        text::sentence(&mut rng),
                        day.strftime("%Y年%-m月%-d日")
                    )
                }
                _ if !short && class == Some(Class::News) && self.site.index % 5 == 4 => write!(
                    out,
                    "<li><a href=\"{path}\"><img src=\"/images/ok-{}.png\" alt=\"{title}\"></a><h4><a href=\"{path}\">{title}</a></h4><p>{}<a href=\"{path}\">[查看全文]</a></p><em>{date}</em></li>",
                    at % 40,
                    text::sentence(&mut rng(&[self.site.seed, 30, column as u64, u64::from(at)]))
                ),
                _ => {
                    let cut: String = title.chars().take(14).collect();
                    let shown = if self.site.index % 3 == 2 { format!("{cut}...") } else { title.clone() };
                    write!(
                        out,
                        "<li><a href=\"{path}\" title=\"{title}\">{shown}</a><span class=\"date\">{date}</span></li>"
                    )
                }
            };
            out.push('\n');
        }
        out.push_str(close);
        out
    }

    /// Documents as a table: they were signed before they were published.
    fn catalogue(&self, items: impl Iterator<Item = (usize, u32)>) -> String {
        let mut out = "<table class=\"catalogue\"><tr><th>序号</th><th>文件名称</th><th>文号</th><th>成文日期</th><th>发布日期</th></tr>\n".to_owned();
        for (row, (column, at)) in items.enumerate() {
            let path = self.site.path(PageRef::Article { column, at });
            let published = self.date_in_list(column, at).map(|date| date.date());
            let signed = published.map(|day| day.saturating_sub(jiff::Span::new().days(12)).to_string());
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td><a href=\"{path}\">{}</a></td><td>云政办发〔{}〕{}号</td><td>{}</td><td>{}</td></tr>",
                row + 1,
                self.title(column, at),
                self.site.published(column, at).year(),
                at + 1,
                signed.unwrap_or_default(),
                published.map(|day| day.to_string()).unwrap_or_default()
            );
        }
        out + "</table>"
    }

    /// News as pictures alone.
    fn pictures(&self, items: impl Iterator<Item = (usize, u32)>) -> String {
        let row = |(column, at): (usize, u32)| {
            let path = self.site.path(PageRef::Article { column, at });
            let title = self.title(column, at);
            format!(
                "<li><a href=\"{path}\"><img src=\"/images/ok-{}.png\" alt=\"{title}\"></a></li>\n",
                at % 40
            )
        };
        format!("<ul class=\"pics\">{}</ul>", items.map(row).collect::<String>())
    }

    /// Messages as a table.
    fn letters(&self, items: impl Iterator<Item = (usize, u32)>) -> String {
        let mut out = "<table class=\"letters\"><tr><td>信件编号</td><td>信件标题</td><td>来信时间</td><td>办理状态</td><td>点击</td></tr>\n".to_owned();
        for (column, at) in items {
            let path = self.site.path(PageRef::Article { column, at });
            let _ = writeln!(
                out,
                "<tr><td>{}{at:05}</td><td><a href=\"{path}\">{}</a></td><td>{}</td><td>已受理</td><td>{}</td></tr>",
                self.site.published(column, at).year(),
                self.title(column, at),
                self.row_date(column, at, false),
                at % 977
            );
        }
        out + "</table>"
    }

    fn pager(&self, column: usize, page: u32) -> String {
        let pages = self.site.list_pages(column, self.day);
        if self.site.family == Family::Call {
            return format!(
                "<div class=\"page\"><script language=\"JavaScript\">createPageHTML({pages}, {page}, \"index\", \"shtml\");</script></div>"
            );
        }
        let class = if self.site.index % 4 == 3 { "pager" } else { "b1" };
        let mut out = format!("<div class=\"{class}\">共{pages}页 ");
        let link = |page: u32| self.site.path(PageRef::List { column, page });
        if page > 0 {
            let _ =
                write!(out, "<a href=\"{}\">首页</a> <a href=\"{}\">上一页</a> ", link(0), link(page - 1));
        }
        for near in page.saturating_sub(2)..(page + 3).min(pages) {
            let _ = write!(out, "<a href=\"{}\">{}</a> ", link(near), near + 1);
        }
        if page + 1 < pages {
            let _ = write!(
                out,
                "<a href=\"{}\">下一页</a> <a href=\"{}\">尾页</a>",
                link(page + 1),
                link(pages - 1)
            );
        }
        match self.site.index % 4 {
            1 => out.push_str("转到第<input type=\"text\" id=\"gopage\" size=\"2\">页"),
            2 => out.push_str("<form name=\"pf\"><input type=\"text\" name=\"p\" value=\"1\"><input type=\"button\" value=\"GO\"></form>"),
            _ => {}
        }
        out.push_str("</div>");
        out
    }

    fn article(&self, column: usize, at: u32) -> String {
        let site = self.site;
        let defect = self.defect(column, at);
        let payload = defect.map(|defect| &defect.payload);
        if let Some(Payload::Cloak(spam)) = payload
            && self.robot
        {
            return self.chrome(
                Head { title: spam.clone(), ..Head::default() },
                &format!("<div class=\"content\"><p>{spam}，注册即送，首存优惠。</p></div>"),
            );
        }
        let title = self.title(column, at);
        let mut rng = rng(&[site.seed, 22, column as u64, u64::from(at)]);
        let published = site.published(column, at);
        let shown = match payload {
            Some(Payload::NoDate) => None,
            Some(Payload::ShiftDate(days)) => Some(published.saturating_add(jiff::Span::new().days(*days))),
            _ => Some(published),
        };
        let labelled = match payload {
            Some(Payload::ShiftLabel(days)) => shown.map(|d| d.saturating_add(jiff::Span::new().days(*days))),
            _ => shown,
        };
        let source = if rng.bool() { site.name.clone() } else { "云川日报".to_owned() };
        let labels = self.article_labels(column, &title, labelled, &source, payload);

        let mut body = String::new();
        let roll = mix(&[site.seed, 28, column as u64, u64::from(at)]);
        let is_plain = defect.is_none() && self.plants.trap(column, at).is_none();
        if site.columns[column].class == Class::News && is_plain && roll.is_multiple_of(12) {
            body = film(roll / 12, site.https);
        } else if !matches!(payload, Some(Payload::NoBody)) {
            body = self.article_body(column, at, &mut rng, payload);
            if let Some(Payload::Html(html)) = payload {
                let mut starts = body.match_indices("<p>").map(|(at, _)| at);
                let middle = starts.nth(1).unwrap_or(body.len());
                body.insert_str(middle, html);
            }
            if let Some(trap) = self.plants.trap(column, at) {
                body.push_str(trap);
            }
            if mix(&[site.seed, 23, column as u64, u64::from(at)]) % 40 < u64::from(self.day.min(20)) / 2 {
                // Edits of later days.
                body.push_str(&format!(
                    "<p>（第{}次修订）{}</p>",
                    self.day.min(20) / 2,
                    text::sentence(&mut rng)
                ));
            }
        }
        let when = shown.map(|d| self.visible_date(d)).unwrap_or_default();
        // Documents were signed before they were published; what a notice is about comes after it.
        let other = |days: i64| {
            let day = published.saturating_add(jiff::Span::new().days(days)).date();
            format!("{}年{}月{}日", day.year(), day.month(), day.day())
        };
        let table = match site.columns[column].class {
            Class::Policy if shown.is_some() => format!(
                "<table class=\"index\"><tr><td>索引号：</td><td>{}/{:04}</td><td>成文日期：</td><td>{}</td></tr></table>",
                site.code,
                at + 1,
                other(-12)
            ),
            _ => String::new(),
        };
        let is_notice = site.columns[column].class == Class::Notice && !body.is_empty();
        if is_notice && shown.is_some() && at.is_multiple_of(3) {
            body.insert_str(0, &format!("<p>会议时间：{}上午</p>", other(12)));
        }
        if is_notice && shown.is_some() && at % 3 == 1 {
            let _ = write!(body, "<p style=\"text-align:right\">{}<br>{}</p>", site.name, other(-2));
        }
        let side = if site.index % 5 == 4 && site.family != Family::Bare {
            self.side(column)
        } else {
            String::new()
        };
        let article = match site.family {
            Family::Table => format!(
                "<table class=\"article\"><tr><td><h1>{title}</h1></td></tr><tr><td class=\"info\">{when} 来源：{source} 浏览次数：{}</td></tr><tr><td class=\"content\">{body}</td></tr></table>",
                at % 977
            ),
            Family::Div => format!(
                "<div class=\"art\"><div class=\"bt\">{title}</div><div class=\"sub\"><span>来源：{source}</span><span>{when}</span></div><div class=\"TRS_Editor\">{body}</div></div>"
            ),
            _ => format!(
                "<div class=\"article\"><h1>{title}</h1><p class=\"info\">{when}　来源：{source}　字体：[大 中 小]　浏览次数：<span id=\"hits\"></span>次</p><div class=\"content\">{body}</div></div>"
            ),
        };
        // How often it was read is asked for by a script.
        let hits = match site.index % 5 {
            3 => "<script>$.ajax({url:'/hits',success:function(n){$('#hits').html(n);}});</script>",
            _ => "",
        };
        let inner = table
            + &article
            + hits
            + self.tools()
            + &self.neighbours(column, at)
            + &self.related(column)
            + &side;
        let head = Head {
            title: if site.family == Family::Table { title } else { format!("{title}_{}", site.name) },
            labels,
            crumbs: vec![
                (site.column_name(column).to_owned(), site.path(PageRef::List { column, page: 0 })),
                ("正文".to_owned(), site.path(PageRef::Article { column, at })),
            ],
        };
        self.chrome(head, &inner)
    }

    /// What stands below every article of a site.
    fn tools(&self) -> &'static str {
        match self.site.index % 4 {
            0 => {
                "<p class=\"dy\"><a href=\"javascript:window.print()\">【打印本页】</a> <a href=\"javascript:window.close()\">【关闭窗口】</a></p>"
            }
            1 => {
                "<div class=\"fx\">分享到：<a class=\"wx\">微信</a> <a class=\"wb\">新浪微博</a> <a class=\"qz\">QQ空间</a></div><p>扫一扫在手机打开当前页</p><p>责任编辑：王小明</p>"
            }
            2 => {
                "<div class=\"ewm\"><img src=\"/images/logo.png\"><span>扫一扫，手机浏览本页</span></div><p>（编辑：李静　审核：赵明华）</p>"
            }
            _ => "",
        }
    }

    /// What else there is to read below an article: rows of another column.
    fn related(&self, column: usize) -> String {
        let other = usize::from(column == 0);
        if self.site.index % 4 != 3 || self.site.count(other, self.day) == 0 {
            return String::new();
        }
        format!("<div class=\"xg\"><h3>相关阅读</h3><ul>{}</ul></div>", self.newest(other))
    }

    /// Links to the articles before and behind one.
    fn neighbours(&self, column: usize, at: u32) -> String {
        if self.site.index.is_multiple_of(3) {
            return String::new();
        }
        let newer = Some(at + 1).filter(|at| *at < self.site.count(column, self.day));
        let link = |name: &str, at: Option<u32>| match at {
            Some(at) => format!(
                "<p>{name}：<a href=\"{}\">{}</a></p>",
                self.site.path(PageRef::Article { column, at }),
                self.title(column, at)
            ),
            None => format!("<p>{name}：没有了</p>"),
        };
        format!("<div class=\"near\">{}{}</div>", link("上一篇", newer), link("下一篇", at.checked_sub(1)))
    }

    fn article_labels(
        &self,
        column: usize,
        title: &str,
        date: Option<DateTime>,
        source: &str,
        payload: Option<&Payload>,
    ) -> Vec<(&'static str, String)> {
        let site = self.site;
        let mut labels = vec![
            ("ColumnName", site.column_name(column).to_owned()),
            ("ColumnType", site.column_name(column).to_owned()),
            ("ArticleTitle", title.to_owned()),
            ("ContentSource", source.to_owned()),
        ];
        if let Some(date) = date {
            labels.push(("PubDate", date.strftime("%Y-%m-%d %H:%M").to_string()));
        }
        match payload {
            Some(Payload::WithoutLabel(name)) => labels.retain(|(key, _)| key != name),
            Some(Payload::LabelContent(name, content)) => {
                for (key, value) in &mut labels {
                    if key == name {
                        *value = match date {
                            Some(date) if content.is_empty() => date.strftime("%Y/%m/%d").to_string(),
                            _ => content.clone(),
                        };
                    }
                }
            }
            _ => {}
        }
        // SiteIDCode is written by the chrome; a fault in it travels as a label of its own.
        match payload {
            Some(Payload::WithoutLabel("SiteIDCode")) => labels.push(("-SiteIDCode", String::new())),
            Some(Payload::LabelContent("SiteIDCode", content)) => {
                labels.push(("-SiteIDCode", content.clone()));
            }
            _ => {}
        }
        labels
    }

    fn visible_date(&self, date: DateTime) -> String {
        match self.site.family {
            Family::Dated => format!("发布时间：{}", date.strftime("%Y-%m-%d %H:%M")),
            Family::Table => format!("发布日期：{}", date.strftime("%Y-%m-%d")),
            Family::Bare => format!("时间：{}年{}月{}日", date.year(), date.month(), date.day()),
            Family::Div => format!("{}", date.strftime("%Y/%m/%d %H:%M:%S")),
            Family::Script => format!("日期：{}", date.strftime("%Y-%m-%d %H:%M")),
            Family::Odd => format!("发布时间: {}", date.strftime("%Y.%m.%d")),
            Family::Call => {
                let date = date.strftime("%Y年%m月%d日 %H:%M");
                format!("<script>\n//取文档时间\ndocument.write(\"{date}\");\n</script>")
            }
            Family::Records => format!("发布时间： <i>{}</i>", date.strftime("%Y-%m-%d %H:%M")),
            Family::Json => format!("【发布时间】{}", date.strftime("%Y-%m-%d")),
        }
    }

    fn article_body(
        &self,
        column: usize,
        at: u32,
        rng: &mut fastrand::Rng,
        payload: Option<&Payload>,
    ) -> String {
        let special = match payload {
            Some(Payload::Special(special)) => Some(*special),
            _ => None,
        };
        let mut body = String::new();
        let site = self.site;
        let (open, close) = if site.index % 8 == 6 { ("&nbsp;&nbsp;", "<br>\n") } else { ("<p>", "</p>\n") };
        match site.columns[column].class {
            Class::Service => body.push_str(&guide(rng, site, special, site.poor_guide(at))),
            Class::Interaction => body.push_str(&self.message(column, at, rng, special)),
            Class::Policy => {
                let _ = write!(body, "<p>云政办发〔{}〕{}号</p>", site.published(column, at).year(), at + 1);
                if special != Some(Special::InterpretationMissing) && self.interprets(at) {
                    let path = site.path(PageRef::Article { column: 3, at });
                    let _ = write!(body, "<p>相关解读：<a href=\"{path}\">{}</a></p>", self.title(3, at));
                }
            }
            Class::Interpretation if special != Some(Special::InterpretationUnlinked) => {
                let policy = self.policy_column();
                if self.interprets(at) {
                    let path = site.path(PageRef::Article { column: policy, at });
                    let _ =
                        write!(body, "<p>解读文件：<a href=\"{path}\">{}</a></p>", self.title(policy, at));
                }
            }
            _ => {}
        }
        for _ in 0..rng.usize(5..15) {
            body.push_str(open);
            let paragraph = text::paragraph(rng);
            if rng.u8(..5) == 0 {
                // Inline tags in the middle of a text do not break it.
                let cut = paragraph.char_indices().nth(9).map_or(0, |(at, _)| at);
                let _ = write!(body, "<strong>{}</strong>{}", &paragraph[..cut], &paragraph[cut..]);
            } else {
                body.push_str(&paragraph);
            }
            body.push_str(close);
        }
        let roll = mix(&[site.seed, 24, column as u64, u64::from(at)]);
        if roll.is_multiple_of(6) {
            let _ = write!(body, "<p><img src=\"/images/ok-{}.png\" alt=\"现场\"></p>", roll % 40);
        }
        if roll.is_multiple_of(8) {
            let ending = ["pdf", "docx", "xlsx", "zip"][(roll / 8 % 4) as usize];
            let _ = write!(
                body,
                "<p>附件：<a href=\"/files/doc-{}.{ending}\">{}</a></p>",
                roll % 60,
                text::title(rng)
            );
        }
        body
    }

    fn message(&self, column: usize, at: u32, rng: &mut fastrand::Rng, special: Option<Special>) -> String {
        let asked = self.site.published(column, at);
        let answer = if special == Some(Special::MessageOverdue) {
            String::new()
        } else {
            let days = jiff::Span::new().days(rng.i64(1..9));
            let answered = asked.saturating_add(days);
            format!(
                "<tr><th>答复时间</th><td>{}</td></tr><tr><th>答复内容</th><td>{}</td></tr>",
                answered.strftime("%Y-%m-%d"),
                text::paragraph(rng)
            )
        };
        format!(
            "<table class=\"message\"><tr><th>留言时间</th><td>{}</td></tr><tr><th>留言内容</th><td>{}</td></tr>{answer}</table>",
            asked.strftime("%Y-%m-%d"),
            text::paragraph(rng)
        )
    }

    // ---- what stands around every page ----------------------------------------------------

    fn chrome(&self, head: Head, body: &str) -> String {
        let site = self.site;
        let mut out = String::with_capacity(body.len() + 8_000);
        out.push_str("<!DOCTYPE html>\n<html lang=\"zh-CN\"><head>\n");
        match site.family {
            Family::Table => {
                out.push_str("<meta http-equiv=\"Content-Type\" content=\"text/html; charset=gb2312\">\n")
            }
            Family::Div => {}
            _ => out.push_str("<meta charset=\"utf-8\">\n"),
        }
        let _ = writeln!(out, "<title>{}</title>", head.title);
        if site.family != Family::Bare {
            let code =
                head.labels.iter().find(|(name, _)| *name == "-SiteIDCode").map(|(_, value)| value.clone());
            let mut labels = vec![("SiteName", site.name.clone()), ("SiteDomain", site.host.clone())];
            match code {
                Some(code) if code.is_empty() => {}
                Some(code) => labels.push(("SiteIDCode", code)),
                None => labels.push(("SiteIDCode", site.code.clone())),
            }
            labels.extend(head.labels.into_iter().filter(|(name, _)| !name.starts_with('-')));
            for (name, content) in labels {
                let _ = match site.family {
                    Family::Call => {
                        writeln!(out, "<META name=\"{}\" content=\"{content}\">", name.to_uppercase())
                    }
                    Family::Odd => {
                        writeln!(out, "<META NAME=\"{} \" CONTENT=\" {content}\">", name.to_lowercase())
                    }
                    _ => writeln!(out, "<meta name=\"{name}\" content=\"{content}\">"),
                };
            }
        }
        if site.family == Family::Call {
            // When the page was made anew, which says nothing of when it was published.
            let made = EPOCH.saturating_add(jiff::Span::new().days(i64::from(self.day)));
            let _ = writeln!(
                out,
                "<meta name=\"Maketime\" content=\"{made} 06:00:00\">\n<!--TRS_TEMPLATE 公用头部 begin-->"
            );
        }
        out.push_str("<link rel=\"stylesheet\" href=\"/style/main.css\"><script src=\"/js/site.js\"></script>\n</head><body>\n");
        if site.index % 5 == 1 {
            out.push_str("<div class=\"t1\">无障碍阅读　长者模式　智能问答　登录</div><noscript>您的浏览器不支持脚本，部分内容无法显示。</noscript>");
        }
        if site.index % 6 == 1 {
            let today = EPOCH.saturating_add(jiff::Span::new().days(i64::from(self.day)));
            let _ = write!(
                out,
                "<div class=\"top\">今天是{}年{}月{}日　您是第{}位访客</div>",
                today.year(),
                today.month(),
                today.day(),
                1_000_000 + site.index
            );
        }
        let _ = write!(
            out,
            "<div class=\"header\"><a href=\"/\"><img src=\"/images/logo.png\" alt=\"{}\"></a></div>\n<div class=\"nav\"><ul><li><a href=\"/\">首页</a></li>",
            site.name
        );
        for column in 0..site.columns.len() {
            let path = match site.has_stubs() {
                true => format!("/go/{}.html", site.columns[column].slug),
                false => site.path(PageRef::List { column, page: 0 }),
            };
            let name = site.column_name(column);
            let _ = if site.index % 7 == 3 {
                write!(
                    out,
                    "<script>var name = '{name}';\ndocument.write('<li><a href=\"{path}\">' + name + '</a></li>');</script>"
                )
            } else {
                write!(out, "<li><a href=\"{path}\">{name}</a></li>")
            };
        }
        if site.portal {
            out.push_str("<li><a href=\"/about/overview.html\">市情概况</a></li><li><a href=\"/about/functions.html\">机构职能</a></li>");
            if !site.missing_leaders {
                out.push_str("<li><a href=\"/about/leaders.html\">领导信息</a></li>");
            }
        }
        if site.index % 6 == 4 {
            out.push_str("<li><a href=\"/about/topics.html\">专题专栏</a></li><li><a href=\"/about/map.html\">网站地图</a></li><li><a href=\"/about/query.html\">办件查询</a></li><li><a href=\"/about/contact.html\">联系我们</a></li><li><a href=\"/about/channel.html\">信息公开</a></li>");
        }
        if site.index % 5 == 2 {
            out.push_str(&self.menu());
        }
        out.push_str("</ul><ul class=\"drop\" style=\"display:none\"><li><a href=\"http://www.zhengfu-sim.gov.cn/\">上级政府</a></li></ul></div>\n");
        if !head.crumbs.is_empty() {
            out.push_str("<div class=\"crumb\">当前位置：<a href=\"/\">首页</a>");
            for (name, path) in &head.crumbs {
                let _ = write!(out, " &gt; <a href=\"{path}\">{name}</a>");
            }
            out.push_str("</div>\n");
        }
        let _ = write!(out, "<div class=\"main\">{body}</div>\n");
        if site.index % 5 == 1 {
            // Links that no class tells from the text.
            let links = (0..site.columns.len()).map(|column| {
                let path = site.path(PageRef::List { column, page: 0 });
                format!("<li><a href=\"{path}\">{}专栏</a></li>", site.column_name(column))
            });
            let _ =
                write!(out, "<div class=\"b2\"><p>快速通道</p><ul>{}</ul></div>", links.collect::<String>());
        }
        out.push_str(&self.footer());
        out.push_str("</body></html>\n");
        out
    }

    /// The newest of the first column, as menus that open on every page show them.
    fn menu(&self) -> String {
        format!("<li><ul class=\"sub\">{}</ul></li>", self.newest(0))
    }

    /// The newest of an article's column, beside it.
    fn side(&self, column: usize) -> String {
        format!("<div class=\"r\"><h3>最新信息</h3><ul>{}</ul></div>", self.newest(column))
    }

    fn newest(&self, column: usize) -> String {
        let count = self.site.count(column, self.day);
        let row = |at| {
            let path = self.site.path(PageRef::Article { column, at });
            let date = self.date_in_list(column, at).map(|date| date.date().to_string()).unwrap_or_default();
            format!("<li><a href=\"{path}\">{}</a><span>{date}</span></li>", self.title(column, at))
        };
        (count.saturating_sub(3)..count).rev().map(row).collect()
    }

    fn footer(&self) -> String {
        let site = self.site;
        let mut out = String::new();
        if site.index.is_multiple_of(3) {
            // A counter that every page has.
            out.push_str("<script src=\"//tj.tongji-sim.cn/count.js\"></script>");
        }
        // Nothing but what it says tells some footers from the page.
        let (open, close) = match site.family {
            Family::Table => {
                ("<table width=\"1000\" align=\"center\"><tr><td align=\"center\">", "</td></tr></table>")
            }
            _ => ("<div class=\"footer\">", "</div>"),
        };
        out.push_str(open);
        out.push_str("<div class=\"friends\">友情链接：");
        let friends = ["www.xinwen-sim.com.cn", "www.zhengfu-sim.gov.cn", "data.tongji-sim.cn"];
        if site.index % 4 == 1 {
            out.push_str("<select onchange=\"window.open(this.value)\"><option value=\"\">请选择</option>");
            for host in friends {
                let _ = write!(out, "<option value=\"http://{host}/\">{host}</option>");
            }
            out.push_str("</select>");
        } else {
            for host in friends {
                let _ = write!(out, "<a href=\"http://{host}/\">{host}</a> ");
            }
        }
        let _ = write!(out, "</div><p>主办单位：{}　联系电话：{}　", site.name, site.hotline);
        let shows = |mark: &str| site.missing_mark != Some(mark);
        if shows("网站标识码") {
            let _ = write!(out, "网站标识码：{}　", site.code);
        }
        if shows("ICP备案号") {
            let _ =
                write!(out, "<a href=\"/about/icp.html\">蒙ICP备{:08}号-1</a>　", 15_000_000 + site.index);
        }
        if shows("公安备案号") {
            let _ = write!(
                out,
                "<a href=\"/about/police.html?recordcode=1509020200{:04}\">蒙公网安备1509020200{:04}号</a>",
                site.index, site.index
            );
        }
        out.push_str("</p>");
        let code = match site.entrance {
            Entrance::Right => Some(site.code.clone()),
            Entrance::WrongCode => Some("1509990099".to_owned()),
            Entrance::Missing => None,
        };
        if let Some(code) = code {
            let _ = write!(
                out,
                "<span id=\"_span_jiucuo\"></span><script id=\"_jiucuo_\" sitecode=\"{code}\" src=\"/js/jiucuo.js\"></script>"
            );
        }
        if shows("党政机关标识") {
            out.push_str("<span id=\"_ideConac\"><img src=\"/images/conac.png\" alt=\"党政机关\"></span>");
        }
        out.push_str(close);
        out.push('\n');
        out
    }
}

/// An article that is a film, or pictures.
fn film(roll: u64, https: bool) -> String {
    let number = roll / 6 % 20;
    let file = format!("/files/film-{number}.mp4");
    match roll % 6 {
        0 => format!("<p><video src=\"{file}\" controls></video></p>"),
        1 => format!("<p><embed src=\"/js/player.swf\" flashvars=\"file={file}\" width=\"600\" height=\"400\"></p>"),
        2 => format!("<div id=\"a1\"></div><script>var flashvars={{f:'{file}',c:0}};CKobject.embed('/js/ckplayer.swf','a1','ckplayer_a1','600','400',false,flashvars);</script>"),
        3 => format!("<p><script name=\"_videourl\" vurl=\"{file}\">showVsbVideo(\"{file}\",\"\",\"600\",\"400\");</script></p>"),
        // Its player speaks no TLS.
        4 if !https => "<p><iframe src=\"//www.xinwen-sim.com.cn/player/1.html\" width=\"600\" height=\"400\"></iframe></p>".to_owned(),
        _ => format!("<p><img src=\"/images/ok-{number}.png\"></p><p><img src=\"/images/ok-{}.png\"></p>", number + 1),
    }
}

/// Elements that a poor guide lacks.
pub(crate) const POOR_GUIDE_LACKS: [&str; 5] = ["收费标准", "办理时间", "联系电话", "办理流程", "办理机构"];

fn guide(rng: &mut fastrand::Rng, site: &SitePlan, special: Option<Special>, poor: bool) -> String {
    let address = match special {
        Some(Special::GuideAddress) => "政务服务中心".to_owned(),
        _ => format!("云川市{}{}路{}号一楼{}号窗口", text::place(rng), "民安", rng.u8(1..200), rng.u8(1..40)),
    };
    let material = match special {
        Some(Special::GuideMaterial) => "相关材料等".to_owned(),
        _ => "1.申请表原件1份；2.身份证复印件1份；3.营业执照复印件2份".to_owned(),
    };
    let basis = match special {
        Some(Special::PolicyNameOnly) => "《云川市行政审批管理办法》".to_owned(),
        _ => "<a href=\"/about/law.html\">《云川市行政审批管理办法》</a>".to_owned(),
    };
    let mut rows = vec![
        ("事项名称", text::title(rng)),
        ("设定依据", basis),
        ("申请条件", text::sentence(rng)),
        ("办理材料", material),
        ("办理地点", address),
        ("办理机构", site.name.clone()),
        ("收费标准", "不收费".to_owned()),
        ("办理时间", "工作日9:00—12:00，14:30—17:30".to_owned()),
        ("联系电话", site.hotline.clone()),
        ("办理流程", text::sentence(rng)),
    ];
    if special == Some(Special::GuideElements) {
        rows.retain(|(name, _)| *name != "收费标准");
    }
    if poor {
        rows.retain(|(name, _)| !POOR_GUIDE_LACKS.contains(name));
    }
    let rows: String =
        rows.into_iter().map(|(name, value)| format!("<tr><th>{name}</th><td>{value}</td></tr>")).collect();
    format!("<table class=\"guide\">{rows}</table>")
}
