//! Files that come from nowhere in particular: text, HTML, DOCX, XLSX, PPTX, OFD and PDF, looked
//! through for words and personal numbers.

use std::ops::Range;

use jiff::civil::Date;
use serde::Serialize;
use xunjian_dict::{Category, Hit, Matcher, Place, Scratch};
use xunjian_model::{Block, Kind, PageUrl, Problem, Severity};
use xunjian_page::{Limits, TextPart, Written, extract, is_html, named_document, sniff};
use xunjian_spell::Model;

use crate::digest::PageFinding;
use crate::excerpt::{hit_in, hit_of};
use crate::page::Passage;
use crate::statute::is_statute;
use crate::{privacy, slips, unlikely, words};

/// Bytes of one file that are looked at.
pub const PLAIN_BYTES_MAX: usize = 64 << 20;

/// Faults told of one file.
pub const PLAIN_FINDINGS_MAX: usize = 100_000;

/// First bytes of a file that tell whether it is text.
const TOLD_BY: usize = 8_000;

/// A fault in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlainFinding {
    /// The file's name as it was given.
    pub file: String,
    /// Line of a text or of a page's source, or paragraph of a document, from 1.
    pub line: usize,
    /// Characters before the fault in its line, plus one.
    pub column: usize,
    /// Bytes of the file; nothing for documents, and where the file cannot be read without loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Range<usize>>,
    /// What it is.
    pub kind: Kind,
    /// How severe.
    pub severity: Severity,
    /// Phrase or masked number.
    pub what: String,
    /// What it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correction: Option<String>,
    /// The fault between ⟦ and ⟧ with what stands around it.
    pub excerpt: String,
    /// Name of the dictionary, if one has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dictionary: Option<String>,
}

/// What one file gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlainScan {
    /// Faults in order.
    pub findings: Vec<PlainFinding>,
    /// What was wrong with the file itself.
    pub problems: Vec<Problem>,
    /// Bytes of text that were looked at.
    pub text_bytes: usize,
    /// It is neither text nor a page nor a known document, as pictures are not: nothing was looked at.
    pub no_text: bool,
}

/// Looks through a file. What it is, its first bytes and the name's ending tell. With a model, also for typos
/// that no dictionary knows.
pub fn scan_plain(name: &str, body: &[u8], matcher: &Matcher, model: Option<&Model>) -> PlainScan {
    let mut scan = PlainScan::default();
    let cut = &body[..body.len().min(PLAIN_BYTES_MAX)];
    if cut.len() < body.len() {
        scan.problems.push(Problem::Truncated);
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let page = matches!(ending.as_str(), "html" | "htm" | "shtml" | "xhtml" | "jhtml") || is_html(None, cut);
    let mut looking = Looking {
        name,
        matcher,
        model,
        place: Place::default(),
        scratch: Scratch::default(),
        statute: false,
        scan,
        hits: Vec::new(),
    };
    if page {
        looking.page(cut);
    } else if matches!(sniff(cut), "pdf" | "zip" | "ole" | "rtf" | "rar" | "7z" | "gzip") {
        looking.document(cut);
    } else if is_text(cut) {
        looking.text(cut);
    } else {
        looking.scan.no_text = true;
    }
    looking.scan
}

/// Whether bytes may be text: no zero among the first, unless a mark says that it is UTF-16.
fn is_text(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xFF\xFE")
        || bytes.starts_with(b"\xFE\xFF")
        || !bytes[..bytes.len().min(TOLD_BY)].contains(&0)
}

/// Looks through a text that was published on a day.
pub fn scan_text(text: &str, date: Option<Date>, matcher: &Matcher) -> Vec<PlainFinding> {
    let place = Place { date, ..Place::default() };
    let scan = PlainScan::default();
    let mut looking = Looking {
        name: "",
        matcher,
        model: None,
        place,
        scratch: Scratch::default(),
        statute: false,
        scan,
        hits: Vec::new(),
    };
    looking.text(text.as_bytes());
    looking.scan.findings
}

struct Looking<'s> {
    name: &'s str,
    matcher: &'s Matcher,
    model: Option<&'s Model>,
    place: Place<'s>,
    scratch: Scratch,
    /// The file is the text of a law.
    statute: bool,
    scan: PlainScan,
    /// Of each finding its bytes in its block, until they are taken.
    hits: Vec<Option<Range<usize>>>,
}

