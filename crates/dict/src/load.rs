//! Dictionary files: TOML, CSV, TSV and plain lines, UTF-8 or GBK.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{Category, Dictionary, Entry};

/// Longest pattern, in characters; longer ones are pasted by mistake.
const PATTERN_CHARS_MAX: usize = 64;

/// One line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and how to mend it.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

/// Why a dictionary file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// File.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Lines are wrong; all of them are listed.
    #[error("{}: {}", path.display(), list(faults))]
    Faults {
        /// File.
        path: PathBuf,
        /// Each wrong line.
        faults: Vec<Fault>,
    },
}

fn list(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    version: Option<String>,
    category: Option<Category>,
    severity: Option<String>,
    #[serde(default)]
    sites: Vec<String>,
    #[serde(default)]
    not_after: Vec<String>,
    #[serde(default)]
    skip_titles: bool,
    #[serde(default)]
    entry: Vec<toml::Spanned<Row>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Row {
    pattern: String,
    correction: Option<String>,
    category: Option<Category>,
    severity: Option<String>,
    note: Option<String>,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    not_after: Vec<String>,
}

/// Reads a dictionary from a file; its ending chooses the format (`.toml`, `.csv`, `.tsv`,
/// otherwise one pattern a line).
pub fn load_file(path: &Path) -> Result<Dictionary, LoadError> {
    let bytes = std::fs::read(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
    load_bytes(path, &bytes)
}

/// Reads a dictionary from bytes; the path gives name and format.
pub fn load_bytes(path: &Path, bytes: &[u8]) -> Result<Dictionary, LoadError> {
    let text = decode_text(bytes);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("dictionary");
    let (mut dictionary, mut faults) = match ending.to_ascii_lowercase().as_str() {
        "toml" => from_toml(&text),
        "csv" => from_table(&text, b','),
        "tsv" => from_table(&text, b'\t'),
        _ => from_lines(&text),
    };
    if dictionary.entries.is_empty() && faults.is_empty() {
        faults.push(Fault { line: 1, reason: "the dictionary has no patterns".to_owned() });
    }
    if !faults.is_empty() {
        return Err(LoadError::Faults { path: path.to_owned(), faults });
    }
    if dictionary.name.is_empty() {
        dictionary.name = stem.to_owned();
    }
    Ok(dictionary)
}

/// The text of a file that may be UTF-8, with or without byte order mark, or GBK.
pub fn decode_text(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::GB18030.decode(bytes).0.into_owned(),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|&&byte| byte == b'\n').count() + 1
}

fn from_toml(text: &str) -> (Dictionary, Vec<Fault>) {
    let file: File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            let fault = Fault { line, reason: error.message().to_owned() };
            return (Dictionary::default(), vec![fault]);
        }
    };
    let mut collected = Collected::default();
    for spanned in file.entry {
        let line = line_of(text, spanned.span().start);
        let mut row = spanned.into_inner();
        row.category = row.category.or(file.category);
        row.severity = row.severity.or_else(|| file.severity.clone());
        row.not_after.extend(file.not_after.iter().cloned());
        collected.push(line, row, file.skip_titles);
    }
    let dictionary = Dictionary {
        name: file.name.unwrap_or_default(),
        version: file.version.unwrap_or_default(),
        sites: file.sites,
        entries: collected.entries,
    };
    (dictionary, collected.faults)
}

/// Columns by header: pattern, correction, category, severity, note, allow (`|` between phrases).
fn from_table(text: &str, delimiter: u8) -> (Dictionary, Vec<Fault>) {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let mut collected = Collected::default();
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => {
            return (Dictionary::default(), vec![Fault { line: 1, reason: error.to_string() }]);
        }
    };
    if !headers.iter().any(|header| header.trim() == "pattern") {
        let reason = "the first line must name the columns, one of them `pattern`".to_owned();
        return (Dictionary::default(), vec![Fault { line: 1, reason }]);
    }
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, |position| position.line() as usize);
                collected.faults.push(Fault { line, reason: error.to_string() });
                continue;
            }
        };
        let line = record.position().map_or(0, |position| position.line() as usize);
        let mut row = Row::default();
        let mut fault = None;
        for (header, value) in headers.iter().zip(record.iter()) {
            let value = value.trim();
            let some = || (!value.is_empty()).then(|| value.to_owned());
            match header.trim() {
                "pattern" => row.pattern = value.to_owned(),
                "correction" => row.correction = some(),
                "severity" => row.severity = some(),
                "note" => row.note = some(),
                "allow" => {
                    row.allow = value.split('|').filter(|p| !p.is_empty()).map(str::to_owned).collect()
                }
                "category" if value.is_empty() => {}
                "category" => match value.parse_category() {
                    Some(category) => row.category = Some(category),
                    None => fault = Some(format!("{value:?} is not a category")),
                },
                other => fault = Some(format!("unknown column {other:?}")),
            }
        }
        match fault {
            Some(reason) => collected.faults.push(Fault { line, reason }),
            None => {
                row.category = row.category.or(row.correction.is_some().then_some(Category::Typo));
                collected.push(line, row, false);
            }
        }
    }
    (Dictionary { entries: collected.entries, ..Dictionary::default() }, collected.faults)
}

