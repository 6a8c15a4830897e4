//! Channels: the ways to send a code.

use serde::{Deserialize, Serialize};

/// How a code is sent. A request may choose the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// By email.
    Email,
    /// By text message.
    #[serde(alias = "phone")]
    Sms,
}

impl Channel {
    /// Its name in requests, answers, logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Email => "email",
            Channel::Sms => "sms",
        }
    }

    /// A message of this channel, as users call it.
    pub fn message(self) -> &'static str {
        match self {
            Channel::Email => "email",
            Channel::Sms => "text message",
        }
    }

    /// The address of this channel, as users call it.
    pub fn place(self) -> &'static str {
        match self {
            Channel::Email => "email address",
            Channel::Sms => "phone number",
        }
    }
}
