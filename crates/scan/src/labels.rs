//! Page labels of 国办发〔2017〕47号 (indicator D20): present and right.

use xunjian_model::{Facts, Kind, Site};

use crate::digest::PageFinding;

/// Every label, in the order of the bits.
pub(crate) const ALL: [&str; 10] = [
    "SiteName", "SiteDomain", "SiteIDCode", "ColumnName", "ColumnType", "ColumnDescription",
    "ColumnKeywords", "ArticleTitle", "PubDate", "ContentSource",
];
/// Labels of every page, of articles, of columns: bits.
pub(crate) const EVERY_PAGE: u16 = 0b00_0000_0111;
pub(crate) const ARTICLE: u16 = 0b11_1001_1111;
pub(crate) const COLUMN: u16 = 0b00_0111_1111;

/// Bits of the labels a page lacks.
pub(crate) fn missing(facts: &Facts) -> u16 {
    let lacks = |(at, name): (usize, &&str)| match facts.label(name) {
        Some(content) if !content.is_empty() => 0,
        _ => 1 << at,
    };
    ALL.iter().enumerate().map(lacks).sum()
}

/// Labels that are there and wrong.
pub(crate) fn check(facts: &Facts, site: &Site, findings: &mut Vec<PageFinding>) {
    let mut bad = |label: &str, content: &str, reason: String| {
        let excerpt = format!("{label} = ⟦{content}⟧");
        let finding = PageFinding::new(Kind::BadLabel, label.to_owned(), excerpt.clone());
        // Dates are each their own, and have one form on all pages of a template.
        let finding = match label {
            "ArticleTitle" => finding,
            "PubDate" => finding.of_template(label),
            _ => finding.of_template(&excerpt),
        };
        findings.push(finding.with("reason", reason));
    };
    if let Some(code) = facts.label("SiteIDCode").filter(|code| !code.is_empty())
        && !is_site_code(code)
    {
        bad("SiteIDCode", code, "10 digits, or bm and 8 digits".to_owned());
    }
    if let Some(date) = facts.label("PubDate").filter(|date| !date.is_empty())
        && jiff::fmt::strtime::parse("%Y-%m-%d %H:%M", date).is_err()
    {
        bad("PubDate", date, "the form is YYYY-MM-DD HH:MM".to_owned());
    }
    if let Some(domain) = facts.label("SiteDomain").filter(|domain| !domain.is_empty()) {
        // Some sites name several.
        let mut named = domain.split([',', '，', ';', '；', '、', ' ']).filter(|one| !one.is_empty());
        if !named.any(|domain| is_of_site(domain, site)) {
            bad("SiteDomain", domain, format!("the site's host is {}", site.url.host()));
        }
    }
    if let Some(title) = facts.label("ArticleTitle").filter(|title| !title.is_empty()) {
        let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let wanted = squeezed(title);
        let shown = squeezed(&facts.title).contains(&wanted)
            || facts.blocks.iter().any(|block| squeezed(&block.text).contains(&wanted));
        if !shown {
            bad("ArticleTitle", title, "the page shows another title".to_owned());
        }
    }
}

/// Whether a domain is one of a site's, of which a folder may be named, too, that it has of a host.
fn is_of_site(domain: &str, site: &Site) -> bool {
    let bare = domain.trim_start_matches("http://").trim_start_matches("https://").trim_end_matches('/');
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    site.scopes.iter().any(|scope| {
        let (own, folder) = (scope.host(), scope.folder().trim_matches('/'));
        let same_host = host.trim_start_matches("www.").eq_ignore_ascii_case(own.trim_start_matches("www."));
        same_host && (path.is_empty() || path.eq_ignore_ascii_case(folder))
    })
}

fn is_site_code(code: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    code.len() == 10 && (digits(code) || code.starts_with("bm") && digits(&code[2..]))
}
