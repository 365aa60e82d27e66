//! The binary `xunjian`: commands, configuration, progress, exit codes.

mod args;
mod commands;
mod config;
mod events;
mod help;
mod interrupt;
mod metrics;
mod spans;
mod terminal;

use std::process::ExitCode;

use anyhow::Context as _;
use xunjian_engine::{CaseError, EngineError};
use xunjian_store::StoreError;

use args::{Cli, Command};
use spans::Spans;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
use terminal::Terminal;

/// How a command ended; the numbers are the design's and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Done = 0,
    /// Findings at or above `--fail-on`.
    Findings = 1,
    /// Usage or configuration.
    Usage = 2,
    /// Finished, but a site could not be crawled whole, or a file not be read.
    Incomplete = 3,
    /// The data folder is at fault.
    Store = 4,
}

fn main() -> ExitCode {
    let cli = help::parse();
    let terminal = Terminal::new(&cli.common);
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| {
            let spans = Spans::start(runtime.handle())?;
            terminal::start_log(&cli.common, spans.as_ref().map(Spans::tracer));
            let ended = runtime.block_on(run(cli, terminal));
            if let Some(spans) = spans {
                spans.end();
            }
            ended
        });
    let exit = ended.unwrap_or_else(|error| {
        terminal.error(&error);
        exit_of(&error)
    });
    ExitCode::from(exit as u8)
}

async fn run(cli: Cli, terminal: Terminal) -> anyhow::Result<Exit> {
    let common = cli.common;
    match cli.command {
        Command::Demo(demo) => commands::demo::run(&common, terminal, &demo).await,
        Command::Init(init) => commands::init::run(terminal, &init),
        Command::Run(night) => commands::night::run(&common, terminal, &night).await,
        Command::Crawl(night) => commands::night::crawl(&common, terminal, &night).await,
        Command::Scan(scan) if scan.is_plain() => commands::plain::run(&common, terminal, &scan),
        Command::Scan(scan) => commands::night::scan(&common, terminal, &scan),
        Command::Search => commands::night::search(&common, terminal).await,
        Command::Judge(judge) => commands::judge::run(&common, terminal, &judge),
        Command::Findings(findings) => commands::findings::run(&common, terminal, &findings).await,
        Command::Review(review) => commands::review::run(&common, terminal, &review),
        Command::Worker(worker) => commands::worker::run(&common, terminal, &worker).await,
        Command::Watch(watch) => commands::watch::run(&common, terminal, &watch).await,
        Command::Account(command) => commands::account::run(&common, terminal, &command),
        Command::Alert(command) => commands::alert::run(&common, terminal, &command).await,
        Command::Serve => commands::serve::run(&common, terminal).await,
        Command::Media(media) => commands::media::run(&common, terminal, &media).await,
        Command::Report(report) => commands::report::run(&common, terminal, &report).await,
        Command::Sites(args::Sites::Check { online }) => {
            commands::sites::check(&common, terminal, online).await
        }
        Command::Sites(args::Sites::Columns { sites }) => commands::sites::columns(&common, terminal, &sites),
        Command::Dict(command) => commands::dict::run(&common, terminal, &command).await,
        Command::Store(command) => commands::store::run(&common, terminal, &command),
        Command::Bench(args::Bench::Scan { threads, rounds }) => {
            commands::bench::scan(&common, terminal, &threads, rounds)
        }
        Command::Find(find) => commands::find::run(&common, terminal, &find),
        Command::Why { url } => commands::why::run(&common, terminal, &url),
        Command::City(city) => commands::city::run(terminal, &city).await,
        Command::Man { folder } => {
            std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            let command = help::command(common.lang);
            clap_mangen::generate_to(command, &folder)
                .with_context(|| format!("cannot write man pages into {}", folder.display()))?;
            Ok(Exit::Done)
        }
        Command::Completions { shell } => {
            let mut command = help::command(common.lang);
            clap_complete::generate(shell, &mut command, "xunjian", &mut std::io::stdout());
            Ok(Exit::Done)
        }
    }
}

fn exit_of(error: &anyhow::Error) -> Exit {
    if error.downcast_ref::<EngineError>().is_some_and(|error| error.halted().is_some()) {
        return Exit::Incomplete;
    }
    let engine = error.downcast_ref::<EngineError>().is_some_and(EngineError::is_store_trouble);
    let case = matches!(error.downcast_ref::<CaseError>(), Some(CaseError::Store(_)));
    if engine || case || error.is::<StoreError>() { Exit::Store } else { Exit::Usage }
}
