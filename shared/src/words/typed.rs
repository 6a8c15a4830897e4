//! Text as people type and paste it: digits of other scripts, and marks that no screen shows.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The ASCII digit for a decimal digit of any script.
///
/// Unicode stores the ten digits of a script consecutively and in order. The value is therefore the distance from the
/// start of the block of digits, modulo ten. The longest such block, the mathematical digits, has 50 characters.
pub fn plain_digit(char: char) -> Option<char> {
    let is_digit = |number: u32| {
        char::from_u32(number).is_some_and(|char| char.general_category() == GeneralCategory::DecimalNumber)
    };
    let number = u32::from(char);
    if !is_digit(number) {
        return None;
    }
    let distance = (1..=number).take(50).take_while(|back| is_digit(number - back)).count() as u32;
    char::from_digit(distance % 10, 10)
}

/// Whether no screen shows this character: marks for the direction of text, joiners, soft hyphens and the byte order mark. Address
/// books and messengers put them around addresses and into numbers.
pub fn is_invisible(char: char) -> bool {
    char.general_category() == GeneralCategory::Format
}

/// The characters of a typed code, without the blanks, dashes and invisible marks between them.
pub fn joined(typed: &str) -> impl Iterator<Item = char> {
    typed.chars().filter(|&char| !char.is_whitespace() && !is_invisible(char) && char != '-')
}

/// The text without blanks and invisible marks around it.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|char: char| char.is_whitespace() || is_invisible(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_of_any_script_is_a_plain_one() {
        for (typed, plain) in [('7', '7'), ('٠', '0'), ('९', '9'), ('８', '8'), ('𝟓', '5'), ('𝟿', '9')] {
            assert_eq!(plain_digit(typed), Some(plain), "{typed}");
        }
        for other in ['a', '②', '²', '½', '〇', ' '] {
            assert_eq!(plain_digit(other), None, "{other}");
        }
    }

    #[test]
    fn marks_around_a_text_are_removed() {
        for mark in ['\u{200e}', '\u{202a}', '\u{2068}', '\u{200b}', '\u{feff}', '\u{ad}', '\u{2060}', '\u{a0}', ' '] {
            assert_eq!(trimmed(&format!("{mark}a{mark}b{mark}")), format!("a{mark}b"), "{mark:?}");
        }
    }
}
