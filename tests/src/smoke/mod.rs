//! Checks a real deployment from outside: its API and, with credentials, its AWS account.
//!
//! The checks are read-only, except that `--test-address` requests one code and answers it wrongly, under a false id, and that
//! `--deliver-to` requests one code.

mod account;
mod api;
mod http;
mod keys;
mod logs;
mod message;
mod origins;
mod parameters;
mod ranks;
mod sign_in;
mod signed;
mod stack;

use std::fmt;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use self::http::Browser;
use self::signed::Signed;

/// The deployment to check.
#[derive(Args, Clone, Debug)]
pub struct Look {
    /// Address of the API: the stack's output `ApiUrl`.
    #[arg(long)]
    pub url: String,
    /// Origin of a frontend, as in `AllowedOrigins`; may be repeated.
    #[arg(long = "origin", value_name = "URL")]
    pub origins: Vec<String>,
    /// Issuer, if it differs from the address: the stack's output `Issuer`.
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
    /// Request one code for this address, send 20 wrong answers under a false challenge id, and 100 invalid requests at once.
    #[arg(long, value_name = "ADDRESS")]
    pub test_address: Option<String>,
    /// Request one code for this address or number, and follow the message until it has arrived or failed.
    #[arg(long, value_name = "ADDRESS|NUMBER")]
    pub deliver_to: Option<String>,
    /// How many seconds to follow the message at most.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub deliver_within: u64,
    /// Check only the API, without the AWS account.
    #[arg(long)]
    pub no_account: bool,
    /// The stack's name, to check its resources, settings, keys and logs.
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
    /// Region of the stack.
    #[arg(long, default_value = "us-east-1")]
    pub region: String,
    /// Sender of emails: the parameter `SenderEmail`.
    #[arg(long, value_name = "ADDRESS")]
    pub sender: Option<String>,
    /// Check SMS too.
    #[arg(long)]
    pub sms: bool,
}

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Good,
    /// The check was not possible here, for the reason that the finding gives.
    Skipped,
    /// It works, but may be unwanted.
    Doubtful,
    Bad,
}

/// The result of one check.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub name: &'static str,
    pub verdict: Verdict,
    /// The observation.
    pub seen: String,
    /// The command or step that fixes it, or makes the check possible.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fix: String,
}

impl Finding {
    fn good(name: &'static str, seen: impl Into<String>) -> Finding {
        Finding { name, verdict: Verdict::Good, seen: seen.into(), fix: String::new() }
    }

    fn skipped(name: &'static str, why: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding { name, verdict: Verdict::Skipped, seen: why.into(), fix: fix.into() }
    }

    fn doubtful(name: &'static str, seen: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding { name, verdict: Verdict::Doubtful, seen: seen.into(), fix: fix.into() }
    }

    fn bad(name: &'static str, seen: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding { name, verdict: Verdict::Bad, seen: seen.into(), fix: fix.into() }
    }

    fn if_so(name: &'static str, is_so: bool, seen: impl Into<String>, fix: impl Into<String>) -> Finding {
        if is_so { Finding::good(name, seen) } else { Finding::bad(name, seen, fix) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Good => "ok  ",
            Verdict::Skipped => "skip",
            Verdict::Doubtful => "WARN",
            Verdict::Bad => "FAIL",
        };
        write!(f, "{word}  {}: {}", self.name, self.seen)?;
        if self.fix.is_empty() { Ok(()) } else { write!(f, "\n      fix: {}", self.fix) }
    }
}

/// Runs all checks. `variables` looks up the credentials of the account and, for stand-ins, the endpoints of its services.
pub async fn look(look: &Look, variables: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let browser = Browser::new(&look.url);
    let mut findings = api::look(&browser).await;
    findings.extend(keys::look(look, &browser).await);
    findings.extend(origins::look(look, &browser).await);
    let started = shared::words::Clock::system().now();
    if let Some(address) = &look.test_address {
        findings.extend(sign_in::look(look, &browser, address).await);
    }
    if let Some(to) = &look.deliver_to {
        findings.extend(message::look(&browser, to, Duration::from_secs(look.deliver_within)).await);
    }
    if look.no_account {
        return findings;
    }
    let Some(signed) = Signed::read(&look.region, &variables) else {
        let fix = "eval \"$(aws configure export-credentials --format env)\", or --no-account to check the API alone";
        findings.push(Finding::bad("credentials", "the environment has none", fix));
        return findings;
    };
    findings.extend(account::look(look, &variables).await);
    findings.extend(stack::look(look, &signed, started).await);
    findings
}
