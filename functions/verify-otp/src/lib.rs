//! `POST /api/auth/otp/verify/`: trade a code for a session.
//!
//! 1. Spend an attempt, before looking at the code; beside it, see whose the identifier is and whether the network may try.
//! 2. Compare. A refusal is counted on the network, and is the same for every reason.
//! 3. Admit whoever gave the proof (`shared::admission`): the challenge is used up, so that it works once, and a session is
//!    opened under the session limit. A new person becomes a user in the same transaction.
//! 4. A browser gets the refresh token as a cookie, and one by which it is known when it asks for the next code.

mod prove;
mod wire;

use shared::admission::{Admitted, Arrival, Door, admit};
use shared::aws::{self, Aws, KeyringReader};
use shared::codes::{Allowance, ChallengePolicy, DEVICE_LIFE, SmsPolicy, device_cookie};
use shared::config::Reader;
use shared::http::{Cookie, Frontends, Issuer, Reply, Request, TokenDelivery, TokenSettings};
use shared::keys::CodeKeys;
use shared::runtime::Function;
use shared::sessions::{Opening, Proof, SessionPolicy};
use shared::store::{OtpTable, Store, UserTable};
use shared::words::{Clock, Index, Result};

use crate::wire::{SignedIn, SubmittedCode};

/// What this function may touch: both tables and both keyrings.
pub struct VerifyOtp {
    clock: Clock,
    attempts: u32,
    sms: SmsPolicy,
    binding_required: bool,
    failures: Allowance,
    sign_up_open: bool,
    sessions: SessionPolicy,
    frontends: Frontends,
    issuer: Issuer,
    codes: KeyringReader<CodeKeys>,
    challenges: OtpTable,
    users: UserTable,
}

/// What this function reads.
#[derive(Debug)]
pub struct Settings {
    /// Bound attempts at a code, and unbound ones.
    pub attempts: u32,
    /// Where codes go by SMS, and what a used one pays to.
    pub sms: SmsPolicy,
    /// Whether an answer must name its challenge.
    pub binding_required: bool,
    /// Wrong answers from one network.
    pub failures: Allowance,
    /// Whether a right code from an unknown identifier makes a user.
    pub sign_up_open: bool,
    /// Sessions: life, number.
    pub session: SessionPolicy,
    /// Who may call from a browser, and how tokens travel.
    pub frontends: Frontends,
    /// How tokens are issued.
    pub tokens: TokenSettings,
    /// The keyring of codes.
    pub codes_secret: String,
    /// The table of challenges and counters.
    pub otp_table: String,
    /// The table of users, identifiers, sessions and public keys.
    pub user_table: String,
}

impl Function for VerifyOtp {
    const NAME: &'static str = "verify-otp";

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            attempts: ChallengePolicy::read_attempts(read),
            sms: SmsPolicy::read(read),
            binding_required: read.choice("OTP_BINDING", "optional", &["optional", "required"]) == "required",
            failures: Allowance::read_failures(read),
            sign_up_open: read.choice("SIGN_UP", "open", &["open", "closed"]) == "open",
            session: SessionPolicy::read(read),
            frontends: Frontends::read(read),
            tokens: TokenSettings::read(read),
            codes_secret: CodeKeys::read_secret(read),
            otp_table: OtpTable::read_name(read),
            user_table: UserTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<VerifyOtp> {
        let aws = Aws::new(aws)?;
        let store = Store::new(&aws);
        let issuer = Issuer::new(settings.tokens, &aws);
        let codes = KeyringReader::new(&aws, settings.codes_secret);
        // With SMS on, a sign-in ends with four writes at once, and with three reads and writes it begins.
        let calls = if settings.sms.countries.is_empty() { 3 } else { 4 };
        tokio::join!(issuer.warm(clock.now()), codes.warm(clock.now()), store.connect(calls));
        Ok(VerifyOtp {
            clock,
            attempts: settings.attempts,
            sms: settings.sms,
            binding_required: settings.binding_required,
            failures: settings.failures,
            sign_up_open: settings.sign_up_open,
            sessions: settings.session,
            frontends: settings.frontends,
            issuer,
            codes,
            challenges: store.otp_table(settings.otp_table),
            users: store.user_table(settings.user_table),
        })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let submitted = SubmittedCode::read(&request, &self.frontends, self.binding_required)?;
        self.sms.reaches(&submitted.to)?;

        // Both keyrings and the signer before the first count: what cannot end well costs nobody an attempt.
        let (codes, keys) = tokio::try_join!(self.codes.keys(now), self.issuer.keys(&request, now))?;
        let signer = keys.signer()?;
        let index = Index::new(codes.index.mac(), request.tenant());

        let (code, owner) = self.prove(&submitted, request.network, &index, &codes, now).await?;

        let opening = Opening { policy: &self.sessions, key_id: keys.refresh_key_id()?, device: &request.device() };
        let door = Door {
            users: self.users.of(request.tenant()),
            challenges: &self.challenges,
            sms: &self.sms,
            sign_up_open: self.sign_up_open,
        };
        let arrival = Arrival { owner, opening, source_url: submitted.source_url.as_deref(), now };
        let Admitted { user, session, is_new } = admit(&Proof::Code(code), door, arrival).await?;

        let mut tokens = keys.issue(&session, &signer)?;
        let refresh = tokens.into_cookie(submitted.delivery);
        let reply = Reply::ok(SignedIn::new(&user, is_new, tokens))?;
        match submitted.delivery {
            TokenDelivery::Body => Ok(reply),
            TokenDelivery::Cookie => {
                let device = device_cookie(&submitted.to.identifier(), &index, now);
                let device = Cookie::Device.keep(&device, DEVICE_LIFE);
                reply.with_cookies(refresh.into_iter().chain([device, Cookie::Challenge.clear()]))
            }
        }
    }
}
