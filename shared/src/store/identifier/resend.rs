//! Resending: the writes that put a new code into a challenge, and that undo a rejected send.

use super::item::{self, ATTEMPTS_LEFT, DIGEST, ENDS, KEPT_FOR, NEWEST, PEPPER, REFUSED_SENDS, SENDS, SENT};
use super::rules::strength_fits;
use super::start::ChallengeRequest;
use crate::codes::{Draft, FREE_REFUSALS, MOST_SENDS, OutgoingCode, Strength};
use crate::store::row::TTL;
use crate::store::send::{MOST_ROUNDS, Written};
use crate::store::table::OtpTable;
use crate::store::write::Update;
use crate::words::{Error, IdentifierDigest, Result};

impl OtpTable {
    /// Puts a new code into the active challenge that `draft` names, or begins a new challenge with `instead`.
    pub(super) async fn resend(
        &self,
        draft: Draft,
        instead: Draft,
        request: ChallengeRequest<'_>,
    ) -> Result<OutgoingCode> {
        let lane = draft.lane();
        let mut strength = Strength::Short;
        for _ in 0..MOST_ROUNDS {
            let seen = match self.replace_code(&draft, request, strength).send().await? {
                Written::Done(item) => {
                    item::note("sent_again", &item::read(item)?, lane, strength == Strength::Long);
                    return Ok(OutgoingCode { draft, strength });
                }
                Written::Refused(item) => item.map(item::read).transpose()?,
            };
            if let Some(strength) = seen.as_ref().and_then(|state| draft.held_by(state)) {
                return Ok(OutgoingCode { draft, strength });
            }
            let again = match &seen {
                Some(state) => {
                    let again = state.resend(lane, &draft.key, request.policy, request.now);
                    again.inspect_err(|error| item::note_refusal(error, state, lane))?
                }
                None => None,
            };
            match again {
                Some(other) => strength = other,
                None => {
                    let strength = self.start(&instead, request, seen).await?;
                    return Ok(OutgoingCode { draft: instead, strength });
                }
            }
        }
        Err(Error::unavailable("too many parallel requests change the identifier's item"))
    }

    /// Undoes a send that was rejected or is probably lost: the send is uncounted, and the client can retry at once. The code
    /// stays valid, and the challenge's attempts, the failures and the network's count stay. Returns `false` from the third rejection on, so that clients stop
    /// hammering a broken sender.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn withdraw(&self, outgoing: &OutgoingCode, identifier: &IdentifierDigest) -> Result<bool> {
        let OutgoingCode { draft, strength } = outgoing;
        let challenge = item::challenge(draft.lane(), &draft.key);
        let write = self
            .update_identifier(identifier)
            .when(challenge.field(DIGEST).is(draft.digest(*strength).as_bytes()))
            .when(challenge.field(REFUSED_SENDS).below(("free_refusals", FREE_REFUSALS)))
            .set(challenge.field(SENT), 0)
            .lower(challenge.field(SENDS), 1)
            .raise(challenge.field(REFUSED_SENDS), 1);
        Ok(matches!(write.send().await?, Written::Done(_)))
    }

    /// A new code for an active challenge with attempts left. Resending leaves the attempts as they are; a long code sets them to
    /// one.
    fn replace_code(&self, draft: &Draft, request: ChallengeRequest<'_>, strength: Strength) -> Update<'_> {
        let ChallengeRequest { identifier, policy, now, .. } = request;
        let challenge = item::challenge(draft.lane(), &draft.key);
        let write = self
            .update_identifier(identifier)
            .when(challenge.field(ENDS).above(("now", now)))
            .when(challenge.field(ATTEMPTS_LEFT).at_least(1))
            .when(challenge.field(SENT).at_most(("resend_after_ago", now.before(policy.resend_after))))
            .when(challenge.field(SENDS).below(("most_sends", MOST_SENDS)))
            .when(strength_fits(strength, policy))
            .set(challenge.field(DIGEST), draft.digest(strength).as_bytes())
            .set(challenge.field(PEPPER), draft.pepper_id.as_str())
            .set(challenge.field(ENDS), draft.expires.moment())
            .set(challenge.field(SENT), ("now", now))
            .raise(challenge.field(SENDS), 1)
            .set(NEWEST, ("now", now))
            .set(TTL, now.after(KEPT_FOR));
        match strength {
            Strength::Short => write,
            Strength::Long => write.set(challenge.field(ATTEMPTS_LEFT), 1),
        }
    }
}
