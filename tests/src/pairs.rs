//! Pairs of requests that look the same to an attacker and differ only in a secret. The answers must be indistinguishable.

use axum::body::Bytes;
use axum::http::Request;
use serde_json::json;

use crate::Deployment;
use crate::client::{LOGOUT, REFRESH, REQUEST, Tokens, VERIFY, posting};

/// Two requests with one difference.
pub struct Pair {
    pub name: &'static str,
    pub sides: [Side; 2],
    /// True if both requests do the same work. Otherwise only the answers are the same.
    pub is_same_work: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Side {
    /// A code request for an identifier with or without an account.
    Request {
        is_known: bool,
    },
    /// A wrong code for an identifier with or without an account.
    WrongCode {
        is_known: bool,
    },
    /// A code with a wrong digit at this place.
    WrongDigit(usize),
    /// A wrong code for a pending or an unknown challenge.
    Challenge {
        is_live: bool,
    },
    /// The token of an ended session, or a forged token.
    Refresh {
        is_real: bool,
    },
    Logout {
        is_real: bool,
    },
}

pub const PAIRS: [Pair; 6] = [
    Pair {
        name: "request: known or unknown identifier",
        sides: [Side::Request { is_known: true }, Side::Request { is_known: false }],
        is_same_work: true,
    },
    Pair {
        name: "wrong code: known or unknown identifier",
        sides: [Side::WrongCode { is_known: true }, Side::WrongCode { is_known: false }],
        is_same_work: true,
    },
    Pair {
        name: "wrong code: first or last digit",
        sides: [Side::WrongDigit(0), Side::WrongDigit(5)],
        is_same_work: true,
    },
    Pair {
        name: "wrong code: live or unknown challenge",
        sides: [Side::Challenge { is_live: true }, Side::Challenge { is_live: false }],
        is_same_work: false,
    },
    Pair {
        name: "refresh: ended session or forged token",
        sides: [Side::Refresh { is_real: true }, Side::Refresh { is_real: false }],
        is_same_work: false,
    },
    Pair {
        name: "logout: real or forged token",
        sides: [Side::Logout { is_real: true }, Side::Logout { is_real: false }],
        is_same_work: false,
    },
];

/// The addresses of both sides have the same length.
fn address(is_known: bool, run: usize) -> String {
    format!("{}{run:05}@example.com", if is_known { "a" } else { "z" })
}

impl Side {
    /// Prepares the accounts, if any. They are some hours old.
    pub async fn settle(self, auth: &Deployment, runs: usize) {
        if matches!(self, Side::Request { is_known: true } | Side::WrongCode { is_known: true }) {
            for run in 0..runs {
                auth.client().sign_in(&address(true, run)).await;
            }
            auth.wait(2 * 3_600);
        }
    }

    /// The request. Each run has its own addresses.
    pub async fn request(self, auth: &Deployment, run: usize) -> Request<Bytes> {
        match self {
            Side::Request { is_known } => posting(REQUEST, json!({ "identifier": address(is_known, run) })),
            Side::WrongCode { is_known } => answer(auth, &address(is_known, run), 5, None).await,
            Side::WrongDigit(place) => answer(auth, &format!("digit{place}x{run:05}@example.com"), place, None).await,
            Side::Challenge { is_live } => {
                let unknown = (!is_live).then(|| "A".repeat(22));
                answer(auth, &format!("live{}x{run:05}@example.com", u8::from(is_live)), 5, unknown).await
            }
            Side::Refresh { is_real } => {
                let tokens = auth.client().sign_in(&format!("r{}x{run:05}@example.com", u8::from(is_real))).await;
                auth.client().logout(&tokens.refresh).await.ok();
                posting(REFRESH, json!({ "refresh": presented(tokens, is_real) }))
            }
            Side::Logout { is_real } => {
                let tokens = auth.client().sign_in(&format!("l{}x{run:05}@example.com", u8::from(is_real))).await;
                posting(LOGOUT, json!({ "refresh": presented(tokens, is_real) }))
            }
        }
    }
}

/// The token, or a copy with another last character, so that its MAC is wrong.
fn presented(tokens: Tokens, is_real: bool) -> String {
    let mut token = tokens.refresh;
    if !is_real {
        let last = token.pop();
        token.push(if last == Some('A') { 'Q' } else { 'A' });
    }
    token
}

/// An answer with a wrong digit, to the newest challenge or to `challenge`.
async fn answer(auth: &Deployment, address: &str, place: usize, challenge: Option<String>) -> Request<Bytes> {
    let asked = auth.client().ask(address).await;
    let mut digits: Vec<char> = asked.code.chars().collect();
    digits[place] = if digits[place] == '2' { '3' } else { '2' };
    let code: String = digits.into_iter().collect();
    let challenge = challenge.unwrap_or(asked.challenge);
    posting(VERIFY, json!({ "identifier": address, "otp_code": code, "challenge_id": challenge }))
}
