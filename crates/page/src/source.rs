//! Where a text of a page stands in the bytes it was read from.

use std::ops::Range;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use xunjian_model::{PageUrl, Problem};

use crate::charset::{self, Decoded};
use crate::{Limits, builder, references};

/// A piece of a block's text, and where it is written.
struct Piece {
    /// First byte in the block's text.
    at: usize,
    /// In the decoded page.
    written: Range<usize>,
    /// It is written as it is in the text, byte for byte; else it is one character.
    plain: bool,
}

/// A part of a page's texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextPart {
    /// Bytes of the blocks' texts one after the other, with one byte between two.
    Blocks(Range<usize>),
    /// Bytes of the title.
    Title(Range<usize>),
    /// The number of a label, and bytes of its content.
    Label(usize, Range<usize>),
}

/// Where each character of a text, by its first byte, is written.
pub(crate) type Places = Vec<(usize, Range<usize>)>;

/// Follows where texts are written, while they are put together.
pub(crate) struct Trace {
    /// Address of the decoded page in memory: texts are parts of it.
    page: Range<usize>,
    /// Texts that are written in the page in another way: their addresses in memory.
    copies: Vec<(Range<usize>, Places)>,
    pieces: Vec<Piece>,
    /// Bytes of all blocks before the current one, one more for each.
    base: usize,
    wanted: Vec<TextPart>,
    /// Which of them are of blocks, the last one on the page first.
    of_blocks: Vec<usize>,
    found: Vec<Option<Range<usize>>>,
}

impl Trace {
    pub(crate) fn new(page: &str, wanted: Vec<TextPart>) -> Self {
        let found = vec![None; wanted.len()];
        let start = |at: &usize| match &wanted[*at] {
            TextPart::Blocks(part) => Some(part.start),
            _ => None,
        };
        let mut of_blocks: Vec<usize> = (0..wanted.len()).filter(|at| start(at).is_some()).collect();
        of_blocks.sort_by_key(|at| std::cmp::Reverse(start(at)));
        Self {
            page: address(page),
            copies: Vec::new(),
            pieces: Vec::new(),
            base: 0,
            wanted,
            of_blocks,
            found,
        }
    }

    /// A text that stands for one of the page, and where its characters are written in that.
    pub(crate) fn add_copy(&mut self, copy: &str, (written, mut places): (&str, Places)) {
        let start = address(written).start - self.page.start;
        for (_, place) in &mut places {
            *place = start + place.start..start + place.end;
        }
        self.copies.push((address(copy), places));
    }

    pub(crate) fn found(self) -> Vec<Option<Range<usize>>> {
        self.found
    }

    /// The text of a block from `at` on came from a part of `text`, which is one of the page.
    pub(crate) fn add(&mut self, at: usize, text: &str, part: Range<usize>) {
        self.add_piece(at, text, part, false);
    }

    /// The same for a run that is written as it is in the block's text.
    pub(crate) fn add_run(&mut self, at: usize, text: &str, part: Range<usize>) {
        self.add_piece(at, text, part, true);
    }

    fn add_piece(&mut self, at: usize, text: &str, part: Range<usize>, plain: bool) {
        let text = address(text);
        // Texts of scripts' data are written in no place of their own.
        if self.page.start <= text.start && text.end <= self.page.end {
            let start = text.start - self.page.start;
            self.pieces.push(Piece { at, written: start + part.start..start + part.end, plain });
            return;
        }
        let is_of = |(copy, _): &&(Range<usize>, _)| copy.start <= text.start && text.end <= copy.end;
        let Some((copy, places)) = self.copies.iter().find(is_of) else { return };
        let (from, to) = (text.start - copy.start + part.start, text.start - copy.start + part.end);
        let characters =
            &places[places.partition_point(|(at, _)| *at < from)..places.partition_point(|(at, _)| *at < to)];
        match (plain, characters) {
            (true, _) => self.pieces.extend(characters.iter().map(|(byte, written)| Piece {
                at: at + byte - from,
                written: written.clone(),
                plain: false,
            })),
            // A reference, for example.
            (false, [(_, first), .., (_, last)]) => {
                self.pieces.push(Piece { at, written: first.start..last.end, plain })
            }
            (false, [(_, one)]) => self.pieces.push(Piece { at, written: one.clone(), plain }),
            (false, []) => {}
        }
    }

