//! Using up a right code, so that it works once.

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::begin::seconds;
use super::item::{self, CHARGED_IN_A_ROW, DAY, DIGEST, ELSEWHERE, ENDS, HOLD, MESSAGE, NEWEST, PEPPER, TEXTS};
use crate::codes::{IdentifierState, Kept, ProvenCode, Settlement};
use crate::store::send::{MOST_ROUNDS, Written};
use crate::store::table::{Item, OtpTable};
use crate::store::write::Update;
use crate::words::{Error, Lane, Result, Timestamp};

impl OtpTable {
    /// Uses up a correct code, so that it works once (S03). Its token and its unspent attempts come back, and the count of
    /// failures in a row starts again (S06).
    ///
    /// Returns `false` if another request used the code first. The result is also `false` if this write succeeded but its answer
    /// was lost and the SDK retried it: single use is more important.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when parallel requests keep changing the item, or when the table is unreachable.
    pub(crate) async fn use_up(&self, code: &ProvenCode, now: Timestamp) -> Result<bool> {
        let mut state = code.state().clone();
        for _ in 0..MOST_ROUNDS {
            match self.ending(code, &state, now).send().await? {
                Written::Done(_) => return Ok(true),
                Written::Refused(item) => match self.still_unused(code, item, now)? {
                    Some(now_is) => state = now_is,
                    None => return Ok(false),
                },
            }
        }
        Err(Error::unavailable("too many parallel requests change the identifier's item"))
    }

    /// The same write, as a part of the transaction that creates a user.
    ///
    /// # Errors
    /// [`Error::Internal`] when the SDK fails to build the write.
    pub(in crate::store) fn use_up_in_transaction(
        &self,
        code: &ProvenCode,
        state: &IdentifierState,
        now: Timestamp,
    ) -> Result<TransactWriteItem> {
        self.ending(code, state, now).in_transaction()
    }

    /// The new state, if a refused write found the code unused: only the counts beside it had changed.
    pub(in crate::store) fn still_unused(
        &self,
        code: &ProvenCode,
        refused: Option<Item>,
        now: Timestamp,
    ) -> Result<Option<IdentifierState>> {
        let state = item::read(refused)?;
        let (kept, key) = code.entry();
        let is_unused = state.live(kept, key, now).is_some_and(|(digest, _)| digest.matches(code.digest()));
        Ok(is_unused.then_some(state))
    }

    /// Removes the code and gives back what it did not need. The digest must still match, because a resent code replaces the
    /// proven one. The user reads mail to this address, so no refused mail holds it. The entry of a long code stays without its
    /// digest: other challenges share its message, and their status must not tell of the use.
    fn ending(&self, code: &ProvenCode, state: &IdentifierState, now: Timestamp) -> Update<'_> {
        let (kept, key) = code.entry();
        let entry = item::entry(kept, key);
        let Settlement { charged_in_a_row: [before, under_way], day, attempts, is_eight, elsewhere, text } =
            state.settle(code, now);
        let lane = match kept {
            Kept::Own(lane) => lane,
            Kept::Long => Lane::Open,
        };
        let names = item::names(lane);
        let mut write = self
            .update_identifier(code.identifier())
            .when(entry.field(DIGEST).is(code.digest().as_bytes()))
            .when(entry.field(ENDS).above(("now", now)))
            .when(CHARGED_IN_A_ROW.is(("seen_in_a_row", before)))
            .remove(NEWEST)
            .remove(HOLD)
            .lower(names.full_at, seconds(lane, code.to().channel()))
            .set(CHARGED_IN_A_ROW, ("under_way", under_way));
        write = match kept {
            Kept::Own(_) => write.remove(entry),
            Kept::Long => write.remove(entry.field(DIGEST)).remove(entry.field(PEPPER)),
        };
        if let Some(day) = day {
            write = write.when(DAY.is(("seen_day", Timestamp::from_unix(day))));
        }
        if attempts > 0 {
            write = write.lower(names.charges(is_eight), attempts);
        }
        if code.message().is_some() {
            write = write.remove(MESSAGE);
        }
        if elsewhere {
            write = write.lower(ELSEWHERE, 1);
        }
        if text { write.lower(TEXTS, 1) } else { write }
    }
}
