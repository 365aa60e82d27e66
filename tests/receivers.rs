//! Alerts at the software that offices run: Alertmanager, a mail server, rsyslog, nats-server, and the
//! official reader of CloudEvents. tests/run.sh installs them.

#[path = "support/client.rs"]
mod client;
#[path = "support/programs.rs"]
mod programs;
#[path = "support/server.rs"]
mod server;
mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use client::Serving;
use programs::{jetstream, start};
use serde_json::{Value, json};
use server::{Reply, serve};
use support::{World, free_port};
use xunjian_city::CityOptions;

const SMALL: CityOptions = CityOptions { seed: 12, sites: 9, pages: 40, day: 0 };

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn get(port: u16, path: &str) -> Value {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    let request = format!("GET {path} HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// Python with the libraries of receivers.py.
fn python() -> PathBuf {
    PathBuf::from(std::env::var_os("RECEIVERS").expect("RECEIVERS names a virtual environment"))
        .join("python")
}

fn script() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/receivers.py"))
}

#[test]
#[ignore = "needs Alertmanager, which tests/run.sh installs"]
fn alertmanager_shows_each_finding_until_it_is_mended() {
    let world = World::with_city(SMALL);
    let port = free_port();
    world.write("alertmanager.yml", b"route:\n  receiver: none\nreceivers:\n- name: none\n");
    let (config, data) = (world.path("alertmanager.yml"), world.path("alertmanager"));
    let _running = start(
        "prometheus-alertmanager",
        &[
            &format!("--config.file={}", config.display()),
            &format!("--storage.path={}", data.display()),
            &format!("--web.listen-address=127.0.0.1:{port}"),
            "--cluster.listen-address=",
        ],
        port,
    );
    let sink = format!(
        "[[alert]]\nname = \"am\"\ntype = \"alertmanager\"\nurl = \"http://127.0.0.1:{port}\"\nseverity = \"minor\"\n"
    );
    world.configure(&sink);
    let run = world.run(&["run", "--json"]);
    assert_eq!(run.json()["alerts"]["waiting"], 0, "{}", run.stderr);
    let shown = || -> Vec<String> {
        let alerts = get(port, "/api/v2/alerts?active=true");
        let alerts = alerts.as_array().expect("alerts").iter();
        let mut ids: Vec<String> =
            alerts.map(|one| one["labels"]["finding"].as_str().expect("an id").to_owned()).collect();
        ids.sort();
        ids
    };
    let severe = |world: &World| -> Vec<String> {
        let findings = world.findings().into_iter().filter(|one| one["severity"] != "info");
        let mut ids: Vec<String> =
            findings.map(|one| one["id"].as_str().expect("an id").to_owned()).collect();
        ids.sort();
        ids
    };
    let first = severe(&world);
    assert!(first.len() > 20);
    assert_eq!(shown(), first);
    // Days later some are mended: their alerts resolve, and new ones appear.
    let world = world.next_day(CityOptions { day: 9, ..SMALL });
    world.configure(&sink);
    assert_eq!(world.run(&["run", "--json"]).json()["alerts"]["waiting"], 0);
    let later = severe(&world);
    assert!(first.iter().any(|id| !later.contains(id)) && later.iter().any(|id| !first.contains(id)));
    until("mended findings resolve", || (shown() == later).then_some(()));
}

#[test]
#[ignore = "needs rsyslog, which tests/run.sh installs"]
fn rsyslog_reads_every_line_over_tcp_and_udp() {
    let world = World::with_city(SMALL);
    let port = free_port();
    let out = world.path("lines");
    let config = format!(
        "module(load=\"imtcp\")\nmodule(load=\"imudp\")\n\
         template(name=\"t\" type=\"string\" string=\"%pri-text%|%app-name%|%msgid%|%structured-data%|%msg%\\n\")\n\
         ruleset(name=\"r\") {{ action(type=\"omfile\" file=\"{}\" template=\"t\") }}\n\
         input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{port}\" ruleset=\"r\")\n\
         input(type=\"imudp\" address=\"127.0.0.1\" port=\"{port}\" ruleset=\"r\")\n",
        out.display()
    );
    world.write("rsyslog.conf", config.as_bytes());
    let (file, pid) = (world.path("rsyslog.conf"), world.path("rsyslog.pid"));
    let [file, pid] = [&file, &pid].map(|path| path.to_str().expect("a path"));
    let _running = start("rsyslogd", &["-n", "-f", file, "-i", pid], port);
    world.configure(&format!(
        "[[alert]]\nname = \"tcp\"\ntype = \"syslog\"\naddress = \"tcp://127.0.0.1:{port}\"\n"
    ));
    let run = world.run(&["run", "--json"]);
    assert_eq!(run.json()["alerts"]["waiting"], 0, "{}", run.stderr);
    let findings = world.findings();
    let lines = until("all lines", || {
        let text = std::fs::read_to_string(&out).unwrap_or_default();
        (text.lines().count() >= findings.len()).then_some(text)
    });
    assert_eq!(lines.lines().count(), findings.len());
    for finding in &findings {
        let id = format!("id=\"{}\"", finding["id"].as_str().expect("an id"));
        let line = lines.lines().find(|line| line.contains(&id)).unwrap_or_else(|| panic!("{id}"));
        assert!(line.starts_with("local0.") && line.contains("|xunjian|finding|[xunjian@32473 "), "{line}");
    }
    world.configure(&format!(
        "[[alert]]\nname = \"udp\"\ntype = \"syslog\"\naddress = \"udp://127.0.0.1:{port}\"\n"
    ));
    assert_eq!(world.run(&["alert", "test", "udp"]).code, 0);
    until("the line over UDP", || {
        std::fs::read_to_string(&out).ok().filter(|text| text.contains("测试 test"))
    });
}

#[test]
#[ignore = "needs nats-server, which tests/run.sh installs"]
fn nats_gets_every_change_under_its_site() {
    let world = World::with_city(SMALL);
    let port = free_port();
    let _running =
        start("nats-server", &["-a", "127.0.0.1", "-p", &port.to_string(), "--auth", "s3cret"], port);
    // A subscriber in the protocol's own words.
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    let mut out = stream.try_clone().expect("a stream");
    let login = json!({ "verbose": false, "auth_token": "s3cret", "headers": true, "no_responders": true });
    out.write_all(format!("CONNECT {login}\r\nSUB city.> 1\r\nPING\r\n").as_bytes()).expect("subscribed");
    let got = std::thread::spawn(move || {
        let mut subjects = Vec::new();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
            if line.starts_with("PING") {
                out.write_all(b"PONG\r\n").expect("answered");
            }
            if let Some(head) = line.strip_prefix("HMSG ") {
                let parts: Vec<&str> = head.split_whitespace().collect();
                let mut message = vec![0; parts[parts.len() - 1].parse::<usize>().expect("a length") + 2];
                reader.read_exact(&mut message).expect("a message");
                let text = String::from_utf8_lossy(&message).into_owned();
                assert!(text.contains("Nats-Msg-Id"), "{text}");
                subjects.push(parts[0].to_owned());
                if text.contains("\"title\":\"测试 test\"") {
                    return subjects;
                }
            }
            line.clear();
        }
        subjects
    });
    let sink = format!(
        "[[alert]]\nname = \"bus\"\ntype = \"nats\"\nurl = \"nats://127.0.0.1:{port}\"\nsubject = \"city\"\n"
    );
    world.configure(&format!("{sink}token = \"wrong\"\nretry_s = 1000\n"));
    let run = world.run(&["run", "--json"]);
    assert_eq!(run.json()["alerts"]["waiting"], 1, "a wrong token is told: {}", run.stderr);
    assert!(!run.stderr.contains("wrong\""));
    world.reconfigure("xunjian.toml", "token = \"wrong\"", "token = \"s3cret\"");
    assert_eq!(world.run(&["alert", "replay", "bus"]).code, 0);
    assert_eq!(world.run(&["alert", "test", "bus"]).code, 0);
    let mut subjects = got.join().expect("a subscriber");
    assert_eq!(subjects.pop().as_deref(), Some("city.test.new"));
    let mut expected: Vec<String> = world
        .findings()
        .iter()
        .map(|one| format!("city.{}.new", one["site"].as_str().expect("a site")))
        .collect();
    subjects.sort();
    expected.sort();
    assert_eq!(subjects, expected);
}

