//! What somebody does, by the front door.

use axum::http::{HeaderMap, StatusCode};
use futures_util::future::BoxFuture;
use local::STEPS;
use local_aws::Failure;
use serde_json::{Value, json};

use super::World;
use crate::browser::DEVICE_COOKIE;
use crate::client::{PROFILE, REQUEST, SESSIONS};
use crate::deployment::session_of;
use crate::{Answer, Asked, Client, Tokens};

/// Where [`Deed::AskAtHome`] is done: an origin that the development profile allows.
pub const PAGE: &str = "http://localhost:3000";

/// One request; of a rotation, the eight that Secrets Manager makes.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Asks for a code, or for one more of the challenge `again`.
    Ask { who: String, again: Option<String> },
    /// Asks in a browser that has its device cookie.
    AskAtHome { who: String, device: String },
    /// Answers, rightly or wrongly, with or without the name of the challenge.
    Answer { who: String, asked: Asked, right: bool, bound: bool },
    /// Trades the refresh token.
    Refresh(Tokens),
    /// Presents a refresh token that was traded long ago.
    Reuse(Tokens),
    /// Signs out, here or everywhere.
    Logout { tokens: Tokens, all: bool },
    /// Ends all sessions but this one.
    EndOthers(Tokens),
    /// Ends the session of that id.
    End { by: Tokens, session: String },
    /// Asks where one is signed in.
    List(Tokens),
    /// Asks who one is.
    Profile(Tokens),
    /// Rotates both keyrings.
    Rotate,
    /// One step of a rotation of the keyring of tokens, by Secrets Manager's name for it.
    Step(&'static str),
    /// Withdraws the key of that name.
    Withdraw(String),
}

impl Deed {
    /// Does it.
    pub fn perform<'w>(&'w self, world: &'w World, client: Client<'w>) -> BoxFuture<'w, Answer> {
        // In a box, or all that a deed may be is too deep to name.
        match self.clone() {
            Deed::Ask { who, again } => {
                let body = json!({ "identifier": who, "challenge_id": again });
                Box::pin(client.post(REQUEST, body))
            }
            Deed::AskAtHome { who, device } => Box::pin(async move {
                let mut browser = client.browser(PAGE);
                browser.cookies.insert(DEVICE_COOKIE.to_owned(), (device, 1));
                browser.post(REQUEST, json!({ "identifier": who, "token_delivery": "cookie" })).await
            }),
            Deed::Answer { who, asked, bound: true, .. } => Box::pin(async move { client.answer(&who, &asked).await }),
            Deed::Answer { who, asked, .. } => Box::pin(async move { client.answer_unbound(&who, &asked.code).await }),
            Deed::Refresh(tokens) | Deed::Reuse(tokens) => {
                Box::pin(async move { client.refresh(&tokens.refresh).await })
            }
            Deed::Logout { tokens, all: false } => Box::pin(async move { client.logout(&tokens.refresh).await }),
            Deed::Logout { tokens, .. } => Box::pin(async move { client.logout_everywhere(&tokens.refresh).await }),
            Deed::EndOthers(by) => Box::pin(async move { client.with_token("DELETE", SESSIONS, &by.access).await }),
            Deed::End { by, session } => {
                Box::pin(async move { client.with_token("DELETE", &format!("{SESSIONS}{session}/"), &by.access).await })
            }
            Deed::List(by) => Box::pin(async move { client.with_token("GET", SESSIONS, &by.access).await }),
            Deed::Profile(by) => Box::pin(async move { client.with_token("GET", PROFILE, &by.access).await }),
            Deed::Rotate => Box::pin(rotate(world)),
            Deed::Step(step) => {
                Box::pin(async move { told(step_of(world, &world.auth.setting("TOKENS_SECRET_ARN"), step).await) })
            }
            Deed::Withdraw(kid) => Box::pin(async move { told(world.auth.stack.revoke(&kid).await) }),
        }
    }

    /// The session that speaks for it.
    pub fn session(&self) -> Option<String> {
        match self {
            Deed::Refresh(tokens) | Deed::Reuse(tokens) => Some(tokens),
            Deed::Logout { tokens, .. } | Deed::EndOthers(tokens) => Some(tokens),
            Deed::End { by, .. } | Deed::List(by) | Deed::Profile(by) => Some(by),
            Deed::Ask { .. }
            | Deed::AskAtHome { .. }
            | Deed::Answer { .. }
            | Deed::Rotate
            | Deed::Step(_)
            | Deed::Withdraw(_) => None,
        }
        .map(|tokens| session_of(&tokens.access))
    }
}

/// All four steps for both keyrings, until one fails.
async fn rotate(world: &World) -> Answer {
    for secret in world.auth.secrets() {
        for step in STEPS {
            let outcome = step_of(world, &secret, step).await;
            if outcome.is_err() {
                return told(outcome);
            }
        }
    }
    told(Ok(Value::Null))
}

async fn step_of(world: &World, secret: &str, step: &str) -> Result<Value, Failure> {
    let event = json!({ "Step": step, "SecretId": secret, "ClientRequestToken": world.version() });
    world.auth.stack.ask_for_keys(&event).await
}

/// As an answer of the API. What keeps a change of keys from succeeding is the body's `cause`; that another change came first
/// is nobody's fault.
fn told(outcome: Result<Value, Failure>) -> Answer {
    let (status, body) = match outcome {
        Ok(body) => (StatusCode::OK, body),
        Err(failure) => {
            let cause = failure.to_string();
            let is_late = cause.contains("overtaken: ");
            let status = if is_late { StatusCode::CONFLICT } else { StatusCode::INTERNAL_SERVER_ERROR };
            (status, json!({ "success": false, "error": "not_rotated", "cause": cause }))
        }
    };
    Answer { status, headers: HeaderMap::new(), body }
}
