//! What is folded from all pages of a site: repeated faults put together, newest dates, labels.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::ToSpan as _;
use jiff::civil::Date;
use rustc_hash::FxHashSet;
use xunjian_model::canonical::is_index_of;
use xunjian_model::{BodyHash, Kind, LinkState, PageKind, Rendering, Site, UrlRecord};

use crate::columns::class_of;
use crate::digest::{PageFinding, url_hash};
use crate::documents::Documents;
use crate::furniture::{Left, Parts, TemplateAlone};
use crate::listed::Listed;
use crate::messages::Message;
use crate::offers::Offers;
use crate::places::Places;
use crate::repeated::{FindingLimits, Repeated};
use crate::scripts::ScriptHosts;
use crate::site::{Seen, snapshot_name};
use crate::sought::KnownPage;
use crate::standing::Standing;
use crate::{ScanSetup, dates, labels, presence};

/// Share of pages lacking a label from which the site lacks it.
const SITE_WIDE: f64 = 0.8;
/// Candidates kept per label and check; a site-wide fault needs no list of all its pages.
pub(crate) const CANDIDATES_MAX: usize = 2_000;
/// Pages in frames that are remembered.
const FRAMED_MAX: usize = 100_000;

/// Years back in which polls and interviews count (D13).
const ACTIVITIES_AGE: i64 = 1;

/// A finding of a page before repeated ones are put together.
pub(crate) struct Candidate {
    pub(crate) url: String,
    pub(crate) title: String,
    pub(crate) snapshot: Option<String>,
    pub(crate) finding: PageFinding,
}

/// What is folded from all pages.
#[derive(Default)]
pub(crate) struct Fold {
    /// What is at the home address only leads on, to nothing that is known.
    pub(crate) leads_away: bool,
    pub(crate) repeated: Repeated,
    pub(crate) newest_by_column: HashMap<String, Date>,
    pub(crate) newest_by_folder: HashMap<String, Date>,
    pub(crate) labels: LabelCount,
    /// Articles that show a date of their own.
    pub(crate) dated: usize,
    pub(crate) undated: Vec<Candidate>,
    pub(crate) empty: Vec<Candidate>,
    pub(crate) template_alone: TemplateAlone,
    /// Pages that stand in frames of others.
    pub(crate) framed: FxHashSet<u64>,
    pub(crate) pages: u64,
    pub(crate) kept: u64,
    /// Addresses of pages that were not looked at to the end.
    pub(crate) cut: Vec<String>,
    pub(crate) unread: Vec<String>,
    pub(crate) text_bytes: u64,
    pub(crate) places: Places,
    /// Columns that have each label `ColumnName`.
    pub(crate) labels_of_columns: HashMap<String, usize>,
    /// What the home page was when it was last fetched.
    pub(crate) home_body: Option<BodyHash>,
    pub(crate) listed: Listed,
    pub(crate) script_hosts: ScriptHosts,
    pub(crate) documents: Documents,
    pub(crate) offers: Offers,
    /// Service guides.
    pub(crate) guides: u64,
    /// Messages that are shown, and the newest day one was answered.
    pub(crate) messages: u64,
    pub(crate) newest_answer: Option<Date>,
    /// The newest article of each class of columns, by its own label.
    pub(crate) newest_of_class: BTreeMap<String, (Date, KnownPage)>,
}

#[derive(Default)]
pub(crate) struct LabelCount {
    /// Pages that need each label, and those of them that lack it.
    pub(crate) needed: [u64; labels::ALL.len()],
    pub(crate) missing: [u64; labels::ALL.len()],
    pub(crate) pages: Vec<(String, String, Option<String>, u16)>,
}

pub(crate) fn at_home(site: &Site, finding: PageFinding) -> Candidate {
    Candidate { url: site.url.to_string(), title: site.name.clone(), snapshot: None, finding }
}

