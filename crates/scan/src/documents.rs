//! Policy documents and their interpretations (D5, D6): which there are, which belong together.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;
use xunjian_model::{Facts, Kind, LinkKind, PageKind, Site, Zone};
use xunjian_store::{Space, Store, StoreError};

use crate::ScanSetup;
use crate::digest::{Digest, PageFinding, url_hash};
use crate::fold::Candidate;

/// Documents and interpretations of a site that are looked at; the newest are enough for a sample.
const DOCUMENTS_MAX: usize = 20_000;
/// Links of an interpretation that are looked at.
const LINKS_MAX: usize = 64;
/// Blocks of the main text in which a document's number stands.
const HEAD_BLOCKS: usize = 12;

#[allow(clippy::unwrap_used, reason = "a constant pattern, compiled in every test")]
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:发文字号|文\s*号|发文机关字号)?[:：\s]*([\p{Han}]{2,12}[〔\[（(【]\d{4}[〕\]）)】]\s*第?\d+号)$").unwrap()
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
/// Likeness of titles from which a pair is proposed to a person.
const ALIKE: f64 = 0.75;

struct Document {
    url: String,
    title: String,
    snapshot: Option<String>,
    named: Vec<String>,
}

struct Interpretation {
    url: String,
    title: String,
    quoted: String,
    links: Vec<u64>,
}

/// Documents and interpretations of a site, newest windows only.
#[derive(Default)]
pub(crate) struct Documents {
    documents: Vec<Document>,
    interpretations: Vec<Interpretation>,
}

impl Documents {
    /// Takes a page, if it is one of either. `begin` is the first day of the window.
    pub(crate) fn add(&mut self, url: &str, digest: &Digest, snapshot: &Option<String>, begin: Date) {
        let recent = xunjian_page::page_date(&digest.dates).is_some_and(|date| date >= begin);
        if digest.number.is_some() && recent && self.documents.len() < DOCUMENTS_MAX {
            self.documents.push(Document {
                url: url.to_owned(),
                title: digest.title.clone(),
                snapshot: snapshot.clone(),
                named: digest.named_interpretations.clone(),
            });
        } else if is_interpretation(&digest.title) && self.interpretations.len() < DOCUMENTS_MAX {
            self.interpretations.push(Interpretation {
                url: url.to_owned(),
                title: digest.title.clone(),
                quoted: quoted(&digest.title),
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
        store: &Store,
        site: &Site,
        setup: &ScanSetup,
    ) -> Result<Vec<Candidate>, StoreError> {
        let owner = setup.digest_owner(&site.id);
        let mut found = Vec::new();
        let mut by_link: HashMap<u64, &Interpretation> = HashMap::new();
        for one in &self.interpretations {
            one.links.iter().for_each(|link| {
                by_link.entry(*link).or_insert(one);
            });
        }
        for document in &self.documents {
            let own = url_hash(&document.url);
            if document.named.is_empty() {
                found.extend(self.alone(document, by_link.get(&own).copied()));
                continue;
            }
            for url in &document.named {
                let key: [&[u8]; 2] = [&owner, url.as_bytes()];
                let Some(digest) = store.get::<Digest>(Space::Digest, &key)? else { continue };
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
    fn alone(&self, document: &Document, linking: Option<&Interpretation>) -> Option<Candidate> {
        let title = bare(&document.title);
        let similar = || {
            let alike = self
                .interpretations
                .iter()
                .take(COMPARED_MAX)
                .map(|one| (likeness(&title, &one.quoted), one));
            let nearest = alike.max_by(|(a, _), (b, _)| a.total_cmp(b));
            nearest.filter(|(alike, _)| *alike >= ALIKE).map(|(_, one)| one)
        };
        let finding = match (linking, similar()) {
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

/// How alike the matters of two titles are, 0 to 1, by the letters to change; one that holds the
/// other is the same.
fn likeness(title: &str, quoted: &str) -> f64 {
    let (title, quoted) = (matter(title), matter(quoted));
    // What has no name is like everything.
    match title.is_empty() || quoted.is_empty() {
        true => 0.0,
        false if title.contains(quoted) || quoted.contains(title) => 1.0,
        false => strsim::normalized_levenshtein(title, quoted),
    }
}

/// What a title is about: without who issues it, and without the form it has.
fn matter(title: &str) -> &str {
    let after = |title, word| str::rsplit_once(title, word).map_or(title, |(_, rest)| rest);
    let about = ["关于", "印发", "发布", "公布"].into_iter().fold(title, after);
    let form = ["的通知", "的通告", "的公告", "的决定", "的批复"];
    let about = form.iter().find_map(|form| about.strip_suffix(form)).unwrap_or(about);
    about.trim_matches(['《', '》'])
}

/// What stands between 《 and the last 》 of a title.
fn quoted(title: &str) -> String {
    let inner = title.split_once('《').and_then(|(_, rest)| rest.rsplit_once('》'));
    inner.map_or_else(String::new, |(inner, _)| bare(inner))
}

/// A title without the name of the site behind it and without blanks.
fn bare(title: &str) -> String {
    let title = title.split(['_', '|']).next().unwrap_or(title);
    title.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_alike_by_their_letters() {
        let alike = |document: &str, title: &str| likeness(&bare(document), &quoted(title)) >= ALIKE;
        let document = "新城区人民政府关于印发城市供热管理办法的通知";
        assert!(alike(document, "《城市供热管理办法》解读"), "one holds the other");
        assert!(alike(document, "《新城区人民政府印发城市供热管理办法的通知》政策解读"), "issued alike");
        assert!(
            !alike(document, "《新城区人民政府关于印发中小学招生工作方案的通知》政策解读"),
            "another matter"
        );
        assert!(alike("城市供热用热管理暂行办法", "《城市供热管理暂行办法》解读"), "a word apart");
        assert!(!alike(document, "《新城区物业服务收费办法》解读"));
        assert!(
            !alike(document, "政策解读") && !alike("", "《城市供热管理办法》解读"),
            "no name is like none"
        );
    }
}
