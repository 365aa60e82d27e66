//! `xunjian findings`: look, decide, notify, follow until they are mended.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use xunjian_engine::{Action, CaseError, Engine, Filed, Hand, MEDIA, Wanted};
use xunjian_model::{FindingState, Rectification, Ruling, SiteId};

use crate::Exit;
use crate::args::{self, Common, Findings, Select};
use crate::commands::night;
use crate::interrupt::Interrupt;
use crate::terminal::{Terminal, table};

pub(crate) async fn run(common: &Common, terminal: Terminal, command: &Findings) -> anyhow::Result<Exit> {
    let settings = match command {
        Findings::Recheck { .. } => night::settings_to_ask(common)?,
        _ => night::settings(common)?,
    };
    let engine = Engine::open(settings)?;
    let today = today(&engine);
    match command {
        Findings::List { select, gone } => {
            let wanted = Wanted { gone: *gone, ..wanted(&engine, select)? };
            list(terminal, &engine.filed(&wanted)?)
        }
        Findings::Show { id } => show(&engine, terminal, id),
        Findings::Confirm { select, hand } => {
            act(&engine, terminal, select, hand, &Action::Rule(Ruling::Confirmed))
        }
        Findings::Dismiss { select, hand } => {
            let exit = act(&engine, terminal, select, hand, &Action::Rule(Ruling::Dismissed))?;
            if !engine.proposals()?.is_empty() {
                terminal.note(terminal.words(
                    "排除的词语可写成词典的例外：见 `xunjian findings proposals`。",
                    "What was dismissed can become a dictionary's exception: see `xunjian findings proposals`.",
                ));
            }
            Ok(exit)
        }
        Findings::Assign { select, hand, to } => {
            act(&engine, terminal, select, hand, &Action::Assign(to.clone()))
        }
        Findings::Notify { select, hand, on, due } => {
            let action = Action::Notify { on: on.unwrap_or(today), due: *due };
            act(&engine, terminal, select, hand, &action)
        }
        Findings::Rectify { select, hand, on } => {
            act(&engine, terminal, select, hand, &Action::Report { on: on.unwrap_or(today) })
        }
        Findings::Recheck { select } => recheck(&engine, terminal, select).await,
        Findings::Proposals => proposals(&engine, terminal),
    }
}

fn today(engine: &Engine) -> Date {
    engine.settings().zone.to_datetime(Timestamp::now()).date()
}

fn wanted(engine: &Engine, select: &Select) -> anyhow::Result<Wanted> {
    // Findings in posts stand under a site of their own.
    let sites: Vec<SiteId> = select.sites.iter().filter(|site| site.as_str() != MEDIA).cloned().collect();
    night::checked_sites(engine.settings(), &sites)?;
    Ok(Wanted {
        ids: select.ids.clone(),
        sites: select.sites.clone(),
        kinds: select.kinds.clone(),
        queue: select.queue,
        overdue: select.overdue.then(|| today(engine)),
        stage: select.stage.clone(),
        assigned: select.assigned.clone(),
        gone: false,
        text: select.text.clone(),
    })
}

/// The findings something is done about: ids as they were given, or all that the flags choose.
fn chosen(engine: &Engine, select: &Select) -> anyhow::Result<Vec<String>> {
    let wanted = wanted(engine, select)?;
    let flags = !select.sites.is_empty()
        || !select.kinds.is_empty()
        || select.queue
        || select.overdue
        || select.stage.is_some()
        || select.assigned.is_some()
        || select.text.is_some();
    match (select.ids.is_empty(), flags) {
        (false, false) => Ok(select.ids.clone()),
        (true, false) => anyhow::bail!("say which findings: ids, or flags such as --site, --kind or --queue"),
        (_, true) => Ok(engine.filed(&wanted)?.iter().map(|one| one.finding.id.to_string()).collect()),
    }
}

fn act(
    engine: &Engine,
    terminal: Terminal,
    select: &Select,
    hand: &args::Hand,
    action: &Action,
) -> anyhow::Result<Exit> {
    let ids = chosen(engine, select)?;
    let hand = Hand {
        by: hand.by.clone(),
        reason: hand.reason.clone(),
        revision: hand.revision,
        revise: hand.revise,
    };
    let done = engine.act(&ids, action, &hand).map_err(with_flags)?;
    // What was decided counts at once.
    engine.judge_again_for(&done)?;
    list(terminal, &done)
}

/// What is missing, with the flags that give it.
pub(crate) fn with_flags(error: CaseError) -> anyhow::Error {
    let flags = match error {
        CaseError::Nobody => "--by NAME",
        CaseError::Unreasoned => "--reason TEXT",
        CaseError::Unjudged => "--by NAME --reason TEXT",
        _ => return error.into(),
    };
    anyhow::anyhow!("{error}: {flags}")
}

/// How far a finding is, in words.
fn stage(terminal: Terminal, filed: &Filed) -> String {
    let word = |zh, en| terminal.words(zh, en).to_owned();
    match &filed.case.rectification {
        Rectification::None => word("–", "–"),
        Rectification::Notified { due, .. } => format!("{} {due}", word("限期", "due")),
        Rectification::Reported { due, .. } => format!("{} ({due})", word("反馈已整改", "reported mended")),
        Rectification::Closed { closed, .. } => format!("{} {closed}", word("销号", "closed")),
        Rectification::Relapsed { relapsed, .. } => format!("{} {relapsed}", word("反弹", "relapsed")),
    }
}

fn decision(terminal: Terminal, filed: &Filed) -> String {
    match filed.case.ruling() {
        Some(Ruling::Confirmed) => terminal.words("已确认", "confirmed").to_owned(),
        Some(Ruling::Dismissed) => terminal.words("已排除", "dismissed").to_owned(),
        None if filed.ruled().waits() => terminal.words("待复核", "waits").to_owned(),
        None => "–".to_owned(),
    }
}

