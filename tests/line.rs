//! Nights in which the line of the inspecting machine is down, or its clock is wrong: no site is to blame.

#[path = "support/server.rs"]
mod server;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use server::{Asked, Reply, Server, serve};
use support::World;

const SITES: [&str; 5] = ["a", "b", "c", "d", "e"];
const OUTSIDE: [&str; 3] = ["x", "y", "z"];
/// Articles of a site.
const ARTICLES: usize = 12;

fn page(asked: &Asked) -> Reply {
    let host = asked.host.trim_end_matches(".test");
    match asked.path.as_str() {
        "/" if SITES.contains(&host) => {
            let outside: String =
                OUTSIDE.iter().map(|name| format!("<a href=http://{name}.test/>友情链接</a>")).collect();
            let rows: String = (0..ARTICLES)
                .map(|at| format!("<li><a href=/{at}.html>关于第{at}项工作的通知</a> 2026-06-29</li>"))
                .collect();
            Reply::page("市水利局", &format!("<ul>{rows}</ul>{outside}"))
        }
        path if path == "/" || path.ends_with(".html") => Reply::page(
            "文章",
            &format!("<h1>通知</h1><p>发布时间：2026-06-29</p><p>{host}{path}的正文。</p>"),
        ),
        _ => Reply::missing(),
    }
}

/// What is told that a line has a hand in.
fn told(world: &World) -> Vec<String> {
    let kinds = ["unreachable", "dead-link", "stale-home", "soft-404"];
    let findings = world.run(&["findings", "list", "--json"]).json();
    let of = findings.as_array().expect("findings").iter();
    let of = of.filter(|one| kinds.iter().any(|kind| one["kind"] == *kind) && one["state"] != "gone");
    of.map(|one| format!("{} {} {}", one["site"], one["kind"], one["url"])).collect()
}

fn config(server: &Server, line: &str) -> String {
    let config = server.config(&SITES, &OUTSIDE);
    let config = config
        .replace("[politeness]\n", "[politeness]\nblock_s = 0.2\nblock_max_s = 1\npatience_s = 4\n")
        .replace("[crawl]\n", &format!("[crawl]\n{line}\n"))
        .replace("[network]\n", "[monitor]\nvisits_per_day = 24\n[network]\n");
    format!("monitoring_point = \"2026-06-30\"\n{config}")
}

#[test]
fn a_line_that_fails_for_a_while_leaves_no_trace() {
    // Down for two seconds, from the first request, amid the crawl, and near its end.
    for begin in [0, 30, 5 * ARTICLES] {
        let (seen, down_since) = (AtomicUsize::new(0), std::sync::OnceLock::new());
        let server = serve(move |asked| {
            if seen.fetch_add(1, Ordering::SeqCst) >= begin
                && down_since.get_or_init(Instant::now).elapsed() < Duration::from_secs(2)
            {
                return Reply::Cut;
            }
            page(asked)
        });
        let world = World::with_config(&config(&server, ""));
        let run = world.run(&["run", "--json"]);
        assert_eq!(run.code, 0, "{begin}: {}", run.stderr);
        assert_eq!(told(&world), Vec::<String>::new(), "{begin}: {}", run.stderr);
        let pages: usize = SITES.iter().map(|site| pages_of(&world, site)).sum();
        assert_eq!(pages, SITES.len() * (ARTICLES + 1), "{begin}: {}", run.stderr);
    }
}

fn pages_of(world: &World, site: &str) -> usize {
    let url = |at: usize| match at {
        ARTICLES => format!("http://{site}.test/"),
        at => format!("http://{site}.test/{at}.html"),
    };
    let kept = |at: &usize| {
        let history = world.run(&["--json", "why", &url(*at)]).json();
        history["snapshots"].as_array().is_some_and(|all| all.len() == 1)
    };
    (0..=ARTICLES).filter(kept).count()
}

