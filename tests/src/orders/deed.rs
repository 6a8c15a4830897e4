//! What somebody does, by the front door.

use axum::http::{HeaderMap, StatusCode};
use futures_util::future::BoxFuture;
use local::STEPS;
use serde_json::{Value, json};

use super::World;
use crate::client::{PROFILE, REQUEST, SESSIONS};
use crate::deployment::session_of;
use crate::{Answer, Asked, Client, Tokens};

/// One request; of a rotation, the four that Secrets Manager makes.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Asks for a code, or for one more of the challenge `again`.
    Ask { who: String, again: Option<String> },
    /// Answers, rightly or wrongly, with or without the name of the challenge.
    Answer { who: String, asked: Asked, right: bool, bound: bool },
    /// Trades the refresh token.
    Refresh(Tokens),
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
            Deed::Answer { who, asked, bound: true, .. } => Box::pin(async move { client.answer(&who, &asked).await }),
            Deed::Answer { who, asked, .. } => Box::pin(async move { client.answer_unbound(&who, &asked.code).await }),
            Deed::Refresh(tokens) => Box::pin(async move { client.refresh(&tokens.refresh).await }),
            Deed::Logout { tokens, all: false } => Box::pin(async move { client.logout(&tokens.refresh).await }),
            Deed::Logout { tokens, .. } => Box::pin(async move { client.logout_everywhere(&tokens.refresh).await }),
            Deed::EndOthers(by) => Box::pin(async move { client.with_token("DELETE", SESSIONS, &by.access).await }),
            Deed::End { by, session } => {
                Box::pin(async move { client.with_token("DELETE", &format!("{SESSIONS}{session}/"), &by.access).await })
            }
            Deed::List(by) => Box::pin(async move { client.with_token("GET", SESSIONS, &by.access).await }),
            Deed::Profile(by) => Box::pin(async move { client.with_token("GET", PROFILE, &by.access).await }),
            Deed::Rotate => Box::pin(rotate(world)),
        }
    }

    /// The session that speaks for it.
    pub fn session(&self) -> Option<String> {
        match self {
            Deed::Refresh(tokens) | Deed::Logout { tokens, .. } | Deed::EndOthers(tokens) => Some(tokens),
            Deed::End { by, .. } | Deed::List(by) | Deed::Profile(by) => Some(by),
            Deed::Ask { .. } | Deed::Answer { .. } | Deed::Rotate => None,
        }
        .map(|tokens| session_of(&tokens.access))
    }
}

/// All four steps for both keyrings. What keeps one from succeeding is the body's `cause`.
async fn rotate(world: &World) -> Answer {
    let (config, token) = (world.auth.config(), world.version());
    for secret in [config.codes_secret, config.tokens_secret] {
        for step in STEPS {
            let event = json!({ "Step": step, "SecretId": secret, "ClientRequestToken": token });
            if let Err(failure) = world.auth.stack.ask_for_keys(&event).await {
                let body = json!({ "success": false, "error": "not_rotated", "cause": failure.to_string() });
                return Answer { status: StatusCode::INTERNAL_SERVER_ERROR, headers: HeaderMap::new(), body };
            }
        }
    }
    Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: Value::Null }
}
