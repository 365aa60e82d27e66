//! All checks of one site: pages in parallel, then what only the whole site shows.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::Date;
use rayon::prelude::*;
use xunjian_model::{
    Canonical, Evidence, Facts, Finding, FindingId, FindingState, Kind, Link, LinkKind, LinkState, Offer,
    PageKind, PageUrl, Problem, Rendering, Severity, Site, StatedColumn, UrlRecord, Zone, way,
};
use xunjian_page::{TextPart, guarded};
use xunjian_store::{Digests, Store, StoreError};

use crate::basis::Basis;
use crate::columns::{self, Around, Column, ColumnReport};
use crate::digest::{Digest, PageFinding, url_hash};
use crate::excerpt::{around, hit_in, hit_of};
use crate::fold::{Candidate, Fold, at_home, first_folder};
use crate::frames::with_frames;
use crate::freshness::{column_finding, stale_home};
use crate::furniture::Shared;
use crate::known_texts::TextPairs;
use crate::link_states::{LinkStates, kind_of};
use crate::page::target_hash;
use crate::privacy::mask_all;
use crate::repeated::Beyond;
use crate::sought::KnownPage;
use crate::standing::Standing;
use crate::{ScanError, ScanSetup, compatibility, marks, page, presence, sought};

/// Pages handed to the threads at once; bounds what is in memory.
const PAGES_AT_ONCE: usize = 256;

/// What is known of a site besides its pages.
#[derive(Clone, Debug)]
pub struct SiteInput {
    /// The page of the site that its home address leads to: what is asked of a home page is asked of it.
    pub landing: PageUrl,
    /// What the home page's last visit showed.
    pub home: Option<LinkState>,
    /// The site has an IPv6 address.
    pub ipv6: Option<bool>,
    /// Other names under which its home page opens.
    pub names: Vec<String>,
    /// Browsers that are shown something else.
    pub browsers: Vec<Offer>,
    /// What is wrong with its certificate.
    pub certificate_fault: Option<String>,
    /// End of the certificate that ends first, of its hosts.
    pub certificate_end: Option<Timestamp>,
    /// How its addresses are folded.
    pub canonical: Canonical,
    /// Findings that stand already.
    pub standing: Standing,
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
    /// Of them, those whose kept digest was used.
    pub kept: u64,
    /// Bytes of text read anew.
    pub text_bytes: u64,
    /// Newest dated item on the home page; of one that only leads on, of its second-level pages.
    pub home_newest: Option<Date>,
    /// The newest page of some classes, to ask the site's search for.
    pub known: Vec<KnownPage>,
    /// Service guides.
    pub guides: u64,
    /// Messages that are shown.
    pub messages: u64,
    /// Policy documents of the window that is looked at.
    pub documents: u64,
    /// Newest day one was answered.
    pub newest_answer: Option<Date>,
    /// What a rule asks for and was found.
    pub offers: Vec<Offer>,
    /// What stands at more places than are told, the most first.
    pub beyond: Vec<Beyond>,
    /// Addresses of pages with so many findings that they were not looked at to the end.
    pub cut: Vec<String>,
    /// Addresses of pages of which nothing is known, since what reads or looks at them has a fault.
    pub unread: Vec<String>,
}

/// What is wrong with the site's own TLS. Whether visitors are warned, or see nothing of it, depends on their
/// browser.
fn own_fault(input: &SiteInput, site: &Site) -> Option<Candidate> {
    let state = match (&input.home, &input.certificate_fault) {
        (Some(state @ LinkState::Tls(_)), _) => state.describe(),
        (_, fault) => LinkState::Tls(fault.clone()?).describe(),
    };
    let finding = PageFinding::new(Kind::TlsError, site.url.host(), format!("⟦{}⟧", site.url.host()));
    let finding =
        finding.with("state", &state).with("review", "the site's own certificate or TLS is at fault");
    Some(at_home(site, finding))
}

/// Days before a certificate's end from which it is told of, and from which it is urgent. Those that are renewed by
/// machine have a month left then.
const ENDING_DAYS: i64 = 21;
const URGENT_DAYS: i64 = 7;

