//! Nights that end before the crawl does: what was seen is reported, and the next night goes on.

#[path = "support/server.rs"]
mod server;
mod support;

use std::time::{Duration, Instant};

use serde_json::Value;
use server::{Asked, Reply, Server, serve};
use support::{Ended, World};

const ARTICLES: usize = 60;
/// A quarter of them have a wrong character.
const WRONG: usize = ARTICLES / 4;

/// Number of the article that is asked for.
fn article(asked: &Asked) -> Option<usize> {
    let number = asked.path.strip_prefix('/')?.strip_suffix(".html")?.parse().ok()?;
    (number < ARTICLES).then_some(number)
}

fn page(asked: &Asked) -> Reply {
    let rows: String = (0..ARTICLES)
        .map(|at| format!("<li><a href=/{at}.html>关于第{at}项工作的通知</a> 2026-06-29</li>"))
        .collect();
    match article(asked) {
        Some(at) => {
            let wrong = if at % 4 == 3 {
                "我们安排了今年的的工作。"
            } else {
                "我们安排了今年的工作。"
            };
            Reply::page(
                "通知",
                &format!("<h1>第{at}号通知</h1><p>发布时间：2026-06-29</p><p>第{at}项：{wrong}</p>"),
            )
        }
        None if asked.path == "/" => Reply::page("市水利局", &format!("<ul>{rows}</ul>")),
        None => Reply::missing(),
    }
}

/// Six requests a second, by night alone.
fn config(server: &Server) -> String {
    let config = server.config(&["a"], &[]).replace(
        "[politeness]\nrequests_per_second = 0\n",
        "[politeness]\nrequests_per_second = 6\nwindow = \"22:00-06:00\"\n",
    );
    format!("monitoring_point = \"2026-06-30\"\n{config}")
}

fn run_at(world: &World, at: &str) -> Ended {
    world.command_at(at, &["run", "--lang", "en", "--json"]).output().expect("runs").into()
}

fn typos(world: &World) -> Vec<Value> {
    world.findings().into_iter().filter(|one| one["kind"] == "typo").collect()
}

fn pages(server: &Server) -> usize {
    server.asked().iter().filter(|asked| article(asked).is_some()).count()
}

#[test]
fn a_night_that_is_too_short_is_reported_in_the_morning_and_gone_on_with() {
    let server = serve(page);
    let world = World::with_config(&config(&server));
    // Six seconds before six in the morning in Shanghai.
    let begun = Instant::now();
    let morning = run_at(&world, "@2026-06-29 21:59:54");
    assert!(begun.elapsed() < Duration::from_secs(60), "it does not wait for the evening");
    assert_eq!(morning.code, 3, "{}", morning.stderr);
    assert!(morning.stderr.contains("The night is over"), "{}", morning.stderr);
    let seen = pages(&server);
    assert!(seen > 0 && seen < 50, "{seen}");
    let summary = morning.json();
    assert_eq!(summary["complete"], false, "{summary}");
    let report = |world: &World| {
        std::fs::read_to_string(world.path("xunjian-data/report/report.html")).expect("a report")
    };
    assert!(report(&world).contains("The crawl is not over"));
    assert!(morning.stderr.contains("still to be crawled"), "{}", morning.stderr);
    let early = typos(&world).len();
    assert!(early > 0 && early < WRONG, "{early}");
    // A person may look at a finding again by day, which asks for its page alone.
    let known = typos(&world);
    let id = known[0]["id"].as_str().expect("an id");
    let again: Ended = world
        .command_at("@2026-06-30 02:00:00", &["findings", "recheck", id, "--json"])
        .output()
        .expect("runs")
        .into();
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(again.json()["still_there"][0], id, "{}", again.stdout);
    assert_eq!(pages(&server), seen + 1);
    let seen = pages(&server);
    // By day nothing else is asked.
    let mut waiting = world.command_at("@2026-06-30 02:00:02", &["run", "--quiet"]).spawn().expect("starts");
    std::thread::sleep(Duration::from_secs(2));
    assert!(waiting.try_wait().expect("state").is_none(), "it waits for the evening");
    waiting.kill().expect("killed");
    waiting.wait().expect("ended");
    assert_eq!(pages(&server), seen);
    // The next night sees all of it, what was not seen first.
    let evening = run_at(&world, "@2026-06-30 14:00:01");
    assert_eq!(evening.code, 0, "{}", evening.stderr);
    let summary = evening.json();
    assert_eq!((&summary["run"], &summary["complete"]), (&2.into(), &true.into()), "{summary}");
    assert!(!report(&world).contains("The crawl is not over"));
    assert_eq!(typos(&world).len(), WRONG);
    let asked = server.asked();
    let evening: Vec<usize> = asked.iter().filter_map(article).skip(seen).collect();
    assert_eq!(evening.len(), ARTICLES);
    let known: Vec<usize> = asked.iter().filter_map(article).take(seen).collect();
    let first_known = evening.iter().position(|article| known.contains(article)).expect("all are seen again");
    let unseen = (0..ARTICLES).filter(|article| !known.contains(article)).count();
    assert!(first_known + 2 >= unseen, "{first_known} {unseen}: {evening:?}");
}

