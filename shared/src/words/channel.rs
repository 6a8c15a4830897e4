//! Channels: how a code travels.

use serde::{Deserialize, Serialize};

/// How a code travels. A request may name it, and a destination is an identifier together with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Mail.
    Email,
    /// A text message.
    #[serde(alias = "phone")]
    Sms,
}

impl Channel {
    /// The word on the wire, in the log and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Email => "email",
            Channel::Sms => "sms",
        }
    }

    /// What people call its messages.
    pub fn message(self) -> &'static str {
        match self {
            Channel::Email => "email",
            Channel::Sms => "text message",
        }
    }

    /// What people call the place that its messages go to.
    pub fn place(self) -> &'static str {
        match self {
            Channel::Email => "email address",
            Channel::Sms => "phone number",
        }
    }
}
