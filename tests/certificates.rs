//! Certificates that are at fault, chains that are not whole, and suites that only old servers speak: what opens in
//! a browser opens for us, and what is wrong is told without hiding the site.

#[path = "support/programs.rs"]
mod programs;
#[path = "support/server.rs"]
mod server;
mod support;

use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use programs::Running;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, IsCa, KeyPair,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256,
};
use server::{Reply, Server, serve};
use support::{World, free_port};

/// Authorities: the one that is trusted, and one below it, which servers leave out.
struct Authorities {
    root: String,
    between: CertifiedIssuer<'static, KeyPair>,
}

impl Authorities {
    fn new() -> Self {
        let authority = |name: &str| {
            let mut params = CertificateParams::new(Vec::new()).expect("parameters");
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.distinguished_name.push(DnType::CommonName, name);
            params
        };
        let root = CertifiedIssuer::self_signed(authority("root"), KeyPair::generate().expect("a key"));
        let root = root.expect("a root");
        let between =
            CertifiedIssuer::signed_by(authority("between"), KeyPair::generate().expect("a key"), &root);
        Self { root: root.pem(), between: between.expect("an authority") }
    }

    /// A server of one certificate, without what stands between it and the root.
    fn serve(
        &self,
        world: &World,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
        more: &[&str],
    ) -> (Running, u16) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        change(&mut params);
        let kind = if more.iter().any(|word| word.contains("-RSA-")) {
            &PKCS_RSA_SHA256
        } else {
            &PKCS_ECDSA_P256_SHA256
        };
        let key =
            if kind == &PKCS_RSA_SHA256 { rsa_key() } else { KeyPair::generate_for(kind).expect("a key") };
        let certificate = params.signed_by(&key, &self.between).expect("a certificate");
        world.write(&format!("{name}.pem"), certificate.pem().as_bytes());
        world.write(&format!("{name}.key"), key.serialize_pem().as_bytes());
        let port = free_port();
        let mut command = Command::new("openssl");
        command
            .args(["s_server", "-quiet", "-HTTP", "-accept", &format!("127.0.0.1:{port}")])
            .args(["-cert", &format!("../{name}.pem"), "-key", &format!("../{name}.key")])
            .args(more)
            .current_dir(world.path("files"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let running = Running(command.spawn().expect("openssl"));
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        (running, port)
    }

    /// Offers what servers leave out.
    fn offer(&self) -> Server {
        let pem = self.between.pem();
        serve(move |asked| match asked.path.as_str() {
            "/between.crt" => {
                Reply::Other("200 OK", "content-type: application/pkix-cert\r\n".to_owned(), pem.clone())
            }
            _ => Reply::missing(),
        })
    }
}

/// Says where its issuer's certificate is (RFC 5280 section 4.2.2.1).
fn issued_at(params: &mut CertificateParams, url: &str) {
    let place = [&[0x06, 8, 0x2B, 6, 1, 5, 5, 7, 0x30, 2, 0x86, url.len() as u8], url.as_bytes()].concat();
    let content = [&[0x30, place.len() as u8 + 2, 0x30, place.len() as u8], &place[..]].concat();
    params.custom_extensions.push(CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content));
}

fn rsa_key() -> KeyPair {
    let made = Command::new("openssl").args(["genpkey", "-algorithm", "RSA"]).output().expect("openssl");
    KeyPair::from_pem(&String::from_utf8_lossy(&made.stdout)).expect("a key")
}

