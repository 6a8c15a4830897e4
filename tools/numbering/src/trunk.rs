//! Handles a national number with a domestic prefix, like the library's parser.

use std::collections::HashMap;

use regex_syntax::hir::{Hir, HirKind, Look};

use crate::forest::{Forest, Label, NEVER, NOTHING, Node};
use crate::library::Trunk;
use crate::pattern::{self, Digits};
use crate::verdict::{FITS, SAID, VIABLE};

/// One way to read a prefix.
#[derive(Clone, Default)]
struct Reading {
    steps: Vec<Step>,
    /// No digits may follow.
    is_whole: bool,
}

#[derive(Clone, Copy)]
struct Step {
    digits: Digits,
    /// Its capture group, or 0.
    group: u32,
}

/// A change of a typed number: the length of the calling code, the digits to insert after it, and `1` for each digit of the prefix
/// that stays and `0` for each that goes.
pub(crate) type Edit = (usize, String, String);

/// The bits of the facts. Those below are the place of the edit in the list, from 1.
const FACTS: Label = VIABLE | FITS | SAID;

/// Labels each national number of a calling code of `code` digits with the library's edit, or 0 if it stays as it is. New edits are
/// added to `edits`. `facts` has the facts about numbers without a prefix.
///
/// A prefix is removed if it matches, unless this turns a plausible number into an implausible one.
pub(crate) fn edited(forest: &mut Forest, trunk: &Trunk, code: usize, facts: Node, edits: &mut Vec<Edit>) -> Node {
    let pattern = pattern::parse(&trunk.pattern);
    let (before, group) = rule(trunk, &pattern);
    let stripped = readings(&pattern, 0).iter().fold(NEVER, |preferred, reading| {
        let is_moved = reading.steps.iter().any(|step| step.group == group);
        let moved = if is_moved { (advanced(forest, facts, before), group) } else { (facts, u32::MAX) };
        let stripped = strip(forest, reading, 0, moved, &mut HashMap::new());
        let mask = reading.steps.iter().map(|step| if is_moved && step.group == group { '1' } else { '0' });
        let edit = (code, if is_moved { before.to_owned() } else { String::new() }, mask.collect());
        let place = place(edits, edit);
        let labelled = forest.map(stripped, &|label| if label == NOTHING { NOTHING } else { label | place });
        forest.over(preferred, labelled)
    });
    forest.both(facts, stripped, &|kept, stripped| {
        let is_worse = kept & VIABLE != 0 && stripped & VIABLE == 0;
        if stripped == NOTHING || is_worse || stripped & FITS == 0 { 0 } else { stripped & !FACTS }
    })
}

/// The place of an edit in the list, from 1. An edit that changes nothing has the place 0.
fn place(edits: &mut Vec<Edit>, edit: Edit) -> Label {
    if edit.1.is_empty() && edit.2.bytes().all(|stays| stays == b'1') {
        return 0;
    }
    let known = edits.iter().position(|known| *known == edit).unwrap_or_else(|| {
        edits.push(edit);
        edits.len() - 1
    });
    let place = known as Label + 1;
    assert!(place & FACTS == 0, "too many edits for the labels");
    place
}

/// The digits that replace the prefix, and the group after them. The group is `u32::MAX` if the prefix is only removed.
fn rule<'a>(trunk: &'a Trunk, pattern: &Hir) -> (&'a str, u32) {
    let Some((before, group)) = trunk.rule.split_once('$') else {
        assert!(trunk.rule.is_empty(), "a rule without a group");
        return ("", u32::MAX);
    };
    let group = group.parse().expect("a rule that ends in its group");
    assert_eq!(group as usize, pattern.properties().explicit_captures_len(), "the library asks for the last group");
    (before, group)
}

/// The labels of numbers that begin with `before`.
fn advanced(forest: &Forest, national: Node, before: &str) -> Node {
    let digits = before.bytes().map(|byte| usize::from(byte - b'0'));
    digits.fold(national, |node, digit| forest.next(node)[digit])
}

/// The labels of numbers that match `reading` from its step `at` on. `national` labels the digits in `group` together with
/// the digits after the prefix.
fn strip(
    forest: &mut Forest,
    reading: &Reading,
    at: usize,
    (national, group): (Node, u32),
    known: &mut HashMap<(usize, Node), Node>,
) -> Node {
    let Some(step) = reading.steps.get(at) else {
        let label = forest.label(national);
        return if reading.is_whole { forest.node(label, [NEVER; 10]) } else { national };
    };
    if let Some(node) = known.get(&(at, national)) {
        return *node;
    }
    let after = if step.group == group { forest.next(national) } else { [national; 10] };
    let next = std::array::from_fn(|digit| match step.digits & (1 << digit) {
        0 => NEVER,
        _ => strip(forest, reading, at + 1, (after[digit], group), known),
    });
    let node = forest.node(NOTHING, next);
    known.insert((at, national), node);
    node
}

/// Every way to match a pattern, in the order of preference of a regular expression.
fn readings(pattern: &Hir, group: u32) -> Vec<Reading> {
    let step = |digits| Reading { steps: vec![Step { digits, group }], is_whole: false };
    match pattern.kind() {
        HirKind::Empty => vec![Reading::default()],
        HirKind::Literal(literal) => {
            let steps = literal.0.iter().map(|byte| Step { digits: pattern::digit(*byte), group });
            vec![Reading { steps: steps.collect(), is_whole: false }]
        }
        HirKind::Class(digits) => vec![step(pattern::class(digits))],
        HirKind::Capture(capture) => readings(&capture.sub, capture.index),
        HirKind::Concat(parts) => parts
            .iter()
            .fold(vec![Reading::default()], |readings_so_far, part| joined(&readings_so_far, &readings(part, group))),
        HirKind::Alternation(parts) => parts.iter().flat_map(|part| readings(part, group)).collect(),
        HirKind::Repetition(part) => {
            assert!(part.greedy, "a pattern that prefers less");
            let (once, most) = (readings(&part.sub, group), part.max.expect("a pattern that ends"));
            (0..most).rev().fold(vec![Reading::default()], |longer, count| {
                let stop = (count >= part.min).then(Reading::default);
                joined(&once, &longer).into_iter().chain(stop).collect()
            })
        }
        HirKind::Look(Look::End) => vec![Reading { steps: Vec::new(), is_whole: true }],
        HirKind::Look(_) => panic!("a pattern that looks around"),
    }
}

fn joined(firsts: &[Reading], seconds: &[Reading]) -> Vec<Reading> {
    let join = |first: &Reading, second: &Reading| Reading {
        steps: [first.steps.as_slice(), &second.steps].concat(),
        is_whole: first.is_whole || second.is_whole,
    };
    firsts.iter().flat_map(|first| seconds.iter().map(move |second| join(first, second))).collect()
}
