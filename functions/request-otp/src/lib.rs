//! `POST /api/auth/otp/request/`: send a code to an identifier.
//!
//! 1. Count the request on its network, and see whether the day's SMS are spent.
//! 2. Begin a challenge, or put a new code into the one that the client names.
//! 3. Send the code, to the canonical address only; an SMS is taken out of the day's budget first.
//! 4. Answer the same for everybody: this function cannot know who has an account. A browser is told the challenge by
//!    a cookie, which its page cannot read.

mod admit;
mod begin;
mod deliver;
mod wire;

use shared::aws::{self, Aws, Keyring};
use shared::codes::{Allowance, ChallengePolicy, is_known};
use shared::config::Reader;
use shared::http::{Cookie, Frontends, Reply, Request, TokenDelivery};
use shared::keys::CodeKeys;
use shared::messages::{MailSettings, Mailer, SmsSettings, Texter};
use shared::runtime::Function;
use shared::store::{OtpTable, Store};
use shared::words::{Clock, Error, Index, Lane, Result, Tenant};

use crate::begin::Asking;
use crate::wire::{Answer, Ask};

/// What this function may touch: one table, one keyring, mail and SMS.
pub struct RequestOtp {
    clock: Clock,
    tenant: Tenant,
    policy: ChallengePolicy,
    requests: Allowance,
    product: String,
    frontends: Frontends,
    keys: Keyring<CodeKeys>,
    table: OtpTable,
    mailer: Mailer,
    texter: Texter,
}

/// What this function reads.
#[derive(Debug)]
pub struct Settings {
    /// Codes: length, life, limits.
    pub challenge: ChallengePolicy,
    /// Requests from one network.
    pub requests: Allowance,
    /// How mail is sent, and what the product is called in all messages.
    pub mail: MailSettings,
    /// How SMS are sent.
    pub sms: SmsSettings,
    /// Who may call from a browser, and how tokens travel.
    pub frontends: Frontends,
    /// The table of challenges and counters.
    pub otp_table: String,
    /// The keyring of codes.
    pub codes_secret: String,
}

impl Function for RequestOtp {
    const NAME: &'static str = "request-otp";

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
            codes_secret: CodeKeys::read_secret(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<RequestOtp> {
        let Settings { challenge: policy, requests, mail, sms, frontends, otp_table, codes_secret } = settings;
        let aws = Aws::new(aws)?;
        let (keys, store) = (Keyring::new(&aws, codes_secret), Store::new(&aws));
        let product = mail.product.clone();
        let (mailer, texter) = (Mailer::new(&aws, mail)?, Texter::new(&aws, sms));
        let has_sms = !policy.sms.countries.is_empty();
        let texting = async {
            if has_sms {
                texter.connect().await;
            }
        };
        // A request by SMS begins with a count and three reads at once; one by mail makes a call after the other.
        let calls = if has_sms { 4 } else { 1 };
        tokio::join!(keys.warm(clock.now()), store.connect(calls), mailer.connect(), texting);
        Ok(RequestOtp {
            clock,
            tenant: Tenant::default(),
            policy,
            requests,
            product,
            frontends,
            keys,
            table: store.otp_table(otp_table),
            mailer,
            texter,
        })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let Ask { identifier, named, delivery, device } = Ask::read(&request, &self.frontends)?;
        let life = self.policy.life_of_code(&identifier)?;

        let keys = self.keys.keys(now).await?;
        let index = Index::new(keys.index.mac(), &self.tenant);
        let (key, network) = (index.identifier(&identifier), index.network(request.network));
        let is_known = device.is_some_and(|device| is_known(device, &identifier, &index, now));
        let lane = if is_known { Lane::Known } else { Lane::Open };
        let asking = Asking { identifier: &identifier, key: &key, network: &network, lane, delivery, life, now };

        self.admit(asking).await?;
        let begun = self.begin(asking, named, &index, &keys).await?;
        let cookie = (delivery == TokenDelivery::Cookie).then(|| Cookie::Challenge.keep(begun.draft.id.reveal(), life));
        let reply = match self.deliver(asking, &begun).await {
            Ok(()) => Reply::ok(Answer::new(&identifier, &begun.draft, delivery, life, self.policy.resend_after))?,
            Err(error @ (Error::EmailSendFailed { .. } | Error::SmsSendFailed { .. })) => Reply::refusal(&error),
            Err(error) => return Err(error),
        };
        reply.with_cookies(cookie)
    }
}
