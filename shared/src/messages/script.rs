//! The words of a call with a code, in SSML: the digits one by one, with pauses, and all of them twice.

use crate::codes::{Code, Purpose};
use crate::texts::{Language, confirm, voice};

/// The words of a call. They contain a code, so it does not implement `Debug`.
pub(super) struct Script {
    language: Language,
    words: String,
}

/// A person who takes a call may not hear its first second.
const FIRST_PAUSE: &str = "<break time=\"1s\"/>";
/// Long enough to write a digit down.
const PAUSE: &str = "<break time=\"600ms\"/>";

impl Script {
    /// The words with `code` for `purpose`.
    pub(super) fn with_code(language: Language, product: &str, code: &Code, purpose: Purpose) -> Script {
        let digits: Vec<String> = code.reveal().chars().map(String::from).collect();
        let spoken = [PAUSE, &digits.join(PAUSE), PAUSE].concat();
        let product = &escaped(product);
        let words = match purpose {
            Purpose::SignIn => voice::text(language, &spoken, product),
            Purpose::StepUp | Purpose::Contact => confirm::spoken(language, &spoken, product),
        };
        let words = [FIRST_PAUSE, &words].concat();
        Script { language, words }
    }

    /// The whole document in Twilio's language. Its speakers are Polly's too.
    pub(super) fn twiml(&self) -> String {
        let (first, rest) = self.speaker().split_at(1);
        let speaker = [first, &rest.to_ascii_lowercase()].concat();
        format!("<Response><Say voice=\"Polly.{speaker}\">{}</Say></Response>", self.words)
    }

    /// The whole document.
    pub(super) fn ssml(&self) -> String {
        ["<speak>", &self.words, "</speak>"].concat()
    }

    /// The speaker's name in Amazon Polly, in capitals.
    pub(super) fn speaker(&self) -> &'static str {
        voice::speaker(self.language)
    }
}

/// Text for XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_speaks_each_digit_twice_with_pauses() {
        let script = Script::with_code(Language::En, "Latchkey", &Code::read("012345").unwrap(), Purpose::SignIn);
        let spoken = script.ssml();
        let digits = ["0", "1", "2", "3", "4", "5"].join(PAUSE);
        assert_eq!(spoken.matches(&digits).count(), 2, "{spoken}");
        assert!(spoken.starts_with(&format!("<speak>{FIRST_PAUSE}Hello. Your Latchkey code is {PAUSE}0")), "{spoken}");
        assert_eq!(script.speaker(), "JOANNA");
        let words = spoken.strip_prefix("<speak>").unwrap().strip_suffix("</speak>").unwrap();
        let expected = format!("<Response><Say voice=\"Polly.Joanna\">{words}</Say></Response>");
        assert_eq!(script.twiml(), expected);
    }

    /// S264: a product's name is spoken, and is no markup.
    #[test]
    fn a_product_name_is_no_markup() {
        for language in Language::ALL {
            for purpose in Purpose::ALL {
                let code = Code::read("012345").unwrap();
                let script = Script::with_code(language, "<break/> & Co {code}", &code, purpose);
                assert!(script.ssml().contains("&lt;break/&gt; &amp; Co {code}"), "{}", script.ssml());
            }
        }
    }
}
