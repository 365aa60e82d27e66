//! The dictionaries that come with xunjian: our own lists, a start for an office's own.

use std::path::Path;

use crate::{Dictionary, load_bytes};

const FILES: [(&str, &[u8]); 5] = [
    ("typos.tsv", include_bytes!("../data/typos.tsv")),
    ("phrases.tsv", include_bytes!("../data/phrases.tsv")),
    ("names.toml", include_bytes!("../data/names.toml")),
    ("spam.toml", include_bytes!("../data/spam.toml")),
    ("placeholders.toml", include_bytes!("../data/placeholders.toml")),
];

/// The shipped dictionaries: typos, set phrases, outdated names, spam, placeholders.
///
/// # Panics
/// Never in a build whose tests passed: the files are part of the program.
pub fn shipped() -> Vec<Dictionary> {
    let load = |(name, bytes): (&str, &[u8])| match load_bytes(Path::new(name), bytes) {
        Ok(dictionary) => dictionary,
        Err(error) => panic!("shipped dictionary: {error}"),
    };
    FILES.into_iter().map(load).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_lists_are_as_large_as_promised() {
        let sizes: Vec<usize> = shipped().iter().map(|one| one.entries.len()).collect();
        assert!(sizes[0] >= 800, "typos: {}", sizes[0]);
        assert!(sizes[1] >= 60, "set phrases: {}", sizes[1]);
        assert!(sizes[2] >= 120, "outdated names: {}", sizes[2]);
        assert!(sizes[3] >= 150, "spam: {}", sizes[3]);
        assert!(sizes[4] >= 20, "placeholders: {}", sizes[4]);
    }
}
