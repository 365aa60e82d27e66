//! The data folder: repair, check, compaction, and WARC files in and out.

mod support;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use support::{Ended, World};
use xunjian_city::CityOptions;

const CITY: CityOptions = CityOptions { seed: 3, sites: 6, pages: 40, day: 0 };

fn crawled() -> World {
    let world = World::with_city(CITY);
    let ended = world.run(&["run"]);
    assert!(matches!(ended.code, 0 | 3), "{}", ended.stderr);
    world
}

/// What a run found, as it stands in the report, without what a second look changes.
fn answers(world: &World) -> (Value, Value) {
    (Value::from(world.findings()), world.read_json("xunjian-data/report/verdicts.json"))
}

fn verify(world: &World) -> (i32, Value) {
    let ended = world.run(&["store", "verify", "--json"]);
    (ended.code, ended.json())
}

fn db(world: &World) -> PathBuf {
    world.path("xunjian-data/index/db")
}

#[test]
fn a_damaged_index_is_made_anew_by_itself_and_gives_the_same_answers() {
    let world = crawled();
    let before = answers(&world);
    let stats = |world: &World| world.run(&["store", "stats", "--json"]).json()["stats"].clone();
    let counts = stats(&world);
    let whole = fs::read(db(&world)).expect("index");
    // All of it, its second half, one stretch in its middle, emptied.
    let damage: [fn(&mut Vec<u8>); 4] = [
        |bytes| bytes.fill(0xA5),
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| {
            let half = bytes.len() / 2;
            bytes[half..half + 4_096].fill(0);
        },
        Vec::clear,
    ];
    for (at, spoil) in damage.into_iter().enumerate() {
        let mut spoilt = whole.clone();
        spoil(&mut spoilt);
        fs::write(db(&world), spoilt).expect("written");
        let ended = world.english(&["report"]);
        assert!(matches!(ended.code, 0 | 3), "{at}: {}", ended.stderr);
        assert!(ended.stderr.contains("made anew"), "{at}: {}", ended.stderr);
        assert_eq!(answers(&world), before, "{at}");
        assert_eq!(verify(&world), (0, verify(&world).1), "{at}");
        // The same for the index of snapshots, which is opened only when it is asked for.
        let of_snapshots = world.path("xunjian-data/snapshots/db");
        let mut spoilt = fs::read(&of_snapshots).expect("index");
        spoil(&mut spoilt);
        fs::write(&of_snapshots, spoilt).expect("written");
        assert_eq!(verify(&world), (0, verify(&world).1), "{at}");
        assert_eq!(answers(&world), before, "{at}");
        assert_eq!(stats(&world)["bodies"], counts["bodies"], "{at}");
    }
    // The whole folder of the index gone, and a half-written snapshot of sled in it.
    fs::remove_dir_all(world.path("xunjian-data/index")).expect("removed");
    assert!(matches!(world.run(&["report"]).code, 0 | 3));
    assert_eq!(answers(&world), before);
    for entry in fs::read_dir(world.path("xunjian-data/index")).expect("index") {
        let path = entry.expect("entry").path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("snap.")) {
            let bytes = fs::read(&path).expect("snapshot");
            fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
        }
    }
    assert!(matches!(world.run(&["report"]).code, 0 | 3));
    assert_eq!(answers(&world), before);
    for name in ["urls", "snapshots", "bodies", "archive_bytes"] {
        assert_eq!(stats(&world)[name], counts[name], "{name}");
    }
}

#[test]
fn a_damaged_index_that_held_nothing_yet_is_made_anew_too() {
    let world = World::with_city(CITY);
    let mut child = world.start(&["run"]);
    while !world.path("xunjian-data/index").exists() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    world.write("xunjian-data/index/snap.00000000000FFFFF", &[0x5A; 777]);
    assert_eq!(verify(&world).0, 0);
    assert!(matches!(world.run(&["run"]).code, 0 | 3));
}

