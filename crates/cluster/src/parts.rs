//! Values of any size in messages of a bounded one: encoded, compressed, and cut into parts.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ClusterError;

/// Bytes of a part; servers take a megabyte unless they are told otherwise.
const PART_BYTES: usize = 512 << 10;
/// What a value may grow to, far above any batch.
const VALUE_BYTES_MAX: usize = 1 << 30;
/// The store compresses bodies once more, so this need only be fast.
const LEVEL: i32 = 1;

/// One part.
#[derive(Serialize, Deserialize)]
struct Part {
    at: u32,
    of: u32,
    bytes: Vec<u8>,
}

/// Cuts a value into parts.
pub(crate) fn cut<T: Serialize>(value: &T) -> Result<Vec<Vec<u8>>, ClusterError> {
    let fail = |error: String| ClusterError::Message(error);
    let whole = postcard::to_allocvec(value).map_err(|error| fail(error.to_string()))?;
    let packed = zstd::bulk::compress(&whole, LEVEL).map_err(|error| fail(error.to_string()))?;
    drop(whole);
    let of = packed.len().div_ceil(PART_BYTES).max(1) as u32;
    packed
        .chunks(PART_BYTES)
        .zip(0..)
        .map(|(bytes, at)| {
            let part = Part { at, of, bytes: bytes.to_vec() };
            postcard::to_allocvec(&part).map_err(|error| fail(error.to_string()))
        })
        .collect()
}

/// Puts a value together.
#[derive(Default)]
pub(crate) struct Joined {
    packed: Vec<u8>,
    next: u32,
}

impl Joined {
    /// Adds a part; answers with the value when it is the last. A first part begins anew: what it follows
    /// was given up.
    pub(crate) fn add<T: DeserializeOwned>(&mut self, message: &[u8]) -> Result<Option<T>, ClusterError> {
        let fail = |error: String| ClusterError::Message(error);
        let part: Part = postcard::from_bytes(message).map_err(|error| fail(error.to_string()))?;
        if part.at == 0 {
            self.packed.clear();
            self.next = 0;
        }
        if part.at != self.next {
            return Err(fail(format!("part {} of {} came instead of {}", part.at, part.of, self.next)));
        }
        self.packed.extend_from_slice(&part.bytes);
        self.next += 1;
        if self.next < part.of {
            return Ok(None);
        }
        let packed = std::mem::take(&mut self.packed);
        self.next = 0;
        let mut whole = Vec::new();
        let mut decoder = zstd::Decoder::new(&packed[..]).map_err(|error| fail(error.to_string()))?;
        let limited = std::io::Read::take(&mut decoder, VALUE_BYTES_MAX as u64);
        std::io::copy(&mut { limited }, &mut whole).map_err(|error| fail(error.to_string()))?;
        postcard::from_bytes(&whole).map(Some).map_err(|error| fail(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_together_and_what_was_given_up_is_forgotten() {
        let mut rng = fastrand::Rng::with_seed(1);
        let noise: Vec<u8> = (0..3_000_000).map(|_| rng.u8(..)).collect();
        let (large, small) = (cut(&noise).expect("cut"), cut(&vec![7_u8]).expect("cut"));
        assert!(large.len() > 2, "{}", large.len());
        assert_eq!(small.len(), 1);
        let mut joined = Joined::default();
        // The first writer ends after its first part; another one goes on.
        assert!(joined.add::<Vec<u8>>(&large[0]).expect("read").is_none());
        assert_eq!(joined.add(&small[0]).expect("read"), Some(vec![7_u8]));
        let mut whole = None;
        for part in &large {
            whole = joined.add::<Vec<u8>>(part).expect("read");
        }
        assert!(whole == Some(noise));
        assert!(joined.add::<Vec<u8>>(&large[1]).is_err(), "a beginning is missing");
        assert!(joined.add::<Vec<u8>>(b"\xff\xff\xff").is_err(), "not a part");
    }
}
