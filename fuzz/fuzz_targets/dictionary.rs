//! Dictionary files: any bytes under any ending load or are refused, and what loads compiles.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use xunjian_dict::{Matcher, conflicts, load_bytes};

fuzz_target!(|input: (&[u8], u8)| {
    let (bytes, kind) = input;
    let name = ["a.toml", "a.csv", "a.tsv", "a.xlsx", "a.txt"][usize::from(kind) % 5];
    if let Ok(dictionary) = load_bytes(Path::new(name), bytes) {
        let all = [dictionary];
        assert!(Matcher::new(&all).is_ok());
        let _ = conflicts(&all);
    }
});
