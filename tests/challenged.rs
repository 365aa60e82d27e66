//! Firewalls that show their pages to browsers alone: what such a site answers says nothing of it, so that it is
//! neither called unreachable nor judged by what is missing, and a header of its own opens it.

#[path = "support/client.rs"]
mod client;
#[path = "support/server.rs"]
mod server;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use client::Serving;
use server::{Asked, Reply, serve};
use support::World;

const PACKED: &str = "<html><head><meta id=\"9Dhe\" content=\"a\" r=\"m\"><script r='m'>$_ts=window['$_ts'];if(!$_ts)$_ts={};$_ts.cd=\"q\";</script><script src=\"/4Qb/d.js\" r='m'></script></head><body></body></html>";
const COOKIE: &str =
    "<script>document.cookie=('_')+('_')+('j');location.href=location.pathname+location.search</script>";
/// What each of the sites answers with.
const SITES: [(&str, &str, &str); 4] = [
    ("a", "412 Precondition Failed", PACKED),
    ("b", "521 Unknown", COOKIE),
    ("c", "202 Accepted", PACKED),
    ("d", "200 OK", COOKIE),
];
const KEY: &str = "x-inspection: s3cret-of-ours";

fn challenge(site: &str) -> Option<Reply> {
    let (_, status, body) = SITES.into_iter().find(|(id, ..)| site.starts_with(&format!("{id}.")))?;
    Some(Reply::Other(status, "content-type: text/html\r\n".to_owned(), body.to_owned()))
}

fn page(asked: &Asked) -> Reply {
    let sites = ["a", "b", "c", "d"];
    match asked.path.as_str() {
        "/" if asked.host == "e.test" => {
            let links: String =
                sites.iter().map(|id| format!("<a href=http://{id}.out.test/x.html>链接{id}</a>")).collect();
            Reply::page("首页", &format!("<h1>首页</h1>{links}"))
        }
        "/" => {
            let links: String = (0..20).map(|at| format!("<a href=/p{at}.html>第{at}页</a>")).collect();
            Reply::page("首页", &format!("<h1>首页</h1>{links}<a href=/away>移走</a>"))
        }
        "/away" => Reply::redirect("http://e.test/away.html"),
        "/p3.html" => Reply::page("公告", "<h1>公告</h1><p>这里有违禁词语。</p>"),
        path if path.starts_with("/p") => {
            Reply::page(path, &format!("<h1>{path}</h1><p>{path} 的内容。</p>"))
        }
        "/x.html" => Reply::page("网站", "<p>网站的内容。</p>"),
        "/away.html" => Reply::page("移走", "<p>移走了的内容。</p>"),
        _ => Reply::missing(),
    }
}

