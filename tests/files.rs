//! Attachments told by their first bytes, and visits that found nothing new.

#[path = "support/server.rs"]
mod server;
mod support;

use server::{Asked, Reply, serve};
use support::World;

fn config(port: u16, more: &str) -> String {
    format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n[crawl]\nretry_pause_s = 0.1\n[render]\nbrowser = \"off\"\n{more}\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"www.test\" = \"127.0.0.1:{port}\"\n[[site]]\nid = \"www\"\nname = \"市水利局\"\nurl = \"http://www.test/\"\nkind = \"department\"\n"
    )
}

fn site(asked: &Asked) -> Reply {
    let header = |name: &str| {
        asked.head.iter().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let file = |whole: &str| match header("range") {
        Some(_) if whole.is_empty() => Reply::Other(
            "416 Range Not Satisfiable",
            "content-range: bytes */0\r\n".to_owned(),
            String::new(),
        ),
        Some(_) => {
            let end = whole.len().min(1_024);
            let range = format!(
                "content-type: application/octet-stream\r\ncontent-range: bytes 0-{}/{}\r\n",
                end - 1,
                whole.len()
            );
            Reply::Other("206 Partial Content", range, whole[..end].to_owned())
        }
        None => {
            Reply::Other("200 OK", "content-type: application/octet-stream\r\n".to_owned(), whole.to_owned())
        }
    };
    match asked.path.as_str() {
        "/" => Reply::page(
            "首页",
            "<a href=/a.html>文</a><a href=/good.rar>甲</a><a href=/false.zip>乙</a><a href=/gone.rar>丙</a><a href=/empty.rar>丁</a>",
        ),
        "/a.html" if header("if-none-match").is_some() => {
            Reply::Other("304 Not Modified", "etag: \"a\"\r\n".to_owned(), String::new())
        }
        "/a.html" => {
            let page = "<html><title>文</title><h1>文</h1><p>内容</p></html>";
            Reply::Other("200 OK", "etag: \"a\"\r\n".to_owned(), page.to_owned())
        }
        "/good.rar" => file(&format!("Rar!\u{1a}\u{7}{}", "x".repeat(5_000))),
        "/false.zip" => file(&format!("%PDF-1.7 {}", "x".repeat(5_000))),
        "/empty.rar" => file(""),
        _ => Reply::missing(),
    }
}

#[test]
fn attachments_are_told_by_their_first_bytes() {
    let server = serve(site);
    let world = World::with_config(&config(server.port, ""));
    assert_eq!(world.run(&["run"]).code, 0);
    let findings = world.findings();
    let mut dead: Vec<&str> = findings
        .iter()
        .filter(|one| one["kind"] == "dead-attachment")
        .filter_map(|one| one["detail"]["what"].as_str())
        .collect();
    dead.sort_unstable();
    assert_eq!(dead, ["http://www.test/false.zip", "http://www.test/gone.rar"]);
    let why = world.run(&["--json", "why", "http://www.test/good.rar"]).json();
    assert_eq!(why["file"], serde_json::json!({ "kind": "rar", "bytes": 5_006 }), "{why}");
    // No more than the beginning was asked for.
    let ranges = server.asked().into_iter().filter(|one| one.path == "/good.rar");
    assert!(ranges.into_iter().all(|one| one.head.iter().any(|line| line.contains("bytes=0-1023"))));
}

#[test]
fn unchanged_pages_have_a_record_of_each_visit_where_that_is_wanted() {
    let server = serve(site);
    let world = World::with_config(&config(server.port, "[store]\nrevisit_records = true\nversions_max = 1"));
    for _ in 0..3 {
        assert_eq!(world.run(&["run"]).code, 0);
    }
    let versions = |world: &World, url: &str| -> Vec<u64> {
        let why = world.run(&["--json", "why", url]).json();
        why["snapshots"]
            .as_array()
            .expect("snapshots")
            .iter()
            .filter_map(|one| one["status"].as_u64())
            .collect()
    };
    assert_eq!(versions(&world, "http://www.test/a.html"), [200, 304, 304]);
    assert_eq!(versions(&world, "http://www.test/"), [200, 200, 200]);
    let exported = world.run(&["--json", "store", "export-warc", "all.warc"]);
    assert_eq!(exported.json()["exported"]["revisits"], 4, "{}", exported.stdout);
    let warc = String::from_utf8_lossy(&std::fs::read(world.path("all.warc")).expect("file")).into_owned();
    assert_eq!(warc.matches("revisit/server-not-modified").count(), 2);
    assert_eq!(warc.matches("revisit/identical-payload-digest").count(), 2);
    // Visits are of the version they found: none is let go as long as that is the newest.
    assert_eq!(world.run(&["store", "compact"]).code, 0);
    assert_eq!(versions(&world, "http://www.test/a.html").len(), 3);
    assert_eq!(world.run(&["store", "verify"]).code, 0);
}
