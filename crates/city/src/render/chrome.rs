//! What stands around every page of a site: head, menus, boxes beside the text, foot.

use std::fmt::Write as _;

use super::{Head, Renderer};
use crate::address::PageRef;
use crate::plan::{EPOCH, Entrance, Family};

impl Renderer<'_> {
    pub(super) fn chrome(&self, head: Head, body: &str) -> String {
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
        let _ = writeln!(out, "<div class=\"main\">{body}</div>");
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
    pub(super) fn menu(&self) -> String {
        format!("<li><ul class=\"sub\">{}</ul></li>", self.newest(0))
    }

    /// The newest of an article's column, beside it.
    pub(super) fn side(&self, column: usize) -> String {
        format!("<div class=\"r\"><h3>最新信息</h3><ul>{}</ul></div>", self.newest(column))
    }

    pub(super) fn newest(&self, column: usize) -> String {
        let count = self.site.count(column, self.day);
        let row = |at| {
            let path = self.site.path(PageRef::Article { column, at });
            let date = self.date_in_list(column, at).map(|date| date.date().to_string()).unwrap_or_default();
            format!("<li><a href=\"{path}\">{}</a><span>{date}</span></li>", self.title(column, at))
        };
        (count.saturating_sub(3)..count).rev().map(row).collect()
    }

    pub(super) fn footer(&self) -> String {
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
