//! Bad configurations, registers, dictionaries and data folders: a clear message, the right exit
//! code, nothing lost.

#[path = "support/server.rs"]
mod server;
mod support;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use server::{Reply, serve};
use support::{Ended, PROGRAM, World};
use xunjian_city::{CityOptions, serve_hostile};

const SITE: &str = "[[site]]\nid = \"a\"\nname = \"甲\"\nurl = \"http://a.gov.cn/\"\nkind = \"portal\"\n";
const CITY: CityOptions = CityOptions { seed: 3, sites: 9, pages: 30, day: 0 };

/// The command ends with a code and says each of these, and it does not panic.
fn refuses(ended: &Ended, code: i32, says: &[&str]) {
    assert_eq!(ended.code, code, "{}{}", ended.stdout, ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    for words in says {
        assert!(
            ended.stderr.contains(words) || ended.stdout.contains(words),
            "{words:?} not in:\n{}{}",
            ended.stdout,
            ended.stderr
        );
    }
}

fn run(config: &str) -> Ended {
    let world = World::with_config(config);
    let chinese = world.run(&["run"]).stderr;
    for line in chinese.lines() {
        assert!(!line.is_ascii(), "not said in Chinese: {line}");
    }
    world.english(&["run"])
}

#[test]
fn an_unknown_key() {
    let ended = run(&format!("data = \"d\"\n[politeness]\nrequests_per_secnd = 1\n{SITE}"));
    refuses(
        &ended,
        2,
        &["xunjian.toml:3: unknown key `politeness.requests_per_secnd`", "requests_per_second"],
    );
}

#[test]
fn a_wrong_url() {
    let ended =
        run("data = \"d\"\n[[site]]\nid = \"a\"\nname = \"甲\"\nurl = \"a.gov.cn\"\nkind = \"portal\"\n");
    refuses(&ended, 2, &["xunjian.toml:2: \"a.gov.cn\" is not a URL", "http://www.a.gov.cn/"]);
    refuses(
        &World::with_config(&format!("data = \"d\"\n{SITE}")).english(&["why", "not a url"]),
        2,
        &["\"not a url\" is not a URL"],
    );
}

#[test]
fn a_site_id_that_stands_twice() {
    let ended = run(&format!("data = \"d\"\n{SITE}{SITE}"));
    refuses(&ended, 2, &["xunjian.toml:7: site id \"a\" stands already in xunjian.toml:2"]);
}

#[test]
fn every_mistake_at_once() {
    let ended = run(
        "data = \"d\"\ncolour = 1\n[politeness]\nwindow = \"late\"\n[[site]]\nid = \"A\"\nname = \"x\"\nurl = \"http://a/\"\nkind = \"x\"\n",
    );
    refuses(
        &ended,
        2,
        &[
            "unknown key `colour`", "\"late\" is not a window", "\"A\" is not a site id",
            "\"x\" is not a kind of site",
        ],
    );
}

#[test]
fn an_unreadable_line_of_a_dictionary() {
    let world = World::with_config(&format!("data = \"d\"\n[scan]\ndictionaries = [\"own.csv\"]\n{SITE}"));
    world.write(
        "own.csv",
        "pattern,correction,severity\n关健,关键,minor\n登陆系统,登录系统,loud\n丙,x,\n".as_bytes(),
    );
    refuses(
        &world.english(&["run"]),
        2,
        &["own.csv:3: \"loud\" is not a severity", "own.csv:4: pattern \"丙\" is one character"],
    );
    refuses(&world.english(&["dict", "check", "own.csv"]), 2, &["own.csv:3: ", "own.csv:4: "]);
    world.write("own.csv", "pattern,correction\n关健,关键\n".as_bytes());
    refuses(&world.english(&["dict", "check", "own.csv"]), 0, &["own.csv: 1"]);
    refuses(&world.english(&["dict", "check", "missing.csv"]), 2, &["missing.csv: no such file"]);
}

#[test]
fn no_configuration() {
    let world = World::with_config("");
    refuses(&world.english(&["run", "--config", "none.toml"]), 2, &["none.toml", "xunjian init"]);
}

#[test]
fn a_scan_before_any_crawl() {
    let world = World::with_config(&format!("data = \"d\"\n{SITE}"));
    refuses(&world.english(&["scan"]), 2, &["nothing was crawled yet", "xunjian crawl"]);
}

#[test]
fn a_store_opened_twice() {
    let port = serve_hostile().expect("hostile server").port;
    let host = "hang.hostile-sim.cn";
    let world = World::with_config(&format!(
        "data = \"d\"\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"{host}\" = \"127.0.0.1:{port}\"\n\
         [[site]]\nid = \"a\"\nname = \"甲\"\nurl = \"http://{host}/\"\nkind = \"portal\"\n"
    ));
    let mut first = world.start(&["crawl"]);
    let begun = Instant::now();
    while !world.path("d/index/db").exists() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the first process did not open the store");
        std::thread::sleep(Duration::from_millis(20));
    }
    let second = world.english(&["scan"]);
    first.kill().expect("killed");
    first.wait().expect("ended");
    let holder = format!("is in use by another xunjian process {};", first.id());
    refuses(&second, 4, &[&holder, "its console"]);
}

