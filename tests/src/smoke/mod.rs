//! Checks a real deployment from outside: its API and, with credentials, its AWS account.
//!
//! The checks are read-only, except that `--test-address` requests one code.

mod account;
mod api;
mod http;
mod keys;
mod origins;

use std::fmt;

use clap::Args;

use self::http::Browser;

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
    /// Request one code for this address. This is the only change the command makes.
    #[arg(long, value_name = "ADDRESS")]
    pub test_address: Option<String>,
    /// Check only the API, without the AWS account.
    #[arg(long)]
    pub no_account: bool,
    /// Region of SES and SNS.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Good,
    /// It works, but may be unwanted.
    Doubtful,
    Bad,
}

/// The result of one check.
#[derive(Clone, Debug)]
pub struct Finding {
    pub name: &'static str,
    pub verdict: Verdict,
    /// The observation.
    pub seen: String,
    /// The command or step that fixes it.
    pub mend: String,
}

impl Finding {
    fn good(name: &'static str, seen: impl Into<String>) -> Finding {
        Finding { name, verdict: Verdict::Good, seen: seen.into(), mend: String::new() }
    }

    fn doubtful(name: &'static str, seen: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { name, verdict: Verdict::Doubtful, seen: seen.into(), mend: mend.into() }
    }

    fn bad(name: &'static str, seen: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { name, verdict: Verdict::Bad, seen: seen.into(), mend: mend.into() }
    }

    fn if_so(name: &'static str, is_so: bool, seen: impl Into<String>, mend: impl Into<String>) -> Finding {
        if is_so { Finding::good(name, seen) } else { Finding::bad(name, seen, mend) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Good => "ok  ",
            Verdict::Doubtful => "WARN",
            Verdict::Bad => "FAIL",
        };
        write!(f, "{word}  {}: {}", self.name, self.seen)?;
        if self.verdict == Verdict::Good { Ok(()) } else { write!(f, "\n      fix: {}", self.mend) }
    }
}

/// Runs all checks. `credentials` looks up the variables for access to the account: a key id, a secret and an optional session
/// token.
pub async fn look(look: &Look, credentials: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let browser = Browser::new(&look.url);
    let mut findings = api::look(look, &browser).await;
    findings.extend(keys::look(look, &browser).await);
    findings.extend(origins::look(look, &browser).await);
    if look.no_account {
        return findings;
    }
    findings.extend(account::look(look, credentials).await);
    findings
}
