//! The nightly run and its steps: `run`, `crawl`, `scan`, `judge`, `report`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use xunjian_console::Live;
use xunjian_crawl::Progress;
use xunjian_engine::{
    Cpu, CrawlSummary, Engine, ScanSummary, Settings, SiteBeyond, StepCost, WrittenReport, is_another_night,
};
use xunjian_model::{Finding, Outcome, Severity, SiteId, Tally};

use crate::args::{self, Common};
use crate::commands::{alert, store};
use crate::events::Events;
use crate::interrupt::Interrupt;
use crate::metrics::Metrics;
use crate::terminal::{Terminal, table};
use crate::{Exit, config};

/// Time between two drawings of the crawl's bar.
const DRAW_EVERY: Duration = Duration::from_millis(200);
/// How long ago a monitoring point in the configuration was most likely forgotten: a quarter.
const LATE: SignedDuration = SignedDuration::from_hours(92 * 24);

/// The steps over one store, each measured.
pub(crate) struct Night {
    pub(crate) engine: Engine,
    terminal: Terminal,
    fail_on: Option<Severity>,
    costs: BTreeMap<&'static str, StepCost>,
    /// What a crawl under way is at, for whoever looks.
    pub(crate) live: Live,
}

impl Night {
    pub(crate) fn open(settings: Settings, common: &Common, terminal: Terminal) -> anyhow::Result<Self> {
        let engine = Engine::open(settings)?;
        Ok(Self { engine, terminal, fail_on: common.fail_on, costs: BTreeMap::new(), live: Live::default() })
    }

    /// Crawls; `None` when it was interrupted.
    #[tracing::instrument(skip_all, fields(pages, requests, failed))]
    pub(crate) async fn crawl(
        &mut self,
        only: &[SiteId],
        nightly: bool,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Option<CrawlSummary>> {
        let cpu = Cpu::now();
        let progress = Arc::new(Progress::default());
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&progress);
        let mut bar = self.terminal.bar(self.terminal.words("抓取", "crawl"), 0);
        let metrics = match self.engine.settings().metrics {
            Some(address) => Some(Metrics::serve(address, Arc::clone(&progress)).await?),
            None => None,
        };
        let mut events = Events::new(self.terminal);
        interrupt.crawling(true);
        let crawl = self.engine.crawl(only, nightly, Arc::clone(&progress), interrupt.stop.clone());
        let mut crawl = Box::pin(crawl);
        let mut ticks = tokio::time::interval(DRAW_EVERY);
        let summary = loop {
            tokio::select! {
                ended = &mut crawl => break ended,
                _ = ticks.tick() => {
                    let read = Progress::read;
                    let pages = read(&progress.pages) + read(&progress.not_modified);
                    events.tick(&progress);
                    let message = message(self.terminal, pages, &progress);
                    bar.set(read(&progress.done), read(&progress.queued), &message);
                }
            }
        };
        interrupt.crawling(false);
        drop((crawl, bar, metrics));
        events.last(&progress);
        let summary = summary?;
        let span = tracing::Span::current();
        span.record("pages", summary.pages.cast_signed()).record("requests", summary.requests.cast_signed());
        span.record("failed", summary.failed.cast_signed());
        if summary.finished {
            tokio::task::block_in_place(|| self.engine.tidy())?;
        }
        self.costs.insert("crawl", cpu.cost());
        Ok(summary.finished.then_some(summary))
    }

    #[tracing::instrument(skip_all, fields(pages, kept, findings))]
    pub(crate) fn scan(&mut self, fresh: bool) -> anyhow::Result<ScanSummary> {
        let cpu = Cpu::now();
        let total = self.engine.settings().sites.len() as u64;
        let done = AtomicU64::new(0);
        let bar = std::sync::Mutex::new(self.terminal.bar(self.terminal.words("扫描", "scan"), total));
        let summary = self.engine.scan(fresh, |site| {
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            if let Ok(mut bar) = bar.lock() {
                bar.set(done, total, &site.name);
            }
        })?;
        let span = tracing::Span::current();
        span.record("pages", summary.pages.cast_signed()).record("kept", summary.kept.cast_signed());
        span.record("findings", summary.findings.cast_signed());
        self.costs.insert("scan", cpu.cost());
        self.tell_beyond(&summary);
        Ok(summary)
    }

