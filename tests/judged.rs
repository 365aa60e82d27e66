//! Judgement as the office uses it: verdicts, the notice of a quarter, and faults that are followed until
//! they are mended.

#[path = "support/server.rs"]
mod server;
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::Value;
use server::{Reply, serve};
use support::World;
use xunjian_city::{City, CityOptions, Family};

const SMALL: CityOptions = CityOptions { seed: 21, sites: 9, pages: 40, day: 0 };

fn texts(value: &Value, name: &str) -> Vec<String> {
    let rows = value.as_array().expect("a list");
    rows.iter().map(|row| row[name].as_str().expect("a text").to_owned()).collect()
}

#[test]
#[ignore = "takes two minutes; tests/run.sh runs it beside the others"]
fn verdicts_vetoes_and_warnings_equal_the_truth_over_ten_cities() {
    for seed in 3_000..3_010 {
        let options = CityOptions { seed, sites: 45, pages: 24, day: 0 };
        let city = City::new(options);
        let truth = city.verdicts();
        let families: BTreeMap<&str, Family> =
            city.sites().iter().map(|site| (site.id.as_str(), site.family)).collect();
        let world = World::with_city(options);
        // What search engines are shown and what browsers draw is another matter.
        let config = std::fs::read_to_string(world.path("xunjian.toml")).expect("configuration");
        world.write("xunjian.toml", (config + "\n[render]\nbrowser = \"off\"\n").as_bytes());
        let run = world.run(&["run", "--json", "--quiet"]);
        assert_eq!(run.code, 3, "a site is down: {}", run.stderr);
        let judged = world.run(&["judge", "--json"]).json();
        let judged: BTreeMap<&str, &Value> = judged
            .as_array()
            .expect("verdicts")
            .iter()
            .map(|verdict| (verdict["site"].as_str().expect("a site"), verdict))
            .collect();
        assert_eq!(judged.len(), truth.len());
        for row in truth {
            let verdict = judged[row.site.as_str()];
            let (vetoes, warnings) = (texts(&verdict["vetoes"], "rule"), texts(&verdict["warnings"], "rule"));
            assert_eq!((vetoes, warnings), (row.vetoes, row.warnings), "seed {seed}: {}", row.site);
            let result = verdict["result"].as_str().expect("a result");
            // A portal whose score may still fall below the line waits for a person, too.
            let low = verdict["score_least"].as_f64().is_some_and(|least| least < 60.0);
            assert!(verdict["score"].as_f64().is_none_or(|most| most >= 60.0), "seed {seed}: {}", row.site);
            // So do blank lists that a script fills, where no browser draws them.
            let scripted = families[row.site.as_str()] == Family::Script;
            let maybe = row.result == "pass" && (row.portal && low || scripted) && result == "review";
            let reviews = &verdict["reviews"];
            assert!(result == row.result || maybe, "seed {seed}: {} is {result}: {reviews}", row.site);
        }
    }
}