/// Asks JetStream's interface in the protocol's own words.
fn ask_jetstream(port: u16, request: &str, body: &Value) -> Value {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    let body = body.to_string();
    let words = format!(
        "CONNECT {{\"verbose\":false}}\r\nSUB answer 1\r\nPUB $JS.API.{request} answer {}\r\n{body}\r\n",
        body.len()
    );
    stream.write_all(words.as_bytes()).expect("asked");
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while !line.starts_with("MSG answer") {
        line.clear();
        assert!(reader.read_line(&mut line).is_ok_and(|read| read > 0), "{request}: no answer");
    }
    line.clear();
    reader.read_line(&mut line).expect("an answer");
    serde_json::from_str(&line).expect("JSON")
}

#[test]
#[ignore = "needs nats-server, which tests/run.sh installs"]
fn jetstream_acknowledges_each_change_and_keeps_it_once() {
    let world = World::with_city(SMALL);
    let port = free_port();
    let _running = jetstream(&world, "jetstream", port);
    world.configure(&format!(
        "[[alert]]\nname = \"bus\"\ntype = \"nats\"\nurl = \"nats://127.0.0.1:{port}\"\nsubject = \"city\"\n\
             jetstream = true\nretry_s = 1000\n"
    ));
    let run = world.run(&["run", "--json"]);
    assert_eq!(run.json()["alerts"]["waiting"], 1, "nothing keeps the subject: {}", run.stderr);
    let why = world.run(&["--lang", "en", "alert", "list"]).stdout;
    assert!(why.contains("no stream of JetStream takes city."), "{why}");
    let stream = |limit: usize| json!({ "name": "alerts", "subjects": ["city.>"], "max_msgs": limit, "discard": "new" });
    let kept = || ask_jetstream(port, "STREAM.INFO.alerts", &json!({}))["state"]["messages"].clone();
    let findings = world.findings().len();
    assert!(findings > 1);
    let answer = ask_jetstream(port, "STREAM.CREATE.alerts", &stream(findings - 1));
    assert_eq!(answer["error"], Value::Null, "{answer}");
    assert_ne!(world.run(&["alert", "replay", "bus"]).code, 0, "the stream is full before the last one");
    let why = world.run(&["--lang", "en", "alert", "list"]).stdout;
    assert!(why.contains("JetStream: maximum messages exceeded"), "{why}");
    assert_eq!(kept(), findings - 1);
    let answer = ask_jetstream(port, "STREAM.UPDATE.alerts", &stream(findings + 10));
    assert_eq!(answer["error"], Value::Null, "{answer}");
    for (told, since) in [("the rest", &[][..]), ("all once more", &["--since", "2020-01-01"])] {
        let again = world.run(&[&["alert", "replay", "bus", "--json"], since].concat());
        assert_eq!((again.code, kept()), (0, findings.into()), "{told}: {}", again.stderr);
        assert!(again.json()["sent"].as_u64() > Some(0), "{told}: {}", again.stdout);
    }
}

