//! Delivery: a code on its way to whoever owns the identifier.

mod email;
mod message;
mod outcome;
mod sms;
mod text;

pub use self::email::{MailSettings, Mailer};
pub use self::message::Message;
pub use self::sms::{SmsSettings, Texter};
pub use self::text::{LONGEST_HOST, LONGEST_PRODUCT, Text, is_gsm7};

use crate::words::Identifier;

/// How a code travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// By SESv2.
    Email,
    /// By SNS.
    Sms,
}

impl Channel {
    /// The channel that reaches an identifier.
    pub fn of(identifier: &Identifier) -> Channel {
        match identifier {
            Identifier::Email(_) => Channel::Email,
            Identifier::Phone(_) => Channel::Sms,
        }
    }

    /// The word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Email => "email",
            Channel::Sms => "sms",
        }
    }
}

/// What became of a send.
#[derive(Debug)]
pub enum Sent {
    /// Accepted; or nobody knows, which the caller treats alike: the code may be on its way.
    Accepted,
    /// Surely not accepted, with the reason for the log.
    Refused(String),
}
