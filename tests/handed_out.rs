//! Lists that no page holds: a script of the page asks a program for them.

#[path = "support/server.rs"]
mod server;
mod support;

use serde_json::{Value, json};
use server::{Asked, Reply, serve};
use support::World;

/// Articles of the list, newest first, and rows that are handed out at once.
const ARTICLES: usize = 7;
const ROWS: usize = 3;
/// The oldest one has a fault that only its page shows.
const FAULT: &str = "各部门要按步就班地完成";

fn rows(from: usize, to: usize) -> Vec<String> {
    let row = |at: usize| {
        format!(
            "<li><a href=\"/zwgk/t_{at}.html\">关于第{at}项工作的通知</a><span>2026-11-{:02}</span></li>",
            20 - at
        )
    };
    (from..to.min(ARTICLES)).map(row).collect()
}

fn records(from: usize, to: usize, head: &str) -> String {
    let rows: String =
        rows(from, to).iter().map(|row| format!("<record><![CDATA[{row}]]></record>")).collect();
    format!("<datastore>{head}<recordset>{rows}</recordset></datastore>")
}

fn next_group(page: usize) -> String {
    match page * ROWS < ARTICLES {
        true => format!(
            "<nextgroup><![CDATA[<a href=\"/dataproxy.jsp?page={page}&columnid=1\"></a>]]></nextgroup>"
        ),
        false => String::new(),
    }
}

/// The list of a column as its page holds it.
fn column(site: &str) -> String {
    match site {
        "pages" => rows(0, ARTICLES).concat(),
        "groups" => format!("<script type='text/xml'>{}</script>", records(0, ROWS, &next_group(1))),
        "windows" => "<script>$(function(){$('#l').jpage({proxyUrl:'/getMessage.do',perPage:1,groupSize:3,ajaxParam:{columnId:'a-1'}});});</script>".to_owned(),
        _ => "<script parseType=\"bulidstatic\" url=\"/build/unit\" queryData=\"{'pageId':'1','tagId':'列表'}\"></script>".to_owned(),
    }
}

fn comes_from_here(asked: &Asked) -> bool {
    let wanted = format!("referer: http://{}/", asked.host.split(':').next().unwrap_or_default());
    asked.head.iter().any(|line| line.to_ascii_lowercase() == wanted)
}

fn answer(asked: &Asked) -> Reply {
    let host = asked.host.split(':').next().unwrap_or_default();
    let site = host.trim_end_matches(".test");
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let number = |name: &str| {
        let (_, value) =
            query.split('&').filter_map(|pair| pair.split_once('=')).find(|(one, _)| *one == name)?;
        value.parse::<usize>().ok()
    };
    let json =
        |value: Value| Reply::File("content-type: application/json\r\n", value.to_string().into_bytes());
    match (site, path) {
        // The news of a home page come in the same way.
        (_, "/") => Reply::page(
            "首页",
            &format!("<div class=nav><a href=/zwgk/>通知公告</a></div><h1>市水利局</h1>{}", column(site)),
        ),
        (_, "/zwgk/") => {
            Reply::page("通知公告", &format!("<h1>通知公告</h1><div id=l>{}</div>", column(site)))
        }
        ("refused", "/build/unit") => Reply::missing(),
        ("guarded", "/build/unit" | "/files/1.pdf") if !comes_from_here(asked) => {
            Reply::Other("403 Forbidden", String::new(), "from elsewhere".to_owned())
        }
        (_, "/files/1.pdf") => Reply::File("content-type: application/pdf\r\n", b"%PDF-1.4".to_vec()),
        ("empty", "/build/unit") => json(json!({ "success": true, "data": { "html": "<ul></ul>" } })),
        ("units" | "guarded", "/build/unit") => {
            // `paramJson={"pageNo":2,"pageSize":3}`
            let page =
                query.split_once("pageNo%22%3A").and_then(|(_, rest)| rest.split('%').next()?.parse().ok());
            let from = (page.unwrap_or(1) - 1) * ROWS;
            let html = format!(
                "<ul>{}</ul><div class=\"pagination\" rows=\"{ROWS}\" count=\"{ARTICLES}\"></div>",
                rows(from, from + ROWS).concat()
            );
            json(json!({ "success": true, "data": { "html": html } }))
        }
        ("groups", "/dataproxy.jsp") => {
            let page = number("page").unwrap_or(1);
            let records = records(page * ROWS, (page + 1) * ROWS, &next_group(page + 1));
            Reply::File("content-type: text/xml;charset=UTF-8\r\n", records.into_bytes())
        }
        ("windows", "/getMessage.do") => {
            let (from, to) = (number("startrecord").unwrap_or(1), number("endrecord").unwrap_or(1));
            let head = format!("<totalrecord>{ARTICLES}</totalrecord>");
            json(json!({ "result": records(from - 1, to, &head) }))
        }
        (_, path) if path.starts_with("/zwgk/t_") => {
            let fault = if path.ends_with(&format!("_{}.html", ARTICLES - 1)) { FAULT } else { "" };
            let text = format!("{}{path}{fault}。", "通知的正文。".repeat(30));
            Reply::page(
                "通知",
                &format!(
                    "<h1>通知</h1><a href=/files/1.pdf>附件</a><p>发布时间：2026-11-14</p><p>{text}</p>"
                ),
            )
        }
        _ => Reply::missing(),
    }
}

