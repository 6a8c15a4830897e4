//! What only a deployment can show, looked at from outside: its address and, with credentials, its account.
//!
//! Nothing is changed, but that a code is asked for where an address is given for it.

mod account;
mod api;
mod http;
mod keys;
mod origins;

use std::fmt;

use clap::Args;

use self::http::Browser;

/// What to look at.
#[derive(Args, Clone, Debug)]
pub struct Look {
    /// Where the API is: the stack's output `ApiUrl`.
    #[arg(long)]
    pub url: String,
    /// An origin of a frontend, as in `AllowedOrigins`; may be repeated.
    #[arg(long = "origin", value_name = "URL")]
    pub origins: Vec<String>,
    /// The issuer, where it is not the address: the stack's output `Issuer`.
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
    /// Asks for one code to this address, which is all that is ever changed.
    #[arg(long, value_name = "ADDRESS")]
    pub test_address: Option<String>,
    /// Looks at the address only.
    #[arg(long)]
    pub no_account: bool,
    /// Where the account's services are.
    #[arg(long, default_value = "us-east-1")]
    pub region: String,
    /// Where mail comes from: the parameter `SenderEmail`.
    #[arg(long, value_name = "ADDRESS")]
    pub sender: Option<String>,
    /// SMS is on.
    #[arg(long)]
    pub sms: bool,
}

/// How much something matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Good,
    /// It works, and may not be what is wanted.
    Doubtful,
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct Finding {
    pub name: &'static str,
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// The command or the step that mends it.
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

    /// Good if it is so.
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
        if self.verdict == Verdict::Good { Ok(()) } else { write!(f, "\n      mend: {}", self.mend) }
    }
}

/// Looks at everything. Who may see the account is in `credentials`: a key id, a secret, and a session where there is one.
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
