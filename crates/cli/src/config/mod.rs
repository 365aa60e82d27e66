//! `xunjian.toml`: text in, checked settings out, all mistakes at once.

mod alert;
mod cluster;
mod crawl;
mod judge;
mod network;
mod reader;
mod register;
mod render;

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use toml::de::DeTable;
use xunjian_alert::Sink;
use xunjian_dict::{Dictionary, LoadError};
use xunjian_engine::Settings;
use xunjian_judge::ColumnClass;
use xunjian_model::Site;
use xunjian_scan::FindingLimits;
use xunjian_spell::Model;

use reader::{Fault, Source, Table};
use register::Register;

pub(crate) use register::COLUMNS as REGISTER_COLUMNS;

/// Where the configuration is looked for when no `--config` is given.
pub(crate) const DEFAULT_FILE: &str = "xunjian.toml";
/// Zone of dates without one.
const ZONE: &str = "Asia/Shanghai";
/// Bytes that are left free on the disk, where the configuration says nothing.
const FREE_BYTES_MIN: u64 = 256 << 20;

/// Why a configuration cannot be used: every mistake in it.
#[derive(Debug)]
pub(crate) struct ConfigError {
    faults: Vec<Fault>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.faults.iter().enumerate() {
            let end = if at > 0 { "\n" } else { "" };
            write!(f, "{end}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Which secrets a command needs; the others need not even be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Secrets {
    None,
    OfAlerts,
    OfNetwork,
    /// Those of the network, too.
    OfCluster,
}

/// Reads a configuration and everything it names: register, dictionaries, catalogue, authority.
pub(crate) fn load(file: &Path) -> Result<Settings, ConfigError> {
    read(file, Secrets::None).map(|whole| whole.settings)
}

/// The same for a command that asks sites for something.
pub(crate) fn load_to_ask(file: &Path) -> Result<Settings, ConfigError> {
    read(file, Secrets::OfNetwork).map(|whole| whole.settings)
}

/// The same for a command that crawls, maybe with the workers of a cluster.
pub(crate) fn load_to_crawl(file: &Path) -> Result<Settings, ConfigError> {
    read(file, Secrets::OfCluster).map(|whole| whole.settings)
}

/// The sinks of alerts with their secrets, and where the console is to be found.
pub(crate) fn sinks(file: &Path) -> Result<(Vec<Sink>, Option<String>), ConfigError> {
    read(file, Secrets::OfAlerts).map(|whole| (whole.sinks, whole.console.public_url))
}

/// Everything a configuration says.
struct Whole {
    settings: Settings,
    sinks: Vec<Sink>,
    console: Console,
}

/// How the console is offered.
pub(crate) struct Console {
    /// Where it listens; `None`: nowhere.
    pub(crate) listen: Option<SocketAddr>,
    /// The address people write.
    pub(crate) public_url: Option<String>,
    /// Proxies before it.
    pub(crate) proxies: Vec<IpAddr>,
}

/// How the console is offered.
pub(crate) fn console(file: &Path) -> Result<Console, ConfigError> {
    read(file, Secrets::None).map(|whole| whole.console)
}

fn read(file: &Path, secrets: Secrets) -> Result<Whole, ConfigError> {
    let fail =
        |reason: String| ConfigError { faults: vec![Fault { file: file.to_owned(), line: 0, reason }] };
    let bytes = std::fs::read(file).map_err(|error| {
        let mend = "; `xunjian init` writes one, --config names another";
        fail(format!("cannot read the configuration: {error}{mend}"))
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| fail("the configuration must be UTF-8 text; save it so in your editor".to_owned()))?;
    let mut source = Source::new(file, &text);
    let values = match DeTable::parse(&text) {
        Ok(values) => values,
        Err(error) => {
            source.fault(error.span().map_or(0, |span| span.start), format!("not TOML: {}", error.message()));
            return Err(ConfigError { faults: source.into_faults() });
        }
    };
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let mut reading = Reading { source, folder, others: Vec::new() };
    let settings = reading.settings(file, Table::root(values.get_ref()), secrets);
    let mut faults = reading.source.into_faults();
    faults.extend(reading.others);
    match settings {
        Some(settings) if faults.is_empty() => Ok(settings),
        _ => Err(ConfigError { faults }),
    }
}

/// The hosts of all sites.
fn own_hosts(sites: &[Site]) -> HashSet<String> {
    sites.iter().flat_map(Site::hosts).map(str::to_owned).collect()
}

/// How many findings are told.
fn finding_limits(table: &mut Table<'_, '_>, source: &mut Source<'_>) -> FindingLimits {
    let mut limits = FindingLimits::default();
    for (key, limit) in [
        ("page_findings_max", &mut limits.page_max),
        ("same_findings_max", &mut limits.same_max),
        ("kind_findings_max", &mut limits.kind_max),
    ] {
        table.set(source, key, limit);
        at_least(table, source, key, *limit > 0, "1 or more");
    }
    limits
}

/// The dictionaries of the configuration, or the shipped ones where there is none, and further
/// ones.
pub(crate) fn dictionaries(file: &Path, more: &[PathBuf]) -> anyhow::Result<Vec<Dictionary>> {
    words(file, more).map(|(dictionaries, _)| dictionaries)
}

/// The same with the model of clean text, where the configuration wants one.
pub(crate) fn words(file: &Path, more: &[PathBuf]) -> anyhow::Result<(Vec<Dictionary>, Option<Arc<Model>>)> {
    let configured = file.exists() || file != Path::new(DEFAULT_FILE);
    let (mut dictionaries, model) = match configured {
        true => load(file).map(|settings| (settings.dictionaries, settings.typo_model))?,
        false => (xunjian_dict::shipped(), None),
    };
    for file in more {
        dictionaries.push(xunjian_dict::load_file(file)?);
    }
    Ok((dictionaries, model))
}

struct Reading<'t> {
    source: Source<'t>,
    folder: PathBuf,
    /// Mistakes in the files the configuration names.
    others: Vec<Fault>,
}

impl Reading<'_> {
    fn settings(&mut self, file: &Path, mut root: Table<'_, '_>, secrets: Secrets) -> Option<Whole> {
        let source = &mut self.source;
        let data: Option<PathBuf> = root.get(source, "data");
        let zone = zone(&mut root, source);
        let monitoring_point = monitoring_point(&mut root, source, &zone);
        let mut network = root.section(source, "network");
        let mut politeness = root.section(source, "politeness");
        let mut crawl = root.section(source, "crawl");
        let mut scan = root.section(source, "scan");
        let mut judge = root.section(source, "judge");
        let mut media = root.section(source, "media");
        let mut monitoring = root.section(source, "monitor");
        let mut serve = root.section(source, "serve");
        let mut notice = root.section(source, "notice");
        let mut search = root.section(source, "search");
        let mut store = root.section(source, "store");
        let mut metrics = root.section(source, "metrics");
        let mut rendering = root.section(source, "render");
        let mut clustered = root.section(source, "cluster");
        let fetch = network::fetch_limits(&mut network, source);
        let asks = matches!(secrets, Secrets::OfNetwork | Secrets::OfCluster);
        let mut client = network::network(&mut network, source, &self.folder, asks);
        client.authority = self.authority(&mut network);
        let source = &mut self.source;
        network.finish(source);
        let versions_max = store.get(source, "versions_max").unwrap_or(0);
        let compact_days = store.get(source, "compact_days").unwrap_or(7);
        let revisit_records = store.get(source, "revisit_records").unwrap_or(false);
        let free_bytes_min = store.get(source, "free_bytes_min").unwrap_or(FREE_BYTES_MIN);
        store.finish(source);
        let counters = crawl::metrics(&mut metrics, source);
        metrics.finish(source);
        let of_cluster = secrets == Secrets::OfCluster;
        let cluster = cluster::cluster(&mut clustered, source, &self.folder, of_cluster);
        clustered.finish(source);
        let render = render::render(&mut rendering, source);
        rendering.finish(source);
        let manners = crawl::politeness(&mut politeness, source, &zone);
        politeness.finish(source);
        let limits = crawl::limits(&mut crawl, source);
        let incremental = crawl::incremental(&mut crawl, source);
        let mut page = xunjian_page::Limits::default();
        crawl.set(source, "page_depth_max", &mut page.depth_max);
        crawl.set(source, "page_links_max", &mut page.links_max);
        crawl.set(source, "page_text_bytes_max", &mut page.text_bytes_max);
        crawl.finish(source);
        let threads = scan.get(source, "threads").unwrap_or(0);
        let findings = finding_limits(&mut scan, source);
        let dictionaries = self.dictionaries(&mut scan);
        let typo_model = self.typo_model(&mut scan);
        scan.finish(&mut self.source);
        let catalogue = judge::catalogue(&mut judge, &mut self.source, &self.folder);
        let calendar = judge::calendar(&mut judge, &mut self.source, &self.folder);
        judge.finish(&mut self.source);
        let ledger = judge::ledger(&mut media, &mut self.source, &self.folder, &mut self.others);
        let posts = judge::posts(&mut media, &mut self.source, &self.folder);
        let feeds = media.get(&mut self.source, "feeds").unwrap_or(true);
        media.finish(&mut self.source);
        let mut monitor = judge::monitor(&mut monitoring, &mut self.source);
        monitoring.finish(&mut self.source);
        let nightly = judge::nightly(&mut serve, &mut self.source);
        let public_url = serve.get(&mut self.source, "public_url");
        let listen = judge::listen(&mut serve, &mut self.source);
        let proxies = judge::proxies(&mut serve, &mut self.source);
        let console = Console { listen, public_url, proxies };
        serve.finish(&mut self.source);
        let notice_texts = judge::notice(&mut notice, &mut self.source, &self.folder, &mut self.others);
        notice.finish(&mut self.source);
        let searches = search.get(&mut self.source, "enabled").unwrap_or(true);
        search.finish(&mut self.source);
        let classes = catalogue.as_ref().map(|catalogue| catalogue.classes.as_slice());
        let sites = self.register(file, &mut root, classes);
        client.own_hosts = Arc::new(own_hosts(&sites));
        judge::check_ids(&mut self.source, &sites);
        let rows = root.rows(&mut self.source, "outage");
        monitor.outages = judge::outages(&mut self.source, &rows, &sites, &zone);
        let rows = root.rows(&mut self.source, "alert");
        let sinks = alert::sinks(&mut self.source, &rows, &self.folder, secrets == Secrets::OfAlerts);
        root.finish(&mut self.source);
        let Some(data) = data else {
            self.source.fault(
                0,
                "`data` is missing: write data = \"xunjian-data\", the folder everything is kept in",
            );
            return None;
        };
        if sites.is_empty() && self.others.is_empty() {
            self.source.fault(0, "no site: add [[site]] tables, or sites = \"sites.csv\"");
        }
        let settings = Settings {
            data: self.folder.join(data),
            sites,
            zone,
            monitoring_point,
            fetch,
            network: client,
            politeness: manners,
            crawl: limits,
            render,
            incremental,
            versions_max,
            compact_days,
            revisit_records,
            free_bytes_min,
            metrics: counters,
            page,
            findings,
            dictionaries,
            typo_model,
            catalogue: catalogue?,
            calendar,
            monitor,
            ledger,
            posts,
            feeds,
            search: searches,
            notice: notice_texts,
            nightly,
            threads,
            cluster,
        };
        Some(Whole { settings, sinks, console })
    }

    fn authority(&mut self, network: &mut Table<'_, '_>) -> Option<Vec<u8>> {
        let file: PathBuf = network.get(&mut self.source, "ca_file")?;
        let at = network.value("ca_file").map_or(0, |value| value.span().start);
        let path = self.folder.join(file);
        std::fs::read(&path)
            .map_err(|error| {
                self.source.fault(at, format!("`network.ca_file`: cannot read {}: {error}", path.display()))
            })
            .ok()
    }

    /// The model of clean text for typos that no dictionary knows: none, the shipped one, or a file.
    fn typo_model(&mut self, scan: &mut Table<'_, '_>) -> Option<Arc<Model>> {
        let wanted = scan.get(&mut self.source, "statistical_typos").unwrap_or(false);
        let file: Option<String> = scan.get(&mut self.source, "typo_model");
        let at = scan.value("typo_model").map_or(0, |value| value.span().start);
        if !wanted {
            return None;
        }
        let Some(file) = file else { return Some(Arc::new(Model::shipped())) };
        let read = std::fs::read(self.folder.join(&file)).map_err(|error| error.to_string());
        match read.and_then(|bytes| Model::from_bytes(&bytes).map_err(|error| error.to_string())) {
            Ok(model) => Some(Arc::new(model)),
            Err(error) => {
                self.source.fault(at, format!("`scan.typo_model`: {file}: {error}"));
                None
            }
        }
    }

    /// The shipped dictionaries, unless they are switched off, and the office's own.
    fn dictionaries(&mut self, scan: &mut Table<'_, '_>) -> Vec<Dictionary> {
        let shipped = scan.get(&mut self.source, "shipped_dictionaries").unwrap_or(true);
        let mut dictionaries = if shipped { xunjian_dict::shipped() } else { Vec::new() };
        let patterns: Vec<String> = scan.get(&mut self.source, "dictionaries").unwrap_or_default();
        let at = scan.value("dictionaries").map_or(0, |value| value.span().start);
        for pattern in patterns {
            let files = match expand(&self.folder.join(&pattern)) {
                Ok(files) if !files.is_empty() => files,
                Ok(_) => {
                    self.source.fault(at, format!("`scan.dictionaries`: no file matches {pattern:?}"));
                    continue;
                }
                Err(reason) => {
                    self.source.fault(at, format!("`scan.dictionaries`: {pattern:?}: {reason}"));
                    continue;
                }
            };
            for file in files {
                match xunjian_dict::load_file(&file) {
                    Ok(dictionary) => dictionaries.push(dictionary),
                    Err(LoadError::Faults { path, faults }) => {
                        let fault = |one: xunjian_dict::Fault| Fault {
                            file: path.clone(),
                            line: one.line,
                            reason: one.reason,
                        };
                        self.others.extend(faults.into_iter().map(fault));
                    }
                    Err(error @ LoadError::Read { .. }) => {
                        self.source.fault(at, format!("`scan.dictionaries`: {error}"));
                    }
                }
            }
        }
        dictionaries
    }

    fn register(
        &mut self,
        file: &Path,
        root: &mut Table<'_, '_>,
        classes: Option<&[ColumnClass]>,
    ) -> Vec<Site> {
        let mut register = Register::default();
        if let Some(table) = root.get::<PathBuf>(&mut self.source, "sites") {
            let faults = register.read_sheet(&self.folder.join(table));
            self.others.extend(faults);
        }
        let rows = root.rows(&mut self.source, "site");
        register.read_tables(&mut self.source, file, &rows);
        let (sites, faults) = register.settle(classes);
        self.others.extend(faults);
        sites
    }
}

/// Files of a pattern such as `words/*.toml`, sorted by name.
pub(crate) fn expand(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let text = pattern.to_str().ok_or("the path is not UTF-8")?;
    let files = glob::glob(text).map_err(|error| error.to_string())?;
    files.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())
}

