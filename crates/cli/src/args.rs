//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};
use jiff::civil::Date;
use xunjian_console::{Role, Scope};
use xunjian_judge::{Quarter, RATES, printed};
use xunjian_model::{Kind, PageUrl, Severity, SiteId};
use xunjian_report::{Format, Language};

/// Inspects government websites by the national standard: crawl, scan, judge, report.
#[derive(Debug, Parser)]
#[command(name = "xunjian", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  xunjian demo                     a simulated city of 45 sites, inspected in a minute
  xunjian init                     write xunjian.toml and sites.csv to begin with
  xunjian sites check --online     does every site of the register open?
  xunjian run                      the nightly run
  xunjian run --site water --json  one site, the summary as JSON
  xunjian run --fail-on serious    exit code 1 when a serious fault is found

Exit codes:
  0 done   1 findings at or above --fail-on   2 usage or configuration
  3 finished incomplete (a site or a file could not be read)   4 store trouble";

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Common {
    /// Configuration file
    #[arg(long, global = true, default_value = crate::config::DEFAULT_FILE, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: PathBuf,
    /// Data folder, instead of the configuration's `data`
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) data: Option<PathBuf>,
    /// One JSON document on stdout; progress and messages stay on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Language of help, messages and reports: zh or en
    #[arg(
        long,
        global = true,
        env = "XUNJIAN_LANG",
        hide_env_values = true,
        default_value = "zh",
        value_name = "LANG"
    )]
    pub(crate) lang: Language,
    /// Only errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// More messages; twice: all
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Form of the messages on stderr: text, or json with one document a line
    #[arg(long, global = true, value_enum, default_value_t = LogForm::Text, value_name = "FORM")]
    pub(crate) log_form: LogForm,
    /// Exit with 1 when a finding is at least this severe: info, minor, major or serious
    #[arg(long, global = true, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<Severity>,
}

