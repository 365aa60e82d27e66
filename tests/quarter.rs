//! The work of a quarter in the console: what no machine can judge, whether faults are mended, and the notice.

#[path = "support/client.rs"]
mod client;
#[path = "support/server.rs"]
mod server;
mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use client::{Answer, Serving};
use serde_json::{Value, json};
use server::{Reply, serve};
use support::World;
use xunjian_city::CityOptions;

const SMALL: CityOptions = CityOptions { seed: 12, sites: 9, pages: 40, day: 0 };

fn row(verdict: &Value, indicator: &str) -> Value {
    let rows = verdict["indicators"].as_array().expect("rows");
    rows.iter().find(|row| row["indicator"] == indicator).expect("a row").clone()
}

/// Ids of what waits for a person, as the interface tells.
fn open(console: &Serving, of: &str) -> BTreeSet<String> {
    let told = console.get(&format!("/api/v1/assessments?{of}"));
    assert_eq!(told.status, 200, "{}", told.body);
    let open = told.json()["open"].clone();
    let ids =
        open.as_array().expect("open").iter().map(|one| one["indicator"].as_str().expect("id").to_owned());
    ids.collect()
}

#[test]
fn an_indicator_is_judged_in_the_console_and_counts_at_once() {
    let world = World::inspected(SMALL);
    let verdicts = world.read_json("xunjian-data/report/verdicts.json");
    let of_portal =
        |one: &&Value| one["kind"] == "portal" && one["vetoes"].as_array().is_some_and(Vec::is_empty);
    let verdict =
        verdicts.as_array().expect("verdicts").iter().find(of_portal).expect("a portal without a veto");
    let site = verdict["site"].as_str().expect("a site");
    let console = Serving::start(&world, "127.0.0.1", "");
    let waiting = open(&console, &format!("site={site}"));
    let by_points = |id: &&String| id.starts_with('D');
    let [first, second] =
        [0, 1].map(|at| waiting.iter().filter(by_points).nth(at).expect("two wait").as_str());
    let queue = console.get("/review").body;
    assert!(queue.contains(&format!("<a href=\"/sites/{site}#{first}\">{first} ")), "{queue}");

    let place = format!("/sites/{site}");
    let page = console.get(&place);
    let shown = page.body.matches("<p class=\"why\">").count();
    assert_eq!(shown, waiting.len(), "each on its own: {}", page.body);
    let token = page.form_token();
    let post = |form: &str| console.post_form(&format!("{place}/judge"), &[], form);
    let refused = |answer: Answer, status: u16, told: &str| {
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(answer.body.contains(told), "{told}: {}", answer.body);
    };
    let form = |points: &str, reason: &str| {
        format!("form_token={token}&indicator={first}&points={points}&reason={reason}")
    };
    refused(post(&form("1000", "x")), 400, first);
    refused(post(&form("-1", "x")), 400, first);
    refused(post(&form("NaN", "x")), 400, first);
    refused(post(&form("1", "")), 400, "");
    refused(post(&form("1", "x").replace(&token, "other")), 403, "");
    refused(post(&form("1", "x").replace(first, "D99")), 400, "D99");
    refused(post(&(form("1", "x") + "&quarter=2026Q5")), 400, "2026Q5");
    assert_eq!(open(&console, &format!("site={site}")), waiting, "nothing of these counts");

    let done = post(&form("1", "抽查三条未回应"));
    assert_eq!((done.status, done.header("location")), (303, Some(format!("{place}#{first}").as_str())));
    let page = console.get(&place).body;
    assert!(page.contains("抽查三条未回应"), "{page}");
    let own = format!("site={site}&indicator={second}");
    let judged = json!({ "site": site, "indicator": second, "points": 0.0, "reason": "符合" });
    let answer = console.post_json("/api/v1/assessments", &[], &judged);
    assert_eq!(answer.status, 200, "{own}: {}", answer.body);
    let kept = answer.json()["assessments"].clone();
    let kept: Vec<(&str, &str, f64)> = kept
        .as_array()
        .expect("assessments")
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().expect("text");
            (text("indicator"), text("by"), one["points"].as_f64().expect("points"))
        })
        .collect();
    assert_eq!(kept, [(first, "local", 1.0), (second, "local", 0.0)]);
    let now = console.get(&format!("/api/v1/sites/{site}")).json()["verdict"].clone();
    assert_eq!(row(&now, first)["standing"], "deducted");
    assert_eq!(row(&now, second)["standing"], "pass");
    let still = open(&console, &format!("site={site}"));
    assert_eq!(
        waiting.difference(&still).map(String::as_str).collect::<BTreeSet<_>>(),
        BTreeSet::from([first, second])
    );
    // One that is judged can be judged again; of another quarter it counts there alone.
    post(&form("0", "核实后撤销"));
    let before =
        json!({ "site": site, "indicator": second, "points": 1.0, "reason": "当时", "quarter": "2026Q1" });
    assert_eq!(console.post_json("/api/v1/assessments", &[], &before).json()["quarter"], "2026Q1");
    let now = console.get(&format!("/api/v1/sites/{site}")).json()["verdict"].clone();
    assert_eq!(
        [row(&now, first)["standing"].clone(), row(&now, second)["standing"].clone()],
        ["pass", "pass"]
    );

    for (body, told) in [
        (json!({ "indicator": first, "points": 0, "reason": "x" }), "either a site or an account"),
        (json!({ "site": site, "account": "x", "indicator": first, "points": 0, "reason": "x" }), "either"),
        (json!({ "site": "nowhere", "indicator": first, "points": 0, "reason": "x" }), "nowhere"),
        (json!({ "site": site, "indicator": first, "points": "0", "reason": "x" }), "invalid type: string"),
        (json!({ "account": "微信/无", "indicator": "M2", "points": 0, "reason": "x" }), "无"),
    ] {
        let answer = console.post_json("/api/v1/assessments", &[], &body);
        assert!(answer.status == 400 && answer.body.contains(told), "{told}: {}", answer.body);
    }
    assert_eq!(console.get("/api/v1/assessments").status, 400);
    assert_eq!(console.get("/api/v1/assessments?site=nowhere").status, 400);

    // What the console shows is what the program judges from all of it.
    drop(console);
    let judged = world.run(&["judge", "--json"]).json();
    let judged = judged.as_array().expect("verdicts").iter().find(|one| one["site"] == site);
    assert_eq!(judged, Some(&now));
    let audit = std::fs::read_to_string(world.path("xunjian-data/audit.jsonl")).expect("an audit log");
    assert!(audit.contains(&format!("{site} {first} ")) && audit.contains("\"assess\""), "{audit}");
}

