//! `POST /api/auth/otp/request/`: send a code to an identifier.
//!
//! 1. Count the request on its network.
//! 2. Begin a challenge, or put a new code into the one that the client names.
//! 3. Send the code, to the canonical address only.
//! 4. Answer the same for everybody: this function cannot know who has an account.

mod deliver;
mod wire;

use std::time::Duration;

use shared::aws::Aws;
use shared::challenge::ChallengePolicy;
use shared::clock::{Clock, ExpiresAt, Timestamp};
use shared::code::Binding;
use shared::config::Config;
use shared::delivery::Mailer;
use shared::draft::Draft;
use shared::entropy::Entropy;
use shared::error::{Error, Result};
use shared::http::{Function, Reply, Request};
use shared::identifier::Identifier;
use shared::ids::{ChallengeId, Tenant};
use shared::index::Index;
use shared::keyring::CodeKeys;
use shared::limit::{Action, Allowance, NETWORK_WINDOW};
use shared::secrets::Keyring;
use shared::store::{Asked, OtpTable, Store};

use crate::wire::{Answer, Ask};

/// What this function may touch: one table, one keyring, the mailer.
pub struct RequestOtp {
    clock: Clock,
    tenant: Tenant,
    policy: ChallengePolicy,
    requests: Allowance,
    product: String,
    keys: Keyring<CodeKeys>,
    table: OtpTable,
    mailer: Mailer,
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
            mailer: Mailer::new(&aws, &config.product, &config.sender),
            product: config.product,
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
        let network = index.network(request.network);
        let passage = self.table.count(Action::Request, &network, self.requests, now).await?;
        passage.or_refuse(now, |retry_after| Error::RateLimited { retry_after })?;

        let key = index.identifier(&identifier);
        let asked = Asked { identifier: &key, network: &network, policy: &self.policy, now };
        let draft = |id| self.draft(&keys, &identifier, id, life, now);
        let anew = draft(ChallengeId::draw(&Entropy)?)?;
        let again = named.map(draft).transpose()?;
        let (draft, strength) = match &again {
            Some(again) => self.table.resend(again, &anew, asked).await?,
            None => (&anew, self.table.start(&anew, asked, None).await?),
        };

        self.deliver(&identifier, &key, draft, strength, life).await?;
        Reply::ok(Answer::new(&identifier, draft, life, self.policy.resend_after))
    }
}

impl RequestOtp {
    fn draft(
        &self,
        keys: &CodeKeys,
        identifier: &Identifier,
        id: ChallengeId,
        life: Duration,
        now: Timestamp,
    ) -> Result<Draft> {
        let challenge = Index::new(keys.index.mac(), &self.tenant).challenge(&id);
        let binding = Binding { tenant: &self.tenant, identifier, challenge: &challenge };
        let pepper = keys.peppers.active(now)?;
        let expires = ExpiresAt::after(now, life);
        Draft::draw(id, binding, (&pepper.id, &pepper.key.mac()), self.policy.length, expires)
    }
}
