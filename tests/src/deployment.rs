//! A deployment: the whole bundle in this process, with a database, an inbox and a clock of its own.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use local::{OnLine, Options, Stack};
use local_aws::template::Template;
use local_aws::{Failure, StackClock};
use serde_json::Value;
use shared::config::{self, Reader};
use shared::keys::{CodeKeys, TokenKeys};
use shared::words::{Index, Tenant, Timestamp};

use crate::client::{Client, Tokens};
use crate::witness::{AtTheEnd, Witness};

/// RSA keys that all tests share, the second for rotations: making one is slow.
pub const RSA_KEYS: [&str; 2] = [include_str!("../keys/rsa2048-1.pem"), include_str!("../keys/rsa2048-2.pem")];

/// One deployment. Its clock stands still until it is moved; and at its end, nothing of it may have leaked.
pub struct Deployment {
    pub stack: Stack,
    pub witness: Witness,
    _at_the_end: Option<AtTheEnd>,
}

/// 2026-01-01T00:00:00Z: the beginning of an hour and of every window.
pub const START: u64 = 1_767_225_600;

/// A machine that does much else is no fault of AWS. Tests of timeouts set their own over these.
const PATIENCE: [(&str, &str); 2] = [("AWS_ATTEMPT_TIMEOUT_MS", "20000"), ("AWS_OPERATION_TIMEOUT_MS", "25000")];

impl Deployment {
    /// With the development profile's settings.
    pub async fn start() -> Deployment {
        Deployment::with(&[]).await
    }

    /// With some settings of its own.
    pub async fn with(settings: &[(&str, &str)]) -> Deployment {
        Deployment::of(options(settings)).await
    }

    /// Behind an address of its own, by the system's clock.
    pub async fn listening(settings: &[(&str, &str)]) -> Deployment {
        let api = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        Deployment::run(Options { api, ..options(settings) }).await.unwrap()
    }

    /// Of another template than the project's, with keys that are quick to make.
    ///
    /// # Errors
    /// What keeps the stack from starting.
    pub async fn from(template: Template) -> Result<Deployment, Failure> {
        let env = vec![("JWT_ALGORITHM".to_owned(), "ES256".to_owned())];
        Deployment::try_of(Options { template: Some(template), env, ..Options::default() }).await
    }

    /// Whose functions reach AWS without a socket, for a runtime whose clock stands; with keys that are quick to make.
    pub async fn in_process(settings: &[(&str, &str)], on_line: OnLine) -> Deployment {
        let env = [("JWT_ALGORITHM", "ES256")].iter().chain(settings);
        let env = env.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Deployment::of(Options { env, in_process: true, on_line, ..Options::default() }).await
    }

    /// For figures: a witness costs time and memory too.
    pub async fn measured(settings: &[(&str, &str)]) -> Deployment {
        Deployment::unwatched(frozen(options(settings))).await.unwrap()
    }

    async fn of(options: Options) -> Deployment {
        Deployment::try_of(options).await.unwrap()
    }

    async fn try_of(options: Options) -> Result<Deployment, Failure> {
        Deployment::run(frozen(options)).await
    }

    /// As `options` say and nothing else. Every stack of a test begins here, and so has a witness.
    ///
    /// # Errors
    /// What keeps the stack from starting.
    pub async fn run(options: Options) -> Result<Deployment, Failure> {
        let witness = Witness::default();
        let on_line = witness.on_line(options.on_line);
        let options = Options { on_line, on_call: witness.on_call(), ..options };
        let auth = Deployment::unwatched(options).await?;
        let at_the_end = AtTheEnd::of(&auth.stack, &witness);
        at_the_end.learn_keys();
        Ok(Deployment { witness, _at_the_end: Some(at_the_end), ..auth })
    }

    /// With a witness that sees nothing.
    async fn unwatched(options: Options) -> Result<Deployment, Failure> {
        // On the heap, or the future of a test is too deep for the compiler to name.
        let stack = Box::pin(Stack::start(options)).await?;
        // The keyrings are read when the functions start: not what a test asks about.
        stack.services().calls().take();
        Ok(Deployment { stack, witness: Witness::default(), _at_the_end: None })
    }

