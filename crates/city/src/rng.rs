//! Random numbers that depend on nothing but what they are asked for.

/// Mixes numbers into one; equal inputs give equal outputs on every machine.
pub(crate) fn mix(parts: &[u64]) -> u64 {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for part in parts {
        state ^= part.wrapping_add(0x9E37_79B9_7F4A_7C15).rotate_left(17);
        state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        state ^= state >> 31;
    }
    state
}

/// A generator seeded by what it is for.
pub(crate) fn rng(parts: &[u64]) -> fastrand::Rng {
    fastrand::Rng::with_seed(mix(parts))
}

/// One of a slice.
pub(crate) fn pick<'a, T: ?Sized>(rng: &mut fastrand::Rng, from: &[&'a T]) -> &'a T {
    from[rng.usize(..from.len())]
}

/// One character of a text.
pub(crate) fn pick_char(rng: &mut fastrand::Rng, from: &str) -> char {
    let count = from.chars().count();
    from.chars().nth(rng.usize(..count)).unwrap_or('中')
}
