//! Creates, rotates and revokes keys.
//!
//! - Secrets Manager invokes it for the four steps of a rotation, on schedule or on demand: `steps`.
//! - CloudFormation invokes it when the stack is created and on each change of a setting: `stack`. It checks the settings of all
//!   functions and adds missing keys, such as the first ones and those of another algorithm.
//! - An operator invokes it with `{"mode": "revoke", "kid": …}`, `{"mode": "restore"}` or `{"mode": "ensure"}`: `change`.
//!
//! Events may be repeated, stop halfway or overlap. Every new keyring is derived from the current one, and replaces
//! only that one (`shared::aws::vault`).

mod change;
mod event;
mod patience;
mod publish;
mod settings;
mod stack;
mod steps;

use serde_json::Value;
use shared::aws::vault::Vault;
use shared::aws::{self, Aws, Callback};
use shared::config::Reader;
use shared::keys::{
    CodeKeys, IndexKeys, KeyRules, Maker, RefreshKeys, RsaBits, SigningAlgorithm, SigningKeys, VaultKeys,
};
use shared::runtime::Function;
use shared::sessions::{AccessPolicy, SessionPolicy};
use shared::store::{Store, UserTable};
use shared::words::{Clock, Entropy, Error, Result};

use crate::event::{Event, StepEvent};
pub use crate::stack::refuse;

/// The function's resources: all keyrings, and the public keys in the users' table.
pub struct RotateKeys {
    clock: Clock,
    rules: KeyRules,
    index: Vault<IndexKeys>,
    codes: Vault<CodeKeys>,
    refresh: Vault<RefreshKeys>,
    signing: Vault<SigningKeys>,
    /// The keys of second factors, if the deployment has them.
    vault: Option<Vault<VaultKeys>>,
    table: UserTable,
    callback: Callback,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    /// The rules for new keys.
    pub rules: KeyRules,
    index_secret: String,
    codes_secret: String,
    refresh_secret: String,
    signing_secret: String,
    /// The secret with the keys of second factors.
    pub vault_secret: Option<String>,
    user_table: String,
}

impl Function for RotateKeys {
    const NAME: &'static str = "rotate-keys";

    type Settings = Settings;
    type Event = Value;

    fn settings(read: &mut Reader<'_>) -> Settings {
        let rules = KeyRules {
            algorithm: SigningAlgorithm::read(read),
            rsa_bits: RsaBits::read(read),
            token: AccessPolicy::read_accepted_for(read),
            session: SessionPolicy::read_absolute(read),
        };
        Settings {
            rules,
            index_secret: IndexKeys::read_secret(read),
            codes_secret: CodeKeys::read_secret(read),
            refresh_secret: RefreshKeys::read_secret(read),
            signing_secret: SigningKeys::read_secret(read),
            vault_secret: VaultKeys::read_secret(read),
            user_table: UserTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<RotateKeys> {
        let aws = Aws::new(aws, &clock)?;
        Ok(RotateKeys {
            clock,
            rules: settings.rules,
            index: Vault::new(&aws, settings.index_secret),
            codes: Vault::new(&aws, settings.codes_secret),
            refresh: Vault::new(&aws, settings.refresh_secret),
            signing: Vault::new(&aws, settings.signing_secret),
            vault: settings.vault_secret.map(|secret| Vault::new(&aws, secret)),
            table: Store::new(&aws).user_table(settings.user_table),
            callback: Callback::new(&aws),
        })
    }

    fn kind(event: &Value) -> Option<&'static str> {
        Some(event::kind(event))
    }

    async fn handle(&self, event: Value) -> Result<Value> {
        let maker = Maker { rules: self.rules.clone(), entropy: Entropy, now: self.clock.now() };
        match Event::read(event)? {
            Event::Step(step) => self.rotate(&step, &maker).await.map(|()| Value::Null),
            Event::Stack(request) => self.serve(&request, &maker).await,
            Event::Ensure => self.ensure(&maker).await,
            Event::Restore => self.restore(&maker).await,
            Event::Revoke(kid) => self.revoke(&kid, &maker).await,
        }
    }
}

impl RotateKeys {
    async fn rotate(&self, event: &StepEvent, maker: &Maker) -> Result<()> {
        let StepEvent { step, secret, token } = event;
        if secret == self.codes.arn() {
            self.step(&self.codes, *step, token, maker).await
        } else if secret == self.refresh.arn() {
            self.step(&self.refresh, *step, token, maker).await
        } else if secret == self.signing.arn() {
            self.step(&self.signing, *step, token, maker).await
        } else if let Some(vault) = self.vault.as_ref().filter(|vault| vault.arn() == secret) {
            self.step(vault, *step, token, maker).await
        } else if secret == self.index.arn() {
            Err(Error::invalid("the index key never rotates, because all users would be lost"))
        } else {
            Err(Error::invalid(format!("{secret} is not a keyring of this deployment")))
        }
    }
}
