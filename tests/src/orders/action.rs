//! The actions of clients and operators.

use axum::http::{HeaderMap, StatusCode};
use futures_util::future::BoxFuture;
use local::STEPS;
use local_aws::Failure;
use serde_json::{Value, json};

use super::World;
use crate::authenticator::{CONFIRM, TOTP};
use crate::browser::DEVICE_COOKIE;
use crate::client::{PROFILE, REQUEST, SESSIONS};
use crate::deployment::session_of;
use crate::{Answer, Asked, Client, Tokens};

/// The page of [`Action::AskAtHome`]. The development profile allows this origin.
pub const PAGE: &str = "http://localhost:3000";

/// The retry key of everybody who has one.
pub const RETRY: &str = "retry-key-of-the-tests";

/// A second factor, and the sign-in or step-up that waits for it.
#[derive(Clone, Debug)]
pub struct Factor {
    pub challenge: String,
    /// `totp` or `backup_code`.
    pub method: &'static str,
    pub code: String,
}

/// One request. A rotation is the eight requests of Secrets Manager.
#[derive(Clone, Debug)]
pub enum Action {
    /// Requests a code, or resends the challenge `again`.
    Ask { who: String, again: Option<String> },
    /// Requests a code in a browser with its device cookie.
    AskAtHome { who: String, device: String },
    /// Answers with a right or wrong code, bound or unbound.
    Answer { who: String, asked: Asked, right: bool, bound: bool },
    /// Answers with a right code, its challenge and the retry key [`RETRY`].
    AnswerAgain { who: String, asked: Asked },
    /// Exchanges the refresh token.
    Refresh(Tokens),
    /// The same with the retry key [`RETRY`].
    RefreshAgain(Tokens),
    /// Sends a refresh token that was exchanged long ago.
    Reuse(Tokens),
    /// Signs out of this session or of all sessions.
    Logout { tokens: Tokens, all: bool },
    /// Ends all sessions except this one.
    EndOthers(Tokens),
    /// Ends the session with this id.
    End { by: Tokens, session: String },
    /// Ends a sign-in with a right second factor.
    SecondStep(Factor),
    /// Steps the session up with a right second factor.
    StepUp { tokens: Tokens, factor: Factor },
    /// Adds the authenticator app with this id.
    Confirm { tokens: Tokens, app: String, code: String },
    /// Removes the authenticator app with this id.
    Remove { tokens: Tokens, app: String },
    /// Lists the user's sessions.
    List(Tokens),
    /// Reads the user's profile.
    Profile(Tokens),
    /// Rotates the keyrings.
    Rotate,
    /// One step of rotating the signing keys, by Secrets Manager's name for it.
    Step(&'static str),
    /// Revokes the key with this id.
    Withdraw(String),
    /// Invokes `erase` with this event.
    Erase(Value),
}

impl Action {
    pub fn perform<'w>(&'w self, world: &'w World, client: Client<'w>) -> BoxFuture<'w, Answer> {
        // Boxed, because otherwise the future's type exceeds the compiler's recursion limit.
        match self.clone() {
            Action::Ask { who, again } => {
                let body = json!({ "identifier": who, "challenge_id": again });
                Box::pin(client.post(REQUEST, body))
            }
            Action::AskAtHome { who, device } => Box::pin(async move {
                let mut browser = client.browser(PAGE);
                browser.cookies.insert(DEVICE_COOKIE.to_owned(), (device, 1));
                browser.post(REQUEST, json!({ "identifier": who, "token_delivery": "cookie" })).await
            }),
            Action::Answer { who, asked, bound: true, .. } => {
                Box::pin(async move { client.answer(&who, &asked).await })
            }
            Action::AnswerAgain { who, asked } => {
                Box::pin(async move { client.answer_with(&who, &asked, RETRY).await })
            }
            Action::RefreshAgain(tokens) => Box::pin(async move { client.refresh_with(&tokens.refresh, RETRY).await }),
            Action::Answer { who, asked, .. } => {
                Box::pin(async move { client.answer_unbound(&who, &asked.code).await })
            }
            Action::Refresh(tokens) | Action::Reuse(tokens) => {
                Box::pin(async move { client.refresh(&tokens.refresh).await })
            }
            Action::Logout { tokens, all: false } => Box::pin(async move { client.logout(&tokens.refresh).await }),
            Action::Logout { tokens, .. } => Box::pin(async move { client.logout_everywhere(&tokens.refresh).await }),
            Action::EndOthers(by) => Box::pin(async move { client.with_token("DELETE", SESSIONS, &by.access).await }),
            Action::End { by, session } => {
                Box::pin(async move { client.with_token("DELETE", &format!("{SESSIONS}{session}/"), &by.access).await })
            }
            Action::SecondStep(Factor { challenge, method, code }) => {
                Box::pin(async move { client.second_step(&challenge, method, &code).await })
            }
            Action::StepUp { tokens, factor: Factor { challenge, method, code } } => {
                Box::pin(async move { client.step_up(&tokens.access, &challenge, method, &code).await })
            }
            Action::Confirm { tokens, app, code } => Box::pin(async move {
                client.post_as(&tokens.access, CONFIRM, json!({ "factor_id": app, "code": code })).await
            }),
            Action::Remove { tokens, app } => {
                Box::pin(async move { client.delete_as(&tokens.access, &format!("{TOTP}{app}/")).await })
            }
            Action::List(by) => Box::pin(async move { client.with_token("GET", SESSIONS, &by.access).await }),
            Action::Profile(by) => Box::pin(async move { client.with_token("GET", PROFILE, &by.access).await }),
            Action::Rotate => Box::pin(rotate(world)),
            Action::Step(step) => {
                Box::pin(async move { told(step_of(world, &world.auth.setting("SIGNING_SECRET_ARN"), step).await) })
            }
            Action::Withdraw(kid) => Box::pin(async move { told(world.auth.stack.revoke(&kid).await) }),
            Action::Erase(event) => Box::pin(async move { told(world.auth.stack.invoke("Erase", &event).await) }),
        }
    }

    /// The code and its challenge, if the answer is right.
    pub fn right(&self) -> Option<&Asked> {
        match self {
            Action::Answer { asked, right: true, .. } | Action::AnswerAgain { asked, .. } => Some(asked),
            _ => None,
        }
    }

    /// The exchanged refresh token.
    pub fn refreshed(&self) -> Option<&Tokens> {
        match self {
            Action::Refresh(tokens) | Action::RefreshAgain(tokens) => Some(tokens),
            _ => None,
        }
    }

    /// The second factor, and what waits for it.
    pub fn factor(&self) -> Option<&Factor> {
        match self {
            Action::SecondStep(factor) | Action::StepUp { factor, .. } => Some(factor),
            _ => None,
        }
    }

    /// True if a success opens a session.
    pub fn signs_in(&self) -> bool {
        self.right().is_some() || matches!(self, Action::SecondStep(_))
    }

    /// True if a success changes the user's second factors, which ends all sessions except its own.
    pub fn changes_factors(&self) -> bool {
        matches!(self, Action::Confirm { .. } | Action::Remove { .. })
    }

    /// The session whose token authorizes the request.
    pub fn session(&self) -> Option<String> {
        match self {
            Action::Refresh(tokens) | Action::RefreshAgain(tokens) | Action::Reuse(tokens) => Some(tokens),
            Action::Logout { tokens, .. } | Action::EndOthers(tokens) => Some(tokens),
            Action::StepUp { tokens, .. } | Action::Confirm { tokens, .. } | Action::Remove { tokens, .. } => {
                Some(tokens)
            }
            Action::End { by, .. } | Action::List(by) | Action::Profile(by) => Some(by),
            Action::Ask { .. }
            | Action::AskAtHome { .. }
            | Action::Answer { .. }
            | Action::AnswerAgain { .. }
            | Action::SecondStep(_)
            | Action::Rotate
            | Action::Step(_)
            | Action::Withdraw(_)
            | Action::Erase(_) => None,
        }
        .map(|tokens| session_of(&tokens.access))
    }
}

/// Runs all four steps for each keyring, and stops at the first error.
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

/// Converts a rotation's result into an answer of the API. The body's `cause` is the error. If another change came first, the
/// status is 409, because a lost race is expected.
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
