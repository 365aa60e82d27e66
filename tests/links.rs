//! Links as pages of the field have them: in menus, clicks and viewers; pictures that come late; addresses that
//! nobody can open; copies of a site in other characters.

#[path = "support/server.rs"]
mod server;
mod support;

use serde_json::Value;
use server::{Reply, Server, serve};
use support::World;
use xunjian_model::{PageUrl, SiteId};
use xunjian_store::{Space, Store};

const HOME: &str = "<h1>首页</h1>\
    <select onchange='window.open(this.value)'><option>友情链接</option><option value='/friend-lost.html'>县局</option>\
    <option value='http://friend.test/'>省厅</option></select>\
    <div onclick=\"location.href='/clicked.html'\">办事大厅</div>\
    <a href='javascript:void(0)' onclick=\"window.open('/click-lost.html')\">专题</a>\
    <a href='/pdfjs/web/viewer.html?file=%2Ffiles%2Flost.pdf'>通知全文</a>\
    <img src='/blank.gif' data-original='/late-lost.jpg'><img src='file:///C:/Temp/wps1.png'>\
    <a href='http://'>待补充</a><a href='{{item.url}}'>{{item.title}}</a>\
    <a href='/gate/big5/a.test/'>繁體</a>";

fn site() -> Server {
    serve(|asked| match (asked.host.split(':').next().unwrap_or_default(), asked.path.as_str()) {
        ("friend.test", _) => Reply::missing(),
        (_, "/") => Reply::page("首页", HOME),
        (_, "/clicked.html") => Reply::page("办事大厅", "<h1>办事大厅</h1><p>从点击进入的页面</p>"),
        (_, "/blank.gif") => Reply::File("content-type: image/gif\r\n", b"GIF89a".to_vec()),
        (_, "/gate/big5/a.test/") => Reply::page(
            "首頁",
            "<h1>首頁</h1><a href='/gate/big5/a.test/clicked.html'>辦事大廳</a><a href='/gate/big5/a.test/files/1.pdf'>附件</a>",
        ),
        _ => Reply::missing(),
    })
}

fn world(server: &Server) -> World {
    let port = server.port;
    World::with_config(&format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n\
         [crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n[search]\nenabled = false\n\
         [network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"www.a.test\" = []\n\
         \"a.test\" = \"127.0.0.1:{port}\"\n\"friend.test\" = \"127.0.0.1:{port}\"\n\
         [[site]]\nid = \"a\"\nname = \"市水利局\"\nurl = \"http://a.test/\"\nkind = \"department\"\n"
    ))
}

/// Kind, address and state of what was found of links.
fn found(world: &World) -> Vec<(String, String, String)> {
    let run = world.run(&["run", "--json"]);
    assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found: Vec<_> = world
        .findings()
        .iter()
        .filter(|one| one["indicator"] == "D16")
        .map(|one| (text(&one["kind"]), text(&one["detail"]["what"]), text(&one["detail"]["state"])))
        .collect();
    found.sort();
    found
}

#[test]
fn links_of_every_kind_are_followed_and_told() {
    let server = site();
    let world = world(&server);
    let own = |path: &str| format!("http://a.test{path}");
    let wanted = [
        ("dead-attachment", own("/files/lost.pdf"), "gone (404)"),
        ("dead-image", own("/late-lost.jpg"), "gone (404)"),
        ("dead-image", "file:///C:/Temp/wps1.png".to_owned(), "local-file"),
        ("dead-link", "http://".to_owned(), "malformed"),
        ("dead-link", own("/click-lost.html"), "gone (404)"),
        ("dead-link", own("/friend-lost.html"), "gone (404)"),
        ("dead-link", "http://friend.test/".to_owned(), "gone (404)"),
    ];
    let wanted = wanted.map(|(kind, what, state)| (kind.to_owned(), what, state.to_owned()));
    let mut sorted = wanted.to_vec();
    sorted.sort();
    assert_eq!(found(&world), sorted);
    let asked: Vec<String> = server.asked().into_iter().map(|asked| asked.path).collect();
    let was_asked = |path: &str| asked.iter().any(|one| one == path);
    assert!(was_asked("/clicked.html") && was_asked("/gate/big5/a.test/"), "{asked:?}");
    // Neither viewers nor templates nor copies of pages.
    for part in ["viewer.html", "%7B", "/gate/big5/a.test/clicked", "/gate/big5/a.test/files"] {
        assert!(!asked.iter().any(|path| path.contains(part)), "{part}: {asked:?}");
    }
    let cut = &world.read_json("xunjian-data/report/summary.json")["cut"]["a"];
    assert_eq!(cut["converted-copy"][0], 2, "{cut}");
}

#[test]
fn links_that_an_earlier_version_did_not_read_are_known_the_night_after() {
    let server = site();
    let world = world(&server);
    let all = found(&world);
    // As if a version that reads no clicks had kept the page, which does not change.
    let store = Store::open(&world.path("xunjian-data")).expect("a store");
    let site = SiteId::new("a").expect("id");
    let mut batch = store.begin();
    for url in ["http://a.test/clicked.html", "http://a.test/click-lost.html"] {
        let url = PageUrl::parse(url).expect("url");
        batch.delete_url(Some(&site), url.as_str());
    }
    batch.put(Space::Run, &[b"extractor"], &1_u16).expect("kept");
    batch.commit().expect("kept");
    drop(store);
    let before = server.asked().len();
    assert_eq!(found(&world), all);
    let asked: Vec<String> = server.asked().into_iter().skip(before).map(|asked| asked.path).collect();
    assert!(asked.iter().any(|path| path == "/clicked.html"), "{asked:?}");
}

/// A browser has to open the report, however much there is to tell; files for programs have all of it.
#[test]
fn a_report_shows_some_of_many_findings_of_a_kind() {
    const LINKS: usize = 520;
    let server = serve(|asked| match asked.path.as_str() {
        "/" => {
            let links: String = (0..LINKS)
                .map(|at| format!("<a href='http://10.0.{}.{}/'>{at}</a> ", at / 250, at % 250))
                .collect();
            Reply::page("首页", &format!("<h1>首页</h1><p>{links}</p>"))
        }
        _ => Reply::missing(),
    });
    let world = world(&server);
    world.run(&["run"]);
    let private = world.findings().iter().filter(|one| one["kind"] == "private-link").count();
    let report = std::fs::read_to_string(world.path("xunjian-data/report/report.html")).expect("a report");
    let rows = report.matches("<tr id=\"f-").count();
    assert!(private == LINKS && rows < LINKS && report.matches("10.0.").count() == 500, "{private} {rows}");
    assert!(report.contains("另有 20 条，见 findings.csv。"));
    let csv = std::fs::read_to_string(world.path("xunjian-data/report/findings.csv")).expect("findings");
    assert_eq!(csv.matches("private-link").count(), LINKS);
}
