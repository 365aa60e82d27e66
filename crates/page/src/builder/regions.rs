//! Parts of a page that a class calls menu or footer (`bottom`, `header`), and that are its main text all the same.
//! Classes name where a box stands on the screen: what stands in it says what it is.

use std::ops::Range;

use xunjian_model::{Facts, Zone};

use crate::title::title_at;

/// Regions looked at of a page.
const REGIONS_MAX: usize = 256;
/// Characters outside of links from which a block is a paragraph, and all paragraphs of a region are a text.
const PARAGRAPH_CHARS_MIN: usize = 80;
const TEXT_CHARS_MIN: usize = 400;
/// Dated rows that no footer has.
const ROWS_MIN: usize = 3;
/// Characters outside of links that a footer without any of the signs of one does not have.
const UNSIGNED_CHARS_MIN: usize = 100;
/// What stands in footers: who runs the site, and by which numbers it is known.
const SIGNS: [&str; 9] =
    ["版权所有", "备案号", "ICP", "标识码", "Copyright", "©", "公网安备", "技术支持", "主办："];
/// Characters outside of links of sentences that no menu has, and of a sentence.
const SENTENCES_CHARS_MIN: usize = 100;
const SENTENCE_CHARS_MIN: usize = 20;

/// A part that an element with such a name begins.
#[derive(Debug)]
struct Region {
    zone: Zone,
    /// The region around it.
    around: Option<usize>,
    blocks: Range<usize>,
    links: Range<usize>,
    /// Pictures and films in it.
    media: u32,
}

impl Region {
    /// Whether one that begins later is in it.
    fn holds(&self, later: &Self) -> bool {
        later.blocks.start < self.blocks.end || later.links.start < self.links.end
    }
}

/// Those of a page, in the order they begin.
#[derive(Debug, Default)]
pub(super) struct Regions {
    all: Vec<Region>,
    /// The one that is open.
    open: Option<usize>,
}

impl Regions {
    /// A region begins behind what was read so far, unless there are too many.
    pub(super) fn begin(&mut self, zone: Zone, facts: &Facts) -> bool {
        if zone == Zone::Main || self.all.len() >= REGIONS_MAX {
            return false;
        }
        let (blocks, links) = (facts.blocks.len(), facts.links.len());
        self.all.push(Region {
            zone,
            around: self.open,
            blocks: blocks..blocks,
            links: links..links,
            media: 0,
        });
        self.open = Some(self.all.len() - 1);
        true
    }

    /// The one that is open ends.
    pub(super) fn end(&mut self, facts: &Facts) {
        let Some(open) = self.open else { return };
        let region = &mut self.all[open];
        (region.blocks.end, region.links.end) = (facts.blocks.len(), facts.links.len());
        self.open = region.around;
    }

    /// A picture or film stands in the one that is open.
    pub(super) fn media(&mut self) {
        if let Some(open) = self.open {
            self.all[open].media += 1;
        }
    }

    /// Gives what holds the title, a text or a list to the main text, or to the region around.
    /// `linked` are the characters of links in each block.
    pub(super) fn review(&self, facts: &mut Facts, linked: &[usize]) {
        if self.all.is_empty() {
            return;
        }
        let title = title_at(facts);
        let mut zones: Vec<Zone> = Vec::with_capacity(self.all.len());
        for (at, region) in self.all.iter().enumerate() {
            let inner: Vec<&Region> = self.all[at + 1..].iter().take_while(|one| region.holds(one)).collect();
            let blocks = own(&region.blocks, inner.iter().map(|one| &one.blocks));
            let links = own(&region.links, inner.iter().map(|one| &one.links));
            let is_main = title.is_some_and(|title| blocks.iter().any(|range| range.contains(&title)))
                || match region.zone {
                    Zone::Footer => rows(facts, &links) >= ROWS_MIN || is_unsigned(facts, &blocks, linked),
                    _ => {
                        let is_sentence =
                            |chars, text: &str| chars >= SENTENCE_CHARS_MIN && text.contains('。');
                        chars(facts, &blocks, linked, is_sentence) >= SENTENCES_CHARS_MIN
                    }
                }
                || chars(facts, &blocks, linked, |chars, _| chars >= PARAGRAPH_CHARS_MIN) >= TEXT_CHARS_MIN;
            if !is_main {
                zones.push(region.zone);
                continue;
            }
            let zone = region.around.map_or(Zone::Main, |around| zones[around]);
            zones.push(zone);
            for block in blocks.into_iter().flatten() {
                facts.blocks[block].zone = zone;
            }
            for link in links.into_iter().flatten() {
                facts.links[link].zone = zone;
            }
            if zone == Zone::Main {
                facts.main_media += region.media;
            }
        }
    }
}

/// What of a range is in none of the ranges inside it, which are in order and may hold each other.
fn own<'r>(range: &Range<usize>, inner: impl Iterator<Item = &'r Range<usize>>) -> Vec<Range<usize>> {
    let (mut from, mut own) = (range.start, Vec::new());
    for one in inner.filter(|one| !one.is_empty()) {
        if from < one.start {
            own.push(from..one.start);
        }
        from = from.max(one.end);
    }
    if from < range.end {
        own.push(from..range.end);
    }
    own
}

fn rows(facts: &Facts, links: &[Range<usize>]) -> usize {
    let is_in = |link: usize| links.iter().any(|range| range.contains(&link));
    facts.items.iter().filter(|item| item.date.is_some() && is_in(item.link as usize)).count()
}

/// Whether a footer has text, and nothing that makes it one.
fn is_unsigned(facts: &Facts, blocks: &[Range<usize>], linked: &[usize]) -> bool {
    let signed = |block: usize| SIGNS.iter().any(|sign| facts.blocks[block].text.contains(sign));
    let no_links = |chars: usize, text: &str| chars * 2 > text.chars().count();
    chars(facts, blocks, linked, no_links) >= UNSIGNED_CHARS_MIN
        && !blocks.iter().cloned().flatten().any(signed)
}

/// Characters outside of links, of the blocks that count by those and by their text.
fn chars(
    facts: &Facts,
    blocks: &[Range<usize>],
    linked: &[usize],
    counts: impl Fn(usize, &str) -> bool,
) -> usize {
    let own = |block: usize| {
        let shown = &facts.blocks[block];
        let chars = shown.text.chars().count().saturating_sub(linked[block]);
        // Entries of menus lead somewhere, too.
        if !shown.hidden && !shown.path.ends_with("option") && counts(chars, &shown.text) { chars } else { 0 }
    };
    blocks.iter().cloned().flatten().map(own).sum()
}
