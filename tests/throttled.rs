//! Hosts that ask to wait, refuse, or are away for a while: everything is seen in the end, no
//! request comes before its time, and what was not seen is not taken for mended.

#[path = "support/server.rs"]
mod server;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use server::{Asked, Reply, serve, serve_names, sleep_until};
use support::World;

const PAGES: usize = 12;
const SUBJECTS: [&str; PAGES] =
    ["水利", "教育", "民政", "财政", "交通", "农业", "文化", "卫生", "审计", "统计", "住建", "司法"];

fn config(sites: &[&str], port: u16, more: &str) -> String {
    let mut text = format!(
        "data = \"xunjian-data\"\n{more}\n[politeness]\nrequests_per_second = 40\nconnections = 2\naddress_requests_per_second = 0\naddress_connections = 64\nblock_s = 0.3\nblock_max_s = 2\npatience_s = 20\n[crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n"
    );
    for site in sites {
        text.push_str(&format!("\"{site}.test\" = \"127.0.0.1:{port}\"\n"));
    }
    for site in sites {
        text.push_str(&format!("[[site]]\nid = \"{site}\"\nname = \"{site}\"\nurl = \"http://{site}.test/\"\nkind = \"department\"\n"));
    }
    text
}

/// A site of twelve different pages.
fn site(asked: &Asked) -> Reply {
    let links: String = (0..PAGES).map(|at| format!("<a href=/p{at}.html>第{at}页</a>")).collect();
    match asked.path.as_str() {
        "/" => Reply::page("首页", &format!("<h1>首页</h1>{links}")),
        path => {
            match path.strip_prefix("/p").and_then(|rest| rest.strip_suffix(".html")?.parse::<usize>().ok()) {
                Some(at) if at < PAGES => Reply::page(
                    SUBJECTS[at],
                    &format!("<h1>{0}</h1><p>关于{0}工作的内容。</p>", SUBJECTS[at]),
                ),
                _ => Reply::missing(),
            }
        }
    }
}

fn is_page(asked: &Asked) -> bool {
    asked.path.starts_with("/p")
}

/// All pages were kept with their own content, in one version.
fn whole(world: &World, site: &str) {
    for (at, subject) in SUBJECTS.iter().enumerate() {
        let url = format!("http://{site}.test/p{at}.html");
        let why = world.run(&["why", "--json", &url]).json();
        assert_eq!(why["state"], "ok", "{site}: {why}");
        let versions = why["snapshots"].as_array().expect("snapshots");
        assert_eq!(versions.len(), 1, "{site} {subject}: {why}");
    }
    let out = world.run(&["store", "export-warc", "--site", site, "out.warc"]);
    assert_eq!(out.code, 0, "{}", out.stderr);
    let warc = std::fs::read_to_string(world.path("out.warc")).expect("exported");
    for subject in SUBJECTS {
        assert!(warc.contains(&format!("关于{subject}工作")), "{site}: {subject}");
    }
    assert!(!warc.contains("拦截") && !warc.contains("稍候"), "{site}: a refusal was kept");
}

