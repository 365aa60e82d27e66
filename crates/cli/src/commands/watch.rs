//! `xunjian watch`: the availability monitor.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use xunjian_engine::{Engine, Monitor, Probe, Round};
use xunjian_model::SiteId;
use xunjian_report::link_state;

use crate::Exit;
use crate::args::{self, Common};
use crate::commands::night;
use crate::interrupt::Interrupt;
use crate::terminal::{Terminal, moment, table};

/// Sites named in a round's line; of further ones stands only how many they are.
const NAMED_MAX: usize = 5;

pub(crate) async fn run(common: &Common, terminal: Terminal, args: &args::Watch) -> anyhow::Result<Exit> {
    let settings = night::settings_to_ask(common)?;
    if let Some(site) = &args.log {
        night::checked_sites(&settings, std::slice::from_ref(site))?;
        return log(&Engine::open(settings)?, terminal, site);
    }
    let engine = Engine::open(settings)?;
    let zone = &engine.settings().zone;
    let monitor = Monitor::new(&engine)?;
    if args.once {
        let round = monitor.round().await?;
        terminal.print(&line(terminal, zone, &round))?;
        terminal.json(&round)?;
        return Ok(if round.failed.is_empty() { Exit::Done } else { Exit::Incomplete });
    }
    terminal.note(format!(
        "{} {} {}",
        terminal.words("每次间隔", "A round every"),
        monitor.pause().as_secs() / 60,
        terminal.words("分钟；Ctrl-C 停止。", "minutes; Ctrl-C stops.")
    ));
    let interrupt = Interrupt::listen(terminal)?;
    interrupt.crawling(true);
    let until = args.minutes.map(|minutes| Instant::now() + Duration::from_secs(minutes * 60));
    monitor.run(&interrupt.stop, until, |round| told(terminal, zone, round)).await?;
    Ok(Exit::Done)
}

/// Tells of a round on stderr.
pub(crate) fn told(terminal: Terminal, zone: &TimeZone, round: &Round) {
    terminal.note(line(terminal, zone, round).trim_end());
    terminal.event(&serde_json::json!({ "event": "watched", "round": round }));
}

fn line(terminal: Terminal, zone: &TimeZone, round: &Round) -> String {
    let failed = round.failed.iter().take(NAMED_MAX);
    let mut failed: Vec<String> =
        failed.map(|(site, reason)| format!("{site} {}", link_state(reason, terminal.language))).collect();
    if round.failed.len() > NAMED_MAX {
        failed.push("…".to_owned());
    }
    let own = match round.own_line {
        true => terminal.words("；本机线路异常，不计", "; our own line failed, so this does not count"),
        false => "",
    };
    let left_alone = match round.left_alone {
        0 => String::new(),
        count => {
            format!("；{} {count}", terminal.words("应主机要求暂不访问", "left alone, as their hosts asked:"))
        }
    };
    terminal.punctuated(&format!(
        "{} {} {}，{} {}{}{own}{left_alone}\n",
        zone.to_datetime(Timestamp::now()).strftime("%H:%M:%S"),
        terminal.words("访问", "visited"),
        round.visited,
        terminal.words("打不开", "failed"),
        round.failed.len(),
        if failed.is_empty() { String::new() } else { format!(" ({})", failed.join("; ")) }
    ))
}

fn log(engine: &Engine, terminal: Terminal, site: &SiteId) -> anyhow::Result<Exit> {
    let probes = engine.probes(site)?;
    let mut rows = vec![
        [
            ("时间", "Time"),
            ("结果", "Result"),
            ("状态", "Status"),
            ("解析", "DNS"),
            ("连接", "Connect"),
            ("TLS", "TLS"),
            ("首字节", "First byte"),
            ("全部", "Total"),
            ("地址", "Address"),
            ("原因", "Reason"),
        ]
        .map(|(zh, en)| terminal.words(zh, en).to_owned())
        .to_vec(),
    ];
    let zone = &engine.settings().zone;
    let row = |probe: &Probe| {
        let result = match (probe.opened, probe.own_line) {
            (true, _) => terminal.words("打开", "opened"),
            (false, true) => terminal.words("本机线路", "own line"),
            (false, false) => terminal.words("打不开", "failed"),
        };
        let ms = |ms: u32| format!("{ms} ms");
        vec![
            moment(zone, probe.at),
            result.to_owned(),
            probe.status.to_string(),
            ms(probe.resolve_ms),
            ms(probe.connect_ms),
            ms(probe.tls_ms),
            ms(probe.first_byte_ms),
            ms(probe.total_ms),
            probe.addresses.first().cloned().unwrap_or_default(),
            link_state(&probe.error, terminal.language),
        ]
    };
    rows.extend(probes.iter().map(row));
    terminal.print(&table(&rows))?;
    terminal.json(&probes)?;
    Ok(Exit::Done)
}
