//! Dictionary files: TOML, CSV, TSV, XLSX and plain lines; UTF-8, UTF-16 or GBK.

mod lines;
mod table;
mod toml_file;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::{Category, Dictionary, Entry};

/// Largest dictionary file, in bytes.
pub const FILE_BYTES_MAX: u64 = 64 << 20;
/// Most patterns of one file with all that it includes.
pub const ENTRIES_MAX: usize = 1_000_000;
/// Longest pattern or phrase, in characters; longer ones are pasted by mistake.
const PATTERN_CHARS_MAX: usize = 64;
/// Faults listed of one file.
const FAULTS_MAX: usize = 20;

/// One line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and how to mend it.
    pub reason: String,
}

impl Fault {
    fn new(line: usize, reason: impl Into<String>) -> Self {
        Self { line, reason: reason.into() }
    }
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
    /// Lines are wrong; all of them are listed, up to a limit.
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

/// Reads a dictionary from a file and the files it includes; the ending chooses the format
/// (`.toml`, `.csv`, `.tsv`, `.xlsx`, otherwise one pattern a line).
pub fn load_file(path: &Path) -> Result<Dictionary, LoadError> {
    load_included(path, &mut Vec::new())
}

/// `open` holds the files that are being read.
fn load_included(path: &Path, open: &mut Vec<PathBuf>) -> Result<Dictionary, LoadError> {
    let read = |source| LoadError::Read { path: path.to_owned(), source };
    let whole = path.canonicalize().map_err(read)?;
    if let Some(at) = open.iter().position(|other| *other == whole) {
        let circle = open[at..].iter().chain([&whole]).map(|one| one.display().to_string());
        let reason = format!("includes itself: {}", circle.collect::<Vec<_>>().join(" → "));
        return Err(LoadError::Faults { path: path.to_owned(), faults: vec![Fault::new(1, reason)] });
    }
    let bytes = std::fs::metadata(path).map_err(read)?.len();
    if bytes > FILE_BYTES_MAX {
        let reason = format!(
            "the file has {} MB, more than {} MB: is it a dictionary? If so, split it",
            bytes >> 20,
            FILE_BYTES_MAX >> 20
        );
        return Err(LoadError::Faults { path: path.to_owned(), faults: vec![Fault::new(1, reason)] });
    }
    let bytes = std::fs::read(path).map_err(read)?;
    with_included(path, &bytes, whole, open)
}

/// Reads a dictionary as if the file held these bytes, with the files it includes: for a change that is
/// tried before it is saved.
pub fn load_draft(path: &Path, bytes: &[u8]) -> Result<Dictionary, LoadError> {
    let whole = path.canonicalize().map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
    with_included(path, bytes, whole, &mut Vec::new())
}

fn with_included(
    path: &Path,
    bytes: &[u8],
    whole: PathBuf,
    open: &mut Vec<PathBuf>,
) -> Result<Dictionary, LoadError> {
    let (mut dictionary, included) = parse(path, bytes)?;
    dictionary.source = Some(path.to_owned());
    open.push(whole);
    for (line, name) in included {
        let other = path.parent().unwrap_or(Path::new(".")).join(name);
        let at_line = |reason: String| LoadError::Faults {
            path: path.to_owned(),
            faults: vec![Fault::new(line, reason)],
        };
        let more = load_included(&other, open).map_err(|error| at_line(error.to_string()))?;
        if dictionary.entries.len() + more.entries.len() > ENTRIES_MAX {
            return Err(at_line(too_many()));
        }
        dictionary.entries.extend(more.entries);
        dictionary.allow.extend(more.allow);
    }
    open.pop();
    Ok(dictionary)
}

fn too_many() -> String {
    format!("more than {ENTRIES_MAX} patterns: split the dictionary or leave out what nobody needs")
}

/// Reads a dictionary from bytes; the path gives name and format. It must not include others.
pub fn load_bytes(path: &Path, bytes: &[u8]) -> Result<Dictionary, LoadError> {
    let (dictionary, included) = parse(path, bytes)?;
    match included.first() {
        None => Ok(dictionary),
        Some((line, _)) => {
            let fault = Fault::new(*line, "`include` needs a file on disk");
            Err(LoadError::Faults { path: path.to_owned(), faults: vec![fault] })
        }
    }
}

/// Files to include, with the line that names them.
type Included = Vec<(usize, String)>;

fn parse(path: &Path, bytes: &[u8]) -> Result<(Dictionary, Included), LoadError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let ending = ending.to_ascii_lowercase();
    let mut collected = Collected::default();
    if ending == "xlsx" {
        table::from_xlsx(bytes, &mut collected);
    } else {
        match decode(bytes) {
            Err(fault) => collected.faults.push(fault),
            Ok(text) => match ending.as_str() {
                "toml" => toml_file::read(&text, &mut collected),
                "csv" => table::from_text(&text, b',', &mut collected),
                "tsv" => table::from_text(&text, b'\t', &mut collected),
                _ => lines::read(&text, &mut collected),
            },
        }
    }
    let Collected { mut dictionary, included, mut faults, .. } = collected;
    if dictionary.entries.is_empty()
        && dictionary.allow.is_empty()
        && included.is_empty()
        && faults.is_empty()
    {
        faults.push(Fault::new(1, "the dictionary has no patterns"));
    }
    if !faults.is_empty() {
        return Err(LoadError::Faults { path: path.to_owned(), faults });
    }
    if dictionary.name.is_empty() {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("dictionary");
        dictionary.name = stem.to_owned();
    }
    Ok((dictionary, included))
}

