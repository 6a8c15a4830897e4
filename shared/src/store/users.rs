//! `U#<user>` in `UserTable`: what is known of a user, and which of its sessions live.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::expression::{Path, Value};
use super::row::{self, row};
use super::send::{MOST_ROUNDS, Written};
use super::table::{Item, Users};
use super::write::Unconditional;
use crate::observe::report::{self, Step};
use crate::people::User;
use crate::sessions::Subject;
use crate::words::{Error, ItemKey, Result, SessionId, Timestamp, UserId};

row! {
    /// The names are short because the whole item must stay within one write unit.
    #[derive(Serialize, Deserialize)]
    struct Row {
        /// `U#` and the user's id.
        PK = "pk" => #[serde(deserialize_with = "row::key")] pk: ItemKey,
        /// The proved email address.
        EMAIL = "email" => #[serde(skip_serializing_if = "Option::is_none")] email: Option<String>,
        /// The proved phone number, in E.164.
        PHONE = "phone" => #[serde(skip_serializing_if = "Option::is_none")] phone: Option<String>,
        /// The first name.
        FIRST_NAME = "first" => #[serde(default, skip_serializing_if = "String::is_empty")] first_name: String,
        /// The last name.
        LAST_NAME = "last" => #[serde(default, skip_serializing_if = "String::is_empty")] last_name: String,
        /// When the user signed up, in Unix seconds.
        JOINED = "dj" => joined: u64,
        /// When the user signed in last, in Unix seconds.
        LAST_LOGIN = "ll" => last_login: Option<u64>,
        /// The sessions that live, with the time at which each was opened, in Unix seconds.
        SESSIONS = "ss" => sessions: BTreeMap<String, u64>,
    }
}

const KIND: &str = "U";

impl Users<'_> {
    /// The user as it is now.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn user(&self, id: &UserId) -> Result<Option<User>> {
        self.table.get(&self.key(KIND, &id.to_string())).await?.map(read).transpose()
    }

    /// The user of `subject`: one read says that both the user and the session live.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] where one of them does not.
    pub async fn living(&self, subject: &Subject) -> Result<User> {
        self.user(&subject.user).await?.filter(|user| user.has(&subject.session)).ok_or(Error::InvalidToken)
    }

    /// Enters a session into its user's list, ending the oldest ones where there are `most`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the item never stands still.
    pub(crate) async fn enter_session(
        &self,
        user: &User,
        session: &SessionId,
        most: usize,
        now: Timestamp,
    ) -> Result<()> {
        let mut user = user.clone();
        for _ in 0..MOST_ROUNDS {
            let surplus = user.surplus(most);
            let mut write = self
                .update_user(&user.id)
                .when(SESSIONS.has_fewer_than(("room", most + surplus.len())))
                .set(entry(session), ("now", now))
                .set(LAST_LOGIN, ("now", now));
            for old in &surplus {
                let oldest = SESSIONS.entry("oldest", old);
                write = write.when(oldest.exists()).remove(oldest);
            }
            match write.send().await? {
                Written::Done(_) => return Ok(()),
                Written::Refused(None) => return Err(Error::internal("an identifier names a user that is not there")),
                Written::Refused(Some(item)) => user = read(item)?,
            }
            // The SDK repeats a write whose answer was lost; the repetition finds the session entered.
            if user.has(session) {
                return Ok(());
            }
        }
        Err(Error::unavailable("the user's item is busy"))
    }

    /// Ends one session. Says whether it lived.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn end_session(&self, user: &UserId, session: &SessionId) -> Result<bool> {
        let session = entry(session);
        let write = self.update_user(user).when(session.exists()).remove(session);
        let lived = matches!(write.send().await?, Written::Done(_));
        report::note(Step::Ended { all: false, lived });
        Ok(lived)
    }

    /// Ends all sessions of the user, if `session` is one of them and was opened after `oldest`: one write, however many
    /// they are. Only that age is asked for: a session past its absolute end may still be listed, and its token, found in
    /// some backup, signs nobody out. One that died unused, or a used token, still does, which is the safe direction.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn end_all_sessions(&self, user: &UserId, session: &SessionId, oldest: Timestamp) -> Result<bool> {
        let write = self.update_user(user).when(entry(session).above(("oldest", oldest))).set(SESSIONS, Item::new());
        let lived = matches!(write.send().await?, Written::Done(_));
        report::note(Step::Ended { all: true, lived });
        Ok(lived)
    }

    /// Ends `session`, if `by` lives: in the one write that asks whether it does, so that whoever was signed out meanwhile
    /// ends nothing. `None` where `by` does not live, else whether `session` did; somebody else's is in no list of this user.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn end_session_by(&self, user: &UserId, by: &SessionId, session: &SessionId) -> Result<Option<bool>> {
        let write = self
            .update_user(user)
            .when(SESSIONS.entry("by", by.as_str()).exists())
            .remove(entry(session))
            .returning_before();
        match write.send().await? {
            Written::Done(before) => Ok(Some(read(before)?.has(session))),
            Written::Refused(_) => Ok(None),
        }
    }

    /// Ends all sessions of the user but the one that was opened at `opened`, if that lives: one write, however many they
    /// are. `None` where it does not live, else how many ended.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn end_other_sessions(
        &self,
        user: &UserId,
        session: &SessionId,
        opened: Timestamp,
    ) -> Result<Option<usize>> {
        let only = Item::from([(session.as_str().to_owned(), opened.attribute_value())]);
        let write =
            self.update_user(user).when(entry(session).is(("opened", opened))).set(SESSIONS, only).returning_before();
        match write.send().await? {
            Written::Done(before) => Ok(Some(read(before)?.sessions.len().saturating_sub(1))),
            Written::Refused(_) => Ok(None),
        }
    }

    fn update_user(&self, id: &UserId) -> Unconditional<'_> {
        self.table.update(self.key(KIND, &id.to_string()))
    }

    /// The item of a user about to be made.
    pub(super) fn user_item(&self, user: &User) -> Result<Item> {
        item(self.key(KIND, &user.id.to_string()), user)
    }
}

