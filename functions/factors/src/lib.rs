//! `/api/auth/factors/`: lists, adds and removes a user's second factors and trusted devices. `/api/auth/2fa/` has the paths of a
//! replaced system.
//!
//! 1. Find out who asks: the session of an access token, or a sign-in that has to enrol, by its sealed id.
//! 2. Read the user and the factors. A session needs a fresh proof for every change.
//! 3. Change the factors in one transaction with the user's item, which begins a new epoch and ends all other sessions.
//! 4. Tell the user by mail.

mod actor;
mod apps;
mod qr;
mod wire;

use std::sync::Arc;

use shared::admission::NoticeGate;
use shared::aws::{self, Aws, KeyringReader, Secrets};
use shared::config::{Check, Reader};
use shared::factors::{BackupCodes, FactorSet, SecondFactorPolicy};
use shared::history::EventId;
use shared::http::{Checker, CheckerSettings, Frontends, Reply, Request, TokenDelivery};
use shared::keys::{RefreshKeys, VaultKeys};
use shared::messages::{MailSettings, Notice, Notifier, ProviderSettings, Providers};
use shared::people::User;
use shared::runtime::Function;
use shared::sessions::Freshness;
use shared::store::{Changed, FactorChange, Occasion, RecordTable, Store, UserTable};
use shared::texts::{Language, answers};
use shared::words::{Clock, Entropy, Error, Forbidden, Result, Tenant, Timestamp, is_random_id};

use crate::actor::Actor;
use crate::wire::{Codes, Listed};

/// The function's resources: users and their factors, the keys of pendings and of authenticator apps, the keys for checking access
/// tokens, and mail.
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
    language: Language,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    /// The policy of second factors.
    pub policy: SecondFactorPolicy,
    /// The name that an authenticator app shows. Without it, the product's name.
    pub totp_issuer: Option<String>,
    /// How fresh the proof of a change must be.
    pub freshness: Freshness,
    /// The allowed origins of browsers, and the usual delivery of tokens.
    pub frontends: Frontends,
    /// The settings for checking access tokens.
    pub checker: CheckerSettings,
    /// The settings for mail.
    pub mail: MailSettings,
    /// The language of notices.
    pub language: Language,
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
            language: Language::read(read),
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
            language: settings.language,
        })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        if !self.policy.is_on() {
            return Err(Error::NotFound);
        }
        match (request.method(), request.path.as_str()) {
            ("GET", LIST) => self.list(&request, now).await,
            ("POST", TOTP) => self.begin(&request, now).await,
            ("POST", CONFIRM) => self.confirm(&request, now).await,
            ("POST", BACKUP_CODES) => self.renew(&request, now).await,
            ("DELETE", DEVICES) => self.forget(&request, None, now).await,
            ("GET", SETUP) => in_detail(self.set_up(&request, now).await, request.language),
            ("POST", ENABLE) => in_detail(self.enable(&request, now).await, request.language),
            ("DELETE", path) => match path.rsplit_once('/') {
                Some((TOTP, id)) => self.remove(&request, id, now).await,
                Some((DEVICES, id)) => self.forget(&request, Some(id), now).await,
                _ => Err(Error::NotFound),
            },
            _ => Err(Error::NotFound),
        }
    }
}

const LIST: &str = "/api/auth/factors";
const TOTP: &str = "/api/auth/factors/totp";
const CONFIRM: &str = "/api/auth/factors/totp/confirm";
const BACKUP_CODES: &str = "/api/auth/factors/backup-codes";
const DEVICES: &str = "/api/auth/factors/trusted-devices";
const SETUP: &str = "/api/auth/2fa/setup";
const ENABLE: &str = "/api/auth/2fa/enable";

/// How often a change is decided again because another one was first.
const MOST_ROUNDS: usize = 16;

const NO_FACTOR: Error =
    Error::Forbidden(Forbidden::Request("You have no second factor. Add an authenticator app first."));

/// A refusal in the shape of the replaced system. The error of the server's own faults stays, because the log needs its cause.
fn in_detail(outcome: Result<Reply>, language: Language) -> Result<Reply> {
    match outcome {
        Err(error) if error.cause().is_none() => Ok(Reply::in_detail(&error, language)),
        outcome => outcome,
    }
}

/// A user and the factors, as just read.
struct Owner {
    user: User,
    factors: FactorSet,
}

impl Factors {
    async fn vault(&self, now: Timestamp) -> Result<Arc<VaultKeys>> {
        let vault = self.vault.as_ref().ok_or_else(|| Error::internal("VAULT_SECRET_ARN is missing"))?;
        vault.keys(now).await
    }

