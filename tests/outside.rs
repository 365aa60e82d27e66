//! Links to other hosts: how each target is asked for, and what is said of it.

#[path = "support/server.rs"]
mod server;
mod support;

use server::{Reply, serve};
use support::World;

fn config(port: u16) -> String {
    let own =
        ["www.test.gov.cn", "test.gov.cn", "other.example", "strict.example", "cut.example", "sale.example"]
            .map(|host| format!("\"{host}\" = \"127.0.0.1:{port}\"\n"));
    format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n\
         [crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n[search]\nenabled = false\n\
         [network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n{}\
         [[site]]\nid = \"www\"\nname = \"试验市人民政府\"\nurl = \"http://www.test.gov.cn/\"\nkind = \"portal\"\n",
        own.concat()
    )
}

#[test]
fn outside_targets_are_asked_by_head_then_for_their_first_bytes() {
    let server = serve(|asked| {
        let is_head = asked.head[0].starts_with("HEAD");
        match (asked.host.as_str(), asked.path.as_str()) {
            ("www.test.gov.cn", "/") => Reply::page(
                "试验市人民政府",
                "<a href='http://other.example/page'>文章</a><a href='http://other.example/paper'>文件</a>\
                 <a href='http://other.example/moved'>旧址</a><a href='http://other.example/gone'>没有</a>\
                 <a href='http://strict.example/page'>只许读取</a><a href='http://cut.example/page'>不答</a>\
                 <a href='http://sale.example/'>域名</a>",
            ),
            ("other.example", "/page") => Reply::page("一篇文章", "<p>正文在这里，说的是今天的事。</p>"),
            ("other.example", "/paper") => {
                Reply::Other("200 OK", "content-type: application/pdf\r\n".to_owned(), "%PDF-1.7".to_owned())
            }
            ("other.example", "/moved") => Reply::redirect("http://other.example/page"),
            ("strict.example", "/page") if is_head => {
                Reply::Other("405 Method Not Allowed", String::new(), String::new())
            }
            ("cut.example", "/page") if is_head => Reply::Cut,
            ("strict.example" | "cut.example", "/page") => {
                Reply::page("另一篇文章", "<p>另一个正文，说的是昨天的事。</p>")
            }
            ("sale.example", "/") => Reply::page("域名出售", "<p>此域名正在出售，域名出售，有意者请联系</p>"),
            _ => Reply::missing(),
        }
    });
    let world = World::with_config(&config(server.port));
    let run = world.run(&["crawl", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let asked = server.asked();
    let of = |host: &str, path: &str| -> Vec<String> {
        let range =
            |head: &[String]| head.iter().find_map(|line| line.strip_prefix("range: ").map(str::to_owned));
        asked
            .iter()
            .filter(|one| one.host == host && one.path == path)
            .map(|one| {
                let method = one.head[0].split(' ').next().unwrap_or_default();
                format!("{method} {}", range(&one.head).unwrap_or_default()).trim().to_owned()
            })
            .collect()
    };
    // The redirect led here by its head; then the text of its end was asked for.
    assert_eq!(of("other.example", "/moved"), ["HEAD"]);
    let mut page = of("other.example", "/page");
    page.sort();
    assert_eq!(page, ["GET bytes=0-32767", "GET bytes=0-32767", "HEAD", "HEAD"]);
    assert_eq!(of("other.example", "/paper"), ["HEAD"], "the head of a file says all that is asked");
    assert_eq!(of("strict.example", "/page"), ["HEAD", "GET bytes=0-32767"], "no HEAD there");
    assert_eq!(of("cut.example", "/page"), ["HEAD", "GET bytes=0-32767"], "no answer to HEAD");
    // Idle connections count among those that may be open at once.
    let outside = asked.iter().filter(|one| one.host.ends_with(".example"));
    assert!(outside.clone().all(|one| one.head.contains(&"connection: close".to_owned())), "{asked:?}");
    assert_eq!(
        of("other.example", "/gone"),
        ["HEAD", "GET bytes=0-32767", "GET bytes=0-32767"],
        "after a pause"
    );

    for (url, state) in [
        ("http://other.example/page", "ok"),
        ("http://other.example/paper", "ok"),
        ("http://other.example/moved", "ok"),
        ("http://strict.example/page", "ok"),
        ("http://cut.example/page", "ok"),
        ("http://other.example/gone", "gone (404)"),
        ("http://sale.example/", "hijacked (parked domain)"),
    ] {
        let told = world.run(&["why", url, "--json"]).stdout;
        let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!(told["state"], state, "{url}");
    }
    let moved = world.run(&["why", "http://other.example/moved", "--json"]).stdout;
    assert!(moved.contains("302"), "its hop is kept: {moved}");
}

#[test]
fn who_asks_for_cookies_first_is_not_taken_for_a_circle() {
    let server = serve(|asked| {
        let brings = |what: &str| {
            let sent = asked.head.iter().find_map(|line| line.strip_prefix("cookie: "));
            sent.is_some_and(|sent| sent.contains(what))
        };
        let circle = |path: &str| {
            Reply::Other(
                "302 Found",
                format!("location: {path}\r\nset-cookie: seen=1; Path=/\r\n"),
                String::new(),
            )
        };
        match (asked.host.as_str(), asked.path.as_str()) {
            ("www.test.gov.cn", "/") if brings("seen=1") => Reply::page(
                "试验市人民政府",
                "<a href='/own'>文章</a><a href='http://other.example/page'>文章</a><a href='http://strict.example/never'>不通</a>",
            ),
            ("www.test.gov.cn", "/own") if brings("seen=1") => Reply::page("文章", "<p>正文。</p>"),
            ("www.test.gov.cn", "/" | "/own") => circle(&asked.path),
            ("other.example", "/page") if brings("seen=1") => Reply::page("一篇文章", "<p>正文在这里。</p>"),
            ("other.example", "/page") => circle("/gate"),
            ("other.example", "/gate") => circle("/page"),
            ("strict.example", "/never") => circle("/never"),
            _ => Reply::missing(),
        }
    });
    let world = World::with_config(&config(server.port));
    let run = world.run(&["crawl", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for (url, state) in [
        ("http://www.test.gov.cn/", "ok"),
        ("http://www.test.gov.cn/own", "ok"),
        ("http://other.example/page", "ok"),
        ("http://strict.example/never", "redirect-loop"),
    ] {
        let why = world.run(&["why", "--json", url]).json();
        assert_eq!(why["state"], state, "{url}: {why}");
    }
    // Nobody is known by them the next time.
    let asked = server.asked();
    let first = asked.iter().find(|one| one.path == "/own").expect("asked");
    assert!(!first.head.iter().any(|line| line.starts_with("cookie")), "{first:?}");
}
