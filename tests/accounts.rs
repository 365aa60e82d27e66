//! New-media accounts: their ledger, what they post, and what a night says of them.

#[path = "support/client.rs"]
mod client;
#[path = "support/server.rs"]
mod server;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use jiff::ToSpan as _;
use serde_json::Value;
use server::{Reply, serve};
use support::World;
use xunjian_city::{City, CityOptions};
use xunjian_model::Post;
use xunjian_store::{Space, Store, StoreError};

const SMALL: CityOptions = CityOptions { seed: 21, sites: 9, pages: 40, day: 0 };

#[test]
fn accounts_are_judged_by_their_feeds_and_their_posts_are_scanned() {
    let world = World::with_city(SMALL);
    // A ledger that tells nothing of the posts: the feeds do.
    let ledger = std::fs::read_to_string(world.path("city/media.csv")).expect("a ledger");
    let mut lines = ledger.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let head = lines.next().expect("columns");
    let last_post = head.iter().position(|name| name == "last_post").expect("a column");
    let rows = lines.map(|mut row| {
        row[last_post].clear();
        row.join(",")
    });
    let silent = std::iter::once(head.join(",")).chain(rows).collect::<Vec<_>>().join("\n");
    world.write("city/media.csv", silent.as_bytes());
    assert_eq!(world.run(&["media", "import", "city/media.csv", "--json"]).json()["added"], 90);
    let unknown = world.run(&["media", "list", "--json"]).json();
    assert!(unknown.as_array().expect("accounts").iter().all(|one| one["activity"] == "unknown"));
    let feeds = world.run(&["media", "feeds", "--json"]);
    assert_eq!((feeds.code, &feeds.json()["import"]["posts"]), (0, &450.into()), "{}", feeds.stderr);
    assert_eq!(world.run(&["media", "feeds", "--json"]).json()["import"]["posts"], 0, "the same posts again");
    let posts = "平台,账号名称,日期,标题,地址\n";
    let name = unknown[0]["account"]["name"].as_str().expect("a name");
    let platform = unknown[0]["account"]["platform"].as_str().expect("a platform");
    let post =
        format!("{posts}{platform},{name},2026-06-29,抓住关健环节，联系人张三13812341234,http://m.cn/1\n");
    world.write("posts.csv", post.as_bytes());
    assert_eq!(world.run(&["media", "import", "--posts", "posts.csv", "--json"]).json()["posts"], 1);
    world.run(&["run", "--quiet"]);
    let scan = world.run(&["scan", "--json"]).json()["scan"].clone();
    assert_eq!(scan["new"], scan["findings"], "those of accounts are new in their first night, too: {scan}");
    let found = world.findings();
    let media = |kind: &str| -> Vec<(String, String)> {
        let mut own: Vec<_> = found
            .iter()
            .filter(|one| one["kind"] == kind)
            .map(|one| (one["site"].to_string(), one["url"].to_string()))
            .collect();
        own.sort();
        own
    };
    let truth = City::new(SMALL).truth();
    for kind in ["media-stale", "media-zombie"] {
        let mut wanted: Vec<_> = truth
            .iter()
            .filter(|row| row.kind == kind)
            .map(|row| (format!("{:?}", row.site), format!("{:?}", row.url)))
            .collect();
        wanted.sort();
        // The account with the post above is fresh now.
        let fresh = unknown[0]["account"]["address"].to_string();
        wanted.retain(|(_, url)| *url != fresh);
        assert_eq!(media(kind), wanted, "{kind}");
    }
    let posted = world.run(&["findings", "list", "--site", "media", "--json"]).json();
    let posted = posted.as_array().expect("findings");
    let kinds: Vec<&Value> =
        posted.iter().filter(|one| one["url"] == "http://m.cn/1").map(|one| &one["kind"]).collect();
    assert!(kinds.contains(&&"typo".into()) && kinds.contains(&&"privacy-mobile".into()), "{posted:?}");
    assert!(!posted.iter().any(|one| one.to_string().contains("13812341234")), "numbers are masked");
}

fn today() -> jiff::civil::Date {
    jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date()
}

