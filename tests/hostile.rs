//! Hosts that misbehave: each misdeed has its recorded outcome, and the other site is inspected
//! whole all the same.

mod support;

use serde_json::Value;
use support::{Ended, World};
use xunjian_city::{Misdeed, serve_hostile};

/// A night over the good site and one bad host.
struct Night {
    world: World,
    ended: Ended,
}

const GOOD_PAGES: u64 = 3;

fn night(url: &str, resolve: &str, more: &str) -> Night {
    let port = serve_hostile().expect("hostile server");
    let good = Misdeed::Good.host();
    let resolve = resolve.replace("PORT", &port.to_string());
    let config = format!(
        "data = \"xunjian-data\"\n\
         [network]\nallow_private = [\"127.0.0.0/8\"]\nconnect_timeout_s = 2\nfirst_byte_timeout_s = 1\nidle_timeout_s = 2\ntotal_timeout_s = 20\n{more}\n\
         [network.resolve]\n\"{good}\" = \"127.0.0.1:{port}\"\n{resolve}\n\
         [politeness]\nrequests_per_second = 0\nblock_s = 0.05\nblock_max_s = 0.1\npatience_s = 1\naddress_requests_per_second = 0\n\
         [crawl]\nretry_pause_s = 0.05\n\
         [[site]]\nid = \"good\"\nname = \"好网站\"\nurl = \"http://{good}/\"\nkind = \"department\"\n\
         [[site]]\nid = \"bad\"\nname = \"坏网站\"\nurl = \"{url}\"\nkind = \"department\"\n"
    );
    let world = World::with_config(&config);
    let ended = world.run(&["run", "--json"]);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    let night = Night { world, ended };
    // Whatever the bad host does, the good site is seen whole.
    let summary = night.world.read_json("xunjian-data/report/summary.json");
    assert!(summary["pages"].as_u64() >= Some(GOOD_PAGES), "{summary}");
    assert!(!night.findings("good").iter().any(|one| one["kind"] == "unreachable"));
    night
}

fn misdeed(misdeed: Misdeed) -> Night {
    let host = misdeed.host();
    night(&format!("http://{host}/"), &format!("\"{host}\" = \"127.0.0.1:PORT\""), "")
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

    /// The home page was kept; answers with the newest snapshot.
    fn kept(&self, url: &str) -> Value {
        assert_eq!(self.ended.code, 0, "{}", self.ended.stderr);
        let why = self.world.run(&["why", "--json", url]).json();
        assert_eq!(why["state"], "ok", "{why}");
        why["snapshots"].as_array().and_then(|all| all.last()).cloned().unwrap_or_else(|| panic!("{why}"))
    }
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
fn a_site_that_hangs() {
    misdeed(Misdeed::Hang).unreachable("timeout");
}

#[test]
fn a_head_without_end() {
    misdeed(Misdeed::EndlessHead).unreachable("broken");
}

#[test]
fn a_redirect_loop() {
    misdeed(Misdeed::RedirectLoop).unreachable("redirect-loop");
}

#[test]
fn a_site_that_is_always_busy() {
    misdeed(Misdeed::AlwaysBusy).unreachable("limited (503)");
}

#[test]
fn a_gzip_bomb_is_cut_at_the_limit() {
    let kept = misdeed(Misdeed::GzipBomb).kept("http://gzip-bomb.hostile-sim.cn/");
    assert_eq!((&kept["truncated"], kept["body_bytes"].as_u64()), (&Value::Bool(true), Some(8 << 20)));
}

#[test]
fn a_body_without_end_is_cut_at_the_limit() {
    let kept = misdeed(Misdeed::EndlessBody).kept("http://endless-body.hostile-sim.cn/");
    assert_eq!((&kept["truncated"], kept["body_bytes"].as_u64()), (&Value::Bool(true), Some(8 << 20)));
}

#[test]
fn a_line_of_fifty_megabytes() {
    let kept = misdeed(Misdeed::LongLine).kept("http://long-line.hostile-sim.cn/");
    assert_eq!((&kept["truncated"], kept["body_bytes"].as_u64()), (&Value::Bool(true), Some(8 << 20)));
    let whole = night(
        "http://long-line.hostile-sim.cn/",
        "\"long-line.hostile-sim.cn\" = \"127.0.0.1:PORT\"",
        "body_bytes_max = 60000000",
    );
    let kept = whole.kept("http://long-line.hostile-sim.cn/");
    assert_eq!((&kept["truncated"], kept["body_bytes"].as_u64()), (&Value::Bool(false), Some(50 << 20)));
}

#[test]
fn bytes_that_are_no_text() {
    let kept = misdeed(Misdeed::BrokenText).kept("http://broken-text.hostile-sim.cn/");
    assert_eq!(kept["truncated"], false);
}

#[test]
fn ten_thousand_nested_elements() {
    let kept = misdeed(Misdeed::NestedTags).kept("http://nested-tags.hostile-sim.cn/");
    assert_eq!(kept["truncated"], false);
}

#[test]
fn a_connection_cut_in_the_middle_keeps_what_came() {
    let kept = misdeed(Misdeed::CutBody).kept("http://cut-body.hostile-sim.cn/");
    assert_eq!(kept["truncated"], true);
}

#[test]
fn a_check_of_the_register_says_which_sites_open() {
    let night = misdeed(Misdeed::AlwaysBusy);
    let ended = night.world.run(&["sites", "check", "--online", "--json"]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let document = ended.json();
    assert_eq!(document["sites"][0]["opens"], true, "{document}");
    assert_eq!(document["sites"][1]["opens"], false, "{document}");
}