fn from_lines(text: &str) -> (Dictionary, Vec<Fault>) {
    let mut collected = Collected::default();
    for (at, line) in text.lines().enumerate() {
        let pattern = line.trim();
        if pattern.is_empty() || pattern.starts_with('#') {
            continue;
        }
        let category = Some(Category::SensitiveWord);
        let row = Row { pattern: pattern.to_owned(), category, ..Row::default() };
        collected.push(at + 1, row, false);
    }
    (Dictionary { entries: collected.entries, ..Dictionary::default() }, collected.faults)
}

trait ParseCategory {
    fn parse_category(&self) -> Option<Category>;
}

impl ParseCategory for str {
    fn parse_category(&self) -> Option<Category> {
        use Category::{OutdatedName, PlaceholderText, SensitiveWord, SpamInjection, Typo};
        let all = [Typo, OutdatedName, SensitiveWord, SpamInjection, PlaceholderText];
        all.into_iter().find(|category| category.as_str() == self)
    }
}

#[derive(Default)]
struct Collected {
    entries: Vec<Entry>,
    faults: Vec<Fault>,
    seen: std::collections::HashMap<String, usize>,
}

impl Collected {
    fn push(&mut self, line: usize, row: Row, skip_titles: bool) {
        match check(&row) {
            Err(reason) => self.faults.push(Fault { line, reason }),
            Ok(category) => {
                if let Some(first) = self.seen.insert(row.pattern.clone(), line) {
                    let reason = format!("pattern {:?} stands already in line {first}", row.pattern);
                    self.faults.push(Fault { line, reason });
                    return;
                }
                self.entries.push(Entry {
                    pattern: row.pattern,
                    correction: row.correction,
                    category,
                    severity: row.severity,
                    note: row.note,
                    allow: row.allow,
                    not_after: row.not_after,
                    skip_titles,
                });
            }
        }
    }
}

fn check(row: &Row) -> Result<Category, String> {
    let pattern = row.pattern.trim();
    let chars = pattern.chars().count();
    if pattern.is_empty() {
        return Err("the pattern is empty".to_owned());
    }
    if chars < 2 {
        return Err(format!("pattern {pattern:?} is one character and would match everywhere"));
    }
    if chars > PATTERN_CHARS_MAX {
        return Err(format!("the pattern has {chars} characters, more than {PATTERN_CHARS_MAX}"));
    }
    if row.pattern.contains(|c: char| c.is_control()) {
        return Err(format!("pattern {:?} holds a control character", row.pattern));
    }
    if row.correction.as_deref() == Some(pattern) {
        return Err(format!("{pattern:?} is corrected to itself"));
    }
    if let Some(phrase) = row.allow.iter().find(|phrase| !phrase.contains(pattern)) {
        return Err(format!("allowed phrase {phrase:?} does not contain the pattern {pattern:?}"));
    }
    if let Some(severity) = &row.severity
        && !["info", "minor", "major", "serious"].contains(&severity.as_str())
    {
        return Err(format!("{severity:?} is not a severity: use info, minor, major or serious"));
    }
    row.category.ok_or_else(|| {
        "no category: give `category` (typo, outdated-name, sensitive-word, spam-injection, placeholder-text)".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(name: &str, text: &[u8]) -> Result<Dictionary, String> {
        load_bytes(Path::new(name), text).map_err(|error| error.to_string())
    }

    #[test]
    fn every_format_gives_the_same_entries() {
        let toml = "category = \"typo\"\n[[entry]]\npattern = \"关健\"\ncorrection = \"关键\"\n";
        let csv = "pattern,correction\n关健,关键\n";
        let gbk = encoding_rs::GBK.encode("pattern\tcorrection\tcategory\n关健\t关键\ttypo\n").0;
        let all = [load("a.toml", toml.as_bytes()), load("a.csv", csv.as_bytes()), load("a.tsv", &gbk)];
        for dictionary in all {
            let dictionary = dictionary.expect("loads");
            assert_eq!(dictionary.entries[0].pattern, "关健");
            assert_eq!(dictionary.entries[0].correction.as_deref(), Some("关键"));
            assert_eq!(dictionary.entries[0].category, Category::Typo);
        }
        assert_eq!(load("a.txt", "# own\n甲乙\n".as_bytes()).expect("loads").entries.len(), 1);
    }

    #[test]
    fn faults_name_line_and_reason() {
        let table: &[(&str, &str, &str)] = &[
            (
                "a.csv",
                "pattern,correction\n关健,关键\n关健,关键\n",
                "line 3: pattern \"关健\" stands already in line 2",
            ),
            ("a.csv", "a,b\n1,2\n", "line 1: the first line must name"),
            ("a.txt", "甲乙\n丙\n", "line 2: pattern \"丙\" is one character"),
            ("a.toml", "category = \"typo\"\n[[entry]]\npatern = \"x\"\n", "line 3: unknown field"),
            ("a.toml", "[[entry]]\npattern = \"甲乙\"\n", "line 1: no category"),
            ("a.txt", "", "has no patterns"),
        ];
        for (name, text, reason) in table {
            let message = load(name, text.as_bytes()).expect_err(text);
            assert!(message.contains(reason), "{message}");
        }
    }
}