    /// A client at some address.
    pub fn client(&self) -> Client<'_> {
        self.client_at("192.0.2.1")
    }

    /// A client at this address.
    pub fn client_at(&self, address: &str) -> Client<'_> {
        let address: IpAddr = address.parse().unwrap();
        Client { deployment: self, address, api: self.stack.api().unwrap() }
    }

    /// Moves the clock.
    pub fn wait(&self, seconds: u64) {
        self.stack.clock().advance(Duration::from_secs(seconds));
    }

    /// What may go wrong from now on: the body of `POST /api/faults`.
    pub fn faults(&self, faults: Value) {
        self.stack.services().faults().set(serde_json::from_value(faults).unwrap());
    }

    /// The code in the newest message to `address`: the first word of a mail's subject, or of a text.
    #[track_caller]
    pub fn newest_code(&self, address: &str) -> String {
        let messages = self.stack.inbox().messages(Some(address));
        let newest = messages.first().expect("no message came");
        newest.subject.as_ref().unwrap_or(&newest.text).split(' ').next().unwrap().to_owned()
    }

    /// How many messages went to `address`.
    pub fn messages_to(&self, address: &str) -> usize {
        self.stack.inbox().messages(Some(address)).len()
    }

    /// How many of these sessions live; the living ones are moved on to their next tokens.
    pub async fn live(&self, sessions: &mut [Tokens]) -> usize {
        let mut live = 0;
        for tokens in sessions {
            let answer = self.client().refresh(&tokens.refresh).await;
            if answer.code() == "ok" {
                *tokens = answer.tokens();
                live += 1;
            }
        }
        live
    }

    /// The consecutive failures that are counted against `address`.
    pub fn failures(&self, address: &str) -> u32 {
        let keys = self.code_keys();
        let tenant = Tenant::default();
        let digest = Index::new(keys.index.mac(), &tenant).identifier(&address.parse().unwrap());
        let key = digest.item("I");
        let guard = self.items_of("OTP_TABLE", key.as_str()).pop();
        guard.map_or(0, |guard| guard["f"]["N"].as_str().unwrap().parse().unwrap())
    }

    /// The keyring of codes.
    pub fn code_keys(&self) -> CodeKeys {
        self.secret("CODES_SECRET_ARN")
    }

    /// The names of the keys that are published, as the item has them at this moment.
    pub fn published(&self) -> Vec<String> {
        let item = self.items("JWKS").pop().expect("no keys are published");
        let set: Value = serde_json::from_str(item["set"]["S"].as_str().unwrap()).unwrap();
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    /// The keyring of tokens.
    pub fn token_keys(&self) -> TokenKeys {
        self.secret("TOKENS_SECRET_ARN")
    }

    /// Puts another keyring of tokens in its place, as an operator's hand might.
    pub fn put_token_keys(&self, keys: &TokenKeys) {
        let text = serde_json::to_string(keys).unwrap();
        self.witness.keyring(&text);
        self.stack.services().put_secret(&self.setting("TOKENS_SECRET_ARN"), text).unwrap();
    }

    /// What verify-otp would read so. It has most of the settings.
    pub fn read<S>(&self, settings: impl FnOnce(&mut Reader<'_>) -> S) -> S {
        let environment: BTreeMap<_, _> = self.stack.environment("VerifyOtp").into_iter().collect();
        config::read(|name| environment.get(name).cloned(), settings).unwrap()
    }

    /// The ARNs of the keyrings of codes and of tokens.
    pub fn secrets(&self) -> [String; 2] {
        ["CODES_SECRET_ARN", "TOKENS_SECRET_ARN"].map(|name| self.setting(name))
    }

    fn secret<K: serde::de::DeserializeOwned>(&self, setting: &str) -> K {
        serde_json::from_str(&self.stack.services().secret(&self.setting(setting)).unwrap()).unwrap()
    }

    pub fn setting(&self, name: &str) -> String {
        self.stack.environment("VerifyOtp").into_iter().find(|(variable, _)| variable == name).unwrap().1
    }
}

/// With these settings, and with keys that are there already where making one is slow.
fn options(settings: &[(&str, &str)]) -> Options {
    let is_rsa = !settings.iter().any(|(name, value)| *name == "JWT_ALGORITHM" && !value.starts_with("RS"));
    let env = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let signing_keys = if is_rsa { RSA_KEYS.map(str::to_owned).to_vec() } else { Vec::new() };
    Options { env, signing_keys, ..Options::default() }
}

/// Whose clock stands, and who is patient.
fn frozen(options: Options) -> Options {
    let clock = StackClock::frozen_at(Timestamp::from_unix(START));
    let env = PATIENCE.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).chain(options.env);
    Options { clock, env: env.collect(), ..options }
}

/// A code of the same kind that is not `code`: `2` and `3` are digits, and letters of base32.
pub fn wrong(code: &str) -> String {
    let last = if code.ends_with('2') { "3" } else { "2" };
    format!("{}{last}", &code[..code.len() - 1])
}

/// The id of an access token's session.
pub fn session_of(access: &str) -> String {
    unverified(access).1["sid"].as_str().unwrap().to_owned()
}

/// Header and claims of a JWT, taken apart by hand.
pub fn unverified(token: &str) -> (Value, Value) {
    let part = |at: usize| {
        let bytes = BASE64URL_NOPAD.decode(token.split('.').nth(at).unwrap().as_bytes()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    (part(0), part(1))
}
