//! `ID#<digest>` in `UserTable`: whose an identifier is. Written once, when its user is made.

use serde::{Deserialize, Serialize};

use super::row::{self, row};
use super::send::Transacted;
use super::table::{OtpTable, Users};
use crate::codes::ProvenCode;
use crate::people::User;
use crate::sessions::Session;
use crate::words::{Error, IdentifierDigest, ItemKey, Result, Timestamp, UserId};

row! {
    #[derive(Serialize, Deserialize)]
    struct Row {
        /// `ID#` and the identifier's digest.
        PK = "pk" => #[serde(deserialize_with = "row::key")] pk: ItemKey,
        /// The user that the identifier belongs to.
        USER = "uid" => user: UserId,
        /// When the identifier was proved, in Unix seconds.
        PROVED = "at" => proved: u64,
        /// Where its user came from, in the client's words.
        SOURCE_URL = "source_url" => #[serde(skip_serializing_if = "Option::is_none")] source_url: Option<String>,
    }
}

const KIND: &str = "ID";

/// What becomes of an identifier that is to have a user.
#[derive(Debug)]
pub enum SignUp {
    /// The user is made, the code used up, the session open.
    Done(User),
    /// Another challenge of the same identifier made it first: this is its user.
    Taken(UserId),
    /// The code was used by somebody quicker.
    UsedUp,
}

/// Whose an identifier is, if it is anyone's.
#[derive(Debug)]
pub struct Owner {
    identifier: IdentifierDigest,
    user: Option<UserId>,
}

impl Owner {
    /// The user that `identifier` belongs to.
    ///
    /// # Errors
    /// [`Error::Internal`] where this is the owner of another one: nobody may enter by it.
    pub fn of(self, identifier: &IdentifierDigest) -> Result<Option<UserId>> {
        match self.identifier == *identifier {
            true => Ok(self.user),
            false => Err(Error::internal("the owner of another identifier than the proved one")),
        }
    }
}

/// A user about to be made.
pub struct NewUser<'a> {
    /// What proved the identifier.
    pub code: &'a ProvenCode,
    /// The user, with its first session in its list.
    pub user: User,
    /// Where the person came from, in the client's words.
    pub source_url: Option<&'a str>,
    /// Names this invocation's transaction, over all its attempts.
    pub request_token: &'a str,
}

impl Users<'_> {
    /// Whose the identifier is.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn owner(&self, identifier: &IdentifierDigest) -> Result<Owner> {
        let item = self.table.get(&identifier.item(KIND)).await?;
        let user = item.map(row::read::<Row>).transpose()?.map(|row| row.user);
        Ok(Owner { identifier: identifier.clone(), user })
    }

    /// Makes a user, once for an identifier whatever else happens (V18): in one transaction with the code's single use.
    ///
    /// # Errors
    /// [`Error::Unavailable`] after a second of conflicts, with the code not used.
    pub(crate) async fn sign_up(
        &self,
        challenges: &OtpTable,
        new_user: NewUser<'_>,
        session: &Session,
        now: Timestamp,
    ) -> Result<SignUp> {
        let NewUser { code, user, source_url, request_token } = new_user;
        let owner = Row {
            pk: code.identifier().item(KIND),
            user: user.id.clone(),
            proved: now.unix(),
            source_url: source_url.map(str::to_owned),
        };
        let writes = [
            challenges.use_up_in_transaction(code, now)?,
            self.table.put_new_in_transaction(row::write(owner)?)?,
            self.table.put_new_in_transaction(self.user_item(&user)?)?,
            self.table.put_new_in_transaction(self.session_item(session)?)?,
        ];
        let reasons = match self.table.transact(writes, request_token).await? {
            Transacted::Done => return Ok(SignUp::Done(user)),
            Transacted::Refused(reasons) => reasons,
        };
        let taken = reasons.into_iter().nth(1).and_then(|reason| reason.item);
        match taken {
            Some(item) => Ok(SignUp::Taken(row::read::<Row>(item)?.user)),
            None => Ok(SignUp::UsedUp),
        }
    }
}
