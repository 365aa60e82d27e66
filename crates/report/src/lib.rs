//! The report of a run: JSON and CSV for tools, one HTML page for the official who opens it at
//! eight in the morning, and beside it the archived pages that prove each finding.

mod evidence;
mod html;
mod notice;
mod sarif;
mod words;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::tz::TimeZone;
use serde::Serialize;
use xunjian_model::{Finding, Site, Verdict};

pub use evidence::{Evidence, archived_page};
pub use notice::{
    Annex, Cell, Format, NoticeData, NoticeSettings, Picture, TemplateError, UnknownFormat, check_template,
    write_notice,
};
pub use sarif::{SarifResult, sarif};
pub use words::{details, excerpt, left_out, link_state, own_state, severity};

/// Language of what people read; data is the same in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl Language {
    /// A message that arose in English, in this language.
    pub fn said(self, english: impl Display) -> String {
        match self {
            Self::Zh => xunjian_translate::chinese(&english.to_string()),
            Self::En => english.to_string(),
        }
    }
}

/// A text that names no language.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a language of the report: use zh or en")]
pub struct UnknownLanguage(String);

impl FromStr for Language {
    type Err = UnknownLanguage;
    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        match text {
            "zh" => Ok(Self::Zh),
            "en" => Ok(Self::En),
            _ => Err(UnknownLanguage(text.to_owned())),
        }
    }
}

/// Everything a report shows.
#[derive(Debug)]
pub struct ReportData {
    /// Number of the run.
    pub run: u32,
    /// When it began, in the zone.
    pub started_at: String,
    /// Its crawl is over: nothing waits to be seen.
    pub crawled: bool,
    /// The zone of dates.
    pub zone: TimeZone,
    /// The monitoring point.
    pub point: String,
    /// The catalogue judged by.
    pub catalogue: String,
    /// Sites in the register's order.
    pub sites: Vec<SiteReport>,
    /// `summary.json`.
    pub summary: serde_json::Value,
}

/// One site of a report.
#[derive(Debug)]
pub struct SiteReport {
    /// Site.
    pub site: Site,
    /// How it stands.
    pub verdict: Verdict,
    /// Current findings.
    pub findings: Vec<Finding>,
    /// Findings that went since the run before.
    pub gone: Vec<Finding>,
    /// Pages looked at.
    pub pages: u64,
    /// Visits of the crawl.
    pub visits: u64,
    /// Every page that should have been seen was.
    pub complete: bool,
    /// Why pages were left out.
    pub left_out: BTreeMap<String, u64>,
    /// Endless addresses that were cut, by shape: how many, and one of them.
    pub cut: BTreeMap<String, (u64, String)>,
    /// What was noticed besides, by kind.
    pub notes: BTreeMap<String, u64>,
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// File.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The template is at fault.
    #[error("the report's template: {0:#}")]
    Template(#[from] minijinja::Error),
    /// A table could not be written.
    #[error("cannot write a table: {0}")]
    Table(String),
    /// A value could not be written as JSON.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Writes the report; answers with the HTML page's path. `evidence` gives the archived page of an
/// address and a snapshot's name.
pub fn write(
    data: &ReportData,
    folder: &Path,
    language: Language,
    evidence: impl Fn(&str, &str) -> Option<Evidence>,
) -> Result<PathBuf, ReportError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| ReportError::Write { path, source }
    };
    fs::create_dir_all(folder).map_err(io(folder))?;
    let findings: Vec<&Finding> = data.sites.iter().flat_map(|site| &site.findings).collect();
    let gone: Vec<&Finding> = data.sites.iter().flat_map(|site| &site.gone).collect();
    let verdicts: Vec<&Verdict> = data.sites.iter().map(|site| &site.verdict).collect();
    json(&folder.join("findings.json"), &findings)?;
    json(&folder.join("mended.json"), &gone)?;
    json(&folder.join("verdicts.json"), &verdicts)?;
    json(&folder.join("summary.json"), &data.summary)?;
    let table = folder.join("findings.csv");
    csv(&table, &findings).map_err(io(&table))?;
    let links = evidence::write(&findings, &folder.join("evidence"), language, evidence)?;
    let page = folder.join("report.html");
    let text = html::render(data, language, &links)?;
    save(&page, text.as_bytes()).map_err(io(&page))?;
    Ok(page)
}

/// Writes beside the file and renames, so that nobody reads half a report.
fn save(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("part");
    fs::write(&beside, bytes)?;
    fs::rename(&beside, path)
}

fn json<T: Serialize>(path: &Path, value: &T) -> Result<(), ReportError> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    save(path, &bytes).map_err(|source| ReportError::Write { path: path.to_owned(), source })
}

fn csv(path: &Path, findings: &[&Finding]) -> std::io::Result<()> {
    // A byte order mark lets spreadsheet programs read the Chinese text.
    let mut bytes = b"\xEF\xBB\xBF".to_vec();
    let mut writer = csv::Writer::from_writer(&mut bytes);
    writer.write_record([
        "id", "site", "indicator", "kind", "severity", "state", "url", "title", "what", "excerpt",
        "snapshot", "first_seen", "last_seen",
    ])?;
    for one in findings {
        let (first, last) = (one.first_seen.to_string(), one.last_seen.to_string());
        let fields = [
            one.id.as_str(),
            one.site.as_str(),
            &one.indicator,
            one.kind.as_str(),
            one.severity.as_str(),
            words::state(one.state),
            &one.url,
            &one.title,
            one.what(),
            &one.evidence.excerpt,
            one.evidence.snapshot.as_deref().unwrap_or_default(),
            &first,
            &last,
        ];
        writer.write_record(fields.map(inert))?;
    }
    writer.flush()?;
    drop(writer);
    let mut file = fs::File::create(path)?;
    file.write_all(&bytes)
}

/// A cell that a spreadsheet would run as a formula is kept as text.
fn inert(cell: &str) -> String {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{cell}"),
        _ => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_inert() {
        for (cell, kept) in [("=1+1", "'=1+1"), ("@x", "'@x"), ("文字", "文字"), ("", "")] {
            assert_eq!(inert(cell), kept);
        }
    }
}
