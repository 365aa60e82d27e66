use xunjian_model::{DateSource, LinkKind};

use super::*;

fn facts(html: &str) -> Facts {
    let base = PageUrl::parse("http://a.gov.cn/x/t20240506_1.html").expect("base");
    build(html, encoding_rs::UTF_8, &base, Limits::default())
}

#[test]
fn lists_of_every_family_have_rows() {
    let row = |html: &str| {
        let facts = facts(html);
        let rows: Vec<_> = facts
            .items
            .iter()
            .map(|item| {
                (
                    facts.link_text(&facts.links[item.link as usize]).to_owned(),
                    item.date.map(|d| d.to_string()),
                )
            })
            .collect();
        rows
    };
    let wanted = vec![
        ("甲".to_owned(), Some("2024-05-06".to_owned())),
        ("乙".to_owned(), Some("2024-05-05".to_owned())),
    ];
    for html in [
        "<ul><li><a href=1>甲</a><span>2024-05-06</span></li><li><a href=2>乙</a><span>2024-05-05</span></li></ul>",
        "<ul><li><span>2024-05-06</span><a href=1>甲</a><li><span>2024-05-05</span><a href=2>乙</a></ul>",
        "<table><tr><td><a href=1>甲</a></td><td>2024-05-06</td></tr><tr><td><a href=2>乙</a><td>2024-05-05</table>",
        // A day that the text tells of, before that of the row.
        "<ul><li><a href=1>甲</a><div>原定于2024年4月11日举行的全国高等教育自学考试延期举行，具体时间另行通知。</div><p>2024-05-06</p></li><li><a href=2>乙</a><span>2024-05-05</span></li></ul>",
        "<ul><li><a href=1>甲</a><p>（民发〔2012〕124号 2012年7月10日）各省、自治区、直辖市民政厅（局），各计划单列市民政局：<a href=1>详</a></p><i>2024-05-06</i></li><li><p><a href=2>乙</a> 2024-05-05</p></li></ul>",
        "<ul><li><a href=1>甲</a><p>摘要摘要摘要摘要摘要摘要摘要摘要摘要摘要摘要摘要摘要摘要摘要摘要摘要 2024-05-06 10:00:00</p></li><li><a href=2>乙</a><p>[2024-05-05] 摘要摘要摘要摘要摘要摘要摘要摘要摘要摘要摘要</p></li></ul>",
        "<ul><li><a href=1>甲</a><span>2024-05-06</span><p>2024年4月27日上午，某部长等一行四人走访某某研究院，并就有关工作进行了探讨…<a href=1>详</a></p></li><li><a href=2>乙</a><i>2024-05-05</i></li></ul>",
        "<ul><li><a href=1>甲</a></li><li>中华人民共和国某某法,1994年10月27日第八届全国人民代表大会常务委员会第十次会议通过…<a href=1>详</a></li><li>发布时间：2024-05-06 16:41:15</li></ul><ul><li><a href=2>乙</a></li><li>2024-05-05</li></ul>",
        "<ul><li><strong><a href=1>甲</a></strong> <span>2024-05-06</span><br>所属省份：[某省] 网址：http://www.x.gov.cn/ [点击访问] 本站不对内容负责</li><li><a href=2>乙</a> 2024-05-05</li></ul>",
        // A list for each row.
        "<div><ul><li><a href=1>甲</a></li><li>入冬以来，某地……</li><li>发布时间：2024-05-06 10:00:00</li></ul><ul><li><a href=2>乙</a></li><li>发布时间：2024-05-05</li></ul></div>",
        "<dl><dt><a href=1>甲</a></dt><dd>2024-05-06</dd></dl><dl><dt><a href=2>乙</a></dt><dd>2024-05-05</dd></dl>",
        "<dl><dd>[2024-05-06] <a href=1>甲</a></dd><dd>[2024-05-05] <a href=2>乙</a></dd></dl>",
        "<div><div class=item><div><a href=1>甲</a></div><div>2024-05-06</div></div><div class=item><div><a href=2>乙</a></div><div>2024-05-05</div></div></div>",
        // The day stands apart, before or behind.
        "<ul><li><b>06</b>2024-05<a href=1>甲</a></li><li><b>05</b>2024-05<a href=2>乙</a></li></ul>",
        "<ul><li><div><p>06</p><p>2024/05</p></div><a href=1>甲</a></li><li><div><p>05</p><p>2024/05</p></div><a href=2>乙</a></li></ul>",
        "<ul><li><div><p>2024-05</p><p>06</p></div><a href=1>甲</a></li><li><div><p>2024-05</p><p>05</p></div><a href=2>乙</a></li></ul>",
        "<ul><li><a href=1>甲</a><div>05-06</div><div>2024</div></li><li><a href=2>乙</a><div>05-05</div><div>2024</div></li></ul>",
        // The same page is linked to twice.
        "<div><div><h3><a href=1>甲</a></h3><p>摘要<a href=1></a></p>2024-05-06</div><div><a href=2><img></a><a href=2>乙</a>2024-05-05</div></div>",
    ] {
        assert_eq!(row(html), wanted, "{html}");
    }
    // The name of its column beside a title, and "more".
    let beside = "<ul><li><a href=/c/>[要闻]</a><a href=1>关于做好某项工作的通知</a><a href=/c/>更多</a> 2024-05-06</li></ul>";
    assert_eq!(row(beside), [("关于做好某项工作的通知".to_owned(), Some("2024-05-06".to_owned()))]);
    // A document is a row where no page stands beside it.
    let documents = "<ul><li><b>PDF</b><h2><a href=1.pdf>甲</a></h2><i>2024-05-06</i><a href=/d?id=1><img></a></li><li><a href=2.doc>乙</a> 2024-05-05</li></ul>";
    assert_eq!(row(documents), wanted);
    let page = "<ul><li><a href=1>甲</a><a href=一个很长的附件名称.pdf>一个很长的附件名称.pdf</a> 2024-05-06</li></ul>";
    assert_eq!(row(page), wanted[..1]);
    let two =
        "<div><a href=1>关于做好某项工作的通知</a><a href=2>关于做好另一工作的通知</a> 2024-05-06</div>";
    assert_eq!(row(two), []);
    assert_eq!(row("<div>今天是2024年5月6日 <a href=1>设为首页</a></div>"), []);
}

