//! The SMS with a code. It always fits into one part in the GSM 7-bit alphabet, whatever the settings are (S17).

use std::time::Duration;

use super::message::in_words;
use crate::codes::{Code, LONG_LENGTH};

/// The text of an SMS. It contains a code, so it does not implement `Debug`.
pub struct Text(String);

const IS_YOUR: &str = " is your ";
const CODE_EXPIRES: &str = " code. It expires in ";
const END: &str = ".";
/// The last line is for browsers: it starts with `@` and contains a single space.
const LAST_LINE: &str = "\n\n@";
const HASH: &str = " #";

/// The maximum length of a product's name, in characters.
pub const LONGEST_PRODUCT: usize = 40;
/// The maximum length of the host in the last line, in characters.
pub const LONGEST_HOST: usize = 47;
/// The length of the longest lifetime in words.
const LONGEST_LIFE: usize = "599 seconds".len();
/// The length of one SMS part: 140 bytes hold 160 characters of 7 bits.
const ONE_PART: usize = 160;

const LONGEST: usize = 2 * LONG_LENGTH
    + IS_YOUR.len()
    + LONGEST_PRODUCT
    + CODE_EXPIRES.len()
    + LONGEST_LIFE
    + END.len()
    + LAST_LINE.len()
    + LONGEST_HOST
    + HASH.len();
const _: () = assert!(LONGEST <= ONE_PART, "the longest SMS would be two messages, and cost twice as much");

impl Text {
    /// The SMS with `code`, which expires after `life`, for pages of `host`.
    pub fn with_code(product: &str, code: &Code, life: Duration, host: Option<&str>) -> Text {
        let (code, life) = (code.reveal(), in_words(life));
        let mut text = [code, IS_YOUR, product, CODE_EXPIRES, &life, END].concat();
        if let Some(host) = host {
            text.push_str(&[LAST_LINE, host, HASH, code].concat());
        }
        Text(text)
    }

    /// The text, for sending.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Whether every character is in the basic table of 3GPP TS 23.038, except line ends and escape. Any other character would take
/// two places or switch the SMS to parts of 70 characters.
pub fn is_gsm7(text: &str) -> bool {
    const OTHERS: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
    text.chars().all(|char| char.is_ascii_alphanumeric() || OTHERS.contains(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE_MINUTES: Duration = Duration::from_secs(300);

    #[test]
    fn a_text_has_code_product_and_expiry() {
        let code = Code::read("012345").unwrap();
        let text = Text::with_code("Latchkey", &code, FIVE_MINUTES, Some("app.example.com"));
        let expected = "012345 is your Latchkey code. It expires in 5 minutes.\n\n@app.example.com #012345";
        assert_eq!(text.reveal(), expected);
        let text = Text::with_code("Latchkey", &code, FIVE_MINUTES, None);
        assert_eq!(text.reveal(), "012345 is your Latchkey code. It expires in 5 minutes.");
    }

    /// S17: the longest possible text is one part, and the fixed words are in the alphabet.
    #[test]
    fn the_longest_text_is_one_part() {
        let (product, host) = ("Ä".repeat(LONGEST_PRODUCT), "h".repeat(LONGEST_HOST));
        let code = Code::read("ABCDEFGHIJK27").unwrap();
        let text = Text::with_code(&product, &code, Duration::from_secs(599), Some(&host));
        assert_eq!(text.reveal().chars().count(), LONGEST);
        assert!(text.reveal().lines().all(is_gsm7), "{}", text.reveal());
    }

    #[test]
    fn characters_outside_the_alphabet_are_recognized() {
        assert!(is_gsm7("Schlüssel & Söhne (Æ) 24/7"));
        for other in ["Clé™", "ключ", "鍵", "a’b", "🔑", "ç", "a^b", "[a]", "€", "a\nb"] {
            assert!(!is_gsm7(other), "{other}");
        }
    }
}
