mod lists;

use xunjian_model::{DateSource, LinkKind};

use super::*;

fn facts(html: &str) -> Facts {
    let base = PageUrl::parse("http://a.gov.cn/x/t20240506_1.html").expect("base");
    build(html, encoding_rs::UTF_8, &base, Limits::default())
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
    let page = facts(
        "<div id=a1></div><script>CKobject.embed('/js/ck.swf','a1','p',false,{f:'/v/a.mp4',c:0})</script>\
         <object><param name=URL value=/v/b.wmv><param name=autostart value=1></object>",
    );
    let films = page.links.iter().filter(|link| link.kind == LinkKind::Media).map(|link| link.url.as_str());
    let wanted = ["http://a.gov.cn/v/a.mp4", "http://a.gov.cn/v/b.wmv"];
    assert_eq!((films.collect::<Vec<_>>().as_slice(), page.main_media), (&wanted[..], 2));
}

#[test]
fn fields_in_forms_and_outside_of_them() {
    let page = facts(
        "<div class=nav><input name=user></div><input id=searchword><input id=bjbh><input type=button value=查询>\
         <form><input name=no></form><div>转到第<input id=gopage>页</div><input id=p value=1><button>GO</button>",
    );
    assert_eq!((page.loose_fields, page.forms.len(), page.forms[0].main), (1, 1, true));
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