#[test]
fn lists_that_programs_hand_out_are_read_to_their_end() {
    let server = serve(answer);
    let sites = ["pages", "units", "guarded", "groups", "windows", "empty", "refused"];
    let world = World::with_config(&server.config(&sites, &[]));
    for night in 1..=2 {
        let run = world.run(&["run", "--json"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let findings = world.findings();
        let of = |site: &str, kind: &str| {
            let found = findings.iter().filter(|one| one["site"] == site && one["kind"] == kind);
            found.map(|one| one["url"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        for site in ["pages", "units", "guarded", "groups", "windows"] {
            let last = format!("http://{site}.test/zwgk/t_{}.html", ARTICLES - 1);
            assert_eq!(of(site, "typo"), [last], "night {night}");
            for kind in ["blank-column", "dead-link", "dead-attachment", "empty-article", "undated-page"] {
                assert_eq!(of(site, kind), Vec::<String>::new(), "{site}, night {night}");
            }
        }
        assert_eq!(of("empty", "blank-column"), ["http://empty.test/zwgk/"], "night {night}");
        // Programs may want to be asked by their page alone.
        assert_eq!(of("refused", "dead-link"), Vec::<String>::new());
        let waiting = |site: &str| {
            let mut blank =
                findings.iter().filter(|one| one["site"] == site && one["kind"] == "blank-column");
            blank.next().map(|one| one["detail"]["review"].is_string())
        };
        assert_eq!([waiting("empty"), waiting("refused")], [Some(false), Some(true)], "night {night}");
    }
    let listed = world.run(&["sites", "columns", "--json"]).json();
    for site in listed["sites"].as_array().expect("sites") {
        let seen = !["empty", "refused"].contains(&site["id"].as_str().expect("an id"));
        let newest = if seen { Value::from("2026-11-20") } else { Value::Null };
        assert_eq!((&site["home_newest"], &site["columns"][0]["newest"]), (&newest, &newest), "{site}");
        let state = site["columns"][0]["state"].as_str().expect("a state");
        match site["id"].as_str().expect("an id") {
            "empty" => assert_eq!(state, "blank"),
            "refused" => assert_eq!(state, "unseen"),
            _ => assert!(["fresh", "stale"].contains(&state), "{site}"),
        }
    }
    let asked = server.asked();
    let times = |path: &str| asked.iter().filter(|asked| asked.path.starts_with(path)).count();
    // Each part once a night, and no more than there are.
    assert_eq!((times("/dataproxy.jsp?page=1&"), times("/dataproxy.jsp?page=3")), (2, 0));
    assert_eq!(times("/getMessage.do?"), 2 * 3);
}

/// Columns of a directory: number, name, articles, the day of the newest.
const DIRECTORY: [(u32, &str, usize, &str); 4] = [
    (721, "通知公告", 250, "2026-11-20"),
    (722, "工作动态", 30, "2025-01-05"),
    (723, "政策解读", 0, ""),
    (724, "规范性文件", 3, "2026-11-19"),
];
/// Rows of a list that are handed out at once.
const PART: usize = 100;
/// What articles are about.
const SUBJECTS: [&str; 16] = [
    "水库", "河道", "堤防", "泵站", "渠道", "灌区", "水闸", "机井", "山塘", "湖泊", "湿地", "水文", "防汛",
    "抗旱", "节水", "供水",
];

fn directory(asked: &Asked) -> Reply {
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    if let Some(id) = path.strip_prefix("/slj/gkmlpt/api/all/") {
        let Some((id, _, articles, newest)) = DIRECTORY.iter().find(|one| one.0.to_string() == id) else {
            return Reply::missing();
        };
        let page: usize = query
            .strip_prefix("page=")
            .or_else(|| query.strip_prefix("sid=755041&page="))
            .map_or(1, |rest| rest.split('&').next().and_then(|page| page.parse().ok()).unwrap_or(1));
        let from = (page - 1) * PART;
        if !query.contains("sid=755041") || page > 1 && from >= *articles {
            return Reply::missing();
        }
        let article = |at: usize| {
            json!({
                "id": at, "title": format!("关于第{at}项水利工作的事项"), "attachment": [], "is_expired": 0,
                "url": format!("http://gd.test/slj/gkmlpt/content/{id}/post_{at}.html"), "date": 0,
                "created_at": format!("{newest} 09:00:00"),
            })
        };
        let rows: Vec<Value> = (from..(from + PART).min(*articles)).map(article).collect();
        let list =
            json!({ "classify": { "id": id, "post_count": articles }, "articles": rows, "total": articles });
        return Reply::File("content-type: application/json\r\n", list.to_string().into_bytes());
    }
    if let Some(post) = path.strip_prefix("/slj/gkmlpt/content/") {
        let day = DIRECTORY.iter().find(|one| post.starts_with(&one.0.to_string())).map_or("", |one| one.3);
        let at: usize = post.split(['_', '.']).nth(1).and_then(|at| at.parse().ok()).unwrap_or(0);
        // Of articles that are alike a crawl would take them for endless.
        let about: Vec<&str> =
            (1..40).map(|word| SUBJECTS[(at * word + word * word + at / 16) % 16]).collect();
        let about = about.join("、");
        let fault = if post == "721/post_249.html" { FAULT } else { "" };
        return Reply::page(
            "水利工作的事项",
            &format!(
                "<h1>水利工作的事项</h1><p>发布日期：{day}</p><p>有关{about}的事项。{post}{fault}。</p>"
            ),
        );
    }
    let leaf = |one: &(u32, &str, usize, &str)| json!({ "id": one.0, "name": one.1, "jump_url": "", "children": [] });
    match path {
        "/" => Reply::page(
            "市水利局",
            "<div class=nav><a href=/slj/gkmlpt/index>信息公开目录</a><a href=/slj/gkmlpt/index#722>工作动态</a></div><h1>市水利局</h1>\
             <ul><li><a href=/slj/gkmlpt/content/721/post_0.html>关于第0项水利工作的事项</a> 2026-11-20</li></ul>",
        ),
        "/slj/gkmlpt/index" => {
            let tree = json!([
                leaf(&DIRECTORY[0]), leaf(&DIRECTORY[1]),
                { "id": 9, "name": "政策", "children": [leaf(&DIRECTORY[2]), leaf(&DIRECTORY[3])] },
                { "id": 10, "name": "市政府", "jump_url": "http://www.city.test/", "children": [] },
            ]);
            Reply::page(
                "政府信息公开目录",
                &format!(
                    "<div id=app></div><script>window._CONFIG = {{ SID: '755041', TREE: {tree}, SERVICE_AREA_ID: 0 }};</script><script src=/app.js></script>"
                ),
            )
        }
        "/app.js" => Reply::File("content-type: text/javascript\r\n", b"1".to_vec()),
        _ => Reply::missing(),
    }
}

#[test]
fn a_directory_is_read_column_by_column() {
    let server = serve(directory);
    let config = server.config(&["gd"], &[]);
    let world = World::with_config(&format!("monitoring_point = \"2026-11-25\"\n{config}"));
    for night in 1..=2 {
        let run = world.run(&["run", "--json"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let findings = world.findings();
        let of = |kind: &str| -> Vec<&str> {
            let found = findings.iter().filter(|one| one["kind"] == kind);
            found.map(|one| one["url"].as_str().unwrap_or_default()).collect()
        };
        // The last row of the last part.
        assert_eq!(of("typo"), ["http://gd.test/slj/gkmlpt/content/721/post_249.html"], "night {night}");
        let list = |id: u32| format!("http://gd.test/slj/gkmlpt/api/all/{id}?page=1&sid=755041");
        assert_eq!(of("blank-column"), [list(723)], "night {night}");
        assert_eq!(of("stale-column"), [list(722)], "night {night}");
        assert_eq!(of("dead-link"), [""; 0], "night {night}");
        // Lists have no labels, and need none.
        let of_lists = findings.iter().filter(|one| one.to_string().contains("/api/all/")).count();
        assert_eq!(of_lists, 2, "night {night}: {findings:#?}");
    }
    let listed = world.run(&["sites", "columns", "--json"]).json();
    let columns = listed["sites"][0]["columns"].as_array().expect("columns");
    let seen: Vec<(&str, &str)> = columns
        .iter()
        .map(|one| (one["name"].as_str().unwrap_or_default(), one["newest"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(seen, DIRECTORY.map(|one| (one.1, one.3)));
}
