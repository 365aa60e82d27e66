//! The register of sites: `[[site]]` tables, or the same columns in a CSV file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use toml::de::DeTable;
use xunjian_model::{PageUrl, Scope, Site, SiteId, SiteKind};

use super::reader::{Fault, Source, Table};

/// Columns of `sites.csv`; `hosts`, `seeds` and `drop_parameters` hold several
/// separated by spaces, `cookies` and `no_service` are true or empty.
pub(crate) const COLUMNS: [&str; 12] = [
    "id", "name", "url", "kind", "hosts", "ignore_robots", "seeds", "cookies", "drop_parameters", "code",
    "no_service", "office",
];

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
            };
            table.finish(source);
            for reason in self.add(row, file, source.line(at)) {
                source.fault(at, reason);
            }
        }
    }

    /// Reads a CSV file, UTF-8 or GBK.
    pub(crate) fn read_csv(&mut self, file: &Path) -> Vec<Fault> {
        let fault = |line, reason: String| Fault { file: file.to_owned(), line, reason };
        let bytes = match std::fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) => return vec![fault(1, format!("cannot read the register of sites: {error}"))],
        };
        let text = xunjian_dict::decode_text(&bytes);
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
        let headers = match reader.headers() {
            Ok(headers) => headers.clone(),
            Err(error) => return vec![fault(1, error.to_string())],
        };
        let mut faults = Vec::new();
        for header in headers.iter().filter(|header| !COLUMNS.contains(header)) {
            faults.push(fault(1, format!("unknown column {header:?}; known: {}", COLUMNS.join(", "))));
        }
        for needed in COLUMNS[..4].iter().filter(|needed| !headers.iter().any(|header| header == **needed)) {
            faults.push(fault(1, format!("column {needed:?} is missing")));
        }
        if !faults.is_empty() {
            return faults;
        }
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let line = error.position().map_or(1, |position| position.line() as usize);
                    faults.push(fault(line, error.to_string()));
                    continue;
                }
            };
            let line = record.position().map_or(1, |position| position.line() as usize);
            let column = |name: &str| {
                let at = headers.iter().position(|header| header == name)?;
                record.get(at).filter(|value| !value.is_empty()).map(str::to_owned)
            };
            let several = |name: &str| -> Vec<String> {
                let text = column(name).unwrap_or_default();
                text.split_whitespace().map(str::to_owned).collect()
            };
            let mut yes = |name: &str| match column(name).as_deref() {
                None | Some("false") => false,
                Some("true") => true,
                Some(other) => {
                    faults.push(fault(line, format!("`{name}` must be true, false or empty, not {other:?}")));
                    false
                }
            };
            let (cookies, no_service) = (yes("cookies"), yes("no_service"));
            let row = Row {
                id: column("id"),
                name: column("name"),
                url: column("url"),
                kind: column("kind"),
                hosts: several("hosts"),
                ignore_robots: column("ignore_robots"),
                seeds: several("seeds"),
                cookies,
                drop_parameters: several("drop_parameters"),
                code: column("code"),
                office: column("office"),
                no_service,
            };
            let reasons = self.add(row, file, line);
            faults.extend(reasons.into_iter().map(|reason| fault(line, reason)));
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
        let (id, name) = (need(row.id, "id"), need(row.name, "name"));
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
            "portal" => Some(SiteKind::Portal),
            "department" => Some(SiteKind::Department),
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
        let site = Site {
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

    /// The sites, each with what is its own, and what is wrong between them.
    pub(crate) fn settle(mut self) -> (Vec<Site>, Vec<Fault>) {
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
        let sites = self.entries.into_iter().map(|Entry { site, seeds, .. }| Site { seeds, ..site });
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
        home.into_iter().chain(seeds).map(|reason| entry.fault(reason)).collect()
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
}
