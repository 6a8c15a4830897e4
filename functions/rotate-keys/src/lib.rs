//! Makes, rotates and withdraws keys.
//!
//! - Secrets Manager asks for the four steps of a rotation, on its schedule or when somebody tells it to: `steps`.
//! - CloudFormation asks for the first keys, and for one of another algorithm: `stack`.
//! - An operator asks with `{"mode": "revoke", "kid": …}` or `{"mode": "ensure"}`: `change`.
//!
//! All of them may come twice, stop half-way and meet one another: whatever becomes current is derived from what was
//! current until then (`shared::aws::vault`).

mod change;
mod event;
mod publish;
mod stack;
mod steps;

use serde_json::Value;
use shared::aws::vault::Vault;
use shared::aws::{Aws, Callback};
use shared::config::Config;
use shared::keys::{CodeKeys, KeyRules, Maker, TokenKeys};
use shared::runtime::Task;
use shared::store::{Store, UserTable};
use shared::words::{Clock, Entropy, Error, Result};

use crate::event::{Event, StepEvent};

/// What this function may touch: both keyrings, and of the users' table the public keys.
pub struct RotateKeys {
    clock: Clock,
    rules: KeyRules,
    codes: Vault<CodeKeys>,
    tokens: Vault<TokenKeys>,
    table: UserTable,
    callback: Callback,
}

impl Task for RotateKeys {
    const NAME: &'static str = "rotate-keys";

    async fn compose(config: Config, clock: Clock) -> Result<RotateKeys> {
        let aws = Aws::new(&config.aws)?;
        let rules = KeyRules {
            algorithm: config.access.algorithm,
            token: config.access.accepted_for(),
            session: config.session.absolute,
        };
        let table = Store::new(&aws).user_table(config.user_table);
        let (codes, tokens) = (Vault::new(&aws, config.codes_secret), Vault::new(&aws, config.tokens_secret));
        Ok(RotateKeys { clock, rules, codes, tokens, table, callback: Callback::new(&aws) })
    }

    fn kind(event: &Value) -> &'static str {
        event::kind(event)
    }

    async fn run(&self, event: Value) -> Result<Value> {
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
            Err(Error::invalid(format!("{secret} is no keyring of this deployment")))
        }
    }
}