    /// The title, and what is written for it.
    pub(crate) fn title(&mut self, title: &str, written: &str) {
        self.head(title, written, false, |wanted| match wanted {
            TextPart::Title(part) => Some(part),
            _ => None,
        });
    }

    /// A label's content, and what is written for it.
    pub(crate) fn label(&mut self, number: usize, content: &str, written: &str) {
        self.head(content, written, true, |wanted| match wanted {
            TextPart::Label(label, part) if *label == number => Some(part),
            _ => None,
        });
    }

    fn head(
        &mut self,
        text: &str,
        written: &str,
        attribute: bool,
        part: impl Fn(&TextPart) -> Option<&Range<usize>>,
    ) {
        // What a script is handed has no title of its own.
        let Some(start) = address(written).start.checked_sub(self.page.start) else { return };
        if start > self.page.len() {
            return;
        }
        for (wanted, found) in self.wanted.iter().zip(&mut self.found) {
            if let Some(part) = part(wanted) {
                let at = written_in(written, attribute, text, part);
                *found = at.map(|at| start + at.start..start + at.end);
            }
        }
    }

    /// A block is complete, or what was gathered is no block.
    pub(crate) fn end(&mut self, block: Option<&str>) {
        let pieces = std::mem::take(&mut self.pieces);
        let Some(text) = block else { return };
        let own = self.base..self.base + text.len();
        self.base = own.end + 1;
        while let Some(at) = self.of_blocks.last().copied() {
            let TextPart::Blocks(wanted) = &self.wanted[at] else { break };
            if wanted.start >= own.end {
                break;
            }
            self.of_blocks.pop();
            if wanted.start < own.start || wanted.end > own.end {
                continue;
            }
            let part = wanted.start - own.start..wanted.end - own.start;
            if !text.is_char_boundary(part.start) || !text.is_char_boundary(part.end) {
                continue;
            }
            // The character at `at` of the block, which is one of its own or part of a run.
            let over = |at: usize| {
                let piece = pieces[..pieces.partition_point(|piece| piece.at <= at)].last()?;
                let start = piece.written.start + if piece.plain { at - piece.at } else { 0 };
                Some((start, piece))
            };
            let last = text[..part.end].chars().next_back().map_or(0, char::len_utf8);
            let first = over(part.start);
            let last = over(part.end - last).map(|(start, piece)| match piece.plain {
                true => start + last,
                false => piece.written.end,
            });
            self.found[at] = first.zip(last).map(|((start, _), end)| start..end);
        }
    }
}

fn address(text: &str) -> Range<usize> {
    let start = text.as_ptr() as usize;
    start..start + text.len()
}

/// Where a part of a text is written in what the text was made of: all of it but white space is there in
/// the same order.
fn written_in(written: &str, attribute: bool, text: &str, part: &Range<usize>) -> Option<Range<usize>> {
    let solid = |character: &char| !character.is_whitespace();
    let before = text.get(..part.start)?.chars().filter(solid).count();
    let wanted: Vec<char> = text.get(part.clone())?.chars().filter(solid).collect();
    let mut places = Vec::new();
    references::pieces(written, attribute, |piece, at| match piece {
        references::Piece::Text(text) => {
            let each = text
                .char_indices()
                .map(|(from, one)| (one, at.start + from..at.start + from + one.len_utf8()));
            places.extend(each.filter(|(one, _)| solid(one)));
        }
        references::Piece::Characters(first, second) => {
            places.extend(std::iter::once(first).chain(second).filter(solid).map(|one| (one, at.clone())));
        }
    });
    let places = places.get(before..before + wanted.len())?;
    let same = places.iter().map(|(one, _)| one).eq(&wanted);
    let (first, last) = (places.first()?, places.last()?);
    same.then_some(first.1.start..last.1.end)
}

/// Where a text is written in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its bytes; nothing in a body that cannot be read without loss.
    pub bytes: Option<Range<usize>>,
    /// Line of the decoded body, from 1.
    pub line: usize,
    /// Characters before it in its line, plus one.
    pub column: usize,
}