/// The site's certificate, where it ends soon: no fault by the standard yet.
fn certificate_ending(input: &SiteInput, site: &Site, setup: &ScanSetup) -> Option<Candidate> {
    let end = input.certificate_end?;
    let left = end.duration_since(setup.run_at);
    let days = left.as_hours().div_euclid(24);
    if left.is_negative() || days >= ENDING_DAYS {
        return None;
    }
    let host = site.url.host();
    let day = jiff::tz::Offset::UTC.to_datetime(end).date();
    let finding = PageFinding::new(Kind::TlsEnding, host, format!("{host} ⟦{day}⟧"))
        .with("days", days.to_string())
        .with("until", end.to_string());
    let severity = if days < URGENT_DAYS { Severity::Major } else { finding.severity };
    Some(at_home(site, PageFinding { severity, ..finding }))
}

/// One page of the site with its digest.
pub(crate) struct Seen {
    pub(crate) url: String,
    pub(crate) record: UrlRecord,
    pub(crate) digest: Digest,
    /// The text was not read again.
    pub(crate) kept: bool,
    /// The digest is not the kept one.
    changed: bool,
    /// What its texts have, where that is to be kept.
    pairs: Option<TextPairs>,
    pub(crate) text_bytes: u64,
}

/// Scans one site from the store.
pub fn scan_site(
    store: &Store,
    site: &Site,
    input: &SiteInput,
    states: &LinkStates,
    setup: &ScanSetup,
) -> Result<SiteScan, ScanError> {
    let mut scan = SiteScan::default();
    let mut candidates = Vec::new();
    if input.ipv6 == Some(false) {
        candidates.push(at_home(site, PageFinding::new(Kind::NoIpv6, "", "")));
    }
    if let Some(state) = input.home.as_ref().filter(|state| state.is_unreachable()) {
        let finding = PageFinding::new(Kind::Unreachable, "", format!("⟦{}⟧", state.describe()));
        candidates.push(at_home(site, finding));
        scan.findings = findings(candidates, site, setup);
        return Ok(scan);
    }
    candidates.extend(own_fault(input, site));
    candidates.extend(certificate_ending(input, site, setup));
    let site = &site.landed_at(input.landing.clone());
    // Of a page that leads to nothing that is known nothing is asked.
    let leads_away = |facts: &Facts| facts.leads_on().is_some_and(|next| next != site.url.as_str());
    let shown = home_facts(store, site, setup)?;
    let leads_away = shown.as_ref().is_some_and(|(facts, _)| leads_away(facts));
    let home = match shown.filter(|_| !leads_away) {
        Some((facts, snapshot)) => Some((framed(store, site, &input.canonical, facts, setup)?, snapshot)),
        None => None,
    };
    let found_columns =
        home.as_ref().map(|(facts, _)| columns::discover(facts, site, &setup.classes)).unwrap_or_default();
    let found_columns = columns_of(store, (site, &input.canonical), found_columns, setup)?;
    let column_urls: HashSet<String> = found_columns.iter().map(|column| column.url.to_string()).collect();

    // What a page showed when it was last seen says nothing of how fresh it is now.
    let is_seen = |url: &PageUrl| setup.as_of.is_some() || !states.is_unknown(url_hash(url.as_str()));

    let home_body = store.url(Some(&site.id), site.url.as_str())?.and_then(|record| record.body_hash);
    let mut fold = Fold { leads_away, home_body, ..Fold::new(setup.findings, &input.standing) };
    let digests = setup.digests(store, &site.id)?;
    for_each_page((store, &digests), (site, &input.canonical), states, setup, |seen| {
        fold.add(seen, site, setup, &column_urls)
    })?;
    scan.pages = fold.pages;
    scan.kept = fold.kept;
    scan.text_bytes = fold.text_bytes;

    if let Some((home, snapshot)) = &home {
        let missing = presence::check(home, &found_columns, fold.guides, site, setup);
        let several = input.names.iter().map(|name| {
            let excerpt = format!("⟦{name}⟧ = {}", site.url.host());
            PageFinding::new(Kind::SeveralNames, name, excerpt)
        });
        let found = marks::check(home).into_iter().chain(missing).chain(several);
        let found = found.map(|finding| if home.scripted { in_doubt(finding) } else { finding });
        candidates
            .extend(found.map(|finding| Candidate { snapshot: snapshot.clone(), ..at_home(site, finding) }));
        let latest = setup.point.saturating_add(1.day());
        scan.home_newest =
            home.items.iter().filter_map(|item| item.date).filter(|date| *date <= latest).max();
    }
    // Only a folder that no other column shares says whose articles lie in it.
    let mut folders: HashMap<&str, usize> = HashMap::new();
    for folder in found_columns.iter().filter_map(|column| first_folder(column.url.as_str())) {
        *folders.entry(folder).or_default() += 1;
    }
    let menu = home.as_ref().map(|(home, _)| columns::menu_of(home)).unwrap_or_default();
    let columns = found_columns.iter().map(|column| url_hash(column.url.as_str())).collect();
    let shared = Shared::of(&digests, &found_columns)?;
    for column in &found_columns {
        let url = &column.url;
        let Some((facts, snapshot)) = page_facts(store, site, url, setup)? else { continue };
        let facts = framed(store, site, &input.canonical, facts, setup)?;
        let [in_most, boxed] = shared.in_page(&facts, site, &input.canonical);
        let around =
            Around { menu: &menu, columns: &columns, shared: &in_most, boxed: &boxed, lines: &shared.lines };
        let mut name = column.name(&facts);
        if let Some(label) = Column::label(&facts) {
            match column.wrong_label(label, fold.labels_of_columns.get(label).is_some_and(|many| *many > 1)) {
                Some(finding) => {
                    let (url, title, snapshot) = (url.to_string(), facts.title.clone(), snapshot.clone());
                    candidates.push(Candidate { url, title, snapshot, finding });
                }
                None => name = label,
            }
        }
        if let Some(finding) = presence::statistics(column.name(&facts), &facts, around) {
            let (url, title, snapshot) = (url.to_string(), facts.title.clone(), snapshot.clone());
            candidates.push(Candidate { url, title, snapshot, finding });
        }
        let own_folder = first_folder(url.as_str()).filter(|own| folders.get(own) == Some(&1));
        // What a script adds to a list is not seen.
        let undated = !facts.scripted && facts.main_items().next().is_none();
        let targets = || row_targets(&facts, site, (&input.canonical, &column_urls));
        // A text may lead to an article, too.
        let few = || fold.listed.newest_of_all(targets()).filter(|_| facts.kind != PageKind::Article);
        let linked = || fold.listed.newest_of(targets()).or_else(few);
        let elsewhere = fold.newest_of(name, own_folder).or_else(|| if undated { linked() } else { None });
        let Some(column) = columns::read((column, name), (&facts, around), elsewhere, setup) else {
            continue;
        };
        if let Some(finding) = column_finding(&column, setup).filter(|_| is_seen(url)) {
            let (title, url) = (facts.title.clone(), url.to_string());
            candidates.push(Candidate { url, title, snapshot, finding });
        }
        let is_sought = sought::CLASSES.contains(&column.class.as_str())
            && !scan.known.iter().any(|one| one.class == column.class);
        if is_sought {
            let dated = |link: &Link| fold.listed.date_of(target_hash(&link.url, site, &input.canonical));
            let newest = sought::newest_listed((&facts, around), dated);
            scan.known.extend(newest.map(|page| KnownPage { class: column.class.clone(), ..page }));
        }
        scan.columns.push(column);
    }
    let home_snapshot = home.as_ref().and_then(|(_, snapshot)| snapshot.clone());
    if let Some((home, _)) = &home {
        // A home page whose main text shows no dates is as fresh as the articles it leads to; one that only leads on,
        // as its second-level pages. Beside rows with a date it may show newer ones without, or without a year.
        let targets = || row_targets(home, site, (&input.canonical, &column_urls));
        if home.main_items().next().is_none() {
            let linked = fold.listed.newest_of(targets());
            let linked = linked.or_else(|| scan.columns.iter().filter_map(|column| column.newest).max());
            scan.home_newest = scan.home_newest.max(linked);
        }
        if scan.home_newest.is_some() {
            scan.home_newest = scan.home_newest.max(fold.listed.newest_published(targets()));
        }
        let stale = stale_home(scan.home_newest, home, setup);
        let stale = stale.map(|finding| if home.scripted { in_doubt(finding) } else { finding });
        if let Some(finding) = stale.filter(|_| is_seen(&site.url)) {
            candidates.push(Candidate { snapshot: home_snapshot.clone(), ..at_home(site, finding) });
        }
    }
    for (class, (_, page)) in std::mem::take(&mut fold.newest_of_class) {
        if sought::CLASSES.contains(&class.as_str()) && !scan.known.iter().any(|one| one.class == class) {
            scan.known.push(page);
        }
    }
    (scan.guides, scan.messages, scan.newest_answer) = (fold.guides, fold.messages, fold.newest_answer);
    scan.documents = fold.documents.count();
    scan.offers = std::mem::take(&mut fold.offers).found(home.as_ref().map(|(facts, _)| facts));
    scan.offers.extend(input.browsers.iter().cloned());
    scan.offers.extend(home.as_ref().and_then(|(facts, _)| compatibility::plug_in(facts)));
    scan.offers
        .extend(home.as_ref().and_then(|(facts, _)| compatibility::asks_for_browser(facts, &site.url)));
    candidates.extend(std::mem::take(&mut fold.documents).unpaired((store, &digests), site)?);
    fold.confirm_listed();
    fold.undated_site(site, &home_snapshot);
    candidates.extend(fold.label_findings(site, &home_snapshot));
    candidates.append(&mut fold.undated);
    candidates.append(&mut fold.empty);
    if setup.as_of.is_none() {
        candidates.extend(std::mem::take(&mut fold.places).missing(store, site, setup)?);
    }
    let (told, beyond) = std::mem::take(&mut fold.repeated).end(|target| fold.listed.date_of(target));
    candidates.extend(told);
    scan.beyond = beyond;
    (scan.cut, scan.unread) = (fold.cut, fold.unread);
    // After the page's own conflicts: one fault, one finding.
    candidates.extend(std::mem::take(&mut fold.listed).conflicts((store, &digests), site)?);
    if setup.as_of.is_none() {
        let hosts = std::mem::take(&mut fold.script_hosts);
        candidates.extend(hosts.strangers(store, &site.id, fold.pages, setup)?);
    }
    scan.findings = findings(candidates, site, setup);
    Ok(scan)
}

