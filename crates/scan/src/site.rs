//! All checks of one site: pages in parallel, then what only the whole site shows.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::ToSpan as _;
use jiff::civil::Date;
use rayon::prelude::*;
use xunjian_model::{
    Evidence, Facts, Finding, FindingId, FindingState, Kind, LinkKind, LinkState, PageKind, PageUrl,
    Severity, Site, UrlRecord,
};
use xunjian_page::EXTRACTOR_VERSION;
use xunjian_store::{Space, Store, StoreError};

use crate::columns::{self, Class, ColumnReport};
use crate::digest::{Digest, PageFinding, url_hash};
use crate::link_states::{BadLinks, kind_of};
use crate::{Freshness, ScanError, ScanSetup, dates, labels, marks, page};

/// Pages handed to the threads at once; bounds what is in memory.
const PAGES_AT_ONCE: usize = 1_024;
/// Pages from which the same fault in the main text is the template's, not the authors'.
const TEMPLATE_PAGES: usize = 20;
/// Share of pages lacking a label from which the site lacks it.
const SITE_WIDE: f64 = 0.8;
/// Candidates kept per label and check; a site-wide fault needs no list of all its pages.
const CANDIDATES_MAX: usize = 2_000;

/// What is known of a site besides its pages.
#[derive(Clone, Debug, Default)]
pub struct SiteInput {
    /// What the home page's last visit showed.
    pub home: Option<LinkState>,
    /// The site has an IPv6 address.
    pub ipv6: Option<bool>,
}

/// What a site's scan found.
#[derive(Debug, Default)]
pub struct SiteScan {
    /// Findings, each once, sorted by id; all `New` until their lives are looked up.
    pub findings: Vec<Finding>,
    /// Columns.
    pub columns: Vec<ColumnReport>,
    /// Pages looked at.
    pub pages: u64,
    /// Pages whose kept digest was used.
    pub kept: u64,
    /// Bytes of text read anew.
    pub text_bytes: u64,
    /// Newest dated item on the home page.
    pub home_newest: Option<Date>,
}

/// One page of the site with its digest.
struct Seen {
    url: String,
    record: UrlRecord,
    digest: Digest,
    /// Links in bad states, as findings.
    links: Vec<PageFinding>,
    kept: bool,
    text_bytes: u64,
}

/// A finding of a page before repeated ones are put together.
struct Candidate {
    url: String,
    title: String,
    snapshot: Option<String>,
    finding: PageFinding,
}

/// What is folded from all pages.
#[derive(Default)]
struct Fold {
    candidates: Vec<Candidate>,
    /// Own hits by page, kind and phrase, for copies of titles in lists.
    own: HashSet<(u64, Kind, String)>,
    newest_by_column: HashMap<String, Date>,
    newest_by_folder: HashMap<String, Date>,
    labels: LabelCount,
    /// Articles that show a date of their own.
    dated: usize,
    undated: Vec<Candidate>,
    empty: Vec<Candidate>,
    pages: u64,
    kept: u64,
    text_bytes: u64,
}

#[derive(Default)]
struct LabelCount {
    /// Pages that need each label, and those of them that lack it.
    needed: [u64; labels::ALL.len()],
    missing: [u64; labels::ALL.len()],
    pages: Vec<(String, String, Option<String>, u16)>,
}

