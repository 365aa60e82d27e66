//! The register of sites: `[[site]]` tables, or the same columns in a CSV file.

use std::collections::HashMap;
use std::path::Path;

use toml::de::DeTable;
use xunjian_model::{PageUrl, Site, SiteId, SiteKind};

use super::reader::{Fault, Source, Table};

/// Columns of `sites.csv`; `hosts`, `seeds` and `drop_parameters` hold several
/// separated by spaces, `cookies` and `no_service` are true or empty.
pub(crate) const COLUMNS: [&str; 12] = [
    "id", "name", "url", "kind", "hosts", "ignore_robots", "seeds", "cookies", "drop_parameters", "code",
    "no_service", "office",
];

/// The sites of a register, with where each stands.
#[derive(Default)]
pub(crate) struct Register {
    pub(crate) sites: Vec<Site>,
    places: HashMap<String, String>,
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
            let place = format!("{}:{}", file.display(), source.line(at));
            for reason in self.add(row, place) {
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
            let reasons = self.add(row, format!("{}:{line}", file.display()));
            faults.extend(reasons.into_iter().map(|reason| fault(line, reason)));
        }
        faults
    }

    /// Adds a row; answers with what is wrong with it.
    fn add(&mut self, row: Row, place: String) -> Vec<String> {
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
        if let Some(first) = self.places.insert(format!("id {id}"), place.clone()) {
            reasons.push(format!("site id {:?} stands already in {first}", id.as_str()));
        }
        for host in std::iter::once(url.host()).chain(row.hosts.iter().map(String::as_str)) {
            if let Some(first) =
                self.places.insert(format!("host {}", host.to_ascii_lowercase()), place.clone())
            {
                reasons.push(format!("host {host:?} belongs already to the site in {first}"));
            }
        }
        let mut site = Site {
            hosts: row.hosts,
            ignore_robots: row.ignore_robots,
            cookies: row.cookies,
            drop_parameters: row.drop_parameters,
            code: row.code,
            office: row.office,
            no_service: row.no_service,
            ..Site::new(id, name, url, kind)
        };
        for text in &row.seeds {
            match PageUrl::parse(text) {
                Ok(seed) if site.in_scope(&seed) => site.seeds.push(seed),
                Ok(_) => reasons.push(format!(
                    "seed {text:?} is outside the site: its host is neither that of `url` nor one of `hosts`"
                )),
                Err(error) => reasons.push(format!("seed {error}")),
            }
        }
        if reasons.is_empty() {
            self.sites.push(site);
        }
        reasons
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