#[test]
fn what_the_night_before_saw_counts_for_one_that_is_too_short() {
    let server = serve(page);
    let world = World::with_config(&config(&server));
    assert_eq!(run_at(&world, "@2026-06-29 14:00:01").code, 0);
    let verdict = |world: &World| world.run(&["judge", "--json"]).json()[0]["result"].clone();
    let (before, known) = (verdict(&world), typos(&world));
    assert_eq!(known.len(), WRONG);
    let short = run_at(&world, "@2026-06-30 21:59:57");
    assert_eq!(short.code, 3, "{}", short.stderr);
    assert!(pages(&server) < 2 * ARTICLES);
    assert_eq!(short.json()["run"], 2);
    assert_eq!(verdict(&world), before);
    let ids = |all: Vec<Value>| all.into_iter().map(|one| one["id"].to_string()).collect::<Vec<_>>();
    assert_eq!(ids(typos(&world)), ids(known));
}

#[test]
fn a_night_without_a_window_is_reported_before_the_next_begins() {
    let server = serve(page);
    let config = config(&server).replace("window = \"22:00-06:00\"\n", "");
    let world = World::with_config(&config.replace("[crawl]\n", "[crawl]\nnight_max_s = 4\n"));
    let night = world.english(&["run", "--json"]);
    assert_eq!(night.code, 3, "{}", night.stderr);
    assert!(night.stderr.contains("The night is over"), "{}", night.stderr);
    let seen = pages(&server);
    assert!(seen > 0 && seen < ARTICLES, "{seen}");
    world.write("xunjian.toml", config.as_bytes());
    let next = world.run(&["run", "--json"]);
    assert_eq!(next.code, 0, "{}", next.stderr);
    assert_eq!((next.json()["run"].as_u64(), pages(&server)), (Some(1), ARTICLES));
}

#[test]
fn a_site_the_night_did_not_come_to_waits_for_a_person() {
    let server = serve(|asked| match asked.path.as_str() {
        // It asks to wait for longer than the night.
        "/robots.txt" if asked.host.starts_with("b.test") => {
            Reply::Other("503 Service Unavailable", "retry-after: 600\r\n".to_owned(), String::new())
        }
        _ => page(asked),
    });
    let config = server.config(&["a", "b"], &[]).replace("[crawl]\n", "[crawl]\nnight_max_s = 3\n");
    let world = World::with_config(&format!("monitoring_point = \"2026-06-30\"\n{config}"));
    let night = world.english(&["run", "--json"]);
    assert_eq!(night.code, 3, "{}", night.stderr);
    let verdicts = world.read_json("xunjian-data/report/verdicts.json");
    let verdict = |site: &str| {
        let all = verdicts.as_array().expect("verdicts");
        all.iter().find(|one| one["site"] == site).expect("the site's").clone()
    };
    let unseen = verdict("b");
    assert_eq!(unseen["result"], "review", "{unseen}");
    assert_eq!(unseen["vetoes"], serde_json::json!([]), "{unseen}");
    assert!(verdict("a")["indicators"].as_array().is_some_and(|rows| rows.len() > 1));
}
