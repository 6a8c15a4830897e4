//! What a stranger does at somebody's identifier, and what they see.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use tests::browser::CHALLENGE_COOKIE;
use tests::client::{REQUEST, STATUS, VERIFY};
use tests::{Answer, Client, Deployment};

/// One step of a stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Asks for a code, without naming a challenge.
    Ask,
    AskInABrowser,
    AskByAlias,
    /// Asks for the challenge of the newest answer again.
    Resend,
    /// Asks what became of its message.
    Status,
    /// Guesses digits at this challenge.
    Guess,
    GuessEight,
    GuessLong,
    /// Without an id.
    GuessUnbound,
    GuessLongUnbound,
    GuessByAlias,
    /// With an id that Latchkey did not make.
    GuessAtNothing,
    /// Until the challenge may be sent again.
    Wait,
    /// Until a token comes back.
    WaitLong,
}

/// All steps.
pub const STEPS: [Step; 14] = [
    Step::Ask,
    Step::AskInABrowser,
    Step::AskByAlias,
    Step::Resend,
    Step::Status,
    Step::Guess,
    Step::GuessEight,
    Step::GuessLong,
    Step::GuessUnbound,
    Step::GuessLongUnbound,
    Step::GuessByAlias,
    Step::GuessAtNothing,
    Step::Wait,
    Step::WaitLong,
];

/// The usual steps.
pub const USUAL: [Step; 7] =
    [Step::Ask, Step::AskByAlias, Step::Resend, Step::Status, Step::Guess, Step::GuessUnbound, Step::GuessByAlias];

/// A stranger at one identifier, in a fresh network.
pub struct Stranger {
    to: String,
    network: String,
    /// The id in the newest answer that had one.
    id: Value,
}

/// The alias for a request, and the name of the field with the identifier.
pub fn alias_request(to: &str) -> (&'static str, &'static str) {
    if to.starts_with('+') { ("/api/auth/send-otp/", "phone_number") } else { ("/accounts/otp/request/", "identifier") }
}

impl Step {
    /// The seconds that pass, for all identifiers at once.
    pub fn wait(self) -> u64 {
        match self {
            Step::Wait => 31,
            Step::WaitLong => 240,
            _ => 0,
        }
    }
}

impl Stranger {
    pub fn new(to: &str, network: String) -> Stranger {
        Stranger { to: to.to_owned(), network, id: Value::Null }
    }

    /// Does a step, and returns everything that can be seen of the answer.
    pub async fn take(&mut self, auth: &Deployment, step: Step) -> String {
        if step.wait() > 0 {
            return String::new();
        }
        let answer = self.answer(auth.client_at(&self.network), step).await;
        let cookie = answer.headers.get("set-cookie").map(|line| line.to_str().unwrap());
        let cookie = cookie.and_then(|line| line.strip_prefix(CHALLENGE_COOKIE)?.strip_prefix('=')?.split(';').next());
        let id = answer.body.get("challenge_id").cloned().or(cookie.map(Value::from));
        self.id = id.unwrap_or(self.id.take());
        // Some aliases repeat the identifier.
        seen(&answer).replace(&self.to, "(the identifier)")
    }

    async fn answer(&self, client: Client<'_>, step: Step) -> Answer {
        let (to, id) = (&self.to, &self.id);
        let guess = |code: &str, id: &Value| json!({ "identifier": to, "otp_code": code, "challenge_id": id });
        match step {
            Step::Ask => client.post(REQUEST, json!({ "identifier": to })).await,
            Step::AskInABrowser => {
                let body = json!({ "identifier": to, "token_delivery": "cookie" });
                client.post_with("origin", "http://localhost:3000", REQUEST, body).await
            }
            Step::AskByAlias => {
                let (path, field) = alias_request(to);
                client.post(path, json!({ field: to })).await
            }
            Step::Resend => client.post(REQUEST, json!({ "identifier": to, "challenge_id": id })).await,
            Step::Status => client.post(STATUS, json!({ "identifier": to, "challenge_id": id })).await,
            Step::Guess => client.post(VERIFY, guess("000000", id)).await,
            Step::GuessEight => client.post(VERIFY, guess("00000000", id)).await,
            Step::GuessLong => client.post(VERIFY, guess("AAAAAAAAAAAAA", id)).await,
            Step::GuessUnbound => client.answer_unbound(to, "000000").await,
            Step::GuessLongUnbound => client.answer_unbound(to, "AAAAAAAAAAAAA").await,
            Step::GuessByAlias if to.starts_with('+') => {
                client.post("/api/auth/verify-otp/", json!({ "phone_number": to, "otp_code": "000000" })).await
            }
            Step::GuessByAlias => {
                client.post("/accounts/otp/verify/", json!({ "identifier": to, "otp": "000000" })).await
            }
            Step::GuessAtNothing => client.post(VERIFY, guess("000000", &Value::from("A".repeat(72)))).await,
            Step::Wait | Step::WaitLong => unreachable!("nobody is asked"),
        }
    }
}

/// Status, headers and body. An id that differs in every answer is replaced by its form.
fn seen(answer: &Answer) -> String {
    let mut body = answer.body.clone();
    if let Some(id) = body.get_mut("challenge_id") {
        *id = form(id.as_str().unwrap()).into();
    }
    let headers: BTreeMap<_, _> = answer.headers.iter().map(header).collect();
    format!("{} {headers:?} {body}", answer.status)
}

fn header((name, value): (&HeaderName, &HeaderValue)) -> (String, String) {
    let text = value.to_str().unwrap();
    let text = match name.as_str() {
        "x-request-id" | "apigw-requestid" => form(text),
        "set-cookie" => match text.split_once(';') {
            Some((cookie, attributes)) => {
                let (name, value) = cookie.split_once('=').unwrap();
                format!("{name}={};{attributes}", form(value))
            }
            None => text.to_owned(),
        },
        _ => text.to_owned(),
    };
    (name.to_string(), text)
}

/// The length and the alphabet of a random text.
fn form(text: &str) -> String {
    let is_id = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_+/=".contains(&byte));
    if is_id { format!("({} characters)", text.len()) } else { text.to_owned() }
}
