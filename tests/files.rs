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
            "<a href=/a.html>文</a><a href=/good.exe>甲</a><a href=/false.zip>乙</a><a href=/gone.7z>丙</a><a href=/empty.7z>丁</a>",
        ),
        "/a.html" if header("if-none-match").is_some() => {
            Reply::Other("304 Not Modified", "etag: \"a\"\r\n".to_owned(), String::new())
        }
        "/a.html" => {
            let page = "<html><title>文</title><h1>文</h1><p>内容</p></html>";
            Reply::Other("200 OK", "etag: \"a\"\r\n".to_owned(), page.to_owned())
        }
        "/good.exe" => file(&format!("MZ{}", "x".repeat(5_000))),
        "/false.zip" => file(&format!("%PDF-1.7 {}", "x".repeat(5_000))),
        "/empty.7z" => file(""),
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
    assert_eq!(dead, ["http://www.test/false.zip", "http://www.test/gone.7z"]);
    let why = world.run(&["--json", "why", "http://www.test/good.exe"]).json();
    assert_eq!(why["file"], serde_json::json!({ "kind": "exe", "bytes": 5_002 }), "{why}");
    // No more than the beginning was asked for.
    let ranges = server.asked().into_iter().filter(|one| one.path == "/good.exe");
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

/// What programs hand out, and files of old office programs.
fn handed_out(asked: &Asked) -> Reply {
    let doc = || include_bytes!("../crates/page/tests/data/note.doc").to_vec();
    let xls = || include_bytes!("../crates/page/tests/data/list.xls").to_vec();
    match asked.path.as_str() {
        "/" => Reply::page(
            "首页",
            "<a href='/module/download/downfile.jsp?classid=0&filename=list.xls'>名单</a><a href='/attach/down?id=7'>通知</a>\
             <a href='/attach/archive?id=1'>打包</a><a href='/attach/rar?id=5'>打包</a><a href='/attach/7z?id=6'>打包</a><a href='/files/table.xls'>表</a><a href='/attach/moved?id=3'>移走</a><a href='/files/old.doc'>旧文</a>\
             <a href='/attach/picture?id=2'>图</a><a href='/attach/big?id=4'>大</a>",
        ),
        "/module/download/downfile.jsp?classid=0&filename=list.xls" => Reply::File(
            "content-type: application/octet-stream\r\ncontent-disposition: attachment; filename=\"list.xls\"\r\n",
            xls(),
        ),
        // Called a page.
        "/attach/down?id=7" => Reply::File("content-type: text/html\r\n", doc()),
        "/attach/archive?id=1" => Reply::File(
            "content-type: application/zip\r\n",
            include_bytes!("../crates/page/tests/data/lists.zip").to_vec(),
        ),
        // A table only by its name.
        "/files/table.xls" => Reply::File(
            "content-type: application/vnd.ms-excel\r\n",
            "<html><body><table><tr><td>低保名单</td><td>第1号</td></tr></table></body></html>"
                .as_bytes()
                .to_vec(),
        ),
        "/attach/rar?id=5" => Reply::File(
            "content-type: application/x-rar-compressed\r\n",
            include_bytes!("../crates/page/tests/data/lists.rar").to_vec(),
        ),
        "/attach/7z?id=6" => Reply::File(
            "content-type: application/x-7z-compressed\r\n",
            [b"7z\xBC\xAF\x27\x1C".to_vec(), vec![b'x'; 5_000]].concat(),
        ),
        "/attach/picture?id=2" => Reply::File(
            "content-type: application/octet-stream\r\ncontent-disposition: attachment; filename=a.png\r\n",
            [b"\x89PNG\r\n\x1A\n".to_vec(), vec![b'x'; 5_000]].concat(),
        ),
        "/attach/big?id=4" => Reply::File(
            "content-type: application/pdf\r\n",
            [b"%PDF-1.7".to_vec(), vec![b'x'; 90_000]].concat(),
        ),
        "/attach/moved?id=3" => Reply::redirect("/files/moved.xls"),
        "/files/moved.xls" => Reply::File("content-type: application/vnd.ms-excel\r\n", xls()),
        "/files/old.doc" => Reply::File("content-type: application/msword\r\n", doc()),
        _ => Reply::missing(),
    }
}

#[test]
fn documents_are_read_however_they_are_handed_out() {
    let server = serve(handed_out);
    let more = "[search]\nenabled = false\n[scan]\ndictionaries = [\"words.txt\"]\n";
    let text = config(server.port, more)
        .replace("[crawl]", "[crawl]\nsecond_look_share = 1\ndocument_bytes_max = 80000");
    let world = World::with_config(&text);
    world.write("words.txt", "低保名单\n居民第7号\n".as_bytes());
    let found = || {
        let all = world.findings().into_iter().filter(|one| one["kind"] == "sensitive-word");
        let mut urls: Vec<String> = all.map(|one| one["url"].as_str().expect("url").to_owned()).collect();
        urls.sort();
        urls
    };
    let wanted = [
        "http://www.test/attach/archive?id=1",
        "http://www.test/attach/down?id=7",
        "http://www.test/attach/rar?id=5",
        "http://www.test/files/moved.xls",
        "http://www.test/files/old.doc",
        "http://www.test/files/table.xls",
        "http://www.test/module/download/downfile.jsp?classid=0&filename=list.xls",
    ];
    let leaks = || world.findings().iter().filter(|one| one["kind"] == "privacy-mobile").count();
    for night in 1..=2 {
        let run = world.run(&["run", "--json"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(found(), wanted, "night {night}");
        assert!(leaks() >= 2 * 190, "{} numbers in two tables", leaks());
        let kinds = world.findings();
        let of_files = |one: &&serde_json::Value| {
            let url = one["url"].as_str().unwrap_or("");
            url.contains("/attach/") || url.contains("/module/") || url.contains("/files/")
        };
        // A document has no labels, and no other face for search engines.
        for one in kinds.iter().filter(of_files) {
            let kind = one["kind"].as_str().expect("kind");
            assert!(kind == "sensitive-word" || kind.starts_with("privacy-"), "{one}");
        }
    }
    let why = |path: &str| world.run(&["why", "--json", &format!("http://www.test{path}")]).json();
    for (path, versions) in [
        ("/attach/down?id=7", 1),
        ("/attach/archive?id=1", 1),
        ("/attach/rar?id=5", 1),
        ("/attach/7z?id=6", 0),
        ("/attach/picture?id=2", 0),
        ("/attach/big?id=4", 0),
    ] {
        let why = why(path);
        assert_eq!(why["state"], "ok", "{path}: {why}");
        assert_eq!(why["snapshots"].as_array().map(Vec::len), Some(versions), "{path}: {why}");
    }
    let shown = world.run(&["find", "低保名单", "--json"]);
    assert!(
        shown.stdout.contains("/attach/down?id=7") && shown.stdout.contains("/files/old.doc"),
        "{}",
        shown.stdout
    );
    let evidence = world.path("xunjian-data/report/evidence");
    let mut texts = std::fs::read_dir(evidence).expect("evidence").map(|file| {
        String::from_utf8_lossy(&std::fs::read(file.expect("a file").path()).expect("read")).into_owned()
    });
    assert!(
        texts.any(|text| text.contains("联系人：王芳") && !text.contains('\u{fffd}')),
        "evidence shows the text"
    );
}
