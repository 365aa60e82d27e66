//! All checks of one page by itself.

use std::cell::OnceCell;

use xunjian_dict::Place;
use xunjian_model::{
    Block, BodyHash, Canonical, Facts, Kind, LinkKind, PageKind, PageUrl, Problem, Site, Zone,
};

use crate::digest::{Digest, PageFinding, Row, url_hash};
use crate::excerpt::around;
use crate::{
    ScanSetup, article, documents, guides, hidden_links, labels, messages, offers, places, privacy, scripts,
    slips, unlikely, words,
};

/// A block with what findings in it need to say.
pub(crate) struct Passage<'b> {
    pub(crate) block: &'b Block,
    /// Bytes of text before it on the page.
    pub(crate) base: u64,
    hash: OnceCell<u64>,
}

impl<'b> Passage<'b> {
    pub(crate) fn new(block: &'b Block, base: u64) -> Self {
        Self { block, base, hash: OnceCell::new() }
    }

    /// Short name of its text: equal texts are one block of a template.
    pub(crate) fn hash(&self) -> u64 {
        *self.hash.get_or_init(|| url_hash(&self.block.text))
    }

    /// A fault at `start..end` of its text.
    pub(crate) fn finding(
        &self,
        kind: Kind,
        what: impl Into<String>,
        start: usize,
        end: usize,
    ) -> PageFinding {
        PageFinding {
            offset: Some(self.base + start as u64),
            detail: vec![("path".to_owned(), self.block.path.clone())],
            block: self.hash(),
            template: self.block.zone != Zone::Main,
            ..PageFinding::new(kind, what, around(&self.block.text, start, end))
        }
    }
}

/// Runs the page's own checks.
pub(crate) fn digest(
    facts: &Facts,
    (body, fingerprint): (BodyHash, &[u8; 32]),
    url: &PageUrl,
    (site, canonical): (&Site, &Canonical),
    setup: &ScanSetup,
) -> Digest {
    let mut findings = Vec::new();
    let mut seen = words::Seen::of(facts);
    let mut base = 0;
    let mut cut = false;
    let place = Place {
        site: site.id.as_str(),
        column: facts.label("ColumnName"),
        date: xunjian_page::page_date(&facts.dates),
    };
    let contact_page = privacy::is_contact_page(facts);
    words::check_head(facts, &setup.matcher, &place, &mut seen.scratch, &mut findings);
    for (at, block) in facts.blocks.iter().enumerate() {
        let passage = Passage::new(block, base);
        words::check(facts, at, &passage, &setup.matcher, &place, &mut seen, &mut findings);
        privacy::check(&passage, contact_page, &mut findings);
        slips::check(&passage, &mut findings);
        if let Some(model) = &setup.typo_model {
            let link_over = |start, end| words::link_over(facts, at, start, end);
            unlikely::check(&passage, model, link_over, &mut findings);
        }
        if findings.len() >= setup.findings.page_max {
            cut = at + 1 < facts.blocks.len();
            break;
        }
        base += block.text.len() as u64 + 1;
    }
    let is_document = facts.kind == PageKind::Document;
    let guide = guides::check(facts, &mut findings);
    if !is_document {
        hidden_links::check(facts, site, &mut findings);
        scripts::diversions(facts, site, &mut findings);
        labels::check(facts, site, &mut findings);
        mixed_content(facts, url, &mut findings);
        places::check_addresses(facts, &mut findings);
    }
    explain_injection(facts, &mut findings);
    // One fault at one place is one finding, however often the page repeats it; a hit in the
    // page's own text stands before the same hit in a link's.
    findings.sort_by(|a, b| {
        (a.kind, &a.what, a.link.is_some(), a.offset.is_none()).cmp(&(
            b.kind,
            &b.what,
            b.link.is_some(),
            b.offset.is_none(),
        ))
    });
    findings.dedup_by(|later, first| {
        later.kind == first.kind
            && later.what == first.what
            && (first.link.is_none() || later.link == first.link)
    });

    let is_article = facts.kind != PageKind::List && !is_document;
    let unread = facts.is_unread();
    let rest = if is_document || unread { Default::default() } else { article::rest_of(facts) };
    let no_text = is_article && !unread && !rest.has_text;
    let number = documents::number(facts);
    let target = |url: &String| target_url(url, site, canonical).unwrap_or_else(|| url.clone());
    Digest {
        body,
        fingerprint: *fingerprint,
        title: facts.title.clone(),
        kind: facts.kind,
        dates: facts.dates.clone(),
        column: facts.label("ColumnName").map(str::to_owned),
        findings,
        links: facts.links.iter().map(|link| target_hash(&link.url, site, canonical)).collect(),
        rows: rows(facts, site, canonical),
        missing_labels: if is_document || unread { 0 } else { labels::missing(facts) },
        fragments: places::of(facts),
        script_hosts: scripts::hosts_of(facts, site),
        labelled_article: is_article
            && ["ArticleTitle", "PubDate"]
                .iter()
                .any(|name| facts.label(name).is_some_and(|said| !said.is_empty())),
        named_interpretations: match number {
            Some(_) => documents::named_interpretations(facts).iter().map(target).collect(),
            None => Vec::new(),
        },
        number,
        main_links: match documents::is_interpretation(&facts.title) {
            true => main_links(facts, site, canonical),
            false => Vec::new(),
        },
        guide,
        offers: offers::of_page(facts, guide),
        message: messages::read(facts),
        links_state: 0,
        link_findings: Vec::new(),
        cut,
        frames: facts
            .links
            .iter()
            .filter(|link| matches!(link.kind, LinkKind::Frame | LinkKind::Data))
            .map(|link| target_hash(&link.url, site, canonical))
            .collect(),
        piece: facts.piece && !is_document,
        unread,
        no_text,
        is_nothing: no_text && rest.is_nothing(),
        left: match no_text {
            true => rest.links.iter().map(|url| target_hash(url, site, canonical)).collect(),
            false => Vec::new(),
        },
        left_lines: if no_text { rest.left } else { Vec::new() },
        in_doubt: rest.in_doubt,
        lines: rest.lines,
    }
}

