//! `POST /api/auth/second-factor/verify/` ends a sign-in with a second factor. `POST /api/auth/step-up/options/` and
//! `POST /api/auth/step-up/verify/` prove a user again within a session.
//!
//! A sign-in:
//!
//! 1. Open the sealed id of the sign-in. It names its user.
//! 2. Count an attempt at six digits, and read the user. A backup code is only looked up.
//! 3. Use up the factor together with the sealed id, in one write.
//! 4. Open the session (`shared::admission::complete`).
//!
//! A step-up does the same with the session of an access token, or with a code that was asked for to step up. Its session keeps its id
//! and moves to its next generation.

mod step_up;
mod wire;

use shared::admission::{Admitted, Checked, FactorCheck, complete};
use shared::aws::{self, Aws, Feedback, KeyringReader, Secrets};
use shared::codes::{Allowance, SmsPolicy, device_token};
use shared::config::Reader;
use shared::factors::{NewDevice, SecondFactorPolicy, TrustToken};
use shared::http::{Checker, CheckerSettings, Frontends, Issuer, Reply, Request, SignIn, TokenSettings};
use shared::keys::{CodeKeys, IndexKeys, VaultKeys};
use shared::messages::SmsProvider;
use shared::observe::report::{self, About};
use shared::people::Familiarity;
use shared::runtime::Function;
use shared::sessions::{Opening, SessionPolicy};
use shared::store::{OtpTable, Store, UserTable};
use shared::words::{Channel, Clock, Entropy, Error, ExpiresAt, Identifier, Index, Result, Timestamp};

use crate::wire::SubmittedSignIn;

/// The function's resources: both tables, all keyrings, the keys for checking access tokens, and the provider of texts.
pub struct SecondFactor {
    clock: Clock,
    policy: SecondFactorPolicy,
    sms: SmsPolicy,
    failures: Allowance,
    sessions: SessionPolicy,
    frontends: Frontends,
    checker: Checker,
    issuer: Issuer,
    index: KeyringReader<IndexKeys>,
    codes: KeyringReader<CodeKeys>,
    /// The keys of authenticator apps. A deployment without second factors has none.
    vault: Option<KeyringReader<VaultKeys>>,
    challenges: OtpTable,
    users: UserTable,
    feedback: Feedback,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    /// The policy of second factors.
    pub policy: SecondFactorPolicy,
    /// The SMS policy, to check the number and to lower the breaker debt for a used code.
    pub sms: SmsPolicy,
    /// The provider of SMS and calls, which may want to hear of used codes.
    pub sms_provider: SmsProvider,
    /// The limit on wrong codes from one network.
    pub failures: Allowance,
    /// The length and number of sessions.
    pub session: SessionPolicy,
    /// The allowed origins of browsers, and the usual delivery of tokens.
    pub frontends: Frontends,
    /// The settings for checking access tokens.
    pub checker: CheckerSettings,
    /// The settings for tokens.
    pub tokens: TokenSettings,
    /// The secret with the index key.
    pub index_secret: String,
    /// The secret with the keyring of codes.
    pub codes_secret: String,
    /// The secret with the keys of authenticator apps.
    pub vault_secret: Option<String>,
    /// The table of challenges and counters.
    pub otp_table: String,
    /// The table of users, identifiers, sessions, factors and public keys.
    pub user_table: String,
}

