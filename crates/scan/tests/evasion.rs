//! Words that try not to be found: every spam word of the shipped list under twelve rewrites, in a
//! page, is found, and the evidence shows just what stands there, and tells just the bytes it stands in.

use std::collections::HashMap;

use xunjian_dict::{Category, Matcher, shipped};
use xunjian_scan::scan_plain;

/// A rewrite of a word: how it stands in the page's source, and what a reader sees.
type Rewrite = (&'static str, fn(&str, &HashMap<char, char>) -> (String, String));

const REWRITES: [Rewrite; 12] = [
    ("width", |word, _| same(word.chars().map(wide).collect())),
    ("traditional", |word, traditional| {
        same(word.chars().map(|c| traditional.get(&c).copied().unwrap_or(c)).collect())
    }),
    ("entity", |word, _| (word.chars().map(|c| format!("&#x{:X};", c as u32)).collect(), word.to_owned())),
    ("zero width", |word, _| same(between(word, "\u{200B}"))),
    ("nbsp", |word, _| (between(word, "&nbsp;"), between(word, " "))),
    ("punctuation", |word, _| same(between(word, "*"))),
    ("inline tag", |word, _| (between(word, "<b></b>"), word.to_owned())),
    ("comment", |word, _| (between(word, "<!-- x -->"), word.to_owned())),
    ("case", |word, _| same(word.to_uppercase())),
    ("gbk", |word, _| same(word.to_owned())),
    ("mixed", |word, traditional| {
        let separators = ["\u{200B}", "·", "-"].iter().cycle();
        let chars = word.chars().map(|c| wide(traditional.get(&c).copied().unwrap_or(c)).to_string());
        let mut mixed: String = chars.zip(separators).map(|(c, separator)| c + separator).collect();
        mixed.pop();
        same(mixed)
    }),
    ("lines", |word, _| (between(word, "<br>\n"), between(word, " "))),
];

fn same(text: String) -> (String, String) {
    (text.clone(), text)
}

fn between(word: &str, separator: &str) -> String {
    word.chars().map(String::from).collect::<Vec<_>>().join(separator)
}

fn wide(c: char) -> char {
    match c {
        '!'..='~' => char::from_u32(c as u32 + 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

#[test]
fn every_spam_word_is_found_under_every_rewrite() {
    let traditional: HashMap<char, char> = include_str!("../../dict/data/simplified.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .filter_map(|pair| {
            let mut chars = pair.chars();
            let (from, to) = (chars.next()?, chars.next()?);
            Some((to, from))
        })
        .collect();
    let all = shipped();
    let matcher = Matcher::new(&all).expect("compiles");
    let words: Vec<&str> = all
        .iter()
        .flat_map(|one| &one.entries)
        .filter(|entry| entry.category == Category::SpamInjection)
        .map(|entry| entry.pattern.as_str())
        .collect();
    assert!(words.len() > 150);
    let mut missed = Vec::new();
    for (name, rewrite) in REWRITES {
        for word in &words {
            let (source, seen) = rewrite(word, &traditional);
            let html = format!("<!DOCTYPE html><meta charset={}><p>首页，{source}，通知", charset(name));
            let body = match name {
                "gbk" => encoding_rs::GBK.encode(&html).0.into_owned(),
                _ => html.clone().into_bytes(),
            };
            let scan = scan_plain("-", &body, &matcher, None);
            let written = match name {
                "gbk" => encoding_rs::GBK.encode(&source).0.into_owned(),
                _ => source.clone().into_bytes(),
            };
            let shown = scan.findings.iter().any(|found| {
                let marked = found.excerpt.split(['⟦', '⟧']).nth(1);
                let bytes = found.bytes.clone().and_then(|bytes| body.get(bytes));
                found.what == *word && marked == Some(&seen) && bytes == Some(&written)
            });
            if !shown {
                let excerpts: Vec<&str> = scan.findings.iter().map(|one| one.excerpt.as_str()).collect();
                let places: Vec<_> = scan.findings.iter().map(|one| one.bytes.clone()).collect();
                missed.push(format!("{name}: {word} as {seen}: {excerpts:?} at {places:?} of {html}"));
            }
        }
    }
    assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), words.len() * 12, missed.join("\n"));
}

fn charset(rewrite: &str) -> &'static str {
    if rewrite == "gbk" { "gbk" } else { "utf-8" }
}
