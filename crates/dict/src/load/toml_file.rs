//! TOML: what holds for all patterns at the top, then `[[entry]]` tables.

use jiff::civil::Date;
use serde::Deserialize;

use super::{Collected, Row};
use crate::{Category, Scope};

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
    columns: Vec<String>,
    from: Option<Date>,
    until: Option<Date>,
    #[serde(default)]
    traditional: bool,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    not_after: Vec<String>,
    #[serde(default)]
    not_before: Vec<String>,
    #[serde(default)]
    not_near: Vec<String>,
    since: Option<Date>,
    #[serde(default)]
    skip_titles: bool,
    #[serde(default)]
    include: Vec<toml::Spanned<String>>,
    #[serde(default)]
    entry: Vec<toml::Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    pattern: String,
    correction: Option<String>,
    category: Option<Category>,
    severity: Option<String>,
    note: Option<String>,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    not_after: Vec<String>,
    #[serde(default)]
    not_before: Vec<String>,
    #[serde(default)]
    context: Vec<String>,
    #[serde(default)]
    not_near: Vec<String>,
    since: Option<Date>,
}

/// The line of every byte that is asked for, in order.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn of(&mut self, at: usize) -> usize {
        if at < self.at {
            (self.at, self.line) = (0, 1);
        }
        let at = at.min(self.text.len());
        self.line += self.text.as_bytes()[self.at..at].iter().filter(|&&byte| byte == b'\n').count();
        self.at = at;
        self.line
    }
}

pub(super) fn read(text: &str, collected: &mut Collected) {
    let mut lines = Lines { text, at: 0, line: 1 };
    let file: File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            let line = error.span().map_or(1, |span| lines.of(span.start));
            return collected.fault(line, error.message());
        }
    };
    for name in file.include {
        let line = lines.of(name.span().start);
        collected.included.push((line, name.into_inner()));
    }
    for spanned in file.entry {
        let line = lines.of(spanned.span().start);
        let entry = spanned.into_inner();
        let mut not_after = entry.not_after;
        not_after.extend(file.not_after.iter().cloned());
        let mut not_before = entry.not_before;
        not_before.extend(file.not_before.iter().cloned());
        let mut not_near = entry.not_near;
        not_near.extend(file.not_near.iter().cloned());
        collected.push(
            line,
            Row {
                pattern: entry.pattern,
                correction: entry.correction,
                category: entry.category.or(file.category),
                severity: entry.severity.or_else(|| file.severity.clone()),
                note: entry.note,
                allow: entry.allow,
                not_after,
                not_before,
                context: entry.context,
                not_near,
                since: entry.since.or(file.since),
                skip_titles: file.skip_titles,
            },
        );
        if collected.is_full() {
            return;
        }
    }
    if file.from.zip(file.until).is_some_and(|(from, until)| until < from) {
        collected.fault(1, "`until` is before `from`");
    }
    let dictionary = &mut collected.dictionary;
    dictionary.name = file.name.unwrap_or_default();
    dictionary.version = file.version.unwrap_or_default();
    dictionary.scope = Scope { sites: file.sites, columns: file.columns, from: file.from, until: file.until };
    dictionary.traditional = file.traditional;
    dictionary.allow = file.allow;
}