/// Scans one site from the store.
pub fn scan_site(
    store: &Store,
    site: &Site,
    input: &SiteInput,
    bad: &BadLinks,
    setup: &ScanSetup,
) -> Result<SiteScan, ScanError> {
    let mut scan = SiteScan::default();
    let mut candidates = Vec::new();
    if input.ipv6 == Some(false) {
        candidates.push(at_home(site, simple(Kind::NoIpv6, String::new(), String::new())));
    }
    if let Some(state) = input.home.as_ref().filter(|state| state.is_unreachable()) {
        let finding = simple(Kind::Unreachable, String::new(), format!("⟦{}⟧", state.describe()));
        candidates.push(at_home(site, finding));
        scan.findings = findings(candidates, site, setup);
        return Ok(scan);
    }
    let home = home_facts(store, site, setup)?;
    let found_columns = home.as_ref().map(|(facts, _)| columns::discover(facts, site)).unwrap_or_default();
    let column_urls: HashSet<String> = found_columns.iter().map(|(_, url)| url.to_string()).collect();

    let mut fold = Fold::default();
    for_each_page(store, site, bad, setup, |seen| fold.add(seen, site, setup, &column_urls))?;
    scan.pages = fold.pages;
    scan.kept = fold.kept;
    scan.text_bytes = fold.text_bytes;

    if let Some((home, snapshot)) = &home {
        let mut mark_findings: Vec<Candidate> =
            marks::check(home).into_iter().map(|finding| at_home(site, finding)).collect();
        for candidate in &mut mark_findings {
            candidate.snapshot.clone_from(snapshot);
        }
        candidates.extend(mark_findings);
        let latest = setup.point.saturating_add(1.day());
        scan.home_newest =
            home.items.iter().filter_map(|item| item.date).filter(|date| *date <= latest).max();
        if let Some(finding) = stale_home(scan.home_newest, home, setup) {
            candidates.push(Candidate { snapshot: snapshot.clone(), ..at_home(site, finding) });
        }
    }
    // Only a folder that no other column shares says whose articles lie in it.
    let mut folders: HashMap<String, usize> = HashMap::new();
    for folder in found_columns.iter().filter_map(|(_, url)| first_folder(url.as_str())) {
        *folders.entry(folder).or_default() += 1;
    }
    for (name, url) in &found_columns {
        let Some((facts, snapshot)) = page_facts(store, site, url, setup)? else { continue };
        let own_folder = first_folder(url.as_str()).filter(|own| folders.get(own) == Some(&1));
        let elsewhere = fold.newest_of(name, &facts, own_folder.as_deref());
        let Some(column) = columns::read(name, url, &facts, elsewhere, setup.point) else { continue };
        if let Some(finding) = column_finding(&column, setup) {
            let (title, url) = (facts.title.clone(), url.to_string());
            candidates.push(Candidate { url, title, snapshot, finding });
        }
        scan.columns.push(column);
    }
    let home_snapshot = home.as_ref().and_then(|(_, snapshot)| snapshot.clone());
    candidates.extend(fold.label_findings(site, &home_snapshot));
    confirm_listed(store, site, &mut fold, setup)?;
    fold.undated_site(site, &home_snapshot);
    // A page without any date lacks the label, too: one fault, one finding.
    let undated: HashSet<&str> = fold.undated.iter().map(|one| one.url.as_str()).collect();
    candidates.retain(|one| {
        let pub_date = one.finding.kind == Kind::MissingLabel && one.finding.what == "PubDate";
        !(pub_date && undated.contains(one.url.as_str()))
    });
    candidates.append(&mut fold.undated);
    candidates.append(&mut fold.empty);
    candidates.extend(fold.merged(site));
    scan.findings = findings(candidates, site, setup);
    Ok(scan)
}

// ---- pages ----------------------------------------------------------------------------------

/// Looks at every kept page of a site, many at once; digests made anew are kept.
fn for_each_page(
    store: &Store,
    site: &Site,
    bad: &BadLinks,
    setup: &ScanSetup,
    mut each: impl FnMut(Seen),
) -> Result<(), ScanError> {
    let fingerprint = setup.fingerprint();
    let mut rows = store.urls(Some(&site.id)).filter(|row| {
        row.as_ref()
            .map_or(true, |(_, record)| record.state == Some(LinkState::Ok) && record.body_hash.is_some())
    });
    loop {
        let chunk: Vec<(String, UrlRecord)> = rows.by_ref().take(PAGES_AT_ONCE).collect::<Result<_, _>>()?;
        if chunk.is_empty() {
            return Ok(());
        }
        let seen: Vec<Option<Seen>> = chunk
            .into_par_iter()
            .map(|(url, record)| look_at(store, site, bad, setup, &fingerprint, url, record))
            .collect::<Result<_, _>>()?;
        let mut batch = store.begin();
        for page in seen.iter().flatten().filter(|page| !page.kept) {
            batch.put(Space::Digest, &[site.id.as_str().as_bytes(), page.url.as_bytes()], &page.digest)?;
        }
        batch.commit()?;
        seen.into_iter().flatten().for_each(&mut each);
    }
}