#[test]
fn an_article_with_lists_beside_it_is_one() {
    let rows = "<ul><li><a href=1>甲</a> 2024-05-06</li><li><a href=2>乙</a> 2024-05-05</li><li><a href=3>丙</a> 2024-05-04</li></ul>";
    let text = format!("<h1>关于某事的通知</h1><p>发布时间：2024-03-02</p><p>{}</p>", "正文。".repeat(40));
    let labels =
        "<meta name=ArticleTitle content=关于某事的通知><meta name=PubDate content='2024-03-02 10:00'>";
    for html in [format!("<div class=nav>{rows}</div>{text}"), format!("{labels}{text}<div>{rows}</div>")] {
        let facts = facts(&html);
        assert_eq!((facts.kind, facts.items.len()), (xunjian_model::PageKind::Article, 3), "{html}");
        let visible = facts.dates.iter().find(|date| date.source == DateSource::Visible);
        assert_eq!(visible.map(|date| date.date.to_string()).as_deref(), Some("2024-03-02"), "{html}");
    }
    assert_eq!(facts(&format!("<h1>公告</h1>{rows}")).kind, xunjian_model::PageKind::List);
}

#[test]
fn last_pages_of_lists_are_lists_and_articles_in_a_row_none() {
    let text = "经研究决定，着力优化养老服务机构，提高资金使用效益，自发布之日起施行。".repeat(3);
    let menu = "<li><a href=9>要闻</a> 2024-05-06</li>".repeat(3);
    let page =
        |main: &str| facts(&format!("<div class=nav><ul>{menu}</ul></div><h2>通知公告</h2>{main}")).kind;
    let row = format!("<li><a href=1>关于某事的通知</a><span>2024-05-06</span><p>{text}</p></li>");
    assert_eq!(page(&format!("<ul>{row}</ul>共2页")), PageKind::List);
    assert_eq!(page(&format!("<ul>{row}{row}</ul>")), PageKind::List);
    for article in [
        format!("<tr><td>{text}</td></tr><tr><td><a href=a.doc>附件：申请表</a> 2024-05-06</td></tr>"),
        format!("<tr><td><p>{text}</p><p>2024-05-06</p><p><a href=a.doc>附件：申请表</a></p></td></tr>"),
        format!(
            "<tr><td>您的位置：<a href=/>首页</a> > <a href=/tz/>通知公告</a><p>2024-05-06</p><p>{text}</p></td></tr>"
        ),
        format!("<tr><td><a href=/tz/>通知公告</a><p>2024-05-06</p><p>{text}{text}{text}</p></td></tr>"),
    ] {
        assert_eq!(page(&format!("<table>{article}</table>")), PageKind::Article, "{article}");
    }
}

#[test]
fn days_in_titles_do_not_date_rows() {
    let dates = |row: &str| -> Vec<Option<String>> {
        let facts = facts(&format!("<h1>会议纪要</h1><ul>{row}</ul>"));
        facts.items.iter().map(|item| item.date.map(|date| date.to_string())).collect()
    };
    for row in [
        "<li><a href=1>2019年12月2日学院会议纪要</a><span>2019年12月10日</span></li>",
        "<li><a href=1>2019年12月2日学院会议纪要</a> [2019-12-10]</li>",
        "<li><span>2019-12-10</span><a href=1>2019年12月2日学院会议纪要</a></li>",
        "<li><a href=1><i>2019年12月2日学院会议纪要</i><i>2019年12月10日</i></a></li>",
        "<li><div><a href=1>2019年12月2日学院会议纪要</a></div><div>2019-12-10</div></li>",
        "<li><a href=1>关于2016.7.1—2017.6.30期间津贴的通知</a><span>2019年12月10日</span></li>",
    ] {
        assert_eq!(dates(row), [Some("2019-12-10".to_owned())], "{row}");
    }
    assert!(dates("<li>[12-10] <a href=1>2019年12月2日学院会议纪要</a></li>").is_empty());
    let summary = "<li><div><div><a href=1>班长交流会顺利举行</a></div><div>2021-03-18</div>\
        <div><a href=1>2021 年 3 月 16 日，学院组织各班班长、班级骨干参加交流会</a></div></div><a href=1>全文》</a></li>";
    assert_eq!(dates(summary), [Some("2021-03-18".to_owned())]);
    let alone = "<li><a href=1>2019-12-10关于召开会议的通知</a></li>";
    assert_eq!(dates(alone), [Some("2019-12-10".to_owned())]);
}

#[test]
fn neighbours_are_no_text_and_rows_below_a_pager_are_rows() {
    let zones = |html: &str, needle: &str| {
        let blocks = facts(html).blocks;
        blocks.into_iter().find(|block| block.text.contains(needle)).expect("the block").zone
    };
    let cells =
        "<p>正文</p><table><tr><td>上一篇：</td><td><a href=1>关于召开会议的通知</a></td></tr></table>";
    assert_eq!((zones(cells, "正文"), zones(cells, "召开")), (Zone::Main, Zone::Navigation));
    let pager =
        "<ul><li><a href=2>下一页</a></li></ul><ul><li><a href=1>关于召开会议的通知</a> 2024-05-06</li></ul>";
    assert_eq!((zones(pager, "下一页"), zones(pager, "召开")), (Zone::Navigation, Zone::Main));
}