/// The text of a file that may be UTF-8 or UTF-16 with its mark, or GBK.
fn decode(bytes: &[u8]) -> Result<String, Fault> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        let (text, _, bad) = encoding.decode(&bytes[mark..]);
        return if bad {
            Err(Fault::new(1, "it is not the UTF text its mark says"))
        } else {
            Ok(text.into_owned())
        };
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => match encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes) {
            Some(text) => Ok(text.into_owned()),
            None => {
                let line = bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() + 1;
                Err(Fault::new(line, "neither UTF-8 nor GBK: save the file as UTF-8"))
            }
        },
    }
}

/// The text of a file that may be UTF-8, with or without mark, or GBK; what is neither is
/// replaced.
pub fn decode_text(bytes: &[u8]) -> String {
    decode(bytes).unwrap_or_else(|_| encoding_rs::GB18030.decode(bytes).0.into_owned())
}

/// One pattern as the file says it.
#[derive(Default)]
struct Row {
    pattern: String,
    correction: Option<String>,
    category: Option<Category>,
    severity: Option<String>,
    note: Option<String>,
    allow: Vec<String>,
    not_after: Vec<String>,
    not_before: Vec<String>,
    context: Vec<String>,
    not_near: Vec<String>,
    since: Option<Date>,
    skip_titles: bool,
}

/// What a file gave so far.
#[derive(Default)]
struct Collected {
    dictionary: Dictionary,
    included: Included,
    faults: Vec<Fault>,
    /// Line and place of every pattern.
    seen: HashMap<String, (usize, usize)>,
    /// There are more patterns than are taken.
    full: bool,
}

impl Collected {
    fn fault(&mut self, line: usize, reason: impl Into<String>) {
        match self.faults.len() {
            0..FAULTS_MAX => self.faults.push(Fault::new(line, reason)),
            FAULTS_MAX => self.faults.push(Fault::new(line, "further faults are not listed")),
            _ => {}
        }
    }

    /// Whether there is no use in reading on.
    fn is_full(&self) -> bool {
        self.full || self.faults.len() > FAULTS_MAX
    }

    fn push(&mut self, line: usize, mut row: Row) {
        row.pattern = row.pattern.trim().to_owned();
        if self.dictionary.entries.len() >= ENTRIES_MAX {
            self.full = true;
            return self.fault(line, too_many());
        }
        let category = match check(&row) {
            Err(reason) => return self.fault(line, reason),
            Ok(category) => category,
        };
        let place = (line, self.dictionary.entries.len());
        if let Some((first, _)) = self.seen.insert(row.pattern.clone(), place) {
            let reason = format!("pattern {:?} stands already in line {first}", row.pattern);
            return self.fault(line, reason);
        }
        if let Some(correction) = &row.correction
            && let Some((other, at)) = self.seen.get(correction)
            && let Some(entry) = self.dictionary.entries.get(*at)
            && entry.correction.as_ref() == Some(&row.pattern)
        {
            let reason = format!("line {other} says the opposite: {correction} is to be {}", row.pattern);
            return self.fault(line, reason);
        }
        self.dictionary.entries.push(Entry {
            pattern: row.pattern,
            correction: row.correction,
            category,
            severity: row.severity,
            note: row.note,
            allow: row.allow,
            not_after: row.not_after,
            not_before: row.not_before,
            context: row.context,
            not_near: row.not_near,
            since: row.since,
            skip_titles: row.skip_titles,
        });
    }
}

fn check(row: &Row) -> Result<Category, String> {
    let pattern = row.pattern.as_str();
    if pattern.is_empty() {
        return Err("the pattern is empty".to_owned());
    }
    if row.pattern.contains(|c: char| c.is_control()) {
        return Err(format!("pattern {pattern:?} holds a control character"));
    }
    let chars = pattern.chars().count();
    if chars > PATTERN_CHARS_MAX {
        return Err(format!("the pattern has {chars} characters, more than {PATTERN_CHARS_MAX}"));
    }
    // What folding leaves is what is looked for.
    let seen = crate::fold::fold_pattern(pattern).0;
    if seen.iter().filter(|c| c.is_alphanumeric()).count() == 0 {
        return Err(format!(
            "pattern {pattern:?} has no letter or character of a word and would match everywhere"
        ));
    }
    if seen.len() < 2 {
        return Err(format!("pattern {pattern:?} is one character and would match everywhere"));
    }
    if row.correction.as_deref() == Some(pattern) {
        return Err(format!("{pattern:?} is corrected to itself"));
    }
    if let Some(phrase) = row.allow.iter().find(|phrase| !phrase.contains(pattern)) {
        return Err(format!("allowed phrase {phrase:?} does not contain the pattern {pattern:?}"));
    }
    if row.allow.iter().any(|phrase| phrase == pattern) {
        return Err(format!("{pattern:?} is allowed as it stands: leave the line out"));
    }
    let phrases = [&row.allow, &row.not_after, &row.not_before, &row.context, &row.not_near];
    // What folding leaves of one has to be something, too.
    let is_empty =
        |phrase: &String| phrase.trim().is_empty() || crate::fold::fold_pattern(phrase).0.is_empty();
    if phrases.iter().any(|list| list.iter().any(is_empty)) {
        return Err(
            "an empty phrase in `allow`, `not_after`, `not_before`, `context` or `not_near`".to_owned()
        );
    }
    if let Some(severity) = &row.severity
        && !["info", "minor", "major", "serious"].contains(&severity.as_str())
    {
        return Err(format!("{severity:?} is not a severity: use info, minor, major or serious"));
    }
    row.category.ok_or_else(|| {
        let names = Category::ALL.map(Category::as_str).join(", ");
        format!("no category: give `category` ({names})")
    })
}

#[cfg(test)]
mod tests;
