//! Steps 2 to 5: decide about a request, send its code, and answer.

use std::time::Duration;

use shared::admission::{Allowed, Gate, Permit};
use shared::codes::{
    ChallengeRef, Decision, HOLD_WAIT, IdentifierState, Kept, MAILBOX_WAIT, OutgoingCode, PURPOSE_WAIT, Seal, Strength,
    blurred,
};
use shared::http::{Cookie, Reply, TokenDelivery};
use shared::messages::{CodeMessage, Sent};
use shared::observe::report::{self, Step};
use shared::store::{Begun, ChallengeRequest};
use shared::texts::Language;
use shared::words::{ChallengeId, Channel, Destination, Entropy, Error, NetworkDigest, Result, Timestamp, short_id};
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
    /// The origin of the API.
    pub(crate) api: String,
}

/// Refused sends in a row that may be repeated at once. After the next one, a client has to wait.
const FREE_REFUSALS: u8 = 2;

impl<'a> Asking<'a> {
    /// The time left, if the client asked for the same challenge a moment ago.
    pub(crate) fn repeated(&self, function: &RequestOtp) -> Option<Duration> {
        if self.request.asked.channel.follows_text() {
            return None;
        }
        let pause = function.policy.resend_after.min(self.promise(function));
        let left = self.now().until(self.named?.asked.after(pause));
        // An id from a clock that is ahead promises the same pause as any other.
        (!left.is_zero()).then_some(left.min(pause))
    }

    /// Checks what the id of a challenge and an opt-out say about a call or a WhatsApp message.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] without the id of a text whose code is still promised (S260); [`Error::SendFailed`] if the number has
    /// opted out since then (S265).
    pub(crate) async fn may_follow(&self, function: &RequestOtp, state: &IdentifierState) -> Result<()> {
        let channel = self.request.asked.channel;
        if !channel.follows_text() {
            return Ok(());
        }
        let is_promised = |named: &&ChallengeRef| {
            named.refusals == 0 && !self.now().until(named.asked.after(self.promise(function))).is_zero()
        };
        let text = self.named.filter(is_promised).ok_or_else(|| {
            Error::invalid("Ask for a text message first, and name its challenge_id while its code is valid.")
        })?;
        if state.opted_out.is_none_or(|at| text.asked > at) {
            return Ok(());
        }
        function.pace.wait(channel).await?;
        Err(Error::SendFailed { channel: Channel::Sms, challenge: None, retry_after: None })
    }

