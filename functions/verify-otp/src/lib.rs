//! `POST /api/auth/otp/verify/`: trade a code for a session.
//!
//! 1. Spend a try, before looking at the code; beside it, see whose the identifier is and whether the network may try.
//! 2. Compare. A refusal is counted on the network, and is the same for every reason.
//! 3. Use the challenge up, so that it works once; a new person becomes a user in the same transaction.
//! 4. Open a session under the session limit. A browser gets the refresh token as a cookie, and one by which it is known
//!    when it asks for the next code.

mod admit;
mod prove;
mod wire;

use shared::aws::{Aws, Keyring};
use shared::codes::{Allowance, ChallengePolicy, DEVICE_LIFE, NETWORK_WINDOW, device_cookie};
use shared::config::Config;
use shared::http::{Cookie, Frontends, Function, Issuer, Reply, Request, TokenDelivery};
use shared::keys::CodeKeys;
use shared::sessions::{Opening, SessionPolicy};
use shared::store::{OtpTable, Store, UserTable};
use shared::words::{Clock, Index, Result, Tenant};

use crate::prove::Try;
use crate::wire::{Answer, SignedIn};

/// What this function may touch: both tables and both keyrings.
pub struct VerifyOtp {
    clock: Clock,
    tenant: Tenant,
    policy: ChallengePolicy,
    binding_required: bool,
    failures: Allowance,
    sign_up_open: bool,
    sessions: SessionPolicy,
    frontends: Frontends,
    issuer: Issuer,
    codes: Keyring<CodeKeys>,
    challenges: OtpTable,
    users: UserTable,
}

impl Function for VerifyOtp {
    const NAME: &'static str = "verify-otp";

    async fn compose(config: Config, clock: Clock) -> Result<VerifyOtp> {
        let aws = Aws::new(&config.aws)?;
        let store = Store::new(&aws);
        let (issuer, codes) = (Issuer::new(&config, &aws), Keyring::new(&aws, config.codes_secret));
        // With SMS on, a sign-in ends with four writes at once, and with three reads and writes it begins.
        let calls = if config.challenge.sms.countries.is_empty() { 3 } else { 4 };
        tokio::join!(issuer.warm(clock.now()), codes.warm(clock.now()), store.connect(calls));
        Ok(VerifyOtp {
            clock,
            tenant: Tenant::default(),
            issuer,
            policy: config.challenge,
            binding_required: config.binding_required,
            failures: Allowance { count: config.failures_per_network, per: NETWORK_WINDOW },
            sign_up_open: config.sign_up_open,
            sessions: config.session,
            frontends: config.frontends,
            codes,
            challenges: store.otp_table(config.otp_table),
            users: store.user_table(config.user_table),
        })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let answer = Answer::read(&request, &self.frontends, self.binding_required)?;
        self.policy.life_of_code(&answer.identifier)?;

        // Both keyrings and the signer before the first count: what cannot end well costs nobody a try.
        let (codes, keys) = tokio::try_join!(self.codes.keys(now), self.issuer.keys(now))?;
        let signer = keys.signer()?;
        let index = Index::new(codes.index.mac(), &self.tenant);
        let answered = Try::new(&answer, &index, request.network, now);

        let (proof, owner) = self.prove(&answered, &codes).await?;
        let (key_id, device) = (keys.refresh_key_id()?, &request.device());
        let opening = Opening { policy: &self.sessions, key_id, method: "otp", device };
        let admitted = self.admit(&answered, &proof, owner, opening).await?;
        let mut tokens = keys.issue(&admitted.session, &signer, &request)?;
        let refresh = tokens.into_cookie(answer.delivery);
        let reply = Reply::ok(SignedIn::new(&admitted.user, admitted.is_new, tokens))?;
        match answer.delivery {
            TokenDelivery::Body => Ok(reply),
            TokenDelivery::Cookie => {
                let device = Cookie::Device.keep(&device_cookie(&answer.identifier, &index, now), DEVICE_LIFE);
                reply.with_cookies(refresh.into_iter().chain([device, Cookie::Challenge.clear()]))
            }
        }
    }
}