#[test]
fn what_stands_below_an_article_is_no_row() {
    let text = "为进一步做好有关工作，现就有关事项通知如下，请各单位按照要求认真贯彻执行。";
    let items = |below: &str, times: usize| {
        let html = format!(
            "<h1>通知</h1><div><p>发布日期：2019-12-10</p><p>{}</p>{below}</div>",
            text.repeat(times)
        );
        facts(&html).items.len()
    };
    assert_eq!(
        items("<p>上一篇：<a href=1>关于召开会议的通知</a></p><p>下一篇：<a href=2>公示</a></p>", 2),
        0
    );
    assert_eq!(items("<p>相关解读：<a href=1>《关于召开会议的通知》解读</a></p>", 9), 0);
    assert_eq!(items("<p><a href=1>关于召开会议的通知</a></p>", 1), 1, "a row with its text above");
}

#[test]
fn lists_that_show_no_year_are_lists() {
    let text = "为进一步做好有关工作，现就有关事项通知如下，请各单位按照要求认真贯彻执行。".repeat(3);
    let row = |day: &str| format!("<li><a href=/{day}>{text}</a>[{day}]</li>");
    let page = |days: &[&str]| {
        let rows: String = days.iter().map(|day| row(day)).collect();
        facts(&format!("<h1>风险评估</h1><ul>{rows}</ul><p>{text}</p>")).kind
    };
    assert_eq!(page(&["12-28", "11-30", "9-05"]), PageKind::List);
    let before: String =
        ["12/28", "11/30", "9/05"].map(|day| format!("<li>{day} <a href=/{day}>{text}</a></li>")).concat();
    assert_eq!(facts(&format!("<h1>风险评估</h1><ul>{before}</ul>")).kind, PageKind::List);
    assert_eq!(page(&["12-28", "11-30"]), PageKind::Article);
    assert_eq!(page(&["12-28", "13-30", "2020-1"]), PageKind::Article);
}

#[test]
fn lists_in_scripts_have_rows_and_next_pages() {
    let page = "<div class=list><ul><script type='text/xml'><datastore><nextgroup><![CDATA[<a href='/next.jsp?page=1'></a>]]></nextgroup>\
        <recordset><record><![CDATA[<li><a href='/1.html'>甲</a><span>2024-05-06</span></li></ul></div></div>]]></record>\
        <record><![CDATA[<script><datastore><![CDATA[<a href=/deep>]]></record></recordset></datastore></script></ul></div>\
        <script>var data = [{\"title\":\"乙\",\"url\":\"/2.html\",\"date\":\"2024-05-05\"}]; createPageHTML(2, 0, \"index\", \"shtml\");</script><p>正文</p>";
    let facts = facts(page);
    let rows: Vec<_> = facts
        .items
        .iter()
        .map(|item| (facts.link_text(&facts.links[item.link as usize]), item.date.map(|d| d.to_string())))
        .collect();
    assert_eq!(rows, [("甲", Some("2024-05-06".to_owned())), ("乙", Some("2024-05-05".to_owned()))]);
    let links: Vec<_> = facts.links.iter().map(|link| link.url.as_str()).collect();
    let wanted = ["/next.jsp?page=1", "/1.html", "/x/index_1.shtml", "/2.html"];
    assert_eq!(links, wanted.map(|path| format!("http://a.gov.cn{path}")));
    assert_eq!(facts.blocks.last().map(|block| block.path.as_str()), Some("p"), "what was open is closed");
}

#[test]
fn lists_that_scripts_ask_for() {
    let links = |html: &str| {
        let links = facts(html).links.into_iter();
        links.map(|link| (link.url.replace("http://a.gov.cn", ""), link.kind)).collect::<Vec<_>>()
    };
    let unit =
        "<script parseType=bulidstatic url=/front/unit queryData=\"{'pageId':'1','tagId':'a'}\"></script>";
    assert_eq!(links(unit), [("/front/unit?pageId=1&tagId=a".to_owned(), LinkKind::Data)]);
    let call = "<script>$('#l').jpage({proxyUrl:'/p.do',perPage:10,groupSize:3,ajaxParam:{c:'1'}})</script>";
    let first = ("/p.do?startrecord=1&endrecord=30&perpage=10&c=1".to_owned(), LinkKind::Data);
    assert_eq!(links(call), [first]);
    let rows = "<script type=text/xml><datastore><nextgroup><![CDATA[<a href=\"/p.jsp?page=1&amp;c=1\"></a>]]></nextgroup></datastore></script>";
    assert_eq!(links(&format!("{rows}{call}")), [("/p.jsp?page=1&c=1".to_owned(), LinkKind::Page)]);
}

