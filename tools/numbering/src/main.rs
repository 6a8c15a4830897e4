//! Compiles libphonenumber's metadata into the table that `src/numbering.rs` reads.
//!
//! [`library`] holds the patterns, [`pattern`] makes automata of them, [`verdict`] and [`trunk`] join these as the library
//! decides, [`table`] writes what comes out. Nothing here depends on time, place or the order of a hash map.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what cannot be right must not be built"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{array, env, fs, io};

use forest::{Forest, NEVER, NOTHING, Node};
use library::CallingCode;
use verdict::{ANSWER, Verdicts};

mod forest;
mod library;
mod pattern;
mod table;
mod trunk;
mod verdict;

/// Digits of an E.164 number, with its calling code.
const LONGEST: usize = 15;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build");
    let codes = library::calling_codes();
    let countries: BTreeSet<&str> =
        codes.iter().flat_map(|code| &code.regions).filter_map(|region| region.country.as_deref()).collect();
    let countries: Vec<&str> = countries.into_iter().collect();
    let mut forest = Forest::new();
    let plans: Vec<(&str, Node)> =
        codes.iter().map(|code| (code.digits.as_str(), plan(&mut forest, &countries, code))).collect();
    let root = joined(&mut forest, &plans, "");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder"));
    fs::write(out.join("numbering.rs"), table::source(&forest, root, &countries))
}

/// The answer for each number of a calling code.
fn plan(forest: &mut Forest, countries: &[&str], code: &CallingCode) -> Node {
    let national = Verdicts { forest, countries }.national(code);
    let parsed = code.trunk.as_ref().map_or(national, |trunk| trunk::parsed(forest, trunk, national));
    let answer = forest.map(parsed, &|label| label & ANSWER);
    forest.cut(answer, LONGEST - code.digits.len())
}

/// The plans behind their calling codes, none of which begins like another.
fn joined(forest: &mut Forest, plans: &[(&str, Node)], digits: &str) -> Node {
    let mut known = plans.iter().filter(|(code, _)| code.starts_with(digits)).peekable();
    match known.peek() {
        None => NEVER,
        Some((code, plan)) if *code == digits => *plan,
        Some(_) => {
            let next = array::from_fn(|digit| joined(forest, plans, &format!("{digits}{digit}")));
            forest.node(NOTHING, next)
        }
    }
}