    /// Names the same challenge again and sends nothing.
    pub(crate) async fn repeat(&self, function: &RequestOtp, left: Duration) -> Result<Reply> {
        let named = self.named.ok_or_else(|| Error::internal("a request without a challenge is not repeated"))?;
        let (lane, purpose) = (self.request.asked.lane.name().into(), self.request.asked.purpose.noted());
        report::note(Step::Challenge { did: "repeated".into(), lane, purpose, tokens: 0, charged: 0, long: false });
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
            Begun::NoneToSpare => {
                function.pace.wait(self.request.asked.channel).await?;
                return Err(Error::RateLimited { retry_after: PURPOSE_WAIT });
            }
            Begun::TooSoon(left) => {
                function.pace.wait(self.request.asked.channel).await?;
                return Err(Error::RateLimited { retry_after: left });
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
        let (language, api) = (self.language, self.api.clone());
        let message =
            CodeMessage { code: outgoing.draft.code(), purpose: self.request.asked.purpose, life, language, tags, api };
        let parts = function.sender.parts(to, &message);
        let reply = self.send(function, &outgoing, &message, async {
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
        message: &CodeMessage<'_>,
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
        let mut to = permit.to().clone();
        let mut sent = self.send_to(function, &to, permit, message).await;
        while let Ok(Sent::Refused(reason)) = &sent {
            let Some(next) = self.following(function, outgoing, &to) else { break };
            tracing::warn!(
                reason,
                refused = to.channel().name(),
                next = next.channel().name(),
                "another channel follows"
            );
            sent = match self.gate.follow(&next, self.request.asked.lane).await {
                Ok(Some(permit)) => self.send_to(function, &next, permit, message).await,
                Ok(None) => Ok(Sent::Refused("a budget is used up".to_owned())),
                // The person loses nothing by a fault: the refused text is told.
                Err(error) => Ok(Sent::Refused(error.cause().unwrap_or_default())),
            };
            to = next;
        }
        self.answer_to(function, outgoing, &to, sent).await
    }

    /// The destination that follows a refused one at once, in the order of `SMS_CHANNELS`. A long code is never spoken.
    fn following(&self, function: &RequestOtp, outgoing: &OutgoingCode, refused: &Destination) -> Option<Destination> {
        if self.request.asked.channel != Channel::Sms || outgoing.plan.strength == Strength::Long {
            return None;
        }
        function.others.after(refused.channel()).map(|next| refused.by(Some(next)))
    }

    /// Sends the message, and takes back what a refused one has counted, except for its share of the budget. Counts a call first.
    async fn send_to(
        &self,
        function: &RequestOtp,
        to: &Destination,
        permit: Permit<'_>,
        message: &CodeMessage<'_>,
    ) -> Result<Sent> {
        let (identifier, now, table) = (self.request.identifier, self.now(), &function.table);
        let is_call = to.channel() == Channel::Voice;
        let sent = match is_call && !table.take_call(identifier, now).await? {
            true => Ok(Sent::Refused("the number has had its calls of the day".to_owned())),
            false => match function.sender.send(permit, message).await {
                sent @ Ok(Sent::Refused(_) | Sent::OptedOut(_)) if is_call => {
                    table.return_call(identifier, now).await?;
                    sent
                }
                sent => sent,
            },
        };
        if let Ok(Sent::Refused(_) | Sent::OptedOut(_)) = sent {
            self.gate.give_back().await?;
        }
        sent
    }

    /// The answer to what became of a send.
    async fn answer_to(
        &self,
        function: &RequestOtp,
        outgoing: &OutgoingCode,
        to: &Destination,
        sent: Result<Sent>,
    ) -> Result<Reply> {
        let identifier = self.request.identifier;
        match sent {
            Ok(Sent::Accepted(_) | Sent::Unclear(_)) => {
                let named = self.names(outgoing.plan.kept(), outgoing.draft.key.clone());
                self.sent(function, &ChallengeRef { other: other(to.channel()), ..named })
            }
            Ok(Sent::Lost) => {
                // The message may have been sent, so its code stays valid. An SMS keeps its share of the budget and of the debt.
                tracing::warn!(identifier = identifier.as_str(), "the connection broke; the code is probably lost");
                self.not_sent(function, outgoing, to.channel())
            }
            Ok(Sent::Refused(reason)) => {
                tracing::warn!(reason, identifier = identifier.as_str(), "the code was not sent");
                self.take_back(function, outgoing).await;
                self.not_sent(function, outgoing, self.request.asked.channel)
            }
            Ok(Sent::OptedOut(reason)) => {
                tracing::warn!(reason, identifier = identifier.as_str(), "the number has opted out");
                self.take_back(function, outgoing).await;
                function.table.note_opt_out(identifier, self.now()).await?;
                self.not_sent(function, outgoing, Channel::Sms)
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
    fn not_sent(&self, function: &RequestOtp, outgoing: &OutgoingCode, channel: Channel) -> Result<Reply> {
        // After a call that was not made, the challenge is still that of its text.
        if let Some(text) = self.named.filter(|_| self.request.asked.channel.follows_text()) {
            let challenge = self.seal.seal(text, self.now())?;
            return self.failed(function, (channel, None), &challenge);
        }
        let refusals = self.named.map_or(0, |named| named.refusals).saturating_add(1);
        let may_repeat = refusals <= FREE_REFUSALS;
        let asked = if may_repeat { Timestamp::default() } else { self.now() };
        let named = ChallengeRef { asked, refusals, ..self.names(outgoing.plan.kept(), outgoing.draft.key.clone()) };
        let challenge = self.seal.seal(&named, self.now())?;
        let wait = (!may_repeat).then_some(function.policy.resend_after);
        self.failed(function, (channel, wait), &challenge)
    }

    fn failed(
        &self,
        function: &RequestOtp,
        (channel, retry_after): (Channel, Option<Duration>),
        challenge: &ChallengeId,
    ) -> Result<Reply> {
        let shown = (self.delivery == TokenDelivery::Body).then(|| challenge.reveal().to_owned());
        let error = Error::SendFailed { channel, challenge: shown, retry_after };
        self.with_cookie(function, Reply::refusal(&error, self.language), challenge)
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
        let reply = Reply::ok(CodeSent::new(
            self.request.drafting.to.by(named.other).channel(),
            shown,
            expires_in,
            retry_after,
            self.language,
        ))?;
        self.with_cookie(function, reply, &challenge)
    }

    fn with_cookie(&self, function: &RequestOtp, reply: Reply, challenge: &ChallengeId) -> Result<Reply> {
        let life = function.policy.life_of(self.request.drafting.to, Strength::Short);
        let cookie = (self.delivery == TokenDelivery::Cookie).then(|| Cookie::Challenge.keep(challenge.reveal(), life));
        reply.with_cookies(cookie)
    }

    /// The challenge that this request has led to.
    fn names(&self, kept: Kept, key: String) -> ChallengeRef {
        let (network, other) = (self.network.short().to_owned(), other(self.request.asked.channel));
        ChallengeRef { kept, key, network, asked: self.now(), refusals: 0, other }
    }

    fn promise(&self, function: &RequestOtp) -> Duration {
        function.policy.promise(self.request.drafting.to)
    }

    fn now(&self) -> Timestamp {
        self.request.asked.now
    }
}

/// The channel, if it is not the usual one of its identifier.
fn other(channel: Channel) -> Option<Channel> {
    Some(channel).filter(|channel| channel.follows_text())
}
