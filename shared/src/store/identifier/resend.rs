//! Sending again: the writes that put a new code into a challenge, and that take back a send that was refused.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;

use super::item::{self, KEPT_FOR};
use super::start::{ChallengeRequest, MOST_TRIES};
use crate::codes::{Draft, FREE_REFUSALS, MOST_SENDS, Strength};
use crate::store::OtpTable;
use crate::store::write::{self, Written, bytes, number, text};
use crate::words::{Error, Result};

impl OtpTable {
    /// Puts a new code into the live challenge that `draft` names, or begins a new one with `instead`.
    ///
    /// # Errors
    /// As [`crate::codes::IdentifierState::resend`] and [`OtpTable::start`].
    pub async fn resend(
        &self,
        draft: Draft,
        instead: Draft,
        request: ChallengeRequest<'_>,
    ) -> Result<(Draft, Strength)> {
        let mut strength = Strength::Short;
        for _ in 0..MOST_TRIES {
            let write = again(self.table.update(&item::key(request.identifier)), &draft, request, strength);
            let seen = match write::update(write).await? {
                Written::Done(item) => {
                    item::note("sent_again", &item::read(item)?, draft.lane(), strength == Strength::Long);
                    return Ok((draft, strength));
                }
                Written::Refused(item) => item.map(item::read).transpose()?,
            };
            if let Some(strength) = seen.as_ref().and_then(|state| draft.held_by(state)) {
                return Ok((draft, strength));
            }
            let again = match &seen {
                Some(state) => {
                    let again = state.resend(draft.lane(), &draft.key, request.policy, request.now);
                    again.inspect_err(|error| item::note_refusal(error, state, draft.lane()))?
                }
                None => None,
            };
            match again {
                Some(other) => strength = other,
                None => {
                    let strength = self.start(&instead, request, seen).await?;
                    return Ok((instead, strength));
                }
            }
        }
        Err(Error::unavailable("the identifier's item is busy"))
    }

    /// Takes back a send that was surely refused: it may be repeated at once and does not count. Tries, failures and
    /// the network's count stay. Says no from the third time on, so that a broken sender is not hammered.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn withdraw(&self, draft: &Draft, strength: Strength, identifier: &str) -> Result<bool> {
        let ch = item::names(draft.lane()).challenges;
        let write = self
            .table
            .update(&item::key(identifier))
            .update_expression(format!(
                "SET {ch}.#c.s = :zero, {ch}.#c.c = {ch}.#c.c - :one, {ch}.#c.x = {ch}.#c.x + :one"
            ))
            .condition_expression(format!("{ch}.#c.h = :h AND {ch}.#c.x < :free"))
            .expression_attribute_names("#c", &draft.key)
            .expression_attribute_values(":h", bytes(draft.digest(strength).as_bytes()))
            .expression_attribute_values(":zero", number(0_u32))
            .expression_attribute_values(":one", number(1_u32))
            .expression_attribute_values(":free", number(FREE_REFUSALS));
        Ok(matches!(write::update(write).await?, Written::Done(_)))
    }
}

/// A new code for a live challenge with tries left. The tries are not given back; a long code leaves one.
fn again(
    write: UpdateItemFluentBuilder,
    draft: &Draft,
    request: ChallengeRequest<'_>,
    strength: Strength,
) -> UpdateItemFluentBuilder {
    let ChallengeRequest { policy, now, .. } = request;
    let ch = item::names(draft.lane()).challenges;
    let (tries, guessable) = match strength {
        Strength::Short => (String::new(), "f < :long_from"),
        Strength::Long => (format!(", {ch}.#c.t = :one"), "f >= :long_from"),
    };
    write
        .update_expression(format!(
            "SET {ch}.#c.h = :h, {ch}.#c.k = :k, {ch}.#c.e = :e, {ch}.#c.s = :now, {ch}.#c.c = {ch}.#c.c + :one, la = :now, #ttl = :ttl{tries}"
        ))
        .condition_expression(format!(
            "{ch}.#c.e > :now AND {ch}.#c.t >= :one AND {ch}.#c.s <= :cool AND {ch}.#c.c < :sends AND {guessable}"
        ))
        .expression_attribute_names("#c", &draft.key)
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":h", bytes(draft.digest(strength).as_bytes()))
        .expression_attribute_values(":k", text(&draft.pepper_id))
        .expression_attribute_values(":e", number(draft.expires.moment().unix()))
        .expression_attribute_values(":now", number(now.unix()))
        .expression_attribute_values(":one", number(1_u32))
        .expression_attribute_values(":cool", number(now.before(policy.resend_after).unix()))
        .expression_attribute_values(":sends", number(MOST_SENDS))
        .expression_attribute_values(":long_from", number(policy.lockout().long_from()))
        .expression_attribute_values(":ttl", number(now.after(KEPT_FOR).unix()))
}
