//! Dates in texts and addresses: any text gives none, or one that exists.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xunjian_model::PageUrl;
use xunjian_page::{Limits, date_in_text, dates_in_url, extract, page_date};

fuzz_target!(|text: &str| {
    for date in [date_in_text(text), dates_in_url(text)].into_iter().flatten() {
        assert!((1990..=2099).contains(&date.year()));
    }
    // The same text wherever a page may tell a date.
    let quoted = text.replace(['\'', '<', '>', '&'], " ");
    let page = format!(
        "<meta name=PubDate content='{quoted}'><meta property=og:pubdate content='{quoted}'>\
         <link rel=canonical href='/{quoted}'><script>{{\"datePublished\":\"{quoted}\"}}</script>\
         <h1>x</h1><time datetime='{quoted}'>{quoted}</time><p>{quoted}"
    );
    let base = PageUrl::parse("http://a.gov.cn/").expect("an address");
    let facts = extract(page.as_bytes(), Some("text/html; charset=utf-8"), &base, Limits::default());
    let _ = page_date(&facts.dates);
});
