//! The measured operations, and the requests that cause them.

use axum::body::Bytes;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::client::{ACTIVITY, LOGOUT, PROFILE, REFRESH, REQUEST, SESSIONS, STATUS, VERIFY, with_token};
use crate::deployment::{session_of, wrong};
use crate::{Deployment, Tokens};

/// One row of the table.
pub struct Operation {
    pub name: &'static str,
    pub kind: Kind,
    /// The expected code of its answer.
    pub answer: &'static str,
    pub signs: bool,
    /// How many calls to AWS are in flight in each round.
    pub rounds: &'static [usize],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    FirstRequest,
    LaterRequest,
    Resend,
    EarlyResend,
    SmsRequest,
    KnownUser,
    NewUser,
    NewUserBySms,
    WrongCode,
    Refresh,
    RepeatedRefresh,
    Logout,
    LogoutEverywhere,
    Sessions,
    EndSession,
    EndOthers,
    Profile,
    Activity,
    Status,
    Jwks,
    Fallback,
}

/// Limits high enough to keep measurements free of refusals. The rest of the SMS budget is in the log, and has fewer digits than a
/// code.
pub const SETTINGS: [(&str, &str); 8] = [
    ("ALLOWED_ORIGINS", "https://app.example.com"),
    ("MAIL_DAILY_BUDGET", "100000000"),
    ("OTP_REQUESTS_PER_IP", "1000000"),
    ("OTP_FAILURES_PER_IP", "1000000"),
    ("SMS_DAILY_BUDGET", "90000"),
    ("SMS_DAILY_BUDGET_PER_COUNTRY", "90000"),
    ("SMS_PER_IP_DAY", "1000000"),
    ("SMS_BREAKER_SHARE", "0"),
];
/// The client's network address.
pub const ADDRESS: &str = "192.0.2.1";

const fn done(name: &'static str, kind: Kind, rounds: &'static [usize]) -> Operation {
    Operation { name, kind, answer: "ok", signs: false, rounds }
}

const fn refused(name: &'static str, kind: Kind, answer: &'static str, rounds: &'static [usize]) -> Operation {
    Operation { name, kind, answer, signs: false, rounds }
}

const fn signed(name: &'static str, kind: Kind, rounds: &'static [usize]) -> Operation {
    Operation { name, kind, answer: "ok", signs: true, rounds }
}

pub const OPERATIONS: [Operation; 21] = [
    done("request, first", Kind::FirstRequest, &[2, 1, 1]),
    done("request, later", Kind::LaterRequest, &[2, 1, 1]),
    done("request, resend", Kind::Resend, &[2, 1, 1]),
    done("request, repeated too soon", Kind::EarlyResend, &[2]),
    done("request by SMS", Kind::SmsRequest, &[3, 2, 2, 1]),
    signed("verify, known user", Kind::KnownUser, &[2, 2, 3]),
    signed("verify, new user", Kind::NewUser, &[2, 1, 1]),
    signed("verify by SMS, new user", Kind::NewUserBySms, &[2, 1, 2]),
    refused("verify, wrong code", Kind::WrongCode, "invalid_otp", &[2]),
    signed("refresh", Kind::Refresh, &[2]),
    signed("refresh, repeated", Kind::RepeatedRefresh, &[2]),
    done("logout", Kind::Logout, &[1]),
    done("logout everywhere", Kind::LogoutEverywhere, &[1, 1]),
    done("sessions", Kind::Sessions, &[1, 1]),
    done("end of a session", Kind::EndSession, &[1]),
    done("end of all others", Kind::EndOthers, &[1, 1]),
    done("profile", Kind::Profile, &[1]),
    done("activity", Kind::Activity, &[2]),
    done("status", Kind::Status, &[2]),
    done("jwks", Kind::Jwks, &[]),
    refused("fallback", Kind::Fallback, "not_found", &[]),
];

impl Kind {
    /// Performs all earlier steps and returns the request to measure.
    pub async fn prepare(self, auth: &Deployment, run: usize) -> Request<Bytes> {
        let (client, somebody) = (auth.client(), &self.somebody(run));
        match self {
            Kind::FirstRequest | Kind::SmsRequest => post(REQUEST, json!({ "identifier": somebody })),
            Kind::LaterRequest => {
                client.ask(somebody).await;
                post(REQUEST, json!({ "identifier": somebody }))
            }
            Kind::Resend => {
                // A message refused by SES can be resent at once. Moving the clock instead would affect the requests prepared
                // already.
                auth.faults(json!({ "delivery": "refused" }));
                let refused = client.post(REQUEST, json!({ "identifier": somebody })).await;
                auth.faults(json!({}));
                post(REQUEST, json!({ "identifier": somebody, "challenge_id": refused.body["challenge_id"] }))
            }
            Kind::EarlyResend => {
                let asked = client.ask(somebody).await;
                post(REQUEST, json!({ "identifier": somebody, "challenge_id": asked.challenge }))
            }
            Kind::Status => {
                let asked = client.ask(somebody).await;
                post(STATUS, json!({ "identifier": somebody, "challenge_id": asked.challenge }))
            }
            Kind::KnownUser | Kind::NewUser | Kind::NewUserBySms | Kind::WrongCode => {
                if self == Kind::KnownUser {
                    client.sign_in(somebody).await;
                }
                let asked = client.ask(somebody).await;
                let code = if self == Kind::WrongCode { wrong(&asked.code) } else { asked.code };
                post(VERIFY, json!({ "identifier": somebody, "otp_code": code, "challenge_id": asked.challenge }))
            }
            Kind::Jwks => Request::get("/.well-known/jwks.json").body(Bytes::new()).unwrap(),
            Kind::Fallback => Request::get("/nothing/here").body(Bytes::new()).unwrap(),
            _ => self.signed_in(client.sign_in(somebody).await, auth).await,
        }
    }

    /// A request of a user who has just signed in.
    async fn signed_in(self, tokens: Tokens, auth: &Deployment) -> Request<Bytes> {
        let Tokens { access, refresh } = tokens;
        match self {
            Kind::RepeatedRefresh => {
                auth.client().refresh(&refresh).await.ok();
                post(REFRESH, json!({ "refresh": refresh }))
            }
            Kind::Logout => post(LOGOUT, json!({ "refresh": refresh })),
            Kind::LogoutEverywhere => post(LOGOUT, json!({ "refresh": refresh, "all": true })),
            Kind::Sessions => with_token("GET", SESSIONS, &access),
            Kind::EndSession => with_token("DELETE", &format!("{SESSIONS}{}", session_of(&access)), &access),
            Kind::EndOthers => with_token("DELETE", SESSIONS, &access),
            Kind::Profile => with_token("GET", PROFILE, &access),
            Kind::Activity => with_token("GET", ACTIVITY, &access),
            _ => post(REFRESH, json!({ "refresh": refresh })),
        }
    }

    /// A new user's identifier.
    fn somebody(self, run: usize) -> String {
        match self {
            Kind::SmsRequest => format!("+447400{run:06}"),
            Kind::NewUserBySms => format!("+447401{run:06}"),
            _ => format!("stranger{run}-{}@example.com", self as u8),
        }
    }
}

fn post(path: &str, body: Value) -> Request<Bytes> {
    // The usual headers of a browser. The event contains them and the function skips them.
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