/// A feed of posts, so many days old: title and address.
fn feed(posts: &[(i64, &str, &str)]) -> Reply {
    let today = today();
    let items: Vec<Value> = posts
        .iter()
        .map(|(age, title, url)| {
            let day = today.saturating_sub(age.days());
            serde_json::json!({ "url": url, "title": title, "date_published": day.to_string() })
        })
        .collect();
    let body = serde_json::json!({ "version": "https://jsonfeed.org/version/1.1", "items": items });
    Reply::Other("200 OK", "content-type: application/feed+json\r\n".to_owned(), body.to_string())
}

#[test]
fn a_night_reads_feeds_and_what_a_feed_does_not_tell_is_not_known() {
    let night = Arc::new(AtomicU8::new(1));
    let tonight = Arc::clone(&night);
    let site = serve(move |asked| match (&*asked.path, tonight.load(Ordering::Relaxed)) {
        ("/", _) => Reply::page("市水利局", "<p>首页</p>"),
        // Mistakes in two posts; one is mended, then the other is taken down.
        ("/lively", 1) => feed(&[(1, "抓住关健环节", "/1"), (2, "关健时刻", "/2"), (3, "旧闻", "/3")]),
        ("/lively", 2) => feed(&[(1, "抓住关键环节", "/1"), (2, "关健时刻", "/2"), (3, "旧闻", "/3")]),
        ("/lively", 3) => feed(&[(1, "抓住关键环节", "/1"), (3, "旧闻", "/3")]),
        // Silent for too long when it could be read.
        ("/silent", 1) => feed(&[(20, "旧闻", "/4")]),
        ("/silent", 2) => Reply::Cut,
        ("/silent", _) => Reply::Other("403 Forbidden", String::new(), String::new()),
        _ => Reply::missing(),
    });
    let port = site.port;
    let world = World::with_config(&format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n\
         [crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n[search]\nenabled = false\n\
         [media]\nledger = \"ledger.csv\"\n\
         [network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"www.test\" = \"127.0.0.1:{port}\"\n\
         [[site]]\nid = \"www\"\nname = \"市水利局\"\nurl = \"http://www.test/\"\nkind = \"department\"\n"
    ));
    let ledger = "平台,账号名称,主办单位,状态,订阅\n微信,甲,办,正常,http://www.test/lively\n微信,乙,办,正常,http://www.test/silent\n";
    world.write("ledger.csv", ledger.as_bytes());
    let typos = || -> Vec<String> {
        let found = world.run(&["findings", "list", "--site", "media", "--kind", "typo", "--json"]).json();
        let urls = found.as_array().expect("findings").iter();
        urls.map(|one| one["url"].as_str().expect("an address").to_owned()).collect()
    };
    let silent = || world.run(&["findings", "list", "--kind", "media-stale", "--json"]).json();
    let at_night = |number: u8, shift: &str| {
        night.store(number, Ordering::Relaxed);
        let run = world.command_at(shift, &["run"]).env("XUNJIAN_LANG", "en").output().expect("runs");
        assert_eq!(run.status.code(), Some(0), "{run:?}");
        String::from_utf8(run.stderr).expect("text")
    };
    at_night(1, "+0d");
    assert_eq!(typos(), ["http://www.test/1", "http://www.test/2"]);
    let stale = silent();
    assert_eq!(
        (stale[0]["detail"]["account"].as_str(), stale[1].is_null()),
        (Some("微信/乙"), true),
        "{stale}"
    );
    let told = at_night(2, "+1d");
    assert!(told.contains("feeds of accounts that could not be read 1: 微信/乙: "), "{told}");
    assert_eq!(typos(), ["http://www.test/2"], "what was changed is looked at as it is now");
    assert_eq!(silent()[0]["id"], stale[0]["id"]);
    at_night(3, "+2d");
    assert_eq!(typos(), [""; 0], "what was taken down is not there any more");
    let listed = |shift: &str, args: &[&str]| -> Value {
        let args = [&["media", "list", "--json"], args].concat();
        serde_json::from_slice(&world.command_at(shift, &args).output().expect("runs").stdout).expect("JSON")
    };
    let of = |listed: &Value, name: &str| {
        let mut all = listed.as_array().expect("accounts").iter();
        all.find(|one| one["account"]["name"] == name).expect("the account").clone()
    };
    let then = today().saturating_sub(2.days()).to_string();
    let that_day = listed("+2d", &["--point", &then]);
    assert_eq!(of(&that_day, "甲")["last_post"], then.as_str(), "it was there on that day");
    // Two weeks later nobody knows what it posted: what was found stays, and nothing is said of the present.
    at_night(4, "+16d");
    assert_eq!(silent()[0]["id"], stale[0]["id"]);
    let late = listed("+16d", &[]);
    let silent = of(&late, "乙");
    assert_eq!((&silent["activity"], &silent["result"]), (&"unknown".into(), &"review".into()));
    // The other's feed is missing now, too.
    let lively = of(&late, "甲");
    assert_eq!(lively["activity"], "unknown");
    assert_eq!(lively["known_until"].as_str().map(str::len), Some(10));
}

