//! The archive looked through: words found in it, and a dictionary's change tried on it before it is saved.

#[path = "support/client.rs"]
mod client;
mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use client::{Answer, Serving};
use serde_json::Value;
use support::World;
use xunjian_city::CityOptions;

const SMALL: CityOptions = CityOptions { seed: 21, sites: 9, pages: 40, day: 0 };

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What follows a mark of a page up to the next quote, read as HTML.
fn after(page: &str, mark: &str) -> Option<String> {
    let rest = page.split_once(mark)?.1;
    Some(rest.split('"').next()?.replace("&#x2f;", "/").replace("&amp;", "&"))
}

/// The addresses of a list's rows, over all its parts.
fn rows(console: &Serving, first: Answer) -> BTreeSet<String> {
    let (mut page, mut found) = (first, BTreeSet::new());
    loop {
        assert_eq!(page.status, 200, "{}", page.body);
        let body = page.body.replace("&#x2f;", "/").replace("&amp;", "&");
        let urls = body.split("<small>http").skip(1);
        found.extend(urls.map(|rest| format!("http{}", rest.split('<').next().unwrap_or_default())));
        let Some(next) = after(&page.body, "<a class=\"button\" href=\"") else { return found };
        page = console.get(&next);
    }
}

#[test]
fn words_are_found_wherever_they_stand() {
    let world = World::inspected(SMALL);
    // Whatever a dictionary found, a search for the word finds on the same page.
    let findings = world.findings();
    let of = |word: &str| -> BTreeSet<String> {
        let hits = findings.iter().filter(|one| one["kind"] == "typo" && one["detail"]["what"] == word);
        hits.map(|one| one["url"].as_str().expect("an address").to_owned()).collect()
    };
    let words: BTreeSet<&str> = findings
        .iter()
        .filter(|one| one["kind"] == "typo")
        .filter_map(|one| one["detail"]["what"].as_str())
        .collect();
    assert!(!words.is_empty(), "the city has some");
    let console = Serving::start(&world, "127.0.0.1", "");
    for word in &words {
        let first = console.get(&format!("/search?q={}", encoded(word)));
        assert!(first.took.as_millis() < 2_000);
        let found = rows(&console, first);
        assert!(of(word).is_subset(&found) && !found.is_empty(), "{word}: {found:?}");
        for url in &found {
            let versions = console.get(&format!("/snapshots?url={}&q={}", encoded(url), encoded(word)));
            let frame = after(&versions.body, "<iframe class=\"page\" sandbox src=\"").expect("a frame");
            let page = console.get(&frame);
            let policy = page.header("content-security-policy").expect("a policy");
            assert!(page.status == 200 && policy.starts_with("sandbox; default-src 'none'"), "{policy}");
            assert!(page.body.contains(word), "{url} has {word}");
        }
    }
    let word = words.first().expect("a word");
    assert!(rows(&console, console.get(&format!("/search?q={}+nowhere-in-it", encoded(word)))).is_empty());
    let one = rows(&console, console.get(&format!("/search?q={}&site=slj", encoded("工作"))));
    assert!(one.iter().all(|url| url.starts_with("http://slj.")), "{one:?}");
    assert_eq!(console.get("/search?q=a&site=No+Site").status, 400);
    for from in ["nonsense", "nobody%20http%3A%2F%2Fa%2F"] {
        let told = console.get(&format!("/search?q=a&from={from}"));
        assert!(told.status == 400 && told.body.contains("不是可以继续的位置"), "{}", told.body);
    }
    // Of an address is told what `why` tells, whether there is a snapshot of it or not.
    let nowhere = console.get("/snapshots?url=http%3A%2F%2Fnowhere.example%2F");
    assert!(nowhere.status == 200 && nowhere.body.contains("它不属于任何登记的网站"), "{}", nowhere.body);
    assert!(!nowhere.body.contains("<iframe"));
    let dead = findings.iter().find(|one| one["kind"] == "dead-link").expect("a dead link");
    let dead = dead["detail"]["what"].as_str().expect("an address");
    let asked = console.get(&format!("/search?q={}", encoded(dead)));
    let link = after(&asked.body, "<p class=\"told\"><a href=\"").expect("a link");
    let told = console.get(&link).body;
    let plain = told.replace("&#x2f;", "/");
    assert!(
        plain.contains(&format!("<dt>地址</dt><dd>{dead}</dd>")) && plain.contains("<dt>上次访问</dt>"),
        "{told}"
    );
    assert_eq!(console.get("/snapshots?url=nothing").status, 400);
    assert!(
        console.get(&format!("/search?q={}", encoded(&"字".repeat(101)))).body.contains("role=\"alert\"")
    );
    drop(console);

    // The same on the command line.
    let document = world.run(&["find", word, "--json", "--most", "1000"]).json();
    assert_eq!(document["complete"], true, "{document}");
    let found: BTreeSet<String> = document["found"]
        .as_array()
        .expect("pages")
        .iter()
        .map(|one| one["url"].as_str().expect("an address").to_owned())
        .collect();
    assert!(of(word).is_subset(&found), "{found:?}");
    let some = world.run(&["find", "工作", "--json", "--most", "2"]).json();
    assert_eq!((some["found"].as_array().map(Vec::len), &some["complete"]), (Some(2), &Value::Bool(false)));
    let nobody = world.english(&["find", "工作", "--site", "nobody"]);
    assert!(nobody.code == 2 && nobody.stderr.contains("no site nobody"), "{}", nobody.stderr);
}

