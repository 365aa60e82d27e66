//! TOML tables read key by key, so that all mistakes are found at once, each with its line.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) file: PathBuf,
    /// Line, from 1; 0: the file as a whole.
    pub(crate) line: usize,
    /// What is wrong and how to mend it.
    pub(crate) reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, reason) = (self.file.display(), &self.reason);
        match self.line {
            0 => write!(f, "{file}: {reason}"),
            line => write!(f, "{file}:{line}: {reason}"),
        }
    }
}

/// A file with the mistakes found in it so far.
#[derive(Debug)]
pub(crate) struct Source<'t> {
    file: PathBuf,
    text: &'t str,
    faults: Vec<Fault>,
}

impl<'t> Source<'t> {
    pub(crate) fn new(file: &Path, text: &'t str) -> Self {
        Self { file: file.to_owned(), text, faults: Vec::new() }
    }

    /// The line of a byte, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        let head = &self.text.as_bytes()[..at.min(self.text.len())];
        head.iter().filter(|&&byte| byte == b'\n').count() + 1
    }

    pub(crate) fn fault(&mut self, at: usize, reason: impl Into<String>) {
        let line = self.line(at);
        self.faults.push(Fault { file: self.file.clone(), line, reason: reason.into() });
    }

    pub(crate) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }
}

/// A table being read. Keys that nobody asked for are faults once it is [`Table::finish`]ed.
pub(crate) struct Table<'a, 'i> {
    name: &'static str,
    values: Option<&'a DeTable<'i>>,
    known: BTreeSet<&'static str>,
}

impl<'a, 'i> Table<'a, 'i> {
    /// The whole file.
    pub(crate) fn root(values: &'a DeTable<'i>) -> Self {
        Self { name: "", values: Some(values), known: BTreeSet::new() }
    }

    /// A row of an array of tables.
    pub(crate) fn row(name: &'static str, values: &'a DeTable<'i>) -> Self {
        Self { name, values: Some(values), known: BTreeSet::new() }
    }

    /// A section; one that is not there has no values.
    pub(crate) fn section(&mut self, source: &mut Source<'_>, name: &'static str) -> Table<'a, 'i> {
        let values = self.value(name).and_then(|value| {
            let table = value.get_ref().as_table();
            if table.is_none() {
                source.fault(value.span().start, format!("`{name}` must be a section: write [{name}]"));
            }
            table
        });
        Table { name, values, known: BTreeSet::new() }
    }

    /// The rows of an array of tables, with the byte each begins at.
    pub(crate) fn rows(
        &mut self,
        source: &mut Source<'_>,
        name: &'static str,
    ) -> Vec<(usize, &'a DeTable<'i>)> {
        let Some(value) = self.value(name) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            source.fault(value.span().start, format!("`{name}` must be a list of tables: write [[{name}]]"));
            return Vec::new();
        };
        let mut rows = Vec::new();
        for row in array.iter() {
            match row.get_ref().as_table() {
                Some(table) => rows.push((row.span().start, table)),
                None => source
                    .fault(row.span().start, format!("`{name}` must be a list of tables: write [[{name}]]")),
            }
        }
        rows
    }

    /// The raw value of a key.
    pub(crate) fn value(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.known.insert(key);
        self.values?.iter().find(|(name, _)| *name.get_ref() == key).map(|(_, value)| value)
    }

    /// A value of a key, if it is there and right; a wrong one is a fault.
    pub(crate) fn get<T: FromValue>(&mut self, source: &mut Source<'_>, key: &'static str) -> Option<T> {
        let value = self.value(key)?;
        match T::from_value(value.get_ref()) {
            Ok(right) => Some(right),
            Err(reason) => {
                source.fault(value.span().start, format!("`{}`: {reason}", self.path(key)));
                None
            }
        }
    }

    /// A text that another type is read from.
    pub(crate) fn parse<T>(&mut self, source: &mut Source<'_>, key: &'static str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let text: String = self.get(source, key)?;
        let at = self.value(key).map_or(0, |value| value.span().start);
        text.parse().map_err(|error| source.fault(at, format!("`{}`: {error}", self.path(key)))).ok()
    }

    /// Sets a field when the key is there.
    pub(crate) fn set<T: FromValue>(&mut self, source: &mut Source<'_>, key: &'static str, field: &mut T) {
        if let Some(value) = self.get(source, key) {
            *field = value;
        }
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// Reports keys that nothing reads.
    pub(crate) fn finish(self, source: &mut Source<'_>) {
        for (key, _) in self.values.into_iter().flatten() {
            let name = key.get_ref();
            if !self.known.iter().any(|known| *known == *name) {
                let known: Vec<&str> = self.known.iter().copied().collect();
                let reason = format!("unknown key `{}`; known here: {}", self.path(name), known.join(", "));
                source.fault(key.span().start, reason);
            }
        }
    }
}

/// What can stand behind a key.
pub(crate) trait FromValue: Sized {
    /// Reads the value, or says what should stand there.
    fn from_value(value: &DeValue<'_>) -> Result<Self, String>;
}

fn wrong(wanted: &str, value: &DeValue<'_>) -> String {
    format!("must be {wanted}, not {}", value.type_str())
}

impl FromValue for String {
    fn from_value(value: &DeValue<'_>) -> Result<Self, String> {
        value.as_str().map(str::to_owned).ok_or_else(|| wrong("a text in quotes", value))
    }
}

impl FromValue for PathBuf {
    fn from_value(value: &DeValue<'_>) -> Result<Self, String> {
        String::from_value(value).map(PathBuf::from)
    }
}

impl FromValue for bool {
    fn from_value(value: &DeValue<'_>) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| wrong("true or false", value))
    }
}

impl FromValue for f64 {
    fn from_value(value: &DeValue<'_>) -> Result<Self, String> {
        let text = match (value.as_float(), value.as_integer()) {
            (Some(float), _) => float.as_str(),
            (_, Some(integer)) => integer.as_str(),
            _ => return Err(wrong("a number", value)),
        };
        let number: f64 = text.parse().map_err(|_| format!("{text} is not a number"))?;
        if number.is_finite() && number >= 0.0 {
            Ok(number)
        } else {
            Err(format!("must be 0 or more, not {number}"))
        }
    }
}

impl FromValue for u64 {
    fn from_value(value: &DeValue<'_>) -> Result<Self, String> {
        let Some(integer) = value.as_integer() else { return Err(wrong("a whole number", value)) };
        integer
            .as_str()
            .parse()
            .map_err(|_| format!("must be a whole number, 0 or more, not {}", integer.as_str()))
    }
}

macro_rules! narrower {
    ($($type:ty)*) => {$(
        impl FromValue for $type {
            fn from_value(value: &DeValue<'_>) -> Result<Self, String> {
                let number = u64::from_value(value)?;
                Self::try_from(number).map_err(|_| format!("{number} is too large; at most {}", Self::MAX))
            }
        }
    )*};
}

narrower!(u16 u32 usize);

/// Seconds, also parts of one.
impl FromValue for Duration {
    fn from_value(value: &DeValue<'_>) -> Result<Self, String> {
        let seconds = f64::from_value(value)?;
        Self::try_from_secs_f64(seconds).map_err(|_| format!("{seconds} seconds is too long"))
    }
}

impl FromValue for Vec<String> {
    fn from_value(value: &DeValue<'_>) -> Result<Self, String> {
        let Some(array) = value.as_array() else { return Err(wrong("a list of texts", value)) };
        array.iter().map(|one| String::from_value(one.get_ref())).collect()
    }
}