#[test]
fn lists_that_are_handed_out_as_data() {
    let base = PageUrl::parse("http://a.gov.cn/x/unit.jsp?startrecord=1&endrecord=2&c=1").expect("base");
    let read = |body: &str, media_type| {
        let facts = crate::extract(body.as_bytes(), Some(media_type), &base, Limits::default());
        assert_eq!(facts.kind, xunjian_model::PageKind::List, "{body}");
        let row = |item: &xunjian_model::ListItem| {
            let link = &facts.links[item.link as usize];
            let date = item.date.map(|date| date.to_string()).unwrap_or_default();
            format!("{} {} {date}", link.url.replace("http://a.gov.cn", ""), facts.link_text(link))
        };
        let rows: Vec<_> = facts.items.iter().map(row).collect();
        let listed = |link: &&xunjian_model::Link| link.block == u32::MAX;
        let next = facts.links.iter().filter(listed).map(|link| link.url.replace("http://a.gov.cn", ""));
        (rows, next.collect::<Vec<_>>())
    };
    let next = "/x/unit.jsp?c=1&startrecord=3&endrecord=4".to_owned();
    let record = |title: &str| {
        format!("<record><![CDATA[<li><a href='/1.html'>{title}</a><b>2024-05-06</b></li>]]></record>")
    };
    let records = |inner: &str| {
        format!("<datastore><totalrecord>3</totalrecord><recordset>{inner}</recordset></datastore>")
    };
    let row = vec!["/1.html 关于某事的通知 2024-05-06".to_owned()];
    let xml = format!("<?xml version='1.0' encoding='UTF-8'?>\n{}", records(&record("关于某事的通知")));
    for media_type in ["text/xml", "text/html; charset=utf-8"] {
        assert_eq!(read(&xml, media_type), (row.clone(), vec![next.clone()]));
    }
    let group = xml.replace(
        "<recordset>",
        "<nextgroup><![CDATA[<a href=\"./unit.jsp?page=2&c=1\"></a>]]></nextgroup><recordset>",
    );
    let (rows, others) = read(&group, "text/xml");
    assert_eq!((rows, others), (row.clone(), vec!["/x/unit.jsp?page=2&c=1".to_owned(), next.clone()]));
    let json = |html: &str| serde_json::json!({ "success": true, "data": { "html": html } }).to_string();
    let wrapped = format!("cb({});", serde_json::json!({ "result": records(&record("关于某事的通知")) }));
    assert_eq!(read(&wrapped, "application/javascript"), (row.clone(), vec![next]));
    let unit = "<div class=page-content><ul><li><a href=/1.html>关于某事的通知</a><span>2024-05-06</span></li>\
                <li><a href=2.html>到哪里去</a></li></ul></div><div class=pagination rows=15 count=31 pageNo=1></div>";
    let (rows, others) = read(&json(unit), "application/json");
    assert_eq!((rows, others.len()), (row.clone(), 2));
    let escaped = json(unit).replace('关', "\\u5173").replace('<', "\\u003c");
    assert_eq!(read(&escaped, "application/json;charset=UTF-8").0, row);
    let data = r#"{"list":[{"title":"关于某事的通知","url":"/1.html","date":"2024-05-06"}]}"#;
    assert_eq!(read(data, "application/json"), (row, Vec::new()));
    assert_eq!(
        read(&json("<ul></ul>"), "application/json"),
        (Vec::new(), Vec::new()),
        "an empty list is one"
    );
}

#[test]
fn text_is_split_by_blocks_and_not_by_inline_tags() {
    let facts =
        facts("<div>政<b>府</b>网<!-- x -->站<p>第二段&amp;<span style='display:none'>藏</span></div>");
    let texts: Vec<_> = facts.blocks.iter().map(|block| block.text.as_str()).collect();
    assert_eq!(texts, ["政府网站", "第二段&", "藏"]);
    let drawn = self::facts("<p><svg>政<![CDATA[]]>府<![CDATA[ \n]]>网站</svg></p>");
    assert_eq!(drawn.blocks[0].text, "政府 网站");
}

#[test]
fn hidden_text_links_and_labels() {
    let facts = facts(
        "<title> 标 题 </title><meta name='PubDate ' content=' 2024-05-06 10:00'>\
         <div style='left:-9999px'><a href='http://x.com/'>藏</a></div><p><a href='/y.pdf#p'>附件</a><img src=z.png>",
    );
    assert_eq!(facts.title, "标 题");
    assert_eq!(facts.label("pubdate"), Some("2024-05-06 10:00"));
    assert!(facts.links[0].hidden);
    assert_eq!(facts.links[1].kind, LinkKind::Attachment);
    assert_eq!(facts.links[1].url, "http://a.gov.cn/y.pdf");
    assert_eq!(facts.link_text(&facts.links[1]), "附件");
    assert_eq!(facts.links[2].kind, LinkKind::Image);
    assert!(facts.problems.is_empty());
    let sources: Vec<_> = facts.dates.iter().map(|date| date.source).collect();
    assert_eq!(sources, [DateSource::Label, DateSource::Url]);
}

#[test]
fn scripts_that_divert_some_do_not_hide_where_another_leads() {
    let script = |target: &str| {
        format!("<script>if(/baidu/.test(document.referrer)){{location.href='{target}'}}</script>")
    };
    let (own, other) = (script("http://a.gov.cn/"), script("http://x.com/"));
    let facts = facts(&format!("{own}{other}{other}<script>location.href='/new/'</script>"));
    let targets: Vec<_> = facts.diversions.iter().map(|one| one.target.as_deref()).collect();
    assert_eq!(targets, [Some("http://a.gov.cn/"), Some("http://x.com/")]);
    assert_eq!(facts.refresh.as_deref(), Some("http://a.gov.cn/new/"));
}