#[test]
fn a_foreign_data_folder() {
    let world = World::with_config(&format!("data = \"d\"\n{SITE}"));
    std::fs::create_dir(world.path("d")).expect("folder");
    world.write("d/thesis.txt", b"my only copy");
    refuses(&world.english(&["run"]), 4, &["is not a xunjian data folder", "--data"]);
    assert_eq!(std::fs::read(world.path("d/thesis.txt")).expect("still there"), b"my only copy");
    assert_eq!(std::fs::read_dir(world.path("d")).expect("folder").count(), 1);
}

#[test]
fn a_store_of_a_newer_program() {
    let world = World::with_config(&format!("data = \"d\"\n{SITE}"));
    std::fs::create_dir(world.path("d")).expect("folder");
    world.write("d/format", b"xunjian-store 99\n");
    refuses(&world.english(&["run"]), 4, &["has store format 99", "use the program version that wrote it"]);
}

#[test]
fn an_archive_cut_short() {
    let world = World::with_city(CITY);
    world.run(&["run"]);
    let path = world.path("xunjian-data/warc/000001.warc.zst");
    let whole = std::fs::read(&path).expect("archive");
    std::fs::write(&path, &whole[..whole.len() / 2]).expect("written");
    refuses(&world.english(&["report"]), 4, &["000001.warc.zst", "were acknowledged"]);
    assert_eq!(std::fs::metadata(&path).expect("still there").len(), whole.len() as u64 / 2);
}

#[test]
fn wrong_usage() {
    let world = World::with_config(&format!("data = \"d\"\n{SITE}"));
    for args in [
        &["run", "--lang", "fr"][..],
        &["run", "--fail-on", "loud"],
        &["demo", "--pages", "3"],
        &["nothing"],
        &["run", "--site", "A B"],
    ] {
        refuses(&world.english(args), 2, &["error"]);
    }
}

#[test]
fn init_overwrites_nothing() {
    let world = World::with_config("");
    refuses(&world.english(&["init"]), 2, &["is there already", "--force"]);
    refuses(&world.english(&["init", "fresh"]), 0, &["sites.csv"]);
    refuses(&world.english(&["init", "fresh"]), 2, &["is there already"]);
    // What init writes is a configuration that loads.
    let listed = world.run(&["--config", "fresh/xunjian.toml", "sites", "check", "--json"]);
    assert_eq!(listed.json()["sites"][0]["id"], "example");
}