fn config(sites: &[(&str, u16)], more: &str) -> String {
    let mut text = format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\nblock_s = 0.3\npatience_s = 2\n[crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n[search]\nenabled = false\n[scan]\ndictionaries = [\"words.txt\"]\n[network]\nfirst_byte_timeout_s = 2\nconnect_timeout_s = 2\nallow_private = [\"127.0.0.0/8\"]\nca_file = \"root.pem\"\n[network.resolve]\n{more}"
    );
    for (host, port) in sites {
        text.push_str(&format!("\"{host}\" = \"127.0.0.1:{port}\"\n\"www.{host}\" = []\n"));
    }
    for (host, _) in sites {
        let id = host.split('.').next().expect("a name");
        text.push_str(&format!(
            "[[site]]\nid = \"{id}\"\nname = \"{id}\"\nurl = \"https://{host}/index.html\"\nkind = \"department\"\n"
        ));
    }
    text
}

/// A world of files that openssl serves as they are, heads included.
fn world(links: &str) -> World {
    let world = World::with_config("");
    std::fs::create_dir(world.path("files")).expect("a folder");
    world.write("files/p.html", page().as_bytes());
    world.write(
        "files/index.html",
        answer(&format!("<h1>首页</h1><a href=/p.html>公告</a>{links}")).as_bytes(),
    );
    world.write("words.txt", "违禁词语\n".as_bytes());
    world
}

fn answer(body: &str) -> String {
    format!(
        "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html><head><title>公告</title></head><body>{body}</body></html>"
    )
}

/// Longer than many records of TLS.
fn page() -> String {
    answer(&format!("<h1>公告</h1><p>{}</p><p>这里有违禁词语。</p>", "长长的公告内容。".repeat(9_000)))
}

/// Faults of certificates: site, state, and whether a person has to look.
fn faults(world: &World) -> Vec<(String, String, bool)> {
    let all = world.run(&["findings", "list", "--json"]).json();
    let all = all.as_array().expect("findings").iter().filter(|one| one["kind"] == "tls-error");
    let told = |value: &serde_json::Value| value.as_str().unwrap_or("").to_owned();
    all.map(|one| (told(&one["site"]), told(&one["detail"]["state"]), one["detail"]["review"].is_string()))
        .collect()
}

#[test]
fn a_site_whose_certificate_is_at_fault_is_read_all_the_same() {
    let authorities = Authorities::new();
    let offered = authorities.offer();
    let place = format!("http://ca.test:{}/between.crt", offered.port);
    let links: String = ["whole", "old", "other"]
        .iter()
        .map(|name| format!("<a href=https://{name}.out.test/p.html>{name}</a>"))
        .collect();
    let world = world(&links);
    world.write("root.pem", authorities.root.as_bytes());
    let whole = |params: &mut CertificateParams| issued_at(params, &place);
    let old = |params: &mut CertificateParams| {
        issued_at(params, &place);
        (params.not_before, params.not_after) =
            (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2021, 1, 1));
    };
    let other = |params: &mut CertificateParams| {
        issued_at(params, &place);
        params.subject_alt_names =
            CertificateParams::new(vec!["b.test".to_owned()]).expect("a name").subject_alt_names;
    };
    let alone = |_: &mut CertificateParams| {};
    let now = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now());
    let soon = now.date() + jiff::Span::new().days(5);
    let ending = |params: &mut CertificateParams| {
        issued_at(params, &place);
        let (month, day) = (soon.month().unsigned_abs(), soon.day().unsigned_abs());
        params.not_after = rcgen::date_time_ymd(soon.year().into(), month, day);
    };
    let servers: Vec<(&str, (Running, u16))> = vec![
        ("whole.test", authorities.serve(&world, "whole.test", whole, &[])),
        ("old.test", authorities.serve(&world, "old.test", old, &[])),
        ("other.test", authorities.serve(&world, "other.test", other, &[])),
        ("alone.test", authorities.serve(&world, "alone.test", alone, &[])),
        ("keyed.test", authorities.serve(&world, "keyed.test", old, &[])),
        ("ending.test", authorities.serve(&world, "ending.test", ending, &[])),
        ("whole.out.test", authorities.serve(&world, "whole.out.test", whole, &[])),
        ("old.out.test", authorities.serve(&world, "old.out.test", old, &[])),
        ("other.out.test", authorities.serve(&world, "other.out.test", other, &[])),
    ];
    let outside: String = servers
        .iter()
        .filter(|(name, _)| name.contains("out"))
        .map(|(name, (_, port))| format!("\"{name}\" = \"127.0.0.1:{port}\"\n"))
        .collect();
    let sites: Vec<(&str, u16)> = servers
        .iter()
        .filter(|(name, _)| !name.contains("out"))
        .map(|(name, (_, port))| (*name, *port))
        .collect();
    let more = format!("\"ca.test\" = \"127.0.0.1:{}\"\n{outside}", offered.port);
    let headers = "\n[network.headers]\n\"keyed.test\" = { X-Inspection = \"s3cret\" }\n";
    let text = config(&sites, &more).replacen("[[site]]", &format!("{headers}[[site]]"), 1);
    world.write("xunjian.toml", text.as_bytes());
    let ended = world.run(&["run", "--json"]);
    // A key of ours goes to nobody else.
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let why =
        |url: &str| world.run(&["why", "--json", url]).json()["state"].as_str().unwrap_or("").to_owned();
    assert_eq!(why("https://keyed.test/index.html"), "tls (expired)");
    let faults = faults(&world);
    let words = world.findings().into_iter().filter(|one| one["kind"] == "sensitive-word").count();
    assert_eq!(words, 5, "pages of the sites at fault were read");
    for (site, state) in [
        ("whole", "tls (the server leaves out who issued its certificate)"),
        ("old", "tls (expired)"),
        ("other", "tls (issued for another name)"),
        ("alone", "tls (issued by nobody who is trusted)"),
    ] {
        assert_eq!(why(&format!("https://{site}.test/index.html")), "ok", "{site}");
        let own = (site.to_owned(), state.to_owned(), true);
        assert!(faults.contains(&own), "{site}: {faults:?}");
        // Links to others are what a visitor meets.
        for (link, there) in
            [("whole", "ok"), ("old", "tls (expired)"), ("other", "tls (issued for another name)")]
        {
            assert_eq!(why(&format!("https://{link}.out.test/p.html")), there);
        }
        let linked = faults.iter().filter(|(of, _, asks)| of == site && !asks).count();
        assert_eq!(linked, 2, "{site}: {faults:?}");
    }
    // One that ends in a few days is told of before it does; the others have ended or last.
    let all = world.findings();
    let ending: Vec<_> = all.iter().filter(|one| one["kind"] == "tls-ending").collect();
    assert_eq!(
        (ending.len(), &ending[0]["site"], &ending[0]["severity"]),
        (1, &"ending".into(), &"major".into())
    );
    assert!(matches!(ending[0]["detail"]["days"].as_str(), Some("3" | "4")), "{}", ending[0]);
    // Where we do not go on somebody else may: nobody is accused of it.
    let keyed = ("keyed".to_owned(), "tls (expired)".to_owned(), true);
    assert!(faults.contains(&keyed), "{faults:?}");
    assert!(!world.findings().iter().any(|one| one["kind"] == "unreachable"));
    let verdicts = world.read_json("xunjian-data/report/verdicts.json");
    let vetoed = |one: &serde_json::Value| one["vetoes"].as_array().is_some_and(|vetoes| !vetoes.is_empty());
    assert!(!verdicts.as_array().expect("verdicts").iter().any(vetoed), "{verdicts}");
    let watched = world.run(&["watch", "--once", "--json"]);
    let (visited, failed) = (&watched.json()["visited"], &watched.json()["failed"]);
    assert_eq!((visited.as_u64(), failed), (Some(6), &serde_json::json!([])), "{}", watched.stderr);
    let fetched = offered.asked().iter().filter(|one| one.path == "/between.crt").count();
    assert!((1..=3).contains(&fetched), "asked for once by each of few steps: {fetched}");
    let chinese = world.run(&["why", "https://whole.test/index.html"]);
    assert!(chinese.stdout.contains("服务器未发送中间证书"), "{}", chinese.stdout);
}

