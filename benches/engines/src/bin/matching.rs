//! Search for many words in Chinese text: ours beside other engines, in one run and one thread.
//!
//! `matching WORDS TEXT...`: a list of words (the first field of each line) and text files. Every
//! Needs a nightly compiler for matcher_rs. Every
//! engine looks for the leftmost longest words; who finds others than daachorse is said.
//! Sizes: 1,000, 10,000 and 100,000 words, taken at equal distances from the list.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use daachorse::CharwiseDoubleArrayAhoCorasickBuilder;
use matcher_rs::{ProcessType, SimpleMatcherBuilder};
use xunjian_dict::{Category, Dictionary, Entry, Matcher, Place, Scratch};

/// How often each engine runs; the best is shown.
const ROUNDS: usize = 5;

fn main() {
    let mut args = std::env::args().skip(1);
    let list = args.next().expect("usage: matching WORDS TEXT...");
    let list = std::fs::read_to_string(list).expect("the list of words");
    let chinese = |word: &&str| word.chars().count() >= 2 && word.chars().all(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c));
    let all: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).filter(chinese).collect();
    let text: String = args.map(|file| std::fs::read_to_string(file).expect("a text")).collect();
    let blocks: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let bytes: usize = blocks.iter().map(|block| block.len()).sum();
    println!("{} words in the list, {:.1} MB of text in {} blocks\n", all.len(), bytes as f64 / 1e6, blocks.len());
    println!("| words | engine | compiled in ms | MB/s | hits |");
    println!("|--:|---|--:|--:|--:|");
    for count in [1_000, 10_000, 100_000] {
        let mut words: Vec<String> = all.iter().step_by(all.len() / count).take(count).map(|word| (*word).to_owned()).collect();
        words.sort();
        words.dedup();
        compare(&words, &blocks, bytes);
    }
}

fn compare(words: &[String], blocks: &[&str], bytes: usize) {
    let show = |name: &str, compiled: Duration, mut run: Box<dyn FnMut() -> usize + '_>| {
        let mut best = Duration::MAX;
        let mut hits = 0;
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            hits = black_box(run());
            best = best.min(begun.elapsed());
        }
        let speed = bytes as f64 / 1e6 / best.as_secs_f64();
        println!("| {} | {name} | {:.0} | {speed:.0} | {hits} |", words.len(), compiled.as_secs_f64() * 1e3);
    };

    let begun = Instant::now();
    let theirs = CharwiseDoubleArrayAhoCorasickBuilder::new()
        .match_kind(daachorse::MatchKind::LeftmostLongest)
        .build::<_, _, u32>(words)
        .expect("compiles");
    let compiled = begun.elapsed();
    show("daachorse charwise", compiled, Box::new(|| blocks.iter().map(|block| theirs.leftmost_find_iter(block).count()).sum()));

    for (name, kind, most) in [
        ("aho-corasick DFA", AhoCorasickKind::DFA, 20_000),
        ("aho-corasick contiguous NFA", AhoCorasickKind::ContiguousNFA, usize::MAX),
    ] {
        if words.len() > most {
            continue;
        }
        let begun = Instant::now();
        let theirs = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).kind(Some(kind)).build(words).expect("compiles");
        let compiled = begun.elapsed();
        show(name, compiled, Box::new(move || blocks.iter().map(|block| theirs.find_iter(block).count()).sum()));
    }

    let begun = Instant::now();
    let raw = Matcher::verbatim(words).expect("compiles");
    let compiled = begun.elapsed();
    let mut scratch = Scratch::default();
    show("xunjian, no folding", compiled, Box::new(|| {
        let mut hits = 0;
        for block in blocks {
            raw.longest(block, &mut scratch, |_, _| hits += 1);
        }
        hits
    }));
    let differing = blocks
        .iter()
        .filter(|block| {
            let mut ours = Vec::new();
            raw.longest(block, &mut Scratch::default(), |start, end| ours.push((start, end)));
            ours != theirs.leftmost_find_iter(block).map(|hit| (hit.start(), hit.end())).collect::<Vec<_>>()
        })
        .count();
    if differing > 0 {
        println!("\n{differing} blocks with other hits than daachorse's\n");
    }

    let entries: Vec<Entry> = words.iter().map(|word| Entry::new(word, Category::SpamInjection)).collect();
    let dictionary = Dictionary { name: "words".to_owned(), traditional: true, entries, ..Dictionary::default() };
    let begun = Instant::now();
    let folding = Matcher::new(&[dictionary]).expect("compiles");
    let compiled = begun.elapsed();
    let mut scratch = Scratch::default();
    show("xunjian, all folding, longest words", compiled, Box::new(|| {
        let mut hits = 0;
        for block in blocks {
            folding.longest(block, &mut scratch, |_, _| hits += 1);
        }
        hits
    }));
    let mut scratch = Scratch::default();
    show("xunjian, all folding, overlapping, resolved", compiled, Box::new(|| {
        blocks.iter().map(|block| folding.find(block, &Place::default(), &mut scratch).len()).sum()
    }));

    let begun = Instant::now();
    let mut builder = SimpleMatcherBuilder::new();
    for (at, word) in (0..).zip(words) {
        builder = builder.add_word(ProcessType::VariantNormDeleteNormalize, at, word);
    }
    let theirs = builder.build().expect("compiles");
    let compiled = begun.elapsed();
    show("matcher_rs, VariantNormDeleteNormalize", compiled, Box::new(move || {
        blocks.iter().map(|block| theirs.process(block).len()).sum()
    }));
}
