//! Pages, lists that are handed out as data, and documents: any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xunjian_model::PageUrl;
use xunjian_page::{Limits, TextPart};

const NAMES: [&str; 7] =
    ["index.html", "a.pdf", "a.docx", "a.xlsx", "a.ofd", "a.txt", "unit.jsp?startrecord=1&endrecord=9"];

fuzz_target!(|input: (&[u8], u8)| {
    let (bytes, kind) = input;
    let name = NAMES[usize::from(kind) % NAMES.len()];
    let url = PageUrl::parse(&format!("http://a.gov.cn/{name}")).expect("an address");
    let facts = xunjian_page::extract_any(bytes, None, &url, Limits::default());
    for link in &facts.links {
        let _ = facts.link_text(link);
        assert!(PageUrl::parse(&link.url).is_ok());
    }
    // Where the first and the last words are written.
    let all: usize = facts.blocks.iter().map(|block| block.text.len() + 1).sum();
    let ends = [
        facts.blocks.first().map(|block| (0, block)),
        facts.blocks.last().map(|block| (all - block.text.len() - 1, block)),
    ];
    let wanted = ends.into_iter().flatten().map(|(at, block)| TextPart::Blocks(at..at + block.text.len()));
    for written in
        xunjian_page::source_of(bytes, None, &url, Limits::default(), wanted.collect()).into_iter().flatten()
    {
        assert!(written.bytes.is_none_or(|part| part.start <= part.end && part.end <= bytes.len()));
    }
});