/// Form of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogForm {
    /// For people.
    Text,
    /// For tools.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Inspect a simulated city: crawl, scan, judge, report, and compare with what was planted
    Demo(Demo),
    /// Write a commented xunjian.toml and a sites.csv to begin with
    #[command(
        after_help = "Examples:\n  xunjian init\n  xunjian init /etc/xunjian --office 市府办 --site 市水利局=http://slj.city.gov.cn/"
    )]
    Init(Init),
    /// The nightly run: crawl, scan, judge, report
    Run(Night),
    /// Only crawl: keep what is new as snapshots
    Crawl(Night),
    /// Only scan the snapshots of the last crawl
    Scan(Scan),
    /// Only ask each site's own search for pages the last scan knows to be there
    Search,
    /// Judge the findings of the last scan, or a quarter from kept snapshots; prints the verdicts
    #[command(
        after_help = "Examples:\n  xunjian judge --explain water V4\n  xunjian judge --quarter 2026Q2 --against 2026Q1 --json"
    )]
    Judge(Judge),
    /// Only write the report of the last run, or the notice of a quarter with its annexes
    #[command(
        after_help = "Examples:\n  xunjian report --lang en\n  xunjian report --quarter 2026Q2 --format docx,xlsx --out notice\n  xunjian report --quarter 2026Q2 --dated 2026-07-16 --stated rectified=91"
    )]
    Report(Report),
    /// Findings: look, decide, notify, follow until they are mended
    #[command(subcommand)]
    #[command(
        after_help = "Examples:\n  xunjian findings list --queue\n  xunjian findings confirm 3f2a --by 王芳 --reason 错误表述\n  xunjian findings notify --site water --by 王芳\n  xunjian findings recheck --stage reported"
    )]
    Findings(Findings),
    /// What waits for a person: findings to confirm, indicators to judge
    #[command(subcommand)]
    Review(Review),
    /// The availability monitor: spaced visits to every home page, each kept
    Watch(Watch),
    /// Stay: the console, the nightly run at its time, the availability monitor in between
    #[command(
        after_help = "Examples:\n  xunjian serve                    the console is at http://127.0.0.1:8640/\n  xunjian serve --log-form json"
    )]
    Serve,
    /// One crawl worker of a cluster: takes shares of the night that `run` or `serve` leads elsewhere
    #[command(
        after_help = "Examples:\n  xunjian worker            wait for nights, and work for them\n  xunjian worker --once     end with the night"
    )]
    Worker(Worker),
    /// The ledger of new-media accounts
    #[command(subcommand)]
    Media(Media),
    /// Who may use the console and its interface
    #[command(subcommand)]
    #[command(
        after_help = "Examples:\n  xunjian account add wang --role reviewer\n  xunjian account token wang --scope read"
    )]
    Account(Account),
    /// Alerts: send a test, look at the sinks, send again
    #[command(subcommand)]
    #[command(
        after_help = "Examples:\n  xunjian alert test duty\n  xunjian alert list --json\n  xunjian alert replay duty --since 2026-06-01"
    )]
    Alert(Alert),
    /// The register of sites
    #[command(subcommand)]
    Sites(Sites),
    /// Dictionaries
    #[command(subcommand)]
    Dict(Dict),
    /// The data folder: sizes, check, repair, compaction, WARC files out and in
    #[command(subcommand)]
    Store(Store),
    /// How fast this machine works on what the store holds
    #[command(subcommand)]
    Bench(Bench),
    /// What is known of an address, and why it was or was not fetched
    Why {
        /// The address
        url: String,
    },
    /// Look for words in the newest snapshot of every page
    Find(Find),
    /// Serve the simulated city on loopback
    City(City),
    /// Write man pages, one a command
    Man {
        /// Folder to write into
        #[arg(value_hint = ValueHint::DirPath)]
        folder: PathBuf,
    },
    /// Print shell completions
    Completions {
        /// bash, zsh, fish, elvish or powershell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Find {
    /// Words that a page must have, all of them, in its text, title or address
    #[arg(required = true, value_name = "WORD")]
    pub(crate) words: Vec<String>,
    /// Only this site of the register
    #[arg(long, value_name = "ID")]
    pub(crate) site: Option<String>,
    /// Pages to show at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) most: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Judge {
    /// How an indicator of a site was judged: inputs, lines, dates, result
    #[arg(long, num_args = 2, value_names = ["SITE", "INDICATOR"], conflicts_with = "against")]
    pub(crate) explain: Vec<String>,
    /// Judge this quarter from the snapshots there were at its end, such as 2022Q2, without crawling
    #[arg(long, value_name = "QUARTER")]
    pub(crate) quarter: Option<Quarter>,
    /// Compare the quarter with this one
    #[arg(long, value_name = "QUARTER", requires = "quarter")]
    pub(crate) against: Option<Quarter>,
    /// The quarter's monitoring point, instead of its last day, or of today while it is not over
    #[arg(long, value_name = "DAY", requires = "quarter")]
    pub(crate) point: Option<Date>,
    /// A printed rate to be held against the counts: sites, accounts or rectified, such as
    /// rectified=91; may be repeated
    #[arg(long, value_name = "RATE=NUMBER", requires = "quarter", value_parser = stated)]
    pub(crate) stated: Vec<(String, String)>,
}

fn stated(text: &str) -> Result<(String, String), String> {
    let (id, number) = text.split_once('=').ok_or("write it like rectified=91")?;
    if !RATES.contains(&id) {
        return Err(format!("{id:?} is no rate: use sites, accounts or rectified"));
    }
    let bare = printed(number).ok_or_else(|| format!("{number:?} is not a number"))?;
    Ok((id.to_owned(), bare.to_owned()))
}

