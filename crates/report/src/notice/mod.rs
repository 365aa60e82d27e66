//! The quarterly notice, ready to edit and sign: a text from a template, five annexes, and the same as
//! DOCX (the layout of GB/T 9704-2012), HTML, Markdown, XLSX, CSV and JSON.

mod annexes;
mod docx;
mod html;
mod text;
mod xlsx;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::{Value, json};
use xunjian_judge::{Comparison, Notice};
use xunjian_model::{Finding, Site};

use crate::{Evidence, Language, ReportError, evidence, save};
pub use annexes::{Annex, Cell, Picture};
pub use text::{TemplateError, check_template};

/// A form of the notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Word, text and annexes.
    Docx,
    /// A workbook with one sheet an annex.
    Xlsx,
    /// One page, text and annexes, to read and print.
    Html,
    /// Every fact.
    Json,
    /// One file an annex.
    Csv,
    /// Markdown, text and annexes.
    Md,
}

impl Format {
    /// Every form.
    pub const ALL: [Self; 6] = [Self::Docx, Self::Xlsx, Self::Html, Self::Json, Self::Csv, Self::Md];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Docx => "docx",
            Self::Xlsx => "xlsx",
            Self::Html => "html",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Md => "md",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no form.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no form of the notice: use docx, xlsx, html, json, csv or md")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;
    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// What an office writes into its notices.
#[derive(Clone, Debug, Default)]
pub struct NoticeSettings {
    /// Who issues it.
    pub office: Option<String>,
    /// To whom it goes.
    pub addressees: Option<String>,
    /// Whom to call.
    pub contact: Option<String>,
    /// The office's own template of the text.
    pub template: Option<String>,
}

/// Everything a notice is written from.
#[derive(Debug)]
pub struct NoticeData<'a> {
    /// Counts, rates, groups, annexes.
    pub notice: &'a Notice,
    /// The earlier quarter it is compared with.
    pub compared: Option<(String, Comparison)>,
    /// The register.
    pub sites: &'a [Site],
    /// Findings the annexes name.
    pub findings: Vec<&'a Finding>,
    /// Day of the notice.
    pub dated: Date,
    /// Last day for mending.
    pub deadline: Date,
    /// What whoever signs should know first.
    pub notes: Vec<String>,
    /// The office's texts.
    pub settings: &'a NoticeSettings,
}

/// Writes the notice in each form; answers with the files. `evidence` gives the archived page of an
/// address and a snapshot's name, `picture` the picture (JPEG) of a finding.
pub fn write_notice(
    data: &NoticeData<'_>,
    folder: &Path,
    formats: &[Format],
    language: Language,
    evidence: impl Fn(&str, &str) -> Option<Evidence>,
    picture: impl Fn(&Finding) -> Option<Vec<u8>>,
) -> Result<Vec<PathBuf>, ReportError> {
    fs::create_dir_all(folder).map_err(|source| ReportError::Write { path: folder.to_owned(), source })?;
    let pages = evidence::write(&data.findings, &folder.join("evidence"), language, evidence)?;
    let links: HashMap<&str, String> = data
        .findings
        .iter()
        .filter_map(|one| {
            let page = pages.get(one.evidence.snapshot.as_deref()?)?;
            Some((one.id.as_str(), format!("evidence/{page}")))
        })
        .collect();
    let mut pictures: HashMap<&str, Picture> = HashMap::new();
    for (number, finding) in (1..).zip(&data.findings) {
        let Some(bytes) = picture(finding) else { continue };
        let file = format!("evidence/{}.jpg", finding.id);
        let path = folder.join(&file);
        save(&path, &bytes).map_err(|source| ReportError::Write { path, source })?;
        pictures.insert(finding.id.as_str(), Picture { number, file, bytes: Arc::new(bytes) });
    }
    let annexes = annexes::of(data, &links, &pictures, language);
    let text = text::render(data, &annexes, language)?;
    let mut files = Vec::new();
    let mut write = |name: String, bytes: &[u8]| {
        let path = folder.join(name);
        save(&path, bytes).map_err(|source| ReportError::Write { path: path.clone(), source })?;
        files.push(path);
        Ok::<(), ReportError>(())
    };
    for format in formats {
        match format {
            Format::Docx => write("notice.docx".to_owned(), &docx::write(data, &text, &annexes, language)?)?,
            Format::Xlsx => write("annexes.xlsx".to_owned(), &xlsx::write(&annexes)?)?,
            Format::Html => {
                write("notice.html".to_owned(), html::write(data, &text, &annexes, language)?.as_bytes())?;
            }
            Format::Md => {
                write("notice.md".to_owned(), markdown(data, &text, &annexes, language).as_bytes())?;
            }
            Format::Json => {
                let mut bytes = serde_json::to_vec_pretty(&facts(data))?;
                bytes.push(b'\n');
                write("notice.json".to_owned(), &bytes)?;
            }
            Format::Csv => {
                for annex in &annexes {
                    write(format!("annex-{}.csv", annex.number), &annex.csv()?)?;
                }
            }
        }
    }
    Ok(files)
}

/// Everything the notice tells, for tools.
fn facts(data: &NoticeData<'_>) -> Value {
    json!({
        "schema": 1,
        "notice": data.notice,
        "compared": data.compared.as_ref().map(|(quarter, comparison)| {
            json!({ "quarter": quarter, "comparison": comparison })
        }),
        "dated": data.dated,
        "deadline": data.deadline,
        "notes": data.notes,
        "findings": data.findings,
    })
}

fn markdown(data: &NoticeData<'_>, text: &str, annexes: &[Annex], language: Language) -> String {
    let mut out = text.to_owned();
    for annex in annexes {
        out.push_str(&annex.markdown(language));
    }
    if !data.notes.is_empty() {
        out.push_str(&format!("\n## {}\n\n", notes_title(language)));
        for note in &data.notes {
            out.push_str(&format!("- {}\n", text::plain(note)));
        }
    }
    out
}

/// Title of what is taken out before the notice is issued.
fn notes_title(language: Language) -> &'static str {
    match language {
        Language::Zh => "起草提示（印发前删去本页）",
        Language::En => "Notes for the drafter (take this page out before issuing)",
    }
}
