//! IAM's wildcards: `*` for any number of characters, `?` for one.

/// Whether `pattern` matches all of `text`, including case.
///
/// A `*` also matches the colons of an ARN, as in IAM at the end of a part.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let letters = |text: &str| text.chars().collect::<Vec<_>>();
    fits(&letters(pattern), &letters(text))
}

fn fits(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        (['*', rest @ ..], _) => fits(rest, text) || matches!(text, [_, after @ ..] if fits(pattern, after)),
        (['?', rest @ ..], [_, after @ ..]) => fits(rest, after),
        ([letter, rest @ ..], [first, after @ ..]) => letter == first && fits(rest, after),
        ([], []) => true,
        ([], [_, ..]) | ([_, ..], []) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_a_star_and_a_question_mark() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "+447400123456"),
            ("S#*", "S#a#b"),
            ("S#*", "S#"),
            ("R#?ms#*", "R#sms#x"),
            ("a*b*c", "a1b2b3c"),
            ("arn:aws:sns:*:*:*", "arn:aws:sns:us-east-1:000000000000:topic:of:mine"),
            ("*ü?", "xüy"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("S#*", "SMS#1"),
            ("S#*", "s#1"),
            ("S#", "S#1"),
            ("?", ""),
            ("a?c", "abbc"),
            ("a*b", "abc"),
            ("arn:aws:sns:*:*:*", "+447400123456"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