fn look_at(
    store: &Store,
    site: &Site,
    bad: &BadLinks,
    setup: &ScanSetup,
    fingerprint: &[u8; 32],
    url: String,
    record: UrlRecord,
) -> Result<Option<Seen>, StoreError> {
    let (Some(body), Ok(address)) = (record.body_hash, PageUrl::parse(&url)) else { return Ok(None) };
    let kept: Option<Digest> = store.get(Space::Digest, &[site.id.as_str().as_bytes(), url.as_bytes()])?;
    let kept =
        kept.filter(|digest| !setup.fresh && digest.body == body && digest.fingerprint == *fingerprint);
    let was_kept = kept.is_some();
    let mut facts = None;
    let mut text_bytes = 0;
    let digest = match kept {
        Some(digest) => digest,
        None => {
            let Some(read) = facts_of(store, &address, &record, setup)? else { return Ok(None) };
            text_bytes = read.blocks.iter().map(|block| block.text.len() as u64).sum();
            let digest = page::digest(&read, body, &address, site, setup);
            facts = Some(read);
            digest
        }
    };
    let mut links = Vec::new();
    if digest.links.iter().any(|link| bad.get(*link).is_some()) {
        let facts = match facts {
            Some(facts) => Some(facts),
            None => facts_of(store, &address, &record, setup)?,
        };
        links = facts.map(|facts| bad_links(&facts, bad)).unwrap_or_default();
    }
    Ok(Some(Seen { url, record, digest, links, kept: was_kept, text_bytes }))
}

fn facts_of(
    store: &Store,
    url: &PageUrl,
    record: &UrlRecord,
    setup: &ScanSetup,
) -> Result<Option<Facts>, StoreError> {
    let Some(hash) = record.body_hash else { return Ok(None) };
    if let Some(facts) = record.facts.and_then(|kept| store.facts(kept, EXTRACTOR_VERSION)) {
        return Ok(Some(facts));
    }
    let Some(body) = store.body(&hash)? else { return Ok(None) };
    Ok(Some(xunjian_page::extract(&body, record.media_type.as_deref(), url, setup.page)))
}

fn page_facts(
    store: &Store,
    site: &Site,
    url: &PageUrl,
    setup: &ScanSetup,
) -> Result<Option<(Facts, Option<String>)>, StoreError> {
    let Some(record) = store.url(Some(&site.id), url.as_str())? else { return Ok(None) };
    let snapshot = snapshot_name(&record);
    Ok(facts_of(store, url, &record, setup)?.map(|facts| (facts, snapshot)))
}

fn home_facts(
    store: &Store,
    site: &Site,
    setup: &ScanSetup,
) -> Result<Option<(Facts, Option<String>)>, StoreError> {
    page_facts(store, site, &site.url, setup)
}

fn snapshot_name(record: &UrlRecord) -> Option<String> {
    Some(format!("{}@{}", record.body_hash?.to_hex(), record.snapshot_at?))
}

fn bad_links(facts: &Facts, bad: &BadLinks) -> Vec<PageFinding> {
    let mut seen = HashSet::new();
    let mut findings = Vec::new();
    for link in &facts.links {
        if matches!(link.kind, LinkKind::Script | LinkKind::Style | LinkKind::Form) {
            continue;
        }
        let Some(state) = bad.get(url_hash(&link.url)) else { continue };
        let Some(kind) = kind_of(state, link.kind).filter(|kind| seen.insert((*kind, &link.url))) else {
            continue;
        };
        let text = facts.link_text(link);
        let mut finding = simple(kind, link.url.clone(), format!("⟦{text}⟧ → {}", link.url));
        finding.detail.push(("state".to_owned(), state.describe()));
        finding.detail.push(("text".to_owned(), text.to_owned()));
        findings.push(finding);
    }
    findings
}

// ---- folding --------------------------------------------------------------------------------