#[test]
fn what_is_decided_of_findings_changes_how_the_site_stands_at_once() {
    let world = World::inspected(SMALL);
    let verdicts = world.read_json("xunjian-data/report/verdicts.json");
    let waits = |one: &&Value| one["reviews"].as_array().is_some_and(|all| !all.is_empty());
    let verdict = verdicts.as_array().expect("verdicts").iter().find(waits).expect("a site that waits");
    let site = verdict["site"].as_str().expect("a site");
    let console = Serving::start(&world, "127.0.0.1", "");
    let told = || console.get(&format!("/api/v1/sites/{site}")).json();
    let before = told();
    assert_eq!(&before["verdict"], verdict);
    let ids: BTreeSet<&str> = verdict["reviews"]
        .as_array()
        .expect("reviews")
        .iter()
        .flat_map(|line| line["findings"].as_array().expect("findings"))
        .filter_map(Value::as_str)
        .collect();
    assert!(!ids.is_empty(), "{verdict}");
    let decision = json!({ "findings": ids, "action": "dismiss", "reason": "误报" });
    assert_eq!(console.post_json("/api/v1/decisions", &[], &decision).status, 200);
    let after = told();
    let reviews = after["verdict"]["reviews"].as_array().expect("reviews").len();
    assert!(reviews < verdict["reviews"].as_array().expect("reviews").len(), "{after}");
    let count = |told: &Value| told["tally"]["findings"].as_u64().expect("a count");
    assert_eq!(count(&after) + ids.len() as u64, count(&before));
    drop(console);
    let judged = world.run(&["judge", "--json"]).json();
    let judged = judged.as_array().expect("verdicts").iter().find(|one| one["site"] == site);
    assert_eq!(judged, Some(&after["verdict"]));
}

