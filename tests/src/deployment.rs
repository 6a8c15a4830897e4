//! A deployment: the whole application in this process, with its own database, inbox and clock.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use local::{OnCall, OnLine, Options, Stack};
use local_aws::mapping::notification;
use local_aws::template::Template;
use local_aws::{Failure, Sending, StackClock};
use serde_json::{Value, json};
use shared::config::{self, Reader};
use shared::keys::{CodeKeys, IndexKeys, RefreshKeys, SigningKeys, VaultKeys};
use shared::words::{Index, Tenant, Timestamp};

use crate::client::{Client, Tokens};
use crate::witness::{AtTheEnd, Witness};

/// RSA keys for all tests, because generating them is slow. The second is for rotations.
pub const RSA_KEYS: [&str; 2] = [include_str!("../keys/rsa2048-1.pem"), include_str!("../keys/rsa2048-2.pem")];

/// One deployment. Its clock moves only by [`Deployment::wait`], except when it uses the system's clock. Dropping it checks for
/// leaked secrets.
pub struct Deployment {
    pub stack: Stack,
    pub witness: Witness,
    _at_the_end: Option<AtTheEnd>,
}

/// 2026-01-01T00:00:00Z, the start of an hour and of every window.
pub const START: u64 = 1_767_225_600;

/// Settings with which a person may ask for a call.
pub const CALLS: [(&str, &str); 5] = [
    ("SMS_PROVIDER", "eum"),
    ("SMS_POOL", "pool-0123456789abcdef"),
    ("SMS_CONFIGURATION_SET", "codes"),
    ("VOICE_PROVIDER", "eum"),
    ("VOICE_NUMBER", "+12065550100"),
];

/// The queue of records that no function can read.
pub(crate) const FAILED_RECORDS: &str = "arn:aws:sqs:us-east-1:000000000000:latchkey-FailedRecords";

/// Long timeouts, because a busy machine is slow. Tests of timeouts override them.
const PATIENCE: [(&str, &str); 2] = [("AWS_ATTEMPT_TIMEOUT_MS", "20000"), ("AWS_OPERATION_TIMEOUT_MS", "25000")];

/// Tests compare the times of tokens, and simulated hours must be the same in each run.
const EXACT: (&str, &str) = ("JWT_ACCESS_JITTER", "0");

impl Deployment {
    /// With the development profile's settings.
    pub async fn start() -> Deployment {
        Deployment::with(&[]).await
    }

    /// With the development profile and these settings.
    pub async fn with(settings: &[(&str, &str)]) -> Deployment {
        Deployment::of(options(settings)).await
    }

    /// Listens on a free local port and uses the system's clock.
    pub async fn listening(settings: &[(&str, &str)]) -> Deployment {
        let api = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        Deployment::run(Options { api, ..options(settings) }).await.unwrap()
    }

    /// Runs another template, with ES256 keys because they are quick to generate.
    ///
    /// # Errors
    /// The stack's error, if it fails to start.
    pub async fn from(template: Template) -> Result<Deployment, Failure> {
        let env = vec![("JWT_ALGORITHM".to_owned(), "ES256".to_owned())];
        Deployment::try_of(Options { template: Some(template), env, ..Options::default() }).await
    }

    /// Functions reach AWS without a socket, for a runtime with a paused clock. Uses ES256 keys because they are quick to
    /// generate.
    pub async fn in_process(settings: &[(&str, &str)], on_line: OnLine) -> Deployment {
        Deployment::of(without_sockets(settings, on_line)).await
    }

    /// As [`Deployment::in_process`], for hours of simulated time. Runs without a witness, because it would keep all lines.
    pub async fn simulated(settings: &[(&str, &str)], on_line: OnLine, on_call: OnCall) -> Deployment {
        let options = Options { on_call, ..without_sockets(settings, on_line) };
        Deployment::unwatched(frozen(options)).await.unwrap()
    }

    /// For measurements. Runs without a witness, because a witness costs time and memory.
    pub async fn measured(settings: &[(&str, &str)]) -> Deployment {
        Deployment::unwatched(frozen(options(settings))).await.unwrap()
    }

    async fn of(options: Options) -> Deployment {
        Deployment::try_of(options).await.unwrap()
    }

    async fn try_of(options: Options) -> Result<Deployment, Failure> {
        Deployment::run(frozen(options)).await
    }

    /// Uses `options` as they are. Every deployment except [`Deployment::measured`] starts here and so has a witness.
    ///
    /// # Errors
    /// The stack's error, if it fails to start.
    pub async fn run(options: Options) -> Result<Deployment, Failure> {
        let witness = Witness::default();
        let on_line = witness.on_line(options.on_line);
        let options = Options { on_line, on_call: witness.on_call(), ..options };
        let auth = Deployment::unwatched(options).await?;
        let at_the_end = AtTheEnd::of(&auth.stack, &witness);
        at_the_end.learn_keys();
        Ok(Deployment { witness, _at_the_end: Some(at_the_end), ..auth })
    }

