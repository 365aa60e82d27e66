//! Pages and documents: any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xunjian_model::PageUrl;

fuzz_target!(|input: (&[u8], u8)| {
    let (bytes, kind) = input;
    let name = ["index.html", "a.pdf", "a.docx", "a.xlsx", "a.ofd", "a.txt"][usize::from(kind) % 6];
    let url = PageUrl::parse(&format!("http://a.gov.cn/{name}")).expect("an address");
    let facts = xunjian_page::extract_any(bytes, None, &url, xunjian_page::Limits::default());
    for link in &facts.links {
        let _ = facts.link_text(link);
        assert!(PageUrl::parse(&link.url).is_ok());
    }
});