// ---- pages ----------------------------------------------------------------------------------

/// Looks at every kept page of a site, many at once; digests made anew are kept.
fn for_each_page(
    (store, digests): (&Store, &Digests<'_>),
    (site, canonical): (&Site, &Canonical),
    states: &LinkStates,
    setup: &ScanSetup,
    mut each: impl FnMut(Seen),
) -> Result<(), ScanError> {
    let basis = Basis::of(setup, site, canonical, digests)?;
    let mut rows = store.urls(Some(&site.id)).filter_map(|row| {
        let as_it_was = |(url, record): (String, UrlRecord)| {
            let record = setup.record(store, &url, record)?;
            Ok(record.map(|record| (url, record)))
        };
        row.and_then(as_it_was).transpose()
    });
    loop {
        let chunk: Vec<(String, UrlRecord)> = rows.by_ref().take(PAGES_AT_ONCE).collect::<Result<_, _>>()?;
        if chunk.is_empty() {
            return Ok(());
        }
        let look = |(url, record)| {
            look_at((store, digests), (site, canonical), states, (setup, &basis), url, record)
        };
        let seen: Vec<Option<Seen>> =
            setup.pool.install(|| chunk.into_par_iter().map(look).collect::<Result<_, _>>())?;
        let mut pages: Vec<Seen> = seen.into_iter().flatten().collect();
        let pairs = pages.iter_mut().filter_map(|page| Some((TextPairs::key(&page.url), page.pairs.take()?)));
        let pairs: Vec<_> = pairs.collect();
        digests.put(pairs.iter().map(|(key, pairs)| (key.as_str(), pairs)))?;
        let changed = pages.iter().filter(|page| page.changed);
        digests.put(changed.map(|page| (page.url.as_str(), &page.digest)))?;
        pages.into_iter().for_each(&mut each);
    }
}

fn look_at(
    (store, digests): (&Store, &Digests<'_>),
    (site, canonical): (&Site, &Canonical),
    states: &LinkStates,
    (setup, basis): (&ScanSetup, &Basis),
    url: String,
    record: UrlRecord,
) -> Result<Option<Seen>, StoreError> {
    let Some((body, _)) = record.shown() else { return Ok(None) };
    let kept: Option<Digest> = digests.get(&url)?;
    let kept = kept.filter(|digest| !setup.fresh && digest.body == body);
    let made_now = |digest: &Digest| digest.fingerprint == basis.fingerprint;
    let same = kept.as_ref().is_some_and(made_now);
    let holds = match &kept {
        Some(digest) => same || basis.still_holds(digests, &url, digest)?,
        None => false,
    };
    let (mut facts, mut pairs) = (None, None);
    let mut text_bytes = 0;
    let mut digest = match kept.filter(|_| holds) {
        Some(digest) => Digest { fingerprint: basis.fingerprint, ..digest },
        None => {
            let Ok(address) = PageUrl::parse(&url) else { return Ok(None) };
            let Some(read) = facts_of(store, &address, &record, setup)? else { return Ok(None) };
            text_bytes = read.blocks.iter().map(|block| block.text.len() as u64).sum();
            let digest_of = |facts: &Facts| {
                page::digest(facts, (body, &basis.fingerprint), &address, (site, canonical), setup)
            };
            let looked = guarded(|| {
                let mut digest = digest_of(&read);
                tell_sources(store, (&address, &record, &read), setup, &mut digest)?;
                Ok::<_, StoreError>((digest, basis.gathers.then(|| TextPairs::of(&read, body))))
            });
            let digest;
            (digest, pairs) = looked.unwrap_or_else(|| Ok((digest_of(&Facts::unread()), None)))?;
            facts = Some(read);
            digest
        }
    };
    // A link that is bad night after night need not be looked for in the page again.
    let links_state = states.state_of(&digest.links);
    let links_changed = links_state != digest.links_state;
    if links_changed {
        let facts = match (facts, PageUrl::parse(&url)) {
            _ if links_state == 0 => None,
            (Some(facts), _) => Some(facts),
            (None, Ok(address)) => facts_of(store, &address, &record, setup)?,
            (None, Err(_)) => None,
        };
        digest.link_findings =
            facts.map(|facts| bad_links(&facts, states, site, canonical)).unwrap_or_default();
        digest.links_state = links_state;
    }
    Ok(Some(Seen { url, record, digest, kept: holds, changed: !same || links_changed, pairs, text_bytes }))
}

/// Findings of a page that are told with the bytes they are written in; nobody looks at more.
const SOURCES_MAX: usize = 100;
/// Places of a title or a label that are compared with an excerpt.
const PLACES_MAX: usize = 1_000;

/// Tells of each finding in a page's texts which bytes of the snapshot it is written in.
fn tell_sources(
    store: &Store,
    (url, record, facts): (&PageUrl, &UrlRecord, &Facts),
    setup: &ScanSetup,
    digest: &mut Digest,
) -> Result<(), StoreError> {
    if digest.kind == PageKind::Document {
        return Ok(());
    }
    let found = digest.findings.iter().enumerate().filter_map(|(at, finding)| {
        let hit = hit_of(&finding.excerpt)?;
        let part = match finding.offset {
            Some(start) => TextPart::Blocks(place_of(facts, usize::try_from(start).ok()?, hit)?),
            None => part_of_head(facts, &finding.excerpt, hit)?,
        };
        Some((at, part))
    });
    let (at, wanted): (Vec<usize>, Vec<_>) = found.take(SOURCES_MAX).unzip();
    if at.is_empty() {
        return Ok(());
    }
    let Some(body) = record.shown().map(|(hash, _)| store.body(&hash)).transpose()?.flatten() else {
        return Ok(());
    };
    let sources = xunjian_page::source_of(&body, record.shown_media_type(), url, setup.page, wanted);
    for (at, source) in at.into_iter().zip(sources) {
        if let Some(bytes) = source.and_then(|source| source.bytes) {
            digest.findings[at].detail.push(("bytes".to_owned(), format!("{}-{}", bytes.start, bytes.end)));
        }
    }
    Ok(())
}

/// Where a hit stands in the title or in a label: where its excerpt comes from.
fn part_of_head(facts: &Facts, excerpt: &str, hit: &str) -> Option<TextPart> {
    let within = |text: &str| {
        let hits = text.match_indices(hit).map(|(at, _)| at..at + hit.len());
        hits.take(PLACES_MAX).find(|part| around(text, part.start, part.end) == excerpt)
    };
    within(&facts.title).map(TextPart::Title).or_else(|| {
        let mut labels = facts.labels.iter().enumerate();
        labels.find_map(|(number, label)| Some(TextPart::Label(number, within(&label.content)?)))
    })
}

/// The bytes of a hit, which may be masked, from `start` on in a page's texts one after the other.
fn place_of(facts: &Facts, start: usize, hit: &str) -> Option<std::ops::Range<usize>> {
    let mut before = 0;
    let block = facts.blocks.iter().find(|block| {
        let own = before..before + block.text.len();
        if !own.contains(&start) {
            before = own.end + 1;
        }
        own.contains(&start)
    })?;
    let part = hit_in(&block.text, start - before, hit)?;
    Some(before + part.start..before + part.end)
}

fn facts_of(
    store: &Store,
    url: &PageUrl,
    record: &UrlRecord,
    setup: &ScanSetup,
) -> Result<Option<Facts>, StoreError> {
    let Some((hash, _)) = record.shown() else { return Ok(None) };
    let Some(body) = store.body(&hash)? else { return Ok(None) };
    let mut facts = xunjian_page::extract_any(&body, record.shown_media_type(), url, setup.page);
    // What the page shows once its scripts have run is all there is, if it came to rest.
    match record.rendering {
        Rendering::Done { settled, .. } => {
            facts.scripted = !settled;
            note_folded(store, url, record, setup, &mut facts)?;
        }
        Rendering::Wanted => facts.scripted = true,
        Rendering::NotNeeded | Rendering::Replaced { .. } => {}
    }
    Ok(Some(facts))
}

/// Notes the links that a script hides and the page as it was sent shows, and a title that was written in references.
fn note_folded(
    store: &Store,
    url: &PageUrl,
    record: &UrlRecord,
    setup: &ScanSetup,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if !facts.links.iter().any(|link| link.hidden) {
        return Ok(());
    }
    let Some(hash) = record.body_hash else { return Ok(()) };
    let Some(body) = store.body(&hash)? else { return Ok(()) };
    let sent = xunjian_page::extract_any(&body, record.media_type.as_deref(), url, setup.page);
    let shown: HashSet<&str> =
        sent.links.iter().filter(|link| !link.hidden).map(|link| link.url.as_str()).collect();
    for link in facts.links.iter_mut().filter(|link| link.hidden) {
        link.folded |= shown.contains(link.url.as_str());
    }
    // A browser writes it out, however it was written.
    let encoded = sent.problems.into_iter().filter(|problem| *problem == Problem::EncodedTitle);
    facts.problems.extend(encoded);
    Ok(())
}

pub(crate) fn page_facts(
    store: &Store,
    site: &Site,
    url: &PageUrl,
    setup: &ScanSetup,
) -> Result<Option<(Facts, Option<String>)>, StoreError> {
    let Some(record) = store.url(Some(&site.id), url.as_str())? else { return Ok(None) };
    let Some(record) = setup.record(store, url.as_str(), record)? else { return Ok(None) };
    let snapshot = snapshot_name(&record);
    let facts = facts_of(store, url, &record, setup)?.filter(|facts| !facts.is_unread());
    Ok(facts.map(|facts| (facts, snapshot)))
}

/// What a home page does not show, a script may put there that was not seen to run.
fn in_doubt(finding: PageFinding) -> PageFinding {
    let absent = match finding.kind {
        Kind::MissingMark | Kind::ColumnMissing | Kind::StaleHome => true,
        // One with a wrong code is there.
        Kind::MissingEntrance => finding.detail.is_empty(),
        _ => false,
    };
    if absent { finding.with("review", "a script may put it there") } else { finding }
}

/// What the rows of a page's lists lead to, whose titles are texts or, where there are none, pictures; columns and other
/// sites are no rows.
fn row_targets<'f>(
    facts: &'f Facts,
    site: &'f Site,
    (canonical, columns): (&'f Canonical, &'f HashSet<String>),
) -> impl Iterator<Item = u64> + 'f {
    let targets = move |has_title: fn(&Facts, &Link) -> bool| {
        let rows = facts.links.iter().filter(move |link| {
            let is_shown = link.zone == Zone::Main && !link.hidden;
            is_shown && link.kind == LinkKind::Page && has_title(facts, link)
        });
        rows.filter_map(move |link| {
            let url = canonical.apply(&PageUrl::parse(&link.url).ok().filter(|url| site.in_scope(url))?);
            (!columns.contains(url.as_str())).then(|| url_hash(url.as_str()))
        })
    };
    let mut texts = targets(|facts, link| !facts.link_text(link).is_empty()).peekable();
    let pictures = texts.peek().is_none().then(|| targets(|_, link| link.alt.is_some()));
    texts.chain(pictures.into_iter().flatten())
}

