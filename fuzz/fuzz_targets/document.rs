//! Documents: whatever the bytes, there is text or a reason, and memory stays small.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((kind, body)) = data.split_first() else { return };
    // Most of a mutated head is no head: each format gets its own.
    let head: &[u8] = match kind % 8 {
        0 => b"",
        1 => b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
        2 => b"PK\x03\x04",
        3 => b"{\\rtf1\\ansicpg936 ",
        4 => b"<html><table>",
        5 => b"Rar!\x1A\x07\x00",
        6 => b"Rar!\x1A\x07\x01\x00",
        _ => b"%PDF-1.7\n",
    };
    let body = [head, body].concat();
    let facts = xunjian_page::named_document(&body, "a.doc", false, xunjian_page::Limits::default());
    assert!(facts.blocks.len() <= 20_000);
});
