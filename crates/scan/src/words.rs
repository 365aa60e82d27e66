//! Dictionary hits: typos, outdated names, sensitive words, spam, placeholders.

use xunjian_dict::{Category, Hit, Matcher, Place, Scratch};
use xunjian_model::{Block, Facts, Kind, Severity, Zone};

use crate::digest::{PageFinding, url_hash};
use crate::excerpt::around;
use crate::page::block_hash;

pub(crate) fn kind_of(category: Category) -> Kind {
    match category {
        Category::Typo => Kind::Typo,
        Category::OutdatedName => Kind::OutdatedName,
        Category::SensitiveWord => Kind::SensitiveWord,
        Category::SpamInjection => Kind::SpamInjection,
        Category::PlaceholderText => Kind::PlaceholderText,
    }
}

/// Hits in a block of text.
pub(crate) fn check(
    facts: &Facts,
    at: usize,
    base: u64,
    matcher: &Matcher,
    place: &Place<'_>,
    scratch: &mut Scratch,
    findings: &mut Vec<PageFinding>,
) {
    let block = &facts.blocks[at];
    for hit in matcher.find(&block.text, place, scratch) {
        let link = facts.links.iter().find(|link| {
            link.block as usize == at
                && (link.span.0 as usize) <= hit.start
                && hit.end <= link.span.1 as usize
        });
        let mut finding = finding_of(&hit, block, base);
        finding.link = link.map(|link| url_hash(&link.url));
        findings.push(finding);
    }
}

/// Hits in the title and in labels that readers or search engines see.
pub(crate) fn check_head(
    facts: &Facts,
    matcher: &Matcher,
    place: &Place<'_>,
    scratch: &mut Scratch,
    findings: &mut Vec<PageFinding>,
) {
    let labels = facts.labels.iter().filter(|label| {
        ["keywords", "description", "articletitle"].contains(&label.name.to_ascii_lowercase().as_str())
    });
    let texts = std::iter::once(&facts.title).chain(labels.map(|label| &label.content));
    for text in texts {
        let block =
            Block { text: text.clone(), zone: Zone::Head, path: "head".to_owned(), ..Block::default() };
        for hit in matcher.find(text, place, scratch) {
            let mut finding = finding_of(&hit, &block, 0);
            finding.offset = None;
            finding.template = false;
            findings.push(finding);
        }
    }
}

pub(crate) fn finding_of(hit: &Hit<'_>, block: &Block, base: u64) -> PageFinding {
    let kind = kind_of(hit.entry.category);
    let severity = hit.entry.severity.as_deref().and_then(|text| text.parse::<Severity>().ok());
    let mut detail =
        vec![("dictionary".to_owned(), hit.dictionary.to_owned()), ("path".to_owned(), block.path.clone())];
    if let Some(correction) = &hit.entry.correction {
        detail.push(("correction".to_owned(), correction.clone()));
    }
    if let Some(since) = hit.entry.since {
        detail.push(("since".to_owned(), since.to_string()));
    }
    if let Some(note) = &hit.entry.note {
        detail.push(("note".to_owned(), note.clone()));
    }
    if block.hidden {
        detail.push(("hidden".to_owned(), "true".to_owned()));
    }
    PageFinding {
        kind,
        severity: severity.unwrap_or(kind.severity()),
        what: hit.entry.pattern.clone(),
        excerpt: around(&block.text, hit.start, hit.end),
        offset: Some(base + hit.start as u64),
        detail,
        block: block_hash(block),
        template: block.zone != Zone::Main,
        link: None,
    }
}
