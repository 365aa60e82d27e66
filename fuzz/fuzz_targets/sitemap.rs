//! Site maps: any bytes; addresses are never empty.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let map = xunjian_crawl::parse_sitemap(bytes, false);
    assert!(map.pages.iter().chain(&map.maps).all(|address| address.trim() == address));
    let cut = xunjian_crawl::parse_sitemap(bytes, true);
    assert_eq!(cut.problem, Some("sitemap-cut"));
});