fn zone(root: &mut Table<'_, '_>, source: &mut Source<'_>) -> TimeZone {
    let name: String = root.get(source, "zone").unwrap_or_else(|| ZONE.to_owned());
    let at = root.value("zone").map_or(0, |value| value.span().start);
    TimeZone::get(&name).unwrap_or_else(|error| {
        source.fault(at, format!("`zone`: {error}; write an IANA name like {ZONE}"));
        TimeZone::UTC
    })
}

/// A moment, or a day, which stands for its end.
fn monitoring_point(root: &mut Table<'_, '_>, source: &mut Source<'_>, zone: &TimeZone) -> Option<Timestamp> {
    let text: String = root.get(source, "monitoring_point")?;
    let at = root.value("monitoring_point").map_or(0, |value| value.span().start);
    let end_of_day = |text: &str| {
        let day: jiff::civil::Date = text.parse().ok()?;
        zone.to_timestamp(day.at(23, 59, 59, 0)).ok()
    };
    let point = text.parse().ok().or_else(|| end_of_day(&text));
    if point.is_none() {
        source.fault(
            at,
            format!(
                "`monitoring_point`: {text:?} is not a moment: write 2026-06-30 or 2026-06-30T20:00:00+08:00"
            ),
        );
    }
    point
}

fn at_least(table: &mut Table<'_, '_>, source: &mut Source<'_>, key: &'static str, ok: bool, wanted: &str) {
    if !ok {
        let at = table.value(key).map_or(0, |value| value.span().start);
        source.fault(at, format!("`{key}` must be {wanted}"));
    }
}

