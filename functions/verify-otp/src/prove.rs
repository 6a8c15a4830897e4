//! Steps 1 and 2: count an attempt, then compare the code.

use shared::codes::{Action, ProvenCode};
use shared::keys::CodeKeys;
use shared::observe::report::{self, Step};
use shared::store::Owner;
use shared::words::{Error, Index, Network, Result, Timestamp};

use crate::VerifyOtp;
use crate::wire::SubmittedCode;

impl VerifyOtp {
    /// Checks the code. Returns the proof and the owner of the identifier, if it has one.
    pub(crate) async fn prove(
        &self,
        submitted: &SubmittedCode,
        network: Network,
        index: &Index<'_>,
        codes: &CodeKeys,
        now: Timestamp,
    ) -> Result<(ProvenCode, Owner)> {
        let identifier = index.identifier(&submitted.to.identifier());
        let challenge = submitted.challenge.as_ref().map(|id| (id.lane(), index.challenge(id)));
        let network = index.network(network);
        let users = self.users.of(index.tenant());
        let closed = |retry_after| Error::TooManyAttempts { retry_after };
        self.challenges.known_quota(Action::Failure, &network, self.failures, now).or_refuse(now, closed)?;
        let spend = async {
            match &challenge {
                Some((lane, key)) => self.challenges.spend_bound(&identifier, (*lane, key), now).await,
                None => self.challenges.spend_unbound(&identifier, now).await,
            }
        };
        let (attempt, owner, quota) = tokio::join!(
            spend,
            users.owner(&identifier),
            self.challenges.quota(Action::Failure, &network, self.failures, now),
        );
        let quota = quota?;
        // The attempt is already counted, and a challenge has only a few. A bound attempt is compared even from a
        // network over its limit: its client has requested the code itself, and requests are limited. An unbound
        // attempt may be an attacker's guess at any user, so a network over its limit gets none (V37).
        if challenge.is_none() {
            quota.or_refuse(now, closed)?;
        }

        let refusal = match attempt {
            Ok(attempt) => {
                let pepper = |id: &str| Some(codes.peppers.find(id, now)?.key.mac());
                let proven = attempt
                    .and_then(|attempt| attempt.prove(&submitted.code, &submitted.to, pepper, self.attempts, now));
                report::note(Step::Compared { right: proven.is_some() });
                if let Some(proven) = proven {
                    return Ok((proven, owner?));
                }
                Error::InvalidOtp
            }
            Err(wait @ Error::TooManyAttempts { .. }) => wait,
            Err(error) => return Err(error),
        };
        quota.or_refuse(now, closed)?;
        self.challenges.count(Action::Failure, &network, self.failures, now).await?;
        Err(refusal)
    }
}
