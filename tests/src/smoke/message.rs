//! Follows one message: a code is requested, and `status` tells what becomes of it.

use std::time::{Duration, Instant};

use serde_json::json;

use super::Finding;
use super::http::Browser;
use crate::client::{REQUEST, STATUS};

const NAME: &str = "delivery";

/// Between two questions. A network may ask 30 times a minute.
const PAUSE: Duration = Duration::from_secs(3);

/// Requests a code for `to` and asks what became of the message, until it has arrived or failed, for `limit` at most. One finding for
/// each state.
pub(super) async fn look(browser: &Browser, to: &str, limit: Duration) -> Vec<Finding> {
    let asked = match browser.post(REQUEST, &json!({ "identifier": to }).to_string()).await {
        Ok(asked) if asked.status == 200 => asked.json(),
        Ok(refused) => return vec![not_sent(&format!("{} {}", refused.status, refused.code()), &refused.code())],
        Err(problem) => return vec![not_sent(&problem, "")],
    };
    let question = json!({ "identifier": to, "challenge_id": asked["challenge_id"] }).to_string();
    let (started, mut findings, mut last) = (Instant::now(), Vec::new(), String::new());
    loop {
        let told = browser.post(STATUS, &question).await;
        let after = started.elapsed();
        let (state, channel) = match told {
            Ok(told) if told.status == 200 => {
                let text = |name: &str| told.json()[name].as_str().unwrap_or_default().to_owned();
                (text("state"), text("channel"))
            }
            Ok(refused) => {
                let seen = format!("status answered {} {}", refused.status, refused.code());
                findings.push(Finding::bad(NAME, seen, "wait a minute and repeat the command"));
                return findings;
            }
            Err(problem) => {
                findings.push(Finding::bad(NAME, problem, "repeat the command"));
                return findings;
            }
        };
        let seen = format!("{state} after {} s, by {channel}", after.as_secs());
        match state.as_str() {
            "failed" => {
                findings.push(Finding::bad(NAME, seen, failed(&channel)));
                return findings;
            }
            "over" => {
                let fix = "repeat the command with an address that nobody uses at the same time";
                findings.push(Finding::doubtful(NAME, format!("{seen}: the code was used or has expired"), fix));
                return findings;
            }
            _ if state != last => findings.push(Finding::good(NAME, seen)),
            _ => {}
        }
        last = state;
        if last == "delivered" {
            return findings;
        }
        if after + PAUSE > limit {
            let (seen, fix) = silent(&last, &channel);
            findings.push(Finding::doubtful(NAME, format!("{seen} after {} s", after.as_secs()), fix));
            return findings;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The next step after a request that sent nothing.
fn not_sent(seen: &str, code: &str) -> Finding {
    let fix = match code {
        "email_send_failed" => {
            "check that the sender is verified and the account is out of SES's sandbox, and whether the address is held after a bounce"
        }
        "sms_send_failed" => {
            "search the log of request-otp for `refused` and `stopped_by`: the provider's reason, or a used-up budget"
        }
        "rate_limited" => "wait ten minutes and repeat the command",
        "forbidden" => "add the number's country to SmsCountries, or the mail's domain to MailAllow",
        "invalid_phone" | "invalid_email" | "invalid_request" => {
            "give an email address, or a number such as +447400123456"
        }
        _ => "search the log of request-otp for the newest error",
    };
    Finding::bad(NAME, format!("the code was not sent: {seen}"), fix)
}

/// The next step after a message that failed.
fn failed(channel: &str) -> &'static str {
    match channel {
        "email" => {
            "search the log of delivery for `receipt`, and look up that message's id in SES; check the domain's SPF, DKIM and DMARC"
        }
        _ => {
            "search the log of delivery for `receipt`: its `kind` is the provider's reason, such as text_carrier_blocked. Check the sender's registration in that country"
        }
    }
}

/// The meaning of no news, and the next step.
fn silent(state: &str, channel: &str) -> (&'static str, &'static str) {
    match (state, channel) {
        ("handed_over", _) => (
            "the carrier took it and told nothing more",
            "look at the phone. Some countries' carriers confirm no delivery",
        ),
        ("delayed", _) => {
            ("still delayed", "look at the recipient's server. Lists that block senders are a frequent cause")
        }
        (_, "email") => {
            ("no news", "check that DeliveryStatus is on, and the log of delivery. The recipient's server may be slow")
        }
        _ => (
            "no news",
            "SNS tells nothing about texts. With SmsProvider=eum, check the rule TextsRule and the log of delivery",
        ),
    }
}
