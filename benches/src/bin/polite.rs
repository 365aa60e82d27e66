//! A night among hosts that throttle, are slow, are down for a while, or have no end: which pages
//! were seen, whether any limit was passed, and how much longer it took than the limits ask for.
//!
//! Everything is measured at the server, which the release binary of the same folder visits.

#[path = "../../../tests/support/server.rs"]
mod server;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Parser;
use server::{Asked, Reply, broken, serve};

/// Hosts, and addresses they share.
const HOSTS: usize = 45;
const ADDRESSES: usize = 9;
/// Requests a second and connections a host may see, and an address.
const HOST_RATE: usize = 5;
const ADDRESS_RATE: usize = 15;
/// Links of a list page.
const LIST: usize = 20;

/// A night among misbehaving hosts.
#[derive(Parser)]
struct Args {
    /// Pages of an ordinary host
    #[arg(long, default_value_t = 200)]
    pages: usize,
    /// Exit with 1 when the night is longer than this many times the ideal
    #[arg(long, default_value_t = 1.15)]
    at_most: f64,
}

/// How a host behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Manner {
    Well,
    /// 429 with Retry-After.
    Asks,
    /// 429 without.
    Refuses,
    /// 503 without.
    Overloaded,
    Slow,
    /// A calendar without end.
    Trap,
    /// Answers nothing for a while.
    Away,
}

const REFUSED_EVERY: usize = 50;
const REFUSED_FOR: Duration = Duration::from_secs(2);
const SLOW: Duration = Duration::from_millis(250);
const AWAY: std::ops::Range<Duration> = Duration::from_secs(10)..Duration::from_secs(22);

fn manner(host: usize) -> Manner {
    // Neighbours in this list share no address, so that each address has a mixture.
    const MANNERS: [Manner; 10] = [
        Manner::Well,
        Manner::Asks,
        Manner::Slow,
        Manner::Well,
        Manner::Refuses,
        Manner::Trap,
        Manner::Well,
        Manner::Overloaded,
        Manner::Away,
        Manner::Well,
    ];
    MANNERS[(host / ADDRESSES * 3 + host) % MANNERS.len()]
}

/// Pages of a host; one with a trap has fewer, for what the trap costs.
fn pages_of(host: usize, pages: usize) -> usize {
    if manner(host) == Manner::Trap { pages / 2 } else { pages }
}

/// Words that are different for each page, without digits, which say little.
fn words(host: usize, page: usize) -> String {
    const SYLLABLES: [char; 16] =
        ['水', '利', '教', '育', '民', '政', '财', '交', '通', '农', '业', '文', '卫', '审', '计', '法'];
    let mut words = String::new();
    let mut number = (host * 10_007 + page * 101 + 7) as u64;
    for _ in 0..24 {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        words.push(SYLLABLES[(number >> 60) as usize]);
    }
    words
}

fn page(host: usize, path: &str, pages: usize) -> Option<Reply> {
    let lists = pages.div_ceil(LIST);
    let links = |range: std::ops::Range<usize>, form: &str| {
        range
            .map(|at| format!("<li><a href=/{form}{at}.html>{}</a></li>", words(host, at)))
            .collect::<String>()
    };
    let (title, body) = match path {
        "/" => {
            let trap = if manner(host) == Manner::Trap { "<a href=/calendar?day=1>日历</a>" } else { "" };
            ("首页".to_owned(), format!("<ul>{}</ul>{trap}", links(0..lists, "list")))
        }
        _ => {
            if let Some(day) = path.strip_prefix("/calendar?day=").filter(|_| manner(host) == Manner::Trap) {
                let next = day.parse::<u64>().ok()? + 1;
                let body = format!("<h1>日历</h1><p>没有活动</p><a href=/calendar?day={next}>下一天</a>");
                return Some(Reply::page("日历", &body));
            }
            let name = path.strip_prefix('/')?.strip_suffix(".html")?;
            if let Some(list) = name.strip_prefix("list").and_then(|number| number.parse::<usize>().ok()) {
                let range = list * LIST..((list + 1) * LIST).min(pages);
                (words(host, 100_000 + list), format!("<ul>{}</ul>", links(range, "p")))
            } else {
                let at: usize = name.strip_prefix('p')?.parse().ok().filter(|at| *at < pages)?;
                (words(host, at), format!("<h1>{0}</h1><p>{0}。</p>", words(host, at)))
            }
        }
    };
    Some(Reply::page(&title, &body))
}

