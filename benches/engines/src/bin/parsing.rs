//! Reading pages: ours beside html5ever's tree and tokenizer and lol_html, in one run and thread.
//!
//! `parsing FILE...`: HTML files. Ours decodes, and gives links, blocks of text, labels, dates and
//! list rows; the others give links and text alone.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::time::{Duration, Instant};

use html5ever::tendril::TendrilSink as _;
use html5ever::tokenizer::{
    BufferQueue, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use lol_html::{HtmlRewriter, Settings, element, text};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use xunjian_dict::{Matcher, Place, Scratch, shipped};
use xunjian_model::PageUrl;
use xunjian_page::{Limits, extract};

const ROUNDS: usize = 5;

/// Links and bytes of text of a page.
type Counts = (usize, usize);

fn main() {
    let pages: Vec<String> = std::env::args()
        .skip(1)
        .filter_map(|file| String::from_utf8(std::fs::read(file).ok()?).ok())
        .collect();
    let bytes: usize = pages.iter().map(String::len).sum();
    println!("{} pages, {:.1} MB\n", pages.len(), bytes as f64 / 1e6);
    println!("| engine | MB/s | links | MB of text |");
    println!("|---|--:|--:|--:|");
    let show = |name: &str, run: &dyn Fn(&str) -> Counts| {
        let mut best = Duration::MAX;
        let mut counts = (0, 0);
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            counts = pages.iter().map(|page| black_box(run(page))).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            best = best.min(begun.elapsed());
        }
        let speed = bytes as f64 / 1e6 / best.as_secs_f64();
        println!("| {name} | {speed:.0} | {} | {:.1} |", counts.0, counts.1 as f64 / 1e6);
    };
    show("html5ever tree (rcdom)", &tree);
    show("html5ever tokenizer", &tokens);
    show("lol_html", &rewriter);
    let base = PageUrl::parse("http://page.invalid/").expect("an address");
    show("xunjian: decode, links, text, labels, dates, rows", &|page| {
        let facts = extract(page.as_bytes(), Some("text/html; charset=utf-8"), &base, Limits::default());
        (facts.links.len(), facts.blocks.iter().map(|block| block.text.len()).sum())
    });
    let matcher = Matcher::new(&shipped()).expect("compiles");
    let scratch = RefCell::new(Scratch::default());
    show("the same, and every shipped dictionary", &|page| {
        let facts = extract(page.as_bytes(), Some("text/html; charset=utf-8"), &base, Limits::default());
        let mut scratch = scratch.borrow_mut();
        let hits: usize = facts
            .blocks
            .iter()
            .map(|block| matcher.find(&block.text, &Place::default(), &mut scratch).len())
            .sum();
        (facts.links.len(), hits)
    });
}

fn tree(page: &str) -> Counts {
    fn walk(node: &Handle, counts: &mut Counts) {
        match &node.data {
            NodeData::Text { contents } => counts.1 += contents.borrow().len(),
            NodeData::Element { name, attrs, .. } => {
                if &*name.local == "a" && attrs.borrow().iter().any(|attr| &*attr.name.local == "href") {
                    counts.0 += 1;
                }
                if matches!(&*name.local, "script" | "style") {
                    return;
                }
            }
            _ => {}
        }
        node.children.borrow().iter().for_each(|child| walk(child, counts));
    }
    let dom = html5ever::parse_document(RcDom::default(), Default::default()).one(page);
    let mut counts = (0, 0);
    walk(&dom.document, &mut counts);
    counts
}

#[derive(Default)]
struct Sink {
    links: Cell<usize>,
    text: Cell<usize>,
}

impl TokenSink for Sink {
    type Handle = ();
    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) if &*tag.name == "a" && tag.attrs.iter().any(|attr| &*attr.name.local == "href") => {
                self.links.set(self.links.get() + 1);
            }
            Token::CharacterTokens(text) => self.text.set(self.text.get() + text.len()),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

fn tokens(page: &str) -> Counts {
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(page.into());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    (tokenizer.sink.links.get(), tokenizer.sink.text.get())
}

fn rewriter(page: &str) -> Counts {
    let (links, bytes) = (Cell::new(0), Cell::new(0));
    let settings = Settings::new()
        .append_element_content_handler(element!("a[href]", |_| {
            links.set(links.get() + 1);
            Ok(())
        }))
        .append_element_content_handler(text!("*", |chunk| {
            bytes.set(bytes.get() + chunk.as_str().len());
            Ok(())
        }));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    let _ = rewriter.write(page.as_bytes());
    let _ = rewriter.end();
    (links.get(), bytes.get())
}
