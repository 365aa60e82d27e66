//! A small server whose answers a test decides, and which writes down what it was asked.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) at: Instant,
    /// Address it came to.
    pub(crate) address: IpAddr,
    /// Requests of the host before this one.
    pub(crate) before: usize,
}

/// What is answered.
pub(crate) enum Reply {
    /// 200 with this HTML.
    Page(String),
    /// Status with reason, header lines, body.
    Other(&'static str, String, String),
    /// 200 with these header lines and bytes.
    File(&'static str, Vec<u8>),
    /// Nothing: the connection is cut.
    Cut,
}

impl Reply {
    pub(crate) fn page(title: &str, body: &str) -> Self {
        Self::Page(format!("<html><head><title>{title}</title></head><body>{body}</body></html>"))
    }

    pub(crate) fn missing() -> Self {
        Self::Other("404 Not Found", String::new(), "gone".to_owned())
    }

    pub(crate) fn redirect(target: &str) -> Self {
        Self::Other("302 Found", format!("location: {target}\r\n"), String::new())
    }
}

/// A running server; it lives as long as the process.
pub(crate) struct Server {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// A configuration with a department at each of the sites' names, all served here as fast as they answer; `others`
    /// are names that are served, too.
    pub(crate) fn config(&self, sites: &[&str], others: &[&str]) -> String {
        let mut text = "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n\
                        [crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n\
                        [search]\nenabled = false\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n"
            .to_owned();
        for name in sites.iter().chain(others) {
            text.push_str(&format!(
                "\"{name}.test\" = \"127.0.0.1:{}\"\n\"www.{name}.test\" = []\n",
                self.port
            ));
        }
        for site in sites {
            text.push_str(&format!(
                "[[site]]\nid = \"{site}\"\nname = \"市水利局\"\nurl = \"http://{site}.test/\"\nkind = \"department\"\n"
            ));
        }
        text
    }

    /// Requests so far, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("lock").clone()
    }
}

/// Serves on all addresses of the loopback network.
pub(crate) fn serve(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = listener.local_addr().expect("address").port();
    let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let (noted, answer) = (Arc::clone(&asked), Arc::new(answer));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
            std::thread::spawn(move || converse(stream, &noted, &*answer).ok());
        }
    });
    Server { port, asked }
}

fn converse(
    stream: TcpStream,
    noted: &Mutex<Vec<Asked>>,
    answer: &dyn Fn(&Asked) -> Reply,
) -> std::io::Result<()> {
    let address = stream.local_addr()?.ip();
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut out = stream;
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line != "\r\n" {
            head.push(line.trim_end().to_owned());
            continue;
        }
        let header = |name: &str| {
            head.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix(name).map(str::to_owned))
        };
        let length = header("content-length: ").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let at = Instant::now();
        let path = head[0].split(' ').nth(1).unwrap_or("/").to_owned();
        let host = head.iter().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default().to_owned();
        let asked = {
            let mut noted = noted.lock().expect("lock");
            let before = noted.iter().filter(|other| other.host == host).count();
            let asked = Asked { host, path, head: std::mem::take(&mut head), body, at, address, before };
            noted.push(asked.clone());
            asked
        };
        let (status, headers, body) = match answer(&asked) {
            Reply::Page(body) => ("200 OK", String::new(), body.into_bytes()),
            Reply::Other(status, headers, body) => (status, headers, body.into_bytes()),
            Reply::File(headers, body) => ("200 OK", headers.to_owned(), body),
            Reply::Cut => return Ok(()),
        };
        let headers = match headers.contains("content-type:") {
            true => headers,
            false => format!("content-type: text/html; charset=utf-8\r\n{headers}"),
        };
        let is_head = asked.head[0].starts_with("HEAD");
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
        let mut response = head.into_bytes();
        response.extend(body.into_iter().filter(|_| !is_head));
        out.write_all(&response)?;
    }
}

/// Windows of a second in which more than `rate` requests came.
pub(crate) fn broken(times: &[Instant], rate: usize) -> Vec<Duration> {
    times
        .windows(rate + 1)
        .map(|window| window[rate].duration_since(window[0]))
        .filter(|apart| *apart < Duration::from_secs(1))
        .collect()
}

/// A name server on UDP: fails until `healthy`, then every name is 127.0.0.1 and has no IPv6.
pub(crate) fn serve_names(healthy: impl Fn() -> bool + Send + 'static) -> u16 {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("address").port();
    std::thread::spawn(move || {
        let mut packet = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut packet) {
            let question_end = 12 + packet[12..length].iter().position(|byte| *byte == 0).unwrap_or(0) + 5;
            let is_a = packet[question_end - 4..question_end - 2] == [0, 1];
            let mut reply = packet[..question_end].to_vec();
            let works = healthy();
            // A response with recursion; no error, or "server failure" (RFC 1035 section 4.1.1).
            reply[2..12].copy_from_slice(&[0x81, if works { 0x80 } else { 0x82 }, 0, 1, 0, 0, 0, 0, 0, 0]);
            if works && is_a {
                reply[7] = 1;
                reply.extend_from_slice(&[0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 127, 0, 0, 1]);
            }
            let _ = socket.send_to(&reply, from);
        }
    });
    port
}

/// Sleeps until the time since `begun`.
pub(crate) fn sleep_until(begun: Instant, after: Duration) {
    std::thread::sleep(after.saturating_sub(begun.elapsed()));
}