#[test]
fn posts_that_an_earlier_version_kept_in_one_value_stay() {
    let world = World::with_city(SMALL);
    world.write("ledger.csv", "平台,账号名称,主办单位,状态\n微信,甲,办,正常\n".as_bytes());
    assert_eq!(world.run(&["media", "import", "ledger.csv"]).code, 0);
    let post = |day: i8, title: &str| Post {
        date: jiff::civil::date(2026, 6, day),
        title: title.to_owned(),
        text: String::new(),
        url: format!("http://m.cn/{day}"),
    };
    let in_one: [&[u8]; 2] = [b"posts", "微信/甲".as_bytes()];
    let keep = || -> Result<(), StoreError> {
        let store = Store::open(&world.path("xunjian-data"))?;
        let mut batch = store.begin();
        batch.put(Space::Media, &in_one, &vec![post(20, "关健环节"), post(10, "旧闻")])?;
        batch.commit()
    };
    keep().expect("kept");
    let newest = |point: &str| {
        let listed = world.run(&["media", "list", "--point", point, "--json"]).json();
        listed[0]["last_post"].as_str().map(str::to_owned)
    };
    assert_eq!(newest("2026-06-30").as_deref(), Some("2026-06-20"));
    let more = "平台,账号名称,日期,标题,地址\n微信,甲,2026-06-20,关键环节,http://m.cn/20\n微信,甲,2026-06-25,新闻,http://m.cn/25\n";
    world.write("posts.csv", more.as_bytes());
    let import = world.run(&["media", "import", "--posts", "posts.csv", "--json"]).json();
    assert_eq!((&import["posts"], &import["posts_changed"]), (&1.into(), &1.into()));
    assert_eq!(newest("2026-06-30").as_deref(), Some("2026-06-25"));
    assert_eq!(newest("2026-06-15").as_deref(), Some("2026-06-10"));
    let store = Store::open(&world.path("xunjian-data")).expect("a store");
    assert_eq!(store.get::<Vec<Post>>(Space::Media, &in_one).expect("read"), None);
    let each: Vec<Post> = store
        .scan::<Post>(Space::Media, &[b"post", "微信/甲".as_bytes(), b""])
        .map(|row| row.expect("a row").1)
        .collect();
    assert_eq!(each, [post(10, "旧闻"), post(20, "关键环节"), post(25, "新闻")]);
}

