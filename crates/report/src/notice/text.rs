//! The notice's text: a Markdown template filled with the quarter's facts.

use std::collections::BTreeSet;

use jiff::civil::Date;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
use serde::Serialize;
use serde_json::{Value, json};
use xunjian_model::AccountState;

use super::{Annex, NoticeData};
use crate::{Language, ReportError};

/// What is wrong with a template of the notice.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TemplateError {
    /// It cannot be read as a template.
    #[error("line {line}: {reason}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// It names what a notice does not have.
    #[error("unknown {}: {}; known: {}", if .0.len() == 1 { "variable" } else { "variables" }, .0.join(", "), VARIABLES.join(", "))]
    Unknown(Vec<String>),
}

/// Everything a template may name.
const VARIABLES: [&str; 17] = [
    "addressees", "annexes", "checked", "compared", "contact", "counts", "dated", "deadline", "failed",
    "groups", "office", "platforms", "point", "quarter", "rates", "unmended", "year",
];

fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("markdown".into()));
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() => Ok(out.write_str(&plain(text))?),
        _ if value.is_undefined() => minijinja::escape_formatter(out, state, value),
        _ => Ok(out.write_str(&plain(&value.to_string()))?),
    });
    Ok(environment)
}

/// Checks a template before it is needed: its form, and that it names nothing unknown.
pub fn check_template(source: &str) -> Result<(), TemplateError> {
    let syntax = |error: minijinja::Error| TemplateError::Syntax {
        line: error.line().unwrap_or(1),
        reason: error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
    };
    let environment = environment().map_err(syntax)?;
    let template = environment.template_from_named_str("notice.md", source).map_err(syntax)?;
    let named: BTreeSet<String> = template.undeclared_variables(false).into_iter().collect();
    let unknown: Vec<String> = named.into_iter().filter(|name| !VARIABLES.contains(&name.as_str())).collect();
    if unknown.is_empty() { Ok(()) } else { Err(TemplateError::Unknown(unknown)) }
}

/// The text as Markdown.
pub(super) fn render(
    data: &NoticeData<'_>,
    annexes: &[Annex],
    language: Language,
) -> Result<String, ReportError> {
    let shipped = match language {
        Language::Zh => include_str!("../../templates/notice/zh.md"),
        Language::En => include_str!("../../templates/notice/en.md"),
    };
    let source = data.settings.template.as_deref().unwrap_or(shipped);
    let text =
        environment()?.render_named_str("notice.md", source, Serde(context(data, annexes, language)))?;
    Ok(text)
}

fn context(data: &NoticeData<'_>, annexes: &[Annex], language: Language) -> Value {
    let notice = data.notice;
    let zh = language == Language::Zh;
    let (year, quarter) = notice.quarter.split_once('Q').unwrap_or((notice.quarter.as_str(), ""));
    let rates: serde_json::Map<String, Value> = notice
        .rates
        .iter()
        .map(|(rate, text)| {
            let parts = json!({
                "text": text.as_deref().unwrap_or("–"),
                "numerator": rate.numerator,
                "denominator": rate.denominator,
            });
            (rate.id.clone(), parts)
        })
        .collect();
    let failed: Vec<Value> = notice
        .annexes
        .unqualified_sites
        .iter()
        .map(|row| json!({ "name": row.name, "indicator": row.indicator, "problem": row.problem }))
        .collect();
    let groups: Vec<Value> = notice
        .groups
        .iter()
        .filter(|group| !group.sites.is_empty())
        .map(|group| json!({ "name": if zh { &group.name } else { &group.name_en }, "sites": group.sites }))
        .collect();
    let is_open = |state: &str| {
        !AccountState::of(state).is_some_and(|state| state.is_closed() || state == AccountState::Mended)
    };
    let open = notice.annexes.unqualified_accounts.iter().filter(|row| is_open(&row.state));
    let unmended: Vec<&str> =
        open.map(|row| if row.office.is_empty() { &row.name } else { &row.office }.as_str()).collect();
    let settings = data.settings;
    let or = |text: &Option<String>, zh_text: &str, en_text: &str| {
        text.clone().unwrap_or_else(|| if zh { zh_text.to_owned() } else { en_text.to_owned() })
    };
    let checked = match notice.counts.sites {
        0 => 0.0,
        sites => (notice.counts.sites_checked * 10_000 / sites) as f64 / 100.0,
    };
    json!({
        "year": year,
        "quarter": if zh { chinese(quarter) } else { quarter },
        "office": or(&settings.office, "市人民政府办公室", "The office of the municipal government"),
        "addressees": or(&settings.addressees, "各县（市、区）人民政府，市直各部门", "To all county governments and departments"),
        "contact": settings.contact,
        "point": day(notice.point, language),
        "dated": day(data.dated, language),
        "deadline": day(data.deadline, language),
        "counts": notice.counts,
        "checked": checked.to_string(),
        "rates": rates,
        "platforms": notice.platforms,
        "failed": failed,
        "unmended": unmended,
        "groups": groups,
        "compared": data.compared.as_ref().map(|(quarter, comparison)| {
            let before = comparison.rates.iter().find(|(id, _, _)| id == "sites");
            json!({
                "quarter": quarter,
                "mended": comparison.mended,
                "still": comparison.still,
                "fallen": comparison.fallen,
                "before": before.and_then(|(_, before, _)| before.clone()),
            })
        }),
        "annexes": annexes.iter().map(|annex| annex.title).collect::<Vec<_>>(),
    })
}