#[test]
fn what_a_scan_knows_of_pages_only_spares_reading_them() {
    let world = World::with_city(CityOptions { seed: 36, sites: 9, pages: 30, day: 0 });
    assert!(matches!(world.run(&["crawl"]).code, 0 | 3));
    let words =
        ["工作", "关于", "2026-", "水利局 通知", "http", "art/", "名单", "a.b", "（", "没有的词", "的"];
    let find =
        || words.map(|word| world.run(&["find", word, "--json", "--most", "10000"]).json()["found"].clone());
    let before = find();
    world.reconfigure("xunjian.toml", "[\"city/words.toml\"]", "[\"city/words.toml\", \"own.txt\"]");
    // Noted is from the first change of words on.
    for own in ["没有的词", "也没有的词"] {
        world.write("own.txt", own.as_bytes());
        assert!(matches!(world.run(&["scan"]).code, 0 | 3));
    }
    let after = find();
    for ((word, before), after) in words.iter().zip(before).zip(after) {
        assert_eq!(before, after, "{word}");
        let nothing = before.as_array().expect("pages").is_empty();
        assert!(!nothing || ["没有的词", "a.b"].contains(word), "{word} is somewhere");
    }
}

#[test]
fn a_dictionary_is_changed_once_it_was_tried() {
    let world = World::inspected(SMALL);
    let console = Serving::start(&world, "127.0.0.1", "");
    let list = console.get("/dictionaries");
    let path =
        list.body.split("<a href=\"").find(|rest| rest.starts_with("/dictionaries/")).expect("one to edit");
    let path = path.split('"').next().expect("an address");
    assert_eq!(
        list.body.matches("<a href=\"/dictionaries/").count(),
        1,
        "those of the program are not edited"
    );
    let page = console.get(path);
    let token = page.form_token();
    let read = page.body.split("name=\"read\" value=\"").nth(1).expect("a hash");
    let read = read.split('"').next().expect("a value");
    let file = std::fs::read_to_string(world.path("city/words.toml")).expect("the dictionary");
    assert!(page.body.contains("pattern = &quot;"), "{}", page.body);
    let send = |action: &str, text: &str, read: &str| {
        let body = format!(
            "form_token={}&action={action}&read={read}&site=&text={}",
            encoded(&token),
            encoded(text)
        );
        console.post_form(path, &[], &body)
    };

    // A new word is tried: every page that has it is shown, no other.
    let more = file.replace('\n', "\r\n") + "\r\n[[entry]]\r\npattern = \"统筹推进\"\r\n";
    let tried = send("try", &more, read);
    assert_eq!(tried.status, 303, "{}", tried.body);
    let to = tried.header("location").expect("where the try is shown").to_owned();
    let first = console.get(&to);
    assert!(first.body.contains("统筹推进") && first.body.contains(&format!("value=\"{read}\"")));
    let gained = rows(&console, first);
    let part = console.get(&format!("{to}&part=true")).body;
    assert!(part.contains("data-rows") && !part.contains("<textarea"), "rows alone");
    let expected = rows(&console, console.get(&format!("/search?q={}", encoded("统筹推进"))));
    assert!(!gained.is_empty() && gained.is_subset(&expected), "{gained:?}\n{expected:?}");
    assert_eq!(std::fs::read_to_string(world.path("city/words.toml")).expect("read"), file, "only tried");
    // A word that is taken away is found no more.
    let first_entry = file.find("[[entry]]").expect("entries");
    let second_entry = file[first_entry + 1..].find("[[entry]]").expect("another") + first_entry + 1;
    let word = file[first_entry..second_entry].split('"').nth(1).expect("a word").to_owned();
    let fewer = format!("{}{}", &file[..first_entry], &file[second_entry..]);
    let tried = send("try", &fewer, read).header("location").expect("where the try is shown").to_owned();
    let lost = console.get(&tried);
    assert!(lost.body.contains("不再命中") || rows(&console, lost).is_empty(), "{word}");
    assert!(console.get(&format!("{path}?draft=gone")).body.contains("已过期"));

    // A faulty one is told by its lines; nothing is lost.
    let faulty = format!("{file}\n[[entry]]\npatern = \"错\"\n");
    for action in ["try", "save"] {
        let told = send(action, &faulty, read);
        assert!(told.status == 422 && told.body.contains("patern"), "{}", told.body);
        assert!(told.body.contains("错"), "what was written is still there");
    }
    assert_eq!(send("save", &more, "0000").status, 409, "somebody else saved in between");
    assert_eq!(send("burn", &more, read).status, 400);
    assert_eq!(send("save", &more, read).status, 303);
    let saved = std::fs::read_to_string(world.path("city/words.toml")).expect("read");
    assert_eq!(saved, more.replace("\r\n", "\n"));
    assert_eq!(send("save", &file, read).status, 409, "it is another file now");
    let kept: Vec<_> =
        std::fs::read_dir(world.path("xunjian-data/dictionaries")).expect("a folder").collect();
    assert_eq!(kept.len(), 1);
    let kept = kept[0].as_ref().expect("a file").path();
    assert_eq!(std::fs::read_to_string(kept).expect("read"), file, "the state before is kept");
    let audit = std::fs::read_to_string(world.path("xunjian-data/audit.jsonl")).expect("an audit log");
    assert!(audit.contains("\"dictionary\"") && audit.contains("words.toml"), "{audit}");
    // The console goes on with it, and so does the next scan.
    let entries = |text: &str| text.matches("[[entry]]").count();
    assert!(console.get(path).body.contains(&format!("词条 {}", entries(&saved))));
    assert_eq!(console.post_form(path, &[], "form_token=x&action=save&read=a&text=b").status, 403);
    assert_eq!(console.get("/dictionaries/nothing").status, 404);
    drop(console);
    assert_eq!(world.run(&["scan", "--json"]).code, 0);
    let found = world.run(&["findings", "list", "--json", "--kind", "sensitive-word"]).json();
    let hits = found.as_array().expect("findings").iter().filter(|one| one["detail"]["what"] == "统筹推进");
    assert!(hits.count() >= 1);
}

#[test]
fn what_is_changed_counts_from_the_next_night_on() {
    let world = World::inspected(SMALL);
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").expect("a zone");
    let soon = zone.to_datetime(jiff::Timestamp::now() + jiff::SignedDuration::from_secs(6));
    let nightly = format!("nightly = \"{}\"\n", soon.strftime("%H:%M:%S"));
    let console = Serving::start(&world, "127.0.0.1", &nightly);
    let file = std::fs::read_to_string(world.path("city/words.toml")).expect("the dictionary");
    world.write("city/words.toml", format!("{file}\n[[entry]]\npattern = \"统筹推进\"\n").as_bytes());
    let begun = Instant::now();
    while console.get("/runs").body.matches("<td>完成</td>").count() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(90), "the night does not end");
        std::thread::sleep(Duration::from_millis(300));
    }
    let found = world.findings();
    assert!(found.iter().any(|one| one["detail"]["what"] == "统筹推进"), "{} findings", found.len());
    let list = console.get("/dictionaries").body;
    assert!(
        list.contains(&format!("<td class=\"n\">{}</td>", file.matches("[[entry]]").count() + 1)),
        "{list}"
    );
}