#[test]
fn an_account_of_which_nothing_is_known_is_judged_in_the_console() {
    let world = World::with_city(SMALL);
    world.write("ledger.csv", "平台,账号名称,主办单位,状态\n微信,甲,办,正常\n微信,乙,办,正常\n".as_bytes());
    world.reconfigure("xunjian.toml", "ledger = \"city/media.csv\"", "ledger = \"ledger.csv\"");
    assert!(matches!(world.run(&["run"]).code, 0 | 3));
    let console = Serving::start(&world, "127.0.0.1", "");
    let results = || {
        let told = console.get("/api/v1/media").json()["accounts"].clone();
        let mut told: Vec<(String, String)> = told
            .as_array()
            .expect("accounts")
            .iter()
            .map(|one| ["name", "result"].map(|key| one[key].as_str().expect("text").to_owned()).into())
            .collect();
        told.sort();
        told
    };
    let pairs = |results: [&str; 2]| {
        let mut pairs =
            vec![("甲".to_owned(), results[0].to_owned()), ("乙".to_owned(), results[1].to_owned())];
        pairs.sort();
        pairs
    };
    assert_eq!(results(), pairs(["review", "review"]));
    assert!(console.get("/review").body.contains("<a href=\"/media?result=review\">"));
    let page = console.get("/media?result=review");
    assert_eq!(page.body.matches("action=\"/media/judge\"").count(), 2, "{}", page.body);
    for (name, points) in [("甲", 1), ("乙", 0)] {
        let page = console.get("/media?result=review");
        let key = format!("微信/{name}");
        assert!(page.body.replace("&#x2f;", "/").contains(&format!("value=\"{key}\"")), "{}", page.body);
        for id in open(&console, &format!("account={key}")) {
            let form = format!(
                "form_token={}&account={key}&indicator={id}&points={points}&reason=看过&back=/media?result=review",
                page.form_token()
            );
            let done = console.post_form("/media/judge", &[], &form);
            assert_eq!(
                (done.status, done.header("location")),
                (303, Some("/media?result=review")),
                "{}",
                done.body
            );
        }
        let half = form_of(&page, &key, "0.5");
        assert_eq!(console.post_form("/media/judge", &[], &half).status, 400);
    }
    assert_eq!(results(), pairs(["fail", "pass"]));
}

fn form_of(page: &Answer, key: &str, points: &str) -> String {
    format!("form_token={}&account={key}&indicator=M2&points={points}&reason=x", page.form_token())
}

