//! Endless addresses: what shapes they have, and whether they still show anything new.
//!
//! Nothing here knows a language or what a date in a path means: `/2023/12/01/t1_2.html` is how
//! ordinary articles are named. A shape is cut only when its pages repeat each other.

use std::collections::{HashMap, VecDeque};

use xunjian_model::{BodyHash, Facts, PageUrl};

/// Pages in a row that showed nothing new, after which a shape is cut.
pub(crate) const REPEATS_MAX: u32 = 100;
/// Pages of one shape, whatever they show.
const SHAPE_PAGES_MAX: u32 = 100_000;
/// Texts of a shape that later pages are compared with.
const TEXTS_HELD: usize = 64;
/// Of a shape with many pages every so many is compared closely, until one repeats another.
const SAMPLE: u32 = 16;
/// Bits in which two near-duplicates may differ, of 64.
const NEAR_BITS: u32 = 3;
/// Shapes watched in one site; the oldest are let go.
const SHAPES_HELD: usize = 4_096;
/// Times a folder may stand in one path.
const SAME_SEGMENT_MAX: usize = 3;
/// Folders in a path.
const SEGMENTS_MAX: usize = 25;
/// Parameters in a query.
const PARAMETERS_MAX: usize = 20;
/// Digits and letters from which a segment counts as an identifier.
const IDENTIFIER_BYTES: usize = 12;

/// An address without what numbers and identifiers in it say: `/N/N/tN_N.html?page=N`.
pub fn shape(url: &PageUrl) -> String {
    let mut shape = String::with_capacity(url.path().len());
    shape.push_str(url.host());
    for segment in url.path().split('/').skip(1) {
        shape.push('/');
        generalise(segment, &mut shape);
    }
    if let Some(query) = url.as_url().query() {
        let mut pairs: Vec<String> = query
            .split('&')
            .map(|pair| {
                let mut out = xunjian_model::canonical::parameter(pair).to_owned();
                out.push('=');
                generalise(&pair[(out.len()).min(pair.len())..], &mut out);
                out
            })
            .collect();
        pairs.sort();
        pairs.dedup();
        shape.push('?');
        shape.push_str(&pairs.join("&"));
    }
    shape
}

fn generalise(text: &str, out: &mut String) {
    let letters = text.bytes().filter(u8::is_ascii_alphanumeric).count();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if letters >= IDENTIFIER_BYTES && digits * 4 >= letters && digits < letters && !text.contains('.') {
        out.push('H');
        return;
    }
    let mut in_number = false;
    for character in text.chars() {
        let digit = character.is_ascii_digit();
        if !digit {
            out.push(character);
        } else if !in_number {
            out.push('N');
        }
        in_number = digit;
    }
}

/// Whether an address can only come from links that go round in circles.
pub(crate) fn is_endless(url: &PageUrl) -> bool {
    let segments: Vec<&str> = url.path().split('/').filter(|segment| !segment.is_empty()).collect();
    let folders = &segments[..segments.len().saturating_sub(1)];
    let repeated = |segment: &&str| {
        // A number may well stand in a path several times.
        segment.bytes().any(|byte| !byte.is_ascii_digit())
            && folders.iter().filter(|other| *other == segment).count() > SAME_SEGMENT_MAX
    };
    segments.len() > SEGMENTS_MAX
        || folders.iter().any(repeated)
        || url.as_url().query().is_some_and(|query| query.split('&').count() > PARAMETERS_MAX)
}

/// Whether an address is a page's copy in traditional characters, which a gateway makes of every page:
/// `/gate/big5/www.a.gov.cn/x.html`. The copy of the home page tells whether the gateway works.
pub(crate) fn is_converted(url: &PageUrl) -> bool {
    let copied = url.path().strip_prefix("/gate/big5/").or_else(|| url.path().strip_prefix("/gate/gb/"));
    copied.and_then(|copied| copied.split_once('/')).is_some_and(|(_, path)| !path.is_empty())
}

/// The shapes of one site.
#[derive(Default)]
pub(crate) struct Shapes {
    shapes: HashMap<String, Shape>,
    order: VecDeque<String>,
}

#[derive(Default)]
struct Shape {
    pages: u32,
    /// Pages in a row that repeated earlier ones.
    repeats: u32,
    texts: VecDeque<BodyHash>,
    near: VecDeque<u64>,
}

impl Shapes {
    /// Takes note of a new page; the shape, when it is to be cut now.
    pub(crate) fn add(&mut self, url: &PageUrl, facts: &Facts, text: BodyHash) -> Option<String> {
        let shape = shape(url);
        if !self.shapes.contains_key(&shape) {
            if self.order.len() >= SHAPES_HELD
                && let Some(oldest) = self.order.pop_front()
            {
                self.shapes.remove(&oldest);
            }
            self.order.push_back(shape.clone());
        }
        let known = self.shapes.entry(shape.clone()).or_default();
        known.pages += 1;
        // Near-duplicates cost more to see, so of ordinary addresses only a sample is looked at.
        let sampled = known.pages > REPEATS_MAX && known.pages.is_multiple_of(SAMPLE);
        let watched = url.as_url().query().is_some() || known.repeats > 0 || sampled;
        let near = watched.then(|| simhash(facts));
        let repeats = known.texts.contains(&text)
            || near
                .is_some_and(|near| known.near.iter().any(|other| (near ^ other).count_ones() <= NEAR_BITS));
        known.repeats = if repeats { known.repeats + 1 } else { 0 };
        remember(&mut known.texts, text);
        if let Some(near) = near {
            remember(&mut known.near, near);
        }
        let cut = known.repeats >= REPEATS_MAX || known.pages >= SHAPE_PAGES_MAX;
        cut.then_some(shape)
    }
}

