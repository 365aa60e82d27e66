//! WARC files of others: any bytes; an end is always reached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xunjian_store::{HttpMessage, WarcReader};

fuzz_target!(|bytes: &[u8]| {
    let reader = WarcReader::new(Box::new(std::io::Cursor::new(bytes.to_vec())));
    let mut read = 0;
    for record in reader {
        let Ok(record) = record else { break };
        read += record.block.len();
        let _ = HttpMessage::parse(&record.block);
    }
    assert!(read <= bytes.len());
});