#[test]
fn links_in_menus_clicks_viewers_and_pictures_that_come_late() {
    let facts = facts(
        "<select style='display:none' onchange='window.open(this.value)'><option>友情链接<option value='http://b.cn/'>乙\
         <option value=/c.html>丙</select><select><option value='/d.html'>丁</option></select>\
         <p><a href='javascript:;' onclick=\"window.open('/e.html')\">戊</a><a href='#' onclick=\"location.href='/f.doc'\">己</a></p>\
         <a href=\"javascript:window.open('/g.html')\">庚</a><div onclick=\"location='/h.html'\">辛</div>\
         <a href='/pdfjs/web/viewer.html?file=%2Ff%2Fi.pdf'>壬</a><iframe src='/pdfjs/web/viewer.html?file=/f/j.pdf'></iframe>\
         <img src=blank.gif data-original=k.jpg><input type=image src=l.gif><video poster=m.png></video>\
         <a href='{{item.url}}'>{{item.title}}</a><img src='${n}'>",
    );
    let links: Vec<_> = facts
        .links
        .iter()
        .map(|link| (link.url.trim_start_matches("http://a.gov.cn"), link.kind, facts.link_text(link)))
        .collect();
    use LinkKind::{Attachment, Image, Page};
    let wanted = [
        ("http://b.cn/", Page, "乙"),
        ("/c.html", Page, "丙"),
        ("/e.html", Page, "戊"),
        ("/f.doc", Attachment, "己"),
        ("/g.html", Page, "庚"),
        ("/h.html", Page, ""),
        ("/f/i.pdf", Attachment, "壬"),
        ("/f/j.pdf", Attachment, ""),
        ("/x/blank.gif", Image, ""),
        ("/x/k.jpg", Image, ""),
        ("/x/l.gif", Image, ""),
        ("/x/m.png", Image, ""),
    ];
    assert_eq!(links, wanted);
    assert!(facts.links.iter().all(|link| !link.hidden));
    assert_eq!((facts.links[0].zone, facts.links[2].zone), (Zone::Navigation, Zone::Main));
}

#[test]
fn addresses_that_nobody_can_open_are_told_with_their_use() {
    let facts = facts(
        "<img src='file:///C:/Temp/1.png'><a href='file:///D:/2.doc'>附件</a><a href='http://'>空</a>\
         <a href='mailto:x'>信</a><script src='http://'></script><form action='htp://a'></form><a href='weixin://x'>扫</a>",
    );
    let told: Vec<_> = facts.bad_addresses.iter().map(|one| (&*one.address, one.kind, one.fault)).collect();
    use xunjian_model::AddressFault::{Contact, LocalFile, Malformed};
    assert_eq!(
        told,
        [
            ("file:///C:/Temp/1.png", LinkKind::Image, LocalFile),
            ("file:///D:/2.doc", LinkKind::Attachment, LocalFile),
            ("http://", LinkKind::Page, Malformed),
            ("mailto:x", LinkKind::Page, Contact),
        ]
    );
}

#[test]
fn a_page_that_a_script_builds_is_known_by_its_shell() {
    let shell =
        "<noscript>Please enable JavaScript</noscript><div id=app></div><script src=/js/app.1f.js></script>";
    assert!(facts(shell).scripted && crate::is_shell(&facts(shell)));
    let without = facts("<noscript><meta http-equiv=refresh content='0;url=/old.html'></noscript>");
    assert_eq!(without.refresh, None, "browsers with scripts stay");
    let page = format!("{shell}<a href=/1>一</a><a href=/2>二</a><a href=/3>三</a>");
    assert!(!facts(&page).scripted);
    assert!(
        !facts("<div id=app></div>").scripted
            && !facts("<div id=main></div><script src=/a.js></script>").scripted
    );
}

#[test]
fn a_page_in_a_page_is_no_pager() {
    let whole = facts(
        "<html><body><div id=app><div class=page><p>正文</p><div><div class=page><a href=2>2</a></div></div>",
    );
    let zones: Vec<_> = whole.blocks.iter().map(|block| (block.text.as_str(), block.zone)).collect();
    assert_eq!(zones, [("正文", Zone::Main), ("2", Zone::Navigation)]);
}

#[test]
fn what_stands_for_pictures_names_their_links() {
    let facts = facts(
        "<a href=/1><img src=a.png alt=' 领导之窗 '></a><a href=/2 title=政务公开><img src=b.png alt=图></a>\
         <a href=/3 title=全称><img src=c.png alt=图>简称</a><a href=/4><img src=d.png></a><img src=e.png alt=地图>",
    );
    let names: Vec<_> = facts.links.iter().map(|link| facts.link_name(link)).collect();
    assert_eq!(names, ["领导之窗", "领导之窗", "政务公开", "图", "简称", "图", "", "", "地图"]);
}

#[test]
fn what_a_rule_puts_off_the_screen_is_hidden() {
    let hidden = |html: &str| -> Vec<(bool, bool)> {
        facts(html).links.iter().map(|link| (link.hidden, link.folded)).collect()
    };
    let link = "<a href=http://x.com/>某某公司</a>";
    for (rule, element) in [
        (".zz{position:absolute;left:-9999px}", "div class='a zz'"),
        ("/* menu */ div.zz, p { top : -1000PX !important }", "div class=zz"),
        ("@media screen { .a{color:red} #yy { position:fixed; top:-999em } }", "span id=yy"),
    ] {
        let page = format!("<style>{rule}</style><body><{element}><b>{link}</b></{element}>{link}");
        assert_eq!(hidden(&page), [(true, true), (false, false)], "{rule}");
    }
    // What hides itself is no menu's, and a page is not off its own screen.
    let rule = "<style>.zz{position:absolute;left:-9999px}</style>";
    let certain = format!("{rule}<body><div style='display:none'><div class=zz>{link}</div></div>");
    assert_eq!(hidden(&certain), [(true, false)]);
    assert_eq!(hidden(&format!("{rule}<body class=zz><p>{link}</p>")), [(false, false)]);
    for rule in [
        ".zz{left:-20px}", ".zz{display:none}", ".zz{font-size:0}", ".nav .zz{left:-9999px}",
        ".zz:hover{left:-9999px}", ".zz{text-indent:-9999px}", ".zz{left:-9999px", "a{left:-9999px}",
        "{}{}}",
    ] {
        let shown = !rule.ends_with("9999px");
        let page = format!("<style>{rule}</style><body><div class=zz>{link}</div>");
        assert_eq!(hidden(&page), [(!shown, !shown)], "{rule}");
    }
}