    /// Names what stands at too many places to be told one by one.
    fn tell_beyond(&self, summary: &ScanSummary) {
        if summary.beyond == 0 {
            return;
        }
        let terminal = self.terminal;
        let why = terminal.words(
            "处问题未逐条列出：同样的问题太多（上限见配置 [scan]）；词语过于常用时请修改词典",
            "more places are not told one by one: there are too many of the same (limits under [scan]); mend the dictionary where a word is too common",
        );
        terminal.note(format!("{} {why}", summary.beyond));
        for SiteBeyond { site, beyond } in &summary.most_beyond {
            let kind = terminal.words(beyond.kind.zh(), beyond.kind.en());
            terminal.note(format!("  {site}: {kind}「{}」{}", beyond.what, beyond.places));
        }
    }

    #[tracing::instrument(skip_all)]
    pub(crate) fn judge(&mut self) -> anyhow::Result<Vec<xunjian_model::Verdict>> {
        let cpu = Cpu::now();
        if let Some(point) = self.engine.settings().monitoring_point
            && Timestamp::now().duration_since(point) > LATE
        {
            tracing::warn!(%point, "all is judged as of `monitoring_point`, more than a quarter ago; without it a night is judged as of its start");
        }
        let verdicts = self.engine.judge()?;
        self.engine.end_look()?;
        self.costs.insert("judge", cpu.cost());
        Ok(verdicts)
    }

    #[tracing::instrument(skip_all)]
    pub(crate) fn report(&mut self, out: Option<&Path>) -> anyhow::Result<WrittenReport> {
        // A look at some sites does not take the whole night's report away.
        let name = if self.engine.looked_at_all()? { "report" } else { "report-of-sites" };
        let folder = out.map_or_else(|| self.engine.settings().data.join(name), PathBuf::from);
        let report = self.engine.report(&folder, self.terminal.language, &self.costs)?;
        self.engine.finish()?;
        self.engine.tidy()?;
        Ok(report)
    }

    /// Scan, judge and report of a crawled run.
    pub(crate) async fn after_crawl(&mut self) -> anyhow::Result<WrittenReport> {
        self.feeds().await?;
        tokio::task::block_in_place(|| self.scan(false))?;
        self.search().await?;
        tokio::task::block_in_place(|| self.judge())?;
        let wanted = self.engine.pictured()?;
        self.pictures(&wanted.iter().collect::<Vec<_>>()).await?;
        tokio::task::block_in_place(|| {
            let report = self.report(None)?;
            self.retain()?;
            Ok(report)
        })
    }

    /// Writes down that the night ended before its time, so that people are told.
    pub(crate) fn failed(&self, error: &anyhow::Error) {
        if let Err(untold) = self.engine.note_failure(&format!("{error:#}")) {
            tracing::warn!(%untold, "nobody is told that the night failed");
        }
    }

    /// Lets old versions of pages go, where the configuration wants that and it is time.
    pub(crate) fn retain(&mut self) -> anyhow::Result<()> {
        if let Some(done) = self.engine.retain()? {
            self.terminal.note(store::compacted(self.terminal, &done));
        }
        Ok(())
    }

    /// Takes tables of what accounts posted, and reads their feeds, as far as the ledger names them.
    #[tracing::instrument(skip_all)]
    async fn feeds(&mut self) -> anyhow::Result<()> {
        self.engine.take_tables()?;
        for (path, table) in self.engine.posts_tables()? {
            if !table.fault.is_empty() {
                let told = self.terminal.said(&table.fault);
                self.terminal.note(format!(
                    "{} {path}: {told}",
                    self.terminal.words("没有读入的发布记录", "posts that were not taken:")
                ));
            }
        }
        if !self.engine.may_read_feeds()? {
            return Ok(());
        }
        let cpu = Cpu::now();
        let (_, faults) = self.engine.read_feeds().await?;
        self.costs.insert("feeds", cpu.cost());
        if let Some(fault) = faults.first() {
            self.terminal.note(format!(
                "{} {}: {}: {}",
                self.terminal.words("读取失败的账号订阅", "feeds of accounts that could not be read"),
                faults.len(),
                fault.account,
                self.terminal.said(&fault.reason)
            ));
        }
        Ok(())
    }

