//! The rate a host sees, measured at the server.

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use support::World;

const HOSTS: usize = 6;
const PAGES: usize = 12;
const RATE: usize = 8;
/// A request may be a little late, and the next one in time: that much less may lie between two.
const SLACK: Duration = Duration::from_millis(60);

type Seen = Arc<Mutex<BTreeMap<String, Vec<Instant>>>>;

/// Serves small sites and writes down when each host was asked.
fn serve() -> (u16, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let port = listener.local_addr().expect("address").port();
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let noted = Arc::clone(&noted);
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().expect("clone"));
                let mut out = stream;
                let mut lines = Vec::new();
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap_or(0) == 0 {
                        return;
                    }
                    if line != "\r\n" {
                        lines.push(line.trim_end().to_owned());
                        continue;
                    }
                    let path = lines[0].split(' ').nth(1).unwrap_or("/").to_owned();
                    let host = lines.iter().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
                    noted.lock().expect("lock").entry(host.to_owned()).or_default().push(Instant::now());
                    lines.clear();
                    let links: String = (0..PAGES)
                        .map(|at| format!("<a href=/p{at}.html>第{at}页</a><img src=/no{at}.png>"))
                        .collect();
                    let (status, body) = match path.as_str() {
                        "/" => ("200 OK", format!("<html><body>{links}</body></html>")),
                        path if path.starts_with("/p") => {
                            ("200 OK", "<html><body><h1>页</h1><p>内容</p></body></html>".to_owned())
                        }
                        _ => ("404 Not Found", String::new()),
                    };
                    let head = format!(
                        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\r\n",
                        body.len()
                    );
                    if out.write_all(head.as_bytes()).and_then(|()| out.write_all(body.as_bytes())).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, seen)
}

#[test]
fn no_host_is_asked_faster_than_its_rate() {
    let (port, seen) = serve();
    let mut config =
        "data = \"xunjian-data\"\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n"
            .to_owned();
    for host in 0..HOSTS {
        config.push_str(&format!("\"h{host}.test\" = \"127.0.0.1:{port}\"\n"));
    }
    config.push_str(&format!("[politeness]\nrequests_per_second = {RATE}\nconnections = 4\naddress_requests_per_second = 0\naddress_connections = 64\n"));
    for host in 0..HOSTS {
        config.push_str(&format!("[[site]]\nid = \"h{host}\"\nname = \"h{host}\"\nurl = \"http://h{host}.test/\"\nkind = \"department\"\n"));
    }
    let world = World::with_config(&config);
    let begun = Instant::now();
    let ended = world.run(&["crawl", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let seen = seen.lock().expect("lock");
    assert_eq!(seen.len(), HOSTS);
    for (host, times) in seen.iter() {
        assert!(times.len() > PAGES * 2, "{host}: {}", times.len());
        // Any window of a second: the request after RATE others comes a second after the first.
        let apart: Vec<Duration> =
            times.windows(RATE + 1).map(|window| window[RATE].duration_since(window[0])).collect();
        let close: Vec<&Duration> =
            apart.iter().filter(|apart| **apart + SLACK < Duration::from_secs(1)).collect();
        // The machine may hold up one request; the limit would be broken by many.
        assert!(close.len() <= 1, "{host}: {RATE} requests in {close:?}");
    }
    // The hosts were asked side by side, each at nearly its rate.
    let requests = seen.values().map(Vec::len).max().unwrap_or(0);
    let ideal = Duration::from_secs_f64(requests as f64 / RATE as f64);
    assert!(
        begun.elapsed() < ideal * 2 + Duration::from_secs(3),
        "{:?} for {requests} requests",
        begun.elapsed()
    );
}