#[test]
fn what_a_script_alone_takes_out_of_the_page_is_hidden() {
    let hidden = |script: &str| -> Vec<bool> {
        let link = "<a href=http://x.com/>某某公司</a>";
        let page = format!("<body><div id=zz><p>{link}</p></div><script>{script}</script>{link}");
        facts(&page).links.iter().map(|link| link.hidden && link.folded).collect()
    };
    for script in [
        "document.getElementById(\"zz\").style.display=\"none\";",
        " document.getElementById('zz').style.display = 'none' ",
        "<!--\ndocument.getElementById('zz').style.display='none';\n//-->",
    ] {
        assert_eq!(hidden(script), [true, false], "{script}");
    }
    for script in [
        "document.getElementById('yy').style.display='none';",
        "document.getElementById('zz').style.display='block';",
        "function hide(){document.getElementById('zz').style.display='none';}",
        "document.getElementById('zz').style.display='none';show(1);",
        "document.getElementById('zz').style.display='none",
        "document.getElementById(zz)",
    ] {
        assert_eq!(hidden(script), [false, false], "{script}");
    }
}

#[test]
fn a_page_that_waits_for_its_scripts_is_not_hidden() {
    let whole =
        facts("<html><body style='display:none'><p>正文<a href=http://x.com/>新华网</a></p></body></html>");
    assert!(!whole.links[0].hidden && !whole.blocks[0].hidden && whole.scripted);
    assert!(!facts("<html><body style='margin:0'><p>正文</p></body></html>").scripted);
}

#[test]
fn panels_behind_one_that_is_shown_are_not_hidden() {
    let hidden = |html: &str| -> Vec<bool> { facts(html).links.iter().map(|link| link.hidden).collect() };
    let row = "<a href=http://x.com/>新华网</a>";
    for (first, other) in [
        ("id=con_link_1 class=hover", "id=con_link_2 style='display:none'"),
        ("class='tab-pane active'", "class=tab-pane style='display: none;'"),
        ("class=links style='display:block'", "class=links hidden"),
    ] {
        let other = format!("<div {other}>{row}</div>");
        let third = other.replace("_2", "_3");
        let tabs = format!("<body><ul><li>部门</li></ul><div {first}>{row}</div><p>　</p>{other}{third}");
        assert_eq!(hidden(&tabs), [false, false, false], "{tabs}");
    }
    for injected in [
        "<div class=links>新闻</div><div style='display:none'>{}</div>",
        "<div class=links>新闻</div><div class=links style='position:absolute;left:-9999px'>{}</div>",
        "<div class=links>新闻</div><div class=other style='display:none'>{}</div>",
        "<div id=con>新闻</div><div id=con style='display:none'>{}</div>",
        "<div id=con_1 style='display:none'>{}</div><div id=con_2>新闻</div>",
        "<div class=links style='display:none'>{}</div><div class=links style='display:none'>新闻</div>",
        "<div class=links>新闻</div><div><div class=links style='display:none'>{}</div></div>",
    ] {
        assert_eq!(hidden(&format!("<body>{}", injected.replace("{}", row))), [true], "{injected}");
    }
}

#[test]
fn frames_of_no_size_and_titles_in_references() {
    let facts = facts(
        "<title>&#28595;&#38376;&#36172;&#22330;官网</title><iframe src=http://x.com/ width=0 height=0></iframe>\
         <iframe src=http://y.com/ style='display:none'></iframe><iframe src=/map.html width=600></iframe>",
    );
    assert_eq!(facts.title, "澳门赌场官网");
    assert_eq!(facts.problems, [Problem::EncodedTitle]);
    let hidden: Vec<bool> = facts.links.iter().map(|link| link.hidden).collect();
    assert_eq!(hidden, [true, true, false]);
}

#[test]
fn monsters_are_flattened_not_followed() {
    let deep = facts(&format!("{}text{}", "<div>".repeat(10_000), "</div>".repeat(10_000)));
    assert_eq!(deep.problems, [Problem::TooDeep(10_000 - 512)]);
    assert_eq!(deep.blocks[0].text, "text");
    let many = facts(&"<a href=/x>x</a>".repeat(30_000));
    assert_eq!(many.links.len(), 20_000);
    assert_eq!(many.problems.len(), 1);
}

proptest::proptest! {
    #[test]
    fn any_bytes_give_facts(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
        let base = PageUrl::parse("http://a.gov.cn/").expect("base");
        let _ = crate::extract(&body, None, &base, Limits::default());
    }

    #[test]
    fn any_markup_gives_consistent_spans(html in "(<(a href=x|p|li|ul|div|/a|/li|/div|b|/b|title|/title)>|[文字 ]){0,60}") {
        let facts = facts(&html);
        for link in &facts.links {
            let _ = facts.link_text(link);
        }
    }
}