    /// Asks the sites' own searches for what the scan knows to be there.
    #[tracing::instrument(skip_all)]
    pub(crate) async fn search(&mut self) -> anyhow::Result<usize> {
        let cpu = Cpu::now();
        let total = self.engine.settings().sites.len() as u64;
        let done = AtomicU64::new(0);
        let bar = std::sync::Mutex::new(self.terminal.bar(self.terminal.words("站内搜索", "search"), total));
        let misses = self
            .engine
            .search(|site| {
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                if let Ok(mut bar) = bar.lock() {
                    bar.set(done, total, &site.name);
                }
            })
            .await?;
        self.costs.insert("search", cpu.cost());
        Ok(misses)
    }

    /// Takes pictures of findings.
    #[tracing::instrument(skip_all, fields(findings = findings.len()))]
    pub(crate) async fn pictures(&mut self, findings: &[&Finding]) -> anyhow::Result<()> {
        if findings.is_empty() || self.engine.settings().render.is_none() {
            return Ok(());
        }
        let cpu = Cpu::now();
        let total = findings.len() as u64;
        let bar = std::sync::Mutex::new(self.terminal.bar(self.terminal.words("截图", "pictures"), total));
        let each = |done: usize| {
            if let Ok(mut bar) = bar.lock() {
                bar.set(done as u64, total, "");
            }
        };
        self.engine.take_pictures(findings, each).await?;
        self.costs.insert("pictures", cpu.cost());
        Ok(())
    }

    /// Names the sites that were not seen whole.
    pub(crate) fn incomplete(&self) -> anyhow::Result<Vec<SiteId>> {
        let mut ids = Vec::new();
        for (site, reasons) in self.engine.incomplete(self.terminal.language)? {
            self.terminal.note(format!(
                "{} {site}: {}",
                self.terminal.words("未抓全", "incomplete"),
                reasons.join(", ")
            ));
            ids.push(site);
        }
        Ok(ids)
    }

    pub(crate) fn exit(&self, report: &WrittenReport, complete: bool) -> Exit {
        let failing = |line: Severity| report.by_severity.range(line..).any(|(_, count)| *count > 0);
        match self.fail_on {
            _ if !complete => Exit::Incomplete,
            Some(line) if failing(line) => Exit::Findings,
            _ => Exit::Done,
        }
    }

    /// The table of sites, the totals, and where the report is.
    pub(crate) fn print(&self, report: &WrittenReport) -> anyhow::Result<()> {
        let terminal = self.terminal;
        let say = |zh, en| terminal.words(zh, en).to_owned();
        let mut rows = vec![vec![
            say("网站", "Site"),
            say("结果", "Result"),
            say("否决", "Vetoes"),
            say("预警", "Warnings"),
            say("问题", "Findings"),
            say("页面", "Pages"),
        ]];
        let rules = |tallies: &[Tally]| {
            let rules: Vec<&str> = tallies.iter().map(|tally| tally.rule.as_str()).collect();
            if rules.is_empty() { "–".to_owned() } else { rules.join(" ") }
        };
        for ((verdict, findings), pages) in report.verdicts.iter().zip(&report.findings).zip(&report.pages) {
            rows.push(vec![
                verdict.name.clone(),
                terminal.outcome(verdict.result),
                rules(&verdict.vetoes),
                rules(&verdict.warnings),
                findings.to_string(),
                pages.to_string(),
            ]);
        }
        terminal.print(&table(&rows))?;
        let count = |outcome| Engine::count(&report.verdicts, outcome);
        let (pass, fail, review) = (count(Outcome::Pass), count(Outcome::Fail), count(Outcome::Review));
        let (summary, sites, path) = (&report.summary, report.verdicts.len(), report.html.display());
        let [found, new, mended] = ["total", "new", "mended"].map(|name| &summary["findings"][name]);
        let (pages, seconds) = (&summary["pages"], summary["seconds"].as_f64().unwrap_or(0.0));
        let text = match terminal.language {
            xunjian_report::Language::Zh => format!(
                "\n合格 {pass}/{sites}，不合格 {fail}，待复核 {review}；问题 {found}（新 {new}，已消除 {mended}）；页面 {pages}；用时 {seconds:.1} 秒\n报告：{path}\n"
            ),
            xunjian_report::Language::En => format!(
                "\nPass {pass}/{sites}, fail {fail}, review {review}; findings {found} (new {new}, mended {mended}); pages {pages}; {seconds:.1} s\nReport: {path}\n"
            ),
        };
        terminal.print(&text)
    }
}

