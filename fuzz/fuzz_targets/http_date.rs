//! `Retry-After` in both its forms.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::time::{Duration, SystemTime};

fuzz_target!(|text: &str| {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let asked = xunjian_crawl::retry_after(text, now);
    if let Ok(seconds) = text.trim().parse::<u64>() {
        assert_eq!(asked, Some(Duration::from_secs(seconds)));
    }
});
