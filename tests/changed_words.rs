//! A changed dictionary: what it costs, and that it finds what a scan of everything would.

mod support;

use std::path::Path;

use serde_json::Value;
use support::World;
use xunjian_city::CityOptions;

const SMALL: CityOptions = CityOptions { seed: 12, sites: 9, pages: 40, day: 0 };
/// Words that no page of a city has.
const ABSENT: &str = "没有的词";

/// Scans a data folder: pages, those that were not read again, and what is found.
fn scan(world: &World, data: &str, more: &[&str]) -> (u64, u64, Vec<Value>) {
    let ended = world.run(&[&["scan", "--json", "--data", data], more].concat());
    assert!(matches!(ended.code, 0 | 3), "{}", ended.stderr);
    let scan = &ended.json()["scan"];
    let number = |name: &str| scan[name].as_u64().expect("a number");
    let listed = world.run(&["findings", "list", "--json", "--data", data]).json();
    let mut findings = listed.as_array().expect("findings").clone();
    for one in &mut findings {
        let one = one.as_object_mut().expect("object");
        for passing in ["first_seen", "last_seen", "state"] {
            one.remove(passing);
        }
    }
    findings.sort_by_key(|one| one["id"].to_string());
    (number("pages"), number("kept"), findings)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let (entry, to) = entry.map(|one| (one.path(), to.join(one.file_name()))).expect("an entry");
        if entry.is_dir() {
            copy(&entry, &to);
        } else {
            std::fs::copy(&entry, &to).expect("copied");
        }
    }
}

/// Four characters of a title that stand on few pages.
fn rare_word(findings: &[Value]) -> String {
    let titles = findings.iter().filter_map(|one| one["title"].as_str());
    let words = titles.map(|title| title.chars().skip(2).take(4).collect::<String>());
    let cjk = |word: &String| word.chars().all(|c| ('\u{4E00}'..'\u{9FFF}').contains(&c));
    let mut words: Vec<String> = words.filter(cjk).filter(|word| word.chars().count() == 4).collect();
    words.sort();
    let alone = |word: &&String| words.iter().filter(|one| one == word).count() == 1;
    words.iter().find(alone).expect("a title of its own").clone()
}

fn entry(word: &str, more: &str) -> String {
    format!("[[entry]]\npattern = \"{word}\"\n{more}\n")
}

#[test]
fn a_changed_dictionary_finds_what_a_scan_of_everything_does() {
    let world = World::with_city(SMALL);
    let own = "[\"city/words.toml\", \"own.toml\", \"other.toml\"]";
    world.reconfigure("xunjian.toml", "[\"city/words.toml\"]", own);
    let list = |file: &str, head: &str, entries: &[String]| {
        let list = format!("name = \"{file}\"\ncategory = \"sensitive-word\"\n{head}\n{}", entries.concat());
        world.write(&format!("{file}.toml"), list.as_bytes());
    };
    list("own", "", &[entry(ABSENT, "")]);
    list("other", "", &[entry(ABSENT, "severity = \"minor\"")]);
    assert!(matches!(world.run(&["crawl"]).code, 0 | 3));
    let (pages, kept, findings) = scan(&world, "xunjian-data", &[]);
    assert!(pages > 0 && kept == 0);
    let rare = rare_word(&findings);
    let disguised: String = rare.chars().flat_map(|c| [c, '*']).collect();
    let inner: String = rare.chars().skip(1).take(2).collect();
    let everywhere = "人民政府";

    let states: &[(&str, &[String], &[String], bool)] = &[
        // Only then it is noted which pages have what.
        ("the first change", &[entry(ABSENT, ""), entry("抗旱救灾模范", "")], &[], false),
        ("a word that no page has", &[entry(ABSENT, ""), entry("抗洪救灾模范", "")], &[], true),
        ("one that a page has", &[entry(ABSENT, ""), entry(&rare, "")], &[], true),
        ("its note", &[entry(ABSENT, ""), entry(&rare, "note = \"x\"")], &[], true),
        ("a word inside it, which it hides", &[entry(&rare, ""), entry(&inner, "")], &[], true),
        ("the outer one is gone", &[entry(&inner, "")], &[], true),
        ("a phrase allows the inner one", &[entry(&inner, &format!("allow = [\"{rare}\"]"))], &[], true),
        ("both lists have it", &[entry(&rare, "")], &[entry(&rare, "severity = \"info\"")], true),
        ("written otherwise", &[entry(&disguised, "")], &[], true),
        ("a word of every page", &[entry(everywhere, "")], &[], false),
        ("nothing of all that", &[entry(ABSENT, "")], &[], false),
        ("as in the beginning", &[entry(ABSENT, "")], &[entry(ABSENT, "severity = \"minor\"")], true),
    ];
    for (at, (what, own, other, few)) in states.iter().enumerate() {
        list("own", "", own);
        list("other", "", if other.is_empty() { own } else { other });
        let everything = format!("everything-{at}");
        copy(&world.path("xunjian-data"), &world.path(&everything));
        let (_, none, expected) = scan(&world, &everything, &["--fresh"]);
        assert_eq!(none, 0);
        let (all, kept, findings) = scan(&world, "xunjian-data", &[]);
        assert_eq!(all, pages);
        assert_eq!(findings, expected, "{what}");
        if own.contains(&entry(&rare, "")) {
            assert!(findings.iter().any(|one| one["detail"]["what"] == rare.as_str()), "{what}: {rare}");
        }
        assert_eq!(kept * 10 >= all * 8, *few, "{what}: {kept} of {all}");
        let (_, kept, again) = scan(&world, "xunjian-data", &[]);
        assert_eq!((kept, again), (all, expected), "{what}, nothing changed");
    }
}
