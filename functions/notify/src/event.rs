//! The events of this function: those of the stack's bus.

use serde::Deserialize;
use serde_json::Value;
use shared::history::EventId;
use shared::words::{Error, Result, SessionId, UserId};

/// An event.
pub(crate) struct Event {
    pub(crate) id: EventId,
    pub(crate) user: UserId,
    pub(crate) what: What,
}

/// The occasion of a notice.
pub(crate) enum What {
    Opened {
        session: SessionId,
        /// The address of the API. The rule adds it.
        api: String,
    },
    Created,
}

#[derive(Deserialize)]
struct Detail {
    id: String,
    r#type: String,
    user: UserId,
    session: Option<String>,
}

/// In one word for the log.
pub(crate) fn kind(event: &Value) -> &'static str {
    match event.pointer("/detail/type").and_then(Value::as_str) {
        Some("session.opened") => "session_opened",
        Some("user.created") => "user_created",
        _ => "unknown",
    }
}

impl Event {
    /// Reads an event as a rule of the bus passes it.
    ///
    /// # Errors
    /// It is no such event, or no notice belongs to it.
    pub(crate) fn read(event: &Value) -> Result<Event> {
        let expected =
            || Error::invalid("expected `session.opened` or `user.created`, as the rules of the stack's bus pass them");
        let detail = event.get("detail").and_then(|detail| Detail::deserialize(detail).ok()).ok_or_else(expected)?;
        let Detail { id, r#type, user, session } = detail;
        let api = event.get("api").and_then(Value::as_str).map(str::to_owned);
        let what = match (r#type.as_str(), session, api) {
            ("session.opened", Some(session), Some(api)) => What::Opened { session: session.parse()?, api },
            ("user.created", ..) => What::Created,
            _ => return Err(expected()),
        };
        Ok(Event { id: id.parse()?, user, what })
    }
}
