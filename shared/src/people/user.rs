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
    /// The UTC day of the last refresh that was the first one of a day, in days since the epoch. [`User::last_active`] reads it.
    pub refreshed: Option<u64>,
    /// Why sessions ended in the last write that ended any. `None` before the first one.
    pub ended: Option<EndReason>,
    /// When the user's first second factor was added. `None` while the user has no second factor, so a sign-in without one reads
    /// nothing more.
    pub second_factor_since: Option<Timestamp>,
    /// When the user first signed in under a policy that requires a second factor.
    pub grace_began: Option<Timestamp>,
}

/// Why a session ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Its client signed out.
    Logout,
    /// The user signed out everywhere.
    Everywhere,
    /// Another session of the user ended it.
    Revoked,
    /// A newer session needed its place.
    Limit,
    /// A used refresh token was presented, so someone probably has a copy.
    Reuse,
    /// The user has disavowed a sign-in.
    Disavowed,
    /// The user has changed the second factors in another session.
    Factors,
}

impl EndReason {
    const ALL: [EndReason; 7] = [
        EndReason::Logout,
        EndReason::Everywhere,
        EndReason::Revoked,
        EndReason::Limit,
        EndReason::Reuse,
        EndReason::Disavowed,
        EndReason::Factors,
    ];

    /// Its name in the table and in events.
    pub fn name(self) -> &'static str {
        match self {
            EndReason::Logout => "logout",
            EndReason::Everywhere => "everywhere",
            EndReason::Revoked => "revoked",
            EndReason::Limit => "limit",
            EndReason::Reuse => "reuse",
            EndReason::Disavowed => "disavowed",
            EndReason::Factors => "factors",
        }
    }

    /// Whether all sessions ended and all device tokens with them. Devices from before are strangers again.
    pub fn is_of_all(name: &str) -> bool {
        [EndReason::Everywhere, EndReason::Disavowed].iter().any(|reason| reason.name() == name)
    }

    /// The reason with this name, if this version knows it.
    pub fn named(name: &str) -> Option<EndReason> {
        EndReason::ALL.into_iter().find(|reason| reason.name() == name)
    }
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
        User {
            id,
            email,
            phone,
            first_name,
            last_name,
            joined: now,
            last_login: Some(now),
            sessions,
            epoch: 0,
            refreshed: None,
            ended: None,
            second_factor_since: None,
            grace_began: None,
        }
    }

    /// The user's own identifiers.
    pub fn identifiers(&self) -> impl Iterator<Item = Identifier> {
        [&self.email, &self.phone].into_iter().flatten().filter_map(|address| address.parse().ok())
    }

    /// The UTC day of the last sign-in or refresh, in days since the epoch.
    pub fn last_active(&self) -> u64 {
        let signed_in = self.last_login.unwrap_or(self.joined).day();
        self.refreshed.map_or(signed_in, |refreshed| refreshed.max(signed_in))
    }

    /// Whether the user has a second factor.
    pub fn has_second_factor(&self) -> bool {
        self.second_factor_since.is_some()
    }

    /// Whether the session is active.
    pub fn has(&self, session: &SessionId) -> bool {
        self.sessions.contains_key(session.as_str())
    }

    /// When the session was opened, if it is active.
    pub fn opened(&self, session: &SessionId) -> Option<Timestamp> {
        self.sessions.get(session.as_str()).copied()
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
    fn a_reason_is_found_by_its_name() {
        for reason in EndReason::ALL {
            assert_eq!(EndReason::named(reason.name()), Some(reason));
        }
        assert_eq!(EndReason::named("later version"), None);
    }

    #[test]
    fn the_last_activity_is_the_later_of_sign_in_and_refresh() {
        let (now, ada) = (Timestamp::from_unix(5 * 86_400), "ada@example.com".parse().unwrap());
        let id = UserId::draw(&Entropy, now).unwrap();
        let user = User::sign_up(id, &ada, &SessionId::draw(&Entropy).unwrap(), now);
        let last_active = |refreshed| User { refreshed, ..user.clone() }.last_active();
        assert_eq!([None, Some(4), Some(5), Some(6)].map(last_active), [5, 5, 5, 6]);
    }

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