/// The server's side of the night.
struct Night {
    pages: usize,
    begun: Mutex<Option<Instant>>,
    refusing: Mutex<HashMap<String, Instant>>,
    seen: Mutex<BTreeSet<(usize, String)>>,
}

fn number(host: &str) -> usize {
    host.trim_start_matches('h').split('.').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

impl Night {
    fn answer(&self, asked: &Asked) -> Reply {
        let host = number(&asked.host);
        let begun = *self.begun.lock().expect("lock").get_or_insert(asked.at);
        if asked.path == "/robots.txt" {
            return Reply::missing();
        }
        let refusal = match manner(host) {
            Manner::Asks => Some(("429 Too Many Requests", "retry-after: 2\r\n")),
            Manner::Refuses => Some(("429 Too Many Requests", "")),
            Manner::Overloaded => Some(("503 Service Unavailable", "")),
            Manner::Slow => {
                std::thread::sleep(SLOW);
                None
            }
            Manner::Away if AWAY.contains(&begun.elapsed()) => return Reply::Cut,
            _ => None,
        };
        if let Some((status, headers)) = refusal {
            let mut refusing = self.refusing.lock().expect("lock");
            if asked.before % REFUSED_EVERY == REFUSED_EVERY - 1 {
                refusing.insert(asked.host.clone(), asked.at + REFUSED_FOR);
            }
            if refusing.get(&asked.host).is_some_and(|until| *until > asked.at) {
                return Reply::Other(status, headers.to_owned(), String::new());
            }
        }
        match page(host, &asked.path, pages_of(host, self.pages)) {
            None => Reply::missing(),
            Some(reply) => {
                self.seen.lock().expect("lock").insert((host, asked.path.clone()));
                reply
            }
        }
    }

    /// Pages that can be reached, the trap's left out.
    fn reachable(&self) -> usize {
        let of = |host| {
            let pages = pages_of(host, self.pages);
            1 + pages.div_ceil(LIST) + pages
        };
        (0..HOSTS).map(of).sum()
    }

    fn seen(&self) -> usize {
        let seen = self.seen.lock().expect("lock");
        seen.iter().filter(|(_, path)| !path.starts_with("/calendar")).count()
    }

    /// Seconds the limits ask for: each page once and robots.txt, the pauses hosts ask for, and
    /// addresses that are shared.
    fn ideal(&self) -> f64 {
        let mut addresses = [0.0_f64; ADDRESSES];
        let mut longest = 0.0_f64;
        for host in 0..HOSTS {
            let pages = pages_of(host, self.pages);
            let requests = (2 + pages.div_ceil(LIST) + pages) as f64;
            let pauses = match manner(host) {
                Manner::Asks | Manner::Refuses | Manner::Overloaded => {
                    (requests / REFUSED_EVERY as f64).floor() * REFUSED_FOR.as_secs_f64()
                }
                Manner::Away => (AWAY.end - AWAY.start).as_secs_f64(),
                _ => 0.0,
            };
            longest = longest.max(requests / HOST_RATE as f64 + pauses);
            addresses[host % ADDRESSES] += requests / ADDRESS_RATE as f64;
        }
        addresses.into_iter().fold(longest, f64::max)
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let program = std::env::current_exe()?.with_file_name("xunjian");
    ensure!(program.exists(), "{} is missing: build it with cargo build --release", program.display());
    let night = Arc::new(Night {
        pages: args.pages,
        begun: Mutex::default(),
        refusing: Mutex::default(),
        seen: Mutex::default(),
    });
    let server = {
        let night = Arc::clone(&night);
        serve(move |asked| night.answer(asked))
    };
    let folder = std::env::temp_dir().join(format!("xunjian-polite-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut config = format!(
        "data = \"data\"\n[politeness]\nrequests_per_second = {HOST_RATE}\nconnections = 4\naddress_requests_per_second = {ADDRESS_RATE}\naddress_connections = 20\nblock_s = 2\nblock_max_s = 4\n[crawl]\nretry_pause_s = 0.5\n[render]\nbrowser = \"off\"\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n"
    );
    for host in 0..HOSTS {
        let _ = writeln!(config, "\"h{host}.test\" = \"127.0.0.{}:{}\"", 1 + host % ADDRESSES, server.port);
        // There are no other names, and no server of names is waited for to say so.
        let _ = writeln!(config, "\"www.h{host}.test\" = []");
    }
    for host in 0..HOSTS {
        let _ = writeln!(
            config,
            "[[site]]\nid = \"h{host}\"\nname = \"h{host}\"\nurl = \"http://h{host}.test/\"\nkind = \"department\""
        );
    }
    std::fs::write(folder.join("xunjian.toml"), config)?;
    let begun = Instant::now();
    let status = Command::new(program)
        .args(["--quiet", "--config"])
        .arg(folder.join("xunjian.toml"))
        .arg("crawl")
        .status()
        .context("xunjian")?;
    let seconds = begun.elapsed().as_secs_f64();
    std::fs::remove_dir_all(&folder)?;
    let asked = server.asked();
    let mut hosts: BTreeMap<&str, Vec<Instant>> = BTreeMap::new();
    let mut addresses: BTreeMap<std::net::IpAddr, Vec<Instant>> = BTreeMap::new();
    for one in &asked {
        hosts.entry(&one.host).or_default().push(one.at);
        addresses.entry(one.address).or_default().push(one.at);
    }
    let over_host: usize = hosts.values().map(|times| broken(times, HOST_RATE).len()).sum();
    let over_address: usize = addresses.values().map(|times| broken(times, ADDRESS_RATE).len()).sum();
    let (reachable, seen, ideal) = (night.reachable(), night.seen(), night.ideal());
    let trapped = night.seen.lock().expect("lock").len() - seen;
    let mut manners: BTreeMap<Manner, usize> = BTreeMap::new();
    (0..HOSTS).for_each(|host| *manners.entry(manner(host)).or_default() += 1);
    let first = asked.first().map(|one| one.at).context("nothing was asked")?;
    let mut ends: BTreeMap<Manner, f64> = BTreeMap::new();
    for one in &asked {
        let end = ends.entry(manner(number(&one.host))).or_default();
        *end = end.max(one.at.duration_since(first).as_secs_f64());
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "hosts by manner: {manners:?}")?;
    writeln!(out, "seconds to the last request, by manner: {ends:.0?}")?;
    writeln!(out, "| | |\n|---|--:|")?;
    writeln!(out, "| pages that can be reached | {reachable} |")?;
    writeln!(out, "| of these seen | {seen} ({:.2} %) |", 100.0 * seen as f64 / reachable as f64)?;
    writeln!(out, "| pages of traps seen | {trapped} |")?;
    writeln!(out, "| requests | {} |", asked.len())?;
    writeln!(out, "| requests above a host's limit of {HOST_RATE} a second | {over_host} |")?;
    writeln!(out, "| requests above an address's limit of {ADDRESS_RATE} a second | {over_address} |")?;
    writeln!(out, "| seconds the limits ask for | {ideal:.1} |")?;
    writeln!(out, "| seconds it took | {seconds:.1} ({:.2}×) |", seconds / ideal)?;
    ensure!(status.success(), "xunjian ended with {status}");
    ensure!(seen == reachable && over_host == 0 && over_address == 0, "pages were missed or limits passed");
    ensure!(seconds / ideal <= args.at_most, "the night took {:.2}× the ideal", seconds / ideal);
    Ok(())
}
