//! A mail: subject, text and HTML.

use std::time::Duration;

use askama::Template;

use crate::codes::Code;
use crate::words::{Error, Result};

/// A mail, ready to send. It may contain a code, so it does not implement `Debug`.
pub struct Message {
    /// The subject of a mail with a code starts with the code, so that a notification shows it.
    pub subject: String,
    /// For mail clients without HTML.
    pub text: String,
    /// For all other mail clients.
    pub html: String,
}

#[derive(Template)]
#[template(path = "code.html")]
struct Html<'a> {
    product: &'a str,
    code: &'a str,
    minutes: &'a str,
}

#[derive(Template)]
#[template(path = "code.txt")]
struct Text<'a> {
    product: &'a str,
    code: &'a str,
    minutes: &'a str,
}

impl Message {
    /// The mail with `code`, which expires after `life`.
    ///
    /// # Errors
    /// [`Error::Internal`] when a template fails to render.
    pub fn with_code(product: &str, code: &Code, life: Duration) -> Result<Message> {
        let (code, minutes) = (code.reveal(), &in_words(life));
        Ok(Message {
            subject: format!("{code} is your {product} code"),
            text: Text { product, code, minutes }.render().map_err(Error::internal)?,
            html: Html { product, code, minutes }.render().map_err(Error::internal)?,
        })
    }
}

pub(super) fn in_words(life: Duration) -> String {
    match life.as_secs() {
        60 => "1 minute".to_owned(),
        seconds if seconds % 60 == 0 => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(product: &str) -> Message {
        Message::with_code(product, &Code::read("012345").unwrap(), Duration::from_secs(600)).unwrap()
    }

    #[test]
    fn a_message_has_code_product_and_expiry() {
        let message = message("Latchkey");
        assert_eq!(message.subject, "012345 is your Latchkey code");
        for body in [&message.text, &message.html] {
            assert!(body.contains("012345"), "{body}");
            assert!(body.contains("10 minutes"), "{body}");
            assert!(body.contains("use the newest one"), "{body}");
        }
        assert!(message.text.contains("If you didn't request this code, please ignore this email."));
        assert!(message.html.contains("please ignore this email."));
    }

    /// S79: a product name with special characters stays text in HTML.
    #[test]
    fn a_product_name_is_escaped() {
        let message = message("<b>&Co");
        assert!(!message.html.contains("<b>&Co") && message.html.contains("&#60;b&#62;&#38;Co"), "{}", message.html);
        assert!(message.text.contains("<b>&Co"));
    }

    #[test]
    fn a_lifetime_is_written_in_words() {
        for (seconds, words) in [(60, "1 minute"), (90, "90 seconds"), (300, "5 minutes"), (600, "10 minutes")] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
    }
}