/// A page with what its frames show.
fn framed(
    store: &Store,
    site: &Site,
    canonical: &Canonical,
    facts: Facts,
    setup: &ScanSetup,
) -> Result<Facts, StoreError> {
    with_frames(facts, |url| {
        let Ok(url) = PageUrl::parse(url) else { return Ok(None) };
        let frame = page_facts(store, site, &canonical.apply(&url), setup)?;
        Ok(frame.map(|(facts, _)| facts))
    })
}

/// The columns of a site with the addresses readers arrive at, each once, and as the office says.
fn columns_of(
    store: &Store,
    (site, canonical): (&Site, &Canonical),
    found: Vec<Column>,
    setup: &ScanSetup,
) -> Result<Vec<Column>, StoreError> {
    let mut columns: Vec<Column> = Vec::with_capacity(found.len());
    for column in found {
        let url = arrival(store, (site, canonical), &column.url, setup)?;
        let page =
            if xunjian_page::is_directory(&url) { page_facts(store, site, &url, setup)? } else { None };
        let named = page.map(|(facts, _)| columns::of_directory(&facts)).unwrap_or_default();
        let own = named.is_empty().then_some(Column { url, ..column });
        for column in named.into_iter().chain(own) {
            if column.url != site.url && !columns.iter().any(|known| known.url == column.url) {
                columns.push(column);
            }
        }
    }
    for said in &site.columns {
        let url = arrival(store, (site, canonical), &said.url, setup)?;
        columns::state(&mut columns, StatedColumn { url, class: said.class.clone() });
    }
    Ok(columns)
}

