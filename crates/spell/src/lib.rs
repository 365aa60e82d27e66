//! Typos that no list knows: a character in whose place one that sounds or looks the same gives a
//! word, and text as it is written elsewhere.
//!
//! A [`Model`] counts runs of one to four characters in clean text. [`Model::suspects`] looks for the
//! likeliest reading of a text in which characters may stand for others; what it would change is a
//! suspect if the change makes a word, the original makes none, and the margin is wide. Pure: no I/O.

mod alike;
mod grams;
mod read;
#[cfg(test)]
mod tests;
mod train;

pub use grams::{Model, ModelError};
pub use read::Suspect;
pub use train::{Counts, Minimums};
