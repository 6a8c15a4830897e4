//! `POST /api/auth/otp/request/`: send a code to an identifier.
//!
//! 1. Count the request on its network, and see whether the day's SMS are spent.
//! 2. Begin a challenge, or put a new code into the one that the client names.
//! 3. Send the code, to the canonical address only; an SMS is taken out of the day's budget first.
//! 4. Answer the same for everybody: this function cannot know who has an account.

mod admit;
mod begin;
mod deliver;
mod wire;

use shared::aws::Aws;
use shared::challenge::ChallengePolicy;
use shared::clock::Clock;
use shared::config::Config;
use shared::delivery::{Mailer, Texter};
use shared::error::Result;
use shared::http::{Function, Reply, Request};
use shared::ids::Tenant;
use shared::index::Index;
use shared::keyring::CodeKeys;
use shared::limit::{Allowance, NETWORK_WINDOW};
use shared::secrets::Keyring;
use shared::store::{OtpTable, Store};

use crate::begin::Asking;
use crate::wire::{Answer, Ask};

/// What this function may touch: one table, one keyring, mail and SMS.
pub struct RequestOtp {
    clock: Clock,
    tenant: Tenant,
    policy: ChallengePolicy,
    requests: Allowance,
    product: String,
    keys: Keyring<CodeKeys>,
    table: OtpTable,
    mailer: Mailer,
    texter: Texter,
}

impl Function for RequestOtp {
    const NAME: &'static str = "request-otp";
    const ROUTES: &'static [(&'static str, &'static str)] = &[("POST", "/api/auth/otp/request")];

    async fn compose(config: Config, clock: Clock) -> Result<RequestOtp> {
        let aws = Aws::new(&config.aws);
        let keys = Keyring::new(&aws, config.codes_secret);
        keys.warm(clock.now()).await;
        Ok(RequestOtp {
            clock,
            tenant: Tenant::default(),
            requests: Allowance { count: config.requests_per_network, per: NETWORK_WINDOW },
            product: config.mail.product.clone(),
            mailer: Mailer::new(&aws, config.mail),
            texter: Texter::new(&aws, config.sms),
            policy: config.challenge,
            keys,
            table: Store::new(&aws).otp_table(config.otp_table),
        })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let Ask { identifier, named } = Ask::read(&request)?;
        let life = self.policy.life_of_code(&identifier)?;

        let keys = self.keys.keys(now).await?;
        let index = Index::new(keys.index.mac(), &self.tenant);
        let (key, network) = (index.identifier(&identifier), index.network(request.network));
        let asking = Asking { identifier: &identifier, key: &key, network: &network, life, now };

        self.admit(asking).await?;
        let begun = self.begin(asking, named, &index, &keys).await?;
        self.deliver(asking, &begun).await?;
        Reply::ok(Answer::new(&identifier, &begun.draft, life, self.policy.resend_after))
    }
}
