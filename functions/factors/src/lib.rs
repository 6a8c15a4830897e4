//! `/api/auth/factors/`: lists, adds and removes a user's second factors and trusted devices. `/api/auth/2fa/` has the paths of a
//! replaced system.

use std::sync::Arc;

use shared::admission::NoticeGate;
use shared::aws::{self, Aws, KeyringReader, Secrets};
use shared::config::{Check, Reader};
use shared::factors::SecondFactorPolicy;
use shared::http::{Checker, CheckerSettings, Frontends, Reply, Request};
use shared::keys::{RefreshKeys, VaultKeys};
use shared::messages::{MailSettings, Notifier, ProviderSettings, Providers};
use shared::runtime::Function;
use shared::sessions::Freshness;
use shared::store::{RecordTable, Store, UserTable};
use shared::words::{Clock, Error, Result};

/// The function's resources: users and their factors, the keys of pendings and of authenticator apps, the keys for checking access
/// tokens, and mail.
#[expect(dead_code, reason = "the steps that use them follow")]
pub struct Factors {
    clock: Clock,
    policy: SecondFactorPolicy,
    /// The name that an authenticator app shows.
    issuer: String,
    freshness: Freshness,
    frontends: Frontends,
    checker: Checker,
    refresh: KeyringReader<RefreshKeys>,
    /// The keys of authenticator apps. A deployment without second factors has none.
    vault: Option<KeyringReader<VaultKeys>>,
    users: UserTable,
    gate: NoticeGate,
    notifier: Notifier,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    /// The policy of second factors.
    pub policy: SecondFactorPolicy,
    /// The name that an authenticator app shows. Without it, the product's name.
    pub totp_issuer: Option<String>,
    /// How recent the proof of a change must be.
    pub freshness: Freshness,
    /// The allowed origins of browsers, and the usual delivery of tokens.
    pub frontends: Frontends,
    /// The settings for checking access tokens.
    pub checker: CheckerSettings,
    /// The settings for mail.
    pub mail: MailSettings,
    /// The services outside AWS that send mail.
    pub providers: ProviderSettings,
    /// The secret with the keys of refresh tokens.
    pub refresh_secret: String,
    /// The secret with the keys of authenticator apps.
    pub vault_secret: Option<String>,
    /// The table of users, identifiers, sessions, factors and public keys.
    pub user_table: String,
    /// The table of activity, which counts notices.
    pub record_table: String,
}

/// An app shows the name before a colon, so the name has none.
const IS_TOTP_ISSUER: Check = (
    |text| text.chars().count() <= 64 && !text.chars().any(|char| char.is_control() || char == ':'),
    "1 to 64 characters on one line, without a colon",
);

impl Function for Factors {
    const NAME: &'static str = "factors";

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            policy: SecondFactorPolicy::read(read),
            totp_issuer: read.optional("TOTP_ISSUER", IS_TOTP_ISSUER),
            freshness: Freshness::read(read),
            frontends: Frontends::read(read),
            checker: CheckerSettings::read(read),
            mail: MailSettings::read(read),
            providers: ProviderSettings::read(read),
            refresh_secret: RefreshKeys::read_secret(read),
            vault_secret: VaultKeys::read_secret(read),
            user_table: UserTable::read_name(read),
            record_table: RecordTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Factors> {
        let aws = Aws::new(aws, &clock)?;
        let store = Store::new(&aws);
        let (users, record) = (store.user_table(settings.user_table), store.record_table(settings.record_table));
        let secrets = Secrets::new(&aws);
        let refresh = secrets.keyring(settings.refresh_secret);
        let vault = settings.vault_secret.map(|secret| secrets.keyring::<VaultKeys>(secret));
        let checker = Checker::new(settings.checker, &aws, &users);
        let providers: Option<Arc<Providers>> = Providers::new(&aws, &secrets, &settings.providers);
        let issuer = settings.totp_issuer.unwrap_or_else(|| settings.mail.product.clone());
        let notifier = Notifier::new(&aws, settings.mail, providers.as_ref())?;
        let now = clock.now();
        let keyrings = async {
            match &vault {
                Some(vault) => secrets.warm([&refresh, vault], now).await,
                None => secrets.warm([&refresh], now).await,
            }
        };
        tokio::join!(keyrings, checker.warm(now), store.connect(2));
        Ok(Factors {
            clock,
            policy: settings.policy,
            issuer,
            freshness: settings.freshness,
            frontends: settings.frontends,
            checker,
            refresh,
            vault,
            users,
            gate: NoticeGate::new(record),
            notifier,
        })
    }

    async fn handle(&self, _: Request) -> Result<Reply> {
        Err(Error::NotFound)
    }
}