/// Where parts of a page's texts are written in its body; `None` for what is not written in one place.
pub fn source_of(
    body: &[u8],
    content_type: Option<&str>,
    base: &PageUrl,
    limits: Limits,
    wanted: Vec<TextPart>,
) -> Vec<Option<Written>> {
    let decoded = charset::decode(body, content_type);
    let parts = builder::trace(&decoded.text, base, limits, wanted);
    written(body, &decoded, &parts)
}

/// Where parts of a decoded body are written in it.
pub fn written(body: &[u8], decoded: &Decoded, parts: &[Option<Range<usize>>]) -> Vec<Option<Written>> {
    let lossy = decoded.problems.iter().any(|problem| matches!(problem, Problem::BrokenText(_)));
    let encoding = Encoding::for_label(decoded.charset.name.as_bytes()).filter(|_| !lossy);
    let mut ends: Vec<usize> = parts.iter().flatten().flat_map(|part| [part.start, part.end]).collect();
    ends.sort_unstable();
    ends.dedup();
    let mut bytes = Encoding::for_bom(body).map_or(0, |(_, bytes)| bytes);
    let (mut at, mut line, mut column) = (0, 1, 1);
    // Each end with the bytes before it, its line and its column.
    let mut known = Vec::with_capacity(ends.len());
    for end in ends {
        let between = &decoded.text[at..end];
        bytes += encoding.map_or(0, |encoding| bytes_in(encoding, between));
        line += memchr::memchr_iter(b'\n', between.as_bytes()).count();
        column = match between.rsplit_once('\n') {
            Some((_, last)) => last.chars().count() + 1,
            None => column + between.chars().count(),
        };
        at = end;
        known.push((end, bytes, line, column));
    }
    let look_up = |end: usize| Some(known[known.binary_search_by_key(&end, |known| known.0).ok()?]);
    let place = |part: &Range<usize>| {
        let ((_, start, line, column), (_, end, ..)) = (look_up(part.start)?, look_up(part.end)?);
        let same = |encoding: &'static Encoding| {
            let read = encoding.decode_without_bom_handling(body.get(start..end)?).0;
            (*read == decoded.text[part.clone()]).then_some(start..end)
        };
        Some(Written { bytes: encoding.and_then(same), line, column })
    };
    parts.iter().map(|part| part.as_ref().and_then(place)).collect()
}

