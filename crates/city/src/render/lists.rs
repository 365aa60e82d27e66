//! Lists of articles, in the ways of the field: rows in markup, in frames, as data of a script, handed out by a program.

use std::fmt::Write as _;

use super::{Head, Renderer};
use crate::address::{COLUMN_BASE, PageRef};
use crate::plan::{Class, Family, Handout, LIST_ITEMS};
use crate::rng::rng;
use crate::text;

impl Renderer<'_> {
    pub(super) fn list(&self, column: usize, page: u32) -> String {
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
    pub(super) fn left(&self) -> String {
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
    pub(super) fn top_story(&self, column: usize, page: u32) -> String {
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
    pub(super) fn listed(&self, column: usize, page: u32) -> std::ops::Range<u32> {
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
    pub(super) fn first_rows(&self, column: usize, handout: Handout) -> String {
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
    pub(super) fn next_group(&self, column: usize, page: u32) -> String {
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
    pub(super) fn row_date(&self, column: usize, at: u32, short: bool) -> String {
        let date = self.date_in_list(column, at).map(|d| d.date().to_string()).unwrap_or_default();
        if short { date.get("2024-".len()..).unwrap_or_default().to_owned() } else { date }
    }

    pub(super) fn records(&self, items: impl Iterator<Item = (usize, u32)>, short: bool) -> String {
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

    pub(super) fn rows(&self, items: impl Iterator<Item = (usize, u32)>, short: bool) -> String {
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
    pub(super) fn catalogue(&self, items: impl Iterator<Item = (usize, u32)>) -> String {
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
    pub(super) fn pictures(&self, items: impl Iterator<Item = (usize, u32)>) -> String {
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
    pub(super) fn letters(&self, items: impl Iterator<Item = (usize, u32)>) -> String {
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

    pub(super) fn pager(&self, column: usize, page: u32) -> String {
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
}
