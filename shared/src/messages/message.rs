//! The mail with a code: subject, text and HTML. The layout is a template, and the sentences are in `messages/*.toml`.

use std::time::Duration;

use askama::Template;

use super::life::in_words;
use crate::codes::{Code, LONG_LENGTH, Purpose};
use crate::texts::{Language, confirm, mail};
use crate::words::{Error, Result};

/// A mail, ready to send. It may contain a code, so it does not implement `Debug`.
pub struct Message {
    /// The subject of a mail with a code starts with the code, so that a notification shows it, unless the deployment keeps codes
    /// out of subjects.
    pub subject: String,
    /// For mail clients without HTML. It has the words of the HTML.
    pub text: String,
    /// For all other mail clients.
    pub html: String,
}

#[derive(Template)]
#[template(path = "code.html")]
struct Html<'a> {
    language: Language,
    title: String,
    product: &'a str,
    code: &'a str,
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "code.txt")]
struct Text<'a> {
    product: &'a str,
    code: &'a str,
    words: &'a Words,
}

/// The sentences of both parts, in their order.
struct Words {
    heading: &'static str,
    instruction: String,
    life: String,
    newest: &'static str,
    never_asks: String,
    ignore: String,
}

impl Html<'_> {
    fn is_long(&self) -> bool {
        self.code.len() >= LONG_LENGTH
    }

    /// The characters one by one, for screen readers. They would otherwise read a number, or try to read a word.
    fn spoken(&self) -> String {
        self.code.chars().flat_map(|char| [' ', char]).skip(1).collect()
    }
}

impl Message {
    /// The mail with `code` for `purpose`, which expires after `life`. `in_subject` is whether the subject has the code.
    ///
    /// # Errors
    /// [`Error::Internal`] when a template fails to render.
    pub fn with_code(
        language: Language,
        product: &str,
        (code, purpose): (&Code, Purpose),
        life: Duration,
        in_subject: bool,
    ) -> Result<Message> {
        let code = code.reveal();
        let life = &in_words(language, life);
        let (newest, never_asks) = (mail::newest(language), mail::never_asks(language, product));
        let is_sign_in = purpose == Purpose::SignIn;
        let words = &match is_sign_in {
            true => Words {
                heading: mail::heading(language),
                instruction: mail::instruction(language, product),
                life: mail::life(language, life),
                newest,
                never_asks,
                ignore: mail::ignore(language).to_owned(),
            },
            false => Words {
                heading: confirm::heading(language),
                instruction: confirm::instruction(language, product),
                life: confirm::life(language, life),
                newest,
                never_asks,
                ignore: confirm::ignore(language, product),
            },
        };
        let title = match is_sign_in {
            true => mail::subject_without_code(language, product),
            false => confirm::subject_without_code(language, product),
        };
        let subject = match (in_subject, is_sign_in) {
            (false, _) => title.clone(),
            (true, true) => mail::subject(language, code, product),
            (true, false) => confirm::subject(language, code, product),
        };
        Ok(Message {
            subject,
            text: Text { product, code, words }.render().map_err(Error::internal)?,
            html: Html { language, title, product, code, words }.render().map_err(Error::internal)?,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn message(language: Language, product: &str, code: &str) -> Message {
        message_for(Purpose::SignIn, language, product, code)
    }

    fn message_for(purpose: Purpose, language: Language, product: &str, code: &str) -> Message {
        let code = Code::read(code).unwrap();
        Message::with_code(language, product, (&code, purpose), Duration::from_secs(600), true).unwrap()
    }

    #[test]
    fn a_message_has_code_product_and_expiry() {
        let mail = message(Language::En, "Latchkey", "012345");
        assert_eq!(mail.subject, "012345 is your Latchkey code");
        for body in [&mail.text, &mail.html] {
            assert!(body.contains("012345"), "{body}");
            assert!(body.contains("10 minutes"), "{body}");
            assert!(body.contains("use the newest one"), "{body}");
        }
        assert!(mail.text.contains("If you didn't request this code, please ignore this email."));
        assert!(mail.html.contains("please ignore this email."));
        let (code, life) = (Code::read("012345").unwrap(), Duration::from_secs(600));
        let quiet = Message::with_code(Language::En, "Latchkey", (&code, Purpose::SignIn), life, false).unwrap();
        assert_eq!((&*quiet.subject, quiet.text), ("Your Latchkey code", mail.text));
    }

    /// S273: a mail with a code that confirms a request says so, and does not speak of a sign-in.
    #[test]
    fn a_message_says_what_its_code_is_for() {
        for language in Language::ALL {
            let sign_in = message(language, "Latchkey", "012345");
            for purpose in [Purpose::StepUp, Purpose::Contact] {
                let mail = message_for(purpose, language, "Latchkey", "012345");
                assert!(mail.subject.contains("012345") && mail.subject != sign_in.subject, "{}", mail.subject);
                for body in [&mail.text, &mail.html] {
                    assert!(body.contains(confirm::heading(language)), "{body}");
                    assert!(body.contains(&confirm::instruction(language, "Latchkey")), "{body}");
                    assert!(!body.contains(mail::heading(language)), "{body}");
                    assert!(!body.contains(&mail::instruction(language, "Latchkey")), "{body}");
                }
            }
        }
    }

    /// S79: a product name with special characters stays text in HTML, in every language.
    #[test]
    fn a_product_name_is_escaped() {
        for language in Language::ALL {
            let mail = message(language, "<b>&Co", "012345");
            assert!(!mail.html.contains("<b>&Co") && mail.html.contains("&#60;b&#62;&#38;Co"), "{}", mail.html);
            assert!(mail.text.contains("<b>&Co") && mail.subject.contains("<b>&Co"));
        }
    }

    /// A product named like a placeholder stays a name.
    #[test]
    fn a_product_name_is_not_a_placeholder() {
        assert_eq!(message(Language::En, "{code}", "012345").subject, "012345 is your {code} code");
    }

    #[test]
    fn both_parts_have_the_same_words_in_every_language() {
        for language in Language::ALL {
            for code in ["012345", "ABCDEFGHIJK27"] {
                for mail in Purpose::ALL.map(|purpose| message_for(purpose, language, "Latchkey", code)) {
                    assert_eq!(visible(&mail.html), mail.text.split_whitespace().collect::<Vec<_>>().join(" "));
                    assert!(mail.subject.contains(code) && mail.subject.contains("Latchkey"), "{}", mail.subject);
                    let spoken = code.chars().map(String::from).collect::<Vec<_>>().join(" ");
                    assert!(mail.html.contains(&format!("aria-label=\"{spoken}\"")));
                    let direction = if language.tag() == "ar" { "rtl" } else { "ltr" };
                    let html = format!("<html lang=\"{}\" dir=\"{direction}\">", language.tag());
                    assert!(mail.html.contains(&html), "{}", mail.html);
                }
            }
        }
    }

    /// The text that a reader of the HTML sees.
    pub(in super::super) fn visible(html: &str) -> String {
        let (_, body) = html.split_once("<body").unwrap().1.split_once("</div>").unwrap();
        let parts = body.split('<').skip(1).map(|part| part.split_once('>').unwrap().1);
        let text = parts.collect::<Vec<_>>().join(" ");
        let text = text.replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
