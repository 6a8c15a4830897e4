//! Users: what is known of a person, and which of their sessions live.

use std::collections::BTreeMap;

use crate::words::{Identifier, SessionId, Timestamp, UserId};

/// A user as its item holds it.
#[derive(Clone, Debug)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The address that was proved, if it was an email address.
    pub email: Option<String>,
    /// The number that was proved, if it was a phone.
    pub phone: Option<String>,
    /// At most [`LONGEST_NAME`] characters.
    pub first_name: String,
    /// At most [`LONGEST_NAME`] characters.
    pub last_name: String,
    /// When the first code was answered.
    pub joined: Timestamp,
    /// When the last one was.
    pub last_login: Option<Timestamp>,
    /// The one authority on which sessions live, with the time each was opened.
    pub sessions: BTreeMap<String, Timestamp>,
}

/// Characters of a first or last name: with ten sessions and the longest address, the item stays under 1 KB.
pub const LONGEST_NAME: usize = 30;

impl User {
    /// A user who has just proved `identifier`. It is verified by that: no other kind is ever stored (V18).
    pub fn sign_up(id: UserId, identifier: &Identifier, session: &SessionId, now: Timestamp) -> User {
        let (email, phone) = match identifier {
            Identifier::Email(email) => (Some(email.reveal().to_owned()), None),
            Identifier::Phone(phone) => (None, Some(phone.reveal().to_owned())),
        };
        let sessions = BTreeMap::from([(session.as_str().to_owned(), now)]);
        let (first_name, last_name) = (String::new(), String::new());
        User { id, email, phone, first_name, last_name, joined: now, last_login: Some(now), sessions }
    }

    /// Whether the session lives.
    pub fn has(&self, session: &SessionId) -> bool {
        self.sessions.contains_key(session.as_str())
    }

    /// The sessions that must end for one more to fit: the oldest ones.
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
