//! Reading one variable after the other, and saying what each one should have been.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::aws::{Credentials, Endpoints, Settings as AwsSettings};
use crate::http::Proxies;
use crate::keys::SigningAlgorithm;
use crate::sessions::{ClaimNames, RESERVED_CLAIMS};

/// A test of a text, with the words for what it expects.
pub(super) type Check = (fn(&str) -> bool, &'static str);

pub(super) const IS_NAME: Check =
    (|text| text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic()), "a name without spaces");
const IS_PATH: Check =
    (|text| text.starts_with('/') && !text.bytes().any(|byte| byte.is_ascii_control()), "the absolute path of a file");
pub(super) const IS_ARN: Check = (|text| text.starts_with("arn:"), "an ARN");
/// As the template has it. To read it as an identifier would link the tables of all of Unicode to every function.
pub(super) const IS_EMAIL: Check = (names_a_mailbox, "an email address");
pub(super) const IS_ISSUER: Check =
    (names_an_issuer, "an https URL (http for loopback) without query, fragment or final slash");
pub(super) const IS_CLAIM: Check = (
    |text| text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte)),
    "a claim name",
);

fn names_a_mailbox(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>(),;:\"".contains(&byte))
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.contains('@')
                && domain.split('.').count() > 1
                && !domain.split('.').any(str::is_empty)
        })
}

/// RFC 8414 §2: https, no query, no fragment (S48); a browser treats http on loopback as safe, and so does `local`.
fn names_an_issuer(text: &str) -> bool {
    let is_loopback = ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|start| {
        text.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with(':') || rest.starts_with('/'))
    });
    let has_host = text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    (is_loopback || has_host)
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte))
        && !text.ends_with('/')
}

/// Reads one variable after the other, and goes on after a problem with a value that nobody will see.
pub(super) struct Reader<'a> {
    pub(super) lookup: &'a dyn Fn(&str) -> Option<String>,
    pub(super) problems: Vec<String>,
}

impl Reader<'_> {
    /// An empty variable counts as unset: a template cannot leave one out.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    pub(super) fn problem(&mut self, name: &str, expected: &str) {
        let problem = match self.get(name) {
            None => format!("{name} is not set: expected {expected}"),
            Some(_) => format!("{name}: expected {expected}"),
        };
        self.problems.push(problem);
    }

    pub(super) fn text(&mut self, name: &str, default: Option<&str>, check: Check) -> String {
        let text = self.get(name).or(default.map(str::to_owned));
        if !text.as_deref().is_some_and(check.0) {
            self.problem(name, check.1);
        }
        text.unwrap_or_default()
    }

    pub(super) fn optional(&mut self, name: &str, check: Check) -> Option<String> {
        let text = self.get(name);
        if text.as_deref().is_some_and(|text| !check.0(text)) {
            self.problem(name, check.1);
        }
        text
    }

    pub(super) fn number(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let number = self.get(name).map_or(Some(default), |text| text.parse().ok());
        number.filter(|number| range.contains(number)).unwrap_or_else(|| {
            self.problem(name, &format!("a whole number from {} to {}", range.start(), range.end()));
            default
        })
    }

    pub(super) fn count(&mut self, name: &str, default: u32, range: RangeInclusive<u32>) -> u32 {
        let number = self.number(name, u64::from(default), u64::from(*range.start())..=u64::from(*range.end()));
        u32::try_from(number).unwrap_or(default)
    }

    pub(super) fn seconds(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> Duration {
        Duration::from_secs(self.number(name, default, range))
    }

    pub(super) fn choice(&mut self, name: &str, default: &str, choices: &[&str]) -> String {
        let choice = self.get(name).unwrap_or(default.to_owned());
        if !choices.contains(&choice.as_str()) {
            self.problem(name, &format!("one of {}", choices.join(", ")));
        }
        choice
    }

    pub(super) fn algorithm(&mut self) -> SigningAlgorithm {
        let (variable, default) = ("JWT_ALGORITHM", SigningAlgorithm::RS256);
        // The standards list it among the others, so it is asked for in good faith.
        if self.get(variable).as_deref() == Some("ES512") {
            self.problems.push(format!(
                "{variable}: ES512 is not supported, because the jsonwebtoken crate has none: take ES384"
            ));
            return default;
        }
        let name = self.choice(variable, default.name(), &SigningAlgorithm::ALL.map(SigningAlgorithm::name));
        SigningAlgorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name).unwrap_or(default)
    }

    pub(super) fn claim_names(&mut self) -> ClaimNames {
        let user_id = self.text("USER_ID_CLAIM", Some("user_id"), IS_CLAIM);
        let token_type = self.text("TOKEN_TYPE_CLAIM", Some("token_type"), IS_CLAIM);
        let jti = self.text("JTI_CLAIM", Some("jti"), IS_CLAIM);
        // The user id may be `sub` itself: it says the same.
        for (variable, name) in [("USER_ID_CLAIM", &user_id), ("TOKEN_TYPE_CLAIM", &token_type), ("JTI_CLAIM", &jti)] {
            let may_be = variable == "USER_ID_CLAIM" && name == "sub";
            if RESERVED_CLAIMS.contains(&name.as_str()) && !may_be {
                self.problems.push(format!("{variable}: {name} has a meaning of its own"));
            }
        }
        if user_id == token_type || user_id == jti || token_type == jti {
            self.problems
                .push("USER_ID_CLAIM, TOKEN_TYPE_CLAIM and JTI_CLAIM: expected three different names".to_owned());
        }
        ClaimNames { user_id, token_type, jti }
    }

    pub(super) fn proxies(&mut self) -> Proxies {
        let list = self.get("TRUSTED_PROXIES").unwrap_or_default();
        Proxies::read(&list).unwrap_or_else(|| {
            self.problem("TRUSTED_PROXIES", "networks such as 192.0.2.0/24, separated by commas");
            Proxies::default()
        })
    }

    pub(super) fn aws(&mut self) -> AwsSettings {
        let everywhere = self.get("AWS_ENDPOINT_URL");
        let endpoint = |service: &str| self.get(&format!("AWS_ENDPOINT_URL_{service}")).or(everywhere.clone());
        let endpoints = Endpoints {
            dynamodb: endpoint("DYNAMODB"),
            secrets: endpoint("SECRETS_MANAGER"),
            ses: endpoint("SESV2"),
            sns: endpoint("SNS"),
        };
        AwsSettings {
            region: self.text("AWS_REGION", None, IS_NAME),
            credentials: Credentials::new(
                self.text("AWS_ACCESS_KEY_ID", None, IS_NAME),
                self.text("AWS_SECRET_ACCESS_KEY", None, IS_NAME),
                self.get("AWS_SESSION_TOKEN"),
                None,
                "environment",
            ),
            endpoints,
            attempt_timeout: Duration::from_millis(self.number("AWS_ATTEMPT_TIMEOUT_MS", 1_000, 100..=29_000)),
            operation_timeout: Duration::from_millis(self.number("AWS_OPERATION_TIMEOUT_MS", 3_000, 100..=29_000)),
            ca_bundle: self.optional("AWS_CA_BUNDLE", IS_PATH),
            carrier: None,
        }
    }
}
