//! Steps 2 to 5: decide about a request, send its code, and answer.

use std::time::Duration;

use shared::admission::{Allowed, Gate, Permit};
use shared::codes::{
    ChallengeRef, Decision, HOLD_WAIT, IdentifierState, Kept, MAILBOX_WAIT, OutgoingCode, Seal, Strength, blurred,
};
use shared::http::{Cookie, Reply, TokenDelivery};
use shared::messages::{CodeMessage, Sent};
use shared::observe::report::{self, Step};
use shared::store::{Begun, ChallengeRequest};
use shared::texts::Language;
use shared::words::{ChallengeId, Entropy, Error, NetworkDigest, Result, Timestamp, short_id};
use tokio::time::Instant;

use crate::RequestOtp;
use crate::wire::CodeSent;

/// A request for a code, ready to be decided.
pub(crate) struct Asking<'a> {
    pub(crate) request: ChallengeRequest<'a>,
    pub(crate) gate: &'a Gate<'a>,
    pub(crate) network: &'a NetworkDigest,
    pub(crate) seal: Seal<'a>,
    /// The challenge that the client named, if we sealed its id.
    pub(crate) named: Option<&'a ChallengeRef>,
    pub(crate) delivery: TokenDelivery,
    /// The language of the message and of the answer.
    pub(crate) language: Language,
}

/// Refused sends in a row that may be repeated at once. After the next one, a client has to wait.
const FREE_REFUSALS: u8 = 2;

impl<'a> Asking<'a> {
    /// The time left, if the client asked for the same challenge a moment ago.
    pub(crate) fn repeated(&self, function: &RequestOtp) -> Option<Duration> {
        let pause = function.policy.resend_after.min(self.promise(function));
        let left = self.now().until(self.named?.asked.after(pause));
        // An id from a clock that is ahead promises the same pause as any other.
        (!left.is_zero()).then_some(left.min(pause))
    }

    /// Names the same challenge again and sends nothing.
    pub(crate) async fn repeat(&self, function: &RequestOtp, left: Duration) -> Result<Reply> {
        let named = self.named.ok_or_else(|| Error::internal("a request without a challenge is not repeated"))?;
        let lane = self.request.asked.lane.name().into();
        report::note(Step::Challenge { did: "repeated".into(), lane, tokens: 0, charged: 0, long: false });
        function.pace.wait(self.request.asked.channel).await?;
        if named.refusals > 0 {
            return Err(Error::RateLimited { retry_after: left });
        }
        let promise = self.promise(function);
        let promised = self.now().until(named.asked.after(promise)).min(promise);
        self.answer(function, named, promised, left)
    }

    /// Decides, and sends a code or shares one.
    pub(crate) async fn decide(
        &self,
        function: &RequestOtp,
        state: IdentifierState,
        allowed: Allowed<'a>,
    ) -> Result<Reply> {
        let is_sending = matches!(state.decide(self.request.asked), Decision::Send(_));
        let started = Instant::now();
        let reserve = async {
            match is_sending {
                true => self.gate.reserve(allowed).await.map(Some),
                false => Ok(None),
            }
        };
        let (begun, reserved) = tokio::join!(function.table.begin(state, self.request), reserve);
        let outgoing = match begun? {
            Begun::Outgoing(outgoing) => outgoing,
            Begun::Shared => {
                function.pace.wait(self.request.asked.channel).await?;
                return self.sent(function, &self.names(Kept::Long, short_id(&Entropy)?));
            }
            Begun::MailboxFull => {
                function.pace.wait(self.request.asked.channel).await?;
                return Err(Error::RateLimited { retry_after: MAILBOX_WAIT });
            }
            // The challenge of the client stays as it is, so it keeps its id.
            Begun::Held => {
                function.pace.wait(self.request.asked.channel).await?;
                return Err(Error::AddressHeld { retry_after: HOLD_WAIT });
            }
            Begun::Wait(wait) => {
                function.pace.wait(self.request.asked.channel).await?;
                return Err(Error::RateLimited { retry_after: blurred(wait, self.network) });
            }
        };
        let to = self.request.drafting.to;
        let life = function.policy.life_of(to, outgoing.plan.strength);
        let tags = outgoing.name().tags(self.request.identifier);
        let message = CodeMessage { code: outgoing.draft.code(), life, language: self.language, tags };
        let parts = function.sender.parts(to, &message);
        let reply = self.send(function, &outgoing, message, async {
            match reserved? {
                Some(reserved) => self.gate.take(reserved, parts).await,
                None => Err(Error::internal("a code was stored without a decision to send it")),
            }
        });
        let reply = reply.await;
        function.pace.record(self.request.asked.channel, started.elapsed());
        reply
    }

