//! Addresses of each template family, both ways: page → path and path → page.

use jiff::civil::DateTime;

use crate::plan::{Family, SitePlan};

/// A page of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum PageRef {
    Home,
    List { column: usize, page: u32 },
    Article { column: usize, at: u32 },
}

/// Column numbers in addresses begin here.
pub(crate) const COLUMN_BASE: usize = 1_001;

impl SitePlan {
    /// The path of a page.
    pub(crate) fn path(&self, page: PageRef) -> String {
        match page {
            PageRef::Home => "/".to_owned(),
            PageRef::List { column, page } => self.list_path(column, page),
            PageRef::Article { column, at } => self.article_path(column, at),
        }
    }

    /// The absolute address of a page.
    pub(crate) fn url(&self, page: PageRef) -> String {
        format!("{}{}", self.origin(), self.path(page))
    }

    fn list_path(&self, column: usize, page: u32) -> String {
        let slug = self.columns[column].slug;
        let number = COLUMN_BASE + column;
        match (self.family, page) {
            (Family::Dated, 0) => format!("/{slug}/"),
            (Family::Dated, p) => format!("/{slug}/index_{p}.html"),
            (Family::Table, 0) => format!("/col/col{number}/index.html"),
            (Family::Table, p) => format!("/col/col{number}/index_{p}.html"),
            (Family::Bare, 0) => format!("/list/{slug}"),
            (Family::Bare, p) => format!("/list/{slug}?page={}", p + 1),
            (Family::Div, p) => format!("/list-{number}-{}.html", p + 1),
            (Family::Script, 0) => format!("/{slug}/index.html"),
            (Family::Script, p) => format!("/{slug}/index_{p}.html"),
            (Family::Call, 0) => format!("/{slug}/index.shtml"),
            (Family::Call, p) => format!("/{slug}/index_{p}.shtml"),
            (Family::Records, 0) => format!("/col/col{number}/index.html"),
            (Family::Records, p) => format!("/col/col{number}/index.html?pageNum={}", p + 1),
            (Family::Json, 0) => format!("/{slug}/list.html"),
            (Family::Json, p) => format!("/{slug}/list_{p}.html"),
            (Family::Odd, 0) => format!("/{slug}.htm"),
            (Family::Odd, p) => format!("/{slug}/{p}.htm"),
        }
    }

    fn article_path(&self, column: usize, at: u32) -> String {
        let slug = self.columns[column].slug;
        let number = COLUMN_BASE + column;
        let day: DateTime = self.published(column, at);
        let (y, m, d) = (day.year(), day.month(), day.day());
        match self.family {
            Family::Dated => format!("/{slug}/{y}{m:02}/t{y}{m:02}{d:02}_{at}.html"),
            Family::Table => format!("/art/{y}/{m}/{d}/art_{number}_{at}.html"),
            Family::Bare => format!("/content/{column}-{at}"),
            Family::Div => format!("/show-{number}-{at}.html"),
            Family::Script => format!("/{slug}/{at}.html"),
            Family::Odd => format!("/info/{number}/{at}.htm"),
            Family::Call => format!("/{slug}/{y}{m:02}/t{y}{m:02}{d:02}_{at}.shtml"),
            Family::Records => format!("/art/{y}/{m}/{d}/art_{number}_{at}.html"),
            Family::Json => format!("/{slug}/content_{at}.html"),
        }
    }

    /// The page at a path on a day, if there is one.
    pub(crate) fn resolve(&self, path_and_query: &str, day: u32) -> Option<PageRef> {
        let page = self.parse(path_and_query)?;
        let exists = match page {
            PageRef::Home => true,
            PageRef::List { column, page } => page < self.own_list_pages(column, day),
            PageRef::Article { column, at } => at < self.count(column, day),
        };
        // Building the path again rejects every other spelling, such as a wrong date in it.
        (exists && self.path(page) == path_and_query).then_some(page)
    }

