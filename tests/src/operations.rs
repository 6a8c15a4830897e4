//! What is measured: operations, and the requests that make them happen.

use axum::body::Bytes;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::Deployment;
use crate::client::{LOGOUT, PROFILE, REFRESH, REQUEST, SESSIONS, VERIFY, with_token};
use crate::deployment::wrong;

/// One row of the table.
pub struct Operation {
    pub name: &'static str,
    pub kind: Kind,
    /// The code of its answer.
    pub answer: &'static str,
    pub signs: bool,
    /// How many calls it has under way together, round by round.
    pub rounds: &'static [usize],
}

#[derive(Clone, Copy)]
pub enum Kind {
    FirstRequest,
    EarlyResend,
    KnownUser,
    NewUser,
    WrongCode,
    Refresh,
    Logout,
    Sessions,
    Profile,
    Jwks,
    Fallback,
}

/// Nothing of what is measured is about limits.
pub const SETTINGS: [(&str, &str); 4] = [
    ("OTP_REQUESTS_PER_IP", "1000000"),
    ("OTP_FAILURES_PER_IP", "1000000"),
    ("OTP_REQUESTS_PER_HOUR", "1000000"),
    ("OTP_REQUESTS_PER_HOUR_PER_IP", "1000000"),
];
/// Where they come from.
pub const ADDRESS: &str = "192.0.2.1";

pub const OPERATIONS: [Operation; 11] = [
    Operation { name: "request, first", kind: Kind::FirstRequest, answer: "ok", signs: false, rounds: &[1, 1, 1] },
    Operation {
        name: "request, resend refused",
        kind: Kind::EarlyResend,
        answer: "rate_limited",
        signs: false,
        rounds: &[1, 1],
    },
    Operation { name: "verify, known user", kind: Kind::KnownUser, answer: "ok", signs: true, rounds: &[3, 2, 2] },
    Operation { name: "verify, new user", kind: Kind::NewUser, answer: "ok", signs: true, rounds: &[3, 1] },
    Operation {
        name: "verify, wrong code",
        kind: Kind::WrongCode,
        answer: "invalid_otp",
        signs: false,
        rounds: &[3, 1],
    },
    Operation { name: "refresh", kind: Kind::Refresh, answer: "ok", signs: true, rounds: &[2] },
    Operation { name: "logout", kind: Kind::Logout, answer: "ok", signs: false, rounds: &[1] },
    Operation { name: "sessions", kind: Kind::Sessions, answer: "ok", signs: false, rounds: &[1, 1] },
    Operation { name: "profile", kind: Kind::Profile, answer: "ok", signs: false, rounds: &[1] },
    Operation { name: "jwks", kind: Kind::Jwks, answer: "ok", signs: false, rounds: &[] },
    Operation { name: "fallback", kind: Kind::Fallback, answer: "not_found", signs: false, rounds: &[] },
];

impl Kind {
    /// The request, after all that must have happened before it.
    pub async fn prepare(self, auth: &Deployment, run: usize) -> Request<Bytes> {
        let (client, stranger) = (auth.client(), &format!("stranger{run}-{}@example.com", self as u8));
        match self {
            Kind::FirstRequest => post(REQUEST, json!({ "identifier": stranger })),
            Kind::EarlyResend => {
                let asked = client.ask(stranger).await;
                post(REQUEST, json!({ "identifier": stranger, "challenge_id": asked.challenge }))
            }
            Kind::KnownUser | Kind::NewUser | Kind::WrongCode => {
                if matches!(self, Kind::KnownUser) {
                    client.sign_in(stranger).await;
                }
                let asked = client.ask(stranger).await;
                let code = if matches!(self, Kind::WrongCode) { wrong(&asked.code) } else { asked.code };
                post(VERIFY, json!({ "identifier": stranger, "otp_code": code, "challenge_id": asked.challenge }))
            }
            Kind::Refresh => post(REFRESH, json!({ "refresh": client.sign_in(stranger).await.refresh })),
            Kind::Logout => post(LOGOUT, json!({ "refresh": client.sign_in(stranger).await.refresh })),
            Kind::Sessions => with_token("GET", SESSIONS, &client.sign_in(stranger).await.access),
            Kind::Profile => with_token("GET", PROFILE, &client.sign_in(stranger).await.access),
            Kind::Jwks => Request::get("/.well-known/jwks.json").body(Bytes::new()).unwrap(),
            Kind::Fallback => Request::get("/nothing/here").body(Bytes::new()).unwrap(),
        }
    }
}

fn post(path: &str, body: Value) -> Request<Bytes> {
    // What a browser sends along: the event carries it, and the function reads past it.
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json, text/plain, */*")
        .header(header::ACCEPT_ENCODING, "gzip, deflate, br, zstd")
        .header(header::ACCEPT_LANGUAGE, "en-GB,en;q=0.9")
        .header(header::ORIGIN, "https://app.example.com")
        .header(header::REFERER, "https://app.example.com/sign-in")
        .header(header::USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
        .body(Bytes::from(body.to_string()))
        .unwrap()
}