#[test]
fn init_takes_sites_and_office_as_flags() {
    let world = World::with_config("");
    let sites = [
        "--site=市水利局=http://slj.city.gov.cn/",
        "--site=市政府=http://www.city.gov.cn/",
        "--site=市教育局=http://www.city.gov.cn/bm/JYJ/index.html",
    ];
    let made =
        world.run(&[&["init", "new", "--office", "市府\"办\"", "--listen", "off"][..], &sites].concat());
    assert_eq!(made.code, 0, "{}", made.stderr);
    let register = std::fs::read_to_string(world.path("new/sites.csv")).expect("a register");
    assert!(register.contains("slj,市水利局,http://slj.city.gov.cn/,department"), "{register}");
    assert!(register.contains("city,市政府,http://www.city.gov.cn/,portal"), "{register}");
    assert!(
        register.contains("jyj,市教育局,http://www.city.gov.cn/bm/JYJ/index.html,department"),
        "{register}"
    );
    let config = std::fs::read_to_string(world.path("new/xunjian.toml")).expect("a configuration");
    assert!(config.contains("office = '市府\"办\"'") && config.contains("\nlisten = \"off\""), "{config}");
    refuses(&world.english(&["sites", "check", "--config", "new/xunjian.toml"]), 0, &[]);
    refuses(&world.english(&["init", "other", "--site", "slj.city.gov.cn"]), 2, &["市水利局=http://"]);
    assert!(!world.path("other").exists(), "nothing is written");
    assert_eq!(world.run(&["man", "man"]).code, 0);
    assert!(world.path("man/xunjian-alert-replay.1").exists());
}

/// A store on a small file system of its own, in a mount namespace of its own.
#[test]
fn a_full_disk() {
    let world = World::with_city(CITY);
    let later = World::with_city(CityOptions { day: 9, ..CITY });
    for each in [&world, &later] {
        each.configure("[store]\nfree_bytes_min = 0\n");
    }
    let disk = world.path("disk");
    std::fs::create_dir(&disk).expect("folder");
    let script = format!(
        "set -e\n\
         mount -t tmpfs -o size=64m tmpfs '{disk}'\n\
         run() {{ '{PROGRAM}' --config \"$1/xunjian.toml\" --data '{disk}/data' --json run; }}\n\
         code=0; run '{today}' >'{out}/first.json' 2>'{out}/first.log' || code=$?; echo first $code\n\
         free=$(df --output=avail -k '{disk}' | tail -1)\n\
         head -c $(( (free - 8) * 1024 )) /dev/zero >'{disk}/filler'\n\
         code=0; run '{later}' >'{out}/full.json' 2>'{out}/full.log' || code=$?; echo full $code\n\
         rm '{disk}/filler'\n\
         code=0; run '{later}' >'{out}/after.json' 2>'{out}/after.log' || code=$?; echo after $code\n\
         cp '{disk}/data/report/findings.json' '{out}/findings.json'\n",
        disk = disk.display(),
        today = world.path("").display(),
        later = later.path("").display(),
        out = world.path("").display(),
    );
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .env("XUNJIAN_LANG", "en")
        .stdin(Stdio::null())
        .output()
        .expect("unshare");
    let ended: Ended = output.into();
    let read = |name: &str| std::fs::read_to_string(world.path(name)).unwrap_or_default();
    assert_eq!(
        ended.stdout,
        "first 3\nfull 4\nafter 3\n",
        "{}{}{}",
        ended.stderr,
        read("full.log"),
        read("after.log")
    );
    let message = read("full.log");
    assert!(message.contains("free space on the disk and run again, nothing stored is lost"), "{message}");
    assert!(!message.contains("panicked"), "{message}");
    // Once there is room, the run goes on and finds what a run without trouble finds.
    later.run(&["run"]);
    let ids = |findings: Vec<serde_json::Value>| {
        let mut ids: Vec<String> = findings.iter().map(|one| one["id"].to_string()).collect();
        ids.sort();
        ids
    };
    let after: Vec<serde_json::Value> = serde_json::from_str(&read("findings.json")).expect("findings");
    assert_eq!(ids(after), ids(later.findings()));
}

