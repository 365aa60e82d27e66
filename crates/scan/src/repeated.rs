//! Faults that stand at many places of a site: a template's put together, and each told only so often.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use xunjian_model::{Kind, Site};

use crate::fold::Candidate;
use crate::standing::Standing;

/// Pages from which the same fault in the main text is the template's, not the authors'.
const TEMPLATE_PAGES: usize = 20;

/// How many findings are told. What goes beyond is counted: a list with a word of everyday language must not
/// fill the memory, and nobody reads a million findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindingLimits {
    /// Findings of a page's own texts from which no further text of it is looked at.
    pub page_max: usize,
    /// Places of one site at which the same word, link or label is told.
    pub same_max: usize,
    /// Findings of one kind that are told of one site.
    pub kind_max: usize,
}

impl Default for FindingLimits {
    fn default() -> Self {
        Self { page_max: 1_000, same_max: 1_000, kind_max: 10_000 }
    }
}

/// A word, link or label of a site that stands at more places than are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beyond {
    /// Kind of its findings.
    pub kind: Kind,
    /// The word, link or label.
    pub what: String,
    /// Places that are not told.
    pub places: u64,
}

/// Faults of all pages of a site so far.
#[derive(Default)]
pub(crate) struct Repeated {
    limits: FindingLimits,
    standing: Standing,
    faults: HashMap<(Kind, String), Fault>,
    /// Findings of each kind so far.
    kinds: HashMap<Kind, usize>,
    /// Hits in pages' own texts, by page, kind and phrase, for copies of titles in lists.
    own: HashSet<(u64, Kind, String)>,
}

/// One word, link or label.
#[derive(Default)]
struct Fault {
    /// By block of text, and where its link leads.
    groups: BTreeMap<(u64, Option<u64>), Group>,
    /// In pages' own texts, and in texts of links, which may be copies of those.
    told: [usize; 2],
    beyond: u64,
}

/// The same block of text on several pages.
#[derive(Default)]
struct Group {
    candidates: Vec<Candidate>,
    pages: usize,
    /// It stands outside the main text of one of them.
    template: bool,
}

impl Repeated {
    pub(crate) fn new(limits: FindingLimits, standing: Standing) -> Self {
        Self { limits, standing, ..Self::default() }
    }

    /// One more; `page` is the short name of the page it stands on.
    pub(crate) fn add(&mut self, page: u64, candidate: Candidate, site: &Site) {
        let finding = &candidate.finding;
        let (kind, what, link) = (finding.kind, finding.what.clone(), finding.link);
        let fault = self.faults.entry((kind, what.clone())).or_default();
        let told = &mut fault.told[usize::from(link.is_some())];
        let of_kind = self.kinds.entry(kind).or_default();
        let full = *told >= self.limits.same_max || *of_kind >= self.limits.kind_max;
        let key = (finding.block, link);
        if full && !fault.groups.contains_key(&key) {
            fault.beyond += 1;
            return;
        }
        if link.is_none() && !full {
            self.own.insert((page, kind, what));
        }
        let group = fault.groups.entry(key).or_default();
        group.pages += 1;
        group.template |= finding.template;
        let is_one = group.is_one(kind, key.0);
        if !is_one && full {
            return;
        }
        // Once it is one fault, one page stands for all.
        let before = group.candidates.len();
        group.candidates.push(candidate);
        if is_one {
            group.keep_first(site, &self.standing);
        }
        let now = group.candidates.len();
        *told = *told + now - before;
        *of_kind = *of_kind + now - before;
    }

    /// What is told, and what is not. Copies of titles in lists are left out, and names in titles of articles that
    /// are older than the change; `date_of` an article.
    pub(crate) fn end(self, date_of: impl Fn(u64) -> Option<Date>) -> (Vec<Candidate>, Vec<Beyond>) {
        let (mut told, mut beyond) = (Vec::new(), Vec::new());
        for ((kind, what), fault) in self.faults {
            let mut places = fault.beyond;
            for ((block, link), mut group) in fault.groups {
                if link.is_some_and(|target| self.own.contains(&(target, kind, what.clone()))) {
                    continue;
                }
                let since =
                    group.candidates.first().and_then(|one| one.finding.detail("since")?.parse().ok());
                if since.zip(link.and_then(&date_of)).is_some_and(|(since, date): (Date, Date)| date < since)
                {
                    continue;
                }
                if group.is_one(kind, block) {
                    let pages = ("pages".to_owned(), group.pages.to_string());
                    group.candidates.iter_mut().for_each(|one| one.finding.detail.push(pages.clone()));
                } else {
                    places += (group.pages - group.candidates.len()) as u64;
                }
                told.append(&mut group.candidates);
            }
            if places > 0 {
                beyond.push(Beyond { kind, what, places });
            }
        }
        beyond.sort_by(|a, b| (b.places, &a.what).cmp(&(a.places, &b.what)));
        (told, beyond)
    }
}