#[cfg(test)]
mod tests {
    use xunjian_model::PageUrl;

    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("xunjian.toml");
        std::fs::write(&file, text).expect("written");
        match load(&file) {
            Ok(_) => Vec::new(),
            Err(error) => {
                error.faults.iter().map(|fault| format!("{}: {}", fault.line, fault.reason)).collect()
            }
        }
    }

    const SITE: &str = "[[site]]\nid = \"a\"\nname = \"甲\"\nurl = \"http://a.gov.cn/\"\nkind = \"portal\"\n";

    #[test]
    fn a_small_configuration_is_enough() {
        assert_eq!(faults(&format!("data = \"d\"\n{SITE}")), Vec::<String>::new());
    }

    #[test]
    fn every_mistake_is_named_with_its_line() {
        let table: [(&str, &str); 35] = [
            ("data = \"d\"\n[cluster]\nurl = \"http://a:1\"\n", "3: `cluster.url`: is no address of NATS"),
            ("data = \"d\"\n[cluster]\nname = \"a\"\n", "3: `cluster.url`: is missing: like"),
            (
                "data = \"d\"\n[cluster]\nurl = \"nats://a:1\"\nreplicas = 2\n",
                "4: `replicas` must be 1, 3 or 5",
            ),
            (
                "data = \"d\"\n[cluster]\nurl = \"nats://a:1\"\nlease_s = 1\n",
                "4: `lease_s` must be between 3 and 3600",
            ),
            (
                "data = \"d\"\n[cluster]\nurl = \"nats://a:1, tls://b:1\"\nname = \"a.b\"\n",
                "4: `cluster.name`: is made of letters, digits, - and _ alone",
            ),
            (
                "data = \"d\"\n[cluster]\nurl = \"nats://a:1\"\nlog_bytes_max = 1\n",
                "4: `log_bytes_max` must be 67108864 or more",
            ),
            (
                "data = \"d\"\n[cluster]\nurl = \"nats://a:1\"\nca_file = \"none.pem\"\n",
                "4: `cluster.ca_file`: ",
            ),
            (
                "data = \"d\"\ncolour = 1\n",
                "2: unknown key `colour`; known here: alert, cluster, crawl, data",
            ),
            (
                "data = \"d\"\n[politeness]\nrequests_per_second = -1\n",
                "3: `politeness.requests_per_second`: must be 0 or more",
            ),
            (
                "data = \"d\"\n[politeness]\nwindow = \"22\"\n",
                "3: `politeness.window`: \"22\" is not a window",
            ),
            ("data = \"d\"\n[politeness]\nconnections = 0\n", "3: `connections` must be 1 or more"),
            (
                "data = \"d\"\n[network]\nallow_private = [\"x\"]\n",
                "3: `network.allow_private`: \"x\" is not a network",
            ),
            (
                "data = \"d\"\n[network.resolve]\n\"a.cn\" = \"x\"\n",
                "3: `network.resolve`: \"x\" is not an address",
            ),
            (
                "data = \"d\"\n[network.headers]\n\"a.cn\" = \"x\"\n",
                "3: `network.headers`: \"a.cn\" needs a table of headers",
            ),
            (
                "data = \"d\"\n[network.headers]\n\"a.cn\" = { Host = \"x\" }\n",
                "3: `network.headers`: \"Host\" is set by xunjian itself",
            ),
            (
                "data = \"d\"\n[network]\nheader_bytes_max = 10\n",
                "3: `header_bytes_max` must be 8192 or more",
            ),
            (
                "data = \"d\"\n[[politeness.rate]]\ndays = \"work\"\nhours = \"08:00-18:00\"\n",
                "2: `politeness.rate`: \"work\" are not days",
            ),
            (
                "data = \"d\"\n[[politeness.rate]]\nhours = \"8-18\"\n",
                "2: `politeness.rate`: \"8-18\" is not a window",
            ),
            ("data = \"d\"\n[[politeness.rate]]\ndays = \"sat\"\n", "2: a [[politeness.rate]] needs `hours`"),
            (
                "data = \"d\"\n[[politeness.rate]]\nhours = \"08:00-18:00\"\nrequests_per_second = -2\n",
                "4: `politeness.rate.requests_per_second`: must be 0 or more",
            ),
            ("data = \"d\"\n[politeness]\nblock_pages = [\" \"]\n", "3: `block_pages` must be texts"),
            ("data = \"d\"\n[network]\nproxy = \"p.cn:3128\"\n", "3: `network.proxy`: not a proxy"),
            (
                "data = \"d\"\n[network]\nname_servers = [\"dns\"]\n",
                "3: `network.name_servers`: \"dns\" is not",
            ),
            ("data = \"d\"\n[metrics]\nlisten = \"9464\"\n", "3: `metrics.listen`: "),
            (
                "data = \"d\"\n[[site]]\nid = \"s\"\nname = \"x\"\nurl = \"http://s.cn/\"\nkind = \"portal\"\nseeds = [\"http://t.cn/\"]\n",
                "2: seed \"http://t.cn/\" is outside the site",
            ),
            ("data = 1\n", "1: `data`: must be a text in quotes, not integer"),
            ("data = \"d\"\nzone = \"Mars/Base\"\n", "2: `zone`: "),
            (
                "data = \"d\"\nmonitoring_point = \"soon\"\n",
                "2: `monitoring_point`: \"soon\" is not a moment",
            ),
            (
                "data = \"d\"\n[scan]\ndictionaries = [\"none/*.toml\"]\n",
                "3: `scan.dictionaries`: no file matches",
            ),
            ("data = \"d\"\nsites = \"none.csv\"\n", "1: cannot read the register of sites"),
            (
                "data = \"d\"\n[[site]]\nid = \"a\"\nname = \"x\"\nurl = \"a.gov.cn\"\nkind = \"portal\"\n",
                "2: \"a.gov.cn\" is not a URL",
            ),
            (
                "data = \"d\"\n[[site]]\nid = \"A\"\nname = \"x\"\nurl = \"http://a/\"\nkind = \"school\"\n",
                "2: \"A\" is not a site id",
            ),
            (
                "data = \"d\"\n[[site]]\nid = \"b\"\nname = \"x\"\nkind = \"portal\"\n",
                "2: a site needs `url`",
            ),
            ("data = \n", "1: not TOML: "),
            ("", "1: `data` is missing"),
        ];
        for (text, wanted) in table {
            let all = faults(&format!("{text}{SITE}"));
            assert!(all.iter().any(|fault| fault.starts_with(wanted)), "{text}: {all:#?}");
        }
    }

    #[test]
    fn several_mistakes_come_together_and_doubles_name_the_first() {
        let all = faults(&format!("data = \"d\"\nx = 1\ny = 2\n{SITE}{SITE}"));
        assert_eq!(all.len(), 4, "{all:#?}");
        assert!(all.iter().any(|fault| fault.starts_with("9: site id \"a\" stands already in")), "{all:#?}");
        assert!(all.iter().any(|fault| fault.starts_with("9: \"a.gov.cn\" belongs already")), "{all:#?}");
    }

    /// The sites of a register; each row is id, kind, address and hosts.
    fn sites(rows: &[(&str, &str, &str, &[&str])]) -> Result<Vec<Site>, Vec<String>> {
        let row = |(id, kind, url, hosts): &(&str, &str, &str, &[&str])| {
            format!(
                "[[site]]\nid = \"{id}\"\nname = \"x\"\nurl = \"{url}\"\nkind = \"{kind}\"\nhosts = {hosts:?}\n"
            )
        };
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("xunjian.toml");
        let text = format!("data = \"d\"\n{}", rows.iter().map(row).collect::<String>());
        std::fs::write(&file, text).expect("written");
        let told = |error: ConfigError| error.faults.into_iter().map(|fault| fault.reason).collect();
        load(&file).map(|settings| settings.sites).map_err(told)
    }

    #[test]
    fn sites_of_one_host_have_a_folder_each_and_the_portal_the_rest() {
        let portal = ("city", "portal", "http://www.a.gov.cn/web/index.html", &[][..]);
        let water = ("water", "department", "http://www.a.gov.cn/slj/", &[][..]);
        let schools =
            ("schools", "department", "https://www.a.gov.cn/web/jyj/index.html", &["jyj.a.gov.cn"][..]);
        let all = sites(&[portal, water, schools]).expect("loads");
        let owner = |url: &str| {
            let url = PageUrl::parse(url).expect("url");
            let owners: Vec<&str> =
                all.iter().filter(|site| site.in_scope(&url)).map(|site| site.id.as_str()).collect();
            owners.join(" ")
        };
        for (url, id) in [
            ("http://www.a.gov.cn/", "city"),
            ("http://www.a.gov.cn/web/zwgk/1.html", "city"),
            ("http://www.a.gov.cn/images/1.png", "city"),
            ("http://www.a.gov.cn/slj", "water"),
            ("https://www.a.gov.cn/slj/tz/1.html", "water"),
            ("http://www.a.gov.cn/web/jyj/2.html", "schools"),
            ("http://jyj.a.gov.cn/2.html", "schools"),
            ("http://b.gov.cn/slj/", ""),
        ] {
            assert_eq!(owner(url), id, "{url}");
        }
        // Alone on its host a site has all of it, wherever its home page is.
        let alone = sites(&[water]).expect("loads");
        assert!(alone[0].in_scope(&PageUrl::parse("http://www.a.gov.cn/zwgk/").expect("url")));
        // A row may say it otherwise.
        let narrow = sites(&[("water", "department", "http://www.a.gov.cn/slj/", &["www.a.gov.cn/slj"])])
            .expect("loads");
        assert!(!narrow[0].in_scope(&PageUrl::parse("http://www.a.gov.cn/zwgk/").expect("url")));
        // Without a portal nobody has the rest.
        let two = [water, ("schools", "department", "http://www.a.gov.cn/jyj/", &[][..])];
        let two = sites(&two).expect("loads");
        assert!(!two.iter().any(|site| site.in_scope(&PageUrl::parse("http://www.a.gov.cn/").expect("url"))));
    }

    #[test]
    fn scopes_that_contradict_each_other_are_refused() {
        let portal = ("city", "portal", "http://www.a.gov.cn/", &[][..]);
        let of = |rows: &[(&str, &str, &str, &[&str])]| sites(rows).expect_err("refused").join("\n");
        let same = of(&[portal, ("water", "department", "http://www.a.gov.cn/slj.jsp?id=3", &[])]);
        assert!(same.contains("\"www.a.gov.cn\" belongs already to the site in"), "{same}");
        assert!(same.contains("in `hosts` like www.a.gov.cn/jyj/"), "{same}");
        let folder = of(&[
            portal,
            ("water", "department", "http://www.a.gov.cn/slj/", &[]),
            ("dams", "department", "http://www.a.gov.cn/slj/index.html", &[]),
        ]);
        assert!(folder.contains("\"www.a.gov.cn/slj/\" belongs already"), "{folder}");
        let within = of(&[
            ("city", "portal", "http://www.a.gov.cn/slj/index.html", &[]),
            ("water", "department", "http://www.a.gov.cn/slj/", &[]),
        ]);
        assert!(
            within.contains("home page http://www.a.gov.cn/slj/index.html belongs to the site in"),
            "{within}"
        );
        let bad = of(&[("water", "department", "http://www.a.gov.cn/", &["http://b.gov.cn/"])]);
        assert!(bad.contains("`hosts`: \"http://b.gov.cn/\" is neither a host"), "{bad}");
        let away = of(&[("water", "department", "http://www.a.gov.cn/", &["www.a.gov.cn/slj/"])]);
        assert!(away.contains("is outside the site, which has www.a.gov.cn/slj/"), "{away}");
    }

    #[test]
    fn the_register_may_be_a_table_of_an_office() {
        let folder = tempfile::tempdir().expect("folder");
        let write =
            |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("written");
        write("xunjian.toml", b"data = \"d\"\nsites = \"sites.csv\"\n");
        // 市水利局 in GBK.
        let name = b"\xCA\xD0\xCB\xAE\xC0\xFB\xBE\xD6";
        write(
            "sites.csv",
            &[
                &b"id,name,url,kind,hosts\nwater,"[..],
                name,
                b",http://w.gov.cn/,department,a.gov.cn b.gov.cn\n",
            ]
            .concat(),
        );
        let settings = load(&folder.path().join("xunjian.toml")).expect("loads");
        assert_eq!(settings.sites[0].name, "市水利局");
        assert_eq!(settings.sites[0].hosts().collect::<Vec<_>>(), ["w.gov.cn", "a.gov.cn", "b.gov.cn"]);
        let refused = |table: &str| {
            write("sites.csv", table.as_bytes());
            load(&folder.path().join("xunjian.toml")).expect_err("refused").to_string()
        };
        let error = refused("id,url,colour\nwater,x,y\n");
        for reason in [
            "unknown column \"colour\"", "column name (网站名称) is missing", "column kind (类型) is missing",
        ] {
            assert!(error.contains(reason), "{error}");
        }
        let error = refused("网站名称,网址,类型,名称\n市水利局,w.gov.cn,部门,x\n");
        for reason in ["neither a column id (编号) nor code", "column name stands twice"] {
            assert!(error.contains(reason), "{error}");
        }
        let error =
            refused("id,name,url,kind,cookies\nw,市水利局,http://w.gov.cn/,处室,maybe\nx,,w2,部门,\n");
        for reason in [
            "2: `cookies` must be true, false or empty, not \"maybe\"",
            "2: \"处室\" is not a kind of site",
            "3: a site needs `name`",
            "3: \"w2\"",
        ] {
            assert!(error.contains(reason), "{reason}: {error}");
        }
        assert!(refused("").contains("the first line must name the columns"));
        // As offices keep it.
        write(
            "sites.csv",
            "序号,网站名称,主办单位,网站标识码,网址,类型,无办事服务\n1,云川市人民政府,市政府办,1509000001,www.yunchuan.gov.cn,门户,\n\
             2,市地方志,市志办,1509000035,http://dfz.yunchuan.gov.cn/,部门网站,是\n"
                .as_bytes(),
        );
        let sites = load(&folder.path().join("xunjian.toml")).expect("loads").sites;
        let told: Vec<_> = sites
            .iter()
            .map(|site| (site.id.as_str(), site.url.as_str(), site.kind.as_str(), site.no_service))
            .collect();
        assert_eq!(
            told,
            [
                ("1509000001", "http://www.yunchuan.gov.cn/", "portal", false),
                ("1509000035", "http://dfz.yunchuan.gov.cn/", "department", true)
            ]
        );
    }
}
