//! `TAG#<mailbox>` in `OtpTable`: the mails to all tagged addresses of one mailbox. A stranger could otherwise send as many as
//! there are tags (V58). The plain address has its own bucket.

use serde::Deserialize;

use super::row::{self, TTL, row};
use super::send::{MOST_ROUNDS, Written};
use super::table::{Item, OtpTable};
use crate::codes::{Asked, TAGGED, has_room};
use crate::words::{Error, IdentifierDigest, Result, Timestamp};

row! {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Row {
        /// When the bucket is full again, in Unix seconds.
        FULL_AT = "tat" => full_at: u64,
    }
}

const KIND: &str = "TAG";

impl OtpTable {
    /// When the bucket of the identifier's mailbox is full again. `None` for an identifier without a tag, which makes no call.
    pub(super) async fn mailbox_full_at(&self, identifier: &IdentifierDigest) -> Result<Option<Timestamp>> {
        let Some(key) = identifier.mailbox_item(KIND) else { return Ok(None) };
        read(self.table.get(&key).await?).map(Some)
    }

    /// Takes a token out of the bucket of the identifier's mailbox. Returns `false` if it has none for this request.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when parallel requests keep changing the item, or when the table is unreachable.
    pub(super) async fn take_tagged(
        &self,
        identifier: &IdentifierDigest,
        seen_full_at: Timestamp,
        asked: Asked<'_>,
    ) -> Result<bool> {
        let Some(key) = identifier.mailbox_item(KIND) else { return Ok(true) };
        let mut seen = seen_full_at;
        for _ in 0..MOST_ROUNDS {
            if !has_room(seen, asked.lane, asked.now) {
                return Ok(false);
            }
            let is_new = seen == Timestamp::default();
            let as_seen = if is_new { FULL_AT.is_missing() } else { FULL_AT.is(("seen_full_at", seen)) };
            let full_at = TAGGED.taken(seen, asked.now);
            let write = self.table.update(key.clone()).when(as_seen);
            match write.set(FULL_AT, ("full_at", full_at)).set(TTL, full_at).send().await? {
                Written::Done(_) => return Ok(true),
                Written::Refused(item) => seen = read(item)?,
            }
        }
        Err(Error::unavailable("too many parallel requests change the mailbox's item"))
    }

    /// Gives a token back: its mail was answered, or certainly not sent. Sent once, because a repeated write could return the token
    /// of another mail. A failure is only logged, because the token comes back with time.
    pub(crate) async fn return_tagged(&self, identifier: &IdentifierDigest) {
        let Some(key) = identifier.mailbox_item(KIND) else { return };
        let seconds = u32::try_from(TAGGED.every.as_secs()).unwrap_or(u32::MAX);
        let write = self.table.update(key).when(FULL_AT.exists()).lower(FULL_AT, seconds);
        if let Err(error) = write.send_once().await {
            tracing::warn!(cause = error.cause(), "a mail to a tagged address stays counted");
        }
    }
}

/// A missing item is a full bucket.
fn read(item: Option<Item>) -> Result<Timestamp> {
    let row: Row = item.map(row::read).transpose()?.unwrap_or_default();
    Ok(Timestamp::from_unix(row.full_at))
}
