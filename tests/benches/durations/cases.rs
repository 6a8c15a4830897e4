//! Pairs of identifiers, one with a history, and the same request to both.

use axum::body::Bytes;
use axum::http::Request;
use serde_json::json;
use tests::client::{REQUEST, VERIFY, posting};
use tests::{Client, Deployment};

/// What is sent to both identifiers of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    Request,
    /// Names the challenge of a request of the same second.
    Repeat,
    /// Names the challenge of a request half a minute ago.
    Resend,
    /// A wrong code with an id.
    Wrong,
    WrongLong,
    /// A wrong code without an id.
    WrongUnbound,
}

/// What happened to one of the two identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    SignedIn,
    Asked,
    /// So many requests that the next one shares a code.
    Shared,
    /// So many requests that the next one gets a long code.
    Rationed,
    /// Its owner has asked through an alias.
    ByAlias,
}

/// One row of the table.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    pub history: History,
    pub sent: Sent,
    pub is_sms: bool,
    /// Whether messages of the other channel are sent in between, by the same instance.
    pub is_mixed: bool,
}

const fn mail(name: &'static str, history: History, sent: Sent) -> Case {
    Case { name, history, sent, is_sms: false, is_mixed: false }
}

pub const CASES: [Case; 14] = [
    mail("request: signed in an hour ago (own code)", History::SignedIn, Sent::Request),
    mail("request: asked a minute ago (own code)", History::Asked, Sent::Request),
    mail("request: shared code", History::Shared, Sent::Request),
    mail("request: rationed code", History::Rationed, Sent::Request),
    Case { is_mixed: true, ..mail("request: shared code, while others get SMS", History::Shared, Sent::Request) },
    Case { is_sms: true, ..mail("request by SMS: shared code", History::Shared, Sent::Request) },
    Case {
        is_sms: true,
        is_mixed: true,
        ..mail("request by SMS: shared code, while others get mails", History::Shared, Sent::Request)
    },
    mail("request repeated at once: shared code", History::Shared, Sent::Repeat),
    mail("resend: shared code", History::Shared, Sent::Resend),
    mail("wrong code: signed in an hour ago", History::SignedIn, Sent::Wrong),
    mail("wrong code: shared code", History::Shared, Sent::Wrong),
    mail("wrong long code: shared code", History::Shared, Sent::WrongLong),
    mail("wrong code without an id: signed in an hour ago", History::SignedIn, Sent::WrongUnbound),
    mail("wrong code without an id: alias code under way", History::ByAlias, Sent::WrongUnbound),
];

/// Far below the day's mails to one domain.
const PER_DOMAIN: usize = 250;

impl Case {
    /// The identifier of one side of a pair. Sharing a code changes nothing, so one identifier serves all pairs.
    pub fn identifier(self, run: usize, has_history: bool) -> String {
        let run = if has_history && self.history == History::Shared { 0 } else { run };
        let side = u8::from(has_history);
        if self.is_sms {
            format!("+44740{side}{run:06}")
        } else {
            format!("u{side}x{run:06}@d{}.example", run / PER_DOMAIN)
        }
    }

    /// Somebody else, who gets a message of the other channel.
    pub fn somebody(self, run: usize) -> String {
        Case { is_sms: !self.is_sms, ..self }.identifier(run, false)
    }

    /// How many identifiers have to be prepared for so many pairs.
    pub fn prepared(self, pairs: usize) -> usize {
        if self.history == History::Shared { 1 } else { pairs }
    }

    /// What happens before, by other instances. `early` is an hour before the pairs are measured.
    pub async fn prepare(self, others: impl Fn(usize) -> Client<'static>, to: &str, early: bool) {
        if early != (self.history == History::SignedIn) {
            return;
        }
        let ask = async |network: usize| {
            others(network).post(REQUEST, json!({ "identifier": to })).await.ok();
        };
        match self.history {
            History::SignedIn => drop(others(1).sign_in(to).await),
            History::Asked => ask(1).await,
            // The third request of a network gets a long code. A number has one token fewer.
            History::Shared => {
                for network in [1, 1, 1, 2].into_iter().take(if self.is_sms { 3 } else { 4 }) {
                    ask(network).await;
                }
            }
            History::Rationed => {
                for network in 1..=4 {
                    ask(network).await;
                }
            }
            History::ByAlias => {
                others(1).post("/accounts/otp/request/", json!({ "identifier": to })).await.ok();
            }
        }
    }

    /// The challenge of the stranger, if the request names one, by other instances.
    pub async fn challenge(self, stranger: Client<'_>, to: &str) -> Option<String> {
        if matches!(self.sent, Sent::Request | Sent::WrongUnbound) {
            return None;
        }
        let answer = stranger.post(REQUEST, json!({ "identifier": to })).await.ok();
        Some(answer["challenge_id"].as_str().unwrap().to_owned())
    }

    /// The measured request.
    pub fn request(self, to: &str, challenge: Option<&str>) -> Request<Bytes> {
        let answer = |code: &str| {
            let mut body = json!({ "identifier": to, "otp_code": code });
            challenge.into_iter().for_each(|id| body["challenge_id"] = json!(id));
            posting(VERIFY, body)
        };
        match self.sent {
            Sent::Request => posting(REQUEST, json!({ "identifier": to })),
            Sent::Repeat | Sent::Resend => posting(REQUEST, json!({ "identifier": to, "challenge_id": challenge })),
            // A right guess has a chance of one in a million, and would be one sample.
            Sent::Wrong | Sent::WrongUnbound => answer("000000"),
            Sent::WrongLong => answer("AAAAAAAAAAAAA"),
        }
    }
}

/// The limits of networks and budgets are out of the way.
pub async fn settings() -> Vec<(&'static str, &'static str)> {
    tests::operations::SETTINGS.to_vec()
}

/// Deployments live as long as the process.
pub fn leaked(auth: Deployment) -> &'static Deployment {
    Box::leak(Box::new(auth))
}
