//! Dictionary hits: typos, outdated names, sensitive words, spam, placeholders.

use std::collections::HashSet;

use xunjian_dict::{Category, Hit, Matcher, Place, Scratch};
use xunjian_model::{Block, Facts, Kind, ListItem, PageKind, Severity, Zone};

use crate::digest::{PageFinding, url_hash};
use crate::page::Passage;
use crate::statute::is_statute;

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
    passage: &Passage<'_>,
    matcher: &Matcher,
    place: &Place<'_>,
    seen: &mut Seen,
    findings: &mut Vec<PageFinding>,
) {
    for hit in matcher.find(&passage.block.text, place, &mut seen.scratch) {
        let over = link_at(facts, at, hit.start, hit.end);
        if hit.entry.category == Category::OutdatedName
            && (seen.statute || is_of_its_time(facts, at, &hit, over))
        {
            continue;
        }
        let link = over.map(|at| url_hash(&facts.links[at].url));
        if seen.is_new(&hit, link) {
            findings.push(PageFinding { link, ..finding_of(&hit, passage) });
        }
    }
}

/// A dictionary's hit on a page.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WordHit {
    /// What it is.
    pub kind: Kind,
    /// The entry's pattern.
    pub what: String,
    /// The hit between ⟦ and ⟧ with what stands around it, masked.
    pub excerpt: String,
    /// Name of the dictionary.
    pub dictionary: String,
}

/// Everything dictionaries find on a page of a site, each entry once.
pub fn words_of(facts: &Facts, site: &str, matcher: &Matcher) -> Vec<WordHit> {
    let place =
        Place { site, column: facts.label("ColumnName"), date: xunjian_page::page_date(&facts.dates) };
    let (mut seen, mut found) = (Seen::of(facts), Vec::new());
    check_head(facts, matcher, &place, &mut seen.scratch, &mut found);
    for (at, block) in facts.blocks.iter().enumerate() {
        check(facts, at, &Passage::new(block, 0), matcher, &place, &mut seen, &mut found);
    }
    let hit = |finding: PageFinding| WordHit {
        kind: finding.kind,
        what: finding.what,
        excerpt: finding.excerpt,
        dictionary: finding.detail.into_iter().find(|(name, _)| name == "dictionary").unwrap_or_default().1,
    };
    let mut hits: Vec<WordHit> = found.into_iter().map(hit).collect();
    hits.sort_by(|a, b| (a.kind, &a.what, &a.dictionary).cmp(&(b.kind, &b.what, &b.dictionary)));
    hits.dedup_by(|a, b| (a.kind, &a.what, &a.dictionary) == (b.kind, &b.what, &b.dictionary));
    hits
}

/// Where the link leads whose text holds `start..end` of a block.
pub(crate) fn link_over(facts: &Facts, at: usize, start: usize, end: usize) -> Option<u64> {
    link_at(facts, at, start, end).map(|at| url_hash(&facts.links[at].url))
}

/// The link whose text holds `start..end` of a block.
fn link_at(facts: &Facts, at: usize, start: usize, end: usize) -> Option<usize> {
    facts.links.iter().position(|link| {
        link.block as usize == at && (link.span.0 as usize) <= start && end <= link.span.1 as usize
    })
}

/// Whether a name of a body is right where it stands: in the row of a list that is older than the change, or among the
/// issuers by which the documents of all years are looked up.
fn is_of_its_time(facts: &Facts, at: usize, hit: &Hit<'_>, link: Option<usize>) -> bool {
    let Some(since) = hit.entry.since else { return false };
    let block_of = |item: &ListItem| facts.links.get(item.link as usize).map_or(u32::MAX, |link| link.block);
    let row = match link {
        Some(link) => facts.items.iter().find(|item| item.link as usize == link),
        // A text below the title of its row.
        None if facts.kind == PageKind::List => {
            let above = facts.items.iter().filter(|item| block_of(item) as usize <= at);
            above.max_by_key(|item| block_of(item))
        }
        None => None,
    };
    row.and_then(|row| row.date).is_some_and(|date| date < since)
        || link.is_none() && facts.blocks[at].path.ends_with("option")
}

/// What of a page's words was seen: one at one place is one finding, and a page that repeats it a
/// million times takes no more memory for it.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) scratch: Scratch,
    /// The entries by their place in memory, and the links they stand in.
    hits: HashSet<(usize, Option<u64>)>,
    /// The page shows the text of a law.
    statute: bool,
}

impl Seen {
    pub(crate) fn of(facts: &Facts) -> Self {
        Self { statute: is_statute(facts.blocks.iter().map(|block| block.text.as_str())), ..Self::default() }
    }

    fn is_new(&mut self, hit: &Hit<'_>, link: Option<u64>) -> bool {
        self.hits.insert((std::ptr::from_ref(hit.entry) as usize, link))
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
    for text in texts_of_head(facts) {
        let block =
            Block { text: text.clone(), zone: Zone::Head, path: "head".to_owned(), ..Block::default() };
        for hit in matcher.find(text, place, scratch) {
            let mut finding = finding_of(&hit, &Passage::new(&block, 0));
            finding.offset = None;
            finding.template = false;
            findings.push(finding);
        }
    }
}

/// The title and what [`seen_labels`] say.
pub(crate) fn texts_of_head(facts: &Facts) -> impl Iterator<Item = &String> {
    std::iter::once(&facts.title).chain(seen_labels(facts).map(|(_, content)| content))
}

/// Contents of labels that readers or search engines see, each with the label's number.
pub(crate) fn seen_labels(facts: &Facts) -> impl Iterator<Item = (usize, &String)> {
    let seen = |name: &str| ["keywords", "description", "articletitle"].contains(&name);
    let labels = facts.labels.iter().enumerate();
    labels
        .filter(move |(_, label)| seen(&label.name.to_ascii_lowercase()))
        .map(|(at, label)| (at, &label.content))
}

pub(crate) fn finding_of(hit: &Hit<'_>, passage: &Passage<'_>) -> PageFinding {
    let kind = kind_of(hit.entry.category);
    let mut finding = passage.finding(kind, hit.entry.pattern.clone(), hit.start, hit.end);
    if let Some(severity) = hit.entry.severity.as_deref().and_then(|text| text.parse::<Severity>().ok()) {
        finding.severity = severity;
    }
    let since = hit.entry.since.map(|since| since.to_string());
    let hidden = passage.block.hidden.then(|| "true".to_owned());
    let details = [
        ("dictionary", Some(hit.dictionary.to_owned())),
        ("correction", hit.entry.correction.clone()),
        ("since", since),
        ("note", hit.entry.note.clone()),
        ("hidden", hidden),
    ];
    let said = details.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    finding.detail.extend(said);
    finding
}
