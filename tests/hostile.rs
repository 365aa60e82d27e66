//! Hosts that misbehave: each misdeed has its recorded outcome, and a good site beside them is
//! inspected whole all the same.

mod support;

use std::collections::BTreeMap;

use serde_json::Value;
use support::{Ended, World};
use xunjian_city::{Misdeed, serve_hostile};

const HEAD: &str = "data = \"xunjian-data\"\n\
    [politeness]\nrequests_per_second = 0\nconnections = 4\naddress_requests_per_second = 0\naddress_connections = 512\n\
    block_s = 0.05\nblock_max_s = 0.1\npatience_s = 1\n\
    [crawl]\nretry_pause_s = 0.05\nin_flight_max = 256\n\
    [network]\nallow_private = [\"127.0.0.0/8\"]\nconnect_timeout_s = 4\nfirst_byte_timeout_s = 4\nidle_timeout_s = 2\ntotal_timeout_s = 10\n";

fn site(id: &str, url: &str) -> String {
    format!("[[site]]\nid = \"{id}\"\nname = \"{id}\"\nurl = \"{url}\"\nkind = \"department\"\n")
}

/// A night over the good site and one bad host.
struct Night {
    world: World,
    ended: Ended,
}

fn night(url: &str, resolve: &str, more: &str) -> Night {
    let hostile = serve_hostile().expect("hostile servers");
    let port = hostile.port;
    let config = format!(
        "{HEAD}{more}\n[network.resolve]\n\"good.hostile-sim.cn\" = \"127.0.0.1:{port}\"\n{}\n{}{}",
        resolve.replace("PORT", &port.to_string()),
        site("good", "http://good.hostile-sim.cn/"),
        site("bad", url)
    );
    let world = World::with_config(&config);
    let ended = world.english(&["run", "--json"]);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    let night = Night { world, ended };
    // Whatever the bad host does, the good site is seen whole.
    let summary = night.world.read_json("xunjian-data/report/summary.json");
    assert!(summary["pages"].as_u64() >= Some(3), "{summary}");
    assert!(!night.findings("good").iter().any(|one| one["kind"] == "unreachable"));
    night
}

impl Night {
    fn findings(&self, site: &str) -> Vec<Value> {
        self.world.findings().into_iter().filter(|one| one["site"] == site).collect()
    }

    /// The site counts as unreachable, with this reason, and the exit code says so.
    fn unreachable(&self, reason: &str) {
        assert_eq!(self.ended.code, 3, "{}", self.ended.stderr);
        let findings = self.findings("bad");
        let found = findings.iter().find(|one| one["kind"] == "unreachable");
        let excerpt = found.map(|one| one["evidence"]["excerpt"].to_string()).unwrap_or_default();
        assert!(excerpt.contains(reason), "{excerpt} {findings:#?}");
    }
}

