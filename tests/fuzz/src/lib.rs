//! Fuzzing of every parser that handles outside input.
//!
//! A target takes bytes, asserts its rules for any input, and returns a word for the result. The words guide the search: an input
//! with a new word is kept and mutated further. The words also show progress, because a target that refuses all its inputs tests
//! nothing (`tests/bounded.rs`).

pub mod campaign;
pub mod mutate;
mod stage;
mod targets;

pub use crate::campaign::{Campaign, run};
pub use crate::targets::TARGETS;

/// One parser and its inputs.
pub struct Target {
    pub name: &'static str,
    /// Panics if a rule is broken. Otherwise returns a word for the result.
    pub run: fn(&[u8]) -> Word,
    /// True if it calls whole functions, which takes longer.
    pub asks_functions: bool,
    /// Initial inputs.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Fragments of inputs.
    pub dictionary: &'static [&'static str],
    /// Words that a short campaign must reach.
    pub reaches: &'static [Word],
}

/// The result of an input.
pub type Word = &'static str;

/// The target with this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Seeds from strings.
fn texts<const N: usize>(texts: [&str; N]) -> Vec<Vec<u8>> {
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}