/// A batch of nothing but queue keys is acknowledged like any other.
#[test]
fn an_index_damaged_after_every_batch_is_made_anew() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("data");
    for at in 0..4_u8 {
        let store = xunjian_store::Store::open(&path).expect("opened");
        let mut batch = store.begin();
        if at % 2 == 0 {
            batch.put(xunjian_store::Space::Queue, &[&[b'q', at]], &at).expect("put");
        } else {
            batch.put(xunjian_store::Space::Host, &[&[b'h', at]], &at).expect("put");
        }
        batch.commit().expect("committed");
        drop(store);
        fs::write(path.join("index/db"), [0xA5; 4_096]).expect("spoilt");
        let store = xunjian_store::Store::open(&path).expect("made anew");
        assert!(store.rebuilt().is_some(), "{at}");
        assert_eq!(store.keys(xunjian_store::Space::Host, &[]).count(), usize::from(at).div_ceil(2));
    }
}

/// Without its number a store could not tell an emptied index from a new one.
#[test]
fn a_lost_number_of_batches_never_empties_the_archive() {
    let world = crawled();
    let before = answers(&world);
    let archive = || fs::metadata(world.path("xunjian-data/warc/000001.warc.zst")).expect("archive").len();
    let bytes = archive();
    let number = world.path("xunjian-data/acknowledged");
    let spoil: [&dyn Fn(); 2] = [&|| fs::remove_file(&number).expect("removed"), &|| {
        fs::write(&number, [b'?'; 21]).expect("written")
    }];
    for spoil in spoil {
        spoil();
        for part in ["index", "journal"] {
            fs::rename(world.path(&format!("xunjian-data/{part}")), world.path(part)).expect("moved");
        }
        let ended = world.english(&["report"]);
        assert_eq!(ended.code, 4);
        assert!(ended.stderr.contains("store rebuild"), "{}", ended.stderr);
        assert_eq!(archive(), bytes);
        for part in ["index", "journal"] {
            let _ = fs::remove_dir_all(world.path(&format!("xunjian-data/{part}")));
            fs::rename(world.path(part), world.path(&format!("xunjian-data/{part}"))).expect("moved");
        }
        let ended = world.run(&["store", "rebuild"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(matches!(world.run(&["report"]).code, 0 | 3));
        assert_eq!(answers(&world), before);
    }
}

#[test]
fn with_the_journal_damaged_too_the_archive_brings_the_pages_back() {
    let world = crawled();
    let counts = world.run(&["store", "stats", "--json"]).json()["stats"].clone();
    let journal = world.path("xunjian-data/journal/000001.journal.zst");
    let mut bytes = fs::read(&journal).expect("journal");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0);
    fs::write(&journal, bytes).expect("written");
    fs::remove_dir_all(world.path("xunjian-data/index")).expect("removed");
    // Nothing is guessed: what is lost is said, and how to go on.
    let refused = world.english(&["report"]);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("store rebuild") && refused.stderr.contains("gap"), "{}", refused.stderr);
    let rebuilt = world.run(&["store", "rebuild", "--json"]);
    assert_eq!(rebuilt.code, 4, "{}", rebuilt.stderr);
    assert_eq!(rebuilt.json()["whole"], false);
    let after = world.run(&["store", "stats", "--json"]).json()["stats"].clone();
    assert_eq!((&after["snapshots"], &after["bodies"]), (&counts["snapshots"], &counts["bodies"]));
    assert_eq!(verify(&world).0, 0);
    // From here on the store is whole again: the next run goes on as ever.
    let again = world.run(&["run"]);
    assert!(matches!(again.code, 0 | 3), "{}", again.stderr);
    let rebuilt = world.run(&["store", "rebuild", "--json"]);
    assert_eq!((rebuilt.code, &rebuilt.json()["whole"]), (0, &Value::Bool(true)));
}

