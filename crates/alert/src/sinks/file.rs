//! Files: JSON lines of what changed; JUnit, SARIF and Markdown of everything as it is after a night.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use xunjian_engine::{current_findings, verdict};
use xunjian_model::{Finding, Outcome, Severity, Site};
use xunjian_report::{Language, SarifResult, sarif as sarif_of};

use super::Context;
use super::webhook::events;
use crate::{Message, SendError, Sink};

/// Results of one SARIF run that code hosts show.
const SARIF_RESULTS_MAX: usize = 5_000;
/// Lines of a summary's table of sites and of its list of findings.
const SUMMARY_FINDINGS_MAX: usize = 50;

fn later(path: &Path, error: &io::Error) -> SendError {
    SendError::Later(format!("cannot write {}: {error}", path.display()))
}

pub(super) fn jsonl(path: Option<&Path>, message: &Message) -> Result<(), SendError> {
    let mut text = String::new();
    for event in events(message) {
        text.push_str(&event.to_string());
        text.push('\n');
    }
    let Some(path) = path else {
        let mut out = io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        return written.map_err(|error| SendError::Later(format!("standard output: {error}")));
    };
    let write = || {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_data()
    };
    write().map_err(|error| later(path, &error))
}

/// Writes beside the file and renames, so that nobody reads half of it.
fn whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), SendError>,
) -> Result<(), SendError> {
    let beside = path.with_extension("part");
    let file = File::create(&beside).map_err(|error| later(&beside, &error))?;
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    let end =
        out.flush().and_then(|()| out.get_ref().sync_data()).and_then(|()| std::fs::rename(&beside, path));
    end.map_err(|error| later(path, &error))
}

/// The sites a sink is told of, with a way to their findings.
fn sites<'a>(
    sink: &'a Sink,
    context: Context<'a>,
) -> impl Iterator<Item = (&'a Site, impl Iterator<Item = Result<Finding, SendError>> + 'a)> {
    let wanted = context.sites.iter().filter(|site| sink.filter.wants_site(site.id.as_str()));
    wanted.map(move |site| {
        let findings = current_findings(context.store, &site.id).filter_map(move |finding| match finding {
            Ok(finding) => sink.filter.wants_finding(&finding).then_some(Ok(finding)),
            Err(error) => Some(Err(SendError::Store(error))),
        });
        (site, findings)
    })
}

fn name(finding: &Finding, language: Language) -> &'static str {
    match language {
        Language::Zh => finding.kind.zh(),
        Language::En => finding.kind.en(),
    }
}

// ---- JUnit ------------------------------------------------------------------------------------

/// One suite a site, one failing case a finding; a site without findings has one case that passes.
pub(super) fn junit(path: &Path, sink: &Sink, _: &Message, context: Context<'_>) -> Result<(), SendError> {
    whole(path, |out| {
        let mut xml = Writer::new_with_indent(out, b' ', 1);
        let fail = |error: io::Error| later(path, &error);
        xml.write_event(Event::Decl(quick_xml::events::BytesDecl::new("1.0", Some("UTF-8"), None)))
            .map_err(fail)?;
        xml.write_event(Event::Start(BytesStart::new("testsuites").with_attributes([("name", "xunjian")])))
            .map_err(fail)?;
        for (site, findings) in sites(sink, context) {
            // Suites say first how much is in them.
            let mut count = 0;
            for finding in findings {
                finding?;
                count += 1;
            }
            let (tests, failures) = (count.max(1).to_string(), count.to_string());
            let suite = BytesStart::new("testsuite").with_attributes([
                ("name", site.name.as_str()),
                ("tests", &tests),
                ("failures", &failures),
                ("errors", "0"),
            ]);
            xml.write_event(Event::Start(suite)).map_err(fail)?;
            if count == 0 {
                let case = BytesStart::new("testcase")
                    .with_attributes([("name", "—"), ("classname", site.id.as_str())]);
                xml.write_event(Event::Empty(case)).map_err(fail)?;
            }
            let Some((_, findings)) = self::sites(sink, context).find(|(other, _)| other.id == site.id)
            else {
                continue;
            };
            for finding in findings {
                let finding = finding?;
                let title = format!("{} {}", name(&finding, context.language), printable(&finding.url));
                let class = format!("{}.{}", finding.site, finding.indicator);
                let case = BytesStart::new("testcase")
                    .with_attributes([("name", title.as_str()), ("classname", &class)]);
                xml.write_event(Event::Start(case)).map_err(fail)?;
                let message = printable(&finding.evidence.excerpt);
                let failure = BytesStart::new("failure")
                    .with_attributes([("type", finding.kind.as_str()), ("message", message.as_str())]);
                xml.write_event(Event::Start(failure)).map_err(fail)?;
                let told = format!(
                    "{}\n{}\n{}",
                    printable(&finding.title),
                    finding.id,
                    finding.evidence.snapshot.as_deref().unwrap_or_default()
                );
                xml.write_event(Event::Text(BytesText::new(&told))).map_err(fail)?;
                xml.write_event(Event::End(BytesEnd::new("failure"))).map_err(fail)?;
                xml.write_event(Event::End(BytesEnd::new("testcase"))).map_err(fail)?;
            }
            xml.write_event(Event::End(BytesEnd::new("testsuite"))).map_err(fail)?;
        }
        xml.write_event(Event::End(BytesEnd::new("testsuites"))).map_err(fail)
    })
}

