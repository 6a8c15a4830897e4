//! Receipts of messages, and the holds of their addresses: one conditional write for each receipt, and a second one if it changes a hold.

use std::time::Duration;

use super::item::{
    self, COMPLAINED, DELAYED, DELIVERED, ENDS, FAILED, FULL_AT, HANDED_OVER, HELD_BY, HELD_FROM, HOLD, LEVEL, MESSAGE,
    NEWEST, RETURNED, SENDS,
};
use crate::codes::{Hold, Kept, Messages, Reach, Receipt, SendName, SentMessage};
use crate::store::expression::{Condition, Path, any};
use crate::store::send::{MOST_ROUNDS, Written};
use crate::store::table::{Item, OtpTable};
use crate::store::write::Update;
use crate::words::{Error, IdentifierDigest, Result, Timestamp};

impl OtpTable {
    /// Reads the messages of an identifier and its hold, strongly consistent.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn messages(&self, identifier: &IdentifierDigest) -> Result<Messages> {
        item::read_messages(self.table.get(&identifier.item("I")).await?)
    }

    /// Keeps a receipt that came so long `after` the send. A receipt of an earlier send of the same code changes nothing. Returns
    /// whether it was news, and the item for [`OtpTable::reach`]. `id` is the provider's id of the message, if the provider wants to hear
    /// that the code was used.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn keep_receipt(
        &self,
        identifier: &IdentifierDigest,
        name: &SendName,
        (receipt, after): (Receipt, Duration),
        id: Option<&str>,
    ) -> Result<(bool, Addressed)> {
        let entry = item::entry(name.kept, &name.key);
        let after = u32::try_from(after.as_secs()).unwrap_or(u32::MAX);
        let came = entry.field(field(receipt));
        let write = self
            .update_identifier(identifier)
            .when(is_of(entry, name))
            .when(any([came.is_missing(), came.above(("after", after))]))
            .set(came, ("after", after));
        let message = id.map(|id| SentMessage::text(&name.to_string(), id));
        let write = match &message {
            Some(message) => write.set(MESSAGE, message.as_str()),
            None => write,
        };
        Ok(match write.send().await? {
            Written::Done(item) => (true, Addressed(Some(item))),
            Written::Refused(item) => (false, Addressed(item)),
        })
    }

    /// Holds the address of the newest send after a refused mail, or ends the hold after a delivered one. Returns the hold's end
    /// if this receipt caused it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when parallel requests keep changing the item, or when the table is unreachable.
    pub async fn reach(
        &self,
        identifier: &IdentifierDigest,
        name: &SendName,
        (reach, at): (Reach, Timestamp),
        seen: Addressed,
    ) -> Result<Option<Timestamp>> {
        let name = name.to_string();
        let mut seen = seen.0;
        for _ in 0..MOST_ROUNDS {
            let (newest, hold) = item::read_hold(seen)?;
            if newest.as_deref() != Some(name.as_str()) {
                return Ok(None);
            }
            let Some(next) = Hold::next(hold.as_ref(), reach, &name, at) else { return Ok(None) };
            let write = self.update_identifier(identifier).when(NEWEST.is(("name", name.as_str())));
            let write = match &next {
                Some(next) => still(write, hold.as_ref()).set(HOLD, item::hold(next)?),
                None => still(write, hold.as_ref()).remove(HOLD),
            };
            match write.send().await? {
                Written::Done(_) => return Ok(next.filter(|_| reach == Reach::Bounced).map(|hold| hold.ends())),
                Written::Refused(item) => seen = item,
            }
        }
        Err(Error::unavailable("too many parallel requests change the identifier's item"))
    }

    /// Remembers that the owner complained about a mail. Returns whether it was news.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn note_complaint(&self, identifier: &IdentifierDigest, at: Timestamp) -> Result<bool> {
        let write = self
            .update_identifier(identifier)
            .when(FULL_AT.exists())
            .when(any([COMPLAINED.is_missing(), COMPLAINED.below(("complained", at))]))
            .set(COMPLAINED, ("complained", at));
        Ok(matches!(write.send().await?, Written::Done(_)))
    }
}

/// An identifier's item after a receipt.
pub struct Addressed(Option<Item>);

/// The condition that an entry is of this send. A long code is sent once, so its entry has no number.
fn is_of(entry: Path<'_>, name: &SendName) -> Condition {
    match name.kept {
        Kept::Own(_) => entry.field(SENDS).is(("number", name.number)),
        Kept::Long => entry.field(ENDS).exists(),
    }
}

/// Adds the condition that the hold is still the same.
fn still<'a>(write: Update<'a>, hold: Option<&Hold>) -> Update<'a> {
    let Some(hold) = hold else { return write.when(HOLD.is_missing()) };
    write
        .when(HOLD.field(HELD_BY).is(("seen_by", hold.by.as_str())))
        .when(HOLD.field(HELD_FROM).is(("seen_from", hold.from)))
        .when(HOLD.field(LEVEL).is(("seen_level", hold.level)))
}

fn field(receipt: Receipt) -> Path<'static> {
    match receipt {
        Receipt::Delayed => DELAYED,
        Receipt::HandedOver => HANDED_OVER,
        Receipt::Returned => RETURNED,
        Receipt::Delivered => DELIVERED,
        Receipt::Failed => FAILED,
    }
}