#[test]
fn a_directory_names_its_lists() {
    let base = PageUrl::parse("http://a.gov.cn/x/gkmlpt/index").expect("base");
    let read = |body: &str, base: &PageUrl, media_type| {
        let facts = crate::extract(body.as_bytes(), Some(media_type), base, Limits::default());
        let rows = facts.links.iter().map(|link| (link.url.replace("http://a.gov.cn", ""), link.kind));
        (rows.collect::<Vec<_>>(), facts)
    };
    let page = "<div id=app></div><script>window._CONFIG = { SID: '7', TREE: \
                [{\"id\":1,\"name\":\"通知\\u516c告\",\"jump_url\":\"\",\"children\":[]}], X: 1 };</script>";
    let (links, facts) = read(page, &base, "text/html; charset=utf-8");
    assert_eq!(links, [("/x/gkmlpt/api/all/1?page=1&sid=7".to_owned(), LinkKind::Data)]);
    assert_eq!(facts.link_text(&facts.links[0]), "通知公告");
    let list = PageUrl::parse(&facts.links[0].url).expect("address");
    let json = r#"{"classify":{"id":1,"post_count":3},"articles":[{"id":5,"title":"甲","date":0,"attachment":[],
        "url":"http://a.gov.cn/x/gkmlpt/content/5.html","display_publish_time":1781771108},
        {"id":6,"title":"乙","url":"/6.html","created_at":"2026-06-17 16:25:04","display_publish_time":0}]}"#;
    let (links, facts) = read(json, &list, "application/json");
    let page = |path: &str| (path.to_owned(), LinkKind::Page);
    assert_eq!(
        links,
        [
            page("/x/gkmlpt/content/5.html"),
            page("/6.html"),
            ("/x/gkmlpt/api/all/1?sid=7&page=2".to_owned(), LinkKind::Data)
        ]
    );
    let dates: Vec<_> = facts.items.iter().filter_map(|item| Some(item.date?.to_string())).collect();
    assert_eq!(dates, ["2026-06-18", "2026-06-17"]);
    let (links, facts) = read(r#"{"classify":{"post_count":0},"articles":[]}"#, &list, "application/json");
    assert_eq!((links, facts.main_chars, facts.kind), (Vec::new(), 0, xunjian_model::PageKind::List));
}

#[test]
fn pieces_are_told_from_pages() {
    for page in ["<title>a</title>b", "<html>a", "<body>a", "<meta charset=utf-8>a", "<HEAD></HEAD>a"] {
        assert!(!facts(page).piece, "{page}");
    }
    for piece in ["", "a", "<ul><li><a href=/1>a</a> 2026-06-29</li></ul><script>var pageCount = 3;</script>"]
    {
        assert!(facts(piece).piece, "{piece}");
    }
}

#[test]
fn what_a_class_calls_a_footer_may_be_the_main_text() {
    let zones = |html: &str, needle: &str| {
        let page = facts(html);
        let block = page.blocks.iter().find(|block| block.text.contains(needle)).expect("a block");
        block.zone
    };
    let title = "<meta name=ArticleTitle content='某某局召开工作会议'>";
    let article = "<h3>某某局召开工作会议</h3><p>来源：某局 2024-05-06</p><p>正文</p>";
    let whole = format!("{title}<div class=bg-bottom>{article}</div><div class=footer>版权所有</div>");
    assert_eq!(zones(&whole, "正文"), Zone::Main);
    assert_eq!(zones(&whole, "版权所有"), Zone::Footer);
    // The head of an article with the way to it.
    let head =
        format!("{title}<div class=header><div class=nav>首页 &gt; 动态</div>{article}</div><div>其他</div>");
    assert_eq!(zones(&head, "来源"), Zone::Main);
    assert_eq!(zones(&head, "首页"), Zone::Navigation);
    let page = facts(&head);
    assert!(page.dates.iter().any(|date| date.source == DateSource::Visible), "{:?}", page.dates);
    // Lists and long texts.
    let rows: String =
        (1..=4).map(|day| format!("<li><a href=/{day}>通知</a> 2024-05-0{day}</li>")).collect();
    assert_eq!(zones(&format!("<div class=bottom><ul>{rows}</ul></div>"), "2024-05-01"), Zone::Main);
    let few = "<li><a href=/1>通知</a> 2024-05-01</li>";
    assert_eq!(zones(&format!("<div class=bottom><ul>{few}</ul></div>"), "2024-05-01"), Zone::Footer);
    let text = format!("<p>{}</p>", "为进一步做好有关工作，现就有关事项通知如下。".repeat(20));
    assert_eq!(zones(&format!("<div class=menu-box>{text}</div>"), "通知如下"), Zone::Main);
    let footer = "主办单位：某市人民政府办公室 承办单位：某市大数据中心 地址：某市某路1号 网站标识码：1234567890 某ICP备12345678号";
    assert_eq!(zones(&format!("<div class=bottom><p>{footer}</p></div>"), "主办单位"), Zone::Footer);
    let links: String = (0..60).map(|at| format!("<a href=/{at}>某某单位网站</a> ")).collect();
    assert_eq!(zones(&format!("<div class=footer><p>{links}</p></div>"), "某某单位"), Zone::Footer);
    // Short paragraphs and tables, of which no footer has so much without saying whose it is.
    let cells = "<p>现将获奖名单公布如下：</p><table><tr><td>一等奖<td>《朗读者》<td>张三</table>".repeat(6);
    let two = format!("<div class=content-footer>{cells}</div><div class=footer>版权所有</div>");
    assert_eq!(zones(&two, "获奖名单"), Zone::Main);
    assert_eq!(zones(&two, "版权所有"), Zone::Footer);
    let typed = "<div class=content-bottom><div class=TRS_Editor><p>ICP许可证的情况</p></div></div>";
    assert_eq!(zones(typed, "许可证"), Zone::Main);
    let signed = format!("<div class=footer>{cells}<p>某ICP备12345678号</p></div>");
    assert_eq!(zones(&signed, "获奖名单"), Zone::Footer);
    // Nothing names the foot of old pages.
    let cells = |foot: &str| {
        format!("<table><tr><td><p>正文第一段</p></table><table><tr><td>{foot}<img src=a.png></table>")
    };
    let foot = "<p>主办：某某局</p><p>地址：某市某路1号 电话：0471-1234567</p><p>某ICP备12345678号</p>";
    let page = cells(foot);
    for (needle, zone) in
        [("正文", Zone::Main), ("主办", Zone::Footer), ("地址", Zone::Footer), ("ICP", Zone::Footer)]
    {
        assert_eq!(zones(&page, needle), zone, "{needle}");
    }
    assert_eq!((facts(&page).main_media, facts(&page).main_chars), (0, 5));
    assert_eq!(zones(&cells("<p>主办：某某局</p>"), "主办"), Zone::Main);
    let above = format!("<p>某ICP备12345678号</p><p>{}</p>", "正文".repeat(10));
    assert_eq!(zones(&above, "ICP"), Zone::Main);
    let alone = cells(foot).replace("正文第一段", "本站由某某中心提供技术支持。");
    assert_eq!(zones(&alone, "某某中心"), Zone::Main);
    let alone = cells(foot).replace("正文第一段", "请各单位于五月底前完成网站ICP备案和标识码的核查。");
    assert_eq!(zones(&alone, "核查"), Zone::Main);
    let row = format!("{}<ul><li><a href=/1>关于召开会议的通知</a> 2024-05-06</ul>", cells(foot));
    assert_eq!(zones(&row, "ICP"), Zone::Main);
    // Sentences, which no menu has.
    let sentences =
        "<p>主讲内容：通过自身的科研学术成长经历，激励本科生积极投身学术，追求卓越。</p>".repeat(4);
    assert_eq!(zones(&format!("<div class=menu>{sentences}</div>"), "主讲内容"), Zone::Main);
    let entries =
        "<p><a href=/1>主讲内容：通过自身的科研学术成长经历，激励本科生投身学术。</a></p>".repeat(4);
    assert_eq!(zones(&format!("<div class=menu>{entries}</div>"), "主讲内容"), Zone::Navigation);
}