/// Where a link leads its readers: many links to columns redirect, or lead to a page that only leads on.
fn arrival(
    store: &Store,
    (site, canonical): (&Site, &Canonical),
    link: &PageUrl,
    setup: &ScanSetup,
) -> Result<PageUrl, StoreError> {
    let link = canonical.apply(link);
    let mut way = way(link.clone(), |url| {
        let Some(record) = store.url(Some(&site.id), url.as_str())? else { return Ok(None) };
        let next = match record.redirect(url) {
            // Most pages are long and lead nowhere.
            None if record.shown().is_none() => None,
            None => page_facts(store, site, url, setup)?
                .and_then(|(facts, _)| PageUrl::parse(facts.leads_on()?).ok()),
            redirect => redirect,
        };
        let Some(next) = next.filter(|next| site.in_scope(next)) else { return Ok(None) };
        let next = canonical.apply(&next);
        Ok(store.knows(Some(&site.id), next.as_str())?.then_some(next))
    })?;
    Ok(way.pop().unwrap_or(link))
}

fn home_facts(
    store: &Store,
    site: &Site,
    setup: &ScanSetup,
) -> Result<Option<(Facts, Option<String>)>, StoreError> {
    page_facts(store, site, &site.url, setup)
}

/// The name of the snapshot that shows what an address shows, `<body hash>@<time>`.
pub fn snapshot_of(store: &Store, site: &Site, url: &str) -> Result<Option<String>, StoreError> {
    Ok(store.url(Some(&site.id), url)?.as_ref().and_then(snapshot_name))
}

