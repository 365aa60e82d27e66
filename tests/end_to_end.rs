//! Whole nights on the simulated city: what was planted is found, nights follow each other, the
//! documents fit their schemas.

mod support;

use std::collections::BTreeMap;

use serde_json::Value;
use support::{World, assert_fits};
use xunjian_city::{City, CityOptions, Reported, score};
use xunjian_model::{Kind, Severity};

const CITY: CityOptions = CityOptions { seed: 4_711, sites: 45, pages: 60, day: 0 };
const SMALL: CityOptions = CityOptions { seed: 12, sites: 9, pages: 40, day: 0 };

fn reported(findings: &[Value]) -> Vec<Reported> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let row = |one: &Value| Reported {
        site: text(&one["site"]),
        kind: text(&one["kind"]),
        url: text(&one["url"]),
        what: one["detail"]["what"].as_str().map(str::to_owned),
    };
    findings.iter().map(row).collect()
}

fn by_state(findings: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for one in findings {
        *counts.entry(one["state"].as_str().expect("state").to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn what_was_planted_is_found_and_nothing_else() {
    let world = World::with_city(CITY);
    let ended = world.run(&["run", "--json"]);
    // One site of the city is down.
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let findings = world.findings();
    let kinds: Vec<&str> = xunjian_scan::KINDS.iter().map(|kind| kind.as_str()).collect();
    let score = score(&City::new(CITY).truth(), &reported(&findings)).only(&kinds);
    for (kind, one) in &score.kinds {
        assert!(one.recall() >= 0.99, "{kind}: missed {:#?}", one.missed);
        assert!(one.precision() >= 0.99, "{kind}: wrong {:#?}", one.wrong);
    }
    let total = score.total();
    assert!(total.truth > 200, "{}", total.truth);

    // Each finding on a page leads to a kept snapshot.
    for one in findings.iter().filter(|one| {
        !matches!(one["kind"].as_str(), Some("no-ipv6" | "unreachable" | "media-stale" | "media-zombie"))
    }) {
        assert!(one["evidence"]["snapshot"].is_string(), "{one}");
    }
    // Words in texts are told with the bytes they are written in.
    let words = findings.iter().filter(|one| one["kind"] == "typo" && one["evidence"]["offset"].is_u64());
    let bytes = |one: &Value| one["detail"]["bytes"].as_str().is_some_and(|bytes| bytes.contains('-'));
    assert!(words.clone().count() > 10 && words.clone().all(bytes), "{:#?}", words.collect::<Vec<_>>());
    let evidence = std::fs::read_dir(world.path("xunjian-data/report/evidence")).expect("folder").count();
    assert!(evidence > 0);

    // The vetoes are those that the planted faults make, no more and no fewer.
    let city = City::new(CITY);
    let verdicts = world.read_json("xunjian-data/report/verdicts.json");
    for (row, verdict) in city.verdicts().iter().zip(verdicts.as_array().expect("array")) {
        let rules = verdict["vetoes"].as_array().expect("array").iter();
        let vetoes: Vec<&str> = rules.filter_map(|veto| veto["rule"].as_str()).collect();
        assert_eq!(vetoes, row.vetoes, "{}", row.site);
        assert_eq!(verdict["result"] == "fail", !row.vetoes.is_empty(), "{}", row.site);
    }
}

#[test]
fn documents_fit_their_schemas() {
    let world = World::with_city(SMALL);
    let truth = world.path("truth.json");
    std::fs::write(&truth, serde_json::to_vec(&City::new(SMALL).truth()).expect("JSON")).expect("written");
    let run = world.run(&["run", "--json"]);
    assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
    let mut summary = run.json();
    assert!(summary.as_object_mut().expect("object").remove("report").is_some());
    assert_fits(&summary, "summary.schema.json");
    assert_fits(&world.read_json("xunjian-data/report/summary.json"), "summary.schema.json");
    assert_fits(&world.read_json("xunjian-data/report/findings.json"), "findings.schema.json");
    assert_fits(&world.read_json("xunjian-data/report/mended.json"), "findings.schema.json");
    assert_fits(&world.read_json("xunjian-data/report/verdicts.json"), "verdicts.schema.json");
    assert_fits(&world.read_json("truth.json"), "truth.schema.json");
    for schema in [
        include_str!("../docs/schema/findings.schema.json"),
        include_str!("../docs/schema/truth.schema.json"),
    ] {
        for kind in xunjian_model::Kind::ALL {
            assert!(schema.contains(&format!("\"{kind}\"")), "a schema without {kind}");
        }
    }
    assert_fits(&world.run(&["judge", "--json"]).json(), "verdicts.schema.json");
    let table = std::fs::read_to_string(world.path("xunjian-data/report/findings.csv")).expect("table");
    assert_eq!(
        table.lines().next().map(|line| line.trim_start_matches('\u{FEFF}').starts_with("id,site,")),
        Some(true)
    );
}

#[test]
fn a_changed_list_of_one_site_is_no_reason_to_read_the_others_again() {
    let world = World::with_city(SMALL);
    world.reconfigure("xunjian.toml", "[\"city/words.toml\"]", "[\"city/words.toml\", \"own.toml\"]");
    let city = City::new(SMALL);
    let (site, name) = (city.sites()[0].id.to_string(), city.sites()[0].name.clone());
    let list = |words: &str| {
        let head = format!("name = \"own\"\ncategory = \"sensitive-word\"\nsites = [\"{site}\"]\n");
        world.write("own.toml", format!("{head}[[entry]]\npattern = \"{words}\"\n").as_bytes());
    };
    let scan = || {
        let ended = world.run(&["scan", "--json"]);
        assert!(matches!(ended.code, 0 | 3), "{}", ended.stderr);
        let scan = &ended.json()["scan"];
        let number = |name: &str| scan[name].as_u64().expect("a number");
        (number("pages"), number("kept"))
    };
    list("没有的词");
    assert!(matches!(world.run(&["crawl"]).code, 0 | 3));
    let (all, kept) = scan();
    assert!(all > 0 && kept == 0);
    assert_eq!(scan(), (all, all));
    list(&name);
    let (pages, kept) = scan();
    assert_eq!(pages, all);
    assert!(0 < kept && kept < all, "{kept} of {all}");
    let listed = world.run(&["findings", "list", "--kind", "sensitive-word", "--json"]).json();
    let listed = listed.as_array().expect("findings");
    let mut hits = listed.iter().filter(|one| one["detail"]["what"] == name.as_str()).peekable();
    assert!(hits.peek().is_some() && hits.all(|one| one["site"] == site.as_str()), "{listed:#?}");
}

#[test]
fn nights_follow_each_other() {
    let world = World::with_city(SMALL);
    // Second looks are no part of what an unchanged night costs.
    world.reconfigure("xunjian.toml", "second_look_share = 1.0", "second_look_share = 0");
    let first = world.run(&["run", "--json"]).json();
    let states = by_state(&world.findings());
    assert_eq!(states.keys().collect::<Vec<_>>(), ["new"], "{states:?}");

    // The same night again: all still there, hardly anything sent.
    let second = world.run(&["run", "--json"]).json();
    let states = by_state(&world.findings());
    assert_eq!(states.keys().collect::<Vec<_>>(), ["open"], "{states:?}");
    assert_eq!(second["run"], 2);
    assert!(second["crawl"]["not_modified"].as_u64() > Some(0));
    let wire = |summary: &Value| summary["crawl"]["wire_received"].as_u64().expect("bytes");
    assert!(wire(&second) * 2 < wire(&first), "{} {}", wire(&second), wire(&first));

    // Days later: repairs, new faults, and still exactly what is there.
    let later = CityOptions { day: 9, ..SMALL };
    let world = world.next_day(later);
    let third = world.run(&["run", "--json"]).json();
    let findings = world.findings();
    let states = by_state(&findings);
    assert!(states.get("new").is_some_and(|count| *count > 0), "{states:?}");
    assert!(third["findings"]["mended"].as_u64() > Some(0));
    let kinds: Vec<&str> = xunjian_scan::KINDS.iter().map(|kind| kind.as_str()).collect();
    let score = score(&City::new(later).truth(), &reported(&findings)).only(&kinds);
    for (kind, one) in &score.kinds {
        assert!(
            one.recall() >= 0.99 && one.precision() >= 0.99,
            "{kind}: {:#?} {:#?}",
            one.missed,
            one.wrong
        );
    }
}

#[test]
fn steps_alone_do_what_the_run_does() {
    let whole = World::with_city(SMALL);
    whole.run(&["run"]);
    let steps = World::with_city(SMALL);
    for step in ["crawl", "scan", "search", "judge", "report"] {
        let ended = steps.run(&[step]);
        assert!(matches!(ended.code, 0 | 3), "{step}: {}", ended.stderr);
    }
    let ids = |world: &World| {
        let mut ids: Vec<String> = world.findings().iter().map(|one| one["id"].to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&whole), ids(&steps));
}

#[test]
fn one_site_alone() {
    let world = World::with_city(SMALL);
    let city = City::new(SMALL);
    let id = &city.sites()[3].id;
    let summary = world.run(&["run", "--json", "--site", id]).json();
    assert_eq!(summary["sites"]["total"], 1);
    // The report of the whole night is not written over.
    assert!(!world.path("xunjian-data/report").exists());
    let findings = world.read_json("xunjian-data/report-of-sites/findings.json");
    let findings = findings.as_array().expect("array");
    assert!(!findings.is_empty() && findings.iter().all(|one| one["site"] == id.as_str()));
    let ended = world.english(&["run", "--site", "nobody"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("no site nobody in the register; known: "), "{}", ended.stderr);
}

#[test]
fn severities_decide_the_exit_code() {
    let world = World::with_city(SMALL);
    let city = City::new(SMALL);
    let truth = city.truth();
    // A site that is up and has a fault that counts towards a veto.
    let major = |kind: &str| kind.parse::<Kind>().is_ok_and(|kind| kind.severity() >= Severity::Major);
    let up = |id: &str| !truth.iter().any(|row| row.site == id && row.kind == "unreachable");
    let id = city
        .sites()
        .iter()
        .map(|site| site.id.as_str())
        .find(|id| up(id) && truth.iter().any(|row| row.site == *id && major(&row.kind)));
    let id = id.expect("a site with a fault");
    assert_eq!(world.run(&["run", "--site", id, "--fail-on", "major"]).code, 1);
    assert_eq!(world.run(&["run", "--site", id]).code, 0);
    let ended = world.run(&["report", "--fail-on", "info"]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
}

#[test]
fn the_report_stands_alone_in_both_languages() {
    let world = World::with_city(SMALL);
    world.run(&["run"]);
    let chinese = std::fs::read_to_string(world.path("xunjian-data/report/report.html")).expect("report");
    assert!(chinese.contains("政府网站巡检报告") && chinese.contains("合格率"));
    world.run(&["report", "--lang", "en", "--out", "english"]);
    let english = std::fs::read_to_string(world.path("english/report.html")).expect("report");
    assert!(english.contains("Government website inspection") && english.contains("Pass rate"));
    for page in [&chinese, &english] {
        // Nothing is loaded from elsewhere, and no personal number stands there whole.
        assert!(!page.contains("<link ") && !page.contains(" src="));
        let numbers = page.split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() == 18).count();
        assert_eq!(numbers, 0);
    }
    // What is said of findings is said in Chinese.
    let said: Vec<&str> = chinese
        .split("<span class=\"legend\">")
        .skip(1)
        .filter_map(|rest| rest.split("</span>").next())
        .collect();
    assert!(said.len() > 20, "{said:?}");
    let words = |text: &str| {
        let is_word = |word: &&str| word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_lowercase());
        text.split(' ').filter(is_word).count()
    };
    let english: Vec<&&str> = said.iter().filter(|text| words(text) > 1).collect();
    assert!(english.is_empty(), "{english:?}");
    assert!(!chinese.contains("parked domain") && !chinese.contains(">refused<"));
}
