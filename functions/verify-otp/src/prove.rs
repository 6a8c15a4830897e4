//! Steps 1 and 2: count an attempt, then compare the code.

use shared::codes::{Action, Attempt, ChallengeRef, ProvenCode, Seal, is_known_device};
use shared::http::TokenDelivery;
use shared::keys::CodeKeys;
use shared::observe::report::{self, About, Step};
use shared::sessions::Familiarity;
use shared::store::Owner;
use shared::words::{
    Destination, Error, IdentifierDigest, Index, Lane, Network, NetworkDigest, Result, SessionId, Timestamp,
};

use crate::VerifyOtp;
use crate::wire::SubmittedCode;

/// An answer, and where it came from.
pub(crate) struct Answer<'a> {
    pub(crate) submitted: &'a SubmittedCode,
    pub(crate) identifier: IdentifierDigest,
    pub(crate) network: NetworkDigest,
    /// The identifier, by the channel of the named challenge's last message.
    to: Destination,
    /// The challenge that the client named.
    named: Option<ChallengeRef>,
    /// The session that it opens, if it can be repeated: it names a challenge and has a retry key.
    pub(crate) session: Option<SessionId>,
    codes: &'a CodeKeys,
    pub(crate) now: Timestamp,
}

impl<'a> Answer<'a> {
    /// Opens the challenge id.
    ///
    /// # Errors
    /// [`Error::InvalidOtp`] for an id that we did not seal for this identifier, unless it may be in a cookie by chance. It costs no
    /// call.
    pub(crate) fn new(
        submitted: &'a SubmittedCode,
        network: Network,
        index: &Index<'_>,
        codes: &'a CodeKeys,
        now: Timestamp,
    ) -> Result<Answer<'a>> {
        let (identifier, network) = (index.identifier(&submitted.to.identifier()), index.network(network));
        report::about(About::Identifier(&identifier));
        report::about(About::Network(&network));
        let named = submitted.challenge.as_ref().and_then(|id| Seal::new(index, &identifier).open(id, now));
        if named.is_none() && submitted.challenge.is_some() && !submitted.may_be_foreign {
            return Err(Error::InvalidOtp);
        }
        let challenge = submitted.challenge.as_ref().filter(|_| named.is_some());
        let repeatable = challenge.zip(submitted.retry.as_ref());
        let session = repeatable.map(|(id, retry)| index.session(id, submitted.code.reveal(), retry));
        let to = submitted.to.by(named.as_ref().and_then(|named| named.other));
        Ok(Answer { submitted, to, identifier, network, named, session, codes, now })
    }
}

impl VerifyOtp {
    /// Checks the code. Returns the proof and the owner of the identifier, if it has one.
    pub(crate) async fn prove(&self, answer: &Answer<'_>, index: &Index<'_>) -> Result<(ProvenCode, Owner)> {
        let proving = async {
            match &answer.named {
                Some(named) => self.prove_bound(answer, named, index).await,
                None => self.prove_unbound(answer, index).await,
            }
        };
        // Writes the attempts of earlier answers, at most once in 16 answers.
        tokio::join!(proving, self.challenges.write_attempts(answer.now)).0
    }

    /// Compares the code with a counted attempt.
    fn compare(&self, answer: &Answer<'_>, attempt: &Attempt) -> Option<ProvenCode> {
        let proven = answer.compare(attempt);
        if proven.is_none() && attempt.is_last() {
            report::note(Step::Lockout { of: "code".into() });
        }
        if !answer.submitted.code.is_long() {
            self.challenges.note_attempt(proven.is_none());
        }
        proven
    }

    /// An answer with a challenge id. A code with digits is compared with its own challenge only, a long code with every long
    /// code of the identifier. The limits of networks ignore it: its challenge has few attempts, and a long code needs no limit.
    async fn prove_bound(
        &self,
        answer: &Answer<'_>,
        named: &ChallengeRef,
        index: &Index<'_>,
    ) -> Result<(ProvenCode, Owner)> {
        let Answer { submitted, identifier, now, .. } = answer;
        let spend = async {
            if submitted.code.is_long() {
                return self.challenges.long_codes(identifier).await.map(Some);
            }
            // An id of a long code names no entry, so its write is refused like that of an unknown challenge.
            let (lane, key) = named.own().unwrap_or((Lane::Open, &named.key));
            self.challenges.spend_bound(identifier, (lane, key), *now).await
        };
        let users = self.users.of(index.tenant());
        let (attempt, owner) = tokio::join!(spend, users.owner(identifier));
        match attempt?.and_then(|attempt| self.compare(answer, &attempt)) {
            Some(proven) => Ok((proven, owner?)),
            None => {
                report::note(Step::Compared { right: false });
                Err(Error::InvalidOtp)
            }
        }
    }

    /// An answer without a challenge id. It may be a guess at any user, so the failures of its network are limited (V37).
    async fn prove_unbound(&self, answer: &Answer<'_>, index: &Index<'_>) -> Result<(ProvenCode, Owner)> {
        let Answer { submitted, identifier, network, now, .. } = answer;
        let (challenges, users, limit, now) = (&self.challenges, self.users.of(index.tenant()), self.failures, *now);
        let closed = |retry_after| Error::TooManyAttempts { retry_after };
        challenges.known_quota(Action::Failure, network, limit, now).or_refuse(now, closed)?;
        let (state, owner, quota) = tokio::join!(
            challenges.identifier(identifier),
            users.owner(identifier),
            challenges.quota(Action::Failure, network, limit, now),
        );
        quota?.or_refuse(now, closed)?;
        let attempt = match submitted.code.is_long() {
            true => Some(challenges.long_codes_of(identifier, state?)),
            false => challenges.spend_unbound(identifier, network, state?, now).await?,
        };
        if let Some(proven) = attempt.as_ref().and_then(|attempt| self.compare(answer, attempt)) {
            return Ok((proven, owner?));
        }
        report::note(Step::Compared { right: false });
        let compared = attempt.is_some_and(|attempt| attempt.compares(now));
        challenges.count_times(u32::from(compared), Action::Failure, network, limit, now).await?;
        Err(Error::InvalidOtp)
    }
}

impl Answer<'_> {
    /// How well the client is known that gave the right answer. A sign-up is decided later.
    pub(crate) fn familiarity(&self, index: &Index<'_>, epoch: u32) -> Familiarity {
        let SubmittedCode { to, device, delivery, .. } = self.submitted;
        let is_ours = |device: &String| is_known_device(device, &to.identifier(), index, epoch, self.now);
        match (device.as_ref().is_some_and(is_ours), delivery) {
            (true, _) => Familiarity::Known,
            (false, TokenDelivery::Cookie) => Familiarity::Strange,
            (false, TokenDelivery::Body) => Familiarity::Unclear,
        }
    }

    fn compare(&self, attempt: &Attempt) -> Option<ProvenCode> {
        let Answer { submitted, to, codes, now, .. } = self;
        let pepper = |id: &str| Some(codes.peppers.find(id, *now)?.key.mac());
        let proven = attempt.prove(&submitted.code, to, pepper, *now)?;
        report::note(Step::Compared { right: true });
        Some(proven)
    }
}
