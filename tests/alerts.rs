//! Alerts as other tools get them, also from a sink that fails and a program that is killed.

#[path = "support/server.rs"]
mod server;
mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use server::{Asked, Reply, serve};
use support::World;
use xunjian_city::CityOptions;

const SMALL: CityOptions = CityOptions { seed: 12, sites: 9, pages: 40, day: 0 };

fn ok() -> Reply {
    Reply::Other(
        "200 OK",
        "content-type: application/json\r\n".to_owned(),
        "{\"errcode\":0,\"code\":0}".to_owned(),
    )
}

/// The events of a request, single or batched.
fn events(asked: &Asked) -> Vec<Value> {
    match serde_json::from_slice(&asked.body).expect("JSON") {
        Value::Array(events) => events,
        one => vec![one],
    }
}

fn header<'a>(asked: &'a Asked, name: &str) -> Option<&'a str> {
    asked.head.iter().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[test]
fn each_change_is_told_once_and_mended_ones_too() {
    let hook = serve(|_| ok());
    let port = hook.port;
    let sinks = format!(
        "[serve]\npublic_url = \"https://xunjian.city.gov.cn/\"\n\
         [[alert]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:{port}/hook\"\nsecret = \"whsec_MDEyMzQ1Njc4OWFiY2RlZg==\"\nbatch = 100\n\
         [[alert]]\nname = \"lines\"\ntype = \"jsonl\"\npath = \"changes.jsonl\"\n\
         [[alert]]\nname = \"serious\"\ntype = \"jsonl\"\npath = \"serious.jsonl\"\nseverity = \"serious\"\nchanges = [\"new\", \"relapsed\"]\n\
         [[alert]]\nname = \"group\"\ntype = \"wecom\"\nurl = \"http://127.0.0.1:{port}/wecom?key=s3cret\"\n\
         [[alert]]\nname = \"talk\"\ntype = \"dingtalk\"\nurl = \"http://127.0.0.1:{port}/dingtalk?access_token=a\"\nsecret = \"SECabc\"\nsites = [\"s0*\"]\n\
         [[alert]]\nname = \"book\"\ntype = \"feishu\"\nurl = \"http://127.0.0.1:{port}/feishu\"\nsecret = \"abc\"\n\
         [[alert]]\nname = \"junit\"\ntype = \"junit\"\npath = \"junit.xml\"\n\
         [[alert]]\nname = \"sarif\"\ntype = \"sarif\"\npath = \"all.sarif\"\n\
         [[alert]]\nname = \"summary\"\ntype = \"markdown\"\npath = \"summary.md\"\n"
    );
    let world = World::with_city(SMALL);
    world.configure(&sinks);
    let first = world.run(&["run", "--json"]);
    let current = world.findings();
    let lines = |world: &World, name: &str| -> Vec<Value> {
        let text = std::fs::read_to_string(world.path(name)).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let told = lines(&world, "changes.jsonl");
    let ids = |told: &[Value]| -> BTreeSet<String> {
        told.iter().map(|event| event["subject"].as_str().expect("an id").to_owned()).collect()
    };
    let known: BTreeSet<String> =
        current.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!((told.len(), ids(&told)), (current.len(), known), "{}", first.stderr);
    assert!(told.iter().all(|event| event["type"] == "xunjian.finding.new" && event["specversion"] == "1.0"));
    let link = told[0]["data"]["link"].as_str().expect("a link");
    assert!(link.starts_with("https://xunjian.city.gov.cn/findings/"), "{link}");
    let serious = current.iter().filter(|one| one["severity"] == "serious").count();
    assert_eq!(lines(&world, "serious.jsonl").len(), serious);

    // The webhook got the same, in batches, in order, signed.
    let asked = hook.asked();
    let to = |path: &str| asked.iter().filter(|one| one.path.starts_with(path)).cloned().collect::<Vec<_>>();
    let hooked: Vec<Value> = to("/hook").iter().flat_map(events).collect();
    assert_eq!(hooked, told);
    for one in to("/hook") {
        let signature = header(&one, "webhook-signature").expect("a signature");
        assert!(signature.starts_with("v1,") && signature.len() == 3 + 44, "{signature}");
        let several = events(&one).len() > 1;
        let form = header(&one, "content-type").expect("a type");
        assert_eq!(form.starts_with("application/cloudevents-batch+json"), several, "{form}");
    }
    // People get one message a site, short enough for each robot.
    let sites: BTreeSet<&str> = current.iter().map(|one| one["site"].as_str().expect("a site")).collect();
    let wecom = to("/wecom");
    assert_eq!(wecom.len(), sites.len());
    for one in &wecom {
        let text: Value = serde_json::from_slice(&one.body).expect("JSON");
        let content = text["markdown"]["content"].as_str().expect("a text");
        assert!(content.len() <= 4_096 && content.contains("新增"), "{content}");
    }
    let failing =
        to("/wecom").iter().filter(|one| String::from_utf8_lossy(&one.body).contains("不合格")).count();
    assert!(failing > 0, "how a site stands is told");
    let talk = to("/dingtalk");
    let begin = sites.iter().filter(|site| site.starts_with("s0")).count();
    assert_eq!(talk.len(), begin);
    assert!(talk.iter().all(|one| one.path.contains("&timestamp=") && one.path.contains("&sign=")));
    let book: Value = serde_json::from_slice(&to("/feishu")[0].body).expect("JSON");
    assert!(book["sign"].as_str().is_some_and(|sign| sign.len() == 44), "{book}");

    // Files hold everything that is there.
    let junit = std::fs::read_to_string(world.path("junit.xml")).expect("JUnit");
    assert_eq!(junit.matches("<failure").count(), current.len());
    let sarif: Value = world.read_json("all.sarif");
    assert_eq!(sarif["runs"][0]["results"].as_array().map(Vec::len), Some(current.len().min(5_000)));
    let summary = std::fs::read_to_string(world.path("summary.md")).expect("a summary");
    assert_eq!(summary.lines().filter(|line| line.starts_with("| ")).count(), 9 + 1, "{summary}");

    // Another night without changes tells nothing.
    world.run(&["run", "--json"]);
    assert_eq!(lines(&world, "changes.jsonl").len(), told.len());
    // Days later what is mended is told, too; then relapses are.
    let world = world.next_day(CityOptions { day: 9, ..SMALL });
    world.configure(&sinks);
    let third = world.run(&["run", "--json"]).json();
    let later = lines(&world, "changes.jsonl");
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for event in &later {
        *counts.entry(event["type"].as_str().expect("a type")).or_default() += 1;
    }
    assert_eq!(
        counts["xunjian.finding.new"],
        third["findings"]["new"].as_u64().expect("a number"),
        "{counts:?}"
    );
    assert_eq!(
        counts.get("xunjian.finding.mended").copied(),
        third["findings"]["mended"].as_u64().filter(|count| *count > 0),
        "{counts:?} {third}"
    );
    let world = world.next_day(SMALL);
    world.configure(&sinks);
    world.run(&["run", "--json"]);
    let relapsed = lines(&world, "changes.jsonl");
    assert!(relapsed.iter().any(|event| event["type"] == "xunjian.finding.relapsed"));

    let listed = world.run(&["alert", "list", "--json"]).json();
    for state in listed.as_array().expect("sinks") {
        assert_eq!((&state["waiting"], &state["dead"]), (&0.into(), &Value::Array(Vec::new())), "{state}");
    }
    assert!(!first.stderr.contains("s3cret"));
}

/// A site of ten pages with a thousand words each that the dictionary does not allow.
#[test]
fn a_night_is_told_in_one_message_and_so_is_one_that_failed() {
    let hook = serve(|_| ok());
    let port = hook.port;
    let world = World::with_city(SMALL);
    world.configure(&format!(
        "[[alert]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:{port}/hook\"\ngroup = \"night\"\n\
         [[alert]]\nname = \"group\"\ntype = \"wecom\"\nurl = \"http://127.0.0.1:{port}/wecom\"\ngroup = \"night\"\nsites = [\"s*\"]\nseverity = \"major\"\n\
         [[alert]]\nname = \"log\"\ntype = \"syslog\"\naddress = \"udp://127.0.0.1:9\"\ngroup = \"night\"\n"
    ));
    let told = |path: &str| -> Vec<Value> {
        let asked = hook.asked();
        let own = asked.iter().filter(|one| one.path == path);
        own.map(|one| serde_json::from_slice(&one.body).expect("JSON")).collect()
    };
    assert!(matches!(world.run(&["run"]).code, 0 | 3));
    let summary = world.read_json("xunjian-data/report/summary.json");
    let nights = told("/hook");
    assert_eq!(nights.len(), 1, "{nights:?}");
    let (night, data) = (&nights[0], &nights[0]["data"]);
    assert_eq!((&night["type"], &night["time"]), (&"xunjian.night.ended".into(), &summary["started_at"]));
    assert_eq!([&data["pass"], &data["review"]], [&summary["sites"]["pass"], &summary["sites"]["review"]]);
    let fail = data["fail"].as_array().expect("sites").len();
    assert_eq!(Some(fail as u64), summary["sites"]["fail"].as_u64());
    assert!(
        fail > 0 && data["fail"][0]["vetoes"][0]["rule"].as_str().is_some_and(|rule| rule.starts_with('V')),
        "{data}"
    );
    assert_eq!(
        [&data["findings"], &data["changes"]["new"]],
        [&summary["findings"]["total"], &summary["findings"]["new"]]
    );
    let major = world.findings().into_iter().filter(|one| {
        let of = |key: &str| one[key].as_str().expect("text").to_owned();
        of("site").starts_with('s') && ["major", "serious"].contains(&of("severity").as_str())
    });
    let major = major.count();
    let text = told("/wecom")[0]["markdown"]["content"].as_str().expect("a text").to_owned();
    assert!(text.starts_with("**巡检完成：合格 ") && text.contains(&format!("新增 {major}，")), "{text}");

    // A look at single findings is no night.
    let typo = world.findings().into_iter().find(|one| one["kind"] == "typo").expect("a typo");
    assert_eq!(world.run(&["findings", "recheck", typo["id"].as_str().expect("an id")]).code, 0);
    assert!(matches!(world.run(&["run"]).code, 0 | 3));
    let nights = told("/hook");
    assert_eq!(nights.len(), 2, "{nights:?}");
    assert_eq!(
        (&nights[1]["data"]["run"], &nights[1]["data"]["changes"]),
        (&2.into(), &serde_json::json!({}))
    );

    // The report cannot be written.
    std::fs::remove_dir_all(world.path("xunjian-data/report")).expect("removed");
    world.write("xunjian-data/report", b"in the way");
    assert_eq!(world.run(&["run"]).code, 4);
    let nights = told("/hook");
    let kinds: Vec<&str> = nights.iter().map(|one| one["type"].as_str().expect("a type")).collect();
    assert_eq!(kinds[2..], ["xunjian.night.ended", "xunjian.night.failed"], "judged, but not reported");
    let reason = nights[3]["data"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("report"), "{reason}");
    let last = told("/wecom").pop().expect("a message");
    assert!(last["markdown"]["content"].as_str().is_some_and(|text| text.contains("巡检中途失败")), "{last}");
    std::fs::remove_file(world.path("xunjian-data/report")).expect("removed");
    assert!(matches!(world.run(&["run"]).code, 0 | 3));
    let nights = told("/hook");
    assert_eq!((nights.len(), &nights[4]["type"]), (5, &"xunjian.night.ended".into()), "it went on");
    let ids: BTreeSet<&str> = nights.iter().map(|one| one["id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), 5, "each is another message");
}

fn ten_thousand(hook: u16, retry_s: &str) -> (World, String) {
    let site = serve(|asked| {
        let page = |number: usize| {
            let words = (0..1_000).map(|word| format!("<p>禁{number}词{word}止。</p>"));
            Reply::page("页面", &format!("<h1>页面</h1><div>{}</div>", words.collect::<String>()))
        };
        match asked.path.strip_prefix("/p").and_then(|number| number.parse().ok()) {
            Some(number) => page(number),
            None if asked.path == "/" => {
                let links = (0..10).map(|number| format!("<a href=/p{number}>第{number}页</a>"));
                Reply::page("首页", &links.collect::<String>())
            }
            None => Reply::missing(),
        }
    });
    let port = site.port;
    let config = format!(
        "data = \"xunjian-data\"\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"a.gov.cn\" = \"127.0.0.1:{port}\"\n\
         [politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n\
         [render]\nbrowser = \"off\"\n[crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[search]\nenabled = false\n\
         [scan]\nshipped_dictionaries = false\ndictionaries = [\"words.txt\"]\n\
         [[site]]\nid = \"a\"\nname = \"甲\"\nurl = \"http://a.gov.cn/\"\nkind = \"department\"\n"
    );
    let sink = format!(
        "[[alert]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:{hook}/\"\nbatch = 20\nattempts = 1000000\n"
    );
    let world = World::with_config(&format!("{config}{sink}retry_s = 1000\n"));
    let words: String =
        (0..10).flat_map(|page| (0..1_000).map(move |word| format!("禁{page}词{word}止\n"))).collect();
    world.write("words.txt", words.as_bytes());
    (world, format!("{config}{sink}retry_s = {retry_s}\n"))
}

#[test]
fn nothing_is_lost_when_a_sink_fails_half_of_the_time_and_the_program_is_killed() {
    const KILLS: usize = 8;
    let broken = Arc::new(AtomicBool::new(true));
    let accepted: Arc<Mutex<Vec<Value>>> = Arc::default();
    let turn = AtomicUsize::new(0);
    let hook = {
        let (broken, accepted) = (Arc::clone(&broken), Arc::clone(&accepted));
        serve(move |asked| {
            if broken.load(Ordering::Relaxed) {
                return Reply::Other("503 Service Unavailable", String::new(), "not now".to_owned());
            }
            // Half of the time it fails: before it takes the events, or after it took them.
            match turn.fetch_add(1, Ordering::Relaxed) % 4 {
                0 => Reply::Other("500 Internal Server Error", String::new(), String::new()),
                1 => {
                    accepted.lock().expect("lock").extend(events(asked));
                    Reply::Cut
                }
                _ => {
                    accepted.lock().expect("lock").extend(events(asked));
                    ok()
                }
            }
        })
    };
    let (world, mended) = ten_thousand(hook.port, "0.002");
    let run = world.run(&["run", "--json"]);
    let summary = run.json();
    assert!(summary["findings"]["new"].as_u64() >= Some(10_000), "{}", run.stderr);
    assert_eq!(summary["alerts"]["waiting"], 1, "{summary}");
    world.write("xunjian.toml", mended.as_bytes());
    broken.store(false, Ordering::Relaxed);
    for kill in 0..KILLS {
        let mut child = world.start(&["alert", "replay", "hook"]);
        std::thread::sleep(Duration::from_millis(150 + 40 * kill as u64));
        child.kill().expect("killed");
        child.wait().expect("gone");
    }
    let so_far = accepted.lock().expect("lock").len();
    let last = world.run(&["alert", "replay", "hook", "--json"]);
    assert_eq!((last.code, &last.json()["waiting"]), (0, &0.into()), "{}", last.stderr);

    let accepted = accepted.lock().expect("lock");
    assert!(so_far > 0 && so_far < accepted.len(), "killed in between: {so_far} of {}", accepted.len());
    let mut first: HashMap<&str, (usize, &Value)> = HashMap::new();
    let mut order: Vec<&str> = Vec::new();
    for (at, event) in accepted.iter().enumerate() {
        let key = event["id"].as_str().expect("a key");
        match first.get(key) {
            Some((_, same)) => assert_eq!(*same, event, "a repeat is the same event"),
            None => {
                first.insert(key, (at, event));
                order.push(key);
            }
        }
    }
    assert!(accepted.len() > order.len(), "some came twice, with the same key");
    let found: BTreeSet<String> =
        world.findings().iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect();
    let told: BTreeSet<String> =
        first.values().map(|(_, event)| event["subject"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(told, found, "none is lost");
    // The order is that of the log, which a file that never fails shows.
    let config = std::fs::read_to_string(world.path("xunjian.toml")).expect("configuration");
    let lines = "[[alert]]\nname = \"lines\"\ntype = \"jsonl\"\npath = \"all.jsonl\"\n";
    world.write("xunjian.toml", format!("{config}{lines}").as_bytes());
    assert_eq!(world.run(&["alert", "replay", "lines", "--since", "2020-01-01"]).code, 0);
    let log = std::fs::read_to_string(world.path("all.jsonl")).expect("lines");
    let log: Vec<String> = log
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).expect("JSON")["id"].as_str().expect("a key").to_owned()
        })
        .collect();
    assert_eq!(order, log, "the order is kept");
}

#[test]
fn what_a_sink_refuses_is_put_aside_and_can_be_told_again() {
    let refuses = Arc::new(AtomicBool::new(true));
    let hook = {
        let refuses = Arc::clone(&refuses);
        serve(move |_| match refuses.load(Ordering::Relaxed) {
            true => Reply::Other("400 Bad Request", String::new(), "no such channel".to_owned()),
            false => ok(),
        })
    };
    let world = World::with_city(SMALL);
    world.configure(&format!(
        "[[alert]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:{}/\"\ngroup = \"site\"\n\
         [[alert]]\nname = \"night\"\ntype = \"jsonl\"\npath = \"quiet.jsonl\"\nquiet = \"00:00-23:59\"\n\
         [[alert]]\nname = \"lost\"\ntype = \"syslog\"\naddress = \"tcp://127.0.0.1:9\"\nretry_s = 1000\n\
         [[alert]]\nname = \"denied\"\ntype = \"wecom\"\nurl = \"http://127.0.0.1:{}/?key=s3cret\"\nretry_s = 1000\n",
        hook.port,
        serve(|_| Reply::Other(
            "200 OK",
            "content-type: application/json\r\n".to_owned(),
            "{\"errcode\":93000,\"errmsg\":\"invalid webhook url\"}".to_owned()
        ))
        .port
    ));
    let run = world.run(&["run", "--json"]);
    assert!(!run.stderr.contains("s3cret"), "{}", run.stderr);
    let listed = world.run(&["alert", "list", "--json"]).json();
    let state = |name: &str| {
        listed.as_array().expect("sinks").iter().find(|state| state["name"] == name).expect(name).clone()
    };
    let dead = state("hook")["dead"].as_array().expect("dead").clone();
    assert!(
        dead.len() > 3 && dead[0][1].as_str().is_some_and(|why| why.contains("no such channel")),
        "{dead:?}"
    );
    assert!(!world.path("quiet.jsonl").exists(), "quiet hours");
    assert!(state("night")["waiting"].as_u64() > Some(0));
    assert!(
        state("lost")["error"].as_str().is_some_and(|why| why.contains("127.0.0.1:9")),
        "{}",
        state("lost")
    );
    let denied = state("denied")["error"].as_str().expect("why").to_owned();
    assert!(denied.contains("invalid webhook url") && !denied.contains("s3cret"), "{denied}");

    let tested = world.english(&["alert", "test", "hook"]);
    assert!(tested.code == 2 && tested.stderr.contains("no such channel"), "{}", tested.stderr);
    let unknown = world.english(&["alert", "test", "nobody"]);
    assert!(
        unknown.code == 2 && unknown.stderr.contains("known: hook, night, lost, denied"),
        "{}",
        unknown.stderr
    );
    refuses.store(false, Ordering::Relaxed);
    let before = hook.asked().len();
    assert_eq!(world.run(&["alert", "replay", "hook"]).code, 0);
    assert_eq!(hook.asked().len() - before, dead.len());
    let keys: BTreeSet<String> = hook.asked()[before..]
        .iter()
        .map(|one| header(one, "webhook-id").expect("a key").to_owned())
        .collect();
    assert_eq!(keys, dead.iter().map(|one| one[0].as_str().expect("a key").to_owned()).collect());
    let listed = world.run(&["alert", "list", "--json"]).json();
    assert_eq!(listed[0]["dead"], Value::Array(Vec::new()));
}

#[test]
fn mistakes_in_sinks_are_told_with_their_lines() {
    let world = World::with_city(SMALL);
    let config = std::fs::read_to_string(world.path("xunjian.toml")).expect("configuration");
    let refused = |sink: &str, told: &str| {
        world.write("xunjian.toml", format!("{config}\n{sink}").as_bytes());
        let ended = world.english(&["alert", "list"]);
        assert_eq!(ended.code, 2, "{sink}: {}", ended.stderr);
        assert!(
            ended.stderr.contains(told) && ended.stderr.contains("xunjian.toml:"),
            "{sink}: {}",
            ended.stderr
        );
    };
    let alert = |rest: &str| format!("[[alert]]\nname = \"a\"\n{rest}\n");
    refused(&alert("type = \"pager\""), "known: webhook, alertmanager");
    refused(&alert(""), "an alert needs a `type`");
    refused("[[alert]]\ntype = \"jsonl\"\npath = \"x\"", "an alert needs a `name`");
    refused(&alert("type = \"webhook\""), "`alert.url`: is missing");
    refused(&alert("type = \"webhook\"\nurl = \"ftp://x\""), "not an http or https address");
    refused(
        &alert("type = \"webhook\"\nurl = \"http://x/\"\nsecret = \"env:XUNJIAN_NOT_SET\""),
        "XUNJIAN_NOT_SET",
    );
    refused(&alert("type = \"webhook\"\nurl = \"file:nowhere\""), "cannot read the secret's file");
    refused(&alert("type = \"syslog\"\naddress = \"logs:514\""), "udp://logs:514");
    refused(&alert("type = \"mail\"\nserver = \"m\"\nfrom = \"a@b\""), "at least one recipient");
    refused(
        &alert("type = \"jsonl\"\npath = \"x\"\nquiet = \"at night\""),
        "write them like \"22:00-07:00\"",
    );
    refused(
        &alert("type = \"jsonl\"\npath = \"x\"\nchanges = [\"old\"]"),
        "use new, changed, relapsed or mended",
    );
    refused(&alert("type = \"jsonl\"\npath = \"x\"\ngroup = \"all\""), "use finding, site or night");
    refused(&alert("type = \"jsonl\"\npath = \"x\"\nchannel = \"y\""), "unknown key `alert.channel`");
    refused(&format!("{0}{0}", alert("type = \"jsonl\"\npath = \"x\"")), "two alerts are named \"a\"");
    // A run says so before it crawls.
    let sink = alert("type = \"webhook\"\nurl = \"env:XUNJIAN_NOT_SET\"");
    world.write("xunjian.toml", format!("{config}\n{sink}").as_bytes());
    let run = world.run(&["run"]);
    assert!(run.code == 2 && run.stderr.contains("XUNJIAN_NOT_SET"), "{}", run.stderr);
    // Commands that send nothing need no secret.
    assert_eq!(world.run(&["sites", "check"]).code, 0);
    world.write("xunjian.toml", config.as_bytes());
    let none = world.run(&["alert", "list"]);
    assert!(none.code == 2 && none.stderr.contains("[[alert]]"), "{}", none.stderr);
}
