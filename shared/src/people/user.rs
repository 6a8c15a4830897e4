//! Users: their identifier, profile and active sessions.

use std::collections::BTreeMap;

use crate::words::{Identifier, SessionId, Timestamp, UserId};

/// A user as stored in the table.
#[derive(Clone, Debug)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The verified email address, if the user signed up with one.
    pub email: Option<String>,
    /// The verified phone number, if the user signed up with one.
    pub phone: Option<String>,
    /// The first name, at most [`LONGEST_NAME`] characters.
    pub first_name: String,
    /// The last name, at most [`LONGEST_NAME`] characters.
    pub last_name: String,
    /// When the user first signed in.
    pub joined: Timestamp,
    /// When the user last signed in.
    pub last_login: Option<Timestamp>,
    /// The active sessions by id, with the time of their opening. This map alone decides whether a session is active.
    pub sessions: BTreeMap<String, Timestamp>,
    /// How often the user signed out everywhere. A sign-in that began in an earlier epoch opens no session.
    pub epoch: u32,
}

/// The maximum length of a first or last name in characters. It keeps the item below 1 KB, even with ten sessions and
/// the longest address.
pub const LONGEST_NAME: usize = 30;

impl User {
    /// A new user who has just proved `identifier`. Unverified identifiers are never stored (V18).
    pub fn sign_up(id: UserId, identifier: &Identifier, session: &SessionId, now: Timestamp) -> User {
        let (email, phone) = match identifier {
            Identifier::Email(email) => (Some(email.reveal().to_owned()), None),
            Identifier::Phone(phone) => (None, Some(phone.reveal().to_owned())),
        };
        let sessions = BTreeMap::from([(session.as_str().to_owned(), now)]);
        let (first_name, last_name) = (String::new(), String::new());
        User { id, email, phone, first_name, last_name, joined: now, last_login: Some(now), sessions, epoch: 0 }
    }

    /// The user's own identifiers.
    pub fn identifiers(&self) -> impl Iterator<Item = Identifier> {
        [&self.email, &self.phone].into_iter().flatten().filter_map(|address| address.parse().ok())
    }

    /// Whether the session is active.
    pub fn has(&self, session: &SessionId) -> bool {
        self.sessions.contains_key(session.as_str())
    }

    /// The sessions that must end to make room for another one: the oldest.
    pub fn surplus(&self, most: usize) -> Vec<String> {
        let mut by_age: Vec<_> = self.sessions.iter().map(|(id, opened)| (*opened, id)).collect();
        by_age.sort();
        let surplus = (by_age.len() + 1).saturating_sub(most);
        by_age.into_iter().take(surplus).map(|(_, id)| id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Entropy;

    #[test]
    fn the_oldest_sessions_make_room() {
        let (now, ada) = (Timestamp::from_unix(5), "ada@example.com".parse().unwrap());
        let mut user =
            User::sign_up(UserId::draw(&Entropy, now).unwrap(), &ada, &SessionId::draw(&Entropy).unwrap(), now);
        user.sessions = [("a", 3), ("b", 1), ("c", 2)].map(|(id, at)| (id.to_owned(), Timestamp::from_unix(at))).into();
        assert_eq!(user.surplus(10), Vec::<String>::new());
        assert_eq!(user.surplus(4), Vec::<String>::new());
        assert_eq!(user.surplus(3), ["b"]);
        assert_eq!(user.surplus(1), ["b", "c", "a"]);
    }
}
