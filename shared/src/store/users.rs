//! `U#<user>` in `UserTable`: a user and the list of its active sessions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::expression::{Condition, Path, Value, any};
use super::row::{self, row};
use super::send::{MOST_ROUNDS, Written};
use super::table::{Item, Users};
use super::write::Unconditional;
use crate::observe::report::{self, Step};
use crate::people::{EndReason, User};
use crate::sessions::Subject;
use crate::words::{Error, ItemKey, Result, SessionId, Timestamp, UserId};

row! {
    /// Names are short to keep the whole item within one write unit.
    #[derive(Serialize, Deserialize)]
    struct Row {
        /// `U#` and the user's id.
        PK = "pk" => #[serde(deserialize_with = "row::key")] pk: ItemKey,
        /// The proven email address.
        EMAIL = "email" => #[serde(skip_serializing_if = "Option::is_none")] email: Option<String>,
        /// The proven phone number, in E.164.
        PHONE = "phone" => #[serde(skip_serializing_if = "Option::is_none")] phone: Option<String>,
        /// The first name.
        FIRST_NAME = "first" => #[serde(default, skip_serializing_if = "String::is_empty")] first_name: String,
        /// The last name.
        LAST_NAME = "last" => #[serde(default, skip_serializing_if = "String::is_empty")] last_name: String,
        /// When the user signed up, in Unix seconds.
        JOINED = "dj" => joined: u64,
        /// When the user last signed in, in Unix seconds.
        LAST_LOGIN = "ll" => last_login: Option<u64>,
        /// The active sessions, with the time when each was opened, in Unix seconds. May contain expired ones.
        SESSIONS = "ss" => sessions: BTreeMap<String, u64>,
        /// How often the user signed out everywhere. Missing before the first time.
        EPOCH = "ep" => #[serde(default, skip_serializing_if = "is_zero")] epoch: u32,
        /// The UTC day of the last refresh that was the first one of a day, in days since the epoch.
        LAST_ACTIVE = "la" => #[serde(default, skip_serializing_if = "Option::is_none")] refreshed: Option<u64>,
        /// Why sessions ended in the last write that ended any: a name of [`EndReason`].
        END_REASON = "er" => #[serde(default, skip_serializing_if = "Option::is_none")] ended: Option<String>,
        /// When the user's first second factor was added, in Unix seconds. It exists as long as `F#` has a factor.
        pub(super) SECOND_FACTOR_SINCE = "2f" =>
            #[serde(default, skip_serializing_if = "Option::is_none")] second_factor_since: Option<u64>,
        /// When the user first signed in under a policy that requires a second factor, in Unix seconds.
        GRACE_BEGAN = "gr" => #[serde(default, skip_serializing_if = "Option::is_none")] grace_began: Option<u64>,
    }
}

pub(super) const KIND: &str = "U";

