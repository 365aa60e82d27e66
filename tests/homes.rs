//! What a home page shows under other names and to other browsers.

#[path = "support/server.rs"]
mod server;
mod support;

use server::{Asked, Reply, serve};
use support::World;

fn config(port: u16) -> String {
    format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n\
         [crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n[search]\nenabled = false\n\
         [network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"www.test.gov.cn\" = \"127.0.0.1:{port}\"\n\
         \"test.gov.cn\" = \"127.0.0.1:{port}\"\n\"old.test.gov.cn\" = \"127.0.0.1:{port}\"\n\
         \"hd.test.gov.cn\" = \"127.0.0.1:{port}\"\n\
         [[site]]\nid = \"www\"\nname = \"试验市人民政府\"\nurl = \"http://www.test.gov.cn/\"\nkind = \"portal\"\n\
         hosts = [\"old.test.gov.cn\", \"hd.test.gov.cn\"]\n"
    )
}

#[test]
fn several_names_are_found_and_browsers_compared() {
    let server = serve(|asked| {
        let agent = asked.head.iter().find(|line| line.to_ascii_lowercase().starts_with("user-agent:"));
        let agent = agent.map_or("", String::as_str);
        match (asked.host.split(':').next().unwrap_or_default(), asked.path.as_str()) {
            (_, path) if path != "/" => Reply::missing(),
            // The bare name leads on, as it should.
            ("test.gov.cn", _) => Reply::redirect("http://www.test.gov.cn/"),
            ("hd.test.gov.cn", _) => Reply::page("互动平台", "留言"),
            _ if agent.contains("Firefox") => {
                Reply::Other("403 Forbidden", "content-type: text/plain\r\n".to_owned(), "IE only".to_owned())
            }
            _ if agent.contains("iPhone") => Reply::page("手机版", "建设中"),
            _ => Reply::page("试验市人民政府", "<p>今日要闻与服务信息。</p><p>建议使用IE8以上浏览器浏览</p>"),
        }
    });
    let world = World::with_config(&config(server.port));
    let run = world.run(&["run", "--json"]);
    assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
    let findings = world.findings();
    let names: Vec<&str> = findings
        .iter()
        .filter(|one| one["kind"] == "several-names")
        .map(|one| one["detail"]["what"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["old.test.gov.cn"], "the same page under another name; not a page of its own");
    let told = world.run(&["judge", "--explain", "www", "D21", "--lang", "en"]).stdout;
    for sign in [
        "Firefox: does not open", "Safari, iPhone: another title", "asks for a certain browser",
        "a person judges",
    ] {
        assert!(told.contains(sign), "{sign}: {told}");
    }
    assert!(!told.contains("Android"), "shown what everybody is: {told}");
    let told = world.run(&["judge", "--explain", "www", "D14", "--lang", "en"]).stdout;
    assert!(told.contains("1 faults"), "{told}");
}

const HOME: &str = "<html><head><title>市水利局</title><meta name=\"SiteName\" content=\"市水利局\"></head><body><div class=nav><a href=/zwgk/>政务公开</a><a href=/hd/>互动交流</a></div><ul><li><a href=/zwgk/t20261120_1.html>关于一项工作的通知</a><span>2026-11-20</span></li><li><a href=/zwgk/t20261121_2.html>关于两项工作的通知</a><span>2026-11-21</span></li></ul><form action=/s method=get><input name=q></form><div class=footer>蒙ICP备12345678号</div></body></html>";

/// The same site, whose home address shows it, redirects to it, or only leads on to it.
fn one_of(asked: &Asked) -> Reply {
    let site = asked.host.trim_start_matches("www.").split('.').next().unwrap_or_default().to_owned();
    let script = "<html><head><script>window.location.href=\"/web/index.html\";</script></head></html>";
    let refresh = "<html><head><meta http-equiv=\"refresh\" content=\"0;url=/web/index.html\"></head></html>";
    match (site.as_str(), asked.path.as_str()) {
        ("plain", "/") | ("far", "/") if site == "plain" || asked.host.starts_with("www.") => {
            Reply::Page(HOME.to_owned())
        }
        ("redirects" | "soft", "/") => Reply::redirect("/web/index.html"),
        ("far", "/") => Reply::redirect("http://www.far.test/"),
        ("script", "/") => Reply::Page(script.to_owned()),
        ("refresh", "/") => Reply::Page(refresh.to_owned()),
        ("twice", "/") => Reply::redirect("/start.html"),
        ("twice", "/start.html") => Reply::Page(script.to_owned()),
        ("plain" | "far", "/web/index.html") => Reply::missing(),
        // Each part of it stands in a frame, and the lists of its columns do.
        ("frames", "/") => Reply::Page(
            "<html><head><title>市水利局</title><meta name=\"SiteName\" content=\"市水利局\"></head>\
             <frameset><frame src=/top.html><frame src=/main.html></frameset></html>"
                .to_owned(),
        ),
        ("frames", "/top.html") => Reply::Page(HOME.split("<ul>").next().unwrap_or_default().to_owned()),
        ("frames", "/main.html") => {
            let (_, rest) = HOME.split_once("<ul>").unwrap_or_default();
            Reply::page("要闻", &format!("<ul>{rest}"))
        }
        ("frames", "/zwgk/" | "/hd/") => Reply::page("栏目", "<h1>栏目</h1><iframe src=/list.html></iframe>"),
        ("frames", "/list.html") => Reply::page(
            "列表",
            "<ul><li><a href=/zwgk/t20261120_1.html>关于一项工作的通知</a><span>2026-11-20</span></li></ul>",
        ),
        (_, "/web/index.html") => Reply::Page(HOME.to_owned()),
        (_, "/zwgk/" | "/hd/") => Reply::page(
            "栏目",
            "<h1>栏目</h1><ul><li><a href=/zwgk/t20261120_1.html>关于一项工作的通知</a><span>2026-11-20</span></li></ul>",
        ),
        (_, path) if path.starts_with("/zwgk/t") => Reply::page(
            "通知",
            &format!("<h1>通知</h1><p>发布时间：2026-11-20</p><p>{}{path}</p>", "通知的正文。".repeat(40)),
        ),
        // Shows its home page for everything that is not there.
        ("soft", path) if !path.starts_with("/s?") && path != "/robots.txt" => Reply::Page(HOME.to_owned()),
        _ => Reply::missing(),
    }
}

#[test]
fn a_site_is_judged_by_the_page_its_home_address_leads_to() {
    let server = serve(one_of);
    let sites = ["plain", "redirects", "far", "script", "refresh", "twice", "frames", "soft"];
    let mut text = "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n[crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n".to_owned();
    for site in sites {
        let www = if site == "far" { format!("\"127.0.0.1:{}\"", server.port) } else { "[]".to_owned() };
        text.push_str(&format!(
            "\"{site}.test\" = \"127.0.0.1:{}\"\n\"www.{site}.test\" = {www}\n",
            server.port
        ));
    }
    for site in sites {
        let hosts = if site == "far" { "hosts = [\"www.far.test\"]\n" } else { "" };
        text.push_str(&format!(
            "[[site]]\nid = \"{site}\"\nname = \"市水利局\"\nurl = \"http://{site}.test/\"\nkind = \"department\"\n{hosts}"
        ));
    }
    let world = World::with_config(&text);
    let kinds = |site: &str| {
        let all = world.findings();
        let mut kinds: Vec<String> = all
            .iter()
            .filter(|one| one["site"] == site)
            .map(|one| format!("{} {}", one["kind"], one["detail"]["what"]))
            // What stands in the name is another one.
            .map(|line| {
                line.replace(&format!("www.{site}.test"), "HOST").replace(&format!("{site}.test"), "HOST")
            })
            .collect();
        kinds.sort();
        kinds
    };
    let mut first = Vec::new();
    for night in 1..=2 {
        let ended = world.run(&["run", "--json"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let plain = kinds("plain");
        for kind in ["missing-mark", "missing-entrance", "missing-label", "search-miss"] {
            assert!(plain.iter().any(|one| one.contains(kind)), "{kind}: {plain:?}");
        }
        for site in &sites[1..7] {
            assert_eq!(kinds(site), plain, "{site}, night {night}");
        }
        // Addresses that are not there are another fault of this one.
        let soft = kinds("soft");
        assert!(plain.iter().all(|one| soft.contains(one)), "{soft:?}");
        let why = world.run(&["why", "--json", "http://soft.test/web/index.html"]).json();
        assert_eq!(why["state"], "ok", "{why}");
        let all: Vec<String> = world.findings().iter().map(|one| one["id"].to_string()).collect();
        if night == 2 {
            assert_eq!(all, first, "nothing comes or goes");
        }
        first = all;
    }
    let verdicts = world.read_json("xunjian-data/report/verdicts.json");
    let verdicts = verdicts.as_array().expect("verdicts");
    let of = |site: &str| {
        let one = verdicts.iter().find(|one| one["site"] == site).expect("a verdict");
        (one["result"].clone(), one["score"].clone(), one["reviews"].as_array().map(Vec::len))
    };
    for site in &sites[1..7] {
        assert_eq!(of(site), of("plain"), "{site}");
    }
    let at = |site: &str, kind: &str| {
        let all = world.findings();
        let one = all.iter().find(|one| one["site"] == site && one["kind"] == kind);
        one.expect("a finding")["url"].as_str().expect("url").to_owned()
    };
    assert_eq!(at("script", "missing-entrance"), "http://script.test/web/index.html");
    assert_eq!(at("far", "missing-entrance"), "http://www.far.test/");
    // A second look at it begins where it stands.
    let id =
        world.findings().into_iter().find(|one| one["site"] == "script" && one["kind"] == "missing-entrance");
    let id = id.expect("a finding")["id"].as_str().expect("id").to_owned();
    let looked = world.run(&["findings", "recheck", &id, "--json"]);
    assert_eq!(
        looked.json()["still_there"].as_array().map(Vec::len),
        Some(1),
        "{}{}",
        looked.stdout,
        looked.stderr
    );
}

#[test]
fn a_home_page_without_years_is_as_fresh_as_what_it_leads_to() {
    let page = |main: &str| {
        // The menu of every page shows letters of years ago.
        let old = ["2017-07-18", "2017-06-25", "2017-06-20"]
            .map(|day| format!("<li><a href=/hd/{day}>来信</a><span>{day}</span></li>"));
        Reply::page(
            "市水利局",
            &format!("<div class=nav><a href=/tzgg/>通知公告</a><ul>{}</ul></div>{main}", old.concat()),
        )
    };
    let server = serve(move |asked| match asked.path.as_str() {
        path @ ("/" | "/tzgg/") => {
            let row = |at: u32| {
                format!("<li><span>06-{at}</span><a href=/tzgg/{at}.html>关于第{at}项工作的通知</a></li>")
            };
            // Beside them the home page has a list of plans, with their years.
            let plan = |day: &str| format!("<li><a href=/gh/{day}.html>某项规划</a><span>{day}</span></li>");
            let plans = ["2024-01-08", "2023-02-06"].map(plan).concat();
            let plans = if path == "/" { format!("<div><ul>{plans}</ul></div>") } else { String::new() };
            page(&format!("<ul>{}</ul>{plans}", (20..25).map(row).collect::<String>()))
        }
        path if path.starts_with("/tzgg/") => {
            let at = path.trim_matches(|c: char| !c.is_ascii_digit());
            page(&format!(
                "<h1>关于第{at}项工作的通知</h1><p>发布时间：2026-06-{at}</p><p>{}</p>",
                "通知的正文。".repeat(20)
            ))
        }
        path if path.starts_with("/gh/") => page("<h1>某项规划</h1><p>规划的内容。</p>"),
        path if path.starts_with("/hd/") => page("<h1>来信</h1><p>来信的内容。</p>"),
        _ => Reply::missing(),
    });
    let text =
        config(server.port).replace("data =", "monitoring_point = \"2026-06-30T20:00:00+08:00\"\ndata =");
    let world = World::with_config(&text);
    assert!(matches!(world.run(&["run"]).code, 0 | 3));
    let stale: Vec<_> = world
        .findings()
        .into_iter()
        .filter(|one| one["indicator"] == "V3" || one["indicator"] == "V4")
        .collect();
    assert!(stale.is_empty(), "{stale:#?}");
    // Months later both are stale, by the same articles.
    world.write("xunjian.toml", text.replace("2026-06-30", "2027-03-01").as_bytes());
    assert!(matches!(world.run(&["run"]).code, 0 | 3));
    let all = world.findings();
    for kind in ["stale-home", "stale-column"] {
        let found: Vec<_> = all.iter().filter(|one| one["kind"] == kind).collect();
        assert_eq!(
            (found.len(), &found[0]["detail"]["newest"]),
            (1, &"2026-06-24".into()),
            "{kind}: {found:#?}"
        );
    }
}

#[test]
fn a_day_that_an_article_tells_of_contradicts_no_list() {
    let server = serve(|asked| {
        let menu = "<div class=nav><a href=/tzgg/>通知公告</a></div>";
        let page = |main: &str| Reply::page("市水利局", &format!("{menu}{main}"));
        match asked.path.as_str() {
            "/" => page("<p>欢迎</p>"),
            "/tzgg/" => {
                let row = |at: u32| {
                    format!(
                        "<li><a href=/tzgg/{at}.html>关于第{at}项工作的通知</a><span>2026-06-{at}</span></li>"
                    )
                };
                page(&format!("<ul>{}</ul>", (10..20).map(row).collect::<String>()))
            }
            path if path.starts_with("/tzgg/") => {
                let at = path.trim_matches(|c: char| !c.is_ascii_digit());
                let line = match at {
                    "18" => "<p>本办法自2026年3月1日起施行。</p>".to_owned(),
                    "19" => "<p>发布时间：2026-05-02</p>".to_owned(),
                    _ => format!("<p>发布时间：2026-06-{at}</p>"),
                };
                let text = format!("第{at}项工作的要求和安排。").repeat(20);
                page(&format!("<h1>关于第{at}项工作的通知</h1>{line}<p>{text}</p>"))
            }
            _ => Reply::missing(),
        }
    });
    let text = format!("monitoring_point = \"2026-06-30\"\n{}", config(server.port));
    let world = World::with_config(&text);
    assert!(matches!(world.run(&["run"]).code, 0 | 3));
    let told: Vec<_> = world.findings().into_iter().filter(|one| one["kind"] == "date-conflict").collect();
    let urls: Vec<&str> = told.iter().map(|one| one["url"].as_str().expect("an address")).collect();
    assert_eq!(urls, ["http://www.test.gov.cn/tzgg/19.html"], "{told:#?}");
}

#[test]
fn a_home_address_that_leads_nowhere_or_away_passes_no_site() {
    let server = serve(|asked| {
        let script = |to: &str| Reply::Page(format!("<html><script>location.href=\"{to}\";</script></html>"));
        match (asked.host.as_str(), asked.path.as_str()) {
            ("away.test", "/") => Reply::redirect("http://other.test/a/"),
            ("scriptaway.test", "/") => script("http://other.test/a/"),
            ("broken.test", "/") => script("/web/"),
            ("later.test", "/") => script("/web/"),
            ("later.test", "/web/") if asked.before > 10 => Reply::missing(),
            // It shows itself from the second night on, and where it led is gone.
            ("back.test", "/") if asked.before > 8 => Reply::Page(HOME.to_owned()),
            ("back.test", "/") => script("/web/"),
            ("back.test", "/web/") if asked.before <= 8 => Reply::Page(HOME.to_owned()),
            ("later.test", "/web/") => Reply::Page(HOME.to_owned()),
            ("other.test", _) => Reply::Page(HOME.to_owned()),
            _ => Reply::missing(),
        }
    });
    let sites = ["away", "scriptaway", "broken", "later", "back"];
    let world = World::with_config(&server.config(&sites, &["other"]));
    let ended = world.english(&["run", "--json"]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let results = || {
        let verdicts = world.read_json("xunjian-data/report/verdicts.json");
        let all = verdicts.as_array().expect("verdicts").iter();
        all.map(|one| {
            (
                one["site"].as_str().expect("a site").to_owned(),
                one["result"].as_str().expect("a result").to_owned(),
            )
        })
        .collect::<std::collections::BTreeMap<_, _>>()
    };
    let first = results();
    assert_eq!((first["away"].as_str(), first["scriptaway"].as_str()), ("review", "review"), "{first:?}");
    assert_eq!(first["broken"], "fail", "visitors get no page: {first:?}");
    for site in ["away", "scriptaway"] {
        assert_eq!(ended.json()["left_out"][site]["elsewhere"], 1, "{}", ended.stdout);
        assert!(
            ended.stderr.contains(&format!("incomplete {site}: the home address leads away")),
            "{}",
            ended.stderr
        );
        // Nothing is asked of a page that is none.
        let asked = ["missing-label", "missing-mark", "missing-entrance", "stale-home", "channel-missing"];
        let all = world.findings().into_iter().filter(|one| one["site"] == site);
        let kinds: Vec<String> = all.map(|one| one["kind"].as_str().expect("kind").to_owned()).collect();
        assert!(!kinds.iter().any(|one| asked.contains(&one.as_str())), "{site}: {kinds:?}");
    }
    assert!(world.findings().iter().any(|one| one["site"] == "later" && one["kind"] == "missing-mark"));
    assert!(world.findings().iter().any(|one| one["site"] == "broken" && one["kind"] == "unreachable"));
    for night in 2..=3 {
        world.run(&["run"]);
        let now = results();
        assert_eq!((now["away"].as_str(), now["scriptaway"].as_str()), ("review", "review"), "night {night}");
    }
    assert_eq!(results()["later"], "fail", "where the home address leads is gone");
    assert_ne!(results()["back"], "fail", "it leads nowhere any more");
    let back =
        world.findings().into_iter().find(|one| one["site"] == "back" && one["kind"] == "missing-mark");
    assert_eq!(back.expect("a finding")["url"], "http://back.test/");
}

#[test]
fn columns_and_pages_are_judged_where_readers_arrive() {
    let list = |name: &str| {
        let rows: String = (1..=9)
            .map(|day| format!("<li><a href=/x/t2025010{day}_{day}.html>关于第{day}项工作的消息</a><span>2025-01-0{day}</span></li>"))
            .collect();
        Reply::page(name, &format!("<h1>{name}</h1><ul>{rows}</ul>"))
    };
    let night = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(1));
    let now = std::sync::Arc::clone(&night);
    let server = serve(move |asked| match asked.path.as_str() {
        "/" => Reply::page(
            "市水利局",
            "<div class=nav><a href=/gzdt>工作动态</a><a href=/gzdt/>更多动态</a><a href=/tzgg/>通知公告</a><a href=/zcwj/>政策文件</a></div><p>首页的内容。</p><a href=/moved.html>旧文</a>",
        ),
        "/gzdt" => Reply::Other("301 Moved Permanently", "location: /gzdt/\r\n".to_owned(), String::new()),
        "/gzdt/" => list("工作动态"),
        "/tzgg/" => Reply::Page("<html><script>location.href='list.html'</script></html>".to_owned()),
        "/tzgg/list.html" => list("通知公告"),
        "/zcwj/" => list("政策文件"),
        "/moved.html" if now.load(std::sync::atomic::Ordering::Relaxed) > 1 => Reply::redirect("/zcwj/"),
        "/moved.html" => Reply::page("旧文", "<h1>旧文</h1><p>这里有违禁词语。</p>"),
        path if path.starts_with("/x/t") => Reply::page(
            "消息",
            &format!(
                "<h1>消息</h1><p>发布时间：2025-01-0{}</p><p>{}</p>",
                &path[11..12],
                "消息的正文。".repeat(40)
            ),
        ),
        _ => Reply::missing(),
    });
    let config = format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n[crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n[search]\nenabled = false\n[scan]\ndictionaries = [\"words.txt\"]\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"a.test\" = \"127.0.0.1:{}\"\n\"www.a.test\" = []\n[[site]]\nid = \"a\"\nname = \"市水利局\"\nurl = \"http://a.test/\"\nkind = \"department\"\n",
        server.port
    );
    let world = World::with_config(&config);
    world.write("words.txt", "违禁词语\n".as_bytes());
    let of = |kind: &str| {
        let all = world.findings().into_iter().filter(|one| one["kind"] == kind);
        let mut urls: Vec<String> = all.map(|one| one["url"].as_str().expect("url").to_owned()).collect();
        urls.sort();
        urls
    };
    assert_eq!(world.run(&["run"]).code, 0);
    let columns = ["http://a.test/gzdt/", "http://a.test/tzgg/list.html", "http://a.test/zcwj/"];
    assert_eq!(of("stale-column"), columns);
    assert_eq!(of("sensitive-word"), ["http://a.test/moved.html"]);
    night.store(2, std::sync::atomic::Ordering::Relaxed);
    let second = world.run(&["run", "--json"]);
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert_eq!(of("stale-column"), columns);
    // What a page said that leads elsewhere now nobody reads any more.
    assert_eq!(of("sensitive-word"), [""; 0]);
    assert_eq!(
        second.json()["findings"]["mended"],
        1,
        "{}{}",
        second.json()["findings"],
        world.read_json("xunjian-data/report/mended.json")
    );
    let kept = world.run(&["why", "--json", "http://a.test/moved.html"]).json();
    assert_eq!(kept["snapshots"].as_array().map(Vec::len), Some(1), "its version stays: {kept}");
}

#[test]
fn what_the_office_says_of_columns_holds() {
    let server = serve(|asked| match asked.path.as_str() {
        "/" => Reply::page(
            "试验市人民政府",
            "<div class=nav><a href=/jjzx>今日快报</a> <a href=/lsgk/>历史通知公告</a> <a href=/zcwj/>政策文件</a></div>\
             <ul><li><a href=/jjzx/1.html>全市经济工作会议召开</a> 2026-06-29</li></ul>",
        ),
        // Where readers arrive counts.
        "/jjzx" => Reply::redirect("/jjzx/"),
        "/jjzx/" | "/lsgk/" | "/zcwj/" | "/hidden/" => Reply::page(
            "列表",
            "<ul><li><a href=a.html>全市经济工作会议召开</a> <span>2026-03-01</span></li></ul>",
        ),
        path if path.ends_with(".html") => {
            Reply::page("文章", &format!("<p>发布时间：2026-03-01</p><p>{path}</p>"))
        }
        _ => Reply::missing(),
    });
    let world = World::with_config(&config(server.port));
    let judged = |columns: &str| {
        let point =
            format!("monitoring_point = \"2026-06-30\"\n{}columns = {columns}\n", config(server.port));
        world.write("xunjian.toml", point.as_bytes());
        let run = world.run(&["run", "--quiet"]);
        assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
        let listed = world.run(&["sites", "columns", "--json"]).json();
        let listed = listed["sites"][0]["columns"].as_array().expect("columns").clone();
        let classes: Vec<String> = listed
            .iter()
            .map(|one| {
                let path = one["url"].as_str().and_then(|url| url.strip_prefix("http://www.test.gov.cn"));
                format!("{} {}", path.expect("own"), one["class"].as_str().expect("a class"))
            })
            .collect();
        let findings = world.findings();
        let stale = findings.iter().filter(|one| one["kind"] == "stale-column" && one["state"] != "gone");
        let mut stale: Vec<String> =
            stale.map(|one| one["url"].as_str().unwrap_or_default()[22..].to_owned()).collect();
        stale.sort();
        (classes, stale)
    };
    let told = |classes: &[&str], stale: &[&str]| {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        (owned(classes), owned(stale))
    };
    // Two weeks for news, six months for others: by their names alone nothing is stale.
    assert_eq!(judged("[]"), told(&["/jjzx/ other", "/lsgk/ notice", "/zcwj/ policy"], &[]));
    let stated = r#"["/jjzx=news", "/lsgk/=none", "http://www.test.gov.cn/hidden/=news", "/zcwj/=other"]"#;
    let expected = told(&["/jjzx/ news", "/zcwj/ other", "/hidden/ news"], &["/hidden/", "/jjzx/"]);
    assert_eq!(judged(stated), expected);
    // It is said what is wrong, where, and how to write it.
    for (columns, reason) in [
        (r#"["/jjzx"]"#, "`columns`: \"/jjzx\" is not like /zwgk/=policy, or /zwgk/=none"),
        (r#"["/jjzx=xinwen"]"#, "no class \"xinwen\"; known: leaders, functions"),
        (r#"["http://b.gov.cn/=news"]"#, "column \"http://b.gov.cn/\" is outside the site"),
        (r#"["ftp://b.gov.cn/=news"]"#, "`columns`: "),
    ] {
        world.write("xunjian.toml", format!("{}columns = {columns}\n", config(server.port)).as_bytes());
        let refused = world.english(&["scan"]);
        assert!(refused.code == 2 && refused.stderr.contains(reason), "{columns}: {}", refused.stderr);
    }
}
