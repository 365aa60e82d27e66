//! A folder with a configuration, a city or hostile hosts to inspect, and the binary run on it.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use serde_json::Value;
use xunjian_city::{City, CityOptions, Served};

/// The binary under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_xunjian");

/// A line that has nights begin in so many hours, whatever hour a test runs at.
pub(crate) fn nightly_in(hours: i64) -> String {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").expect("a zone");
    let at = zone.to_datetime(jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours));
    format!("nightly = \"{}\"\n", at.strftime("%H:%M"))
}

/// A port nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

/// A temporary folder with a configuration.
pub(crate) struct World {
    folder: tempfile::TempDir,
    _runtime: Option<(tokio::runtime::Runtime, Served)>,
}

/// What a command did.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The one JSON document on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl World {
    /// A folder with this configuration.
    pub(crate) fn with_config(config: &str) -> Self {
        let world = Self { folder: tempfile::tempdir().expect("folder"), _runtime: None };
        world.write("xunjian.toml", config.as_bytes());
        world
    }

    /// A folder whose configuration reaches a city served by this process.
    pub(crate) fn with_city(options: CityOptions) -> Self {
        Self::serving(City::new(options))
    }

    /// The same after its first night.
    pub(crate) fn inspected(options: CityOptions) -> Self {
        let world = Self::with_city(options);
        let run = world.run(&["run"]);
        assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
        world
    }

    /// The same for a city that was planned.
    pub(crate) fn serving(city: City) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let city = Arc::new(city);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("runtime");
        let served = runtime.block_on(Arc::clone(&city).serve(0)).expect("served");
        let file = folder.path().join("xunjian.toml");
        city.write_config(&served, &file).expect("configuration");
        // Hosts that refuse are asked twice; the tests need not wait long in between. The city's servers have another
        // clock where a test sets that of the program.
        let config = std::fs::read_to_string(&file).expect("configuration");
        let quick = config.replace(
            "retry_pause_s = 0.5",
            "retry_pause_s = 0.1\nsecond_look_share = 1.0\nclock_off_max_s = 0",
        );
        assert_ne!(quick, config);
        std::fs::write(&file, quick).expect("written");
        Self { folder, _runtime: Some((runtime, served)) }
    }

    /// The same folder, with the city as it is on another day.
    pub(crate) fn next_day(self, options: CityOptions) -> Self {
        let next = Self::with_city(options);
        std::fs::rename(self.path("xunjian-data"), next.path("xunjian-data")).expect("moved");
        next
    }

    /// The same folder after every server went away.
    pub(crate) fn unreachable(mut self) -> Self {
        self._runtime = None;
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("written");
    }

    /// The configuration with a part of it, which must be there, put otherwise, as a file.
    pub(crate) fn reconfigure(&self, file: &str, part: &str, by: &str) {
        let config = std::fs::read_to_string(self.path("xunjian.toml")).expect("configuration");
        assert!(config.contains(part), "{part:?} is not in {config}");
        self.write(file, config.replace(part, by).as_bytes());
    }

    /// Adds lines to the configuration.
    pub(crate) fn configure(&self, more: &str) {
        let config = std::fs::read_to_string(self.path("xunjian.toml")).expect("configuration");
        self.write("xunjian.toml", format!("{config}\n{more}").as_bytes());
    }

    pub(crate) fn read_json(&self, name: &str) -> Value {
        let bytes = std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// A report's `findings.json`.
    pub(crate) fn findings(&self) -> Vec<Value> {
        self.read_json("xunjian-data/report/findings.json").as_array().expect("array").clone()
    }

    /// Findings as a person compares two nights: without the times, which differ.
    pub(crate) fn comparable(&self) -> Vec<Value> {
        let mut findings = self.findings();
        for one in &mut findings {
            let one = one.as_object_mut().expect("object");
            one.remove("first_seen");
            one.remove("last_seen");
            if let Some(snapshot) = one["evidence"]["snapshot"].as_str() {
                let hash = snapshot.split('@').next().unwrap_or_default().to_owned();
                one["evidence"]["snapshot"] = Value::from(hash);
            }
        }
        findings.sort_by_key(|one| one["id"].to_string());
        findings
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .current_dir(self.folder.path())
            .args(args)
            .env_remove("XUNJIAN_LANG")
            .env_remove("XUNJIAN_LOG")
            .env_remove("RUST_BACKTRACE");
        command
    }

    /// The same with a clock that is wrong by so much, such as `+3d`; needs faketime, which
    /// tests/run.sh installs.
    pub(crate) fn command_at(&self, shift: &str, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.env("LD_PRELOAD", "/usr/$LIB/faketime/libfaketimeMT.so.1").env("FAKETIME", shift);
        // Waiting goes by the clock that nobody can set.
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.command(args).output().expect("runs").into()
    }

    /// The same, told in English.
    pub(crate) fn english(&self, args: &[&str]) -> Ended {
        self.command(args).env("XUNJIAN_LANG", "en").output().expect("runs").into()
    }

    /// Starts a command and leaves it running.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts")
    }
}

/// Where the JSON Schemas are.
pub(crate) fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema").join(name);
    serde_json::from_slice(&std::fs::read(&path).expect("schema")).expect("JSON")
}

/// Fails with every place that does not fit the schema.
pub(crate) fn assert_fits(document: &Value, name: &str) {
    let validator = jsonschema::validator_for(&schema(name)).expect("a valid schema");
    let faults: Vec<String> =
        validator.iter_errors(document).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{name}: {faults:#?}");
}