#[test]
fn coverage_under_every_kind_of_throttling() {
    let begun = Instant::now();
    let server = serve(move |asked| {
        let limited = |status, headers: &str| Reply::Other(status, headers.to_owned(), "busy".to_owned());
        match asked.host.split('.').next().unwrap_or_default() {
            "seconds" if is_page(asked) && asked.before % 5 == 4 => {
                limited("429 Too Many Requests", "retry-after: 1\r\n")
            }
            "date" if is_page(asked) && asked.before % 9 == 8 => {
                let later = std::time::SystemTime::now() + Duration::from_secs(2);
                limited("503 Service Unavailable", &format!("retry-after: {}\r\n", httpdate(later)))
            }
            "bare" if is_page(asked) && asked.before % 3 == 2 => limited("429 Too Many Requests", ""),
            "busy" if is_page(asked) && asked.before % 4 == 3 => limited("503 Service Unavailable", ""),
            "slow" => {
                std::thread::sleep(Duration::from_millis(150));
                site(asked)
            }
            "away" if (500..2_500).contains(&begun.elapsed().as_millis()) => Reply::Cut,
            // A firewall that says 200, with the words for it.
            "words" if is_page(asked) && asked.before % 4 == 3 => {
                Reply::page("提示", "<p>您的访问被拦截，编号 12345</p>")
            }
            // And one that says nothing we know: one and the same page for everything, for a while.
            "same" if (6..18).contains(&asked.before) => {
                Reply::page("系统", &format!("<p>请稍候，请求编号 {}</p>", asked.before))
            }
            _ => site(asked),
        }
    });
    let sites = ["plain", "seconds", "date", "bare", "busy", "slow", "away", "words", "same"];
    let world = World::with_config(&config(&sites, server.port, ""));
    let ended = world.run(&["crawl", "--json"]);
    assert_eq!(ended.code, 0, "{} {}", ended.stdout, ended.stderr);
    for site in sites {
        whole(&world, site);
    }
    // Nothing was asked of a host before the time it named.
    let asked = server.asked();
    for (host, pause) in [("seconds.test", 1_000), ("bare.test", 300), ("busy.test", 300)] {
        let of: Vec<&Asked> = asked.iter().filter(|one| one.host == host).collect();
        let every = match host {
            "seconds.test" => 5,
            "bare.test" => 3,
            _ => 4,
        };
        for (at, one) in of.iter().enumerate() {
            if is_page(one)
                && one.before % every == every - 1
                && let Some(next) = of.get(at + 1)
            {
                let apart = next.at.duration_since(one.at);
                // What was under way already when the host said so was asked before.
                assert!(
                    apart.as_millis() >= pause || apart.as_millis() < 40,
                    "{host}: {apart:?} after {}",
                    one.path
                );
            }
        }
    }
}

fn httpdate(at: std::time::SystemTime) -> String {
    let at = jiff::Timestamp::try_from(at).expect("time");
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[test]
fn pages_that_only_speak_of_refusals_do_not_hold_up_their_host() {
    let server = serve(|asked| match asked.path.as_str() {
        path if path.starts_with("/login") => Reply::page("登录", "<p>请完成安全验证后登录</p>"),
        "/" => {
            let logins: String = (0..30).map(|at| format!("<a href=/login{at}.html>登录</a>")).collect();
            let links: String = (0..PAGES).map(|at| format!("<a href=/p{at}.html>页</a>")).collect();
            Reply::page("首页", &format!("<h1>首页</h1>{logins}{links}"))
        }
        _ => site(asked),
    });
    let world = World::with_config(&config(&["a"], server.port, ""));
    let begun = Instant::now();
    let ended = world.run(&["run", "--json"]);
    // At most two waits for each text, not for each page.
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let logins = server.asked().iter().filter(|one| one.path.starts_with("/login")).count();
    assert!((30..45).contains(&logins), "{logins}");
    whole(&world, "a");
}

/// Pages of a site that fail by themselves, each for good, beside twelve that do not.
fn with_broken_ones(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/" => {
            let broken = ["busy", "cut"].map(|kind| {
                (0..6).map(|at| format!("<a href=/{kind}{at}.html>坏页</a>")).collect::<String>()
            });
            let links: String = (0..PAGES).map(|at| format!("<a href=/p{at}.html>页</a>")).collect();
            Reply::page("首页", &format!("<h1>首页</h1>{}{links}", broken.concat()))
        }
        path if path.starts_with("/busy") => {
            Reply::Other("503 Service Unavailable", String::new(), "application pool".to_owned())
        }
        path if path.starts_with("/cut") => Reply::Cut,
        _ => site(asked),
    }
}

#[test]
fn pages_that_fail_by_themselves_do_not_hold_up_their_site() {
    let server = serve(with_broken_ones);
    let world = World::with_config(&config(&["a"], server.port, "[search]\nenabled = false"));
    let begun = Instant::now();
    let ended = world.run(&["run", "--json"]);
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    assert_eq!(ended.code, 0, "{} {}", ended.stdout, ended.stderr);
    whole(&world, "a");
    let findings = world.findings();
    assert!(!findings.iter().any(|one| one["kind"] == "unreachable"), "{findings:#?}");
    let verdicts = world.read_json("xunjian-data/report/verdicts.json");
    assert!(!verdicts[0]["vetoes"].to_string().contains("V2"), "the site opens: {verdicts}");
    for (page, state) in [("busy3", "server-error"), ("cut3", "broken")] {
        let why = world.run(&["why", "--json", &format!("http://a.test/{page}.html")]).json();
        assert!(why["state"].as_str().is_some_and(|told| told.starts_with(state)), "{why}");
    }
    // Each is tried a few times, and fewer in the next night.
    let broken = || {
        let asked = server.asked();
        asked.iter().filter(|one| one.path.starts_with("/busy") || one.path.starts_with("/cut")).count()
    };
    let first = broken();
    assert!(first < 60, "{first}");
    assert_eq!(world.run(&["run"]).code, 0);
    let second = broken() - first;
    assert!((12..24).contains(&second), "{first}, then {second}");
}