    /// Sends a stored code if the gate permits it. Takes everything back after a certain refusal.
    async fn send(
        &self,
        function: &RequestOtp,
        outgoing: &OutgoingCode,
        message: CodeMessage<'_>,
        permit: impl Future<Output = Result<Permit<'_>>>,
    ) -> Result<Reply> {
        let permit = match permit.await {
            Ok(permit) => permit,
            // Another request may have taken the last message since step 1.
            Err(error) => {
                self.take_back(function, outgoing).await;
                return Err(error);
            }
        };
        match function.sender.send(permit, message).await {
            Ok(Sent::Accepted(_) | Sent::Unclear(_)) => {
                self.sent(function, &self.names(outgoing.plan.kept(), outgoing.draft.key.clone()))
            }
            Ok(Sent::Lost) => {
                // The message may have been sent, so its code stays valid. An SMS keeps its share of the budget and of the debt.
                let identifier = self.request.identifier.as_str();
                tracing::warn!(identifier, "the connection broke; the code is probably lost");
                self.not_sent(function, outgoing)
            }
            Ok(Sent::Refused(reason)) => {
                tracing::warn!(reason, identifier = self.request.identifier.as_str(), "the code was not sent");
                self.take_back(function, outgoing).await;
                self.gate.give_back().await?;
                self.not_sent(function, outgoing)
            }
            Err(error) => {
                self.take_back(function, outgoing).await;
                Err(error)
            }
        }
    }

    /// Takes back a code after a fault. If the table is unreachable too, the token comes back with time.
    async fn take_back(&self, function: &RequestOtp, outgoing: &OutgoingCode) {
        if let Err(error) = function.table.withdraw(outgoing, self.request).await {
            tracing::warn!(cause = error.cause(), "a code that was not sent stays counted");
        }
    }

    /// The answer after a message was accepted, or shared.
    fn sent(&self, function: &RequestOtp, named: &ChallengeRef) -> Result<Reply> {
        self.answer(function, named, self.promise(function), function.policy.resend_after)
    }

    /// The error after a send that was refused or is probably lost. The client may retry at once, [`FREE_REFUSALS`] times.
    fn not_sent(&self, function: &RequestOtp, outgoing: &OutgoingCode) -> Result<Reply> {
        let refusals = self.named.map_or(0, |named| named.refusals).saturating_add(1);
        let may_repeat = refusals <= FREE_REFUSALS;
        let asked = if may_repeat { Timestamp::default() } else { self.now() };
        let named = ChallengeRef { asked, refusals, ..self.names(outgoing.plan.kept(), outgoing.draft.key.clone()) };
        let challenge = self.seal.seal(&named, self.now())?;
        let error = Error::SendFailed {
            channel: self.request.asked.channel,
            challenge: (self.delivery == TokenDelivery::Body).then(|| challenge.reveal().to_owned()),
            retry_after: (!may_repeat).then_some(function.policy.resend_after),
        };
        self.with_cookie(function, Reply::refusal(&error, self.language), &challenge)
    }

    fn answer(
        &self,
        function: &RequestOtp,
        named: &ChallengeRef,
        expires_in: Duration,
        retry_after: Duration,
    ) -> Result<Reply> {
        let challenge = self.seal.seal(named, self.now())?;
        let shown = (self.delivery == TokenDelivery::Body).then_some(&challenge);
        let reply = Reply::ok(CodeSent::new(self.request.drafting.to, shown, expires_in, retry_after, self.language))?;
        self.with_cookie(function, reply, &challenge)
    }

    fn with_cookie(&self, function: &RequestOtp, reply: Reply, challenge: &ChallengeId) -> Result<Reply> {
        let life = function.policy.life_of(self.request.drafting.to, Strength::Short);
        let cookie = (self.delivery == TokenDelivery::Cookie).then(|| Cookie::Challenge.keep(challenge.reveal(), life));
        reply.with_cookies(cookie)
    }

    /// The challenge that this request has led to.
    fn names(&self, kept: Kept, key: String) -> ChallengeRef {
        ChallengeRef { kept, key, network: self.network.short().to_owned(), asked: self.now(), refusals: 0 }
    }

    fn promise(&self, function: &RequestOtp) -> Duration {
        function.policy.promise(self.request.drafting.to)
    }

    fn now(&self) -> Timestamp {
        self.request.asked.now
    }
}