    /// Reads the user and the factors. A session must be active and, for a change, fresh (S97). An enrolment must belong to the user's
    /// epoch, and no other sign-in may have been completed since.
    async fn owner(&self, actor: &Actor, tenant: &Tenant, is_change: bool, now: Timestamp) -> Result<Owner> {
        let users = self.users.of(tenant);
        match actor {
            Actor::Session(subject) => {
                let (user, factors) = tokio::try_join!(users.living(subject), users.factors(&subject.user))?;
                if is_change {
                    self.freshness.demand(subject, &user, now)?;
                }
                Ok(Owner { user, factors })
            }
            Actor::Enrolling(pending, _) => {
                let (user, factors) = tokio::try_join!(users.user(&pending.user), users.factors(&pending.user))?;
                let user = user.filter(|user| user.epoch == pending.epoch && factors.proven == pending.proven);
                Ok(Owner { user: user.ok_or(Error::InvalidOtp)?, factors })
            }
        }
    }

    async fn list(&self, request: &Request, now: Timestamp) -> Result<Reply> {
        let actor = Actor::Session(self.checker.subject(request, now).await?);
        let Owner { user, factors } = self.owner(&actor, request.tenant(), false, now).await?;
        let shown = request.trusted_device(&self.frontends, TokenDelivery::Cookie, None);
        let current =
            shown.and_then(|token| factors.trusted_by(&token, user.epoch, now).map(|device| device.id.clone()));
        Reply::ok(Listed::of(self.policy.mode, &factors, user.epoch, current.as_deref(), now))
    }

    async fn renew(&self, request: &Request, now: Timestamp) -> Result<Reply> {
        let (tenant, actor) = (request.tenant(), Actor::Session(self.checker.subject(request, now).await?));
        let _: wire::Empty = request.json()?;
        let vault = self.vault(now).await?;
        for _ in 0..MOST_ROUNDS {
            let Owner { user, factors } = self.owner(&actor, tenant, true, now).await?;
            if factors.apps.is_empty() {
                return Err(NO_FACTOR);
            }
            let codes = self.new_codes(&vault, &user, tenant, now)?;
            if self.change(&actor, &user, &FactorChange::Renew(&codes), tenant, now).await? == Changed::Done {
                self.tell(&user, &Notice::FactorAdded { at: now }, tenant, now).await;
                let backup_codes = codes.reveal();
                let message = answers::backup_codes_renewed(request.language);
                return Reply::ok(Codes { success: true, message, backup_codes });
            }
        }
        Err(Error::unavailable("too many parallel requests change the user's factors"))
    }

    async fn forget(&self, request: &Request, device: Option<&str>, now: Timestamp) -> Result<Reply> {
        let actor = Actor::Session(self.checker.subject(request, now).await?);
        if device.is_some_and(|device| !is_random_id(device)) {
            return Err(Error::NotFound);
        }
        let Owner { user, .. } = self.owner(&actor, request.tenant(), true, now).await?;
        self.users.of(request.tenant()).forget_trusted(&user.id, device).await?;
        Reply::done(match device {
            Some(_) => answers::device_forgotten(request.language),
            None => answers::devices_forgotten(request.language),
        })
    }

    fn new_codes(&self, vault: &VaultKeys, user: &User, tenant: &Tenant, now: Timestamp) -> Result<BackupCodes> {
        let key = vault.vault.active(now)?;
        BackupCodes::draw((&key.id, &key.key.mac()), tenant, &user.id, &Entropy)
    }

    async fn change(
        &self,
        actor: &Actor,
        user: &User,
        change: &FactorChange<'_>,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<Changed> {
        let session = match actor {
            Actor::Session(subject) => Some(&subject.session),
            Actor::Enrolling(..) => None,
        };
        self.users.of(tenant).change_factors(user, session, change, now).await
    }

    /// Tells the user about a change that is done (S97). The change stays if the mail fails, and the failure is logged.
    async fn tell(&self, user: &User, notice: &Notice<'_>, tenant: &Tenant, now: Timestamp) {
        if let Err(error) = self.try_to_tell(user, notice, tenant, now).await {
            let cause = error.cause();
            tracing::error!(event = "notice_failed", user = %user.id, cause, "a notice of changed factors could not be sent");
        }
    }

    async fn try_to_tell(&self, user: &User, notice: &Notice<'_>, tenant: &Tenant, now: Timestamp) -> Result<()> {
        let event = EventId::draw(&Entropy)?;
        // The epoch after the change, so that notices of sign-ins take none of the day's.
        let of = Occasion { tenant, user: &user.id, event: &event, epoch: user.epoch.saturating_add(1), at: now };
        let send = |permit| self.notifier.deliver(permit, notice, self.language);
        self.gate.send_once(user, of, send, now).await.map(drop)
    }
}