#[test]
fn a_word_of_everyday_language_does_not_drown_the_rest() {
    const PAGES: usize = 30;
    let site = serve(|asked| match asked.path.strip_prefix("/p").and_then(|number| number.parse().ok()) {
        Some(number) => {
            let number: usize = number;
            let rare = if number == PAGES - 1 { "<p>还有一处违禁词语。</p>" } else { "" };
            Reply::page("页面", &format!("<h1>页面</h1><div><p>第{number}项工作。</p>{rare}</div>"))
        }
        None => {
            let links = (0..PAGES).map(|number| format!("<a href=/p{number}>第{number}页</a>"));
            Reply::page("首页", &links.collect::<String>())
        }
    });
    let world = World::with_config(&format!(
        "data = \"xunjian-data\"\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"a.gov.cn\" = \"127.0.0.1:{}\"\n\
         [politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n\
         [render]\nbrowser = \"off\"\n[crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[search]\nenabled = false\n\
         [scan]\ndictionaries = [\"words.txt\"]\nsame_findings_max = 5\n{SITE}",
        site.port
    ));
    world.write("words.txt", "工作\n违禁词语\n".as_bytes());
    let told = |word: &str| {
        let findings = world.findings();
        findings
            .iter()
            .filter(|one| one["detail"]["what"] == word)
            .map(|one| one["state"].to_string())
            .collect()
    };
    for (night, state) in ["\"new\"", "\"open\""].into_iter().enumerate() {
        let run = world.run(&["run", "--json"]);
        let (common, rare): (Vec<String>, Vec<String>) = (told("工作"), told("违禁词语"));
        assert_eq!((common.len(), rare.len()), (5, 1), "night {night}: {}", run.stderr);
        assert!(common.iter().chain(&rare).all(|one| one == state), "{common:?} {rare:?}");
        // What is not told is counted, named, and not taken for mended.
        let beyond = PAGES - 5;
        assert_eq!(run.json()["notes"]["a"]["findings-beyond-limits"], beyond, "{}", run.stdout);
        assert!(run.stderr.contains(&format!("「工作」{beyond}")), "{}", run.stderr);
        assert_eq!(run.json()["findings"]["mended"], 0);
    }
    // A page that is not looked at to its end is noted, and nothing on it is taken for mended.
    world.reconfigure("xunjian.toml", "same_findings_max = 5", "page_findings_max = 1");
    let run = world.run(&["run", "--json"]).json();
    assert_eq!(run["notes"]["a"]["pages-beyond-limits"], 1, "{run}");
    assert_eq!((run["findings"]["mended"].as_u64(), told("违禁词语").len()), (Some(0), 1), "{run}");
    let looked = world.run(&["findings", "recheck", "--text", "违禁词语", "--json"]).json();
    let counts =
        ["mended", "still_there", "not_checked"].map(|name| looked[name].as_array().expect("ids").len());
    assert_eq!(counts, [0, 0, 1], "{looked}");
}

#[test]
fn files_without_text_are_counted_and_broken_documents_are_named() {
    let world = World::with_config(&format!("data = \"d\"\n{SITE}"));
    std::fs::create_dir(world.path("files")).expect("folder");
    world.write("files/a.txt", "这是关健环节\n".as_bytes());
    world.write("files/b.png", &[&b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR"[..], "关健环节".as_bytes()].concat());
    let scan = world.english(&["scan", "--files", "files"]);
    assert_eq!((scan.code, scan.stdout.matches("关健").count()), (0, 2), "{} {}", scan.stdout, scan.stderr);
    assert!(scan.stderr.contains("neither text nor known documents, not looked at: 1"), "{}", scan.stderr);
    world.write("files/c.docx", b"PK\x03\x04 broken");
    let scan = world.run(&["scan", "--files", "files", "files/none.txt"]);
    assert_eq!(scan.code, 3, "{}", scan.stderr);
    assert!(scan.stderr.contains("files/c.docx: 无法读取其文字："), "{}", scan.stderr);
    assert!(scan.stderr.contains("files/none.txt: 无法打开："), "{}", scan.stderr);
}

#[test]
fn a_home_page_in_a_private_network_is_said_how_to_allow() {
    let world = World::with_config(
        "data = \"d\"\n[render]\nbrowser = \"off\"\n[network.resolve]\n\"a.gov.cn\" = \"10.1.2.3:80\"\n\
         [[site]]\nid = \"a\"\nname = \"甲\"\nurl = \"http://a.gov.cn/\"\nkind = \"department\"\n",
    );
    for command in [&["sites", "check", "--online"][..], &["run"]] {
        let told = world.english(command);
        let all = format!("{}{}", told.stdout, told.stderr);
        assert!(told.code == 3 && all.contains("list its network under `network.allow_private`"), "{all}");
    }
}