fn chinese(quarter: &str) -> &str {
    match quarter {
        "1" => "一",
        "2" => "二",
        "3" => "三",
        "4" => "四",
        other => other,
    }
}

/// A day as a notice writes it.
fn day(day: Date, language: Language) -> String {
    match language {
        Language::Zh => format!("{}年{}月{}日", day.year(), day.month(), day.day()),
        Language::En => day.strftime("%-d %B %Y").to_string(),
    }
}

/// A text in which nothing is Markdown any more.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() => {}
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!' | '&' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

// ---- blocks -----------------------------------------------------------------------------------

/// A run of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Span {
    pub(super) text: String,
    pub(super) bold: bool,
    /// Relation of a link, in DOCX.
    pub(super) link: Option<String>,
}

/// A paragraph with its style's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Block {
    pub(super) style: &'static str,
    pub(super) spans: Vec<Span>,
}

/// The paragraphs of a text. What follows the title is to whom it goes; quotations are the signature.
pub(super) fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut spans: Vec<Span> = Vec::new();
    let (mut bold, mut quoted, mut heading) = (false, false, None);
    let push = |blocks: &mut Vec<Block>, style, spans: &mut Vec<Span>| {
        if !spans.is_empty() {
            blocks.push(Block { style, spans: std::mem::take(spans) });
        }
    };
    for event in Parser::new(markdown) {
        let mut text = |text: &str| match spans.last_mut() {
            Some(last) if last.bold == bold => last.text.push_str(text),
            _ => spans.push(Span { text: text.to_owned(), bold, link: None }),
        };
        match event {
            Event::Text(words) | Event::Code(words) | Event::Html(words) | Event::InlineHtml(words) => {
                text(&words);
            }
            Event::SoftBreak | Event::HardBreak => text(" "),
            Event::Start(Tag::Strong) => bold = true,
            Event::End(TagEnd::Strong) => bold = false,
            Event::Start(Tag::BlockQuote(_)) => quoted = true,
            Event::End(TagEnd::BlockQuote(_)) => quoted = false,
            Event::Start(Tag::Heading { level, .. }) => heading = Some(level),
            Event::End(TagEnd::Heading(_)) => {
                let style = match heading.take() {
                    Some(HeadingLevel::H1) => "Title",
                    Some(HeadingLevel::H2) => "Heading1",
                    Some(HeadingLevel::H3) => "Heading2",
                    _ => "Heading3",
                };
                push(&mut blocks, style, &mut spans);
            }
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock) => {
                let style = match blocks.last() {
                    _ if quoted => "Signature",
                    Some(last) if last.style == "Title" => "Addressee",
                    _ => "Body",
                };
                push(&mut blocks, style, &mut spans);
            }
            _ => {}
        }
    }
    push(&mut blocks, "Body", &mut spans);
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_paragraphs_with_styles() {
        let found =
            blocks("# 标题\n\n各单位：\n\n正文**要点**。\n\n## 一、\n\n### （一）\n\n> 办公室\n>\n> 日期\n");
        let styles: Vec<&str> = found.iter().map(|block| block.style).collect();
        assert_eq!(styles, ["Title", "Addressee", "Body", "Heading1", "Heading2", "Signature", "Signature"]);
        assert!(found[2].spans[1].bold && found[2].spans[1].text == "要点");
    }

    #[test]
    fn values_are_never_markdown() {
        let text = "**<b>[a](javascript:x)</b>** | # `x` &amp; \\ ~~";
        let found = blocks(&plain(text));
        let all: String = found[0].spans.iter().map(|span| span.text.as_str()).collect();
        assert_eq!(
            (all.as_str(), found.len(), found[0].spans.iter().any(|span| span.bold)),
            (text, 1, false)
        );
    }

    #[test]
    fn templates_are_checked_with_line_and_name() {
        for shipped in
            [include_str!("../../templates/notice/zh.md"), include_str!("../../templates/notice/en.md")]
        {
            assert_eq!(check_template(shipped), Ok(()));
        }
        let unknown = check_template("# {{ title }}\n{{ office }} {{ year }} {{ signer }}");
        assert_eq!(unknown, Err(TemplateError::Unknown(vec!["signer".to_owned(), "title".to_owned()])));
        let syntax = check_template("# 通报\n\n{% if counts %}");
        assert!(matches!(syntax, Err(TemplateError::Syntax { line: 3, .. })), "{syntax:?}");
    }
}
