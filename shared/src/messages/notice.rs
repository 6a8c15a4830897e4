//! Notices: mails about something that has happened to an account.

use askama::Template;

use super::Message;
use super::notice_words::{
    COMMON, CONTACT_CHANGED, FACTOR_ADDED, FACTOR_REMOVED, LEAVING, NEW_SIGN_IN, NoticeWords, SUSPENDED, WELCOME,
};
use crate::words::{Error, Result, Timestamp};

/// What a user is told. A notice has no code, no address and no network: only words for the device, and a time.
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

/// What both forms of a mail show.
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
    product: &'a str,
    content: &'a Content<'a>,
}

#[derive(Template)]
#[template(path = "notice.txt")]
struct Text<'a> {
    content: &'a Content<'a>,
}

impl Notice<'_> {
    /// The mail to the user.
    ///
    /// # Errors
    /// [`Error::Internal`] when a template fails to render.
    pub(super) fn message(&self, product: &str) -> Result<Message> {
        let words = self.words();
        let fill = |text: &str| text.replace("{product}", product);
        let time = self.time().map(in_minutes);
        let device = self.device().map(|value| Fact { name: COMMON.device, value });
        let facts = device.into_iter().chain(time.as_deref().map(|value| Fact { name: COMMON.time, value }));
        let content = &Content {
            title: words.title,
            body: fill(words.body),
            facts: facts.collect(),
            link: self.link().map(|link| (COMMON.not_me, link)),
            last: [words.if_you, words.if_not_you].into_iter().filter(|text| !text.is_empty()).map(fill).collect(),
        };
        Ok(Message {
            subject: fill(words.subject),
            text: Text { content }.render().map_err(Error::internal)?,
            html: Html { product, content }.render().map_err(Error::internal)?,
        })
    }

    fn words(&self) -> &'static NoticeWords {
        match self {
            Notice::NewSignIn { .. } => &NEW_SIGN_IN,
            Notice::ContactChanged { .. } => &CONTACT_CHANGED,
            Notice::FactorAdded { .. } => &FACTOR_ADDED,
            Notice::FactorRemoved { .. } => &FACTOR_REMOVED,
            Notice::Leaving { .. } => &LEAVING,
            Notice::Suspended => &SUSPENDED,
            Notice::Welcome => &WELCOME,
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

    /// S79: also a product's name with special characters stays text.
    #[test]
    fn both_forms_of_a_notice_say_the_same() {
        for notice in all() {
            let message = notice.message("<b>&Co").unwrap();
            assert!(message.subject.contains("<b>&Co"), "{}", message.subject);
            assert!(!message.html.contains("<b>&Co") && message.html.contains("&#60;b&#62;&#38;Co"));
            for body in [&message.text, &message.html] {
                assert!(!body.contains("{product}"), "{body}");
                assert!(body.contains(notice.words().title), "{body}");
                assert_eq!(body.contains("2026-01-01 00:01 UTC"), notice.time().is_some(), "{body}");
                assert_eq!(body.contains("Firefox on Linux"), notice.device().is_some(), "{body}");
                assert_eq!(body.contains(LINK), notice.link().is_some(), "{body}");
            }
        }
    }
}
