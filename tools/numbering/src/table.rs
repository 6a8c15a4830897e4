//! An automaton as a row of numbers, in Rust. `shared/src/words/numbering.rs` says how it is read.

use std::collections::HashMap;

use crate::forest::{Forest, Node};
use crate::verdict::COUNTRY;

/// The mark of an entry that is an answer, and no place.
const FINAL: u16 = 1 << 15;

/// The table of `root`, a state on each line, and the countries in the order in which answers count them.
pub(crate) fn source(forest: &Forest, root: Node, countries: &[&str], version: &str) -> String {
    let states = states(forest, root);
    let line = |state: &Vec<u16>| state.iter().map(u16::to_string).collect::<Vec<String>>().join(",");
    format!(
        "// The numbering plans: libphonenumber's metadata (Apache License 2.0) as the crate rlibphonenumber {version} has it.\n\
         // Made by `cargo run -p numbering`.\n\n\
         /// Two letters each, in order.\nstatic COUNTRIES: &str = {:?};\n\n\
         /// An answer's bits from here on count the countries from 1.\nconst COUNTRY: u32 = {COUNTRY};\n\n\
         /// Marks an entry that is an answer, and no place.\nconst FINAL: u16 = {FINAL};\n\n\
         static TABLE: [u16; {}] = [\n{},\n];\n",
        countries.concat(),
        states.iter().map(Vec::len).sum::<usize>(),
        states.iter().map(line).collect::<Vec<String>>().join(",\n"),
    )
}

fn states(forest: &Forest, root: Node) -> Vec<Vec<u16>> {
    let mut places = HashMap::from([(root, 0)]);
    let (mut order, mut len) = (vec![root], 0);
    let mut at = 0;
    while let Some(node) = order.get(at).copied() {
        places.insert(node, len);
        len += 2 + runs(forest, node).len();
        for next in forest.next(node) {
            if !forest.is_constant(next) && !places.contains_key(&next) {
                places.insert(next, 0);
                order.push(next);
            }
        }
        at += 1;
    }
    let entry = |node: Node| match forest.is_constant(node) {
        true => FINAL | forest.label(node),
        false => u16::try_from(places[&node]).ok().filter(|place| *place < FINAL).expect("a place in the table"),
    };
    let state = |node: &Node| {
        let runs = runs(forest, *node);
        let begins = runs.iter().fold(0, |begins, (digit, _)| begins | 1 << digit);
        let head = [forest.label(*node), begins];
        head.into_iter().chain(runs.into_iter().map(|(_, next)| entry(next))).collect()
    };
    order.iter().map(state).collect()
}

/// Where a node leads to, from each digit on that leads elsewhere than the one before it.
fn runs(forest: &Forest, node: Node) -> Vec<(usize, Node)> {
    let mut runs: Vec<(usize, Node)> = forest.next(node).into_iter().enumerate().collect();
    runs.dedup_by_key(|(_, next)| *next);
    runs
}