fn remember<T>(list: &mut VecDeque<T>, one: T) {
    if list.len() >= TEXTS_HELD {
        list.pop_front();
    }
    list.push_back(one);
}

/// 64 bits that are nearly the same for nearly the same text (Charikar's simhash over pairs of
/// characters, digits left out).
pub(crate) fn simhash(facts: &Facts) -> u64 {
    let mut sums = [0_i32; 64];
    let mut before = '\0';
    let texts = std::iter::once(&facts.title).chain(facts.blocks.iter().map(|block| &block.text));
    for character in texts.flat_map(|text| text.chars()).filter(|c| !c.is_ascii_digit() && !c.is_whitespace())
    {
        // A multiplication and a shift spread the pair over all bits (splitmix64's finish).
        let mut bits = (u64::from(before) << 32 | u64::from(character)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits ^= bits >> 27;
        for (at, sum) in sums.iter_mut().enumerate() {
            *sum += if bits >> at & 1 == 1 { 1 } else { -1 };
        }
        before = character;
    }
    sums.iter().enumerate().fold(0, |hash, (at, sum)| hash | u64::from(*sum > 0) << at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block_page::text_hash;
    use xunjian_model::Block;

    fn url(text: &str) -> PageUrl {
        PageUrl::parse(text).expect(text)
    }

    fn page(title: &str, text: &str) -> Facts {
        let block = Block { text: text.to_owned(), ..Block::default() };
        Facts { title: title.to_owned(), blocks: vec![block], ..Facts::default() }
    }

    #[test]
    fn shapes_of_the_field() {
        let table = [
            ("http://a.cn/art/2023/12/1/art_12_345.html", "a.cn/art/N/N/N/art_N_N.html"),
            ("http://a.cn/list.do?page=7&id=3", "a.cn/list.do?id=N&page=N"),
            ("http://a.cn/s/8f14e45fceea167a5a36dedd4bea2543/x", "a.cn/s/H/x"),
            ("http://a.cn/col/col1234/index.html", "a.cn/col/colN/index.html"),
        ];
        for (text, wanted) in table {
            assert_eq!(shape(&url(text)), wanted);
        }
    }

    #[test]
    fn circles_are_seen_and_dates_are_none() {
        for endless in [
            "http://a.cn/a/b/a/b/a/b/a/b/x.html",
            &format!("http://a.cn/{}", "a1/".repeat(30)),
            &format!("http://a.cn/x?{}", "p=1&".repeat(30)),
        ] {
            assert!(is_endless(&url(endless)), "{endless}");
        }
        for ordinary in [
            "http://a.cn/2023/12/12/12/12/t20231212_12.html",
            "http://a.cn/zwgk/zwgk/zwgk/1.html",
            "http://a.cn/a/b/c/d/e/f.html?x=1&y=2",
        ] {
            assert!(!is_endless(&url(ordinary)), "{ordinary}");
        }
    }

    #[test]
    fn copies_in_other_characters() {
        for (path, copy) in [
            ("/gate/big5/www.a.cn/1/2.html", true),
            ("/gate/big5/www.a.cn/", false),
            ("/gate/big5/www.a.cn", false),
            ("/gate/1.html", false),
            ("/zwgk/gate/big5/a/b", false),
        ] {
            assert_eq!(is_converted(&url(&format!("http://big5.a.cn{path}"))), copy, "{path}");
        }
    }

    #[test]
    fn a_calendar_is_cut_and_articles_never_are() {
        let mut shapes = Shapes::default();
        let mut cut = None;
        let mut pages = 0;
        while cut.is_none() && pages < 1_000 {
            pages += 1;
            let calendar = page(&format!("{pages}月"), "日 一 二 三 四 五 六 1 2 3 4 5 没有活动");
            cut = shapes.add(
                &url(&format!("http://a.cn/calendar?month={pages}")),
                &calendar,
                text_hash(&calendar),
            );
        }
        assert_eq!((cut.as_deref(), pages), (Some("a.cn/calendar?month=N"), REPEATS_MAX + 1));
        let mut rng = fastrand::Rng::with_seed(7);
        for at in 0..2_000 {
            // Short articles that share most of their template.
            let text: String =
                (0..60).map(|_| char::from_u32(rng.u32(0x4E00..0x8000)).unwrap_or('一')).collect();
            let article = page(&format!("通知{at}"), &format!("您的位置：首页 通知公告 {text}"));
            assert_eq!(
                shapes.add(&url(&format!("http://a.cn/2023/12/1/t{at}.html")), &article, text_hash(&article)),
                None,
                "{at}"
            );
        }
    }

    #[test]
    fn near_duplicates_are_near_and_others_far() {
        let text: String = (0x4E00..0x4E00 + 400).filter_map(char::from_u32).collect();
        let other: String = (0x6000..0x6000 + 400).filter_map(char::from_u32).collect();
        let base = simhash(&page("页", &text));
        assert!((base ^ simhash(&page("页", &format!("{text}又")))).count_ones() <= NEAR_BITS);
        assert!((base ^ simhash(&page("页", &other))).count_ones() > 12);
    }
}
