//! Steps 1 and 2: count a try, then compare.

use shared::codes::{Action, Attempt, Binding, CodeDigest, Proof};
use shared::keys::CodeKeys;
use shared::observe::report::{self, Step};
use shared::words::{Error, Index, Lane, Network, NetworkDigest, Result, Timestamp, UserId};

use crate::VerifyOtp;
use crate::wire::Answer;

/// An answer in the tables' words.
pub(crate) struct Try<'a> {
    pub(crate) answer: &'a Answer,
    /// The identifier's digest.
    pub(crate) key: String,
    /// The lane and the digest of the challenge that it names, if it names one.
    challenge: Option<(Lane, String)>,
    network: NetworkDigest,
    pub(crate) now: Timestamp,
}

impl<'a> Try<'a> {
    pub(crate) fn new(answer: &'a Answer, index: &Index<'_>, network: Network, now: Timestamp) -> Try<'a> {
        let key = index.identifier(&answer.identifier);
        let challenge = answer.challenge.as_ref().map(|id| (id.lane(), index.challenge(id)));
        Try { answer, key, challenge, network: index.network(network), now }
    }
}

impl VerifyOtp {
    /// The proof of a right code, and whose the identifier is, if it is anyone's.
    pub(crate) async fn prove(&self, answered: &Try<'_>, codes: &CodeKeys) -> Result<(Proof, Option<UserId>)> {
        let Try { key, network, now, .. } = answered;
        let closed = |retry_after| Error::TooManyAttempts { retry_after };
        self.challenges.known_quota(Action::Failure, network, self.failures, *now).or_refuse(*now, closed)?;
        let (attempt, owner, quota) = tokio::join!(
            self.spend(answered),
            self.users.owner(key),
            self.challenges.quota(Action::Failure, network, self.failures, *now),
        );
        let quota = quota?;
        // A bound try was spent beside this read, and its owner has few: it is compared. Who may do so has asked for the
        // code, and that is limited. An unbound one might be anybody's guess at anybody: a closed network gets none (V37).
        if answered.challenge.is_none() {
            quota.or_refuse(*now, closed)?;
        }

        let refusal = match attempt {
            Ok(attempt) => {
                let proof = attempt.and_then(|attempt| self.compare(&attempt, answered, codes));
                report::note(Step::Compared { right: proof.is_some() });
                if let Some(proof) = proof {
                    return Ok((proof, owner?));
                }
                Error::InvalidOtp
            }
            Err(wait @ Error::TooManyAttempts { .. }) => wait,
            Err(error) => return Err(error),
        };
        quota.or_refuse(*now, closed)?;
        self.challenges.count(Action::Failure, network, self.failures, *now).await?;
        Err(refusal)
    }

    async fn spend(&self, answered: &Try<'_>) -> Result<Option<Attempt>> {
        match &answered.challenge {
            Some((lane, challenge)) => {
                self.challenges.spend_bound(&answered.key, (*lane, challenge), answered.now).await
            }
            None => self.challenges.spend_unbound(&answered.key, answered.now).await,
        }
    }

    fn compare(&self, attempt: &Attempt, answered: &Try<'_>, codes: &CodeKeys) -> Option<Proof> {
        let Answer { identifier, code, .. } = answered.answer;
        let digest = |challenge: &str, pepper_id: &str| {
            let pepper = codes.peppers.find(pepper_id, answered.now)?;
            let binding = Binding { tenant: &self.tenant, identifier, challenge };
            Some(CodeDigest::of(code, binding, &pepper.key.mac()))
        };
        attempt.prove(|key, challenge| digest(key, &challenge.pepper_id), &self.policy, answered.now)
    }
}