impl Group {
    /// Whether all of them are one fault.
    fn is_one(&self, kind: Kind, block: u64) -> bool {
        match kind_is_of_link(kind) || self.template {
            true => self.pages > 1,
            false => self.pages >= TEMPLATE_PAGES && block != 0,
        }
    }

    /// Keeps the one that stands already, or else the home page's, or the one with the shortest address.
    fn keep_first(&mut self, site: &Site, standing: &Standing) {
        let rank = |one: &Candidate| {
            let stands = standing.is_at(one.finding.kind, &one.finding.what, &one.url);
            (!stands, one.url != site.url.as_str(), one.url.len(), one.url.clone())
        };
        let first = std::mem::take(&mut self.candidates).into_iter().min_by_key(rank);
        self.candidates.extend(first);
    }
}

pub(crate) fn kind_is_of_link(kind: Kind) -> bool {
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

#[cfg(test)]
mod tests {
    use xunjian_model::{PageUrl, SiteId, SiteKind};

    use super::*;
    use crate::digest::PageFinding;

    fn site() -> Site {
        let url = PageUrl::parse("http://a.gov.cn/").expect("url");
        Site::new(SiteId::new("a").expect("id"), "甲".to_owned(), url, SiteKind::Portal)
    }

    /// Findings and places beyond, of hits given as page, block, whether the template's, and target of the link.
    fn told(limits: FindingLimits, hits: &[(u64, u64, bool, Option<u64>)]) -> (Vec<String>, u64) {
        let site = site();
        let mut repeated = Repeated::new(limits, Standing::default());
        for (page, block, template, link) in hits {
            let mut finding = PageFinding::new(Kind::SensitiveWord, "词", "⟦词⟧");
            (finding.block, finding.template, finding.link) = (*block, *template, *link);
            let url = format!("http://a.gov.cn/{page}");
            repeated.add(*page, Candidate { url, title: String::new(), snapshot: None, finding }, &site);
        }
        let (told, beyond) = repeated.end(|_| None);
        let of = |one: Candidate| {
            let pages = one.finding.detail.iter().find(|(name, _)| name == "pages");
            format!("{}{}", &one.url[15..], pages.map(|(_, pages)| format!("*{pages}")).unwrap_or_default())
        };
        let mut told: Vec<String> = told.into_iter().map(of).collect();
        told.sort();
        (told, beyond.iter().map(|one| one.places).sum())
    }

    #[test]
    fn what_a_template_repeats_is_one_and_does_not_use_up_the_limit() {
        let limits = FindingLimits { same_max: 3, ..FindingLimits::default() };
        let template: Vec<_> = (10..60).map(|page| (page, 7, true, None)).collect();
        let own: Vec<_> = (60..65).map(|page| (page, page, false, None)).collect();
        assert_eq!(told(limits, &template), (vec!["/10*50".to_owned()], 0));
        let all = [&template[..], &own].concat();
        assert_eq!(told(limits, &all), (vec!["/10*50".to_owned(), "/60".to_owned(), "/61".to_owned()], 3));
        // The same block of the main text on many pages is the template's, too.
        let same: Vec<_> = (10..40).map(|page| (page, 7, false, None)).collect();
        assert_eq!(told(limits, &same), (vec!["/10*30".to_owned()], 0));
        assert_eq!(
            told(limits, &same[..15]),
            (vec!["/10".to_owned(), "/11".to_owned(), "/12".to_owned()], 12)
        );
    }

    #[test]
    fn copies_of_titles_in_lists_are_none() {
        let limits = FindingLimits::default();
        let hits = [(1, 5, false, Some(2)), (1, 6, false, Some(3)), (2, 8, false, None)];
        assert_eq!(told(limits, &hits), (vec!["/1".to_owned(), "/2".to_owned()], 0));
    }

    #[test]
    fn a_kind_has_a_limit_of_its_own() {
        let limits = FindingLimits { kind_max: 2, ..FindingLimits::default() };
        let hits: Vec<_> = (1..=9).map(|page| (page, page, false, None)).collect();
        assert_eq!(told(limits, &hits), (vec!["/1".to_owned(), "/2".to_owned()], 7));
    }
}