/// The name of the snapshot that shows what a record's address shows.
pub fn snapshot_name(record: &UrlRecord) -> Option<String> {
    let (hash, at) = record.shown()?;
    Some(format!("{}@{at}", hash.to_hex()))
}

fn bad_links(facts: &Facts, states: &LinkStates, site: &Site, canonical: &Canonical) -> Vec<PageFinding> {
    let mut seen = HashSet::new();
    let mut findings = Vec::new();
    for link in &facts.links {
        // Programs may refuse whoever does not come from their page.
        if matches!(link.kind, LinkKind::Script | LinkKind::Style | LinkKind::Form | LinkKind::Data) {
            continue;
        }
        let Some(state) = states.get(page::target_hash(&link.url, site, canonical)) else { continue };
        let Some(kind) = kind_of(state, link.kind).filter(|kind| seen.insert((*kind, &link.url))) else {
            continue;
        };
        let text = facts.link_name(link);
        let finding = PageFinding::new(kind, link.url.clone(), format!("⟦{text}⟧ → {}", link.url))
            .with("state", state.describe())
            .with("text", text.to_owned());
        findings.push(finding);
    }
    findings
}

// ---- findings -------------------------------------------------------------------------------

/// A page that a site's own search was asked for in vain.
#[derive(Clone, Copy, Debug)]
pub struct Missed<'a> {
    /// Class of its column.
    pub class: &'a str,
    /// Title it was asked for by.
    pub title: &'a str,
    /// Address that was asked.
    pub address: &'a str,
}

