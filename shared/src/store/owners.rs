//! `ID#<digest>` in `UserTable`: the user of an identifier. Written when the user is created.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use super::expression::any;
use super::row::{self, row};
use super::send::{MOST_ROUNDS, Transacted};
use super::table::{Item, OtpTable, Users};
use crate::codes::ProvenCode;
use crate::people::User;
use crate::sessions::Session;
use crate::words::{Error, IdentifierDigest, ItemKey, Result, Timestamp, UserId};

row! {
    #[derive(Serialize, Deserialize)]
    struct Row {
        /// `ID#` and the identifier's digest.
        PK = "pk" => #[serde(deserialize_with = "row::key")] pk: ItemKey,
        /// The user of the identifier.
        pub(super) USER = "uid" => user: UserId,
        /// When the identifier was proven, in Unix seconds.
        PROVED = "at" => proved: u64,
        /// The page the user came from, as the client reported it.
        SOURCE_URL = "source_url" => #[serde(skip_serializing_if = "Option::is_none")] source_url: Option<String>,
        /// The way of the sign-up: `otp_email`, `otp_sms`, `otp_voice` or `otp_whatsapp`.
        WAY = "via" => #[serde(default, skip_serializing_if = "String::is_empty")] way: String,
    }
}

pub(super) const KIND: &str = "ID";

/// A sign-up, as its item tells it.
pub(super) struct SignedUp {
    pub(super) user: UserId,
    pub(super) at: Timestamp,
    pub(super) way: String,
    pub(super) source_url: Option<String>,
}

pub(super) fn read(item: Item) -> Result<SignedUp> {
    let Row { user, proved, way, source_url, .. } = row::read(item)?;
    Ok(SignedUp { user, at: Timestamp::from_unix(proved), way, source_url })
}

/// The result of signing up.
#[derive(Debug)]
pub enum SignUp {
    /// The user is created, the code is used up, and the session is open.
    Done(User),
    /// Another challenge of the same identifier created the user first. This is that user.
    Taken(UserId),
    /// Another request used the code first.
    UsedUp,
}

/// The user of an identifier, if it has one.
#[derive(Debug)]
pub struct Owner {
    identifier: IdentifierDigest,
    user: Option<UserId>,
}

impl Owner {
    /// The user of `identifier`.
    ///
    /// # Errors
    /// [`Error::Internal`] if this value was looked up for another identifier. That would sign in the wrong user.
    pub fn of(self, identifier: &IdentifierDigest) -> Result<Option<UserId>> {
        match self.identifier == *identifier {
            true => Ok(self.user),
            false => Err(Error::internal("the owner was looked up for another identifier than the proven one")),
        }
    }
}

/// A user about to be created.
pub(crate) struct NewUser<'a> {
    /// The user, with the first session in its list.
    pub user: User,
    /// The page the user came from, as the client reported it.
    pub source_url: Option<&'a str>,
    /// Whether the session opens at once. Otherwise the user has to add a second factor first.
    pub opens: bool,
    /// The idempotency token of this invocation's transaction, the same for all its attempts.
    pub request_token: String,
}

impl Users<'_> {
    /// Looks up the user of the identifier.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn owner(&self, identifier: &IdentifierDigest) -> Result<Owner> {
        let item = self.table.get(&identifier.item(KIND)).await?;
        let user = item.map(row::read::<Row>).transpose()?.map(|row| row.user);
        Ok(Owner { identifier: identifier.clone(), user })
    }

    /// Creates a user in the transaction that uses up the code. So an identifier gets one user, even with parallel requests
    /// (V18).
    ///
    /// # Errors
    /// [`Error::Unavailable`] after a second of conflicts with other transactions. The code is then still unused.
    pub(crate) async fn sign_up(
        &self,
        challenges: &OtpTable,
        code: &ProvenCode,
        new_user: NewUser<'_>,
        session: &Session,
        now: Timestamp,
    ) -> Result<SignUp> {
        let NewUser { user, source_url, opens, request_token } = new_user;
        let owner = row(code.identifier(), session, source_url, now);
        let mut state = code.state().clone();
        for round in 0..MOST_ROUNDS {
            let put_owner = self.table.put_new_in_transaction(row::write(&owner)?)?;
            let mut writes = vec![challenges.use_up_in_transaction(code, &state, now)?, put_owner];
            writes.extend(self.put_with_session(&user, session, opens)?);
            let reasons = match self.table.transact(writes, &format!("{request_token}{round}")).await? {
                Transacted::Done => return Ok(SignUp::Done(user)),
                Transacted::Refused(reasons) => reasons,
            };
            let mut items = reasons.into_iter().map(|reason| reason.item);
            let (refused, taken) = (items.next().flatten(), items.next().flatten());
            if let Some(item) = taken {
                return Ok(SignUp::Taken(row::read::<Row>(item)?.user));
            }
            match challenges.still_unused(code, refused, now)? {
                Some(now_is) => state = now_is,
                None => return Ok(SignUp::UsedUp),
            }
        }
        Err(Error::unavailable("too many parallel requests change the identifier's item"))
    }

    /// Creates a user in place of `deleted`, which the identifier still names, unless `erase` has removed its item meanwhile. Never
    /// returns [`SignUp::UsedUp`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub(crate) async fn replace(
        &self,
        deleted: &UserId,
        identifier: &IdentifierDigest,
        new_user: NewUser<'_>,
        session: &Session,
        now: Timestamp,
    ) -> Result<SignUp> {
        let NewUser { user, source_url, opens, request_token } = new_user;
        let owner = row(identifier, session, source_url, now);
        let is_free = any([USER.is(("deleted", &*deleted.to_string())), USER.is_missing()]);
        let put_owner = self.table.replace_in_transaction(row::write(owner)?, &is_free)?;
        let mut writes = vec![put_owner];
        writes.extend(self.put_with_session(&user, session, opens)?);
        let reasons = match self.table.transact(writes, &request_token).await? {
            Transacted::Done => return Ok(SignUp::Done(user)),
            Transacted::Refused(reasons) => reasons,
        };
        let taken = reasons.into_iter().next().and_then(|reason| reason.item);
        let taken = taken.ok_or_else(|| Error::internal("a free identifier was refused"))?;
        Ok(SignUp::Taken(row::read::<Row>(taken)?.user))
    }

    /// The writes of a new user, and of its first session if that `opens`.
    fn put_with_session(&self, user: &User, session: &Session, opens: bool) -> Result<Vec<TransactWriteItem>> {
        let session = opens.then(|| self.session_item(session));
        let items = [Some(self.user_item(user)), session].into_iter().flatten();
        items.map(|item| self.table.put_new_in_transaction(item?)).collect()
    }
}

fn row(identifier: &IdentifierDigest, session: &Session, source_url: Option<&str>, now: Timestamp) -> Row {
    Row {
        pk: identifier.item(KIND),
        user: session.user.clone(),
        proved: now.unix(),
        source_url: source_url.map(str::to_owned),
        way: session.way.clone(),
    }
}
