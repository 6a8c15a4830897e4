//! What a stranger must not tell apart: pairs of requests that differ in what he wants to know, and in nothing that he sees.

use axum::body::Bytes;
use axum::http::Request;
use serde_json::json;

use crate::Deployment;
use crate::client::{LOGOUT, REFRESH, REQUEST, Tokens, VERIFY, posting};

/// Two sides of one question.
pub struct Pair {
    pub name: &'static str,
    pub sides: [Side; 2],
    /// Whether the same work is done for both, or only the same answer given.
    pub is_same_work: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Side {
    /// A code is asked for, for somebody who has an account, or for nobody.
    Request {
        is_known: bool,
    },
    /// A wrong code, for somebody who has an account, or for nobody.
    WrongCode {
        is_known: bool,
    },
    /// A code that is wrong at this place.
    WrongDigit(usize),
    /// A wrong code for a challenge that is waited for, or for one that never was.
    Challenge {
        is_live: bool,
    },
    /// The token of a session that has ended, or one that nobody has made.
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

/// As long for both sides.
fn address(is_known: bool, run: usize) -> String {
    format!("{}{run:05}@example.com", if is_known { "a" } else { "z" })
}

impl Side {
    /// What must have happened before: everybody with an account has it for some hours.
    pub async fn settle(self, auth: &Deployment, runs: usize) {
        if matches!(self, Side::Request { is_known: true } | Side::WrongCode { is_known: true }) {
            for run in 0..runs {
                auth.client().sign_in(&address(true, run)).await;
            }
            auth.wait(2 * 3_600);
        }
    }

    /// The request; no two have the same number.
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

/// The token, or one with another last character: of its MAC.
fn presented(tokens: Tokens, is_real: bool) -> String {
    let mut token = tokens.refresh;
    if !is_real {
        let last = token.pop();
        token.push(if last == Some('A') { 'Q' } else { 'A' });
    }
    token
}

/// An answer that is wrong at that digit, to the challenge that was just asked for or to another.
async fn answer(auth: &Deployment, address: &str, place: usize, challenge: Option<String>) -> Request<Bytes> {
    let asked = auth.client().ask(address).await;
    let mut digits: Vec<char> = asked.code.chars().collect();
    digits[place] = if digits[place] == '2' { '3' } else { '2' };
    let code: String = digits.into_iter().collect();
    let challenge = challenge.unwrap_or(asked.challenge);
    posting(VERIFY, json!({ "identifier": address, "otp_code": code, "challenge_id": challenge }))
}
