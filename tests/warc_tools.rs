//! The archive in the hands of others: warcio checks it, pywb replays it, and what wget wrote is
//! imported and scanned.
//!
//! tests/run.sh installs the tools and names their folder in WARC_TOOLS.

#[path = "support/server.rs"]
mod server;
mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use server::{Asked, Reply, serve};
use support::World;
use xunjian_city::CityOptions;

fn tool(name: &str) -> PathBuf {
    let folder = std::env::var("WARC_TOOLS").expect("WARC_TOOLS names the folder of warcio and pywb");
    PathBuf::from(folder).join(name)
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The body of a page over plain HTTP/1.0.
fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.contains(" 200 ").then(|| body.to_owned())
}

#[test]
#[ignore = "needs warcio and pywb; tests/run.sh installs them"]
fn warcio_checks_and_pywb_replays_what_we_export() {
    let world = World::with_city(CityOptions { seed: 5, sites: 4, pages: 40, day: 0 });
    world.run(&["run"]);
    assert_eq!(world.run(&["store", "export-warc", "out.warc.gz"]).code, 0);
    let checked = Command::new(tool("warcio"))
        .args(["check", "-v"])
        .arg(world.path("out.warc.gz"))
        .output()
        .expect("warcio");
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success(), "{said}");
    assert!(said.matches("digest pass").count() > 100 && !said.contains("fail"), "{said}");

    let manager = |args: &[&str]| {
        let done = Command::new(tool("wb-manager"))
            .args(args)
            .current_dir(world.path(""))
            .output()
            .expect("wb-manager");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    manager(&["init", "night"]);
    manager(&["add", "night", "out.warc.gz"]);
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("port").local_addr().expect("address").port();
    let wayback = Command::new(tool("wayback"))
        .args(["-b", "127.0.0.1", "-p", &port.to_string()])
        .current_dir(world.path(""))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _running = Running(wayback.expect("wayback"));
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "pywb did not start");
        std::thread::sleep(Duration::from_millis(200));
    }
    // Every proof of a finding is replayed: the page as it was when it was found.
    let mut replayed = 0;
    for finding in world.findings() {
        let (Some(name), Some(url)) = (finding["evidence"]["snapshot"].as_str(), finding["url"].as_str())
        else {
            continue;
        };
        let at: jiff::Timestamp = name.split_once('@').expect("a snapshot's name").1.parse().expect("time");
        let page = get(port, &format!("/night/{}id_/{url}", at.strftime("%Y%m%d%H%M%S")));
        assert!(page.is_some_and(|page| page.contains('<')), "{url} is not replayed");
        replayed += 1;
        if replayed >= 30 {
            break;
        }
    }
    assert!(replayed >= 10, "{replayed}");
}

fn site(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/" => Reply::page("首页", "<h1>首页</h1><a href=/a.html>甲</a><a href=/b.html>乙</a>"),
        "/a.html" => Reply::page("甲", "<h1>甲</h1><p>联系电话13912345678，请做好准备。</p>"),
        "/b.html" => Reply::page("乙", "<h1>乙</h1><p>国家工商总局发布的的通知。</p>"),
        _ => Reply::missing(),
    }
}

#[test]
#[ignore = "needs wget; tests/run.sh installs it"]
fn what_wget_wrote_is_imported_and_scanned() {
    let server = serve(site);
    let home = format!("http://localhost:{}/", server.port);
    let world = World::with_config(&format!(
        "data = \"d\"\n[[site]]\nid = \"a\"\nname = \"甲\"\nurl = \"{home}\"\nkind = \"department\"\n"
    ));
    let wget = Command::new("wget")
        .args(["-q", "-r", "--warc-file=wget", &home])
        .current_dir(world.path(""))
        .output()
        .expect("wget");
    // 8: the server said 404 to robots.txt.
    assert!(matches!(wget.status.code(), Some(0 | 8)), "{}", String::from_utf8_lossy(&wget.stderr));
    let asked = server.asked().len();
    let imported = world.run(&["store", "import-warc", "--json", "wget.warc.gz"]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    assert_eq!(imported.json()["pages"], 3, "{}", imported.stdout);
    for step in ["scan", "judge", "report"] {
        let ended = world.run(&[step]);
        assert!(matches!(ended.code, 0 | 3), "{step}: {}", ended.stderr);
    }
    let findings = world.read_json("d/report/findings.json");
    let kinds: Vec<&str> =
        findings.as_array().expect("array").iter().filter_map(|one| one["kind"].as_str()).collect();
    assert!(kinds.contains(&"privacy-mobile") && kinds.contains(&"typo"), "{kinds:?}");
    assert_eq!(server.asked().len(), asked, "nothing was asked of the site");
}
