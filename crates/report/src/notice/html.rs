//! The notice as one page to read and print.

use minijinja::value::Serde;
use pulldown_cmark::{Event, Parser};
use serde_json::json;

use super::{Annex, NoticeData, annexes, notes_title};
use crate::{Language, ReportError, html};

pub(super) fn write(
    data: &NoticeData<'_>,
    text: &str,
    annexes: &[Annex],
    language: Language,
) -> Result<String, ReportError> {
    let mut body = String::new();
    // What a template writes as HTML is shown, not run.
    let events = Parser::new(text).map(|event| match event {
        Event::Html(words) | Event::InlineHtml(words) => Event::Text(words),
        other => other,
    });
    pulldown_cmark::html::push_html(&mut body, events);
    let mut environment = html::environment()?;
    environment.add_template("notice.html", include_str!("../../templates/notice/notice.html"))?;
    let tables: Vec<_> = annexes
        .iter()
        .map(|annex| {
            let cell = |cell: &super::Cell| json!({ "text": cell.text, "link": cell.link, "picture": cell.picture.as_ref().map(|picture| &picture.file) });
            json!({
                "mark": annexes::mark(annex.number, language),
                "title": annex.title,
                "columns": annex.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
                "rows": annex.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>()).collect::<Vec<_>>(),
            })
        })
        .collect();
    let page = environment.get_template("notice.html")?.render(Serde(json!({
        "lang": html::code(language),
        "title": data.notice.quarter,
        "body": body,
        "annexes": tables,
        "empty": annexes::none(language),
        "notes": data.notes,
        "notes_title": notes_title(language),
    })))?;
    Ok(page)
}
