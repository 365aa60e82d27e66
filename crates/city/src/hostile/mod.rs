//! Servers that break every rule, told apart by host name, for tests of what a crawler bears.
//!
//! Plain sockets and threads: HTTP libraries would not let us misbehave. Each misdeed stands in
//! one table with the outcome that is recorded of its home page.

mod answers;
mod encrypted;
mod traps;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// What a host does to whoever asks it, and what is recorded of it.
#[derive(Clone, Copy)]
pub struct Misdeed {
    /// First label of the host's name.
    pub name: &'static str,
    /// State of the home page, as `xunjian why` says it; `ok, cut` for a body cut at a limit.
    pub outcome: &'static str,
    act: Act,
}

impl std::fmt::Debug for Misdeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// How it is done.
#[derive(Clone, Copy)]
enum Act {
    /// An answer to each request.
    Http(Answer),
    /// Something in the place of a TLS connection, or over one.
    Tls(fn(TcpStream, &encrypted::Servers) -> std::io::Result<()>),
}

/// Answers a request for a path.
type Answer = fn(&mut dyn Write, &str) -> std::io::Result<()>;

impl Misdeed {
    /// Every misdeed.
    pub fn all() -> impl Iterator<Item = Self> {
        let http = answers::TABLE.iter().chain(traps::TABLE);
        let http = http.map(|&(name, outcome, answer)| Self { name, outcome, act: Act::Http(answer) });
        let tls =
            encrypted::TABLE.iter().map(|&(name, outcome, act)| Self { name, outcome, act: Act::Tls(act) });
        http.chain(tls)
    }

    /// The host that does it.
    pub fn host(&self) -> String {
        format!("{}.hostile-sim.cn", self.name)
    }

    /// Its home page.
    pub fn url(&self) -> String {
        let scheme = if self.is_encrypted() { "https" } else { "http" };
        format!("{scheme}://{}/", self.host())
    }

    /// Whether it is done on the port for TLS.
    pub fn is_encrypted(&self) -> bool {
        matches!(self.act, Act::Tls(_))
    }
}

/// Where the misdeeds are served, as long as the process lives.
#[derive(Clone, Debug)]
pub struct Hostile {
    /// Port of 127.0.0.1 for http.
    pub port: u16,
    /// Port of 127.0.0.1 for https.
    pub tls_port: u16,
    /// The authority that signed the good certificates, PEM.
    pub authority: String,
}

/// Most bytes an endless answer sends before it gives up on a client that never does.
const ENDLESS_BYTES: usize = 256 << 20;
/// How long a hanging connection is held.
const HANG: Duration = Duration::from_secs(60);

/// Serves all misdeeds on free ports of 127.0.0.1.
pub fn serve_hostile() -> std::io::Result<Hostile> {
    let (servers, authority) = encrypted::Servers::new()?;
    let servers = Arc::new(servers);
    let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let tls = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let hostile = Hostile { port: plain.local_addr()?.port(), tls_port: tls.local_addr()?.port(), authority };
    std::thread::spawn(move || {
        for stream in plain.incoming().flatten() {
            // A client that goes away ends its thread by a failed write, which is no news.
            std::thread::spawn(move || converse(stream).ok());
        }
    });
    std::thread::spawn(move || {
        for stream in tls.incoming().flatten() {
            let servers = Arc::clone(&servers);
            std::thread::spawn(move || encrypted::converse(stream, &servers).ok());
        }
    });
    Ok(hostile)
}

fn converse(stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut out = stream;
    while let Some((host, path)) = read_request(&mut reader)? {
        let answer = Misdeed::all().find(|one| one.host() == host).map(|one| one.act);
        match answer {
            Some(Act::Http(answer)) => answer(&mut out, &path)?,
            _ => answers::send(&mut out, "404 Not Found", "text/html", b"nobody")?,
        }
    }
    Ok(())
}

/// Host and path of the next request.
fn read_request(reader: &mut impl BufRead) -> std::io::Result<Option<(String, String)>> {
    let (mut path, mut host) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        if reader.by_ref().take(64 << 10).read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(Some((host, path)));
        }
        if path.is_empty() {
            path = line.split(' ').nth(1).unwrap_or("/").to_owned();
        } else if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("host")
        {
            host = value.trim().split(':').next().unwrap_or_default().to_owned();
        }
    }
}
