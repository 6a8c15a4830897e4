//! Compiles libphonenumber's metadata into the table of numbering plans for `shared`. Run it with `cargo run -p numbering`.
//!
//! [`library`] has the patterns, [`pattern`] turns them into automata, [`verdict`] and [`trunk`] combine these like the
//! library, and [`table`] writes the result. The output is the same in every run: it depends on no time, place or hash map
//! order.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what cannot be right must not be built"
)]

use std::collections::BTreeSet;
use std::{array, fs, io};

use forest::{Forest, NEVER, NOTHING, Node};
use library::CallingCode;
use trunk::Edit;
use verdict::{ANSWER, Verdicts};

mod forest;
mod library;
mod pattern;
mod table;
mod trunk;
mod verdict;

/// The maximum number of digits in an E.164 number, including the calling code.
const LONGEST: usize = 15;

/// The maximum number of digits that people type, with a prefix for calls inside the country.
const LONGEST_TYPED: usize = 20;

/// The path of the checked-in table.
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/numbering.rs");

fn main() -> io::Result<()> {
    fs::write(PATH, source())
}

fn source() -> String {
    let codes = library::calling_codes();
    let countries: BTreeSet<&str> =
        codes.iter().flat_map(|code| &code.regions).filter_map(|region| region.country.as_deref()).collect();
    let countries: Vec<&str> = countries.into_iter().collect();
    let mut forest = Forest::new();
    let plans: Vec<(&str, Node)> =
        codes.iter().map(|code| (code.digits.as_str(), plan(&mut forest, &countries, code))).collect();
    let mut edits = Vec::new();
    let typed: Vec<(&str, Node)> =
        codes.iter().map(|code| (code.digits.as_str(), typed(&mut forest, &countries, code, &mut edits))).collect();
    let roots = [joined(&mut forest, &plans, ""), joined(&mut forest, &typed, "")];
    table::source(&forest, roots, &countries, &edits, library::version())
}

/// The answer for each canonical number of a calling code.
fn plan(forest: &mut Forest, countries: &[&str], code: &CallingCode) -> Node {
    let national = Verdicts { forest, countries }.national(code);
    let answer = forest.map(national, &|label| label & ANSWER);
    forest.cut(answer, LONGEST - code.digits.len())
}

/// The library's change of each typed number of a calling code.
fn typed(forest: &mut Forest, countries: &[&str], code: &CallingCode, edits: &mut Vec<Edit>) -> Node {
    let Some(trunk) = &code.trunk else { return NEVER };
    let facts = Verdicts { forest, countries }.facts(code);
    let edited = trunk::edited(forest, trunk, code.digits.len(), facts, edits);
    forest.cut(edited, LONGEST_TYPED - code.digits.len())
}

/// Joins the plans behind their calling codes. No code is a prefix of another.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_table_is_what_the_tool_makes() {
        let checked_in = fs::read_to_string(PATH).unwrap();
        assert!(checked_in == source(), "shared/data/numbering.rs is out of date: run `cargo run -p numbering`");
    }
}
