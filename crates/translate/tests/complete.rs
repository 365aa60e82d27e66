//! Whatever a crate says of what went wrong is said in Chinese, too.

use std::path::{Path, PathBuf};

use regex::Regex;
use xunjian_translate::is_known;

/// Files in which every sentence is such a message.
const MESSAGES_ALONE: [&str; 21] = [
    "cli/src/config/", "console/src/accounts.rs", "console/src/error.rs", "dict/src/load/",
    "dict/src/sheet.rs", "engine/src/cases.rs", "judge/src/calendar.rs", "judge/src/catalogue.rs",
    "media/src/", "scan/src/labels.rs", "scan/src/hidden_links.rs", "scan/src/presence.rs",
    "scan/src/scripts.rs", "scan/src/page.rs", "scan/src/dates.rs", "scan/src/listed.rs", "scan/src/site.rs",
    "scan/src/fold.rs", "scan/src/documents.rs", "scan/src/freshness.rs", "scan/src/unlikely.rs",
];

/// What stands before a message elsewhere.
const BEFORE_MESSAGES: &str = r"(?x)
    (?: bail!\( | ensure!\([^;]*, | [cC]ontext\( (?:\|\|\ )? (?:format!\()? | Err\((?:format!\()?
      | Failure::Wrong\((?:format!\()? ) \s* $";

/// What nobody but programmers reads, and what stands inside of messages.
const NO_MESSAGES: [&str; 9] = [
    "a constant pattern, compiled in every test",
    "a request failed",
    "an outage that was not reported beforehand counts",
    "checked when the catalogue was read: {}",
    "host {}",
    "id {}",
    "no such account",
    "shipped catalogue: {}",
    "shipped {}",
];

#[test]
fn every_message_is_said_in_chinese_too() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pattern = |pattern: &str| Regex::new(pattern).expect("a pattern");
    let texts = pattern(r#""((?:[^"\\]|\\[\s\S])*)""#);
    let errors = pattern(r"#\[error\(\s*$");
    let messages = pattern(BEFORE_MESSAGES);
    let (mut count, mut unknown) = (0, Vec::new());
    for path in sources(&crates) {
        let file = path.strip_prefix(&crates).expect("below").to_string_lossy().into_owned();
        // Whom nobody but programmers hears from.
        if file.starts_with("city/") || file.starts_with("translate/") {
            continue;
        }
        let code = own_code(&std::fs::read_to_string(&path).expect("a source"));
        let alone = MESSAGES_ALONE.iter().any(|one| file.starts_with(one));
        for found in texts.captures_iter(&code) {
            let begin = found.get(0).expect("a text").start();
            let near = code[..begin].char_indices().rev().nth(200).map_or(0, |(at, _)| at);
            let before = &code[near..begin];
            let text = template(&found[1]);
            let is_message = alone || messages.is_match(before) || errors.is_match(before);
            if is_message && is_sentence(&text) && !NO_MESSAGES.contains(&text.as_str()) {
                count += 1;
                if !is_known(&text) {
                    unknown.push(format!("{file}: {text}"));
                }
            }
        }
    }
    assert!(count > 250, "{count} messages were found");
    assert!(
        unknown.is_empty(),
        "write them into crates/translate/data/messages.txt:\n{}",
        unknown.join("\n")
    );
}

/// A source without its comments and tests.
fn own_code(source: &str) -> String {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// A text of a source in one line, with `{}` for all that is put into it.
fn template(text: &str) -> String {
    let joined = Regex::new(r"\\\n\s*").expect("a pattern").replace_all(text, "");
    let plain = joined.replace("\\\"", "\"");
    Regex::new(r"\{[^}]*\}").expect("a pattern").replace_all(&plain, "{}").into_owned()
}

/// Words of English with a space between them, and no markup.
fn is_sentence(text: &str) -> bool {
    let words = Regex::new(r"[a-z]{2,}[,:;]? [a-z`{]").expect("a pattern");
    words.is_match(text) && !text.contains(['<', '\\'])
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        match path.is_dir() {
            true if !matches!(name.as_str(), "tests" | "benches" | "target") => paths.extend(sources(&path)),
            false if name.ends_with(".rs") && name != "tests.rs" => paths.push(path),
            _ => {}
        }
    }
    paths
}