impl Users<'_> {
    /// Reads the user, strongly consistent.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn user(&self, id: &UserId) -> Result<Option<User>> {
        self.table.get(&self.key(KIND, &id.to_string())).await?.map(read).transpose()
    }

    /// The user of `subject`. One read checks that the user exists and that the session is in its list.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] if the user or the session is missing.
    pub async fn living(&self, subject: &Subject) -> Result<User> {
        self.user(&subject.user).await?.filter(|user| user.has(&subject.session)).ok_or(Error::InvalidToken)
    }

    /// Adds a session to the list of `user`, as just read. If the list is full (`most`), the oldest sessions end. Returns `false`
    /// if the user was deleted since the read, or if its epoch has changed, so that a sign-in under way cannot outlive a sign-out
    /// everywhere.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when parallel requests keep changing the item, or when the table is unreachable.
    pub(crate) async fn enter_session(
        &self,
        user: &User,
        session: &SessionId,
        most: usize,
        now: Timestamp,
    ) -> Result<bool> {
        let epoch = user.epoch;
        let mut user = user.clone();
        for _ in 0..MOST_ROUNDS {
            let surplus = user.surplus(most);
            let mut write = self
                .update_user(&user.id)
                .when(in_epoch(epoch))
                .when(SESSIONS.has_fewer_than(("room", most + surplus.len())))
                .set(entry(session), ("now", now))
                .set(LAST_LOGIN, ("now", now));
            for old in &surplus {
                let oldest = SESSIONS.entry("oldest", old);
                write = write.when(oldest.exists()).remove(oldest);
            }
            if !surplus.is_empty() {
                write = write.set(END_REASON, EndReason::Limit.name());
            }
            match write.send().await? {
                Written::Done(_) => return Ok(true),
                Written::Refused(None) => return Ok(false),
                Written::Refused(Some(item)) => user = read(item)?,
            }
            // The SDK retries a write after a lost answer. The retry finds the session in the list.
            if user.has(session) {
                return Ok(true);
            }
            if user.epoch != epoch {
                return Ok(false);
            }
        }
        Err(Error::unavailable("too many parallel requests change the user's item"))
    }

    /// Notes that `user`, as just read, is active at `now`. Only the first refresh of a user's day writes. Later ones, and those
    /// after a sign-in of the same day, need no call. A session that ended meanwhile writes nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn note_activity(&self, user: &User, session: &SessionId, now: Timestamp) -> Result<()> {
        if user.last_active() >= now.day() {
            return Ok(());
        }
        let is_earlier = any([LAST_ACTIVE.is_missing(), LAST_ACTIVE.below(("day", now.day()))]);
        let write = self.update_user(&user.id).when(entry(session).exists()).when(is_earlier);
        write.set(LAST_ACTIVE, ("day", now.day())).send().await?;
        Ok(())
    }

    /// Ends one session. Returns whether it was active.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn end_session(&self, user: &UserId, session: &SessionId, why: EndReason) -> Result<bool> {
        let session = entry(session);
        let write = self.update_user(user).when(session.exists()).remove(session).set(END_REASON, why.name());
        let lived = matches!(write.send().await?, Written::Done(_));
        report::note(Step::Ended { all: false, lived });
        Ok(lived)
    }

    /// Ends all sessions of the user in one write, if `session` is in the list and was opened after `oldest`, and begins a new
    /// epoch. Returns the user as it was before, or `None` if the write was refused.
    ///
    /// The age is the only check. A session past its absolute end may still be listed, and the check makes its token useless, for
    /// example one found in a backup. A used token, or one of a session past its idle end, still signs out, because that errs on
    /// the safe side.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn end_all_sessions(
        &self,
        user: &UserId,
        session: &SessionId,
        oldest: Timestamp,
    ) -> Result<Option<User>> {
        let write = self
            .update_user(user)
            .when(entry(session).above(("oldest", oldest)))
            .set(SESSIONS, Item::new())
            .set(END_REASON, EndReason::Everywhere.name())
            .add(EPOCH, 1)
            .returning_before();
        let before = match write.send().await? {
            Written::Done(before) => Some(read(before)?),
            Written::Refused(_) => None,
        };
        report::note(Step::Ended { all: true, lived: before.is_some() });
        Ok(before)
    }

    /// Ends all sessions of the user in one write and begins a new epoch, because the user has disavowed one of them. Returns the
    /// user as it was before, or `None` if it was deleted. The disavowed session itself may have ended before.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn end_disavowed_sessions(&self, user: &UserId) -> Result<Option<User>> {
        let write = self
            .update_user(user)
            .when(JOINED.exists())
            .set(SESSIONS, Item::new())
            .set(END_REASON, EndReason::Disavowed.name())
            .add(EPOCH, 1)
            .returning_before();
        let before = match write.send().await? {
            Written::Done(before) => Some(read(before)?),
            Written::Refused(_) => None,
        };
        report::note(Step::Ended { all: true, lived: before.is_some() });
        Ok(before)
    }

    /// Ends `session` if the session `by` is active. The same write checks `by`, so a client that was signed out in the meantime
    /// cannot end sessions. Returns `None` if `by` has ended, or else whether `session` was active. The list holds only this
    /// user's sessions.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn end_session_by(&self, user: &UserId, by: &SessionId, session: &SessionId) -> Result<Option<bool>> {
        let why = if by == session { EndReason::Logout } else { EndReason::Revoked };
        let write = self
            .update_user(user)
            .when(SESSIONS.entry("by", by.as_str()).exists())
            .remove(entry(session))
            .set(END_REASON, why.name())
            .returning_before();
        match write.send().await? {
            Written::Done(before) => Ok(Some(read(before)?.has(session))),
            Written::Refused(_) => Ok(None),
        }
    }

    /// Ends all sessions of the user except `session`, opened at `opened`, in one write. Returns how many ended, or `None` if
    /// `session` itself has ended.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn end_other_sessions(
        &self,
        user: &UserId,
        session: &SessionId,
        opened: Timestamp,
    ) -> Result<Option<usize>> {
        let only = Item::from([(session.as_str().to_owned(), opened.attribute_value())]);
        let write = self
            .update_user(user)
            .when(entry(session).is(("opened", opened)))
            .set(SESSIONS, only)
            .set(END_REASON, EndReason::Revoked.name())
            .returning_before();
        match write.send().await? {
            Written::Done(before) => Ok(Some(read(before)?.sessions.len().saturating_sub(1))),
            Written::Refused(_) => Ok(None),
        }
    }

    fn update_user(&self, id: &UserId) -> Unconditional<'_> {
        self.table.update(self.key(KIND, &id.to_string()))
    }

    pub(super) fn user_item(&self, user: &User) -> Result<Item> {
        item(self.key(KIND, &user.id.to_string()), user)
    }
}

/// The session's entry in its user's list.
fn entry(session: &SessionId) -> Path<'_> {
    SESSIONS.entry("session", session.as_str())
}

/// Matches a user in this epoch.
fn in_epoch(epoch: u32) -> Condition {
    if epoch == 0 { EPOCH.is_missing() } else { EPOCH.is(("epoch", epoch)) }
}

fn is_zero(epoch: &u32) -> bool {
    *epoch == 0
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
        epoch: user.epoch,
        refreshed: user.refreshed,
        ended: user.ended.map(|reason| reason.name().to_owned()),
        second_factor_since: user.second_factor_since.map(Timestamp::unix),
        grace_began: user.grace_began.map(Timestamp::unix),
    })
}

pub(super) fn read(item: Item) -> Result<User> {
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
        epoch: row.epoch,
        refreshed: row.refreshed,
        ended: row.ended.as_deref().and_then(EndReason::named),
        second_factor_since: row.second_factor_since.map(Timestamp::from_unix),
        grace_began: row.grace_began.map(Timestamp::from_unix),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::LONGEST_NAME;
    use crate::store::table::size;
    use crate::words::Entropy;

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
        (user.epoch, user.refreshed, user.ended) = (u32::MAX, Some(now.day()), Some(EndReason::Everywhere));
        (user.second_factor_since, user.grace_began) = (Some(now), Some(now));
        let item = item(ItemKey::from_table(format!("U#{}", user.id)), &user).unwrap();
        let bytes = size(&item);
        assert!(bytes < 1_024, "{bytes} bytes");
    }
}
