//! Sites that share a host: each has a folder of it, the portal what is nobody's.

#[path = "support/server.rs"]
mod server;
mod support;

use std::collections::BTreeSet;
use std::time::Instant;

use server::{Asked, Reply, broken, serve};
use support::World;

/// A host of 市人民政府 with departments in folders; each page has its own word to be found by.
fn host(asked: &Asked) -> Reply {
    let page = |title: &str, links: &[&str]| {
        let links: String =
            links.iter().map(|link| format!("<li><a href=\"{link}\">相关信息</a></li>")).collect();
        let text = format!("关于{}的正文，其中有一个违禁词。", asked.path);
        Reply::page(
            title,
            &format!("<h1>{title}</h1><p>{text}</p><ul>{links}</ul><img src=\"/images/logo.png\">"),
        )
    };
    match asked.path.as_str() {
        "/robots.txt" => Reply::Other(
            "200 OK",
            "content-type: text/plain\r\n".to_owned(),
            "User-agent: *\nDisallow: /slj/inner/\nDisallow: /jyj/inner/\nSitemap: http://www.test.gov.cn/map.xml\n"
                .to_owned(),
        ),
        "/map.xml" => Reply::Other(
            "200 OK",
            "content-type: text/xml\r\n".to_owned(),
            "<urlset><url><loc>http://www.test.gov.cn/map.html</loc></url>\
             <url><loc>http://www.test.gov.cn/jyj/map.html</loc></url></urlset>"
                .to_owned(),
        ),
        "/" => page("市人民政府", &["/zwgk/1.html", "/slj/", "/jyj"]),
        "/zwgk/1.html" => page("政务公开", &["/slj/2.html"]),
        "/map.html" => page("网站地图", &["/zwgk/gone.html"]),
        "/slj/" => page("市水利局", &["/slj/1.html", "/slj/inner/1.html", "/zwgk/1.html", "/jyj/gone.html"]),
        "/jyj" => Reply::redirect("/jyj/index.html"),
        "/jyj/index.html" => page("市教育局", &["/jyj/1.html", "/jyj/inner/1.html", "/slj/gone.html"]),
        "/images/logo.png" => Reply::File("content-type: image/png\r\n", b"\x89PNG\r\n\x1a\n".to_vec()),
        path if path.ends_with("gone.html") || path.contains("sitemap") || path.contains("xunjian-") => {
            Reply::missing()
        }
        path if path.starts_with("/slj/") || path.starts_with("/jyj/") => page("文章", &[]),
        _ => Reply::missing(),
    }
}

