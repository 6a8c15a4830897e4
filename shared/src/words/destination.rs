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
            (Channel::Email, Identifier::Phone(_)) | (Channel::Sms, Identifier::Email(_)) => Err(Error::invalid(
                "The channel does not match the identifier. Use email for an address and sms for a number.",
            )),
        }
    }

    /// The channel of the message.
    pub fn channel(&self) -> Channel {
        match self {
            Destination::Email(_) => Channel::Email,
            Destination::Sms(_) => Channel::Sms,
        }
    }

    /// The identifier. It is the same on every channel.
    pub fn identifier(&self) -> Identifier {
        match self {
            Destination::Email(email) => Identifier::Email(email.clone()),
            Destination::Sms(phone) => Identifier::Phone(phone.clone()),
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
        for (text, channel_of, other) in
            [("ada@example.com", Channel::Email, Channel::Sms), ("+447400123456", Channel::Sms, Channel::Email)]
        {
            for named in [None, Some(channel_of)] {
                assert_eq!(channel(text, named), Ok((channel_of, text.to_owned())));
            }
            assert_eq!(channel(text, Some(other)), Err("invalid_request"));
        }
    }
}