fn list(terminal: Terminal, filed: &[Filed]) -> anyhow::Result<Exit> {
    let mut rows = vec![
        [
            ("编号", "Id"),
            ("网站", "Site"),
            ("类型", "Kind"),
            ("内容", "What"),
            ("判定", "Ruling"),
            ("整改", "Mending"),
            ("页面", "Page"),
        ]
        .map(|(zh, en)| terminal.words(zh, en).to_owned())
        .to_vec(),
    ];
    for one in filed {
        let finding = &one.finding;
        rows.push(vec![
            finding.id.as_str()[..12].to_owned(),
            finding.site.to_string(),
            terminal.words(finding.kind.zh(), finding.kind.en()).to_owned(),
            finding.what().chars().take(24).collect(),
            decision(terminal, one),
            stage(terminal, one),
            finding.url.clone(),
        ]);
    }
    terminal.print(&table(&rows))?;
    terminal.print(&format!("{}: {}\n", terminal.words("共", "Total"), filed.len()))?;
    terminal.json(&filed)?;
    Ok(Exit::Done)
}

fn show(engine: &Engine, terminal: Terminal, id: &str) -> anyhow::Result<Exit> {
    let wanted = Wanted { ids: vec![id.to_owned()], gone: true, ..Wanted::default() };
    let found = engine.filed(&wanted)?;
    let [one] = &found[..] else {
        match found.len() {
            0 => anyhow::bail!("there is no finding {id}; `xunjian findings list` shows those there are"),
            count => anyhow::bail!("{count} findings begin with {id}: give more of it"),
        }
    };
    let finding = &one.finding;
    let say = |zh, en| terminal.words(zh, en).to_owned();
    let zone = &engine.settings().zone;
    let moment = |at: Timestamp| zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string();
    let state = match finding.state {
        FindingState::New => say("新发现", "new"),
        FindingState::Open => say("仍存在", "open"),
        FindingState::Relapsed => say("再次出现", "relapsed"),
        FindingState::Gone => say("未再发现", "gone"),
    };
    let mut text = String::new();
    let lines = [
        (say("编号", "Id"), finding.id.to_string()),
        (say("网站", "Site"), finding.site.to_string()),
        (say("类型", "Kind"), format!("{} {}", finding.kind, say(finding.kind.zh(), finding.kind.en()))),
        (say("指标", "Indicator"), finding.indicator.clone()),
        (say("状态", "State"), state),
        (say("页面", "Page"), format!("{} {}", finding.url, finding.title)),
        (say("证据", "Evidence"), xunjian_report::excerpt(finding, terminal.language)),
        (say("快照", "Snapshot"), finding.evidence.snapshot.clone().unwrap_or_default()),
        (say("首次发现", "First seen"), moment(finding.first_seen)),
        (say("最近发现", "Last seen"), moment(finding.last_seen)),
        (say("判定", "Ruling"), decision(terminal, one)),
        (say("整改", "Mending"), stage(terminal, one)),
        (say("负责人", "Assigned"), one.case.assigned.clone().unwrap_or_default()),
        (say("修订", "Revision"), one.case.revision.to_string()),
    ];
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("{name}: {value}\n"));
    }
    for (name, value) in xunjian_report::details(finding, terminal.language) {
        text.push_str(&format!("  {name} = {value}\n"));
    }
    text.push_str(&format!("\n{}\n", say("经过", "History")));
    for event in &one.case.history {
        let (zh, en) = event.step.words();
        let mut line = format!("  {} {}", moment(event.at), say(zh, en));
        for more in [&event.by, &event.note].into_iter().filter(|more| !more.is_empty()) {
            line.push_str(&format!("  {more}"));
        }
        if let Some(snapshot) = &event.snapshot {
            line.push_str(&format!("  {snapshot}"));
        }
        text.push_str(&line);
        text.push('\n');
    }
    terminal.print(&text)?;
    terminal.json(one)?;
    Ok(Exit::Done)
}

async fn recheck(engine: &Engine, terminal: Terminal, select: &Select) -> anyhow::Result<Exit> {
    let ids = chosen(engine, select)?;
    let wanted = Wanted { ids: ids.clone(), gone: true, ..Wanted::default() };
    let filed = if ids.is_empty() { Vec::new() } else { engine.filed(&wanted)? };
    if filed.is_empty() {
        anyhow::bail!("no finding to look at again; `xunjian findings list` shows those there are");
    }
    let interrupt = Interrupt::listen(terminal)?;
    interrupt.crawling(true);
    let result = engine.recheck(&filed, interrupt.stop.clone()).await?;
    interrupt.crawling(false);
    engine.judge_again_for(&filed)?;
    let say = |zh, en| terminal.words(zh, en);
    terminal.print(&terminal.punctuated(&format!(
        "{} {}；{} {}，{} {}，{} {}\n",
        say("重新抓取", "Fetched again"),
        result.fetched,
        say("已消除", "mended"),
        result.mended.len(),
        say("仍存在", "still there"),
        result.still_there.len(),
        say("无法单独复查", "only a whole night can tell"),
        result.not_checked.len(),
    )))?;
    terminal.json(&result)?;
    Ok(Exit::Done)
}

fn proposals(engine: &Engine, terminal: Terminal) -> anyhow::Result<Exit> {
    let proposals = engine.proposals()?;
    for one in &proposals {
        let kind = terminal.words(one.kind.zh(), one.kind.en());
        terminal.print(&format!("# {kind} × {}\n{}\n", one.dismissed, one.dictionary))?;
    }
    terminal.json(&json!(proposals))?;
    Ok(Exit::Done)
}
