//! Creates, rotates and revokes keys.
//!
//! - Secrets Manager invokes it for the four steps of a rotation, on schedule or on demand: `steps`.
//! - CloudFormation invokes it when the stack is created and on each change of a setting: `stack`. It checks the settings of all
//!   functions and adds missing keys, such as the first ones and those of another algorithm.
//! - An operator invokes it with `{"mode": "revoke", "kid": …}` or `{"mode": "ensure"}`: `change`.
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
use shared::keys::{CodeKeys, KeyRules, Maker, SigningAlgorithm, TokenKeys};
use shared::runtime::Function;
use shared::sessions::{AccessPolicy, SessionPolicy};
use shared::store::{Store, UserTable};
use shared::words::{Clock, Entropy, Error, Result};

use crate::event::{Event, StepEvent};
pub use crate::stack::refuse;

/// The function's resources: both keyrings, and the public keys in the users' table.
pub struct RotateKeys {
    clock: Clock,
    rules: KeyRules,
    codes: Vault<CodeKeys>,
    tokens: Vault<TokenKeys>,
    table: UserTable,
    callback: Callback,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    rules: KeyRules,
    codes_secret: String,
    tokens_secret: String,
    user_table: String,
}

impl Function for RotateKeys {
    const NAME: &'static str = "rotate-keys";

    type Settings = Settings;
    type Event = Value;

    fn settings(read: &mut Reader<'_>) -> Settings {
        let rules = KeyRules {
            algorithm: SigningAlgorithm::read(read),
            token: AccessPolicy::read_accepted_for(read),
            session: SessionPolicy::read_absolute(read),
        };
        Settings {
            rules,
            codes_secret: CodeKeys::read_secret(read),
            tokens_secret: TokenKeys::read_secret(read),
            user_table: UserTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<RotateKeys> {
        let Settings { rules, codes_secret, tokens_secret, user_table } = settings;
        let aws = Aws::new(aws, &clock)?;
        let table = Store::new(&aws).user_table(user_table);
        let (codes, tokens) = (Vault::new(&aws, codes_secret), Vault::new(&aws, tokens_secret));
        Ok(RotateKeys { clock, rules, codes, tokens, table, callback: Callback::new(&aws) })
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
            Event::Revoke(kid) => self.revoke(&kid, &maker).await,
        }
    }
}

impl RotateKeys {
    async fn rotate(&self, event: &StepEvent, maker: &Maker) -> Result<()> {
        let StepEvent { step, secret, token } = event;
        if secret == self.codes.arn() {
            self.step(&self.codes, *step, token, maker).await
        } else if secret == self.tokens.arn() {
            self.step(&self.tokens, *step, token, maker).await
        } else {
            Err(Error::invalid(format!("{secret} is not a keyring of this deployment")))
        }
    }
}
