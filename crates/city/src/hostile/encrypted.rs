//! Misdeeds in the place of TLS and over it, HTTP/2 among them.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{HANG, Misdeed};
use crate::tls::{ForHosts, certificates};

type Io = io::Result<()>;
/// Answers on an accepted connection.
type Act = fn(TcpStream, &Servers) -> Io;

/// Name, outcome, act.
pub(super) const TABLE: &[(&str, &str, Act)] = &[
    ("tls-good", "ok", |tcp, servers| http1(open(tcp, &servers.http1)?)),
    ("tls-expired", "ok", |tcp, servers| http1(open(tcp, &servers.http1)?)),
    ("tls-wrong-name", "ok", |tcp, servers| http1(open(tcp, &servers.http1)?)),
    ("tls-self-signed", "ok", |tcp, servers| http1(open(tcp, &servers.http1)?)),
    ("tls-plain", "tls", |mut tcp, _| {
        tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\nthis port speaks no TLS")
    }),
    ("tls-garbage", "tls", |mut tcp, _| tcp.write_all(&[0x16, 3, 3, 0xFF, 0xFF, 1, 2, 3, 4, 5])),
    ("tls-alert", "tls", |mut tcp, _| tcp.write_all(&[0x15, 3, 3, 0, 2, 2, 40])),
    ("tls-closed", "broken", |_, _| Ok(())),
    ("tls-hang", "timeout", |_tcp, _| {
        std::thread::sleep(HANG);
        Ok(())
    }),
    ("h2-reset", "broken", |tcp, servers| {
        h2(open(tcp, &servers.http2)?, |out, stream| frame(out, 3, 0, stream, &[0, 0, 0, 2]))
    }),
    ("h2-goaway", "broken", |tcp, servers| {
        h2(open(tcp, &servers.http2)?, |out, _| frame(out, 7, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 11]))
    }),
    ("h2-garbage", "broken", |tcp, servers| {
        h2(open(tcp, &servers.http2)?, |out, _| out.write_all(&[0xFF; 512]))
    }),
    ("h2-huge-frame", "broken", |tcp, servers| {
        h2(open(tcp, &servers.http2)?, |out, stream| frame(out, 0, 0, stream, &vec![b'a'; 1 << 20]))
    }),
    ("h2-header-bomb", "broken", |tcp, servers| {
        h2(open(tcp, &servers.http2)?, |out, stream| {
            // One long field in the dynamic table, named by one byte ten thousand times over.
            let mut block = vec![0x88, 0x40, 1, b'x', 0x7F, 0x81, 0x1E];
            block.extend(std::iter::repeat_n(b'y', 4_000));
            block.extend(std::iter::repeat_n(0xBE, 10_000));
            frame(out, 1, 4, stream, &block)
        })
    }),
    ("h2-continuation-flood", "broken", |tcp, servers| {
        h2(open(tcp, &servers.http2)?, |out, stream| {
            frame(out, 1, 0, stream, &[0x88])?;
            (0..20_000).try_for_each(|_| frame(out, 9, 0, stream, &[]))
        })
    }),
    ("h2-cut", "ok, cut", |tcp, servers| {
        h2(open(tcp, &servers.http2)?, |out, stream| {
            frame(out, 1, 4, stream, &head())?;
            frame(out, 0, 0, stream, b"<html><body><p>so far")?;
            frame(out, 3, 0, stream, &[0, 0, 0, 2])
        })
    }),
    ("h2-good", "ok", |tcp, servers| {
        h2(open(tcp, &servers.http2)?, |out, stream| {
            frame(out, 1, 4, stream, &head())?;
            frame(out, 0, 1, stream, b"<html><title>h2</title><body><p>HTTP/2</p></body></html>")
        })
    }),
];

/// TLS with each protocol.
pub(super) struct Servers {
    http1: Arc<ServerConfig>,
    http2: Arc<ServerConfig>,
}

impl Servers {
    pub(super) fn new() -> io::Result<(Self, String)> {
        let host = |name: &str| format!("{name}.hostile-sim.cn");
        let good: Vec<String> = TABLE
            .iter()
            .filter(|(name, ..)| *name != "tls-wrong-name")
            .map(|(name, ..)| host(name))
            .collect();
        let hosts = ForHosts { good, expired: host("tls-expired"), selfsigned: host("tls-self-signed") };
        let (config, authority) = certificates(hosts).map_err(io::Error::other)?;
        let with = |protocol: &[u8]| {
            let mut config = config.clone();
            config.alpn_protocols = vec![protocol.to_vec()];
            Arc::new(config)
        };
        Ok((Self { http1: with(b"http/1.1"), http2: with(b"h2") }, authority))
    }
}

pub(super) fn converse(tcp: TcpStream, servers: &Servers) -> Io {
    // The name is asked for in the first message, before anything is answered.
    let mut hello = vec![0; 2_048];
    let read = tcp.peek(&mut hello)?;
    let hello = String::from_utf8_lossy(&hello[..read]).into_owned();
    let act = Misdeed::all().filter(Misdeed::is_encrypted).find(|one| hello.contains(&one.host()));
    match act.map(|one| one.act) {
        Some(super::Act::Tls(act)) => act(tcp, servers),
        _ => Ok(()),
    }
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

fn open(tcp: TcpStream, config: &Arc<ServerConfig>) -> io::Result<Tls> {
    let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    Ok(StreamOwned::new(connection, tcp))
}

fn http1(mut tls: Tls) -> Io {
    loop {
        let request = super::read_request(&mut io::BufReader::with_capacity(1, &mut tls))?;
        let Some((_, path)) = request else { return Ok(()) };
        match path.as_str() {
            "/" => super::answers::send(
                &mut tls,
                "200 OK",
                "text/html",
                b"<html><title>TLS</title><p>x</p></html>",
            )?,
            _ => super::answers::missing(&mut tls)?,
        }
        tls.flush()?;
    }
}

/// Speaks as much HTTP/2 as it takes to misbehave: settings, then the act for each request.
fn h2(mut tls: Tls, act: impl Fn(&mut Tls, u32) -> Io) -> Io {
    let mut preface = [0; 24];
    tls.read_exact(&mut preface)?;
    frame(&mut tls, 4, 0, 0, &[])?;
    tls.flush()?;
    loop {
        let mut head = [0; 9];
        tls.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        tls.read_exact(&mut payload)?;
        match head[3] {
            1 => act(&mut tls, u32::from_be_bytes([head[5] & 0x7F, head[6], head[7], head[8]]))?,
            4 if head[4] & 1 == 0 => frame(&mut tls, 4, 1, 0, &[])?,
            _ => {}
        }
        tls.flush()?;
    }
}

/// `:status: 200`, `content-type: text/html` (HPACK, RFC 7541).
fn head() -> Vec<u8> {
    let mut block = vec![0x88, 0x0F, 0x10, 9];
    block.extend_from_slice(b"text/html");
    block
}

fn frame(out: &mut dyn Write, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Io {
    let length = (payload.len() as u32).to_be_bytes();
    out.write_all(&[length[1], length[2], length[3], kind, flags])?;
    out.write_all(&stream.to_be_bytes())?;
    out.write_all(payload)
}