/// A text without what XML 1.0 forbids.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')).collect()
}

// ---- SARIF ------------------------------------------------------------------------------------

/// The most severe findings first, as many as are shown.
pub(super) fn sarif(path: &Path, sink: &Sink, _: &Message, context: Context<'_>) -> Result<(), SendError> {
    let mut kept: Vec<Finding> = Vec::new();
    for severity in Severity::ALL.into_iter().rev() {
        for (_, findings) in sites(sink, context) {
            for finding in findings {
                let finding = finding?;
                if finding.severity == severity && kept.len() < SARIF_RESULTS_MAX {
                    kept.push(finding);
                }
            }
        }
    }
    let results: Vec<SarifResult<'_>> = kept
        .iter()
        .map(|finding| SarifResult {
            kind: finding.kind,
            severity: finding.severity,
            uri: &finding.url,
            place: None,
            bytes: finding.bytes(),
            message: format!("{}：{}", name(finding, context.language), finding.evidence.excerpt),
        })
        .collect();
    let text = sarif_of(&results).to_string();
    whole(path, |out| out.write_all(text.as_bytes()).map_err(|error| later(path, &error)))
}

// ---- Markdown ---------------------------------------------------------------------------------

/// A summary as code hosts show it beside a run.
pub(super) fn markdown(
    path: &Path,
    sink: &Sink,
    message: &Message,
    context: Context<'_>,
) -> Result<(), SendError> {
    let zh = context.language == Language::Zh;
    let run = if let Message::State { run, .. } = message { *run } else { 0 };
    let mut table = match zh {
        true => "| 网站 | 结果 | 严重 | 较重 | 一般 | 提示 |\n|---|---|--:|--:|--:|--:|\n".to_owned(),
        false => "| site | result | serious | major | minor | info |\n|---|---|--:|--:|--:|--:|\n".to_owned(),
    };
    let mut listed = String::new();
    let (mut shown, mut all, mut failing) = (0, 0_u64, 0);
    for (site, findings) in sites(sink, context) {
        let mut counts = [0_u64; 4];
        for finding in findings {
            let finding = finding?;
            let at = Severity::ALL.iter().rev().position(|one| *one == finding.severity).unwrap_or(3);
            counts[at] += 1;
            all += 1;
            if at == 0 && shown < SUMMARY_FINDINGS_MAX {
                shown += 1;
                listed.push_str(&format!(
                    "- **{}** {} {} <{}>\n",
                    cell(&site.name),
                    name(&finding, context.language),
                    cell(&finding.evidence.excerpt),
                    finding.url.replace(['<', '>'], "")
                ));
            }
        }
        let standing = verdict(context.store, run, &site.id)?;
        let result = standing.map_or("–", |one| {
            failing += u64::from(one.result == Outcome::Fail);
            if zh { one.result.zh() } else { one.result.en() }
        });
        let numbers: Vec<String> = counts.iter().map(u64::to_string).collect();
        table.push_str(&format!("| {} | {result} | {} |\n", cell(&site.name), numbers.join(" | ")));
    }
    let head = match zh {
        true => format!("## 巡检结果\n\n不合格 {failing} 家，问题 {all} 个。\n\n"),
        false => format!("## Inspection\n\n{failing} sites fail, {all} findings.\n\n"),
    };
    let text = format!("{head}{table}\n{listed}");
    whole(path, |out| out.write_all(text.as_bytes()).map_err(|error| later(path, &error)))
}

fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '|' | '<' | '>' | '*' | '_' | '`' | '[' | ']' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
