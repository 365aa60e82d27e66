//! A small HTTP client that shows everything, and the console it asks.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{World, free_port, nightly_in};

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
    pub(crate) took: Duration,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// What our forms carry.
    pub(crate) fn form_token(&self) -> String {
        let rest = self.body.split_once("name=\"form_token\" value=\"").expect("a form").1;
        rest.split_once('"').expect("a value").0.to_owned()
    }
}

/// `xunjian serve` on a folder; ended with the test.
pub(crate) struct Serving {
    child: Child,
    pub(crate) port: u16,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Serving {
    /// Starts it with these lines under `[serve]`.
    pub(crate) fn start(world: &World, listen: &str, more: &str) -> Self {
        let port = free_port();
        let nightly = if more.contains("nightly") { String::new() } else { nightly_in(12) };
        world.configure(&format!("[serve]\nlisten = \"{listen}:{port}\"\n{nightly}{more}"));
        let child = world.start(&["serve"]);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "the console does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { child, port }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let begun = Instant::now();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connected");
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "host") {
            request.push_str(&format!("host: 127.0.0.1:{}\r\n", self.port));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{request}\r\n").as_bytes()).expect("asked");
        // A server that refuses a body need not read it.
        stream.write_all(body.as_bytes()).ok();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).ok();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_owned(), body: body.to_owned(), took: begun.elapsed() }
    }

    pub(crate) fn post_form(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        self.ask("POST", path, &[&kind, headers].concat(), body)
    }

    pub(crate) fn post_json(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let kind = [("content-type", "application/json")];
        self.ask("POST", path, &[&kind, headers].concat(), &body.to_string())
    }
}
