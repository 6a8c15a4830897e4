//! `ID#<digest>` in `UserTable`: whose an identifier is. Written once, when its user is made.

use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use serde::{Deserialize, Serialize};

use super::users;
use super::write::{self, Item, Transacted};
use super::{OtpTable, UserTable};
use crate::codes::Proof;
use crate::people::User;
use crate::sessions::Session;
use crate::words::{Error, Result, Timestamp, UserId};

#[derive(Serialize, Deserialize)]
struct OwnerRow {
    pk: String,
    uid: UserId,
    /// When it was proved.
    at: u64,
    /// Where its user came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_url: Option<String>,
}

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

/// A user about to be made.
pub struct NewUser<'a> {
    /// The identifier's digest.
    pub identifier: &'a str,
    /// The right code.
    pub proof: &'a Proof,
    /// The user, with its first session in its list.
    pub user: User,
    /// Where the person came from, in the client's words.
    pub source_url: Option<&'a str>,
    /// Names this invocation's transaction, over all its tries.
    pub request_token: &'a str,
}

impl UserTable {
    /// Whose the identifier is.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn owner(&self, identifier: &str) -> Result<Option<UserId>> {
        let item = write::get(self.table.get(&owner_key(identifier)).consistent_read(true)).await?;
        Ok(item.map(write::row::<OwnerRow>).transpose()?.map(|row| row.uid))
    }

    /// Makes a user, once for an identifier whatever else happens (V18): in one transaction with the code's single use.
    ///
    /// # Errors
    /// [`Error::Unavailable`] after a second of conflicts, with the code not used.
    pub async fn sign_up(
        &self,
        challenges: &OtpTable,
        new_user: NewUser<'_>,
        session: &Session,
        now: Timestamp,
    ) -> Result<SignUp> {
        let NewUser { identifier, proof, user, source_url, request_token } = new_user;
        let owner_row = OwnerRow {
            pk: owner_key(identifier),
            uid: user.id.clone(),
            at: now.unix(),
            source_url: source_url.map(str::to_owned),
        };
        let write = self
            .table
            .client
            .transact_write_items()
            .transact_items(challenges.use_up_in_transaction(identifier, proof, now)?)
            .transact_items(self.put_new(serde_dynamo::to_item(owner_row).map_err(Error::internal)?)?)
            .transact_items(self.put_new(users::item(&user)?)?)
            .transact_items(self.put_new(self.session_item(session)?)?);
        let reasons = match write::transact(write, request_token).await? {
            Transacted::Done => return Ok(SignUp::Done(user)),
            Transacted::Refused(reasons) => reasons,
        };
        let taken = reasons.into_iter().nth(1).and_then(|reason| reason.item);
        match taken {
            Some(item) => Ok(SignUp::Taken(write::row::<OwnerRow>(item)?.uid)),
            None => Ok(SignUp::UsedUp),
        }
    }

    fn put_new(&self, item: Item) -> Result<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

fn owner_key(identifier: &str) -> String {
    format!("ID#{identifier}")
}
