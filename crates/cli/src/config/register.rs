//! The register of sites: `[[site]]` tables, or the same columns in a table of its own.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use toml::de::DeTable;
use xunjian_judge::ColumnClass;
use xunjian_model::{PageUrl, Scope, Site, SiteId, SiteKind, StatedColumn};
use xunjian_scan::OTHER;

use super::reader::{Fault, Source, Table};

/// Columns of the table, with the words offices have for them; `hosts`, `seeds`, `drop_parameters` and `columns` hold
/// several separated by spaces, `cookies` and `no_service` are true or empty.
pub(crate) const COLUMNS: [(&str, &[&str]); 13] = [
    ("id", &["编号", "简称"]),
    ("name", &["网站名称", "名称", "网站"]),
    ("url", &["首页网址", "网址", "网站网址", "首页", "网站域名", "域名"]),
    ("kind", &["类型", "网站类型", "类别"]),
    ("hosts", &["其他域名"]),
    ("ignore_robots", &[]),
    ("seeds", &[]),
    ("cookies", &[]),
    ("drop_parameters", &[]),
    ("code", &["网站标识码", "标识码"]),
    ("no_service", &["无办事服务"]),
    ("office", &["主办单位"]),
    ("columns", &["栏目"]),
];
/// Those a table has to have, besides `id` or `code`.
const NEEDED: [&str; 3] = ["name", "url", "kind"];
/// In the place of a column's class: it is none.
const NO_COLUMN: &str = "none";

/// The rows of a register so far.
#[derive(Default)]
pub(crate) struct Register {
    entries: Vec<Entry>,
    ids: HashMap<SiteId, String>,
}

/// One row: a site, whose scopes the other rows have a say in, and where it stands.
struct Entry {
    site: Site,
    /// What the row says it has.
    said: Vec<Scope>,
    seeds: Vec<PageUrl>,
    file: PathBuf,
    line: usize,
}

impl Entry {
    fn fault(&self, reason: String) -> Fault {
        Fault { file: self.file.clone(), line: self.line, reason }
    }

    fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }

    fn hosts(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.site.url.host()).chain(self.said.iter().map(Scope::host))
    }
}

