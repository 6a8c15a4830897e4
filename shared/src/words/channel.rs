//! Channels: the ways to send a code.

use serde::{Deserialize, Serialize};

use crate::texts::{Language, answers};

/// How a code is sent. A request may choose the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// By email.
    Email,
    /// By text message.
    #[serde(alias = "phone")]
    Sms,
    /// By a phone call that speaks it.
    Voice,
    /// By WhatsApp.
    Whatsapp,
}

impl Channel {
    /// All channels.
    pub const ALL: [Channel; 4] = [Channel::Email, Channel::Sms, Channel::Voice, Channel::Whatsapp];

    /// Its name in requests, answers, logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Email => "email",
            Channel::Sms => "sms",
            Channel::Voice => "voice",
            Channel::Whatsapp => "whatsapp",
        }
    }

    /// Whether it reaches phone numbers.
    pub fn is_to_phones(self) -> bool {
        self != Channel::Email
    }

    /// Whether it only follows a text message of the same challenge (S260).
    pub fn follows_text(self) -> bool {
        matches!(self, Channel::Voice | Channel::Whatsapp)
    }

    /// Tells a user that a code was sent by it.
    pub fn sent(self, language: Language) -> &'static str {
        match self {
            Channel::Email => answers::email_sent(language),
            Channel::Sms => answers::sms_sent(language),
            Channel::Voice => answers::voice_sent(language),
            Channel::Whatsapp => answers::whatsapp_sent(language),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list of serde has every variant, because the compiler makes it.
    #[test]
    fn all_channels_are_listed() {
        let error = serde_json::from_str::<Channel>("\"?\"").unwrap_err().to_string();
        let channels = error.split('`').filter_map(|word| serde_json::from_value(word.into()).ok());
        let mut channels: Vec<Channel> = channels.collect();
        channels.dedup();
        assert_eq!(channels, Channel::ALL, "{error}");
        for channel in Channel::ALL {
            assert_eq!(serde_json::to_value(channel).unwrap(), channel.name());
        }
    }
}
