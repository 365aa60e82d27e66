//! Lists that scripts fill: judged by what a browser shows, or left to a person.
//!
//! Needs Chromium in the search path; tests/run.sh installs it.

#[path = "support/server.rs"]
mod server;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use server::{Asked, Reply, serve};
use support::World;

const COLUMNS: [(&str, &str); 4] =
    [("tzgg", "通知公告"), ("zcwj", "政策文件"), ("rsxx", "人事信息"), ("gzdt", "工作动态")];

fn config(port: u16, render: &str) -> String {
    format!(
        "data = \"xunjian-data\"\nmonitoring_point = \"2026-06-30T20:00:00+08:00\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n[crawl]\nretry_pause_s = 0.1\n[render]\n{render}\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"www.test\" = \"127.0.0.1:{port}\"\n[[site]]\nid = \"www\"\nname = \"市水利局\"\nurl = \"http://www.test/\"\nkind = \"department\"\n"
    )
}

/// A column's page: the same every night, with a list that only its script fills.
fn shell(slug: &str, name: &str) -> String {
    let options = if slug == "rsxx" { "{method:'POST',body:'page=1'}" } else { "{}" };
    format!(
        "<html><head><title>{name}-市水利局</title><meta name=ColumnName content={name}><script src=/js/list.js></script></head>
         <body><div class=nav><a href=/>首页</a></div><h2>{name}</h2><ul id=list class=list></ul>
         <script>fetch('/api/{slug}.json',{options}).then(r=>r.json()).then(d=>{{document.getElementById('list').innerHTML=rows(d)}})</script></body></html>"
    )
}

fn site(asked: &Asked, night: u32) -> Reply {
    let json =
        |body: &str| Reply::Other("200 OK", "content-type: application/json\r\n".to_owned(), body.to_owned());
    if let Some(slug) = asked.path.strip_prefix("/api/").and_then(|rest| rest.strip_suffix(".json")) {
        return match (slug, night) {
            ("tzgg", 1) => json(
                r#"[{"u":"/tzgg/1.html","t":"关于防汛的通知","d":"2020-03-02"},{"u":"/tzgg/gone.html","t":"关于供水的通知","d":"2020-03-01"}]"#,
            ),
            ("tzgg", _) => json(r#"[{"u":"/tzgg/1.html","t":"关于防汛的通知","d":"2026-06-29"}]"#),
            _ => json("[]"),
        };
    }
    if let Some((slug, name)) = COLUMNS.iter().find(|(slug, _)| asked.path == format!("/{slug}/")) {
        let tag = format!("etag: \"{slug}\"\r\ncontent-type: text/html; charset=utf-8\r\n");
        let known = asked.head.iter().any(|line| line.to_ascii_lowercase().starts_with("if-none-match"));
        return match known {
            true => Reply::Other("304 Not Modified", tag, String::new()),
            false => Reply::Other("200 OK", tag, shell(slug, name)),
        };
    }
    match asked.path.as_str() {
        "/" => {
            let nav: String =
                COLUMNS.iter().map(|(slug, name)| format!("<li><a href=/{slug}/>{name}</a></li>")).collect();
            let rows = "<ul class=list><li><a href=/a.html>市水利局召开会议</a><span>2026-06-29</span></li></ul>";
            Reply::page("市水利局", &format!("<div class=nav><ul>{nav}</ul></div>{rows}"))
        }
        "/robots.txt" => Reply::Other("200 OK", String::new(), "User-agent: *\nDisallow: /api/gzdt\n".to_owned()),
        "/js/list.js" => Reply::Other(
            "200 OK",
            "content-type: text/javascript\r\n".to_owned(),
            "function rows(d){return d.map(i=>'<li><a href=\"'+i.u+'\">'+i.t+'</a><span>'+i.d+'</span></li>').join('')}".to_owned(),
        ),
        "/a.html" | "/tzgg/1.html" => Reply::page("通知", "<h1>通知</h1><p>发布时间：2026-06-29</p><p>内容。</p>"),
        _ => Reply::missing(),
    }
}

fn found<'f>(findings: &'f [Value], kind: &str) -> Vec<(&'f str, bool)> {
    let of = findings.iter().filter(|one| one["kind"] == kind);
    let mut found: Vec<_> =
        of.map(|one| (one["url"].as_str().expect("url"), one["detail"]["review"].is_string())).collect();
    found.sort_unstable();
    found
}