/// Tables of posts lie in a folder, where people put new ones.
#[test]
fn a_night_takes_the_tables_that_are_there() {
    let world = World::with_city(CityOptions { seed: 21, sites: 1, pages: 10, day: 0 });
    world.write("ledger.csv", "平台,账号名称,主办单位,状态\n微信,甲,办,正常\n微信,乙,办,正常\n".as_bytes());
    world.reconfigure(
        "xunjian.toml",
        "ledger = \"city/media.csv\"",
        "ledger = \"ledger.csv\"\nposts = [\"posts/*.csv\"]",
    );
    let table = |name: &str, rows: &str, days_ago: u64| {
        world.write(&format!("posts/{name}"), format!("平台,账号名称,日期,标题,地址\n{rows}").as_bytes());
        let file =
            std::fs::File::options().write(true).open(world.path(&format!("posts/{name}"))).expect("opened");
        let at = std::time::SystemTime::now() - std::time::Duration::from_secs(days_ago * 86_400);
        file.set_modified(at).expect("dated");
    };
    let night = || {
        let run = world.english(&["run"]);
        assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
        let listed = world.run(&["findings", "list", "--site", "media", "--json"]).json();
        let words = listed.as_array().expect("findings").iter().map(|one| one["detail"]["what"].clone());
        let mut words: Vec<String> = words.map(|word| word.as_str().expect("a word").to_owned()).collect();
        words.sort();
        let told = run.stderr.lines().filter(|line| line.contains("not taken"));
        (words, told.collect::<Vec<_>>().join("\n"))
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(night(), (none.clone(), String::new()), "there need not be one yet");

    std::fs::create_dir(world.path("posts")).expect("folder");
    // The one that was written last tells what a post says, whatever its name.
    table("b.csv", "微信,甲,2026-06-20,抓住关健环节,http://m.cn/1\n", 3);
    table(
        "a.csv",
        "微信,甲,2026-06-20,抓住关键环节,http://m.cn/1\n微信,乙,2026-06-21,防止帐目不清,http://m.cn/2\n微信,乙,2026-06-22,脉博跳动,http://m.cn/3\n",
        1,
    );
    let (words, _) = night();
    assert!(
        words.contains(&"脉博跳动".to_owned()) || words.iter().any(|word| word.contains("脉博")),
        "{words:?}"
    );
    assert!(!words.iter().any(|word| word.contains("关健")), "{words:?}");
    // What is at fault is told, and tried again; the others are taken all the same.
    table("c.csv", "微信,丙,2026-06-23,新闻,http://m.cn/4\n", 0);
    table("d.csv", "微信,甲,昨天,新闻,http://m.cn/5\n", 0);
    table("e.csv", "微信,甲,2026-06-24,抓住关健环节,http://m.cn/6\n", 0);
    let (words, told) = night();
    assert!(words.iter().any(|word| word.contains("关健")), "{words:?}");
    assert!(told.contains("c.csv") && told.contains("d.csv:2") && !told.contains("e.csv"), "{told}");
    assert!(told.contains("not in the ledger"), "{told}");
    let config = std::fs::read(world.path("xunjian.toml")).expect("configuration");
    let page = client::Serving::start(&world, "127.0.0.1", "").get("/media").body;
    world.write("xunjian.toml", &config);
    assert!(page.matches("<p class=\"wrong\">").count() == 2 && page.contains("d.csv"), "{page}");
    world.write(
        "ledger.csv",
        "平台,账号名称,主办单位,状态\n微信,甲,办,正常\n微信,乙,办,正常\n微信,丙,办,正常\n".as_bytes(),
    );
    table("d.csv", "微信,甲,2026-06-25,新闻,http://m.cn/5\n", 0);
    let (_, told) = night();
    assert_eq!(told, "");
    let listed = world.run(&["media", "list", "--json"]).json();
    let newest = |name: &str| {
        let all = listed.as_array().expect("accounts");
        let one = all.iter().find(|one| one["account"]["name"] == name).expect("an account");
        one["last_post"].as_str().map(str::to_owned)
    };
    assert_eq!(newest("丙").as_deref(), Some("2026-06-23"));
    assert_eq!(newest("甲").as_deref(), Some("2026-06-25"));
    // One that was taken is not taken again: a post that a later import changed stays as that says.
    world.write(
        "later.csv",
        "平台,账号名称,日期,标题,地址\n微信,甲,2026-06-24,抓住关键环节,http://m.cn/6\n".as_bytes(),
    );
    assert_eq!(world.run(&["media", "import", "--posts", "later.csv", "--json"]).json()["posts_changed"], 1);
    let (words, told) = night();
    assert!(told.is_empty() && !words.iter().any(|word| word.contains("关健")), "{words:?} {told}");
}
