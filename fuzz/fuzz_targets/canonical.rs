//! Addresses: parsed, joined and folded; folding twice changes nothing more.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xunjian_model::{Canonical, PageUrl};

fuzz_target!(|input: (&str, &str, &str, bool)| {
    let (text, link, name, slash) = input;
    let mut rules = Canonical { slash, ..Canonical::default() };
    rules.drop_parameters.insert(name.to_ascii_lowercase());
    rules.index_names.insert("index.html".to_owned());
    for url in [PageUrl::parse(text).ok(), PageUrl::parse("http://a.gov.cn/x/").ok().and_then(|base| base.join(link).ok())]
        .into_iter()
        .flatten()
    {
        let again = PageUrl::parse(url.as_str()).expect("a page's address is an address");
        assert_eq!(again, url);
        let folded = rules.apply(&url);
        assert_eq!(rules.apply(&folded), folded, "{url}");
        assert_eq!(folded.host_key(), url.host_key());
    }
});
