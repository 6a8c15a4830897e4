//! Patterns, as regular expressions over digits, made into automata.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::forest::{Forest, NEVER, NOTHING, Node};

/// A set of digits, a bit for each.
pub(crate) type Digits = u16;

/// What `then` says of the rest of a number, for each way to read its beginning as `pattern`.
///
/// Two ways may say of one number only the same: where `then` has one label.
pub(crate) fn before(forest: &mut Forest, pattern: &str, then: Node) -> Node {
    read(forest, &parse(pattern), then)
}

/// The pattern's parts. `\d` is ten digits here, and nothing that Unicode also calls one.
pub(crate) fn parse(pattern: &str) -> Hir {
    let parsed = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern);
    parsed.unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

/// The digits of a literal's byte, or of a class.
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
