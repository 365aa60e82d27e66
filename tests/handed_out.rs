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
