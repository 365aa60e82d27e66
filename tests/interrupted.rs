//! kill -9, Ctrl-C: nothing acknowledged is lost, and the next run goes on.

#[path = "support/server.rs"]
mod server;
mod support;

use std::process::Stdio;
use std::time::{Duration, Instant};

use server::{Reply, serve};
use support::World;
use xunjian_city::CityOptions;

const CITY: CityOptions = CityOptions { seed: 8, sites: 12, pages: 60, day: 0 };
const KILLS: u32 = 20;

#[test]
#[ignore = "takes a minute and a half; tests/run.sh runs it beside the others"]
fn kill_9_at_twenty_random_moments() {
    let undisturbed = World::with_city(CITY);
    let begun = Instant::now();
    assert_eq!(undisturbed.run(&["run"]).code, 3);
    let mut whole = begun.elapsed();
    let wanted = undisturbed.comparable();
    assert!(!wanted.is_empty());
    let seed = fastrand::u64(..);
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut trial, mut killed) = (0, 0);
    while killed < KILLS {
        trial += 1;
        let world = World::with_city(CITY);
        let mut child = world.start(&["run"]);
        std::thread::sleep(whole.mul_f64(rng.f64()));
        if child.try_wait().expect("state").is_none() {
            killed += 1;
        } else {
            // The machine was busier when the first run was timed: with each miss the moments come sooner.
            whole = whole.mul_f64(0.8);
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        let resumed = world.run(&["run"]);
        assert_eq!(resumed.code, 3, "seed {seed} trial {trial}: {}", resumed.stderr);
        // A trial that was over before its kill is a second night: the same, but no longer new.
        let mut found = world.comparable();
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
    let ids = |world: &World| world.comparable().iter().map(|one| one["id"].to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&world), ids(&undisturbed));
}

