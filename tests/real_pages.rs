//! Real pages that none of us wrote: Debian's Chinese documentation behind nginx on loopback.
//!
//! `tests/run.sh` installs what this needs and runs it.

mod support;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::World;

struct Documentation {
    id: &'static str,
    host: &'static str,
    root: &'static str,
    home: &'static str,
    /// Fewest pages that can be reached from the home page.
    pages_min: u64,
}

const SITES: [Documentation; 3] = [
    Documentation {
        id: "handbook",
        host: "handbook.test",
        root: "/usr/share/doc/debian-handbook/html",
        home: "/zh-CN/index.html",
        pages_min: 120,
    },
    Documentation {
        id: "reference",
        host: "reference.test",
        root: "/usr/share/debian-reference",
        home: "/index.zh-cn.html",
        pages_min: 15,
    },
    Documentation {
        id: "help",
        host: "help.test",
        root: "/usr/share/libreoffice/help",
        home: "/zh-CN/text/",
        pages_min: 2_500,
    },
];

struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        // Terminated, not killed, so that its workers end with it.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn serve(world: &World) -> (Nginx, u16) {
    let port = TcpListener::bind("127.0.0.1:0").expect("port").local_addr().expect("address").port();
    let servers: String = SITES
        .iter()
        .map(|site| {
            format!(
                "server {{ listen 127.0.0.1:{port}; server_name {}; root {}; autoindex on; }}\n",
                site.host, site.root
            )
        })
        .collect();
    let folder = world.path("");
    let config = format!(
        "daemon off; worker_processes 1; pid {0}/nginx.pid; error_log {0}/nginx.log;\n\
         events {{}}\nhttp {{ include /etc/nginx/mime.types; access_log off; client_body_temp_path {0}; proxy_temp_path {0};\n\
         fastcgi_temp_path {0}; uwsgi_temp_path {0}; scgi_temp_path {0};\n{servers}}}\n",
        folder.display()
    );
    world.write("nginx.conf", config.as_bytes());
    let child = Command::new("nginx")
        .arg("-c")
        .arg(world.path("nginx.conf"))
        .stderr(Stdio::null())
        .spawn()
        .expect("nginx: run tests/run.sh");
    let nginx = Nginx(child);
    let begun = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "nginx does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
    (nginx, port)
}

/// The file behind an address of the documentation, as nginx finds it.
fn file_exists(url: &str) -> Option<bool> {
    Some(file_of(url)?.exists())
}

/// Whether the file of a page has the place a link points to, by its text alone.
fn has_place(url: &str) -> Option<bool> {
    let (_, id) = url.split_once('#')?;
    let text = std::fs::read_to_string(file_of(url)?).ok()?;
    let attributes = ["id", "name"].into_iter().flat_map(|name| ['"', '\''].map(|quote| (name, quote)));
    Some(attributes.into_iter().any(|(name, quote)| text.contains(&format!("{name}={quote}{id}{quote}"))))
}

fn file_of(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = rest.split_once('/')?;
    let site = SITES.iter().find(|site| site.host == host)?;
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut bytes = Vec::new();
    let mut raw = path.bytes();
    while let Some(byte) = raw.next() {
        let decoded = match byte {
            b'%' => {
                let hex: String = raw.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&hex, 16).expect("escape")
            }
            other => other,
        };
        bytes.push(decoded);
    }
    Some(Path::new(site.root).join(String::from_utf8(bytes).expect("UTF-8")))
}

#[test]
#[ignore = "needs nginx and Debian's documentation packages; tests/run.sh installs them"]
fn debian_documentation() {
    let world = World::with_config("");
    for site in &SITES {
        assert!(Path::new(site.root).exists(), "{} is missing: run tests/run.sh", site.root);
    }
    let (_nginx, port) = serve(&world);
    let mut config =
        "data = \"xunjian-data\"\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n"
            .to_owned();
    for site in &SITES {
        config.push_str(&format!("\"{}\" = \"127.0.0.1:{port}\"\n", site.host));
    }
    config.push_str("[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\naddress_connections = 64\n[crawl]\noutside = false\n");
    for site in &SITES {
        config.push_str(&format!(
            "[[site]]\nid = \"{}\"\nname = \"{}\"\nurl = \"http://{}{}\"\nkind = \"department\"\n",
            site.id, site.id, site.host, site.home
        ));
    }
    world.write("xunjian.toml", config.as_bytes());
    let ended = world.run(&["run", "--json"]);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    assert_eq!(ended.code, 0, "{}", ended.stderr);

    let findings = world.findings();
    let mut counts = std::collections::BTreeMap::new();
    let mut dead = 0;
    for one in &findings {
        let kind = one["kind"].as_str().expect("kind");
        *counts.entry((one["site"].as_str().expect("site"), kind)).or_insert(0) += 1;
        if matches!(kind, "dead-link" | "dead-image" | "dead-attachment") {
            let target = one["detail"]["what"].as_str().expect("target");
            match one["detail"]["state"].as_str() {
                Some("no-fragment") => assert_eq!(has_place(target), Some(false), "{one}"),
                _ => {
                    assert_eq!(file_exists(target), Some(false), "{one}");
                    dead += 1;
                }
            }
        }
    }
    assert!(dead > 0, "the documentation has dead links");

    let verdicts = world.read_json("xunjian-data/report/verdicts.json");
    assert_eq!(verdicts.as_array().map(Vec::len), Some(SITES.len()));
    let report = world.read_json("xunjian-data/report/summary.json");
    let pages = report["pages"].as_u64().expect("pages");
    let wanted: u64 = SITES.iter().map(|site| site.pages_min).sum();
    assert!(pages >= wanted, "{pages} pages");
    // Chinese text was read as Chinese: excerpts hold no replacement characters.
    assert!(
        !findings
            .iter()
            .any(|one: &Value| one["evidence"]["excerpt"].as_str().unwrap_or_default().contains('\u{FFFD}'))
    );
    // Nobody's mobile or card number stands in these manuals.
    assert!(
        !findings.iter().any(|one| one["kind"].as_str().unwrap_or_default().starts_with("privacy")),
        "{counts:#?}"
    );
}