#[test]
fn a_site_that_only_says_it_is_being_mended_ends_its_crawl_and_is_not_judged_by_that() {
    let mended = AtomicBool::new(true);
    let mended = Arc::new(mended);
    let is_mended = Arc::clone(&mended);
    let server = serve(move |asked| match is_mended.load(Ordering::SeqCst) || asked.path == "/robots.txt" {
        true => site(asked),
        false => Reply::page("系统维护", "<h1>网站升级维护中</h1><p>给您带来不便，敬请谅解。</p>"),
    });
    let text =
        config(&["a"], server.port, "[search]\nenabled = false").replace("patience_s = 20", "patience_s = 2");
    let world = World::with_config(&text);
    assert_eq!(world.run(&["run"]).code, 0);
    let before = world.comparable();
    mended.store(false, Ordering::SeqCst);
    let begun = Instant::now();
    let ended = world.run(&["run", "--json"]);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(ended.code, 3, "{} {}", ended.stdout, ended.stderr);
    let during = world.comparable();
    let ids = |all: &[Value]| all.iter().map(|one| one["id"].to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&during), ids(&before), "nothing new is said of its home page, and nothing is mended");
    whole(&world, "a");
    mended.store(true, Ordering::SeqCst);
    assert_eq!(world.run(&["run"]).code, 0);
    assert_eq!(ids(&world.comparable()), ids(&before));
}

