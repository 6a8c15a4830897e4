//! Fuzzing: every parser that the outside reaches, fed with what nobody meant it for.
//!
//! A target takes bytes, asserts what must hold of whatever they are, and says in a word what became of them. The words
//! guide the search: an input that leads to a new one is kept and changed further. They also tell whether a target gets
//! anywhere: one that refuses all its inputs has tested nothing (`tests/bounded.rs`).

pub mod campaign;
pub mod mutate;
mod stage;
mod targets;

pub use crate::campaign::{Campaign, run};
pub use crate::targets::TARGETS;

/// One parser, and how to try it.
pub struct Target {
    pub name: &'static str,
    /// Panics where something does not hold; else says what became of the input.
    pub run: fn(&[u8]) -> Word,
    /// Whether it asks whole functions, which takes longer.
    pub asks_functions: bool,
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// What its inputs are made of.
    pub dictionary: &'static [&'static str],
    /// The words that a short campaign must come to.
    pub reaches: &'static [Word],
}

/// What became of an input.
pub type Word = &'static str;

/// The target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Seeds that are texts.
fn texts<const N: usize>(texts: [&str; N]) -> Vec<Vec<u8>> {
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}