#[test]
#[ignore = "needs a mail server, which tests/run.sh installs"]
fn mail_goes_over_tls_with_a_login() {
    let world = World::with_city(SMALL);
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    world.write("cert.pem", made.cert.pem().as_bytes());
    world.write("key.pem", made.signing_key.serialize_pem().as_bytes());
    let port = free_port();
    let paths = ["cert.pem", "key.pem", "mails"].map(|name| world.path(name).display().to_string());
    let program = python();
    let mut args = vec![script().to_str().expect("a path").to_owned(), "mail".to_owned(), port.to_string()];
    args.extend(paths);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let _running = start(program.to_str().expect("a path"), &args, port);
    let sink = |password: &str| {
        format!(
            "[[alert]]\nname = \"mail\"\ntype = \"mail\"\nserver = \"127.0.0.1\"\nport = {port}\nca_file = \"cert.pem\"\n\
             user = \"xunjian\"\npassword = \"{password}\"\nfrom = \"巡检 <xunjian@city.gov.cn>\"\n\
             to = [\"王芳 <wang@city.gov.cn>\", \"li@city.gov.cn\"]\nretry_s = 1000\n"
        )
    };
    let config = std::fs::read_to_string(world.path("xunjian.toml")).expect("configuration");
    world.write("xunjian.toml", format!("{config}\n{}", sink("n0t-it")).as_bytes());
    let refused = world.run(&["alert", "test", "mail"]);
    assert!(
        refused.code == 2 && refused.stderr.contains("535") && !refused.stderr.contains("n0t-it"),
        "{}",
        refused.stderr
    );
    world.write("xunjian.toml", format!("{config}\n{}", sink("s3cret")).as_bytes());
    let run = world.run(&["run", "--json"]);
    assert_eq!(run.json()["alerts"]["waiting"], 0, "{}", run.stderr);
    let mails = std::fs::read_to_string(world.path("mails")).expect("mails");
    let sites: std::collections::BTreeSet<String> =
        world.findings().iter().map(|one| one["site"].as_str().expect("a site").to_owned()).collect();
    assert_eq!(mails.matches("\n=====\n").count(), sites.len(), "one a site");
    for part in ["Message-ID: <", "wang@city.gov.cn", "li@city.gov.cn", "Content-Transfer-Encoding"] {
        assert!(mails.contains(part), "{part}");
    }
}