/// Pages, and the hosts that are left alone for now.
fn message(terminal: Terminal, pages: u64, progress: &Progress) -> String {
    let blocked = progress.hosts().iter().filter(|host| host.blocked_s > 0).count();
    let waiting = match blocked {
        0 => String::new(),
        count => format!(" · {} {count}", terminal.words("等待中的主机", "hosts waiting")),
    };
    format!("{} {pages}{waiting}", terminal.words("页面", "pages"))
}

/// The configuration, with the common flags applied.
pub(crate) fn settings(common: &Common) -> anyhow::Result<Settings> {
    Ok(with_flags(config::load(&common.config)?, common))
}

/// The same for what asks sites for something.
pub(crate) fn settings_to_ask(common: &Common) -> anyhow::Result<Settings> {
    Ok(with_flags(config::load_to_ask(&common.config)?, common))
}

/// The same for what crawls.
pub(crate) fn settings_to_crawl(common: &Common) -> anyhow::Result<Settings> {
    Ok(with_flags(config::load_to_crawl(&common.config)?, common))
}

fn with_flags(settings: Settings, common: &Common) -> Settings {
    let data = common.data.clone().unwrap_or(settings.data);
    Settings { data, ..settings }
}

fn settings_of_night(common: &Common, args: &args::Night) -> anyhow::Result<Settings> {
    let mut settings = settings_to_crawl(common)?;
    checked_sites(&settings, &args.sites)?;
    if args.incremental {
        settings.incremental.get_or_insert_default();
    }
    Ok(settings)
}

pub(crate) fn checked_sites(settings: &Settings, only: &[SiteId]) -> anyhow::Result<()> {
    for id in only {
        if !settings.sites.iter().any(|site| site.id == *id) {
            let known: Vec<&str> = settings.sites.iter().map(|site| site.id.as_str()).collect();
            anyhow::bail!("no site {id} in the register; known: {}", known.join(", "));
        }
    }
    Ok(())
}

/// `xunjian run`.
pub(crate) async fn run(common: &Common, terminal: Terminal, args: &args::Night) -> anyhow::Result<Exit> {
    let (settings, only) = (settings_of_night(common, args)?, &args.sites[..]);
    let interrupt = Interrupt::listen(terminal)?;
    let mut night = Night::open(settings, common, terminal)?;
    // A sink without its secret is told now, not after the night.
    alert::ready(common, &night.engine, terminal)?;
    // A night that was interrupted long ago does not stand for tonight's.
    let of_before = night.engine.is_crawled()? && night.engine.interrupted()?.is_some_and(is_another_night);
    let mut whole = self::whole(&mut night, only, &interrupt).await;
    if only.is_empty()
        && of_before
        && let Ok(Some(report)) = &whole
    {
        night.print(report)?;
        terminal.note(
            terminal.words("前一晚已补完，开始今晚的巡检。", "The night before is done; tonight's begins."),
        );
        whole = self::whole(&mut night, only, &interrupt).await;
    }
    if let Err(error) = &whole {
        night.failed(error);
        if let Err(untold) = alert::deliver(common, &night.engine, terminal, alert::AFTER_NIGHT).await {
            terminal.error(&untold);
        }
    }
    let (report, exit) = match whole? {
        Some(report) => {
            let complete = night.incomplete()?.is_empty() && night.engine.interrupted()?.is_none();
            let exit = night.exit(&report, complete);
            (report, exit)
        }
        None => return Ok(Exit::Incomplete),
    };
    night.print(&report)?;
    let alerts = alert::deliver(common, &night.engine, terminal, alert::AFTER_NIGHT).await?;
    let mut document = report.summary;
    document["report"] = json!(report.html);
    document["alerts"] = json!(alerts);
    terminal.json(&document)?;
    Ok(exit)
}

