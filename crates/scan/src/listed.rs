//! The date a list gives for a page against the date the page gives for itself.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use rustc_hash::{FxHashMap, FxHashSet};
use xunjian_model::{DateFact, DateSource, Kind, PageKind, Site};
use xunjian_store::{Digests, Store};

use crate::ScanError;
use crate::dates::AGREE_DAYS;
use crate::digest::{Digest, PageFinding, url_hash};
use crate::fold::{Candidate, first_folder};

/// Rows, and articles, of a site that are compared; bounds the memory.
const ROWS_MAX: usize = 500_000;
/// Rows of a list that agree for each that does not: where more differ, the list shows another date
/// on purpose, such as the day a document was signed.
const AGREEING: usize = 3;
/// Rows of a list that speak for it; fewer are judged by all lists of the site.
const ROWS_MIN: usize = 20;

/// Dated articles that a list without dates leads to at least.
const LIST_MIN: usize = 3;

/// Dates in lists and of articles, by hash of the article's address.
#[derive(Default)]
pub(crate) struct Listed {
    rows: FxHashMap<u64, (u32, Date)>,
    /// Articles that lists name without a date.
    undated: FxHashSet<u64>,
    articles: FxHashMap<u64, Own>,
    /// Folders of lists.
    folders: Vec<String>,
}

/// The date an article is taken to be of.
#[derive(Clone, Copy)]
struct Own {
    date: Date,
    /// More says so than a line somewhere in the text.
    said: bool,
    /// And not only a label that tells when the page was made, which may be every night.
    published: bool,
}

impl Own {
    fn new(date: Date, dates: &[DateFact]) -> Self {
        let any =
            |wanted: fn(DateSource) -> bool| dates.iter().any(|one| one.date == date && wanted(one.source));
        Self {
            date,
            said: any(|source| source != DateSource::Line),
            published: any(|source| !matches!(source, DateSource::Line | DateSource::Made)),
        }
    }
}

impl Listed {
    /// Takes in a page's rows, or its own date; `hash` is that of its address.
    pub(crate) fn add(&mut self, url: &str, hash: u64, digest: &Digest, own: Option<Date>) {
        if let Some(date) = own.filter(|_| digest.kind != PageKind::List && self.articles.len() < ROWS_MAX) {
            self.articles.insert(hash, Own::new(date, &digest.dates));
        }
        for row in digest.rows.iter().filter(|row| row.date.is_none()) {
            if self.undated.len() < ROWS_MAX {
                self.undated.insert(row.target);
            }
        }
        let mut dated = digest.rows.iter().filter_map(|row| Some((row.target, row.date?))).peekable();
        if dated.peek().is_none() {
            return;
        }
        let folder = first_folder(url).unwrap_or_default();
        let folder = match self.folders.iter().position(|known| *known == folder) {
            Some(at) => at,
            None => {
                self.folders.push(folder.to_owned());
                self.folders.len() - 1
            }
        };
        for (target, date) in dated {
            if self.rows.len() < ROWS_MAX {
                self.rows.entry(target).or_insert((folder as u32, date));
            }
        }
    }

    /// The date an article is taken to be of.
    pub(crate) fn date_of(&self, article: u64) -> Option<Date> {
        self.articles.get(&article).map(|own| own.date)
    }

    /// Whether a list gives an article a date; `None` when none names it.
    pub(crate) fn dated(&self, article: u64) -> Option<bool> {
        let dated = self.rows.contains_key(&article);
        (dated || self.undated.contains(&article)).then_some(dated)
    }

    /// The newest of the articles that a page's list leads to, by their own dates: for lists that show none, or
    /// only month and day. `None` when the page is none of such a list: most of what it leads to has no date.
    pub(crate) fn newest_of(&self, targets: impl Iterator<Item = u64>) -> Option<Date> {
        let targets: FxHashSet<u64> = targets.collect();
        let dates = || targets.iter().filter_map(|target| Some(self.articles.get(target)?.date));
        let count = dates().count();
        (count >= LIST_MIN && count * 2 >= targets.len()).then(|| dates().max())?
    }

    /// The newest of articles by their own dates, if all of them have one: for a list of a row or two.
    pub(crate) fn newest_of_all(&self, mut targets: impl Iterator<Item = u64>) -> Option<Date> {
        let date = |target: u64| self.articles.get(&target).map(|own| own.date);
        let first = date(targets.next()?)?;
        targets.try_fold(first, |newest, target| Some(newest.max(date(target)?)))
    }

    /// The newest of these that say when they were published, however few do.
    pub(crate) fn newest_published(&self, targets: impl Iterator<Item = u64>) -> Option<Date> {
        let own = targets.filter_map(|target| self.articles.get(&target));
        own.filter(|own| own.published).map(|own| own.date).max()
    }

    /// Articles whose date is another in the list that names them.
    pub(crate) fn conflicts(
        self,
        (store, digests): (&Store, &Digests<'_>),
        site: &Site,
    ) -> Result<Vec<Candidate>, ScanError> {
        let mut counts = vec![(0_usize, 0_usize); self.folders.len()];
        let mut apart = HashMap::new();
        for (target, (folder, listed)) in &self.rows {
            let Some(Own { date: own, said: true, .. }) = self.articles.get(target) else { continue };
            let days = own.since(*listed).map_or(i32::MAX, |span| span.get_days().abs());
            let count = &mut counts[*folder as usize];
            if days <= AGREE_DAYS {
                count.0 += 1;
            } else {
                count.1 += 1;
                apart.insert(*target, (*folder, *listed, *own));
            }
        }
        let all = counts.iter().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        apart.retain(|_, (folder, ..)| {
            let own = counts[*folder as usize];
            let (agree, differ) = if own.0 + own.1 < ROWS_MIN { all } else { own };
            agree >= differ * AGREEING
        });
        let mut conflicts = Vec::new();
        if apart.is_empty() {
            return Ok(conflicts);
        }
        let mut seen = HashSet::new();
        for row in store.urls(Some(&site.id)) {
            let (url, record) = row?;
            let hash = url_hash(&url);
            let Some((_, listed, own)) = apart.get(&hash).filter(|_| seen.insert(hash)) else { continue };
            let digest: Option<Digest> = digests.get(&url)?;
            conflicts.push(Candidate {
                title: digest.map(|digest| digest.title).unwrap_or_default(),
                snapshot: crate::site::snapshot_name(&record),
                finding: PageFinding::new(Kind::DateConflict, "", format!("⟦{own}⟧ ≠ ⟦{listed}⟧"))
                    .with("list", listed.to_string()),
                url,
            });
        }
        Ok(conflicts)
    }
}