impl Function for SecondFactor {
    const NAME: &'static str = "second-factor";
    const IS_AWAITED: bool = true;

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            policy: SecondFactorPolicy::read(read),
            sms: SmsPolicy::read(read),
            sms_provider: SmsProvider::read(read),
            failures: Allowance::read_failures(read),
            session: SessionPolicy::read(read),
            frontends: Frontends::read(read),
            checker: CheckerSettings::read(read),
            tokens: TokenSettings::read(read),
            index_secret: IndexKeys::read_secret(read),
            codes_secret: CodeKeys::read_secret(read),
            vault_secret: VaultKeys::read_secret(read),
            otp_table: OtpTable::read_name(read),
            user_table: UserTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<SecondFactor> {
        let aws = Aws::new(aws, &clock)?;
        let store = Store::new(&aws);
        let users = store.user_table(settings.user_table);
        let secrets = Secrets::new(&aws);
        let (index, codes) = (secrets.keyring(settings.index_secret), secrets.keyring(settings.codes_secret));
        let vault = settings.vault_secret.map(|secret| secrets.keyring::<VaultKeys>(secret));
        let issuer = Issuer::new(settings.tokens, &secrets);
        let checker = Checker::new(settings.checker, &aws, &users);
        let feedback = settings.sms_provider.feedback(&aws);
        let [refresh, signing] = issuer.keyrings();
        let now = clock.now();
        let keyrings = async {
            match &vault {
                Some(vault) => secrets.warm([refresh, signing, &index, &codes, vault], now).await,
                None => secrets.warm([refresh, signing, &index, &codes], now).await,
            }
        };
        tokio::join!(keyrings, checker.warm(now), store.connect(2), feedback.connect(&aws));
        Ok(SecondFactor {
            clock,
            policy: settings.policy,
            sms: settings.sms,
            failures: settings.failures,
            sessions: settings.session,
            frontends: settings.frontends,
            checker,
            issuer,
            index,
            codes,
            vault,
            challenges: store.otp_table(settings.otp_table),
            users,
            feedback,
        })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        match request.path.as_str() {
            "/api/auth/second-factor/verify" => self.sign_in(&request, now).await,
            "/api/auth/step-up/options" => self.options(&request, now).await,
            "/api/auth/step-up/verify" => self.step_up(&request, now).await,
            _ => Err(Error::NotFound),
        }
    }
}

impl SecondFactor {
    async fn sign_in(&self, request: &Request, now: Timestamp) -> Result<Reply> {
        let submitted = SubmittedSignIn::read(request, &self.frontends)?;
        // Load the keyrings and the signer before anything is counted, so that a failure here costs no attempt.
        let (index, vault, keys) =
            tokio::try_join!(self.index.keys(now), self.vault(now), self.issuer.keys(request, now))?;
        let access_key = keys.access_key()?;
        let index = Index::new(index.index.mac(), request.tenant());
        let users = self.users.of(request.tenant());

        let pending = keys.pendings().open(&submitted.challenge, now).ok_or(Error::InvalidOtp)?;
        let Some(entrance) = pending.entrance() else { return Err(Error::InvalidOtp) };
        let trust = self.new_device(request, submitted.trusts, now)?;
        let check = FactorCheck { users, tenant: request.tenant(), vault: &vault, now };
        let checked = check.check(pending, &submitted.factor, None, trust.as_ref()).await?;
        let Checked { factor, user, backup_codes_left } = checked;

        let identifier = identifier(user.identifiers(), entrance.channel).ok_or(Error::InvalidOtp)?;
        let digest = index.identifier(&identifier);
        let opening = Opening {
            policy: &self.sessions,
            key_id: keys.refresh_key_id()?,
            device: &request.device(),
            familiarity: Familiarity::Unclear,
            id: None,
            is_remembered: true,
        };
        let (admitted, state) =
            tokio::join!(complete(&factor, users, user, opening, now), self.challenges.identifier(&digest));
        let (Admitted { user, session, is_new }, epoch) = (admitted?, state?.epoch);
        report::about(About::Session(session.id()));

        let tokens = keys.issue(&session, &access_key)?;
        let device = &device_token(&identifier, &index, epoch, now);
        let sign_in = SignIn { user: &user, is_new, tokens, device, trusted: trust.as_ref(), backup_codes_left };
        Reply::signed_in(sign_in, submitted.delivery, now, request.language)
    }

    /// The device, if its user `trusts` it and the deployment allows that.
    fn new_device(&self, request: &Request, trusts: bool, now: Timestamp) -> Result<Option<NewDevice>> {
        if !trusts || self.policy.trust.is_zero() {
            return Ok(None);
        }
        let (token, end) = (TrustToken::draw(&Entropy)?, ExpiresAt::after(now, self.policy.trust));
        Ok(Some(NewDevice { token, words: request.device().words, end }))
    }

    /// The keys of authenticator apps. Without second factors, no pending exists that could be taken.
    async fn vault(&self, now: Timestamp) -> Result<std::sync::Arc<VaultKeys>> {
        self.vault.as_ref().ok_or(Error::InvalidOtp)?.keys(now).await
    }
}

/// The identifier that the code of the first step went to.
fn identifier(mut all: impl Iterator<Item = Identifier>, channel: Channel) -> Option<Identifier> {
    all.find(|identifier| match identifier {
        Identifier::Email(_) => channel == Channel::Email,
        Identifier::Phone(_) => channel != Channel::Email,
    })
}
