//! The keyrings of a stack. `rotate-keys` makes and rotates them; this module asks it to, as AWS does.

use local_aws::lambda::Functions;
use local_aws::{Failure, Services, new_id};
use serde_json::{Value, json};
use shared::http::TokenSettings;
use shared::keys::{Ring, SigningKey, TokenKeys, generate, public_keys};
use shared::words::{Entropy, Error, Timestamp};

use crate::settings::All;

/// The steps in which Secrets Manager rotates a secret.
pub const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/// The binary that makes keys.
pub(crate) const BINARY: &str = "rotate-keys";

/// Asks the function that makes keys, as Secrets Manager, CloudFormation and an operator do.
pub(crate) struct Keyrings {
    functions: Functions,
    /// The function's resource.
    name: String,
    secrets: [String; 2],
}

impl Keyrings {
    /// Asks the function `name`, one of `functions`.
    pub(crate) fn new(functions: Functions, name: String, settings: &All) -> Keyrings {
        let secrets = [settings.verify.codes_secret.clone(), settings.verify.tokens.secret.clone()];
        Keyrings { functions, name, secrets }
    }

    /// What the function answers to `event`.
    pub(crate) async fn ask(&self, event: &Value) -> Result<Value, Failure> {
        self.functions.invoke(&self.name, event).await
    }

    /// Rotates both secrets, as Secrets Manager does.
    pub(crate) async fn rotate(&self) -> Result<(), Failure> {
        for secret in &self.secrets {
            let token = new_id();
            for step in STEPS {
                self.ask(&json!({ "Step": step, "SecretId": secret, "ClientRequestToken": token })).await?;
            }
        }
        Ok(())
    }
}

/// Puts a keyring of tokens with the signing key in `pem`, if there is none yet, so that the function need not make one.
pub(crate) fn lay_ready(
    services: &Services,
    settings: &TokenSettings,
    pem: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let algorithm = settings.access.algorithm;
    if algorithm.is_symmetric() || services.secret(&settings.secret).is_some() {
        return Ok(());
    }
    let failure = |error: Error| Failure::new(error.cause().unwrap_or_else(|| error.to_string()));
    let key = SigningKey::new(algorithm, pem.to_owned());
    let signing = Ring::new(vec![generate::dated(key, now, &Entropy).map_err(failure)?]);
    // Read first, so that no key is kept that cannot be used.
    public_keys(&signing, now).map_err(failure)?;
    let refresh = generate::bytes(&Entropy).and_then(|key| generate::dated(key, now, &Entropy)).map_err(failure)?;
    let keys = TokenKeys { signing, refresh: Ring::new(vec![refresh]) };
    let text = serde_json::to_string(&keys).map_err(Failure::new)?;
    services.put_secret(&settings.secret, text).map_err(Failure::new)
}