fn config(port: u16, more: &str) -> String {
    let mut text = format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\nblock_s = 0.3\npatience_s = 3\n[crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n[search]\nenabled = false\n[scan]\ndictionaries = [\"words.txt\"]\n{more}[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n"
    );
    for id in ["a", "b", "c", "d", "e"] {
        text.push_str(&format!("\"{id}.test\" = \"127.0.0.1:{port}\"\n\"www.{id}.test\" = []\n"));
        text.push_str(&format!("\"{id}.out.test\" = \"127.0.0.1:{port}\"\n"));
    }
    for id in ["a", "b", "c", "d", "e"] {
        text.push_str(&format!(
            "[[site]]\nid = \"{id}\"\nname = \"{id}\"\nurl = \"http://{id}.test/\"\nkind = \"department\"\n"
        ));
    }
    text
}

/// Nothing that a firewall's answer could be taken for.
const ACCUSED: [&str; 5] = ["unreachable", "dead-link", "soft-404", "missing-label", "stale-home"];

#[test]
fn a_site_whose_firewall_asks_for_a_browser_is_not_accused() {
    let server = serve(|asked| challenge(&asked.host).unwrap_or_else(|| page(asked)));
    let world = World::with_config(&config(server.port, ""));
    world.write("words.txt", "违禁词语\n".as_bytes());
    let ended = world.english(&["run", "--json"]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let left_out = &ended.json()["left_out"];
    for (id, status, _) in SITES {
        assert_eq!(left_out[id]["challenged"], 1, "{id}: {left_out}");
        let why = world.run(&["why", "--json", &format!("http://{id}.test/")]).json();
        let told = format!("challenged ({})", &status[..3]);
        assert_eq!((why["state"].as_str(), &why["left_out"]), (Some(told.as_str()), &"challenged".into()));
        assert!(why["snapshots"].as_array().is_some_and(Vec::is_empty), "{why}");
        let said = format!("incomplete {id}: {told}");
        assert!(ended.stderr.contains(&said), "{said} in {}", ended.stderr);
    }
    for finding in world.findings() {
        let of_e = finding["site"] == "e" && !finding["url"].as_str().unwrap_or("").contains("out.test");
        let kind = finding["kind"].as_str().expect("kind");
        assert!(of_e && !["dead-link", "soft-404"].contains(&kind) || !ACCUSED.contains(&kind), "{finding}");
    }
    // Nobody is failed for it, and nobody passes.
    let verdicts = world.read_json("xunjian-data/report/verdicts.json");
    for verdict in verdicts.as_array().expect("verdicts") {
        assert_eq!(verdict["result"], "review", "{}", verdict["site"]);
    }
    let visited = world.english(&["watch", "--once", "--json"]);
    let failed = &visited.json()["failed"];
    assert_eq!((visited.code, failed), (0, &serde_json::json!([])), "{}", visited.stderr);

    let serving = Serving::start(&world, "127.0.0.1", "");
    assert!(serving.get("/").body.contains("未查完"), "the list of sites");
    let site = serving.get("/sites/b").body;
    assert!(site.contains("没有全部查完") && site.contains("网站防护要求浏览器校验 (521)"), "{site}");
    assert!(!serving.get("/sites/e").body.contains("没有全部查完"));
}

#[test]
fn what_was_found_before_a_firewall_came_stays_and_its_host_is_not_asked_for_every_page() {
    let night = Arc::new(AtomicUsize::new(1));
    let now = Arc::clone(&night);
    let server = serve(move |asked| match now.load(Ordering::Relaxed) {
        2 if asked.path != "/" => challenge(&asked.host).unwrap_or_else(|| page(asked)),
        _ => page(asked),
    });
    let world = World::with_config(&config(server.port, ""));
    world.write("words.txt", "违禁词语\n".as_bytes());
    let found = || {
        let words = world.findings().into_iter().filter(|one| one["kind"] == "sensitive-word");
        words.map(|one| one["url"].as_str().expect("url").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(world.run(&["run"]).code, 0);
    let first = found();
    assert_eq!(first.len(), 4, "{first:?}");
    let asked = server.asked().len();
    night.store(2, Ordering::Relaxed);
    let second = world.run(&["run", "--json"]);
    assert_eq!(second.code, 3, "{}", second.stderr);
    assert_eq!(found(), first, "nothing of it was mended");
    assert_eq!(second.json()["findings"]["mended"], 0);
    for (id, ..) in SITES {
        let host = format!("{id}.test");
        let pages = server.asked().into_iter().skip(asked);
        let pages = pages.filter(|one| one.host == host && one.path.starts_with("/p")).count();
        // Eight in a row are enough; some are under way by then.
        assert!((1..=16).contains(&pages), "{id}: {pages}");
        let left_out = &second.json()["left_out"][id]["challenged"];
        assert!(left_out.as_u64() >= Some(20), "{id}: {left_out}");
    }
    // A page that a firewall stands before is not withdrawn, whatever an office says is mended.
    let id = world.findings().into_iter().find(|one| one["kind"] == "sensitive-word").expect("a finding");
    let id = id["id"].as_str().expect("id").to_owned();
    let looked = world.run(&["findings", "recheck", &id, "--json"]).json();
    assert_eq!((looked["mended"].as_array().map(Vec::len), &looked["not_checked"][0]), (Some(0), &id.into()));
    night.store(3, Ordering::Relaxed);
    let third = world.run(&["run", "--json"]);
    assert_eq!((third.code, found()), (0, first), "{}", third.stderr);
}

#[test]
fn a_header_of_its_own_lets_the_inspection_through_and_goes_nowhere_else() {
    let knows = |asked: &Asked| asked.head.iter().any(|line| line.eq_ignore_ascii_case(KEY));
    let server = serve(move |asked| match challenge(&asked.host) {
        Some(refused) if !asked.host.contains("out") && !knows(asked) => refused,
        _ => page(asked),
    });
    let headers = "[network.headers]\n\"a.test\" = { X-Inspection = \"env:KEY_OF_TEST\" }\n\"*.test\" = { X-Other = \"1\" }\n\"b.test\" = { X-Inspection = \"file:key\" }\n\"c.test\" = { X-Inspection = \"s3cret-of-ours\" }\n\"d.test\" = { X-Inspection = \"s3cret-of-ours\" }\n";
    let world = World::with_config(
        &config(server.port, "").replace("[network.resolve]", &format!("{headers}[network.resolve]")),
    );
    world.write("words.txt", "违禁词语\n".as_bytes());
    let none = world.english(&["crawl"]);
    assert_eq!(none.code, 2, "{}", none.stderr);
    assert!(none.stderr.contains("xunjian.toml:") && none.stderr.contains("KEY_OF_TEST"), "{}", none.stderr);
    world.write("key", b"s3cret-of-ours\n");
    // Who asks nobody needs no secret.
    assert_eq!(world.run(&["sites", "check"]).code, 0);
    let mut command = world.command(&["run", "--json", "-vv"]);
    let ended = command.env("KEY_OF_TEST", "s3cret-of-ours").output().expect("run");
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{stderr}");
    assert!(!stderr.contains("s3cret"), "a secret was told");
    let words = world.findings().into_iter().filter(|one| one["kind"] == "sensitive-word").count();
    assert_eq!(words, 4);
    let asked = server.asked();
    assert!(
        asked.iter().any(|one| one.host == "e.test" && one.path == "/away.html"),
        "a redirect was followed"
    );
    for one in &asked {
        let ours = ["a.test", "b.test", "c.test", "d.test"].contains(&one.host.as_str());
        assert_eq!(knows(one), ours, "{one:?}");
    }
    let out = world.run(&["store", "export-warc", "out.warc"]);
    assert_eq!(out.code, 0, "{}", out.stderr);
    let warc = std::fs::read(world.path("out.warc")).expect("exported");
    assert!(!String::from_utf8_lossy(&warc).contains("s3cret"));
}
