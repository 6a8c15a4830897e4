//! Answering a code: the writes that count an attempt before the code is compared, and that use up a challenge.

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::item::{
    self, ATTEMPTS_LEFT, DIGEST, ENDS, FAILURES, KEPT_FOR, KNOWN_FAILURES, KNOWN_LAST_FAILURE, LAST_FAILURE, NEWEST,
    UNBOUND, UNBOUND_END,
};
use super::rules::is_not_waiting;
use crate::codes::{Attempt, ProvenCode};
use crate::keys::LONGEST_CODE;
use crate::observe::report::{self, Step};
use crate::store::row::TTL;
use crate::store::send::Written;
use crate::store::table::OtpTable;
use crate::store::write::Update;
use crate::words::{Error, IdentifierDigest, Lane, Result, Timestamp};

impl OtpTable {
    /// Spends a bound attempt on the challenge `key`. Returns `None` if the challenge is unknown, expired, used up or out of
    /// attempts.
    ///
    /// One conditional write lowers the attempts and counts a failure before the code is compared. So a thousand parallel guesses
    /// still get only as many attempts as the policy allows (V01). Bound attempts are exempt from the lockout's wait, because
    /// only the client that requested the code knows the challenge id.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn spend_bound(
        &self,
        identifier: &IdentifierDigest,
        (lane, key): (Lane, &str),
        now: Timestamp,
    ) -> Result<Option<Attempt>> {
        let challenge = item::challenge(lane, key);
        let write = self
            .update_identifier(identifier)
            .when(challenge.field(ENDS).above(("now", now)))
            .when(challenge.field(ATTEMPTS_LEFT).at_least(1))
            .lower(challenge.field(ATTEMPTS_LEFT), 1);
        let write = match lane {
            Lane::Open => write,
            Lane::Known => write.raise(KNOWN_FAILURES, 1).set(KNOWN_LAST_FAILURE, ("now", now)),
        };
        match count_failure(write, now).send().await? {
            Written::Done(item) => {
                let state = item::read(item)?;
                note(true, Some(state.on(lane).failures));
                Ok(Some(Attempt::bound(identifier, state, lane, key)))
            }
            Written::Refused(_) => {
                note(true, None);
                Ok(None)
            }
        }
    }

    /// Spends an unbound attempt, counted on the identifier. Returns `None` if every challenge has ended or is out of unbound
    /// attempts.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`] while the lockout is waiting; [`Error::Unavailable`] when the table is unreachable.
    pub async fn spend_unbound(&self, identifier: &IdentifierDigest, now: Timestamp) -> Result<Option<Attempt>> {
        let write = self
            .update_identifier(identifier)
            .when(NEWEST.above(("longest_code_ago", now.before(LONGEST_CODE))))
            // At this count all challenges are out of unbound attempts, so the code would be compared with nothing.
            .when(UNBOUND.below(UNBOUND_END))
            .when(is_not_waiting(Lane::Open, now))
            .raise(UNBOUND, 1);
        let state = match count_failure(write, now).send().await? {
            Written::Done(item) => {
                let state = item::read(item)?;
                note(false, Some(state.open.failures));
                return Ok(Some(Attempt::unbound(identifier, state)));
            }
            Written::Refused(None) => {
                note(false, None);
                return Ok(None);
            }
            Written::Refused(Some(item)) => item::read(item)?,
        };
        let retry_after = state.wait_left(Lane::Open, now);
        let (failures, waits) = (Some(state.open.failures), retry_after.as_secs());
        report::note(Step::Try { bound: false, spent: false, failures, waits });
        if retry_after.is_zero() { Ok(None) } else { Err(Error::TooManyAttempts { retry_after }) }
    }

    /// Uses up the challenge of a correct code and resets the failures, so that a code works once (S03, S06).
    ///
    /// Returns `false` if another request used the code first. The result is also `false` if this write succeeded but its answer
    /// was lost and the SDK retried it: single use is more important.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub(crate) async fn use_up(&self, code: &ProvenCode, now: Timestamp) -> Result<bool> {
        let write = self.end_challenge(code, now);
        Ok(matches!(write.send().await?, Written::Done(_)))
    }

    /// The same write, as a part of the transaction that creates a user.
    ///
    /// # Errors
    /// [`Error::Internal`] when the SDK fails to build the write.
    pub(in crate::store) fn use_up_in_transaction(
        &self,
        code: &ProvenCode,
        now: Timestamp,
    ) -> Result<TransactWriteItem> {
        self.end_challenge(code, now).in_transaction()
    }

    /// Removes the challenge and resets all failures, because the owner of the identifier has answered. The digest must still
    /// match, because a resent code replaces the proven one.
    fn end_challenge(&self, code: &ProvenCode, now: Timestamp) -> Update<'_> {
        let challenge = item::challenge(code.lane(), code.challenge());
        self.update_identifier(code.identifier())
            .when(challenge.field(DIGEST).is(code.digest().as_bytes()))
            .when(challenge.field(ENDS).above(("now", now)))
            .remove(challenge)
            .set(FAILURES, 0)
            .set(KNOWN_FAILURES, 0)
    }
}

/// Every attempt counts as a failure until its code turns out to be correct.
fn count_failure(write: Update<'_>, now: Timestamp) -> Update<'_> {
    write.raise(FAILURES, 1).set(LAST_FAILURE, ("now", now)).set(TTL, now.after(KEPT_FOR))
}

/// `failures` is known only if the attempt was spent, and includes that attempt.
fn note(bound: bool, failures: Option<u32>) {
    report::note(Step::Try { bound, spent: failures.is_some(), failures, waits: 0 });
}