impl Looking<'_> {
    fn page(&mut self, body: &[u8]) {
        // Links lead nowhere here; only their texts count.
        let Ok(base) = PageUrl::parse("http://file.invalid/") else { return };
        let facts = extract(body, None, &base, Limits::default());
        self.place.date = xunjian_page::page_date(&facts.dates);
        self.statute = is_statute(facts.blocks.iter().map(|block| block.text.as_str()));
        self.scan.problems.extend(facts.problems.iter().cloned());
        let mut parts = Vec::new();
        let heads = std::iter::once((None, &facts.title));
        for (label, text) in heads.chain(words::seen_labels(&facts).map(|(label, text)| (Some(label), text)))
        {
            self.block(&Block { text: text.clone(), ..Block::default() }, 1);
            parts.extend(self.hits.drain(..).map(|hit| match label {
                Some(label) => TextPart::Label(label, hit.unwrap_or_default()),
                None => TextPart::Title(hit.unwrap_or_default()),
            }));
        }
        let mut before = 0;
        for block in &facts.blocks {
            self.block(block, 1);
            let own = self.hits.drain(..).map(Option::unwrap_or_default);
            parts.extend(own.map(|hit| TextPart::Blocks(before + hit.start..before + hit.end)));
            before += block.text.len() + 1;
        }
        if !parts.is_empty() {
            self.tell_places(xunjian_page::source_of(body, None, &base, Limits::default(), parts));
        }
    }

    fn document(&mut self, body: &[u8]) {
        let facts = named_document(body, self.name, false, Limits::default());
        self.statute = is_statute(facts.blocks.iter().map(|block| block.text.as_str()));
        self.scan.problems.extend(facts.problems);
        for (at, block) in facts.blocks.iter().enumerate() {
            self.block(block, at + 1);
        }
    }

    fn text(&mut self, body: &[u8]) {
        let decoded = xunjian_page::decode(body, None);
        self.scan.problems.extend(decoded.problems.iter().cloned());
        self.statute = is_statute(decoded.text.lines());
        let mut block = Block::default();
        let mut parts = Vec::new();
        for (at, line) in decoded.text.lines().enumerate() {
            block.text.clear();
            block.text.push_str(line);
            self.block(&block, at + 1);
            let before = line.as_ptr() as usize - decoded.text.as_ptr() as usize;
            let own = self.hits.drain(..);
            parts.extend(own.map(|hit| hit.map(|hit| before + hit.start..before + hit.end)));
        }
        self.tell_places(xunjian_page::written(body, &decoded, &parts));
    }

    /// Tells of each finding so far where it is written.
    fn tell_places(&mut self, places: Vec<Option<Written>>) {
        for (finding, place) in self.scan.findings.iter_mut().zip(places) {
            if let Some(place) = place {
                (finding.bytes, finding.line, finding.column) = (place.bytes, place.line, place.column);
            }
        }
    }

    fn block(&mut self, block: &Block, line: usize) {
        if self.scan.findings.len() >= PLAIN_FINDINGS_MAX {
            return;
        }
        self.scan.text_bytes += block.text.len();
        let left = PLAIN_FINDINGS_MAX - self.scan.findings.len();
        let passage = Passage::new(block, 0);
        let mut found = Vec::new();
        let hits = self.matcher.find(&block.text, &self.place, &mut self.scratch).into_iter();
        let statute = self.statute;
        let counts = |hit: &Hit<'_>| !statute || hit.entry.category != Category::OutdatedName;
        for hit in hits.filter(counts).take(left) {
            found.push(words::finding_of(&hit, &passage));
        }
        privacy::check(&passage, false, &mut found);
        slips::check(&passage, &mut found);
        if let Some(model) = self.model {
            unlikely::check(&passage, model, |_, _| None, &mut found);
        }
        found.sort_by_key(|one| one.offset);
        // They are in order, so the characters before each are counted on from the last.
        let (mut at, mut column) = (0, 1);
        for one in found {
            let offset = one.offset.map_or(0, |offset| offset as usize);
            column += block.text[at..offset].chars().count();
            at = offset;
            self.hits.push(hit_of(&one.excerpt).and_then(|hit| hit_in(&block.text, offset, hit)));
            let told = self.finding(one, column, line);
            self.scan.findings.push(told);
        }
        if self.scan.findings.len() >= PLAIN_FINDINGS_MAX {
            self.scan.problems.push(Problem::TooMany("findings in one file".to_owned()));
        }
    }

    fn finding(&self, found: PageFinding, column: usize, line: usize) -> PlainFinding {
        let detail =
            |name: &str| found.detail.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        PlainFinding {
            file: self.name.to_owned(),
            line,
            column,
            bytes: None,
            kind: found.kind,
            severity: found.severity,
            correction: detail("correction"),
            dictionary: detail("dictionary"),
            what: found.what,
            excerpt: found.excerpt,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher() -> Matcher {
        Matcher::new(&xunjian_dict::shipped()).expect("compiles")
    }

    fn kinds(name: &str, body: &[u8]) -> Vec<(usize, usize, Kind)> {
        let scan = scan_plain(name, body, &matcher(), None);
        scan.findings.iter().map(|one| (one.line, one.column, one.kind)).collect()
    }

    #[test]
    fn text_html_and_numbers() {
        let text = "第一行\n这是关健环节，电话13812341234\n";
        let expected = [(2, 3, Kind::Typo), (2, 10, Kind::PrivacyMobile)];
        assert_eq!(kinds("a.txt", text.as_bytes()), expected);
        assert_eq!(kinds("-", &encoding_rs_gbk(text)), expected);
        let html = "<!DOCTYPE html><title>x</title><p>甲<p>这是关<b>健</b>环节";
        assert_eq!(kinds("-", html.as_bytes()), [(1, 41, Kind::Typo)]);
        let html = "<title>关健环节</title>\n<meta name=keywords content='关健环节'>\n<p>这是关<b>健</b>环节";
        let scan = scan_plain("a.html", html.as_bytes(), &matcher(), None);
        let places: Vec<_> = scan.findings.iter().map(|one| (one.line, one.column)).collect();
        assert_eq!(places, [(1, 8), (2, 30), (3, 6)]);
        let written = scan.findings.iter().filter_map(|one| html.get(one.bytes.clone()?));
        assert_eq!(written.collect::<Vec<_>>(), ["关健", "关健", "关<b>健"]);
    }

    #[test]
    fn a_model_finds_typos_that_no_dictionary_knows() {
        let (matcher, model) = (matcher(), Model::shipped());
        let text = "人民法院应当依法审里民事案件。\n当事人有权委托代理人。\n";
        let typos = |model| {
            let scan = scan_plain("a.txt", text.as_bytes(), &matcher, model);
            let suspects =
                scan.findings.into_iter().filter(|one| one.dictionary.as_deref() == Some("statistics"));
            suspects.map(|one| (one.line, one.what, one.correction)).collect::<Vec<_>>()
        };
        assert_eq!(typos(None), []);
        let found = typos(Some(&model));
        assert!(found.iter().any(|(line, what, _)| *line == 1 && what.contains('里')), "{found:?}");
        assert!(found.iter().all(|(line, ..)| *line == 1), "{found:?}");
    }

    fn encoding_rs_gbk(text: &str) -> Vec<u8> {
        encoding_rs::GBK.encode(text).0.into_owned()
    }

    #[test]
    fn a_file_full_of_faults_is_cut_and_says_so() {
        let scan = scan_plain("a.txt", "百家乐，关健环节\n".repeat(60_000).as_bytes(), &matcher(), None);
        assert!(scan.findings.len() <= PLAIN_FINDINGS_MAX + 1);
        assert_eq!(scan.problems, [Problem::TooMany("findings in one file".to_owned())]);
        let scan = scan_plain("a.txt", "百家乐".repeat(1_000_000).as_bytes(), &matcher(), None);
        assert_eq!(scan.findings.len(), PLAIN_FINDINGS_MAX);
        assert_eq!(scan.problems, [Problem::TooMany("findings in one file".to_owned())]);
    }

    #[test]
    fn what_is_no_text_is_not_read_as_text() {
        let picture = [&b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR"[..], "关健环节，2%%%".as_bytes()].concat();
        let scan = scan_plain("a.png", &picture, &matcher(), None);
        assert!(scan.no_text && scan.findings.is_empty() && scan.problems.is_empty(), "{scan:?}");
        let wide: Vec<u8> = "\u{FEFF}这是关健环节".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(kinds("a.txt", &wide), [(1, 3, Kind::Typo)]);
        assert_eq!(kinds("a.txt", "BMW，MZ，关健环节".as_bytes()), [(1, 8, Kind::Typo)]);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let scan = scan_plain("a.docx", b"PK\x03\x04 broken", &matcher(), None);
        assert!(matches!(scan.problems[..], [Problem::Unreadable(_)]), "{:?}", scan.problems);
        let scan = scan_plain("a.pdf", b"%PDF-1.7 broken", &matcher(), None);
        assert!(matches!(scan.problems[..], [Problem::Unreadable(_)]), "{:?}", scan.problems);
    }
}
