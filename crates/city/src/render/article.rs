//! Articles: their texts, labels and dates, and what stands below them.

use std::fmt::Write as _;

use jiff::civil::DateTime;

use super::{Head, Renderer};
use crate::address::PageRef;
use crate::defects::{Payload, Special};
use crate::plan::{Class, Family, SitePlan};
use crate::rng::{mix, rng};
use crate::text;

impl Renderer<'_> {
    pub(super) fn article(&self, column: usize, at: u32) -> String {
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
    pub(super) fn tools(&self) -> &'static str {
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
    pub(super) fn related(&self, column: usize) -> String {
        let other = usize::from(column == 0);
        if self.site.index % 4 != 3 || self.site.count(other, self.day) == 0 {
            return String::new();
        }
        format!("<div class=\"xg\"><h3>相关阅读</h3><ul>{}</ul></div>", self.newest(other))
    }

    /// Links to the articles before and behind one.
    pub(super) fn neighbours(&self, column: usize, at: u32) -> String {
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

    pub(super) fn article_labels(
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

    pub(super) fn visible_date(&self, date: DateTime) -> String {
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

    pub(super) fn article_body(
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

    pub(super) fn message(
        &self,
        column: usize,
        at: u32,
        rng: &mut fastrand::Rng,
        special: Option<Special>,
    ) -> String {
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