#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Add an account; its password is asked for, or is the first line of standard input
    Add {
        /// Name
        name: String,
        /// viewer looks, reviewer decides, admin does everything
        #[arg(long, default_value = "viewer")]
        role: Role,
    },
    /// Remove an account with its tokens
    Remove {
        /// Name
        name: String,
    },
    /// List the accounts
    List,
    /// Make a token for a tool; it is shown once
    Token {
        /// Name of the account
        name: String,
        /// read, or write
        #[arg(long, default_value = "read")]
        scope: Scope,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Alert {
    /// Send a sink a message that says it is a test
    Test {
        /// Name of the sink
        name: String,
    },
    /// How each sink stands: what waits, what was put aside and why
    List,
    /// Try what was put aside, and what waits, once more
    Replay {
        /// Name of the sink
        name: String,
        /// Tell everything again that changed since this day
        #[arg(long, value_name = "DAY")]
        since: Option<Date>,
    },
}

/// Which findings.
#[derive(Debug, Args)]
pub(crate) struct Select {
    /// Ids, or their beginnings
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Only of this site; may be repeated
    #[arg(long = "site", value_name = "ID", value_parser = SiteId::new)]
    pub(crate) sites: Vec<SiteId>,
    /// Only of this kind, such as typo; may be repeated
    #[arg(long = "kind", value_name = "KIND")]
    pub(crate) kinds: Vec<Kind>,
    /// Only those that wait for a person
    #[arg(long)]
    pub(crate) queue: bool,
    /// Only those whose time to be mended is over
    #[arg(long)]
    pub(crate) overdue: bool,
    /// Only those at this stage of being mended
    #[arg(long, value_parser = ["none", "notified", "reported", "closed", "relapsed"])]
    pub(crate) stage: Option<String>,
    /// Only those that this person looks after
    #[arg(long, value_name = "NAME")]
    pub(crate) assigned: Option<String>,
    /// Only those with this in their words, page or title
    #[arg(long)]
    pub(crate) text: Option<String>,
}

/// Who does it, and why.
#[derive(Debug, Args)]
pub(crate) struct Hand {
    /// Who decides
    #[arg(long, env = "XUNJIAN_USER", value_name = "NAME", default_value = "")]
    pub(crate) by: String,
    /// Why
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub(crate) reason: String,
    /// Only if the finding still is at this revision, as `findings show` told it
    #[arg(long, value_name = "N")]
    pub(crate) revision: Option<u32>,
    /// Change what was decided before
    #[arg(long)]
    pub(crate) revise: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Findings {
    /// List findings
    List {
        #[command(flatten)]
        select: Select,
        /// Also those that are gone
        #[arg(long)]
        gone: bool,
    },
    /// One finding with its history and snapshots
    Show {
        /// Id, or its beginning
        id: String,
    },
    /// Say that findings are faults: they count
    Confirm {
        #[command(flatten)]
        select: Select,
        #[command(flatten)]
        hand: Hand,
    },
    /// Say that findings are none: they do not count, now and in later nights
    Dismiss {
        #[command(flatten)]
        select: Select,
        #[command(flatten)]
        hand: Hand,
    },
    /// Give findings to a person
    Assign {
        #[command(flatten)]
        select: Select,
        #[command(flatten)]
        hand: Hand,
        /// To whom; empty takes them back
        #[arg(long, value_name = "NAME")]
        to: String,
    },
    /// Write down that the office was told of findings; it has ten working days
    Notify {
        #[command(flatten)]
        select: Select,
        #[command(flatten)]
        hand: Hand,
        /// Day of the notice; without it: today
        #[arg(long, value_name = "DAY")]
        on: Option<Date>,
        /// Last day to mend them, instead of the catalogue's working days
        #[arg(long, value_name = "DAY")]
        due: Option<Date>,
    },
    /// Write down that the office says findings are mended; `recheck` looks
    Rectify {
        #[command(flatten)]
        select: Select,
        #[command(flatten)]
        hand: Hand,
        /// Day of the report; without it: today
        #[arg(long, value_name = "DAY")]
        on: Option<Date>,
    },
    /// Fetch the pages of findings again and look whether they are mended
    Recheck {
        #[command(flatten)]
        select: Select,
    },
    /// Rules for dictionaries, from words that people dismissed
    Proposals,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Review {
    /// Findings that wait, and indicators that only a person judges
    List {
        /// Only of this site; may be repeated
        #[arg(long = "site", value_name = "ID", value_parser = SiteId::new)]
        sites: Vec<SiteId>,
    },
    /// Judge an indicator of a site: points lost, won under a bonus, or 1 for a veto
    Assess {
        /// Site
        #[arg(value_parser = SiteId::new)]
        site: SiteId,
        /// Indicator, such as D19
        indicator: String,
        /// Points
        #[arg(long)]
        points: f64,
        /// Of which quarter, such as 2026Q3; without it: of the present one
        #[arg(long, value_name = "QUARTER")]
        quarter: Option<Quarter>,
        #[command(flatten)]
        hand: Hand,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Worker {
    /// End when a night is over
    #[arg(long)]
    pub(crate) once: bool,
    /// Folder for what is at work, emptied again; else the data folder's name with -worker
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// One round of visits, then end
    #[arg(long, conflicts_with = "minutes")]
    pub(crate) once: bool,
    /// End after so many minutes
    #[arg(long = "for", value_name = "MINUTES")]
    pub(crate) minutes: Option<u64>,
    /// Print the kept visits of this site instead
    #[arg(long, value_name = "SITE", value_parser = SiteId::new, conflicts_with_all = ["once", "minutes"])]
    pub(crate) log: Option<SiteId>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Media {
    /// Check a ledger: every faulty line with its reason
    Check {
        /// CSV, TSV or XLSX, UTF-8 or GBK
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Take a ledger of accounts, or with --posts a table of what they posted
    Import {
        /// CSV, TSV or XLSX, UTF-8 or GBK
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// The table holds posts: platform, name, date, title, text, url
        #[arg(long)]
        posts: bool,
    },
    /// Read the feeds and list pages that the ledger names
    Feeds,
    /// The accounts with their state, newest post and result
    List {
        /// Judged at this day instead of the monitoring point
        #[arg(long, value_name = "DAY")]
        point: Option<Date>,
        /// Only those that fail
        #[arg(long)]
        failed: bool,
    },
    /// Judge an indicator of an account that only a person can: 1 is a veto, 0 is none
    Assess {
        /// Account, as platform/name
        account: String,
        /// Indicator, such as M3
        indicator: String,
        /// 1 or 0
        #[arg(long)]
        points: f64,
        /// Of which quarter, such as 2026Q3; without it: of the present one
        #[arg(long, value_name = "QUARTER")]
        quarter: Option<Quarter>,
        #[command(flatten)]
        hand: Hand,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Night {
    /// Only this site of the register; may be repeated
    #[arg(long = "site", value_name = "ID", value_parser = SiteId::new)]
    pub(crate) sites: Vec<SiteId>,
    /// Ask for pages that seldom change less often
    #[arg(long)]
    pub(crate) incremental: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Sizes and counts
    Stats,
    /// Read and hash everything again; exit code 4 when something is not as it was written
    Verify,
    /// Make the index anew from the journal, and from the archive where the journal has gaps
    Rebuild,
    /// Apply the retention, rewrite files that hold little that is alive
    Compact,
    /// Copy the data folder, or bring an earlier copy up to date; works while another process uses it
    Backup {
        /// Folder of the copy, best on another disk
        #[arg(value_hint = ValueHint::DirPath)]
        folder: PathBuf,
    },
    /// Write the archive as a WARC file that other tools read
    ExportWarc {
        /// File; .warc.gz is packed, .warc is not
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Only this site; may be repeated
        #[arg(long = "site", value_name = "ID", value_parser = SiteId::new)]
        sites: Vec<SiteId>,
    },
    /// Take WARC files of other crawlers as a run, to be scanned without crawling
    ImportWarc {
        /// Files: .warc, .warc.gz or .warc.zst
        #[arg(required = true, value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// Look at every page again, also where what was found before still holds
    #[arg(long, conflicts_with_all = ["stdin", "files"])]
    pub(crate) fresh: bool,
    /// Threads; 0 is one a core
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Scan what comes on standard input (text, HTML, DOCX, XLSX, PDF) instead of the snapshots
    #[arg(long)]
    pub(crate) stdin: bool,
    /// Scan files and folders (text, HTML, Office and WPS files, OFD, PDF, RTF, ZIP) instead of the snapshots
    #[arg(long, num_args = 1.., value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,
    /// A further dictionary for --stdin and --files; may be repeated
    #[arg(long = "dictionary", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) dictionaries: Vec<PathBuf>,
    /// How --stdin and --files tell what they found
    #[arg(long, value_enum)]
    pub(crate) format: Option<PlainFormat>,
}

impl Scan {
    /// Whether texts from anywhere are scanned, not the snapshots.
    pub(crate) fn is_plain(&self) -> bool {
        self.stdin || !self.files.is_empty()
    }
}

/// How findings in files are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PlainFormat {
    /// Two lines a finding, for people
    Text,
    /// One JSON array
    Json,
    /// One JSON object a line
    Jsonl,
    /// SARIF 2.1.0
    Sarif,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// Folder of the report, instead of `report` in the data folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
    /// Write the notice of this quarter instead, such as 2022Q2, from the snapshots there were at its end
    #[arg(long, value_name = "QUARTER")]
    pub(crate) quarter: Option<Quarter>,
    /// Forms of the notice: docx, xlsx, html, json, csv, md
    #[arg(long, value_name = "FORM", value_delimiter = ',', requires = "quarter", default_values_t = Format::ALL)]
    pub(crate) format: Vec<Format>,
    /// Compare the quarter with this one
    #[arg(long, value_name = "QUARTER", requires = "quarter")]
    pub(crate) against: Option<Quarter>,
    /// The quarter's monitoring point, instead of its last day, or of today while it is not over
    #[arg(long, value_name = "DAY", requires = "quarter")]
    pub(crate) point: Option<Date>,
    /// A rate somebody printed, held against the counts, such as rectified=91; may be repeated
    #[arg(long, value_name = "RATE=NUMBER", requires = "quarter", value_parser = stated)]
    pub(crate) stated: Vec<(String, String)>,
    /// Day of the notice, instead of today
    #[arg(long, value_name = "DAY", requires = "quarter")]
    pub(crate) dated: Option<Date>,
    /// Last day for mending, instead of ten working days after the notice
    #[arg(long, value_name = "DAY", requires = "quarter")]
    pub(crate) due: Option<Date>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Folder to write into
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
    /// Overwrite files that are there
    #[arg(long)]
    pub(crate) force: bool,
    /// A site of the register; may be repeated. Without any, a terminal is asked
    #[arg(long = "site", value_name = "NAME=URL", value_parser = named_site)]
    pub(crate) sites: Vec<(String, PageUrl)>,
    /// Who issues the notices
    #[arg(long, value_name = "NAME")]
    pub(crate) office: Option<String>,
    /// Where the console of `xunjian serve` listens, or "off"
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
}

pub(crate) fn named_site(text: &str) -> Result<(String, PageUrl), String> {
    let (name, url) = text.split_once('=').ok_or("write it like 市水利局=http://slj.city.gov.cn/")?;
    let url = PageUrl::parse(url.trim()).map_err(|error| error.to_string())?;
    match name.trim() {
        "" => Err("a site needs a name".to_owned()),
        name => Ok((name.to_owned(), url)),
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Scan all snapshots of the last crawl anew, with one thread and with several
    Scan {
        /// Threads to measure; may be repeated. Without any: one, and one a core
        #[arg(long = "threads", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
        threads: Vec<u16>,
        /// How often each number of threads is measured; the best counts
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
        rounds: u16,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Sites {
    /// Check the register: ids, addresses, doubles; with --online, whether each home page opens
    Check {
        /// Also ask each site for its home page
        #[arg(long)]
        online: bool,
    },
    /// Show the columns that were found of each site: their class, their newest item, how they stand
    Columns {
        /// Only of this site; may be repeated
        #[arg(long = "site", value_name = "ID", value_parser = SiteId::new)]
        sites: Vec<SiteId>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dict {
    /// Check dictionaries: every faulty line with its reason
    Check {
        /// Files; without any, those of the configuration
        files: Vec<PathBuf>,
    },
    /// Show what the dictionaries find in a file, a page on the web or standard input (`-`)
    Test {
        /// File, http(s) address, or - for standard input
        what: String,
        /// A further dictionary; may be repeated
        #[arg(long = "dictionary", value_name = "FILE", value_hint = ValueHint::FilePath)]
        dictionaries: Vec<PathBuf>,
    },
    /// Count patterns by dictionary and category, and say what compiling them takes
    Stats,
    /// Make a model of clean text, for `scan.typo_model`: what may be a typo that no list knows
    Train {
        /// Text files, UTF-8 or GBK; the more and the cleaner, the better
        #[arg(required = true)]
        texts: Vec<PathBuf>,
        /// Lines of a word, a space and its frequency
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        words: Option<PathBuf>,
        /// Where the model is written
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: PathBuf,
    },
}

/// Seed, size and day of the city.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct CityArgs {
    /// Equal seeds give equal cities
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Number of sites
    #[arg(long, default_value_t = 45, value_parser = clap::value_parser!(u64).range(1..=xunjian_city::SITES_MAX as u64))]
    pub(crate) sites: u64,
    /// Mean number of pages a site
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(i64::from(*xunjian_city::PAGES_RANGE.start())..=i64::from(*xunjian_city::PAGES_RANGE.end())))]
    pub(crate) pages: u32,
    /// Days since the city's first: new articles, edits, repairs, new faults
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=3650))]
    pub(crate) day: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    pub(crate) city: CityArgs,
    /// Write what was planted to this file, as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) truth: Option<PathBuf>,
    /// Look at pages through Chromium, too, and take pictures of faults: two minutes instead of seconds
    #[arg(long)]
    pub(crate) browser: bool,
}

#[derive(Debug, Args)]
pub(crate) struct City {
    #[command(flatten)]
    pub(crate) city: CityArgs,
    /// Port on 127.0.0.1 and ::1; 0 takes a free one
    #[arg(long, default_value_t = 8000)]
    pub(crate) port: u16,
    /// Write what was planted to this file, as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) truth: Option<PathBuf>,
    /// Write a configuration that reaches the city to this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config_out: Option<PathBuf>,
}
