//! The search: without folding it finds what a naive search finds; with folding, any text gives
//! spans of it, and the words of the hits may stand there by the text's pairs of characters.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xunjian_dict::{Category, Dictionary, Entry, Matcher, Pairing, Place, Scratch, Sought};

fuzz_target!(|input: (Vec<&str>, &str)| {
    let (words, text) = input;
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).map(str::to_owned).collect();
    // Characters beyond the basic plane are told apart by folding alone.
    let basic = |text: &str| text.chars().all(|c| (c as u32) < 0x1_0000);
    if basic(text) && words.iter().all(|word| basic(word)) {
        let matcher = Matcher::verbatim(&words).expect("compiles");
        let mut found = Vec::new();
        matcher.longest(text, &mut Scratch::default(), |start, end| found.push((start, end)));
        assert_eq!(found, naive(&words, text));
    }
    let mut pairing = Pairing::default();
    pairing.add(text);
    let pairs = pairing.take();
    for category in [Category::SpamInjection, Category::Typo, Category::OutdatedName] {
        let entries = words.iter().map(|word| Entry::new(word, category)).collect();
        let dictionary = Dictionary { traditional: true, entries, ..Dictionary::default() };
        let matcher = Matcher::new(&[dictionary]).expect("compiles");
        for hit in matcher.find(text, &Place::default(), &mut Scratch::default()) {
            assert!(text.get(hit.start..hit.end).is_some_and(|part| !part.is_empty()));
            assert!(Sought::new([hit.entry.pattern.as_str()]).may_be_in(&pairs));
        }
    }
});

/// Leftmost longest words, one place after the other.
fn naive(words: &[String], text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let longest = words.iter().filter(|word| rest.starts_with(word.as_str())).map(String::len).max();
        match longest {
            Some(length) => {
                found.push((at, at + length));
                at += length;
            }
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    found
}