#[test]
fn the_notice_of_a_quarter_is_made_and_taken_from_the_console() {
    let world = World::inspected(SMALL);
    let console = Serving::start(&world, "127.0.0.1", "");
    let page = console.get("/notices");
    assert!(page.status == 200 && page.body.contains("还没有通报"), "{}", page.body);
    assert!(page.body.contains("<option>2026Q2</option><option selected>2026Q1</option>"), "{}", page.body);
    // Its snapshots are of today, whatever day that is.
    let now = jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date();
    let quarter = &format!("{}Q{}", now.year(), (now.month() + 2) / 3);
    let make = |more: &str| {
        let form = format!("form_token={}&quarter={quarter}{more}", page.form_token());
        console.post_form("/notices", &[], &form)
    };
    for (more, told) in [
        ("&point=yesterday", "point"),
        ("&due=2026-02-30", "due"),
        ("&against=2026", "against"),
        ("&rectified=many", "rectified"),
        ("&rectified=NaN", "rectified"),
        ("&sites=-1", "sites"),
    ] {
        let refused = make(more);
        assert!(refused.status == 400 && refused.body.contains(told), "{told}: {}", refused.body);
    }
    let refused = console.post_form("/notices", &[], &format!("form_token=x&quarter={quarter}"));
    assert_eq!(refused.status, 403);
    assert!(console.get("/notices").body.contains("还没有通报"));
    let made = make("&dated=2026-11-30&rectified=91%25");
    assert_eq!((made.status, made.header("location")), (303, Some("/notices")), "{}", made.body);
    let begun = Instant::now();
    let listed = loop {
        let page = console.get("/notices").body;
        if page.contains("role=\"status\"") {
            break page;
        }
        assert!(!page.contains("role=\"alert\"") && begun.elapsed() < Duration::from_secs(60), "{page}");
        std::thread::sleep(Duration::from_millis(100));
    };
    let own = format!("/notices/{quarter}/");
    for name in ["notice.docx", "notice.html", "notice.md", "notice.json", "annexes.xlsx", "annex-1.csv"] {
        assert!(listed.contains(&format!("href=\"{own}{name}\"")), "{name}: {listed}");
        let file = console.get(&format!("{own}{name}"));
        assert_eq!(file.status, 200, "{name}");
        let as_it_is = if name == "notice.html" {
            "inline".to_owned()
        } else {
            format!("attachment; filename=\"{quarter}-{name}\"")
        };
        assert_eq!(file.header("content-disposition"), Some(as_it_is.as_str()));
        let policy = file.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("sandbox allow-same-origin; default-src 'none'"), "{policy}");
    }
    assert!(console.get(&format!("{own}notice.docx")).body.starts_with("PK"));
    let html = console.get(&format!("{own}notice.html")).body.replace("&#x2f;", "/");
    let evidence =
        html.split("href=\"evidence/").nth(1).and_then(|rest| rest.split('"').next()).expect("evidence");
    assert_eq!(console.get(&format!("{own}evidence/{evidence}")).status, 200);
    // Nothing else of the data folder is given away.
    for path in [
        "../accounts.json", "..%2Faccounts.json", "%2e%2e/report/summary.json",
        "evidence/../../report/summary.json", "evidence", "evidence/", "nothing.docx", "/etc/passwd",
        "%2Fetc%2Fhostname.json", "notice.docx/x.json", "%00.json",
    ] {
        let status = console.get(&format!("{own}{path}")).status;
        assert!(matches!(status, 400 | 404), "{path}: {status}");
    }
    assert_eq!(console.get("/notices/2026Q9/notice.json").status, 404);
    assert_eq!(console.get("/notices/../notice.json").status, 404);
    let facts = console.get(&format!("{own}notice.json")).json();
    assert_eq!(facts["dated"], "2026-11-30");
    assert!(facts["notice"]["stated"].as_array().is_some_and(|all| all.len() == 1), "{facts}");

    // The same as the command writes.
    drop(console);
    let told = world.run(&[
        "report", "--quarter", quarter, "--dated", "2026-11-30", "--stated", "rectified=91", "--format",
        "json", "--out", "own", "--json",
    ]);
    assert!(matches!(told.code, 0 | 3), "{}", told.stderr);
    assert_eq!(world.read_json("own/notice.json"), facts);
    let audit = std::fs::read_to_string(world.path("xunjian-data/audit.jsonl")).expect("an audit log");
    assert!(audit.contains("\"notice\"") && audit.contains(quarter), "{audit}");
}

