//! Notices: mails about something that has happened to an account.

use askama::Template;

use super::Message;
use crate::texts::{
    Language, contact_changed, factor_added, factor_removed, leaving, new_sign_in, notice, suspended, welcome,
};
use crate::words::{Error, Result, Timestamp};

/// A mail to a user about the account. A notice has no code, no address and no network: only words for the device, and a time.
#[derive(Clone, Copy, Debug)]
pub enum Notice<'a> {
    /// Somebody signed in with an unknown device.
    NewSignIn {
        /// The device, in a few words.
        device: &'a str,
        /// When.
        at: Timestamp,
        /// The link that ends all sessions.
        disavow: &'a str,
    },
    /// The address or number changed.
    ContactChanged {
        /// When.
        at: Timestamp,
        /// The link that undoes it.
        undo: &'a str,
    },
    /// A second factor was added.
    FactorAdded {
        /// When.
        at: Timestamp,
    },
    /// A second factor was removed.
    FactorRemoved {
        /// When.
        at: Timestamp,
    },
    /// The account will be deleted.
    Leaving {
        /// When.
        end: Timestamp,
    },
    /// The account is suspended.
    Suspended,
    /// The user is new.
    Welcome,
}

/// A line with a name and a value.
struct Fact<'a> {
    name: &'static str,
    value: &'a str,
}

/// The content of both forms of a mail.
struct Content<'a> {
    title: &'static str,
    body: String,
    facts: Vec<Fact<'a>>,
    link: Option<(&'static str, &'a str)>,
    last: Vec<String>,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Html<'a> {
    language: Language,
    product: &'a str,
    content: &'a Content<'a>,
}

#[derive(Template)]
#[template(path = "notice.txt")]
struct Text<'a> {
    language: Language,
    product: &'a str,
    content: &'a Content<'a>,
}

impl Text<'_> {
    /// Within a text from right to left, Unicode's marks keep the order of a device and a time.
    fn isolated(&self, value: &str) -> String {
        if self.language.is_rtl() { format!("\u{2066}{value}\u{2069}") } else { value.to_owned() }
    }
}

/// The words of one notice: its subject, its title, what happened, and what to do.
struct Words(String, &'static str, String, Vec<String>);

impl Notice<'_> {
    /// The mail to the user.
    ///
    /// # Errors
    /// [`Error::Internal`] when a template fails to render.
    pub(super) fn message(&self, language: Language, product: &str) -> Result<Message> {
        let Words(subject, title, body, last) = self.words(language, product);
        let time = self.time().map(in_minutes);
        let device = self.device().map(|value| Fact { name: notice::device(language), value });
        let facts = device.into_iter().chain(time.as_deref().map(|value| Fact { name: notice::time(language), value }));
        let link = self.link().map(|link| (notice::not_me(language), link));
        let content = &Content { title, body, facts: facts.collect(), link, last };
        Ok(Message {
            subject,
            text: Text { language, product, content }.render().map_err(Error::internal)?,
            html: Html { language, product, content }.render().map_err(Error::internal)?,
        })
    }

    fn words(&self, language: Language, product: &str) -> Words {
        /// The words of a table. All tables have a subject, a title and a body.
        macro_rules! of {
            ($table:ident, $($last:expr),+) => {
                Words(
                    $table::subject(language, product),
                    $table::title(language),
                    $table::body(language, product),
                    vec![$($last.into()),+],
                )
            };
        }
        let if_you = notice::if_you(language);
        match self {
            Notice::NewSignIn { .. } => of!(new_sign_in, if_you, new_sign_in::if_not_you(language)),
            Notice::ContactChanged { .. } => of!(contact_changed, if_you, contact_changed::if_not_you(language)),
            Notice::FactorAdded { .. } => of!(factor_added, if_you, factor_added::if_not_you(language, product)),
            Notice::FactorRemoved { .. } => of!(factor_removed, if_you, factor_removed::if_not_you(language, product)),
            Notice::Leaving { .. } => of!(leaving, leaving::if_you(language), leaving::if_not_you(language, product)),
            Notice::Suspended => of!(suspended, suspended::reason(language, product)),
            Notice::Welcome => of!(welcome, welcome::never_asks(language, product), welcome::if_not_you(language)),
        }
    }

    fn device(&self) -> Option<&str> {
        if let Notice::NewSignIn { device, .. } = self { Some(device) } else { None }
    }

    fn time(&self) -> Option<Timestamp> {
        match *self {
            Notice::NewSignIn { at, .. }
            | Notice::ContactChanged { at, .. }
            | Notice::FactorAdded { at }
            | Notice::FactorRemoved { at }
            | Notice::Leaving { end: at } => Some(at),
            Notice::Suspended | Notice::Welcome => None,
        }
    }

    fn link(&self) -> Option<&str> {
        match *self {
            Notice::NewSignIn { disavow: link, .. } | Notice::ContactChanged { undo: link, .. } => Some(link),
            _ => None,
        }
    }
}

/// Such as `2026-01-01 00:00 UTC`, which every language reads alike.
fn in_minutes(at: Timestamp) -> String {
    let text = at.to_string();
    let (day, minute) = (text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default());
    format!("{day} {minute} UTC")
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::visible;
    use super::*;

    const LINK: &str = "https://auth.example.com/api/auth/disavow?token=a.b";

    fn all() -> [Notice<'static>; 7] {
        let at = Timestamp::from_unix(1_767_225_661);
        [
            Notice::NewSignIn { device: "Firefox on Linux", at, disavow: LINK },
            Notice::ContactChanged { at, undo: LINK },
            Notice::FactorAdded { at },
            Notice::FactorRemoved { at },
            Notice::Leaving { end: at },
            Notice::Suspended,
            Notice::Welcome,
        ]
    }

    /// S79: also a product's name with special characters stays text, in every language.
    #[test]
    fn both_forms_of_a_notice_say_the_same() {
        for (notice, language) in all().into_iter().flat_map(|notice| Language::ALL.map(|language| (notice, language)))
        {
            let message = notice.message(language, "<b>&Co").unwrap();
            assert!(message.subject.contains("<b>&Co"), "{}", message.subject);
            assert!(!message.html.contains("<b>&Co") && message.html.contains("&#60;b&#62;&#38;Co"));
            assert_eq!(visible(&message.html).replace(": ", " "), visible_text(&message.text));
            for body in [&message.text, &message.html] {
                assert_eq!(body.contains("2026-01-01 00:01 UTC"), notice.time().is_some(), "{body}");
                assert_eq!(body.contains("Firefox on Linux"), notice.device().is_some(), "{body}");
                assert_eq!(body.contains(LINK), notice.link().is_some(), "{body}");
            }
        }
    }

    /// The words of the text form. Its colons and the link itself stand for the look of the HTML.
    fn visible_text(text: &str) -> String {
        let lines = text.lines().filter(|line| *line != LINK).map(|line| line.trim_end_matches(':'));
        lines
            .collect::<Vec<_>>()
            .join(" ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace(": ", " ")
            .replace(['\u{2066}', '\u{2069}'], "")
    }
}
