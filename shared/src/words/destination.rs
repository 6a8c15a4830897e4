//! Destinations: an identifier and the channel to reach it.

use crate::words::channel::Channel;
use crate::words::error::{Error, Result};
use crate::words::identifier::{Email, Identifier, Phone};

/// The address and the channel of a message.
///
/// Each variant holds the kind of address of its channel, so an SMS to an email address cannot be expressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// An email address.
    Email(Email),
    /// A phone number, by text message.
    Sms(Phone),
    /// A phone number, by a call.
    Voice(Phone),
    /// A phone number, by WhatsApp.
    Whatsapp(Phone),
}

impl Destination {
    /// The destination for `identifier` by `channel`. Without a channel, an email address gets email and a phone
    /// number gets an SMS.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if the channel cannot reach the identifier.
    pub fn of(identifier: Identifier, channel: Option<Channel>) -> Result<Destination> {
        let usual = match identifier {
            Identifier::Email(_) => Channel::Email,
            Identifier::Phone(_) => Channel::Sms,
        };
        match (channel.unwrap_or(usual), identifier) {
            (Channel::Email, Identifier::Email(email)) => Ok(Destination::Email(email)),
            (Channel::Sms, Identifier::Phone(phone)) => Ok(Destination::Sms(phone)),
            (Channel::Voice, Identifier::Phone(phone)) => Ok(Destination::Voice(phone)),
            (Channel::Whatsapp, Identifier::Phone(phone)) => Ok(Destination::Whatsapp(phone)),
            (Channel::Email, Identifier::Phone(_))
            | (Channel::Sms | Channel::Voice | Channel::Whatsapp, Identifier::Email(_)) => Err(Error::invalid(
                "The channel does not match the identifier. Use email for an address and sms, voice or whatsapp for a number.",
            )),
        }
    }

    /// The channel of the message.
    pub fn channel(&self) -> Channel {
        match self {
            Destination::Email(_) => Channel::Email,
            Destination::Sms(_) => Channel::Sms,
            Destination::Voice(_) => Channel::Voice,
            Destination::Whatsapp(_) => Channel::Whatsapp,
        }
    }

    /// The same identifier by another channel, if there is one that reaches it.
    pub fn by(&self, other: Option<Channel>) -> Destination {
        let other = other.and_then(|channel| Destination::of(self.identifier(), Some(channel)).ok());
        other.unwrap_or_else(|| self.clone())
    }

    /// The identifier. It is the same on every channel.
    pub fn identifier(&self) -> Identifier {
        match self {
            Destination::Email(email) => Identifier::Email(email.clone()),
            Destination::Sms(phone) | Destination::Voice(phone) | Destination::Whatsapp(phone) => {
                Identifier::Phone(phone.clone())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_named_or_usual_and_must_reach_the_identifier() {
        let channel = |text: &str, channel| {
            let to = Destination::of(text.parse().unwrap(), channel);
            to.map(|to| (to.channel(), to.identifier().reveal().to_owned())).map_err(|error| error.code())
        };
        for (text, usual) in [("ada@example.com", Channel::Email), ("+447400123456", Channel::Sms)] {
            assert_eq!(channel(text, None), Ok((usual, text.to_owned())));
            for named in Channel::ALL {
                let reaches = named.is_to_phones() == usual.is_to_phones();
                let expected = if reaches { Ok((named, text.to_owned())) } else { Err("invalid_request") };
                assert_eq!(channel(text, Some(named)), expected);
            }
        }
    }
}
