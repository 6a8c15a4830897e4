//! Proofs: the reason for opening a session.

use crate::codes::ProvenCode;
use crate::words::{Channel, Level};

/// A proof of the user's identity. Each variant holds a witness that only the checking module can create.
#[derive(Debug)]
pub enum Proof {
    /// A correct code from a message to the identifier.
    Code(ProvenCode),
}

impl Proof {
    /// The authentication methods for `amr`, with names from RFC 8176.
    pub fn methods(&self) -> Vec<String> {
        let methods: &[&str] = match self {
            Proof::Code(_) => &["otp"],
        };
        methods.iter().map(|&method| method.to_owned()).collect()
    }

    /// The level that it reaches alone.
    pub fn level(&self) -> Level {
        Level::of(&self.methods())
    }

    /// The way of the sign-in, for counts and events. More exact than `amr`, which knows no channels.
    pub fn way(&self) -> &'static str {
        match self {
            Proof::Code(code) => match code.to().channel() {
                Channel::Email => "otp_email",
                Channel::Sms => "otp_sms",
                Channel::Voice => "otp_voice",
                Channel::Whatsapp => "otp_whatsapp",
            },
        }
    }
}