#[test]
fn the_notice_of_the_second_quarter_of_2022_is_replayed() {
    let world = World::serving(City::of_notice(1));
    let at = "@2026-06-30 12:00:00";
    let run: support::Ended = world.command_at(at, &["run", "--json"]).output().expect("runs").into();
    assert_eq!(run.code, 0, "{}\n{}", run.stderr, run.stdout);
    // A person says which documents are of wide interest.
    let picked = world.run(&[
        "findings", "confirm", "--kind", "interpretation-missing", "--by", "王芳", "--reason",
        "社会关注度高", "--json",
    ]);
    assert_eq!(picked.json().as_array().expect("findings").len(), 13, "{}", picked.stderr);
    let stated = ["--stated", "sites=97.77", "--stated", "accounts=90", "--stated", "rectified=91%"];
    let notice = world.run(&[&["judge", "--quarter", "2026Q2", "--json"][..], &stated].concat());
    assert_eq!(notice.code, 0, "{}", notice.stderr);
    let notice = notice.json();
    let counts = &notice["counts"];
    let numbers = |names: &[&str]| -> Vec<u64> {
        names.iter().map(|name| counts[name].as_u64().unwrap_or_else(|| panic!("{name}: {counts}"))).collect()
    };
    assert_eq!(
        numbers(&["sites", "portals", "departments", "sites_checked", "sites_unqualified"]),
        [45, 12, 33, 45, 1]
    );
    let accounts =
        ["accounts", "accounts_unqualified", "accounts_mended", "accounts_closed", "accounts_open"];
    assert_eq!(numbers(&accounts), [454, 45, 39, 3, 3]);
    let platforms = &counts["accounts_by_platform"];
    let by_platform = ["微信", "微博", "头条", "视频号", "app"].map(|name| platforms[name].as_u64());
    assert_eq!(by_platform, [361, 36, 17, 37, 3].map(Some));

    let rates: BTreeMap<&str, &str> = notice["rates"]
        .as_array()
        .expect("rates")
        .iter()
        .map(|rate| (rate[0]["id"].as_str().expect("an id"), rate[1].as_str().expect("a number")))
        .collect();
    assert_eq!(rates, BTreeMap::from([("sites", "97.77"), ("accounts", "90"), ("rectified", "86.67")]));
    let stated = notice["stated"].as_array().expect("stated rates");
    let agrees: Vec<bool> = stated.iter().map(|rate| rate["agrees"] == true).collect();
    assert_eq!(agrees, [true, true, false], "91 % does not follow from any count");
    let follows = stated[2]["follows"].to_string();
    for rate in ["39/45 = 86.67", "42/45 = 93.33", "39/42 = 92.86"] {
        assert!(follows.contains(rate), "{follows}");
    }

    let by_platform = |name: &str| &notice["platforms"][name][0];
    assert_eq!(by_platform("app")["denominator"], 3);
    let good: u64 = ["微信", "微博", "头条", "视频号", "app"]
        .iter()
        .map(|name| by_platform(name)["numerator"].as_u64().expect("a number"))
        .sum();
    assert_eq!(good, 409);

    let groups: BTreeMap<&str, usize> = notice["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .map(|group| (group["id"].as_str().expect("an id"), group["sites"].as_array().expect("sites").len()))
        .collect();
    let named = ["interpretation-ratio", "service-address", "service-materials", "interaction", "search"];
    assert_eq!(named.map(|id| groups[id]), [13, 5, 4, 5, 39]);
    for other in ["service-elements", "links"] {
        assert_eq!(groups[other], 0, "{other}");
    }

    let annexes = &notice["annexes"];
    let rows = |name: &str| annexes[name].as_array().expect(name).clone();
    assert_eq!(rows("sites").len(), 45);
    assert!(rows("sites").iter().all(|row| row["code"].as_str().is_some_and(|code| code.len() == 10)));
    let failed = rows("unqualified_sites");
    assert_eq!(texts(&annexes["unqualified_sites"], "name"), ["青禾县人民政府"]);
    assert_eq!(failed[0]["indicator"], "V4c");
    assert!(failed[0]["pages"].as_array().is_some_and(|pages| pages.len() >= 5), "{}", failed[0]);
    assert_eq!(rows("problem_sites").len(), 13 + 5 + 4 + 5 + 39 + 1);
    assert_eq!(rows("zombie_accounts").len(), 1);
    let bad = rows("unqualified_accounts");
    let in_state = |state: &str| bad.iter().filter(|row| row["state"] == state).count();
    assert_eq!((bad.len(), in_state("已整改"), in_state("整改中")), (45, 39, 3));
}

#[test]
fn a_quarter_is_judged_from_its_snapshots_and_compared_with_another() {
    let world = World::with_city(SMALL);
    let first: support::Ended = world
        .command_at("@2026-06-30 12:00:00", &["run", "--json", "--quiet"])
        .output()
        .expect("runs")
        .into();
    assert_eq!(first.code, 3, "{}", first.stderr);
    let then = world.run(&["judge", "--json"]).json();
    // Three months later pages have changed, faults were mended and others came.
    let world = world.next_day(CityOptions { day: 90, ..SMALL });
    let later: support::Ended = world
        .command_at("@2026-09-28 12:00:00", &["run", "--json", "--quiet"])
        .output()
        .expect("runs")
        .into();
    assert_eq!(later.code, 3, "{}", later.stderr);
    let now = world.run(&["judge", "--json"]).json();
    let ended = world.run(&["judge", "--quarter", "2026Q2", "--json"]);
    let quarter = ended.json();
    let lines = |verdicts: &Value| -> Vec<(String, Vec<String>, Vec<String>)> {
        let verdicts = verdicts.as_array().expect("verdicts").iter();
        verdicts
            .map(|one| {
                // How old the home page was tells one moment from another.
                let home =
                    one["indicators"].as_array().expect("rows").iter().find(|row| row["indicator"] == "V3");
                let told = format!("{} {}", one["site"], home.expect("V3")["reason"]);
                (told, texts(&one["vetoes"], "rule"), texts(&one["warnings"], "rule"))
            })
            .collect()
    };
    assert_eq!(lines(&quarter["verdicts"]), lines(&then), "{}", ended.stderr);
    assert_ne!(lines(&then), lines(&now), "three months change something");
    let compared = world
        .run(&["judge", "--quarter", "2026Q3", "--against", "2026Q2", "--point", "2026-09-28", "--json"]);
    let document = compared.json();
    assert_eq!(lines(&document["verdicts"]), lines(&now));
    let comparison = &document["against"]["comparison"];
    assert_eq!(document["against"]["quarter"], "2026Q2");
    assert!(comparison["groups"].as_array().is_some_and(|groups| groups.len() == 9), "{comparison}");
    // Nothing is that old.
    let before = world.run(&["judge", "--quarter", "2025Q4", "--json"]);
    assert_eq!(before.code, 3);
    assert_eq!(before.json()["unseen"].as_array().expect("sites").len(), 9);
}

/// The id of the first finding of a kind, with its revision.
fn first(world: &World, kind: &str) -> (String, Value) {
    let found = world.run(&["findings", "list", "--kind", kind, "--json"]).json();
    let one = found.as_array().and_then(|found| found.first()).unwrap_or_else(|| panic!("no {kind}")).clone();
    (one["id"].as_str().expect("an id").to_owned(), one)
}

#[test]
fn a_fault_is_followed_from_the_notice_until_it_is_mended() {
    // A city in which some faults are mended by the fifth day.
    let day = |seed, day| CityOptions { seed, day, ..SMALL };
    let mends = |seed: &u64| {
        let later = City::new(day(*seed, 5)).truth();
        City::new(day(*seed, 0)).truth().iter().filter(|row| !later.contains(row)).count() >= 3
    };
    let seed = (21..).find(mends).expect("a city");
    let world = World::with_city(day(seed, 0));
    world.run(&["run", "--quiet"]);
    let list = world.run(&["findings", "list", "--json"]).json();
    let all: Vec<&Value> = list.as_array().expect("findings").iter().collect();
    let told =
        world.run(&["findings", "notify", "--stage", "none", "--by", "王芳", "--on", "2022-07-16", "--json"]);
    let told = told.json();
    let told = told.as_array().expect("findings");
    assert!(!told.is_empty());
    // Ten working days after 16 July 2022.
    assert!(
        told.iter().all(|one| one["case"]["rectification"]["notified"]["due"] == "2022-07-29"),
        "{}",
        told[0]
    );
    let overdue = world.run(&["findings", "list", "--overdue", "--json"]).json();
    assert_eq!(overdue.as_array().map(Vec::len), Some(told.len()));

    // Five days later some faults are mended in the city; all are reported mended.
    let world = world.next_day(day(seed, 5));
    let reported = world
        .run(&["findings", "rectify", "--stage", "notified", "--by", "李明", "--reason", "已整改", "--json"]);
    assert_eq!(reported.json().as_array().map(Vec::len), Some(told.len()), "{}", reported.stderr);
    let checked = world.run(&["findings", "recheck", "--stage", "reported", "--json"]);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    let checked = checked.json();
    let count = |name: &str| checked[name].as_array().expect(name).len();
    assert_eq!(count("mended") + count("still_there") + count("not_checked"), told.len(), "{checked}");
    assert!(count("mended") > 0 && count("still_there") > 0, "{checked}");
    let requests = checked["fetched"].as_u64().expect("a number");
    assert!(requests < 3 * told.len() as u64 + 9, "only their pages are asked for: {checked}");
    let stage = |stage: &str| {
        world
            .run(&["findings", "list", "--stage", stage, "--json"])
            .json()
            .as_array()
            .expect("findings")
            .clone()
    };
    assert_eq!(stage("closed").len(), count("mended"));
    assert_eq!(stage("relapsed").len(), count("still_there"));
    let closed = &stage("closed")[0];
    let id = closed["id"].as_str().expect("an id");
    let steps = texts(&closed["case"]["history"], "step");
    assert_eq!(steps, ["found", "notified", "reported", "closed"]);
    let shown = world.run(&["findings", "show", &id[..10]]);
    for word in ["首次发现", "通知整改  王芳", "反馈已整改  李明  已整改", "复查销号", "@20"]
    {
        assert!(shown.stdout.contains(word), "{word}: {}", shown.stdout);
    }
    // A site that does not answer tells nothing of its faults.
    world.run(&["run", "--quiet"]);
    let up = world
        .run(&["findings", "list", "--kind", "missing-entrance", "--kind", "dead-link", "--json"])
        .json();
    let up = up.as_array().expect("findings").len();
    let world = world.unreachable();
    let silent =
        world.run(&["findings", "recheck", "--kind", "missing-entrance", "--kind", "dead-link", "--json"]);
    let silent = silent.json();
    assert_eq!(silent["not_checked"].as_array().map(Vec::len), Some(up), "{silent}");
    // The fault comes back with the old pages: closed ones relapse by themselves.
    let world = world.next_day(day(seed, 0));
    world.run(&["run", "--quiet"]);
    let back = world.run(&["findings", "show", id, "--json"]).json();
    assert_eq!(back["state"], "relapsed");
    assert!(back["case"]["rectification"]["relapsed"].is_object(), "{back}");
    assert_eq!(texts(&back["case"]["history"], "step").last().map(String::as_str), Some("found-again"));
    assert_eq!(all.len(), told.len());
}

#[test]
fn what_a_person_decided_lasts_over_nights_and_rebuilding() {
    const KIND: &str = "sensitive-word";
    let has_one = |seed: &u64| {
        City::new(CityOptions { seed: *seed, ..SMALL }).truth().iter().any(|row| row.kind == KIND)
    };
    let seed = (21..).find(has_one).expect("a city with one");
    let world = World::with_city(CityOptions { seed, ..SMALL });
    world.run(&["run", "--quiet"]);
    let (id, before) = first(&world, KIND);
    let site = before["site"].as_str().expect("a site").to_owned();
    let result = |world: &World| {
        let verdicts = world.run(&["judge", "--json"]).json();
        let own = verdicts.as_array().expect("verdicts").iter().find(|one| one["site"] == site.as_str());
        own.expect("a verdict").clone()
    };
    assert!(texts(&result(&world)["reviews"], "rule").contains(&"V1".to_owned()));
    let no_reason = world.run(&["findings", "dismiss", &id, "--by", "王芳"]);
    assert_eq!((no_reason.code, no_reason.stderr.contains("--reason")), (2, true), "{}", no_reason.stderr);
    let nobody = world.run(&["findings", "confirm", &id]);
    assert!(nobody.code == 2 && nobody.stderr.contains("--by"), "{}", nobody.stderr);
    let all_of_site =
        ["findings", "dismiss", "--site", &site, "--queue", "--by", "王芳", "--reason", "引用原文"];
    assert_eq!(world.run(&all_of_site).code, 0);
    assert!(result(&world)["reviews"].as_array().expect("a list").iter().all(|one| one["rule"] != "V1"));
    // Another person who saw the finding before cannot decide over it unawares.
    let late = world.english(&["findings", "confirm", &id, "--by", "李明", "--revision", "1"]);
    assert!(late.code == 2 && late.stderr.contains("changed by somebody else"), "{}", late.stderr);
    let other = world.english(&["findings", "confirm", &id, "--by", "李明"]);
    assert!(other.code == 2 && other.stderr.contains("王芳 has dismissed"), "{}", other.stderr);
    // The next night finds it again, and the decision holds.
    world.run(&["run", "--quiet"]);
    let after = world.run(&["findings", "show", &id, "--json"]).json();
    assert_eq!(
        (&after["case"]["decision"]["ruling"], &after["state"]),
        (&"dismissed".into(), &"open".into())
    );
    let proposed = world.run(&["findings", "proposals", "--json"]).json();
    let word = before["detail"]["what"].as_str().expect("a word");
    let proposal = proposed.as_array().expect("a list").iter().find(|one| one["what"] == word);
    assert!(proposal.expect("a proposal")["dictionary"].to_string().contains("allow = ["), "{proposed}");
    assert_eq!(world.run(&["store", "rebuild"]).code, 0);
    let rebuilt = world.run(&["findings", "show", &id, "--json"]).json();
    assert_eq!(rebuilt["case"], after["case"]);
    let changed = world.run(&["findings", "confirm", &id, "--by", "李明", "--revise", "--reason", "非引用"]);
    assert_eq!(changed.code, 0, "{}", changed.stderr);
    assert!(texts(&result(&world)["vetoes"], "rule").contains(&"V1".to_owned()));
}

#[test]
fn only_a_person_judges_some_indicators() {
    let world = World::with_city(SMALL);
    world.run(&["run", "--quiet"]);
    let verdicts = world.run(&["judge", "--json"]).json();
    let portal =
        verdicts.as_array().expect("verdicts").iter().find(|one| one["score"].is_f64()).expect("a portal");
    let site = portal["site"].as_str().expect("a site");
    let open = world.run(&["review", "list", "--site", site, "--json"]).json();
    assert!(texts(&open["indicators"], "indicator").contains(&"D19".to_owned()), "{open}");
    let assess = |indicator: &str, points: &str| {
        world.english(&[
            "review", "assess", site, indicator, "--points", points, "--by", "王芳", "--reason", "未统一",
        ])
    };
    for (indicator, points, said) in [
        ("D99", "1", "no indicator"),
        ("D19", "50", "takes 0 to 5 points"),
        ("D19", "-1", "unexpected argument"),
    ] {
        let refused = assess(indicator, points);
        assert!(refused.code == 2 && refused.stderr.contains(said), "{}", refused.stderr);
    }
    let spring = ["--points", "5", "--by", "李明", "--reason", "旧事", "--quarter", "2020Q1"];
    assert_eq!(world.run(&[&["review", "assess", site, "D19"], &spring[..]].concat()).code, 0);
    let open = world.run(&["review", "list", "--site", site, "--json"]).json();
    let rows = open["indicators"].as_array().expect("indicators");
    let row =
        rows.iter().find(|one| one["indicator"] == "D19").expect("what was judged of another quarter waits");
    let before = &row["assessed_before"];
    assert_eq!((&before["quarter"], &before["by"]), (&"2020Q1".into(), &"李明".into()));
    let no_quarter = world.english(&[&["review", "assess", site, "D19"], &spring[..7], &["2020-1"]].concat());
    assert!(
        no_quarter.code == 2 && no_quarter.stderr.contains("write it like 2022Q2"),
        "{}",
        no_quarter.stderr
    );
    assert_eq!(assess("D19", "2.5").code, 0);
    let explained = world.run(&["judge", "--explain", site, "D19", "--lang", "en"]);
    assert!(explained.stdout.contains("judged by 王芳: 未统一"), "{}", explained.stdout);
    let after = world.run(&["judge", "--json"]).json();
    let after =
        after.as_array().expect("verdicts").iter().find(|one| one["site"] == site).expect("it").clone();
    let lost = portal["score"].as_f64().expect("a score") - after["score"].as_f64().expect("a score");
    assert!((lost - 2.5).abs() < 1e-6, "{lost}");
    let columns = world.run(&["judge", "--explain", site, "V4", "--lang", "en"]);
    for word in ["V4a", "V4b", "V4c", "monitoring", "lines (inclusive): warning 3 / veto 5"] {
        assert!(word == "monitoring" || columns.stdout.contains(word), "{word}: {}", columns.stdout);
    }
    let unknown = world.english(&["judge", "--explain", site, "V9"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("was not judged by"), "{}", unknown.stderr);
}

#[test]
fn the_monitor_visits_every_site_and_keeps_each_visit() {
    let world = World::with_city(SMALL);
    let long_ago = world.command_at("-401d", &["watch", "--once"]).output().expect("runs");
    assert_eq!(long_ago.status.code(), Some(3), "{}", String::from_utf8_lossy(&long_ago.stderr));
    let round = world.run(&["watch", "--once", "--json"]);
    let down = texts(
        &Value::Array(
            City::new(SMALL)
                .truth()
                .iter()
                .filter(|row| row.kind == "unreachable")
                .map(|row| serde_json::json!({ "site": row.site }))
                .collect(),
        ),
        "site",
    );
    assert_eq!(round.code, 3, "{}", round.stderr);
    assert_eq!(round.json()["visited"], 9);
    assert_eq!(round.json()["failed"][0][0], down[0].as_str());
    // What was kept for longer than visits are kept is not there any more.
    let log = |site: &str| {
        let kept = world.run(&["watch", "--log", site, "--json"]).json();
        assert_eq!(kept.as_array().map(Vec::len), Some(1), "{kept}");
        kept[0].clone()
    };
    let probe = log(&down[0]);
    assert_eq!((&probe["opened"], &probe["error"]), (&false.into(), &"refused".into()));
    let told = world.run(&["watch", "--log", &down[0]]);
    assert!(told.stdout.contains("连接被拒绝"), "{}", told.stdout);
    let other = City::new(SMALL).sites().iter().map(|site| site.id.clone()).find(|id| *id != down[0]);
    let probe = log(&other.expect("another site"));
    assert_eq!((&probe["opened"], &probe["status"]), (&true.into(), &200.into()));
    assert_eq!(probe["addresses"][0], "127.0.0.1");
}

#[test]
fn a_search_that_does_not_answer_is_not_said_to_miss_anything() {
    /// What the search does: it finds, fails, is not there, says nothing, leaves its results to a script, or finds
    /// nothing.
    const FINDS: u8 = 0;
    const FAILS: u8 = 1;
    const IS_GONE: u8 = 2;
    const IS_SILENT: u8 = 3;
    const IS_FILLED: u8 = 4;
    const FINDS_NOTHING: u8 = 5;
    let now = Arc::new(AtomicU8::new(IS_SILENT));
    let search = Arc::clone(&now);
    let news = "<ul><li><a href=/xw/1.html>全市经济工作会议召开</a><span>2026-06-29</span></li>\
                <li><a href=/xw/2.html>水利工程建设推进会召开</a><span>2026-06-28</span></li></ul>";
    let site = serve(move |asked| match asked.path.split('?').next().unwrap_or_default() {
        "/" => Reply::page(
            "首页",
            "<form action=/search><input name=q></form><div class=nav><a href=/xw/>新闻动态</a></div>",
        ),
        "/search" => match search.load(Ordering::SeqCst) {
            FINDS => Reply::page("结果", news),
            FAILS => Reply::Other("500 Internal Server Error", String::new(), "error".to_owned()),
            IS_GONE => Reply::missing(),
            IS_FILLED => Reply::page(
                "结果",
                "<ul id=list></ul><script>fetch('/api'+location.search).then(r=>r.json()).then(d=>{list.innerHTML=d})</script>",
            ),
            FINDS_NOTHING => Reply::page("结果", "<p>没有找到</p>"),
            _ => Reply::Cut,
        },
        "/xw/" => Reply::page("新闻动态", news),
        path if path.starts_with("/xw/") => Reply::page("文章", &format!("<p>第{path}篇文章的正文。</p>")),
        _ => Reply::missing(),
    });
    let world = World::with_config(&format!(
        "data = \"d\"\nmonitoring_point = \"2026-06-30\"\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"a.gov.cn\" = \"127.0.0.1:{}\"\n\
         [politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n[render]\nbrowser = \"off\"\n\
         [crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n\
         [[site]]\nid = \"a\"\nname = \"甲\"\nurl = \"http://a.gov.cn/\"\nkind = \"portal\"\n",
        site.port
    ));
    let missed = || {
        let found = world.run(&["findings", "list", "--kind", "search-miss", "--json"]).json();
        found.as_array().expect("findings").len()
    };
    world.run(&["run", "--quiet"]);
    let asked = site.asked().iter().filter(|one| one.path.starts_with("/search")).count();
    assert_eq!((missed(), asked), (0, 2), "asked twice, nothing is said");
    for (does, count) in [
        (FAILS, 1),
        (IS_SILENT, 1),
        (FINDS, 0),
        (IS_GONE, 1),
        (FINDS, 0),
        (IS_SILENT, 0),
        (IS_FILLED, 0),
        (FINDS_NOTHING, 1),
        (IS_FILLED, 1),
    ] {
        now.store(does, Ordering::SeqCst);
        assert_eq!(world.run(&["search", "--quiet"]).code, 0);
        assert_eq!(missed(), count, "{does}");
    }
    // Whoever mends it is told what was asked, and where.
    let found = world.run(&["findings", "list", "--kind", "search-miss", "--json"]).json();
    let detail = &found[0]["detail"];
    assert_eq!((&detail["missed"], &detail["titles"]), (&"news".into(), &"全市经济工作会议召开".into()));
    let address = detail["search"].as_str().expect("an address");
    assert!(address.starts_with("http://a.gov.cn/search?q=%E5%85%A8%E5%B8%82"), "{address}");
    let id = found[0]["id"].as_str().expect("an id");
    let shown = world.run(&["findings", "show", id]).stdout;
    assert!(shown.contains("搜索的标题 = 全市经济工作会议召开"), "{shown}");
}

#[test]
fn what_is_mended_is_told_of_the_night_it_was_mended_in() {
    let faulty = Arc::new(AtomicU8::new(1));
    let now = Arc::clone(&faulty);
    let site = serve(move |asked| match asked.path.as_str() {
        "/" => Reply::page("首页", "<a href=/1.html>第一篇文章</a>"),
        "/1.html" => {
            let word = if now.load(Ordering::SeqCst) == 1 { "关健环节" } else { "关键环节" };
            Reply::page("文章", &format!("<p>各部门要抓住{word}，把工作做好。</p>"))
        }
        _ => Reply::missing(),
    });
    let world = World::with_config(&format!(
        "data = \"d\"\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"a.gov.cn\" = \"127.0.0.1:{}\"\n\
         [politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n[render]\nbrowser = \"off\"\n\
         [search]\nenabled = false\n[crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n\
         [[site]]\nid = \"a\"\nname = \"甲\"\nurl = \"http://a.gov.cn/\"\nkind = \"department\"\n",
        site.port
    ));
    let night = |state: u8, mended: usize, what: &str| {
        faulty.store(state, Ordering::SeqCst);
        let run = world.run(&["run", "--json"]);
        assert_eq!(run.json()["findings"]["mended"], mended, "{what}: {}", run.stderr);
        let told = std::fs::read_to_string(world.path("d/report/mended.json")).expect("mended.json");
        let told: Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!(told.as_array().expect("findings").len(), mended, "{what}");
    };
    night(1, 0, "there");
    night(0, 1, "mended");
    night(0, 0, "mended the night before");
    night(1, 0, "there again");
    faulty.store(0, Ordering::SeqCst);
    let looked = world.run(&["findings", "recheck", "--kind", "typo", "--json"]).json();
    assert_eq!(looked["mended"].as_array().expect("ids").len(), 1, "{looked}");
    night(0, 1, "mended by day, which is told of the night after it");
    night(0, 0, "long mended");
}

#[test]
fn bad_ledgers_catalogues_and_outages_are_told_with_their_lines() {
    let site = "[[site]]\nid = \"a\"\nname = \"甲\"\nurl = \"http://a.gov.cn/\"\nkind = \"portal\"\n";
    let world = World::with_config(&format!("data = \"d\"\n{site}"));
    world.write("bad.csv", "平台,账号名称,主办单位,状态\n微信,甲,办,停了\n".as_bytes());
    for command in [&["media", "check", "bad.csv"][..], &["media", "import", "bad.csv"]] {
        let bad = world.english(command);
        assert!(
            bad.code == 2 && bad.stderr.contains("bad.csv:2: state \"停了\" is unknown"),
            "{}",
            bad.stderr
        );
    }
    let (gbk, ..) = encoding_rs::GBK.encode("平台,账号名称,主办单位,状态\n微信,甲,办,正常\n");
    world.write("good.csv", &gbk);
    assert_eq!(world.run(&["media", "import", "good.csv", "--json"]).json()["added"], 1);
    world.write("posts.csv", "平台,账号名称,日期\n微博,乙,2026-06-30\n".as_bytes());
    let stranger = world.run(&["media", "import", "--posts", "posts.csv"]);
    assert!(stranger.code == 2 && stranger.stderr.contains("微博/乙"), "{}", stranger.stderr);
    world.write("posts.csv", "平台,账号名称,日期,标题\n微信,甲,2026-06-30,关健环节\n".as_bytes());
    assert_eq!(world.run(&["media", "import", "--posts", "posts.csv", "--json"]).json()["posts"], 1);
    let listed = world.run(&["media", "list", "--point", "2026-07-13", "--json"]).json();
    assert_eq!((&listed[0]["result"], &listed[0]["activity"]), (&"pass".into(), &"warning".into()));
    let assess = ["media", "assess", "微信/甲", "M3", "--points"];
    for (rest, said) in [
        (&["1", "--reason", "泄密"][..], "say who judges and why: --by NAME --reason TEXT"),
        (&["1", "--by", "王芳"], "say who judges and why"),
        (&["0.5", "--by", "王芳", "--reason", "泄密"], "M3 of an account is 1 or 0, not 0.5"),
        (&["NaN", "--by", "王芳", "--reason", "泄密"], "is 1 or 0"),
    ] {
        let refused = world.english(&[&assess[..], rest].concat());
        assert!(refused.code == 2 && refused.stderr.contains(said), "{rest:?}: {}", refused.stderr);
    }
    for (quarter, result) in [("2026Q2", "pass"), ("2026Q3", "fail")] {
        let signed = ["1", "--by", "王芳", "--reason", "泄密", "--quarter", quarter];
        let told = world.run(&[&assess[..], &signed].concat());
        assert!(told.code == 0 && told.stderr.contains(quarter), "{}", told.stderr);
        let listed = world.run(&["media", "list", "--point", "2026-07-13", "--json"]).json();
        assert_eq!(listed[0]["result"], result, "{quarter}");
    }
    for (id, said) in [("nonsense", "there is no finding"), ("", "say which findings")] {
        let args: Vec<&str> =
            ["findings", "confirm", id, "--by", "甲"].into_iter().filter(|arg| !arg.is_empty()).collect();
        let refused = world.english(&args);
        assert!(refused.code == 2 && refused.stderr.contains(said), "{}", refused.stderr);
    }

    world.write("add.toml", "[[indicator]]\nid = \"V3\"\nwrn = 7\n".as_bytes());
    world.write("overlap.toml", "[[class]]\nid = \"extra\"\nwords = [\"通知公告\"]\n".as_bytes());
    world.write("h.toml", "year = 2027\nworking = [\"2026-01-03\"]\n".as_bytes());
    let refused = |text: &str, said: &str| {
        world.write("xunjian.toml", format!("data = \"d\"\n{text}\n{site}").as_bytes());
        let ended = world.english(&["judge"]);
        assert!(ended.code == 2 && ended.stderr.contains(said), "{text}: {}", ended.stderr);
    };
    refused("[judge]\nadditions = [\"add.toml\"]", "unknown field `wrn`");
    refused("[judge]\nadditions = [\"overlap.toml\"]", "overlap: \"通知公告\"");
    refused("[judge]\nadditions = [\"none.toml\"]", "cannot read");
    refused("[judge]\nholidays = [\"h.toml\"]", "is not in 2027");
    refused("[media]\nledger = \"bad.csv\"", "bad.csv:2: state");
    refused("[monitor]\nvisits_per_day = 0", "`visits_per_day` must be 1 to 1440");
    refused("[monitor]\nvisits_kept_days = 7", "`visits_kept_days` must be 31 or more");
    refused(
        "[[outage]]\nsite = \"b\"\nfrom = \"2026-06-30T22:00\"\nuntil = \"2026-06-30T23:00\"\nreported = \"2026-06-29\"",
        "needs the `site` of the register",
    );
    refused(
        "[[outage]]\nsite = \"a\"\nfrom = \"now\"\nuntil = \"2026-06-30T23:00\"\nreported = \"2026-06-29T00:00\"",
        "an outage needs `from`",
    );
    refused("[serve]\nnightly = \"evening\"", "`serve.nightly`");
    let quarter = world.english(&["judge", "--quarter", "2022-2"]);
    assert!(quarter.code == 2 && quarter.stderr.contains("write it like 2022Q2"), "{}", quarter.stderr);
}

#[test]
fn what_cannot_be_done_about_a_finding_is_said() {
    let has_gone = |seed: &u64| {
        let day = |day| City::new(CityOptions { seed: *seed, day, ..SMALL }).truth();
        let later = day(5);
        day(0).iter().any(|row| row.kind == "typo" && !later.contains(row))
    };
    let seed = (21..).find(has_gone).expect("a city whose typo is mended");
    let world = World::with_city(CityOptions { seed, ..SMALL });
    world.run(&["run", "--quiet"]);
    let year = world.english(&["findings", "notify", "--kind", "typo", "--by", "王芳", "--on", "2026-12-28"]);
    assert!(year.code == 2 && year.stderr.contains("the holidays of 2027 are not known"), "{}", year.stderr);
    let named =
        ["findings", "notify", "--kind", "typo", "--by", "王芳", "--on", "2026-12-28", "--due", "2027-01-08"];
    assert_eq!(world.run(&named).code, 0, "a named day needs no holidays");
    let backwards =
        ["findings", "notify", "--kind", "typo", "--by", "王芳", "--on", "2026-12-28", "--due", "2026-12-01"];
    assert!(world.english(&backwards).stderr.contains("before the notice"));
    let (other, _) = first(&world, "missing-entrance");
    let early = world.english(&["findings", "rectify", &other, "--by", "李明"]);
    assert!(early.code == 2 && early.stderr.contains("whose office was notified"), "{}", early.stderr);
    let world = world.next_day(CityOptions { seed, day: 5, ..SMALL });
    world.run(&["run", "--quiet"]);
    let gone = world.run(&["findings", "list", "--kind", "typo", "--gone", "--json"]).json();
    let gone =
        gone.as_array().expect("findings").iter().find(|one| one["state"] == "gone").expect("one").clone();
    let id = gone["id"].as_str().expect("an id");
    assert!(
        gone["case"]["rectification"]["closed"].is_object(),
        "a night closes what it does not find: {gone}"
    );
    let late = world.english(&["findings", "confirm", id, "--by", "王芳"]);
    assert!(late.code == 2 && late.stderr.contains("there is nothing to decide"), "{}", late.stderr);
}

/// Serves from a moment on until the report says what it has to; then asks it to end.
fn serve_until(world: &World, moment: &str, is_done: impl Fn(&Value) -> bool) -> Value {
    let mut serve = world
        .command_at(moment, &["serve", "--quiet"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("starts");
    let report = world.path("xunjian-data/report/summary.json");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(90);
    let summary = loop {
        let read = std::fs::read(&report).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        if let Some(summary) = read.filter(&is_done) {
            break summary;
        }
        assert!(std::time::Instant::now() < deadline, "the night was run");
        std::thread::sleep(std::time::Duration::from_millis(200));
    };
    // The report is written before the run is ended.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let end = format!("kill {}", serve.id());
    assert!(std::process::Command::new("sh").args(["-c", &end]).status().expect("a shell").success());
    assert_eq!(serve.wait().expect("ends").code(), Some(0));
    summary
}

#[test]
fn serve_watches_and_begins_the_night_at_its_time() {
    let world = World::with_city(SMALL);
    // Any port: another server may hold the console's own.
    let config = std::fs::read_to_string(world.path("xunjian.toml")).expect("a configuration");
    world.write("xunjian.toml", format!("{config}\n[serve]\nlisten = \"127.0.0.1:0\"\n").as_bytes());
    // Eight seconds before ten in the evening in Shanghai.
    let summary = serve_until(&world, "@2026-06-30 13:59:52", |_| true);
    assert!(summary["started_at"].as_str().is_some_and(|at| at.starts_with("2026-06-30T14:00")), "{summary}");
    let city = City::new(SMALL);
    let log = world.run(&["watch", "--log", &city.sites()[0].id, "--json"]).json();
    assert!(log.as_array().is_some_and(|visits| !visits.is_empty()), "{log}");
    // The machine was off at ten: the night begins late.
    let summary = serve_until(&world, "@2026-07-01 15:30:00", |summary| summary["run"] == 2);
    assert!(summary["started_at"].as_str().is_some_and(|at| at.starts_with("2026-07-01T15:30")), "{summary}");
}