/// The session in its user's list.
fn entry(session: &SessionId) -> Path<'_> {
    SESSIONS.entry("session", session.as_str())
}

fn item(pk: ItemKey, user: &User) -> Result<Item> {
    row::write(Row {
        pk,
        email: user.email.clone(),
        phone: user.phone.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        joined: user.joined.unix(),
        last_login: user.last_login.map(Timestamp::unix),
        sessions: user.sessions.iter().map(|(id, opened)| (id.clone(), opened.unix())).collect(),
    })
}

fn read(item: Item) -> Result<User> {
    let row: Row = row::read(item)?;
    Ok(User {
        id: row.pk.last_part().parse()?,
        email: row.email,
        phone: row.phone,
        first_name: row.first_name,
        last_name: row.last_name,
        joined: Timestamp::from_unix(row.joined),
        last_login: row.last_login.map(Timestamp::from_unix),
        sessions: row.sessions.into_iter().map(|(id, opened)| (id, Timestamp::from_unix(opened))).collect(),
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;
    use crate::people::LONGEST_NAME;
    use crate::words::Entropy;

    /// The size that DynamoDB counts: names and values in UTF-8, numbers at about half their digits and one, a map
    /// with 3 bytes and one for each entry.
    fn size(value: &AttributeValue) -> usize {
        match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
            AttributeValue::M(map) => 3 + map.iter().map(|(name, value)| name.len() + size(value) + 1).sum::<usize>(),
            other => panic!("{other:?} is not in a user's item"),
        }
    }

    #[test]
    fn the_longest_user_is_one_write_unit() {
        let now = Timestamp::from_unix(4_102_444_800);
        let local = "a".repeat(64);
        let domain = format!("{}.{}.{}.com", "b".repeat(63), "c".repeat(63), "d".repeat(57));
        let email = format!("{local}@{domain}");
        assert_eq!(email.len(), 254);
        let identifier = email.parse().unwrap();
        let session = SessionId::draw(&Entropy).unwrap();
        let mut user = User::sign_up(UserId::draw(&Entropy, now).unwrap(), &identifier, &session, now);
        user.phone = Some("+123456789012345".to_owned());
        (user.first_name, user.last_name) = ("𝕏".repeat(LONGEST_NAME), "𝕏".repeat(LONGEST_NAME));
        user.sessions = (0..10).map(|_| (SessionId::draw(&Entropy).unwrap().as_str().to_owned(), now)).collect();
        let item = item(ItemKey::from_table(format!("U#{}", user.id)), &user).unwrap();
        let bytes: usize = item.iter().map(|(name, value)| name.len() + size(value)).sum();
        assert!(bytes < 1_024, "{bytes} bytes");
    }
}
