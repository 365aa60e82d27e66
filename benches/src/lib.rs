//! Benches of xunjian.
