//! `POST /api/auth/second-factor/verify/` ends a sign-in with a second factor. `POST /api/auth/step-up/options/` and
//! `POST /api/auth/step-up/verify/` prove a user again within a session.

use shared::aws::{self, Aws, Feedback, KeyringReader, Secrets};
use shared::codes::{Allowance, SmsPolicy};
use shared::config::Reader;
use shared::factors::SecondFactorPolicy;
use shared::http::{Checker, CheckerSettings, Frontends, Issuer, Reply, Request, TokenSettings};
use shared::keys::{CodeKeys, IndexKeys, VaultKeys};
use shared::messages::SmsProvider;
use shared::runtime::Function;
use shared::sessions::SessionPolicy;
use shared::store::{OtpTable, Store, UserTable};
use shared::words::{Clock, Error, Result};

/// The function's resources: both tables, all keyrings, the keys for checking access tokens, and the provider of texts.
#[expect(dead_code, reason = "the steps that use them follow")]
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
        let feedback = match settings.sms_provider {
            SmsProvider::Eum => Feedback::to_eum(&aws),
            SmsProvider::Sns | SmsProvider::Twilio => Feedback::Nobody,
        };
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

    async fn handle(&self, _: Request) -> Result<Reply> {
        Err(Error::NotFound)
    }
}
