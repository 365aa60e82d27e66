//! What people see: messages, progress and tables on stderr and stdout.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use opentelemetry_sdk::trace::Tracer;
use serde::Serialize;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};
use xunjian_model::Outcome;
use xunjian_report::Language;

use crate::args::{Common, LogForm};

/// Seconds between two lines of progress where no bar can be drawn.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Bars under way; log lines are written between their drawings.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// How this process speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    pub(crate) language: Language,
    json: bool,
    quiet: bool,
    colours: bool,
}

/// Chinese punctuation, and what stands in its place in English.
const MARKS: [(&str, &str); 5] = [("，", ", "), ("；", "; "), ("：", ": "), ("（", " ("), ("）", ")")];

impl Terminal {
    pub(crate) fn new(common: &Common) -> Self {
        let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { language: common.lang, json: common.json, quiet: common.quiet, colours }
    }

    /// One of two wordings.
    pub(crate) fn words<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        match self.language {
            Language::Zh => zh,
            Language::En => en,
        }
    }

    /// A message that arose in English, in the language of whoever reads it.
    pub(crate) fn said(&self, english: impl Display) -> String {
        self.language.said(english)
    }

    /// A message for people, on stderr.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            let _ = BARS.suspend(|| writeln!(io::stderr(), "{}", text.as_ref()));
        }
    }

    /// What went wrong, with its causes, on stderr.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let mut message = String::new();
        for cause in error.chain().map(ToString::to_string) {
            // Some errors tell their cause themselves.
            if !message.contains(&cause) {
                let colon = if message.is_empty() { "" } else { ": " };
                message = format!("{message}{colon}{cause}");
            }
        }
        let message = format!("{}{}", self.words("错误：", "error: "), self.said(message));
        let _ = BARS.suspend(|| writeln!(io::stderr(), "{message}"));
    }

    /// The result for people on stdout; nothing when a JSON document is wanted.
    pub(crate) fn print(&self, text: &str) -> anyhow::Result<()> {
        if self.json { Ok(()) } else { write_out(text) }
    }

    /// A line put together of words and counts, in the punctuation of the language.
    pub(crate) fn punctuated(self, line: &str) -> String {
        let line = line.to_owned();
        match self.language {
            Language::Zh => line,
            Language::En => MARKS.iter().fold(line, |line, (wide, plain)| line.replace(wide, plain)),
        }
    }

    /// The result for machines on stdout, when it is wanted.
    pub(crate) fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        if self.json { write_out(&format!("{}\n", serde_json::to_string_pretty(value)?)) } else { Ok(()) }
    }

    /// One event of a long step as a line of JSON on stderr, when machines listen.
    pub(crate) fn event(&self, event: &serde_json::Value) {
        if self.json && !self.quiet {
            let _ = BARS.suspend(|| writeln!(io::stderr(), "{event}"));
        }
    }

    /// A result's word, coloured on a terminal.
    pub(crate) fn outcome(&self, outcome: Outcome) -> String {
        let (word, colour) = (
            self.words(outcome.zh(), outcome.en()),
            match outcome {
                Outcome::Pass => 32,
                Outcome::Fail => 31,
                Outcome::Review => 33,
            },
        );
        if self.colours { format!("\x1b[{colour}m{word}\x1b[0m") } else { word.to_owned() }
    }

    /// A bar for a step of `total` parts.
    pub(crate) fn bar(&self, name: &str, total: u64) -> Bar {
        let bar = if self.quiet { ProgressBar::hidden() } else { BARS.add(ProgressBar::new(total)) };
        let template = "{prefix:<8} {bar:32.cyan/black.bright} {pos:>7}/{len} {rate:>8} {elapsed_precise} ETA {eta} {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                // A bar that cannot be drawn is no reason to stop.
                let _ = write!(out, "{:.0}/s", state.per_sec());
            };
            bar.set_style(style.progress_chars("━╸─").with_key("rate", rate));
        }
        bar.set_prefix(name.to_owned());
        let lines = !self.quiet && !self.json && !io::stderr().is_terminal();
        Bar { bar, lines, name: name.to_owned(), begun: Instant::now(), said: Instant::now(), from: None }
    }
}

/// A progress bar; where none can be drawn, a line every ten seconds.
pub(crate) struct Bar {
    bar: ProgressBar,
    lines: bool,
    name: String,
    begun: Instant,
    said: Instant,
    from: Option<u64>,
}

impl Bar {
    pub(crate) fn set(&mut self, done: u64, total: u64, message: &str) {
        self.bar.set_length(total.max(done));
        self.bar.set_position(done);
        self.bar.set_message(message.to_owned());
        let from = *self.from.get_or_insert(done);
        if self.lines && self.said.elapsed() >= LINE_EVERY {
            self.said = Instant::now();
            let rate = (done - from) as f64 / self.begun.elapsed().as_secs_f64();
            let eta = if rate > 0.0 { (total.saturating_sub(done) as f64 / rate).ceil() } else { 0.0 };
            let _ = writeln!(io::stderr(), "{} {done}/{total} {rate:.0}/s ETA {eta}s {message}", self.name);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        BARS.remove(&self.bar);
    }
}

pub(crate) fn write_out(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A reader that has seen enough, such as `head`, is no fault.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Log lines go to stderr, between the drawings of the bars. `XUNJIAN_LOG` overrides the level. Spans go to
/// a collector, if there is one.
pub(crate) fn start_log(common: &Common, tracer: Option<Tracer>) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => "error",
        (_, 0) => "warn",
        (_, 1) => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("XUNJIAN_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let messages = tracing_subscriber::fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .with_writer(|| Between);
    let messages = match common.log_form {
        LogForm::Text => messages.boxed(),
        LogForm::Json => messages.json().flatten_event(true).boxed(),
    };
    let ours = filter_fn(|span| span.is_span() && span.target().starts_with("xunjian"));
    let spans = tracer.map(|tracer| {
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        layer.with_location(false).with_threads(false).with_filter(ours)
    });
    tracing_subscriber::registry().with(messages.with_filter(filter)).with(spans).init();
}

struct Between;

impl Write for Between {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        BARS.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// A moment as people in a time zone write it.
pub(crate) fn moment(zone: &TimeZone, at: Timestamp) -> String {
    zone.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Rows in columns of equal width; wide characters count two.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |text: &str| console::measure_text_width(text);
    let widths: Vec<usize> = (0..columns)
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    // Below their heads, columns of numbers stand to the right.
    let is_number = |cell: &String| !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
    let numbers: Vec<bool> = (0..columns)
        .map(|at| rows.len() > 1 && rows[1..].iter().filter_map(|row| row.get(at)).all(is_number))
        .collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for ((cell, wanted), number) in row.iter().zip(&widths).zip(&numbers) {
            let gap = " ".repeat(wanted - width(cell));
            let (before, after) = if *number { (gap.as_str(), "") } else { ("", gap.as_str()) };
            line.push_str(&format!("{before}{cell}{after}  "));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