impl Fold {
    fn add(&mut self, seen: Seen, site: &Site, setup: &ScanSetup, columns: &HashSet<String>) {
        let Seen { url, record, digest, links, kept, text_bytes } = seen;
        self.pages += 1;
        self.kept += u64::from(kept);
        self.text_bytes += text_bytes;
        let is_home = url == site.url.as_str();
        let is_column = columns.contains(&url);
        let snapshot = snapshot_name(&record);
        let hash = url_hash(&url);
        let candidate = |finding: PageFinding| Candidate {
            url: url.clone(),
            title: digest.title.clone(),
            snapshot: snapshot.clone(),
            finding,
        };
        let latest = setup.point.saturating_add(1.day());
        if let Some(date) = dates::effective(&digest.dates).filter(|date| *date <= latest)
            && digest.kind != PageKind::List
        {
            let newest = |known: &mut Date| *known = (*known).max(date);
            if let Some(column) = &digest.column {
                self.newest_by_column.entry(column.clone()).and_modify(newest).or_insert(date);
            }
            if let Some(folder) = first_folder(&url).filter(|_| digest.kind == PageKind::Article) {
                self.newest_by_folder.entry(folder).and_modify(newest).or_insert(date);
            }
        }
        let is_article = !is_home && !is_column && digest.kind != PageKind::List;
        if is_article {
            if let Some(finding) = dates::check(&digest.dates, setup.point) {
                self.candidates.push(candidate(finding));
            }
            self.dated += usize::from(!digest.dates.is_empty());
            if digest.dates.is_empty()
                && (digest.labelled_article || digest.kind == PageKind::Article)
                && self.undated.len() < CANDIDATES_MAX
            {
                self.undated.push(candidate(simple(Kind::UndatedPage, String::new(), String::new())));
            }
            if digest.no_body && self.empty.len() < CANDIDATES_MAX {
                let excerpt = format!("⟦{}⟧", digest.title);
                self.empty.push(candidate(simple(Kind::EmptyArticle, String::new(), excerpt)));
            }
        }
        let needs = match (is_home, is_column) {
            (true, _) => labels::EVERY_PAGE,
            (_, true) => labels::COLUMN,
            _ if is_article
                && (digest.labelled_article
                    || digest.kind == PageKind::Article && !digest.dates.is_empty()) =>
            {
                labels::ARTICLE
            }
            _ => 0,
        };
        self.labels.add(&url, &digest.title, &snapshot, needs, digest.missing_labels);
        for finding in digest.findings.iter().chain(&links) {
            if finding.link.is_none() {
                self.own.insert((hash, finding.kind, finding.what.clone()));
            }
            self.candidates.push(candidate(finding.clone()));
        }
    }

    /// The newest article known to be of a column by its label, or by lying under its folder.
    fn newest_of(&self, name: &str, facts: &Facts, own_folder: Option<&str>) -> Option<Date> {
        let label = facts.label("ColumnName").unwrap_or(name);
        let by_label = self.newest_by_column.get(label).copied();
        by_label.or_else(|| self.newest_by_folder.get(own_folder?).copied())
    }

    /// Copies of titles in lists are left out; the same fault on many pages becomes one.
    fn merged(&mut self, site: &Site) -> Vec<Candidate> {
        let own = std::mem::take(&mut self.own);
        let mut groups: BTreeMap<(Kind, String, u64), Vec<Candidate>> = BTreeMap::new();
        for candidate in std::mem::take(&mut self.candidates) {
            let finding = &candidate.finding;
            let copied = finding
                .link
                .is_some_and(|target| own.contains(&(target, finding.kind, finding.what.clone())));
            if !copied {
                let key = (finding.kind, finding.what.clone(), finding.block);
                groups.entry(key).or_default().push(candidate);
            }
        }
        let mut merged = Vec::new();
        for ((kind, _, _), mut group) in groups {
            let about_links = kind_is_of_link(kind);
            let template = group.iter().any(|one| one.finding.template);
            let one = match (about_links, template) {
                (true, _) | (_, true) => group.len() > 1,
                _ => group.len() >= TEMPLATE_PAGES && group[0].finding.block != 0,
            };
            if !one {
                merged.append(&mut group);
                continue;
            }
            let pages = group.len();
            let first = group.into_iter().min_by(|a, b| {
                let rank = |one: &Candidate| (one.url != site.url.as_str(), one.url.len(), one.url.clone());
                rank(a).cmp(&rank(b))
            });
            if let Some(mut first) = first {
                first.finding.detail.push(("pages".to_owned(), pages.to_string()));
                merged.push(first);
            }
        }
        merged
    }