/// A timer starts `run` each night; what was interrupted the night before does not stand for tonight's.
#[test]
fn a_night_that_was_interrupted_the_night_before_is_not_tonights() {
    let world = World::with_city(CITY);
    let night = |shift: &str| {
        let ended: support::Ended = world.command_at(shift, &["run"]).output().expect("runs").into();
        assert_eq!(ended.code, 3, "{}", ended.stderr);
        (world.read_json("xunjian-data/report/summary.json")["run"].clone(), ended.stderr)
    };
    let kill_one = |shift: &str, log: &str| {
        let mut child = world.command_at(shift, &["run"]).stderr(Stdio::null()).spawn().expect("starts");
        // Its crawl has begun.
        while !world.path(&format!("xunjian-data/log/{log}")).exists() {
            assert!(child.try_wait().expect("state").is_none(), "it has ended");
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
    };
    kill_one("-2d", "crawl-000001.log");
    let (run, told) = night("-1d");
    assert!(run == 2 && told.contains("前一夜没有抓完；开始今晚的巡检"), "{run} {told}");
    // One of the same night is gone on with, and that is all.
    kill_one("-2h", "crawl-000003.log");
    let (run, told) = night("-1h");
    assert!(run == 3 && !told.contains("开始今晚的巡检"), "{run} {told}");
}

/// The clock was three days ahead for a night, half of the next one, and is right again.
#[test]
fn a_clock_that_is_set_back() {
    let undisturbed = World::with_city(CITY);
    undisturbed.run(&["run"]);
    let ids = |world: &World| world.comparable().iter().map(|one| one["id"].to_string()).collect::<Vec<_>>();
    let world = World::with_city(CITY);
    let ahead: support::Ended = world.command_at("+3d", &["run"]).output().expect("runs").into();
    assert_eq!(ahead.code, 3, "{}", ahead.stderr);
    let mut child = world.command_at("+3d", &["run"]).stderr(Stdio::null()).spawn().expect("starts");
    std::thread::sleep(Duration::from_millis(120));
    child.kill().expect("killed");
    child.wait().expect("ended");
    for _ in 0..2 {
        let ended = world.run(&["run"]);
        assert_eq!(ended.code, 3, "{}", ended.stderr);
        assert_eq!(ids(&world), ids(&undisturbed));
    }
    let summary = world.read_json("xunjian-data/report/summary.json");
    assert_eq!(summary["run"], 3, "the interrupted run was gone on with, and one more was made");
    assert_eq!(world.run(&["store", "verify"]).code, 0);
    // A host that was blocked for a while by the wrong clock is not blocked for days.
    assert!(summary["seconds"].as_f64().is_some_and(|seconds| seconds < 60.0), "{}", summary["seconds"]);
}

/// Long: `cargo test --test interrupted -- --ignored`, run by tests/run.sh.
#[test]
#[ignore = "takes two minutes"]
fn a_hundred_kills_lose_nothing_and_leave_every_store_whole() {
    const SMALL: CityOptions = CityOptions { seed: 9, sites: 6, pages: 60, day: 0 };
    let undisturbed = World::with_city(SMALL);
    let begun = Instant::now();
    undisturbed.run(&["run"]);
    let mut whole = begun.elapsed();
    let wanted: Vec<String> = undisturbed.comparable().iter().map(|one| one["id"].to_string()).collect();
    let seed = fastrand::u64(..);
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut killed, mut in_snapshot, mut world) = (0, 0, World::with_city(SMALL));
    for trial in 0..100 {
        if trial % 10 == 0 {
            world = World::with_city(SMALL);
        }
        let stored = |world: &World| -> u64 {
            // A kill may come before there is anything.
            if !world.path("xunjian-data/index").exists() {
                return 0;
            }
            let stats = world.run(&["store", "stats", "--json"]);
            assert_eq!(stats.code, 0, "seed {seed} trial {trial}: {}", stats.stderr);
            stats.json()["stats"]["snapshots"].as_u64().unwrap_or(0)
        };
        let before = if trial % 10 == 0 { 0 } else { stored(&world) };
        let mut child = world.start(&["run"]);
        // What was begun before, or seen in a night before, takes less time than a first night.
        let longest = if trial % 10 == 0 { whole } else { whole.mul_f64(0.6) };
        // Most snapshots of sled are written when an index is opened: half of those looked for are among these.
        if trial % 6 != 1 {
            std::thread::sleep(longest.mul_f64(rng.f64()));
        }
        // Every third dies while sled writes a snapshot of one of its indices, if it does so once more.
        while trial % 3 == 1 && child.try_wait().expect("state").is_none() {
            if writes_sled_snapshot(&world.path("xunjian-data")) {
                in_snapshot += 1;
                break;
            }
        }
        if child.try_wait().expect("state").is_none() {
            killed += 1;
        } else {
            // The other tests beside this one have ended: runs take less time than the first did.
            whole = whole.mul_f64(0.9);
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        if !world.path("xunjian-data/index").exists() {
            continue;
        }
        if trial % 7 == 3 {
            // A snapshot of sled that was half written when the process died.
            world.write("xunjian-data/index/snap.00000000000FFFFF", &[0x5A; 777]);
        }
        let verified = world.run(&["store", "verify", "--json"]);
        assert_eq!(verified.code, 0, "seed {seed} trial {trial}: {}{}", verified.stdout, verified.stderr);
        assert!(stored(&world) >= before, "seed {seed} trial {trial}: acknowledged pages were lost");
        if trial % 10 == 9 {
            world.run(&["run"]);
            let mut found: Vec<String> = world.comparable().iter().map(|one| one["id"].to_string()).collect();
            found.sort();
            let mut wanted = wanted.clone();
            wanted.sort();
            assert_eq!(found, wanted, "seed {seed} trial {trial}");
        }
    }
    assert!(killed >= 50, "only {killed} runs were still going when they were killed");
    assert!(in_snapshot >= 10, "only {in_snapshot} were killed while sled wrote a snapshot");
}

/// Whether a file stands there that sled will give its right name when it is whole.
fn writes_sled_snapshot(data: &std::path::Path) -> bool {
    let inside = |folder: &std::path::Path| -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect()
    };
    let mut indices = inside(&data.join("digests"));
    indices.extend(["index", "snapshots"].map(|name| data.join(name)));
    indices
        .iter()
        .flat_map(|index| inside(index))
        .any(|file| file.extension().is_some_and(|end| end == "generating"))
}

/// A file system of a few megabytes; `None` where this process may not mount one.
struct Disk(std::path::PathBuf);

