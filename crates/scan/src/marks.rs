//! Marks in the footer of the home page (indicator D15).

use xunjian_model::{Facts, Kind};

use crate::digest::PageFinding;

/// The marks that are missing.
pub(crate) fn check(home: &Facts) -> Vec<PageFinding> {
    let text =
        |words: &[&str]| home.blocks.iter().any(|block| words.iter().any(|word| block.text.contains(word)));
    let link = |word: &str| home.links.iter().any(|link| link.url.to_ascii_lowercase().contains(word));
    let marks = [
        ("党政机关标识", link("conac") || text(&["党政机关标识"])),
        ("ICP备案号", text(&["ICP备"])),
        ("公安备案号", text(&["公网安备"])),
        ("网站标识码", text(&["网站标识码", "标识码："])),
    ];
    let missing = marks.into_iter().filter(|(_, shown)| !shown);
    missing.map(|(mark, _)| PageFinding::new(Kind::MissingMark, mark.to_owned(), String::new())).collect()
}
