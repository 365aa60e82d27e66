use super::*;

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
    let cut =
        ["12-28", "11-30", "9-05"].map(|day| format!("<li><a href=/{day}>{text}...</a>{day}</li>")).concat();
    assert_eq!(facts(&format!("<h1>风险评估</h1><ul>{cut}</ul>")).kind, PageKind::List);
    let cells: String = ["12-28", "11-30", "9-05"]
        .map(|day| format!("<tr><td>·</td><td><a href=/{day}>{text}</a></td><td>{day}</td></tr>"))
        .concat();
    let table = format!("<h1>风险评估</h1><table>{cells}</table><p>{text}</p>");
    assert_eq!(facts(&table).kind, PageKind::List);
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

/// Catalogues tell of two days: the one a document was signed on, and the one it was published on.
#[test]
fn the_head_of_a_table_tells_what_its_days_are() {
    let dates = |head: &str, cells: &str| -> Vec<String> {
        let row = format!("<tr><td>1</td><td><a href=/a.html>关于加强管理的通知</a></td>{cells}</tr>");
        let page = facts(&format!("<table><tr><th>序号</th><th>名称</th>{head}</tr>{row}</table>"));
        page.items.iter().filter_map(|item| Some(item.date?.to_string())).collect()
    };
    let two = "<td>2024-04-01</td><td>2024-05-06</td>";
    for (head, cells, date) in [
        ("<th>成文日期</th><th>发布日期</th>", two, Some("2024-05-06")),
        ("<td>发布时间</td><td>实施日期</td>", two, Some("2024-04-01")),
        ("<th>日期</th><th>公开日期</th>", two, Some("2024-05-06")),
        ("<th>成文日期</th><th>有效期</th>", two, None),
        (
            "<th colspan=2>状态</th><th>发布日期</th>",
            "<td>有效</td><td>2024-04-01</td><td>2024-05-06</td>",
            Some("2024-05-06"),
        ),
        ("<th>日期</th>", "<td>2024-05-06</td>", Some("2024-05-06")),
        ("<th>文号</th>", "<td>2024-05-06</td>", Some("2024-05-06")),
    ] {
        assert_eq!(dates(head, cells).first().map(String::as_str), date, "{head}");
    }
}

#[test]
fn rows_of_more_to_read_do_not_make_a_list() {
    let row = "<li><a href=/b.html>另一篇文章的标题</a><span>2024-05-01</span></li>";
    let rows = format!("<ul>{}</ul>", row.repeat(4));
    let text = "<p>会议指出要扎实做好各项工作，确保年度目标顺利完成。</p>".repeat(4);
    let article = "<h1>某某局召开会议</h1><p>时间：2024年5月6日　来源：某某局</p>";
    let short = "<h1>某某局召开会议</h1><p>同意。</p>";
    for (html, kind) in [
        (format!("{short}<div class=xg><h3>相关阅读</h3>{rows}</div>"), PageKind::Other),
        (format!("{short}<div class=t><b>相关新闻：</b></div>{rows}"), PageKind::Other),
        (format!("{short}<div class=t><b>最新</b></div>{rows}"), PageKind::List),
        // Whatever it is called, below a title, a date and a text.
        (format!("{article}{text}<div><h3>看看这些</h3>{rows}</div>"), PageKind::Article),
        (format!("<h2>相关新闻</h2>{rows}"), PageKind::List),
        (format!("<title>相关新闻-某某局</title><p>当前位置</p><h2>相关新闻</h2>{rows}"), PageKind::List),
        // What is new stands above a list with its first lines, and may be all there is.
        (
            format!(
                "<h2>动态</h2><h3><a href=/b.html>另一篇文章的标题</a></h3><div>{}<a href=/b.html>[详细]</a></div><ul>{row}</ul>",
                "会议指出要扎实做好各项工作。".repeat(8)
            ),
            PageKind::List,
        ),
        (
            format!(
                "<h2>动态</h2><h3><a href=/b.html>另一篇文章的标题</a></h3><div>{}</div><ul>{row}</ul>",
                "会议指出要扎实做好各项工作。".repeat(8)
            ),
            PageKind::List,
        ),
        (format!("<h2><a href=/c.html>头条</a></h2><p>2024-05-06</p>{text}{rows}"), PageKind::List),
    ] {
        let page = facts(&html);
        assert_eq!(page.kind, kind, "{html}");
    }
    // What follows them is the page's own.
    let page =
        facts(&format!("{short}<div class=xg><h3>相关阅读</h3>{rows}</div><p><a href=/d.doc>附件</a></p>"));
    assert_eq!(page.links.last().map(|link| link.zone), Some(Zone::Main));
}
