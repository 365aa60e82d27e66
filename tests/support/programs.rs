//! Other software that tests talk to, started for one of them.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::World;

/// A program that ends with the test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Starts a program, and waits until it listens.
pub(crate) fn start(program: &str, args: &[&str], port: u16) -> Running {
    let child = Command::new(program)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let running = Running(child);
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{program} does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    running
}

/// NATS with JetStream, which keeps what it has in a folder of this name.
pub(crate) fn jetstream(world: &World, folder: &str, port: u16) -> Running {
    jetstream_with(world, folder, port, &[])
}

/// The same with further arguments. It may promise more than the disk has now: little of it is ever taken.
pub(crate) fn jetstream_with(world: &World, folder: &str, port: u16, args: &[&str]) -> Running {
    let config = format!("{folder}.conf");
    world.write(&config, b"jetstream { max_file_store: 64GB }\n");
    let (folder, config) =
        (world.path(folder).display().to_string(), world.path(&config).display().to_string());
    let port_text = port.to_string();
    let all = ["-c", &config, "-a", "127.0.0.1", "-p", &port_text, "-sd", &folder];
    start("nats-server", &[&all[..], args].concat(), port)
}
