//! kill -9, Ctrl-C: nothing acknowledged is lost, and the next run goes on.

mod support;

use std::time::{Duration, Instant};

use serde_json::Value;
use support::World;
use xunjian_city::CityOptions;

const CITY: CityOptions = CityOptions { seed: 8, sites: 12, pages: 60, day: 0 };
const KILLS: u32 = 20;

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

#[test]
fn kill_9_at_twenty_random_moments() {
    let undisturbed = World::with_city(CITY);
    let begun = Instant::now();
    assert_eq!(undisturbed.run(&["run"]).code, 3);
    let whole = begun.elapsed();
    let wanted = comparable(&undisturbed);
    assert!(!wanted.is_empty());
    let seed = fastrand::u64(..);
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut killed = 0;
    for trial in 0..KILLS {
        let world = World::with_city(CITY);
        let mut child = world.start(&["run"]);
        std::thread::sleep(whole.mul_f64(rng.f64()));
        killed += u32::from(child.try_wait().expect("state").is_none());
        child.kill().expect("killed");
        child.wait().expect("ended");
        let resumed = world.run(&["run"]);
        assert_eq!(resumed.code, 3, "seed {seed} trial {trial}: {}", resumed.stderr);
        // A trial that was over before its kill is a second night: the same, but no longer new.
        let mut found = comparable(&world);
        for (one, other) in found.iter_mut().zip(&wanted) {
            if one["state"] == "open" {
                one["state"] = other["state"].clone();
            }
        }
        assert!(
            found == wanted,
            "seed {seed} trial {trial}: {} findings, {} wanted",
            found.len(),
            wanted.len()
        );
    }
    assert!(killed >= KILLS / 2, "only {killed} runs were still going when they were killed");
}

#[test]
fn many_kills_of_one_run() {
    let undisturbed = World::with_city(CITY);
    undisturbed.run(&["run"]);
    let world = World::with_city(CITY);
    for millis in [30, 60, 90, 120, 150, 180] {
        let mut child = world.start(&["run"]);
        std::thread::sleep(Duration::from_millis(millis));
        child.kill().expect("killed");
        child.wait().expect("ended");
    }
    let last = world.run(&["run"]);
    assert_eq!(last.code, 3, "{}", last.stderr);
    let ids = |world: &World| comparable(world).iter().map(|one| one["id"].to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&world), ids(&undisturbed));
}

#[test]
fn an_interrupt_stops_cleanly_and_the_next_run_goes_on() {
    // Slow enough that the interrupt certainly falls into the crawl.
    let world = World::with_city(CITY);
    let config = std::fs::read_to_string(world.path("xunjian.toml")).expect("configuration");
    let slow = config.replace("requests_per_second = 0", "requests_per_second = 5");
    assert_ne!(slow, config);
    world.write("slow.toml", slow.as_bytes());
    let mut child = world.start(&["--config", "slow.toml", "run"]);
    std::thread::sleep(Duration::from_millis(1_500));
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.expect("kill").success());
    let begun = Instant::now();
    let status = child.wait().expect("ended");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(status.code(), Some(3));
    let summary = world.run(&["run", "--json"]).json();
    assert_eq!(summary["run"], 1, "the interrupted run goes on, a new one is not begun");
    let undisturbed = World::with_city(CITY);
    undisturbed.run(&["run"]);
    assert_eq!(comparable(&world), comparable(&undisturbed));
}
