//! News: the events of a provider about one of our messages, whichever provider it is.

use std::time::Duration;

use crate::codes::hold::Reach;
use crate::codes::messages::SendName;
use crate::codes::receipt::Receipt;
use crate::words::{IdentifierDigest, Timestamp};

/// The news of an event.
#[derive(Clone, Debug)]
pub struct News {
    /// The identifier of the message's code.
    pub identifier: IdentifierDigest,
    /// The send.
    pub name: SendName,
    /// The provider's id of the message.
    pub message: String,
    /// Its kind.
    pub told: Told,
    /// When it happened, at the latest now.
    pub at: Timestamp,
    /// How long after the send.
    pub after: Duration,
    /// The price of the message in US dollars, if the provider tells it.
    pub price: Option<f64>,
    /// Whether the provider wants to hear that the code was used.
    pub wants_feedback: bool,
    /// Whether it failed because the number has opted out.
    pub is_opt_out: bool,
}

impl News {
    /// News of a provider that tells neither prices nor opt-outs, and wants no feedback.
    pub fn of(
        (identifier, name): (IdentifierDigest, SendName),
        message: String,
        told: Told,
        (at, after): (Timestamp, Duration),
    ) -> News {
        News { identifier, name, message, told, at, after, price: None, wants_feedback: false, is_opt_out: false }
    }
}

/// The kinds of news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A receipt, with what it says about the address.
    Receipt(Receipt, Option<Reach>),
    /// The owner of the address complained.
    Complaint,
}

impl Told {
    /// Its name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Told::Receipt(receipt, _) => receipt.name(),
            Told::Complaint => "complained",
        }
    }
}

/// Whether the recipient's server refuses the address itself with this status (RFC 3463): it does not exist, or is switched off. A server
/// that refuses the sender or the content says nothing about the address, and might take the next mail.
pub fn is_of_address(status: &str) -> bool {
    status.starts_with("5.1.") || status == "5.2.1"
}