#[test]
fn what_an_office_says_is_mended_is_looked_at_from_the_console() {
    // 0: the fault is there; 1: it is mended; 2: the page takes its time.
    let state = Arc::new(AtomicU64::new(0));
    let own = Arc::clone(&state);
    let site = serve(move |asked| match (asked.path.as_str(), own.load(Ordering::SeqCst)) {
        ("/", _) => Reply::page("首页", "<p>欢迎</p><a href=/one.html>一</a><a href=/two.html>二</a>"),
        ("/two.html", _) => Reply::page("二", "<p>另有违禁词语一处</p>"),
        ("/one.html", 1) => Reply::page("一", "<p>已经改好</p>"),
        ("/one.html", state) => {
            std::thread::sleep(Duration::from_millis(state * 1_000));
            Reply::page("一", "<p>文中有违禁词语</p>")
        }
        _ => Reply::missing(),
    });
    let port = site.port;
    let world = World::with_config(&format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n\
         [crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n[search]\nenabled = false\n\
         [scan]\ndictionaries = [\"own.txt\"]\n\
         [network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"www.test\" = \"127.0.0.1:{port}\"\n\
         [[site]]\nid = \"www\"\nname = \"市水利局\"\nurl = \"http://www.test/\"\nkind = \"department\"\n"
    ));
    world.write("own.txt", "违禁词语\n".as_bytes());
    assert!(matches!(world.run(&["run"]).code, 0 | 3));
    let words = world.run(&["findings", "list", "--kind", "sensitive-word", "--json"]).json();
    let at = |path: &str| {
        let all = words.as_array().expect("findings");
        let one = all.iter().find(|one| one["url"].as_str().is_some_and(|url| url.ends_with(path)));
        one.expect(path)["id"].as_str().expect("an id").to_owned()
    };
    let (one, two) = (at("/one.html"), at("/two.html"));
    let console = Serving::start(&world, "127.0.0.1", "");
    let page = format!("/findings/{one}");
    let token = console.get(&page).form_token();
    let post = |action: &str, form: &str| {
        console.post_form(&format!("{page}/{action}"), &[], &format!("form_token={token}&{form}"))
    };
    let stage = || console.get(&format!("/api/v1/findings/{one}")).json()["case"]["rectification"].clone();
    let count = || console.get("/api/v1/sites/www").json()["tally"]["findings"].as_u64().expect("a count");
    assert_eq!(post("act", "action=notify").status, 303);
    assert_eq!(post("act", "action=report&reason=已改").status, 303);
    assert_eq!(console.post_form(&format!("{page}/recheck"), &[], "form_token=x").status, 403);
    let before = count();

    let looked = post("recheck", "");
    assert_eq!(looked.header("location"), Some(format!("{page}?looked=there").as_str()), "{}", looked.body);
    assert!(console.get(&format!("{page}?looked=there")).body.contains("仍存在"));
    assert!(stage()["relapsed"].is_object(), "{}", stage());
    assert_eq!(count(), before);
    state.store(1, Ordering::SeqCst);
    assert_eq!(post("act", "action=report&reason=又改").status, 303);
    let looked = post("recheck", "");
    assert_eq!(looked.header("location"), Some(format!("{page}?looked=mended").as_str()), "{}", looked.body);
    assert!(stage()["closed"].is_object(), "{}", stage());
    assert_eq!(count(), before - 1, "it counts at once");

    // Not two at a time, and none beside a night.
    state.store(2, Ordering::SeqCst);
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| post("recheck", ""));
        std::thread::sleep(Duration::from_millis(700));
        let other = console.post_json("/api/v1/rechecks", &[], &json!({ "findings": [two] }));
        assert_eq!(other.status, 409, "{}", other.body);
        let slow = slow.join().expect("answered");
        assert_eq!(slow.header("location"), Some(format!("{page}?looked=there").as_str()), "{}", slow.body);
    });
    state.store(1, Ordering::SeqCst);
    let both = console.post_json("/api/v1/rechecks", &[], &json!({ "findings": [one, two] }));
    assert_eq!(both.status, 200, "{}", both.body);
    assert_eq!((&both.json()["mended"], &both.json()["still_there"]), (&json!([one]), &json!([two])));
    for (body, status) in [
        (json!({ "findings": ["nothing"] }), 404),
        (json!({ "findings": [] }), 400),
        (json!({ "findings": [one], "colour": 1 }), 400),
    ] {
        assert_eq!(console.post_json("/api/v1/rechecks", &[], &body).status, status, "{body}");
    }
}

#[test]
fn a_quarter_that_is_not_over_is_judged_as_of_today() {
    let world = World::inspected(SMALL);
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").expect("zone");
    let today = zone.to_datetime(jiff::Timestamp::now()).date();
    let quarter = |day: jiff::civil::Date| format!("{}Q{}", day.year(), (day.month() + 2) / 3);
    let judged = world.run(&["judge", "--quarter", &quarter(today), "--json"]);
    assert_eq!(judged.code, 0, "{}", judged.stderr);
    assert_eq!(judged.json()["point"], today.to_string(), "not the last day of it");
    let later = today.saturating_add(jiff::Span::new().days(100));
    let tomorrow = today.tomorrow().expect("a day").to_string();
    for (args, reason) in [
        (
            vec!["judge", "--quarter", &quarter(later)],
            format!("the quarter {} has not begun", quarter(later)),
        ),
        (
            vec!["report", "--quarter", &quarter(today), "--point", &tomorrow],
            format!("the monitoring point {tomorrow} is still to come"),
        ),
    ] {
        let refused = world.english(&args);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        assert!(refused.stderr.contains(&reason), "{}", refused.stderr);
    }
}
