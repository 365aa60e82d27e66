//! Servers that break every rule, told apart by host name, for tests of what a crawler bears.
//!
//! Plain sockets and threads: HTTP libraries would not let us misbehave.

use std::io::{BufRead as _, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

/// What a host does to whoever asks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Misdeed {
    /// None: a small site of three pages.
    Good,
    /// Accepts and never answers.
    Hang,
    /// A head that never ends.
    EndlessHead,
    /// A megabyte of gzip that unpacks to a gigabyte.
    GzipBomb,
    /// A body that never ends.
    EndlessBody,
    /// Two addresses that redirect to each other.
    RedirectLoop,
    /// Bytes that are no text in the charset the head names.
    BrokenText,
    /// 10,000 elements inside each other.
    NestedTags,
    /// 50 MB without a line break.
    LongLine,
    /// Closes the connection in the middle of the body.
    CutBody,
    /// Says it is busy, always.
    AlwaysBusy,
}

impl Misdeed {
    /// Every misdeed.
    pub const ALL: [Misdeed; 11] = [
        Self::Good,
        Self::Hang,
        Self::EndlessHead,
        Self::GzipBomb,
        Self::EndlessBody,
        Self::RedirectLoop,
        Self::BrokenText,
        Self::NestedTags,
        Self::LongLine,
        Self::CutBody,
        Self::AlwaysBusy,
    ];

    /// The host that does it.
    pub fn host(self) -> &'static str {
        match self {
            Self::Good => "good.hostile-sim.cn",
            Self::Hang => "hang.hostile-sim.cn",
            Self::EndlessHead => "endless-head.hostile-sim.cn",
            Self::GzipBomb => "gzip-bomb.hostile-sim.cn",
            Self::EndlessBody => "endless-body.hostile-sim.cn",
            Self::RedirectLoop => "redirect-loop.hostile-sim.cn",
            Self::BrokenText => "broken-text.hostile-sim.cn",
            Self::NestedTags => "nested-tags.hostile-sim.cn",
            Self::LongLine => "long-line.hostile-sim.cn",
            Self::CutBody => "cut-body.hostile-sim.cn",
            Self::AlwaysBusy => "always-busy.hostile-sim.cn",
        }
    }
}

/// Most bytes an endless answer sends before it gives up on a client that never does.
const ENDLESS_BYTES: usize = 256 << 20;
/// How long a hanging connection is held.
const HANG: Duration = Duration::from_secs(60);

/// Serves all misdeeds on a free port of 127.0.0.1 as long as the process lives.
pub fn serve_hostile() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away ends its thread by a failed write, which is no news.
            std::thread::spawn(move || serve(stream).ok());
        }
    });
    Ok(port)
}

fn serve(stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut out = stream;
    loop {
        let (mut path, mut host) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if path.is_empty() {
                path = line.split(' ').nth(1).unwrap_or("/").to_owned();
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("host")
            {
                host = value.trim().split(':').next().unwrap_or_default().to_owned();
            }
        }
        let misdeed = Misdeed::ALL.into_iter().find(|one| one.host() == host).unwrap_or(Misdeed::Good);
        answer(&mut out, misdeed, &path)?;
    }
}

fn answer(out: &mut TcpStream, misdeed: Misdeed, path: &str) -> std::io::Result<()> {
    if path == "/robots.txt" && !matches!(misdeed, Misdeed::Hang | Misdeed::AlwaysBusy) {
        return send(out, "404 Not Found", "text/plain", b"");
    }
    match misdeed {
        Misdeed::Good => good(out, path),
        Misdeed::Hang => {
            std::thread::sleep(HANG);
            Ok(())
        }
        Misdeed::EndlessHead => {
            out.write_all(b"HTTP/1.1 200 OK\r\n")?;
            let line = format!("x-filler: {}\r\n", "x".repeat(1_000));
            (0..ENDLESS_BYTES / line.len()).try_for_each(|_| out.write_all(line.as_bytes()))
        }
        Misdeed::GzipBomb => {
            let packed = bomb()?;
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
                packed.len()
            );
            out.write_all(head.as_bytes())?;
            out.write_all(&packed)
        }
        Misdeed::EndlessBody => {
            out.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n")?;
            let text = "<p>没有尽头</p>".repeat(500);
            let chunk = format!("{:x}\r\n{text}\r\n", text.len());
            (0..ENDLESS_BYTES / chunk.len()).try_for_each(|_| out.write_all(chunk.as_bytes()))
        }
        Misdeed::RedirectLoop => {
            let target = if path == "/" { "/b" } else { "/" };
            out.write_all(
                format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n").as_bytes(),
            )
        }
        Misdeed::BrokenText => {
            let mut body = "<html><body><h1>标题</h1><p>".as_bytes().to_vec();
            body.extend((0..2_000_u32).map(|at| (at * 97 % 256) as u8 | 0x80));
            send(out, "200 OK", "text/html; charset=utf-8", &body)
        }
        Misdeed::NestedTags => {
            let body =
                format!("<html><body>{}<p>最深处</p>{}", "<div>".repeat(10_000), "</div>".repeat(10_000));
            send(out, "200 OK", "text/html; charset=utf-8", body.as_bytes())
        }
        Misdeed::LongLine => {
            const LINE_BYTES: usize = 50 << 20;
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {LINE_BYTES}\r\n\r\n"
            );
            out.write_all(head.as_bytes())?;
            let piece = [b'a'; 1 << 20];
            (0..LINE_BYTES / piece.len()).try_for_each(|_| out.write_all(&piece))
        }
        Misdeed::CutBody => {
            out.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: 100000\r\n\r\n<html><body><p>only the beginning")?;
            Err(std::io::ErrorKind::ConnectionAborted.into())
        }
        Misdeed::AlwaysBusy => send(out, "503 Service Unavailable", "text/html", b"busy"),
    }
}

fn good(out: &mut TcpStream, path: &str) -> std::io::Result<()> {
    let body = match path {
        "/" => {
            "<html><head><title>好网站</title></head><body><a href=/a.html>第一页</a> <a href=/b.html>第二页</a></body></html>"
        }
        "/a.html" | "/b.html" => {
            "<html><head><title>一页</title></head><body><h1>一页</h1><p>内容在这里，写得很清楚。</p></body></html>"
        }
        _ => return send(out, "404 Not Found", "text/html", b"gone"),
    };
    send(out, "200 OK", "text/html; charset=utf-8", body.as_bytes())
}

fn send(out: &mut TcpStream, status: &str, media_type: &str, body: &[u8]) -> std::io::Result<()> {
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\n\r\n", body.len());
    out.write_all(head.as_bytes())?;
    out.write_all(body)
}

/// A gigabyte of one letter in a megabyte of gzip members; only the first is made.
fn bomb() -> std::io::Result<Vec<u8>> {
    const MEGABYTES: usize = 1_024;
    let piece = [b'a'; 1 << 20];
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    member.write_all(&piece)?;
    // Members of a gzip file follow each other (RFC 1952 section 2.2).
    Ok(member.finish()?.repeat(MEGABYTES))
}
