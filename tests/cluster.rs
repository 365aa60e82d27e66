//! One crawl on several machines: workers and a collector that meet at nats-server, which tests/run.sh
//! installs.

#[path = "support/programs.rs"]
mod programs;
mod support;

use std::time::Duration;

use programs::{Running, jetstream};
use serde_json::Value;
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

/// Findings as a person compares two nights: without the times, which differ.
fn comparable(world: &World) -> Vec<Value> {
    let mut findings = world.findings();
    for one in &mut findings {
        let one = one.as_object_mut().expect("object");
        one.remove("first_seen");
        one.remove("last_seen");
        if let Some(snapshot) = one["evidence"]["snapshot"].as_str() {
            let hash = snapshot.split('@').next().unwrap_or_default().to_owned();
            one["evidence"]["snapshot"] = Value::from(hash);
        }
    }
    findings.sort_by_key(|one| one["id"].to_string());
    findings
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
        assert_same(&comparable(&together), &comparable(&alone), &format!("night {day}"));
        let (one, many) = (one.json(), many.json());
        for count in ["pages", "not_modified", "same_hash", "checked", "bytes"] {
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
    let ended = programs[0].0.wait().expect("ended");
    assert_eq!(ended.code(), Some(3));
    killed
}

#[test]
#[ignore = "needs nats-server, which tests/run.sh installs"]
fn workers_and_the_collector_may_end_at_any_moment() {
    let undisturbed = World::with_city(CITY);
    assert_eq!(undisturbed.run(&["run"]).code, 3);
    let wanted = comparable(&undisturbed);
    let seed = fastrand::u64(..);
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut killed = 0;
    for trial in 0..4 {
        let world = World::with_city(CITY);
        let port = free_port();
        let _server = jetstream(&world, "js", port);
        gather(&world, &[port], 1);
        killed += harass(&world, &mut rng, 6);
        assert_same(&comparable(&world), &wanted, &format!("seed {seed} trial {trial}"));
        assert_sound(&world, &format!("seed {seed} trial {trial}"));
    }
    assert!(killed >= 8, "only {killed} kills");
}
