//! What intruders leave: pages that only search engines see, and scripts that were not there before.

#[path = "support/server.rs"]
mod server;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use server::{Asked, Reply, serve};
use support::World;

fn config(port: u16) -> String {
    format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n[crawl]\nretry_pause_s = 0.1\nsecond_look_share = 1.0\n[render]\nbrowser = \"off\"\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"www.test\" = \"127.0.0.1:{port}\"\n\"shop.test\" = \"127.0.0.1:{port}\"\n[[site]]\nid = \"www\"\nname = \"市水利局\"\nurl = \"http://www.test/\"\nkind = \"department\"\n"
    )
}

fn is_engine(asked: &Asked) -> bool {
    let head = asked.head.join("\n").to_ascii_lowercase();
    head.contains("baiduspider") && head.contains("referer: https://www.baidu.com/")
}

/// Address and reason of the findings of a kind.
fn found(world: &World, kind: &str) -> Vec<(String, String)> {
    let all = world.findings();
    let of_kind = all.iter().filter(|one| one["kind"] == kind);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    of_kind.map(|one| (text(&one["url"]), text(&one["evidence"]["excerpt"]))).collect()
}

#[test]
fn what_only_search_engines_see_is_found_kept_and_mended() {
    let night = Arc::new(AtomicU32::new(1));
    let now = Arc::clone(&night);
    let server = serve(move |asked| {
        let bad = now.load(Ordering::Relaxed) < 3 && is_engine(asked);
        let long = "全市水利工作会议召开，部署下一阶段防汛抗旱和农村饮水安全工作。".repeat(4);
        match asked.path.as_str() {
            "/" if asked.host.starts_with("shop") => Reply::page("商城", "<p>特价</p>"),
            "/" => Reply::page(
                "市水利局",
                "<a href=/spam.html>甲</a><a href=/away.html>乙</a><a href=/other.html>丙</a><a href=/random.html>丁</a><a href=/turned-away.html>戊</a>",
            ),
            "/spam.html" if bad => Reply::page("澳门新葡京", "<p>澳门赌场在线开户，注册即送</p>"),
            "/away.html" if bad => Reply::redirect("http://shop.test/"),
            "/other.html" if bad => {
                Reply::page("另一页", &format!("<p>{}</p>", "别的文字别的内容。".repeat(12)))
            }
            "/turned-away.html" if is_engine(asked) => {
                Reply::Other("403 Forbidden", String::new(), String::new())
            }
            "/random.html" => Reply::page("丁", &format!("<h1>丁</h1><p>{long}</p><p>{}</p>", asked.before)),
            path => Reply::page(path, &format!("<h1>{path}</h1><p>{long}</p>")),
        }
    });
    let world = World::with_config(&config(server.port));
    for _ in 0..2 {
        world.run(&["run"]);
        let seen = found(&world, "cloaking");
        let urls: Vec<&str> = seen.iter().map(|(url, _)| url.as_str()).collect();
        assert_eq!(seen.len(), 3, "{seen:?}");
        for wanted in ["spam", "away", "other"] {
            assert!(urls.contains(&format!("http://www.test/{wanted}.html").as_str()), "{urls:?}");
        }
    }
    let all = world.findings();
    let one = |path: &str| {
        all.iter()
            .find(|one| one["kind"] == "cloaking" && one["url"] == format!("http://www.test/{path}.html"))
    };
    assert_eq!(one("away").expect("found")["evidence"]["excerpt"], "⟦leads to shop.test⟧");
    assert!(one("other").expect("found")["detail"]["review"].is_string(), "a person decides");
    let snapshot =
        one("spam").expect("found")["evidence"]["snapshot"].as_str().expect("a snapshot").to_owned();
    let why = world.run(&["why", "--json", "http://www.test/spam.html"]).json();
    let kept = why["snapshots"].as_array().expect("snapshots");
    let engine: Vec<_> = kept.iter().filter(|one| one["search_engine"] == true).collect();
    assert_eq!(engine.len(), 1, "the same page is kept once: {kept:?}");
    assert_eq!(engine[0]["snapshot"], snapshot.as_str());

    // The archive alone gives the page back as a reader sees it, and the other beside it.
    std::fs::remove_dir_all(world.path("xunjian-data/index")).expect("removed");
    assert_eq!(world.run(&["store", "rebuild"]).code, 0);
    assert_eq!(world.run(&["store", "verify"]).code, 0);
    world.run(&["scan"]);
    world.run(&["report"]);
    assert_eq!(found(&world, "cloaking").len(), 3);
    assert_eq!(found(&world, "spam-injection"), [], "what an engine is shown is not the page");
    let exported = world.run(&["store", "export-warc", "out.warc.gz"]);
    assert_eq!(exported.code, 0, "{}", exported.stderr);

    night.store(3, Ordering::Relaxed);
    world.run(&["run"]);
    assert_eq!(found(&world, "cloaking"), []);
}

#[test]
fn a_script_that_was_not_there_before_is_told() {
    let night = Arc::new(AtomicU32::new(1));
    let now = Arc::clone(&night);
    let server = serve(move |asked| {
        let all: String = (0..80).map(|at| format!("<a href=/p{at}.html>第{at}页</a>")).collect();
        let counter =
            "<script src=http://count.example/c.js></script><script src=http://hm.baidu.com/h.js></script>";
        let new = match now.load(Ordering::Relaxed) {
            1 => "",
            _ => "<script src=http://evil.example/x.js></script>",
        };
        let odd =
            if asked.path == "/p7.html" { "<script src=http://once.example/x.js></script>" } else { "" };
        match asked.path.as_str() {
            "/robots.txt" => Reply::missing(),
            "/" => Reply::page("市水利局", &format!("{counter}{new}{all}")),
            path if path.starts_with("/p") => {
                Reply::page(path, &format!("{counter}{new}{odd}<h1>{path}</h1><p>内容</p>"))
            }
            _ => Reply::missing(),
        }
    });
    let world = World::with_config(&config(server.port));
    world.run(&["run"]);
    let once = ("http://www.test/p7.html".to_owned(), "<script> ⟦once.example⟧".to_owned());
    assert_eq!(found(&world, "spam-injection"), std::slice::from_ref(&once));
    night.store(2, Ordering::Relaxed);
    for _ in 0..2 {
        world.run(&["run"]);
        let seen = found(&world, "spam-injection");
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert!(seen.contains(&once));
        assert!(seen.contains(&("http://www.test/".to_owned(), "<script> ⟦evil.example⟧".to_owned())));
    }
    let all = world.findings();
    assert!(all.iter().all(|one| one["kind"] != "spam-injection" || one["detail"]["review"].is_string()));
}
