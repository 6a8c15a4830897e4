//! The events of this function.

use serde::Deserialize;
use serde_json::Value;
use shared::runtime::Batch;
use shared::store::Remains;
use shared::words::{Error, Result, UserId};

/// An event.
pub(crate) enum Event {
    /// Records of UserTable's stream.
    Batch(Batch),
    /// The daily schedule.
    Sweep,
    /// An operator names a user and items.
    User {
        /// The user.
        user: UserId,
        /// Items that may still name this user.
        remains: Vec<Remains>,
    },
}

#[derive(Deserialize)]
struct Named {
    user: UserId,
    items: Vec<Remains>,
}

/// In one word for the log.
pub(crate) fn kind(event: &Value) -> &'static str {
    if is_scheduled(event) {
        "sweep"
    } else if event.get("user").is_some() {
        "user"
    } else {
        Batch::kind(event)
    }
}

fn is_scheduled(event: &Value) -> bool {
    event.get("source").and_then(Value::as_str) == Some("aws.events")
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    /// It is none of these.
    pub(crate) fn read(event: &Value) -> Result<Event> {
        if is_scheduled(event) {
            return Ok(Event::Sweep);
        }
        if event.get("user").is_none() {
            return Batch::read(event).map(Event::Batch);
        }
        let expected = |_| Error::invalid("expected the id of a user, and keys of items such as ID#… or S#…");
        let Named { user, items } = Named::deserialize(event).map_err(expected)?;
        Ok(Event::User { user, remains: items })
    }
}