impl Disk {
    fn mount(at: std::path::PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&at).expect("folder");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&at)
            .stderr(std::process::Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(at))
    }

    fn remount(&self, options: &str) {
        let status = std::process::Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(&self.0)
            .status();
        assert!(status.expect("mount").success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that could not be done has to say so")]
fn a_full_disk_and_a_read_only_one_are_said_and_the_run_goes_on_afterwards() {
    let world = World::with_city(CITY);
    let Some(disk) = Disk::mount(world.path("disk"), "3m") else {
        eprintln!("not permitted to mount a small disk: nothing was tested");
        return;
    };
    world.configure("[store]\nfree_bytes_min = 0\n");
    let full = world.english(&["--data", "disk/data", "run"]);
    assert_eq!(full.code, 4, "{}", full.stderr);
    assert!(full.stderr.contains("free space on the disk"), "{}", full.stderr);
    assert!(!full.stderr.contains("panicked"), "{}", full.stderr);
    // Read-only: refused at once, with the reason.
    disk.remount("ro,size=3m");
    let refused = world.english(&["--data", "disk/data", "run"]);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    assert!(refused.stderr.to_lowercase().contains("read-only"), "{}", refused.stderr);
    // With room again the interrupted run goes on, and nothing is missing.
    disk.remount("rw,size=200m");
    let resumed = world.run(&["--data", "disk/data", "run", "--json"]);
    assert_eq!(resumed.code, 3, "{}", resumed.stderr);
    assert_eq!(resumed.json()["run"], 1, "the interrupted run goes on");
    let verified = world.run(&["--data", "disk/data", "store", "verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    let undisturbed = World::with_city(CITY);
    undisturbed.run(&["run"]);
    let found = world.read_json("disk/data/report/findings.json");
    assert_eq!(found.as_array().expect("array").len(), undisturbed.findings().len());
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that could not be done has to say so")]
fn a_disk_that_fills_ends_the_night_while_it_can_still_be_told() {
    let world = World::with_city(CITY);
    let Some(disk) = Disk::mount(world.path("disk"), "40m") else {
        eprintln!("not permitted to mount a small disk: nothing was tested");
        return;
    };
    let hook = serve(|_| Reply::Other("204 No Content", String::new(), String::new()));
    let sink =
        format!("type = \"webhook\"\nurl = \"http://127.0.0.1:{}/hook\"\ngroup = \"night\"\n", hook.port);
    // Enough for the index, not for all pages.
    world.configure(&format!("[store]\nfree_bytes_min = 38000000\n[[alert]]\nname = \"hook\"\n{sink}"));
    let full = world.english(&["--data", "disk/data", "run"]);
    assert_eq!(full.code, 4, "{}", full.stderr);
    assert!(full.stderr.contains("MiB are free on the disk"), "{}", full.stderr);
    let told: Vec<String> =
        hook.asked().iter().map(|one| String::from_utf8_lossy(&one.body).into_owned()).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("xunjian.night.failed") && told[0].contains("36 are left free"), "{told:?}");
    let some = world.run(&["--data", "disk/data", "store", "stats", "--json"]).json();
    assert!(some["stats"]["snapshots"].as_u64() > Some(0), "it had begun: {some}");
    assert!(some["free_bytes"].as_u64() > Some(30_000_000), "{some}");
    // Nothing more begins before there is room, and nothing is missing then.
    assert_eq!(world.run(&["--data", "disk/data", "scan"]).code, 4);
    disk.remount("rw,size=200m");
    let resumed = world.run(&["--data", "disk/data", "run", "--json"]);
    assert_eq!(resumed.code, 3, "{}", resumed.stderr);
    assert_eq!(resumed.json()["run"], 1, "the interrupted run goes on");
    let undisturbed = World::with_city(CITY);
    undisturbed.run(&["run"]);
    let found = world.read_json("disk/data/report/findings.json");
    assert_eq!(found.as_array().expect("array").len(), undisturbed.findings().len());
}

#[test]
fn an_interrupt_stops_cleanly_and_the_next_run_goes_on() {
    // Slow enough that the interrupt certainly falls into the crawl.
    let world = World::with_city(CITY);
    world.reconfigure("slow.toml", "requests_per_second = 0", "requests_per_second = 5");
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
    assert_eq!(world.comparable(), undisturbed.comparable());
}

/// A look at one site by day, interrupted, does not stand for the night.
#[test]
fn a_crawl_of_one_site_that_was_interrupted_is_not_the_night() {
    let world = World::with_city(CITY);
    world.reconfigure("slow.toml", "requests_per_second = 0\nconn", "requests_per_second = 5\nconn");
    let config = std::fs::read_to_string(world.path("slow.toml")).expect("a configuration");
    let mut ids = config.lines().filter_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"'));
    let site = ids.next().expect("a site");
    for command in ["crawl", "run"] {
        let mut child = world.start(&["--config", "slow.toml", command, "--site", site]);
        std::thread::sleep(Duration::from_secs(2));
        assert!(child.try_wait().expect("state").is_none(), "{command} has ended");
        child.kill().expect("killed");
        child.wait().expect("ended");
    }
    assert_eq!(world.run(&["run"]).code, 3);
    let summary = world.read_json("xunjian-data/report/summary.json");
    assert_eq!(summary["sites"]["total"].as_u64(), Some(CITY.sites as u64), "{summary}");
    let undisturbed = World::with_city(CITY);
    undisturbed.run(&["run"]);
    let ids = |world: &World| world.comparable().iter().map(|one| one["id"].to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&world), ids(&undisturbed));
}
