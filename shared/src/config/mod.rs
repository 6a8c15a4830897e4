//! Every setting, read once through one lookup and reported whole when it does not fit.

mod frontends;
mod reader;
mod sms;

use std::fmt;
use std::time::Duration;

use self::reader::{IS_ARN, IS_EMAIL, IS_ISSUER, IS_NAME, Reader};
use crate::aws::Settings as AwsSettings;
use crate::codes::{ChallengePolicy, SHORT_LENGTHS};
use crate::http::{Frontends, Proxies};
use crate::messages::{MailSettings, SmsSettings};
use crate::observe::Metrics;
use crate::sessions::{AccessPolicy, SessionPolicy};

/// All settings of a deployment. Every function reads all of them, so that a wrong one is found by the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What is logged and counted.
    pub metrics: Metrics,
    /// Codes: length, life, limits.
    pub challenge: ChallengePolicy,
    /// Requests for a code from one network in 10 minutes.
    pub requests_per_network: u32,
    /// Wrong answers from one network in 10 minutes.
    pub failures_per_network: u32,
    /// Whether an answer must name its challenge.
    pub binding_required: bool,
    /// Sessions: life, rotation, number.
    pub session: SessionPolicy,
    /// Access tokens: algorithm, audience, life, claim names.
    pub access: AccessPolicy,
    /// `iss`; by default `https://` and the domain that API Gateway names in the event.
    pub issuer: Option<String>,
    /// Whether a right code from an unknown identifier makes a user.
    pub sign_up_open: bool,
    /// Whether the paths of replaced systems are served.
    pub aliases: bool,
    /// How mail is sent, and what the product is called in all messages.
    pub mail: MailSettings,
    /// How SMS are sent.
    pub sms: SmsSettings,
    /// The API's own domain, if it has one.
    pub domain: Option<String>,
    /// Who may call from a browser, and how tokens travel.
    pub frontends: Frontends,
    /// Proxies whose `X-Forwarded-For` is read.
    pub proxies: Proxies,
    /// Challenges and counters.
    pub otp_table: String,
    /// Users, identifiers, sessions, public keys.
    pub user_table: String,
    /// The keyring of codes.
    pub codes_secret: String,
    /// The keyring of tokens.
    pub tokens_secret: String,
    /// Region, credentials, endpoints, timeouts.
    pub aws: AwsSettings,
}

const DAY: u64 = 86_400;

impl Config {
    /// Reads the settings. `lookup` is [`std::env::var`] in a function and the template's words in `local`.
    ///
    /// # Errors
    /// [`Problems`]: every variable that is missing or does not fit, not only the first.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Config, Problems> {
        let mut read = Reader { lookup: &lookup, problems: Vec::new() };
        let config = Config {
            metrics: Metrics {
                stage: read.choice("STAGE", "development", &["development", "testing", "production"]),
                function: read.optional("AWS_LAMBDA_FUNCTION_NAME", IS_NAME),
                is_on: read.choice("METRICS", "on", &["on", "off"]) == "on",
            },
            challenge: ChallengePolicy {
                length: read.number("OTP_LENGTH", 6, *SHORT_LENGTHS.start() as u64..=*SHORT_LENGTHS.end() as u64)
                    as usize,
                email_expiry: read.seconds("OTP_EMAIL_EXPIRY_SECONDS", 600, 60..=600),
                attempts: read.count("OTP_MAX_ATTEMPTS", 3, 1..=10),
                resend_after: read.seconds("OTP_RESEND_SECONDS", 30, 10..=600),
                per_hour: read.count("OTP_REQUESTS_PER_HOUR", 5, 1..=1_000_000),
                per_hour_per_network: read.count("OTP_REQUESTS_PER_HOUR_PER_IP", 3, 1..=1_000_000),
                sms: read.sms_policy(),
            },
            requests_per_network: read.count("OTP_REQUESTS_PER_IP", 25, 1..=1_000_000),
            failures_per_network: read.count("OTP_FAILURES_PER_IP", 30, 1..=1_000_000),
            binding_required: read.choice("OTP_BINDING", "optional", &["optional", "required"]) == "required",
            session: SessionPolicy {
                idle: Duration::from_secs(read.number("REFRESH_IDLE_DAYS", 30, 1..=365) * DAY),
                absolute: Duration::from_secs(read.number("REFRESH_ABSOLUTE_DAYS", 90, 1..=365) * DAY),
                rotation: read.choice("REFRESH_ROTATION", "on", &["on", "off"]) == "on",
                grace: read.seconds("REFRESH_GRACE_SECONDS", 10, 0..=60),
                per_user: read.number("SESSIONS_PER_USER", 10, 1..=10) as usize,
            },
            access: AccessPolicy {
                algorithm: read.algorithm(),
                audience: read.text("JWT_AUDIENCE", Some("latchkey"), IS_NAME),
                lifetime: read.seconds("JWT_ACCESS_SECONDS", 900, 300..=86_400),
                leeway: read.seconds("JWT_LEEWAY_SECONDS", 0, 0..=120),
                names: read.claim_names(),
            },
            issuer: read.optional("JWT_ISSUER", IS_ISSUER),
            sign_up_open: read.choice("SIGN_UP", "open", &["open", "closed"]) == "open",
            aliases: read.choice("ALIASES", "on", &["on", "off"]) == "on",
            mail: MailSettings {
                product: read.product(),
                sender: read.text("SENDER_EMAIL", None, IS_EMAIL),
                configuration_set: read.optional("SES_CONFIGURATION_SET", IS_NAME),
            },
            sms: read.sms(),
            domain: read.domain(),
            frontends: read.frontends(),
            proxies: read.proxies(),
            otp_table: read.text("OTP_TABLE", None, IS_NAME),
            user_table: read.text("USER_TABLE", None, IS_NAME),
            codes_secret: read.text("CODES_SECRET_ARN", None, IS_ARN),
            tokens_secret: read.text("TOKENS_SECRET_ARN", None, IS_ARN),
            aws: read.aws(),
        };
        if read.problems.is_empty() { Ok(config) } else { Err(Problems(read.problems)) }
    }
}

/// What is wrong with the settings, one line for each.
#[derive(PartialEq, Eq)]
pub struct Problems(Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the environment is not usable: {}", self.0.join("; "))
    }
}

/// The same as `Display`: `main` prints this one.
impl fmt::Debug for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Problems {}