impl Register {
    /// Reads the `[[site]]` tables.
    pub(crate) fn read_tables(
        &mut self,
        source: &mut Source<'_>,
        file: &Path,
        rows: &[(usize, &DeTable<'_>)],
    ) {
        for &(at, row) in rows {
            let mut table = Table::row("site", row);
            let row = Row {
                id: table.get(source, "id"),
                name: table.get(source, "name"),
                url: table.get(source, "url"),
                kind: table.get(source, "kind"),
                hosts: table.get(source, "hosts").unwrap_or_default(),
                ignore_robots: table.get(source, "ignore_robots"),
                seeds: table.get(source, "seeds").unwrap_or_default(),
                cookies: table.get(source, "cookies").unwrap_or(false),
                drop_parameters: table.get(source, "drop_parameters").unwrap_or_default(),
                code: table.get(source, "code"),
                office: table.get(source, "office"),
                no_service: table.get(source, "no_service").unwrap_or(false),
                columns: table.get(source, "columns").unwrap_or_default(),
            };
            table.finish(source);
            for reason in self.add(row, file, source.line(at)) {
                source.fault(at, reason);
            }
        }
    }

    /// Reads a table: CSV, TSV or XLSX, UTF-8 or GBK.
    pub(crate) fn read_sheet(&mut self, file: &Path) -> Vec<Fault> {
        let fault = |line, reason: String| Fault { file: file.to_owned(), line, reason };
        let bytes = match std::fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) => return vec![fault(1, format!("cannot read the register of sites: {error}"))],
        };
        let mut columns: Option<Vec<Option<&str>>> = None;
        let mut faults = Vec::new();
        let unread = xunjian_dict::read_sheet(file, &bytes, |line, cells| {
            let Some(columns) = &columns else {
                let (found, wrong) = headers(cells);
                let ended = !wrong.is_empty();
                faults.extend(wrong.into_iter().map(|reason| fault(line, reason)));
                columns = Some(found);
                return if ended { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            };
            let (row, mut reasons) = Row::read(columns, cells);
            reasons.extend(self.add(row, file, line));
            faults.extend(reasons.into_iter().map(|reason| fault(line, reason)));
            ControlFlow::Continue(())
        });
        faults.extend(unread.into_iter().map(|(line, reason)| fault(line, reason)));
        if columns.is_none() && faults.is_empty() {
            faults.push(fault(1, "the first line must name the columns".to_owned()));
        }
        faults
    }

    /// Adds a row; answers with what is wrong with it.
    fn add(&mut self, row: Row, file: &Path, line: usize) -> Vec<String> {
        let mut reasons = Vec::new();
        let mut need = |value: Option<String>, column: &str| {
            if value.is_none() {
                reasons.push(format!("a site needs `{column}`"));
            }
            value
        };
        // Its code is its own, too, and holds as long as the site does.
        let (id, name) = (need(row.id.or_else(|| row.code.clone()), "id"), need(row.name, "name"));
        let (url, kind) = (need(row.url, "url"), need(row.kind, "kind"));
        let id = id.and_then(|id| SiteId::new(&id).map_err(|error| reasons.push(error.to_string())).ok());
        let url = url.and_then(|url| {
            let parsed = PageUrl::parse(&url);
            parsed
                .map_err(|error| {
                    reasons.push(format!("{error}; write the home page's address like http://www.a.gov.cn/"))
                })
                .ok()
        });
        let kind = kind.and_then(|kind| match kind.as_str() {
            "portal" | "门户" | "门户网站" | "政府门户网站" => Some(SiteKind::Portal),
            "department" | "部门" | "部门网站" => Some(SiteKind::Department),
            other => {
                reasons.push(format!("{other:?} is not a kind of site: use portal or department"));
                None
            }
        });
        let (Some(id), Some(name), Some(url), Some(kind)) = (id, name, url, kind) else { return reasons };
        if let Some(first) = self.ids.insert(id.clone(), format!("{}:{line}", file.display())) {
            reasons.push(format!("site id {:?} stands already in {first}", id.as_str()));
        }
        let mut said = Vec::new();
        for text in &row.hosts {
            match text.parse::<Scope>() {
                Ok(scope) => said.push(scope),
                Err(error) => reasons.push(format!("`hosts`: {error}")),
            }
        }
        let mut seeds = Vec::new();
        for text in &row.seeds {
            match PageUrl::parse(text) {
                Ok(seed) => seeds.push(seed),
                Err(error) => reasons.push(format!("seed {error}")),
            }
        }
        let mut columns = Vec::new();
        for text in &row.columns {
            match stated_column(text, &url) {
                Ok(column) => columns.push(column),
                Err(reason) => reasons.push(reason),
            }
        }
        let site = Site {
            columns,
            ignore_robots: row.ignore_robots,
            cookies: row.cookies,
            drop_parameters: row.drop_parameters,
            code: row.code,
            office: row.office,
            no_service: row.no_service,
            ..Site::new(id, name, url, kind)
        };
        self.entries.push(Entry { site, said, seeds, file: file.to_owned(), line });
        reasons
    }

    /// The sites, each with what is its own, and what is wrong between them, or of their columns, which have these classes.
    pub(crate) fn settle(mut self, classes: Option<&[ColumnClass]>) -> (Vec<Site>, Vec<Fault>) {
        let all: Vec<Vec<Scope>> = self.entries.iter().map(|entry| self.scopes(entry)).collect();
        for (at, entry) in self.entries.iter_mut().enumerate() {
            let others = all.iter().enumerate().filter(|(other, _)| *other != at);
            let shares = |scope: &&Scope| all[at].iter().any(|own| own.host() == scope.host());
            entry.site.apart = others.flat_map(|(_, scopes)| scopes).filter(shares).cloned().collect();
            entry.site.scopes.clone_from(&all[at]);
        }
        let mut faults = self.taken(&all);
        // Between sites with the same folder nothing can be said of an address.
        if faults.is_empty() {
            faults = self.entries.iter().flat_map(|entry| self.outside(entry)).collect();
        }
        if let Some(classes) = classes {
            faults.extend(self.entries.iter().flat_map(|entry| unknown_classes(entry, classes)));
        }
        let sites = self.entries.into_iter().map(|Entry { site, mut seeds, .. }| {
            // Perhaps no page leads there.
            let columns = site.columns.iter().filter(|column| column.class.is_some());
            seeds.extend(columns.map(|column| column.url.clone()));
            Site { seeds, ..site }
        });
        (sites.collect(), faults)
    }

    /// Hosts and folders that two sites have.
    fn taken(&self, all: &[Vec<Scope>]) -> Vec<Fault> {
        let of = |(at, entry): (usize, &Entry)| {
            let taken = all[at].iter().find_map(|scope| {
                let first = all[..at].iter().position(|scopes| scopes.contains(scope))?;
                Some((scope, self.entries[first].place()))
            });
            let (scope, first) = taken?;
            let (name, host) = (scope.to_string(), scope.host());
            Some(entry.fault(format!(
                "{name:?} belongs already to the site in {first}; of sites that share a host each needs a folder of its \
                 own, by its `url`, or in `hosts` like {host}/jyj/"
            )))
        };
        self.entries.iter().enumerate().filter_map(of).collect()
    }

    /// Home page and seeds that lie outside the site.
    fn outside(&self, entry: &Entry) -> Vec<Fault> {
        let (site, url) = (&entry.site, &entry.site.url);
        let own = site.scopes.iter().map(Scope::to_string).collect::<Vec<_>>().join(" ");
        let owner = self.entries.iter().find(|other| other.site.in_scope(url)).map(Entry::place);
        let home = (!site.in_scope(url)).then(|| match owner {
            Some(place) => format!("home page {url} belongs to the site in {place}"),
            None => format!("home page {url} is outside the site, which has {own}"),
        });
        let seeds = entry.seeds.iter().filter(|seed| !site.in_scope(seed));
        let seeds =
            seeds.map(|seed| format!("seed {:?} is outside the site, which has {own}", seed.as_str()));
        let columns = site.columns.iter().filter(|column| !site.in_scope(&column.url));
        let columns = columns
            .map(|column| format!("column {:?} is outside the site, which has {own}", column.url.as_str()));
        home.into_iter().chain(seeds).chain(columns).map(|reason| entry.fault(reason)).collect()
    }

    /// What is a site's own: what its row says, and of its home page's host, if that says nothing of it, all;
    /// or, if others are there, too, its home page's folder. What is in nobody's folder is the portal's.
    fn scopes(&self, entry: &Entry) -> Vec<Scope> {
        let url = &entry.site.url;
        let mut scopes = entry.said.clone();
        if !scopes.iter().any(|scope| scope.host() == url.host()) {
            let others = || {
                let others = self.entries.iter().filter(|other| !std::ptr::eq(*other, entry));
                others.filter(|other| other.hosts().any(|host| host == url.host()))
            };
            let is_portal = |entry: &Entry| entry.site.kind == SiteKind::Portal;
            let has_rest = others().next().is_none() || is_portal(entry) && !others().any(is_portal);
            scopes.push(if has_rest { Scope::host_of(url) } else { Scope::folder_of(url) });
        }
        scopes.sort_by_key(|scope| scope.host() != url.host());
        scopes.dedup();
        scopes
    }
}

/// What a row says of a column of the site: `ADDRESS=CLASS`.
fn stated_column(text: &str, home: &PageUrl) -> Result<StatedColumn, String> {
    let form = || format!("`columns`: {text:?} is not like /zwgk/=policy, or /zwgk/={NO_COLUMN}");
    let (address, class) = text.rsplit_once('=').ok_or_else(form)?;
    if address.is_empty() || class.is_empty() {
        return Err(form());
    }
    let url = home.join(address).map_err(|error| format!("`columns`: {error}"))?;
    Ok(StatedColumn { url, class: (class != NO_COLUMN).then(|| class.to_owned()) })
}

/// Classes of a site's columns that the catalogue does not have.
fn unknown_classes(entry: &Entry, classes: &[ColumnClass]) -> Vec<Fault> {
    let stated = entry.site.columns.iter().filter_map(|column| column.class.as_deref());
    let unknown = stated.filter(|class| *class != OTHER && !classes.iter().any(|known| known.id == **class));
    unknown
        .map(|class| {
            let known: Vec<&str> = classes.iter().map(|known| known.id.as_str()).collect();
            let known = known.join(", ");
            entry.fault(format!("`columns`: no class {class:?}; known: {known}, {OTHER}, {NO_COLUMN}"))
        })
        .collect()
}

/// Which column each cell of the first line names, and what is wrong with it.
fn headers(cells: &[String]) -> (Vec<Option<&'static str>>, Vec<String>) {
    let column = |cell: &String| {
        let is = |(name, words): &&(&str, &[&str])| cell == name || words.contains(&cell.as_str());
        COLUMNS.iter().find(is).map(|(name, _)| *name)
    };
    let found: Vec<Option<&str>> = cells.iter().map(column).collect();
    let mut wrong = Vec::new();
    for cell in cells.iter().filter(|cell| column(cell).is_none()) {
        // A running number is common and means nothing.
        if !cell.is_empty() && cell != "序号" {
            let known: Vec<String> = COLUMNS.iter().map(|(name, words)| shown(name, words)).collect();
            wrong.push(format!("unknown column {cell:?}; known: {}", known.join(", ")));
        }
    }
    let has = |name: &str| found.contains(&Some(name));
    for (name, words) in COLUMNS.iter().filter(|(name, _)| NEEDED.contains(name) && !has(name)) {
        wrong.push(format!("column {name} ({}) is missing", words[0]));
    }
    if !has("id") && !has("code") {
        wrong.push("neither a column id (编号) nor code (网站标识码) is there".to_owned());
    }
    if let Some(name) = COLUMNS
        .iter()
        .map(|(name, _)| *name)
        .find(|name| found.iter().filter(|one| **one == Some(*name)).count() > 1)
    {
        wrong.push(format!("column {name} stands twice"));
    }
    (found, wrong)
}

fn shown(name: &str, words: &[&str]) -> String {
    words.first().map_or_else(|| name.to_owned(), |word| format!("{name} ({word})"))
}

struct Row {
    id: Option<String>,
    name: Option<String>,
    url: Option<String>,
    kind: Option<String>,
    hosts: Vec<String>,
    ignore_robots: Option<String>,
    seeds: Vec<String>,
    cookies: bool,
    drop_parameters: Vec<String>,
    code: Option<String>,
    office: Option<String>,
    no_service: bool,
    columns: Vec<String>,
}

impl Row {
    /// A row of a table, and what is wrong with its cells.
    fn read(columns: &[Option<&str>], cells: &[String]) -> (Self, Vec<String>) {
        let one = |name: &str| {
            let at = columns.iter().position(|column| *column == Some(name))?;
            cells.get(at).filter(|cell| !cell.is_empty()).cloned()
        };
        let several = |name: &str| -> Vec<String> {
            one(name).iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect()
        };
        let mut wrong = Vec::new();
        let mut yes = |name: &str| match one(name).as_deref() {
            None | Some("false" | "否") => false,
            Some("true" | "是") => true,
            Some(other) => {
                wrong.push(format!("`{name}` must be true, false or empty, not {other:?}"));
                false
            }
        };
        let (cookies, no_service) = (yes("cookies"), yes("no_service"));
        let row = Self {
            id: one("id"),
            name: one("name"),
            // Offices note the domain alone.
            url: one("url").map(|url| match !url.contains("://") && url.contains('.') {
                true => format!("http://{url}"),
                false => url,
            }),
            kind: one("kind"),
            hosts: several("hosts"),
            ignore_robots: one("ignore_robots"),
            seeds: several("seeds"),
            cookies,
            drop_parameters: several("drop_parameters"),
            code: one("code"),
            office: one("office"),
            no_service,
            columns: several("columns"),
        };
        (row, wrong)
    }
}