impl Fold {
    pub(crate) fn new(limits: FindingLimits, standing: &Standing) -> Self {
        let script_hosts = ScriptHosts::new(standing.clone());
        Self { repeated: Repeated::new(limits, standing.clone()), script_hosts, ..Self::default() }
    }

    pub(crate) fn add(&mut self, seen: Seen, site: &Site, setup: &ScanSetup, columns: &HashSet<String>) {
        let Seen { url, record, digest, kept, text_bytes, .. } = seen;
        let is_page = digest.kind != PageKind::Document;
        self.pages += u64::from(is_page);
        self.kept += u64::from(kept && is_page);
        self.cut.extend(digest.cut.then(|| url.clone()));
        self.unread.extend(digest.unread.then(|| url.clone()));
        self.text_bytes += text_bytes;
        let is_home = url == site.url.as_str();
        let is_column = columns.contains(&url);
        let hash = url_hash(&url);
        if let Some(label) = digest.column.as_ref().filter(|_| is_column) {
            *self.labels_of_columns.entry(label.clone()).or_default() += 1;
        }
        // The home page by its other name: what is wrong with it is told once.
        let is_home_too = self.home_body.is_some() && self.home_body == record.body_hash;
        if !is_home && is_home_too && is_index_of(site.url.as_str(), &url) {
            return;
        }
        if self.framed.len() < FRAMED_MAX {
            self.framed.extend(digest.frames.iter().copied());
        }
        let candidate = |finding: PageFinding| Candidate {
            url: url.clone(),
            title: digest.title.clone(),
            snapshot: snapshot_name(&record),
            finding,
        };
        let latest = setup.point.saturating_add(1.day());
        if let Some(date) = xunjian_page::page_date(&digest.dates).filter(|date| *date <= latest)
            && digest.kind != PageKind::List
        {
            let newer = |known: Option<&Date>| known.is_none_or(|known| date > *known);
            if let Some(column) =
                digest.column.as_ref().filter(|name| newer(self.newest_by_column.get(*name)))
            {
                self.know(column, date, &url, &digest.title, setup);
                self.newest_by_column.insert(column.clone(), date);
            }
            let folder = first_folder(&url).filter(|_| digest.kind == PageKind::Article);
            if let Some(folder) = folder.filter(|folder| newer(self.newest_by_folder.get(*folder))) {
                self.newest_by_folder.insert(folder.to_owned(), date);
            }
        }
        let is_article = !is_home
            && !is_column
            && !digest.piece
            && !matches!(digest.kind, PageKind::List | PageKind::Document);
        let own = xunjian_page::page_date(&digest.dates).filter(|date| is_article && *date <= latest);
        self.listed.add(&url, hash, &digest, own);
        self.script_hosts.add(&digest.script_hosts, candidate);
        let begin = setup.point.saturating_sub(setup.documents_age);
        self.documents.add(&url, (&digest, &record), columns, begin);
        self.offers.add(&url, &digest, setup.point.saturating_sub(ACTIVITIES_AGE.years()));
        self.guides += u64::from(digest.guide);
        let counts = |_: &Message| !digest.column.as_deref().is_some_and(presence::is_other_channel);
        if let Some(message) = digest.message.filter(counts) {
            self.messages += 1;
            self.newest_answer = self.newest_answer.max(message.answered.filter(|date| *date <= setup.point));
            // An answer without a date is one.
            let undated = message.has_answer && message.answered.is_none();
            // It may have been answered since its page was last seen.
            let is_seen = setup.as_of.is_some() || record.state == Some(LinkState::Ok);
            if is_seen && !undated && (setup.overdue.0)(message.asked, message.answered) {
                self.repeated.add(hash, candidate(overdue(&message)), site);
            }
        }
        if is_article {
            if let Some(finding) = dates::check(&digest.dates, setup.point) {
                self.repeated.add(hash, candidate(finding), site);
            }
            self.dated += usize::from(!digest.dates.is_empty());
            if digest.dates.is_empty()
                && (digest.labelled_article || digest.kind == PageKind::Article)
                && self.undated.len() < CANDIDATES_MAX
            {
                self.undated.push(candidate(PageFinding::new(Kind::UndatedPage, "", "")));
            }
            let excerpt = format!("⟦{}⟧", digest.title);
            let empty = || candidate(PageFinding::new(Kind::EmptyArticle, "", excerpt.clone()));
            if digest.is_nothing && self.empty.len() < CANDIDATES_MAX {
                self.empty.push(empty());
            }
            let alone = digest.no_text && !digest.is_nothing;
            let parts = Parts { links: &digest.links, lines: &digest.lines, has_text: !digest.no_text };
            let left = Left { links: &digest.left, lines: &digest.left_lines, in_doubt: digest.in_doubt };
            self.template_alone.add(parts, alone.then(|| (empty(), left)));
        }
        let needs = match (is_home, is_column) {
            (true, _) if self.leads_away => 0,
            (true, _) => labels::EVERY_PAGE,
            (_, true) if digest.piece => 0,
            (_, true) => labels::COLUMN,
            _ if is_article
                && (digest.labelled_article
                    || digest.kind == PageKind::Article && !digest.dates.is_empty()) =>
            {
                labels::ARTICLE
            }
            _ => 0,
        };
        self.labels.add(&url, &digest.title, &record, needs, digest.missing_labels);
        if let Some(cloaked) = &record.cloaked {
            let mut finding = PageFinding::new(Kind::Cloaking, "", format!("⟦{}⟧", cloaked.why));
            if cloaked.unsure {
                finding = finding.with("review", "search engines are shown another page");
            }
            let snapshot = Some(format!("{}@{}", cloaked.body_hash.to_hex(), cloaked.at));
            self.repeated.add(hash, Candidate { snapshot, ..candidate(finding) }, site);
        }
        if let Rendering::Replaced { at, body_hash } = record.rendering {
            let finding = PageFinding::new(Kind::Cloaking, "", format!("⟦{}⟧", digest.title))
                .with("review", "its scripts show readers another page");
            let snapshot = Some(format!("{}@{at}", body_hash.to_hex()));
            self.repeated.add(hash, Candidate { snapshot, ..candidate(finding) }, site);
        }
        self.places.add(&digest.fragments, site, candidate);
        for finding in digest.findings.iter().chain(&digest.link_findings) {
            self.repeated.add(hash, candidate(finding.clone()), site);
        }
    }