#[test]
fn a_line_that_stays_down_ends_the_night_and_the_next_goes_on() {
    let down = Arc::new(AtomicBool::new(true));
    let line = Arc::clone(&down);
    let server = serve(move |asked| if line.load(Ordering::SeqCst) { Reply::Cut } else { page(asked) });
    let world = World::with_config(&config(&server, "line_patience_s = 1"));
    let run = world.english(&["run"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("the line of this machine seems to be down"), "{}", run.stderr);
    assert_eq!(told(&world), Vec::<String>::new());
    down.store(false, Ordering::SeqCst);
    let run = world.run(&["run", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(told(&world), Vec::<String>::new());
    // Once they were seen, too.
    down.store(true, Ordering::SeqCst);
    assert_eq!(world.run(&["run", "--quiet"]).code, 3);
    assert_eq!(told(&world), Vec::<String>::new());
    assert_eq!(world.run(&["store", "verify"]).code, 0);
}

#[test]
fn sites_that_are_all_down_are_told_where_another_address_answers() {
    let server = serve(|asked| if asked.host.starts_with("127.") { page(asked) } else { Reply::Cut });
    let config = config(&server, "line_patience_s = 600")
        .replace("[monitor]\n", &format!("[monitor]\ncontrol = \"http://127.0.0.1:{}/\"\n", server.port));
    let world = World::with_config(&config);
    let run = world.run(&["run", "--json"]);
    assert!(run.code == 3 || run.code == 0, "{}", run.stderr);
    let unreachable: Vec<Value> =
        world.findings().into_iter().filter(|one| one["kind"] == "unreachable").collect();
    assert_eq!(unreachable.len(), SITES.len(), "{}", run.stderr);
}

#[test]
fn where_no_way_leads_outside_nothing_is_said_of_links_there() {
    let names: Vec<String> = (0..12).map(|at| format!("o{at}")).collect();
    let links: String =
        names.iter().map(|name| format!("<a href=http://{name}.test/>友情链接</a>")).collect();
    let server = serve(move |asked| match asked.path.as_str() {
        "/" if asked.host == "a.test" => Reply::page("市水利局", &links),
        "/" => Reply::page("外部网站", "<p>外部网站的首页。</p>"),
        _ => Reply::missing(),
    });
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let closed = |text: String, names: &[&str]| {
        names.iter().fold(text, |text, name| {
            let open = format!("\"{name}.test\" = \"127.0.0.1:{}\"", server.port);
            text.replace(&open, &format!("\"{name}.test\" = \"127.0.0.1:1\""))
        })
    };
    let all = server.config(&["a"], &names);
    let world = World::with_config(&closed(all.clone(), &names));
    let dead = || told(&world).iter().filter(|line| line.contains("dead-link")).count();
    let run = world.english(&["run"]);
    assert_eq!((run.code, dead()), (0, 0), "{}", run.stderr);
    assert!(run.stderr.contains("no host outside could be reached"), "{}", run.stderr);
    // One that answers says that the others could.
    world.write("xunjian.toml", closed(all.clone(), &names[1..]).as_bytes());
    let run = world.english(&["run"]);
    assert_eq!((run.code, dead()), (0, 11), "{}", run.stderr);
    // What was told stays while nobody can look.
    world.write("xunjian.toml", closed(all, &names).as_bytes());
    assert_eq!((world.run(&["run", "--quiet"]).code, dead()), (0, 11));
}

#[test]
fn serve_outlives_a_line_that_is_down_and_inspects_when_it_is_back() {
    let down_since = std::sync::OnceLock::new();
    let server =
        serve(move |asked| match down_since.get_or_init(Instant::now).elapsed() < Duration::from_secs(7) {
            true => Reply::Cut,
            false => page(asked),
        });
    let config = config(&server, "line_patience_s = 0.5");
    let world = World::with_config(&format!("{config}[serve]\nlisten = \"127.0.0.1:0\"\n"));
    // Two seconds before ten in the evening in Shanghai, when the night begins.
    let mut serve = world
        .command_at("@2026-06-30 13:59:58", &["serve", "--lang", "en"])
        .stdout(std::process::Stdio::null())
        .stderr(std::fs::File::create(world.path("told")).expect("a file"))
        .spawn()
        .expect("starts");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !world.path("xunjian-data/report/summary.json").exists() {
        let runs = Instant::now() < deadline && serve.try_wait().expect("runs").is_none();
        assert!(
            runs,
            "the night was run: {}",
            std::fs::read_to_string(world.path("told")).unwrap_or_default()
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    std::thread::sleep(Duration::from_millis(500));
    let end = format!("kill {}", serve.id());
    assert!(std::process::Command::new("sh").args(["-c", &end]).status().expect("a shell").success());
    assert_eq!(serve.wait().expect("ends").code(), Some(0));
    let said = std::fs::read_to_string(world.path("told")).expect("what it told");
    assert!(said.contains("the line of this machine seems to be down"), "{said}");
    assert_eq!(told(&world), Vec::<String>::new(), "{said}");
}

#[test]
fn serve_begins_its_night_though_the_clock_was_days_ahead_when_it_was_started() {
    let server = serve(page);
    let world = World::with_config(&format!("{}[serve]\nlisten = \"127.0.0.1:0\"\n", config(&server, "")));
    let before = world.command_at("@2026-06-29 14:00:05", &["run", "--quiet"]).output().expect("runs");
    assert!(before.status.success(), "{}", String::from_utf8_lossy(&before.stderr));
    let clock = world.path("clock");
    world.write("clock", b"@2026-07-04 02:00:00");
    let mut serve = world
        .command_at("", &["serve", "--quiet"])
        .env_remove("FAKETIME")
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_NO_CACHE", "1")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("starts");
    std::thread::sleep(Duration::from_secs(3));
    let second = || world.path("xunjian-data/log/crawl-000002.log").exists();
    assert!(!second(), "no night has begun");
    // Set right, it is a few seconds before ten in the evening in Shanghai, which pass before it looks.
    world.write("clock.new", b"@2026-06-30 13:59:50");
    std::fs::rename(world.path("clock.new"), &clock).expect("renamed");
    let deadline = Instant::now() + Duration::from_secs(90);
    while !second() {
        let runs = Instant::now() < deadline && serve.try_wait().expect("runs").is_none();
        assert!(runs, "the night was run");
        std::thread::sleep(Duration::from_millis(200));
    }
    serve.kill().expect("killed");
    serve.wait().expect("ended");
}

/// The same page by a server whose clock is ahead by so many days; `Age` says that a cache has kept it for a day more.
fn dated(asked: &Asked, days: i64) -> Reply {
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_hours((days - 1) * 24);
    let head = format!("date: {}\r\nage: 86400\r\n", then.strftime("%a, %d %b %Y %H:%M:%S GMT"));
    match page(asked) {
        Reply::Page(body) => Reply::Other("200 OK", head, body),
        Reply::Other(status, headers, body) => Reply::Other(status, headers + &head, body),
        other => other,
    }
}

#[test]
fn a_clock_that_most_servers_contradict_ends_the_night_before_anybody_is_judged() {
    let server = serve(|asked| dated(asked, 400));
    // 400 days later everything is older than a home page may be.
    let config = config(&server, "").replace("monitoring_point = \"2026-06-30\"\n", "");
    let world = World::with_config(&config);
    let run = world.english(&["run"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("this machine's clock says") && run.stderr.contains("NTP"), "{}", run.stderr);
    assert_eq!(told(&world), Vec::<String>::new());
    let again = world.run(&["run"]);
    assert_eq!(again.code, 3, "{}", again.stderr);
    assert!(again.stderr.contains("本机时钟为"), "{}", again.stderr);
    // Set right, the same night goes on, and is dated by the right clock.
    let right: support::Ended = world.command_at("+400d", &["run", "--json"]).output().expect("runs").into();
    assert_eq!(right.code, 0, "{}", right.stderr);
    let summary = right.json();
    assert_eq!(summary["run"], 1, "{summary}");
    let started: jiff::Timestamp =
        summary["started_at"].as_str().expect("a moment").parse().expect("a moment");
    let ahead = started.duration_since(jiff::Timestamp::now()).as_hours();
    assert!((399 * 24..=400 * 24).contains(&ahead), "{started}");
    // Who knows better says so.
    world.write("sure.toml", config.replace("[crawl]\n", "[crawl]\nclock_off_max_s = 0\n").as_bytes());
    let sure = world.run(&["--config", "sure.toml", "run", "--quiet"]);
    assert_eq!(sure.code, 0, "{}", sure.stderr);
}

#[test]
fn servers_whose_clocks_are_wrong_are_no_reason_to_doubt_ours() {
    // Two of five; and five, each with a time of its own.
    for all in [false, true] {
        let server = serve(move |asked| {
            let at = SITES.iter().position(|site| asked.host.starts_with(site)).unwrap_or(9) as i64;
            dated(asked, if all || at < 2 { 30 * (at + 1) } else { 0 })
        });
        let world = World::with_config(&config(&server, ""));
        let run = world.run(&["run", "--quiet"]);
        assert_eq!(run.code, 0, "{all}: {}", run.stderr);
    }
}
