//! robots.txt: any bytes, any path; an answer, and the same for an empty rule more.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xunjian_crawl::Robots;

fuzz_target!(|input: (&str, &str)| {
    let (text, path) = input;
    let robots = Robots::parse(text, "xunjian");
    let allowed = robots.allows(path);
    let more = Robots::parse(&format!("{text}\nuser-agent: other\ndisallow: /x\n"), "xunjian");
    if !path.starts_with("/robots") && !text.contains(':') {
        // A file without a single field forbids nothing, whatever follows for others.
        assert!(allowed && more.allows(path));
    }
    let _ = (robots.crawl_delay(), robots.sitemaps());
});