#[test]
fn servers_that_know_old_suites_alone_are_read() {
    let authorities = Authorities::new();
    let offered = authorities.offer();
    let place = format!("http://ca.test:{}/between.crt", offered.port);
    let world = world("");
    world.write("root.pem", authorities.root.as_bytes());
    let suites = [
        "ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA",
    ];
    let servers: Vec<(String, Running, u16)> = suites
        .iter()
        .enumerate()
        .map(|(at, suite)| {
            let name = format!("s{at}.test");
            let (running, port) = authorities.serve(
                &world,
                &name,
                |params| issued_at(params, &place),
                &["-tls1_2", "-cipher", suite],
            );
            (name, running, port)
        })
        .collect();
    let sites: Vec<(&str, u16)> = servers.iter().map(|(name, _, port)| (name.as_str(), *port)).collect();
    let more = format!("\"ca.test\" = \"127.0.0.1:{}\"\n", offered.port);
    world.write("xunjian.toml", config(&sites, &more).as_bytes());
    let ended = world.run(&["run", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for (at, suite) in suites.iter().enumerate() {
        let why = world.run(&["why", "--json", &format!("https://s{at}.test/p.html")]).json();
        assert_eq!(why["state"], "ok", "{suite}");
        assert_eq!(
            why["snapshots"][0]["body_bytes"],
            page().split_once("\r\n\r\n").expect("a body").1.len(),
            "{suite}"
        );
    }
    let words = world.findings().into_iter().filter(|one| one["kind"] == "sensitive-word").count();
    assert_eq!(words, suites.len());
}
