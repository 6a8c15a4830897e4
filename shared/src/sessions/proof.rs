//! Proofs: the reason for opening a session.

use crate::codes::ProvenCode;
use crate::factors::ProvenFactor;
use crate::words::{Channel, Level};

/// A proof of the user's identity. Each variant holds a witness that only the checking module can create.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// A correct code from a message to the identifier.
    Code(&'a ProvenCode),
    /// A second factor after such a code, or in a session that such a code has opened.
    Factor(&'a ProvenFactor),
}

impl Proof<'_> {
    /// The authentication methods for `amr`, with names from RFC 8176.
    pub fn methods(&self) -> Vec<String> {
        let methods: &[&str] = match self {
            Proof::Code(_) => &["otp"],
            Proof::Factor(_) => &["otp", "mfa"],
        };
        methods.iter().map(|&method| method.to_owned()).collect()
    }

    /// The level that it reaches alone.
    pub fn level(&self) -> Level {
        Level::of(&self.methods())
    }

    /// The way of the sign-in, for counts and events. More exact than `amr`, which knows no channels.
    pub fn way(&self) -> &'static str {
        let channel = match self {
            Proof::Code(code) => Some(code.to().channel()),
            Proof::Factor(factor) => factor.pending().entrance().map(|entrance| entrance.channel),
        };
        match channel {
            Some(Channel::Email) => "otp_email",
            Some(Channel::Sms) => "otp_sms",
            Some(Channel::Voice) => "otp_voice",
            Some(Channel::Whatsapp) => "otp_whatsapp",
            // A step-up opens no session.
            None => "",
        }
    }
}