/// A spam word alone is weak: what else of the page speaks for an injection is told with it. A title
/// in character references is a sign by itself.
fn explain_injection(facts: &Facts, findings: &mut Vec<PageFinding>) {
    let encoded = facts.problems.contains(&Problem::EncodedTitle);
    let hidden = findings.iter().any(|one| one.kind == Kind::HiddenLink);
    let words = findings.iter().filter(|one| one.kind == Kind::SpamInjection);
    let words: std::collections::BTreeSet<&str> = words.map(|one| one.what.as_str()).collect();
    let several = (words.len() > 1).then(|| format!("{} spam words on the page", words.len()));
    if words.is_empty() && encoded && hidden {
        let excerpt = format!("⟦{}⟧", facts.title);
        findings.push(PageFinding::new(Kind::SpamInjection, "title", excerpt));
    }
    for finding in findings.iter_mut().filter(|one| one.kind == Kind::SpamInjection) {
        let is = |name: &str| finding.detail.iter().any(|(key, value)| key == name && value == "true");
        let mut reasons: Vec<String> = several.iter().cloned().collect();
        let signs = [
            (is("hidden"), "hidden text"),
            (hidden, "hidden links"),
            (encoded, "title in character references"),
        ];
        reasons.extend(signs.iter().filter(|(there, _)| *there).map(|(_, sign)| (*sign).to_owned()));
        if !reasons.is_empty() {
            finding.detail.push(("reasons".to_owned(), reasons.join("; ")));
        }
    }
}

/// Hash of the address that is asked for when a link is followed.
pub(crate) fn target_hash(url: &str, site: &Site, canonical: &Canonical) -> u64 {
    target_url(url, site, canonical).map_or_else(|| url_hash(url), |folded| url_hash(&folded))
}

/// That address, where it differs from what is written.
fn target_url(url: &str, site: &Site, canonical: &Canonical) -> Option<String> {
    // Only what a rule may change is worth parsing again.
    if !url.contains(['?', ';']) && *canonical == Canonical::default() {
        return None;
    }
    let parsed = PageUrl::parse(url).ok()?;
    (site.in_scope(&parsed) && parsed != site.url).then(|| canonical.apply(&parsed).to_string())
}

/// Where the main text leads to.
fn main_links(facts: &Facts, site: &Site, canonical: &Canonical) -> Vec<u64> {
    let main = facts.links.iter().filter(|link| link.zone == Zone::Main && link.kind == LinkKind::Page);
    main.map(|link| target_hash(&link.url, site, canonical)).collect()
}

/// Links of the main text with their rows' dates.
fn rows(facts: &Facts, site: &Site, canonical: &Canonical) -> Vec<Row> {
    let mut dates = std::collections::HashMap::new();
    for item in &facts.items {
        dates.insert(item.link as usize, item.date);
    }
    let listed = |(_, link): &(usize, &xunjian_model::Link)| {
        link.zone == Zone::Main && link.kind == LinkKind::Page && !link.hidden
    };
    if facts.kind == PageKind::Article {
        return Vec::new();
    }
    facts
        .links
        .iter()
        .enumerate()
        .filter(listed)
        .map(|(at, link)| Row {
            target: target_hash(&link.url, site, canonical),
            date: dates.get(&at).copied().flatten(),
        })
        .collect()
}

/// Parts of an https page that come over http.
fn mixed_content(facts: &Facts, url: &PageUrl, findings: &mut Vec<PageFinding>) {
    if !url.is_https() {
        return;
    }
    let part = |kind| !matches!(kind, LinkKind::Page | LinkKind::Attachment | LinkKind::Form);
    for link in facts.links.iter().filter(|link| part(link.kind) && link.url.starts_with("http:")) {
        findings.push(PageFinding::new(Kind::MixedContent, link.url.clone(), format!("⟦{}⟧", link.url)));
    }
}