/// All misdeeds in one night.
#[test]
fn every_misdeed_has_its_recorded_outcome() {
    let hostile = serve_hostile().expect("hostile servers");
    let misdeeds: Vec<Misdeed> = Misdeed::all().collect();
    assert!(misdeeds.len() >= 100, "{}", misdeeds.len());
    let mut config =
        format!("{HEAD}ca_file = \"ca.pem\"\n[network.resolve]\n\"*.nowhere.hostile-sim.cn\" = []\n");
    for misdeed in &misdeeds {
        let port = if misdeed.is_encrypted() { hostile.tls_port } else { hostile.port };
        config.push_str(&format!("\"{}\" = \"127.0.0.1:{port}\"\n", misdeed.host()));
    }
    for misdeed in &misdeeds {
        config.push_str(&site(misdeed.name, &misdeed.url()));
    }
    let world = World::with_config(&config);
    world.write("ca.pem", hostile.authority.as_bytes());
    let ended = world.run(&["run", "--json"]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    let mut wrong = Vec::new();
    for misdeed in &misdeeds {
        let why = world.run(&["why", "--json", &misdeed.url()]).json();
        let state = why["state"].as_str().unwrap_or("unknown").to_owned();
        let last = why["snapshots"].as_array().and_then(|all| all.last());
        let cut = last.is_some_and(|snapshot| snapshot["truncated"] == true);
        let outcome = if cut { format!("{state}, cut") } else { state };
        // A reason in brackets is the library's wording; the word before it is ours.
        let fits = match misdeed.outcome {
            word @ ("broken" | "tls") => outcome.starts_with(&format!("{word} (")),
            whole => outcome == whole,
        };
        if !fits {
            wrong.push(format!("{}: {outcome}, not {}", misdeed.name, misdeed.outcome));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");

    let summary = ended.json();
    let peak = summary["peak_memory_bytes"].as_u64().expect("peak");
    assert!(peak < 700 << 20, "{} MB", peak >> 20);
    // What has no end was cut, and the rest of these sites was seen.
    let text = |value: &Value| value.to_string();
    for trap in ["trap-calendar", "trap-folders", "trap-sessions", "trap-facets", "trap-lists", "trap-random"]
    {
        let cut = &summary["cut"][trap];
        let rule = &summary["notes"][trap]["rule-learnt"];
        assert!(cut.is_object() || rule.is_u64(), "{trap}: {} {}", text(cut), text(&summary["notes"][trap]));
        let about = world.run(&["why", "--json", &format!("http://{trap}.hostile-sim.cn/about.html")]).json();
        assert_eq!(about["state"], "ok", "{trap}");
    }
    let visits: BTreeMap<String, u64> = world.read_json("xunjian-data/report/summary.json")["crawl"]
        .as_object()
        .expect("crawl")
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), value.as_u64()?)))
        .collect();
    assert!(visits["requests"] < 8_000, "traps are left early: {visits:?}");
    let notes = |site: &str, what: &str| summary["notes"][site][what].as_u64();
    assert_eq!(notes("sitemap-of-another", "sitemap-other-host"), Some(1));
    assert_eq!(notes("sitemap-of-another", "sitemap-bad-address"), Some(1));
    assert_eq!(notes("sitemap-large", "sitemap-cut"), Some(1));
    let listed = world.run(&["why", "--json", "http://sitemap-large.hostile-sim.cn/listed.html"]).json();
    assert_eq!(listed["state"], "ok", "what stands in front of the cut counts: {listed}");
}

#[test]
fn a_site_that_does_not_resolve() {
    night("http://nowhere.hostile-sim.cn/", "\"nowhere.hostile-sim.cn\" = []", "")
        .unreachable("no-such-host");
}

#[test]
fn a_site_that_refuses() {
    night("http://refuses.hostile-sim.cn/", "\"refuses.hostile-sim.cn\" = \"127.0.0.1:1\"", "")
        .unreachable("refused");
}

#[test]
fn a_site_that_hangs_or_is_always_busy_or_breaks_off_counts_as_unreachable() {
    for (name, reason) in [("hang", "timeout"), ("always-busy", "limited (503)"), ("endless-head", "broken")]
    {
        let host = format!("{name}.hostile-sim.cn");
        night(&format!("http://{host}/"), &format!("\"{host}\" = \"127.0.0.1:PORT\""), "")
            .unreachable(reason);
    }
}

#[test]
fn a_site_on_a_private_address_is_never_asked() {
    let night = night("http://10.1.2.3/", "", "");
    assert_eq!(night.ended.code, 3);
    assert!(night.ended.stderr.contains("bad: private"), "{}", night.ended.stderr);
    // It may be in order for those who reach it: nothing is said of its pages, a person looks.
    let kinds: Vec<Value> = night.findings("bad").iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(kinds, ["no-ipv6"]);
    assert_eq!(night.world.read_json("xunjian-data/report/verdicts.json")[1]["result"], "review");
}

#[test]
fn limits_are_the_configurations() {
    let url = "http://long-line.hostile-sim.cn/";
    let resolve = "\"long-line.hostile-sim.cn\" = \"127.0.0.1:PORT\"";
    for (more, bytes, cut) in [("", 8 << 20, true), ("body_bytes_max = 60000000", 50 << 20, false)] {
        let night = night(url, resolve, more);
        let why = night.world.run(&["why", "--json", url]).json();
        let kept = &why["snapshots"][0];
        assert_eq!((kept["body_bytes"].as_u64(), &kept["truncated"]), (Some(bytes), &Value::Bool(cut)));
    }
}

#[test]
fn a_check_of_the_register_says_which_sites_open() {
    let host = "always-busy.hostile-sim.cn";
    let night = night(&format!("http://{host}/"), &format!("\"{host}\" = \"127.0.0.1:PORT\""), "");
    let ended = night.world.run(&["sites", "check", "--online", "--json"]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let document = ended.json();
    assert_eq!(document["sites"][0]["opens"], true, "{document}");
    assert_eq!(document["sites"][1]["opens"], false, "{document}");
}
