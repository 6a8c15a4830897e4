//! A change of one item, as the stream of UserTable tells it.

use std::fmt;
use std::str::FromStr;

use super::event::{Event, What};
use super::source::Source;
use crate::people::Familiarity;
use crate::people::User;
use crate::sessions::Device;
use crate::words::{Error, Result, SessionId, Timestamp, UserId};

/// The place of a record in its shard. Numbers of two shards cannot be compared.
///
/// It is the text of the number, with zeros in front, so that texts sort like numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sequence(String);

/// The most digits of a number, as DynamoDB documents it. No integer type has as many.
const LONGEST_SEQUENCE: usize = 40;

impl FromStr for Sequence {
    type Err = Error;

    /// Reads the digits of a `SequenceNumber`. Their count varies.
    fn from_str(text: &str) -> Result<Sequence> {
        let is_number = (1..=LONGEST_SEQUENCE).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        match is_number {
            true => Ok(Sequence(format!("{text:0>LONGEST_SEQUENCE$}"))),
            false => Err(Error::invalid("a SequenceNumber has 1 to 40 digits")),
        }
    }
}

/// With zeros in front.
impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One record of the stream.
#[derive(Clone, Debug)]
pub struct Change {
    /// The stream's id of the record, the same whenever it is delivered again.
    pub id: String,
    /// Its place in the shard.
    pub sequence: Sequence,
    /// When the item changed, to the second.
    pub at: Timestamp,
    /// The item before and after.
    pub item: Changed,
}

/// What changed.
#[derive(Clone, Debug)]
pub enum Changed {
    /// A session's item is new.
    Session {
        /// The user of the session.
        user: UserId,
        /// The session.
        session: SessionId,
        /// When it was opened.
        opened: Timestamp,
        /// The way of the sign-in, such as `otp_email`.
        way: String,
        /// The device, in a few words.
        device: Device,
        /// How well it was known.
        familiarity: Familiarity,
    },
    /// An identifier's item is new, or names another user. A sign-up made it.
    Identifier {
        /// The new user.
        user: UserId,
        /// When the user signed up.
        at: Timestamp,
        /// The way of the sign-up.
        way: String,
        /// The page the user came from, as the client reported it.
        source_url: Option<String>,
    },
    /// A user's item.
    User {
        /// The user.
        id: UserId,
        /// `None` if the user is new.
        before: Option<Box<User>>,
        /// `None` if the user is deleted.
        after: Option<Box<User>>,
    },
    /// Any other item, or a change that means nothing here, such as a refresh.
    Other,
}

impl Change {
    /// The events of this change. Their ids are the same whenever the change is delivered again.
    pub fn events(&self) -> Vec<Event> {
        let mut happened = Vec::new();
        match &self.item {
            Changed::Session { user, session, way, device, familiarity, .. } => {
                let (session, way, device) = (session.clone(), way.clone(), device.clone());
                happened.push((user, What::SessionOpened { session, way, device, familiarity: *familiarity }));
            }
            Changed::Identifier { user, way, source_url, .. } => {
                let source = source_url.as_deref().and_then(Source::of);
                happened.push((user, What::UserCreated { way: way.clone(), source }));
            }
            Changed::User { id, before: Some(before), after: Some(after) } => {
                // The write that ends sessions says why.
                let reason = after.ended;
                let ended = before.sessions.keys().filter(|session| !after.sessions.contains_key(*session));
                happened.extend(ended.map(|session| (id, What::SessionEnded { session: session.clone(), reason })));
                let fields = updated(before, after);
                if !fields.is_empty() {
                    happened.push((id, What::UserUpdated { fields }));
                }
            }
            Changed::User { id, before: Some(_), after: None } => happened.push((id, What::UserErased)),
            Changed::User { .. } | Changed::Other => {}
        }
        let event = |(number, (user, what)): (usize, (&UserId, What))| Event {
            id: format!("{}-{number}", self.id),
            at: self.at,
            user: user.clone(),
            what,
        };
        happened.into_iter().enumerate().map(event).collect()
    }
}

