//! Marks in the footer of the home page (indicator D15).

use xunjian_model::{Facts, Kind, Link, LinkKind};

use crate::digest::PageFinding;
use crate::presence;

/// Names of scripts that write a page's footer.
const FOOTERS: [&str; 3] = ["foot", "bottom", "copyright"];

/// Whether a home page lacks a mark or the entrance, which one of its scripts may put there: any one where a browser
/// tells what it does, else one that is named so.
pub fn lacks_marks(home: &Facts, browser: bool) -> bool {
    let writes_footer = |link: &Link| {
        let name = || link.url.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        link.kind == LinkKind::Script && (browser || FOOTERS.iter().any(|word| name().contains(word)))
    };
    let lacks = || !check(home).is_empty() || !presence::has_entrance(home);
    (home.scripted || home.links.iter().any(writes_footer)) && lacks()
}

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
