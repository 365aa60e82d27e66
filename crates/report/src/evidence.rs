//! Archived pages beside the report: shown without scripts, without outside resources, with
//! personal numbers masked. A crawled page is an attacker.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use aho_corasick::{AhoCorasick, MatchKind};
use minijinja::value::Serde;
use serde_json::json;
use xunjian_model::Finding;

use crate::{Language, ReportError, html, save, words};

/// Characters of a page's source that are shown.
const SOURCE_CHARS_MAX: usize = 60_000;

/// An archived page as text.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The page, personal numbers masked.
    pub html: String,
    /// Its body's hash.
    pub hash: String,
    /// When it was fetched.
    pub fetched_at: String,
    /// Charset it was read with.
    pub charset: String,
}

/// Writes one page a snapshot; answers with the file's name by snapshot.
pub(crate) fn write(
    findings: &[&Finding],
    folder: &Path,
    language: Language,
    evidence: impl Fn(&str, &str) -> Option<Evidence>,
) -> Result<HashMap<String, String>, ReportError> {
    let fail = |path: &Path, source| ReportError::Write { path: path.to_owned(), source };
    if folder.exists() {
        // Pages of an earlier report prove nothing of this one.
        fs::remove_dir_all(folder).map_err(|source| fail(folder, source))?;
    }
    fs::create_dir_all(folder).map_err(|source| fail(folder, source))?;
    let mut by_snapshot: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for &finding in findings {
        if let Some(snapshot) = &finding.evidence.snapshot {
            by_snapshot.entry(snapshot).or_default().push(finding);
        }
    }
    let environment = html::environment()?;
    let mut names = HashMap::new();
    for (snapshot, findings) in by_snapshot {
        let Some(page) = evidence(&findings[0].url, snapshot) else { continue };
        let address = page_hash(&findings[0].url);
        let name = format!("{}-{address}.html", &page.hash[..16.min(page.hash.len())]);
        let phrases: Vec<&str> =
            findings.iter().map(|one| one.what()).filter(|what| !what.is_empty()).collect();
        let harmless = harmless(&page.html);
        let shown = mark(&harmless, &phrases);
        let source: String = page.html.chars().take(SOURCE_CHARS_MAX).collect();
        let cut = source.len() < page.html.len();
        let text = environment.get_template("evidence.html")?.render(Serde(json!({
            "t": words::texts(language),
            "lang": html::code(language),
            "url": findings[0].url,
            "title": findings[0].title,
            "hash": page.hash,
            "fetched_at": page.fetched_at,
            "charset": page.charset,
            "findings": findings.iter().map(|one| html::finding(one, language, None)).collect::<Vec<_>>(),
            "page": shown,
            "cut": cut,
            "source": pieces(&source, &phrases),
        })))?;
        let path = folder.join(&name);
        save(&path, text.as_bytes()).map_err(|source| fail(&path, source))?;
        names.insert(snapshot.to_owned(), name);
    }
    Ok(names)
}

/// An archived page that runs and loads nothing, with phrases marked in its text.
pub fn archived_page(page: &Evidence, phrases: &[&str]) -> String {
    mark(&harmless(&page.html), phrases)
}

/// Distinguishes two addresses with one body.
fn page_hash(url: &str) -> String {
    use std::hash::{Hash as _, Hasher as _};
    let mut hasher = std::hash::DefaultHasher::new();
    url.hash(&mut hasher);
    format!("{:08x}", hasher.finish() as u32)
}

/// Renames the elements that run, load or lead away. The frame's sandbox and the page's content
/// security policy forbid the same; this is the third wall, for viewers that know neither.
fn harmless(html: &str) -> String {
    const TAGS: [&str; 11] =
        ["script", "meta", "base", "link", "iframe", "frame", "object", "embed", "applet", "form", "svg"];
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at + 1);
        out.push_str(before);
        let slash = usize::from(tag.starts_with('/'));
        let name = &tag[slash..];
        let found = TAGS.iter().any(|bad| {
            name.get(..bad.len()).is_some_and(|start| start.eq_ignore_ascii_case(bad))
                && !name[bad.len()..].starts_with(|c: char| c.is_ascii_alphanumeric())
        });
        out.push_str(&tag[..slash]);
        if found {
            out.push_str("x-");
        }
        rest = name;
    }
    out.push_str(rest);
    out
}

/// All phrases at once: a page may have thousands of hits.
fn matcher(phrases: &[&str]) -> Option<AhoCorasick> {
    let phrases: Vec<&str> = phrases.iter().copied().filter(|phrase| !phrase.is_empty()).collect();
    AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(phrases).ok()
}

/// Marks phrases in the text between tags.
fn mark(html: &str, phrases: &[&str]) -> String {
    let plain: Vec<&str> =
        phrases.iter().copied().filter(|phrase| !phrase.contains(['<', '>', '&'])).collect();
    let Some(matcher) = matcher(&plain) else { return html.to_owned() };
    let mut out = String::with_capacity(html.len() + 256);
    for (at, piece) in html.split('<').enumerate() {
        let text = match at {
            0 => piece,
            _ => {
                out.push('<');
                match piece.find('>') {
                    Some(end) => {
                        out.push_str(&piece[..=end]);
                        &piece[end + 1..]
                    }
                    None => {
                        out.push_str(piece);
                        continue;
                    }
                }
            }
        };
        matcher.replace_all_with(text, &mut out, |_, phrase, out| {
            out.push_str("<mark>");
            out.push_str(phrase);
            out.push_str("</mark>");
            true
        });
    }
    out
}

/// The source in pieces, each with whether it is a hit: hidden faults show only here.
fn pieces<'t>(source: &'t str, phrases: &[&str]) -> Vec<(bool, &'t str)> {
    let mut pieces = Vec::new();
    let mut end = 0;
    for hit in matcher(phrases).iter().flat_map(|matcher| matcher.find_iter(source)) {
        pieces.push((false, &source[end..hit.start()]));
        pieces.push((true, &source[hit.range()]));
        end = hit.end();
    }
    pieces.push((false, &source[end..]));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_in_the_source_are_told_apart() {
        assert_eq!(
            pieces("a错字b错字", &["错字"]),
            [(false, "a"), (true, "错字"), (false, "b"), (true, "错字"), (false, "")]
        );
        assert_eq!(pieces("abc", &["bc", "b"]), [(false, "a"), (true, "bc"), (false, "")]);
        assert_eq!(pieces("abc", &[]), [(false, "abc")]);
    }

    #[test]
    fn attacks_lose_their_names_and_hits_are_marked() {
        let page = "<SCRIPT src=//x></SCRIPT><meta http-equiv=refresh><p title='错字'>有错字</p><svg onload=x><scripty>";
        let shown = mark(&harmless(page), &["错字"]);
        assert_eq!(
            shown,
            "<x-SCRIPT src=//x></x-SCRIPT><x-meta http-equiv=refresh><p title='错字'>有<mark>错字</mark></p><x-svg onload=x><scripty>"
        );
    }
}