/// The names of changed fields of the profile.
fn updated(before: &User, after: &User) -> Vec<&'static str> {
    let fields =
        [("first_name", before.first_name != after.first_name), ("last_name", before.last_name != after.last_name)];
    fields.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::people::EndReason;
    use crate::words::Entropy;

    pub(crate) const AT: u64 = 1_800_000_000;

    pub(crate) fn user(sessions: &[&str], epoch: u32) -> Box<User> {
        let now = Timestamp::from_unix(AT);
        let ada = "ada@example.com".parse().unwrap();
        let session = SessionId::draw(&Entropy).unwrap();
        let id = "00000000-0000-7000-8000-000000000000".parse().unwrap();
        let mut user = User::sign_up(id, &ada, &session, now);
        user.sessions = sessions.iter().map(|id| ((*id).to_owned(), now)).collect();
        Box::new(User { epoch, ..user })
    }

    pub(crate) fn change(item: Changed) -> Change {
        Change { id: "a".to_owned(), sequence: "1".parse().unwrap(), at: Timestamp::from_unix(AT), item }
    }

    fn of_user(before: Option<Box<User>>, after: Option<Box<User>>) -> Vec<What> {
        let id = user(&[], 0).id;
        change(Changed::User { id, before, after }).events().into_iter().map(|event| event.what).collect()
    }

    fn ended(session: &str, reason: Option<EndReason>) -> What {
        What::SessionEnded { session: session.to_owned(), reason }
    }

    #[test]
    fn sequence_numbers_sort_as_numbers_in_both_forms() {
        let longest = "9".repeat(40);
        let numbers = ["5", "10", "999999999999999999999", "1000000000000000000000", &longest];
        let parsed: Vec<Sequence> = numbers.iter().map(|text| text.parse().unwrap()).collect();
        let written: Vec<String> = parsed.iter().map(ToString::to_string).collect();
        assert!(parsed.is_sorted() && written.is_sorted() && written.iter().all(|text| text.len() == 40));
        assert_eq!(written[1].parse::<Sequence>().unwrap(), parsed[1]);
        for wrong in ["", "-1", "+1", "1.5", "x", &"1".repeat(41)] {
            assert!(wrong.parse::<Sequence>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_entry_that_leaves_the_list_is_a_session_that_ended() {
        let two = user(&["a", "b"], 0);
        let after = |sessions: &[&str], ended| Some(Box::new(User { ended, ..*user(sessions, 0) }));
        for reason in [None, Some(EndReason::Logout), Some(EndReason::Reuse)] {
            assert_eq!(of_user(Some(two.clone()), after(&["b"], reason)), [ended("a", reason)]);
            assert_eq!(of_user(Some(two.clone()), after(&["b", "c"], reason)), [ended("a", reason)]);
            assert_eq!(of_user(Some(two.clone()), after(&[], reason)), [ended("a", reason), ended("b", reason)]);
        }
        assert_eq!(of_user(Some(two.clone()), Some(two.clone())), []);
        assert_eq!(of_user(None, Some(two.clone())), []);
        assert_eq!(of_user(Some(two), None), [What::UserErased]);
    }

    #[test]
    fn an_update_names_fields_and_no_values() {
        let before = user(&["a"], 0);
        let after = Box::new(User { first_name: "Ada".to_owned(), ..*before.clone() });
        let what = of_user(Some(before.clone()), Some(after.clone()));
        assert_eq!(what, [What::UserUpdated { fields: vec!["first_name"] }]);
        let both = Box::new(User { last_name: "Lovelace".to_owned(), ..*after });
        assert_eq!(of_user(Some(before), Some(both)), [What::UserUpdated { fields: vec!["first_name", "last_name"] }]);
    }

    #[test]
    fn the_events_of_a_change_have_the_same_ids_every_time() {
        let (before, after) = (Some(user(&["a", "b"], 0)), Some(user(&[], 1)));
        let change = change(Changed::User { id: user(&[], 0).id, before, after });
        let ids = || change.events().into_iter().map(|event| event.id).collect::<Vec<_>>();
        assert_eq!(ids(), ["a-0", "a-1"]);
        assert_eq!(ids(), ids());
    }
}