#[test]
fn an_interrupted_crawl_goes_on_after_its_index_was_lost() {
    let world = World::with_city(CITY);
    world.reconfigure("slow.toml", "requests_per_second = 0\nconn", "requests_per_second = 20\nconn");
    let mut child = world.start(&["--config", "slow.toml", "run"]);
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    child.kill().expect("killed");
    child.wait().expect("ended");
    fs::remove_dir_all(world.path("xunjian-data/index")).expect("removed");
    let ended = world.run(&["run"]);
    assert!(matches!(ended.code, 0 | 3), "{}", ended.stderr);
    let undisturbed = crawled();
    let ids = |world: &World| world.findings().iter().map(|one| one["id"].to_string()).collect::<Vec<_>>();
    let (mut found, mut wanted) = (ids(&world), ids(&undisturbed));
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn a_flipped_bit_is_named_and_the_rest_still_served() {
    let world = crawled();
    let path = world.path("xunjian-data/warc/000001.warc.zst");
    let mut bytes = fs::read(&path).expect("archive");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&path, bytes).expect("written");
    let (code, found) = verify(&world);
    assert_eq!(code, 4);
    let fault = &found["faults"][0];
    assert_eq!(fault["file"], "warc/000001.warc.zst");
    assert!(fault["url"].as_str().is_some_and(|url| url.starts_with("http")), "{found}");
    let offset = fault["offset"].as_u64().expect("offset");
    assert!(offset <= middle as u64 && middle as u64 - offset < 1 << 20, "{found}");
    // All other records are exported.
    let exported = world.run(&["store", "export-warc", "out.warc", "--json"]);
    assert_eq!(exported.code, 4, "{}", exported.stderr);
    let done = &exported.json()["exported"];
    assert!(done["unreadable"].as_u64() <= Some(2) && done["responses"].as_u64() > Some(100), "{done}");
}

#[test]
fn old_versions_are_let_go_but_never_evidence() {
    let mut world = crawled();
    for day in 1..4 {
        world = world.next_day(CityOptions { day, ..CITY });
        world.run(&["run"]);
    }
    let before = answers(&world);
    world.reconfigure("xunjian.toml", "[scan]", "[store]\nversions_max = 1\n\n[scan]");
    let count =
        |world: &World| world.run(&["store", "stats", "--json"]).json()["stats"]["snapshots"].as_u64();
    let had = count(&world);
    let compacted = world.run(&["store", "compact", "--json"]);
    assert_eq!(compacted.code, 0, "{}", compacted.stderr);
    let done = compacted.json();
    assert!(done["snapshots"].as_u64() > Some(0), "{done}");
    assert!(done["bytes_after"].as_u64() < done["bytes_before"].as_u64(), "{done}");
    assert_eq!(count(&world), had.zip(done["snapshots"].as_u64()).map(|(had, gone)| had - gone));
    assert_eq!(verify(&world).0, 0);
    assert!(matches!(world.run(&["report"]).code, 0 | 3));
    assert_eq!(answers(&world), before);
    // Every proof is still there.
    for finding in world.findings() {
        let (Some(name), Some(url)) = (finding["evidence"]["snapshot"].as_str(), finding["url"].as_str())
        else {
            continue;
        };
        let why = world.run(&["why", "--json", url]).json();
        let kept = why["snapshots"].as_array().expect("snapshots");
        assert!(kept.iter().any(|one| one["snapshot"] == name), "{name} {why}");
    }
    // An index made anew does not bring back what was let go.
    fs::remove_dir_all(world.path("xunjian-data/index")).expect("removed");
    let after = count(&world);
    assert_eq!(after, had.zip(done["snapshots"].as_u64()).map(|(had, gone)| had - gone));
}

#[test]
fn nights_let_old_versions_go_by_themselves_once_it_is_time() {
    let mut world = World::with_city(CITY);
    world.configure("[store]\nversions_max = 1\ncompact_days = 3\n");
    let count =
        |world: &World| world.run(&["store", "stats", "--json"]).json()["stats"]["snapshots"].as_u64();
    let mut counts = Vec::new();
    for day in 0..5 {
        if day > 0 {
            world = world.next_day(CityOptions { day, ..CITY });
            world.configure("[store]\nversions_max = 1\ncompact_days = 3\n");
        }
        let ended: Ended = world.command_at(&format!("+{day}d"), &["run"]).output().expect("runs").into();
        assert!(matches!(ended.code, 0 | 3), "{}", ended.stderr);
        let told = ended.stderr.contains("个旧版本");
        assert_eq!(told, day == 3, "night {day}: {}", ended.stderr);
        counts.push(count(&world).expect("a count"));
    }
    assert!(counts[0] < counts[1] && counts[1] < counts[2] && counts[3] < counts[2], "{counts:?}");
    assert_eq!(verify(&world).0, 0);
}