/// Bytes of a text in an encoding.
fn bytes_in(encoding: &'static Encoding, text: &str) -> usize {
    match encoding {
        _ if encoding == UTF_8 => text.len(),
        // The encoder of the standard writes UTF-8 instead.
        _ if encoding == UTF_16LE || encoding == UTF_16BE => text.encode_utf16().count() * 2,
        _ => encoding.encode(text).0.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in the body at each hit of a word in the page's texts: title, labels, blocks.
    fn in_body(body: &[u8], content_type: &str, word: &str) -> Vec<Option<Vec<u8>>> {
        let base = PageUrl::parse("http://a.gov.cn/").expect("base");
        let facts = crate::extract(body, Some(content_type), &base, Limits::default());
        let hits = |text: &str| -> Vec<Range<usize>> {
            text.match_indices(word).map(|(at, _)| at..at + word.len()).collect()
        };
        let mut wanted: Vec<TextPart> = hits(&facts.title).into_iter().map(TextPart::Title).collect();
        for (number, label) in facts.labels.iter().enumerate() {
            wanted.extend(hits(&label.content).into_iter().map(|part| TextPart::Label(number, part)));
        }
        let mut before = 0;
        for block in &facts.blocks {
            let own = hits(&block.text).into_iter();
            wanted.extend(own.map(|part| TextPart::Blocks(before + part.start..before + part.end)));
            before += block.text.len() + 1;
        }
        assert!(!wanted.is_empty(), "{facts:?}");
        let found = source_of(body, Some(content_type), &base, Limits::default(), wanted);
        found.into_iter().map(|written| Some(body[written?.bytes?].to_vec())).collect()
    }

    #[test]
    fn a_hit_is_found_where_it_is_written() {
        let table = [
            ("<p>有错字在此</p>", "错字", "错字"),
            ("<p>甲</p><p>  有 &nbsp; 错<b>字</b>", "错字", "错<b>字"),
            ("<ul><li>甲<li>乙&#38169;字", "错字", "&#38169;字"),
            ("<p>错<!-- x -->字", "错字", "错<!-- x -->字"),
            ("<div>前<br>后错字后</div>", "错字", "错字"),
            ("<title> 有\n 错&#x5B57;的页 </title>", "错字", "错&#x5B57;"),
            ("<title>甲&nbsp;错 字</title><title>错 字</title>", "错 字", "错 字"),
            ("<meta name=a content=错><meta name=keywords content=' 甲,错字&amp;乙'>", "错字&", "错字&amp;"),
            (r#"<script>var list = [{"title":"有错字的","url":"/a"}]</script>"#, "错字", "错字"),
            (
                r#"<script>[{"title":" \u6709\u9519字 \"的\"\ud83d\ude00","url":"/a"}]</script>"#,
                "错字 \"",
                r#"\u9519字 \""#,
            ),
            (r#"<script>[{"title":"甲\ud83d\ude00乙","url":"/a"}]</script>"#, "😀", r"\ud83d\ude00"),
            (r#"<script>"<datastore><![CDATA[<a href=/x>有错字的</a>]]>"</script>"#, "错字", "错字"),
            (
                r#"{"a":[],"data":{"html":"<p class=\"x\">有\u9519<b>字<\/b>的\n错&#23383;"}}"#,
                "错字",
                r"\u9519<b>字|错&#23383;",
            ),
            (r#"cb({"r":"<datastore><![CDATA[<a title=\"甲\">有错字的</a>]]>"})"#, "错字", "错字"),
        ];
        for (page, word, wanted) in table {
            let wanted = |bytes: &dyn Fn(&str) -> Vec<u8>| {
                wanted.split('|').map(|part| Some(bytes(part))).collect::<Vec<_>>()
            };
            let plain = |text: &str| text.as_bytes().to_vec();
            let found = in_body(page.as_bytes(), "text/html; charset=utf-8", word);
            assert_eq!(found, wanted(&plain), "{page}");
            let gbk = |text: &str| encoding_rs::GBK.encode(text).0.into_owned();
            assert_eq!(in_body(&gbk(page), "text/html; charset=gbk", word), wanted(&gbk), "{page}");
            let marked = [b"\xEF\xBB\xBF", page.as_bytes()].concat();
            assert_eq!(in_body(&marked, "text/html", word), wanted(&plain), "{page}");
            let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
            let marked = [b"\xFF\xFE".to_vec(), wide(page)].concat();
            assert_eq!(in_body(&marked, "text/html", word), wanted(&wide), "{page}");
        }
    }

    #[test]
    fn a_body_that_is_no_text_has_no_places() {
        let broken = ["<p>错字".as_bytes(), b"\xFF\xFE</p>"].concat();
        assert_eq!(in_body(&broken, "text/html; charset=utf-8", "错字"), [None]);
    }

    #[test]
    fn lines_and_columns_are_those_of_the_source() {
        let page = "<title>错字</title>\r\n<p>甲\n  乙错\n<b>字</b>错字".as_bytes();
        let page = [page, b"\xFF"].concat();
        let base = PageUrl::parse("http://a.gov.cn/").expect("base");
        let part = |start: usize| TextPart::Blocks(start..start + 6);
        let text = "甲 乙错 字错字";
        let facts = crate::extract(&page, Some("text/html; charset=utf-8"), &base, Limits::default());
        assert!(facts.blocks[0].text.starts_with(text), "{facts:?}");
        let last = text.rfind("错字").expect("there");
        let wanted = vec![part(last), TextPart::Title(0..6), part(900)];
        let found = source_of(&page, Some("text/html; charset=utf-8"), &base, Limits::default(), wanted);
        let places: Vec<_> = found.iter().map(|one| one.as_ref().map(|one| (one.line, one.column))).collect();
        assert_eq!(places, [Some((4, 9)), Some((1, 8)), None]);
    }
}
