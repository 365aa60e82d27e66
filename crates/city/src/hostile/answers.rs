//! Misdeeds over plain HTTP: heads, lengths, chunks, redirects, codings, types, charsets, markup.

use std::io::{self, Write};
use std::thread::sleep;
use std::time::Duration;

use super::{Answer, ENDLESS_BYTES, HANG};

type Io = io::Result<()>;

const HTML: &str = "text/html; charset=utf-8";
const PAGE: &[u8] =
    "<html><head><title>一页</title></head><body><h1>一页</h1><p>内容在这里，写得很清楚。</p></body></html>"
        .as_bytes();

/// Name, outcome, answer.
pub(super) const TABLE: &[(&str, &str, Answer)] = &[
    ("good", "ok", good),
    // Time.
    ("hang", "timeout", |_, _| pause(HANG)),
    ("slow-head", "timeout", |out, path| on(path, out, |out| drip(out, b"HTTP/1.1 200 OK\r\nx-slow: ", 200))),
    ("slow-body", "ok, cut", |out, path| {
        on(path, out, |out| {
            out.write_all(
                format!("HTTP/1.1 200 OK\r\ncontent-type: {HTML}\r\n\r\n<html><body><p>").as_bytes(),
            )?;
            drip(out, b"", 200)
        })
    }),
    ("stalled-body", "ok, cut", |out, path| {
        on(path, out, |out| {
            out.write_all(format!("HTTP/1.1 200 OK\r\ncontent-type: {HTML}\r\ncontent-length: 9000\r\n\r\n<html><body><p>so far").as_bytes())?;
            pause(HANG)
        })
    }),
    // What is no HTTP.
    ("no-answer", "broken", |_, _| closed()),
    ("garbage", "broken", |out, path| on(path, out, |out| raw(out, b"\x00\x01\x02\xFF\xFEgarbage\r\n\r\n"))),
    ("old-http", "broken", |out, path| on(path, out, |out| raw(out, PAGE))),
    ("future-http", "broken", |out, path| on(path, out, |out| raw(out, b"HTTP/3.0 200 OK\r\n\r\nx"))),
    ("status-large", "broken", |out, path| on(path, out, |out| raw(out, b"HTTP/1.1 99999 Much\r\n\r\nx"))),
    ("status-small", "broken", |out, path| on(path, out, |out| raw(out, b"HTTP/1.1 001 Little\r\n\r\nx"))),
    ("no-reason", "ok", |out, path| on(path, out, |out| page_with(out, "200", "", PAGE))),
    ("line-feeds", "ok", |out, path| {
        on(path, out, |out| {
            raw(
                out,
                format!("HTTP/1.1 200 OK\ncontent-type: {HTML}\ncontent-length: {}\n\n", PAGE.len())
                    .as_bytes(),
            )?;
            raw(out, PAGE)
        })
    }),
    ("continue-flood", "timeout", |out, path| {
        on(path, out, |out| endless(out, b"HTTP/1.1 100 Continue\r\n\r\n"))
    }),
    ("switching", "broken", |out, path| {
        on(path, out, |out| {
            raw(out, b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n")?;
            closed()
        })
    }),
    // Heads.
    ("endless-head", "broken", |out, path| {
        on(path, out, |out| {
            raw(out, b"HTTP/1.1 200 OK\r\n")?;
            endless(out, format!("x-filler: {}\r\n", "x".repeat(1_000)).as_bytes())
        })
    }),
    ("many-headers", "broken", |out, path| {
        on(path, out, |out| page_with(out, "200 OK", &"x-a: b\r\n".repeat(3_000), PAGE))
    }),
    ("long-header", "broken", |out, path| {
        on(path, out, |out| page_with(out, "200 OK", &format!("x-a: {}\r\n", "y".repeat(1 << 20)), PAGE))
    }),
    ("header-nul", "broken", |out, path| {
        on(path, out, |out| page_with(out, "200 OK", "x-a: b\0c\r\n", PAGE))
    }),
    ("header-without-colon", "ok", |out, path| {
        on(path, out, |out| page_with(out, "200 OK", "nonsense without a colon\r\n", PAGE))
    }),
    ("header-space", "ok", |out, path| on(path, out, |out| page_with(out, "200 OK", "x-a : b\r\n", PAGE))),
    ("header-folded", "ok", |out, path| {
        on(path, out, |out| page_with(out, "200 OK", "x-a: b\r\n continued\r\n", PAGE))
    }),
    ("header-bytes", "ok", |out, path| {
        on(path, out, |out| page_with(out, "200 OK", "server: 政务服务器\r\n", PAGE))
    }),
    ("cookie-flood", "ok", |out, path| {
        on(path, out, |out| page_with(out, "200 OK", &"set-cookie: a=b\r\n".repeat(90), PAGE))
    }),
    // Lengths.
    ("length-long", "ok, cut", |out, path| {
        on(path, out, |out| {
            raw(
                out,
                format!("HTTP/1.1 200 OK\r\ncontent-type: {HTML}\r\ncontent-length: 100000\r\n\r\n")
                    .as_bytes(),
            )?;
            raw(out, PAGE)?;
            closed()
        })
    }),
    ("length-short", "ok", |out, path| {
        on(path, out, |out| {
            raw(
                out,
                format!("HTTP/1.1 200 OK\r\ncontent-type: {HTML}\r\ncontent-length: 60\r\n\r\n").as_bytes(),
            )?;
            raw(out, PAGE)
        })
    }),
    ("length-negative", "broken", |out, path| on(path, out, |out| lengths(out, "-1"))),
    ("length-word", "broken", |out, path| on(path, out, |out| lengths(out, "many"))),
    ("length-huge", "broken", |out, path| on(path, out, |out| lengths(out, "99999999999999999999999"))),
    ("length-twice", "broken", |out, path| on(path, out, |out| lengths(out, "5\r\ncontent-length: 7"))),
    ("no-content-with-body", "ok", |out, path| {
        on(path, out, |out| page_with(out, "204 No Content", "", PAGE))
    }),
    // Chunks.
    ("chunk-garbage", "broken", |out, path| on(path, out, |out| chunked(out, b"zz\r\nabc\r\n"))),
    ("chunk-cut", "ok, cut", |out, path| on(path, out, |out| chunked(out, b"FF\r\n<html><body>so far"))),
    ("chunk-huge", "broken", |out, path| on(path, out, |out| chunked(out, b"FFFFFFFFFFFFFFFFF\r\nabc"))),
    ("chunk-extension-flood", "broken", |out, path| {
        on(path, out, |out| {
            chunked_head(out)?;
            raw(out, b"5;")?;
            endless(out, b"extension=extension;")
        })
    }),
    ("trailer-flood", "ok, cut", |out, path| {
        on(path, out, |out| {
            chunked_head(out)?;
            raw(out, b"6\r\n<html>\r\n0\r\n")?;
            endless(out, b"x-trailer: xxxxxxxxxxxxxxxxxxxxxxxx\r\n")
        })
    }),
    ("chunked-and-length", "ok", |out, path| {
        on(path, out, |out| {
            raw(out, format!("HTTP/1.1 200 OK\r\ncontent-type: {HTML}\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n{:x}\r\n", PAGE.len()).as_bytes())?;
            raw(out, PAGE)?;
            raw(out, b"\r\n0\r\n\r\n")?;
            closed()
        })
    }),
    // Bodies.
    ("endless-body", "ok, cut", |out, path| {
        on(path, out, |out| {
            chunked_head(out)?;
            let text = "<p>没有尽头</p>".repeat(500);
            endless(out, format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())
        })
    }),
    ("cut-body", "ok, cut", |out, path| {
        on(path, out, |out| {
            raw(out, format!("HTTP/1.1 200 OK\r\ncontent-type: {HTML}\r\ncontent-length: 100000\r\n\r\n<html><body><p>only the beginning").as_bytes())?;
            closed()
        })
    }),
    ("long-line", "ok, cut", |out, path| {
        on(path, out, |out| {
            const LINE_BYTES: usize = 50 << 20;
            raw(
                out,
                format!("HTTP/1.1 200 OK\r\ncontent-type: {HTML}\r\ncontent-length: {LINE_BYTES}\r\n\r\n")
                    .as_bytes(),
            )?;
            let piece = [b'a'; 1 << 20];
            (0..LINE_BYTES / piece.len()).try_for_each(|_| out.write_all(&piece))
        })
    }),
    // Redirects.
    ("redirect-loop", "redirect-loop", |out, path| {
        on(path, out, |out| redirect(out, if path == "/" { "/b" } else { "/" }))
    }),
    ("redirect-to-itself", "redirect-loop", |out, path| on(path, out, |out| redirect(out, "/"))),
    ("redirect-chain", "redirect-loop", |out, path| {
        let hop: u32 = path.trim_start_matches("/hop").parse().unwrap_or(0);
        on(path, out, |out| redirect(out, &format!("/hop{}", hop + 1)))
    }),
    ("redirect-nowhere", "broken", |out, path| on(path, out, |out| page_with(out, "302 Found", "", b""))),
    ("redirect-bad", "broken", |out, path| on(path, out, |out| redirect(out, "http://[bad"))),
    ("redirect-script", "broken", |out, path| on(path, out, |out| redirect(out, "javascript:alert(1)"))),
    ("redirect-file", "broken", |out, path| on(path, out, |out| redirect(out, "file:///etc/passwd"))),
    ("redirect-private", "private", |out, path| {
        on(path, out, |out| redirect(out, "http://169.254.169.254/latest/meta-data/"))
    }),
    ("redirect-private-number", "private", |out, path| {
        on(path, out, |out| redirect(out, "http://0xA9FEA9FE/"))
    }),
    ("redirect-mapped", "private", |out, path| {
        on(path, out, |out| redirect(out, "http://[::ffff:10.0.0.1]/"))
    }),
    ("redirect-long", "broken", |out, path| {
        on(path, out, |out| redirect(out, &format!("/{}", "x".repeat(10_000))))
    }),
    ("redirect-bytes", "ok", |out, path| match path {
        "/" => {
            raw(out, "HTTP/1.1 302 Found\r\nlocation: /政务公开.html\r\ncontent-length: 0\r\n\r\n".as_bytes())
        }
        path => on(path, out, |out| page_with(out, "200 OK", "", PAGE)),
    }),
    ("redirect-credentials", "ok", |out, path| match path {
        "/" => redirect(out, "http://user:password@redirect-credentials.hostile-sim.cn/in.html"),
        path => on(path, out, |out| page_with(out, "200 OK", "", PAGE)),
    }),
    // Codings.
    ("gzip-bomb", "ok, cut", |out, path| on(path, out, |out| coded(out, "gzip", &gzip_bomb()?))),
    ("brotli-bomb", "ok, cut", |out, path| on(path, out, |out| coded(out, "br", &brotli_bomb()?))),
    ("zstd-bomb", "ok, cut", |out, path| {
        on(path, out, |out| coded(out, "zstd", &zstd::bulk::compress(&vec![b'a'; 200 << 20], 3)?))
    }),
    ("gzip-garbage", "broken", |out, path| {
        on(path, out, |out| coded(out, "gzip", b"\x00\x01no gzip at all"))
    }),
    ("gzip-lie", "broken", |out, path| on(path, out, |out| coded(out, "gzip", PAGE))),
    ("gzip-cut", "ok, cut", |out, path| {
        on(path, out, |out| {
            let long = String::from_utf8_lossy(PAGE).repeat(50);
            let packed = gzip(long.as_bytes())?;
            coded(out, "gzip", &packed[..packed.len() / 2])
        })
    }),
    ("coding-stack", "broken", |out, path| {
        on(path, out, |out| coded(out, "gzip, gzip, gzip, gzip, gzip", PAGE))
    }),
    ("coding-unknown", "ok", |out, path| on(path, out, |out| coded(out, "x-secret", PAGE))),
    ("deflate-raw", "ok", |out, path| {
        on(path, out, |out| {
            let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            packer.write_all(PAGE)?;
            coded(out, "deflate", &packer.finish()?)
        })
    }),
    // Types and charsets.
    ("type-picture", "ok", |out, path| on(path, out, |out| send(out, "200 OK", "image/png", PAGE))),
    ("type-html-of-picture", "ok", |out, path| {
        on(path, out, |out| send(out, "200 OK", HTML, b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR"))
    }),
    ("type-none", "ok", |out, path| {
        on(path, out, |out| {
            raw(out, format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", PAGE.len()).as_bytes())?;
            raw(out, PAGE)
        })
    }),
    ("type-nonsense", "ok", |out, path| on(path, out, |out| send(out, "200 OK", ";;;///", PAGE))),
    ("charset-lie", "ok", |out, path| {
        on(path, out, |out| {
            let (bytes, ..) =
                encoding_rs::GBK.encode("<html><title>政务公开</title><p>这里是国标编码的内容。</p></html>");
            send(out, "200 OK", HTML, &bytes)
        })
    }),
    ("charset-unknown", "ok", |out, path| {
        on(path, out, |out| send(out, "200 OK", "text/html; charset=klingon", PAGE))
    }),
    ("charset-utf7", "ok", |out, path| {
        on(path, out, |out| send(out, "200 OK", "text/html; charset=utf-7", b"<html>+ADw-script+AD4-</html>"))
    }),
    ("charset-utf16", "ok", |out, path| {
        on(path, out, |out| {
            let mut bytes = vec![0xFF, 0xFE];
            bytes.extend("<html><title>页</title></html>".encode_utf16().flat_map(u16::to_le_bytes));
            send(out, "200 OK", "text/html", &bytes)
        })
    }),
    ("broken-text", "ok", |out, path| {
        on(path, out, |out| {
            let mut body = "<html><body><h1>标题</h1><p>".as_bytes().to_vec();
            body.extend((0..2_000_u32).map(|at| (at * 97 % 256) as u8 | 0x80));
            send(out, "200 OK", HTML, &body)
        })
    }),
    // Markup.
    ("nul-bytes", "ok", |out, path| {
        on(path, out, |out| send(out, "200 OK", HTML, b"<html>\0<p>\0\0text\0</p>"))
    }),
    ("nested-tags", "ok", |out, path| {
        on(path, out, |out| {
            let body =
                format!("<html><body>{}<p>最深处</p>{}", "<div>".repeat(10_000), "</div>".repeat(10_000));
            send(out, "200 OK", HTML, body.as_bytes())
        })
    }),
    ("open-comment", "ok", |out, path| on(path, out, |out| filled(out, "<html><!-- ", "没有结束"))),
    ("open-script", "ok", |out, path| on(path, out, |out| filled(out, "<html><script>", "x();"))),
    ("many-attributes", "ok", |out, path| on(path, out, |out| filled(out, "<html><p ", "a=b c='d' "))),
    ("many-entities", "ok", |out, path| {
        on(path, out, |out| filled(out, "<html>", "&#x110000;&#0;&nosuch;&amp"))
    }),
    ("many-links", "ok", |out, path| match path {
        "/" => {
            let links: String = (0..60_000)
                .map(|at| format!("<a href='//{}.nowhere.hostile-sim.cn/{at}'>{at}</a>", at % 40))
                .collect();
            send(out, "200 OK", HTML, format!("<html>{links}</html>").as_bytes())
        }
        _ => missing(out),
    }),
    ("refresh-to-itself", "ok", |out, path| {
        on(path, out, |out| {
            send(out, "200 OK", HTML, b"<html><meta http-equiv=refresh content='0;url=/'></html>")
        })
    }),
    ("broken-addresses", "ok", |out, path| {
        match path {
        "/" => send(out, "200 OK", HTML, b"<html><a href='http://[::'>1</a><a href='http://:99999/'>2</a><a href='//'>3</a><a href='\x01\x02'>4</a><a href='http://a b.cn/'>5</a><a href='mailto:'>6</a></html>"),
        _ => missing(out),
    }
    }),
    // Refusals.
    ("always-busy", "limited (503)", |out, _| send(out, "503 Service Unavailable", "text/html", b"busy")),
    ("retry-in-ten-years", "limited (429)", |out, _| {
        page_with(out, "429 Too Many Requests", "retry-after: 315360000\r\n", b"later")
    }),
    ("retry-at-no-time", "limited (429)", |out, _| {
        page_with(out, "429 Too Many Requests", "retry-after: whenever\r\n", b"later")
    }),
    ("refusal-with-200", "limited (200)", |out, path| match path {
        "/robots.txt" => missing(out),
        _ => send(
            out,
            "200 OK",
            HTML,
            "<html><title>提示</title><p>您的访问过于频繁，请稍后再试。</p></html>".as_bytes(),
        ),
    }),
    ("forbidden", "forbidden (412)", |out, path| {
        on(path, out, |out| page_with(out, "412 Precondition Failed", "", b""))
    }),
    ("browsers-alone-412", "challenged (412)", |out, path| {
        on(path, out, |out| {
            page_with(out, "412 Precondition Failed", "set-cookie: aS=1\r\n", b"<html><head><script r='m'>$_ts={};$_ts.cd=\"q\";</script><script src=/4Q/d.js r='m'></script></head><body></body></html>")
        })
    }),
    ("browsers-alone-200", "challenged (200)", |out, path| {
        on(path, out, |out| {
            page_with(out, "200 OK", "", b"<html><script>var arg1='AB';document.cookie='k='+arg1;document.location.reload()</script></html>")
        })
    }),
    ("unasked-304", "broken", |out, path| on(path, out, |out| page_with(out, "304 Not Modified", "", b""))),
    // robots.txt and site maps.
    ("robots-endless", "ok", |out, path| match path {
        "/robots.txt" => {
            raw(out, b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nuser-agent: *\r\n")?;
            endless(out, b"disallow: /secret\r\n")
        }
        path => on(path, out, |out| page_with(out, "200 OK", "", PAGE)),
    }),
    ("robots-loop", "ok", |out, path| match path {
        "/robots.txt" => redirect(out, "/robots.txt"),
        path => on(path, out, |out| page_with(out, "200 OK", "", PAGE)),
    }),
    ("robots-always-failing", "ok", |out, path| match path {
        "/robots.txt" => send(out, "500 Internal Server Error", "text/plain", b"failed"),
        path => on(path, out, |out| page_with(out, "200 OK", "", PAGE)),
    }),
    ("robots-binary", "ok", |out, path| match path {
        "/robots.txt" => send(out, "200 OK", "text/plain", &[0, 255, 10, 58, 10, 0, 58, 58, 13, 200]),
        path => on(path, out, |out| page_with(out, "200 OK", "", PAGE)),
    }),
    ("sitemap-bomb", "ok", |out, path| match path {
        "/robots.txt" => {
            send(out, "200 OK", "text/plain", b"sitemap: http://sitemap-bomb.hostile-sim.cn/map.xml.gz\n")
        }
        "/map.xml.gz" => send(out, "200 OK", "application/gzip", &gzip_bomb()?),
        path => on(path, out, |out| page_with(out, "200 OK", "", PAGE)),
    }),
    ("sitemap-large", "ok", |out, path| match path {
        "/robots.txt" => {
            send(out, "200 OK", "text/plain", b"sitemap: http://sitemap-large.hostile-sim.cn/map.xml\n")
        }
        "/map.xml" => {
            raw(out, b"HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\nconnection: close\r\n\r\n<urlset>")?;
            let row =
                b"<url><loc>http://sitemap-large.hostile-sim.cn/listed.html</loc></url>\n".repeat(1_000);
            (0..(60 << 20) / row.len()).try_for_each(|_| out.write_all(&row))?;
            closed()
        }
        "/listed.html" => page_with(out, "200 OK", "", PAGE),
        path => on(path, out, |out| page_with(out, "200 OK", "", PAGE)),
    }),
    ("sitemap-of-another", "ok", |out, path| {
        match path {
        "/robots.txt" => send(out, "200 OK", "text/plain", b"sitemap: http://good.hostile-sim.cn/map.xml\nsitemap: not an address\nsitemap: http://sitemap-of-another.hostile-sim.cn/loop.xml\n"),
        "/loop.xml" => send(out, "200 OK", "text/xml", b"<sitemapindex><sitemap><loc>http://sitemap-of-another.hostile-sim.cn/loop.xml</loc></sitemap></sitemapindex>"),
        path => on(path, out, |out| page_with(out, "200 OK", "", PAGE)),
    }
    }),
];

/// The misdeed at the home page and where it leads; other addresses are simply not there.
fn on(path: &str, out: &mut dyn Write, misdeed: impl FnOnce(&mut dyn Write) -> Io) -> Io {
    match path {
        "/robots.txt" | "/sitemap.xml" => missing(out),
        path if path.starts_with("/xunjian-") => missing(out),
        _ => misdeed(out),
    }
}

fn good(out: &mut dyn Write, path: &str) -> Io {
    let body = match path {
        "/" => "<html><head><title>好网站</title></head><body><a href=/a.html>第一页</a> <a href=/b.html>第二页</a></body></html>".as_bytes(),
        "/a.html" | "/b.html" => PAGE,
        _ => return missing(out),
    };
    send(out, "200 OK", HTML, body)
}

pub(super) fn missing(out: &mut dyn Write) -> Io {
    send(out, "404 Not Found", "text/html", b"gone")
}

pub(super) fn send(out: &mut dyn Write, status: &str, media_type: &str, body: &[u8]) -> Io {
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\n\r\n", body.len());
    out.write_all(head.as_bytes())?;
    out.write_all(body)
}

fn page_with(out: &mut dyn Write, status: &str, headers: &str, body: &[u8]) -> Io {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {HTML}\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    out.write_all(head.as_bytes())?;
    out.write_all(body)
}

pub(super) fn redirect(out: &mut dyn Write, target: &str) -> Io {
    raw(out, format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n").as_bytes())
}

fn coded(out: &mut dyn Write, coding: &str, body: &[u8]) -> Io {
    page_with(out, "200 OK", &format!("content-encoding: {coding}\r\n"), body)
}

fn lengths(out: &mut dyn Write, length: &str) -> Io {
    raw(
        out,
        format!("HTTP/1.1 200 OK\r\ncontent-type: {HTML}\r\ncontent-length: {length}\r\n\r\n").as_bytes(),
    )?;
    raw(out, PAGE)?;
    closed()
}

fn chunked_head(out: &mut dyn Write) -> Io {
    raw(
        out,
        format!("HTTP/1.1 200 OK\r\ncontent-type: {HTML}\r\ntransfer-encoding: chunked\r\n\r\n").as_bytes(),
    )
}

fn chunked(out: &mut dyn Write, body: &[u8]) -> Io {
    chunked_head(out)?;
    raw(out, body)?;
    closed()
}

fn filled(out: &mut dyn Write, start: &str, filler: &str) -> Io {
    let body = format!("{start}{}", filler.repeat((1 << 20) / filler.len()));
    send(out, "200 OK", HTML, body.as_bytes())
}

fn raw(out: &mut dyn Write, bytes: &[u8]) -> Io {
    out.write_all(bytes)
}

fn endless(out: &mut dyn Write, piece: &[u8]) -> Io {
    let many = piece.repeat(8_192 / piece.len() + 1);
    (0..ENDLESS_BYTES / many.len()).try_for_each(|_| out.write_all(&many))
}

/// A byte at a time.
fn drip(out: &mut dyn Write, start: &[u8], millis: u64) -> Io {
    out.write_all(start)?;
    for _ in 0..HANG.as_millis() as u64 / millis {
        out.write_all(b"x")?;
        sleep(Duration::from_millis(millis));
    }
    Ok(())
}

fn pause(time: Duration) -> Io {
    sleep(time);
    Ok(())
}

/// Ends the connection.
fn closed() -> Io {
    Err(io::ErrorKind::ConnectionAborted.into())
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    member.write_all(bytes)?;
    member.finish()
}

/// A gigabyte of one letter in a megabyte of gzip members; only the first is made.
fn gzip_bomb() -> io::Result<Vec<u8>> {
    const MEGABYTES: usize = 1_024;
    // Members of a gzip file follow each other (RFC 1952 section 2.2).
    Ok(gzip(&[b'a'; 1 << 20])?.repeat(MEGABYTES))
}

fn brotli_bomb() -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    let mut packer = brotli::CompressorWriter::new(&mut packed, 4_096, 4, 22);
    let piece = [b'a'; 1 << 20];
    (0..64).try_for_each(|_| packer.write_all(&piece))?;
    packer.flush()?;
    drop(packer);
    Ok(packed)
}