fn joined<'a>(missed: &[Missed<'a>], part: fn(&Missed<'a>) -> &'a str, between: &str) -> String {
    missed.iter().map(part).collect::<Vec<_>>().join(between)
}

/// The finding that a site's search misses these pages; of none when it has no search.
pub fn search_finding(
    site: &Site,
    snapshot: Option<String>,
    missed: &[Missed<'_>],
    run_at: Timestamp,
) -> Finding {
    let finding = match missed.first() {
        None => PageFinding::new(Kind::SearchMiss, "", "").with("review", "no search form on the home page"),
        Some(first) => {
            PageFinding::new(Kind::SearchMiss, "", format!("⟦{}⟧", joined(missed, |one| one.title, "；")))
                .with("missed", joined(missed, |one| one.class, ", "))
                .with("titles", joined(missed, |one| one.title, "；"))
                .with("search", first.address.to_owned())
        }
    };
    let candidate = Candidate { snapshot, ..at_home(site, finding) };
    finding_of(candidate, site, run_at)
}

fn findings(candidates: Vec<Candidate>, site: &Site, setup: &ScanSetup) -> Vec<Finding> {
    let mut findings: BTreeMap<FindingId, Finding> = BTreeMap::new();
    for candidate in candidates {
        let finding = finding_of(candidate, site, setup.run_at);
        findings.entry(finding.id.clone()).or_insert(finding);
    }
    findings.into_values().collect()
}

fn finding_of(candidate: Candidate, site: &Site, run_at: Timestamp) -> Finding {
    let Candidate { url, title, snapshot, finding } = candidate;
    let indicator = finding.kind.indicator();
    let id = FindingId::new(&site.id, indicator, finding.kind, &url, &finding.what);
    let mut detail: BTreeMap<String, String> = finding.detail.into_iter().collect();
    if !finding.what.is_empty() {
        detail.insert("what".to_owned(), finding.what);
    }
    let severity: Severity = finding.severity;
    Finding {
        id,
        site: site.id.clone(),
        indicator: indicator.to_owned(),
        kind: finding.kind,
        severity,
        state: FindingState::New,
        url,
        title: mask_all(&title),
        evidence: Evidence { excerpt: finding.excerpt, offset: finding.offset, snapshot },
        first_seen: run_at,
        last_seen: run_at,
        detail,
    }
}
