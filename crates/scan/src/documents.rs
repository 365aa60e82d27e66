//! Policy documents and their interpretations (D5, D6): which there are, which belong together.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;
use xunjian_model::{Facts, Kind, LinkKind, PageKind, Site, UrlRecord, Zone};
use xunjian_store::{Digests, Store, StoreError};

use crate::digest::{Digest, PageFinding, url_hash};
use crate::fold::Candidate;
use crate::titles::Titles;

/// Documents and interpretations of a site that are looked at; the newest are enough for a sample.
const DOCUMENTS_MAX: usize = 20_000;
/// Links of an interpretation that are looked at.
const LINKS_MAX: usize = 64;
/// Blocks of the main text in which a document's number stands.
const HEAD_BLOCKS: usize = 24;

#[allow(clippy::unwrap_used, reason = "a constant pattern, compiled in every test")]
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:发文字号|文\s*号|发文机关字号|文件编号)?[:：\s]*([\p{Han}]{2,12}[〔\[（(【]\d{4}[〕\]）)】]\s*第?\d+号)$").unwrap()
});

/// Words of an interpretation's title.
const INTERPRETATION: [&str; 5] = ["解读", "读懂", "图解", "政策问答", "一图了解"];
/// Documents nobody has to interpret: they are not of wide interest.
const INTERNAL: [&str; 9] =
    ["会议", "任免", "任职", "免职", "转发", "表彰", "领导小组", "成立", "调整市政府"];

/// A policy document's number, where it stands alone in a line at its beginning.
pub(crate) fn number(facts: &Facts) -> Option<String> {
    if matches!(facts.kind, PageKind::List | PageKind::Document) {
        return None;
    }
    let main = facts.blocks.iter().filter(|block| block.zone == Zone::Main).take(HEAD_BLOCKS);
    let found = main.filter_map(|block| Some(NUMBER.captures(block.text.trim())?[1].to_owned()));
    found.into_iter().next()
}

/// Pages of the main text that a document names as its interpretation.
pub(crate) fn named_interpretations(facts: &Facts) -> Vec<String> {
    let main = facts.links.iter().filter(|link| link.zone == Zone::Main && link.kind == LinkKind::Page);
    let named = main.filter(|link| {
        let around = facts.blocks.get(link.block as usize).map_or("", |block| block.text.as_str());
        let text = facts.link_text(link);
        // The words stand in the link, or before it in a short line.
        let short = around.chars().count() <= text.chars().count() + 20;
        is_interpretation(text) || short && (around.contains("解读") && !around.contains("解读文件"))
    });
    named.map(|link| link.url.clone()).take(LINKS_MAX).collect()
}

pub(crate) fn is_interpretation(title: &str) -> bool {
    INTERPRETATION.iter().any(|word| title.contains(word))
}

/// Interpretations whose titles are compared with a document's.
const COMPARED_MAX: usize = 2_000;

struct Document {
    url: String,
    title: String,
    snapshot: Option<String>,
    named: Vec<String>,
}

struct Interpretation {
    url: String,
    title: String,
    links: Vec<u64>,
}

/// Documents and interpretations of a site, newest windows only.
#[derive(Default)]
pub(crate) struct Documents {
    documents: Vec<Document>,
    interpretations: Vec<Interpretation>,
}

impl Documents {
    /// Takes a page, if it is one of either, and no column. `begin` is the first day of the window.
    pub(crate) fn add(
        &mut self,
        url: &str,
        (digest, record): (&Digest, &UrlRecord),
        columns: &HashSet<String>,
        begin: Date,
    ) {
        let recent = xunjian_page::page_date(&digest.dates).is_some_and(|date| date >= begin);
        if digest.number.is_some() && recent && self.documents.len() < DOCUMENTS_MAX {
            self.documents.push(Document {
                url: url.to_owned(),
                title: digest.title.clone(),
                snapshot: crate::site::snapshot_name(record),
                named: digest
                    .named_interpretations
                    .iter()
                    .filter(|url| !columns.contains(*url))
                    .cloned()
                    .collect(),
            });
        } else if is_interpretation(&digest.title)
            && digest.kind != PageKind::List
            && !columns.contains(url)
            && self.interpretations.len() < DOCUMENTS_MAX
        {
            self.interpretations.push(Interpretation {
                url: url.to_owned(),
                title: digest.title.clone(),
                links: digest.main_links.iter().copied().take(LINKS_MAX).collect(),
            });
        }
    }

    /// Documents of the window.
    pub(crate) fn count(&self) -> u64 {
        self.documents.len() as u64
    }

    /// Documents without an interpretation, and pairs that are linked one way only.
    pub(crate) fn unpaired(
        self,
        (store, digests): (&Store, &Digests<'_>),
        site: &Site,
    ) -> Result<Vec<Candidate>, StoreError> {
        let mut found = Vec::new();
        let mut by_link: HashMap<u64, &Interpretation> = HashMap::new();
        for one in &self.interpretations {
            one.links.iter().for_each(|link| {
                by_link.entry(*link).or_insert(one);
            });
        }
        let titles =
            Titles::new(self.interpretations.iter().map(|one| one.title.as_str()).take(COMPARED_MAX));
        for document in &self.documents {
            let own = url_hash(&document.url);
            let mut named = Vec::with_capacity(document.named.len());
            for url in &document.named {
                let digest: Option<Digest> = digests.get(url)?;
                // A column of interpretations is none.
                if digest.as_ref().is_none_or(|digest| digest.kind != PageKind::List) {
                    named.push((url, digest));
                }
            }
            if named.is_empty() {
                found.extend(self.alone(document, by_link.get(&own).copied(), &titles));
                continue;
            }
            for (url, digest) in named {
                let Some(digest) = digest else { continue };
                if digest.links.contains(&own) {
                    continue;
                }
                let record = store.url(Some(&site.id), url)?;
                let finding = PageFinding::new(
                    Kind::InterpretationUnlinked,
                    "",
                    format!("⟦{}⟧ ↛ {}", digest.title, document.title),
                )
                .with("document", document.url.clone());
                found.push(Candidate {
                    url: url.clone(),
                    title: digest.title.clone(),
                    snapshot: record.as_ref().and_then(crate::site::snapshot_name),
                    finding,
                });
            }
        }
        Ok(found)
    }

    /// A document that names no interpretation.
    fn alone(
        &self,
        document: &Document,
        linking: Option<&Interpretation>,
        titles: &Titles,
    ) -> Option<Candidate> {
        let similar = || self.interpretations.get(titles.nearest(&document.title)?);
        let finding = match (linking, linking.map_or_else(similar, |_| None)) {
            (Some(one), _) => PageFinding::new(
                Kind::InterpretationUnlinked,
                "",
                format!("⟦{}⟧ ↛ {}", document.title, one.title),
            )
            .with("interpretation", one.url.clone()),
            // Alike by its title alone: a pair is proposed, a person says whether it is one.
            (None, Some(one)) => PageFinding::new(
                Kind::InterpretationUnlinked,
                "",
                format!("⟦{}⟧ ≈ {}", document.title, one.title),
            )
            .with("interpretation", one.url.clone())
            .with("review", "a pair by its title; not linked"),
            _ if INTERNAL.iter().any(|word| document.title.contains(word)) => return None,
            _ => PageFinding::new(Kind::InterpretationMissing, "", format!("⟦{}⟧", document.title))
                .with("review", "a person says whether the document is of wide interest"),
        };
        Some(Candidate {
            url: document.url.clone(),
            title: document.title.clone(),
            snapshot: document.snapshot.clone(),
            finding,
        })
    }
}
