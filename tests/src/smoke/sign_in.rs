//! Checks that write: one code is requested, answers with a false challenge id are compared, and many requests come at once.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::http::{Browser, Seen};
use super::{Finding, Look, ranks};
use crate::client::{REQUEST, VERIFY};

/// Below half of `OTP_FAILURES_PER_IP`'s default in each group, so that other clients of this network stay below the limit.
const ANSWERS: usize = 10;
const AT_ONCE: usize = 100;

pub(super) async fn look(look: &Look, browser: &Browser, address: &str) -> Vec<Finding> {
    let mut findings = code(look, browser, address).await;
    findings.push(at_once(browser).await);
    findings.push(known_and_unknown(browser, address).await);
    findings
}

/// Requests a code, in cookie mode where a page of the deployment may use it. A refused mode has sent nothing.
async fn code(look: &Look, browser: &Browser, address: &str) -> Vec<Finding> {
    let asked = json!({ "identifier": address, "token_delivery": "cookie" }).to_string();
    for origin in &look.origins {
        let headers = [("content-type", "application/json"), ("origin", origin.as_str())];
        match browser.ask("POST", REQUEST, &headers, &asked).await {
            Ok(seen) if (seen.status, seen.code().as_str()) == (400, "invalid_request") => {}
            seen => {
                let cookies = seen.as_ref().ok().filter(|seen| seen.status == 200).map(flags);
                return [arrives(&seen)].into_iter().chain(cookies).collect();
            }
        }
    }
    let seen = browser.post(REQUEST, &json!({ "identifier": address }).to_string()).await;
    let fix = "deploy with DomainName, if pages should use cookies";
    vec![arrives(&seen), Finding::skipped("cookies", "no --origin may use cookies", fix)]
}

fn arrives(seen: &Result<Seen, String>) -> Finding {
    const NAME: &str = "a code";
    const FIX: &str = "check that the sender is verified, then search the function's log group for the request id";
    match seen {
        Ok(seen) if seen.status == 200 => Finding::good(NAME, "requested; it should arrive within a minute"),
        Ok(seen) => Finding::bad(NAME, format!("{} {}", seen.status, seen.code()), FIX),
        Err(problem) => Finding::bad(NAME, problem, FIX),
    }
}

/// Scripts and other hosts must not be able to read the cookies.
fn flags(seen: &Seen) -> Finding {
    const NAME: &str = "cookies";
    const FIX: &str =
        "no proxy in front of the API may change Set-Cookie; compare with the address of AWS's own domain";
    let cookies = seen.headers("set-cookie");
    let is_safe = |cookie: &String| {
        let parts: Vec<String> = cookie.split(';').map(|part| part.trim().to_ascii_lowercase()).collect();
        let has = |flag: &str| parts.iter().any(|part| part == flag);
        cookie.starts_with("__Host-") && ["secure", "httponly", "samesite=lax", "path=/"].into_iter().all(has)
    };
    let names: Vec<&str> = cookies.iter().filter_map(|cookie| cookie.split('=').next()).collect();
    let all_safe = !cookies.is_empty() && cookies.iter().all(is_safe);
    let words = if all_safe { "Secure, HttpOnly, SameSite=Lax, one host" } else { "not all flags are there" };
    Finding::if_so(NAME, all_safe, format!("{names:?}: {words}"), FIX)
}

/// As many as a popular page may send. Each needs an execution of its own, and none writes anything.
async fn at_once(browser: &Browser) -> Finding {
    const NAME: &str = "100 at once";
    const FIX: &str = "raise the account's limit of concurrent executions (see `executions`), or ApiBurst";
    let answers = join_all((0..AT_ONCE).map(|_| browser.post(VERIFY, "{}"))).await;
    let refused: Vec<String> = answers
        .iter()
        .filter_map(|answer| match answer {
            Ok(seen) if seen.status == 400 => None,
            Ok(seen) => Some(seen.status.to_string()),
            Err(problem) => Some(problem.clone()),
        })
        .collect();
    let slowest = answers.iter().flatten().map(|seen| seen.took).max().unwrap_or_default();
    match refused.first() {
        None => Finding::good(NAME, format!("all answered, the last after {} ms", slowest.as_millis())),
        Some(first) => Finding::bad(NAME, format!("{} were not served; the first: {first}", refused.len()), FIX),
    }
}

/// A stranger must not learn from answers or their times who is waiting for a code.
async fn known_and_unknown(browser: &Browser, address: &str) -> Finding {
    const NAME: &str = "known and unknown";
    let Some((_, domain)) = address.split_once('@') else {
        return Finding::skipped(NAME, "--test-address is not an email address", "");
    };
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for number in 0..ANSWERS {
        let stranger = format!("nobody-{number}-{}@{domain}", shared::words::Clock::system().now().unix());
        // Whatever slows the first request of a pair down hits both equally often.
        if number % 2 == 0 {
            known.push(false_answer(browser, address, number).await);
            unknown.push(false_answer(browser, &stranger, number).await);
        } else {
            unknown.push(false_answer(browser, &stranger, number).await);
            known.push(false_answer(browser, address, number).await);
        }
    }
    let answers: Vec<&Seen> = known.iter().chain(&unknown).flatten().collect();
    let Some(first) = answers.first().filter(|_| answers.len() == 2 * ANSWERS) else {
        return Finding::bad(NAME, "some answers did not arrive", "repeat the command");
    };
    if first.code() == "invalid_request" {
        return Finding::doubtful(
            NAME,
            "the API does not accept the form of this check's answers",
            "report it as an issue",
        );
    }
    let alike = answers.iter().all(|seen| seen.status == first.status && seen.code() == first.code());
    if !alike {
        let fix = "repeat after ten minutes; if the difference stays, report it privately, as SECURITY.md describes";
        return Finding::bad(NAME, "answers to known and unknown addresses differ", fix);
    }
    compared(NAME, &times(&known), &times(&unknown))
}

fn compared(name: &'static str, known: &[Duration], unknown: &[Duration]) -> Finding {
    let chance = ranks::chance(known, unknown);
    let tolerance = ranks::tolerance(known.len(), unknown.len());
    let seen = format!("the answer for the known address is the slower one in {:.0} % of pairs", chance * 100.0);
    let fix = "repeat the command; if the share stays far from 50 %, report it as an issue";
    match (chance - 0.5).abs() <= tolerance {
        true => Finding::good(name, seen),
        false => Finding::doubtful(name, seen, fix),
    }
}

fn times(answers: &[Result<Seen, String>]) -> Vec<Duration> {
    answers.iter().flatten().map(|seen| seen.took).collect()
}

/// A wrong code under a challenge id that does not exist: it takes no attempt from anybody's code.
async fn false_answer(browser: &Browser, identifier: &str, number: usize) -> Result<Seen, String> {
    let challenge = format!("AAAAAAAAAAAAAAAAAAA{:02}A", number % 100);
    let body = json!({ "identifier": identifier, "otp_code": "000000", "challenge_id": challenge });
    browser.post(VERIFY, &body.to_string()).await
}