#[test]
fn a_store_of_the_first_format_is_brought_to_this_one() {
    let world = crawled();
    let before = answers(&world);
    // What format 1 was: no journal, no place of it in the index.
    fs::remove_dir_all(world.path("xunjian-data/journal")).expect("removed");
    world.write("xunjian-data/format", b"xunjian-store 1\n");
    let ended = world.run(&["report"]);
    assert!(matches!(ended.code, 0 | 3), "{}", ended.stderr);
    assert_eq!(answers(&world), before);
    assert_eq!(fs::read_to_string(world.path("xunjian-data/format")).expect("mark"), "xunjian-store 3\n");
    fs::remove_dir_all(world.path("xunjian-data/index")).expect("removed");
    assert!(matches!(world.run(&["report"]).code, 0 | 3));
    assert_eq!(answers(&world), before);
}

/// Brings the copy up to date and answers with what was copied for it; it can be opened and nothing is missing.
fn back_up(world: &World) -> Value {
    let acknowledged = || fs::read_to_string(world.path("xunjian-data/acknowledged")).unwrap_or_default();
    let before = acknowledged();
    let ended = world.run(&["store", "backup", "--json", "copy"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let kept = fs::read_to_string(world.path("copy/acknowledged")).expect("number");
    assert!(before <= kept && kept <= acknowledged(), "{before} {kept}");
    let checked = world.run(&["--data", "copy", "store", "verify", "--json"]);
    assert_eq!(checked.code, 0, "{} {}", checked.stdout, checked.stderr);
    ended.json()["backed_up"].clone()
}

#[test]
fn a_copy_made_while_a_run_goes_on_is_whole_and_gives_the_same_answers() {
    let mut world = World::with_city(CITY);
    world.reconfigure("slow.toml", "requests_per_second = 0\nconn", "requests_per_second = 40\nconn");
    let mut child = world.start(&["--config", "slow.toml", "run"]);
    let mut copies = 0;
    let mut snapshots = 0;
    while child.try_wait().expect("state").is_none() {
        if !world.path("xunjian-data/acknowledged").exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
            continue;
        }
        back_up(&world);
        let stats = world.run(&["--data", "copy", "store", "stats", "--json"]).json()["stats"].clone();
        let now = stats["snapshots"].as_u64().expect("snapshots");
        assert!(now >= snapshots, "{now} after {snapshots}");
        (copies, snapshots) = (copies + 1, now);
    }
    assert!(copies > 2 && snapshots > 0, "{copies} copies");
    // Another night, whose copy is killed before it is whole; the next one mends that.
    world = world.next_day(CityOptions { day: 1, ..CITY });
    world.run(&["run"]);
    let mut killed = world.start(&["store", "backup", "copy"]);
    std::thread::sleep(std::time::Duration::from_millis(20));
    killed.kill().expect("killed");
    killed.wait().expect("ended");
    back_up(&world);
    // A file that was just written may be written again unseen, so it is copied again.
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    for files in [true, false] {
        // The first time since the copy was opened, which touches the files that are written to.
        let copied = world.run(&["store", "backup", "--json", "copy"]).json()["backed_up"].clone();
        assert_eq!(copied["files"].as_u64() > Some(0), files, "{copied}");
    }
    // What a compaction put elsewhere or let go is not in the copy any more.
    world.reconfigure("xunjian.toml", "[scan]", "[store]\nversions_max = 1\n\n[scan]");
    assert_eq!(world.run(&["store", "compact"]).code, 0);
    back_up(&world);
    let names = |folder: &str| {
        let mut names: Vec<_> = fs::read_dir(world.path(folder))
            .expect("folder")
            .map(|one| one.expect("entry").file_name())
            .collect();
        names.sort();
        names
    };
    for part in ["warc", "journal"] {
        assert_eq!(names(&format!("copy/{part}")), names(&format!("xunjian-data/{part}")));
    }
    let before = answers(&world);
    for data in ["copy", "xunjian-data"] {
        assert!(matches!(world.run(&["--data", data, "report"]).code, 0 | 3));
    }
    assert_eq!(answers(&world), before);
    let restored =
        Value::from(world.read_json("copy/report/findings.json").as_array().expect("list").clone());
    assert_eq!((restored, world.read_json("copy/report/verdicts.json")), before);
}

#[test]
fn a_copy_goes_nowhere_where_it_would_do_harm() {
    let world = World::with_city(CITY);
    let refused = |to: &str, code: i32, why: &str| {
        let ended = world.english(&["store", "backup", to]);
        assert_eq!(ended.code, code, "{to}: {}", ended.stderr);
        assert!(ended.stderr.contains(why), "{to}: {}", ended.stderr);
    };
    refused("copy", 2, "nothing was crawled yet");
    assert!(!world.path("copy").exists());
    assert!(matches!(world.run(&["run"]).code, 0 | 3));
    fs::create_dir(world.path("letters")).expect("folder");
    world.write("letters/one.txt", b"dear");
    refused("letters", 4, "not a xunjian data folder and not empty");
    refused("xunjian-data", 4, "lies in the data folder itself");
    refused("xunjian-data/copies/new", 4, "lies in the data folder itself");
    assert!(!world.path("xunjian-data/copies").exists());
    refused("xunjian.toml", 4, "");
    let held = {
        assert_eq!(world.run(&["store", "backup", "copy"]).code, 0);
        xunjian_store::Store::open(&world.path("copy")).expect("opened")
    };
    refused("copy", 4, "in use by another xunjian process");
    drop(held);
    assert_eq!(world.run(&["store", "backup", "copy"]).code, 0);
    assert_eq!(verify(&world).0, 0);
}

fn import(world: &World, file: &str) -> Ended {
    world.english(&["--data", "imported", "store", "import-warc", "--json", file])
}

#[test]
fn what_is_exported_is_imported_and_scanned_without_crawling() {
    let world = crawled();
    for file in ["out.warc.gz", "out.warc"] {
        let exported = world.run(&["store", "export-warc", "--json", file]);
        assert_eq!(exported.code, 0, "{}", exported.stderr);
        let _ = fs::remove_dir_all(world.path("imported"));
        let imported = import(&world, file);
        assert_eq!(imported.code, 0, "{}", imported.stderr);
        let pages = imported.json()["pages"].as_u64();
        assert_eq!(pages, exported.json()["exported"]["responses"].as_u64(), "{}", imported.stdout);
        for step in ["scan", "judge", "report"] {
            let ended = world.run(&["--data", "imported", step]);
            assert!(matches!(ended.code, 0 | 3), "{step}: {}", ended.stderr);
        }
        // Words and labels are found as before; links were not asked.
        let kinds = |findings: &[Value], kind: &str| {
            let mut urls: Vec<String> =
                findings.iter().filter(|one| one["kind"] == kind).map(|one| one["id"].to_string()).collect();
            urls.sort();
            urls
        };
        let (crawled, imported) = (
            world.findings(),
            world.read_json("imported/report/findings.json").as_array().expect("array").clone(),
        );
        for kind in ["typo", "outdated-name", "sensitive-word", "privacy-mobile", "bad-label"] {
            assert_eq!(kinds(&imported, kind), kinds(&crawled, kind), "{kind}");
        }
    }
    let own = world.path("xunjian-data/warc/000001.warc.zst");
    let _ = fs::remove_dir_all(world.path("imported"));
    let imported = import(&world, own.to_str().expect("path"));
    assert_eq!(imported.code, 0, "our own segments are WARC files, too: {}", imported.stderr);
}

#[test]
fn files_that_are_cut_or_no_warc_files() {
    let world = crawled();
    assert_eq!(world.run(&["store", "export-warc", "out.warc.gz"]).code, 0);
    let whole = fs::read(world.path("out.warc.gz")).expect("file");
    world.write("cut.warc.gz", &whole[..whole.len() / 2]);
    let cut = import(&world, "cut.warc.gz");
    assert_eq!(cut.code, 3, "{}", cut.stderr);
    assert!(cut.stderr.contains("cut in the middle of record"), "{}", cut.stderr);
    assert!(cut.json()["pages"].as_u64() > Some(10), "{}", cut.stdout);
    world.write("thesis.warc", b"my only copy\n");
    let other = import(&world, "thesis.warc");
    assert_eq!(other.code, 2, "{}", other.stderr);
    assert!(other.stderr.contains("thesis.warc: not a WARC file"), "{}", other.stderr);
    assert_eq!(import(&world, "none.warc").code, 2);
    let wrong = world.run(&["store", "export-warc", "out.zip"]);
    assert!(wrong.code == 2 && wrong.stderr.contains(".warc.gz"), "{}", wrong.stderr);
}
