//! Calls to a phone number, and its opt-out of texts. Both are rare, so each has a write of its own.

use super::item::{CALLS, CALLS_DAY, FULL_AT, OPTED_OUT};
use crate::codes::MOST_CALLS;
use crate::store::expression::any;
use crate::store::send::Written;
use crate::store::table::OtpTable;
use crate::words::{IdentifierDigest, Result, Timestamp};

impl OtpTable {
    /// Counts a call to the number before it is made. `false` if the number has had [`MOST_CALLS`] on this UTC day (S262).
    ///
    /// # Errors
    /// [`crate::words::Error::Unavailable`] when the table is unreachable.
    pub async fn take_call(&self, identifier: &IdentifierDigest, now: Timestamp) -> Result<bool> {
        let day = Timestamp::from_unix(now.day());
        let write = || self.update_identifier(identifier).when(FULL_AT.exists());
        let again = || write().when(CALLS_DAY.is(("day", day))).when(CALLS.below(("most", MOST_CALLS))).add(CALLS, 1);
        let first = write().when(any([CALLS_DAY.is_missing(), CALLS_DAY.below(("day", day))]));
        let first = first.set(CALLS_DAY, ("day", day)).set(CALLS, 1);
        // The third write is for a day that a parallel request has just begun.
        for write in [again(), first, again()] {
            if let Written::Done(_) = write.send().await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes back a call that was certainly not made.
    ///
    /// # Errors
    /// [`crate::words::Error::Unavailable`] when the table is unreachable.
    pub async fn return_call(&self, identifier: &IdentifierDigest, now: Timestamp) -> Result<()> {
        let day = Timestamp::from_unix(now.day());
        let write = self.update_identifier(identifier).when(CALLS_DAY.is(("day", day))).when(CALLS.at_least(1));
        write.lower(CALLS, 1).send().await.map(drop)
    }

    /// Remembers that a provider refused a text because the number has opted out.
    ///
    /// # Errors
    /// [`crate::words::Error::Unavailable`] when the table is unreachable.
    pub async fn note_opt_out(&self, identifier: &IdentifierDigest, now: Timestamp) -> Result<()> {
        let write = self.update_identifier(identifier).when(FULL_AT.exists()).set(OPTED_OUT, ("opted_out", now));
        write.send().await.map(drop)
    }
}
