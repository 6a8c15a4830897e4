//! `POST /api/auth/otp/request/`: sends a code to an identifier.
//!
//! 1. Count the request for its network, and check the day's SMS budget.
//! 2. Begin a challenge, or put a new code into the challenge named by the client. An SMS also counts towards the
//!    network's daily limit.
//! 3. Take an SMS out of the day's budget.
//! 4. Send the code. If it was not sent or is probably lost, undo the send, so that the client may retry at once.
//! 5. Give the same answer to everybody. This function has no access to users, so it cannot reveal accounts. A
//!    browser gets the challenge id as a cookie that scripts cannot read.

mod wire;

use shared::admission::Gate;
use shared::aws::{self, Aws, KeyringReader};
use shared::codes::{Allowance, Binding, ChallengePolicy, Draft, OutgoingCode, is_known_device};
use shared::config::Reader;
use shared::http::{Cookie, Frontends, Reply, Request, TokenDelivery};
use shared::keys::{CodeKeys, IndexKeys};
use shared::messages::{MailSettings, Sender, Sent, SmsSettings};
use shared::runtime::Function;
use shared::store::{ChallengeRequest, OtpTable, Store};
use shared::words::{ChallengeId, Channel, Clock, Entropy, Error, ExpiresAt, IdentifierDigest, Index, Lane, Result};

use crate::wire::{CodeRequest, CodeSent};

/// The function's resources: one table, two keyrings, email and SMS.
pub struct RequestOtp {
    clock: Clock,
    policy: ChallengePolicy,
    requests: Allowance,
    frontends: Frontends,
    index: KeyringReader<IndexKeys>,
    codes: KeyringReader<CodeKeys>,
    table: OtpTable,
    sender: Sender,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    /// The length, expiry and limits of codes.
    pub challenge: ChallengePolicy,
    /// The limit on requests from one network.
    pub requests: Allowance,
    /// The settings for email, and the product's name in all messages.
    pub mail: MailSettings,
    /// The settings for SMS.
    pub sms: SmsSettings,
    /// The allowed origins of browsers, and the usual delivery of tokens.
    pub frontends: Frontends,
    /// The table of challenges and counters.
    pub otp_table: String,
    /// The secret with the index key.
    pub index_secret: String,
    /// The secret with the keyring of codes.
    pub codes_secret: String,
}

impl Function for RequestOtp {
    const NAME: &'static str = "request-otp";
    const IS_AWAITED: bool = true;

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            challenge: ChallengePolicy::read(read),
            requests: Allowance::read_requests(read),
            mail: MailSettings::read(read),
            sms: SmsSettings::read(read),
            frontends: Frontends::read(read),
            otp_table: OtpTable::read_name(read),
            index_secret: IndexKeys::read_secret(read),
            codes_secret: CodeKeys::read_secret(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<RequestOtp> {
        let Settings { challenge: policy, requests, mail, sms, frontends, otp_table, index_secret, codes_secret } =
            settings;
        let aws = Aws::new(aws, &clock)?;
        let (index, codes) = (KeyringReader::new(&aws, index_secret), KeyringReader::new(&aws, codes_secret));
        let store = Store::new(&aws);
        let sender = Sender::new(&aws, mail, sms)?;
        let sends_sms = !policy.sms.countries.is_empty();
        let texting = async {
            if sends_sms {
                sender.connect(Channel::Sms).await;
            }
        };
        // A request by SMS starts with one count and three reads at once. A request by email makes its calls one by one.
        let calls = if sends_sms { 4 } else { 1 };
        let keys = async { tokio::join!(index.warm(clock.now()), codes.warm(clock.now())) };
        tokio::join!(keys, store.connect(calls), sender.connect(Channel::Email), texting);
        let table = store.otp_table(otp_table);
        Ok(RequestOtp { clock, policy, requests, frontends, index, codes, table, sender })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let CodeRequest { to, named, delivery, device } = CodeRequest::read(&request, &self.frontends)?;
        let life = self.policy.life_of_code(&to)?;

        let (index, codes) = tokio::try_join!(self.index.keys(now), self.codes.keys(now))?;
        let index = Index::new(index.index.mac(), request.tenant());
        let identifier = index.identifier(&to.identifier());
        let network = index.network(request.network);
        let gate = Gate::new(&self.table, &self.policy.sms, &to, now)?;
        gate.look(&network, self.requests).await?;

        let is_known = device.is_some_and(|device| is_known_device(device, &to.identifier(), &index, now));
        let lane = if is_known { Lane::Known } else { Lane::Open };
        let pepper = codes.peppers.active(now)?;
        let draft = |id: ChallengeId| {
            let binding = Binding { tenant: index.tenant(), to: &to, challenge: &index.challenge(&id) };
            let pepper = (pepper.id.as_str(), &pepper.key.mac());
            Draft::draw(id, binding, pepper, self.policy.length, ExpiresAt::after(now, life))
        };
        let new = draft(ChallengeId::draw(&Entropy, lane)?)?;
        let again = named.map(draft).transpose()?;
        let asked = ChallengeRequest { identifier: &identifier, network: &network, policy: &self.policy, now };
        let (outgoing, reserved) = tokio::try_join!(self.table.begin(again, new, asked), gate.reserve(&network))?;

        if let Some(retry_after) = gate.take(reserved).await?.wait(now) {
            // Another request took the last SMS since step 1. Undo the challenge, so that it can be resent as soon as
            // there is budget again.
            self.table.withdraw(&outgoing, &identifier).await?;
            return Err(Error::RateLimited { retry_after });
        }

        let draft = &outgoing.draft;
        let reply = match self.sender.send(&draft.to, outgoing.code(), life).await? {
            Sent::Accepted | Sent::Unclear(_) => {
                Reply::ok(CodeSent::new(draft, delivery, life, self.policy.resend_after))?
            }
            Sent::Lost => {
                // An SMS may have been sent and paid for, so it keeps its share of the budget and of the breaker debt.
                tracing::warn!(identifier = identifier.as_str(), "the connection broke; the code is probably lost");
                Reply::refusal(&self.take_back(&outgoing, &identifier, delivery).await?)
            }
            Sent::Refused(reason) => {
                gate.give_back().await?;
                tracing::warn!(reason, identifier = identifier.as_str(), "the code was not sent");
                Reply::refusal(&self.take_back(&outgoing, &identifier, delivery).await?)
            }
        };
        let cookie = (delivery == TokenDelivery::Cookie).then(|| Cookie::Challenge.keep(draft.id.reveal(), life));
        reply.with_cookies(cookie)
    }
}

impl RequestOtp {
    /// Undoes a send, and makes the error for the client.
    async fn take_back(
        &self,
        outgoing: &OutgoingCode,
        identifier: &IdentifierDigest,
        delivery: TokenDelivery,
    ) -> Result<Error> {
        let may_repeat = self.table.withdraw(outgoing, identifier).await?;
        let challenge = &outgoing.draft.id;
        Ok(Error::SendFailed {
            channel: outgoing.draft.to.channel(),
            challenge: (delivery == TokenDelivery::Body).then(|| challenge.reveal().to_owned()),
            retry_after: (!may_repeat).then_some(self.policy.resend_after),
        })
    }
}
