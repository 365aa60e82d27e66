//! One crawl on several machines: workers and a collector that meet at nats-server, which tests/run.sh
//! installs.

#[path = "support/programs.rs"]
mod programs;
#[path = "support/server.rs"]
mod server;
mod support;

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use programs::{Running, jetstream, jetstream_with, start};
use serde_json::Value;
use server::{Reply, broken, serve};
use support::{World, free_port};
use xunjian_city::CityOptions;

const CITY: CityOptions = CityOptions { seed: 8, sites: 12, pages: 60, day: 0 };

/// Lets a world's commands meet at these servers.
fn gather(world: &World, ports: &[u16], replicas: usize) {
    let urls: Vec<String> = ports.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
    world
        .configure(&format!("[cluster]\nurl = \"{}\"\nreplicas = {replicas}\nlease_s = 3\n", urls.join(",")));
}

fn worker(world: &World) -> Running {
    Running(world.start(&["worker"]))
}

/// Waits until pages come in.
fn until_crawling(world: &World) {
    let begun = Instant::now();
    let log = world.path("xunjian-data/log/crawl-000001.log");
    while !std::fs::read_to_string(&log).is_ok_and(|text| text.lines().count() > 50) {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing is crawled");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The exit code of a program, which has to end.
fn end_of(program: &mut Running) -> Option<i32> {
    let begun = Instant::now();
    loop {
        if let Some(ended) = program.0.try_wait().expect("state") {
            return ended.code();
        }
        assert!(begun.elapsed() < Duration::from_secs(180), "it does not end");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn assert_same(found: &[Value], wanted: &[Value], when: &str) {
    let missing: Vec<_> = wanted.iter().filter(|one| !found.contains(one)).collect();
    let surplus: Vec<_> = found.iter().filter(|one| !wanted.contains(one)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "{when}: missing {missing:#?}, surplus {surplus:#?}");
}

fn assert_sound(world: &World, when: &str) {
    let verified = world.english(&["store", "verify"]);
    assert_eq!(verified.code, 0, "{when}: {}{}", verified.stdout, verified.stderr);
    assert!(verified.stdout.contains("; 0 faults"), "{when}: {}", verified.stdout);
}

#[test]
#[ignore = "needs nats-server, which tests/run.sh installs"]
fn several_machines_find_what_one_finds_night_after_night() {
    let (mut alone, mut together) = (World::with_city(CITY), World::with_city(CITY));
    let port = free_port();
    let servers = World::with_config("");
    let _server = jetstream(&servers, "js", port);
    for day in 0..3 {
        if day > 0 {
            let options = CityOptions { day, ..CITY };
            (alone, together) = (alone.next_day(options), together.next_day(options));
        }
        gather(&together, &[port], 1);
        let _workers = [worker(&together), worker(&together), worker(&together)];
        let (one, many) = (alone.run(&["run", "--json"]), together.run(&["run", "--json"]));
        assert_eq!((one.code, many.code), (3, 3), "{}", many.stderr);
        assert_same(&together.comparable(), &alone.comparable(), &format!("night {day}"));
        let (one, many) = (one.json(), many.json());
        for count in ["pages", "not_modified", "same_hash", "checked", "body_bytes"] {
            assert_eq!(many["crawl"][count], one["crawl"][count], "night {day}: {count}");
        }
        assert!(many["crawl"]["requests"].as_u64() > Some(0), "{many}");
        assert_eq!(
            together.read_json("xunjian-data/report/verdicts.json"),
            alone.read_json("xunjian-data/report/verdicts.json")
        );
        assert_sound(&together, &format!("night {day}"));
    }
    // Nothing of the shares' stores stays behind.
    let left = std::fs::read_dir(together.path("xunjian-data-worker")).expect("scratch").count();
    assert_eq!(left, 0);
}

/// Kills workers and the collector at random moments until a night is through.
fn harass(world: &World, rng: &mut fastrand::Rng, kills: u32) -> u32 {
    let commands = ["run", "worker", "worker"];
    let mut programs = commands.map(|command| Running(world.start(&[command])));
    let mut killed = 0;
    while killed < kills {
        std::thread::sleep(Duration::from_millis(rng.u64(100..1_500)));
        if programs[0].0.try_wait().expect("state").is_some() {
            break;
        }
        let victim = rng.usize(..commands.len());
        programs[victim].0.kill().expect("killed");
        programs[victim].0.wait().expect("ended");
        programs[victim] = Running(world.start(&[commands[victim]]));
        killed += 1;
    }
    assert_eq!(end_of(&mut programs[0]), Some(3));
    killed
}

#[test]
#[ignore = "needs nats-server, which tests/run.sh installs"]
fn workers_and_the_collector_may_end_at_any_moment() {
    let undisturbed = World::with_city(CITY);
    assert_eq!(undisturbed.run(&["run"]).code, 3);
    let wanted = undisturbed.comparable();
    let seed = fastrand::u64(..);
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut killed = 0;
    for trial in 0..4 {
        let world = World::with_city(CITY);
        let port = free_port();
        let _server = jetstream(&world, "js", port);
        gather(&world, &[port], 1);
        killed += harass(&world, &mut rng, 6);
        assert_same(&world.comparable(), &wanted, &format!("seed {seed} trial {trial}"));
        assert_sound(&world, &format!("seed {seed} trial {trial}"));
    }
    assert!(killed >= 8, "only {killed} kills");
}

/// Three servers that keep everything three times.
fn three_servers(world: &World) -> (Vec<Running>, Vec<u16>) {
    let ports: Vec<u16> = (0..6).map(|_| free_port()).collect();
    let routes: Vec<String> = ports[3..].iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
    let servers = (0..3).map(|at| {
        let (name, route) = (format!("server-{at}"), format!("nats://127.0.0.1:{}", ports[at + 3]));
        let routes = routes.join(",");
        let args = ["-n", &name, "--cluster_name", "offices", "--cluster", &route, "--routes", &routes];
        jetstream_with(world, &format!("js{at}"), ports[at], &args)
    });
    (servers.collect(), ports[..3].to_vec())
}

#[test]
#[ignore = "needs nats-server, which tests/run.sh installs"]
fn one_of_three_servers_may_end() {
    let undisturbed = World::with_city(CITY);
    assert_eq!(undisturbed.run(&["run"]).code, 3);
    let wanted = undisturbed.comparable();
    let world = World::with_city(CITY);
    let (mut servers, ports) = three_servers(&world);
    gather(&world, &ports, 3);
    let _workers = [worker(&world), worker(&world)];
    let mut collector = Running(world.start(&["run"]));
    until_crawling(&world);
    assert!(collector.0.try_wait().expect("state").is_none(), "the night is over already");
    drop(servers.remove(fastrand::usize(..3)));
    assert_eq!(end_of(&mut collector), Some(3));
    assert_same(&world.comparable(), &wanted, "with two servers");
    assert_sound(&world, "with two servers");
}

fn signal(running: &Running, signal: &str) {
    let sent = Command::new("kill").args([signal, &running.0.id().to_string()]).status();
    assert!(sent.expect("kill").success());
}

#[test]
#[ignore = "needs nats-server, which tests/run.sh installs"]
fn a_worker_that_slept_through_its_lease_keeps_nothing_and_works_on() {
    let undisturbed = World::with_city(CITY);
    assert_eq!(undisturbed.run(&["run"]).code, 3);
    let world = World::with_city(CITY);
    let port = free_port();
    let _server = jetstream(&world, "js", port);
    gather(&world, &[port], 1);
    let sleeper = worker(&world);
    let mut collector = Running(world.start(&["run"]));
    until_crawling(&world);
    signal(&sleeper, "-STOP");
    let _other = worker(&world);
    // Its lease ends, and the other one takes its shares.
    std::thread::sleep(Duration::from_secs(6));
    signal(&sleeper, "-CONT");
    assert_eq!(end_of(&mut collector), Some(3));
    assert_same(&world.comparable(), &undisturbed.comparable(), "after a sleep");
    assert_sound(&world, "after a sleep");
}

#[test]
#[ignore = "needs nats-server, which tests/run.sh installs"]
fn a_server_that_sleeps_only_holds_the_night_up() {
    let undisturbed = World::with_city(CITY);
    assert_eq!(undisturbed.run(&["run"]).code, 3);
    let world = World::with_city(CITY);
    let port = free_port();
    let server = jetstream(&world, "js", port);
    gather(&world, &[port], 1);
    let _workers = [worker(&world), worker(&world)];
    let mut collector = Running(world.start(&["run"]));
    until_crawling(&world);
    // All leases end meanwhile, and those who had the shares want them again.
    signal(&server, "-STOP");
    std::thread::sleep(Duration::from_secs(7));
    signal(&server, "-CONT");
    assert_eq!(end_of(&mut collector), Some(3));
    assert_same(&world.comparable(), &undisturbed.comparable(), "after a sleep of the server");
    assert_sound(&world, "after a sleep of the server");
}

#[test]
#[ignore = "needs nats-server, which tests/run.sh installs"]
fn who_does_not_fit_or_finds_nobody_is_told() {
    let world = World::with_city(CITY);
    let nobody = free_port();
    gather(&world, &[nobody], 1);
    let told = world.english(&["crawl"]);
    assert_eq!(told.code, 2, "{}", told.stderr);
    assert!(told.stderr.contains("no connection to NATS"), "{}", told.stderr);
    let port = free_port();
    let _server = jetstream(&world, "js", port);
    world.reconfigure("xunjian.toml", &format!(":{nobody}\""), &format!(":{port}\""));
    // Nobody works: the night waits, says so, and can be stopped.
    let mut waiting = world.command(&["--lang", "en", "crawl"]);
    let mut waiting = Running(waiting.stderr(Stdio::piped()).spawn().expect("starts"));
    std::thread::sleep(Duration::from_secs(5));
    world.reconfigure("other.toml", "connections = 4", "connections = 3");
    let differs = world.english(&["worker", "--config", "other.toml"]);
    assert_eq!(differs.code, 2, "{}", differs.stderr);
    assert!(differs.stderr.contains("differs from that of the night"), "{}", differs.stderr);
    world.reconfigure("clock.toml", "clock_off_max_s = 0", "clock_off_max_s = 60");
    for late in ["worker", "crawl"] {
        // The data folder is taken by the crawl that waits.
        let args = ["--config", "clock.toml", "--data", "elsewhere", late];
        let told = world.command_at("-3d", &args).env("XUNJIAN_LANG", "en").output().expect("runs");
        let told: support::Ended = told.into();
        assert_eq!(told.code, 2, "{late}: {}", told.stderr);
        assert!(told.stderr.contains("JetStream's server says"), "{late}: {}", told.stderr);
    }
    signal(&waiting, "-INT");
    assert_eq!(end_of(&mut waiting), Some(3));
    let mut told = String::new();
    waiting.0.stderr.take().expect("piped").read_to_string(&mut told).expect("read");
    assert!(told.contains("no worker is there"), "{told}");
    // The queue is kept: the next one goes on.
    let _worker = worker(&world);
    assert_eq!(world.run(&["crawl"]).code, 3);
}

/// A server that wants TLS and this token.
fn guarded(world: &World, port: u16, token: &str) -> Running {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    world.write("nats.pem", made.cert.pem().as_bytes());
    world.write("nats.key", made.signing_key.serialize_pem().as_bytes());
    let path = |name: &str| world.path(name).display().to_string();
    let (store, pem, key) = (path("js"), path("nats.pem"), path("nats.key"));
    let config = format!(
        "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{store}\", max_file_store: 64GB }}\n\
         tls {{ cert_file: \"{pem}\", key_file: \"{key}\" }}\nauthorization {{ token: \"{token}\" }}\n"
    );
    world.write("nats.conf", config.as_bytes());
    start("nats-server", &["-c", &path("nats.conf")], port)
}

#[test]
#[ignore = "needs nats-server, which tests/run.sh installs"]
fn servers_may_want_tls_and_a_token() {
    const TOKEN: &str = "a-secret-of-the-office";
    let world = World::with_city(CITY);
    let port = free_port();
    let _server = guarded(&world, port, TOKEN);
    world.write("token", TOKEN.as_bytes());
    world.configure(&format!(
        "[cluster]\nurl = \"tls://127.0.0.1:{port}\"\ntoken = \"file:token\"\nca_file = \"nats.pem\"\nlease_s = 3\n"
    ));
    world.write("wrong", b"another-secret");
    for (part, by) in [("file:token", "file:wrong"), ("ca_file = \"nats.pem\"\n", "")] {
        world.reconfigure("other.toml", part, by);
        let begun = Instant::now();
        let refused = world.english(&["crawl", "--config", "other.toml"]);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        assert!(refused.stderr.contains("NATS refuses the connection"), "{}", refused.stderr);
        assert!(begun.elapsed() < Duration::from_secs(10), "nothing is waited for");
        assert!(!refused.stderr.contains("secret"), "{}", refused.stderr);
    }
    let _worker = worker(&world);
    let crawled = world.run(&["crawl"]);
    assert_eq!(crawled.code, 3, "{}", crawled.stderr);
    assert_sound(&world, "over TLS");
}

#[test]
#[ignore = "needs nats-server, which tests/run.sh installs"]
fn servers_without_the_room_are_told_at_once() {
    let world = World::with_city(CITY);
    let port = free_port();
    let _server = jetstream(&world, "js", port);
    world.configure(&format!("[cluster]\nurl = \"nats://127.0.0.1:{port}\"\nlog_bytes_max = 68719476737\n"));
    for command in ["crawl", "worker"] {
        let begun = Instant::now();
        let refused = world.english(&[command]);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        assert!(refused.stderr.contains("lower `cluster.log_bytes_max`"), "{}", refused.stderr);
        assert!(begun.elapsed() < Duration::from_secs(10), "nothing is waited for");
    }
}

#[test]
#[ignore = "needs nats-server, which tests/run.sh installs"]
fn who_comes_late_gets_a_part() {
    let world = World::with_city(CITY);
    let port = free_port();
    let _server = jetstream(&world, "js", port);
    gather(&world, &[port], 1);
    // Slow enough that the night is not over before.
    world.reconfigure(
        "xunjian.toml",
        "[politeness]\nrequests_per_second = 0\n",
        "[politeness]\nrequests_per_second = 8\n",
    );
    let _first = worker(&world);
    let mut collector = Running(world.start(&["crawl"]));
    until_crawling(&world);
    let mut late = world.command(&["--lang", "en", "worker", "--once"]);
    let mut late = Running(late.stderr(Stdio::piped()).spawn().expect("starts"));
    assert_eq!(end_of(&mut collector), Some(3));
    assert_eq!(end_of(&mut late), Some(0), "it ends with the night");
    let mut told = String::new();
    late.0.stderr.take().expect("piped").read_to_string(&mut told).expect("read");
    let most = told.lines().filter_map(|line| line.strip_prefix("Shares ")?.parse::<u32>().ok()).max();
    assert!(most >= Some(3), "{told}");
    assert_sound(&world, "with one that came late");
}

#[test]
#[ignore = "needs nats-server, which tests/run.sh installs"]
fn a_night_that_is_too_short_for_several_machines_is_reported_and_gone_on_with() {
    let (alone, world) = (World::with_city(CITY), World::with_city(CITY));
    let port = free_port();
    let servers = World::with_config("");
    let _server = jetstream(&servers, "js", port);
    gather(&world, &[port], 1);
    let quick = std::fs::read(world.path("xunjian.toml")).expect("configuration");
    let fast = "[politeness]\nrequests_per_second = 0\n";
    world.reconfigure("xunjian.toml", fast, "[politeness]\nrequests_per_second = 5\n");
    world.reconfigure("xunjian.toml", "[crawl]\n", "[crawl]\nnight_max_s = 6\n");
    let short = {
        let _worker = worker(&world);
        world.english(&["run"])
    };
    assert_eq!(short.code, 3, "{}", short.stderr);
    assert!(short.stderr.contains("The night is over"), "{}", short.stderr);
    let early = world.comparable().len();
    assert!(early > 0, "{}", short.stderr);
    world.write("xunjian.toml", &quick);
    let _worker = worker(&world);
    let whole = world.run(&["run", "--json"]);
    assert_eq!(whole.code, 3, "{}", whole.stderr);
    assert_eq!(whole.json()["run"], 1);
    alone.run(&["run"]);
    let ids = |world: &World| world.comparable().into_iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_same(&ids(&world), &ids(&alone), "after a night that was too short");
    assert_sound(&world, "after a night that was too short");
}

#[test]
#[ignore = "needs nats-server, which tests/run.sh installs"]
fn sites_of_one_host_are_worked_off_by_one_worker() {
    let server = serve(|asked| {
        let folder = asked.path.split('/').nth(1).unwrap_or_default();
        let articles = |folder: &str| {
            let links = (0..8).map(|at| format!("<a href=\"{folder}/{at}.html\">文章</a>"));
            Reply::page("首页", &links.collect::<String>())
        };
        match asked.path.as_str() {
            "/" => {
                Reply::page("门户", "<a href=/a/>甲局</a><a href=/b/>乙局</a><a href=/zwgk/1.html>公开</a>")
            }
            "/a/" | "/b/" => articles(&format!("/{folder}")),
            path if path.ends_with(".html") && !path.contains("xunjian") => {
                Reply::page("文章", &format!("<p>{path} 的正文</p><a href=/{folder}/gone.htm>链接</a>"))
            }
            _ => Reply::missing(),
        }
    });
    let site = |id: &str, folder: &str, kind: &str| {
        format!(
            "[[site]]\nid = \"{id}\"\nname = \"{id}\"\nurl = \"http://www.one.test/{folder}\"\nkind = \"{kind}\"\n"
        )
    };
    let config = format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 10\naddress_requests_per_second = 0\n\
         [crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n[search]\nenabled = false\n\
         [network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"one.test\" = []\n\
         \"www.one.test\" = \"127.0.0.1:{}\"\n{}{}{}",
        server.port,
        site("city", "", "portal"),
        site("a", "a/", "department"),
        site("b", "b/", "department"),
    );
    let (alone, together) = (World::with_config(&config), World::with_config(&config));
    let ended = alone.run(&["run"]);
    assert!(matches!(ended.code, 0 | 3), "{}", ended.stderr);
    let before = server.asked().len();
    let port = free_port();
    let servers = World::with_config("");
    let _server = jetstream(&servers, "js", port);
    gather(&together, &[port], 1);
    let _workers = [worker(&together), worker(&together)];
    let ended = together.run(&["run"]);
    assert!(matches!(ended.code, 0 | 3), "{}", ended.stderr);
    assert!(alone.comparable().iter().any(|one| one["kind"] == "dead-link" && one["site"] == "b"));
    assert_same(&together.comparable(), &alone.comparable(), "workers");
    let times: Vec<Instant> = server.asked()[before..].iter().map(|asked| asked.at).collect();
    assert!(broken(&times, 10).is_empty(), "{:?}", broken(&times, 10));
    assert_sound(&together, "workers");
}