    fn parse(&self, path: &str) -> Option<PageRef> {
        if path == "/" {
            return Some(PageRef::Home);
        }
        let by_slug = |slug: &str| self.columns.iter().position(|column| column.slug == slug);
        let by_number = |text: &str| {
            let at = text.parse::<usize>().ok()?.checked_sub(COLUMN_BASE)?;
            (at < self.columns.len()).then_some(at)
        };
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path[1..].split('/').collect();
        match self.family {
            Family::Dated => match parts[..] {
                [slug, ""] => Some(PageRef::List { column: by_slug(slug)?, page: 0 }),
                [slug, file] => {
                    let page = file.strip_prefix("index_")?.strip_suffix(".html")?.parse().ok()?;
                    Some(PageRef::List { column: by_slug(slug)?, page })
                }
                [slug, _, file] => {
                    let at = file.strip_suffix(".html")?.split_once('_')?.1.parse().ok()?;
                    Some(PageRef::Article { column: by_slug(slug)?, at })
                }
                _ => None,
            },
            Family::Call => match parts[..] {
                [slug, file] => {
                    let page = match file.strip_suffix(".shtml")? {
                        "index" => 0,
                        other => other.strip_prefix("index_")?.parse().ok()?,
                    };
                    Some(PageRef::List { column: by_slug(slug)?, page })
                }
                [slug, _, file] => {
                    let at = file.strip_suffix(".shtml")?.split_once('_')?.1.parse().ok()?;
                    Some(PageRef::Article { column: by_slug(slug)?, at })
                }
                _ => None,
            },
            Family::Json => {
                let [slug, file] = parts[..] else { return None };
                let column = by_slug(slug)?;
                match file.strip_suffix(".html")?.split_once('_') {
                    None => Some(PageRef::List { column, page: 0 }),
                    Some(("list", page)) => Some(PageRef::List { column, page: page.parse().ok()? }),
                    Some((_, at)) => Some(PageRef::Article { column, at: at.parse().ok()? }),
                }
            }
            Family::Table | Family::Records => match parts[..] {
                ["col", column, file] => {
                    let column = by_number(column.strip_prefix("col")?)?;
                    let page = match file.strip_suffix(".html")? {
                        "index" if !query.is_empty() => {
                            query.strip_prefix("pageNum=")?.parse::<u32>().ok()?.checked_sub(1)?
                        }
                        "index" => 0,
                        other => other.strip_prefix("index_")?.parse().ok()?,
                    };
                    Some(PageRef::List { column, page })
                }
                ["art", _, _, _, file] => {
                    let rest = file.strip_prefix("art_")?.strip_suffix(".html")?;
                    let (column, at) = rest.split_once('_')?;
                    Some(PageRef::Article { column: by_number(column)?, at: at.parse().ok()? })
                }
                _ => None,
            },
            Family::Bare => match parts[..] {
                ["list", slug] => {
                    let page = match query.strip_prefix("page=") {
                        Some(page) => page.parse::<u32>().ok()?.checked_sub(1)?,
                        None => 0,
                    };
                    Some(PageRef::List { column: by_slug(slug)?, page })
                }
                ["content", id] => {
                    let (column, at) = id.split_once('-')?;
                    let column = column.parse().ok().filter(|&at| at < self.columns.len())?;
                    Some(PageRef::Article { column, at: at.parse().ok()? })
                }
                _ => None,
            },
            Family::Div => {
                let [file] = parts[..] else { return None };
                let mut words = file.strip_suffix(".html")?.split('-');
                let (what, column, at) = (words.next()?, by_number(words.next()?)?, words.next()?);
                let at: u32 = at.parse().ok()?;
                match what {
                    "list" => Some(PageRef::List { column, page: at.checked_sub(1)? }),
                    "show" => Some(PageRef::Article { column, at }),
                    _ => None,
                }
            }
            Family::Script => {
                let [slug, file] = parts[..] else { return None };
                let column = by_slug(slug)?;
                match file.strip_suffix(".html")? {
                    "index" => Some(PageRef::List { column, page: 0 }),
                    other => match other.strip_prefix("index_") {
                        Some(page) => Some(PageRef::List { column, page: page.parse().ok()? }),
                        None => Some(PageRef::Article { column, at: other.parse().ok()? }),
                    },
                }
            }
            Family::Odd => match parts[..] {
                [file] => Some(PageRef::List { column: by_slug(file.strip_suffix(".htm")?)?, page: 0 }),
                ["info", number, file] => Some(PageRef::Article {
                    column: by_number(number)?,
                    at: file.strip_suffix(".htm")?.parse().ok()?,
                }),
                [slug, file] => {
                    let page = file.strip_suffix(".htm")?.parse().ok()?;
                    Some(PageRef::List { column: by_slug(slug)?, page })
                }
                _ => None,
            },
        }
    }
}
