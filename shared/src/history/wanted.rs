//! `EVENTS`: which events the bus gets.

use super::event::What;
use crate::config::Reader;

/// The events that the bus gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// None.
    Off,
    /// Events that an operator or a person should notice: `user.created`, `user.erased` and `session.ended`.
    Security,
    /// All events. Every sign-in is one, and EventBridge charges for each.
    All,
}

impl Wanted {
    /// Reads the setting.
    pub fn read(read: &mut Reader<'_>) -> Wanted {
        match read.choice("EVENTS", "security", &["security", "off", "all"]).as_str() {
            "off" => Wanted::Off,
            "all" => Wanted::All,
            _ => Wanted::Security,
        }
    }

    /// Whether the bus gets this event.
    pub fn has(self, what: &What) -> bool {
        let is_security = match what {
            What::UserCreated { .. } | What::UserErased | What::SessionEnded { .. } => true,
            What::SessionOpened { .. } | What::UserUpdated { .. } => false,
        };
        self == Wanted::All || self == Wanted::Security && is_security
    }
}
