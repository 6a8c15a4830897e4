//! Events: thin, without an address, a name or a code.

use std::str::FromStr;

use serde_json::{Value, json};

use super::source::Source;
use crate::people::{EndReason, Familiarity};
use crate::sessions::Device;
use crate::words::{Entropy, Error, Result, Tenant, Timestamp, UserId, random_id};

/// Something that happened to a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Unique, and the same whenever the event comes again.
    pub id: String,
    /// When it happened, to the second.
    pub at: Timestamp,
    /// The user.
    pub user: UserId,
    /// What happened.
    pub what: What,
}

/// The longest id of an event, in bytes.
const LONGEST_ID: usize = 64;

/// The id of an event, as a function gets it from the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventId(String);

impl EventId {
    /// A new random id, for an event that no stream has told.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn draw(entropy: &Entropy) -> Result<EventId> {
        // An id has no underscores.
        Ok(EventId(random_id(entropy)?.replace('_', "-")))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EventId {
    type Err = Error;

    fn from_str(text: &str) -> Result<EventId> {
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        match (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(is_id) {
            true => Ok(EventId(text.to_owned())),
            false => Err(Error::invalid("the event has no id as `record` makes it")),
        }
    }
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Someone signed in.
    SessionOpened {
        /// The new session.
        session: crate::words::SessionId,
        /// The way of the sign-in, such as `otp_email`.
        way: String,
        /// The device, in a few words.
        device: Device,
        /// How well it was known.
        familiarity: Familiarity,
    },
    /// A session ended before its time.
    SessionEnded {
        /// The session.
        session: String,
        /// Why it ended. `None` if its user's item does not say, because someone changed it by hand.
        reason: Option<EndReason>,
    },
    /// A sign-up.
    UserCreated {
        /// The way of the sign-up.
        way: String,
        /// Where the user came from, if the client reported a web page.
        source: Option<Source>,
    },
    /// The user's item was deleted. The rest of the user is erased.
    UserErased,
    /// The profile changed.
    UserUpdated {
        /// The names of the changed fields.
        fields: Vec<&'static str>,
    },
}

impl What {
    /// Its name in events.
    pub fn name(&self) -> &'static str {
        match self {
            What::SessionOpened { .. } => "session.opened",
            What::SessionEnded { .. } => "session.ended",
            What::UserCreated { .. } => "user.created",
            What::UserErased => "user.erased",
            What::UserUpdated { .. } => "user.updated",
        }
    }
}

impl Event {
    /// The event as the bus gets it.
    pub fn detail(&self) -> Value {
        let mut detail = json!({ "id": self.id, "type": self.what.name(), "time": self.at.to_string(),
            "tenant": Tenant::default().as_str(), "user": self.user.to_string() });
        let mut add = |name: &str, value: Value| {
            if let Some(members) = detail.as_object_mut() {
                members.insert(name.to_owned(), value);
            }
        };
        match &self.what {
            What::SessionOpened { session, way, familiarity, .. } => {
                add("session", json!(session.as_str()));
                add("method", json!(way));
                add("known_device", json!(*familiarity == Familiarity::Known));
                add("is_new_user", json!(*familiarity == Familiarity::SignUp));
            }
            What::SessionEnded { session, reason } => {
                add("session", json!(session));
                add("reason", json!(reason.map_or("other", EndReason::name)));
            }
            What::UserCreated { way, source } => {
                add("method", json!(way));
                if let Some(Source { url, name, category }) = source {
                    add("source", json!(name));
                    add("category", json!(category));
                    add("url", json!(url));
                }
            }
            What::UserErased => {}
            What::UserUpdated { fields } => add("fields", json!(fields)),
        }
        detail
    }
}

#[cfg(test)]
mod tests {
    use super::super::change::Changed;
    use super::super::change::tests::{change, user};
    use super::*;

    #[test]
    fn the_detail_of_an_event_is_thin() {
        let id = user(&[], 0).id;
        let source_url = Some("https://www.example.com/pricing?email=ada@example.com".to_owned());
        let at = crate::words::Timestamp::from_unix(1_800_000_000);
        let change = change(Changed::Identifier { user: id.clone(), at, way: "otp_email".to_owned(), source_url });
        let expected = json!({ "id": "a-0", "type": "user.created", "time": "2027-01-15T08:00:00Z", "tenant": "default",
            "user": id.to_string(), "method": "otp_email", "source": "Example", "category": "Pricing Page",
            "url": "https://example.com/pricing" });
        assert_eq!(change.events()[0].detail(), expected);
        let device = Device { words: "Firefox on Linux".to_owned(), prefix: "192.0.2.0/24".to_owned() };
        let session = "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap();
        let familiarity = Familiarity::Known;
        let what = What::SessionOpened { session, way: "otp_sms".to_owned(), device, familiarity };
        let detail = Event { id: "b-0".to_owned(), at: change.at, user: id, what }.detail();
        assert_eq!((&detail["type"], &detail["method"]), (&json!("session.opened"), &json!("otp_sms")));
        assert_eq!((&detail["known_device"], &detail["is_new_user"]), (&json!(true), &json!(false)));
        assert!(!detail.to_string().contains("Firefox") && !detail.to_string().contains("192.0.2"), "{detail}");
    }
}