    fn know(&mut self, column: &str, date: Date, url: &str, title: &str, setup: &ScanSetup) {
        let Some(class) = class_of(column, &setup.classes) else { return };
        if self.newest_of_class.get(class).is_some_and(|(known, _)| *known >= date) {
            return;
        }
        // The name of the site stands behind the title.
        let title = title.split(['_', '|']).next().unwrap_or(title).trim().to_owned();
        let page = KnownPage { class: class.to_owned(), title, url: url.to_owned() };
        self.newest_of_class.insert(class.to_owned(), (date, page));
    }

    /// The newest article known to be of a column by its label, or by lying under its folder.
    pub(crate) fn newest_of(&self, name: &str, own_folder: Option<&str>) -> Option<Date> {
        let by_label = self.newest_by_column.get(name).copied();
        by_label.or_else(|| self.newest_by_folder.get(own_folder?).copied())
    }

    /// Undated and empty articles count only when a list of the site names them; a date in a list dates
    /// the page.
    pub(crate) fn confirm_listed(&mut self) {
        // Lists that a script fills name nothing; then the page's own labels decide.
        let labelled = self.newest_by_column.len() > 1;
        self.empty.extend(std::mem::take(&mut self.template_alone).end());
        let Self { listed, undated, empty, framed, .. } = self;
        // What is part of another page need be no article by itself.
        undated.retain(|candidate| !framed.contains(&url_hash(&candidate.url)));
        empty.retain(|candidate| !framed.contains(&url_hash(&candidate.url)));
        undated.retain(|candidate| match listed.dated(url_hash(&candidate.url)) {
            Some(dated) => !dated,
            None => labelled,
        });
        empty.retain(|candidate| listed.dated(url_hash(&candidate.url)).is_some() || labelled);
    }

