//! `U#<user>` in `UserTable`: what is known of a user, and which of its sessions live.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use serde::{Deserialize, Serialize};

use super::UserTable;
use super::write::{self, Item, Written, number};
use crate::observe::report::{self, Step};
use crate::people::User;
use crate::words::{Error, Result, SessionId, Timestamp, UserId};

/// Each refused write of ours means that another sign-in of the same user went through.
const MOST_TRIES: usize = 16;

/// The user's item. Names are short because all of it must stay within one write unit.
#[derive(Serialize, Deserialize)]
struct UserRow {
    pk: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    first: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    last: String,
    /// When the user was made.
    dj: u64,
    /// The last sign-in.
    ll: Option<u64>,
    /// Live sessions and when each was opened.
    ss: BTreeMap<String, u64>,
}

impl UserTable {
    /// The user as it is now.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn user(&self, id: &UserId) -> Result<Option<User>> {
        write::get(self.table.get(&user_key(id)).consistent_read(true)).await?.map(read).transpose()
    }

    /// Enters a session into its user's list, ending the oldest ones where there are `most`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the item never stands still.
    pub async fn enter_session(&self, user: &User, session: &SessionId, most: usize, now: Timestamp) -> Result<()> {
        let mut user = user.clone();
        for _ in 0..MOST_TRIES {
            let surplus = user.surplus(most);
            let mut write = self.table.update(&user_key(&user.id));
            let mut condition = "size(ss) < :room".to_owned();
            let mut remove = String::new();
            for (index, old) in surplus.iter().enumerate() {
                condition.push_str(&format!(" AND attribute_exists(ss.#old{index})"));
                remove.push_str(&format!("{} ss.#old{index}", if index == 0 { " REMOVE" } else { "," }));
                write = write.expression_attribute_names(format!("#old{index}"), old);
            }
            let write = write
                .update_expression(format!("SET ss.#sid = :now, ll = :now{remove}"))
                .condition_expression(condition)
                .expression_attribute_names("#sid", session.as_str())
                .expression_attribute_values(":now", number(now.unix()))
                .expression_attribute_values(":room", number((most + surplus.len()) as u64));
            match write::update(write).await? {
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
        let write = self.table.update(&user_key(user)).update_expression("REMOVE ss.#sid");
        let write = write
            .condition_expression("attribute_exists(ss.#sid)")
            .expression_attribute_names("#sid", session.as_str());
        let lived = matches!(write::update(write).await?, Written::Done(_));
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
        let write = self
            .table
            .update(&user_key(user))
            .update_expression("SET ss = :none")
            .condition_expression("ss.#sid > :oldest")
            .expression_attribute_names("#sid", session.as_str())
            .expression_attribute_values(":oldest", number(oldest.unix()))
            .expression_attribute_values(":none", AttributeValue::M(Item::new()));
        let lived = matches!(write::update(write).await?, Written::Done(_));
        report::note(Step::Ended { all: true, lived });
        Ok(lived)
    }

    /// Ends `session`, if `by` lives: in the one write that asks whether it does, so that whoever was signed out meanwhile
    /// ends nothing. `None` where `by` does not live, else whether `session` did; somebody else's is in no list of this user.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn end_session_by(&self, user: &UserId, by: &SessionId, session: &SessionId) -> Result<Option<bool>> {
        let write = self.table.update(&user_key(user)).update_expression("REMOVE ss.#sid");
        let write = write
            .return_values(ReturnValue::AllOld)
            .condition_expression("attribute_exists(ss.#by)")
            .expression_attribute_names("#sid", session.as_str())
            .expression_attribute_names("#by", by.as_str());
        match write::update(write).await? {
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
        let only = Item::from([(session.as_str().to_owned(), number(opened.unix()))]);
        let write = self.table.update(&user_key(user)).update_expression("SET ss = :only");
        let write = write
            .return_values(ReturnValue::AllOld)
            .condition_expression("ss.#sid = :opened")
            .expression_attribute_names("#sid", session.as_str())
            .expression_attribute_values(":opened", number(opened.unix()))
            .expression_attribute_values(":only", AttributeValue::M(only));
        match write::update(write).await? {
            Written::Done(before) => Ok(Some(read(before)?.sessions.len().saturating_sub(1))),
            Written::Refused(_) => Ok(None),
        }
    }
}

fn user_key(id: &UserId) -> String {
    format!("U#{id}")
}

/// The item of a user about to be made.
pub(super) fn item(user: &User) -> Result<Item> {
    serde_dynamo::to_item(UserRow::of(user)).map_err(Error::internal)
}

impl UserRow {
    fn of(user: &User) -> UserRow {
        UserRow {
            pk: user_key(&user.id),
            email: user.email.clone(),
            phone: user.phone.clone(),
            first: user.first_name.clone(),
            last: user.last_name.clone(),
            dj: user.joined.unix(),
            ll: user.last_login.map(Timestamp::unix),
            ss: user.sessions.iter().map(|(id, opened)| (id.clone(), opened.unix())).collect(),
        }
    }
}

fn read(item: Item) -> Result<User> {
    let row: UserRow = write::row(item)?;
    let id = row.pk.strip_prefix("U#").ok_or_else(|| Error::internal("not a user's key"))?.parse()?;
    Ok(User {
        id,
        email: row.email,
        phone: row.phone,
        first_name: row.first,
        last_name: row.last,
        joined: Timestamp::from_unix(row.dj),
        last_login: row.ll.map(Timestamp::from_unix),
        sessions: row.ss.into_iter().map(|(id, opened)| (id, Timestamp::from_unix(opened))).collect(),
    })
}

#[cfg(test)]
mod tests {
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
        let item = item(&user).unwrap();
        let bytes: usize = item.iter().map(|(name, value)| name.len() + size(value)).sum();
        assert!(bytes < 1_024, "{bytes} bytes");
    }
}
