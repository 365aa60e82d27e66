//! Words that a person looks for in the archive.

use encoding_rs::GB18030;
use memchr::memmem::Finder;
use xunjian_dict::{Pairs, Sought};
use xunjian_model::Facts;

use crate::excerpt::around;

/// Characters of what is looked for.
pub const QUERY_CHARS_MAX: usize = 100;
/// Characters that have to stand somewhere in a page before its text is read; more tell nothing.
const PROBES_MAX: usize = 8;

/// Why nothing can be looked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum QueryError {
    /// There are no words.
    #[error("say what to look for")]
    Empty,
    /// It is no word any more.
    #[error("look for {QUERY_CHARS_MAX} characters at most")]
    Long,
}

/// Words, all of which a page has to have in its text, title or address.
#[derive(Debug)]
pub struct Query {
    /// Each with its pairs of characters.
    words: Vec<(String, Sought)>,
    /// Each of its characters, as UTF-8 and as GB18030.
    probes: Vec<(Finder<'static>, Finder<'static>)>,
}

/// A page that has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The page's title, personal numbers masked.
    pub title: String,
    /// The first place of the first word with what stands around it, masked; empty when it stands in the
    /// title or address alone.
    pub excerpt: String,
    /// Blocks of text that have one of the words.
    pub places: usize,
}

impl Query {
    /// Words between white space; ASCII letters in any case.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        if text.chars().count() > QUERY_CHARS_MAX {
            return Err(QueryError::Long);
        }
        let words: Vec<String> = text.split_whitespace().map(str::to_ascii_lowercase).collect();
        if words.is_empty() {
            return Err(QueryError::Empty);
        }
        // Letters may be written in both cases, and a page of ASCII is no test.
        let mut wide: Vec<char> = words.iter().flat_map(|word| word.chars()).collect();
        wide.retain(|letter| !letter.is_ascii());
        wide.sort_unstable();
        wide.dedup();
        wide.truncate(PROBES_MAX);
        let probe = |letter: char| {
            let text = letter.to_string();
            let (coded, _, _) = GB18030.encode(&text);
            (Finder::new(text.as_bytes()).into_owned(), Finder::new(&coded[..]).into_owned())
        };
        let paired = |word: String| {
            let sought = Sought::verbatim(&word);
            (word, sought)
        };
        let words = words.into_iter().map(paired).collect();
        Ok(Self { words, probes: wide.into_iter().map(probe).collect() })
    }

    /// Whether the page at an address, whose texts have these pairs, may have the words: false only when it
    /// lacks one for sure.
    pub fn may_be_in_texts(&self, url: &str, pairs: &Pairs) -> bool {
        let url = url.to_ascii_lowercase();
        self.words.iter().all(|(word, sought)| sought.may_be_in(pairs) || url.contains(word))
    }

    /// Whether the page at an address, made of these bytes, may have the words: false only when it lacks
    /// one for sure. Much faster than reading its text. Bytes in another charset that are GB18030 by chance are
    /// taken for it.
    pub fn may_be_in(&self, url: &[u8], body: &[u8]) -> bool {
        let is_missing = |(one, other): &(Finder<'_>, Finder<'_>)| {
            one.find(body).is_none() && other.find(body).is_none() && one.find(url).is_none()
        };
        let missing = self.probes.iter().any(is_missing);
        // Character references and other charsets can only be read.
        !missing || memchr::memmem::find(body, b"&#").is_some() || is_of_another_charset(body)
    }

    fn words(&self) -> impl Iterator<Item = &String> {
        self.words.iter().map(|(word, _)| word)
    }

    /// What a page has of them; `None` when a word is missing.
    pub fn find(&self, url: &str, facts: &Facts) -> Option<Found> {
        let (url, title) = (url.to_ascii_lowercase(), facts.title.to_ascii_lowercase());
        let mut missing: Vec<&String> =
            self.words().filter(|word| !url.contains(*word) && !title.contains(*word)).collect();
        let (mut excerpt, mut places) = (String::new(), 0);
        for block in &facts.blocks {
            let text = block.text.to_ascii_lowercase();
            let hits = self.words().filter_map(|word| Some((text.find(word.as_str())?, word)));
            let Some((start, word)) = hits.min_by_key(|(start, _)| *start) else { continue };
            if places == 0 {
                excerpt = around(&block.text, start, start + word.len());
            }
            places += 1;
            missing.retain(|word| !text.contains(word.as_str()));
        }
        let title = crate::mask_all(&facts.title);
        missing.is_empty().then_some(Found { title, excerpt, places })
    }
}

/// Whether bytes are text in neither UTF-8 nor GB18030.
fn is_of_another_charset(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_err()
        && (encoding_rs::Encoding::for_bom(body).is_some()
            || GB18030.decode_without_bom_handling_and_without_replacement(body).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use xunjian_model::PageUrl;
    use xunjian_page::{Limits, extract};

    fn found(query: &str, body: &[u8]) -> Option<Found> {
        let url = PageUrl::parse("http://www.a.gov.cn/art/1.html").expect("an address");
        let query = Query::parse(query).expect("a query");
        let found = query.find(url.as_str(), &extract(body, None, &url, Limits::default()));
        assert!(
            found.is_none() || query.may_be_in(url.as_str().as_bytes(), body),
            "what is found may be there: {found:?}"
        );
        found
    }

    #[test]
    fn pages_in_any_writing_are_found_by_all_their_words() {
        let html = "<title>乌兰县水利局</title><p>全县<b>防汛</b>工作会议召开。电话13812345678</p>";
        let gbk = GB18030.encode(html).0.into_owned();
        let references: String = html
            .chars()
            .map(|one| if one.is_ascii() { one.to_string() } else { format!("&#{};", u32::from(one)) })
            .collect();
        for body in [html.as_bytes(), &gbk, references.as_bytes()] {
            let one = found("防汛工作 水利局", body).expect("both words are there");
            assert_eq!((one.title.as_str(), one.places), ("乌兰县水利局", 1));
            assert!(one.excerpt.contains("⟦防汛工作⟧") && one.excerpt.contains("138****"), "{one:?}");
            assert_eq!(found("防汛 抗旱", body), None);
            assert!(found("ART/1.html", body).is_some(), "the address counts");
        }
        assert!(
            !Query::parse("抗旱").expect("a query").may_be_in(b"", html.as_bytes()),
            "told without reading"
        );
    }

    #[test]
    fn nothing_and_too_much_are_no_queries() {
        assert_eq!(Query::parse(" \u{3000}").err(), Some(QueryError::Empty));
        assert_eq!(Query::parse(&"字".repeat(101)).err(), Some(QueryError::Long));
    }
}