    /// Where most articles show no date the site is built so: one finding, and a person looks.
    pub(crate) fn undated_site(&mut self, site: &Site, home_snapshot: &Option<String>) {
        let pages = self.undated.len();
        if pages <= self.dated {
            return;
        }
        let finding = PageFinding::new(Kind::UndatedPage, "", "")
            .with("pages", pages.to_string())
            .with("review", "most articles of the site show no date");
        self.undated = vec![Candidate { snapshot: home_snapshot.clone(), ..at_home(site, finding) }];
    }

    /// Labels that nearly all pages lack. What single pages lack is repeated; one of the `undated` pages lacks
    /// `PubDate`, too: one fault, one finding.
    pub(crate) fn label_findings(&mut self, site: &Site, home_snapshot: &Option<String>) -> Vec<Candidate> {
        let undated: HashSet<&str> = self.undated.iter().map(|one| one.url.as_str()).collect();
        let counts = std::mem::take(&mut self.labels);
        let mut candidates = Vec::new();
        for (bit, label) in labels::ALL.iter().enumerate() {
            let (needed, missing) = (counts.needed[bit], counts.missing[bit]);
            let excerpt = format!("⟦{label}⟧");
            if needed > 0 && missing as f64 >= needed as f64 * SITE_WIDE {
                let finding = PageFinding::new(Kind::MissingLabel, (*label).to_owned(), excerpt)
                    .with("pages", missing.to_string());
                candidates.push(Candidate { snapshot: home_snapshot.clone(), ..at_home(site, finding) });
                continue;
            }
            let lacking = counts.pages.iter().filter(|(.., lacks)| lacks & (1 << bit) != 0);
            for (url, title, snapshot, _) in lacking {
                if *label == "PubDate" && undated.contains(url.as_str()) {
                    continue;
                }
                let finding = PageFinding::new(Kind::MissingLabel, (*label).to_owned(), excerpt.clone());
                let candidate = Candidate {
                    url: url.clone(),
                    title: title.clone(),
                    snapshot: snapshot.clone(),
                    finding: finding.of_template(label),
                };
                self.repeated.add(url_hash(url), candidate, site);
            }
        }
        candidates
    }
}

fn overdue(message: &Message) -> PageFinding {
    let asked = message.asked.to_string();
    let excerpt = match message.answered {
        Some(answered) => format!("{asked} → ⟦{answered}⟧"),
        None => format!("{asked} → ⟦未答复⟧"),
    };
    let finding = PageFinding::new(Kind::MessageOverdue, "", excerpt).with("asked", asked);
    match message.answered {
        Some(answered) => finding.with("answered", answered.to_string()),
        None => finding,
    }
}

impl LabelCount {
    fn add(&mut self, url: &str, title: &str, record: &UrlRecord, needs: u16, lacks: u16) {
        let lacks = lacks & needs;
        for bit in 0..labels::ALL.len() {
            self.needed[bit] += u64::from(needs >> bit & 1);
            self.missing[bit] += u64::from(lacks >> bit & 1);
        }
        if lacks != 0 && self.pages.len() < CANDIDATES_MAX {
            self.pages.push((url.to_owned(), title.to_owned(), snapshot_name(record), lacks));
        }
    }
}

pub(crate) fn first_folder(url: &str) -> Option<&str> {
    let path = url.split_once("://")?.1.split_once('/')?.1;
    let (folder, rest) = path.split_once('/')?;
    (!folder.is_empty() && !rest.starts_with('?')).then_some(folder)
}