    /// Where most articles show no date the site is built so: one finding, and a person looks.
    fn undated_site(&mut self, site: &Site, home_snapshot: &Option<String>) {
        let pages = self.undated.len();
        if pages <= self.dated {
            return;
        }
        let mut finding = simple(Kind::UndatedPage, String::new(), String::new());
        finding.detail.push(("pages".to_owned(), pages.to_string()));
        finding.detail.push(("review".to_owned(), "most articles of the site show no date".to_owned()));
        self.undated = vec![Candidate { snapshot: home_snapshot.clone(), ..at_home(site, finding) }];
    }

    fn label_findings(&mut self, site: &Site, home_snapshot: &Option<String>) -> Vec<Candidate> {
        let counts = std::mem::take(&mut self.labels);
        let mut candidates = Vec::new();
        for (bit, label) in labels::ALL.iter().enumerate() {
            let (needed, missing) = (counts.needed[bit], counts.missing[bit]);
            let excerpt = format!("⟦{label}⟧");
            if needed > 0 && missing as f64 >= needed as f64 * SITE_WIDE {
                let mut finding = simple(Kind::MissingLabel, (*label).to_owned(), excerpt);
                finding.detail.push(("pages".to_owned(), missing.to_string()));
                candidates.push(Candidate { snapshot: home_snapshot.clone(), ..at_home(site, finding) });
                continue;
            }
            for (url, title, snapshot, lacks) in &counts.pages {
                if lacks & (1 << bit) != 0 {
                    candidates.push(Candidate {
                        url: url.clone(),
                        title: title.clone(),
                        snapshot: snapshot.clone(),
                        finding: simple(Kind::MissingLabel, (*label).to_owned(), excerpt.clone()),
                    });
                }
            }
        }
        candidates
    }
}

impl LabelCount {
    fn add(&mut self, url: &str, title: &str, snapshot: &Option<String>, needs: u16, lacks: u16) {
        let lacks = lacks & needs;
        for bit in 0..labels::ALL.len() {
            self.needed[bit] += u64::from(needs >> bit & 1);
            self.missing[bit] += u64::from(lacks >> bit & 1);
        }
        if lacks != 0 && self.pages.len() < CANDIDATES_MAX {
            self.pages.push((url.to_owned(), title.to_owned(), snapshot.clone(), lacks));
        }
    }
}

/// Undated and empty articles count only when a list of the site names them; a date in a list
/// dates the page.
fn confirm_listed(store: &Store, site: &Site, fold: &mut Fold, setup: &ScanSetup) -> Result<(), ScanError> {
    let wanted: HashSet<u64> =
        fold.undated.iter().chain(&fold.empty).map(|candidate| url_hash(&candidate.url)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut listed: HashMap<u64, Option<Date>> = HashMap::new();
    let fingerprint = setup.fingerprint();
    for row in store.scan::<Digest>(Space::Digest, &[site.id.as_str().as_bytes(), b""]) {
        let (_, digest) = row?;
        if digest.fingerprint != fingerprint {
            continue;
        }
        for row in digest.rows.iter().filter(|row| wanted.contains(&row.target)) {
            let date = listed.entry(row.target).or_default();
            *date = (*date).or(row.date);
        }
    }
    fold.undated.retain(|candidate| match listed.get(&url_hash(&candidate.url)) {
        Some(date) => date.is_none(),
        // Lists that a script fills name nothing; then the page's own labels decide.
        None => fold.newest_by_column.len() > 1,
    });
    fold.empty.retain(|candidate| {
        listed.contains_key(&url_hash(&candidate.url)) || fold.newest_by_column.len() > 1
    });
    Ok(())
}

fn first_folder(url: &str) -> Option<String> {
    let path = url.split_once("://")?.1.split_once('/')?.1;
    let (folder, rest) = path.split_once('/')?;
    (!folder.is_empty() && !rest.starts_with('?')).then(|| folder.to_owned())
}

fn kind_is_of_link(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::DeadLink
            | Kind::DeadImage
            | Kind::DeadAttachment
            | Kind::Soft404
            | Kind::TlsError
            | Kind::PrivateLink
            | Kind::HijackedLink
            | Kind::HiddenLink
            | Kind::MixedContent
    )
}

