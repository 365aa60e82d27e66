//! A site's search where scripts have a hand in it: asked by a browser, as a reader asks, or left to a person.
//!
//! Needs Chromium in the search path; tests/run.sh installs it.

#[path = "support/server.rs"]
mod server;
mod support;

use server::{Asked, Reply, serve};
use support::World;

const TITLE: &str = "全市防汛工作会议召开";
/// Sites by what their search is: the first five find what is asked for, two do not, and of three nobody can tell.
const SITES: [&str; 10] =
    ["window", "inplace", "posted", "filled", "asked", "empty", "broken", "failing", "guarded", "silent"];

/// What stands in the page, and leads to the results.
fn search_box(site: &str) -> &'static str {
    match site {
        // A form that would only bring the home page once more: its script sends the words elsewhere.
        "window" => {
            "<form onsubmit='return go()'><input name=q><button>搜索</button></form><script>function go(){window.open('/so.html?w='+encodeURIComponent(document.forms[0].q.value));return false}</script>"
        }
        "inplace" => {
            "<input id=k placeholder=搜索><a href='javascript:go()'>搜索</a><div id=r></div><script>function go(){fetch('/api?w='+encodeURIComponent(k.value)).then(r=>r.text()).then(t=>{r.innerHTML=t})}</script>"
        }
        "posted" => "<form action=/so method=post><input name=q><button>搜索</button></form>",
        // Only with what its script writes does the form find anything.
        "filled" => {
            "<form action=/so onsubmit='this.token.value=1'><input type=hidden name=token><input name=q><button>搜索</button></form>"
        }
        "silent" => "<form onsubmit='return false'><input name=q><button>搜索</button></form>",
        // Only its button says that it searches.
        "asked" => "<form action=/so.html><input name=w><input type=submit value=搜索></form>",
        _ => "<form action=/so.html><input name=w title=搜索></form>",
    }
}

/// A page of results that its script asks for, in the way of most searches by POST.
const SHELL: &str = "<div class=nav><a href=/>首页</a></div><ul id=list></ul><script>
    fetch('/api',{method:'POST',body:new URLSearchParams(location.search)}).then(r=>r.ok?r.text():Promise.reject()).then(t=>{list.innerHTML=t})</script>";

fn answer(asked: &Asked) -> Reply {
    let site = asked.host.trim_end_matches(".test");
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let words = format!("{query}{}", String::from_utf8_lossy(&asked.body));
    let list = format!("<ul><li><a href=/xw/1.html>{TITLE}</a><span>2026-06-29</span></li></ul>");
    let found = words.contains("%E9%98%B2%E6%B1%9B");
    match (site, path) {
        (_, "/") => {
            let nav = "<div class=nav><a href=/xw/>新闻动态</a></div>";
            Reply::page("市水利局", &format!("{}{nav}{list}", search_box(site)))
        }
        (_, "/xw/") => Reply::page("新闻动态", &format!("<h1>新闻动态</h1>{list}")),
        (_, "/xw/1.html") => Reply::page(TITLE, &format!("<h1>{TITLE}</h1><p>会议要求做好防汛工作。</p>")),
        ("guarded", "/so.html") => Reply::page("搜索", "<p>请输入验证码</p><input name=code>"),
        ("broken", "/so.html") => {
            Reply::Other("500 Internal Server Error", String::new(), "error".to_owned())
        }
        (_, "/so.html") => Reply::page("搜索", SHELL),
        ("failing", "/api") => Reply::Other("502 Bad Gateway", String::new(), String::new()),
        ("empty", "/api") => Reply::Page("<p>没有找到</p>".to_owned()),
        ("inplace" | "window" | "asked", "/api") if found => Reply::Page(list),
        ("filled", "/so") if !words.starts_with("token=1") => Reply::page("搜索", "<p>没有找到</p>"),
        ("posted" | "filled", "/so") if found => Reply::page("搜索", &list),
        _ => Reply::missing(),
    }
}

#[test]
fn a_search_is_used_as_readers_use_it() {
    let server = serve(answer);
    let config = |browser: &str| {
        let config = server
            .config(&SITES, &[])
            .replace("enabled = false", "enabled = true")
            .replace("\"department\"", "\"portal\"");
        format!("monitoring_point = \"2026-06-30\"\n{}", config.replace("browser = \"off\"", browser))
    };
    let world = World::with_config(&config("browser = \"off\""));
    let outcome = || {
        let findings = world.findings();
        let judged = world.run(&["judge", "--json"]).json();
        SITES.map(|site| {
            let mut missed = findings
                .iter()
                .filter(|one| one["site"] == site && one["kind"] == "search-miss" && one["state"] != "gone");
            let verdict = judged.as_array().expect("verdicts").iter().find(|one| one["site"] == site);
            let rows = verdict.expect("a verdict")["indicators"].as_array().expect("rows");
            let row = rows.iter().find(|one| one["indicator"] == "D18").expect("the search");
            let told = missed.next().map(|one| match one["detail"]["review"].is_string() {
                true => "no search",
                false => "missed",
            });
            (site, told, row["standing"].as_str().expect("a standing").to_owned())
        })
    };
    let expected =
        |site: &'static str, told: Option<&'static str>, standing: &str| (site, told, standing.to_owned());
    // Without a browser only what the server itself answers is told.
    assert_eq!(world.run(&["run", "--quiet"]).code, 0);
    let by_forms = [
        expected("window", None, "open"),
        expected("inplace", Some("no search"), "open"),
        expected("posted", None, "pass"),
        expected("filled", None, "open"),
        expected("asked", None, "open"),
        expected("empty", None, "open"),
        expected("broken", Some("missed"), "deducted"),
        expected("failing", None, "open"),
        expected("guarded", None, "open"),
        expected("silent", None, "open"),
    ];
    assert_eq!(outcome(), by_forms);
    world.write("xunjian.toml", config("sandbox = false").as_bytes());
    let asked_before = server.asked().len();
    assert_eq!(world.run(&["run", "--quiet"]).code, 0);
    let by_browser = SITES.map(|site| match site {
        "window" | "inplace" | "posted" | "filled" | "asked" => expected(site, None, "pass"),
        "empty" | "broken" => expected(site, Some("missed"), "deducted"),
        _ => expected(site, None, "open"),
    });
    assert_eq!(outcome(), by_browser);
    // What is mended is told where, and how it was asked.
    let findings = world.findings();
    let missed =
        findings.iter().find(|one| one["site"] == "empty" && one["kind"] == "search-miss").expect("a miss");
    assert_eq!(missed["detail"]["titles"], TITLE);
    let address = missed["detail"]["search"].as_str().expect("an address");
    assert!(address.starts_with("http://empty.test/so.html?w=%E5%85%A8%E5%B8%82"), "{address}");
    // Scripts send to their own site alone, and not where that is not wanted.
    let posts = |asked: &[Asked]| asked.iter().filter(|one| one.head[0].starts_with("POST /api")).count();
    assert!(posts(&server.asked()[asked_before..]) > 0);
    world.write("xunjian.toml", config("sandbox = false\nposts = false").as_bytes());
    let asked_before = server.asked().len();
    assert_eq!(world.run(&["search", "--quiet"]).code, 0);
    assert_eq!(posts(&server.asked()[asked_before..]), 0);
    let states = outcome();
    assert!(
        states.contains(&expected("window", None, "open"))
            && states.contains(&expected("inplace", None, "pass"))
    );
}