#[test]
fn columns_are_judged_by_what_their_readers_see() {
    let night = Arc::new(AtomicU32::new(1));
    let tonight = Arc::clone(&night);
    let server = serve(move |asked| site(asked, tonight.load(Ordering::SeqCst)));
    let world = World::with_config(&config(server.port, "sandbox = false"));
    let ended = world.run(&["--json", "run"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(ended.json()["rendered"], 4, "{}", ended.stdout);
    let findings = world.findings();
    let url = |slug: &str| format!("http://www.test/{slug}/");
    // Its list is there, and old: the dates are in it.
    assert_eq!(found(&findings, "stale-column"), [(url("tzgg").as_str(), false)]);
    // Two lists are really empty, of which one is asked for by POST. Of another nobody can tell: robots.txt forbids it.
    assert_eq!(
        found(&findings, "blank-column"),
        [(url("gzdt").as_str(), true), (url("rsxx").as_str(), false), (url("zcwj").as_str(), false)]
    );
    // A link that only the rendered list has.
    assert_eq!(found(&findings, "dead-link"), [(url("tzgg").as_str(), false)]);
    let asked = server.asked();
    let posted: Vec<&Asked> = asked.iter().filter(|one| one.head[0].starts_with("POST")).collect();
    assert!(
        posted.len() == 1 && posted[0].path == "/api/rsxx.json" && posted[0].body == b"page=1",
        "{posted:?}"
    );
    assert!(!asked.iter().any(|one| one.path.starts_with("/api/gzdt")));
    // Two tabs may ask at the same time; the other two pages use what was remembered.
    assert!(asked.iter().filter(|one| one.path == "/js/list.js").count() <= 2);
    // The evidence is the snapshot of what was rendered.
    let stale = findings.iter().find(|one| one["kind"] == "stale-column").expect("finding");
    let snapshot = stale["evidence"]["snapshot"].as_str().expect("snapshot");
    let history = world.run(&["--json", "why", &url("tzgg")]).json();
    let versions = history["snapshots"].as_array().expect("history");
    assert!(
        versions.iter().any(|one| one["snapshot"] == snapshot && one["rendered"] == true),
        "{snapshot}: {history}"
    );
    assert_eq!(world.run(&["store", "verify"]).code, 0);

    // The next night the pages say "not modified", but the list has grown.
    night.store(2, Ordering::SeqCst);
    assert_eq!(world.run(&["run"]).code, 0);
    let findings = world.findings();
    let open: Vec<Value> = findings.iter().filter(|one| one["state"] != "gone").cloned().collect();
    assert_eq!(found(&open, "stale-column"), []);
    assert_eq!(found(&open, "dead-link"), []);
    // Versions that browsers made are kept and let go like others, beside the pages they are of.
    assert_eq!(world.run(&["store", "compact"]).code, 0);
    assert_eq!(world.run(&["store", "verify"]).code, 0);
}

#[test]
fn what_would_have_to_be_sent_may_be_left_unsent() {
    let server = serve(|asked| site(asked, 1));
    let world = World::with_config(&config(server.port, "sandbox = false\nposts = false"));
    assert_eq!(world.run(&["run"]).code, 0);
    let url = |slug: &str| format!("http://www.test/{slug}/");
    assert_eq!(
        found(&world.findings(), "blank-column"),
        [(url("gzdt").as_str(), true), (url("rsxx").as_str(), true), (url("zcwj").as_str(), false)]
    );
    assert!(!server.asked().iter().any(|one| one.head[0].starts_with("POST")));
}

#[test]
fn nothing_is_sent_to_anybody_else() {
    let server = serve(|asked| match asked.path.as_str() {
        "/" => Reply::page("市水利局", "<div class=nav><a href=/tzgg/>通知公告</a></div><p>首页</p>"),
        "/tzgg/" => Reply::page(
            "通知公告",
            "<h2>通知公告</h2><ul id=list></ul><script>fetch('http://other.test/list',{method:'POST',mode:'cors',body:'a=1'}).then(r=>r.text()).then(t=>{list.innerHTML=t})</script>",
        ),
        "/list" => Reply::Other("200 OK", "access-control-allow-origin: *\r\n".to_owned(), "<li>".to_owned()),
        _ => Reply::missing(),
    });
    let other = format!("[network.resolve]\n\"other.test\" = \"127.0.0.1:{}\"", server.port);
    let config = config(server.port, "sandbox = false").replace("[network.resolve]", &other);
    let world = World::with_config(&config);
    assert_eq!(world.run(&["run"]).code, 0);
    assert!(!server.asked().iter().any(|one| one.head[0].starts_with("POST")), "{:?}", server.asked());
    assert_eq!(found(&world.findings(), "blank-column"), [("http://www.test/tzgg/", true)]);
}

#[test]
fn without_a_browser_a_person_looks() {
    let server = serve(|asked| site(asked, 1));
    let world = World::with_config(&config(server.port, "browser = \"off\""));
    assert_eq!(world.run(&["run"]).code, 0);
    let findings = world.findings();
    let blank = found(&findings, "blank-column");
    assert_eq!(blank.len(), 4);
    assert!(blank.iter().all(|(_, review)| *review), "{blank:?}");
    // A browser that came later looks at pages that have not changed since.
    world.write("xunjian.toml", config(server.port, "sandbox = false").as_bytes());
    assert_eq!(world.run(&["run"]).code, 0);
    let open: Vec<Value> = world.findings().into_iter().filter(|one| one["state"] != "gone").collect();
    assert_eq!(found(&open, "blank-column").len(), 3);
    let rendered =
        |kind: &str| found(&open, kind).into_iter().map(|(url, _)| url.to_owned()).collect::<Vec<_>>();
    let (dead, stale) = (rendered("dead-link"), rendered("stale-column"));
    assert_eq!((dead.len(), stale.len()), (1, 1));
    // One that does not start is said, and changes nothing else.
    world.write("broken", b"#!/bin/sh\nexit 1\n");
    let config = config(server.port, &format!("sandbox = false\nbrowser = {:?}", world.path("broken")));
    world.write("xunjian.toml", config.as_bytes());
    let ended = world.english(&["run"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("browser cannot be started"), "{}", ended.stderr);
    // What only a browser had shown is not mended because there is none.
    let findings = world.findings();
    let there =
        |kind: &str| found(&findings, kind).into_iter().map(|(url, _)| url.to_owned()).collect::<Vec<_>>();
    assert_eq!((there("dead-link"), there("stale-column")), (dead, stale));
}

/// A site whose home page and routes a script builds; with `footer`, one whose marks alone a script of that name writes.
fn built(asked: &Asked, footer: Option<&str>) -> Reply {
    let script =
        |code: &str| Reply::Other("200 OK", "content-type: text/javascript\r\n".to_owned(), code.to_owned());
    let rows = "<ul><li><a href=/a.html>市水利局召开会议</a> 2026-06-29</li></ul>";
    match asked.path.as_str() {
        "/" if footer.is_some() => Reply::page(
            "市水利局",
            &format!(
                "<div class=nav><a href=/tzgg>通知公告</a></div>{rows}<script src=/js/{}.js></script>",
                footer.unwrap_or_default()
            ),
        ),
        "/js/footer.js" | "/js/common.js" => script(
            "document.write('<div class=footer>蒙ICP备12345678号 蒙公网安备1509号 网站标识码：1509000001 党政机关标识</div>')",
        ),
        "/js/app.js" => script(
            "document.getElementById('app').innerHTML='<div class=nav><a href=/tzgg>通知公告</a></div><ul><li><a href=/a>市水利局召开会议</a> 2026-06-29</li></ul><div class=footer>蒙ICP备12345678号 蒙公网安备1509号 网站标识码：1509000001 党政机关标识</div>'",
        ),
        "/robots.txt" | "/sitemap.xml" => Reply::missing(),
        "/tzgg" | "/a.html" if footer.is_some() => {
            Reply::page("通知", "<h1>通知</h1><p>发布时间：2026-06-29</p><p>内容。</p>")
        }
        _ if footer.is_some() => Reply::missing(),
        // Whatever is asked for, the script finds its way.
        _ => Reply::page("市水利局", "<div id=app></div><script src=/js/app.js></script>"),
    }
}

#[test]
fn what_a_script_puts_on_a_home_page_is_not_said_to_be_missing() {
    for footer in [Some("footer"), Some("common"), None] {
        let server = serve(move |asked| built(asked, footer));
        let world = World::with_config(&config(server.port, "browser = \"off\""));
        assert_eq!(world.run(&["run"]).code, 0);
        let all = world.findings();
        let marks = found(&all, "missing-mark");
        assert_eq!(marks.len(), 4, "{footer:?}");
        // Nobody but a browser can tell that a script of any name writes them.
        let in_doubt = footer != Some("common");
        assert!(marks.iter().all(|(_, review)| *review == in_doubt), "{footer:?}: {all:#?}");
        assert!(found(&all, "missing-entrance").iter().all(|(_, review)| *review == in_doubt), "{footer:?}");
        assert_eq!(found(&all, "soft-404"), [], "{footer:?}");
        // A browser shows what is there, and what is not.
        world.write("xunjian.toml", config(server.port, "sandbox = false").as_bytes());
        assert_eq!(world.run(&["run"]).code, 0);
        let all: Vec<Value> = world.findings().into_iter().filter(|one| one["state"] != "gone").collect();
        assert_eq!(found(&all, "missing-mark"), [], "{footer:?}: {all:#?}");
        assert_eq!(found(&all, "missing-entrance"), [("http://www.test/", false)], "{footer:?}");
        assert_eq!(found(&all, "soft-404"), [], "{footer:?}");
    }
}

#[test]
fn faults_in_the_section_are_named() {
    let cases = [
        ("browser = \"/no/such/browser\"", "there is no /no/such/browser"),
        ("tabs = 0", "`tabs` must be 1 or more"),
        ("timeout_s = 0", "`timeout_s` must be more than 0"),
        ("sandbox = \"no\"", "`render.sandbox`"),
        ("speed = 1", "speed"),
    ];
    for (line, reason) in cases {
        let world = World::with_config(&config(1, line));
        let ended = world.english(&["run"]);
        assert_eq!(ended.code, 2, "{line}: {}", ended.stderr);
        assert!(ended.stderr.contains(reason), "{line}: {}", ended.stderr);
    }
}

#[test]
fn faults_are_pictured_with_their_marks() {
    let site = serve(|asked| match asked.path.as_str() {
        "/" => Reply::page("市水利局", "<a href=/art/1.html>关于防汛的通知</a>"),
        "/art/1.html" => {
            // The fault stands far below; a script would hide it, and a picture from outside would tell.
            let filler = "<p>防汛工作安排如下。</p>".repeat(80);
            Reply::page(
                "关于防汛的通知",
                &format!(
                    "<h1>关于防汛的通知</h1>{filler}<p>电话13812345678，澳门新葡京娱乐场开户送彩金</p>{filler}<p><a href=/gone.html>失效的文件</a></p><script>document.body.remove()</script>"
                ),
            )
        }
        _ => Reply::missing(),
    });
    let render = "browser = \"/usr/bin/chromium\"\nsandbox = false\npictures_max = 5";
    let world = World::with_config(&config(site.port, render));
    let run = world.run(&["run", "--json"]);
    let summary = run.json();
    assert!(summary["steps"]["pictures"].is_object(), "{summary} {}", run.stderr);
    let findings = world.findings();
    let severe = |one: &&Value| {
        matches!(one["severity"].as_str(), Some("serious" | "major"))
            && one["url"] == "http://www.test/art/1.html"
    };
    let finding = findings.iter().find(severe).unwrap_or_else(|| panic!("{findings:#?}"));
    let id = finding["id"].as_str().expect("an id");
    let hash = &finding["evidence"]["snapshot"].as_str().expect("a snapshot")[..16];
    let picture =
        std::fs::read(world.path(&format!("xunjian-data/pictures/{id}-{hash}.jpg"))).expect("a picture");
    assert!(picture.starts_with(&[0xff, 0xd8, 0xff]) && picture.len() > 4_000, "{}", picture.len());
    let count = || std::fs::read_dir(world.path("xunjian-data/pictures")).expect("pictures").count();
    assert!((1..=5).contains(&count()), "no more than the limit");
    // They stand in the notice.
    let out = world.path("notice");
    let taken =
        finding["evidence"]["snapshot"].as_str().and_then(|name| name.split('@').nth(1)).expect("a time");
    let month: u32 = taken[5..7].parse().expect("a month");
    let quarter = format!("{}Q{}", &taken[..4], month.div_ceil(3));
    let mut command = vec!["report", "--quarter", &quarter, "--format", "docx,html", "--out"];
    command.push(out.to_str().expect("a path"));
    let written = world.run(&command);
    assert!(matches!(written.code, 0 | 3), "{}", written.stderr);
    let page = std::fs::read_to_string(out.join("notice.html")).expect("a page");
    let shown = page.matches("<img src=\"evidence").count();
    let file = std::fs::File::open(out.join("notice.docx")).expect("a document");
    let archive = zip::ZipArchive::new(file).expect("an archive");
    let pictures = archive.file_names().flatten().filter(|name| name.starts_with("word/media/")).count();
    assert!(shown > 0 && pictures == shown, "{shown} {pictures} {findings:#?}");
}

/// Articles of each list, and rows of a part of it.
const ARTICLES: usize = 7;
const ROWS: usize = 3;

/// Three columns of which a page shows the beginning. The rest their scripts ask for when a reader turns the page: one as
/// data, two as markup, with a pager that knows how many parts there are, one of them by POST.
fn long_lists(asked: &Asked) -> Reply {
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let part = |name: &str| {
        let number = query.split('&').find_map(|pair| pair.strip_prefix(name)?.parse::<usize>().ok());
        let from = (number.unwrap_or(1) - 1) * ROWS;
        from..(from + ROWS).min(ARTICLES)
    };
    let day = |at: usize| format!("2026-06-{:02}", 29 - at);
    let column = |name: &str, script: &str| {
        Reply::page(
            name,
            &format!(
                "<div class=nav><a href=/>首页</a></div><h2>{name}</h2><ul id=list></ul><script src=/js/kb.js></script><script>{script}</script>"
            ),
        )
    };
    match path {
        "/" => Reply::page(
            "市水利局",
            "<div class=nav><a href=/tzgg/>通知公告</a><a href=/gzdt/>工作动态</a><a href=/zcwj/>政策文件</a></div>\
             <ul><li><a href=/t/0.html>关于第0项工作的通知</a> 2026-06-29</li></ul>",
        ),
        "/tzgg/" => column(
            "通知公告",
            "fetch('/common/search/0a1b?_isAgg=true&_isJson=true&_pageSize=3&_template=index&page=1')\
             .then(r=>r.json()).then(d=>{document.getElementById('list').innerHTML=d.data.results\
             .map(i=>'<li><a href=\"'+i.url+'\">'+i.title+'</a><span>'+i.publishedTimeStr+'</span></li>').join('')})",
        ),
        "/gzdt/" => column(
            "工作动态",
            "fetch('/site/label/8888?labelName=list&pageIndex=1&pageSize=3').then(r=>r.text())\
             .then(t=>{document.getElementById('list').innerHTML=t})",
        ),
        "/zcwj/" => column(
            "政策文件",
            "fetch('/module/xxgk/search.jsp?area=1',{method:'POST',headers:{'content-type':'application/x-www-form-urlencoded;charset=UTF-8'},\
             body:'infotypeId=A02&currpage=1&divid=div1'}).then(r=>r.text()).then(t=>{document.getElementById('list').innerHTML=t})",
        ),
        "/module/xxgk/search.jsp" => {
            let row = |at| {
                format!("<li><a href=/z/{at}.html>关于第{at}项事业的意见</a><span>{}</span></li>", day(at))
            };
            let rows: String = part("currpage=").map(row).collect();
            let list = format!("<ul>{rows}</ul><div>首页 共{ARTICLES}条 共 3 页 下一页</div>");
            Reply::File("content-type: text/html;charset=UTF-8\r\n", list.into_bytes())
        }
        "/common/search/0a1b" => {
            let row = |at| serde_json::json!({ "title": format!("关于第{at}项工作的通知"), "url": format!("/t/{at}.html"), "publishedTimeStr": format!("{} 09:00:00", day(at)) });
            let rows: Vec<Value> = part("page=").map(row).collect();
            let list = serde_json::json!({ "data": { "total": ARTICLES, "page": 1, "results": rows } });
            Reply::File("content-type: application/json;charset=UTF-8\r\n", list.to_string().into_bytes())
        }
        "/site/label/8888" => {
            let row = |at| {
                format!("<li><a href=/g/{at}.html>市水利局开展第{at}项工作</a><span>{}</span></li>", day(at))
            };
            let rows: String = part("pageIndex=").map(row).collect();
            let list =
                format!("<ul>{rows}</ul><script>Ls.pagination('#p',{{pageCount:3,pageIndex:1}});</script>");
            Reply::File("content-type: text/html;charset=UTF-8\r\n", list.into_bytes())
        }
        path if ["/t/", "/g/", "/z/"].iter().any(|list| path.starts_with(list)) => {
            let fault = if path.ends_with("/6.html") { "各部门要按步就班地完成" } else { "" };
            Reply::page(
                "通知",
                &format!("<h1>通知</h1><p>发布时间：2026-06-20</p><p>{path}的内容{fault}。</p>"),
            )
        }
        _ => Reply::missing(),
    }
}

#[test]
fn lists_that_scripts_fill_are_read_beyond_what_the_page_shows() {
    let server = serve(long_lists);
    let world = World::with_config(&config(server.port, "sandbox = false"));
    for night in 1..=2 {
        assert_eq!(world.run(&["run"]).code, 0);
        let findings = world.findings();
        let of = |kind: &str| {
            found(&findings, kind).into_iter().map(|(url, _)| url.to_owned()).collect::<Vec<_>>()
        };
        let last = ["g", "t", "z"].map(|list| format!("http://www.test/{list}/6.html"));
        assert_eq!(of("typo"), last, "night {night}");
        let of_parts: Vec<_> = findings
            .iter()
            .filter(|one| {
                ["/site/label/", "/common/search/", "/module/"]
                    .iter()
                    .any(|list| one.to_string().contains(list))
            })
            .map(|one| format!("{} {} {}", one["kind"], one["url"], one["detail"]))
            .collect();
        assert_eq!(of_parts, Vec::<String>::new(), "night {night}");
        for kind in ["dead-link", "blank-column", "empty-article"] {
            assert_eq!(of(kind), Vec::<String>::new(), "night {night}");
        }
    }
    let asked = server.asked();
    let times = |path: &str, part: &str| {
        asked.iter().filter(|one| one.path.starts_with(path) && one.path.contains(part)).count()
    };
    assert_eq!((times("/common/search/", "page=2"), times("/common/search/", "page=3")), (2, 2));
    assert_eq!((times("/site/label/", "pageIndex=3"), times("/site/label/", "pageIndex=4")), (2, 0));
    assert_eq!((times("/module/", "currpage=3"), times("/module/", "currpage=4")), (2, 0));
}

/// A script folds what may be a menu; another puts links there that nobody is to see.
#[test]
fn what_a_script_hides_may_be_a_menu_and_is_left_to_a_person() {
    let server = serve(|asked| {
        match asked.path.as_str() {
        "/" => Reply::page(
            "市水利局",
            "<div id=friends><a href=http://paper.test/>某某晚报</a></div><ul id=list></ul>
             <script>document.getElementById('friends').style.display='none';
             document.getElementById('list').innerHTML='<li><a href=/a.html>市水利局召开会议</a> 2026-06-29</li>';
             fetch('/seo').then(r=>r.text()).then(t=>{let d=document.createElement('div');d.style.display='none';d.innerHTML=t;document.body.append(d)})</script>",
        ),
        "/seo" => Reply::Other(
            "200 OK",
            "content-type: text/plain\r\n".to_owned(),
            "<a href=http://shop.test/>某某</a>".to_owned(),
        ),
        "/a.html" => Reply::page("通知", "<h1>通知</h1><p>发布时间：2026-06-29</p><p>内容。</p>"),
        _ => Reply::missing(),
    }
    });
    let world = World::with_config(&config(server.port, "sandbox = false"));
    let ended = world.run(&["--json", "run"]);
    assert_eq!(ended.json()["rendered"], 1, "{}{}", ended.stdout, ended.stderr);
    let findings = world.findings();
    let hidden = findings.iter().filter(|one| one["kind"] == "hidden-link");
    let mut hidden: Vec<(&str, bool)> = hidden
        .map(|one| (one["detail"]["what"].as_str().expect("a link"), one["detail"]["review"].is_string()))
        .collect();
    hidden.sort_unstable();
    assert_eq!(hidden, [("http://paper.test/", true), ("http://shop.test/", false)]);
}

/// Intruders leave a page to search engines, and their readers another one.
#[test]
fn a_page_that_its_scripts_replace_is_looked_at_as_it_was_sent() {
    const OTHER: &str = "<h1>无法找到该网页</h1><p>您正在搜索的页面可能已经删除、更名或暂时不可用。请确保浏览器地址栏中的地址拼写正确无误。</p>";
    // With all that is asked of a home page nothing else calls for a browser.
    const MARKS: &str = "<p>党政机关标识 某ICP备1号 某公网安备2号 网站标识码：1234567890</p><a href=https://zfwzgl.www.gov.cn/exposure/jiucuo.html?site_code=1234567890>网站找错</a>";
    let home = |script: &str, marked: bool| {
        let marks = if marked { MARKS } else { "" };
        let rows: String = (1..=9)
            .map(|day| format!("<li><a href=/{day}.html>市水利局召开第{day}次防汛抗旱工作会议，部署安排有关工作并提出要求</a> 2026-06-2{day}</li>"))
            .collect();
        Reply::page(
            "市水利局",
            &format!(
                "<ul>{rows}</ul><div style='display:none'><a href=http://shop.test/>某某</a></div>{marks}<script src=/js/kb.js></script><script>{script}</script>"
            ),
        )
    };
    let server = serve(move |asked| match (asked.host.split(':').next(), asked.path.as_str()) {
        (Some(host @ ("www.test" | "marked.test")), "/") => home(
            &format!(
                "addEventListener('load', function(){{ document.title='无法找到该网页'; document.body.innerHTML='{OTHER}'; }})"
            ),
            host == "marked.test",
        ),
        (_, "/") => home(
            "fetch('/refused').then(r=>r.text()).catch(e=>{document.body.innerHTML=''}).then(t=>{document.body.innerHTML=''})",
            false,
        ),
        (_, "/refused") => Reply::Cut,
        (_, path) if path.len() == 7 => {
            Reply::page("会议", "<h1>会议</h1><p>发布时间：2026-06-29</p><p>会议部署了工作。</p>")
        }
        _ => Reply::missing(),
    });
    let config = config(server.port, "sandbox = false");
    let port = server.port;
    let hosts = ["empty", "marked"].map(|name| format!("\"{name}.test\" = \"127.0.0.1:{port}\"\n")).concat();
    let site = |name: &str| {
        format!(
            "[[site]]\nid = \"{name}\"\nname = \"市林业局\"\nurl = \"http://{name}.test/\"\nkind = \"department\"\n"
        )
    };
    let sites = ["empty", "marked"].map(site).concat();
    let world = World::with_config(&config.replace("[[site]]", &format!("{hosts}{sites}[[site]]")));
    for night in 1..=2 {
        let ended = world.run(&["--json", "run"]);
        assert_eq!(ended.json()["rendered"], 3, "night {night}: {}{}", ended.stdout, ended.stderr);
        let all: Vec<Value> = world.findings().into_iter().filter(|one| one["state"] != "gone").collect();
        let replaced = [("http://marked.test/", true), ("http://www.test/", true)];
        assert_eq!(found(&all, "cloaking"), replaced, "night {night}");
        // What search engines go on seeing has its faults; no script was seen to put there what lacks.
        for site in ["http://www.test/", "http://empty.test/"] {
            let of_site =
                |kind| found(&all, kind).into_iter().filter(|(url, _)| *url == site).collect::<Vec<_>>();
            assert_eq!(of_site("hidden-link"), [(site, false)], "night {night}");
            assert_eq!(of_site("stale-home"), [], "night {night}");
            assert_eq!(of_site("missing-mark").len(), 4, "night {night}");
        }
        let of = |kind: &str| {
            all.iter().find(|one| one["kind"] == kind && one["site"] == "www").expect("a finding")
        };
        let (cloaking, hidden) = (of("cloaking"), of("hidden-link"));
        let snapshot = cloaking["evidence"]["snapshot"].as_str().expect("a snapshot");
        assert_ne!(hidden["evidence"]["snapshot"], snapshot, "what readers see is evidence of its own");
    }
    let why = world.english(&["why", "http://www.test/"]);
    assert!(why.stdout.contains("its scripts show readers another page"), "{}", why.stdout);
}
