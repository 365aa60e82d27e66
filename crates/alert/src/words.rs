//! What people are told, in Chinese and English.

use xunjian_engine::{Change, NightTotals, VetoName};
use xunjian_model::{Outcome, SiteId};
use xunjian_report::Language;

use crate::{Item, Night, SiteNight};

/// The excerpt with its fault between brackets every reader knows.
fn excerpt(item: &Item, language: Language) -> String {
    xunjian_report::excerpt(&item.finding, language).replace('⟦', "【").replace('⟧', "】")
}

pub(crate) fn change(change: Change, language: Language) -> &'static str {
    match language {
        Language::Zh => change.zh(),
        Language::En => change.as_str(),
    }
}

fn kind(item: &Item, language: Language) -> &'static str {
    match language {
        Language::Zh => item.finding.kind.zh(),
        Language::En => item.finding.kind.en(),
    }
}

/// One line about a finding.
pub(crate) fn line(item: &Item, language: Language) -> String {
    format!(
        "[{}] {} · {} {}",
        change(item.change, language),
        item.site_name,
        kind(item, language),
        excerpt(item, language)
    )
}

/// The title of a site's night.
pub(crate) fn title(night: &SiteNight, language: Language) -> String {
    let counts: Vec<String> = Change::ALL
        .into_iter()
        .map(|one| (one, night.count(one)))
        .filter(|(_, count)| *count > 0)
        .map(|(one, count)| format!("{} {count}", change(one, language)))
        .collect();
    format!("{}：{}", night.site_name, counts.join("，"))
}

/// Lines about how a site stands: its result, its vetoes, its warnings.
pub(crate) fn standing(night: &SiteNight, language: Language) -> Vec<String> {
    let Some(verdict) = &night.verdict else { return Vec::new() };
    let zh = language == Language::Zh;
    let mut lines = Vec::new();
    if verdict.result != Outcome::Pass {
        lines.push(if zh { verdict.result.zh() } else { verdict.result.en() }.to_owned());
    }
    let tallies = verdict.vetoes.iter().map(|one| (if zh { "否决" } else { "veto" }, one));
    let warnings = verdict.warnings.iter().map(|one| (if zh { "预警" } else { "warning" }, one));
    for (word, one) in tallies.chain(warnings) {
        let (name, reason) = if zh { (&one.name, &one.reason) } else { (&one.name_en, &one.reason_en) };
        lines.push(format!("{word} {} {name}：{reason}", one.rule));
    }
    lines
}

/// A site's night as Markdown, no longer than so many bytes.
pub(crate) fn markdown(night: &SiteNight, language: Language, bytes_max: usize) -> String {
    let mut text = format!("**{}**\n", escape(&title(night, language)));
    for line in standing(night, language) {
        text.push_str(&format!("> {}\n", escape(&line)));
    }
    let mut shown = 0;
    for item in &night.examples {
        let about = format!(
            "- {} {}：{} {}\n",
            change(item.change, language),
            kind(item, language),
            escape(&excerpt(item, language)),
            escape(item.link.as_ref().unwrap_or(&item.finding.url)),
        );
        // Room for the last line.
        if text.len() + about.len() + 120 > bytes_max {
            break;
        }
        text.push_str(&about);
        shown += 1;
    }
    text.push_str(&rest(night, shown, language));
    text
}

/// The line that says how many are not shown, and where they are.
pub(crate) fn rest(night: &SiteNight, shown: u64, language: Language) -> String {
    let all: u64 = night.counts.values().sum();
    let mut text = String::new();
    if all > shown {
        text = match language {
            Language::Zh => format!("另有 {} 个问题。", all - shown),
            Language::En => format!("{} more findings.", all - shown),
        };
    }
    if let Some(link) = &night.link {
        text.push_str(&format!(" {link}"));
    }
    text
}

/// The title of a night that is over.
pub(crate) fn night_title(night: &Night, language: Language) -> String {
    let NightTotals { pass, fail, review, .. } = &night.totals;
    let fail = fail.len();
    match language {
        Language::Zh => format!("巡检完成：合格 {pass}，不合格 {fail}，待复核 {review}"),
        Language::En => format!("The night is over: {pass} pass, {fail} fail, {review} in review"),
    }
}

/// Sites named in a line.
const NAMED_MAX: usize = 20;

/// Lines about a night: its findings, the sites that fail, those of which not all was seen.
pub(crate) fn night(night: &Night, language: Language) -> Vec<String> {
    let totals = &night.totals;
    let changed = |one: Change| {
        format!("{} {}", change(one, language), night.changes.get(&one).copied().unwrap_or_default())
    };
    let changed = [Change::New, Change::Relapsed, Change::Mended].map(changed);
    let (findings, waiting) = (totals.findings, totals.waiting);
    let mut lines = vec![match language {
        Language::Zh => format!("问题 {findings}（{}），待人工复核 {waiting}", changed.join("，")),
        Language::En => format!("{findings} findings ({}), {waiting} for a person", changed.join(", ")),
    }];
    let name = |site: &SiteId| night.names.get(site).cloned().unwrap_or_else(|| site.to_string());
    let veto = |veto: &VetoName| {
        let name = if language == Language::Zh { &veto.name } else { &veto.name_en };
        format!("{} {name}", veto.rule)
    };
    let fail = totals.fail.iter().map(|failed| {
        let vetoes: Vec<String> = failed.vetoes.iter().map(veto).collect();
        format!("{}（{}）", name(&failed.site), vetoes.join("，"))
    });
    let incomplete = totals.incomplete.iter().map(name);
    let named: [(&str, &str, Vec<String>); 2] =
        [("不合格", "fail", fail.collect()), ("没有全部查完", "not seen whole", incomplete.collect())];
    for (zh, en, names) in named {
        if names.is_empty() {
            continue;
        }
        let more = names.len().saturating_sub(NAMED_MAX);
        let mut line = names.into_iter().take(NAMED_MAX).collect::<Vec<_>>().join("、");
        if more > 0 {
            line.push_str(&format!(" +{more}"));
        }
        lines.push(format!("{}：{line}", if language == Language::Zh { zh } else { en }));
    }
    lines.extend(night.link.clone());
    lines
}

/// The title of a night that ended before its time.
pub(crate) fn failed(language: Language) -> &'static str {
    match language {
        Language::Zh => "巡检中途失败，下次运行会接着做",
        Language::En => "The night failed; the next one goes on",
    }
}

/// A title and lines as Markdown, no longer than so many bytes.
pub(crate) fn quoted(title: &str, lines: &[String], bytes_max: usize) -> String {
    let mut text = format!("**{}**\n", escape(title));
    for line in lines {
        let line = format!("> {}\n", escape(line));
        if text.len() + line.len() > bytes_max {
            break;
        }
        text.push_str(&line);
    }
    text
}

/// Characters that robots would take for Markdown.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\r' | '\n' => out.push(' '),
            '*' | '_' | '`' | '[' | ']' | '<' | '>' | '#' | '@' | '|' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
