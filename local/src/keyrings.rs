//! The keyrings of a stack. The function `rotate-keys` makes and rotates them; this module invokes it as AWS would.

use std::net::SocketAddr;

use local_aws::lambda::Functions;
use local_aws::template::{CustomResource, STACK};
use local_aws::{ACCOUNT, Failure, REGION, Services, new_id};
use serde_json::{Value, json};
use shared::http::TokenSettings;
use shared::keys::{Ring, RootKey, SigningKey, SigningKeys, generate, public_keys};
use shared::words::{Entropy, Error, Timestamp};

use crate::settings::All;

/// The steps of a rotation by Secrets Manager, in order.
pub const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/// The binary of the function that makes and rotates keys.
pub(crate) const BINARY: &str = "rotate-keys";

/// Invokes `rotate-keys` like Secrets Manager, CloudFormation or an operator.
pub(crate) struct Keyrings {
    functions: Functions,
    /// The resource name of `rotate-keys`.
    name: String,
    /// The secrets that rotate.
    secrets: Vec<String>,
}

impl Keyrings {
    /// Invokes the function `name` of `functions`.
    pub(crate) fn new(functions: Functions, name: String, settings: &All) -> Keyrings {
        let tokens = &settings.verify.tokens;
        let secrets = [&settings.verify.codes_secret, &tokens.refresh_secret, &tokens.signing_secret];
        let secrets = secrets.into_iter().chain(&settings.keys.vault_secret).cloned().collect();
        Keyrings { functions, name, secrets }
    }

    /// Invokes the function with `event`.
    pub(crate) async fn ask(&self, event: &Value) -> Result<Value, Failure> {
        self.functions.invoke(&self.name, event).await
    }

    /// Creates a custom resource as CloudFormation does, and returns its answer.
    pub(crate) async fn create(
        &self,
        (name, resource): (&str, &CustomResource),
        services: &Services,
        aws: SocketAddr,
    ) -> Result<Value, Failure> {
        let id = new_id();
        let event = json!({
            "RequestType": "Create",
            "ResponseURL": format!("http://{aws}{}", Services::upload_path(&id)),
            "StackId": format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/{id}"),
            "RequestId": id,
            "LogicalResourceId": name,
            "ResourceProperties": resource.properties,
        });
        self.functions.invoke(&resource.function, &event).await?;
        let answer = services.take_upload(&id).map_err(Failure::new)?;
        match answer.get("Status").and_then(Value::as_str) {
            Some("SUCCESS") => Ok(answer.get("Data").cloned().unwrap_or_default()),
            _ => {
                let reason = answer.get("Reason").and_then(Value::as_str).unwrap_or("no reason");
                Err(Failure::new(format!("{name} fails: {reason}")))
            }
        }
    }

    /// Rotates each secret with the steps of Secrets Manager.
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

/// The seed of the root key of every stack on this machine. It is public, so that Cargo.toml can name the public half for
/// `cargo lambda watch`. The stack's tables are on this machine too.
const LOCAL_ROOT: [u8; 32] = *b"latchkey: local and not a secret";

/// Stores the first signing keyring, unless one exists: with the stack's root key, and with the signing key from `pem`, to save
/// the time of generating one. `rotate-keys` adds missing keys.
pub(crate) fn lay_ready(
    services: &Services,
    settings: &TokenSettings,
    pem: Option<&String>,
    now: Timestamp,
) -> Result<(), Failure> {
    if services.secret(&settings.signing_secret).is_some() {
        return Ok(());
    }
    let failure = |error: Error| Failure::new(error.cause().unwrap_or_else(|| error.to_string()));
    let algorithm = settings.access.algorithm;
    let keys = pem.filter(|_| !algorithm.is_symmetric()).map(|pem| SigningKey::new(algorithm, pem.clone()));
    let keys = keys.map(|key| generate::dated(key, now, &Entropy)).transpose().map_err(failure)?;
    let signing = Ring::new(keys.into_iter().collect());
    // Check the key before it is stored, so that the stack never keeps an unusable one.
    public_keys(&signing, now).map_err(failure)?;
    let keys = SigningKeys { signing, root: RootKey::of_seed(LOCAL_ROOT) };
    let text = serde_json::to_string(&keys).map_err(Failure::new)?;
    services.put_secret(&settings.signing_secret, text).map_err(Failure::new)
}