/// All steps; `None` when the crawl was interrupted.
#[tracing::instrument(name = "night", skip_all)]
pub(crate) async fn whole(
    night: &mut Night,
    only: &[SiteId],
    interrupt: &Interrupt,
) -> anyhow::Result<Option<WrittenReport>> {
    let terminal = night.terminal;
    if night.engine.is_crawled()? {
        terminal.note(
            terminal
                .words("上次已抓取完毕，继续扫描。", "The last crawl is complete; going on with the scan."),
        );
    } else {
        if night.engine.interrupted()?.is_some_and(is_another_night) {
            terminal.note(terminal.words(
                "前一夜没有抓完；开始今晚的巡检，先看还没有看过的。",
                "The night before did not see everything; tonight's begins, with what was not seen first.",
            ));
        }
        if night.crawl(only, true, interrupt).await?.is_none() {
            if interrupt.stop.is_stopped() {
                terminal.note(terminal.words("已停止；再次运行将继续。", "Stopped; run again to go on."));
                return Ok(None);
            }
            terminal.note(terminal.words(
                "这一夜已结束，尚未抓完：先报告已看到的，下一夜从没有看过的开始。",
                "The night is over before the crawl is: what was seen is reported, and the next night begins with the rest.",
            ));
        }
    }
    night.after_crawl().await.map(Some)
}

/// `xunjian crawl`.
pub(crate) async fn crawl(common: &Common, terminal: Terminal, args: &args::Night) -> anyhow::Result<Exit> {
    let (settings, only) = (settings_of_night(common, args)?, &args.sites[..]);
    let interrupt = Interrupt::listen(terminal)?;
    let mut night = Night::open(settings, common, terminal)?;
    let Some(summary) = night.crawl(only, false, &interrupt).await? else {
        terminal.note(terminal.words("已停止；再次运行将继续。", "Stopped; run again to go on."));
        return Ok(Exit::Incomplete);
    };
    let incomplete = night.incomplete()?;
    terminal.print(&terminal.punctuated(&format!(
        "{} {}（304: {}，{}: {}），{} {}\n",
        terminal.words("页面", "Pages"),
        summary.pages + summary.not_modified,
        summary.not_modified,
        terminal.words("内容未变", "same content"),
        summary.same_hash,
        terminal.words("链接与资源", "links and resources"),
        summary.checked
    )))?;
    let cost = night.costs.get("crawl");
    terminal.json(&json!({
        "crawl": summary, "incomplete": incomplete, "cost": cost, "peak_memory_bytes": Cpu::peak_memory(),
    }))?;
    Ok(if incomplete.is_empty() { Exit::Done } else { Exit::Incomplete })
}

/// `xunjian scan`.
pub(crate) fn scan(common: &Common, terminal: Terminal, args: &args::Scan) -> anyhow::Result<Exit> {
    let mut settings = settings(common)?;
    if let Some(threads) = args.threads {
        settings.threads = threads;
    }
    let mut night = Night::open(settings, common, terminal)?;
    let summary = night.scan(args.fresh)?;
    terminal.print(&terminal.punctuated(&format!(
        "{} {}（{} {}，{} {}）\n",
        terminal.words("问题", "Findings"),
        summary.findings,
        terminal.words("新", "new"),
        summary.new,
        terminal.words("已消除", "mended"),
        summary.gone
    )))?;
    let cost = night.costs.get("scan");
    terminal.json(&json!({ "scan": summary, "cost": cost, "peak_memory_bytes": Cpu::peak_memory() }))?;
    Ok(Exit::Done)
}

/// `xunjian search`.
pub(crate) async fn search(common: &Common, terminal: Terminal) -> anyhow::Result<Exit> {
    let mut night = Night::open(settings_to_ask(common)?, common, terminal)?;
    let misses = night.search().await?;
    terminal.print(&format!(
        "{} {misses}\n",
        terminal.words("搜索不到已知信息的网站", "Sites whose search misses known pages")
    ))?;
    terminal.json(&json!({ "search": { "misses": misses }, "cost": night.costs.get("search") }))?;
    Ok(Exit::Done)
}
