//! Where a text of a page stands in the bytes it was read from.

use std::ops::Range;

use encoding_rs::Encoding;
use xunjian_model::{PageUrl, Problem};

use crate::{Limits, builder, charset};

/// A piece of a block's text, and where it is written.
struct Piece {
    /// First byte in the block's text.
    at: usize,
    /// In the decoded page.
    written: Range<usize>,
}

/// Follows where the texts of blocks are written, while they are put together.
pub(crate) struct Trace {
    /// Address of the decoded page in memory: texts are parts of it.
    page: Range<usize>,
    pieces: Vec<Piece>,
    /// Bytes of all blocks before the current one, one more for each.
    base: usize,
    wanted: Vec<Range<usize>>,
    found: Vec<Option<Range<usize>>>,
}

impl Trace {
    pub(crate) fn new(page: &str, wanted: Vec<Range<usize>>) -> Self {
        let found = vec![None; wanted.len()];
        Self { page: address(page), pieces: Vec::new(), base: 0, wanted, found }
    }

    pub(crate) fn found(self) -> Vec<Option<Range<usize>>> {
        self.found
    }

    /// The text of a block from `at` on came from a part of `text`, which is one of the page.
    pub(crate) fn add(&mut self, at: usize, text: &str, part: Range<usize>) {
        let text = address(text);
        // Texts of scripts' data are written in no place of their own.
        if self.page.start <= text.start && text.end <= self.page.end {
            let start = text.start - self.page.start;
            self.pieces.push(Piece { at, written: start + part.start..start + part.end });
        }
    }

    /// A block is complete, or what was gathered is no block.
    pub(crate) fn end(&mut self, block: Option<&str>) {
        let pieces = std::mem::take(&mut self.pieces);
        let Some(text) = block else { return };
        let own = self.base..self.base + text.len();
        self.base = own.end + 1;
        for (wanted, found) in self.wanted.iter().zip(&mut self.found) {
            if !(own.contains(&wanted.start) && wanted.end <= own.end) {
                continue;
            }
            let over = |at: usize| pieces.iter().rev().find(|piece| piece.at <= at);
            let first = over(wanted.start - own.start);
            let last = over((wanted.end - own.start).saturating_sub(1));
            *found = first.zip(last).map(|(first, last)| first.written.start..last.written.end);
        }
    }
}

fn address(text: &str) -> Range<usize> {
    let start = text.as_ptr() as usize;
    start..start + text.len()
}

/// Where texts of a page's blocks are written, as bytes of its body.
///
/// `wanted` counts bytes of the blocks' texts one after the other, with one byte between two; `None`
/// for what is not written in one place, or in a body that cannot be read without loss.
pub fn source_of(
    body: &[u8],
    content_type: Option<&str>,
    base: &PageUrl,
    limits: Limits,
    wanted: Vec<Range<usize>>,
) -> Vec<Option<Range<usize>>> {
    let none = vec![None; wanted.len()];
    let decoded = charset::decode(body, content_type);
    let lossy = decoded.problems.iter().any(|problem| matches!(problem, Problem::BrokenText(_)));
    let Some(encoding) = Encoding::for_label(decoded.charset.name.as_bytes()).filter(|_| !lossy) else {
        return none;
    };
    let mark = Encoding::for_bom(body).map_or(0, |(_, bytes)| bytes);
    let bytes_before = |at: usize| mark + encoding.encode(&decoded.text[..at]).0.len();
    builder::trace(&decoded.text, base, limits, wanted)
        .into_iter()
        .map(|written| {
            let written = written?;
            let bytes = bytes_before(written.start)..bytes_before(written.end);
            let same = encoding.decode_without_bom_handling(body.get(bytes.clone())?).0;
            (*same == decoded.text[written]).then_some(bytes)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in the body at each hit of a word in the blocks' texts.
    fn written(body: &[u8], content_type: &str, word: &str) -> Vec<Option<Vec<u8>>> {
        let base = PageUrl::parse("http://a.gov.cn/").expect("base");
        let facts = crate::extract(body, Some(content_type), &base, Limits::default());
        let mut wanted = Vec::new();
        let mut before = 0;
        for block in &facts.blocks {
            wanted
                .extend(block.text.match_indices(word).map(|(at, _)| before + at..before + at + word.len()));
            before += block.text.len() + 1;
        }
        assert!(!wanted.is_empty(), "{facts:?}");
        let found = source_of(body, Some(content_type), &base, Limits::default(), wanted);
        found.into_iter().map(|bytes| Some(body[bytes?].to_vec())).collect()
    }

    #[test]
    fn a_hit_is_found_where_it_is_written() {
        let table = [
            ("<p>有错字在此</p>", "错字", "错字"),
            ("<p>甲</p><p>  有 &nbsp; 错<b>字</b>", "错字", "错<b>字"),
            ("<ul><li>甲<li>乙&#38169;字", "错字", "&#38169;字"),
            ("<p>错<!-- x -->字", "错字", "错<!-- x -->字"),
            ("<title>错字</title><div>前<br>后错字后</div>", "错字", "错字"),
        ];
        for (page, word, wanted) in table {
            let found = written(page.as_bytes(), "text/html; charset=utf-8", word);
            assert_eq!(found, [Some(wanted.as_bytes().to_vec())], "{page}");
            let gbk = encoding_rs::GBK.encode(page).0.into_owned();
            let found = written(&gbk, "text/html; charset=gbk", word);
            assert_eq!(found, [Some(encoding_rs::GBK.encode(wanted).0.into_owned())], "{page}");
            let marked = [b"\xEF\xBB\xBF", page.as_bytes()].concat();
            assert_eq!(written(&marked, "text/html", word), [Some(wanted.as_bytes().to_vec())], "{page}");
        }
    }

    #[test]
    fn what_is_written_in_no_one_place_has_none() {
        let page = r#"<script>var list = [{"title":"有错字的","url":"/a"}]</script>"#;
        assert_eq!(written(page.as_bytes(), "text/html; charset=utf-8", "错字"), [None]);
        let broken = ["<p>错字".as_bytes(), b"\xFF\xFE</p>"].concat();
        assert_eq!(written(&broken, "text/html; charset=utf-8", "错字"), [None]);
    }
}
