//! Delivery: a code on its way to whoever owns the identifier.
//!
//! SMS is a channel of its own: it will be a file beside `email.rs`, a variant of [`Channel`], and a `match` arm
//! wherever the compiler then asks for one.

mod email;
mod message;

pub use self::email::Mailer;
pub use self::message::Message;

use crate::identifier::Identifier;

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
