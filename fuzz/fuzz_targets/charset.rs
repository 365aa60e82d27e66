//! Bytes to text: any bytes under any header.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], Option<&str>)| {
    let (bytes, content_type) = input;
    let decoded = xunjian_page::decode(bytes, content_type);
    // A byte becomes at most one replacement, which has three.
    assert!(decoded.text.len() <= bytes.len() * 3 + 3);
    assert!(!decoded.charset.name.is_empty());
});
