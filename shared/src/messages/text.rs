//! The SMS with a code. The build checks that it fits into the parts of its language, whatever the settings are (S17).

use std::time::Duration;

use super::alphabet::{Encoding, LONGEST_CODE, SmsLength};
use super::life::in_words;
use crate::codes::{Code, LONG_LENGTH, Purpose};
use crate::texts::{Language, confirm, sms};

const _: () = assert!(LONGEST_CODE == LONG_LENGTH, "the build checks texts with another length of codes");

/// The text of an SMS. It contains a code, so it does not implement `Debug`.
pub struct Text(String);

impl Text {
    /// The SMS with `code` for `purpose`, which expires after `life`, for pages of `host`.
    pub fn with_code(
        language: Language,
        product: &str,
        (code, purpose): (&Code, Purpose),
        life: Duration,
        host: Option<&str>,
    ) -> Text {
        let code = code.reveal();
        let mut text = match purpose {
            Purpose::SignIn => sms::text(language, code, &in_words(language, life), product),
            Purpose::StepUp | Purpose::Contact => confirm::text(language, code, product),
        };
        if let Some(host) = host {
            // The last line is for browsers: it starts with `@` and contains a single space.
            text.push_str(&["\n\n@", host, " #", code].concat());
        }
        Text(text)
    }

    /// The text, for sending.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Whether every character is in the basic table of the GSM alphabet, except line ends. Any other character would take two places or
/// switch the SMS to parts of 70 characters.
pub fn is_gsm7(text: &str) -> bool {
    let SmsLength { characters, encoding, .. } = SmsLength::of(text);
    encoding == Encoding::Gsm7 && characters == text.chars().count() && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::super::{LONGEST_HOST, LONGEST_PRODUCT};
    use super::*;

    const FIVE_MINUTES: Duration = Duration::from_secs(300);

    #[test]
    fn a_text_has_code_product_and_expiry() {
        let code = Code::read("012345").unwrap();
        let text =
            Text::with_code(Language::En, "Latchkey", (&code, Purpose::SignIn), FIVE_MINUTES, Some("app.example.com"));
        let expected = "012345 is your Latchkey code. It expires in 5 minutes.\n\n@app.example.com #012345";
        assert_eq!(text.reveal(), expected);
        let text = Text::with_code(Language::En, "Latchkey", (&code, Purpose::SignIn), FIVE_MINUTES, None);
        assert_eq!(text.reveal(), "012345 is your Latchkey code. It expires in 5 minutes.");
        assert_eq!(SmsLength::of(text.reveal()).parts, 1);
        let text = Text::with_code(Language::En, "Latchkey", (&code, Purpose::StepUp), FIVE_MINUTES, None);
        assert_eq!(text.reveal(), "012345 is your Latchkey code to confirm your request.");
    }

    /// S17: the longest possible text has one part, and two in languages of another alphabet.
    #[test]
    fn the_longest_text_has_the_parts_of_its_language() {
        let (product, host) = ("Ä".repeat(LONGEST_PRODUCT), "h".repeat(LONGEST_HOST));
        let code = Code::read("ABCDEFGHIJK27").unwrap();
        for language in Language::ALL {
            let lives = (60..=600).flat_map(|life| Purpose::ALL.map(|purpose| (life, purpose)));
            let longest = lives.map(|(life, purpose)| {
                let code = (&code, purpose);
                let text = Text::with_code(language, &product, code, Duration::from_secs(life), Some(&host));
                assert_eq!(text.reveal().lines().last(), Some(&*format!("@{host} #ABCDEFGHIJK27")));
                SmsLength::of(text.reveal()).parts
            });
            let expected = if ["ar", "ja", "zh-Hans"].contains(&language.tag()) { 2 } else { 1 };
            assert_eq!(longest.max(), Some(expected), "{}", language.tag());
        }
    }

    #[test]
    fn characters_outside_the_basic_table_are_recognized() {
        assert!(is_gsm7("Schlüssel & Söhne (Æ) 24/7"));
        for other in ["Clé™", "ключ", "鍵", "a’b", "🔑", "ç", "a^b", "[a]", "€", "a\nb"] {
            assert!(!is_gsm7(other), "{other}");
        }
    }
}
