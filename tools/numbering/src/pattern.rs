//! Converts regular expressions over digits to automata.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::forest::{Forest, NEVER, NOTHING, Node};

/// A set of digits, with one bit for each.
pub(crate) type Digits = u16;

/// Labels a number with `then`'s label for its rest, for each way to match its beginning with `pattern`.
///
/// If a number matches in several ways, all must give the same label. This holds if `then` has one label only.
pub(crate) fn before(forest: &mut Forest, pattern: &str, then: Node) -> Node {
    read(forest, &parse(pattern), then)
}

/// Parses the pattern. `\d` means ten ASCII digits here, without Unicode's other digits.
pub(crate) fn parse(pattern: &str) -> Hir {
    let parsed = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern);
    parsed.unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

/// The digit of a literal's byte.
pub(crate) fn digit(byte: u8) -> Digits {
    assert!(byte.is_ascii_digit(), "a pattern with something else than digits");
    1 << (byte - b'0')
}

/// The digits of a class.
pub(crate) fn class(class: &Class) -> Digits {
    let Class::Bytes(class) = class else { panic!("a pattern with something else than digits") };
    class.iter().flat_map(|range| range.start()..=range.end()).map(digit).fold(0, |digits, digit| digits | digit)
}

fn read(forest: &mut Forest, pattern: &Hir, then: Node) -> Node {
    match pattern.kind() {
        HirKind::Empty => then,
        HirKind::Literal(literal) => literal.0.iter().rev().fold(then, |then, byte| step(forest, digit(*byte), then)),
        HirKind::Class(digits) => step(forest, class(digits), then),
        HirKind::Capture(group) => read(forest, &group.sub, then),
        HirKind::Concat(parts) => parts.iter().rev().fold(then, |then, part| read(forest, part, then)),
        HirKind::Alternation(parts) => parts.iter().fold(NEVER, |read_so_far, part| {
            let read = read(forest, part, then);
            forest.over(read_so_far, read)
        }),
        HirKind::Repetition(part) => {
            let most = part.max.expect("a pattern that ends");
            (0..most).rev().fold(then, |longer, count| {
                let read = read(forest, &part.sub, longer);
                if count < part.min { read } else { forest.over(read, then) }
            })
        }
        HirKind::Look(_) => panic!("a pattern that looks around"),
    }
}

fn step(forest: &mut Forest, digits: Digits, then: Node) -> Node {
    let next = std::array::from_fn(|digit| if digits & (1 << digit) == 0 { NEVER } else { then });
    forest.node(NOTHING, next)
}
