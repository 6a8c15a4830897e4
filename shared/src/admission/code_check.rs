//! Checks a typed code: counts an attempt, then compares the code. Every function that takes codes uses this module.

use crate::codes::{Action, Allowance, Attempt, ChallengeRef, Code, ProvenCode, Purpose, Seal};
use crate::keys::CodeKeys;
use crate::observe::report::{self, About, Step};
use crate::store::{OtpTable, Owner, Users};
use crate::words::{
    ChallengeId, Destination, Error, IdentifierDigest, Index, Lane, Network, NetworkDigest, Result, Timestamp,
};

/// A code as its client sent it.
#[derive(Clone, Copy)]
pub struct TypedCode<'a> {
    /// The code.
    pub code: &'a Code,
    /// The challenge, if the client named one.
    pub challenge: Option<&'a ChallengeId>,
    /// The identifier that the code was sent to.
    pub to: &'a Destination,
    /// The client's network.
    pub network: Network,
    /// The purpose that the code must have.
    pub purpose: Purpose,
}

/// The same with its challenge id opened, ready to be checked.
pub struct OpenedCode<'a> {
    code: &'a Code,
    purpose: Purpose,
    identifier: IdentifierDigest,
    network: NetworkDigest,
    /// The identifier, by the channel of the named challenge's last message.
    to: Destination,
    named: Option<ChallengeRef>,
}

/// The tables and rules of the deployment, for the check of a code.
#[derive(Clone, Copy)]
pub struct CodeCheck<'a> {
    /// The table that holds the challenge.
    pub challenges: &'a OtpTable,
    /// The users of the request's tenant.
    pub users: Users<'a>,
    /// The keyring of codes.
    pub codes: &'a CodeKeys,
    /// The limit on wrong codes from one network.
    pub failures: Allowance,
    /// The current time.
    pub now: Timestamp,
}

impl<'a> TypedCode<'a> {
    /// Opens the challenge id. It costs no call.
    pub fn open(self, index: &Index<'_>, now: Timestamp) -> OpenedCode<'a> {
        let TypedCode { code, challenge, to, network, purpose } = self;
        let (identifier, network) = (index.identifier(&to.identifier()), index.network(network));
        report::about(About::Identifier(&identifier));
        report::about(About::Network(&network));
        let named = challenge.and_then(|id| Seal::new(index, &identifier, purpose).open(id, now));
        let to = to.by(named.as_ref().and_then(|named| named.other));
        OpenedCode { code, purpose, identifier, network, to, named }
    }
}

impl OpenedCode<'_> {
    /// The digest of the identifier.
    pub fn identifier(&self) -> &IdentifierDigest {
        &self.identifier
    }

    /// The digest of the client's network.
    pub fn network(&self) -> &NetworkDigest {
        &self.network
    }

    /// Whether it names a challenge that we sealed for this identifier and purpose.
    pub fn is_bound(&self) -> bool {
        self.named.is_some()
    }
}

impl CodeCheck<'_> {
    /// Checks the code. Returns the proof and the owner of the identifier, if it has one. Only a code for a sign-in may come without its
    /// challenge id.
    ///
    /// # Errors
    /// [`Error::InvalidOtp`] for a wrong, used or expired code, or one for another purpose; [`Error::TooManyAttempts`] without a
    /// challenge id from a network with too many failures; [`Error::Unavailable`] when a table is unreachable.
    pub async fn prove(self, typed: &OpenedCode<'_>) -> Result<(ProvenCode, Owner)> {
        let proving = async {
            match &typed.named {
                Some(named) => self.prove_bound(typed, named).await,
                None if typed.purpose == Purpose::SignIn => self.prove_unbound(typed).await,
                None => Err(Error::InvalidOtp),
            }
        };
        // Writes the attempts of earlier answers, at most once in 16 answers.
        tokio::join!(proving, self.challenges.write_attempts(self.now)).0
    }

    /// Compares the code with a counted attempt.
    fn compare(self, typed: &OpenedCode<'_>, attempt: &Attempt) -> Option<ProvenCode> {
        let pepper = |id: &str| Some(self.codes.peppers.find(id, self.now)?.key.mac());
        let proven = attempt.prove(typed.code, (&typed.to, typed.purpose), pepper, self.now);
        if proven.is_some() {
            report::note(Step::Compared { right: true });
        } else if attempt.is_last() {
            report::note(Step::Lockout { of: "code".into() });
        }
        if !typed.code.is_long() {
            self.challenges.note_attempt(proven.is_none());
        }
        proven
    }

    /// An answer with a challenge id. A code with digits is compared with its own challenge only, a long code with every long
    /// code of the identifier. The limits of networks ignore it: its challenge has few attempts, and a long code needs no limit.
    async fn prove_bound(self, typed: &OpenedCode<'_>, named: &ChallengeRef) -> Result<(ProvenCode, Owner)> {
        let CodeCheck { challenges, users, now, .. } = self;
        let OpenedCode { code, identifier, .. } = typed;
        let spend = async {
            if code.is_long() {
                return challenges.long_codes(identifier).await.map(Some);
            }
            // An id of a long code names no entry, so its write is refused like that of an unknown challenge.
            let (lane, key) = named.own().unwrap_or((Lane::Open, &named.key));
            challenges.spend_bound(identifier, (lane, key), now).await
        };
        let (attempt, owner) = tokio::join!(spend, users.owner(identifier));
        match attempt?.and_then(|attempt| self.compare(typed, &attempt)) {
            Some(proven) => Ok((proven, owner?)),
            None => {
                report::note(Step::Compared { right: false });
                Err(Error::InvalidOtp)
            }
        }
    }

    /// An answer without a challenge id. It may be a guess at any user, so the failures of its network are limited (V37).
    async fn prove_unbound(self, typed: &OpenedCode<'_>) -> Result<(ProvenCode, Owner)> {
        let CodeCheck { challenges, users, failures: limit, now, .. } = self;
        let OpenedCode { code, identifier, network, .. } = typed;
        let closed = |retry_after| Error::TooManyAttempts { retry_after };
        challenges.known_quota(Action::Failure, network, limit, now).or_refuse(now, closed)?;
        let (state, owner, quota) = tokio::join!(
            challenges.identifier(identifier),
            users.owner(identifier),
            challenges.quota(Action::Failure, network, limit, now),
        );
        quota?.or_refuse(now, closed)?;
        let attempt = match code.is_long() {
            true => Some(challenges.long_codes_of(identifier, state?)),
            false => challenges.spend_unbound(identifier, network, state?, now).await?,
        };
        if let Some(proven) = attempt.as_ref().and_then(|attempt| self.compare(typed, attempt)) {
            return Ok((proven, owner?));
        }
        report::note(Step::Compared { right: false });
        let compared = attempt.is_some_and(|attempt| attempt.compares(now));
        challenges.count_times(u32::from(compared), Action::Failure, network, limit, now).await?;
        Err(Error::InvalidOtp)
    }
}