#[test]
#[ignore = "needs the reader of CloudEvents, which tests/run.sh installs"]
fn the_official_reader_takes_our_events() {
    let hook = serve(|_| Reply::Other("204 No Content", String::new(), String::new()));
    let world = World::with_city(SMALL);
    let sink = |name: &str, batch: u32| {
        format!(
            "[[alert]]\nname = \"{name}\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:{}/\"\nbatch = {batch}\n",
            hook.port
        )
    };
    world.configure(&format!("{}{}", sink("one", 1), sink("many", 20)));
    let run = world.run(&["run", "--json"]);
    assert_eq!(run.json()["alerts"]["waiting"], 0, "{}", run.stderr);
    let mut child = Command::new(python())
        .arg(script())
        .arg("events")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python");
    let mut lines = String::new();
    for asked in hook.asked() {
        let form = asked.head.iter().find_map(|line| line.strip_prefix("content-type: ")).expect("a type");
        let body = String::from_utf8(asked.body.clone()).expect("UTF-8");
        lines.push_str(&format!("{}\n", json!({ "type": form, "body": body })));
    }
    child.stdin.take().expect("stdin").write_all(lines.as_bytes()).expect("written");
    let read = child.wait_with_output().expect("read");
    assert!(read.status.success());
    let read = String::from_utf8(read.stdout).expect("UTF-8");
    assert_eq!(read.lines().count(), 2 * world.findings().len());
    for finding in world.findings() {
        let id = finding["id"].as_str().expect("an id");
        let own = read.lines().filter(|line| line.ends_with(id)).count();
        assert_eq!(own, 2, "{id}");
    }
}

#[test]
#[ignore = "needs schemathesis, which tests/run.sh installs"]
fn the_interface_does_what_its_description_says() {
    let world = World::with_city(SMALL);
    world.run(&["run"]);
    let console = Serving::start(&world, "127.0.0.1", "");
    let base = format!("http://127.0.0.1:{}/api/v1", console.port);
    // The stream never ends. What a cursor or a site may be no schema can say, so that 400 is right there.
    let tried = Command::new(python().with_file_name("schemathesis"))
        .args(["run", &format!("{base}/openapi.json"), "--url", &base, "--exclude-path", "/events"])
        .args(["--checks", "all", "--exclude-checks", "positive_data_acceptance", "--max-examples", "40"])
        .args(["--seed", "1", "--no-color"])
        .current_dir(world.path("."))
        .output()
        .expect("schemathesis");
    assert!(tried.status.success(), "{}", String::from_utf8_lossy(&tried.stdout));
}