#[test]
fn what_scripts_write_is_part_of_the_page() {
    let page = facts(
        "<ul><script>var name = '依申请公开'; document.write('<li class=on><a href=\"../ysqgk/\">' + name + '</a></li>');</script></ul>\
         <script>document.write('<div style=\"display:none\">')</script><a href=http://b.com/>彩票</a><script>document.write('</div>')</script>\
         <a href=/c>后面</a>",
    );
    let links: Vec<_> =
        page.links.iter().map(|link| (page.link_text(link), link.url.as_str(), link.hidden)).collect();
    let wanted = [
        ("依申请公开", "http://a.gov.cn/ysqgk/", false),
        ("彩票", "http://b.com/", true),
        ("后面", "http://a.gov.cn/c", false),
    ];
    assert_eq!(links, wanted);
}

#[test]
fn films_and_documents_that_scripts_show() {
    let page = facts(
        "<div id=vsb_content><script name=_videourl>showVsbVideo(\"/__local/3/a.mp4?e=.mp4\",\"width=\\\"420\\\"\");</script>\
         <script>showVsbpdfIframe('/__local/4/b.pdf','100%')</script><script>function showVsbVideo(url){}</script></div>",
    );
    let links: Vec<_> = page.links.iter().map(|link| (link.kind, link.url.as_str())).collect();
    let wanted = [
        (LinkKind::Media, "http://a.gov.cn/__local/3/a.mp4?e=.mp4"),
        (LinkKind::Attachment, "http://a.gov.cn/__local/4/b.pdf"),
    ];
    assert_eq!((links.as_slice(), page.main_media), (&wanted[..], 2));
}

#[test]
fn pages_that_lead_on() {
    for (html, target) in [
        ("<body onload=\"window.location.href='/index/'\">", Some("http://a.gov.cn/index/")),
        ("<body onload='init()'>", None),
        ("<script>location.replace('/index/')</script>", Some("http://a.gov.cn/index/")),
        ("<meta http-equiv=refresh content='0;url=/index/'>", Some("http://a.gov.cn/index/")),
        // A page that reads itself anew leads nowhere.
        ("<meta http-equiv=refresh content='600;url=/x/t20240506_1.html'>", None),
        ("<meta http-equiv=refresh content=600>", None),
        ("<script>function search(){location.href='/search?q='+q.value}</script>", None),
        // What shows nothing is there to lead on, on whatever condition.
        (
            "<div style=display:none><p>信息</p><p id=url>/gk/list.shtml</p></div><script>(function(){ var url = \
            document.getElementById('url').innerText; if(url){ window.open(url, '_self'); } })();</script>",
            Some("http://a.gov.cn/gk/list.shtml"),
        ),
        (
            "<script>var lm='公开'; if(lm=='公开'){ document.write('<meta http-equiv=\"Refresh\" content=\"0;URL=/gk/\" />'); }</script>",
            Some("http://a.gov.cn/gk/"),
        ),
        ("<script>if(a()){location.href='/index/'}</script>", Some("http://a.gov.cn/index/")),
        ("<p>信息</p><script>if(a()){location.href='/index/'}</script>", None),
        ("<img src=a.png><script>if(a()){location.href='/index/'}</script>", None),
    ] {
        assert_eq!(facts(html).refresh.as_deref(), target, "{html}");
    }
}