#[test]
fn refusals_that_differ_each_time_do_not_hold_up_the_night() {
    let server = serve(|asked| match asked.path.as_str() {
        "/" | "/robots.txt" => site(asked),
        _ => Reply::page(
            "提示",
            &format!("<p>您的访问被拦截，事件 {:x}</p>", asked.before.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
        ),
    });
    let text =
        config(&["a"], server.port, "[search]\nenabled = false").replace("patience_s = 20", "patience_s = 2");
    let world = World::with_config(&text);
    let begun = Instant::now();
    let ended = world.run(&["run", "--json"]);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(ended.code, 3, "{} {}", ended.stdout, ended.stderr);
    assert!(ended.json()["left_out"]["a"]["limited"].as_u64() > Some(5), "{}", ended.stdout);
}

#[test]
fn a_kill_inside_a_block_does_not_end_it() {
    let server = serve(|asked| match asked.path.as_str() {
        "/p3.html" if asked.before < 10 => {
            Reply::Other("429 Too Many Requests", "retry-after: 4\r\n".to_owned(), String::new())
        }
        _ => site(asked),
    });
    let text =
        config(&["a"], server.port, "").replace("connections = 2\naddress", "connections = 1\naddress");
    let world = World::with_config(&text);
    let mut child = world.start(&["crawl"]);
    let limited = loop {
        std::thread::sleep(Duration::from_millis(10));
        if let Some(one) = server.asked().iter().find(|one| one.path == "/p3.html") {
            break one.clone();
        }
    };
    sleep_until(limited.at, Duration::from_millis(1_200));
    child.kill().expect("killed");
    child.wait().expect("ended");
    let ended = world.run(&["crawl"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let after: Vec<Asked> = server.asked().into_iter().filter(|one| one.at > limited.at).collect();
    let first = after.first().expect("it went on");
    let apart = first.at.duration_since(limited.at);
    assert!(apart >= Duration::from_secs(4), "asked for {} after {apart:?}", first.path);
    whole(&world, "a");
}

#[test]
fn a_third_of_all_connections_cut() {
    let server = serve(|asked| {
        // By a hash of the count, so that the same request does not always fail.
        if (asked.before * 7 + 3) % 10 < 3 { Reply::Cut } else { site(asked) }
    });
    let world = World::with_config(&config(&["a", "b", "c"], server.port, ""));
    let ended = world.run(&["crawl", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for site in ["a", "b", "c"] {
        whole(&world, site);
    }
}

#[test]
fn names_that_do_not_resolve_for_a_while() {
    let server = serve(site);
    let healthy = Arc::new(AtomicBool::new(false));
    let works = Arc::clone(&healthy);
    let dns = serve_names(move || works.load(Ordering::Relaxed));
    let port = server.port;
    let text = config(&[], 1, "")
        .replace("[network]\n", &format!("[network]\nname_servers = [\"127.0.0.1:{dns}\"]\n"))
        + &format!(
            "[[site]]\nid = \"a\"\nname = \"a\"\nurl = \"http://a.test:{port}/\"\nkind = \"department\"\n"
        );
    let world = World::with_config(&text);
    let mut child = world.start(&["crawl"]);
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(server.asked().len(), 0);
    healthy.store(true, Ordering::Relaxed);
    assert_eq!(child.wait().expect("ended").code(), Some(0));
    for at in 0..PAGES {
        let why = world.run(&["why", "--json", &format!("http://a.test:{port}/p{at}.html")]).json();
        assert_eq!(why["state"], "ok", "{why}");
    }
}

#[test]
fn a_host_that_never_comes_back_is_given_up_and_the_run_says_so() {
    let server = serve(|asked| if asked.before >= 4 { Reply::Cut } else { site(asked) });
    let text = config(&["a"], server.port, "").replace("patience_s = 20", "patience_s = 1");
    let world = World::with_config(&text);
    let begun = Instant::now();
    let ended = world.run(&["run", "--json"]);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let left_out = &ended.json()["left_out"]["a"]["host-down"];
    assert!(left_out.as_u64() > Some(4), "{}", ended.stdout);
    assert!(ended.stderr.contains("host-given-up"), "{}", ended.stderr);
    assert_eq!(ended.json()["complete"], false);
}

#[test]
fn robots_txt_that_never_comes_ends_a_site_and_not_the_night() {
    let server = serve(|asked| match (asked.host.as_str(), asked.path.as_str()) {
        ("a.test", "/robots.txt") => {
            Reply::Other("500 Internal Server Error", String::new(), "failed".to_owned())
        }
        ("b.test", "/robots.txt") => Reply::redirect("http://away.test/robots.txt"),
        _ => site(asked),
    });
    // Nothing listens there.
    let text = config(&["a", "b", "c"], server.port, "").replace(
        "\"a.test\"",
        &format!("\"away.test\" = \"127.0.0.1:{}\"\n\"a.test\"", support::free_port()),
    );
    let world = World::with_config(&text);
    let begun = Instant::now();
    let ended = world.run(&["run", "--json"]);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    for site in ["a", "b"] {
        let left_out = &ended.json()["left_out"][site]["robots-unreachable"];
        assert!(left_out.as_u64() > Some(0), "{site}: {}", ended.stdout);
        let host = format!("{site}.test");
        let asked = server.asked().into_iter().filter(|one| one.host == host && one.path == "/robots.txt");
        assert!((2..=8).contains(&asked.count()), "{site}");
    }
    whole(&world, "c");
}

#[test]
fn hosts_that_are_blocked_do_not_hold_up_their_neighbours() {
    let server = serve(|asked| {
        let blocked = asked.host.starts_with("busy") && asked.before == 0;
        match blocked {
            true => Reply::Other("429 Too Many Requests", "retry-after: 6\r\n".to_owned(), "busy".to_owned()),
            false => site(asked),
        }
    });
    // More of them than the address has connections.
    let sites = ["busy0", "busy1", "busy2", "fine"];
    let config =
        config(&sites, server.port, "").replace("address_connections = 64", "address_connections = 2");
    let world = World::with_config(&config);
    let ended = world.run(&["crawl"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let asked = server.asked();
    let blocked = asked.iter().position(|one| one.host.starts_with("busy")).expect("a busy host");
    let last = asked.iter().rposition(|one| one.host.starts_with("fine") && is_page(one)).expect("pages");
    let again = asked.iter().position(|one| one.host.starts_with("busy") && is_page(one)).expect("pages");
    assert!(blocked < last && last < again, "{blocked}, {last}, {again} of {}", asked.len());
    for site in sites {
        whole(&world, site);
    }
}

#[test]
fn what_did_not_answer_is_not_taken_for_mended() {
    let night = Arc::new(AtomicUsize::new(1));
    let now = Arc::clone(&night);
    let server = serve(move |asked| {
        let night = now.load(Ordering::Relaxed);
        let failing = || Reply::Other("500 Internal Server Error", String::new(), "failed".to_owned());
        match (asked.host.as_str(), asked.path.as_str(), night) {
            ("a.test", "/", night) => {
                let removed = if night < 3 { "<a href=/removed.html>公示</a>" } else { "" };
                let links = "<a href=/p.html>文章</a><a href=/q.html>公告</a><a href='http://b.test/x.html'>相关网站</a>";
                Reply::page("首页", &format!("<h1>首页</h1>{links}{removed}"))
            }
            ("a.test", "/p.html", 1) => Reply::page("文章", "<h1>文章</h1><p>这里有违禁词语。</p>"),
            ("a.test", "/p.html", 2) => failing(),
            ("a.test", "/q.html", 1) => Reply::page("公告", "<h1>公告</h1><p>这里也有违禁词语。</p>"),
            ("a.test", "/q.html", _) => Reply::Other("403 Forbidden", String::new(), "no".to_owned()),
            ("a.test", "/p.html", _) => Reply::page("文章", "<h1>文章</h1><p>这里什么也没有。</p>"),
            ("a.test", "/removed.html", 2..) => failing(),
            ("b.test", "/x.html", 2) => Reply::Cut,
            ("b.test", "/x.html", 3) => Reply::page("相关网站", "<p>这里是另一个网站的内容。</p>"),
            _ => Reply::missing(),
        }
    });
    let text = config(
        &["a"],
        server.port,
        "[render]\nbrowser = \"off\"\n[search]\nenabled = false\n[scan]\ndictionaries = [\"words.txt\"]",
    )
    .replace(
        "\"a.test\"",
        &format!("\"b.test\" = \"127.0.0.1:{}\"\n\"www.a.test\" = []\n\"a.test\"", server.port),
    );
    let world = World::with_config(&text);
    world.write("words.txt", "违禁词语\n".as_bytes());
    let ids = |all: &Value| -> Vec<String> {
        let sought = ["sensitive-word", "dead-link"];
        let all = all.as_array().expect("findings").iter();
        all.filter(|one| sought.iter().any(|kind| one["kind"] == *kind))
            .map(|one| one["id"].to_string())
            .collect()
    };
    let listed = || world.run(&["findings", "list", "--json"]).json();
    let faults = || ids(&listed());
    let one = || {
        let all = listed();
        let mut all = all.as_array().expect("findings").iter();
        all.find(|one| one["url"] == "http://a.test/p.html").expect("one").clone()
    };
    let seen = || one()["last_seen"].clone();
    let mended = |night: usize| {
        let run = world.run(&["run", "--json"]);
        assert_eq!(run.code, 0, "night {night}: {}", run.stderr);
        run.json()["findings"]["mended"].clone()
    };
    assert_eq!(mended(1), 0);
    let found = faults();
    assert_eq!(found.len(), 4, "{found:?}");
    let last_seen = seen();
    // The office says that it is mended. A night that does not see the page cannot say that it is not.
    let id = one()["id"].as_str().expect("an id").to_owned();
    for step in [&["notify", &id, "--by", "王芳"][..], &["rectify", &id, "--by", "李明"]] {
        let done = world.run(&[&["findings"], step].concat());
        assert_eq!(done.code, 0, "{}", done.stderr);
    }
    let rectification = || one()["case"]["rectification"].clone();
    let reported = rectification();
    assert!(reported["reported"].is_object(), "{reported}");
    night.store(2, Ordering::Relaxed);
    assert_eq!(mended(2), 0);
    assert_eq!(faults(), found, "nothing is known of them");
    assert_eq!(seen(), last_seen, "it was not seen again");
    assert_eq!(rectification(), reported);
    let again = ["findings", "recheck", "--kind", "sensitive-word", "--kind", "dead-link", "--json"];
    let looked = world.run(&again);
    // Of a page that turns us away among many others nobody knows; when it is asked for alone it is withdrawn.
    let count = |what: &str| looked.json()[what].as_array().map(Vec::len);
    assert_eq!((count("not_checked"), count("mended")), (Some(3), Some(1)), "{}", looked.stdout);
    assert_eq!(faults().len(), 3);
    // What is mended, no longer linked, or there again is told.
    night.store(3, Ordering::Relaxed);
    assert!(mended(3).as_u64() >= Some(4));
    assert_eq!(ids(&world.read_json("xunjian-data/report/mended.json")).len(), 4);
    assert_eq!(faults(), Vec::<String>::new());
}

#[test]
fn a_fault_is_mended_in_a_night_that_did_not_see_everything() {
    let night = Arc::new(AtomicUsize::new(1));
    let now = Arc::clone(&night);
    let server = serve(move |asked| {
        let first = now.load(Ordering::Relaxed) == 1;
        let word = if first { "这里有违禁词语。" } else { "这里什么也没有。" };
        match (asked.host.as_str(), asked.path.as_str()) {
            ("a.test", "/") => {
                let links = (0..PAGES).map(|at| format!("<a href='http://b.test/{at}.html'>公告{at}</a>"));
                Reply::page("首页", &format!("<a href=/p.html>文章</a>{}", links.collect::<String>()))
            }
            ("b.test", _) if !first => Reply::Cut,
            ("a.test", "/p.html") | ("b.test", "/0.html") => {
                Reply::page("文章", &format!("<h1>文章</h1><p>{word}</p>"))
            }
            ("b.test", path) => Reply::page(path, &format!("<h1>{path}</h1><p>公告{path}的内容。</p>")),
            _ => Reply::missing(),
        }
    });
    let more =
        "[render]\nbrowser = \"off\"\n[search]\nenabled = false\n[scan]\ndictionaries = [\"words.txt\"]";
    let text = config(&["a"], server.port, more)
        .replace("patience_s = 20", "patience_s = 1")
        .replace(
            "\"a.test\"",
            &format!("\"b.test\" = \"127.0.0.1:{}\"\n\"www.a.test\" = []\n\"a.test\"", server.port),
        )
        .replace("kind = ", "hosts = [\"b.test\"]\nkind = ");
    let world = World::with_config(&text);
    world.write("words.txt", "违禁词语\n".as_bytes());
    let words = || {
        let findings = world.run(&["findings", "list", "--kind", "sensitive-word", "--json"]).json();
        let all = findings.as_array().expect("findings").iter();
        all.map(|one| one["url"].as_str().expect("url").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(world.run(&["run"]).code, 0);
    let mut before = words();
    before.sort();
    assert_eq!(before, ["http://a.test/p.html", "http://b.test/0.html"]);
    night.store(2, Ordering::Relaxed);
    assert_eq!(world.run(&["run"]).code, 3, "a host was not reached");
    assert_eq!(words(), ["http://b.test/0.html"]);
}

#[test]
fn who_asks_to_wait_is_left_alone_by_what_follows_the_crawl_too() {
    let server = serve(|asked| match asked.path.as_str() {
        "/" => {
            let form = "<form action=/search><input name=q></form>";
            let rows =
                "<ul class=list><li><a href=/p.html>关于防汛工作的通知</a><span>2026-06-29</span></li></ul>";
            Reply::page(
                "首页",
                &format!("<h1>首页</h1>{form}<div class=nav><a href=/list/>工作动态</a></div>{rows}"),
            )
        }
        "/list/" => Reply::page(
            "工作动态",
            "<h1>工作动态</h1><ul class=list><li><a href=/p.html>关于防汛工作的通知</a><span>2026-06-29</span></li></ul>",
        ),
        "/p.html" => {
            Reply::Other("429 Too Many Requests", "retry-after: 600\r\n".to_owned(), "busy".to_owned())
        }
        path if path.starts_with("/search") => Reply::page("搜索", "<p>没有结果</p>"),
        _ => Reply::missing(),
    });
    let text = config(&["a"], server.port, "[render]\nbrowser = \"off\"")
        .replace("connections = 2", "connections = 1\nretry_after_max_s = 300")
        .replace("\"a.test\"", &format!("\"www.a.test\" = \"127.0.0.1:{}\"\n\"a.test\"", server.port));
    let world = World::with_config(&text);
    assert!(matches!(world.run(&["run"]).code, 0 | 3));
    let asked = server.asked();
    let of_host: Vec<&str> =
        asked.iter().filter(|one| one.host == "a.test").map(|one| one.path.as_str()).collect();
    assert!(of_host.contains(&"/list/"), "{of_host:?}");
    assert_eq!(of_host.last(), Some(&"/p.html"), "{of_host:?}");
    let rounds = world.run(&["watch", "--once", "--json"]).json();
    assert_eq!((&rounds["visited"], &rounds["left_alone"]), (&0.into(), &1.into()), "{rounds}");
    assert_eq!(server.asked().iter().filter(|one| one.host == "a.test").count(), of_host.len());
}