#[test]
#[ignore = "needs axe, which tests/run.sh installs"]
fn pages_of_the_console_bear_people_who_see_or_move_otherwise() {
    let world = World::with_city(SMALL);
    world.run(&["run"]);
    let typos = ["--kind", "typo", "--by", "王芳", "--reason", "属实"];
    world.run(&[&["findings", "confirm"][..], &typos].concat());
    world.run(&[&["findings", "notify"][..], &typos].concat());
    let console = Serving::start(&world, "127.0.0.1", "");
    let found = Command::new(python())
        .args(["-c", "import axe_core_python, os; print(os.path.dirname(axe_core_python.__file__))"])
        .output()
        .expect("python");
    let folder = String::from_utf8(found.stdout).expect("a path");
    let axe = std::fs::read_to_string(Path::new(folder.trim()).join("axe.min.js")).expect("axe");
    let style = console.get("/style.css").body;
    let typo = world.findings().into_iter().find(|one| one["kind"] == "typo").expect("a typo");
    let finding = format!("/findings/{}", typo["id"].as_str().expect("an id"));
    // One with indicators to judge.
    let review = console.get("/review").body;
    let site = review.split("<dt><a href=\"").nth(1).and_then(|rest| rest.split('#').next()).expect("a site");
    let dictionaries = console.get("/dictionaries").body;
    let dictionary = dictionaries.split("<a href=\"").find(|rest| rest.starts_with("/dictionaries/"));
    let dictionary = dictionary.and_then(|rest| rest.split('"').next()).expect("one to edit");
    let search = "/search?q=%E5%B7%A5%E4%BD%9C";
    let snapshots = format!("/snapshots?url={}", typo["url"].as_str().expect("an address"));
    for path in [
        "/", "/review", "/rectification", "/runs", "/login", search, "/dictionaries", dictionary, &snapshots,
        &finding, site, "/media", "/notices",
    ] {
        for (language, width) in [("zh", 1280), ("en", 380)] {
            let cookie = format!("xunjian-language={language}");
            let page = console.ask("GET", path, &[("cookie", &cookie)], "");
            assert_eq!(page.status, 200, "{path}");
            // axe runs in the page; the page's own policy would not let it.
            let page = page
                .body
                .replace("<link rel=\"stylesheet\" href=\"/style.css\">", &format!("<style>{style}</style>"))
                .replace("<script src=\"/keys.js\" defer></script>", "")
                .replace("<script src=\"/more.js\" defer></script>", "")
                .replace("<iframe class=\"page\" sandbox src=", "<iframe class=\"page\" sandbox data-src=");
            let run = "axe.run({ iframes: false }).then((r) => { document.body.innerHTML = ''; const pre = document.createElement('pre'); \
                       pre.textContent = 'AXE ' + JSON.stringify([r.passes.length, r.violations.map((v) => [v.impact, v.id, v.nodes.map((n) => n.html)])]); \
                       document.body.append(pre); });";
            let whole =
                page.replace("</body>", &format!("<script>{axe}</script><script>{run}</script></body>"));
            world.write("axe.html", whole.as_bytes());
            let shown = Command::new("chromium")
                .args([
                    "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=15000",
                    "--dump-dom",
                ])
                .arg(format!("--window-size={width},900"))
                .arg(format!("--user-data-dir={}", world.path("browser").display()))
                .arg(format!("file://{}", world.path("axe.html").display()))
                .stderr(Stdio::null())
                .output()
                .expect("chromium");
            let shown = String::from_utf8_lossy(&shown.stdout)
                .replace("&quot;", "\"")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&");
            let result = shown.split_once("AXE ").and_then(|(_, rest)| rest.split_once("</pre>"));
            let result: Value = serde_json::from_str(result.expect(path).0).expect("JSON");
            assert!(result[0].as_u64() > Some(8), "{path}: axe looked at it");
            let serious: Vec<&Value> = result[1]
                .as_array()
                .expect("a list")
                .iter()
                .filter(|one| one[0] == "serious" || one[0] == "critical")
                .collect();
            assert!(serious.is_empty(), "{path} {language} {width}: {serious:#?}");
        }
    }
}