// ---- freshness ------------------------------------------------------------------------------

fn stale_home(newest: Option<Date>, home: &Facts, setup: &ScanSetup) -> Option<PageFinding> {
    let limit = setup.freshness.news;
    let Some(newest) = newest else {
        if home.items.is_empty() {
            // A home page without dated items may be navigation only: a person looks.
            let mut finding = simple(Kind::StaleHome, String::new(), String::new());
            finding.detail.push(("review".to_owned(), "no dated item on the home page".to_owned()));
            return Some(finding);
        }
        return Some(simple(Kind::StaleHome, String::new(), String::new()));
    };
    Freshness::is_stale(limit, newest, setup.point).then(|| {
        let mut finding = simple(Kind::StaleHome, String::new(), format!("⟦{newest}⟧"));
        finding.detail.push(("newest".to_owned(), newest.to_string()));
        finding
    })
}

fn column_finding(column: &ColumnReport, setup: &ScanSetup) -> Option<PageFinding> {
    let class = format!("{:?}", column.class).to_lowercase();
    if column.blank {
        let mut finding = simple(Kind::BlankColumn, column.name.clone(), format!("⟦{}⟧", column.name));
        finding.detail.push(("class".to_owned(), class));
        if column.scripted {
            finding.detail.push(("review".to_owned(), "a script fills the list".to_owned()));
        }
        return Some(finding);
    }
    let limit = match column.class {
        Class::News => setup.freshness.news,
        Class::Notice | Class::Policy => setup.freshness.notice,
        Class::Personnel | Class::Planning => setup.freshness.personnel,
        _ => return None,
    };
    let newest = column.newest?;
    Freshness::is_stale(limit, newest, setup.point).then(|| {
        let excerpt = format!("{} ⟦{newest}⟧", column.name);
        let mut finding = simple(Kind::StaleColumn, column.name.clone(), excerpt);
        finding.detail.push(("newest".to_owned(), newest.to_string()));
        finding.detail.push(("class".to_owned(), class));
        finding
    })
}

// ---- findings -------------------------------------------------------------------------------

fn simple(kind: Kind, what: String, excerpt: String) -> PageFinding {
    PageFinding {
        kind,
        severity: kind.severity(),
        what,
        excerpt,
        offset: None,
        detail: Vec::new(),
        block: 0,
        template: false,
        link: None,
    }
}

fn at_home(site: &Site, finding: PageFinding) -> Candidate {
    Candidate { url: site.url.to_string(), title: site.name.clone(), snapshot: None, finding }
}

fn findings(candidates: Vec<Candidate>, site: &Site, setup: &ScanSetup) -> Vec<Finding> {
    let mut findings: BTreeMap<FindingId, Finding> = BTreeMap::new();
    for Candidate { url, title, snapshot, finding } in candidates {
        let indicator = finding.kind.indicator();
        let id = FindingId::new(&site.id, indicator, finding.kind, &url, &finding.what);
        let mut detail: BTreeMap<String, String> = finding.detail.into_iter().collect();
        if !finding.what.is_empty() {
            detail.insert("what".to_owned(), finding.what);
        }
        let severity: Severity = finding.severity;
        findings.entry(id.clone()).or_insert(Finding {
            id,
            site: site.id.clone(),
            indicator: indicator.to_owned(),
            kind: finding.kind,
            severity,
            state: FindingState::New,
            url,
            title,
            evidence: Evidence { excerpt: finding.excerpt, offset: finding.offset, snapshot },
            first_seen: setup.run_at,
            last_seen: setup.run_at,
            detail,
        });
    }
    findings.into_values().collect()
}
