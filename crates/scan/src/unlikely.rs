//! Typos that no dictionary knows, by how text is written elsewhere; for a person to look at.

use xunjian_model::{Kind, Severity, Zone};
use xunjian_spell::Model;

use crate::digest::PageFinding;
use crate::page::Passage;

/// Suspects of one page; beyond, it is a text of another kind than the model's.
const SUSPECTS_MAX: usize = 20;

/// Suspects in a block of the main text; `link_over` says where the link leads that holds a place of it.
pub(crate) fn check(
    passage: &Passage<'_>,
    model: &Model,
    link_over: impl Fn(usize, usize) -> Option<u64>,
    findings: &mut Vec<PageFinding>,
) {
    let block = passage.block;
    if block.zone != Zone::Main || block.hidden {
        return;
    }
    for suspect in model.suspects(&block.text) {
        let written = &block.text[suspect.start..suspect.end];
        let known = |one: &&PageFinding| one.kind == Kind::Typo;
        let mut known = findings.iter().filter(known);
        if known.clone().count() >= SUSPECTS_MAX || known.any(|one| written.contains(&one.what)) {
            continue;
        }
        let mut finding = passage.finding(Kind::Typo, written, suspect.start, suspect.end);
        finding.severity = Severity::Info;
        finding.link = link_over(suspect.start, suspect.end);
        findings.push(
            finding
                .with("correction", suspect.meant)
                .with("dictionary", "statistics")
                .with("review", "found by statistics alone"),
        );
    }
}
