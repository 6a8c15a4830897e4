//! Answering a code: the writes that count a try before it is looked at, and that use a challenge up.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};

use super::item::{self, KEPT_FOR};
use crate::codes::{Attempt, LONGEST_LIFE, Proof};
use crate::observe::report::{self, Step};
use crate::store::OtpTable;
use crate::store::write::{self, Written, bytes, number};
use crate::words::{Error, Lane, Result, Timestamp};

const COUNT_FAILURE: &str = "f = f + :one, fl = :now, #ttl = :ttl";

/// Removes a challenge, and forgets the failures of both lanes: its owner has answered.
fn use_up_on(lane: Lane) -> String {
    format!("REMOVE {}.#c SET f = :zero, fd = :zero", item::names(lane).challenges)
}

/// A code that was sent again meanwhile has another digest: the old one is dead.
fn still_live_on(lane: Lane) -> String {
    let challenges = item::names(lane).challenges;
    format!("{challenges}.#c.h = :h AND {challenges}.#c.e > :now")
}

impl OtpTable {
    /// Spends a bound try at the challenge `key` on its lane, or says that there is none to spend: unknown, ended, used up.
    ///
    /// The count goes down, and the failure up, before anyone looks at the code, in one conditional write: a thousand
    /// parallel guesses still get no more than the policy's attempts (V01). No wait of the lockout stands in its way,
    /// because only the client that asked can name the challenge.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn spend_bound(
        &self,
        identifier: &str,
        (lane, key): (Lane, &str),
        now: Timestamp,
    ) -> Result<Option<Attempt>> {
        let challenges = item::names(lane).challenges;
        let of_lane = match lane {
            Lane::Open => "",
            Lane::Known => ", fd = fd + :one, fdl = :now",
        };
        let write = counted(self.table.update(&item::key(identifier)), now)
            .update_expression(format!("SET {challenges}.#c.t = {challenges}.#c.t - :one, {COUNT_FAILURE}{of_lane}"))
            .condition_expression(format!("{challenges}.#c.e > :now AND {challenges}.#c.t >= :one"))
            .expression_attribute_names("#c", key);
        match write::update(write).await? {
            Written::Done(item) => {
                let state = item::read(item)?;
                note(true, Some(state.on(lane).failures));
                Ok(Some(Attempt::bound(state, lane, key)))
            }
            Written::Refused(_) => {
                note(true, None);
                Ok(None)
            }
        }
    }

    /// Spends an unbound try, counted on the identifier, or says that there is none to spend.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`] in a wait of the lockout.
    pub async fn spend_unbound(&self, identifier: &str, now: Timestamp) -> Result<Option<Attempt>> {
        let (write, not_waiting) = item::when_not_waiting(self.table.update(&item::key(identifier)), Lane::Open, now);
        let write = counted(write, now)
            .update_expression(format!("SET u = u + :one, {COUNT_FAILURE}"))
            // `ux` is where the newest challenge stops being compared: beyond it nothing is, and nothing is counted.
            .condition_expression(format!("la > :dead AND u < ux AND {not_waiting}"))
            .expression_attribute_values(":dead", number(now.before(LONGEST_LIFE).unix()));
        let state = match write::update(write).await? {
            Written::Done(item) => {
                let state = item::read(item)?;
                note(false, Some(state.open.failures));
                return Ok(Some(Attempt::unbound(state)));
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

    /// Uses the proved challenge up and forgets the failures, so that a code works once (S03, S06).
    ///
    /// Says no where somebody was quicker, or a lost answer hides that we were: single use wins.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn use_up(&self, identifier: &str, proof: &Proof, now: Timestamp) -> Result<bool> {
        let write = self
            .table
            .update(&item::key(identifier))
            .update_expression(use_up_on(proof.lane()))
            .condition_expression(still_live_on(proof.lane()))
            .expression_attribute_names("#c", proof.challenge())
            .expression_attribute_values(":h", bytes(proof.digest().as_bytes()))
            .expression_attribute_values(":now", number(now.unix()))
            .expression_attribute_values(":zero", number(0_u32));
        Ok(matches!(write::update(write).await?, Written::Done(_)))
    }

    /// The same as a part of the transaction that makes a user.
    ///
    /// # Errors
    /// [`Error::Internal`] when the SDK finds it incomplete.
    pub(in crate::store) fn use_up_in_transaction(
        &self,
        identifier: &str,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.table.name)
            .key("pk", write::text(&item::key(identifier)))
            .update_expression(use_up_on(proof.lane()))
            .condition_expression(still_live_on(proof.lane()))
            .expression_attribute_names("#c", proof.challenge())
            .expression_attribute_values(":h", bytes(proof.digest().as_bytes()))
            .expression_attribute_values(":now", number(now.unix()))
            .expression_attribute_values(":zero", number(0_u32))
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// A try that was spent shows the failures, of which it is one until the code turns out to be right.
fn note(bound: bool, failures: Option<u32>) {
    report::note(Step::Try { bound, spent: failures.is_some(), failures, waits: 0 });
}

fn counted(write: UpdateItemFluentBuilder, now: Timestamp) -> UpdateItemFluentBuilder {
    write
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":one", number(1_u32))
        .expression_attribute_values(":now", number(now.unix()))
        .expression_attribute_values(":ttl", number(now.after(KEPT_FOR).unix()))
}