fn config(port: u16, rate: u32, sites: &[&str]) -> String {
    format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = {rate}\naddress_requests_per_second = 0\n\
         [crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n[search]\nenabled = false\n\
         [scan]\nshipped_dictionaries = false\ndictionaries = [\"words.txt\"]\n\
         [network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"test.gov.cn\" = []\n\
         \"www.test.gov.cn\" = \"127.0.0.1:{port}\"\n{}",
        sites.concat()
    )
}

const CITY: &str = "[[site]]\nid = \"city\"\nname = \"试验市人民政府\"\nurl = \"http://www.test.gov.cn/\"\nkind = \"portal\"\n";
const WATER: &str = "[[site]]\nid = \"water\"\nname = \"试验市水利局\"\nurl = \"http://www.test.gov.cn/slj/\"\nkind = \"department\"\n";
const SCHOOLS: &str = "[[site]]\nid = \"schools\"\nname = \"试验市教育局\"\nurl = \"http://www.test.gov.cn/jyj\"\nkind = \"department\"\nignore_robots = \"our own site\"\n";

/// What is found of a kind: site, page and what.
fn found(world: &World, kind: &str) -> BTreeSet<String> {
    let path =
        |value: &serde_json::Value| value.as_str().unwrap_or_default().replace("http://www.test.gov.cn", "");
    let findings = world.findings();
    let of_kind = findings.iter().filter(|one| one["kind"] == kind);
    of_kind
        .map(|one| {
            format!(
                "{} {} {}",
                one["site"].as_str().unwrap_or_default(),
                path(&one["url"]),
                path(&one["detail"]["what"])
            )
        })
        .collect()
}

fn set(lines: &[&str]) -> BTreeSet<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn each_page_is_of_one_site_and_the_host_is_asked_by_one() {
    let server = serve(host);
    let world = World::with_config(&config(server.port, 8, &[CITY, WATER, SCHOOLS]));
    world.write("words.txt", "违禁词\n".as_bytes());
    let run = world.run(&["run", "--json"]);
    assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
    assert_eq!(
        found(&world, "sensitive-word"),
        set(&[
            "city / 违禁词", "city /zwgk/1.html 违禁词", "city /map.html 违禁词", "water /slj/ 违禁词",
            "water /slj/1.html 违禁词", "water /slj/2.html 违禁词", "schools /jyj/index.html 违禁词",
            "schools /jyj/1.html 违禁词", "schools /jyj/map.html 违禁词",
            // It does not follow robots.txt, whatever the other site of this host does.
            "schools /jyj/inner/1.html 违禁词",
        ])
    );
    // A dead link is the site's that has the link, whoever has the target.
    assert_eq!(
        found(&world, "dead-link"),
        set(&[
            "city /map.html /zwgk/gone.html", "water /slj/ /jyj/gone.html",
            "schools /jyj/index.html /slj/gone.html",
        ])
    );
    let asked = server.asked();
    let times =
        |path: &str| asked.iter().filter(|one| one.path == path && !one.head[0].starts_with("HEAD")).count();
    for path in ["/robots.txt", "/map.xml", "/zwgk/1.html", "/slj/1.html", "/jyj/1.html", "/slj/2.html"] {
        assert_eq!(times(path), 1, "{path}");
    }
    assert_eq!(times("/slj/inner/1.html"), 0, "robots.txt forbids it");
    // Three sites are one host.
    let all: Vec<Instant> = asked.iter().map(|one| one.at).collect();
    assert!(broken(&all, 8).is_empty(), "{:?}", broken(&all, 8));
    let why = world.run(&["why", "http://www.test.gov.cn/slj/2.html", "--json"]).json();
    assert_eq!(why["site"], "water", "{why}");
    // Each is judged by its own home page.
    let verdicts = world.read_json("xunjian-data/report/verdicts.json");
    let judged: Vec<&str> =
        verdicts.as_array().into_iter().flatten().filter_map(|one| one["site"].as_str()).collect();
    assert_eq!(judged, ["city", "water", "schools"]);
    assert!(found(&world, "unreachable").is_empty());
}

#[test]
fn pages_go_over_to_a_site_that_is_registered_later() {
    let server = serve(host);
    let world = World::with_config(&config(server.port, 0, &[CITY]));
    world.write("words.txt", "违禁词\n".as_bytes());
    let night = || {
        let run = world.run(&["run", "--json"]);
        assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
    };
    let words = || found(&world, "sensitive-word");
    night();
    let before = words();
    assert!(
        before.iter().all(|line| line.starts_with("city ")) && before.contains("city /slj/1.html 违禁词"),
        "{before:?}"
    );
    let urls = || world.run(&["store", "stats", "--json"]).json()["urls"].clone();
    let known = urls();
    world.configure(WATER);
    night();
    let after: BTreeSet<String> = before.iter().map(|line| line.replace("city /slj", "water /slj")).collect();
    assert_eq!(words(), after);
    assert_eq!(urls(), known, "no address is known twice");
    // And back again.
    world.reconfigure("xunjian.toml", WATER, "");
    night();
    assert_eq!(words(), before);
    assert_eq!(urls(), known);
    let verified = world.english(&["store", "verify"]);
    assert!(verified.stdout.contains("; 0 faults"), "{}", verified.stdout);
}