    /// Starts a stack without attaching a witness.
    async fn unwatched(options: Options) -> Result<Deployment, Failure> {
        // On the heap, because otherwise the type of a test's future exceeds the compiler's recursion limit.
        let stack = Box::pin(Stack::start(options)).await?;
        // Drops the calls that functions make at start to read the keyrings. Tests count only later calls.
        stack.services().calls().take();
        Ok(Deployment { stack, witness: Witness::default(), _at_the_end: None })
    }

    /// A client at 192.0.2.1.
    pub fn client(&self) -> Client<'_> {
        self.client_at("192.0.2.1")
    }

    pub fn client_at(&self, address: &str) -> Client<'_> {
        let address: IpAddr = address.parse().unwrap();
        Client { deployment: self, address, api: self.stack.api().unwrap() }
    }

    /// The deployment's time, in Unix seconds.
    pub fn now(&self) -> u64 {
        self.stack.clock().now().unix()
    }

    /// Moves the clock forward.
    pub fn wait(&self, seconds: u64) {
        self.stack.clock().advance(Duration::from_secs(seconds));
    }

    /// Sets the faults from now on. The format is the body of `POST /api/faults`.
    pub fn faults(&self, faults: Value) {
        self.stack.services().faults().set(serde_json::from_value(faults).unwrap());
    }

    /// The code in the newest message to `address`: the first word of its text that can be one.
    #[track_caller]
    pub fn newest_code(&self, address: &str) -> String {
        let messages = self.stack.inbox().messages(Some(address));
        let newest = messages.first().expect("no message came");
        let is_code = |word: &&str| match word.len() {
            6..=10 => word.bytes().all(|byte| byte.is_ascii_digit()),
            13 => word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()),
            _ => false,
        };
        // A call speaks each digit for itself.
        let text = if newest.channel == "voice" { newest.text.replace(" … ", "") } else { newest.text.clone() };
        let mut words = text.split(|char: char| !char.is_ascii_alphanumeric());
        words.find(is_code).expect("the newest message has no code").to_owned()
    }

    /// How many messages `address` has received.
    pub fn messages_to(&self, address: &str) -> usize {
        self.stack.inbox().messages(Some(address)).len()
    }

    /// The mails to `address` that SES took, oldest first.
    pub fn sendings(&self, address: &str) -> Vec<Sending> {
        let mut sendings = self.stack.services().sendings();
        sendings.retain(|sending| sending.to == [address]);
        sendings
    }

    /// Lets SES tell something about a mail.
    pub async fn tell(&self, event: &Value) {
        let event =
            notification("arn:aws:sns:us-east-1:000000000000:latchkey-MailEvents", event, "2026-01-01T00:00:00.000Z");
        self.stack.invoke("Delivery", &event).await.unwrap();
    }

    /// The messages about records that `record` or `erase` could not read.
    pub fn failed_records(&self) -> Vec<Value> {
        let messages = self.stack.services().messages(FAILED_RECORDS);
        messages.iter().map(|message| serde_json::from_str(message).unwrap()).collect()
    }

    /// The events on the bus for the deployer's rules, as their details.
    pub fn events(&self) -> Vec<Value> {
        self.events_from("latchkey")
    }

    /// The events on the bus with this source.
    pub fn events_from(&self, source: &str) -> Vec<Value> {
        let events = self.stack.services().events(&self.setting("EVENT_BUS")).into_iter();
        events.filter(|event| event.event["source"] == source).map(|event| event.event["detail"].clone()).collect()
    }

    /// Counts the active sessions by refreshing each. Replaces the tokens of active sessions with their successors.
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

    /// The attempts charged to `address` since its last right answer.
    pub fn charged(&self, address: &str) -> u32 {
        self.identifier(address).and_then(|item| item["f"]["N"].as_str()?.parse().ok()).unwrap_or(0)
    }

    /// The item of an identifier.
    pub fn identifier(&self, address: &str) -> Option<Value> {
        let keys = self.index_keys();
        let tenant = Tenant::default();
        let digest = Index::new(keys.index.mac(), &tenant).identifier(&address.parse().unwrap());
        let key = json!({ "pk": { "S": digest.item("I").as_str() } });
        let request = json!({ "TableName": self.setting("OTP_TABLE"), "Key": key });
        self.stack.services().dynamodb("GetItem", request).unwrap().get("Item").cloned()
    }

    /// The index key.
    pub fn index_keys(&self) -> IndexKeys {
        self.secret("INDEX_SECRET_ARN")
    }

    /// The keyring of codes.
    pub fn code_keys(&self) -> CodeKeys {
        self.secret("CODES_SECRET_ARN")
    }

    /// The ids of the keys published at this moment, according to the table.
    pub fn published(&self) -> Vec<String> {
        let item = self.items("JWKS").pop().expect("no keys are published");
        let set: Value = serde_json::from_str(item["set"]["S"].as_str().unwrap()).unwrap();
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    /// The keys of refresh tokens.
    pub fn refresh_keys(&self) -> RefreshKeys {
        self.secret("REFRESH_SECRET_ARN")
    }

    /// The keys of access tokens.
    pub fn signing_keys(&self) -> SigningKeys {
        self.secret("SIGNING_SECRET_ARN")
    }

    /// The keys of second factors.
    pub fn vault_keys(&self) -> VaultKeys {
        self.secret("VAULT_SECRET_ARN")
    }

    /// Overwrites the keys of access tokens, as an operator might.
    pub fn put_signing_keys(&self, keys: &SigningKeys) {
        self.put_keys("SIGNING_SECRET_ARN", keys);
    }

    /// Overwrites the keys of refresh tokens.
    pub fn put_refresh_keys(&self, keys: &RefreshKeys) {
        self.put_keys("REFRESH_SECRET_ARN", keys);
    }

    fn put_keys(&self, setting: &str, keys: &impl serde::Serialize) {
        let text = serde_json::to_string(keys).unwrap();
        self.witness.keyring(&text);
        self.stack.services().put_secret(&self.setting(setting), text).unwrap();
    }

    /// Reads settings from the environment of `verify-otp`, which has most of them.
    pub fn read<S>(&self, settings: impl FnOnce(&mut Reader<'_>) -> S) -> S {
        let environment: BTreeMap<_, _> = self.stack.environment("VerifyOtp").into_iter().collect();
        config::read(|name| environment.get(name).cloned(), settings).unwrap()
    }

    /// The ARNs of the keyrings that rotate.
    pub fn secrets(&self) -> [String; 3] {
        ["CODES_SECRET_ARN", "REFRESH_SECRET_ARN", "SIGNING_SECRET_ARN"].map(|name| self.setting(name))
    }

    fn secret<K: serde::de::DeserializeOwned>(&self, setting: &str) -> K {
        serde_json::from_str(&self.stack.services().secret(&self.setting(setting)).unwrap()).unwrap()
    }

    /// A setting of `verify-otp`, `record` or `rotate-keys`. Together they have the names of all tables and keyrings.
    pub fn setting(&self, name: &str) -> String {
        let all =
            ["VerifyOtp", "Record", "RotateKeys"].into_iter().flat_map(|function| self.stack.environment(function));
        all.into_iter().find(|(variable, _)| variable == name).unwrap().1
    }
}

/// Adds the prepared RSA keys if the settings use RSA.
fn options(settings: &[(&str, &str)]) -> Options {
    let is_rsa = !settings.iter().any(|(name, value)| *name == "JWT_ALGORITHM" && !value.starts_with("RS"));
    let env = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let signing_keys = if is_rsa { RSA_KEYS.map(str::to_owned).to_vec() } else { Vec::new() };
    Options { env, signing_keys, ..Options::default() }
}

fn without_sockets(settings: &[(&str, &str)], on_line: OnLine) -> Options {
    let env = [("JWT_ALGORITHM", "ES256")].iter().chain(settings);
    let env = env.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Options { env, in_process: true, on_line, ..Options::default() }
}

/// Stops the clock at [`START`], and sets long timeouts and exact lives of tokens.
fn frozen(options: Options) -> Options {
    let clock = StackClock::frozen_at(Timestamp::from_unix(START));
    let env = PATIENCE
        .iter()
        .chain([&EXACT])
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .chain(options.env);
    Options { clock, env: env.collect(), ..options }
}

/// A wrong code in the same format: `2` and `3` are valid in digits and in base32.
pub fn wrong(code: &str) -> String {
    let last = if code.ends_with('2') { "3" } else { "2" };
    format!("{}{last}", &code[..code.len() - 1])
}

/// The session id in an access token.
pub fn session_of(access: &str) -> String {
    unverified(access).1["sid"].as_str().unwrap().to_owned()
}

/// Decodes the header and the claims of a JWT without verifying it.
pub fn unverified(token: &str) -> (Value, Value) {
    let part = |at: usize| {
        let bytes = BASE64URL_NOPAD.decode(token.split('.').nth(at).unwrap().as_bytes()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    (part(0), part(1))
}
